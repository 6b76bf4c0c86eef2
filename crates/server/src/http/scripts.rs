//! Which scripts of other sites may read an answer: what is public, any; what an application is told,
//! those of the addresses at which applications in the browser are registered. None is ever sent with
//! cookies, and no page of ours is read by any (`/authorize` least of all).

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
    },
};
use url::Url;
use wire::oauth::client::{Client, Kind};

use crate::app::App;

/// What everybody may read.
pub(crate) async fn of_everybody(request: Request, next: Next) -> Response {
    answer(request, next, Some(HeaderValue::from_static("*"))).await
}

/// What applications in the browser may read.
pub(crate) async fn of_applications(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let catalogue = app.catalogue.load_full();
    let known = |origin: &HeaderValue| {
        let text = origin.to_str().unwrap_or_default();
        let mut all = catalogue.applications.values();
        all.any(|client| runs_at(client, text))
    };
    let origin = origin.filter(known);
    let mut response = answer(request, next, origin).await;
    let vary = HeaderValue::from_static("origin");
    response.headers_mut().insert(VARY, vary);
    response
}

/// Whether it is an application whose scripts come from there.
fn runs_at(client: &Client, origin: &str) -> bool {
    let of = |uri: &String| Url::parse(uri).map(|url| url.origin().ascii_serialization());
    client.enabled
        && client.kind == Kind::Public
        && client
            .redirect_uris
            .iter()
            .any(|uri| of(uri).is_ok_and(|of| of == origin))
}

async fn answer(request: Request, next: Next, readable_by: Option<HeaderValue>) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    if let Some(origin) = readable_by {
        permit(response.headers_mut(), origin);
    }
    response
}

fn permit(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, dpop",
        ),
        (
            ACCESS_CONTROL_EXPOSE_HEADERS,
            "dpop-nonce, www-authenticate",
        ),
        (ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
