//! I6: amounts across currencies. The formula of the rules, as bounds that its result keeps and not as a division.

use super::{Broken, Entry};
use crate::apply::Subject;
use crate::event::{Body, Fx};
use crate::number::{AccountKind, Rounding};
use crate::view::StateView;

impl<V: StateView> Entry<'_, V> {
    /// I6: the counter amount is the formula's, and what passes the FX account of its currency.
    pub(super) fn check_conversion(&self) -> Result<(), Broken> {
        let Subject::Event { event, .. } = self.executed.subject else { return Ok(()) };
        let Some((amount, fx)) = conversion(&event.body) else { return Ok(()) };
        let Some((_, payment)) = self.executed.effects.payments.first() else { return Ok(()) };
        let debtor = self.before.account(payment.debtor)?;
        let creditor = self.before.account(payment.creditor)?;
        let subject = || format!("counter amount of payment {}", payment.id);
        if is_converted(amount, debtor.exponent, creditor.exponent, fx) != Some(true) {
            let Fx { rate_mantissa, rate_scale, rounding, .. } = fx;
            let expected = format!("{amount} at {rate_mantissa} / 10^{rate_scale}, {rounding:?}");
            return self.violated("I6", subject(), expected, fx.counter_amount);
        }
        let bridge = self.before.special_account(AccountKind::Fx, creditor.currency)?;
        let flows = self.posted_without_fees()?;
        let passed = bridge.and_then(|bridge| flows.get(&bridge)).copied().unwrap_or(0).abs();
        self.equal("I6", subject, i128::from(fx.counter_amount), passed)
    }
}

fn conversion(body: &Body) -> Option<(u64, &Fx)> {
    let (amount, fx) = match body {
        Body::PaymentCaptured(body) => (body.amount, &body.fx),
        Body::PaymentRefunded(body) => (body.amount, &body.fx),
        Body::PaymentSettled(body) => (body.amount, &body.fx),
        Body::ChargebackOpened(body) => (body.amount, &body.fx),
        Body::ChargebackResolved(body) => (body.amount, &body.fx),
        _ => return None,
    };
    fx.as_ref().map(|fx| (amount, fx))
}

/// Whether the counter amount is `amount · mantissa · 10^counter / 10^(scale + base)`, rounded as `fx` says: less than one
/// away and not above it, or at most a half away and even when it is exactly that. `None`: no number of that size.
fn is_converted(amount: u64, base_exponent: u8, counter_exponent: u8, fx: &Fx) -> Option<bool> {
    let power = |exponent: u32| 10i128.checked_pow(exponent);
    let whole = i128::from(amount)
        .checked_mul(i128::from(fx.rate_mantissa))?
        .checked_mul(power(u32::from(counter_exponent))?)?;
    let unit = power(fx.rate_scale.checked_add(u32::from(base_exponent))?)?;
    let rest = whole.checked_sub(i128::from(fx.counter_amount).checked_mul(unit)?)?;
    let twice = rest.checked_mul(2)?.abs();
    Some(match fx.rounding? {
        Rounding::Floor => (0..unit).contains(&rest),
        Rounding::HalfEven => twice < unit || (twice == unit && fx.counter_amount.is_multiple_of(2)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_counter_amount_is_that_of_the_formula() {
        // Amount, exponents, mantissa, scale, and the result rounded down and to the even half.
        for (amount, base, counter, rate_mantissa, rate_scale, floor, half_even) in [
            (10_000, 2, 2, 92, 2, 9_200, 9_200),
            (5, 0, 0, 5, 1, 2, 2),
            (7, 0, 0, 5, 1, 3, 4),
            (7, 0, 0, 51, 2, 3, 4),
            (5, 0, 0, 49, 2, 2, 2),
            (12_345, 2, 0, 150, 0, 18_517, 18_518),
            (3, 0, 4, 1, 0, 30_000, 30_000),
            (999_999_999_999_999_999, 2, 2, 1, 0, 999_999_999_999_999_999, 999_999_999_999_999_999),
        ] {
            for (rounding, result) in [(Rounding::Floor, floor), (Rounding::HalfEven, half_even)] {
                for counter_amount in [result - 1, result, result + 1] {
                    let rounding = Some(rounding);
                    let fx = Fx { counter_amount, rate_mantissa, rate_scale, rounding, ..Fx::default() };
                    let right = is_converted(amount, base, counter, &fx);
                    assert_eq!(right, Some(counter_amount == result), "{amount} to {fx:?}");
                }
            }
        }
        assert_eq!(is_converted(1, 0, 0, &Fx { rate_scale: 40, ..Fx::default() }), None);
        assert_eq!(is_converted(u64::MAX, 0, 4, &Fx { rate_mantissa: u64::MAX, ..Fx::default() }), None);
    }
}
