//! The harness proves itself, without the exchange: phones call each other at their own addresses.
//!
//! Also run when nothing of the exchange is built: what fails here is no fault of the exchange.

use std::{fs, process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use interop::{
    By, Call, EXCHANGE, MediaState, Need, Peer, Phone, Scenario, Setup, Sipp, Srtp, Stage,
    Transport, address,
};

const LISTEN: Duration = Duration::from_millis(2500);
const HEARD: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    use Need::{Baresip, Pjsua, Sipp};
    interop::main(vec![
        Scenario::new("a_stage_has_no_way_out", &[], no_way_out),
        Scenario::new("pjsua_calls_pjsua", &[Pjsua], |stage| {
            talk(stage, Peer::Pjsua, Peer::Pjsua, &plain())
        }),
        Scenario::new("pjsua_calls_baresip", &[Pjsua, Baresip], |stage| {
            talk(stage, Peer::Pjsua, Peer::Baresip, &plain())
        }),
        Scenario::new("baresip_calls_pjsua", &[Pjsua, Baresip], |stage| {
            talk(stage, Peer::Baresip, Peer::Pjsua, &plain())
        }),
        Scenario::new("baresip_calls_baresip", &[Baresip], |stage| {
            talk(stage, Peer::Baresip, Peer::Baresip, &plain())
        }),
        Scenario::new("pjsua_calls_pjsua_by_tcp", &[Pjsua], |stage| {
            talk(stage, Peer::Pjsua, Peer::Pjsua, &by(Transport::Tcp))
        }),
        Scenario::new("pjsua_calls_pjsua_by_tls_and_srtp", &[Pjsua], |stage| {
            talk(
                stage,
                Peer::Pjsua,
                Peer::Pjsua,
                &Setup {
                    srtp: Srtp::Required,
                    ..by(Transport::Tls)
                },
            )
        }),
        Scenario::new("baresip_calls_baresip_by_ipv6", &[Baresip], |stage| {
            talk(
                stage,
                Peer::Baresip,
                Peer::Baresip,
                &Setup {
                    ipv6: true,
                    ..plain()
                },
            )
        }),
        Scenario::new(
            "baresip_calls_pjsua_by_tls_and_srtp",
            &[Baresip, Pjsua],
            |stage| {
                talk(
                    stage,
                    Peer::Baresip,
                    Peer::Pjsua,
                    &Setup {
                        srtp: Srtp::Required,
                        ..by(Transport::Tls)
                    },
                )
            },
        ),
        Scenario::new(
            "pjsua_calls_baresip_with_g722",
            &[Pjsua, Baresip],
            |stage| {
                talk(
                    stage,
                    Peer::Pjsua,
                    Peer::Baresip,
                    &Setup {
                        codecs: vec!["G722", "PCMA"],
                        ..plain()
                    },
                )
            },
        ),
        Scenario::new("baresip_calls_baresip_with_gsm", &[Baresip], |stage| {
            talk(
                stage,
                Peer::Baresip,
                Peer::Baresip,
                &Setup {
                    codecs: vec!["GSM"],
                    ..plain()
                },
            )
        }),
        Scenario::new("baresip_calls_baresip_with_opus", &[Baresip], |stage| {
            talk(
                stage,
                Peer::Baresip,
                Peer::Baresip,
                &Setup {
                    codecs: vec!["opus"],
                    ..plain()
                },
            )
        }),
        Scenario::new("hold_is_silence_until_resumed", &[Pjsua], hold_and_resume),
        Scenario::new("digits_arrive_as_they_were_sent", &[Pjsua, Baresip], digits),
        Scenario::new("a_refused_call_tells_why", &[Pjsua, Baresip], refused),
        Scenario::new(
            "a_cancelled_call_stops_ringing",
            &[Pjsua, Baresip],
            cancelled,
        ),
        Scenario::new(
            "an_attended_transfer_joins_the_far_ends",
            &[Pjsua],
            attended_transfer,
        ),
        Scenario::new("sipp_calls_sipp", &[Sipp], sipp_calls_sipp),
        Scenario::new("sipp_plays_a_tone_to_pjsua", &[Sipp, Pjsua], sipp_plays),
        Scenario::new(
            "sipp_sends_back_what_pjsua_plays",
            &[Sipp, Pjsua],
            sipp_echoes,
        ),
        Scenario::new("a_scenario_that_goes_wrong_fails", &[Sipp], sipp_fails),
    ])
}

