//! Activation: from the code in the message to a password, a number and a method.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use journey::{
    ActivationId, Method, NameKey, Person, PersonId, Phone, Secret,
    activation::{Activation, Closed},
    limit,
};
use store::{Journey, JourneyState, LaneKey};

use super::{account::name_of, form::Form, login::own, show, visit::Visit};
use crate::{
    activation_code,
    app::{ActivationInput, App},
    cookie::sha256,
    failure::Failure,
    page::{
        ActivationData, ActivationDone, ActivationPassword, ActivationPhoneMethod, ActivationStart,
        ActivationToken, Link, PhoneMethodProblem, Reason, Refused, StartProblem, Step,
        TokenProblem,
    },
    password::Password,
};

/// How many steps the activation has.
const STEPS: u8 = 4;

/// `GET /activate`
pub(crate) async fn start(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    start_page(&app, &visit, (String::new(), String::new()), None)
}

fn start_page(
    app: &App,
    visit: &Visit,
    (username, activation_code): (String, String),
    problem: Option<StartProblem>,
) -> Result<Response, Failure> {
    let status = match problem {
        None => StatusCode::OK,
        Some(StartProblem::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = ActivationStart {
        action: "/activate".to_owned(),
        username,
        activation_code,
        problem,
        step: Some(Step { at: 1, of: STEPS }),
    };
    show::page(app, visit, status, &page)
}

/// `POST /activate`: user name and activation code.
pub(crate) async fn begin(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let Some(form) = Form::read(&body) else {
        return super::oidc::bad_request(&app, &visit, "the form cannot be read");
    };
    let typed = (
        form.text("username").to_owned(),
        form.text("activation_code").to_owned(),
    );
    let opened = match open(&app, &visit, &typed).await? {
        Ok(opened) => opened,
        Err(problem) => return start_page(&app, &visit, typed, Some(problem)),
    };
    let browser = visit.caller.browser.unwrap_or_default();
    let journey = app
        .begin_activation(&visit.caller, browser, opened.whose, opened.code)
        .await?;
    show::see_other(&visit, &format!("/activate/{}", journey.id))
}

struct Opened {
    code: Secret,
    whose: (PersonId, ActivationId),
}

/// Whether name and code belong together. *Expired* and *used* are said for a right code only.
async fn open(
    app: &App,
    visit: &Visit,
    (name, code): &(String, String),
) -> Result<Result<Opened, StartProblem>, Failure> {
    let by = app.by(&visit.caller, "", "activation");
    let key = NameKey::of(name);
    let account = match &key {
        Some(key) => app.store.person_by_name(key).await?,
        None => None,
    };
    // One budget for all names of a person, and one for each name that nobody has.
    let subject = match &account {
        Some(account) => sha256(&account.person.id.0),
        None => sha256(
            key.as_ref()
                .map(NameKey::as_str)
                .unwrap_or_default()
                .as_bytes(),
        ),
    };
    let lane = LaneKey::Activation(subject);
    if let Err(wait) = app
        .store
        .spend_try(&lane, &limit::ACTIVATION, by.at)
        .await?
    {
        return Ok(Err(StartProblem::Wait {
            seconds: wait.seconds.unsigned_abs(),
        }));
    }
    let person = account
        .as_ref()
        .map_or(PersonId([0; 16]), |account| account.person.id);
    let canonical = activation_code::canonical(code).unwrap_or_default();
    let records = app.store.activations(person).await?;
    let found = records
        .iter()
        .find(|record| activation_code::is(&app.keys, person, &canonical, &record.mac));
    let Some(record) = found.filter(|_| {
        account
            .as_ref()
            .is_some_and(|account| !account.person.disabled)
    }) else {
        app.store
            .audit(&journey::Happened::ActivationRefused, &by)
            .await?;
        return Ok(Err(StartProblem::WrongCode));
    };
    app.store.refund_try(&lane).await?;
    if record.used_at.is_some() {
        return Ok(Err(StartProblem::Used));
    }
    if by.at >= record.until {
        return Ok(Err(StartProblem::Expired {
            since: record.until,
        }));
    }
    let code = Secret::new(canonical.into_bytes());
    Ok(Ok(Opened {
        code,
        whose: (person, record.id),
    }))
}

/// `GET /activate/{id}`
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    match own(&app, &visit, &id).await? {
        Ok(journey) => page(&app, &visit, &journey, Typed::default()).await,
        Err(response) => Ok(response),
    }
}

/// `POST /activate/{id}`
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
    let input = match read(&journey, &form) {
        Ok(input) => input,
        Err(typed) => return page(&app, &visit, &journey, typed).await,
    };
    let serial = form.text("serial").to_owned();
    let moved = match app
        .advance_activation(&visit.caller, journey, input)
        .await?
    {
        Ok(moved) => moved,
        Err(busy) => return show::overloaded(&app, &visit, busy.retry_after_s),
    };
    if let JourneyState::Activation(Activation::ShowToken(_)) = &moved.state
        && !serial.is_empty()
    {
        let typed = Typed {
            serial,
            token: Some(TokenProblem::Wrong { tries_left: 0 }),
            ..Typed::default()
        };
        return page(&app, &visit, &moved, typed).await;
    }
    show::see_other(&visit, &format!("/activate/{}", moved.id))
}

