//! placeholder until written
use crate::packet::RtpTime;
/// NTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NtpTime(pub u64);
/// Sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// When this report was sent.
    pub ntp: NtpTime,
    /// The same moment on the media clock.
    pub timestamp: RtpTime,
    /// Packets sent since the stream began; wraps.
    pub packets: u32,
    /// Payload octets sent since the stream began; wraps.
    pub octets: u32,
}
