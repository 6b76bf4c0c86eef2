//! OpenID Connect, where people are: `/authorize`, `/logout`; and discovery and keys.

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use form_urlencoded::Serializer;
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use journey::{Assurance, Person, PersonId, login::Enough};
use store::{EndSessions, SessionRecord, seal::Purpose};
use wire::{
    oauth::{
        authorize::{self, Authorize, Door, Fault, Received, Refused, ResponseMode},
        client::{Client, Kind, Subjects},
        par::Referred,
        token::SpendOnce,
    },
    oidc::{id_token::hinted_subject, logout::Logout},
};

use super::{
    account::name_of,
    consent,
    ending::{self, Hearers},
    form::Form,
    frames,
    login::{Said, leave, own_session, proceed_page, sign_in_page},
    reply, show,
    visit::Visit,
    watch,
};
use crate::{
    app::App,
    failure::Failure,
    gate::{
        self,
        pushed::{self, Found},
    },
    page::{self, Link, LoggedOut, LogoutConfirm, ProceedWhy, Reason},
    ticket::{self, Purposed, SignOut},
};

/// How long the question "sign out?" may lie open, in seconds.
const SIGN_OUT_S: i64 = 600;
/// How long the keys of this moment are waited for.
const JWKS_PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
/// The domain of sign-out tickets.
const KIND: &str = "sign-out";

/// `GET /authorize`
pub(crate) async fn authorize_query(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    authorize(&app, visit, query.unwrap_or_default().as_bytes()).await
}

/// `POST /authorize`
pub(crate) async fn authorize_form(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    authorize(&app, visit, &body).await
}

async fn authorize(app: &App, visit: Visit, raw: &[u8]) -> Result<Response, Failure> {
    if let Some(referred) = Referred::read(raw) {
        return match pushed::open(app, visit.caller.browser, &referred).await? {
            Found::First(location) => show::see_other(&visit, &location),
            Found::Mine(request) => asked(app, visit, *request).await,
            Found::Over => {
                let client = Some(referred.client_id.as_str());
                stopped(app, &visit, (StatusCode::GONE, Reason::TooLate), client)
            }
        };
    }
    match taken(app, raw).await? {
        // What is signed ends soon: from here on the browser has a reference, which may be loaded again.
        // One that shows no page is not loaded again, and must be answered where no cookie goes.
        Ok(request) => match visit
            .caller
            .browser
            .filter(|_| request.by_reference && !request.prompt.none)
        {
            Some(browser) => show::see_other(&visit, &pushed::shown_to(app, browser, request)),
            None => asked(app, visit, request).await,
        },
        Err(refused) => refuse(app, &visit, &refused, authorize::named(raw).as_deref()),
    }
}

/// A form of another site that is too long for an address: it goes on as if it had been handed over.
pub(super) async fn pass_on(app: &App, visit: &Visit, raw: &[u8]) -> Result<Response, Failure> {
    match taken(app, raw).await? {
        Ok(request) => show::see_other(visit, &pushed::passed_on(app, request)),
        Err(refused) => refuse(app, visit, &refused, authorize::named(raw).as_deref()),
    }
}

/// A request that a browser brings. One that was signed under an id is taken once, as at `/par`: whoever finds it
/// in a log or a history opens nothing with it.
async fn taken(app: &App, raw: &[u8]) -> Result<Result<Authorize, Refused>, Failure> {
    let (request, spend) = match read(app, raw) {
        Ok(read) => read,
        Err(refused) => return Ok(Err(refused)),
    };
    match spend {
        Some(spend) if !pushed::is_first(app, &spend).await? => {
            Ok(Err(Refused::Page(Fault::RequestObjectWrong)))
        }
        _ => Ok(Ok(request)),
    }
}

fn read(app: &App, raw: &[u8]) -> Result<(Authorize, Option<SpendOnce>), Refused> {
    let catalogue = app.catalogue.load_full();
    let received = Received {
        issuer: &app.issuer,
        now: app.world.now().0,
        by: Door::Browser,
        numbers: &gate::request_numbers(app),
    };
    authorize::read(raw, &received, |id| catalogue.application(id))
}

