//! The boot loader of a card that `image card` made, in QEMU: which slot it starts, and what it
//! remembers. Ignored where a program for it is missing, and that is said.

mod kernel;

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use image_tests::root;
use libtest_mimic::{Arguments, Failed, Trial};
use platform::board::{Board, MIB};
use tempfile::TempDir;

type Verdict = Result<(), Failed>;
type Test = (&'static str, fn() -> Verdict);

const PROGRAMS: &[&str] = &[
    "qemu-system-x86_64",
    "grub-mkimage",
    "mksquashfs",
    "mkfs.fat",
    "mcopy",
    "mke2fs",
    "timeout",
];

/// Ends a machine that hangs; a start takes a few seconds.
const AT_MOST_S: &str = "120";

#[expect(
    clippy::print_stderr,
    reason = "the reason must be seen by whoever reads the test's output"
)]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = missing();
    let tests: [Test; 8] = [
        ("a_new_card_starts_slot_a", new_card),
        ("a_slot_is_tried_three_times_and_then_given_up", tries),
        ("a_slot_that_proved_itself_is_started", proved),
        (
            "a_slot_that_comes_up_no_more_gives_way_after_five_starts",
            fallen,
        ),
        ("a_slot_gives_way_to_none_that_is_known_to_be_bad", bad),
        ("a_slot_that_is_alone_is_started_for_ever", alone),
        ("an_unreadable_slot_gives_way_to_the_other", unreadable),
        ("without_a_serial_port_it_starts_too", no_serial),
    ];
    let trials =
        tests.map(|(name, test)| Trial::test(name, test).with_ignored_flag(missing.is_some()));
    if let Some(what) = missing.filter(|_| !arguments.list) {
        eprintln!("bootloader: tests are ignored: {what} is missing");
    }
    libtest_mimic::run(&arguments, trials.into()).exit_code()
}

fn missing() -> Option<String> {
    let path = format!(
        "{}:/usr/sbin:/sbin",
        std::env::var("PATH").unwrap_or_default()
    );
    let lacks = |name: &&&str| {
        !path
            .split(':')
            .any(|dir| Path::new(dir).join(name).exists())
    };
    if let Some(name) = PROGRAMS.iter().find(lacks) {
        return Some((*name).to_owned());
    }
    [tool(), PathBuf::from("/usr/lib/grub/i386-pc/boot.img")]
        .into_iter()
        .find(|file| !file.exists())
        .map(|file| file.display().to_string())
}

/// `image`, beside the folder that the tests are in.
fn tool() -> PathBuf {
    let test = std::env::current_exe().unwrap_or_default();
    let profile = test.ancestors().nth(2).unwrap_or(Path::new(""));
    profile.join("image")
}

/// A card with the kernel in slot A, and nothing in slot B.
struct Card {
    work: TempDir,
}

impl Card {
    fn new(parts: &[&str]) -> Result<Self, Failed> {
        let card = Self {
            work: tempfile::tempdir()?,
        };
        let boot = card.path("root/boot");
        fs::create_dir_all(&boot)?;
        for part in parts {
            fs::write(boot.join(part), kernel::image())?;
        }
        let system = card.path("system");
        let mut squashfs = Command::new("mksquashfs");
        squashfs.arg(card.path("root")).arg(&system);
        run(squashfs.args(["-comp", "xz", "-all-root", "-quiet", "-no-progress"]))?;
        let mut make = Command::new(tool());
        make.args(["card", "--board", "generic-pc", "--project"]);
        make.arg(root()).arg("--system").arg(&system);
        run(make.arg("--output").arg(card.path("card.img")))?;
        Ok(card)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// Writes the system to slot B.
    fn fill_b(&self) -> Verdict {
        let text = fs::read_to_string(root().join("board/generic-pc/board.toml"))?;
        let layout = Board::parse(&text)?.card;
        let start = 1 + u64::from(layout.boot_mib.get()) + u64::from(layout.slot_mib.get());
        let mut image = OpenOptions::new().write(true).open(self.path("card.img"))?;
        image.seek(SeekFrom::Start(start * MIB))?;
        image.write_all(&fs::read(self.path("system"))?)?;
        Ok(())
    }

    /// Sets what the boot loader remembers, as the system does.
    fn remember(&self, lines: &str) -> Verdict {
        let mut bytes = format!("# GRUB Environment Block\n{lines}").into_bytes();
        bytes.resize(1024, b'#');
        fs::write(self.path("grubenv"), bytes)?;
        run(mcopy(self).arg(self.path("grubenv")).arg("::grub/grubenv"))?;
        Ok(())
    }

    /// What the boot loader remembers, of what is set.
    fn memory(&self) -> Result<Vec<String>, Failed> {
        run(mcopy(self).arg("::grub/grubenv").arg(self.path("read")))?;
        let text = fs::read_to_string(self.path("read"))?;
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.ends_with('='))
            .map(str::to_owned)
            .collect();
        lines.sort();
        Ok(lines)
    }

    /// Starts the machine; what it said, the kernel's command line at the end.
    fn start(&self, serial: &str) -> Result<String, Failed> {
        let drive = format!(
            "file={},format=raw,if=none,id=card",
            self.path("card.img").display()
        );
        let output = Command::new("timeout")
            .args([
                AT_MOST_S,
                "qemu-system-x86_64",
                "-accel",
                "tcg",
                "-machine",
                "q35",
            ])
            .args([
                "-m",
                "128",
                "-display",
                "none",
                "-nic",
                "none",
                "-no-reboot",
            ])
            .args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"])
            .args(["-serial", serial, "-drive", &drive])
            .args(["-device", "ide-hd,drive=card"])
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.code() == Some(kernel::REACHED) {
            return Ok(said);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!(
            "no kernel was started ({}):\n{said}\n{errors}",
            output.status
        )
        .into())
    }

