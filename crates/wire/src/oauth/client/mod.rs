//! An application as a technician registers it, and what [`Client::check`] says about mistakes.
//!
//! In `applications.toml`:
//!
//! ```toml
//! [[application]]
//! id = "ent"
//! name = { fr = "ENT", de = "Schulportal", en = "School portal" }
//! kind = "confidential"
//! redirect_uris = ["https://edu.vs.ch/oidc/callback"]
//! auth = "basic"
//! secret_sha256 = "…64 hexadecimal digits…"
//! scopes = ["openid", "profile", "email"]
//! minimum = "password"
//! trusted = true
//! ```

mod applications;
mod certificate;
mod check;
mod encryption;
mod fapi;
mod shared_secret;
mod subject;
mod uri;

pub use applications::{Applications, ApplicationsFlaw};
pub use certificate::TlsClientAuth;
pub use check::ClientFlaw;
pub use encryption::Encrypted;
pub use fapi::Profile;
pub use shared_secret::{NotASecret, SharedSecret};
pub use subject::Subjects;
pub use uri::UriFlaw;
pub(crate) use uri::{Loopback, flaw_of_registered, web_origin};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::scope::{Scope, ScopeName};
use crate::Secret;
use crate::form::with_query;
use crate::jose::{ContentEncryption, JwkSet, KeyManagement, SigningAlg, base64url};
use crate::oidc::Issuer;
use crate::pseudonym::Salt;

