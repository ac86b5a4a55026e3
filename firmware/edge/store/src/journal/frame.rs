//! How records lie in a file of the journal, and how far a file can be trusted.
//!
//! A file is an eight-byte header and frames: length of the payload and CRC-32 of length and
//! payload, four bytes each, the lower first; then the payload, a byte for its kind and JSON. What
//! doesn't add up, zeros included, ends the file.

use std::io;
use std::ops::Range;

use model::{Binding, CallId, CallRecord, ExtensionId, OpenCall, UnendedDialog};
use serde::{Deserialize, Serialize};

use super::LiveRecord;

/// The start of each file; the digit is the version of the format.
pub(super) const HEADER: &[u8; 8] = b"OBLIVE1\n";
/// What headers of all versions have in common.
const HEADER_STEM: &[u8; 6] = b"OBLIVE";
const PREFIX: usize = 8;
/// No record is near it: a REGISTER of 64 KB, the largest over UDP, makes the longest.
const MAX_PAYLOAD: usize = 1024 * 1024;

/// What a frame says.
#[derive(Debug)]
pub(super) enum Entry {
    Live(LiveRecord),
    /// These are in the history.
    Stored(Vec<CallId>),
    /// The highest call id so far.
    LastCall(CallId),
    /// A snapshot ends here, and so is whole.
    End,
    /// Whole, but not to be understood: other software wrote it.
    Unknown,
}

const PUT: u8 = b'B';
const REMOVE: u8 = b'b';
const OPENED: u8 = b'O';
const CLOSED: u8 = b'C';
const LEFT: u8 = b'D';
const TAKEN: u8 = b'd';
const STORED: u8 = b'S';
const LAST_CALL: u8 = b'L';
const END: u8 = b'E';

#[derive(Serialize, Deserialize)]
struct Gone<C> {
    extension: ExtensionId,
    contact: C,
}

/// Appends the frame of a record; returns where it lies.
pub(super) fn put_record(buffer: &mut Vec<u8>, record: &LiveRecord) -> io::Result<Range<usize>> {
    match record {
        LiveRecord::BindingPut(binding) => put(buffer, PUT, binding),
        LiveRecord::BindingRemove { extension, contact } => {
            let extension = *extension;
            put(buffer, REMOVE, &Gone { extension, contact })
        }
        LiveRecord::CallOpened(call) => put(buffer, OPENED, call),
        LiveRecord::CallClosed(call) => put(buffer, CLOSED, call),
        LiveRecord::DialogLeft(dialog) => put(buffer, LEFT, dialog),
        LiveRecord::DialogsTaken => put(buffer, TAKEN, &()),
    }
}

/// Appends the frame that says calls are in the history.
pub(super) fn put_stored(buffer: &mut Vec<u8>, calls: &[CallId]) -> io::Result<Range<usize>> {
    put(buffer, STORED, calls)
}

/// Appends the frame of the highest call id.
pub(super) fn put_last_call(buffer: &mut Vec<u8>, call: CallId) -> io::Result<Range<usize>> {
    put(buffer, LAST_CALL, &call)
}

/// Appends the frame that ends a snapshot.
pub(super) fn put_end(buffer: &mut Vec<u8>) -> io::Result<Range<usize>> {
    put(buffer, END, &())
}

fn put<T: Serialize + ?Sized>(
    buffer: &mut Vec<u8>,
    kind: u8,
    body: &T,
) -> io::Result<Range<usize>> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; PREFIX]);
    buffer.push(kind);
    serde_json::to_writer(&mut *buffer, body)?;
    let payload = buffer.len() - start - PREFIX;
    if payload > MAX_PAYLOAD {
        buffer.truncate(start);
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a record for the live journal is too long",
        ));
    }
    // At most a MiB, as just compared.
    let length = (payload as u32).to_le_bytes();
    let crc = crc32(&[&length, &buffer[start + PREFIX..]]).to_le_bytes();
    buffer[start..start + 4].copy_from_slice(&length);
    buffer[start + 4..start + PREFIX].copy_from_slice(&crc);
    Ok(start..buffer.len())
}

/// What the start of a file says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// It is one of ours.
    Good,
    /// It is of a version that isn't known.
    Newer,
    /// It was never written to its end.
    Torn,
}

pub(super) fn header(bytes: &[u8]) -> Header {
    if bytes.starts_with(HEADER) {
        Header::Good
    } else if bytes.len() >= HEADER.len() && bytes.starts_with(HEADER_STEM) {
        Header::Newer
    } else {
        Header::Torn
    }
}

/// Reads frames one after the other, from behind the header to the first that isn't whole.
pub(super) struct Frames<'a> {
    bytes: &'a [u8],
    /// Behind the last whole frame.
    pub(super) at: usize,
}

impl<'a> Frames<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: HEADER.len(),
        }
    }
}

