//! ENT and ISM: two applications of a canton that leave signing in to the provider.

mod back_channel;
mod id_token;
mod logout_token;
mod page;
mod relying_party;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jsonwebtoken::Algorithm;
use url::Url;

use crate::chrome::{self, Chrome, Room};
use crate::portal::back_channel::BackChannel;
use crate::portal::id_token::Claims;
use crate::portal::page::{FailedPage, HomePage, SignedOutPage};
use crate::portal::relying_party::{
    ACR_STRONG, Ask, Credentials, Registered, RelyingParty, SignInError, SignedIn,
};
use crate::reach::Reach;
use crate::settings::{Origins, Settings};
use crate::shelf::Shelf;
use crate::web::{self, Fields, Refused};
use crate::world::{World, draw};

/// How long a portal's own session lasts.
const SESSION_S: i64 = 8 * 3600;

/// One application.
pub(crate) struct Portal {
    room: Room,
    origin: String,
    origins: Arc<Origins>,
    party: RelyingParty,
    sessions: Shelf<Arc<Session>>,
    world: Arc<dyn World>,
}

/// Somebody signed in at this portal.
struct Session {
    id_token: String,
    claims: Claims,
    profile: Claims,
}

impl Portal {
    /// The portal: a password is enough from inside, its secret goes in a header.
    pub(crate) fn ent(settings: &Settings, reach: Arc<dyn Reach>, world: Arc<dyn World>) -> Self {
        let registered = Registered {
            client: "ent",
            credentials: Credentials::Secret(settings.ent_secret.clone()),
            issuer: settings.origins.provider.clone(),
            redirect_uri: format!("{}/callback", settings.origins.ent),
            algorithm: Algorithm::ES256,
            demands: None,
        };
        Self::new(Room::Ent, settings, registered, reach, world)
    }

    /// The school administration: strong authentication always, and a key of its own.
    pub(crate) fn ism(settings: &Settings, reach: Arc<dyn Reach>, world: Arc<dyn World>) -> Self {
        let registered = Registered {
            client: "ism",
            credentials: Credentials::Key(settings.ism_key.clone()),
            issuer: settings.origins.provider.clone(),
            redirect_uri: format!("{}/callback", settings.origins.ism),
            algorithm: Algorithm::RS256,
            demands: Some(ACR_STRONG),
        };
        Self::new(Room::Ism, settings, registered, reach, world)
    }

    fn new(
        room: Room,
        settings: &Settings,
        registered: Registered,
        reach: Arc<dyn Reach>,
        world: Arc<dyn World>,
    ) -> Self {
        let origin = registered
            .redirect_uri
            .trim_end_matches("/callback")
            .to_owned();
        let issuer = registered.issuer.clone();
        let back_channel = BackChannel::new(reach, issuer, settings.places.state);
        Self {
            room,
            origin,
            origins: Arc::new(settings.origins.clone()),
            party: RelyingParty::new(registered, back_channel, Arc::clone(&world)),
            sessions: Shelf::new(SESSION_S),
            world,
        }
    }

    fn session_cookie(&self) -> String {
        format!("{}_session", self.room.name())
    }

    fn browser_cookie(&self) -> String {
        format!("{}_browser", self.room.name())
    }

    fn session(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        let id = web::cookie(headers, &self.session_cookie())?;
        self.sessions.look(id, self.world.now_unix())
    }

    fn end_session(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        let id = web::cookie(headers, &self.session_cookie())?;
        self.sessions.take(id, self.world.now_unix())
    }

    /// Sends the browser to the provider and remembers which browser it was.
    async fn begin(&self, headers: &HeaderMap, ask: Ask<'_>) -> Result<Response, SignInError> {
        let known = web::cookie(headers, &self.browser_cookie()).filter(|id| id.len() == 43);
        let browser = known.map_or_else(|| draw(&*self.world), str::to_owned);
        let url = self.party.begin(ask, &browser).await?;
        let mut response = web::see_other(url.as_str());
        let cookie = web::set_cookie(&self.browser_cookie(), &browser, 3600);
        response.headers_mut().append(SET_COOKIE, cookie);
        Ok(response)
    }

    /// A session under a fresh id, whatever the browser had before.
    fn welcome(&self, headers: &HeaderMap, signed_in: SignedIn) -> Response {
        self.end_session(headers);
        let id = draw(&*self.world);
        let SignedIn {
            id_token,
            claims,
            profile,
            target,
        } = signed_in;
        let session = Arc::new(Session {
            id_token,
            claims,
            profile,
        });
        let cookie = web::set_cookie(&self.session_cookie(), &id, 8 * 3600);
        self.sessions.put(id, session, self.world.now_unix());
        let mut response = web::see_other(&target);
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }

