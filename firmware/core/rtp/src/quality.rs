//! What the measurements mean for the ear: the E-model, and the grade of a leg for the call history.
//!
//! Owns ITU-T G.107 in its usual reduction to delay, loss and codec (all other parameters at their defaults), and the
//! impairments of ITU-T G.113 Appendix I.

use core::time::Duration;

use crate::jitter::JitterStats;
use crate::stats::{Reception, RemoteView};
use model::Quality;

/// What a codec does to speech (ITU-T G.113 Appendix I).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impairment {
    /// Equipment impairment factor without loss, Ie.
    pub ie: f32,
    /// Robustness against random loss, Bpl.
    pub bpl: f32,
}

impl Impairment {
    /// G.711 with concealment after its Appendix I.
    pub const G711_CONCEALED: Self = Self { ie: 0.0, bpl: 25.1 };
    /// G.711 whose losses are silence.
    pub const G711: Self = Self { ie: 0.0, bpl: 4.3 };
    /// GSM full rate with concealment; G.113 gives it no Bpl, this is that of the enhanced full rate.
    pub const GSM: Self = Self {
        ie: 20.0,
        bpl: 10.0,
    };
    /// G.729A with voice activity detection.
    pub const G729A: Self = Self {
        ie: 11.0,
        bpl: 19.0,
    };
}

/// R without any impairment, all parameters at their defaults (G.107 §7.7, table 2).
const R_DEFAULT: f32 = 93.2;

/// The rating factor R of a connection, 0 to 93.2: one-way delay from mouth to ear, and packets lost or late.
// G.107 §7.1: R = Ro - Is - Id - Ie,eff + A
#[must_use]
pub fn r_factor(delay_ms: f32, loss_percent: f32, impairment: Impairment) -> f32 {
    let delay_ms = delay_ms.clamp(0.0, 10_000.0);
    let loss_percent = loss_percent.clamp(0.0, 100.0);
    // The delay impairment at default echo, as two straight lines (Cole and Rosenbluth): conversation begins to
    // suffer at 177.3 ms.
    let id = 0.024 * delay_ms + 0.11 * (delay_ms - 177.3).max(0.0);
    // G.107 §7.5, random loss (BurstR = 1)
    let Impairment { ie, bpl } = impairment;
    let ie_eff = ie + (95.0 - ie) * loss_percent / (loss_percent + bpl.max(0.1));
    (R_DEFAULT - id - ie_eff).clamp(0.0, 100.0)
}

/// The mean opinion score of a rating, 1 to 4.5.
// G.107 Annex B
#[must_use]
pub fn mos(r: f32) -> f32 {
    let r = r.clamp(0.0, 100.0);
    (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7.0e-6).clamp(1.0, 4.5)
}

/// What was measured on one leg.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    /// Packets sent to it.
    pub sent_packets: u64,
    /// What came from it.
    pub reception: &'a Reception,
    /// Its jitter buffer, where it has one; a relayed leg has the far end's.
    pub jitter: Option<JitterStats>,
    /// Packets refused for their source.
    pub foreign_packets: u64,
    /// What it said of ours.
    pub remote: RemoteView,
    /// Its codec.
    pub impairment: Impairment,
    /// When nothing came of it.
    pub silence: Silent,
}

/// Time in which nothing came of a party that was to be heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silent {
    /// In all.
    pub total: Duration,
    /// What of it lasts.
    pub present: Duration,
    /// What should have come meanwhile, as far as sequence numbers don't tell it.
    pub packets: u64,
}

