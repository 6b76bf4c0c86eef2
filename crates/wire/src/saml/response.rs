//! `Response`: a statement about a person, signed twice, or a status that says why there is none.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::binding::{Kind, Outgoing};
use super::fault::{Fault, Status};
use super::idp::Idp;
use super::key::Credential;
use super::metadata::ServiceProvider;
use super::moment;
use super::request::AuthnRequest;
use super::xml::{DataCipher, Element, Halves, SAML, SAMLP, Writer, encrypted, sign};

/// What a name identifier is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameIdFormat {
    /// Opaque, the same at every sign-in, another one for every application.
    Persistent,
    /// Opaque, another one at every sign-in.
    Transient,
    /// A mail address.
    Email,
    /// Whatever the two sides agreed on.
    Unspecified,
}

impl NameIdFormat {
    /// All of them, best first.
    pub const ALL: [Self; 4] = [
        Self::Persistent,
        Self::Transient,
        Self::Email,
        Self::Unspecified,
    ];

    /// Its name.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Persistent => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            Self::Transient => "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
            Self::Email => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            Self::Unspecified => "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        }
    }

    /// The format of a name. The standard's text names `unspecified` of 2.0, too.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        let uri = match uri {
            "urn:oasis:names:tc:SAML:2.0:nameid-format:unspecified" => Self::Unspecified.uri(),
            other => other,
        };
        Self::ALL.into_iter().find(|format| format.uri() == uri)
    }
}

/// The name of a person towards one application.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct NameId {
    /// What the value is.
    pub format: NameIdFormat,
    /// The value, at most 256 characters.
    pub value: String,
}

impl NameId {
    /// Writes it. A name that is only meant for one pair of provider and application says for which.
    pub(super) fn write(&self, writer: &mut Writer, (provider, application): (&str, &str)) {
        let qualifiers = [
            ("NameQualifier", provider),
            ("SPNameQualifier", application),
        ];
        let mut attributes = vec![("Format", self.format.uri())];
        if matches!(
            self.format,
            NameIdFormat::Persistent | NameIdFormat::Transient
        ) {
            attributes.extend(qualifiers);
        }
        writer.leaf(&SAML, "NameID", &attributes, &self.value);
    }

    /// Reads it; none when its format is unknown or there is more than text in it.
    pub(super) fn read(name: Element<'_, '_>) -> Option<Self> {
        let format = name
            .attribute("Format")
            .map_or(Some(NameIdFormat::Unspecified), NameIdFormat::of_uri);
        Some(Self {
            format: format?,
            value: name.text().ok()?,
        })
    }
}

/// A fact about a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Attribute {
    /// Its name: a URI, e.g. `urn:oid:0.9.2342.19200300.100.1.3`.
    pub name: &'static str,
    /// What people call it.
    pub friendly: &'static str,
    /// Its values; at least one.
    pub values: Vec<String>,
}

/// What the provider states about a person who signed in.
#[derive(Debug)]
pub struct Statement {
    /// The person's name towards the application.
    pub name_id: NameId,
    /// When the person proved, in unix seconds.
    pub auth_instant: i64,
    /// The session, as the application may name it at logout.
    pub session_index: String,
    /// When the session ends at the latest, in unix seconds.
    pub session_until: i64,
    /// The authentication context class that the proof has earned.
    pub class: &'static str,
    /// What the application may know.
    pub attributes: Vec<Attribute>,
}

/// Everything a response is made with.
pub struct Making<'m> {
    /// Who answers.
    pub idp: &'m Idp,
    /// With what signature.
    pub credential: &'m Credential<'m>,
    /// The time, in unix seconds.
    pub now: i64,
    /// 96 bytes of chance: two identifiers, and a key and a start value for encryption.
    pub chance: &'m [u8; 96],
}

/// How an assertion is encrypted.
#[derive(Clone, Copy, Debug)]
pub struct Encrypting<'e> {
    /// The application, whose metadata has the key.
    pub to: &'e ServiceProvider,
    /// The cipher.
    pub cipher: DataCipher,
}

