//! Signature wrapping: the eight variants of "On Breaking SAML" (2012), on four kinds of messages.
//!
//! Each variant moves the signed element elsewhere and puts an evil one in its place. A relying party
//! falls if it accepts a message and reads something that was not signed.

use super::binding::Kind;
use super::request::Registered;
use super::samples::{
    THEIRS, application, expected, filled, idp, message, posted, template, theirs, verifying,
};
use super::xml::{Bounds, DS, Element, SAML, SAMLP, Signed, Tree};
use super::{AuthnRequest, LogoutRequest};

/// What the signed element says, and what the attacker wants to be read.
const GOOD: &str = "anna";
const EVIL: &str = "root";

/// Reads the name out of a message of this kind, as a careful party does.
fn read(kind: &str, text: &str) -> Option<String> {
    let tree = Tree::read(text, &Bounds::MESSAGE).ok()?;
    let keys = [verifying(&theirs())];
    match kind {
        "Response" => {
            let signed = Signed::enveloped(tree.root(), &keys).ok()?;
            name(assertion(signed.element())?)
        }
        "Assertion" => {
            let signed = Signed::enveloped(assertion(tree.root())?, &keys).ok()?;
            name(signed.element())
        }
        "AuthnRequest" => {
            let here = idp().sso;
            let metadata = application();
            let find = |_: &str| {
                Some(Registered {
                    metadata: &metadata,
                    must_sign: true,
                })
            };
            let request = AuthnRequest::read(&posted(Kind::Request, text), expected(&here), find);
            request.ok()?.provider_name
        }
        _ => {
            let (here, metadata) = (idp().slo, application());
            let find = |_: &str| Some(metadata.party());
            let request = LogoutRequest::read(&posted(Kind::Request, text), expected(&here), find);
            Some(request.ok()?.name_id.value)
        }
    }
}

/// The only assertion directly inside a response.
fn assertion<'a, 'i>(response: Element<'a, 'i>) -> Option<Element<'a, 'i>> {
    response.is(&SAMLP, "Response").then_some(())?;
    response.the(&SAML, "Assertion").ok()
}

fn name(assertion: Element<'_, '_>) -> Option<String> {
    let subject = assertion.the(&SAML, "Subject").ok()?;
    subject.the(&SAML, "NameID").ok()?.text().ok()
}

/// The element that is signed, with a name in it. The signature stands where `{signature}` stands.
fn element(kind: &str, id: &str, who: &str, signature: &str) -> String {
    let subject = format!("<saml:Subject><saml:NameID>{who}</saml:NameID></saml:Subject>");
    let bare_assertion = |id: &str, signature: &str| {
        format!(
            "<saml:Assertion ID=\"{id}\"><saml:Issuer>x</saml:Issuer>{signature}{subject}</saml:Assertion>"
        )
    };
    let to_here = |here: String| format!("Destination=\"{here}\" ProviderName=\"{who}\"");
    match kind {
        "Assertion" => bare_assertion(id, signature),
        "Response" => message(
            "Response",
            "",
            &format!("{signature}{}", bare_assertion("_inner", "")),
        ),
        "AuthnRequest" => message("AuthnRequest", &to_here(idp().sso), signature),
        _ => message(
            "LogoutRequest",
            &to_here(idp().slo),
            &format!("{signature}<saml:NameID>{who}</saml:NameID>"),
        ),
    }
    .replace("ID=\"_message\"", &format!("ID=\"{id}\""))
}

/// The document around the element: an assertion stands in a response.
fn document(kind: &str, inside: &str) -> String {
    match kind {
        "Assertion" => message("Response", "", inside).replace("_message", "_outer"),
        _ => inside.to_owned(),
    }
}

/// Everything that stands before the closing tag of the outermost element.
fn appended(into: &str, what: &str) -> String {
    let at = into.rfind("</").unwrap();
    format!("{}{what}{}", &into[..at], &into[at..])
}

fn parts(kind: &str) -> (String, String, String) {
    let signed = element(kind, "_signed", GOOD, &template("_signed"));
    let signed = filled(&document(kind, &signed), "_signed", &THEIRS);
    let tree = Tree::read(&signed, &Bounds::MESSAGE).unwrap();
    let target = tree.with_id("_signed");
    let signature = target.the(&DS, "Signature").unwrap().node().range();
    let whole = signed[target.node().range()].to_owned();
    let signature = signed[signature].to_owned();
    let bare = whole.replace(&signature, "");
    // Out of its document it needs its namespaces again; exclusive canonicalisation does not care.
    let spaces = " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"";
    let declared = |text: &str| match text.contains(" xmlns:saml=") {
        true => text.to_owned(),
        false => text.replacen(" ID=", &format!("{spaces} ID="), 1),
    };
    (declared(&whole), declared(&bare), signature)
}

