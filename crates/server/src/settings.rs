//! What a server is told at start and cannot look up.

use ipnet::IpNet;
use journey::zone::Name;
use url::Url;

use crate::visitor::Forwarding;

/// The boot configuration, as far as the server needs it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How a trusted proxy tells whom it speaks for.
    pub forwarding: Forwarding,
    /// The name people see on every page.
    pub institution: Name,
    /// Where applications are asked for certificates; none if nowhere.
    pub mtls_url: Option<Url>,
    /// Whether the proxies that are believed pass on the certificates they were shown.
    pub proxies_pass_certificates: bool,
    /// The one origin: issuer, links in messages, cookies. Never taken from a request.
    pub public_url: Url,
    /// Whom people ask, as it is to be read.
    pub support: String,
    /// The proxies that are believed.
    pub trusted_proxies: Vec<IpNet>,
}

impl Settings {
    /// `https://identite.example.org`, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> String {
        self.public_url.origin().ascii_serialization()
    }

    /// The same of where applications are asked for certificates.
    #[must_use]
    pub fn mtls_origin(&self) -> Option<String> {
        let url = self.mtls_url.as_ref();
        url.map(|url| url.origin().ascii_serialization())
    }

    /// The host, for the last line of a message with a code.
    #[must_use]
    pub fn host(&self) -> &str {
        self.public_url.host_str().unwrap_or_default()
    }

    /// Whether cookies can be `Secure`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}
