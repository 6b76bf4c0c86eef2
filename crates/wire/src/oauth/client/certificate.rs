//! How the certificate of an application is known: by a name in it that an authority vouches for, or by being
//! registered itself [RFC 8705 §2].

use std::net::IpAddr;

use data_encoding::BASE64;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};

use super::{Auth, Client};
use crate::certificate::{AltName, Certificate, Chain, DistinguishedName, can_vouch, of_pem};
use crate::jose::Jwk;

/// Longest name that is expected, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// By what the certificate of an application is known. With `auth` `tls_client_auth`: exactly one name, and
/// `authorities`. With `self_signed_tls_client_auth`: `certificates`, unless `jwks` has them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsClientAuth {
    /// The subject, as [RFC 4514] writes names: `CN=sync,O=Canton,C=CH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_dn: Option<String>,
    /// A host in `subjectAltName`; capitals make no difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub san_dns: Option<String>,
    /// A URI there, character by character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub san_uri: Option<String>,
    /// An address of the network there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub san_ip: Option<String>,
    /// An address of mail there, character by character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub san_email: Option<String>,
    /// The authorities that may vouch for the name: 1 to 10 certificates, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<String>,
    /// The certificates that it may show: 1 to 10, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificates: Option<String>,
}

/// The one name by which a certificate is known.
enum Expected<'a> {
    Subject(DistinguishedName),
    Alt(AltName<'a>),
}

impl Auth {
    /// Whether the TLS connection proves what the application is.
    #[must_use]
    pub const fn is_by_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }
}

impl TlsClientAuth {
    /// The names that are given: one, if all is right.
    fn names(&self) -> usize {
        let names = [
            &self.subject_dn,
            &self.san_dns,
            &self.san_uri,
            &self.san_ip,
            &self.san_email,
        ];
        names.into_iter().flatten().count()
    }

    // [RFC 8705 §2.1.2] "MUST use exactly one of the below metadata parameters to indicate the certificate subject value that the authorization server is to expect when authenticating the respective client."
    fn expected(&self) -> Option<Expected<'_>> {
        if self.names() != 1 {
            return None;
        }
        if let Some(subject) = &self.subject_dn {
            return DistinguishedName::parse(subject).map(Expected::Subject);
        }
        let alt = match (&self.san_dns, &self.san_uri, &self.san_ip, &self.san_email) {
            (Some(host), ..) if !host.contains('*') => AltName::Dns(whole(host)?),
            (_, Some(uri), ..) => AltName::Uri(whole(uri)?),
            (_, _, Some(ip), _) => AltName::Ip(ip.parse::<IpAddr>().ok()?),
            (.., Some(mail)) => AltName::Email(whole(mail)?),
            _ => return None,
        };
        Some(Expected::Alt(alt))
    }

    // [RFC 8705 §2.1] "The client is successfully authenticated if the subject information in the certificate matches the single expected subject configured or registered for that particular client"
    // [RFC 8705 §7.4] "the authorization server SHOULD only accept, as trust anchors, a limited number of CAs whose certificate issuance policy meets its security requirements."
    fn vouches_for(&self, shown: &Chain, now: i64) -> bool {
        let authorities = self.authorities.as_deref().and_then(of_pem);
        let (Some(expected), Some(authorities)) = (self.expected(), authorities) else {
            return false;
        };
        let Some(leaf) = Certificate::read(shown.leaf()) else {
            return false;
        };
        let named = match expected {
            Expected::Subject(subject) => leaf.is_named(&subject),
            Expected::Alt(name) => leaf.has(name),
        };
        named && shown.is_vouched_for(&authorities, now)
    }
}

/// A name as other programs write it: nothing but printable ASCII, and not too long.
fn whole(name: &str) -> Option<&str> {
    let printable = name.bytes().all(|byte| byte.is_ascii_graphic());
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
    (printable && fits).then_some(name)
}

impl Client {
    /// Whether this, of which the connection has proven the key, is a certificate of the application now
    /// (unix seconds).
    #[must_use]
    pub(crate) fn has_certificate(&self, shown: &Chain, now: i64) -> bool {
        match self.auth {
            Auth::TlsClientAuth => {
                let known = self.tls_client_auth.as_ref();
                known.is_some_and(|known| known.vouches_for(shown, now))
            }
            // [RFC 8705 §2.2] "The client is successfully authenticated if the certificate that it presented during the handshake matches one of the certificates configured or registered for that particular client."
            // A certificate says itself until when its owner wants it to be believed.
            Auth::SelfSignedTlsClientAuth => {
                let of_now = Certificate::read(shown.leaf()).is_some_and(|leaf| leaf.is_of(now));
                let mut registered = self.certificates().into_iter();
                of_now && registered.any(|one| one.as_ref() == shown.leaf())
            }
            Auth::Basic | Auth::Post | Auth::SecretJwt | Auth::PrivateKeyJwt | Auth::None => false,
        }
    }

