//! Interfaces as the API writes and reads them.

use std::net::IpAddr;

use model::control::{InterfaceCondition, InterfaceState};
use model::{ExtensionId, InterfaceId, Secret, config};
use serde::{Deserialize, Deserializer, Serialize};
use store::{ItemId, Snapshot};
use utoipa::ToSchema;

use crate::input::{optional_id, whole};
use crate::problem::{FieldCode, Problem};
use crate::revision::etag;
use crate::words::{Codec, IdentityHeader, Partner, Srtp, Transport};

/// A rewriting rule: takes digits away from the left, then puts others in front.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// How many characters go; of a shorter number all.
    #[serde(default)]
    #[schema(example = 6, maximum = 32)]
    strip: u8,
    /// What is put in front of the rest.
    #[serde(default)]
    #[schema(example = "9", max_length = 32, pattern = r"^(\+?[0-9*#]+)?$")]
    prefix: String,
}

/// What is done to the numbers of a call.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewriting {
    /// To the called number.
    #[serde(default)]
    called: Rewrite,
    /// To the calling number.
    #[serde(default)]
    calling: Rewrite,
}

/// An external number and whom it rings.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The number, or a block with `X` for each digit that varies.
    #[schema(
        example = "800225XXX",
        min_length = 1,
        max_length = 32,
        pattern = "^[+]?[0-9Xx]+$"
    )]
    number: String,
    /// Id of the extension it rings; none leaves it to the rewriting rule, and then to the operator.
    #[serde(default, deserialize_with = "optional_id")]
    extension: Option<u32>,
}

/// The account at a SIP server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SipServer {
    /// Domain name or address.
    #[schema(example = "sip.example.com")]
    host: String,
    /// Port; the usual one where there is none.
    #[schema(example = 5060)]
    port: Option<u16>,
    /// How messages get there.
    transport: Transport,
    /// Our user name there; often the telephone number.
    username: String,
    /// Digest user name, where it differs.
    user_id: Option<String>,
    /// True where a password is set. It is not shown.
    has_password: bool,
    /// The exchange registers there.
    register: bool,
    /// The address that is told in the registration, where a firewall does not mend it.
    #[schema(value_type = Option<String>, example = "203.0.113.5")]
    external_address: Option<IpAddr>,
    /// How calls say who calls.
    identity: IdentityHeader,
}

/// How an interface is.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// It can carry calls.
    Ready,
    /// It is switched off.
    Disabled,
    /// Nobody knows where its server is.
    NotFound,
    /// Its server has not answered yet.
    Registering,
    /// Its server does not have us.
    NotRegistered,
}

/// A way to another network.
#[derive(Debug, Serialize, ToSchema)]
pub struct Interface {
    /// Never reused.
    id: u32,
    /// Unique.
    #[schema(example = "provider1")]
    pub(super) name: String,
    /// A disabled interface neither registers nor carries calls.
    enabled: bool,
    /// What is on its other side.
    partner: Partner,
    /// The account there.
    server: SipServer,
    /// The external numbers it has, and whom they ring.
    numbers: Vec<Mapping>,
    /// Id of the extension that gets the calls that nothing else leads anywhere.
    operator: Option<u32>,
    /// What is done to the numbers of calls that come in.
    incoming: Rewriting,
    /// Codecs offered and accepted, the preferred first.
    codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    srtp: Srtp,
    /// How it is; nothing where the exchange does not answer.
    condition: Option<Condition>,
    /// The SIP status that its server refused the registration with.
    #[schema(example = 403)]
    refused_with: Option<u16>,
    /// The address of its server that is in use.
    #[schema(example = "203.0.113.9:5060")]
    address: Option<String>,
    /// Calls that go by it now.
    calls: Option<u32>,
    /// For If-Match.
    #[schema(example = "\"r17\"")]
    etag: String,
}

/// All interfaces.
#[derive(Debug, Serialize, ToSchema)]
pub struct Interfaces {
    /// By name.
    pub(super) interfaces: Vec<Interface>,
}

