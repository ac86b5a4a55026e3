//! The machine below the services: file systems, the kernel's log, the data, the end.

use std::convert::Infallible;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::reboot::{RebootMode, reboot, set_cad_enabled};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Group, Pid, User, dup2_stderr, dup2_stdin, dup2_stdout, sync};
use platform::board::{Board, Shutdown};
use platform::card::{self, Card, Start};
use tracing::{error, info, warn};

use super::watchdog::Watchdog;
use crate::system::proof;

/// Where data is, on the card or in memory.
pub const DATA: &str = "/data";

/// Sockets and what else doesn't outlive the machine's run.
pub const RUN: &str = "/run/operator-box";

/// The folders of the data that are root's, each behind the one it is in, and their modes: those who may
/// write in the data folder must not be able to put others in their place.
const HELD: [(&str, u32); 4] = [
    ("/data/run", 0o2770),
    ("/data/run/endings", 0o2770),
    SYSTEM,
    ("/data/upload", 0o2770),
];

/// What the machine is told there, no service may write.
const SYSTEM: (&str, u32) = ("/data/system", 0o2750);

/// The group of everything that the services share.
const GROUP: &str = "exchange";

/// Processes that are killed are gone at once, unless they wait for a disk that does not answer.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// How long a check of the data may take: a full card of 16 GB is checked in a minute.
const CHECK_WITHIN: Duration = Duration::from_secs(600);

/// How long a card may take to write what waits in memory: 400 MB at the 5 MB/s of an old one, and as much again.
const AT_REST_WITHIN: Duration = Duration::from_secs(160);

/// Where the card's data is while what can be read of it is saved.
const CARD: &str = "/run/card";

/// How long that may take: a disk that fails answers each question late.
const SAVED_WITHIN: Duration = Duration::from_secs(60);

/// Whoever writes what must outlive a power cut brings it to the card; the rest needs no write of its own
/// each five seconds.
const DATA_OPTIONS: &str = "errors=remount-ro,commit=30";

/// What is mounted before anything else: where, what, with which options.
const MOUNTS: [(&str, &str, &str, MsFlags); 7] = [
    ("/proc", "proc", "", HARMLESS),
    ("/sys", "sysfs", "", HARMLESS),
    ("/dev", "devtmpfs", "mode=0755", MsFlags::MS_NOSUID),
    (
        "/dev/pts",
        "devpts",
        // The group is `tty`: a server of ssh without the rights of root can't give a terminal to it.
        "gid=5,mode=0620,ptmxmode=0666",
        MsFlags::MS_NOSUID,
    ),
    ("/dev/shm", "tmpfs", "mode=1777,size=16m", HARMLESS),
    ("/run", "tmpfs", "mode=0755,size=32m", HARMLESS),
    ("/tmp", "tmpfs", "mode=1777,size=64m", HARMLESS),
];

const HARMLESS: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NODEV)
    .union(MsFlags::MS_NOEXEC);

/// How everything ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The machine starts anew.
    Reboot,
    /// The machine is off.
    PowerOff,
    /// The machine stops, and says that it may be switched off.
    Halt,
}

impl End {
    /// A board that can't switch itself off stops instead.
    pub fn on(self, board: Option<&Board>) -> Self {
        match (self, board.map(|board| board.power.at_shutdown)) {
            (Self::PowerOff, Some(Shutdown::Halt)) => Self::Halt,
            (end, _) => end,
        }
    }
}

/// Mounts what the kernel offers; what is there already stays.
pub fn mount_kernel_files() -> Result<()> {
    for (target, kind, options, flags) in MOUNTS {
        let path = Path::new(target);
        if !path.exists() && (!target.starts_with("/dev/") || fs::create_dir(path).is_err()) {
            // An initramfs has less.
            continue;
        }
        match mount(Some(kind), target, Some(kind), flags, Some(options)) {
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(error) => return Err(error).with_context(|| format!("{target} can't be mounted")),
        }
    }
    Ok(())
}

/// From here on standard output and error are the kernel's log: no file grows, the consoles stay free,
/// and it can be read as long as the machine runs.
pub fn log_to_kernel() {
    let _ = fs::write("/proc/sys/kernel/printk_devkmsg", "on");
    let opened = OpenOptions::new().write(true).open("/dev/kmsg");
    if let Ok(log) = opened {
        let _ = dup2_stdout(&log);
        let _ = dup2_stderr(&log);
    }
    if let Ok(null) = File::open("/dev/null") {
        let _ = dup2_stdin(null);
    }
}

