//! Property 12: the largest amount again and again.

use ledger_core::event::*;
use ledger_core::number::*;

use crate::bench::*;

#[test]
fn p12_the_largest_amount_again_and_again() {
    let mut bench = Bench::new();
    for _ in 0..40 {
        assert_eq!(bench.fund("cust:usd", "USD", LARGEST), 0);
        assert_eq!(bench.fund("cust:usd", "USD", LARGEST + 1), 607);
    }
    for round in 0..10 {
        let payment = bench.initiate(LARGEST, "USD", "USD", CaptureMode::Immediate, round % 2 == 0);
        assert_eq!(bench.of(&payment, capture(LARGEST, true)), 0);
        if round % 2 == 0 {
            let settled = PaymentSettled { amount: LARGEST, ..PaymentSettled::default() };
            assert_eq!(bench.of(&payment, Body::PaymentSettled(settled)), 0);
        }
        assert_eq!(bench.of(&payment, refund(LARGEST)), 0);
    }
    let books = &bench.pair.model.books;
    let customer = &books.accounts[books.account("cust:usd").unwrap()];
    assert_eq!(customer.posted_cr, 50 * i128::from(LARGEST));
    assert_eq!(customer.posted_dr, 10 * i128::from(LARGEST));
    bench.pair.full().unwrap();
}

#[test]
fn p12_holds_of_the_largest_amount_grow_without_a_bound() {
    let mut bench = Bench::new();
    let increase = |amount| Body::AuthorizationIncreased(AuthorizationIncreased { amount });
    let reduce = |amount| Body::AuthorizationReduced(AuthorizationReduced { amount });
    for _ in 0..21 {
        assert_eq!(bench.fund("cust:usd", "USD", LARGEST), 0);
    }
    for (creditor, rail) in [("USD", false), ("USD", true), ("EUR", false)] {
        let payment = bench.initiate(LARGEST, "USD", creditor, CaptureMode::Deferred, rail);
        let authorized = PaymentAuthorized { amount: LARGEST, timeout_s: 31_536_000 };
        assert_eq!(bench.of(&payment, Body::PaymentAuthorized(authorized)), 0);
        for _ in 0..20 {
            assert_eq!(bench.of(&payment, increase(LARGEST + 1)), 607);
            assert_eq!(bench.of(&payment, increase(LARGEST)), 0);
        }
        assert_eq!(bench.of(&payment, increase(1)), 904, "everything is held");
        assert_eq!(bench.payment(&payment).held(), 21 * i128::from(LARGEST));
        for _ in 0..10 {
            assert_eq!(bench.of(&payment, reduce(LARGEST)), 0);
        }
        let voided = PaymentVoided { reason: "TEST".to_owned() };
        assert_eq!(bench.of(&payment, Body::PaymentVoided(voided)), 0);
    }
    let payment = bench.initiate(LARGEST, "USD", "USD", CaptureMode::Deferred, false);
    let authorized = PaymentAuthorized { amount: LARGEST, timeout_s: 60 };
    assert_eq!(bench.of(&payment, Body::PaymentAuthorized(authorized)), 0);
    assert_eq!(bench.of(&payment, increase(LARGEST)), 0);
    for part in [LARGEST, LARGEST - 1, 1] {
        assert_eq!(bench.of(&payment, capture(part, false)), 0);
    }
    for _ in 0..2 {
        assert_eq!(bench.of(&payment, chargeback(LARGEST)), 0);
    }
    let resolved = |result| ChargebackResolved { amount: LARGEST, result: Some(result), fx: None };
    assert_eq!(bench.of(&payment, Body::ChargebackResolved(resolved(ChargebackResult::Won))), 0);
    assert_eq!(bench.of(&payment, Body::ChargebackResolved(resolved(ChargebackResult::Lost))), 0);
    let whole = 2 * i128::from(LARGEST);
    let lost = i128::from(LARGEST);
    assert_eq!(bench.payment(&payment).counters(), [whole, whole, 0, whole, 0, 0, lost]);
    bench.pair.full().unwrap();
}

#[test]
fn p12_limits_of_the_largest_amount() {
    let mut bench = Bench::new();
    let limit = |account: &str, limit| {
        Body::AccountLimitChanged(AccountLimitChanged { account: account.to_owned(), limit })
    };
    assert_eq!(bench.post(limit("cust:usd", LARGEST + 1)), 607);
    assert_eq!(bench.post(limit("cust:usd", LARGEST)), 0);
    assert_eq!(bench.post(transfer("cust:usd", "shop:usd", "USD", LARGEST)), 0, "on credit");
    assert_eq!(bench.post(transfer("cust:usd", "shop:usd", "USD", 1)), 904);
    assert_eq!(bench.post(limit("cust:usd", LARGEST - 1)), 904);
    assert_eq!(bench.fund("cust:usd", "USD", LARGEST), 0);
    let payment = bench.initiate(LARGEST, "USD", "USD", CaptureMode::Deferred, false);
    let authorized = PaymentAuthorized { amount: LARGEST, timeout_s: 60 };
    assert_eq!(bench.of(&payment, Body::PaymentAuthorized(authorized)), 0);
    assert_eq!(bench.of(&payment, Body::AuthorizationIncreased(AuthorizationIncreased { amount: 1 })), 904);
    assert_eq!(bench.post(limit("cust:usd", LARGEST - 1)), 904);
    bench.pair.full().unwrap();
}

#[test]
fn p12_64_legs_sum_to_the_largest_amount_and_not_one_unit_more() {
    let mut bench = Bench::new();
    let legs = |last: u64| {
        let leg = |account: &str, side, amount| Leg {
            account: account.to_owned(),
            side: Some(side),
            currency: "USD".to_owned(),
            amount,
        };
        let part = LARGEST / 32;
        let amounts = std::iter::repeat_n(part, 31).chain([last - 31 * part]);
        amounts
            .flat_map(|of| [leg("world:usd", Side::Debit, of), leg("cust:usd", Side::Credit, of)])
            .collect()
    };
    let event = |last| {
        let (purpose, related_payment_id) = ("TEST".to_owned(), Vec::new());
        Body::TransferPosted(TransferPosted { legs: legs(last), purpose, related_payment_id })
    };
    for _ in 0..5 {
        assert_eq!(bench.post(event(LARGEST + 1)), 607);
        assert_eq!(bench.post(event(LARGEST)), 0);
    }
    let books = &bench.pair.model.books;
    let customer = &books.accounts[books.account("cust:usd").unwrap()];
    assert_eq!((customer.posted_cr, customer.line_count), (5 * i128::from(LARGEST), 160));
    bench.pair.full().unwrap();
}
