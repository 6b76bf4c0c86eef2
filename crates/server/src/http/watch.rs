//! Session Management 1.0: the frame in which the page of an application asks whether the session of this
//! browser is still the one it knows, and the cookie that the frame's script compares.
//!
//! The cookie opens nothing. It is made from the session's key and a key of ours, so it changes with every
//! sign-in and is gone after a sign-out. It is there only if an application is registered for this.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_FRAME_OPTIONS},
};
use store::seal::Purpose;
use wire::{
    oauth::{authorize::Authorize, client::Client},
    oidc::session_state::{askers, session_state},
};

use super::{account::missing, show, visit::Visit};
use crate::{
    app::App,
    cookie::{Name, sha256},
    failure::Failure,
    world::Draw,
};

/// The path of the frame.
pub(super) const PATH: &str = "/check-session";
/// What runs in it.
// [Session Management §3.2] "The OP iframe MUST recalculate it from the previously obtained Client ID, the source origin URL (from the postMessage), and the current OP Browser state."
// [Session Management §3.2] "If the received value and the calculated value do not match, then the OP iframe MUST postMessage the string changed back to the source. If it matched, then it MUST postMessage the string unchanged."
const SCRIPT: &str = include_str!("../../static/check-session.js");
/// For what the cookie's value is made.
const KIND: &[u8] = b"session management\0";

/// The state of a browser with this session.
fn state_of(app: &App, session: &[u8; 32]) -> String {
    let data = [KIND, session.as_slice()].concat();
    BASE64URL_NOPAD.encode(&app.keys.mac(Purpose::Csrf, &data))
}

/// What an application gets with a code, to notice that the session has changed; none if it is not registered
/// for that.
pub(super) fn session_state_for(
    app: &App,
    authorize: &Authorize,
    session: &[u8; 32],
) -> Option<String> {
    let catalogue = app.catalogue.load();
    let client = catalogue.application(&authorize.client_id)?;
    let browser = state_of(app, session);
    session_state(client, &authorize.redirect_uri, &browser, app.world.id())
}

/// A session has begun in this browser: its cookies. `id`: the secret one.
pub(super) fn begins(app: &App, visit: &mut Visit, (key, id): (&[u8; 32], &[u8])) {
    visit.cookies.extend(app.jar.set_bytes(Name::Session, id));
    let catalogue = app.catalogue.load();
    let watched = |client: &Client| client.enabled && client.session_management;
    if catalogue.applications.values().any(watched) {
        let state = state_of(app, key);
        visit.cookies.extend(app.jar.set(Name::State, &state));
    }
}

/// An application that watches meets a session that is older than its registration, or than the key with which
/// the cookie was made.
pub(super) fn goes_on(app: &App, visit: &mut Visit, client: &Client, session: &[u8; 32]) {
    if client.session_management {
        let state = state_of(app, session);
        visit.cookies.extend(app.jar.set(Name::State, &state));
    }
}

/// The session of this browser is over.
pub(super) fn ends(app: &App, visit: &mut Visit) {
    visit.cookies.extend(app.jar.delete(Name::Session));
    let catalogue = app.catalogue.load();
    if catalogue
        .applications
        .values()
        .any(|client| client.session_management)
    {
        visit.cookies.extend(app.jar.delete(Name::State));
    }
}

/// `GET /check-session`: a page without content for frames of registered applications, and of nobody else.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    let askers = askers(app.catalogue.load().applications.values());
    if askers.is_empty() {
        return show::page(&app, &visit, StatusCode::NOT_FOUND, &missing());
    }
    let askers = askers.into_iter().collect::<Vec<_>>().join(" ");
    let hash = BASE64.encode(&sha256(SCRIPT.as_bytes()));
    // [Session Management §3.2] "The OP iframe MUST enforce that the caller has the same origin as its parent frame. It MUST reject postMessage requests from any other source origin."
    let policy = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; script-src 'sha256-{hash}'; \
         frame-ancestors {askers}"
    );
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Session</title>\n\
         <script>{SCRIPT}</script>\n</html>\n"
    );
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    let mut response = (headers, html).into_response();
    let policy = HeaderValue::from_str(&policy)
        .map_err(|_| Failure::Impossible("a policy with control characters"))?;
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// The one page that others frame names in its policy who may; the older header knows only all or nobody.
pub(super) fn may_be_framed(path: &str, headers: &mut HeaderMap) {
    const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let policy = headers.get(CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|policy| policy.to_str().ok());
    if path == PATH && policy.is_some_and(|policy| !policy.contains("frame-ancestors 'none'")) {
        headers.remove(X_FRAME_OPTIONS);
        headers.insert(RESOURCE, HeaderValue::from_static("cross-origin"));
    }
}
