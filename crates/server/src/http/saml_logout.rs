//! SAML single logout: an application ends the session here, and the person sees what is left open.
//!
//! Which applications a browser was let into stands in a sealed cookie. Nobody is sent through them by
//! force: a chain breaks where one does not answer, and then nobody would know. The page names each,
//! with a button that signs out there, and says what came back.

use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    response::Response,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use journey::{Person, PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use store::{EndSessions, SessionRecord, seal::Purpose};
use wire::saml::{
    Fault, Idp, LogoutRequest, LogoutResponse, NameId, NameIdFormat, Outgoing, Received, Status,
    application::Known,
    binding::{Binding, Kind},
    logout::Making,
    request::Expected,
};

use super::{
    ending::{self, Hearers},
    form, frames,
    login::own_session,
    saml::{Message, name_in, page, posted, spent},
    show,
    visit::Visit,
};
use crate::{
    app::App,
    catalogue::Catalogue,
    cookie::Name,
    failure::Failure,
    gate::saml::{Wanted, known},
    page::{Leave, LeaveRow, LeaveState, LoggedOut, Reason},
    ticket,
    world::Draw,
};

/// The domain of the cookie and of what travels between two steps.
const KIND: &str = "saml logout";
/// More applications than these are not remembered.
const APPLICATIONS_MAX: usize = 8;
/// Where the application that asked is answered, whatever is left open.
const ANSWER: &str = "/saml/leave?back=1";
/// How long a browser may take from a message to the next step, in seconds.
const SAID_S: i64 = 60;

/// The applications that a browser was let into.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Entered {
    /// Whose.
    person: String,
    applications: Vec<One>,
    /// The application that asked, and waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Asked>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct One {
    /// The registered id.
    id: String,
    /// The session it knows, as the store knew it: two digits a byte. A step-up begins another.
    session: String,
    /// By what kind of name it knows the person.
    format: NameIdFormat,
    /// It was let in as one that hears of the end from here.
    #[serde(default)]
    hears: bool,
    state: LeaveState,
    /// The identifier of our last request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<String>,
}

/// A verified request of an application to end a session.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Asked {
    id: String,
    issuer: String,
    name: String,
    sessions: Vec<String>,
    relay_state: Option<String>,
    by_post: bool,
}

/// What an application said, on the way to the next step.
#[derive(Debug, Deserialize, Serialize)]
struct Said {
    brought: Brought,
    until: Timestamp,
}

/// What a step brings to the next one.
#[derive(Debug, Deserialize, Serialize)]
enum Brought {
    Request(Asked),
    Answer {
        issuer: String,
        to: String,
        success: bool,
    },
}

/// The cookie with one more application in it.
pub(super) fn remembered(
    app: &App,
    headers: &HeaderMap,
    wanted: &Wanted,
    ((session, person), known): ((&SessionRecord, &Person), &Known),
) -> Option<HeaderValue> {
    let catalogue = app.catalogue.load();
    let registered = wanted.registered(&catalogue)?;
    let whose = person.id.to_string();
    let before = entered(app, headers).filter(|before| before.person == whose);
    let mut entered = before.unwrap_or_else(|| Entered {
        person: whose,
        applications: Vec::new(),
        origin: None,
    });
    let id = registered.application.id.clone();
    // Whoever signs in again begins anew: nobody waits for an answer, and what was left is left.
    entered.origin = None;
    entered
        .applications
        .retain(|one| one.id != id && one.state != LeaveState::Out);
    let over = (entered.applications.len() + 1).saturating_sub(APPLICATIONS_MAX);
    entered.applications.drain(..over);
    entered.applications.push(One {
        id,
        session: crate::gate::sid(&session.key),
        format: known.name_id.format,
        hears: registered.application.hears(known.name_id.format),
        state: LeaveState::Open,
        asked: None,
    });
    cookie(app, &entered)
}

fn cookie(app: &App, entered: &Entered) -> Option<HeaderValue> {
    let sealed = ticket::seal(&app.keys, Purpose::SignInTicket, KIND, entered);
    app.jar.set(Name::Saml, &sealed)
}

fn entered(app: &App, headers: &HeaderMap) -> Option<Entered> {
    let sealed = app.jar.read(headers, Name::Saml)?;
    ticket::open(&app.keys, Purpose::SignInTicket, KIND, &sealed)
}

/// What a browser has to leave for itself: applications that hear of the end from here are none of it. One that
/// was registered for that after it was entered is told nothing of this session, nor is one that is no longer.
fn to_leave(app: &App, mut entered: Entered) -> Entered {
    let catalogue = app.catalogue.load();
    let hears = |one: &One| {
        let known = catalogue.saml.application(&one.id);
        one.hears && known.is_some_and(|known| known.application.hears(one.format))
    };
    entered.applications.retain(|one| !hears(one));
    entered
}

