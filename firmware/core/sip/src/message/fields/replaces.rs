//! `Replaces`, and `Join` and `Target-Dialog` of the same form (RFC 3891 §6.1, RFC 3911, RFC 4538).

use super::{CallId, Field, display_field};
use crate::message::chars::{Cursor, trim};
use crate::message::error::Malformed;
use crate::message::{Params, SipUri};

/// The dialog that a new one takes the place of, as its receiver sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// The dialog's Call-ID.
    pub call_id: CallId,
    /// The tag of the receiver's own side.
    pub to_tag: String,
    /// The tag of the other side.
    pub from_tag: String,
    /// Only where the dialog is still early.
    pub early_only: bool,
}

impl Replaces {
    /// The `?Replaces=…` of a Refer-To URI, where it has one.
    ///
    /// # Errors
    /// Where it breaks the grammar.
    pub fn in_uri(uri: &SipUri) -> Result<Option<Self>, Malformed> {
        uri.header("Replaces")
            .map(|value| Self::parse(&value))
            .transpose()
    }
}

impl Field for Replaces {
    fn parse(value: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(value);
        cursor.skip_blanks();
        let call_id = CallId::parse(trim(cursor.take_while(|byte| byte != b';')))?;
        let params = Params::take(&mut cursor)?;
        cursor.finish("octets after the parameters")?;
        let tag = |name| params.value(name).map(str::to_owned);
        Ok(Self {
            call_id,
            to_tag: tag("to-tag").ok_or(Malformed("no to-tag"))?,
            from_tag: tag("from-tag").ok_or(Malformed("no from-tag"))?,
            early_only: params.contains("early-only"),
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.call_id.write(out);
        let mut params = Params::new();
        params.set("to-tag", self.to_tag.as_str());
        params.set("from-tag", self.from_tag.as_str());
        if self.early_only {
            params.set_flag("early-only");
        }
        params.write(out);
    }
}

display_field!(Replaces);
