//! `webd` in small: changes, sessions and log rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use model::config::{CallerId, Extension};
use model::{Codec, Secret, SrtpPolicy, UserId};
use store::{
    Author, Expected as Seen, LogKind, LogQuery, NewExtension, NewSession, Operation, Store,
};

use crate::{Chance, now, say};

pub(crate) fn run(dir: &Path, mut chance: Chance) {
    let store = Store::open(dir).unwrap();
    let author = Author {
        name: "Admin".into(),
        host: "127.0.0.1".into(),
    };
    let change = |operation| {
        store
            .change(now(), &author, Seen::Anything, operation)
            .unwrap();
    };
    loop {
        let extensions = store.load().unwrap().extensions;
        let version = store.version().unwrap();
        let some = extensions
            .get(usize::try_from(chance.below(40)).unwrap())
            .cloned();
        match (chance.below(10), some) {
            (0..4, Some(extension)) => {
                let description = format!("changed-{}", version.raw());
                say(&format!("TRY put {} {description}", extension.number));
                change(Operation::UpdateExtension(Extension {
                    description,
                    ..extension
                }));
            }
            (4..6, Some(extension)) => {
                say(&format!("TRY del {}", extension.number));
                change(Operation::RemoveExtension(extension.id));
            }
            (8, _) => {
                let token = format!("token-{}", chance.below(1 << 30));
                say(&format!("TRY session {token}"));
                let session = NewSession {
                    token: Secret::new(token),
                    user: UserId::new(1),
                    address: "127.0.0.1".into(),
                    idle: Duration::from_secs(1800),
                    absolute: Duration::from_secs(36_000),
                };
                store.session_create(now(), &session).unwrap();
            }
            (9, _) => {
                let text = format!("row-{}", chance.below(1 << 30));
                say(&format!("TRY log {text}"));
                store.log_append(LogKind::Security, now(), &text).unwrap();
            }
            _ => {
                let number = (1_000_000 + version.raw()).to_string();
                say(&format!("TRY put {number} new"));
                change(Operation::AddExtension(NewExtension {
                    number: number.parse().unwrap(),
                    description: "new".into(),
                    user: None,
                    caller_name: None,
                    caller_id: CallerId::Own,
                    enabled: true,
                    sip_username: number,
                    sip_password: Secret::new("correct-horse"),
                    codecs: vec![Codec::Pcma],
                    srtp: SrtpPolicy::Off,
                    permission_group: None,
                }));
            }
        }
        say("ACK");
    }
}

/// Descriptions by number, as promised.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Expected {
    extensions: BTreeMap<String, String>,
    changes: u64,
}

impl Expected {
    /// Compares with what is there. What the process was at when it was killed is there or isn't,
    /// but not in part; while another process has the database open, it may also come to light
    /// only at the next start, when the write-ahead log is read anew.
    pub(crate) fn check(&mut self, dir: &Path, done: &[String], tried: Option<&str>) {
        let store = Store::open(dir).unwrap();
        for line in done {
            self.apply(line);
            match line.split_once(' ').unwrap() {
                ("session", token) => {
                    let found = store.session_lookup(now(), &Secret::new(token)).unwrap();
                    assert!(found.is_some(), "{line}");
                }
                ("log", text) => {
                    let query = LogQuery {
                        contains: Some(text.into()),
                        ..LogQuery::default()
                    };
                    let rows = store.log_query(LogKind::Security, &query).unwrap();
                    assert_eq!(rows.len(), 1, "{line}");
                }
                _ => {}
            }
        }
        self.settle(&store, tried);
    }

    /// The same once more, where nobody has it open; from here on, what is there stays.
    pub(crate) fn check_alone(&mut self, dir: &Path, tried: Option<&str>) {
        if let Some(found) = self.settle(&Store::open(dir).unwrap(), tried) {
            *self = found;
        }
    }

    /// What is there, where it is with what was tried.
    fn settle(&self, store: &Store, tried: Option<&str>) -> Option<Self> {
        let configuration = store.load().unwrap();
        assert_eq!(configuration.check(), []);
        let found = Self {
            changes: configuration.version.raw(),
            extensions: configuration
                .extensions
                .into_iter()
                .map(|extension| (extension.number.into(), extension.description))
                .collect(),
        };
        let rows = LogQuery {
            contains: Some("d extension ".into()),
            limit: u32::MAX,
            ..LogQuery::default()
        };
        let rows = store.log_query(LogKind::Config, &rows).unwrap();
        assert_eq!(rows.len() as u64, found.changes, "one row a change");
        if found == *self {
            return None;
        }
        let mut with = self.clone();
        tried.into_iter().for_each(|line| with.apply(line));
        assert_eq!(found, with);
        Some(with)
    }

    fn apply(&mut self, line: &str) {
        let mut words = line.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("put"), Some(number), Some(description)) => {
                self.extensions.insert(number.into(), description.into());
                self.changes += 1;
            }
            (Some("del"), Some(number), None) => {
                self.extensions.remove(number).unwrap();
                self.changes += 1;
            }
            (Some("session" | "log"), Some(_), None) => {}
            _ => panic!("{line}"),
        }
    }
}
