//! Phones behind NAT, and those who would have their calls.

use super::*;
use proptest::prelude::*;

const PHONE: &str = "203.0.113.10:40000";
const PHONE_OTHER_PORT: &str = "203.0.113.10:40002";
const NAT: &str = "198.51.100.7:61000";
const NAT_OTHER_PORT: &str = "198.51.100.7:61001";
const PRIVATE: &str = "192.168.1.20:5004";
const THIEF: &str = "192.0.2.66:9999";
/// The phone's stream, and one of another phone.
const VOICE: Option<Ssrc> = Some(Ssrc(1));
const OTHER: Option<Ssrc> = Some(Ssrc(2));

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// Told `signalled` in SDP, signalling from `signalling`.
fn latch(policy: LatchPolicy, signalled: &str, signalling: &str) -> Latch {
    Latch::new(LatchConfig {
        policy,
        signalled: Some(at(signalled)),
        signalling_ip: Some(at(signalling).ip()),
    })
}

/// A phone behind NAT tells its private address and signals from the public one.
fn natted(policy: LatchPolicy) -> Latch {
    latch(policy, PRIVATE, NAT)
}

fn latched(source: &str) -> Verdict {
    Verdict::Latched(at(source))
}

#[test]
fn strict_hears_the_signalled_address_only() {
    let mut latch = latch(LatchPolicy::Strict, PHONE, PHONE);
    assert_eq!(latch.destination(), Some(at(PHONE)));
    assert_eq!(
        latch.receive(ms(0), at(PHONE_OTHER_PORT), VOICE),
        Verdict::Drop(DropReason::Stranger)
    );
    assert_eq!(latch.receive(ms(0), at(PHONE), VOICE), latched(PHONE));
    assert_eq!(latch.receive(ms(20), at(PHONE), VOICE), Verdict::Accept);
    assert_eq!(
        latch.receive(ms(9000), at(PHONE_OTHER_PORT), VOICE),
        Verdict::Drop(DropReason::Stranger)
    );
    assert_eq!(
        latch.receive(ms(9000), at(THIEF), VOICE),
        Verdict::Drop(DropReason::Stranger)
    );
    assert_eq!((latch.destination(), latch.dropped()), (Some(at(PHONE)), 3));
}

#[test]
fn a_phone_behind_nat_is_found_where_its_signalling_comes_from() {
    let mut latch = natted(LatchPolicy::Symmetric);
    assert_eq!(latch.destination(), Some(at(PRIVATE)));
    assert_eq!(latch.receive(ms(0), at(NAT), VOICE), latched(NAT));
    assert_eq!(latch.destination(), Some(at(NAT)));
    assert!(latch.permits_rtcp(at(NAT_OTHER_PORT)));
    assert!(!latch.permits_rtcp(at(THIEF)));
}

#[test]
fn bleed_a_stranger_who_sprays_the_port_first_hears_nothing() {
    let mut latch = natted(LatchPolicy::Symmetric);
    for n in 0..500 {
        assert_eq!(
            latch.receive(ms(n), at(THIEF), VOICE),
            Verdict::Drop(DropReason::Stranger)
        );
    }
    assert_eq!(latch.destination(), Some(at(PRIVATE)));
    assert_eq!(latch.receive(ms(500), at(NAT), VOICE), latched(NAT));
}

#[test]
fn bleed_once_latched_no_third_ip_gets_in_however_long_the_silence() {
    for policy in [LatchPolicy::Symmetric, LatchPolicy::Open] {
        let mut latch = natted(policy);
        latch.receive(ms(0), at(NAT), VOICE);
        for n in 1..2000 {
            assert_eq!(
                latch.receive(ms(n * 20), at(THIEF), VOICE),
                Verdict::Drop(DropReason::Stranger)
            );
        }
        assert_eq!(latch.destination(), Some(at(NAT)));
        assert_eq!(latch.receive(ms(50_000), at(NAT), VOICE), Verdict::Accept);
    }
}

