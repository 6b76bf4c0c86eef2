//! Applications that register themselves [RFC 7591], and look after what is registered [RFC 7592], with the
//! names of OpenID Connect Dynamic Client Registration 1.0: what they say, what they may get, and what they
//! are told.
//!
//! Nothing that an application says here is fetched. What is bounded, and why, is decision 30.

mod answer;
mod protection;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{Refused, Shown, gone};
pub use request::{Own, Wish};

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::client::{Assurance, Client};
use super::scope::ScopeName;
use crate::pseudonym::Salt;

/// What an application may get that comes with an invitation.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// The least that must be proven.
    pub minimum: Assurance,
    /// Goes into the names by which it knows people: all that come with one invitation know them by the
    /// same, if they share a host.
    pub salt: Salt,
    /// The most that it may ask for.
    pub scopes: Vec<ScopeName>,
    /// How many days a secret is good for; none if it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_days: Option<u16>,
}

/// How much of people an application is told that registers itself, from little to much.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bundle {
    /// A name that no other application knows, and nothing else.
    #[default]
    Pseudonym,
    /// What they are called, too.
    Profile,
    /// And their mail address.
    Mail,
    /// And role and school.
    School,
}

impl Bundle {
    /// All of them, from little to much.
    pub const ALL: [Self; 4] = [Self::Pseudonym, Self::Profile, Self::Mail, Self::School];

    /// The scopes that stand for it.
    #[must_use]
    pub fn scopes(self) -> Vec<ScopeName> {
        let (openid, profile) = (ScopeName::Openid, ScopeName::Profile);
        match self {
            Self::Pseudonym => vec![openid],
            Self::Profile => vec![openid, profile],
            Self::Mail => vec![openid, profile, ScopeName::Email],
            Self::School => vec![openid, profile, ScopeName::Email, ScopeName::Groups],
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pseudonym => "pseudonym",
            Self::Profile => "profile",
            Self::Mail => "mail",
            Self::School => "school",
        }
    }
}

/// An application that registered itself, as it is kept.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Registered {
    /// What holds for it, as if a technician had written it.
    pub client: Client,
    /// What it said of itself, as it said it.
    pub said: Said,
}

/// What an application says of itself to people.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Whom a technician asks, usually mail addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// `client_name`, also with `#fr`, `#de` or `#en` behind it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
}

impl Registered {
    /// Reads what is kept; it may be of a former version.
    ///
    /// # Errors
    /// In words, if it is not understood.
    pub fn read(document: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(document).map_err(|error| error.to_string())?;
        match read.client.check().first() {
            None => Ok(read),
            Some(flaw) => Err(flaw.to_string()),
        }
    }

    /// As it is kept.
    #[must_use]
    pub fn document(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Bounds {
    /// Reads what is kept.
    ///
    /// # Errors
    /// In words, if it is not understood.
    pub fn read(document: &str) -> Result<Self, String> {
        serde_json::from_str(document).map_err(|error| error.to_string())
    }

    /// As it is kept.
    #[must_use]
    pub fn document(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The token of an `Authorization: Bearer` header.
///
/// # Errors
/// [`Refused::TokenMissing`] if there is no such header; [`Refused::Token`] if it holds nothing that could be a token
/// of ours.
// [RFC 6750 §2.1] the scheme is `Bearer`, in whatever letters.
pub fn bearer(authorization: Option<&str>) -> Result<&str, Refused> {
    let header = authorization.unwrap_or_default();
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refused::TokenMissing);
    }
    match (1..=TOKEN_BYTES_MAX).contains(&token.len()) {
        true => Ok(token),
        false => Err(Refused::Token),
    }
}

/// No token of ours is longer.
const TOKEN_BYTES_MAX: usize = 128;
