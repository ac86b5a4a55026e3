//! What a power cut would leave, and that no call is missing in it.
//!
//! [`Disk`] keeps, beside a directory, what of it was synced: of each file the content it had when
//! its sync began, and under which names files were known when their directory's did. What was
//! never synced isn't there after the cut: the least that the kernel promises. SQLite's own syncs
//! are not seen, so a test lets it fold nothing into the database and [`Disk::cut`] checks that.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, Metadata};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use model::{
    Binding, CallId, CallRecord, Cause, Disposition, EndedBy, ExtensionId, Flow, Party, Transport,
    WallTime,
};

use crate::db::lock;
use crate::{HistoryFilter, Journal, LiveRecord, Store, Writer};

/// The directories that are watched.
static DISKS: Mutex<Vec<Arc<Disk>>> = Mutex::new(Vec::new());

/// A directory as it is on the disk.
pub(crate) struct Disk {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
struct State {
    names: BTreeMap<PathBuf, Inode>,
    contents: HashMap<Inode, Vec<u8>>,
    /// Syncs of the history.
    syncs: u64,
    /// Syncs of files of the journal.
    journal_syncs: u64,
}

/// A file whatever its name; a number that is given again differs by when.
type Inode = (u64, Option<SystemTime>);

fn inode(metadata: &Metadata) -> Inode {
    (metadata.ino(), metadata.created().ok())
}

/// What a sync that begins now will have brought to the disk.
pub(crate) struct Seen(Option<(Arc<Disk>, What)>);

enum What {
    File(PathBuf, Inode, Vec<u8>),
    Dir(PathBuf, BTreeMap<PathBuf, Inode>),
}

impl Seen {
    pub(crate) fn file(file: &File) -> Self {
        // It may be opened for writing alone, and have no name any more.
        let open = format!("/proc/self/fd/{}", file.as_raw_fd());
        let path = fs::read_link(&open).unwrap();
        Self(Disk::of(&path).map(|disk| {
            let content = fs::read(&open).unwrap();
            (
                disk,
                What::File(path, inode(&file.metadata().unwrap()), content),
            )
        }))
    }

    pub(crate) fn dir(path: &Path) -> Self {
        Self(Disk::of(path).map(|disk| (disk, What::Dir(path.to_owned(), names(path)))))
    }

    pub(crate) fn came_to_the_disk(self) {
        let Some((disk, what)) = self.0 else {
            return;
        };
        let mut state = lock(&disk.state);
        match what {
            What::File(path, inode, content) => {
                state.syncs += u64::from(path.ends_with("history.db-wal"));
                let is_journal = path.parent().is_some_and(|dir| dir.ends_with("live"));
                state.journal_syncs += u64::from(is_journal);
                state.contents.insert(inode, content);
            }
            What::Dir(dir, names) => {
                state
                    .names
                    .retain(|path, _| path.parent() != Some(dir.as_path()));
                state.names.extend(names);
            }
        }
    }
}

impl Disk {
    /// Watches a directory. What is there now counts as on the disk.
    fn watch(root: &Path) -> Arc<Self> {
        let root = root.canonicalize().unwrap();
        let mut state = State::default();
        for dir in [root.clone(), root.join("live")] {
            for (path, inode) in names(&dir) {
                state.contents.insert(inode, fs::read(&path).unwrap());
                state.names.insert(path, inode);
            }
        }
        let disk = Arc::new(Self {
            root,
            state: Mutex::new(state),
        });
        lock(&DISKS).push(Arc::clone(&disk));
        disk
    }

    fn of(path: &Path) -> Option<Arc<Self>> {
        let disks = lock(&DISKS);
        let disk = disks.iter().find(|disk| path.starts_with(&disk.root));
        disk.cloned()
    }

    /// The directory as it is when the power is cut now.
    fn cut(&self) -> tempfile::TempDir {
        let state = lock(&self.state).clone();
        let database = self.root.join("history.db");
        let known = &state.contents[&state.names[&database]];
        assert!(
            fs::read(&database).unwrap() == *known,
            "SQLite synced by itself"
        );
        let to = tempfile::tempdir().unwrap();
        fs::create_dir(to.path().join("live")).unwrap();
        for (path, inode) in state.names {
            let name = path.strip_prefix(&self.root).unwrap();
            // Shared memory is no file that is synced; a file may have a name and nothing in it.
            if !name.to_str().unwrap().ends_with("-shm") {
                let content = state.contents.get(&inode).map_or(&[][..], Vec::as_slice);
                fs::write(to.path().join(name), content).unwrap();
            }
        }
        to
    }

