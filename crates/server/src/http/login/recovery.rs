//! The pages of who has lost phone or token: a code that was kept, and a new app.

use journey::login::{AwaitRecoveryCode, OfferReplacement, WrongCode};
use store::{Journey, JourneyState};

use super::{
    Code, Failure, Form, Input, Login, Response,
    state::{Problem, Scene},
};
use crate::{
    page::{RecoveryCode, RecoveryProblem, Replacement},
    recovery_code,
};

/// What a form of these pages says; none if it is a form of others.
pub(super) fn input(journey: &Journey, form: &Form) -> Option<Result<Input, Problem>> {
    let JourneyState::Login(state) = &journey.state else {
        return None;
    };
    Some(match (form.text("action"), state) {
        ("lost", _) => Ok(Input::Lost),
        ("kept", _) => Ok(Input::Kept),
        ("replace", _) => Ok(Input::Replace),
        ("", Login::AwaitRecoveryCode(_)) => recovery_code::canonical(form.text("recovery_code"))
            .map(|code| Input::Code(Code::Recovery(code)))
            .ok_or(Problem::Malformed { two: false }),
        _ => return None,
    })
}

impl Scene<'_> {
    pub(super) fn recovery_code(&self, state: &AwaitRecoveryCode) -> Result<Response, Failure> {
        let tries_left = state.underway.tries_left;
        let problem = match (self.problem, state.last) {
            (Problem::Malformed { .. }, _) => Some(RecoveryProblem::Malformed),
            (_, None) => None,
            (_, Some(WrongCode::Replayed)) => Some(RecoveryProblem::Replayed),
            (_, Some(_)) => Some(RecoveryProblem::Wrong { tries_left }),
        };
        let page = RecoveryCode {
            action: self.action.clone(),
            problem,
            who: Some(self.who()),
        };
        self.show(&page, state.last)
    }

    pub(super) fn replacement(&self, state: &OfferReplacement) -> Result<Response, Failure> {
        let page = Replacement {
            action: self.action.clone(),
            here: !self.visit.caller.place.refuses_enrolment(),
            left: state.left,
            method: self.person.method,
            who: Some(self.who()),
        };
        self.show(&page, None)
    }
}
