//! Every route, in one table: who may call it, and what it takes.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::IntoResponse,
    routing::{get, post},
};

use http::StatusCode;
use wire::oauth::authorize;

use super::{
    account, activation, around::around, back, cas, consent, device, frames, gate, login,
    management, oidc, recovery, registration, reply, saml, saml_artifact, saml_logout, scripts,
    watch,
};
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
    /// A registered application whose message a browser carries. The browser's cookies count for
    /// nothing here: what the message asks for begins with a fresh request.
    Message,
    /// A CAS application with a ticket. It is told no in a document, with the status of a yes.
    Service,
    /// Somebody with a session.
    Session,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET`, or `POST` if it takes forms as well; others where an application looks after what it registered.
    pub methods: &'static [&'static str],
    /// Its path; `{…}` stands for one segment.
    pub path: &'static str,
    /// Who may get something from it.
    pub who: Who,
}

impl Route {
    /// Whether this path is at this route.
    pub(super) fn is_at(&self, path: &str) -> bool {
        let (wanted, found) = (self.path.split('/'), path.split('/'));
        let fits = |(wanted, found): (&str, &str)| {
            wanted == found || (wanted.starts_with('{') && !found.is_empty())
        };
        wanted.clone().count() == found.clone().count() && wanted.zip(found).all(fits)
    }
}

const fn route(methods: &'static [&'static str], path: &'static str, who: Who) -> Route {
    Route { methods, path, who }
}

const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const BOTH: &[&str] = &["GET", "POST"];
const KEEPING: &[&str] = &["GET", "PUT", "DELETE"];

/// All of them. A path that is not here does not exist.
pub const ROUTES: &[Route] = &[
    route(GET, "/", Who::Anybody),
    route(GET, "/.furka/callback", Who::Anybody),
    route(GET, "/.furka/sign-out", Who::Anybody),
    route(GET, "/.furka/start", Who::Anybody),
    route(GET, "/.well-known/oauth-authorization-server", Who::Anybody),
    route(GET, "/.well-known/openid-configuration", Who::Anybody),
    route(BOTH, "/account", Who::Session),
    route(BOTH, "/account/recovery-codes", Who::Session),
    route(BOTH, "/account/app", Who::Session),
    route(BOTH, "/account/password", Who::Session),
    route(BOTH, "/activate", Who::Anybody),
    route(BOTH, "/activate/{id}", Who::Browser),
    route(GET, "/answer", Who::Anybody),
    route(BOTH, "/authorize", Who::Anybody),
    route(GET, "/cas/login", Who::Anybody),
    route(GET, "/cas/logout", Who::Anybody),
    route(GET, "/cas/p3/proxyValidate", Who::Service),
    route(GET, "/cas/p3/serviceValidate", Who::Service),
    route(GET, "/cas/proxy", Who::Service),
    route(GET, "/cas/proxyValidate", Who::Service),
    route(POST, "/cas/samlValidate", Who::Service),
    route(GET, "/cas/serviceValidate", Who::Service),
    route(GET, "/cas/validate", Who::Service),
    route(GET, "/check-session", Who::Anybody),
    route(BOTH, "/consent", Who::Session),
    route(BOTH, "/device", Who::Anybody),
    route(POST, "/device-authorization", Who::Application),
    route(BOTH, "/device/confirm", Who::Session),
    route(GET, "/gate/auth-request", Who::Application),
    route(GET, "/gate/check", Who::Application),
    route(GET, "/gate/enter", Who::Anybody),
    route(GET, "/health/live", Who::Anybody),
    route(GET, "/health/ready", Who::Anybody),
    route(POST, "/introspect", Who::Application),
    route(GET, "/jwks", Who::Anybody),
    route(BOTH, "/login", Who::Anybody),
    route(BOTH, "/login/{id}", Who::Browser),
    route(BOTH, "/logout", Who::Anybody),
    route(GET, "/logout/applications", Who::Anybody),
    route(POST, "/par", Who::Application),
    route(POST, "/register", Who::Application),
    route(KEEPING, "/register/{id}", Who::Application),
    route(BOTH, "/resume/{token}", Who::Anybody),
    route(POST, "/revoke", Who::Application),
    route(POST, "/saml/artifact", Who::Application),
    route(GET, "/saml/continue", Who::Anybody),
    route(GET, "/saml/leave", Who::Anybody),
    route(GET, "/saml/leave/{id}", Who::Anybody),
    route(GET, "/saml/logout", Who::Anybody),
    route(GET, "/saml/metadata", Who::Anybody),
    route(BOTH, "/saml/slo", Who::Message),
    route(BOTH, "/saml/sso", Who::Message),
    route(GET, "/saml/start/{id}", Who::Anybody),
    route(GET, "/static/{name}", Who::Anybody),
    route(POST, "/token", Who::Application),
    route(BOTH, "/userinfo", Who::Application),
];

/// What people and applications reach.
pub(crate) fn router(app: &App) -> Router {
    let public = || middleware::from_fn(scripts::of_everybody);
    let told = || middleware::from_fn_with_state(app.clone(), scripts::of_applications);
    Router::new()
        .route("/", get(account::home))
        // The same document, where programs look that know OAuth only [RFC 8414 §3].
        .route(
            "/.well-known/oauth-authorization-server",
            get(oidc::discovery).layer(public()),
        )
        .route(
            "/.well-known/openid-configuration",
            get(oidc::discovery).layer(public()),
        )
        .route("/account", get(account::show).post(account::act))
        .route(recovery::PATH, get(recovery::show).post(recovery::make))
        .route(
            "/account/app",
            get(account::app::ask).post(account::app::begin),
        )
        .route(
            "/account/password",
            get(account::password::ask).post(account::password::change),
        )
        .route("/activate", get(activation::start).post(activation::begin))
        .route(
            "/activate/{id}",
            get(activation::show).post(activation::act),
        )
        .route("/answer", get(reply::show))
        .route(
            "/authorize",
            get(oidc::authorize_query)
                .post(oidc::authorize_form)
                .layer(DefaultBodyLimit::max(authorize::BYTES_MAX)),
        )
        .route("/check-session", get(watch::show))
        .route("/consent", get(consent::ask).post(consent::answer))
        .route("/device", get(device::show).post(device::enter))
        .route("/device-authorization", post(back::device))
        .route("/device/confirm", get(device::ask).post(device::answer))
        .merge(other_languages())
        .route("/health/live", get(management::live))
        .route("/health/ready", get(management::ready))
        .route("/introspect", post(back::introspect))
        .route("/jwks", get(oidc::jwks).layer(public()))
        .route("/login", get(login::start).post(login::enter))
        .route("/login/{id}", get(login::show).post(login::act))
        .route("/logout", get(oidc::logout_query).post(oidc::logout_form))
        .route("/logout/applications", get(frames::show))
        .route("/par", post(back::par))
        .merge(registering(app))
        .route(
            "/resume/{token}",
            get(login::offer_resume).post(login::resume),
        )
        .route("/revoke", post(back::revoke).layer(told()))
        .route("/static/{name}", get(account::statics))
        .route("/token", post(back::token).layer(told()))
        .route(
            "/userinfo",
            get(back::userinfo).post(back::userinfo).layer(told()),
        )
        .fallback(account::not_found)
        .layer(DefaultBodyLimit::max(BODY_MAX as usize))
        .layer(middleware::from_fn_with_state(app.clone(), around))
        .with_state(app.clone())
}

/// Of a router of ours, what applications need that show certificates: no page, and nothing that a browser opens.
pub fn for_applications(public: Router) -> Router {
    public.layer(middleware::from_fn(async |request: Request, next: Next| {
        let path = request.uri().path();
        let mut own = ROUTES.iter().filter(|route| route.who == Who::Application);
        match own.any(|route| route.path == path) && !path.starts_with("/gate/") {
            true => next.run(request).await,
            false => StatusCode::NOT_FOUND.into_response(),
        }
    }))
}

/// Where applications register themselves, if that is switched on.
fn registering(app: &App) -> Router<App> {
    let if_switched_on =
        || middleware::from_fn_with_state(app.clone(), registration::if_switched_on);
    let kept = get(registration::show)
        .put(registration::change)
        .delete(registration::remove);
    Router::new()
        .route(
            "/register",
            post(registration::register).route_layer(if_switched_on()),
        )
        .route("/register/{id}", kept.route_layer(if_switched_on()))
}

/// CAS, the gate and SAML.
fn other_languages() -> Router<App> {
    Router::new()
        .route("/.furka/callback", get(gate::callback))
        .route("/.furka/sign-out", get(gate::sign_out))
        .route("/.furka/start", get(gate::start))
        .route("/cas/login", get(cas::login))
        .route("/cas/logout", get(cas::logout))
        .route("/cas/p3/proxyValidate", get(cas::proxy_validate_p3))
        .route("/cas/p3/serviceValidate", get(cas::service_validate_p3))
        .route("/cas/proxy", get(cas::proxy))
        .route("/cas/proxyValidate", get(cas::proxy_validate))
        .route("/cas/samlValidate", post(cas::saml_validate))
        .route("/cas/serviceValidate", get(cas::service_validate))
        .route("/cas/validate", get(cas::validate))
        .route("/gate/auth-request", get(gate::auth_request))
        .route("/gate/check", get(gate::check))
        .route("/gate/enter", get(gate::enter))
        .route("/saml/artifact", post(saml_artifact::resolve))
        .route("/saml/continue", get(saml::go_on))
        .route("/saml/leave", get(saml_logout::leave))
        .route("/saml/leave/{id}", get(saml_logout::leave_one))
        .route("/saml/logout", get(saml_logout::logout))
        .route("/saml/metadata", get(saml::metadata))
        .route("/saml/slo", get(saml_logout::slo).post(saml_logout::slo))
        .route("/saml/sso", get(saml::sso).post(saml::sso))
        .route("/saml/start/{id}", get(saml::start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_at_the_one_route_with_its_segments() {
        let at = |path: &str| -> Vec<&str> {
            let those = ROUTES.iter().filter(|route| route.is_at(path));
            those.map(|route| route.path).collect()
        };
        assert_eq!(at("/register"), ["/register"]);
        assert_eq!(at("/register/guest-0123"), ["/register/{id}"]);
        assert_eq!(at("/token"), ["/token"]);
        assert_eq!(at("/"), ["/"]);
        for nowhere in [
            "/register/",
            "/register/a/b",
            "/registers/a",
            "//",
            "",
            "/token/",
        ] {
            assert_eq!(at(nowhere), [""; 0], "{nowhere}");
        }
    }
}
