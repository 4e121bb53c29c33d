//! A small ledger in memory: keys, accounts, and events signed on the spot.

use std::collections::BTreeMap;

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{At, Effects, ExecutedEntry, MemberOutcome, Subject, execute, expire};
use ledger_core::code::{Code, Refusal};
use ledger_core::event::*;
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::ids::{AccountIndex, EventId, LogIndex};
use ledger_core::invariants::Invariants;
use ledger_core::number::*;
use ledger_core::original::Original;
use ledger_core::posting::Posting;
use ledger_core::record::{AccountRecord, PaymentRecord};
use ledger_core::state::MemoryState;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedEvent};
use ledger_core::view::{State, StateView};
use ledger_crypto::{SigningKey, dsse};

/// 2026-01-05 09:00:00 UTC.
pub const START_NANOS: u64 = 1_767_603_600_000_000_000;

pub const PAYMENT: [u8; 16] = [0xaa; 16];

#[derive(Clone)]
pub struct World {
    pub state: MemoryState,
    pub now_nanos: u64,
    pub next_index: u64,
    pub next_id: u64,
    /// Every event in the log, its index and what it posted.
    pub logged: Vec<(u64, Event, Vec<Posting>)>,
    /// Checked with every entry.
    pub invariants: Invariants,
    /// Accounts that are not opened, and steps that are left out.
    pub without: Vec<&'static str>,
    /// Attempts that came to nothing.
    pub failures: usize,
}

/// What became of a submission.
#[derive(Debug)]
pub enum Answer {
    Rejected(Refusal),
    Known,
    Recorded(Vec<MemberOutcome>),
}

impl Answer {
    /// The code of a single event; `None` accepted.
    pub fn code(&self) -> Option<Code> {
        self.refusal().map(|refusal| refusal.code)
    }

    /// Why a single event was not accepted.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Rejected(refusal) => Some(refusal.clone()),
            Self::Known => panic!("known already"),
            Self::Recorded(outcomes) => outcomes[0].refusal.clone(),
        }
    }
}

pub fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(ledger_crypto::sha256(name.as_bytes()))
}

pub fn public(name: &str) -> Vec<u8> {
    key(name).public_bytes().to_vec()
}

/// Signs for all these keys, in any order.
pub fn sign(event: &Event, by: &[&str]) -> Submitted {
    let payload = event.encode();
    let message = dsse::message(EVENT_TYPE, &payload);
    let signature = |name: &&str| (public(name), key(name).sign(&message).to_vec());
    Submitted {
        payload_type: EVENT_TYPE.to_owned(),
        signatures: by.iter().map(signature).collect(),
        payload,
        sidecar: None,
    }
}

pub fn sorted_keys(by: &[&str]) -> Vec<Vec<u8>> {
    let mut keys: Vec<_> = by.iter().map(|name| public(name)).collect();
    keys.sort();
    keys
}

impl World {
    /// Two operators of which one signs alone, and the keys and accounts below.
    pub fn new() -> Self {
        Self::without(&[])
    }