    fn failed(&self, chrome: Chrome, error: &SignInError) -> Response {
        let why =
            std::error::Error::source(error).map_or_else(String::new, |why| format!(": {why}"));
        tracing::info!(room = self.room.name(), %error, why, "nobody signed in at a portal");
        let chrome = chrome.leading_home();
        let page = FailedPage::new(&chrome, error);
        chrome.show(page.status(), &page)
    }
}

/// The routes of one portal.
pub(crate) fn router(portal: Portal) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/initiate", get(initiate).post(initiate))
        .route("/logout", post(logout))
        .route("/signed-out", get(signed_out))
        .route("/session-over", post(session_over))
        .route("/api/whoami", get(whoami))
        .with_state(Arc::new(portal))
        .merge(chrome::routes())
}

async fn home(State(portal): State<Arc<Portal>>, parts: Parts) -> Response {
    let chrome = Chrome::of(portal.room, &portal.origins, &parts);
    let session = portal.session(&parts.headers);
    let now = portal.world.now_unix();
    let page = HomePage::new(&chrome, &portal.origins, session.as_deref(), now);
    chrome.show(StatusCode::OK, &page)
}

async fn login(State(portal): State<Arc<Portal>>, parts: Parts) -> Response {
    let fields = Fields::from_query(parts.uri.query());
    let target = fields
        .one("target")
        .filter(|path| web::is_local_path(path))
        .unwrap_or("/");
    begin_or_explain(&portal, &parts, &fields, target.to_owned()).await
}

async fn callback(State(portal): State<Arc<Portal>>, parts: Parts) -> Response {
    let chrome = Chrome::of(portal.room, &portal.origins, &parts);
    let answer = Fields::from_query(parts.uri.query());
    let browser = web::cookie(&parts.headers, &portal.browser_cookie());
    match portal.party.finish(&answer, browser).await {
        Ok(signed_in) => portal.welcome(&parts.headers, signed_in),
        Err(error) => portal.failed(chrome, &error),
    }
}

/// [OIDC Core §4] login initiated by a third party: `iss` must be ours, `target_link_uri` on this
/// portal.
async fn initiate(
    State(portal): State<Arc<Portal>>,
    request: Request,
) -> Result<Response, Refused> {
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
    portal: &Portal,
    parts: &Parts,
    fields: &Fields,
    target: String,
) -> Response {
    let chrome = Chrome::of(portal.room, &portal.origins, parts);
    let ask = Ask {
        fields,
        language: chrome.words.tag(),
        target,
    };
    match portal.begin(&parts.headers, ask).await {
        Ok(response) => response,
        Err(error) => portal.failed(chrome, &error),
    }
}

async fn logout(State(portal): State<Arc<Portal>>, parts: Parts) -> Response {
    let back = format!("{}/signed-out", portal.origin);
    let ended = portal.end_session(&parts.headers);
    let everywhere = match &ended {
        Some(session) => portal.party.sign_out_url(&session.id_token, &back).await,
        None => None,
    };
    let mut response = web::see_other(everywhere.as_ref().map_or("/signed-out", Url::as_str));
    let gone = web::set_cookie(&portal.session_cookie(), "", 0);
    response.headers_mut().append(SET_COOKIE, gone);
    response
}

async fn signed_out(State(portal): State<Arc<Portal>>, parts: Parts) -> Response {
    let chrome = Chrome::of(portal.room, &portal.origins, &parts);
    chrome.show(StatusCode::OK, &SignedOutPage { chrome: &chrome })
}

/// [Back-Channel Logout 1.0 §2.5] the provider itself says that a session has ended.
async fn session_over(
    State(portal): State<Arc<Portal>>,
    request: Request,
) -> Result<Response, Refused> {
    let fields = Fields::from_body(request.into_body()).await?;
    let token = fields.one("logout_token").unwrap_or_default();
    // [Back-Channel Logout 1.0 §2.8] "the RP MUST respond with HTTP 400 Bad Request", and nobody keeps
    // the answer.
    let mut response = match portal.party.ended(token).await {
        Ok(ended) => {
            let is_over = |session: &Arc<Session>| ended.is_of(&session.claims);
            portal.sessions.take_all(is_over);
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

async fn whoami(State(portal): State<Arc<Portal>>, parts: Parts) -> Response {
    match portal.session(&parts.headers) {
        Some(session) => web::json(StatusCode::OK, &session.claims),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}
