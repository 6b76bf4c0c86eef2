//! `AuthnRequest`: a received message becomes a request that can be granted, or a refusal that says
//! whom to tell.
//!
//! | step | a fault goes to |
//! |---|---|
//! | the message is XML of the right kind | the person's page |
//! | the issuer is known | the person's page |
//! | the signature is good, if there is one or must be one | the person's page |
//! | it was meant for here | the person's page |
//! | the consumer service is the issuer's own | the person's page |
//! | everything else | the application, at that consumer service |

use serde::{Deserialize, Serialize};

use super::binding::{Delivery, Kind, Received};
use super::context::{Comparison, Requested};
use super::fault::Fault;
use super::metadata::{Consumer, ServiceProvider};
use super::moment;
use super::response::NameIdFormat;
use super::xml::{Element, SAML, SAMLP, XmlError};

/// A verified authentication request. Small enough to travel in a sealed ticket.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AuthnRequest {
    /// Its identifier, to be used once; none when the sign-in began at the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The application's entity ID.
    pub issuer: String,
    /// Where the response goes: one of the application's own.
    pub consumer: String,
    /// How it gets there.
    #[serde(default)]
    pub delivery: Delivery,
    /// What it wants back untouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relay_state: Option<String>,
    /// The kind of name identifier it wants; none when any will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_id: Option<NameIdFormat>,
    /// The authentication contexts it wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested: Option<Requested>,
    /// The person must prove again, however fresh the session is.
    #[serde(default)]
    pub force_authn: bool,
    /// The person must not be asked anything.
    #[serde(default)]
    pub is_passive: bool,
    /// What the application calls itself. Shown to nobody as if it were true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
}

/// Why a request is not granted, and who is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refused {
    /// Only the person's page: no verified address is known.
    Page(Fault),
    /// The application, at this verified address.
    Answer {
        /// What is answered, and to what.
        request: Box<AuthnRequest>,
        /// Why.
        fault: Fault,
    },
}

impl Refused {
    /// Why.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Page(fault) | Self::Answer { fault, .. } => *fault,
        }
    }
}

/// What is expected of a message that comes in.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    /// The address it came to.
    pub here: &'e str,
    /// The time, in unix seconds.
    pub now: i64,
}

/// How far apart the clocks may be, and how long a message may be under way, in seconds.
pub const WINDOW_S: i64 = 300;
/// No identifier or name that anybody needs is longer, in bytes.
const NAME_BYTES_MAX: usize = 256;
/// Contexts in one request.
const CLASSES_MAX: usize = 16;

/// An application as it is registered: its metadata, and whether its requests must be signed.
#[derive(Clone, Copy, Debug)]
pub struct Registered<'r> {
    /// Its metadata.
    pub metadata: &'r ServiceProvider,
    /// Unsigned requests are refused, whatever the metadata says.
    pub must_sign: bool,
}

impl AuthnRequest {
    /// Reads a request. `find` looks an entity ID up among the registered applications.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn read<'r>(
        received: &Received,
        expected: Expected<'_>,
        find: impl FnOnce(&str) -> Option<Registered<'r>>,
    ) -> Result<Self, Refused> {
        let tree = received.tree().map_err(Refused::Page)?;
        let root = tree.root();
        if received.kind != Kind::Request || !root.is(&SAMLP, "AuthnRequest") {
            return Err(Refused::Page(Fault::NotForHere));
        }
        let issuer = issuer(root).map_err(Refused::Page)?;
        let known = find(&issuer)
            .filter(|known| known.metadata.is_valid(expected.now))
            .ok_or(Refused::Page(Fault::IssuerUnknown))?;
        let root = believed(received, root, known).map_err(Refused::Page)?;
        is_for_here(root, received, expected).map_err(Refused::Page)?;
        let consumer = consumer(root, known.metadata).map_err(Refused::Page)?;
        let id = identifier(root).map_err(Refused::Page)?;
        let mut request = Self {
            id: Some(id),
            relay_state: received.relay_state.clone(),
            ..Self::unsolicited(known.metadata, consumer)
        };
        match request.fill(root, known.metadata, expected.now) {
            Ok(()) => Ok(request),
            Err(fault) => Err(Refused::Answer {
                request: Box::new(request),
                fault,
            }),
        }
    }

    /// A sign-in that begins at the provider: nobody asked for anything.
    #[must_use]
    pub fn unsolicited(application: &ServiceProvider, consumer: &Consumer) -> Self {
        Self {
            id: None,
            issuer: application.entity_id.clone(),
            consumer: consumer.location.clone(),
            delivery: consumer.delivery,
            relay_state: None,
            name_id: None,
            requested: None,
            force_authn: false,
            is_passive: false,
            provider_name: None,
        }
    }

    /// All steps whose faults the application is told.
    fn fill(
        &mut self,
        root: Element<'_, '_>,
        application: &ServiceProvider,
        now: i64,
    ) -> Result<(), Fault> {
        is_version_2(root)?;
        is_fresh(root, now)?;
        // [Core §3.4.1] "However, if both ForceAuthn and IsPassive are "true", the identity provider MUST NOT freshly authenticate the presenter unless the constraints of IsPassive can be met."
        self.force_authn = root.flag("ForceAuthn").map_err(schema)?;
        self.is_passive = root.flag("IsPassive").map_err(schema)?;
        self.provider_name = root.attribute("ProviderName").map(shortened);
        if root.one(&SAML, "Subject").map_err(schema)?.is_some() {
            return Err(Fault::Subject);
        }
        answers_by(root, self.delivery)?;
        self.name_id = name_id_policy(root, application)?;
        self.requested = requested(root)?;
        scoping(root)
    }

    /// Whether a proof at `auth_time` may be used again for this request.
    #[must_use]
    pub const fn accepts_earlier_proof(&self) -> bool {
        // [Core §3.4.1] "If "true", the identity provider MUST authenticate the presenter directly rather than rely on a previous security context."
        !self.force_authn
    }
}

