//! `/token`: a code becomes an ID token and an access token, for the application it was made for.
//!
//! | step | file | gives |
//! |---|---|---|
//! | read the form | `mod.rs` | [`TokenRequest`] |
//! | one way of authenticating | `presented.rs` | what the application presents |
//! | the application is itself | `client_auth.rs` | [`Authenticated`] |
//! | the code is its own | `code.rs` | nothing: the [`Grant`] may be used |
//! | answer | `answer.rs` | JSON |
//!
//! The caller consumes the code and the assertion's id once; nothing here can know the past.
//! Deliberately absent: refresh tokens, client credentials, password and implicit grants.

mod answer;
mod assertion;
mod client_auth;
mod code;
mod fault;
mod presented;

pub use answer::{Answer, NO_STORE, TokenAnswer};
pub use assertion::SpendOnce;
pub use client_auth::{Authenticated, authenticate};
pub use code::{Grant, redeem};
pub use fault::Fault;

use crate::Secret;
use crate::form::{Bounds, Fields, FormError};
use presented::Presented;

/// What the HTTP server received.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// A well-formed token request of an application that is not yet authenticated.
pub struct TokenRequest {
    /// The application that it says it is: look this one up.
    pub client_id: String,
    /// The code to redeem.
    pub code: String,
    presented: Presented,
    redirect_uri: Option<String>,
    code_verifier: Option<Secret>,
}

impl TokenRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn parse(incoming: &Incoming<'_>) -> Result<Self, Fault> {
        let media = incoming
            .content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        if !media
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            return Err(Fault::NotAForm);
        }
        let form = Fields::read(incoming.body, BOUNDS).map_err(|error| match error {
            FormError::TooLong => Fault::TooLong,
            FormError::Malformed => Fault::Malformed,
        })?;
        form.each_once().map_err(|_| Fault::Repeated)?;
        let value = |name: &str| form.one(name).ok().flatten().map(str::to_owned);
        let (client_id, presented) = Presented::read(incoming.authorization, &form)?;
        match value("grant_type").as_deref() {
            Some("authorization_code") => {}
            Some(_) => return Err(Fault::GrantTypeUnsupported),
            None => return Err(Fault::GrantTypeMissing),
        }
        Ok(Self {
            client_id,
            code: value("code").ok_or(Fault::CodeMissing)?,
            presented,
            redirect_uri: value("redirect_uri"),
            code_verifier: value("code_verifier").map(|text| Secret::new(text.into_bytes())),
        })
    }
}

/// 16 KiB in all; one value holds a sealed code or an assertion.
const BOUNDS: Bounds = Bounds {
    total_bytes_max: 16 * 1024,
    value_bytes_max: 8 * 1024,
    fields_max: 20,
};

#[cfg(test)]
mod tests;
