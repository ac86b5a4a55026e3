//! Requests in a dialog, and what comes of ours: who takes which (RFC 3261 §12.2).

use model::Flow;

use super::{Session, Stage};
use crate::endpoint::{ClientUser, Core, EndReason, Outcome, Purpose, ReferId, ServerTold};
use crate::message::{Essentials, HeaderName, Method, Request, StatusCode};
use crate::transaction::{ClientId, ServerId};

/// A request that came in one of the session's dialogs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InDialog<'a> {
    /// Which dialog.
    pub(crate) at: usize,
    /// Its transaction.
    pub(crate) server: ServerId,
    /// The request.
    pub(crate) request: &'a Request,
    /// Its fields.
    pub(crate) essentials: &'a Essentials,
    /// The name a REFER gets.
    pub(crate) refer: ReferId,
}

impl Session {
    /// Takes a request other than ACK and CANCEL.
    pub(crate) fn on_request(&mut self, core: &mut Core, incoming: InDialog<'_>) {
        let InDialog {
            at,
            server,
            request,
            essentials,
            refer,
        } = incoming;
        let seq = essentials.cseq.seq;
        let Some(flow) = core.servers.get_mut(server).map(|transaction| {
            transaction.session = Some(self.id);
            transaction.flow
        }) else {
            return;
        };
        let in_order = self
            .dialogs
            .get_mut(at)
            .is_some_and(|dialog| dialog.take_seq(seq));
        if !in_order {
            // RFC 3261 §12.2.2
            core.respond_status(server, StatusCode::SERVER_INTERNAL_ERROR);
            return;
        }
        if matches!(self.stage, Stage::Ending { .. } | Stage::Over) {
            self.after_the_end(core, server, request);
            return;
        }
        self.follow(core, at, flow, &request.method);
        match &request.method {
            Method::Invite => self.on_reinvite(core, server, request, seq),
            Method::Bye => self.on_bye(core, at, server, request),
            Method::Update => self.on_update(core, server, request),
            Method::Prack => self.on_prack(core, server, request),
            Method::Info => self.on_info(core, server, request),
            Method::Refer => self.on_refer(core, server, refer, request, seq),
            Method::Options => self.on_options(core, server),
            Method::Ack
            | Method::Cancel
            | Method::Register
            | Method::Subscribe
            | Method::Notify
            | Method::Publish
            | Method::Message
            | Method::Other(_) => {
                // The server core has refused these before; REGISTER has no place in a dialog.
                core.respond_status(server, StatusCode::METHOD_NOT_ALLOWED);
            }
        }
    }

    /// A phone behind NAT, or on a new connection, is where its last request came from, where that
    /// was one that has a place here. What was encrypted stays so: the endpoint lets nothing else in.
    fn follow(&mut self, core: &mut Core, at: usize, flow: Flow, method: &Method) {
        let known = matches!(
            method,
            Method::Invite
                | Method::Bye
                | Method::Update
                | Method::Prack
                | Method::Info
                | Method::Refer
                | Method::Options
        );
        if let Some(dialog) = self.dialogs.get_mut(at)
            && known
            && dialog.flow != flow
        {
            dialog.flow = flow;
            self.moved(core, Some(flow));
        }
    }

    /// RFC 5407 §3.2: in the time between BYE and its answer a BYE is in order, and a PRACK that the
    /// final response has overtaken; nothing else is.
    fn after_the_end(&mut self, core: &mut Core, server: ServerId, request: &Request) {
        let status = match request.method {
            Method::Bye => StatusCode::OK,
            Method::Prack if self.takes_late_prack(core, request) => StatusCode::OK,
            _ => StatusCode::CALL_DOES_NOT_EXIST,
        };
        core.respond_status(server, status);
    }

    fn on_options(&self, core: &mut Core, server: ServerId) {
        let Some(mut response) = core.response(server, StatusCode::OK) else {
            return;
        };
        let headers = &mut response.headers;
        headers.push(HeaderName::Contact, self.contact.clone());
        core.values.introduce(headers);
        headers.push(HeaderName::Accept, core.values.accept.clone());
        core.respond(server, &response);
    }

    /// What came of a request of ours.
    pub(crate) fn on_told(
        &mut self,
        core: &mut Core,
        id: ClientId,
        user: ClientUser,
        outcome: Outcome,
    ) {
        if self.is_repeated(core, id, user.purpose, &outcome) {
            return;
        }
        match user.purpose {
            Purpose::Invite => self.on_invite(core, id, outcome),
            Purpose::Reinvite => self.on_target_refresh(core, id, true, outcome),
            Purpose::Update => self.on_target_refresh(core, id, false, outcome),
            Purpose::Bye => self.on_bye_answered(id, &outcome),
            Purpose::Notify(refer) => self.on_notified(core, refer, &outcome),
            Purpose::Prack => self.on_pracked(core, &outcome),
            Purpose::Options => self.on_asked(core, &outcome),
            Purpose::Cancel | Purpose::Stray | Purpose::Register(_) => {}
        }
    }

    /// A callee that does not know the dialog of its own response has lost the call; the final
    /// answer to the INVITE will say so, or its time-out.
    fn on_pracked(&mut self, core: &mut Core, outcome: &Outcome) {
        let gone = match outcome {
            Outcome::Response(response) => response.status == StatusCode::CALL_DOES_NOT_EXIST,
            Outcome::Timeout => true,
            Outcome::TransportFailed => false,
        };
        if gone && matches!(self.stage, Stage::Calling(_)) {
            self.give_up(core, EndReason::DialogGone, None);
        }
    }

    /// What the transaction of a peer's request says.
    pub(crate) fn on_server_told(&mut self, core: &mut Core, server: ServerId, told: ServerTold) {
        match told {
            ServerTold::Timeout => self.owed_timed_out(server),
            ServerTold::TransportFailed => {
                if matches!(&self.stage, Stage::Ringing(ringing) if ringing.invite == server) {
                    self.finish(core, Some(EndReason::TransportFailed), None);
                }
            }
            // The ACK itself is handed to `on_ack`.
            ServerTold::Ack => {}
        }
    }
}
