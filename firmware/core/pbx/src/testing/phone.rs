//! A SIP phone of the plainest kind, by text: it does its duties by itself (ACK, 200 to BYE and
//! NOTIFY, credentials) and writes down what came.

use core::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use model::{Flow, Secret, Transport};
use sip::digest::Client;
use sip::message::{HeaderName, Limits, Message, Method, Request, Response, StatusCode};

/// The exchange's address.
const EXCHANGE: &str = "10.0.0.1:5060";

/// One INVITE session of the phone.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    /// Our From or To value, with our tag.
    local: String,
    /// Theirs, with their tag once it is known.
    remote: String,
    target: String,
    cseq: u32,
    /// The INVITE that began it, ours or theirs.
    pub(crate) invite: Request,
    pub(crate) incoming: bool,
    /// The last session description that came.
    pub(crate) sdp: Option<String>,
    credentials: bool,
    /// What the ACK answers with, where the INVITE had no offer.
    answer: Option<String>,
}

impl Dialog {
    /// The value of a Replaces header that names this dialog, as the exchange sees it.
    pub(crate) fn replaces(&self) -> String {
        let tag = |value: &str| {
            let tag = value.split(";tag=").nth(1).unwrap_or_default();
            tag.split(';').next().unwrap_or_default().to_owned()
        };
        format!(
            "{};to-tag={};from-tag={}",
            self.call_id,
            tag(&self.remote),
            tag(&self.local)
        )
    }
}

/// A phone.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) number: String,
    pub(crate) address: SocketAddr,
    /// What came, in short words.
    pub(crate) log: Vec<String>,
    pub(crate) dialogs: Vec<Dialog>,
    /// Why its last call was refused: the Reason and the Warning.
    pub(crate) reason: String,
    counter: u32,
    registers: u32,
    /// For the next challenge of a REGISTER.
    password: String,
    /// It has no power: it sees what comes, for the test, but answers nothing.
    pub(crate) dead: bool,
}

impl Phone {
    pub(crate) fn new(number: &str, address: &str) -> Self {
        Self {
            number: number.into(),
            address: address.parse().expect("an address"),
            log: Vec::new(),
            dialogs: Vec::new(),
            reason: String::new(),
            counter: 0,
            registers: 0,
            password: String::new(),
            dead: false,
        }
    }

    pub(crate) fn flow(&self) -> Flow {
        Flow {
            transport: Transport::Udp,
            local: EXCHANGE.parse().expect("an address"),
            remote: self.address,
        }
    }

    pub(crate) fn contact(&self) -> String {
        format!("sip:{}@{}", self.number, self.address)
    }

    /// A session description of ours: the port tells the phones apart.
    pub(crate) fn sdp(&self, codecs: &str, direction: &str) -> String {
        let IpAddr::V4(ip) = self.address.ip() else {
            return String::new();
        };
        format!(
            "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP {codecs} 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
        )
    }

    /// Begins a call to what `uri` names.
    pub(crate) fn invite(&mut self, to: &str, extra: &str, sdp: Option<&str>) -> Bytes {
        self.counter += 1;
        let n = self.counter;
        let local = format!("<sip:{}@pbx>;tag=f{n}", self.number);
        let uri = format!("sip:{to}@10.0.0.1");
        let text = self.text(
            "INVITE",
            &uri,
            (&local, &format!("<{uri}>")),
            (&format!("c{n}-{}", self.address), 1),
            extra,
            sdp,
        );
        let Ok(Message::Request(invite)) = Message::parse_bytes(&text, &Limits::default()) else {
            panic!("the phone can't read itself");
        };
        self.dialogs.push(Dialog {
            call_id: format!("c{n}-{}", self.address),
            local,
            remote: format!("<{uri}>"),
            target: uri,
            cseq: 1,
            invite,
            incoming: false,
            sdp: None,
            credentials: false,
            answer: sdp.is_none().then(|| self.sdp("8 0", "sendrecv")),
        });
        text
    }

    /// A REGISTER of the phone's contact for so long; a challenge is answered with this password.
    pub(crate) fn register(&mut self, expires_s: u32, password: &str) -> Bytes {
        let uri = "sip:10.0.0.1".to_owned();
        let aor = format!("<sip:{}@pbx>", self.number);
        let call_id = format!("r-{}", self.address);
        self.password = password.into();
        self.registers += 1;
        self.text(
            "REGISTER",
            &uri,
            (&format!("{aor};tag=r"), &aor),
            (&call_id, 100 + self.registers),
            &format!("Expires: {expires_s}\r\n"),
            None,
        )
    }

    /// The REGISTER again, with credentials for this refusal.
    fn register_again(&mut self, refusal: &Response) -> Vec<Bytes> {
        let Ok(mut client) =
            Client::new(refusal, &self.number, &Secret::new(self.password.as_str()))
        else {
            return Vec::new();
        };
        if self.password.is_empty() {
            return Vec::new();
        }
        let again = self.register(600, &self.password.clone());
        self.password.clear();
        let Ok(Message::Request(mut register)) = Message::parse_bytes(&again, &Limits::default())
        else {
            return Vec::new();
        };
        let value = client.authorize("REGISTER", "sip:10.0.0.1", b"", b"cnonce-cnonce");
        let mut text = Vec::new();
        sip::message::Field::write(&value, &mut text);
        register
            .headers
            .push(client.header_name(), Bytes::from(text));
        vec![register.to_bytes()]
    }

