//! A certificate and its key, read from files and read again when the files change.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use store::seal::sha256;
use thiserror::Error;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use super::any_client::AnyClient;

/// More is no certificate chain.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A certificate with its chain and key. Prints only where it comes from.
pub struct Certificates {
    certificate: PathBuf,
    current: ArcSwap<CertifiedKey>,
    key: PathBuf,
    /// The digest of what was last read, usable or not. Times and lengths of files would do most of the
    /// time only.
    seen: Mutex<[u8; 32]>,
}

/// What stands in the two files.
struct Found {
    certificate: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("reading `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Certificate and key do not belong together, or the key is of an unknown kind.
    #[error("the certificate in `{}` and the key in `{}` cannot be used together", certificate.display(), key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// A file is no PEM, or has another kind of thing in it.
    #[error("`{}` has no {what} in PEM form", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: pem::Error,
        /// What it should have.
        what: &'static str,
    },
    /// The library refuses to be set up.
    #[error("setting up TLS")]
    Setup(#[source] rustls::Error),
}

impl Certificates {
    /// Reads both files, PEM; the certificate of the server comes first, its chain after it.
    ///
    /// # Errors
    /// When a file cannot be read, is no PEM, or the two do not belong together.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let found = Found::read(certificate, key)?;
        let current = found.pair(certificate, key)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            current: ArcSwap::from_pointee(current),
            key: key.to_owned(),
            seen: Mutex::new(found.digest()),
        })
    }

    /// The certificates in use, the server's own first, DER.
    #[must_use]
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.current.load().cert.clone()
    }

    /// Looks whether a file has changed, and reads both if so; true if new ones are in use.
    ///
    /// # Errors
    /// When the new files cannot be used: the old certificate stays in use, and the same files are not
    /// tried again.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        let found = Found::read(&self.certificate, &self.key)?;
        let digest = found.digest();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *seen, digest) == digest {
            return Ok(false);
        }
        let new = found.pair(&self.certificate, &self.key)?;
        self.current.store(Arc::new(new));
        Ok(true)
    }

    /// [`Self::reload`], told to the log.
    pub(super) fn look(&self) {
        match self.reload() {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!(file = %self.certificate.display(), "a new certificate is in use")
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "the new certificate cannot be used; the old one stays");
            }
        }
    }

    /// [P11] TLS 1.2 or 1.3, HTTP/2 or HTTP/1.1. `asks`: whether the other end may show a certificate, too.
    pub(super) fn acceptor(self: &Arc<Self>, asks: bool) -> Result<TlsAcceptor, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(CertificateError::Setup)?;
        let config = match asks {
            true => config.with_client_cert_verifier(Arc::new(AnyClient::new())),
            false => config.with_no_client_auth(),
        };
        let mut config = config.with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(CertificateError::Setup)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificates({})", self.certificate.display())
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Found {
    fn read(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        Ok(Self {
            certificate: bounded(certificate)?,
            key: Zeroizing::new(bounded(key)?),
        })
    }

    fn digest(&self) -> [u8; 32] {
        sha256(&[sha256(&self.certificate), sha256(&self.key)].concat())
    }

    fn pair(&self, certificate: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
        let no_pem = |path: &Path, what| {
            let path = path.to_owned();
            move |source| CertificateError::Pem { path, source, what }
        };
        let chain = CertificateDer::pem_slice_iter(&self.certificate)
            .collect::<Result<Vec<_>, _>>()
            .and_then(|all| {
                if all.is_empty() {
                    Err(pem::Error::NoItemsFound)
                } else {
                    Ok(all)
                }
            })
            .map_err(no_pem(certificate, "certificate"))?;
        let secret =
            PrivateKeyDer::from_pem_slice(&self.key).map_err(no_pem(key, "private key"))?;
        CertifiedKey::from_der(chain, secret, &aws_lc_rs::default_provider()).map_err(|source| {
            let (certificate, key) = (certificate.to_owned(), key.to_owned());
            CertificateError::Pair {
                certificate,
                key,
                source,
            }
        })
    }
}

fn bounded(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let failed = |source| CertificateError::File {
        path: path.to_owned(),
        source,
    };
    let len = fs::metadata(path).map_err(failed)?.len();
    if len > FILE_BYTES_MAX {
        let why = "it is longer than 1 MiB";
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    fs::read(path).map_err(failed)
}
