//! Overload, registrations and the Security log, seen from outside.

use super::*;
use crate::{Input, Load};
use model::explain::{Caller, Step, Verdict};

#[test]
fn too_much_to_do_refuses_new_calls_and_keeps_the_old() {
    let mut world = World::new(4);
    connected(&mut world);
    for _ in 0..20 {
        world.now += core::time::Duration::from_millis(10);
        world.happen(Input::Load(Load {
            queue_delay_us: 200_000,
        }));
    }
    dial(&mut world, 2, "104");
    assert_eq!(seen(&mut world, 2), ["503"]);
    assert_eq!(world.switch.calls().len(), 1);
    bye(&mut world, 0, 0);
    world.pass_ms(10_000);
    dial(&mut world, 2, "104");
    assert_eq!(seen(&mut world, 3).len(), 1, "calm again");
}

#[test]
fn watchers_let_calls_be_measured() {
    let mut world = World::new(2);
    connected(&mut world);
    world.happen(Input::Watch(true));
    world.pass_ms(6000);
    let calls = world.switch.calls();
    assert!(calls[0].legs.iter().all(|leg| leg.quality.is_some()));
    world.happen(Input::Watch(false));
    bye(&mut world, 0, 0);
    nothing_left(&mut world);
    assert_eq!(world.switch.registrations().len(), 2);
}

#[test]
fn lists_are_had_in_parts_that_miss_nothing() {
    let mut world = World::new(6);
    for caller in [0, 2, 4] {
        dial(&mut world, caller, &format!("10{}", caller + 2));
    }
    let whole = world.switch.calls();
    assert_eq!(whole.len(), 3);
    let first = world.switch.calls_after(None, 2);
    let rest = world.switch.calls_after(Some(first[1].call), 2);
    assert_eq!([first, rest].concat(), whole);
    assert_eq!(world.switch.calls_after(Some(whole[2].call), 2), []);
    assert_eq!(world.switch.count_calls(|caller| caller.number == "103"), 1);
    let caller = world.switch.caller_of(whole[1].call);
    assert_eq!(caller.expect("it is there").number, "103");
    assert_eq!(world.switch.caller_of(model::CallId::new(99)), None);

    let whole = world.switch.registrations();
    let mut parts = Vec::new();
    let mut after = None;
    loop {
        let part = world.switch.registrations_after(after, 4);
        let Some(last) = part.last() else { break };
        assert!(part.len() <= 4);
        after = Some(last.extension);
        parts.extend(part);
    }
    assert_eq!(parts, whole);
    let even = |id: model::ExtensionId| id.raw().is_multiple_of(2);
    assert_eq!(world.switch.count_registrations(even), 3);
}

#[test]
fn a_clock_that_is_set_keeps_bindings_anew_and_durations_right() {
    let mut world = World::new(2);
    connected(&mut world);
    world.pass_ms(5000);
    world.take_log();
    let later = crate::testing::world::START + core::time::Duration::from_secs(1_000_000);
    world.happen(Input::Clock(later));
    assert_eq!(lines(&world, &["put"]).len(), 2);
    world.pass_ms(5000);
    bye(&mut world, 0, 0);
    let record = world.record(1);
    let answered = record.answered.expect("answered");
    assert_eq!(record.ended.since(answered).as_secs(), 10);
    assert_eq!(record.ended.since(later).as_secs(), 5);
}

#[test]
fn contacts_of_before_a_restart() {
    let mut world = World::with(2, |c| c.extensions[1].enabled = false, |_| ());
    assert_eq!(world.switch.registrations().len(), 1);
    dial(&mut world, 0, "102");
    assert_eq!(seen(&mut world, 0), ["480"]);
    let caller = Caller::Extension(model::ExtensionId::new(1));
    let explained = world.switch.explain(caller, "102");
    assert!(matches!(
        explained.steps.last(),
        Some(Step::Called { active: false, .. })
    ));
    let refused = Verdict::Refused {
        status: 480,
        cause: 20,
    };
    assert_eq!(explained.verdict, refused);
}

#[test]
fn a_contact_is_kept_before_the_phone_is_told() {
    let mut world = World::unregistered(1);
    let register = world.phones[0].register(600, "correct-horse");
    world.send(0, register);
    assert_eq!(seen(&mut world, 0), ["401 REGISTER", "200 REGISTER"]);
    let log = world.take_log();
    let at = |text: &str| log.iter().position(|line| line.starts_with(text));
    assert!(at("put sip:101@10.0.1.1:5060").is_some(), "{log:?}");
    assert!(at("put") < at("10.0.1.1 < 200"), "{log:?}");
    assert_eq!(world.switch.registrations().len(), 1);
    world.pass_ms(700_000);
    assert_eq!(lines(&world, &["remove"]), ["remove sip:101@10.0.1.1:5060"]);
    assert!(world.switch.registrations().is_empty());
}

#[test]
fn the_exchange_that_calls_itself_is_no_break_in() {
    let id = model::ExtensionId::HIDDEN[0];
    let mut world = World::with(
        1,
        |configuration| configuration.extensions[0].id = id,
        |phones| {
            let phone = |address| (id, crate::testing::phone::Phone::new("101", address));
            *phones = vec![phone("127.0.0.1:5070"), phone("10.0.1.9:5070")];
        },
    );
    let register = world.phones[0].register(600, "wrong-password");
    world.send(0, register);
    world.pass_ms(1100);
    assert!(lines(&world, &["SIP -"]).is_empty());
    let register = world.phones[1].register(600, "correct-horse");
    world.send(1, register);
    assert_eq!(
        lines(&world, &["SIP -"]),
        ["SIP - authentication of `101` failed for host 10.0.1.9: unknown user name"]
    );
}

#[test]
fn wrong_passwords_are_told_once_a_second() {
    let mut world = World::new(1);
    for _ in 0..5 {
        let register = world.phones[0].register(600, "wrong-password");
        world.send(0, register);
    }
    world.pass_ms(1100);
    let rows = lines(&world, &["SIP -"]);
    assert_eq!(
        rows,
        [
            "SIP - authentication of `101` failed for host 10.0.1.1: wrong password",
            "SIP - authentication of `101` failed for host 10.0.1.1: wrong password, 4 times"
        ]
    );
}
