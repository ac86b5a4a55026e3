//! What the tests of this crate share.

pub(crate) mod phone;
pub(crate) mod world;

use model::config::{Configuration, Extension, User};
use model::{Codec, ExtensionId, Language, Role, Secret, UserId};

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
        });
        configuration.extensions.push(Extension {
            id: ExtensionId::new(n),
            number: (100 + n).to_string().parse().expect("digits"),
            description: String::new(),
            user: Some(UserId::new(n)),
            caller_name: None,
            enabled: true,
            sip_username: (100 + n).to_string(),
            sip_password: Secret::new("correct-horse"),
            codecs: Codec::ALL.to_vec(),
        });
    }
    configuration
}
