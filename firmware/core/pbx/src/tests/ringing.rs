//! What becomes of a call by the ringing rules of a user (USR-3).

use model::config::{Configuration, Emergency, Ring, Ringing, Target};
use model::explain::{Caller, Forwarding, Step, Verdict};
use model::{Disposition, ExtensionId, InterfaceId};
use sip::message::HeaderName;

use super::*;
use crate::testing::phone::Phone;
use crate::testing::world::{OUTSIDE, World};
use crate::testing::{interface, outbound};

/// Four phones, 101 to 104 of a user each, and a provider, which 9 leads to and whose 5550102 rings 102.
/// `rules` are those of 102.
fn world(rules: Ringing) -> World {
    changed(|configuration| configuration.users[1].ringing = rules)
}

fn changed(change: impl FnOnce(&mut Configuration)) -> World {
    let mut world = World::with(
        4,
        |configuration| {
            let numbers = [("5550102", Some(2))];
            configuration.interfaces = vec![interface(1, "10.9.0.1", &numbers)];
            configuration.routes = vec![outbound("9", &[1])];
            configuration.emergency = Emergency::preset("US");
            // How many a rule may send outside is looked at here.
            configuration.fraud_protection.extension.calls = None;
            change(configuration);
        },
        |phones| phones.push((OUTSIDE, Phone::new("account1", "10.9.0.1:5060"))),
    );
    for phone in 0..5 {
        seen(&mut world, phone);
    }
    world
}

const CALLER: usize = 0;
const OWN: usize = 1;
const OTHER: usize = 2;
const THIRD: usize = 3;
const NETWORK: usize = 4;

fn phone(id: u32) -> Target {
    Target::Extension(ExtensionId::new(id))
}

fn number(digits: &str) -> Target {
    Target::Number(digits.parse().expect("a number"))
}

fn at_once(target: Target) -> Ring {
    ring_after(target, 0, None)
}

fn ring_after(target: Target, after_s: u16, for_s: Option<u16>) -> Ring {
    Ring {
        target,
        after_s,
        for_s,
    }
}

fn rings(rings: Vec<Ring>) -> Ringing {
    Ringing {
        rings,
        ..Ringing::default()
    }
}

fn is_invited(world: &mut World, phone: usize) -> bool {
    let seen = seen(world, phone);
    seen.iter().any(|line| line.starts_with("INVITE"))
}

fn header(world: &World, phone: usize, name: &HeaderName) -> String {
    let dialog = world.phones[phone].dialogs.last().expect("a dialog");
    let value = dialog.invite.headers.raw(name);
    value.map_or_else(String::new, |value| value.to_text())
}

/// Who ends the ringing of a phone, as it is told.
const ELSEWHERE: &str = "Call completed elsewhere";

fn is_cancelled(world: &mut World, phone: usize) -> Option<bool> {
    let seen = seen(world, phone);
    let cancel = seen.iter().find(|line| line.starts_with("CANCEL"))?;
    Some(cancel.contains(ELSEWHERE))
}

#[test]
fn chapter_8_3_a_call_rings_the_desk_and_the_mobile_and_the_first_answer_has_it() {
    for answers in [OWN, NETWORK] {
        let mut world = world(rings(vec![
            at_once(phone(2)),
            at_once(number("9602111111")),
        ]));
        dial(&mut world, CALLER, "102");
        assert!(is_invited(&mut world, OWN));
        assert!(is_invited(&mut world, NETWORK));
        // The mobile is called by the rights and with the number of the extension that was called.
        let uri = world.phones[NETWORK].dialogs[0].invite.uri.to_string();
        assert_eq!(uri, "sip:602111111@10.9.0.1");
        assert!(header(&world, NETWORK, &HeaderName::From).contains("5550102"));
        assert_eq!(
            header(&world, NETWORK, &HeaderName::Diversion),
            "<sip:5550102@10.9.0.1>;reason=follow-me;counter=1;privacy=off"
        );
        ring(&mut world, OWN);
        ring(&mut world, NETWORK);
        assert_eq!(seen(&mut world, CALLER), ["180"]);
        answer(&mut world, answers);
        assert_eq!(seen(&mut world, CALLER), ["200"]);
        let other = if answers == OWN { NETWORK } else { OWN };
        assert_eq!(is_cancelled(&mut world, other), Some(true));
        bye(&mut world, CALLER, 0);
        let record = world.record(1);
        assert_eq!(record.disposition, Disposition::Answered);
        let called = record.called.as_ref().expect("somebody").number.as_str();
        let from = (record.forwarded_from.as_ref()).map(|party| party.number.as_str());
        if answers == OWN {
            assert_eq!((called, from), ("102", None));
        } else {
            assert_eq!((called, from), ("602111111", Some("102")));
            assert_eq!(record.legs[1].interface.as_deref(), Some("provider1"));
        }
        nothing_left_but_registrations(&mut world);
    }
}