/// Whose applications a browser remembers.
pub(super) fn whose(app: &App, headers: &HeaderMap) -> Option<PersonId> {
    entered(app, headers)?.person.parse().ok()
}

/// `GET /saml/slo`, `POST /saml/slo`: a message is verified and used up; the person goes on with cookies
/// that count.
pub(crate) async fn slo(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Message(received): Message,
) -> Result<Response, Failure> {
    let (app, visit) = (&app, &visit);
    let brought = match received.and_then(|received| read(app, &received)) {
        Ok(brought) => brought,
        Err(fault) => return page(app, visit, fault),
    };
    let (issuer, id) = match &brought {
        Brought::Request(asked) => (&asked.issuer, &asked.id),
        Brought::Answer { issuer, to, .. } => (issuer, to),
    };
    if !spent(app, (issuer, Some(id)), 0).await? {
        return page(app, visit, Fault::Replayed);
    }
    let said = Said {
        brought,
        until: app.world.now().plus(SAID_S),
    };
    let sealed = ticket::seal(&app.keys, Purpose::Csrf, KIND, &said);
    show::see_other(visit, &format!("/saml/logout?said={sealed}"))
}

fn read(app: &App, received: &Received) -> Result<Brought, Fault> {
    let catalogue = app.catalogue.load_full();
    let here = Idp::of(&app.issuer).slo;
    let expected = Expected {
        here: &here,
        now: app.world.now().0,
    };
    let find = |id: &str| {
        catalogue
            .saml
            .entity(id)
            .map(|known| known.provider.party())
    };
    match received.kind {
        Kind::Request => {
            let request = LogoutRequest::read(received, expected, find)?;
            Ok(Brought::Request(Asked {
                id: request.id,
                issuer: request.issuer,
                name: request.name_id.value,
                sessions: request.session_indexes,
                relay_state: request.relay_state,
                by_post: request.binding == Binding::Post,
            }))
        }
        Kind::Response => {
            let answer = LogoutResponse::read(received, expected, find)?;
            Ok(Brought::Answer {
                issuer: answer.issuer,
                to: answer.in_response_to,
                success: answer.success,
            })
        }
    }
}

/// `GET /saml/logout`: what an application said, now with the cookies of the browser.
pub(crate) async fn logout(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let sealed = form::own(&query, "said");
    let said: Option<Said> = ticket::open(&app.keys, Purpose::Csrf, KIND, sealed);
    let said = said.filter(|said| app.world.now() < said.until);
    match said.map(|said| said.brought) {
        None => show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate),
        Some(Brought::Request(asked)) => leaves(&app, visit, &headers, asked).await,
        Some(Brought::Answer {
            issuer,
            to,
            success,
        }) => answered(&app, visit, &headers, (&issuer, &to, success)),
    }
}

/// An application asks to end the session of this browser, if it knows it by its right names.
async fn leaves(
    app: &App,
    mut visit: Visit,
    headers: &HeaderMap,
    asked: Asked,
) -> Result<Response, Failure> {
    let before = entered(app, headers);
    let asker = asker(app, &asked);
    let is_other = |one: &One| Some(&one.id) != asker.as_ref();
    let Some((session, person)) = own_session(app, &visit).await? else {
        return leaves_late(app, visit, &asked, before).await;
    };
    let whose = person.id.to_string();
    let mut entered = match before.filter(|before| before.person == whose) {
        Some(entered) if is_theirs(app, &entered, &asked, &person) => entered,
        _ => {
            let unknown = Fault::SessionUnknown.row().status;
            return tell(
                app,
                &visit,
                &asked,
                unknown.unwrap_or(Status::PARTIAL_LOGOUT),
            );
        }
    };
    let which = EndSessions::One(session.key);
    let hearers = ending::end(app, &mut visit, (&which, &person)).await?;
    entered.applications.retain(is_other);
    let mut entered = to_leave(app, entered);
    if entered.applications.is_empty() && hearers.is_empty() {
        visit.cookies.extend(app.jar.delete(Name::Saml));
        return tell(app, &visit, &asked, Status::SUCCESS);
    }
    entered.origin = Some(asked);
    visit.cookies.extend(cookie(app, &entered));
    // The frames first: behind them waits whoever is left, and the answer to who asked.
    let way = frames::way(app, &visit, &hearers, (None, Some("/saml/leave")));
    show::see_other(&visit, way.as_deref().unwrap_or("/saml/leave"))
}

