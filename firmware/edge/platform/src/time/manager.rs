//! The time of the machine in a program's loop: settings, servers, the clock.
//!
//! Names are resolved and servers asked by a thread of its own, which may wait; the loop never does.

use std::io::{self, Read, Write};
use std::net::ToSocketAddrs;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use model::system::{Reply, Time, TimeSettings};
use model::{Instant, WallTime};
use tracing::{info, warn};

use super::discipline::{Adjust, Discipline, best};
use super::sntp::{self, Sample};
use super::zone;
use crate::{clock, files, network, sys};

/// Four find out one that is wrong; more only cost.
const SERVERS: usize = 4;

/// The longest name of a server (RFC 1035 §2.3.4).
const SERVER_NAME: usize = 253;

/// The port of NTP.
const PORT: u16 = 123;

/// How often the time is noted for a start without a battery: one small write an hour.
const NOTE_EVERY: Duration = Duration::from_secs(3600);

/// Where things are.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The data folder.
    pub data: PathBuf,
    /// The tz database: `/usr/share/zoneinfo`.
    pub zones: PathBuf,
    /// The link by which programs find the zone: `/run/localtime`.
    pub local: PathBuf,
}

/// The time of the machine.
pub struct Manager {
    paths: Paths,
    settings: TimeSettings,
    discipline: Discipline,
    ask: SyncSender<Vec<String>>,
    answers: Receiver<Vec<Sample>>,
    wake: UnixStream,
    /// A round is under way.
    asking: bool,
    synchronised: Option<WallTime>,
    offset_us: Option<i64>,
    note_due: Instant,
    /// When this system was made.
    made: Option<WallTime>,
}

