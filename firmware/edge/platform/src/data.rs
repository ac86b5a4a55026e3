//! What is asked of the data folder as a whole, by markers that survive a power cut: begin with
//! nothing, as delivered; and let the first account's password be set anew.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};

use nix::unistd::User;
use tracing::warn;

use crate::files;

/// Where the settings of the machine are, below the data.
const SYSTEM: &str = "system";

/// The user of the administration, where it has one of its own.
const ADMINISTRATION: &str = "webd";

/// What services keep lies less deep: each file of it is removed by itself.
const DEPTH: u32 = 4;

/// Belongs to the file system itself, not to the data in it.
const FILE_SYSTEM: &str = "lost+found";

/// The folder of the machine's settings.
#[must_use]
pub fn system(data: &Path) -> PathBuf {
    data.join(SYSTEM)
}

fn reset_marker(data: &Path) -> PathBuf {
    system(data).join("factory-reset")
}

/// Among the machine's settings, where only root makes files; the file is the administration's. It asks as
/// long as there is something in it: so the administration, and nobody else, takes back what is asked.
fn password_marker(data: &Path) -> PathBuf {
    system(data).join("forget-admin-password")
}

/// Asks for [`reset_if_asked`] at the next start.
///
/// # Errors
/// What the disk says.
pub fn ask_for_reset(data: &Path) -> io::Result<()> {
    files::write(&reset_marker(data), b"")
}

/// Removes everything in the data folder where [`ask_for_reset`] asked for it; true where it did. To
/// be called before anything else uses the data. A power cut in between is no harm: the marker goes
/// last, so that the next start finishes it. Years of messages take their time: `meanwhile` is called
/// again and again.
///
/// # Errors
/// What the disk says; the marker stays then.
pub fn reset_if_asked(data: &Path, mut meanwhile: impl FnMut()) -> io::Result<bool> {
    reset(data, |path| remove(path, DEPTH, &mut meanwhile))
}

fn reset(data: &Path, mut remove: impl FnMut(&Path) -> io::Result<()>) -> io::Result<bool> {
    let marker = reset_marker(data);
    if !exists(&marker)? {
        return Ok(false);
    }
    warn!(data = %data.display(), "beginning with no settings, as was asked for");
    for entry in fs::read_dir(data)? {
        let entry = entry?;
        if entry.file_name() != SYSTEM && entry.file_name() != FILE_SYSTEM {
            remove(&entry.path())?;
        }
    }
    files::sync_folder(data)?;
    let system = system(data);
    for entry in fs::read_dir(&system)? {
        let path = entry?.path();
        if path != marker {
            remove(&path)?;
        }
    }
    files::sync_folder(&system)?;
    remove(&marker)?;
    files::sync_folder(&system)?;
    Ok(true)
}

/// A link is removed, not what it leads to. Below `depth` folders are removed whole: nobody keeps this one
/// busy by the depth of his own.
fn remove(path: &Path, depth: u32, meanwhile: &mut dyn FnMut()) -> io::Result<()> {
    if !fs::symlink_metadata(path)?.is_dir() {
        fs::remove_file(path)?;
    } else if depth == 0 {
        fs::remove_dir_all(path)?;
    } else {
        for entry in fs::read_dir(path)? {
            remove(&entry?.path(), depth - 1, meanwhile)?;
        }
        fs::remove_dir(path)?;
    }
    meanwhile();
    Ok(())
}

/// Asks the administration to let the password of the first account be set anew when it starts.
///
/// # Errors
/// What the disk says.
pub fn ask_for_password_reset(data: &Path) -> io::Result<()> {
    let marker = password_marker(data);
    // Theirs before it asks for anything: what they can't empty would ask at each start.
    files::write(&marker, b"")?;
    if let Some(user) = User::from_name(ADMINISTRATION)? {
        chown(&marker, Some(user.uid.as_raw()), None)?;
    }
    let mut file = OpenOptions::new().write(true).open(&marker)?;
    file.write_all(b"asked\n")?;
    file.sync_all()
}

