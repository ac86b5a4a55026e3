//! Whether a system that is tried is kept, given up, or has time left.
//!
//! It is kept once the exchange has called itself, and all that is needed to leave it again has been there
//! for a while without a break: the administration, and the network ports that were there before.

use std::time::Duration;

use model::Instant;
use serde::{Deserialize, Serialize};

/// How long it may take until all is good; phones of a whole office may be registering meanwhile.
const WITHIN: Duration = Duration::from_secs(300);

/// How long all has to stay good. A program that ends at once is started again each half minute at least:
/// it is seen twice in this.
const QUIET: Duration = Duration::from_secs(60);

/// Between two tries to keep it, where the boot loader could not be told.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// The network ports that are set to be used, as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// Those that are there.
    pub there: Vec<String>,
    /// Something is at the other end of the cable of one at least.
    pub linked: bool,
}

/// What is seen of a system that is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signs {
    /// Why the administration does not answer, where it doesn't.
    pub administration: Result<(), String>,
    /// The ports as they are; none where the kernel can't say.
    pub ports: Option<Ports>,
    /// How often programs ended by themselves since the start.
    pub endings: u32,
}

impl Signs {
    /// What is wrong, compared with the ports of the system before.
    fn trouble(&self, before: &Ports) -> Option<String> {
        if let Err(why) = &self.administration {
            return Some(format!("the administration does not answer: {why}"));
        }
        let Some(ports) = &self.ports else {
            return Some("the network ports can't be read".into());
        };
        if let Some(gone) = before.there.iter().find(|name| !ports.there.contains(name)) {
            return Some(format!("the network port {gone} is gone"));
        }
        (before.linked && !ports.linked)
            .then(|| "no network port has a link, though one had before".into())
    }
}

/// What is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Wait,
    /// It is good.
    Keep,
    /// It is not, for this reason.
    GiveUp(String),
}

/// Says so.
pub struct Judge {
    due: Instant,
    data_in_memory: bool,
    before: Ports,
    /// The exchange has called itself.
    has_called: bool,
    /// What was seen last, and is not good.
    trouble: Option<String>,
    /// Since when all is good, and no program ended.
    good_since: Option<Instant>,
    endings: u32,
    /// When it is to be kept, once that was tried.
    keep_due: Option<Instant>,
}

impl Judge {
    /// The trial begins now; `before` are the ports that the other system had.
    pub fn new(data_in_memory: bool, before: Ports, now: Instant) -> Self {
        Self {
            due: now + WITHIN,
            data_in_memory,
            before,
            has_called: false,
            trouble: Some("nothing was seen of it".into()),
            good_since: None,
            endings: 0,
            keep_due: None,
        }
    }

    /// The exchange has called itself: that stays true, whatever becomes of it.
    pub const fn passed(&mut self) {
        self.has_called = true;
    }

    /// This is seen now.
    pub fn see(&mut self, now: Instant, signs: &Signs) {
        self.trouble = signs.trouble(&self.before);
        if self.trouble.is_some() {
            self.good_since = None;
        } else if signs.endings != self.endings {
            self.good_since = Some(now);
        } else {
            self.good_since.get_or_insert(now);
        }
        self.endings = signs.endings;
    }

