//! All that a rule of the policy may look at; few enough to enumerate.

use serde::{Deserialize, Serialize};

use crate::{
    person::{Method, Person, Role},
    proof::Assurance,
    zone::{Enrolment, Place, SecondFactor},
};

/// The case at hand.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Facts {
    /// What the application must get at least.
    pub demand: Assurance,
    /// Whether the person's method is bound.
    pub enrolled: bool,
    /// Whether one may be bound from here.
    pub enrolment: Enrolment,
    /// What they chose at activation.
    pub method: Option<Method>,
    /// Whether a number was fixed at activation.
    pub phone: bool,
    /// What they are.
    pub role: Role,
    /// Whether this and every place seen in this journey waive the second factor.
    pub second_factor: SecondFactor,
}

impl Facts {
    /// The facts about somebody at a place, for a demand. `seen` is the weakest place before.
    #[must_use]
    pub fn of(person: &Person, place: &Place, seen: &Place, demand: Assurance) -> Self {
        Self {
            demand,
            enrolled: person.enrolled(),
            enrolment: if place.refuses_enrolment() {
                Enrolment::Refused
            } else {
                Enrolment::Allowed
            },
            method: person.method,
            phone: person.phone.is_some(),
            role: person.role,
            second_factor: if place.waives_with(seen) {
                SecondFactor::NotAsked
            } else {
                SecondFactor::Asked
            },
        }
    }

    /// Every case that can occur.
    pub fn all() -> impl Iterator<Item = Self> {
        let methods = [
            None,
            Some(Method::Sms),
            Some(Method::App),
            Some(Method::Token),
        ];
        let roles = [Role::Pupil, Role::Teacher, Role::Staff, Role::Admin];
        let places = [
            (SecondFactor::NotAsked, Enrolment::Refused),
            (SecondFactor::NotAsked, Enrolment::Allowed),
            (SecondFactor::Asked, Enrolment::Refused),
            (SecondFactor::Asked, Enrolment::Allowed),
        ];
        places
            .into_iter()
            .flat_map(move |(second_factor, enrolment)| {
                roles.into_iter().flat_map(move |role| {
                    methods.into_iter().flat_map(move |method| {
                        [(false, false), (false, true), (true, false), (true, true)]
                            .into_iter()
                            .flat_map(move |(enrolled, phone)| {
                                Assurance::ALL.into_iter().map(move |demand| Self {
                                    demand,
                                    enrolled,
                                    enrolment,
                                    method,
                                    phone,
                                    role,
                                    second_factor,
                                })
                            })
                    })
                })
            })
            .filter(Self::can_occur)
    }

    /// Nobody is enrolled without a method, nor by SMS without a number.
    fn can_occur(&self) -> bool {
        match self.method {
            None => !self.enrolled,
            Some(Method::Sms) => self.phone || !self.enrolled,
            Some(Method::App | Method::Token) => true,
        }
    }
}

/// What a rule asks of one fact; nothing asked fits every case.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct When {
    /// One of these demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demand: Option<Vec<Assurance>>,
    /// Bound, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolled: Option<bool>,
    /// Allowed here, or refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<Enrolment>,
    /// One of these methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Vec<Method>>,
    /// A number was fixed at activation, or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<bool>,
    /// One of these roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Vec<Role>>,
    /// Asked here, or not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_factor: Option<SecondFactor>,
}

impl When {
    /// Whether a case fits.
    #[must_use]
    pub fn fits(&self, facts: &Facts) -> bool {
        self.demand
            .as_ref()
            .is_none_or(|any| any.contains(&facts.demand))
            && self.enrolled.is_none_or(|is| is == facts.enrolled)
            && self.enrolment.is_none_or(|is| is == facts.enrolment)
            && self
                .method
                .as_ref()
                .is_none_or(|any| facts.method.is_some_and(|m| any.contains(&m)))
            && self.phone.is_none_or(|is| is == facts.phone)
            && self
                .role
                .as_ref()
                .is_none_or(|any| any.contains(&facts.role))
            && self
                .second_factor
                .is_none_or(|is| is == facts.second_factor)
    }
}
