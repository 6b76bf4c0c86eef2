//! The provider's own signing keys.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde::{Deserialize, Serialize};

use super::{Jwk, JwsError, base64url};
use crate::Secret;

/// An algorithm this provider signs with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub enum SigningAlg {
    /// ECDSA on P-256 with SHA-256: fifteen times faster to sign than RS256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bit: what every OpenID Connect client understands.
    #[serde(rename = "RS256")]
    Rs256,
    /// Ed25519: as fast as ES256, known to fewer clients.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSASSA-PSS with SHA-256, 2048 bit: what FAPI takes of RSA.
    #[serde(rename = "PS256")]
    Ps256,
}

impl SigningAlg {
    /// All of them, the most usual first.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Rs256, Self::EdDsa, Self::Ps256];

    /// The algorithm of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.name() == name)
    }

    /// The name in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
        }
    }
}

/// Why a signing key cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The cryptographic library refused to generate a key.
    #[error("generating a signing key failed inside the cryptographic library")]
    Generate,
    /// Not a PKCS#8 private key of the algorithm.
    #[error("reading a signing key: it is not a PKCS#8 private key for {0}; generate a new one")]
    Read(&'static str),
    /// The cryptographic library refused to write the key.
    #[error("writing a signing key failed inside the cryptographic library")]
    Write,
}

/// A private key with its name (`kid`) and its public half. Prints only its name.
pub struct SigningKey {
    kid: String,
    public: Jwk,
    pair: Pair,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Ps256(RsaKeyPair),
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwk: Option<&'a Jwk>,
}

impl SigningKey {
    /// Makes a new key. Draws chance inside aws-lc: the only function of this crate that does so
    /// for anything that is kept.
    ///
    /// # Errors
    /// [`KeyError::Generate`].
    pub fn generate(alg: SigningAlg) -> Result<Self, KeyError> {
        let pair = match alg {
            SigningAlg::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .map(Pair::Es256)
                .map_err(|_| KeyError::Generate)?,
            SigningAlg::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .map(Pair::Rs256)
                .map_err(|_| KeyError::Generate)?,
            SigningAlg::EdDsa => Ed25519KeyPair::generate()
                .map(Pair::EdDsa)
                .map_err(|_| KeyError::Generate)?,
            SigningAlg::Ps256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .map(Pair::Ps256)
                .map_err(|_| KeyError::Generate)?,
        };
        Self::named(pair)
    }

