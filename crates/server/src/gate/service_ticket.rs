//! CAS: service tickets, and what they are explained as.
//!
//! A ticket is sealed and holds all that its explanation needs; nothing is written when it is made. It
//! is used up before anything about it is looked at. Those of applications that act for a person are made
//! beside, in `proxy`.

use data_encoding::HEXLOWER;
use form_urlencoded::Serializer;
use journey::{Assurance, Happened, Person, Place, Proof, Timestamp};
use peers::News;
use serde::{Deserialize, Serialize};
use store::{By, OneTime, Participant, SessionRecord, seal::Purpose};
use wire::cas::{
    Fault, Named, Service, Success, Ticket, farewell,
    proxy::{Acting, Link, ProxyTicket},
};

use super::{acr, assurance, cas_user, profile, proxy};
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

/// For so many tickets with which others act at it, an application is told the end of a session.
const PROXIED_MAX: usize = 20;

/// The CAS application that takes part by the ticket of another that acts.
fn proxied(participant: &Participant) -> Option<&str> {
    let mut words = participant
        .application
        .strip_prefix(PARTICIPANT)?
        .split(' ');
    let id = words.next()?;
    words.next()?.starts_with("PT-").then_some(id)
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

/// What an application wants explained.
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a Named,
    /// The ticket's text: of a service, or of somebody who acts for the person.
    pub(crate) ticket: &'a str,
    pub(crate) renew: bool,
    /// Where it wants a proxy-granting ticket.
    pub(crate) callback: Option<&'a str>,
}

/// Explains a ticket to the application that brings it.
pub(crate) async fn explain(
    app: &App,
    caller: &Caller,
    asked: &Asked<'_>,
) -> Result<Result<Success, Fault>, Failure> {
    let catalogue = app.catalogue.load_full();
    let registered = catalogue.service(asked.service);
    let application = registered.map(|service| service.id.clone());
    let application = application.unwrap_or_default();
    let by = By {
        place: Place::Public,
        ..app.by(caller, "", "cas")
    };
    let Some(ticket) = used_up(app, asked.ticket, (&application, &by)).await? else {
        return Ok(Err(Fault::InvalidTicket));
    };
    // [CAS §2.5.3] "the ticket provided was valid, but the service specified did not match the service associated with the ticket. CAS MUST invalidate the ticket and disallow future validation of that same ticket."
    let Some(registered) = registered.filter(|_| ticket.is_for(asked.service)) else {
        return Ok(Err(Fault::InvalidService));
    };
    // [CAS §2.4.1] "It will fail if the ticket was issued from a single sign-on session."
    if asked.renew && !ticket.is_fresh() {
        return Ok(Err(Fault::NotRenewed));
    }
    let granting = match acts_at(registered, asked.callback) {
        Ok(granting) => granting,
        Err(fault) => return Ok(Err(fault)),
    };
    let Some((session, person)) = ticket.of_whom(app, (&catalogue, registered)).await? else {
        return Ok(Err(Fault::InvalidTicket));
    };
    // Remembered before it learns anything: else nobody could tell it of the end.
    let participant = Participant {
        application: participant(&registered.id, asked.ticket, asked.service),
        session: session.key,
    };
    if !ticket.takes_part(app, &participant).await? {
        return Ok(Err(Fault::InvalidTicket));
    }
    let granting = match granting {
        None => None,
        Some(granting) => {
            let acting = ticket.acting(&session, &person);
            match proxy::grant(app, granting, acting).await {
                Ok(iou) => Some(iou),
                Err(fault) => return Ok(Err(fault)),
            }
        }
    };
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
        is_from_new_login: ticket.is_fresh(),
        authn_context: acr(assurance),
        released: registered.released(&profile(&person)),
        granting,
        proxies: ticket.proxies(&catalogue),
    }))
}

/// As whom, and where, an application gets a proxy-granting ticket, if it wants one.
fn acts_at<'a>(
    registered: &Service,
    callback: Option<&'a str>,
) -> Result<Option<(Link, &'a str)>, Fault> {
    let Some(callback) = callback else {
        return Ok(None);
    };
    if !registered.proxy {
        return Err(Fault::UnauthorizedServiceProxy);
    }
    // Nothing is called that is not registered, to the letter.
    let link = registered.link_at(callback);
    let link = link.ok_or(Fault::InvalidProxyCallback)?;
    Ok(Some((link, callback)))
}

