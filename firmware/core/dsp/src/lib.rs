//! Functions on blocks of samples: codecs, tones, DTMF, concealment, mixing.
//!
//! Blocks are slices of 16-bit samples at 8 kHz, of wide [`g722`] at 16 kHz; nothing here allocates, except in
//! [`measure`], which is for tests. The crate knows no clock, no file and no network. Codes and their clauses: G.711
//! in [`g711`], G.722 in [`g722`], GSM 06.10 in [`gsm`], Q.23 and Q.24 in
//! [`dtmf`], E.180 in [`tone`], G.711 Appendix I in [`plc`], RFC 3389 in [`comfort`].

pub mod comfort;
pub mod dtmf;
pub mod g711;
pub mod g722;
pub mod goertzel;
pub mod gsm;
pub mod measure;
pub mod mix;
mod oscillator;
pub mod plc;
pub mod tone;
