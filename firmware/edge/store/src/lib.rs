//! The only SQL: configuration, sessions, logs, call history; and the live journal, which is none.
//!
//! Two processes use one data directory at once: `webd` edits, `pbxd` reads and appends. Either may
//! be killed at any moment, and what was answered before is there after: [`Store::change`] and the
//! sessions even over a power cut, calls as far as the journal was synced then.
//!
//! | file | holds | safe against |
//! |---|---|---|
//! | `config.db` | users, extensions, sessions, Config log | kill and power cut |
//! | `history.db` | calls, Security, Warning and Error log, endings of processes | kill; what a power cut takes of its calls is in the journal |
//! | `*.schema-N`, `*.newer-N`, `*.older-N` | a database as other versions of the software know it | – |
//! | `reserve` | nothing: room for when the disk is full | – |
//! | `live/` | the [`Journal`]: registrations and calls under way | kill; the last seconds may go with the power |
//!
//! Nothing here reads a clock: each call that needs the time is given it. Every call may wait for
//! the disk, so asynchronous code makes them on a thread for blocking work. [`Store`] is cheap to
//! clone and may be used from many threads.

mod config;
mod copies;
mod db;
mod disk;
mod ending;
mod error;
mod history;
mod journal;
mod log;
mod reserve;
mod rights;
mod session;
mod store;
mod word;
mod writer;

pub use config::{
    Author, Changed, Credentials, Expected, Item, ItemId, NewExtension, NewUser, Operation,
    Orphans, Revisions, Snapshot,
};
pub use ending::Ended;
pub use error::{Blame, ChangeError, StoreError};
pub use history::{
    HistoryExport, HistoryFilter, HistoryQuery, HistorySort, HistoryStatistics, NumberFilter,
};
pub use journal::{Journal, JournalError, LiveRecord, Recovered, StoredCalls, Syncer};
pub use log::{LogKind, LogQuery, LogRow};
pub use session::{NewSession, Session};
pub use store::{Limits, Store};
pub use writer::{Refused, Writer};
