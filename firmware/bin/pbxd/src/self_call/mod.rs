//! The exchange's call to itself, which confirms a new system: two hidden extensions for as long as the
//! supervisor's file is there.
//!
//! * this module: the extensions, and when they are there
//! * `file`: the supervisor's file with their password
//! * `concealed`: what of them comes out of the switch, and goes no further
//! * `client`: the two phones, a process of their own (`pbxd self-call`)
//!
//! What only the switch can see to is there: no other extension reaches them (`pbx::route`), and they log
//! in from this machine alone (`sip::endpoint::Account`).

pub mod client;
mod concealed;
mod file;

use std::path::PathBuf;

use anyhow::{Context, Result};
use model::config::{CallerId, Configuration, Extension};
use model::control::Reply;
use model::{Codec, DialPlan, ExtensionId, ExtensionNumber, Secret, SrtpPolicy};
use tracing::{info, warn};

pub use concealed::{Concealed, calls, is_seen, registrations};

/// Digest user names of the phones, the caller's first. No configured extension can have them:
/// `Configuration::check` takes no tilde.
const USERNAMES: [&str; 2] = ["~self-call-1", "~self-call-2"];

/// Where numbers are looked for: of the longest that an extension can have the last 100,000, five times as
/// many as there are extensions.
const FIRST_NUMBER: &str = "9999999999900000";

/// The hidden extensions, as they are in force.
#[derive(Debug)]
pub struct SelfCall {
    path: Option<PathBuf>,
    /// None where there is no file; else the two, or why there are none.
    phones: Option<Result<[Extension; 2], String>>,
}

impl SelfCall {
    /// None yet; `path` is the file's.
    pub const fn new(path: Option<PathBuf>) -> Self {
        Self { path, phones: None }
    }

    /// Looks for the file, and chooses the numbers for this configuration. True where something has
    /// changed.
    pub fn look(&mut self, configuration: &Configuration) -> bool {
        let phones = self.path.as_deref().and_then(|path| {
            let password = file::read(path).transpose()?;
            let phones = password.and_then(|password| extensions(configuration, &password));
            Some(phones.map_err(|error| format!("{error:#}")))
        });
        let changed = phones != self.phones;
        if changed {
            match &phones {
                None => info!("the exchange does not call itself any more"),
                Some(Ok(_)) => info!("the exchange may call itself"),
                Some(Err(why)) => warn!("the exchange can't call itself: {why}"),
            }
            self.phones = phones;
        }
        changed
    }

    /// Adds them to a configuration on its way to the switch.
    pub fn add_to(&self, configuration: &mut Configuration) {
        if let Some(Ok(phones)) = &self.phones {
            configuration.extensions.extend_from_slice(phones);
        }
    }

    /// Their numbers, for the phones.
    pub fn reply(&self) -> Reply {
        match &self.phones {
            None => Reply::NotFound,
            Some(Ok(phones)) => Reply::SelfCall {
                numbers: phones.each_ref().map(|phone| phone.number.clone()),
            },
            Some(Err(why)) => Reply::Failed { text: why.clone() },
        }
    }
}

/// The two for a configuration.
fn extensions(configuration: &Configuration, password: &Secret) -> Result<[Extension; 2]> {
    let [caller, called] = numbers(configuration).context("no number is free")?;
    let extension = |index: usize, number| Extension {
        id: ExtensionId::HIDDEN[index],
        number,
        description: String::new(),
        user: None,
        caller_name: None,
        caller_id: CallerId::Own,
        enabled: true,
        sip_username: USERNAMES[index].into(),
        sip_password: password.clone(),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        srtp: SrtpPolicy::Off,
        permission_group: None,
    };
    Ok([extension(0, caller), extension(1, called)])
}