impl Manager {
    /// With the settings as they are kept, or as delivered; the clock is brought to what is known.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(now: Instant, paths: Paths) -> io::Result<Self> {
        super::never_go_back(&paths.data);
        let settings =
            files::read_settings(&super::path(&paths.data)).unwrap_or_else(super::delivered);
        let (wake, mut told) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        told.set_nonblocking(true)?;
        let (ask, asked) = sync_channel::<Vec<String>>(1);
        let (answer, answers) = sync_channel(1);
        thread::Builder::new().name("ntp".into()).spawn(move || {
            for servers in asked {
                if answer.send(round(&servers)).is_err() {
                    return;
                }
                let _ = told.write(&[0]);
            }
        })?;
        let manager = Self {
            paths,
            settings,
            discipline: Discipline::new(now),
            ask,
            answers,
            wake,
            asking: false,
            synchronised: None,
            offset_us: None,
            note_due: now + NOTE_EVERY,
            made: super::made(),
        };
        manager.link();
        Ok(manager)
    }

    /// What wakes the loop.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// When [`Self::turn`] is due at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Instant {
        if self.asking || self.settings.servers.is_empty() {
            self.note_due
        } else {
            self.note_due.min(self.discipline.poll_timeout())
        }
    }

    /// The way to the servers may be there now.
    pub fn network_changed(&mut self, now: Instant) {
        self.discipline.hurry(now);
    }

    /// Does what there is to do.
    pub fn turn(&mut self, now: Instant) {
        let _ = self.wake.read(&mut [0; 64]);
        if let Ok(samples) = self.answers.try_recv() {
            self.asking = false;
            self.hear(now, samples);
        }
        let due = !self.settings.servers.is_empty() && self.discipline.poll_timeout() <= now;
        if due && !self.asking {
            match self.ask.try_send(self.settings.servers.clone()) {
                Ok(()) => self.asking = true,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                    self.discipline.unanswered(now);
                }
            }
        }
        if self.note_due <= now {
            self.note_due = now + NOTE_EVERY;
            self.remember();
        }
    }

    fn hear(&mut self, now: Instant, mut samples: Vec<Sample>) {
        let wall = clock::wall().as_unix_micros();
        samples.retain(|sample| {
            let told = WallTime::from_unix_micros(wall.saturating_add(sample.offset_us));
            let is_plausible = super::is_plausible(self.made, told);
            if !is_plausible {
                warn!(?told, "a server says what can't be the time");
            }
            is_plausible
        });
        let Some(sample) = best(samples) else {
            return self.discipline.unanswered(now);
        };
        let first = self.synchronised.is_none();
        let adjust = self.discipline.answered(now, sample);
        let done = match adjust {
            Adjust::Nothing => return,
            Adjust::Slew(us) => sys::clock::slew(us),
            Adjust::Step(us) => {
                info!(offset_ms = us / 1000, "the clock is set");
                let wall = clock::wall().as_unix_micros();
                sys::clock::step(WallTime::from_unix_micros(wall.saturating_add(us)))
            }
        };
        if let Err(error) = done {
            warn!(%error, "the clock can't be set");
            return;
        }
        self.synchronised = Some(clock::wall());
        self.offset_us = Some(sample.offset_us);
        if is_noted(first, adjust) {
            self.remember();
        }
    }

    /// Notes the time, where it is worth it.
    pub fn remember(&self) {
        if let Err(error) = super::remember(&self.paths.data) {
            warn!(%error, "the time can't be noted");
        }
    }

    /// The time as it is set and as it is.
    pub fn show(&self) -> Reply {
        Reply::Time(Time {
            settings: self.settings.clone(),
            now: clock::wall(),
            synchronised: self.synchronised,
            offset_ms: self.offset_us.map(|us| us / 1000),
        })
    }

    /// Sets zone and servers.
    pub fn set(&mut self, now: Instant, settings: TimeSettings) -> Reply {
        if let Some(refused) = self.refusal(&settings) {
            return refused;
        }
        if let Err(error) = files::write_settings(&super::path(&self.paths.data), &settings) {
            warn!(%error, "the settings of the time can't be written");
            return Reply::Failed {
                text: format!("The time is as it was: it can't be written: {error}."),
            };
        }
        if settings.servers != self.settings.servers {
            self.discipline = Discipline::new(now);
            self.synchronised = None;
            self.offset_us = None;
        }
        self.settings = settings;
        self.link();
        self.show()
    }

    /// Sets the clock by hand.
    pub fn set_clock(&mut self, wall: WallTime) -> Reply {
        if !super::is_plausible(self.made, wall) {
            return Reply::Refused {
                field: "now".into(),
                text: "this can't be the time: the system was made later, or long before".into(),
            };
        }
        if let Err(error) = sys::clock::step(wall) {
            warn!(%error, "the clock can't be set");
            return Reply::Failed {
                text: format!("The clock can't be set: {error}."),
            };
        }
        self.remember();
        self.show()
    }

    fn refusal(&self, settings: &TimeSettings) -> Option<Reply> {
        let refuse = |field: String, text: &str| {
            Some(Reply::Refused {
                field,
                text: text.to_owned(),
            })
        };
        if !zone::is_known(&self.paths.zones, &settings.zone) {
            return refuse(
                "zone".into(),
                "there is no such zone: take one of the tz database, as in Europe/Prague",
            );
        }
        if settings.servers.len() > SERVERS {
            return refuse("servers".into(), "at most four servers are asked");
        }
        for (index, server) in settings.servers.iter().enumerate() {
            if !is_server(server) {
                return refuse(
                    format!("servers[{index}]"),
                    "enter the name or the address of a server",
                );
            }
        }
        None
    }

    fn link(&self) {
        let Paths { zones, local, .. } = &self.paths;
        if let Err(error) = zone::link(local, zones, &self.settings.zone) {
            warn!(%error, path = %local.display(), "programs may not find the zone");
        }
    }
}

/// Whether the time is noted at once: the first that is known, and each step. A clock that was set wrong and
/// set right again must not be set wrong by the next start.
const fn is_noted(first: bool, adjust: Adjust) -> bool {
    first || matches!(adjust, Adjust::Step(_))
}

fn is_server(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
        || (text.len() <= SERVER_NAME && network::is_host_name(text))
}

