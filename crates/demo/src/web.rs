//! Forms, cookies and answers: the little HTTP that all rooms of the demo share.

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Most bytes read of any request body.
const BODY_MAX: usize = 64 * 1024;

/// The decoded pairs of a query string or a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn from_query(query: Option<&str>) -> Self {
        Self::parse(query.unwrap_or_default().as_bytes())
    }

    pub(crate) async fn from_body(body: Body) -> Result<Self, Refused> {
        Ok(Self::parse(&read(body).await?))
    }

    /// A form, or a flat JSON object whose values become text: scripts may send either.
    pub(crate) async fn from_form_or_json(
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, Refused> {
        let bytes = read(body).await?;
        if !is_json(headers) {
            return Ok(Self::parse(&bytes));
        }
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&bytes)
            .map_err(|_| Refused::bad_request("the body is not a JSON object"))?;
        let pairs = object.into_iter().map(|(name, value)| match value {
            serde_json::Value::String(text) => (name, text),
            other => (name, other.to_string()),
        });
        Ok(Self(pairs.collect()))
    }

    fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The value of `name` where it is there exactly once.
    ///
    /// [RFC 6749 §3.1] "Request and response parameters MUST NOT be included more than once."
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }
}

/// Whether a request says that its body is JSON; such callers are answered in JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/json"))
}

async fn read(body: Body) -> Result<Vec<u8>, Refused> {
    let bytes = to_bytes(body, BODY_MAX).await.map_err(|_| Refused {
        status: StatusCode::PAYLOAD_TOO_LARGE,
        why: "the body is larger than 64 KiB",
    })?;
    Ok(bytes.into())
}

/// A request that a room of the demo does not take, said in one line to who wrote the script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) why: &'static str,
}

impl Refused {
    pub(crate) const fn bad_request(why: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            why,
        }
    }

    pub(crate) const fn not_found(why: &'static str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            why,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, format!("{}\n", self.why)).into_response()
    }
}

/// The value of the cookie `name`; the first where there are several.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// A host-wide cookie that scripts cannot read; `value` must be made of cookie octets.
pub(crate) fn set_cookie(name: &str, value: &str, max_age_s: u32) -> HeaderValue {
    let line = format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax");
    HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static("demo_refused=1; Max-Age=0"))
}

/// `303 See Other`; a location that is no header value leads to `/`.
pub(crate) fn see_other(location: &str) -> Response {
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// Whether `path` stays on this origin: one leading slash, then none of what browsers read as an
/// authority.
pub(crate) fn is_local_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 2000
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => {
            let headers = [
                (CONTENT_TYPE, "application/json"),
                (CACHE_CONTROL, "no-store"),
            ];
            (status, headers, bytes).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A page under a content security policy without inline code and without third parties.
///
/// `form_target` is the provider's origin where a form of this page ends there by redirect:
/// browsers apply `form-action` to the whole chain.
pub(crate) fn page(status: StatusCode, form_target: &str, template: &impl Template) -> Response {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "rendering a page of the demo failed");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         img-src data:; form-action 'self' {form_target}; base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("sandbox"));
    let headers: [(HeaderName, HeaderValue); 5] = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, html).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_origin_are_local() {
        for good in ["/", "/?who=anna", "/demo"] {
            assert!(is_local_path(good), "{good}");
        }
        for bad in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a b",
            "/\r\n",
        ] {
            assert!(!is_local_path(bad), "{bad}");
        }
    }

    #[test]
    fn a_field_said_twice_is_not_there() {
        let fields = Fields::from_query(Some("state=a&state=b&code=c%20d"));
        assert_eq!(fields.one("state"), None);
        assert_eq!(fields.one("code"), Some("c d"));
    }
}
