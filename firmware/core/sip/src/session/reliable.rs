//! Provisional responses of ours that need PRACK (RFC 3262 §3).
//!
//! One at a time is under way; further ones wait for its PRACK, and so does a 2xx where a session
//! description is in it.
//!
//! ```text
//!  Idle --send--> Waiting --PRACK--> Idle (the next of the queue, or the 2xx)
//!                   | T1, 2·T1, …: again
//!                   | 64·T1: the INVITE is refused
//!                   | 2xx, refusal: not sent again, but its PRACK is still taken for 64·T1
//! ```

use core::time::Duration;
use std::collections::VecDeque;

use bytes::Bytes;
use model::Instant;

use super::offers::{Asked, Owed};
use super::{Session, SessionTimer, Stage, put_response_sdp, sdp_in};
use crate::endpoint::limits::WAITING_PROVISIONALS;
use crate::endpoint::{Core, EndReason, Event, TimerHandle};
use crate::message::{CSeq, HeaderName, Method, RAck, Request, StatusCode};
use crate::transaction::{ServerId, T1, T1_64};

/// A provisional response under way.
#[derive(Debug)]
struct Unacknowledged {
    rseq: u32,
    wire: Bytes,
    interval: Duration,
    has_sdp: bool,
}

/// A provisional response without PRACK that the final one has overtaken (RFC 3262 §3).
#[derive(Debug)]
pub(super) struct Overtaken {
    rack: RAck,
    until: Instant,
}

/// The reliable provisional responses to one INVITE.
#[derive(Debug)]
pub(super) struct Reliable {
    /// Number of the last one; 0 before the first.
    rseq: u32,
    under_way: Option<Unacknowledged>,
    waiting: VecDeque<(StatusCode, Option<Bytes>)>,
    /// The 2xx that has to wait, with its session description.
    pub(super) held: Option<Bytes>,
    again: Option<TimerHandle>,
    limit: Option<TimerHandle>,
}

impl Reliable {
    pub(super) const fn new() -> Self {
        Self {
            rseq: 0,
            under_way: None,
            waiting: VecDeque::new(),
            held: None,
            again: None,
            limit: None,
        }
    }

    /// True while a 2xx has to wait (RFC 3262 §3, §5).
    pub(super) fn holds_success(&self) -> bool {
        self.under_way.as_ref().is_some_and(|sent| sent.has_sdp)
            || self.waiting.iter().any(|(_, sdp)| sdp.is_some())
    }

    /// What a final response to the INVITE of this number overtakes now.
    pub(super) fn overtaken(&self, now: Instant, seq: u32) -> Option<Overtaken> {
        self.under_way.as_ref().map(|sent| Overtaken {
            rack: RAck {
                rseq: sent.rseq,
                cseq: CSeq::new(seq, Method::Invite),
            },
            until: now + T1_64,
        })
    }

    /// Nothing is sent again any more.
    pub(super) fn stop(&mut self, core: &mut Core) {
        core.timers.stop_in(&mut self.again);
        core.timers.stop_in(&mut self.limit);
        self.under_way = None;
        self.waiting.clear();
    }
}

impl Session {
    /// Sends a provisional response reliably, or has it wait for the one before.
    pub(super) fn ring_reliably(
        &mut self,
        core: &mut Core,
        status: StatusCode,
        sdp: Option<Bytes>,
    ) {
        let Stage::Ringing(ringing) = &mut self.stage else {
            return;
        };
        if ringing.reliable.under_way.is_some() {
            if ringing.reliable.waiting.len() < WAITING_PROVISIONALS {
                ringing.reliable.waiting.push_back((status, sdp));
            }
            return;
        }
        self.send_reliably(core, status, sdp);
    }

    fn send_reliably(&mut self, core: &mut Core, status: StatusCode, sdp: Option<Bytes>) {
        let Stage::Ringing(ringing) = &self.stage else {
            return;
        };
        let invite = ringing.invite;
        // RFC 3262 §3: from 1 to 2^31 - 1, and by one from then on.
        let rseq = match ringing.reliable.rseq {
            0 => core.random.below((1 << 31) - 1000) + 1,
            last => last + 1,
        };
        let Some(mut response) = core.response(invite, status) else {
            return;
        };
        self.in_dialog(core, &mut response);
        response.headers.push(HeaderName::Require, "100rel");
        response.headers.push(HeaderName::RSeq, rseq);
        let has_sdp = sdp.is_some();
        if let Some(sdp) = sdp {
            self.described(&sdp);
            put_response_sdp(core, &mut response, sdp);
        }
        let wire = core.respond(invite, &response).unwrap_or_default();
        let (mut again, mut limit) = (None, None);
        self.start(core, &mut again, SessionTimer::Provisional, ms(T1));
        self.start(core, &mut limit, SessionTimer::PrackLimit, ms(T1_64));
        if let Stage::Ringing(ringing) = &mut self.stage {
            let reliable = &mut ringing.reliable;
            reliable.rseq = rseq;
            (reliable.again, reliable.limit) = (again, limit);
            reliable.under_way = Some(Unacknowledged {
                rseq,
                wire,
                interval: T1,
                has_sdp,
            });
        }
    }

    /// A session description goes out reliably before the 2xx: the answer, or our offer.
    fn described(&mut self, sdp: &Bytes) {
        if let Stage::Ringing(ringing) = &mut self.stage {
            ringing.described = true;
            if !ringing.offered {
                self.offers.asked = Asked::Reliable;
            }
        }
        self.local_sdp = Some(sdp.clone());
    }