/// How long an assertion can be presented, in seconds.
pub const ASSERTION_S: i64 = 300;
/// How far the clocks of a provider and an application may differ, in seconds.
pub(super) const SKEW_S: i64 = 60;
/// Whoever brings the assertion is whom it speaks of.
pub(super) const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

impl fmt::Debug for Making<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The chance becomes keys.
        formatter
            .debug_struct("Making")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Making<'_> {
    /// A response with an assertion; both are signed, and the assertion is encrypted if that is asked.
    ///
    /// [Profiles §4.1.4.5] "If the HTTP POST binding is used to deliver the <Response>, each assertion MUST be protected by a digital signature."
    ///
    /// None when the cryptographic library fails, or there is no key to encrypt to.
    #[must_use]
    pub fn response(
        &self,
        request: &AuthnRequest,
        statement: &Statement,
        encrypting: Option<Encrypting<'_>>,
    ) -> Option<Outgoing> {
        let assertion = self.assertion(request, statement)?;
        let inside = match encrypting {
            None => assertion,
            Some(how) => encrypted(
                (&SAML, "EncryptedAssertion"),
                &assertion,
                how.cipher,
                how.to.encryption.as_ref()?,
                self.chance.last_chunk::<48>()?,
            )?,
        };
        self.message(request, (Status::SUCCESS, ""), &inside)
    }

    /// A response that says why there is no assertion.
    ///
    /// None when the cryptographic library fails.
    #[must_use]
    pub fn refusal(&self, request: &AuthnRequest, fault: Fault) -> Option<Outgoing> {
        let row = fault.row();
        let status = row.status.or(Fault::Failed.row().status)?;
        self.message(request, (status, row.description), "")
    }

    fn message(
        &self,
        request: &AuthnRequest,
        status: (Status, &str),
        inside: &str,
    ) -> Option<Outgoing> {
        let id = identifier(self.chance.first_chunk::<20>()?);
        let mut writer = Writer::new();
        let (instant, mut attributes) = (moment::written(self.now), Vec::new());
        attributes.extend([
            ("ID", id.as_str()),
            ("Version", "2.0"),
            ("IssueInstant", &instant),
            ("Destination", &request.consumer),
        ]);
        // [Core §3.2.2] "If the response is not generated in response to a request, or if the ID attribute value of a request cannot be determined (for example, the request is malformed), then this attribute MUST NOT be present. Otherwise, it MUST be present and its value MUST match the value of the corresponding request's ID attribute."
        if let Some(asked) = &request.id {
            attributes.push(("InResponseTo", asked));
        }
        writer.open(&SAMLP, "Response", &attributes);
        writer.leaf(&SAML, "Issuer", &[], &self.idp.entity_id);
        let place = writer.here();
        write_status(&mut writer, status);
        writer.raw(inside);
        let halves = Halves::new(&writer.finish(), place)?;
        Some(Outgoing {
            kind: Kind::Response,
            to: request.consumer.clone(),
            xml: sign(&halves, &id, self.credential)?,
            // [Bindings §3.5.3] "MUST place the exact data it received with the request into the corresponding RelayState parameter in the response."
            relay_state: request.relay_state.clone(),
        })
    }

    fn assertion(&self, request: &AuthnRequest, statement: &Statement) -> Option<String> {
        let id = identifier(self.chance.get(20..)?.first_chunk::<20>()?);
        let until = moment::written(self.now + ASSERTION_S);
        let mut writer = Writer::new();
        let issued = moment::written(self.now);
        let attributes = [
            ("ID", id.as_str()),
            ("Version", "2.0"),
            ("IssueInstant", &issued),
        ];
        writer.open(&SAML, "Assertion", &attributes);
        writer.leaf(&SAML, "Issuer", &[], &self.idp.entity_id);
        let place = writer.here();
        self.subject(&mut writer, request, statement, &until);
        let from = moment::written(self.now - SKEW_S);
        // [Profiles §4.1.4.2] "Each bearer assertion MUST contain an <AudienceRestriction> including the service provider's unique identifier as an <Audience>."
        writer
            .open(
                &SAML,
                "Conditions",
                &[("NotBefore", &from), ("NotOnOrAfter", &until)],
            )
            .open(&SAML, "AudienceRestriction", &[])
            .leaf(&SAML, "Audience", &[], &request.issuer)
            .close()
            .close();
        authn_statement(&mut writer, statement);
        attribute_statement(&mut writer, &statement.attributes);
        let halves = Halves::new(&writer.finish(), place)?;
        sign(&halves, &id, self.credential)
    }

    /// [Profiles §4.1.4.2] "At least one bearer <SubjectConfirmation> element MUST contain a <SubjectConfirmationData> element that itself MUST contain a Recipient attribute containing the service provider's assertion consumer service URL and a NotOnOrAfter attribute that limits the window during which the assertion can be delivered."
    fn subject(
        &self,
        writer: &mut Writer,
        request: &AuthnRequest,
        statement: &Statement,
        until: &str,
    ) {
        writer.open(&SAML, "Subject", &[]);
        let pair = (self.idp.entity_id.as_str(), request.issuer.as_str());
        statement.name_id.write(writer, pair);
        let mut data = vec![
            ("NotOnOrAfter", until),
            ("Recipient", request.consumer.as_str()),
        ];
        if let Some(asked) = &request.id {
            data.push(("InResponseTo", asked));
        }
        writer
            .open(&SAML, "SubjectConfirmation", &[("Method", BEARER)])
            .leaf(&SAML, "SubjectConfirmationData", &data, "")
            .close()
            .close();
    }
}