/// What the boot loader said.
pub fn started_from() -> Result<Start> {
    let line = fs::read_to_string("/proc/cmdline").context("the kernel's command line")?;
    Ok(Start::parse(&line)?)
}

/// Says something on the serial line and the screen, where there is nobody else to say it. A line that
/// nobody reads from, held by its flow control, is not waited for.
pub fn say(text: &str) {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    for terminal in ["/dev/console", "/dev/tty1"] {
        let opened = OpenOptions::new()
            .write(true)
            .custom_flags(flags.bits())
            .open(terminal);
        if let Ok(mut terminal) = opened {
            let _ = writeln!(terminal, "\r\n{text}\r");
        }
    }
}

/// Grows the data to the card, checks and mounts it.
pub fn prepare_data(start: Start, watchdog: &mut Watchdog) -> Result<()> {
    let mut card = Card::find(start.signature)?.context("the card is gone")?;
    let grown = card.grow().unwrap_or_else(|error| {
        warn!(%error, "the data can't be grown to the size of the card");
        false
    });
    let device = card
        .partition(card::DATA)
        .context("no partition for data")?;
    // Also where the power went between the partition and the file system in it.
    let grown = grown
        || card::has_room(&device).unwrap_or_else(|error| {
            warn!(%error, "the size of the data can't be read");
            false
        });
    let device = device.to_str().context("a device's name")?;
    // What a power cut left is put right by the journal; more is rare, and asks for nobody here.
    let forced: &[&str] = if grown { &["-f", "-p"] } else { &["-p"] };
    let check = Some(CHECK_WITHIN);
    let found = step(
        "/sbin/e2fsck",
        &[forced, &[device]].concat(),
        watchdog,
        check,
    )?;
    if found > 1 {
        warn!(found, "the data is damaged; mending what can be mended");
        let left = step("/sbin/e2fsck", &["-f", "-y", device], watchdog, check)?;
        if left > 2 {
            bail!("the file system is damaged beyond repair (e2fsck said {left})");
        }
    }
    if grown {
        info!("the data grows to the size of the card");
        // Once, before there is anything to wait for; killed half way it would leave nothing that can be used.
        let failed = step("/sbin/resize2fs", &[device], watchdog, None)?;
        if failed != 0 {
            warn!(failed, "the data stays as small as it was");
        }
    }
    mount(
        Some(device),
        DATA,
        Some("ext4"),
        MsFlags::MS_NOATIME | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC,
        Some(DATA_OPTIONS),
    )
    .context("the file system can't be mounted")?;
    // Whoever can write in the data folder may have made one before it was held.
    let reset = set_aside_foreign(Path::new(SYSTEM.0), 0, SYSTEM.1)
        .and_then(|()| platform::data::reset_if_asked(Path::new(DATA), || watchdog.kick()));
    if let Err(error) = reset {
        warn!(%error, "not everything could be removed: the next start tries again");
    }
    Ok(())
}

/// Runs a program to its end, which may take its time but, where there is a limit, not for ever.
fn step(
    program: &str,
    arguments: &[&str],
    watchdog: &mut Watchdog,
    within: Option<Duration>,
) -> Result<i32> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("{program} can't be started"))?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code().unwrap_or(i32::MAX));
        }
        if within.is_some_and(|within| begun.elapsed() > within) {
            child.kill()?;
            bail!("{program} does not come to an end");
        }
        watchdog.kick();
        sleep(Duration::from_millis(10));
    }
}

/// Takes the card's data away, where it is there.
pub fn leave_data() {
    // Detached, whatever has it open: nobody else runs yet.
    let _ = umount2(DATA, MntFlags::MNT_DETACH);
}

/// Data that lasts until the power goes, where the card's can't be used.
pub fn data_in_memory() -> Result<()> {
    mount(
        Some("tmpfs"),
        DATA,
        Some("tmpfs"),
        HARMLESS,
        Some("mode=0755,size=128m"),
    )
    .context("no memory for data")
}

