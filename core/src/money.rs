//! Amounts as text, currencies, decimals. Everywhere else an amount is an integer number of minor units.

mod iso4217;

use std::fmt;

use rust_decimal::Decimal;

use crate::ids::CurrencyCode;

/// Most minor units of an amount, a limit, or the debits of one event in one currency: 18 digits (ISO 20022).
pub const MAX_AMOUNT: u64 = 999_999_999_999_999_999;

/// No currency has more decimals.
pub(crate) const MAX_EXPONENT: u8 = 4;

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
    let position = iso4217::TABLE.binary_search_by_key(code.as_bytes(), |(code, _)| *code).ok()?;
    let (_, decimals) = iso4217::TABLE.get(position)?;
    Some(decimals.map_or(IsoCurrency::NoExponent, IsoCurrency::Decimals))
}

/// Every currency that has an exponent, with it, ascending by code.
pub fn currencies() -> impl Iterator<Item = (CurrencyCode, u8)> {
    iso4217::TABLE
        .iter()
        .filter_map(|(code, decimals)| Some((CurrencyCode::from_bytes(*code)?, (*decimals)?)))
}

/// Why a text is not an amount.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AmountError {
    /// Not digits, a point and exactly so many digits.
    #[error("amount {text:?}: expected {expected}")]
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
    /// The currency is not one of the ledger's.
    #[error("amount {text:?}: unknown currency")]
    Currency {
        /// The text.
        text: String,
    },
}

/// Reads `0.50` (exponent 2), `500` (0), `1.250` (3): digits without leading zeros, exactly `exponent` decimals.
///
/// # Errors
/// [`AmountError::Form`], [`AmountError::TooLarge`].
pub fn parse_amount(text: &str, exponent: u8) -> Result<u64, AmountError> {
    let form = || AmountError::Form { text: text.to_owned(), expected: expected_form(exponent) };
    let (whole, decimals) = match exponent {
        0 => (text, ""),
        _ => text.split_once('.').ok_or_else(form)?,
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let no_leading_zero = whole == "0" || !whole.starts_with('0');
    let shape = digits(whole) && digits(decimals) && decimals.len() == usize::from(exponent);
    if whole.is_empty() || !no_leading_zero || !shape {
        return Err(form());
    }
    let minor = format!("{whole}{decimals}").parse::<u64>().ok().filter(|minor| *minor <= MAX_AMOUNT);
    minor.ok_or_else(|| AmountError::TooLarge {
        text: text.to_owned(),
        limit: format_amount(i128::from(MAX_AMOUNT), exponent),
    })
}

/// Writes what [`parse_amount`] reads; a negative balance begins with `-`.
pub fn format_amount(minor: i128, exponent: u8) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let exponent = usize::from(exponent);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = exponent + 1);
    match digits.split_at_checked(digits.len().saturating_sub(exponent)) {
        Some((whole, decimals)) if exponent > 0 => format!("{sign}{whole}.{decimals}"),
        _ => format!("{sign}{digits}"),
    }
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
    /// Reads `12.34 USD`; `exponent` knows the decimals of the currencies that are allowed.
    ///
    /// # Errors
    /// [`AmountError`].
    pub fn parse(text: &str, exponent: impl Fn(CurrencyCode) -> Option<u8>) -> Result<Self, AmountError> {
        let unknown = || AmountError::Currency { text: text.to_owned() };
        let Some((number, code)) = text.split_once(' ') else {
            return Err(AmountError::Form {
                text: text.to_owned(),
                expected: "such as 12.34 USD".to_owned(),
            });
        };
        let currency = CurrencyCode::parse(code).ok_or_else(unknown)?;
        let exponent = exponent(currency).ok_or_else(unknown)?;
        let minor = i128::from(parse_amount(number, exponent)?);
        Ok(Self { minor, currency, exponent })
    }

    /// The amount as a decimal number; `None` beyond the 96 bits of its mantissa.
    pub fn to_decimal(&self) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self.minor, u32::from(self.exponent)).ok()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", format_amount(self.minor, self.exponent), self.currency)
    }
}

