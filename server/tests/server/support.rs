//! A ledger in a folder of its own, a server over it, and signed events for it.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ledger_core::event::{AccountOpened, Body, EVENT_TYPE, Event, Leg, TransferPosted};
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::number::{AccountKind, Side};
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, Hasher, SigningKey, dsse, keyfile};
use ledger_engine::{Config, Ledger};
use ledger_proto::v1::ledger_service_client::LedgerServiceClient;
use ledger_proto::v1::{Recorded, SubmitRequest, SubmitResult, SubmittedEvent, submit_result};
use ledger_server::server::{Accepted, Server};
use ledger_server::settings::Settings;
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

pub type Client = LedgerServiceClient<Channel>;

pub const ORIGIN: &str = "ledger.example/server-test";

/// A ledger that was just created, with its keys.
pub struct Books {
    folder: TempDir,
    pub ledger_id: Hash,
    pub operator: SigningKey,
    pub vkey: VerifierKey,
    serial: u64,
}

/// A server in this process.
pub struct Running {
    pub server: Server,
    pub client: Client,
}

impl Books {
    pub fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (log_key, operator) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
        let genesis = Genesis {
            origin: ORIGIN.to_owned(),
            log_key: log_key.public_bytes().to_vec(),
            operators: vec![Operator {
                key: operator.public_bytes().to_vec(),
                party: "operations".to_owned(),
            }],
            operator_threshold: 1,
            currencies: vec![Currency { code: "EUR".to_owned(), exponent: 2 }],
            rules_version: 1,
            limits: Some(Limits { group_members: 1_000, batch_members: 65_535 }),
            nonce: vec![7; 32],
            predecessor: Vec::new(),
        };
        let dir = folder.path().join("ledger");
        let ledger_id = Ledger::create(&Config::new(&dir), &genesis, &log_key).unwrap();
        keyfile::create(&dir.join("log.key"), &log_key).unwrap();
        let vkey = VerifierKey::new(ORIGIN, &log_key.public()).unwrap();
        Self { folder, ledger_id, operator, vkey, serial: 0 }
    }

    /// A ledger of the same id, with what this one holds now. Not to be served before.
    pub fn twin(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (operator, vkey) = (self.operator.clone(), self.vkey.clone());
        let twin = Self { folder, ledger_id: self.ledger_id, operator, vkey, serial: self.serial };
        copy(&self.dir(), &twin.dir());
        twin
    }

    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Settings for free ports and quick seals.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings { dir: self.dir(), ..Settings::default() };
        for (key, value) in [
            ("listen", "127.0.0.1:0"),
            ("metrics_listen", "127.0.0.1:0"),
            ("block.max_age", "20ms"),
            ("checkpoint.interval", "20ms"),
        ] {
            settings.assign(key, value).unwrap();
        }
        settings
    }

    pub async fn serve(&self) -> Running {
        self.serve_with(&[]).await
    }

    /// Serves with some keys of the configuration set.
    pub async fn serve_with(&self, keys: &[(&str, &str)]) -> Running {
        let mut settings = self.settings();
        for (key, value) in keys {
            settings.assign(key, value).unwrap();
        }
        settings.check().unwrap();
        // The first test of the process sets it; its records show beside a failure.
        let _ = tracing_subscriber::fmt().with_test_writer().with_ansi(false).try_init();
        let server = Server::start(settings, Accepted::default()).await.unwrap();
        let client = connect(&server.grpc().to_string()).await;
        Running { server, client }
    }

    /// Events that open accounts: `world` (EXTERNAL) and customers without a limit.
    pub fn accounts(&mut self, customers: &[&str]) -> Vec<SubmittedEvent> {
        let mut events = vec![self.account("world", AccountKind::External)];
        for name in customers {
            events.push(self.account(name, AccountKind::Customer));
        }
        events
    }

    pub fn account(&mut self, name: &str, kind: AccountKind) -> SubmittedEvent {
        let (account, currency) = (name.to_owned(), "EUR".to_owned());
        self.event(Body::AccountOpened(AccountOpened { account, currency, kind: Some(kind), limit: 0 }))
    }

    /// Moves `amount` cents.
    pub fn transfer(&mut self, from: &str, to: &str, amount: u64) -> SubmittedEvent {
        let body = transfer(from, to, amount);
        self.event(body)
    }

    /// The same as members of one atomic group.
    pub fn group(&mut self, bodies: Vec<Body>) -> Vec<SubmittedEvent> {
        let ids: Vec<_> = bodies.iter().map(|_| self.event_id()).collect();
        let mut hasher = Hasher::tagged(b"ledger/v1/group");
        for id in &ids {
            hasher.update(id);
        }
        let group = hasher.finish().to_vec();
        let member = |(id, body)| self.signed(&Event { group: group.clone(), ..self.unsigned(id, body) });
        ids.into_iter().zip(bodies).map(member).collect()
    }

    pub fn event(&mut self, body: Body) -> SubmittedEvent {
        let id = self.event_id();
        self.signed(&self.unsigned(id, body))
    }

    pub fn unsigned(&self, event_id: Vec<u8>, body: Body) -> Event {
        Event {
            ledger_id: self.ledger_id.to_vec(),
            event_id,
            signers: vec![self.operator.public_bytes().to_vec()],
            timestamp_nanos: now().as_nanos() as u64,
            body,
            ..Event::default()
        }
    }

    pub fn signed(&self, event: &Event) -> SubmittedEvent {
        signed_by(event, &[&self.operator])
    }

    /// A new UUID v7.
    pub fn event_id(&mut self) -> Vec<u8> {
        self.serial += 1;
        let mut id = [0; 16];
        id[..6].copy_from_slice(&now().as_millis().to_be_bytes()[10..]);
        id[6] = 0x70;
        id[8..].copy_from_slice(&self.serial.to_be_bytes());
        id[8] |= 0x80;
        id.to_vec()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}

