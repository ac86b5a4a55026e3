//! What the endpoint and the media thread tell, and what it means for legs and calls.
//!
//! An event changes a leg and wakes the script of its call; what follows from it the script decides.
//! Only what no script needs to know of (offers in mid-call, digits on their way through, a caller
//! who hangs up before an answer) is decided here.

use core::net::IpAddr;
use core::time::Duration;

use media::Command;
use model::control::{LoginFailure, Notice};
use model::{Cause, EndedBy, Flow, LegId, LegSide};
use sip::endpoint::{AuthenticationFailure, Binding, BindingChange, EndReason, Event, SessionId};
use sip::message::{StatusCode, Uri};

use super::Exchange;
use crate::bindings;
use crate::call::{Outcome, Phase, ended_by};
use crate::leg::{Asked, Failure, LegState, Parting};
use crate::switch::Output;

/// A party of which neither sound nor a report has come for so long is asked whether it is there: many
/// phones send nothing while they are muted.
const ASK_AFTER: Duration = Duration::from_secs(30);
/// One that does not answer has so long, in all: longer than a phone needs to start again and register,
/// shorter than anyone waits for a dead line.
const DEAD_AFTER: Duration = Duration::from_secs(60);
/// No answer comes later than this (64·T1, RFC 3261 §17.1.2.2).
const ANSWER_WITHIN: Duration = Duration::from_secs(32);
/// One that did answer is asked again, while it is silent.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Digits by INFO are sent on with a length that receivers take (RFC 4733 §2.5.1.4): at least.
const MIN_DIGIT_MS: u32 = 40;
/// And at most, whatever the phone claims.
const MAX_DIGIT_MS: u32 = 5000;

impl Exchange {
    /// The endpoint tells something.
    pub(crate) fn sip_event(&mut self, event: Event) {
        match event {
            Event::Heard { flow, bytes } => self.outputs.push_back(Output::Heard { flow, bytes }),
            Event::Invited { session, invite } => {
                if let Some(account) = invite.account {
                    self.responds_at(account, invite.flow);
                }
                self.invited(session, &invite);
            }
            Event::Progress {
                session,
                fork: _,
                status,
                sdp,
            } => self.progress(session, status, sdp.as_deref()),
            Event::Accepted {
                session,
                fork: _,
                sdp,
                user_agent,
            } => self.accepted(session, sdp.as_deref(), user_agent),
            Event::Refused {
                session,
                status,
                cause,
                contacts,
                retry_after_s: _,
            } => self.refused(session, status, cause, &contacts),
            Event::Acknowledged { session, sdp } => {
                if let Some(leg) = self.legs.of_session(session) {
                    self.answered(leg, sdp.as_deref());
                }
            }
            Event::Offered { session, sdp } => match (self.legs.of_session(session), sdp) {
                (Some(leg), Some(offer)) => self.offered(leg, &offer),
                (Some(leg), None) => self.asked_for_offer(leg),
                (None, _) => {}
            },
            Event::Moved { session, flow } => self.moved(session, flow),
            Event::Answered { session, sdp } => {
                if let Some(leg) = self.legs.of_session(session) {
                    self.answered(leg, Some(&sdp));
                }
            }
            Event::AnsweredAnew { session, sdp } => {
                if let Some(leg) = self.legs.of_session(session) {
                    self.answered_anew(leg, &sdp);
                }
            }
            Event::OfferRefused { session, status: _ } => {
                if let Some(leg) = self.legs.of_session(session)
                    && let Some(leg) = self.legs.get_mut(leg)
                {
                    leg.negotiation.rollback();
                }
            }
            Event::Referred {
                session,
                refer,
                to,
                replaces,
                referred_by,
            } => self.referred(session, refer, &to, replaces.as_ref(), referred_by),
            Event::Digit {
                session,
                digit,
                duration_ms,
            } => self.digit_by_info(session, digit, duration_ms),
            Event::Alive { session } => {
                if let Some(id) = self.legs.of_session(session) {
                    self.responds(id);
                    if let Some(asked) = self.legs.get_mut(id).and_then(|leg| leg.asked.as_mut()) {
                        asked.there = true;
                    }
                }
            }
            Event::Unanswered { flow } => self.unanswered(flow),
            Event::Ended {
                session,
                reason,
                cause,
            } => self.ended(session, Parting::new(reason, cause)),
            Event::Binding { change, binding } => self.binding(change, &binding),
            Event::Parted { extension } => self.live.registrations_changed(extension),
            Event::Registered { id } => self.registered_outside(id),
            Event::NotRegistered { id, status } => self.not_registered_outside(id, status),
            Event::Ignored { flow } => self.security.ignored(self.now, flow.remote.ip()),
            Event::AuthenticationFailed {
                flow,
                username,
                failure,
            } => {
                let source = flow.remote.ip();
                // The exchange's call to itself is nobody's break-in.
                let is_own =
                    source.to_canonical().is_loopback() && self.directory.is_hidden(&username);
                if is_own {
                    return;
                }
                self.login_failed(source, &username, failure);
                if let Some(row) = self.security.failed(self.now, source, &username, failure) {
                    self.security_row(row, 1);
                }
            }
        }
    }

