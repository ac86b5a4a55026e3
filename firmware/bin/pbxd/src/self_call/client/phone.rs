//! A phone's signalling, as little as a call takes: it registers, calls or is called, hangs up and takes
//! its contact away (RFC 3261 §10, §13, §15, §22).
//!
//! It blocks. Over UDP it repeats requests by timer A and E (§17.1), and its answer to an INVITE until the
//! ACK (§13.3.1.4).

use core::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use model::Secret;
use sip::digest::Client;
use sip::message::{
    CSeq, Contacts, HeaderName, Message, Method, Request, Response, StatusCode, Uri,
};
use sip::sdp::CONTENT_TYPE;

use super::wire::{Way, Wire};

/// T1 (RFC 3261 §17.1.1.1).
const T1: Duration = Duration::from_millis(500);

/// The shortest registration that the exchange takes: one that a phone leaves behind is soon gone.
const EXPIRES_S: u32 = 60;

/// Requests sent for one: without credentials, with them, and once more where the nonce was too old.
const ATTEMPTS: usize = 3;

/// Who the phone is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its number.
    pub number: String,
    /// Digest user name.
    pub username: &'static str,
    /// Digest password.
    pub password: Secret,
}

/// A phone.
pub struct Phone {
    wire: Wire,
    identity: Identity,
    exchange: SocketAddr,
    local: SocketAddr,
    /// The challenge answered last.
    digest: Option<Client>,
    registration: Requests,
    /// Sent again where its answer comes again.
    ack: Option<Bytes>,
    /// The far end has hung up.
    ended: bool,
    until: Instant,
}

/// Requests with a Call-ID in common: of a registration or of a dialog.
#[derive(Clone, Debug)]
struct Requests {
    call_id: String,
    from: String,
    to: String,
    target: Uri,
    seq: u32,
}

/// A call that is up.
pub struct Dialog {
    requests: Requests,
    /// The session description of the answer.
    pub answer: Bytes,
}

impl Phone {
    /// A phone with a way to the exchange.
    pub fn new(way: Way, exchange: SocketAddr, identity: Identity, until: Instant) -> Result<Self> {
        let wire = Wire::open(way, exchange, until)?;
        let local = wire.local()?;
        let own = format!("<sip:{}@{exchange}>", identity.number);
        let registration = Requests::new(&own, &own, &format!("sip:{exchange}"))?;
        Ok(Self {
            wire,
            identity,
            exchange,
            local,
            digest: None,
            registration,
            ack: None,
            ended: false,
            until,
        })
    }

    /// Registers its contact.
    pub fn register(&mut self) -> Result<()> {
        self.send_register(EXPIRES_S)
    }

    /// Takes its contact away.
    pub fn unregister(&mut self) -> Result<()> {
        self.send_register(0)
    }

    fn send_register(&mut self, expires_s: u32) -> Result<()> {
        let mut requests = self.registration.clone();
        let response = self.ask(&mut requests, &Method::Register, |request| {
            request.headers.push(HeaderName::Expires, expires_s);
        })?;
        self.registration = requests;
        ensure!(
            response.status.is_success(),
            "the registration over {} was refused with {}",
            self.wire.way(),
            words(&response)
        );
        Ok(())
    }

    /// Calls a number and waits for the answer.
    pub fn call(&mut self, number: &str, offer: &Bytes) -> Result<Dialog> {
        let own = format!("<sip:{}@{}>", self.identity.number, self.exchange);
        let called = format!("sip:{number}@{}", self.exchange);
        let mut requests = Requests::new(&own, &format!("<{called}>"), &called)?;
        let response = self.ask(&mut requests, &Method::Invite, |request| {
            request.headers.push(HeaderName::ContentType, CONTENT_TYPE);
            request.body = offer.clone();
        })?;
        ensure!(
            response.status.is_success(),
            "the call over {} was refused with {}",
            self.wire.way(),
            words(&response)
        );
        let to = response.headers.raw(&HeaderName::To);
        requests.to = to.context("an answer without To")?.to_text();
        requests.target = match response.headers.contacts()? {
            Contacts::List(list) => list.into_iter().next().map(|contact| contact.uri),
            Contacts::Star => None,
        }
        .context("an answer without Contact")?;
        let ack = self.request(&requests, &Method::Ack)?.to_bytes();
        self.wire.send(&ack)?;
        self.ack = Some(ack);
        Ok(Dialog {
            requests,
            answer: response.body,
        })
    }

