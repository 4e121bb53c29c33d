//! Properties 7 and 8: races with expiry, parts that sum to the whole.

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
fn p07_the_time_of_the_unit_decides_for_all_its_members() {
    let bodies = || vec![capture(4_000, false), capture(1_000, false), capture(5_000, true)];
    for (nanos, of_group, of_batch) in [(-1, "0,0,0", "0,0,0"), (0, "802,1001,1001", "802,712,712")] {
        for in_batch in [false, true] {
            let mut bench = Bench::new();
            let payment = bench.authorized();
            let end = bench.payment(&payment).expires_at;
            bench.clock = end.checked_add_signed(nanos).unwrap();
            let events = bench.chain_of(&payment, bodies());
            let answer = if in_batch { bench.batch(&events) } else { bench.group(events) };
            assert_eq!(answer, if in_batch { of_batch } else { of_group }, "{nanos} ns");
            // The last members stand in the log when the hold would have run out by their own time.
            assert!(bench.pair.model.history.last().unwrap().recorded_at > end);
            let status = if nanos < 0 { PaymentStatus::Settled } else { PaymentStatus::Expired };
            assert_eq!(bench.payment(&payment).state(), status, "{nanos} ns");
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
