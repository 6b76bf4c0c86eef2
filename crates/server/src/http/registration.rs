//! `/register`: applications register themselves, if that is switched on, and look after what is registered.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE},
};

use super::{
    account,
    back::{response, text},
    visit::Visit,
};
use crate::{
    app::App,
    failure::Failure,
    gate::registration::{self, Incoming},
};

fn incoming<'a>(headers: &'a HeaderMap, body: &'a Bytes) -> Incoming<'a> {
    Incoming {
        authorization: text(headers, AUTHORIZATION),
        body,
        content_type: text(headers, CONTENT_TYPE),
    }
}

/// Where it is switched off, there is nothing at these addresses.
async fn nothing(app: App, visit: Visit) -> Result<Response, Failure> {
    account::not_found(State(app), Extension(visit)).await
}

fn is_on(app: &App) -> bool {
    app.catalogue.load().registration
}

/// `POST /register`
pub(crate) async fn register(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    if !is_on(&app) {
        return nothing(app, visit).await;
    }
    let incoming = incoming(&headers, &body);
    let answer = registration::register(&app, &visit.caller, &incoming).await?;
    Ok(response(answer))
}

/// `GET /register/{id}`
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if !is_on(&app) {
        return nothing(app, visit).await;
    }
    let body = Bytes::new();
    let incoming = incoming(&headers, &body);
    let answer = registration::show(&app, &id, &incoming).await?;
    Ok(response(answer))
}

/// `PUT /register/{id}`
pub(crate) async fn change(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    if !is_on(&app) {
        return nothing(app, visit).await;
    }
    let incoming = incoming(&headers, &body);
    let answer = registration::change(&app, &visit.caller, (&id, &incoming)).await?;
    Ok(response(answer))
}

/// `DELETE /register/{id}`
// [RFC 7592 §2.3] "If a client has been successfully deprovisioned, the authorization server MUST respond with an HTTP 204 No Content message."
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    if !is_on(&app) {
        return nothing(app, visit).await;
    }
    let body = Bytes::new();
    let incoming = incoming(&headers, &body);
    let refused = registration::remove(&app, &visit.caller, (&id, &incoming)).await?;
    Ok(match refused {
        Some(answer) => response(answer),
        None => (StatusCode::NO_CONTENT, [(CACHE_CONTROL, "no-store")]).into_response(),
    })
}