    /// Ends the call.
    pub fn hang_up(&mut self, dialog: &mut Dialog) -> Result<()> {
        ensure!(!self.ended, "the exchange ended the call by itself");
        let response = self.ask(&mut dialog.requests, &Method::Bye, |_| {})?;
        ensure!(
            response.status.is_success(),
            "the end of the call over {} was refused with {}",
            self.wire.way(),
            words(&response)
        );
        Ok(())
    }

    /// Waits for a call, rings and answers it with what `answer` makes of the offer.
    pub fn take_call(&mut self, answer: impl FnOnce(&[u8]) -> Result<Bytes>) -> Result<()> {
        let way = self.wire.way();
        let invite = loop {
            match self.wire.receive(self.until)? {
                Some(Message::Request(request)) if request.method == Method::Invite => {
                    break request;
                }
                Some(Message::Request(request)) => self.serve(&request)?,
                Some(Message::Response(_)) => {}
                None => bail!("the call did not get to the called phone over {way}"),
            }
        };
        let tag = token()?;
        let response = |status| {
            let mut response = Response::to(&invite, status).with_to_tag(&tag);
            response.headers.push(HeaderName::Contact, self.contact());
            response
        };
        let ringing = response(StatusCode::RINGING).to_bytes();
        let mut ok = response(StatusCode::OK);
        ok.headers.push(HeaderName::ContentType, CONTENT_TYPE);
        ok.body = answer(&invite.body)?;
        let ok = ok.to_bytes();
        self.wire.send(&ringing)?;
        self.wire.send(&ok)?;
        let mut wait = T1;
        let mut again = Instant::now() + wait;
        loop {
            match self.wire.receive(again.min(self.until))? {
                Some(Message::Request(request)) if request.method == Method::Ack => return Ok(()),
                Some(Message::Request(request)) if request.method == Method::Invite => {
                    self.wire.send(&ok)?;
                }
                Some(Message::Request(request)) => self.serve(&request)?,
                Some(Message::Response(_)) => {}
                None if Instant::now() >= self.until => {
                    bail!("the exchange did not acknowledge the answer over {way}");
                }
                None => {
                    wait *= 2;
                    again = Instant::now() + wait;
                    self.wire.send(&ok)?;
                }
            }
        }
    }

    /// Waits until the far end hangs up.
    pub fn wait_for_end(&mut self) -> Result<()> {
        while !self.ended {
            match self.wire.receive(self.until)? {
                Some(Message::Request(request)) => self.serve(&request)?,
                Some(Message::Response(_)) => {}
                None => bail!(
                    "the called phone was not told over {} that the call is over",
                    self.wire.way()
                ),
            }
        }
        Ok(())
    }

    /// Sends a request and waits for its final answer; a challenge is answered.
    fn ask(
        &mut self,
        requests: &mut Requests,
        method: &Method,
        dress: impl Fn(&mut Request),
    ) -> Result<Response> {
        for attempt in 1.. {
            requests.seq += 1;
            let mut request = self.request(requests, method)?;
            dress(&mut request);
            let authorized = self.authorize(&mut request)?;
            let response = self.transact(&request)?;
            if *method == Method::Invite && !response.status.is_success() {
                self.acknowledge_refusal(&request, &response)?;
            }
            if !matches!(response.status.code(), 401 | 407) || attempt == ATTEMPTS {
                return Ok(response);
            }
            let Identity {
                username, password, ..
            } = &self.identity;
            let client = Client::new(&response, username, password)?;
            ensure!(
                !authorized || client.is_stale(),
                "the exchange does not take the password: the file is another than the one it read"
            );
            self.digest = Some(client);
        }
        bail!("the exchange does not take the password")
    }

    fn request(&self, requests: &Requests, method: &Method) -> Result<Request> {
        let mut request = Request::new(method.clone(), requests.target.clone());
        let via = format!(
            "SIP/2.0/{} {};rport;branch=z9hG4bK{}",
            self.wire.way(),
            self.local,
            token()?
        );
        let headers = &mut request.headers;
        headers.push(HeaderName::Via, via);
        headers.push(HeaderName::MaxForwards, 70);
        headers.push(HeaderName::From, &requests.from);
        headers.push(HeaderName::To, &requests.to);
        headers.push(HeaderName::CallId, &requests.call_id);
        headers.push(HeaderName::CSeq, CSeq::new(requests.seq, method.clone()));
        headers.push(HeaderName::Contact, self.contact());
        headers.push(HeaderName::UserAgent, "Self-call");
        Ok(request)
    }

