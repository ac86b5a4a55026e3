//! What the tests of this crate share.

pub(crate) mod phone;
pub(crate) mod world;

use model::config::{
    CallerId, Configuration, Extension, IdentityHeader, Interface, Mapping, Partner, Rewrite,
    Rewriting, Ringing, Route, SipServer, User,
};
use model::{
    Codec, ExtensionId, InterfaceId, Language, Role, RouteId, Secret, SrtpPolicy, Transport, UserId,
};

/// Extensions 101, 102 … with ids 1, 2 … and a user each.
pub(crate) fn configuration(count: u32) -> Configuration {
    let mut configuration = Configuration::initial();
    for n in 1..=count {
        configuration.users.push(User {
            id: UserId::new(n),
            name: format!("user{n}"),
            full_name: format!("User {n}"),
            email: None,
            language: Language::En,
            role: Role::User,
            enabled: true,
            ringing: Ringing::default(),
        });
        configuration.extensions.push(Extension {
            id: ExtensionId::new(n),
            number: (100 + n).to_string().parse().expect("digits"),
            description: String::new(),
            user: Some(UserId::new(n)),
            caller_name: None,
            caller_id: CallerId::Own,
            enabled: true,
            sip_username: (100 + n).to_string(),
            sip_password: Secret::new("correct-horse"),
            codecs: Codec::DEFAULT.to_vec(),
            srtp: SrtpPolicy::Off,
            permission_group: None,
        });
    }
    configuration
}

/// An interface with this id, to a server at this address, which has these external numbers.
pub(crate) fn interface(id: u32, host: &str, numbers: &[(&str, Option<u32>)]) -> Interface {
    Interface {
        id: InterfaceId::new(id),
        name: format!("provider{id}"),
        enabled: true,
        partner: Partner::Provider,
        server: SipServer {
            host: host.into(),
            port: None,
            transport: Transport::Udp,
            username: format!("account{id}"),
            user_id: None,
            password: Some(Secret::new("key")),
            register: true,
            external_address: None,
            identity: IdentityHeader::From,
        },
        numbers: (numbers.iter())
            .map(|(number, extension)| Mapping {
                number: number.parse().expect("an external number"),
                extension: extension.map(ExtensionId::new),
            })
            .collect(),
        operator: Some(ExtensionId::new(1)),
        incoming: Rewriting::default(),
        codecs: Codec::ALL.to_vec(),
        srtp: SrtpPolicy::Off,
    }
}

/// A route with this prefix, which is taken off, to these interfaces.
pub(crate) fn outbound(prefix: &str, interfaces: &[u32]) -> Route {
    Route {
        id: RouteId::new(1),
        prefix: prefix.into(),
        description: String::new(),
        enabled: true,
        interfaces: interfaces.iter().copied().map(InterfaceId::new).collect(),
        outgoing: Rewriting {
            called: rewrite(u8::try_from(prefix.len()).expect("short"), ""),
            calling: Rewrite::default(),
        },
    }
}

pub(crate) fn rewrite(strip: u8, prefix: &str) -> Rewrite {
    Rewrite {
        strip,
        prefix: prefix.into(),
    }
}
