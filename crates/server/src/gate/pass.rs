//! The gate in front of applications that know no protocol: who passes, and as whom.
//!
//! A person comes to a host behind the gate, is led to the provider with a sealed wish that is bound to
//! their browser on that host, comes back with a ticket that works once, and gets a cookie of that host.
//! The cookie is the sealed key of the provider's session and nothing else: it ends with that session.

use data_encoding::BASE64URL_NOPAD;
use form_urlencoded::Serializer;
use journey::{Assurance, Happened, Timestamp, login::Enough};
use serde::{Deserialize, Serialize};
use store::{OneTime, seal::Purpose};
use wire::gate::{Forwarded, headers};

use super::{acr, assurance, profile};
use crate::{
    app::{App, Caller},
    catalogue::Catalogue,
    errand::Arrival,
    failure::Failure,
    ticket,
    world::Draw,
};

/// The domain of wishes.
const WANTED: &str = "gate wish";
/// The domain of tickets.
const TICKET: &str = "gate ticket";
/// How long a wish may lie open, in seconds.
const WANTED_S: i64 = 3600;
/// How long a ticket lives, in seconds.
const TICKET_S: i64 = 60;

/// A person on the way to a place behind the gate.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Wanted {
    pub(crate) origin: String,
    /// Path and query as the browser sent them.
    pub(crate) uri: String,
    /// The path as rules see it.
    pub(crate) path: String,
    /// SHA-256 of the browser's cookie on that host.
    pub(crate) browser: [u8; 32],
    pub(crate) until: Timestamp,
    /// The password must be typed for this.
    pub(crate) renew: bool,
    /// How they came to the provider.
    pub(crate) arrival: Arrival,
}

/// What a person brings back to the host behind the gate.
#[derive(Deserialize, Serialize)]
struct Ticket {
    id: [u8; 16],
    session: [u8; 32],
    wanted: Wanted,
    until: Timestamp,
}

/// Why a ticket opens nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turned {
    /// Not ours, for another host, too old, used, or its session is over.
    Away,
    /// It was given to another browser.
    OtherBrowser,
}

