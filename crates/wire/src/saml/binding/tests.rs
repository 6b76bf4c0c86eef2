//! Queries and forms: read as they came, verified before anything is believed.

use super::*;
use crate::saml::samples::{message, ours, query, theirs, verifying};

fn signed_by_application(query: &str) -> Result<(), Fault> {
    let received = Received::redirect(query.as_bytes())?;
    let tree = received.tree()?;
    received
        .signed(tree.root(), &[verifying(&theirs())])
        .map(|_| ())
}

/// [Bindings §3.4.4.1] "The relying party MUST therefore perform the verification step using the original URL-encoded values it received on the query string."
#[test]
fn a_query_is_verified_as_it_came() {
    let query = query(
        Kind::Request,
        &message("AuthnRequest", "", ""),
        Some("a b+c/\u{e9}"),
    );
    assert_eq!(signed_by_application(&query), Ok(()));
    let received = Received::redirect(query.as_bytes()).unwrap();
    assert_eq!(received.relay_state.as_deref(), Some("a b+c/\u{e9}"));
    // The same text, written in another way: it is not what was signed.
    let other = query.replace("RelayState=a+b", "RelayState=a%20b");
    assert_ne!(other, query);
    assert_eq!(signed_by_application(&other), Err(Fault::SignatureNotGood));
    // The order in the query does not matter, the order in the signature does.
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.reverse();
    assert_eq!(signed_by_application(&pairs.join("&")), Ok(()));
}

/// [X02] What is signed is all that is read: no second value, no parameter left out.
#[test]
fn a_query_with_something_twice_or_changed_is_refused() {
    let good = query(Kind::Request, &message("AuthnRequest", "", ""), Some("x"));
    for (text, fault) in [
        (format!("{good}&RelayState=y"), Fault::Encoding),
        (format!("{good}&SAMLRequest=y"), Fault::Encoding),
        (format!("{good}&SAMLResponse=y"), Fault::Encoding),
        (format!("{good}&SAMLEncoding=other"), Fault::Encoding),
        (
            good.replace("RelayState=x", "RelayState=y"),
            Fault::SignatureNotGood,
        ),
        (good.replace("RelayState=x&", ""), Fault::SignatureNotGood),
        (
            good.replace("rsa-sha256", "rsa-sha512"),
            Fault::SignatureNotGood,
        ),
        (
            good.replace("xmldsig-more%23rsa-sha256", "xmldsig%23rsa-sha1"),
            Fault::SignatureNotGood,
        ),
        (
            good.replace("&Signature=", "&NoSignature="),
            Fault::Unsigned,
        ),
        (good.replace("SAMLRequest", "Other"), Fault::Encoding),
    ] {
        assert_ne!(text, good);
        assert_eq!(signed_by_application(&text), Err(fault), "{text}");
    }
}

/// [Bindings §3.4.4.1] "Any signature on the SAML protocol message, including the <ds:Signature> XML element itself, MUST be removed."
#[test]
fn a_signature_inside_a_redirected_message_proves_nothing() {
    let xml = crate::saml::samples::signed_message("AuthnRequest", "", "");
    let whole = query(Kind::Request, &xml, None);
    let bare = whole.split("&SigAlg").next().unwrap();
    assert_eq!(signed_by_application(bare), Err(Fault::Unsigned));
}

/// [Bindings §3.4.4] "If the parameter is not present, the value is assumed to be urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE."
#[test]
fn the_encoding_may_be_named() {
    let good = query(Kind::Request, &message("AuthnRequest", "", ""), None);
    let named = format!(
        "{good}&SAMLEncoding=urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Abindings%3AURL-Encoding%3ADEFLATE"
    );
    assert_eq!(signed_by_application(&named), Ok(()));
}

/// [Bindings §3.5.4] "A SAML protocol message is form-encoded by applying the base-64 encoding rules to the XML representation of the message"
#[test]
fn a_form_is_read_with_and_without_line_breaks() {
    let xml = message("AuthnRequest", "", "");
    let field = Outgoing {
        kind: Kind::Request,
        to: String::new(),
        xml: xml.clone(),
        relay_state: None,
    }
    .field();
    let broken: String = field
        .as_bytes()
        .chunks(76)
        .map(|line| format!("{}\r\n", std::str::from_utf8(line).unwrap()))
        .collect();
    for field in [field, broken] {
        let body: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("SAMLRequest", &field)
            .finish();
        assert_eq!(Received::post(body.as_bytes()).unwrap().xml, xml);
    }
    assert_eq!(
        Received::post(b"SAMLRequest=%%%").unwrap_err(),
        Fault::Encoding
    );
    assert_eq!(Received::post(b"x=y").unwrap_err(), Fault::Encoding);
    assert_eq!(
        Received::post(&[b'a'; 200_000]).unwrap_err(),
        Fault::TooLong
    );
}

/// [P07] Whatever comes, nothing worse than a fault comes of it.
#[test]
fn no_bytes_make_the_reader_fall() {
    let mut odd = crate::testing::Odd(5);
    let good = query(Kind::Request, &message("AuthnRequest", "", ""), Some("x"));
    for _ in 0..3000 {
        let text = odd.mutated(&good);
        if let Ok(received) = Received::redirect(text.as_bytes()) {
            let _ = received.tree();
        }
        let _ = Received::post(text.as_bytes());
    }
}

/// [Bindings §3.4.4.1] "The signature algorithm identifier MUST be included as an additional query string parameter, named SigAlg."
#[test]
fn a_location_keeps_the_query_it_has() {
    let message = Outgoing {
        kind: Kind::Response,
        to: "https://app.example/slo?a=1".to_owned(),
        xml: "<x/>".to_owned(),
        relay_state: None,
    };
    let location = message.location(&ours()).unwrap();
    assert!(
        location.starts_with("https://app.example/slo?a=1&SAMLResponse="),
        "{location}"
    );
    assert!(
        location.contains("&SigAlg=") && location.contains("&Signature="),
        "{location}"
    );
}

/// A sender that does not encode its `+`: the last letter of a message is one as often as not, because
/// `>` ends every message.
#[test]
fn a_plus_that_was_not_encoded_counts_at_the_end_too() {
    for more in ["", " ", "  "] {
        let xml = format!("<a{more}/>");
        let plain = BASE64.encode(xml.as_bytes());
        for body in [
            format!("SAMLRequest={plain}"),
            format!("SAMLRequest={plain}%20%0D%0A"),
            format!("SAMLRequest=%20{}", plain.replace('+', "%2B")),
        ] {
            let received = Received::post(body.as_bytes());
            assert_eq!(received.map(|one| one.xml), Ok(xml.clone()), "{body}");
        }
    }
}