    /// The same without some of the accounts.
    pub fn without(without: &[&'static str]) -> Self {
        let mut operators: Vec<_> = ["op1", "op2"]
            .iter()
            .map(|name| Operator { key: public(name), party: (*name).to_owned() })
            .collect();
        operators.sort_by(|a, b| a.key.cmp(&b.key));
        let currency = |code: &str, exponent| Currency { code: code.to_owned(), exponent };
        let genesis = Genesis {
            origin: "ledger.example/test".to_owned(),
            log_key: public("log"),
            operators,
            operator_threshold: 1,
            currencies: vec![currency("EUR", 2), currency("JPY", 0), currency("USD", 2)],
            rules_version: 1,
            limits: Some(Limits { group_members: 4, batch_members: 10 }),
            nonce: vec![7; 32],
            predecessor: Vec::new(),
        };
        let (constants, _) = Genesis::from_entry(&genesis.to_entry(START_NANOS)).unwrap();
        let mut world = Self {
            state: MemoryState::new(constants),
            now_nanos: START_NANOS,
            next_index: 2,
            next_id: 1,
            logged: Vec::new(),
            invariants: Invariants::default(),
            without: without.to_vec(),
            failures: 0,
        };
        world.furnish();
        world
    }

    fn furnish(&mut self) {
        let roles = |list: &[Roles]| list.iter().map(|role| u32::from(role.0)).sum::<u32>();
        for (name, roles, prefix) in [
            ("wallet", roles(&[Roles::INITIATOR]), "cust:"),
            ("acquirer", roles(&[Roles::PROCESSOR]), ""),
            ("regional", roles(&[Roles::PROCESSOR, Roles::OWNER]), "north:"),
            ("shop", roles(&[Roles::OWNER]), "shop:"),
            ("desk", roles(&[Roles::OPERATOR]), "cust:"),
            ("anyone", roles(&[Roles::INITIATOR]), ""),
            ("importer", roles(&[Roles::OPERATOR, Roles::IMPORTER]), ""),
            ("gone", roles(&[Roles::OPERATOR]), ""),
        ] {
            let body =
                KeyRegistered { key: public(name), party: name.to_owned(), roles, prefix: prefix.to_owned() };
            self.accept(Body::KeyRegistered(body), &["op1", name]);
        }
        self.accept(Body::KeyRevoked(KeyRevoked { key: public("gone"), reason: String::new() }), &["op1"]);
        for (account, currency, kind, limit) in [
            ("world:usd", "USD", AccountKind::External, 0),
            ("world:eur", "EUR", AccountKind::External, 0),
            ("cust:alice", "USD", AccountKind::Customer, 0),
            ("cust:bob", "USD", AccountKind::Customer, 500),
            ("cust:euro", "EUR", AccountKind::Customer, 0),
            ("shop:m1", "USD", AccountKind::Merchant, 0),
            ("shop:eur", "EUR", AccountKind::Merchant, 0),
            ("shop:jpy", "JPY", AccountKind::Merchant, 0),
            ("fee:usd", "USD", AccountKind::Fee, 0),
            ("fee:eur", "EUR", AccountKind::Fee, 0),
            ("rail:usd", "USD", AccountKind::Clearing, 0),
            ("rail:eur", "EUR", AccountKind::Clearing, 0),
            ("fx:usd", "USD", AccountKind::Fx, 0),
            ("fx:eur", "EUR", AccountKind::Fx, 0),
            ("bank:usd", "USD", AccountKind::Cash, 100),
        ] {
            self.open_with_limit(account, currency, kind, limit);
        }
        self.accept(transfer("world:usd", "cust:alice", "USD", 100_000), &["op1"]);
        self.accept(transfer("world:eur", "cust:euro", "EUR", 100_000), &["op1"]);
    }

    pub fn new_id(&mut self) -> Vec<u8> {
        let milli = self.now_nanos / 1_000_000;
        let mut id = [0; 16];
        id[..6].copy_from_slice(&milli.to_be_bytes()[2..]);
        id[6] = 0x70;
        id[8..].copy_from_slice(&self.next_id.to_be_bytes());
        id[8] = 0x80;
        self.next_id += 1;
        id.to_vec()
    }

    /// An event whose header is right.
    pub fn event(&mut self, body: Body, by: &[&str]) -> Event {
        Event {
            ledger_id: self.state.constants().ledger_id.to_vec(),
            event_id: self.new_id(),
            signers: sorted_keys(by),
            timestamp_nanos: self.now_nanos,
            body,
            ..Event::default()
        }
    }

    /// The same of a payment, at its head.
    pub fn event_of(&mut self, payment: [u8; 16], body: Body, by: &[&str]) -> Event {
        let head = self.payment(payment).map(|record| record.head.0.to_vec()).unwrap_or_default();
        Event { payment_id: payment.to_vec(), previous_event_id: head, ..self.event(body, by) }
    }

    pub fn submit(&mut self, submitted: Submitted) -> Answer {
        match SignedEvent::decode(submitted) {
            Err(refusal) => Answer::Rejected(refusal),
            Ok(signed) => {
                let member = VerifiedEvent::verify(signed, |_| None);
                self.submit_unit(&Unit::single(member))
            }
        }
    }

    /// Decides a unit one nanosecond later, with everything due before it.
    pub fn submit_unit(&mut self, unit: &Unit) -> Answer {
        self.expire_due();
        self.now_nanos += 1;
        let t_nanos = self.now_nanos;
        match admit(&self.state, unit, self.now_nanos).unwrap() {
            Admission::Rejected { refusal, .. } | Admission::BatchRejected(refusal) => {
                return Answer::Rejected(refusal);
            }
            Admission::Known(_) => return Answer::Known,
            Admission::Admitted => {}
        }
        if let Some(header) = unit.header() {
            self.absorb(0, Subject::Batch { batch_id: header.batch_id().unwrap() }, &Effects::default());
        }
        let mut decided = Vec::new();
        for run in unit.runs() {
            self.now_nanos += u64::from(!decided.is_empty());
            let (log_index, recorded_at_nanos) = (LogIndex(self.next_index), self.now_nanos);
            let outcomes = execute(&self.state, run, At { t_nanos, log_index, recorded_at_nanos }).unwrap();
            for (at_nanos, (member, outcome)) in (recorded_at_nanos..).zip(run.iter().zip(&outcomes)) {
                self.now_nanos = at_nanos;
                let signed = member.signed();
                let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
                self.absorb(outcome.number(), subject, &outcome.effects);
            }
            decided.extend(outcomes);
        }
        Answer::Recorded(decided)
    }

    pub fn expire_due(&mut self) -> usize {
        let mut count = 0;
        while let Some((_, payment)) = self.state.next_due(self.now_nanos + 1).unwrap() {
            self.now_nanos += 1;
            let at = At {
                t_nanos: self.now_nanos,
                log_index: LogIndex(self.next_index),
                recorded_at_nanos: self.now_nanos,
            };
            let payment_id = self.state.payment(payment).unwrap().id;
            let effects = expire(&self.state, payment, at).unwrap();
            self.absorb(0, Subject::Expiry { payment_id }, &effects);
            count += 1;
        }
        count
    }

    fn absorb(&mut self, outcome: u16, subject: Subject<'_>, effects: &Effects) {
        let log_index = LogIndex(self.next_index);
        let recorded_at_nanos = self.now_nanos;
        if let Subject::Event { event, .. } = subject {
            self.logged.push((log_index.0, event.clone(), effects.postings.clone()));
        }
        let t_nanos = recorded_at_nanos;
        let executed = ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome, subject, effects };
        self.invariants.check_entry(&self.state, &executed).unwrap();
        self.state.absorb(&executed);
        self.check_original(subject, outcome);
        self.next_index += 1;
    }

