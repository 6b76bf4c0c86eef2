//! ENT and ISM: two applications of a canton that leave signing in to the provider. The ENT speaks OpenID
//! Connect, the ISM speaks SAML; what people see of them is the same.

mod back_channel;
mod id_token;
mod logout_token;
mod openid;
mod page;
mod relying_party;
mod saml;
mod service_provider;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::chrome::{self, Chrome, Room};
use crate::portal::back_channel::BackChannel;
use crate::portal::id_token::Claims;
use crate::portal::page::{Explained, FailedPage, HomePage, SignedOutPage};
use crate::reach::Reach;
use crate::settings::{Origins, Settings};
use crate::shelf::Shelf;
use crate::web::{self, Fields};
use crate::world::{World, draw};

pub(crate) use openid::ent;
pub(crate) use saml::ism;

/// [REFEDS MFA] the context class of strong authentication.
pub(crate) const ACR_STRONG: &str = "https://refeds.org/profile/mfa";

/// Where somebody is signed out everywhere, as far as the portal knows.
const SIGNED_OUT: &str = "/signed-out";
/// Where somebody is signed out of this portal, and the provider was not asked.
const SIGNED_OUT_HERE: &str = "/signed-out?here-only";

/// How long a portal's own session lasts.
const SESSION_S: i64 = 8 * 3600;

/// The side of an application that speaks with the provider.
pub(crate) trait Party: Send + Sync + 'static {
    /// What it needs of a sign-in to sign out again.
    type Kept: Send + Sync;

    /// Somebody has signed out in this browser: no sign-in that was begun in it before leads anywhere.
    fn forgets(&self, browser: &str);
}

/// One application.
pub(crate) struct Portal<P: Party> {
    room: Room,
    origin: String,
    origins: Arc<Origins>,
    party: P,
    sessions: Shelf<Arc<Session<P::Kept>>>,
    world: Arc<dyn World>,
}

/// Somebody, as the provider described them: to scripts and on the page.
pub(crate) struct Who {
    /// What was said of the sign-in.
    pub(crate) claims: Claims,
    /// What was said of the person, where that came separately.
    pub(crate) profile: Claims,
}

/// Somebody is signed in at this portal.
struct Session<K> {
    kept: K,
    who: Who,
    /// The name of the browser.
    browser: String,
    /// When it ends at the latest, if the provider said so, in unix seconds.
    until: Option<i64>,
}

/// Somebody signed in.
pub(crate) struct SignedIn<K> {
    pub(crate) kept: K,
    pub(crate) who: Who,
    pub(crate) until: Option<i64>,
    pub(crate) target: String,
}

/// What a sign-in may ask for beyond the ordinary.
pub(crate) struct Asked<'a> {
    /// `prompt`, `max_age`, `acr_values`, `ui_locales`, `login_hint`, as far as the protocol has them.
    pub(crate) fields: &'a Fields,
    /// The language where the fields name none.
    pub(crate) language: &'static str,
    /// The local path to land on.
    pub(crate) target: String,
}

/// What a portal speaks with the provider through: calls, and time and chance.
pub(crate) type Through = (Arc<dyn Reach>, Arc<dyn World>);

/// Calls to the provider, from the State's data centre.
fn back_channel(settings: &Settings, reach: Arc<dyn Reach>) -> BackChannel {
    BackChannel::new(
        reach,
        settings.origins.provider.clone(),
        settings.places.state,
    )
}

impl<P: Party> Portal<P> {
    fn new(
        (room, origin): (Room, &str),
        settings: &Settings,
        party: P,
        world: Arc<dyn World>,
    ) -> Self {
        Self {
            room,
            origin: origin.to_owned(),
            origins: Arc::new(settings.origins.clone()),
            party,
            sessions: Shelf::new(SESSION_S),
            world,
        }
    }

    fn chrome(&self, parts: &Parts) -> Chrome {
        Chrome::of(self.room, &self.origins, parts)
    }

    fn session_cookie(&self) -> String {
        format!("{}_session", self.room.name())
    }

    fn browser_cookie(&self) -> String {
        format!("{}_browser", self.room.name())
    }

    fn session(&self, headers: &HeaderMap) -> Option<Arc<Session<P::Kept>>> {
        let id = web::cookie(headers, &self.session_cookie())?;
        let now = self.world.now_unix();
        let session = self.sessions.look(id, now)?;
        let lasts = session.until.is_none_or(|until| now < until);
        lasts.then_some(session)
    }

