//! A CAS application as a technician registers it.
//!
//! In `applications.toml`:
//!
//! ```toml
//! [[cas]]
//! id = "moodle"
//! name = { fr = "Moodle", de = "Moodle", en = "Moodle" }
//! services = ["https://moodle.example.ch/"]
//! attributes = ["display_name", "mail", "groups"]
//! minimum = "password"
//! ```

use serde::{Deserialize, Serialize};

use super::{
    Address, AddressFlaw, Named,
    proxy::{Link, link},
};
use crate::oauth::client::{Assurance, Kind, Name, UriFlaw, flaw_of_registered};
use crate::oidc::claims::Profile;

/// A registered CAS application.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its id: 1 to 64 of `a`–`z`, `0`–`9`, `-`, `_`, `.`; no other application has it.
    pub id: String,
    /// What people see, in each language.
    pub name: Name,
    /// Its addresses: one that ends in `/` stands for everything below it.
    pub services: Vec<String>,
    /// What it gets as the name of a person.
    #[serde(default)]
    pub user: User,
    /// What it gets beside that, by the validations that know attributes.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// It may act for people at other applications: it may have proxy-granting tickets.
    #[serde(default, skip_serializing_if = "is_not")]
    pub proxy: bool,
    /// Where it is given these. Compared character by character; the provider calls there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxy_callbacks: Vec<String>,
    /// The ids of the applications that may act for people here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proxied_by: Vec<String>,
    /// The least that must be proven.
    #[serde(default)]
    pub minimum: Assurance,
    /// The page a person who lands nowhere is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// A disabled application is refused as if it were unknown.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// What an application gets as the name of a person.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum User {
    /// The name they sign in with.
    #[default]
    Username,
    /// The id that never changes.
    Id,
}

/// What an application may get of a person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// First and last name, in `displayName`.
    DisplayName,
    /// In `givenName`.
    GivenName,
    /// The last name, in `sn`.
    Sn,
    /// In `mail`. From the register: nobody has proven that they read it.
    Mail,
    /// In `groups`, one element each.
    Groups,
    /// The language they are written to, in `preferredLanguage`.
    Language,
    /// The number fixed at activation, in `telephoneNumber`.
    Telephone,
}

/// What is wrong with a registration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServiceFlaw {
    /// The id is empty, too long or has odd characters.
    #[error("the id must be 1 to 64 of `a`-`z`, `0`-`9`, `-`, `_` and `.`")]
    Id,
    /// A name is empty or longer than 100 characters.
    #[error("the name must be given in fr, de and en, each at most 100 characters")]
    Name,
    /// There are no addresses, or more than 50.
    #[error("`services` must list 1 to 50 addresses")]
    NoAddress,
    /// Addresses cannot be registered.
    #[error("`{text}`: {flaw}")]
    Address {
        /// As written.
        text: String,
        /// What is wrong.
        flaw: AddressFlaw,
    },
    /// An address for proxy-granting tickets cannot be registered.
    #[error("`proxy_callbacks` `{text}`: {flaw}")]
    Callback {
        /// As written.
        text: String,
        /// What is wrong.
        flaw: UriFlaw,
    },
    /// It may act, but nobody knows where it is reached; or the other way round.
    #[error(
        "`proxy = true` needs 1 to 10 `proxy_callbacks`, and these are for `proxy = true` only; add what is \
         missing, or remove the other"
    )]
    Proxy,
    /// A list of applications with what is no id in it.
    #[error("`proxied_by` must list at most 20 ids of CAS applications that have `proxy = true`")]
    ProxiedBy,
    /// The home page is no address.
    #[error("`home`: {0}")]
    Home(AddressFlaw),
}

