//! Signatures that prove something, and all those that do not.

use super::super::{Bounds, SignatureError, Tree, XmlError};
use super::*;
use crate::saml::samples::{
    OURS, STRANGERS, THEIRS, filled, filled_with, message, signed_message, template, theirs,
    verifying,
};

fn verdict(text: &str) -> Result<(), SignatureError> {
    let tree = Tree::read(text, &Bounds::MESSAGE)?;
    let keys = [verifying(&theirs())];
    Signed::enveloped(tree.root(), &keys).map(|signed| {
        // What is proven is the element that was asked for, and no other.
        assert_eq!(signed.element(), tree.root());
    })
}

/// [Core §5.4.1] "SAML assertions and protocols MUST use enveloped signatures when signing assertions and protocol messages."
#[test]
fn a_good_signature_is_good() {
    assert_eq!(verdict(&signed_message("AuthnRequest", "", "")), Ok(()));
}

/// [X05] Keys come from stored metadata: a certificate beside the signature changes nothing.
#[test]
fn a_key_that_comes_with_the_message_is_not_looked_at() {
    let strangers = crate::saml::certificate(&STRANGERS).unwrap();
    let info = format!(
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        strangers
    );
    let text = message(
        "AuthnRequest",
        "",
        &template("_message").replace("</ds:Signature>", &info),
    );
    let strange = filled(&text, "_message", &STRANGERS);
    assert_eq!(verdict(&strange), Err(SignatureError::Key));
    assert_eq!(verdict(&filled(&text, "_message", &THEIRS)), Ok(()));
}

/// [X05] SHA-1, HMAC and everything else that is not in the list is refused, whoever signed it.
#[test]
fn a_weak_or_symmetric_algorithm_is_refused() {
    let good = signed_message("AuthnRequest", "", "");
    for (from, to) in [
        (
            "2001/04/xmldsig-more#rsa-sha256",
            "2000/09/xmldsig#rsa-sha1",
        ),
        (
            "2001/04/xmldsig-more#rsa-sha256",
            "2000/09/xmldsig#hmac-sha1",
        ),
        (
            "2001/04/xmldsig-more#rsa-sha256",
            "2001/04/xmldsig-more#hmac-sha256",
        ),
        (
            "2001/04/xmldsig-more#rsa-sha256",
            "2000/09/xmldsig#dsa-sha1",
        ),
        ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1"),
        ("2001/04/xmlenc#sha256", "2001/04/xmldsig-more#md5"),
        ("2001/10/xml-exc-c14n#", "2001/10/xml-exc-c14n#WithComments"),
        ("2001/10/xml-exc-c14n#", "TR/2001/REC-xml-c14n-20010315"),
        (
            "2000/09/xmldsig#enveloped-signature",
            "TR/1999/REC-xslt-19991116",
        ),
        (
            "2000/09/xmldsig#enveloped-signature",
            "TR/1999/REC-xpath-19991116",
        ),
    ] {
        let text = good.replace(from, to);
        assert_ne!(text, good, "{from}");
        assert_eq!(verdict(&text), Err(SignatureError::Algorithm), "{to}");
    }
}

/// [X05] An RSA key is not believed as the key of another family's signature.
#[test]
fn a_method_of_another_family_than_the_key_never_verifies() {
    let text = signed_message("AuthnRequest", "", "").replace("#rsa-sha256", "#ecdsa-sha256");
    assert_eq!(verdict(&text), Err(SignatureError::Key));
}

/// [X02] [Core §5.4.2] "Signatures MUST contain a single <ds:Reference> containing a same-document reference to the ID attribute value of the root element of the assertion or protocol message being signed."
/// [Core §5.4.4] "Signatures in SAML messages SHOULD NOT contain transforms other than the enveloped signature transform (with the identifier http://www.w3.org/2000/09/xmldsig#enveloped-signature) or the exclusive canonicalization transforms"
#[test]
fn a_signature_has_one_reference_and_two_transforms() {
    let good = signed_message("AuthnRequest", "", "");
    let between = |from: &str, to: &str| {
        let start = good.find(from).unwrap();
        let end = good.find(to).unwrap() + to.len();
        good[start..end].to_owned()
    };
    let reference = between("<ds:Reference", "</ds:Reference>");
    let transforms = between("<ds:Transforms", "</ds:Transforms>");
    let enveloped = between(
        "<ds:Transform Algorithm=\"http://www.w3.org/2000",
        "signature\"/>",
    );
    for (from, to) in [
        (reference.clone(), String::new()),
        (reference.clone(), format!("{reference}{reference}")),
        (transforms.clone(), String::new()),
        (transforms, "<ds:Transforms/>".to_owned()),
        (enveloped.clone(), String::new()),
        (enveloped.clone(), format!("{enveloped}{enveloped}")),
        ("URI=\"#_message\"".to_owned(), "URI=\"\"".to_owned()),
        ("URI=\"#_message\"".to_owned(), "URI=\"#_other\"".to_owned()),
        ("URI=\"#_message\"".to_owned(), String::new()),
        (
            "URI=\"#_message\"".to_owned(),
            "URI=\"#xpointer(id('_message'))\"".to_owned(),
        ),
        (
            "URI=\"#_message\"".to_owned(),
            "URI=\"http://evil.example/#_message\"".to_owned(),
        ),
        (
            "</ds:Signature>".to_owned(),
            "<ds:Object/></ds:Signature>".to_owned(),
        ),
        (
            "<ds:SignedInfo>".to_owned(),
            "<ds:SignedInfo/><ds:SignedInfo>".to_owned(),
        ),
        (" ID=\"_message\"".to_owned(), String::new()),
    ] {
        let text = good.replace(&from, &to);
        assert_ne!(text, good, "{from}");
        assert!(verdict(&text).is_err(), "{from} -> {to}");
    }
    let two = good.replace(
        "</samlp:AuthnRequest>",
        &format!("{}</samlp:AuthnRequest>", template("_message")),
    );
    assert_eq!(
        verdict(&two),
        Err(SignatureError::Form(XmlError::Wrong("Signature")))
    );
}

