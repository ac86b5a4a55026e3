//! Many phones behind one socket: they register, call and answer as fast as they are told to.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use platform::sys::datagram::Batch;
use socket2::SockRef;

use super::message::{Incoming, authorization, finish, response, sdp};
use super::process::PASSWORD;

/// T1 of RFC 3261: an unanswered request is sent again after it, then after twice as long, and so on.
const T1: Duration = Duration::from_millis(500);

/// A call that is not answered in so long has failed.
const GIVE_UP: Duration = Duration::from_secs(32);

/// A leg that sound can flow on.
#[derive(Clone, Copy, Debug)]
pub struct SoundLeg {
    /// The exchange's RTP port for it.
    pub port: u16,
}

/// How a run went.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Registrations that succeeded.
    pub registered: u64,
    /// Calls begun.
    pub begun: u64,
    /// Calls answered.
    pub answered: u64,
    /// Calls cleared by a BYE that was answered.
    pub cleared: u64,
    /// Calls refused, by status.
    pub refused: HashMap<u16, u64>,
    /// Calls that got no answer at all.
    pub lost: u64,
    /// Requests sent again.
    pub resent: u64,
    /// From INVITE to 200, in microseconds.
    pub setup_us: Vec<u64>,
}

#[derive(Debug)]
enum State {
    Registering,
    Inviting,
    Talking,
    Clearing,
}

/// What a phone of ours began, by Call-ID.
#[derive(Debug)]
struct Dialog {
    state: State,
    user: String,
    peer: String,
    tag: String,
    cseq: u32,
    authenticated: bool,
    began: Instant,
    /// Sent last and not answered yet.
    pending: Option<(String, Instant, Duration)>,
    /// When it is to be cleared.
    until: Option<Instant>,
    target: String,
    to: String,
    hold: Duration,
}

/// All phones.
pub struct Phones {
    socket: UdpSocket,
    batch: Batch,
    here: SocketAddr,
    /// Where they want sound.
    pub sound: SocketAddr,
    exchange: SocketAddr,
    dialogs: HashMap<String, Dialog>,
    serial: u64,
    /// How it went.
    pub tally: Tally,
    /// Legs that were answered since they were last taken.
    pub legs: Vec<SoundLeg>,
    next_look: Instant,
}

impl Phones {
    /// Phones that talk to an exchange and want sound at an address.
    pub fn new(exchange: SocketAddr, sound: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        SockRef::from(&socket).set_recv_buffer_size(8 << 20)?;
        let here = socket.local_addr()?;
        Ok(Self {
            socket,
            batch: Batch::new(64, 8192),
            here,
            sound,
            exchange,
            dialogs: HashMap::new(),
            serial: 0,
            tally: Tally::default(),
            legs: Vec::new(),
            next_look: Instant::now(),
        })
    }

    /// Dialogs that are not over.
    pub fn busy(&self) -> usize {
        self.dialogs.len()
    }

    /// Registers an extension.
    pub fn register(&mut self, user: &str) {
        let id = self.begin(State::Registering, user, user, Duration::ZERO);
        self.request(&id, "REGISTER", None);
    }

    /// Calls from one extension to another, to be cleared after `hold`.
    pub fn call(&mut self, user: &str, peer: &str, hold: Duration) {
        self.tally.begun += 1;
        let id = self.begin(State::Inviting, user, peer, hold);
        self.request(&id, "INVITE", None);
    }

    fn begin(&mut self, state: State, user: &str, peer: &str, hold: Duration) -> String {
        self.serial += 1;
        let id = format!("{}@bench", self.serial);
        let address = self.exchange;
        let target = match state {
            State::Registering => format!("sip:{address}"),
            _ => format!("sip:{peer}@{address}"),
        };
        let to = format!("<sip:{peer}@{address}>");
        let dialog = Dialog {
            state,
            user: user.into(),
            peer: peer.into(),
            tag: format!("t{}", self.serial),
            cseq: 0,
            authenticated: false,
            began: Instant::now(),
            pending: None,
            until: None,
            target,
            to,
            hold,
        };
        self.dialogs.insert(id.clone(), dialog);
        id
    }