/// Copies settings and configuration from the card to the data in memory, as far as they can be read.
pub fn save_settings(start: Start, watchdog: &mut Watchdog) {
    let save = move || {
        let saved = card_read_only(start).map(|()| {
            super::salvage::copy(Path::new(CARD), Path::new(DATA), 0);
            let _ = umount2(CARD, MntFlags::MNT_DETACH);
        });
        if let Err(error) = saved {
            warn!("no settings are saved from the card: {error:#}");
        }
    };
    patiently(save, SAVED_WITHIN, || watchdog.kick());
}

/// Mounts the card's data as it is: nothing is written, not even what its journal has.
fn card_read_only(start: Start) -> Result<()> {
    let card = Card::find(start.signature)?.context("the card is gone")?;
    let device = card
        .partition(card::DATA)
        .context("no partition for data")?;
    fs::create_dir_all(CARD)?;
    let flags = HARMLESS | MsFlags::MS_RDONLY;
    mount(
        Some(device.as_path()),
        CARD,
        Some("ext4"),
        flags,
        Some("noload"),
    )?;
    Ok(())
}

/// Prepares what the services share, and the rights they need no capability for.
pub fn settle() -> Result<()> {
    let group = Group::from_name(GROUP)
        .context("the groups of the system")?
        .with_context(|| format!("the system has no group `{GROUP}`"))?;
    let share = |folder: &str, mode| {
        fs::create_dir_all(folder).with_context(|| format!("{folder} can't be made"))?;
        chown(folder, Some(0), Some(group.gid.as_raw()))?;
        fs::set_permissions(folder, fs::Permissions::from_mode(mode))?;
        anyhow::Ok(())
    };
    share(DATA, 0o2770)?;
    // Sticky: nobody replaces the socket of another.
    share(RUN, 0o3770)?;
    for (folder, mode) in HELD {
        set_aside_foreign(Path::new(folder), 0, mode)
            .with_context(|| format!("{folder} is not root's"))?;
        share(folder, mode)?;
        // What is mounted can't be renamed or removed, whoever may write in the folder above.
        let bind = MsFlags::MS_BIND;
        if let Err(error) = mount(Some(folder), folder, None::<&str>, bind, None::<&str>) {
            warn!(%error, folder, "a folder can be replaced by the services");
        }
    }
    if let Err(error) = allow_self_call() {
        warn!("the exchange can't call itself: {error:#}");
    }
    // ssh listens on 22, the administration on 80 and 443, each as its own user, without a capability.
    set("net/ipv4/ip_unprivileged_port_start", "22");
    ignore_routers(Path::new("/proc/sys/net/ipv6/conf"));
    // What the sockets of SIP ask for: a storm of registrations waits there.
    set("net/core/rmem_max", "4194304");
    set("net/core/wmem_max", "4194304");
    // A card is worn by each write, however small. The kernel looks for what is half a minute old as often
    // as that, and not each five seconds: it would write the end of a growing file each time.
    set("vm/dirty_writeback_centisecs", "3000");
    // Ctrl-Alt-Del asks for a restart in order instead of making one.
    if let Err(error) = set_cad_enabled(false) {
        warn!(%error, "Ctrl-Alt-Del restarts the machine at once");
    }
    Ok(())
}

/// Gives another name to what is no folder, not the owner's, or written by more than `mode` says: a link, or
/// a folder that somebody made or moved there who may write in the one above.
fn set_aside_foreign(path: &Path, owner: u32, mode: u32) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) => {
            let others_write = found.mode() & !mode & 0o022 != 0;
            if found.is_dir() && found.uid() == owner && !others_write {
                return Ok(());
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    let aside = path.with_added_extension("foreign");
    error!(path = %path.display(), aside = %aside.display(), "this is not root's folder: it is set aside");
    match fs::symlink_metadata(&aside) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(&aside)?,
        Ok(_) => fs::remove_file(&aside)?,
        Err(_) => {}
    }
    fs::rename(path, aside)
}

/// Writes the secret of the exchange's call to itself, for the exchange only.
fn allow_self_call() -> Result<()> {
    let mut secret = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut secret)?;
    let secret: String = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    let path = proof::file(Path::new(RUN));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o400)
        .open(&path)?;
    writeln!(file, r#"{{"password":"{secret}"}}"#)?;
    let user = User::from_name("pbxd")?.context("no user `pbxd`")?;
    chown(path, Some(user.uid.as_raw()), None)?;
    Ok(())
}