/// Nobody is signed in here any more, which is what was asked for. A sign-out told all applications that hear;
/// the limits of a session tell nobody, so they are told now.
async fn leaves_late(
    app: &App,
    mut visit: Visit,
    asked: &Asked,
    before: Option<Entered>,
) -> Result<Response, Failure> {
    let Some(mut entered) = before else {
        return tell(app, &visit, asked, Status::SUCCESS);
    };
    let account = match entered.person.parse::<PersonId>() {
        Ok(person) => app.store.person(person).await?,
        Err(_) => None,
    };
    let mut hearers = Hearers::default();
    if account.is_some_and(|account| is_theirs(app, &entered, asked, &account.person)) {
        hearers = ending::end_late(app, &mut visit).await?;
        entered = to_leave(app, entered);
    }
    let asker = asker(app, asked);
    entered
        .applications
        .retain(|one| Some(&one.id) != asker.as_ref() && one.state != LeaveState::Out);
    let status = match entered.applications.is_empty() {
        true => Status::SUCCESS,
        false => Status::PARTIAL_LOGOUT,
    };
    // The answer waits behind the frames, as it does when the session still lives.
    entered.origin = Some(asked.clone());
    match frames::way(app, &visit, &hearers, (None, Some(ANSWER))) {
        None => tell(app, &visit, asked, status),
        Some(way) => {
            visit.cookies.extend(cookie(app, &entered));
            show::see_other(&visit, &way)
        }
    }
}

/// The application that asks.
fn asker(app: &App, asked: &Asked) -> Option<String> {
    let catalogue = app.catalogue.load();
    let known = catalogue.saml.entity(&asked.issuer)?;
    Some(known.application.id.clone())
}

impl One {
    /// The key of the session it knows.
    fn key(&self) -> Option<[u8; 32]> {
        let decoded = data_encoding::HEXLOWER.decode(self.session.as_bytes());
        decoded.ok()?.try_into().ok()
    }
}

/// Whether an application names this person and the session that it was let in with.
fn is_theirs(app: &App, entered: &Entered, asked: &Asked, person: &Person) -> bool {
    let catalogue = app.catalogue.load();
    let Some(registered) = catalogue.saml.entity(&asked.issuer) else {
        return false;
    };
    let mut all = entered.applications.iter();
    let Some(one) = all.find(|one| one.id == registered.application.id) else {
        return false;
    };
    let known = one
        .key()
        .and_then(|key| known(app, registered, Some(one.format), (person, &key)));
    known.is_some_and(|known| {
        let index = asked.sessions.is_empty() || asked.sessions.contains(&known.session_index);
        index && known.name_id.value == asked.name
    })
}

/// Answers the application that asked.
fn tell(app: &App, visit: &Visit, asked: &Asked, status: Status) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let Some(registered) = catalogue.saml.entity(&asked.issuer) else {
        return page(app, visit, Fault::IssuerUnknown);
    };
    let request = LogoutRequest {
        id: asked.id.clone(),
        issuer: asked.issuer.clone(),
        name_id: NameId {
            format: NameIdFormat::Unspecified,
            value: String::new(),
        },
        session_indexes: Vec::new(),
        relay_state: asked.relay_state.clone(),
        binding: if asked.by_post {
            Binding::Post
        } else {
            Binding::Redirect
        },
        // Who came with the browser gets it back, even where no answer is waited for.
        asynchronous: false,
    };
    let made = making(app, &catalogue, |making| {
        request.answer(making, registered.provider.party(), status)
    })?;
    let name = name_in(&registered.application.name, visit.language);
    match made {
        Some(message) => sent(app, visit, message, name),
        // It asked and takes no answer.
        None => show::page(app, visit, StatusCode::OK, &LoggedOut { back: None }),
    }
}