#[test]
fn nat_bound_anew_is_followed_after_silence_on_the_same_ip() {
    let mut latch = natted(LatchPolicy::Symmetric);
    latch.receive(ms(0), at(NAT), VOICE);
    latch.receive(ms(2000), at(NAT), VOICE);
    assert_eq!(
        latch.receive(ms(2100), at(NAT_OTHER_PORT), VOICE),
        Verdict::Drop(DropReason::Latched)
    );
    assert_eq!(
        latch.receive(ms(2499), at(NAT_OTHER_PORT), VOICE),
        Verdict::Drop(DropReason::Latched)
    );
    assert_eq!(
        latch.receive(ms(2500), at(NAT_OTHER_PORT), VOICE),
        latched(NAT_OTHER_PORT)
    );
    assert_eq!(
        latch.receive(ms(2520), at(NAT), VOICE),
        Verdict::Drop(DropReason::Latched)
    );
    assert_eq!(latch.destination(), Some(at(NAT_OTHER_PORT)));
}

#[test]
fn a_neighbour_behind_the_same_nat_does_not_take_a_silent_phone_over() {
    let mut latch = natted(LatchPolicy::Symmetric);
    let stray = |latch: &mut Latch, now| latch.receive(ms(now), at(NAT_OTHER_PORT), OTHER);
    let dropped = Verdict::Drop(DropReason::Latched);
    latch.receive(ms(0), at(NAT), VOICE);
    latch.receive(ms(2000), at(NAT), VOICE);
    assert_eq!(stray(&mut latch, 11_000), dropped);
    // The phone is muted, and reports.
    latch.keep_stream(ms(11_500), Ssrc(1));
    latch.keep_stream(ms(16_000), Ssrc(2));
    assert_eq!(stray(&mut latch, 21_000), dropped);
    // Or it sends comfort noise.
    assert!(latch.keep(ms(21_000), at(NAT)));
    assert!(!latch.keep(ms(22_000), at(NAT_OTHER_PORT)));
    assert_eq!(stray(&mut latch, 30_999), dropped);
    assert_eq!(latch.destination(), Some(at(NAT)));
    // Nothing at all came of it: perhaps it is the phone itself, started anew.
    assert_eq!(stray(&mut latch, 31_000), latched(NAT_OTHER_PORT));
}

#[test]
fn the_signalled_address_is_kept_through_any_silence() {
    let mut latch = latch(LatchPolicy::Symmetric, PHONE, PHONE);
    latch.receive(ms(0), at(PHONE), VOICE);
    assert_eq!(
        latch.receive(ms(3_600_000), at(PHONE_OTHER_PORT), OTHER),
        Verdict::Drop(DropReason::Latched)
    );
    // Its own stream from another port: NAT bound anew.
    assert_eq!(
        latch.receive(ms(3_600_000), at(PHONE_OTHER_PORT), VOICE),
        latched(PHONE_OTHER_PORT)
    );
}

#[test]
fn the_signalled_address_gets_its_place_back_at_once() {
    let mut latch = latch(LatchPolicy::Symmetric, PHONE, PHONE);
    latch.receive(ms(0), at(PHONE_OTHER_PORT), OTHER);
    for n in 1..200 {
        latch.receive(ms(n * 20), at(PHONE_OTHER_PORT), OTHER);
    }
    assert_eq!(latch.receive(ms(4000), at(PHONE), VOICE), latched(PHONE));
    assert!(!(latch.receive(ms(4010), at(PHONE_OTHER_PORT), OTHER)).is_accepted());
}

#[test]
fn a_neighbour_behind_the_same_nat_cannot_take_a_speaking_phone_over() {
    let mut latch = natted(LatchPolicy::Symmetric);
    latch.receive(ms(0), at(NAT), VOICE);
    for n in 1..500 {
        assert_eq!(latch.receive(ms(n * 20), at(NAT), VOICE), Verdict::Accept);
        assert_eq!(
            latch.receive(ms(n * 20 + 10), at(NAT_OTHER_PORT), VOICE),
            Verdict::Drop(DropReason::Latched)
        );
    }
}

