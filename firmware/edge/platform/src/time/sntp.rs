//! SNTP (RFC 4330): the 48 octets of a request and a reply, and asking one server.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use model::WallTime;

use crate::clock;

/// Octets of a message without extensions.
const LENGTH: usize = 48;

/// Seconds from 1900 to 1970.
const TO_UNIX: i64 = 2_208_988_800;

/// A server that is further away says too little of the time.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Servers further from a clock than this are no use (RFC 5905, MAXDIST).
const FARTHEST_US: i64 = 1_500_000;

/// What a server says of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// What our clock is behind, in microseconds.
    pub offset_us: i64,
    /// How long the message and its answer were under way.
    pub delay_us: i64,
}

/// Why an answer is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is no answer to what was asked.
    Foreign,
    /// The server doesn't know the time itself.
    Unsynchronised,
    /// The server wants to be left alone (RFC 4330 §8).
    KissOfDeath,
}

/// A request. The time in it is one that only we know: who can't see it can't answer.
#[must_use]
pub fn request(nonce: u64) -> [u8; LENGTH] {
    let mut octets = [0; LENGTH];
    // Leap indicator 0, version 4, mode 3: a client.
    octets[0] = 0b00_100_011;
    octets[40..].copy_from_slice(&nonce.to_be_bytes());
    octets
}

/// What a reply says that arrived at `arrived`, to what was `sent` then.
///
/// # Errors
/// Why it is of no use.
pub fn read(
    octets: &[u8],
    nonce: u64,
    sent: WallTime,
    arrived: WallTime,
) -> Result<Sample, Unusable> {
    let octets: &[u8; LENGTH] = octets.first_chunk().ok_or(Unusable::Foreign)?;
    let number = |at: usize| {
        let mut bits = [0; 8];
        bits.copy_from_slice(&octets[at..at + 8]);
        u64::from_be_bytes(bits)
    };
    let mode = octets[0] & 0b111;
    if mode != 4 || number(24) != nonce {
        return Err(Unusable::Foreign);
    }
    match octets[1] {
        0 => return Err(Unusable::KissOfDeath),
        1..=15 => {}
        _ => return Err(Unusable::Unsynchronised),
    }
    let root_delay_us = short_us(octets, 4);
    let root_dispersion_us = short_us(octets, 8);
    if octets[0] >> 6 == 3
        || number(40) == 0
        || root_delay_us / 2 + root_dispersion_us > FARTHEST_US
    {
        return Err(Unusable::Unsynchronised);
    }
    let (received, transmitted) = (unix_us(number(32)), unix_us(number(40)));
    let (sent, arrived) = (sent.as_unix_micros(), arrived.as_unix_micros());
    Ok(Sample {
        offset_us: ((received - sent) + (transmitted - arrived)) / 2,
        delay_us: ((arrived - sent) - (transmitted - received)).max(0),
    })
}

/// A time as NTP has it: the seconds began anew in 2036 (RFC 4330 §3).
fn unix_us(timestamp: u64) -> i64 {
    let seconds = i64::from((timestamp >> 32) as u32);
    let era = if timestamp >> 63 == 1 { 0 } else { 1 << 32 };
    let fraction_us = ((timestamp & 0xFFFF_FFFF) * 1_000_000) >> 32;
    (seconds + era - TO_UNIX) * 1_000_000 + i64::try_from(fraction_us).unwrap_or(0)
}

/// A span as NTP has it: 16 bits of seconds, 16 of a fraction.
fn short_us(octets: &[u8; LENGTH], at: usize) -> i64 {
    let bits = u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
    (i64::from(bits) * 1_000_000) >> 16
}

