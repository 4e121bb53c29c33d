//! (in work)

use std::fmt;

use rust_decimal::Decimal;

use crate::ids::CurrencyCode;

/// Largest amount of one event, minor units.
pub const MAX_AMOUNT: u64 = 999_999_999_999_999_999;

/// What ISO 4217 says of a currency code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsoCurrency {
    /// Amounts have this many decimals.
    Decimals(u8),
    /// A code without minor units, such as gold: no account can be in it.
    NoExponent,
}

/// Looks a code up in the pinned table; `None`: not a currency.
pub fn iso_currency(code: CurrencyCode) -> Option<IsoCurrency> {
    todo!("core bytes")
}

/// Every currency that has an exponent, ascending by code.
pub fn currencies() -> impl Iterator<Item = (CurrencyCode, u8)> {
    std::iter::empty()
}

/// Why a text is not an amount.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AmountError {
    /// Not digits, a point and exactly so many digits.
    #[error("amount {text:?}: {expected}")]
    Form {
        /// The text.
        text: String,
        /// What would be right.
        expected: String,
    },
    /// Above [`MAX_AMOUNT`].
    #[error("amount {text:?}: more than {limit}")]
    TooLarge {
        /// The text.
        text: String,
        /// The most that is allowed, as text of the same exponent.
        limit: String,
    },
}

/// Reads `0.50` (exponent 2), `500` (0), `1.250` (3): digits without leading zeros, exactly `exponent` decimals.
pub fn parse_amount(text: &str, exponent: u8) -> Result<u64, AmountError> {
    todo!("core bytes")
}

/// Writes what [`parse_amount`] reads; a negative balance begins with `-`.
pub fn format_amount(minor: i128, exponent: u8) -> String {
    todo!("core bytes")
}

/// Minor units of a currency. Its text form is `12.34 USD`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Amount {
    /// Minor units.
    pub minor: i128,
    /// The currency.
    pub currency: CurrencyCode,
    /// Its decimals.
    pub exponent: u8,
}

impl Amount {
    /// The amount as a decimal number; `None` beyond 28 digits.
    pub fn to_decimal(&self) -> Option<Decimal> {
        todo!("core bytes")
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!("core bytes")
    }
}
