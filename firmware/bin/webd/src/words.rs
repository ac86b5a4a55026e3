//! The words of `model` as the API writes and documents them.
//!
//! They are types of their own so that the API stays as it is when the inside changes, and so that
//! no secret can slip out with a structure that has one.

use model::{config, control, system};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock;

macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident = $model:path { $($(#[$vdoc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                use $model as Model;
                match value { $(Model::$variant => Self::$variant,)* }
            }
        }

        impl From<$name> for $model {
            fn from(value: $name) -> Self {
                use $model as Model;
                match value { $($name::$variant => Model::$variant,)* }
            }
        }
    };
}

mirror! {
    /// Rights on the administration: own session only, see everything, see and change everything.
    Role = model::Role {
        /// The user's own page only.
        User,
        /// Sees the whole server, changes nothing.
        ReadOnly,
        /// Sees and changes the whole server.
        ReadWrite,
    }
}

mirror! {
    /// Language of pages and messages.
    Language = model::Language {
        /// English.
        En,
        /// Czech.
        Cs,
    }
}

mirror! {
    /// What a rule does with the numbers that it fits.
    Permission = config::Permission {
        /// They may be called.
        Allow,
        /// They may not.
        Deny,
    }
}

mirror! {
    /// Whether sound is encrypted (SRTP with keys in the signalling).
    Srtp = model::SrtpPolicy {
        /// Never.
        Off,
        /// Where the other side offers it, and over TLS where it can.
        Offered,
        /// Always: who can't is refused.
        Required,
    }
}

mirror! {
    /// A codec by its name in RTP.
    Codec = model::Codec {
        /// G.711 A-law.
        Pcma,
        /// G.711 µ-law.
        Pcmu,
        /// G.722.
        G722,
        /// GSM full rate.
        Gsm,
        /// G.729: passed on between phones that both have it.
        G729,
        /// iLBC: passed on likewise.
        Ilbc,
        /// Speex at 8 kHz: passed on likewise.
        Speex,
        /// Opus: passed on likewise.
        Opus,
    }
}

mirror! {
    /// What phones prove their password by (SIP digest).
    Digest = config::DigestChoice {
        /// MD5 alone: every phone takes it.
        Md5,
        /// SHA-256 where the phone knows it, else MD5. Some old phones give up at this.
        Sha256ThenMd5,
        /// SHA-256 alone: old phones stay out.
        Sha256,
    }
}

mirror! {
    /// How SIP messages travel.
    Transport = model::Transport {
        /// Datagrams.
        Udp,
        /// A stream.
        Tcp,
        /// A stream under TLS.
        Tls,
    }
}

mirror! {
    /// What is on the other side of an interface.
    Partner = config::Partner {
        /// A provider of telephone service.
        Provider,
        /// Another exchange.
        Exchange,
    }
}

mirror! {
    /// How calls that leave say who calls.
    IdentityHeader = config::IdentityHeader {
        /// The calling number stands in From.
        From,
        /// The account stands in From, the calling number in P-Asserted-Identity.
        AssertedIdentity,
        /// The account stands in From, the calling number in Remote-Party-ID.
        RemotePartyId,
    }
}

mirror! {
    /// How far a call is.
    CallState = control::CallState {
        /// Nothing rings yet.
        Setup,
        /// The called party's phone rings.
        Ringing,
        /// The parties talk.
        Connected,
        /// One party has the other on hold.
        Held,
    }
}

mirror! {
    /// Which half of a call a leg is.
    LegSide = model::LegSide {
        /// The half that called in.
        Caller,
        /// The half that was called.
        Called,
    }
}

mirror! {
    /// How a call ended.
    Disposition = model::Disposition {
        /// It was answered.
        Answered,
        /// It rang until the limit.
        NoAnswer,
        /// The called party was busy.
        Busy,
        /// The caller hung up before an answer.
        Cancelled,
        /// The called party refused it.
        Rejected,
        /// No phone of the called party is registered, or none responded.
        Unreachable,
        /// Nothing has the dialled number.
        UnknownNumber,
        /// The caller may not call this number.
        NotPermitted,
        /// It failed otherwise; the cause says how.
        Failed,
        /// The exchange was stopped or restarted while it lasted.
        Interrupted,
    }
}