    /// What is to be done; `reason` is why the exchange has not called itself.
    pub fn verdict(&mut self, now: Instant, reason: &str) -> Verdict {
        if self.data_in_memory {
            // An exchange that begins with nothing calls itself without trouble.
            return Verdict::GiveUp("the new system can't use the data on the card".into());
        }
        let proved = self.good_since.filter(|_| self.has_called);
        if proved.is_some_and(|since| since + QUIET <= now)
            && self.keep_due.is_none_or(|due| due <= now)
        {
            self.keep_due = Some(now + AGAIN_AFTER);
            return Verdict::Keep;
        }
        // What is good in time is looked at to the end.
        let has_time = now < self.due
            || (self.keep_due.is_none() && proved.is_some_and(|since| since <= self.due));
        if has_time {
            return Verdict::Wait;
        }
        Verdict::GiveUp(match &self.trouble {
            _ if self.keep_due.is_some() => {
                "the boot loader could not be told to keep the new system".into()
            }
            _ if !self.has_called => format!(
                "the new system's call to itself did not pass within five minutes: {reason}"
            ),
            Some(trouble) => {
                format!("the new system was not good within five minutes: {trouble}")
            }
            None => format!(
                "programs of the new system end by themselves ({} times; the Warning log says which)",
                self.endings
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn ports(there: &[&str], linked: bool) -> Ports {
        Ports {
            there: there.iter().map(|&name| name.into()).collect(),
            linked,
        }
    }

    fn good() -> Signs {
        Signs {
            administration: Ok(()),
            ports: Some(ports(&["eth0", "eth1"], true)),
            endings: 0,
        }
    }

    /// A trial that begins in the first second.
    fn judge(data_in_memory: bool) -> Judge {
        Judge::new(data_in_memory, ports(&["eth0", "eth1"], true), at(1))
    }

    /// Sees the same each second of a time, in which nothing is decided.
    fn see(judge: &mut Judge, from: u64, to: u64, signs: &Signs) {
        for second in from..to {
            judge.see(at(second), signs);
            assert_eq!(judge.verdict(at(second), ""), Verdict::Wait, "{second} s");
        }
    }

    fn given_up(judge: &mut Judge, second: u64, why: &str) {
        let verdict = judge.verdict(at(second), "no sound");
        assert!(
            matches!(&verdict, Verdict::GiveUp(reason) if reason.contains(why)),
            "{verdict:?}"
        );
    }

    #[test]
    fn a_new_system_has_five_minutes_to_call_itself() {
        let mut judge = judge(false);
        see(&mut judge, 1, 301, &good());
        given_up(
            &mut judge,
            301,
            "did not pass within five minutes: no sound",
        );
    }

    #[test]
    fn what_is_good_for_a_minute_is_kept_as_soon_as_the_boot_loader_can_be_told() {
        let mut judge = judge(false);
        judge.passed();
        see(&mut judge, 10, 70, &good());
        assert_eq!(judge.verdict(at(70), ""), Verdict::Keep);
        assert_eq!(judge.verdict(at(79), ""), Verdict::Wait);
        assert_eq!(judge.verdict(at(80), ""), Verdict::Keep);
        assert_eq!(judge.verdict(at(301), ""), Verdict::Keep, "once more");
        given_up(&mut judge, 301, "boot loader");
    }

    #[test]
    fn what_is_good_in_time_has_its_minute() {
        let mut judge = judge(false);
        judge.passed();
        see(&mut judge, 290, 350, &good());
        assert_eq!(judge.verdict(at(350), ""), Verdict::Keep);
    }

    #[test]
    fn a_system_that_can_not_be_left_again_is_not_kept() {
        let deaf = Signs {
            administration: Err("nobody listens".into()),
            ..good()
        };
        let lame = Signs {
            ports: Some(ports(&["eth0"], true)),
            ..good()
        };
        let unplugged = Signs {
            ports: Some(ports(&["eth0", "eth1"], false)),
            ..good()
        };
        let blind = Signs {
            ports: None,
            ..good()
        };
        for (signs, why) in [
            (deaf, "the administration does not answer: nobody listens"),
            (lame, "eth1 is gone"),
            (unplugged, "no network port has a link"),
            (blind, "can't be read"),
        ] {
            let mut judge = judge(false);
            judge.passed();
            // Good for a while is not enough.
            see(&mut judge, 1, 50, &good());
            see(&mut judge, 50, 301, &signs);
            given_up(&mut judge, 301, why);
        }
    }

    #[test]
    fn what_was_not_there_before_is_not_asked_for() {
        let mut judge = Judge::new(false, Ports::default(), at(1));
        judge.passed();
        let bare = Signs {
            ports: Some(Ports::default()),
            ..good()
        };
        see(&mut judge, 1, 61, &bare);
        assert_eq!(judge.verdict(at(61), ""), Verdict::Keep);
    }

    #[test]
    fn a_program_that_ends_by_itself_starts_the_minute_anew() {
        let ended = |endings| Signs { endings, ..good() };
        let mut judge = judge(false);
        judge.passed();
        see(&mut judge, 1, 50, &good());
        see(&mut judge, 50, 110, &ended(1));
        assert_eq!(judge.verdict(at(110), ""), Verdict::Keep);
        // One that does so all the time never has it.
        let mut judge = self::judge(false);
        judge.passed();
        for count in 0..11 {
            let from = u64::from(count) * 30;
            see(&mut judge, from + 1, (from + 31).min(301), &ended(count));
        }
        judge.see(at(301), &ended(11));
        judge.see(at(302), &ended(12));
        given_up(&mut judge, 302, "end by themselves (12 times");
    }

    #[test]
    fn a_new_system_without_its_data_is_given_up_at_once() {
        let mut judge = judge(true);
        given_up(&mut judge, 1, "data");
        judge.passed();
        judge.see(at(1), &good());
        given_up(&mut judge, 1, "data");
    }
}
