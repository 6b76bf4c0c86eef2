//! Step: the redirect URI is one of the application's own. From here on faults may be redirected.

use super::client::Known;
use super::{Fault, Refused, ResponseMode};
use crate::form::Fields;
use crate::oauth::client::{Client, Kind, Loopback};

/// A request whose answer can be sent to a verified place.
pub(super) struct Reachable<'a> {
    pub(super) fields: &'a Fields,
    pub(super) client: &'a Client,
    pub(super) redirect_uri: &'a str,
}

pub(super) fn verified(known: Known<'_>) -> Result<Reachable<'_>, Fault> {
    let Known { fields, client } = known;
    let uri = fields
        .one("redirect_uri")
        .map_err(|_| Fault::AddressRepeated)?;
    let uri = uri.ok_or(Fault::RedirectMissing)?;
    // [RFC 6749 §3.1.2.3] "the authorization server MUST compare the two URIs using simple string comparison as defined in [RFC3986] Section 6.2.1."
    // [OIDC Core §3.1.2.1] "This URI MUST exactly match one of the Redirection URI values for the Client pre-registered at the OpenID Provider"
    // [RFC 6749 §4.1.2.1] "MUST NOT automatically redirect the user-agent to the invalid redirection URI."
    if client.has_redirect_uri(uri) {
        Ok(Reachable {
            fields,
            client,
            redirect_uri: uri,
        })
    } else {
        Err(Fault::RedirectMismatch)
    }
}

impl Client {
    /// Whether its answers may go to this address now.
    #[must_use]
    pub fn has_redirect_uri(&self, uri: &str) -> bool {
        let exact = self
            .redirect_uris
            .iter()
            .any(|registered| registered == uri);
        exact || (self.kind == Kind::Native && on_another_loopback_port(self, uri))
    }
}

/// [RFC 8252 §7.3] The port of a loopback IP literal is the device's to choose; all else is exact.
fn on_another_loopback_port(client: &Client, uri: &str) -> bool {
    let Some(asked) = Loopback::read(uri) else {
        return false;
    };
    client
        .redirect_uris
        .iter()
        .any(|registered| Loopback::read(registered) == Some(asked))
}

impl Reachable<'_> {
    /// A parameter that is there exactly once; [`super::once::each`] refuses the others.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.fields.one(name).ok().flatten()
    }

    /// A fault that the application is told, with its own `state` if there is exactly one.
    pub(super) fn refused(&self, fault: Fault, mode: ResponseMode) -> Refused {
        Refused::Redirect {
            fault,
            client_id: self.client.id.clone(),
            redirect_uri: self.redirect_uri.to_owned(),
            state: self.value("state").map(str::to_owned),
            mode,
        }
    }
}