impl Service {
    /// Everything that is wrong with this registration; empty when it may be used.
    #[must_use]
    pub fn check(&self) -> Vec<ServiceFlaw> {
        let mut flaws = Vec::new();
        if !is_id(&self.id) {
            flaws.push(ServiceFlaw::Id);
        }
        if !is_presentable(&self.name) {
            flaws.push(ServiceFlaw::Name);
        }
        if !(1..=50).contains(&self.services.len()) {
            flaws.push(ServiceFlaw::NoAddress);
        }
        let wrong = self.services.iter().filter_map(|text| {
            let flaw = Address::parse(text).err()?;
            let text = text.clone();
            Some(ServiceFlaw::Address { text, flaw })
        });
        flaws.extend(wrong);
        flaws.extend(self.flaws_of_proxying());
        let home = self.home.as_deref().map(Address::parse);
        flaws.extend(home.and_then(Result::err).map(ServiceFlaw::Home));
        flaws
    }

    fn flaws_of_proxying(&self) -> Vec<ServiceFlaw> {
        // [CAS §2.5.4] "This URL MUST be HTTPS and CAS MUST evaluate the endpoint to establish peer trust."
        let wrong = self.proxy_callbacks.iter().filter_map(|text| {
            let flaw = flaw_of_registered(text, Kind::Confidential)?;
            let text = text.clone();
            Some(ServiceFlaw::Callback { text, flaw })
        });
        let mut flaws: Vec<_> = wrong.collect();
        let callbacks = self.proxy_callbacks.len();
        let fits = match self.proxy {
            true => (1..=10).contains(&callbacks),
            false => callbacks == 0,
        };
        if !fits {
            flaws.push(ServiceFlaw::Proxy);
        }
        if self.proxied_by.len() > 20 || !self.proxied_by.iter().all(|id| is_id(id)) {
            flaws.push(ServiceFlaw::ProxiedBy);
        }
        flaws
    }

    /// Who acts at one of its callback addresses, as tickets name it; none if it may not, or not there.
    #[must_use]
    pub fn link_at(&self, callback: &str) -> Option<Link> {
        let mut all = self.proxy_callbacks.iter();
        let listed = self.proxy && all.any(|known| known == callback);
        listed.then(|| link(&self.id, callback))
    }

    /// Its callback address that a ticket names; none if it is none of its own any more.
    #[must_use]
    pub fn callback_of(&self, wanted: Link) -> Option<&str> {
        let mut all = self.proxy_callbacks.iter().map(String::as_str);
        all.find(|callback| self.proxy && link(&self.id, callback) == wanted)
    }

    /// Whether an application may act for people here.
    #[must_use]
    pub fn admits(&self, proxy: &str) -> bool {
        self.proxied_by.iter().any(|id| id == proxy)
    }

    /// Whether an address is one of its own.
    #[must_use]
    pub fn has(&self, named: &Named) -> bool {
        let addresses = self
            .services
            .iter()
            .filter_map(|text| Address::parse(text).ok());
        addresses.into_iter().any(|address| address.covers(named))
    }

    /// What it gets of a person: only what it is registered for, under the names that directories use.
    #[must_use]
    pub fn released(&self, profile: &Profile) -> Vec<(&'static str, Vec<String>)> {
        let one = |value: &Option<String>| value.iter().cloned().collect();
        let released = self.attributes.iter().map(|attribute| match attribute {
            Attribute::DisplayName => ("displayName", one(&profile.name)),
            Attribute::GivenName => ("givenName", one(&profile.given_name)),
            Attribute::Sn => ("sn", one(&profile.family_name)),
            Attribute::Mail => ("mail", one(&profile.email)),
            Attribute::Groups => ("groups", profile.groups.clone()),
            Attribute::Language => ("preferredLanguage", one(&profile.locale)),
            Attribute::Telephone => ("telephoneNumber", one(&profile.phone_number)),
        });
        released.filter(|(_, values)| !values.is_empty()).collect()
    }
}

/// The rule for ids of all kinds of applications.
pub(crate) fn is_id(id: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    (1..=64).contains(&id.len()) && id.bytes().all(plain)
}

