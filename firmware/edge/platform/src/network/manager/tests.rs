//! The network of a machine in a namespace of its own, with a DHCP server at the other end of a cable.
//! Where that isn't allowed the tests say so.

use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::process::Command;

use model::system::{CONFIRM_WITHIN_S, InterfaceSettings};
use nix::poll::{PollFd, PollFlags, poll};
use nix::sched::{CloneFlags, setns, unshare};
use tempfile::TempDir;

use super::super::dhcp::message::{Heard, read};
use super::super::dhcp::server::{SERVER_MAC, Server};
use super::*;

const WALL: WallTime = WallTime::from_unix_seconds(1_700_000_000);

struct Site {
    folder: TempDir,
    now: Instant,
    server: Server,
    far: Tap,
    manager: Manager,
}

impl Site {
    fn new(delivered: NetworkSettings) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let far = match far_end() {
            Ok(far) => far,
            Err(error) => {
                println!("SKIPPED: no network namespace with a cable can be made here ({error})");
                return None;
            }
        };
        let now = Instant::from_millis(1000);
        let mut site = Self {
            server: Server::new([192, 168, 5]),
            manager: manager(&folder, now, delivered),
            far,
            folder,
            now,
        };
        site.wait_for_the_cable();
        Some(site)
    }

    /// The kernel takes its own time, which is not this site's.
    fn wait_for_the_cable(&mut self) {
        for _ in 0..1000 {
            let interfaces = self.shown().interfaces;
            if interfaces.iter().all(|port| port.carrier) && interfaces.len() == 1 {
                return self.manager.enforce(self.now).expect("applied");
            }
            self.hears_something();
            self.manager.turn(self.now);
            while let Ok(Some(_)) = self.far.receive(&mut [0; FRAME]) {}
        }
        panic!("no cable");
    }

    /// Lets so many seconds pass, from one thing that is due to the next.
    fn run(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        loop {
            self.settle();
            match self.manager.poll_timeout() {
                Some(due) if due <= end => self.now = self.now.max(due),
                _ => break,
            }
            self.manager.turn(self.now);
        }
        self.now = end;
        self.manager.turn(end);
    }

    /// The frames' own way takes none of this site's time, but some of the kernel's.
    fn settle(&mut self) {
        let mut buffer = [0; FRAME];
        while self.hears_something() {
            while let Ok(Some(frame)) = self.far.receive(&mut buffer) {
                // It hears itself too.
                let is_asked = frame.get(6..12) != Some(&SERVER_MAC);
                if is_asked && let Some(answer) = self.server.handle(frame) {
                    self.far.send(&answer).expect("sent");
                }
            }
            self.manager.turn(self.now);
        }
    }

    fn hears_something(&self) -> bool {
        let descriptors = self.manager.descriptors().chain([self.far.as_fd()]);
        let mut ready: Vec<PollFd<'_>> = descriptors
            .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .collect();
        poll(&mut ready, 50_u8).expect("waited") > 0
    }

    /// Whose addresses were announced since the last time, each once.
    fn announced(&mut self) -> Vec<Ipv4Addr> {
        let mut buffer = [0; FRAME];
        let mut found = Vec::new();
        while self.hears_something() {
            while let Ok(Some(frame)) = self.far.receive(&mut buffer) {
                if let Some(Heard::Arp { own, target, .. }) = read(frame, SERVER_MAC)
                    && own == target
                {
                    found.push(own);
                }
            }
            self.manager.turn(self.now);
        }
        found
    }

    fn restart(&mut self, delivered: NetworkSettings) {
        self.manager = manager(&self.folder, self.now, delivered);
    }

    fn shown(&mut self) -> Network {
        match self.manager.show(self.now, WALL) {
            Reply::Network(network) => network,
            other => panic!("no network: {other:?}"),
        }
    }

    fn addresses(&mut self) -> Vec<String> {
        let network = self.shown();
        let port = network.interfaces.iter().find(|port| port.name == "eth0");
        let addresses = &port.expect("the port").addresses;
        let v4 = addresses.iter().filter(|address| address.contains('.'));
        v4.cloned().collect()
    }

    fn propose(&mut self, settings: NetworkSettings) -> Reply {
        self.manager.propose(self.now, WALL, settings)
    }
}

/// Moves this thread into a network of its own with a port `eth0`, and returns the other end of its
/// cable, which is in yet another network and answers nothing by itself.
fn far_end() -> io::Result<Tap> {
    // The host's name is not to be changed either.
    unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS)?;
    let here = fs::File::open("/proc/thread-self/ns/net")?;
    unshare(CloneFlags::CLONE_NEWNET)?;
    let path = format!("/proc/{}/fd/{}", std::process::id(), here.as_raw_fd());
    for words in [
        format!("link add far0 type veth peer name eth0 netns {path}"),
        "link set far0 up arp off".to_owned(),
    ] {
        let status = Command::new("ip").args(words.split(' ')).status()?;
        if !status.success() {
            return Err(io::Error::other(words));
        }
    }
    let ports = Kernel::open()?.ports()?;
    let far = ports.iter().find(|port| port.name == "far0");
    let far = Tap::of_everything(far.expect("it was made").index)?;
    setns(here, CloneFlags::CLONE_NEWNET)?;
    Ok(far)
}

fn manager(folder: &TempDir, now: Instant, delivered: NetworkSettings) -> Manager {
    let paths = Paths {
        settings: folder.path().join("system/network.json"),
        resolv: folder.path().join("resolv.conf"),
    };
    Manager::start(now, paths, delivered, 7).expect("the kernel answers")
}

