//! A code by SMS: sent, sent again, answered.

use serde::{Deserialize, Serialize};

use super::{
    AwaitAppEnrolment, EnrolElsewhere, Login, Refusal, Retry, Step, Underway, View, WrongCode,
    enrolment::enrolled, factor_right, refuse, wrong,
};
use crate::{
    effect::Effect,
    factor::{
        sms::{self, SmsCode},
        typed::Typed,
    },
    happened::Happened,
    moment::{Moment, Timestamp},
    person::{Method, Person},
    proof::FactorProof,
};

/// See [`Login::AwaitSmsCode`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AwaitSmsCode {
    /// What was sent.
    pub code: SmsCode,
    /// Why the last code was refused, for the page.
    pub last: Option<WrongCode>,
    /// How often it was sent.
    pub sends: u8,
    /// When it was last sent.
    pub sent_at: Timestamp,
    /// What follows a right code.
    pub then: Then,
    /// The rest.
    pub underway: Underway,
}

/// What follows a right SMS code.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// An app is bound.
    EnrolApp,
    /// The number is confirmed: it is the method they chose, and they are in. [Guide 3.6]
    EnrolSms,
    /// They are in.
    SignIn,
}

impl Retry for AwaitSmsCode {
    fn underway(&mut self) -> &mut Underway {
        &mut self.underway
    }
    fn remember(&mut self, why: WrongCode) {
        self.last = Some(why);
    }
}

impl AwaitSmsCode {
    pub(super) fn start(
        underway: Underway,
        person: &Person,
        then: Then,
        view: &View<'_>,
        now: &Moment,
    ) -> Step {
        let Some(to) = person.phone.clone() else {
            return refuse(Refusal::NoBinding);
        };
        if !view.sms_allowed {
            return refuse(Refusal::TooManyMessages);
        }
        let code = SmsCode::draw(&now.dice, now.at);
        let send = Effect::SendSmsCode {
            code: code.clone(),
            person: person.id,
            to,
        };
        let state = Self {
            code,
            last: None,
            sends: 1,
            sent_at: now.at,
            then,
            underway,
        };
        (
            Login::AwaitSmsCode(state),
            vec![send, Effect::Audit(Happened::SmsSent { sends_before: 0 })],
        )
    }

    pub(super) fn answer(self, typed: &Typed, view: &View<'_>, now: &Moment) -> Step {
        let right = self.code.matches(typed);
        if !right || now.at >= self.code.until {
            let why = if right {
                WrongCode::Expired
            } else {
                WrongCode::Wrong
            };
            return wrong(self, Method::Sms, why, now, Login::AwaitSmsCode);
        }
        let person = self.underway.person;
        match self.then {
            Then::SignIn => factor_right(&self.underway, Method::Sms, view, now),
            // The place may have changed since the code was sent.
            Then::EnrolSms | Then::EnrolApp if view.place.refuses_enrolment() => {
                EnrolElsewhere::enter(self.underway, view.place, now)
            }
            Then::EnrolSms => {
                let place = view.place.clone();
                let (next, mut effects) = factor_right(&self.underway, Method::Sms, view, now);
                effects.splice(
                    0..0,
                    enrolled(Effect::EnrolSms { person, place }, person, Method::Sms, now),
                );
                (next, effects)
            }
            Then::EnrolApp => {
                let sms = FactorProof::new(Method::Sms, now.at);
                let next = AwaitAppEnrolment::start(self.underway, sms, now);
                let effects = vec![
                    view.refund(person),
                    Effect::Audit(Happened::CodeRight {
                        method: Method::Sms,
                    }),
                ];
                (next, effects)
            }
        }
    }

    /// [Decision 9] The same code again; a new one only when its time is over. Tries left stay.
    pub(super) fn resend(mut self, view: &View<'_>, now: &Moment) -> Step {
        let Some(to) = view.person.and_then(|person| person.phone.clone()) else {
            return refuse(Refusal::NoBinding);
        };
        if !self.may_resend(now.at) || !view.sms_allowed {
            return (Login::AwaitSmsCode(self), vec![]);
        }
        if now.at >= self.code.until {
            self.code = SmsCode::draw(&now.dice, now.at);
        }
        let sent = Effect::Audit(Happened::SmsSent {
            sends_before: self.sends,
        });
        let send = Effect::SendSmsCode {
            code: self.code.clone(),
            person: self.underway.person,
            to,
        };
        self.sends = self.sends.saturating_add(1);
        self.sent_at = now.at;
        self.last = None;
        (Login::AwaitSmsCode(self), vec![send, sent])
    }

    /// Whether the person may ask for the code again.
    #[must_use]
    pub fn may_resend(&self, now: Timestamp) -> bool {
        self.sends < sms::SENDS_MAX && now >= self.sent_at.plus(sms::RESEND_AFTER_S)
    }
}