    /// A request in a dialog.
    pub(crate) fn request(
        &mut self,
        dialog: usize,
        method: &str,
        extra: &str,
        body: Option<&str>,
    ) -> Bytes {
        let at = &mut self.dialogs[dialog];
        if method != "ACK" {
            at.cseq += 1;
        }
        let (target, local, remote, id, cseq) = (
            at.target.clone(),
            at.local.clone(),
            at.remote.clone(),
            at.call_id.clone(),
            at.cseq,
        );
        let text = self.text(method, &target, (&local, &remote), (&id, cseq), extra, body);
        if method == "INVITE"
            && let Ok(Message::Request(invite)) = Message::parse_bytes(&text, &Limits::default())
        {
            self.dialogs[dialog].invite = invite;
        }
        text
    }

    /// Takes back the INVITE of a dialog.
    pub(crate) fn cancel(&mut self, dialog: usize) -> Bytes {
        let invite = &self.dialogs[dialog].invite;
        let mut cancel = Request::new(Method::Cancel, invite.uri.clone());
        for name in [
            HeaderName::Via,
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
        ] {
            cancel.headers.copy_from(&invite.headers, &name);
        }
        let cseq = invite.headers.raw(&HeaderName::CSeq).expect("in order");
        let number = cseq.to_text().replace(" INVITE", "");
        cancel
            .headers
            .push(HeaderName::CSeq, format!("{number} CANCEL"));
        cancel.headers.push(HeaderName::MaxForwards, "70");
        cancel.to_bytes()
    }

    /// A response to the INVITE of a dialog.
    pub(crate) fn respond(
        &mut self,
        dialog: usize,
        status: u16,
        extra: &[(&str, &str)],
        sdp: Option<&str>,
    ) -> Bytes {
        let contact = format!("<{}>", self.contact());
        let at = &self.dialogs[dialog];
        let status = StatusCode::new(status).expect("a status");
        let tag = at.local.split(";tag=").nth(1).expect("our tag");
        let mut response = Response::to(&at.invite, status).with_to_tag(tag);
        response.headers.push(HeaderName::Contact, contact);
        for (name, value) in extra {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            response.headers.push(name, *value);
        }
        if let Some(sdp) = sdp {
            response
                .headers
                .push(HeaderName::ContentType, "application/sdp");
            response.body = Bytes::copy_from_slice(sdp.as_bytes());
        }
        response.to_bytes()
    }

    /// Takes a message, writes it down, and says what is to be sent because of it.
    pub(crate) fn receive(&mut self, bytes: &Bytes) -> Vec<Bytes> {
        let message = Message::parse_bytes(bytes, &Limits::default());
        let answers = match message.expect("the exchange sends SIP") {
            Message::Request(request) => self.received_request(request),
            Message::Response(response) => self.received_response(&response),
        };
        if self.dead { Vec::new() } else { answers }
    }

    fn received_request(&mut self, request: Request) -> Vec<Bytes> {
        let method = request.method.as_str().to_owned();
        let call_id = raw(&request.headers, &HeaderName::CallId);
        let known = (self.dialogs.iter()).position(|dialog| dialog.call_id == call_id);
        let body = body(&request.body);
        let shown = match method.as_str() {
            "INVITE" if known.is_none() => {
                let from = raw(&request.headers, &HeaderName::From);
                format!(
                    "INVITE from {}",
                    from.split(['@', ';']).next().unwrap_or_default()
                )
            }
            "NOTIFY" => {
                let line = body.clone().unwrap_or_default();
                format!("NOTIFY {}", line.split(' ').nth(1).unwrap_or_default())
            }
            "CANCEL" => {
                let reason = raw(&request.headers, &HeaderName::Reason);
                format!("CANCEL {reason}").trim().to_owned()
            }
            _ => method.clone(),
        };
        if !(method == "INVITE" && known.is_some()) {
            self.log.push(shown);
        }
        let ok = |request: &Request| Response::to(request, StatusCode::OK).to_bytes();
        match (method.as_str(), known) {
            ("ACK", _) => Vec::new(),
            ("INVITE", None) => {
                self.counter += 1;
                let to = raw(&request.headers, &HeaderName::To);
                let contact = raw(&request.headers, &HeaderName::Contact);
                let target = contact.split(['<', '>']).nth(1).unwrap_or(&contact);
                self.dialogs.push(Dialog {
                    call_id,
                    local: format!("{to};tag=t{}{}", self.counter, self.address.port()),
                    remote: raw(&request.headers, &HeaderName::From),
                    target: target.to_owned(),
                    cseq: 100,
                    invite: request,
                    incoming: true,
                    sdp: body,
                    credentials: true,
                    answer: None,
                });
                Vec::new()
            }
            // Retransmitted, or a refresh: a test that needs it answers it.
            ("INVITE", Some(dialog)) => {
                self.dialogs[dialog].invite = request;
                Vec::new()
            }
            ("CANCEL", Some(dialog)) => {
                vec![ok(&request), self.respond(dialog, 487, &[], None)]
            }
            _ => vec![ok(&request)],
        }
    }

