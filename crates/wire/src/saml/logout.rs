//! Single logout: requests and responses, both ways.

use super::binding::{Binding, Kind, Outgoing, Received};
use super::fault::{Fault, Status};
use super::key::Credential;
use super::metadata::{Party, Side, SingleLogout};
use super::moment;
use super::request::{Expected, WINDOW_S, identifier, is_for_here, is_fresh, is_version_2, issuer};
use super::response::{self, NameId, write_status};
use super::xml::{ASLO, Element, Halves, SAML, SAMLP, Signed, Writer, sign};

/// The other side asks to end a session. Always signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutRequest {
    /// Its identifier, to be used once.
    pub id: String,
    /// The sender's entity ID.
    pub issuer: String,
    /// Whose session.
    pub name_id: NameId,
    /// Which sessions; all of that name if none is listed.
    pub session_indexes: Vec<String>,
    /// What it wants back untouched.
    pub relay_state: Option<String>,
    /// How it came: the answer goes the same way if it can.
    pub binding: Binding,
    /// Whoever asks waits for no answer.
    pub asynchronous: bool,
}

/// The other side says what became of a request of ours. Always signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutResponse {
    /// The sender's entity ID.
    pub issuer: String,
    /// The identifier of our request.
    pub in_response_to: String,
    /// Whether the session is gone there.
    pub success: bool,
    /// What we wanted back.
    pub relay_state: Option<String>,
}

/// Sessions named in one request.
const INDEXES_MAX: usize = 16;

/// A logout message whose signature was verified: there is no other kind.
fn verified<'a, 'i, 'm>(
    received: &Received,
    root: Element<'a, 'i>,
    expected: Expected<'_>,
    find: impl FnOnce(&str) -> Option<Party<'m>>,
) -> Result<(Signed<'a, 'i>, Party<'m>), Fault> {
    let sender = find(&issuer(root)?)
        .filter(|known| known.is_valid(expected.now))
        .ok_or(Fault::IssuerUnknown)?;
    if !received.is_signed(root) {
        return Err(Fault::Unsigned);
    }
    let signed = received.signed(root, sender.signing)?;
    is_for_here(signed.element(), received, expected)?;
    is_version_2(signed.element())?;
    is_fresh(signed.element(), expected.now)?;
    Ok((signed, sender))
}

