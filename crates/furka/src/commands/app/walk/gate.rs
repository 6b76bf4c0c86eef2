//! A walk through the gate: what the proxy asks, where the browser is led, and the headers at the end.

use axum::body::Body;
use http::{Request, header::COOKIE};
use url::Url;
use wire::gate::{IDENTITY, Site};

use super::{
    Stage,
    browser::{Answer, Browser, Landed},
    rehearsal::PROXY,
    told::{Finding, Message, NEW, Told},
};
use crate::{
    config::Config,
    failure::{Doing, Failure},
};

/// Walks somebody to a page behind the gate.
pub(super) async fn walk(
    site: &Site,
    stage: &Stage<'_>,
    told: &mut Told,
) -> Result<Option<Url>, Failure> {
    let asked = stage.asked.url.as_ref().or(site.origins.first());
    let Some(page) = asked.and_then(|url| Url::parse(url).ok()) else {
        told.find(Finding::no_address());
        return Ok(None);
    };
    let mut browser =
        Browser::opens(stage, stage.file(|file| file.gate.push(site.clone()))).await?;
    let first = questioned(&browser, &page, told).await?;
    let Some(start) = first.location() else {
        told.find(refused(site, &page));
        return Ok(Some(page));
    };
    let start = Url::parse(start).doing(|| "reading where the browser is led".to_owned())?;
    let landed = browser.goes(start, None).await?;
    told.messages.extend(browser.signed_in(stage));
    match landed {
        Landed::Page(status, said) => {
            told.message(Message::new(
                "provider \u{2192} person",
                format!("a page ({}): {said}", status.as_u16()),
                "",
            ));
            told.find(Finding::wrong(
                format!("they do not come back to the application; they read: {said}"),
                "",
                "the rule of the path says what it demands and whom it lets in",
            ));
        }
        Landed::Away(back) | Landed::Posted(back, _) => {
            let back = Message::new("browser \u{2192} proxy", format!("GET {back}"), "");
            told.message(back.part(
                "cookie",
                NEW,
                "of this host; it stands for the provider's session",
            ));
            let last = questioned(&browser, &page, told).await?;
            passed(&last, stage, told);
        }
    }
    Ok(Some(page))
}

/// What the proxy asks about a request, and what it is told.
async fn questioned(browser: &Browser<'_>, page: &Url, told: &mut Told) -> Result<Answer, Failure> {
    let mut request = browser.passed_on(Request::get("/gate/check"), page);
    let cookies = browser.cookies_at(page);
    let cookie = match &cookies {
        None => "none: nobody has signed in at this host",
        Some(_) => "of this host",
    };
    if let Some(cookies) = cookies {
        request = request.header(COOKIE, cookies);
    }
    let mut request = request
        .body(Body::empty())
        .doing(|| "asking the gate".to_owned())?;
    request.extensions_mut().insert(server::Peer(PROXY));
    told.message(
        Message::new("proxy \u{2192} provider", "GET /gate/check".to_owned(), "")
            .part("X-Forwarded-Proto", page.scheme(), "")
            .part("X-Forwarded-Host", page.authority(), "one of its `origins`")
            .part("X-Forwarded-Uri", page.path(), "what the rules are for")
            .part("X-Forwarded-Method", "GET", "")
            .part("Cookie", cookie, ""),
    );
    let answer = browser.sends(request).await?;
    if answer.status.is_redirection() {
        let to = answer.location().unwrap_or_default();
        let to = to.split('?').next().unwrap_or_default();
        told.message(
            Message::new(
                "provider \u{2192} proxy",
                format!("{}: sign in first", answer.status.as_u16()),
                "",
            )
            .part(
                "Location",
                to,
                "nginx gets it with 401, from `/gate/auth-request`",
            ),
        );
    }
    Ok(answer)
}

/// The headers of somebody who passes.
fn passed(answer: &Answer, stage: &Stage<'_>, told: &mut Told) {
    if !answer.status.is_success() {
        told.message(Message::new(
            "provider \u{2192} proxy",
            format!("{}: they do not pass", answer.status.as_u16()),
            "",
        ));
        told.find(Finding::wrong(
            "they have signed in and do not pass",
            "",
            "the rule of the path says whom it lets in: `groups`",
        ));
        return;
    }
    let mut message = Message::new(
        "provider \u{2192} proxy \u{2192} application",
        format!("{}: they pass, with these headers", answer.status.as_u16()),
        "",
    );
    for name in IDENTITY {
        let value = answer.headers.get(name);
        let value = value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let value = value.unwrap_or_default();
        let from = match value.is_empty() {
            true => "sent empty, so that nothing of a browser is left".to_owned(),
            false => stage.source("headers", name),
        };
        message = message.part(name, value, from);
    }
    told.message(message);
}

fn refused(site: &Site, page: &Url) -> Finding {
    let origin = page.origin().ascii_serialization();
    match site.is_at(&origin) {
        false => Finding::wrong(
            format!(
                "`{origin}` is none of its `origins`: {}",
                site.origins.join(" ")
            ),
            "",
            "add it to `origins`, with scheme and port, without anything behind",
        ),
        true => Finding::wrong(
            format!("the gate answers nothing about `{}`", page.path()),
            "",
            "a path that programs could read in two ways is refused: see the page about the gate",
        ),
    }
}

/// What keeps the gate closed whatever is asked.
pub(super) fn faults(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    if config.trusted_proxies.is_empty() {
        found.push(Finding::wrong(
            "no proxy is believed: every question of the gate is answered with 403",
            "",
            "list the proxy in `trusted_proxies` of the configuration, and set `forwarding`",
        ));
    }
    found
}
