//! What an application is told, on its way through the browser: a redirect, or a page with a form; signed, if
//! it wants that.

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;
use journey::Timestamp;
use serde::{Deserialize, Serialize};
use store::seal::Purpose;
use wire::oauth::authorize::{Authorize, Reply};

use super::{form, show, visit::Visit, watch};
use crate::{
    app::App,
    failure::Failure,
    page::{Posted, Reason},
    ticket,
    world::Draw,
};

/// How long the form may lie there, in seconds: as long as the code in it.
const POSTED_S: i64 = 60;
/// The domain of these tickets.
const KIND: &str = "reply";

/// A form for an application.
#[derive(Deserialize, Serialize)]
struct Kept {
    reply: Reply,
    until: Timestamp,
}

/// Where the browser goes with a code of a session.
pub(super) fn granted(app: &App, authorize: &Authorize, code: &str, session: &[u8; 32]) -> String {
    let state = watch::session_state_for(app, authorize, session);
    way(app, authorize.granted(code, state.as_deref(), &app.issuer))
}

/// Where the browser goes with a reply. A form has a page of its own, and what is to be signed is signed
/// there, so that whoever sends the browser on need not know which it is.
pub(super) fn way(app: &App, reply: Reply) -> String {
    match reply {
        Reply::Redirect(location) => location,
        reply @ (Reply::Form { .. } | Reply::Jwt(_)) => {
            let until = app.world.now().plus(POSTED_S);
            let kept = Kept { reply, until };
            let sealed = ticket::seal(&app.keys, Purpose::Csrf, KIND, &kept);
            format!("/answer?ticket={sealed}")
        }
    }
}

/// `GET /answer`: the form, which goes off by itself, or with a click where scripts are off; or the way on with
/// what was signed.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let sealed = form::own(&query, "ticket");
    let kept: Option<Kept> = ticket::open(&app.keys, Purpose::Csrf, KIND, sealed);
    let Some(kept) = kept.filter(|kept| app.world.now() < kept.until) else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    // An application that went meanwhile is told nothing.
    let Some(reply) = signed(&app, kept.reply)? else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    match reply {
        Reply::Form { to, fields } => {
            show::page(&app, &visit, StatusCode::OK, &Posted { to, fields })
        }
        Reply::Redirect(location) => show::see_other(&visit, &location),
        Reply::Jwt(_) => Err(Failure::Impossible("a signed answer that is not signed")),
    }
}

fn signed(app: &App, reply: Reply) -> Result<Option<Reply>, Failure> {
    let Reply::Jwt(unsigned) = reply else {
        return Ok(Some(reply));
    };
    let (catalogue, now) = (app.catalogue.load(), app.world.now().0);
    let Some(client) = catalogue.application(unsigned.client_id()) else {
        return Ok(None);
    };
    let us = (&app.issuer, &catalogue.ring);
    let signed = unsigned.sign(client, us, now, &app.world.bytes());
    signed
        .map(Some)
        .map_err(|error| Failure::Sign(Box::new(error)))
}
