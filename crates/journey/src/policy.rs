//! Who must prove what, as data: rules over [`Facts`], the first that fits decides.
//!
//! A policy with a gap, a dead rule, or a rule that would let somebody in who must not be, does not
//! start. So no edit of the file can weaken what [`unsafe_because`] forbids.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    factor::password::PasswordRules,
    facts::{Facts, When},
    person::{Method, Role},
    proof::Assurance,
    zone::{Enrolment, SecondFactor},
};

const VALAIS: &str = include_str!("../presets/valais.toml");
const RECOMMENDED: &str = include_str!("../presets/recommended.toml");

/// What happens next for a case.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[must_use]
pub enum Verdict {
    /// The person's own method is asked for.
    AskFactor,
    /// A code by SMS proves the phone; then the method they chose is bound.
    AskSmsThenEnrol,
    /// The password is enough.
    LetIn,
    /// Binding is refused here and goes on elsewhere.
    RefuseEnrolHere,
    /// There is nothing that belongs to this person to bind with.
    RefuseNoBinding,
    /// Nothing this person has proves as much as the application asks.
    RefuseTooWeak,
}

/// One line of the policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A sentence: audit, support and `furka policy explain` quote it.
    pub name: String,
    /// What follows.
    pub then: Verdict,
    /// For which cases.
    #[serde(default)]
    pub when: When,
}

/// How long a session lives, in seconds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SessionLimits {
    /// In all: at most a day.
    pub absolute_s: u32,
    /// Without a request.
    pub idle_s: u32,
}

/// Whether there are recovery codes. The guide knows none, so a policy that says nothing has none.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryCodes {
    /// None are made, and none are taken.
    #[default]
    Off,
    /// Whoever has proven two factors outside may make a set; each code stands for a second factor once.
    Offered,
}

/// `policy.toml`, checked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Rules for new passwords.
    pub password: PasswordRules,
    /// The preset this started from, for people: `valais` or `recommended`.
    pub preset: String,
    /// Whether people may keep codes for the day on which phone or token is lost.
    #[serde(default)]
    pub recovery_codes: RecoveryCodes,
    /// In order.
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
    /// How long sessions live.
    pub session: SessionLimits,
}

