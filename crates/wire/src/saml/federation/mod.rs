//! Trust in a federation: applications that are not registered one by one, but described in a document that
//! the federation signs and renews.
//!
//! In `applications.toml`:
//!
//! ```toml
//! [[federation]]
//! id = "eduid"
//! url = "https://metadata.federation.example/applications.xml"
//! salt = "…at least 32 letters and digits of chance, never changed…"
//! authorities = ["http://federation.example/"]
//! certificates = '''
//! -----BEGIN CERTIFICATE-----
//! …
//! '''
//! ```
//!
//! See `docs/decisions/0031-a-federation-is-a-document-that-ends.md`.

mod aggregate;

use aws_lc_rs::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

pub use aggregate::{BYTES_MAX, Chosen, FederationError};

use super::Application;
use super::application::{Naming, Released};
use super::key::VerifyingKey;
use super::metadata::{ServiceProvider, address};
use crate::cas::is_id;
use crate::certificate::of_pem;
use crate::oauth::client::{Assurance, Name};
use crate::pseudonym::{is_strong, pseudonym};

/// A federation, as a technician trusts it, and what its members get.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Federation {
    /// Its id: 1 to 31 of `a`–`z`, `0`–`9`, `-`, `_`. The ids of its members begin with it and a point.
    pub id: String,
    /// Where its metadata is: `https`, or on this machine.
    pub url: String,
    /// The certificates whose keys may sign its metadata, in PEM: one, or two while the federation changes
    /// its key. Nothing else in them counts.
    pub certificates: String,
    /// Goes into the names by which its members know people; each member has names of its own.
    pub salt: String,
    /// Members that are taken, by entity ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// Members that are taken, by who registered them; together with `categories`, if both are given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<String>,
    /// Members that are taken, by entity category: each has one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// How far ahead the end of the metadata may be, in days.
    #[serde(default = "four_weeks")]
    pub days_max: u16,
    /// How often it is fetched, in minutes: 5 to 1440.
    #[serde(default = "hourly")]
    pub refresh_minutes: u16,
    /// By which name members know people, if their requests ask for no other.
    #[serde(default)]
    pub name_id: Naming,
    /// What else members get of a person.
    #[serde(default)]
    pub attributes: Vec<Released>,
    /// The least that must be proven for a member, whether it asks for it or not.
    #[serde(default)]
    pub minimum: Assurance,
    /// Who may enter, by group; nobody named means everybody.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Unsigned requests of members are refused, even if their metadata does not say that they sign.
    #[serde(default)]
    pub signed_requests: bool,
    /// Assertions are encrypted for every member that has a key for it.
    #[serde(default)]
    pub encrypt: bool,
    /// The members of a disabled federation are refused as if they were unknown.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// What is wrong with the trust in a federation.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FederationFlaw {
    /// The id is empty, too long or has odd characters.
    #[error("the id must be 1 to 31 of `a`-`z`, `0`-`9`, `-` and `_`")]
    Id,
    /// Nothing is fetched from there.
    #[error("`{0}` is no address to fetch metadata from; it must begin with `https`")]
    Url(String),
    /// Nothing to verify with.
    #[error(
        "`certificates` must hold the certificate that signs the metadata, in PEM, with a key of RSA or of \
         an elliptic curve of NIST; take it from the federation's own page, and compare its fingerprint"
    )]
    Certificates,
    /// The salt could be guessed.
    #[error(
        "`salt` must be 32 to 200 characters of chance, such as `openssl rand -hex 32` prints; \
         never change it"
    )]
    Salt,
    /// Everybody would be let in.
    #[error("nobody is chosen: name `entities`, or `authorities`, or `categories`")]
    Nobody,
    /// Too seldom, too often, or for too long.
    #[error("`refresh_minutes` must be 5 to 1440, and `days_max` 1 to 366")]
    Times,
}

/// A member of a federation, as it is treated.
#[derive(Clone, Debug)]
pub struct Member {
    /// As if it had been registered. It holds no metadata: that is `provider`.
    pub application: Application,
    /// As its metadata says.
    pub provider: ServiceProvider,
}

