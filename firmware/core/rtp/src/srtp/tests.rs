//! What is protected is had again, once, by who has the key, and by nobody else.

use proptest::prelude::*;

use super::*;
use crate::packet::{Header, PayloadType, RtpTime, SequenceNumber, Ssrc};

fn key(suite: SrtpSuite, of: u8) -> MasterKey {
    let octets: Vec<u8> = (0..MasterKey::MAX as u8).map(|n| n ^ of).collect();
    let len = suite.key_len() + suite.salt_len();
    MasterKey::new(suite, &octets[..len]).expect("as long as it is to be")
}

fn plain(ssrc: u32, sequence: u16) -> Vec<u8> {
    let header = Header {
        marker: false,
        payload_type: PayloadType::PCMA,
        sequence: SequenceNumber(sequence),
        timestamp: RtpTime(u32::from(sequence) * 160),
        ssrc: Ssrc(ssrc),
    };
    let mut packet = header.octets().to_vec();
    packet.extend([sequence as u8; 160]);
    packet
}

fn protected(sender: &mut Sender, packet: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + MAX_OVERHEAD, 0);
    let len = sender.protect(&mut buffer, packet.len())?;
    buffer.truncate(len);
    Ok(buffer)
}

fn opened(receiver: &mut Receiver, packet: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut packet = packet.to_vec();
    let len = receiver.unprotect(&mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

const REPORT: [u8; 28] = [
    0x80, 200, 0, 6, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
    20,
];

fn report(sender: &mut Sender) -> Vec<u8> {
    let mut buffer = REPORT.to_vec();
    buffer.resize(REPORT.len() + MAX_OVERHEAD, 0);
    let len = sender.protect_rtcp(&mut buffer, REPORT.len());
    buffer.truncate(len.expect("there is room"));
    buffer
}

#[test]
fn what_is_protected_is_had_again_and_says_nothing_meanwhile() {
    for suite in SrtpSuite::ALL {
        let mut sender = Sender::new(&key(suite, 1));
        let mut receiver = Receiver::new(&key(suite, 1));
        for sequence in 0..1000 {
            let packet = plain(7, sequence);
            let sealed = protected(&mut sender, &packet).expect("a number not used before");
            assert_eq!(sealed[..12], packet[..12], "the header is read by all");
            assert_ne!(sealed[12..172], packet[12..]);
            assert_eq!(opened(&mut receiver, &sealed), Ok(packet));
        }
        for _ in 0..3 {
            let mut sealed = report(&mut sender);
            assert_eq!(sealed[..8], REPORT[..8]);
            assert_ne!(sealed[8..28], REPORT[8..]);
            assert_eq!(receiver.unprotect_rtcp(&mut sealed), Ok(REPORT.len()));
            assert_eq!(sealed[..28], REPORT);
        }
    }
}

#[test]
fn what_was_changed_or_is_of_another_key_is_not_taken() {
    for suite in SrtpSuite::ALL {
        let mut sender = Sender::new(&key(suite, 1));
        let sealed = protected(&mut sender, &plain(7, 5)).expect("the first");
        let sealed_report = report(&mut sender);
        let mut receiver = Receiver::new(&key(suite, 1));
        for at in 1..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(opened(&mut receiver, &changed).is_err(), "octet {at}");
        }
        for at in 1..sealed_report.len() {
            let mut changed = sealed_report.clone();
            changed[at] ^= 1;
            assert!(receiver.unprotect_rtcp(&mut changed).is_err(), "octet {at}");
        }
        let mut other = Receiver::new(&key(suite, 2));
        assert_eq!(opened(&mut other, &sealed), Err(Fault::NotAuthentic));
        assert_eq!(
            opened(&mut other, &plain(7, 5)),
            Err(Fault::NotAuthentic),
            "in the clear"
        );
        assert!(opened(&mut receiver, &sealed).is_ok(), "nothing was kept");
    }
}

#[test]
fn no_number_is_used_twice_or_taken_twice() {
    for suite in SrtpSuite::ALL {
        let mut sender = Sender::new(&key(suite, 1));
        let mut receiver = Receiver::new(&key(suite, 1));
        let sealed = protected(&mut sender, &plain(7, 5)).expect("the first");
        assert_eq!(
            protected(&mut sender, &plain(7, 5)),
            Err(Fault::Replayed),
            "the key stream would be the same"
        );
        assert!(opened(&mut receiver, &sealed).is_ok());
        assert_eq!(opened(&mut receiver, &sealed), Err(Fault::Replayed));
        let first = report(&mut sender);
        let second = report(&mut sender);
        assert_ne!(first, second);
        assert!(receiver.unprotect_rtcp(&mut second.clone()).is_ok());
        assert!(receiver.unprotect_rtcp(&mut first.clone()).is_ok());
        assert_eq!(
            receiver.unprotect_rtcp(&mut first.clone()),
            Err(Fault::Replayed)
        );
    }
}

#[test]
fn numbers_go_on_over_many_rollovers() {
    let suite = SrtpSuite::AeadAes128Gcm;
    let mut sender = Sender::new(&key(suite, 1));
    let mut receiver = Receiver::new(&key(suite, 1));
    for n in 0..400_u32 {
        let packet = plain(7, (n * 1000) as u16);
        let sealed = protected(&mut sender, &packet).expect("higher than the last");
        assert_eq!(opened(&mut receiver, &sealed), Ok(packet), "packet {n}");
    }
}

#[test]
fn a_source_whose_start_was_lost_before_its_rollover_is_heard() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let mut sender = Sender::new(&key(suite, 1));
    let lost = protected(&mut sender, &plain(7, 65_535));
    assert!(lost.is_ok());
    let sealed = protected(&mut sender, &plain(7, 0)).expect("the next");
    let mut receiver = Receiver::new(&key(suite, 1));
    assert_eq!(opened(&mut receiver, &sealed), Ok(plain(7, 0)));
}

