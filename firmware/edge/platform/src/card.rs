//! The card the system was started from: which disk it is, its partitions, and its room for data.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::system::Slot;
use nix::sys::stat::{major, minor};
use thiserror::Error;
use tracing::warn;

use crate::mbr::{SECTOR, Table};
use crate::sys::disk::resize_partition;

/// The partitions by their numbers.
pub const BOOT: u8 = 1;
/// The first slot.
pub const SLOT_A: u8 = 2;
/// The second slot.
pub const SLOT_B: u8 = 3;
/// Settings, history, voicemail: everything that is not in an image.
pub const DATA: u8 = 4;

/// Where the superblock of ext4 is in its partition.
const SUPERBLOCK_AT: u64 = 1024;

/// A last group of blocks that is too small for its own tables is left out of a file system.
const ROUNDING: u64 = 16 << 20;

/// What the boot loader says of the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The signature of the disk.
    pub signature: u32,
    /// The slot that was started.
    pub slot: Slot,
    /// Whether it has to prove itself.
    pub is_tried: bool,
}

/// Why the kernel's command line says too little.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the kernel's command line must hold slot=A or slot=B and root=PARTUUID=xxxxxxxx-0n: {0}")]
pub struct NoStart(String);

impl Start {
    /// From the kernel's command line.
    ///
    /// # Errors
    /// Where slot or disk aren't named.
    pub fn parse(command_line: &str) -> Result<Self, NoStart> {
        let value = |key: &str| {
            (command_line.split_ascii_whitespace()).find_map(|word| word.strip_prefix(key))
        };
        let slot = match value("slot=") {
            Some("A") => Some(Slot::A),
            Some("B") => Some(Slot::B),
            _ => None,
        };
        let signature = value("root=PARTUUID=")
            .and_then(|id| id.split_once('-'))
            .and_then(|(signature, _)| u32::from_str_radix(signature, 16).ok());
        match (signature, slot) {
            (Some(signature), Some(slot)) => Ok(Self {
                signature,
                slot,
                is_tried: value("trial=") == Some("1"),
            }),
            _ => Err(NoStart(command_line.trim().into())),
        }
    }

    /// The partition the slot is in.
    #[must_use]
    pub const fn partition(self) -> u8 {
        slot_partition(self.slot)
    }
}

/// The partition of a slot.
#[must_use]
pub const fn slot_partition(slot: Slot) -> u8 {
    match slot {
        Slot::A => SLOT_A,
        Slot::B => SLOT_B,
    }
}

/// The disk the system was started from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// As the kernel names it: `sda`.
    name: String,
    table: Table,
}

impl Card {
    /// The disk of this signature, where it is there already. All cards of one image have the same: of
    /// several the one that the running system's root is on.
    ///
    /// # Errors
    /// Where `/sys` can't be read, or where there are several and the root is on none of them: nothing says
    /// which was started from then, and the wrong one must not be written to.
    pub fn find(signature: u32) -> io::Result<Option<Self>> {
        let mut cards = Vec::new();
        for entry in fs::read_dir("/sys/block")? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Ok(table) = read_table(&Path::new("/dev").join(&name)) else {
                continue;
            };
            if table.signature == signature {
                cards.push(Self { name, table });
            }
        }
        the_one(cards, root_disk().as_deref())
    }

    /// The device of a partition, where the kernel has it already.
    #[must_use]
    pub fn partition(&self, number: u8) -> Option<PathBuf> {
        let folder = Path::new("/sys/block").join(&self.name);
        fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
            let text = fs::read_to_string(entry.path().join("partition")).ok()?;
            let device = Path::new("/dev").join(entry.file_name());
            (text.trim().parse() == Ok(number) && device.exists()).then_some(device)
        })
    }

    /// How many bytes a partition has.
    #[must_use]
    pub fn size(&self, number: u8) -> Option<u64> {
        let partition = self.table.partitions.get(usize::from(number) - 1)?;
        partition.map(|partition| u64::from(partition.sectors) * SECTOR)
    }

    /// Grows the last partition to the end of the disk, where there is room after it; true where there
    /// was. A power cut leaves either table: the sector is written as a whole.
    ///
    /// # Errors
    /// Where the disk can't be read or written, or the kernel refuses.
    pub fn grow(&mut self) -> io::Result<bool> {
        let sectors = fs::read_to_string(Path::new("/sys/block").join(&self.name).join("size"))?;
        let sectors = sectors.trim().parse().map_err(io::Error::other)?;
        let Some(table) = self.table.grown(sectors) else {
            return Ok(false);
        };
        let device = Path::new("/dev").join(&self.name);
        let mut disk = OpenOptions::new().read(true).write(true).open(device)?;
        let mut sector = [0; 512];
        disk.read_exact(&mut sector)?;
        table.write(&mut sector);
        disk.rewind()?;
        disk.write_all(&sector)?;
        disk.sync_all()?;
        self.table = table;
        if let Some(last) = table.partitions[3] {
            let start = u64::from(last.start) * SECTOR;
            resize_partition(&disk, DATA, start, u64::from(last.sectors) * SECTOR)?;
        }
        Ok(true)
    }
}

