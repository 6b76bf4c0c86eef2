//! CAS: a ticket goes to addresses below those registered, and to nobody else.

use std::sync::LazyLock;

use serde_json::json;
use wire::cas::{
    Login, Logout, Named, ProxyRequest, Service, Ticket, Validate,
    proxy::{Acting, Granting, ProxyTicket},
    saml,
};

use super::{Target, authorize::query, choice, seed};
use crate::sample::NOW;

pub(super) const TARGET: Target = Target {
    name: "cas",
    bytes_max: 12 * 1024,
    dictionary: "saml",
    seeds,
    accepts,
};

const FOLDER: &str = "https://moodle.example.ch/app/";
const PAGE: &str = "https://portal.example.ch/login.php";

static SERVICE: LazyLock<Option<Service>> = LazyLock::new(|| {
    let service = json!({
        "id": "moodle", "name": { "fr": "M", "de": "M", "en": "M" }, "services": [FOLDER, PAGE],
    });
    serde_json::from_value(service).ok()
});

/// Choices: the query of a sign-in; of a sign-out; of a validation; a SOAP envelope; a sealed ticket; the
/// bytes in a ticket; an address; the query for a proxy ticket; the bytes in the tickets of those that act.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    match chosen % 9 {
        0 => Login::parse(rest).is_ok_and(|login| {
            assert!(!(login.renew && login.gateway));
            login.service.as_ref().is_none_or(is_its_own)
        }),
        1 => Logout::parse(rest).service.as_ref().is_some_and(is_its_own),
        2 => Validate::parse(rest).is_ok_and(|asked| {
            assert!(asked.ticket.starts_with("ST-"));
            is_its_own(&asked.service)
        }),
        3 => is_an_envelope(rest),
        4 => std::str::from_utf8(rest).is_ok_and(is_a_ticket),
        5 => Ticket::from_bytes(rest).is_some_and(|ticket| {
            assert_eq!(ticket.to_bytes(), rest);
            true
        }),
        6 => ProxyRequest::parse(rest).is_ok_and(|asked| is_its_own(&asked.target)),
        7 => acts(rest),
        _ => std::str::from_utf8(rest)
            .ok()
            .and_then(Named::parse)
            .is_some_and(|named| is_its_own(&named)),
    }
}

/// Whether an address is the service's; then it is below one of its own, for every reader.
fn is_its_own(named: &Named) -> bool {
    let text = named.as_str();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()) && text.len() <= 2048);
    assert!(text.starts_with("https://") || text.starts_with("http://"));
    let with_ticket = named.with_ticket("ST-AAAA");
    assert!(with_ticket.starts_with(text) && with_ticket.ends_with("ticket=ST-AAAA"));
    assert_eq!(Named::parse(text).as_ref(), Some(named));
    // An address that has a ticket brings nobody in.
    assert_eq!(Named::parse(&with_ticket), None);
    let own = SERVICE.as_ref().is_some_and(|service| service.has(named));
    if own {
        let address = text.split('?').next().unwrap_or_default();
        assert!(address.starts_with(FOLDER) || address == PAGE, "{text}");
        let mut parts = address.split('/');
        let climbs = |part: &str| matches!(part.split(';').next(), Some("." | ".."));
        assert!(!parts.any(climbs), "{text}");
    }
    own
}

fn is_an_envelope(body: &[u8]) -> bool {
    let target = query(&[("TARGET", FOLDER)]);
    let Ok(asked) = saml::Asked::parse(&target, body) else {
        return false;
    };
    assert!(Ticket::sealed(&asked.ticket).is_some());
    assert!(asked.request_id.as_ref().is_none_or(|id| id.len() <= 128));
    // Without a ticket in the text there is none in the question, and there is one question only.
    let text = String::from_utf8_lossy(body);
    assert!(text.contains("Request") && text.contains("AssertionArtifact"));
    is_its_own(&asked.service)
}

/// Whether bytes are what somebody acts with; then they are written as they were read, and the chain has an end.
fn acts(bytes: &[u8]) -> bool {
    let granting = Granting::from_bytes(bytes);
    let ticket = ProxyTicket::from_bytes(bytes);
    if let Some(granting) = &granting {
        assert_eq!(granting.to_bytes(), bytes);
        assert!((1..=Acting::LINKS_MAX).contains(&granting.acting.chain.len()));
    }
    if let Some(ticket) = &ticket {
        assert_eq!(ticket.to_bytes(), bytes);
        assert!((1..=Acting::LINKS_MAX).contains(&ticket.acting.chain.len()));
    }
    granting.is_some() || ticket.is_some()
}

fn is_a_ticket(text: &str) -> bool {
    let Some(sealed) = Ticket::sealed(text) else {
        return false;
    };
    assert_eq!(Ticket::text(&sealed), text);
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-';
    assert!(text.bytes().all(plain) && text.len() <= 256);
    true
}

fn seeds() -> Vec<Vec<u8>> {
    let below = format!("{FOLDER}login.php?next=/a%20b");
    let text = Ticket::text(&[7; 60]);
    let named = |more: &[(&str, &str)]| query(&[&[("service", below.as_str())], more].concat());
    let envelope = format!(
        r#"<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Body><samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1" RequestID="_1"><samlp:AssertionArtifact>{text}</samlp:AssertionArtifact></samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>"#
    );
    let ticket = Ticket {
        id: [1; 16],
        session: [2; 32],
        service: [3; 32],
        until: NOW,
        fresh: true,
    };
    let granting = Granting {
        id: [1; 16],
        until: NOW,
        acting: Acting {
            session: [2; 32],
            person: [3; 16],
            chain: vec![[4; 8]; 2],
        },
    };
    vec![
        seed(0, named(&[("renew", "true"), ("gateway", "true")])),
        seed(1, named(&[("url", "https://evil.example/")])),
        seed(2, named(&[("ticket", &text), ("format", "JSON")])),
        seed(3, envelope),
        seed(4, text),
        seed(5, ticket.to_bytes()),
        seed(6, query(&[("pgt", "PGT-AAAA"), ("targetService", PAGE)])),
        seed(7, granting.to_bytes()),
        seed(8, PAGE),
    ]
}
