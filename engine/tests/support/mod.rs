//! A small ledger in a temporary folder, and events signed for it.
#![allow(dead_code, reason = "each test file uses what it needs")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ledger_core::admit::group_hash;
use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::event::{
    AccountOpened, Body, Event, KeyRegistered, Leg, MetadataErased, PaymentAuthorized, PaymentCaptured,
    PaymentInitiated, PaymentRefunded, TransferPosted,
};
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::ids::EventId;
use ledger_core::number::{AccountKind, CaptureMode, RefundCause, Side};
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_crypto::{Hash, SigningKey, dsse};
use ledger_engine::{Answer, Config, EventAnswer, Ledger, ManualClock};
use ledger_merkle::{build, leaf_hash};

/// 2026-01-05T09:00:00Z.
pub const START_NANOS: u64 = 1_767_603_600_000_000_000;

/// 32 bytes that stand nowhere else.
pub const SALT: &[u8; 32] = b"salt-salt-salt-salt-salt-salt-32";

pub struct World {
    pub folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub ledger_id: Hash,
    pub operator: SigningKey,
    pub wallet: SigningKey,
    next_id: std::cell::Cell<u64>,
}

pub fn log_key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

impl World {
    /// A ledger with one operator, not yet open.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(START_NANOS));
        let operator = SigningKey::from_seed([2; 32]);
        let wallet = SigningKey::from_seed([3; 32]);
        let mut world =
            Self { folder, clock, ledger_id: [0; 32], operator, wallet, next_id: std::cell::Cell::new(1) };
        world.ledger_id = Ledger::create(&world.config(), &world.genesis(), &log_key()).unwrap();
        world
    }

    pub fn genesis(&self) -> Genesis {
        Genesis {
            origin: "ledger.example/engine".into(),
            log_key: log_key().public_bytes().to_vec(),
            operators: vec![Operator {
                key: self.operator.public_bytes().to_vec(),
                party: "operations".into(),
            }],
            operator_threshold: 1,
            currencies: vec![
                Currency { code: "EUR".into(), exponent: 2 },
                Currency { code: "USD".into(), exponent: 2 },
            ],
            rules_version: 1,
            limits: Some(Limits { group_members: 1_000, batch_members: 65_535 }),
            nonce: vec![7; 32],
            predecessor: Vec::new(),
        }
    }

    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self) -> Config {
        let mut config = Config::new(self.dir().join("ledger"));
        config.clock = self.clock.clone();
        config.block_max_age = Duration::from_millis(10);
        config.checkpoint_interval = Duration::from_millis(1);
        config
    }

    pub fn open(&self) -> Ledger {
        self.open_with(|_| {})
    }

    pub fn open_with(&self, change: impl FnOnce(&mut Config)) -> Ledger {
        let mut config = self.config();
        change(&mut config);
        Ledger::open(config, log_key()).unwrap()
    }

    /// Opens, registers the wallet's key and two customers and an outside account in USD.
    pub fn furnished(&self) -> Ledger {
        let ledger = self.open();
        self.furnish(&ledger);
        ledger
    }

    pub fn furnish(&self, ledger: &Ledger) {
        let mut events = vec![self.register_wallet()];
        for (name, kind) in [
            ("world:usd", AccountKind::External),
            ("cust:alice", AccountKind::Customer),
            ("cust:bob", AccountKind::Customer),
            ("shop:one", AccountKind::Merchant),
        ] {
            events.push(self.open_account(name, kind));
        }
        accepted(ledger.submit(events).unwrap().wait().unwrap());
    }

    pub fn register_wallet(&self) -> Submitted {
        let body = KeyRegistered {
            key: self.wallet.public_bytes().to_vec(),
            party: "wallet".into(),
            roles: 7,
            prefix: String::new(),
        };
        self.sign(Event { body: Body::KeyRegistered(body), ..self.header() }, &[&self.operator, &self.wallet])
    }

    pub fn open_account(&self, name: &str, kind: AccountKind) -> Submitted {
        let body = AccountOpened { account: name.into(), currency: "USD".into(), kind: Some(kind), limit: 0 };
        self.sign(Event { body: Body::AccountOpened(body), ..self.header() }, &[&self.operator])
    }

    pub fn transfer(&self, from: &str, to: &str, amount: u64) -> Submitted {
        let leg = |account: &str, side| Leg {
            account: account.into(),
            side: Some(side),
            currency: "USD".into(),
            amount,
        };
        let body = TransferPosted {
            legs: vec![leg(from, Side::Debit), leg(to, Side::Credit)],
            purpose: "TEST".into(),
            related_payment_id: Vec::new(),
        };
        self.sign(Event { body: Body::TransferPosted(body), ..self.header() }, &[&self.wallet])
    }

    /// Initiates and authorizes a payment of alice to the shop, as two events.
    pub fn authorized(&self, payment: [u8; 16], amount: u64, timeout_s: u32) -> Vec<Submitted> {
        let initiated = Event {
            payment_id: payment.to_vec(),
            body: Body::PaymentInitiated(PaymentInitiated {
                amount,
                currency: "USD".into(),
                debtor: "cust:alice".into(),
                creditor: "shop:one".into(),
                capture_mode: Some(CaptureMode::Deferred),
                clearing_account: String::new(),
            }),
            ..self.header()
        };
        let authorized = Event {
            payment_id: payment.to_vec(),
            previous_event_id: initiated.event_id.clone(),
            body: Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s }),
            ..self.header()
        };
        vec![self.sign(initiated, &[&self.wallet]), self.sign(authorized, &[&self.wallet])]
    }

    pub fn capture(&self, payment: [u8; 16], previous: &[u8], amount: u64) -> Submitted {
        let event = Event {
            payment_id: payment.to_vec(),
            previous_event_id: previous.to_vec(),
            body: Body::PaymentCaptured(PaymentCaptured {
                amount,
                final_capture: true,
                fees: Vec::new(),
                fx: None,
            }),
            ..self.header()
        };
        self.sign(event, &[&self.wallet])
    }

    /// Money that the scheme has sent back to alice already.
    pub fn returned(&self, payment: [u8; 16], previous: &[u8], amount: u64) -> Submitted {
        let event = Event {
            payment_id: payment.to_vec(),
            previous_event_id: previous.to_vec(),
            body: Body::PaymentRefunded(PaymentRefunded {
                amount,
                cause: Some(RefundCause::Return),
                reason: "RETURN".into(),
                fees: Vec::new(),
                fx: None,
            }),
            ..self.header()
        };
        self.sign(event, &[&self.wallet])
    }

    /// The header of a signed batch of these members, signed by one key.
    pub fn batch_header(&self, members: &[Submitted], by: &SigningKey) -> Submitted {
        let leaf = |member: &Submitted| leaf_hash(&dsse::message(&member.payload_type, &member.payload));
        let payload = Batch {
            ledger_id: self.ledger_id.to_vec(),
            batch_id: self.header().event_id,
            signers: vec![by.public_bytes().to_vec()],
            count: u32::try_from(members.len()).unwrap(),
            events_root: build::root(&members.iter().map(leaf).collect::<Vec<_>>()).to_vec(),
        }
        .encode();
        let signature = by.sign(&dsse::message(BATCH_TYPE, &payload)).to_vec();
        Submitted {
            payload_type: BATCH_TYPE.to_owned(),
            payload,
            signatures: vec![(by.public_bytes().to_vec(), signature)],
            sidecar: None,
        }
    }

    /// A transfer to bob with private data.
    pub fn private(&self, from: &str, metadata: &str) -> Submitted {
        let sidecar = Sidecar { salt: SALT.to_vec(), metadata: metadata.as_bytes().to_vec() };
        let transfer = Event::decode(&self.transfer(from, "cust:bob", 100).payload).unwrap();
        let event = Event { metadata_commitment: sidecar.commitment().to_vec(), ..transfer };
        Submitted { sidecar: Some(sidecar), ..self.sign(event, &[&self.wallet]) }
    }

    /// The order to erase the private data of an event.
    pub fn erasing(&self, event: &Submitted) -> Submitted {
        let body = MetadataErased { event_id: id_of(event).0.to_vec(), reason: "REQUEST".into() };
        self.sign(Event { body: Body::MetadataErased(body), ..self.header() }, &[&self.operator])
    }

    /// Events tied into one atomic group, signed by the wallet.
    pub fn group(&self, members: Vec<Submitted>) -> Vec<Submitted> {
        let events: Vec<_> = members.iter().map(|member| Event::decode(&member.payload).unwrap()).collect();
        let group = group_hash(events.iter().map(|event| event.event_id.as_slice())).to_vec();
        let tied = |event| self.sign(Event { group: group.clone(), ..event }, &[&self.wallet]);
        events.into_iter().map(tied).collect()
    }

    pub fn header(&self) -> Event {
        let number = self.next_id.get();
        self.next_id.set(number + 1);
        let now = ledger_engine::Clock::read(&*self.clock).wall_nanos;
        let mut id = [0; 16];
        id[..6].copy_from_slice(&(now / 1_000_000).to_be_bytes()[2..]);
        id[6] = 0x70;
        id[8..].copy_from_slice(&number.to_be_bytes());
        id[8] = 0x80;
        Event {
            ledger_id: self.ledger_id.to_vec(),
            event_id: id.to_vec(),
            timestamp_nanos: now,
            ..Event::default()
        }
    }

    pub fn sign(&self, mut event: Event, keys: &[&SigningKey]) -> Submitted {
        let mut keys = keys.to_vec();
        keys.sort_by_key(|key| key.public_bytes());
        event.signers = keys.iter().map(|key| key.public_bytes().to_vec()).collect();
        let payload = event.encode();
        let message = dsse::message(ledger_core::event::EVENT_TYPE, &payload);
        let signatures =
            keys.iter().map(|key| (key.public_bytes().to_vec(), key.sign(&message).to_vec())).collect();
        Submitted { payload_type: ledger_core::event::EVENT_TYPE.into(), payload, signatures, sidecar: None }
    }
}

pub fn id_of(event: &Submitted) -> EventId {
    EventId(Event::decode(&event.payload).unwrap().event_id.try_into().unwrap())
}

/// The same events as members of a batch: without signatures of their own.
pub fn unsigned(members: Vec<Submitted>) -> Vec<Submitted> {
    members.into_iter().map(|member| Submitted { signatures: Vec::new(), ..member }).collect()
}

/// The log indices of events that must all be accepted.
pub fn accepted(answers: Vec<EventAnswer>) -> Vec<u64> {
    let index = |answer: EventAnswer| match answer.answer {
        Answer::Recorded { log_index, outcome: 0, .. } => log_index.0,
        other => panic!("not accepted: {other:?}"),
    };
    answers.into_iter().map(index).collect()
}

/// Waits for a condition that other threads bring about.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