/// Asks all servers, one after the other.
fn round(servers: &[String]) -> Vec<Sample> {
    let asked = servers.iter().filter_map(|server| {
        let mut addresses = (server.as_str(), PORT).to_socket_addrs().ok()?;
        let nonce = network::seed().ok()?;
        match sntp::ask(addresses.next()?, nonce) {
            Ok(sample) => Some(sample),
            Err(error) => {
                tracing::debug!(server, %error, "no time from this server");
                None
            }
        }
    });
    asked.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn manager(folder: &tempfile::TempDir) -> Manager {
        let paths = Paths {
            data: folder.path().join("data"),
            zones: folder.path().join("zoneinfo"),
            local: folder.path().join("localtime"),
        };
        let settings = TimeSettings {
            zone: "Etc/UTC".into(),
            servers: Vec::new(),
        };
        files::write_settings(&super::super::path(&paths.data), &settings).expect("written");
        Manager::start(Instant::ZERO, paths).expect("a thread")
    }

    fn refused_at(manager: &mut Manager, zone: &str, servers: &[&str]) -> Option<String> {
        let settings = TimeSettings {
            zone: zone.into(),
            servers: servers.iter().map(|&server| server.to_owned()).collect(),
        };
        match manager.set(Instant::ZERO, settings) {
            Reply::Refused { field, .. } => Some(field),
            Reply::Time(_) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn settings_are_checked_kept_and_linked() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut manager = manager(&folder);
        let link = || fs::read_link(folder.path().join("localtime")).expect("a link");
        assert!(link().ends_with("zoneinfo/Etc/UTC"));
        let zones = folder.path().join("zoneinfo/Europe");
        fs::create_dir_all(&zones).expect("made");
        fs::write(zones.join("Prague"), zone::tests::utc()).expect("written");
        let prague = "Europe/Prague";
        assert_eq!(
            refused_at(&mut manager, "Europe/Brno", &[]).as_deref(),
            Some("zone")
        );
        for server in ["", "a b", "10.0.0", "x.-y", "ntp.example.com:123"] {
            let at = refused_at(&mut manager, prague, &["9.9.9.9", server]);
            assert_eq!(at.as_deref(), Some("servers[1]"), "{server}");
        }
        let five = ["a.cz", "b.cz", "c.cz", "d.cz", "e.cz"];
        assert_eq!(
            refused_at(&mut manager, prague, &five).as_deref(),
            Some("servers")
        );
        assert!(link().ends_with("zoneinfo/Etc/UTC"));
        let good = ["ntp.nic.cz", "2001:db8::1"];
        assert_eq!(refused_at(&mut manager, prague, &good), None);
        assert!(link().ends_with("zoneinfo/Europe/Prague"));
        drop(manager);
        let paths = Paths {
            data: folder.path().join("data"),
            zones: folder.path().join("zoneinfo"),
            local: folder.path().join("localtime"),
        };
        let kept = Manager::start(Instant::ZERO, paths).expect("a thread");
        assert_eq!(kept.settings.zone, prague);
        assert_eq!(kept.settings.servers, good);
    }

    #[test]
    fn a_step_back_is_noted_as_the_step_before_it_was() {
        assert!(is_noted(true, Adjust::Slew(100)));
        assert!(!is_noted(false, Adjust::Slew(100)));
        for step in [86_400_000_000, -86_400_000_000] {
            assert!(is_noted(false, Adjust::Step(step)));
        }
    }

    #[test]
    fn what_can_not_be_the_time_is_taken_from_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut manager = manager(&folder);
        let now = clock::wall().as_unix_micros();
        manager.made = Some(WallTime::from_unix_micros(now));
        let year_us = 365 * 86_400_000_000;
        for offset_us in [-year_us, 21 * year_us] {
            let delay_us = 1000;
            for _ in 0..2 {
                let sample = Sample {
                    offset_us,
                    delay_us,
                };
                manager.hear(Instant::ZERO, vec![sample]);
            }
            assert_eq!(manager.synchronised, None);
            let refused = manager.set_clock(WallTime::from_unix_micros(now + offset_us));
            assert!(matches!(refused, Reply::Refused { .. }), "{refused:?}");
        }
    }

    #[test]
    fn without_servers_nobody_is_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut manager = manager(&folder);
        manager.turn(Instant::ZERO);
        assert!(!manager.asking);
        assert_eq!(manager.poll_timeout(), Instant::ZERO + NOTE_EVERY);
    }
}
