//! The certificate of the administration: made by the box for itself at its first start, and made
//! again before it ends or when the box has another address.
//!
//! Beside `certificate.pem` and `key.pem` stands `made.json` with what they were made for and their
//! fingerprints. Where that is missing or one is of another file, they are somebody's own and are left alone.
//! The key stays the same over renewals, so that who pins it needn't do it again.

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
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The longest that browsers accept of anyone.
const LIFETIME: Duration = Duration::from_secs(397 * 24 * 60 * 60);
/// It is made again so long before its end.
const RENEWAL: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// It begins so long before it is made: clocks of phones and laptops differ.
const EARLY: Duration = Duration::from_secs(24 * 60 * 60);
/// The address a box has when it is new.
const FACTORY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 10, 10, 1));

/// A certificate with its key, as PEM.
#[derive(Clone, PartialEq, Eq)]
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
    /// Fingerprint of the certificate.
    certificate: String,
    /// Fingerprint of the one whose place it takes: it is there where the change was cut short.
    before: Option<String>,
    /// Fingerprint of the key.
    key: String,
}

/// What people want to know of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// It vouches for itself: browsers warn.
    pub self_signed: bool,
    /// Whom it is for, as it says itself.
    pub subject: String,
    /// Who vouches for it.
    pub issuer: String,
    /// From when on it is valid.
    pub from: WallTime,
    /// Until when it is valid.
    pub until: WallTime,
}

impl Facts {
    /// Those of the certificate in use; none where it can't be read.
    #[must_use]
    pub fn of_current(data: &Path) -> Option<Self> {
        let pem = fs::read(data.join("tls/certificate.pem")).ok()?;
        let der = CertificateDer::from_pem_slice(&pem).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let validity = certificate.validity();
        Some(Self {
            self_signed: certificate.subject() == certificate.issuer(),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            from: WallTime::from_unix_seconds(validity.not_before.timestamp()),
            until: WallTime::from_unix_seconds(validity.not_after.timestamp()),
        })
    }
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
        let (certificate, key) = (self.read("certificate.pem")?, self.read("key.pem")?);
        let made = self.made();
        let ours = |is: fn(&Made, &str) -> bool, file: &Option<String>| match (file, &made) {
            (None, _) => true,
            (Some(file), Some(made)) => is(made, &fingerprint(file)),
            (Some(_), None) => false,
        };
        if !ours(Made::is_certificate, &certificate) || !ours(Made::is_key, &key) {
            let (Some(certificate), Some(key)) = (certificate, key) else {
                anyhow::bail!(
                    "{} has only one of certificate.pem and key.pem: put the other there too, or \
                     remove the one",
                    self.dir.display()
                );
            };
            return Ok((Pem { certificate, key }, false));
        }
        match (certificate, key, made) {
            (Some(certificate), Some(key), Some(made))
                if made.certificate == fingerprint(&certificate) && made.is_good(now, &wanted) =>
            {
                Ok((Pem { certificate, key }, false))
            }
            (before, key, _) => self
                .make(wanted, before.as_deref(), key.as_deref())
                .map(|pem| (pem, true)),
        }
    }

    /// A file of the folder; nothing where there is none.
    fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.dir.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
        }
    }

    fn made(&self) -> Option<Made> {
        serde_json::from_slice(&fs::read(self.dir.join("made.json")).ok()?).ok()
    }

    fn make(&self, mut made: Made, before: Option<&str>, key: Option<&str>) -> anyhow::Result<Pem> {
        let key = match key.and_then(|key| KeyPair::from_pem(key).ok()) {
            Some(key) => key,
            None => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
        };
        let pem = Pem {
            certificate: params(&made)?.self_signed(&key)?.pem(),
            key: key.serialize_pem(),
        };
        made.certificate = fingerprint(&pem.certificate);
        made.before = before.map(fingerprint);
        made.key = fingerprint(&pem.key);
        // What it was made for is written first and the certificate last: killed in between, the
        // next start finds no certificate, or the one before, and makes it again.
        self.write("made.json", &serde_json::to_vec(&made)?)?;
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
    fn is_certificate(&self, fingerprint: &str) -> bool {
        self.certificate == fingerprint || self.before.as_deref() == Some(fingerprint)
    }

    fn is_key(&self, fingerprint: &str) -> bool {
        self.key == fingerprint
    }

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

fn fingerprint(file: &str) -> String {
    let octets = Sha256::digest(file);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
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
        certificate: String::new(),
        before: None,
        key: String::new(),
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

    #[test]
    fn what_somebody_puts_in_place_of_ours_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let keeper = Keeper::open(dir.path()).expect("it opens");
        let current = |day, addresses: &[IpAddr]| {
            let (pem, made) = keeper
                .current(at(day), &[], addresses)
                .expect("it is there");
            (pem.certificate, pem.key, made)
        };
        let (ours, key, _) = current(0, &[]);
        let elsewhere = ["192.0.2.7".parse().expect("an address")];
        let file = |name: &str| dir.path().join("tls").join(name);

        fs::write(file("certificate.pem"), "mine").expect("written");
        assert_eq!(current(1, &elsewhere), ("mine".into(), key, false));
        fs::write(file("key.pem"), "mine too").expect("written");
        assert_eq!(
            current(400, &elsewhere),
            ("mine".into(), "mine too".into(), false)
        );

        // Only the key so far: a renewal must not take it.
        fs::write(file("certificate.pem"), &ours).expect("written");
        assert_eq!(current(400, &elsewhere), (ours, "mine too".into(), false));
    }

    #[test]
    fn half_of_somebodys_own_is_not_completed_by_us() {
        let dir = tempfile::tempdir().expect("a folder");
        let keeper = Keeper::open(dir.path()).expect("it opens");
        keeper.current(at(0), &[], &[]).expect("it is made");
        let file = |name: &str| dir.path().join("tls").join(name);
        fs::remove_file(file("certificate.pem")).expect("removed");
        fs::write(file("key.pem"), "mine").expect("written");
        assert!(keeper.current(at(1), &[], &[]).is_err());
        assert_eq!(
            fs::read_to_string(file("key.pem")).expect("it is there"),
            "mine"
        );
    }

    #[test]
    fn a_renewal_that_was_cut_short_is_made_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let keeper = Keeper::open(dir.path()).expect("it opens");
        let (old, _) = keeper.current(at(0), &[], &[]).expect("it is made");
        let (new, made) = keeper.current(at(370), &[], &[]).expect("it is made");
        assert!(made && new.certificate != old.certificate);
        fs::write(dir.path().join("tls/certificate.pem"), &old.certificate).expect("written");
        let (again, made) = keeper.current(at(370), &[], &[]).expect("it is made");
        assert!(made && again.key == old.key && again.certificate != old.certificate);
    }

    #[test]
    fn its_facts_are_read_from_the_certificate_itself() {
        let dir = tempfile::tempdir().expect("a folder");
        let keeper = Keeper::open(dir.path()).expect("it opens");
        keeper.current(at(1), &[], &[]).expect("it is made");
        let facts = Facts::of_current(dir.path()).expect("it is read");
        assert!(facts.self_signed && facts.subject == "CN=Operator Box");
        assert_eq!(facts.from, at(0));
        assert_eq!(
            facts.until.since(facts.from),
            LIFETIME - Duration::from_secs(1)
        );
        fs::write(dir.path().join("tls/certificate.pem"), "mine").expect("written");
        assert_eq!(Facts::of_current(dir.path()), None);
    }
}
