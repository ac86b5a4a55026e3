//! A phone of real messages, most of them in order: it answers challenges, acknowledges, and says 200
//! where nothing else is told.

use core::net::SocketAddr;

use bytes::Bytes;
use model::{Flow, Secret, Transport};
use sip::digest::Client;
use sip::message::{
    Field, HeaderName, Headers, Limits, Message, Method, Request, Response, StatusCode,
};

use crate::PASSWORD;

/// What a phone may say to a request, the likelier the more often.
const STATUSES: [u16; 16] = [
    180, 183, 200, 200, 200, 100, 486, 603, 302, 408, 481, 487, 491, 401, 422, 699,
];

struct Dialog {
    call_id: String,
    local: String,
    remote: String,
    target: String,
    cseq: u32,
    invite: Request,
    challenged: bool,
}

pub(crate) struct Phone {
    number: &'static str,
    pub(crate) flow: Flow,
    dialogs: Vec<Dialog>,
    /// Requests of the exchange that may be answered, the newest last.
    asked: Vec<Request>,
    /// All that left.
    pub(crate) sent: Vec<Bytes>,
    count: u32,
    mute: bool,
    registering: bool,
}

impl Phone {
    pub(crate) fn new(
        number: &'static str,
        remote: &str,
        transport: Transport,
        mute: bool,
    ) -> Self {
        let local = "10.0.0.1:5060".parse().expect("an address");
        let remote: SocketAddr = remote.parse().expect("an address");
        Self {
            number,
            flow: Flow {
                transport,
                local,
                remote,
            },
            dialogs: Vec::new(),
            asked: Vec::new(),
            sent: Vec::new(),
            count: 0,
            mute,
            registering: false,
        }
    }