/// A request that is complete and verified.
async fn asked(app: &App, mut visit: Visit, request: Authorize) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    visit.prefer(&request.ui_locales);
    let Some(client) = catalogue.application(&request.client_id) else {
        return refuse(app, &visit, &Refused::Page(Fault::ClientUnknown), None);
    };
    // What was read an hour ago may have been taken out since.
    if !client.has_redirect_uri(&request.redirect_uri) {
        let gone = Refused::Page(Fault::RedirectMismatch);
        return refuse(app, &visit, &gone, Some(&client.id));
    }
    if !gate::can_be_met(client, &request) {
        return told(
            app,
            &visit,
            &request,
            Fault::UnmetAuthenticationRequirements,
        );
    }
    let session = own_session(app, &visit).await?;
    let session = session.filter(|(session, person)| counts(app, &request, session, person));
    let Some((session, person)) = session else {
        return sign_in(app, &visit, request);
    };
    watch::goes_on(app, &mut visit, client, &session.key);
    let demand = gate::demand(&catalogue, Some(&request));
    let enough = app.enough(
        &session.proof,
        &session.place,
        demand,
        (&visit.caller, &person),
    );
    match enough {
        Enough::Yes => let_through(app, &visit, request, (client, &session, &person)).await,
        Enough::SignInAgain => sign_in(app, &visit, request),
        Enough::StepUp => step_up(app, &visit, request, (&person, demand)),
    }
}

/// Whether a session may speak for this request at all.
pub(super) fn counts(
    app: &App,
    request: &Authorize,
    session: &SessionRecord,
    person: &Person,
) -> bool {
    let now = app.world.now().0;
    let fresh = !request.demands_fresh_login() && !request.prompt.select_account;
    let recent = request.is_recent_enough(session.proof.at().0, now);
    let expected = request.id_token_hint.is_none()
        || hinted(app, request) == Some(known_as(app, request, person.id));
    fresh && recent && expected && is_about(app, request, person.id)
}

/// The name by which the application that asks knows somebody.
pub(super) fn known_as(app: &App, request: &Authorize, person: PersonId) -> String {
    let catalogue = app.catalogue.load();
    let id = person.to_string();
    let client = catalogue.application(&request.client_id);
    client.map_or_else(|| id.clone(), |client| client.known_as(&id))
}

/// Whether the application asks about anybody, or about this person by name.
pub(super) fn is_about(app: &App, request: &Authorize, person: PersonId) -> bool {
    request.claims.is_about(&known_as(app, request, person))
}

/// Whom the application expects, if its hint is one of ours.
pub(super) fn hinted(app: &App, request: &Authorize) -> Option<String> {
    let hint = request.id_token_hint.as_deref()?;
    let (catalogue, now) = (app.catalogue.load(), app.world.now().0);
    let subject = hinted_subject(hint, &request.client_id, &catalogue.ring, &app.issuer, now)?;
    // Nobody has a name of before the application was given another kind: it expects nobody whom it could get.
    let client = catalogue.application(&request.client_id)?;
    let is_public = subject.parse::<PersonId>().is_ok();
    (is_public == (client.subject == Subjects::Public)).then_some(subject)
}

fn sign_in(app: &App, visit: &Visit, request: Authorize) -> Result<Response, Failure> {
    if request.prompt.none {
        return told(app, visit, &request, Fault::LoginRequired);
    }
    let username = request.login_hint.clone().unwrap_or_default();
    let purpose = Purposed {
        authorize: Some(request),
        ..Purposed::default()
    };
    sign_in_page(
        app,
        visit,
        purpose,
        Said {
            problem: None,
            username,
        },
    )
}

/// A session that is enough: the code at once. An application that cannot prove what it is gets it
/// only after a click, because anybody may have sent the browser here.
async fn let_through(
    app: &App,
    visit: &Visit,
    request: Authorize,
    (client, session, person): (&Client, &SessionRecord, &Person),
) -> Result<Response, Failure> {
    // Who has said yes before passes by there; whoever must be asked is not asked in silence.
    if consent::may_ask(client, &request) {
        let way = match request.prompt.none {
            true => consent::silent_way(app, client, &request, (session, person)).await?,
            false => consent::way(app, &request, &session.key),
        };
        return show::see_other(visit, &way);
    }
    let silent = client.kind == Kind::Confidential;
    if !silent && request.prompt.none {
        return told(app, visit, &request, Fault::ConsentRequired);
    }
    let purpose = Purposed {
        authorize: Some(request),
        ..Purposed::default()
    };
    if silent {
        return show::see_other(visit, &leave(app, &purpose, (session, person)));
    }
    proceed_page(app, visit, purpose, (ProceedWhy::Confirm, person))
}

