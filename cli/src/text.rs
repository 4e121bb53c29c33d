//! Text forms: how ids, times, keys and amounts are typed and shown.

use std::fmt::Write;

use ledger_core::date;
use ledger_core::ids::CurrencyCode;
use ledger_core::money::{Amount, IsoCurrency, format_amount, iso_currency};
use ledger_crypto::Hash;

use crate::exit::CliError;

const DAY_NANOS: u64 = 86_400_000_000_000;

/// A moment as RFC 3339 in UTC with 9 decimals.
pub fn time(unix_nanos: u64) -> String {
    let date = date::utc_date(unix_nanos);
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    let of_day = unix_nanos % DAY_NANOS;
    let (seconds, nanos) = (of_day / 1_000_000_000, of_day % 1_000_000_000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

/// A date that is typed `2026-01-31`, as `yyyymmdd`.
pub fn parse_date(text: &str) -> Result<u32, CliError> {
    let wrong = || CliError::argument("--effective-date", text, "a date such as 2026-01-31");
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let [year, month, day] = parts[..] else { return Err(wrong()) };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || ![year, month, day].into_iter().all(digits) {
        return Err(wrong());
    }
    let number: u32 = format!("{year}{month}{day}").parse().map_err(|_| wrong())?;
    if date::is_date(number) { Ok(number) } else { Err(wrong()) }
}

/// A date `yyyymmdd` as it is typed.
pub fn date(yyyymmdd: u32) -> String {
    format!("{:04}-{:02}-{:02}", yyyymmdd / 10_000, yyyymmdd / 100 % 100, yyyymmdd % 100)
}

/// An id of 16 bytes, hyphenated; empty when it is absent.
pub fn uuid(bytes: &[u8]) -> String {
    match <[u8; 16]>::try_from(bytes) {
        Ok(bytes) => ledger_core::ids::EventId(bytes).to_string(),
        Err(_) => hex::encode(bytes),
    }
}

/// 32 bytes that are typed as 64 lower-case hexadecimal digits.
pub fn parse_hash(name: &'static str, text: &str) -> Result<Hash, CliError> {
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    let bytes = hex::decode(text).ok().filter(|_| lower).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| CliError::argument(name, text, "64 lower-case hexadecimal digits"))
}

/// An amount that is typed `12.34 USD`, with exactly the decimals of its currency.
pub fn parse_amount(name: &'static str, text: &str) -> Result<Typed, CliError> {
    let amount = Amount::parse(text, decimals)
        .map_err(|error| CliError::argument(name, text, format!("such as \"12.34 USD\" ({error})")))?;
    let minor = u64::try_from(amount.minor)
        .map_err(|_| CliError::argument(name, text, "an amount of at most 18 digits"))?;
    Ok(Typed { minor, currency: amount.currency })
}

/// An amount from the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Minor units.
    pub minor: u64,
    /// The currency.
    pub currency: CurrencyCode,
}

/// Decimals of a currency by ISO 4217, never as a server says: a wrong number of decimals is a wrong amount signed.
pub fn decimals(currency: CurrencyCode) -> Option<u8> {
    match iso_currency(currency)? {
        IsoCurrency::Decimals(decimals) => Some(decimals),
        IsoCurrency::NoExponent => None,
    }
}

/// An amount in minor units as `12.34 USD`.
pub fn amount(minor: i128, exponent: u32, currency: &str) -> String {
    let exponent = u8::try_from(exponent).unwrap_or(u8::MAX);
    let mut text = format_amount(minor, exponent);
    // Writing to a string does not fail.
    let _ = write!(text, " {currency}");
    text
}

/// A decimal string of the service as `12.34 USD`; as it came when it is no number.
pub fn decimal_amount(minor: &str, exponent: u32, currency: &str) -> String {
    match minor.parse() {
        Ok(minor) => amount(minor, exponent, currency),
        Err(_) => format!("{minor} {currency} (minor units)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_nine_decimals() {
        assert_eq!(time(0), "1970-01-01T00:00:00.000000000Z");
        assert_eq!(time(1_709_210_096_000_000_789), "2024-02-29T12:34:56.000000789Z");
        assert_eq!(time(u64::MAX), "2554-07-21T23:34:33.709551615Z");
    }

    #[test]
    fn amounts_are_exact_and_strict() {
        let usd = parse_amount("--amount", "12.34 USD").unwrap();
        assert_eq!((usd.minor, usd.currency.as_str()), (1234, "USD"));
        assert_eq!(parse_amount("--amount", "500 JPY").unwrap().minor, 500);
        assert_eq!(parse_amount("--amount", "1.250 KWD").unwrap().minor, 1250);
        assert_eq!(parse_amount("--amount", "9999999999999999.99 USD").unwrap().minor, 10u64.pow(18) - 1);
        for wrong in [
            "12.3 USD",
            "12.345 USD",
            "1,00 USD",
            "+1.00 USD",
            "-1.00 USD",
            ".50 USD",
            "1_0.00 USD",
            "01.00 USD",
            "1.00",
            "1.00 usd",
            "1.00 XAU",
            "1.00 QQQ",
            "5.0 JPY",
            "10000000000000000.00 USD",
        ] {
            let error = parse_amount("--amount", wrong).unwrap_err();
            assert!(matches!(error, CliError::Argument { .. }), "{wrong}");
        }
        assert_eq!(amount(-5, 2, "USD"), "-0.05 USD");
        assert_eq!(
            decimal_amount("170141183460469231731687303715884105727", 2, "USD"),
            "1701411834604692317316873037158841057.27 USD"
        );
    }

    #[test]
    fn dates_are_real_days() {
        assert_eq!(parse_date("2026-01-31").unwrap(), 20_260_131);
        assert_eq!(date(20_260_131), "2026-01-31");
        for wrong in ["2026-02-29", "20260131", "2026-1-31", "2026-01-31x", "1969-12-31", "+026-01-31"] {
            assert!(parse_date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn hashes_are_lower_case_hex() {
        assert_eq!(parse_hash("--ledger-id", &"0f".repeat(32)).unwrap(), [0x0f; 32]);
        for wrong in ["0F".repeat(32), "0f".repeat(31), "zz".repeat(32)] {
            assert!(parse_hash("--ledger-id", &wrong).is_err());
        }
    }
}