fn the_one(mut cards: Vec<Card>, root: Option<&str>) -> io::Result<Option<Card>> {
    if cards.len() > 1 {
        let names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
        let names = names.join(", ");
        cards.retain(|card| Some(card.name.as_str()) == root);
        if cards.len() != 1 {
            return Err(io::Error::other(format!(
                "{names} are cards of one image: remove all but one"
            )));
        }
        warn!(
            disks = names,
            "more than one card of one image: going on with the one that was started"
        );
    }
    Ok(cards.pop())
}

/// The disk that `/` is on, as the kernel names it; none where it is in memory.
fn root_disk() -> Option<String> {
    let device = fs::metadata("/").ok()?.dev();
    let (major, minor) = (major(device), minor(device));
    let partition = fs::canonicalize(format!("/sys/dev/block/{major}:{minor}")).ok()?;
    disk_of(&partition)
}

/// The disk of a partition, by the partition's folder below `/sys/devices`: it is in that of the disk.
fn disk_of(partition: &Path) -> Option<String> {
    let name = partition.parent()?.file_name()?.to_str()?;
    (partition.join("partition").exists()).then(|| name.to_owned())
}

/// Whether a file system of ext4 is smaller than the partition it is in: a power cut may come after the
/// partition has grown and before the file system has.
///
/// # Errors
/// Where the partition can't be read, or holds no such file system.
pub fn has_room(partition: &Path) -> io::Result<bool> {
    let mut file = File::open(partition)?;
    let room = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(SUPERBLOCK_AT))?;
    let mut superblock = [0; 1024];
    file.read_exact(&mut superblock)?;
    let used = file_system_bytes(&superblock)
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "there is no file system of ext4"))?;
    Ok(room >= used.saturating_add(ROUNDING))
}

/// How many bytes a file system has, by its superblock (`struct ext4_super_block`).
fn file_system_bytes(superblock: &[u8; 1024]) -> Option<u64> {
    let word = |at: usize| {
        let octets = superblock.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(octets))
    };
    let magic = superblock.get(0x38..0x3A)?;
    if magic != 0xEF53_u16.to_le_bytes() {
        return None;
    }
    let is_64bit = word(0x60)? & 0x80 != 0;
    let high = if is_64bit { word(0x150)? } else { 0 };
    let blocks = (u64::from(high) << 32) | u64::from(word(0x04)?);
    let block = 1024_u64.checked_shl(word(0x18)?)?;
    blocks.checked_mul(block)
}

