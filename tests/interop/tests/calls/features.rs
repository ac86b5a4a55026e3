//! Hold, transfer, digits (SIP-10), with the sound measured after each.

use anyhow::{Result, ensure};
use interop::{By, MediaState, Peer, Scenario, Stage};

use crate::support::{Office, Play, connect, end, follow, hear, hear_both, hear_nothing_of, needs};

pub(crate) fn scenarios() -> Vec<Scenario> {
    use Peer::{Baresip, Pjsua};
    let table: &[(&str, &[Peer], Play)] = &[
        ("hold_is_silence_until_resumed", &[Pjsua], hold_and_resume),
        ("baresip_holds_pjsua", &[Pjsua, Baresip], baresip_holds),
        ("two_calls_are_held_in_turn", &[Pjsua], two_calls),
        ("a_blind_transfer_joins_the_others", &[Pjsua], |stage| {
            blind(stage, Pjsua)
        }),
        (
            "a_blind_transfer_by_baresip_joins_the_others",
            &[Pjsua, Baresip],
            |stage| blind(stage, Baresip),
        ),
        ("an_attended_transfer_joins_the_others", &[Pjsua], attended),
        (
            "digits_pass_as_telephone_events",
            &[Pjsua, Baresip],
            digits_4733,
        ),
        ("digits_pass_by_info", &[Pjsua], digits_info),
    ];
    table
        .iter()
        .map(|(name, peers, play)| Scenario::new(*name, &needs(peers), *play))
        .collect()
}

fn hold_and_resume(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Pjsua])?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    for (holder, its, held, held_call) in [(alice, &out, bob, &call), (bob, &call, alice, &out)] {
        hear_both((holder, its), (held, held_call))?;
        holder.hold(its)?;
        holder.media(its, MediaState::HeldHere)?;
        // Music may be heard, the holder may not.
        hear_nothing_of(held, held_call, holder)?;
        holder.resume(its)?;
        holder.media(its, MediaState::Active)?;
        hear_both((holder, its), (held, held_call))?;
    }
    end((alice, &out), (bob, &call))
}

fn baresip_holds(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(bob, alice)?;
    bob.hold(&out)?;
    hear_nothing_of(alice, &call, bob)?;
    bob.resume(&out)?;
    hear(alice, &call, bob)?;
    end((bob, &out), (alice, &call))
}

fn two_calls(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua; 3])?;
    let [alice, bob, carol] = office.phones()?;
    let (to_bob, at_bob) = connect(alice, bob)?;
    alice.hold(&to_bob)?;
    let (to_carol, at_carol) = connect(alice, carol)?;
    hear_both((alice, &to_carol), (carol, &at_carol))?;
    alice.hold(&to_carol)?;
    alice.resume(&to_bob)?;
    hear_both((alice, &to_bob), (bob, &at_bob))?;
    hear_nothing_of(carol, &at_carol, alice)?;
    end((alice, &to_carol), (carol, &at_carol))?;
    end((bob, &at_bob), (alice, &to_bob))
}

fn blind(stage: &Stage, transferor: Peer) -> Result<()> {
    let office = Office::of(stage, &[transferor, Peer::Pjsua, Peer::Pjsua])?;
    let [alice, bob, carol] = office.phones()?;
    let (to_bob, at_bob) = connect(alice, bob)?;
    hear(bob, &at_bob, alice)?;
    alice.transfer(&to_bob, &carol.number())?;
    let at_carol = carol.incoming()?;
    carol.answer(&at_carol)?;
    carol.established(&at_carol)?;
    let bobs = follow(bob, &at_bob)?;
    hear_both((bob, &bobs), (carol, &at_carol))?;
    end((bob, &bobs), (carol, &at_carol))
}

fn attended(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua; 3])?;
    let [alice, bob, carol] = office.phones()?;
    let (to_bob, at_bob) = connect(alice, bob)?;
    alice.hold(&to_bob)?;
    let (to_carol, at_carol) = connect(alice, carol)?;
    hear(carol, &at_carol, alice)?;
    alice.transfer_attended(&to_bob, &to_carol)?;
    let code = alice.transferred(&to_bob)?;
    ensure!(code == 200, "the transfer ended with {code}");
    let bobs = follow(bob, &at_bob)?;
    let carols = follow(carol, &at_carol)?;
    hear_both((bob, &bobs), (carol, &carols))?;
    // The transferor is out of it.
    alice.ended(&to_carol)?;
    end((bob, &bobs), (carol, &carols))
}

fn digits_4733(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    alice.digits(&out, "0123456789*#", By::Rfc4733)?;
    bob.hear_digits(&call, "0123456789*#")?;
    bob.digits(&call, "5550#", By::Rfc4733)?;
    let ways = alice.hear_digits(&out, "5550#")?;
    ensure!(
        ways.iter().all(|way| *way == Some(By::Rfc4733)),
        "they came as {ways:?}"
    );
    Ok(())
}

fn digits_info(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Pjsua])?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    // The exchange may hand them on either way.
    alice.digits(&out, "19#", By::Info)?;
    bob.hear_digits(&call, "19#")?;
    Ok(())
}
