//! OpenID Connect, where applications are among themselves: `/token`, `/introspect`, `/revoke`, `/userinfo`,
//! and where the codes of devices are asked for.

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use wire::oauth::token::{Answer, Incoming};

use super::visit::Visit;
use crate::{app::App, failure::Failure, gate, held_certificate::HeldCertificate};

pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn incoming<'a>(visit: &'a Visit, headers: &'a HeaderMap, body: &'a Bytes) -> Incoming<'a> {
    Incoming {
        content_type: text(headers, CONTENT_TYPE),
        authorization: text(headers, AUTHORIZATION),
        body,
        certificate: visit.certificate.as_ref().map(HeldCertificate::chain),
    }
}

pub(super) fn response(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The header in which an application proves that it has a key.
const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header in which it is told what its next proof must hold.
const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The proof of a request. Of two, none is believed: nothing verifies as an empty one.
fn proof(headers: &HeaderMap) -> Option<&str> {
    // [RFC 9449 §4.3] "There is not more than one DPoP HTTP request header field."
    match headers.get_all(DPOP).iter().count() {
        0 => None,
        1 => Some(text(headers, DPOP).unwrap_or_default()),
        _ => Some(""),
    }
}

/// Tells an application that shows a key what its next proof must hold.
fn with_nonce(app: &App, shown: bool, mut response: Response) -> Response {
    if shown && let Ok(nonce) = HeaderValue::from_str(&gate::nonce(app)) {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}

/// `POST /token`
pub(crate) async fn token(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let (incoming, proof) = (incoming(&visit, &headers, &body), proof(&headers));
    let answer = gate::token(&app, &visit.caller, &incoming, proof).await?;
    Ok(with_nonce(&app, proof.is_some(), response(answer)))
}

/// `POST /introspect`
pub(crate) async fn introspect(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let (incoming, accept) = (incoming(&visit, &headers, &body), text(&headers, ACCEPT));
    gate::introspect(&app, &visit.caller, &incoming, accept)
        .await
        .map(response)
}

/// `POST /par`
pub(crate) async fn par(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let (incoming, proof) = (incoming(&visit, &headers, &body), proof(&headers));
    let answer = gate::pushed::par(&app, &visit.caller, &incoming, proof).await?;
    Ok(with_nonce(&app, proof.is_some(), response(answer)))
}

/// `POST /device-authorization`
pub(crate) async fn device(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let incoming = incoming(&visit, &headers, &body);
    gate::device::ask(&app, &visit.caller, &incoming)
        .await
        .map(response)
}

/// `POST /revoke`
pub(crate) async fn revoke(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let incoming = incoming(&visit, &headers, &body);
    gate::revoke(&app, &visit.caller, &incoming)
        .await
        .map(response)
}

/// `GET` and `POST /userinfo`
pub(crate) async fn userinfo(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let asked = gate::Asked {
        authorization: text(&headers, AUTHORIZATION),
        certificate: visit.certificate.as_ref().map(HeldCertificate::chain),
        method: method.as_str(),
        proof: proof(&headers),
    };
    let response = match gate::userinfo(&app, asked).await? {
        Ok(answer) => {
            let headers = [
                (CONTENT_TYPE, answer.content_type),
                (CACHE_CONTROL, "no-store"),
            ];
            (headers, answer.body).into_response()
        }
        Err(fault) => {
            let status =
                StatusCode::from_u16(fault.row().status).unwrap_or(StatusCode::UNAUTHORIZED);
            (status, [(WWW_AUTHENTICATE, fault.www_authenticate())]).into_response()
        }
    };
    Ok(with_nonce(&app, asked.proof.is_some(), response))
}
