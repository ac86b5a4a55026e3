//! The network of the machine in a program's loop: settings, DHCP clients, the kernel.
//!
//! Nothing here waits. The loop sleeps on [`Manager::descriptors`] and until [`Manager::poll_timeout`],
//! and then calls [`Manager::turn`].

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

use model::system::{Addressing, Network, NetworkSettings, Reply};
use model::{Instant, WallTime};
use nix::unistd::{gethostname, sethostname};
use tracing::{info, warn};

use super::change::Change;
use super::dhcp::message::{Mac, arp_announcement};
use super::dhcp::{Client, Event, Output};
use super::link::{Kernel, Monitor, Own, Port};
use super::plan::{Given, Plan, plan};
use super::{check, resolv};
use crate::files;
use crate::sys::packet::Tap;

/// Frames taken from one port in a turn: more is no DHCP.
const FRAMES: usize = 64;

/// The longest frame without tags that DHCP and ARP come in.
const FRAME: usize = 1600;

/// What the kernel refused is tried again: a port may have been slow to start.
const AGAIN: Duration = Duration::from_secs(5);

/// Where things are.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The settings, as they are kept.
    pub settings: PathBuf,
    /// What names are resolved by.
    pub resolv: PathBuf,
}

/// A port with DHCP.
struct Served {
    port: Port,
    tap: Tap,
    client: Client,
    given: Given,
}

/// The network of the machine.
pub struct Manager {
    paths: Paths,
    kernel: Kernel,
    monitor: Monitor,
    change: Change,
    served: BTreeMap<String, Served>,
    seed: u64,
    /// The kernel is to be told again then.
    again: Option<Instant>,
    /// The way to the world may be another one since somebody asked.
    changed: bool,
    /// What the kernel was told last.
    planned: Plan,
    /// What neighbours were told, of ports with a cable.
    announced: BTreeMap<String, (Mac, Ipv4Addr)>,
    /// Keeps the kernel from answering servers that nobody listens on the port.
    _quiet: Option<UdpSocket>,
}

impl Manager {
    /// Brings the network up as it was kept; where nothing is, as `delivered`. `seed` is for what has
    /// to differ between machines.
    ///
    /// # Errors
    /// Where the kernel can't be asked at all.
    pub fn start(
        now: Instant,
        paths: Paths,
        delivered: NetworkSettings,
        seed: u64,
    ) -> io::Result<Self> {
        let kept = files::read_settings(&paths.settings).unwrap_or(delivered);
        let mut manager = Self {
            paths,
            kernel: Kernel::open()?,
            monitor: Monitor::open()?,
            change: Change::new(kept),
            served: BTreeMap::new(),
            seed,
            again: None,
            changed: true,
            planned: Plan::default(),
            announced: BTreeMap::new(),
            _quiet: UdpSocket::bind("0.0.0.0:68").ok(),
        };
        // What the kernel refuses is in the log, and tried again.
        let _ = manager.enforce(now);
        Ok(manager)
    }

