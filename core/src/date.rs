//! Dates of the proleptic Gregorian calendar as numbers `yyyymmdd`, from 1970-01-01 to 9999-12-31, in UTC.

const DAY_NANOS: u64 = 86_400_000_000_000;

/// The UTC date of a moment, `yyyymmdd`.
pub fn utc_date(unix_nanos: u64) -> u32 {
    let days = unix_nanos / DAY_NANOS;
    // Years counted from March, so that the leap day is the last of its year; 719,468 days lie between 0000-03-01 and
    // 1970-01-01, and 146,097 days make the 400 years after which the calendar repeats.
    let since_march_0000 = days + 719_468;
    let era = since_march_0000 / 146_097;
    let day_of_era = since_march_0000 % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = 400 * era + year_of_era + u64::from(month <= 2);
    // A u64 of nanoseconds ends in the year 2554, so the number has eight digits.
    u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(u32::MAX)
}

/// The first nanosecond of a date in UTC; `None` for what is not a date from 19700101 on, or lies beyond a u64 of
/// nanoseconds, whose last date is 25540721.
pub fn midnight_nanos(yyyymmdd: u32) -> Option<u64> {
    let (year, month, day) = year_month_day(yyyymmdd)?;
    let year_from_march = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let leap_days = year_from_march / 4 - year_from_march / 100 + year_from_march / 400;
    let days = 365 * year_from_march + leap_days + (153 * month_from_march + 2) / 5 + day - 1 - 719_468;
    days.checked_mul(DAY_NANOS)
}

/// Whether a number is a date from 19700101 to 99991231.
pub fn is_date(yyyymmdd: u32) -> bool {
    year_month_day(yyyymmdd).is_some()
}

fn year_month_day(yyyymmdd: u32) -> Option<(u64, u64, u64)> {
    let (year, month, day) =
        (u64::from(yyyymmdd / 10_000), u64::from(yyyymmdd / 100 % 100), u64::from(yyyymmdd % 100));
    let days = days_of_month(year, month)?;
    ((1970..=9999).contains(&year) && (1..=days).contains(&day)).then_some((year, month, day))
}

fn days_of_month(year: u64, month: u64) -> Option<u64> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if is_leap { 29 } else { 28 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_have_their_dates() {
        assert_eq!(utc_date(0), 19_700_101);
        assert_eq!(utc_date(DAY_NANOS - 1), 19_700_101);
        assert_eq!(utc_date(DAY_NANOS), 19_700_102);
        assert_eq!(utc_date(951_782_400_000_000_000), 20_000_229);
        assert_eq!(utc_date(1_767_603_600_000_000_000), 20_260_105);
        assert_eq!(utc_date(u64::MAX), 25_540_721);
    }

    #[test]
    fn every_day_round_trips_until_the_end_of_u64() {
        let mut last = 0;
        for day in 0..=u64::MAX / DAY_NANOS {
            let date = utc_date(day * DAY_NANOS);
            assert!(date > last, "dates grow");
            assert_eq!(midnight_nanos(date), Some(day * DAY_NANOS));
            last = date;
        }
    }

    #[test]
    fn what_is_not_a_date_is_none() {
        for number in [
            0,
            19_691_231,
            19_700_100,
            19_700_132,
            19_701_301,
            19_700_001,
            20_230_229,
            21_000_229,
            20_260_431,
            99_999_999,
            100_000_101,
            u32::MAX,
        ] {
            assert_eq!(midnight_nanos(number), None, "{number}");
            assert!(!is_date(number), "{number}");
        }
        for number in [19_700_101, 20_000_229, 20_240_229, 25_540_721, 25_540_722, 24_000_229, 99_991_231] {
            assert!(is_date(number), "{number}");
        }
    }

    #[test]
    fn the_calendar_goes_on_where_times_end() {
        assert_eq!(midnight_nanos(25_540_721), Some(u64::MAX / DAY_NANOS * DAY_NANOS));
        for number in [25_540_722, 25_550_101, 99_991_231] {
            assert_eq!(midnight_nanos(number), None, "{number}");
        }
    }
}
