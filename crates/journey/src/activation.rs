//! From the activation message to an identity: check the data, set a password, give a number,
//! choose a method.
//!
//! [`step`] is pure and total, like the sign-in's. The activation code is spent by the last step
//! only, so that a closed browser costs nothing; two journeys with one code race for that step.

use serde::{Deserialize, Serialize};

use crate::{
    effect::{Activate, Effect, Notice},
    factor::password::Complaint,
    happened::Happened,
    login::Refusal,
    moment::{Moment, Timestamp},
    person::{ActivationId, Method, PersonId},
    phone::Phone,
    secret::Secret,
};

/// How long the journey may take, in seconds.
pub const JOURNEY_S: i64 = 3600;
/// How long a code sent by mail is valid, in seconds: a day [NIST SP 800-63B-4 §4.2.1.2].
pub const CODE_BY_MAIL_S: i64 = 86_400;
/// Wrong codes of a token that one journey takes.
const TRIES_MAX: u8 = 5;

/// Where an activation stands.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// The person looks at their data.
    CheckData(Opened),
    /// A number and a method.
    ChooseMethod(ChooseMethod),
    /// A password.
    ChoosePassword(ChoosePassword),
    /// Serial number and code of a token they hold.
    ShowToken(ShowToken),
    /// Final.
    Done(PersonId),
    /// Final.
    Refused(Closed),
}

/// What every state knows.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Opened {
    /// The code that opened it and is spent at the end.
    pub activation: ActivationId,
    /// The code itself: it must not become the password.
    pub code: Secret,
    /// Whose.
    pub person: PersonId,
    /// The deadline.
    pub until: Timestamp,
}

/// See [`Activation::ChoosePassword`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ChoosePassword {
    /// Why the last one was refused, for the page.
    pub complaints: Vec<Complaint>,
    /// The rest.
    pub opened: Opened,
}

/// See [`Activation::ChooseMethod`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ChooseMethod {
    /// The rest.
    pub opened: Opened,
    /// The hash of the new password.
    pub password: Secret,
}

/// See [`Activation::ShowToken`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ShowToken {
    /// The rest.
    pub opened: Opened,
    /// The hash of the new password.
    pub password: Secret,
    /// The number, if one was given.
    pub phone: Option<Phone>,
    /// Wrong codes still allowed.
    pub tries_left: u8,
}

/// Why an activation ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closed {
    /// The deadline passed.
    TooLate,
    /// Too many wrong codes of the token.
    TooManyTries,
    /// Another journey used the code first.
    Used,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// "This is me."
    DataConfirmed,
    /// A number (not needed with a token) and a method.
    MethodChosen(Method, Option<Phone>),
    /// The password satisfies the rules; this is its hash.
    PasswordHashed(Secret),
    /// It does not.
    PasswordRefused(Vec<Complaint>),
    /// The store found the code spent.
    Spent,
    /// The token showed a code that belongs to this counter.
    TokenRight(TokenRight),
    /// It did not, or nobody knows this serial number, or it is somebody's.
    TokenWrong,
}

/// See [`Event::TokenRight`].
#[derive(Clone, Debug)]
pub struct TokenRight {
    /// The counter to spend.
    pub counter: u64,
    /// The drift to remember.
    pub drift: i64,
    /// Which token.
    pub serial: String,
}

/// The person's situation.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Whether the school has already assigned a token to them.
    pub has_token: bool,
}

type Step = (Activation, Vec<Effect>);

impl Activation {
    /// The beginning: the code was right.
    #[must_use]
    pub fn begin(activation: ActivationId, person: PersonId, code: Secret, now: Timestamp) -> Step {
        let opened = Opened {
            activation,
            code,
            person,
            until: now.plus(JOURNEY_S),
        };
        (
            Self::CheckData(opened),
            vec![Effect::Audit(Happened::ActivationOpened)],
        )
    }

    /// What all states but the last have in common.
    #[must_use]
    pub fn opened(&self) -> Option<&Opened> {
        match self {
            Self::CheckData(opened) => Some(opened),
            Self::ChooseMethod(state) => Some(&state.opened),
            Self::ChoosePassword(state) => Some(&state.opened),
            Self::ShowToken(state) => Some(&state.opened),
            Self::Done(_) | Self::Refused(_) => None,
        }
    }

    /// The state's name, for the audit and the matrix.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::CheckData(_) => "CheckData",
            Self::ChooseMethod(_) => "ChooseMethod",
            Self::ChoosePassword(_) => "ChoosePassword",
            Self::Done(_) => "Done",
            Self::Refused(_) => "Refused",
            Self::ShowToken(_) => "ShowToken",
        }
    }
}

