//! Whether the peer is still there: OPTIONS in the dialog (RFC 3261 §11, §12.2).

use super::{Session, Stage};
use crate::endpoint::{Core, Event, Outcome, Purpose};
use crate::message::{HeaderName, Method, StatusCode};

impl Session {
    /// Asks the peer of a confirmed session for a sign of life.
    pub(crate) fn ask(&mut self, core: &mut Core) {
        let (Stage::Confirmed, Some(dialog)) = (&self.stage, self.dialogs.first_mut()) else {
            return;
        };
        let mut request = dialog.request(Method::Options, &core.values);
        let headers = &mut request.headers;
        headers.push(HeaderName::Contact, self.contact.clone());
        headers.push(HeaderName::Accept, core.values.accept.clone());
        let flow = dialog.flow;
        self.send(core, flow, request, Purpose::Options);
    }

    /// Any answer shows that the peer is there, but that which says that it, or its call, is not. What
    /// follows from none is left to the exchange: it may have heard of the peer otherwise meanwhile.
    pub(super) fn on_asked(&self, core: &mut Core, outcome: &Outcome) {
        let there = match outcome {
            Outcome::Response(response) => !matches!(
                response.status,
                StatusCode::CALL_DOES_NOT_EXIST | StatusCode::REQUEST_TIMEOUT
            ),
            Outcome::Timeout | Outcome::TransportFailed => false,
        };
        if there {
            let session = self.id;
            self.tell(core, Event::Alive { session });
        }
    }
}
