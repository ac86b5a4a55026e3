//! Zones of the tz database.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use jiff::tz::TimeZone;

/// The longest name of a zone; those of the database are half of that.
const NAME: usize = 64;

/// Whether the database in this folder has a zone of this name.
pub fn is_known(database: &Path, zone: &str) -> bool {
    let is_name = (1..=NAME).contains(&zone.len())
        && (zone.bytes()).all(|octet| octet.is_ascii_alphanumeric() || b"/_+-".contains(&octet))
        && zone.split('/').all(|part| !part.is_empty());
    is_name
        && fs::read(database.join(zone)).is_ok_and(|octets| TimeZone::tzif(zone, &octets).is_ok())
}

/// Makes the link that programs find the zone by.
pub fn link(link: &Path, database: &Path, zone: &str) -> io::Result<()> {
    let target = database.join(zone);
    if fs::read_link(link).is_ok_and(|old| old == target) {
        return Ok(());
    }
    let mut new = link.as_os_str().to_owned();
    new.push(".new");
    let _ = fs::remove_file(&new);
    symlink(target, &new)?;
    fs::rename(new, link)
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The smallest file of the database: version 1, one kind of time, no transitions, "UTC".
    pub fn utc() -> Vec<u8> {
        let mut octets = b"TZif\0".to_vec();
        octets.extend([0; 15]);
        for count in [0_u32, 0, 0, 0, 1, 4] {
            octets.extend(count.to_be_bytes());
        }
        octets.extend([0, 0, 0, 0, 0, 0]);
        octets.extend(b"UTC\0");
        octets
    }

    #[test]
    fn zones_are_those_of_the_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("zoneinfo");
        fs::create_dir_all(database.join("Europe")).expect("made");
        fs::write(database.join("Europe/Prague"), utc()).expect("written");
        fs::write(database.join("zone.tab"), b"CZ +5005 Europe/Prague").expect("written");
        fs::write(folder.path().join("secret"), utc()).expect("written");
        assert!(is_known(&database, "Europe/Prague"));
        for name in [
            "",
            "Europe",
            "Europe/Brno",
            "zone.tab",
            "../secret",
            "/etc/localtime",
            "Europe//Prague",
        ] {
            assert!(!is_known(&database, name), "{name}");
        }
    }

    #[test]
    fn a_zone_is_found_by_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("localtime");
        for zone in ["Europe/Prague", "Etc/UTC", "Etc/UTC"] {
            link(&path, Path::new("/usr/share/zoneinfo"), zone).expect("linked");
            let target = fs::read_link(&path).expect("a link");
            assert_eq!(target, Path::new("/usr/share/zoneinfo").join(zone));
        }
    }
}
