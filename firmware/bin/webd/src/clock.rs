//! The time, for people: read here and nowhere else, written as RFC 3339 in answers and as the
//! rows of a log show it.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::WallTime;

pub use platform::clock::wall as now;

/// RFC 3339 in UTC, to the millisecond: `2026-11-22T07:35:53.120Z`.
#[must_use]
pub fn rfc3339(at: WallTime) -> String {
    format!("{:.3}", timestamp(at))
}

/// As in a log (LOG-1): `22/Nov/2026 08:35:53`, in the time of the box.
#[must_use]
pub fn log_style(at: WallTime) -> String {
    timestamp(at)
        .to_zoned(TimeZone::system())
        .strftime("%d/%b/%Y %H:%M:%S")
        .to_string()
}

/// As spreadsheets read it: `2026-11-22 08:35:53`, in the time of the box.
#[must_use]
pub fn table_style(at: WallTime) -> String {
    timestamp(at)
        .to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// The beginning of the day of `at`, in the time of the box.
#[must_use]
pub fn midnight(at: WallTime) -> WallTime {
    let day = timestamp(at).to_zoned(TimeZone::system()).start_of_day();
    day.map_or(at, |day| {
        WallTime::from_unix_micros(day.timestamp().as_microsecond())
    })
}

/// Reads RFC 3339.
#[must_use]
pub fn parse(text: &str) -> Option<WallTime> {
    let at: Timestamp = text.parse().ok()?;
    Some(WallTime::from_unix_micros(at.as_microsecond()))
}

fn timestamp(at: WallTime) -> Timestamp {
    Timestamp::from_microsecond(at.as_unix_micros()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_as_it_was_written() {
        let at = WallTime::from_unix_micros(1_795_332_953_120_000);
        assert_eq!(rfc3339(at), "2026-11-22T07:35:53.120Z");
        assert_eq!(parse("2026-11-22T08:35:53.12+01:00"), Some(at));
        assert_eq!(parse("yesterday"), None);
    }
}
