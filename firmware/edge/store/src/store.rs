//! The data directory, opened.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::db::{Database, DirLock, Schema, lock};
use crate::{Snapshot, StoreError, reserve};

const CONFIG: Schema = Schema {
    file: "config.db",
    synchronous: "FULL",
    steps: &[
        include_str!("migrations/config_1.sql"),
        include_str!("migrations/config_2.sql"),
        include_str!("migrations/config_3.sql"),
        include_str!("migrations/config_4.sql"),
        include_str!("migrations/config_5.sql"),
        include_str!("migrations/config_6.sql"),
        include_str!("migrations/config_7.sql"),
        include_str!("migrations/config_8.sql"),
        include_str!("migrations/config_9.sql"),
        include_str!("migrations/config_10.sql"),
    ],
    revision: "SELECT version * 2 + first_password_set FROM meta",
    expendable: None,
};

const HISTORY: Schema = Schema {
    file: "history.db",
    synchronous: "NORMAL",
    steps: &[
        include_str!("migrations/history_1.sql"),
        include_str!("migrations/history_2.sql"),
        include_str!("migrations/history_3.sql"),
        include_str!("migrations/history_4.sql"),
        include_str!("migrations/history_5.sql"),
        include_str!("migrations/history_6.sql"),
    ],
    revision: "SELECT coalesce(max(id), 0) FROM calls",
    // Where rows are appended, in each of its trees.
    expendable: Some(
        "SELECT (SELECT last_call FROM meta), (SELECT max(id) FROM calls), \
         (SELECT max(started) FROM calls), (SELECT max(call) FROM call_legs), \
         (SELECT max(id) FROM security_log), (SELECT max(id) FROM warning_log), \
         (SELECT max(id) FROM error_log), (SELECT max(at) FROM endings)",
    ),
};

/// The databases of one data directory. Cheap to clone; may be used from many threads and processes.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) dir: PathBuf,
    /// What has to outlive a power cut.
    pub(crate) config: Database,
    /// What grows with the traffic. The logs that strangers fill are here too, so that a flood of
    /// failed logins neither waits for the disk nor keeps an administrator's change waiting.
    pub(crate) history: Database,
    /// The configuration after this process's last change: good as long as its version is the one
    /// in the database.
    pub(crate) cache: Mutex<Option<Snapshot>>,
    /// Calls in the history, where they were counted.
    pub(crate) calls: Mutex<Option<u64>>,
    pub(crate) limits: Limits,
}

/// How much is kept; the oldest goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls in the history.
    pub history_calls: u64,
    /// Rows in each log.
    pub log_rows: u32,
}

impl Default for Limits {
    /// Some 600 MB together: a tenth of the smallest card.
    fn default() -> Self {
        Self {
            history_calls: 1_000_000,
            log_rows: 100_000,
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the data directory; makes it and what is in it where there is none, for its owner only,
    /// and brings older databases up to this version. After a downgrade it goes on with the
    /// databases as they were before the upgrade.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`] after a downgrade to software that was never there before, [`StoreError::OpenToAll`] for a directory such as
    /// `/tmp`; else what the disk says.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        Self::open_with(dir, Limits::default())
    }

    /// [`Store::open`] with limits of one's own.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open_with(dir: &Path, limits: Limits) -> Result<Self, StoreError> {
        match Self::try_open(dir, limits) {
            // SQLite's first files need some room too, and not every lack of it is called so.
            Err(StoreError::DiskFull | StoreError::Io { .. }) if reserve::release(dir) => {
                Self::try_open(dir, limits)
            }
            done => done,
        }
    }

    fn try_open(dir: &Path, limits: Limits) -> Result<Self, StoreError> {
        let lock = DirLock::take(dir)?;
        let config = Database::open(dir, CONFIG)?;
        let history = Database::open(dir, HISTORY)?;
        lock.sync(dir)?;
        Ok(Self {
            inner: Arc::new(Inner {
                dir: dir.to_owned(),
                config,
                history,
                cache: Mutex::new(None),
                calls: Mutex::new(None),
                limits,
            }),
        })
    }
}

