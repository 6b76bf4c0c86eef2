//! Pseudonyms: names that say nothing about a person, and differ from application to application.
//!
//! They are computed from a salt in the application's registration, so that they stay what they are over
//! restarts, nodes, restores and every change of keys. See `docs/decisions/0028-pseudonyms-are-computed.md`.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// Chance in a registration that is never changed: who knows it can compare the people of two applications.
/// Not printable.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Salt(String);

impl Salt {
    /// What one must be, in words for who writes a registration.
    pub const RULE: &str =
        "32 to 200 characters of chance, such as `openssl rand -hex 32` prints; never change it";

    /// The salt of this text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Whether it is long enough that nobody guesses it, and plain text.
    #[must_use]
    pub fn is_strong(&self) -> bool {
        is_strong(&self.0)
    }

    /// The name of something of this kind: 128 bits as hexadecimal digits.
    #[must_use]
    pub fn pseudonym(&self, kind: &str, of: &[u8]) -> String {
        pseudonym(&self.0, kind, of)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// Whether a salt is long enough that nobody guesses it, and plain text.
pub(crate) fn is_strong(salt: &str) -> bool {
    (32..=200).contains(&salt.len()) && salt.bytes().all(|byte| byte.is_ascii_graphic())
}

/// 128 bits that nobody can turn back or compare without the salt. Each part is told apart by its length.
pub(crate) fn pseudonym(salt: &str, kind: &str, of: &[u8]) -> String {
    let mut context = Context::new(&SHA256);
    for part in [salt.as_bytes(), kind.as_bytes(), of] {
        context.update(&part.len().to_be_bytes());
        context.update(part);
    }
    let digest = context.finish();
    HEXLOWER.encode(digest.as_ref().get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "0123456789abcdef0123456789abcdef";

    /// A change here would make all applications forget whom they know.
    #[test]
    fn a_pseudonym_is_for_ever() {
        let salt = Salt::new(TEXT.to_owned());
        let name = salt.pseudonym("persistent", b"anna");
        assert_eq!(name, pseudonym(TEXT, "persistent", b"anna"));
        assert_eq!(name.len(), 32);
        for (kind, of) in [("persistent", "ann"), ("persistentanna", ""), ("x", "anna")] {
            assert_ne!(name, salt.pseudonym(kind, of.as_bytes()), "{kind} {of}");
        }
        let other = Salt::new(format!("{TEXT}0"));
        assert_ne!(name, other.pseudonym("persistent", b"anna"));
    }

    #[test]
    fn a_salt_is_long_plain_and_not_printed() {
        assert!(Salt::new(TEXT.to_owned()).is_strong());
        for weak in ["", "short", &TEXT[1..], &"é".repeat(32), &"x".repeat(201)] {
            assert!(!Salt::new(weak.to_owned()).is_strong(), "{weak}");
        }
        assert!(!format!("{:?}", Salt::new(TEXT.to_owned())).contains("0123"));
    }
}