impl Event {
    /// The event's name, for the audit and the matrix.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::DataConfirmed => "DataConfirmed",
            Self::MethodChosen(..) => "MethodChosen",
            Self::PasswordHashed(_) => "PasswordHashed",
            Self::PasswordRefused(_) => "PasswordRefused",
            Self::Spent => "Spent",
            Self::TokenRight(_) => "TokenRight",
            Self::TokenWrong => "TokenWrong",
        }
    }
}

/// One step of the activation. Total: every state answers every event, and nothing fails.
pub fn step(state: Activation, event: Event, view: View, now: &Moment) -> Step {
    if state.opened().is_some_and(|opened| now.at >= opened.until) {
        return close(Closed::TooLate);
    }
    match (state, event) {
        (Activation::CheckData(opened), Event::DataConfirmed) => {
            let next = ChoosePassword {
                complaints: vec![],
                opened,
            };
            (
                Activation::ChoosePassword(next),
                vec![Effect::Audit(Happened::DataConfirmed)],
            )
        }
        (Activation::ChoosePassword(state), Event::PasswordHashed(password)) => {
            let next = ChooseMethod {
                opened: state.opened,
                password,
            };
            (Activation::ChooseMethod(next), vec![])
        }
        (Activation::ChoosePassword(state), Event::PasswordRefused(complaints)) => {
            let happened = Happened::PasswordRefused {
                complaints: complaints.clone(),
            };
            let next = ChoosePassword {
                complaints,
                ..state
            };
            (
                Activation::ChoosePassword(next),
                vec![Effect::Audit(happened)],
            )
        }
        (Activation::ChooseMethod(state), Event::MethodChosen(Method::Token, phone)) => {
            if view.has_token {
                return finish(state.opened, state.password, Method::Token, phone);
            }
            let ChooseMethod { opened, password } = state;
            let next = ShowToken {
                opened,
                password,
                phone,
                tries_left: TRIES_MAX,
            };
            (Activation::ShowToken(next), vec![])
        }
        (Activation::ChooseMethod(state), Event::MethodChosen(method, Some(phone))) => {
            finish(state.opened, state.password, method, Some(phone))
        }
        (Activation::ShowToken(state), Event::MethodChosen(Method::Sms | Method::App, _)) => {
            // "Choose another way": back to the choice.
            let ShowToken {
                opened, password, ..
            } = state;
            (
                Activation::ChooseMethod(ChooseMethod { opened, password }),
                vec![],
            )
        }
        (Activation::ShowToken(state), Event::TokenRight(right)) => {
            let TokenRight {
                counter,
                drift,
                serial,
            } = right;
            let person = state.opened.person;
            let (next, mut effects) =
                finish(state.opened, state.password, Method::Token, state.phone);
            effects.push(Effect::Audit(Happened::TokenAssigned {
                serial: serial.clone(),
            }));
            effects.push(Effect::AssignToken {
                counter,
                drift,
                person,
                serial,
            });
            (next, effects)
        }
        (Activation::ShowToken(mut state), Event::TokenWrong) => {
            let wrong = Happened::CodeWrong {
                clock_ahead_s: None,
                method: Method::Token,
            };
            state.tries_left = state.tries_left.saturating_sub(1);
            if state.tries_left == 0 {
                return close(Closed::TooManyTries);
            }
            (Activation::ShowToken(state), vec![Effect::Audit(wrong)])
        }
        (state, Event::Spent) if state.opened().is_some() => close(Closed::Used),
        (state, event) => {
            let happened = Happened::OutOfTurn {
                event: event.name().into(),
                state: state.name().into(),
            };
            (state, vec![Effect::Audit(happened)])
        }
    }
}

fn close(why: Closed) -> Step {
    let reason = match why {
        Closed::TooLate | Closed::Used => Refusal::TooLate,
        Closed::TooManyTries => Refusal::TooManyTries,
    };
    (
        Activation::Refused(why),
        vec![Effect::Audit(Happened::Refused { reason })],
    )
}

fn finish(opened: Opened, password: Secret, method: Method, phone: Option<Phone>) -> Step {
    let person = opened.person;
    let activate = Activate {
        activation: opened.activation,
        method,
        password,
        person,
        phone,
    };
    let effects = vec![
        Effect::Activate(Box::new(activate)),
        Effect::Audit(Happened::PasswordSet),
        Effect::Audit(Happened::Activated { method }),
        Effect::Notify {
            notice: Notice::Activated,
            person,
        },
    ];
    (Activation::Done(person), effects)
}
