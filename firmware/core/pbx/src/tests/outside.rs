//! Calls to and from other networks.

use model::{Disposition, ExtensionId, LegSide};

use model::explain::{Caller, Step, Verdict};

use super::*;
use crate::testing::phone::Phone;
use crate::testing::world::{OUTSIDE, World};
use crate::testing::{interface, outbound, rewrite};

/// Two phones, 101 and 102, and the servers of two providers; 9 dials out, by the first and then the
/// second. 5550101 rings 101, 5550102 rings 102, the rest the operator: 101.
fn world() -> World {
    changed(|_| ())
}

pub(super) fn changed(change: impl FnOnce(&mut model::config::Configuration)) -> World {
    World::with(
        2,
        |configuration| {
            let numbers = [
                ("5550101", Some(1)),
                ("5550102", Some(2)),
                ("5550100", None),
            ];
            configuration.interfaces = vec![
                interface(1, "10.9.0.1", &numbers),
                interface(2, "10.9.0.2", &[("7770000", None)]),
            ];
            configuration.routes = vec![outbound("9", &[1, 2])];
            change(configuration);
        },
        |phones| {
            for n in [1, 2] {
                let server = Phone::new(&format!("account{n}"), &format!("10.9.0.{n}:5060"));
                phones.push((OUTSIDE, server));
            }
        },
    )
}

pub(super) const FIRST: usize = 2;
pub(super) const SECOND: usize = 3;

#[test]
fn the_exchange_registers_at_its_providers() {
    let mut world = world();
    assert_eq!(seen(&mut world, FIRST), ["REGISTER"]);
    assert_eq!(seen(&mut world, SECOND), ["REGISTER"]);
    world.pass_ms(300_000);
    assert_eq!(seen(&mut world, FIRST), ["REGISTER"]);
}

#[test]
fn a_phone_calls_out_by_the_prefix_and_the_record_says_which_way() {
    let mut world = world();
    seen(&mut world, FIRST);
    // The explanation is what is sent then.
    let explained = world
        .switch
        .explain(Caller::Extension(ExtensionId::new(2)), "95551234");
    assert_eq!(explained.verdict, Verdict::Leaves);
    assert!(explained.steps.iter().any(|step| matches!(step,
        Step::Attempt { ready: true, called, calling, .. } if called == "5551234" && calling == "5550102")));
    dial(&mut world, 1, "95551234");
    // Who is called back on the number rings 102.
    assert_eq!(seen(&mut world, FIRST), ["INVITE from <sip:5550102"]);
    let uri = world.phones[FIRST].dialogs[0].invite.uri.to_string();
    assert_eq!(uri, "sip:5551234@10.9.0.1");
    ring(&mut world, FIRST);
    assert_eq!(seen(&mut world, 1), ["180"]);
    answer(&mut world, FIRST);
    assert_eq!(seen(&mut world, 1), ["200"]);
    bye(&mut world, 1, 0);
    assert_eq!(seen(&mut world, FIRST), ["ACK", "BYE"]);
    let record = world.record(1);
    assert_eq!(record.disposition, Disposition::Answered);
    assert_eq!(record.dialled, "95551234");
    let called = record.called.as_ref().expect("somebody");
    assert_eq!(
        (called.number.as_str(), called.extension),
        ("5551234", None)
    );
    assert_eq!(record.legs[0].interface, None);
    assert_eq!(record.legs[1].interface.as_deref(), Some("provider1"));
}

#[test]
fn a_call_from_outside_rings_whom_its_number_is_mapped_to() {
    for (number, phone, silent) in [
        ("5550102", 1, 0),
        ("5550101", 0, 1),
        ("5550100", 0, 1),
        ("999", 0, 1),
    ] {
        let mut world = world();
        dial(&mut world, FIRST, number);
        assert_eq!(
            seen(&mut world, phone),
            ["INVITE from <sip:account1"],
            "{number}"
        );
        assert_eq!(seen(&mut world, silent), [""; 0]);
        answer(&mut world, phone);
        bye(&mut world, FIRST, 0);
        let record = world.record(1);
        assert_eq!(record.legs[0].interface.as_deref(), Some("provider1"));
        assert_eq!(record.disposition, Disposition::Answered);
        assert_eq!(record.dialled, number);
    }
}

