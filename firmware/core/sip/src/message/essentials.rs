//! What every message must have, read at once (RFC 3261 §8.1.1, §8.2.6, §18.1.2).

use super::error::{HeaderError, HeaderFault};
use super::fields::{CSeq, CallId, MaxForwards, NameAddr, Via};
use super::{HeaderName, Headers, Request, Response};

/// The fields a transaction can't do without, checked and in typed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Essentials {
    /// The topmost Via.
    pub via: Via,
    /// Who asks.
    pub from: NameAddr,
    /// Whom.
    pub to: NameAddr,
    /// The Call-ID.
    pub call_id: CallId,
    /// The number, and the method.
    pub cseq: CSeq,
    /// Hops left. `None` where absent, as in responses and from peers of RFC 2543.
    pub max_forwards: Option<u8>,
}

impl Request {
    /// Reads the essentials; the error is to be answered with its status, 400.
    ///
    /// # Errors
    /// Where one is missing, repeated or malformed, or the `CSeq` names another method
    /// (RFC 4475 §3.1.2.17, §3.3.1, §3.3.8).
    pub fn essentials(&self) -> Result<Essentials, HeaderError> {
        let essentials = Essentials::read(&self.headers)?;
        if essentials.cseq.method == self.method {
            Ok(essentials)
        } else {
            Err(HeaderError::new(HeaderName::CSeq, HeaderFault::Mismatch))
        }
    }
}

impl Response {
    /// Reads the essentials; a response without them is to be dropped.
    ///
    /// # Errors
    /// Where one is missing, repeated or malformed.
    pub fn essentials(&self) -> Result<Essentials, HeaderError> {
        Essentials::read(&self.headers)
    }
}

impl Essentials {
    fn read(headers: &Headers) -> Result<Self, HeaderError> {
        Ok(Self {
            via: headers.via()?,
            from: headers.from()?,
            to: headers.to()?,
            call_id: headers.call_id()?,
            cseq: headers.cseq()?,
            max_forwards: headers
                .typed_opt::<MaxForwards>(HeaderName::MaxForwards)?
                .map(|MaxForwards(hops)| hops),
        })
    }
}
