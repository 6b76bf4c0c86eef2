//! What surrounds every request: who it is, whether it comes from our own pages, the headers of every
//! answer, and failures.

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{
        ALLOW, CACHE_CONTROL, CONTENT_LENGTH, ORIGIN, REFERRER_POLICY, RETRY_AFTER,
        STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};
use http_body_util::BodyExt;

use wire::oauth::authorize;

use super::{
    oidc,
    routes::{BODY_MAX, ROUTES, Who},
    show::{self, Failed, Kind},
    visit::Visit,
    watch,
};
use crate::{
    app::App,
    page::{Reason, Refused},
    settings::Settings,
    world::Draw,
};

/// Where a request object may come in a form.
const AUTHORIZE: &str = "/authorize";
/// What applications may ask with a form of their own.
const ASKED_BY_POST: [&str; 2] = [AUTHORIZE, "/logout"];
/// No such question is longer in an address, in bytes.
const ASKED_BYTES_MAX: usize = 8 * 1024;

/// The middleware of all public routes.
pub(crate) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let visit = Visit::of(&app, &parts);
    let foreign =
        changes_something(&parts.method, parts.uri.path()) && is_foreign(&app, &parts.headers);
    parts.extensions.insert(visit.clone());
    let too_large = parts.headers.get(CONTENT_LENGTH).is_some_and(|length| {
        length
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .is_none_or(|length: u64| length > body_max(parts.uri.path()))
    });
    let path = parts.uri.path().to_owned();
    let safe = parts.method.is_safe();
    let mut response = if too_large {
        swallow(body).await;
        too_long(&app, &visit)
    } else if foreign && ASKED_BY_POST.contains(&path.as_str()) {
        ask_by_get(&app, &visit, &path, body).await
    } else if foreign {
        or_plain(show::refused(
            &app,
            &visit,
            StatusCode::FORBIDDEN,
            Reason::ForeignForm,
        ))
    } else {
        next.run(Request::from_parts(parts, body)).await
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let detail = "this address does not take this method".to_owned();
        let reason = Reason::BadRequest { detail };
        let allowed = response.headers().get(ALLOW).cloned();
        response = or_plain(show::refused(
            &app,
            &visit,
            StatusCode::METHOD_NOT_ALLOWED,
            reason,
        ));
        response
            .headers_mut()
            .extend(allowed.map(|allowed| (ALLOW, allowed)));
    }
    if let Some(failure) = response.extensions_mut().remove::<Failed>() {
        response = match failure.kind {
            Kind::ActivationUsed => over(&app, &visit, Reason::ActivationUsed),
            Kind::Gone => over(&app, &visit, Reason::TooLate),
            Kind::Passing if is_asked_by_proxies(&path) => unanswered(&app, &failure.chain),
            Kind::Passing if safe || shows_where_one_stands(&path) => {
                paused(&app, &visit, (&failure.chain, safe))
            }
            kind => failed(&app, &visit, (&failure.chain, kind)),
        };
    }
    protect(&app.settings, &path, response.headers_mut());
    response
}

/// [OIDC Core §3.1.2.1] applications may ask with a form of their own. Browsers leave our cookies out
/// of such a form, so the same is asked again as a GET, which any link could do.
async fn ask_by_get(app: &App, visit: &Visit, path: &str, body: Body) -> Response {
    let bytes_max = match path {
        AUTHORIZE => authorize::BYTES_MAX,
        _ => ASKED_BYTES_MAX,
    };
    let Ok(asked) = to_bytes(body, bytes_max).await else {
        return too_long(app, visit);
    };
    let plain =
        |query: &str| !query.is_empty() && query.bytes().all(|byte| byte.is_ascii_graphic());
    match std::str::from_utf8(&asked) {
        // Proxies cut addresses that are longer, and only a request object may be.
        Ok(query) if query.len() > ASKED_BYTES_MAX => {
            or_plain(oidc::pass_on(app, visit, &asked).await)
        }
        Ok(query) if plain(query) => or_plain(show::see_other(visit, &format!("{path}?{query}"))),
        _ => or_plain(show::refused(
            app,
            visit,
            StatusCode::FORBIDDEN,
            Reason::ForeignForm,
        )),
    }
}

fn too_long(app: &App, visit: &Visit) -> Response {
    let detail = "the form is longer than any form of ours".to_owned();
    let reason = Reason::BadRequest { detail };
    or_plain(show::refused(
        app,
        visit,
        StatusCode::PAYLOAD_TOO_LARGE,
        reason,
    ))
}

/// How long a body may be there, in bytes.
fn body_max(path: &str) -> u64 {
    match path {
        AUTHORIZE => authorize::BYTES_MAX as u64,
        _ => BODY_MAX,
    }
}

/// Reads a body that is too large and keeps nothing of it, so that whoever sends it gets to read the
/// answer; up to a few megabytes, then the connection is closed on them.
async fn swallow(mut body: Body) {
    let mut left = 4 * 1024 * 1024_usize;
    while let Some(Ok(frame)) = body.frame().await {
        let read = frame.data_ref().map_or(0, bytes::Bytes::len);
        let Some(rest) = left.checked_sub(read) else {
            return;
        };
        left = rest;
    }
}