fn plain() -> Setup {
    Setup::default()
}

fn by(transport: Transport) -> Setup {
    Setup {
        transport,
        ..plain()
    }
}

fn no_way_out(stage: &Stage) -> Result<()> {
    stage.net.host(22)?;
    let routes = |path: &'static str| {
        stage
            .net
            .host(21)?
            .inside(move || Ok(fs::read_to_string(path)?))
    };
    let lines: Vec<String> = routes("/proc/thread-self/net/route")?
        .lines()
        .skip(1)
        .map(str::to_owned)
        .collect();
    // 10.77.0.0 in the kernel's byte order, and nothing else.
    ensure!(
        lines.len() == 1 && lines[0].starts_with("eth0\t00004D0A\t"),
        "routes: {lines:?}"
    );
    let defaults = routes("/proc/thread-self/net/ipv6_route")?;
    // A default route has an empty prefix and a device other than lo (there is always one to reject).
    let way_out = defaults
        .lines()
        .find(|line| line.starts_with(&format!("{} 00 ", "0".repeat(32))) && !line.ends_with("lo"));
    ensure!(way_out.is_none(), "an IPv6 default route: {way_out:?}");
    Ok(())
}

/// One call, with the tone of each heard at the other.
fn talk(stage: &Stage, caller: Peer, callee: Peer, setup: &Setup) -> Result<()> {
    let alice = Phone::start(
        stage,
        caller,
        21,
        Setup {
            tone_hz: 1000,
            ..setup.clone()
        },
    )?;
    let bob = Phone::start(
        stage,
        callee,
        22,
        Setup {
            tone_hz: 440,
            ..setup.clone()
        },
    )?;
    let (out, call) = connect(&alice, &bob)?;
    hear(&alice, &out, &bob)?;
    hear(&bob, &call, &alice)?;
    alice.hangup(&out)?;
    bob.ended(&call)?;
    Ok(())
}

fn hold_and_resume(stage: &Stage) -> Result<()> {
    let (alice, bob) = pair(stage, Peer::Pjsua, Peer::Pjsua)?;
    let (out, call) = connect(&alice, &bob)?;
    alice.hold(&out)?;
    bob.media(&call, MediaState::HeldThere)?;
    let held = bob.listen(&call, LISTEN)?;
    held.assert_no_tone(alice.tone_hz(), Duration::from_millis(300))?;
    alice.resume(&out)?;
    bob.media(&call, MediaState::Active)?;
    hear(&bob, &call, &alice)?;
    hear(&alice, &out, &bob)
}

fn digits(stage: &Stage) -> Result<()> {
    let (alice, bob) = pair(stage, Peer::Pjsua, Peer::Baresip)?;
    let (out, call) = connect(&alice, &bob)?;
    alice.digits(&out, "15#", By::Rfc4733)?;
    bob.hear_digits(&call, "15#")?;
    bob.digits(&call, "207*", By::Rfc4733)?;
    let ways = alice.hear_digits(&out, "207*")?;
    ensure!(
        ways.iter().all(|way| *way == Some(By::Rfc4733)),
        "came as {ways:?}"
    );
    alice.hangup(&out)?;

    let carol = Phone::start(stage, Peer::Pjsua, 23, plain())?;
    let (out, call) = connect(&carol, &alice)?;
    carol.digits(&out, "19", By::Info)?;
    let ways = alice.hear_digits(&call, "19")?;
    ensure!(
        ways.iter().all(|way| *way == Some(By::Info)),
        "came as {ways:?}"
    );
    Ok(())
}

fn refused(stage: &Stage) -> Result<()> {
    let (alice, bob) = pair(stage, Peer::Pjsua, Peer::Baresip)?;
    for (caller, callee) in [(&alice, &bob), (&bob, &alice)] {
        let out = caller.dial(&callee.number())?;
        let call = callee.incoming()?;
        callee.refuse(&call, 486)?;
        let code = caller.ended(&out)?;
        ensure!(code == 486, "{} was told {code}", caller.name());
    }
    Ok(())
}

