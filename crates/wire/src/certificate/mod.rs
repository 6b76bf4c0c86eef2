//! Certificates of applications: whether one may be believed, and the names that are in it [RFC 5280].
//!
//! Whose key it is was proven in a TLS handshake, before anything here; a [`Chain`] is what was shown there.
//! Deliberately absent: revocation lists. An authority that an application trusts with its name gives short
//! lives, or the registration is changed.

mod header;
mod name;
mod read;

pub(crate) use name::DistinguishedName;
pub(crate) use read::{AltName, Certificate};

use std::{sync::Arc, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime, pem::PemObject};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::jose::base64url;

/// Longest chain that is looked at.
const CERTIFICATES_MAX: usize = 10;
/// Longest certificate that is looked at, in bytes of DER.
const DER_BYTES_MAX: usize = 16 * 1024;

/// Certificates as they were shown: the application's own, and those that lead to an authority. Not yet
/// believed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Chain {
    leaf: CertificateDer<'static>,
    rest: Arc<[CertificateDer<'static>]>,
}

impl Chain {
    /// What was shown, the application's own first, in DER; none if that is nothing, more than ten
    /// certificates, or one longer than 16 KiB.
    #[must_use]
    pub fn of(shown: &[CertificateDer<'_>]) -> Option<Self> {
        let (leaf, rest) = shown.split_first()?;
        let short = shown
            .iter()
            .all(|one| (1..=DER_BYTES_MAX).contains(&one.len()));
        let few = shown.len() <= CERTIFICATES_MAX;
        (short && few).then(|| Self {
            leaf: leaf.clone().into_owned(),
            rest: rest.iter().map(|one| one.clone().into_owned()).collect(),
        })
    }

    /// The SHA-256 of the application's own certificate, as tokens name it.
    // [RFC 8705 §3.1] "The base64url-encoded value MUST omit all trailing pad '=' characters and MUST NOT include any line breaks, whitespace, or other additional characters."
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64url(digest(&SHA256, &self.leaf).as_ref())
    }

    /// The application's own certificate.
    pub(crate) fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// Whether one of these authorities vouches for it now (unix seconds): each signature on the way is
    /// right, each certificate is of this moment, and its purpose, if it says one, is to be a client.
    // [RFC 8705 §7.5] "implementors SHOULD use an established and well-tested X.509 library (such as one used by an established TLS library) for validation of X.509 certificate chains and SHOULD NOT attempt to write their own X.509 certificate validation procedures."
    pub(crate) fn is_vouched_for(&self, authorities: &[CertificateDer<'_>], now: i64) -> bool {
        let anchors: Vec<TrustAnchor<'_>> = authorities
            .iter()
            // The library does not look at the dates of whom it is told to trust.
            .filter(|one| Certificate::read(one).is_some_and(|own| own.is_of(now)))
            .filter_map(|one| anchor_from_trusted_cert(one).ok())
            .collect();
        let Ok(leaf) = EndEntityCert::try_from(&self.leaf) else {
            return false;
        };
        let now = UnixTime::since_unix_epoch(Duration::from_secs(now.unsigned_abs()));
        let usage = KeyUsage::client_auth();
        let algorithms = ALL_VERIFICATION_ALGS;
        leaf.verify_for_usage(algorithms, &anchors, &self.rest, now, usage, None, None)
            .is_ok()
    }
}

/// The certificates of a PEM text; none if it has no or more than ten, something that is no certificate, or
/// a private key.
pub(crate) fn of_pem(text: &str) -> Option<Vec<CertificateDer<'static>>> {
    let blocks = text.matches("-----BEGIN ").count();
    let all = CertificateDer::pem_slice_iter(text.as_bytes());
    let all: Vec<_> = all.collect::<Result<_, _>>().ok()?;
    let usable = |one: &CertificateDer<'_>| Certificate::read(one).is_some();
    let right = all.len() == blocks && (1..=CERTIFICATES_MAX).contains(&all.len());
    (right && all.iter().all(usable)).then_some(all)
}

/// Whether all of these can be authorities.
pub(crate) fn can_vouch(certificates: &[CertificateDer<'_>]) -> bool {
    let mut all = certificates.iter();
    all.all(|one| anchor_from_trusted_cert(one).is_ok())
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
