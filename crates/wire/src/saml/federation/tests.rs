//! What is believed of a federation, and what is not.

use super::*;
use crate::saml::samples::{STRANGERS, THEIRS, filled, template, theirs};
use crate::saml::{certificate, moment};
use crate::testing::NOW;

const DAY_S: i64 = 86_400;
const HERE: &str = "http://federation.example/";
const CATEGORY: &str = "http://refeds.org/category/research-and-scholarship";

fn pem(certificate: &str) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n")
}

fn federation() -> Federation {
    let text = format!(
        r#"
id = "eduid"
url = "https://federation.example/all.xml"
salt = "0123456789abcdef0123456789abcdef"
authorities = ["{HERE}"]
attributes = ["mail"]
certificates = '''{}'''
"#,
        pem(theirs().certificate())
    );
    toml::from_str(&text).unwrap()
}

/// A member; `more` stands in its extensions.
fn entity(id: &str, authority: &str, more: &str) -> String {
    format!(
        r#"<md:EntityDescriptor entityID="{id}"><md:Extensions><mdrpi:RegistrationInfo xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" registrationAuthority="{authority}"/>{more}</md:Extensions><md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://app.example/acs" index="0"/></md:SPSSODescriptor></md:EntityDescriptor>"#
    )
}

fn category(name: &str) -> String {
    format!(
        r#"<mdattr:EntityAttributes xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute"><saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="http://macedir.org/entity-category"><saml:AttributeValue>{name}</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>"#
    )
}

fn unsigned(attributes: &str, inside: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_all" {attributes}>{}{inside}</md:EntitiesDescriptor>"#,
        template("_all")
    )
}

fn until(at: i64) -> String {
    format!("validUntil=\"{}\"", moment::written(at))
}

/// A document of the federation, good for a week.
fn document(inside: &str) -> String {
    filled(&unsigned(&until(NOW + 7 * DAY_S), inside), "_all", &THEIRS)
}

fn chosen(federation: &Federation, document: &str) -> Vec<Member> {
    let chosen = federation.choose(document.as_bytes(), NOW).unwrap();
    federation.members(&chosen.packed).unwrap()
}

fn ids(members: &[Member]) -> Vec<&str> {
    members
        .iter()
        .map(|one| one.provider.entity_id.as_str())
        .collect()
}

fn refused(document: &str) -> FederationError {
    federation().choose(document.as_bytes(), NOW).unwrap_err()
}

#[test]
fn members_that_were_chosen_are_known_with_what_the_federation_gets() {
    let all = [
        entity("https://b.example/sp", HERE, ""),
        entity("https://a.example/sp", HERE, ""),
        entity("https://elsewhere.example/sp", "http://other.example/", ""),
    ]
    .concat();
    let nested = format!("<md:EntitiesDescriptor>{all}</md:EntitiesDescriptor>");
    for text in [document(&all), document(&nested)] {
        let members = chosen(&federation(), &text);
        assert_eq!(
            ids(&members),
            ["https://a.example/sp", "https://b.example/sp"]
        );
        let [one, other] = members.as_slice() else {
            panic!("{members:?}")
        };
        assert_eq!(one.application.attributes, [Released::Mail]);
        assert_eq!(one.application.name.fr, "a.example");
        assert!(is_id(&one.application.id) && one.application.id.starts_with("eduid."));
        assert!(is_strong(&one.application.salt));
        assert_ne!(one.application.salt, other.application.salt);
        assert_eq!(one.provider.valid_until, Some(NOW + 7 * DAY_S));
    }
}

#[test]
fn a_document_may_describe_one_application_alone() {
    let one = entity("https://a.example/sp", HERE, "").replacen(
        "<md:EntityDescriptor",
        &format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_one\" {}",
            until(NOW + 60)
        ),
        1,
    );
    let text = one.replacen(
        "<md:Extensions>",
        &(template("_one") + "<md:Extensions>"),
        1,
    );
    let text = filled(&text, "_one", &THEIRS);
    assert_eq!(ids(&chosen(&federation(), &text)), ["https://a.example/sp"]);
}

#[test]
fn who_is_taken_follows_the_lists() {
    let text = document(
        &[
            entity("https://a.example/sp", HERE, &category(CATEGORY)),
            entity(
                "https://b.example/sp",
                HERE,
                &category("http://other.example/c"),
            ),
            entity(
                "https://c.example/sp",
                "http://other.example/",
                &category(CATEGORY),
            ),
            entity("https://d.example/sp", "http://other.example/", ""),
        ]
        .concat(),
    );
    let lists = |entities: &[&str], authorities: &[&str], categories: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        Federation {
            entities: owned(entities),
            authorities: owned(authorities),
            categories: owned(categories),
            ..federation()
        }
    };
    let letters = |federation: &Federation| -> String {
        let members = chosen(federation, &text);
        ids(&members).iter().map(|id| &id[8..9]).collect()
    };
    assert_eq!(letters(&lists(&[], &[HERE], &[])), "ab");
    assert_eq!(letters(&lists(&[], &[], &[CATEGORY])), "ac");
    assert_eq!(letters(&lists(&[], &[HERE], &[CATEGORY])), "a");
    assert_eq!(
        letters(&lists(&["https://d.example/sp"], &[HERE], &[CATEGORY])),
        "ad"
    );
    assert_eq!(letters(&lists(&["https://d.example/"], &[], &[])), "");
    assert_eq!(lists(&[], &[], &[]).check(), [FederationFlaw::Nobody]);
}