fn cancelled(stage: &Stage) -> Result<()> {
    let (alice, bob) = pair(stage, Peer::Pjsua, Peer::Baresip)?;
    for (caller, callee) in [(&alice, &bob), (&bob, &alice)] {
        let out = caller.dial(&callee.number())?;
        let call = callee.incoming()?;
        caller.ringing(&out)?;
        caller.hangup(&out)?;
        callee.ended(&call)?;
    }
    Ok(())
}

fn attended_transfer(stage: &Stage) -> Result<()> {
    let (alice, bob) = pair(stage, Peer::Pjsua, Peer::Pjsua)?;
    let carol = Phone::start(
        stage,
        Peer::Pjsua,
        23,
        Setup {
            tone_hz: 700,
            ..plain()
        },
    )?;
    let (to_bob, _) = connect(&alice, &bob)?;
    alice.hold(&to_bob)?;
    let (to_carol, at_carol) = connect(&alice, &carol)?;
    alice.transfer_attended(&to_bob, &to_carol)?;
    let code = alice.transferred(&to_bob)?;
    ensure!(code == 200, "the transfer ended with {code}");
    let at_carol = carol.replaced(&at_carol)?;
    let at_bob = bob.next_established()?;
    hear(&bob, &at_bob, &carol)?;
    hear(&carol, &at_carol, &bob)
}

fn sipp_calls_sipp(stage: &Stage) -> Result<()> {
    let answering = Sipp::new("answer", 22).times(20, 10).start(stage)?;
    Sipp::new("call", 21)
        .to(address(22), "100")
        .times(20, 10)
        .argument("-d", "1000")
        .run(stage)?;
    answering.finish()
}

fn sipp_plays(stage: &Stage) -> Result<()> {
    let bob = Phone::start(stage, Peer::Pjsua, 22, plain())?;
    let calling = Sipp::new("call", 21)
        .to(address(22), "phone")
        .argument("-d", "4000")
        .start(stage)?;
    let call = bob.incoming()?;
    bob.answer(&call)?;
    bob.established(&call)?;
    bob.hear(&call, 1000, HEARD)?;
    let stats = bob.stats(&call)?;
    ensure!(
        stats.codec == "PCMA" && stats.lost == 0 && stats.received > 100,
        "{stats:?}"
    );
    calling.finish()
}

fn sipp_echoes(stage: &Stage) -> Result<()> {
    let answering = Sipp::new("answer", 22).echo().start(stage)?;
    let alice = Phone::start(
        stage,
        Peer::Pjsua,
        21,
        Setup {
            tone_hz: 620,
            ..plain()
        },
    )?;
    let out = alice.dial(&format!("sip:echo@{}", address(22)))?;
    alice.established(&out)?;
    alice.hear(&out, 620, HEARD)?;
    alice.hangup(&out)?;
    answering.finish()
}

fn sipp_fails(stage: &Stage) -> Result<()> {
    let busy = Sipp::new("busy", 22).start(stage)?;
    let calling = Sipp::new("call", 21).to(address(22), "100").run(stage);
    ensure!(calling.is_err(), "a call to a busy phone went well");
    busy.finish()?;
    let nobody = Sipp::new("options", 21)
        .to(address(EXCHANGE), "x")
        .limit(Duration::from_secs(2));
    ensure!(nobody.run(stage).is_err(), "nobody answered");
    Ok(())
}

fn pair(stage: &Stage, caller: Peer, callee: Peer) -> Result<(Phone, Phone)> {
    let alice = Phone::start(
        stage,
        caller,
        21,
        Setup {
            tone_hz: 1000,
            ..plain()
        },
    )?;
    let bob = Phone::start(
        stage,
        callee,
        22,
        Setup {
            tone_hz: 440,
            ..plain()
        },
    )?;
    Ok((alice, bob))
}

/// The call at the caller and at the callee.
fn connect(alice: &Phone, bob: &Phone) -> Result<(Call, Call)> {
    let out = alice.dial(&bob.number())?;
    let call = bob.incoming()?;
    alice.ringing(&out)?;
    bob.answer(&call)?;
    alice.established(&out)?;
    bob.established(&call)?;
    Ok((out, call))
}

fn hear(phone: &Phone, call: &Call, other: &Phone) -> Result<()> {
    phone.hear(call, other.tone_hz(), HEARD)
}
