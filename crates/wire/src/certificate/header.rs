//! `Client-Cert` and `Client-Cert-Chain`: how a proxy that speaks TLS passes on what it was shown [RFC 9440].
//!
//! Whether the proxy may be believed is the caller's business.

use data_encoding::BASE64;
use rustls_pki_types::CertificateDer;

use super::{CERTIFICATES_MAX, Chain, DER_BYTES_MAX};

impl Chain {
    /// What a proxy says: the one value of `Client-Cert`, and all values of `Client-Cert-Chain`. None if
    /// anything about it is not as the standard wants it.
    #[must_use]
    pub fn of_headers(certificate: &str, chain: &[&str]) -> Option<Self> {
        let mut all = vec![bytes(certificate)?];
        for value in chain {
            // [RFC 9440 §2.3] a list, which may be spread over several header lines.
            for one in value.split(',').take(CERTIFICATES_MAX) {
                all.push(bytes(one)?);
            }
        }
        Self::of(&all)
    }
}

/// A byte sequence of a structured field [RFC 8941 §3.3.5], without parameters.
fn bytes(text: &str) -> Option<CertificateDer<'static>> {
    let text = text.trim_matches([' ', '\t']);
    let text = text.strip_prefix(':')?.strip_suffix(':')?;
    if text.len() > DER_BYTES_MAX * 2 {
        return None;
    }
    let der = BASE64.decode(text.as_bytes()).ok()?;
    Some(CertificateDer::from(der))
}
