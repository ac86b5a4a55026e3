//! What a change does, what it refuses, and what the Config log says of it.

use std::path::Path;

use model::config::{CallerId, DigestChoice, FaultCode};

mod items;

use super::*;
use crate::{Blame, LogKind, LogQuery, NewSession};

fn now() -> WallTime {
    WallTime::from_unix_seconds(1_795_336_553)
}

fn admin() -> Author {
    Author {
        name: "Admin".into(),
        host: "10.10.10.7".into(),
    }
}

fn open(dir: &Path) -> Store {
    Store::open(dir).unwrap()
}

fn user(name: &str) -> NewUser {
    NewUser {
        name: name.into(),
        full_name: format!("{name} Someone"),
        email: None,
        language: Language::En,
        role: Role::User,
        enabled: true,
        password_hash: None,
    }
}

fn extension(number: &str) -> NewExtension {
    NewExtension {
        number: number.parse().unwrap(),
        description: String::new(),
        user: None,
        caller_name: None,
        caller_id: CallerId::Own,
        enabled: true,
        sip_username: number.into(),
        sip_password: Secret::new("correct-horse"),
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        srtp: SrtpPolicy::Off,
        permission_group: None,
    }
}

fn change(store: &Store, operation: Operation) -> Result<Changed, ChangeError> {
    store.change(now(), &admin(), Expected::Anything, operation)
}

fn add_user(store: &Store, new: NewUser) -> User {
    let id = change(store, Operation::AddUser(new)).unwrap().users[0];
    store.load().unwrap().user(id).unwrap().clone()
}

fn add_extension(store: &Store, new: NewExtension) -> Extension {
    let id = change(store, Operation::AddExtension(new))
        .unwrap()
        .extensions[0];
    store.load().unwrap().extension(id).unwrap().clone()
}

fn log(store: &Store) -> Vec<String> {
    let rows = store.log_query(LogKind::Config, &LogQuery::default());
    let mut texts: Vec<String> = rows.unwrap().into_iter().map(|row| row.text).collect();
    texts.reverse();
    texts
}

fn faults(error: ChangeError) -> (Vec<Fault>, Option<String>) {
    match error {
        ChangeError::Faults { faults, objects } => (faults, objects.into_iter().next().flatten()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_new_directory_has_the_defaults_and_the_first_account() {
    let dir = tempfile::tempdir().unwrap();
    let configuration = open(dir.path()).load().unwrap();
    assert_eq!(configuration.version, ConfigVersion::new(0));
    assert_eq!(configuration.general, General::default());
    assert_eq!(configuration.check(), []);
    let [first] = &configuration.users[..] else {
        panic!("{:?}", configuration.users)
    };
    assert_eq!(
        (first.name.as_str(), first.role),
        ("Admin", Role::ReadWrite)
    );
    assert!(first.enabled);
}

#[test]
fn what_is_added_is_there_after_opening_again_and_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let jana = add_user(&store, user("jana"));
    let mut new = extension("122");
    new.user = Some(jana.id);
    new.description = "Reception \"front\"".into();
    let added = add_extension(&store, new);
    let before = store.snapshot().unwrap();
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.snapshot().unwrap(), before);
    assert_eq!(before.configuration.version, ConfigVersion::new(2));
    assert_eq!(before.revisions.users[&jana.id], ConfigVersion::new(2));
    assert_eq!(
        before.revisions.extensions[&added.id],
        ConfigVersion::new(2)
    );
    assert_eq!(
        log(&store),
        ["Added user jana (ID=2)", "Added extension 122 (ID=1)"]
    );
    let row = &store
        .log_query(LogKind::Config, &LogQuery::default())
        .unwrap()[0];
    assert_eq!((row.author.as_ref(), row.at), (Some(&admin()), now()));
    let by = |version| store.changed_by(ConfigVersion::new(version)).unwrap();
    assert_eq!(by(2), Some((admin(), now())));
    assert_eq!((by(0), by(3)), (None, None));
}

#[test]
fn the_log_tells_what_differs_and_keeps_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let jana = add_user(&store, user("jana"));
    let mut one = add_extension(&store, extension("122"));
    one.description = "b".into();
    one.user = Some(jana.id);
    one.caller_name = Some("Front desk".into());
    one.enabled = false;
    one.sip_password = Secret::new("battery-staple");
    one.codecs = vec![Codec::Pcmu];
    one.srtp = SrtpPolicy::Required;
    change(&store, Operation::UpdateExtension(one.clone())).unwrap();
    assert_eq!(store.load().unwrap().extensions, [one]);
    let mut jana = jana;
    jana.email = Some("jana@example.com".into());
    jana.role = Role::ReadOnly;
    jana.language = Language::Cs;
    change(&store, Operation::UpdateUser(jana)).unwrap();
    let general = General {
        no_answer_s: 30,
        digest: DigestChoice::Sha256ThenMd5,
        ..General::default()
    };
    change(&store, Operation::UpdateGeneral(general)).unwrap();
    assert_eq!(
        log(&store)[2..],
        [
            r#"Changed extension 122 (ID=1): description "" -> "b", user none -> "jana", caller name none -> "Front desk", enabled -> disabled, SIP password changed, codecs PCMA PCMU -> PCMU, SRTP off -> required"#,
            r#"Changed user jana (ID=2): e-mail none -> "jana@example.com", language English -> Czech, rights user -> read only"#,
            "Changed general: no answer after 60 s -> 30 s, phones prove their password by MD5 -> SHA-256 or else MD5",
        ]
    );
}

