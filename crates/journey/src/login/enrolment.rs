//! An app is bound: at the first sign-in, in place of what somebody has, or elsewhere where it may not be here.

use serde::{Deserialize, Serialize};

use super::{
    AwaitPassword, JOURNEY_S, Login, OfferReplacement, RESUME_S, Refusal, Retry, Step, TRIES_MAX,
    Underway, View, WrongCode, decide, factor_right, refuse, wrong,
};
use crate::{
    effect::{Effect, Notice},
    factor::{
        otp::{Checked, Otp},
        typed::Typed,
    },
    happened::Happened,
    moment::Moment,
    own,
    person::{FactorId, Method, PersonId},
    proof::{Factor, FactorProof, Proof},
    zone::Place,
};

/// See [`Login::AwaitAppEnrolment`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AwaitAppEnrolment {
    /// Why the last code was refused, for the page.
    pub last: Option<WrongCode>,
    /// What will be bound once it has shown a right code.
    pub pending: Otp,
    /// Whether it takes the place of what they prove with now, because they asked for that.
    #[serde(default)]
    pub replaces: bool,
    /// The key of the session in which they did: when that is over, so is this.
    #[serde(default)]
    pub session: Option<[u8; 32]>,
    /// How many recovery codes are left, if it takes the place of what is lost.
    #[serde(default)]
    pub codes_left: Option<u8>,
    /// What was proven before: the SMS; or what the app takes the place of, by itself or by a recovery code.
    pub sms: FactorProof,
    /// The rest.
    pub underway: Underway,
}

/// See [`Login::EnrolElsewhere`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EnrolElsewhere {
    /// Where they are.
    pub place: Place,
    /// The rest.
    pub underway: Underway,
}

impl Retry for AwaitAppEnrolment {
    fn underway(&mut self) -> &mut Underway {
        &mut self.underway
    }
    fn remember(&mut self, why: WrongCode) {
        self.last = Some(why);
    }
}

impl AwaitPassword {
    /// [L01] What they have proves it, fresh; what it becomes is bound once it has shown a right code, and only
    /// outside. [Guide 1.2]
    pub(super) fn new_app(
        self,
        (proof, session): (&Proof, [u8; 32]),
        view: &View<'_>,
        now: &Moment,
    ) -> Step {
        let Some(person) = view.person.filter(|person| !person.disabled) else {
            return refuse(Refusal::Disabled);
        };
        let may = own::may_change(proof, person, now.at) && own::may_bind(person, view.place);
        let Some(factor) = proof.factor().filter(|_| may) else {
            return refuse(Refusal::NoBinding);
        };
        let underway = Underway {
            demand: self.demand,
            password: proof.password().clone(),
            person: person.id,
            seen: view.place.clone(),
            tries_left: TRIES_MAX,
            until: now.at.plus(JOURNEY_S),
        };
        let mut next = AwaitAppEnrolment::start(underway, factor.clone(), now);
        if let Login::AwaitAppEnrolment(state) = &mut next {
            state.replaces = true;
            state.session = Some(session);
        }
        (next, vec![Effect::Audit(Happened::NewAppBegun)])
    }
}

impl AwaitAppEnrolment {
    pub(super) fn start(mut underway: Underway, sms: FactorProof, now: &Moment) -> Login {
        let mut id = [0_u8; 16];
        // The seed takes the first twenty bytes of the dice; the id is the rest and may be known.
        for (to, from) in id
            .iter_mut()
            .zip(now.dice.iter().skip(20).chain(underway.person.0.iter()))
        {
            *to = *from;
        }
        underway.tries_left = TRIES_MAX;
        let pending = Otp::draw_for_app(FactorId(id), &now.dice);
        Login::AwaitAppEnrolment(Self {
            last: None,
            pending,
            replaces: false,
            session: None,
            codes_left: None,
            sms,
            underway,
        })
    }