    fn syncs(&self) -> u64 {
        lock(&self.state).syncs
    }

    fn journal_syncs(&self) -> u64 {
        lock(&self.state).journal_syncs
    }
}

fn names(dir: &Path) -> BTreeMap<PathBuf, Inode> {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries
        // One that is removed meanwhile has no name any more.
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .filter(|(_, metadata)| metadata.is_file())
        .map(|(path, metadata)| (path, inode(&metadata)))
        .collect()
}

fn now() -> WallTime {
    WallTime::from_unix_seconds(1_800_000_000)
}

fn call(id: u64) -> CallRecord {
    CallRecord {
        call: CallId::new(id),
        caller: Party {
            number: "100".into(),
            name: None,
            extension: None,
        },
        dialled: id.to_string(),
        called: None,
        started: now(),
        answered: None,
        ended: now(),
        disposition: Disposition::Cancelled,
        cause: Cause::NORMAL_CALL_CLEARING,
        ended_by: EndedBy::Caller,
        shown_outside: None,
        forwarded_from: None,
        brake: None,
        administrator: None,
        transferred_from: None,
        legs: Vec::new(),
    }
}

fn binding(contact: &str) -> Binding {
    Binding {
        extension: ExtensionId::new(1),
        contact: contact.into(),
        instance: None,
        reg_id: None,
        path: Vec::new(),
        flow: Flow {
            transport: Transport::Udp,
            local: "10.0.0.1:5060".parse().unwrap(),
            remote: "10.0.0.7:5060".parse().unwrap(),
        },
        call_id: "1".into(),
        cseq: 1,
        user_agent: None,
        expires: now() + LONG,
    }
}

/// A data directory, watched, where SQLite folds nothing into the database.
struct World {
    _dir: tempfile::TempDir,
    disk: Arc<Disk>,
    journal: Journal,
    store: Store,
    writer: Writer,
}

const LONG: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// So short that the journal goes on in a new file every hundred calls.
const LOG_BYTES: u64 = 16 * 1024;

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store.inner.history.never_fold().unwrap();
        let (journal, _) = Journal::open_with(dir.path(), now(), LOG_BYTES).unwrap();
        let disk = Disk::watch(dir.path());
        let writer = Writer::start(store.clone(), journal.stored_calls(), |_| ()).unwrap();
        Self {
            _dir: dir,
            disk,
            journal,
            store,
            writer,
        }
    }

    fn close(&mut self, id: u64) {
        let closed = LiveRecord::CallClosed(call(id));
        self.journal.append(&[closed]).unwrap();
        self.writer.call(call(id)).unwrap();
    }

    /// The power is cut; which calls does the next start know?
    fn known_after_a_cut(&self) -> Vec<u64> {
        let dir = self.disk.cut();
        let store = Store::open(dir.path()).unwrap();
        let (_journal, found) = Journal::open_with(dir.path(), now(), LOG_BYTES).unwrap();
        let history = store.history_export(HistoryFilter::default());
        let mut known: Vec<u64> = history
            .map(Result::unwrap)
            .chain(found.closed)
            .map(|record| record.call.raw())
            .collect();
        known.sort_unstable();
        known.dedup();
        known
    }
}

#[test]
fn a_power_cut_takes_no_call_that_the_journal_was_synced_with() {
    let mut world = World::new();
    let syncer = world.journal.syncer();
    let mut synced = 0;
    for id in 1..=600 {
        world.close(id);
        if id % 40 == 0 {
            // The history has them; the journal forgets them.
            assert!(world.writer.flush(LONG));
        }
        if id % 20 == 0 {
            world.journal.append(&[]).unwrap();
            syncer.sync().unwrap();
            synced = id;
        }
        if id % 7 == 0 {
            let known = world.known_after_a_cut();
            let least: Vec<u64> = (1..=synced).collect();
            assert!(known.starts_with(&least), "{known:?} of {synced}");
        }
    }
    assert!(world.writer.flush(LONG));
    world.journal.append(&[]).unwrap();
    assert_eq!(world.journal.unstored(), []);
}

