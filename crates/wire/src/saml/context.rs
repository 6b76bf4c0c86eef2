//! Authentication contexts: what a request asks for, and the class that a proof has earned.

use serde::{Deserialize, Serialize};

use crate::oauth::client::Assurance;
use crate::oidc::{ACR_MFA, ACR_SFA};

/// How the listed classes are meant [Core §3.3.2.2.1].
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Comparison {
    /// One of them.
    #[default]
    Exact,
    /// At least as strong as one of them.
    Minimum,
    /// As strong as possible, without exceeding one of them.
    Maximum,
    /// Stronger than each of them.
    Better,
}

/// `RequestedAuthnContext`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Requested {
    /// How the classes are meant.
    pub comparison: Comparison,
    /// The classes, best liked first; unknown ones among them.
    pub classes: Vec<String>,
}

/// A password over a protected connection.
pub const PASSWORD: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport";
/// Microsoft's class for several factors.
pub const MICROSOFT_MFA: &str = "http://schemas.microsoft.com/claims/multipleauthn";

/// The classes that can be earned here, and by what.
const CLASSES: [(&str, Assurance); 6] = [
    (PASSWORD, Assurance::Password),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        Assurance::Password,
    ),
    (
        "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified",
        Assurance::Password,
    ),
    (ACR_SFA, Assurance::Password),
    (ACR_MFA, Assurance::Strong),
    (MICROSOFT_MFA, Assurance::Strong),
];

impl Requested {
    /// The least assurance with which the request can be answered; none when it never can.
    #[must_use]
    pub fn demand(&self) -> Option<Assurance> {
        match self.comparison {
            Comparison::Exact | Comparison::Minimum => self.known().map(|(_, need)| need).min(),
            // Whatever is proven, less of it can be said.
            Comparison::Maximum => self.known().next().map(|_| Assurance::Password),
            Comparison::Better => match self.strongest()? {
                Assurance::Password => Some(Assurance::Strong),
                _ => None,
            },
        }
    }

    /// The class to answer with when `reached` is proven; none when it does not satisfy the request.
    #[must_use]
    pub fn answer(&self, reached: Assurance) -> Option<&'static str> {
        if reached < self.demand()? {
            return None;
        }
        match self.comparison {
            // [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be the exact match of at least one of the authentication contexts specified"
            Comparison::Exact => self.earned(reached),
            // [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be at least as strong (as deemed by the responder) as one of the authentication contexts specified"
            Comparison::Minimum => {
                let listed = self
                    .known()
                    .filter(|(_, need)| *need == level(reached))
                    .map(|(class, _)| class)
                    .next();
                Some(listed.unwrap_or(earned(reached)))
            }
            // [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be as strong as possible (as deemed by the responder) without exceeding the strength of at least one of the authentication contexts specified"
            Comparison::Maximum => Some(earned(reached.min(self.strongest()?))),
            // [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be stronger (as deemed by the responder) than any one of the authentication contexts specified"
            Comparison::Better => Some(earned(reached)),
        }
    }

    /// The classes of the request that can be earned here, in its order.
    fn known(&self) -> impl Iterator<Item = (&'static str, Assurance)> {
        self.classes
            .iter()
            .filter_map(|class| CLASSES.into_iter().find(|(known, _)| known == class))
    }

    fn earned(&self, reached: Assurance) -> Option<&'static str> {
        self.known()
            .find(|(_, need)| *need <= reached)
            .map(|(class, _)| class)
    }

    fn strongest(&self) -> Option<Assurance> {
        self.known().map(|(_, need)| need).max()
    }
}

/// The class for a proof when nothing was asked for: always exactly one.
#[must_use]
pub fn earned(reached: Assurance) -> &'static str {
    match level(reached) {
        Assurance::Strong => ACR_MFA,
        _ => PASSWORD,
    }
}

