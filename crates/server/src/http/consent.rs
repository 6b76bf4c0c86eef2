//! What an application of others may know about somebody: asked in words before it is told anything,
//! remembered, and taken back on the account page.

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State},
    response::Response,
};
use http::StatusCode;
use journey::{Person, Timestamp, login::Enough};
use serde::{Deserialize, Serialize};
use store::{Consent, SessionRecord, seal::Purpose};
use wire::oauth::{
    authorize::{Authorize, Fault},
    client::{Client, Kind},
    scope::{Scope, ScopeName},
};

use super::{
    account::name_of,
    form::{self, Form},
    login::{own_session, who_asked},
    oidc::bad_request,
    reply, show,
    visit::Visit,
};
use crate::{
    app::App,
    failure::Failure,
    gate,
    page::{self, Reason, Released},
    ticket,
};

/// How long the question may lie open, in seconds.
const ASKED_S: i64 = 600;
/// The domain of consent tickets.
const KIND: &str = "consent";

/// A request that only lacks a yes. It was verified, and the session is enough for it.
#[derive(Deserialize, Serialize)]
struct Asked {
    authorize: Authorize,
    session: [u8; 32],
    until: Timestamp,
}

/// Whether somebody may have to be asked. About applications of the school system they are only if the
/// application wants it.
pub(super) fn may_ask(client: &Client, authorize: &Authorize) -> bool {
    !client.trusted || authorize.prompt.consent
}

/// Where somebody is asked; who has said yes before only passes by.
pub(super) fn way(app: &App, authorize: &Authorize, session: &[u8; 32]) -> String {
    let asked = Asked {
        authorize: Authorize {
            id_token_hint: None,
            ..authorize.clone()
        },
        session: *session,
        until: app.world.now().plus(ASKED_S),
    };
    let sealed = ticket::seal(&app.keys, Purpose::Csrf, KIND, &asked);
    format!("/consent?ticket={sealed}")
}

/// Where somebody goes whom nothing may be asked: they said yes before, or the application hears that
/// they did not.
pub(super) async fn silent_way(
    app: &App,
    client: &Client,
    authorize: &Authorize,
    (session, person): (&SessionRecord, &Person),
) -> Result<String, Failure> {
    Ok(match has_said_yes(app, client, authorize, person).await? {
        true => granted(app, authorize, (session, person)),
        false => reply::way(app, authorize.refused(Fault::ConsentRequired, &app.issuer)),
    })
}

/// The way to the application, with a code.
fn granted(
    app: &App,
    authorize: &Authorize,
    (session, person): (&SessionRecord, &Person),
) -> String {
    let code = gate::code(app, authorize, person.id, &session.proof, &session.key);
    reply::granted(app, authorize, &code, &session.key)
}

/// `GET /consent`
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let sealed = form::own(&query, "ticket");
    let Some((authorize, session, person)) = open(&app, &visit, sealed).await? else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    let catalogue = app.catalogue.load_full();
    let Some(client) = catalogue.application(&authorize.client_id) else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::UnknownApplication);
    };
    if has_said_yes(&app, client, &authorize, &person).await? {
        return show::see_other(&visit, &granted(&app, &authorize, (&session, &person)));
    }
    let page = page::Consent {
        application: name_of(client, visit.language),
        released: released(&authorize.told()),
        ticket: sealed.to_owned(),
        action: "/consent".to_owned(),
        who: Some(who_asked(&app, &visit, (&person, &authorize))),
    };
    show::page(&app, &visit, StatusCode::OK, &page)
}

/// `POST /consent`: the answer.
pub(crate) async fn answer(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let Some(form) = Form::read(&body) else {
        return bad_request(&app, &visit, "the form cannot be read");
    };
    let opened = open(&app, &visit, form.text("ticket")).await?;
    let Some((authorize, session, person)) = opened else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    match form.text("action") {
        "allow" => {
            let agreed = (authorize.client_id.as_str(), &authorize.told());
            remember(&app, &visit, agreed, &person).await?;
            show::see_other(&visit, &granted(&app, &authorize, (&session, &person)))
        }
        "deny" => {
            let refused = authorize.refused(Fault::AccessDenied, &app.issuer);
            show::see_other(&visit, &reply::way(&app, refused))
        }
        _ => bad_request(&app, &visit, "unknown action"),
    }
}

/// The request, if it is asked of this session and the session is still enough for it here.
async fn open(
    app: &App,
    visit: &Visit,
    sealed: &str,
) -> Result<Option<(Authorize, SessionRecord, Person)>, Failure> {
    let asked: Option<Asked> = ticket::open(&app.keys, Purpose::Csrf, KIND, sealed);
    let asked = asked.filter(|asked| app.world.now() < asked.until);
    let (Some(asked), Some((session, person))) = (asked, own_session(app, visit).await?) else {
        return Ok(None);
    };
    let demand = gate::demand(&app.catalogue.load(), Some(&asked.authorize));
    let who = (&visit.caller, &person);
    let enough = app.enough(&session.proof, &session.place, demand, who);
    let may = asked.session == session.key && enough == Enough::Yes;
    Ok(may.then_some((asked.authorize, session, person)))
}

/// Whether there is nothing to ask. An application that cannot prove what it is has never been told
/// yes: another one may use its name.
async fn has_said_yes(
    app: &App,
    client: &Client,
    authorize: &Authorize,
    person: &Person,
) -> Result<bool, Failure> {
    if authorize.prompt.consent || client.kind != Kind::Confidential {
        return Ok(false);
    }
    Ok(gate::consented(app, client, (person.id, &authorize.told())).await?)
}

/// Writes the yes down: what was said yes to before stays so.
pub(super) async fn remember(
    app: &App,
    visit: &Visit,
    (application, scope): (&str, &Scope),
    person: &Person,
) -> Result<(), Failure> {
    let consent = agreement(app, (application, scope), person).await?;
    let by = app.by(&visit.caller, "", "consent");
    Ok(app.store.consent(&consent, &by).await?)
}

/// What somebody has agreed to once they say yes to this: what was said yes to before stays so.
pub(super) async fn agreement(
    app: &App,
    (application, scope): (&str, &Scope),
    person: &Person,
) -> Result<Consent, Failure> {
    let before = app.store.consents(person.id).await?;
    let mut before = before.into_iter();
    let before = before.find(|consent| consent.application == application);
    let before = before.map_or_else(Scope::default, |one| Scope::understood(&one.scope));
    let scope: Scope = before.iter().chain(scope.iter()).collect();
    Ok(Consent {
        application: application.to_owned(),
        at: app.world.now(),
        person: person.id,
        scope: scope.to_string(),
    })
}

/// What these scopes give away, in the order in which it is said.
pub(super) fn released(scope: &Scope) -> Vec<Released> {
    let said = |scope: ScopeName| match scope {
        ScopeName::Openid => Released::Identifier,
        ScopeName::Profile => Released::Profile,
        ScopeName::Email => Released::Mail,
        ScopeName::Phone => Released::Phone,
        ScopeName::Groups => Released::Role,
        ScopeName::OfflineAccess => Released::Offline,
    };
    scope.iter().map(said).collect()
}