#[test]
fn a_call_is_forgotten_by_the_journal_only_when_the_history_was_synced() {
    let mut world = World::new();
    let syncs = world.disk.syncs();
    world.close(1);
    while world
        .store
        .history_count(&HistoryFilter::default())
        .unwrap()
        == 0
    {
        std::thread::yield_now();
    }
    // In the history, which waits for the disk: the journal has it still.
    world.journal.append(&[]).unwrap();
    assert_eq!(world.disk.syncs(), syncs);
    assert_eq!(world.journal.unstored().len(), 1);
    world.journal.syncer().sync().unwrap();
    assert_eq!(world.known_after_a_cut(), [1]);
    assert!(world.writer.flush(LONG));
    world.journal.append(&[]).unwrap();
    assert_eq!(world.journal.unstored(), []);
    world.journal.syncer().sync().unwrap();
    assert_eq!(world.known_after_a_cut(), [1]);
    assert_eq!(world.disk.syncs(), syncs + 1);
}

#[test]
fn an_idle_journal_is_not_synced() {
    let mut world = World::new();
    let syncer = world.journal.syncer();
    syncer.sync().unwrap();
    for id in 1..=2 {
        let syncs = world.disk.journal_syncs();
        syncer.sync().unwrap();
        assert_eq!(world.disk.journal_syncs(), syncs);
        world.close(id);
        for _ in 0..3 {
            syncer.sync().unwrap();
        }
        assert_eq!(world.disk.journal_syncs(), syncs + 1);
    }
}

#[test]
fn registrations_that_go_on_wait_for_company() {
    let mut world = World::new();
    let syncer = world.journal.syncer();
    let put = |journal: &mut Journal, contact: &str| {
        let binding = LiveRecord::BindingPut(binding(contact));
        journal.append(&[binding]).unwrap();
        let syncs = world.disk.journal_syncs();
        syncer.sync_what_is_new().unwrap();
        world.disk.journal_syncs() - syncs
    };
    assert_eq!(put(&mut world.journal, "sip:one"), 1, "a new one");
    assert_eq!(put(&mut world.journal, "sip:one"), 0, "it goes on");
    assert_eq!(put(&mut world.journal, "sip:two"), 1, "another phone");
    assert_eq!(put(&mut world.journal, "sip:two"), 0);
    let syncs = world.disk.journal_syncs();
    syncer.sync().unwrap();
    assert_eq!(world.disk.journal_syncs(), syncs + 1);
    let gone = LiveRecord::BindingRemove {
        extension: ExtensionId::new(1),
        contact: "sip:one".into(),
    };
    world.journal.append(&[gone]).unwrap();
    syncer.sync_what_is_new().unwrap();
    assert_eq!(world.disk.journal_syncs(), syncs + 2);
}

#[test]
fn a_registration_that_changes_does_not_wait_for_the_disk() {
    let mut world = World::new();
    let syncer = world.journal.syncer();
    let mut put = |change: fn(&mut Binding)| {
        let mut new = binding("sip:one");
        change(&mut new);
        let before = world.disk.journal_syncs();
        world
            .journal
            .append(&[LiveRecord::BindingPut(new)])
            .unwrap();
        syncer.sync_what_is_new().unwrap();
        world.disk.journal_syncs() - before
    };
    assert_eq!(put(|_| ()), 1, "a new one");
    assert_eq!(put(|new| new.cseq += 1), 0, "it goes on");
    assert_eq!(put(|new| new.expires = new.expires + HOUR), 0, "it goes on");
    assert_eq!(put(|_| ()), 0, "for as long as before");
    let longer = |new: &mut Binding| new.expires = new.expires + HOUR + LONG;
    assert_eq!(put(longer), 1, "for much longer");
    assert_eq!(put(|_| ()), 1, "for much shorter");
    let moved = |new: &mut Binding| new.flow.remote.set_port(5070);
    assert_eq!(put(moved), 1, "from another port");
    assert_eq!(put(moved), 0, "from there");
}

#[test]
fn many_calls_share_one_sync() {
    let mut world = World::new();
    let (start, syncs) = (Instant::now(), world.disk.syncs());
    for id in 1..=2000 {
        world.close(id);
    }
    assert!(world.writer.flush(LONG));
    let syncs = world.disk.syncs() - syncs;
    // One at 1,024 calls, one because somebody waits, and what time alone brings.
    let most = 2 + start.elapsed().as_secs() / 30;
    assert!((1..=most).contains(&syncs), "{syncs}");
}
