//! Exchange: the one formula.

use ledger_core::event::Fx;
use ledger_core::number::Rounding;

/// `round(base · mantissa · 10^to / (10^scale · 10^from))`, by long division.
pub fn counter_amount(base: u64, fx: &Fx, from: u8, to: u8) -> i128 {
    let above = i128::from(base) * i128::from(fx.rate_mantissa) * ten_to(u32::from(to));
    let below = ten_to(fx.rate_scale) * ten_to(u32::from(from));
    let (whole, rest) = (above / below, above % below);
    let rounds_up = match fx.rounding.expect("admitted") {
        Rounding::Floor => false,
        Rounding::HalfEven => 2 * rest > below || (2 * rest == below && whole % 2 == 1),
    };
    whole + i128::from(rounds_up)
}

fn ten_to(power: u32) -> i128 {
    let mut product = 1;
    for _ in 0..power {
        product *= 10;
    }
    product
}
