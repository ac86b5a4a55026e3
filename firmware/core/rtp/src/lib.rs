//! RTP, RTCP, RFC 4733 events and the jitter buffer.
//!
//! Signatures being filled in (module by module; all pure, `now: model::Instant` passed in):
//!
//! ```text
//! packet: Ssrc(pub u32) SequenceNumber(pub u16) RtpTime(pub u32) PayloadType::new(u8)->Option
//!   SequenceNumber: next(), minus(other)->i16, is_newer_than(other)      RtpTime: plus(u32), minus(other)->i32
//!   Packet::parse(&[u8]) -> Result<Packet<'_>, PacketError>   fields: marker payload_type sequence timestamp ssrc
//!                                                             csrcs() extension payload
//!   Header{marker,payload_type,sequence,timestamp,ssrc}.write(payload:&[u8], out:&mut [u8]) -> Result<usize, BufferTooSmall>
//!   is_rtcp(&[u8]) -> bool                                    // RFC 5761 §4 demultiplexing
//! sender: Sender::new(ssrc, SequenceNumber, RtpTime)
//!   next(pt, samples:u32, payload_octets) -> Header; silence(samples); event(pt, &EventPacket) -> Header; timestamp(); report(NtpTime)->SenderInfo
//! stats: Reception::new(clock_hz) .receive(now, ssrc, seq, ts) -> Arrival{Probation,InOrder,Reordered,Duplicate,Restarted,Bad}
//!   .report_block(now, ssrc) .lost() .jitter_us() ;  Quality{..} snapshot; emodel::{Impairment, r_factor, mos}
//! event: EventCode(pub u8) from_char/to_char; EventPayload{code,end,volume,duration}.parse/write
//!   EventSender::new(interval_samples:u16) .start(code, volume, duration_samples:u32, ts) .stop() .next() -> Option<EventPacket{payload:[u8;4],marker,timestamp}>
//!   EventReceiver::new(min_duration) .receive(now, ts, marker, &[u8]) -> impl Iterator<EventReport{Start(code),End{code,duration}}>  .expire(now)
//! jitter: JitterBuffer::new(JitterConfig{clock_hz, frame_samples, frame_bytes, max_delay_ms, ..., is_silent: Option<fn(&[u8])->bool>})
//!   .put(now, seq, ts, payload)->Put  .take(now)->Frame::{Audio(&[u8]),Lost,Empty}  .reset() .stats()   take() = one frame of frame_samples
//!   (packets of k frames are split when frame_bytes is Some, so a 10 ms frame plays any ptime)
//! latch: Latch::new(LatchConfig{policy, signalled:Option<SocketAddr>, signalling_ip}) .receive(now, from, valid_rtp:bool)->Verdict{Accept,Latched,Drop(..)}
//!   .destination()->Option<SocketAddr> .rearm(now, config) .dropped()
//! rtcp: Compound::parse(&[u8])->Result, .packets() iterator of RtcpPacket<'_>; Writer::new(&mut [u8]).sender_report(..).receiver_report(..).sdes_cname(..).bye(..).finish()->usize
//!   NtpTime, NtpClock{at:Instant, unix_us:u64}.ntp(now); round_trip(now:NtpTime, lsr, dlsr)->Option<Duration>
//! ```

pub mod event;
pub mod jitter;
pub mod latch;
pub mod packet;
pub mod rtcp;
pub mod sender;
