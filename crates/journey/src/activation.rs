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
    /// [L06] Whether only their password was reset: method, number and what is bound stay as they are, and
    /// are not asked for.
    pub keeps_method: bool,
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
        (state, Event::Spent) if state.opened().is_some() => close(Closed::Used),
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
        (Activation::ChoosePassword(state), Event::PasswordHashed(password))
            if view.keeps_method =>
        {
            finish(state.opened, password, None, now)
        }
        (Activation::ChoosePassword(state), Event::PasswordHashed(password)) => {
            let next = ChooseMethod {
                opened: state.opened,
                password,
            };
            (Activation::ChooseMethod(next), vec![])
        }
        (Activation::ChoosePassword(state), Event::PasswordRefused(complaints)) => {
            state.refused(complaints)
        }
        (Activation::ChooseMethod(state), Event::MethodChosen(method, phone)) => {
            state.chosen((method, phone), view, now)
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
        (Activation::ShowToken(state), Event::TokenRight(right)) => state.right(right, now),
        (Activation::ShowToken(state), Event::TokenWrong) => state.wrong(),
        (state, event) => out_of_turn(state, &event),
    }
}

impl ChoosePassword {
    fn refused(self, complaints: Vec<Complaint>) -> Step {
        let happened = Happened::PasswordRefused {
            complaints: complaints.clone(),
        };
        let next = Self { complaints, ..self };
        (
            Activation::ChoosePassword(next),
            vec![Effect::Audit(happened)],
        )
    }
}

impl ChooseMethod {
    fn chosen(self, (method, phone): (Method, Option<Phone>), view: View, now: &Moment) -> Step {
        match method {
            Method::Token if !view.has_token => {
                let Self { opened, password } = self;
                let next = ShowToken {
                    opened,
                    password,
                    phone,
                    tries_left: TRIES_MAX,
                };
                (Activation::ShowToken(next), vec![])
            }
            Method::App | Method::Sms if phone.is_none() => {
                let event = Event::MethodChosen(method, phone);
                out_of_turn(Activation::ChooseMethod(self), &event)
            }
            _ => finish(self.opened, self.password, Some((method, phone)), now),
        }
    }
}

