//! REFER and what NOTIFY says of it; Replaces (RFC 3515, RFC 3891, RFC 5589).

use model::Instant;
use rsip::Method;

use super::Phone;
use super::message::Msg;
use super::transactions::Purpose;

impl Phone {
    /// Sends the other party of a call to a number.
    pub(crate) fn transfer(&mut self, now: Instant, index: usize, number: &str) {
        let to = format!("<{}>", self.exchange_uri(number));
        self.refer(now, index, to);
    }

    /// Joins the other party of one call with that of another.
    pub(crate) fn transfer_to(&mut self, now: Instant, index: usize, other: usize) {
        let replaces = self.replaces(other, true);
        let target = match self.calls[other].target.split_once(';') {
            Some((uri, _)) => uri.to_owned(),
            None => self.calls[other].target.clone(),
        };
        self.refer(now, index, format!("<{target}?Replaces={replaces}>"));
    }

    /// REFER with this Refer-To.
    pub(crate) fn refer(&mut self, now: Instant, index: usize, to: String) {
        let by = format!("<{}>", self.exchange_uri(&self.profile.number));
        let headers = vec![
            ("Refer-To".into(), to),
            ("Referred-By".into(), by),
            ("Contact".into(), self.contact()),
        ];
        self.request_in(
            now,
            index,
            Method::Refer,
            headers,
            None,
            Purpose::Refer(index),
        );
    }

    /// The Replaces value that names the exchange's dialog of a call of ours.
    pub(crate) fn replaces(&self, index: usize, escaped: bool) -> String {
        let call = &self.calls[index];
        let remote = call.remote_tag.as_deref().unwrap_or("0");
        let (id, local) = (&call.call_id, &call.local_tag);
        if escaped {
            let id = id.replace('@', "%40");
            format!("{id}%3Bto-tag%3D{remote}%3Bfrom-tag%3D{local}")
        } else {
            format!("{id};to-tag={remote};from-tag={local}")
        }
    }

    /// NOTIFY of a transfer.
    pub(super) fn notified(&mut self, now: Instant, index: usize, msg: &Msg) {
        let body = msg.body();
        let status = body
            .strip_prefix("SIP/2.0 ")
            .and_then(|rest| rest.split([' ', '\r']).next()?.parse::<u16>().ok());
        let Some(status) = status else {
            self.complaints.push(format!("a NOTIFY says: {body}"));
            return;
        };
        let state = msg.header("Subscription-State").unwrap_or_default();
        if (status >= 200) != state.starts_with("terminated") {
            self.complaints
                .push(format!("a NOTIFY says {status} and {state}"));
        }
        self.calls[index].notified.push(status);
        if (200..300).contains(&status)
            && self.profile.hangs_up_after_transfer
            && self.calls[index].is_up()
        {
            self.bye(now, index);
        }
    }
}