/// The account at a SIP server, to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SipServerChange {
    /// Domain name or address.
    #[schema(example = "sip.example.com", min_length = 1, max_length = 253)]
    host: String,
    /// Port; the usual one where left out.
    #[serde(default, deserialize_with = "optional_port")]
    #[schema(value_type = Option<u16>, minimum = 1, maximum = 65535, example = 5060)]
    port: Option<u16>,
    /// How messages get there.
    #[serde(default = "udp")]
    transport: Transport,
    /// Our user name there; often the telephone number.
    #[serde(default)]
    #[schema(example = "5550100", max_length = 64, pattern = "^[!#-;=?-~]*$")]
    username: String,
    /// Digest user name, where it differs.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[!#-;=?-~]+$")]
    user_id: Option<String>,
    /// Digest password. Left out, the one there is stays; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = Password, min_length = 1, max_length = 128)]
    password: Option<Option<Secret>>,
    /// Whether the exchange registers there.
    #[serde(default)]
    register: bool,
    /// The address that is told in the registration, where a firewall does not mend it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Ipv4, example = "203.0.113.5")]
    external_address: Option<IpAddr>,
    /// How calls say who calls.
    #[serde(default = "from")]
    identity: IdentityHeader,
}

/// What an interface is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterfaceChange {
    /// Unique; without spaces or accents.
    #[schema(
        example = "provider1",
        min_length = 1,
        max_length = 64,
        pattern = "^[A-Za-z0-9._-]+$"
    )]
    name: String,
    /// A disabled interface neither registers nor carries calls.
    #[serde(default = "yes")]
    enabled: bool,
    /// What is on its other side.
    partner: Partner,
    /// The account there.
    server: SipServerChange,
    /// The external numbers it has, and whom they ring.
    #[serde(default)]
    #[schema(max_items = 10000)]
    numbers: Vec<Mapping>,
    /// Id of the extension that gets the calls that nothing else leads anywhere.
    #[serde(default, deserialize_with = "optional_id")]
    operator: Option<u32>,
    /// What is done to the numbers of calls that come in.
    #[serde(default)]
    incoming: Rewriting,
    /// Codecs offered and accepted, the preferred first, each once.
    #[serde(default = "usual_codecs")]
    #[schema(value_type = BTreeSet<Codec>, min_items = 1, max_items = 8)]
    codecs: Vec<Codec>,
    /// Whether its sound is encrypted.
    #[serde(default = "off")]
    srtp: Srtp,
    /// For a new interface alone: the prefix to dial out by it. A route is added that takes the prefix
    /// off towards a provider; to another exchange it is sent.
    #[serde(default)]
    #[schema(example = "9", max_length = 32, pattern = r"^(\+?[0-9*#]+)?$")]
    pub(super) prefix: Option<String>,
}

impl Rewriting {
    pub(in crate::resources) fn to_model(&self) -> config::Rewriting {
        let rule = |rule: &Rewrite| config::Rewrite {
            strip: rule.strip,
            prefix: rule.prefix.clone(),
        };
        config::Rewriting {
            called: rule(&self.called),
            calling: rule(&self.calling),
        }
    }
}

impl From<&config::Rewriting> for Rewriting {
    fn from(rewriting: &config::Rewriting) -> Self {
        let rule = |rule: &config::Rewrite| Rewrite {
            strip: rule.strip,
            prefix: rule.prefix.clone(),
        };
        Self {
            called: rule(&rewriting.called),
            calling: rule(&rewriting.calling),
        }
    }
}

