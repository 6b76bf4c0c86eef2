//! Which URIs an application may register, and the one liberty a native one has.

use url::{Host, Url};

use super::Kind;

/// What is wrong with a URI that an application wants to register.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UriFlaw {
    /// Not an absolute URI of at most 2048 printable ASCII characters.
    #[error("it is not an absolute URI; write it like `https://app.example.ch/callback`")]
    NotAUri,
    /// Programs could read it differently.
    #[error(
        "it is not written the way browsers write it (small letters in the host, no `..`, \
         no default port); copy it from a browser's address bar"
    )]
    NotCanonical,
    /// `http` outside the loopback address, or another scheme.
    #[error(
        "it must begin with `https://`; only `http://localhost`, `http://127.0.0.1` and \
         `http://[::1]` may do without, and a native application's own scheme must contain a dot"
    )]
    NotHttps,
    /// It has a fragment.
    #[error("it has a fragment; remove the `#` and what follows")]
    Fragment,
    /// It has a user name or password.
    #[error("it has a user name or password before the host; remove it")]
    UserInfo,
    /// It has a wildcard.
    #[error("it has a `*`; every address must be listed in full")]
    Wildcard,
}

/// Checks a URI that is to be registered for an application of this kind.
pub(crate) fn flaw_of_registered(uri: &str, kind: Kind) -> Option<UriFlaw> {
    if uri.len() > URI_BYTES_MAX || !uri.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(UriFlaw::NotAUri);
    }
    if uri.contains('*') {
        return Some(UriFlaw::Wildcard);
    }
    let Ok(url) = Url::parse(uri) else {
        return Some(UriFlaw::NotAUri);
    };
    if url.fragment().is_some() || uri.contains('#') {
        return Some(UriFlaw::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some(UriFlaw::UserInfo);
    }
    let scheme_fits = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        // [RFC 8252 §7.1] Private-use schemes are reversed domain names, hence have a dot.
        scheme => kind == Kind::Native && scheme.contains('.'),
    };
    if !scheme_fits {
        return Some(UriFlaw::NotHttps);
    }
    // Programs send their bare origin, an absolute URI, too; browsers add the `/`.
    let written = url.as_str();
    let is_bare = written.strip_suffix('/') == Some(uri) && url.path() == "/" && !uri.contains('?');
    (written != uri && !is_bare).then_some(UriFlaw::NotCanonical)
}

/// Scheme, host and port of an address for browsers, as their policies name them; none for a program's own
/// scheme, or if it holds what means something else in a policy.
pub(crate) fn web_origin(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let web = matches!(url.scheme(), "https" | "http");
    let origin = url.origin().ascii_serialization();
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b':' | b'/' | b'[' | b']' | b'_')
    };
    (web && origin.bytes().all(plain)).then_some(origin)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A URI on a loopback IP literal, taken apart as text so that nothing is normalised.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Loopback<'a> {
    origin: &'static str,
    rest: &'a str,
}

impl<'a> Loopback<'a> {
    /// The URI without its port, if it is `http://127.0.0.1[:port]/…` or `http://[::1][:port]/…`.
    pub(crate) fn read(uri: &'a str) -> Option<Self> {
        let (origin, after) = ["http://127.0.0.1", "http://[::1]"]
            .into_iter()
            .find_map(|origin| uri.strip_prefix(origin).map(|after| (origin, after)))?;
        let rest = match after.strip_prefix(':') {
            None => after,
            Some(with_port) => {
                let (port, _) = with_port.split_once('/')?;
                let plain =
                    port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
                if !plain || port.parse::<u16>().is_err() {
                    return None;
                }
                with_port.strip_prefix(port)?
            }
        };
        rest.starts_with('/').then_some(Self { origin, rest })
    }
}

const URI_BYTES_MAX: usize = 2048;
