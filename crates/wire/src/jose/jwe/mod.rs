//! JSON Web Encryption as an identity provider needs it: compact, for one recipient, with authenticated content
//! [RFC 7516].
//!
//! Deliberately absent: RSA1_5, which leaks its key to whoever may try often; passwords (`PBES2`) and shared
//! keys; compression (`zip`), which tells the length of what it hides; `jku`, `x5u` and keys out of headers but
//! the ephemeral one.

mod agreed;
mod content;
mod open;

pub use content::ContentEncryption;
pub use open::DecryptingKeys;
pub(crate) use open::is_encrypted;

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
    PublicEncryptingKey, PublicKeyComponents,
};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use self::agreed::{Agreement, Point};
use super::{Jwk, JwkFlaw, base64url};

/// How the key of the content comes to whoever reads it [RFC 7518 §4].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum KeyManagement {
    /// Agreed with a key that is made for it, and used as it is.
    #[serde(rename = "ECDH-ES")]
    EcdhEs,
    /// Agreed, and wraps another with AES-128.
    #[serde(rename = "ECDH-ES+A128KW")]
    EcdhEsA128Kw,
    /// Agreed, and wraps another with AES-256.
    #[serde(rename = "ECDH-ES+A256KW")]
    EcdhEsA256Kw,
    /// RSA-OAEP with SHA-256.
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    /// RSA-OAEP with SHA-1, which does not rest on what SHA-1 has lost: for libraries that know nothing else.
    #[serde(rename = "RSA-OAEP")]
    RsaOaep,
}

impl KeyManagement {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [
        Self::EcdhEs,
        Self::EcdhEsA256Kw,
        Self::EcdhEsA128Kw,
        Self::RsaOaep256,
        Self::RsaOaep,
    ];

    /// Those with which something can be encrypted to us: our keys are on P-256.
    pub const OURS: [Self; 3] = [Self::EcdhEs, Self::EcdhEsA256Kw, Self::EcdhEsA128Kw];

    /// The algorithm of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }

    /// The name in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdhEs => "ECDH-ES",
            Self::EcdhEsA128Kw => "ECDH-ES+A128KW",
            Self::EcdhEsA256Kw => "ECDH-ES+A256KW",
            Self::RsaOaep256 => "RSA-OAEP-256",
            Self::RsaOaep => "RSA-OAEP",
        }
    }

    /// What is done with what was agreed; none for RSA.
    fn agreement(self, enc: ContentEncryption) -> Option<Agreement> {
        match self {
            Self::EcdhEs => Some(Agreement::Direct(enc)),
            Self::EcdhEsA128Kw => Some(Agreement::Wraps128),
            Self::EcdhEsA256Kw => Some(Agreement::Wraps256),
            Self::RsaOaep256 | Self::RsaOaep => None,
        }
    }
}

/// Why something is not encrypted, or not opened. For our own logs: whoever sent it is told one thing for all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JweError {
    /// Too long, not five base64url parts, or a header that is not the JSON that was expected.
    #[error("opening an encrypted token: it is not a well-formed compact JWE of at most 32 KiB")]
    Malformed,
    /// The header has a `crit` that would have to be understood.
    #[error("opening an encrypted token: its header has critical extensions")]
    Critical,
    /// The content is compressed.
    #[error("opening an encrypted token: its content is compressed")]
    Compressed,
    /// Its `alg` or `enc` is not one of ours.
    #[error("opening an encrypted token: its algorithms are not among those that are offered")]
    WrongAlgorithm,
    /// None of our keys has that name.
    #[error("opening an encrypted token: none of the known keys is meant")]
    UnknownKey,
    /// It does not open: another key, or it was changed.
    #[error("opening an encrypted token: it was made for another key, or changed")]
    Unopened,
    /// The recipient has registered no key that fits.
    #[error("encrypting a token: the recipient has no key for it")]
    NoKey,
    /// The cryptographic library failed.
    #[error("encrypting a token failed inside the cryptographic library")]
    Unwritable,
}

/// What chance gives for one encryption: 32 bytes for the key of the content, 16 for the start value, and twice
/// 32 for the ephemeral key, because one in four billion is no number of a point.
pub type Chance = [u8; 112];

