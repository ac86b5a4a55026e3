//! One call: from dialling to its record.

use model::{Cause, Codec, Disposition, EndedBy, ExtensionId};

use super::*;
use crate::testing::phone::Phone;
use crate::testing::world::quality;
use crate::{Input, Load};

#[test]
fn a_calls_b_who_rings_answers_and_hangs_up() {
    let mut world = World::new(2);
    dial(&mut world, 0, "102");
    assert_eq!(seen(&mut world, 1), ["INVITE from \"User 1\" <sip:101"]);
    ring(&mut world, 1);
    assert_eq!(seen(&mut world, 0), ["180"]);
    world.pass_ms(3000);
    answer(&mut world, 1);
    assert_eq!(seen(&mut world, 0), ["200"]);
    assert_eq!(seen(&mut world, 1), ["ACK"]);
    assert_eq!(
        lines(&world, &["Open", "Connect", "Update"]),
        [
            "Open 1 Pcma send=true receive=true",
            "Open 0 Pcma send=true receive=true",
            "Connect 0 1"
        ]
    );
    world.pass_ms(60_000);
    world.take_log();
    bye(&mut world, 1, 0);
    assert_eq!(seen(&mut world, 0), ["BYE"]);
    assert_eq!(seen(&mut world, 1), ["200 BYE"]);
    let log = world.take_log();
    let at = |text: &str| log.iter().position(|line| line == text).expect(text);
    assert!(at("closed 1 Answered 16 by Called") < at("10.0.1.2 < 200 OK"));

    let record = world.record(1);
    assert_eq!(record.caller.number, "101");
    assert_eq!(record.caller.name.as_deref(), Some("User 1"));
    assert_eq!(record.dialled, "102");
    assert_eq!(
        record.called.as_ref().and_then(|party| party.extension),
        Some(ExtensionId::new(2))
    );
    assert_eq!(record.ended_by, EndedBy::Called);
    let answered = record.answered.expect("it was answered");
    assert_eq!(answered.since(record.started).as_millis(), 3000);
    assert_eq!(record.ended.since(answered).as_millis(), 60_000);
    assert_eq!(record.legs.len(), 2);
    assert_eq!(record.legs[0].quality, Some(quality(model::PortId::new(0))));
    assert_eq!(record.legs[1].quality, Some(quality(model::PortId::new(1))));
    assert_eq!(record.legs[1].codec, Some(Codec::Pcma));
    assert_eq!(world.records.len(), 2, "at once, and again when measured");
    nothing_left(&mut world);
}

#[test]
fn refusals_reach_the_caller_with_their_meaning() {
    for (status, told, disposition, cause) in [
        (486, "486", Disposition::Busy, 17),
        (603, "603", Disposition::Rejected, 21),
        (480, "480", Disposition::Unreachable, 18),
        (404, "480", Disposition::Unreachable, 20),
        (503, "500", Disposition::Failed, 41),
        (302, "403", Disposition::Rejected, 21),
    ] {
        let mut world = World::new(2);
        dial(&mut world, 0, "102");
        refuse(&mut world, 1, status);
        assert_eq!(seen(&mut world, 0), [told], "{status}");
        let record = world.record(1);
        assert_eq!(
            (record.disposition, record.cause.value()),
            (disposition, cause),
            "{status}"
        );
        assert_eq!(lines(&world, &["Open", "Close"]), [""; 0]);
        nothing_left(&mut world);
    }
}

#[test]
fn a_redirection_is_not_followed_but_told() {
    let mut world = World::new(2);
    dial(&mut world, 0, "102");
    let refusal = world.phones[1].respond(0, 302, &[("Contact", "<sip:0900@premium>")], None);
    world.send(1, refusal);
    let rows = lines(&world, &["SIP - extension 102"]);
    assert_eq!(rows.len(), 1, "{:?}", world.log);
    nothing_left(&mut world);
}

