//! Phones that were not let in, for who asks why a phone does not come: of each extension the last
//! one, and the user names that no extension has. What the Security log says of them is `security`'s.

use core::net::IpAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use model::control::{FailedLogin, LoginFailure, UnknownLogin};
use model::{ExtensionId, Instant, WallTime};

use crate::security::shown;

/// A failure is told for so long: the next working day has begun by then.
const KEPT: Duration = Duration::from_hours(24);

/// A user name that no extension has is told for so long after its last try: a phone that is not let
/// in tries again within the hour.
const UNKNOWN_KEPT: Duration = Duration::from_hours(1);

/// Such user names kept, the last ones: more are no phones that somebody set up wrongly.
const UNKNOWN: usize = 20;

/// Failures told at a time, the last ones: they are written in one go, and nobody reads more.
const TOLD: usize = 1000;

/// What failed.
#[derive(Debug, Default)]
pub(crate) struct FailedLogins {
    /// The last of each extension there is.
    known: BTreeMap<ExtensionId, (Instant, FailedLogin)>,
    /// By the name as it is shown.
    unknown: BTreeMap<String, (Instant, UnknownLogin)>,
}

impl FailedLogins {
    /// A phone with the user name of an extension was not let in.
    pub(crate) fn failed(
        &mut self,
        now: Instant,
        at: WallTime,
        extension: ExtensionId,
        host: IpAddr,
        reason: LoginFailure,
    ) {
        let failed = FailedLogin {
            extension,
            at,
            host,
            reason,
        };
        self.known.insert(extension, (now, failed));
    }

    /// A phone used a user name that no extension has.
    pub(crate) fn unknown(&mut self, now: Instant, at: WallTime, username: &str, host: IpAddr) {
        let username = shown(username);
        self.unknown
            .retain(|_, (last, _)| now.since(*last) <= UNKNOWN_KEPT);
        if !self.unknown.contains_key(&username) && self.unknown.len() >= UNKNOWN {
            let stalest = self.unknown.iter().min_by_key(|(_, (last, _))| *last);
            if let Some(name) = stalest.map(|(name, _)| name.clone()) {
                self.unknown.remove(&name);
            }
        }
        let times = (self.unknown.get(&username)).map_or(0, |(_, login)| login.times);
        let login = UnknownLogin {
            username: username.clone(),
            at,
            host,
            times: times.saturating_add(1),
        };
        self.unknown.insert(username, (now, login));
    }

    /// A phone of the extension was let in. Where it is new, or the one that was not let in, whatever
    /// kept it out is put right, and what it was set up with before, from the same address, too.
    pub(crate) fn let_in(&mut self, extension: ExtensionId, host: IpAddr, is_new: bool) {
        if !is_new
            && self
                .known
                .get(&extension)
                .is_some_and(|(_, failed)| failed.host != host)
        {
            return;
        }
        self.known.remove(&extension);
        self.unknown.retain(|_, (_, login)| login.host != host);
    }

    /// A configuration came into force: keeps the extensions, and the user names, that are told on.
    pub(crate) fn retain(
        &mut self,
        exists: impl Fn(ExtensionId) -> bool,
        is_named: impl Fn(&str) -> bool,
    ) {
        self.known.retain(|extension, _| exists(*extension));
        self.unknown.retain(|username, _| !is_named(username));
    }

    /// Those of extensions and those of unknown user names, the last first.
    pub(crate) fn list(&self, now: Instant) -> (Vec<FailedLogin>, Vec<UnknownLogin>) {
        let known = self
            .known
            .values()
            .filter(|(last, failed)| now.since(*last) <= KEPT && !failed.extension.is_hidden());
        let unknown = (self.unknown.values()).filter(|(last, _)| now.since(*last) <= UNKNOWN_KEPT);
        (newest(known), newest(unknown))
    }
}

fn newest<'a, T: Clone + 'a>(logins: impl Iterator<Item = &'a (Instant, T)>) -> Vec<T> {
    let mut logins: Vec<_> = logins.collect();
    logins.sort_by_key(|(last, _)| core::cmp::Reverse(*last));
    logins.truncate(TOLD);
    logins.into_iter().map(|(_, login)| login.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: WallTime = WallTime::from_unix_seconds(1_800_000_000);

    fn names(logins: &FailedLogins, now: Instant) -> Vec<String> {
        let (_, unknown) = logins.list(now);
        unknown.into_iter().map(|login| login.username).collect()
    }

    #[test]
    fn of_unknown_user_names_the_last_are_kept_for_an_hour() {
        let mut logins = FailedLogins::default();
        let host = IpAddr::from([192, 0, 2, 7]);
        let at = |minute: u64| Instant::from_millis(minute * 60_000);
        for n in 0..30_u64 {
            logins.unknown(at(n), AT, &format!("name{n}"), host);
        }
        assert_eq!(logins.unknown.len(), 20);
        assert_eq!(names(&logins, at(30))[0], "name29");
        logins.unknown(at(30), AT, "name10\r\n", host);
        let (_, unknown) = logins.list(at(30));
        assert_eq!(
            (unknown[0].username.as_str(), unknown[0].times),
            ("name10", 2)
        );
        assert_eq!(names(&logins, at(85)).len(), 6, "name25 to 29, and name10");
        assert_eq!(names(&logins, at(91)), Vec::<String>::new());
    }

    #[test]
    fn a_failure_ends_by_itself_after_a_day() {
        let mut logins = FailedLogins::default();
        let host = IpAddr::from([192, 0, 2, 7]);
        let wrong = LoginFailure::WrongPassword;
        logins.failed(Instant::ZERO, AT, ExtensionId::new(1), host, wrong);
        assert_eq!(logins.list(Instant::ZERO + KEPT).0.len(), 1);
        let later = Instant::ZERO + KEPT + Duration::from_secs(1);
        assert!(logins.list(later).0.is_empty());
    }

    #[test]
    fn another_phone_that_merely_stays_puts_nothing_right() {
        let mut logins = FailedLogins::default();
        let (one, two) = (IpAddr::from([192, 0, 2, 7]), IpAddr::from([192, 0, 2, 8]));
        let (id, wrong) = (ExtensionId::new(1), LoginFailure::WrongPassword);
        logins.failed(Instant::ZERO, AT, id, one, wrong);
        logins.let_in(id, two, false);
        assert_eq!(logins.list(Instant::ZERO).0.len(), 1);
        logins.let_in(id, one, false);
        assert!(logins.list(Instant::ZERO).0.is_empty());
        logins.failed(Instant::ZERO, AT, id, one, wrong);
        logins.let_in(id, two, true);
        assert!(logins.list(Instant::ZERO).0.is_empty());
    }

    #[test]
    fn who_is_let_in_takes_its_other_names_along() {
        let mut logins = FailedLogins::default();
        let (one, two) = (IpAddr::from([192, 0, 2, 7]), IpAddr::from([192, 0, 2, 8]));
        logins.unknown(Instant::ZERO, AT, "phone", one);
        logins.unknown(Instant::ZERO, AT, "other", two);
        logins.let_in(ExtensionId::new(1), one, true);
        assert_eq!(names(&logins, Instant::ZERO), ["other"]);
        logins.retain(|_| true, |name| name == "other");
        assert!(names(&logins, Instant::ZERO).is_empty());
    }
}