/// A box has the addresses that are set, and IPv6 is no setting yet: none is taken from whatever router says
/// that it gives some. Those within the network (`fe80::`) stay. Ports that there are already do not go by
/// `all` nor by `default`.
fn ignore_routers(ports: &Path) {
    for port in fs::read_dir(ports).into_iter().flatten().flatten() {
        for name in ["accept_ra", "autoconf"] {
            let path = port.path().join(name);
            if let Err(error) = fs::write(&path, "0") {
                warn!(%error, path = %path.display(), "routers may give this port addresses");
            }
        }
    }
}

fn set(name: &str, value: &str) {
    if let Err(error) = fs::write(Path::new("/proc/sys").join(name), value) {
        warn!(%error, name, "a setting of the kernel stays as it is");
    }
}

/// Ends every other process there is. Where the folders are held no more, and until the machine is off,
/// nobody is there to put others in their place.
fn end_all_others(watchdog: Option<&mut Watchdog>) {
    if !super::is_first() {
        return;
    }
    let mut watchdog = watchdog;
    let limit = Instant::now() + GONE_WITHIN;
    while Instant::now() < limit {
        let _ = kill(Pid::from_raw(-1), Signal::SIGKILL);
        // Whoever loses its parent is the first process's.
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Err(Errno::ECHILD) => return,
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => {}
            }
        }
        if let Some(watchdog) = &mut watchdog {
            watchdog.kick();
        }
        sleep(Duration::from_millis(10));
    }
    warn!("not every process has ended");
}

/// Does what a slow card takes long for, while the watchdog hears that all is well; where that takes too long
/// the end comes without it.
fn patiently(
    work: impl Fn() + Clone + Send + 'static,
    within: Duration,
    mut meanwhile: impl FnMut(),
) {
    let begun = Instant::now();
    let Ok(worker) = Builder::new().name("rest".into()).spawn(work.clone()) else {
        return work();
    };
    while !worker.is_finished() && begun.elapsed() < within {
        meanwhile();
        sleep(Duration::from_millis(10));
    }
}

fn take_data_away() {
    for (folder, _) in HELD.iter().rev() {
        let _ = umount2(*folder, MntFlags::empty());
    }
    if umount2(DATA, MntFlags::empty()).is_err() {
        let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        let _ = mount(None::<&str>, DATA, None::<&str>, read_only, None::<&str>);
    }
}