#[test]
fn who_answers_a_moment_too_late_is_let_go() {
    for first in [OWN, NETWORK] {
        let mut world = world(rings(vec![
            at_once(phone(2)),
            at_once(number("9602111111")),
        ]));
        let late = if first == OWN { NETWORK } else { OWN };
        dial(&mut world, CALLER, "102");
        ring(&mut world, OWN);
        ring(&mut world, NETWORK);
        // Its answer and our CANCEL meet on the way.
        world.phones[late].dead = true;
        answer(&mut world, first);
        world.phones[late].dead = false;
        seen(&mut world, late);
        answer(&mut world, late);
        let seen_late = seen(&mut world, late);
        assert!(seen_late.contains(&"ACK".to_owned()), "{seen_late:?}");
        assert!(seen_late.contains(&"BYE".to_owned()), "{seen_late:?}");
        assert_eq!(seen(&mut world, CALLER), ["180", "200"]);
        assert_eq!(world.switch.calls().len(), 1);
        bye(&mut world, CALLER, 0);
        nothing_left_but_registrations(&mut world);
    }
}

#[test]
fn calls_that_were_answered_at_the_desk_keep_no_mobile_from_ringing() {
    let mut world = world(rings(vec![
        at_once(phone(2)),
        at_once(number("9602111111")),
    ]));
    for round in 0..12 {
        dial(&mut world, CALLER, "102");
        assert!(is_invited(&mut world, NETWORK), "{round}");
        ring(&mut world, NETWORK);
        answer(&mut world, OWN);
    }
    assert_eq!(world.switch.calls().len(), 12);
}

#[test]
fn what_rings_by_rules_is_picked_up_and_taken_over_as_any_other() {
    let both = || rings(vec![at_once(phone(2)), at_once(number("9602111111"))]);
    let mut picked_up = world(both());
    dial(&mut picked_up, CALLER, "102");
    ring(&mut picked_up, OWN);
    ring(&mut picked_up, NETWORK);
    let replaces = picked_up.phones[OWN].dialogs[0].replaces();
    let offer = picked_up.phones[THIRD].sdp("8 0", "sendrecv");
    let extra = format!("Replaces: {replaces}\r\n");
    let invite = picked_up.phones[THIRD].invite("102", &extra, Some(&offer));
    picked_up.send(THIRD, invite);
    assert_eq!(
        seen(&mut picked_up, THIRD).last().map(String::as_str),
        Some("200")
    );
    assert_eq!(is_cancelled(&mut picked_up, NETWORK), Some(true));
    bye(&mut picked_up, THIRD, 0);
    assert_eq!(picked_up.record(1).forwarded_from, None);

    // 103 has called 101, and puts it through to what rings for 102.
    let mut taken_over = world(both());
    dial(&mut taken_over, OTHER, "101");
    answer(&mut taken_over, CALLER);
    dial(&mut taken_over, OTHER, "102");
    ring(&mut taken_over, OWN);
    ring(&mut taken_over, NETWORK);
    let replaces = taken_over.phones[OTHER].dialogs[1].replaces();
    let replaces = replaces.replace(';', "%3B").replace('=', "%3D");
    let refer_to = format!("Refer-To: <sip:102@10.0.0.1?Replaces={replaces}>\r\n");
    let refer = taken_over.phones[OTHER].request(0, "REFER", &refer_to, None);
    taken_over.send(OTHER, refer);
    assert_eq!(is_cancelled(&mut taken_over, OWN), None);
    // It rings for as long as it would have.
    taken_over.pass_ms(61_000);
    assert_eq!(is_cancelled(&mut taken_over, OWN), Some(false));
    assert_eq!(is_cancelled(&mut taken_over, NETWORK), Some(false));
}

