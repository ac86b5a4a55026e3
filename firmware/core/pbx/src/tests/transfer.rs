//! Parties that go on in another call.

use model::{CallId, Disposition, EndedBy};

use super::*;

/// A phone asks that the other party of a dialog call `to`.
fn refer(world: &mut World, phone: usize, dialog: usize, to: &str) {
    let extra = format!("Refer-To: {to}\r\n");
    let refer = world.phones[phone].request(dialog, "REFER", &extra, None);
    world.send(phone, refer);
}

fn escaped(replaces: &str) -> String {
    replaces
        .replace(';', "%3B")
        .replace('=', "%3D")
        .replace(':', "%3A")
}

#[test]
fn a_blind_transfer() {
    let mut world = World::new(3);
    connected(&mut world);
    reoffer(&mut world, 1, "8", "sendonly");
    seen(&mut world, 0);
    seen(&mut world, 1);
    world.take_log();
    refer(&mut world, 1, 0, "<sip:103@pbx>");
    assert_eq!(seen(&mut world, 1), ["202 REFER", "NOTIFY 100"]);
    assert_eq!(seen(&mut world, 2), ["INVITE from \"User 1\" <sip:101"]);
    ring(&mut world, 2);
    assert_eq!(seen(&mut world, 1), ["NOTIFY 180"]);
    assert_eq!(
        lines(&world, &["Disconnect", "Play"]),
        ["Disconnect 0", "Play 0"]
    );
    world.take_log();
    answer(&mut world, 2);
    assert_eq!(
        lines(&world, &["Connect", "Stop"]),
        ["Connect 0 2", "Stop 0"]
    );
    assert_eq!(seen(&mut world, 1), ["NOTIFY 200"]);
    world.pass_ms(1100);
    assert_eq!(seen(&mut world, 1), ["BYE"], "it did not hang up by itself");
    assert!(
        seen(&mut world, 0).is_empty(),
        "the caller is asked nothing"
    );

    let first = world.record(1);
    assert_eq!(first.disposition, Disposition::Answered);
    assert_eq!(first.ended_by, EndedBy::Called);
    assert_eq!(first.legs.len(), 2);
    assert!(
        first.legs.iter().all(|leg| leg.quality.is_some()),
        "{first:?}"
    );
    bye(&mut world, 2, 0);
    let second = world.record(2);
    assert_eq!(second.transferred_from, Some(CallId::new(1)));
    assert_eq!(second.caller.number, "101");
    assert_eq!(second.dialled, "103");
    assert_eq!(second.disposition, Disposition::Answered);
    assert_eq!(seen(&mut world, 0), ["BYE"]);
    nothing_left(&mut world);
}

#[test]
fn a_blind_transfer_that_fails_brings_the_party_back() {
    let mut world = World::new(3);
    connected(&mut world);
    world.take_log();
    refer(&mut world, 0, 0, "<sip:103@pbx>");
    ring(&mut world, 2);
    seen(&mut world, 0);
    world.take_log();
    refuse(&mut world, 2, 486);
    assert_eq!(seen(&mut world, 0), ["NOTIFY 486"]);
    assert_eq!(
        lines(&world, &["Stop", "Connect"]),
        ["Connect 0 1", "Stop 0", "Stop 1"]
    );
    assert_eq!(world.record(2).disposition, Disposition::Busy);
    assert_eq!(world.record(2).transferred_from, Some(CallId::new(1)));
    assert_eq!(world.switch.calls().len(), 1);
    bye(&mut world, 1, 0);
    assert_eq!(world.record(1).ended_by, EndedBy::Called);
    assert_eq!(world.record(1).legs.len(), 2);
    nothing_left(&mut world);
}

