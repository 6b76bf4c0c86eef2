//! Keys: those of applications, which come from stored metadata only, and the provider's own.

use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA256_FIXED,
    ECDSA_P521_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use data_encoding::BASE64;

use super::x509::{self, Kind};
use crate::jose::{SigningAlg, SigningKey};

/// A signature algorithm that is believed: RSA or ECDSA, with SHA-256 or longer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Method {
    family: Family,
    bits: Bits,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Family {
    Rsa,
    Ecdsa,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Bits {
    B256,
    B384,
    B512,
}

/// The name of the algorithm that the provider signs with.
pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";

impl Method {
    /// The algorithm of a name; none for those that are not believed: SHA-1, HMAC, MD5, DSA.
    pub(crate) fn of_uri(uri: &str) -> Option<Self> {
        let name = uri.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#")?;
        let (family, bits) = match name {
            "rsa-sha256" => (Family::Rsa, Bits::B256),
            "rsa-sha384" => (Family::Rsa, Bits::B384),
            "rsa-sha512" => (Family::Rsa, Bits::B512),
            "ecdsa-sha256" => (Family::Ecdsa, Bits::B256),
            "ecdsa-sha384" => (Family::Ecdsa, Bits::B384),
            "ecdsa-sha512" => (Family::Ecdsa, Bits::B512),
            _ => return None,
        };
        Some(Self { family, bits })
    }
}

/// An application's public key for signatures.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct VerifyingKey {
    kind: Kind,
    /// `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
}

impl VerifyingKey {
    /// The key in a certificate. Nothing else in the certificate counts: the metadata is what is
    /// trusted [SAML V2.0 Metadata Interoperability Profile §2.6.1].
    pub(crate) fn of_certificate(der: &[u8]) -> Option<Self> {
        let (kind, spki) = x509::public_key(der)?;
        Some(Self {
            kind,
            spki: spki.to_vec(),
        })
    }

    /// Whether this key made the signature. A method of another family than the key's never
    /// verifies.
    pub(crate) fn verifies(&self, method: Method, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm =
            match (self.kind, method.family, method.bits) {
                (Kind::Rsa, Family::Rsa, Bits::B256) => &RSA_PKCS1_2048_8192_SHA256,
                (Kind::Rsa, Family::Rsa, Bits::B384) => &RSA_PKCS1_2048_8192_SHA384,
                (Kind::Rsa, Family::Rsa, Bits::B512) => &RSA_PKCS1_2048_8192_SHA512,
                (Kind::P256, Family::Ecdsa, Bits::B256) => &ECDSA_P256_SHA256_FIXED,
                (Kind::P384, Family::Ecdsa, Bits::B384) => &ECDSA_P384_SHA384_FIXED,
                (Kind::P521, Family::Ecdsa, Bits::B256) => &ECDSA_P521_SHA256_FIXED,
                (Kind::P521, Family::Ecdsa, Bits::B384) => &ECDSA_P521_SHA384_FIXED,
                (Kind::P521, Family::Ecdsa, Bits::B512) => &ECDSA_P521_SHA512_FIXED,
                _ => return false,
            };
        UnparsedPublicKey::new(algorithm, &self.spki)
            .verify(message, signature)
            .is_ok()
    }
}

/// An application's RSA key, to which keys of encrypted assertions are encrypted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct EncryptingKey {
    spki: Vec<u8>,
}

impl EncryptingKey {
    /// The RSA key in a certificate.
    pub(crate) fn of_certificate(der: &[u8]) -> Option<Self> {
        let (kind, spki) = x509::public_key(der)?;
        let key = Self {
            spki: spki.to_vec(),
        };
        (kind == Kind::Rsa && key.open().is_some()).then_some(key)
    }

    fn open(&self) -> Option<OaepPublicEncryptingKey> {
        let key = PublicEncryptingKey::from_der(&self.spki).ok()?;
        OaepPublicEncryptingKey::new(key).ok()
    }

    /// Encrypts a data key with RSA-OAEP (MGF1 and label digest SHA-1, the only ones that every
    /// implementation has; OAEP does not rest on their resistance to collisions).
    pub(crate) fn wrap(&self, key: &[u8]) -> Option<Vec<u8>> {
        let public = self.open()?;
        let mut out = vec![0; public.ciphertext_size()];
        let written = public
            .encrypt(&OAEP_SHA1_MGF1SHA1, key, &mut out, None)
            .ok()?
            .len();
        out.truncate(written);
        Some(out)
    }
}

/// The provider's signing key and the certificate that carries its public half in metadata.
#[derive(Clone, Copy, Debug)]
pub struct Credential<'k> {
    key: &'k SigningKey,
    certificate: &'k str,
}

/// The certificate of an RSA key: base64 of DER, one line. None of another key.
///
/// It is a function of the key: every node writes the same one, and nothing needs to be stored. It is
/// self-signed and says nothing but the key.
#[must_use]
pub fn certificate(key: &SigningKey) -> Option<String> {
    let rsa = key.alg() == SigningAlg::Rs256;
    let der = rsa.then(|| x509::self_signed(key)).flatten()?;
    Some(BASE64.encode(&der))
}

impl<'k> Credential<'k> {
    /// A key with its [`certificate`].
    #[must_use]
    pub const fn new(key: &'k SigningKey, certificate: &'k str) -> Self {
        Self { key, certificate }
    }

    /// The certificate: base64 of DER, one line.
    #[must_use]
    pub const fn certificate(&self) -> &'k str {
        self.certificate
    }

    /// An RSA-SHA256 signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.key.signature(message).ok()
    }
}
