//! The menu driven by keys, its screens compared with what they should be.

use model::control::{Listening, Status};
use model::system::{
    Addressing, Health, Interface, InterfaceSettings, Network, NetworkSettings, RemoteMenu,
    RemoteMenuSettings, Reply, Request, Slot, Slots, Time, TimeSettings, Upgrade,
};
use model::{ConfigVersion, WallTime};
use proptest::prelude::*;

use super::*;
use crate::key::Keys;
use crate::screen::ROWS;
use crate::view;

fn interface(name: &str, mac: &str, addresses: &[&str]) -> Interface {
    Interface {
        name: name.into(),
        mac: mac.into(),
        carrier: !addresses.is_empty(),
        addresses: addresses.iter().map(|&address| address.into()).collect(),
        lease_until: None,
    }
}

fn network() -> Network {
    Network {
        settings: NetworkSettings {
            host_name: "operator".into(),
            interfaces: vec![InterfaceSettings {
                name: "eth0".into(),
                addressing: Addressing::Static {
                    address: "10.10.10.1/24".parse().expect("an address"),
                },
            }],
            gateway: None,
            dns: Vec::new(),
        },
        interfaces: vec![
            interface(
                "eth0",
                "02:00:00:00:00:01",
                &["10.10.10.1/24", "fe80::1/64"],
            ),
            interface("eth1", "02:00:00:00:00:02", &[]),
        ],
        gateway: None,
        dns: Vec::new(),
        confirm_within_s: None,
    }
}

fn time() -> Time {
    Time {
        settings: TimeSettings {
            zone: "Etc/UTC".into(),
            servers: vec!["ntp.example.net".into()],
        },
        now: WallTime::from_unix_seconds(1_804_572_300),
        synchronised: Some(WallTime::from_unix_seconds(1_804_572_000)),
        offset_ms: Some(3),
    }
}

fn health() -> Health {
    Health {
        board: "operator-box-1000".into(),
        uptime_s: 3 * 86_400 + 4 * 3600 + 5 * 60,
        cpu: 0.1,
        memory_total: 2 << 30,
        memory_available: 1 << 30,
        disk_total: 8 << 30,
        disk_available: 5 << 30,
        disk_written: 0,
        disk_written_hour: 0,
        temperature_c: Some(47.6),
        restarts: 0,
    }
}

fn slots() -> Slots {
    Slots {
        running: Slot::A,
        version: "1.2.3".into(),
        confirmed: Slot::A,
        other_version: None,
        upgrade: Upgrade::Ready {
            version: "1.3.0".into(),
        },
    }
}

fn status(calls: u32) -> Status {
    Status {
        version: "1.2.3".into(),
        started: WallTime::from_unix_seconds(0),
        uptime_s: 7500,
        config: ConfigVersion::new(1),
        calls,
        registrations: 12,
        real_time: true,
        overload_refusals: 0,
        sip: Listening {
            addresses: Vec::new(),
            port: 5060,
            tls_port: None,
        },
    }
}

/// A menu that knows everything.
fn menu() -> Menu {
    let zones = ["Africa/Prague_Hill", "Europe/Paris", "Europe/Prague"];
    let mut menu = Menu::new(zones.map(str::to_owned).to_vec());
    menu.answered(&Request::Network, Reply::Network(network()));
    menu.answered(&Request::Health, Reply::Health(health()));
    menu.answered(&Request::Slots, Reply::Slots(slots()));
    menu.answered(&Request::Time, Reply::Time(time()));
    menu.exchange(Some(status(3)));
    menu
}

/// Types bytes as a terminal sends them, an Escape with the pause after it.
fn press(menu: &mut Menu, bytes: &str) -> Vec<Effect> {
    let mut keys = Keys::default();
    let mut effects = Vec::new();
    for byte in bytes.bytes() {
        if let Some(key) = keys.push(byte) {
            effects.extend(menu.key(key));
        }
    }
    if let Some(key) = keys.pause() {
        effects.extend(menu.key(key));
    }
    effects
}

fn shown(menu: &Menu) -> String {
    let grid = view::grid(&menu.page());
    let lines: Vec<String> = (0..ROWS).map(|row| grid.line(row)).collect();
    lines.join("\n")
}

