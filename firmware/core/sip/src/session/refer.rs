//! Transfers that the peer asks for: REFER and its implicit subscription (RFC 3515, RFC 4488).
//!
//! ```text
//!  Asked --accept: 202, NOTIFY 100--> Active --final status: NOTIFY, terminated--> gone
//!    | refuse: status --> gone          | NOTIFY one after the other; of provisional ones the last
//!    | nothing in 5 min: gone           | NOTIFY is refused: gone
//!                                       | nothing final in 5 min: NOTIFY 408, terminated --> gone
//! ```
//! The subscription outlives the session: a phone that transfers often hangs up at once.

use bytes::Bytes;

use super::{Session, SessionTimer, Stage};
use crate::endpoint::limits::{KEPT_PARTY_BYTES, REFERS};
use crate::endpoint::{Core, Event, Outcome, Purpose, ReferId, TimerHandle};
use crate::message::{
    self, HeaderName, Method, Replaces, Request, RetryAfter, StatusCode, SubscriptionState, Uri,
};
use crate::transaction::ServerId;

/// How long the exchange may take to carry out a transfer: longer than any phone rings.
const LIMIT_S: u32 = 300;

/// One transfer.
#[derive(Debug)]
pub(super) struct Refer {
    pub(super) id: ReferId,
    /// The REFER's transaction while it has no answer.
    asked: Option<ServerId>,
    /// `CSeq` number of the REFER: names the subscription among others in the dialog (RFC 3515 §2.4.6).
    seq: u32,
    /// The referrer wants no NOTIFYs.
    quiet: bool,
    /// A NOTIFY is under way.
    notifying: bool,
    /// To be notified next.
    next: Option<StatusCode>,
    /// The last one has been sent.
    last_sent: bool,
    /// The exchange has not said in time how it ended.
    timed_out: bool,
    limit: Option<TimerHandle>,
}

