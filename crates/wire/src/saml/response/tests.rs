//! Responses: what they say, and that other programs believe and open them.

use super::*;
use crate::saml::oracle::Oracle;
use crate::saml::samples::{APPLICATION, CONSUMER, application, idp, ours, theirs, verifying};
use crate::saml::xml::{Bounds, Signed, Tree, canonical};
use crate::testing::NOW;

fn request(id: Option<&str>) -> AuthnRequest {
    let metadata = application();
    let consumer = metadata.default_consumer().unwrap();
    AuthnRequest {
        id: id.map(str::to_owned),
        relay_state: Some("ss:mem:1".to_owned()),
        ..AuthnRequest::unsolicited(&metadata, consumer)
    }
}

fn statement() -> Statement {
    Statement {
        name_id: NameId {
            format: NameIdFormat::Persistent,
            value: "3f7b3dcf-1674-4ecd-92c8-1544f346baf8".to_owned(),
        },
        auth_instant: NOW - 60,
        session_index: "s-1".to_owned(),
        session_until: NOW + 3600,
        class: "https://refeds.org/profile/mfa",
        attributes: vec![
            Attribute {
                name: "urn:oid:2.16.840.1.113730.3.1.241",
                friendly: "displayName",
                values: vec!["Zo\u{eb} <M\u{fc}ller> & \u{1f600}".to_owned()],
            },
            Attribute {
                name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
                friendly: "eduPersonAffiliation",
                values: vec!["staff".to_owned(), "member".to_owned()],
            },
        ],
    }
}

