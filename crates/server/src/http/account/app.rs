//! Another phone: its app takes the place of what somebody proves with now.

use axum::{Extension, body::Bytes, extract::State, response::Response};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use journey::{Person, own};

use super::password::enough;
use crate::{
    app::{App, Changed},
    errand::OwnPage,
    failure::Failure,
    http::{form::Form, login, oidc::bad_request, show, visit::Visit},
    page::{AccountApp, CurrentProblem, Reason},
    password::Password,
    ticket::Purposed,
};

/// `GET /account/app`
pub(crate) async fn ask(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    match enough(&app, &visit, OwnPage::App).await? {
        Ok((_, person)) => page(&app, &visit, &person, None),
        Err(response) => Ok(response),
    }
}

/// `POST /account/app`: the password is right, and the journey to the first code begins.
pub(crate) async fn begin(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let (session, person) = match enough(&app, &visit, OwnPage::App).await? {
        Ok(found) => found,
        Err(response) => return Ok(response),
    };
    let Some(form) = Form::read(&body) else {
        return bad_request(&app, &visit, "the form cannot be read");
    };
    if !own::may_bind(&person, &visit.caller.place) {
        return page(&app, &visit, &person, None);
    }
    let Ok(password) = Password::parse(form.text("password").to_owned()) else {
        return page(&app, &visit, &person, Some(CurrentProblem::Wrong));
    };
    let ticket = login::new_ticket(&app, &visit, Purposed::default());
    let whose = (&session, &person);
    let begun = app.begin_new_app(&visit.caller, ticket, whose, password);
    match begun.await? {
        Ok(moved) => show::see_other(&visit, &format!("/login/{}", moved.journey.id)),
        Err(Changed::Busy(busy)) => show::overloaded(&app, &visit, busy.retry_after_s),
        Err(Changed::Wait(seconds)) => {
            let seconds = seconds.unsigned_abs();
            page(
                &app,
                &visit,
                &person,
                Some(CurrentProblem::Wait { seconds }),
            )
        }
        Err(Changed::Wrong) => page(&app, &visit, &person, Some(CurrentProblem::Wrong)),
        Err(Changed::Over | Changed::Refused(_) | Changed::Yes(_)) => {
            show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate)
        }
    }
}

fn page(
    app: &App,
    visit: &Visit,
    person: &Person,
    current: Option<CurrentProblem>,
) -> Result<Response, Failure> {
    let status = match current {
        None => StatusCode::OK,
        Some(CurrentProblem::Wait { .. }) => StatusCode::TOO_MANY_REQUESTS,
        Some(CurrentProblem::Wrong) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let page = AccountApp {
        account_url: "/account".to_owned(),
        action: "/account/app".to_owned(),
        current,
        may: own::may_bind(person, &visit.caller.place),
        place: visit.place_name.clone(),
        username: person.username.clone(),
    };
    let mut response = show::page(app, visit, status, &page)?;
    if let Some(CurrentProblem::Wait { seconds }) = current {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}
