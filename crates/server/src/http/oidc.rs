//! OpenID Connect: `/authorize`, `/token`, `/userinfo`, `/logout`, discovery and keys.

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use form_urlencoded::Serializer;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use journey::{Assurance, Person, login::Enough};
use store::{EndSessions, SessionRecord, seal::Purpose};
use wire::{
    oauth::{
        authorize::{self, Authorize, Fault, Refused},
        client::{Client, Kind},
        token::Incoming,
    },
    oidc::{id_token::hinted_subject, logout::Logout},
};

use super::{
    account::{end, name_of},
    form::Form,
    login::{Said, leave, own_session, proceed_page, sign_in_page},
    show,
    visit::Visit,
};
use crate::{
    app::App,
    cookie::Name,
    failure::Failure,
    gate,
    page::{Link, LoggedOut, LogoutConfirm, ProceedWhy, Reason},
    ticket::{self, Purposed, SignOut},
};

/// How long the question "sign out?" may lie open, in seconds.
const SIGN_OUT_S: i64 = 600;
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

async fn authorize(app: &App, mut visit: Visit, raw: &[u8]) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let request = match authorize::parse(raw, |id| catalogue.application(id)) {
        Ok(request) => request,
        Err(refused) => return refuse(app, &visit, &refused),
    };
    visit.prefer(&request.ui_locales);
    let Some(client) = catalogue.application(&request.client_id) else {
        return refuse(app, &visit, &Refused::Page(Fault::ClientUnknown));
    };
    // There is no page to consent on, so nobody consents by silence.
    if !client.trusted {
        return show::see_other(
            &visit,
            &request.refused(Fault::ConsentRequired, &app.issuer),
        );
    }
    let session = own_session(app, &visit).await?;
    let session = session.filter(|(session, person)| counts(app, &request, session, person));
    let Some((session, person)) = session else {
        return sign_in(app, &visit, request);
    };
    let demand = gate::demand(&catalogue, Some(&request));
    let enough = app.enough(
        &session.proof,
        &session.place,
        demand,
        (&visit.caller, &person),
    );
    match enough {
        Enough::Yes => let_through(app, &visit, request, (client, &session, &person)),
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
    let expected = match &request.id_token_hint {
        None => true,
        Some(hint) => {
            let ring = &app.catalogue.load().ring;
            let hinted = hinted_subject(hint, &request.client_id, ring, &app.issuer, now);
            hinted == Some(person.id.to_string())
        }
    };
    fresh && recent && expected
}

