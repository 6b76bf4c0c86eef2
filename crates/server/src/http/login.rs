//! Sign-in: the page, the password, and the pages of the journey behind it. A page is a function of
//! the state, so that "back", reload and a second tab need no code of their own.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use data_encoding::BASE64URL_NOPAD;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use journey::{Assurance, JourneyId, Person, PersonId, Refusal, Secret, login::Login};
use store::{Journey, JourneyState, SessionRecord, TakeOver, seal::Purpose};
use wire::oauth::authorize::{Authorize, Fault, Prompt};

use super::{
    account::name_of, consent, ending, form::Form, frames, reply, show, visit::Visit, watch,
};
use crate::{
    app::{App, Code, Entered, Found, Input, Moved, refusal},
    cookie::{Name, sha256},
    failure::Failure,
    gate,
    page::{Link, Proceed, ProceedWhy, Reason, Refused, SignIn, SignInProblem, Who},
    password::Password,
    ticket::{self, Purposed},
    world::Draw,
};

mod recovery;
mod state;

/// The domain of sign-in tickets.
const KIND: &str = "sign-in";

/// `GET /login`: one's own account, with no application behind it.
pub(crate) async fn start(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    sign_in_page(&app, &visit, Purposed::default(), Said::default())
}

/// What the sign-in page already knows.
#[derive(Default)]
pub(super) struct Said {
    pub(super) problem: Option<SignInProblem>,
    pub(super) username: String,
}

/// The sign-in page for a purpose: nothing is written, the ticket carries it.
pub(super) fn sign_in_page(
    app: &App,
    visit: &Visit,
    purpose: Purposed,
    said: Said,
) -> Result<Response, Failure> {
    let ticket = new_ticket(app, visit, purpose);
    shown(app, visit, &ticket, said)
}

/// What the sign-in page for a purpose would carry.
pub(super) fn new_ticket(app: &App, visit: &Visit, purpose: Purposed) -> ticket::SignIn {
    let demand = demand(app, &purpose);
    ticket::SignIn {
        browser: visit.caller.browser.unwrap_or_default(),
        purpose,
        state: Login::begin(demand, &visit.caller.place, app.world.now()),
        support: app.world.support_code(),
    }
}

