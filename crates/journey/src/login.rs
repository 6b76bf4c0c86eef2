//! « Se connecter » → portal: sign-in, enrolment on the way, and the step up from a session.
//!
//! [`step`] is pure and total: every state answers every event, and nothing fails. Deliberately
//! absent: hashing, storing, sending, time and chance.
//!
//! One thing: who reads `step` needs every state and its answers beside it.

use serde::{Deserialize, Serialize};

use crate::{
    effect::{Effect, Notice},
    factor::{
        otp::{Checked, Otp},
        recovery::RightCode,
        typed::Typed,
    },
    facts::Facts,
    happened::Happened,
    moment::{Moment, Timestamp},
    person::{Method, Person, PersonId},
    policy::{Policy, Verdict},
    proof::{Assurance, FactorProof, PasswordProof, Proof},
    zone::Place,
};

mod enrolment;
mod recovery;
mod sms_code;

pub use self::{
    enrolment::{AwaitAppEnrolment, EnrolElsewhere},
    recovery::{AwaitRecoveryCode, OfferReplacement},
    sms_code::{AwaitSmsCode, Then},
};

/// How long a journey may take from the password to the end, in seconds.
pub const JOURNEY_S: i64 = 900;
/// How long the sign-in page may lie open, in seconds.
pub const PAGE_S: i64 = 3600;
/// How long the link to go on elsewhere works, in seconds: two days.
pub const RESUME_S: i64 = 172_800;
/// How many wrong codes of an app or token one journey takes.
const TRIES_MAX: u8 = 5;

/// Where a sign-in stands: what we wait for, or what is final.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Login {
    /// The app's code.
    AwaitAppCode(AwaitCode),
    /// The first code of a new app, whose secret is shown and is no factor yet.
    AwaitAppEnrolment(AwaitAppEnrolment),
    /// Name and password.
    AwaitPassword(AwaitPassword),
    /// One of the codes they keep, because phone or token is lost.
    AwaitRecoveryCode(AwaitRecoveryCode),
    /// The code sent by SMS.
    AwaitSmsCode(AwaitSmsCode),
    /// The code of the hardware token.
    AwaitTokenCode(AwaitCode),
    /// Binding was refused here; it goes on elsewhere.
    EnrolElsewhere(EnrolElsewhere),
    /// A recovery code was right: do they want a new app in place of what is lost?
    OfferReplacement(OfferReplacement),
    /// Final.
    Refused(Refusal),
    /// Final.
    SignedIn(SignedIn),
}

/// See [`Login::AwaitPassword`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AwaitPassword {
    /// What the application must get.
    pub demand: Assurance,
    /// Where the page was opened.
    pub seen: Place,
    /// Until when it may lie open.
    pub until: Timestamp,
}

/// What every state after the password knows.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Underway {
    /// What the application must get.
    pub demand: Assurance,
    /// The password was right.
    pub password: PasswordProof,
    /// Who.
    pub person: PersonId,
    /// The weakest place seen in this journey.
    pub seen: Place,
    /// Wrong codes still allowed.
    pub tries_left: u8,
    /// The deadline.
    pub until: Timestamp,
}

/// See [`Login::AwaitAppCode`] and [`Login::AwaitTokenCode`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AwaitCode {
    /// The last code whose time is yet to come, if there was one: its counter.
    #[serde(default)]
    pub early: Option<u64>,
    /// Why the last code was refused, for the page.
    pub last: Option<WrongCode>,
    /// The rest.
    pub underway: Underway,
}

/// See [`Login::SignedIn`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SignedIn {
    /// Who.
    pub person: PersonId,
    /// Of what.
    pub proof: Proof,
}

/// Why a code was refused and may be tried again.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WrongCode {
    /// The other clock is so many seconds ahead of ours (negative: slow).
    ClockAhead(i64),
    /// It was right and its time is over.
    Expired,
    /// It was used before.
    Replayed,
    /// No code of theirs.
    Wrong,
}

