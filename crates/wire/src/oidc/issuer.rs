//! The provider's own name, and the endpoints below it.

use std::fmt;

use url::{Host, Url};

/// The issuer identifier: the exact text that stands in every token and answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issuer {
    name: String,
    /// The base of the addresses at which applications are asked for certificates.
    mtls: Option<String>,
}

/// The configured public URL cannot be an issuer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "reading the public URL: it must be `https://` (or `http://localhost`), without a `/` at the end, \
     query, fragment, user name, default port or capital letters"
)]
pub struct IssuerError;

impl Issuer {
    /// Reads the configured public URL.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub fn parse(text: &str) -> Result<Self, IssuerError> {
        // [RFC 9207 §2] "Its value MUST be a URL that uses the "https" scheme without any query or fragment components."
        let url = Url::parse(text).map_err(|_| IssuerError)?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let scheme_fits = url.scheme() == "https" || (url.scheme() == "http" && loopback);
        let plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && !text.ends_with('/')
            && url.as_str().trim_end_matches('/') == text;
        if scheme_fits && plain {
            Ok(Self {
                name: text.to_owned(),
                mtls: None,
            })
        } else {
            Err(IssuerError)
        }
    }

    /// The same, where applications may show certificates at addresses of their own.
    ///
    /// # Errors
    /// [`IssuerError`]: `base` has to look like the public URL.
    pub fn with_mtls(self, base: &str) -> Result<Self, IssuerError> {
        let base = Self::parse(base)?;
        Ok(Self {
            mtls: Some(base.name),
            ..self
        })
    }

    /// The addresses at which applications may show certificates, as if they were another issuer's; none if
    /// certificates are asked for nowhere.
    #[must_use]
    pub fn mtls(&self) -> Option<Self> {
        self.mtls.as_ref().map(|base| Self {
            name: base.clone(),
            mtls: None,
        })
    }

    /// The exact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// `…/authorize`
    #[must_use]
    pub fn authorization_endpoint(&self) -> String {
        self.below("/authorize")
    }

    /// `…/token`
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        self.below("/token")
    }

    /// `…/userinfo`
    #[must_use]
    pub fn userinfo_endpoint(&self) -> String {
        self.below("/userinfo")
    }

    /// `…/jwks`
    #[must_use]
    pub fn jwks_uri(&self) -> String {
        self.below("/jwks")
    }

    /// `…/introspect`
    #[must_use]
    pub fn introspection_endpoint(&self) -> String {
        self.below("/introspect")
    }

    /// `…/par`
    #[must_use]
    pub fn pushed_authorization_request_endpoint(&self) -> String {
        self.below("/par")
    }

    /// `…/device-authorization`: where applications ask for codes of devices.
    #[must_use]
    pub fn device_authorization_endpoint(&self) -> String {
        self.below("/device-authorization")
    }

    /// `…/device`: where people type them.
    #[must_use]
    pub fn device_verification_uri(&self) -> String {
        self.below("/device")
    }

    /// `…/register`: where applications register themselves.
    #[must_use]
    pub fn registration_endpoint(&self) -> String {
        self.below("/register")
    }

    /// `…/register/{id}`: where one of them looks after what is registered.
    #[must_use]
    pub fn registration_client_uri(&self, id: &str) -> String {
        self.below(&format!("/register/{id}"))
    }

    /// `…/revoke`
    #[must_use]
    pub fn revocation_endpoint(&self) -> String {
        self.below("/revoke")
    }

    /// `…/logout`
    #[must_use]
    pub fn end_session_endpoint(&self) -> String {
        self.below("/logout")
    }

    /// `…/check-session`: the frame in which an application's page asks whether the session has changed.
    #[must_use]
    pub fn check_session_iframe(&self) -> String {
        self.below("/check-session")
    }

    fn below(&self, path: &str) -> String {
        format!("{}{path}", self.name)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [RFC 9207 §2] "Its value MUST be a URL that uses the "https" scheme without any query or fragment components."
    #[test]
    fn an_issuer_is_a_plain_https_url() {
        for good in [
            "https://id.vs.ch",
            "https://id.vs.ch:8443/furka",
            "http://localhost:8400",
            "http://127.0.0.1:1",
        ] {
            assert_eq!(
                Issuer::parse(good).map(|i| i.to_string()),
                Ok(good.to_owned())
            );
        }
        for bad in [
            "",
            "id.vs.ch",
            "http://id.vs.ch",
            "https://id.vs.ch/",
            "https://id.vs.ch?x",
            "https://id.vs.ch/#x",
            "https://ID.vs.ch",
            "https://id.vs.ch:443",
            "https://a@id.vs.ch",
            "https://id.vs.ch/a/../b",
            "ftp://localhost",
            "https://id.vs.ch/a?",
            "https://id.vs.ch#",
            "http://localhost.evil.example",
        ] {
            assert_eq!(Issuer::parse(bad), Err(IssuerError), "{bad}");
        }
    }
}