/// Why a policy does not start.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// A rule that never decides.
    #[error(
        "rule «{name}» never decides: an earlier rule takes all its cases; move it up or remove it"
    )]
    DeadRule {
        /// Its name.
        name: String,
    },
    /// Two rules of one name.
    #[error("two rules are called «{name}»: give each its own sentence")]
    DoubleName {
        /// The name.
        name: String,
    },
    /// A case without a rule.
    #[error("no rule decides this case: {facts:?}; add one, or let the last rule have no `when`")]
    Gap {
        /// The first such case.
        facts: Box<Facts>,
    },
    /// Password or session limits that make no sense.
    #[error("{0}")]
    Limits(&'static str),
    /// Not TOML, an unknown key, a missing key.
    #[error("the policy cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A rule that does what no policy may do.
    #[error("rule «{name}» {why}; first such case: {facts:?}")]
    Unsafe {
        /// The first case.
        facts: Box<Facts>,
        /// The rule.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
}

impl Policy {
    /// Reads and checks `policy.toml`.
    ///
    /// # Errors
    /// See [`PolicyError`]: a gap, a dead rule, or an unsafe rule is named with its first case.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text)?;
        policy.check_limits()?;
        for (at, rule) in policy.rules.iter().enumerate() {
            if policy
                .rules
                .iter()
                .take(at)
                .any(|earlier| earlier.name == rule.name)
            {
                return Err(PolicyError::DoubleName {
                    name: rule.name.clone(),
                });
            }
        }
        let mut alive = vec![false; policy.rules.len()];
        for facts in Facts::all() {
            let Some((at, rule)) = policy
                .rules
                .iter()
                .enumerate()
                .find(|(_, r)| r.when.fits(&facts))
            else {
                return Err(PolicyError::Gap {
                    facts: Box::new(facts),
                });
            };
            if let Some(why) = unsafe_because(rule.then, &facts) {
                return Err(PolicyError::Unsafe {
                    facts: Box::new(facts),
                    name: rule.name.clone(),
                    why,
                });
            }
            if let Some(alive) = alive.get_mut(at) {
                *alive = true;
            }
        }
        match policy.rules.iter().zip(alive).find(|(_, alive)| !alive) {
            Some((rule, _)) => Err(PolicyError::DeadRule {
                name: rule.name.clone(),
            }),
            None => Ok(policy),
        }
    }

    /// The guide to the letter.
    #[must_use]
    pub fn valais() -> Self {
        Self::built_in(VALAIS)
    }

    /// Current practice where the guide is weaker.
    #[must_use]
    pub fn recommended() -> Self {
        Self::built_in(RECOMMENDED)
    }

    /// The commented text of a preset, for `furka init`; none for an unknown name.
    #[must_use]
    pub fn preset_text(name: &str) -> Option<&'static str> {
        match name {
            "recommended" => Some(RECOMMENDED),
            "valais" => Some(VALAIS),
            _ => None,
        }
    }

    /// The verdict for a case, and the rule that gave it.
    pub fn decide(&self, facts: &Facts) -> (Verdict, &str) {
        let rule = self.rules.iter().find(|rule| rule.when.fits(facts));
        match rule.filter(|rule| unsafe_because(rule.then, facts).is_none()) {
            Some(rule) => (rule.then, &rule.name),
            None => (Verdict::RefuseTooWeak, "no safe rule applies"),
        }
    }

    fn built_in(text: &str) -> Self {
        match Self::parse(text) {
            Ok(policy) => policy,
            Err(error) => unreachable!("both presets are parsed in tests: {error}"),
        }
    }

    fn check_limits(&self) -> Result<(), PolicyError> {
        let password = &self.password;
        let session = &self.session;
        let wrong = [
            (
                password.length_min < 8,
                "`password.length_min` below 8 is no password",
            ),
            (
                password.length_max < password.length_min,
                "`password.length_max` is below `length_min`",
            ),
            (
                password.length_max > 256,
                "`password.length_max` above 256 cannot be kept",
            ),
            (
                password.classes_min > 4,
                "`password.classes_min` is at most 4",
            ),
            (password.history > 24, "`password.history` is at most 24"),
            (
                session.absolute_s > 86_400,
                "`session.absolute_s` is at most a day (86400)",
            ),
            (
                session.idle_s > session.absolute_s,
                "`session.idle_s` is above `absolute_s`",
            ),
            (
                session.idle_s < 60,
                "`session.idle_s` below a minute signs everybody out",
            ),
        ];
        match wrong.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, why)) => Err(PolicyError::Limits(why)),
            None => Ok(()),
        }
    }
}

/// What no rule may do, whoever wrote it.
fn unsafe_because(verdict: Verdict, facts: &Facts) -> Option<&'static str> {
    let phone_method = matches!(facts.method, Some(Method::Sms | Method::App));
    match verdict {
        Verdict::LetIn if facts.demand > Assurance::Password => {
            Some("lets a password in where the application asks for more")
        }
        Verdict::LetIn if facts.role == Role::Admin => {
            Some("lets administrators in with a password")
        }
        Verdict::LetIn if facts.second_factor == SecondFactor::Asked => {
            Some("lets a password in where the second factor is asked for")
        }
        Verdict::AskFactor if !facts.enrolled => Some("asks for a factor that is not bound"),
        Verdict::AskFactor | Verdict::AskSmsThenEnrol if facts.demand > Assurance::Strong => {
            Some("asks for a factor that cannot prove as much as the application asks")
        }
        Verdict::AskSmsThenEnrol if facts.enrolled => Some("binds again what is bound"),
        Verdict::AskSmsThenEnrol if !facts.phone => {
            Some("would bind with a password alone: no number was fixed at activation")
        }
        Verdict::AskSmsThenEnrol if !phone_method => {
            Some("binds a method that is not bound by SMS")
        }
        Verdict::AskSmsThenEnrol if facts.enrolment == Enrolment::Refused => {
            Some("binds where binding is refused")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
