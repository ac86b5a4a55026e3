//! Tapes of calls: phones on a wire, what they saw, what the media thread and the store were told.

mod admission;
mod brakes;
mod caller_id;
mod calls;
mod debug;
mod emergency;
mod hold;
mod outside;
mod permissions;
mod property;
mod ringing;
mod transfer;

use crate::testing::world::World;

/// 101 calls 102, which rings and answers. Dialog 0 of both phones.
fn connected(world: &mut World) {
    dial(world, 0, "102");
    answer(world, 1);
}

/// A phone dials with both codecs.
fn dial(world: &mut World, phone: usize, to: &str) {
    let offer = world.phones[phone].sdp("8 0", "sendrecv");
    let invite = world.phones[phone].invite(to, "", Some(&offer));
    world.send(phone, invite);
}

/// A phone rings for its newest call.
fn ring(world: &mut World, phone: usize) {
    let dialog = world.phones[phone].dialogs.len() - 1;
    let ringing = world.phones[phone].respond(dialog, 180, &[], None);
    world.send(phone, ringing);
}

/// A phone answers its newest call with the first codec.
fn answer(world: &mut World, phone: usize) {
    answer_with(world, phone, "8");
}

fn answer_with(world: &mut World, phone: usize, codecs: &str) {
    let dialog = world.phones[phone].dialogs.len() - 1;
    let sdp = world.phones[phone].sdp(codecs, "sendrecv");
    let ok = world.phones[phone].respond(dialog, 200, &[], Some(&sdp));
    world.send(phone, ok);
}

/// A phone refuses its newest call.
fn refuse(world: &mut World, phone: usize, status: u16) {
    let dialog = world.phones[phone].dialogs.len() - 1;
    let refusal = world.phones[phone].respond(dialog, status, &[], None);
    world.send(phone, refusal);
}

fn bye(world: &mut World, phone: usize, dialog: usize) {
    let bye = world.phones[phone].request(dialog, "BYE", "", None);
    world.send(phone, bye);
}

/// A phone makes a new offer in a call.
fn reoffer(world: &mut World, phone: usize, codecs: &str, direction: &str) {
    let offer = world.phones[phone].sdp(codecs, direction);
    let invite = world.phones[phone].request(0, "INVITE", "", Some(&offer));
    world.send(phone, invite);
}

/// What a phone has seen since the last look.
fn seen(world: &mut World, phone: usize) -> Vec<String> {
    core::mem::take(&mut world.phones[phone].log)
}

/// After every call: nothing is left.
fn nothing_left(world: &mut World) {
    world.pass_ms(40_000);
    assert!(world.switch.is_idle(), "{:?}", world.switch.calls());
}

/// Lines of the switch's log that begin so.
fn lines(world: &World, words: &[&str]) -> Vec<String> {
    (world.log.iter())
        .filter(|line| words.iter().any(|word| line.starts_with(word)))
        .cloned()
        .collect()
}