    /// What wakes the loop.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let taps = self.served.values().map(|served| served.tap.as_fd());
        taps.chain([self.monitor.as_fd()])
    }

    /// When [`Self::turn`] is due at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let clients = self.served.values();
        let clients = clients.filter_map(|served| served.client.poll_timeout());
        clients
            .chain(self.change.poll_timeout())
            .chain(self.again)
            .min()
    }

    /// Does what there is to do.
    pub fn turn(&mut self, now: Instant) {
        if self.change.handle_timeout(now) {
            warn!("nobody confirmed the change of the network: it is as it was before");
            let _ = self.enforce(now);
        }
        if self.again.is_some_and(|again| again <= now) || self.monitor.heard() {
            let _ = self.enforce(now);
        }
        let mut is_new = false;
        for (name, served) in &mut self.served {
            is_new |= served.turn(now, name);
        }
        if is_new {
            let _ = self.apply(now);
        }
    }

    /// True once after each time the way to the world became another one.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The ports that are set to be used and are there.
    ///
    /// # Errors
    /// Where the kernel can't be asked.
    pub fn ports(&mut self) -> io::Result<Vec<Port>> {
        let mut ports = self.kernel.ports()?;
        let set = &self.change.in_force().interfaces;
        ports.retain(|port| set.iter().any(|interface| interface.name == port.name));
        Ok(ports)
    }

    /// The network as it is set and as it is.
    pub fn show(&mut self, now: Instant, wall: WallTime) -> Reply {
        match self.network(now, wall) {
            Ok(network) => Reply::Network(network),
            Err(error) => failed("The network can't be read", &error),
        }
    }

    fn network(&mut self, now: Instant, wall: WallTime) -> io::Result<Network> {
        let mut interfaces = self.kernel.interfaces()?;
        for interface in &mut interfaces {
            let lease = (self.served.get(&interface.name)).and_then(|served| served.client.lease());
            let until = lease.and_then(|lease| lease.until);
            interface.lease_until = until.map(|until| wall + (until - now));
        }
        Ok(Network {
            settings: self.change.in_force().clone(),
            interfaces,
            gateway: self.kernel.gateway()?.map(IpAddr::V4),
            dns: resolv::read(&self.paths.resolv),
            confirm_within_s: self.change.left_s(now),
        })
    }

    /// Tries other settings, until they are confirmed or revert.
    pub fn propose(&mut self, now: Instant, wall: WallTime, settings: NetworkSettings) -> Reply {
        let ports = match self.kernel.ports() {
            Ok(ports) => ports,
            Err(error) => return failed("The network can't be read", &error),
        };
        let names: Vec<String> = ports.into_iter().map(|port| port.name).collect();
        if let Err(refused) = check(&settings, &names) {
            return refused.into();
        }
        self.change.propose(now, settings);
        match self.enforce(now) {
            Ok(()) => self.show(now, wall),
            Err(error) => {
                self.change.revert();
                let _ = self.enforce(now);
                failed("The network can't be set so, and is as it was", &error)
            }
        }
    }

    /// Keeps what is tried.
    pub fn confirm(&mut self, now: Instant, wall: WallTime) -> Reply {
        if let Some(settings) = self.change.to_confirm() {
            if let Err(error) = files::write_settings(&self.paths.settings, settings) {
                return failed("The network is not kept: it can't be written", &error);
            }
            self.change.confirmed();
        }
        self.show(now, wall)
    }

    /// Goes back to what is kept.
    pub fn revert(&mut self, now: Instant, wall: WallTime) -> Reply {
        if self.change.revert() {
            let _ = self.enforce(now);
        }
        self.show(now, wall)
    }

    /// Makes the settings so: clients where DHCP is set, and what they gave or what is set.
    fn enforce(&mut self, now: Instant) -> io::Result<()> {
        self.name();
        let ports = self.kernel.ports()?;
        self.retire(&ports);
        for interface in self.change.in_force().interfaces.clone() {
            let port = ports.iter().find(|port| port.name == interface.name);
            if let (Some(port), Addressing::Dhcp { .. }) = (port, interface.addressing) {
                self.serve(now, port);
            }
        }
        self.apply(now)
    }

    /// Ends the clients of ports that are used otherwise now, or are gone.
    fn retire(&mut self, ports: &[Port]) {
        let settings = self.change.in_force();
        self.served.retain(|name, served| {
            let is_there = ports.iter().any(|port| {
                (&port.name, port.index, port.mac) == (name, served.port.index, served.port.mac)
            });
            let by_dhcp = settings.interfaces.iter().any(|interface| {
                interface.name == *name && matches!(interface.addressing, Addressing::Dhcp { .. })
            });
            if is_there && !by_dhcp {
                served.client.release();
                served.send(name);
            }
            is_there && by_dhcp
        });
    }

    fn serve(&mut self, now: Instant, port: &Port) {
        if let Some(served) = self.served.get_mut(&port.name) {
            served.client.handle_carrier(now, port.carrier);
            return;
        }
        let tap = match Tap::open(port.index) {
            Ok(tap) => tap,
            Err(error) => {
                warn!(port = port.name, %error, "no address can be asked for");
                self.again = Some(now + AGAIN);
                return;
            }
        };
        let host_name = &self.change.in_force().host_name;
        let mut client = Client::new(now, port.mac, host_name, self.seed);
        client.handle_carrier(now, port.carrier);
        let served = Served {
            port: port.clone(),
            tap,
            client,
            given: Given::Nothing,
        };
        self.served.insert(port.name.clone(), served);
    }

    fn apply(&mut self, now: Instant) -> io::Result<()> {
        let plan = plan(self.change.in_force(), |name| {
            self.served
                .get(name)
                .map_or(&Given::Nothing, |served| &served.given)
        });
        self.changed |= plan != self.planned;
        let waits = (self.served.values()).any(|served| served.given == Given::Nothing);
        if !(waits && plan.dns.is_empty())
            && let Err(error) = resolv::write(&self.paths.resolv, &plan.dns, plan.domain.as_deref())
        {
            warn!(path = %self.paths.resolv.display(), %error, "names may not be resolved");
        }
        let result = self.kernel.apply(&plan.wanted);
        self.planned = plan;
        self.announce();
        self.again = match &result {
            Ok(()) => None,
            Err(error) => {
                warn!(%error, "the network is not as it is set; trying again");
                Some(now + AGAIN)
            }
        };
        result
    }

    /// Tells neighbours whose an address is now, which the kernel does not: they would go on with the station
    /// that had it before, as that of the box which this one stands in for.
    fn announce(&mut self) {
        let Ok(ports) = self.kernel.ports() else {
            return;
        };
        let told = std::mem::take(&mut self.announced);
        for (name, own) in &self.planned.wanted.ports {
            let port = ports.iter().find(|port| port.name == *name && port.carrier);
            let (Some(port), Own::Is(address)) = (port, own) else {
                continue;
            };
            let known = (port.mac, address.address());
            let is_told = told.get(name) == Some(&known) || {
                let frame = arp_announcement(port.mac, address.address());
                Tap::open(port.index)
                    .and_then(|tap| tap.send(&frame))
                    .is_ok()
            };
            if is_told {
                self.announced.insert(name.clone(), known);
            }
        }
    }

    fn name(&self) {
        let name = &self.change.in_force().host_name;
        if gethostname().is_ok_and(|old| old.to_str() == Some(name)) {
            return;
        }
        if let Err(error) = sethostname(name) {
            warn!(%error, name, "the machine keeps its old name");
        }
    }
}