/// Two numbers that the dial plan has not.
fn numbers(configuration: &Configuration) -> Option<[ExtensionNumber; 2]> {
    let plan = DialPlan::build(configuration).ok()?;
    let first = plan.first_unused(&FIRST_NUMBER.parse().ok()?)?;
    let after: u64 = first.as_str().parse().ok()?;
    let second = plan.first_unused(&(after + 1).to_string().parse().ok()?)?;
    Some([first, second])
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn with_numbers(numbers: &[&str]) -> Configuration {
        let mut configuration = Configuration::initial();
        for (id, number) in (1..).zip(numbers) {
            configuration.extensions.push(Extension {
                id: ExtensionId::new(id),
                number: number.parse().expect("a number"),
                description: String::new(),
                user: None,
                caller_name: None,
                caller_id: CallerId::Own,
                enabled: true,
                sip_username: format!("phone{id}"),
                sip_password: Secret::new("correct-horse"),
                codecs: Codec::DEFAULT.to_vec(),
                srtp: SrtpPolicy::Off,
                permission_group: None,
            });
        }
        configuration
    }

    fn chosen(configuration: &Configuration) -> [String; 2] {
        numbers(configuration).expect("free").map(String::from)
    }

    #[test]
    fn the_numbers_are_free_and_distinct_whatever_the_dial_plan() {
        let usual = with_numbers(&["101", "102"]);
        assert_eq!(chosen(&usual), ["9999999999900000", "9999999999900001"]);
        assert_eq!(chosen(&usual), chosen(&usual), "always the same");
        let first = with_numbers(&["9999999999900000"]);
        assert_eq!(chosen(&first), ["9999999999900001", "9999999999900002"]);
        let between = with_numbers(&["9999999999900001"]);
        assert_eq!(chosen(&between), ["9999999999900000", "9999999999900002"]);
    }

    #[test]
    fn the_fullest_configuration_leaves_two_numbers() {
        let all: Vec<String> = (0..model::config::limits::EXTENSIONS)
            .map(|n| (9_999_999_999_900_000 + n).to_string())
            .collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(
            chosen(&with_numbers(&all)),
            ["9999999999920000", "9999999999920001"]
        );
    }

    #[test]
    fn no_configured_extension_can_have_their_names() {
        for name in USERNAMES {
            let mut configuration = with_numbers(&["101"]);
            configuration.extensions[0].sip_username = name.into();
            assert!(!configuration.check().is_empty());
        }
    }

    #[test]
    fn they_are_there_as_long_as_the_file_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("self-call.json");
        let configuration = with_numbers(&["101"]);
        let mut self_call = SelfCall::new(Some(path.clone()));
        let added = |self_call: &SelfCall| {
            let mut configuration = configuration.clone();
            self_call.add_to(&mut configuration);
            configuration.extensions.len() - 1
        };

        assert!(!self_call.look(&configuration), "no file");
        assert_eq!((added(&self_call), self_call.reply()), (0, Reply::NotFound));

        let write = |text: &str, mode| {
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        };
        write(r#"{"password": "0123456789abcdef"}"#, 0o640);
        assert!(self_call.look(&configuration));
        assert!(!self_call.look(&configuration), "the same again");
        assert_eq!(added(&self_call), 2);
        let mut whole = configuration.clone();
        self_call.add_to(&mut whole);
        let ids: Vec<_> = whole.extensions.iter().map(|one| one.id).collect();
        assert!(ids.is_sorted() && ids[1..] == ExtensionId::HIDDEN);
        assert!(DialPlan::build(&whole).is_ok());
        assert!(matches!(self_call.reply(), Reply::SelfCall { .. }));

        write(r#"{"password": "0123456789abcdef"}"#, 0o644);
        assert!(self_call.look(&configuration));
        assert_eq!(added(&self_call), 0);
        assert!(matches!(self_call.reply(), Reply::Failed { .. }));

        fs::remove_file(&path).expect("removed");
        assert!(self_call.look(&configuration), "gone");
        assert_eq!((added(&self_call), self_call.reply()), (0, Reply::NotFound));
        assert!(!SelfCall::new(None).look(&configuration));
    }
}
