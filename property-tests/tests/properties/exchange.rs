//! Property 11: the exchange formula against integers without a bound.

use ledger_core::event::*;
use ledger_core::number::*;
use ledger_property_tests::dice::Dice;
use ledger_property_tests::model::counter_amount;
use ledger_property_tests::pair::CURRENCIES;
use num_bigint::BigUint;

use crate::bench::*;

#[test]
fn p11_the_formula_is_that_of_integers_without_a_bound() {
    let mut dice = Dice::new(11);
    for _ in 0..300_000 {
        let (base, fx) = (any_amount(&mut dice), any_rate(&mut dice));
        let (from, to) = (dice.below(5) as u8, dice.below(5) as u8);
        let expected = oracle(base, &fx, from, to);
        assert_eq!(counter_amount(base, &fx, from, to).to_string(), expected.to_string(), "{base} {fx:?}");
    }
}

#[test]
fn p11_the_core_takes_what_the_formula_gives_and_nothing_beside_it() {
    let mut dice = Dice::new(1_111);
    let mut taken = 0;
    let mut bench = Bench::new();
    while taken < 400 {
        let ((from, e_from), (to, e_to)) = (dice.pick(&CURRENCIES), dice.pick(&CURRENCIES));
        let (base, fx) = (any_amount(&mut dice), any_rate(&mut dice));
        let expected = oracle(base, &fx, e_from, e_to);
        let Ok(counter) = u64::try_from(&expected) else { continue };
        if from == to || counter == 0 || counter >= LARGEST {
            continue;
        }
        assert_eq!(bench.fund(&account("cust", from), from, base), 0);
        let payment = bench.initiate(base, from, to, CaptureMode::Immediate, false);
        for (counter_amount, outcome) in [(counter - 1, 814), (counter + 1, 814), (counter, 0)] {
            let fx = Fx { counter_currency: to.to_owned(), counter_amount, ..fx.clone() };
            let outcome = if counter_amount == 0 { 606 } else { outcome };
            let body = PaymentCaptured { amount: base, final_capture: true, fees: Vec::new(), fx: Some(fx) };
            assert_eq!(bench.of(&payment, Body::PaymentCaptured(body)), outcome, "{base} {counter_amount}");
        }
        taken += 1;
    }
    bench.pair.full().unwrap();
}

#[test]
fn p11_at_both_ends_of_what_an_amount_can_be() {
    let rate = |rate_mantissa, rate_scale| Fx {
        counter_currency: "EUR".to_owned(),
        rate_mantissa,
        rate_scale,
        rounding: Some(Rounding::Floor),
        ..Fx::default()
    };
    let mut bench = Bench::new();
    // Base and rate, then counter amounts with their codes.
    let one_to_one = [(LARGEST - 1, 814), (LARGEST + 1, 607), (LARGEST, 0)];
    let one_more = [(LARGEST, 814), (LARGEST + 1, 607), (1, 814)];
    let nothing = [(0, 606), (1, 814), (LARGEST, 814)];
    for (base, fx, tries) in [
        (LARGEST, rate(1, 0), one_to_one),
        (LARGEST / 9, rate(9, 0), one_to_one),
        ((LARGEST + 1) / 8, rate(8, 0), one_more),
        (1, rate(99, 2), nothing),
    ] {
        assert_eq!(bench.fund("cust:usd", "USD", base), 0);
        let payment = bench.initiate(base, "USD", "EUR", CaptureMode::Immediate, false);
        for (counter_amount, outcome) in tries {
            let fx = Some(Fx { counter_amount, ..fx.clone() });
            let body = PaymentCaptured { amount: base, final_capture: true, fees: Vec::new(), fx };
            assert_eq!(bench.of(&payment, Body::PaymentCaptured(body)), outcome, "{base} {counter_amount}");
        }
    }
    bench.pair.full().unwrap();
}

/// `round(base · mantissa · 10^to / (10^scale · 10^from))`.
fn oracle(base: u64, fx: &Fx, from: u8, to: u8) -> BigUint {
    let ten = |power: u32| BigUint::from(10u32).pow(power);
    let above = BigUint::from(base) * BigUint::from(fx.rate_mantissa) * ten(u32::from(to));
    let below = ten(fx.rate_scale) * ten(u32::from(from));
    let floor = &above / &below;
    let twice_rest = (&above - &floor * &below) * BigUint::from(2u32);
    let is_odd = floor.bit(0);
    let up = fx.rounding == Some(Rounding::HalfEven) && (twice_rest > below || twice_rest == below && is_odd);
    floor + BigUint::from(u32::from(up))
}

fn any_amount(dice: &mut Dice) -> u64 {
    match dice.below(6) {
        0 => LARGEST,
        1 => dice.between(1, 100),
        _ => (1 + dice.any() % LARGEST) >> dice.below(60),
    }
    .max(1)
}

fn any_rate(dice: &mut Dice) -> Fx {
    let (rate_mantissa, rate_scale) = match dice.below(5) {
        0 => (5, 1),
        1 => (25, 2),
        2 => (99_999_999_999, dice.below(11) as u32),
        3 => (1, dice.below(11) as u32),
        _ => (dice.between(1, 99_999_999_999), dice.below(11) as u32),
    };
    let rounding = Some(dice.pick(&[Rounding::Floor, Rounding::HalfEven]));
    Fx { rate_mantissa, rate_scale, rounding, ..Fx::default() }
}
