//! What a node answers while it waits for its database at its start: it lives, it is not ready, and people
//! are asked for a moment.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use data_encoding::BASE64URL_NOPAD;
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFRESH, RETRY_AFTER},
};

use super::{around, management, show, visit};
use crate::{
    page::{Frame, Overloaded, Page, PauseWhy, Reason, Refused},
    settings::Settings,
    world::{Draw, World},
};

/// An identity provider that has no database yet.
#[derive(Clone)]
pub struct Waiting {
    settings: Arc<Settings>,
    world: Arc<dyn World>,
}

impl Waiting {
    /// Needs nothing but what a start is told.
    pub fn new(settings: Settings, world: Arc<dyn World>) -> Self {
        Self {
            settings: Arc::new(settings),
            world,
        }
    }

    /// What people and applications reach.
    pub fn router(&self) -> Router {
        let health = health().with_state(());
        health.fallback_service(Router::new().fallback(page).with_state(self.clone()))
    }

    /// What operators reach.
    pub fn management(&self) -> Router {
        health().with_state(())
    }
}

fn health() -> Router<()> {
    Router::new()
        .route("/health/live", get(management::live))
        .route("/health/ready", get(ready))
}

async fn ready() -> Response {
    let why = "the database does not answer yet\n";
    (StatusCode::SERVICE_UNAVAILABLE, why).into_response()
}

async fn page(State(waiting): State<Waiting>, request: Request) -> Response {
    let settings = &waiting.settings;
    let path = request.uri().path();
    if around::is_asked_by_proxies(path) {
        let mut response = around::out_of_answers();
        around::protect(settings, path, response.headers_mut());
        return response;
    }
    let language = visit::negotiated(request.headers());
    let nonce = BASE64URL_NOPAD.encode(&waiting.world.bytes::<16>());
    let here = request.uri().path_and_query();
    let frame = Frame {
        language,
        nonce: &nonce,
        institution: settings.institution.say(language),
        here: here.map_or("/", http::uri::PathAndQuery::as_str),
        support: &settings.support,
    };
    // A form that was sent is not sent again by itself.
    let looks = request.method().is_safe();
    let html = match looks {
        true => Overloaded {
            seconds: u64::from(show::OUTAGE_S),
            why: PauseWhy::Outage,
        }
        .html(&frame),
        false => Refused {
            reason: Reason::Failure,
            support_code: None,
            again: None,
            back: None,
        }
        .html(&frame),
    };
    let mut response =
        around::or_plain(html.map(|html| (StatusCode::SERVICE_UNAVAILABLE, html).into_response()));
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(RETRY_AFTER, HeaderValue::from(show::OUTAGE_S));
    if looks {
        headers.insert(REFRESH, HeaderValue::from(show::OUTAGE_S));
    }
    if let Ok(policy) = HeaderValue::from_str(&show::content_policy(settings, &nonce, "")) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    around::protect(settings, path, headers);
    response
}
