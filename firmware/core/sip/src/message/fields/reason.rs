//! `Reason` (RFC 3326 §2).

use model::Cause;

use super::{Field, display_field};
use crate::message::chars::{Cursor, decimal, text};
use crate::message::error::Malformed;
use crate::message::{ParamValue, Params, StatusCode};

/// Why a request was sent: a protocol and its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// `Q.850`, `SIP`, or another.
    pub protocol: String,
    /// `;cause=…`, `;text=…`
    pub params: Params,
}

impl Reason {
    /// A cause of Q.850, with its words.
    #[must_use]
    pub fn q850(cause: Cause) -> Self {
        Self::new("Q.850", cause.value().into(), cause.text())
    }

    /// A SIP status, with its words.
    #[must_use]
    pub fn sip(status: StatusCode) -> Self {
        Self::new("SIP", status.code(), status.reason())
    }

    /// The cause of Q.850, where it is one.
    #[must_use]
    pub fn q850_cause(&self) -> Option<Cause> {
        if !self.protocol.eq_ignore_ascii_case("Q.850") {
            return None;
        }
        u8::try_from(self.cause()?)
            .ok()
            .filter(|cause| *cause < 128)
            .map(Cause::from_wire)
    }

    /// The status, where it is one of SIP.
    #[must_use]
    pub fn sip_status(&self) -> Option<StatusCode> {
        if !self.protocol.eq_ignore_ascii_case("SIP") {
            return None;
        }
        StatusCode::new(u16::try_from(self.cause()?).ok()?)
    }

    /// The number of the cause.
    #[must_use]
    pub fn cause(&self) -> Option<u32> {
        decimal(self.params.value("cause")?.as_bytes(), "cause").ok()
    }

    /// The words.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.params.value("text")
    }

    fn new(protocol: &str, cause: u16, words: &str) -> Self {
        Self {
            protocol: protocol.to_owned(),
            params: Params::new()
                .with("cause", cause.to_string())
                .with("text", ParamValue::quoted(words)),
        }
    }
}

impl Field for Reason {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let protocol = text(cursor.token("protocol")?);
        let params = Params::take(&mut cursor)?;
        cursor.finish("octets after the parameters")?;
        Ok(Self { protocol, params })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.protocol.as_bytes());
        self.params.write(out);
    }
}

display_field!(Reason);
