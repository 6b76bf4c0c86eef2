//! The other side of the conversation: what an application asks, and what it believes of an answer.
//!
//! The provider has no use for it. The demo's school administration speaks with it, on the same tree and
//! the same [`Signed`](super::xml) as everything here: a second XML reader would be a second truth.
//! `docs/decisions/0026-the-demos-saml-application.md` says why.

use std::collections::BTreeMap;

use super::binding::{Binding, Kind, Outgoing, Received};
use super::fault::Fault;
use super::logout::Making;
use super::metadata::IdentityProvider;
use super::moment;
use super::request::{Expected, is_for_here, is_fresh, is_version_2, issuer};
use super::response::{BEARER, NameId, NameIdFormat, SKEW_S};
use super::xml::{DS, Element, MD, SAML, SAMLP, Signed, Writer, XmlError};

/// An application's own name and addresses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Own {
    /// Its entity ID.
    pub entity_id: String,
    /// Where answers come by POST.
    pub consumer: String,
    /// Where logout messages come by Redirect and by POST.
    pub logout: String,
}

impl Own {
    /// Its metadata: it signs what it asks, and wants what it is told signed. `certificate` is base64 of
    /// DER.
    #[must_use]
    pub fn metadata(&self, certificate: &str) -> String {
        let mut writer = Writer::new();
        let role = [
            (
                "protocolSupportEnumeration",
                "urn:oasis:names:tc:SAML:2.0:protocol",
            ),
            ("AuthnRequestsSigned", "true"),
            ("WantAssertionsSigned", "true"),
        ];
        let by = |binding: Binding| [("Binding", binding.uri()), ("Location", &*self.logout)];
        let consumer = [
            ("Binding", Binding::Post.uri()),
            ("Location", &self.consumer),
            ("index", "0"),
            ("isDefault", "true"),
        ];
        writer
            .open(&MD, "EntityDescriptor", &[("entityID", &self.entity_id)])
            .open(&MD, "SPSSODescriptor", &role)
            .open(&MD, "KeyDescriptor", &[("use", "signing")])
            .open(&DS, "KeyInfo", &[])
            .open(&DS, "X509Data", &[])
            .leaf(&DS, "X509Certificate", &[], certificate)
            .close()
            .close()
            .close()
            .leaf(&MD, "SingleLogoutService", &by(Binding::Redirect), "")
            .leaf(&MD, "SingleLogoutService", &by(Binding::Post), "")
            .leaf(&MD, "NameIDFormat", &[], NameIdFormat::Persistent.uri())
            .leaf(&MD, "AssertionConsumerService", &consumer, "");
        writer.finish()
    }
}

/// What an application wants of a sign-in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ask {
    /// The person must prove again.
    pub force_authn: bool,
    /// The person must not be asked anything.
    pub is_passive: bool,
    /// The authentication contexts of which one must be reached; none listed means any.
    pub classes: Vec<String>,
    /// What it wants back untouched.
    pub relay_state: String,
}

impl Ask {
    /// The request, which goes by Redirect: [`Outgoing::location`] signs it. Its identifier is
    /// [`Making::id`].
    ///
    /// None when the cryptographic library fails.
    #[must_use]
    pub fn request(
        &self,
        making: &Making<'_>,
        own: &Own,
        provider: &IdentityProvider,
    ) -> Option<Outgoing> {
        let mut more = vec![
            ("AssertionConsumerServiceURL", own.consumer.as_str()),
            ("ProtocolBinding", Binding::Post.uri()),
        ];
        let flags = [
            ("ForceAuthn", self.force_authn),
            ("IsPassive", self.is_passive),
        ];
        more.extend(
            flags
                .iter()
                .filter(|(_, set)| *set)
                .map(|(name, _)| (*name, "true")),
        );
        let to = (provider.sso.as_str(), Binding::Redirect);
        let xml = making.message("AuthnRequest", &more, to, |writer| {
            writer.leaf(&SAMLP, "NameIDPolicy", &[("AllowCreate", "true")], "");
            if self.classes.is_empty() {
                return;
            }
            writer.open(&SAMLP, "RequestedAuthnContext", &[("Comparison", "exact")]);
            for class in &self.classes {
                writer.leaf(&SAML, "AuthnContextClassRef", &[], class);
            }
            writer.close();
        })?;
        Some(Outgoing {
            kind: Kind::Request,
            to: provider.sso.clone(),
            xml,
            relay_state: Some(self.relay_state.clone()),
        })
    }
}