mirror! {
    /// A limit of the fraud protection.
    Brake = config::Brake {
        /// Calls outside of an extension at a time.
        ExtensionCalls,
        /// Its minutes of an hour to costly numbers.
        ExtensionHour,
        /// Its minutes of a day.
        ExtensionDay,
        /// Calls outside of all extensions at a time.
        ExchangeCalls,
        /// Their minutes of an hour to costly numbers.
        ExchangeHour,
        /// Their minutes of a day.
        ExchangeDay,
        /// Costly numbers are not called at this time.
        OutOfHours,
    }
}

mirror! {
    /// Who ended a call.
    EndedBy = model::EndedBy {
        /// The calling party.
        Caller,
        /// The called party.
        Called,
        /// The exchange: a limit, a fault.
        Exchange,
        /// An administrator.
        Administrator,
        /// The exchange was stopped in order.
        Stop,
    }
}

mirror! {
    /// Why a phone was not let in.
    LoginFailure = control::LoginFailure {
        /// Its password is another one.
        WrongPassword,
        /// The extension or its user is disabled.
        Disabled,
        /// It proved to be this extension, and wanted something of another one.
        NotAllowed,
        /// What proved the password was used before.
        Replayed,
    }
}

mirror! {
    /// Which log.
    Log = store::LogKind {
        /// Changes of the configuration, sessions opened and closed.
        Config,
        /// Failed logins and registrations, bans.
        Security,
        /// What an administrator should look at.
        Warning,
        /// What went wrong.
        Error,
    }
}

/// What kind of object something is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A user.
    User,
    /// An extension.
    Extension,
    /// A registered phone.
    Phone,
    /// A route of outgoing calls.
    Route,
    /// A way to another network.
    Interface,
}

/// Something that depends on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dependent {
    /// What it is.
    pub kind: ObjectKind,
    /// Its id, where it has one.
    pub id: Option<u32>,
    /// What a person knows it by: a number, a name.
    #[schema(example = "122")]
    pub name: String,
}

/// What depends on an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Dependents {
    /// Nothing where the object can go without further ado.
    pub dependents: Vec<Dependent>,
}

/// Who takes part in a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Party {
    /// The number shown.
    #[schema(example = "122")]
    pub number: String,
    /// The name shown with it.
    #[schema(example = "Winston Smith")]
    pub name: Option<String>,
    /// The id of the extension, where the party is one of ours.
    pub extension: Option<u32>,
}

/// What was measured on a leg.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Quality {
    /// RTP packets sent to the party.
    pub packets_sent: u64,
    /// RTP packets that came from the party.
    pub packets_received: u64,
    /// Packets from the party that never came.
    pub packets_lost: u64,
    /// Packets from the party that came too late or twice.
    pub packets_discarded: u64,
    /// Packets refused because they came from a third address.
    pub packets_foreign: u64,
    /// Interarrival jitter of what came, in microseconds.
    pub jitter_us: u32,
    /// Packets lost on the way to the party, as it reports.
    pub remote_lost: Option<u32>,
    /// Jitter on the way to the party, as it reports, in microseconds.
    pub remote_jitter_us: Option<u32>,
    /// Round-trip time to the party, in microseconds.
    pub round_trip_us: Option<u32>,
    /// Estimated listening quality, MOS in hundredths (100 to 450).
    pub mos_hundredths: Option<u16>,
    /// How long, in all, nothing came from the party though it was to be heard, in ms; what did not come
    /// meanwhile is among the packets lost.
    pub silent_ms: u32,
    /// For how long of that nothing has come up to now, or up to the end of the call, in ms.
    pub silent_now_ms: u32,
}

/// One party's half of a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Leg {
    /// Which half.
    pub side: LegSide,
    /// Who is on it.
    pub party: Party,
    /// Signalling address of the phone.
    #[schema(example = "192.168.1.31:5060")]
    pub address: Option<String>,
    /// What the phone calls itself.
    pub user_agent: Option<String>,
    /// The name of the interface it was reached by, or came by; none where it is a phone of ours.
    #[schema(example = "provider1")]
    pub interface: Option<String>,
    /// Codec in use.
    pub codec: Option<Codec>,
    /// Its sound is encrypted.
    pub encrypted: bool,
    /// Measured, where sound flowed.
    pub quality: Option<Quality>,
    /// Since when nothing has come from the party, though it is to be heard; only while the call lasts.
    #[schema(format = DateTime)]
    pub silent_since: Option<String>,
    /// Its phone had stopped responding, and so the exchange ended the call.
    pub stopped_responding: bool,
}

