//! Character classes of RFC 3261 §25.1 and a cursor over the octets of one header value.
//!
//! Values reach the cursor unfolded: line ends have become blanks.

use super::error::Malformed;

/// `token`.
pub(crate) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        )
}

/// `mark` and alphanumerics: what stands unescaped anywhere in a URI.
pub(crate) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')'
        )
}

/// Blank: space or tab. Line ends are gone by now.
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Where `byte` first stands. Eight octets a step: most of parsing is looking for the next line end.
pub(crate) fn find(byte: u8, bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let pattern = LOW.wrapping_mul(u64::from(byte));
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // Zero octets mark hits; the lowest marked one is exact, borrows only reach higher ones.
        let word = u64::from_le_bytes(*word) ^ pattern;
        let hits = word.wrapping_sub(LOW) & !word & HIGH;
        if hits != 0 {
            return Some(at * 8 + hits.trailing_zeros() as usize / 8);
        }
    }
    rest.iter()
        .position(|&own| own == byte)
        .map(|at| words.len() * 8 + at)
}

/// The slice without blanks at its ends.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Octets as text: UTF-8 where they are, else Latin-1, as phones of before RFC 3261 send.
pub(crate) fn text(bytes: &[u8]) -> String {
    match core::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// A decimal number of up to ten digits' value, leading zeros allowed (RFC 3261 §25.1, `1*DIGIT`).
pub(crate) fn decimal(bytes: &[u8], what: &'static str) -> Result<u32, Malformed> {
    if bytes.is_empty() {
        return Err(Malformed(what));
    }
    bytes.iter().try_fold(0u32, |sum, &byte| {
        if !byte.is_ascii_digit() {
            return Err(Malformed(what));
        }
        sum.checked_mul(10)
            .and_then(|sum| sum.checked_add(u32::from(byte - b'0')))
            .ok_or(Malformed(what))
    })
}

/// A decimal number, any too great one read as `u32::MAX` (RFC 3261 §20.19: delta-seconds).
pub(crate) fn seconds(bytes: &[u8], what: &'static str) -> Result<u32, Malformed> {
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return Err(Malformed(what));
    }
    Ok(decimal(bytes, what).unwrap_or(u32::MAX))
}

/// A place in a header value.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn bump(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    pub(crate) fn skip_blanks(&mut self) {
        while let [first, rest @ ..] = self.rest
            && is_blank(*first)
        {
            self.rest = rest;
        }
    }

    /// Takes `byte` where it stands next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.bump();
        }
        found
    }

    /// Takes `byte` with blanks around it, as SEMI, EQUAL, SLASH and COMMA allow; else takes nothing.
    pub(crate) fn eat_separator(&mut self, byte: u8) -> bool {
        let start = *self;
        self.skip_blanks();
        if self.eat(byte) {
            self.skip_blanks();
            true
        } else {
            *self = start;
            false
        }
    }

    /// The longest run of octets of the class; may be empty.
    pub(crate) fn take_while(&mut self, class: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self
            .rest
            .iter()
            .position(|&byte| !class(byte))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// A token, not empty.
    pub(crate) fn token(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        match self.take_while(is_token) {
            [] => Err(Malformed(what)),
            token => Ok(token),
        }
    }

    /// The inside of a quoted string, escapes still in it. The opening quote stands next.
    pub(crate) fn quoted(&mut self) -> Result<&'a [u8], Malformed> {
        const WHAT: Malformed = Malformed("quoted string without end");
        if !self.eat(b'"') {
            return Err(WHAT);
        }
        let mut escaped = false;
        for (at, &byte) in self.rest.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    let (inside, rest) = self.rest.split_at(at);
                    self.rest = rest;
                    self.bump();
                    return Ok(inside);
                }
                _ => {}
            }
        }
        Err(WHAT)
    }

    /// Refuses what is left, blanks excepted.
    pub(crate) fn finish(mut self, what: &'static str) -> Result<(), Malformed> {
        self.skip_blanks();
        if self.at_end() {
            Ok(())
        } else {
            Err(Malformed(what))
        }
    }
}

/// The text of a quoted string's inside (RFC 3261 §25.1, `quoted-pair`).
pub(crate) fn unquote(inside: &[u8]) -> String {
    if !inside.contains(&b'\\') {
        return text(inside);
    }
    let mut plain = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => plain.extend(bytes.next()),
            _ => plain.push(byte),
        }
    }
    text(&plain)
}

/// Prints a quoted string.
pub(crate) fn write_quoted(plain: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in plain.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            // A line end can't stand in a header value, not even escaped.
            b'\r' | b'\n' => out.push(b' '),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Prints a decimal number.
pub(crate) fn write_decimal(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut left = number;
    let mut count = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (left % 10) as u8;
        left /= 10;
        count += 1;
        if left == 0 {
            break;
        }
    }
    out.extend(digits.iter().skip(digits.len() - count));
}
