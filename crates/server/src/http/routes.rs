//! Every route, in one table: who may call it, and what it takes.

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};

use super::{account, activation, around::around, login, management, oidc};
use crate::app::App;

/// The largest body that is read at all, in bytes.
pub(super) const BODY_MAX: u64 = 16 * 1024;

/// Who may get something from a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Who {
    /// Anybody: it shows or tells nothing about anybody.
    Anybody,
    /// A registered application that authenticates itself, or the bearer of its token.
    Application,
    /// The browser to which the journey is bound.
    Browser,
    /// Somebody with a session.
    Session,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET`, or `POST` if it takes forms as well.
    pub methods: &'static [&'static str],
    /// Its path; `{…}` stands for one segment.
    pub path: &'static str,
    /// Who may get something from it.
    pub who: Who,
}

const fn route(methods: &'static [&'static str], path: &'static str, who: Who) -> Route {
    Route { methods, path, who }
}

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const BOTH: &[&str] = &["GET", "POST"];

/// All of them. A path that is not here does not exist.
pub const ROUTES: &[Route] = &[
    route(GET, "/", Who::Anybody),
    route(GET, "/.well-known/openid-configuration", Who::Anybody),
    route(BOTH, "/account", Who::Session),
    route(BOTH, "/activate", Who::Anybody),
    route(BOTH, "/activate/{id}", Who::Browser),
    route(BOTH, "/authorize", Who::Anybody),
    route(GET, "/health/live", Who::Anybody),
    route(GET, "/health/ready", Who::Anybody),
    route(GET, "/jwks", Who::Anybody),
    route(BOTH, "/login", Who::Anybody),
    route(BOTH, "/login/{id}", Who::Browser),
    route(BOTH, "/logout", Who::Anybody),
    route(BOTH, "/resume/{token}", Who::Anybody),
    route(GET, "/static/{name}", Who::Anybody),
    route(POST, "/token", Who::Application),
    route(BOTH, "/userinfo", Who::Application),
];

/// What people and applications reach.
pub(crate) fn router(app: &App) -> Router {
    Router::new()
        .route("/", get(account::home))
        .route("/.well-known/openid-configuration", get(oidc::discovery))
        .route("/account", get(account::show).post(account::act))
        .route("/activate", get(activation::start).post(activation::begin))
        .route(
            "/activate/{id}",
            get(activation::show).post(activation::act),
        )
        .route(
            "/authorize",
            get(oidc::authorize_query).post(oidc::authorize_form),
        )
        .route("/health/live", get(management::live))
        .route("/health/ready", get(management::ready))
        .route("/jwks", get(oidc::jwks))
        .route("/login", get(login::start).post(login::enter))
        .route("/login/{id}", get(login::show).post(login::act))
        .route("/logout", get(oidc::logout_query).post(oidc::logout_form))
        .route(
            "/resume/{token}",
            get(login::offer_resume).post(login::resume),
        )
        .route("/static/{name}", get(account::statics))
        .route("/token", post(oidc::token))
        .route("/userinfo", get(oidc::userinfo).post(oidc::userinfo))
        .fallback(account::not_found)
        .layer(DefaultBodyLimit::max(BODY_MAX as usize))
        .layer(middleware::from_fn_with_state(app.clone(), around))
        .with_state(app.clone())
}
