//! HTTP Artifact: a reference that a browser carries to an application, and the two messages by which the
//! application fetches what it stands for. Deliberately absent: requests that come as an artifact.

use std::fmt;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use data_encoding::BASE64;

use super::fault::{Fault, Status};
use super::logout::Making;
use super::metadata::Party;
use super::moment;
use super::request::{Expected, identifier, is_fresh, is_version_2, issuer};
use super::response::write_status;
use super::soap::{self, Blame, Envelope};
use super::xml::{Bounds, DS, Element, Halves, SAML, SAMLP, Signed, Tree, Writer, canonical, sign};
use crate::form::with_query;

/// The name of the parameter that carries an artifact.
pub const PARAMETER: &str = "SAMLart";
/// The number of our resolution service in our metadata.
const OUR_INDEX: u16 = 0;
/// The only type of artifact of SAML 2.0.
const TYPE: [u8; 2] = [0, 4];
/// So long is an artifact as text, in bytes.
const TEXT_BYTES: usize = 60;
/// A reference to a message. Whoever has it can ask for the message, so it prints nothing.
#[derive(Clone, Eq, PartialEq)]
pub struct Artifact {
    index: u16,
    source: [u8; 20],
    handle: [u8; 20],
}

impl fmt::Debug for Artifact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Artifact")
    }
}

/// By what an artifact names its maker. It is a name and proves nothing.
///
/// [Bindings §3.6.4] "The issuer constructs the SourceID component of the artifact by taking the SHA-1 hash of the identification URL."
fn source_of(entity_id: &str) -> [u8; 20] {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, entity_id.as_bytes());
    hash.as_ref().try_into().unwrap_or_default()
}

impl Artifact {
    /// A new one. `handle` is 20 bytes of chance.
    #[must_use]
    pub fn new(entity_id: &str, handle: [u8; 20]) -> Self {
        Self {
            index: OUR_INDEX,
            source: source_of(entity_id),
            handle,
        }
    }

    /// Reads one as a browser brings it; none if it is not of type 4 and of its length.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.len() != TEXT_BYTES {
            return None;
        }
        let bytes = BASE64.decode(text.as_bytes()).ok()?;
        let (code, rest) = bytes.split_first_chunk::<2>()?;
        let (index, rest) = rest.split_first_chunk::<2>()?;
        let (source, rest) = rest.split_first_chunk::<20>()?;
        (*code == TYPE).then_some(Self {
            index: u16::from_be_bytes(*index),
            source: *source,
            handle: rest.try_into().ok()?,
        })
    }

    /// As a browser carries it.
    #[must_use]
    pub fn text(&self) -> String {
        let index = self.index.to_be_bytes();
        let parts: [&[u8]; 4] = [&TYPE, &index, &self.source, &self.handle];
        BASE64.encode(&parts.concat())
    }

    /// The name under which its message waits for one application: another one that has the artifact, or one
    /// that knows the names, finds nothing.
    #[must_use]
    pub fn key(&self, application: &str) -> [u8; 32] {
        let named = [self.text().as_bytes(), b" ", application.as_bytes()].concat();
        let hash = digest(&SHA256, &named);
        hash.as_ref().try_into().unwrap_or_default()
    }

    /// The address that a browser is sent to with it.
    #[must_use]
    pub fn location(&self, to: &str, relay_state: Option<&str>) -> String {
        let text = self.text();
        let parameters = [
            (PARAMETER, Some(text.as_str())),
            ("RelayState", relay_state),
        ];
        with_query(to, &parameters)
    }
}

/// An application asks for the message that an artifact stands for, and has proven who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ArtifactResolve {
    /// Its identifier: what is answered.
    pub id: String,
    /// The application's entity ID.
    pub issuer: String,
    /// For what.
    pub artifact: Artifact,
}

/// Why somebody who asks for a message does not get one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Unresolved {
    /// There is no question to answer.
    NoQuestion(Blame),
    /// There is, by somebody who is not believed: they get an answer without a message.
    NotBelieved {
        /// The identifier of the question.
        id: String,
        /// Who is said to ask; nobody has proven it.
        issuer: String,
        /// Why.
        fault: Fault,
    },
}

