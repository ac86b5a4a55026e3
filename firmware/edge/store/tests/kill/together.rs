//! Several processes open a directory that isn't there yet, and change it at once.

use std::path::Path;

use model::{Language, Role};
use store::{Author, Expected, LogKind, LogQuery, NewUser, Operation, Store};

use crate::{Victim, check_databases, now, say};

const PROCESSES: u64 = 4;
const CHANGES: u64 = 10;

pub(crate) fn run(dir: &Path) {
    let store = Store::open(dir).unwrap();
    let author = Author {
        name: "Admin".into(),
        host: "127.0.0.1".into(),
    };
    for n in 0..CHANGES {
        let name = format!("user-{}-{n}", std::process::id());
        say(&format!("TRY {name}"));
        let user = NewUser {
            name,
            full_name: String::new(),
            email: None,
            language: Language::En,
            role: Role::User,
            enabled: true,
            password_hash: None,
        };
        let operation = Operation::AddUser(user);
        store
            .change(now(), &author, Expected::Anything, operation)
            .unwrap();
        store.log_append(LogKind::Security, now(), "a row").unwrap();
        say("ACK");
    }
}

#[test]
fn processes_that_start_at_once_don_t_meet_in_anger() {
    for round in 0..5 {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("var/data");
        let all: Vec<Victim> = (0..PROCESSES)
            .map(|_| Victim::start("together", &data, round))
            .collect();
        let mut names: Vec<String> = all.into_iter().flat_map(Victim::finish).collect();
        let store = Store::open(&data).unwrap();
        let configuration = store.load().unwrap();
        assert_eq!(configuration.version.raw(), PROCESSES * CHANGES);
        let mut found: Vec<String> = configuration
            .users
            .into_iter()
            .skip(1)
            .map(|user| user.name)
            .collect();
        names.sort();
        found.sort();
        assert_eq!(found, names);
        for kind in [LogKind::Config, LogKind::Security] {
            let rows = store.log_query(kind, &LogQuery::default()).unwrap();
            assert_eq!(rows.len() as u64, PROCESSES * CHANGES);
        }
        drop(store);
        check_databases(&data);
    }
}
