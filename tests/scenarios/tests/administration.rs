//! What administrators do and see: changes during calls, hanging up, live notices, stopping.

use model::config::DigestChoice;
use model::control::{CallState, Notice};
use model::{Disposition, EndedBy, Transport, WallTime};
use testkit::{Algorithm, End, World};

#[test]
fn a_change_of_configuration_leaves_calls_alone() {
    let mut w = World::of(["101", "102", "103"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.configure(|c| c.extensions[2].description = "changed".into());
    w.run_for(700);
    w.assert_talk(a, b);
    assert!(matches!(
        w.notices.last(),
        Some(Notice::Config { .. } | Notice::Call { .. })
    ));
    w.finish();
}

#[test]
fn an_extension_that_is_disabled_in_its_call_talks_on() {
    let mut w = World::of(["101", "102"]);
    w.forgiving = true;
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.configure(|c| c.extensions[1].enabled = false);
    w.run_for(700);
    w.assert_talk(a, b);
    w.hang_up(a);
    w.run_for(200);
    let call = w.dial(a.phone, "102");
    w.run_for(200);
    assert_eq!(w.end(call), Some(End::Refused(480)));
    w.finish();
}

#[test]
fn an_extension_that_is_removed_in_its_call_can_still_hang_up() {
    let mut w = World::of(["101", "102"]);
    w.forgiving = true;
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.configure(|c| {
        c.extensions.remove(1);
    });
    w.run_for(700);
    w.assert_talk(a, b);
    w.hang_up(b);
    w.run_for(200);
    assert!(w.is_over(a));
    w.finish();
}

#[test]
fn a_number_that_changes_while_it_rings() {
    let mut w = World::of(["101", "102"]);
    w.forgiving = true;
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.dial(a, "102");
    w.run_for(500);
    w.configure(|c| c.extensions[1].number = "202".parse().unwrap());
    w.run_for(100);
    w.answer(b);
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn a_new_password_counts_from_the_next_request() {
    let mut w = World::of(["101", "102"]);
    let a = w.phone("101");
    w.configure(|c| c.extensions[0].sip_password = model::Secret::new("another-password"));
    let call = w.dial(a, "102");
    w.run_for(500);
    assert!(matches!(w.end(call), Some(End::Refused(401 | 403))));
    w.set(a, |p| p.password = "another-password".into());
    let (a, b) = w.talk(a, w.phone("102"));
    w.run_for(500);
    w.assert_talk(a, b);
    w.finish();
}

#[test]
fn another_realm_counts_from_the_next_request_and_nobody_is_thrown_out() {
    let mut w = World::of(["101", "102"]);
    w.run_for(100);
    w.configure(|c| c.general.realm = "another".into());
    assert_eq!(w.contacts("101").len(), 1);
    // The phone still has credentials for the realm that was: it is asked anew, and that is no
    // failed attempt.
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    w.assert_talk(a, b);
    assert_eq!(w.at(a.phone).realm(), Some("another"));
    assert_eq!(w.security, Vec::<String>::new());
    w.finish();
}

#[test]
fn another_algorithm_counts_from_the_next_request() {
    let mut w = World::of(["101", "102"]);
    w.set_all(|p| p.algorithm = Algorithm::Sha256);
    w.configure(|c| c.general.digest = DigestChoice::Sha256);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    w.assert_talk(a, b);
    assert_eq!(w.at(a.phone).proved_with(), Some(Algorithm::Sha256));
    w.finish();
}

#[test]
fn a_new_extension_is_called_at_once() {
    let mut w = World::of(["101", "102"]);
    w.configure(|c| {
        let mut extension = c.extensions[0].clone();
        extension.id = model::ExtensionId::new(77);
        extension.number = "177".parse().unwrap();
        extension.sip_username = "177".into();
        extension.sip_password = model::Secret::new("secret-of-177");
        c.extensions.push(extension);
    });
    let phone = w.add_phone("177");
    w.register(phone);
    w.run_for(100);
    w.talk(w.phone("101"), phone);
    w.run_for(700);
    w.assert_talk(w.phone("101"), phone);
    w.finish();
}

#[test]
fn an_administrator_hangs_up() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(300);
    w.hang_up_call(w.calls()[0].call);
    w.run_for(200);
    assert_eq!((w.end(a), w.end(b)), (Some(End::Bye), Some(End::Bye)));
    w.finish();
    let record = w.record(0);
    assert_eq!(
        (record.disposition, record.ended_by),
        (Disposition::Answered, EndedBy::Administrator)
    );
    assert_eq!(record.administrator.as_deref(), Some("Admin"));
}

#[test]
fn an_administrator_hangs_up_while_it_rings() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = (w.phone("101"), w.phone("102"));
    let call = w.dial(a, "102");
    w.run_for(500);
    w.hang_up_call(w.calls()[0].call);
    w.run_for(200);
    assert!(matches!(w.end(call), Some(End::Refused(_))));
    assert_eq!(w.end(b), Some(End::Cancelled));
    w.finish();
    assert_eq!(w.record(0).ended_by, EndedBy::Administrator);
}

#[test]
fn an_administrator_hangs_up_at_every_stage_of_a_transfer() {
    for ms in (0..30).step_by(3) {
        let mut w = World::builder()
            .extensions(["101", "102", "103"])
            .seed(ms)
            .build();
        let c = w.phone("103");
        w.set(c, |p| p.answers_after_ms = Some(12));
        let (_, b) = w.talk(w.phone("101"), w.phone("102"));
        w.transfer(b, "103");
        w.run_for(ms);
        for call in w.calls() {
            w.hang_up_call(call.call);
        }
        w.run_for(500);
        assert!(w.calls().is_empty());
        w.finish();
    }
}

#[test]
fn hanging_up_what_is_not_there_does_nothing() {
    let mut w = World::of(["101", "102"]);
    w.hang_up_call(model::CallId::new(999));
    w.finish();
}

#[test]
fn the_life_of_a_call_is_told() {
    let mut w = World::of(["101", "102"]);
    w.watch(true);
    w.notices.clear();
    let (a, b) = (w.phone("101"), w.phone("102"));
    w.dial(a, "102");
    w.run_for(500);
    w.answer(b);
    w.run_for(500);
    w.hold(a);
    w.run_for(500);
    w.hang_up(a);
    w.run_for(500);
    let mut states: Vec<CallState> = Vec::new();
    for notice in &w.notices {
        if let Notice::Call { call } = notice
            && states.last() != Some(&call.state)
        {
            states.push(call.state);
        }
    }
    assert_eq!(
        states,
        [
            CallState::Setup,
            CallState::Ringing,
            CallState::Connected,
            CallState::Held
        ]
    );
    assert!(
        w.notices
            .iter()
            .any(|notice| matches!(notice, Notice::CallEnded { .. }))
    );
    w.watch(false);
    w.finish();
}

#[test]
fn a_watched_call_is_measured_while_it_lasts() {
    let mut w = World::of(["101", "102"]);
    w.watch(true);
    w.talk(w.phone("101"), w.phone("102"));
    w.run_for(12_000);
    let measured = w.calls()[0].legs.iter().all(|leg| {
        leg.quality
            .is_some_and(|quality| quality.packets_received > 100)
    });
    assert!(measured, "{:?}", w.calls());
    w.watch(false);
    w.finish();
}

#[test]
fn registrations_are_told() {
    let mut w = World::of(["101"]);
    w.watch(true);
    w.notices.clear();
    let phone = w.add_phone("101");
    w.register(phone);
    w.run_for(100);
    let told = w.notices.iter().find_map(|notice| match notice {
        Notice::Registrations { registrations, .. } => Some(registrations.len()),
        _ => None,
    });
    assert_eq!(told, Some(2));
    w.watch(false);
    w.finish();
}

#[test]
fn a_phone_whose_connection_is_gone_is_told_to_be_away_until_it_is_back() {
    let mut w = World::builder()
        .extensions(["101"])
        .without_phones()
        .build();
    let phone = w.add_phone("101");
    w.set(phone, |p| p.transport = Transport::Tls);
    w.watch(true);
    let told = |w: &mut World| {
        let told = w.notices.drain(..).rev().find_map(|notice| match notice {
            Notice::Registrations { registrations, .. } => Some(registrations),
            _ => None,
        });
        let told = told.expect("a change");
        assert_eq!(told, w.registrations());
        told[0].reachable
    };
    w.register(phone);
    w.run_for(100);
    assert!(told(&mut w));
    w.break_stream(phone);
    w.run_for(100);
    assert!(!told(&mut w));
    w.register(phone);
    w.run_for(100);
    assert!(told(&mut w));
    w.watch(false);
    // Its registration outlives the process, its connection does not.
    w.restart();
    assert!(!w.registrations()[0].reachable);
    w.register(phone);
    w.run_for(100);
    assert!(w.registrations()[0].reachable);
    w.finish();
}

#[test]
fn stopping_ends_all_calls_and_takes_no_new_ones() {
    let mut w = World::of(["101", "102", "103", "104"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    let ringing = w.dial(w.phone("103"), "104");
    w.run_for(300);
    w.shut_down();
    w.run_for(300);
    assert_eq!((w.end(a), w.end(b)), (Some(End::Bye), Some(End::Bye)));
    assert!(w.is_over(ringing) && w.is_over(w.phone("104")));
    let call = w.dial(a.phone, "102");
    w.run_for(300);
    assert_eq!(w.end(call), Some(End::Refused(503)));
    w.finish();
    assert_eq!(w.record(0).disposition, Disposition::Answered);
    assert_eq!(w.record(0).ended_by, EndedBy::Stop);
    assert_eq!(w.record(1).disposition, Disposition::Interrupted);
    assert_eq!(w.record(1).ended_by, EndedBy::Stop);
}

#[test]
fn civil_time_that_steps_disturbs_no_call() {
    let mut w = World::of(["101", "102"]);
    let (a, b) = w.talk(w.phone("101"), w.phone("102"));
    w.run_for(500);
    w.set_clock(WallTime::from_unix_seconds(
        w.wall().as_unix_seconds() + 3600,
    ));
    w.run_for(700);
    w.assert_talk(a, b);
    w.finish();
    let record = w.record(0);
    assert!(
        record.ended.since(record.started).as_secs() < 10,
        "no call lasts an hour by it"
    );
    assert!(
        record.started.since(w.wall()).as_secs() > 0,
        "the new time holds"
    );
}