impl Measured<'_> {
    /// The grade, as the call history keeps it.
    #[must_use]
    pub fn quality(&self) -> Quality {
        let reception = self.reception;
        let received = reception.received_packets();
        let lost = reception.lost_packets() + self.silence.packets;
        let late = self
            .jitter
            .map_or(0, |jitter| u64::from(jitter.late_packets));
        let score = (received > 0).then(|| {
            let loss_percent = 100.0 * (lost + late) as f32 / (received + lost) as f32;
            mos(r_factor(self.delay_ms(), loss_percent, self.impairment))
        });
        let micros = |span: Duration| u32::try_from(span.as_micros()).unwrap_or(u32::MAX);
        let millis = |span: Duration| u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
        Quality {
            packets_sent: self.sent_packets,
            packets_received: received,
            packets_lost: lost,
            packets_discarded: late + reception.duplicate_packets(),
            packets_foreign: self.foreign_packets,
            jitter_us: reception.jitter_us(),
            remote_lost: self.remote.lost_packets,
            remote_jitter_us: self.remote.jitter_us,
            round_trip_us: self.remote.round_trip.map(micros),
            mos_hundredths: score.map(|mos| (mos * 100.0).round() as u16),
            silent_ms: millis(self.silence.total),
            silent_now_ms: millis(self.silence.present),
        }
    }

    /// From mouth to ear: half the round trip, the wait in the buffer, and a packet's length at either end.
    fn delay_ms(&self) -> f32 {
        let way_ms = self
            .remote
            .round_trip
            .map_or(0.0, |span| span.as_secs_f32() * 500.0);
        // A buffer elsewhere waits about twice the mean jitter.
        let wait_ms = self
            .jitter
            .map_or(self.reception.jitter_us() as f32 / 500.0, |jitter| {
                jitter.delay_ms as f32
            });
        way_ms + wait_ms + PACKETISATION_MS
    }
}

/// A packet's length, once at each end.
const PACKETISATION_MS: f32 = 40.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{SequenceNumber, Ssrc};
    use model::Instant;

    #[test]
    fn known_points_of_the_model_are_met() {
        // G.107 Annex B, table B.1: R and MOS.
        for (r, expected) in [
            (93.2, 4.41),
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            assert!((mos(r) - expected).abs() < 0.01, "{r}: {}", mos(r));
        }
        assert_eq!(mos(-5.0), 1.0);
        assert!((mos(100.0) - 4.5).abs() < 0.001);
        assert!((r_factor(0.0, 0.0, Impairment::G711) - 93.2).abs() < 0.01);
        assert!((r_factor(0.0, 0.0, Impairment::G729A) - 82.2).abs() < 0.01);
    }

    #[test]
    fn more_delay_and_more_loss_never_sound_better() {
        for impairment in [
            Impairment::G711,
            Impairment::G711_CONCEALED,
            Impairment::G729A,
        ] {
            let mut last = 100.0;
            for delay_ms in 0..60u8 {
                let r = r_factor(f32::from(delay_ms) * 10.0, 1.0, impairment);
                assert!(r <= last);
                last = r;
            }
            let mut last = 100.0;
            for loss in 0..=100u8 {
                let r = r_factor(50.0, f32::from(loss), impairment);
                assert!(r <= last);
                last = r;
            }
        }
    }

    #[test]
    fn a_leg_is_graded() {
        let mut reception = Reception::new(8000);
        for n in (0..1000u16).filter(|n| n % 50 != 7) {
            reception.receive(
                Instant::from_millis(u64::from(n) * 20),
                Ssrc(1),
                SequenceNumber(n),
                None,
            );
        }
        let remote = RemoteView {
            round_trip: Some(Duration::from_millis(60)),
            ..RemoteView::default()
        };
        let jitter = JitterStats {
            delay_ms: 40,
            ..JitterStats::default()
        };
        let measured = Measured {
            sent_packets: 1000,
            reception: &reception,
            jitter: Some(jitter),
            foreign_packets: 3,
            remote,
            impairment: Impairment::G711_CONCEALED,
            silence: Silent::default(),
        };
        let quality = measured.quality();
        assert_eq!(
            (
                quality.packets_received,
                quality.packets_lost,
                quality.packets_foreign
            ),
            (980, 20, 3)
        );
        assert_eq!(quality.round_trip_us, Some(60_000));
        let mos = quality.mos_hundredths.unwrap_or_default();
        assert!((400..=435).contains(&mos), "{mos}");
        // As long again without a packet: as if half had been lost.
        let silence = Silent {
            total: Duration::from_secs(20),
            present: Duration::from_secs(5),
            packets: 1000,
        };
        let silent = Measured {
            silence,
            ..measured
        }
        .quality();
        assert_eq!(silent.packets_lost, 1020);
        assert_eq!((silent.silent_ms, silent.silent_now_ms), (20_000, 5000));
        assert!(silent.mos_hundredths < Some(200), "{silent:?}");
        let nothing = Reception::new(8000);
        assert_eq!(
            Measured {
                reception: &nothing,
                ..measured
            }
            .quality()
            .mos_hundredths,
            None
        );
    }
}
