//! The application proves that it is itself, by the one method registered for it.

use super::presented::Presented;
use super::{Fault, Posted, SpendOnce, assertion};
use crate::oauth::client::{Auth, Client};
use crate::oidc::Issuer;

/// Proof that an application is itself. Only [`authenticate`] makes one.
#[must_use]
#[derive(Debug)]
pub struct Authenticated {
    client_id: String,
    spend: Option<SpendOnce>,
}

impl Authenticated {
    /// The application.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The assertion's id, if there was an assertion: the caller must consume it once, *before*
    /// anything is issued, and refuse the request if it was consumed before.
    #[must_use]
    pub const fn spend(&self) -> Option<&SpendOnce> {
        self.spend.as_ref()
    }
}

/// Authenticates the application that the request names; `client` is what is registered under
/// [`Posted::client_id`], if anything.
///
/// # Errors
/// [`Fault::ClientNotItself`], the same for every reason.
pub fn authenticate(
    posted: &Posted,
    client: Option<&Client>,
    issuer: &Issuer,
    now: i64,
) -> Result<Authenticated, Fault> {
    let client = client
        .filter(|client| client.enabled && client.id == posted.client_id)
        .ok_or(Fault::ClientNotItself)?;
    // [RFC 6749 §2.3.1] "The authorization server MUST support the HTTP Basic authentication scheme for authenticating clients that were issued a client password."
    let spend = match (&posted.presented, client.auth) {
        (Presented::Basic(secret), Auth::Basic | Auth::Post)
        | (Presented::Post(secret), Auth::Post)
            if client.has_secret(secret.expose()) && !client.secret_is_over(now) =>
        {
            None
        }
        (Presented::Assertion(token), Auth::PrivateKeyJwt | Auth::SecretJwt)
            if client.auth == Auth::PrivateKeyJwt || !client.secret_is_over(now) =>
        {
            Some(assertion::verify(token.expose(), client, issuer, now)?)
        }
        (Presented::Nothing, Auth::None) => None,
        // Programs that always send the header put an empty secret there, which is as good as none: RFC 6749 2.3.1
        // lets it be left out.
        (Presented::Basic(secret), Auth::None) if secret.expose().is_empty() => None,
        // [RFC 8705 §2] "The authorization server MUST enforce the binding between client and certificate, as described in either Section 2.1 or 2.2 below."
        (Presented::Nothing, Auth::TlsClientAuth | Auth::SelfSignedTlsClientAuth)
            if posted
                .certificate()
                .is_some_and(|shown| client.has_certificate(shown, now)) =>
        {
            None
        }
        _ => return Err(Fault::ClientNotItself),
    };
    Ok(Authenticated {
        client_id: client.id.clone(),
        spend,
    })
}