/// A ticket that was brought, and is used up.
enum Brought {
    /// By the application to which the person went.
    Service(Ticket),
    /// By one at which another acts for the person.
    Proxy(ProxyTicket),
}

impl Brought {
    fn opened(app: &App, text: &str) -> Option<Self> {
        match Ticket::sealed(text) {
            Some(sealed) => {
                let plain = app.keys.open(Purpose::AuthorizationCode, KIND, &sealed);
                Ticket::from_bytes(plain.ok()?.expose()).map(Self::Service)
            }
            None => proxy::opened(app, text).map(Self::Proxy),
        }
    }

    fn id(&self) -> &[u8; 16] {
        match self {
            Self::Service(ticket) => &ticket.id,
            Self::Proxy(ticket) => &ticket.id,
        }
    }

    fn until(&self) -> Timestamp {
        match self {
            Self::Service(ticket) => Timestamp(ticket.until),
            Self::Proxy(ticket) => Timestamp(ticket.until),
        }
    }

    fn is_for(&self, service: &Named) -> bool {
        match self {
            Self::Service(ticket) => ticket.is_for(service),
            Self::Proxy(ticket) => ticket.service == service.hash(),
        }
    }

    /// Whether somebody typed a password for it.
    fn is_fresh(&self) -> bool {
        matches!(self, Self::Service(ticket) if ticket.fresh)
    }

    /// The session from which it comes, while it lives and speaks for this application.
    async fn of_whom(
        &self,
        app: &App,
        (catalogue, registered): (&Catalogue, &Service),
    ) -> Result<Option<(SessionRecord, Person)>, Failure> {
        match self {
            Self::Service(ticket) => app.session(Some(ticket.session)).await,
            Self::Proxy(ticket) => {
                let found = proxy::for_whom(app, &ticket.acting).await?;
                Ok(found.filter(|(session, _)| {
                    proxy::admits(catalogue, registered, &ticket.acting, session)
                }))
            }
        }
    }

    /// Whether the session lives; then the application hears of its end.
    async fn takes_part(&self, app: &App, participant: &Participant) -> Result<bool, Failure> {
        if let Self::Proxy(ticket) = self {
            // One that acts may do so every minute, and the end would be told a thousand times.
            let all = app.store.participants(&participant.session).await?;
            let target = proxied(participant);
            let told = all.iter().filter(|one| proxied(one) == target);
            if told.count() >= PROXIED_MAX {
                return Ok(proxy::for_whom(app, &ticket.acting).await?.is_some());
            }
        }
        Ok(app.store.participate(participant, app.world.now()).await?)
    }

    /// For whom, and who acted until here.
    fn acting(&self, session: &SessionRecord, person: &Person) -> Acting {
        Acting {
            session: session.key,
            person: person.id.0,
            chain: match self {
                Self::Service(_) => Vec::new(),
                Self::Proxy(ticket) => ticket.acting.chain.clone(),
            },
        }
    }

    fn proxies(&self, catalogue: &Catalogue) -> Vec<String> {
        match self {
            Self::Service(_) => Vec::new(),
            Self::Proxy(ticket) => proxy::proxies(catalogue, &ticket.acting).unwrap_or_default(),
        }
    }
}

/// A ticket of ours whose time is not over, if nobody has brought it before.
async fn used_up(
    app: &App,
    text: &str,
    (application, by): (&str, &By),
) -> Result<Option<Brought>, Failure> {
    // [CAS §3.1.1] "If a service presents an expired service ticket for validation, CAS MUST respond with a validation failure response."
    // [CAS §3.2.1] "If a service presents for validation an expired proxy ticket, CAS MUST respond with a validation failure response."
    let now = app.world.now();
    let opened = Brought::opened(app, text);
    let Some(ticket) = opened.filter(|ticket| now < ticket.until()) else {
        return Ok(None);
    };
    // [CAS §3.1.1] "Whether or not validation was successful, CAS MUST then invalidate the ticket, causing all future validation attempts of that same ticket to fail."
    // [CAS §3.2.1] "Proxy tickets MUST only be valid for one ticket validation attempt."
    let (store, until) = (&app.store, ticket.until());
    if store.consume(OneTime::Ticket, ticket.id(), until).await? {
        return Ok(Some(ticket));
    }
    let application = application.to_owned();
    store
        .audit(&Happened::CodeReused { application }, by)
        .await?;
    Ok(None)
}
