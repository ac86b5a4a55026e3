//! Fraud protection (PRM-2): how much may be talked to costly numbers, when, and how many calls outside an
//! extension may have at a time. Who steals a password shall not run up a bill.

use serde::{Deserialize, Serialize};

use super::routing::is_digits;
use super::{Configuration, FaultCode, Faults, limits};

/// What is known of the numbers of each country: its ISO 3166-1 alpha-2 code, its calling code, what is dialled
/// before the number of another country, what is dialled before a number of its own elsewhere in it, and what
/// its premium numbers begin with; and of the countries of one calling code those that are elsewhere.
const COUNTRIES: &str = include_str!("fraud.csv");

/// A limit of the fraud protection that a call comes upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brake {
    /// The extension has so many calls outside at a time.
    ExtensionCalls,
    /// It has talked so long to costly numbers within an hour.
    ExtensionHour,
    /// Or within a day.
    ExtensionDay,
    /// All extensions together have so many calls outside at a time.
    ExchangeCalls,
    /// They have talked so long to costly numbers within an hour.
    ExchangeHour,
    /// Or within a day.
    ExchangeDay,
    /// Costly numbers are not called at this time.
    OutOfHours,
}

/// How much has been used of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// Calls outside that there are.
    pub calls: u32,
    /// Seconds talked to costly numbers within the last hour.
    pub hour_s: u32,
    /// Seconds talked to costly numbers within the last 24 hours.
    pub day_s: u32,
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FraudLimits {
    /// Calls outside at a time, to whatever numbers; any where there is none.
    pub calls: Option<u16>,
    /// Minutes to costly numbers within an hour.
    pub minutes_an_hour: Option<u16>,
    /// Minutes to costly numbers within 24 hours.
    pub minutes_a_day: Option<u16>,
}

impl FraudLimits {
    /// Which of the limits of minutes is reached, by `over` so many seconds.
    fn talked(&self, used: Used, over: u32) -> [bool; 2] {
        let reached = |used_s: u32, limit: Option<u16>| {
            limit.is_some_and(|minutes| used_s >= u32::from(minutes) * 60 + over)
        };
        [
            reached(used.hour_s, self.minutes_an_hour),
            reached(used.day_s, self.minutes_a_day),
        ]
    }

    /// How long so many lines may talk on, in seconds.
    #[must_use]
    pub fn left_s(&self, used: Used, lines: u32) -> Option<u32> {
        let left = |used_s: u32, limit: Option<u16>| {
            limit.map(|minutes| (u32::from(minutes) * 60).saturating_sub(used_s) / lines.max(1))
        };
        let hour = left(used.hour_s, self.minutes_an_hour);
        let day = left(used.day_s, self.minutes_a_day);
        hour.into_iter().chain(day).min()
    }
}

/// The hours of a day of the week, in minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayHours {
    /// From this one on.
    pub from_min: u16,
    /// Up to this one, which is none of them; 1440 is midnight.
    pub to_min: u16,
}

/// A moment of the week, in the time of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeekTime {
    /// Days since Monday.
    pub day: usize,
    /// Minutes since midnight.
    pub minute: u16,
}

impl WeekTime {
    /// Of a moment in civil time, so many seconds east of UTC.
    #[must_use]
    pub fn of(wall: crate::WallTime, offset_s: i32) -> Self {
        let local = wall.as_unix_seconds().saturating_add(offset_s.into());
        // 1970-01-01 was a Thursday.
        let day = (local.div_euclid(86_400) + 3).rem_euclid(7);
        let minute = local.rem_euclid(86_400) / 60;
        Self {
            day: usize::try_from(day).unwrap_or(0),
            minute: u16::try_from(minute).unwrap_or(0),
        }
    }
}

/// The fraud protection. A call for help never comes upon it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FraudProtection {
    /// It is on.
    pub enabled: bool,
    /// What costly numbers begin with, as they are sent or as they are dialled behind the prefix for calls out.
    pub costly: Vec<String>,
    /// What numbers begin with that are not costly all the same. The longest that fits decides.
    pub exempt: Vec<String>,
    /// Of each extension.
    pub extension: FraudLimits,
    /// Of all extensions together.
    pub exchange: FraudLimits,
    /// When costly numbers may be called, from Monday on; at any time where there is none.
    pub hours: Option<[Option<DayHours>; 7]>,
}

