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
    pub fn of(factor: Option<impl Into<Factor>>) -> Self {
        match factor {
            None => Self::Password,
            Some(_) => Self::Strong,
        }
    }
}

/// What a second factor was.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Factor {
    /// A code of their app.
    App,
    /// One of the codes that they keep for the day on which the rest is lost.
    RecoveryCode,
    /// A code by SMS.
    Sms,
    /// A code of their hardware token.
    Token,
}

impl From<Method> for Factor {
    fn from(method: Method) -> Self {
        match method {
            Method::App => Self::App,
            Method::Sms => Self::Sms,
            Method::Token => Self::Token,
        }
    }
}

/// [RFC 8176 §2] names of a password, alone or with this second factor: `pwd`, and `sms` or `otp` and
/// `mfa`. There is no name for a code that was kept on paper: nothing is told but that there were two.
#[must_use]
pub fn amr(factor: Option<impl Into<Factor>>) -> Vec<&'static str> {
    match factor.map(Into::into) {
        None => vec!["pwd"],
        Some(Factor::RecoveryCode) => vec!["pwd", "mfa"],
        Some(Factor::Sms) => vec!["pwd", "sms", "mfa"],
        Some(Factor::App | Factor::Token) => vec!["pwd", "otp", "mfa"],
    }
}

/// A password was right.
///
/// Nothing but a check makes it; the loud constructor is for that check.
///
/// ```compile_fail
/// let cheat = journey::PasswordProof { at: journey::Timestamp(0), era: 0, _checked: () };
/// ```
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PasswordProof {
    at: Timestamp,
    #[serde(default)]
    era: u32,
    _checked: (),
}

impl PasswordProof {
    /// Says that the password was verified just now. Callers are listed in `cargo xtask tidy`.
    #[must_use]
    pub fn assertion(at: Timestamp) -> Self {
        Self {
            at,
            era: 0,
            _checked: (),
        }
    }

    /// [L05] The same in an era of its person: how often what they can prove was taken back before. In
    /// another one it opens nothing.
    #[must_use]
    pub fn in_era(self, era: u32) -> Self {
        Self { era, ..self }
    }

    /// See [`PasswordProof::in_era`].
    #[must_use]
    pub fn era(&self) -> u32 {
        self.era
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
    #[serde(rename = "method")]
    factor: Factor,
    _checked: (),
}

impl FactorProof {
    pub(crate) fn new(factor: impl Into<Factor>, at: Timestamp) -> Self {
        Self {
            at,
            factor: factor.into(),
            _checked: (),
        }
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Which.
    #[must_use]
    pub fn factor(&self) -> Factor {
        self.factor
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
        Assurance::of(self.which())
    }

    /// The names of what was proven, as [`amr`] gives them.
    #[must_use]
    pub fn amr(&self) -> Vec<&'static str> {
        amr(self.which())
    }

    fn which(&self) -> Option<Factor> {
        self.factor.as_ref().map(FactorProof::factor)
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

    /// The same second factor, if there was one, beside a password that was proven since.
    #[must_use]
    pub fn with_password(&self, password: PasswordProof) -> Self {
        Self {
            factor: self.factor.clone(),
            password,
        }
    }

    /// When they last proved something: `auth_time`.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.factor
            .as_ref()
            .map_or(self.password.at, |factor| factor.at.max(self.password.at))
    }
}
