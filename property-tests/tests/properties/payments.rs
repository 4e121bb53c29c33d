//! Properties 7, 8, 9 and 12: races with expiry, parts that sum to the whole, refunds against chargebacks, the largest
//! amounts.

use ledger_core::event::*;
use ledger_core::number::*;
use ledger_property_tests::dice::Dice;
use ledger_property_tests::model::What;

use crate::bench::*;

#[test]
fn p07_at_its_end_a_hold_is_gone_and_a_nanosecond_before_it_is_not() {
    type Make = fn() -> Body;
    let bodies: [Make; 4] = [
        || capture(10_000, false),
        || Body::PaymentVoided(PaymentVoided { reason: "TEST".to_owned() }),
        || Body::AuthorizationIncreased(AuthorizationIncreased { amount: 1 }),
        || Body::AuthorizationReduced(AuthorizationReduced { amount: 1 }),
    ];
    for body in bodies {
        for (nanos, outcome) in [(-1, 0), (0, 802), (1, 802)] {
            let mut bench = Bench::new();
            let payment = bench.authorized();
            if matches!(body(), Body::AuthorizationIncreased(_)) {
                bench.fund("cust:usd", "USD", 1);
            }
            let end = bench.payment(&payment).expires_at;
            bench.clock = end.checked_add_signed(nanos).unwrap();
            let size = bench.pair.model.history.len();
            assert_eq!(bench.of(&payment, body()), outcome, "{nanos} ns, {}", body().name());
            let first = &bench.pair.model.history[size];
            assert_eq!(matches!(first.what, What::Expiry), outcome == 802, "{nanos} ns");
            let status = bench.payment(&payment).state();
            assert_eq!(status == PaymentStatus::Expired, outcome == 802, "{nanos} ns");
            bench.pair.full().unwrap();
        }
    }
}

#[test]
fn p08_partial_captures_sum_to_the_authorized_amount_and_not_one_unit_more() {
    let mut dice = Dice::new(8);
    for _ in 0..20 {
        let mut bench = Bench::new();
        let payment = bench.authorized();
        let mut left = 10_000;
        while left > 1 {
            assert_eq!(bench.of(&payment, capture(left + 1, false)), 805);
            let part = dice.between(1, left - 1);
            assert_eq!(bench.of(&payment, capture(part, false)), 0);
            left -= part;
        }
        assert_eq!(bench.of(&payment, capture(2, true)), 805);
        assert_eq!(bench.of(&payment, capture(1, dice.once_in(2))), 0);
        assert_eq!(bench.of(&payment, capture(1, true)), 805, "nothing is held");
        assert_eq!(bench.payment(&payment).counters(), [10_000, 10_000, 0, 10_000, 0, 0, 0]);
        assert_eq!(bench.payment(&payment).state(), PaymentStatus::Settled);
        bench.pair.full().unwrap();
    }
}

#[test]
fn p09_refunds_and_chargebacks_together_never_pass_what_was_settled() {
    let mut dice = Dice::new(9);
    for _ in 0..20 {
        let mut bench = Bench::new();
        let payment = bench.authorized();
        assert_eq!(bench.of(&payment, capture(10_000, true)), 0);
        loop {
            let left = u64::try_from(bench.payment(&payment).left_to_return()).unwrap();
            assert_eq!(bench.of(&payment, refund(left + 1)), 808);
            assert_eq!(bench.of(&payment, chargeback(left + 1)), 809);
            if left == 0 {
                break;
            }
            let part = dice.between(1, left);
            let body = if dice.once_in(2) { refund(part) } else { chargeback(part) };
            assert_eq!(bench.of(&payment, body), 0);
            let disputed = u64::try_from(bench.payment(&payment).disp).unwrap();
            if disputed > 0 && dice.once_in(2) {
                let result = Some(dice.pick(&[ChargebackResult::Won, ChargebackResult::Lost]));
                let amount = dice.between(1, disputed);
                let resolved =
                    |amount| Body::ChargebackResolved(ChargebackResolved { amount, result, fx: None });
                assert_eq!(bench.of(&payment, resolved(disputed + 1)), 810);
                assert_eq!(bench.of(&payment, resolved(amount)), 0);
            }
        }
        bench.pair.full().unwrap();
    }
}

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