/// What is encrypted.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// A token that is signed.
    Jwt(&'a str),
    /// Claims that are not.
    Claims(&'a [u8]),
}

/// Somebody's public key, to which tokens are encrypted with one algorithm.
pub struct EncryptingKey {
    kid: Option<String>,
    alg: KeyManagement,
    recipient: Recipient,
}

enum Recipient {
    Rsa(PublicEncryptingKey),
    Point(Point),
}

/// The key of one content, and what the recipient needs to have it too.
struct Keyed {
    key: Zeroizing<Vec<u8>>,
    wrapped: Vec<u8>,
    epk: Option<Jwk>,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    enc: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<Jwk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'a str>,
}

impl EncryptingKey {
    /// A registered key, for this algorithm.
    ///
    /// # Errors
    /// The [`JwkFlaw`] that keeps it from being used so.
    pub(super) fn of(key: &Jwk, alg: KeyManagement) -> Result<Self, JwkFlaw> {
        let recipient = match alg {
            KeyManagement::RsaOaep256 | KeyManagement::RsaOaep => Recipient::Rsa(rsa(key)?),
            _ => {
                let point = Point::of(key).filter(Point::is_sound);
                Recipient::Point(point.ok_or(JwkFlaw::NotForEncryption)?)
            }
        };
        Ok(Self {
            kid: key.kid.clone(),
            alg,
            recipient,
        })
    }

    /// Writes a compact JWE.
    ///
    /// # Errors
    /// [`JweError::Unwritable`].
    pub fn encrypt(
        &self,
        content: Content<'_>,
        enc: ContentEncryption,
        chance: &Chance,
    ) -> Result<String, JweError> {
        let (drawn, rest) = chance.split_at(32);
        let (start, ephemeral) = rest.split_at(16);
        let start = start.get(..enc.start_bytes()).ok_or(JweError::Unwritable)?;
        let drawn = drawn.get(..enc.key_bytes()).ok_or(JweError::Unwritable)?;
        let Keyed { key, wrapped, epk } = self
            .keyed(drawn, enc, ephemeral)
            .ok_or(JweError::Unwritable)?;
        let (plain, typ, cty) = match content {
            // [RFC 7519 §5.2] "In the case that nested signing or encryption is employed, this Header Parameter MUST be present; in this case, the value MUST be "JWT", to indicate that a Nested JWT is carried in this JWT."
            Content::Jwt(token) => (token.as_bytes(), None, Some("JWT")),
            Content::Claims(claims) => (claims, Some("JWT"), None),
        };
        let header = Header {
            alg: self.alg.name(),
            enc: enc.name(),
            // [OIDC Core §10.2] "If there are multiple keys in the referenced JWK Set document, a kid value MUST be provided in the JOSE Header."
            kid: self.kid.as_deref(),
            epk,
            typ,
            cty,
        };
        let header = serde_json::to_vec(&header).map_err(|_| JweError::Unwritable)?;
        let mut token = base64url(&header);
        let (sealed, tag) = enc
            .seal(&key, start, token.as_bytes(), plain)
            .ok_or(JweError::Unwritable)?;
        for part in [wrapped.as_slice(), start, &sealed, &tag] {
            token.push('.');
            token.push_str(&base64url(part));
        }
        Ok(token)
    }

    fn keyed(&self, drawn: &[u8], enc: ContentEncryption, ephemeral: &[u8]) -> Option<Keyed> {
        let drawn = Zeroizing::new(drawn.to_vec());
        match &self.recipient {
            Recipient::Rsa(key) => Some(Keyed {
                wrapped: by_oaep(key, oaep(self.alg)?, &drawn)?,
                key: drawn,
                epk: None,
            }),
            Recipient::Point(point) => {
                let agreement = self.alg.agreement(enc)?;
                let (epk, agreed) = point.agreed(ephemeral, agreement)?;
                let (key, wrapped) = match agreement {
                    // [RFC 7518 §4.6] The agreed key is that of the content, and nothing is sent.
                    Agreement::Direct(_) => (agreed, Vec::new()),
                    _ => {
                        let wrapped = agreement.wrap(&agreed, &drawn)?;
                        (drawn, wrapped)
                    }
                };
                Some(Keyed {
                    key,
                    wrapped,
                    epk: Some(epk),
                })
            }
        }
    }
}

const fn oaep(alg: KeyManagement) -> Option<&'static OaepAlgorithm> {
    match alg {
        KeyManagement::RsaOaep256 => Some(&OAEP_SHA256_MGF1SHA256),
        KeyManagement::RsaOaep => Some(&OAEP_SHA1_MGF1SHA1),
        _ => None,
    }
}

fn by_oaep(
    key: &PublicEncryptingKey,
    padding: &'static OaepAlgorithm,
    plain: &[u8],
) -> Option<Vec<u8>> {
    let key = OaepPublicEncryptingKey::new(key.clone()).ok()?;
    let mut out = vec![0; key.ciphertext_size()];
    let length = key.encrypt(padding, plain, &mut out, None).ok()?.len();
    out.truncate(length);
    Some(out)
}

/// An RSA key of 2048 to 8192 bit.
fn rsa(key: &Jwk) -> Result<PublicEncryptingKey, JwkFlaw> {
    let number = |value: &Option<String>| {
        let value = value.as_deref().unwrap_or_default();
        BASE64URL_NOPAD
            .decode(value.as_bytes())
            .map_err(|_| JwkFlaw::Damaged)
    };
    if key.kty != "RSA" {
        return Err(JwkFlaw::NotForEncryption);
    }
    let (n, e) = (number(&key.n)?, number(&key.e)?);
    // [RFC 7518 §4.3] "A key of size 2048 bits or larger MUST be used with these algorithms."
    match (n.len(), e.len()) {
        (..256, _) => Err(JwkFlaw::Short),
        (1025.., _) | (_, 0 | 9..) => Err(JwkFlaw::Damaged),
        _ => PublicKeyComponents { n, e }
            .try_into()
            .map_err(|_| JwkFlaw::Damaged),
    }
}

#[cfg(test)]
mod tests;