    /// What a later event may ask of this one is the same from its entry as from what was just decided.
    fn check_original(&self, subject: Subject<'_>, outcome: u16) {
        let Subject::Event { event, .. } = subject else { return };
        let id = EventId(event.event_id.as_slice().try_into().unwrap());
        let kept = self.state.original(&id).unwrap().unwrap();
        assert_eq!(Original::read(&self.state, event, outcome).unwrap(), *kept, "{event:?}");
    }

    /// Id of the event at a log index.
    pub fn event_at(&self, log_index: u64) -> Vec<u8> {
        let at = |(index, event, _): &(u64, Event, _)| (*index == log_index).then(|| event.event_id.clone());
        self.logged.iter().find_map(at).unwrap()
    }

    fn logged(&self, id: &[u8]) -> &(u64, Event, Vec<Posting>) {
        self.logged.iter().find(|(_, event, _)| event.event_id == id).unwrap()
    }

    /// Which event a logged one names as the one before it.
    pub fn previous_of(&self, id: &[u8]) -> Vec<u8> {
        self.logged(id).1.previous_event_id.clone()
    }

    /// What an event posted on the posted layer.
    pub fn posted_by(&self, id: &[u8]) -> Vec<Posting> {
        let postings = self.logged(id).2.iter().copied();
        postings.filter(|posting| posting.layer == Layer::Posted).collect()
    }