impl FraudProtection {
    /// What holds where nobody has set anything: on, with what is known of the country. Of another country all
    /// others are costly, and where nothing is known of it whatever looks like an international number.
    #[must_use]
    pub fn preset(country: &str) -> Self {
        let (costly, exempt) = preset_prefixes(country);
        Self {
            enabled: true,
            costly,
            exempt,
            extension: FraudLimits {
                calls: Some(5),
                minutes_an_hour: Some(60),
                minutes_a_day: Some(180),
            },
            exchange: FraudLimits {
                calls: None,
                minutes_an_hour: Some(300),
                minutes_a_day: Some(1200),
            },
            hours: None,
        }
    }

    /// What a number begins with that makes it costly; none where it is not.
    #[must_use]
    pub fn costly_prefix(&self, number: &str) -> Option<&str> {
        fn longest<'a>(list: &'a [String], number: &str) -> Option<&'a str> {
            let fits = list.iter().filter(|prefix| number.starts_with(*prefix));
            fits.max_by_key(|prefix| prefix.len()).map(String::as_str)
        }
        let costly = longest(&self.costly, number)?;
        let exempt = longest(&self.exempt, number).map_or(0, str::len);
        (costly.len() > exempt).then_some(costly)
    }

    /// The limit that a call comes upon which is about to leave.
    #[must_use]
    pub fn judge(
        &self,
        costly: bool,
        extension: Used,
        exchange: Used,
        time: WeekTime,
    ) -> Option<Brake> {
        let full = |used: Used, limits: &FraudLimits| {
            (limits.calls).is_some_and(|calls| used.calls >= u32::from(calls))
        };
        if full(extension, &self.extension) {
            return Some(Brake::ExtensionCalls);
        }
        if full(exchange, &self.exchange) {
            return Some(Brake::ExchangeCalls);
        }
        if !costly {
            return None;
        }
        if !self.is_open(time) {
            return Some(Brake::OutOfHours);
        }
        let [hour, day] = self.extension.talked(extension, 0);
        let [all_hour, all_day] = self.exchange.talked(exchange, 0);
        [
            (hour, Brake::ExtensionHour),
            (day, Brake::ExtensionDay),
            (all_hour, Brake::ExchangeHour),
            (all_day, Brake::ExchangeDay),
        ]
        .into_iter()
        .find_map(|(reached, brake)| reached.then_some(brake))
    }

    /// The limit that ends the calls of an extension to costly numbers. A single line never talks more than
    /// an hour within an hour: it is to be passed, not reached.
    #[must_use]
    pub fn ends(&self, extension: Used) -> Option<Brake> {
        match self.extension.talked(extension, 1) {
            [true, _] => Some(Brake::ExtensionHour),
            [_, true] => Some(Brake::ExtensionDay),
            [false, false] => None,
        }
    }

    fn is_open(&self, time: WeekTime) -> bool {
        self.hours.is_none_or(|days| {
            let hours = days.get(time.day).copied().flatten();
            hours.is_some_and(|hours| (hours.from_min..hours.to_min).contains(&time.minute))
        })
    }
}

/// What costly numbers of a country begin with, and what others do that look like them.
fn preset_prefixes(country: &str) -> (Vec<String>, Vec<String>) {
    let known = COUNTRIES.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        match *fields.as_slice() {
            [code, calling, abroad, trunk, premium, elsewhere] if code == country => {
                Some((calling, abroad, trunk, premium, elsewhere))
            }
            _ => None,
        }
    });
    let Some((calling, abroad, trunk, premium, elsewhere)) = known else {
        return (vec!["+".into(), "00".into()], Vec::new());
    };
    let home = || ["+"].into_iter().chain(abroad.split(' '));
    let mut costly: Vec<String> = home().map(str::to_owned).collect();
    let exempt = home().map(|before| format!("{before}{calling}")).collect();
    for number in premium.split_whitespace() {
        costly.push(number.to_owned());
        let bare = number.strip_prefix(trunk).unwrap_or(number);
        costly.extend(home().map(|before| format!("{before}{calling}{bare}")));
    }
    for code in elsewhere.split_whitespace() {
        costly.push(format!("{trunk}{code}"));
        costly.extend(home().map(|before| format!("{before}{calling}{code}")));
    }
    (costly, exempt)
}

