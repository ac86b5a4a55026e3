//! Forks of our INVITE that answer after another has: each gets ACK and BYE (RFC 3261 §13.2.2.4).
//!
//! A fork that rang has had requests of ours (PRACK, RFC 3262 §4); its BYE counts on from them, since
//! a number that was used before is refused (RFC 3261 §12.2.2). So the dialogs of forks that lost are
//! kept with the session. Its 2xx comes again until our ACK arrives; the BYE goes once.

use super::Session;
use crate::dialog::Dialog;
use crate::endpoint::limits::FORKS;
use crate::endpoint::{ClientUser, Core, Purpose, send_ack};
use crate::message::{Essentials, HeaderName, Method, Request, Response};
use crate::transaction::ClientId;
use model::Flow;

/// How far the BYE of a fork counts ahead whose session is forgotten: more PRACKs than any had.
const FORGOTTEN: u32 = 100;

/// A fork that lost.
#[derive(Debug)]
pub(super) struct Stray {
    dialog: Dialog,
    /// It has had its BYE.
    ended: bool,
}

impl Session {
    /// The fork with this tag has won; all early dialogs are taken out.
    pub(super) fn part_from_strays(&mut self, won: &str) {
        let lost = core::mem::take(&mut self.dialogs)
            .into_iter()
            .filter(|dialog| *dialog.remote_tag != *won)
            .map(|dialog| Stray {
                dialog,
                ended: false,
            });
        self.strays.extend(lost);
    }

    /// A 2xx of a fork that lost.
    pub(super) fn end_stray(
        &mut self,
        core: &mut Core,
        id: ClientId,
        tag: &str,
        response: &Response,
    ) {
        let is_it = |stray: &Stray| *stray.dialog.remote_tag == *tag;
        if !self.strays.iter().any(is_it)
            && self.strays.len() < FORKS
            && let Some(dialog) = new_dialog(core, id, response)
        {
            self.strays.push(Stray {
                dialog,
                ended: false,
            });
        }
        let stray = self.strays.iter_mut().find(|stray| is_it(stray));
        let user = ClientUser {
            session: self.id,
            purpose: Purpose::Stray,
        };
        match (stray, response.headers.cseq()) {
            (Some(stray), Ok(cseq)) => {
                stray.dialog.confirm(response);
                let dialog = &mut stray.dialog;
                let ack = dialog.numbered(Method::Ack, cseq.seq, &core.values);
                send_ack(core, dialog.flow, ack);
                if !core::mem::replace(&mut stray.ended, true) {
                    let bye = dialog.request(Method::Bye, &core.values);
                    core.request(dialog.flow, bye, user);
                }
            }
            _ => stray_success(core, id, response),
        }
    }
}

fn new_dialog(core: &Core, id: ClientId, response: &Response) -> Option<Dialog> {
    let transaction = core.clients.get(id)?;
    Dialog::as_caller(transaction.invite.as_deref()?, response, transaction.flow)
}

/// The dialog of a 2xx to an INVITE that a process before this one sent; what it says is all that is known.
pub(crate) fn forgotten_dialog(
    flow: Flow,
    response: &Response,
    essentials: &Essentials,
) -> Option<Dialog> {
    let headers = &response.headers;
    let mut invite = Request::new(Method::Invite, crate::dialog::contact(headers)?);
    for name in [HeaderName::From, HeaderName::CallId] {
        invite
            .headers
            .push(name.clone(), headers.raw(&name)?.clone());
    }
    let cseq = essentials.cseq.clone();
    invite.headers.push(HeaderName::CSeq, cseq);
    let mut dialog = Dialog::as_caller(&invite, response, flow)?;
    dialog.local_seq = dialog.local_seq.saturating_add(FORGOTTEN);
    Some(dialog)
}

/// A 2xx whose session is forgotten. It gets ACK and BYE made from what the transaction and the
/// response say; to a re-INVITE ACK alone, for its dialog has had its BYE (RFC 5407 §3.2.3).
pub(crate) fn stray_success(core: &mut Core, id: ClientId, response: &Response) {
    let Some(transaction) = core.clients.get(id) else {
        return;
    };
    let (flow, user) = (transaction.flow, transaction.user);
    let Some(mut dialog) = new_dialog(core, id, response) else {
        return;
    };
    let ack = dialog.numbered(Method::Ack, dialog.local_seq, &core.values);
    send_ack(core, flow, ack);
    if user.purpose == Purpose::Reinvite {
        return;
    }
    // Numbers may be left out (RFC 3261 §12.2.2), but not used twice.
    dialog.local_seq = dialog.local_seq.saturating_add(FORGOTTEN);
    let bye = dialog.request(Method::Bye, &core.values);
    let user = ClientUser {
        purpose: Purpose::Stray,
        ..user
    };
    core.request(flow, bye, user);
}
