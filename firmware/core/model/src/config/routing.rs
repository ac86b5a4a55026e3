//! The ways to and from other networks: interfaces with their numbers, routes, rewriting rules.
//!
//! An *interface* is the exchange's account at a provider, or its link to another exchange. Calls
//! come in by the external numbers it has and go out by the *routes* that lead to it, chosen by the
//! prefix that was dialled.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Configuration, FaultCode, Faults, is_name, limits};
use crate::{
    Codec, ExtensionId, InterfaceId, InvalidNumber, Number, RouteId, Secret, SrtpPolicy, Transport,
};

/// A rewriting rule (SIP-4): takes digits away from the left, then puts others in front.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// How many characters go; of a shorter number all.
    pub strip: u8,
    /// What is put in front of the rest: digits, `*`, `#`, perhaps a leading `+`.
    pub prefix: String,
}

impl Rewrite {
    /// Whether it leaves every number as it is.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.strip == 0 && self.prefix.is_empty()
    }

    /// The number it makes of `number`; maybe empty.
    #[must_use]
    pub fn apply(&self, number: &str) -> String {
        let rest =
            (number.char_indices().nth(self.strip.into())).map_or("", |(at, _)| &number[at..]);
        format!("{}{rest}", self.prefix)
    }
}

/// A number in the outside world, or a block of them: digits, perhaps a leading `+`, and `X` for each
/// digit that varies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ExternalNumber(String);

impl ExternalNumber {
    /// As it was written, `X` in capitals.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for more than one number.
    #[must_use]
    pub fn is_block(&self) -> bool {
        self.0.contains('X')
    }

    /// Whether `number` is it, or one of them. A leading `+` makes no difference.
    #[must_use]
    pub fn matches(&self, number: &str) -> bool {
        let (own, number) = (bare(&self.0), bare(number));
        own.len() == number.len()
            && (own.bytes().zip(number.bytes()))
                .all(|(own, digit)| own == digit || own == b'X' && digit.is_ascii_digit())
    }

    /// Whether some number is meant by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (own, other) = (bare(&self.0), bare(&other.0));
        own.len() == other.len()
            && (own.bytes().zip(other.bytes()))
                .all(|(one, two)| one == two || one == b'X' || two == b'X')
    }
}

fn bare(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

impl FromStr for ExternalNumber {
    type Err = InvalidNumber;

    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let text = text.to_ascii_uppercase();
        let digits = bare(&text);
        if digits.is_empty() {
            return Err(InvalidNumber::Empty);
        }
        if text.len() > Number::MAX_DIGITS {
            return Err(InvalidNumber::TooLong(Number::MAX_DIGITS));
        }
        match digits.chars().find(|c| !c.is_ascii_digit() && *c != 'X') {
            Some(other) => Err(InvalidNumber::Character(other)),
            None => Ok(Self(text)),
        }
    }
}

impl TryFrom<String> for ExternalNumber {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        text.parse()
    }
}

impl From<ExternalNumber> for String {
    fn from(number: ExternalNumber) -> Self {
        number.0
    }
}

impl fmt::Display for ExternalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What is on the other side of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Partner {
    /// A provider of telephone service.
    Provider,
    /// Another exchange.
    Exchange,
}

/// An external number and who it rings (SIP-2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The number, or the block.
    pub number: ExternalNumber,
    /// Whom it rings; none leaves it to the rewriting rule, and then to the operator.
    pub extension: Option<ExtensionId>,
}

/// What is done to the numbers of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewriting {
    /// To the called number.
    pub called: Rewrite,
    /// To the calling number.
    pub calling: Rewrite,
}

/// How calls that leave say who calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityHeader {
    /// The calling number stands in From.
    #[default]
    From,
    /// The account stands in From, the calling number in P-Asserted-Identity (RFC 3325).
    AssertedIdentity,
    /// The account stands in From, the calling number in Remote-Party-ID (draft-ietf-sip-privacy).
    RemotePartyId,
}

/// The account at a SIP server (SIP-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipServer {
    /// Its domain name or address.
    pub host: String,
    /// Its port; none asks the domain name system (RFC 3263).
    pub port: Option<u16>,
    /// How messages get there.
    pub transport: Transport,
    /// The user part of our address there; often the telephone number.
    pub username: String,
    /// Digest user name, where it differs.
    pub user_id: Option<String>,
    /// Digest password; none where the server knows us by our address.
    pub password: Option<Secret>,
    /// The exchange has to tell the server where it is (RFC 3261 §10).
    pub register: bool,
    /// The address that is told, where a firewall does not mend it.
    pub external_address: Option<IpAddr>,
    /// How calls say who calls.
    pub identity: IdentityHeader,
}

