//! The names of the time zones that the machine has.

use std::fs;
use std::io::Read;
use std::path::Path;

const FOLDER: &str = "/usr/share/zoneinfo";

/// The same zones once more: as they are, and with leap seconds.
const AGAIN: [&str; 2] = ["posix", "right"];

/// Names have three parts at most, as America/Argentina/Ushuaia.
const PARTS: usize = 3;

/// How a file of a zone begins (RFC 9636 §3.1).
const MARK: &[u8] = b"TZif";

/// All of them, sorted; none where the machine has no list. The files are what there is: lists of them lack one
/// kind of name or another, and not every system has them.
pub fn all() -> Vec<String> {
    all_in(Path::new(FOLDER))
}

fn all_in(folder: &Path) -> Vec<String> {
    let mut zones = Vec::new();
    walk(folder, "", PARTS, &mut zones);
    zones.sort();
    zones
}

fn walk(folder: &Path, before: &str, parts: usize, zones: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // Names of zones begin so; `posixrules` and tables do not, and `localtime` is none.
        let is_again = before.is_empty() && AGAIN.contains(&name.as_str());
        if is_again || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            continue;
        }
        let path = entry.path();
        let zone = format!("{before}{name}");
        if path.is_dir() {
            if parts > 1 {
                walk(&path, &format!("{zone}/"), parts - 1, zones);
            }
        } else if is_zone(&path) {
            zones.push(zone);
        }
    }
}

fn is_zone(path: &Path) -> bool {
    let mut mark = [0; MARK.len()];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut mark));
    read.is_ok() && mark == MARK
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// As Buildroot lays it out: each zone is a link into `posix`.
    #[test]
    fn every_zone_that_there_is_has_its_name_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let zones = [
            "America/Argentina/Ushuaia",
            "Etc/UTC",
            "Europe/Bratislava",
            "Europe/Prague",
            "UTC",
        ];
        for zone in zones {
            for again in AGAIN {
                let file = path(again).join(zone);
                fs::create_dir_all(file.parent().expect("a folder")).expect("made");
                fs::write(file, b"TZif2 and more").expect("written");
            }
        }
        for name in ["America", "Etc", "Europe", "UTC"] {
            symlink(path("posix").join(name), path(name)).expect("linked");
        }
        for (name, text) in [
            ("zone1970.tab", "CZ"),
            ("leapseconds", "#"),
            ("README", "no zone"),
            ("posixrules", "TZif2"),
            ("localtime", "TZif2"),
        ] {
            fs::write(path(name), text).expect("written");
        }
        assert_eq!(all_in(folder.path()), zones);
        assert!(all_in(&path("missing")).is_empty());
    }
}
