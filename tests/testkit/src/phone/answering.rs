//! The called side: INVITE comes in, rings, is answered, refused or cancelled (RFC 3261 §13.3, §9.2).

use core::time::Duration;

use model::Instant;
use rsip::Method;

use super::message::{Basics, Draft, Msg, uri_of};
use super::sdp::{Description, Direction};
use super::transactions::T1;
use super::{End, Greeting, Phone, Reliable, State};

impl Phone {
    pub(super) fn invited(&mut self, now: Instant, msg: &Msg, basics: &Basics) {
        let mut call = self.new_call(false);
        call.call_id.clone_from(&basics.call_id);
        call.remote_tag = Some(basics.from_tag.clone());
        let from = msg.header("From").unwrap_or_default();
        call.shown = Some(from.split(";tag=").next().unwrap_or_default().to_owned());
        call.peer = format!("<{}>", uri_of(from));
        call.local = format!("<{}>", uri_of(msg.header("To").unwrap_or_default()));
        call.target = msg.contact().unwrap_or_default();
        call.remote_seq = Some(basics.seq);
        call.invite_branch.clone_from(&basics.branch);
        call.invite = Some(msg.clone());
        call.answer_at = self
            .profile
            .answers_after_ms
            .map(|ms| now + Duration::from_millis(ms));
        self.calls.push(call);
        let index = self.calls.len() - 1;
        let quirks = self.profile.quirks;
        if !quirks.no_100 {
            let octets = Draft::response(msg, 100, "").octets();
            self.respond_with(now, &basics.branch, Method::Invite, 100, octets, None);
        }
        match self.profile.greeting {
            Greeting::Ring => self.ring(now, index, 180, false),
            Greeting::EarlyMedia => self.ring(now, index, 183, true),
            Greeting::Nothing => {}
            Greeting::Refuse(status) => self.refuse(now, index, status),
            Greeting::Answer => self.answer(now, index),
        }
    }

    /// Sends a provisional response, with a description where it has sound to give.
    pub(crate) fn ring(&mut self, now: Instant, index: usize, status: u16, sound: bool) {
        let Some(invite) = self.calls[index].invite.clone() else {
            return;
        };
        let sdp = if sound {
            self.answer_invite(index, &invite)
        } else {
            None
        };
        let reliable = match self.profile.reliable {
            Reliable::No => invite.lists("Require", "100rel"),
            Reliable::Supported | Reliable::Required => {
                invite.lists("Supported", "100rel") || invite.lists("Require", "100rel")
            }
        };
        let tag = self.calls[index].local_tag.clone();
        let mut draft = Draft::response(&invite, status, &tag)
            .with("Contact", self.contact())
            .with("Allow", self.profile.allow())
            .sdp(sdp);
        if reliable {
            self.calls[index].our_rseq += 1;
            let rseq = self.calls[index].our_rseq;
            draft = draft
                .with("Require", "100rel")
                .with("RSeq", rseq.to_string());
            let octets = draft.octets();
            self.calls[index].awaits_prack = Some((rseq, now + T1, octets.clone(), T1));
            self.answer_with(now, index, status, octets);
        } else {
            self.answer_with(now, index, status, draft.octets());
        }
        if sound {
            self.calls[index].early_media = true;
            self.calls[index].sound.start(now);
        }
        for fork in 0..self.profile.quirks.forks {
            let draft = Draft::response(&invite, status, &format!("{tag}fork{fork}"))
                .with("Contact", self.contact());
            self.answer_with(now, index, status, draft.octets());
        }
    }

    /// The answer in a response to the INVITE: the same each time; an offer where it had none.
    fn answer_invite(&mut self, index: usize, invite: &Msg) -> Option<String> {
        if let Some(described) = &self.calls[index].description {
            return Some(described.text());
        }
        if invite.header("Content-Type").is_some() {
            return self.answer_to(index, &invite.body());
        }
        self.calls[index].we_offered = true;
        Some(self.describe(index, Direction::SendRecv, None))
    }