#[test]
fn the_signalled_address_wins_over_an_early_other_one_and_only_early() {
    let mut latch = latch(LatchPolicy::Symmetric, PHONE, NAT);
    assert_eq!(latch.receive(ms(0), at(NAT), VOICE), latched(NAT));
    assert_eq!(latch.receive(ms(500), at(PHONE), VOICE), latched(PHONE));
    assert_eq!(
        latch.receive(ms(520), at(NAT), VOICE),
        Verdict::Drop(DropReason::Latched)
    );

    let mut latch = super::Latch::new(latch.config);
    assert_eq!(latch.receive(ms(0), at(NAT), VOICE), latched(NAT));
    assert_eq!(
        latch.receive(ms(1500), at(PHONE), VOICE),
        Verdict::Drop(DropReason::Latched)
    );
    assert_eq!(latch.destination(), Some(at(NAT)));
}

#[test]
fn the_signalled_ip_wins_over_the_signalling_ip() {
    let mut latch = latch(LatchPolicy::Symmetric, PHONE, NAT);
    latch.receive(ms(0), at(NAT), VOICE);
    assert_eq!(
        latch.receive(ms(20), at(PHONE_OTHER_PORT), VOICE),
        latched(PHONE_OTHER_PORT)
    );
    assert_eq!(
        latch.receive(ms(40), at(NAT), VOICE),
        Verdict::Drop(DropReason::Latched)
    );
}

#[test]
fn a_forged_private_source_does_not_lead_media_into_the_void() {
    // Signalled is 192.168.1.20, and somebody on our own network has that address, or claims it.
    for policy in [LatchPolicy::Symmetric, LatchPolicy::Open] {
        let mut latch = natted(policy);
        latch.receive(ms(0), at(NAT), VOICE);
        assert!(!latch.receive(ms(20), at(PRIVATE), VOICE).is_accepted());
        assert_eq!(latch.destination(), Some(at(NAT)));
    }
}

#[test]
fn a_phone_on_our_own_network_is_believed_its_private_address() {
    let mut latch = latch(LatchPolicy::Symmetric, PRIVATE, "192.168.1.20:5060");
    assert_eq!(latch.receive(ms(0), at(PRIVATE), VOICE), latched(PRIVATE));
}

#[test]
fn open_lets_a_steady_stranger_in_and_the_phone_take_it_back() {
    let mut latch = natted(LatchPolicy::Open);
    for n in 1..u64::from(TRIAL_PACKETS) {
        assert_eq!(
            latch.receive(ms(n * 20), at(THIEF), VOICE),
            Verdict::Drop(DropReason::OnTrial)
        );
    }
    assert_eq!(latch.receive(ms(200), at(THIEF), VOICE), latched(THIEF));
    assert_eq!(latch.receive(ms(1000), at(NAT), VOICE), latched(NAT));
    assert!(!latch.receive(ms(1020), at(THIEF), VOICE).is_accepted());
}

#[test]
fn open_a_crowd_of_strangers_proves_nothing() {
    let mut latch = natted(LatchPolicy::Open);
    for n in 0..1000 {
        let port = 1000 + (n % 2) as u16;
        assert!(
            !latch
                .receive(ms(n), SocketAddr::new(at(THIEF).ip(), port), VOICE)
                .is_accepted()
        );
    }
    assert_eq!(latch.receive(ms(1000), at(NAT), VOICE), latched(NAT));
}

#[test]
fn what_is_no_rtp_latches_nothing_and_keeps_nothing_alive() {
    let mut latch = natted(LatchPolicy::Symmetric);
    assert_eq!(
        latch.receive(ms(0), at(NAT), None),
        Verdict::Drop(DropReason::Invalid)
    );
    assert_eq!(latch.latched(), None);
    latch.receive(ms(10), at(NAT), VOICE);
    latch.receive(ms(400), at(NAT), None);
    assert_eq!(
        latch.receive(ms(510), at(NAT_OTHER_PORT), VOICE),
        latched(NAT_OTHER_PORT)
    );
}