/// The eight variants: (name, evil document).
fn variants(kind: &str) -> Vec<(&'static str, String)> {
    let (whole, bare, signature) = parts(kind);
    let evil = |inside: &str| element(kind, "_evil", EVIL, inside);
    let in_signature = |what: &str| {
        signature.replace(
            "</ds:Signature>",
            &format!("<ds:Object>{what}</ds:Object></ds:Signature>"),
        )
    };
    let wrapped = |what: &str| format!("<samlp:Extensions>{what}</samlp:Extensions>");
    vec![
        // 1 and 2: the evil message around the good one, the signature inside or beside it.
        ("XSW1", document(kind, &evil(&in_signature(&bare)))),
        ("XSW2", document(kind, &evil(&format!("{bare}{signature}")))),
        // 3 and 4: the evil one beside or around the signed one.
        ("XSW3", document(kind, &format!("{}{whole}", evil("")))),
        ("XSW4", document(kind, &appended(&evil(""), &whole))),
        // 5: the evil one carries the signature, the good one is moved behind it.
        (
            "XSW5",
            document(kind, &format!("{}{bare}", evil(&signature))),
        ),
        // 6: the good one inside the signature inside the evil one.
        (
            "XSW6",
            document(kind, &appended(&evil(""), &in_signature(&bare))),
        ),
        // 7 and 8: the good one or the evil one in a place that takes anything.
        (
            "XSW7",
            document(kind, &format!("{}{}", wrapped(&evil("")), whole)),
        ),
        (
            "XSW8",
            document(kind, &evil(&in_signature(&wrapped(&bare)))),
        ),
        // And with the identifier of the signed one on the evil one.
        (
            "twice",
            document(kind, &evil(&in_signature(&bare))).replace("_evil", "_signed"),
        ),
        ("evil only", document(kind, &evil(&signature))),
        (
            "evil only, renamed",
            document(kind, &evil(&signature).replace("_evil", "_signed")),
        ),
        (
            "evil twice",
            document(kind, &format!("{whole}{}", evil(""))),
        ),
    ]
}

/// [X01] [X02] All variants, all kinds: whatever is accepted says what was signed.
#[test]
fn nothing_that_was_not_signed_is_ever_read() {
    for kind in ["Response", "Assertion", "AuthnRequest", "LogoutRequest"] {
        let good = element(kind, "_signed", GOOD, &template("_signed"));
        let good = filled(&document(kind, &good), "_signed", &THEIRS);
        assert_eq!(read(kind, &good).as_deref(), Some(GOOD), "{kind}");
        for (variant, text) in variants(kind) {
            let accepted = read(kind, &text);
            let unharmed = accepted.is_none() || accepted.as_deref() == Some(GOOD);
            assert!(unharmed, "{variant} on {kind}: {accepted:?} in {text}");
            // Only a message whose evil part is ignored by everybody may pass.
            let passes = kind == "Assertion" && variant == "XSW7";
            assert_eq!(accepted.is_some(), passes, "{variant} on {kind}: {text}");
        }
    }
}

/// [X06] Bombs: entities, depth, attributes, namespaces, and a query that unpacks to megabytes.
#[test]
fn bombs_do_not_go_off() {
    use super::{Fault, Received};
    let packed = miniz_oxide::deflate::compress_to_vec(&vec![b' '; 50_000_000], 9);
    let packed = data_encoding::BASE64.encode(&packed);
    let query: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("SAMLRequest", &packed)
        .finish();
    assert_eq!(
        Received::redirect(query.as_bytes()).unwrap_err(),
        Fault::TooLong
    );
    let laughs = "<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><a>&b;</a>";
    let attributes: String = (0..4000).map(|n| format!(" a{n}=''")).collect();
    let spaces: String = (0..4000).map(|n| format!(" xmlns:a{n}='u'")).collect();
    for text in [
        laughs.to_owned(),
        "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>".to_owned(),
        "<a>".repeat(20_000),
        format!("<a{attributes}/>"),
        format!("<a{spaces}/>"),
        "<a/>".repeat(10_000),
    ] {
        let message = posted(Kind::Request, &text);
        let read = AuthnRequest::read(&message, expected(""), |_| None);
        assert_eq!(read.unwrap_err().fault(), Fault::NotXml);
    }
}
