//! What is measured of the image, and noted: no test judges by it. It is played where `IMAGE_MEASURE_MINUTES`
//! says how long.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use interop::{
    Admin, EXCHANGE, Machine, Need, Peer, Phone, Scenario, Setup, Sipp, Stage, address,
    administrator,
};
use serde_json::Value;

use crate::{register, times};

/// How long writes are counted, without calls and with them.
const MINUTES: &str = "IMAGE_MEASURE_MINUTES";
/// Each lasts three minutes, and one begins every six seconds.
const CALLS: u32 = 30;
const CALL_MS: u32 = 180_000;
const EACH_MS: u32 = CALL_MS / CALLS;
/// Until what the first start writes is written.
const SETTLED: Duration = Duration::from_secs(180);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "how_long_the_first_call_takes_from_power_on",
            &[Need::Machine, Need::Pjsua],
            first_call,
        )
        .only_where(MINUTES),
        Scenario::new(
            "how_much_is_written_to_the_card",
            &[Need::Machine, Need::Sipp],
            writes,
        )
        .only_where(MINUTES),
    ]
}

fn first_call(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let admin = administrator(stage, &machine)?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    let phone = |host: u8, tone_hz: u32| -> Result<Phone> {
        let setup = Setup {
            account: Some(admin.add_extension(&host.to_string(), None)?),
            tone_hz,
            ..Setup::default()
        };
        Phone::start(stage, Peer::Pjsua, host, setup)
    };
    let (alice, bob) = (phone(21, 1000)?, phone(22, 440)?);
    machine.cut_power()?;
    let begun = Instant::now();
    let note = |what: &str| {
        let after = begun.elapsed().as_secs_f64();
        stage.note(&format!("{what} {after:.1} s after power on"))
    };
    machine.boot(&admin)?;
    note("the administration answered")?;
    register(&alice)?;
    note("a phone was registered")?;
    register(&bob)?;
    let out = alice.dial(&bob.number())?;
    let call = bob.incoming()?;
    bob.answer(&call)?;
    alice.established(&out)?;
    bob.established(&call)?;
    alice.hear(&out, bob.tone_hz(), Duration::from_secs(1))?;
    note("a call was heard for a second")?;
    alice.hangup(&out)?;
    bob.ended(&call).map(drop)
}

fn writes(stage: &Stage) -> Result<()> {
    let minutes = times(MINUTES, 1);
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let admin = administrator(stage, &machine)?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    let (caller, callee) = (
        admin.add_extension("51", None)?,
        admin.add_extension("52", None)?,
    );
    thread::sleep(SETTLED);
    count(stage, &admin, "nothing going on", minutes)?;
    for (host, account) in [(51, &caller), (52, &callee)] {
        Sipp::new("register", host)
            .to(address(EXCHANGE), "")
            .account(account)
            .expires_s(3600)
            .run(stage)?;
    }
    // The first ones come up to their number, the last ones end.
    let calls = minutes * 60_000 / EACH_MS + CALLS;
    let limit = Duration::from_secs(u64::from(minutes) * 60 + 900);
    let every = EACH_MS.to_string();
    let answering = Sipp::new("answer", 52).alive().times(calls, 1).limit(limit);
    let answering = answering.start(stage)?;
    let calling = Sipp::new("call_digest", 51)
        .silent()
        .alive()
        .to(address(EXCHANGE), "52")
        .account(&caller)
        .times(calls, 1)
        .argument("-rp", &every)
        .argument("-d", &CALL_MS.to_string())
        .limit(limit)
        .start(stage)?;
    thread::sleep(Duration::from_millis(CALL_MS.into()));
    let running = admin.calls()?.len();
    count(stage, &admin, &format!("{running} calls"), minutes)?;
    calling.finish()?;
    answering.finish()
}

/// Counts for some minutes what is written.
fn count(stage: &Stage, admin: &Admin, what: &str, minutes: u32) -> Result<()> {
    let written = || -> Result<u64> {
        admin.sign_in_again()?;
        let health = admin.done("GET", "/system/health", &Value::Null)?;
        health["disk_written_bytes"].as_u64().context("no number")
    };
    let before = written()?;
    thread::sleep(Duration::from_secs(60 * u64::from(minutes)));
    let bytes = written()? - before;
    let hour = bytes * 60 / u64::from(minutes);
    stage.note(&format!(
        "{what}: {bytes} bytes in {minutes} minutes, {hour} an hour"
    ))
}
