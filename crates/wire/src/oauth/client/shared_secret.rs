//! A secret that the provider must know itself, to verify what an application makes with it. It is kept outside of
//! the registration, which says only where.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Auth, Client};
use crate::jose::MacKey;

/// Where a secret is kept: `{file:PATH}`, with a path from the root, or `{env:NAME}`. Once somebody has read it there,
/// also what it is; that is never written nor printed, and two are the same if they are in the same place.
#[derive(Clone, Deserialize, Serialize)]
#[serde(from = "String", into = "String")]
pub struct SharedSecret {
    place: String,
    known: Option<MacKey>,
}

/// What was read is no secret to verify codes with.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the secret must have 32 to 1024 bytes, and 48 for HS384 or 64 for HS512; `openssl rand -hex 32` makes one for all three"
)]
pub struct NotASecret;

impl SharedSecret {
    /// One that is kept in this file.
    #[must_use]
    pub fn in_file(path: &str) -> Self {
        Self::from(format!("{{file:{path}}}"))
    }

    /// Where it is kept, as in the registration.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Takes what was read there.
    ///
    /// # Errors
    /// [`NotASecret`], and then it knows none.
    pub fn learn(&mut self, secret: &[u8]) -> Result<(), NotASecret> {
        self.known = MacKey::of(secret);
        self.known.as_ref().map(|_| ()).ok_or(NotASecret)
    }

    pub(crate) const fn known(&self) -> Option<&MacKey> {
        self.known.as_ref()
    }

    /// Whether it names a place, and is not the secret itself.
    fn is_a_place(&self) -> bool {
        let inside = self.place.strip_prefix('{');
        let named = inside.and_then(|rest| rest.strip_suffix('}'));
        match named.and_then(|named| named.split_once(':')) {
            Some(("file", path)) => path.starts_with('/') && !path.contains(char::is_control),
            Some(("env", name)) => {
                let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                !name.is_empty() && name.bytes().all(plain)
            }
            _ => false,
        }
    }
}

impl From<String> for SharedSecret {
    fn from(place: String) -> Self {
        Self { place, known: None }
    }
}

impl From<SharedSecret> for String {
    fn from(secret: SharedSecret) -> Self {
        secret.place
    }
}

impl PartialEq for SharedSecret {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

/// Silent: somebody may have written the secret itself.
impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}

impl Client {
    /// What is wrong with where its secret is kept.
    pub(super) fn flaw_of_shared_secret(&self) -> Option<&'static str> {
        match (self.auth, &self.secret) {
            (Auth::SecretJwt, None) => Some(
                "it is missing: say where the secret is kept, `secret = \"{file:/etc/furka/NAME.secret}\"` or \
                 `\"{env:NAME}\"`",
            ),
            (Auth::SecretJwt, Some(secret)) if !secret.is_a_place() => Some(
                "it must say where the secret is kept, and not what it is: `\"{file:PATH}\"` with a path that begins \
                 with `/`, or `\"{env:NAME}\"`",
            ),
            (Auth::SecretJwt, Some(_)) | (_, None) => None,
            (_, Some(_)) => {
                Some("it is given but `auth` is not \"secret_jwt\"; remove one of the two")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::client::{ClientFlaw, Kind};
    use crate::testing::{ENT_SECRET, coding, ent};

    fn kept(place: &str) -> Client {
        Client {
            secret: Some(SharedSecret::from(place.to_owned())),
            ..coding()
        }
    }

    /// [P02] What is registered is a place; a secret that is written there is refused, and repeated nowhere.
    #[test]
    fn a_registration_says_where_a_secret_is_and_never_what() {
        for good in ["{file:/etc/furka/ent.secret}", "{env:ENT_SECRET}"] {
            assert_eq!(kept(good).check(), [], "{good}");
        }
        for bad in [
            "",
            ENT_SECRET,
            "{file:ent.secret}",
            "{file:}",
            "{file:/a\nb}",
            "{env:}",
            "{env:A-B}",
            "{ENV:A}",
            "{file:/a",
            "{vault:/a}",
        ] {
            let flaws = kept(bad).check();
            assert!(
                matches!(*flaws, [ClientFlaw::SharedSecret(_)]),
                "{bad}: {flaws:?}"
            );
            assert!(bad.len() < 10 || !flaws[0].to_string().contains(bad));
        }
        let missing = Client {
            secret: None,
            ..coding()
        };
        assert!(matches!(*missing.check(), [ClientFlaw::SharedSecret(_)]));
        let beside = Client {
            secret: coding().secret,
            ..ent()
        };
        assert!(matches!(*beside.check(), [ClientFlaw::SharedSecret(_)]));
        let digest_too = Client {
            secret_sha256: ent().secret_sha256,
            ..coding()
        };
        assert_eq!(digest_too.check(), [ClientFlaw::SecretUnused]);
        for kind in [Kind::Public, Kind::Native] {
            let cannot_keep_it = Client { kind, ..coding() };
            assert!(cannot_keep_it.check().contains(&ClientFlaw::AuthDoesNotFit));
        }
    }

    /// [P02] What was read is in no document, no log and no comparison.
    #[test]
    fn what_was_read_is_written_nowhere() {
        let client = coding();
        let text = toml::to_string(&client).unwrap();
        assert!(
            text.contains("secret = \"{file:/etc/furka/ent.secret}\"")
                && !text.contains(ENT_SECRET)
        );
        let read: Client = toml::from_str(&text).unwrap();
        assert_eq!(read, client);
        assert!(read.secret.unwrap().known().is_none());
        let printed = format!("{client:?}");
        assert!(printed.contains("SharedSecret") && !printed.contains(ENT_SECRET));
        assert!(!printed.contains("ent.secret"), "{printed}");
    }

    #[test]
    fn a_secret_that_is_too_short_is_not_learnt() {
        let mut secret = SharedSecret::in_file("/a");
        assert_eq!(secret.learn(&[7; 64]), Ok(()));
        assert_eq!(secret.learn(&[7; 31]), Err(NotASecret));
        assert!(secret.known().is_none());
        assert!(NotASecret.to_string().contains("openssl rand"));
    }
}