    /// Closes the periods up to a day.
    pub fn close_period(&mut self, through: u32) {
        self.accept(Body::PeriodClosed(PeriodClosed { through }), &["op1"]);
    }

    pub fn open(&mut self, account: &str, currency: &str, kind: AccountKind) {
        self.open_with_limit(account, currency, kind, 0);
    }

    fn open_with_limit(&mut self, account: &str, currency: &str, kind: AccountKind, limit: u64) {
        if self.lacks(account) {
            return;
        }
        let (account, currency) = (account.to_owned(), currency.to_owned());
        let body = AccountOpened { account, currency, kind: Some(kind), limit };
        self.accept(Body::AccountOpened(body), &["op1"]);
    }

    /// Whether this is a world without an account or a step.
    pub fn lacks(&self, what: &str) -> bool {
        self.without.contains(&what)
    }

    /// Submits an event that may be refused.
    pub fn attempt(&mut self, event: &Event, by: &[&str]) {
        if self.submit(sign(event, by)).code().is_some() {
            self.failures += 1;
        }
    }

    pub fn accept(&mut self, body: Body, by: &[&str]) -> Vec<u8> {
        let event = self.event(body, by);
        self.accept_event(&event, by)
    }

    pub fn accept_event(&mut self, event: &Event, by: &[&str]) -> Vec<u8> {
        let answer = self.submit(sign(event, by));
        assert_eq!(answer.code(), None, "{answer:?}");
        event.event_id.clone()
    }

    /// Initiates a payment of 100.00 from one account to another.
    pub fn initiate(
        &mut self,
        payment: [u8; 16],
        debtor: &str,
        creditor: &str,
        mode: CaptureMode,
        rail: &str,
    ) {
        let mut body = initiation(debtor, creditor, rail);
        if let Body::PaymentInitiated(body) = &mut body {
            body.currency = self.account(debtor).currency.to_string();
            body.capture_mode = Some(mode);
        }
        let mut event = self.event(body, &["wallet"]);
        event.payment_id = payment.to_vec();
        self.accept_event(&event, &["wallet"]);
    }

    pub fn advance(&mut self, payment: [u8; 16], body: Body) {
        let event = self.event_of(payment, body, &["acquirer"]);
        self.accept_event(&event, &["acquirer"]);
    }

    /// Place of an account that is open or closed.
    pub fn index_of(&self, id: &str) -> Option<AccountIndex> {
        self.state.account_index(id).unwrap()
    }

    pub fn account(&self, id: &str) -> AccountRecord {
        let index = self.index_of(id).unwrap();
        AccountRecord::clone(&self.state.account(index).unwrap())
    }

    pub fn payment(&self, id: [u8; 16]) -> Option<PaymentRecord> {
        let index = self.state.payment_index(&ledger_core::ids::PaymentId(id)).unwrap()?;
        Some(PaymentRecord::clone(&self.state.payment(index).unwrap()))
    }

    pub fn change_status(&mut self, account: &str, status: AccountStatus) {
        let body = AccountStatusChanged {
            account: account.to_owned(),
            status: Some(status),
            reason: "TEST".to_owned(),
        };
        self.accept(Body::AccountStatusChanged(body), &["op1"]);
    }

