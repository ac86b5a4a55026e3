//! `pbxd` in small: registrations and calls in the journal, calls in the history.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::{
    Binding, CallId, CallRecord, Cause, Disposition, EndedBy, ExtensionId, Flow, Party, Transport,
};
use store::{HistoryFilter, Journal, LiveRecord, Store, Writer};

use crate::{Chance, now, say};

/// A log of the journal lasts some ten calls, so that kills meet snapshots.
const LOG_BYTES: u64 = 8192;

pub(crate) fn call(id: u64) -> CallRecord {
    CallRecord {
        call: CallId::new(id),
        caller: Party {
            number: "100".into(),
            name: None,
            extension: Some(ExtensionId::new(1)),
        },
        dialled: "200".into(),
        called: None,
        started: now(),
        answered: None,
        ended: now(),
        disposition: Disposition::Interrupted,
        cause: Cause::TEMPORARY_FAILURE,
        ended_by: EndedBy::Exchange,
        shown_outside: None,
        forwarded_from: None,
        brake: None,
        administrator: None,
        transferred_from: None,
        legs: Vec::new(),
    }
}

fn contact(n: u64) -> String {
    format!("sip:phone@10.0.0.{n}")
}

fn binding(n: u64, cseq: u32) -> Binding {
    Binding {
        extension: ExtensionId::new(1),
        contact: contact(n),
        instance: None,
        reg_id: None,
        path: Vec::new(),
        flow: Flow {
            transport: Transport::Udp,
            local: "10.0.0.1:5060".parse().unwrap(),
            remote: "10.0.0.7:5060".parse().unwrap(),
        },
        call_id: "a84b4c76e66710".into(),
        cseq,
        user_agent: None,
        expires: now() + std::time::Duration::from_secs(3600),
    }
}

pub(crate) fn run(dir: &Path, mut chance: Chance) {
    let store = Store::open(dir).unwrap();
    let (mut journal, found) = Journal::open_with(dir, now(), LOG_BYTES).unwrap();
    let writer = Writer::start(store.clone(), journal.stored_calls(), |_| ()).unwrap();
    let last = found.last_call_id.max(store.last_call_id().unwrap());
    let mut next = last.map_or(0, CallId::raw) + 1;
    for record in found.closed {
        writer.call(record).unwrap();
    }
    let mut open: Vec<u64> = found
        .open
        .iter()
        .map(|open| open.record.call.raw())
        .collect();
    loop {
        match chance.below(8) {
            0..2 => {
                let (n, cseq) = (
                    chance.below(8),
                    u32::try_from(chance.below(1 << 30)).unwrap(),
                );
                say(&format!("TRY bind {n} {cseq}"));
                journal
                    .append(&[LiveRecord::BindingPut(binding(n, cseq))])
                    .unwrap();
            }
            2 => {
                let n = chance.below(8);
                say(&format!("TRY unbind {n}"));
                let record = LiveRecord::BindingRemove {
                    extension: ExtensionId::new(1),
                    contact: contact(n),
                };
                journal.append(&[record]).unwrap();
            }
            3..5 => {
                say(&format!("TRY open {next}"));
                journal
                    .append(&[LiveRecord::CallOpened(call(next).into())])
                    .unwrap();
                open.push(next);
                next += 1;
            }
            _ => {
                let Some(id) = open.pop() else { continue };
                say(&format!("TRY close {id}"));
                journal.append(&[LiveRecord::CallClosed(call(id))]).unwrap();
                writer.call(call(id)).unwrap();
            }
        }
        say("ACK");
    }
}

/// What was promised.
#[derive(Clone, Default)]
pub(crate) struct Expected {
    bindings: BTreeMap<String, u32>,
    open: BTreeSet<u64>,
    closed: BTreeSet<u64>,
}

impl Expected {
    pub(crate) fn check(&mut self, dir: &Path, done: &[String], tried: Option<&str>) {
        for line in done {
            self.apply(line);
        }
        let store = Store::open(dir).unwrap();
        let (_journal, found) = Journal::open_with(dir, now(), LOG_BYTES).unwrap();
        let bindings: BTreeMap<String, u32> = found
            .bindings
            .into_iter()
            .map(|binding| (binding.contact, binding.cseq))
            .collect();
        let open: BTreeSet<u64> = found
            .open
            .iter()
            .map(|open| open.record.call.raw())
            .collect();
        let history = store.history_export(HistoryFilter::default());
        let closed: BTreeSet<u64> = history
            .map(Result::unwrap)
            .chain(found.closed)
            .map(|record| record.call.raw())
            .collect();
        // What it was at when it was killed is there or isn't.
        let mut with = self.clone();
        tried.into_iter().for_each(|line| with.apply(line));
        if with.bindings == bindings && with.open == open && with.closed == closed {
            *self = with;
        }
        assert_eq!(bindings, self.bindings);
        assert_eq!(open, self.open);
        assert_eq!(closed, self.closed);
        assert_eq!(found.unknown_records, 0);
    }

    fn apply(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| -> u64 { words[at].parse().unwrap() };
        match words[0] {
            "bind" => {
                let cseq = u32::try_from(number(2)).unwrap();
                self.bindings.insert(contact(number(1)), cseq);
            }
            "unbind" => {
                self.bindings.remove(&contact(number(1)));
            }
            "open" => {
                assert!(!self.closed.contains(&number(1)), "an id given twice");
                assert!(self.open.insert(number(1)), "an id given twice");
            }
            "close" => {
                assert!(self.open.remove(&number(1)));
                self.closed.insert(number(1));
            }
            other => panic!("{other}"),
        }
    }
}