/// A person who vouches for another is no factor; a class beyond two factors has no name here.
const fn level(reached: Assurance) -> Assurance {
    match reached {
        Assurance::Password | Assurance::Vouched => Assurance::Password,
        Assurance::Strong | Assurance::PhishingResistant => Assurance::Strong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(comparison: Comparison, classes: &[&str]) -> Requested {
        Requested {
            comparison,
            classes: classes.iter().map(|&class| class.to_owned()).collect(),
        }
    }

    const KERBEROS: &str = "urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos";

    /// [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be the exact match of at least one of the authentication contexts specified"
    #[test]
    fn exact_answers_a_listed_class_that_is_earned() {
        let one = asked(Comparison::Exact, &[KERBEROS, MICROSOFT_MFA, PASSWORD]);
        assert_eq!(one.demand(), Some(Assurance::Password));
        assert_eq!(one.answer(Assurance::Password), Some(PASSWORD));
        assert_eq!(one.answer(Assurance::Strong), Some(MICROSOFT_MFA));
        let strong = asked(Comparison::Exact, &[MICROSOFT_MFA]);
        assert_eq!(strong.demand(), Some(Assurance::Strong));
        assert_eq!(strong.answer(Assurance::Vouched), None);
        assert_eq!(asked(Comparison::Exact, &[KERBEROS]).demand(), None);
    }

    /// [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be at least as strong (as deemed by the responder) as one of the authentication contexts specified"
    #[test]
    fn minimum_answers_what_is_earned() {
        let one = asked(Comparison::Minimum, &[PASSWORD]);
        assert_eq!(one.answer(Assurance::Password), Some(PASSWORD));
        assert_eq!(one.answer(Assurance::Strong), Some(ACR_MFA));
        let strong = asked(Comparison::Minimum, &[ACR_MFA, PASSWORD]);
        assert_eq!(strong.answer(Assurance::PhishingResistant), Some(ACR_MFA));
        assert_eq!(
            asked(Comparison::Minimum, &[ACR_MFA]).answer(Assurance::Vouched),
            None
        );
    }

    /// [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be stronger (as deemed by the responder) than any one of the authentication contexts specified"
    #[test]
    fn better_needs_more_than_each() {
        let one = asked(Comparison::Better, &[PASSWORD, ACR_SFA]);
        assert_eq!(one.demand(), Some(Assurance::Strong));
        assert_eq!(one.answer(Assurance::Password), None);
        assert_eq!(one.answer(Assurance::Strong), Some(ACR_MFA));
        assert_eq!(asked(Comparison::Better, &[ACR_MFA]).demand(), None);
    }

    /// [Core §3.3.2.2.1] "the resulting authentication context in the authentication statement MUST be as strong as possible (as deemed by the responder) without exceeding the strength of at least one of the authentication contexts specified"
    #[test]
    fn maximum_says_no_more_than_the_strongest_listed() {
        let one = asked(Comparison::Maximum, &[PASSWORD]);
        assert_eq!(one.demand(), Some(Assurance::Password));
        assert_eq!(one.answer(Assurance::Strong), Some(PASSWORD));
        let strong = asked(Comparison::Maximum, &[PASSWORD, ACR_MFA]);
        assert_eq!(strong.answer(Assurance::Strong), Some(ACR_MFA));
    }

    #[test]
    fn a_class_of_two_factors_is_never_said_of_one() {
        for reached in [Assurance::Password, Assurance::Vouched] {
            assert_eq!(earned(reached), PASSWORD);
            for comparison in [
                Comparison::Exact,
                Comparison::Minimum,
                Comparison::Better,
                Comparison::Maximum,
            ] {
                for class in [ACR_MFA, MICROSOFT_MFA] {
                    let answer = asked(comparison, &[class, ACR_SFA]).answer(reached);
                    assert!(answer != Some(ACR_MFA) && answer != Some(MICROSOFT_MFA));
                }
            }
        }
    }
}