/// The rule for names of all kinds of applications.
pub(crate) fn is_presentable(name: &Name) -> bool {
    let fine = |name: &String| {
        let short = name.chars().count() <= 100;
        short && !name.trim().is_empty() && !name.contains(char::is_control)
    };
    [&name.fr, &name.de, &name.en].into_iter().all(fine)
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_not(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOODLE: &str = r#"
id = "moodle"
name = { fr = "Moodle", de = "Moodle", en = "Moodle" }
services = ["https://moodle.example.ch/", "https://moodle.example.ch/x"]
attributes = ["display_name", "groups", "telephone"]
"#;

    #[test]
    fn a_registration_is_read_and_what_is_wrong_with_it_is_said_at_once() {
        let moodle: Service = toml::from_str(MOODLE).unwrap();
        assert_eq!(moodle.check(), []);
        assert!(moodle.enabled && moodle.minimum == Assurance::Password);
        let bad = Service {
            id: "Moodle".to_owned(),
            name: Name {
                de: String::new(),
                ..moodle.name.clone()
            },
            services: vec!["https://moodle.example.ch/*".to_owned()],
            home: Some("moodle".to_owned()),
            ..moodle
        };
        assert_eq!(bad.check().len(), 4, "{:?}", bad.check());
        assert!(toml::from_str::<Service>(&format!("{MOODLE}service = 1")).is_err());
    }

    /// [C17] [CAS §2.5.4] "This URL MUST be HTTPS and CAS MUST evaluate the endpoint to establish peer trust."
    #[test]
    fn who_may_act_says_where_it_is_called_and_nobody_acts_unasked() {
        let moodle: Service = toml::from_str(MOODLE).unwrap();
        let at = "https://moodle.example.ch/proxy?x=1";
        assert_eq!(moodle.link_at(at), None);
        assert!(!moodle.admits("portal"));
        let acting = Service {
            proxy: true,
            proxy_callbacks: vec![at.to_owned()],
            proxied_by: vec!["portal".to_owned()],
            ..moodle.clone()
        };
        assert_eq!(acting.check(), []);
        assert!(acting.admits("portal") && !acting.admits("moodle"));
        let link = acting.link_at(at).unwrap();
        assert_eq!(acting.callback_of(link), Some(at));
        for other in [
            "https://moodle.example.ch/proxy",
            "https://moodle.example.ch/proxy?x=1&y=2",
            "",
        ] {
            assert_eq!(acting.link_at(other), None, "{other}");
        }
        let off = Service {
            proxy: false,
            ..acting.clone()
        };
        assert_eq!((off.link_at(at), off.callback_of(link)), (None, None));
        let elsewhere = Service {
            id: "other".to_owned(),
            ..acting.clone()
        };
        assert_eq!(elsewhere.callback_of(link), None, "another one's");
        let plain = vec!["http://moodle.example.ch/proxy".to_owned()];
        for flawed in [
            off,
            Service {
                proxy_callbacks: Vec::new(),
                ..acting.clone()
            },
            Service {
                proxy_callbacks: plain,
                ..acting.clone()
            },
            Service {
                proxied_by: vec!["Portal".to_owned()],
                ..acting.clone()
            },
        ] {
            assert_eq!(flawed.check().len(), 1, "{flawed:?}");
        }
    }

    /// Nothing is released that the registration does not list.
    #[test]
    fn an_application_gets_what_it_is_registered_for_and_nothing_else() {
        let moodle: Service = toml::from_str(MOODLE).unwrap();
        let profile = Profile {
            name: Some("Chloé Zufferey".to_owned()),
            email: Some("chloe@edu.example".to_owned()),
            groups: vec!["teacher".to_owned(), "class 7".to_owned()],
            ..Profile::default()
        };
        let released = moodle.released(&profile);
        assert_eq!(
            released,
            [
                ("displayName", vec!["Chloé Zufferey".to_owned()]),
                ("groups", vec!["teacher".to_owned(), "class 7".to_owned()]),
            ]
        );
    }
}