impl Served {
    /// True where something else is given now.
    fn turn(&mut self, now: Instant, name: &str) -> bool {
        let mut buffer = [0; FRAME];
        for _ in 0..FRAMES {
            match self.tap.receive(&mut buffer) {
                Ok(Some(frame)) => self.client.handle_frame(now, frame),
                Ok(None) => break,
                // The port went down; the cable's own messages say so too.
                Err(_) => {}
            }
        }
        if self.client.poll_timeout().is_some_and(|due| due <= now) {
            self.client.handle_timeout(now);
        }
        self.send(name)
    }

    fn send(&mut self, name: &str) -> bool {
        let mut is_new = false;
        while let Some(output) = self.client.poll_output() {
            match output {
                Output::Transmit(frame) => {
                    // What can't be sent is sent again when no answer comes.
                    let _ = self.tap.send(&frame);
                }
                Output::Event(event) => {
                    is_new = true;
                    self.given = given(name, event);
                }
            }
        }
        is_new
    }
}

fn given(port: &str, event: Event) -> Given {
    match event {
        Event::Leased(lease) => {
            info!(port, address = %lease.address, server = %lease.server, "leased");
            Given::Lease(lease)
        }
        Event::Lost => {
            warn!(port, "the address is no longer leased");
            Given::Lost
        }
        Event::Unanswered => {
            warn!(
                port,
                "no DHCP server answers; going on with the fallback, and trying"
            );
            Given::Unanswered
        }
    }
}

fn failed(what: &str, error: &io::Error) -> Reply {
    warn!(%error, "{what}");
    Reply::Failed {
        text: format!("{what}: {error}."),
    }
}

/// A number that differs between machines and starts, for [`Manager::start`].
///
/// # Errors
/// Where the kernel has no random numbers.
pub fn seed() -> io::Result<u64> {
    use std::io::Read;
    let mut octets = [0; 8];
    fs::File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(u64::from_ne_bytes(octets))
}

#[cfg(test)]
mod tests;