#[test]
fn numbers_that_lead_nowhere() {
    for (number, status, disposition) in [
        ("199", "404", Disposition::UnknownNumber),
        ("abc", "404", Disposition::UnknownNumber),
        ("101", "486", Disposition::Busy),
    ] {
        let mut world = World::new(2);
        dial(&mut world, 0, number);
        assert_eq!(seen(&mut world, 0), [status], "{number}");
        assert_eq!(world.record(1).disposition, disposition);
        assert_eq!(world.record(1).dialled, number);
        assert_eq!(world.records.len(), 1, "nothing was measured");
        let log = world.take_log();
        let at = |text: &str| log.iter().position(|line| line.starts_with(text));
        assert!(at("opened") < at("closed") && at("closed") < at(&format!("10.0.1.1 < {status}")));
        nothing_left(&mut world);
    }
}

#[test]
fn an_escaped_number_is_the_same_number() {
    let mut world = World::new(2);
    dial(&mut world, 0, "10%32");
    assert_eq!(seen(&mut world, 1).len(), 1);
    assert_eq!(world.switch.calls()[0].dialled, "102");
}

#[test]
fn a_phone_that_is_not_registered_is_absent() {
    let mut world = World::with(2, |_| (), |phones| phones.truncate(1));
    dial(&mut world, 0, "102");
    assert_eq!(seen(&mut world, 0), ["480"]);
    let record = world.record(1);
    assert_eq!(record.disposition, Disposition::Unreachable);
    assert_eq!(record.cause, Cause::SUBSCRIBER_ABSENT);
    nothing_left(&mut world);
}

#[test]
fn nobody_answers_within_the_limit() {
    let mut world = World::with(2, |c| c.general.no_answer_s = 20, |_| ());
    dial(&mut world, 0, "102");
    ring(&mut world, 1);
    world.pass_ms(19_900);
    assert_eq!(seen(&mut world, 0), ["180"]);
    world.pass_ms(200);
    assert_eq!(seen(&mut world, 0), ["480"]);
    assert_eq!(seen(&mut world, 1)[1..2], ["CANCEL"]);
    let record = world.record(1);
    assert_eq!(record.disposition, Disposition::NoAnswer);
    assert_eq!(record.cause, Cause::NO_ANSWER);
    nothing_left(&mut world);
}

#[test]
fn the_caller_gives_up() {
    let mut world = World::new(2);
    dial(&mut world, 0, "102");
    ring(&mut world, 1);
    let cancel = world.phones[0].cancel(0);
    world.send(0, cancel);
    let mut told = seen(&mut world, 0);
    told.sort();
    assert_eq!(told, ["180", "200 CANCEL", "487"]);
    assert!(seen(&mut world, 1)[1].starts_with("CANCEL"));
    let record = world.record(1);
    assert_eq!(record.disposition, Disposition::Cancelled);
    assert_eq!(record.ended_by, EndedBy::Caller);
    nothing_left(&mut world);
}

fn two_phones(phones: &mut Vec<(ExtensionId, Phone)>) {
    phones.push((ExtensionId::new(2), Phone::new("102", "10.0.1.9:5060")));
}

#[test]
fn all_phones_ring_and_the_first_answer_wins() {
    let mut world = World::with(2, |_| (), two_phones);
    dial(&mut world, 0, "102");
    ring(&mut world, 1);
    ring(&mut world, 2);
    answer(&mut world, 2);
    assert_eq!(seen(&mut world, 0), ["180", "200"]);
    let other = seen(&mut world, 1);
    assert!(other[1].starts_with("CANCEL"), "{other:?}");
    assert!(other[1].contains("completed elsewhere"), "{other:?}");
    assert_eq!(seen(&mut world, 2)[1..], ["ACK"]);
    bye(&mut world, 0, 0);
    assert_eq!(
        world.record(1).legs[1].address.as_deref(),
        Some("10.0.1.9:5060")
    );
    nothing_left(&mut world);
}

