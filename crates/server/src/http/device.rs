//! `/device`: somebody types the code that a device shows, signs in as for any application, sees what asks
//! and from where, and says yes or no. Nothing is written before the code, and nobody is let in by looking.

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State},
    response::Response,
};
use form_urlencoded::parse;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use journey::{Person, login::Enough};
use store::{AskedDevice, DeviceAnswer, SessionRecord};
use wire::oauth::{client::Client, device::UserCode, scope::Scope};

use super::{
    account::{name_of, zone_name},
    consent, errand,
    form::{self, Form},
    login::own_session,
    oidc::bad_request,
    show,
    visit::Visit,
};
use crate::{
    app::{App, Caller},
    errand::{Arrival, Errand},
    failure::Failure,
    gate::device::{self, NotFound, Wanted},
    page::{Device, DeviceConfirm, DeviceDone, DeviceProblem, Reason, Who},
};

/// What is on the page with the field.
#[derive(Default)]
struct Typed {
    problem: Option<DeviceProblem>,
    renew: bool,
    user_code: String,
}

/// `GET /device`: the field, with the code in it that came with the link. Looking looks nothing up.
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let mut typed = Typed::default();
    for (name, value) in parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "user_code" => {
                let code = UserCode::parse(&value);
                typed.user_code = code.map(|code| code.to_string()).unwrap_or_default();
            }
            "renew" => typed.renew = value == "true",
            _ => {}
        }
    }
    field(&app, &visit, typed)
}

fn field(app: &App, visit: &Visit, typed: Typed) -> Result<Response, Failure> {
    let (status, wait) = match typed.problem {
        None => (StatusCode::OK, None),
        Some(DeviceProblem::Wait { seconds }) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
        Some(_) => (StatusCode::UNPROCESSABLE_ENTITY, None),
    };
    let of_others = wait.is_some() && visit.session.is_none();
    let page = Device {
        action: "/device".to_owned(),
        problem: typed.problem,
        renew: typed.renew,
        sign_in_url: of_others.then(|| "/login".to_owned()),
        user_code: typed.user_code,
    };
    let mut response = show::page(app, visit, status, &page)?;
    if let Some(seconds) = wait {
        let seconds = HeaderValue::from(seconds);
        response.headers_mut().insert(RETRY_AFTER, seconds);
    }
    Ok(response)
}

/// `POST /device`: a code was typed.
pub(crate) async fn enter(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let Some(form) = Form::read(&body) else {
        return bad_request(&app, &visit, "the form cannot be read");
    };
    let renew = form.text("renew") == "true";
    let again = |problem, user_code: String| {
        let typed = Typed {
            problem: Some(problem),
            renew,
            user_code,
        };
        field(&app, &visit, typed)
    };
    // Not a code at all: it costs no try, and is not shown again.
    let Some(code) = UserCode::parse(form.text("user_code")) else {
        return again(DeviceProblem::Malformed, String::new());
    };
    let session = own_session(&app, &visit).await?;
    let person = session.map(|(_, person)| person.id);
    let problem = match device::find(&app, &visit.caller, (&code, person)).await? {
        Ok(asked) => {
            let wanted = Wanted {
                application: asked.application,
                arrival: Arrival {
                    at: app.world.now(),
                    session: visit.session,
                },
                renew,
                strong: false,
                user_code: asked.user_code,
            };
            return errand::go(&app, &visit, Errand::Device(wanted), false).await;
        }
        Err(NotFound::Unknown) => DeviceProblem::Unknown,
        Err(NotFound::Wait(seconds)) => DeviceProblem::Wait { seconds },
    };
    again(problem, code.to_string())
}

/// What there is to ask of somebody.
enum Opened {
    /// Whether the device is let in; or what was answered.
    Asked(Box<Asked>),
    /// Nothing any more.
    Over,
    /// A second factor first: the device is where a password is not enough.
    TooWeak(Wanted),
}

/// A device, and who is asked.
struct Asked {
    client: Client,
    device: AskedDevice,
    person: Person,
    session: SessionRecord,
    wanted: Wanted,
}