/// Why a journey ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The identity was switched off.
    Disabled,
    /// There is nothing that belongs to this person to bind with.
    NoBinding,
    /// So many messages were sent that no more are.
    TooManyMessages,
    /// The budget of wrong codes is used up.
    TooManyTries,
    /// A deadline passed.
    TooLate,
    /// Nothing they have proves as much as the application asks.
    TooWeak,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The budget of second factors is used up: the code was not even looked at.
    BudgetSpent,
    /// A code was typed.
    CodeTyped(Typed),
    /// The store found that another request used this counter, or this recovery code, first.
    CounterSpent,
    /// What they lost is at hand after all, or will be.
    FactorKept,
    /// Phone or token is lost.
    FactorLost,
    /// Whoever has just proven this wants another app to take the place of what they prove with.
    NewAppAsked {
        /// What.
        proof: Proof,
        /// The key of the session in which they ask.
        session: [u8; 32],
    },
    /// The password was right.
    PasswordRight(PasswordProof),
    /// It was not, or nobody has this name.
    PasswordWrong,
    /// What was typed is none of their recovery codes.
    RecoveryCodeRefused {
        /// It was one, and had been used.
        used_before: bool,
    },
    /// It is one, and had not been used a moment ago.
    RecoveryCodeRight(RightCode),
    /// A new app is to take the place of what is lost.
    ReplacementAsked,
    /// The code did not come.
    ResendAsked,
    /// The link was opened elsewhere.
    Resumed,
    /// There is a session already, and it proves too little.
    SessionShown(Proof),
    /// Two consecutive codes of a token that lost step.
    TwoCodesTyped(Typed, Typed),
}

/// What a step may look at.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The device, if this person has signed in on it before: its tries have a budget of their own.
    pub known_device: Option<[u8; 32]>,
    /// The person, read a moment ago; none before a right password.
    pub person: Option<&'a Person>,
    /// Where the request came from.
    pub place: &'a Place,
    /// Who must prove what.
    pub policy: &'a Policy,
    /// Whether the budgets allow a message to this person now.
    pub sms_allowed: bool,
}

impl View<'_> {
    fn refund(&self, person: PersonId) -> Effect {
        Effect::RefundTry {
            device: self.known_device,
            person,
        }
    }
}

type Step = (Login, Vec<Effect>);

impl Login {
    /// The beginning: the sign-in page is opened at a place, for a demand.
    #[must_use]
    pub fn begin(demand: Assurance, place: &Place, now: Timestamp) -> Self {
        Self::AwaitPassword(AwaitPassword {
            demand,
            seen: place.clone(),
            until: now.plus(PAGE_S),
        })
    }

    /// When this state ends by itself; none if it is final.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::AwaitPassword(state) => Some(state.until),
            Self::Refused(_) | Self::SignedIn(_) => None,
            _ => self.underway().map(|underway| underway.until),
        }
    }

    /// What states between password and end have in common.
    #[must_use]
    pub fn underway(&self) -> Option<&Underway> {
        match self {
            Self::AwaitAppCode(state) | Self::AwaitTokenCode(state) => Some(&state.underway),
            Self::AwaitAppEnrolment(state) => Some(&state.underway),
            Self::AwaitRecoveryCode(state) => Some(&state.underway),
            Self::AwaitSmsCode(state) => Some(&state.underway),
            Self::EnrolElsewhere(state) => Some(&state.underway),
            Self::OfferReplacement(state) => Some(&state.underway),
            Self::AwaitPassword(_) | Self::Refused(_) | Self::SignedIn(_) => None,
        }
    }

    /// Who, once a password was right.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match self {
            Self::SignedIn(state) => Some(state.person),
            _ => self.underway().map(|underway| underway.person),
        }
    }

    /// The password that was right, once one was.
    #[must_use]
    pub fn password(&self) -> Option<&PasswordProof> {
        match self {
            Self::SignedIn(state) => Some(state.proof.password()),
            _ => self.underway().map(|underway| &underway.password),
        }
    }

    /// The state's name, for the audit and the matrix.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AwaitAppCode(_) => "AwaitAppCode",
            Self::AwaitAppEnrolment(_) => "AwaitAppEnrolment",
            Self::AwaitPassword(_) => "AwaitPassword",
            Self::AwaitRecoveryCode(_) => "AwaitRecoveryCode",
            Self::AwaitSmsCode(_) => "AwaitSmsCode",
            Self::AwaitTokenCode(_) => "AwaitTokenCode",
            Self::EnrolElsewhere(_) => "EnrolElsewhere",
            Self::OfferReplacement(_) => "OfferReplacement",
            Self::Refused(_) => "Refused",
            Self::SignedIn(_) => "SignedIn",
        }
    }
}