    /// Every record, to see that a refusal changed none.
    pub fn records(&self) -> BTreeMap<String, Vec<u8>> {
        let accounts =
            self.state.accounts().iter().map(|record| (format!("a{}", record.id), record.encode()));
        let payments =
            self.state.payments().iter().map(|record| (format!("p{}", record.id), record.encode()));
        let keys =
            self.state.keys().iter().map(|record| (format!("k{}", hex::encode(record.key)), record.encode()));
        accounts.chain(payments).chain(keys).collect()
    }
}

pub fn leg(account: &str, side: Side, currency: &str, amount: u64) -> Leg {
    Leg { account: account.to_owned(), side: Some(side), currency: currency.to_owned(), amount }
}

pub fn transfer(from: &str, to: &str, currency: &str, amount: u64) -> Body {
    Body::TransferPosted(TransferPosted {
        legs: vec![leg(from, Side::Debit, currency, amount), leg(to, Side::Credit, currency, amount)],
        purpose: "TEST".to_owned(),
        related_payment_id: Vec::new(),
    })
}

/// 100.00 USD, to be authorized first.
pub fn initiation(debtor: &str, creditor: &str, rail: &str) -> Body {
    Body::PaymentInitiated(PaymentInitiated {
        amount: 10_000,
        currency: "USD".to_owned(),
        debtor: debtor.to_owned(),
        creditor: creditor.to_owned(),
        capture_mode: Some(CaptureMode::Deferred),
        clearing_account: rail.to_owned(),
    })
}

pub fn authorize(amount: u64, timeout_s: u32) -> Body {
    Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s })
}

pub fn capture(amount: u64, final_capture: bool) -> Body {
    Body::PaymentCaptured(PaymentCaptured { amount, final_capture, fees: Vec::new(), fx: None })
}

pub fn reject() -> Body {
    Body::PaymentRejected(PaymentRejected { reason: "TEST".to_owned() })
}

pub fn void() -> Body {
    Body::PaymentVoided(PaymentVoided { reason: "TEST".to_owned() })
}

pub fn increase(amount: u64) -> Body {
    Body::AuthorizationIncreased(AuthorizationIncreased { amount })
}

pub fn reduce(amount: u64) -> Body {
    Body::AuthorizationReduced(AuthorizationReduced { amount })
}

pub fn settle(amount: u64, fx: Option<Fx>) -> Body {
    Body::PaymentSettled(PaymentSettled { amount, settlement_ref: String::new(), fx })
}

pub fn charge_back(amount: u64, fx: Option<Fx>) -> Body {
    Body::ChargebackOpened(ChargebackOpened { amount, reason: "TEST".to_owned(), fx })
}

pub fn resolve(amount: u64, result: ChargebackResult, fx: Option<Fx>) -> Body {
    Body::ChargebackResolved(ChargebackResolved { amount, result: Some(result), fx })
}

pub fn reverse(target: &[u8]) -> Body {
    let (target_event_id, reason) = (target.to_vec(), "TEST".to_owned());
    Body::PaymentReversed(PaymentReversed { target_event_id, reason })
}

pub fn refund(amount: u64, cause: RefundCause) -> Body {
    Body::PaymentRefunded(PaymentRefunded {
        amount,
        cause: Some(cause),
        reason: "TEST".to_owned(),
        fees: Vec::new(),
        fx: None,
    })
}

pub fn fee(payer: Payer, account: &str, currency: &str, amount: u64) -> Fee {
    Fee { payer: Some(payer), account: account.to_owned(), currency: currency.to_owned(), amount }
}

/// A conversion, rounded down.
pub fn fx(counter_currency: &str, counter_amount: u64, rate_mantissa: u64, rate_scale: u32) -> Fx {
    Fx {
        counter_currency: counter_currency.to_owned(),
        counter_amount,
        rate_mantissa,
        rate_scale,
        rounding: Some(Rounding::Floor),
        quote_ref: String::new(),
    }
}
