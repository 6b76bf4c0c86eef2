//! What travels through a browser and comes back unchanged: sealed, bound, with a deadline.

use data_encoding::BASE64URL_NOPAD;
use journey::{Timestamp, login::Login};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::seal::{Keys, Purpose};
use wire::oauth::authorize::Authorize;

use crate::errand::Errand;

/// The hidden field of the sign-in page. Nothing is written before a password is right: see
/// `docs/decisions/0002-nothing-is-written-before-a-password-is-right.md`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct SignIn {
    /// SHA-256 of the browser's cookie.
    pub(crate) browser: [u8; 32],
    /// What the person came for.
    pub(crate) purpose: Purposed,
    /// The state of the journey: waiting for a password.
    pub(crate) state: Login,
    /// The code for the desk.
    pub(crate) support: String,
}

/// What the person came for; kept with the journey.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Purposed {
    /// The authorization request; none of it and no errand for the person's own account page.
    pub(crate) authorize: Option<Authorize>,
    /// It goes on in another browser than it began in: the application there knows nothing of it.
    #[serde(default)]
    pub(crate) elsewhere: bool,
    /// What they came for in another language than OpenID Connect; then there is no `authorize`.
    #[serde(default)]
    pub(crate) errand: Option<Errand>,
}

/// What an application asks to happen at sign-out, while the person confirms it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct SignOut {
    /// The client id, if it is known.
    pub(crate) application: Option<String>,
    /// Where to go afterwards: verified.
    pub(crate) then: Option<String>,
    /// Until when it is asked.
    pub(crate) until: Timestamp,
}

/// Seals a ticket for a hidden field.
pub(crate) fn seal(keys: &Keys, purpose: Purpose, kind: &str, ticket: &impl Serialize) -> String {
    let plain = serde_json::to_vec(ticket).unwrap_or_default();
    BASE64URL_NOPAD.encode(&keys.seal(purpose, kind.as_bytes(), &plain))
}

/// Opens a ticket; none if it is not one of ours or was changed.
pub(crate) fn open<T: DeserializeOwned>(
    keys: &Keys,
    purpose: Purpose,
    kind: &str,
    text: &str,
) -> Option<T> {
    let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let plain = keys.open(purpose, kind.as_bytes(), &sealed).ok()?;
    serde_json::from_slice(plain.expose()).ok()
}
