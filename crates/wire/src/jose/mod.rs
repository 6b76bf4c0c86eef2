//! JSON Web Signatures and Encryption as an identity provider needs them: few algorithms, one per key.
//!
//! Deliberately absent: `none`, `jku`/`x5u`, keys out of `x5c`, embedded `jwk` but in DPoP proofs, and any clock;
//! HMAC for anything but what an application says of itself.

mod jwe;
mod jwk;
mod jws;
mod key;
mod mac;
mod ring;

pub(crate) use jwe::is_encrypted;
pub use jwe::{
    Chance, Content, ContentEncryption, DecryptingKeys, EncryptingKey, JweError, KeyManagement,
};
pub use jwk::{Jwk, JwkFlaw, JwkSet};
pub use jws::{JwsError, VerifyingKeys};
pub(crate) use jws::{subject_before_verification, verified_by_own_key};
pub use key::{KeyError, SigningAlg, SigningKey};
pub(crate) use mac::MacKey;
#[cfg(test)]
pub(crate) use mac::tests::coded;
pub use ring::{KeyRing, RingError, Standing};

use data_encoding::BASE64URL_NOPAD;

/// Base64url without padding [RFC 7515 §2].
#[must_use]
pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}
