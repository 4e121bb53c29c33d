//! From the submitted event to the auditor's verdict: a server, a client that mirrors its log, the verifier.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ledger_client::messages::PaymentStatus;
use ledger_client::{CheckpointMemory, Client, EntryRef, EventBuilder, LogIdentity, group, new_payment_id};
use ledger_core::event::*;
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::ids::{EventId, PaymentId};
use ledger_core::number::{AccountKind, CaptureMode, Roles, Side};
use ledger_core::unit::Submitted;
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, SigningKey, keyfile};
use ledger_engine::{Config, Ledger};
use ledger_server::server::{Accepted, Server};
use ledger_server::settings::Settings;
use ledger_verify::{Checks, Report, Trust, Verdict, check_archive, check_receipt};

const ORIGIN: &str = "ledger.example/exported";

/// A ledger under a server, and who may write to it.
struct Books {
    client: Client,
    ledger_id: Hash,
    operator: SigningKey,
    service: SigningKey,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_exports_is_valid_and_a_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (server, books, trust) = start(folder.path()).await;
    books.open_accounts().await;
    let expiring = books.authorize(1_000, 1).await;
    let captured = books.authorize(5_000, 600).await;
    books.one(books.capture(captured, 2_000)).await;
    books.refusals_and_groups().await;
    // An expiry is recorded when something comes after it.
    while books.status_of(expiring.0).await != PaymentStatus::Expired {
        books.one(books.transfer("cust:alice", "shop:books", 1)).await;
    }
    for _ in 0..300 {
        books.one(books.transfer("cust:alice", "shop:books", 1)).await;
    }
    let last = books.one(books.transfer("cust:alice", "shop:books", 1)).await;

    let log = LogIdentity::new(trust.key.clone(), trust.ledger_id);
    let memory = CheckpointMemory::new(&folder.path().join("memory"));
    let (last, in_time) = (EntryRef::Event(last), Duration::from_secs(60));
    let receipt = books.client.await_sealed(&log, &memory, last, in_time).await.unwrap();
    let file = folder.path().join("receipt");
    fs::write(&file, receipt.text).unwrap();
    let report = check_receipt(&file, &trust);
    assert_eq!(report.verdict, Verdict::Valid, "{report}");

    let export = folder.path().join("export");
    let mirrored = books.client.mirror(&log, &export, &memory, |_, _| {}).await.unwrap();
    server.stop().await.unwrap();
    for checks in [Checks::Full, Checks::HashesOnly] {
        let report = check(&export, &trust, checks);
        assert_eq!(report.verdict, Verdict::Valid, "{report}");
        assert_eq!(report.size, Some(mirrored.checkpoint.size()));
    }

    let bundle = export.join("tile/entries/000");
    let mut bytes = fs::read(&bundle).unwrap();
    let end = bytes.len() - 1;
    bytes[end] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let report = check(&export, &trust, Checks::Full);
    assert_eq!(report.verdict, Verdict::Invalid, "{report}");
    let finding = report.finding.unwrap();
    assert_eq!(finding.log_index.unwrap().0, 255);
    assert_eq!(finding.file.unwrap(), "tile/entries/000");
}

async fn start(folder: &Path) -> (Server, Books, Trust) {
    let dir = folder.join("ledger");
    let (log_key, operator) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
    let genesis = Genesis {
        origin: ORIGIN.to_owned(),
        log_key: log_key.public_bytes().to_vec(),
        operators: vec![Operator { key: operator.public_bytes().to_vec(), party: "operations".to_owned() }],
        operator_threshold: 1,
        currencies: vec![Currency { code: "EUR".to_owned(), exponent: 2 }],
        rules_version: 1,
        limits: Some(Limits { group_members: 1_000, batch_members: 65_535 }),
        nonce: vec![7; 32],
        predecessor: Vec::new(),
    };
    let ledger_id = Ledger::create(&Config::new(&dir), &genesis, &log_key).unwrap();
    keyfile::create(&dir.join("log.key"), &log_key).unwrap();
    let mut settings = Settings { dir, ..Settings::default() };
    for (key, value) in [
        ("listen", "127.0.0.1:0"),
        ("metrics_listen", "127.0.0.1:0"),
        ("block.max_entries", "50"),
        ("checkpoint.interval", "20ms"),
    ] {
        settings.assign(key, value).unwrap();
    }
    let server = Server::start(settings, Accepted::default()).await.unwrap();
    let client = Client::connect(&format!("http://{}", server.grpc())).await.unwrap();
    let trust = Trust { key: VerifierKey::new(ORIGIN, &log_key.public()).unwrap(), ledger_id };
    (server, Books { client, ledger_id, operator, service: SigningKey::from_seed([3; 32]) }, trust)
}