/// Asks a server, and waits for its answer.
///
/// # Errors
/// Where none comes that is of use.
pub fn ask(server: SocketAddr, nonce: u64) -> io::Result<Sample> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => ([0; 4], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    // The clock itself may be set meanwhile: only its first reading counts.
    let (sent, since) = (clock::wall(), Instant::now());
    socket.send(&request(nonce))?;
    loop {
        let left = ANSWER_WITHIN.saturating_sub(since.elapsed());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let mut octets = [0; 512];
        let length = socket.recv(&mut octets)?;
        let arrived = sent + since.elapsed();
        match read(&octets[..length], nonce, sent, arrived) {
            Ok(sample) => return Ok(sample),
            Err(Unusable::Foreign) => {}
            Err(unusable) => return Err(io::Error::other(format!("{unusable:?}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONCE: u64 = 0x0123_4567_89AB_CDEF;

    fn ntp(unix_us: i64) -> u64 {
        let seconds = unix_us.div_euclid(1_000_000) + TO_UNIX;
        let fraction = (unix_us.rem_euclid(1_000_000) << 32) / 1_000_000;
        ((seconds as u64) << 32) | fraction as u64
    }

    fn reply(received_us: i64, transmitted_us: i64) -> [u8; LENGTH] {
        let mut octets = [0; LENGTH];
        octets[0] = 0b00_100_100;
        octets[1] = 2;
        octets[24..32].copy_from_slice(&NONCE.to_be_bytes());
        octets[32..40].copy_from_slice(&ntp(received_us).to_be_bytes());
        octets[40..].copy_from_slice(&ntp(transmitted_us).to_be_bytes());
        octets
    }

    fn at(us: i64) -> WallTime {
        WallTime::from_unix_micros(us)
    }

    fn close(one: i64, other: i64) -> bool {
        (one - other).abs() <= 2
    }

    #[test]
    fn a_clock_that_is_behind_is_told_by_how_much() {
        let base = 1_790_000_000_000_000;
        // 30 ms there, 1 ms at the server, 30 ms back; our clock is 5 s behind.
        let reply = reply(base + 5_030_000, base + 5_031_000);
        let sample = read(&reply, NONCE, at(base), at(base + 61_000)).expect("a sample");
        assert!(close(sample.offset_us, 5_000_000), "{sample:?}");
        assert!(close(sample.delay_us, 60_000), "{sample:?}");
    }

    #[test]
    fn time_goes_on_after_2036() {
        let base = 2_100_000_000_000_000;
        let reply = reply(base, base);
        let sample = read(&reply, NONCE, at(base), at(base)).expect("a sample");
        assert!(close(sample.offset_us, 0), "{sample:?}");
    }

    #[test]
    fn answers_that_are_of_no_use_say_why() {
        let good = reply(0, 0);
        let with = |change: &dyn Fn(&mut [u8; LENGTH])| {
            let mut octets = good;
            change(&mut octets);
            read(&octets, NONCE, at(0), at(0))
        };
        assert!(with(&|_| ()).is_ok());
        assert_eq!(with(&|it| it[1] = 0), Err(Unusable::KissOfDeath));
        assert_eq!(with(&|it| it[1] = 16), Err(Unusable::Unsynchronised));
        assert_eq!(with(&|it| it[0] |= 0xC0), Err(Unusable::Unsynchronised));
        assert_eq!(with(&|it| it[8..10].fill(1)), Err(Unusable::Unsynchronised));
        assert_eq!(with(&|it| it[40..].fill(0)), Err(Unusable::Unsynchronised));
        assert_eq!(with(&|it| it[30] ^= 1), Err(Unusable::Foreign));
        assert_eq!(with(&|it| it[0] = 0b00_100_011), Err(Unusable::Foreign));
        let short = read(&good[..47], NONCE, at(0), at(0));
        assert_eq!(short, Err(Unusable::Foreign));
    }

    #[test]
    fn a_server_is_asked_and_others_are_not_believed() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let address = server.local_addr().expect("an address");
        let answering = std::thread::spawn(move || {
            let mut octets = [0; LENGTH];
            let (_, client) = server.recv_from(&mut octets).expect("a request");
            assert_eq!(octets, request(NONCE));
            let now = clock::wall().as_unix_micros() + 3_600_000_000;
            let mut answer = reply(now, now);
            answer[24] ^= 1;
            server.send_to(&answer, client).expect("sent");
            answer[24] ^= 1;
            server.send_to(&answer, client).expect("sent");
        });
        let sample = ask(address, NONCE).expect("a sample");
        answering.join().expect("answered");
        let off_us = sample.offset_us - 3_600_000_000;
        assert!(off_us.abs() <= sample.delay_us + 2, "{sample:?}");
    }

    proptest! {
        #[test]
        fn no_reply_is_a_panic(mut octets in prop::collection::vec(any::<u8>(), 0..60), sent in any::<i32>()) {
            if let Some(nonce) = octets.get_mut(24..32) {
                nonce.copy_from_slice(&NONCE.to_be_bytes());
            }
            let sent = at(i64::from(sent) * 1_000_000);
            let _ = read(&octets, NONCE, sent, sent);
        }
    }
}
