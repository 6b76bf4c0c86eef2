//! Scopes: a closed list, each name a set of claims.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A scope this provider knows.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeName {
    /// This is an OpenID Connect request; gives `sub`.
    Openid,
    /// `name`, `given_name`, `family_name`, `preferred_username`, `locale`, `updated_at`.
    Profile,
    /// `email`, `email_verified`.
    Email,
    /// `phone_number`, `phone_number_verified`.
    Phone,
    /// `groups`: roles and schools.
    Groups,
    /// A refresh token that outlives the session in the browser [OIDC Core §11].
    #[serde(rename = "offline_access")]
    OfflineAccess,
}

impl ScopeName {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 6] = [
        Self::Openid,
        Self::Profile,
        Self::Email,
        Self::Phone,
        Self::Groups,
        Self::OfflineAccess,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openid => "openid",
            Self::Profile => "profile",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Groups => "groups",
            Self::OfflineAccess => "offline_access",
        }
    }
}

/// A set of scopes. On the wire: names separated by single spaces.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Scope(BTreeSet<ScopeName>);

impl Scope {
    /// Reads a space-separated list; names that are not known are left out.
    #[must_use]
    pub fn understood(text: &str) -> Self {
        // [OIDC Core §3.1.2.1] "Scope values used that are not understood by an implementation SHOULD be ignored."
        let known = |word: &str| {
            ScopeName::ALL
                .into_iter()
                .find(|scope| scope.name() == word)
        };
        Self(text.split(' ').filter_map(known).collect())
    }

    /// Whether the scope is in the set.
    #[must_use]
    pub fn has(&self, name: ScopeName) -> bool {
        self.0.contains(&name)
    }

    /// The set without this scope.
    #[must_use]
    pub fn without(mut self, name: ScopeName) -> Self {
        self.0.remove(&name);
        self
    }

    /// Whether every scope of the other is in this set.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = ScopeName> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<ScopeName> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeName>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, scope) in self.iter().enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [OIDC Core §3.1.2.1] "Scope values used that are not understood by an implementation SHOULD be ignored."
    #[test]
    fn unknown_scopes_are_left_out() {
        let scope = Scope::understood("openid offline_accesss  email OpenID email");
        assert_eq!(scope.to_string(), "openid email");
        assert!(scope.has(ScopeName::Openid) && !scope.has(ScopeName::Groups));
    }
}
