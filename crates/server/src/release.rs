//! What an application is told of a person. Pure, so that what issues and what explains say the same.

use journey::{Assurance, Person, Role};
use wire::{
    cas::{Service, User},
    oauth::client::Assurance as Level,
    oidc::{ACR_MFA, ACR_SFA, claims::Profile},
};

/// `acr`: REFEDS' multi-factor profile for two factors, its single-factor profile for less.
/// Wherever the password was typed, it stays a password.
#[must_use]
pub const fn acr(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Password | Assurance::Vouched => ACR_SFA,
        Assurance::Strong | Assurance::PhishingResistant => ACR_MFA,
    }
}

/// The four words of a registration, as the journeys say them: the two rooms do not see each other.
#[must_use]
pub const fn assurance(minimum: Level) -> Assurance {
    match minimum {
        Level::Password => Assurance::Password,
        Level::Vouched => Assurance::Vouched,
        Level::Strong => Assurance::Strong,
        Level::PhishingResistant => Assurance::PhishingResistant,
    }
}

/// The same four words the other way.
#[must_use]
pub const fn level(assurance: Assurance) -> Level {
    match assurance {
        Assurance::Password => Level::Password,
        Assurance::Vouched => Level::Vouched,
        Assurance::Strong => Level::Strong,
        Assurance::PhishingResistant => Level::PhishingResistant,
    }
}

/// What an OpenID Connect application demands: its registered minimum, or what it asks for with
/// `acr_values` if that is more.
#[must_use]
pub fn demand(minimum: Assurance, acr_values: &[String]) -> Assurance {
    // Several values mean: any of these, the first preferred. What we cannot name is no demand.
    let known = acr_values.iter().filter_map(|value| match value.as_str() {
        ACR_MFA => Some(Assurance::Strong),
        ACR_SFA => Some(Assurance::Password),
        _ => None,
    });
    let asked = known.min().unwrap_or(Assurance::Password);
    asked.max(minimum)
}

/// The `acr` that is told of a proof: what it is worth, or the less of it that the application insists on;
/// none if what it insists on is not true of it. An application that demands two factors is not told of less.
#[must_use]
pub fn acr_of(
    proven: Assurance,
    minimum: Assurance,
    insisted: Option<&[String]>,
) -> Option<&'static str> {
    let Some(wanted) = insisted else {
        return Some(acr(proven));
    };
    // [OIDC Core §5.5.1.1] "the Authorization Server MUST return an acr Claim Value that matches one of the requested values."
    let mut true_of_it = vec![acr(proven)];
    if acr(minimum) == ACR_SFA {
        true_of_it.push(ACR_SFA);
    }
    let mut matching = true_of_it.into_iter();
    matching.find(|one| wanted.iter().any(|wanted| wanted == one))
}

/// What is known of a person, before a scope or a registration narrows it.
#[must_use]
pub fn profile(person: &Person) -> Profile {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let role = match person.role {
        Role::Admin => "admin",
        Role::Pupil => "pupil",
        Role::Staff => "staff",
        Role::Teacher => "teacher",
    };
    Profile {
        name: text(&format!("{} {}", person.first_name, person.last_name)),
        given_name: text(&person.first_name),
        family_name: text(&person.last_name),
        preferred_username: text(&person.username),
        locale: Some(person.language.code().to_owned()),
        updated_at: None,
        email: text(&person.mail),
        // The address comes from the register; nobody has proven that they read it.
        email_verified: Some(false),
        phone_number: person.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        phone_number_verified: person.phone.as_ref().map(|_| person.phone_confirmed),
        groups: vec![role.to_owned()],
    }
}

/// By which name a CAS application knows a person.
#[must_use]
pub fn cas_user(service: &Service, person: &Person) -> String {
    match service.user {
        User::Username => person.username.clone(),
        User::Id => person.id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_words_are_the_same_in_both_rooms() {
        for one in Assurance::ALL {
            assert_eq!(assurance(level(one)), one);
        }
    }

    /// [OIDC Core §5.5.1.1] "the Authorization Server MUST return an acr Claim Value that matches one of the requested values."
    #[test]
    fn an_application_that_insists_is_told_what_it_insists_on_if_that_is_true() {
        let (password, strong) = (Assurance::Password, Assurance::Strong);
        let said = |proven, minimum, wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
            acr_of(proven, minimum, Some(&wanted))
        };
        assert_eq!(acr_of(strong, password, None), Some(ACR_MFA));
        assert_eq!(said(strong, password, &[ACR_SFA, ACR_MFA]), Some(ACR_MFA));
        assert_eq!(said(strong, password, &[ACR_SFA]), Some(ACR_SFA));
        assert_eq!(said(password, password, &[ACR_SFA]), Some(ACR_SFA));
        // Never more than was proven, nothing unknown, and no less than is registered.
        assert_eq!(said(password, password, &[ACR_MFA]), None);
        assert_eq!(said(strong, password, &["urn:unknown"]), None);
        assert_eq!(said(strong, strong, &[ACR_SFA]), None);
    }

    /// [OIDC Core §3.1.2.1] `acr_values` may ask for more than is registered, never for less.
    #[test]
    fn an_application_may_demand_more_than_is_registered_and_never_less() {
        let values = |one: &str| vec!["urn:unknown".to_owned(), one.to_owned()];
        let (password, strong) = (Assurance::Password, Assurance::Strong);
        assert_eq!(demand(password, &values(ACR_MFA)), strong);
        assert_eq!(demand(strong, &values(ACR_SFA)), strong);
        assert_eq!(demand(password, &[]), password);
        assert_eq!(
            demand(password, &[ACR_MFA.to_owned(), ACR_SFA.to_owned()]),
            password
        );
    }
}
