//! What the tests of SAML share: a provider, an application with keys, and its messages.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;

use super::binding::{Kind, Outgoing, Received};
use super::key::{Credential, VerifyingKey, certificate};
use super::metadata::ServiceProvider;
use super::request::Expected;
use super::xml::{Bounds, DS, ENVELOPED, EXC_C14N, Tree};
use super::{Idp, moment};
use crate::jose::{SigningAlg, SigningKey};
use crate::testing::{NOW, issuer};

/// The provider's key.
pub(crate) static OURS: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(SigningAlg::Rs256).unwrap());
/// The application's key.
pub(crate) static THEIRS: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(SigningAlg::Rs256).unwrap());
/// The key of nobody who is registered.
pub(crate) static STRANGERS: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::generate(SigningAlg::Rs256).unwrap());

/// The application's entity ID.
pub(crate) const APPLICATION: &str = "https://ism.example/shibboleth";
/// Where its responses go.
pub(crate) const CONSUMER: &str = "https://ism.example/Shibboleth.sso/SAML2/POST";

pub(crate) fn idp() -> Idp {
    Idp::of(&issuer())
}

static OUR_CERTIFICATE: LazyLock<String> = LazyLock::new(|| certificate(&OURS).unwrap());
static THEIR_CERTIFICATE: LazyLock<String> = LazyLock::new(|| certificate(&THEIRS).unwrap());

pub(crate) fn ours() -> Credential<'static> {
    Credential::new(&OURS, &OUR_CERTIFICATE)
}

pub(crate) fn theirs() -> Credential<'static> {
    Credential::new(&THEIRS, &THEIR_CERTIFICATE)
}

/// The public key in a certificate.
pub(crate) fn verifying(credential: &Credential<'_>) -> VerifyingKey {
    let der = BASE64.decode(credential.certificate().as_bytes()).unwrap();
    VerifyingKey::of_certificate(&der).unwrap()
}

/// Metadata as Shibboleth would write it.
pub(crate) fn metadata() -> String {
    let certificate = theirs().certificate().to_owned();
    format!(
        r##"<?xml version="1.0" encoding="UTF-8"?>
<!-- This is example metadata only. -->
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_m" entityID="{APPLICATION}">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol urn:oasis:names:tc:SAML:1.1:protocol">
    <md:Extensions>
      <mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><mdui:DisplayName xml:lang="fr">&#xC9;coles</mdui:DisplayName></mdui:UIInfo>
    </md:Extensions>
    <md:KeyDescriptor>
      <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:KeyName>sp</ds:KeyName><ds:X509Data><ds:X509Certificate>
{certificate}
</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
      <md:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/>
      <md:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes128-gcm"/>
    </md:KeyDescriptor>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://ism.example/slo/soap"/>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ism.example/slo/post"/>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://ism.example/slo" ResponseLocation="https://ism.example/slo/done"/>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:PAOS" Location="https://ism.example/ecp" index="1"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{CONSUMER}" index="2"/>
    <md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ism.example/other" index="3"/>
    <md:AttributeConsumingService index="1"><md:ServiceName xml:lang="en">ISM</md:ServiceName><md:RequestedAttribute Name="urn:oid:0.9.2342.19200300.100.1.3"/></md:AttributeConsumingService>
  </md:SPSSODescriptor>
</md:EntityDescriptor>"##
    )
}

pub(crate) fn application() -> ServiceProvider {
    ServiceProvider::read(&metadata(), None, NOW).unwrap()
}

pub(crate) fn expected(here: &str) -> Expected<'_> {
    Expected { here, now: NOW }
}

/// A message of the application: its name, more attributes, and what is inside after the issuer.
pub(crate) fn message(name: &str, attributes: &str, inside: &str) -> String {
    let now = moment::written(NOW);
    format!(
        r#"<samlp:{name} xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_message" Version="2.0" IssueInstant="{now}" {attributes}><saml:Issuer>{APPLICATION}</saml:Issuer>{inside}</samlp:{name}>"#
    )
}

/// A signature over nothing yet, as it stands in a document that is to be signed.
pub(crate) fn template(id: &str) -> String {
    format!(
        r##"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXC_C14N}"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXC_C14N}"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue></ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue></ds:SignatureValue></ds:Signature>"##
    )
}

/// Fills in the template of the element with this identifier, as the standard says.
pub(crate) fn filled(text: &str, id: &str, key: &SigningKey) -> String {
    filled_with(text, id, key, &[])
}

/// As [`filled`], with a prefix list.
pub(crate) fn filled_with(text: &str, id: &str, key: &SigningKey, prefixes: &[&str]) -> String {
    use super::xml::canonical;
    let template = |text: &str, inside: &str| {
        let tree = Tree::read(text, &Bounds::METADATA).unwrap();
        let target = tree.with_id(id);
        let signature = target.the(&DS, "Signature").unwrap();
        let form = match inside {
            "digest" => canonical(target.node(), Some(signature.node()), prefixes).unwrap(),
            _ => {
                let info = signature.the(&DS, "SignedInfo").unwrap();
                canonical(info.node(), None, prefixes).unwrap()
            }
        };
        (form, signature.node().range())
    };
    let put = |text: &str, range: std::ops::Range<usize>, element: &str, value: &str| {
        let signature = &text[range.clone()];
        let open = signature.find(&format!("{element}>")).unwrap() + element.len() + 1;
        let at = range.start + open;
        format!("{}{value}{}", &text[..at], &text[at..])
    };
    let (form, range) = template(text, "digest");
    let value = BASE64.encode(digest(&SHA256, form.as_bytes()).as_ref());
    let text = put(text, range, "DigestValue", &value);
    let (form, range) = template(&text, "signature");
    let value = BASE64.encode(&key.signature(form.as_bytes()).unwrap());
    put(&text, range, "SignatureValue", &value)
}

/// A message signed inside.
pub(crate) fn signed_message(name: &str, attributes: &str, inside: &str) -> String {
    let text = message(
        name,
        attributes,
        &format!("{}{inside}", template("_message")),
    );
    filled(&text, "_message", &THEIRS)
}

/// A message as it comes by POST.
pub(crate) fn posted(kind: Kind, xml: &str) -> Received {
    let body = crate::form::with_query(
        "?",
        &[
            (kind.parameter(), Some(&BASE64.encode(xml.as_bytes()))),
            ("RelayState", Some("ss:mem:1")),
        ],
    );
    Received::post(&body.as_bytes()[1..]).unwrap()
}

/// The query of a message that comes by Redirect, signed by the application.
pub(crate) fn query(kind: Kind, xml: &str, relay_state: Option<&str>) -> String {
    let message = Outgoing {
        kind,
        to: "https://here.example/".to_owned(),
        xml: xml.to_owned(),
        relay_state: relay_state.map(str::to_owned),
    };
    let location = message.location(&theirs()).unwrap();
    location.split_once('?').unwrap().1.to_owned()
}
