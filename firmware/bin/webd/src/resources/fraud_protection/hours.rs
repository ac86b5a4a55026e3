//! The hours of a week as the API writes them.

use model::config;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::problem::{FieldCode, Problem};

/// The hours of a day.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DayHours {
    /// From this time on.
    #[schema(example = "08:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    from: String,
    /// Up to this time, which is none of them.
    #[schema(example = "17:30", pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
    to: String,
}

/// Seven days from Monday on.
pub(super) fn into_model(
    days: Vec<Option<DayHours>>,
) -> Result<[Option<config::DayHours>; 7], Problem> {
    let mut week = Vec::with_capacity(days.len());
    for (index, day) in days.into_iter().enumerate() {
        let minutes = |field: &str, text: &str| {
            minutes(text).ok_or_else(|| {
                let at = format!("/hours/{index}/{field}");
                Problem::field(&at, FieldCode::Invalid, "enter a time such as 08:00")
            })
        };
        week.push(match day {
            Some(day) => Some(config::DayHours {
                from_min: minutes("from", &day.from)?,
                to_min: minutes("to", &day.to)?,
            }),
            None => None,
        });
    }
    week.try_into().map_err(|_| {
        Problem::field(
            "/hours",
            FieldCode::Invalid,
            "give seven days, from Monday on",
        )
    })
}

pub(super) fn of_model(week: [Option<config::DayHours>; 7]) -> Vec<Option<DayHours>> {
    let clock = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let days = week.into_iter().map(|day| {
        day.map(|day| DayHours {
            from: clock(day.from_min),
            to: clock(day.to_min),
        })
    });
    days.collect()
}

/// Minutes since midnight of `HH:MM`.
fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        let is_two = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        is_two.then(|| digits.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::minutes;

    #[test]
    fn times_of_a_day_are_read_up_to_midnight() {
        assert_eq!(minutes("08:30"), Some(510));
        assert_eq!(minutes("24:00"), Some(1440));
        for wrong in ["8:30", "24:01", "08:60", "", "0830", "+8:00", "08:3o"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
    }
}