    /// Keeps the last failures, for who asks why a phone does not come.
    fn login_failed(&mut self, host: IpAddr, username: &str, failure: AuthenticationFailure) {
        let reason = match failure {
            AuthenticationFailure::WrongPassword => LoginFailure::WrongPassword,
            AuthenticationFailure::UnknownUser => LoginFailure::Disabled,
            AuthenticationFailure::NotAllowed => LoginFailure::NotAllowed,
            AuthenticationFailure::Replayed => LoginFailure::Replayed,
            // Anybody may have sent it in this host's name.
            AuthenticationFailure::Unasked => return,
        };
        let at = self.clock.wall(self.now);
        match self.directory.named(username) {
            Some(extension) => (self.failed_logins).failed(self.now, at, extension, host, reason),
            None => self.failed_logins.unknown(self.now, at, username, host),
        }
    }

    fn progress(&mut self, session: SessionId, status: StatusCode, sdp: Option<&[u8]>) {
        let Some(id) = self.legs.of_session(session) else {
            return;
        };
        self.responds(id);
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        if !matches!(leg.state, LegState::Calling | LegState::Ringing) {
            return;
        }
        let call = leg.call;
        leg.state = LegState::Ringing;
        // 181, 182 and 183 say that the call goes on, not that anybody hears it.
        leg.rang |= status == StatusCode::RINGING;
        let sound = sdp.is_some_and(|sdp| {
            // A description that can't be used before the answer is left to the answer.
            matches!(leg.negotiation.answer_received(sdp), Ok(Some(_)))
        });
        if sound {
            self.apply_media(id);
        }
        self.tell_of(id, || {
            format!("answers {} before it accepts", status.code())
        });
        self.wakes.wake(call);
    }

    fn accepted(&mut self, session: SessionId, sdp: Option<&[u8]>, user_agent: Option<String>) {
        let Some(id) = self.legs.of_session(session) else {
            return;
        };
        self.responds(id);
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        if !matches!(leg.state, LegState::Calling | LegState::Ringing) {
            return;
        }
        let call = leg.call;
        leg.user_agent = user_agent.or(leg.user_agent.take());
        let agreed = match sdp {
            Some(sdp) => match leg.negotiation.answer_received(sdp) {
                Ok(agreed) => agreed.is_some(),
                Err(_) => false,
            },
            // The answer came in a reliable provisional response (RFC 3262 §5).
            None => leg.negotiation.current().is_some(),
        };
        if agreed {
            leg.state = LegState::Answered;
            self.brakes.answered(self.now, id);
            self.apply_media(id);
            self.tell_of(id, || "answers the call".into());
        } else {
            let failure = Failure::new(
                StatusCode::NOT_ACCEPTABLE_HERE,
                Cause::INCOMPATIBLE_DESTINATION,
            );
            self.fail_leg(id, failure);
        }
        self.wakes.wake(call);
    }