    fn answer_with(&mut self, now: Instant, index: usize, status: u16, octets: Vec<u8>) {
        let branch = self.calls[index].invite_branch.clone();
        self.respond_with(now, &branch, Method::Invite, status, octets, Some(index));
    }

    /// The handset is lifted.
    pub(crate) fn answer(&mut self, now: Instant, index: usize) {
        if self.calls[index].state != State::Ringing {
            return;
        }
        let Some(invite) = self.calls[index].invite.clone() else {
            return;
        };
        let quirks = self.profile.quirks;
        let sdp = self.answer_invite(index, &invite);
        if sdp.is_none() {
            self.refuse(now, index, 488);
            return;
        }
        let sdp = sdp.filter(|_| !quirks.answers_without_sdp);
        self.calls[index].awaits_prack = None;
        let tag = self.calls[index].local_tag.clone();
        let session = self.session_answer(now, index, &invite);
        let draft = |tag: &str| {
            Draft::response(&invite, 200, tag)
                .with("Contact", self.contact())
                .with("Allow", self.profile.allow())
                .with("User-Agent", format!("Testkit {}", self.name))
                .with_some("Supported", self.profile.supported())
                .with_some("Session-Expires", session.clone())
                .sdp(sdp.clone())
        };
        let (octets, second) = (
            draft(&tag).octets(),
            draft(&format!("{tag}second")).octets(),
        );
        self.answer_with(now, index, 200, octets);
        if quirks.answers_twice {
            self.send(second);
        }
        if quirks.late_ringing {
            let late = Draft::response(&invite, 180, &tag).with("Contact", self.contact());
            self.send(late.octets());
        }
        self.calls[index].state = State::Answered;
        self.calls[index].sound.start(now);
    }

    /// The call is refused.
    pub(crate) fn refuse(&mut self, now: Instant, index: usize, status: u16) {
        let Some(invite) = self.calls[index].invite.clone() else {
            return;
        };
        if self.calls[index].state != State::Ringing {
            return;
        }
        let tag = self.calls[index].local_tag.clone();
        let mut draft = Draft::response(&invite, status, &tag);
        if (300..400).contains(&status) {
            draft = draft.with("Contact", format!("<{}>", self.exchange_uri("999")));
        }
        self.answer_with(now, index, status, draft.octets());
        self.end(index, End::Refused(status));
    }

    /// CANCEL.
    pub(super) fn cancelled(&mut self, now: Instant, msg: &Msg, basics: &Basics) {
        let quirks = self.profile.quirks;
        if quirks.ignores_cancel {
            return;
        }
        let found = (self.calls.iter())
            .rposition(|call| !call.outgoing && call.invite_branch == basics.branch);
        let Some(index) = found else {
            self.respond(now, msg, basics, 481, |draft| draft);
            return;
        };
        self.respond(now, msg, basics, 200, |draft| draft);
        if self.calls[index].state != State::Ringing {
            return;
        }
        self.calls[index].reason = msg.header("Reason").map(str::to_owned);
        if quirks.answers_after_cancel {
            self.answer(now, index);
            return;
        }
        if let Some(invite) = self.calls[index].invite.clone() {
            let tag = self.calls[index].local_tag.clone();
            let octets = Draft::response(&invite, 487, &tag).octets();
            self.answer_with(now, index, 487, octets);
        }
        self.end(index, End::Cancelled);
    }

    /// The ACK of our 2xx, with the answer where we made the offer.
    pub(super) fn call_acknowledged(&mut self, now: Instant, index: usize, msg: &Msg) {
        if self.calls[index].state == State::Answered {
            self.calls[index].state = State::Talking;
        }
        if msg.header("Content-Type").is_some() {
            match Description::parse(&msg.body()) {
                Ok(description) => {
                    self.check_origin(index, &description);
                    self.calls[index].remote = Some(description);
                    self.calls[index].sound.start(now);
                }
                Err(fault) => self.complaints.push(format!("the ACK's answer: {fault}")),
            }
        } else if self.calls[index].we_offered && self.calls[index].remote.is_none() {
            self.complaints
                .push("the ACK has no answer to our offer".into());
        }
    }
}
