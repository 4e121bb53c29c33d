//! Dates, counted day by day from 1970-01-01.

/// The UTC date of a moment as `yyyymmdd`.
pub fn utc_date(nanos: u64) -> u32 {
    let mut days = nanos / 86_400_000_000_000;
    let (mut year, mut month) = (1970, 1);
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    year * 10_000 + month * 100 + u32::try_from(days).expect("days of a month") + 1
}

/// Whether a number is a Gregorian date from 19700101 to 99991231.
pub(super) fn is_date(number: u32) -> bool {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && day >= 1
        && u64::from(day) <= days_of_month(year, month)
}

fn days_of_year(year: u32) -> u64 {
    (1..=12).map(|month| days_of_month(year, month)).sum()
}

fn days_of_month(year: u32, month: u32) -> u64 {
    let is_leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    match month {
        2 => 28 + u64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