    fn refused(
        &mut self,
        session: SessionId,
        status: StatusCode,
        cause: Option<Cause>,
        contacts: &[Uri],
    ) {
        let Some(id) = self.legs.of_session(session) else {
            return;
        };
        let way = self.legs.get(id).map(|leg| leg.flow);
        match way.filter(|flow| is_no_answer(status, *flow)) {
            Some(flow) => self.unanswered(flow),
            None => self.responds(id),
        }
        let mut row = None;
        if let Some(leg) = self.legs.get_mut(id) {
            let mut failure = Failure::of_status(status, cause);
            failure.rang = leg.rang;
            leg.state = LegState::Failed(failure);
            if status.is_redirect() {
                // Whoever can make a phone redirect could call at the owner's expense.
                let to = contacts.first().map_or(String::new(), Uri::to_string);
                row = Some(format!(
                    "SIP - extension {} at host {} redirected a call to `{}`: not followed",
                    leg.party.number,
                    leg.flow.remote.ip(),
                    crate::security::shown(&to)
                ));
            }
            let call = leg.call;
            self.wakes.wake(call);
        }
        self.tell_of(id, || {
            let why = cause.map_or(String::new(), |cause| format!(", cause {cause}"));
            format!("refuses the call: SIP status {}{why}", status.code())
        });
        if let Some(row) = row {
            self.security_row(row, 1);
        }
    }

    fn ended(&mut self, session: SessionId, parting: Parting) {
        let Some(id) = self.legs.of_session(session) else {
            return;
        };
        match parting.reason {
            EndReason::Bye | EndReason::Cancelled => self.responds(id),
            EndReason::SessionExpired | EndReason::NotAcknowledged | EndReason::TransportFailed => {
                self.lose(id);
            }
            EndReason::DialogGone | EndReason::ProtocolError => {}
        }
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let call = leg.call;
        if matches!(leg.state, LegState::Calling | LegState::Ringing) {
            let mut failure = Failure::new(StatusCode::TEMPORARILY_UNAVAILABLE, parting.cause);
            failure.rang = leg.rang;
            leg.state = LegState::Failed(failure);
        } else {
            leg.state = LegState::Over(parting);
        }
        self.wakes.wake(call);
        let Some(state) = self.calls.get(&call) else {
            return;
        };
        let Some(side) = state.side_of(id) else {
            return;
        };
        if state.phase == Phase::Connected {
            // The script sees it. What the parties did first decides the record.
            return;
        }
        if side == LegSide::Caller {
            let mut outcome = Outcome::cancelled(parting.cause);
            outcome.ended_by = parting.ended_by(EndedBy::Caller);
            if !matches!(parting.reason, EndReason::Cancelled | EndReason::Bye) {
                outcome.disposition = model::Disposition::Failed;
            }
            self.doom(call, outcome);
        }
    }

    /// A phone is somewhere else now: its sound may come from there, and a BYE after a crash is to find it.
    fn moved(&mut self, session: SessionId, flow: Flow) {
        let Some(id) = self.legs.of_session(session) else {
            return;
        };
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let there = core::mem::replace(&mut leg.flow, flow);
        if !leg.is_answered() {
            return;
        }
        let (call, lender) = (leg.call, leg.lender);
        let open = leg.port.filter(|port| self.ports.is_open(*port));
        if open.is_some_and(|port| self.legs.of_port(port) == Some(id)) {
            self.apply_media(id);
        }
        self.keep_moved(call, there, flow);
        if let Some(lender) = lender {
            self.keep_moved(lender, there, flow);
        }
        self.live.changed(call);
    }

    fn digit_by_info(&mut self, session: SessionId, digit: char, duration_ms: u32) {
        let duration_ms =
            u16::try_from(duration_ms.clamp(MIN_DIGIT_MS, MAX_DIGIT_MS)).unwrap_or(100);
        let port = self.legs.of_session(session).and_then(|id| {
            let call = self.calls.get(&self.legs.get(id)?.call)?;
            let other = self.legs.get(call.other(id)?)?;
            other.port.filter(|port| self.ports.is_open(*port))
        });
        if let Some(port) = port {
            self.media(Command::SendDigit {
                port,
                digit,
                duration_ms,
            });
        }
    }

    fn binding(&mut self, change: BindingChange, binding: &Binding) {
        let extension = binding.extension;
        if matches!(change, BindingChange::Added | BindingChange::Refreshed) {
            let host = binding.flow.remote.ip();
            let is_new = change == BindingChange::Added;
            self.failed_logins.let_in(extension, host, is_new);
        }
        match change {
            BindingChange::Added | BindingChange::Refreshed => {
                self.responds_at(extension, binding.flow);
                let kept = bindings::kept(binding, self.clock);
                self.outputs.push_back(Output::BindingPut(Box::new(kept)));
            }
            BindingChange::Removed | BindingChange::Expired => {
                self.outputs.push_back(Output::BindingRemove {
                    extension,
                    contact: binding.contact.to_string(),
                });
            }
        }
        self.last_phone(change, binding);
        self.forget_unresponsive(extension);
        self.live.registrations_changed(extension);
    }