#[test]
fn what_was_so_already_is_no_change() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let one = add_extension(&store, extension("122"));
    let changed = change(&store, Operation::UpdateExtension(one)).unwrap();
    assert!(!changed.different);
    assert_eq!(changed.version, ConfigVersion::new(1));
    assert_eq!(log(&store).len(), 1);
}

#[test]
fn a_fault_leaves_nothing_behind_and_names_the_object() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    add_extension(&store, extension("122"));
    let mut taken = extension("122");
    taken.sip_username = "other".into();
    let before = (store.snapshot().unwrap(), log(&store));
    let (found, object) = faults(change(&store, Operation::AddExtension(taken)).unwrap_err());
    assert_eq!(found[0].code, FaultCode::NumberTaken);
    assert_eq!(found[0].path, "/extensions/1/number");
    assert_eq!(object.as_deref(), Some("/extensions/1"));
    assert_eq!((store.snapshot().unwrap(), log(&store)), before);
    // Nor in the memory of the process that tried.
    add_extension(&store, extension("123"));
    assert_eq!(store.load().unwrap().extensions.len(), 2);
}

#[test]
fn a_stale_revision_is_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut one = add_extension(&store, extension("122"));
    let seen = Expected::Object(ConfigVersion::new(1));
    // Another object doesn't matter.
    add_extension(&store, extension("123"));
    one.description = "first".into();
    let update = |description: &str| {
        let extension = Extension {
            description: description.into(),
            ..one.clone()
        };
        store.change(now(), &admin(), seen, Operation::UpdateExtension(extension))
    };
    assert_eq!(update("first").unwrap().version, ConfigVersion::new(3));
    let error = update("second").unwrap_err();
    assert_eq!(error.blame(), Blame::Caller);
    assert!(matches!(error, ChangeError::Conflict { current } if current.raw() == 3));
    let error = store
        .change(now(), &admin(), seen, Operation::RemoveExtension(one.id))
        .unwrap_err();
    assert!(matches!(error, ChangeError::Conflict { .. }));
    let whole = Expected::Configuration(ConfigVersion::new(2));
    let error = store
        .change(now(), &admin(), whole, Operation::AddUser(user("jana")))
        .unwrap_err();
    assert!(matches!(error, ChangeError::Conflict { current } if current.raw() == 3));
    assert_eq!(store.load().unwrap().extensions[0].description, "first");
}

#[test]
fn what_is_gone_is_not_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let one = add_extension(&store, extension("122"));
    change(&store, Operation::RemoveExtension(one.id)).unwrap();
    for operation in [
        Operation::UpdateExtension(one.clone()),
        Operation::RemoveExtension(one.id),
        Operation::RemoveUser {
            user: UserId::new(99),
            extensions: Orphans::Detach,
        },
    ] {
        let error = change(&store, operation).unwrap_err();
        assert!(matches!(error, ChangeError::NotFound(_)), "{error}");
    }
}

#[test]
fn numbers_that_were_used_before_are_known() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let one = add_extension(&store, extension("101"));
    let two = add_extension(&store, extension("102"));
    assert!(store.former_numbers().unwrap().is_empty());
    change(&store, Operation::RemoveExtension(one.id)).unwrap();
    let moved = Extension {
        number: "110".parse().unwrap(),
        ..two
    };
    change(&store, Operation::UpdateExtension(moved.clone())).unwrap();
    let described = Extension {
        description: "Attic".into(),
        ..moved
    };
    change(&store, Operation::UpdateExtension(described)).unwrap();
    let former = store.former_numbers().unwrap();
    let former: Vec<&str> = former.iter().map(|number| number.as_str()).collect();
    assert_eq!(former, ["101", "102"]);
}

