//! The tape: who sent what to whom, when. It is the ladder of a failed test, and the proof that the
//! same seed gives the same world.

use core::fmt::Write;

use model::Instant;

/// Lines kept; a flood leaves its end.
const LINES: usize = 20_000;

/// What happened, in order.
#[derive(Debug, Default)]
pub struct Tape {
    lines: std::collections::VecDeque<(Instant, String)>,
    /// A running digest of all octets, for comparing whole worlds.
    digest: u64,
}

impl Tape {
    /// A message left `from` for `to`.
    pub(crate) fn sent(
        &mut self,
        now: Instant,
        from: &str,
        to: &str,
        octets: &[u8],
        arrives: bool,
    ) {
        self.mix(now, octets);
        let first = first_line(octets);
        let fate = if arrives { "" } else { "   (lost)" };
        self.line(now, format!("{from} → {to}  {first}{fate}"));
    }

    /// Octets of a packet that gets no line.
    pub(crate) fn mix(&mut self, now: Instant, octets: &[u8]) {
        // FNV-1a
        for octet in now.as_micros().to_be_bytes().iter().chain(octets) {
            self.digest = (self.digest ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Something else happened.
    pub(crate) fn note(&mut self, now: Instant, text: impl Into<String>) {
        let text = text.into();
        self.mix(now, text.as_bytes());
        self.line(now, format!("  · {text}"));
    }

    fn line(&mut self, now: Instant, text: String) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back((now, text));
    }

    /// The ladder with times in ms.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (at, line) in &self.lines {
            let us = at.as_micros();
            // Writing to a string can't fail.
            let _ = writeln!(out, "{:>9}.{:03}  {line}", us / 1000, us % 1000);
        }
        out
    }

    /// The messages alone, without times: for exact comparison.
    #[must_use]
    pub fn ladder(&self) -> Vec<&str> {
        (self.lines.iter())
            .map(|(_, line)| line.as_str())
            .filter(|line| !line.starts_with("  ·"))
            .collect()
    }

    /// Messages sent so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Nothing happened yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Stands for every octet sent and its time.
    #[must_use]
    pub const fn digest(&self) -> u64 {
        self.digest
    }
}

/// The start line without its version, with what tells requests apart: `INVITE 102`, `180 INVITE`.
fn first_line(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets.get(..octets.len().min(1500)).unwrap_or_default());
    let Some(first) = text.lines().next() else {
        return "(empty)".into();
    };
    if let Some(status) = first.strip_prefix("SIP/2.0 ") {
        let method = text
            .lines()
            .find_map(|line| line.strip_prefix("CSeq: ")?.split(' ').nth(1))
            .unwrap_or("?");
        let code = status.split(' ').next().unwrap_or_default();
        return format!("{code} {method}");
    }
    let mut words = first.split(' ');
    let (method, uri) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    if method.len() > 20 || method.is_empty() {
        return format!("({} octets)", octets.len());
    }
    let user = uri
        .strip_prefix("sip:")
        .and_then(|rest| rest.split_once('@'))
        .map(|(user, _)| user);
    match user {
        Some(user) => format!("{method} {user}"),
        None => method.to_owned(),
    }
}
