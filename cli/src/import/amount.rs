//! Amounts as a bank writes them.

use ledger_core::ids::CurrencyCode;
use ledger_core::money::{self, IsoCurrency, MAX_AMOUNT};

use super::mapping::{AmountText, MappingError, wrong};

/// How a file writes amounts, all in one currency.
#[derive(Clone, Debug)]
pub struct AmountFormat {
    currency: CurrencyCode,
    exponent: u8,
    decimal_mark: char,
    grouping_mark: Option<char>,
}

impl AmountFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// [`MappingError::Value`]: no currency, or one without minor units such as gold; marks that are digits, signs or
    /// the same.
    pub fn new(rule: &AmountText) -> Result<Self, MappingError> {
        let AmountText { decimal_mark, grouping_mark, .. } = *rule;
        let code = CurrencyCode::parse(&rule.currency);
        let Some((currency, IsoCurrency::Decimals(exponent))) =
            code.and_then(|code| Some((code, money::iso_currency(code)?)))
        else {
            return Err(wrong("amount.currency", &rule.currency, "an ISO 4217 currency with minor units"));
        };
        let is_mark = |mark: char| !mark.is_ascii_digit() && mark != '-';
        if !is_mark(decimal_mark) {
            return Err(wrong("amount.decimal_mark", &decimal_mark.to_string(), "neither a digit nor '-'"));
        }
        if let Some(mark) = grouping_mark.filter(|mark| !is_mark(*mark) || *mark == decimal_mark) {
            let expected = "neither a digit nor '-' nor the decimal mark";
            return Err(wrong("amount.grouping_mark", &mark.to_string(), expected));
        }
        Ok(Self { currency, exponent, decimal_mark, grouping_mark })
    }

    /// The currency and its decimals.
    pub fn currency(&self) -> (CurrencyCode, u8) {
        (self.currency, self.exponent)
    }

    /// Minor units of a text: `-` before a negative amount, digits in groups of three or without any, the decimal mark,
    /// exactly the decimals of the currency. `None`: not written so, or more than 18 digits.
    pub fn parse(&self, text: &str) -> Option<i128> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, decimals) = match digits.split_once(self.decimal_mark) {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (digits, None),
        };
        let mut plain = self.ungrouped(whole)?;
        if let Some(decimals) = decimals {
            plain = plain + "." + decimals;
        }
        let minor = i128::from(money::parse_amount(&plain, self.exponent).ok()?);
        Some(if negative { -minor } else { minor })
    }

    /// Minor units of an amount in a mapping, such as `100000.00`.
    pub fn limit(&self, text: &str) -> Option<u64> {
        money::parse_amount(text, self.exponent).ok()
    }

    /// What an amount must look like, in words.
    pub fn expected(&self) -> String {
        let Self { exponent, decimal_mark, .. } = self;
        let largest = money::format_amount(i128::from(MAX_AMOUNT), *exponent);
        format!("digits with exactly {exponent} decimals after {decimal_mark:?}, at most {largest}")
    }

    fn ungrouped(&self, whole: &str) -> Option<String> {
        let Some(mark) = self.grouping_mark.filter(|mark| whole.contains(*mark)) else {
            return Some(whole.to_owned());
        };
        let mut groups = whole.split(mark);
        let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
        let rest: Vec<_> = groups.collect();
        rest.iter().all(|group| group.len() == 3).then(|| first.to_owned() + &rest.concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(
        currency: &str,
        decimal_mark: char,
        grouping_mark: Option<char>,
    ) -> Result<AmountFormat, MappingError> {
        AmountFormat::new(&AmountText { currency: currency.to_owned(), decimal_mark, grouping_mark })
    }

    #[test]
    fn amounts_are_read_exactly() {
        let plain = format("CZK", '.', None).unwrap();
        for (text, minor) in [("700.00", 70_000), ("-5343.70", -534_370), ("0.05", 5), ("0.00", 0)] {
            assert_eq!(plain.parse(text), Some(minor), "{text}");
        }
        let grouped = format("EUR", ',', Some(' ')).unwrap();
        for (text, minor) in [("1 234 567,89", 123_456_789), ("1234567,89", 123_456_789), ("-12,00", -1200)] {
            assert_eq!(grouped.parse(text), Some(minor), "{text}");
        }
        assert_eq!(format("JPY", '.', Some(',')).unwrap().parse("1,234"), Some(1234));
    }

    #[test]
    fn near_misses_are_refused() {
        let grouped = format("EUR", ',', Some('.')).unwrap();
        let texts = [
            "",
            "-",
            "1",
            "1,0",
            "1,000",
            "1.00",
            "+1,00",
            "--1,00",
            "1,00-",
            ",50",
            "1.23,00",
            "1234.567,00",
            ".123,00",
            "1..234,00",
            "1,0 ",
            "1,-5",
            "\u{661},00",
            "9999999999999999999,00",
        ];
        for text in texts {
            assert_eq!(grouped.parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for (currency, decimal, grouping) in [
            ("XAU", '.', None),
            ("EURO", '.', None),
            ("EUR", '5', None),
            ("EUR", '-', None),
            ("EUR", ',', Some(',')),
        ] {
            assert!(format(currency, decimal, grouping).is_err(), "{currency} {decimal:?} {grouping:?}");
        }
    }
}
