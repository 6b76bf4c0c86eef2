//! `/authorize`: bytes and a registered application become an [`Authorize`], or a [`Refused`].
//!
//! One step, one file; this is the order. A step that needs what another found out takes its type,
//! so that another order does not compile.
//!
//! | step | file | needs | a fault goes to |
//! |---|---|---|---|
//! | read the parameters, bounded | `mod.rs` | the bytes | the person's page |
//! | the application is known | `client.rs` | parameters | the person's page |
//! | signed parameters are opened | `request_object.rs` | known application | the person's page |
//! | the redirect URI is its own | `redirect_uri.rs` | known application | the person's page |
//! | how the answer travels | `response_mode.rs` | verified redirect URI | the person's page |
//! | nothing is given twice | `once.rs` | verified redirect URI | the application |
//! | this way, signed or not | `request_object.rs` | verified redirect URI | the application |
//! | a code is asked for | `response_type.rs` | verified redirect URI | the application |
//! | scopes are its own | `scope.rs` | verified redirect URI | the application |
//! | PKCE with S256 | `pkce.rs` | verified redirect URI | the application |
//! | prompts | `prompt.rs` | verified redirect URI | the application |
//! | maximum age | `max_age.rs` | verified redirect URI | the application |
//! | claims one by one | `claims.rs` | verified redirect URI | the application |
//! | the key of the code | `key.rs` | verified redirect URI | the application |
//! | hints | `hints.rs` | verified redirect URI | the application |
//!
//! Deliberately absent: every response type but `code`, the response modes `fragment` and `fragment.jwt`, request objects that would have to be fetched, `display`.

mod answer;
mod claims;
mod client;
mod fault;
mod hints;
mod key;
mod max_age;
mod once;
mod pkce;
mod prompt;
mod redirect_uri;
mod request_object;
mod response_mode;
mod response_type;
mod scope;
mod signed;

pub use answer::{Refused, Reply};
pub use fault::Fault;
pub(crate) use pkce::challenge_of;
pub use prompt::Prompt;
pub use response_mode::ResponseMode;
pub use signed::{Unsigned, UnsignedError};

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::scope::Scope;
use super::token::SpendOnce;
use crate::Secret;
use crate::form::{Bounds, Fields, FormError};
use crate::oidc::Issuer;
use crate::oidc::claims_request::ClaimsRequest;
use client::Known;
use redirect_uri::Reachable;

/// A complete, verified authorization request. Small enough to travel in a sealed ticket.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// The application.
    pub client_id: String,
    /// Where the answer goes: one of the application's own.
    pub redirect_uri: String,
    /// How it travels.
    #[serde(default, skip_serializing_if = "ResponseMode::is_usual")]
    pub response_mode: ResponseMode,
    /// What it may learn.
    pub scope: Scope,
    /// Its own value, returned untouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Goes into the ID token untouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// base64url(SHA-256(verifier)), 43 characters.
    pub code_challenge: String,
    /// What the person must, or must not, be asked.
    #[serde(default)]
    pub prompt: Prompt,
    /// How many seconds ago the person may have signed in at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// Levels of assurance the application would like, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values: Vec<String>,
    /// The user name it expects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// Languages it would like, best first, as BCP 47 tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ui_locales: Vec<String>,
    /// An ID token of the person it expects: *not verified here*, see
    /// [`hinted_subject`](crate::oidc::id_token::hinted_subject).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_hint: Option<String>,
    /// What it asks for claim by claim, and of whom.
    #[serde(default, skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// The thumbprint of the key to which the code is to be bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// It was signed, or handed over: our own pages refer to it and never spell it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_reference: bool,
    /// Until when our own pages may refer to it, in unix seconds; none before a browser has opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_until: Option<i64>,
}

/// How a request came here.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Who we are.
    pub issuer: &'a Issuer,
    /// When (unix seconds).
    pub now: i64,
    /// Through which door.
    pub by: Door,
    /// The secret numbers of our keys, to which request objects may be encrypted [`DecryptingKeys::of`].
    ///
    /// [`DecryptingKeys::of`]: crate::jose::DecryptingKeys::of
    pub numbers: &'a [Secret],
}

/// Who brings an authorization request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Door {
    /// The application itself, which has proven that it is that.
    Application,
    /// The person's browser.
    Browser,
}

/// Reads a request that nobody is going to answer, as [`read`] does.
///
/// # Errors
/// As [`read`].
pub fn parse<'c>(
    raw: &[u8],
    received: &Received<'_>,
    find: impl FnOnce(&str) -> Option<&'c Client>,
) -> Result<Authorize, Refused> {
    read(raw, received, find).map(|(request, _)| request)
}

