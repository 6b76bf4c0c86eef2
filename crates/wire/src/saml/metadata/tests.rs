//! Metadata of applications, and our own.

use super::*;
use crate::saml::binding::Binding;
use crate::saml::oracle::Oracle;
use crate::saml::samples::{
    APPLICATION, CONSUMER, application, idp, metadata, ours, theirs, verifying,
};
use crate::saml::xml::{Bounds, DataCipher, Signed, Tree, canonical};
use crate::saml::{Credential, NameIdFormat};
use crate::testing::NOW;

#[test]
fn metadata_of_shibboleth_is_read() {
    let read = application();
    assert_eq!(read.entity_id, APPLICATION);
    assert_eq!(read.consumers.len(), 2);
    assert_eq!(read.default_consumer().unwrap().location, CONSUMER);
    assert_eq!(read.logout().unwrap().binding, Binding::Redirect);
    assert_eq!(
        read.logout().unwrap().response_location,
        "https://ism.example/slo/done"
    );
    assert_eq!(read.name_ids, [NameIdFormat::Persistent]);
    assert_eq!(
        read.requested_attributes,
        ["urn:oid:0.9.2342.19200300.100.1.3"]
    );
    assert_eq!(
        read.display_names,
        [("fr".to_owned(), "\u{c9}coles".to_owned())]
    );
    assert!(read.can_sign() && read.can_decrypt());
    // CBC is asked for first; without a technician's word it is not given.
    assert_eq!(read.cipher, DataCipher::Aes128Gcm);
}

/// [Metadata §2.2.3] "In any such sequence of indexed endpoints that share a common element name and namespace (i.e. all instances of <md:AssertionConsumerService> within a role), the default endpoint is the first such endpoint with the isDefault attribute set to true. If no such endpoints exist, the default endpoint is the first such endpoint without the isDefault attribute set to false. If no such endpoints exist, the default endpoint is the first element in the sequence."
#[test]
fn the_default_consumer_is_the_one_of_the_standard() {
    let mut read = application();
    let pick = |read: &ServiceProvider| read.default_consumer().unwrap().index;
    read.consumers[0].is_default = Some(false);
    assert_eq!(pick(&read), 3);
    read.consumers[1].is_default = Some(false);
    assert_eq!(pick(&read), 2);
    read.consumers[1].is_default = Some(true);
    assert_eq!(pick(&read), 3);
}

/// [Metadata §2.3.2] "validUntil [Optional] Optional attribute indicates the expiration time of the metadata contained in the element and any contained elements."
#[test]
fn metadata_that_is_over_is_refused() {
    let until = |at: i64| {
        let text = format!(
            "validUntil=\"{}\" entityID=",
            crate::saml::moment::written(at)
        );
        ServiceProvider::read(&metadata().replace("entityID=", &text), None, NOW)
    };
    assert_eq!(until(NOW), Err(MetadataError::Expired));
    let read = until(NOW + 1).unwrap();
    assert!(read.is_valid(NOW) && !read.is_valid(NOW + 1));
}

#[test]
fn an_entity_is_found_in_an_aggregate_by_its_name() {
    let one = metadata();
    let one = one.split_once("-->\n").unwrap().1;
    let other = one
        .replace(APPLICATION, "https://other.example/")
        .replace("\"_m\"", "\"_n\"");
    let all = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{one}{other}</md:EntitiesDescriptor>"
    );
    let read = |id| ServiceProvider::read(&all, id, NOW).map(|read| read.entity_id);
    assert_eq!(read(Some(APPLICATION)).as_deref(), Ok(APPLICATION));
    assert_eq!(read(None), Err(MetadataError::NoEntity));
    assert_eq!(
        read(Some("https://nobody.example/")),
        Err(MetadataError::NoEntity)
    );
}

/// [X10] Nothing is ever posted to an address that is not https.
#[test]
fn an_address_that_is_not_https_is_refused() {
    for wrong in [
        "http://ism.example/acs",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user:pw@ism.example/",
        "//ism.example/",
        "https://ism.example/#x",
    ] {
        let text = metadata().replace(CONSUMER, wrong);
        let read = ServiceProvider::read(&text, None, NOW);
        assert_eq!(read, Err(MetadataError::Address(wrong.to_owned())));
    }
    let local = metadata().replace(CONSUMER, "http://localhost:8080/acs");
    assert!(ServiceProvider::read(&local, None, NOW).is_ok());
}

#[test]
fn metadata_without_what_is_needed_is_refused() {
    let read = |from: &str, to: &str| {
        let text = metadata().replace(from, to);
        ServiceProvider::read(&text, None, NOW).map(|_| ())
    };
    assert_eq!(
        read(
            "HTTP-POST\" Location=\"https://ism.example/",
            "SOAP\" Location=\"https://ism.example/"
        ),
        Err(MetadataError::NoConsumer)
    );
    assert_eq!(
        read("SPSSODescriptor", "IDPSSODescriptor"),
        Err(MetadataError::NoServiceProvider)
    );
    assert_eq!(
        read(":2.0:protocol urn", ":3.0:protocol urn"),
        Err(MetadataError::NoServiceProvider)
    );
    assert_eq!(
        read(theirs().certificate(), "AAAA"),
        Err(MetadataError::Key)
    );
    assert!(matches!(
        read("<!-- This", "<!DOCTYPE x><!-- This"),
        Err(MetadataError::Xml(_))
    ));
}

/// Our metadata is signed, canonical and names every key while they rotate.
#[test]
fn our_own_metadata_is_signed_and_whole() {
    let scopes = ["edu.example".to_owned()];
    let names = Names {
        fr: "\u{c9}coles du Valais".to_owned(),
        de: "Walliser Schulen".to_owned(),
    };
    let what = Described {
        id: "_metadata",
        scopes: &scopes,
        names: &names,
        valid_until: NOW + 86_400,
    };
    let xml = describe(&idp(), &what, &[theirs(), ours()]).unwrap();
    let tree = Tree::read(&xml, &Bounds::METADATA).unwrap();
    assert_eq!(canonical(tree.root().node(), None, &[]).unwrap(), xml);
    assert!(Signed::enveloped(tree.root(), &[verifying(&theirs())]).is_ok());
    assert_eq!(Oracle::start("metadata").ask("verify", &xml), "yes");
    assert_eq!(xml.matches("<md:KeyDescriptor").count(), 2);
    for part in [
        "entityID=\"https://id.example/saml/metadata\"",
        ">edu.example</shibmd:Scope>",
        "xml:lang=\"fr\">\u{c9}coles du Valais<",
        "Location=\"https://id.example/saml/sso\"",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    assert!(describe(&idp(), &what, &[] as &[Credential<'_>]).is_none());
}

/// [P07] Changed metadata is refused or read; nothing else happens.
#[test]
fn no_metadata_makes_the_reader_fall() {
    let mut odd = crate::testing::Odd(3);
    for _ in 0..1000 {
        let _ = ServiceProvider::read(&odd.mutated(&metadata()), None, NOW);
    }
}