fn settings(addressing: Addressing) -> NetworkSettings {
    NetworkSettings {
        host_name: "box".into(),
        interfaces: vec![InterfaceSettings {
            name: "eth0".into(),
            addressing,
        }],
        gateway: None,
        dns: Vec::new(),
    }
}

fn fixed(address: &str) -> NetworkSettings {
    settings(Addressing::Static {
        address: address.parse().expect("an address"),
    })
}

fn dhcp(fallback: Option<&str>) -> NetworkSettings {
    settings(Addressing::Dhcp {
        fallback: fallback.map(|text| text.parse().expect("an address")),
    })
}

#[test]
fn a_box_gets_its_address_router_and_name_servers() {
    let Some(mut site) = Site::new(dhcp(Some("10.10.10.1/24"))) else {
        return;
    };
    site.run(5);
    assert_eq!(site.addresses(), ["192.168.5.100/24"]);
    let network = site.shown();
    assert_eq!(network.gateway, Some(site.server.address.into()));
    assert_eq!(network.dns, [IpAddr::from([192, 168, 5, 53])]);
    let lease = network.interfaces.iter().find_map(|port| port.lease_until);
    assert!(lease.is_some_and(|until| until > WALL + Duration::from_secs(3000)));
    assert_eq!(gethostname().expect("a name"), "box");

    // A process that is started anew takes nothing away, and finds the same.
    site.restart(dhcp(None));
    assert_eq!(site.addresses(), ["192.168.5.100/24"]);
    assert_eq!(site.shown().gateway, Some(site.server.address.into()));
    site.run(5);
    assert_eq!(site.addresses(), ["192.168.5.100/24"]);

    // Renewed over and over, the address stays.
    site.run(4000);
    assert_eq!(site.addresses(), ["192.168.5.100/24"]);
}

#[test]
fn without_a_server_the_fallback_comes_and_goes() {
    let Some(mut site) = Site::new(dhcp(Some("10.10.10.1/24"))) else {
        return;
    };
    site.server.silent = true;
    site.run(14);
    assert!(site.addresses().is_empty());
    site.run(2);
    assert_eq!(site.addresses(), ["10.10.10.1/24"]);
    site.server.silent = false;
    site.run(80);
    assert_eq!(site.addresses(), ["192.168.5.100/24"]);
    let given = site.server.given.values().next().copied();
    assert_eq!(given, Some(Ipv4Addr::new(192, 168, 5, 100)));
}

#[test]
fn a_change_that_nobody_confirms_reverts_by_itself() {
    let Some(mut site) = Site::new(fixed("10.10.10.1/24")) else {
        return;
    };
    assert_eq!(site.addresses(), ["10.10.10.1/24"]);
    let Reply::Network(network) = site.propose(fixed("172.16.0.1/16")) else {
        panic!("it is possible");
    };
    assert_eq!(network.confirm_within_s, Some(CONFIRM_WITHIN_S));
    assert_eq!(site.addresses(), ["172.16.0.1/16"]);
    site.run(u64::from(CONFIRM_WITHIN_S) - 1);
    assert_eq!(site.addresses(), ["172.16.0.1/16"]);
    site.run(1);
    assert_eq!(site.addresses(), ["10.10.10.1/24"]);
    assert_eq!(site.shown().confirm_within_s, None);
}

#[test]
fn an_address_that_is_set_or_comes_back_is_announced_once() {
    let Some(mut site) = Site::new(fixed("10.10.10.1/24")) else {
        return;
    };
    site.announced();
    site.propose(fixed("10.10.10.2/24"));
    assert_eq!(site.announced(), [Ipv4Addr::new(10, 10, 10, 2)]);
    site.manager.revert(site.now, WALL);
    assert_eq!(site.announced(), [Ipv4Addr::new(10, 10, 10, 1)]);
    site.manager.enforce(site.now).expect("applied");
    assert_eq!(site.announced(), Vec::<Ipv4Addr>::new());
}

#[test]
fn only_what_was_confirmed_outlives_a_power_cut() {
    let delivered = || fixed("10.10.10.1/24");
    let Some(mut site) = Site::new(delivered()) else {
        return;
    };
    site.propose(fixed("172.16.0.1/16"));
    site.restart(delivered());
    assert_eq!(site.addresses(), ["10.10.10.1/24"]);
    site.propose(fixed("172.16.0.1/16"));
    site.manager.confirm(site.now, WALL);
    site.run(u64::from(CONFIRM_WITHIN_S) + 1);
    assert_eq!(site.addresses(), ["172.16.0.1/16"]);
    site.restart(delivered());
    assert_eq!(site.addresses(), ["172.16.0.1/16"]);
    site.propose(fixed("172.16.0.2/16"));
    site.manager.revert(site.now, WALL);
    assert_eq!(site.addresses(), ["172.16.0.1/16"]);
}

#[test]
fn a_leased_address_is_given_back_where_another_is_set() {
    let Some(mut site) = Site::new(dhcp(None)) else {
        return;
    };
    site.run(5);
    assert_eq!(site.server.given.len(), 1);
    site.propose(fixed("10.10.10.1/24"));
    site.run(1);
    assert!(site.server.given.is_empty());
    assert_eq!(site.addresses(), ["10.10.10.1/24"]);
    assert_eq!(site.shown().gateway, None);
    assert!(site.shown().dns.is_empty());
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let Some(mut site) = Site::new(fixed("10.10.10.1/24")) else {
        return;
    };
    let mut impossible = fixed("10.10.10.1/24");
    impossible.gateway = Some(Ipv4Addr::new(10, 99, 0, 1));
    let Reply::Refused { field, .. } = site.propose(impossible) else {
        panic!("it is impossible");
    };
    assert_eq!(field, "gateway");
    assert_eq!(site.shown().confirm_within_s, None);
}
