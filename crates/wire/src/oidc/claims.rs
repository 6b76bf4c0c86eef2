//! What is said about a person, and which scope says what.

use serde::{Deserialize, Serialize};

use crate::oauth::scope::{Scope, ScopeName};

/// Claims about a person [OIDC Core §5.1]. What is unknown is not there at all.
// [OIDC Core §5.3.2] "it SHOULD NOT be present with a null or empty string value."
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Profile {
    /// The full name as shown.
    #[serde(skip_serializing_if = "absent")]
    pub name: Option<String>,
    /// First names.
    #[serde(skip_serializing_if = "absent")]
    pub given_name: Option<String>,
    /// Last names.
    #[serde(skip_serializing_if = "absent")]
    pub family_name: Option<String>,
    /// The user name. May change and be given to others: never an identifier.
    #[serde(skip_serializing_if = "absent")]
    pub preferred_username: Option<String>,
    /// A BCP 47 tag, e.g. `fr-CH`.
    #[serde(skip_serializing_if = "absent")]
    pub locale: Option<String>,
    /// When any of this changed last (unix seconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "absent")]
    pub email: Option<String>,
    /// Whether that address was proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The telephone number, E.164.
    #[serde(skip_serializing_if = "absent")]
    pub phone_number: Option<String>,
    /// Whether that number was proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    /// Roles and schools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl Profile {
    /// What of it an application with this scope may learn.
    #[must_use]
    pub fn within(&self, scope: &Scope) -> Self {
        let mut out = Self::default();
        let all = self.clone();
        if scope.has(ScopeName::Profile) {
            out.name = all.name;
            out.given_name = all.given_name;
            out.family_name = all.family_name;
            out.preferred_username = all.preferred_username;
            out.locale = all.locale;
            out.updated_at = all.updated_at;
        }
        if scope.has(ScopeName::Email) {
            out.email_verified = all.email.as_ref().and(all.email_verified);
            out.email = all.email;
        }
        if scope.has(ScopeName::Phone) {
            out.phone_number_verified = all.phone_number.as_ref().and(all.phone_number_verified);
            out.phone_number = all.phone_number;
        }
        if scope.has(ScopeName::Groups) {
            out.groups = all.groups;
        }
        out
    }
}

/// The names of all claims, for discovery.
pub(crate) const SUPPORTED: [&str; 22] = [
    "acr",
    "amr",
    "aud",
    "auth_time",
    "email",
    "email_verified",
    "exp",
    "family_name",
    "given_name",
    "groups",
    "iat",
    "iss",
    "locale",
    "name",
    "nonce",
    "phone_number",
    "phone_number_verified",
    "preferred_username",
    "sid",
    "sub",
    "updated_at",
    "at_hash",
];

fn absent(text: &Option<String>) -> bool {
    text.as_deref().is_none_or(str::is_empty)
}

#[cfg(test)]
pub(crate) fn anna() -> Profile {
    Profile {
        name: Some("Anna Rey".to_owned()),
        given_name: Some("Anna".to_owned()),
        family_name: Some("Rey".to_owned()),
        preferred_username: Some("anna.rey".to_owned()),
        locale: Some("fr-CH".to_owned()),
        updated_at: Some(1_700_000_000),
        email: Some("anna.rey@edu.example".to_owned()),
        email_verified: Some(true),
        phone_number: Some("+41791234567".to_owned()),
        phone_number_verified: Some(true),
        groups: vec!["teacher".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(scope: &str) -> Vec<String> {
        let json = serde_json::to_value(anna().within(&Scope::understood(scope))).unwrap();
        json.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn each_scope_says_its_own_claims_and_no_other() {
        assert_eq!(names("openid"), Vec::<String>::new());
        assert_eq!(names("openid email"), ["email", "email_verified"]);
        assert_eq!(
            names("openid phone"),
            ["phone_number", "phone_number_verified"]
        );
        assert_eq!(names("openid groups"), ["groups"]);
        let mut profile = names("openid profile");
        profile.sort_unstable();
        assert_eq!(
            profile,
            [
                "family_name",
                "given_name",
                "locale",
                "name",
                "preferred_username",
                "updated_at"
            ]
        );
        assert!(
            names("openid profile email phone groups")
                .iter()
                .all(|n| SUPPORTED.contains(&n.as_str()))
        );
    }

    /// [OIDC Core §5.3.2] "it SHOULD NOT be present with a null or empty string value."
    #[test]
    fn what_is_unknown_or_empty_is_left_out() {
        let profile = Profile {
            name: Some(String::new()),
            email: None,
            email_verified: Some(false),
            ..Profile::default()
        };
        let said = profile.within(&Scope::understood("profile email"));
        assert_eq!(serde_json::to_value(said).unwrap(), serde_json::json!({}));
    }
}