    fn request(&mut self, id: &str, method: &str, authorization: Option<(&str, String)>) {
        let (here, exchange, sound) = (self.here, self.exchange, self.sound);
        let Some(dialog) = self.dialogs.get_mut(id) else {
            return;
        };
        if method != "ACK" {
            dialog.cseq += 1;
        }
        let Dialog {
            user,
            tag,
            cseq,
            target,
            to,
            ..
        } = &*dialog;
        let mut head = format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {here};branch=z9hG4bK-{id}-{cseq}-{method};rport\r\nMax-Forwards: 70\r\nFrom: <sip:{user}@{exchange}>;tag={tag}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{user}@{here}>\r\n"
        );
        if method == "REGISTER" {
            head.push_str("Expires: 3600\r\n");
        }
        if let Some((name, value)) = authorization {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = if method == "INVITE" {
            sdp(sound)
        } else {
            String::new()
        };
        let text = finish(head, &body);
        self.send(&text);
        if method != "ACK"
            && let Some(dialog) = self.dialogs.get_mut(id)
        {
            dialog.pending = Some((text, Instant::now() + T1, T1));
        }
    }

    fn send(&self, text: &str) {
        // A full buffer is a lost datagram; it will be sent again.
        drop(self.socket.send_to(text.as_bytes(), self.exchange));
    }

