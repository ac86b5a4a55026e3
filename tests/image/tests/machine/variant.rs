//! Systems made of the one under test, with something changed in them: to upgrade to, and to fail with.

use std::{
    ffi::OsStr,
    fs,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use interop::{Machine, Stage};
use platform::{
    mbr::Table,
    update::{self, PrivateKey},
};

/// The board of the image under test.
pub(super) const BOARD: &str = "generic-pc";

/// The system under test, changed, as squashfs.
pub(super) fn system(
    stage: &Stage,
    version: &str,
    change: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let root = stage.scratch().join(format!("{version}.root"));
    let output = stage.scratch().join(format!("{version}.squashfs"));
    let system = Machine::image().with_extension("squashfs");
    let (root_arg, system_arg, output_arg) =
        (root.as_os_str(), system.as_os_str(), output.as_os_str());
    let quiet: [&OsStr; 3] = [
        "-quiet".as_ref(),
        "-no-progress".as_ref(),
        "-no-xattrs".as_ref(),
    ];
    let unpack = ["-dest".as_ref(), root_arg, system_arg];
    run("unsquashfs", &[&quiet[..], &unpack].concat())?;
    fs::write(
        root.join("etc/operator-box/version"),
        format!("{version}\n"),
    )?;
    change(&root)?;
    let fast = "-noappend -all-root -comp gzip -Xcompression-level 1";
    let fast: Vec<&OsStr> = fast.split(' ').map(OsStr::new).collect();
    run(
        "mksquashfs",
        &[&[root_arg, output_arg], &quiet[..], &fast].concat(),
    )?;
    fs::remove_dir_all(root)?;
    Ok(output)
}

/// An update of a system, signed as the image under test wants it.
pub(super) fn update(stage: &Stage, system: &Path, board: &str, version: &str) -> Result<PathBuf> {
    let key = Machine::image().with_file_name("development.key");
    let key = fs::read_to_string(&key).with_context(|| key.display().to_string())?;
    signed(stage, system, board, version, &key.trim().parse()?)
}

/// An update of a system, signed by whomever.
pub(super) fn signed(
    stage: &Stage,
    system: &Path,
    board: &str,
    version: &str,
    key: &PrivateKey,
) -> Result<PathBuf> {
    let output = stage.scratch().join(format!("{board}-{version}.update"));
    update::make(system, board, version, key, &output)?;
    Ok(output)
}

/// Puts a system in the place of the one that a card begins with.
pub(super) fn install(machine: &Machine, system: &Path) -> Result<()> {
    install_in(machine, 1, system)
}

/// Puts a system in a slot of a machine that is off: 1 is A, 2 is B.
pub(super) fn install_in(machine: &Machine, number: usize, system: &Path) -> Result<()> {
    let (start, length) = slot(machine, number)?;
    let bytes = fs::read(system)?;
    ensure!(bytes.len() as u64 <= length, "the system is too large");
    let card = fs::File::options().write(true).open(machine.card())?;
    Ok(std::os::unix::fs::FileExt::write_all_at(
        &card, &bytes, start,
    )?)
}

/// What is in the second slot.
pub(super) fn second_slot(machine: &Machine) -> Result<Vec<u8>> {
    let (start, length) = slot(machine, 2)?;
    let mut card = fs::File::open(machine.card())?;
    card.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    card.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Sets what the boot loader of a machine that is off remembers, as the system does.
pub(super) fn remember(stage: &Stage, machine: &Machine, lines: &str) -> Result<()> {
    let mut block = format!("# GRUB Environment Block\n{lines}").into_bytes();
    block.resize(1024, b'#');
    put_memory(stage, machine, &block)
}

/// Damages what it remembers.
pub(super) fn damage(stage: &Stage, machine: &Machine) -> Result<()> {
    put_memory(stage, machine, &[0; 1024])
}

fn put_memory(stage: &Stage, machine: &Machine, block: &[u8]) -> Result<()> {
    let file = stage.scratch().join("grubenv");
    fs::write(&file, block)?;
    mcopy(machine, [file.as_os_str(), "::grub/grubenv".as_ref()])
}

/// What it remembers.
pub(super) fn memory(stage: &Stage, machine: &Machine) -> Result<String> {
    let file = stage.scratch().join("grubenv.read");
    mcopy(machine, ["::grub/grubenv".as_ref(), file.as_os_str()])?;
    Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())
}

fn mcopy(machine: &Machine, files: [&OsStr; 2]) -> Result<()> {
    // The first partition begins at 1 MiB.
    let card = format!("{}@@1M", machine.card().display());
    let arguments = ["-o".as_ref(), "-i".as_ref(), card.as_ref()];
    run("mcopy", &[&arguments[..], &files].concat())
}

/// Where a partition begins and how long it is, in bytes.
fn slot(machine: &Machine, index: usize) -> Result<(u64, u64)> {
    let mut sector = [0; 512];
    fs::File::open(machine.card())?.read_exact(&mut sector)?;
    let partition = Table::parse(&sector)?.partitions[index].context("no such slot")?;
    Ok((
        u64::from(partition.start) * 512,
        u64::from(partition.sectors) * 512,
    ))
}

/// Whether the file system of the data is whole, once its journal has been read as at a start. The card must
/// be in no machine.
pub(super) fn data_is_whole(stage: &Stage, machine: &Machine) -> Result<()> {
    let mut sector = [0; 512];
    fs::File::open(machine.card())?.read_exact(&mut sector)?;
    let data = Table::parse(&sector)?.partitions[3].context("no data")?;
    let copy = stage.scratch().join("data");
    let words = [
        format!("if={}", machine.card().display()),
        format!("of={}", copy.display()),
        format!("skip={}", u64::from(data.start) * 512),
        format!("count={}", u64::from(data.sectors) * 512),
        "bs=1M".to_owned(),
        "iflag=skip_bytes,count_bytes,fullblock".to_owned(),
        "conv=sparse".to_owned(),
    ];
    run("dd", &words.each_ref().map(OsStr::new))?;
    for how in [["-p"].as_slice(), &["-f", "-n"]] {
        let output = Command::new("/usr/sbin/e2fsck")
            .args(how)
            .arg(&copy)
            .output()
            .context("e2fsck")?;
        // 1: the journal, or what was being removed, is dealt with as at each start.
        let fine = if how == ["-p"] { 0..=1 } else { 0..=0 };
        ensure!(
            output
                .status
                .code()
                .is_some_and(|code| fine.contains(&code)),
            "e2fsck {how:?} ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(fs::remove_file(copy)?)
}

fn run(program: &str, arguments: &[&OsStr]) -> Result<()> {
    let mut command = Command::new(program);
    let output = command.args(arguments).output().context("run it")?;
    ensure!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
