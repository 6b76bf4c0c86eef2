//! A walk of SAML: the request of the application, and the response that is posted to it.

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use url::Url;
use wire::{
    jose::{SigningAlg, SigningKey},
    saml::{Application, Credential, Idp, Outgoing, ServiceProvider, binding::Kind, certificate},
};

use super::{
    Stage,
    browser::{Browser, Landed},
    told::{Finding, Message, NEW, Told},
    xml::{leaves, said},
};
use crate::{
    failure::{Doing, Failure},
    installation::draw,
};

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// Walks the sign-in of a SAML application.
pub(super) async fn walk(
    application: &Application,
    stage: &Stage<'_>,
    told: &mut Told,
) -> Result<Option<Url>, Failure> {
    let doing = || "reading the metadata".to_owned();
    let provider = application.provider(i64::MIN).doing(doing)?;
    let asked = stage.asked.url.clone();
    let consumer = asked.or_else(|| Some(provider.default_consumer()?.location.clone()));
    let Some(consumer) = consumer else {
        told.find(Finding::no_address());
        return Ok(None);
    };
    let key = SigningKey::generate(SigningAlg::Rs256).doing(|| "drawing a key".to_owned())?;
    let own = certificate(&key).ok_or_else(|| Failure::new("a key could not be certified"))?;
    let copy = in_rehearsal(application, (&provider, &own), told);
    let mut browser = Browser::opens(stage, stage.file(|file| file.saml.push(copy))).await?;
    let xml = request(stage, &provider.entity_id, &consumer)?;
    told.message(asking(stage, &provider, &xml));
    let sso = Idp::of(stage.issuer).sso;
    let outgoing = Outgoing {
        kind: Kind::Request,
        to: sso.clone(),
        xml,
        relay_state: None,
    };
    let landed = match provider.signs_requests {
        true => {
            let signed = outgoing.location(&Credential::new(&key, &own));
            let signed = signed.ok_or_else(|| Failure::new("a request could not be signed"))?;
            let url = Url::parse(&signed).doing(doing)?;
            browser.goes(url, None).await?
        }
        false => {
            let url = Url::parse(&sso).doing(doing)?;
            let fields = vec![("SAMLRequest".to_owned(), outgoing.field())];
            browser.goes(url, Some(fields)).await?
        }
    };
    told.messages.extend(browser.signed_in(stage));
    came_back(landed, stage, told);
    Ok(Url::parse(&consumer).ok())
}

/// The registration as it is, but for keys: only the application has those in its metadata.
fn in_rehearsal(
    application: &Application,
    (provider, own): (&ServiceProvider, &str),
    told: &mut Told,
) -> Application {
    if application.encrypt {
        told.notes.push(
            "the assertion would be encrypted to the key in the metadata; here it is not, to be read"
                .to_owned(),
        );
    }
    Application {
        // Nobody signs out, and the metadata of the rehearsal has no address for it.
        backchannel_logout: false,
        encrypt: false,
        entity_id: None,
        metadata: described(provider, own),
        ..application.clone()
    }
}

/// The metadata with the key of the rehearsal.
fn described(provider: &ServiceProvider, certificate: &str) -> String {
    let mut consumers = String::new();
    for one in &provider.consumers {
        let default = one.is_default.map(|is| format!(" isDefault=\"{is}\""));
        consumers.push_str(&format!(
            "<md:AssertionConsumerService index=\"{}\"{} Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"{}\"/>",
            one.index,
            default.unwrap_or_default(),
            escaped(&one.location)
        ));
    }
    let formats = provider.name_ids.iter();
    let formats = formats.map(|one| format!("<md:NameIDFormat>{}</md:NameIDFormat>", one.uri()));
    let until = provider.valid_until.map(|until| {
        let until = instant(until).unwrap_or_default();
        format!(" validUntil=\"{until}\"")
    });
    format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{}\"{}>\
         <md:SPSSODescriptor AuthnRequestsSigned=\"{}\" protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">\
         <md:KeyDescriptor><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
         {}{consumers}</md:SPSSODescriptor></md:EntityDescriptor>",
        escaped(&provider.entity_id),
        until.unwrap_or_default(),
        provider.signs_requests,
        formats.collect::<String>(),
    )
}

/// What an application would send.
fn request(stage: &Stage<'_>, entity_id: &str, consumer: &str) -> Result<String, Failure> {
    let id = HEXLOWER.encode(&draw::<20>(&stage.here.world));
    let now = instant(stage.here.now().0)?;
    Ok(format!(
        "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_{id}\" Version=\"2.0\" \
         IssueInstant=\"{now}\" Destination=\"{}\" AssertionConsumerServiceURL=\"{}\">\
         <saml:Issuer>{}</saml:Issuer></samlp:AuthnRequest>",
        escaped(&Idp::of(stage.issuer).sso),
        escaped(consumer),
        escaped(entity_id),
    ))
}

fn asking(stage: &Stage<'_>, provider: &ServiceProvider, xml: &str) -> Message {
    let attribute = |name: &str| said(xml, "AuthnRequest", name).unwrap_or_default();
    let consumer = attribute("AssertionConsumerServiceURL");
    let known = provider
        .consumers
        .iter()
        .any(|one| one.location == consumer);
    let (binding, signature) = match provider.signs_requests {
        true => (
            "HTTP-Redirect",
            "with a key of the rehearsal instead of the application's",
        ),
        false => ("HTTP-POST", "none: the metadata does not say that it signs"),
    };
    Message::new(
        "browser \u{2192} provider",
        format!("AuthnRequest, by {binding}"),
        "SAML Profiles \u{a7}4.1.4.1",
    )
    .part("Issuer", &provider.entity_id, "`entityID` of the metadata")
    .part(
        "Destination",
        Idp::of(stage.issuer).sso,
        "in the provider's metadata",
    )
    .part(
        "AssertionConsumerServiceURL",
        consumer,
        match known {
            true => "in the application's metadata",
            false => "not in the application's metadata",
        },
    )
    .part(
        "IssueInstant",
        attribute("IssueInstant"),
        "may be five minutes away",
    )
    .part("ID", NEW, "comes back in `InResponseTo`, once")
    .part("Signature", signature, "")
}