/// What becomes of a request to an application behind the gate.
pub(crate) enum Verdict {
    /// It passes with these headers.
    Pass([(&'static str, String); 5]),
    /// Somebody signs in first, or proves more.
    SignIn,
    /// Nobody, or not this person.
    No,
}

impl Wanted {
    /// What a browser at a host wants.
    pub(crate) fn of(app: &App, forwarded: &Forwarded, browser: [u8; 32]) -> Self {
        let now = app.world.now();
        Self {
            origin: forwarded.origin.clone(),
            uri: forwarded.uri.clone(),
            path: forwarded.path.clone(),
            browser,
            until: now.plus(WANTED_S),
            renew: false,
            arrival: Arrival {
                at: now,
                session: None,
            },
        }
    }

    /// Reads what [`Wanted::again`] wrote, if its time is not over and the host is still registered.
    pub(crate) fn read(app: &App, text: &str) -> Option<Self> {
        let wanted: Self = ticket::open(&app.keys, Purpose::SignInTicket, WANTED, text)?;
        let known = app.catalogue.load().site(&wanted.origin).is_some();
        Some(wanted).filter(|wanted| known && app.world.now() < wanted.until)
    }

    /// What the rule for the path demands.
    pub(crate) fn demand(&self, catalogue: &Catalogue) -> Assurance {
        let site = catalogue.site(&self.origin);
        let rule = site.and_then(|site| site.rule(&self.path));
        rule.map_or(Assurance::Password, |rule| assurance(rule.minimum))
    }

    /// The address of the same wish at the provider.
    pub(crate) fn again(&self, app: &App, fresh: bool) -> String {
        let wanted = Self {
            renew: fresh || self.renew,
            ..self.clone()
        };
        let sealed = ticket::seal(&app.keys, Purpose::SignInTicket, WANTED, &wanted);
        format!("/gate/enter?want={sealed}")
    }

    /// Back to the host, with a ticket for this session.
    pub(crate) fn way(&self, app: &App, session: &[u8; 32]) -> String {
        let now = app.world.now();
        let ticket = Ticket {
            id: app.world.id(),
            session: *session,
            wanted: self.clone(),
            until: now.plus(TICKET_S),
        };
        app.metrics.codes.inc();
        let sealed = ticket::seal(&app.keys, Purpose::AuthorizationCode, TICKET, &ticket);
        format!("{}/.furka/callback?ticket={sealed}", self.origin)
    }
}

/// Where a browser at a host behind the gate begins to sign in.
pub(crate) fn start(forwarded: &Forwarded) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("to", &forwarded.uri);
    format!("{}/.furka/start?{}", forwarded.origin, query.finish())
}

/// Uses a ticket up: the value of the host's cookie, and where the person goes.
pub(crate) async fn admit(
    app: &App,
    caller: &Caller,
    origin: &str,
    text: &str,
) -> Result<Result<(String, String), Turned>, Failure> {
    let opened: Option<Ticket> = ticket::open(&app.keys, Purpose::AuthorizationCode, TICKET, text);
    let now = app.world.now();
    let good = |ticket: &Ticket| ticket.wanted.origin == origin && now < ticket.until;
    let Some(ticket) = opened.filter(good) else {
        return Ok(Err(Turned::Away));
    };
    let catalogue = app.catalogue.load_full();
    let Some(site) = catalogue.site(origin) else {
        return Ok(Err(Turned::Away));
    };
    let application = site.id.clone();
    let by = app.by(caller, "", "gate");
    if !app
        .store
        .consume(OneTime::Ticket, &ticket.id, ticket.until)
        .await?
    {
        app.store
            .audit(&Happened::CodeReused { application }, &by)
            .await?;
        return Ok(Err(Turned::Away));
    }
    // A ticket that another browser brought was seen by somebody: it is used up as well.
    if Some(ticket.wanted.browser) != caller.browser {
        return Ok(Err(Turned::OtherBrowser));
    }
    let Some((session, person)) = app.session(Some(ticket.session)).await? else {
        return Ok(Err(Turned::Away));
    };
    let issued = Happened::TokenIssued {
        assurance: session.proof.assurance(),
        application,
    };
    app.store.audit(&issued, &by.about(person.id)).await?;
    app.metrics.tokens.inc();
    let cookie = app
        .keys
        .seal(Purpose::AccessToken, &domain(origin), &session.key);
    let cookie = BASE64URL_NOPAD.encode(&cookie);
    Ok(Ok((cookie, format!("{origin}{}", ticket.wanted.uri))))
}

/// The key of the session behind a host's cookie.
pub(crate) fn session_of(app: &App, origin: &str, cookie: &str) -> Option<[u8; 32]> {
    let sealed = BASE64URL_NOPAD.decode(cookie.as_bytes()).ok()?;
    let key = app
        .keys
        .open(Purpose::AccessToken, &domain(origin), &sealed)
        .ok()?;
    key.expose().try_into().ok()
}

/// A cookie opens on the host for which it was made.
fn domain(origin: &str) -> Vec<u8> {
    [b"gate session at ".as_slice(), origin.as_bytes()].concat()
}

/// Whether a request passes. Before anybody has signed in, all that is told is that somebody must.
pub(crate) async fn judge(
    app: &App,
    caller: &Caller,
    forwarded: &Forwarded,
    session: Option<[u8; 32]>,
) -> Result<Verdict, Failure> {
    let catalogue = app.catalogue.load_full();
    let Some(site) = catalogue.site(&forwarded.origin) else {
        return Ok(Verdict::No);
    };
    let Some(rule) = site.rule(&forwarded.path) else {
        return Ok(Verdict::No);
    };
    let Some((session, person)) = app.session(session).await? else {
        return Ok(Verdict::SignIn);
    };
    let profile = profile(&person);
    if !rule.admits(&profile.groups) {
        return Ok(Verdict::No);
    }
    let demand = assurance(rule.minimum);
    match app.enough(&session.proof, &session.place, demand, (caller, &person)) {
        Enough::Yes => {}
        Enough::SignInAgain | Enough::StepUp => return Ok(Verdict::SignIn),
    }
    let acr = acr(session.proof.assurance());
    Ok(Verdict::Pass(headers(&profile, acr, &site.headers)))
}