/// An answer whose signatures, addressee and times hold. Whether it answers a request that was made, and
/// for the first time, is for the caller to know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The request that it answers; none when nobody asked.
    pub in_response_to: Option<String>,
    /// What the application wanted back.
    pub relay_state: Option<String>,
    /// What the provider says.
    pub said: Result<Asserted, Declined>,
}

/// Who signed in, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asserted {
    /// The person's name towards this application.
    pub name_id: NameId,
    /// The session, as the provider will name it at logout.
    pub session_index: Option<String>,
    /// When the session ends at the latest, in unix seconds.
    pub session_until: Option<i64>,
    /// The authentication context class.
    pub class: String,
    /// When the person proved, in unix seconds.
    pub auth_instant: i64,
    /// What the provider says of the person: names of attributes with their values.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// Nobody signed in, and the provider says why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Declined {
    /// The last word of the innermost status code: `NoPassive`, `RequestDenied`.
    pub code: String,
    /// What it says in words; may be empty.
    pub message: String,
}

/// Why an answer is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Doubt {
    /// Not the XML that it should be.
    #[error("the answer is no SAML response, or lacks something that the schema demands")]
    Form,
    /// Another provider speaks.
    #[error("the answer comes from another provider")]
    Issuer,
    /// The response or the assertion was not signed by the provider as it is.
    #[error("the answer or its assertion was not signed by a key in the provider's metadata")]
    Signature,
    /// It was sent elsewhere.
    #[error("the answer was sent to another address than this one")]
    Recipient,
    /// Another application is meant.
    #[error("the assertion is for another application")]
    Audience,
    /// Too early, too late, or over.
    #[error("the answer is too old or comes from the future")]
    Time,
    /// The assertion was made for another request than the message says.
    #[error("the assertion answers another request than the response around it")]
    Request,
}

impl From<XmlError> for Doubt {
    fn from(_: XmlError) -> Self {
        Self::Form
    }
}

impl From<Fault> for Doubt {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unsigned | Fault::SignatureNotGood => Self::Signature,
            Fault::Destination => Self::Recipient,
            Fault::Stale => Self::Time,
            _ => Self::Form,
        }
    }
}

impl Answer {
    /// Reads what came to the consumer service by POST. Everything that is read stands inside an element
    /// whose signature was verified.
    ///
    /// # Errors
    /// [`Doubt`]: nobody is signed in.
    pub fn read(
        received: &Received,
        own: &Own,
        provider: &IdentityProvider,
        now: i64,
    ) -> Result<Self, Doubt> {
        let tree = received.tree()?;
        let is_answer = received.kind == Kind::Response && received.binding == Binding::Post;
        if !is_answer || !tree.root().is(&SAMLP, "Response") {
            return Err(Doubt::Form);
        }
        if issuer(tree.root())? != provider.entity_id {
            return Err(Doubt::Issuer);
        }
        let root = received.signed(tree.root(), &provider.signing)?.element();
        let here = own.consumer.as_str();
        is_for_here(root, received, Expected { here, now })?;
        is_version_2(root)?;
        is_fresh(root, now)?;
        let asked = root.attribute("InResponseTo");
        let said = match declined(root)? {
            Some(declined) => Err(declined),
            None => Ok(Asserted::read(
                root.the(&SAML, "Assertion")?,
                provider,
                (own, asked),
                now,
            )?),
        };
        Ok(Self {
            in_response_to: asked.map(str::to_owned),
            relay_state: received.relay_state.clone(),
            said,
        })
    }
}

/// The status, unless it is a success.
fn declined(root: Element<'_, '_>) -> Result<Option<Declined>, Doubt> {
    let status = root.the(&SAMLP, "Status")?;
    let first = status.the(&SAMLP, "StatusCode")?;
    if first.needs("Value")? == "urn:oasis:names:tc:SAML:2.0:status:Success" {
        return Ok(None);
    }
    let code = first.one(&SAMLP, "StatusCode")?.unwrap_or(first);
    let code = code.needs("Value")?.rsplit(':').next().unwrap_or_default();
    let message = status.one(&SAMLP, "StatusMessage")?;
    Ok(Some(Declined {
        code: code.to_owned(),
        message: message.map_or(Ok(String::new()), Element::text)?,
    }))
}

