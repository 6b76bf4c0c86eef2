//! What somebody must have proven, and how lately, before they may change what they prove with.

use crate::{
    moment::Timestamp,
    person::{Method, Person},
    proof::{Assurance, Proof},
    zone::Place,
};

/// How long a second factor counts for a change, in seconds: twenty minutes [ASVS 7.5.1].
pub const FRESH_S: i64 = 1200;

/// [L01] The strongest that they have.
#[must_use]
pub fn demand(person: &Person) -> Assurance {
    Assurance::of(person.method.filter(|_| person.enrolled()))
}

/// [L01] Whether a session's proof is that, and its second factor fresh. A password is typed again with the
/// change itself.
#[must_use]
pub fn may_change(proof: &Proof, person: &Person, now: Timestamp) -> bool {
    let fresh = proof
        .factor()
        .is_none_or(|factor| now.since(factor.at()) < FRESH_S);
    fresh && proof.assurance() >= demand(person)
}

/// Whether somebody may replace what they prove with by another app here. Tokens are the desk's, and what is
/// bound for the first time is bound at a sign-in. [Guide 1.2]
#[must_use]
pub fn may_bind(person: &Person, place: &Place) -> bool {
    let own = person.method != Some(Method::Token) && person.enrolled();
    own && !place.refuses_enrolment()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        language::Language,
        person::{PersonId, Role},
        phone::Phone,
        proof::{FactorProof, PasswordProof},
    };

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn person(phone_confirmed: bool) -> Person {
        Person {
            app: None,
            disabled: false,
            first_name: "Anna".into(),
            id: PersonId([1; 16]),
            language: Language::Fr,
            last_name: "Rey".into(),
            mail: "anna.rey@example.ch".into(),
            method: Some(Method::Sms),
            phone: Phone::parse("079 123 45 67").ok(),
            phone_confirmed,
            role: Role::Teacher,
            school: None,
            token: None,
            token_serial: None,
            username: "anna.rey".into(),
        }
    }

    /// [L01] Neither a password when a factor is bound, nor a factor of this morning.
    #[test]
    fn a_change_needs_the_strongest_and_a_fresh_proof() {
        let password = || PasswordProof::assertion(NOW);
        let weak = Proof::password_only(password());
        assert!(!may_change(&weak, &person(true), NOW));
        assert!(may_change(&weak, &person(false), NOW));
        let strong = Proof::two_factors(password(), FactorProof::new(Method::Sms, NOW));
        assert!(may_change(&strong, &person(true), NOW.plus(FRESH_S - 1)));
        assert!(!may_change(&strong, &person(true), NOW.plus(FRESH_S)));
    }
}
