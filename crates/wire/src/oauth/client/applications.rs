//! All registered applications: the file `applications.toml`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Client, ClientFlaw, Subjects};
use crate::pseudonym::Salt;
use crate::{cas, gate, saml};

/// The registered applications.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Applications {
    /// Applications may register themselves, with an invitation [RFC 7591].
    #[serde(default, skip_serializing_if = "is_off")]
    pub registration: bool,
    /// One table a registered application.
    #[serde(default)]
    pub application: Vec<Client>,
    /// One table an application that speaks CAS.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cas: Vec<cas::Service>,
    /// One table an application behind the gate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate: Vec<gate::Site>,
    /// One table an application that speaks SAML.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saml: Vec<saml::Application>,
    /// One table a federation whose members are SAML applications.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub federation: Vec<saml::Federation>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_off(registration: &bool) -> bool {
    !registration
}

/// What is wrong with the file, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ApplicationsFlaw {
    /// An application is not as it must be.
    #[error("application `{id}`: {flaw}")]
    Application {
        /// Its id as written.
        id: String,
        /// What is wrong.
        flaw: ClientFlaw,
    },
    /// A CAS application is not as it must be.
    #[error("cas application `{id}`: {flaw}")]
    Cas {
        /// Its id as written.
        id: String,
        /// What is wrong.
        flaw: cas::ServiceFlaw,
    },
    /// An application behind the gate is not as it must be.
    #[error("gate application `{id}`: {flaw}")]
    Gate {
        /// Its id as written.
        id: String,
        /// What is wrong.
        flaw: gate::SiteFlaw,
    },
    /// A CAS application lets one act that cannot.
    #[error(
        "cas application `{id}`: `proxied_by` names `{proxy}`, which is no CAS application with `proxy = true`; \
         correct the id, or register that"
    )]
    ProxyUnknown {
        /// Its id.
        id: String,
        /// Whom it names.
        proxy: String,
    },
    /// A SAML application is not as it must be.
    #[error("saml application `{id}`: {flaw}")]
    Saml {
        /// Its id as written.
        id: String,
        /// What is wrong.
        flaw: saml::application::ApplicationFlaw,
    },
    /// A federation is not as it must be.
    #[error("federation `{id}`: {flaw}")]
    Federation {
        /// Its id as written.
        id: String,
        /// What is wrong.
        flaw: saml::federation::FederationFlaw,
    },
    /// Two SAML applications call themselves the same.
    #[error("the SAML entity `{0}` is there twice: a request does not say which is meant")]
    EntityTwice(String),
    /// Two applications behind the gate are at the same place.
    #[error("origin `{0}` belongs to two applications behind the gate; an origin has one")]
    OriginTwice(String),
    /// Applications of one sector would know people by different names.
    #[error(
        "the applications of the sector `{0}` have different salts; write the same `salt` in all, so that \
         they know people by the same names"
    )]
    SaltsDiffer(String),
    /// Two applications have the same id.
    #[error("application `{0}` is there twice; give one of them another id")]
    Twice(String),
}

impl Applications {
    /// Everything that is wrong; empty when the applications may be used.
    #[must_use]
    pub fn check(&self) -> Vec<ApplicationsFlaw> {
        let mut flaws: Vec<_> = self.ids_twice().map(ApplicationsFlaw::Twice).collect();
        for client in &self.application {
            let id = || client.id.clone();
            let own = client.check().into_iter();
            flaws.extend(own.map(|flaw| ApplicationsFlaw::Application { id: id(), flaw }));
        }
        for service in &self.cas {
            let id = || service.id.clone();
            let own = service.check().into_iter();
            flaws.extend(own.map(|flaw| ApplicationsFlaw::Cas { id: id(), flaw }));
            let named = service.proxied_by.iter();
            let unknown = named.filter(|proxy| !self.may_act(proxy)).cloned();
            flaws.extend(unknown.map(|proxy| ApplicationsFlaw::ProxyUnknown { id: id(), proxy }));
        }
        for site in &self.gate {
            let id = || site.id.clone();
            let own = site.check().into_iter();
            flaws.extend(own.map(|flaw| ApplicationsFlaw::Gate { id: id(), flaw }));
        }
        for application in &self.saml {
            let id = || application.id.clone();
            let own = application.check().into_iter();
            flaws.extend(own.map(|flaw| ApplicationsFlaw::Saml { id: id(), flaw }));
        }
        for federation in &self.federation {
            let id = || federation.id.clone();
            let own = federation.check().into_iter();
            flaws.extend(own.map(|flaw| ApplicationsFlaw::Federation { id: id(), flaw }));
        }
        let described = self
            .saml
            .iter()
            .filter_map(|one| one.provider(i64::MIN).ok());
        let entities: Vec<String> = described.map(|provider| provider.entity_id).collect();
        flaws.extend(twice(&entities).cloned().map(ApplicationsFlaw::EntityTwice));
        let origins: Vec<&String> = self.gate.iter().flat_map(|site| &site.origins).collect();
        let shared =
            twice(&origins).map(|origin| ApplicationsFlaw::OriginTwice(origin.to_string()));
        flaws.extend(shared);
        flaws.extend(self.salts_differ().map(ApplicationsFlaw::SaltsDiffer));
        flaws
    }

    /// Whether it is a CAS application that may act for people.
    fn may_act(&self, id: &str) -> bool {
        self.cas
            .iter()
            .any(|service| service.id == id && service.proxy)
    }

