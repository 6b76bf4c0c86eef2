//! SAML authentication requests: an answer goes to an address of the metadata, and what must be signed is
//! believed only as it was signed.

use wire::saml::binding::{Binding, Kind};
use wire::saml::request::Registered;
use wire::saml::{AuthnRequest, Received, Refused};

use super::saml::{self, CONSUMER, EXPECTED, PROVIDER, Way};
use super::{Target, choice, seed};

pub(super) const TARGET: Target = Target {
    name: "saml_request",
    bytes_max: 136 * 1024,
    dictionary: "saml",
    seeds,
    accepts,
};

/// The first byte chooses the way; the rest is a query, a form, or XML.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let way = Way::chosen(chosen);
    let Some(received) = way.received(Kind::Request, rest) else {
        return false;
    };
    let read = read(&received, false);
    match &read {
        Ok(request) => holds(request),
        Err(Refused::Answer { request, .. }) => holds(request),
        Err(Refused::Page(_)) => {}
    }
    let demanded = self::read(&received, true);
    if let Ok(request) = &demanded {
        // What counts with a signature counts without the demand for one, and says the same.
        assert_eq!(read.as_ref(), Ok(request));
        if way.is_a_strangers() {
            assert!(says(request) == says_the_seed(), "forged: {request:?}");
        }
    }
    match way {
        Way::Redirect => same_by_post(&read, rest),
        Way::SignedPost if demanded.is_ok() => same_by_post(&read, rest),
        _ => {}
    }
    read.is_ok()
}

fn read(received: &Received, must_sign: bool) -> Result<AuthnRequest, Refused> {
    AuthnRequest::read(received, EXPECTED, |issuer| {
        let metadata = PROVIDER.as_ref().filter(|known| known.entity_id == issuer);
        metadata.map(|metadata| Registered {
            metadata,
            must_sign,
        })
    })
}

/// What is true of every request that is granted, and of every one whose application is told.
fn holds(request: &AuthnRequest) {
    let provider = PROVIDER.as_ref();
    assert_eq!(
        provider.map(|known| &known.entity_id),
        Some(&request.issuer)
    );
    let consumers = provider.map(|known| known.consumers.as_slice());
    let mut consumers = consumers.unwrap_or_default().iter();
    assert!(consumers.any(|known| known.location == request.consumer));
    let id = request.id.as_deref().unwrap_or_default();
    assert!((1..=256).contains(&id.len()) && !id.contains(char::is_whitespace));
    let ticket = serde_json::to_vec(request).ok();
    let again = ticket.and_then(|ticket| serde_json::from_slice::<AuthnRequest>(&ticket).ok());
    assert_eq!(
        again.as_ref(),
        Some(request),
        "a ticket keeps what was read"
    );
}

/// One document has one reading, whichever way it comes, signed or not.
fn same_by_post(read: &Result<AuthnRequest, Refused>, xml: &[u8]) {
    let posted = Way::Post.received(Kind::Request, xml);
    let posted = posted.map(|received| self::read(&received, false));
    assert_eq!(posted.as_ref(), Some(read));
}

/// All that a signature inside a message covers.
fn says(request: &AuthnRequest) -> AuthnRequest {
    AuthnRequest {
        relay_state: None,
        ..request.clone()
    }
}

/// What the only message says that was signed before the target started.
fn says_the_seed() -> AuthnRequest {
    AuthnRequest {
        id: Some("_message".to_owned()),
        issuer: saml::APPLICATION.to_owned(),
        consumer: CONSUMER.to_owned(),
        delivery: wire::saml::Delivery::Post,
        relay_state: None,
        name_id: None,
        requested: None,
        force_authn: true,
        is_passive: false,
        provider_name: Some("ISM".to_owned()),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let by_post = Binding::Post.uri();
    let before = format!(" AssertionConsumerServiceURL=\"{CONSUMER}\"");
    let plain = saml::message("AuthnRequest", (&before, " ForceAuthn=\"true\""), "");
    let plain = plain.replace(" Version=", " ProviderName=\"ISM\" Version=");
    let rich = saml::message(
        "AuthnRequest",
        (" AssertionConsumerServiceIndex=\"2\"", ""),
        r#"<samlp:NameIDPolicy AllowCreate="true" Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"/><samlp:RequestedAuthnContext Comparison="minimum"><saml:AuthnContextClassRef xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://refeds.org/profile/mfa<!-- x --></saml:AuthnContextClassRef></samlp:RequestedAuthnContext><samlp:Scoping ProxyCount="1"/>"#,
    );
    let rich = rich.replace(
        " Version=",
        &format!(" ProtocolBinding=\"{by_post}\" Version="),
    );
    let query = saml::signed_query(Kind::Request, plain.as_bytes()).unwrap_or_default();
    let form = saml::signed_form(Kind::Request, &plain).unwrap_or_default();
    vec![
        seed(Way::Query.number(), query),
        seed(Way::Form.number(), form),
        seed(Way::Redirect.number(), &plain),
        seed(Way::Post.number(), &rich),
        seed(Way::SignedRedirect.number(), &rich),
        seed(Way::SignedPost.number(), &plain),
    ]
}
