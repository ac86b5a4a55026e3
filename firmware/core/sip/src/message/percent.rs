//! Escapes in URIs (RFC 3261 §19.1.2, RFC 3986 §2.1).

use super::error::Malformed;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A part of a URI as it is kept: allowed characters and escapes stay, what should have been escaped
/// is escaped now, what would break the line is refused.
pub(crate) fn normalise(
    raw: &[u8],
    allowed: impl Fn(u8) -> bool,
    what: &'static str,
) -> Result<String, Malformed> {
    // Nearly always there is nothing to do.
    if let Ok(text) = core::str::from_utf8(raw)
        && raw
            .iter()
            .all(|&byte| byte.is_ascii_graphic() && byte != b'%' && allowed(byte))
        && !raw.iter().any(|byte| matches!(byte, b'<' | b'>' | b'"'))
    {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' if escape(after).is_some() => out.push('%'),
            0..=b' ' | 0x7f | b'<' | b'>' | b'"' => return Err(Malformed(what)),
            _ => push(byte, &allowed, &mut out),
        }
    }
    Ok(out)
}

/// Plain text as a part of a URI: what is not allowed is escaped, `%` always.
pub(crate) fn encode(plain: &str, allowed: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(plain.len());
    for byte in plain.bytes() {
        push(byte, &allowed, &mut out);
    }
    out
}

/// The octets behind a part of a URI.
pub(crate) fn decode(part: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, escape(after)) {
            (b'%', Some(octet)) => {
                out.push(octet);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => out.push(byte),
        }
    }
    out
}

/// One character of a part, and whether it was escaped.
pub(crate) fn characters(part: &str) -> impl Iterator<Item = (u8, bool)> + '_ {
    let mut rest = part.as_bytes();
    core::iter::from_fn(move || {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match (byte, escape(after)) {
            (b'%', Some(octet)) => {
                rest = after.get(2..).unwrap_or_default();
                Some((octet, true))
            }
            _ => Some((byte, false)),
        }
    })
}

fn push(byte: u8, allowed: impl Fn(u8) -> bool, out: &mut String) {
    if byte != b'%' && byte.is_ascii_graphic() && allowed(byte) {
        out.push(char::from(byte));
    } else {
        out.push('%');
        for nibble in [byte >> 4, byte & 0x0f] {
            out.push(char::from(
                HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'),
            ));
        }
    }
}

/// The octet of the two hexadecimal digits at the start.
fn escape(after: &[u8]) -> Option<u8> {
    match after {
        [high, low, ..] => Some((digit(*high)? << 4) | digit(*low)?),
        _ => None,
    }
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
