//! What can be asked of this machine, and what of it is done.

use std::fs;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result};
use model::system::{
    Addressing, Ask, InterfaceSettings, Network, NetworkSettings, Reply, Request, Time,
    TimeSettings,
};
use model::{Instant, WallTime};
use platform::board::Board;
use platform::health::Meter;
use platform::network::link::Kernel;
use platform::network::resolv;
use platform::{clock, data, kernel_log, network, ssh, time};
use tracing::{info, warn};

use super::remote;
use super::restarts;
use super::trial::{self, Trial};
use super::upgrade::{Keeper, News};
use crate::options::System;
use crate::orders::Order;

/// How often the processors' load is measured.
const MEASURE_EVERY: Duration = Duration::from_secs(1);

/// What a machine is called until it is called otherwise.
const HOST_NAME: &str = "operator-box";

/// The machine.
pub struct Machine {
    data: PathBuf,
    run: PathBuf,
    board: Option<Board>,
    /// None where nothing is to be changed.
    managed: Option<Managed>,
    meter: Meter,
    measure_due: Instant,
}

struct Managed {
    network: network::Manager,
    time: time::Manager,
    /// Why there are none, where there are none.
    slots: Result<Keeper, String>,
    news: (Sender<News>, Receiver<News>),
    remote: ssh::Paths,
    trial: Trial,
}

impl Machine {
    /// Brings the machine up as it is set, unless nothing is to be changed.
    pub fn start(options: &System, now: Instant) -> Result<Self> {
        let board = Board::of_this_machine();
        let managed = if options.read_only {
            None
        } else {
            Some(manage(options, board.as_ref(), now)?)
        };
        Ok(Self {
            data: options.data.clone(),
            run: options.run.clone(),
            board,
            managed,
            meter: Meter::default(),
            measure_due: now,
        })
    }

    /// What wakes the loop.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.managed.as_ref().map_or_else(Vec::new, |managed| {
            let network = managed.network.descriptors();
            network.chain([managed.time.descriptor()]).collect()
        })
    }

    /// When [`Self::turn`] is due at the latest.
    pub fn poll_timeout(&self) -> Instant {
        let managed = self.managed.as_ref().map(|managed| {
            let time = managed.time.poll_timeout();
            managed
                .network
                .poll_timeout()
                .map_or(time, |network| network.min(time))
        });
        managed.map_or(self.measure_due, |due| due.min(self.measure_due))
    }

    /// Does what there is to do.
    pub fn turn(&mut self, now: Instant) {
        if self.measure_due <= now {
            self.measure_due = now + MEASURE_EVERY;
            self.meter.tick(&self.data);
        }
        if let Some(managed) = &mut self.managed {
            managed.network.turn(now);
            if managed.network.take_changed() {
                managed.time.network_changed(now);
            }
            managed.time.turn(now);
            managed.look_after_slots(now);
        }
    }

    /// The last thing.
    pub fn stop(&self) {
        if let Some(managed) = &self.managed {
            managed.time.remember();
        }
    }

    /// Answers a question of somebody who `may` ask, or not.
    pub fn answer(&mut self, now: Instant, may: bool, question: Result<Ask, String>) -> Reply {
        if !may {
            return failed("Whoever asks may not.");
        }
        let ask = match question {
            Ok(ask) => ask,
            Err(error) => return failed(&format!("The question can't be understood: {error}.")),
        };
        let Ask { by, request } = ask;
        match request {
            Request::Network
            | Request::Time
            | Request::Health
            | Request::Slots
            | Request::KernelLog { .. }
            | Request::RemoteMenu => {}
            _ if self.managed.is_none() => return Reply::ReadOnly,
            _ => info!(by, ?request, "asked"),
        }
        self.carry_out(now, request)
    }

    fn carry_out(&mut self, now: Instant, request: Request) -> Reply {
        let wall = clock::wall();
        let Some(managed) = &mut self.managed else {
            return self.show(&request);
        };
        match request {
            Request::Network => managed.network.show(now, wall),
            Request::SetNetwork { settings } => managed.network.propose(now, wall, settings),
            Request::ConfirmNetwork => managed.network.confirm(now, wall),
            Request::RevertNetwork => managed.network.revert(now, wall),
            Request::Time => managed.time.show(),
            Request::SetTime { settings } => managed.time.set(now, settings),
            Request::SetClock { now } => managed.time.set_clock(now),
            Request::Health => self.show(&request),
            Request::KernelLog { after } => kernel_rows(wall, after),
            Request::Slots => managed.with_slots(|_, _| None),
            Request::Upgrade { file } => {
                managed.with_slots(|slots, news| slots.begin(&file, news).err().map(in_file))
            }
            Request::StartOther => managed.start_other(),
            Request::RemoteMenu => Reply::RemoteMenu(ssh::show(&managed.remote)),
            Request::SetRemoteMenu { settings } => remote::set(&managed.remote, &settings),
            Request::RestartExchange => order(Order::RestartExchange),
            Request::Reboot => order(Order::Reboot),
            Request::PowerOff => order(Order::PowerOff),
            Request::ResetAdminPassword => {
                let asked = data::ask_for_password_reset(&self.data);
                after(asked, Order::RestartAdministration)
            }
            Request::FactoryReset => after(data::ask_for_reset(&self.data), Order::Reboot),
        }
    }

    /// What can be shown of any machine.
    fn show(&self, request: &Request) -> Reply {
        match request {
            Request::Network => match self.network() {
                Ok(network) => Reply::Network(network),
                Err(error) => failed(&format!("The network can't be read: {error}.")),
            },
            Request::Time => Reply::Time(Time {
                settings: TimeSettings {
                    zone: host_zone(),
                    servers: Vec::new(),
                },
                now: clock::wall(),
                synchronised: None,
                offset_ms: None,
            }),
            Request::Health => {
                let board = self.board.as_ref();
                let name = board.map_or("Linux", |board| board.name.as_str());
                let restarts = restarts::told(&self.run);
                Reply::Health(self.meter.read(name, &self.data, restarts))
            }
            _ => Reply::ReadOnly,
        }
    }

    /// The network of a machine that somebody else administers: what is set isn't known.
    fn network(&self) -> io::Result<Network> {
        let mut kernel = Kernel::open()?;
        Ok(Network {
            settings: NetworkSettings {
                host_name: fs::read_to_string("/proc/sys/kernel/hostname")?
                    .trim()
                    .to_owned(),
                interfaces: Vec::new(),
                gateway: None,
                dns: Vec::new(),
            },
            interfaces: kernel.interfaces()?,
            gateway: kernel.gateway()?.map(Into::into),
            dns: resolv::read(Path::new("/etc/resolv.conf")),
            confirm_within_s: None,
        })
    }
}