impl<'a> Iterator for Frames<'a> {
    /// The whole frame, and what it says.
    type Item = (&'a [u8], Entry);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..)?;
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (crc, after) = after.split_first_chunk::<4>()?;
        let payload_length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        if payload_length == 0 || payload_length > MAX_PAYLOAD {
            return None;
        }
        let payload = after.get(..payload_length)?;
        if crc32(&[length, payload]) != u32::from_le_bytes(*crc) {
            return None;
        }
        let frame = rest.get(..PREFIX + payload_length)?;
        self.at += frame.len();
        let (kind, body) = payload.split_first()?;
        Some((frame, entry(*kind, body).unwrap_or(Entry::Unknown)))
    }
}

/// The call of a frame in memory.
pub(super) fn call_of(frame: &[u8]) -> Option<CallRecord> {
    serde_json::from_slice(frame.get(PREFIX + 1..)?).ok()
}

/// The call under way of a frame in memory.
pub(super) fn open_call_of(frame: &[u8]) -> Option<OpenCall> {
    serde_json::from_slice(frame.get(PREFIX + 1..)?).ok()
}

/// The dialog of a frame in memory.
pub(super) fn dialog_of(frame: &[u8]) -> Option<UnendedDialog> {
    serde_json::from_slice(frame.get(PREFIX + 1..)?).ok()
}

/// The registration of a frame in memory.
pub(super) fn binding_of(frame: &[u8]) -> Option<Binding> {
    serde_json::from_slice(frame.get(PREFIX + 1..)?).ok()
}

fn entry(kind: u8, body: &[u8]) -> Result<Entry, serde_json::Error> {
    Ok(match kind {
        PUT => Entry::Live(LiveRecord::BindingPut(serde_json::from_slice(body)?)),
        REMOVE => {
            let Gone { extension, contact } = serde_json::from_slice(body)?;
            Entry::Live(LiveRecord::BindingRemove { extension, contact })
        }
        OPENED => Entry::Live(LiveRecord::CallOpened(serde_json::from_slice(body)?)),
        CLOSED => Entry::Live(LiveRecord::CallClosed(serde_json::from_slice(body)?)),
        LEFT => Entry::Live(LiveRecord::DialogLeft(serde_json::from_slice(body)?)),
        TAKEN => Entry::Live(LiveRecord::DialogsTaken),
        STORED => Entry::Stored(serde_json::from_slice(body)?),
        LAST_CALL => Entry::LastCall(serde_json::from_slice(body)?),
        END => Entry::End,
        _ => Entry::Unknown,
    })
}

/// The CRC-32 of IEEE 802.3, over parts as if they were one, four bytes a step.
fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = !0_u32;
    for part in parts {
        let (chunks, rest) = part.as_chunks::<4>();
        for chunk in chunks {
            let x = (crc ^ u32::from_le_bytes(*chunk)).to_le_bytes();
            crc = CRC[3][usize::from(x[0])]
                ^ CRC[2][usize::from(x[1])]
                ^ CRC[1][usize::from(x[2])]
                ^ CRC[0][usize::from(x[3])];
        }
        for byte in rest {
            crc = (crc >> 8) ^ CRC[0][usize::from(crc.to_le_bytes()[0] ^ byte)];
        }
    }
    !crc
}

/// `CRC[n][b]`: the remainder of byte `b` with `n` zero bytes behind it.
static CRC: [[u32; 256]; 4] = {
    let mut table = [[0_u32; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[0][byte] = crc;
        byte += 1;
    }
    let mut zeros = 1;
    while zeros < 4 {
        let mut byte = 0;
        while byte < 256 {
            let crc = table[zeros - 1][byte];
            table[zeros][byte] = (crc >> 8) ^ table[0][(crc & 0xff) as usize];
            byte += 1;
        }
        zeros += 1;
    }
    table
};

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The checksum of a frame made by hand.
    pub(in crate::journal) fn crc_of(length: &[u8], payload: &[u8]) -> [u8; 4] {
        crc32(&[length, payload]).to_le_bytes()
    }

    #[test]
    fn the_checksum_is_the_common_one() {
        // The check value of every CRC catalogue.
        assert_eq!(crc32(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(crc32(&[b"12345", b"6789"]), 0xcbf4_3926);
        assert_eq!(crc32(&[]), 0);
    }

    #[test]
    fn a_flipped_bit_ends_the_file() {
        let mut file = HEADER.to_vec();
        put_last_call(&mut file, CallId::new(1)).unwrap();
        let whole = file.len();
        put_last_call(&mut file, CallId::new(2)).unwrap();
        for at in whole..file.len() {
            for bit in 0..8 {
                let mut damaged = file.clone();
                damaged[at] ^= 1 << bit;
                let mut frames = Frames::new(&damaged);
                assert_eq!(frames.by_ref().count(), 1);
                assert_eq!(frames.at, whole);
            }
        }
        file.extend([0; 4096]);
        assert_eq!(Frames::new(&file).count(), 2);
    }
}