/// Whether [`ask_for_password_reset`] asked and nobody said [`password_reset_done`] yet.
///
/// # Errors
/// What the disk says.
pub fn password_reset_is_asked(data: &Path) -> io::Result<bool> {
    match fs::metadata(password_marker(data)) {
        Ok(marker) => Ok(marker.len() > 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Notes that it is done, after the password is reset durably.
///
/// # Errors
/// What the disk says.
pub fn password_reset_done(data: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    match options
        .write(true)
        .truncate(true)
        .open(password_marker(data))
    {
        Ok(marker) => marker.sync_all(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn exists(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn delivered_and_used() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        for name in ["system", "voicemail/101", "lost+found", "empty"] {
            fs::create_dir_all(data.join(name)).expect("made");
        }
        for name in [
            "config.sqlite",
            "system/network.json",
            "system/time.json",
            "voicemail/101/1.wav",
        ] {
            fs::write(data.join(name), b"x").expect("written");
        }
        let other = folder.path().join("other");
        fs::create_dir(&other).expect("made");
        fs::write(other.join("kept"), b"x").expect("written");
        symlink(&other, data.join("link")).expect("linked");
        (folder, data)
    }

    fn names(data: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(data)
            .expect("a folder")
            .map(|entry| {
                let entry = entry.expect("an entry");
                entry.file_name().to_string_lossy().into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_goes_where_nobody_asked() {
        let (_folder, data) = delivered_and_used();
        let before = names(&data);
        assert!(!reset_if_asked(&data, || ()).expect("looked"));
        assert!(!reset_if_asked(&data.join("missing"), || ()).expect("looked"));
        assert_eq!(names(&data), before);
    }

    #[test]
    fn everything_goes_where_it_was_asked_for_and_links_lead_nowhere() {
        let (folder, data) = delivered_and_used();
        ask_for_reset(&data).expect("asked");
        let deep = (0..20).fold(data.join("voicemail"), |path, _| path.join("a"));
        fs::create_dir_all(&deep).expect("made");
        let mut told = 0;
        assert!(reset_if_asked(&data, || told += 1).expect("reset"));
        assert!(told >= 9, "{told}: once for each that is removed");
        assert_eq!(names(&data), ["lost+found", "system"]);
        assert!(names(&data.join("system")).is_empty());
        assert!(folder.path().join("other/kept").exists());
        assert!(
            !reset_if_asked(&data, || ()).expect("done"),
            "it was asked once"
        );
    }

    #[test]
    fn a_power_cut_at_any_moment_is_made_good_by_the_next_start() {
        for cut_after in 0.. {
            let (_folder, data) = delivered_and_used();
            ask_for_reset(&data).expect("asked");
            let mut left = cut_after;
            let result = reset(&data, |path| {
                if left == 0 {
                    return Err(io::Error::other("power cut"));
                }
                left -= 1;
                remove(path, DEPTH, &mut || ())
            });
            if result.is_ok() {
                assert!(cut_after > 5, "something was left out");
                return;
            }
            assert!(reset_if_asked(&data, || ()).expect("the next start"));
            assert_eq!(names(&data), ["lost+found", "system"]);
            assert!(names(&data.join("system")).is_empty());
        }
    }

    #[test]
    fn a_password_reset_is_asked_for_until_it_is_done() {
        let (_folder, data) = delivered_and_used();
        assert!(!password_reset_is_asked(&data).expect("looked"));
        ask_for_password_reset(&data).expect("asked");
        assert!(password_reset_is_asked(&data).expect("looked"));
        password_reset_done(&data).expect("done");
        assert!(!password_reset_is_asked(&data).expect("looked"));
        ask_for_password_reset(&data).expect("asked again");
        assert!(password_reset_is_asked(&data).expect("looked"));
        password_reset_done(&data).expect("done");
        assert!(!password_reset_is_asked(&data).expect("looked"));
    }

    #[test]
    fn who_may_write_in_the_data_folder_alone_asks_for_no_password_reset() {
        let (_folder, data) = delivered_and_used();
        fs::write(data.join("forget-admin-password"), b"asked").expect("written");
        assert!(!password_reset_is_asked(&data).expect("looked"));
    }

    #[test]
    fn a_password_reset_that_is_done_is_not_asked_for_again_by_what_goes_from_the_data_folder() {
        let (_folder, data) = delivered_and_used();
        ask_for_password_reset(&data).expect("asked");
        password_reset_done(&data).expect("done");
        for name in names(&data) {
            if name != SYSTEM {
                remove(&data.join(name), DEPTH, &mut || ()).expect("removed");
            }
        }
        assert!(!password_reset_is_asked(&data).expect("looked"));
    }
}
