//! The worked example of the rules: what happens, and every number after it.
#![allow(clippy::inconsistent_digit_grouping, reason = "the cents stand apart")]

use ledger_core::number::ChargebackResult;

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// The whole amount is held for seven days.
    Authorize(u64),
    /// Part of it is taken; the rest is released when it is the last part. The merchant pays the fee.
    Capture { amount: u64, last: bool, fee: u64 },
    /// The merchant pays back.
    Refund(u64),
    /// The scheme takes money from the merchant.
    OpenChargeback(u64),
    /// The chargeback is decided.
    Resolve(u64, ChargebackResult),
}

/// An act and all that is to be seen after it, in cents.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// In words.
    pub name: &'static str,
    /// What happens.
    pub act: Act,
    /// The answer, and the limit that it names.
    pub answer: (&'static str, &'static str),
    /// Of the customer: posted, held, available.
    pub customer: [i128; 3],
    /// Of the merchant: posted, and what is held for it.
    pub merchant: [i128; 2],
    /// Posted to the fee account.
    pub fee: i128,
    /// Posted to the dispute account.
    pub dispute: i128,
    /// Authorized, captured, released, settled, refunded, disputed, lost.
    pub counters: [i128; 7],
    /// Status of the payment.
    pub status: &'static str,
}

/// What the customer has before the first step: everything there is, until the end.
pub const OPENING: u64 = 200_00;

/// What is instructed.
pub const INSTRUCTED: u64 = 100_00;

const ACCEPTED: (&str, &str) = ("ACCEPTED", "");

/// The example, in order.
pub const STEPS: &[Step] = &[
    Step {
        name: "Authorized 100.00",
        act: Act::Authorize(100_00),
        answer: ACCEPTED,
        customer: [200_00, 100_00, 100_00],
        merchant: [0, 100_00],
        fee: 0,
        dispute: 0,
        counters: [100_00, 0, 0, 0, 0, 0, 0],
        status: "AUTHORIZED",
    },
    Step {
        name: "Captured 60.00, fee 1.80",
        act: Act::Capture { amount: 60_00, last: false, fee: 1_80 },
        answer: ACCEPTED,
        customer: [140_00, 40_00, 100_00],
        merchant: [58_20, 40_00],
        fee: 1_80,
        dispute: 0,
        counters: [100_00, 60_00, 0, 60_00, 0, 0, 0],
        status: "PARTIALLY_CAPTURED",
    },
    Step {
        name: "Captured 30.00, final",
        act: Act::Capture { amount: 30_00, last: true, fee: 0 },
        answer: ACCEPTED,
        customer: [110_00, 0, 110_00],
        merchant: [88_20, 0],
        fee: 1_80,
        dispute: 0,
        counters: [100_00, 90_00, 10_00, 90_00, 0, 0, 0],
        status: "SETTLED",
    },
    Step {
        name: "Refunded 15.00",
        act: Act::Refund(15_00),
        answer: ACCEPTED,
        customer: [125_00, 0, 125_00],
        merchant: [73_20, 0],
        fee: 1_80,
        dispute: 0,
        counters: [100_00, 90_00, 10_00, 90_00, 15_00, 0, 0],
        status: "PARTIALLY_REFUNDED",
    },
    Step {
        name: "Chargeback opened, 20.00",
        act: Act::OpenChargeback(20_00),
        answer: ACCEPTED,
        customer: [125_00, 0, 125_00],
        merchant: [53_20, 0],
        fee: 1_80,
        dispute: 20_00,
        counters: [100_00, 90_00, 10_00, 90_00, 15_00, 20_00, 0],
        status: "DISPUTED",
    },
    Step {
        name: "Chargeback lost, 20.00",
        act: Act::Resolve(20_00, ChargebackResult::Lost),
        answer: ACCEPTED,
        customer: [145_00, 0, 145_00],
        merchant: [53_20, 0],
        fee: 1_80,
        dispute: 0,
        counters: [100_00, 90_00, 10_00, 90_00, 15_00, 0, 20_00],
        status: "PARTIALLY_REFUNDED",
    },
    Step {
        name: "Refund of 55.01",
        act: Act::Refund(55_01),
        answer: ("REFUND_EXCEEDS_REFUNDABLE", "5500"),
        customer: [145_00, 0, 145_00],
        merchant: [53_20, 0],
        fee: 1_80,
        dispute: 0,
        counters: [100_00, 90_00, 10_00, 90_00, 15_00, 0, 20_00],
        status: "PARTIALLY_REFUNDED",
    },
];

/// An exchange at a quoted rate, and the balances after it.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// In words.
    pub name: &'static str,
    /// What the debtor pays, in cents.
    pub amount: u64,
    /// What the creditor gets, in yen: the rest of the division stays with the exchange account.
    pub counter_amount: u64,
    /// The rate, without its point.
    pub rate_mantissa: u64,
    /// Its decimals.
    pub rate_scale: u32,
    /// Account and what is posted to it afterwards, in minor units.
    pub posted: [(&'static str, i128); 4],
}

/// The example's.
pub const EXCHANGE: Exchange = Exchange {
    name: "100.00 EUR at 161.237, rounded down to the yen",
    amount: 100_00,
    counter_amount: 16_123,
    rate_mantissa: 161_237,
    rate_scale: 3,
    posted: [("card:eur", 0), ("fx:eur", 100_00), ("fx:jpy", -16_123), ("shop:jpy", 16_123)],
};

/// Accounts of the example.
pub mod account {
    pub const OUTSIDE: &str = "outside:usd";
    pub const CUSTOMER: &str = "card:usd";
    pub const MERCHANT: &str = "shop:usd";
    pub const FEES: &str = "fees:usd";
    pub const DISPUTES: &str = "disputes:usd";
    pub const OUTSIDE_EUR: &str = "outside:eur";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_step_makes_or_loses_money() {
        for step in STEPS {
            let [customer, held, available] = step.customer;
            assert_eq!(
                customer + step.merchant[0] + step.fee + step.dispute,
                i128::from(OPENING),
                "{}",
                step.name
            );
            assert_eq!(customer - held, available, "{}", step.name);
            let [auth, capt, rel, ..] = step.counters;
            assert_eq!((auth - capt - rel, step.merchant[1]), (held, held), "{}", step.name);
        }
    }
}