    /// Starts the machine, which must start this slot.
    fn starts(&self, slot: &str) -> Result<String, Failed> {
        self.starts_with(slot, "trial=0")
    }

    /// Starts the machine, which must try this slot.
    fn tries(&self, slot: &str) -> Result<String, Failed> {
        self.starts_with(slot, "trial=1")
    }

    fn starts_with(&self, slot: &str, trial: &str) -> Result<String, Failed> {
        let said = self.start("stdio")?;
        let number = if slot == "A" { 2 } else { 3 };
        let line = said.lines().last().unwrap_or_default();
        let words = [format!("-0{number}"), format!("slot={slot}"), trial.into()];
        if line.contains("BOOT_IMAGE=/boot/vmlinuz") && words.iter().all(|w| line.contains(w)) {
            return Ok(said);
        }
        Err(format!("slot {slot} was not started:\n{said}").into())
    }

    fn remembers(&self, expected: &[&str]) -> Verdict {
        let found = self.memory()?;
        if found == expected {
            return Ok(());
        }
        Err(format!("it remembers {found:?}, not {expected:?}").into())
    }
}

fn mcopy(card: &Card) -> Command {
    let mut command = Command::new("mcopy");
    command.arg("-o").arg("-i");
    // The first partition begins at 1 MiB.
    command.arg(format!("{}@@1M", card.path("card.img").display()));
    command
}

fn run(command: &mut Command) -> Verdict {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {errors}").into())
}

fn new_card() -> Verdict {
    // With an initramfs, as a system for development has one.
    for parts in [&["vmlinuz"][..], &["vmlinuz", "initrd.img"][..]] {
        let card = Card::new(parts)?;
        card.starts("A")?;
        card.remembers(&["slot=A", "starts=1"])?;
    }
    Ok(())
}

fn tries() -> Verdict {
    let card = Card::new(&["vmlinuz"])?;
    card.fill_b()?;
    card.remember("slot=A\nnext=B\ntries=3\n")?;
    for left in ["tries=2", "tries=1", "tries=0"] {
        card.tries("B")?;
        card.remembers(&["next=B", "slot=A", left])?;
    }
    card.starts("A")?;
    card.remembers(&["bad=B", "failed=1", "slot=A", "starts=1", "tries=0"])
}

fn proved() -> Verdict {
    let card = Card::new(&["vmlinuz"])?;
    card.fill_b()?;
    card.remember("slot=B\n")?;
    card.starts("B")?;
    card.remembers(&["slot=B", "starts=1"])
}

fn fallen() -> Verdict {
    let card = Card::new(&["vmlinuz"])?;
    card.fill_b()?;
    card.remember("slot=A\n")?;
    for count in ["starts=1", "starts=2", "starts=3", "starts=4", "starts=5"] {
        card.starts("A")?;
        card.remembers(&["slot=A", count])?;
    }
    let said = card.starts("B")?;
    if !said.contains("Slot A has not come up") {
        return Err(format!("it doesn't say why:\n{said}").into());
    }
    card.remembers(&["fallen=A", "slot=B", "starts=1"])?;
    // It stays, and has its own starts.
    card.remember("slot=B\nfallen=A\n")?;
    card.starts("B")?;
    card.remember("slot=B\nstarts=5\nfallen=A\n")?;
    card.starts("A")?;
    card.remembers(&["fallen=B", "slot=A", "starts=1"])?;
    // What is tried is counted by its tries, and not by these.
    card.remember("slot=A\nstarts=5\nnext=B\ntries=3\n")?;
    card.tries("B")?;
    card.remembers(&["next=B", "slot=A", "starts=5", "tries=2"])
}

fn bad() -> Verdict {
    let card = Card::new(&["vmlinuz"])?;
    card.fill_b()?;
    // It did not prove itself, and then the power flickers.
    card.remember("slot=A\nnext=B\ntries=0\n")?;
    for _ in 0..7 {
        card.starts("A")?;
    }
    card.remembers(&["bad=B", "failed=1", "slot=A", "starts=5", "tries=0"])?;
    // One that can't be read is worse than a bad one.
    let card = Card::new(&["vmlinuz"])?;
    card.remember("slot=B\nbad=A\n")?;
    card.starts("A")?;
    card.remembers(&["bad=A", "slot=B", "starts=1"])
}

fn alone() -> Verdict {
    let card = Card::new(&["vmlinuz"])?;
    card.remember("slot=A\nstarts=5\n")?;
    card.starts("A")?;
    card.remembers(&["slot=A", "starts=5"])
}

fn unreadable() -> Verdict {
    let card = Card::new(&["vmlinuz"])?;
    card.remember("slot=B\n")?;
    let said = card.starts("A")?;
    if !said.contains("Slot B can't be read") {
        return Err(format!("it doesn't say why:\n{said}").into());
    }
    // What is started instead of a slot that is tried has proved itself.
    card.remember("slot=A\nnext=B\ntries=3\n")?;
    card.starts("A").map(|_| ())
}

fn no_serial() -> Verdict {
    let card = Card::new(&["vmlinuz"])?;
    card.start("none").map(|_| ())
}
