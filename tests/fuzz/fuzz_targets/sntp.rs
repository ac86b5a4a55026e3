//! Any octets as the answer of a time server, at any time of ours: nothing panics, nobody answers who was
//! not asked, and what is believed is of the time that the server said.
//!
//! The first 24 octets are what was asked, and when it was sent and the answer came; the rest the answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::WallTime;
use platform::time::sntp::{Unusable, read, request};

fuzz_target!(|octets: &[u8]| {
    let Some((head, answer)) = octets.split_first_chunk::<24>() else {
        return;
    };
    let number = |at: usize| {
        let part = head[at..at + 8].first_chunk().expect("eight octets");
        u64::from_be_bytes(*part)
    };
    let nonce = number(0);
    assert_eq!(request(nonce)[40..], nonce.to_be_bytes());
    // Any time that a clock can have: a thousand years around 1970.
    let wall = |at: usize| {
        let reach = 1000 * 366 * 86_400 * 1_000_000_i64;
        WallTime::from_unix_micros((number(at) as i64) % reach)
    };
    let (sent, arrived) = (wall(8), wall(16));
    match read(answer, nonce, sent, arrived) {
        Ok(sample) => {
            assert_eq!(answer[24..32], nonce.to_be_bytes());
            assert!(sample.delay_us >= 0);
            // The clock is right where what the server says is taken over: within half of the way there and back.
            let said = i64::from(u32::from_be_bytes(*answer[40..].first_chunk().expect("48")));
            let era = if said >> 31 == 1 { 0 } else { 1 << 32 };
            let said_us = (said + era - 2_208_988_800) * 1_000_000;
            let received = i64::from(u32::from_be_bytes(*answer[32..].first_chunk().expect("48")));
            let era = if received >> 31 == 1 { 0 } else { 1 << 32 };
            let received_us = (received + era - 2_208_988_800) * 1_000_000;
            let middle = i64::midpoint(said_us, received_us)
                - i64::midpoint(sent.as_unix_micros(), arrived.as_unix_micros());
            assert!((sample.offset_us - middle).abs() <= 1_000_002);
        }
        Err(Unusable::Foreign) => {
            let asked = answer.len() >= 48
                && answer[0] & 7 == 4
                && answer[24..32] == nonce.to_be_bytes();
            assert!(!asked, "an answer is passed over");
        }
        Err(Unusable::KissOfDeath) => assert_eq!(answer[1], 0),
        Err(Unusable::Unsynchronised) => {}
    }
});
