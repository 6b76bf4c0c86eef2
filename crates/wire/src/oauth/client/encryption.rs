//! What is encrypted to an application, how, and to which of its keys.

use super::{Client, ClientFlaw};
use crate::jose::{
    Chance, Content, ContentEncryption, EncryptingKey, JweError, JwkFlaw, KeyManagement,
};

/// Most keys for encryption that are registered.
const KEYS_MAX: usize = 10;

/// What can be encrypted to an application.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encrypted {
    /// Its ID tokens.
    IdToken,
    /// What `/userinfo` tells it.
    Userinfo,
    /// What `/introspect` tells it.
    Introspection,
    /// The answers to its authorization requests.
    Authorization,
}

impl Encrypted {
    /// All of it.
    pub const ALL: [Self; 4] = [
        Self::IdToken,
        Self::Userinfo,
        Self::Introspection,
        Self::Authorization,
    ];

    /// How the setting begins that asks for it.
    const fn setting(self) -> &'static str {
        match self {
            Self::IdToken => "id_token_encrypted_response",
            Self::Userinfo => "userinfo_encrypted_response",
            Self::Introspection => "introspection_encrypted_response",
            Self::Authorization => "authorization_encrypted_response",
        }
    }
}

impl Client {
    /// Whether and how this is encrypted to it.
    #[must_use]
    pub fn encryption(&self, what: Encrypted) -> Option<(KeyManagement, ContentEncryption)> {
        let (alg, enc) = self.encryption_settings(what);
        // [OIDC Registration §2] "If id_token_encrypted_response_alg is specified, the default id_token_encrypted_response_enc value is A128CBC-HS256."
        alg.map(|alg| (alg, enc.unwrap_or_default()))
    }

    /// Encrypts, if it is registered for that, what it is told; otherwise this is what it gets.
    ///
    /// # Errors
    /// [`JweError::NoKey`], where a registration was never checked; [`JweError::Unwritable`].
    // [OIDC Core §16.14] What is signed is signed before it comes here: a signature around ciphertext could be
    // exchanged for another.
    pub fn encrypted(
        &self,
        what: Encrypted,
        content: Content<'_>,
        chance: &Chance,
    ) -> Result<Option<String>, JweError> {
        let Some((alg, enc)) = self.encryption(what) else {
            return Ok(None);
        };
        let key = self.encrypting_key(alg).map_err(|_| JweError::NoKey)?;
        key.encrypt(content, enc, chance).map(Some)
    }

    const fn encryption_settings(
        &self,
        what: Encrypted,
    ) -> (Option<KeyManagement>, Option<ContentEncryption>) {
        match what {
            Encrypted::IdToken => (
                self.id_token_encrypted_response_alg,
                self.id_token_encrypted_response_enc,
            ),
            Encrypted::Userinfo => (
                self.userinfo_encrypted_response_alg,
                self.userinfo_encrypted_response_enc,
            ),
            Encrypted::Introspection => (
                self.introspection_encrypted_response_alg,
                self.introspection_encrypted_response_enc,
            ),
            Encrypted::Authorization => (
                self.authorization_encrypted_response_alg,
                self.authorization_encrypted_response_enc,
            ),
        }
    }

    /// The first of its keys for encryption that fits.
    fn encrypting_key(&self, alg: KeyManagement) -> Result<EncryptingKey, JwkFlaw> {
        let mut keys = self.jwks.iter().flat_map(|set| set.for_encryption());
        keys.find_map(|key| key.encrypting(alg).ok())
            .ok_or(JwkFlaw::NotForEncryption)
    }

    /// Whether anything is encrypted to it.
    pub(super) fn is_encrypted_to(&self) -> bool {
        let mut all = Encrypted::ALL.into_iter();
        all.any(|what| self.encryption(what).is_some())
    }

    /// What is wrong with what it wants encrypted, and with its keys for that.
    pub(super) fn flaws_of_encryption(&self) -> Vec<ClientFlaw> {
        let mut flaws = Vec::new();
        for what in Encrypted::ALL {
            let setting = what.setting();
            match self.encryption_settings(what) {
                // [OIDC Registration §2] "When id_token_encrypted_response_enc is included, id_token_encrypted_response_alg MUST also be provided."
                (None, Some(_)) => flaws.push(ClientFlaw::Encryption(format!(
                    "`{setting}_enc` is given without `{setting}_alg`; add that, or remove it"
                ))),
                (Some(alg), _) if self.encrypting_key(alg).is_err() => {
                    flaws.push(ClientFlaw::Encryption(format!(
                        "`{setting}_alg` is \"{name}\", and `jwks` has no public key with `use: enc` that is one for \
                         it: {kind}; add that, or remove the setting",
                        name = alg.name(),
                        kind = kind(alg),
                    )));
                }
                _ => {}
            }
        }
        let keys: Vec<_> = self
            .jwks
            .iter()
            .flat_map(|set| set.for_encryption())
            .collect();
        flaws.extend(
            keys.iter()
                .filter_map(|key| key.flaw_in_encryption())
                .map(ClientFlaw::Key),
        );
        if keys.len() > KEYS_MAX {
            flaws.push(ClientFlaw::KeysMissing);
        }
        if !keys.is_empty() && !self.is_encrypted_to() {
            flaws.push(ClientFlaw::Encryption(
                "`jwks` has a key with `use: enc`, and nothing is encrypted to this application; set \
                 `id_token_encrypted_response_alg`, or remove the key"
                    .to_owned(),
            ));
        }
        flaws
    }
}

/// What a key must be.
const fn kind(alg: KeyManagement) -> &'static str {
    match alg {
        KeyManagement::RsaOaep | KeyManagement::RsaOaep256 => "RSA with 2048 bit or more",
        _ => "on P-256 or X25519",
    }
}

#[cfg(test)]
mod tests;
