//! Our INVITE once more, changed as its refusal asks: 422 (RFC 4028 §7.4), 401 and 407 (RFC 3261 §22.2).

use std::sync::Arc;

use super::caller::sent;
use super::{Session, Stage};
use crate::endpoint::{ClientUser, Core, Purpose};
use crate::message::{CSeq, HeaderName, Method, Request, Response};

/// A callee that keeps asking for a longer interval is broken.
const MIN_SE_RETRIES: u8 = 2;
/// So is a callee to which every nonce is stale.
const CHALLENGES: u8 = 3;

impl Session {
    /// 422: the same INVITE with the interval that the callee wants (RFC 4028 §7.4).
    pub(super) fn call_again(&mut self, core: &mut Core, response: &Response) -> bool {
        let (Stage::Calling(calling), Ok(Some(min_se))) =
            (&mut self.stage, response.headers.min_se())
        else {
            return false;
        };
        if calling.retries >= MIN_SE_RETRIES {
            return false;
        }
        calling.retries += 1;
        self.refresh.raise(min_se);
        self.send_anew(core, |session, core, request| {
            request.headers.remove(&HeaderName::SessionExpires);
            request.headers.remove(&HeaderName::MinSe);
            session.refresh.ask(core, &mut request.headers);
        })
    }

    /// 401 or 407: the same INVITE with credentials, where there are any (RFC 3261 §22.2). Wrong ones
    /// are not tried twice; `stale` says that they were right.
    pub(super) fn call_with_credentials(&mut self, core: &mut Core, response: &Response) -> bool {
        let Stage::Calling(calling) = &mut self.stage else {
            return false;
        };
        let answered = calling.challenges;
        let taken = answered < CHALLENGES
            && (self.own.as_mut()).is_some_and(|own| own.take(answered, response));
        if !taken {
            return false;
        }
        calling.challenges += 1;
        self.send_anew(core, |session, core, request| {
            if let Some(own) = &mut session.own {
                own.authorize(core, request);
            }
        })
    }

    /// Sends the INVITE once more, changed, as a new transaction with the next number.
    fn send_anew(
        &mut self,
        core: &mut Core,
        change: impl FnOnce(&mut Self, &mut Core, &mut Request),
    ) -> bool {
        let Stage::Calling(calling) = &mut self.stage else {
            return false;
        };
        if self.silent {
            return false;
        }
        let Some((flow, invite)) = calling.sent.take() else {
            return false;
        };
        let mut request = Arc::unwrap_or_clone(invite);
        calling.seq += 1;
        let seq = calling.seq;
        // The early dialogs belonged to the INVITE that was refused.
        self.dialogs.clear();
        request.headers.remove(&HeaderName::Via);
        request
            .headers
            .set(HeaderName::CSeq, CSeq::new(seq, Method::Invite));
        change(self, core, &mut request);
        let user = ClientUser {
            session: self.id,
            purpose: Purpose::Invite,
        };
        let invite = core.request(flow, request, user);
        if let Stage::Calling(calling) = &mut self.stage {
            calling.invite = invite;
            calling.sent = sent(core, invite);
        }
        true
    }
}