#[test]
fn ten_phones_ring_at_most() {
    let mut world = World::with(
        2,
        |_| (),
        |phones| {
            for n in 20..32 {
                let phone = Phone::new("102", &format!("10.0.1.{n}:5060"));
                phones.push((ExtensionId::new(2), phone));
            }
        },
    );
    dial(&mut world, 0, "102");
    let rung = (world.phones.iter()).filter(|phone| !phone.log.is_empty());
    assert_eq!(rung.count(), 10);
    assert_eq!(world.switch.ports_in_use(), 2, "they share one");
}

#[test]
fn one_phone_refuses_the_other_still_rings() {
    let mut world = World::with(2, |_| (), two_phones);
    dial(&mut world, 0, "102");
    refuse(&mut world, 1, 486);
    assert!(seen(&mut world, 0).is_empty());
    refuse(&mut world, 2, 480);
    assert_eq!(seen(&mut world, 0), ["486"]);
    nothing_left(&mut world);
}

#[test]
fn a_phone_that_declines_for_all_ends_it_for_all() {
    let mut world = World::with(2, |_| (), two_phones);
    dial(&mut world, 0, "102");
    ring(&mut world, 2);
    refuse(&mut world, 1, 603);
    assert_eq!(seen(&mut world, 0), ["180", "603"]);
    assert!(seen(&mut world, 2)[1].starts_with("CANCEL"));
    nothing_left(&mut world);
}

#[test]
fn sound_before_the_answer_reaches_the_caller() {
    let mut world = World::new(2);
    dial(&mut world, 0, "102");
    let sdp = world.phones[1].sdp("0", "sendrecv");
    let progress = world.phones[1].respond(0, 183, &[], Some(&sdp));
    world.send(1, progress);
    assert_eq!(seen(&mut world, 0), ["183"]);
    assert_eq!(
        lines(&world, &["Open", "Connect"]),
        [
            "Open 1 Pcmu send=true receive=true",
            "Open 0 Pcmu send=true receive=true",
            "Connect 0 1 early"
        ]
    );
    world.take_log();
    answer_with(&mut world, 1, "0");
    assert_eq!(seen(&mut world, 0), ["200"]);
    assert_eq!(lines(&world, &["Open", "Connect"]), ["Connect 0 1"]);
    bye(&mut world, 0, 0);
    nothing_left(&mut world);
}

#[test]
fn a_caller_without_an_offer_gets_ours_and_answers_in_its_ack() {
    let mut world = World::new(2);
    let invite = world.phones[0].invite("102", "", None);
    world.send(0, invite);
    answer(&mut world, 1);
    assert_eq!(seen(&mut world, 0), ["200"]);
    assert_eq!(
        lines(&world, &["Open", "Connect"]),
        [
            "Open 1 Pcma send=true receive=true",
            "Open 0 Pcma send=true receive=true",
            "Connect 0 1"
        ]
    );
    bye(&mut world, 0, 0);
    nothing_left(&mut world);
}

#[test]
fn both_are_brought_to_one_codec_or_each_keeps_its_own() {
    // The caller's codecs come first in the offer, in the administrator's order: GSM after G.711.
    let mut world = World::new(2);
    let offer = world.phones[0].sdp("3 8", "sendrecv");
    let invite = world.phones[0].invite("102", "", Some(&offer));
    world.send(0, invite);
    let offered = world.phones[1].dialogs[0].sdp.clone().expect("an offer");
    assert!(offered.contains("RTP/AVP 8 3 0 9 "), "{offered}");
    answer_with(&mut world, 1, "8");
    assert_eq!(
        lines(&world, &["Open"]),
        [
            "Open 1 Pcma send=true receive=true",
            "Open 0 Pcma send=true receive=true"
        ]
    );

    // The callee may only use A-law, the caller only µ-law.
    let mut world = World::with(
        2,
        |c| {
            c.extensions[0].codecs = vec![Codec::Pcmu];
            c.extensions[1].codecs = vec![Codec::Pcma];
        },
        |_| (),
    );
    connected(&mut world);
    assert_eq!(
        lines(&world, &["Open"]),
        [
            "Open 1 Pcma send=true receive=true",
            "Open 0 Pcmu send=true receive=true"
        ]
    );
}

