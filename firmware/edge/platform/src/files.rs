//! Small files that survive a power cut: read whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::warn;

/// Writes a file so that after a power cut at any moment it holds the old octets or the new ones. Its
/// folder is made where it is missing. A link that stands in the way is replaced, not followed: others
/// may write in the folder too.
///
/// # Errors
/// What the disk says; the old file stays then.
pub fn write(path: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    fs::create_dir_all(folder)?;
    let new = beside(path, ".new");
    if let Err(error) = fs::remove_file(&new)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(&new)?;
    file.write_all(octets)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&new, path)?;
    sync_folder(folder)
}

/// Removes a file for good; one that isn't there is removed already.
///
/// # Errors
/// What the disk says.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_folder(folder_of(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Brings what was made, renamed and removed in a folder to the disk.
///
/// # Errors
/// What the disk says.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Writes settings as JSON, as [`write()`] does. What is there and can't be understood is set aside as
/// `NAME.unreadable`: another version of the software may understand it.
///
/// # Errors
/// What the disk says.
pub fn write_settings<T: Serialize + DeserializeOwned>(
    path: &Path,
    settings: &T,
) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(settings).map_err(io::Error::other)?;
    text.push(b'\n');
    if matches!(read::<T>(path), Found::Strange(_)) {
        let aside = unreadable(path);
        let moved = fs::rename(path, &aside).is_ok();
        warn!(path = %path.display(), moved, "settings that can't be understood are set aside");
    }
    write(path, &text)
}

/// Reads settings; none where there is no file. A file that can't be understood counts as none and stays,
/// which the log says: a machine starts with what it was delivered with rather than not at all, and another
/// version of the software may be back tomorrow. It finds there, or as `NAME.unreadable`, what it wrote.
#[must_use]
pub fn read_settings<T: DeserializeOwned>(path: &Path) -> Option<T> {
    match read(path) {
        Found::Settings(settings) => return Some(settings),
        Found::Nothing => {}
        Found::Strange(error) => {
            warn!(path = %path.display(), %error, "settings can't be understood: going on without them");
            return None;
        }
        Found::Failed(error) => {
            warn!(path = %path.display(), %error, "settings can't be read: going on without them");
            return None;
        }
    }
    let aside = unreadable(path);
    match read(&aside) {
        Found::Settings(settings) => {
            warn!(path = %aside.display(), "settings are understood that were set aside: going on with them");
            Some(settings)
        }
        _ => None,
    }
}

/// What a file of settings holds.
enum Found<T> {
    Settings(T),
    Nothing,
    Strange(serde_json::Error),
    Failed(io::Error),
}

fn read<T: DeserializeOwned>(path: &Path) -> Found<T> {
    match fs::read(path) {
        Ok(octets) => match serde_json::from_slice(&octets) {
            Ok(settings) => Found::Settings(settings),
            Err(error) => Found::Strange(error),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Failed(error),
    }
}

fn unreadable(path: &Path) -> PathBuf {
    beside(path, ".unreadable")
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn settings_come_back_as_they_were_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("system/network.json");
        assert_eq!(read_settings::<Vec<u8>>(&path), None);
        write_settings(&path, &[1, 2, 3]).expect("written");
        write_settings(&path, &[4]).expect("written again");
        assert_eq!(read_settings(&path), Some(vec![4]));
    }

    #[test]
    fn what_a_power_cut_left_beside_them_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("time.json");
        write_settings(&path, &"old".to_owned()).expect("written");
        fs::write(folder.path().join("time.json.new"), b"\"ne").expect("half");
        assert_eq!(read_settings(&path), Some("old".to_owned()));
        write_settings(&path, &"new".to_owned()).expect("written over it");
        assert_eq!(read_settings(&path), Some("new".to_owned()));
    }

    #[test]
    fn a_link_in_the_way_leads_nowhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::write(at("other"), b"kept").expect("written");
        for name in ["marker", "marker.new"] {
            symlink(at("other"), at(name)).expect("linked");
        }
        write(&at("marker"), b"new").expect("written");
        assert_eq!(fs::read(at("other")).expect("there"), b"kept");
        let marker = fs::symlink_metadata(at("marker")).expect("there");
        assert!(marker.is_file());
        assert_eq!(fs::read(at("marker")).expect("there"), b"new");
    }

    #[test]
    fn settings_of_another_version_stay_until_others_are_written_and_are_set_aside_then() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("network.json");
        let aside = folder.path().join("network.json.unreadable");
        let theirs = vec!["a".to_owned()];
        write_settings(&path, &theirs).expect("written");
        // Looking changes nothing for the other version.
        assert_eq!(read_settings::<Vec<u8>>(&path), None);
        assert_eq!(read_settings(&path), Some(theirs.clone()));
        assert!(!aside.exists());
        write_settings(&path, &vec![1_u8]).expect("written");
        assert_eq!(read_settings(&path), Some(vec![1_u8]));
        assert_eq!(read_settings(&aside), Some(theirs.clone()));
        // A power cut before the new ones were there.
        fs::remove_file(&path).expect("removed");
        assert_eq!(read_settings(&path), Some(theirs));
        assert_eq!(read_settings::<Vec<u8>>(&path), None);
    }

    #[test]
    fn settings_that_nobody_understands_count_as_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("network.json");
        fs::write(&path, b"{ half").expect("written");
        assert_eq!(read_settings::<Vec<u8>>(&path), None);
        assert_eq!(fs::read(&path).expect("kept"), b"{ half");
    }

    #[test]
    fn removing_twice_is_removing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("marker");
        write(&path, b"").expect("written");
        remove(&path).expect("removed");
        remove(&path).expect("was removed");
    }
}
