//! The gate: what proxies ask, and the three addresses below `/.furka/` that they pass on from a host
//! behind the gate.

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{CACHE_CONTROL, LOCATION},
};
use wire::{
    form::{Bounds, Fields},
    gate::{Fault, Forwarded},
};

use super::{errand, oidc::bad_request, show, visit::Visit};
use crate::{
    app::App,
    cookie::Name,
    errand::{Arrival, Errand},
    failure::Failure,
    gate::pass::{self, Turned, Verdict, Wanted},
    page::Reason,
    visitor::Peer,
};

/// A query of ours: a sealed wish or ticket, or an address.
const BOUNDS: Bounds = Bounds {
    total_bytes_max: 12 * 1024,
    value_bytes_max: 8 * 1024,
    fields_max: 8,
};

/// How a proxy tells a browser to sign in.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Asks {
    /// It passes our answer on: a redirect.
    ByRedirect,
    /// It makes a redirect of its own from 401 and `Location`.
    ByStatus,
}

/// `GET /gate/check`: Caddy's `forward_auth`, Traefik's `ForwardAuth`.
pub(crate) async fn check(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    answer(&app, &visit, (peer, &headers), Asks::ByRedirect).await
}

/// `GET /gate/auth-request`: nginx's `auth_request`, which knows 401 and 403 and nothing else.
pub(crate) async fn auth_request(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    answer(&app, &visit, (peer, &headers), Asks::ByStatus).await
}

async fn answer(
    app: &App,
    visit: &Visit,
    (peer, headers): (Option<Extension<Peer>>, &HeaderMap),
    asks: Asks,
) -> Result<Response, Failure> {
    let Some(forwarded) = forwarded(app, peer, headers, Forwarded::read) else {
        return Ok(bare(StatusCode::FORBIDDEN));
    };
    let session = session(app, &forwarded, headers);
    match pass::judge(app, &visit.caller, &forwarded, session).await? {
        Verdict::Pass(identity) => passes(identity),
        Verdict::SignIn if !forwarded.can_be_led() => Ok(bare(StatusCode::UNAUTHORIZED)),
        Verdict::SignIn => {
            let mut response = bare(match asks {
                Asks::ByRedirect => StatusCode::SEE_OTHER,
                Asks::ByStatus => StatusCode::UNAUTHORIZED,
            });
            if let Ok(way) = HeaderValue::from_str(&pass::start(&forwarded)) {
                response.headers_mut().insert(LOCATION, way);
            }
            Ok(response)
        }
        Verdict::No => show::refused(app, visit, StatusCode::FORBIDDEN, Reason::NotForYou),
    }
}

/// `GET /.furka/start`, at a host behind the gate: the browser gets its cookie there and goes to the
/// provider with what it wants.
pub(crate) async fn start(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let to = one(query, "to").unwrap_or_else(|| "/".to_owned());
    let forwarded = at_a_site(&app, peer, &headers).and_then(|here| here.at(&to).ok());
    let Some((forwarded, browser)) = forwarded.zip(visit.caller.browser) else {
        return bad_request(&app, &visit, NOT_BEHIND_THE_GATE);
    };
    let wanted = Wanted::of(&app, &forwarded, browser);
    let way = format!("{}{}", app.settings.origin(), wanted.again(&app, false));
    show::see_other(&visit, &way)
}

/// `GET /gate/enter`, at the provider: whoever has a session that is enough goes back with a ticket.
pub(crate) async fn enter(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let wanted = one(query, "want").and_then(|text| Wanted::read(&app, &text));
    let arrival = Arrival {
        at: app.world.now(),
        session: visit.session,
    };
    let wanted = wanted.map(|wanted| Wanted { arrival, ..wanted });
    match wanted {
        Some(wanted) => errand::go(&app, &visit, Errand::Gate(wanted), false).await,
        None => show::refused(&app, &visit, StatusCode::BAD_REQUEST, Reason::TooLate),
    }
}

/// `GET /.furka/callback`, at a host behind the gate: the ticket becomes a cookie of that host.
pub(crate) async fn callback(
    State(app): State<App>,
    Extension(mut visit): Extension<Visit>,
    peer: Option<Extension<Peer>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Some(here) = at_a_site(&app, peer, &headers) else {
        return bad_request(&app, &visit, NOT_BEHIND_THE_GATE);
    };
    let ticket = one(query, "ticket").unwrap_or_default();
    let (status, reason) = match pass::admit(&app, &visit.caller, &here.origin, &ticket).await? {
        Ok((cookie, way)) => {
            visit.cookies.extend(app.jar.set(Name::Gate, &cookie));
            return show::see_other(&visit, &way);
        }
        Err(Turned::Away) => (StatusCode::GONE, Reason::TooLate),
        Err(Turned::OtherBrowser) => (StatusCode::FORBIDDEN, Reason::OtherBrowser),
    };
    show::refused(&app, &visit, status, reason)
}

/// `GET /.furka/sign-out`, at a host behind the gate: to the provider, which asks. With its session ends
/// what stands for it on every host.
pub(crate) async fn sign_out(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    match at_a_site(&app, peer, &headers) {
        Some(_) => show::see_other(&visit, &format!("{}/logout", app.settings.origin())),
        None => bad_request(&app, &visit, NOT_BEHIND_THE_GATE),
    }
}

/// For the technician whose proxy does not say where the browser is.
const NOT_BEHIND_THE_GATE: &str =
    "this address works behind a proxy of the gate only, which says where the browser is";

/// What a listed proxy says the browser asked for; from anybody else it is nothing.
fn forwarded<'a>(
    app: &App,
    peer: Option<Extension<Peer>>,
    headers: &'a HeaderMap,
    read: impl FnOnce(Said<'a>) -> Result<Forwarded, Fault>,
) -> Option<Forwarded> {
    let Extension(Peer(peer)) = peer?;
    let mut proxies = app.settings.trusted_proxies.iter();
    if !proxies.any(|net| net.contains(&peer.to_canonical())) {
        app.metrics.forwarded_by_strangers.inc();
        return None;
    }
    let said = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let read = read(Box::new(said));
    if let Err(fault) = &read {
        tracing::warn!(
            fault = fault.row().description,
            "a proxy's question was refused"
        );
    }
    read.ok()
}

/// The headers of a request, by name.
type Said<'a> = Box<dyn Iterator<Item = (&'a str, &'a [u8])> + 'a>;

/// Where a browser is that a listed proxy passed on, if that is registered.
fn at_a_site(app: &App, peer: Option<Extension<Peer>>, headers: &HeaderMap) -> Option<Forwarded> {
    let here = forwarded(app, peer, headers, Forwarded::read_origin)?;
    let known = app.catalogue.load().site(&here.origin).is_some();
    known.then_some(here)
}

fn session(app: &App, here: &Forwarded, headers: &HeaderMap) -> Option<[u8; 32]> {
    let cookie = app.jar.read(headers, Name::Gate)?;
    pass::session_of(app, &here.origin, &cookie)
}

fn one(query: Option<String>, name: &str) -> Option<String> {
    let fields = Fields::read(query?.as_bytes(), BOUNDS).ok()?;
    fields.one(name).ok().flatten().map(str::to_owned)
}

fn passes(identity: [(&'static str, String); 5]) -> Result<Response, Failure> {
    let mut response = bare(StatusCode::OK);
    for (name, value) in identity {
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| Failure::Impossible("an identity with control characters"))?;
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}

fn bare(status: StatusCode) -> Response {
    (status, [(CACHE_CONTROL, "no-store")]).into_response()
}