    /// Takes what has come and does what is due; waits for something at most `wait`.
    pub fn turn(&mut self, wait: Duration) -> Result<()> {
        let mut ready = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        poll(
            &mut ready,
            PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO),
        )?;
        while let Ok(count) = self.batch.receive(&self.socket) {
            for at in 0..count {
                let Some(datagram) = self.batch.datagram(at) else {
                    continue;
                };
                let octets = datagram.octets.to_vec();
                if let Some(message) = Incoming::new(&octets) {
                    match message.status() {
                        Some(status) => self.responded(&message, status),
                        None => self.requested(&message),
                    }
                }
            }
            if count < self.batch.capacity() {
                break;
            }
        }
        self.due();
        Ok(())
    }

    fn requested(&mut self, request: &Incoming<'_>) {
        let sound = self.sound;
        let here = self.here;
        match request.method() {
            "INVITE" => {
                if let Some(port) = request.audio_port() {
                    self.legs.push(SoundLeg { port });
                }
                let contact = format!("Contact: <sip:callee@{here}>\r\n");
                self.send(&response(request, "180 Ringing", "callee", &contact, ""));
                self.send(&response(
                    request,
                    "200 OK",
                    "callee",
                    &contact,
                    &sdp(sound),
                ));
            }
            "ACK" => {}
            _ => self.send(&response(request, "200 OK", "callee", "", "")),
        }
    }

    fn responded(&mut self, response: &Incoming<'_>, status: u16) {
        let Some(id) = response.header("Call-ID") else {
            return;
        };
        let id = id.to_owned();
        let Some(dialog) = self.dialogs.get_mut(&id) else {
            return;
        };
        if status < 200 {
            if let Some((_, at, _)) = &mut dialog.pending {
                // RFC 3261 §17.1.1.2: a provisional response ends the repeats of an INVITE.
                *at = Instant::now() + GIVE_UP;
            }
            return;
        }
        let number: u32 = response
            .header("CSeq")
            .and_then(|value| value.split(' ').next())
            .and_then(|number| number.parse().ok())
            .unwrap_or_default();
        let is_invite = response.method() == "INVITE";
        if number != dialog.cseq || (is_invite && !matches!(dialog.state, State::Inviting)) {
            if is_invite && status < 300 {
                self.acknowledge(&id);
            }
            return;
        }
        dialog.pending = None;
        if matches!(status, 401 | 407) && !dialog.authenticated {
            self.authenticate(&id, response, status, is_invite);
            return;
        }
        match (&dialog.state, status) {
            (State::Registering, 200) => {
                self.tally.registered += 1;
                self.dialogs.remove(&id);
            }
            (State::Inviting, 200) => {
                let took = dialog.began.elapsed();
                dialog.state = State::Talking;
                dialog.until = Some(Instant::now() + dialog.hold);
                dialog.to = response.header("To").unwrap_or_default().into();
                if let Some(contact) = response.contact() {
                    dialog.target = contact.into();
                }
                self.tally.answered += 1;
                self.tally
                    .setup_us
                    .push(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
                if let Some(port) = response.audio_port() {
                    self.legs.push(SoundLeg { port });
                }
                self.acknowledge(&id);
            }
            (State::Clearing, _) => {
                self.tally.cleared += u64::from(status == 200);
                self.dialogs.remove(&id);
            }
            (State::Registering | State::Inviting | State::Talking, _) => {
                if is_invite {
                    self.acknowledge_refusal(&id, response);
                }
                *self.tally.refused.entry(status).or_default() += 1;
                self.dialogs.remove(&id);
            }
        }
    }

    fn authenticate(&mut self, id: &str, response: &Incoming<'_>, status: u16, is_invite: bool) {
        if is_invite {
            self.acknowledge_refusal(id, response);
        }
        let (asks, answers) = if status == 401 {
            ("WWW-Authenticate", "Authorization")
        } else {
            ("Proxy-Authenticate", "Proxy-Authorization")
        };
        let challenge = response
            .headers(asks)
            .find(|challenge| !challenge.contains("SHA-256"))
            .unwrap_or_default()
            .to_owned();
        let Some(dialog) = self.dialogs.get_mut(id) else {
            return;
        };
        dialog.authenticated = true;
        let method = if is_invite { "INVITE" } else { "REGISTER" };
        let value = authorization(&challenge, &dialog.user, PASSWORD, method, &dialog.target);
        self.request(id, method, value.map(|value| (answers, value)));
    }

    /// ACK of a 2xx: a transaction of its own.
    fn acknowledge(&mut self, id: &str) {
        self.request(id, "ACK", None);
    }

    /// ACK of a refusal: part of the INVITE's transaction (RFC 3261 §17.1.1.3).
    fn acknowledge_refusal(&mut self, id: &str, response: &Incoming<'_>) {
        let Some(dialog) = self.dialogs.get(id) else {
            return;
        };
        let value = |name| response.header(name).unwrap_or_default();
        let head = format!(
            "ACK sip:{}@{} SIP/2.0\r\nVia: {}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {id}\r\nCSeq: {} ACK\r\n",
            dialog.peer,
            self.exchange,
            value("Via"),
            value("From"),
            value("To"),
            dialog.cseq,
        );
        self.send(&finish(head, ""));
    }

    fn due(&mut self) {
        let now = Instant::now();
        if now < self.next_look {
            return;
        }
        self.next_look = now + Duration::from_millis(10);
        let mut clear = Vec::new();
        let mut resend = Vec::new();
        let mut lost = Vec::new();
        for (id, dialog) in &mut self.dialogs {
            if matches!(dialog.state, State::Talking) && dialog.until.is_some_and(|at| at <= now) {
                clear.push(id.clone());
            }
            if let Some((text, at, wait)) = &mut dialog.pending
                && *at <= now
            {
                *wait *= 2;
                *at = now + *wait;
                resend.push(text.clone());
            }
            let silent = dialog.pending.is_some() && !matches!(dialog.state, State::Talking);
            if silent && now - dialog.began > GIVE_UP + dialog.hold {
                lost.push(id.clone());
            }
        }
        for text in resend {
            self.tally.resent += 1;
            self.send(&text);
        }
        for id in clear {
            if let Some(dialog) = self.dialogs.get_mut(&id) {
                dialog.state = State::Clearing;
            }
            self.request(&id, "BYE", None);
        }
        for id in lost {
            self.tally.lost += 1;
            self.dialogs.remove(&id);
        }
    }
}
