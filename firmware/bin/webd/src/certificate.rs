//! The certificate of the administration: made by the box for itself at its first start, and made
//! again before it ends or when the box has another address.
//!
//! Beside `certificate.pem` and `key.pem` stands `made.json` with what they were made for and their
//! fingerprints. Where that is missing or one is of another file, they are somebody's own and are left alone.
//! What can't be served by is set aside at the start, under another name, and one of ours takes its
//! place: nobody is locked out by a file. While the process runs it is left, since a certificate and
//! its key come one after the other.
//! The key stays the same over renewals, so that who pins it needn't do it again.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use model::WallTime;
use platform::rights;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
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
        Self::of(&fs::read(data.join("tls/certificate.pem")).ok()?)
    }

    fn of(pem: &[u8]) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem).ok()?;
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

impl Pem {
    /// Whether TLS can be served by it.
    fn check(&self) -> anyhow::Result<()> {
        let chain = CertificateDer::pem_slice_iter(self.certificate.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .context("certificate.pem is damaged")?;
        ensure!(
            !chain.is_empty(),
            "there is no certificate in certificate.pem"
        );
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .context("there is no private key in key.pem")?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let served = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key);
        match served {
            Ok(_) => Ok(()),
            Err(rustls::Error::InconsistentKeys(_)) => {
                anyhow::bail!("the key in key.pem is not that of certificate.pem")
            }
            Err(error) => Err(error).context("certificate.pem or key.pem is damaged"),
        }
    }
}

/// Where the certificate is kept.
#[derive(Clone, Debug)]
pub struct Keeper {
    dir: PathBuf,
}

impl Keeper {
    /// In the folder `tls` of the data directory.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            dir: data.join("tls"),
        }
    }

    /// [`Self::current`] for a process that starts, and so for one that has to start whatever is in
    /// the folder. What was wrong is said in the Error log.
    ///
    /// # Errors
    /// Where none can be made at all.
    pub fn at_start(
        &self,
        now: WallTime,
        names: &[String],
        addresses: &[IpAddr],
    ) -> anyhow::Result<(Pem, bool)> {
        if let Err(why) = self.stored() {
            self.set_aside(&format!("{why:#}"));
        }
        let (pem, made) = match self.current(now, names, addresses) {
            Ok(current) => current,
            Err(error) => {
                tracing::error!(
                    "The certificate of the administration can't be kept ({error:#}): make room on the \
                     disk, and see to the rights of {}.",
                    self.dir.display()
                );
                match self.stored() {
                    Ok(Some(pem)) => (pem, false),
                    _ => {
                        produce(wanted(now, names, addresses), None).map(|(pem, _)| (pem, true))?
                    }
                }
            }
        };
        if Facts::of(pem.certificate.as_bytes()).is_some_and(|facts| facts.until < now) {
            tracing::error!(
                "The certificate of the administration has ended, and browsers warn of it: put a new \
                 certificate.pem and its key.pem into {}, or remove both to have one made.",
                self.dir.display()
            );
        }
        Ok((pem, made))
    }

    /// The pair in the folder; nothing where there is none, or half of one of ours.
    fn stored(&self) -> anyhow::Result<Option<Pem>> {
        match (self.read("certificate.pem")?, self.read("key.pem")?) {
            (Some(certificate), Some(key)) => {
                let pem = Pem { certificate, key };
                pem.check()?;
                Ok(Some(pem))
            }
            (certificate, key) => {
                let made = self.made();
                let ours = |is: fn(&Made, &str) -> bool, file: Option<String>| {
                    file.is_none_or(|file| {
                        (made.as_ref()).is_some_and(|made| is(made, &fingerprint(&file)))
                    })
                };
                ensure!(
                    ours(Made::is_certificate, certificate) && ours(Made::is_key, key),
                    "one of certificate.pem and key.pem is missing"
                );
                Ok(None)
            }
        }
    }

    /// Gives what can't be used another name; nothing is removed.
    fn set_aside(&self, why: &str) {
        let aside = |n: u32, name: &str| self.dir.join(format!("unusable-{n}-{name}"));
        let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
        let key_is_ours = matches!(
            (self.read("key.pem"), self.made()),
            (Ok(Some(key)), Some(made))
                if made.is_key(&fingerprint(&key)) && KeyPair::from_pem(&key).is_ok()
        );
        let names: Vec<&str> = ["certificate.pem", "key.pem"]
            .into_iter()
            .filter(|name| is_there(&self.dir.join(name)))
            .filter(|name| *name != "key.pem" || !key_is_ours)
            .collect();
        let number = (1..1000).find(|n| !names.iter().any(|name| is_there(&aside(*n, name))));
        let moved = number.map(|n| {
            names
                .iter()
                .try_for_each(|name| fs::rename(self.dir.join(name), aside(n, name)))
        });
        let what: Vec<String> = (names.iter().zip(number.iter().cycle()))
            .map(|(name, n)| aside(*n, name).display().to_string())
            .collect();
        match moved {
            Some(Ok(())) => tracing::error!(
                "The certificate of the administration can't be used: {why}. It was set aside ({}), and \
                 a self-signed one takes its place. To have your own again, put certificate.pem and its \
                 key.pem into {}, both in PEM.",
                what.join(", "),
                self.dir.display()
            ),
            _ => tracing::error!(
                "The certificate of the administration can't be used: {why}. It can't be set aside \
                 either: see to {}.",
                self.dir.display()
            ),
        }
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
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && fs::symlink_metadata(&path).is_err() =>
            {
                Ok(None)
            }
            Err(error) => Err(error).with_context(|| format!("{} can't be read", path.display())),
        }
    }

    fn made(&self) -> Option<Made> {
        serde_json::from_slice(&fs::read(self.dir.join("made.json")).ok()?).ok()
    }

    fn make(&self, made: Made, before: Option<&str>, key: Option<&str>) -> anyhow::Result<Pem> {
        let (pem, mut made) = produce(made, key)?;
        made.before = before.map(fingerprint);
        rights::make_folder(&self.dir)
            .with_context(|| format!("{} can't be made", self.dir.display()))?;
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

/// A certificate for what is wanted, with a key that is there or a new one.
fn produce(mut made: Made, key: Option<&str>) -> anyhow::Result<(Pem, Made)> {
    let key = match key.and_then(|key| KeyPair::from_pem(key).ok()) {
        Some(key) => key,
        None => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?,
    };
    let pem = Pem {
        certificate: params(&made)?.self_signed(&key)?.pem(),
        key: key.serialize_pem(),
    };
    made.certificate = fingerprint(&pem.certificate);
    made.key = fingerprint(&pem.key);
    Ok((pem, made))
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

/// Puts a file in place at once, safe on the disk; on the box the exchange reads it too.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    let mut file = rights::make_file(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(dir) => fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