fn asked(effects: &[Effect]) -> Option<Request> {
    effects.iter().find_map(|effect| match effect {
        Effect::Ask(request) => Some(request.clone()),
        Effect::Look => None,
    })
}

const DOWN: &str = "\x1b[B";
const UP: &str = "\x1b[A";
const ESCAPE: &str = "\x1b";

#[test]
fn the_status_shows_addresses_and_where_the_administration_is() {
    insta::assert_snapshot!(shown(&menu()));
}

#[test]
fn nothing_known_is_said_and_nothing_is_changed() {
    let mut menu = Menu::new(Vec::new());
    assert_eq!(menu.second(), [Effect::Look]);
    assert_eq!(press(&mut menu, "1"), [Effect::Look]);
    assert!(menu.is_at_status());
    menu.system_away();
    menu.exchange(None);
    press(&mut menu, "1");
    insta::assert_snapshot!(shown(&menu));
    let text = "The network can't be read.".to_owned();
    menu.answered(&Request::Network, Reply::Failed { text: text.clone() });
    assert!(shown(&menu).contains(&text));
}

#[test]
fn a_machine_of_somebody_else_is_shown_and_left_alone() {
    let mut menu = menu();
    menu.answered(&Request::Slots, Reply::ReadOnly);
    let mut network = network();
    network.settings.interfaces.clear();
    menu.answered(&Request::Network, Reply::Network(network));
    press(&mut menu, "1");
    assert!(menu.is_at_status());
    let page = shown(&menu);
    assert_eq!(page.matches(texts::READ_ONLY).count(), 2, "{page}");
    assert!(page.contains("eth0 10.10.10.1/24, link,"), "{page}");
    press(&mut menu, &format!("4{DOWN}\r"));
    menu.answered(&Request::Reboot, Reply::ReadOnly);
    assert_eq!(menu.page().note, texts::READ_ONLY);
}

