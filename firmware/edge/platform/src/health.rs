//! How the machine is: processors, memory, room for data, what was written to the card, heat.
//!
//! Everything is read from `/proc` and `/sys`; a figure that can't be had is zero or none, since the
//! others are still worth showing.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use model::system::Health;
use nix::sys::stat::{major, minor};
use nix::sys::statvfs::statvfs;

/// The kernel counts in these whatever the disk's own sectors are.
const SECTOR: u64 = 512;

/// A sensor that says less or more is broken, or not connected.
const PLAUSIBLE_C: core::ops::RangeInclusive<f32> = -40.0..=150.0;

/// Ticks between two notes of what was written: a minute.
const NOTE_EVERY: u32 = 60;

/// So many notes are an hour.
const NOTES: usize = 60;

/// Keeps what rates are measured from.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    before: Option<CpuTimes>,
    cpu: f32,
    written: LastHour,
}

impl Meter {
    /// Measures the processors since the last call, and now and then the disk that `data` is on; to be
    /// called once a second.
    pub fn tick(&mut self, data: &Path) {
        self.written.tick(|| written_to(data));
        let now = CpuTimes::parse(&text("/proc/stat"));
        if let (Some(before), Some(now)) = (self.before, now) {
            self.cpu = now.load_since(before);
        }
        self.before = now;
    }

    /// Everything, with the `board` it is, the folder its `data` is in, and how many `restarts` there
    /// were.
    #[must_use]
    pub fn read(&self, board: &str, data: &Path, restarts: u32) -> Health {
        let memory = Memory::parse(&text("/proc/meminfo")).unwrap_or_default();
        let (disk_total, disk_available) = room(data);
        let disk_written = written_to(data);
        Health {
            board: board.to_owned(),
            uptime_s: uptime_s(&text("/proc/uptime")),
            cpu: self.cpu,
            memory_total: memory.total,
            memory_available: memory.available,
            disk_total,
            disk_available,
            disk_written: disk_written.unwrap_or(0),
            disk_written_hour: disk_written.map_or(0, |now| self.written.sum(now)),
            temperature_c: hottest_c(Path::new("/sys/class")),
            restarts,
        }
    }
}

/// What was written within an hour, to the minute.
#[derive(Clone, Debug, Default)]
struct LastHour {
    ticks: u32,
    /// The counter as it was each minute of the hour, the first first.
    notes: VecDeque<u64>,
}

impl LastHour {
    fn tick(&mut self, counter: impl FnOnce() -> Option<u64>) {
        if self.ticks.is_multiple_of(NOTE_EVERY)
            && let Some(now) = counter()
        {
            if self.notes.len() == NOTES {
                self.notes.pop_front();
            }
            self.notes.push_back(now);
        }
        self.ticks = self.ticks.wrapping_add(1);
    }

    /// Up to now, where the counter is at `now`.
    fn sum(&self, now: u64) -> u64 {
        let first = self.notes.front().copied().unwrap_or(now);
        now.saturating_sub(first)
    }
}

/// What the processors did since the start, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CpuTimes {
    all: u64,
    idle: u64,
}

impl CpuTimes {
    /// From the first line of `/proc/stat`: user nice system idle iowait irq softirq steal. The times
    /// of guests, which follow, are in user and nice already.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let times: Vec<u64> = line
            .split_ascii_whitespace()
            .take(8)
            .map_while(|time| time.parse().ok())
            .collect();
        let idle = *times.get(3)? + times.get(4).copied().unwrap_or(0);
        let all = times.iter().sum();
        Some(Self { all, idle })
    }

    /// The part of the time that was in use, 0 to 1.
    fn load_since(self, before: Self) -> f32 {
        let all = self.all.saturating_sub(before.all);
        // The time of waiting for a disk is known to go back.
        let idle = self.idle.saturating_sub(before.idle).min(all);
        if all == 0 {
            return 0.0;
        }
        (all - idle) as f32 / all as f32
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    total: u64,
    available: u64,
}

impl Memory {
    fn parse(meminfo: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
            Some(kib * 1024)
        };
        Some(Self {
            total: bytes("MemTotal:")?,
            available: bytes("MemAvailable:")?,
        })
    }
}

fn uptime_s(uptime: &str) -> u64 {
    let seconds = uptime.split(['.', ' ']).next();
    seconds.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// All bytes and those that ordinary users may still fill.
fn room(folder: &Path) -> (u64, u64) {
    statvfs(folder).map_or((0, 0), |room| {
        room_of(
            wide(room.fragment_size()),
            wide(room.blocks()),
            wide(room.blocks_free()),
            wide(room.blocks_available()),
        )
    })
}

/// As `df` counts: what is kept for the system is neither used nor available. `free` are the blocks
/// that nobody uses, `available` those of them that anybody may use.
fn room_of(unit: u64, blocks: u64, free: u64, available: u64) -> (u64, u64) {
    let used = blocks.saturating_sub(free);
    (
        used.saturating_add(available).saturating_mul(unit),
        available.saturating_mul(unit),
    )
}

/// What the kernel counts in has 32 bits on some machines.
fn wide(count: impl Into<u64>) -> u64 {
    count.into()
}

/// The numbers of the disk that a folder is on; of the whole disk where it is on a partition.
fn disk_of(folder: &Path) -> Option<(u64, u64)> {
    let device = fs::metadata(folder).ok()?.dev();
    let name = format!("/sys/dev/block/{}:{}", major(device), minor(device));
    let mut path = fs::canonicalize(name).ok()?;
    if path.join("partition").exists() {
        path = path.parent()?.to_path_buf();
    }
    let numbers = fs::read_to_string(path.join("dev")).ok()?;
    let (major, minor) = numbers.trim().split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Bytes written since the start to the disk that a folder is on.
fn written_to(folder: &Path) -> Option<u64> {
    written(&text("/proc/diskstats"), disk_of(folder)?)
}

/// Bytes written to a disk since the start.
fn written(diskstats: &str, (major, minor): (u64, u64)) -> Option<u64> {
    diskstats.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let is_it = number(0)? == major && number(1)? == minor;
        if is_it {
            Some(number(9)?.saturating_mul(SECTOR))
        } else {
            None
        }
    })
}

