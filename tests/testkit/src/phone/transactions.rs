//! The phone's transactions, as little of RFC 3261 §17 as makes calls work over a bad network.

use core::time::Duration;

use model::Instant;
use rsip::Method;

use super::message::{Draft, Msg};

/// T1: the first retransmission.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// T2: the longest interval.
pub(crate) const T2: Duration = Duration::from_secs(4);
/// 64 × T1: nobody answers.
pub(crate) const GIVE_UP: Duration = Duration::from_secs(32);

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Register,
    Invite(usize),
    Reinvite(usize),
    Update(usize),
    Bye(usize),
    Cancel(usize),
    Refer(usize),
    Prack(usize),
    Other,
}

/// A request, so that it can be sent again with other credentials.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) call_id: String,
    pub(crate) seq: u32,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<(&'static str, String)>,
}

impl Request {
    pub(crate) fn draft(&self, via: &str) -> Draft {
        let mut draft = Draft::request(self.method, &self.uri)
            .with("Via", via)
            .with("Max-Forwards", "70")
            .with("From", &self.from)
            .with("To", &self.to)
            .with("Call-ID", &self.call_id)
            .with("CSeq", format!("{} {}", self.seq, self.method));
        for (name, value) in &self.headers {
            draft = draft.with(name, value);
        }
        match &self.body {
            Some((kind, text)) => draft.body(kind, text.clone()),
            None => draft,
        }
    }

    /// The request with a header field in place of what it had of that name.
    pub(crate) fn replace(&mut self, name: &str, value: String) {
        self.headers
            .retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
    }
}

/// A request that waits for its final response.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) branch: String,
    pub(crate) request: Request,
    pub(crate) octets: Vec<u8>,
    pub(crate) purpose: Purpose,
    pub(crate) retry_at: Option<Instant>,
    pub(crate) interval: Duration,
    pub(crate) deadline: Instant,
    pub(crate) provisional: bool,
    pub(crate) challenged: u8,
    /// The ACK of a refusal, sent again when that comes again.
    pub(crate) ack: Option<Vec<u8>>,
}

impl Client {
    pub(crate) fn timeout(&self) -> Instant {
        self.retry_at
            .map_or(self.deadline, |at| at.min(self.deadline))
    }

    /// The next interval: INVITE doubles for ever, others up to T2.
    pub(crate) fn back_off(&mut self, now: Instant) {
        self.interval *= 2;
        if self.request.method != Method::Invite {
            self.interval = if self.provisional {
                T2
            } else {
                self.interval.min(T2)
            };
        }
        self.retry_at = Some(now + self.interval);
    }
}

/// A request that came, and its last response.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) branch: String,
    pub(crate) method: Method,
    pub(crate) request: Msg,
    pub(crate) response: Option<Vec<u8>>,
    /// A final response to an INVITE is sent again until the ACK.
    pub(crate) retry_at: Option<Instant>,
    pub(crate) interval: Duration,
    pub(crate) deadline: Instant,
    /// The call it belongs to, for a 2xx or a reliable provisional that waits.
    pub(crate) call: Option<usize>,
}

impl Server {
    pub(crate) fn timeout(&self) -> Instant {
        self.retry_at
            .map_or(self.deadline, |at| at.min(self.deadline))
    }
}