/// A session that is not enough here. The next step may send a message: that takes a click.
fn step_up(
    app: &App,
    visit: &Visit,
    request: Authorize,
    (person, demand): (&Person, Assurance),
) -> Result<Response, Failure> {
    if request.prompt.none {
        let fault = match demand {
            Assurance::Password => Fault::LoginRequired,
            _ => Fault::InteractionRequired,
        };
        return told(app, visit, &request, fault);
    }
    let purpose = Purposed {
        authorize: Some(request),
        ..Purposed::default()
    };
    proceed_page(app, visit, purpose, (ProceedWhy::StepUp, person))
}

/// The application is told why there is no code.
fn told(app: &App, visit: &Visit, request: &Authorize, fault: Fault) -> Result<Response, Failure> {
    let refused = request.refused(fault, &app.issuer);
    show::see_other(visit, &reply::way(app, refused))
}

fn refuse(
    app: &App,
    visit: &Visit,
    refused: &Refused,
    client: Option<&str>,
) -> Result<Response, Failure> {
    tracing::info!(fault = ?refused.fault(), "an authorization request was refused");
    if let Some(reply) = refused.reply(&app.issuer) {
        return show::see_other(visit, &reply::way(app, reply));
    }
    let row = refused.fault().row();
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
    let reason = match refused.fault() {
        Fault::ClientUnknown => Reason::UnknownApplication,
        _ => Reason::BadRequest {
            detail: row.description.to_owned(),
        },
    };
    stopped(app, visit, (status, reason), client)
}

/// A page that says why it does not go on, with the way back to where the application begins.
fn stopped(
    app: &App,
    visit: &Visit,
    (status, reason): (StatusCode, Reason),
    client: Option<&str>,
) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load();
    let client = client.and_then(|id| catalogue.application(id));
    let back = client.filter(|client| client.enabled).and_then(|client| {
        Some(Link {
            name: name_of(client, visit.language),
            url: client.entrance(&app.issuer)?,
        })
    });
    let page = page::Refused {
        reason,
        support_code: None,
        // An application that nobody starts at leaves the front page.
        again: back.is_none().then(|| "/".to_owned()),
        back,
    };
    show::page(app, visit, status, &page)
}

/// A request that no page of ours makes.
pub(super) fn bad_request(app: &App, visit: &Visit, detail: &str) -> Result<Response, Failure> {
    let reason = Reason::BadRequest {
        detail: detail.to_owned(),
    };
    show::refused(app, visit, StatusCode::BAD_REQUEST, reason)
}

/// Where this browser makes the same request again.
pub(super) fn again_at(app: &App, visit: &Visit, request: &Authorize) -> String {
    let reference = pushed::again(app, visit.caller.browser, request);
    reference.unwrap_or_else(|| {
        let mut query = query_of(request);
        if let Some(hint) = &request.id_token_hint {
            query.push_str("&id_token_hint=");
            query.extend(form_urlencoded::byte_serialize(hint.as_bytes()));
        }
        format!("/authorize?{query}")
    })
}