impl LogoutRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Fault`]: the person's page is told; nobody is signed out.
    pub fn read<'m>(
        received: &Received,
        expected: Expected<'_>,
        find: impl FnOnce(&str) -> Option<Party<'m>>,
    ) -> Result<Self, Fault> {
        let tree = received.tree()?;
        if received.kind != Kind::Request || !tree.root().is(&SAMLP, "LogoutRequest") {
            return Err(Fault::NotForHere);
        }
        // [Profiles §4.4.3.1] "The <LogoutRequest> message MUST be signed if the HTTP POST or Redirect binding is used."
        let (signed, sender) = verified(received, tree.root(), expected, find)?;
        let root = signed.element();
        let over = root.attribute("NotOnOrAfter").map(moment::read);
        match over {
            None => {}
            Some(Some(until)) if expected.now < until.saturating_add(WINDOW_S) => {}
            Some(_) => return Err(Fault::Stale),
        }
        Ok(Self {
            id: identifier(root)?,
            issuer: sender.entity_id.to_owned(),
            name_id: name_id(root, sender)?,
            session_indexes: indexes(root)?,
            relay_state: received.relay_state.clone(),
            binding: received.binding,
            asynchronous: asynchronous(root)?,
        })
    }

    /// The answer to this request, to the asker's address for its binding, or another it has.
    ///
    /// None when it has no address for logout messages or the cryptographic library fails.
    #[must_use]
    pub fn answer(
        &self,
        making: &Making<'_>,
        asker: Party<'_>,
        status: Status,
    ) -> Option<(Binding, Outgoing)> {
        let same = asker.logout_by(self.binding);
        let endpoint = same.or_else(|| asker.logout())?;
        let to = endpoint.response_location.as_str();
        let xml = making.message(
            "LogoutResponse",
            &[("InResponseTo", &self.id)],
            (to, endpoint.binding),
            |writer| {
                write_status(writer, (status, ""));
            },
        )?;
        let message = Outgoing {
            kind: Kind::Response,
            to: to.to_owned(),
            xml,
            relay_state: self.relay_state.clone(),
        };
        Some((endpoint.binding, message))
    }
}

/// The sessions that a request names. Cut short, the list would leave one open that was to be closed.
fn indexes(root: Element<'_, '_>) -> Result<Vec<String>, Fault> {
    let all = root.all(&SAMLP, "SessionIndex").take(INDEXES_MAX + 1);
    let all: Vec<String> = all
        .map(|index| index.text().map_err(|_| Fault::Schema))
        .collect::<Result<_, _>>()?;
    if all.len() > INDEXES_MAX {
        return Err(Fault::TooManySessions);
    }
    Ok(all)
}

/// [Asynchronous Single Logout §2.1] `aslo:Asynchronous` in the extensions.
fn asynchronous(root: Element<'_, '_>) -> Result<bool, Fault> {
    let extensions = root.one(&SAMLP, "Extensions").map_err(|_| Fault::Schema)?;
    Ok(extensions.is_some_and(|all| all.all(&ASLO, "Asynchronous").next().is_some()))
}

/// The name in a logout request; the qualifier that names the sender must be the sender's.
fn name_id(root: Element<'_, '_>, sender: Party<'_>) -> Result<NameId, Fault> {
    let name = root
        .the(&SAML, "NameID")
        .map_err(|_| Fault::SessionUnknown)?;
    let qualifier = name.attribute(match sender.side {
        Side::Application => "SPNameQualifier",
        Side::Provider => "NameQualifier",
    });
    if qualifier.is_some_and(|qualifier| qualifier != sender.entity_id) {
        return Err(Fault::SessionUnknown);
    }
    NameId::read(name).ok_or(Fault::SessionUnknown)
}

impl LogoutResponse {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read<'m>(
        received: &Received,
        expected: Expected<'_>,
        find: impl FnOnce(&str) -> Option<Party<'m>>,
    ) -> Result<Self, Fault> {
        let tree = received.tree()?;
        if received.kind != Kind::Response || !tree.root().is(&SAMLP, "LogoutResponse") {
            return Err(Fault::NotForHere);
        }
        // [Profiles §4.4.4.2] "The responder MUST authenticate itself to the requester and ensure message integrity, either by signing the message or using a binding-specific mechanism."
        let (signed, sender) = verified(received, tree.root(), expected, find)?;
        let root = signed.element();
        let schema = |_| Fault::Schema;
        let status = root.the(&SAMLP, "Status").map_err(schema)?;
        let code = status.the(&SAMLP, "StatusCode").map_err(schema)?;
        let partial = code.all(&SAMLP, "StatusCode").any(|second| {
            second
                .attribute("Value")
                .is_some_and(|value| value.ends_with(":PartialLogout"))
        });
        let first = code.needs("Value").map_err(schema)?;
        Ok(Self {
            issuer: sender.entity_id.to_owned(),
            in_response_to: root.needs("InResponseTo").map_err(schema)?.to_owned(),
            success: first == "urn:oasis:names:tc:SAML:2.0:status:Success" && !partial,
            relay_state: received.relay_state.clone(),
        })
    }
}

/// Everything a message of either side is made with, but for responses about people.
#[derive(Debug)]
pub struct Making<'m> {
    /// The entity ID of who speaks.
    pub speaker: &'m str,
    /// With what signature.
    pub credential: &'m Credential<'m>,
    /// The time, in unix seconds.
    pub now: i64,
    /// 20 bytes of chance for the identifier.
    pub chance: &'m [u8; 20],
}

impl Making<'_> {
    /// The identifier of the message that is made with this chance.
    #[must_use]
    pub fn id(&self) -> String {
        response::identifier(self.chance)
    }

    /// A request to the other side to end a session there.
    ///
    /// None when they have no address for logout messages or the cryptographic library fails.
    #[must_use]
    pub fn request(
        &self,
        to: Party<'_>,
        name_id: &NameId,
        session_index: &str,
    ) -> Option<(Binding, Outgoing)> {
        let endpoint = to.logout()?;
        let message = self.asks(to, endpoint, (name_id, session_index), false)?;
        Some((endpoint.binding, message))
    }

    /// The same without the person's browser: by POST from here, and nobody waits for an answer.
    ///
    /// None when they have no address for logout messages by POST or the cryptographic library fails.
    #[must_use]
    pub fn news(&self, to: Party<'_>, name_id: &NameId, session_index: &str) -> Option<Outgoing> {
        let endpoint = to.logout_by(Binding::Post)?;
        self.asks(to, endpoint, (name_id, session_index), true)
    }

    fn asks(
        &self,
        to: Party<'_>,
        endpoint: &SingleLogout,
        (name_id, session_index): (&NameId, &str),
        asynchronous: bool,
    ) -> Option<Outgoing> {
        let pair = match to.side {
            Side::Application => (self.speaker, to.entity_id),
            Side::Provider => (to.entity_id, self.speaker),
        };
        let until = moment::written(self.now + WINDOW_S);
        let there = (endpoint.location.as_str(), endpoint.binding);
        let xml = self.message(
            "LogoutRequest",
            &[("NotOnOrAfter", &until)],
            there,
            |writer| {
                if asynchronous {
                    writer
                        .open(&SAMLP, "Extensions", &[])
                        .leaf(&ASLO, "Asynchronous", &[], "")
                        .close();
                }
                name_id.write(writer, pair);
                writer.leaf(&SAMLP, "SessionIndex", &[], session_index);
            },
        )?;
        Some(Outgoing {
            kind: Kind::Request,
            to: endpoint.location.clone(),
            xml,
            relay_state: None,
        })
    }

    /// A message, signed inside if it goes by POST; by Redirect it is signed beside.
    ///
    /// [Profiles §4.4.3.4] "The <LogoutResponse> message MUST be signed if the HTTP POST or Redirect binding is used."
    pub(super) fn message(
        &self,
        name: &'static str,
        more: &[(&str, &str)],
        (to, binding): (&str, Binding),
        inside: impl FnOnce(&mut Writer),
    ) -> Option<String> {
        let (id, instant) = (self.id(), moment::written(self.now));
        let mut attributes = vec![
            ("ID", id.as_str()),
            ("Version", "2.0"),
            ("IssueInstant", &instant),
            ("Destination", to),
        ];
        attributes.extend(more);
        let mut writer = Writer::new();
        writer.open(&SAMLP, name, &attributes);
        writer.leaf(&SAML, "Issuer", &[], self.speaker);
        let place = writer.here();
        inside(&mut writer);
        let text = writer.finish();
        match binding {
            Binding::Redirect => Some(text),
            Binding::Post => sign(&Halves::new(&text, place)?, &id, self.credential),
        }
    }
}

#[cfg(test)]
mod tests;
