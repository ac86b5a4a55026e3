//! Addresses: From, To, Contact, Route and their kin (RFC 3261 §20.10, §20.20, §20.34, §20.39).

use super::{Field, display_field};
use crate::message::chars::{
    Cursor, decimal, is_token, seconds, text, trim, unquote, write_quoted,
};
use crate::message::error::Malformed;
use crate::message::{Params, Uri};

/// A display name, a URI and parameters: `"Bob" <sip:bob@example.com>;tag=1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name without quotes; `None` where there is none, or an empty one.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// Parameters of the field, not of the URI.
    pub params: Params,
}

/// An address of a `Contact` field; what the field's own parameters mean (RFC 3261 §20.10, RFC 5626).
pub type Contact = NameAddr;

/// The `Contact` fields of a message taken together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `*`: all of them (RFC 3261 §10.2.2).
    Star,
    /// Addresses, perhaps none.
    List(Vec<Contact>),
}

impl NameAddr {
    /// An address alone.
    #[must_use]
    pub fn new(uri: impl Into<Uri>) -> Self {
        Self {
            display: None,
            uri: uri.into(),
            params: Params::new(),
        }
    }

    /// This, with a display name. An empty one is none.
    #[must_use]
    pub fn with_display(mut self, display: &str) -> Self {
        self.display = Some(display.to_owned()).filter(|display| !display.is_empty());
        self
    }

    /// This, with a tag (RFC 3261 §19.3).
    #[must_use]
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", tag);
        self
    }

    /// The tag of a From or To.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag")
    }

    /// The preference of a Contact in thousandths, 1000 where it names none (RFC 3261 §20.10).
    #[must_use]
    pub fn q_thousandths(&self) -> u16 {
        self.params.value("q").and_then(thousandths).unwrap_or(1000)
    }

    /// The lifetime of a Contact in seconds, where it names one.
    ///
    /// # Errors
    /// Where it is no number; one too great is read as the greatest.
    pub fn expires(&self) -> Result<Option<u32>, Malformed> {
        self.params
            .value("expires")
            .map(|value| seconds(value.as_bytes(), "expires"))
            .transpose()
    }

    /// `+sip.instance` without its angle brackets (RFC 5626 §4.1).
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        let value = self.params.value("+sip.instance")?;
        Some(
            value
                .strip_prefix('<')
                .and_then(|value| value.strip_suffix('>'))
                .unwrap_or(value),
        )
    }

    /// `reg-id` (RFC 5626 §4.2).
    #[must_use]
    pub fn reg_id(&self) -> Option<u32> {
        decimal(self.params.value("reg-id")?.as_bytes(), "reg-id").ok()
    }
}

impl Field for NameAddr {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let bracketed = cursor.peek() == Some(b'"') || cursor.rest().contains(&b'<');
        let (display, uri) = if bracketed {
            take_name_addr(&mut cursor)?
        } else {
            (None, take_addr_spec(&mut cursor)?)
        };
        let params = Params::take(&mut cursor)?;
        cursor.finish("octets after the address")?;
        Ok(Self {
            display,
            uri,
            params,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Some(display) = self.display.as_deref().filter(|name| !name.is_empty()) {
            write_quoted(display, out);
            out.push(b' ');
        }
        // Brackets always: a URI with a comma, question mark or semicolon needs them (§20.10).
        out.push(b'<');
        self.uri.write(out);
        out.push(b'>');
        self.params.write(out);
    }
}

impl Contacts {
    /// The addresses; none for `*`.
    #[must_use]
    pub fn list(&self) -> &[Contact] {
        match self {
            Self::Star => &[],
            Self::List(list) => list,
        }
    }

    /// True for `*`.
    #[must_use]
    pub const fn is_star(&self) -> bool {
        matches!(self, Self::Star)
    }

    pub(crate) fn collect<'a>(elements: impl Iterator<Item = &'a [u8]>) -> Result<Self, Malformed> {
        let mut star = false;
        let mut list = Vec::new();
        for element in elements {
            if element == b"*" {
                star = true;
            } else {
                list.push(Contact::parse(element)?);
            }
        }
        match (star, list.is_empty()) {
            (false, _) => Ok(Self::List(list)),
            (true, true) => Ok(Self::Star),
            (true, false) => Err(Malformed("`*` beside an address")),
        }
    }
}

/// `[ display-name ] LAQUOT addr-spec RAQUOT`
fn take_name_addr(cursor: &mut Cursor<'_>) -> Result<(Option<String>, Uri), Malformed> {
    let display = if cursor.peek() == Some(b'"') {
        let name = unquote(cursor.quoted()?);
        cursor.skip_blanks();
        name
    } else {
        let name = trim(cursor.take_while(|byte| byte != b'<'));
        if !name.iter().copied().all(is_display_char) {
            return Err(Malformed("display name"));
        }
        text(name)
    };
    if !cursor.eat(b'<') {
        return Err(Malformed("no address after the display name"));
    }
    let uri = Uri::parse(cursor.take_while(|byte| byte != b'>'))?;
    if !cursor.eat(b'>') {
        return Err(Malformed("address without closing bracket"));
    }
    Ok((Some(display).filter(|name| !name.is_empty()), uri))
}

/// A bare URI: it ends where the field's parameters begin, so it can have none itself (§20.10).
fn take_addr_spec(cursor: &mut Cursor<'_>) -> Result<Uri, Malformed> {
    let raw = cursor.take_while(|byte| !matches!(byte, b';' | b' ' | b'\t'));
    if raw.iter().any(|byte| matches!(byte, b'?' | b',')) {
        return Err(Malformed("URI needs angle brackets"));
    }
    Uri::parse(raw)
}

/// Tokens and blanks by the grammar; besides them what old phones send and nothing can mistake.
const fn is_display_char(byte: u8) -> bool {
    is_token(byte)
        || byte >= 0x80
        || matches!(
            byte,
            b' ' | b'\t' | b'(' | b')' | b'/' | b'&' | b'#' | b'$' | b'=' | b'?' | b'[' | b']'
        )
}

/// `qvalue` in thousandths.
fn thousandths(q: &str) -> Option<u16> {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match (whole, fraction) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

display_field!(NameAddr);
