//! Property 9: refunds and chargebacks race for what was settled.

use ledger_core::event::*;
use ledger_core::number::*;
use ledger_property_tests::dice::Dice;

use crate::bench::*;

/// An event of an amount.
type Make = fn(u64) -> Body;

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

/// A payment of 100 dollars, captured whole; on the rail nothing is settled yet.
fn captured(rail: bool) -> (Bench, Vec<u8>) {
    let mut bench = Bench::new();
    assert_eq!(bench.fund("cust:usd", "USD", 10_000), 0);
    let payment = bench.initiate(10_000, "USD", "USD", CaptureMode::Immediate, rail);
    assert_eq!(bench.of(&payment, capture(10_000, true)), 0);
    (bench, payment)
}

#[test]
fn p09_of_two_events_after_the_same_one_the_second_is_refused_whatever_it_asks() {
    let pairs: [[Make; 2]; 4] =
        [[refund, chargeback], [chargeback, refund], [refund, refund], [returned, chargeback]];
    for [one, other] in pairs {
        // All of it each, and amounts that both would fit.
        for amount in [10_000, 5_000] {
            let (mut bench, payment) = captured(false);
            let race = [bench.event_of(&payment, one(amount)), bench.event_of(&payment, other(amount))];
            assert_eq!(race[0].previous_event_id, race[1].previous_event_id);
            assert_eq!([bench.send(&race[0]), bench.send(&race[1])], [0, 712]);
            assert_eq!(bench.payment(&payment).left_to_return(), i128::from(10_000 - amount));

            let (mut bench, payment) = captured(false);
            let race = vec![bench.event_of(&payment, one(amount)), bench.event_of(&payment, other(amount))];
            assert_eq!(bench.group(race), "1001,712");
            assert_eq!(bench.payment(&payment).left_to_return(), 10_000);

            let (mut bench, payment) = captured(false);
            let race = [bench.event_of(&payment, one(amount)), bench.event_of(&payment, other(amount))];
            assert_eq!(bench.batch(&race), "0,712");
            assert_eq!(bench.payment(&payment).left_to_return(), i128::from(10_000 - amount));
            bench.pair.full().unwrap();
        }
    }
}

#[test]
fn p09_one_after_the_other_in_a_unit_they_reach_the_cap_and_do_not_pass_it() {
    let over = |body: &Body| if matches!(body, Body::PaymentRefunded(_)) { 808 } else { 809 };
    let pairs: [[Make; 2]; 3] = [[refund, chargeback], [chargeback, refund], [returned, refund]];
    for [one, other] in pairs {
        for (second, fits) in [(4_000, true), (4_001, false)] {
            let (mut bench, payment) = captured(false);
            let chain = bench.chain_of(&payment, vec![one(6_000), other(second)]);
            let code = if fits { 0 } else { over(&other(second)) };
            assert_eq!(bench.batch(&chain), format!("0,{code}"));

            let (mut bench, payment) = captured(false);
            let chain = bench.chain_of(&payment, vec![one(6_000), other(second)]);
            assert_eq!(bench.group(chain), if fits { "0,0".to_owned() } else { format!("1001,{code}") });
            let left = bench.payment(&payment).left_to_return();
            assert_eq!(left, if fits { 0 } else { 10_000 });
            bench.pair.full().unwrap();
        }
    }
}

#[test]
fn p09_on_the_rail_the_cap_is_what_was_settled() {
    let (mut bench, payment) = captured(true);
    assert_eq!(bench.of(&payment, refund(1)), 801);
    assert_eq!(bench.of(&payment, chargeback(1)), 801);
    for (settled, refunded, disputed) in [(6_000, 2_500, 3_500), (4_000, 3_999, 1)] {
        assert_eq!(bench.of(&payment, settle(settled)), 0);
        assert_eq!(bench.of(&payment, refund(settled + 1)), 808);
        assert_eq!(bench.of(&payment, returned(settled + 1)), 808);
        assert_eq!(bench.of(&payment, chargeback(settled + 1)), 809);
        assert_eq!(bench.of(&payment, returned(refunded)), 0);
        assert_eq!(bench.of(&payment, chargeback(disputed + 1)), 809);
        assert_eq!(bench.of(&payment, chargeback(disputed)), 0);
        assert_eq!(bench.of(&payment, refund(1)), 808);
    }
    assert_eq!(bench.of(&payment, settle(1)), 807);
    assert_eq!(bench.payment(&payment).counters(), [10_000, 10_000, 0, 10_000, 6_499, 3_501, 0]);
    bench.pair.full().unwrap();
}

#[test]
fn p09_reversals_move_the_cap_and_do_not_undercut_what_went_back() {
    let (mut bench, payment) = captured(true);
    let settlements = [6_000, 4_000].map(|amount| {
        let event = bench.event_of(&payment, settle(amount));
        assert_eq!(bench.send(&event), 0);
        event.event_id
    });
    let refunded = bench.event_of(&payment, refund(7_000));
    assert_eq!(bench.send(&refunded), 0);
    // 7,000 went back: neither settlement can go.
    assert_eq!(bench.of(&payment, reversal(&settlements[0])), 811);
    assert_eq!(bench.of(&payment, reversal(&settlements[1])), 811);
    assert_eq!(bench.of(&payment, chargeback(3_001)), 809);
    // The refund reversed, the whole is free again, once.
    assert_eq!(bench.of(&payment, reversal(&refunded.event_id)), 0);
    assert_eq!(bench.of(&payment, reversal(&refunded.event_id)), 716);
    assert_eq!(bench.of(&payment, chargeback(10_001)), 809);
    assert_eq!(bench.of(&payment, chargeback(4_000)), 0);
    // 6,000 may still go back, or the settlement of 6,000 be reversed; in one unit the first does.
    let race = bench.chain_of(&payment, vec![refund(6_000), reversal(&settlements[0])]);
    assert_eq!(bench.group(race), "1001,811");
    let race = bench.chain_of(&payment, vec![reversal(&settlements[0]), refund(1)]);
    assert_eq!(bench.batch(&race), "0,808");
    assert_eq!(bench.payment(&payment).counters(), [10_000, 10_000, 0, 4_000, 0, 4_000, 0]);
    bench.pair.full().unwrap();
}
