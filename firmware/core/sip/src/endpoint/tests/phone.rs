//! A far end that writes its messages as text.

use model::{ExtensionId, Flow, Secret};

use super::tape::{Sent, Tape, flow};
use crate::digest::Client;
use crate::endpoint::{Event, IncomingInvite, OutgoingInvite, SessionId, Target};
use crate::message::Uri;

/// A phone, its dialog, and what it counts.
#[derive(Clone, Debug)]
pub(super) struct Phone {
    pub(super) flow: Flow,
    pub(super) user: String,
    pub(super) password: String,
    pub(super) call_id: String,
    pub(super) tag: String,
    /// The box's tag, once known.
    pub(super) their_tag: String,
    pub(super) cseq: u32,
    /// Where requests go in the dialog.
    pub(super) target: String,
    pub(super) branch: u32,
    /// Header lines of every request, each with its line end.
    pub(super) extra: String,
    /// The branch of the last INVITE, for CANCEL and ACK.
    pub(super) invite_branch: String,
    /// Whose phone the box takes it for where it calls.
    pub(super) account: Option<ExtensionId>,
}

/// The description of a phone's media; nobody looks inside.
pub(super) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nt=0 0\r\n";

impl Phone {
    pub(super) fn new(remote: &str, user: &str) -> Self {
        Self {
            flow: flow(remote),
            user: user.to_owned(),
            password: "secret".to_owned(),
            call_id: format!("call-of-{user}"),
            tag: format!("tag-of-{user}"),
            their_tag: String::new(),
            cseq: 0,
            target: "sip:200@192.0.2.1".to_owned(),
            branch: 0,
            extra: String::new(),
            invite_branch: String::new(),
            account: None,
        }
    }

    /// A new request, numbered; To has the box's tag where it is known.
    pub(super) fn request(&mut self, method: &str, lines: &str, body: &str) -> String {
        self.cseq += 1;
        self.branch += 1;
        let branch = format!("z9hG4bK-{}-{}", self.user, self.branch);
        if method == "INVITE" {
            self.invite_branch.clone_from(&branch);
        }
        self.text(method, method, &branch, self.cseq, lines, body)
    }

