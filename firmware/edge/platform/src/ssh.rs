//! The menu over ssh: its settings, the keys of those who may come in, and the machine's own key.
//!
//! The server is dropbear, which runs as a user of its own and without any right of root: this makes
//! the files it reads, in a folder of the memory, so that it sees nothing of the data.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ed25519_dalek::SigningKey;
use model::system::{RemoteMenu, RemoteMenuSettings};
use sha2::{Digest, Sha256};

use crate::files;

/// Administrators of a box and their machines: more are not looked after.
pub const KEYS: usize = 16;

/// RSA of 8,192 bits has 1,400 characters, and its name.
pub const KEY_CHARS: usize = 2048;

/// What dropbear takes; security keys ask their owner for a touch, which is fine.
const KINDS: [&str; 6] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
];

/// What a key is good for: the menu, and no way through the box to other machines.
const ONLY: &str = "no-port-forwarding,no-agent-forwarding,no-X11-forwarding";

/// The kind of the machine's own key.
const OWN_KIND: &str = "ssh-ed25519";

/// Where settings and files are.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The folder of the machine's settings.
    pub system: PathBuf,
    /// The home of the user that comes in, in memory.
    pub home: PathBuf,
}

impl Paths {
    fn settings(&self) -> PathBuf {
        self.system.join("ssh.json")
    }

    fn key(&self) -> PathBuf {
        self.system.join("ssh-host-key")
    }

    /// The machine's own key, for the server to read.
    #[must_use]
    pub fn server_key(&self) -> PathBuf {
        self.home.join("host_key")
    }
}

/// As it is set and as it is.
#[must_use]
pub fn show(paths: &Paths) -> RemoteMenu {
    RemoteMenu {
        settings: files::read_settings(&paths.settings()).unwrap_or_default(),
        fingerprint: fs::read(paths.key()).ok().and_then(|key| fingerprint(&key)),
    }
}

/// Sets it; where it can't be, says which field is to blame and why.
///
/// # Errors
/// What the disk says.
pub fn set(
    paths: &Paths,
    settings: &RemoteMenuSettings,
) -> io::Result<Result<(), (String, String)>> {
    let mut settings = settings.clone();
    for key in &mut settings.keys {
        *key = key.trim().to_owned();
    }
    if let Err(refused) = check(&settings) {
        return Ok(Err(refused));
    }
    files::write_settings(&paths.settings(), &settings)?;
    Ok(Ok(()))
}

/// Makes what the server reads, for the `user` it runs as; true where it is to run.
///
/// # Errors
/// What the disk says, and the kernel where it has no random numbers.
pub fn prepare(paths: &Paths, user: Option<u32>) -> io::Result<bool> {
    let settings = show(paths).settings;
    // What stands in the settings was checked, unless somebody else wrote them.
    if !settings.enabled || check(&settings).is_err() {
        return Ok(false);
    }
    let key = own_key(&paths.key())?;
    let folder = paths.home.join(".ssh");
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(&folder)?;
    // dropbear takes no keys from where others than root and the user may write, whatever the umask.
    for folder in [&paths.home, &folder] {
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    let server_key = paths.server_key();
    write(&server_key, 0o400, &key)?;
    chown(&server_key, user, None)?;
    let lines: String = (settings.keys.iter())
        .map(|key| format!("{ONLY} {key}\n"))
        .collect();
    write(&folder.join("authorized_keys"), 0o644, lines.as_bytes())?;
    Ok(true)
}

/// Writes a file in memory, whole before it has its name.
fn write(path: &Path, mode: u32, octets: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let _ = fs::remove_file(&new);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&new)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(octets)?;
    fs::rename(new, path)
}

fn check(settings: &RemoteMenuSettings) -> Result<(), (String, String)> {
    let refuse = |index: usize, text: &str| Err((format!("keys[{index}]"), text.to_owned()));
    if settings.keys.len() > KEYS {
        return refuse(KEYS, "there are more keys than 16: remove some");
    }
    for (index, key) in settings.keys.iter().enumerate() {
        if !is_key(key) {
            return refuse(
                index,
                "this is no public key: paste one line as `ssh-ed25519 AAAA... name`",
            );
        }
    }
    if settings.enabled && settings.keys.is_empty() {
        return refuse(0, "without a key nobody could come in: paste a public key");
    }
    Ok(())
}

/// Whether a line is a public key and nothing else: no options before it, no second line.
fn is_key(line: &str) -> bool {
    let printable = line.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    let mut words = line.split(' ');
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return false;
    };
    if !printable || line.len() > KEY_CHARS || !KINDS.contains(&kind) {
        return false;
    }
    // RFC 4253 §6.6: the body begins with its kind.
    let Ok(body) = STANDARD.decode(body) else {
        return false;
    };
    // One that was cut off is no key: whoever has the whole one could not come in by it.
    let parts = strings(&body).unwrap_or_default();
    parts.len() > 1 && parts.first().copied() == Some(kind.as_bytes())
}

/// The strings that something is made of; none where one of them is cut off (RFC 4251 §5).
fn strings(mut octets: &[u8]) -> Option<Vec<&[u8]>> {
    let mut found = Vec::new();
    while !octets.is_empty() {
        let (length, rest) = octets.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (string, after) = rest.split_at_checked(length)?;
        found.push(string);
        octets = after;
    }
    Some(found)
}