impl Event {
    /// The event's name, for the audit and the matrix.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BudgetSpent => "BudgetSpent",
            Self::CodeTyped(_) => "CodeTyped",
            Self::CounterSpent => "CounterSpent",
            Self::FactorKept => "FactorKept",
            Self::FactorLost => "FactorLost",
            Self::NewAppAsked { .. } => "NewAppAsked",
            Self::PasswordRight(_) => "PasswordRight",
            Self::PasswordWrong => "PasswordWrong",
            Self::RecoveryCodeRefused { .. } => "RecoveryCodeRefused",
            Self::RecoveryCodeRight(_) => "RecoveryCodeRight",
            Self::ReplacementAsked => "ReplacementAsked",
            Self::ResendAsked => "ResendAsked",
            Self::Resumed => "Resumed",
            Self::SessionShown(_) => "SessionShown",
            Self::TwoCodesTyped(..) => "TwoCodesTyped",
        }
    }
}

/// Whether an existing session is enough for a demand made from a place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Enough {
    /// From the beginning.
    SignInAgain,
    /// The password still counts; something more is needed.
    StepUp,
    /// Let them through.
    Yes,
}

/// A session does not leave the building: what it proves is held against the place of *this*
/// request and the demand of *this* application.
pub fn enough(proof: &Proof, made_at: &Place, demand: Assurance, view: &View<'_>) -> Enough {
    let Some(person) = view.person.filter(|person| !person.disabled) else {
        return Enough::SignInAgain;
    };
    if proof.assurance() >= Assurance::Strong {
        return if proof.assurance() >= demand {
            Enough::Yes
        } else {
            Enough::StepUp
        };
    }
    let facts = Facts::of(person, view.place, made_at, demand);
    match view.policy.decide(&facts).0 {
        Verdict::LetIn => Enough::Yes,
        _ => Enough::StepUp,
    }
}

/// One step of the journey. Total: every state answers every event, and nothing fails.
pub fn step(state: Login, event: Event, view: &View<'_>, now: &Moment) -> Step {
    if state.until().is_some_and(|until| now.at >= until) {
        return refuse(Refusal::TooLate);
    }
    if state.underway().is_some() && view.person.is_none_or(|person| person.disabled) {
        return refuse(Refusal::Disabled);
    }
    match (state, event) {
        (Login::AwaitPassword(state), Event::PasswordRight(proof)) => {
            let (next, mut effects) = begin_underway(&state, proof, view, now);
            effects.insert(0, Effect::Audit(Happened::PasswordRight));
            (next, effects)
        }
        (Login::AwaitPassword(state), Event::SessionShown(proof)) => {
            begin_underway(&state, proof.password().clone(), view, now)
        }
        (Login::AwaitPassword(state), Event::NewAppAsked { proof, session }) => {
            state.new_app((&proof, session), view, now)
        }
        (state @ Login::AwaitPassword(_), Event::PasswordWrong) => {
            (state, vec![Effect::Audit(Happened::PasswordWrong)])
        }
        (Login::AwaitSmsCode(state), Event::CodeTyped(typed)) => state.answer(&typed, view, now),
        (Login::AwaitSmsCode(state), Event::ResendAsked) => state.resend(view, now),
        (Login::AwaitAppEnrolment(state), Event::CodeTyped(typed)) => {
            state.answer(&typed, view, now)
        }
        (Login::AwaitAppCode(state), Event::CodeTyped(typed)) => {
            let otp = view.person.and_then(|person| person.app.as_ref());
            let checked = otp.map(|otp| (otp, otp.check(&typed, now.at)));
            answer_otp(state, Method::App, checked, view, now)
        }
        (Login::AwaitTokenCode(state), Event::CodeTyped(typed)) => {
            let otp = view.person.and_then(|person| person.token.as_ref());
            let checked = otp.map(|otp| (otp, otp.check(&typed, now.at)));
            answer_otp(state, Method::Token, checked, view, now)
        }
        (Login::AwaitTokenCode(state), Event::TwoCodesTyped(first, second)) => {
            let otp = view.person.and_then(|person| person.token.as_ref());
            let checked = otp.map(|otp| (otp, otp.resynchronise(&first, &second, now.at)));
            answer_otp(state, Method::Token, checked, view, now)
        }
        (Login::AwaitAppCode(state), Event::CounterSpent) => wrong(
            state,
            Method::App,
            WrongCode::Replayed,
            now,
            Login::AwaitAppCode,
        ),
        (Login::AwaitTokenCode(state), Event::CounterSpent) => wrong(
            state,
            Method::Token,
            WrongCode::Replayed,
            now,
            Login::AwaitTokenCode,
        ),
        // Another journey has bound an app meanwhile, or the session is over that asked for this one: its
        // secret is worth nothing.
        (Login::AwaitAppEnrolment(_), Event::CounterSpent) => refuse(Refusal::TooLate),
        (Login::EnrolElsewhere(state), Event::Resumed) => state.resume(view, now),
        (state, Event::BudgetSpent) if state.underway().is_some() => refuse(Refusal::TooManyTries),
        (state, event) => recovery::step(state, event, view, now),
    }
}

