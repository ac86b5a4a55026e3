//! The kernel's log, `/dev/kmsg`: what the kernel says, and on the appliance all programs, whose output goes there.
//!
//! A record is `priority,number,microseconds,flags;text`, its text escaped where it has control characters
//! (Linux, Documentation/ABI/testing/dev-kmsg). Lines that begin with a space are about it, for machines.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;

use model::WallTime;
use model::system::{KERNEL_ROWS, KernelRow};
use nix::errno::Errno;
use nix::fcntl::OFlag;

/// The kernel writes no longer record.
const RECORD: usize = 8192;

/// Records read at most: the largest buffer of a kernel has fewer.
const RECORDS: usize = 200_000;

/// Characters of a row that are told.
const TEXT_CHARS: usize = 400;

/// The newest rows, the oldest first; of those after the row with a number, where one is given.
///
/// # Errors
/// Where there is no such log, or it may not be read.
pub fn read(now: WallTime, after: Option<u64>) -> io::Result<Vec<KernelRow>> {
    let started = started(now, &fs::read_to_string("/proc/uptime")?);
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NONBLOCK.bits())
        .open("/dev/kmsg")?;
    let next = || {
        let mut record = [0; RECORD];
        let len = file.read(&mut record)?;
        Ok(record.get(..len).unwrap_or_default().to_vec())
    };
    newest(next, started, after)
}

/// When the machine started, by how long it is up: `27182.81 52345.01`, in seconds.
fn started(now: WallTime, uptime: &str) -> WallTime {
    let up = uptime
        .split(' ')
        .next()
        .unwrap_or_default()
        .replace('.', "");
    let hundredths: i64 = up.parse().unwrap_or(0);
    WallTime::from_unix_micros(now.as_unix_micros() - hundredths * 10_000)
}

fn newest(
    mut next: impl FnMut() -> io::Result<Vec<u8>>,
    started: WallTime,
    after: Option<u64>,
) -> io::Result<Vec<KernelRow>> {
    let mut rows = VecDeque::new();
    for _ in 0..RECORDS {
        match next() {
            Ok(record) if record.is_empty() => break,
            Ok(record) => {
                let row = parse(&record, started).filter(|row| after < Some(row.number));
                rows.extend(row);
                if rows.len() > KERNEL_ROWS {
                    rows.pop_front();
                }
            }
            // What came next was overwritten meanwhile: it goes on with the oldest there is.
            Err(error) if error.raw_os_error() == Some(Errno::EPIPE as i32) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(rows.into())
}

fn parse(record: &[u8], started: WallTime) -> Option<KernelRow> {
    let record = String::from_utf8_lossy(record);
    let (head, text) = record.lines().next()?.split_once(';')?;
    let mut head = head.split(',');
    let priority: u32 = head.next()?.parse().ok()?;
    let number = head.next()?.parse().ok()?;
    let us: i64 = head.next()?.parse().ok()?;
    Some(KernelRow {
        number,
        at: WallTime::from_unix_micros(started.as_unix_micros().saturating_add(us)),
        // The rest is the facility (syslog(2)).
        level: u8::try_from(priority & 7).ok()?,
        text: text.chars().take(TEXT_CHARS).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: WallTime = WallTime::from_unix_seconds(1_800_000_000);

    fn row(number: u64, level: u8, us: i64, text: &str) -> KernelRow {
        KernelRow {
            number,
            at: WallTime::from_unix_micros(STARTED.as_unix_micros() + us),
            level,
            text: text.into(),
        }
    }

    fn read(records: Vec<Result<&str, Errno>>, after: Option<u64>) -> io::Result<Vec<KernelRow>> {
        let mut records = records.into_iter();
        let next = || match records.next() {
            Some(Ok(record)) => Ok(record.as_bytes().to_vec()),
            Some(Err(errno)) => Err(errno.into()),
            None => Err(Errno::EAGAIN.into()),
        };
        newest(next, STARTED, after)
    }

    #[test]
    fn records_are_read_to_the_newest_and_past_a_gap() {
        let records = || {
            vec![
                Ok("6,1,5000000,-;eth0: link up\n SUBSYSTEM=net\n DEVICE=n2\n"),
                Err(Errno::EPIPE),
                Ok("30,7,6000001,c;pbxd: ready; all is well\n"),
                Ok("no record"),
                Ok("3,8,7000000,-,caller=T1;disk\\x0aerror\n"),
            ]
        };
        let all = [
            row(1, 6, 5_000_000, "eth0: link up"),
            row(7, 6, 6_000_001, "pbxd: ready; all is well"),
            row(8, 3, 7_000_000, "disk\\x0aerror"),
        ];
        assert_eq!(read(records(), None).expect("read"), all);
        assert_eq!(read(records(), Some(1)).expect("read"), all[1..]);
        assert_eq!(read(records(), Some(8)).expect("read"), []);
        assert!(read(vec![Err(Errno::EPERM)], None).is_err());
    }

    #[test]
    fn the_start_is_as_long_ago_as_the_machine_is_up() {
        let now = WallTime::from_unix_micros(STARTED.as_unix_micros() + 27_182_810_000);
        assert_eq!(started(now, "27182.81 52345.01\n"), STARTED);
        assert_eq!(started(now, ""), now);
    }

    #[test]
    fn the_newest_are_kept() {
        let records: Vec<String> = (0..3000).map(|n| format!("6,{n},0,-;row\n")).collect();
        let records = records.iter().map(|record| Ok(record.as_str())).collect();
        let rows = read(records, None).expect("read");
        assert_eq!(rows.len(), KERNEL_ROWS);
        assert_eq!(rows.last().map(|row| row.number), Some(2999));
    }
}