/// Whether a request would change something in the name of a person: every unsafe method but those of
/// applications, which authenticate themselves.
fn changes_something(method: &Method, path: &str) -> bool {
    let by_application = ROUTES.iter().any(|route| {
        matches!(route.who, Who::Application | Who::Message | Who::Service) && route.is_at(path)
    });
    !method.is_safe() && !by_application
}

/// Whether another site sent it. Browsers say where a form comes from in `Origin`, and most also in
/// `Sec-Fetch-Site`; a program that says neither is no browser that could be tricked.
pub(super) fn is_foreign(app: &App, headers: &HeaderMap) -> bool {
    let origin = headers
        .get(ORIGIN)
        .is_some_and(|origin| origin.as_bytes() != app.settings.origin().as_bytes());
    let site = headers.get("sec-fetch-site");
    origin || site.is_some_and(|site| site != "same-origin" && site != "none")
}

/// What they were at has ended.
fn over(app: &App, visit: &Visit, reason: Reason) -> Response {
    or_plain(show::refused(app, visit, StatusCode::GONE, reason))
}

/// Whether opening the address to which a form was sent shows what became of it, so that nobody has to know
/// whether it arrived.
fn shows_where_one_stands(path: &str) -> bool {
    let steps = ["/activate/", "/login/", "/resume/"];
    path == "/account" || steps.iter().any(|step| path.starts_with(step))
}

/// Whoever looked at something looks again by themselves in a moment; whoever sent something looks what
/// became of it.
fn paused(app: &App, visit: &Visit, (chain, safe): (&str, bool)) -> Response {
    app.metrics.failures.inc();
    tracing::warn!(
        here = place_of(&visit.here),
        chain,
        "the database is out of reach"
    );
    or_plain(match safe {
        true => show::out_of_reach(app, visit),
        false => show::out_of_reach_after(app, visit),
    })
}

/// One plain page, and a line in the log with the whole chain under the same code.
fn failed(app: &App, visit: &Visit, (chain, kind): (&str, Kind)) -> Response {
    app.metrics.failures.inc();
    let status = match kind {
        Kind::Passing => StatusCode::SERVICE_UNAVAILABLE,
        Kind::ActivationUsed | Kind::Gone | Kind::Ours => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let incident = app.world.support_code();
    tracing::error!(
        incident,
        here = place_of(&visit.here),
        chain,
        "a request failed"
    );
    let reason = Reason::Failure;
    let page = Refused {
        reason,
        support_code: Some(incident),
        again: None,
        back: None,
    };
    let mut response = or_plain(show::page(app, visit, status, &page));
    if kind == Kind::Passing {
        let seconds = HeaderValue::from(show::OUTAGE_S);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    response
}

/// The first part of a path: what follows may be the secret of a link.
fn place_of(here: &str) -> &str {
    here.split(['/', '?']).nth(1).unwrap_or_default()
}

/// If even the page fails, a bare status is left.
pub(super) fn or_plain<E>(response: Result<Response, E>) -> Response {
    response.unwrap_or_else(|_| {
        let mut plain = Response::default();
        *plain.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        plain
    })
}

/// Whether proxies ask there about requests of others.
pub(super) fn is_asked_by_proxies(path: &str) -> bool {
    matches!(path, "/gate/auth-request" | "/gate/check")
}

/// What a proxy gets that asked while the database was out of reach. It may pass it on to a person at
/// another host, who was at something else than looking.
pub(super) fn out_of_answers() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(RETRY_AFTER, HeaderValue::from(show::OUTAGE_S));
    response
}

fn unanswered(app: &App, chain: &str) -> Response {
    app.metrics.failures.inc();
    tracing::warn!(here = "gate", chain, "the database is out of reach");
    out_of_answers()
}

/// The headers of every answer.
pub(super) fn protect(settings: &Settings, path: &str, headers: &mut HeaderMap) {
    const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
    const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
    let fixed = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: browsers would then send `Origin: null` with our own forms.
        (REFERRER_POLICY, "same-origin"),
        (OPENER, "same-origin"),
        (RESOURCE, "same-origin"),
        (PERMISSIONS, "camera=(), geolocation=(), microphone=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    watch::may_be_framed(path, headers);
    // Seen at hosts of others, with whose other hosts we have no business.
    let is_elsewhere = path.starts_with("/.furka/") || path.starts_with("/gate/");
    if settings.is_https() && !is_elsewhere {
        let a_year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(STRICT_TRANSPORT_SECURITY, a_year);
    }
}

#[cfg(test)]
mod tests {
    use super::{place_of, shows_where_one_stands};

    #[test]
    fn a_form_is_followed_by_its_step_only_where_that_tells_what_became_of_it() {
        for path in ["/account", "/login/7", "/activate/7", "/resume/7"] {
            assert!(shows_where_one_stands(path), "{path}");
        }
        // A password is typed again; an application decides by itself.
        for path in ["/login", "/activate", "/token", "/logout", "/authorize"] {
            assert!(!shows_where_one_stands(path), "{path}");
        }
    }

    /// [P02] A failure on the way writes no link into the log.
    #[test]
    fn a_log_names_the_place_and_not_the_link() {
        assert_eq!(place_of("/resume/c2VjcmV0?ui=de"), "resume");
        assert_eq!(place_of("/authorize?state=secret"), "authorize");
        assert_eq!(place_of("/"), "");
    }
}
