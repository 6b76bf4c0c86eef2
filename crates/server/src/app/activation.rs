//! The runner of activations: from the code in the message to a password, a number and a method.

use journey::{
    ActivationId, Complaint, Method, PersonId, Phone, Secret, Typed,
    activation::{self, Activation},
    limit,
};
use store::{Account, By, Committed, Journey, JourneyState, LaneKey};

use super::{App, Caller};
use crate::{
    failure::Failure,
    password::{Busy, Password, Salt},
    world::Draw,
};

/// What was typed or clicked on a page of an activation.
pub(crate) enum ActivationInput {
    /// "This is me."
    Confirm,
    /// A number and a method.
    Method(Method, Option<Phone>),
    /// A password, twice.
    Password(Password, bool),
    /// A token's serial number and code.
    Token(String, Typed),
}

impl App {
    /// The code was right: the journey begins.
    pub(crate) async fn begin_activation(
        &self,
        caller: &Caller,
        browser: [u8; 32],
        whose: (PersonId, ActivationId),
        code: Secret,
    ) -> Result<Journey, Failure> {
        let (person, activation) = whose;
        let now = self.world.now();
        let support = self.world.support_code();
        let (state, effects) = Activation::begin(activation, person, code, now);
        let journey = Journey {
            browser,
            id: journey::JourneyId(self.world.id()),
            purpose: String::new(),
            state: JourneyState::Activation(state),
            support,
            until: now.plus(activation::JOURNEY_S),
            version: 0,
        };
        let by = By {
            person: Some(person),
            ..self.by(caller, &journey.support, "activation")
        };
        match self.store.open_journey(&journey, &effects, &by).await? {
            Committed::Yes(_) => Ok(journey),
            _ => Err(Failure::TooBusy),
        }
    }

    /// Moves an activation by what a person typed or clicked.
    ///
    /// # Errors
    /// [`Busy`] inside, if the password could not be hashed now.
    pub(crate) async fn advance_activation(
        &self,
        caller: &Caller,
        mut journey: Journey,
        input: ActivationInput,
    ) -> Result<Result<Journey, Busy>, Failure> {
        let mut event = match self.activation_event(&journey, input).await? {
            Ok(event) => event,
            Err(busy) => return Ok(Err(busy)),
        };
        for _ in 0..8 {
            let JourneyState::Activation(state) = journey.state else {
                return Err(Failure::Impossible(
                    "an activation's page was given a sign-in",
                ));
            };
            let person = state.opened().map(|opened| opened.person);
            let account = match person {
                Some(person) => self.store.person(person).await?,
                None => None,
            };
            let view = self.activation_view(account.as_ref()).await?;
            let (next, effects) =
                activation::step(state, event.clone(), view, &self.world.moment());
            let moved = Journey {
                state: JourneyState::Activation(next),
                ..journey
            };
            let by = By {
                person,
                ..self.by(caller, &moved.support, "activation")
            };
            match self.store.commit_journey(&moved, &effects, &by).await? {
                Committed::Yes(_) => return Ok(Ok(moved)),
                Committed::ActivationSpent => event = activation::Event::Spent,
                Committed::CounterSpent | Committed::TokenTaken => {
                    event = activation::Event::TokenWrong;
                }
                Committed::AlreadyEnrolled
                | Committed::Overtaken
                | Committed::SessionOver
                | Committed::SmsBudgetSpent => {}
            }
            journey = self.again(&moved).await.map_err(|failure| match failure {
                Failure::Gone => Failure::ActivationUsed,
                other => other,
            })?;
        }
        Err(Failure::TooBusy)
    }

    /// Who had a password before and has none has been reset.
    async fn activation_view(
        &self,
        account: Option<&Account>,
    ) -> Result<activation::View, Failure> {
        let has_token = account.is_some_and(|account| account.person.token.is_some());
        let reset =
            account.filter(|account| account.password.is_none() && account.person.method.is_some());
        let keeps_method = match reset {
            Some(account) => {
                let former = self.store.password_history(account.person.id, 1).await?;
                !former.is_empty()
            }
            None => false,
        };
        Ok(activation::View {
            has_token,
            keeps_method,
        })
    }

    async fn activation_event(
        &self,
        journey: &Journey,
        input: ActivationInput,
    ) -> Result<Result<activation::Event, Busy>, Failure> {
        Ok(match input {
            ActivationInput::Confirm => Ok(activation::Event::DataConfirmed),
            ActivationInput::Method(method, phone) => {
                Ok(activation::Event::MethodChosen(method, phone))
            }
            ActivationInput::Password(password, same) => {
                self.new_password(journey, password, same).await?
            }
            ActivationInput::Token(serial, typed) => {
                Ok(self.shown_token(journey, &serial, &typed).await?)
            }
        })
    }

    /// Judges a new password by the rules, compares it with the last ones, and hashes it.
    async fn new_password(
        &self,
        journey: &Journey,
        password: Password,
        same: bool,
    ) -> Result<Result<activation::Event, Busy>, Failure> {
        let JourneyState::Activation(Activation::ChoosePassword(state)) = &journey.state else {
            return Ok(Ok(activation::Event::PasswordRefused(vec![])));
        };
        if !same {
            return Ok(Ok(activation::Event::PasswordRefused(vec![
                Complaint::NotTheSame,
            ])));
        }
        let Some(account) = self.store.person(state.opened.person).await? else {
            return Err(Failure::Impossible("the person of an activation vanished"));
        };
        let code = Some(&state.opened.code);
        match self.complaints(&account, &password, code).await? {
            Err(busy) => return Ok(Err(busy)),
            Ok(complaints) if !complaints.is_empty() => {
                return Ok(Ok(activation::Event::PasswordRefused(complaints)));
            }
            Ok(_) => {}
        }
        let hashed = self.pool.hash(password, Salt(self.world.bytes())).await;
        Ok(hashed.map(|hash| {
            activation::Event::PasswordHashed(Secret::new(hash.as_str().as_bytes().to_vec()))
        }))
    }

    /// A token proves itself by its serial number and a code, or two in a row of one that is free.
    async fn shown_token(
        &self,
        journey: &Journey,
        serial: &str,
        typed: &Typed,
    ) -> Result<activation::Event, Failure> {
        let JourneyState::Activation(state) = &journey.state else {
            return Ok(activation::Event::TokenWrong);
        };
        let Some(person) = state.opened().map(|opened| opened.person) else {
            return Ok(activation::Event::TokenWrong);
        };
        // The code may be opened again and again: what it lets one guess has one budget.
        let lane = LaneKey::SecondFactor(person);
        let now = self.world.now();
        let spent = self.store.spend_try(&lane, &limit::SECOND_FACTOR, now);
        if spent.await?.is_err() {
            self.metrics.throttled.inc();
            return Ok(activation::Event::TokenWrong);
        }
        let free = |record: &store::TokenRecord| {
            record.assigned_to.is_none() || record.assigned_to == Some(person)
        };
        let Some(token) = self.store.token(serial.trim()).await?.filter(free) else {
            return Ok(activation::Event::TokenWrong);
        };
        Ok(match token.otp.check(typed, now) {
            journey::Checked::Right { counter, drift } => {
                self.store.refund_try(&lane).await?;
                let serial = token.serial;
                activation::Event::TokenRight(activation::TokenRight {
                    counter,
                    drift,
                    serial,
                })
            }
            journey::Checked::Replayed | journey::Checked::Wrong { .. } => {
                activation::Event::TokenWrong
            }
        })
    }
}