/// A registered application (an OAuth client).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The `client_id`: 1 to 64 of `a`–`z`, `0`–`9`, `-`, `_`, `.`.
    pub id: String,
    /// What people see, in each language.
    pub name: Name,
    /// What kind of program it is.
    pub kind: Kind,
    /// Where codes may be sent. Compared character by character; a native application's loopback
    /// port may vary.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// What it may bring to the token endpoint.
    #[serde(default = "code_only", skip_serializing_if = "is_code_only")]
    pub grants: Vec<GrantName>,
    /// Where people may be sent after logging out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told by the provider itself that a session has ended [Back-Channel Logout 1.0 §2.2].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Where the browser that signs out tells it so, in a frame [Front-Channel Logout 1.0 §2].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// It wants to hear in that frame who says so, and which session.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frontchannel_logout_session_required: bool,
    /// Its pages may ask the browser whether the session has changed [Session Management 1.0].
    #[serde(default, skip_serializing_if = "is_default")]
    pub session_management: bool,
    /// Where a sign-in that starts at the provider begins [OIDC Core §4].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// The page a person who lands nowhere is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// How it proves at the token endpoint that it is itself.
    pub auth: Auth,
    /// Hexadecimal SHA-256 of its secret, for `basic` and `post`. The secret has at least 256 bits of
    /// chance (43 base64url characters), so a fast digest is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_sha256: Option<String>,
    /// Where its secret is kept, for `secret_jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SharedSecret>,
    /// From when on its secret is not good any more, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_until: Option<i64>,
    /// Its public keys, for `private_key_jwt` and signed requests; and those with `use: enc`, to which tokens are
    /// encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    /// What it may ask for. Always includes `openid`.
    #[serde(default = "openid_and_profile")]
    pub scopes: Vec<ScopeName>,
    /// How its ID tokens are signed.
    #[serde(default = "es256")]
    pub id_token_alg: SigningAlg,
    /// How the key of its encrypted ID tokens comes to it; none: they are not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagement>,
    /// How these are encrypted, if not as is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// How what `/userinfo` tells it is signed; none: it is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlg>,
    /// How the key of what `/userinfo` tells it comes to it; none: that is not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagement>,
    /// How that is encrypted, if not as is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// How statements about tokens are signed, if it is always to get these [RFC 9701 §6]; without it, those that it
    /// asks for are signed as its access tokens, or its ID tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<SigningAlg>,
    /// How the key of statements about tokens comes to it; none: they are not encrypted [RFC 9701 §6].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_alg: Option<KeyManagement>,
    /// How these are encrypted, if not as is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introspection_encrypted_response_enc: Option<ContentEncryption>,
    /// How answers to its authorization requests are signed, if it wants these as JWTs; as its ID tokens, if
    /// nothing is said [JARM §3].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_signed_response_alg: Option<SigningAlg>,
    /// How the key of these JWTs comes to it; none: they are not encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_alg: Option<KeyManagement>,
    /// How these are encrypted, if not as is usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_encrypted_response_enc: Option<ContentEncryption>,
    /// What its access tokens look like.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access_token: AccessTokenForm,
    /// How its access tokens are signed, if they are.
    #[serde(default = "es256", skip_serializing_if = "is_es256")]
    pub access_token_alg: SigningAlg,
    /// What tokens that it asks for in its own name may be used for; interfaces give these words their
    /// meaning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_scopes: Vec<String>,
    /// The interfaces for which it may ask for access tokens [RFC 8707].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The interfaces that it is: access tokens for these it may have explained [RFC 7662].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    /// It gets no token that is not bound to a key of its own [RFC 9449 §5.2].
    #[serde(default, skip_serializing_if = "is_default")]
    pub dpop_bound: bool,
    /// How its certificate is known, for `tls_client_auth` and `self_signed_tls_client_auth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_auth: Option<TlsClientAuth>,
    /// It gets no token that is not bound to its certificate [RFC 8705 §3.4].
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Its requests count only if it hands them over itself [RFC 9126 §6].
    #[serde(default, skip_serializing_if = "is_default")]
    pub require_par: bool,
    /// Its requests count only if they are signed with one of its keys [RFC 9101 §10.5].
    #[serde(default, skip_serializing_if = "is_default")]
    pub require_signed_request_object: bool,
    /// A profile to which it is held, with all that belongs to it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub profile: Option<Profile>,
    /// By which kind of name it knows people.
    #[serde(default, skip_serializing_if = "is_default")]
    pub subject: Subjects,
    /// An address whose host stands for all applications that know people by the same pseudonyms, where
    /// redirect addresses have several hosts. Nothing is fetched there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector: Option<String>,
    /// Goes into the pseudonyms by which it knows people. If it changes, it knows nobody any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
    /// The least that must be proven, whether it asks for it or not.
    #[serde(default)]
    pub minimum: Assurance,
    /// It belongs to the school system: people are not asked for consent.
    #[serde(default)]
    pub trusted: bool,
    /// A disabled application is refused as if it were unknown.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// A name in the languages of the pages.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// In French.
    pub fr: String,
    /// In German.
    pub de: String,
    /// In English.
    pub en: String,
}

/// What kind of program an application is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Runs on a server and can keep a secret.
    Confidential,
    /// Runs in the browser.
    Public,
    /// Runs on a device; may receive its code on the loopback address [RFC 8252 §7.3].
    Native,
}

/// How an application authenticates at the token endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Auth {
    /// `client_secret_basic`
    #[serde(rename = "basic")]
    Basic,
    /// `client_secret_post`
    #[serde(rename = "post")]
    Post,
    /// `client_secret_jwt`: a statement with a code that the secret makes [OIDC Core §9]
    #[serde(rename = "secret_jwt")]
    SecretJwt,
    /// `private_key_jwt` [RFC 7523 §2.2]
    #[serde(rename = "private_key_jwt")]
    PrivateKeyJwt,
    /// `tls_client_auth`: by a certificate for which an authority vouches [RFC 8705 §2.1]
    #[serde(rename = "tls_client_auth")]
    TlsClientAuth,
    /// `self_signed_tls_client_auth`: by a certificate that is registered [RFC 8705 §2.2]
    #[serde(rename = "self_signed_tls_client_auth")]
    SelfSignedTlsClientAuth,
    /// Not at all: PKCE alone, for public and native applications.
    #[serde(rename = "none")]
    None,
}

