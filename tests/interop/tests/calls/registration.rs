//! Who may register, what becomes of it, and several phones on one extension.

use std::time::Duration;

use anyhow::{Result, ensure};
use interop::{Exchange, Kind, Peer, Phone, Scenario, Setup, Stage, Transport};

use crate::support::{Office, Play, connect, end, hear_both, needs, refused};

/// A short registration: the phone renews it within the test.
const SHORT: u32 = 10;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let table: &[(&str, &[Peer], Play)] = &[
        (
            "a_wrong_password_is_refused",
            &[Peer::Pjsua, Peer::Baresip],
            wrong_password,
        ),
        (
            "an_unknown_extension_is_refused",
            &[Peer::Pjsua],
            unknown_extension,
        ),
        (
            "a_phone_that_left_is_not_rung",
            &[Peer::Pjsua],
            unregistered,
        ),
        (
            "all_phones_of_an_extension_ring_at_once",
            &[Peer::Pjsua, Peer::Baresip],
            several_phones,
        ),
        (
            "phones_come_back_after_a_crash_by_udp",
            &[Peer::Pjsua, Peer::Baresip],
            |stage| crash(stage, Peer::Baresip, Transport::Udp),
        ),
        (
            "phones_come_back_after_a_crash_by_tcp",
            &[Peer::Pjsua],
            |stage| crash(stage, Peer::Pjsua, Transport::Tcp),
        ),
    ];
    let stops: &[(&str, Play)] = &[
        ("phones_are_told_of_a_stop_by_udp", |stage| {
            stop(stage, Transport::Udp)
        }),
        ("phones_are_told_of_a_stop_by_tcp", |stage| {
            stop(stage, Transport::Tcp)
        }),
        ("phones_are_told_of_a_stop_by_tls", |stage| {
            stop(stage, Transport::Tls)
        }),
    ];
    let both = needs(&[Peer::Pjsua, Peer::Baresip]);
    let stops = (stops.iter()).map(|(name, play)| Scenario::new(*name, &both, *play).ours_only());
    table
        .iter()
        .map(|(name, peers, play)| Scenario::new(*name, &needs(peers), *play))
        .chain(stops)
        .collect()
}

fn wrong_password(stage: &Stage) -> Result<()> {
    let exchange = Exchange::start(stage)?;
    for (host, peer) in [(21, Peer::Pjsua), (22, Peer::Baresip)] {
        let mut account = exchange.add_extension(&host.to_string())?;
        let good = account.clone();
        account.password.push('x');
        let phone = Phone::start(
            stage,
            peer,
            host,
            Setup {
                account: Some(account),
                ..Setup::default()
            },
        )?;
        let code = phone.try_register()?;
        ensure!(
            matches!(code, 401 | 403),
            "{} with a wrong password got {code}",
            phone.name()
        );
        drop(phone);
        // One failure bans nobody.
        let phone = Phone::start(
            stage,
            peer,
            host,
            Setup {
                account: Some(good),
                ..Setup::default()
            },
        )?;
        phone.register()?;
    }
    Ok(())
}

fn unknown_extension(stage: &Stage) -> Result<()> {
    let exchange = Exchange::start(stage)?;
    let mut account = exchange.add_extension("21")?;
    account.number = "29".into();
    account.user = "29".into();
    let phone = Phone::start(
        stage,
        Peer::Pjsua,
        21,
        Setup {
            account: Some(account),
            ..Setup::default()
        },
    )?;
    // The same answers as to a wrong password: nobody learns which extensions there are.
    let code = phone.try_register()?;
    ensure!(matches!(code, 401 | 403), "an unknown extension got {code}");
    Ok(())
}

fn unregistered(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua, Peer::Pjsua])?;
    let [alice, bob] = office.phones()?;
    bob.unregister()?;
    refused(alice, &bob.number(), &[480])?;
    bob.assert_not_rung(Duration::from_millis(500))?;
    bob.register()?;
    connect(alice, bob).map(drop)
}

fn several_phones(stage: &Stage) -> Result<()> {
    let office = Office::of(stage, &[Peer::Pjsua])?;
    let [alice] = office.phones()?;
    let account = office.exchange.add_extension("30")?;
    let mut desks = Vec::new();
    for (host, peer, tone_hz) in [
        (31, Peer::Pjsua, 440),
        (32, Peer::Baresip, 700),
        (33, Peer::Pjsua, 1400),
    ] {
        let phone = Phone::start(
            stage,
            peer,
            host,
            Setup {
                account: Some(account.clone()),
                tone_hz,
                ..Setup::default()
            },
        )?;
        phone.register()?;
        desks.push(phone);
    }
    let out = alice.dial("30")?;
    let ringing = desks
        .iter()
        .map(Phone::incoming)
        .collect::<Result<Vec<_>>>()?;
    alice.ringing(&out)?;
    let (desk, call) = (&desks[1], &ringing[1]);
    desk.answer(call)?;
    alice.established(&out)?;
    desk.established(call)?;
    // The others stop.
    for other in [0, 2] {
        desks[other].ended(&ringing[other])?;
    }
    hear_both((alice, &out), (desk, call))
}

fn crash(stage: &Stage, other: Peer, transport: Transport) -> Result<()> {
    let setup = Setup {
        transport,
        expires: SHORT,
        ..Setup::default()
    };
    let mut office = Office::open(stage, &[(Peer::Pjsua, setup.clone()), (other, setup)])?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    hear_both((alice, &out), (bob, &call))?;
    office.exchange.crash()?;
    let [alice, bob] = office.phones()?;
    if office.exchange.kind() == Kind::Ours {
        // Nobody sits in a dead call: what restarts ends it.
        alice.ended(&out)?;
        bob.ended(&call)?;
    } else {
        end((alice, &out), (bob, &call))?;
    }
    // Ours remembers who is registered; a phone whose connection is gone comes back by itself, and
    // so it does to an exchange that forgets.
    if transport != Transport::Udp || office.exchange.kind() != Kind::Ours {
        for phone in &office.phones {
            while phone.wait_registration()? != 200 {}
        }
    }
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    hear_both((alice, &out), (bob, &call))
}

fn stop(stage: &Stage, transport: Transport) -> Result<()> {
    let setup = Setup {
        transport,
        ..Setup::default()
    };
    let peers = [Peer::Pjsua, Peer::Baresip].map(|peer| (peer, setup.clone()));
    let mut office = Office::open(stage, &peers)?;
    let [alice, bob] = office.phones()?;
    let (out, call) = connect(alice, bob)?;
    hear_both((alice, &out), (bob, &call))?;
    office.exchange.stop()?;
    let [alice, bob] = office.phones()?;
    let code = alice.ended(&out)?;
    ensure!(code == 200, "the call ended with {code}");
    bob.ended(&call).map(drop)
}