fn sign_in(app: &App, visit: &Visit, request: Authorize) -> Result<Response, Failure> {
    if request.prompt.none {
        return show::see_other(visit, &request.refused(Fault::LoginRequired, &app.issuer));
    }
    let username = request.login_hint.clone().unwrap_or_default();
    let purpose = Purposed {
        authorize: Some(request),
        elsewhere: false,
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
fn let_through(
    app: &App,
    visit: &Visit,
    request: Authorize,
    (client, session, person): (&Client, &SessionRecord, &Person),
) -> Result<Response, Failure> {
    let silent = client.kind == Kind::Confidential;
    if !silent && request.prompt.none {
        return show::see_other(visit, &request.refused(Fault::ConsentRequired, &app.issuer));
    }
    let purpose = Purposed {
        authorize: Some(request),
        elsewhere: false,
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
        return show::see_other(visit, &request.refused(fault, &app.issuer));
    }
    let purpose = Purposed {
        authorize: Some(request),
        elsewhere: false,
    };
    proceed_page(app, visit, purpose, (ProceedWhy::StepUp, person))
}

fn refuse(app: &App, visit: &Visit, refused: &Refused) -> Result<Response, Failure> {
    tracing::info!(fault = ?refused.fault(), "an authorization request was refused");
    if let Some(location) = refused.location(&app.issuer) {
        return show::see_other(visit, &location);
    }
    let row = refused.fault().row();
    let status = StatusCode::from_u16(row.status).unwrap_or(StatusCode::BAD_REQUEST);
    let reason = match refused.fault() {
        Fault::ClientUnknown => Reason::UnknownApplication,
        _ => Reason::BadRequest {
            detail: row.description.to_owned(),
        },
    };
    show::refused(app, visit, status, reason)
}

/// A request that no page of ours makes.
pub(super) fn bad_request(app: &App, visit: &Visit, detail: &str) -> Result<Response, Failure> {
    let reason = Reason::BadRequest {
        detail: detail.to_owned(),
    };
    show::refused(app, visit, StatusCode::BAD_REQUEST, reason)
}

/// The query that makes the same request again.
pub(super) fn query_of(request: &Authorize) -> String {
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
    let prompt = if request.prompt.login { "login" } else { "" };
    for (name, value) in [
        ("state", request.state.as_deref().unwrap_or_default()),
        ("nonce", request.nonce.as_deref().unwrap_or_default()),
        ("max_age", max_age.as_deref().unwrap_or_default()),
        ("acr_values", &acr_values),
        (
            "login_hint",
            request.login_hint.as_deref().unwrap_or_default(),
        ),
        ("prompt", prompt),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    query.finish()
}

/// `POST /token`
pub(crate) async fn token(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let incoming = Incoming {
        content_type: text(CONTENT_TYPE),
        authorization: text(AUTHORIZATION),
        body: &body,
    };
    let answer = gate::token(&app, &visit.caller, &incoming).await?;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, answer.body).into_response();
    for (name, value) in answer.headers {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

/// `GET` and `POST /userinfo`
pub(crate) async fn userinfo(
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let authorization = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    Ok(match gate::userinfo(&app, authorization).await? {
        Ok(body) => {
            let headers = [
                (CONTENT_TYPE, "application/json"),
                (CACHE_CONTROL, "no-store"),
            ];
            (headers, body).into_response()
        }
        Err(fault) => {
            let status =
                StatusCode::from_u16(fault.row().status).unwrap_or(StatusCode::UNAUTHORIZED);
            (status, [(WWW_AUTHENTICATE, fault.www_authenticate())]).into_response()
        }
    })
}

/// `GET /.well-known/openid-configuration`
pub(crate) async fn discovery(State(app): State<App>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, app.discovery.clone()).into_response()
}

/// `GET /jwks`
pub(crate) async fn jwks(State(app): State<App>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/jwk-set+json"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    (headers, app.catalogue.load().jwks.clone()).into_response()
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
    if app.world.now() < ticket.until
        && let Some((session, person)) = own_session(&app, &visit).await?
    {
        sign_out(&app, &mut visit, &session, &person).await?;
    }
    signed_out(
        &app,
        &visit,
        ticket.application.as_deref(),
        ticket.then.as_deref(),
    )
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
        return signed_out(app, &visit, application, then);
    };
    if !request.must_ask(&person.id.to_string(), &gate::sid(&session.key)) {
        sign_out(app, &mut visit, &session, &person).await?;
        return signed_out(app, &visit, application, then);
    }
    let until = now.plus(SIGN_OUT_S);
    let ticket = SignOut {
        application: request.client_id.clone(),
        then: request.return_to.clone(),
        until,
    };
    let page = LogoutConfirm {
        action: "/logout".to_owned(),
        ticket: ticket::seal(&app.keys, Purpose::Csrf, KIND, &ticket),
        application: application
            .and_then(find)
            .map(|client| name_of(client, visit.language)),
    };
    show::page(app, &visit, StatusCode::OK, &page)
}

async fn sign_out(
    app: &App,
    visit: &mut Visit,
    session: &SessionRecord,
    person: &Person,
) -> Result<(), Failure> {
    end(app, visit, person, &EndSessions::One(session.key)).await?;
    visit.cookies.extend(app.jar.delete(Name::Session));
    Ok(())
}

fn signed_out(
    app: &App,
    visit: &Visit,
    application: Option<&str>,
    then: Option<&str>,
) -> Result<Response, Failure> {
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
