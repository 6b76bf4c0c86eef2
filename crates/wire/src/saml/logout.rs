//! Single logout: requests and responses, both ways.

use super::binding::{Binding, Kind, Outgoing, Received};
use super::fault::{Fault, Status};
use super::idp::Idp;
use super::key::Credential;
use super::metadata::ServiceProvider;
use super::moment;
use super::request::{Expected, WINDOW_S, identifier, is_for_here, is_fresh, is_version_2, issuer};
use super::response::{self, NameId, NameIdFormat, write_status};
use super::xml::{Element, Halves, SAML, SAMLP, Signed, Writer, sign};

/// An application asks to end a session. Always signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutRequest {
    /// Its identifier, to be used once.
    pub id: String,
    /// The application's entity ID.
    pub issuer: String,
    /// Whose session.
    pub name_id: NameId,
    /// Which sessions; all of that name if none is listed.
    pub session_indexes: Vec<String>,
    /// What it wants back untouched.
    pub relay_state: Option<String>,
    /// How it came: the answer goes the same way if it can.
    pub binding: Binding,
}

/// An application says what became of a request of ours. Always signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogoutResponse {
    /// The application's entity ID.
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
    find: impl FnOnce(&str) -> Option<&'m ServiceProvider>,
) -> Result<(Signed<'a, 'i>, &'m ServiceProvider), Fault> {
    let application = find(&issuer(root)?)
        .filter(|known| known.is_valid(expected.now))
        .ok_or(Fault::IssuerUnknown)?;
    if !received.is_signed(root) {
        return Err(Fault::Unsigned);
    }
    let signed = received.signed(root, &application.signing)?;
    is_for_here(signed.element(), received, expected)?;
    is_version_2(signed.element())?;
    is_fresh(signed.element(), expected.now)?;
    Ok((signed, application))
}

impl LogoutRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Fault`]: the person's page is told; nobody is signed out.
    pub fn read<'m>(
        received: &Received,
        expected: Expected<'_>,
        find: impl FnOnce(&str) -> Option<&'m ServiceProvider>,
    ) -> Result<Self, Fault> {
        let tree = received.tree()?;
        if received.kind != Kind::Request || !tree.root().is(&SAMLP, "LogoutRequest") {
            return Err(Fault::NotForHere);
        }
        // [Profiles §4.4.3.1] "The <LogoutRequest> message MUST be signed if the HTTP POST or Redirect binding is used."
        let (signed, application) = verified(received, tree.root(), expected, find)?;
        let root = signed.element();
        let over = root.attribute("NotOnOrAfter").map(moment::read);
        match over {
            None => {}
            Some(Some(until)) if expected.now < until.saturating_add(WINDOW_S) => {}
            Some(_) => return Err(Fault::Stale),
        }
        Ok(Self {
            id: identifier(root)?,
            issuer: application.entity_id.clone(),
            name_id: name_id(root, application)?,
            session_indexes: root
                .all(&SAMLP, "SessionIndex")
                .take(INDEXES_MAX)
                .map(|index| index.text().map_err(|_| Fault::Schema))
                .collect::<Result<_, _>>()?,
            relay_state: received.relay_state.clone(),
            binding: received.binding,
        })
    }

    /// The answer to this request, to the application's address for its binding, or another it has.
    ///
    /// None when it has no address for logout messages or the cryptographic library fails.
    #[must_use]
    pub fn answer(
        &self,
        making: &Making<'_>,
        application: &ServiceProvider,
        status: Status,
    ) -> Option<(Binding, Outgoing)> {
        let same = application
            .logouts
            .iter()
            .find(|one| one.binding == self.binding);
        let endpoint = same.or_else(|| application.logout())?;
        let to = &endpoint.response_location;
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
            to: to.clone(),
            xml,
            relay_state: self.relay_state.clone(),
        };
        Some((endpoint.binding, message))
    }
}

/// The name in a logout request; its qualifiers, if they are there, are ours and the application's.
fn name_id(root: Element<'_, '_>, application: &ServiceProvider) -> Result<NameId, Fault> {
    let name = root
        .the(&SAML, "NameID")
        .map_err(|_| Fault::SessionUnknown)?;
    let qualifier = name.attribute("SPNameQualifier");
    if qualifier.is_some_and(|qualifier| qualifier != application.entity_id) {
        return Err(Fault::SessionUnknown);
    }
    let format = name
        .attribute("Format")
        .map_or(Some(NameIdFormat::Unspecified), NameIdFormat::of_uri);
    Ok(NameId {
        format: format.ok_or(Fault::SessionUnknown)?,
        value: name.text().map_err(|_| Fault::Schema)?,
    })
}

impl LogoutResponse {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Fault`].
    pub fn read<'m>(
        received: &Received,
        expected: Expected<'_>,
        find: impl FnOnce(&str) -> Option<&'m ServiceProvider>,
    ) -> Result<Self, Fault> {
        let tree = received.tree()?;
        if received.kind != Kind::Response || !tree.root().is(&SAMLP, "LogoutResponse") {
            return Err(Fault::NotForHere);
        }
        // [Profiles §4.4.4.2] "The responder MUST authenticate itself to the requester and ensure message integrity, either by signing the message or using a binding-specific mechanism."
        let (signed, application) = verified(received, tree.root(), expected, find)?;
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
            issuer: application.entity_id.clone(),
            in_response_to: root.needs("InResponseTo").map_err(schema)?.to_owned(),
            success: first == "urn:oasis:names:tc:SAML:2.0:status:Success" && !partial,
            relay_state: received.relay_state.clone(),
        })
    }
}

/// Everything a logout message is made with.
#[derive(Debug)]
pub struct Making<'m> {
    /// Who speaks.
    pub idp: &'m Idp,
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

    /// A request to an application to end a session there.
    ///
    /// None when it has no address for logout messages or the cryptographic library fails.
    #[must_use]
    pub fn request(
        &self,
        application: &ServiceProvider,
        name_id: &NameId,
        session_index: &str,
    ) -> Option<(Binding, Outgoing)> {
        let endpoint = application.logout()?;
        let until = moment::written(self.now + WINDOW_S);
        let to = (&endpoint.location, endpoint.binding);
        let xml = self.message("LogoutRequest", &[("NotOnOrAfter", &until)], to, |writer| {
            name_id.write(writer, self.idp, &application.entity_id);
            writer.leaf(&SAMLP, "SessionIndex", &[], session_index);
        })?;
        let message = Outgoing {
            kind: Kind::Request,
            to: endpoint.location.clone(),
            xml,
            relay_state: None,
        };
        Some((endpoint.binding, message))
    }

    /// A message, signed inside if it goes by POST; by Redirect it is signed beside.
    ///
    /// [Profiles §4.4.3.4] "The <LogoutResponse> message MUST be signed if the HTTP POST or Redirect binding is used."
    fn message(
        &self,
        name: &'static str,
        more: &[(&str, &str)],
        (to, binding): (&String, Binding),
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
        writer.leaf(&SAML, "Issuer", &[], &self.idp.entity_id);
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
