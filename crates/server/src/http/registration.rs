//! `/register`: applications register themselves, if that is switched on, and look after what is registered.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap,
    header::{AUTHORIZATION, CONTENT_TYPE},
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

/// The middleware of these addresses: where it is switched off, there is nothing.
pub(crate) async fn if_switched_on(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let on = app.catalogue.load().registration;
    match on {
        true => Ok(next.run(request).await),
        false => account::not_found(State(app), Extension(visit)).await,
    }
}

fn incoming<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Incoming<'a> {
    Incoming {
        authorization: text(headers, AUTHORIZATION),
        body,
        content_type: text(headers, CONTENT_TYPE),
    }
}

/// `POST /register`
pub(crate) async fn register(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let incoming = incoming(&headers, &body);
    let answer = registration::register(&app, &visit.caller, &incoming).await;
    answer.map(response)
}

/// `GET /register/{id}`
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let incoming = incoming(&headers, b"");
    let answer = registration::show(&app, &id, &incoming).await;
    answer.map(response)
}

/// `PUT /register/{id}`
pub(crate) async fn change(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let incoming = incoming(&headers, &body);
    let answer = registration::change(&app, &visit.caller, (&id, &incoming)).await;
    answer.map(response)
}

/// `DELETE /register/{id}`
pub(crate) async fn remove(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let incoming = incoming(&headers, b"");
    let answer = registration::remove(&app, &visit.caller, (&id, &incoming)).await;
    answer.map(response)
}
