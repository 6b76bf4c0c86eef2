//! The ISM: a SAML 2.0 application that lets nobody in without strong authentication.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use wire::saml::Received;

use crate::chrome::Room;
use crate::portal::service_provider::{Left, ServiceProvider};
use crate::portal::{
    Asked, Portal, SIGNED_OUT, SIGNED_OUT_HERE, Through, back_channel, router, target,
};
use crate::settings::Settings;
use crate::web::{self, Fields};

type Ism = Portal<ServiceProvider>;

/// Most bytes read of an answer by POST.
const ANSWER_MAX: usize = 128 * 1024;

/// The school administration: strong authentication always, and everything signed.
pub(crate) fn ism(settings: &Settings, (reach, world): Through) -> Router {
    let channel = back_channel(settings, reach);
    let party = ServiceProvider::new(settings, channel, Arc::clone(&world));
    let portal = Portal::new((Room::Ism, &settings.origins.ism), settings, party, world);
    let own = Router::new()
        .route("/login", get(login))
        .route("/logout", post(logout))
        .route("/saml/metadata", get(metadata))
        .route("/saml/acs", post(consume))
        .route("/saml/enter", get(enter))
        .route("/saml/slo", get(single_logout).post(single_logout));
    router(own, portal)
}

async fn login(State(portal): State<Arc<Ism>>, parts: Parts) -> Response {
    let fields = Fields::from_query(parts.uri.query());
    let chrome = portal.chrome(&parts);
    let asked = Asked {
        fields: &fields,
        language: chrome.words.tag(),
        target: target(&fields),
    };
    let browser = portal.browser(&parts.headers);
    match portal.party.begin(&asked, &browser).await {
        Ok(location) => portal.sends_away(&location, &browser),
        Err(error) => portal.failed(chrome, &error),
    }
}

/// What is registered at the provider, for those who connect it by hand.
async fn metadata(State(portal): State<Arc<Ism>>) -> Response {
    let kind = [(CONTENT_TYPE, "application/samlmetadata+xml")];
    (kind, portal.party.metadata().to_owned()).into_response()
}

/// An answer comes in a form of the provider's page. Browsers leave cookies out of forms of other sites,
/// so it is verified here, and who brings it is looked at in the next step.
async fn consume(State(portal): State<Arc<Ism>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    match portal.party.receives(Received::post(&body)).await {
        Ok(Some(ticket)) => web::see_other(&format!("/saml/enter?answer={ticket}")),
        // Nobody asked here: whoever brings it might bring the name of somebody else. They ask now.
        Ok(None) => web::see_other("/login"),
        Err(error) => portal.failed(portal.chrome(&parts), &error),
    }
}

async fn enter(State(portal): State<Arc<Ism>>, parts: Parts) -> Response {
    let fields = Fields::from_query(parts.uri.query());
    let browser = web::cookie(&parts.headers, &portal.browser_cookie());
    let ticket = fields.one("answer").unwrap_or_default();
    match portal.party.finish(ticket, browser).await {
        Ok(signed_in) => portal.welcome(&parts.headers, signed_in),
        Err(error) => portal.failed(portal.chrome(&parts), &error),
    }
}

async fn logout(State(portal): State<Arc<Ism>>, parts: Parts) -> Response {
    let Some(session) = portal.leave(&parts.headers) else {
        return portal.farewell(SIGNED_OUT);
    };
    let everywhere = portal.party.sign_out(&session.kept).await;
    portal.farewell(everywhere.as_deref().unwrap_or(SIGNED_OUT_HERE))
}

/// The provider answers a sign-out that began here, or tells of one that began elsewhere: through the
/// browser, or by itself.
async fn single_logout(State(portal): State<Arc<Ism>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, ANSWER_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let query = parts.uri.query().unwrap_or_default();
    let message = match parts.method {
        Method::POST => Received::post(&body),
        _ => Received::redirect(query.as_bytes()),
    };
    match portal.party.hears(message).await {
        Ok(Left::Answered { everywhere: true }) => web::see_other("/signed-out"),
        Ok(Left::Answered { everywhere: false }) => web::see_other("/signed-out?partly"),
        Ok(Left::Asked { whose, back }) => {
            portal.end_all(|session| session.kept.as_ref().is_some_and(|kept| whose.is_of(kept)));
            back.map_or_else(
                || StatusCode::OK.into_response(),
                |back| web::see_other(&back),
            )
        }
        Err(error) => portal.failed(portal.chrome(&parts), &error),
    }
}