/// Reads a request: the query of a GET or the body of a POST, as received; and what the caller must use up once
/// before it takes the request: the id of the request object, if that has one.
///
/// `find` looks a `client_id` up among the registered applications.
///
/// # Errors
/// [`Refused`]: on the person's page, or by redirect to a *verified* redirect URI.
pub fn read<'c>(
    raw: &[u8],
    received: &Received<'_>,
    find: impl FnOnce(&str) -> Option<&'c Client>,
) -> Result<(Authorize, Option<SpendOnce>), Refused> {
    let refused = |error| match error {
        FormError::TooLong => Refused::Page(Fault::TooLong),
        FormError::Malformed => Refused::Page(Fault::Malformed),
    };
    let (fields, is_long) = bounded(raw).map_err(refused)?;
    let known = client::known(&fields, find).map_err(Refused::Page)?;
    let client = known.client;
    let signed = request_object::opened(&known, received, BOUNDS).map_err(Refused::Page)?;
    if is_long && signed.is_none() {
        return Err(Refused::Page(Fault::TooLong));
    }
    let fields = signed.as_ref().map_or(&fields, |signed| &signed.fields);
    let request = redirect_uri::verified(Known { fields, client }).map_err(Refused::Page)?;
    let mode = response_mode::asked(&request).map_err(Refused::Page)?;
    let complete = once::each(&request)
        .and_then(|()| request_object::way(&request, received, signed.is_some()))
        .and_then(|()| complete(&request, mode))
        .map_err(|fault| request.refused(fault, mode))?;
    let complete = Authorize {
        by_reference: signed.is_some() || received.by == Door::Application,
        ..complete
    };
    Ok((complete, signed.and_then(|signed| signed.spend)))
}

/// The parameters of a request, and whether only a request object may make it so long.
fn bounded(raw: &[u8]) -> Result<(Fields, bool), FormError> {
    match Fields::read(raw, BOUNDS) {
        Err(FormError::TooLong) => {
            let fields = Fields::read(raw, WITH_OBJECT)?;
            let object = fields.one("request").ok().flatten().map_or(0, str::len);
            let beside = raw.len().saturating_sub(object);
            match object > 0 && beside <= BOUNDS.total_bytes_max {
                true => Ok((fields, true)),
                false => Err(FormError::TooLong),
            }
        }
        read => read.map(|fields| (fields, false)),
    }
}

/// The application that a request names, whatever is wrong with it.
#[must_use]
pub fn named(raw: &[u8]) -> Option<String> {
    let fields = Fields::read(raw, WITH_OBJECT).ok()?;
    fields.one("client_id").ok()?.map(str::to_owned)
}

/// All steps whose faults the application is told.
fn complete(request: &Reachable<'_>, response_mode: ResponseMode) -> Result<Authorize, Fault> {
    response_type::is_code(request)?;
    let claims = claims::asked(request)?;
    let mut acr_values = hints::acr_values(request)?;
    if acr_values.is_empty() {
        acr_values.clone_from(&claims.acr_wished);
    }
    Ok(Authorize {
        client_id: request.client.id.clone(),
        redirect_uri: request.redirect_uri.to_owned(),
        response_mode,
        scope: scope::allowed(request)?,
        state: hints::state(request)?,
        nonce: hints::nonce(request)?,
        code_challenge: pkce::challenge(request)?,
        prompt: prompt::asked(request)?,
        max_age: max_age::asked(request)?,
        acr_values,
        login_hint: hints::login_hint(request)?,
        ui_locales: hints::ui_locales(request)?,
        id_token_hint: hints::id_token_hint(request)?,
        claims,
        key: key::bound_to(request)?,
        by_reference: false,
        opened_until: None,
    })
}

/// 8 KiB in all; one value holds an ID token at most.
const BOUNDS: Bounds = Bounds {
    total_bytes_max: 8 * 1024,
    value_bytes_max: 4 * 1024,
    fields_max: 40,
};
/// The same, with a request object beside it.
const WITH_OBJECT: Bounds = Bounds {
    total_bytes_max: BYTES_MAX,
    value_bytes_max: OBJECT_BYTES_MAX,
    ..BOUNDS
};
/// The longest request object, in bytes: 8 KiB of parameters are 11 KiB in base64url, twice that if JSON
/// escapes much, and a header may name certificates.
pub(crate) const OBJECT_BYTES_MAX: usize = 32 * 1024;
/// The longest request, in bytes: a query, and an object beside it.
pub const BYTES_MAX: usize = BOUNDS.total_bytes_max + OBJECT_BYTES_MAX;

impl Authorize {
    /// The scopes that say what the application would be told: those it asks for, and those of the claims
    /// that it names.
    #[must_use]
    pub fn told(&self) -> Scope {
        let named = self.claims.named.scope();
        self.scope.iter().chain(named.iter()).collect()
    }

    /// Whether the person must prove again, however fresh the session is.
    #[must_use]
    pub const fn demands_fresh_login(&self) -> bool {
        self.prompt.login || matches!(self.max_age, Some(0))
    }

    /// Whether a sign-in at `auth_time` is recent enough at `now` (unix seconds).
    #[must_use]
    pub const fn is_recent_enough(&self, auth_time: i64, now: i64) -> bool {
        match self.max_age {
            None => true,
            Some(max_age) => now.saturating_sub(auth_time) <= max_age as i64,
        }
    }
}

#[cfg(test)]
mod tests;
