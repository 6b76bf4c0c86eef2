//! An application that speaks SAML, as a technician registers it.
//!
//! In `applications.toml`:
//!
//! ```toml
//! [[saml]]
//! id = "ism"
//! name = { fr = "ISM", de = "ISM", en = "ISM" }
//! salt = "…at least 32 letters and digits of chance, never changed…"
//! attributes = ["display_name", "mail", "affiliation"]
//! minimum = "password"
//! metadata = '''
//! <md:EntityDescriptor …>…</md:EntityDescriptor>
//! '''
//! ```

use serde::{Deserialize, Serialize};

use super::binding::Binding;
use super::metadata::{MetadataError, ServiceProvider};
use super::request::Registered;
use super::response::{Attribute, NameId, NameIdFormat};
use super::xml::DataCipher;
use crate::cas::{is_id, is_presentable};
use crate::oauth::client::{Assurance, Name};
use crate::oidc::claims::Profile;
use crate::pseudonym::{is_strong, pseudonym};

/// A registered SAML application.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Its id: 1 to 64 of `a`–`z`, `0`–`9`, `-`, `_`, `.`; no other application has it.
    pub id: String,
    /// What people see, in each language.
    pub name: Name,
    /// Its metadata: XML.
    pub metadata: String,
    /// Its entity ID, if the metadata describes more than one application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// Goes into the names by which it knows people. If it changes, it knows nobody any more; if
    /// another application knew it, the two could compare whom they know.
    pub salt: String,
    /// By which name it knows people, if its requests ask for no other.
    #[serde(default)]
    pub name_id: Naming,
    /// What else it gets of a person.
    #[serde(default)]
    pub attributes: Vec<Released>,
    /// The least that must be proven, whether it asks for it or not.
    #[serde(default)]
    pub minimum: Assurance,
    /// Who may enter, by group; nobody named means everybody.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Unsigned requests are refused, even if its metadata does not say that it signs.
    #[serde(default)]
    pub signed_requests: bool,
    /// Its assertions are encrypted to the key in its metadata.
    #[serde(default)]
    pub encrypt: bool,
    /// With which cipher; none means the one its metadata likes best, or AES-256-GCM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cipher: Option<DataCipher>,
    /// It hears of a session's end from the provider itself, by HTTP-POST and without the person's browser.
    #[serde(default)]
    pub backchannel_logout: bool,
    /// People may begin at the provider, with a response that nobody asked for.
    #[serde(default)]
    pub unsolicited: bool,
    /// A disabled application is refused as if it were unknown.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// By which name an application knows people.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    /// An opaque one that no other application has.
    #[default]
    Persistent,
    /// Another opaque one in every session.
    Transient,
    /// The mail address.
    Email,
    /// The name they sign in with, as `unspecified`.
    Username,
}

/// What an application may get of a person.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Released {
    /// The name they sign in with, in `uid`.
    Uid,
    /// First and last name, in `displayName`.
    DisplayName,
    /// In `givenName`.
    GivenName,
    /// The last name, in `sn`.
    Sn,
    /// In `mail`. From the register: nobody has proven that they read it.
    Mail,
    /// The name they sign in with, at the provider's domain, in `eduPersonPrincipalName`.
    PrincipalName,
    /// What they are to the school, in `eduPersonAffiliation`.
    Affiliation,
    /// The same at the provider's domain, in `eduPersonScopedAffiliation`.
    ScopedAffiliation,
    /// Roles, in `isMemberOf`.
    Groups,
    /// The language they are written to, in `preferredLanguage`.
    Language,
    /// The number fixed at activation, in `telephoneNumber`.
    Telephone,
    /// By what they proved who they are, in `authnmethodsreferences`: `pwd`, `sms`, `otp`, `mfa`
    /// [RFC 8176 §2].
    Methods,
    /// An opaque name that no other application has, in `pairwise-id`.
    PairwiseId,
    /// The id that never changes, the same for all applications, in `subject-id`.
    SubjectId,
}

/// What is wrong with a registration.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ApplicationFlaw {
    /// The id is empty, too long or has odd characters.
    #[error("the id must be 1 to 64 of `a`-`z`, `0`-`9`, `-`, `_` and `.`")]
    Id,
    /// A name is empty or longer than 100 characters.
    #[error("the name must be given in fr, de and en, each at most 100 characters")]
    Name,
    /// The salt could be guessed.
    #[error(
        "`salt` must be 32 to 200 characters of chance, such as `openssl rand -hex 32` prints; \
         never change it"
    )]
    Salt,
    /// The metadata cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// Nothing to encrypt to.
    #[error("`encrypt` needs a certificate with an RSA key for encryption in the metadata")]
    NoEncryptionKey,
    /// Nowhere to post to.
    #[error("`backchannel_logout` needs a SingleLogoutService for HTTP-POST in the metadata")]
    NoBackchannel,
    /// Nothing to verify with.
    #[error("signed requests need a certificate for signing in the metadata")]
    NoSigningKey,
}

