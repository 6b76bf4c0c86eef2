//! `/par`: an authorization request is handed over by the application itself, and opened once by the
//! browser that it sends here.

use journey::Timestamp;
use serde::{Deserialize, Serialize};
use store::{OneTime, StoreError, seal::Purpose};
use wire::oauth::{
    authorize::{Authorize, Fault},
    par::{self, LIFETIME_S, Referred},
    token::{Answer, CLOCKS_APART_S_MAX, Incoming, Posted, SpendOnce},
};

use super::{
    request_numbers,
    stopped::{Stopped, told},
    token::{asking, shown, spent},
};
use crate::{
    app::{App, Caller},
    failure::Failure,
    ticket,
    world::Draw,
};

/// The domain of requests that were handed over.
const PUSHED: &str = "pushed request";
/// The domain of those that a browser has opened.
const OPENED: &str = "opened request";
/// How long a browser may show what it has opened, in seconds: as long as a sign-in page lies open.
const OPENED_S: i64 = 3600;
/// The longest address with a reference that is given away, in bytes: what proxies take unless they are told
/// otherwise is 8 KiB, and when it is opened it grows a little.
const ADDRESS_BYTES_MAX: usize = 7 * 1024 + 512;

/// A request that was handed over, and verified.
#[derive(Deserialize, Serialize)]
struct Pushed {
    authorize: Authorize,
    id: [u8; 16],
    until: Timestamp,
}

/// The same in the browser that opened it: there it may be shown again, in another language too.
#[derive(Deserialize, Serialize)]
struct Opened {
    authorize: Authorize,
    browser: [u8; 32],
    until: Timestamp,
}

/// What a reference leads to.
pub(crate) enum Found {
    /// It is opened for this browser: on to this address.
    First(String),
    /// This browser has opened it.
    Mine(Box<Authorize>),
    /// Nothing, or nothing any more.
    Over,
}

/// A request to hand an authorization request over.
pub(crate) async fn par(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
    proof: Option<&str>,
) -> Result<Answer, Failure> {
    let catalogue = app.catalogue.load_full();
    let address = app.issuer.pushed_authorization_request_endpoint();
    let outcome: Result<Answer, Stopped> = async {
        let posted = Posted::read(incoming)?;
        // [RFC 9126 §2.1] "Authenticate the client in the same way as at the token endpoint"
        let asking = asking(app, caller, &catalogue, &posted).await?;
        let key = match proof {
            None => None,
            Some(proof) => Some(shown(&asking, proof, &address).await?),
        };
        let now = app.world.now();
        let numbers = request_numbers(app);
        let us = (&app.issuer, numbers.as_slice());
        let (authorize, spend) = match par::request(incoming.body, asking.client, us, now.0) {
            Err(told) => return Ok(told),
            Ok(read) => read,
        };
        if let Some(spend) = spend
            && !is_first(app, &spend).await?
        {
            return Ok(par::refusal(Fault::RequestObjectWrong));
        }
        // [RFC 9449 §10.1] "the authorization server MUST reject the request if the JWK Thumbprint in dpop_jkt does not match the public key in the DPoP header."
        if authorize.key.is_some() && key.is_some() && authorize.key != key {
            return Ok(par::refusal(Fault::KeyMismatch));
        }
        let authorize = Authorize {
            key: authorize.key.or(key),
            ..authorize
        };
        let client_id = authorize.client_id.clone();
        let sealed = kept(app, authorize);
        // Told now and to whom it concerns: a browser would be stopped by a proxy, and nobody would know why.
        Ok(
            match referring(&client_id, &sealed).len() > ADDRESS_BYTES_MAX {
                true => par::refusal(Fault::TooLong),
                false => par::accepted(&sealed),
            },
        )
    }
    .await;
    told(app, outcome)
}

/// Whether a signed request is brought for the first time, by the application or by a browser.
pub(crate) async fn is_first(app: &App, spend: &SpendOnce) -> Result<bool, StoreError> {
    spent(app, &spend.id, spend.until).await
}

/// A request under seal, for the first browser that comes with it.
fn kept(app: &App, authorize: Authorize) -> String {
    let pushed = Pushed {
        authorize,
        id: app.world.id(),
        until: app.world.now().plus(LIFETIME_S),
    };
    ticket::seal(&app.keys, Purpose::Csrf, PUSHED, &pushed)
}

/// The address at which the first browser that comes may open a request, once.
pub(crate) fn passed_on(app: &App, authorize: Authorize) -> String {
    let client_id = authorize.client_id.clone();
    referring(&client_id, &kept(app, authorize))
}

/// Where this browser makes the same request once more; none if it may simply name its parameters. What an
/// application signed or handed over, nobody else may make, and nobody on the way may read.
pub(crate) fn again(app: &App, browser: Option<[u8; 32]>, authorize: &Authorize) -> Option<String> {
    let browser = browser.filter(|_| authorize.by_reference)?;
    Some(shown_to(app, browser, authorize.clone()))
}

/// The address at which a browser may look at a request for a while: however often it looks, no longer than that
/// from the first time on.
pub(crate) fn shown_to(app: &App, browser: [u8; 32], authorize: Authorize) -> String {
    let until = authorize.opened_until.map(Timestamp);
    let until = until.unwrap_or_else(|| app.world.now().plus(OPENED_S));
    let authorize = Authorize {
        opened_until: Some(until.0),
        ..authorize
    };
    let opened = Opened {
        authorize,
        browser,
        until,
    };
    let sealed = ticket::seal(&app.keys, Purpose::Csrf, OPENED, &opened);
    referring(&opened.authorize.client_id, &sealed)
}

/// The address that refers to what is sealed.
fn referring(client_id: &str, sealed: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("client_id", client_id)
        .append_pair("request_uri", &par::reference(sealed))
        .finish();
    format!("/authorize?{query}")
}

/// What a browser may see of a reference that it brings. The first one has it.
pub(crate) async fn open(
    app: &App,
    browser: Option<[u8; 32]>,
    referred: &Referred,
) -> Result<Found, StoreError> {
    let (now, sealed) = (app.world.now(), referred.sealed.as_str());
    let opened: Option<Opened> = ticket::open(&app.keys, Purpose::Csrf, OPENED, sealed);
    if let Some(opened) = opened {
        let mine = Some(opened.browser) == browser && now < opened.until;
        return Ok(
            match mine && opened.authorize.client_id == referred.client_id {
                true => Found::Mine(Box::new(opened.authorize)),
                false => Found::Over,
            },
        );
    }
    let pushed: Option<Pushed> = ticket::open(&app.keys, Purpose::Csrf, PUSHED, sealed);
    let (Some(pushed), Some(browser)) = (pushed, browser) else {
        return Ok(Found::Over);
    };
    let is_theirs = pushed.authorize.client_id == referred.client_id;
    let latest = now.plus(LIFETIME_S + CLOCKS_APART_S_MAX);
    if !is_theirs || now >= pushed.until || pushed.until > latest {
        return Ok(Found::Over);
    }
    // [RFC 9126 §4] "Authorization servers SHOULD treat request_uri values as one-time use"
    let kind = OneTime::PushedRequest;
    if !app.store.consume(kind, &pushed.id, pushed.until).await? {
        return Ok(Found::Over);
    }
    // No page is shown, so there is none to load again; and a frame of another site keeps no cookie.
    if pushed.authorize.prompt.none {
        return Ok(Found::Mine(Box::new(pushed.authorize)));
    }
    Ok(Found::First(shown_to(app, browser, pushed.authorize)))
}