    fn received_response(&mut self, response: &Response) -> Vec<Bytes> {
        let cseq = raw(&response.headers, &HeaderName::CSeq);
        let call_id = raw(&response.headers, &HeaderName::CallId);
        let status = response.status.code();
        if cseq.ends_with("REGISTER") {
            self.log.push(format!("{status} REGISTER"));
            return if status == 401 {
                self.register_again(response)
            } else {
                Vec::new()
            };
        }
        let Some(dialog) = (self.dialogs.iter()).position(|dialog| dialog.call_id == call_id)
        else {
            return Vec::new();
        };
        let challenged = matches!(status, 401 | 407) && !self.dialogs[dialog].credentials;
        let is_invite = cseq.ends_with("INVITE");
        if status >= 300 && is_invite && !challenged {
            let header = |name| raw(&response.headers, &name);
            self.reason = format!(
                "{} {}",
                header(HeaderName::Reason),
                header(HeaderName::Warning)
            );
        }
        if status > 100 && !challenged {
            self.log.push(match (is_invite, status) {
                (true, _) => status.to_string(),
                (false, 200) if cseq.ends_with("BYE") => "200 BYE".to_owned(),
                (false, _) => format!("{status} {}", cseq.split(' ').nth(1).unwrap_or_default()),
            });
        }
        let at = &mut self.dialogs[dialog];
        if let Some(sdp) = body(&response.body)
            && sdp.starts_with("v=0")
        {
            at.sdp = Some(sdp);
        }
        if !is_invite || status < 200 {
            if is_invite && status > 100 {
                at.remote = raw(&response.headers, &HeaderName::To);
            }
            return Vec::new();
        }
        if status < 300 {
            at.remote = raw(&response.headers, &HeaderName::To);
            let contact = raw(&response.headers, &HeaderName::Contact);
            contact
                .split(['<', '>'])
                .nth(1)
                .unwrap_or(&contact)
                .clone_into(&mut at.target);
            let answer = at.answer.take();
            return vec![self.request(dialog, "ACK", "", answer.as_deref())];
        }
        let mut ack = Request::new(Method::Ack, at.invite.uri.clone());
        for name in [HeaderName::Via, HeaderName::From, HeaderName::CallId] {
            ack.headers.copy_from(&at.invite.headers, &name);
        }
        ack.headers.copy_from(&response.headers, &HeaderName::To);
        ack.headers
            .push(HeaderName::CSeq, cseq.replace("INVITE", "ACK"));
        let mut replies = vec![ack.to_bytes()];
        if challenged {
            replies.push(self.again_with_credentials(dialog, response));
        }
        replies
    }

    fn again_with_credentials(&mut self, dialog: usize, refusal: &Response) -> Bytes {
        let mut client =
            Client::new(refusal, &self.number, &Secret::new("correct-horse")).expect("a challenge");
        let at = &mut self.dialogs[dialog];
        at.credentials = true;
        at.cseq += 1;
        let uri = at.invite.uri.to_string();
        let body = at.invite.body.clone();
        let value = client.authorize("INVITE", &uri, &body, b"cnonce-cnonce");
        at.invite
            .headers
            .set(HeaderName::CSeq, format!("{} INVITE", at.cseq));
        let via = raw(&at.invite.headers, &HeaderName::Via);
        at.invite.headers.set(HeaderName::Via, format!("{via}x"));
        let mut text = Vec::new();
        sip::message::Field::write(&value, &mut text);
        at.invite
            .headers
            .push(client.header_name(), Bytes::from(text));
        at.invite.to_bytes()
    }

    fn text(
        &mut self,
        method: &str,
        uri: &str,
        (from, to): (&str, &str),
        (call_id, cseq): (&str, u32),
        extra: &str,
        body: Option<&str>,
    ) -> Bytes {
        self.counter += 1;
        let kind = match body {
            Some(body) if body.starts_with("v=0") => "Content-Type: application/sdp\r\n",
            Some(_) => "Content-Type: application/dtmf-relay\r\n",
            None => "",
        };
        let body = body.unwrap_or_default();
        Bytes::from(format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};rport;branch=z9hG4bK{n}p{port}\r\n\
             Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <{contact}>\r\n{extra}{kind}\
             Content-Length: {length}\r\n\r\n{body}",
            addr = self.address,
            n = self.counter,
            port = self.address.port(),
            contact = self.contact(),
            length = body.len(),
        ))
    }
}

fn raw(headers: &sip::message::Headers, name: &HeaderName) -> String {
    headers
        .raw(name)
        .map(|value| value.to_text())
        .unwrap_or_default()
}

fn body(bytes: &Bytes) -> Option<String> {
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(bytes).into_owned())
}
