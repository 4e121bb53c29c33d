//! Amounts near their limits, exchange, fees, and what is plausible to refer to.

use ledger_core::event::{Fee, Fx};
use ledger_core::number::{AccountKind, Payer, Rounding};

use super::Generator;
use super::scene::Scene;
use crate::model::{Payment, counter_amount};

/// Largest amount of the rules.
pub(super) const LARGEST: u64 = 999_999_999_999_999_999;

impl Generator {
    /// An amount of this world.
    pub(super) fn amount(&mut self) -> u64 {
        match self.dice.below(40) {
            0 => 1,
            1 => LARGEST,
            2 => LARGEST - 1,
            _ => self.dice.between(1, self.mood.amounts),
        }
    }

    /// An amount near a limit, on either side of it.
    pub(super) fn near(&mut self, limit: i128) -> u64 {
        let limit = u64::try_from(limit.clamp(0, 2 * i128::from(LARGEST))).expect("clamped");
        match self.dice.below(20) {
            0..=5 => limit,
            6..=7 => limit.saturating_sub(1),
            8..=9 => limit + 1,
            10..=16 => self.dice.between(1, limit.max(1)),
            17 => 1,
            _ => self.amount(),
        }
    }

    /// Fees of a capture or refund.
    pub(super) fn fees(&mut self, scene: &Scene<'_>, payment: &Payment) -> Vec<Fee> {
        if !self.dice.once_in(4) {
            return Vec::new();
        }
        let mut fees = Vec::new();
        let count = if self.dice.once_in(30) { self.dice.between(8, 9) } else { self.dice.between(1, 3) };
        for _ in 0..count {
            let payer = self.dice.pick(&[Payer::Debtor, Payer::Creditor]);
            let of = if payer == Payer::Debtor { payment.debtor } else { payment.creditor };
            let currency = scene.books.accounts[of].currency;
            let is_lost = self.dice.once_in(25);
            let account = self.account(scene, |account| {
                (account.kind == AccountKind::Fee && account.currency == currency) != is_lost
            });
            let code = if self.dice.once_in(40) { self.some_currency() } else { currency.to_string() };
            let amount = match self.dice.below(12) {
                0 => LARGEST,
                1 => self.amount(),
                _ => self.dice.between(1, 1 + self.mood.amounts / 20),
            };
            fees.push(Fee { payer: Some(payer), account, currency: code, amount });
        }
        fees
    }

    /// The exchange that a movement to or from the creditor needs, or (seldom) does not.
    pub(super) fn exchange(
        &mut self,
        scene: &Scene<'_>,
        payment: &Payment,
        amount: u64,
        moves_creditor: bool,
    ) -> Option<Fx> {
        let is_needed = moves_creditor && scene.crosses(payment);
        if is_needed == self.dice.once_in(30) {
            return None;
        }
        let (from, to) = (scene.exponent(payment.debtor), scene.exponent(payment.creditor));
        let mut fx = self.rate(scene.currency(payment.creditor));
        for _ in 0..20 {
            let counter = counter_amount(amount, &fx, from, to);
            if (1..=i128::from(LARGEST)).contains(&counter) {
                fx.counter_amount = u64::try_from(counter).expect("in range");
                break;
            }
            fx = self.rate(fx.counter_currency);
        }
        match self.dice.below(40) {
            0 => fx.counter_amount += 1,
            1 => fx.counter_amount = fx.counter_amount.saturating_sub(1),
            2 => fx.counter_currency = self.some_currency(),
            3 => fx.rounding = Some(self.dice.pick(&[Rounding::Floor, Rounding::HalfEven])),
            _ => {}
        }
        Some(fx)
    }

    fn rate(&mut self, counter_currency: String) -> Fx {
        let (rate_mantissa, rate_scale) = match self.dice.below(8) {
            0 => (5, 1),
            1 => (25, 2),
            2 => (1, self.dice.below(11) as u32),
            3 => (99_999_999_999, self.dice.below(11) as u32),
            4 => (self.dice.between(1, 1_000_000), 6),
            5 => (self.dice.between(1, 99), 10),
            _ => (self.dice.between(1, 99_999_999_999), self.dice.below(11) as u32),
        };
        let rounding = Some(self.dice.pick(&[Rounding::Floor, Rounding::HalfEven]));
        let quote_ref = if self.dice.once_in(3) { "QUOTE 1".to_owned() } else { String::new() };
        Fx { counter_currency, counter_amount: 1, rate_mantissa, rate_scale, rounding, quote_ref }
    }

    pub(super) fn some_currency(&mut self) -> String {
        self.dice.pick(&self.mood.currencies).0.to_owned()
    }
}
