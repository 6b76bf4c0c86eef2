//! The end of a session in its browser, wherever it is asked for: whoever takes part hears of it in the same way.
//!
//! Applications with an address of their own for it hear through the outbox, in the commit that ends the session.
//! The others only this browser can tell, and once the session is over nobody knows them: so whoever ends one
//! here is given them, for [`frames`](super::frames).

use journey::Person;
use store::{By, EndSessions, Participant};
use wire::oauth::client::Client;

use super::{visit::Visit, watch};
use crate::{app::App, failure::Failure};

/// More applications than these are not told. None of ours has met so many; the address of the page is bounded.
const APPLICATIONS_MAX: usize = 20;

/// Applications that only the browser can tell of the end of its session.
#[derive(Debug, Default)]
#[must_use = "nobody else tells these applications"]
pub(super) struct Hearers(pub(super) Vec<Participant>);

impl Hearers {
    /// Those that take part in the session of this browser, also when its limits have ended it. Asked before
    /// somebody ends it: afterwards nobody knows.
    async fn of(app: &App, visit: &Visit) -> Result<Self, Failure> {
        let catalogue = app.catalogue.load_full();
        let hears = |client: &Client| client.enabled && client.frontchannel_logout_uri.is_some();
        let anybody = catalogue.applications.values().any(hears);
        let Some(session) = visit.session.filter(|_| anybody) else {
            return Ok(Self::default());
        };
        let mut all = app.store.participants(&session).await?;
        all.retain(|one| catalogue.application(&one.application).is_some_and(hears));
        all.truncate(APPLICATIONS_MAX);
        Ok(Self(all))
    }

    /// Whether there is nobody to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A sign-out: the session of this browser ends, with an audit entry, and so do others if `which` says so.
pub(super) async fn end(
    app: &App,
    visit: &mut Visit,
    (which, person): (&EndSessions, &Person),
) -> Result<Hearers, Failure> {
    let hearers = Hearers::of(app, visit).await?;
    let by = By {
        person: Some(person.id),
        ..app.by(&visit.caller, "", "sign-out")
    };
    app.store.end_sessions(which, &by).await?;
    watch::ends(app, visit);
    Ok(hearers)
}

/// A sign-out that comes after the session's limits have ended it: what was given to outlive these ends, and
/// the applications hear of it.
pub(super) async fn end_late(app: &App, visit: &mut Visit) -> Result<Hearers, Failure> {
    let Some(key) = visit.session else {
        return Ok(Hearers::default());
    };
    let hearers = Hearers::of(app, visit).await?;
    let by = app.by(&visit.caller, "", "sign-out");
    app.store.end_sessions(&EndSessions::One(key), &by).await?;
    watch::ends(app, visit);
    Ok(hearers)
}

/// Somebody has signed in over the session of this browser, whether that still lived or not. What the same
/// person reached with it goes on in the new one; applications of somebody else hear that they are out.
pub(super) async fn replaced(app: &App, visit: &Visit, new: &[u8; 32]) -> Result<Hearers, Failure> {
    let Some(old) = visit.session else {
        return Ok(Hearers::default());
    };
    let mut hearers = Hearers::of(app, visit).await?;
    let by = app.by(&visit.caller, "", "sign-out");
    let which = EndSessions::Replaced(old, *new);
    app.store.end_sessions(&which, &by).await?;
    if !hearers.is_empty() {
        let went_on = app.store.participants(new).await?;
        hearers.0.retain(|one| !went_on.contains(one));
    }
    Ok(hearers)
}
