//! Which addresses belong to a service. Compared part by part, never by looking for a piece of text.

use url::{Position, Url};

use crate::form::with_query;
use crate::oauth::client::{Kind, UriFlaw, flaw_of_registered};

/// Longest address of a service, in bytes.
const BYTES_MAX: usize = 2048;
/// Written in a path, these mean something to one program and something else to the next.
const AMBIGUOUS: [&str; 4] = ["%2e", "%2f", "%5c", "%00"];

/// Addresses that a service is registered with: one, or all below a folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    origin: String,
    path: String,
}

/// Why addresses cannot be registered.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressFlaw {
    /// It is no address for anybody.
    #[error(transparent)]
    Uri(#[from] UriFlaw),
    /// It has a query.
    #[error("it has a query; remove the `?` and what follows: any query is allowed")]
    Query,
    /// Programs could read its path differently.
    #[error("its path has `%2e`, `%2f`, `%5c`, `%00`, `/.;` or `/..;`; write it without them")]
    Ambiguous,
}

impl Address {
    /// Reads addresses of a registration: one that ends in `/` stands for everything below it, any
    /// other for itself.
    ///
    /// # Errors
    /// [`AddressFlaw`]: `https` outside the loopback address, no wildcard, written as browsers do.
    pub fn parse(text: &str) -> Result<Self, AddressFlaw> {
        // [CAS §4.2.1] "SAML attributes MUST NOT be released to a non-SSL site."
        if let Some(flaw) = flaw_of_registered(text, Kind::Confidential) {
            return Err(flaw.into());
        }
        let url = Url::parse(text).map_err(|_| UriFlaw::NotAUri)?;
        // A folder ends in a `/`, that of a whole host as well.
        if url.as_str() != text {
            return Err(UriFlaw::NotCanonical.into());
        }
        if url.query().is_some() {
            return Err(AddressFlaw::Query);
        }
        if is_ambiguous(url.path()) {
            return Err(AddressFlaw::Ambiguous);
        }
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            path: url.path().to_owned(),
        })
    }

    /// Whether an address is one of these.
    #[must_use]
    pub fn covers(&self, named: &Named) -> bool {
        let below = self.path.ends_with('/') && named.path.starts_with(&self.path);
        self.origin == named.origin && (below || self.path == named.path)
    }
}

/// An address as an application named it: the text, and the parts that decide whose it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Named {
    text: String,
    origin: String,
    path: String,
}

impl Named {
    /// Reads it; none if two programs could read it differently, or if it brings a ticket already.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let readable = text.len() <= BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !readable || text.contains(['#', '\\']) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let web = matches!(url.scheme(), "https" | "http") && url.host().is_some();
        if !web || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let origin = url.origin().ascii_serialization();
        // As written, it must be what it was read as: else somebody else reads another host or path.
        let written = text.split('?').next().unwrap_or_default();
        let plain = written == origin || written == &url[..Position::AfterPath];
        if !plain || is_ambiguous(url.path()) {
            return None;
        }
        // Whoever put a ticket of theirs into the address would sign the person in as themselves.
        let mut names = url.query_pairs().map(|(name, _)| name);
        if names.any(|name| name.eq_ignore_ascii_case("ticket")) {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            origin,
            path: url.path().to_owned(),
        })
    }

    /// Character by character what the application sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address with a ticket behind its query.
    #[must_use]
    pub fn with_ticket(&self, ticket: &str) -> String {
        with_query(&self.text, &[("ticket", Some(ticket))])
    }
}