#[test]
fn an_id_is_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let one = add_extension(&store, extension("122"));
    let jana = add_user(&store, user("jana"));
    change(&store, Operation::RemoveExtension(one.id)).unwrap();
    let remove = Operation::RemoveUser {
        user: jana.id,
        extensions: Orphans::Detach,
    };
    change(&store, remove).unwrap();
    drop(store);
    let store = open(dir.path());
    assert!(add_extension(&store, extension("122")).id > one.id);
    assert!(add_user(&store, user("jana")).id > jana.id);
}

#[test]
fn removing_a_user_says_what_becomes_of_the_extensions() {
    for (what, left, enabled) in [
        (Orphans::Detach, 3, true),
        (Orphans::Disable, 3, false),
        (Orphans::Remove, 1, true),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let store = open(dir.path());
        let jana = add_user(&store, user("jana"));
        for number in ["121", "122"] {
            let mut new = extension(number);
            new.user = Some(jana.id);
            add_extension(&store, new);
        }
        add_extension(&store, extension("123"));
        let remove = Operation::RemoveUser {
            user: jana.id,
            extensions: what,
        };
        change(&store, remove).unwrap();
        let configuration = store.load().unwrap();
        assert_eq!(configuration.user(jana.id), None);
        assert_eq!(configuration.extensions.len(), left);
        for extension in &configuration.extensions {
            assert_eq!(extension.user, None);
            let own = extension.number.as_str() != "123";
            assert_eq!(extension.enabled, !own || enabled);
        }
        assert_eq!(log(&store).last().unwrap(), "Removed user jana (ID=2)");
        assert_eq!(log(&store).len(), 4 + 3);
    }
}

#[test]
fn several_changes_are_one_version_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let first = add_extension(&store, extension("121"));
    let second = add_extension(&store, extension("122"));
    let all = |operations| store.change_all(now(), &admin(), Expected::Anything, operations);
    // Two objects can swap what is unique.
    let swapped = all(vec![
        Operation::UpdateExtension(Extension {
            number: second.number.clone(),
            sip_username: second.sip_username.clone(),
            ..first.clone()
        }),
        Operation::UpdateExtension(Extension {
            number: first.number,
            sip_username: first.sip_username,
            ..second.clone()
        }),
        Operation::AddExtension(extension("123")),
    ])
    .unwrap();
    assert_eq!(swapped.version, ConfigVersion::new(3));
    let before = store.snapshot().unwrap();
    assert_eq!(before.configuration.extensions[0].number, second.number);
    let refused = all(vec![
        Operation::AddExtension(extension("124")),
        Operation::AddExtension(extension("124")),
    ]);
    assert!(refused.is_err());
    assert_eq!(store.snapshot().unwrap(), before);
}

#[test]
fn the_first_password_is_set_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    assert!(store.needs_first_password().unwrap());
    let set: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let dir = dir.path();
                scope.spawn(move || {
                    let store = Store::open(dir).unwrap();
                    let hash = Secret::new(format!("$argon2id${n}"));
                    store
                        .set_first_password(now(), "10.0.0.1", &hash)
                        .map(|_| hash)
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let won: Vec<&Secret> = set
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .collect();
    assert_eq!(won.len(), 1);
    for lost in set.iter().filter_map(|result| result.as_ref().err()) {
        assert!(matches!(lost, ChangeError::AlreadySet), "{lost}");
    }
    assert!(!store.needs_first_password().unwrap());
    let found = store.credentials("aDMIN").unwrap().unwrap();
    assert_eq!(found.hash.as_ref(), Some(won[0]));
    assert_eq!(found.user.name, "Admin");
    assert_eq!(log(&store), ["Changed user Admin (ID=1): password changed"]);
    assert_eq!(store.credentials("nobody").unwrap(), None);
}

#[test]
fn a_first_password_that_is_forgotten_is_set_anew() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let console = Author {
        name: "console".into(),
        host: "localhost".into(),
    };
    // Where it was never set nothing has to be forgotten.
    store.forget_first_password(now(), &console).unwrap();
    assert!(log(&store).is_empty());
    let set = |hash: &str| store.set_first_password(now(), "10.0.0.1", &Secret::new(hash));
    let admin = set("$argon2id$1").unwrap();
    let token = Secret::new("a token");
    let session = NewSession {
        token: token.clone(),
        user: admin,
        address: "10.0.0.1".into(),
        idle: core::time::Duration::from_secs(900),
        absolute: core::time::Duration::from_secs(3600),
    };
    store.session_create(now(), &session).unwrap();
    let is_open = || store.session_peek(now(), &token).unwrap().is_some();
    assert!(is_open());
    for _ in 0..2 {
        store.forget_first_password(now(), &console).unwrap();
        assert!(store.needs_first_password().unwrap());
        assert_eq!(store.credentials("Admin").unwrap().unwrap().hash, None);
        assert!(!is_open());
    }
    let rows = store
        .log_query(LogKind::Config, &LogQuery::default())
        .unwrap();
    let by_console: Vec<&str> = rows
        .iter()
        .filter(|row| row.author.as_ref() == Some(&console))
        .map(|row| row.text.as_str())
        .collect();
    assert_eq!(by_console, ["Changed user Admin (ID=1): password removed"]);
    assert_eq!(set("$argon2id$2").unwrap(), admin);
    assert!(matches!(set("$argon2id$3"), Err(ChangeError::AlreadySet)));
}