    /// Reads a key that [`SigningKey::to_pkcs8`] wrote.
    ///
    /// # Errors
    /// [`KeyError::Read`] when the bytes are not such a key.
    pub fn from_pkcs8(alg: SigningAlg, der: &Secret) -> Result<Self, KeyError> {
        let refused = |_| KeyError::Read(alg.name());
        let pair = match alg {
            SigningAlg::Es256 => Pair::Es256(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.expose())
                    .map_err(refused)?,
            ),
            SigningAlg::EdDsa => {
                Pair::EdDsa(Ed25519KeyPair::from_pkcs8(der.expose()).map_err(refused)?)
            }
            SigningAlg::Rs256 | SigningAlg::Ps256 => {
                let pair = RsaKeyPair::from_pkcs8(der.expose()).map_err(refused)?;
                if pair.public_modulus_len() < 256 {
                    return Err(KeyError::Read(alg.name()));
                }
                match alg {
                    SigningAlg::Ps256 => Pair::Ps256(pair),
                    _ => Pair::Rs256(pair),
                }
            }
        };
        Self::named(pair)
    }

    /// The private key as PKCS#8 DER, to be sealed and stored.
    ///
    /// # Errors
    /// [`KeyError::Write`].
    pub fn to_pkcs8(&self) -> Result<Secret, KeyError> {
        match &self.pair {
            Pair::Es256(pair) => pair
                .to_pkcs8v1()
                .map(|der| Secret::new(der.as_ref().to_vec())),
            Pair::EdDsa(pair) => pair
                .to_pkcs8()
                .map(|der| Secret::new(der.as_ref().to_vec())),
            Pair::Rs256(pair) | Pair::Ps256(pair) => {
                AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(pair)
                    .map(|der| Secret::new(der.as_ref().to_vec()))
            }
        }
        .map_err(|_| KeyError::Write)
    }

    /// The key's name: the thumbprint of its public half [RFC 7638 §3].
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm this key signs with; there is no other.
    #[must_use]
    pub const fn alg(&self) -> SigningAlg {
        match self.pair {
            Pair::Es256(_) => SigningAlg::Es256,
            Pair::Rs256(_) => SigningAlg::Rs256,
            Pair::EdDsa(_) => SigningAlg::EdDsa,
            Pair::Ps256(_) => SigningAlg::Ps256,
        }
    }

    /// The public half, as it stands in the JWK set.
    #[must_use]
    pub const fn public(&self) -> &Jwk {
        &self.public
    }

    /// Signs a compact JWS: `base64url(header).base64url(claims).base64url(signature)`.
    ///
    /// # Errors
    /// [`JwsError::Unwritable`] when the claims cannot be written as JSON or the library fails.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, JwsError> {
        self.sign_under(
            &Header {
                alg: self.alg().name(),
                typ,
                kid: Some(&self.kid),
                jwk: None,
            },
            claims,
        )
    }

    /// The same with the public key itself in the header, as an application makes it that shows its key: with
    /// neither name nor algorithm.
    ///
    /// # Errors
    /// As for [`SigningKey::sign`].
    pub fn sign_with_key(&self, typ: &str, claims: &impl Serialize) -> Result<String, JwsError> {
        let mut bare = self.public.clone();
        (bare.alg, bare.kid) = (None, None);
        self.sign_under(
            &Header {
                alg: self.alg().name(),
                typ,
                kid: None,
                jwk: Some(&bare),
            },
            claims,
        )
    }

    fn sign_under(&self, header: &Header<'_>, claims: &impl Serialize) -> Result<String, JwsError> {
        let header = serde_json::to_vec(header).map_err(|_| JwsError::Unwritable)?;
        let claims = serde_json::to_vec(claims).map_err(|_| JwsError::Unwritable)?;
        let mut token = format!("{}.{}", base64url(&header), base64url(&claims));
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        token.push_str(&base64url(&signature));
        Ok(token)
    }

    pub(crate) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, JwsError> {
        let chance = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => pair
                .sign(&chance, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| JwsError::Unwritable),
            Pair::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rs256(pair) => by_rsa(pair, &RSA_PKCS1_SHA256, message),
            Pair::Ps256(pair) => by_rsa(pair, &RSA_PSS_SHA256, message),
        }
    }

    fn named(pair: Pair) -> Result<Self, KeyError> {
        let mut public = match &pair {
            Pair::Es256(pair) => {
                // An uncompressed point: 0x04, x (32 bytes), y (32 bytes).
                let (x, y) = pair
                    .public_key()
                    .as_ref()
                    .strip_prefix(&[4])
                    .and_then(|point| point.split_at_checked(32))
                    .ok_or(KeyError::Generate)?;
                Jwk::p256(x, y)
            }
            Pair::EdDsa(pair) => Jwk::ed25519(pair.public_key().as_ref()),
            Pair::Rs256(pair) => of_rsa(pair, "RS256"),
            Pair::Ps256(pair) => of_rsa(pair, "PS256"),
        };
        let kid = public.thumbprint();
        public.kid = Some(kid.clone());
        Ok(Self { kid, public, pair })
    }
}

fn by_rsa(
    pair: &RsaKeyPair,
    padding: &'static dyn RsaEncoding,
    message: &[u8],
) -> Result<Vec<u8>, JwsError> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message, &mut signature)
        .map_err(|_| JwsError::Unwritable)?;
    Ok(signature)
}

fn of_rsa(pair: &RsaKeyPair, alg: &str) -> Jwk {
    let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    Jwk::rsa(&public.n, &public.e, alg)
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({} {})", self.alg().name(), self.kid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::VerifyingKeys;

    #[test]
    fn a_key_comes_back_from_pkcs8_with_the_same_name() {
        for alg in SigningAlg::ALL {
            assert_eq!(SigningAlg::named(alg.name()), Some(alg));
            let key = SigningKey::generate(alg).unwrap();
            let der = key.to_pkcs8().unwrap();
            let again = SigningKey::from_pkcs8(alg, &der).unwrap();
            assert_eq!(key.kid(), again.kid());
            let token = again.sign("JWT", &serde_json::json!({"a": 1})).unwrap();
            let keys = VerifyingKeys::of([key.public()]).unwrap();
            let claims: serde_json::Value = keys.verify(&token, &["JWT"]).unwrap();
            assert_eq!(claims, serde_json::json!({"a": 1}));
        }
    }

    #[test]
    fn a_key_of_the_other_algorithm_is_refused() {
        let es256 = SigningKey::generate(SigningAlg::Es256)
            .unwrap()
            .to_pkcs8()
            .unwrap();
        assert!(SigningKey::from_pkcs8(SigningAlg::Rs256, &es256).is_err());
        assert!(SigningKey::from_pkcs8(SigningAlg::Es256, &Secret::new(vec![0; 40])).is_err());
    }

    #[test]
    fn printing_a_key_shows_its_name_only() {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey(ES256 {})", key.kid())
        );
    }
}
