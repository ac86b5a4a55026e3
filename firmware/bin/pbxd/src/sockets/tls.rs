//! The certificate of SIP over TLS: the one the administration uses too, taken up when it changes.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

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

#[derive(Default)]
struct Loaded {
    /// Of the certificate file, when it was last looked into.
    modified: Option<SystemTime>,
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
        self.look();
        self.loaded.borrow().acceptor.clone()
    }

    /// Takes up the certificate where it is new. The old one serves on where the new one is bad.
    fn look(&self) {
        let Ok(modified) = std::fs::metadata(&self.certificate).and_then(|data| data.modified())
        else {
            return;
        };
        let mut loaded = self.loaded.borrow_mut();
        if loaded.modified == Some(modified) {
            return;
        }
        loaded.modified = Some(modified);
        match self.load() {
            Ok(acceptor) => {
                info!("SIP over TLS uses {}", self.certificate.display());
                loaded.acceptor = Some(acceptor);
            }
            Err(error) => warn!("SIP over TLS can't use the certificate: {error:#}"),
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
