//! What a phone is like: its account, its abilities, and its misbehaviours as plain switches.

use model::{SrtpSuite, Transport};

use super::digest::Algorithm;

/// What a phone does with an INVITE, before a person does anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Greeting {
    /// 180: it rings.
    #[default]
    Ring,
    /// 183 with its answer, and speaks at once.
    EarlyMedia,
    /// 100 only, or nothing at all with [`Quirks::no_100`].
    Nothing,
    /// A final refusal at once.
    Refuse(u16),
    /// 200 at once.
    Answer,
}

/// Whether provisional responses are acknowledged (RFC 3262).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reliable {
    /// The phone has never heard of it.
    #[default]
    No,
    /// It can.
    Supported,
    /// It insists on it.
    Required,
}

/// How a phone tells the digits that are pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// As events in RTP (RFC 4733).
    Rtp,
    /// By INFO with application/dtmf-relay.
    Info,
}

/// Whether a phone encrypts its sound, with keys in its descriptions (RFC 4568).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Srtp {
    /// It can't.
    Never,
    /// Where the other side can too.
    Offers,
    /// Always.
    Insists,
}

/// A phone's account and abilities.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its number, and the user part of its address of record.
    pub number: String,
    /// Digest user name.
    pub username: String,
    /// Digest password.
    pub password: String,
    /// Digest algorithm.
    pub algorithm: Algorithm,
    /// By what it speaks SIP.
    pub transport: Transport,
    /// Payload types it knows, the preferred first: 0 is PCMU, 8 PCMA, 9 G.722.
    pub codecs: Vec<u8>,
    /// Payload type of telephone-event.
    pub event: Option<u8>,
    /// Whether it encrypts its sound.
    pub srtp: Srtp,
    /// How it does.
    pub suite: SrtpSuite,
    /// How long its registration lasts, in seconds; it refreshes at half of it.
    pub expires_s: u32,
    /// It gives `+sip.instance` and `reg-id`.
    pub outbound: bool,
    /// Provisional responses.
    pub reliable: Reliable,
    /// It asks for a session timer of so many seconds (RFC 4028).
    pub session_s: Option<u32>,
    /// It knows the session timer at all.
    pub knows_timer: bool,
    /// It refreshes the session itself where it may choose.
    pub refreshes: bool,
    /// It sends and takes UPDATE.
    pub update: bool,
    /// Its INVITE makes no offer.
    pub offerless: bool,
    /// What it does with a call.
    pub greeting: Greeting,
    /// It answers by itself after so many ms.
    pub answers_after_ms: Option<u64>,
    /// The tone it speaks with, in Hz: a multiple of 50.
    pub voice_hz: f32,
    /// It speaks at all.
    pub speaks: bool,
    /// It hangs up when a transfer has succeeded.
    pub hangs_up_after_transfer: bool,
    /// What it does wrong.
    pub quirks: Quirks,
}

/// What a phone does wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quirks {
    /// A 2xx is never acknowledged.
    pub never_acks: bool,
    /// BYE gets no response.
    pub ignores_bye: bool,
    /// CANCEL gets no response, and the phone rings on.
    pub ignores_cancel: bool,
    /// CANCEL gets its 200, and then the INVITE gets a 200 too.
    pub answers_after_cancel: bool,
    /// The INVITE gets two 200 of different To tags.
    pub answers_twice: bool,
    /// Rings with so many more To tags.
    pub forks: u8,
    /// Everything is sent twice.
    pub doubles: bool,
    /// No 100.
    pub no_100: bool,
    /// A 180 follows the final response.
    pub late_ringing: bool,
    /// Requests in a dialog have a `CSeq` below the last.
    pub old_cseq: bool,
    /// Credentials are made with a nonce of its own invention.
    pub invented_nonce: bool,
    /// The nonce count stays at one, though the nonce is used again without being asked.
    pub replays_count: bool,
    /// It never answers a challenge.
    pub ignores_challenge: bool,
    /// INVITE and REGISTER have a From other than the account's.
    pub foreign_from: Option<&'static str>,
    /// The answer has another payload type than any that was offered.
    pub answers_unoffered: bool,
    /// The 200 has no session description.
    pub answers_without_sdp: bool,
    /// Its messages are cut to so many octets.
    pub truncates: Option<usize>,
    /// NOTIFY gets a 481.
    pub refuses_notify: bool,
    /// In-dialog requests are refused as unknown (481): it has forgotten its calls.
    pub forgets: bool,
    /// Neither PRACK nor ACK of a refusal is sent.
    pub never_pracks: bool,
}

impl Profile {
    pub(crate) fn new(number: &str, voice_hz: f32) -> Self {
        Self {
            number: number.to_owned(),
            username: number.to_owned(),
            password: password_of(number),
            algorithm: Algorithm::Md5,
            transport: Transport::Udp,
            codecs: vec![8, 0],
            event: Some(101),
            srtp: Srtp::Never,
            suite: SrtpSuite::AesCm128HmacSha1_80,
            expires_s: 600,
            outbound: false,
            reliable: Reliable::No,
            session_s: None,
            knows_timer: false,
            refreshes: false,
            update: false,
            offerless: false,
            greeting: Greeting::Ring,
            answers_after_ms: None,
            voice_hz,
            speaks: true,
            hangs_up_after_transfer: true,
            quirks: Quirks::default(),
        }
    }

    /// `Allow`.
    pub(crate) fn allow(&self) -> &'static str {
        if self.update {
            "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, REFER, PRACK, UPDATE"
        } else {
            "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, REFER, PRACK"
        }
    }

    /// `Supported`, where there is anything.
    pub(crate) fn supported(&self) -> Option<String> {
        let mut tags = vec!["replaces"];
        if self.reliable != Reliable::No {
            tags.push("100rel");
        }
        if self.knows_timer || self.session_s.is_some() {
            tags.push("timer");
        }
        if self.outbound {
            tags.push("outbound");
            tags.push("path");
        }
        Some(tags.join(", "))
    }
}

/// The password that every extension of a world has.
#[must_use]
pub fn password_of(number: &str) -> String {
    format!("secret-of-{number}")
}
