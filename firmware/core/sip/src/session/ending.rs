//! How sessions end: CANCEL (RFC 3261 §9), BYE (§15), and what breaks (§12.2.1.2).
//!
//! ```text
//!            end                                              peer
//!  Calling   CANCEL, at once or after the first 1xx           300-699
//!  Ringing   480                                              CANCEL or BYE: 200, and 487 to the INVITE
//!  Confirmed BYE; after ACK where our 2xx has none (§15)      BYE: 200
//! ```

use model::Cause;

use super::caller::Cancel;
use super::offers::Owed;
use super::{Bye, Session, SessionTimer, Stage, cause_in, reason_value};
use crate::endpoint::{Core, EndReason, Event, Outcome, Purpose};
use crate::message::{HeaderName, Method, Request, StatusCode};
use crate::transaction::{ClientId, ServerId};

/// 64·T1 in milliseconds.
const LIMIT_MS: u64 = 32_000;

impl Session {
    /// The exchange ends the session.
    pub(crate) fn end(&mut self, core: &mut Core, cause: Option<Cause>) {
        if self.silent {
            return;
        }
        self.silent = true;
        match &mut self.stage {
            Stage::Calling(calling) => {
                calling.cancel = Cancel::Wanted(reason_value(cause));
                let heard = core
                    .clients
                    .get(calling.invite)
                    .is_some_and(|transaction| transaction.is_proceeding_invite());
                if heard {
                    self.cancel_if_wanted(core);
                }
            }
            Stage::Ringing(ringing) => {
                let invite = ringing.invite;
                if let Some(response) = core.response(invite, StatusCode::TEMPORARILY_UNAVAILABLE) {
                    let mut response = response.with_to_tag(&self.local_tag);
                    if let Some(reason) = reason_value(cause) {
                        response.headers.push(HeaderName::Reason, reason);
                    }
                    core.respond(invite, &response);
                }
                self.finish(core, None, None);
            }
            Stage::Confirmed => {
                if let Owed::Ack { seq } = self.offers.owed {
                    self.offers.owed = Owed::Nothing;
                    self.acknowledge(core, seq, None);
                }
                // RFC 3261 §15: the callee waits for ACK, or for the end of the transaction.
                if self
                    .answered
                    .as_ref()
                    .is_some_and(|answered| answered.first)
                {
                    self.bye_after_ack = Some(cause);
                } else {
                    self.bye(core, cause);
                }
            }
            Stage::Ending { .. } | Stage::Over => {}
        }
    }

    /// Sends CANCEL where it is wanted, now that a provisional response allows it.
    pub(super) fn cancel_if_wanted(&mut self, core: &mut Core) {
        let Stage::Calling(calling) = &mut self.stage else {
            return;
        };
        if let Cancel::Wanted(reason) = &mut calling.cancel {
            let reason = reason.take();
            calling.cancel = Cancel::Sent;
            core.cancel(calling.invite, reason);
            let mut limit = None;
            self.start(core, &mut limit, SessionTimer::CancelLimit, LIMIT_MS);
            self.cancel_limit = limit;
        }
    }

    /// RFC 3261 §9.1: an INVITE that is not answered 64·T1 after its CANCEL is given up.
    pub(super) fn cancel_unanswered(&mut self, core: &mut Core) {
        self.cancel_limit = None;
        if let Stage::Calling(calling) = &self.stage {
            core.forget_client(calling.invite);
            self.finish(core, None, None);
        }
    }

    /// Sends BYE.
    pub(super) fn bye(&mut self, core: &mut Core, cause: Option<Cause>) {
        self.drop_owed(core);
        self.bound_asked(core);
        self.stop_timers(core);
        self.silent = true;
        let Some(dialog) = self.dialogs.first_mut() else {
            self.stage = Stage::Over;
            return;
        };
        let mut request = dialog.request(Method::Bye, &core.values);
        if let Some(reason) = reason_value(cause) {
            request.headers.push(HeaderName::Reason, reason);
        }
        let flow = dialog.flow;
        let client = self.send(core, flow, request, Purpose::Bye);
        let bye = Some(Bye { client, cause });
        self.stage = Stage::Ending { bye };
    }