    fn text(
        &mut self,
        method: &str,
        uri: &str,
        parties: (&str, &str),
        id: (&str, u32),
        extra: &str,
        body: Option<(&str, String)>,
    ) -> Bytes {
        self.count += 1;
        let (transport, address) = (self.flow.transport.via_name(), self.flow.remote);
        let (kind, body) = body.map_or(Default::default(), |(kind, body)| {
            (format!("Content-Type: {kind}\r\n"), body)
        });
        Bytes::from(format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/{transport} {address};rport;branch=z9hG4bK{count}{number}\r\n\
             Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:{number}@{address}>\r\n\
             Supported: 100rel, timer, replaces\r\n{extra}{kind}\
             Content-Length: {length}\r\n\r\n{body}",
            count = self.count,
            number = self.number,
            from = parties.0,
            to = parties.1,
            call_id = id.0,
            cseq = id.1,
            length = body.len(),
        ))
    }

    pub(crate) fn fresh(&mut self, kind: u8, to: u8, body: u8) -> Bytes {
        let to = ["101", "102", "999", "", "anonymous", "*97"][usize::from(to) % 6];
        let n = self.count;
        let uri = format!("sip:{to}@10.0.0.1");
        let (own, call_id) = (self.number, format!("c{n}-{}", self.number));
        let from = format!("<sip:{own}@pbx>;tag=f{n}");
        let (method, extra) = match kind % 16 {
            0..=4 => ("INVITE", String::new()),
            5 => (
                "INVITE",
                "Session-Expires: 90;refresher=uac\r\nMin-SE: 90\r\n".into(),
            ),
            6 => ("INVITE", "Require: 100rel\r\n".into()),
            7 => ("INVITE", "Require: nothing-known\r\n".into()),
            8 => ("INVITE", format!("Replaces: {}\r\n", self.replaces(body))),
            9 => ("OPTIONS", String::new()),
            10 => ("SUBSCRIBE", "Event: presence\r\nExpires: 60\r\n".into()),
            11 => ("MESSAGE", String::new()),
            12 => ("BYE", String::new()),
            13 => ("PUBLISH", "Event: presence\r\n".into()),
            _ => {
                self.registering = true;
                let expires = [0, 60, 600, u32::MAX][usize::from(body) % 4];
                let extra = format!("Expires: {expires}\r\n");
                let aor = format!("<sip:{own}@pbx>");
                let id = format!("r-{own}");
                let from = format!("{aor};tag=r");
                return self.text(
                    "REGISTER",
                    "sip:10.0.0.1",
                    (&from, &aor),
                    (&id, n + 1),
                    &extra,
                    None,
                );
            }
        };
        let body = self.body(body);
        let remote = format!("<{uri}>");
        let text = self.text(method, &uri, (&from, &remote), (&call_id, 1), &extra, body);
        if method == "INVITE"
            && let Ok(Message::Request(invite)) = Message::parse_bytes(&text, &Limits::default())
        {
            self.dialogs.push(Dialog {
                call_id,
                local: from,
                remote,
                target: uri,
                cseq: 1,
                invite,
                challenged: false,
            });
        }
        text
    }

    pub(crate) fn inside(&mut self, dialog: u8, kind: u8, other: u8, body: u8) -> Option<Bytes> {
        let index = usize::from(dialog).checked_rem(self.dialogs.len())?;
        let at = &self.dialogs[index];
        let target = ["101", "102", "999"][usize::from(other) % 3];
        let (method, extra) = match kind % 12 {
            0 => ("BYE", String::new()),
            1 => return Some(self.cancel(index)),
            2 => ("ACK", String::new()),
            3 => ("INVITE", String::new()),
            4 => ("UPDATE", "Session-Expires: 90\r\n".into()),
            5 => ("INFO", String::new()),
            6 => ("REFER", format!("Refer-To: <sip:{target}@pbx>\r\n")),
            7 => {
                let replaces = self.replaces(other);
                let escaped = replaces
                    .replace(';', "%3B")
                    .replace('=', "%3D")
                    .replace(':', "%3A");
                (
                    "REFER",
                    format!("Refer-To: <sip:{target}@pbx?Replaces={escaped}>\r\n"),
                )
            }
            8 => (
                "PRACK",
                format!("RAck: {} {} INVITE\r\n", other % 4, at.cseq),
            ),
            9 => (
                "NOTIFY",
                "Event: refer\r\nSubscription-State: terminated\r\n".into(),
            ),
            10 => ("OPTIONS", String::new()),
            _ => ("UPDATE", String::new()),
        };
        let body = self.body(if method == "INFO" { 6 } else { body });
        let at = &mut self.dialogs[index];
        if method != "ACK" {
            at.cseq = at.cseq.wrapping_add(1);
        }
        let (uri, local, remote) = (at.target.clone(), at.local.clone(), at.remote.clone());
        let (id, cseq) = (at.call_id.clone(), at.cseq);
        let text = self.text(method, &uri, (&local, &remote), (&id, cseq), &extra, body);
        if method == "INVITE"
            && let Ok(Message::Request(invite)) = Message::parse_bytes(&text, &Limits::default())
        {
            self.dialogs[index].invite = invite;
        }
        Some(text)
    }

    fn cancel(&self, index: usize) -> Bytes {
        let invite = &self.dialogs[index].invite;
        let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
        for name in [
            HeaderName::Via,
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
        ] {
            cancel.headers.copy_from(&invite.headers, &name);
        }
        let cseq = raw(&invite.headers, &HeaderName::CSeq).replace("INVITE", "CANCEL");
        cancel.headers.push(HeaderName::CSeq, cseq);
        cancel.to_bytes()
    }

    /// Names a dialog in a Replaces header.
    fn replaces(&self, which: u8) -> String {
        let Some(index) = usize::from(which).checked_rem(self.dialogs.len()) else {
            return "none;to-tag=a;from-tag=b".into();
        };
        let at = &self.dialogs[index];
        let tag = |value: &str| value.split(";tag=").nth(1).unwrap_or("0").to_owned();
        let (to, from) = (tag(&at.remote), tag(&at.local));
        format!("{};to-tag={to};from-tag={from}", at.call_id)
    }

    fn body(&self, kind: u8) -> Option<(&'static str, String)> {
        let (codecs, line) = match kind % 8 {
            0 | 1 => ("8 0", "a=sendrecv"),
            2 => ("0", "a=sendonly"),
            3 => ("8", "a=inactive"),
            4 => ("18", "a=rtpmap:18 G729/8000"),
            5 => return None,
            6 => {
                return Some((
                    "application/dtmf-relay",
                    "Signal=5\r\nDuration=160\r\n".into(),
                ));
            }
            _ => ("8", "m=video 0 RTP/AVP 99"),
        };
        let ip = self.flow.remote.ip();
        Some((
            "application/sdp",
            format!(
                "v=0\r\no=- 1 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\n\
                 m=audio 4000 RTP/AVP {codecs} 101\r\na=rtpmap:101 telephone-event/8000\r\n{line}\r\n",
                version = self.count + 1,
            ),
        ))
    }

    pub(crate) fn respond(&self, request: u8, status: u8, body: u8) -> Option<Bytes> {
        let index = usize::from(request).checked_rem(self.asked.len())?;
        let request = &self.asked[self.asked.len() - 1 - index];
        let status = StatusCode::new(STATUSES[usize::from(status) % 16])?;
        let mut response = Response::to(request, status);
        if !raw(&request.headers, &HeaderName::To).contains(";tag=") {
            response = response.with_to_tag(&format!("t{}", self.number));
        }
        let contact = format!("<sip:{}@{}>", self.number, self.flow.remote);
        response.headers.push(HeaderName::Contact, contact);
        if let Some((kind, body)) = self.body(body) {
            response.headers.push(HeaderName::ContentType, kind);
            response.body = Bytes::from(body);
        }
        Some(response.to_bytes())
    }

    /// Takes a message; says what is to be sent because of it.
    pub(crate) fn receive(&mut self, octets: &Bytes) -> Vec<Bytes> {
        match Message::parse_bytes(octets, &Limits::default()).expect("the exchange sends SIP") {
            Message::Request(request) => self.asked_for(request),
            Message::Response(response) => self.told(&response),
        }
    }

    fn asked_for(&mut self, request: Request) -> Vec<Bytes> {
        let call_id = raw(&request.headers, &HeaderName::CallId);
        let known = self.dialogs.iter().any(|dialog| dialog.call_id == call_id);
        let own = matches!(request.method, Method::Invite | Method::Ack);
        if request.method == Method::Invite && !known {
            let contact = raw(&request.headers, &HeaderName::Contact);
            self.dialogs.push(Dialog {
                call_id,
                local: format!(
                    "{};tag=t{}",
                    raw(&request.headers, &HeaderName::To),
                    self.number
                ),
                remote: raw(&request.headers, &HeaderName::From),
                target: contact
                    .split(['<', '>'])
                    .nth(1)
                    .unwrap_or(&contact)
                    .to_owned(),
                cseq: 100,
                invite: request.clone(),
                challenged: true,
            });
        }
        let answer =
            (!own && !self.mute).then(|| Response::to(&request, StatusCode::OK).to_bytes());
        if request.method != Method::Ack {
            self.asked.push(request);
        }
        answer.into_iter().collect()
    }

    fn told(&mut self, response: &Response) -> Vec<Bytes> {
        let cseq = raw(&response.headers, &HeaderName::CSeq);
        let call_id = raw(&response.headers, &HeaderName::CallId);
        let status = response.status.code();
        let challenge = matches!(status, 401 | 407);
        if cseq.ends_with("REGISTER") {
            if !challenge || !core::mem::take(&mut self.registering) {
                return Vec::new();
            }
            let again = self.fresh(15, 0, 2);
            self.registering = false;
            return self
                .with_credentials(&again, response)
                .into_iter()
                .collect();
        }
        let index = self
            .dialogs
            .iter()
            .position(|dialog| dialog.call_id == call_id);
        let Some(index) = index.filter(|_| cseq.ends_with("INVITE") && status > 100) else {
            return Vec::new();
        };
        let at = &mut self.dialogs[index];
        if status < 300 {
            at.remote = raw(&response.headers, &HeaderName::To);
            let contact = raw(&response.headers, &HeaderName::Contact);
            if let Some(target) = contact.split(['<', '>']).nth(1) {
                target.clone_into(&mut at.target);
            }
            if status < 200 || self.mute {
                return Vec::new();
            }
            return self.inside(index as u8, 2, 0, 5).into_iter().collect();
        }
        let mut ack = Request::new(Method::Ack, at.invite.uri.clone());
        for name in [HeaderName::Via, HeaderName::From, HeaderName::CallId] {
            ack.headers.copy_from(&at.invite.headers, &name);
        }
        ack.headers.copy_from(&response.headers, &HeaderName::To);
        ack.headers
            .push(HeaderName::CSeq, cseq.replace("INVITE", "ACK"));
        let mut replies = vec![ack.to_bytes()];
        if challenge && !core::mem::replace(&mut at.challenged, true) {
            at.cseq = at.cseq.wrapping_add(1);
            let (cseq, via) = (at.cseq, raw(&at.invite.headers, &HeaderName::Via));
            at.invite
                .headers
                .set(HeaderName::CSeq, format!("{cseq} INVITE"));
            at.invite.headers.set(HeaderName::Via, format!("{via}x"));
            let invite = at.invite.to_bytes();
            if let Some(invite) = self.with_credentials(&invite, response) {
                if let Ok(Message::Request(sent)) =
                    Message::parse_bytes(&invite, &Limits::default())
                {
                    self.dialogs[index].invite = sent;
                }
                replies.push(invite);
            }
        }
        replies
    }

    fn with_credentials(&self, request: &Bytes, refusal: &Response) -> Option<Bytes> {
        let Ok(Message::Request(mut request)) = Message::parse_bytes(request, &Limits::default())
        else {
            return None;
        };
        let mut client = Client::new(refusal, self.number, &Secret::new(PASSWORD)).ok()?;
        let (method, uri) = (request.method.as_str().to_owned(), request.uri.to_string());
        let value = client.authorize(&method, &uri, &request.body, b"cnonce-cnonce");
        let mut text = Vec::new();
        value.write(&mut text);
        request
            .headers
            .push(client.header_name(), Bytes::from(text));
        Some(request.to_bytes())
    }
}

fn raw(headers: &Headers, name: &HeaderName) -> String {
    headers
        .raw(name)
        .map(|value| value.to_text())
        .unwrap_or_default()
}