#[test]
fn chapter_6_3_a_block_rings_the_extensions_and_the_caller_can_be_called_back() {
    let mut world = changed(|configuration| {
        let trunk = &mut configuration.interfaces[0];
        *trunk = interface(1, "10.9.0.1", &[("800225XXX", None)]);
        trunk.incoming.called = rewrite(6, "");
        trunk.incoming.calling = rewrite(0, "9");
    });
    world.phones[FIRST].number = "5550399".into();
    dial(&mut world, FIRST, "800225102");
    assert_eq!(seen(&mut world, 1), ["INVITE from <sip:95550399"]);
    refuse(&mut world, 1, 486);
    seen(&mut world, FIRST);
    dial(&mut world, 1, "95550399");
    // The number that rings 102, and the prefix gone.
    assert_eq!(seen(&mut world, FIRST), ["INVITE from <sip:800225102"]);
    let uri = world.phones[FIRST].dialogs[1].invite.uri.to_string();
    assert_eq!(uri, "sip:5550399@10.9.0.1");
}

#[test]
fn chapter_7_3_shortened_numbers_come_in_and_leave() {
    let mut world = changed(|configuration| {
        let trunk = &mut configuration.interfaces[0];
        *trunk = interface(1, "10.9.0.1", &[("01XX", None)]);
        trunk.incoming.called = rewrite(2, "2");
        trunk.incoming.calling = rewrite(0, "9");
        configuration.extensions[1].number = "201".parse().expect("digits");
        configuration.routes[0].outgoing.calling = rewrite(1, "01");
    });
    world.phones[FIRST].number = "5550399".into();
    dial(&mut world, FIRST, "0101");
    assert_eq!(seen(&mut world, 1), ["INVITE from <sip:95550399"]);
    refuse(&mut world, 1, 486);
    seen(&mut world, FIRST);
    dial(&mut world, 1, "95550199");
    assert_eq!(seen(&mut world, FIRST), ["INVITE from <sip:0101"]);
    let uri = world.phones[FIRST].dialogs[1].invite.uri.to_string();
    assert_eq!(uri, "sip:5550199@10.9.0.1");
}

#[test]
fn the_second_provider_is_tried_where_the_first_refuses() {
    for status in [503, 500, 403, 488] {
        let mut world = world();
        seen(&mut world, FIRST);
        seen(&mut world, SECOND);
        dial(&mut world, 0, "95551234");
        refuse(&mut world, FIRST, status);
        assert_eq!(
            seen(&mut world, SECOND),
            ["INVITE from <sip:7770000"],
            "{status}"
        );
        answer(&mut world, SECOND);
        bye(&mut world, SECOND, 0);
        let record = world.record(1);
        assert_eq!(record.legs[1].interface.as_deref(), Some("provider2"));
        nothing_left_but_registrations(&mut world);
    }
}

#[test]
fn what_the_called_party_says_is_said_to_the_caller() {
    for (status, told) in [
        (486, "486"),
        (404, "404"),
        (480, "480"),
        (603, "603"),
        (484, "484"),
    ] {
        let mut world = world();
        seen(&mut world, SECOND);
        dial(&mut world, 0, "95551234");
        refuse(&mut world, FIRST, status);
        assert_eq!(seen(&mut world, SECOND), [""; 0]);
        assert_eq!(seen(&mut world, 0), [told]);
    }
}

#[test]
fn a_silent_provider_is_left_after_four_seconds() {
    let mut world = world();
    seen(&mut world, SECOND);
    world.phones[FIRST].dead = true;
    dial(&mut world, 0, "95551234");
    world.pass_ms(3_900);
    assert_eq!(seen(&mut world, SECOND), [""; 0]);
    world.pass_ms(200);
    assert_eq!(seen(&mut world, SECOND), ["INVITE from <sip:7770000"]);
    answer(&mut world, SECOND);
    assert!(seen(&mut world, 0).contains(&"200".to_owned()));
}

#[test]
fn a_provider_that_is_trying_is_waited_for() {
    let mut world = world();
    seen(&mut world, SECOND);
    dial(&mut world, 0, "95551234");
    let trying = world.phones[FIRST].respond(0, 100, &[], None);
    world.send(FIRST, trying);
    world.pass_ms(20_000);
    assert_eq!(seen(&mut world, SECOND), [""; 0]);
    answer(&mut world, FIRST);
    assert!(seen(&mut world, 0).contains(&"200".to_owned()));
}