    pub(super) fn repeat_provisional(&mut self, core: &mut Core) {
        let Stage::Ringing(ringing) = &mut self.stage else {
            return;
        };
        let Some(sent) = &mut ringing.reliable.under_way else {
            return;
        };
        // RFC 3262 §3: doubled each time, without an upper limit but the number of tries.
        sent.interval *= 2;
        let (wire, interval) = (sent.wire.clone(), sent.interval);
        let mut again = ringing.reliable.again.take();
        if let Some(dialog) = self.dialogs.first() {
            core.transmit(dialog.flow, wire);
        }
        self.start(core, &mut again, SessionTimer::Provisional, ms(interval));
        if let Stage::Ringing(ringing) = &mut self.stage {
            ringing.reliable.again = again;
        }
    }

    /// RFC 3262 §3: "the UAS SHOULD reject the original request with a 5xx response".
    pub(super) fn not_pracked(&mut self, core: &mut Core) {
        if self.late_prack.take().is_some() {
            self.tidy();
        }
        if let Stage::Ringing(ringing) = &mut self.stage {
            ringing.reliable.stop(core);
            core.respond_tagged(ringing.invite, StatusCode::SERVER_TIMEOUT, &self.local_tag);
            self.finish(core, Some(EndReason::NotAcknowledged), None);
        }
    }

    /// PRACK (RFC 3262 §3); an offer may be in it, or the answer to ours (§5).
    pub(super) fn on_prack(&mut self, core: &mut Core, server: ServerId, request: &Request) {
        let Ok(Some(rack)) = request.headers.rack() else {
            core.respond_status(server, StatusCode::BAD_REQUEST);
            return;
        };
        let Stage::Ringing(ringing) = &mut self.stage else {
            self.on_late_prack(core, server, request, &rack);
            return;
        };
        let matches = ringing
            .reliable
            .under_way
            .as_ref()
            .is_some_and(|sent| sent.rseq == rack.rseq)
            && rack.cseq == CSeq::new(ringing.seq, Method::Invite);
        if !matches {
            core.respond_status(server, StatusCode::CALL_DOES_NOT_EXIST);
            return;
        }
        ringing.reliable.under_way = None;
        core.timers.stop_in(&mut ringing.reliable.again);
        core.timers.stop_in(&mut ringing.reliable.limit);
        if ringing.described {
            // RFC 3262 §5: the answer arrived, offers are free to be made.
            self.offers.owed = match core::mem::replace(&mut self.offers.owed, Owed::Nothing) {
                Owed::Invite => Owed::Nothing,
                other => other,
            };
        }
        self.prack_body(core, server, request);
        self.after_prack(core);
    }

    /// RFC 3262 §3: a refusal may go out before the PRACK, but "the UAS MUST be prepared to process
    /// PRACK requests for those outstanding responses". So the session stays for a while.
    pub(super) fn await_late_prack(&mut self, core: &mut Core) {
        let Stage::Ringing(ringing) = &self.stage else {
            return;
        };
        self.overtaken = ringing.reliable.overtaken(core.now, ringing.seq);
        if self.overtaken.is_some() {
            let mut limit = None;
            self.start(core, &mut limit, SessionTimer::PrackLimit, ms(T1_64));
            self.late_prack = limit;
        }
    }

    /// Whether a PRACK after the end is the one that was to come.
    pub(super) fn takes_late_prack(&mut self, core: &mut Core, request: &Request) -> bool {
        let Ok(Some(rack)) = request.headers.rack() else {
            return false;
        };
        let taken = (self.overtaken.as_ref())
            .is_some_and(|overtaken| overtaken.rack == rack && core.now < overtaken.until);
        if taken {
            self.overtaken = None;
            core.timers.stop_in(&mut self.late_prack);
            self.tidy();
        }
        taken
    }

    /// PRACK for what our 2xx has overtaken.
    fn on_late_prack(&mut self, core: &mut Core, server: ServerId, request: &Request, rack: &RAck) {
        match self.overtaken.take() {
            Some(overtaken) if overtaken.rack == *rack && core.now < overtaken.until => {
                self.prack_body(core, server, request);
            }
            other => {
                self.overtaken = other;
                core.respond_status(server, StatusCode::CALL_DOES_NOT_EXIST);
            }
        }
    }

    fn prack_body(&mut self, core: &mut Core, server: ServerId, request: &Request) {
        let sdp = sdp_in(&request.headers, &request.body);
        match (&self.offers.asked, sdp) {
            (Asked::Reliable, Some(sdp)) => {
                self.offers.asked = Asked::Nothing;
                core.respond_status(server, StatusCode::OK);
                let session = self.id;
                self.tell(core, Event::Answered { session, sdp });
            }
            (_, Some(sdp)) => self.on_offer(core, server, Some(sdp)),
            (_, None) => core.respond_status(server, StatusCode::OK),
        }
    }

    fn after_prack(&mut self, core: &mut Core) {
        let Stage::Ringing(ringing) = &mut self.stage else {
            return;
        };
        if let Some((status, sdp)) = ringing.reliable.waiting.pop_front() {
            self.send_reliably(core, status, sdp);
        } else if let Some(sdp) = ringing.reliable.held.take() {
            self.succeed(core, sdp);
        }
    }
}

fn ms(interval: Duration) -> u64 {
    u64::try_from(interval.as_millis()).unwrap_or(u64::MAX)
}