/// The query that makes the same request again, for anybody.
fn query_of(request: &Authorize) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", &request.client_id)
        .append_pair("redirect_uri", &request.redirect_uri)
        .append_pair("scope", &request.scope.to_string())
        .append_pair("code_challenge", &request.code_challenge)
        .append_pair("code_challenge_method", "S256");
    let max_age = request.max_age.map(|seconds| seconds.to_string());
    let acr_values = request.acr_values.join(" ");
    let claims = request.claims.parameter();
    let response_mode = match request.response_mode {
        ResponseMode::Query => "",
        mode => mode.name(),
    };
    let prompt = [
        (request.prompt.none, "none"),
        (request.prompt.login, "login"),
        (request.prompt.consent, "consent"),
        (request.prompt.select_account, "select_account"),
    ];
    let prompt: Vec<&str> = prompt
        .into_iter()
        .filter_map(|(asked, word)| asked.then_some(word))
        .collect();
    let prompt = prompt.join(" ");
    for (name, value) in [
        ("state", request.state.as_deref().unwrap_or_default()),
        ("nonce", request.nonce.as_deref().unwrap_or_default()),
        ("max_age", max_age.as_deref().unwrap_or_default()),
        ("acr_values", &acr_values),
        (
            "login_hint",
            request.login_hint.as_deref().unwrap_or_default(),
        ),
        ("prompt", &prompt),
        ("response_mode", response_mode),
        ("claims", claims.as_deref().unwrap_or_default()),
        ("dpop_jkt", request.key.as_deref().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// `GET /.well-known/openid-configuration`
pub(crate) async fn discovery(State(app): State<App>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, app.catalogue.load().discovery.clone()).into_response()
}

/// `GET /jwks`. Another node may have signed with a key of this moment, so the store is asked; if it does
/// not answer at once, what is known counts.
pub(crate) async fn jwks(State(app): State<App>) -> Response {
    if let Ok(Err(error)) = tokio::time::timeout(JWKS_PATIENCE, app.reload()).await {
        tracing::debug!(%error, "the keys of this moment could not be read");
    }
    let headers = [
        (CONTENT_TYPE, "application/jwk-set+json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, gate::jwks(&app)).into_response()
}

/// `GET /logout`
pub(crate) async fn logout_query(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    logout(&app, visit, query.unwrap_or_default().as_bytes()).await
}

/// `POST /logout`: an application's request as a form, or the person's answer to the question.
pub(crate) async fn logout_form(
    State(app): State<App>,
    Extension(mut visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let sealed = Form::read(&body)
        .map(|form| form.text("ticket").to_owned())
        .unwrap_or_default();
    let Some(ticket) = ticket::open::<SignOut>(&app.keys, Purpose::Csrf, KIND, &sealed) else {
        return logout(&app, visit, &body).await;
    };
    let mut hearers = Hearers::default();
    if app.world.now() < ticket.until {
        hearers = match own_session(&app, &visit).await? {
            Some((session, person)) => {
                let which = EndSessions::One(session.key);
                ending::end(&app, &mut visit, (&which, &person)).await?
            }
            None => ending::end_late(&app, &mut visit).await?,
        };
    }
    let asked = (ticket.application.as_deref(), ticket.then.as_deref());
    signed_out(&app, &visit, &hearers, asked)
}

async fn logout(app: &App, mut visit: Visit, raw: &[u8]) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let now = app.world.now();
    let find = |id: &str| catalogue.application(id);
    let request = match Logout::parse(raw, &catalogue.ring, &app.issuer, now.0, find) {
        Ok(request) => request,
        Err(fault) => return bad_request(app, &visit, fault.row().description),
    };
    visit.prefer(&request.ui_locales);
    let (application, then) = (request.client_id.as_deref(), request.return_to.as_deref());
    let Some((session, person)) = own_session(app, &visit).await? else {
        // The application that got its tokens in this session says so by its hint.
        if visit
            .session
            .is_some_and(|key| request.sid == Some(gate::sid(&key)))
        {
            let hearers = ending::end_late(app, &mut visit).await?;
            return signed_out(app, &visit, &hearers, (application, then));
        }
        return signed_out(app, &visit, &Hearers::default(), (application, then));
    };
    let known_as = |client: &Client| client.known_as(&person.id.to_string());
    let subject = application.and_then(find).map(known_as);
    let subject = subject.unwrap_or_else(|| person.id.to_string());
    if !request.must_ask(&subject, &gate::sid(&session.key)) {
        let which = EndSessions::One(session.key);
        let hearers = ending::end(app, &mut visit, (&which, &person)).await?;
        return signed_out(app, &visit, &hearers, (application, then));
    }
    let name = application
        .and_then(find)
        .map(|client| name_of(client, visit.language));
    ask_to_sign_out(
        app,
        &visit,
        (request.client_id.clone(), name),
        request.return_to,
    )
}

/// "Sign out?": a page with one button, for an application that is known by id, by name, or not at all.
/// Looking at it ends nothing.
pub(super) fn ask_to_sign_out(
    app: &App,
    visit: &Visit,
    (application, name): (Option<String>, Option<String>),
    then: Option<String>,
) -> Result<Response, Failure> {
    let ticket = SignOut {
        application,
        then,
        until: app.world.now().plus(SIGN_OUT_S),
    };
    let page = LogoutConfirm {
        action: "/logout".to_owned(),
        ticket: ticket::seal(&app.keys, Purpose::Csrf, KIND, &ticket),
        application: name,
    };
    show::page(app, visit, StatusCode::OK, &page)
}

fn signed_out(
    app: &App,
    visit: &Visit,
    hearers: &Hearers,
    (application, then): (Option<&str>, Option<&str>),
) -> Result<Response, Failure> {
    if let Some(way) = frames::way(app, visit, hearers, (application, then)) {
        return show::see_other(visit, &way);
    }
    if let Some(then) = then {
        return show::see_other(visit, then);
    }
    let catalogue = app.catalogue.load();
    let client = application.and_then(|id| catalogue.application(id));
    let back = client.and_then(|client| {
        Some(Link {
            name: name_of(client, visit.language),
            url: client.home.clone()?,
        })
    });
    show::signed_out(app, visit, &LoggedOut { back })
}