fn expected_form(exponent: u8) -> String {
    match exponent {
        0 => "digits without leading zeros, no point".to_owned(),
        1 => "digits without leading zeros, a point and 1 decimal".to_owned(),
        _ => format!("digits without leading zeros, a point and {exponent} decimals"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_forms_are_exact() {
        for (text, exponent, minor) in [
            ("0.50", 2, 50),
            ("500", 0, 500),
            ("1.250", 3, 1_250),
            ("0", 0, 0),
            ("0.00", 2, 0),
            ("0.0001", 4, 1),
            ("9999999999999999.99", 2, MAX_AMOUNT),
            ("999999999999999999", 0, MAX_AMOUNT),
        ] {
            assert_eq!(parse_amount(text, exponent), Ok(minor), "{text}");
            assert_eq!(format_amount(i128::from(minor), exponent), text);
        }
        assert_eq!(format_amount(-5, 2), "-0.05");
        assert_eq!(format_amount(i128::MIN, 0), i128::MIN.to_string());
    }

    #[test]
    fn near_misses_are_refused() {
        for text in [
            "", ".", "1", "1.", ".5", ".50", "1.5", "1.500", "01.50", "00.50", "-1.50", "+1.50", "1_000.00",
            "1,00", "1.0e", "1e2", " 1.00", "1.00 ", "1. 00", "1.0 0", "1..00", "1.00.00", "١.٠٠", "1.0０",
            "0x1.00", "1,000.00", "1.00\n", "NaN", "inf", "1.-0", "1.+0",
        ] {
            assert!(matches!(parse_amount(text, 2), Err(AmountError::Form { .. })), "{text:?}");
        }
        for text in ["1.", "1.0", "01", "+1", "-1", "1_000", " 1", "", "1e3"] {
            assert!(matches!(parse_amount(text, 0), Err(AmountError::Form { .. })), "{text:?}");
        }
        for (text, exponent) in
            [("1000000000000000000", 0), ("10000000000000000.00", 2), ("99999999999999999999999", 0)]
        {
            assert!(matches!(parse_amount(text, exponent), Err(AmountError::TooLarge { .. })), "{text}");
        }
    }

    #[test]
    fn amounts_with_currency_read_what_they_write() {
        let known = |code| match iso_currency(code)? {
            IsoCurrency::Decimals(decimals) => Some(decimals),
            IsoCurrency::NoExponent => None,
        };
        let amount = Amount::parse("12.34 USD", known).unwrap();
        assert_eq!((amount.minor, amount.to_string()), (1_234, "12.34 USD".to_owned()));
        assert_eq!(amount.to_decimal(), Some(Decimal::new(1_234, 2)));
        for text in ["12.34", "12.34USD", "12.34  USD", "12.34 usd", "12.34 XAU", "12.34 ZZZ", "12.3 USD"] {
            assert!(Amount::parse(text, known).is_err(), "{text}");
        }
        assert_eq!(currencies().count(), 170);
    }

    proptest! {
        #[test]
        fn every_exponent_round_trips(minor in 0..=MAX_AMOUNT, exponent in 0_u8..=4) {
            let text = format_amount(i128::from(minor), exponent);
            prop_assert_eq!(parse_amount(&text, exponent), Ok(minor));
            for other in 0_u8..=4 {
                prop_assert_eq!(parse_amount(&text, other).is_ok(), other == exponent);
            }
        }

        #[test]
        fn any_text_that_is_read_is_the_one_that_is_written(text in "[0-9+_. -]{0,22}", exponent in 0_u8..=4) {
            if let Ok(minor) = parse_amount(&text, exponent) {
                prop_assert_eq!(format_amount(i128::from(minor), exponent), text);
            }
        }

        #[test]
        fn decimals_agree(minor in -(1_i128 << 90)..(1_i128 << 90), exponent in 0_u8..=4) {
            let currency = CurrencyCode::parse("USD").unwrap();
            let amount = Amount { minor, currency, exponent };
            prop_assert_eq!(amount.to_decimal().unwrap().to_string(), format_amount(minor, exponent));
        }
    }
}
