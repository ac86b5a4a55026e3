//! The phones around the switch: they answer every message the moment it comes.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;

use crate::load::message::{Incoming, authorization, response};
use crate::sample::{self, Parts};

/// Of every phone.
pub const PASSWORD: &str = "correct-horse";

/// What a phone that calls remembers.
#[derive(Clone, Debug)]
struct Dialog {
    id: String,
    peer: u32,
    cseq: u32,
    target: String,
    to: String,
}

/// All phones.
#[derive(Debug, Default)]
pub struct Phones {
    /// By the number of the caller.
    dialogs: HashMap<u32, Dialog>,
    serial: u64,
    /// Calls stay up: nothing of them is remembered here.
    pub hold: bool,
    /// Calls that were answered.
    pub answered: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Messages both ways.
    pub messages: u64,
}

/// Where the exchange is.
pub fn exchange() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], 5060))
}

/// Where a phone is.
pub fn address(phone: u32) -> SocketAddr {
    let [_, b, c, d] = phone.to_be_bytes();
    SocketAddr::from(([10, b, c, d], 5060))
}

/// The extension's number of a phone.
pub fn number(phone: u32) -> String {
    (10_000 + phone).to_string()
}

fn phone_at(address: SocketAddr) -> u32 {
    match address {
        SocketAddr::V4(address) => u32::from(*address.ip()) & 0x00ff_ffff,
        SocketAddr::V6(_) => 0,
    }
}

impl Phones {
    /// A phone registers.
    pub fn register(&mut self, phone: u32) -> String {
        self.begin(phone, phone, format!("sip:{}", exchange()));
        self.request(phone, "REGISTER", "Expires: 3600\r\n")
    }

    /// A phone calls another.
    pub fn call(&mut self, phone: u32, peer: u32) -> String {
        let target = format!("sip:{}@{}", number(peer), exchange());
        self.begin(phone, peer, target);
        self.request(phone, "INVITE", "")
    }

    /// The one that called hangs up.
    pub fn clear(&mut self, phone: u32) -> String {
        self.request(phone, "BYE", "")
    }

    fn begin(&mut self, phone: u32, peer: u32, target: String) {
        self.serial += 1;
        let dialog = Dialog {
            id: format!("0_{:010}", self.serial),
            peer,
            cseq: 0,
            target,
            to: format!("<sip:{}@{}>", number(peer), exchange()),
        };
        self.dialogs.insert(phone, dialog);
    }

    /// A request of the dialog that the phone is in.
    fn request(&mut self, phone: u32, method: &str, extra: &str) -> String {
        let Some(dialog) = self.dialogs.get_mut(&phone) else {
            return String::new();
        };
        if method != "ACK" {
            dialog.cseq += 1;
        }
        let here = address(phone);
        let body = if method == "INVITE" {
            sample::offer(here, 11_780)
        } else {
            String::new()
        };
        sample::request(&Parts {
            method,
            uri: &dialog.target,
            here,
            exchange: exchange(),
            user: &number(phone),
            to: &dialog.to,
            id: &dialog.id,
            cseq: dialog.cseq,
            extra,
            body: &body,
        })
    }

    /// A message came to a phone; what it says to it goes to `wire`.
    pub fn receive(&mut self, to: SocketAddr, octets: &[u8], wire: &mut VecDeque<(u32, Bytes)>) {
        let phone = phone_at(to);
        let Some(message) = Incoming::new(octets) else {
            return;
        };
        let mut say = |text: String| wire.push_back((phone, text.into()));
        match message.status() {
            Some(status) => {
                if let Some(text) = self.responded(phone, &message, status) {
                    for text in text {
                        say(text);
                    }
                }
            }
            None if message.method() == "INVITE" => {
                let here = address(phone);
                let contact = format!(
                    "Contact: <sip:{}@{here};transport=udp>\r\nUser-Agent: Deskphone T46 66.86.0.15\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, REFER, UPDATE, MESSAGE\r\n",
                    number(phone)
                );
                say(response(&message, "100 Trying", "", "", ""));
                say(response(&message, "180 Ringing", "callee", &contact, ""));
                let answer = sample::answer(here, 11_790);
                say(response(&message, "200 OK", "callee", &contact, &answer));
            }
            None if message.method() == "ACK" => {}
            None => say(response(&message, "200 OK", "callee", "", "")),
        }
    }

    fn responded(
        &mut self,
        phone: u32,
        response: &Incoming<'_>,
        status: u16,
    ) -> Option<Vec<String>> {
        let method = response.method();
        let dialog = self.dialogs.get_mut(&phone)?;
        match (method, status) {
            (_, 100..200) => None,
            (_, 401) => {
                let user = number(phone);
                let challenge = response.header("WWW-Authenticate")?;
                let value = authorization(challenge, &user, PASSWORD, method, &dialog.target)?;
                let mut said = Vec::new();
                if method == "INVITE" {
                    said.push(acknowledge_refusal(phone, dialog, response));
                }
                let extra = if method == "REGISTER" {
                    format!("Expires: 3600\r\nAuthorization: {value}\r\n")
                } else {
                    format!("Authorization: {value}\r\n")
                };
                said.push(self.request(phone, method, &extra));
                Some(said)
            }
            ("INVITE", 200) => {
                self.answered += 1;
                dialog.to = response.header("To")?.into();
                dialog.target = response.contact()?.into();
                let acknowledged = self.request(phone, "ACK", "");
                if self.hold {
                    self.dialogs.remove(&phone);
                }
                Some(vec![acknowledged])
            }
            (_, 200) => {
                self.dialogs.remove(&phone);
                None
            }
            _ => {
                self.refused += 1;
                None
            }
        }
    }
}

/// ACK of a refusal: part of the INVITE's transaction (RFC 3261 §17.1.1.3).
fn acknowledge_refusal(phone: u32, dialog: &Dialog, response: &Incoming<'_>) -> String {
    let to = response.header("To").unwrap_or_default();
    sample::request(&Parts {
        method: "ACK",
        uri: &format!("sip:{}@{}", number(dialog.peer), exchange()),
        here: address(phone),
        exchange: exchange(),
        user: &number(phone),
        to,
        id: &dialog.id,
        cseq: dialog.cseq,
        extra: "",
        body: "",
    })
    .replacen("-ACK;", "-INVITE;", 1)
}
