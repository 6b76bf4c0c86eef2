//! Values that only a check can make, and the assurance that follows from them.
//!
//! Where somebody is never makes a proof stronger: the network is not in here.

use serde::{Deserialize, Serialize};

use crate::{moment::Timestamp, person::Method};

/// How sure we are that it was them. Ordered: later is stronger.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assurance {
    /// A password and nothing else, wherever it was typed.
    Password,
    /// A badge and a PIN, or a teacher's word.
    Vouched,
    /// Two factors.
    Strong,
    /// A passkey with user verification.
    PhishingResistant,
}

impl Assurance {
    /// All, from weak to strong.
    pub const ALL: [Self; 4] = [
        Self::Password,
        Self::Vouched,
        Self::Strong,
        Self::PhishingResistant,
    ];

    /// What a password is worth, alone or together with this second factor.
    #[must_use]
    pub const fn of(factor: Option<Method>) -> Self {
        match factor {
            None => Self::Password,
            Some(_) => Self::Strong,
        }
    }
}

/// [RFC 8176 §2] names of a password, alone or with this second factor: `pwd`, and `sms` or `otp` and
/// `mfa`.
#[must_use]
pub fn amr(factor: Option<Method>) -> Vec<&'static str> {
    match factor {
        None => vec!["pwd"],
        Some(Method::Sms) => vec!["pwd", "sms", "mfa"],
        Some(Method::App | Method::Token) => vec!["pwd", "otp", "mfa"],
    }
}

/// A password was right.
///
/// Nothing but a check makes it; the loud constructor is for that check.
///
/// ```compile_fail
/// let cheat = journey::PasswordProof { at: journey::Timestamp(0), _checked: () };
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PasswordProof {
    at: Timestamp,
    _checked: (),
}

impl PasswordProof {
    /// Says that the password was verified just now. Callers are listed in `cargo xtask tidy`.
    #[must_use]
    pub fn assertion(at: Timestamp) -> Self {
        Self { at, _checked: () }
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// A second factor was right. Made by this crate's journeys only.
///
/// ```compile_fail
/// let cheat = journey::FactorProof::new(journey::Method::Sms, journey::Timestamp(0));
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct FactorProof {
    at: Timestamp,
    method: Method,
    _checked: (),
}

impl FactorProof {
    pub(crate) fn new(method: Method, at: Timestamp) -> Self {
        Self {
            at,
            method,
            _checked: (),
        }
    }

    /// Which.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }
}

/// What somebody has proven. `acr` and `amr` are computed from this and from nothing else.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Proof {
    factor: Option<FactorProof>,
    password: PasswordProof,
}

impl Proof {
    pub(crate) fn password_only(password: PasswordProof) -> Self {
        Self {
            factor: None,
            password,
        }
    }

    pub(crate) fn two_factors(password: PasswordProof, factor: FactorProof) -> Self {
        Self {
            factor: Some(factor),
            password,
        }
    }

    /// How much that is.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        Assurance::of(self.method())
    }

    /// The names of what was proven, as [`amr`] gives them.
    #[must_use]
    pub fn amr(&self) -> Vec<&'static str> {
        amr(self.method())
    }

    fn method(&self) -> Option<Method> {
        self.factor.as_ref().map(FactorProof::method)
    }

    /// The second factor, if there was one.
    #[must_use]
    pub fn factor(&self) -> Option<&FactorProof> {
        self.factor.as_ref()
    }

    /// The password part.
    #[must_use]
    pub fn password(&self) -> &PasswordProof {
        &self.password
    }

    /// When they last proved something: `auth_time`.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.factor
            .as_ref()
            .map_or(self.password.at, |factor| factor.at.max(self.password.at))
    }
}