impl Managed {
    /// Does something with the slots, and shows them unless there is something else to say.
    fn with_slots(
        &mut self,
        work: impl FnOnce(&mut Keeper, Sender<News>) -> Option<Reply>,
    ) -> Reply {
        match &mut self.slots {
            Ok(slots) => {
                work(slots, self.news.0.clone()).unwrap_or_else(|| Reply::Slots(slots.show()))
            }
            Err(why) => failed(&format!("This machine has no slots: {why}.")),
        }
    }

    fn look_after_slots(&mut self, now: Instant) {
        let slots = self.slots.as_mut().ok();
        self.trial.turn(now, slots, &mut self.network);
        let Ok(slots) = &mut self.slots else { return };
        while let Ok(news) = self.news.1.try_recv() {
            slots.hear(news, || trial::ports(&mut self.network));
        }
    }

    /// Restarts into the other slot.
    fn start_other(&mut self) -> Reply {
        let ports = trial::ports(&mut self.network);
        match &mut self.slots {
            Ok(slots) => match slots.start_other(ports) {
                Ok(()) => order(Order::Reboot),
                Err(why) => failed(&format!("The other system can't be started: {why}.")),
            },
            Err(why) => failed(&format!("This machine has no slots: {why}.")),
        }
    }
}

fn kernel_rows(now: WallTime, after: Option<u64>) -> Reply {
    match kernel_log::read(now, after) {
        Ok(rows) => Reply::KernelLog { rows },
        Err(error) => failed(&format!("The kernel's log can't be read: {error}.")),
    }
}

fn in_file(text: String) -> Reply {
    Reply::Refused {
        field: "file".into(),
        text,
    }
}

fn manage(options: &System, board: Option<&Board>, now: Instant) -> Result<Managed> {
    let paths = time::Paths {
        data: options.data.clone(),
        zones: options.zones.clone(),
        local: options.local_time.clone(),
    };
    let time = time::Manager::start(now, paths).context("the time can't be kept")?;
    let paths = network::Paths {
        settings: network::path(&options.data),
        resolv: options.resolv.clone(),
    };
    let mut kernel = Kernel::open().context("the network can't be asked")?;
    let ports = kernel.ports().context("the ports can't be read")?;
    let first = ports.into_iter().next().map(|port| port.name);
    let delivered = delivered(board, first);
    let seed = network::seed().context("no random numbers")?;
    let network = network::Manager::start(now, paths, delivered, seed)
        .context("the network can't be brought up")?;
    let slots = match board {
        Some(board) => Keeper::start(&options.data, board).map_err(|error| format!("{error:#}")),
        None => Err("it has no description of its board".into()),
    };
    if let Err(why) = &slots {
        warn!("there are no slots to upgrade: {why}");
    }
    let before = slots.as_ref().map(Keeper::ports_before);
    let before = before.unwrap_or_default();
    let remote = remote::paths(&options.data, &options.remote_home);
    if ssh::show(&remote).settings.enabled {
        remote::carry_out(&remote);
    }
    Ok(Managed {
        network,
        time,
        slots,
        news: channel(),
        remote,
        trial: Trial::new(&options.run, options.data_in_memory, before, now),
    })
}