    fn end_session(&self, headers: &HeaderMap) -> Option<Arc<Session<P::Kept>>> {
        let id = web::cookie(headers, &self.session_cookie())?;
        self.sessions.take(id, self.world.now_unix())
    }

    /// Somebody signs out here: what else lay open in their browser is void, too.
    fn leave(&self, headers: &HeaderMap) -> Option<Arc<Session<P::Kept>>> {
        if let Some(browser) = web::cookie(headers, &self.browser_cookie()) {
            self.party.forgets(browser);
        }
        self.end_session(headers)
    }

    /// The provider says that these sessions are over.
    fn end_all(&self, is_over: impl Fn(&Session<P::Kept>) -> bool) {
        for over in self.sessions.take_all(|session| is_over(session)) {
            self.party.forgets(&over.browser);
        }
    }

    /// The name of this browser; a new one where it has none.
    fn browser(&self, headers: &HeaderMap) -> String {
        let known = web::cookie(headers, &self.browser_cookie()).filter(|id| id.len() == 43);
        known.map_or_else(|| draw(&*self.world), str::to_owned)
    }

    /// Sends the browser to the provider and has it remember which browser it was.
    fn sends_away(&self, url: &str, browser: &str) -> Response {
        let mut response = web::see_other(url);
        let cookie = web::set_cookie(&self.browser_cookie(), browser, 3600);
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }

    /// A session under a fresh id, whatever the browser had before.
    fn welcome(&self, headers: &HeaderMap, signed_in: SignedIn<P::Kept>) -> Response {
        self.end_session(headers);
        let id = draw(&*self.world);
        let SignedIn {
            kept,
            who,
            until,
            target,
        } = signed_in;
        let browser = web::cookie(headers, &self.browser_cookie());
        let session = Arc::new(Session {
            kept,
            who,
            browser: browser.unwrap_or_default().to_owned(),
            until,
        });
        let cookie = web::set_cookie(&self.session_cookie(), &id, 8 * 3600);
        self.sessions.put(id, session, self.world.now_unix());
        let mut response = web::see_other(&target);
        response.headers_mut().append(SET_COOKIE, cookie);
        response
    }

    /// On to where somebody is signed out; the portal's own session has ended already.
    fn farewell(&self, onward: &str) -> Response {
        let mut response = web::see_other(onward);
        let gone = web::set_cookie(&self.session_cookie(), "", 0);
        response.headers_mut().append(SET_COOKIE, gone);
        response
    }

    fn failed(&self, chrome: Chrome, error: &impl Explained) -> Response {
        let why =
            std::error::Error::source(error).map_or_else(String::new, |why| format!(": {why}"));
        tracing::info!(room = self.room.name(), %error, why, "nobody signed in at a portal");
        let chrome = chrome.leading_home();
        chrome.show(error.status(), &FailedPage::new(&chrome, error))
    }
}

/// The local path that a sign-in leads to.
fn target(fields: &Fields) -> String {
    let wanted = fields.one("target").filter(|path| web::is_local_path(path));
    wanted.unwrap_or("/").to_owned()
}

/// The routes of one portal: its own, and those that all have.
fn router<P: Party>(own: Router<Arc<Portal<P>>>, portal: Portal<P>) -> Router {
    own.route("/", get(home::<P>))
        .route("/signed-out", get(signed_out::<P>))
        .route("/api/whoami", get(whoami::<P>))
        .with_state(Arc::new(portal))
        .merge(chrome::routes())
}

async fn home<P: Party>(State(portal): State<Arc<Portal<P>>>, parts: Parts) -> Response {
    let chrome = portal.chrome(&parts);
    let session = portal.session(&parts.headers);
    let who = session.as_ref().map(|session| &session.who);
    let page = HomePage::new(&chrome, &portal.origins, who, portal.world.now_unix());
    chrome.show(StatusCode::OK, &page)
}

async fn signed_out<P: Party>(State(portal): State<Arc<Portal<P>>>, parts: Parts) -> Response {
    let chrome = portal.chrome(&parts);
    let fields = Fields::from_query(parts.uri.query());
    let page = SignedOutPage {
        chrome: &chrome,
        partly: fields.one("partly").is_some(),
        here_only: fields.one("here-only").is_some(),
    };
    chrome.show(StatusCode::OK, &page)
}

async fn whoami<P: Party>(State(portal): State<Arc<Portal<P>>>, parts: Parts) -> Response {
    match portal.session(&parts.headers) {
        Some(session) => web::json(StatusCode::OK, &session.who.claims),
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}