/// [X03] A comment inside a value neither cuts it nor helps to change it.
#[test]
fn a_comment_changes_neither_the_verdict_nor_the_value() {
    let good = signed_message("AuthnRequest", "", "");
    let inside = good.replace("ism.example/shib", "ism.example<!-- x -->/shib");
    assert_eq!(verdict(&inside), Ok(()));
    let tree = Tree::read(&inside, &Bounds::MESSAGE).unwrap();
    let issuer = tree.root().the(&crate::saml::xml::SAML, "Issuer").unwrap();
    assert_eq!(issuer.text().unwrap(), "https://ism.example/shibboleth");
    let digest = good.replace("<ds:DigestValue>", "<ds:DigestValue><!-- AAAA -->");
    assert_eq!(verdict(&digest), Ok(()));
    let forged = good.replace("<ds:DigestValue>", "<ds:DigestValue>AAAA<!-- -->");
    assert!(verdict(&forged).is_err());
}

/// [X04] A digest of nothing is no digest of this element.
#[test]
fn an_empty_canonical_form_is_a_failure() {
    use aws_lc_rs::digest::{SHA256, digest};
    let of_nothing = data_encoding::BASE64.encode(digest(&SHA256, b"").as_ref());
    let good = signed_message("AuthnRequest", "", "");
    let start = good.find("<ds:DigestValue>").unwrap() + 16;
    let end = good.find("</ds:DigestValue>").unwrap();
    let text = format!("{}{of_nothing}{}", &good[..start], &good[end..]);
    assert_eq!(verdict(&text), Err(SignatureError::Digest));
    let tree = Tree::read("<a><b/></a>", &Bounds::MESSAGE).unwrap();
    let apex = tree.root().node();
    assert!(canonical(apex, Some(apex), &[]).is_ok_and(|form| form.starts_with("<a>")));
}

#[test]
fn one_changed_letter_is_noticed() {
    let good = signed_message("AuthnRequest", "ProviderName=\"ISM\"", "");
    assert_eq!(verdict(&good), Ok(()));
    assert_eq!(
        verdict(&good.replace("\"ISM\"", "\"ISN\"")),
        Err(SignatureError::Digest)
    );
    let own = filled(
        &message("AuthnRequest", "", &template("_message")),
        "_message",
        &OURS,
    );
    assert_eq!(verdict(&own), Err(SignatureError::Key));
    assert_eq!(
        verdict(&message("AuthnRequest", "", "")),
        Err(SignatureError::Absent)
    );
}

#[test]
fn a_prefix_list_is_honoured() {
    let list = "<ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"saml #default xs\"/></ds:Transform></ds:Transforms>";
    let listed = template("_message").replace(
        "xml-exc-c14n#\"/></ds:Transforms>",
        &format!("xml-exc-c14n#\">{list}"),
    );
    let inside = format!("{listed}<x xmlns=\"urn:x\" xmlns:xs=\"urn:s\"/>");
    let text = message("AuthnRequest", "", &inside);
    // The helper uses one list for both forms; that of SignedInfo has none.
    let with_list = filled_with(&text, "_message", &THEIRS, &["saml", "", "xs"]);
    let digest_with_list = with_list.clone();
    assert_eq!(verdict(&digest_with_list), Err(SignatureError::Key));
    let both = text.replace(
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>",
        "<ds:CanonicalizationMethod Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"saml #default xs\"/></ds:CanonicalizationMethod>",
    );
    let both = filled_with(&both, "_message", &THEIRS, &["saml", "", "xs"]);
    assert_eq!(verdict(&both), Ok(()));
}
