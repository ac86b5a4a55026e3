//! Who stays logged in, and for how long.

use super::*;
use crate::{LogKind, LogQuery};

const IDLE: Duration = Duration::from_secs(1800);
const ABSOLUTE: Duration = Duration::from_secs(36_000);

fn at(s: i64) -> WallTime {
    WallTime::from_unix_seconds(1_800_000_000 + s)
}

fn session(token: &str) -> NewSession {
    NewSession {
        token: Secret::new(token),
        user: UserId::new(1),
        address: "127.0.0.1".into(),
        idle: IDLE,
        absolute: ABSOLUTE,
    }
}

fn look(store: &Store, s: i64, token: &str) -> Option<Session> {
    store.session_lookup(at(s), &Secret::new(token)).unwrap()
}

fn log(store: &Store) -> Vec<String> {
    let rows = store.log_query(LogKind::Config, &LogQuery::default());
    rows.unwrap().into_iter().map(|row| row.text).collect()
}

#[test]
fn a_session_is_found_by_its_token_alone() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store
        .session_create(at(0), &session("secret-token"))
        .unwrap();
    let found = look(&store, 1, "secret-token").unwrap();
    assert_eq!((found.user.name.as_str(), found.created), ("Admin", at(0)));
    assert_eq!(found.address, "127.0.0.1");
    assert_eq!(look(&store, 1, "other"), None);
    assert_eq!(log(&store), ["Admin - session opened for host 127.0.0.1"]);
    drop(store);
    let stored = std::fs::read(dir.path().join("config.db")).unwrap();
    let token = b"secret-token";
    assert!(!stored.windows(token.len()).any(|window| window == token));
}

#[test]
fn it_ends_unused_and_in_any_case() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.session_create(at(0), &session("unused")).unwrap();
    store.session_create(at(0), &session("used")).unwrap();
    for second in (1000..36_000).step_by(1000) {
        assert!(look(&store, second, "used").is_some());
    }
    assert_eq!(look(&store, 36_000, "used"), None);
    assert_eq!(look(&store, 1800, "unused"), None);
}

#[test]
fn a_look_writes_once_a_minute() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.session_create(at(0), &session("a")).unwrap();
    assert_eq!(look(&store, 59, "a").unwrap().last_seen, at(0));
    assert_eq!(look(&store, 60, "a").unwrap().last_seen, at(0));
    assert_eq!(look(&store, 61, "a").unwrap().last_seen, at(60));
    assert_eq!(look(&store, 119, "a").unwrap().last_seen, at(60));
    // The clock was set back.
    look(&store, -500, "a");
    assert_eq!(look(&store, -499, "a").unwrap().last_seen, at(-500));
}

#[test]
fn a_peek_is_no_use_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.session_create(at(0), &session("a")).unwrap();
    let peek = |s| store.session_peek(at(s), &Secret::new("a")).unwrap();
    for second in (0..1800).step_by(100) {
        assert_eq!(peek(second).unwrap().last_seen, at(0));
    }
    assert_eq!(peek(1800), None);
}

#[test]
fn it_can_be_closed_alone_with_all_of_a_user_and_when_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for token in ["a", "b", "c"] {
        store.session_create(at(0), &session(token)).unwrap();
    }
    assert!(store.session_delete(at(1), &Secret::new("a")).unwrap());
    assert!(!store.session_delete(at(1), &Secret::new("a")).unwrap());
    assert_eq!(log(&store)[0], "Admin - session closed for host 127.0.0.1");
    assert_eq!(look(&store, 2, "a"), None);
    assert_eq!(store.session_delete_all(UserId::new(1)).unwrap(), 2);
    assert_eq!(look(&store, 2, "b"), None);
    store.session_create(at(0), &session("d")).unwrap();
    store.session_create(at(1000), &session("e")).unwrap();
    assert_eq!(store.session_purge(at(1800)).unwrap(), 1);
    assert!(look(&store, 1800, "e").is_some());
}

#[test]
fn nobody_gets_one_who_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let nobody = NewSession {
        user: UserId::new(7),
        ..session("a")
    };
    let refused = store.session_create(at(0), &nobody);
    assert!(matches!(refused, Err(ChangeError::NotFound("user"))));
    assert_eq!(log(&store), [""; 0]);
}
