//! Nonces without state, and the bounded memory of which counts were used (RFC 7616 §3.3, §3.4, §5.4, §5.5).

use std::collections::BTreeMap;

use core::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use model::Instant;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::algorithm::hex;

/// A moment and a number, 16 octets.
type Body = [u8; 16];
/// Half of HMAC-SHA-256 (RFC 2104 §5): nobody guesses 128 bits within a nonce's life.
const MAC_LEN: usize = 16;

/// What a nonce was when it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Nonce {
    issued: Instant,
    /// Who was challenged (32 bits), and which challenge it was.
    number: u64,
}

impl Nonce {
    pub(super) fn new(issued: Instant, asker: u32, number: u32) -> Self {
        Self {
            issued,
            number: u64::from(asker) << 32 | u64::from(number),
        }
    }

    /// True where it was made for this asker.
    pub(super) fn is_for(self, asker: u32) -> bool {
        self.number >> 32 == u64::from(asker)
    }

    /// The nonce as it travels.
    pub(super) fn sealed(self, key: &[u8]) -> String {
        let body = self.body();
        let mut text = hex(&body);
        text.push_str(&hex(&mac(key, &body)));
        text
    }

    /// The nonce, where it is one of ours.
    pub(super) fn open(text: &str, key: &[u8]) -> Option<Self> {
        let octets = unhex(text)?;
        let (body, theirs) = octets.split_first_chunk::<16>()?;
        if !bool::from(mac(key, body).as_slice().ct_eq(theirs)) {
            return None;
        }
        let (issued, number) = body.split_first_chunk::<8>()?;
        Some(Self {
            issued: Instant::from_micros(u64::from_be_bytes(*issued)),
            number: u64::from_be_bytes(number.try_into().ok()?),
        })
    }

    /// True where it is too old, or from a time that is yet to come.
    pub(super) fn is_expired(self, now: Instant, life: Duration) -> bool {
        self.issued > now || now.since(self.issued) > life
    }

    fn body(self) -> Body {
        let mut body = Body::default();
        let (issued, number) = body.split_at_mut(8);
        issued.copy_from_slice(&self.issued.as_micros().to_be_bytes());
        number.copy_from_slice(&self.number.to_be_bytes());
        body
    }
}

/// Which nonce counts were used, for nonces that were used rightly at least once.
///
/// Bounded: where it is full the oldest nonce goes, and from then on nonces as old as that are
/// stale, so that forgetting never lets a replay through.
#[derive(Clone, Debug)]
pub struct NonceTable {
    used: BTreeMap<Nonce, Window>,
    capacity: usize,
    /// Nonces up to this one are forgotten.
    forgotten: Option<Nonce>,
}

/// The highest count used, and which of the 64 below it (bit n: `highest - 1 - n`).
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    highest: u32,
    below: u64,
}

impl NonceTable {
    /// For 65,536 nonces (about 6 MiB): a phone that takes a new one for each request, a few requests
    /// a second at that, pushes out nobody else's within a nonce's life.
    pub const DEFAULT_CAPACITY: usize = 65_536;

    /// A table for so many nonces, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            used: BTreeMap::new(),
            capacity: capacity.max(1),
            forgotten: None,
        }
    }

    /// How many nonces are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used.len()
    }

    /// True where none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used.is_empty()
    }

    /// Notes the use of a count; false where it was used before, or where it can't be told.
    pub(super) fn try_use(&mut self, nonce: Nonce, nc: u32) -> bool {
        if let Some(window) = self.used.get_mut(&nonce) {
            return window.try_use(nc);
        }
        if self.forgotten.is_some_and(|forgotten| nonce <= forgotten) {
            return false;
        }
        let mut window = Window::default();
        if !window.try_use(nc) {
            return false;
        }
        if self.used.len() >= self.capacity
            && let Some((oldest, _)) = self.used.pop_first()
        {
            self.forgotten = self.forgotten.max(Some(oldest));
            if nonce <= oldest {
                return false;
            }
        }
        self.used.insert(nonce, window);
        true
    }

    /// Drops nonces that are too old to be accepted anyway.
    pub(super) fn expire(&mut self, now: Instant, life: Duration) {
        while let Some(first) = self.used.first_entry()
            && first.key().is_expired(now, life)
        {
            first.remove();
        }
    }
}

impl Default for NonceTable {
    fn default() -> Self {
        Self::new(Self::DEFAULT_CAPACITY)
    }
}

impl Window {
    /// Requests may overtake one another on UDP, so lower counts pass once, the last 64 of them.
    fn try_use(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            let ahead = nc - self.highest;
            let shifted = self.below.checked_shl(ahead).unwrap_or(0);
            // The old highest is now `ahead - 1` places below; count 0 was never used.
            let old = if self.highest > 0 {
                1u64.checked_shl(ahead - 1).unwrap_or(0)
            } else {
                0
            };
            self.below = shifted | old;
            self.highest = nc;
            return true;
        }
        let below = self.highest - nc;
        let bit = match below.checked_sub(1) {
            Some(place) => 1u64.checked_shl(place).unwrap_or(0),
            None => 0,
        };
        if nc == 0 || bit == 0 || self.below & bit != 0 {
            return false;
        }
        self.below |= bit;
        true
    }
}

fn mac(key: &[u8], body: &Body) -> [u8; MAC_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(body);
    let whole = mac.finalize().into_bytes();
    let mut half = [0; MAC_LEN];
    for (to, from) in half.iter_mut().zip(whole) {
        *to = from;
    }
    half
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    // Sealed nonces have one length; nothing longer is worth reading.
    if text.len() != 2 * (16 + MAC_LEN) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| {
            let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
            u8::try_from(digit(0)? << 4 | digit(1)?).ok()
        })
        .collect()
}
