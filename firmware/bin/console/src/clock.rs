//! Moments as people of a zone write them, by the tz database of the machine.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::WallTime;

/// As in `2027-03-09 14:05 CET`; in UTC where the zone isn't known here.
pub fn shown(at: WallTime, zone: &str) -> String {
    Timestamp::from_microsecond(at.as_unix_micros())
        .map(|moment| moment.to_zoned(of(zone)))
        .map_or_else(
            |_| String::new(),
            |moment| moment.strftime("%Y-%m-%d %H:%M %Z").to_string(),
        )
}

/// What `2027-03-09 14:05` and with seconds is in the zone.
pub fn parsed(text: &str, zone: &str) -> Option<WallTime> {
    let civil = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
        .iter()
        .find_map(|form| DateTime::strptime(form, text).ok())?;
    let moment = civil.to_zoned(of(zone)).ok()?.timestamp();
    Some(WallTime::from_unix_micros(moment.as_microsecond()))
}

fn of(zone: &str) -> TimeZone {
    TimeZone::get(zone).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_shown() {
        let at = parsed("2027-07-01 14:05", "Europe/Prague").expect("a moment");
        assert_eq!(at.as_unix_seconds(), 1_814_443_500);
        assert_eq!(shown(at, "Europe/Prague"), "2027-07-01 14:05 CEST");
        assert_eq!(shown(at, "No/Where"), "2027-07-01 12:05 UTC");
        assert_eq!(parsed("2027-13-01 14:05", "UTC"), None);
        assert_eq!(parsed("14:05", "UTC"), None);
    }
}
