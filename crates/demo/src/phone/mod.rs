//! Port N+3: what people hold in their hands, and the SMS gateway that reaches it.

pub(crate) mod authenticator;
mod page;
#[cfg(test)]
mod tests;
pub(crate) mod token;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use crate::chrome::{self, Chrome, Room};
use crate::messages::{Channel, Message, Messages};
use crate::people::{People, Person, introduce};
use crate::phone::authenticator::Authenticator;
use crate::phone::page::PhonePage;
use crate::phone::token::{Display, Held};
use crate::secret::Secret;
use crate::settings::{Origins, Settings, SettingsError};
use crate::shelf::lock;
use crate::web::{self, Fields, Refused};
use crate::world::{World, rfc3339};

/// Everything on port N+3.
pub(crate) struct Phone {
    origins: Arc<Origins>,
    given: Vec<Person>,
    live: Arc<dyn People>,
    world: Arc<dyn World>,
    messages: Messages,
    authenticator: Authenticator,
    tokens: Vec<Held>,
    gateway: Gateway,
    /// How far the phone's clock is ahead of the true time, in seconds.
    clock_ahead_s: AtomicI64,
}

/// The operator's side of the SMS gateway.
struct Gateway {
    token: Secret,
    up: AtomicBool,
    /// The ids taken already, so that a message sent twice arrives once.
    seen: Mutex<BTreeSet<String>>,
}

/// Most ids remembered; then all are forgotten.
const IDS_MAX: usize = 100_000;
/// A day: no phone's clock is set further away.
const CLOCK_WRONG_MAX_S: i64 = 24 * 3600;

impl Phone {
    /// The phone room before anything arrived.
    pub(crate) fn new(
        settings: Settings,
        live: Arc<dyn People>,
        world: Arc<dyn World>,
        messages: Messages,
    ) -> Result<Self, SettingsError> {
        let authenticator = Authenticator::default();
        for link in &settings.scanned {
            authenticator.scan(link).map_err(SettingsError::Scanned)?;
        }
        let gateway = Gateway {
            token: settings.gateway_token,
            up: AtomicBool::new(true),
            seen: Mutex::new(BTreeSet::new()),
        };
        Ok(Self {
            origins: Arc::new(settings.origins),
            given: settings.people,
            live,
            world,
            messages,
            authenticator,
            tokens: settings.tokens.into_iter().map(Held::new).collect(),
            gateway,
            clock_ahead_s: AtomicI64::new(0),
        })
    }

    /// The time the phone believes it is.
    fn phone_time(&self) -> i64 {
        self.world
            .now_unix()
            .saturating_add(self.clock_ahead_s.load(Ordering::Relaxed))
    }

    fn held(&self, serial: &str) -> Result<&Held, Refused> {
        self.tokens
            .iter()
            .find(|held| held.token().serial == serial)
            .ok_or(Refused::not_found(
                "nobody holds a token with this serial number",
            ))
    }
}

impl Gateway {
    fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// Whether a message with this id comes for the first time.
    fn is_new(&self, id: &str) -> bool {
        let mut seen = lock(&self.seen);
        if seen.len() >= IDS_MAX {
            seen.clear();
        }
        seen.insert(id.to_owned())
    }

    /// [RFC 6750 §2.1] "Authorization: Bearer …"
    fn admits(&self, headers: &HeaderMap) -> bool {
        headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .is_some_and(|token| self.token.matches(token))
    }
}

/// The routes of port N+3.
pub(crate) fn router(phone: Phone) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/api/messages", get(messages))
        .route("/api/people", get(people))
        .route("/api/token/{serial}", get(look_at_token).post(press_token))
        .route("/api/authenticator", post(scan))
        .route("/api/authenticator/{username}", get(look_at_authenticator))
        .route("/api/gateway", post(switch_gateway))
        .route("/api/clock", post(set_clock))
        .route("/gateway/sms", post(receive_sms))
        .with_state(Arc::new(phone))
        .merge(chrome::routes())
}

async fn show(State(phone): State<Arc<Phone>>, parts: Parts) -> Response {
    let chrome = Chrome::of(Room::Phone, &phone.origins, &parts);
    let query = Fields::from_query(parts.uri.query());
    let people = introduce(&phone.given, &*phone.live).await;
    let page = PhonePage::new(&chrome, &phone, people, &query);
    chrome.show(StatusCode::OK, &page)
}

async fn messages(State(phone): State<Arc<Phone>>) -> Response {
    web::json(StatusCode::OK, &phone.messages.all())
}

async fn people(State(phone): State<Arc<Phone>>) -> Response {
    web::json(StatusCode::OK, &introduce(&phone.given, &*phone.live).await)
}

async fn look_at_token(
    State(phone): State<Arc<Phone>>,
    Path(serial): Path<String>,
) -> Result<Response, Refused> {
    let display = phone.held(&serial)?.look(phone.world.now_unix());
    Ok(web::json(StatusCode::OK, &display))
}