fn making<T>(
    app: &App,
    catalogue: &Catalogue,
    make: impl FnOnce(&Making<'_>) -> Option<T>,
) -> Result<Option<T>, Failure> {
    let now = app.world.now();
    let credentials = catalogue.saml.credentials(&catalogue.ring, now);
    let credential = credentials.first().ok_or(Failure::Impossible(
        "a SAML message without an RSA key to sign it",
    ))?;
    Ok(make(&Making {
        speaker: &Idp::of(&app.issuer).entity_id,
        credential,
        now: now.0,
        chance: &app.world.bytes(),
    }))
}

fn sent(
    app: &App,
    visit: &Visit,
    (binding, message): (Binding, Outgoing),
    name: String,
) -> Result<Response, Failure> {
    match binding {
        Binding::Post => posted(app, visit, &message, name),
        Binding::Redirect => {
            let catalogue = app.catalogue.load();
            let credentials = catalogue.saml.credentials(&catalogue.ring, app.world.now());
            let signed = credentials
                .first()
                .and_then(|first| message.location(first));
            let location =
                signed.ok_or(Failure::Impossible("a SAML message could not be signed"))?;
            show::see_other(visit, &location)
        }
    }
}

/// An application answered our request.
fn answered(
    app: &App,
    mut visit: Visit,
    headers: &HeaderMap,
    (issuer, to, success): (&str, &str, bool),
) -> Result<Response, Failure> {
    let Some(mut entered) = entered(app, headers) else {
        return show::refused(app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    let catalogue = app.catalogue.load_full();
    let registered = catalogue.saml.entity(issuer);
    let of = |one: &&mut One| {
        let same = registered.is_some_and(|known| known.application.id == one.id);
        same && one.asked.as_deref() == Some(to)
    };
    if let Some(one) = entered.applications.iter_mut().find(of) {
        one.state = if success {
            LeaveState::Out
        } else {
            LeaveState::Failed
        };
        visit.cookies.extend(cookie(app, &entered));
    }
    show::see_other(&visit, "/saml/leave")
}

/// `GET /saml/leave`: what is still open, and what became of the rest.
pub(crate) async fn leave(
    State(app): State<App>,
    Extension(mut visit): Extension<Visit>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let left = entered(&app, &headers).map(|entered| to_leave(&app, entered));
    let left = left.filter(|left| !left.applications.is_empty() || left.origin.is_some());
    let Some(entered) = left else {
        visit.cookies.extend(app.jar.delete(Name::Saml));
        let page = LoggedOut { back: None };
        return show::page(&app, &visit, StatusCode::OK, &page);
    };
    // Whoever signed in again since has nothing to leave.
    if own_session(&app, &visit).await?.is_some() {
        return show::see_other(&visit, "/account");
    }
    let all_out = entered
        .applications
        .iter()
        .all(|one| one.state == LeaveState::Out);
    let back = query
        .as_deref()
        .is_some_and(|query| query.split('&').any(|pair| pair == "back=1"));
    if let Some(asked) = entered.origin.as_ref().filter(|_| back || all_out) {
        visit.cookies.extend(app.jar.delete(Name::Saml));
        let status = if all_out {
            Status::SUCCESS
        } else {
            Status::PARTIAL_LOGOUT
        };
        return tell(&app, &visit, asked, status);
    }
    let catalogue = app.catalogue.load_full();
    let row = |one: &One| {
        let registered = catalogue.saml.application(&one.id)?;
        Some(LeaveRow {
            name: name_in(&registered.application.name, visit.language),
            state: one.state,
            url: registered
                .provider
                .logout()
                .map(|_| format!("/saml/leave/{}", one.id)),
        })
    };
    let page = Leave {
        rows: entered.applications.iter().filter_map(row).collect(),
        back: entered.origin.as_ref().map(|_| ANSWER.to_owned()),
    };
    show::page(&app, &visit, StatusCode::OK, &page)
}

/// `GET /saml/leave/{id}`: signs out of one application.
pub(crate) async fn leave_one(
    State(app): State<App>,
    Extension(mut visit): Extension<Visit>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let Some(mut entered) = entered(&app, &headers) else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    // Whoever signed in again since has nothing to leave.
    if own_session(&app, &visit).await?.is_some() {
        return show::see_other(&visit, "/account");
    }
    let catalogue = app.catalogue.load_full();
    let account = match entered.person.parse::<PersonId>() {
        Ok(person) => app.store.person(person).await?,
        Err(_) => None,
    };
    let registered = catalogue.saml.application(&id);
    let one = entered.applications.iter_mut().find(|one| one.id == id);
    let session = one.as_ref().and_then(|one| one.key());
    let (Some(account), Some(session), Some(registered), Some(one)) =
        (account, session, registered, one)
    else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    let known = known(
        &app,
        registered,
        Some(one.format),
        (&account.person, &session),
    );
    let made = making(&app, &catalogue, |making| {
        let known = known?;
        let message = making.request(
            registered.provider.party(),
            &known.name_id,
            &known.session_index,
        )?;
        Some((message, making.id()))
    })?;
    let Some((message, asked)) = made else {
        return show::see_other(&visit, "/saml/leave");
    };
    // Written before the browser leaves: if nothing comes back, the page says so.
    (one.state, one.asked) = (LeaveState::NoAnswer, Some(asked));
    let name = name_in(&registered.application.name, visit.language);
    visit.cookies.extend(cookie(&app, &entered));
    sent(&app, &visit, message, name)
}
