//! The typed configuration: what an administrator decides, and what is wrong with it.
//!
//! `store` loads and saves it, `webd` edits it, `pbx` obeys it. A configuration that
//! [`Configuration::check`] finds no fault in is one the exchange can run.

mod caller_id;
mod emergency;
mod fraud;
mod permissions;
mod ringing;
mod routing;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Codec, ConfigVersion, DialPlan, ExtensionId, ExtensionNumber, Language, PermissionGroupId,
    Role, Secret, SrtpPolicy, UserId,
};

pub use caller_id::CallerId;
pub use emergency::{Emergency, EmergencyNumber, preset_countries};
pub use fraud::{Brake, DayHours, FraudLimits, FraudProtection, Used, WeekTime};
pub use permissions::{Permission, PermissionGroup, PermissionRule};
pub use ringing::{Ring, Ringing, Target};
pub use routing::{
    ExternalNumber, IdentityHeader, Interface, Mapping, Partner, Rewrite, Rewriting, Route,
    SipServer,
};

/// Everything an administrator decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Grows with every change.
    pub version: ConfigVersion,
    /// What concerns the whole exchange.
    pub general: General,
    /// The users, by id.
    pub users: Vec<User>,
    /// The extensions, by id.
    pub extensions: Vec<Extension>,
    /// The ways to other networks, by id.
    pub interfaces: Vec<Interface>,
    /// Where dialled numbers that begin with a prefix go, by id.
    pub routes: Vec<Route>,
    /// The emergency numbers.
    pub emergency: Emergency,
    /// Who may call which numbers outside, by id.
    pub permission_groups: Vec<PermissionGroup>,
    /// How much may be called outside.
    pub fraud_protection: FraudProtection,
}

/// What concerns the whole exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct General {
    /// ISO 3166-1 alpha-2 code: it chooses the tones callers hear.
    pub country: String,
    /// Protection space of SIP digest (RFC 3261 §22.1); phones show it when they ask for a password.
    pub realm: String,
    /// How long a call rings before it counts as not answered, in seconds.
    pub no_answer_s: u32,
    /// How phones prove that they know their password.
    pub digest: DigestChoice,
}

/// The algorithms of SIP digest that phones are asked for (RFC 8760); only these are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigestChoice {
    /// MD5 alone: what every phone takes. Those from before RFC 8760 give up where they see another
    /// algorithm beside it.
    #[default]
    Md5,
    /// SHA-256 where the phone knows it, else MD5.
    Sha256ThenMd5,
    /// SHA-256 alone: old phones stay out.
    Sha256,
}

impl Default for General {
    fn default() -> Self {
        Self {
            country: "CZ".into(),
            realm: "operator-box".into(),
            no_answer_s: 60,
            digest: DigestChoice::default(),
        }
    }
}

/// A person who has extensions, or who administers (USR-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never reused.
    pub id: UserId,
    /// Login name: ASCII, no spaces, unique without regard to case.
    pub name: String,
    /// Name shown to people.
    pub full_name: String,
    /// Address for messages.
    pub email: Option<String>,
    /// Language of pages and messages.
    pub language: Language,
    /// Rights on the administration.
    pub role: Role,
    /// A disabled user neither logs in nor calls.
    pub enabled: bool,
    /// What becomes of calls to their extensions.
    pub ringing: Ringing,
}

/// An internal number with a phone or several behind it (USR-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Never reused.
    pub id: ExtensionId,
    /// Its number, unique in the dial plan.
    pub number: ExtensionNumber,
    /// What the administrator wrote about it.
    pub description: String,
    /// Whose it is.
    pub user: Option<UserId>,
    /// The name it is shown by in calls; its user's full name, or else the description, where there
    /// is none.
    pub caller_name: Option<String>,
    /// Which number it shows outside.
    pub caller_id: CallerId,
    /// A disabled extension neither registers nor calls.
    pub enabled: bool,
    /// Digest user name of its phones, unique.
    pub sip_username: String,
    /// Digest password of its phones.
    pub sip_password: Secret,
    /// Codecs offered and accepted, the preferred first.
    pub codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    pub srtp: SrtpPolicy,
    /// Which numbers outside it may call; all of them where there is none.
    pub permission_group: Option<PermissionGroupId>,
}

/// Something in a configuration that the exchange can't run with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the configuration.
    pub path: String,
    /// For translation and tests.
    pub code: FaultCode,
    /// What is wrong and what to do, in English.
    pub text: String,
}

