//! Files of the journal as a kill, a broken disk or other software may leave them: it opens, says
//! the same when it is opened again, and keeps what is appended then.
//!
//! The input is a list of parts, divided by NUL bytes, of which the first byte says into which file
//! it goes and whether as a frame that adds up, as one that doesn't, or just so.

#![no_main]

use std::fs;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use model::{ExtensionId, WallTime};
use store::{Journal, JournalError, LiveRecord, Recovered};

const NAMES: [&str; 4] = [
    "0000000000000001.log",
    "0000000000000002.log",
    "0000000000000001.snapshot",
    "0000000000000002.snapshot",
];

/// CRC-32 of IEEE 802.3, bit by bit: the journal's own is made of tables.
fn crc32(octets: impl Iterator<Item = u8>) -> u32 {
    !octets.fold(!0, |crc, octet| {
        (0..8).fold(crc ^ u32::from(octet), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

fn frame(file: &mut Vec<u8>, payload: &[u8], damage: u32) {
    let length = u32::try_from(payload.len()).expect("short").to_le_bytes();
    let crc = crc32(length.iter().chain(payload).copied()) ^ damage;
    file.extend(length);
    file.extend(crc.to_le_bytes());
    file.extend(payload);
}

fn open(dir: &Path) -> Option<(Journal, Recovered)> {
    match Journal::open_with(dir, WallTime::from_unix_seconds(1_700_000_000), 4096) {
        Ok(opened) => Some(opened),
        Err(JournalError::Newer(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

fuzz_target!(|octets: &[u8]| {
    let mut files: [Vec<u8>; 4] = Default::default();
    for part in octets.split(|octet| *octet == 0).take(64) {
        let Some((how, payload)) = part.split_first() else {
            continue;
        };
        let file = &mut files[usize::from(how & 3)];
        if file.is_empty() && how & 0x20 == 0 {
            file.extend(b"OBLIVE1\n");
        }
        match how & 0x0C {
            0 | 4 => frame(file, payload, 0),
            8 => frame(file, payload, 1),
            _ => file.extend(payload),
        }
    }
    // In memory, where there is such a place: what is tried is the reading, not the disk.
    let dir = ["/dev/shm", "/tmp"]
        .iter()
        .find_map(|place| tempfile::tempdir_in(place).ok())
        .expect("a place for files");
    let live = dir.path().join("live");
    fs::create_dir(&live).expect("a fresh directory");
    for (name, content) in NAMES.iter().zip(&files) {
        if !content.is_empty() {
            fs::write(live.join(name), content).expect("room");
        }
    }
    let Some((journal, first)) = open(dir.path()) else {
        return;
    };
    drop(journal);
    let (mut journal, second) = open(dir.path()).expect("as before");
    assert_eq!(same(&first), same(&second));
    let interrupted = first.open.first().map(|call| &call.record);
    let Some(call) = interrupted.or(first.closed.first()) else {
        let gone = LiveRecord::BindingRemove {
            extension: ExtensionId::new(1),
            contact: "sip:101@10.0.0.1".into(),
        };
        journal.append(&[gone]).expect("room");
        return;
    };
    let closed = LiveRecord::CallClosed(call.clone());
    journal.append(&[closed]).expect("room");
    drop(journal);
    let (_, third) = open(dir.path()).expect("as before");
    assert!(third.closed.contains(call));
    assert!(third.open.iter().all(|open| open.record.call != call.call));
});

/// Without the bytes that were cut off in between.
fn same(recovered: &Recovered) -> Recovered {
    Recovered {
        torn_bytes: 0,
        ..recovered.clone()
    }
}