#[test]
fn the_one_who_transfers_hangs_up_at_once() {
    let mut world = World::new(3);
    connected(&mut world);
    refer(&mut world, 1, 0, "<sip:103@pbx>");
    bye(&mut world, 1, 0);
    assert_eq!(world.record(1).ended_by, EndedBy::Called);
    assert_eq!(world.switch.calls().len(), 1);
    ring(&mut world, 2);
    answer(&mut world, 2);
    bye(&mut world, 0, 0);
    assert_eq!(world.record(2).disposition, Disposition::Answered);
    nothing_left(&mut world);

    // And nobody answers: the party hears so and is let go.
    let mut world = World::new(3);
    connected(&mut world);
    refer(&mut world, 1, 0, "<sip:103@pbx>");
    bye(&mut world, 1, 0);
    world.take_log();
    refuse(&mut world, 2, 486);
    assert_eq!(lines(&world, &["Play"]), ["Play 0"]);
    seen(&mut world, 0);
    world.pass_ms(6000);
    assert_eq!(seen(&mut world, 0), ["BYE"]);
    assert_eq!(world.record(2).disposition, Disposition::Busy);
    nothing_left(&mut world);
}

#[test]
fn the_transferred_party_hangs_up_while_it_rings() {
    let mut world = World::new(3);
    connected(&mut world);
    refer(&mut world, 1, 0, "<sip:103@pbx>");
    ring(&mut world, 2);
    seen(&mut world, 1);
    bye(&mut world, 0, 0);
    assert!(seen(&mut world, 2)[1].starts_with("CANCEL"));
    let told = seen(&mut world, 1);
    assert!(told.contains(&"BYE".to_owned()), "{told:?}");
    assert_eq!(world.record(2).disposition, Disposition::Cancelled);
    assert_eq!(world.record(1).ended_by, EndedBy::Caller);
    nothing_left(&mut world);
}

#[test]
fn transfers_that_can_not_be() {
    let mut world = World::new(3);
    connected(&mut world);
    seen(&mut world, 1);
    for (to, status) in [
        ("<sip:199@pbx>", "404 REFER"),
        ("<sip:102@pbx>", "486 REFER"),
        ("<sip:101@pbx>", "486 REFER"),
    ] {
        refer(&mut world, 1, 0, to);
        assert_eq!(seen(&mut world, 1), [status], "{to}");
    }
    refer(
        &mut world,
        1,
        0,
        "<sip:103@pbx?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>",
    );
    assert_eq!(
        seen(&mut world, 1),
        ["202 REFER", "NOTIFY 100", "NOTIFY 481"]
    );
    assert_eq!(world.switch.calls().len(), 1);
    assert_eq!(world.switch.calls()[0].legs.len(), 2);
}

#[test]
fn an_attended_transfer() {
    let mut world = World::new(3);
    connected(&mut world);
    reoffer(&mut world, 1, "8", "sendonly");
    dial(&mut world, 1, "103");
    answer(&mut world, 2);
    let replaces = escaped(&world.phones[1].dialogs[1].replaces());
    for phone in 0..3 {
        seen(&mut world, phone);
    }
    world.take_log();
    refer(
        &mut world,
        1,
        0,
        &format!("<sip:103@pbx?Replaces={replaces}>"),
    );
    assert_eq!(
        seen(&mut world, 1),
        ["202 REFER", "NOTIFY 100", "NOTIFY 200"]
    );
    assert_eq!(
        lines(&world, &["Connect", "Stop"]),
        ["Connect 0 3", "Stop 0"]
    );
    world.pass_ms(1100);
    assert_eq!(seen(&mut world, 1), ["BYE", "BYE"]);
    let calls = world.switch.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].caller.number, "101");
    assert_eq!(calls[0].called.as_ref().expect("known").number, "103");
    bye(&mut world, 2, 0);
    assert_eq!(seen(&mut world, 0), ["BYE"]);
    let third = world.record(3);
    assert_eq!(third.transferred_from, Some(CallId::new(1)));
    assert_eq!(third.legs.len(), 2);
    for call in [1, 2] {
        assert_eq!(world.record(call).disposition, Disposition::Answered);
        assert_eq!(world.record(call).legs.len(), 2);
    }
    nothing_left(&mut world);
}