/// A call that is under way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Call {
    /// Names the call in logs and history too.
    #[schema(example = 4711)]
    pub id: u64,
    /// How far it is.
    pub state: CallState,
    /// Who calls.
    pub caller: Party,
    /// What was dialled.
    pub dialled: String,
    /// Who is called.
    pub called: Option<Party>,
    /// When it came in.
    #[schema(format = DateTime)]
    pub started: String,
    /// When it was answered.
    #[schema(format = DateTime)]
    pub answered: Option<String>,
    /// Both legs, the caller's first.
    pub legs: Vec<Leg>,
}

/// A registered phone.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Registration {
    /// Id of the extension.
    pub extension: u32,
    /// Contact URI.
    #[schema(example = "sip:122@192.168.1.31:5060")]
    pub contact: String,
    /// Where the registration came from.
    #[schema(example = "192.168.1.31:5060")]
    pub address: String,
    /// By what.
    pub transport: Transport,
    /// What the phone calls itself.
    pub user_agent: Option<String>,
    /// When it ends unless refreshed.
    #[schema(format = DateTime)]
    pub expires: String,
    /// False where its connection is gone: it can't be called until it opens another one.
    pub reachable: bool,
    /// Since when it has answered nothing that was asked of it; it is called nevertheless.
    #[schema(format = DateTime)]
    pub unresponsive_since: Option<String>,
}

/// A row of a log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LogRow {
    /// Grows with each row of the log.
    pub id: i64,
    /// When.
    #[schema(format = DateTime)]
    pub time: String,
    /// What, in English.
    #[schema(example = "Added extension 122 (ID=7)")]
    pub text: String,
    /// The row as a log file has it, in the time of the box.
    #[schema(example = "[22/Nov/2026 08:35:53] Admin - session opened for host 127.0.0.1")]
    pub row: String,
    /// Who did it, in the Config log.
    pub author: Option<String>,
    /// The address it was done from, in the Config log.
    pub host: Option<String>,
    /// How often it happened within a series; the time is that of the last.
    pub times: u32,
    /// When it happened first.
    #[schema(format = DateTime)]
    pub first: String,
}

/// A user as others see it: without anything secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Person {
    /// Never reused.
    pub id: u32,
    /// Login name.
    #[schema(example = "winston.smith")]
    pub name: String,
    /// Name shown to people.
    #[schema(example = "Winston Smith")]
    pub full_name: String,
    /// Address for messages.
    pub email: Option<String>,
    /// Language of pages and messages.
    pub language: Language,
    /// Rights on the administration.
    pub role: Role,
    /// A disabled user neither logs in nor calls.
    pub enabled: bool,
}

/// What a person is called: the full name, or else the login name.
#[must_use]
pub fn shown_name(user: &config::User) -> &str {
    if user.full_name.is_empty() {
        &user.name
    } else {
        &user.full_name
    }
}

impl Dependent {
    /// What people know it by; a route without a prefix has no name.
    #[must_use]
    pub fn known_by(&self) -> &str {
        match self.name.as_str() {
            "" => "that for all numbers",
            name => name,
        }
    }

    /// An extension.
    #[must_use]
    pub const fn extension(id: u32, number: String) -> Self {
        Self {
            kind: ObjectKind::Extension,
            id: Some(id),
            name: number,
        }
    }

    /// A user.
    #[must_use]
    pub fn user(user: &config::User) -> Self {
        Self {
            kind: ObjectKind::User,
            id: Some(user.id.raw()),
            name: shown_name(user).to_owned(),
        }
    }

    /// A route of outgoing calls.
    #[must_use]
    pub fn route(id: u32, prefix: &str) -> Self {
        Self {
            kind: ObjectKind::Route,
            id: Some(id),
            name: prefix.to_owned(),
        }
    }

    /// A way to another network.
    #[must_use]
    pub fn interface(id: u32, name: &str) -> Self {
        Self {
            kind: ObjectKind::Interface,
            id: Some(id),
            name: name.to_owned(),
        }
    }

    /// A registered phone.
    #[must_use]
    pub fn phone(user_agent: Option<String>, address: String) -> Self {
        Self {
            kind: ObjectKind::Phone,
            id: None,
            name: match user_agent {
                Some(name) => format!("{name} ({address})"),
                None => address,
            },
        }
    }
}

impl From<model::Party> for Party {
    fn from(party: model::Party) -> Self {
        Self {
            number: party.number,
            name: party.name,
            extension: party.extension.map(model::ExtensionId::raw),
        }
    }
}

