//! Calls that don't come about, and how they say so.

use std::time::Duration;

use anyhow::{Result, ensure};
use interop::{Peer, Scenario, Setup, Stage};

use crate::support::{Office, Play, connect, end, needs, refused};

pub(crate) fn scenarios() -> Vec<Scenario> {
    let both: &[Peer] = &[Peer::Pjsua, Peer::Baresip];
    let table: &[(&str, &[Peer], Play)] = &[
        ("a_busy_phone_is_busy", both, busy),
        ("a_caller_who_gives_up_stops_the_ringing", both, cancel),
        ("nobody_answers", &[Peer::Pjsua], no_answer),
        ("an_unknown_number_is_not_found", both, unknown_number),
        (
            "an_extension_without_a_phone_is_unavailable",
            &[Peer::Pjsua],
            no_phone,
        ),
        (
            "phones_without_a_common_codec_can_not_talk",
            &[Peer::Pjsua],
            no_common_codec,
        ),
        ("the_callee_may_hang_up", both, callee_ends),
    ];
    table
        .iter()
        .map(|(name, peers, play)| Scenario::new(*name, &needs(peers), *play))
        .collect()
}

fn busy(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let [alice, bob] = office.phones()?;
    for (caller, callee) in [(alice, bob), (bob, alice)] {
        let out = caller.dial(&callee.number())?;
        let call = callee.incoming()?;
        callee.refuse(&call, 486)?;
        let code = caller.ended(&out)?;
        ensure!(code == 486, "{} was told {code}", caller.name());
    }
    Ok(())
}

fn cancel(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let [alice, bob] = office.phones()?;
    for (caller, callee) in [(alice, bob), (bob, alice)] {
        let out = caller.dial(&callee.number())?;
        let call = callee.incoming()?;
        caller.ringing(&out)?;
        caller.hangup(&out)?;
        callee.ended(&call)?;
    }
    // Both are free again.
    let (out, call) = connect(alice, bob)?;
    end((alice, &out), (bob, &call))
}

fn no_answer(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Pjsua])?;
    let [alice, bob] = office.phones()?;
    let out = alice.dial(&bob.number())?;
    let call = bob.incoming()?;
    alice.ringing(&out)?;
    // The phone itself gives up, as many do after a minute or two; here it is told to.
    bob.refuse(&call, 480)?;
    let code = alice.ended(&out)?;
    ensure!(matches!(code, 408 | 480), "the caller was told {code}");
    Ok(())
}

fn unknown_number(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    for phone in &office.phones {
        refused(phone, "7999", &[404])?;
    }
    Ok(())
}

fn no_phone(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua])?;
    let [alice] = office.phones()?;
    office.exchange.add_extension("40")?;
    refused(alice, "40", &[480])
}

fn no_common_codec(stage: &Stage) -> Result<()> {
    // iLBC is only passed on: the call must be refused, not silent.
    let one = Setup {
        codecs: vec!["iLBC"],
        ..Setup::default()
    };
    let two = Setup {
        codecs: vec!["PCMA"],
        ..Setup::default()
    };
    let office = Office::open(stage, &[(Peer::Pjsua, one), (Peer::Pjsua, two)])?;
    let [alice, bob] = office.phones()?;
    refused(alice, &bob.number(), &[488, 606])?;
    bob.assert_not_rung(Duration::ZERO)
}

fn callee_ends(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let [alice, bob] = office.phones()?;
    for (caller, callee) in [(alice, bob), (bob, alice)] {
        let (out, call) = connect(caller, callee)?;
        end((callee, &call), (caller, &out))?;
    }
    Ok(())
}