/// The kinds of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// The number is already in the dial plan.
    NumberTaken,
    /// A name is empty, too long, or has characters it can't have.
    InvalidName,
    /// A name is used twice.
    NameTaken,
    /// An e-mail address without form.
    InvalidEmail,
    /// A reference to something that isn't there.
    UnknownReference,
    /// A password that is too short.
    WeakPassword,
    /// A number, or a part of one, with characters it can't have.
    InvalidNumber,
    /// No codec, or one twice.
    InvalidCodecs,
    /// A value out of its range.
    OutOfRange,
    /// Text that is too long or has control characters.
    InvalidText,
    /// More of a kind than the exchange holds.
    TooMany,
    /// The number of an extension is an emergency number.
    EmergencyNumber,
    /// Calls would go round in a circle.
    Circle,
    /// Nobody would be left who may change the configuration.
    LastAdministrator,
}

/// Limits of what is configured, and why.
pub mod limits {
    /// Shown in one line on a phone's display and in tables.
    pub const TEXT_CHARS: usize = 128;
    /// Longest login or digest name; phones cut longer ones.
    pub const NAME_CHARS: usize = 64;
    /// Shortest SIP password: guessing it online takes longer than a ban allows.
    pub const SIP_PASSWORD_MIN_CHARS: usize = 8;
    /// Longest SIP password that common phones keep.
    pub const SIP_PASSWORD_MAX_CHARS: usize = 64;
    /// Bound of memory; ten times the largest site the hardware serves.
    pub const EXTENSIONS: usize = 20_000;
    /// Bound of memory; ten times the largest site the hardware serves.
    pub const USERS: usize = 20_000;
    /// Bound of memory; the largest boxes have four ISDN ports and a handful of providers.
    pub const INTERFACES: usize = 100;
    /// Bound of memory and of the time that a change takes to be checked; blocks are written with X.
    pub const EXTERNAL_NUMBERS: usize = 10_000;
    /// Bound of memory; a route for each country there is, four times over.
    pub const ROUTES: usize = 1_000;
    /// Bound of memory; no country has more than a dozen.
    pub const EMERGENCY_NUMBERS: usize = 100;
    /// Bound of memory; a group for each department of the largest site.
    pub const PERMISSION_GROUPS: usize = 200;
    /// Each is compared with each number that is dialled; every country twice over.
    pub const PERMISSION_RULES: usize = 500;
    /// More than a hundred lines talk in an hour is no brake.
    pub const FRAUD_MINUTES_AN_HOUR: u16 = 6_000;
    /// More than forty lines talk in a day is no brake.
    pub const FRAUD_MINUTES_A_DAY: u16 = 60_000;
    /// What rings for a user: more than a person has phones, and each call to them costs so many.
    pub const RINGS: usize = 10;
    /// The latest that something begins to ring, in seconds: it has to ring before the call ends.
    pub const RING_AFTER_MAX_S: u16 = 170;
    /// For how long something rings, in seconds.
    pub const RING_FOR_S: core::ops::RangeInclusive<u16> = 5..=180;
    /// Shortest ringing before "no answer", in seconds.
    pub const NO_ANSWER_MIN_S: u32 = 5;
    /// Longest ringing before "no answer", in seconds: timer C of RFC 3261 §16.6 is 180 s.
    pub const NO_ANSWER_MAX_S: u32 = 180;
}

impl Configuration {
    /// What an exchange has before anyone configured it.
    #[must_use]
    pub fn initial() -> Self {
        Self {
            version: ConfigVersion::new(0),
            general: General::default(),
            users: Vec::new(),
            extensions: Vec::new(),
            interfaces: Vec::new(),
            routes: Vec::new(),
            emergency: Emergency::preset(&General::default().country),
            permission_groups: Vec::new(),
            fraud_protection: FraudProtection::preset(&General::default().country),
        }
    }

