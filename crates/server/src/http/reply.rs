//! What an application is told, on its way through the browser: a redirect, or a page with a form.

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;
use journey::Timestamp;
use serde::{Deserialize, Serialize};
use store::seal::Purpose;
use wire::oauth::authorize::Reply;

use super::{show, visit::Visit};
use crate::{
    app::App,
    failure::Failure,
    page::{Posted, Reason},
    ticket,
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

/// Where the browser goes with a reply. A form has a page of its own, so that whoever sends the browser
/// on need not know which it is.
pub(super) fn way(app: &App, reply: Reply) -> String {
    match reply {
        Reply::Redirect(location) => location,
        reply @ Reply::Form { .. } => {
            let until = app.world.now().plus(POSTED_S);
            let kept = Kept { reply, until };
            let sealed = ticket::seal(&app.keys, Purpose::Csrf, KIND, &kept);
            format!("/answer?ticket={sealed}")
        }
    }
}

/// `GET /answer`: the form, which goes off by itself, or with a click where scripts are off.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let mut pairs = query.split('&');
    let sealed = pairs.find_map(|pair| pair.strip_prefix("ticket="));
    let kept: Option<Kept> =
        sealed.and_then(|sealed| ticket::open(&app.keys, Purpose::Csrf, KIND, sealed));
    match kept.filter(|kept| app.world.now() < kept.until) {
        Some(Kept {
            reply: Reply::Form { to, fields },
            ..
        }) => show::page(&app, &visit, StatusCode::OK, &Posted { to, fields }),
        _ => show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate),
    }
}
