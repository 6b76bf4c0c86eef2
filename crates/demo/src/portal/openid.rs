//! The ENT: an OpenID Connect application.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jsonwebtoken::Algorithm;
use url::Url;

use crate::chrome::Room;
use crate::portal::relying_party::{Registered, RelyingParty};
use crate::portal::{
    Asked, Portal, SIGNED_OUT, SIGNED_OUT_HERE, Through, back_channel, router, target,
};
use crate::settings::Settings;
use crate::web::{self, Fields, Refused};

type Ent = Portal<RelyingParty>;

/// The portal: a password is enough from inside, its secret goes in a header.
pub(crate) fn ent(settings: &Settings, (reach, world): Through) -> Router {
    let registered = Registered {
        client: "ent",
        secret: settings.ent_secret.clone(),
        issuer: settings.origins.provider.clone(),
        redirect_uri: format!("{}/callback", settings.origins.ent),
        algorithm: Algorithm::ES256,
    };
    let channel = back_channel(settings, reach);
    let party = RelyingParty::new(registered, channel, Arc::clone(&world));
    let portal = Portal::new((Room::Ent, &settings.origins.ent), settings, party, world);
    let own = Router::new()
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/initiate", get(initiate).post(initiate))
        .route("/logout", post(logout))
        .route("/session-over", post(session_over));
    router(own, portal)
}

async fn login(State(portal): State<Arc<Ent>>, parts: Parts) -> Response {
    let fields = Fields::from_query(parts.uri.query());
    let target = target(&fields);
    begin_or_explain(&portal, &parts, &fields, target).await
}

async fn callback(State(portal): State<Arc<Ent>>, parts: Parts) -> Response {
    let answer = Fields::from_query(parts.uri.query());
    let browser = web::cookie(&parts.headers, &portal.browser_cookie());
    match portal.party.finish(&answer, browser).await {
        Ok(signed_in) => portal.welcome(&parts.headers, signed_in),
        Err(error) => portal.failed(portal.chrome(&parts), &error),
    }
}

/// [OIDC Core §4] login initiated by a third party: `iss` must be ours, `target_link_uri` on this
/// portal.
async fn initiate(State(portal): State<Arc<Ent>>, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let fields = match parts.method {
        Method::POST => Fields::from_body(body).await?,
        _ => Fields::from_query(parts.uri.query()),
    };
    if fields.one("iss") != Some(portal.party.issuer()) {
        return Err(Refused::bad_request(
            "the parameter `iss` is not this portal's issuer",
        ));
    }
    let target = match fields.one("target_link_uri") {
        None => "/".to_owned(),
        Some(uri) => local_part(uri, &portal.origin).ok_or(Refused::bad_request(
            "`target_link_uri` does not lead to this portal",
        ))?,
    };
    Ok(begin_or_explain(&portal, &parts, &fields, target).await)
}

fn local_part(uri: &str, origin: &str) -> Option<String> {
    let (uri, origin) = (Url::parse(uri).ok()?, Url::parse(origin).ok()?);
    let path = &uri[url::Position::BeforePath..url::Position::AfterQuery];
    (uri.origin() == origin.origin() && web::is_local_path(path)).then(|| path.to_owned())
}

async fn begin_or_explain(
    portal: &Ent,
    parts: &Parts,
    fields: &Fields,
    target: String,
) -> Response {
    let chrome = portal.chrome(parts);
    let asked = Asked {
        fields,
        language: chrome.words.tag(),
        target,
    };
    let browser = portal.browser(&parts.headers);
    match portal.party.begin(asked, &browser).await {
        Ok(url) => portal.sends_away(url.as_str(), &browser),
        Err(error) => portal.failed(chrome, &error),
    }
}

async fn logout(State(portal): State<Arc<Ent>>, parts: Parts) -> Response {
    let back = format!("{}/signed-out", portal.origin);
    let Some(session) = portal.leave(&parts.headers) else {
        return portal.farewell(SIGNED_OUT);
    };
    let everywhere = portal.party.sign_out_url(&session.kept, &back).await;
    portal.farewell(everywhere.as_ref().map_or(SIGNED_OUT_HERE, Url::as_str))
}

/// [Back-Channel Logout 1.0 §2.5] the provider itself says that a session has ended.
async fn session_over(
    State(portal): State<Arc<Ent>>,
    request: Request,
) -> Result<Response, Refused> {
    let fields = Fields::from_body(request.into_body()).await?;
    let token = fields.one("logout_token").unwrap_or_default();
    // [Back-Channel Logout 1.0 §2.8] "the RP MUST respond with HTTP 400 Bad Request", and nobody keeps
    // the answer.
    let mut response = match portal.party.ended(token).await {
        Ok(ended) => {
            portal.end_all(|session| ended.is_of(&session.who.claims));
            StatusCode::OK.into_response()
        }
        Err(error) => {
            tracing::info!(room = portal.room.name(), %error, "a portal was told of no session's end");
            StatusCode::BAD_REQUEST.into_response()
        }
    };
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    Ok(response)
}