impl From<model::Quality> for Quality {
    fn from(quality: model::Quality) -> Self {
        Self {
            packets_sent: quality.packets_sent,
            packets_received: quality.packets_received,
            packets_lost: quality.packets_lost,
            packets_discarded: quality.packets_discarded,
            packets_foreign: quality.packets_foreign,
            jitter_us: quality.jitter_us,
            remote_lost: quality.remote_lost,
            remote_jitter_us: quality.remote_jitter_us,
            round_trip_us: quality.round_trip_us,
            mos_hundredths: quality.mos_hundredths,
            silent_ms: quality.silent_ms,
            silent_now_ms: quality.silent_now_ms,
        }
    }
}

impl From<control::ActiveLeg> for Leg {
    fn from(leg: control::ActiveLeg) -> Self {
        Self {
            side: leg.side.into(),
            party: leg.party.into(),
            address: leg.address,
            user_agent: leg.user_agent,
            interface: leg.interface,
            codec: leg.codec.map(Into::into),
            encrypted: leg.encrypted,
            quality: leg.quality.map(Into::into),
            silent_since: leg.silent_since.map(clock::rfc3339),
            stopped_responding: false,
        }
    }
}

impl From<model::LegRecord> for Leg {
    fn from(leg: model::LegRecord) -> Self {
        Self {
            side: leg.side.into(),
            party: leg.party.into(),
            address: leg.address,
            user_agent: leg.user_agent,
            interface: leg.interface,
            codec: leg.codec.map(Into::into),
            encrypted: leg.encrypted,
            quality: leg.quality.map(Into::into),
            silent_since: None,
            stopped_responding: leg.stopped_responding,
        }
    }
}

impl From<control::ActiveCall> for Call {
    fn from(call: control::ActiveCall) -> Self {
        Self {
            id: call.call.raw(),
            state: call.state.into(),
            caller: call.caller.into(),
            dialled: call.dialled,
            called: call.called.map(Into::into),
            started: clock::rfc3339(call.started),
            answered: call.answered.map(clock::rfc3339),
            legs: call.legs.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<control::Registration> for Registration {
    fn from(registration: control::Registration) -> Self {
        Self {
            extension: registration.extension.raw(),
            contact: registration.contact,
            address: registration.address,
            transport: registration.transport.into(),
            user_agent: registration.user_agent,
            expires: clock::rfc3339(registration.expires),
            reachable: registration.reachable,
            unresponsive_since: registration.unresponsive_since.map(clock::rfc3339),
        }
    }
}

impl From<store::LogRow> for LogRow {
    fn from(row: store::LogRow) -> Self {
        let row_of_file = row_of_file(&row);
        let (author, host) = row.author.map(|author| (author.name, author.host)).unzip();
        Self {
            id: row.id,
            time: clock::rfc3339(row.at),
            row: row_of_file,
            text: row.text,
            author,
            host,
            times: row.times,
            first: clock::rfc3339(row.first),
        }
    }
}

impl From<control::DebugRow> for LogRow {
    fn from(row: control::DebugRow) -> Self {
        Self {
            id: i64::try_from(row.number).unwrap_or(i64::MAX),
            time: clock::rfc3339(row.at),
            row: format!("[{}] {}", clock::log_style(row.at), row.text),
            text: row.text,
            author: None,
            host: None,
            times: 1,
            first: clock::rfc3339(row.at),
        }
    }
}

impl From<system::KernelRow> for LogRow {
    fn from(row: system::KernelRow) -> Self {
        Self {
            id: i64::try_from(row.number).unwrap_or(i64::MAX),
            time: clock::rfc3339(row.at),
            row: format!("[{}] {}", clock::log_style(row.at), row.text),
            text: row.text,
            author: None,
            host: None,
            times: 1,
            first: clock::rfc3339(row.at),
        }
    }
}

/// A row as a log file has it.
fn row_of_file(row: &store::LogRow) -> String {
    let series = match row.times {
        0 | 1 => String::new(),
        times => format!(" ({times} times since {})", clock::log_style(row.first)),
    };
    format!("[{}] {}{series}", clock::log_style(row.at), row.text)
}

impl From<config::User> for Person {
    fn from(user: config::User) -> Self {
        Self {
            id: user.id.raw(),
            name: user.name,
            full_name: user.full_name,
            email: user.email,
            language: user.language.into(),
            role: user.role.into(),
            enabled: user.enabled,
        }
    }
}