impl Asserted {
    fn read(
        assertion: Element<'_, '_>,
        provider: &IdentityProvider,
        (own, asked): (&Own, Option<&str>),
        now: i64,
    ) -> Result<Self, Doubt> {
        let signed = Signed::enveloped(assertion, &provider.signing);
        let assertion = signed.map_err(|_| Doubt::Signature)?.element();
        if issuer(assertion)? != provider.entity_id {
            return Err(Doubt::Issuer);
        }
        is_version_2(assertion)?;
        let subject = assertion.the(&SAML, "Subject")?;
        is_confirmed(subject, own, asked, now)?;
        is_meant_for(assertion.the(&SAML, "Conditions")?, own, now)?;
        let name_id = NameId::read(subject.the(&SAML, "NameID")?);
        let is_somebody = |name: &NameId| !name.value.is_empty();
        let name_id = name_id.filter(is_somebody).ok_or(Doubt::Form)?;
        let authn = assertion.the(&SAML, "AuthnStatement")?;
        let session_until = instant(authn, "SessionNotOnOrAfter")?;
        if session_until.is_some_and(|until| now >= until.saturating_add(SKEW_S)) {
            return Err(Doubt::Time);
        }
        let context = authn.the(&SAML, "AuthnContext")?;
        let class = context.the(&SAML, "AuthnContextClassRef")?.text()?;
        if class.is_empty() {
            return Err(Doubt::Form);
        }
        Ok(Self {
            name_id,
            session_index: authn.attribute("SessionIndex").map(str::to_owned),
            session_until,
            class,
            auth_instant: instant(authn, "AuthnInstant")?.ok_or(Doubt::Form)?,
            attributes: attributes(assertion)?,
        })
    }
}

fn instant(element: Element<'_, '_>, name: &'static str) -> Result<Option<i64>, Doubt> {
    let text = element.attribute(name);
    text.map(|text| moment::read(text).ok_or(Doubt::Form))
        .transpose()
}

/// One of the confirmations is that the bearer, here and now, in answer to this request, is the subject.
fn is_confirmed(
    subject: Element<'_, '_>,
    own: &Own,
    asked: Option<&str>,
    now: i64,
) -> Result<(), Doubt> {
    let mut verdict = Err(Doubt::Form);
    let bearers = subject.all(&SAML, "SubjectConfirmation");
    for one in bearers.filter(|one| one.attribute("Method") == Some(BEARER)) {
        let data = one.the(&SAML, "SubjectConfirmationData")?;
        let until = instant(data, "NotOnOrAfter")?.ok_or(Doubt::Form)?;
        verdict = if data.attribute("NotBefore").is_some() {
            Err(Doubt::Form)
        } else if data.attribute("Recipient") != Some(&own.consumer) {
            Err(Doubt::Recipient)
        } else if data.attribute("InResponseTo") != asked {
            Err(Doubt::Request)
        } else if now >= until.saturating_add(SKEW_S) {
            Err(Doubt::Time)
        } else {
            return Ok(());
        };
    }
    verdict
}

/// All conditions hold, and are known; at least one of them names the application.
fn is_meant_for(conditions: Element<'_, '_>, own: &Own, now: i64) -> Result<(), Doubt> {
    let from = instant(conditions, "NotBefore")?;
    let until = instant(conditions, "NotOnOrAfter")?;
    if from.is_some_and(|from| now.saturating_add(SKEW_S) < from)
        || until.is_some_and(|until| now >= until.saturating_add(SKEW_S))
    {
        return Err(Doubt::Time);
    }
    let mut is_named = false;
    for condition in conditions.elements() {
        if condition.is(&SAML, "AudienceRestriction") {
            let mut audiences = condition.all(&SAML, "Audience");
            let is_own = |one: Element<'_, '_>| one.text().is_ok_and(|text| text == own.entity_id);
            is_named = audiences.any(is_own);
            if !is_named {
                return Err(Doubt::Audience);
            }
        } else if !condition.is(&SAML, "OneTimeUse") && !condition.is(&SAML, "ProxyRestriction") {
            return Err(Doubt::Form);
        }
    }
    if is_named {
        Ok(())
    } else {
        Err(Doubt::Audience)
    }
}

fn attributes(assertion: Element<'_, '_>) -> Result<BTreeMap<String, Vec<String>>, Doubt> {
    let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all = assertion.all(&SAML, "AttributeStatement");
    for attribute in all.flat_map(|statement| statement.all(&SAML, "Attribute")) {
        let values = known
            .entry(attribute.needs("Name")?.to_owned())
            .or_default();
        // A value that is more than text says nothing here.
        let texts = attribute.all(&SAML, "AttributeValue");
        values.extend(texts.filter_map(|value| value.text().ok()));
    }
    Ok(known)
}

#[cfg(test)]
mod tests;