/// The machine's own key, in the form that dropbear keeps it; made where there is none.
fn own_key(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(key) if public(&key).is_some() => return Ok(key),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // A file that is no key: whoever came in before is told that the machine is another one.
        Ok(_) | Err(_) => {}
    }
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let key = SigningKey::from_bytes(&seed);
    let mut octets = string(OWN_KIND.as_bytes());
    octets.extend(string(&key.to_keypair_bytes()));
    files::write(path, &octets)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(octets)
}

/// The public half of the machine's own key: the last 32 octets.
fn public(key: &[u8]) -> Option<[u8; 32]> {
    let pair = key
        .strip_prefix(string(OWN_KIND.as_bytes()).as_slice())?
        .strip_prefix(64_u32.to_be_bytes().as_slice())?;
    if pair.len() == 64 {
        pair.last_chunk::<32>().copied()
    } else {
        None
    }
}

/// As OpenSSH shows it.
fn fingerprint(key: &[u8]) -> Option<String> {
    let mut body = string(OWN_KIND.as_bytes());
    body.extend(string(&public(key)?));
    let hash = STANDARD_NO_PAD.encode(Sha256::digest(&body));
    Some(format!("SHA256:{hash}"))
}

/// RFC 4251 §5
fn string(octets: &[u8]) -> Vec<u8> {
    let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), octets].concat()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE7WMmaYrT4SWhjXPK/RxAJdKxHrRQdzRTlT3gSJFzZz jana@desk";

    fn paths(folder: &Path) -> Paths {
        Paths {
            system: folder.join("system"),
            home: folder.join("home"),
        }
    }

    fn settings(enabled: bool, keys: &[&str]) -> RemoteMenuSettings {
        RemoteMenuSettings {
            enabled,
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
        }
    }

    #[test]
    fn it_is_off_until_it_is_switched_on_and_then_for_the_keys_set() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = paths(folder.path());
        assert_eq!(show(&paths).settings, settings(false, &[]));
        assert!(!prepare(&paths, None).expect("off"));
        assert!(!paths.home.exists(), "nothing is made");

        let on = settings(true, &[KEY]);
        set(&paths, &on).expect("written").expect("right");
        assert!(prepare(&paths, None).expect("on"));
        let lines = fs::read_to_string(paths.home.join(".ssh/authorized_keys")).expect("made");
        assert_eq!(lines, format!("{ONLY} {KEY}\n"));
        for (file, mode) in [(".", 0o755), (".ssh", 0o755), ("host_key", 0o400)] {
            let metadata = fs::metadata(paths.home.join(file)).expect("made");
            assert_eq!(metadata.mode() & 0o777, mode, "{file}");
        }
        let key = fs::metadata(paths.key()).expect("made");
        assert_eq!(key.mode() & 0o777, 0o600);

        let shown = show(&paths);
        assert_eq!(shown.settings, on);
        let known = shown.fingerprint.expect("a fingerprint");
        assert!(known.starts_with("SHA256:"));
        prepare(&paths, None).expect("again");
        assert_eq!(show(&paths).fingerprint, Some(known), "the same machine");

        set(&paths, &settings(false, &[KEY]))
            .expect("written")
            .expect("right");
        assert!(!prepare(&paths, None).expect("off"));
    }

    #[test]
    fn what_is_no_key_is_refused_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = paths(folder.path());
        let options = format!("command=\"/bin/x\" {KEY}");
        let two_lines = format!("{KEY}\n{KEY}");
        let other_kind = KEY.replace("ssh-ed25519", "ssh-rsa");
        let wrong = [
            "",
            "ssh-ed25519",
            "ssh-ed25519 AAAA",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            &options,
            &two_lines,
            &other_kind,
        ];
        for key in wrong {
            let refused = set(&paths, &settings(true, &[KEY, key])).expect("no disk");
            let (field, _) = refused.expect_err(key);
            assert_eq!(field, "keys[1]", "{key}");
        }
        let refused = set(&paths, &settings(true, &[])).expect("no disk");
        assert!(refused.expect_err("nobody").1.contains("nobody"));
        let many = vec![KEY; KEYS + 1];
        assert!(
            set(&paths, &settings(false, &many))
                .expect("no disk")
                .is_err()
        );
        assert_eq!(
            show(&paths).settings,
            settings(false, &[]),
            "nothing is written"
        );
    }

    #[test]
    fn a_long_key_is_one_as_a_whole_only() {
        // RSA of 8,192 bits: kind, exponent, modulus.
        let mut body = string(b"ssh-rsa");
        body.extend(string(&[1, 0, 1]));
        body.extend(string(&[7; 1025]));
        let key = format!("ssh-rsa {} jana@desk", STANDARD.encode(&body));
        assert!(is_key(&key));
        for kept in [8 + 992, 8 + 1000, 8 + 1388] {
            assert!(!is_key(&key[..kept]), "{kept} of it");
        }
    }

    #[test]
    fn a_key_that_was_damaged_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = paths(folder.path());
        fs::create_dir_all(&paths.system).expect("made");
        fs::write(paths.key(), "half").expect("written");
        assert_eq!(show(&paths).fingerprint, None);
        set(&paths, &settings(true, &[KEY]))
            .expect("written")
            .expect("right");
        assert!(prepare(&paths, None).expect("on"));
        assert!(show(&paths).fingerprint.is_some());
    }
}
