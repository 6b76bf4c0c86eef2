//! `/account/recovery-codes`: how many are left, and a new set, which is shown once.

use axum::{Extension, body::Bytes, extract::State, response::Response};
use data_encoding::HEXLOWER;
use http::StatusCode;
use journey::{Factor, Person, own, policy::RecoveryCodes};
use store::{RecoverySet, SessionRecord};

use super::{
    account, errand, form::Form, login::own_session, oidc::bad_request, show, visit::Visit,
};
use crate::{
    app::App,
    errand::{Errand, Own, OwnPage},
    failure::Failure,
    page::{RecoveryMade, RecoveryMay, RecoverySheet, RecoveryStanding},
};

/// The page's address.
pub(super) const PATH: &str = "/account/recovery-codes";

/// Whether the policy knows recovery codes.
pub(super) fn are_offered(app: &App) -> bool {
    app.catalogue.load().policy.recovery_codes == RecoveryCodes::Offered
}

/// What a page may tell of somebody's codes; none where there are none by policy.
pub(super) async fn standing(
    app: &App,
    person: &Person,
) -> Result<Option<RecoveryStanding>, Failure> {
    if !are_offered(app) {
        return Ok(None);
    }
    let set = app.store.recovery_set(person.id).await?;
    Ok(Some(said(set.as_ref())))
}

fn said(set: Option<&RecoverySet>) -> RecoveryStanding {
    set.map_or(RecoveryStanding::None, |set| RecoveryStanding::Made {
        at: set.made,
        left: set.left(),
    })
}

/// `GET /account/recovery-codes`
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    if !are_offered(&app) {
        return account::not_found(State(app), Extension(visit)).await;
    }
    match own_session(&app, &visit).await? {
        Some((session, person)) => sheet(&app, &visit, (&session, &person)).await,
        None => show::see_other(&visit, "/login"),
    }
}

/// `POST /account/recovery-codes`
pub(crate) async fn make(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    if !are_offered(&app) {
        return account::not_found(State(app), Extension(visit)).await;
    }
    let Some((session, person)) = own_session(&app, &visit).await? else {
        return show::see_other(&visit, "/login");
    };
    let form = Form::read(&body);
    let instead_of = form.as_ref().and_then(|form| former(form.text("set")));
    let Some(instead_of) = instead_of else {
        return bad_request(&app, &visit, "the form cannot be read");
    };
    if may(&visit, &session, &person) != RecoveryMay::Make {
        return sheet(&app, &visit, (&session, &person)).await;
    }
    let now = app.world.now();
    if !own::may_change(&session.proof, &person, now) {
        let own = Own::of(OwnPage::RecoveryCodes, &person, now);
        return errand::go(&app, &visit, Errand::Own(own), false).await;
    }
    let caller = &visit.caller;
    let whose = (person.id, session.proof.password().era());
    match app.make_recovery_codes(caller, whose, instead_of).await? {
        Some(codes) => {
            let page = RecoveryMade {
                codes,
                made: now,
                username: person.username,
            };
            show::page(&app, &visit, StatusCode::OK, &page)
        }
        // The form was sent before: what it made was shown, and stays good.
        None => show::see_other(&visit, PATH),
    }
}

/// The set that was there when the form was shown: none for the empty text. Nothing if it is no id.
#[expect(clippy::option_option, reason = "an empty field is an answer, too")]
fn former(text: &str) -> Option<Option<[u8; 16]>> {
    if text.is_empty() {
        return Some(None);
    }
    let id = HEXLOWER.decode(text.as_bytes()).ok()?;
    Some(Some(id.try_into().ok()?))
}

/// A code may be made by whoever could bind a factor here, with one that is not such a code itself: else a
/// single sheet of paper would last for ever.
fn may(visit: &Visit, session: &SessionRecord, person: &Person) -> RecoveryMay {
    let with_a_code =
        (session.proof.factor()).is_some_and(|factor| factor.factor() == Factor::RecoveryCode);
    if visit.caller.place.refuses_enrolment() {
        return RecoveryMay::NotHere;
    }
    match person.enrolled() {
        false => RecoveryMay::NotEnrolled,
        true if with_a_code => RecoveryMay::NotWithACode,
        true => RecoveryMay::Make,
    }
}

async fn sheet(
    app: &App,
    visit: &Visit,
    (session, person): (&SessionRecord, &Person),
) -> Result<Response, Failure> {
    let set = app.store.recovery_set(person.id).await?;
    let page = RecoverySheet {
        action: PATH.to_owned(),
        may: may(visit, session, person),
        proven: own::may_change(&session.proof, person, app.world.now()),
        set: set
            .as_ref()
            .map_or_else(String::new, |set| HEXLOWER.encode(&set.id)),
        standing: said(set.as_ref()),
        zone: visit.place_name.clone().unwrap_or_default(),
    };
    show::page(app, visit, StatusCode::OK, &page)
}