#[test]
fn an_interface_that_is_not_registered_is_passed_over() {
    let mut world = world();
    world.phones[FIRST].dead = true;
    // The refresh is due after half of 600 s, and given up after 32 s.
    world.pass_ms(340_000);
    seen(&mut world, FIRST);
    seen(&mut world, SECOND);
    let said = |world: &World, what: &str| {
        let rows = world.log.iter().filter(|row| row.contains(what));
        rows.count()
    };
    assert_eq!(
        said(&world, "is not registered: its server does not answer"),
        1
    );
    dial(&mut world, 0, "95551234");
    assert_eq!(seen(&mut world, SECOND), ["INVITE from <sip:7770000"]);
    refuse(&mut world, SECOND, 486);
    world.phones[FIRST].dead = false;
    world.pass_ms(60_000);
    assert_eq!(said(&world, "is registered again"), 1);
    seen(&mut world, FIRST);
    dial(&mut world, 0, "95551234");
    assert_eq!(seen(&mut world, FIRST), ["INVITE from <sip:5550101"]);
}

#[test]
fn a_call_that_no_interface_takes_fails() {
    let mut world = world();
    dial(&mut world, 0, "95551234");
    refuse(&mut world, FIRST, 503);
    refuse(&mut world, SECOND, 503);
    assert_eq!(seen(&mut world, 0), ["502"]);
    let record = world.record(1);
    assert_eq!(record.disposition, Disposition::Failed);
    // The last one that was tried.
    let called = record.legs.iter().find(|leg| leg.side == LegSide::Called);
    let name = interface(2, "10.9.0.2", &[]).name;
    assert_eq!(called.and_then(|leg| leg.interface.clone()), Some(name));
    let mut world = changed(|configuration| configuration.interfaces.clear());
    dial(&mut world, 0, "95551234");
    assert_eq!(seen(&mut world, 0), ["502"]);
    dial(&mut world, 0, "8555");
    assert_eq!(seen(&mut world, 0), ["404"]);
}

#[test]
fn an_outside_caller_is_transferred_out_by_the_rights_of_who_transfers() {
    let mut world = world();
    dial(&mut world, FIRST, "5550101");
    answer(&mut world, 0);
    seen(&mut world, SECOND);
    seen(&mut world, FIRST);
    let refer = world.phones[0].request(0, "REFER", "Refer-To: <sip:95559999@10.0.0.1>\r\n", None);
    world.send(0, refer);
    let log = seen(&mut world, FIRST);
    assert!(
        log.iter().any(|line| line.starts_with("INVITE from")),
        "{log:?}"
    );
    answer(&mut world, FIRST);
    bye(&mut world, 0, 0);
    let calls = world.switch.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert_eq!(calls[0].dialled, "95559999");
}

#[test]
fn nobody_outside_calls_out_or_takes_over_a_call() {
    let mut world = world();
    seen(&mut world, SECOND);
    dial(&mut world, FIRST, "95551234");
    // 95551234 is no number of the provider's: the operator gets it, the second provider nothing.
    assert_eq!(seen(&mut world, SECOND), [""; 0]);
    assert_eq!(seen(&mut world, 0), ["INVITE from <sip:account1"]);
}

#[test]
fn hidden_callers_stay_hidden() {
    let mut world = world();
    world.phones[FIRST].number = "anonymous".into();
    dial(&mut world, FIRST, "5550102");
    assert_eq!(seen(&mut world, 1), ["INVITE from <sip:anonymous"]);
}

#[test]
fn a_removed_interface_is_taken_back_and_calls_go_on() {
    let mut world = world();
    dial(&mut world, 0, "95551234");
    answer(&mut world, FIRST);
    seen(&mut world, FIRST);
    let mut configuration = crate::testing::configuration(2);
    configuration.version = model::ConfigVersion::new(2);
    world.happen(crate::Input::Configure(std::sync::Arc::new(configuration)));
    assert_eq!(seen(&mut world, FIRST), ["REGISTER"]);
    assert_eq!(world.switch.calls().len(), 1);
    bye(&mut world, FIRST, 0);
    assert_eq!(world.record(1).disposition, Disposition::Answered);
    dial(&mut world, FIRST, "5550102");
    let log = seen(&mut world, FIRST);
    assert!(
        log.contains(&"401".to_owned()) || log.contains(&"403".to_owned()),
        "{log:?}"
    );
    assert_eq!(ExtensionId::new(0), OUTSIDE);
}

fn nothing_left_but_registrations(world: &mut World) {
    world.pass_ms(40_000);
    assert!(world.switch.calls().is_empty());
    assert_eq!(world.switch.ports_in_use(), 0);
}
