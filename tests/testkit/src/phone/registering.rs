//! REGISTER: a contact, its refresh, its end (RFC 3261 §10.2, RFC 5626 §4.2).

use core::time::Duration;

use model::Instant;
use rsip::Method;

use super::Phone;
use super::message::{Msg, param};
use super::transactions::{Purpose, Request};
use crate::chance::Chance;

/// How a registration stands.
#[derive(Debug)]
pub struct Registering {
    /// The last final status of a REGISTER.
    pub status: Option<u16>,
    /// The contacts that the last 200 listed.
    pub listed: Vec<String>,
    /// Seconds granted to our contact by the last 200.
    pub granted_s: Option<u32>,
    /// REGISTER requests answered with 200.
    pub successes: u32,
    pub(crate) refresh_at: Option<Instant>,
    call_id: String,
    tag: String,
    instance: String,
    seq: u32,
    refreshing: bool,
}

impl Registering {
    pub(super) fn new(chance: &mut Chance) -> Self {
        let hex = chance.token();
        Self {
            status: None,
            listed: Vec::new(),
            granted_s: None,
            successes: 0,
            refresh_at: None,
            call_id: chance.token(),
            tag: chance.token(),
            instance: format!(
                "00000000-0000-4000-8000-{}",
                hex.get(4..).unwrap_or_default()
            ),
            seq: 0,
            refreshing: true,
        }
    }

    pub(super) fn forget(&mut self) {
        self.refresh_at = None;
        self.status = None;
        self.listed.clear();
    }

    /// The last REGISTER was answered with 200.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.status == Some(200) && !self.listed.is_empty()
    }
}

impl Phone {
    /// Registers its contact, or refreshes it.
    pub(crate) fn register(&mut self, now: Instant) {
        self.registering.refreshing = true;
        let contact = self.contact_to_register(self.profile.expires_s);
        self.send_register(now, vec![("Contact".into(), contact)]);
    }

    /// Takes its contact away.
    pub(crate) fn unregister(&mut self, now: Instant) {
        self.registering.refreshing = false;
        let contact = self.contact_to_register(0);
        self.send_register(now, vec![("Contact".into(), contact)]);
    }

    /// Takes all contacts away.
    pub(crate) fn unregister_all(&mut self, now: Instant) {
        self.registering.refreshing = false;
        self.send_register(
            now,
            vec![
                ("Contact".into(), "*".into()),
                ("Expires".into(), "0".into()),
            ],
        );
    }

    /// Registers exactly these header fields.
    pub(crate) fn send_register(&mut self, now: Instant, mut headers: Vec<(String, String)>) {
        self.registering.refresh_at = None;
        self.registering.seq += 1;
        headers.push(("User-Agent".into(), format!("Testkit {}", self.name)));
        headers.extend(
            self.profile
                .supported()
                .map(|tags| ("Supported".into(), tags)),
        );
        let user = self
            .profile
            .quirks
            .foreign_from
            .unwrap_or(&self.profile.number);
        let aor = format!("<{}>", self.exchange_uri(user));
        let request = Request {
            method: Method::Register,
            uri: format!("sip:{}", self.exchange.ip()),
            from: format!("{aor};tag={}", self.registering.tag),
            to: aor,
            call_id: self.registering.call_id.clone(),
            seq: self.registering.seq,
            headers,
            body: None,
        };
        self.request(now, request, Purpose::Register, 0);
    }

    fn contact_to_register(&self, expires_s: u32) -> String {
        let mut contact = format!("{};expires={expires_s}", self.contact());
        if self.profile.outbound {
            let instance = &self.registering.instance;
            contact.push_str(&format!(
                ";+sip.instance=\"<urn:uuid:{instance}>\";reg-id=1"
            ));
        }
        contact
    }

    pub(super) fn next_register_seq(&mut self) -> u32 {
        self.registering.seq += 1;
        self.registering.seq
    }

    pub(super) fn registered(&mut self, now: Instant, status: u16, response: &Msg) {
        self.registering.status = Some(status);
        let refreshing = self.registering.refreshing;
        if status != 200 {
            let wait = response
                .header("Retry-After")
                .and_then(|value| value.parse().ok());
            if status == 423 {
                let least = response
                    .header("Min-Expires")
                    .and_then(|value| value.parse().ok());
                self.profile.expires_s = least.unwrap_or(self.profile.expires_s);
                self.register(now);
            } else if refreshing && matches!(status, 408 | 500..=599) {
                let wait = Duration::from_secs(wait.unwrap_or(5));
                self.registering.refresh_at = Some(now + wait);
            }
            return;
        }
        self.registering.successes += 1;
        self.registering.listed = response.headers("Contact").map(str::to_owned).collect();
        let ours = self.contact();
        let mine = (self.registering.listed.iter()).find(|contact| contact.starts_with(&ours));
        let granted = mine
            .and_then(|contact| param(contact, "expires"))
            .and_then(|value| value.parse().ok());
        self.registering.granted_s = granted;
        if !refreshing {
            return;
        }
        match granted {
            Some(seconds) => {
                let half = Duration::from_millis(u64::from(seconds) * 500);
                self.registering.refresh_at = Some(now + half);
            }
            None => self.complaints.push(format!(
                "our contact {ours} is not in the 200 to REGISTER: {:?}",
                self.registering.listed
            )),
        }
    }
}