#[test]
fn descriptions_that_can_not_be_used() {
    let mut world = World::new(2);
    let offer = world.phones[0].sdp("18", "sendrecv");
    let invite = world.phones[0].invite("102", "", Some(&offer));
    world.send(0, invite);
    assert_eq!(seen(&mut world, 0), ["488"]);
    assert!(seen(&mut world, 1).is_empty(), "nothing rings");
    assert_eq!(world.record(1).cause, Cause::INCOMPATIBLE_DESTINATION);

    dial(&mut world, 0, "102");
    answer_with(&mut world, 1, "18");
    assert_eq!(seen(&mut world, 0), ["488"]);
    assert!(seen(&mut world, 1).contains(&"BYE".to_owned()));
    nothing_left(&mut world);
}

#[test]
fn all_ports_busy() {
    let mut world = World::new(2);
    for _ in 0..20 {
        dial(&mut world, 0, "102");
    }
    assert_eq!(world.switch.ports_in_use(), 40);
    seen(&mut world, 0);
    dial(&mut world, 0, "102");
    assert_eq!(seen(&mut world, 0), ["503"]);
    assert_eq!(world.record(21).cause, Cause::NO_CIRCUIT_AVAILABLE);
}

#[test]
fn digits_by_info_are_sent_to_the_other() {
    let mut world = World::new(2);
    connected(&mut world);
    let info = world.phones[0].request(0, "INFO", "", Some("Signal=5\r\nDuration=160\r\n"));
    world.send(0, info);
    assert_eq!(lines(&world, &["SendDigit"]), ["SendDigit 1 5"]);
}

#[test]
fn a_phone_without_power_does_not_leave_the_call_hanging() {
    let mut world = World::new(2);
    connected(&mut world);
    seen(&mut world, 1);
    world.phones[1].dead = true;
    world.happen(silent(25_000));
    assert!(seen(&mut world, 1).is_empty());
    world.happen(silent(30_000));
    assert_eq!(seen(&mut world, 1), ["OPTIONS"]);
    world.pass_ms(30_000);
    world.happen(silent(60_000));
    assert_eq!(world.switch.calls().len(), 1, "it may answer yet");
    world.pass_ms(5000);
    world.happen(silent(65_000));
    assert!(world.switch.calls().is_empty());
    let record = world.record(1);
    assert_eq!(record.cause, Cause::DESTINATION_OUT_OF_ORDER);
    assert_eq!(record.ended_by, EndedBy::Exchange);
    assert_eq!(seen(&mut world, 0).last().map(String::as_str), Some("BYE"));
    nothing_left(&mut world);
}

#[test]
fn a_muted_phone_is_asked_now_and_then_and_stays() {
    let mut world = World::new(2);
    connected(&mut world);
    seen(&mut world, 1);
    for second in (5..=600).step_by(5) {
        world.happen(silent(second * 1000));
        world.pass_ms(5000);
    }
    assert_eq!(seen(&mut world, 1), ["OPTIONS"; 10]);
    assert_eq!(world.switch.calls().len(), 1);
    // Then its power fails.
    world.phones[1].dead = true;
    for second in (605..700).step_by(5) {
        world.happen(silent(second * 1000));
        world.pass_ms(5000);
    }
    assert!(world.switch.calls().is_empty());
    nothing_left(&mut world);
}

#[test]
fn who_speaks_again_need_not_have_answered() {
    let mut world = World::new(2);
    connected(&mut world);
    world.phones[1].dead = true;
    world.happen(silent(30_000));
    world.pass_ms(40_000);
    seen(&mut world, 1);
    // It spoke for a second, then no more.
    world.pass_ms(29_000);
    world.phones[1].dead = false;
    world.happen(silent(30_000));
    assert_eq!(seen(&mut world, 1), ["OPTIONS"]);
    world.pass_ms(32_000);
    world.happen(silent(62_000));
    assert_eq!(world.switch.calls().len(), 1);
    bye(&mut world, 0, 0);
    nothing_left(&mut world);
}

