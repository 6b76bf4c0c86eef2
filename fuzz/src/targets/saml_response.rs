//! SAML responses, as the demo's application reads them: whoever is signed in is whom the provider signed.

use std::sync::LazyLock;

use data_encoding::BASE64;
use wire::saml::IdentityProvider;
use wire::saml::binding::{Kind, Received};
use wire::saml::relying_party::{Answer, Own};

use super::saml::{self, APPLICATION, CONSUMER, INSTANT, Way};
use super::{Target, choice, seed};
use crate::sample::{self, NOW};

pub(super) const TARGET: Target = Target {
    name: "saml_response",
    bytes_max: 136 * 1024,
    dictionary: "saml",
    seeds,
    accepts,
};

/// The provider's entity ID.
const PROVIDER_ID: &str = "https://id.example/saml/metadata";

static PROVIDER: LazyLock<Option<IdentityProvider>> =
    LazyLock::new(|| provider(&sample::certificate()?));

/// One of the same name, whose key is another.
static STRANGER: LazyLock<Option<IdentityProvider>> =
    LazyLock::new(|| provider(&sample::strangers_certificate()?));

fn provider(certificate: &[u8]) -> Option<IdentityProvider> {
    let certificate = BASE64.encode(certificate);
    let xml = format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{PROVIDER_ID}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://id.example/saml/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#
    );
    IdentityProvider::read(&xml, PROVIDER_ID, NOW).ok()
}

static OWN: LazyLock<Own> = LazyLock::new(|| Own {
    entity_id: APPLICATION.to_owned(),
    consumer: CONSUMER.to_owned(),
    logout: "https://ism.example/slo".to_owned(),
});

/// The only answer that is signed before the target starts.
static SEED: LazyLock<Option<Answer>> = LazyLock::new(|| {
    let form = form(&answer(&assertion(SUBJECT))?);
    read(&Received::post(&form).ok()?)
});

/// Choices: the rest is a form; XML; what stands in an assertion, which is signed with the response
/// around it, as if it were canonical.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let signed = chosen % 3 == 2;
    let received = match chosen % 3 {
        0 => Received::post(rest).ok(),
        1 => Way::Post.received(Kind::Response, rest),
        _ => {
            let inside = std::str::from_utf8(rest).ok();
            let xml = inside.and_then(|inside| answer(&assertion(inside)));
            let changed = xml.as_deref().and_then(about_somebody_else);
            let changed = changed.and_then(|form| Received::post(&form).ok());
            assert!(changed.as_ref().and_then(read).is_none(), "changed");
            xml.and_then(|xml| Received::post(&form(&xml)).ok())
        }
    };
    let Some(answer) = received.as_ref().and_then(read) else {
        return false;
    };
    assert_eq!(answer.in_response_to.as_deref(), Some("_ours"));
    if !signed {
        let said = SEED.as_ref().map(|seed| &seed.said);
        assert_eq!(said, Some(&answer.said), "forged");
    }
    if let Some(received) = &received {
        is_held_to_all(received, &answer);
    }
    true
}

/// Whatever was taken is taken for its signature, by whom it is for, when it is good, and as it stands.
fn is_held_to_all(received: &Received, answer: &Answer) {
    assert_eq!(read(received).as_ref(), Some(answer), "read twice");
    let provider = PROVIDER.as_ref();
    let is_taken = |own: &Own, provider: Option<&IdentityProvider>, now| {
        provider.is_some_and(|provider| Answer::read(received, own, provider, now).is_ok())
    };
    assert!(is_taken(&OWN, provider, NOW));
    assert!(STRANGER.is_some(), "there is no stranger to compare with");
    assert!(!is_taken(&OWN, STRANGER.as_ref(), NOW), "by another key");
    let elsewhere = Own {
        consumer: format!("{CONSUMER}2"),
        ..OWN.clone()
    };
    assert!(!is_taken(&elsewhere, provider, NOW), "sent elsewhere");
    for away in [-3600, 3600] {
        assert!(!is_taken(&OWN, provider, NOW + away), "at another time");
    }
    let Ok(asserted) = &answer.said else {
        return;
    };
    let another = Own {
        entity_id: format!("{APPLICATION}2"),
        ..OWN.clone()
    };
    assert!(
        !is_taken(&another, provider, NOW),
        "for another application"
    );
    assert!(asserted.session_until.is_none_or(|until| until + 60 > NOW));
    assert!(!asserted.name_id.value.is_empty() && !asserted.class.is_empty());
}

/// The same answer about somebody else; none if the text has no place for it.
fn about_somebody_else(xml: &str) -> Option<Vec<u8>> {
    let (before, after) = xml.split_once("</saml:NameID>")?;
    Some(form(&format!("{before}x</saml:NameID>{after}")))
}

fn read(received: &Received) -> Option<Answer> {
    Answer::read(received, &OWN, PROVIDER.as_ref()?, NOW).ok()
}

fn form(xml: &str) -> Vec<u8> {
    format!("SAMLResponse={}", BASE64.encode(xml.as_bytes())).into_bytes()
}

const SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
const SUBJECT: &str = "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">anna</saml:NameID>";

/// What stands in an assertion about this subject, after its issuer.
fn assertion(name: &str) -> String {
    if !name.starts_with("<saml:NameID") {
        return name.to_owned();
    }
    format!(
        r#"<saml:Subject>{name}<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="_ours" NotOnOrAfter="2027-01-15T08:05:00Z" Recipient="{CONSUMER}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="2027-01-15T07:59:00Z" NotOnOrAfter="2027-01-15T08:05:00Z"><saml:AudienceRestriction><saml:Audience>{APPLICATION}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{INSTANT}" SessionIndex="s"><saml:AuthnContext><saml:AuthnContextClassRef>https://refeds.org/profile/mfa</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="urn:oid:2.5.4.42"><saml:AttributeValue>Anna</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>"#
    )
}

/// A response with an assertion, both signed.
fn answer(inside: &str) -> Option<String> {
    let issuer = format!("<saml:Issuer>{PROVIDER_ID}</saml:Issuer>");
    let assertion = saml::signed_inside(&format!(
        r#"<saml:Assertion xmlns:saml="{SAML}" ID="_assertion" IssueInstant="{INSTANT}" Version="2.0">{issuer}{inside}</saml:Assertion>"#
    ))?;
    let issuer = issuer.replacen("Issuer", &format!("Issuer xmlns:saml=\"{SAML}\""), 1);
    saml::signed_inside(&format!(
        r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="{CONSUMER}" ID="_response" InResponseTo="_ours" IssueInstant="{INSTANT}" Version="2.0">{issuer}<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>{assertion}</samlp:Response>"#
    ))
}

fn seeds() -> Vec<Vec<u8>> {
    let inside = assertion(SUBJECT);
    let whole = answer(&inside).unwrap_or_default();
    vec![
        seed(0, form(&whole)),
        seed(1, &whole),
        seed(2, inside),
        seed(2, SUBJECT),
        // Nobody: refused, however well it is signed.
        seed(2, SUBJECT.replace("anna", "")),
    ]
}