#[test]
fn phones_ring_in_their_order_each_for_its_time() {
    let mut world = world(rings(vec![
        ring_after(phone(2), 0, Some(10)),
        ring_after(phone(3), 10, Some(10)),
        ring_after(phone(4), 40, None),
    ]));
    dial(&mut world, CALLER, "102");
    ring(&mut world, OWN);
    world.pass_ms(9_900);
    assert!(!is_invited(&mut world, OTHER));
    world.pass_ms(200);
    assert!(is_invited(&mut world, OTHER));
    assert_eq!(is_cancelled(&mut world, OWN), Some(false));
    ring(&mut world, OTHER);
    // Where nothing rings the next has its turn at once.
    refuse(&mut world, OTHER, 486);
    assert!(is_invited(&mut world, THIRD));
    answer(&mut world, THIRD);
    assert_eq!(seen(&mut world, CALLER), ["180", "200"]);
    bye(&mut world, CALLER, 0);
    let from = world.record(1).forwarded_from.clone();
    assert_eq!(from.expect("102").number, "102");
    nothing_left_but_registrations(&mut world);
}

#[test]
fn who_hangs_up_ends_what_rings_and_what_waits() {
    for passed_ms in [100, 6_000, 13_000] {
        let mut world = world(rings(vec![
            ring_after(phone(2), 0, Some(12)),
            ring_after(number("9602111111"), 5, None),
            ring_after(phone(3), 20, None),
        ]));
        dial(&mut world, CALLER, "102");
        ring(&mut world, OWN);
        world.pass_ms(5_100.min(passed_ms));
        if passed_ms > 5_000 {
            ring(&mut world, NETWORK);
            world.pass_ms(passed_ms - 5_100);
        }
        let cancel = world.phones[CALLER].cancel(0);
        world.send(CALLER, cancel);
        assert!(is_cancelled(&mut world, OWN).is_some(), "{passed_ms}");
        if passed_ms > 5_000 {
            assert_eq!(is_cancelled(&mut world, NETWORK), Some(false));
        }
        assert!(!is_invited(&mut world, OTHER));
        assert_eq!(world.record(1).disposition, Disposition::Cancelled);
        nothing_left_but_registrations(&mut world);
    }
}

#[test]
fn a_refusal_of_everybody_speaks_for_all_and_one_of_the_user_for_all_of_them() {
    let both = || rings(vec![at_once(phone(2)), at_once(number("9602111111"))]);
    // Declined at the desk, the mobile rings no more.
    let mut declined = world(both());
    dial(&mut declined, CALLER, "102");
    ring(&mut declined, NETWORK);
    refuse(&mut declined, OWN, 603);
    assert_eq!(is_cancelled(&mut declined, NETWORK), Some(false));
    assert_eq!(seen(&mut declined, CALLER), ["180", "603"]);
    // The mobile's network speaks for the mobile alone.
    let mut refused = world(both());
    dial(&mut refused, CALLER, "102");
    ring(&mut refused, OWN);
    refuse(&mut refused, NETWORK, 603);
    assert_eq!(is_cancelled(&mut refused, OWN), None);
    refuse(&mut refused, OWN, 486);
    let told = seen(&mut refused, CALLER);
    assert_eq!(told.len(), 2, "{told:?}");
    // All that fails fails with the best reason.
    let mut failed = world(both());
    dial(&mut failed, CALLER, "102");
    refuse(&mut failed, NETWORK, 503);
    refuse(&mut failed, OWN, 486);
    assert_eq!(seen(&mut failed, CALLER), ["486"]);
    assert_eq!(failed.record(1).disposition, Disposition::Busy);
    nothing_left_but_registrations(&mut failed);
}

#[test]
fn what_a_network_plays_is_heard_once_nothing_else_rings() {
    let mut world = world(rings(vec![
        at_once(phone(2)),
        at_once(number("9602111111")),
    ]));
    dial(&mut world, CALLER, "102");
    let sdp = world.phones[NETWORK].sdp("8", "sendrecv");
    let progress = world.phones[NETWORK].respond(0, 183, &[], Some(&sdp));
    world.send(NETWORK, progress);
    assert_eq!(seen(&mut world, CALLER), ["180"]);
    refuse(&mut world, OWN, 486);
    assert_eq!(seen(&mut world, CALLER), ["183"]);
    answer(&mut world, NETWORK);
    assert_eq!(seen(&mut world, CALLER), ["200"]);
    bye(&mut world, NETWORK, 0);
    nothing_left_but_registrations(&mut world);
}