/// What was typed, when it has to be shown again.
#[derive(Default)]
struct Typed {
    method: Option<Method>,
    phone: String,
    problems: Vec<PhoneMethodProblem>,
    serial: String,
    token: Option<TokenProblem>,
}

/// What a form means in the state in which the journey is.
fn read(journey: &Journey, form: &Form) -> Result<ActivationInput, Typed> {
    let JourneyState::Activation(state) = &journey.state else {
        return Err(Typed::default());
    };
    match state {
        Activation::CheckData(_) => Ok(ActivationInput::Confirm),
        Activation::ChoosePassword(_) => {
            let same = form.text("new_password") == form.text("new_password_again");
            match Password::parse(form.text("new_password").to_owned()) {
                Ok(password) => Ok(ActivationInput::Password(password, same)),
                // Nothing typed, or far too much: the shortest password says the right reasons.
                Err(_) => Password::parse(" ".to_owned())
                    .map(|password| ActivationInput::Password(password, true))
                    .map_err(|_| Typed::default()),
            }
        }
        Activation::ChooseMethod(_) => read_method(form),
        Activation::ShowToken(_) => read_token(form),
        Activation::Done(_) | Activation::Refused(_) => Ok(ActivationInput::Confirm),
    }
}

fn read_method(form: &Form) -> Result<ActivationInput, Typed> {
    let method = match form.text("method") {
        "app" => Some(Method::App),
        "sms" => Some(Method::Sms),
        "token" => Some(Method::Token),
        _ => None,
    };
    let phone = form.text("phone");
    let parsed = Phone::parse(phone);
    let mut problems = Vec::new();
    match (&parsed, phone.is_empty(), method) {
        // With a token a number is welcome and not needed.
        (_, true, Some(Method::Token)) | (Ok(_), ..) => {}
        (_, true, _) => problems.push(PhoneMethodProblem::PhoneMissing),
        (Err(error), ..) => problems.push(PhoneMethodProblem::Phone(*error)),
    }
    match method {
        Some(method) if problems.is_empty() => Ok(ActivationInput::Method(method, parsed.ok())),
        _ => {
            if method.is_none() {
                problems.push(PhoneMethodProblem::MethodMissing);
            }
            Err(Typed {
                method,
                phone: phone.to_owned(),
                problems,
                ..Typed::default()
            })
        }
    }
}

fn read_token(form: &Form) -> Result<ActivationInput, Typed> {
    match (form.text("method"), form.code("code")) {
        ("other", _) => Ok(ActivationInput::Method(Method::Sms, None)),
        (_, Some(code)) => Ok(ActivationInput::Token(form.text("serial").to_owned(), code)),
        (_, None) => Err(Typed {
            serial: form.text("serial").to_owned(),
            token: Some(TokenProblem::Malformed),
            ..Typed::default()
        }),
    }
}

/// The page of the state in which an activation is.
async fn page(
    app: &App,
    visit: &Visit,
    journey: &Journey,
    typed: Typed,
) -> Result<Response, Failure> {
    let JourneyState::Activation(state) = &journey.state else {
        return show::refused(app, visit, StatusCode::GONE, Reason::TooLate);
    };
    let person = match state {
        Activation::Done(person) => Some(*person),
        state => state.opened().map(|opened| opened.person),
    };
    let account = match person {
        Some(person) => app.store.person(person).await?,
        None => None,
    };
    let late = state
        .opened()
        .is_some_and(|opened| app.world.now() >= opened.until);
    let Some(account) = account.filter(|_| !late) else {
        return over(app, visit, journey);
    };
    let scene = Scene {
        action: format!("/activate/{}", journey.id),
        app,
        person: account.person,
        visit,
    };
    match state {
        Activation::CheckData(_) => scene.data(),
        Activation::ChooseMethod(_) => scene.method(typed),
        Activation::ChoosePassword(state) => scene.password(&state.complaints),
        Activation::Done(_) => scene.done(),
        Activation::ShowToken(state) => scene.token(typed, state.tries_left),
        Activation::Refused(_) => over(app, visit, journey),
    }
}