#[test]
fn an_attended_transfer_while_the_target_rings() {
    let mut world = World::new(3);
    connected(&mut world);
    dial(&mut world, 1, "103");
    ring(&mut world, 2);
    let replaces = escaped(&world.phones[1].dialogs[1].replaces());
    for phone in 0..3 {
        seen(&mut world, phone);
    }
    refer(
        &mut world,
        1,
        0,
        &format!("<sip:103@pbx?Replaces={replaces}>"),
    );
    let told = seen(&mut world, 1);
    assert!(told.contains(&"202 REFER".to_owned()), "{told:?}");
    assert!(told.contains(&"487".to_owned()), "{told:?}");
    assert!(seen(&mut world, 2).is_empty(), "it rings on");
    answer(&mut world, 2);
    assert_eq!(seen(&mut world, 1), ["NOTIFY 200"]);
    world.pass_ms(1100);
    assert_eq!(world.record(2).disposition, Disposition::Cancelled);
    bye(&mut world, 0, 0);
    assert_eq!(seen(&mut world, 2), ["ACK", "BYE"]);
    assert_eq!(world.record(3).transferred_from, Some(CallId::new(1)));
    nothing_left(&mut world);
}

#[test]
fn a_phone_takes_over_a_party() {
    let mut world = World::new(3);
    connected(&mut world);
    let replaces = world.phones[1].dialogs[0].replaces();
    for phone in 0..3 {
        seen(&mut world, phone);
    }
    let offer = world.phones[2].sdp("8", "sendrecv");
    let extra = format!("Replaces: {replaces}\r\n");
    let invite = world.phones[2].invite("101", &extra, Some(&offer));
    world.send(2, invite);
    assert_eq!(seen(&mut world, 2), ["200"]);
    world.pass_ms(1100);
    assert_eq!(seen(&mut world, 1), ["BYE"]);
    bye(&mut world, 2, 0);
    assert_eq!(seen(&mut world, 0), ["BYE"]);
    assert_eq!(world.record(2).transferred_from, Some(CallId::new(1)));
    nothing_left(&mut world);
}

#[test]
fn a_phone_picks_up_a_call_that_rings_elsewhere() {
    let mut world = World::new(3);
    dial(&mut world, 0, "102");
    ring(&mut world, 1);
    let replaces = world.phones[1].dialogs[0].replaces();
    seen(&mut world, 0);
    let offer = world.phones[2].sdp("8", "sendrecv");
    let extra = format!("Replaces: {replaces}\r\n");
    let invite = world.phones[2].invite("101", &extra, Some(&offer));
    world.send(2, invite);
    assert_eq!(seen(&mut world, 2), ["200"]);
    assert_eq!(seen(&mut world, 0), ["200"]);
    assert!(seen(&mut world, 1)[1].starts_with("CANCEL"));
    bye(&mut world, 0, 0);
    assert_eq!(seen(&mut world, 2), ["BYE"]);
    let record = world.record(1);
    assert_eq!(record.called.as_ref().expect("known").number, "103");
    nothing_left(&mut world);
}

#[test]
fn transfers_do_not_go_on_for_ever() {
    let mut world = World::new(3);
    connected(&mut world);
    // 101 is passed on from 102 to 103 and back, each time by the one who has it.
    let mut status = String::new();
    for n in 0..12 {
        let (from, to) = if n % 2 == 0 { (1, 2) } else { (2, 1) };
        let dialog = world.phones[from].dialogs.len() - 1;
        seen(&mut world, from);
        let number = world.phones[to].number.clone();
        refer(&mut world, from, dialog, &format!("<sip:{number}@pbx>"));
        status = seen(&mut world, from)[0].clone();
        if status != "202 REFER" {
            break;
        }
        answer(&mut world, to);
        world.pass_ms(1100);
    }
    assert_eq!(status, "483 REFER");
    bye(&mut world, 0, 0);
    nothing_left(&mut world);
}

