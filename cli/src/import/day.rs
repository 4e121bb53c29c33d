//! Calendar days as a bank writes them.

use ledger_core::date;

use super::mapping::{DateText, MappingError, wrong};

/// A real day from 1970-01-01 to 2554-07-21, the last whose nanoseconds fit into 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Day {
    yyyymmdd: u32,
    midnight_nanos: u64,
}

/// How a file writes days.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DayFormat {
    pieces: Vec<Piece>,
    century: u32,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece {
    Year(usize),
    Month,
    Day,
    Text(char),
}

impl Day {
    /// The day of a year, month and day of the month; `None`: there is no such day, or it lies before 1970.
    pub fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let yyyymmdd = year.checked_mul(10_000)?.checked_add(month.checked_mul(100)?)?.checked_add(day)?;
        date::midnight_nanos(yyyymmdd).map(|midnight_nanos| Self { yyyymmdd, midnight_nanos })
    }

    /// As a number, `yyyymmdd`.
    pub fn yyyymmdd(self) -> u32 {
        self.yyyymmdd
    }

    /// Its first nanosecond in UTC, unix time.
    pub fn midnight_nanos(self) -> u64 {
        self.midnight_nanos
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day) = (self.yyyymmdd / 10_000, self.yyyymmdd / 100 % 100, self.yyyymmdd % 100);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl DayFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// [`MappingError::Value`]: year, month or day missing or twice; a `yy` without a century.
    pub fn parse(rule: &DateText) -> Result<Self, MappingError> {
        let mut pieces = Vec::new();
        let mut rest = rule.format.as_str();
        let names =
            [("yyyy", Piece::Year(4)), ("yy", Piece::Year(2)), ("mm", Piece::Month), ("dd", Piece::Day)];
        while let Some(letter) = rest.chars().next() {
            match names.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, piece)) => {
                    pieces.push(*piece);
                    rest = &rest[name.len()..];
                }
                None => {
                    pieces.push(Piece::Text(letter));
                    rest = &rest[letter.len_utf8()..];
                }
            }
        }
        let count = |wanted: fn(&Piece) -> bool| pieces.iter().filter(|piece| wanted(piece)).count();
        let once = count(|p| matches!(p, Piece::Year(_))) == 1
            && count(|p| *p == Piece::Month) == 1
            && count(|p| *p == Piece::Day) == 1;
        if !once {
            return Err(wrong("date.format", &rule.format, "yyyy or yy, mm and dd, each once"));
        }
        let short = pieces.contains(&Piece::Year(2));
        let century = match rule.century {
            Some(century) if short && century % 100 == 0 => century,
            None if !short => 0,
            Some(century) => return Err(wrong("date.century", &century.to_string(), CENTURY)),
            None => return Err(wrong("date.century", "", CENTURY)),
        };
        Ok(Self { pieces, century, text: rule.format.clone() })
    }

    /// The day that a text names; `None`: it is not written so, or there is no such day from 1970 on.
    pub fn day(&self, text: &str) -> Option<Day> {
        let mut rest = text;
        let (mut year, mut month, mut day) = (0, 0, 0);
        for piece in &self.pieces {
            let number = |length: usize| {
                let (digits, after) = rest.split_at_checked(length)?;
                let all_digits = digits.bytes().all(|b| b.is_ascii_digit());
                all_digits.then(|| Some((digits.parse::<u32>().ok()?, after))).flatten()
            };
            let target = match piece {
                Piece::Text(letter) => {
                    rest = rest.strip_prefix(*letter)?;
                    continue;
                }
                Piece::Year(length) => (&mut year, number(*length)?),
                Piece::Month => (&mut month, number(2)?),
                Piece::Day => (&mut day, number(2)?),
            };
            (*target.0, rest) = target.1;
        }
        if !rest.is_empty() {
            return None;
        }
        Day::new(self.century + year, month, day)
    }

    /// What a date must look like, in words.
    pub fn expected(&self) -> String {
        format!("a day from 1970-01-01 on, written {}", self.text)
    }
}

const CENTURY: &str = "a multiple of 100 with yy, nothing with yyyy";

#[cfg(test)]
mod tests {
    use super::*;

    fn format(text: &str, century: Option<u32>) -> Result<DayFormat, MappingError> {
        DayFormat::parse(&DateText { format: text.to_owned(), century })
    }

    #[test]
    fn days_are_read_as_written() {
        let short = format("yymmdd", Some(1900)).unwrap();
        assert_eq!(short.day("930101").map(Day::yyyymmdd), Some(19_930_101));
        assert_eq!(short.day("930101").map(Day::midnight_nanos), Some(725_846_400_000_000_000));
        let dotted = format("dd.mm.yyyy", None).unwrap();
        assert_eq!(dotted.day("29.02.2024").map(|day| day.to_string()), Some("2024-02-29".to_owned()));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        let short = format("yymmdd", Some(1900)).unwrap();
        for text in ["", "93010", "9301011", "930230", "931301", "690101", "93+101", "93é01", " 30101"] {
            assert_eq!(short.day(text), None, "{text}");
        }
        assert_eq!(format("dd.mm.yyyy", None).unwrap().day("29-02-2024"), None);
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for (text, century) in [
            ("yymm", Some(1900)),
            ("yymmdddd", Some(1900)),
            ("yymmdd", None),
            ("yymmdd", Some(1950)),
            ("yyyymmdd", Some(0)),
        ] {
            assert!(format(text, century).is_err(), "{text} {century:?}");
        }
    }
}