    /// The media thread tells something.
    pub(crate) fn media_event(&mut self, event: media::Event) {
        match event {
            media::Event::Closed { port, quality } => {
                self.port_closed(port);
                self.measured(port, quality);
            }
            media::Event::Report { port, quality } => {
                self.measured(port, quality);
                if let Some(id) = self.legs.of_port(port)
                    && let Some(leg) = self.legs.get_mut(id)
                {
                    leg.quality = Some(quality);
                    let silence = Duration::from_millis(quality.silent_now_ms.into());
                    leg.silent_since = (!silence.is_zero()).then(|| self.now - silence);
                    let call = leg.call;
                    self.live.measured(call);
                }
            }
            media::Event::Silent { port, for_ms } => {
                if let Some(leg) = self.legs.of_port(port) {
                    self.silent(leg, Duration::from_millis(for_ms.into()));
                }
            }
            // Digits are for scripts that collect them; those on their way to the other party
            // never leave the media thread.
            media::Event::Heard { .. } | media::Event::Digit { .. } => {}
        }
    }

    fn measured(&mut self, port: model::PortId, quality: model::Quality) {
        // A call that goes on keeps it; of one that is over, the record waits for it.
        for (call, side) in self.measuring.remove(&port).unwrap_or_default() {
            let call = self.calls.get_mut(&call);
            if let Some(kept) = call.and_then(|call| call.half_mut(side).kept.as_mut())
                && kept.port == Some(port)
            {
                kept.record.quality = Some(quality);
                kept.port = None;
            }
        }
        for record in self.records.measured(port, quality) {
            self.outputs.push_back(Output::CallClosed(Box::new(record)));
        }
    }

    /// Nothing has come of a party for a while: it is muted, or its phone has lost power or network.
    fn silent(&mut self, id: LegId, silence: Duration) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        // Who holds the other may be silent.
        if silence < ASK_AFTER || !leg.is_answered() || leg.holds() {
            return;
        }
        let call = leg.call;
        if (self.calls.get(&call)).is_none_or(|state| state.phase != Phase::Connected) {
            return;
        }
        // What was asked before the party was heard last says nothing of this silence.
        let asked = leg.asked.filter(|asked| now.since(asked.at) <= silence);
        let ask = match asked {
            None => true,
            Some(asked) => asked.there && now.since(asked.at) >= ASK_AGAIN,
        };
        if ask {
            leg.asked = Some(Asked {
                at: now,
                there: false,
            });
            let session = leg.session;
            self.endpoint.ask(now, session);
        } else if let Some(Asked { at, there: false }) = asked
            && now.since(at) >= ANSWER_WITHIN
            && silence >= DEAD_AFTER
        {
            let outcome = Outcome::answered(Cause::DESTINATION_OUT_OF_ORDER, EndedBy::Exchange);
            self.lose(id);
            self.doom(call, outcome);
        }
    }

    /// Extensions whose phones have changed.
    pub(crate) fn registrations_notice(&mut self, extension: model::ExtensionId) {
        let registrations = (self.endpoint.bindings(extension).iter())
            .map(|binding| self.shown(binding))
            .collect();
        self.notice(Notice::Registrations {
            extension,
            registrations,
        });
    }

    /// How a connected call ends, where one of its parties is gone; none while both are there.
    pub(crate) fn parted(&self, call: model::CallId) -> Option<Outcome> {
        let state = self.calls.get(&call)?;
        crate::call::SIDES.into_iter().find_map(|side| {
            match state.leg(side).and_then(|id| self.legs.get(id)) {
                Some(leg) => match leg.state {
                    LegState::Over(parting) => Some(Outcome::answered(
                        parting.cause,
                        parting.ended_by(ended_by(side)),
                    )),
                    _ => None,
                },
                // Being transferred, or gone on that way.
                None if state.lent.is_some() || state.handed_over.is_some() => None,
                None => Some(Outcome::answered(
                    Cause::NORMAL_CALL_CLEARING,
                    ended_by(side),
                )),
            }
        })
    }
}

/// Whether a refusal stands for no answer at all. What becomes of a connection is told with it.
fn is_no_answer(status: StatusCode, flow: Flow) -> bool {
    status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::FLOW_FAILED && !flow.transport.is_stream()
}
