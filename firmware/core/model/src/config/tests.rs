use super::*;
use crate::{DialTarget, Number};

pub(super) fn extension(id: u32, number: &str) -> Extension {
    Extension {
        id: ExtensionId::new(id),
        number: number.parse().expect("digits"),
        description: String::new(),
        user: None,
        caller_name: None,
        caller_id: CallerId::Own,
        enabled: true,
        sip_username: number.into(),
        sip_password: Secret::new("correct-horse"),
        codecs: Codec::ALL.to_vec(),
        srtp: SrtpPolicy::Off,
        permission_group: None,
    }
}

pub(super) fn user(id: u32, name: &str) -> User {
    User {
        id: UserId::new(id),
        name: name.into(),
        full_name: "Jana Nováková".into(),
        email: None,
        language: Language::Cs,
        role: Role::User,
        enabled: true,
        ringing: Ringing::default(),
    }
}

fn faults(change: impl FnOnce(&mut Configuration)) -> Vec<(String, FaultCode)> {
    let mut configuration = Configuration::initial();
    configuration.users = vec![user(1, "jana"), user(2, "petr")];
    configuration.extensions = vec![extension(1, "101"), extension(2, "102")];
    change(&mut configuration);
    configuration
        .check()
        .into_iter()
        .map(|fault| (fault.path, fault.code))
        .collect()
}

#[test]
fn a_sound_configuration_has_no_fault() {
    assert_eq!(faults(|_| ()), []);
    assert_eq!(Configuration::initial().check(), []);
}

#[test]
fn a_number_is_one_thing_only() {
    assert_eq!(
        faults(|c| c.extensions[1].number = "101".parse().expect("digits")),
        [("/extensions/1/number".into(), FaultCode::NumberTaken)]
    );
}

#[test]
fn names_are_unique_whatever_their_case() {
    assert_eq!(
        faults(|c| c.users[1].name = "Jana".into()),
        [("/users/1/name".into(), FaultCode::NameTaken)]
    );
    assert_eq!(
        faults(|c| c.users[1].name = "petr novák".into()),
        [("/users/1/name".into(), FaultCode::InvalidName)]
    );
    assert_eq!(
        faults(|c| c.extensions[1].sip_username = "101".into()),
        [("/extensions/1/sip_username".into(), FaultCode::NameTaken)]
    );
}

#[test]
fn each_field_is_held_to_its_form() {
    assert_eq!(
        faults(|c| c.users[0].email = Some("jana".into())),
        [("/users/0/email".into(), FaultCode::InvalidEmail)]
    );
    assert_eq!(
        faults(|c| c.extensions[0].user = Some(UserId::new(9))),
        [("/extensions/0/user".into(), FaultCode::UnknownReference)]
    );
    assert_eq!(
        faults(|c| c.extensions[0].sip_password = Secret::new("short")),
        [("/extensions/0/sip_password".into(), FaultCode::WeakPassword)]
    );
    assert_eq!(
        faults(|c| c.extensions[0].codecs = vec![Codec::Pcma, Codec::Pcma]),
        [("/extensions/0/codecs".into(), FaultCode::InvalidCodecs)]
    );
    assert_eq!(
        faults(|c| c.extensions[0].description = "a\nb".into()),
        [("/extensions/0/description".into(), FaultCode::InvalidText)]
    );
    for name in ["", " ", "a\nb"] {
        assert_eq!(
            faults(|c| c.extensions[0].caller_name = Some(name.into())),
            [("/extensions/0/caller_name".into(), FaultCode::InvalidText)]
        );
    }
    assert_eq!(
        faults(|c| c.extensions[0].caller_name = Some("Vrátnice".into())),
        []
    );
    assert_eq!(
        faults(|c| c.general.no_answer_s = 1),
        [("/general/no_answer_s".into(), FaultCode::OutOfRange)]
    );
}

#[test]
fn a_disabled_user_takes_the_extensions_along() {
    let mut configuration = Configuration::initial();
    configuration.users = vec![user(1, "jana")];
    configuration.extensions = vec![extension(1, "101")];
    configuration.extensions[0].user = Some(UserId::new(1));
    assert!(configuration.is_active(&configuration.extensions[0]));
    configuration.users[0].enabled = false;
    assert!(!configuration.is_active(&configuration.extensions[0]));
}

#[test]
fn the_dial_plan_finds_numbers_and_the_next_free_one() {
    let mut configuration = Configuration::initial();
    configuration.extensions = vec![
        extension(7, "101"),
        extension(8, "102"),
        extension(9, "099"),
    ];
    let plan = DialPlan::build(&configuration).expect("no number twice");
    let number = |text: &str| text.parse::<Number>().expect("a number");
    let free = |text: &str| {
        plan.first_unused(&text.parse().expect("digits"))
            .map(|number| number.to_string())
    };
    assert_eq!(
        plan.lookup(&number("102")),
        Some(DialTarget::Extension(ExtensionId::new(8)))
    );
    assert_eq!(plan.lookup(&number("103")), None);
    assert_eq!(plan.lookup(&number("+102")), None);
    assert_eq!(free("101").as_deref(), Some("103"));
    assert_eq!(free("099").as_deref(), Some("100"));
    assert_eq!(free("9").as_deref(), Some("9"));
}
