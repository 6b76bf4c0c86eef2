//! The code: what it says, and whether this request may redeem it.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::{Authenticated, Fault, Posted};
use crate::Secret;
use crate::oauth::authorize::challenge_of;
use crate::oauth::scope::Scope;
use crate::oidc::claims::Named;

/// What a sealed code says: to whom it was given, for whom, and what was proven.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Consumed once by the caller; a second use is refused.
    pub id: String,
    /// The application it was issued to.
    pub client_id: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// base64url(SHA-256(verifier)).
    pub code_challenge: String,
    /// For the ID token, untouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// What the application may learn.
    pub scope: Scope,
    /// The person.
    pub subject: String,
    /// The name by which the application knows the person, if it is not that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// What it may learn beside its scopes.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub claims: Named,
    /// The thumbprint of the key of which redeeming needs a proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The session in which it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When the person proved who they are (unix seconds).
    pub auth_time: i64,
    /// The assurance, from the proofs.
    pub acr: String,
    /// How it was proven [RFC 8176].
    pub amr: Vec<String>,
    /// When it ends: at most [`Grant::LIFETIME_S_MAX`] after it was issued (unix seconds).
    pub expires_at: i64,
}

/// A code, and what must fit to it.
pub struct CodeRequest {
    /// The code to redeem.
    pub code: String,
    redirect_uri: Option<String>,
    code_verifier: Option<Secret>,
}

impl CodeRequest {
    pub(super) fn read(posted: &Posted) -> Result<Self, Fault> {
        let value = |name: &str| posted.value(name).map(str::to_owned);
        Ok(Self {
            code: value("code").ok_or(Fault::CodeMissing)?,
            redirect_uri: value("redirect_uri"),
            code_verifier: value("code_verifier").map(|text| Secret::new(text.into_bytes())),
        })
    }
}

impl Grant {
    /// A code lives one minute.
    // [FAPI 2.0 §5.3.2.1] "shall issue authorization codes with a maximum lifetime of 60 seconds"
    pub const LIFETIME_S_MAX: i64 = 60;

    /// The `sub` of what it gives.
    #[must_use]
    pub fn sub(&self) -> &str {
        self.pseudonym.as_ref().unwrap_or(&self.subject)
    }

    /// Whether whoever shows this key, or none, may redeem it.
    // [RFC 9449 §10] "If they do not match, it MUST reject the request."
    #[must_use]
    pub fn is_open_to(&self, key: Option<&str>) -> bool {
        self.key.is_none() || self.key.as_deref() == key
    }
}

/// So far apart the clocks of two nodes may be, in seconds, before what one issued is refused by another.
pub const CLOCKS_APART_S_MAX: i64 = 60;

/// Whether this request of this application may redeem the grant. On success the caller consumes
/// [`Grant::id`] once and, only if that succeeds, issues tokens.
///
/// # Errors
/// [`Fault::CodeNotGood`], the same for every reason; [`Fault::VerifierMalformed`].
pub fn redeem(
    who: &Authenticated,
    request: &CodeRequest,
    grant: &Grant,
    now: i64,
) -> Result<(), Fault> {
    let verifier = request
        .code_verifier
        .as_ref()
        .ok_or(Fault::VerifierMalformed)?;
    let verifier = well_formed(verifier.expose()).ok_or(Fault::VerifierMalformed)?;
    let computed = challenge_of(verifier);
    // [RFC 7636 §4.6] "If the values are not equal, an error response indicating "invalid_grant" as described in Section 5.2 of [RFC6749] MUST be returned."
    let verified = same(&computed, &grant.code_challenge);
    // [RFC 6749 §4.1.2] "The authorization code is bound to the client identifier and redirection URI."
    // [OIDC Core §3.1.3.2] "Ensure the Authorization Code was issued to the authenticated Client."
    let its_own = same(who.client_id(), &grant.client_id);
    let same_place = same(
        request.redirect_uri.as_deref().unwrap_or_default(),
        &grant.redirect_uri,
    );
    // [RFC 6749 §4.1.2] "The authorization code MUST expire shortly after it is issued to mitigate the risk of leaks."
    // The node that issued it may have a clock that is ahead of ours.
    let longest = Grant::LIFETIME_S_MAX.saturating_add(CLOCKS_APART_S_MAX);
    let alive = now < grant.expires_at && grant.expires_at <= now.saturating_add(longest);
    if verified & its_own & same_place & alive {
        Ok(())
    } else {
        Err(Fault::CodeNotGood)
    }
}

/// [RFC 7636 §4.1] "with a minimum length of 43 characters and a maximum length of 128 characters."
fn well_formed(verifier: &[u8]) -> Option<&str> {
    let unreserved =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let fits = (43..=128).contains(&verifier.len()) && verifier.iter().all(unreserved);
    fits.then(|| std::str::from_utf8(verifier).ok()).flatten()
}

fn same(a: &str, b: &str) -> bool {
    a.as_bytes().ct_eq(b.as_bytes()).into()
}