/// One name of a person in one session, and the session, as an application knows them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    /// The person's name.
    pub name_id: NameId,
    /// The session.
    pub session_index: String,
}

/// Whose names are made.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'w> {
    /// The person's id.
    pub person: &'w str,
    /// The session's key.
    pub session: &'w [u8; 32],
    /// By what they proved who they are [RFC 8176 §2].
    pub methods: &'w [&'static str],
    /// What is known of the person.
    pub profile: &'w Profile,
    /// The domain of the provider, for scoped values.
    pub scope: &'w str,
}

impl Application {
    /// Everything that is wrong with this registration; empty when it may be used. Whether the
    /// metadata is still valid is seen when it is used.
    #[must_use]
    pub fn check(&self) -> Vec<ApplicationFlaw> {
        let mut flaws = Vec::new();
        if !is_id(&self.id) {
            flaws.push(ApplicationFlaw::Id);
        }
        if !is_presentable(&self.name) {
            flaws.push(ApplicationFlaw::Name);
        }
        if !is_strong(&self.salt) {
            flaws.push(ApplicationFlaw::Salt);
        }
        match self.provider(i64::MIN) {
            Err(error) => flaws.push(error.into()),
            Ok(provider) => {
                if self.encrypt && !provider.can_decrypt() {
                    flaws.push(ApplicationFlaw::NoEncryptionKey);
                }
                if self.backchannel_logout && provider.party().logout_by(Binding::Post).is_none() {
                    flaws.push(ApplicationFlaw::NoBackchannel);
                }
                let signs = self.signed_requests || provider.signs_requests;
                if signs && !provider.can_sign() {
                    flaws.push(ApplicationFlaw::NoSigningKey);
                }
            }
        }
        flaws
    }

    /// What its metadata says, at this time (unix seconds).
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn provider(&self, now: i64) -> Result<ServiceProvider, MetadataError> {
        ServiceProvider::read(&self.metadata, self.entity_id.as_deref(), now)
    }