/// The question behind a ticket: asked of this session, which must be enough for the application both where
/// this browser is and where the device is.
async fn open(app: &App, visit: &Visit, sealed: &str) -> Result<Opened, Failure> {
    let (question, session) = (
        device::question(app, sealed),
        own_session(app, visit).await?,
    );
    let (Some(question), Some((session, person))) = (question, session) else {
        return Ok(Opened::Over);
    };
    let wanted = question.wanted;
    let catalogue = app.catalogue.load_full();
    let client = wanted.application(&catalogue);
    let found = app.store.asked_device(&wanted.user_code, app.world.now());
    let found = found.await?;
    let found = found.filter(|found| found.application == wanted.application);
    let (Some(client), Some(device), true) = (client, found, question.session == session.key)
    else {
        return Ok(Opened::Over);
    };
    let demand = wanted.demand(&catalogue);
    let there = Caller {
        place: device::place(&catalogue, &device),
        ..visit.caller.clone()
    };
    let enough = |caller| {
        let who = (caller, &person);
        app.enough(&session.proof, &session.place, demand, who) == Enough::Yes
    };
    if !enough(&visit.caller) {
        return Ok(Opened::Over);
    }
    if !enough(&there) {
        return Ok(Opened::TooWeak(Wanted {
            strong: true,
            ..wanted
        }));
    }
    Ok(Opened::Asked(Box::new(Asked {
        client: client.clone(),
        device,
        person,
        session,
        wanted,
    })))
}

/// `GET /device/confirm`: which application asks, and from where; or what was answered.
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let sealed = form::own(&query, "ticket");
    match open(&app, &visit, sealed).await? {
        Opened::Asked(asked) => match asked.device.allowed {
            Some(allowed) => done(&app, &visit, &asked, allowed),
            None => question(&app, &visit, &asked, sealed),
        },
        Opened::Over => show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate),
        Opened::TooWeak(wanted) => errand::go(&app, &visit, Errand::Device(wanted), false).await,
    }
}

fn question(app: &App, visit: &Visit, asked: &Asked, sealed: &str) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load();
    let place = device::place(&catalogue, &asked.device);
    let code = UserCode::parse(&asked.device.user_code);
    // [RFC 8628 §3.3.1] "The server SHOULD display the "user_code" to the user and ask them to verify that it matches the "user_code" being displayed on the device to confirm they are authorizing the correct device."
    let page = DeviceConfirm {
        action: "/device/confirm".to_owned(),
        address: asked.device.address.clone(),
        application: name_of(&asked.client, visit.language),
        asked: asked.device.asked,
        place: zone_name(&catalogue, &place, visit.language),
        released: match asked.client.trusted {
            true => Vec::new(),
            false => consent::released(&Scope::understood(&asked.device.scope)),
        },
        ticket: sealed.to_owned(),
        user_code: code.map(|code| code.to_string()).unwrap_or_default(),
        who: Some(Who {
            username: asked.person.username.clone(),
            not_me_url: asked.wanted.again(true),
        }),
    };
    show::page(app, visit, StatusCode::OK, &page)
}

fn done(app: &App, visit: &Visit, asked: &Asked, allowed: bool) -> Result<Response, Failure> {
    let page = DeviceDone {
        allowed,
        application: name_of(&asked.client, visit.language),
    };
    show::page(app, visit, StatusCode::OK, &page)
}

/// `POST /device/confirm`: the answer.
pub(crate) async fn answer(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let Some(form) = Form::read(&body) else {
        return bad_request(&app, &visit, "the form cannot be read");
    };
    let sealed = form.text("ticket");
    let asked = match open(&app, &visit, sealed).await? {
        Opened::Asked(asked) => asked,
        Opened::Over => {
            return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
        }
        Opened::TooWeak(wanted) => {
            return errand::go(&app, &visit, Errand::Device(wanted), false).await;
        }
    };
    let allowed = match form.text("action") {
        "allow" => true,
        "deny" => false,
        _ => return bad_request(&app, &visit, "unknown action"),
    };
    let agreed = match allowed && !asked.client.trusted {
        false => None,
        true => {
            let scope = Scope::understood(&asked.device.scope);
            let agreed = (asked.client.id.as_str(), &scope);
            Some(consent::agreement(&app, agreed, &asked.person).await?)
        }
    };
    let answer = DeviceAnswer {
        agreed,
        allowed,
        application: asked.client.id.clone(),
        person: asked.person.id,
        session: asked.session.key,
        user_code: asked.device.user_code.clone(),
    };
    let by = app.by(&visit.caller, "", "device");
    if app.store.answer_device(&answer, &by).await? {
        match allowed {
            true => app.metrics.devices_allowed.inc(),
            false => app.metrics.devices_refused.inc(),
        };
    }
    // The page there says what was answered, whichever of two tabs was first.
    show::see_other(&visit, &format!("/device/confirm?ticket={sealed}"))
}
