//! What is said about a person, and which scope says what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::oauth::scope::{Scope, ScopeName};

/// A claim about a person that an application may name [OIDC Core §5.5].
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimName {
    /// `name`
    Name,
    /// `given_name`
    GivenName,
    /// `family_name`
    FamilyName,
    /// `preferred_username`
    PreferredUsername,
    /// `locale`
    Locale,
    /// `updated_at`
    UpdatedAt,
    /// `email`
    Email,
    /// `email_verified`
    EmailVerified,
    /// `phone_number`
    PhoneNumber,
    /// `phone_number_verified`
    PhoneNumberVerified,
    /// `groups`
    Groups,
}

impl ClaimName {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Name,
        Self::GivenName,
        Self::FamilyName,
        Self::PreferredUsername,
        Self::Locale,
        Self::UpdatedAt,
        Self::Email,
        Self::EmailVerified,
        Self::PhoneNumber,
        Self::PhoneNumberVerified,
        Self::Groups,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::GivenName => "given_name",
            Self::FamilyName => "family_name",
            Self::PreferredUsername => "preferred_username",
            Self::Locale => "locale",
            Self::UpdatedAt => "updated_at",
            Self::Email => "email",
            Self::EmailVerified => "email_verified",
            Self::PhoneNumber => "phone_number",
            Self::PhoneNumberVerified => "phone_number_verified",
            Self::Groups => "groups",
        }
    }

    /// The scope that says it, and for which an application must be registered to name it.
    #[must_use]
    pub const fn scope(self) -> ScopeName {
        match self {
            Self::Email | Self::EmailVerified => ScopeName::Email,
            Self::PhoneNumber | Self::PhoneNumberVerified => ScopeName::Phone,
            Self::Groups => ScopeName::Groups,
            _ => ScopeName::Profile,
        }
    }
}

/// Claims that an application names one by one, beside those of its scopes, by where it wants them.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Named {
    /// In the ID token.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub id_token: BTreeSet<ClaimName>,
    /// In the answer of `/userinfo`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub userinfo: BTreeSet<ClaimName>,
}

impl Named {
    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.userinfo.is_empty()
    }

    /// The scopes that say these claims, with others: what a person is asked for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let all = self.id_token.iter().chain(&self.userinfo);
        all.map(|claim| claim.scope()).collect()
    }

    /// What of it an application may have that is registered for these scopes.
    #[must_use]
    pub fn within(self, registered: &Scope) -> Self {
        let may = |claims: BTreeSet<ClaimName>| {
            let mut claims = claims;
            claims.retain(|claim| registered.has(claim.scope()));
            claims
        };
        Self {
            id_token: may(self.id_token),
            userinfo: may(self.userinfo),
        }
    }
}

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

    /// The same, and the claims that are named beside the scope.
    #[must_use]
    pub fn told(&self, scope: &Scope, named: &BTreeSet<ClaimName>) -> Self {
        let mut out = self.within(scope);
        for claim in named {
            let all = self.within(&[claim.scope()].into_iter().collect());
            match claim {
                ClaimName::Name => out.name = all.name,
                ClaimName::GivenName => out.given_name = all.given_name,
                ClaimName::FamilyName => out.family_name = all.family_name,
                ClaimName::PreferredUsername => out.preferred_username = all.preferred_username,
                ClaimName::Locale => out.locale = all.locale,
                ClaimName::UpdatedAt => out.updated_at = all.updated_at,
                ClaimName::Email => out.email = all.email,
                ClaimName::EmailVerified => out.email_verified = all.email_verified,
                ClaimName::PhoneNumber => out.phone_number = all.phone_number,
                ClaimName::PhoneNumberVerified => {
                    out.phone_number_verified = all.phone_number_verified;
                }
                ClaimName::Groups => out.groups = all.groups,
            }
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

    /// Each name on the wire is the name of a claim, and brings that claim alone.
    #[test]
    fn a_named_claim_comes_alone() {
        for claim in ClaimName::ALL {
            assert_eq!(serde_json::to_value(claim).unwrap(), claim.name());
            let told = anna().told(&Scope::default(), &[claim].into());
            let json = serde_json::to_value(told).unwrap();
            let names: Vec<&String> = json.as_object().unwrap().keys().collect();
            assert_eq!(names, [claim.name()]);
            let of_scope: Scope = [claim.scope()].into_iter().collect();
            assert!(names.iter().all(|name| {
                let within = serde_json::to_value(anna().within(&of_scope)).unwrap();
                within.get(name.as_str()).is_some()
            }));
        }
    }

    #[test]
    fn nobody_names_a_claim_of_a_scope_that_is_not_registered() {
        let all: BTreeSet<_> = ClaimName::ALL.into();
        let named = Named {
            id_token: all.clone(),
            userinfo: all,
        };
        let may = named.within(&Scope::understood("openid email"));
        assert_eq!(may.scope(), Scope::understood("email"));
        assert_eq!(
            may.userinfo,
            [ClaimName::Email, ClaimName::EmailVerified].into()
        );
        assert!(may.within(&Scope::understood("openid")).is_empty());
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