#[test]
fn all_calls_go_on_but_those_of_whom_they_go_to() {
    let rules = || Ringing {
        always: Some(phone(3)),
        ..Ringing::default()
    };
    let mut there = world(rules());
    dial(&mut there, CALLER, "102");
    assert!(is_invited(&mut there, OTHER));
    assert!(!is_invited(&mut there, OWN));
    answer(&mut there, OTHER);
    bye(&mut there, CALLER, 0);
    let record = there.record(1);
    assert_eq!(record.called.as_ref().expect("103").number, "103");
    assert_eq!(record.forwarded_from.as_ref().expect("102").number, "102");
    let mut back = world(rules());
    dial(&mut back, OTHER, "102");
    assert!(is_invited(&mut back, OWN));
}

#[test]
fn a_call_from_outside_goes_on_outside_and_says_where_it_was() {
    let mut world = world(Ringing {
        always: Some(number("9602111111")),
        ..Ringing::default()
    });
    dial(&mut world, NETWORK, "5550102");
    assert!(is_invited(&mut world, NETWORK));
    let diversion = header(&world, NETWORK, &HeaderName::Diversion);
    assert!(
        diversion.contains("reason=unconditional;counter=1"),
        "{diversion}"
    );
    answer(&mut world, NETWORK);
    assert!(seen(&mut world, NETWORK).contains(&"200".to_owned()));
    assert_eq!(
        world.switch.calls().first().map(|call| call.legs.len()),
        Some(2)
    );
}

#[test]
fn where_the_user_is_busy_or_refuses_or_is_not_to_be_disturbed_a_call_goes_on() {
    for (status, do_not_disturb) in [(486, false), (600, false), (603, false), (0, true)] {
        let mut world = world(Ringing {
            do_not_disturb,
            busy: Some(phone(3)),
            no_answer: Some(phone(4)),
            ..Ringing::default()
        });
        dial(&mut world, CALLER, "102");
        assert_eq!(is_invited(&mut world, OWN), !do_not_disturb);
        if !do_not_disturb {
            refuse(&mut world, OWN, status);
        }
        assert!(is_invited(&mut world, OTHER), "{status}");
        answer(&mut world, OTHER);
        assert_eq!(seen(&mut world, CALLER), ["200"]);
        bye(&mut world, CALLER, 0);
        assert!(world.record(1).forwarded_from.is_some());
    }
}

#[test]
fn who_is_not_to_be_disturbed_is_busy_to_all_that_ring_it() {
    let mut world = changed(|configuration| {
        configuration.users[1].ringing.do_not_disturb = true;
        configuration.users[2].ringing = rings(vec![at_once(phone(2)), at_once(phone(3))]);
    });
    dial(&mut world, CALLER, "102");
    assert_eq!(seen(&mut world, CALLER), ["486"]);
    dial(&mut world, CALLER, "103");
    assert!(is_invited(&mut world, OTHER));
    assert!(!is_invited(&mut world, OWN));
}

#[test]
fn where_nobody_answers_or_is_there_a_call_goes_on() {
    let rules = || Ringing {
        no_answer: Some(number("9602111111")),
        no_answer_s: Some(7),
        ..Ringing::default()
    };
    let mut unanswered = world(rules());
    dial(&mut unanswered, CALLER, "102");
    ring(&mut unanswered, OWN);
    unanswered.pass_ms(6_900);
    assert!(!is_invited(&mut unanswered, NETWORK));
    unanswered.pass_ms(200);
    assert_eq!(is_cancelled(&mut unanswered, OWN), Some(false));
    assert!(is_invited(&mut unanswered, NETWORK));
    assert!(header(&unanswered, NETWORK, &HeaderName::Diversion).contains("no-answer"));
    answer(&mut unanswered, NETWORK);
    bye(&mut unanswered, CALLER, 0);
    assert_eq!(unanswered.record(1).disposition, Disposition::Answered);
    let mut absent = changed(|configuration| {
        configuration.users[1].ringing = rules();
        configuration.extensions[1].id = ExtensionId::new(22);
        configuration.extensions[1].number = "122".parse().expect("a number");
        configuration
            .extensions
            .sort_by_key(|extension| extension.id);
    });
    dial(&mut absent, CALLER, "122");
    assert!(is_invited(&mut absent, NETWORK));
}