/// A way to another network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Never reused.
    pub id: InterfaceId,
    /// Its name: unique, without spaces or accents.
    pub name: String,
    /// A disabled interface neither registers nor carries calls.
    pub enabled: bool,
    /// What is on its other side.
    pub partner: Partner,
    /// The account there.
    pub server: SipServer,
    /// The external numbers it has, and whom they ring.
    pub numbers: Vec<Mapping>,
    /// Who gets the calls that nothing else leads anywhere.
    pub operator: Option<ExtensionId>,
    /// What is done to the numbers of calls that come in.
    pub incoming: Rewriting,
    /// Codecs offered and accepted, the preferred first.
    pub codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    #[serde(default)]
    pub srtp: SrtpPolicy,
}

impl Interface {
    /// Whether calls from it ring an extension by what is configured here.
    #[must_use]
    pub fn rings(&self, extension: ExtensionId) -> bool {
        (self.numbers.iter().map(|mapping| mapping.extension))
            .chain([self.operator])
            .any(|one| one == Some(extension))
    }

    /// The first external number that is no block.
    #[must_use]
    pub fn main_number(&self) -> Option<&ExternalNumber> {
        (self.numbers.iter())
            .map(|mapping| &mapping.number)
            .find(|number| !number.is_block())
    }
}

/// Where dialled numbers that begin with a prefix go (SIP-3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Never reused.
    pub id: RouteId,
    /// What the dialled number begins with; the longest that fits decides. Empty fits every number.
    pub prefix: String,
    /// What the administrator wrote about it.
    pub description: String,
    /// A disabled route is passed over.
    pub enabled: bool,
    /// The interfaces, in the order in which they are tried.
    pub interfaces: Vec<InterfaceId>,
    /// What is done to the numbers of calls that leave by it.
    pub outgoing: Rewriting,
}

/// A prefix, or what a rewriting rule puts in front: what can stand in a number, or nothing.
pub(super) fn is_digits(text: &str) -> bool {
    let digits = bare(text);
    text.len() <= Number::MAX_DIGITS
        && digits
            .bytes()
            .all(|c| c.is_ascii_digit() || matches!(c, b'*' | b'#'))
}

/// A domain name or an address, as a form check.
fn is_host(text: &str) -> bool {
    let name = |text: &str| {
        text.len() <= 253
            && text.split('.').all(|label| {
                !label.is_empty()
                    && label.len() <= 63
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && (label.bytes())
                        .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
            })
    };
    text.parse::<IpAddr>().is_ok() || name(text)
}

impl Configuration {
    /// The interface with this id.
    #[must_use]
    pub fn interface(&self, id: InterfaceId) -> Option<&Interface> {
        (self.interfaces.iter()).find(|interface| interface.id == id)
    }

    pub(super) fn check_interfaces(&self, faults: &mut Faults) {
        if self.interfaces.len() > limits::INTERFACES {
            faults.add(
                "/interfaces".into(),
                FaultCode::TooMany,
                "the exchange holds at most 100 interfaces",
            );
        }
        let extensions: BTreeSet<ExtensionId> = self.extensions.iter().map(|e| e.id).collect();
        let mut names = BTreeSet::new();
        for (index, interface) in self.interfaces.iter().enumerate() {
            let at = |field: &str| format!("/interfaces/{index}/{field}");
            if !is_name(&interface.name) {
                faults.add(
                    at("name"),
                    FaultCode::InvalidName,
                    "use 1 to 64 letters without accents, digits, dots, hyphens or underscores",
                );
            } else if !names.insert(interface.name.to_ascii_lowercase()) {
                faults.add(
                    at("name"),
                    FaultCode::NameTaken,
                    "another interface has this name: choose a different one",
                );
            }
            interface
                .server
                .check(&|field| at(&format!("server/{field}")), faults);
            faults.check_codecs(at("codecs"), &interface.codecs);
            faults.check_rewriting(
                &|field| at(&format!("incoming/{field}")),
                &interface.incoming,
            );
            if interface
                .operator
                .is_some_and(|id| !extensions.contains(&id))
            {
                faults.add(
                    at("operator"),
                    FaultCode::UnknownReference,
                    "there is no such extension: choose another, or none",
                );
            }
            if interface.numbers.len() > limits::EXTERNAL_NUMBERS {
                faults.add(
                    at("numbers"),
                    FaultCode::TooMany,
                    "an interface has at most 10000 external numbers: write blocks with X",
                );
            }
            for (number, mapping) in interface.numbers.iter().enumerate() {
                if mapping
                    .extension
                    .is_some_and(|id| !extensions.contains(&id))
                {
                    faults.add(
                        at(&format!("numbers/{number}/extension")),
                        FaultCode::UnknownReference,
                        "there is no such extension: choose another, or none",
                    );
                }
            }
            let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
            for (number, mapping) in interface.numbers.iter().enumerate() {
                if seen.insert(bare(mapping.number.as_str()), number).is_some() {
                    faults.add(
                        at(&format!("numbers/{number}/number")),
                        FaultCode::NumberTaken,
                        "this number is listed twice: keep one of them",
                    );
                }
            }
        }
    }

