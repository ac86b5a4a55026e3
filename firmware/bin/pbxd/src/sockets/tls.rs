//! The certificate of SIP over TLS: the one the administration uses too, taken up when it changes.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

/// The certificate in force, if any.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    loaded: RefCell<Loaded>,
}

/// A pair that can't be used is tried again so often while it stays the same: a descriptor or memory
/// was missing, perhaps.
const AGAIN: Duration = Duration::from_secs(1);

/// When certificate and key were last changed.
type Stamp = [Option<SystemTime>; 2];

#[derive(Default)]
struct Loaded {
    /// The pair in use.
    stamp: Option<Stamp>,
    /// The pair that could not be used, and when that was tried.
    refused: Option<(Stamp, Instant)>,
    acceptor: Option<TlsAcceptor>,
}

impl Tls {
    /// Names the files; they need not be there yet.
    #[must_use]
    pub fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            certificate,
            key,
            loaded: RefCell::default(),
        }
    }

    /// For a new connection; none where there is no certificate.
    #[must_use]
    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        self.look(Instant::now());
        self.loaded.borrow().acceptor.clone()
    }

    /// Takes up the certificate where it is new. The old one serves on where the new one is bad.
    fn look(&self, now: Instant) {
        let modified = |path| {
            std::fs::metadata(path)
                .and_then(|data| data.modified())
                .ok()
        };
        let stamp = [modified(&self.certificate), modified(&self.key)];
        let mut loaded = self.loaded.borrow_mut();
        if stamp[0].is_none() || loaded.stamp == Some(stamp) {
            return;
        }
        let known = loaded.refused.filter(|(refused, _)| *refused == stamp);
        if known.is_some_and(|(_, tried)| now.saturating_duration_since(tried) < AGAIN) {
            return;
        }
        match self.load() {
            Ok(acceptor) => {
                info!("SIP over TLS uses {}", self.certificate.display());
                loaded.stamp = Some(stamp);
                loaded.refused = None;
                loaded.acceptor = Some(acceptor);
            }
            Err(error) => {
                if known.is_none() {
                    warn!("phones can't connect by TLS, the certificate can't be used: {error:#}");
                }
                loaded.refused = Some((stamp, now));
            }
        }
    }

    fn load(&self) -> Result<TlsAcceptor> {
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("{}", self.certificate.display()))?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("{}", self.key.display()))?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Writes a file as if so many seconds after the first.
    fn write(path: &Path, text: String, seconds: u64) {
        fs::write(path, text).expect("written");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
        let file = fs::File::options().write(true).open(path);
        file.and_then(|file| file.set_modified(at)).expect("dated");
    }

    #[test]
    fn a_pair_that_could_not_be_used_is_tried_again() {
        // Where another test was first, its provider is as good.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let pair = || rcgen::generate_simple_self_signed(["box".to_owned()]).expect("made");
        let (one, other) = (pair(), pair());
        let directory = tempfile::tempdir().expect("a directory");
        let certificate = directory.path().join("certificate.pem");
        let key = directory.path().join("key.pem");
        let tls = Tls::new(certificate.clone(), key.clone());
        let start = Instant::now();
        let stamp_at = |ms| {
            tls.look(start + Duration::from_millis(ms));
            tls.loaded.borrow().stamp
        };
        assert_eq!(stamp_at(0), None);
        // Between the writing of the one and of the other somebody connects.
        write(&certificate, one.cert.pem(), 0);
        assert_eq!(stamp_at(1), None);
        write(&key, one.signing_key.serialize_pem(), 0);
        let first = stamp_at(2);
        assert!(first.is_some() && tls.loaded.borrow().acceptor.is_some());
        // A new one does not fit yet: the old one serves on.
        write(&certificate, other.cert.pem(), 5);
        assert_eq!(stamp_at(3), first);
        assert!(tls.loaded.borrow().acceptor.is_some());
        // What failed for another reason than its content is tried again after a while.
        write(&key, other.signing_key.serialize_pem(), 0);
        assert_eq!(stamp_at(900), first);
        assert_ne!(stamp_at(1100), first);
    }
}