impl ShowToken {
    fn right(self, right: TokenRight, now: &Moment) -> Step {
        let TokenRight {
            counter,
            drift,
            serial,
        } = right;
        let person = self.opened.person;
        let chosen = Some((Method::Token, self.phone));
        let (next, mut effects) = finish(self.opened, self.password, chosen, now);
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

    fn wrong(mut self) -> Step {
        let wrong = Happened::CodeWrong {
            clock_ahead_s: None,
            method: Method::Token,
        };
        self.tries_left = self.tries_left.saturating_sub(1);
        match self.tries_left {
            0 => close(Closed::TooManyTries),
            _ => (Activation::ShowToken(self), vec![Effect::Audit(wrong)]),
        }
    }
}

fn out_of_turn(state: Activation, event: &Event) -> Step {
    let happened = Happened::OutOfTurn {
        event: event.name().into(),
        state: state.name().into(),
    };
    (state, vec![Effect::Audit(happened)])
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

/// The password is set, and with it the method and the number if they were asked for.
fn finish(
    opened: Opened,
    password: Secret,
    chosen: Option<(Method, Option<Phone>)>,
    now: &Moment,
) -> Step {
    let person = opened.person;
    let method = chosen.as_ref().map(|(method, _)| *method);
    let activate = Activate {
        activation: opened.activation,
        chosen,
        password,
        person,
    };
    let mut effects = vec![
        Effect::Activate(Box::new(activate)),
        Effect::Audit(Happened::PasswordSet),
    ];
    effects.extend(method.map(|method| Effect::Audit(Happened::Activated { method })));
    let at = now.at;
    let notice = match method {
        Some(_) => Notice::Activated { at },
        None => Notice::PasswordChanged { at },
    };
    effects.push(Effect::Notify { notice, person });
    (Activation::Done(person), effects)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use expect_test::expect_file;

    use super::*;

    const NOW: Moment = Moment {
        at: Timestamp(1_800_000_000),
        dice: [1; 32],
    };

    /// Somebody who activates for the first time.
    const FIRST: View = View {
        has_token: false,
        keeps_method: false,
    };

    fn begin() -> Activation {
        let code = Secret::new(b"ABCDE12345".to_vec());
        Activation::begin(ActivationId([1; 16]), PersonId([2; 16]), code, NOW.at).0
    }

    fn walk(events: Vec<Event>) -> Activation {
        let view = FIRST;
        events
            .into_iter()
            .fold(begin(), |state, event| step(state, event, view, &NOW).0)
    }

    fn hashed() -> Event {
        Event::PasswordHashed(Secret::new(b"$argon2id$".to_vec()))
    }

    fn phone() -> Option<Phone> {
        Phone::parse("0791234567").ok()
    }

    fn states() -> Vec<Activation> {
        let with_token = vec![
            Event::DataConfirmed,
            hashed(),
            Event::MethodChosen(Method::Token, None),
        ];
        vec![
            begin(),
            walk(vec![Event::DataConfirmed]),
            walk(vec![Event::DataConfirmed, hashed()]),
            walk(with_token),
            Activation::Done(PersonId([2; 16])),
            Activation::Refused(Closed::Used),
        ]
    }

    fn events() -> Vec<(&'static str, Event)> {
        let right = TokenRight {
            counter: 5,
            drift: 0,
            serial: "123".into(),
        };
        vec![
            ("data confirmed", Event::DataConfirmed),
            ("password hashed", hashed()),
            (
                "password refused",
                Event::PasswordRefused(vec![Complaint::TooShort]),
            ),
            ("sms chosen", Event::MethodChosen(Method::Sms, phone())),
            ("sms, no number", Event::MethodChosen(Method::Sms, None)),
            ("token chosen", Event::MethodChosen(Method::Token, None)),
            ("token right", Event::TokenRight(right)),
            ("token wrong", Event::TokenWrong),
            ("spent", Event::Spent),
        ]
    }

    #[test]
    fn every_state_answers_every_event_as_on_this_page() {
        let mut page = String::new();
        for state in states() {
            for (name, event) in events() {
                let (next, effects) = step(state.clone(), event, FIRST, &NOW);
                let effects: Vec<_> = effects.iter().map(word).collect();
                let _ = writeln!(
                    page,
                    "{:<15} {name:<17} → {:<15} {}",
                    state.name(),
                    next.name(),
                    effects.join(" ")
                );
            }
            page.push('\n');
        }
        expect_file!["../snapshots/activation_transitions.txt"].assert_eq(&page);
    }

    fn word(effect: &Effect) -> String {
        let text = format!("{effect:?}");
        let end = text.find([' ', '{']).unwrap_or(text.len());
        let inner = text
            .strip_prefix("Audit(")
            .map(|rest| rest.split([' ', '{', ')']).next().unwrap());
        match inner {
            Some(inner) => format!("Audit({inner})"),
            None => text[..end].split('(').next().unwrap().to_owned(),
        }
    }

    /// [A02] Nothing but the whole walk activates.
    #[test]
    fn only_the_whole_walk_activates() {
        let mut frontier = vec![(begin(), Vec::new())];
        for _ in 0..5 {
            let mut next_frontier = Vec::new();
            for (state, path) in &frontier {
                for (name, event) in events() {
                    let (next, effects) = step(state.clone(), event, FIRST, &NOW);
                    let path: Vec<&str> = path.iter().copied().chain([name]).collect();
                    if effects
                        .iter()
                        .any(|effect| matches!(effect, Effect::Activate(_)))
                    {
                        let walked: Vec<_> = path
                            .iter()
                            .filter(|e| ["data confirmed", "password hashed"].contains(e))
                            .collect();
                        assert!(walked.len() >= 2, "{path:?}");
                        assert!(["sms chosen", "token right"].contains(&name), "{path:?}");
                    }
                    next_frontier.push((next, path));
                }
            }
            next_frontier.truncate(3000);
            frontier = next_frontier;
        }
    }

    /// [L06] Whose password was reset sets a new one; what else they have is neither asked for nor changed.
    #[test]
    fn after_a_reset_a_password_is_all_that_is_set() {
        let reset = View {
            keeps_method: true,
            ..FIRST
        };
        let chooses = walk(vec![Event::DataConfirmed]);
        let (next, effects) = step(chooses, hashed(), reset, &NOW);
        assert!(matches!(next, Activation::Done(_)));
        let [Effect::Activate(activate), rest @ ..] = effects.as_slice() else {
            panic!("{effects:?}");
        };
        assert!(activate.chosen.is_none());
        let words: Vec<_> = rest.iter().map(word).collect();
        assert_eq!(words, ["Audit(PasswordSet)", "Notify"]);
    }

    /// [O16] The deadline ends every state that waits.
    #[test]
    fn a_deadline_ends_every_state() {
        let late = Moment {
            at: NOW.at.plus(JOURNEY_S),
            dice: [0; 32],
        };
        for state in states()
            .into_iter()
            .filter(|state| state.opened().is_some())
        {
            for (_, event) in events() {
                let view = View {
                    has_token: true,
                    ..FIRST
                };
                let (next, _) = step(state.clone(), event, view, &late);
                assert!(matches!(next, Activation::Refused(Closed::TooLate)));
            }
        }
    }
}
