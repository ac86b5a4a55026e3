//! The jitter buffer: whatever comes at whatever moment, each tick gives one frame, none older than
//! the one before, none twice, and only what was put in; the counts add up.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use model::Instant;
use rtp::jitter::{Frame, JitterBuffer, JitterConfig, Put};
use rtp::packet::{RtpTime, SequenceNumber};

#[derive(Arbitrary, Debug)]
enum Act {
    /// The next packet, of so many frames and odd octets.
    Next {
        frames: u8,
        odd: u8,
    },
    /// One so many packets away from the next, with a clock that is off by so much.
    Stray {
        away: i8,
        off: i16,
    },
    /// Anything.
    Any {
        sequence: u16,
        timestamp: u32,
        octets: u16,
    },
    /// The sender pauses.
    Pause {
        ticks: u16,
    },
    /// A packet for somebody else has taken a number.
    Other,
    Take {
        times: u8,
    },
    Pass {
        ms: u16,
    },
    Reset,
}

#[derive(Arbitrary, Debug)]
struct Made {
    twenty: bool,
    silent: bool,
    min_delay_ms: u8,
    max_delay_ms: u8,
    start: u32,
}

/// A payload tells its timestamp in every ten milliseconds of it.
fn payload(timestamp: u32, octets: usize) -> Vec<u8> {
    let frames = (0..octets.div_ceil(80)).flat_map(|n| {
        let at = timestamp.wrapping_add(n as u32 * 80).to_be_bytes();
        (0..80).map(move |i| at[i % 4])
    });
    frames.take(octets).collect()
}

fuzz_target!(|input: (Made, Vec<Act>)| {
    let (made, acts) = input;
    let frame_ms = if made.twenty { 20 } else { 10 };
    let is_silent: fn(&[u8]) -> bool = |frame| frame.first().is_some_and(|octet| octet & 1 == 0);
    let max_delay_ms = u16::from(made.max_delay_ms) * 4;
    let mut buffer = JitterBuffer::new(JitterConfig {
        min_delay_ms: u16::from(made.min_delay_ms),
        max_delay_ms,
        ..JitterConfig::g711(frame_ms, made.silent.then_some(is_silent))
    });
    let frame = usize::from(frame_ms) * 8;
    let tick = Duration::from_millis(u64::from(frame_ms));
    let mut now = Instant::from_millis(1000);
    let mut sequence = SequenceNumber(made.start as u16);
    let mut timestamp = RtpTime(made.start);
    // The timestamp of the last frame heard; none after the stream began anew or is not in step.
    let mut heard: Option<RtpTime> = None;
    let mut in_step = true;
    for act in acts {
        match act {
            Act::Next { frames, odd } => {
                let octets = usize::from(frames % 8) * frame + usize::from(odd % 4);
                let content = payload(timestamp.0, octets);
                let put = buffer.put(now, sequence, timestamp, &content);
                if put == Put::Restarted {
                    heard = None;
                }
                if octets == 0 {
                    assert_eq!(put, Put::Unfit);
                }
                sequence = sequence.next();
                timestamp = timestamp.plus(octets as u32);
                in_step &= octets % frame == 0;
            }
            Act::Stray { away, off } => {
                let stray = RtpTime(
                    timestamp
                        .0
                        .wrapping_add_signed(i32::from(away) * 160 + i32::from(off)),
                );
                let number = SequenceNumber(sequence.0.wrapping_add_signed(i16::from(away)));
                if buffer.put(now, number, stray, &payload(stray.0, frame)) == Put::Restarted {
                    heard = None;
                }
                in_step &= off == 0 && frame == 80;
            }
            Act::Any {
                sequence,
                timestamp,
                octets,
            } => {
                let content = payload(timestamp, usize::from(octets));
                buffer.put(now, SequenceNumber(sequence), RtpTime(timestamp), &content);
                in_step = false;
            }
            Act::Pause { ticks } => timestamp = timestamp.plus(u32::from(ticks) * frame as u32),
            Act::Other => {
                buffer.note_other(sequence);
                sequence = sequence.next();
            }
            Act::Take { times } => {
                for _ in 0..=times % 64 {
                    now += tick;
                    let before = buffer.stats();
                    let (audio, lost) = match buffer.take(now) {
                        Frame::Audio(octets) => {
                            assert!(!octets.is_empty() && octets.len() <= frame);
                            if let (true, &[a, b, c, d, ..]) = (in_step, octets) {
                                let at = RtpTime(u32::from_be_bytes([a, b, c, d]));
                                if let Some(last) = heard {
                                    assert!(at.minus(last) > 0, "{at:?} after {last:?}");
                                }
                                heard = Some(at);
                            }
                            (1, 0)
                        }
                        Frame::Lost => (0, 1),
                        Frame::Empty => (0, 0),
                    };
                    let after = buffer.stats();
                    assert_eq!(after.played_frames - before.played_frames, audio);
                    let missing = after.lost_frames + after.stretched_frames
                        - before.lost_frames
                        - before.stretched_frames;
                    assert_eq!(missing, lost);
                }
            }
            Act::Pass { ms } => now += Duration::from_millis(u64::from(ms)),
            Act::Reset => {
                buffer.reset();
                heard = None;
            }
        }
    }
    // With nothing more coming it runs dry, and stays so: what is not two seconds off is heard by then.
    let most_ms = 2 * u64::from(max_delay_ms.max(u16::from(made.min_delay_ms))) + 4000;
    for _ in 0..most_ms / u64::from(frame_ms) {
        now += tick;
        buffer.take(now);
    }
    assert_eq!(buffer.take(now + tick), Frame::Empty);
});
