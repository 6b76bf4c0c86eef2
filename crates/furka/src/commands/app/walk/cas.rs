//! A walk of CAS: the ticket, and what the application is told for it.

use axum::body::Body;
use http::{Request, header::HOST};
use url::{Url, form_urlencoded::Serializer};
use wire::cas::{Named, Service};

use super::{
    Stage,
    browser::{Browser, Landed},
    told::{Finding, Message, NEW, Told},
    xml::leaves,
};
use crate::failure::{Doing, Failure};

/// Walks the sign-in of a CAS application.
pub(super) async fn walk(
    service: &Service,
    stage: &Stage<'_>,
    told: &mut Told,
) -> Result<Option<Url>, Failure> {
    let Some(address) = stage.asked.url.as_ref().or(service.services.first()) else {
        told.find(Finding::no_address());
        return Ok(None);
    };
    told.findings.extend(uncovered(service, address));
    // Whoever may act at it is not on this stage.
    let alone = Service {
        proxied_by: Vec::new(),
        ..service.clone()
    };
    let mut browser = Browser::opens(stage, stage.file(|file| file.cas.push(alone))).await?;
    let mut url = stage.at("/cas/login")?;
    url.query_pairs_mut().append_pair("service", address);
    told.message(
        Message::new(
            "browser \u{2192} provider",
            "GET /cas/login".to_owned(),
            "CAS \u{a7}2.1.1",
        )
        .part(
            "service",
            address,
            "the application's address; the same again at the validation",
        ),
    );
    let landed = browser.goes(url, None).await?;
    told.messages.extend(browser.signed_in(stage));
    if let Some(ticket) = ticket(landed, told) {
        explained(&browser, (stage, address, &ticket), told).await?;
    }
    Ok(Url::parse(address).ok())
}

/// An address that no registered one stands for.
fn uncovered(service: &Service, address: &str) -> Option<Finding> {
    let named = Named::parse(address);
    let known = named.is_some_and(|named| service.has(&named));
    (!known).then(|| {
        let registered = service.services.join(" ");
        Finding::wrong(
            format!("`{address}` is not below one of its `services`: {registered}"),
            "CAS \u{a7}2.2.1",
            "add the address to `services`; one that ends in `/` stands for all below it",
        )
    })
}

/// The ticket that came back to the application.
fn ticket(landed: Landed, told: &mut Told) -> Option<String> {
    let url = match landed {
        Landed::Away(url) | Landed::Posted(url, _) => url,
        Landed::Page(status, said) => {
            told.message(Message::new(
                "provider \u{2192} person",
                format!("a page ({}): {said}", status.as_u16()),
                "CAS \u{a7}2.2.1",
            ));
            told.find(Finding::wrong(
                format!("the application gets no ticket; the person reads: {said}"),
                "CAS \u{a7}2.2.4",
                "the messages above say where it ended",
            ));
            return None;
        }
    };
    let mut bare = url.clone();
    bare.set_query(None);
    let ticket = url.query_pairs().find(|(name, _)| name == "ticket");
    let ticket = ticket.map(|(_, ticket)| ticket.into_owned());
    told.message(
        Message::new(
            "browser \u{2192} application",
            format!("GET {bare}"),
            "CAS \u{a7}2.2.4",
        )
        .part("ticket", NEW, "works once, for a minute, for this address"),
    );
    ticket
}

/// What the application is told for its ticket.
async fn explained(
    browser: &Browser<'_>,
    (stage, service, ticket): (&Stage<'_>, &str, &str),
    told: &mut Told,
) -> Result<(), Failure> {
    told.message(
        Message::new(
            "application \u{2192} provider",
            "GET /cas/p3/serviceValidate".to_owned(),
            "CAS \u{a7}2.8",
        )
        .part("service", service, "exactly the address of the sign-in")
        .part("ticket", NEW, ""),
    );
    let mut query = Serializer::new(String::new());
    query.append_pair("service", service);
    query.append_pair("ticket", ticket);
    let uri = format!("/cas/p3/serviceValidate?{}", query.finish());
    let request = Request::get(uri).header(HOST, stage.authority());
    let request = request.body(Body::empty());
    let answer = browser
        .sends(request.doing(|| "asking for the explanation".to_owned())?)
        .await?;
    let is_success = answer.body.contains("authenticationSuccess");
    let mut message = Message::new(
        "provider \u{2192} application",
        format!("{} with XML", answer.status.as_u16()),
        "CAS \u{a7}2.5.1",
    );
    for leaf in leaves(&answer.body) {
        let from = stage.source("validation", leaf.name);
        message = message.part(format!("cas:{}", leaf.name), leaf.text, from);
    }
    told.message(message);
    if !is_success {
        told.find(Finding::wrong(
            "the ticket is not explained",
            "CAS \u{a7}2.5.2",
            "the document above says why",
        ));
    }
    Ok(())
}
