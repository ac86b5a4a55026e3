//! Session timers (RFC 4028): who refreshes, how often, and what happens where nobody does.
//!
//! ```text
//!  Off --agreed in a 2xx--> On { ours }
//!   On, ours:   after half of the interval UPDATE, or re-INVITE where the peer has no UPDATE
//!               where that fails, again after the lesser of 32 s and a quarter of what is left
//!   On, any:    at the interval less min(32 s, a third): BYE, Ended     (each 2xx starts it anew)
//! ```

use core::time::Duration;

use model::Instant;

use super::{Session, SessionTimer, Stage};
use crate::endpoint::{Core, EndReason, TimerHandle};
use crate::message::{HeaderName, Headers, Refresher, SessionExpires};

/// The shortest interval there can be (RFC 4028 §4).
const MIN_SE_S: u32 = 90;
/// The longest: what is longer says no more, and must not run over.
const MAX_SE_S: u32 = 24 * 3600;
/// How long to wait at least and at most after a refresh that failed.
const RETRY_LEAST: Duration = Duration::from_secs(1);
const RETRY_MOST: Duration = Duration::from_secs(32);

/// What was agreed.
#[derive(Debug)]
pub(super) struct Refresh {
    /// Seconds; none: the session lives for ever.
    interval_s: Option<u32>,
    /// We refresh.
    ours: bool,
    /// What to call the refresher in the answer that is being made.
    refresher: Refresher,
    /// The peer understands `timer`.
    peer_can: bool,
    /// The greatest Min-SE seen.
    min_se: u32,
    refresh: Option<TimerHandle>,
    expiry: Option<TimerHandle>,
    /// When that runs out.
    expires: Instant,
}

impl Refresh {
    pub(super) const fn new() -> Self {
        Self {
            interval_s: None,
            ours: false,
            refresher: Refresher::Uac,
            peer_can: false,
            min_se: MIN_SE_S,
            refresh: None,
            expiry: None,
            expires: Instant::ZERO,
        }
    }

    /// A peer wants no shorter interval than this (RFC 4028 §7.4).
    pub(super) fn raise(&mut self, min_se: u32) {
        self.min_se = self.min_se.max(min_se.min(MAX_SE_S));
    }

    /// Adds what a request of ours asks for (RFC 4028 §7.1, §7.4).
    pub(super) fn ask(&self, core: &Core, headers: &mut Headers) {
        let wanted = core.config.session_expires_s;
        if wanted == 0 && self.interval_s.is_none() {
            return;
        }
        let seconds = self.interval_s.unwrap_or(wanted).max(self.min_se);
        // Within a session the roles stay as they are; at first the callee may choose.
        let refresher = self.interval_s.map(|_| {
            if self.ours {
                Refresher::Uac
            } else {
                Refresher::Uas
            }
        });
        headers.push(
            HeaderName::SessionExpires,
            SessionExpires { seconds, refresher },
        );
        if self.min_se > MIN_SE_S {
            headers.push(HeaderName::MinSe, self.min_se);
        }
    }

    /// Judges what a request of the peer asks for (RFC 4028 §9): the interval that we want at least
    /// where its own is too short.
    pub(super) fn too_short(headers: &Headers, peer_can: bool) -> Option<u32> {
        let asked = headers.session_expires().ok().flatten()?;
        (asked.seconds < MIN_SE_S && peer_can).then_some(MIN_SE_S)
    }

    /// Takes what a request of the peer asks for, once it is accepted (RFC 4028 §9, table 2).
    pub(super) fn decide(&mut self, core: &Core, headers: &Headers, peer_can: bool) {
        self.peer_can = peer_can;
        let own = core.config.session_expires_s;
        let asked = headers.session_expires().ok().flatten();
        if let Ok(Some(min_se)) = headers.min_se() {
            self.raise(min_se);
        }
        let Some(asked) = asked else {
            self.interval_s = (peer_can && own > 0).then(|| own.max(self.min_se));
            self.choose(Refresher::Uas);
            return;
        };
        let mut seconds = asked.seconds.clamp(MIN_SE_S, MAX_SE_S);
        if own > 0 {
            // The UAS may make it shorter, but not below Min-SE.
            seconds = seconds.min(own.max(self.min_se));
        }
        self.interval_s = Some(seconds);
        self.choose(match (asked.refresher, peer_can) {
            (_, false) | (Some(Refresher::Uas), true) => Refresher::Uas,
            (Some(Refresher::Uac) | None, true) => Refresher::Uac,
        });
    }