    /// Ends the session for a fault, and tells the exchange.
    pub(super) fn give_up(&mut self, core: &mut Core, reason: EndReason, cause: Option<Cause>) {
        let session = self.id;
        self.tell(
            core,
            Event::Ended {
                session,
                reason,
                cause,
            },
        );
        match &self.stage {
            Stage::Confirmed => self.bye(core, cause),
            Stage::Calling(_) => {
                self.silent = false;
                self.end(core, cause);
            }
            Stage::Ringing(_) => self.finish(core, None, None),
            Stage::Ending { .. } | Stage::Over => {}
        }
    }

    /// Ends the session without a word to the peer, but for what it waits for.
    pub(super) fn finish(
        &mut self,
        core: &mut Core,
        reason: Option<EndReason>,
        cause: Option<Cause>,
    ) {
        self.drop_owed(core);
        self.bound_asked(core);
        self.await_late_prack(core);
        self.stop_timers(core);
        if let Stage::Ringing(ringing) = &self.stage {
            // Whatever went wrong, the caller hears of it; nothing happens where it has been answered.
            let invite = ringing.invite;
            core.respond_tagged(invite, StatusCode::TEMPORARILY_UNAVAILABLE, &self.local_tag);
        }
        if let Some(reason) = reason {
            let session = self.id;
            self.tell(
                core,
                Event::Ended {
                    session,
                    reason,
                    cause,
                },
            );
        }
        self.silent = true;
        self.stage = Stage::Ending { bye: None };
        self.tidy();
    }

    /// A final answer to our BYE, or none: the dialog is gone either way (RFC 3261 §15.1.1).
    pub(super) fn on_bye_answered(&mut self, id: ClientId, outcome: &Outcome) {
        let last = match outcome {
            Outcome::Response(response) => response.status.is_final(),
            Outcome::Timeout | Outcome::TransportFailed => true,
        };
        if let Stage::Ending { bye } = &mut self.stage
            && bye.is_some_and(|bye| bye.client == id)
            && last
        {
            *bye = None;
            self.tidy();
        }
    }

    /// Over, once neither BYE nor a transfer nor PRACK is waited for.
    pub(super) fn tidy(&mut self) {
        if matches!(self.stage, Stage::Ending { bye: None })
            && self.refers.is_empty()
            && self.late_prack.is_none()
        {
            self.stage = Stage::Over;
        }
    }

    /// CANCEL for the first INVITE; it has been answered already (RFC 3261 §9.2).
    pub(crate) fn on_cancel(&mut self, core: &mut Core, invite: ServerId, request: &Request) {
        match &self.stage {
            Stage::Ringing(ringing) if ringing.invite == invite => {
                core.respond_tagged(invite, StatusCode::REQUEST_TERMINATED, &self.local_tag);
                let cause = cause_in(&request.headers);
                self.finish(core, Some(EndReason::Cancelled), cause);
            }
            Stage::Confirmed => {
                if matches!(&self.offers.owed, Owed::Request { server, .. } if *server == invite) {
                    // Nobody is asked: the exchange's answer will come too late.
                    self.drop_owed(core);
                }
            }
            Stage::Ringing(_) | Stage::Calling(_) | Stage::Ending { .. } | Stage::Over => {}
        }
    }

    /// BYE (RFC 3261 §15.1.2).
    pub(super) fn on_bye(
        &mut self,
        core: &mut Core,
        at: usize,
        server: ServerId,
        request: &Request,
    ) {
        core.respond_status(server, StatusCode::OK);
        match &self.stage {
            Stage::Calling(_) => {
                // A callee must not end an early dialog so (§15); where it does, that fork is gone.
                if at < self.dialogs.len() {
                    self.dialogs.remove(at);
                }
                return;
            }
            Stage::Ringing(ringing) => {
                core.respond_tagged(
                    ringing.invite,
                    StatusCode::REQUEST_TERMINATED,
                    &self.local_tag,
                );
            }
            Stage::Confirmed => {}
            // Both hung up at once (RFC 5407 §3.2.1).
            Stage::Ending { .. } | Stage::Over => return,
        }
        self.finish(core, Some(EndReason::Bye), cause_in(&request.headers));
    }
}