/// What an application may bring to the token endpoint.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantName {
    /// A code of somebody who signed in.
    AuthorizationCode,
    /// A refresh token, which comes with every code.
    RefreshToken,
    /// Nothing but itself: no person is involved.
    ClientCredentials,
    /// A code of a device that somebody let in elsewhere [RFC 8628].
    DeviceCode,
}

/// What an access token looks like.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenForm {
    /// Sealed: only the provider can read it, and each use asks whether it still counts.
    #[default]
    Opaque,
    /// A signed JWT, which interfaces read by themselves and believe until it ends [RFC 9068].
    Jwt,
}

/// How much must be proven, from little to much.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// A password.
    #[default]
    Password,
    /// A badge and PIN, or a teacher's word.
    Vouched,
    /// Two factors.
    Strong,
    /// A passkey with user verification.
    PhishingResistant,
}

impl Client {
    /// The set of scopes it may ask for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scopes.iter().copied().collect()
    }

    /// Whether it may bring this to the token endpoint.
    #[must_use]
    pub fn may(&self, grant: GrantName) -> bool {
        self.grants.contains(&grant)
    }

    /// What answers are signed with that it wants as JWTs.
    // [JARM §3] "If this is specified, the response will be signed using JWS and the configured algorithm."
    #[must_use]
    pub fn answer_alg(&self) -> SigningAlg {
        self.authorization_signed_response_alg
            .unwrap_or(self.id_token_alg)
    }

    /// Whether answers to its authorization requests are JWTs, whatever is asked for on the way.
    #[must_use]
    pub fn is_answered_by_jwt(&self) -> bool {
        self.authorization_signed_response_alg.is_some()
            || self.encryption(Encrypted::Authorization).is_some()
    }

    /// Where a person who starts at the provider goes to use this application: the place where it
    /// begins a sign-in [OIDC Core §4], or its home page.
    #[must_use]
    pub fn entrance(&self, issuer: &Issuer) -> Option<String> {
        match &self.initiate_login_uri {
            Some(uri) => Some(with_query(uri, &[("iss", Some(issuer.as_str()))])),
            None => self.home.clone(),
        }
    }

    /// Whether its secret was good for a while, and that is over.
    #[must_use]
    pub(crate) fn secret_is_over(&self, now: i64) -> bool {
        self.secret_until.is_some_and(|until| now >= until)
    }

    /// Whether this is the application's secret. Constant time; an empty secret never is.
    #[must_use]
    pub(crate) fn has_secret(&self, secret: &[u8]) -> bool {
        let given = digest(&SHA256, secret);
        let registered = self
            .secret_sha256
            .as_deref()
            .and_then(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok())
            .unwrap_or_default();
        let same: bool = given.as_ref().ct_eq(&registered).into();
        same && !secret.is_empty()
    }
}

/// A new secret made of 256 bits of chance: 43 base64url characters. Shown once; only its
/// [`secret_digest`] is kept.
#[must_use]
pub fn new_secret(chance: [u8; 32]) -> Secret {
    Secret::new(base64url(&chance).into_bytes())
}

/// What to write into `secret_sha256` for this secret.
#[must_use]
pub fn secret_digest(secret: &[u8]) -> String {
    HEXLOWER_PERMISSIVE.encode(digest(&SHA256, secret).as_ref())
}

fn openid_and_profile() -> Vec<ScopeName> {
    vec![ScopeName::Openid, ScopeName::Profile]
}

const fn es256() -> SigningAlg {
    SigningAlg::Es256
}

const fn yes() -> bool {
    true
}

fn code_only() -> Vec<GrantName> {
    vec![GrantName::AuthorizationCode]
}

fn is_code_only(grants: &[GrantName]) -> bool {
    *grants == [GrantName::AuthorizationCode]
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_es256(alg: &SigningAlg) -> bool {
    *alg == SigningAlg::Es256
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests;