    fn text(
        &self,
        method: &str,
        _cseq: &str,
        branch: &str,
        seq: u32,
        lines: &str,
        body: &str,
    ) -> String {
        let Self {
            flow,
            user,
            call_id,
            tag,
            target,
            extra,
            ..
        } = self;
        let to_tag = match self.their_tag.as_str() {
            "" => String::new(),
            tag => format!(";tag={tag}"),
        };
        let to = if method == "REGISTER" {
            format!("<sip:{user}@192.0.2.1>{to_tag}")
        } else {
            format!("<sip:200@192.0.2.1>{to_tag}")
        };
        let via = flow.transport.via_name();
        let content = if body.is_empty() || lines.contains("Content-Type") {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        let contact = if lines.contains("Contact") || method == "ACK" {
            String::new()
        } else {
            format!("Contact: <sip:{user}@{}>\r\n", flow.remote)
        };
        format!(
            "{method} {target} SIP/2.0\r\n\
             Via: SIP/2.0/{via} {};branch={branch};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@192.0.2.1>;tag={tag}\r\n\
             To: {to}\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {seq} {method}\r\n\
             {contact}{extra}{lines}{content}\
             Content-Length: {}\r\n\r\n{body}",
            flow.remote,
            body.len(),
        )
    }

    /// ACK for a 2xx: a branch of its own, the INVITE's number.
    pub(super) fn ack(&mut self, seq: u32, body: &str) -> String {
        self.branch += 1;
        let branch = format!("z9hG4bK-{}-{}", self.user, self.branch);
        self.text("ACK", "ACK", &branch, seq, "", body)
    }

    /// ACK for a refusal: the INVITE's branch and number.
    pub(super) fn ack_refusal(&self, refusal: &Sent) -> String {
        let mut phone = self.clone();
        phone.their_tag = refusal.tag("To");
        phone.text("ACK", "ACK", &self.invite_branch, self.cseq, "", "")
    }

    /// CANCEL of the last INVITE.
    pub(super) fn cancel(&self, lines: &str) -> String {
        let mut phone = self.clone();
        phone.their_tag.clear();
        phone.text(
            "CANCEL",
            "CANCEL",
            &self.invite_branch,
            self.cseq,
            lines,
            "",
        )
    }

    /// Sends a request, takes the challenge, and sends it again with credentials.
    pub(super) fn authenticated(&mut self, tape: &mut Tape, method: &str, lines: &str, body: &str) {
        let first = self.request(method, lines, body);
        tape.recv(self.flow, &first);
        let challenge = tape.sends(&format!("401 {method}"));
        if method == "INVITE" {
            let ack = self.ack_refusal(&challenge);
            tape.recv(self.flow, &ack);
        }
        let credentials = self.credentials(&challenge, method, "cnonce");
        let lines = format!("{lines}Authorization: {credentials}\r\n");
        let again = self.request(method, &lines, body);
        tape.recv(self.flow, &again);
    }

    /// What answers a challenge.
    pub(super) fn credentials(&self, challenge: &Sent, method: &str, cnonce: &str) -> String {
        let password = Secret::new(self.password.clone());
        let mut client = Client::new(&challenge.response(), &self.user, &password).unwrap();
        client
            .authorize(method, &self.target, b"", cnonce.as_bytes())
            .to_string()
    }

    /// Calls 200 through the box; 100 Trying has not been sent yet.
    pub(super) fn invite(
        &mut self,
        tape: &mut Tape,
        lines: &str,
        body: &str,
    ) -> (SessionId, Box<IncomingInvite>) {
        self.authenticated(tape, "INVITE", lines, body);
        match tape.event() {
            Event::Invited { session, invite } => (session, invite),
            other => panic!("{other:?}"),
        }
    }

    /// Takes the box's tag and Contact from a response.
    pub(super) fn learn(&mut self, sent: &Sent) {
        self.their_tag = sent.tag("To");
        let contact = sent.header("Contact");
        if let Some(uri) = contact
            .strip_prefix('<')
            .and_then(|uri| uri.split('>').next())
        {
            self.target = uri.to_owned();
        }
    }

    /// A call that the box answered and the phone acknowledged.
    pub(super) fn in_call(&mut self, tape: &mut Tape, lines: &str) -> SessionId {
        let (session, _) = self.invite(tape, lines, SDP);
        tape.act(|box_, now| box_.accept(now, session, "answer".into()));
        let ok = tape.sends("200 INVITE");
        self.learn(&ok);
        let ack = self.ack(self.cseq, "");
        tape.recv(self.flow, &ack);
        assert!(matches!(tape.event(), Event::Acknowledged { .. }));
        session
    }

    /// A response to a request of the box.
    pub(super) fn answer(&self, to: &Sent, status: &str, lines: &str, body: &str) -> String {
        let request = to.request();
        let tag = if request.headers.to().unwrap().tag().is_some() || status.starts_with("100") {
            String::new()
        } else {
            format!(";tag={}", self.tag)
        };
        let vias = to.header("Via");
        let content = if body.is_empty() {
            ""
        } else {
            "Content-Type: application/sdp\r\n"
        };
        format!(
            "SIP/2.0 {status}\r\n\
             Via: {vias}\r\n\
             From: {}\r\n\
             To: {}{tag}\r\n\
             Call-ID: {}\r\n\
             CSeq: {}\r\n\
             Contact: <sip:{}@{}>\r\n\
             {lines}{content}Content-Length: {}\r\n\r\n{body}",
            to.header("From"),
            to.header("To"),
            to.header("Call-ID"),
            to.header("CSeq"),
            self.user,
            self.flow.remote,
            body.len(),
        )
    }

    /// The box's call to this phone.
    pub(super) fn called(&self, tape: &mut Tape, sdp: Option<&'static str>) -> (SessionId, Sent) {
        let invite = self.outgoing(sdp);
        let session = tape.act(|box_, now| box_.invite(now, invite));
        (session, tape.sends("INVITE"))
    }

    pub(super) fn outgoing(&self, sdp: Option<&'static str>) -> OutgoingInvite {
        let uri: Uri = format!("sip:{}@{}", self.user, self.flow.remote)
            .parse()
            .unwrap();
        OutgoingInvite {
            target: Target {
                uri,
                route: Vec::new(),
                flow: self.flow,
            },
            account: self.account,
            from_display: Some("Alice".to_owned()),
            from_user: "100".to_owned(),
            from_host: None,
            to_user: self.user.clone(),
            sdp: sdp.map(|sdp| sdp.as_bytes().into()),
            headers: Vec::new(),
        }
    }

    /// The box's call to this phone, answered and acknowledged; the INVITE and the ACK come back.
    pub(super) fn answered(&mut self, tape: &mut Tape, lines: &str) -> (SessionId, Sent, Sent) {
        let (session, invite) = self.called(tape, Some("offer"));
        let ok = self.answer(&invite, "200 OK", lines, SDP);
        tape.recv(self.flow, &ok);
        let ack = tape.sends("ACK");
        assert!(matches!(tape.event(), Event::Accepted { .. }));
        self.join(&invite);
        (session, invite, ack)
    }

    /// Takes over the dialog of an INVITE of the box, to send requests in it.
    pub(super) fn join(&mut self, invite: &Sent) {
        self.call_id = invite.header("Call-ID");
        self.their_tag = invite.tag("From");
        let contact = invite.header("Contact");
        self.target = contact
            .strip_prefix('<')
            .and_then(|uri| uri.split('>').next())
            .unwrap()
            .to_owned();
        self.cseq = 100;
    }
}