impl Session {
    /// REFER in a dialog.
    pub(super) fn on_refer(
        &mut self,
        core: &mut Core,
        server: ServerId,
        id: ReferId,
        request: &Request,
        seq: u32,
    ) {
        let (uri, replaces) = match refer_to(request) {
            Ok(target) => target,
            Err(status) => {
                core.respond_status(server, status);
                return;
            }
        };
        if self.silent {
            // The exchange has ended the session and only waits for the ACK: nobody would answer.
            core.respond_status(server, StatusCode::CALL_DOES_NOT_EXIST);
            return;
        }
        if self.refers.len() >= REFERS || !matches!(self.stage, Stage::Confirmed) {
            self.too_many_refers(core, server);
            return;
        }
        let quiet = request
            .headers
            .raw(&HeaderName::ReferSub)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"false"));
        let mut limit = None;
        let limit_ms = u64::from(LIMIT_S) * 1000;
        self.start(core, &mut limit, SessionTimer::Refer(id), limit_ms);
        self.refers.push(Refer {
            id,
            asked: Some(server),
            seq,
            quiet,
            notifying: false,
            next: None,
            last_sent: false,
            timed_out: false,
            limit,
        });
        let event = Event::Referred {
            session: self.id,
            refer: id,
            to: uri,
            replaces,
            referred_by: request
                .headers
                .raw(&HeaderName::ReferredBy)
                .filter(|value| value.as_bytes().len() <= KEPT_PARTY_BYTES)
                .map(message::HeaderValue::to_text),
        };
        self.tell(core, event);
    }

    fn too_many_refers(&mut self, core: &mut Core, server: ServerId) {
        if let Some(mut response) = core.response(server, StatusCode::SERVICE_UNAVAILABLE) {
            response
                .headers
                .push(HeaderName::RetryAfter, RetryAfter::new(10));
            core.respond(server, &response);
        }
    }

    /// 202, and the first NOTIFY.
    pub(crate) fn accept_refer(&mut self, core: &mut Core, id: ReferId) {
        let Some(refer) = self.refers.iter_mut().find(|refer| refer.id == id) else {
            return;
        };
        let Some(server) = refer.asked.take() else {
            return;
        };
        let quiet = refer.quiet;
        if let Some(mut response) = core.response(server, StatusCode::ACCEPTED) {
            response
                .headers
                .push(HeaderName::Contact, self.contact.clone());
            if quiet {
                response.headers.push(HeaderName::ReferSub, "false");
            }
            core.respond(server, &response);
        }
        self.notify_refer(core, id, StatusCode::TRYING);
    }

    /// Refuses.
    pub(crate) fn refuse_refer(&mut self, core: &mut Core, id: ReferId, status: StatusCode) {
        let asked = self
            .refers
            .iter_mut()
            .find(|refer| refer.id == id)
            .and_then(|refer| refer.asked.take());
        if let Some(server) = asked {
            let status = if status.is_failure() {
                status
            } else {
                StatusCode::DECLINE
            };
            core.respond_status(server, status);
            self.forget_refer(core, id);
        }
    }

    /// How the transfer goes.
    pub(crate) fn notify_refer(&mut self, core: &mut Core, id: ReferId, status: StatusCode) {
        let Some(refer) = self.refers.iter_mut().find(|refer| refer.id == id) else {
            return;
        };
        if refer.asked.is_some() || refer.last_sent || refer.next.is_some_and(StatusCode::is_final)
        {
            return;
        }
        if refer.quiet {
            if status.is_final() {
                self.forget_refer(core, id);
            }
            return;
        }
        refer.next = Some(status);
        self.send_notify(core, id);
    }

    fn send_notify(&mut self, core: &mut Core, id: ReferId) {
        let Some(refer) = self.refers.iter_mut().find(|refer| refer.id == id) else {
            return;
        };
        let (false, Some(status), Some(dialog)) =
            (refer.notifying, refer.next, self.dialogs.first_mut())
        else {
            return;
        };
        refer.notifying = true;
        refer.next = None;
        refer.last_sent = status.is_final();
        let mut request = dialog.request(Method::Notify, &core.values);
        let headers = &mut request.headers;
        headers.push(HeaderName::Contact, self.contact.clone());
        headers.push(HeaderName::Event, format!("refer;id={}", refer.seq));
        headers.push(
            HeaderName::SubscriptionState,
            if status.is_final() {
                SubscriptionState::terminated(if refer.timed_out {
                    "timeout"
                } else {
                    "noresource"
                })
            } else {
                SubscriptionState::active(LIMIT_S)
            },
        );
        headers.push(HeaderName::ContentType, "message/sipfrag;version=2.0");
        let sipfrag = format!("SIP/2.0 {} {}\r\n", status.code(), status.reason());
        request.body = Bytes::from(sipfrag);
        let flow = dialog.flow;
        self.send(core, flow, request, Purpose::Notify(id));
    }

    pub(super) fn on_notified(&mut self, core: &mut Core, id: ReferId, outcome: &Outcome) {
        let over = match outcome {
            Outcome::Response(response) if response.status.is_provisional() => return,
            // RFC 6665 §4.2.2: who does not take a NOTIFY has no subscription any more.
            Outcome::Response(response) => response.status.is_failure(),
            Outcome::Timeout | Outcome::TransportFailed => true,
        };
        let Some(refer) = self.refers.iter_mut().find(|refer| refer.id == id) else {
            return;
        };
        refer.notifying = false;
        if over || refer.last_sent {
            self.forget_refer(core, id);
        } else {
            self.send_notify(core, id);
        }
    }

    pub(super) fn refer_forgotten(&mut self, core: &mut Core, id: ReferId) {
        let Some(refer) = self.refers.iter_mut().find(|refer| refer.id == id) else {
            return;
        };
        refer.limit = None;
        let reachable = !self.dialogs.is_empty();
        if refer.asked.is_some() || refer.quiet || !reachable {
            self.forget_refer(core, id);
        } else if !refer.last_sent && !refer.next.is_some_and(StatusCode::is_final) {
            // RFC 3515 §2.4.7: the referrer must not wait for ever; gone with the answer to it.
            refer.timed_out = true;
            self.notify_refer(core, id, StatusCode::REQUEST_TIMEOUT);
        }
    }

    fn forget_refer(&mut self, core: &mut Core, id: ReferId) {
        for refer in self.refers.iter_mut().filter(|refer| refer.id == id) {
            core.timers.stop_in(&mut refer.limit);
            if let Some(server) = refer.asked.take() {
                core.respond_status(server, StatusCode::DECLINE);
            }
        }
        self.refers.retain(|refer| refer.id != id);
        self.tidy();
    }
}

/// Refer-To: its URI without headers, and the dialog to replace (RFC 3515 §2.1, RFC 3891 §4).
fn refer_to(request: &Request) -> Result<(Uri, Option<Replaces>), StatusCode> {
    // RFC 3515 §2.4.2: none, or several.
    let Ok(Some(target)) = request.headers.refer_to() else {
        return Err(StatusCode::BAD_REQUEST);
    };
    match target.uri {
        Uri::Sip(mut uri) => {
            let method = uri.params.value("method");
            if method.is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
                return Err(StatusCode::NOT_IMPLEMENTED);
            }
            let replaces = Replaces::in_uri(&uri).map_err(|_| StatusCode::BAD_REQUEST)?;
            uri.clear_headers();
            uri.params.remove("method");
            Ok((Uri::Sip(uri), replaces))
        }
        Uri::Tel(uri) => Ok((Uri::Tel(uri), None)),
        Uri::Other(_) => Err(StatusCode::UNSUPPORTED_URI_SCHEME),
    }
}
