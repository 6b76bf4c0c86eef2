//! Changing one's own password: the page, and the new session that follows.

use axum::{Extension, body::Bytes, extract::State, response::Response};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use journey::{Complaint, Person, own};
use store::SessionRecord;

use crate::{
    app::{App, Changed, TypedChange},
    errand::{Errand, Own, OwnPage},
    failure::Failure,
    http::{errand, form::Form, login, oidc::bad_request, show, visit::Visit, watch},
    page::{AccountPassword, AccountPasswordDone, ActivationPassword, CurrentProblem, Reason},
    password::Password,
};

/// `GET /account/password`
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    match enough(&app, &visit, OwnPage::Password).await? {
        Ok((_, person)) => page(&app, &visit, &person, Problem::None),
        Err(response) => Ok(response),
    }
}

/// `POST /account/password`
pub(crate) async fn change(
    State(app): State<App>,
    Extension(mut visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let (session, person) = match enough(&app, &visit, OwnPage::Password).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let Some(form) = Form::read(&body) else {
        return bad_request(&app, &visit, "the form cannot be read");
    };
    let typed = match typed(&form) {
        Ok(typed) => typed,
        Err(problem) => return page(&app, &visit, &person, problem),
    };
    let problem = match app
        .change_password(&visit.caller, (&session, &person), typed)
        .await?
    {
        Changed::Yes(new) => {
            let key = store::key::of_secret(new.id.expose());
            watch::begins(&app, &mut visit, (&key, new.id.expose()));
            let done = AccountPasswordDone {
                account_url: "/account".to_owned(),
            };
            return show::page(&app, &visit, StatusCode::OK, &done);
        }
        Changed::Over => {
            return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
        }
        Changed::Busy(busy) => return show::overloaded(&app, &visit, busy.retry_after_s),
        Changed::Refused(complaints) => Problem::New(complaints),
        Changed::Wait(seconds) => Problem::Current(CurrentProblem::Wait {
            seconds: seconds.unsigned_abs(),
        }),
        Changed::Wrong => Problem::Current(CurrentProblem::Wrong),
    };
    page(&app, &visit, &person, problem)
}

/// What was wrong at the last attempt.
enum Problem {
    None,
    Current(CurrentProblem),
    New(Vec<Complaint>),
}

/// What was typed. What can be no password at all costs no try.
fn typed(form: &Form) -> Result<TypedChange, Problem> {
    let parse = |name| Password::parse(form.text(name).to_owned());
    let current = parse("password").map_err(|_| Problem::Current(CurrentProblem::Wrong))?;
    let new = parse("new_password").map_err(|_| {
        let why = match form.text("new_password").is_empty() {
            true => Complaint::TooShort,
            false => Complaint::TooLong,
        };
        Problem::New(vec![why])
    })?;
    Ok(TypedChange {
        current,
        new,
        same: form.text("new_password") == form.text("new_password_again"),
    })
}

/// [L01] The session and whose it is, if they have just proven the strongest that they have; or the page on
/// which they do.
pub(super) async fn enough(
    app: &App,
    visit: &Visit,
    page: OwnPage,
) -> Result<Result<(SessionRecord, Person), Response>, Failure> {
    let Some((session, person)) = login::own_session(app, visit).await? else {
        return show::see_other(visit, "/login").map(Err);
    };
    let now = app.world.now();
    if own::may_change(&session.proof, &person, now) {
        return Ok(Ok((session, person)));
    }
    let own = Own::of(page, &person, now);
    errand::go(app, visit, Errand::Own(own), false)
        .await
        .map(Err)
}

fn page(app: &App, visit: &Visit, person: &Person, problem: Problem) -> Result<Response, Failure> {
    let (current, complaints) = match problem {
        Problem::None => (None, vec![]),
        Problem::Current(problem) => (Some(problem), vec![]),
        Problem::New(complaints) => (None, complaints),
    };
    let status = match (current, complaints.is_empty()) {
        (None, true) => StatusCode::OK,
        (Some(CurrentProblem::Wait { .. }), _) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = AccountPassword {
        account_url: "/account".to_owned(),
        current,
        new: ActivationPassword {
            username: person.username.clone(),
            names: vec![person.first_name.clone(), person.last_name.clone()],
            rules: app.catalogue.load().policy.password.clone(),
            complaints,
            action: "/account/password".to_owned(),
            by_code: false,
            step: None,
        },
    };
    let mut response = show::page(app, visit, status, &page)?;
    if let Some(CurrentProblem::Wait { seconds }) = current {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}
