//! A calls B and B calls A: over every transport, between every pair of programs, with each codec.

use anyhow::{Context, Result, ensure};
use interop::{MediaState, Peer, Scenario, Setup, Srtp, Stage, Transport};

use crate::support::{Office, connect, end, hear_both, needs};

pub(crate) fn scenarios() -> Vec<Scenario> {
    use Peer::{Baresip, Pjsua};
    let mut table = Vec::new();
    for (one, two) in [(Pjsua, Pjsua), (Pjsua, Baresip), (Baresip, Baresip)] {
        for (name, transport) in [
            ("udp", Transport::Udp),
            ("tcp", Transport::Tcp),
            ("tls", Transport::Tls),
        ] {
            let name = format!("{}_and_{}_call_each_other_by_{name}", word(one), word(two));
            let setup = Setup {
                transport,
                ..Setup::default()
            };
            table.push(Scenario::new(name, &needs(&[one, two]), move |stage| {
                both_ways(stage, &[(one, setup.clone()), (two, setup)])
            }));
        }
    }
    table.push(Scenario::new(
        "one_by_udp_and_one_by_tls_call_each_other",
        &needs(&[Pjsua, Baresip]),
        |stage| {
            let tls = Setup {
                transport: Transport::Tls,
                ..Setup::default()
            };
            both_ways(stage, &[(Pjsua, Setup::default()), (Baresip, tls)])
        },
    ));
    table.push(
        Scenario::new(
            "encrypted_sound_is_heard",
            &needs(&[Pjsua, Baresip]),
            |stage| {
                let setup = secure(Transport::Tls, Srtp::Required);
                let phones = [(Pjsua, setup.clone()), (Baresip, setup)];
                encryption(stage, &phones, [true, true])
            },
        )
        .ours_only(),
    );
    for (name, one, other, encrypted) in [
        (
            "who_offers_encryption_over_tls_has_it",
            secure(Transport::Tls, Srtp::Offered),
            secure(Transport::Tls, Srtp::Offered),
            [true, true],
        ),
        (
            "encrypted_sound_meets_sound_in_the_clear",
            secure(Transport::Tls, Srtp::Required),
            secure(Transport::Udp, Srtp::Off),
            [true, false],
        ),
        (
            "sound_in_the_clear_meets_encrypted_sound",
            secure(Transport::Udp, Srtp::Off),
            secure(Transport::Tls, Srtp::Required),
            [false, true],
        ),
    ] {
        let scenario = Scenario::new(name, &needs(&[Pjsua, Baresip]), move |stage| {
            encryption(
                stage,
                &[(Pjsua, one.clone()), (Baresip, other.clone())],
                encrypted,
            )
        });
        table.push(scenario.ours_only());
    }
    table.push(Scenario::new(
        "a_call_by_ipv6_is_heard",
        &needs(&[Baresip]),
        |stage| {
            let setup = Setup {
                ipv6: true,
                ..Setup::default()
            };
            both_ways(stage, &[(Baresip, setup.clone()), (Baresip, setup)])
        },
    ));
    for codec in ["PCMA", "PCMU", "G722"] {
        let name = format!("{}_is_chosen_and_heard", codec.to_lowercase());
        let scenario = Scenario::new(name, &needs(&[Pjsua]), move |stage| one_codec(stage, codec));
        table.push(scenario);
    }
    table.push(Scenario::new(
        "g722_and_pcmu_hear_each_other",
        &needs(&[Baresip, Pjsua]),
        |stage| {
            let only = |codec| Setup {
                codecs: vec![codec],
                ..Setup::default()
            };
            both_ways(stage, &[(Baresip, only("G722")), (Pjsua, only("PCMU"))])
        },
    ));
    // pjsua has no Opus, and is deaf to GSM; baresip has no iLBC.
    for (codec, peer) in [("GSM", Baresip), ("opus", Baresip), ("iLBC", Pjsua)] {
        let name = format!("{}_is_heard", codec.to_lowercase());
        let scenario = Scenario::new(name, &needs(&[peer]), move |stage| {
            let setup = Setup {
                codecs: vec![codec],
                ..Setup::default()
            };
            both_ways(stage, &[(peer, setup.clone()), (peer, setup)])
        });
        table.push(scenario);
    }
    table
}

fn word(peer: Peer) -> &'static str {
    match peer {
        Peer::Pjsua => "pjsua",
        Peer::Baresip => "baresip",
    }
}

fn both_ways(stage: &Stage, phones: &[(Peer, Setup); 2]) -> Result<()> {
    let office = Office::open(stage, phones)?;
    let [alice, bob] = office.phones()?;
    for (caller, callee) in [(alice, bob), (bob, alice)] {
        let (out, call) = connect(caller, callee)?;
        hear_both((caller, &out), (callee, &call))?;
        end((caller, &out), (callee, &call))?;
    }
    Ok(())
}

fn secure(transport: Transport, srtp: Srtp) -> Setup {
    Setup {
        transport,
        srtp,
        ..Setup::default()
    }
}

/// They hear each other, and the exchange says of each phone whether it is encrypted.
fn encryption(stage: &Stage, phones: &[(Peer, Setup); 2], encrypted: [bool; 2]) -> Result<()> {
    let office = Office::open(stage, phones)?;
    let [alice, bob] = office.phones()?;
    let admin = office.exchange.admin().context("ours has one")?;
    // A phone that insists takes no offer of RTP/AVP, whatever keys are in it.
    for (phone, (_, setup)) in [alice, bob].into_iter().zip(phones) {
        if matches!(setup.srtp, Srtp::Required) {
            admin.require_srtp(&phone.number())?;
        }
    }
    for (caller, callee, expected) in [
        (alice, bob, encrypted),
        (bob, alice, [encrypted[1], encrypted[0]]),
    ] {
        let (out, call) = connect(caller, callee)?;
        hear_both((caller, &out), (callee, &call))?;
        let calls = admin.calls()?;
        let legs = calls.first().and_then(|call| call["legs"].as_array());
        let told: Vec<Option<bool>> = (legs.into_iter().flatten())
            .map(|leg| leg["encrypted"].as_bool())
            .collect();
        ensure!(told == expected.map(Some), "encrypted are {told:?}");
        end((caller, &out), (callee, &call))?;
    }
    Ok(())
}

fn one_codec(stage: &Stage, codec: &'static str) -> Result<()> {
    // The caller can do all, the callee this one only.
    let caller = Setup {
        codecs: vec!["PCMA", "PCMU", "G722"],
        ..Setup::default()
    };
    let callee = Setup {
        codecs: vec![codec],
        ..Setup::default()
    };
    let office = Office::open(stage, &[(Peer::Pjsua, caller), (Peer::Pjsua, callee)])?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    let used = bob.media(&call, MediaState::Active)?;
    ensure!(used == codec, "{used} was chosen");
    hear_both((alice, &out), (bob, &call))?;
    let stats = bob.stats(&call)?;
    ensure!(
        stats.lost * 100 <= stats.received,
        "more than 1 % was lost: {stats:?}"
    );
    end((alice, &out), (bob, &call))
}
