//! By which name an application knows people: the same as all others, or one of its own
//! [OIDC Core §8].

use serde::{Deserialize, Serialize};
use url::Url;

use super::Client;
use crate::pseudonym::Salt;

/// What kind of name an application knows people by.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Subjects {
    /// The id of the person: all applications have the same.
    #[default]
    Public,
    /// A pseudonym: applications of different sectors cannot tell that they know the same person.
    Pairwise,
}

impl Client {
    /// The host that stands for all applications whose people are known by the same pseudonyms; none if
    /// the registration does not say.
    // [OIDC Core §8.1] "the Sector Identifier used for pairwise identifier calculation is the host component of the registered redirect_uri. If there are multiple hostnames in the registered redirect_uris, the Client MUST register a sector_identifier_uri."
    #[must_use]
    pub fn sector(&self) -> Option<String> {
        let host = |uri: &String| Url::parse(uri).ok()?.host_str().map(str::to_owned);
        // [OIDC Core §8.1] "When a sector_identifier_uri is provided, the host component of that URL is used as the Sector Identifier for the pairwise identifier calculation."
        if let Some(sector) = &self.sector {
            return host(sector);
        }
        let mut hosts = self.redirect_uris.iter().map(host);
        let first = hosts.next()??;
        hosts
            .all(|other| other.as_ref() == Some(&first))
            .then_some(first)
    }

    /// The pseudonym of a person; none if the application knows people by their ids.
    #[must_use]
    pub fn pseudonym(&self, person: &str) -> Option<String> {
        if self.subject != Subjects::Pairwise {
            return None;
        }
        // [OIDC Core §8.1] "The OpenID Provider MUST calculate a unique sub (subject) value for each Sector Identifier. The Subject Identifier value MUST NOT be reversible by any party other than the OpenID Provider."
        let kind = format!("openid {}", self.sector().unwrap_or_default());
        let unsalted = || Salt::new(String::new());
        let salt = self.salt.clone().unwrap_or_else(unsalted);
        Some(salt.pseudonym(&kind, person.as_bytes()))
    }

    /// The `sub` of a person.
    #[must_use]
    pub fn known_as(&self, person: &str) -> String {
        self.pseudonym(person).unwrap_or_else(|| person.to_owned())
    }

    /// What is wrong with how it knows people, in words.
    pub(super) fn flaw_of_subject(&self) -> Option<String> {
        if self.subject == Subjects::Public {
            let unused = self.salt.is_some() || self.sector.is_some();
            let sentence = "`salt` and `sector` are for `subject = \"pairwise\"` only; remove them";
            return unused.then(|| sentence.to_owned());
        }
        if !self.salt.as_ref().is_some_and(Salt::is_strong) {
            return Some(format!("pairwise subjects need a `salt`: {}", Salt::RULE));
        }
        if self.sector().is_none() {
            let sentence = "its redirect addresses have several hosts, or none: write the one that is to \
                            stand for all as `sector = \"https://…\"`";
            return Some(sentence.to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ent;

    const SALT: &str = "0123456789abcdef0123456789abcdef";

    fn pairwise(redirect_uris: &[&str]) -> Client {
        Client {
            subject: Subjects::Pairwise,
            salt: Some(Salt::new(SALT.to_owned())),
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            ..ent()
        }
    }

    /// [OIDC Core §8.1] "The OpenID Provider MUST calculate a unique sub (subject) value for each Sector Identifier. The Subject Identifier value MUST NOT be reversible by any party other than the OpenID Provider."
    /// [OIDC Core §8.1] "the Sector Identifier used for pairwise identifier calculation is the host component of the registered redirect_uri. If there are multiple hostnames in the registered redirect_uris, the Client MUST register a sector_identifier_uri."
    /// [OIDC Core §8.1] "When a sector_identifier_uri is provided, the host component of that URL is used as the Sector Identifier for the pairwise identifier calculation."
    #[test]
    fn each_sector_knows_people_by_other_names() {
        assert_eq!(ent().known_as("p-42"), "p-42");
        let one = pairwise(&["https://a.example/cb", "https://a.example/other"]);
        assert_eq!(one.sector().as_deref(), Some("a.example"));
        let name = one.known_as("p-42");
        assert_eq!(name.len(), 32);
        assert_ne!(name, one.known_as("p-43"));
        let same = Client {
            id: "same".to_owned(),
            ..pairwise(&["https://a.example/quite/another"])
        };
        assert_eq!(same.known_as("p-42"), name);
        let other = pairwise(&["https://b.example/cb"]);
        assert_ne!(other.known_as("p-42"), name);
        let several = Client {
            sector: Some("https://a.example/sector.json".to_owned()),
            ..pairwise(&["https://b.example/cb", "https://c.example/cb"])
        };
        assert_eq!(several.known_as("p-42"), name);
        assert_eq!(several.check(), []);
    }

    /// A change here would make all applications forget whom they know.
    #[test]
    fn a_pairwise_subject_is_for_ever() {
        let salt = Salt::new(SALT.to_owned());
        let expected = salt.pseudonym("openid a.example", b"p-42");
        let one = pairwise(&["https://a.example/cb"]);
        assert_eq!(one.known_as("p-42"), expected);
    }

    #[test]
    fn a_sector_that_cannot_be_known_is_a_flaw() {
        let native = |uris: &[&str]| Client {
            kind: crate::oauth::client::Kind::Native,
            auth: crate::oauth::client::Auth::None,
            secret_sha256: None,
            ..pairwise(uris)
        };
        for unknown in [
            pairwise(&["https://a.example/cb", "https://b.example/cb"]),
            native(&["ch.example.app:/cb"]),
            native(&["https://a.example/cb", "ch.example.app:/cb"]),
        ] {
            let flaw = unknown.flaw_of_subject().unwrap();
            assert!(flaw.contains("`sector = "), "{flaw}");
            assert!(!unknown.check().is_empty());
        }
        let weak = Client {
            salt: Some(Salt::new("short".to_owned())),
            ..pairwise(&["https://a.example/cb"])
        };
        let none = Client {
            salt: None,
            ..weak.clone()
        };
        let odd = Client {
            sector: Some("http://a.example/".to_owned()),
            ..pairwise(&["https://a.example/cb"])
        };
        let public = Client {
            subject: Subjects::Public,
            ..pairwise(&["https://a.example/cb"])
        };
        for flawed in [weak, none, odd, public] {
            assert_eq!(flawed.check().len(), 1, "{flawed:?}");
        }
    }
}
