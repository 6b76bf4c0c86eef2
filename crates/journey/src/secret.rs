//! Bytes and texts that print nothing.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes: a seed, a key, a code. Wiped when dropped, silent when printed, compared in
/// constant time.
///
/// Serialising yields the secret (base64url): only sealed records may hold it, see `store::Seal`.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves: the caller now holds the secret.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether both are the same, in a time that depends on the lengths only.
    #[must_use]
    pub fn matches(&self, other: &[u8]) -> bool {
        self.0.ct_eq(other).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes());
        bytes
            .map(Self::new)
            .map_err(|_| serde::de::Error::custom("a secret that is not base64url"))
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    /// [O18] Secrets are compared in constant time and print nothing.
    #[test]
    fn a_secret_prints_nothing_and_survives_sealing() {
        let secret = Secret::new(b"12345678901234567890".to_vec());
        assert_eq!(format!("{secret:?}"), "Secret");
        let text = serde_json::to_string(&secret).unwrap();
        let back: Secret = serde_json::from_str(&text).unwrap();
        assert!(back.matches(secret.expose()));
        assert!(!back.matches(b"1234567890123456789"));
    }
}