    /// The sectors in which the same person would have several names.
    fn salts_differ(&self) -> impl Iterator<Item = String> {
        let pairwise = |client: &&Client| client.subject == Subjects::Pairwise;
        let mut sectors: BTreeMap<String, &Option<Salt>> = BTreeMap::new();
        let mut differ = BTreeSet::new();
        for client in self.application.iter().filter(pairwise) {
            let Some(sector) = client.sector() else {
                continue;
            };
            if *sectors.entry(sector.clone()).or_insert(&client.salt) != &client.salt {
                differ.insert(sector);
            }
        }
        differ.into_iter()
    }

    /// The ids that more than one application has, whatever it speaks.
    fn ids_twice(&self) -> impl Iterator<Item = String> {
        let clients = self.application.iter().map(|client| &client.id);
        let services = self.cas.iter().map(|service| &service.id);
        let sites = self.gate.iter().map(|site| &site.id);
        let speakers = self.saml.iter().map(|application| &application.id);
        let ids: Vec<&String> = clients
            .chain(services)
            .chain(sites)
            .chain(speakers)
            .chain(self.federation.iter().map(|federation| &federation.id))
            .collect();
        let twice: Vec<String> = twice(&ids).map(|id| (*id).clone()).collect();
        twice.into_iter()
    }

    /// The application of this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Client> {
        self.application.iter().find(|client| client.id == id)
    }
}

/// What has come before, at each place where it comes again.
fn twice<T: PartialEq>(all: &[T]) -> impl Iterator<Item = &T> {
    let numbered = all.iter().enumerate();
    numbered
        .filter(|(number, one)| all.iter().take(*number).any(|other| other == *one))
        .map(|(_, one)| one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ent, native};

    #[test]
    fn the_file_is_read_written_and_checked_as_a_whole() {
        let good = Applications {
            application: vec![ent(), native()],
            ..Applications::default()
        };
        let text = toml::to_string(&good).unwrap();
        assert_eq!(toml::from_str::<Applications>(&text).unwrap(), good);
        assert_eq!(good.check(), []);
        assert_eq!(good.find("native"), Some(&native()));
        assert_eq!(good.find(""), None);
        let nameless = Client {
            id: String::new(),
            ..ent()
        };
        let bad = Applications {
            application: vec![ent(), ent(), nameless],
            ..Applications::default()
        };
        assert_eq!(
            bad.check(),
            [
                ApplicationsFlaw::Twice("ent".to_owned()),
                ApplicationsFlaw::Application {
                    id: String::new(),
                    flaw: ClientFlaw::Id
                }
            ]
        );
        assert!(toml::from_str::<Applications>("[[applications]]").is_err());
    }

    #[test]
    fn an_id_and_an_origin_have_one_application_in_all_languages() {
        let text = r#"
[[cas]]
id = "ent"
name = { fr = "A", de = "A", en = "A" }
services = ["http://a.example/"]

[[gate]]
id = "wiki"
name = { fr = "W", de = "W", en = "W" }
origins = ["https://w.example", "https://w.example"]
rule = [{ path = "/" }]
"#;
        let mut all: Applications = toml::from_str(text).unwrap();
        all.application.push(ent());
        let said: Vec<String> = all.check().iter().map(ToString::to_string).collect();
        assert_eq!(said.len(), 3, "{said:#?}");
        assert!(said[0].starts_with("application `ent` is there twice"));
        assert!(said[1].starts_with("cas application `ent`: `http://a.example/`"));
        assert!(said[2].starts_with("origin `https://w.example` belongs to two"));
    }

    /// [OIDC Core §8.1] Applications of one sector know people by the same names.
    #[test]
    fn a_sector_has_one_salt() {
        let pairwise = |id: &str, host: &str, salt: &str| Client {
            id: id.to_owned(),
            redirect_uris: vec![format!("https://{host}/cb")],
            subject: Subjects::Pairwise,
            salt: Some(Salt::new(salt.repeat(16))),
            ..ent()
        };
        let check = |application: Vec<Client>| {
            let all = Applications {
                application,
                ..Applications::default()
            };
            let text = toml::to_string(&all).unwrap();
            assert_eq!(toml::from_str::<Applications>(&text).unwrap(), all);
            all.check()
        };
        let (one, other) = (
            pairwise("a", "a.example", "ab"),
            pairwise("b", "b.example", "cd"),
        );
        assert_eq!(check(vec![one.clone(), other]), []);
        let same = pairwise("b", "a.example", "ab");
        assert_eq!(check(vec![one.clone(), same]), []);
        let differs = pairwise("b", "a.example", "cd");
        let flaw = ApplicationsFlaw::SaltsDiffer("a.example".to_owned());
        assert_eq!(check(vec![one, differs]), [flaw]);
    }

    #[test]
    fn an_entity_is_one_application() {
        let one = |id: &str| {
            format!(
                r#"
[[saml]]
id = "{id}"
name = {{ fr = "A", de = "A", en = "A" }}
salt = "0123456789abcdef0123456789abcdef"
metadata = """
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://app.example/">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://app.example/acs" index="0"/>
</md:SPSSODescriptor></md:EntityDescriptor>"""
"#
            )
        };
        let flaws = |text: &str| toml::from_str::<Applications>(text).unwrap().check();
        assert_eq!(flaws(&one("a")), []);
        let entity = "https://app.example/".to_owned();
        let both = one("a") + &one("b");
        assert_eq!(flaws(&both), [ApplicationsFlaw::EntityTwice(entity)]);
    }
}