impl Interface {
    pub(super) fn new(
        snapshot: &Snapshot,
        states: Option<&[InterfaceState]>,
        interface: &config::Interface,
    ) -> Self {
        let revision = (snapshot.revisions.items).get(&ItemId::Interface(interface.id));
        let state = states.and_then(|all| all.iter().find(|one| one.interface == interface.id));
        let server = &interface.server;
        let condition = match state.map(|state| state.condition) {
            _ if !interface.enabled => Some(Condition::Disabled),
            Some(InterfaceCondition::Ready) => Some(Condition::Ready),
            Some(InterfaceCondition::NotFound) => Some(Condition::NotFound),
            Some(InterfaceCondition::Registering) => Some(Condition::Registering),
            Some(InterfaceCondition::NotRegistered { .. }) => Some(Condition::NotRegistered),
            None => None,
        };
        Self {
            id: interface.id.raw(),
            name: interface.name.clone(),
            enabled: interface.enabled,
            partner: interface.partner.into(),
            server: SipServer {
                host: server.host.clone(),
                port: server.port,
                transport: server.transport.into(),
                username: server.username.clone(),
                user_id: server.user_id.clone(),
                has_password: server.password.is_some(),
                register: server.register,
                external_address: server.external_address,
                identity: server.identity.into(),
            },
            numbers: (interface.numbers.iter())
                .map(|mapping| Mapping {
                    number: mapping.number.to_string(),
                    extension: mapping.extension.map(ExtensionId::raw),
                })
                .collect(),
            operator: interface.operator.map(ExtensionId::raw),
            incoming: (&interface.incoming).into(),
            codecs: interface
                .codecs
                .iter()
                .map(|codec| (*codec).into())
                .collect(),
            srtp: interface.srtp.into(),
            condition,
            refused_with: state.and_then(|state| match state.condition {
                InterfaceCondition::NotRegistered { status } => status,
                _ => None,
            }),
            address: state.and_then(|state| state.address.clone()),
            calls: state.map(|state| state.calls),
            etag: revision.map(|revision| etag(*revision)).unwrap_or_default(),
        }
    }
}

impl InterfaceChange {
    /// The interface it describes; the password is that of `before` where none was given.
    pub(super) fn into_model(
        self,
        id: InterfaceId,
        before: Option<&config::Interface>,
    ) -> Result<config::Interface, Problem> {
        let server = self.server;
        let mut numbers = Vec::with_capacity(self.numbers.len());
        for (index, mapping) in self.numbers.into_iter().enumerate() {
            let number = mapping
                .number
                .parse()
                .map_err(|error: model::InvalidNumber| {
                    let at = format!("/numbers/{index}/number");
                    Problem::field(&at, FieldCode::InvalidNumber, error.to_string())
                })?;
            numbers.push(config::Mapping {
                number,
                extension: mapping.extension.map(ExtensionId::new),
            });
        }
        Ok(config::Interface {
            id,
            name: self.name,
            enabled: self.enabled,
            partner: self.partner.into(),
            server: config::SipServer {
                host: server.host,
                port: server.port,
                transport: server.transport.into(),
                username: server.username,
                user_id: server.user_id,
                password: match server.password {
                    Some(password) => password,
                    None => before.and_then(|before| before.server.password.clone()),
                },
                register: server.register,
                external_address: server.external_address,
                identity: server.identity.into(),
            },
            numbers,
            operator: self.operator.map(ExtensionId::new),
            incoming: self.incoming.to_model(),
            codecs: self.codecs.into_iter().map(Into::into).collect(),
            srtp: self.srtp.into(),
        })
    }
}

/// Tells a field that is `null` from one that is not there.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

fn optional_port<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    #[derive(Deserialize)]
    struct Port(#[serde(deserialize_with = "whole")] u32);

    let Some(Port(port)) = Option::<Port>::deserialize(from)? else {
        return Ok(None);
    };
    u16::try_from(port)
        .map(Some)
        .map_err(|_| serde::de::Error::custom("a port is 1 to 65535"))
}

const fn udp() -> Transport {
    Transport::Udp
}

const fn from() -> IdentityHeader {
    IdentityHeader::From
}

const fn yes() -> bool {
    true
}

const fn off() -> Srtp {
    Srtp::Off
}

fn usual_codecs() -> Vec<Codec> {
    model::Codec::DEFAULT.map(Into::into).to_vec()
}