/// The event with `signers` and signatures of these keys, whatever it named before.
pub fn signed_by(event: &Event, keys: &[&SigningKey]) -> SubmittedEvent {
    let mut keys = keys.to_vec();
    keys.sort_by_key(|key| key.public_bytes());
    let signers = keys.iter().map(|key| key.public_bytes().to_vec()).collect();
    let payload = Event { signers, ..event.clone() }.encode();
    let message = dsse::message(EVENT_TYPE, &payload);
    let signature = |key: &&SigningKey| ledger_proto::v1::Signature {
        key: key.public_bytes().to_vec(),
        signature: key.sign(&message).to_vec(),
    };
    let signatures = keys.iter().map(signature).collect();
    SubmittedEvent { payload_type: EVENT_TYPE.to_owned(), payload, signatures, sidecar: None }
}

pub fn transfer(from: &str, to: &str, amount: u64) -> Body {
    let leg = |account: &str, side| Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: "EUR".to_owned(),
        amount,
    };
    Body::TransferPosted(TransferPosted {
        legs: vec![leg(from, Side::Debit), leg(to, Side::Credit)],
        purpose: "TEST".to_owned(),
        related_payment_id: Vec::new(),
    })
}

pub async fn connect(address: &str) -> Client {
    LedgerServiceClient::new(channel(address).await).max_decoding_message_size(64 * 1024 * 1024)
}

pub async fn channel(address: &str) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// Submits events that are accepted; returns what was recorded.
pub async fn accepted(client: &mut Client, events: Vec<SubmittedEvent>) -> Vec<Recorded> {
    let answered = client.submit(SubmitRequest { events }).await.unwrap().into_inner();
    answered.results.into_iter().map(is_accepted).collect()
}

pub fn is_accepted(result: SubmitResult) -> Recorded {
    match recorded(result) {
        recorded if recorded.outcome == 0 => recorded,
        recorded => panic!("refused: {recorded:?}"),
    }
}

pub fn recorded(result: SubmitResult) -> Recorded {
    match result.answer {
        Some(submit_result::Answer::Recorded(recorded)) => recorded,
        other => panic!("not recorded: {other:?}"),
    }
}

fn now() -> std::time::Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}