fn read_table(device: &Path) -> io::Result<Table> {
    let mut sector = [0; 512];
    File::open(device)?.read_exact(&mut sector)?;
    Table::parse(&sector).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_loader_says_disk_and_slot() {
        let line = "BOOT_IMAGE=/boot/vmlinuz root=PARTUUID=4f420001-03 slot=B quiet panic=5\n";
        let start = Start::parse(line).expect("complete");
        assert_eq!(start.signature, 0x4F42_0001);
        assert_eq!((start.slot, start.partition()), (Slot::B, 3));
        assert!(!start.is_tried);
        for (word, is_tried) in [("trial=0", false), ("trial=1", true)] {
            let start = Start::parse(&format!("{word} {line}")).expect("complete");
            assert_eq!(start.is_tried, is_tried);
        }
        for line in [
            "slot=A",
            "root=PARTUUID=4f420001-02 slot=C",
            "root=PARTUUID=xyz-02 slot=A",
        ] {
            assert!(Start::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn of_two_cards_of_one_image_the_one_that_was_started_is_taken_or_none() {
        let card = |name: &str| {
            let mut sector = [0; 512];
            sector[510..].copy_from_slice(&[0x55, 0xAA]);
            Card {
                name: name.into(),
                table: Table::parse(&sector).expect("a table"),
            }
        };
        let found = |names: &[&str], root| {
            let cards = names.iter().map(|name| card(name)).collect();
            let found = the_one(cards, root).map_err(|error| error.to_string())?;
            Ok::<_, String>(found.map(|card| card.name))
        };
        assert_eq!(found(&[], Some("sda")), Ok(None));
        // Before the root is there.
        assert_eq!(found(&["sda"], None), Ok(Some("sda".into())));
        for started in ["sda", "sdb"] {
            let taken = found(&["sda", "sdb"], Some(started));
            assert_eq!(taken, Ok(Some(started.into())));
        }
        for root in [None, Some("sdc")] {
            let refused = found(&["sda", "sdb"], root).expect_err("nobody knows");
            assert!(refused.starts_with("sda, sdb are"), "{refused}");
        }
    }

    #[test]
    fn a_partition_is_on_the_disk_whose_folder_it_is_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = folder.path().join("block/sda");
        fs::create_dir_all(disk.join("sda2")).expect("made");
        fs::write(disk.join("sda2/partition"), "2\n").expect("written");
        assert_eq!(disk_of(&disk.join("sda2")).as_deref(), Some("sda"));
        assert_eq!(disk_of(&disk), None, "a whole disk");
        assert_eq!(disk_of(&disk.join("gone")), None);
    }

    #[test]
    fn a_power_cut_while_the_data_grows_is_made_good_by_the_next_start() {
        const MIB: u64 = 1 << 20;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("partition");
        let mut superblock = [0; 1024];
        superblock[0x18] = 2;
        superblock[0x38..0x3A].copy_from_slice(&[0x53, 0xEF]);
        let mut write = |blocks: u64, bytes: u64| {
            superblock[0x04..0x08].copy_from_slice(&blocks.to_le_bytes()[..4]);
            superblock[0x150..0x154].copy_from_slice(&blocks.to_le_bytes()[4..]);
            superblock[0x60] = if blocks >> 32 > 0 { 0x80 } else { 0 };
            let mut file = File::create(&path).expect("made");
            file.seek(SeekFrom::Start(SUPERBLOCK_AT)).expect("there");
            file.write_all(&superblock).expect("written");
            file.set_len(bytes).expect("set");
        };
        write(64 * MIB / 4096, 64 * MIB);
        assert!(!has_room(&path).expect("read"), "as delivered");
        // The partition has grown; then the power went.
        write(64 * MIB / 4096, 4000 * MIB);
        assert!(has_room(&path).expect("read"));
        write(3998 * MIB / 4096, 4000 * MIB);
        assert!(!has_room(&path).expect("read"), "the rest is too small");
        write(1 << 33, 4000 * MIB);
        assert!(!has_room(&path).expect("read"), "numbers have 64 bits");
        fs::write(&path, [0; 4096]).expect("written");
        assert!(has_room(&path).is_err());
    }
}