async fn press_token(
    State(phone): State<Arc<Phone>>,
    Path(serial): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let fields = Fields::from_body(body).await?;
    let display: Display = phone.held(&serial)?.press(phone.world.now_unix());
    Ok(done(&parts.headers, &fields, || {
        web::json(StatusCode::OK, &display)
    }))
}

async fn look_at_authenticator(
    State(phone): State<Arc<Phone>>,
    Path(username): Path<String>,
) -> Result<Response, Refused> {
    let shown = phone
        .authenticator
        .look(&username, phone.phone_time())
        .ok_or(Refused::not_found(
            "the app holds no account of this user name",
        ))?;
    Ok(web::json(StatusCode::OK, &json!({ "code": shown.code })))
}

/// Takes `uri`, or `username` and `key` as typed by hand.
async fn scan(State(phone): State<Arc<Phone>>, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let fields = Fields::from_form_or_json(&parts.headers, body).await?;
    let uri = fields.one("uri").unwrap_or_default().trim();
    let scanned = if uri.starts_with("otpauth:") {
        phone.authenticator.scan(uri)
    } else {
        let key = fields.one("key").unwrap_or(uri);
        phone
            .authenticator
            .type_in(fields.one("username").unwrap_or_default(), key)
    };
    match scanned {
        Ok(username) => Ok(done(&parts.headers, &fields, || {
            web::json(StatusCode::CREATED, &json!({ "username": username }))
        })),
        Err(error) if asks_for_page(&parts.headers) => {
            tracing::info!(%error, "the demo's authenticator scanned nothing");
            Ok(web::see_other("/?scan=refused"))
        }
        Err(error) => Ok(web::json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!({ "error": error.to_string() }),
        )),
    }
}

async fn switch_gateway(
    State(phone): State<Arc<Phone>>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let fields = Fields::from_form_or_json(&parts.headers, body).await?;
    let up = match fields.one("up") {
        Some("true") => true,
        Some("false") => false,
        _ => {
            return Err(Refused::bad_request(
                "the field `up` is neither true nor false",
            ));
        }
    };
    phone.gateway.up.store(up, Ordering::Relaxed);
    Ok(done(&parts.headers, &fields, || {
        web::json(StatusCode::OK, &json!({ "up": up }))
    }))
}

async fn set_clock(State(phone): State<Arc<Phone>>, request: Request) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    let fields = Fields::from_form_or_json(&parts.headers, body).await?;
    let ahead_s = fields
        .one("ahead_s")
        .and_then(|seconds| seconds.parse::<i64>().ok())
        .filter(|seconds| (-CLOCK_WRONG_MAX_S..=CLOCK_WRONG_MAX_S).contains(seconds))
        .ok_or(Refused::bad_request(
            "the field `ahead_s` is not a number of seconds within a day",
        ))?;
    phone.clock_ahead_s.store(ahead_s, Ordering::Relaxed);
    Ok(done(&parts.headers, &fields, || {
        web::json(StatusCode::OK, &json!({ "ahead_s": ahead_s }))
    }))
}

/// What an operator's HTTP interface does: checks the sender, takes a message once, says so.
async fn receive_sms(
    State(phone): State<Arc<Phone>>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, body) = request.into_parts();
    if !phone.gateway.admits(&parts.headers) {
        return Err(Refused {
            status: StatusCode::UNAUTHORIZED,
            why: "the token is wrong",
        });
    }
    if !phone.gateway.is_up() {
        let why = "the gateway is switched off on the phone's page";
        return Err(Refused {
            status: StatusCode::SERVICE_UNAVAILABLE,
            why,
        });
    }
    let fields = Fields::from_form_or_json(&parts.headers, body).await?;
    let to = fields
        .one("to")
        .filter(|to| !to.is_empty() && to.len() <= 32);
    let text = fields
        .one("text")
        .filter(|text| !text.is_empty() && text.len() <= 2000);
    let (Some(to), Some(text)) = (to, text) else {
        return Err(Refused::bad_request(
            "`to` or `text` is missing or too long",
        ));
    };
    let id = fields.one("id").filter(|id| id.len() <= 200);
    if id.is_none_or(|id| phone.gateway.is_new(id)) {
        let now = phone.world.now_unix();
        phone.messages.arrive(Message {
            at: rfc3339(now),
            channel: Channel::Sms,
            to: to.to_owned(),
            subject: None,
            text: text.to_owned(),
            at_unix: now,
        });
    }
    Ok(web::json(
        StatusCode::OK,
        &json!({ "id": id, "status": "delivered" }),
    ))
}

/// A form on the page leads back to the page; a script gets its answer.
fn done(headers: &HeaderMap, fields: &Fields, answer: impl FnOnce() -> Response) -> Response {
    let back = fields
        .one("back")
        .filter(|back| web::is_local_path(back))
        .unwrap_or("/");
    if asks_for_page(headers) {
        web::see_other(back)
    } else {
        answer()
    }
}

fn asks_for_page(headers: &HeaderMap) -> bool {
    let accepts = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    accepts.contains("text/html") && !web::is_json(headers)
}