/// Nothing has come of the called phone for so long.
fn silent(for_ms: u32) -> Input {
    let port = model::PortId::new(1);
    Input::Media(media::Event::Silent { port, for_ms })
}

#[test]
fn an_administrator_ends_a_call() {
    let mut world = World::new(2);
    connected(&mut world);
    world.happen(Input::HangUp {
        call: model::CallId::new(1),
        by: "winston".into(),
    });
    assert_eq!(seen(&mut world, 0).last().map(String::as_str), Some("BYE"));
    assert_eq!(seen(&mut world, 1).last().map(String::as_str), Some("BYE"));
    let record = world.record(1);
    assert_eq!(record.ended_by, EndedBy::Administrator);
    assert_eq!(record.administrator.as_deref(), Some("winston"));
    assert_eq!(record.cause, Cause::NORMAL_CALL_CLEARING);
    nothing_left(&mut world);
}

#[test]
fn stopping_ends_all_calls_with_their_records() {
    let mut world = World::new(4);
    connected(&mut world);
    dial(&mut world, 2, "104");
    world.happen(Input::Shutdown);
    for (call, disposition) in [(1, Disposition::Answered), (2, Disposition::Interrupted)] {
        let record = world.record(call);
        assert_eq!(record.disposition, disposition);
        assert_eq!(record.ended_by, EndedBy::Stop);
        assert_eq!(record.cause, Cause::NORMAL_UNSPECIFIED);
    }
    assert_eq!(seen(&mut world, 2), ["503"]);
    seen(&mut world, 0);
    dial(&mut world, 0, "102");
    assert_eq!(seen(&mut world, 0), ["503"]);
    nothing_left(&mut world);
}

#[test]
fn a_new_configuration_ends_no_call() {
    let mut world = World::new(2);
    connected(&mut world);
    let mut configuration = crate::testing::configuration(2);
    configuration.extensions.pop();
    world.happen(Input::Configure(configuration.into()));
    assert_eq!(lines(&world, &["remove"]), ["remove sip:102@10.0.1.2:5060"]);
    assert_eq!(world.switch.calls().len(), 1);
    world.happen(Input::Load(Load { queue_delay_us: 0 }));
    bye(&mut world, 0, 0);
    dial(&mut world, 0, "102");
    assert_eq!(world.record(2).disposition, Disposition::UnknownNumber);
    nothing_left(&mut world);
}

#[test]
fn a_record_comes_even_if_nothing_is_measured() {
    let mut world = World::new(2);
    world.media_answers = false;
    connected(&mut world);
    bye(&mut world, 0, 0);
    assert_eq!(world.records.len(), 1);
    world.pass_ms(5000);
    assert_eq!(world.records.len(), 1);
    assert_eq!(world.switch.ports_in_use(), 2, "they are not closed yet");
}

#[test]
fn a_phone_stops_ringing_by_itself_a_little_after_it_is_to() {
    let mut world = World::new(2);
    dial(&mut world, 0, "102");
    let invite = &world.phones[1].dialogs[0].invite;
    assert_eq!(invite.headers.expires().expect("a number"), Some(65));
}

#[test]
fn a_call_has_a_handful_of_notices() {
    let mut world = World::new(2);
    for (watched, expected) in [(false, 0..=0), (true, 4..=6), (false, 0..=0)] {
        world.happen(Input::Watch(watched));
        let before = world.notices;
        dial(&mut world, 0, "102");
        ring(&mut world, 1);
        answer(&mut world, 1);
        let dialog = world.phones[0].dialogs.len() - 1;
        bye(&mut world, 0, dialog);
        assert!(expected.contains(&(world.notices - before)));
    }
}
