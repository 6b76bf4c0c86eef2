//! SAML logout messages: nobody is signed out by what the application did not sign.

use wire::saml::binding::Kind;
use wire::saml::metadata::Party;
use wire::saml::{LogoutRequest, LogoutResponse, Received, ServiceProvider};

use super::saml::{self, EXPECTED, PROVIDER, Way};
use super::{Target, choice, seed};

pub(super) const TARGET: Target = Target {
    name: "saml_logout",
    bytes_max: 136 * 1024,
    dictionary: "saml",
    seeds,
    accepts,
};

/// From this number on, the first byte chooses answers, below it requests.
const ANSWERS: u8 = 128;

/// The first byte chooses the kind and the way; the rest is a query, a form, or XML.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let way = Way::chosen(chosen % ANSWERS);
    let kind = if chosen < ANSWERS {
        Kind::Request
    } else {
        Kind::Response
    };
    let Some(received) = way.received(kind, rest) else {
        return false;
    };
    let request = LogoutRequest::read(&received, EXPECTED, known);
    let response = LogoutResponse::read(&received, EXPECTED, known);
    assert!(request.is_err() || response.is_err(), "one message is two");
    assert!(way != Way::Redirect || (request.is_err() && response.is_err()));
    if let Ok(request) = &request {
        assert_eq!(request.issuer, saml::APPLICATION);
        assert!(request.session_indexes.len() <= 16);
        assert!((1..=256).contains(&request.id.len()));
    }
    if way.is_a_strangers() {
        is_the_seed(&received, request.as_ref().ok(), response.as_ref().ok());
    }
    request.is_ok() || response.is_ok()
}

fn known(issuer: &str) -> Option<Party<'static>> {
    let known = PROVIDER.as_ref().filter(|known| known.entity_id == issuer);
    known.map(ServiceProvider::party)
}

/// Only these two messages are signed before the target starts.
fn is_the_seed(
    received: &Received,
    request: Option<&LogoutRequest>,
    response: Option<&LogoutResponse>,
) {
    if let Some(request) = request {
        assert_eq!(received.kind, Kind::Request);
        assert_eq!(
            (request.id.as_str(), request.name_id.value.as_str()),
            ("_message", "anna")
        );
        assert_eq!(request.session_indexes, ["s1", "s2"]);
    }
    if let Some(response) = response {
        assert_eq!(received.kind, Kind::Response);
        assert_eq!(
            (response.in_response_to.as_str(), response.success),
            ("_ours", true)
        );
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let request = saml::message(
        "LogoutRequest",
        ("", ""),
        r#"<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">anna</saml:NameID><samlp:SessionIndex>s1</samlp:SessionIndex><samlp:SessionIndex>s2</samlp:SessionIndex>"#,
    );
    let request = request.replace(
        " Version=",
        " NotOnOrAfter=\"2027-01-15T08:05:00Z\" Version=",
    );
    let response = saml::message(
        "LogoutResponse",
        ("", ""),
        r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>"#,
    );
    let response = response.replace(" IssueInstant=", " InResponseTo=\"_ours\" IssueInstant=");
    let mut seeds = Vec::new();
    for (kind, xml, base) in [
        (Kind::Request, request, 0),
        (Kind::Response, response, ANSWERS),
    ] {
        let query = saml::signed_query(kind, xml.as_bytes()).unwrap_or_default();
        let form = saml::signed_form(kind, &xml).unwrap_or_default();
        for (way, rest) in [
            (Way::Query, query),
            (Way::Form, form),
            (Way::SignedRedirect, xml.clone().into_bytes()),
            (Way::SignedPost, xml.into_bytes()),
        ] {
            seeds.push(seed(base + way.number(), rest));
        }
    }
    seeds
}
