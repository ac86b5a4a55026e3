//! Functions on blocks of samples: codecs, tones, DTMF, concealment, mixing.
//!
//! Signatures being filled in (i16 samples at 8 kHz, nothing allocates):
//!
//! ```text
//! g711: enum Law{A,Mu}; Law::{encode(self,i16)->u8, decode(self,u8)->i16, encode_block(&[i16],&mut [u8])->usize, decode_block(&[u8],&mut [i16])->usize, silence()->u8}
//!       transcode(from,to,&[u8],&mut [u8])->usize; is_silent(law,&[u8])->bool
//! tone: Country::parse(&str)->Option; enum ToneKind; ToneSpec::{for_country(Country,ToneKind), parse(&str), continuous(hz), with_level_dbm0(f32)}  (Copy)
//!       ToneGenerator::new(ToneSpec) .fill(&mut [i16]) .is_finished(); ring_cadence(Country)
//! dtmf: DtmfDigit::{from_char,to_char,from_event(u8),event()}; DtmfGenerator::new(digit, DtmfTiming{level_dbm0,on_ms,off_ms}) .fill(&mut [i16])->usize .is_finished()
//!       DtmfDetector::new() .feed(&[i16], |DtmfReport::{Down(digit),Up{digit,duration_ms}}| ..)
//! plc:  Concealer::new() .good(&mut [i16]) .conceal(&mut [i16])
//! mix:  add(acc:&mut [i16], &[i16]); Gain::from_db(f32).apply(&mut [i16]); sum(acc:&mut [i32], &[i16]); without(acc:&[i32], own:&[i16], out:&mut [i16]); saturate(acc,out)
//!       level_dbov(&[i16])->f32; level_dbm0(&[i16])->f32
//! comfort: ComfortNoise::new(seed:u32, level_dbov:f32) .set_level_dbov .fill(&mut [i16])
//! measure: (may allocate; tests) dominant_frequency(&[i16], rate_hz)->Option<f32>, tone_level_dbm0(&[i16], hz, rate_hz)
//! ```

pub mod comfort;
pub mod g711;
pub mod goertzel;
pub mod measure;
pub mod mix;
