//! A request that no page offers: what strangers and scripts send.

use url::form_urlencoded;

use super::{Browser, Place};

/// A request made by hand.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// `GET`, `POST` …
    pub method: String,
    /// The absolute address.
    pub url: String,
    /// Name and value, in order; a name may come twice.
    pub headers: Vec<(String, String)>,
    /// The body as it is sent.
    pub body: String,
}

impl Attempt {
    /// Asks for a page.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self {
            method: "GET".into(),
            url: url.into(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// Posts a form.
    #[must_use]
    pub fn post(url: &str, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = "application/x-www-form-urlencoded";
        Self {
            method: "POST".into(),
            body,
            ..Self::get(url)
        }
        .header("content-type", kind)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Comes from a place.
    #[must_use]
    pub fn from(self, place: Place) -> Self {
        self.header("x-demo-place", place.name())
    }

    /// Carries the cookies of a browser.
    #[must_use]
    pub fn with_cookies_of(self, browser: &mut dyn Browser) -> Self {
        let pairs: Vec<String> = browser
            .cookies()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.header("cookie", &pairs.join("; "))
    }

    /// Says, as browsers do, that the request was made by a page of `origin`.
    #[must_use]
    pub fn from_page_of(self, origin: &str) -> Self {
        let site = if self.url.starts_with(&format!("{origin}/")) {
            "same-origin"
        } else {
            "cross-site"
        };
        self.header("origin", origin).header("sec-fetch-site", site)
    }
}

/// What came back, redirects not followed.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in lower case, values as they came.
    pub headers: Vec<(String, String)>,
    /// The body; bytes that are no UTF-8 are replaced.
    pub body: String,
}

impl Answer {
    /// The first header of this name, given in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Where a redirect leads; empty where it leads nowhere.
    #[must_use]
    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// The names of the cookies it sets.
    pub fn cookies_set(&self) -> impl Iterator<Item = &str> {
        let lines = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        lines.filter_map(|(_, line)| line.split_once('=').map(|(name, _)| name))
    }

    /// Whether it signs somebody in: a session cookie, or a code for an application.
    #[must_use]
    pub fn signs_somebody_in(&self) -> bool {
        let session = self.headers.iter().any(|(name, line)| {
            name == "set-cookie" && line.contains("session") && !line.contains("Max-Age=0")
        });
        session || self.location().contains("code=")
    }

    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}