    /// As [`AuthnRequest::read`](super::AuthnRequest::read) wants it.
    #[must_use]
    pub const fn registered<'r>(&self, metadata: &'r ServiceProvider) -> Registered<'r> {
        Registered {
            metadata,
            must_sign: self.signed_requests,
        }
    }

    /// Whether somebody of these groups may enter.
    #[must_use]
    pub fn lets_in(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || self.groups.iter().any(|one| groups.contains(one))
    }

    /// Whether a request for this format can be granted: nothing is told that is not released anyway.
    #[must_use]
    pub fn gives(&self, format: NameIdFormat) -> bool {
        match format {
            NameIdFormat::Persistent | NameIdFormat::Transient => true,
            NameIdFormat::Email => {
                self.name_id == Naming::Email || self.attributes.contains(&Released::Mail)
            }
            NameIdFormat::Unspecified => true,
        }
    }

    /// How the application knows a person in a session. `asked` is the format of the request.
    ///
    /// None when the person has no such name: no mail address.
    #[must_use]
    pub fn known(&self, asked: Option<NameIdFormat>, whom: Whom<'_>) -> Option<Known> {
        let format = match (asked, self.name_id) {
            (Some(NameIdFormat::Unspecified) | None, Naming::Persistent) => {
                NameIdFormat::Persistent
            }
            (Some(NameIdFormat::Unspecified) | None, Naming::Transient) => NameIdFormat::Transient,
            (Some(NameIdFormat::Unspecified) | None, Naming::Email) => NameIdFormat::Email,
            (Some(NameIdFormat::Unspecified) | None, Naming::Username) => NameIdFormat::Unspecified,
            (Some(asked), _) => asked,
        };
        let value = match format {
            NameIdFormat::Persistent => self.opaque("persistent", whom.person.as_bytes()),
            NameIdFormat::Transient => format!("_{}", self.opaque("transient", whom.session)),
            NameIdFormat::Email => whom.profile.email.clone()?,
            NameIdFormat::Unspecified => whom.profile.preferred_username.clone()?,
        };
        Some(Known {
            name_id: NameId { format, value },
            session_index: self.opaque("session", whom.session),
        })
    }

    /// Whether it hears of the end of a session by itself, under a name of this format. The register is not
    /// asked for names at that moment: whoever is known by a mail address is signed out by their browser.
    #[must_use]
    pub const fn hears(&self, format: NameIdFormat) -> bool {
        self.backchannel_logout
            && matches!(format, NameIdFormat::Persistent | NameIdFormat::Transient)
    }

    /// What it gets of a person: only what it is registered for.
    #[must_use]
    pub fn released(&self, whom: Whom<'_>) -> Vec<Attribute> {
        let all = self.attributes.iter().map(|one| {
            let (name, friendly) = one.names();
            Attribute {
                name,
                friendly,
                values: self.values(*one, whom),
            }
        });
        all.filter(|attribute| !attribute.values.is_empty())
            .collect()
    }

    fn values(&self, which: Released, whom: Whom<'_>) -> Vec<String> {
        let profile = whom.profile;
        let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let scoped = |values: Vec<String>| -> Vec<String> {
            let scope = |value: String| format!("{value}@{}", whom.scope);
            values.into_iter().map(scope).collect()
        };
        match which {
            Released::Uid => one(&profile.preferred_username),
            Released::DisplayName => one(&profile.name),
            Released::GivenName => one(&profile.given_name),
            Released::Sn => one(&profile.family_name),
            Released::Mail => one(&profile.email),
            Released::PrincipalName => scoped(one(&profile.preferred_username)),
            Released::Affiliation => affiliations(&profile.groups),
            Released::ScopedAffiliation => scoped(affiliations(&profile.groups)),
            Released::Groups => profile.groups.clone(),
            Released::Language => one(&profile.locale),
            Released::Telephone => one(&profile.phone_number),
            Released::Methods => whom.methods.iter().map(|&one| one.to_owned()).collect(),
            // [Subject Identifiers §3.4] at most 127 letters, digits, `=` and `-` before the scope.
            Released::PairwiseId => scoped(vec![self.opaque("pairwise", whom.person.as_bytes())]),
            Released::SubjectId => scoped(vec![whom.person.to_owned()]),
        }
    }

    /// 128 bits that nobody can turn back or compare without the salt.
    fn opaque(&self, kind: &str, of: &[u8]) -> String {
        pseudonym(&self.salt, kind, of)
    }
}

/// What eduPerson calls the roles.
fn affiliations(groups: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for group in groups {
        let more: &[&str] = match group.as_str() {
            "pupil" => &["student", "member"],
            "teacher" => &["faculty", "employee", "member"],
            "staff" | "admin" => &["staff", "employee", "member"],
            _ => &[],
        };
        all.extend(more.iter().map(|&one| one.to_owned()));
    }
    all.sort_unstable();
    all.dedup();
    all
}

impl Released {
    /// Its name, and what people call it.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Uid => ("urn:oid:0.9.2342.19200300.100.1.1", "uid"),
            Self::DisplayName => ("urn:oid:2.16.840.1.113730.3.1.241", "displayName"),
            Self::GivenName => ("urn:oid:2.5.4.42", "givenName"),
            Self::Sn => ("urn:oid:2.5.4.4", "sn"),
            Self::Mail => ("urn:oid:0.9.2342.19200300.100.1.3", "mail"),
            Self::PrincipalName => ("urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "eduPersonPrincipalName"),
            Self::Affiliation => ("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "eduPersonAffiliation"),
            Self::ScopedAffiliation => (
                "urn:oid:1.3.6.1.4.1.5923.1.1.1.9",
                "eduPersonScopedAffiliation",
            ),
            Self::Groups => ("urn:oid:1.3.6.1.4.1.5923.1.5.1.1", "isMemberOf"),
            Self::Language => ("urn:oid:2.16.840.1.113730.3.1.39", "preferredLanguage"),
            Self::Telephone => ("urn:oid:2.5.4.20", "telephoneNumber"),
            // No standard has a name for it; this is the one that products know.
            Self::Methods => (
                "http://schemas.microsoft.com/claims/authnmethodsreferences",
                "authnmethodsreferences",
            ),
            Self::PairwiseId => (
                "urn:oasis:names:tc:SAML:attribute:pairwise-id",
                "pairwise-id",
            ),
            Self::SubjectId => ("urn:oasis:names:tc:SAML:attribute:subject-id", "subject-id"),
        }
    }
}

const fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saml::samples::metadata;

    fn ism() -> Application {
        let text = r#"
id = "ism"
name = { fr = "ISM", de = "ISM", en = "ISM" }
salt = "0123456789abcdef0123456789abcdef"
attributes = ["display_name", "scoped_affiliation", "pairwise_id", "telephone"]
metadata = ""
"#;
        Application {
            metadata: metadata(),
            ..toml::from_str(text).unwrap()
        }
    }

    fn profile() -> Profile {
        Profile {
            name: Some("Chlo\u{e9} Zufferey".to_owned()),
            preferred_username: Some("chloe".to_owned()),
            groups: vec!["teacher".to_owned()],
            ..Profile::default()
        }
    }

    fn whom<'w>(profile: &'w Profile, session: &'w [u8; 32]) -> Whom<'w> {
        Whom {
            person: "0198-chloe",
            session,
            methods: &["pwd", "otp", "mfa"],
            profile,
            scope: "edu.example",
        }
    }

    #[test]
    fn a_registration_is_read_and_what_is_wrong_with_it_is_said_at_once() {
        assert_eq!(ism().check(), []);
        let bad = Application {
            id: "ISM".to_owned(),
            salt: "short".to_owned(),
            metadata: "<x/>".to_owned(),
            ..ism()
        };
        assert_eq!(bad.check().len(), 3, "{:?}", bad.check());
        let keyless = Application {
            encrypt: true,
            signed_requests: true,
            metadata: metadata().replace("KeyDescriptor", "NoKeyDescriptor"),
            ..ism()
        };
        let flaws = [
            ApplicationFlaw::NoEncryptionKey,
            ApplicationFlaw::NoSigningKey,
        ];
        assert_eq!(keyless.check(), flaws);
        let deaf = Application {
            backchannel_logout: true,
            metadata: metadata().replace(
                "bindings:HTTP-POST\" Location=\"https://ism.example/slo",
                "bindings:SOAP\" Location=\"https://ism.example/slo",
            ),
            ..ism()
        };
        assert_eq!(deaf.check(), [ApplicationFlaw::NoBackchannel]);
    }

    /// Nothing is released that the registration does not list, and no value that is not there.
    #[test]
    fn an_application_gets_what_it_is_registered_for_and_nothing_else() {
        let (profile, session) = (profile(), [1; 32]);
        let released = ism().released(whom(&profile, &session));
        let names: Vec<_> = released.iter().map(|one| one.friendly).collect();
        assert_eq!(
            names,
            ["displayName", "eduPersonScopedAffiliation", "pairwise-id"]
        );
        assert_eq!(released[0].values, ["Chlo\u{e9} Zufferey"]);
        assert_eq!(
            released[1].values,
            [
                "employee@edu.example",
                "faculty@edu.example",
                "member@edu.example"
            ]
        );
        assert!(released[2].values[0].ends_with("@edu.example"));
        let told = Application {
            attributes: vec![Released::Methods],
            ..ism()
        };
        let released = told.released(whom(&profile, &session));
        assert_eq!(released[0].values, ["pwd", "otp", "mfa"]);
    }

    /// A persistent name is the same in every session and another one in every application.
    #[test]
    fn names_are_as_constant_as_their_format_says() {
        let profile = profile();
        let other = Application {
            salt: "f".repeat(32),
            ..ism()
        };
        let name = |application: &Application, format, session: &[u8; 32]| {
            application
                .known(format, whom(&profile, session))
                .map(|known| known.name_id.value)
        };
        let persistent = Some(NameIdFormat::Persistent);
        assert_eq!(
            name(&ism(), persistent, &[1; 32]),
            name(&ism(), None, &[2; 32])
        );
        assert_ne!(
            name(&ism(), persistent, &[1; 32]),
            name(&other, persistent, &[1; 32])
        );
        let transient = Some(NameIdFormat::Transient);
        assert_ne!(
            name(&ism(), transient, &[1; 32]),
            name(&ism(), transient, &[2; 32])
        );
        assert_eq!(name(&ism(), Some(NameIdFormat::Email), &[1; 32]), None);
        assert!(!ism().gives(NameIdFormat::Email) && ism().gives(NameIdFormat::Transient));
    }

    #[test]
    fn who_may_enter_is_said_by_group() {
        let mut closed = ism();
        assert!(closed.lets_in(&["pupil".to_owned()]));
        closed.groups = vec!["teacher".to_owned()];
        assert!(closed.lets_in(&["teacher".to_owned()]) && !closed.lets_in(&["pupil".to_owned()]));
    }
}