/// What is missing from the schema, once the sender can be told, is a bad request.
fn schema(_: XmlError) -> Fault {
    Fault::Schema
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// The entity ID of the sender. Not believed yet.
pub(super) fn issuer(root: Element<'_, '_>) -> Result<String, Fault> {
    let issuer = root.the(&SAML, "Issuer").map_err(schema)?;
    // [Profiles §4.1.4.1] "The Format attribute MUST be omitted or have a value of urn:oasis:names:tc:SAML:2.0:nameid-format:entity."
    let entity = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
    if issuer
        .attribute("Format")
        .is_some_and(|format| format != entity)
    {
        return Err(Fault::IssuerUnknown);
    }
    issuer.text().map_err(schema)
}

/// The same element, once a signature that is there or must be there was verified.
fn believed<'a, 'i>(
    received: &Received,
    root: Element<'a, 'i>,
    known: Registered<'_>,
) -> Result<Element<'a, 'i>, Fault> {
    let must = known.must_sign || known.metadata.signs_requests;
    if !received.is_signed(root) {
        return if must { Err(Fault::Unsigned) } else { Ok(root) };
    }
    received
        .signed(root, &known.metadata.signing)
        .map(|signed| signed.element())
}

/// [Bindings §3.5.5.2] "If the message is signed, the Destination XML attribute in the root SAML element of the protocol message MUST contain the URL to which the sender has instructed the user agent to deliver the message."
pub(super) fn is_for_here(
    root: Element<'_, '_>,
    received: &Received,
    expected: Expected<'_>,
) -> Result<(), Fault> {
    // [Core §3.2.1] "If it is present, the actual recipient MUST check that the URI reference identifies the location at which the message was received. If it does not, the request MUST be discarded."
    match root.attribute("Destination") {
        Some(destination) if destination == expected.here => Ok(()),
        None if !received.is_signed(root) => Ok(()),
        _ => Err(Fault::Destination),
    }
}

/// The consumer service that the request names by address, by number or not at all.
fn consumer<'m>(
    root: Element<'_, '_>,
    application: &'m ServiceProvider,
) -> Result<&'m Consumer, Fault> {
    let (location, index) = (
        root.attribute("AssertionConsumerServiceURL"),
        root.attribute("AssertionConsumerServiceIndex"),
    );
    // One address may take responses by several bindings.
    let delivery = root.attribute("ProtocolBinding").and_then(Delivery::of_uri);
    let mut all = application.consumers.iter();
    match (location, index) {
        // [Core §3.4.1] "The responder MUST ensure by some means that the value specified is in fact associated with the requester."
        (Some(location), None) => {
            let mut there = all.filter(|one| one.location == location);
            let wanted = |one: &&Consumer| delivery.is_none_or(|wanted| one.delivery == wanted);
            there.clone().find(wanted).or_else(|| there.next())
        }
        (None, Some(index)) => {
            let index: Option<u16> = index.trim().parse().ok();
            all.find(|one| Some(one.index) == index)
        }
        // [Core §3.4.1] "If omitted, then the identity provider MUST return the <Response> message to the default location associated with the requester for the profile of use."
        (None, None) => application
            .consumer_by(delivery)
            .or_else(|| application.default_consumer()),
        (Some(_), Some(_)) => None,
    }
    .ok_or(Fault::ConsumerUnknown)
}