/// What this board is delivered with; one that isn't described asks for an address.
fn delivered(board: Option<&Board>, first_port: Option<String>) -> NetworkSettings {
    let addressing = board.map_or(Addressing::Dhcp { fallback: None }, |board| {
        board.network.first_port
    });
    NetworkSettings {
        host_name: HOST_NAME.into(),
        interfaces: vec![InterfaceSettings {
            // A port that is slow to come is waited for.
            name: first_port.unwrap_or_else(|| "eth0".into()),
            addressing,
        }],
        gateway: None,
        dns: Vec::new(),
    }
}

/// By the link that the C library finds the zone by.
fn host_zone() -> String {
    let target = fs::canonicalize("/etc/localtime").unwrap_or_default();
    let text = target.to_string_lossy();
    let zone = text.split_once("/zoneinfo/").map(|(_, zone)| zone);
    zone.unwrap_or("Etc/UTC").to_owned()
}

/// After what is asked for is on the disk.
fn after(asked: io::Result<()>, what: Order) -> Reply {
    match asked {
        Ok(()) => order(what),
        Err(error) => {
            warn!(%error, "what was asked for can't be written");
            failed(&format!("It can't be written: {error}."))
        }
    }
}

pub(super) fn order(order: Order) -> Reply {
    let mut output = io::stdout().lock();
    match writeln!(output, "{order}").and_then(|()| output.flush()) {
        Ok(()) => Reply::Done,
        Err(error) => failed(&format!("The supervisor can't be asked: {error}.")),
    }
}

pub(super) fn failed(text: &str) -> Reply {
    Reply::Failed {
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use model::system::RemoteMenuSettings;

    use super::*;

    fn read_only(data: &Path) -> Machine {
        let options = System {
            data: data.to_owned(),
            run: data.to_owned(),
            read_only: true,
            data_in_memory: false,
            resolv: data.join("resolv.conf"),
            local_time: data.join("localtime"),
            remote_home: data.join("ssh"),
            zones: PathBuf::from("/usr/share/zoneinfo"),
        };
        Machine::start(&options, Instant::ZERO).expect("a machine")
    }

    fn ask(machine: &mut Machine, request: Request) -> Reply {
        let ask = Ask {
            by: "console".into(),
            request,
        };
        machine.answer(Instant::ZERO, true, Ok(ask))
    }

    #[test]
    fn a_developers_machine_is_shown_and_never_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut machine = read_only(folder.path());
        machine.turn(Instant::ZERO);
        let Reply::Network(shown) = ask(&mut machine, Request::Network) else {
            panic!("no network");
        };
        assert!(!shown.settings.host_name.is_empty());
        assert!(matches!(ask(&mut machine, Request::Time), Reply::Time(_)));
        let Reply::Health(health) = ask(&mut machine, Request::Health) else {
            panic!("no health");
        };
        assert!(health.memory_total > 0);
        let changes = [
            Request::SetNetwork {
                settings: shown.settings,
            },
            Request::ConfirmNetwork,
            Request::RevertNetwork,
            Request::SetClock { now: clock::wall() },
            Request::SetRemoteMenu {
                settings: RemoteMenuSettings::default(),
            },
            Request::RestartExchange,
            Request::Reboot,
            Request::PowerOff,
            Request::ResetAdminPassword,
            Request::FactoryReset,
            Request::Upgrade { file: "x".into() },
            Request::StartOther,
        ];
        for request in changes {
            assert_eq!(ask(&mut machine, request), Reply::ReadOnly);
        }
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 0, "nothing is written");
    }

    #[test]
    fn what_ended_by_itself_is_counted() {
        let folder = tempfile::tempdir().expect("a folder");
        let run = folder.path().join("run");
        fs::create_dir(&run).expect("made");
        let mut machine = read_only(&run);
        for count in [0, 1, 12] {
            if count > 0 {
                restarts::tell(&run, count);
            }
            let Reply::Health(health) = ask(&mut machine, Request::Health) else {
                panic!("no health");
            };
            assert_eq!(health.restarts, count);
        }
    }

    #[test]
    fn who_may_not_ask_is_told_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut machine = read_only(folder.path());
        let ask = Ask {
            by: "Admin".into(),
            request: Request::Network,
        };
        let reply = machine.answer(Instant::ZERO, false, Ok(ask));
        assert!(matches!(reply, Reply::Failed { .. }));
        let reply = machine.answer(Instant::ZERO, true, Err("no JSON".into()));
        assert!(matches!(reply, Reply::Failed { text } if text.contains("no JSON")));
    }

    #[test]
    fn a_board_is_delivered_as_its_description_says() {
        let settings = delivered(None, Some("enp1s0".into()));
        assert_eq!(settings.interfaces[0].name, "enp1s0");
        let fallback = Addressing::Dhcp { fallback: None };
        assert_eq!(settings.interfaces[0].addressing, fallback);
        assert!(network::check(&settings, &["enp1s0".into()]).is_ok());
    }
}
