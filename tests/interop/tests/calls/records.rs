//! What the administration tells of phones and calls.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use interop::{Admin, Peer, Scenario, Stage};
use serde_json::Value;

use crate::support::{Office, connect, end, hear_both, needs};

/// The record of a call may be written a moment after its end.
const RECORDED: Duration = Duration::from_secs(1);

pub(crate) fn scenarios() -> Vec<Scenario> {
    let both = needs(&[Peer::Pjsua, Peer::Baresip]);
    vec![
        Scenario::new("registrations_are_listed", &both, registrations).ours_only(),
        Scenario::new("a_call_is_listed_and_then_in_the_history", &both, one_call).ours_only(),
        Scenario::new(
            "a_call_goes_on_while_the_administration_is_killed",
            &both,
            without_administration,
        )
        .ours_only(),
        Scenario::new(
            "a_call_cut_by_a_crash_is_in_the_history",
            &needs(&[Peer::Pjsua]),
            interrupted,
        )
        .ours_only(),
    ]
}

fn registrations(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let listed = admin(&office)?.registrations()?;
    ensure!(listed.len() == 2, "two phones are registered: {listed:?}");
    Ok(())
}

fn one_call(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let [alice, bob] = office.phones()?;
    ensure!(
        admin(&office)?.calls()?.is_empty(),
        "a call before anybody dialled"
    );
    let (out, call) = connect(alice, bob)?;
    hear_both((alice, &out), (bob, &call))?;
    let calls = admin(&office)?.calls()?;
    ensure!(calls.len() == 1, "one call is under way: {calls:?}");
    end((alice, &out), (bob, &call))?;
    let record = only_record(&office)?;
    let parties = (
        &record["caller"]["number"],
        &record["dialled"],
        &record["called"]["number"],
    );
    ensure!(
        parties == (&"21".into(), &"22".into(), &"22".into()),
        "{record}"
    );
    let seconds = record["duration_s"].as_u64();
    ensure!(
        record["answered"].is_string() && seconds.is_some_and(|length| (4..20).contains(&length)),
        "{record}"
    );
    // Measured to its end, though nobody has watched it: 50 packets a second.
    for leg in 0..2 {
        let heard = record["legs"][leg]["quality"]["packets_received"].as_u64();
        ensure!(heard >= seconds.map(|length| length * 40), "{record}");
    }
    let calls = admin(&office)?.calls()?;
    ensure!(calls.is_empty(), "the call has ended: {calls:?}");
    Ok(())
}

fn interrupted(stage: &Stage) -> Result<()> {
    let mut office = Office::of(stage, &[Peer::Pjsua, Peer::Pjsua])?;
    let [alice, bob] = office.phones()?;
    connect(alice, bob)?;
    office.exchange.crash()?;
    let record = only_record(&office)?;
    ensure!(
        record["answered"].is_string() && record["disposition"] == "interrupted",
        "{record}"
    );
    ensure!(
        (0..2).all(|leg| record["legs"][leg]["user_agent"].is_string()),
        "{record}"
    );
    Ok(())
}

fn only_record(office: &Office) -> Result<Value> {
    std::thread::sleep(RECORDED);
    let history = admin(office)?.history()?;
    ensure!(history.len() == 1, "one call has been made: {history:?}");
    history.into_iter().next().context("the record")
}

fn admin(office: &Office) -> Result<&Admin> {
    office.exchange.admin().context("an administration")
}

fn without_administration(stage: &Stage) -> Result<()> {
    let mut office = Office::of(stage, &[Peer::Pjsua, Peer::Baresip])?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    hear_both((alice, &out), (bob, &call))?;
    office.exchange.crash_administration()?;
    let [alice, bob] = office.phones()?;
    hear_both((alice, &out), (bob, &call))?;
    let calls = admin(&office)?.calls()?;
    ensure!(calls.len() == 1, "the call is shown again: {calls:?}");
    end((alice, &out), (bob, &call))?;
    let record = only_record(&office)?;
    ensure!(record["disposition"] == "answered", "{record}");
    Ok(())
}
