//! A ledger with something for every event to be about, and something wrong to point at.

use ledger_core::event::*;
use ledger_core::number::*;
use ledger_property_tests::keyring;
use ledger_property_tests::model::SECOND;

use crate::bench::*;

/// The ledger, and what stands in it.
#[derive(Clone)]
pub struct Stage {
    pub bench: Bench,
    /// Payments from dollars to euros of 100.00 each: initiated; the same of one who has nothing, and of a frozen one;
    /// to be captured at once; held; run out; captured on the rail; captured; captured and half disputed; captured and
    /// that reversed.
    pub fresh: Vec<u8>,
    pub fresh_poor: Vec<u8>,
    pub fresh_frozen: Vec<u8>,
    pub immediate: Vec<u8>,
    pub held: Vec<u8>,
    pub expired: Vec<u8>,
    pub railed: Vec<u8>,
    pub sold: Vec<u8>,
    pub disputed: Vec<u8>,
    pub undone: Vec<u8>,
    /// A transfer with a commitment.
    pub committed: Vec<u8>,
}

impl Stage {
    pub fn new() -> Self {
        let mut bench = Bench::new();
        for (name, roles, prefix) in [("gone", 8, ""), ("auditor", 32, ""), ("regional", 43, "north:")] {
            register(&mut bench, keyring::key(name), roles, prefix);
        }
        register(&mut bench, keyring::spare(0), 1, "");
        let gone = KeyRevoked { key: keyring::key("gone"), reason: String::new() };
        assert_eq!(bench.post(Body::KeyRevoked(gone)), 0);
        for (account, limit) in [("poor:usd", 0), ("frozen:usd", 0), ("closed:usd", 0), ("debt:usd", 100)] {
            let (account, currency) = (account.to_owned(), "USD".to_owned());
            let kind = Some(AccountKind::Customer);
            assert_eq!(bench.post(Body::AccountOpened(AccountOpened { account, currency, kind, limit })), 0);
        }
        for (account, status) in
            [("frozen:usd", AccountStatus::DebitFrozen), ("closed:usd", AccountStatus::Closed)]
        {
            let (account, reason) = (account.to_owned(), "TEST".to_owned());
            let body = AccountStatusChanged { account, status: Some(status), reason };
            assert_eq!(bench.post(Body::AccountStatusChanged(body)), 0);
        }
        assert_eq!(bench.post(Body::PeriodClosed(PeriodClosed { through: 20_250_101 })), 0);
        assert_eq!(bench.fund("cust:usd", "USD", 1_000_000), 0);
        assert_eq!(bench.post(transfer("debt:usd", "cust:usd", "USD", 50)), 0);
        let mut event = bench.event(transfer("world:usd", "cust:usd", "USD", 5));
        (event.metadata_commitment, event.external_ref) = (vec![9; 32], "TAKEN".to_owned());
        assert_eq!(bench.send(&event), 0);
        let committed = event.event_id;

        let (deferred, at_once) = (CaptureMode::Deferred, CaptureMode::Immediate);
        let expired = authorized(&mut bench, 1);
        bench.clock += 2 * SECOND;
        let [fresh, fresh_poor, fresh_frozen] = ["cust:usd", "poor:usd", "frozen:usd"].map(|debtor| {
            let event = bench.event(initiation(debtor, deferred));
            let payment_id = event.event_id.clone();
            assert_eq!(bench.send(&Event { payment_id: payment_id.clone(), ..event }), 0);
            payment_id
        });
        let immediate = bench.initiate(10_000, "USD", "EUR", at_once, false);
        let held = authorized(&mut bench, 86_400);
        let railed = bench.initiate(10_000, "USD", "EUR", at_once, true);
        assert_eq!(bench.of(&railed, capture(10_000, true)), 0);
        let [sold, disputed, undone] = [0; 3].map(|_| {
            let payment = bench.initiate(10_000, "USD", "EUR", at_once, false);
            let fx = Some(fx(10_000));
            let body = PaymentCaptured { amount: 10_000, final_capture: true, fees: Vec::new(), fx };
            assert_eq!(bench.of(&payment, Body::PaymentCaptured(body)), 0);
            payment
        });
        let body = ChargebackOpened { amount: 5_000, reason: "TEST".to_owned(), fx: Some(fx(5_000)) };
        assert_eq!(bench.of(&disputed, Body::ChargebackOpened(body)), 0);
        let captured = bench.payment(&undone).head.0;
        assert_eq!(bench.of(&undone, reversal(&captured)), 0);
        Self {
            bench,
            fresh,
            fresh_poor,
            fresh_frozen,
            immediate,
            held,
            expired,
            railed,
            sold,
            disputed,
            undone,
            committed,
        }
    }

    /// Head of a payment.
    pub fn head(&self, payment: &[u8]) -> Vec<u8> {
        self.bench.payment(payment).head.0.to_vec()
    }

    /// The capture of a payment that was captured at once.
    pub fn captured(&self, payment: &[u8]) -> Vec<u8> {
        let of = |event: &&Event| event.payment_id == payment && event.body.number() == 6;
        let mut events = self.bench.pair.model.history.iter().filter_map(|entry| entry.accepted_event());
        events.find(of).expect("captured").event_id.clone()
    }
}

fn register(bench: &mut Bench, key: Vec<u8>, roles: u32, prefix: &str) {
    let (party, prefix) = ("somebody".to_owned(), prefix.to_owned());
    let mut event =
        bench.event(Body::KeyRegistered(KeyRegistered { key: key.clone(), party, roles, prefix }));
    event.signers.push(key);
    event.signers.sort();
    assert_eq!(bench.send(&event), 0);
}

fn authorized(bench: &mut Bench, timeout_s: u32) -> Vec<u8> {
    let payment = bench.initiate(10_000, "USD", "EUR", CaptureMode::Deferred, false);
    let body = PaymentAuthorized { amount: 10_000, timeout_s };
    assert_eq!(bench.of(&payment, Body::PaymentAuthorized(body)), 0);
    payment
}

/// Of 100.00 dollars to the merchant of euros.
fn initiation(debtor: &str, mode: CaptureMode) -> Body {
    Body::PaymentInitiated(PaymentInitiated {
        amount: 10_000,
        currency: "USD".to_owned(),
        debtor: debtor.to_owned(),
        creditor: "shop:eur".to_owned(),
        capture_mode: Some(mode),
        clearing_account: String::new(),
    })
}

/// One euro for a dollar.
pub fn fx(counter_amount: u64) -> Fx {
    Fx {
        counter_currency: "EUR".to_owned(),
        counter_amount,
        rate_mantissa: 1,
        rounding: Some(Rounding::Floor),
        ..Fx::default()
    }
}
