//! Without phone or token: one of the codes that somebody kept stands for the second factor, once, and a new
//! app may take the place of what is lost. Nothing is taken away unasked: it may lie at home.

use serde::{Deserialize, Serialize};

use super::{
    AwaitAppEnrolment, Event, JOURNEY_S, Login, Retry, Step, Then, Underway, View, WrongCode,
    one_try_less, out_of_turn, sign_in,
};
use crate::{
    effect::{Effect, Notice},
    factor::recovery::RightCode,
    happened::Happened,
    moment::Moment,
    policy::{Policy, RecoveryCodes},
    proof::{Factor, FactorProof, Proof},
};

/// See [`Login::AwaitRecoveryCode`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AwaitRecoveryCode {
    /// The state they turned away from: the way back, with the tries that are left by then.
    pub instead_of: Box<Login>,
    /// Why the last code was refused, for the page.
    pub last: Option<WrongCode>,
    /// The rest.
    pub underway: Underway,
}

/// See [`Login::OfferReplacement`]. The code is used up; whatever is answered leads in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OfferReplacement {
    /// How many recovery codes are left.
    pub left: u8,
    /// The one that was right.
    pub recovery: FactorProof,
    /// The rest.
    pub underway: Underway,
}

impl Login {
    /// Whether a recovery code is taken instead of the code that this state waits for. It is offered to
    /// everybody alike: whoever knows the password learns nothing of who has any.
    #[must_use]
    pub fn offers_recovery(&self, policy: &Policy) -> bool {
        let asks_for_a_factor = match self {
            Self::AwaitAppCode(_) | Self::AwaitTokenCode(_) => true,
            Self::AwaitSmsCode(state) => state.then == Then::SignIn,
            _ => false,
        };
        asks_for_a_factor && policy.recovery_codes == RecoveryCodes::Offered
    }

    fn set_tries_left(&mut self, tries_left: u8) {
        match self {
            Self::AwaitAppCode(state) | Self::AwaitTokenCode(state) => {
                state.underway.tries_left = tries_left;
            }
            Self::AwaitSmsCode(state) => state.underway.tries_left = tries_left,
            _ => {}
        }
    }
}

impl Underway {
    /// What somebody replaces is worth nothing from here on, and with it whatever else was proven before.
    pub(super) fn in_next_era(self) -> Self {
        let era = self.password.era().saturating_add(1);
        Self {
            password: self.password.in_era(era),
            ..self
        }
    }
}

impl Retry for AwaitRecoveryCode {
    fn underway(&mut self) -> &mut Underway {
        &mut self.underway
    }
    fn remember(&mut self, why: WrongCode) {
        self.last = Some(why);
    }
}

/// The events of this way; all others are out of turn.
pub(super) fn step(state: Login, event: Event, view: &View<'_>, now: &Moment) -> Step {
    let is_offered = view.policy.recovery_codes == RecoveryCodes::Offered;
    match (state, event) {
        (state, Event::FactorLost) if state.offers_recovery(view.policy) => begin(state),
        (Login::AwaitRecoveryCode(state), Event::RecoveryCodeRight(right)) if is_offered => {
            state.right(right, view, now)
        }
        (Login::AwaitRecoveryCode(state), Event::RecoveryCodeRefused { used_before }) => {
            state.refused(used_before, now)
        }
        (Login::AwaitRecoveryCode(state), Event::CounterSpent) => state.refused(true, now),
        (Login::AwaitRecoveryCode(state), Event::FactorKept) => state.back(),
        (Login::OfferReplacement(state), Event::FactorKept) => state.keep(view),
        (Login::OfferReplacement(state), Event::ReplacementAsked)
            if !view.place.refuses_enrolment() =>
        {
            let mut next = AwaitAppEnrolment::start(state.underway, state.recovery, now);
            if let Login::AwaitAppEnrolment(next) = &mut next {
                next.codes_left = Some(state.left);
            }
            (next, vec![])
        }
        (state, event) => out_of_turn(state, &event),
    }
}

fn begin(state: Login) -> Step {
    let Some(underway) = state.underway().cloned() else {
        return out_of_turn(state, &Event::FactorLost);
    };
    let next = AwaitRecoveryCode {
        instead_of: Box::new(state),
        last: None,
        underway,
    };
    (Login::AwaitRecoveryCode(next), vec![])
}

impl AwaitRecoveryCode {
    /// The code is spent with this step, or nothing of it happens: one sign-in spends one.
    fn right(self, right: RightCode, view: &View<'_>, now: &Moment) -> Step {
        let (person, left) = (self.underway.person, right.left);
        let effects = vec![
            Effect::SpendRecoveryCode {
                code: right.code,
                person,
            },
            view.refund(person),
            Effect::Audit(Happened::RecoveryCodeUsed { left }),
            Effect::Notify {
                notice: Notice::RecoveryCodeUsed { at: now.at, left },
                person,
            },
        ];
        let next = OfferReplacement {
            left,
            recovery: FactorProof::new(Factor::RecoveryCode, now.at),
            underway: Underway {
                until: now.at.plus(JOURNEY_S),
                ..self.underway
            },
        };
        (Login::OfferReplacement(next), effects)
    }

    fn refused(self, used_before: bool, now: &Moment) -> Step {
        let why = match used_before {
            true => WrongCode::Replayed,
            false => WrongCode::Wrong,
        };
        let happened = Happened::RecoveryCodeRefused { used_before };
        one_try_less(self, (happened, why), now, Login::AwaitRecoveryCode)
    }

    fn back(self) -> Step {
        let mut state = *self.instead_of;
        state.set_tries_left(self.underway.tries_left);
        (state, vec![])
    }
}

impl OfferReplacement {
    /// Two factors, and nothing is taken away.
    fn keep(self, view: &View<'_>) -> Step {
        let Underway {
            password, person, ..
        } = self.underway;
        sign_in(
            person,
            Proof::two_factors(password, self.recovery),
            view.place,
        )
    }
}