#[test]
fn a_new_key_goes_on_with_rollovers_or_begins_anew() {
    let suite = SrtpSuite::AesCm128HmacSha1_80;
    let mut sender = Sender::new(&key(suite, 1));
    let mut receiver = Receiver::new(&key(suite, 1));
    for n in 0..200_u32 {
        let sealed = protected(&mut sender, &plain(7, (n * 1000) as u16)).expect("the next");
        opened(&mut receiver, &sealed).expect("authentic");
    }
    let next = (200_u32 * 1000) as u16;
    let mut anew = Sender::new(&key(suite, 2));
    let sealed = protected(&mut anew, &plain(7, next)).expect("the first");
    assert!(opened(&mut receiver.rekeyed(&key(suite, 2)), &sealed).is_ok());
    let mut goes_on = Sender {
        cipher: Cipher::new(&key(suite, 3)),
        ..sender
    };
    let sealed = protected(&mut goes_on, &plain(7, next)).expect("the next");
    assert!(opened(&mut receiver.rekeyed(&key(suite, 3)), &sealed).is_ok());
    // Nothing need come between two keys.
    let mut twice = receiver.rekeyed(&key(suite, 2)).rekeyed(&key(suite, 3));
    assert!(opened(&mut twice, &sealed).is_ok());
}

#[test]
fn sources_are_bounded_and_the_one_that_speaks_stays() {
    let suite = SrtpSuite::AesCm128HmacSha1_32;
    let mut receiver = Receiver::new(&key(suite, 1));
    let mut speaker = Sender::new(&key(suite, 1));
    for n in 0..50 {
        let sealed = protected(&mut speaker, &plain(1, n)).expect("the next");
        assert!(opened(&mut receiver, &sealed).is_ok());
        let mut other = Sender::new(&key(suite, 1));
        let stray = protected(&mut other, &plain(100 + u32::from(n), 0)).expect("the first");
        assert!(opened(&mut receiver, &stray).is_ok());
        assert_eq!(opened(&mut receiver, &sealed), Err(Fault::Replayed));
    }
}

#[test]
fn what_has_no_room_or_is_no_packet_is_said() {
    for suite in SrtpSuite::ALL {
        let mut sender = Sender::new(&key(suite, 1));
        let mut tight = plain(7, 1);
        let len = tight.len();
        assert_eq!(sender.protect(&mut tight, len), Err(Fault::NoRoom));
        assert_eq!(sender.protect(&mut [0; 40], 11), Err(Fault::Truncated));
        assert_eq!(sender.protect_rtcp(&mut [0; 40], 7), Err(Fault::Truncated));
        assert_eq!(sender.protect_rtcp(&mut [0; 8], 8), Err(Fault::NoRoom));
        let mut receiver = Receiver::new(&key(suite, 1));
        for len in 0..30 {
            assert!(receiver.unprotect(&mut vec![0x9f; len]).is_err());
            assert!(receiver.unprotect_rtcp(&mut vec![0x80; len]).is_err());
        }
    }
}

proptest! {
    /// Lost, out of order, doubled: each packet that comes is taken once, unless it comes very late.
    #[test]
    fn each_packet_is_taken_once(
        suite in prop::sample::select(SrtpSuite::ALL.to_vec()),
        first in any::<u16>(),
        arrivals in prop::collection::vec((0_usize..5, 0_usize..8), 1..60),
    ) {
        let mut sender = Sender::new(&key(suite, 1));
        let mut receiver = Receiver::new(&key(suite, 1));
        let first = first & 0x7fff;
        let mut sealed = Vec::new();
        let mut taken = std::collections::BTreeSet::new();
        let mut at = 0;
        for (skip, back) in arrivals {
            at += skip;
            while sealed.len() <= at {
                let sequence = first.wrapping_add(sealed.len() as u16);
                let packet = plain(9, sequence);
                let octets = protected(&mut sender, &packet);
                sealed.push((packet, octets.expect("in order")));
            }
            let n = at.saturating_sub(back);
            let (packet, octets) = &sealed[n];
            // What lies before the first that came may be before the first rollover of all.
            let opened = opened(&mut receiver, octets);
            if taken.insert(n) {
                prop_assert_eq!(opened.as_ref(), Ok(packet));
            } else {
                prop_assert_eq!(opened, Err(Fault::Replayed));
            }
        }
    }

    #[test]
    fn any_octets_are_refused_without_harm(
        suite in prop::sample::select(SrtpSuite::ALL.to_vec()),
        octets in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut receiver = Receiver::new(&key(suite, 1));
        prop_assert!(receiver.unprotect(&mut octets.clone()).is_err());
        prop_assert!(receiver.unprotect_rtcp(&mut octets.clone()).is_err());
        let mut sender = Sender::new(&key(suite, 1));
        let len = octets.len() / 2;
        let mut buffer = octets;
        // Whatever comes out fits.
        if let Ok(len) = sender.protect(&mut buffer, len) {
            prop_assert!(len <= buffer.len());
        }
        if let Ok(len) = sender.protect_rtcp(&mut buffer, len) {
            prop_assert!(len <= buffer.len());
        }
    }
}
