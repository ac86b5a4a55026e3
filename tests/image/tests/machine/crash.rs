//! The exchange is killed inside the machine.

use std::{fs, net::SocketAddr, time::Duration};

use anyhow::{Result, ensure};
use interop::{
    BOOTS_WITHIN, EXCHANGE, Machine, Need, Peer, Phone, Scenario, Setup, Stage, administrator,
};
use serde_json::Value;

use crate::{register, until, variant};

/// A connection to it kills the exchange: see `src/mortal.rs`.
const MORTAL: u16 = 4999;
/// How long a tone must be heard.
const HEARD: Duration = Duration::from_secs(2);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario::new(
        "a_killed_exchange_is_started_again_and_calls_work",
        &[Need::Machine, Need::Pjsua],
        killed,
    )]
}

fn killed(stage: &Stage) -> Result<()> {
    let mut machine = Machine::installed(stage, EXCHANGE)?;
    let system = variant::system(stage, "0.1.0", |root| {
        let place = |name: &str| root.join("usr/bin").join(name);
        fs::rename(place("pbxd"), place("pbxd.real"))?;
        fs::copy(env!("CARGO_BIN_EXE_mortal"), place("pbxd"))?;
        Ok(())
    })?;
    variant::install(&machine, &system)?;
    let admin = administrator(stage, &machine)?;
    machine.boot(&admin)?;
    admin.first_visit()?;
    let phone = |host: u8, tone_hz: u32| -> Result<Phone> {
        let setup = Setup {
            account: Some(admin.add_extension(&host.to_string(), None)?),
            tone_hz,
            ..Setup::default()
        };
        let phone = Phone::start(stage, Peer::Pjsua, host, setup)?;
        register(&phone)?;
        Ok(phone)
    };
    let alice = phone(21, 1000)?;
    let bob = phone(22, 440)?;
    let out = alice.dial(&bob.number())?;
    let call = bob.incoming()?;
    bob.answer(&call)?;
    alice.established(&out)?;
    bob.established(&call)?;
    alice.hear(&out, bob.tone_hz(), HEARD)?;

    let desk = stage.net.host(250)?;
    let mortal = SocketAddr::new(machine.host().address(), MORTAL);
    desk.connect(mortal, BOOTS_WITHIN)?;
    // Nobody hangs up: the next process ends the call that it finds in the journal.
    until("the Warning log tells of it", || {
        let rows = admin.done("GET", "/logs/warning", &Value::Null)?;
        Ok(rows.to_string().contains("pbxd"))
    })?;
    let health = admin.done("GET", "/system/health", &Value::Null)?;
    ensure!(health["restarts"] == 1, "{health}");
    until("the call is in the history", || {
        let history = admin.history()?;
        Ok(history
            .first()
            .is_some_and(|call| call["disposition"] == "interrupted"))
    })?;
    alice.ended(&out)?;
    bob.ended(&call)?;
    // It knows both phones still, and joins them again.
    let out = alice.dial(&bob.number())?;
    let call = bob.incoming()?;
    bob.answer(&call)?;
    alice.established(&out)?;
    bob.established(&call)?;
    alice.hear(&out, bob.tone_hz(), HEARD)?;
    bob.hear(&call, alice.tone_hz(), HEARD)?;
    alice.hangup(&out)?;
    bob.ended(&call).map(drop)
}