    fn contact(&self) -> String {
        let transport = match self.wire.way() {
            Way::Udp => "",
            Way::Tls => ";transport=tls",
        };
        format!("<sip:{}@{}{transport}>", self.identity.number, self.local)
    }

    /// Adds credentials where there was a challenge.
    fn authorize(&mut self, request: &mut Request) -> Result<bool> {
        let Some(digest) = &mut self.digest else {
            return Ok(false);
        };
        let uri = request.uri.to_string();
        let value = digest.authorize(request.method.as_str(), &uri, &request.body, &random()?);
        request.headers.push(digest.header_name(), value);
        Ok(true)
    }

    /// The ACK of a refusal is part of the INVITE's transaction (RFC 3261 §17.1.1.3).
    fn acknowledge_refusal(&mut self, invite: &Request, refusal: &Response) -> Result<()> {
        let mut ack = Request::new(Method::Ack, invite.uri.clone());
        for name in [
            HeaderName::Via,
            HeaderName::MaxForwards,
            HeaderName::From,
            HeaderName::CallId,
        ] {
            ack.headers.copy_from(&invite.headers, &name);
        }
        ack.headers.copy_from(&refusal.headers, &HeaderName::To);
        let seq = invite.headers.cseq()?.seq;
        ack.headers
            .push(HeaderName::CSeq, CSeq::new(seq, Method::Ack));
        self.wire.send(&ack.to_bytes())
    }

    /// Sends a request and waits for its final answer.
    fn transact(&mut self, request: &Request) -> Result<Response> {
        let (way, method) = (self.wire.way(), &request.method);
        let asked = (request.headers.call_id()?, request.headers.cseq()?);
        let octets = request.to_bytes();
        self.wire.send(&octets)?;
        let mut wait = T1;
        let mut again = Some(Instant::now() + wait).filter(|_| way == Way::Udp);
        loop {
            let until = again.map_or(self.until, |again| again.min(self.until));
            match self.wire.receive(until)? {
                Some(Message::Response(response)) => {
                    let answered = (response.headers.call_id()?, response.headers.cseq()?);
                    if answered != asked {
                        self.stray(&response)?;
                    } else if response.status.is_final() {
                        return Ok(response);
                    } else if *method == Method::Invite {
                        again = None;
                    }
                }
                Some(Message::Request(request)) => self.serve(&request)?,
                None if Instant::now() >= self.until => {
                    bail!("the exchange did not answer {method} over {way}");
                }
                None => {
                    wait *= 2;
                    again = Some(Instant::now() + wait);
                    self.wire.send(&octets)?;
                }
            }
        }
    }

    /// An answer that comes again: that of an INVITE because its ACK was lost.
    fn stray(&mut self, response: &Response) -> Result<()> {
        let is_invites = response.headers.cseq()?.method == Method::Invite;
        match &self.ack {
            Some(ack) if is_invites && response.status.is_success() => self.wire.send(ack),
            _ => Ok(()),
        }
    }

    /// A request that the phone does not wait for.
    fn serve(&mut self, request: &Request) -> Result<()> {
        let status = match request.method {
            Method::Ack => return Ok(()),
            Method::Bye => {
                self.ended = true;
                StatusCode::OK
            }
            Method::Options => StatusCode::OK,
            // What was agreed holds.
            Method::Invite | Method::Update => StatusCode::NOT_ACCEPTABLE_HERE,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        self.wire.send(&Response::to(request, status).to_bytes())
    }
}

impl Requests {
    fn new(from: &str, to: &str, target: &str) -> Result<Self> {
        Ok(Self {
            call_id: token()?,
            from: format!("{from};tag={}", token()?),
            to: to.to_owned(),
            target: target.parse().context("the Request-URI")?,
            seq: 0,
        })
    }
}

/// `486 Busy Here`.
fn words(response: &Response) -> String {
    format!(
        "{} {}",
        response.status.code(),
        String::from_utf8_lossy(response.reason())
    )
}

fn random() -> Result<[u8; 8]> {
    let mut octets = [0; 8];
    getrandom::fill(&mut octets).context("random bytes")?;
    Ok(octets)
}

/// What no other message has.
fn token() -> Result<String> {
    let mut text = String::new();
    for octet in random()? {
        write!(text, "{octet:02x}")?;
    }
    Ok(text)
}
