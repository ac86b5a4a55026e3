//! `Date` (RFC 3261 §20.17): RFC 1123's form, GMT only.

use model::WallTime;

use super::{Field, display_field};
use crate::message::chars::trim;
use crate::message::error::Malformed;

/// A moment in civil time, whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub WallTime);

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
/// From Thursday, the day of the epoch.
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const DAY_S: i64 = 86_400;

impl Field for Date {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        const WHAT: Malformed = Malformed("not of the form `Sat, 13 Nov 2010 23:29:00 GMT`");
        let text = core::str::from_utf8(trim(value)).map_err(|_| WHAT)?;
        let (weekday, rest) = text.split_once(',').ok_or(WHAT)?;
        if !DAYS.iter().any(|day| day.eq_ignore_ascii_case(weekday)) {
            return Err(WHAT);
        }
        let mut words = rest.split_ascii_whitespace();
        let mut word = || words.next().ok_or(WHAT);
        let day = number(word()?, 2).ok_or(WHAT)?;
        let month_name = word()?;
        let month = MONTHS
            .iter()
            .zip(1i64..)
            .find(|(name, _)| name.eq_ignore_ascii_case(month_name))
            .map(|(_, month)| month)
            .ok_or(WHAT)?;
        let year = number(word()?, 4).ok_or(WHAT)?;
        let mut clock = word()?.split(':').map(|part| number(part, 2));
        let mut part = || clock.next().flatten().ok_or(WHAT);
        let (hour, minute, second) = (part()?, part()?, part()?);
        if !word()?.eq_ignore_ascii_case("GMT") {
            return Err(Malformed("zone is not GMT"));
        }
        let in_range = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
        if !in_range || words.next().is_some() || clock.next().is_some() {
            return Err(WHAT);
        }
        let seconds =
            days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
        Ok(Self(WallTime::from_unix_seconds(seconds)))
    }

    fn write(&self, out: &mut Vec<u8>) {
        let seconds = self.0.as_unix_seconds();
        let days = seconds.div_euclid(DAY_S);
        let clock = seconds.rem_euclid(DAY_S);
        let (year, month, day) = civil_from_days(days);
        let name = |names: &[&'static str], at: i64| {
            usize::try_from(at)
                .ok()
                .and_then(|at| names.get(at).copied())
                .unwrap_or_default()
        };
        let text = format!(
            "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} GMT",
            name(&DAYS, days.rem_euclid(7)),
            name(&MONTHS, month - 1),
            clock / 3600,
            clock / 60 % 60,
            clock % 60,
        );
        out.extend_from_slice(text.as_bytes());
    }
}

/// At most `digits` digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    if text.is_empty() || text.len() > digits || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar, by 400-year eras that
/// begin with March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`]: year, month, day.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

display_field!(Date);