fn over(app: &App, visit: &Visit, journey: &Journey) -> Result<Response, Failure> {
    let reason = match &journey.state {
        JourneyState::Activation(Activation::Refused(Closed::TooManyTries)) => {
            Reason::TooManyTries { until: None }
        }
        JourneyState::Activation(Activation::Refused(Closed::Used)) => {
            let typed = (String::new(), String::new());
            return start_page(app, visit, typed, Some(StartProblem::Used));
        }
        _ => Reason::TooLate,
    };
    let page = Refused {
        reason,
        support_code: Some(journey.support.clone()),
        again: Some("/activate".to_owned()),
        back: None,
    };
    show::page(app, visit, StatusCode::GONE, &page)
}

struct Scene<'a> {
    action: String,
    app: &'a App,
    person: Person,
    visit: &'a Visit,
}

impl Scene<'_> {
    fn show(&self, status: StatusCode, page: &impl crate::page::Page) -> Result<Response, Failure> {
        show::page(self.app, self.visit, status, page)
    }

    fn data(&self) -> Result<Response, Failure> {
        let person = &self.person;
        let page = ActivationData {
            first_name: person.first_name.clone(),
            last_name: person.last_name.clone(),
            mail: person.mail.clone(),
            school: person.school.clone(),
            username: person.username.clone(),
            action: self.action.clone(),
            step: Some(Step { at: 2, of: STEPS }),
        };
        self.show(StatusCode::OK, &page)
    }

    fn password(&self, complaints: &[journey::Complaint]) -> Result<Response, Failure> {
        let person = &self.person;
        let page = ActivationPassword {
            username: person.username.clone(),
            names: vec![person.first_name.clone(), person.last_name.clone()],
            rules: self.app.catalogue.load().policy.password.clone(),
            complaints: complaints.to_vec(),
            action: self.action.clone(),
            by_code: true,
            step: Some(Step { at: 3, of: STEPS }),
        };
        let refused = !complaints.is_empty();
        self.show(
            if refused {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::OK
            },
            &page,
        )
    }

    fn method(&self, typed: Typed) -> Result<Response, Failure> {
        let refused = !typed.problems.is_empty();
        let known = self
            .person
            .phone
            .as_ref()
            .map(|phone| phone.as_str().to_owned());
        let phone = if typed.phone.is_empty() && !refused {
            known.unwrap_or_default()
        } else {
            typed.phone
        };
        let page = ActivationPhoneMethod {
            phone,
            method: typed.method,
            methods: vec![Method::Sms, Method::App, Method::Token],
            problems: typed.problems,
            action: self.action.clone(),
            step: Some(Step { at: 4, of: STEPS }),
        };
        self.show(
            if refused {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::OK
            },
            &page,
        )
    }

    fn token(&self, typed: Typed, tries_left: u8) -> Result<Response, Failure> {
        let problem = typed.token.map(|problem| match problem {
            TokenProblem::Wrong { .. } => TokenProblem::Wrong { tries_left },
            other => other,
        });
        let page = ActivationToken {
            serial: typed.serial,
            problem,
            action: self.action.clone(),
            step: Some(Step { at: 4, of: STEPS }),
        };
        let refused = problem.is_some();
        self.show(
            if refused {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                StatusCode::OK
            },
            &page,
        )
    }

    fn done(&self) -> Result<Response, Failure> {
        let catalogue = self.app.catalogue.load();
        let language = self.visit.language;
        let first = catalogue
            .applications
            .values()
            .filter(|client| !catalogue.guests.contains(&client.id))
            .find(|client| client.enabled && client.home.is_some());
        let next = match first {
            Some(client) => Link {
                name: name_of(client, language),
                url: client.home.clone().unwrap_or_default(),
            },
            None => Link {
                name: self.app.settings.institution.say(language).to_owned(),
                url: "/".to_owned(),
            },
        };
        let page = ActivationDone {
            username: self.person.username.clone(),
            method: self.person.method.unwrap_or(Method::Sms),
            next,
        };
        self.show(StatusCode::OK, &page)
    }
}