    /// Adds what was decided to a 2xx of ours.
    pub(super) fn answer(&self, headers: &mut Headers) {
        let Some(seconds) = self.interval_s else {
            return;
        };
        headers.push(
            HeaderName::SessionExpires,
            SessionExpires {
                seconds,
                refresher: Some(self.refresher),
            },
        );
        if self.refresher == Refresher::Uac || self.peer_can {
            headers.push(HeaderName::Require, "timer");
        }
    }

    pub(super) fn stop(&mut self, core: &mut Core) {
        core.timers.stop_in(&mut self.refresh);
        core.timers.stop_in(&mut self.expiry);
    }

    /// As the one that answers.
    fn choose(&mut self, refresher: Refresher) {
        self.refresher = refresher;
        self.ours = refresher == Refresher::Uas;
    }
}

impl Session {
    /// Takes what a 2xx to a request of ours says (RFC 4028 §7.2).
    pub(super) fn take_session_expires(&mut self, core: &mut Core, headers: &Headers) {
        match headers.session_expires() {
            Ok(Some(agreed)) => {
                self.refresh.interval_s = Some(agreed.seconds.clamp(MIN_SE_S, MAX_SE_S));
                self.refresh.ours = agreed.refresher != Some(Refresher::Uas);
            }
            Ok(None) | Err(_) => self.refresh.interval_s = None,
        }
        self.restart_refresh(core);
    }

    /// Starts the timers anew, after each 2xx that refreshes.
    pub(super) fn restart_refresh(&mut self, core: &mut Core) {
        self.refresh.stop(core);
        let (Some(seconds), Stage::Confirmed) = (self.refresh.interval_s, &self.stage) else {
            return;
        };
        let interval = u64::from(seconds) * 1000;
        let (mut refresh, mut expiry) = (None, None);
        if self.refresh.ours {
            self.start(core, &mut refresh, SessionTimer::Refresh, interval / 2);
        }
        // RFC 4028 §10
        let early = (interval / 3).min(32_000);
        self.start(core, &mut expiry, SessionTimer::Expiry, interval - early);
        self.refresh.expires = core.now + Duration::from_millis(interval - early);
        (self.refresh.refresh, self.refresh.expiry) = (refresh, expiry);
    }

    pub(super) fn time_to_refresh(&mut self, core: &mut Core) {
        core.timers.stop_in(&mut self.refresh.refresh);
        if !matches!(self.stage, Stage::Confirmed) || self.bye_after_ack.is_some() {
            return;
        }
        if !self.send_refresh(core) {
            // Something else is under way; its 2xx will refresh. If not, here again.
            let mut refresh = None;
            let soon = Duration::from_secs(5).as_secs() * 1000;
            self.start(core, &mut refresh, SessionTimer::Refresh, soon);
            self.refresh.refresh = refresh;
        }
    }

    /// A request of ours has failed that was to refresh: there is time for others before the end.
    pub(super) fn refresh_later(&mut self, core: &mut Core) {
        let running = self.refresh.refresh.is_some() || self.refresh.expiry.is_none();
        if running || !self.refresh.ours || !matches!(self.stage, Stage::Confirmed) {
            return;
        }
        let left = self.refresh.expires.since(core.now);
        let wait = (left / 4).clamp(RETRY_LEAST, RETRY_MOST).as_millis();
        let mut refresh = None;
        let wait = u64::try_from(wait).unwrap_or(u64::MAX);
        self.start(core, &mut refresh, SessionTimer::Refresh, wait);
        self.refresh.refresh = refresh;
    }

    pub(super) fn expired(&mut self, core: &mut Core) {
        self.refresh.expiry = None;
        self.give_up(core, EndReason::SessionExpired, None);
    }
}
