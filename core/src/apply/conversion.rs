//! Money that crosses currencies: whether `fx` must stand in an event, and whether its amount is the formula's.

use std::cmp::Ordering;

use super::guard::Case;
use super::{NotAdmitted, Stop, minor};
use crate::code::{Code, Refusal};
use crate::event::Fx;
use crate::number::Rounding;

/// Whether an event moves money to or from the creditor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Creditor {
    /// It does.
    Involved,
    /// It stays on the debtor's side of a clearing account.
    Untouched,
}

/// `fx.counter_currency` is the creditor's: ACCOUNT_CURRENCY_MISMATCH.
pub(super) fn check_currency(case: &Case, fx: Option<&Fx>) -> Result<(), Refusal> {
    match fx {
        Some(fx) if fx.counter_currency != case.creditor.currency.as_str() => {
            let (field, limit) = ("fx.counter_currency", case.creditor.currency);
            Err(Refusal::of(Code::AccountCurrencyMismatch, field, &fx.counter_currency, limit))
        }
        _ => Ok(()),
    }
}

/// FX_REQUIRED, FX_NOT_ALLOWED, FX_AMOUNT_MISMATCH.
pub(super) fn check(case: &Case, creditor: Creditor, amount: u64, fx: Option<&Fx>) -> Result<(), Stop> {
    let is_due = creditor == Creditor::Involved && case.crosses_currencies();
    let Some(fx) = fx else {
        if is_due {
            let limit = format!("a conversion to {}", case.creditor.currency);
            return Err(Refusal::of(Code::FxRequired, "fx", "", limit).into());
        }
        return Ok(());
    };
    if !is_due {
        return Err(Refusal::of(Code::FxNotAllowed, "fx", &fx.counter_currency, "absent").into());
    }
    let expected = converted(amount, case.debtor.exponent, case.creditor.exponent, fx);
    let expected = expected.ok_or(NotAdmitted("fx"))?;
    if minor(fx.counter_amount) != expected {
        let field = "fx.counter_amount";
        return Err(Refusal::of(Code::FxAmountMismatch, field, fx.counter_amount, expected).into());
    }
    Ok(())
}

/// `round(base · mantissa · 10^e_counter / (10^scale · 10^e_base))`, minor units. Base below 10^18, mantissa below
/// 10^11, exponents at most 4, scale at most 10: the product stays below 10^33. `None` for what is beyond that.
fn converted(base: u64, base_exponent: u8, counter_exponent: u8, fx: &Fx) -> Option<i128> {
    let power = |exponent| 10i128.checked_pow(exponent);
    let product = minor(base).checked_mul(minor(fx.rate_mantissa))?;
    let numerator = product.checked_mul(power(u32::from(counter_exponent))?)?;
    let denominator = power(fx.rate_scale.checked_add(u32::from(base_exponent))?)?;
    let (quotient, remainder) = (numerator / denominator, numerator % denominator);
    let rounds_up = match (fx.rounding, remainder.cmp(&(denominator - remainder))) {
        (Some(Rounding::HalfEven), Ordering::Greater) => true,
        (Some(Rounding::HalfEven), Ordering::Equal) => quotient % 2 == 1,
        (Some(Rounding::HalfEven), Ordering::Less) | (Some(Rounding::Floor) | None, _) => false,
    };
    Some(quotient + i128::from(rounds_up))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(rate_mantissa: u64, rate_scale: u32, rounding: Rounding) -> Fx {
        Fx { rate_mantissa, rate_scale, rounding: Some(rounding), ..Fx::default() }
    }

    #[test]
    fn known_conversions() {
        use Rounding::{Floor, HalfEven};
        // Base, its decimals, decimals of the counter currency, mantissa, scale, rounding, result.
        let rows = [
            (10_000, 2, 0, 161_237, 3, Floor, 16_123),
            (10_000, 2, 0, 161_237, 3, HalfEven, 16_124),
            (1, 2, 0, 50, 0, HalfEven, 0),
            (3, 2, 0, 50, 0, HalfEven, 2),
            (5, 2, 0, 50, 0, HalfEven, 2),
            (1, 0, 4, 1, 0, Floor, 10_000),
            (1, 2, 2, 99, 2, Floor, 0),
            (999_999_999_999_999_999, 0, 4, 99_999_999_999, 10, Floor, 99_999_999_998_999_999_900_000),
        ];
        for (base, from, to, mantissa, scale, rounding, expected) in rows {
            let result = converted(base, from, to, &rate(mantissa, scale, rounding));
            assert_eq!(result, Some(expected), "{base} at {mantissa}e-{scale}");
        }
    }

    #[test]
    fn what_no_rate_can_be_is_not_converted() {
        for (base, mantissa, scale) in [(u64::MAX, u64::MAX, 0), (1, 1, 37), (1, 1, u32::MAX)] {
            assert_eq!(converted(base, 2, 4, &rate(mantissa, scale, Rounding::HalfEven)), None);
        }
    }

    proptest! {
        /// The result times the denominator lies within one unit (floor) or half a unit (half even) of the product.
        #[test]
        fn rounding_is_within_bounds(
            base in 1u64..1_000_000_000_000_000_000, mantissa in 1u64..100_000_000_000,
            scale in 0u32..=10, from in 0u8..=4, to in 0u8..=4,
        ) {
            let exact = minor(base) * minor(mantissa) * 10i128.pow(u32::from(to));
            let unit = 10i128.pow(scale + u32::from(from));
            let floor = converted(base, from, to, &rate(mantissa, scale, Rounding::Floor)).unwrap();
            prop_assert!(floor * unit <= exact && exact < (floor + 1) * unit);
            let even = converted(base, from, to, &rate(mantissa, scale, Rounding::HalfEven)).unwrap();
            let distance = (even * unit - exact).abs();
            prop_assert!(distance * 2 < unit || (distance * 2 == unit && even % 2 == 0));
        }
    }
}