/// Brings the disks to rest and ends. The watchdog is there for all that may hang, so for a restart to
/// its very end.
pub fn end(end: End, mut watchdog: Option<Watchdog>) -> ! {
    end_all_others(watchdog.as_mut());
    for work in [sync, take_data_away, sync] {
        patiently(work, AT_REST_WITHIN, || {
            watchdog.iter_mut().for_each(Watchdog::kick);
        });
    }
    let mode = match end {
        End::Reboot => RebootMode::RB_AUTOBOOT,
        End::PowerOff => RebootMode::RB_POWER_OFF,
        End::Halt => RebootMode::RB_HALT_SYSTEM,
    };
    if end != End::Reboot {
        say("The system is stopped. It is safe to switch the power off.");
        // A machine that stays off must not be started by it. The last thing: until here it may hang.
        watchdog.into_iter().for_each(Watchdog::disarm);
    }
    loop {
        let _: Result<Infallible, _> = reboot(mode);
        // Where the kernel can't do it either, there is nothing left to lose.
        sleep(Duration::from_secs(3600));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::{Arc, Mutex, mpsc};

    use super::*;

    #[test]
    fn only_the_owners_own_folder_keeps_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = fs::metadata(folder.path()).expect("there").uid();
        let path = folder.path().join("system");
        let aside = folder.path().join("system.foreign");
        set_aside_foreign(&path, owner, 0o2750).expect("none is there");
        fs::create_dir(&path).expect("made");
        fs::write(path.join("ssh.json"), "{}").expect("written");
        set_aside_foreign(&path, owner, 0o2750).expect("looked");
        assert!(path.join("ssh.json").exists() && !aside.exists());
        // Somebody else's, twice: the second takes the place of the first.
        set_aside_foreign(&path, owner + 1, 0o2750).expect("set aside");
        assert!(!path.exists() && aside.join("ssh.json").exists());
        let other = folder.path().join("other");
        fs::create_dir(&other).expect("made");
        for _ in 0..2 {
            symlink(&other, &path).expect("linked");
            set_aside_foreign(&path, owner, 0o2750).expect("set aside");
            assert!(fs::symlink_metadata(&path).is_err() && other.exists());
        }
    }

    #[test]
    fn a_folder_that_others_write_gives_the_machine_no_orders() {
        let folder = tempfile::tempdir().expect("a folder");
        let owner = fs::metadata(folder.path()).expect("there").uid();
        let path = folder.path().join("system");
        fs::create_dir(&path).expect("made");
        for (found, wanted, stays) in [
            (0o755, 0o2750, true),
            (0o2770, 0o2770, true),
            // As one of those that are shared, moved there.
            (0o2770, 0o2750, false),
            (0o707, 0o2770, false),
        ] {
            let rights = fs::Permissions::from_mode(found);
            fs::set_permissions(&path, rights).expect("set");
            set_aside_foreign(&path, owner, wanted).expect("looked");
            assert_eq!(path.exists(), stays, "{found:o} for {wanted:o}");
            fs::create_dir_all(&path).expect("made");
        }
    }

    #[test]
    fn no_port_takes_addresses_from_routers() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |port: &str, name: &str| folder.path().join(port).join(name);
        let ports = ["all", "default", "eth0"];
        for port in ports {
            fs::create_dir(folder.path().join(port)).expect("made");
            for name in ["accept_ra", "autoconf", "disable_ipv6"] {
                fs::write(file(port, name), "1").expect("written");
            }
        }
        ignore_routers(folder.path());
        let read = |port, name| fs::read_to_string(file(port, name)).expect("there");
        for port in ports {
            assert_eq!(read(port, "accept_ra"), "0", "{port}");
            assert_eq!(read(port, "autoconf"), "0", "{port}");
            assert_eq!(read(port, "disable_ipv6"), "1", "{port}");
        }
        ignore_routers(&folder.path().join("missing"));
    }

    #[test]
    fn what_takes_long_is_waited_for_with_the_watchdog_and_not_for_ever() {
        let (done, wait) = mpsc::sync_channel(0);
        let wait = Arc::new(Mutex::new(wait));
        let work = move || drop(wait.lock().map(|wait| wait.recv()));
        let mut kicks = 0;
        patiently(work.clone(), Duration::MAX, || {
            kicks += 1;
            if kicks == 3 {
                done.send(()).expect("it waits");
            }
        });
        assert!(kicks >= 3, "{kicks}");
        patiently(work, Duration::ZERO, || kicks = 0);
        assert_ne!(kicks, 0);
    }

    #[test]
    fn where_root_writes_nobody_puts_another_folder() {
        let data = Path::new(DATA);
        let endings = platform::endings::Endings::of(data);
        for written in [endings.folder(), &platform::data::system(data)] {
            let held = HELD.iter().any(|(folder, _)| Path::new(folder) == written);
            assert!(held, "{}", written.display());
        }
        // Held from the outside in, and let go from the inside out.
        for (index, (folder, _)) in HELD.iter().enumerate() {
            let before = HELD[..index].iter().map(|(folder, _)| Path::new(folder));
            let above = Path::new(folder).parent().expect("a folder");
            assert!(above == data || before.into_iter().any(|held| held == above));
        }
    }

    fn board(at_shutdown: Shutdown) -> Board {
        let text = include_str!("../../../../../board/operator-box-3000/board.toml");
        let mut board = Board::parse(text).expect("a board");
        board.power.at_shutdown = at_shutdown;
        board
    }

    #[test]
    fn a_board_that_can_not_switch_itself_off_halts() {
        let (halts, switches) = (board(Shutdown::Halt), board(Shutdown::PowerOff));
        assert_eq!(End::PowerOff.on(Some(&halts)), End::Halt);
        assert_eq!(End::PowerOff.on(Some(&switches)), End::PowerOff);
        assert_eq!(End::PowerOff.on(None), End::PowerOff);
        assert_eq!(End::Reboot.on(Some(&halts)), End::Reboot);
    }
}
