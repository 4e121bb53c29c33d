//! A ledger in which one key may do everything; every command goes to the core and to the model.

use ledger_core::batch::Batch;
use ledger_core::event::*;
use ledger_core::number::*;
use ledger_crypto::{dsse, sha256};
use ledger_property_tests::keyring;
use ledger_property_tests::model::{Answer, Payment, SECOND};
use ledger_property_tests::pair::{CURRENCIES, Pair, START};
use ledger_property_tests::stream::{Command, Kind, Private, Sent, Signed};

pub const LARGEST: u64 = 999_999_999_999_999_999;

#[derive(Clone)]
pub struct Bench {
    pub pair: Pair,
    pub clock: u64,
    next_id: u64,
}

impl Bench {
    /// In every currency an outer world, a customer, a merchant, a rail, fees, exchange and disputes.
    pub fn new() -> Self {
        let mut bench = Self { pair: Pair::new(1), clock: START + SECOND, next_id: 1 };
        let key = keyring::key("all");
        let all = KeyRegistered { key, party: "all".to_owned(), roles: 47, prefix: String::new() };
        let mut event = bench.event(Body::KeyRegistered(all));
        event.signers.push(keyring::key("op0"));
        event.signers.sort();
        assert_eq!(bench.send(&event), 0);
        for (code, _) in CURRENCIES {
            for (name, kind) in [
                ("world", AccountKind::External),
                ("cust", AccountKind::Customer),
                ("shop", AccountKind::Merchant),
                ("rail", AccountKind::Clearing),
                ("fee", AccountKind::Fee),
                ("fx", AccountKind::Fx),
                ("dispute", AccountKind::Dispute),
            ] {
                let account = account(name, code);
                let body = AccountOpened { account, currency: code.to_owned(), kind: Some(kind), limit: 0 };
                assert_eq!(bench.post(Body::AccountOpened(body)), 0);
            }
        }
        bench
    }

