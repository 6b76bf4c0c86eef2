//! `/token`: what an application brings becomes tokens, for the application it was made for.
//!
//! | step | file | gives |
//! |---|---|---|
//! | read the form | `posted.rs` | [`Posted`], which other endpoints use, too |
//! | one way of authenticating | `presented.rs` | what the application presents |
//! | what it brings | `mod.rs` | [`TokenRequest`] |
//! | the application is itself | `client_auth.rs` | [`Authenticated`] |
//! | the code is its own | `code.rs` | nothing: the [`Grant`] may be used |
//! | answer | `answer.rs` | JSON |
//!
//! Refresh tokens are in [`crate::oauth::refresh`], device codes in [`crate::oauth::device`].
//!
//! The caller consumes the code and the assertion's id once; nothing here can know the past.
//! Deliberately absent: password and implicit grants.

mod answer;
mod assertion;
mod client_auth;
mod code;
mod fault;
mod posted;
mod presented;

pub use answer::{Answer, NO_STORE, TokenAnswer};
pub use assertion::SpendOnce;
pub use client_auth::{Authenticated, authenticate};
pub use code::{CLOCKS_APART_S_MAX, CodeRequest, Grant, redeem};
pub use fault::Fault;
pub use posted::{Incoming, Posted};

use crate::oauth::client::{Client, GrantName};
use crate::oauth::client_credentials::ApplicationRequest;
use crate::oauth::device::{self, DeviceRequest};
use crate::oauth::refresh::RefreshRequest;

/// A well-formed token request of an application that is not yet authenticated.
pub struct TokenRequest {
    /// Who asks, and how it proves that.
    pub posted: Posted,
    /// What it brings.
    pub asked: Asked,
}

/// What an application brings to be given tokens.
pub enum Asked {
    /// An authorization code.
    Code(CodeRequest),
    /// A refresh token.
    Refresh(RefreshRequest),
    /// Nothing but itself.
    Application(ApplicationRequest),
    /// A device code.
    Device(DeviceRequest),
}

impl Asked {
    /// What an application must be registered for to bring this.
    #[must_use]
    pub const fn grant(&self) -> GrantName {
        match self {
            Self::Code(_) => GrantName::AuthorizationCode,
            Self::Refresh(_) => GrantName::RefreshToken,
            Self::Application(_) => GrantName::ClientCredentials,
            Self::Device(_) => GrantName::DeviceCode,
        }
    }
}

impl TokenRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn parse(incoming: &Incoming<'_>) -> Result<Self, Fault> {
        let posted = Posted::read(incoming)?;
        let asked = match posted.value("grant_type") {
            Some("authorization_code") => Asked::Code(CodeRequest::read(&posted)?),
            Some("refresh_token") => Asked::Refresh(RefreshRequest::read(&posted)?),
            Some("client_credentials") => Asked::Application(ApplicationRequest::read(&posted)),
            Some(device::GRANT_TYPE) => Asked::Device(DeviceRequest::read(&posted)?),
            Some(_) => return Err(Fault::GrantTypeUnsupported),
            None => return Err(Fault::GrantTypeMissing),
        };
        Ok(Self { posted, asked })
    }

    /// Whether this application, which is authenticated, may bring this.
    ///
    /// # Errors
    /// [`Fault::GrantNotAllowed`].
    pub fn is_allowed(&self, client: &Client) -> Result<(), Fault> {
        if client.may(self.asked.grant()) {
            Ok(())
        } else {
            Err(Fault::GrantNotAllowed)
        }
    }
}

#[cfg(test)]
mod secret_jwt_tests;
#[cfg(test)]
mod tests;