impl Store {
    /// Sets the history aside, which was found damaged, and goes on with an empty one: calls to come
    /// are worth more than those of before.
    pub(crate) fn history_renew(&self, why: &str) -> Result<(), StoreError> {
        let inner = &*self.inner;
        let dir_lock = DirLock::take(&inner.dir)?;
        inner.history.renew(why)?;
        *lock(&inner.calls) = None;
        dir_lock.sync(&inner.dir)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_directory_of_every_older_schema_is_brought_up() {
        for done in 1..CONFIG.steps.len() {
            let dir = tempfile::tempdir().unwrap();
            let older = Schema {
                steps: &CONFIG.steps[..done],
                ..CONFIG
            };
            Database::open(dir.path(), older).unwrap();
            let store = Store::open(dir.path()).unwrap();
            let brought_up = store.load().unwrap();
            assert_eq!(brought_up.users.len(), 1);
            assert_eq!(brought_up.general, model::config::General::default());
        }
    }

    #[test]
    fn a_damaged_history_is_set_aside_and_the_configuration_never() {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let damage = |name: &str| std::fs::write(dir.path().join(name), [0x55; 8192]).unwrap();
        damage("history.db");
        damage("history.db-wal");
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.last_call_id().unwrap(), None);
        let aside = std::fs::read(dir.path().join("history.db.damaged")).unwrap();
        assert_eq!(aside, [0x55; 8192]);
        drop(store);
        // Each time, and one is kept.
        damage("history.db");
        drop(Store::open(dir.path()).unwrap());
        damage("config.db");
        assert!(matches!(
            Store::open(dir.path()),
            Err(StoreError::Damaged(_))
        ));
    }

    #[test]
    fn a_history_damaged_past_its_first_page_is_found_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history.db");
        let store = Store::open(dir.path()).unwrap();
        store.inner.history.fold();
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096..].fill(0x55);
        std::fs::write(&path, bytes).unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.last_call_id().unwrap(), None);
        assert!(dir.path().join("history.db.damaged").exists());
    }

    /// The modes of folders and of files, where the data folder has this mode.
    fn modes(data: &Path) -> [BTreeSet<u32>; 2] {
        use std::os::unix::fs::PermissionsExt;
        let store = Store::open(data).unwrap();
        let (_journal, _) = crate::Journal::open(data, model::WallTime::default()).unwrap();
        store
            .log_append(crate::LogKind::Error, model::WallTime::default(), "a row")
            .unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let mut modes: [BTreeSet<u32>; 2] =
            [[mode(data), mode(&data.join("live"))].into(), [].into()];
        for within in [data, &data.join("live")] {
            for entry in std::fs::read_dir(within).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    modes[1].insert(mode(&path));
                }
            }
        }
        modes
    }

    #[test]
    fn only_the_owner_can_look_inside() {
        let dir = tempfile::tempdir().unwrap();
        let modes = modes(&dir.path().join("data"));
        assert_eq!(modes, [[0o700].into(), [0o600].into()]);
    }

    #[test]
    fn a_group_that_can_write_in_the_folder_can_write_all_that_is_in_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        // What was its owner's alone before becomes the group's too.
        Store::open(&data).unwrap();
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o2770)).unwrap();
        assert_eq!(modes(&data), [[0o2770].into(), [0o660].into()]);
    }

    #[test]
    fn a_directory_that_was_there_is_left_as_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let with = |mode: u32| {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(dir.path(), permissions).unwrap();
            let opened = Store::open(dir.path()).map(drop);
            let after = std::fs::metadata(dir.path()).unwrap().permissions().mode();
            assert_eq!(after & 0o7777, mode);
            opened
        };
        let refused = with(0o1777).unwrap_err();
        assert!(
            matches!(refused, StoreError::OpenToAll(_))
                && refused.to_string().contains("chmod 700"),
            "{refused}"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        for allowed in [0o755, 0o775, 0o700] {
            with(allowed).unwrap();
        }
    }
}