    pub(super) fn check_routes(&self, faults: &mut Faults) {
        if self.routes.len() > limits::ROUTES {
            faults.add(
                "/routes".into(),
                FaultCode::TooMany,
                "the exchange holds at most 1000 routes",
            );
        }
        let interfaces: BTreeSet<InterfaceId> = self.interfaces.iter().map(|i| i.id).collect();
        let mut prefixes = BTreeSet::new();
        for (index, route) in self.routes.iter().enumerate() {
            let at = |field: &str| format!("/routes/{index}/{field}");
            faults.check_text(&at("description"), &route.description);
            if !is_digits(&route.prefix) {
                faults.add(
                    at("prefix"),
                    FaultCode::InvalidNumber,
                    "use digits, * and #, or leave it empty",
                );
            } else if !prefixes.insert(route.prefix.as_str()) {
                faults.add(
                    at("prefix"),
                    FaultCode::NumberTaken,
                    "another route has this prefix: choose a different one, or add the interface to that route",
                );
            }
            let distinct: BTreeSet<InterfaceId> = route.interfaces.iter().copied().collect();
            if distinct.is_empty() || distinct.len() != route.interfaces.len() {
                faults.add(
                    at("interfaces"),
                    FaultCode::OutOfRange,
                    "choose at least one interface, each once",
                );
            }
            if !distinct.is_subset(&interfaces) {
                faults.add(
                    at("interfaces"),
                    FaultCode::UnknownReference,
                    "an interface of this route is gone: take it from the route first",
                );
            }
            faults.check_rewriting(&|field| at(&format!("outgoing/{field}")), &route.outgoing);
        }
    }
}

impl SipServer {
    fn check(&self, at: &dyn Fn(&str) -> String, faults: &mut Faults) {
        if !is_host(&self.host) {
            faults.add(
                at("host"),
                FaultCode::InvalidName,
                "enter a domain name such as sip.example.com, or an address",
            );
        }
        if self.port == Some(0) {
            faults.add(at("port"), FaultCode::OutOfRange, "use 1 to 65535, or none");
        }
        let user = |text: &str| {
            (1..=limits::NAME_CHARS).contains(&text.len())
                && (text.bytes()).all(|c| c.is_ascii_graphic() && !matches!(c, b'"' | b'<' | b'>'))
        };
        // A server that knows us by our address needs no name of ours.
        if !(user(&self.username) || self.username.is_empty() && !self.register) {
            faults.add(
                at("username"),
                FaultCode::InvalidName,
                "enter the user name that the provider gave you: 1 to 64 characters without spaces",
            );
        }
        if self.user_id.as_deref().is_some_and(|id| !user(id)) {
            faults.add(
                at("user_id"),
                FaultCode::InvalidName,
                "use 1 to 64 characters without spaces, or leave it empty",
            );
        }
        let password = self.password.as_ref().map(Secret::expose);
        if password.is_some_and(|text| {
            text.is_empty() || text.len() > 128 || text.chars().any(char::is_control)
        }) {
            faults.add(
                at("password"),
                FaultCode::WeakPassword,
                "use 1 to 128 characters, or leave it empty",
            );
        }
    }
}

impl Faults {
    fn check_rewriting(&mut self, at: &dyn Fn(&str) -> String, rewriting: &Rewriting) {
        for (side, rule) in [
            ("called", &rewriting.called),
            ("calling", &rewriting.calling),
        ] {
            if usize::from(rule.strip) > Number::MAX_DIGITS {
                self.add(
                    at(&format!("{side}/strip")),
                    FaultCode::OutOfRange,
                    "use 0 to 32 digits",
                );
            }
            if !is_digits(&rule.prefix) {
                self.add(
                    at(&format!("{side}/prefix")),
                    FaultCode::InvalidNumber,
                    "use digits, * and #, or leave it empty",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
