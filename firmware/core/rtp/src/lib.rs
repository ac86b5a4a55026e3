//! RTP, RTCP, telephone events, the jitter buffer, and the latch that keeps a stream its own.
//!
//! Pure functions of packets and time: no socket, no clock, no chance. What runs in the media tick allocates nothing;
//! memory is taken at construction only ([`jitter::JitterBuffer::new`]).
//!
//! The way of a packet received: [`latch`] (is it ours?), [`packet`] (what is it?), [`stats`] (is it in sequence?),
//! then [`event`] or [`jitter`] (what is played, and when?). The numbers of what is sent are the media
//! graph's. What both ends report of it: [`rtcp`]; what that means for the ear: [`quality`]. Encrypted or not is a
//! matter of [`srtp`], before all this and after it.

pub mod event;
pub mod jitter;
pub mod latch;
pub mod packet;
pub mod quality;
pub mod rtcp;
pub mod srtp;
pub mod stats;
