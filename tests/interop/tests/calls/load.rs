//! Many at once: a building's phones after a power cut, and calls on top of each other. Bounded in number and time.

use std::time::Duration;

use anyhow::Result;
use interop::{EXCHANGE, Exchange, Need, Peer, Scenario, Sipp, Stage, address};

use crate::support::{Office, connect, hear_both};

const EXTENSIONS: u32 = 100;
const REGISTRATIONS: u32 = 2000;
const REGISTRATIONS_PER_SECOND: u32 = 200;

pub(crate) fn scenarios() -> Vec<Scenario> {
    vec![
        Scenario::new(
            "options_are_answered",
            &[Need::Sipp, Need::Exchange],
            options,
        ),
        Scenario::new(
            "a_call_from_sipp_is_answered",
            &[Need::Sipp, Need::Exchange],
            one_call,
        ),
        Scenario::new(
            "two_thousand_registrations_in_ten_seconds",
            &[Need::Sipp, Need::Exchange],
            storm,
        ),
        Scenario::new(
            "a_storm_is_not_heard_in_a_call",
            &[Need::Sipp, Need::Pjsua, Need::Exchange],
            storm_in_a_call,
        ),
        Scenario::new(
            "fifty_calls_at_once",
            &[Need::Sipp, Need::Exchange],
            many_calls,
        ),
    ]
}

fn options(stage: &Stage) -> Result<()> {
    let _exchange = Exchange::start(stage)?;
    Sipp::new("options", 51)
        .to(address(EXCHANGE), "")
        .times(10, 10)
        .run(stage)
}

fn one_call(stage: &Stage) -> Result<()> {
    calls(stage, 1, 1)
}

fn many_calls(stage: &Stage) -> Result<()> {
    calls(stage, 50, 10)
}

/// Calls of six seconds from one SIPp to another.
fn calls(stage: &Stage, count: u32, per_second: u32) -> Result<()> {
    let exchange = Exchange::start(stage)?;
    let (caller, callee) = (exchange.add_extension("51")?, exchange.add_extension("52")?);
    for (host, account) in [(51, &caller), (52, &callee)] {
        Sipp::new("register", host)
            .to(address(EXCHANGE), "")
            .account(account)
            .run(stage)?;
    }
    let limit = Duration::from_secs(60);
    let answering = Sipp::new("answer", 52)
        .echo()
        .times(count, per_second)
        .limit(limit)
        .start(stage)?;
    let calling = Sipp::new("call_digest", 51)
        .to(address(EXCHANGE), "52")
        .account(&caller);
    calling
        .times(count, per_second)
        .argument("-d", "6000")
        .limit(limit)
        .run(stage)?;
    answering.finish()
}

fn storm(stage: &Stage) -> Result<()> {
    let exchange = Exchange::start(stage)?;
    storm_of(&exchange)?.run(stage)
}

fn storm_in_a_call(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Pjsua])?;
    let [alice, bob] = office.phones()?;
    let storm = storm_of(&office.exchange)?.start(stage)?;
    let (out, call) = connect(alice, bob)?;
    hear_both((alice, &out), (bob, &call))?;
    storm.finish()?;
    hear_both((alice, &out), (bob, &call))
}

fn storm_of(exchange: &Exchange) -> Result<Sipp> {
    let mut lines = Vec::new();
    for number in 1000..1000 + EXTENSIONS {
        let account = exchange.add_extension(&number.to_string())?;
        lines.push(format!(
            "{number};[authentication username={} password={}]",
            account.user, account.password
        ));
    }
    let storm = Sipp::new("register_storm", 51)
        .to(address(EXCHANGE), "")
        .lines(lines);
    Ok(storm
        .times(REGISTRATIONS, REGISTRATIONS_PER_SECOND)
        .limit(Duration::from_secs(15)))
}