/// The hottest of all sensors below `/sys/class`.
fn hottest_c(class: &Path) -> Option<f32> {
    let chips = entries(&class.join("hwmon")).into_iter().flat_map(|chip| {
        entries(&chip).into_iter().filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("temp") && name.ends_with("_input")
        })
    });
    let zones = entries(&class.join("thermal"))
        .into_iter()
        .map(|zone| zone.join("temp"));
    chips
        .chain(zones)
        .filter_map(|path| degrees(&fs::read_to_string(path).ok()?))
        .max_by(f32::total_cmp)
}

/// Sensors count thousandths.
fn degrees(text: &str) -> Option<f32> {
    let thousandths: i32 = text.trim().parse().ok()?;
    let degrees = thousandths as f32 / 1000.0;
    PLAUSIBLE_C.contains(&degrees).then_some(degrees)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  2030566 1847674 402442 1101051 12772 0 13960 53942 0 0\n\
                        cpu0 1010444 923302 191349 570113 4410 0 4121 26674 0 0\n";

    #[test]
    fn load_is_what_is_neither_idle_nor_waiting() {
        let before = CpuTimes::parse(STAT).expect("as it was on a machine");
        assert_eq!(before.idle, 1_101_051 + 12_772);
        let later = STAT.replace("1101051 12772", "1101126 12772");
        let later = later.replace("2030566", "2030591");
        let now = CpuTimes::parse(&later).expect("a quarter busy");
        assert_eq!(now.load_since(before), 0.25);
        assert_eq!(before.load_since(before), 0.0);
        assert_eq!(before.load_since(now), 0.0, "a counter that went back");
        assert_eq!(CpuTimes::parse("intr 5\n"), None);
    }

    #[test]
    fn memory_is_counted_in_bytes() {
        let meminfo = "MemTotal:       24684092 kB\nMemFree:        11001060 kB\n\
                       MemAvailable:   23734308 kB\nBuffers:           50128 kB\n";
        let memory = Memory::parse(meminfo).expect("as it was on a machine");
        assert_eq!(memory.total, 24_684_092 * 1024);
        assert_eq!(memory.available, 23_734_308 * 1024);
    }

    #[test]
    fn what_was_written_is_that_of_the_whole_disk() {
        let diskstats = "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n 254       0 vda 4198621 161273 122770066 9976680 1836823 1320199 335484184 2743591 0 616332 12949124 907779 395 194029360 173617 381948 55235\n 254       1 vda1 1 0 8 0 2 0 16 0 0 0 0\n";
        assert_eq!(written(diskstats, (254, 0)), Some(335_484_184 * 512));
        assert_eq!(written(diskstats, (254, 1)), Some(16 * 512));
        assert_eq!(written(diskstats, (8, 0)), None);
        assert_eq!(written("7 0", (7, 0)), None);
    }

    #[test]
    fn what_was_written_is_summed_over_an_hour() {
        let mut hour = LastHour::default();
        assert_eq!(hour.sum(9_000_000), 0, "nothing is known yet");
        // A thousand bytes a second, after much at the start.
        let counter = |second: u64| 9_000_000 + second * 1000;
        for second in 0..7200 {
            hour.tick(|| Some(counter(second)));
            if second == 600 {
                assert_eq!(hour.sum(counter(second)), 600_000, "since the start");
            }
        }
        let sum = hour.sum(counter(7199));
        assert!((3_540_000..=3_600_000).contains(&sum), "{sum}");
        hour.tick(|| None);
        assert_eq!(hour.sum(0), 0, "another disk");
    }

    #[test]
    fn the_hottest_sensor_that_works_is_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        assert_eq!(hottest_c(folder.path()), None);
        write("hwmon/hwmon0/temp1_input", "41500\n");
        write("hwmon/hwmon0/temp1_crit", "100000\n");
        write("hwmon/hwmon0/temp2_input", "255000\n");
        write("hwmon/hwmon1/fan1_input", "90000\n");
        write("thermal/thermal_zone0/temp", "27800\n");
        write("thermal/cooling_device0/type", "Processor\n");
        assert_eq!(hottest_c(folder.path()), Some(41.5));
    }

    #[test]
    fn uptime_is_in_whole_seconds() {
        assert_eq!(uptime_s("27182.81 52345.01\n"), 27_182);
        assert_eq!(uptime_s(""), 0);
    }

    #[test]
    fn blocks_kept_for_the_system_are_neither_used_nor_available() {
        assert_eq!(room_of(4096, 1000, 300, 250), (950 * 4096, 250 * 4096));
    }

    #[test]
    fn this_machine_can_say_how_it_is() {
        let mut meter = Meter::default();
        meter.tick(Path::new("/"));
        meter.tick(Path::new("/"));
        let health = meter.read("here", Path::new("/"), 0);
        assert!(health.memory_available > 0 && health.memory_available <= health.memory_total);
        assert!(health.disk_total >= health.disk_available);
        assert!((0.0..=1.0).contains(&health.cpu));
    }
}