#[test]
fn colleagues_who_stand_in_for_each_other_do_not_send_a_call_round() {
    let mut world = changed(|configuration| {
        configuration.users[1].ringing.busy = Some(phone(3));
        configuration.users[2].ringing.busy = Some(phone(4));
        configuration.users[3].ringing.busy = Some(phone(2));
    });
    dial(&mut world, CALLER, "102");
    for busy in [OWN, OTHER, THIRD] {
        assert!(is_invited(&mut world, busy));
        refuse(&mut world, busy, 486);
    }
    assert_eq!(seen(&mut world, CALLER), ["486"]);
    assert_eq!(world.phones[OWN].dialogs.len(), 1);
    let record = world.record(1);
    assert_eq!(record.disposition, Disposition::Busy);
    // The last who was called, and the first.
    assert_eq!(record.called.as_ref().expect("104").number, "104");
    assert_eq!(record.forwarded_from.as_ref().expect("102").number, "102");
    nothing_left_but_registrations(&mut world);
}

#[test]
fn a_call_that_goes_round_by_way_of_a_network_comes_to_an_end() {
    let rules = Ringing {
        always: Some(number("9602111111")),
        ..Ringing::default()
    };
    // By what the network keeps of it.
    for (extra, ends) in [
        ("Diversion: <sip:1@n>;counter=4\r\n", false),
        ("Diversion: <sip:1@n>;counter=5\r\n", true),
        (
            "Diversion: <sip:1@n>, <sip:2@n>;counter=3, <sip:3@n>\r\n",
            true,
        ),
        (
            "History-Info: <sip:1@n>;index=1, <sip:2@n;cause=302>;index=1.1\r\n",
            false,
        ),
    ] {
        let mut world = world(rules.clone());
        let offer = world.phones[NETWORK].sdp("8 0", "sendrecv");
        let invite = world.phones[NETWORK].invite("5550102", extra, Some(&offer));
        world.send(NETWORK, invite);
        assert_eq!(!is_invited(&mut world, NETWORK), ends, "{extra}");
    }
    // The mobile that rings beside the desk phone counts too.
    for (counter, ends) in [(4, false), (5, true)] {
        let mut world = world(rings(vec![
            at_once(phone(2)),
            at_once(number("9602111111")),
        ]));
        let offer = world.phones[NETWORK].sdp("8 0", "sendrecv");
        let extra = format!("Diversion: <sip:1@n>;counter={counter}\r\n");
        let invite = world.phones[NETWORK].invite("5550102", &extra, Some(&offer));
        world.send(NETWORK, invite);
        assert_eq!(!is_invited(&mut world, NETWORK), ends, "{counter}");
        assert!(is_invited(&mut world, OWN));
        if !ends {
            let diversion = header(&world, NETWORK, &HeaderName::Diversion);
            assert!(diversion.contains("counter=5"), "{diversion}");
        }
    }
    // By how many there are, where the network keeps nothing of it.
    let mut world = world(rules);
    for round in 0..12 {
        dial(&mut world, NETWORK, "5550102");
        assert_eq!(is_invited(&mut world, NETWORK), round < 10, "{round}");
    }
}

#[test]
fn a_network_that_fails_or_says_nothing_gives_way_to_the_next() {
    let mut world = World::with(
        2,
        |configuration| {
            configuration.interfaces = vec![
                interface(1, "10.9.0.1", &[("5550102", Some(2))]),
                interface(2, "10.9.0.2", &[]),
            ];
            configuration.routes = vec![outbound("9", &[1, 2])];
            configuration.users[1].ringing =
                rings(vec![at_once(phone(2)), at_once(number("9602111111"))]);
        },
        |phones| {
            for n in [1, 2] {
                let server = Phone::new(&format!("account{n}"), &format!("10.9.0.{n}:5060"));
                phones.push((OUTSIDE, server));
            }
        },
    );
    seen(&mut world, 3);
    dial(&mut world, 0, "102");
    ring(&mut world, 1);
    refuse(&mut world, 2, 503);
    assert!(is_invited(&mut world, 3));
    answer(&mut world, 3);
    bye(&mut world, 0, 0);
    assert_eq!(
        world.record(1).legs[1].interface.as_deref(),
        Some("provider2")
    );
    seen(&mut world, 3);
    world.phones[2].dead = true;
    dial(&mut world, 0, "102");
    ring(&mut world, 1);
    world.pass_ms(4_100);
    assert!(is_invited(&mut world, 3));
    ring(&mut world, 3);
    answer(&mut world, 1);
    assert_eq!(is_cancelled(&mut world, 3), Some(true));
}

