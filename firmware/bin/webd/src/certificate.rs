//! The certificate of the administration: made by the box for itself at its first start, and made
//! again before it ends or when the box has another address.
//!
//! Beside `certificate.pem` and `key.pem` stands `made.json` with what it was made for. Where that
//! is missing, the certificate is somebody's own and is left alone. The key stays the same over
//! renewals, so that who pins it needn't do it again.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use model::WallTime;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use serde::{Deserialize, Serialize};

/// The longest that browsers accept of anyone.
const LIFETIME: Duration = Duration::from_secs(397 * 24 * 60 * 60);
/// It is made again so long before its end.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// It begins so long before it is made: clocks of phones and laptops differ.
const EARLY: Duration = Duration::from_secs(24 * 60 * 60);
/// The address a box has when it is new.
const FACTORY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 10, 10, 1));

/// A certificate with its key, as PEM.
#[derive(Clone)]
pub struct Pem {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// What a certificate of ours is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    names: Vec<String>,
    addresses: Vec<IpAddr>,
    from: i64,
    until: i64,
}

/// Where the certificate is kept.
#[derive(Clone, Debug)]
pub struct Keeper {
    dir: PathBuf,
}

impl Keeper {
    /// In the folder `tls` of the data directory, which is made where there is none.
    ///
    /// # Errors
    /// Where the folder can't be made.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let dir = data.join("tls");
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .with_context(|| format!("{} can't be made", dir.display()))?;
        Ok(Self { dir })
    }

    /// The certificate for these names and addresses, and whether it was made now.
    ///
    /// # Errors
    /// Where it can't be read, made or written.
    pub fn current(
        &self,
        now: WallTime,
        names: &[String],
        addresses: &[IpAddr],
    ) -> anyhow::Result<(Pem, bool)> {
        let wanted = wanted(now, names, addresses);
        match (self.stored(), self.made()) {
            (Some(pem), None) => Ok((pem, false)),
            (Some(pem), Some(made)) if made.is_good(now, &wanted) => Ok((pem, false)),
            (stored, _) => {
                let key = stored.and_then(|pem| KeyPair::from_pem(&pem.key).ok());
                self.make(&wanted, key).map(|pem| (pem, true))
            }
        }
    }

    fn stored(&self) -> Option<Pem> {
        Some(Pem {
            certificate: fs::read_to_string(self.dir.join("certificate.pem")).ok()?,
            key: fs::read_to_string(self.dir.join("key.pem")).ok()?,
        })
    }

    fn made(&self) -> Option<Made> {
        serde_json::from_slice(&fs::read(self.dir.join("made.json")).ok()?).ok()
    }

    fn make(&self, made: &Made, key: Option<KeyPair>) -> anyhow::Result<Pem> {
        let key = match key {
            Some(key) => key,
            None => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        };
        let pem = Pem {
            certificate: params(made)?.self_signed(&key)?.pem(),
            key: key.serialize_pem(),
        };
        // What it was made for is written first and the certificate last: killed in between, the
        // next start finds no certificate, or an old one that isn't good, and makes it again.
        self.write("made.json", &serde_json::to_vec(made)?)?;
        self.write("key.pem", pem.key.as_bytes())?;
        self.write("certificate.pem", pem.certificate.as_bytes())?;
        Ok(pem)
    }

    fn write(&self, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.dir.join(name);
        replace(&path, content).with_context(|| format!("{} can't be written", path.display()))
    }
}

impl Made {
    fn is_good(&self, now: WallTime, wanted: &Self) -> bool {
        let now = now.as_unix_seconds();
        let renewal = i64::try_from(RENEWAL.as_secs()).unwrap_or(0);
        self.from <= now
            && now < self.until - renewal
            && wanted.names.iter().all(|name| self.names.contains(name))
            && wanted
                .addresses
                .iter()
                .all(|address| self.addresses.contains(address))
    }
}

fn wanted(now: WallTime, names: &[String], addresses: &[IpAddr]) -> Made {
    let mut names = names.to_vec();
    names.retain(|name| name.is_ascii() && !name.is_empty());
    names.push("localhost".to_owned());
    names.sort_unstable();
    names.dedup();
    let mut addresses = addresses.to_vec();
    addresses.extend([FACTORY, IpAddr::V4(Ipv4Addr::LOCALHOST)]);
    addresses.sort_unstable();
    addresses.dedup();
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(0);
    // A box without a clock of its own starts in 1970.
    let from = (now.as_unix_seconds() - seconds(EARLY)).max(0);
    Made {
        names,
        addresses,
        from,
        until: from + seconds(LIFETIME) - 1,
    }
}

fn params(made: &Made) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(made.names.clone())?;
    params
        .subject_alt_names
        .extend(made.addresses.iter().copied().map(SanType::IpAddress));
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(u64::try_from(made.from)?);
    params.not_after = epoch + Duration::from_secs(u64::try_from(made.until)?);
    params
        .distinguished_name
        .push(DnType::CommonName, "Operator Box");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

/// Puts a file in place at once, for its owner only, safe on the disk.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(dir) => fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    fn at(day: i64) -> WallTime {
        WallTime::from_unix_seconds((20_000 + day) * DAY)
    }

    #[test]
    fn it_is_made_once_and_again_before_it_ends() {
        let dir = tempfile::tempdir().expect("a folder");
        let keeper = Keeper::open(dir.path()).expect("it opens");
        let names = ["box".to_owned()];
        let current = |day, addresses: &[IpAddr]| {
            keeper
                .current(at(day), &names, addresses)
                .expect("it is made")
        };
        let (first, made) = current(0, &[]);
        assert!(made);
        let mode = fs::metadata(dir.path().join("tls/key.pem"))
            .expect("the key")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);

        let (same, made) = current(300, &[]);
        assert!(!made && same.certificate == first.certificate);

        let (renewed, made) = current(370, &[]);
        assert!(made && renewed.certificate != first.certificate && renewed.key == first.key);

        let (_, made) = current(371, &["192.0.2.7".parse().expect("an address")]);
        assert!(made);

        let (_, made) = current(-5, &[]);
        assert!(made, "the clock went back before its beginning");
    }

    #[test]
    fn somebodys_own_certificate_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let keeper = Keeper::open(dir.path()).expect("it opens");
        fs::write(dir.path().join("tls/certificate.pem"), "mine").expect("written");
        fs::write(dir.path().join("tls/key.pem"), "mine too").expect("written");
        let (pem, made) = keeper.current(at(0), &[], &[]).expect("it is read");
        assert!(!made && pem.certificate == "mine");
    }
}
