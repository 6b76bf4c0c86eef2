//! Front-Channel Logout: applications that are told of a sign-out by the browser that signs out, in frames of
//! one page. Nobody learns whether they heard; the page says so, and goes on. Whoever signs in over the session of
//! somebody else passes by the same page on the way: a shared computer is where it matters most.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    Extension,
    extract::{RawQuery, State},
    response::Response,
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_SECURITY_POLICY, REFRESH},
};
use journey::Timestamp;
use serde::{Deserialize, Serialize};
use store::seal::Purpose;

use super::{account::name_of, ending::Hearers, form, login::own_session, show, visit::Visit};
use crate::{
    app::App,
    failure::Failure,
    gate,
    page::{Farewell, FarewellRow, Link, LoggedOut},
    ticket,
};

/// The domain of these tickets.
const KIND: &str = "front-channel";
/// How long the page can be opened, in seconds.
const OPEN_S: i64 = 600;
/// A longer address is none that every proxy takes: whoever signs in then goes on without the page.
const WAY_BYTES_MAX: usize = 6 * 1024;
/// After so long the page goes on by itself, in seconds.
const PAUSE_S: u32 = 5;

/// Who is told, and what comes then; on its way to the page.
#[derive(Deserialize, Serialize)]
struct Told {
    /// SHA-256 of the browser's cookie: in another one the frames would sign somebody else out.
    browser: [u8; 32],
    /// The application that asked for the sign-out.
    application: Option<String>,
    /// Where to go afterwards: verified.
    then: Option<String>,
    /// The session of whoever signed in over the one that they knew; none after a sign-out.
    #[serde(default)]
    new: Option<[u8; 32]>,
    /// Sessions as applications know them, each with the ids of those that do.
    hear: BTreeMap<String, Vec<String>>,
    until: Timestamp,
}

/// Where the browser that has signed out goes to tell them; none if there is nobody to tell. `asked`: the
/// application that asked for it, and where it wants the person.
pub(super) fn way(
    app: &App,
    visit: &Visit,
    hearers: &Hearers,
    (application, then): (Option<&str>, Option<&str>),
) -> Option<String> {
    let told = Told {
        application: application.map(str::to_owned),
        then: then.map(str::to_owned),
        ..Told::of(app, visit, hearers)?
    };
    Some(told.way(app))
}

/// The way of somebody who has signed in over the session of somebody else, with a session of their own: past
/// the page, where there is anybody to tell.
pub(super) fn on_the_way(
    app: &App,
    visit: &Visit,
    hearers: &Hearers,
    (new, then): (&[u8; 32], String),
) -> String {
    let told = Told::of(app, visit, hearers).map(|told| Told {
        then: Some(then.clone()),
        new: Some(*new),
        ..told
    });
    let past = told.map(|told| told.way(app));
    past.filter(|way| way.len() <= WAY_BYTES_MAX)
        .unwrap_or(then)
}

impl Told {
    /// What tells these; none if there is nobody to tell.
    fn of(app: &App, visit: &Visit, hearers: &Hearers) -> Option<Self> {
        if hearers.is_empty() {
            return None;
        }
        let mut hear: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for one in &hearers.0 {
            let known = hear.entry(gate::sid(&one.session)).or_default();
            known.push(one.application.clone());
        }
        Some(Self {
            browser: visit.caller.browser?,
            application: None,
            then: None,
            new: None,
            hear,
            until: app.world.now().plus(OPEN_S),
        })
    }

    fn way(&self, app: &App) -> String {
        let sealed = ticket::seal(&app.keys, Purpose::Csrf, KIND, self);
        format!("/logout/applications?ticket={sealed}")
    }
}

/// The end of a sign-out that begins here: on to whoever is to be told, or the page that says it is done.
pub(super) fn signed_out(app: &App, visit: &Visit, hearers: &Hearers) -> Result<Response, Failure> {
    match way(app, visit, hearers, (None, None)) {
        Some(way) => show::see_other(visit, &way),
        None => show::signed_out(app, visit, &LoggedOut { back: None }),
    }
}

/// `GET /logout/applications`
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let sealed = form::own(&query, "ticket");
    let told: Option<Told> = ticket::open(&app.keys, Purpose::Csrf, KIND, sealed);
    let ours =
        |told: &Told| Some(told.browser) == visit.caller.browser && app.world.now() < told.until;
    let Some(mut told) = told.filter(ours) else {
        return show::signed_out(&app, &visit, &LoggedOut { back: None });
    };
    let here = own_session(&app, &visit).await?;
    match (here.map(|(session, _)| session.key), told.new) {
        (None, _) => {}
        // A frame could end the new session where that has been entered by now, too.
        (Some(here), Some(new)) if here == new => {
            let entered = app.store.participants(&new).await?;
            let is_new = |id: &String| !entered.iter().any(|one| one.application == *id);
            told.hear.values_mut().for_each(|ids| ids.retain(is_new));
            if told.hear.values().all(Vec::is_empty) {
                return show::see_other(&visit, told.then.as_deref().unwrap_or("/account"));
            }
        }
        // Where somebody else was on the way to is no place for whoever is here now.
        (Some(_), Some(_)) => return show::see_other(&visit, "/account"),
        // Whoever signed in again since has nothing to leave: a frame could end the new session.
        (Some(_), None) => {
            return show::see_other(&visit, told.then.as_deref().unwrap_or("/account"));
        }
    }
    page(&app, &visit, &told)
}

fn page(app: &App, visit: &Visit, told: &Told) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let mut origins = BTreeSet::new();
    let mut rows = Vec::new();
    let all = told.hear.iter();
    for (sid, id) in all.flat_map(|(sid, ids)| ids.iter().map(move |id| (sid, id))) {
        // One that was taken out meanwhile is told nothing.
        let Some(client) = catalogue.application(id) else {
            continue;
        };
        if let Some(frame) = client.farewell_frame(&app.issuer, sid) {
            origins.insert(frame.origin);
            rows.push(FarewellRow {
                name: name_of(client, visit.language),
                src: frame.src,
            });
        }
    }
    let asked = told.application.as_deref();
    let asked = asked.and_then(|id| catalogue.application(id));
    let name = asked.map(|client| name_of(client, visit.language));
    // What somebody opened with SAML waits behind this page.
    let others = visit.entered.map(|_| "/saml/leave".to_owned());
    let onward = told.then.clone().or(others);
    let home = || asked.and_then(|client| client.home.clone());
    let link = onward.clone().or_else(home).map(|url| Link {
        name: name.filter(|_| !url.starts_with('/')).unwrap_or_default(),
        url,
    });
    let shown = Farewell {
        rows,
        link,
        of_somebody_else: told.new.is_some(),
    };
    let mut response = show::page(app, visit, StatusCode::OK, &shown)?;
    let headers = response.headers_mut();
    let policy = headers.get(CONTENT_SECURITY_POLICY);
    let policy = policy
        .and_then(|policy| policy.to_str().ok())
        .unwrap_or_default();
    let frames = origins.into_iter().collect::<Vec<_>>().join(" ");
    let framed = match frames.is_empty() {
        true => policy.to_owned(),
        false => format!("{policy}; frame-src {frames}"),
    };
    let odd = |_| Failure::Impossible("an address with control characters");
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_str(&framed).map_err(odd)?,
    );
    if let Some(onward) = onward {
        let opens = format!("{PAUSE_S}; url={onward}");
        headers.insert(REFRESH, HeaderValue::from_str(&opens).map_err(odd)?);
    }
    show::forget(headers);
    Ok(response)
}