    /// The network changed meanwhile. A recovery code that was used for this still counts; what is bound
    /// already is not taken to another day, nor out of the session that asked.
    fn not_here(self, place: &Place, now: &Moment) -> Step {
        if self.replaces {
            return refuse(Refusal::NoBinding);
        }
        if self.sms.factor() == Factor::RecoveryCode {
            let offer = OfferReplacement {
                left: self.codes_left.unwrap_or_default(),
                recovery: self.sms,
                underway: self.underway,
            };
            return (Login::OfferReplacement(offer), vec![]);
        }
        EnrolElsewhere::enter(self.underway, place, now)
    }

    pub(super) fn answer(self, typed: &Typed, view: &View<'_>, now: &Moment) -> Step {
        // Begun by a node that did not write down in which session: nobody can tell whether it lives.
        if self.replaces && self.session.is_none() {
            return refuse(Refusal::TooLate);
        }
        if view.place.refuses_enrolment() {
            return self.not_here(view.place, now);
        }
        match self.pending.check(typed, now.at) {
            Checked::Right { counter, drift } => {
                let person = self.underway.person;
                let otp = Otp {
                    drift,
                    last_counter: Some(counter),
                    ..self.pending
                };
                let (otp, place) = (Box::new(otp), view.place.clone());
                let replaces = self.replaces || self.sms.factor() == Factor::RecoveryCode;
                let bind = match replaces {
                    true => Effect::ReplaceWithApp {
                        otp,
                        person,
                        place,
                        session: self.session,
                    },
                    false => Effect::EnrolApp { otp, person, place },
                };
                let former = view.person.and_then(|person| person.method);
                let former = former.filter(|_| replaces);
                let underway = match replaces {
                    true => self.underway.in_next_era(),
                    false => self.underway,
                };
                let (next, mut effects) = factor_right(&underway, Method::App, view, now);
                effects.splice(0..0, enrolled(bind, person, Method::App, now));
                let replaced = |former| Effect::Audit(Happened::FactorReplaced { former });
                effects.extend(former.map(replaced));
                (next, effects)
            }
            Checked::Replayed => wrong(
                self,
                Method::App,
                WrongCode::Replayed,
                now,
                Login::AwaitAppEnrolment,
            ),
            Checked::Wrong { clock_ahead_s } => {
                let why = clock_ahead_s.map_or(WrongCode::Wrong, WrongCode::ClockAhead);
                wrong(self, Method::App, why, now, Login::AwaitAppEnrolment)
            }
        }
    }
}

impl EnrolElsewhere {
    pub(super) fn enter(underway: Underway, place: &Place, now: &Moment) -> Step {
        let underway = Underway {
            until: now.at.plus(RESUME_S),
            ..underway
        };
        let state = Self {
            place: place.clone(),
            underway,
        };
        (
            Login::EnrolElsewhere(state),
            vec![Effect::Audit(Happened::ResumeOffered)],
        )
    }

    /// The same point, somewhere else: the person is looked at again, at this place.
    pub(super) fn resume(self, view: &View<'_>, now: &Moment) -> Step {
        let Some(person) = view.person else {
            return refuse(Refusal::Disabled);
        };
        if view.place.refuses_enrolment() && !person.enrolled() {
            let state = Self {
                place: view.place.clone(),
                underway: self.underway,
            };
            return (Login::EnrolElsewhere(state), vec![]);
        }
        let underway = Underway {
            until: now.at.plus(JOURNEY_S),
            seen: view.place.clone(),
            ..self.underway
        };
        let (next, mut effects) = decide(underway, person, view, now);
        effects.insert(0, Effect::Audit(Happened::Resumed));
        (next, effects)
    }
}

/// A factor is bound, written down, and told to the person.
pub(super) fn enrolled(
    bind: Effect,
    person: PersonId,
    method: Method,
    now: &Moment,
) -> [Effect; 3] {
    let notice = Notice::FactorBound { at: now.at, method };
    [
        bind,
        Effect::Audit(Happened::Enrolled { method }),
        Effect::Notify { notice, person },
    ]
}