#[test]
fn no_rule_concerns_a_call_for_help_and_none_leads_to_one() {
    let mut world = changed(|configuration| {
        configuration.users[0].ringing.always = Some(phone(3));
        configuration.users[0].ringing.do_not_disturb = true;
        configuration.users[1].ringing.always = Some(number("911"));
    });
    dial(&mut world, CALLER, "911");
    assert!(is_invited(&mut world, NETWORK));
    answer(&mut world, NETWORK);
    bye(&mut world, CALLER, 0);
    seen(&mut world, CALLER);
    dial(&mut world, CALLER, "102");
    assert_eq!(seen(&mut world, CALLER), ["404"]);
    assert!(!is_invited(&mut world, NETWORK));
}

#[test]
fn a_rule_calls_by_the_rights_of_the_extension_that_was_called() {
    use model::PermissionGroupId;
    use model::config::{Permission, PermissionGroup};
    let mut world = changed(|configuration| {
        configuration.permission_groups.push(PermissionGroup {
            id: PermissionGroupId::new(1),
            name: "Inside".into(),
            description: String::new(),
            rules: Vec::new(),
            default: Permission::Deny,
            fraud_protection: true,
        });
        configuration.extensions[1].permission_group = Some(PermissionGroupId::new(1));
        configuration.users[1].ringing =
            rings(vec![at_once(phone(2)), at_once(number("9602111111"))]);
        configuration.users[2].ringing.always = Some(number("9602111111"));
        configuration.extensions[3].permission_group = Some(PermissionGroupId::new(1));
        configuration.users[3].ringing.always = Some(number("9602111111"));
    });
    dial(&mut world, CALLER, "102");
    assert!(is_invited(&mut world, OWN));
    assert!(!is_invited(&mut world, NETWORK));
    refuse(&mut world, OWN, 486);
    // The caller has done nothing that it may not.
    seen(&mut world, CALLER);
    dial(&mut world, CALLER, "104");
    assert_eq!(seen(&mut world, CALLER), ["480"]);
    // Who may not call there itself has it called by who may.
    dial(&mut world, OWN, "103");
    assert!(is_invited(&mut world, NETWORK));
}

#[test]
fn the_explanation_walks_the_rules() {
    let world = changed(|configuration| {
        configuration.users[1].ringing = Ringing {
            no_answer: Some(phone(4)),
            ..rings(vec![
                at_once(phone(2)),
                ring_after(number("9602111111"), 5, Some(20)),
            ])
        };
        configuration.users[2].ringing.always = Some(phone(2));
    });
    let explained = world
        .switch
        .explain(Caller::Extension(ExtensionId::new(1)), "103");
    let [called, other] = [ExtensionId::new(2), ExtensionId::new(4)];
    assert_eq!(explained.verdict, Verdict::Rings { extension: called });
    let ruled: Vec<&Step> = (explained.steps.iter())
        .filter(|step| {
            matches!(
                step,
                Step::Forwarded { .. }
                    | Step::Ring { .. }
                    | Step::Phones { .. }
                    | Step::Attempt { .. }
            )
        })
        .collect();
    let on = |why, extension| Step::Forwarded {
        why,
        extension: Some(extension),
        number: None,
    };
    assert_eq!(
        ruled,
        [
            &on(Forwarding::Always, called),
            &Step::Ring {
                extension: Some(called),
                number: None,
                after_s: 0,
                for_s: None
            },
            &Step::Phones { registered: 1 },
            &Step::Ring {
                extension: None,
                number: Some("9602111111".into()),
                after_s: 5,
                for_s: Some(20)
            },
            &Step::Attempt {
                interface: InterfaceId::new(1),
                ready: true,
                called: "602111111".into(),
                calling: "5550102".into()
            },
            &on(Forwarding::NoAnswer, other),
        ]
    );
}

fn nothing_left_but_registrations(world: &mut World) {
    world.pass_ms(40_000);
    assert!(world.switch.calls().is_empty());
    assert_eq!(world.switch.ports_in_use(), 0);
}
