//! What a portal asks the provider directly, server to server.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderValue, Method, Request, StatusCode};
use serde_json::Value;
use url::Url;

use crate::proxy::forwarded_from;
use crate::reach::Reach;

/// Most bytes read of any answer.
const ANSWER_MAX: usize = 256 * 1024;

/// The way to the endpoints of one issuer.
pub(crate) struct BackChannel {
    reach: Arc<dyn Reach>,
    issuer: String,
    from: IpAddr,
}

/// An answer of the provider that was JSON.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// Why there is no such answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackChannelError {
    #[error("`{0}` is not on the issuer's own origin")]
    ForeignEndpoint(String),
    #[error("making the request to `{0}` failed")]
    Request(String, #[source] axum::http::Error),
    #[error("the answer of `{path}` (status {status}) is not JSON of at most 256 KiB")]
    NotJson { path: String, status: StatusCode },
    #[error("the answer of `{path}` (status {status}) is not a document of at most 256 KiB")]
    NotText { path: String, status: StatusCode },
}

/// An answer as it came; its bytes only where they are few enough.
struct Raw {
    path: String,
    status: StatusCode,
    bytes: Option<Bytes>,
}

/// What is asked, beside where.
#[derive(Default)]
struct Asked<'a> {
    authorization: Option<&'a str>,
    form: Option<String>,
}

impl BackChannel {
    /// Calls come from the address `from`, as those of a portal in the State's data centre do.
    pub(crate) fn new(reach: Arc<dyn Reach>, issuer: String, from: IpAddr) -> Self {
        Self {
            reach,
            issuer,
            from,
        }
    }

    /// Fetches a JSON document, with an access token where one is given.
    pub(crate) async fn fetch(
        &self,
        endpoint: &str,
        bearer: Option<&str>,
    ) -> Result<Answer, BackChannelError> {
        let authorization = bearer.map(|token| format!("Bearer {token}"));
        let asked = Asked {
            authorization: authorization.as_deref(),
            form: None,
        };
        json(self.call(endpoint, "application/json", asked).await?)
    }

    /// Fetches a document of this type that is text.
    pub(crate) async fn fetch_text(
        &self,
        endpoint: &str,
        accept: &'static str,
    ) -> Result<String, BackChannelError> {
        let Raw {
            path,
            status,
            bytes,
        } = self.call(endpoint, accept, Asked::default()).await?;
        let bytes = bytes.filter(|_| status == StatusCode::OK);
        bytes
            .and_then(|bytes| String::from_utf8(bytes.into()).ok())
            .ok_or(BackChannelError::NotText { path, status })
    }

    /// Posts a form.
    pub(crate) async fn post(
        &self,
        endpoint: &str,
        form: String,
        authorization: Option<&str>,
    ) -> Result<Answer, BackChannelError> {
        let asked = Asked {
            authorization,
            form: Some(form),
        };
        json(self.call(endpoint, "application/json", asked).await?)
    }

    async fn call(
        &self,
        endpoint: &str,
        accept: &'static str,
        asked: Asked<'_>,
    ) -> Result<Raw, BackChannelError> {
        let issuer = Url::parse(&self.issuer).ok();
        let url = Url::parse(endpoint)
            .ok()
            .filter(|url| issuer.is_some_and(|issuer| issuer.origin() == url.origin()))
            .ok_or_else(|| BackChannelError::ForeignEndpoint(endpoint.to_owned()))?;
        let mut request = Request::builder()
            .method(match asked.form {
                Some(_) => Method::POST,
                None => Method::GET,
            })
            .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(
                HOST,
                &url[url::Position::BeforeHost..url::Position::AfterPort],
            )
            .header(ACCEPT, accept);
        if asked.form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let authorization = asked.authorization.map(HeaderValue::from_str);
        if let Some(Ok(value)) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let mut request = request
            .body(asked.form.map_or_else(Body::empty, Body::from))
            .map_err(|error| BackChannelError::Request(url.path().to_owned(), error))?;
        forwarded_from(request.headers_mut(), self.from);
        let response = self.reach.call(request).await;
        Ok(Raw {
            path: url.path().to_owned(),
            status: response.status(),
            bytes: to_bytes(response.into_body(), ANSWER_MAX).await.ok(),
        })
    }
}

fn json(raw: Raw) -> Result<Answer, BackChannelError> {
    let Raw {
        path,
        status,
        bytes,
    } = raw;
    let body = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match body {
        Some(body) => Ok(Answer { status, body }),
        None => Err(BackChannelError::NotJson { path, status }),
    }
}