impl ArtifactResolve {
    /// Reads the body of a POST. `find` looks an entity ID up among the registered applications.
    ///
    /// # Errors
    /// [`Unresolved`].
    pub fn read<'m>(
        body: &[u8],
        expected: Expected<'_>,
        find: impl FnOnce(&str) -> Option<Party<'m>>,
    ) -> Result<Self, Unresolved> {
        let client = Unresolved::NoQuestion(Blame::Client);
        let text = std::str::from_utf8(body).map_err(|_| client.clone())?;
        let tree = Tree::read(text, &Bounds::MESSAGE).map_err(|_| client.clone())?;
        let root = opened(tree.root()).map_err(Unresolved::NoQuestion)?;
        if !root.is(&SAMLP, "ArtifactResolve") {
            return Err(client);
        }
        let id = identifier(root).map_err(|_| client.clone())?;
        let said = issuer(root).unwrap_or_default();
        let artifact = asked(root, &said, expected, find);
        match artifact {
            Ok(artifact) => Ok(Self {
                id,
                issuer: said,
                artifact,
            }),
            Err(fault) => Err(Unresolved::NotBelieved {
                id,
                issuer: said,
                fault,
            }),
        }
    }
}

/// What is in an envelope, if nothing around it must be understood.
fn opened<'a, 'i>(root: Element<'a, 'i>) -> Result<Element<'a, 'i>, Blame> {
    let envelope = Envelope::of(root).map_err(|_| Blame::Client)?;
    let mut headers = envelope.headers.into_iter();
    if headers.any(Envelope::must_be_understood) {
        return Err(Blame::MustUnderstand);
    }
    Ok(envelope.body)
}

/// The artifact in a question whose signature is good.
fn asked<'m>(
    root: Element<'_, '_>,
    said: &str,
    expected: Expected<'_>,
    find: impl FnOnce(&str) -> Option<Party<'m>>,
) -> Result<Artifact, Fault> {
    let sender = find(said)
        .filter(|known| known.is_valid(expected.now))
        .ok_or(Fault::IssuerUnknown)?;
    // Core 3.5.1: signed, or authenticated by the transport, which asks nobody for a certificate here.
    let root = believed(root, sender)?;
    // [Core §3.2.1] "If it is present, the actual recipient MUST check that the URI reference identifies the location at which the message was received. If it does not, the request MUST be discarded."
    let destination = root.attribute("Destination");
    if destination.is_some_and(|destination| destination != expected.here) {
        return Err(Fault::Destination);
    }
    is_version_2(root)?;
    is_fresh(root, expected.now)?;
    let artifact = root.the(&SAMLP, "Artifact").and_then(Element::text);
    let artifact = artifact.map_err(|_| Fault::Schema)?;
    Artifact::read(&artifact).ok_or(Fault::Schema)
}

/// The same element, with the proof that one of the keys of its sender signed it.
fn believed<'a, 'i>(root: Element<'a, 'i>, sender: Party<'_>) -> Result<Element<'a, 'i>, Fault> {
    if root.all(&DS, "Signature").next().is_none() {
        return Err(Fault::Unsigned);
    }
    let signed = Signed::enveloped(root, sender.signing);
    Ok(signed.map_err(|_| Fault::SignatureNotGood)?.element())
}

impl Making<'_> {
    /// The envelope that answers a question: with the message, or with none.
    ///
    /// None when the cryptographic library fails.
    #[must_use]
    pub fn resolved(&self, question: &str, message: Option<&str>) -> Option<String> {
        let (id, instant) = (self.id(), moment::written(self.now));
        let attributes = [
            ("ID", id.as_str()),
            ("Version", "2.0"),
            ("IssueInstant", &instant),
            ("InResponseTo", question),
        ];
        let mut writer = Writer::new();
        writer.open(&SAMLP, "ArtifactResponse", &attributes);
        writer.leaf(&SAML, "Issuer", &[], self.speaker);
        let place = writer.here();
        // Core 3.5.3 wants Success without a message, too.
        write_status(&mut writer, (Status::SUCCESS, ""));
        writer.raw(message.unwrap_or_default());
        let text = writer.finish();
        // The message declares again what is declared around it, which no signature counts.
        let tree = Tree::read(&text, &Bounds::METADATA).ok()?;
        let text = canonical(tree.root().node(), None, &[]).ok()?;
        let signed = sign(&Halves::new(&text, place)?, &id, self.credential)?;
        Some(soap::envelope(|_| (), &signed))
    }
}

#[cfg(test)]
mod tests;
