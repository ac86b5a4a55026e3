//! The fraud protection (PRM-2) in a decision: whether a call to the outside comes upon one of its limits.

use model::config::{Brake, Route as ConfiguredRoute};
use model::explain::Step;
use model::{ExtensionId, Number};
use sip::sdp::Warning;

use super::Decider;
use crate::brakes::Charge;
use crate::leg::Failure;

impl Decider<'_> {
    /// To whose account a call goes that is about to leave; an error where it comes upon a limit.
    pub(super) fn braked(
        &mut self,
        caller: ExtensionId,
        number: &Number,
        route: &ConfiguredRoute,
        sent: &str,
    ) -> Result<Option<Charge>, Failure> {
        let protection = &self.directory.configuration().fraud_protection;
        let group = self.directory.permissions_of(caller);
        if !protection.enabled || group.is_some_and(|group| !group.fraud_protection) {
            return Ok(None);
        }
        let costly = costly(number.as_str(), &route.prefix, sent, |number| {
            protection.costly_prefix(number)
        });
        let mut used = self.moment.used(Some(caller));
        // Those that leave by the same decision are not there yet.
        used.calls = used.calls.saturating_add(self.leaving);
        let all = self.moment.used(None);
        let brake = protection.judge(costly.is_some(), used, all, self.moment.week_time());
        self.steps.push(Step::Brakes {
            extension: caller,
            costly: costly.map(str::to_owned),
            used,
            limits: protection.extension,
            brake,
        });
        match brake {
            Some(brake) => Err(Failure::braked(brake, words(brake))),
            None => {
                self.leaving = self.leaving.saturating_add(1);
                Ok(Some(Charge {
                    extension: caller,
                    costly: costly.is_some(),
                }))
            }
        }
    }
}

/// What makes a number costly: as it is sent, as it is dialled behind the prefix of the route, or in that
/// prefix, where that says by itself that the number is abroad (a route for `00` or `900`).
fn costly<'a>(
    dialled: &str,
    prefix: &str,
    sent: &str,
    judge: impl Fn(&str) -> Option<&'a str>,
) -> Option<&'a str> {
    let behind = dialled.strip_prefix(prefix).unwrap_or(dialled);
    judge(sent).or_else(|| judge(behind)).or_else(|| {
        (0..prefix.len()).find_map(|at| {
            let rest = dialled.get(at..)?;
            judge(rest).filter(|found| found.len() <= prefix.len() - at)
        })
    })
}

/// What a phone may show (RFC 3261 §20.43: 399 is for people).
const fn words(brake: Brake) -> Warning {
    let text = match brake {
        Brake::ExtensionCalls => "This extension has too many calls outside",
        Brake::ExchangeCalls => "The exchange has too many calls outside",
        Brake::ExtensionHour | Brake::ExtensionDay => {
            "This extension has used up its minutes to costly numbers"
        }
        Brake::ExchangeHour | Brake::ExchangeDay => {
            "The exchange has used up its minutes to costly numbers"
        }
        Brake::OutOfHours => "Costly numbers can not be called at this time",
    };
    Warning { code: 399, text }
}

#[cfg(test)]
mod tests {
    use model::config::FraudProtection;

    use super::costly;

    #[test]
    fn a_costly_number_is_known_behind_any_prefix() {
        let found = |country: &str, dialled: &str, prefix: &str, sent: &str| {
            let protection = FraudProtection::preset(country);
            let judge = |number: &str| protection.costly_prefix(number).map(str::len);
            costly(dialled, prefix, sent, |number| {
                judge(number).and_then(|len| "00900000000".get(..len))
            })
            .is_some()
        };
        // Dialled behind a prefix that is taken off, or rewritten, or that is the sign itself.
        for (dialled, prefix, sent) in [
            ("90044201", "9", "0044201"),
            ("90044201", "9", "44201"),
            ("90044201", "9", "+44201"),
            ("0044201", "00", "44201"),
            ("+44201", "+", "44201"),
            ("90044201", "900", "44201"),
            ("0044201", "", "0044201"),
            ("9900123456", "9", "900123456"),
        ] {
            assert!(found("CZ", dialled, prefix, sent), "{dialled} {prefix}");
        }
        for (country, dialled, prefix, sent) in [
            ("CZ", "9777123456", "9", "777123456"),
            ("CZ", "900420777123456", "9", "00420777123456"),
            ("CZ", "00420777123456", "00", "420777123456"),
            // Berlin behind the prefix 0, which is no call abroad.
            ("DE", "0030123456", "0", "030123456"),
            ("DE", "0030123456", "0", "+4930123456"),
        ] {
            assert!(!found(country, dialled, prefix, sent), "{dialled} {prefix}");
        }
    }
}
