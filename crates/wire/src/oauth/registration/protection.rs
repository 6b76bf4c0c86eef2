//! How what an application sends and is told is to be protected: what is signed, encrypted, and bound to a key or a
//! certificate, and with which of its keys. All of that is the application's own affair.

use super::request::wrong;
use super::{Own, Refused, Wish};
use crate::jose::{ContentEncryption, Jwk, JwkSet, KeyManagement, SigningAlg};
use crate::oauth::client::{Auth, Client, Encrypted};

/// The setting that binds tokens to certificates.
const BOUND_TO_CERTIFICATE: &str = "tls_client_certificate_bound_access_tokens";

/// How a key comes to who reads something, and how that is encrypted.
type Encryption = (Option<KeyManagement>, Option<ContentEncryption>);

impl Wish {
    fn id_token_alg(&self, algs: &[SigningAlg]) -> Result<SigningAlg, Refused> {
        let named = self.signed("id_token_signed_response_alg", algs)?;
        // [OIDC Registration §2] "The default, if omitted, is RS256."
        let usual = || {
            let usual = [SigningAlg::Rs256, SigningAlg::Es256];
            usual.into_iter().find(|alg| algs.contains(alg))
        };
        Ok(named.or_else(usual).unwrap_or(SigningAlg::Es256))
    }

    /// An algorithm for which there is a key now.
    fn signed(&self, name: &str, algs: &[SigningAlg]) -> Result<Option<SigningAlg>, Refused> {
        self.named(name, |alg| {
            SigningAlg::named(alg).filter(|alg| algs.contains(alg))
        })
    }

    /// A word that the provider's metadata lists.
    fn named<T>(&self, name: &str, of: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Refused> {
        let word = self.text(name)?;
        word.map(|word| of(word).ok_or_else(|| unlisted(name)))
            .transpose()
    }

    fn encrypted(&self, what: &str) -> Result<Encryption, Refused> {
        let setting = |last| format!("{what}_encrypted_response_{last}");
        Ok((
            self.named(&setting("alg"), KeyManagement::named)?,
            self.named(&setting("enc"), ContentEncryption::named)?,
        ))
    }

    /// How what it sends and is told is to be protected.
    pub(super) fn protected(&self, own: &Own<'_>, client: Client) -> Result<Client, Refused> {
        self.refuse_what_nobody_here_reads(own.mtls)?;
        let (id_token, userinfo) = (self.encrypted("id_token")?, self.encrypted("userinfo")?);
        let introspection = self.encrypted("introspection")?;
        let authorization = self.encrypted("authorization")?;
        Ok(Client {
            id_token_alg: self.id_token_alg(own.algs)?,
            id_token_encrypted_response_alg: id_token.0,
            id_token_encrypted_response_enc: id_token.1,
            userinfo_signed_response_alg: self.signed("userinfo_signed_response_alg", own.algs)?,
            userinfo_encrypted_response_alg: userinfo.0,
            userinfo_encrypted_response_enc: userinfo.1,
            introspection_signed_response_alg: self
                .signed("introspection_signed_response_alg", own.algs)?,
            introspection_encrypted_response_alg: introspection.0,
            introspection_encrypted_response_enc: introspection.1,
            authorization_signed_response_alg: self
                .signed("authorization_signed_response_alg", own.algs)?,
            authorization_encrypted_response_alg: authorization.0,
            authorization_encrypted_response_enc: authorization.1,
            dpop_bound: self.flag("dpop_bound_access_tokens")?,
            tls_client_certificate_bound_access_tokens: self.flag(BOUND_TO_CERTIFICATE)?,
            require_par: self.flag("require_pushed_authorization_requests")?,
            require_signed_request_object: self.flag("require_signed_request_object")?,
            ..client
        })
    }

    /// Its keys, as far as they are used for anything: others are left out, and the answer shows that.
    pub(super) fn with_its_keys(&self, auth: Auth, client: Client) -> Result<Client, Refused> {
        let signs = matches!(auth, Auth::PrivateKeyJwt | Auth::SelfSignedTlsClientAuth)
            || client.require_signed_request_object;
        let mut encrypted = Encrypted::ALL.into_iter();
        let opens = encrypted.any(|what| client.encryption(what).is_some());
        let all = self.keys()?.unwrap_or(JwkSet { keys: Vec::new() });
        let for_signatures = all.for_signatures().filter(|_| signs);
        let for_encryption = all.for_encryption().filter(|_| opens);
        let keys: Vec<Jwk> = for_signatures.chain(for_encryption).cloned().collect();
        let jwks = (!keys.is_empty()).then_some(JwkSet { keys });
        Ok(Client { jwks, ..client })
    }

    fn keys(&self) -> Result<Option<JwkSet>, Refused> {
        let Some(keys) = self.get("jwks") else {
            return Ok(None);
        };
        let read = serde_json::to_value(keys).and_then(serde_json::from_value);
        read.map_err(|_| wrong("jwks must be a set of public keys (RFC 7517)"))
    }

    fn refuse_what_nobody_here_reads(&self, mtls: bool) -> Result<(), Refused> {
        if self.flag(BOUND_TO_CERTIFICATE)? && !mtls {
            return Err(wrong(
                "no certificates are asked for here: tokens are bound to keys by DPoP",
            ));
        }
        // What it may encrypt its requests with need not be registered; what nobody here opens is no promise.
        let alg = self.named("request_object_encryption_alg", KeyManagement::named)?;
        if alg.is_some_and(|alg| !KeyManagement::OURS.contains(&alg)) {
            return Err(unlisted("request_object_encryption_alg"));
        }
        self.named("request_object_encryption_enc", ContentEncryption::named)?;
        Ok(())
    }
}

fn unlisted(name: &str) -> Refused {
    Refused::Metadata(format!(
        "{name} must be one that the provider's metadata lists"
    ))
}

#[cfg(test)]
mod tests;
