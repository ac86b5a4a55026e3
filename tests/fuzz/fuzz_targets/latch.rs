//! The latch: whatever comes from wherever, a source that is fixed is never left for another IP, and
//! nobody is heard whom the policy gives no reason to believe.

#![no_main]

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use model::Instant;
use rtp::latch::{DropReason, Latch, LatchConfig, LatchPolicy, Verdict, WINDOW};
use rtp::packet::Ssrc;

#[derive(Arbitrary, Debug)]
struct Agreed {
    policy: u8,
    signalled: Option<Place>,
    signalling: Option<u8>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Place {
    ip: u8,
    port: u8,
}

#[derive(Arbitrary, Debug)]
enum Act {
    Packet {
        from: Place,
        invalid: bool,
        ssrc: u8,
        after_ms: u8,
        times: u8,
    },
    Pass {
        ms: u16,
    },
    Kept {
        from: Place,
        ssrc: u8,
    },
    Rearm(Agreed),
}

/// Private, public, IPv4 in IPv6 and IPv6 addresses.
fn ip(number: u8) -> IpAddr {
    match number % 8 {
        0 => [10, 0, 0, 5].into(),
        1 => [192, 0, 2, 7].into(),
        2 => [192, 0, 2, 8].into(),
        3 => [0, 0, 0, 0, 0, 0xFFFF, 0xC000, 0x0207].into(),
        4 => [0x2001, 0xDB8, 0, 0, 0, 0, 0, 1].into(),
        5 => [127, 0, 0, 1].into(),
        6 => [100, 64, 0, 1].into(),
        _ => [0; 4].into(),
    }
}

fn address(place: Place) -> SocketAddr {
    SocketAddr::new(ip(place.ip), 4000 + u16::from(place.port % 4))
}

fn config(agreed: &Agreed) -> LatchConfig {
    LatchConfig {
        policy: match agreed.policy % 3 {
            0 => LatchPolicy::Strict,
            1 => LatchPolicy::Symmetric,
            _ => LatchPolicy::Open,
        },
        signalled: agreed.signalled.map(address),
        signalling_ip: agreed.signalling.map(ip),
    }
}

/// Whether the policy gives a reason to believe this IP at all.
fn may_speak(config: &LatchConfig, from: SocketAddr) -> bool {
    let known = |ip: IpAddr| ip.to_canonical() == from.ip().to_canonical();
    let signalled = config.signalled.is_some_and(|media| known(media.ip()));
    match config.policy {
        LatchPolicy::Strict => {
            signalled && config.signalled.map(|media| media.port()) == Some(from.port())
        }
        LatchPolicy::Symmetric => signalled || config.signalling_ip.is_some_and(known),
        LatchPolicy::Open => true,
    }
}

fuzz_target!(|input: (Agreed, Vec<Act>)| {
    let (agreed, acts) = input;
    let mut config_now = config(&agreed);
    let mut latch = Latch::new(config_now);
    let mut now = Instant::from_millis(1000);
    // When the first source of this agreement was latched, and the source that is heard.
    let mut since: Option<Instant> = None;
    for act in acts {
        match act {
            Act::Kept { from, ssrc } => {
                let before = latch.latched();
                latch.keep(now, address(from));
                latch.keep_stream(now, Ssrc(u32::from(ssrc % 3)));
                assert_eq!(before, latch.latched());
            }
            Act::Pass { ms } => now += Duration::from_millis(u64::from(ms)),
            Act::Rearm(agreed) => {
                let before = latch.latched();
                let fresh = config(&agreed);
                latch.rearm(fresh);
                if fresh == config_now {
                    assert_eq!(latch.latched(), before, "a refresh opens nothing");
                } else {
                    since = None;
                }
                config_now = fresh;
            }
            Act::Packet {
                from,
                invalid,
                ssrc,
                after_ms,
                times,
            } => {
                let from = address(from);
                let stream = (!invalid).then_some(Ssrc(u32::from(ssrc % 3)));
                for _ in 0..=times % 12 {
                    now += Duration::from_millis(u64::from(after_ms));
                    let (before, dropped) = (latch.latched(), latch.dropped());
                    let verdict = latch.receive(now, from, stream);
                    assert_eq!(verdict.is_accepted(), latch.dropped() == dropped);
                    let heard = latch.latched();
                    match verdict {
                        Verdict::Accept => assert_eq!(before, heard),
                        Verdict::Latched(source) => assert_eq!(heard, Some(source)),
                        Verdict::Drop(_) => assert_eq!(before, heard, "a drop moves nothing"),
                    }
                    if !verdict.is_accepted() {
                        assert!(!invalid || verdict == Verdict::Drop(DropReason::Invalid));
                        continue;
                    }
                    assert!(!invalid && may_speak(&config_now, from));
                    let heard = heard.expect("accepted, so latched");
                    assert_eq!(heard.port(), from.port());
                    assert_eq!(heard.ip(), from.ip().to_canonical());
                    assert_eq!(latch.destination(), Some(heard));
                    assert!(latch.permits_rtcp(from));
                    let first = *since.get_or_insert(now);
                    if let Some(before) = before
                        && now.since(first) >= WINDOW
                    {
                        assert_eq!(before.ip(), heard.ip(), "a third IP");
                    }
                }
            }
        }
    }
});
