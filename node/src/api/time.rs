//! Times as text: RFC 3339 in UTC, and days of the Gregorian calendar.
//!
//! The calendar follows Howard Hinnant, "chrono-compatible low-level date algorithms": years begin
//! in March, so that the leap day is the last of its year, and 400 years are one era.

use diwan_api::error::ApiError;

const DAY_MS: u64 = 86_400_000;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_DAYS: u64 = 719_468;
const ERA_DAYS: u64 = 146_097;
/// The last day with a year of four digits, 9999-12-31, in days since 1970.
const LAST_DAY: u64 = 2_932_896;

/// A time as RFC 3339 writes it, to the millisecond. What a clock says beyond the year 9999, which
/// RFC 3339 has no digits for, becomes the last millisecond of that year.
pub(super) fn rfc3339(ms: u64) -> String {
    let ms = ms.min((LAST_DAY + 1) * DAY_MS - 1);
    let (year, month, day) = date_of(ms / DAY_MS);
    let of_day = ms % DAY_MS;
    let (seconds, millis) = (of_day / 1000, of_day % 1000);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

/// A day as `YYYY-MM-DD`; `today` is the one of this node's clock.
pub(super) fn day(field: &str, text: &str, now_ms: u64) -> Result<String, ApiError> {
    if text == "today" {
        return Ok(rfc3339(now_ms).chars().take("YYYY-MM-DD".len()).collect());
    }
    day_start_ms(field, text).map(|_| text.to_owned())
}

/// Where a day `YYYY-MM-DD` begins, in milliseconds since 1970; 0 for a day before.
pub(super) fn day_start_ms(field: &str, text: &str) -> Result<u64, ApiError> {
    let refused = || ApiError::invalid(field, text, "a day as YYYY-MM-DD");
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return Err(refused());
    };
    let number = |digits: &str, length: usize| {
        let good = digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| digits.parse::<u64>().ok()).flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2))
    else {
        return Err(refused());
    };
    if !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
        return Err(refused());
    }
    Ok(days_since_1970(year, month, day).saturating_mul(DAY_MS))
}

/// Year, month and day of a number of days since 1970.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH_DAYS;
    let (era, of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = match month_from_march {
        0..10 => month_from_march + 3,
        _ => month_from_march - 9,
    };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// Days since 1970 of a date; 0 for one before.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    // A date before March belongs to the year before; the year 0 has no such date.
    let year = match month {
        ..=2 => year.saturating_sub(1),
        _ => year,
    };
    let month_from_march = (month + 9) % 12;
    let of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let (era, year_of_era) = (year / 400, year % 400);
    let of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    (era * ERA_DAYS + of_era).saturating_sub(EPOCH_DAYS)
}

fn days_in(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times_are_written() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_793_491_200_001, "2026-11-01T00:00:00.001Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }

    #[test]
    fn days_that_are_none_are_refused() {
        for bad in [
            "",
            "2026",
            "2026-13-01",
            "2026-00-10",
            "2026-02-29",
            "2100-02-29",
            "2026-04-31",
            "2026-1-1",
            "26-01-01",
            "2026-01-01T00:00:00Z",
            "２０２６-01-01",
            "-026-01-01",
        ] {
            let error = day_start_ms("since", bad).unwrap_err();
            assert_eq!(error.args["field"], "since", "{bad}");
        }
        assert_eq!(day_start_ms("since", "1969-12-31"), Ok(0));
        assert_eq!(day_start_ms("since", "0000-01-01"), Ok(0));
        assert_eq!(day_start_ms("since", "2000-02-29"), Ok(951_782_400_000));
    }

    proptest! {
        #[test]
        fn a_day_reads_back_from_its_text(day in 0..=LAST_DAY) {
            let text = rfc3339(day * DAY_MS);
            prop_assert_eq!(day_start_ms("since", &text[..10]), Ok(day * DAY_MS));
        }

        #[test]
        fn later_times_sort_later(a in 0..(LAST_DAY * DAY_MS), b in 0..(LAST_DAY * DAY_MS)) {
            prop_assert_eq!(rfc3339(a).cmp(&rfc3339(b)), a.cmp(&b));
        }
    }
}