impl Configuration {
    /// The fraud protection of a configuration in which nobody has set any.
    #[must_use]
    pub fn preset_fraud_protection(&self) -> FraudProtection {
        FraudProtection::preset(&self.general.country)
    }

    pub(super) fn check_fraud_protection(&self, faults: &mut Faults) {
        let protection = &self.fraud_protection;
        let at = |field: &str| format!("/fraud_protection/{field}");
        for (field, list) in [
            ("costly", &protection.costly),
            ("exempt", &protection.exempt),
        ] {
            if list.len() > limits::PERMISSION_RULES {
                faults.add(
                    at(field),
                    FaultCode::TooMany,
                    "the list has at most 500 beginnings of numbers",
                );
            }
            for (index, prefix) in list.iter().enumerate() {
                if prefix.is_empty() || !is_digits(prefix) {
                    faults.add(
                        at(&format!("{field}/{index}")),
                        FaultCode::InvalidNumber,
                        "use digits, * and #, and + at the beginning",
                    );
                }
            }
        }
        for (field, of) in [
            ("extension", protection.extension),
            ("exchange", protection.exchange),
        ] {
            let minutes = |limit: Option<u16>, most: u16| limit.is_some_and(|limit| limit > most);
            for (what, wrong, text) in [
                ("calls", of.calls == Some(0), "allow at least one call"),
                (
                    "minutes_an_hour",
                    minutes(of.minutes_an_hour, limits::FRAUD_MINUTES_AN_HOUR),
                    "use at most 6000 minutes",
                ),
                (
                    "minutes_a_day",
                    minutes(of.minutes_a_day, limits::FRAUD_MINUTES_A_DAY),
                    "use at most 60000 minutes",
                ),
            ] {
                if wrong {
                    faults.add(at(&format!("{field}/{what}")), FaultCode::OutOfRange, text);
                }
            }
        }
        for (day, hours) in (protection.hours.iter().flatten().enumerate())
            .filter_map(|(day, hours)| Some((day, (*hours)?)))
        {
            if hours.from_min >= hours.to_min || hours.to_min > 24 * 60 {
                faults.add(
                    at(&format!("hours/{day}")),
                    FaultCode::OutOfRange,
                    "let it end after it begins, on the same day",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WallTime;

    const NOON: WeekTime = WeekTime {
        day: 0,
        minute: 720,
    };

    fn is_costly(country: &str, number: &str) -> bool {
        (FraudProtection::preset(country).costly_prefix(number)).is_some()
    }

    #[test]
    fn of_each_country_calls_abroad_and_premium_numbers_are_costly() {
        for (country, costly, cheap) in [
            (
                "CZ",
                &[
                    "0044201234567",
                    "+37122",
                    "900123456",
                    "+420909111222",
                    "00420906",
                ][..],
                &[
                    "777123456",
                    "+420777123456",
                    "00420222333444",
                    "112",
                    "1188",
                ][..],
            ),
            (
                "DE",
                &["0900123", "+49900123", "00420777", "01371"],
                &["030123456", "+4930123"],
            ),
            (
                "GB",
                &["0906123", "07012345", "0033"],
                &["07700900123", "+442079460000"],
            ),
            (
                "US",
                &["01144", "19005550100", "18765550100", "+18765550100", "+44"],
                &["12125550100", "+12125550100", "8005550100"],
            ),
            ("XX", &["00420", "+1"], &["900123", "5551234"]),
        ] {
            for number in costly {
                assert!(is_costly(country, number), "{country} {number}");
            }
            for number in cheap {
                assert!(!is_costly(country, number), "{country} {number}");
            }
        }
    }

    #[test]
    fn every_preset_is_one_that_can_be_set() {
        let mut seen = std::collections::BTreeSet::new();
        for line in COUNTRIES.lines() {
            let country = line.split(',').next().unwrap_or_default();
            assert_eq!(line.split(',').count(), 6, "{line}");
            assert!(seen.insert(country), "{country} is there twice");
            let mut configuration = Configuration::initial();
            configuration.general.country = country.into();
            configuration.fraud_protection = configuration.preset_fraud_protection();
            assert_eq!(configuration.check(), [], "{country}");
            assert!(configuration.fraud_protection.costly.len() > 1, "{country}");
        }
    }

    #[test]
    fn each_limit_is_a_brake_and_minutes_are_of_costly_numbers_alone() {
        let mut protection = FraudProtection::preset("CZ");
        protection.exchange.calls = Some(9);
        let judge = |costly: bool, extension: (u32, u32, u32), exchange: (u32, u32, u32)| {
            let used = |(calls, hour, day): (u32, u32, u32)| Used {
                calls,
                hour_s: hour * 60,
                day_s: day * 60,
            };
            protection.judge(costly, used(extension), used(exchange), NOON)
        };
        let none = (0, 0, 0);
        assert_eq!(judge(true, (4, 59, 179), (8, 299, 1199)), None);
        for (extension, exchange, brake) in [
            ((5, 0, 0), none, Brake::ExtensionCalls),
            ((0, 60, 60), none, Brake::ExtensionHour),
            ((0, 59, 180), none, Brake::ExtensionDay),
            (none, (9, 0, 0), Brake::ExchangeCalls),
            (none, (0, 300, 300), Brake::ExchangeHour),
            (none, (0, 0, 1200), Brake::ExchangeDay),
        ] {
            assert_eq!(judge(true, extension, exchange), Some(brake));
            let of_calls = matches!(brake, Brake::ExtensionCalls | Brake::ExchangeCalls);
            assert_eq!(judge(false, extension, exchange).is_some(), of_calls);
        }
        let talked = |hour_s: u32| {
            protection.ends(Used {
                calls: 1,
                hour_s,
                day_s: hour_s,
            })
        };
        assert_eq!(
            (talked(3600), talked(3601)),
            (None, Some(Brake::ExtensionHour))
        );
    }

    #[test]
    fn costly_numbers_may_have_their_hours() {
        let mut protection = FraudProtection::preset("CZ");
        let mut days = [None; 7];
        days[4] = Some(DayHours {
            from_min: 8 * 60,
            to_min: 17 * 60,
        });
        protection.hours = Some(days);
        // 2023-11-14 22:13:20 UTC, a Tuesday.
        let tuesday = WallTime::from_unix_seconds(1_700_000_000);
        let time = WeekTime::of(tuesday, 3600);
        assert_eq!((time.day, time.minute), (1, 23 * 60 + 13));
        assert_eq!(WeekTime::of(tuesday, 7200).day, 2);
        assert_eq!(WeekTime::of(WallTime::from_unix_seconds(0), -3600).day, 2);
        let judge = |costly: bool, day: usize, minute: u16| {
            let nothing = Used::default();
            protection.judge(costly, nothing, nothing, WeekTime { day, minute })
        };
        assert_eq!(judge(true, 4, 480), None);
        assert_eq!(judge(true, 4, 479), Some(Brake::OutOfHours));
        assert_eq!(judge(true, 4, 1020), Some(Brake::OutOfHours));
        assert_eq!(judge(true, 3, 600), Some(Brake::OutOfHours));
        assert_eq!(judge(false, 3, 600), None);
    }

    #[test]
    fn what_is_wrong_with_the_fraud_protection_is_told_at_its_field() {
        let mut configuration = Configuration::initial();
        let protection = &mut configuration.fraud_protection;
        protection.costly = vec!["00".into(), "9OO".into()];
        protection.exempt = vec![String::new()];
        protection.extension.calls = Some(0);
        protection.exchange.minutes_a_day = Some(60_001);
        let mut days = [None; 7];
        days[6] = Some(DayHours {
            from_min: 600,
            to_min: 600,
        });
        protection.hours = Some(days);
        let paths: Vec<String> = (configuration.check().into_iter())
            .map(|fault| fault.path.replace("/fraud_protection/", ""))
            .collect();
        let expected = [
            "costly/1",
            "exempt/0",
            "extension/calls",
            "exchange/minutes_a_day",
            "hours/6",
        ];
        assert_eq!(paths, expected);
    }
}
