//! The kernel's network, in network namespaces that the tests make. Where that isn't allowed they say so.

#![expect(clippy::expect_used, reason = "a test: panics are what it is for")]

use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;

use nix::poll::{PollFd, PollFlags, poll};
use nix::sched::{CloneFlags, unshare};
use platform::network::link::{Kernel, Monitor, Own, Wanted};

/// Moves this thread into a network of its own, with two ports and cables to `far0` and `far1`; false,
/// said aloud, where that isn't possible.
fn in_a_network_of_its_own() -> bool {
    if let Err(error) = unshare(CloneFlags::CLONE_NEWNET) {
        println!("SKIPPED: no network namespace can be made here ({error})");
        return false;
    }
    for port in 0..2 {
        let words = format!("link add eth{port} type veth peer name far{port}");
        let made = ip(&words);
        if !made {
            println!("SKIPPED: no pair of ports can be made here");
            return false;
        }
    }
    true
}

fn ip(words: &str) -> bool {
    let status = Command::new("ip").args(words.split(' ')).status();
    status.is_ok_and(|status| status.success())
}

fn own(text: &str) -> Own {
    Own::Is(text.parse().expect("an address"))
}

fn wanted(ports: &[(&str, Option<&str>)], gateway: Option<(&str, &str)>) -> Wanted {
    Wanted {
        ports: ports
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.map_or(Own::Nothing, own)))
            .collect(),
        gateway: gateway.map(|(text, port)| (text.parse().expect("an address"), port.to_owned())),
    }
}

fn addresses(kernel: &mut Kernel, name: &str) -> Vec<String> {
    let interfaces = kernel.interfaces().expect("interfaces");
    let port = interfaces.into_iter().find(|port| port.name == name);
    let addresses = port.expect("the port").addresses;
    addresses
        .into_iter()
        .filter(|address| !address.starts_with("fe80"))
        .collect()
}

#[test]
fn addresses_and_the_router_become_exactly_what_is_wanted() {
    if !in_a_network_of_its_own() {
        return;
    }
    let mut kernel = Kernel::open().expect("a socket");
    let ports = kernel.ports().expect("ports");
    let names: Vec<&str> = ports.iter().map(|port| port.name.as_str()).collect();
    assert_eq!(names, ["eth0", "eth1", "far0", "far1"]);
    assert!(ports.iter().all(|port| !port.up && !port.carrier));

    // Somebody else's addresses go, two in one network among them.
    assert!(ip("link set eth0 up"));
    for text in ["10.10.10.9/24", "10.10.10.1/24", "172.16.0.1/16"] {
        assert!(ip(&format!("address add {text} dev eth0")));
    }
    assert!(ip("route add default via 172.16.0.254 metric 7"));
    assert_eq!(
        kernel.gateway().expect("a route"),
        Some(Ipv4Addr::new(172, 16, 0, 254))
    );
    let first = wanted(
        &[
            ("eth0", Some("10.10.10.1/24")),
            ("eth1", None),
            ("far0", None),
        ],
        Some(("10.10.10.254", "eth0")),
    );
    kernel.apply(&first).expect("applied");
    assert_eq!(addresses(&mut kernel, "eth0"), ["10.10.10.1/24"]);
    assert_eq!(
        kernel.gateway().expect("a route"),
        Some(Ipv4Addr::new(10, 10, 10, 254))
    );
    let ports = kernel.ports().expect("ports");
    assert!(ports[0].up && ports[1].up);
    assert!(!ports[1].carrier, "its far end is down");
    assert!(!ports[3].up);

    // Twice is once.
    kernel.apply(&first).expect("applied again");
    assert_eq!(addresses(&mut kernel, "eth0"), ["10.10.10.1/24"]);

    // Another network, another port, no router.
    let second = wanted(&[("eth1", Some("192.168.7.1/30")), ("far1", None)], None);
    kernel.apply(&second).expect("applied");
    assert!(addresses(&mut kernel, "eth0").is_empty());
    assert_eq!(addresses(&mut kernel, "eth1"), ["192.168.7.1/30"]);
    assert_eq!(kernel.gateway().expect("no route"), None);
    assert!(!kernel.ports().expect("ports")[0].up);
}

#[test]
fn a_router_that_cannot_be_reached_does_not_keep_addresses_away() {
    if !in_a_network_of_its_own() {
        return;
    }
    let mut kernel = Kernel::open().expect("a socket");
    let unreachable = wanted(
        &[("eth0", Some("10.10.10.1/24")), ("far0", None)],
        Some(("10.99.0.1", "eth0")),
    );
    assert!(kernel.apply(&unreachable).is_err());
    assert_eq!(addresses(&mut kernel, "eth0"), ["10.10.10.1/24"]);
}

#[test]
fn a_cable_that_is_plugged_in_is_heard() {
    if !in_a_network_of_its_own() {
        return;
    }
    let mut kernel = Kernel::open().expect("a socket");
    let monitor = Monitor::open().expect("a socket");
    assert!(!monitor.heard());
    kernel.apply(&wanted(&[("eth0", None)], None)).expect("up");
    assert!(monitor.heard());
    assert!(ip("link set far0 up"));
    // The kernel takes its own time.
    while !kernel.ports().expect("ports")[0].carrier {
        let mut ready = [PollFd::new(monitor.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut ready, 30_000_u16), Ok(1), "nothing is heard");
        assert!(monitor.heard());
    }
}
