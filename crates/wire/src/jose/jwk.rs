//! Public keys as JSON [RFC 7517]: ours to publish, an application's to verify with.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::{EncryptingKey, KeyManagement, base64url};

/// One public key. Members that are not named here (`x5t`, `key_ops`, …) are ignored.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Jwk {
    /// `EC`, `RSA` or `OKP`.
    pub kty: String,
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The one algorithm the key is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig` or `enc`.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
    /// `P-256`, `Ed25519` or `X25519`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// First coordinate, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Second coordinate, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// RSA modulus, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Certificates of the key, base64 with padding, its own first. Looked at only where an application shows
    /// one of them; nothing is verified with it [RFC 7517 §4.7].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x5c: Option<Vec<String>>,
    /// Present only in a *private* key, which has no place here: [`Jwk::check`] refuses it.
    #[serde(default, skip_serializing)]
    d: Option<serde::de::IgnoredAny>,
    /// Present only in a *symmetric* key: [`Jwk::check`] refuses it.
    #[serde(default, skip_serializing)]
    k: Option<serde::de::IgnoredAny>,
}

/// A JWK set document.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// The keys that signatures are verified with: all that do not say that they are for encryption.
    pub fn for_signatures(&self) -> impl Iterator<Item = &Jwk> {
        self.keys.iter().filter(|key| !key.is_for_encryption())
    }

    /// The keys that say that they are for encryption.
    pub fn for_encryption(&self) -> impl Iterator<Item = &Jwk> {
        self.keys.iter().filter(|key| key.is_for_encryption())
    }
}

/// What is wrong with a registered key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JwkFlaw {
    /// It holds a private or symmetric key.
    #[error("the key contains private material; register its public half only")]
    Private,
    /// Its type, curve or algorithm is not one of ES256, RS256, PS256, EdDSA.
    #[error("the key is not usable for ES256, RS256, PS256 or EdDSA")]
    Unsupported,
    /// A coordinate, modulus or exponent is missing, not base64url, or of the wrong length.
    #[error("the key is incomplete or damaged")]
    Damaged,
    /// RSA below 2048 bit.
    #[error("the RSA key has less than 2048 bit")]
    Short,
    /// It says it is for encryption.
    #[error("the key is for encryption; register one for signatures")]
    NotForSignatures,
    /// It says it is for encryption, and nothing can be encrypted to it.
    #[error(
        "the key with `use: enc` is none for ECDH-ES (P-256, X25519) or RSA-OAEP, or says another `alg`"
    )]
    NotForEncryption,
}

/// An algorithm that a client assertion may be signed with.
pub(crate) type Verifies = jsonwebtoken::Algorithm;

impl Jwk {
    /// A P-256 key for ES256 from its coordinates.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Self {
        Self {
            kty: "EC".to_owned(),
            alg: Some("ES256".to_owned()),
            use_: Some("sig".to_owned()),
            crv: Some("P-256".to_owned()),
            x: Some(base64url(x)),
            y: Some(base64url(y)),
            ..Self::default()
        }
    }

    /// An Ed25519 key for EdDSA.
    pub(super) fn ed25519(x: &[u8]) -> Self {
        Self {
            kty: "OKP".to_owned(),
            alg: Some("EdDSA".to_owned()),
            use_: Some("sig".to_owned()),
            crv: Some("Ed25519".to_owned()),
            x: Some(base64url(x)),
            ..Self::default()
        }
    }

    /// An RSA key for RS256 or PS256.
    pub(super) fn rsa(n: &[u8], e: &[u8], alg: &str) -> Self {
        Self {
            kty: "RSA".to_owned(),
            alg: Some(alg.to_owned()),
            use_: Some("sig".to_owned()),
            n: Some(base64url(n)),
            e: Some(base64url(e)),
            ..Self::default()
        }
    }

    /// The thumbprint: SHA-256 over the required members in lexicographic order [RFC 7638 §3.1].
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let members = match self.kty.as_str() {
            "EC" => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                text(&self.crv),
                text(&self.x),
                text(&self.y)
            ),
            "RSA" => {
                format!(
                    r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                    text(&self.e),
                    text(&self.n)
                )
            }
            _ => format!(
                r#"{{"crv":"{}","kty":"OKP","x":"{}"}}"#,
                text(&self.crv),
                text(&self.x)
            ),
        };
        base64url(digest(&SHA256, members.as_bytes()).as_ref())
    }

    /// Whether a `SubjectPublicKeyInfo` holds this key: at its end are the coordinates of a point, or modulus and
    /// exponent as DER has them.
    #[must_use]
    pub(crate) fn is_in(&self, spki: &[u8]) -> bool {
        let number = |value: &Option<String>| {
            let value = value.as_deref().unwrap_or_default();
            BASE64URL_NOPAD.decode(value.as_bytes()).unwrap_or_default()
        };
        let end = match self.kty.as_str() {
            "RSA" => {
                let (n, e) = (number(&self.n), number(&self.e));
                // An exponent has less than 128 bytes, so its length is one.
                let length = u8::try_from(e.len()).unwrap_or_default();
                [n, vec![0x02, length], e].concat()
            }
            _ => [number(&self.x), number(&self.y)].concat(),
        };
        end.len() >= 32 && spki.ends_with(&end)
    }

    /// Whether it says that it is for encryption.
    pub(super) fn is_for_encryption(&self) -> bool {
        self.use_.as_deref() == Some("enc")
    }

    /// The key as one to which tokens are encrypted with this algorithm. One that names an algorithm is for no
    /// other.
    ///
    /// # Errors
    /// [`JwkFlaw`].
    pub(crate) fn encrypting(&self, alg: KeyManagement) -> Result<EncryptingKey, JwkFlaw> {
        if self.d.is_some() || self.k.is_some() || self.kty == "oct" {
            return Err(JwkFlaw::Private);
        }
        let other = self.alg.as_deref().is_some_and(|named| named != alg.name());
        if !self.is_for_encryption() || other {
            return Err(JwkFlaw::NotForEncryption);
        }
        EncryptingKey::of(self, alg)
    }

    /// What keeps a key for encryption from being used with any algorithm.
    pub(crate) fn flaw_in_encryption(&self) -> Option<JwkFlaw> {
        let tried = KeyManagement::ALL.map(|alg| self.encrypting(alg).err());
        // What is wrong with a key of the right kind says more than that another kind would be needed.
        let told = |flaw: &&JwkFlaw| **flaw != JwkFlaw::NotForEncryption;
        match tried.iter().all(Option::is_some) {
            true => tried
                .iter()
                .flatten()
                .find(told)
                .copied()
                .or(Some(JwkFlaw::NotForEncryption)),
            false => None,
        }
    }

    /// Whether it verifies RS256: an RSA key that does not say otherwise.
    #[must_use]
    pub(crate) fn is_for_rs256(&self) -> bool {
        self.kty == "RSA" && self.alg.as_deref() != Some("PS256")
    }

    /// Whether this key may verify signatures, and with which one algorithm. An RSA key without
    /// `alg` is for RS256.
    ///
    /// # Errors
    /// [`JwkFlaw`].
    pub(crate) fn check(&self) -> Result<Verifies, JwkFlaw> {
        if self.d.is_some() || self.k.is_some() || self.kty == "oct" {
            return Err(JwkFlaw::Private);
        }
        if self.use_.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err(JwkFlaw::NotForSignatures);
        }
        let length = |value: &Option<String>| {
            let value = value.as_deref().ok_or(JwkFlaw::Damaged)?;
            let bytes = BASE64URL_NOPAD
                .decode(value.as_bytes())
                .map_err(|_| JwkFlaw::Damaged)?;
            Ok(bytes.len())
        };
        match (self.kty.as_str(), self.crv.as_deref(), self.alg.as_deref()) {
            ("EC", Some("P-256"), None | Some("ES256")) => {
                let whole = length(&self.x)? == 32 && length(&self.y)? == 32;
                if whole {
                    Ok(Verifies::ES256)
                } else {
                    Err(JwkFlaw::Damaged)
                }
            }
            ("OKP", Some("Ed25519"), None | Some("EdDSA" | "Ed25519")) => {
                if length(&self.x)? == 32 {
                    Ok(Verifies::EdDSA)
                } else {
                    Err(JwkFlaw::Damaged)
                }
            }
            ("RSA", None, alg @ (None | Some("RS256" | "PS256"))) => {
                let (n, e) = (length(&self.n)?, length(&self.e)?);
                match (n, e, alg) {
                    (..256, ..) => Err(JwkFlaw::Short),
                    (1025.., ..) | (_, 0 | 9.., _) => Err(JwkFlaw::Damaged),
                    (_, _, Some("PS256")) => Ok(Verifies::PS256),
                    _ => Ok(Verifies::RS256),
                }
            }
            _ => Err(JwkFlaw::Unsupported),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{SigningAlg, SigningKey};

    /// The example of [RFC 7638 §3.1].
    #[test]
    fn the_thumbprint_is_the_one_of_the_rfc() {
        let key: Jwk = serde_json::from_str(
            r#"{"kty":"RSA","e":"AQAB","alg":"RS256","kid":"2011-04-29","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#,
        )
        .unwrap();
        assert_eq!(
            key.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert_eq!(key.check(), Ok(Verifies::RS256));
    }

    #[test]
    fn unfit_keys_are_refused_with_their_reason() {
        let good = SigningKey::generate(SigningAlg::Es256)
            .unwrap()
            .public()
            .clone();
        let flaw = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut json = serde_json::to_value(&good).unwrap();
            change(&mut json);
            serde_json::from_value::<Jwk>(json).unwrap().check()
        };
        assert_eq!(flaw(&|_| ()), Ok(Verifies::ES256));
        assert_eq!(flaw(&|k| k["d"] = "AAAA".into()), Err(JwkFlaw::Private));
        assert_eq!(flaw(&|k| k["kty"] = "oct".into()), Err(JwkFlaw::Private));
        assert_eq!(
            flaw(&|k| k["use"] = "enc".into()),
            Err(JwkFlaw::NotForSignatures)
        );
        assert_eq!(flaw(&|k| k["x"] = "AAAA".into()), Err(JwkFlaw::Damaged));
        assert_eq!(
            flaw(&|k| k["y"] = serde_json::Value::Null),
            Err(JwkFlaw::Damaged)
        );
        assert_eq!(
            flaw(&|k| k["alg"] = "HS256".into()),
            Err(JwkFlaw::Unsupported)
        );
        assert_eq!(
            flaw(&|k| k["crv"] = "P-521".into()),
            Err(JwkFlaw::Unsupported)
        );
        let short = Jwk::rsa(&[0xff; 128], &[1, 0, 1], "RS256");
        assert_eq!(short.check(), Err(JwkFlaw::Short));
    }
}
