//! Authentication requests: whom they reach, and who is told what is wrong.

use super::*;
use crate::saml::samples::{
    APPLICATION, CONSUMER, application, expected, idp, message, posted, query, signed_message,
};
use crate::testing::NOW;

fn read_from(received: &Received, metadata: &ServiceProvider) -> Result<AuthnRequest, Refused> {
    let here = idp().sso;
    let find = |id: &str| {
        let registered = Registered {
            metadata,
            must_sign: false,
        };
        (id == APPLICATION).then_some(registered)
    };
    AuthnRequest::read(received, expected(&here), find)
}

/// An unsigned request by POST.
fn read(attributes: &str, inside: &str) -> Result<AuthnRequest, Refused> {
    let xml = message("AuthnRequest", attributes, inside);
    read_from(&posted(Kind::Request, &xml), &application())
}

fn page(attributes: &str, inside: &str) -> Fault {
    match read(attributes, inside) {
        Err(Refused::Page(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

/// The fault that the application is told, at its own address.
fn told(attributes: &str, inside: &str) -> Fault {
    match read(attributes, inside) {
        Err(Refused::Answer { request, fault }) => {
            assert_eq!(
                (request.consumer.as_str(), request.id.as_deref()),
                (CONSUMER, Some("_message"))
            );
            assert!(fault.row().status.is_some());
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_class_longer_than_any_known_one_does_not_travel() {
    let long = "u".repeat(NAME_BYTES_MAX + 1);
    let class =
        |name: &str| format!("<saml:AuthnContextClassRef>{name}</saml:AuthnContextClassRef>");
    let known = "urn:oasis:names:tc:SAML:2.0:ac:classes:Password";
    let asked = format!(
        "<samlp:RequestedAuthnContext>{}{}</samlp:RequestedAuthnContext>",
        class(&long),
        class(known)
    );
    let requested = read("", &asked).unwrap().requested.unwrap();
    assert_eq!(requested.classes, [known]);
}

#[test]
fn a_plain_request_is_read() {
    let request = read(
        "ProviderName=\"ISM\" ForceAuthn=\"1\" IsPassive=\"false\"",
        "",
    )
    .unwrap();
    assert_eq!(request.id.as_deref(), Some("_message"));
    assert_eq!(request.issuer, APPLICATION);
    assert_eq!(request.consumer, CONSUMER);
    assert_eq!(request.relay_state.as_deref(), Some("ss:mem:1"));
    assert_eq!(request.provider_name.as_deref(), Some("ISM"));
    assert!(request.force_authn && !request.is_passive);
}

/// [Core §3.4.1] "If "true", the identity provider MUST authenticate the presenter directly rather than rely on a previous security context."
/// [Core §3.4.1] "However, if both ForceAuthn and IsPassive are "true", the identity provider MUST NOT freshly authenticate the presenter unless the constraints of IsPassive can be met."
#[test]
fn a_forced_request_accepts_no_earlier_proof() {
    assert!(
        !read("ForceAuthn=\"true\" IsPassive=\"true\"", "")
            .unwrap()
            .accepts_earlier_proof()
    );
    assert!(read("", "").unwrap().accepts_earlier_proof());
    assert_eq!(told("ForceAuthn=\"maybe\"", ""), Fault::Schema);
}

/// [X07] The answer goes to an address of the metadata, by address, by number, or to the default.
/// [Core §3.4.1] "The responder MUST ensure by some means that the value specified is in fact associated with the requester."
/// [Core §3.4.1] "If omitted, then the identity provider MUST return the <Response> message to the default location associated with the requester for the profile of use."
#[test]
fn an_unregistered_consumer_service_is_never_answered() {
    let at = |url: &str| format!("AssertionConsumerServiceURL=\"{url}\"");
    assert_eq!(read(&at(CONSUMER), "").unwrap().consumer, CONSUMER);
    assert_eq!(
        read(&at("https://ism.example/other"), "").unwrap().consumer,
        "https://ism.example/other"
    );
    assert_eq!(
        read("AssertionConsumerServiceIndex=\"3\"", "")
            .unwrap()
            .consumer,
        "https://ism.example/other"
    );
    for wrong in [
        at("https://evil.example/"),
        at(&format!("{CONSUMER}/")),
        at(&format!("{CONSUMER}?x")),
        at("https://ISM.example/Shibboleth.sso/SAML2/POST"),
        at("https://ism.example/ecp"),
        at(""),
        "AssertionConsumerServiceIndex=\"1\"".to_owned(),
        "AssertionConsumerServiceIndex=\"70000\"".to_owned(),
        format!("{} AssertionConsumerServiceIndex=\"2\"", at(CONSUMER)),
    ] {
        assert_eq!(page(&wrong, ""), Fault::ConsumerUnknown, "{wrong}");
    }
}

/// [X07] Unsigned where a signature must be, or signed by nobody we know: no answer, a page.
#[test]
fn a_request_is_believed_as_far_as_the_registration_says() {
    let here = format!("Destination=\"{}\"", idp().sso);
    let mut metadata = application();
    metadata.signs_requests = true;
    let unsigned = posted(Kind::Request, &message("AuthnRequest", &here, ""));
    assert_eq!(
        read_from(&unsigned, &metadata),
        Err(Refused::Page(Fault::Unsigned))
    );
    let signed = signed_message("AuthnRequest", &here, "");
    assert!(read_from(&posted(Kind::Request, &signed), &metadata).is_ok());
    let forged = signed.replace("Version=\"2.0\"", "Version=\"2.0\" ForceAuthn=\"0\"");
    // A bad signature is refused even if none is needed.
    for metadata in [metadata.clone(), application()] {
        let read = read_from(&posted(Kind::Request, &forged), &metadata);
        assert_eq!(read, Err(Refused::Page(Fault::SignatureNotGood)));
    }
    let query = query(
        Kind::Request,
        &message("AuthnRequest", &here, ""),
        Some("x"),
    );
    let redirected = Received::redirect(query.as_bytes()).unwrap();
    assert_eq!(
        read_from(&redirected, &metadata)
            .unwrap()
            .relay_state
            .as_deref(),
        Some("x")
    );
}

/// [Bindings §3.5.5.2] "If the message is signed, the Destination XML attribute in the root SAML element of the protocol message MUST contain the URL to which the sender has instructed the user agent to deliver the message."
/// [Core §3.2.1] "If it is present, the actual recipient MUST check that the URI reference identifies the location at which the message was received. If it does not, the request MUST be discarded."
#[test]
fn a_message_for_another_address_is_discarded() {
    assert_eq!(
        page("Destination=\"https://other.example/saml/sso\"", ""),
        Fault::Destination
    );
    let signed = signed_message("AuthnRequest", "", "");
    let read = read_from(&posted(Kind::Request, &signed), &application());
    assert_eq!(read, Err(Refused::Page(Fault::Destination)));
}

#[test]
fn an_unknown_or_expired_issuer_is_not_answered() {
    let mut metadata = application();
    metadata.valid_until = Some(NOW);
    let xml = message("AuthnRequest", "", "");
    let read = read_from(&posted(Kind::Request, &xml), &metadata);
    assert_eq!(read, Err(Refused::Page(Fault::IssuerUnknown)));
    let other = xml.replace(APPLICATION, "https://nobody.example/");
    let read = read_from(&posted(Kind::Request, &other), &application());
    assert_eq!(read, Err(Refused::Page(Fault::IssuerUnknown)));
    // [Profiles §4.1.4.1] "The Format attribute MUST be omitted or have a value of urn:oasis:names:tc:SAML:2.0:nameid-format:entity."
    let format = xml.replace("<saml:Issuer>", "<saml:Issuer Format=\"urn:x\">");
    let read = read_from(&posted(Kind::Request, &format), &application());
    assert_eq!(read, Err(Refused::Page(Fault::IssuerUnknown)));
}

#[test]
fn another_message_or_another_direction_is_not_for_here() {
    let response = message("Response", "", "");
    for (kind, xml) in [
        (Kind::Request, response.as_str()),
        (Kind::Response, &message("AuthnRequest", "", "")),
    ] {
        let read = read_from(&posted(kind, xml), &application());
        assert_eq!(read, Err(Refused::Page(Fault::NotForHere)));
    }
}

/// [X07] Old and future requests, other versions and subjects are told so.
#[test]
fn the_application_is_told_what_is_wrong() {
    let at = |seconds: i64| {
        let xml = message("AuthnRequest", "", "");
        let moved = xml.replace(&moment::written(NOW), &moment::written(NOW + seconds));
        read_from(&posted(Kind::Request, &moved), &application()).map_err(|refused| refused.fault())
    };
    assert!(at(WINDOW_S).is_ok() && at(-WINDOW_S).is_ok());
    assert_eq!(at(WINDOW_S + 1), Err(Fault::Stale));
    assert_eq!(at(-WINDOW_S - 1), Err(Fault::Stale));
    let xml = message("AuthnRequest", "", "").replace("\"2.0\"", "\"3.0\"");
    let read = read_from(&posted(Kind::Request, &xml), &application());
    assert_eq!(read.unwrap_err().fault(), Fault::Version);
    assert_eq!(
        told(
            "",
            "<saml:Subject><saml:NameID>anna</saml:NameID></saml:Subject>"
        ),
        Fault::Subject
    );
    let artifact = "ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact\"";
    assert_eq!(told(artifact, ""), Fault::Binding);
    assert_eq!(
        told("", "<samlp:Scoping ProxyCount=\"-1\"/>"),
        Fault::Schema
    );
    assert!(self::read("", "<samlp:Scoping ProxyCount=\"0\"/>").is_ok());
}

/// [Core §3.4.1.1] "When this element is used, if the content is not understood by or acceptable to the identity provider, then a <Response> message element MUST be returned with an error <Status>"
/// [Core §3.4.1.1] "If the Format value is omitted or set to urn:oasis:names:tc:SAML:2.0:nameidformat:unspecified, then the identity provider is free to return any kind of identifier"
#[test]
fn a_name_identifier_that_nobody_has_is_refused() {
    let policy = |attributes: &str| format!("<samlp:NameIDPolicy {attributes}/>");
    let asked = |attributes: &str| read("", &policy(attributes)).unwrap().name_id;
    assert_eq!(asked("AllowCreate=\"true\""), None);
    let persistent = "Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\"";
    assert_eq!(asked(persistent), Some(NameIdFormat::Persistent));
    assert_eq!(
        asked("Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\""),
        None
    );
    assert_eq!(
        asked(&format!("SPNameQualifier=\"{APPLICATION}\" {persistent}")),
        Some(NameIdFormat::Persistent)
    );
    for wrong in [
        "Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos\"",
        "Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:encrypted\"",
        "SPNameQualifier=\"https://other.example/\"",
    ] {
        assert_eq!(told("", &policy(wrong)), Fault::NameIdPolicy, "{wrong}");
    }
}

/// [Core §3.3.2.2.1] "The set of supplied references MUST be evaluated as an ordered set, where the first element is the most preferred authentication context class or declaration."
/// [Core §3.3.2.2.1] "If none of the specified classes or declarations can be satisfied in accordance with the rules below, then the responder MUST return a <Response> message with a second-level <StatusCode> of urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext."
#[test]
fn a_context_that_is_not_reached_here_is_refused() {
    let asked = |comparison: &str, classes: &[&str]| {
        let classes: String = classes
            .iter()
            .map(|class| format!("<saml:AuthnContextClassRef>{class}</saml:AuthnContextClassRef>"))
            .collect();
        format!(
            "<samlp:RequestedAuthnContext Comparison=\"{comparison}\">{classes}</samlp:RequestedAuthnContext>"
        )
    };
    let mfa = "https://refeds.org/profile/mfa";
    let request = read("", &asked("exact", &[mfa, "urn:x"])).unwrap();
    assert_eq!(request.requested.unwrap().classes, [mfa, "urn:x"]);
    assert_eq!(told("", &asked("exact", &["urn:x"])), Fault::Context);
    assert_eq!(told("", &asked("better", &[mfa])), Fault::Context);
    assert_eq!(told("", &asked("likely", &[mfa])), Fault::Schema);
    assert_eq!(
        Fault::Context.row().status.unwrap().second,
        "NoAuthnContext"
    );
    let declared = "<samlp:RequestedAuthnContext><saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef></samlp:RequestedAuthnContext>";
    assert_eq!(told("", declared), Fault::Context);
}

#[test]
fn an_identifier_must_be_one() {
    for wrong in ["1abc", "a b", "", &"a".repeat(257)] {
        let xml = message("AuthnRequest", "", "").replace("\"_message\"", &format!("\"{wrong}\""));
        let read = read_from(&posted(Kind::Request, &xml), &application());
        assert_eq!(read, Err(Refused::Page(Fault::Schema)), "{wrong}");
    }
}

/// [P07] Changed messages are refused or read; nothing else happens.
#[test]
fn no_message_makes_the_reader_fall() {
    let mut odd = crate::testing::Odd(11);
    let good = message(
        "AuthnRequest",
        "",
        "<samlp:NameIDPolicy AllowCreate=\"true\"/>",
    );
    let metadata = application();
    for _ in 0..3000 {
        let _ = read_from(&posted(Kind::Request, &odd.mutated(&good)), &metadata);
    }
}
