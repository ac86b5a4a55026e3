//! Comma lists: one line or many, the same list (RFC 3261 §7.3.1).

use super::HeaderValue;
use super::chars::trim;

/// The elements of all header fields of one name, in order, blanks trimmed.
///
/// A comma inside a quoted string or angle brackets does not part elements. A field without any octet
/// has no element; an element without any octet is yielded as it is, for the field's grammar to judge.
#[derive(Clone, Debug)]
pub struct Elements<'a, I> {
    lines: I,
    rest: Option<&'a [u8]>,
}

impl<'a, I: Iterator<Item = &'a HeaderValue>> Elements<'a, I> {
    pub(crate) const fn new(lines: I) -> Self {
        Self { lines, rest: None }
    }
}

impl<'a, I: Iterator<Item = &'a HeaderValue>> Iterator for Elements<'a, I> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            if let Some(rest) = self.rest.take() {
                let (element, after) = split_element(rest);
                self.rest = after;
                return Some(element);
            }
            let line = self.lines.next()?.as_bytes();
            if !line.is_empty() {
                self.rest = Some(line);
            }
        }
    }
}

/// The first element, and what follows its comma.
pub(crate) fn split_element(list: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut quoted = false;
    let mut escaped = false;
    let mut bracketed = false;
    for (at, &byte) in list.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !bracketed => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            b',' if !quoted && !bracketed => {
                let (element, rest) = list.split_at(at);
                return (trim(element), rest.get(1..));
            }
            _ => {}
        }
    }
    (trim(list), None)
}
