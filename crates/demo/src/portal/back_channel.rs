//! What a portal asks the provider directly, server to server.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
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
        self.call(Method::GET, endpoint, authorization.as_deref(), None)
            .await
    }

    /// Posts a form.
    pub(crate) async fn post(
        &self,
        endpoint: &str,
        form: String,
        authorization: Option<&str>,
    ) -> Result<Answer, BackChannelError> {
        self.call(Method::POST, endpoint, authorization, Some(form))
            .await
    }

    async fn call(
        &self,
        method: Method,
        endpoint: &str,
        authorization: Option<&str>,
        form: Option<String>,
    ) -> Result<Answer, BackChannelError> {
        let issuer = Url::parse(&self.issuer).ok();
        let url = Url::parse(endpoint)
            .ok()
            .filter(|url| issuer.is_some_and(|issuer| issuer.origin() == url.origin()))
            .ok_or_else(|| BackChannelError::ForeignEndpoint(endpoint.to_owned()))?;
        let mut request = Request::builder()
            .method(method)
            .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
            .header(
                HOST,
                &url[url::Position::BeforeHost..url::Position::AfterPort],
            )
            .header(ACCEPT, "application/json");
        if form.is_some() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        if let Some(value) = authorization.and_then(|value| HeaderValue::from_str(value).ok()) {
            request = request.header(AUTHORIZATION, value);
        }
        let mut request = request
            .body(form.map_or_else(Body::empty, Body::from))
            .map_err(|error| BackChannelError::Request(url.path().to_owned(), error))?;
        forwarded_from(request.headers_mut(), self.from);
        let response = self.reach.call(request).await;
        let status = response.status();
        let not_json = || BackChannelError::NotJson {
            path: url.path().to_owned(),
            status,
        };
        let bytes = to_bytes(response.into_body(), ANSWER_MAX)
            .await
            .map_err(|_| not_json())?;
        let body = serde_json::from_slice(&bytes).map_err(|_| not_json())?;
        Ok(Answer { status, body })
    }
}
