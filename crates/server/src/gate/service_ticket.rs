//! CAS: service tickets, and what they are explained as.
//!
//! A ticket is sealed and holds all that its explanation needs; nothing is written when it is made. It
//! is used up before anything about it is looked at.

use data_encoding::HEXLOWER;
use form_urlencoded::Serializer;
use journey::{Assurance, Happened, Place, Proof, Timestamp};
use peers::News;
use serde::{Deserialize, Serialize};
use store::{By, OneTime, Participant, seal::Purpose};
use wire::cas::{Fault, Named, Service, Success, Ticket, farewell};

use super::{acr, assurance, cas_user, profile};
use crate::{
    app::{App, Caller},
    catalogue::Catalogue,
    errand::Arrival,
    failure::Failure,
    world::Draw,
};

/// The domain of sealed tickets.
const KIND: &[u8] = b"cas service ticket";

/// A person on the way to a CAS application.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Wanted {
    /// Character by character what the application sent.
    pub(crate) service: String,
    /// The password must be typed for this.
    pub(crate) renew: bool,
    /// How they came.
    pub(crate) arrival: Arrival,
}

impl Wanted {
    /// The application, if it is still registered.
    pub(crate) fn application<'a>(&self, catalogue: &'a Catalogue) -> Option<&'a Service> {
        catalogue.service(&Named::parse(&self.service)?)
    }

    /// The registered minimum.
    pub(crate) fn demand(&self, catalogue: &Catalogue) -> Assurance {
        let application = self.application(catalogue);
        application.map_or(Assurance::Password, |service| assurance(service.minimum))
    }

    /// The address of the same request.
    pub(crate) fn again(&self, fresh: bool) -> String {
        let mut query = Serializer::new(String::new());
        query.append_pair("service", &self.service);
        if fresh || self.renew {
            query.append_pair("renew", "true");
        }
        format!("/cas/login?{}", query.finish())
    }

    /// The address of the application, with a ticket for this session.
    pub(crate) fn way(&self, app: &App, proof: &Proof, session: &[u8; 32]) -> String {
        // An application that was switched off meanwhile gets nobody.
        let named = Named::parse(&self.service);
        let known = named.filter(|named| app.catalogue.load().service(named).is_some());
        let Some(named) = known else {
            return "/account".to_owned();
        };
        let ticket = Ticket {
            id: app.world.id(),
            session: *session,
            service: named.hash(),
            until: app.world.now().plus(Ticket::LIFETIME_S).0,
            fresh: self.arrival.is_before(proof, session),
        };
        let sealed = app
            .keys
            .seal(Purpose::AuthorizationCode, KIND, &ticket.to_bytes());
        app.metrics.codes.inc();
        // [CAS §2.2.4] "This redirection MUST result in the client issuing a GET request to the `service`."
        named.with_ticket(&Ticket::text(&sealed))
    }
}

/// With what the name of a CAS application begins among those that take part in a session.
const PARTICIPANT: &str = "cas ";

/// How an application takes part in a session: what it must be told at the end, and where.
fn participant(application: &str, ticket: &str, service: &Named) -> String {
    format!("{PARTICIPANT}{application} {ticket} {}", service.as_str())
}

/// Whether a participant is a CAS application.
pub(super) fn takes_part(participant: &str) -> bool {
    participant.starts_with(PARTICIPANT)
}

/// What a CAS application is told of the end of a session; none if it is not registered there any more.
pub(super) fn news(app: &App, participant: &str) -> Option<News> {
    let mut words = participant.strip_prefix(PARTICIPANT)?.splitn(3, ' ');
    let (id, ticket, service) = (words.next()?, words.next()?, words.next()?);
    let named = Named::parse(service)?;
    let catalogue = app.catalogue.load();
    let known = catalogue
        .service(&named)
        .is_some_and(|known| known.id == id);
    let fresh = format!("_{}", HEXLOWER.encode(&app.world.bytes::<16>()));
    known.then(|| News {
        to: service.to_owned(),
        form: farewell(ticket, &fresh, app.world.now().0),
    })
}

/// Explains a ticket to the application that brings it.
pub(crate) async fn explain(
    app: &App,
    caller: &Caller,
    (service, text): (&Named, &str),
    renew: bool,
) -> Result<Result<Success, Fault>, Failure> {
    let now = app.world.now();
    let catalogue = app.catalogue.load_full();
    let registered = catalogue.service(service);
    let application = registered.map(|service| service.id.clone());
    let application = application.unwrap_or_default();
    let by = By {
        place: Place::Public,
        ..app.by(caller, "", "cas")
    };
    let Some(ticket) = used_up(app, text, (&application, &by)).await? else {
        return Ok(Err(Fault::InvalidTicket));
    };
    // [CAS §2.5.3] "the ticket provided was valid, but the service specified did not match the service associated with the ticket. CAS MUST invalidate the ticket and disallow future validation of that same ticket."
    let Some(registered) = registered.filter(|_| ticket.is_for(service)) else {
        return Ok(Err(Fault::InvalidService));
    };
    // [CAS §2.4.1] "It will fail if the ticket was issued from a single sign-on session."
    if renew && !ticket.fresh {
        return Ok(Err(Fault::NotRenewed));
    }
    let Some((session, person)) = app.session(Some(ticket.session)).await? else {
        return Ok(Err(Fault::InvalidTicket));
    };
    // Remembered before it learns anything: else nobody could tell it of the end.
    let participant = Participant {
        application: participant(&registered.id, text, service),
        session: session.key,
    };
    if !app.store.participate(&participant, now).await? {
        return Ok(Err(Fault::InvalidTicket));
    }
    let assurance = session.proof.assurance();
    let issued = Happened::TokenIssued {
        assurance,
        application,
    };
    app.store.audit(&issued, &by.about(person.id)).await?;
    app.metrics.tokens.inc();
    Ok(Ok(Success {
        user: cas_user(registered, &person),
        authenticated_at: session.proof.at().0,
        is_from_new_login: ticket.fresh,
        authn_context: acr(assurance),
        released: registered.released(&profile(&person)),
    }))
}

/// A ticket of ours whose time is not over, if nobody has brought it before.
async fn used_up(
    app: &App,
    text: &str,
    (application, by): (&str, &By),
) -> Result<Option<Ticket>, Failure> {
    // [CAS §3.1.1] "If a service presents an expired service ticket for validation, CAS MUST respond with a validation failure response."
    let now = app.world.now();
    let Some(ticket) = opened(app, text).filter(|ticket| now.0 < ticket.until) else {
        return Ok(None);
    };
    // [CAS §3.1.1] "Whether or not validation was successful, CAS MUST then invalidate the ticket, causing all future validation attempts of that same ticket to fail."
    let (store, until) = (&app.store, Timestamp(ticket.until));
    if store.consume(OneTime::Ticket, &ticket.id, until).await? {
        return Ok(Some(ticket));
    }
    let application = application.to_owned();
    store
        .audit(&Happened::CodeReused { application }, by)
        .await?;
    Ok(None)
}

fn opened(app: &App, text: &str) -> Option<Ticket> {
    let sealed = Ticket::sealed(text)?;
    let plain = app.keys.open(Purpose::AuthorizationCode, KIND, &sealed);
    Ticket::from_bytes(plain.ok()?.expose())
}
