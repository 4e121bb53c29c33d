//! Text forms: how ids, times, keys and amounts are typed and shown.

use std::fmt::Write;

use ledger_client::AsOf;
use ledger_core::date;
use ledger_core::ids::{BlockHeight, CurrencyCode, LogIndex};
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

/// A moment that is typed, or a day of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A time, unix nanoseconds.
    Time(u64),
    /// The first nanosecond of a date in UTC.
    Day(u64),
}

impl Moment {
    /// Its first nanosecond.
    pub fn first_nanos(self) -> u64 {
        match self {
            Self::Time(nanos) | Self::Day(nanos) => nanos,
        }
    }

    /// The end of a range that goes up to it: a day is in the range, all of it; a time is the first one after it.
    pub fn end_nanos(self) -> u64 {
        match self {
            Self::Time(nanos) => nanos,
            Self::Day(nanos) => nanos.saturating_add(DAY_NANOS),
        }
    }
}

/// A date that is typed `2026-01-31`, or a time of RFC 3339 in UTC, `2026-01-31T08:30:00Z`, with up to nine decimals.
pub fn parse_moment(name: &'static str, text: &str) -> Result<Moment, CliError> {
    let wrong = || {
        CliError::argument(name, text, "a date such as 2026-01-31, or a time such as 2026-01-31T08:30:00Z")
    };
    let Some((day, time)) = text.split_once('T') else {
        let day = parse_date(name, text).map_err(|_| wrong())?;
        return date::midnight_nanos(day).map(Moment::Day).ok_or_else(wrong);
    };
    let midnight = parse_date(name, day).ok().and_then(date::midnight_nanos).ok_or_else(wrong)?;
    let time = time.strip_suffix('Z').ok_or_else(wrong)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = clock.split(':').collect();
    let [hour, minute, second] = parts[..] else { return Err(wrong()) };
    if ![hour, minute, second].into_iter().all(|part| part.len() == 2 && digits(part))
        || !digits(fraction)
        || !(1..=9).contains(&fraction.len())
    {
        return Err(wrong());
    }
    let number = |part: &str| part.parse::<u64>().map_err(|_| wrong());
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    if hour > 23 || minute > 59 || second > 59 {
        return Err(wrong());
    }
    let nanos = number(&format!("{fraction:0<9}"))?;
    let of_day = ((hour * 60 + minute) * 60 + second) * 1_000_000_000 + nanos;
    midnight.checked_add(of_day).map(Moment::Time).ok_or_else(wrong)
}

/// A moment of the ledger: a log index `17`, a block `block:5`, a time, or a date, which means its end.
pub fn parse_as_of(text: &str) -> Result<AsOf, CliError> {
    let wrong = || {
        let expected = "a log index, block:HEIGHT, a date or a time such as 2026-01-31T08:30:00Z";
        CliError::argument("--as-of", text, expected)
    };
    if let Some(height) = text.strip_prefix("block:") {
        return height.parse().map(|height| AsOf::Block(BlockHeight(height))).map_err(|_| wrong());
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map(|index| AsOf::Entry(LogIndex(index))).map_err(|_| wrong());
    }
    match parse_moment("--as-of", text).map_err(|_| wrong())? {
        Moment::Time(nanos) => Ok(AsOf::Time(nanos)),
        day @ Moment::Day(_) => Ok(AsOf::Time(day.end_nanos().saturating_sub(1))),
    }
}

/// A date that is typed `2026-01-31`, as `yyyymmdd`.
pub fn parse_date(name: &'static str, text: &str) -> Result<u32, CliError> {
    let wrong = || CliError::argument(name, text, "a date such as 2026-01-31");
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let [year, month, day] = parts[..] else { return Err(wrong()) };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) || ![year, month, day].into_iter().all(digits) {
        return Err(wrong());
    }
    let number: u32 = format!("{year}{month}{day}").parse().map_err(|_| wrong())?;
    if date::is_date(number) { Ok(number) } else { Err(wrong()) }
}

/// The day after a date `yyyymmdd`; the last day that there is stays.
pub fn next_day(yyyymmdd: u32) -> u32 {
    let end = date::midnight_nanos(yyyymmdd).and_then(|midnight| midnight.checked_add(DAY_NANOS));
    end.map_or(yyyymmdd, date::utc_date)
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
        let parse_date = |text| parse_date("--effective-date", text);
        assert_eq!(parse_date("2026-01-31").unwrap(), 20_260_131);
        assert_eq!(date(20_260_131), "2026-01-31");
        assert_eq!((next_day(20_240_228), next_day(20_251_231)), (20_240_229, 20_260_101));
        for wrong in ["2026-02-29", "20260131", "2026-1-31", "2026-01-31x", "1969-12-31", "+026-01-31"] {
            assert!(parse_date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_times_days_blocks_or_entries() {
        let parse = |text| parse_moment("--from", text);
        assert_eq!(parse("2024-02-29T12:34:56.000000789Z").unwrap(), Moment::Time(1_709_210_096_000_000_789));
        assert_eq!(parse("2024-02-29T12:34:56Z").unwrap().end_nanos(), 1_709_210_096_000_000_000);
        assert_eq!(parse("1970-01-02T00:00:00.5Z").unwrap(), Moment::Time(DAY_NANOS + 500_000_000));
        let day = parse("1970-01-02").unwrap();
        assert_eq!((day.first_nanos(), day.end_nanos()), (DAY_NANOS, 2 * DAY_NANOS));
        for wrong in [
            "2024-02-29T12:34:56",
            "2024-02-29T12:34Z",
            "2024-02-29T24:00:00Z",
            "2024-02-29T12:60:00Z",
            "2024-02-29T12:34:56.Z",
            "2024-02-29T12:34:56.0000000001Z",
            "2024-02-29T12:34:56ZZ",
            "2024-02-30T12:34:56Z",
            "2024-02-29T+2:34:56Z",
            "2024-02-29 12:34:56Z",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse_as_of("17").unwrap(), AsOf::Entry(LogIndex(17)));
        assert_eq!(parse_as_of("block:5").unwrap(), AsOf::Block(BlockHeight(5)));
        assert_eq!(parse_as_of("1970-01-01").unwrap(), AsOf::Time(DAY_NANOS - 1));
        for wrong in ["", "block:", "block:x", "-1", "99999999999999999999"] {
            assert!(parse_as_of(wrong).is_err(), "{wrong}");
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