fn is_ambiguous(path: &str) -> bool {
    let small = path.to_ascii_lowercase();
    // Servlet containers cut a part at its `;`, and climb then.
    let mut parts = small.split('/');
    AMBIGUOUS.iter().any(|odd| small.contains(odd))
        || parts.any(|part| part.starts_with("..;") || part.starts_with(".;"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Odd;

    fn is_of(registered: &str, named: &str) -> bool {
        let address = Address::parse(registered).unwrap();
        Named::parse(named).is_some_and(|named| address.covers(&named))
    }

    /// [C01] A folder stands for what is below it, and for nothing beside it.
    #[test]
    fn an_address_belongs_to_a_service_by_its_parts() {
        let folder = "https://moodle.example.ch/app/";
        for good in [
            "https://moodle.example.ch/app/",
            "https://moodle.example.ch/app/login.php?next=https://evil.example/",
            "https://moodle.example.ch/app/a;jsessionid=1?x",
        ] {
            assert!(is_of(folder, good), "{good}");
        }
        for bad in [
            "https://moodle.example.ch/app",
            "https://moodle.example.ch/application/",
            "https://moodle.example.ch/app/../admin/",
            "https://moodle.example.ch/app/%2e%2e/admin/",
            "https://moodle.example.ch/app/..%2fadmin/",
            "https://moodle.example.ch/app/..;/admin/",
            "https://moodle.example.ch/app/..;x=1/admin/",
            "https://moodle.example.ch/app/.;/admin/",
            "https://moodle.example.ch/app/..%5cadmin/",
            "https://moodle.example.ch\\app/",
            "https://moodle.example.ch.evil.example/app/",
            "https://evil.example/https://moodle.example.ch/app/",
            "https://evil.example/?https://moodle.example.ch/app/",
            "https://moodle.example.ch@evil.example/app/",
            "https://moodle.example.ch:8443/app/",
            "https://moodle.example.ch:443/app/",
            "http://moodle.example.ch/app/",
            "https://MOODLE.example.ch/app/",
            "https://moodle.example.ch/app/#x",
            "https:moodle.example.ch/app/",
            "//moodle.example.ch/app/",
            "javascript:alert(1)//https://moodle.example.ch/app/",
            "https://moodle.example.ch/app/?ticket=ST-1",
            "https://moodle.example.ch/app/?a&%74icket=ST-1",
            "",
        ] {
            assert!(!is_of(folder, bad), "{bad}");
        }
        let one = "https://moodle.example.ch/login.php";
        assert!(is_of(one, "https://moodle.example.ch/login.php?a=b"));
        assert!(!is_of(one, "https://moodle.example.ch/login.php/x"));
        assert!(is_of("https://a.example/", "https://a.example?x=1"));
        assert!(is_of("http://localhost:8401/", "http://localhost:8401/x"));
    }

    /// [C01] Of a hundred thousand accidents none leads anywhere else.
    #[test]
    fn an_address_with_an_accident_leads_nowhere_else() {
        let mut odd = Odd(50);
        let folder = "https://moodle.example.ch/app/";
        for _ in 0..100_000 {
            let text = odd.mutated("https://moodle.example.ch/app/login?x=1");
            if is_of(folder, &text) {
                assert!(text.starts_with(folder), "{text}");
                let path = text.split('?').next().unwrap();
                assert!(path.split('/').all(|part| part != ".."), "{text}");
            }
        }
    }

    /// [CAS §4.2.1] "SAML attributes MUST NOT be released to a non-SSL site."
    #[test]
    fn what_is_no_safe_address_cannot_be_registered() {
        for (text, flaw) in [
            ("https://a.example/*", AddressFlaw::Uri(UriFlaw::Wildcard)),
            ("http://a.example/", AddressFlaw::Uri(UriFlaw::NotHttps)),
            ("https://a.example", AddressFlaw::Uri(UriFlaw::NotCanonical)),
            ("https://a.example/#x", AddressFlaw::Uri(UriFlaw::Fragment)),
            ("https://a@b.example/", AddressFlaw::Uri(UriFlaw::UserInfo)),
            ("a.example", AddressFlaw::Uri(UriFlaw::NotAUri)),
            ("https://a.example/?x=1", AddressFlaw::Query),
            ("https://a.example/a%2Fb/", AddressFlaw::Ambiguous),
        ] {
            assert_eq!(Address::parse(text), Err(flaw), "{text}");
        }
    }
}
