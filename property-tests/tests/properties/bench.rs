//! A ledger in which one key may do everything; every command goes to the core and to the model.

use ledger_core::event::*;
use ledger_core::number::*;
use ledger_property_tests::keyring;
use ledger_property_tests::model::{Answer, Payment, SECOND};
use ledger_property_tests::pair::{CURRENCIES, Pair, START};
use ledger_property_tests::stream::{Command, Kind, Sent, Signed};

pub const LARGEST: u64 = 999_999_999_999_999_999;

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
        self.send_as(event, Signed::Good)
    }

    pub fn send_as(&mut self, event: &Event, signed: Signed) -> u16 {
        let members = vec![Sent { signed, ..Sent::good(event.encode()) }];
        let command = Command { clock: self.clock, kind: Kind::Single, members };
        self.pair.take(&command).unwrap_or_else(|difference| panic!("{difference}"));
        match self.pair.answer.as_ref().expect("an event was offered") {
            Answer::Recorded(outcomes) => outcomes[0],
            Answer::TurnedAway { code, .. } => code.number(),
            other => panic!("{other:?}"),
        }
    }

    pub fn post(&mut self, body: Body) -> u16 {
        let event = self.event(body);
        self.send(&event)
    }

    /// An event of a payment at its head.
    pub fn of(&mut self, payment: &[u8], body: Body) -> u16 {
        let previous_event_id = self.payment(payment).head.0.to_vec();
        let event = self.event(body);
        self.send(&Event { payment_id: payment.to_vec(), previous_event_id, ..event })
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

pub fn chargeback(amount: u64) -> Body {
    Body::ChargebackOpened(ChargebackOpened { amount, reason: "TEST".to_owned(), fx: None })
}