/// Nothing moves; the audit knows that something came.
fn out_of_turn(state: Login, event: &Event) -> Step {
    let happened = Happened::OutOfTurn {
        event: event.name().into(),
        state: state.name().into(),
    };
    (state, vec![Effect::Audit(happened)])
}

fn refuse(reason: Refusal) -> Step {
    (
        Login::Refused(reason),
        vec![Effect::Audit(Happened::Refused { reason })],
    )
}

fn begin_underway(
    state: &AwaitPassword,
    password: PasswordProof,
    view: &View<'_>,
    now: &Moment,
) -> Step {
    let Some(person) = view.person.filter(|person| !person.disabled) else {
        return refuse(Refusal::Disabled);
    };
    let seen = if view.place.waives() {
        state.seen.clone()
    } else {
        view.place.clone()
    };
    let underway = Underway {
        demand: state.demand,
        password,
        person: person.id,
        seen,
        tries_left: TRIES_MAX,
        until: now.at.plus(JOURNEY_S),
    };
    decide(underway, person, view, now)
}

/// Asks the policy and enters what it says.
fn decide(underway: Underway, person: &Person, view: &View<'_>, now: &Moment) -> Step {
    let facts = Facts::of(person, view.place, &underway.seen, underway.demand);
    let (verdict, rule) = view.policy.decide(&facts);
    let decided = Effect::Audit(Happened::Decided {
        rule: rule.to_owned(),
        verdict,
    });
    let (next, mut effects) = match verdict {
        Verdict::LetIn => {
            let proof = Proof::password_only(underway.password.clone());
            sign_in(underway.person, proof, view.place)
        }
        Verdict::AskFactor => match person.method {
            Some(Method::Sms) => AwaitSmsCode::start(underway, person, Then::SignIn, view, now),
            Some(Method::App) => (
                Login::AwaitAppCode(AwaitCode {
                    early: None,
                    last: None,
                    underway,
                }),
                vec![],
            ),
            Some(Method::Token) => (
                Login::AwaitTokenCode(AwaitCode {
                    early: None,
                    last: None,
                    underway,
                }),
                vec![],
            ),
            None => refuse(Refusal::NoBinding),
        },
        Verdict::AskSmsThenEnrol => match person.method {
            Some(Method::Sms) => AwaitSmsCode::start(underway, person, Then::EnrolSms, view, now),
            Some(Method::App) => AwaitSmsCode::start(underway, person, Then::EnrolApp, view, now),
            Some(Method::Token) | None => refuse(Refusal::NoBinding),
        },
        Verdict::RefuseEnrolHere => EnrolElsewhere::enter(underway, view.place, now),
        Verdict::RefuseNoBinding => refuse(Refusal::NoBinding),
        Verdict::RefuseTooWeak => refuse(Refusal::TooWeak),
    };
    effects.insert(0, decided);
    (next, effects)
}

/// The one way to the end: whoever has set a factor up is in as well. [Guide 4.11]
fn sign_in(person: PersonId, proof: Proof, place: &Place) -> Step {
    let assurance = proof.assurance();
    let effects = vec![
        Effect::SignIn {
            person,
            place: place.clone(),
            proof: proof.clone(),
        },
        Effect::Audit(Happened::SignedIn { assurance }),
    ];
    (Login::SignedIn(SignedIn { person, proof }), effects)
}