#[test]
fn everybody_is_asked_each_five_seconds() {
    let mut menu = menu();
    let looks: Vec<usize> = (0..11).map(|_| menu.second().len()).collect();
    assert_eq!(looks, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
}

/// To the address of the form, where the caret is at the end of it.
fn to_address() -> String {
    format!("1{DOWN}{DOWN}")
}

#[test]
fn a_network_is_set_and_kept() {
    let mut menu = menu();
    press(&mut menu, &to_address());
    press(&mut menu, "\x15192.168.1.20");
    press(
        &mut menu,
        &format!("{DOWN}\x1524{DOWN}192.168.1.1{DOWN}192.168.1.1 9.9.9.9"),
    );
    insta::assert_snapshot!("network_form", shown(&menu));
    let request = asked(&press(&mut menu, &format!("{DOWN}{DOWN}\r"))).expect("asked");
    let Request::SetNetwork { settings } = request.clone() else {
        unreachable!("{request:?}");
    };
    assert_eq!(
        settings.interfaces,
        [InterfaceSettings {
            name: "eth0".into(),
            addressing: Addressing::Static {
                address: "192.168.1.20/24".parse().expect("an address"),
            },
        }]
    );
    assert_eq!(settings.gateway, Some([192, 168, 1, 1].into()));
    assert_eq!(settings.dns.len(), 2);
    // While it is waited for, keys count for nothing.
    assert_eq!(press(&mut menu, "\r\r"), []);
    let mut changed = network();
    changed.settings = settings;
    changed.interfaces[0].addresses = vec!["192.168.1.20/24".into()];
    changed.confirm_within_s = Some(120);
    menu.answered(&request, Reply::Network(changed.clone()));
    menu.second();
    insta::assert_snapshot!("keep", shown(&menu));
    // Left, it is still to be had from the status.
    press(&mut menu, ESCAPE);
    assert!(shown(&menu).contains("9 Keep the new network settings (119 s left)"));
    press(&mut menu, "9");
    let confirm = asked(&press(&mut menu, "\r")).expect("asked");
    assert_eq!(confirm, Request::ConfirmNetwork);
    changed.confirm_within_s = None;
    menu.answered(&confirm, Reply::Network(changed));
    assert!(menu.is_at_status());
    assert!(shown(&menu).contains(texts::KEPT), "{}", shown(&menu));
}

#[test]
fn a_network_that_nobody_keeps_is_looked_at_again_when_its_time_is_over() {
    let mut menu = menu();
    let mut tried = network();
    tried.confirm_within_s = Some(2);
    menu.answered(&Request::Network, Reply::Network(tried));
    press(&mut menu, "9");
    menu.second();
    assert_eq!(menu.second(), [Effect::Look]);
    menu.answered(&Request::Network, Reply::Network(network()));
    assert!(menu.is_at_status());
    assert!(shown(&menu).contains("The time is over"));
}

#[test]
fn what_is_wrong_is_said_at_once_and_has_the_focus() {
    let mut menu = menu();
    let tries = [
        ("10.10.10", "Address: write the address as 10.10.10.1"),
        ("10.10.10.255", "Address: this is the broadcast address"),
        ("127.0.0.1", "Address: no machine can have this address"),
    ];
    for (address, fault) in tries {
        press(&mut menu, &to_address());
        press(&mut menu, &format!("\x15{address}"));
        let effects = press(&mut menu, &DOWN.repeat(5));
        assert_eq!(effects, []);
        assert_eq!(press(&mut menu, "\r"), []);
        assert!(shown(&menu).contains(fault), "{}", shown(&menu));
        assert_eq!(menu.page().rows[menu.page().focus].id, Id::Address);
        press(&mut menu, ESCAPE);
    }
    press(&mut menu, &to_address());
    press(
        &mut menu,
        &format!("{DOWN}\x15255.0.255.0{}\r", DOWN.repeat(4)),
    );
    assert!(
        shown(&menu).contains("Subnet mask: write the mask"),
        "{}",
        shown(&menu)
    );
}

#[test]
fn what_the_system_refuses_is_shown_at_its_row() {
    let mut menu = menu();
    press(&mut menu, "1");
    let request = asked(&press(&mut menu, &format!("{UP}{UP}\r"))).expect("asked");
    let refused = |field: &str| Reply::Refused {
        field: field.into(),
        text: "not in this network".into(),
    };
    menu.answered(&request, refused("gateway"));
    assert_eq!(menu.page().note, "Gateway: not in this network");
    let request = asked(&press(&mut menu, &format!("{}\r", DOWN.repeat(3)))).expect("asked");
    menu.answered(&request, refused("interfaces[0].addressing.address"));
    assert_eq!(menu.page().note, "Address: not in this network");
    let text = "the card is full".to_owned();
    let request = asked(&press(&mut menu, &format!("{}\r", DOWN.repeat(5)))).expect("asked");
    menu.answered(&request, Reply::Failed { text: text.clone() });
    assert_eq!(menu.page().note, text);
}

#[test]
fn dhcp_needs_no_address_and_a_second_port_may_be_unused() {
    let mut menu = menu();
    // eth0 from DHCP: static, not used, DHCP.
    press(&mut menu, &format!("1{DOWN}  {DOWN}\x15"));
    // eth1 stays unused: it has no address rows.
    press(&mut menu, &format!("{UP}{UP} "));
    insta::assert_snapshot!(shown(&menu));
    let request = asked(&press(&mut menu, &format!("{UP}{UP}\r"))).expect("asked");
    let Request::SetNetwork { settings } = request else {
        unreachable!("{request:?}");
    };
    let addressing = Addressing::Dhcp { fallback: None };
    let name = "eth0".into();
    assert_eq!(
        settings.interfaces,
        [InterfaceSettings { name, addressing }]
    );
}

#[test]
fn a_zone_is_found_by_part_of_its_name() {
    let mut menu = menu();
    press(&mut menu, "2\rprague");
    insta::assert_snapshot!(shown(&menu));
    press(&mut menu, &format!("{DOWN}{DOWN}\r"));
    let request = asked(&press(&mut menu, &format!("{UP}{UP}\r"))).expect("asked");
    let settings = TimeSettings {
        zone: "Europe/Prague".into(),
        servers: vec!["ntp.example.net".into()],
    };
    assert_eq!(request, Request::SetTime { settings });
    menu.answered(&request, Reply::Time(time()));
    assert!(shown(&menu).contains(texts::SAVED));
}

#[test]
fn the_clock_is_set_where_no_server_sets_it() {
    let mut menu = menu();
    press(&mut menu, &format!("2{DOWN}{DOWN}2027-03-09 14:05"));
    press(&mut menu, &format!("{DOWN}\r"));
    assert!(menu.page().note.ends_with(texts::CLOCK_BY_SERVERS));
    press(&mut menu, &format!("{UP}\x15"));
    let request = asked(&press(&mut menu, &format!("{DOWN}{DOWN}\r"))).expect("asked");
    let next = asked(&menu.answered(&request, Reply::Time(time())));
    let now = WallTime::from_unix_seconds(1_804_601_100);
    assert_eq!(next, Some(Request::SetClock { now }));
}

#[test]
fn the_other_system_is_started_where_there_is_one() {
    let mut menu = menu();
    press(&mut menu, "9");
    assert!(menu.is_at_status(), "there is none");
    let other = Slots {
        other_version: Some("1.1.0".into()),
        ..slots()
    };
    menu.answered(&Request::Slots, Reply::Slots(other));
    press(&mut menu, "9");
    insta::assert_snapshot!(shown(&menu));
    // Enter alone does nothing.
    assert_eq!(asked(&press(&mut menu, "\r")), None);
    press(&mut menu, "9");
    let request = asked(&press(&mut menu, &format!("{DOWN}\r")));
    assert_eq!(request, Some(Request::StartOther));
    let text = "There is no other system.".to_owned();
    menu.answered(&Request::StartOther, Reply::Failed { text: text.clone() });
    assert_eq!(menu.page().note, text);
    press(&mut menu, "\r");
    menu.answered(&Request::StartOther, Reply::Done);
    assert!(menu.is_at_status());
    assert!(menu.page().note.contains("other system"));
}

#[test]
fn whatever_ends_calls_asks_first_and_says_how_many() {
    for (number, danger) in ('3'..='6').zip(Danger::ALL) {
        let mut menu = menu();
        press(&mut menu, &number.to_string());
        let page = shown(&menu);
        assert_eq!(
            page.contains("THIS ENDS 3 CALLS."),
            danger.ends_calls(),
            "{page}"
        );
        // Enter alone does nothing.
        assert_eq!(asked(&press(&mut menu, "\r")), None);
        assert!(menu.is_at_status());
        press(&mut menu, &number.to_string());
        let request = asked(&press(&mut menu, &format!("{DOWN}\r")));
        assert_eq!(request, Some(danger.request()));
        menu.answered(&danger.request(), Reply::Done);
        assert!(menu.is_at_status());
        assert!(!menu.page().note.is_empty());
    }
    let mut menu = menu();
    menu.exchange(None);
    press(&mut menu, "4");
    insta::assert_snapshot!(shown(&menu));
}

#[test]
fn a_factory_reset_takes_the_whole_word() {
    let mut menu = menu();
    press(&mut menu, "7");
    for word in ["", "RESE", "reset"] {
        press(&mut menu, &format!("\x15{word}"));
        assert_eq!(press(&mut menu, &format!("{DOWN}\r")), [], "{word}");
        assert!(menu.page().note.ends_with(texts::BAD_WORD));
    }
    press(&mut menu, "\x15RESET");
    insta::assert_snapshot!(shown(&menu));
    let request = asked(&press(&mut menu, &format!("{DOWN}\r")));
    assert_eq!(request, Some(Request::FactoryReset));
}

#[test]
fn a_system_that_goes_away_leaves_nobody_waiting() {
    let mut menu = menu();
    press(&mut menu, &format!("4{DOWN}\r"));
    assert_eq!(menu.page().note, texts::WAIT);
    menu.system_away();
    assert_eq!(menu.page().note, texts::LOST);
    press(&mut menu, ESCAPE);
    assert!(menu.is_at_status());
    assert!(shown(&menu).contains(texts::SYSTEM_AWAY));
}

/// What happens to a menu, besides keys.
#[derive(Clone, Debug)]
enum Event {
    Bytes(Vec<u8>),
    Second,
    Away,
    Answer,
    Refuse,
    Confirm(Option<u32>),
}

fn event() -> impl Strategy<Value = Event> {
    let bytes = prop_oneof![
        4 => proptest::sample::select(vec![
            "\r", UP, DOWN, " ", "1", "2", "7", "8", "9", ESCAPE, "\t", "\x15", "RESET", "\x7f", "q",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ];
    prop_oneof![
        12 => bytes.prop_map(Event::Bytes),
        1 => Just(Event::Second),
        1 => Just(Event::Away),
        3 => Just(Event::Answer),
        1 => Just(Event::Refuse),
        1 => proptest::option::of(0..3_u32).prop_map(Event::Confirm),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_escape_leads_back_to_the_status(
        events in proptest::collection::vec(event(), 0..80)
    ) {
        let mut menu = menu();
        let mut keys = Keys::default();
        let mut owed: Vec<Request> = Vec::new();
        for event in events {
            let mut effects = Vec::new();
            match event {
                Event::Bytes(bytes) => for byte in bytes {
                    if let Some(key) = keys.push(byte) {
                        effects.extend(menu.key(key));
                    }
                },
                Event::Second => effects = menu.second(),
                Event::Away => {
                    owed.clear();
                    menu.system_away();
                }
                Event::Answer => if let Some(request) = owed.pop() {
                    effects = menu.answered(&request, Reply::Network(network()));
                },
                Event::Refuse => if let Some(request) = owed.pop() {
                    let (field, text) = ("interfaces[1].addressing".into(), "no \x1b[2J".into());
                    effects = menu.answered(&request, Reply::Refused { field, text });
                },
                Event::Confirm(confirm_within_s) => {
                    let network = Network { confirm_within_s, ..network() };
                    effects = menu.answered(&Request::Network, Reply::Network(network));
                }
            }
            owed.extend(effects.into_iter().filter_map(|effect| match effect {
                Effect::Ask(request) => Some(request),
                Effect::Look => None,
            }));
            let page = menu.page();
            prop_assert!(page.rows.iter().any(|row| row.id != Id::Back));
            view::grid(&page);
        }
        if let Some(key) = keys.pause() {
            menu.key(key);
        }
        // A search, its form, and something that was waited for.
        press(&mut menu, ESCAPE);
        press(&mut menu, ESCAPE);
        press(&mut menu, ESCAPE);
        prop_assert!(menu.is_at_status());
    }
}

#[test]
fn the_menu_over_ssh_is_switched_on_for_a_key_that_is_pasted() {
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE7WMmaYrT4SWhjXPK/RxAJdKxHrRQdzRTlT3gSJFzZz jana@desk";
    let other =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEsomeothersomeothersomeothersomeothersom petr";
    let mut menu = menu();
    assert_eq!(asked(&press(&mut menu, "8")), Some(Request::RemoteMenu));
    let remote = RemoteMenu {
        settings: RemoteMenuSettings {
            enabled: false,
            keys: vec!["ssh-rsa AAAA old".into(), other.into()],
        },
        fingerprint: Some("SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDYBJ4WvEPvsDQw2oU".into()),
    };
    menu.answered(&Request::RemoteMenu, Reply::RemoteMenu(remote.clone()));
    press(&mut menu, &format!(" {DOWN}\x15{KEY}"));
    insta::assert_snapshot!("remote_menu", shown(&menu));
    let wanted = Request::SetRemoteMenu {
        settings: RemoteMenuSettings {
            enabled: true,
            keys: vec![KEY.into(), other.into()],
        },
    };
    let effects = press(&mut menu, &format!("{DOWN}\r"));
    assert_eq!(asked(&effects), Some(wanted.clone()));
    let text = "this is no public key".to_owned();
    let field = "keys[0]".to_owned();
    menu.answered(&wanted, Reply::Refused { field, text });
    assert!(shown(&menu).contains("Public key: this is no public key"));
    press(&mut menu, &format!("{DOWN}\r"));
    menu.answered(&wanted, Reply::RemoteMenu(remote));
    assert!(menu.is_at_status());
    assert!(shown(&menu).contains(texts::SAVED));
}