/// [Profiles §4.1.4.2] "If the identity provider supports the Single Logout profile, defined in Section 4.4, any authentication statements MUST include a SessionIndex attribute to enable per-session logout requests by the service provider."
fn authn_statement(writer: &mut Writer, statement: &Statement) {
    let (at, until) = (
        moment::written(statement.auth_instant),
        moment::written(statement.session_until),
    );
    let attributes = [
        ("AuthnInstant", at.as_str()),
        ("SessionIndex", &statement.session_index),
        ("SessionNotOnOrAfter", &until),
    ];
    writer
        .open(&SAML, "AuthnStatement", &attributes)
        .open(&SAML, "AuthnContext", &[])
        .leaf(&SAML, "AuthnContextClassRef", &[], statement.class)
        .close()
        .close();
}

/// An empty statement would break the schema.
fn attribute_statement(writer: &mut Writer, attributes: &[Attribute]) {
    if attributes.is_empty() {
        return;
    }
    writer.open(&SAML, "AttributeStatement", &[]);
    for attribute in attributes {
        let names = [
            ("Name", attribute.name),
            ("FriendlyName", attribute.friendly),
            (
                "NameFormat",
                "urn:oasis:names:tc:SAML:2.0:attrname-format:uri",
            ),
        ];
        writer.open(&SAML, "Attribute", &names);
        for value in &attribute.values {
            writer.leaf(&SAML, "AttributeValue", &[], value);
        }
        writer.close();
    }
    writer.close();
}

/// Writes `samlp:Status`.
pub(super) fn write_status(writer: &mut Writer, (status, message): (Status, &str)) {
    let uri = |code: &str| format!("urn:oasis:names:tc:SAML:2.0:status:{code}");
    writer.open(&SAMLP, "Status", &[]);
    writer.open(&SAMLP, "StatusCode", &[("Value", &uri(status.first))]);
    if !status.second.is_empty() {
        writer.leaf(&SAMLP, "StatusCode", &[("Value", &uri(status.second))], "");
    }
    writer.close();
    if !message.is_empty() {
        writer.leaf(&SAMLP, "StatusMessage", &[], message);
    }
    writer.close();
}

/// An identifier that nobody else makes: 160 bits of chance. XML wants a letter or `_` first.
pub(super) fn identifier(chance: &[u8; 20]) -> String {
    // [Core §1.3.4] "Any party that assigns an identifier MUST ensure that there is negligible probability that that party or any other party will accidentally assign the same identifier to a different data object."
    format!("_{}", data_encoding::HEXLOWER.encode(chance))
}

#[cfg(test)]
mod tests;