/// Makes something with the provider's names and the application's key, which the oracle has.
fn made<T>(make: impl FnOnce(&Making<'_>) -> T) -> T {
    let (idp, credential) = (idp(), theirs());
    make(&Making {
        idp: &idp,
        credential: &credential,
        now: NOW,
        chance: &std::array::from_fn(|at| at as u8),
    })
}

fn response(id: Option<&str>) -> Outgoing {
    made(|making| making.response(&request(id), &statement(), None).unwrap())
}

/// [X08] Audience, recipient, answered request, five minutes, and two signatures that hold.
/// [Profiles §4.1.4.2] "At least one bearer <SubjectConfirmation> element MUST contain a <SubjectConfirmationData> element that itself MUST contain a Recipient attribute containing the service provider's assertion consumer service URL and a NotOnOrAfter attribute that limits the window during which the assertion can be delivered."
/// [Profiles §4.1.4.2] "Each bearer assertion MUST contain an <AudienceRestriction> including the service provider's unique identifier as an <Audience>."
/// [Profiles §4.1.4.5] "If the HTTP POST binding is used to deliver the <Response>, each assertion MUST be protected by a digital signature."
/// [Bindings §3.5.3] "MUST place the exact data it received with the request into the corresponding RelayState parameter in the response."
/// [Profiles §4.1.4.2] "If the identity provider supports the Single Logout profile, defined in Section 4.4, any authentication statements MUST include a SessionIndex attribute to enable per-session logout requests by the service provider."
#[test]
fn a_response_says_for_whom_and_how_long_and_is_signed_twice() {
    let out = response(Some("_asked"));
    assert_eq!(
        (out.to.as_str(), out.relay_state.as_deref()),
        (CONSUMER, Some("ss:mem:1"))
    );
    let tree = Tree::read(&out.xml, &Bounds::MESSAGE).unwrap();
    let keys = [verifying(&theirs())];
    let root = Signed::enveloped(tree.root(), &keys).unwrap().element();
    assert_eq!(root.attribute("Destination"), Some(CONSUMER));
    assert_eq!(root.attribute("InResponseTo"), Some("_asked"));
    let assertion = root.the(&SAML, "Assertion").unwrap();
    let assertion = Signed::enveloped(assertion, &keys).unwrap().element();
    assert_ne!(assertion.attribute("ID"), root.attribute("ID"));
    let subject = assertion.the(&SAML, "Subject").unwrap();
    let name = subject.the(&SAML, "NameID").unwrap();
    assert_eq!(name.attribute("SPNameQualifier"), Some(APPLICATION));
    assert_eq!(
        name.attribute("NameQualifier"),
        Some("https://id.example/saml/metadata")
    );
    let data = subject
        .the(&SAML, "SubjectConfirmation")
        .and_then(|one| one.the(&SAML, "SubjectConfirmationData"))
        .unwrap();
    assert_eq!(data.attribute("Recipient"), Some(CONSUMER));
    assert_eq!(data.attribute("InResponseTo"), Some("_asked"));
    let until = data.attribute("NotOnOrAfter").and_then(moment::read);
    assert_eq!(until, Some(NOW + 300));
    let conditions = assertion.the(&SAML, "Conditions").unwrap();
    let audience = conditions
        .the(&SAML, "AudienceRestriction")
        .and_then(|one| one.the(&SAML, "Audience"))
        .unwrap();
    assert_eq!(audience.text().unwrap(), APPLICATION);
    let authn = assertion.the(&SAML, "AuthnStatement").unwrap();
    assert_eq!(authn.attribute("SessionIndex"), Some("s-1"));
    let values = assertion.the(&SAML, "AttributeStatement").unwrap();
    let first = values.all(&SAML, "Attribute").next().unwrap();
    let value = first.the(&SAML, "AttributeValue").unwrap().text().unwrap();
    assert_eq!(value, "Zo\u{eb} <M\u{fc}ller> & \u{1f600}");
}

/// [Core §3.2.2] "If the response is not generated in response to a request, or if the ID attribute value of a request cannot be determined (for example, the request is malformed), then this attribute MUST NOT be present. Otherwise, it MUST be present and its value MUST match the value of the corresponding request's ID attribute."
#[test]
fn an_unsolicited_response_answers_nothing() {
    assert!(!response(None).xml.contains("InResponseTo"));
    assert_eq!(
        response(Some("_asked"))
            .xml
            .matches("InResponseTo=\"_asked\"")
            .count(),
        2
    );
}

/// [Core §1.3.4] "Any party that assigns an identifier MUST ensure that there is negligible probability that that party or any other party will accidentally assign the same identifier to a different data object."
#[test]
fn identifiers_are_160_bits_of_chance() {
    assert_eq!(identifier(&[0xab; 20]), format!("_{}", "ab".repeat(20)));
}

/// What is written is canonical, whole and in every part, so its signatures hold by construction.
#[test]
fn every_message_is_its_own_canonical_form() {
    let refusal = made(|making| making.refusal(&request(None), Fault::Passive).unwrap());
    let how = |cipher| Encrypting {
        to: Box::leak(Box::new(application())),
        cipher,
    };
    let secret = made(|making| {
        let how = how(DataCipher::Aes256Gcm);
        making
            .response(&request(None), &statement(), Some(how))
            .unwrap()
    });
    for xml in [
        response(Some("_a")).xml,
        response(None).xml,
        refusal.xml,
        secret.xml,
    ] {
        let tree = Tree::read(&xml, &Bounds::MESSAGE).unwrap();
        assert_eq!(canonical(tree.root().node(), None, &[]).unwrap(), xml);
    }
}

#[test]
fn a_refusal_has_a_status_and_no_assertion() {
    let out = made(|making| {
        making
            .refusal(&request(Some("_a")), Fault::Context)
            .unwrap()
    });
    assert!(out.xml.contains(":status:Responder\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:NoAuthnContext\">"));
    assert!(!out.xml.contains("Assertion"));
    // A fault that is for the page only does not leak its code, but is an answer.
    let out = made(|making| {
        making
            .refusal(&request(Some("_a")), Fault::Replayed)
            .unwrap()
    });
    assert!(out.xml.contains("status:Responder"));
}

/// [X08] libxmlsec1 believes our signatures, and not after a change of one letter.
#[test]
fn xmlsec_believes_our_responses() {
    let mut oracle = Oracle::start("responses");
    let xml = response(Some("_asked")).xml;
    assert_eq!(oracle.ask("verify", &xml), "yes");
    assert_eq!(
        oracle.ask("verify", &xml.replace(">staff<", ">stafg<")),
        "no"
    );
    let refusal = made(|making| making.refusal(&request(None), Fault::Passive).unwrap());
    assert_eq!(oracle.ask("verify", &refusal.xml), "yes");
    assert_ne!(ours().certificate(), theirs().certificate());
}

/// [Core §6.1] "Type attribute SHOULD be used and, if it is present, MUST have the value http://www.w3.org/2001/04/xmlenc#Element"
/// [X12] Encrypted by us, opened by libxmlsec1: every cipher, and the signed assertion inside.
#[test]
fn xmlsec_opens_our_encrypted_assertions() {
    let mut oracle = Oracle::start("encryption");
    let metadata = application();
    for cipher in [
        DataCipher::Aes256Gcm,
        DataCipher::Aes128Gcm,
        DataCipher::Aes256Cbc,
        DataCipher::Aes128Cbc,
    ] {
        let how = Encrypting {
            to: &metadata,
            cipher,
        };
        let out = made(|making| {
            making
                .response(&request(None), &statement(), Some(how))
                .unwrap()
        });
        assert!(!out.xml.contains("displayName") && out.xml.contains(cipher.uri()));
        assert_eq!(oracle.ask("verify", &out.xml), "yes", "{cipher:?}");
        let open = oracle.document("decrypt", &out.xml).unwrap();
        let tree = Tree::read(&open, &Bounds::MESSAGE).unwrap();
        let wrapper = tree.root().the(&SAML, "EncryptedAssertion").unwrap();
        let assertion = wrapper.the(&SAML, "Assertion").unwrap();
        assert!(Signed::enveloped(assertion, &[verifying(&theirs())]).is_ok());
    }
}

#[test]
fn names_of_formats_are_read_and_written() {
    for format in NameIdFormat::ALL {
        assert_eq!(NameIdFormat::of_uri(format.uri()), Some(format));
    }
    assert_eq!(NameIdFormat::of_uri("urn:x"), None);
}
