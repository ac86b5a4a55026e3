//! The partition table of a card: the classic one of a PC's first sector, four entries and no more.

use thiserror::Error;

/// Bytes of a sector; all numbers in the table count sectors.
pub const SECTOR: u64 = 512;

const SIGNATURE_AT: usize = 440;
const ENTRIES_AT: usize = 446;
const ENTRY: usize = 16;

/// What a partition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// FAT 16 with boot files.
    Fat16,
    /// A Linux file system.
    Linux,
    /// Something else, by its number.
    Other(u8),
}

/// One partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// What it is for.
    pub kind: Kind,
    /// The BIOS may start from it.
    pub bootable: bool,
    /// Its first sector.
    pub start: u32,
    /// How many sectors it has.
    pub sectors: u32,
}

/// The table, with the signature that tells this disk from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// The disk's signature, the first half of Linux' `PARTUUID`.
    pub signature: u32,
    /// The four partitions.
    pub partitions: [Option<Partition>; 4],
}

/// Why a sector holds no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoTable {
    /// It doesn't end in 55 AA.
    #[error("the sector has no boot signature")]
    Mark,
}

impl Table {
    /// The table in a disk's first sector.
    ///
    /// # Errors
    /// Where there is none.
    pub fn parse(sector: &[u8; 512]) -> Result<Self, NoTable> {
        if sector[510..] != [0x55, 0xAA] {
            return Err(NoTable::Mark);
        }
        let word = |at: usize| {
            u32::from_le_bytes([sector[at], sector[at + 1], sector[at + 2], sector[at + 3]])
        };
        let partitions = core::array::from_fn(|index| {
            let at = ENTRIES_AT + index * ENTRY;
            let (kind, sectors) = (sector[at + 4], word(at + 12));
            (kind != 0 && sectors != 0).then(|| Partition {
                kind: match kind {
                    0x04 | 0x06 | 0x0E => Kind::Fat16,
                    0x83 => Kind::Linux,
                    other => Kind::Other(other),
                },
                bootable: sector[at] == 0x80,
                start: word(at + 8),
                sectors,
            })
        });
        Ok(Self {
            signature: word(SIGNATURE_AT),
            partitions,
        })
    }

    /// Writes the table into a sector and leaves the boot code in it alone.
    pub fn write(&self, sector: &mut [u8; 512]) {
        sector[SIGNATURE_AT..SIGNATURE_AT + 4].copy_from_slice(&self.signature.to_le_bytes());
        sector[SIGNATURE_AT + 4..ENTRIES_AT].fill(0);
        for (index, partition) in self.partitions.iter().enumerate() {
            let entry = &mut sector[ENTRIES_AT + index * ENTRY..][..ENTRY];
            entry.fill(0);
            let Some(partition) = partition else { continue };
            entry[0] = if partition.bootable { 0x80 } else { 0 };
            entry[4] = match partition.kind {
                Kind::Fat16 => 0x06,
                Kind::Linux => 0x83,
                Kind::Other(kind) => kind,
            };
            // Cylinder, head and sector say "beyond what fits here": everybody reads the next two.
            entry[1..4].copy_from_slice(&[0xFE, 0xFF, 0xFF]);
            entry[5..8].copy_from_slice(&[0xFE, 0xFF, 0xFF]);
            entry[8..12].copy_from_slice(&partition.start.to_le_bytes());
            entry[12..].copy_from_slice(&partition.sectors.to_le_bytes());
        }
        sector[510..].copy_from_slice(&[0x55, 0xAA]);
    }

    /// The table with its last partition grown to the end of a disk of so many sectors; none where it
    /// reaches it already.
    #[must_use]
    pub fn grown(&self, disk_sectors: u64) -> Option<Self> {
        // The table counts to 2 TiB.
        let end = u32::try_from(disk_sectors).unwrap_or(u32::MAX);
        let mut table = *self;
        let last = table.partitions.iter_mut().flatten().last()?;
        let sectors = end.checked_sub(last.start)?;
        // Less than a mebibyte is rounding.
        if sectors < last.sectors.saturating_add(2048) {
            return None;
        }
        last.sectors = sectors;
        Some(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let partition = |kind, start, sectors| {
            Some(Partition {
                kind,
                bootable: start == 2048,
                start,
                sectors,
            })
        };
        Table {
            signature: 0x4F42_0001,
            partitions: [
                partition(Kind::Fat16, 2048, 32_768),
                partition(Kind::Linux, 34_816, 100_000),
                partition(Kind::Linux, 134_816, 100_000),
                partition(Kind::Linux, 234_816, 8192),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_and_boot_code_stays() {
        let mut sector = [0xEB; 512];
        table().write(&mut sector);
        assert_eq!(Table::parse(&sector), Ok(table()));
        assert!(sector[..440].iter().all(|byte| *byte == 0xEB));
        assert_eq!(Table::parse(&[0; 512]), Err(NoTable::Mark));
    }

    #[test]
    fn the_last_partition_grows_to_the_end_and_no_other() {
        let grown = table().grown(16_000_000).expect("room");
        assert_eq!(grown.partitions[..3], table().partitions[..3]);
        let last = grown.partitions[3].expect("data");
        assert_eq!(last.start + last.sectors, 16_000_000);
        assert_eq!(grown.grown(16_000_000), None);
        assert_eq!(table().grown(100), None, "a smaller card");
    }
}
