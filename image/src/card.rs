//! A card image: boot code, partition table, boot files, two slots, data.
//!
//! ```text
//!   sector 0          boot.img of GRUB (440 octets) and the partition table
//!   sector 1…         the core of GRUB, in the gap before the first partition
//!   1 MiB             1  FAT 16: grub.cfg and grubenv
//!                     2  slot A: squashfs with kernel and system
//!                     3  slot B: the same, empty when new
//!                     4  ext4: data, grown to the end of the card at its first start
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use platform::board::MIB;
use platform::mbr::{Kind, Partition, SECTOR, Table};
use sha2::{Digest, Sha256};

use crate::tools::run;

/// Boot code that GRUB leaves to the first sector; what comes after belongs to the partition table.
const BOOT_CODE: usize = 440;

/// Where the first partition begins; GRUB's core has the room before it.
const FIRST: u64 = MIB;

/// What a card image is made of.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    /// The system, as squashfs.
    pub system: &'a Path,
    /// Where GRUB's modules for i386-pc are.
    pub grub: &'a Path,
    /// `grub.cfg` and `grub-early.cfg`.
    pub boot: &'a Path,
    /// In bytes.
    pub boot_size: u64,
    /// In bytes.
    pub slot_size: u64,
    /// In bytes; it is grown at the first start.
    pub data_size: u64,
    /// The card's, in bytes.
    pub card_size: u64,
}

/// Modules of GRUB that the boot files use.
const MODULES: &[&str] = &[
    "biosdisk",
    "part_msdos",
    "fat",
    "squash4",
    "normal",
    "linux",
    "loadenv",
    "test",
    "echo",
    "serial",
    "terminal",
    "configfile",
    "sleep",
    "reboot",
];

/// Makes the image.
pub fn make(parts: &Parts<'_>, output: &Path) -> Result<()> {
    let work = output.with_extension("parts");
    fs::create_dir_all(&work)?;
    let system = fs::metadata(parts.system).context("the system")?.len();
    ensure!(
        system <= parts.slot_size,
        "the system has {} MiB; a slot of this board has {}",
        system / MIB,
        parts.slot_size / MIB
    );
    let signature = signature(parts.system)?;
    let table = table(parts, signature)?;

    let _ = fs::remove_file(output);
    let mut image = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(output)
        .with_context(|| output.display().to_string())?;
    let places: Vec<Partition> = table.partitions.iter().flatten().copied().collect();
    let end = places
        .last()
        .map_or(0, |last| u64::from(last.start + last.sectors));
    image.set_len(end * SECTOR)?;

    let mut sector = [0; 512];
    let boot_code = fs::read(parts.grub.join("boot.img")).context("boot.img of GRUB")?;
    sector[..BOOT_CODE].copy_from_slice(boot_code.get(..BOOT_CODE).context("boot.img is short")?);
    table.write(&mut sector);
    image.write_all(&sector)?;
    let core = fs::read(grub_core(parts, &work)?)?;
    ensure!(
        core.len() as u64 <= FIRST - SECTOR,
        "GRUB's core is too large"
    );
    image.write_all(&core)?;

    let files = [
        boot_files(parts, signature, &work)?,
        parts.system.to_owned(),
        data_files(parts, &work)?,
    ];
    for (file, place) in files.iter().zip([places[0], places[1], places[3]]) {
        image.seek(SeekFrom::Start(u64::from(place.start) * SECTOR))?;
        copy_sparse(&mut File::open(file)?, &mut image)?;
    }
    image.sync_all()?;
    fs::remove_dir_all(work)?;
    Ok(())
}

/// Tells this image's disks from others, and is the same for the same system.
fn signature(system: &Path) -> Result<u32> {
    let mut hash = Sha256::new();
    let mut file = File::open(system)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    let hash = hash.finalize();
    Ok(u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]))
}

fn table(parts: &Parts<'_>, signature: u32) -> Result<Table> {
    let mut at = FIRST;
    let mut place = |kind, size: u64, bootable| -> Result<Option<Partition>> {
        ensure!(
            size.is_multiple_of(MIB) && size > 0,
            "partitions have whole MiB"
        );
        let partition = Partition {
            kind,
            bootable,
            start: u32::try_from(at / SECTOR)?,
            sectors: u32::try_from(size / SECTOR)?,
        };
        at += size;
        Ok(Some(partition))
    };
    let partitions = [
        place(Kind::Fat16, parts.boot_size, true)?,
        place(Kind::Linux, parts.slot_size, false)?,
        place(Kind::Linux, parts.slot_size, false)?,
        place(Kind::Linux, parts.data_size, false)?,
    ];
    ensure!(at <= parts.card_size, "the image is larger than the card");
    Ok(Table {
        signature,
        partitions,
    })
}

fn grub_core(parts: &Parts<'_>, work: &Path) -> Result<PathBuf> {
    let core = work.join("core.img");
    let mut arguments: Vec<std::ffi::OsString> = ["-O", "i386-pc", "-p", "(hd0,msdos1)/grub", "-d"]
        .map(Into::into)
        .into();
    arguments.push(parts.grub.into());
    arguments.push("-c".into());
    arguments.push(parts.boot.join("grub-early.cfg").into());
    arguments.push("-o".into());
    arguments.push((&core).into());
    arguments.extend(MODULES.iter().map(Into::into));
    run("grub-mkimage", arguments)?;
    Ok(core)
}

fn boot_files(parts: &Parts<'_>, signature: u32, work: &Path) -> Result<PathBuf> {
    let folder = work.join("grub");
    fs::create_dir_all(&folder)?;
    let config = fs::read_to_string(parts.boot.join("grub.cfg")).context("grub.cfg")?;
    let config = config.replace("@SIGNATURE@", &format!("{signature:08x}"));
    fs::write(folder.join("grub.cfg"), config)?;
    fs::write(folder.join("grubenv"), new_environment())?;
    let image = work.join("boot.vfat");
    let _ = fs::remove_file(&image);
    File::create(&image)?.set_len(parts.boot_size)?;
    run(
        "mkfs.fat",
        ["-F", "16", "-n", "BOOT", &image.to_string_lossy()],
    )?;
    run(
        "mcopy",
        [
            "-s",
            "-i",
            &image.to_string_lossy(),
            &folder.to_string_lossy(),
            "::",
        ],
    )?;
    Ok(image)
}

/// The boot loader's memory as it is delivered: slot A, nothing to try.
fn new_environment() -> Vec<u8> {
    let mut bytes = b"# GRUB Environment Block\nslot=A\n".to_vec();
    bytes.resize(1024, b'#');
    bytes
}

fn data_files(parts: &Parts<'_>, work: &Path) -> Result<PathBuf> {
    let image = work.join("data.ext4");
    let _ = fs::remove_file(&image);
    File::create(&image)?.set_len(parts.data_size)?;
    // Blocks and journal as for a large disk, since it becomes one.
    run(
        "mke2fs",
        [
            "-q",
            "-t",
            "ext4",
            "-L",
            "data",
            "-b",
            "4096",
            "-J",
            "size=16",
            "-m",
            "1",
            "-E",
            "lazy_itable_init=0",
            &image.to_string_lossy(),
        ],
    )?;
    Ok(image)
}

/// Copies what isn't zero: the rest of a new image is.
fn copy_sparse(from: &mut File, to: &mut File) -> Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        if buffer[..count].iter().all(|byte| *byte == 0) {
            to.seek(SeekFrom::Current(i64::try_from(count)?))?;
        } else {
            to.write_all(&buffer[..count])?;
        }
    }
}