/// A right second factor: the try comes back, and they are in.
fn factor_right(underway: &Underway, method: Method, view: &View<'_>, now: &Moment) -> Step {
    let factor = FactorProof::new(method, now.at);
    let proof = Proof::two_factors(underway.password.clone(), factor);
    let (next, mut effects) = sign_in(underway.person, proof, view.place);
    effects.insert(0, Effect::Audit(Happened::CodeRight { method }));
    effects.insert(0, view.refund(underway.person));
    (next, effects)
}

/// A state in which a wrong code may be followed by another try.
trait Retry: Sized {
    fn underway(&mut self) -> &mut Underway;
    fn remember(&mut self, why: WrongCode);
}

impl Retry for AwaitCode {
    fn underway(&mut self) -> &mut Underway {
        &mut self.underway
    }
    fn remember(&mut self, why: WrongCode) {
        self.last = Some(why);
    }
}

/// One try less; the last one ends the journey and tells the person.
fn wrong<S: Retry>(
    state: S,
    method: Method,
    why: WrongCode,
    now: &Moment,
    again: impl FnOnce(S) -> Login,
) -> Step {
    let clock_ahead_s = match why {
        WrongCode::ClockAhead(seconds) => Some(seconds),
        _ => None,
    };
    let happened = match why {
        WrongCode::Replayed => Happened::CodeReplayed { method },
        _ => Happened::CodeWrong {
            clock_ahead_s,
            method,
        },
    };
    one_try_less(state, (happened, why), now, again)
}

fn one_try_less<S: Retry>(
    mut state: S,
    (happened, why): (Happened, WrongCode),
    now: &Moment,
    again: impl FnOnce(S) -> Login,
) -> Step {
    let person = state.underway().person;
    let mut effects = vec![Effect::Audit(happened)];
    if why == WrongCode::Replayed {
        effects.push(Effect::Notify {
            notice: Notice::CodeUsedTwice { at: now.at },
            person,
        });
    }
    state.remember(why);
    let underway = state.underway();
    underway.tries_left = underway.tries_left.saturating_sub(1);
    if underway.tries_left > 0 {
        return (again(state), effects);
    }
    let reason = Refusal::TooManyTries;
    effects.push(Effect::Audit(Happened::Refused { reason }));
    effects.push(Effect::Notify {
        notice: Notice::SecondFactorFailed { at: now.at },
        person,
    });
    (Login::Refused(reason), effects)
}

/// The answer of an app or a token. A factor that is gone by now answers nothing.
fn answer_otp(
    state: AwaitCode,
    method: Method,
    checked: Option<(&Otp, Checked)>,
    view: &View<'_>,
    now: &Moment,
) -> Step {
    let again = match method {
        Method::Token => Login::AwaitTokenCode,
        Method::App | Method::Sms => Login::AwaitAppCode,
    };
    match checked {
        None => refuse(Refusal::NoBinding),
        Some((otp, Checked::Right { counter, drift })) => {
            let (next, mut effects) = factor_right(&state.underway, method, view, now);
            effects.insert(
                0,
                Effect::SpendCounter {
                    counter,
                    drift,
                    factor: otp.id,
                },
            );
            (next, effects)
        }
        Some((_, Checked::Replayed)) => wrong(state, method, WrongCode::Replayed, now, again),
        Some((otp, Checked::Wrong { clock_ahead_s })) => {
            let early = clock_ahead_s.and_then(|seconds| otp.yet_to_come(seconds, now.at));
            // Who guesses must not learn that a code will be right: two in a row are no guess.
            let told = early.is_none() || state.early.is_some_and(|before| early != Some(before));
            let why = clock_ahead_s.filter(|_| told);
            let why = why.map_or(WrongCode::Wrong, WrongCode::ClockAhead);
            let (next, mut effects) = wrong(AwaitCode { early, ..state }, method, why, now, again);
            if let Some(Effect::Audit(Happened::CodeWrong {
                clock_ahead_s: desk,
                ..
            })) = effects.first_mut()
            {
                *desk = clock_ahead_s;
            }
            (next, effects)
        }
    }
}

#[cfg(test)]
mod tests;