fn answers_by(root: Element<'_, '_>, delivery: Delivery) -> Result<(), Fault> {
    let wanted = root.attribute("ProtocolBinding");
    if wanted.is_none_or(|wanted| wanted == delivery.uri()) {
        Ok(())
    } else {
        Err(Fault::Binding)
    }
}

/// An identifier that can be spent once.
pub(super) fn identifier(root: Element<'_, '_>) -> Result<String, Fault> {
    let id = root.needs("ID").map_err(schema)?;
    let first = id
        .chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    if !first || id.len() > NAME_BYTES_MAX || id.contains(char::is_whitespace) {
        return Err(Fault::Schema);
    }
    Ok(id.to_owned())
}

pub(super) fn is_version_2(root: Element<'_, '_>) -> Result<(), Fault> {
    if root.attribute("Version") == Some("2.0") {
        Ok(())
    } else {
        Err(Fault::Version)
    }
}

pub(super) fn is_fresh(root: Element<'_, '_>, now: i64) -> Result<(), Fault> {
    let issued = root.needs("IssueInstant").map_err(schema)?;
    let issued = moment::read(issued).ok_or(Fault::Schema)?;
    if now.saturating_sub(issued).saturating_abs() <= WINDOW_S {
        Ok(())
    } else {
        Err(Fault::Stale)
    }
}

fn name_id_policy(
    root: Element<'_, '_>,
    application: &ServiceProvider,
) -> Result<Option<NameIdFormat>, Fault> {
    let Some(policy) = root.one(&SAMLP, "NameIDPolicy").map_err(schema)? else {
        return Ok(None);
    };
    // [Core §3.4.1.1] "When this element is used, if the content is not understood by or acceptable to the identity provider, then a <Response> message element MUST be returned with an error <Status>"
    let qualifier = policy.attribute("SPNameQualifier").unwrap_or_default();
    if !qualifier.is_empty() && qualifier != application.entity_id {
        return Err(Fault::NameIdPolicy);
    }
    policy.flag("AllowCreate").map_err(schema)?;
    match policy.attribute("Format").map(NameIdFormat::of_uri) {
        // [Core §3.4.1.1] "If the Format value is omitted or set to urn:oasis:names:tc:SAML:2.0:nameidformat:unspecified, then the identity provider is free to return any kind of identifier"
        None | Some(Some(NameIdFormat::Unspecified)) => Ok(None),
        Some(Some(format)) => Ok(Some(format)),
        Some(None) => Err(Fault::NameIdPolicy),
    }
}

fn requested(root: Element<'_, '_>) -> Result<Option<Requested>, Fault> {
    let Some(asked) = root.one(&SAMLP, "RequestedAuthnContext").map_err(schema)? else {
        return Ok(None);
    };
    let comparison = match asked.attribute("Comparison") {
        None | Some("exact") => Comparison::Exact,
        Some("minimum") => Comparison::Minimum,
        Some("maximum") => Comparison::Maximum,
        Some("better") => Comparison::Better,
        Some(_) => return Err(Fault::Schema),
    };
    // [Core §3.3.2.2.1] "The set of supplied references MUST be evaluated as an ordered set, where the first element is the most preferred authentication context class or declaration."
    let classes: Vec<String> = asked
        .all(&SAML, "AuthnContextClassRef")
        .take(CLASSES_MAX)
        .map(|class| class.text().map_err(schema))
        // No class that is known here is as long, and this one would travel in every ticket.
        .filter(|class| !matches!(class, Ok(class) if class.len() > NAME_BYTES_MAX))
        .collect::<Result<_, _>>()?;
    let requested = Requested {
        comparison,
        classes,
    };
    // [Core §3.3.2.2.1] "If none of the specified classes or declarations can be satisfied in accordance with the rules below, then the responder MUST return a <Response> message with a second-level <StatusCode> of urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext."
    if requested.demand().is_none() {
        return Err(Fault::Context);
    }
    Ok(Some(requested))
}

/// The provider asks no other one, so any proxy count is kept; it only must be a number.
fn scoping(root: Element<'_, '_>) -> Result<(), Fault> {
    let Some(scoping) = root.one(&SAMLP, "Scoping").map_err(schema)? else {
        return Ok(());
    };
    match scoping.attribute("ProxyCount").map(str::parse::<u32>) {
        Some(Err(_)) => Err(Fault::Schema),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