    /// The extension with this id.
    #[must_use]
    pub fn extension(&self, id: ExtensionId) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.id == id)
    }

    /// The user with this id.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    /// True where the extension may register and call: it and its user are enabled (USR-4).
    #[must_use]
    pub fn is_active(&self, extension: &Extension) -> bool {
        extension.enabled
            && extension
                .user
                .and_then(|id| self.user(id))
                .is_none_or(|user| user.enabled)
    }

    /// Everything the exchange can't run with; empty where it can.
    #[must_use]
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        self.check_general(&mut faults);
        self.check_users(&mut faults);
        self.check_extensions(&mut faults);
        self.check_caller_ids(&mut faults);
        self.check_ringing(&mut faults);
        self.check_interfaces(&mut faults);
        self.check_routes(&mut faults);
        self.check_emergency(&mut faults);
        self.check_permission_groups(&mut faults);
        self.check_fraud_protection(&mut faults);
        if let Err(taken) = DialPlan::build(self) {
            faults.0.extend(taken);
        }
        faults.0
    }

    fn check_general(&self, faults: &mut Faults) {
        let general = &self.general;
        if general.country.len() != 2 || !general.country.bytes().all(|c| c.is_ascii_uppercase()) {
            faults.add(
                "/general/country".into(),
                FaultCode::OutOfRange,
                "choose a country by its two-letter code, such as CZ",
            );
        }
        if !is_name(&general.realm) {
            faults.add(
                "/general/realm".into(),
                FaultCode::InvalidName,
                "use 1 to 64 letters, digits, dots, hyphens or underscores",
            );
        }
        if !(limits::NO_ANSWER_MIN_S..=limits::NO_ANSWER_MAX_S).contains(&general.no_answer_s) {
            faults.add(
                "/general/no_answer_s".into(),
                FaultCode::OutOfRange,
                "use 5 to 180 seconds",
            );
        }
    }

    fn check_users(&self, faults: &mut Faults) {
        if self.users.len() > limits::USERS {
            faults.add(
                "/users".into(),
                FaultCode::TooMany,
                "the exchange holds at most 20000 users",
            );
        }
        let mut names = BTreeSet::new();
        for (index, user) in self.users.iter().enumerate() {
            let at = |field: &str| format!("/users/{index}/{field}");
            if !is_name(&user.name) {
                faults.add(
                    at("name"),
                    FaultCode::InvalidName,
                    "use 1 to 64 letters without accents, digits, dots, hyphens or underscores",
                );
            } else if !names.insert(user.name.to_ascii_lowercase()) {
                faults.add(
                    at("name"),
                    FaultCode::NameTaken,
                    "another user has this name: choose a different one",
                );
            }
            faults.check_text(&at("full_name"), &user.full_name);
            if user.email.as_deref().is_some_and(|email| !is_email(email)) {
                faults.add(
                    at("email"),
                    FaultCode::InvalidEmail,
                    "enter an address such as name@example.com, or leave it empty",
                );
            }
        }
    }

    fn check_extensions(&self, faults: &mut Faults) {
        if self.extensions.len() > limits::EXTENSIONS {
            faults.add(
                "/extensions".into(),
                FaultCode::TooMany,
                "the exchange holds at most 20000 extensions",
            );
        }
        let users: BTreeSet<UserId> = self.users.iter().map(|user| user.id).collect();
        let mut names = BTreeSet::new();
        for (index, extension) in self.extensions.iter().enumerate() {
            let at = |field: &str| format!("/extensions/{index}/{field}");
            faults.check_text(&at("description"), &extension.description);
            if let Some(name) = &extension.caller_name {
                faults.check_text(&at("caller_name"), name);
                if name.trim().is_empty() {
                    faults.add(
                        at("caller_name"),
                        FaultCode::InvalidText,
                        "enter a name, or none",
                    );
                }
            }
            if extension.user.is_some_and(|id| !users.contains(&id)) {
                faults.add(
                    at("user"),
                    FaultCode::UnknownReference,
                    "there is no such user: choose another, or none",
                );
            }
            if !is_name(&extension.sip_username) {
                faults.add(
                    at("sip_username"),
                    FaultCode::InvalidName,
                    "use 1 to 64 letters without accents, digits, dots, hyphens or underscores",
                );
            } else if !names.insert(extension.sip_username.as_str()) {
                faults.add(
                    at("sip_username"),
                    FaultCode::NameTaken,
                    "another extension has this SIP user name: choose a different one",
                );
            }
            if !is_sip_password(extension.sip_password.expose()) {
                faults.add(
                    at("sip_password"),
                    FaultCode::WeakPassword,
                    "use 8 to 64 printable characters without spaces or accents",
                );
            }
            faults.check_codecs(at("codecs"), &extension.codecs);
        }
    }
}

#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, path: String, code: FaultCode, text: &str) {
        self.0.push(Fault {
            path,
            code,
            text: text.to_owned(),
        });
    }

    fn check_codecs(&mut self, path: String, codecs: &[Codec]) {
        let distinct: BTreeSet<Codec> = codecs.iter().copied().collect();
        if distinct.is_empty() || distinct.len() != codecs.len() {
            self.add(
                path,
                FaultCode::InvalidCodecs,
                "choose at least one codec, each once",
            );
        }
    }

    fn check_text(&mut self, path: &str, text: &str) {
        if text.chars().count() > limits::TEXT_CHARS || text.chars().any(char::is_control) {
            self.add(
                path.to_owned(),
                FaultCode::InvalidText,
                "use at most 128 characters in one line",
            );
        }
    }
}

/// A login, digest or realm name: what needs no quoting in a URI, a header or a file name.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= limits::NAME_CHARS
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'))
}

fn is_sip_password(text: &str) -> bool {
    (limits::SIP_PASSWORD_MIN_CHARS..=limits::SIP_PASSWORD_MAX_CHARS).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_graphic())
}

/// A form check only; whether mail arrives is seen by sending one.
fn is_email(text: &str) -> bool {
    text.len() <= 254
        && text.bytes().all(|c| c.is_ascii_graphic())
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains('@')
        })
}

#[cfg(test)]
mod tests;