/// [X05] Only a pinned key is believed, whatever certificate the document brings along.
#[test]
fn a_document_of_another_key_or_of_none_is_refused() {
    let member = entity("https://a.example/sp", HERE, "");
    let attributes = until(NOW + 60);
    let text = unsigned(&attributes, &member);
    let strange = filled(&text, "_all", &STRANGERS);
    assert!(matches!(refused(&strange), FederationError::Signature(_)));
    let their_key = certificate(&STRANGERS).unwrap();
    let told = strange.replace(
        "</ds:SignatureValue>",
        &format!("</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{their_key}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"),
    );
    assert!(matches!(refused(&told), FederationError::Signature(_)));
    let none = text.replace(&template("_all"), "");
    assert!(matches!(refused(&none), FederationError::Signature(_)));
    let changed = document(&member).replace("a.example", "e.example");
    assert!(matches!(refused(&changed), FederationError::Signature(_)));
    // A signed part does not speak for the whole.
    let inside = document(&member).split_once("?>").unwrap().1.to_owned();
    let wrapped = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" ID=\"_out\" {attributes}>{inside}{}</md:EntitiesDescriptor>",
        entity("https://evil.example/sp", HERE, "")
    );
    assert!(matches!(refused(&wrapped), FederationError::Signature(_)));
}

#[test]
fn a_document_ends_and_says_when() {
    let signed = |attributes: &str| filled(&unsigned(attributes, ""), "_all", &THEIRS);
    assert_eq!(refused(&signed("")), FederationError::Endless);
    assert_eq!(refused(&signed(&until(NOW))), FederationError::Expired);
    let late = signed(&until(NOW + 28 * DAY_S + 1));
    assert_eq!(refused(&late), FederationError::TooLong(28));
    let longer = Federation {
        days_max: 29,
        ..federation()
    };
    assert!(longer.choose(late.as_bytes(), NOW).is_ok());
    assert!(matches!(
        refused(&signed("validUntil=\"soon\"")),
        FederationError::Xml(_)
    ));
}

#[test]
fn a_member_ends_with_the_group_around_it() {
    let group = format!(
        "<md:EntitiesDescriptor {}>{}</md:EntitiesDescriptor>",
        until(NOW + 100),
        entity("https://a.example/sp", HERE, "")
    );
    let members = chosen(&federation(), &document(&group));
    assert_eq!(members[0].provider.valid_until, Some(NOW + 100));
}

#[test]
fn a_member_that_cannot_be_used_is_left_out_and_so_is_one_that_is_there_twice() {
    let good = entity("https://a.example/sp", HERE, "");
    let twice = entity("https://twice.example/sp", HERE, "");
    let http = good
        .replace("https://app.example/acs", "http://app.example/acs")
        .replace("a.ex", "h.ex");
    let provider = good
        .replace("SPSSODescriptor", "IDPSSODescriptor")
        .replace("a.ex", "i.ex");
    let large = entity(
        "https://large.example/sp",
        HERE,
        &category(&"x".repeat(600_000)),
    );
    let text = [twice.clone(), good, http, provider, large, twice].concat();
    // The tests' own signer reads small documents only.
    let small = text.replace(&"x".repeat(600_000), "x");
    assert_eq!(
        ids(&chosen(&federation(), &document(&small))),
        ["https://a.example/sp", "https://large.example/sp"]
    );
    let must_sign = Federation {
        signed_requests: true,
        ..federation()
    };
    assert_eq!(
        ids(&chosen(&must_sign, &document(&small))),
        Vec::<&str>::new()
    );
}

/// [X06] What is no such document is refused, not read for long.
#[test]
fn what_is_no_document_is_refused() {
    for text in [
        "",
        "<html/>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        "<md:EntitiesDescriptor xmlns:md='urn:oasis:names:tc:SAML:2.0:metadata'>",
    ] {
        federation().choose(text.as_bytes(), NOW).unwrap_err();
    }
    assert_eq!(
        federation().choose(&[0xff], NOW),
        Err(FederationError::Text)
    );
    let deep = "<a>".repeat(100) + &"</a>".repeat(100);
    assert_eq!(
        refused(&deep),
        FederationError::Xml(crate::saml::XmlError::TooMuch)
    );
    assert!(federation().members(b"nothing packed").is_err());
    let bomb = miniz_oxide::deflate::compress_to_vec(&vec![b' '; 2 * BYTES_MAX + 1], 1);
    assert_eq!(
        federation().members(&bomb).unwrap_err(),
        FederationError::TooMany
    );
}

#[test]
fn trust_without_a_pinned_key_or_over_plain_http_is_refused() {
    assert_eq!(federation().check(), []);
    let wrong = Federation {
        id: "a.b".to_owned(),
        url: "http://federation.example/all.xml".to_owned(),
        certificates: String::new(),
        salt: "short".to_owned(),
        days_max: 0,
        ..federation()
    };
    let flaws = wrong.check();
    assert_eq!(flaws.len(), 5, "{flaws:?}");
    let other_key = Federation {
        certificates: pem(&certificate(&STRANGERS).unwrap()),
        ..federation()
    };
    assert_ne!(other_key.source(), federation().source());
}