#[test]
fn somebody_who_can_log_in_and_change_things_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store
        .set_first_password(now(), "10.0.0.1", &Secret::new("$argon2id$x"))
        .unwrap();
    let first = store.load().unwrap().users[0].clone();
    let ways = || {
        [
            Operation::RemoveUser {
                user: first.id,
                extensions: Orphans::Detach,
            },
            Operation::UpdateUser(User {
                enabled: false,
                ..first.clone()
            }),
            Operation::UpdateUser(User {
                role: Role::ReadOnly,
                ..first.clone()
            }),
            Operation::SetUserPassword {
                user: first.id,
                hash: None,
                keep_session: None,
            },
        ]
    };
    let refuse_all = || {
        for operation in ways() {
            let (found, _) = faults(change(&store, operation).unwrap_err());
            assert_eq!(found[0].code, FaultCode::LastAdministrator);
        }
    };
    refuse_all();
    // One without a password can't log in.
    let mut second = user("second");
    second.role = Role::ReadWrite;
    let second = add_user(&store, second);
    refuse_all();
    let password = Operation::SetUserPassword {
        user: second.id,
        hash: Some(Secret::new("$argon2id$y")),
        keep_session: None,
    };
    change(&store, password).unwrap();
    for operation in ways().into_iter().skip(1).take(1) {
        change(&store, operation).unwrap();
    }
}

#[test]
fn a_password_ends_other_sessions_and_disabling_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let jana = add_user(&store, user("jana"));
    let session = |token: &str| NewSession {
        token: Secret::new(token),
        user: jana.id,
        address: "10.0.0.1".into(),
        idle: std::time::Duration::from_secs(1800),
        absolute: std::time::Duration::from_secs(86400),
    };
    let is_open = |token: &str| {
        let found = store.session_lookup(now(), &Secret::new(token)).unwrap();
        found.is_some()
    };
    store.session_create(now(), &session("a")).unwrap();
    store.session_create(now(), &session("b")).unwrap();
    let operation = Operation::SetUserPassword {
        user: jana.id,
        hash: Some(Secret::new("$argon2id$z")),
        keep_session: Some(Secret::new("a")),
    };
    change(&store, operation).unwrap();
    assert!(is_open("a"));
    assert!(!is_open("b"));
    let snapshot = store.snapshot().unwrap();
    assert_eq!(snapshot.with_password, BTreeSet::from([jana.id]));
    let revision = snapshot.revisions.users[&jana.id];
    assert_eq!(
        revision,
        ConfigVersion::new(1),
        "a password isn't part of it"
    );
    let disabled = User {
        enabled: false,
        ..jana.clone()
    };
    change(&store, Operation::UpdateUser(disabled)).unwrap();
    change(&store, Operation::UpdateUser(jana.clone())).unwrap();
    assert!(!is_open("a"), "it stays closed");
}

#[test]
fn a_user_may_be_added_with_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut new = user("jana");
    new.password_hash = Some(Secret::new("$argon2id$j"));
    add_user(&store, new);
    let found = store.credentials("jana").unwrap().unwrap();
    assert_eq!(found.hash, Some(Secret::new("$argon2id$j")));
    assert_eq!(log(&store), ["Added user jana (ID=2)"]);
}

#[test]
fn stores_on_one_directory_see_each_others_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (open(dir.path()), open(dir.path()));
    for n in 0..10 {
        let store = if n % 2 == 0 { &a } else { &b };
        add_extension(store, extension(&format!("{}", 100 + n)));
    }
    assert_eq!(a.snapshot().unwrap(), b.snapshot().unwrap());
    assert_eq!(a.version().unwrap(), ConfigVersion::new(10));
}
