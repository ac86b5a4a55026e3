//! Session descriptions: one parser, and one leg that lives through offers and answers.
//!
//! The input is a list of descriptions, divided by NUL bytes; the first byte of each says what the
//! leg does with it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Codec;
use sip::sdp::{Capabilities, Hold, Negotiation, PendingOffer, SessionDescription, Tolerance};

/// RFC 3264 §8: the version rises by one if, and only if, the content changes.
fn check_version(before: Option<&SessionDescription>, after: &SessionDescription) {
    if let Some(before) = before {
        let mut same = after.clone();
        same.origin.version = before.origin.version;
        let step = u64::from(same != *before);
        assert_eq!(after.origin.version, before.origin.version + step);
    }
}

/// What we print is read again as the same, unless it has grown beyond the limit.
fn check_print(description: &SessionDescription) {
    let printed = description.to_bytes();
    if printed.len() <= 16 * 1024 {
        let read = SessionDescription::parse(&printed).expect("what we print can be read");
        assert_eq!(&read, description);
    }
}

fn check_answer(offer: &SessionDescription, answer: &SessionDescription) {
    assert_eq!(answer.media.len(), offer.media.len());
    for (ours, theirs) in answer.media.iter().zip(&offer.media) {
        assert!(
            ours.formats
                .iter()
                .all(|format| theirs.formats.contains(format))
        );
        for (payload_type, codec) in ours.codecs().filter(|_| ours.port != 0) {
            let offered = theirs
                .codec(payload_type)
                .expect("answered what was offered");
            assert!(offered.matches(&codec));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let address = "192.0.2.1:4000".parse().expect("a literal");
    let mut leg = Negotiation::new(1, Capabilities::new(address, Codec::ALL));
    for part in data.split(|byte| *byte == 0).take(8) {
        let Some((how, body)) = part.split_first() else {
            continue;
        };
        if how & 0x80 != 0 {
            leg = leg.with_tolerance(Tolerance::Strict);
        }
        leg.set_hold(match how & 3 {
            0 => Hold::No,
            1 => Hold::SendOnly,
            2 => Hold::Inactive,
            _ => Hold::ZeroAddress,
        });
        if let Ok(description) = SessionDescription::parse(body) {
            check_print(&description);
        }
        let sent = leg.local_description().cloned();
        if how & 4 == 0 {
            if let Ok(offer) = leg.offer_received(body).cloned() {
                let answered = leg.answer().expect("what was taken can be answered");
                let answer = SessionDescription::parse(&answered.body).expect("our own answer");
                check_version(sent.as_ref(), &answer);
                check_answer(&offer, &answer);
            }
        } else if let Ok(offer) = leg.offer() {
            let offer = SessionDescription::parse(&offer).expect("our own offer");
            check_version(sent.as_ref(), &offer);
            check_print(&offer);
            if leg.answer_received(body).is_err() {
                assert_eq!(leg.pending(), PendingOffer::Ours);
                leg.rollback();
            }
        } else {
            leg.rollback();
        }
        assert_eq!(leg.pending(), PendingOffer::None);
    }
});