#[test]
fn a_transfer_to_one_who_is_ringing_and_does_not_answer_comes_back() {
    let mut world = World::with(3, |c| c.general.no_answer_s = 20, |_| ());
    connected(&mut world);
    dial(&mut world, 1, "103");
    ring(&mut world, 2);
    let replaces = escaped(&world.phones[1].dialogs[1].replaces());
    refer(
        &mut world,
        1,
        0,
        &format!("<sip:103@pbx?Replaces={replaces}>"),
    );
    world.pass_ms(10_000);
    seen(&mut world, 1);
    world.take_log();
    world.pass_ms(11_000);
    assert_eq!(seen(&mut world, 1), ["NOTIFY 480"]);
    assert_eq!(
        lines(&world, &["Connect", "Stop"]),
        ["Connect 0 1", "Stop 0", "Stop 1"]
    );
    assert_eq!(world.record(3).disposition, Disposition::NoAnswer);
    bye(&mut world, 0, 0);
    assert_eq!(seen(&mut world, 1), ["BYE"]);
    nothing_left(&mut world);
}

#[test]
fn the_transferred_party_hears_what_the_target_plays() {
    let mut world = World::new(3);
    connected(&mut world);
    refer(&mut world, 1, 0, "<sip:103@pbx>");
    world.take_log();
    let sdp = world.phones[2].sdp("8", "sendrecv");
    let progress = world.phones[2].respond(0, 183, &[], Some(&sdp));
    world.send(2, progress);
    assert_eq!(lines(&world, &["Connect", "Play"]), ["Connect 0 2 early"]);
    answer(&mut world, 2);
    bye(&mut world, 2, 0);
    nothing_left(&mut world);
}

#[test]
fn a_party_that_is_being_transferred_can_not_be_transferred_again() {
    let mut world = World::new(4);
    connected(&mut world);
    refer(&mut world, 1, 0, "<sip:103@pbx>");
    seen(&mut world, 1);
    refer(&mut world, 1, 0, "<sip:104@pbx>");
    assert_eq!(seen(&mut world, 1), ["491 REFER"]);
    seen(&mut world, 0);
    refer(&mut world, 0, 0, "<sip:104@pbx>");
    assert_eq!(seen(&mut world, 0), ["491 REFER"]);
    world.happen(crate::Input::Shutdown);
    nothing_left(&mut world);
    assert_eq!(world.record(1).legs.len(), 2);
}

#[test]
fn a_held_party_is_not_held_by_the_one_it_is_brought_to() {
    let mut world = World::new(3);
    connected(&mut world);
    reoffer(&mut world, 1, "8", "inactive");
    world.take_log();
    refer(&mut world, 1, 0, "<sip:103@pbx>");
    ring(&mut world, 2);
    answer(&mut world, 2);
    assert_eq!(world.log.iter().filter(|line| *line == "Stop 0").count(), 1);
    assert_eq!(
        world.switch.calls().last().expect("a call").state,
        model::control::CallState::Connected
    );
    bye(&mut world, 0, 0);
    nothing_left(&mut world);
}

#[test]
fn a_phone_that_can_not_take_over_has_a_record_of_its_refusal() {
    let mut world = World::new(3);
    connected(&mut world);
    let replaces = world.phones[1].dialogs[0].replaces();
    let offer = world.phones[2].sdp("18", "sendrecv");
    let extra = format!("Replaces: {replaces}\r\n");
    let invite = world.phones[2].invite("101", &extra, Some(&offer));
    world.send(2, invite);
    assert_eq!(seen(&mut world, 2), ["488"]);
    assert_eq!(world.record(2).disposition, Disposition::Failed);
    assert_eq!(world.switch.calls().len(), 1, "the call goes on");
    bye(&mut world, 0, 0);
    assert_eq!(
        seen(&mut world, 1),
        ["INVITE from \"User 1\" <sip:101", "ACK", "BYE"]
    );
    nothing_left(&mut world);
}