/// What is posted to the application.
fn came_back(landed: Landed, stage: &Stage<'_>, told: &mut Told) {
    let (to, fields) = match landed {
        Landed::Posted(to, fields) => (to, fields),
        Landed::Away(to) => (to, Vec::new()),
        Landed::Page(status, said) => {
            told.message(Message::new(
                "provider \u{2192} person",
                format!("a page ({}): {said}", status.as_u16()),
                "SAML Core \u{a7}3.2.2.2",
            ));
            told.find(Finding::wrong(
                format!("the application is told nothing; the person reads: {said}"),
                "SAML Profiles \u{a7}4.1.4.1",
                "the messages above say where it ended, the faults beside this one why",
            ));
            return;
        }
    };
    let response = fields.iter().find(|(name, _)| name == "SAMLResponse");
    let xml = response.and_then(|(_, value)| BASE64.decode(value.as_bytes()).ok());
    let xml = String::from_utf8(xml.unwrap_or_default()).unwrap_or_default();
    told.message(response_of(&xml, &to));
    let status = said(&xml, "StatusCode", "Value").unwrap_or_default();
    if status == SUCCESS {
        told.message(assertion_of(&xml, stage));
        return;
    }
    let why = leaves(&xml)
        .into_iter()
        .find(|leaf| leaf.name == "StatusMessage");
    let why = why.map(|leaf| leaf.text).unwrap_or_default();
    told.find(Finding::wrong(
        format!("the application gets no assertion: {why}"),
        "SAML Core \u{a7}3.2.2.2",
        "change who may enter in its registration (`groups`, `name_id`), or sign in as somebody else",
    ));
}

fn response_of(xml: &str, to: &Url) -> Message {
    let attribute = |name: &str| said(xml, "Response", name).unwrap_or_default();
    let status = said(xml, "StatusCode", "Value").unwrap_or_default();
    let status = status.rsplit(':').next().unwrap_or_default().to_owned();
    let signatures = xml.matches("SignatureValue>").count() / 2;
    let signed = match signatures {
        0 => "none",
        1 => "RSA-SHA256, on the response",
        _ => "RSA-SHA256, on the response and on the assertion",
    };
    Message::new(
        "browser \u{2192} application",
        format!("Response, by HTTP-POST to {to}"),
        "SAML Profiles \u{a7}4.1.4.2",
    )
    .part(
        "Destination",
        attribute("Destination"),
        "it must be the address that it is posted to",
    )
    .part("InResponseTo", NEW, "the `ID` of the request")
    .part("IssueInstant", attribute("IssueInstant"), "")
    .part("StatusCode", status, "")
    .part(
        "Signature",
        signed,
        "by a key of the rehearsal: it is in no metadata",
    )
}

fn assertion_of(xml: &str, stage: &Stage<'_>) -> Message {
    let assertion = xml
        .find("Assertion ")
        .and_then(|at| xml.get(at.saturating_sub(6)..));
    let assertion = assertion.unwrap_or_default();
    let attribute = |element: &str, name: &str| said(assertion, element, name).unwrap_or_default();
    let mut message = Message::new(
        "in that response",
        "the assertion".to_owned(),
        "SAML Core \u{a7}2.3.3",
    );
    for leaf in leaves(assertion) {
        let from = match leaf.name {
            "Issuer" => "the provider's entity ID",
            "Audience" => "`entityID` of the application's metadata",
            "AuthnContextClassRef" => "what was proven: two factors, or a password",
            "NameID" => "",
            _ => continue,
        };
        let from = match leaf.name {
            "NameID" => stage.source("assertion", "NameID"),
            _ => from.to_owned(),
        };
        message = message.part(leaf.name, leaf.text, from);
    }
    let format = attribute("NameID", "Format");
    message = message
        .part(
            "NameID Format",
            format,
            "`name_id`, if the request asks for no other",
        )
        .part(
            "Conditions NotBefore",
            attribute("Conditions", "NotBefore"),
            "a minute for clocks",
        )
        .part(
            "Conditions NotOnOrAfter",
            attribute("Conditions", "NotOnOrAfter"),
            "five minutes",
        )
        .part(
            "Recipient",
            attribute("SubjectConfirmationData", "Recipient"),
            "again that address",
        )
        .part("SessionIndex", NEW, "for the sign-out");
    for (name, values) in attributes(assertion) {
        let from = stage.source("assertion", &name);
        message = message.part(name, values, from);
    }
    message
}

/// The attributes as `friendly (name)`, with their values.
fn attributes(assertion: &str) -> Vec<(String, String)> {
    let statements = assertion.split("<saml:Attribute ").skip(1);
    let one = |text: &str| {
        let inside = text.split("</saml:Attribute>").next().unwrap_or_default();
        let tagged = format!("<saml:Attribute {inside}");
        let friendly = said(&tagged, "Attribute", "FriendlyName")?;
        let name = said(&tagged, "Attribute", "Name")?;
        let values = leaves(inside).into_iter();
        let values: Vec<String> = values.map(|leaf| leaf.text).collect();
        Some((format!("{friendly} ({name})"), values.join(", ")))
    };
    statements.filter_map(one).collect()
}

fn instant(unix: i64) -> Result<String, Failure> {
    let instant = Timestamp::from_second(unix).doing(|| "writing a time".to_owned())?;
    Ok(instant.to_string())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}