#[test]
fn renegotiation_opens_the_latch_only_for_another_address() {
    let mut latch = natted(LatchPolicy::Symmetric);
    latch.receive(ms(0), at(NAT), VOICE);
    let same = latch.config;
    latch.rearm(same);
    assert_eq!(latch.latched(), Some(at(NAT)));
    latch.rearm(LatchConfig {
        signalled: Some(at(PHONE)),
        ..same
    });
    assert_eq!(
        (latch.latched(), latch.destination()),
        (None, Some(at(PHONE)))
    );
    assert!(!latch.receive(ms(10), at(THIEF), VOICE).is_accepted());
    assert_eq!(latch.receive(ms(20), at(PHONE), VOICE), latched(PHONE));
}

#[test]
fn before_the_answer_nobody_but_the_signalling_ip_is_heard() {
    let config = LatchConfig {
        policy: LatchPolicy::Symmetric,
        signalled: None,
        signalling_ip: Some(at(NAT).ip()),
    };
    let mut latch = Latch::new(config);
    assert_eq!(latch.destination(), None);
    assert!(!latch.receive(ms(0), at(THIEF), VOICE).is_accepted());
    assert_eq!(latch.receive(ms(0), at(NAT), VOICE), latched(NAT));
    let nothing = LatchConfig {
        signalling_ip: None,
        ..config
    };
    assert!(
        !Latch::new(nothing)
            .receive(ms(0), at(NAT), VOICE)
            .is_accepted()
    );
}

#[test]
fn ipv4_mapped_is_ipv4() {
    let mut latch = latch(LatchPolicy::Strict, PHONE, PHONE);
    assert_eq!(
        latch.receive(ms(0), at("[::ffff:203.0.113.10]:40000"), VOICE),
        latched(PHONE)
    );
}

#[test]
fn who_could_be_heard_is_known_before_a_packet_is_looked_into() {
    let mut latch = natted(LatchPolicy::Open);
    assert!(latch.may_hear(at(THIEF)), "a stranger may prove himself");
    latch.receive(ms(0), at(NAT), VOICE);
    assert!(latch.may_hear(at(NAT_OTHER_PORT)));
    latch.receive(ms(1500), at(NAT), VOICE);
    assert!(latch.may_hear(at(NAT_OTHER_PORT)));
    assert!(!latch.may_hear(at(THIEF)) && !latch.may_hear(at(PHONE)));
    assert!(!natted(LatchPolicy::Symmetric).may_hear(at(THIEF)));
}

proptest! {
    /// Whatever the order and timing, Strict and Symmetric never send to an IP signalling did not name.
    #[test]
    fn media_never_goes_to_a_stranger(steps in proptest::collection::vec((0usize..6, any::<bool>(), 0u32..2, 0u64..20_000), 0..80)) {
        let sources = [PHONE, PHONE_OTHER_PORT, NAT, NAT_OTHER_PORT, PRIVATE, THIEF];
        for policy in [LatchPolicy::Strict, LatchPolicy::Symmetric] {
            let mut latch = latch(policy, PHONE, NAT);
            let (mut now, mut fixed_ip, mut first_at) = (Instant::ZERO, None, None);
            for &(source, valid, ssrc, wait_ms) in &steps {
                now += Duration::from_millis(wait_ms);
                let hoped = latch.may_hear(at(sources[source]));
                prop_assert!(source != 5 || !hoped);
                let verdict = latch.receive(now, at(sources[source]), valid.then_some(Ssrc(ssrc)));
                let ip = latch.destination().map(|to| to.ip());
                prop_assert!(ip == Some(at(PHONE).ip()) || ip == Some(at(NAT).ip()));
                prop_assert!(source != 5 || !verdict.is_accepted());
                prop_assert!(hoped || !verdict.is_accepted());
                if let Verdict::Latched(_) = verdict {
                    let since = *first_at.get_or_insert(now);
                    prop_assert!(fixed_ip.is_none() || fixed_ip == ip || now - since < WINDOW);
                    fixed_ip = ip;
                }
            }
        }
    }
}