    pub fn event(&mut self, body: Body) -> Event {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&(self.clock / 1_000_000).to_be_bytes()[2..]);
        (id[6], id[8]) = (0x70, 0x80);
        id[9..].copy_from_slice(&self.next_id.to_be_bytes()[1..]);
        self.next_id += 1;
        Event {
            ledger_id: self.pair.model.fixed.ledger_id.to_vec(),
            event_id: id.to_vec(),
            signers: vec![keyring::key("all")],
            timestamp_nanos: self.clock,
            body,
            ..Event::default()
        }
    }

    /// Sends an event and says its outcome, or the code with which it is turned away.
    pub fn send(&mut self, event: &Event) -> u16 {
        self.send_as(event, Signed::Good, Private::None)
    }

    pub fn send_as(&mut self, event: &Event, signed: Signed, private: Private) -> u16 {
        self.offer(Kind::Single, vec![Sent { payload: event.encode(), signed, private }]);
        match self.pair.answer.as_ref().expect("an event was offered") {
            Answer::Recorded(outcomes) => outcomes[0],
            Answer::TurnedAway { code, .. } => code.number(),
            other => panic!("{other:?}"),
        }
    }

    /// Sends events as an atomic group and says what it is answered.
    pub fn group(&mut self, mut events: Vec<Event>) -> String {
        let ids: Vec<&[u8]> = events.iter().map(|event| event.event_id.as_slice()).collect();
        let group = sha256(&[b"ledger/v1/group".as_slice(), &ids.concat()].concat()).to_vec();
        events.iter_mut().for_each(|event| event.group.clone_from(&group));
        self.offer(Kind::Group, events.iter().map(|event| Sent::good(event.encode())).collect())
    }

    /// Sends events as a signed batch and says what it is answered.
    pub fn batch(&mut self, events: &[Event]) -> String {
        let leaf = |event: &Event| ledger_merkle::leaf_hash(&dsse::message(EVENT_TYPE, &event.encode()));
        let leaves: Vec<_> = events.iter().map(leaf).collect();
        let header = Batch {
            ledger_id: self.pair.model.fixed.ledger_id.to_vec(),
            batch_id: self.event(Body::PaymentVoided(PaymentVoided::default())).event_id,
            signers: vec![keyring::key("all")],
            count: u32::try_from(events.len()).unwrap(),
            events_root: ledger_merkle::build::root(&leaves).to_vec(),
        };
        let payloads = std::iter::once(header.encode()).chain(events.iter().map(Event::encode));
        self.offer(Kind::Batch, payloads.map(Sent::good).collect())
    }

    fn offer(&mut self, kind: Kind, members: Vec<Sent>) -> String {
        let command = Command { clock: self.clock, kind, members };
        self.pair.take(&command).unwrap_or_else(|difference| panic!("{difference}"));
        self.pair.answer.as_ref().expect("an offer").to_string()
    }

    pub fn post(&mut self, body: Body) -> u16 {
        let event = self.event(body);
        self.send(&event)
    }

    /// An event of a payment at its head.
    pub fn of(&mut self, payment: &[u8], body: Body) -> u16 {
        let event = self.event_of(payment, body);
        self.send(&event)
    }

    /// The event that [`Self::of`] sends.
    pub fn event_of(&mut self, payment: &[u8], body: Body) -> Event {
        let previous_event_id = self.payment(payment).head.0.to_vec();
        let event = self.event(body);
        Event { payment_id: payment.to_vec(), previous_event_id, ..event }
    }

    /// Events of a payment, each after the one before.
    pub fn chain_of(&mut self, payment: &[u8], bodies: Vec<Body>) -> Vec<Event> {
        let mut chain: Vec<Event> = Vec::new();
        for body in bodies {
            let mut event = self.event_of(payment, body);
            if let Some(last) = chain.last() {
                event.previous_event_id.clone_from(&last.event_id);
            }
            chain.push(event);
        }
        chain
    }

    pub fn fund(&mut self, to: &str, currency: &str, amount: u64) -> u16 {
        let from = account("world", currency);
        self.post(transfer(&from, to, currency, amount))
    }

    /// A payment from the customer of one currency to the merchant of another.
    pub fn initiate(&mut self, amount: u64, from: &str, to: &str, mode: CaptureMode, rail: bool) -> Vec<u8> {
        let body = PaymentInitiated {
            amount,
            currency: from.to_owned(),
            debtor: account("cust", from),
            creditor: account("shop", to),
            capture_mode: Some(mode),
            clearing_account: if rail { account("rail", from) } else { String::new() },
        };
        let event = self.event(Body::PaymentInitiated(body));
        let payment_id = event.event_id.clone();
        assert_eq!(self.send(&Event { payment_id: payment_id.clone(), ..event }), 0);
        payment_id
    }

    /// A payment of 100 dollars that is held for 60 seconds.
    pub fn authorized(&mut self) -> Vec<u8> {
        assert_eq!(self.fund("cust:usd", "USD", 10_000), 0);
        let payment = self.initiate(10_000, "USD", "USD", CaptureMode::Deferred, false);
        let body = PaymentAuthorized { amount: 10_000, timeout_s: 60 };
        assert_eq!(self.of(&payment, Body::PaymentAuthorized(body)), 0);
        payment
    }

    pub fn payment(&self, id: &[u8]) -> Payment {
        let books = &self.pair.model.books;
        Payment::clone(&books.payments[books.payment(id).expect("a payment")])
    }
}

pub fn account(name: &str, currency: &str) -> String {
    format!("{name}:{}", currency.to_lowercase())
}

pub fn transfer(from: &str, to: &str, currency: &str, amount: u64) -> Body {
    let leg = |account: &str, side| Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: currency.to_owned(),
        amount,
    };
    let legs = vec![leg(from, Side::Debit), leg(to, Side::Credit)];
    Body::TransferPosted(TransferPosted { legs, purpose: "TEST".to_owned(), related_payment_id: Vec::new() })
}

pub fn capture(amount: u64, final_capture: bool) -> Body {
    Body::PaymentCaptured(PaymentCaptured { amount, final_capture, fees: Vec::new(), fx: None })
}

pub fn refund(amount: u64) -> Body {
    Body::PaymentRefunded(PaymentRefunded {
        amount,
        cause: Some(RefundCause::Merchant),
        reason: "TEST".to_owned(),
        fees: Vec::new(),
        fx: None,
    })
}

pub fn settle(amount: u64) -> Body {
    Body::PaymentSettled(PaymentSettled { amount, ..PaymentSettled::default() })
}

pub fn returned(amount: u64) -> Body {
    match refund(amount) {
        Body::PaymentRefunded(body) => {
            Body::PaymentRefunded(PaymentRefunded { cause: Some(RefundCause::Return), ..body })
        }
        other => other,
    }
}

/// The reversal of an event.
pub fn reversal(target_event_id: &[u8]) -> Body {
    let target_event_id = target_event_id.to_vec();
    Body::PaymentReversed(PaymentReversed { target_event_id, reason: "TEST".to_owned() })
}

pub fn chargeback(amount: u64) -> Body {
    Body::ChargebackOpened(ChargebackOpened { amount, reason: "TEST".to_owned(), fx: None })
}