/// The longest id of a federation: with a point and 32 digits it is the id of a member.
const ID_MAX: usize = 31;

impl Federation {
    /// Everything that is wrong; empty when it may be trusted.
    #[must_use]
    pub fn check(&self) -> Vec<FederationFlaw> {
        let chosen = [&self.entities, &self.authorities, &self.categories];
        let is_timely =
            (5..=1440).contains(&self.refresh_minutes) && (1..=366).contains(&self.days_max);
        let flaws = [
            (
                is_id(&self.id) && self.id.len() <= ID_MAX && !self.id.contains('.'),
                FederationFlaw::Id,
            ),
            (
                address(&self.url).is_ok(),
                FederationFlaw::Url(self.url.chars().take(200).collect()),
            ),
            (self.keys().is_some(), FederationFlaw::Certificates),
            (is_strong(&self.salt), FederationFlaw::Salt),
            (
                chosen.iter().any(|list| !list.is_empty()),
                FederationFlaw::Nobody,
            ),
            (is_timely, FederationFlaw::Times),
        ];
        let wrong = flaws.into_iter().filter(|(is_right, _)| !is_right);
        wrong.map(|(_, flaw)| flaw).collect()
    }

    /// From where and by whose signature: what was believed of another source is not believed of this one.
    #[must_use]
    pub fn source(&self) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        for part in [&self.url, &self.certificates] {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        context.finish().as_ref().try_into().unwrap_or_default()
    }

    /// Between two fetches, in seconds.
    #[must_use]
    pub fn refresh_s(&self) -> i64 {
        i64::from(self.refresh_minutes) * 60
    }

    /// The keys that may sign; none if one of the certificates cannot be used.
    fn keys(&self) -> Option<Vec<VerifyingKey>> {
        let certificates = of_pem(&self.certificates)?;
        let keys = certificates
            .iter()
            .map(|der| VerifyingKey::of_certificate(der));
        keys.collect()
    }

    /// A member, with what this federation's members get.
    fn member(&self, provider: ServiceProvider) -> Member {
        let digits = |kind| pseudonym(&self.salt, kind, provider.entity_id.as_bytes());
        let application = Application {
            id: format!("{}.{}", self.id, digits("member")),
            name: name(&provider),
            metadata: String::new(),
            entity_id: Some(provider.entity_id.clone()),
            // Its own: two members that compare their names find nobody whom both know.
            salt: digits("first half of a salt") + &digits("second half of a salt"),
            name_id: self.name_id,
            attributes: self.attributes.clone(),
            minimum: self.minimum,
            groups: self.groups.clone(),
            signed_requests: self.signed_requests,
            encrypt: self.encrypt && provider.can_decrypt(),
            cipher: None,
            backchannel_logout: false,
            unsolicited: false,
            enabled: self.enabled,
        };
        Member {
            application,
            provider,
        }
    }
}

/// What a member calls itself; the host of its entity ID if it says nothing.
fn name(provider: &ServiceProvider) -> Name {
    let names = &provider.display_names;
    let in_language = |wanted: &str| {
        let of_language = |language: &str| names.iter().find(|(known, _)| known == language);
        let found = of_language(wanted).or_else(|| of_language("en"));
        let found = found.or_else(|| names.first()).map(|(_, name)| name.trim());
        let host = || {
            let rest = provider.entity_id.split_once("://");
            let rest = rest.map_or(provider.entity_id.as_str(), |(_, rest)| rest);
            rest.split('/').next().unwrap_or_default()
        };
        let said = found.filter(|name| !name.is_empty()).unwrap_or_else(host);
        said.chars()
            .filter(|letter| !letter.is_control())
            .take(100)
            .collect()
    };
    Name {
        fr: in_language("fr"),
        de: in_language("de"),
        en: in_language("en"),
    }
}

const fn four_weeks() -> u16 {
    28
}

const fn hourly() -> u16 {
    60
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests;