fn shown(
    app: &App,
    visit: &Visit,
    ticket: &ticket::SignIn,
    said: Said,
) -> Result<Response, Failure> {
    let application = application_of(app, visit, &ticket.purpose);
    let status = match said.problem {
        None => StatusCode::OK,
        Some(SignInProblem::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(SignInProblem::Busy { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = SignIn {
        application: application.map(|link| link.name),
        ticket: ticket::seal(&app.keys, Purpose::SignInTicket, KIND, ticket),
        action: "/login".to_owned(),
        username: said.username,
        problem: said.problem,
        place: visit.place_name.clone(),
        resumed: ticket.purpose.elsewhere,
        activation_url: Some("/activate".to_owned()),
    };
    let mut response = show::page(app, visit, status, &page)?;
    if let Some(SignInProblem::Wait { seconds } | SignInProblem::Busy { seconds }) = said.problem {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// "You are signed in; one more thing": a click before anything is sent or given away.
pub(super) fn proceed_page(
    app: &App,
    visit: &Visit,
    purpose: Purposed,
    (why, person): (ProceedWhy, &Person),
) -> Result<Response, Failure> {
    let ticket = new_ticket(app, visit, purpose);
    let page = Proceed {
        why,
        application: application_of(app, visit, &ticket.purpose).map(|link| link.name),
        ticket: ticket::seal(&app.keys, Purpose::SignInTicket, KIND, &ticket),
        action: "/login".to_owned(),
        who: Some(who(app, visit, (person, &ticket.purpose))),
        place: visit.place_name.clone(),
    };
    show::page(app, visit, StatusCode::OK, &page)
}

/// `POST /login`
pub(crate) async fn enter(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let Some(form) = Form::read(&body) else {
        return super::oidc::bad_request(&app, &visit, "the form cannot be read");
    };
    let ticket: Option<ticket::SignIn> =
        ticket::open(&app.keys, Purpose::SignInTicket, KIND, form.text("ticket"));
    let Some(ticket) = ticket else {
        return show::refused(&app, &visit, StatusCode::BAD_REQUEST, Reason::TooLate);
    };
    if Some(ticket.browser) != visit.caller.browser {
        return show::refused(&app, &visit, StatusCode::FORBIDDEN, Reason::OtherBrowser);
    }
    let username = form.text("username").to_owned();
    let again = |problem| Said {
        problem: Some(problem),
        username: username.clone(),
    };
    if ticket
        .state
        .until()
        .is_none_or(|until| app.world.now() >= until)
    {
        let problem = SignInProblem::SessionExpired;
        return sign_in_page(&app, &visit, ticket.purpose, again(problem));
    }
    if form.text("action") == "continue" {
        return go_on(&app, &visit, ticket).await;
    }
    let Ok(password) = Password::parse(form.text("password").to_owned()) else {
        return shown(
            &app,
            &visit,
            &ticket,
            again(SignInProblem::WrongNameOrPassword),
        );
    };
    let kept = ticket.clone();
    match app
        .enter(&visit.caller, ticket, form.text("username"), password)
        .await?
    {
        Entered::Busy(busy) => {
            let seconds = u64::from(busy.retry_after_s);
            shown(&app, &visit, &kept, again(SignInProblem::Busy { seconds }))
        }
        Entered::No => shown(
            &app,
            &visit,
            &kept,
            again(SignInProblem::WrongNameOrPassword),
        ),
        Entered::Wait(seconds) => {
            let seconds = seconds.unsigned_abs();
            shown(&app, &visit, &kept, again(SignInProblem::Wait { seconds }))
        }
        Entered::Yes(moved) => arrive(&app, visit, *moved).await,
    }
}

/// The click on [`Proceed`]: an application is let in with the session as it is, or the journey goes
/// on behind the password.
async fn go_on(app: &App, visit: &Visit, ticket: ticket::SignIn) -> Result<Response, Failure> {
    let Some((session, person)) = own_session(app, visit).await? else {
        return sign_in_page(app, visit, ticket.purpose, Said::default());
    };
    // A click is no fresh sign-in: an application that asked for one gets one.
    let counts = |request| super::oidc::counts(app, request, &session, &person);
    let errand = ticket.purpose.errand.as_ref();
    let errand = errand.is_none_or(|errand| errand.counts(&session));
    if !errand || !ticket.purpose.authorize.as_ref().is_none_or(counts) {
        return sign_in_page(app, visit, ticket.purpose, Said::default());
    }
    let demand = demand(app, &ticket.purpose);
    let who = (&visit.caller, &person);
    if app.enough(&session.proof, &session.place, demand, who) == journey::login::Enough::Yes {
        let way = leave(app, &ticket.purpose, (&session, &person));
        return show::see_other(visit, &way);
    }
    match app.step_up(&visit.caller, ticket, &session).await? {
        Some(moved) => arrive(app, visit.clone(), moved).await,
        None => show::refused(app, visit, StatusCode::FORBIDDEN, Reason::Disabled),
    }
}

/// `GET /login/{id}`
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let journey = match own(&app, &visit, &id).await? {
        Ok(journey) => journey,
        Err(response) => return Ok(response),
    };
    state::page(&app, &visit, &journey, state::Problem::Last).await
}

/// `POST /login/{id}`
pub(crate) async fn act(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Response, Failure> {
    let journey = match own(&app, &visit, &id).await? {
        Ok(journey) => journey,
        Err(response) => return Ok(response),
    };
    let Some(form) = Form::read(&body) else {
        return super::oidc::bad_request(&app, &visit, "the form cannot be read");
    };
    match recovery::input(&journey, &form) {
        Some(Ok(input)) => {
            let moved = app.advance(&visit.caller, journey, input).await?;
            return arrive(&app, visit, moved).await;
        }
        Some(Err(problem)) => return state::page(&app, &visit, &journey, problem).await,
        None => {}
    }
    let input = match (
        form.text("action"),
        form.code("code"),
        form.code("next_code"),
    ) {
        ("resend", ..) => Input::Resend,
        ("resync", Some(first), Some(second)) => Input::Code(Code::Two(first, second)),
        ("resync", ..) if form.text("code").is_empty() => {
            return state::page(&app, &visit, &journey, state::Problem::AskTwo).await;
        }
        ("", Some(first), Some(second)) => Input::Code(Code::Two(first, second)),
        ("", Some(code), None) if form.text("next_code").is_empty() => Input::Code(Code::One(code)),
        // Not a code at all: it costs no try.
        _ => {
            let two = !form.text("next_code").is_empty();
            return state::page(&app, &visit, &journey, state::Problem::Malformed { two }).await;
        }
    };
    // A code by SMS and one of an app have six digits; any other number of them costs no try.
    let of_six = !matches!(
        &journey.state,
        JourneyState::Login(Login::AwaitTokenCode(_))
    );
    if of_six && matches!(&input, Input::Code(Code::One(typed)) if typed.digits().len() != 6) {
        let problem = state::Problem::Malformed { two: false };
        return state::page(&app, &visit, &journey, problem).await;
    }
    let two = matches!(input, Input::Code(Code::Two(..)));
    let moved = app.advance(&visit.caller, journey, input).await?;
    if two && let JourneyState::Login(Login::AwaitTokenCode(_)) = &moved.journey.state {
        return state::page(&app, &visit, &moved.journey, state::Problem::NotInARow).await;
    }
    arrive(&app, visit, moved).await
}

/// After a step: on to the application, or to the page of the new state.
async fn arrive(app: &App, mut visit: Visit, moved: Moved) -> Result<Response, Failure> {
    let id = moved.journey.id;
    let JourneyState::Login(state) = &moved.journey.state else {
        return Err(Failure::Impossible("a sign-in became an activation"));
    };
    if let (Login::SignedIn(signed), Some(new)) = (state, &moved.session) {
        app.metrics.sessions.inc();
        let key = store::key::of_secret(new.id.expose());
        let hearers = ending::replaced(app, &visit, &key).await?;
        watch::begins(app, &mut visit, (&key, new.id.expose()));
        // What somebody else opened with this browser is nothing that this person could leave.
        if visit.entered.is_some_and(|whose| whose != signed.person) {
            visit.cookies.extend(app.jar.delete(Name::Saml));
        }
        if let Some(device) = visit.new_device {
            visit
                .cookies
                .extend(app.jar.set_bytes(Name::Device, &device));
        }
        let purpose = purpose_of(&moved.journey);
        let way = leave_with(app, &purpose, (signed.person, &signed.proof), &key);
        let way = frames::on_the_way(app, &visit, &hearers, (&key, way));
        return show::see_other(&visit, &way);
    }
    if let Login::EnrolElsewhere(elsewhere) = state {
        let token = resume_token(app, id);
        app.store
            .offer_resume(id, &sha256(token.expose()), elsewhere.underway.until)
            .await?;
    }
    show::see_other(&visit, &format!("/login/{id}"))
}

/// Where somebody with a session goes for a purpose.
pub(super) fn leave(
    app: &App,
    purpose: &Purposed,
    (session, person): (&SessionRecord, &Person),
) -> String {
    leave_with(app, purpose, (person.id, &session.proof), &session.key)
}

fn leave_with(
    app: &App,
    purpose: &Purposed,
    (person, proof): (PersonId, &journey::Proof),
    session: &[u8; 32],
) -> String {
    if let Some(errand) = &purpose.errand {
        return match purpose.elsewhere {
            true => errand.entrance(),
            false => errand.way(app, proof, session),
        };
    }
    match &purpose.authorize {
        None => "/account".to_owned(),
        // The application in this browser knows nothing of the request: it starts its own.
        Some(authorize) if purpose.elsewhere => begin_at(app, authorize),
        // [OIDC Core §3.1.2.1] "If the End-User identified by the ID Token is logged in or is logged in by the request, then the Authorization Server returns a positive response; otherwise, it SHOULD return an error, such as login_required."
        Some(authorize) if !may_be_about(app, authorize, person) => {
            reply::way(app, authorize.refused(Fault::LoginRequired, &app.issuer))
        }
        Some(authorize) if may_be_asked(app, authorize) => consent::way(app, authorize, session),
        Some(authorize) => {
            let code = gate::code(app, authorize, person, proof, session);
            reply::granted(app, authorize, &code, session)
        }
    }
}

/// Whether the application did not expect somebody else.
fn may_be_about(app: &App, authorize: &Authorize, person: PersonId) -> bool {
    let hinted = super::oidc::hinted(app, authorize);
    let known_as = super::oidc::known_as(app, authorize, person);
    let expected = hinted.is_none_or(|hinted| hinted == known_as);
    expected && super::oidc::is_about(app, authorize, person)
}

/// Whether somebody may have to say yes first.
fn may_be_asked(app: &App, authorize: &Authorize) -> bool {
    let catalogue = app.catalogue.load();
    let client = catalogue.application(&authorize.client_id);
    client.is_none_or(|client| consent::may_ask(client, authorize))
}

/// [OIDC Core §4] The application starts a sign-in of its own, which the session lets through.
fn begin_at(app: &App, authorize: &Authorize) -> String {
    let catalogue = app.catalogue.load();
    let client = catalogue.application(&authorize.client_id);
    client
        .and_then(|client| client.entrance(&app.issuer))
        .unwrap_or_else(|| "/account".to_owned())
}

/// `GET /resume/{token}`: a page with one button; looking at it uses nothing up.
pub(crate) async fn offer_resume(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    let page = Proceed {
        why: ProceedWhy::Resume,
        application: None,
        ticket: String::new(),
        action: format!("/resume/{}", plain(&token)),
        who: None,
        place: visit.place_name.clone(),
    };
    show::page(&app, &visit, StatusCode::OK, &page)
}

/// `POST /resume/{token}`: the journey moves to this browser, once.
pub(crate) async fn resume(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(token): Path<String>,
) -> Result<Response, Failure> {
    if visit.caller.place.refuses_enrolment() {
        // Still inside: the link is not used up.
        return offer_resume(State(app), Extension(visit), Path(token)).await;
    }
    let bytes = BASE64URL_NOPAD.decode(token.as_bytes()).unwrap_or_default();
    let browser = visit.caller.browser.unwrap_or_default();
    let taken = app
        .store
        .take_over_journey(&sha256(&bytes), &browser, app.world.now())
        .await?;
    let reason = match taken {
        TakeOver::Taken(journey) => {
            let moved = app.resume(&visit.caller, *journey).await?;
            return arrive(&app, visit, moved).await;
        }
        TakeOver::Expired => Reason::ResumeExpired,
        TakeOver::Used => Reason::ResumeUsed,
        TakeOver::Unknown => Reason::ResumeExpired,
    };
    show::refused(&app, &visit, StatusCode::GONE, reason)
}

/// The secret of a resume link. Computed, so that the page can show it again.
fn resume_token(app: &App, id: JourneyId) -> Secret {
    Secret::new(app.keys.mac(Purpose::Resume, &id.0).to_vec())
}

fn plain(token: &str) -> String {
    token
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(64)
        .collect()
}

// --- What pages have in common ----------------------------------------------------------------

/// The journey of this browser, or the page that says why not.
pub(super) async fn own(
    app: &App,
    visit: &Visit,
    id: &str,
) -> Result<Result<Journey, Response>, Failure> {
    let found = match id.parse() {
        Ok(id) => app.find(&visit.caller, id).await?,
        Err(_) => Found::Gone,
    };
    Ok(match found {
        Found::Yours(journey) => Ok(*journey),
        Found::Gone => Err(show::refused(
            app,
            visit,
            StatusCode::GONE,
            Reason::TooLate,
        )?),
        Found::OtherBrowser => Err(show::refused(
            app,
            visit,
            StatusCode::FORBIDDEN,
            Reason::OtherBrowser,
        )?),
    })
}

/// The session of this browser and whose it is.
pub(super) async fn own_session(
    app: &App,
    visit: &Visit,
) -> Result<Option<(SessionRecord, Person)>, Failure> {
    app.session(visit.session).await
}

fn purpose_of(journey: &Journey) -> Purposed {
    serde_json::from_str(&journey.purpose).unwrap_or_default()
}

/// The application a person came from, in their language.
fn application_of(app: &App, visit: &Visit, purpose: &Purposed) -> Option<Link> {
    let catalogue = app.catalogue.load();
    if let Some(errand) = &purpose.errand {
        return errand.application(&catalogue, visit.language);
    }
    let client = catalogue.application(&purpose.authorize.as_ref()?.client_id)?;
    let url = client.home.clone().unwrap_or_else(|| "/".to_owned());
    Some(Link {
        name: name_of(client, visit.language),
        url,
    })
}

/// What must be proven for a purpose.
fn demand(app: &App, purpose: &Purposed) -> Assurance {
    let catalogue = app.catalogue.load();
    match &purpose.errand {
        Some(errand) => errand.demand(&catalogue),
        None => gate::demand(&catalogue, purpose.authorize.as_ref()),
    }
}

/// Where the same request begins again.
fn again(app: &App, visit: &Visit, purpose: &Purposed) -> String {
    if let Some(errand) = &purpose.errand {
        return errand.again(app, false);
    }
    match &purpose.authorize {
        None => "/login".to_owned(),
        Some(authorize) => super::oidc::again_at(app, visit, authorize),
    }
}

fn who(app: &App, visit: &Visit, (person, purpose): (&Person, &Purposed)) -> Who {
    let errand = purpose
        .errand
        .as_ref()
        .map(|errand| errand.again(app, true));
    let again = match (errand, &purpose.authorize) {
        (Some(again), _) => again,
        (None, None) => "/login".to_owned(),
        (None, Some(authorize)) => fresh_request(app, visit, authorize),
    };
    Who {
        username: person.username.clone(),
        not_me_url: again,
    }
}

/// Whose session it is, for somebody else who is asked something here.
pub(super) fn who_asked(
    app: &App,
    visit: &Visit,
    (person, authorize): (&Person, &Authorize),
) -> Who {
    Who {
        username: person.username.clone(),
        not_me_url: fresh_request(app, visit, authorize),
    }
}

/// The same request for somebody else, who signs in first.
fn fresh_request(app: &App, visit: &Visit, authorize: &Authorize) -> String {
    let fresh = Authorize {
        prompt: Prompt {
            login: true,
            none: false,
            ..authorize.prompt
        },
        // It names who is here now.
        id_token_hint: None,
        ..authorize.clone()
    };
    super::oidc::again_at(app, visit, &fresh)
}

/// A journey's refusal as a page.
fn refused_page(app: &App, visit: &Visit, journey: &Journey, refusal: Refusal) -> Refused {
    let purpose = purpose_of(journey);
    let mut application = application_of(app, visit, &purpose);
    let name = application
        .as_ref()
        .map(|link| link.name.clone())
        .unwrap_or_default();
    // [OIDC Core §5.5.1.1] "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that outcome as a failed authentication attempt."
    let insists = |authorize: &&Authorize| authorize.claims.acr.is_some();
    if let (Refusal::TooWeak | Refusal::NoBinding, Some(authorize), Some(back)) = (
        refusal,
        purpose.authorize.as_ref().filter(insists),
        &mut application,
    ) {
        let unmet = Fault::UnmetAuthenticationRequirements;
        back.url = reply::way(app, authorize.refused(unmet, &app.issuer));
    }
    let reason = match refusal {
        Refusal::Disabled => Reason::Disabled,
        Refusal::NoBinding => Reason::NoBinding,
        Refusal::TooLate => Reason::TooLate,
        Refusal::TooManyMessages => Reason::TooManyMessages { until: None },
        Refusal::TooManyTries => Reason::TooManyTries { until: None },
        Refusal::TooWeak => Reason::TooWeak { application: name },
    };
    Refused {
        reason,
        support_code: Some(journey.support.clone()),
        again: Some(again(app, visit, &purpose)),
        back: application,
    }
}