    /// The certificates that are registered, as far as they can be read.
    fn certificates(&self) -> Vec<CertificateDer<'static>> {
        let listed = self.tls_client_auth.as_ref();
        let listed = listed.and_then(|known| known.certificates.as_deref());
        let listed = listed.and_then(of_pem).unwrap_or_default();
        let keys = self.jwks.iter().flat_map(|set| set.for_signatures());
        listed
            .into_iter()
            .chain(keys.filter_map(Jwk::certificate))
            .collect()
    }

    /// What is wrong with how the certificate is known.
    pub(super) fn flaw_of_certificate(&self) -> Option<&'static str> {
        let bound = self.tls_client_certificate_bound_access_tokens;
        if bound && self.dpop_bound {
            return Some(
                "tokens are bound to one thing: remove `dpop_bound` or \
                 `tls_client_certificate_bound_access_tokens`",
            );
        }
        let known = self.tls_client_auth.clone();
        match self.auth {
            Auth::TlsClientAuth => flaw_of_name(&known.unwrap_or_default()),
            Auth::SelfSignedTlsClientAuth => self.flaw_of_list(&known.unwrap_or_default()),
            _ => known.map(|_| {
                "it is given, but `auth` is neither \"tls_client_auth\" nor \"self_signed_tls_client_auth\"; \
                 remove one of them"
            }),
        }
    }

    fn flaw_of_list(&self, known: &TlsClientAuth) -> Option<&'static str> {
        if known.names() > 0 || known.authorities.is_some() {
            return Some(
                "names and `authorities` are for `auth` \"tls_client_auth\"; with \
                 \"self_signed_tls_client_auth\" give `certificates`, or `jwks` with `x5c`",
            );
        }
        if known.certificates.as_deref().map(of_pem) == Some(None) {
            return Some(NO_PEM);
        }
        let mut keys = self.jwks.iter().flat_map(|set| set.for_signatures());
        if keys.any(|key| key.x5c.is_some() && key.certificate().is_none()) {
            return Some("the first certificate in an `x5c` of `jwks` is none, or not of that key");
        }
        let none = self.certificates().is_empty();
        none.then_some(
            "`certificates` must list its certificates, or `jwks` must have them as `x5c`",
        )
    }
}

const NO_PEM: &str =
    "`certificates` and `authorities` must be 1 to 10 certificates in PEM form, and nothing else";

fn flaw_of_name(known: &TlsClientAuth) -> Option<&'static str> {
    if known.certificates.is_some() {
        return Some(
            "`certificates` are for `auth` \"self_signed_tls_client_auth\"; give `authorities`",
        );
    }
    if known.names() != 1 {
        return Some(
            "give exactly one of `subject_dn`, `san_dns`, `san_uri`, `san_ip` and `san_email`",
        );
    }
    if known.expected().is_none() {
        return Some(
            "the name cannot be read: a subject as `openssl x509 -noout -subject -nameopt RFC2253` prints it \
             after `subject=`, a host without `*`, an address, or printable letters without spaces",
        );
    }
    match known.authorities.as_deref().map(of_pem) {
        None => Some("`authorities` must say who vouches for the name: certificates in PEM form"),
        Some(None) => Some(NO_PEM),
        Some(Some(all)) if !can_vouch(&all) => Some(NO_PEM),
        Some(Some(_)) => None,
    }
}

impl Jwk {
    /// The first certificate of its `x5c`, if it is one of this key.
    // [RFC 7517 §4.7] "The key in the first certificate MUST match the public key represented by other members of the JWK."
    fn certificate(&self) -> Option<CertificateDer<'static>> {
        let first = self.x5c.as_ref()?.first()?;
        let der = CertificateDer::from(BASE64.decode(first.as_bytes()).ok()?);
        let spki = Certificate::read(&der)?.public_key;
        self.is_in(spki).then_some(der)
    }
}

#[cfg(test)]
mod tests;
