//! SAML metadata: what is taken can be written and read again, and every address in it is safe to send to.

use std::fmt::Write;

use data_encoding::BASE64;
use url::{Host, Url};
use wire::saml::metadata::ServiceProvider;

use super::{Target, choice, saml, seed};
use crate::sample::{self, NOW};

pub(super) const TARGET: Target = Target {
    name: "saml_metadata",
    bytes_max: 520 * 1024,
    dictionary: "saml",
    seeds,
    accepts,
};

/// Choices: the rest is metadata; a certificate in metadata that is fine.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let xml = match chosen % 2 {
        0 => std::str::from_utf8(rest).ok().map(str::to_owned),
        _ => Some(saml::metadata(&BASE64.encode(rest))),
    };
    let Some(xml) = xml else { return false };
    let Ok(provider) = ServiceProvider::read(&xml, None, NOW) else {
        return false;
    };
    holds(&provider);
    let named = ServiceProvider::read(&xml, Some(&provider.entity_id), NOW);
    assert!(named.is_ok_and(|named| named == provider));
    let again = ServiceProvider::read(&written(&provider), None, NOW);
    assert!(again.is_ok_and(|again| says_the_same(&again, &provider)));
    true
}

fn holds(provider: &ServiceProvider) {
    assert!(provider.is_valid(NOW));
    assert!(provider.default_consumer().is_some());
    let consumers = provider.consumers.iter().map(|one| &one.location);
    let logouts = provider.logouts.iter();
    let logouts = logouts.flat_map(|one| [&one.location, &one.response_location]);
    for address in consumers.chain(logouts) {
        let url = Url::parse(address);
        assert!(url.is_ok_and(|url| is_safe(&url)), "{address:?}");
        assert!(!address.contains(['#', '*']));
    }
}

/// Whether a browser may be sent there with a message about a person.
fn is_safe(url: &Url) -> bool {
    let here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let scheme = url.scheme() == "https" && url.host().is_some() || url.scheme() == "http" && here;
    scheme && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

/// Addresses, names and times, written plainly. Keys are not: only their reader knows them.
fn written(provider: &ServiceProvider) -> String {
    let mut roles = String::new();
    for one in &provider.logouts {
        let _ = write!(
            roles,
            r#"<SingleLogoutService Binding="{}" Location="{}" ResponseLocation="{}"/>"#,
            one.binding.uri(),
            escaped(&one.location),
            escaped(&one.response_location)
        );
    }
    for format in &provider.name_ids {
        let _ = write!(roles, "<NameIDFormat>{}</NameIDFormat>", format.uri());
    }
    for one in &provider.consumers {
        let default = one.is_default.map(|is| format!(" isDefault=\"{is}\""));
        let _ = write!(
            roles,
            r#"<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{}" index="{}"{}/>"#,
            escaped(&one.location),
            one.index,
            default.unwrap_or_default()
        );
    }
    format!(
        r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{}"><SPSSODescriptor AuthnRequestsSigned="{}" WantAssertionsSigned="{}" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{roles}</SPSSODescriptor></EntityDescriptor>"#,
        escaped(&provider.entity_id),
        provider.signs_requests,
        provider.wants_assertions_signed
    )
}

/// A text as it stands in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '&' | '<' | '>' | '"' | '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
    out
}

fn says_the_same(one: &ServiceProvider, other: &ServiceProvider) -> bool {
    one.entity_id == other.entity_id
        && one.consumers == other.consumers
        && one.logouts == other.logouts
        && one.name_ids == other.name_ids
        && one.signs_requests == other.signs_requests
        && one.wants_assertions_signed == other.wants_assertions_signed
        && one.default_consumer() == other.default_consumer()
}

fn seeds() -> Vec<Vec<u8>> {
    let certificate = sample::certificate().unwrap_or_default();
    let one = saml::metadata(&BASE64.encode(&certificate));
    let inner = one.split_once("?>").map_or("", |(_, inner)| inner);
    let several = format!(
        r#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2028-01-01T00:00:00Z">{inner}</md:EntitiesDescriptor>"#
    );
    vec![seed(0, &one), seed(0, several), seed(1, certificate)]
}
