//! What the targets of SAML messages share: an application, its key, and the ways a message comes.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;
use miniz_oxide::deflate::compress_to_vec;
use wire::saml::binding::{Kind, Received};
use wire::saml::metadata::ServiceProvider;
use wire::saml::request::Expected;

use super::authorize::query;
use crate::sample::{self, NOW};

/// The application's entity ID.
pub(super) const APPLICATION: &str = "https://ism.example/shibboleth";
/// Where its responses go.
pub(super) const CONSUMER: &str = "https://ism.example/Shibboleth.sso/SAML2/POST";
/// Where its messages come to.
pub(super) const HERE: &str = "https://id.example/saml";
/// When they are made: [`NOW`] as they write it.
pub(super) const INSTANT: &str = "2027-01-15T08:00:00Z";

/// What is expected of every message.
pub(super) const EXPECTED: Expected<'_> = Expected {
    here: HERE,
    now: NOW,
};

/// The metadata of the application, around a certificate in base64.
pub(super) fn metadata(certificate: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{APPLICATION}" validUntil="2030-01-01T00:00:00Z">
<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:Extensions><mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><mdui:DisplayName xml:lang="fr">&#xC9;coles</mdui:DisplayName></mdui:UIInfo></md:Extensions>
<md:KeyDescriptor><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://ism.example/slo" ResponseLocation="https://ism.example/slo/done"/>
<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{CONSUMER}" index="1" isDefault="true"/>
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ism.example/other" index="2"/>
<md:AttributeConsumingService index="1"><md:ServiceName xml:lang="en">ISM</md:ServiceName><md:RequestedAttribute Name="urn:oid:0.9.2342.19200300.100.1.3"/></md:AttributeConsumingService>
</md:SPSSODescriptor></md:EntityDescriptor>"#
    )
}

/// The application, whose signatures are made with the key of [`sample::ecdsa`].
pub(super) static PROVIDER: LazyLock<Option<ServiceProvider>> = LazyLock::new(|| {
    let certificate = BASE64.encode(&sample::certificate()?);
    ServiceProvider::read(&metadata(&certificate), None, NOW).ok()
});

/// How an input becomes a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Way {
    /// The input is a query.
    Query,
    /// The input is a form.
    Form,
    /// The input is XML, which comes by Redirect unsigned.
    Redirect,
    /// The input is XML, which comes by POST unsigned.
    Post,
    /// The input is XML, and the query around it is signed.
    SignedRedirect,
    /// The input is XML, and is signed inside; good if it is canonical as it stands.
    SignedPost,
}

impl Way {
    /// All of them, in the order of their numbers.
    const ALL: [Self; 6] = [
        Self::Query,
        Self::Form,
        Self::Redirect,
        Self::Post,
        Self::SignedRedirect,
        Self::SignedPost,
    ];

    /// The way of a number.
    pub(super) fn chosen(number: u8) -> Self {
        let at = usize::from(number) % Self::ALL.len();
        Self::ALL.get(at).copied().unwrap_or(Self::Query)
    }

    /// Its number.
    pub(super) fn number(self) -> u8 {
        let at = Self::ALL.iter().position(|way| *way == self);
        at.and_then(|at| u8::try_from(at).ok()).unwrap_or_default()
    }

    /// Whether whoever made the input could not sign it.
    pub(super) fn is_a_strangers(self) -> bool {
        !matches!(self, Self::SignedRedirect | Self::SignedPost)
    }

    /// The message as the product receives it.
    pub(super) fn received(self, kind: Kind, input: &[u8]) -> Option<Received> {
        let name = kind.parameter();
        match self {
            Self::Query => Received::redirect(input).ok(),
            Self::Form => Received::post(input).ok(),
            Self::Redirect => {
                let packed = BASE64.encode(&compress_to_vec(input, 1));
                Received::redirect(format!("{name}={packed}").as_bytes()).ok()
            }
            Self::Post => {
                let form = format!("{name}={}", BASE64.encode(input));
                Received::post(form.as_bytes()).ok()
            }
            Self::SignedRedirect => Received::redirect(&signed_query(kind, input)?).ok(),
            Self::SignedPost => {
                let signed = signed_inside(std::str::from_utf8(input).ok()?)?;
                let form = format!("{name}={}", BASE64.encode(signed.as_bytes()));
                Received::post(form.as_bytes()).ok()
            }
        }
    }
}

/// The query of a message, signed beside it.
pub(super) fn signed_query(kind: Kind, xml: &[u8]) -> Option<Vec<u8>> {
    let packed = BASE64.encode(&compress_to_vec(xml, 1));
    let message = query(&[
        (kind.parameter(), packed.as_str()),
        ("RelayState", "ss:mem:1"),
        (
            "SigAlg",
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        ),
    ]);
    let signature = BASE64.encode(&sample::ecdsa(&message)?);
    Some([&message, &b"&"[..], &query(&[("Signature", &signature)])].concat())
}

/// A message with a signature behind its issuer, made as if the text were canonical.
pub(super) fn signed_inside(xml: &str) -> Option<String> {
    let issuer = "</saml:Issuer>";
    let (before, after) = xml.split_at_checked(xml.find(issuer)? + issuer.len())?;
    let id = xml.split_once(" ID=\"")?.1.split('"').next()?;
    let digest = BASE64.encode(digest(&SHA256, xml.as_bytes()).as_ref());
    let info = format!(
        r##"><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="{EXC_C14N}"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##
    );
    let space = r#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;
    let value = sample::ecdsa(format!("<ds:SignedInfo{space}{info}").as_bytes())?;
    let value = BASE64.encode(&value);
    Some(format!(
        "{before}<ds:Signature{space}><ds:SignedInfo{info}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>{after}"
    ))
}

const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

/// A message of the application in canonical form: attributes in order, nothing empty.
pub(super) fn message(name: &str, (before, after): (&str, &str), inside: &str) -> String {
    format!(
        r#"<samlp:{name} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"{before} Destination="{HERE}"{after} ID="_message" IssueInstant="{INSTANT}" Version="2.0"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{APPLICATION}</saml:Issuer>{inside}</samlp:{name}>"#
    )
}

/// A form with a message that is signed inside.
pub(super) fn signed_form(kind: Kind, xml: &str) -> Option<Vec<u8>> {
    let signed = signed_inside(xml)?;
    Some(query(&[
        (kind.parameter(), BASE64.encode(signed.as_bytes()).as_str()),
        ("RelayState", "ss:mem:1"),
    ]))
}