impl Books {
    /// Registers the service and opens what the test moves money between.
    async fn open_accounts(&self) {
        let roles = Roles::INITIATOR.0 | Roles::PROCESSOR.0 | Roles::OWNER.0;
        let registered = KeyRegistered {
            key: self.service.public_bytes().to_vec(),
            party: "service".to_owned(),
            roles: u32::from(roles),
            prefix: String::new(),
        };
        let event = self.event(Body::KeyRegistered(registered));
        self.one(event.sign(&[&self.operator, &self.service])).await;
        for (account, kind) in [
            ("world", AccountKind::External),
            ("cust:alice", AccountKind::Customer),
            ("shop:books", AccountKind::Merchant),
        ] {
            let (account, currency) = (account.to_owned(), "EUR".to_owned());
            let body = AccountOpened { account, currency, kind: Some(kind), limit: 0 };
            self.one(self.event(Body::AccountOpened(body)).sign(&[&self.operator])).await;
        }
        let opening = self.event(legs("world", "cust:alice", 1_000_000));
        self.one(opening.sign(&[&self.operator])).await;
    }

    /// A refusal, a group that is accepted, a group that is refused.
    async fn refusals_and_groups(&self) {
        let too_much = self.transfer("cust:alice", "shop:books", 100_000_000);
        let answers = self.client.submit(&[too_much]).await.unwrap();
        assert_eq!(answers[0].recorded().unwrap().refusal.unwrap().number(), 904);
        for (amounts, accepted) in [([10, 20], true), ([10, 100_000_000], false)] {
            let members = amounts.map(|amount| self.event(legs("cust:alice", "shop:books", amount)));
            let members: Vec<_> =
                group(members.into()).into_iter().map(|member| member.sign(&[&self.service])).collect();
            let answers = self.client.submit_atomic(&members).await.unwrap();
            assert!(answers.iter().all(|answer| answer.verdict().is_accepted() == accepted));
        }
    }

    /// A payment with a hold: its id and its last event.
    async fn authorize(&self, amount: u64, timeout_s: u32) -> (PaymentId, EventId) {
        let id = new_payment_id().unwrap();
        let initiated = PaymentInitiated {
            amount,
            currency: "EUR".to_owned(),
            debtor: "cust:alice".to_owned(),
            creditor: "shop:books".to_owned(),
            capture_mode: Some(CaptureMode::Deferred),
            clearing_account: String::new(),
        };
        let first = self.event(Body::PaymentInitiated(initiated)).payment(id);
        let head = self.one(first.sign(&[&self.service])).await;
        let held = self.event(Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s }));
        let head = self.one(held.payment(id).previous(head).sign(&[&self.service])).await;
        (id, head)
    }

    fn capture(&self, (id, head): (PaymentId, EventId), amount: u64) -> Submitted {
        let body = PaymentCaptured { amount, ..PaymentCaptured::default() };
        self.event(Body::PaymentCaptured(body)).payment(id).previous(head).sign(&[&self.service])
    }

    fn transfer(&self, from: &str, to: &str, amount: u64) -> Submitted {
        self.event(legs(from, to, amount)).sign(&[&self.service])
    }

    fn event(&self, body: Body) -> EventBuilder {
        EventBuilder::new(&self.ledger_id, body).unwrap()
    }

    /// Submits one event, which must be accepted.
    async fn one(&self, event: Submitted) -> EventId {
        let answer = self.client.submit(&[event]).await.unwrap().remove(0);
        assert!(answer.verdict().is_accepted(), "{answer:?}");
        answer.event_id.unwrap()
    }

    async fn status_of(&self, id: PaymentId) -> PaymentStatus {
        self.client.payment(id).await.unwrap().status()
    }
}

fn legs(from: &str, to: &str, amount: u64) -> Body {
    let leg = |account: &str, side| Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: "EUR".to_owned(),
        amount,
    };
    let legs = vec![leg(from, Side::Debit), leg(to, Side::Credit)];
    Body::TransferPosted(TransferPosted { legs, purpose: "TEST".to_owned(), related_payment_id: Vec::new() })
}

fn check(export: &Path, trust: &Trust, checks: Checks) -> Report {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    check_archive(export, trust, checks, &pool, &mut |_, _| {})
}
