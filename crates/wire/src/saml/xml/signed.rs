//! Verification of an enveloped signature, and the only maker of [`Signed`].
//!
//! There is no looking up by identifier: the caller names the element it is going to read, and the
//! signature directly inside that element must speak of that element. So data can never be read
//! from another place than was signed. `KeyInfo` is not looked at.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

use super::c14n::canonical;
use super::{DS, ENVELOPED, EXC_C14N, Element, Space, XmlError};
use crate::saml::key::{Method, VerifyingKey};

/// The proof that an element was signed by one of the keys that were asked for. Made by
/// [`Signed::enveloped`] and by [`Signed::detached`] only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a, 'i>(Element<'a, 'i>);

/// Why a signature proves nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum SignatureError {
    /// There is none directly inside the element.
    #[error("there is no signature directly inside the element")]
    Absent,
    /// It has another form than the one allowed.
    #[error(transparent)]
    Form(#[from] XmlError),
    /// An algorithm that is not believed: SHA-1, HMAC, another canonicalisation or transform.
    #[error("the signature uses an algorithm that is not allowed")]
    Algorithm,
    /// It speaks of another element.
    #[error("the signature speaks of another element")]
    Elsewhere,
    /// The element was changed.
    #[error("the element was changed after it was signed")]
    Digest,
    /// None of the keys made it.
    #[error("none of the known keys made the signature")]
    Key,
}

/// A prefix list longer than this is no prefix list.
const PREFIXES_MAX: usize = 16;

impl<'a, 'i> Signed<'a, 'i> {
    /// The element itself.
    pub(crate) const fn element(self) -> Element<'a, 'i> {
        self.0
    }

    /// Verifies the signature directly inside `element` with keys that were stored before.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub(crate) fn enveloped(
        element: Element<'a, 'i>,
        keys: &[VerifyingKey],
    ) -> Result<Self, SignatureError> {
        let signature = element
            .one(&DS, "Signature")?
            .ok_or(SignatureError::Absent)?;
        let [info, value] = parts(signature, ["SignedInfo", "SignatureValue"])?;
        let (canonicalisation, method, reference) = signed_info(info)?;
        let prefixes = exclusive(canonicalisation)?;
        let method = method
            .attribute("Algorithm")
            .and_then(Method::of_uri)
            .ok_or(SignatureError::Algorithm)?;
        refers_to(reference, element, signature)?;
        let message = canonical(info.node(), None, &split(&prefixes))?;
        let value = value.base64()?;
        if keys
            .iter()
            .any(|key| key.verifies(method, message.as_bytes(), &value))
        {
            Ok(Self(element))
        } else {
            Err(SignatureError::Key)
        }
    }

    /// The proof for an element whose whole text was signed beside it, as the Redirect binding does.
    /// `message` is what was signed; the caller has cut the text of `element` out of it.
    ///
    /// # Errors
    /// [`SignatureError::Key`].
    pub(crate) fn detached(
        element: Element<'a, 'i>,
        (method, message, value): (Method, &[u8], &[u8]),
        keys: &[VerifyingKey],
    ) -> Result<Self, SignatureError> {
        if keys.iter().any(|key| key.verifies(method, message, value)) {
            Ok(Self(element))
        } else {
            Err(SignatureError::Key)
        }
    }
}

/// `SignedInfo` has exactly three children.
fn signed_info<'a, 'i>(
    info: Element<'a, 'i>,
) -> Result<(Element<'a, 'i>, Element<'a, 'i>, Element<'a, 'i>), SignatureError> {
    let names = ["CanonicalizationMethod", "SignatureMethod", "Reference"];
    // [Core §5.4.2] "Signatures MUST contain a single <ds:Reference> containing a same-document reference to the ID attribute value of the root element of the assertion or protocol message being signed."
    if info.elements().count() != names.len() {
        return Err(XmlError::Wrong("SignedInfo").into());
    }
    let [first, second, third] = parts(info, names)?;
    Ok((first, second, third))
}

/// The first children of an element, which must have these names in this order.
fn parts<'a, 'i, const N: usize>(
    of: Element<'a, 'i>,
    names: [&'static str; N],
) -> Result<[Element<'a, 'i>; N], SignatureError> {
    let mut found = [of; N];
    let mut inside = of.elements();
    for (place, name) in found.iter_mut().zip(names) {
        *place = inside
            .next()
            .filter(|element| element.is(&DS, name))
            .ok_or(XmlError::Wrong(name))?;
    }
    // Nothing but KeyInfo may follow: an Object could hold what an attacker moved away.
    if of.is(&DS, "Signature") && !inside.all(|element| element.is(&DS, "KeyInfo")) {
        return Err(XmlError::Wrong("Signature").into());
    }
    Ok(found)
}

/// Whether the reference is to this element, digested now.
fn refers_to(
    reference: Element<'_, '_>,
    element: Element<'_, '_>,
    signature: Element<'_, '_>,
) -> Result<(), SignatureError> {
    let id = element.attribute("ID").filter(|id| !id.is_empty());
    let uri = reference
        .attribute("URI")
        .and_then(|uri| uri.strip_prefix('#'));
    if id.is_none() || uri != id {
        return Err(SignatureError::Elsewhere);
    }
    let [transforms, method, value] =
        parts(reference, ["Transforms", "DigestMethod", "DigestValue"])?;
    let prefixes = transformed(transforms)?;
    let algorithm = method
        .attribute("Algorithm")
        .and_then(digest_of)
        .ok_or(SignatureError::Algorithm)?;
    let form = canonical(element.node(), Some(signature.node()), &split(&prefixes))?;
    if digest(algorithm, form.as_bytes()).as_ref() == value.base64()? {
        Ok(())
    } else {
        Err(SignatureError::Digest)
    }
}

/// Exactly the two transforms; the prefix list of the second.
fn transformed(transforms: Element<'_, '_>) -> Result<String, SignatureError> {
    // [Core §5.4.4] "Signatures in SAML messages SHOULD NOT contain transforms other than the enveloped signature transform (with the identifier http://www.w3.org/2000/09/xmldsig#enveloped-signature) or the exclusive canonicalization transforms"
    let mut found = transforms.elements();
    let (first, second, third) = (found.next(), found.next(), found.next());
    let is_enveloped = |one: &Element<'_, '_>| {
        one.is(&DS, "Transform")
            && one.attribute("Algorithm") == Some(ENVELOPED)
            && one.elements().next().is_none()
    };
    match (first.filter(is_enveloped), second, third) {
        (Some(_), Some(second), None) if second.is(&DS, "Transform") => exclusive(second),
        _ => Err(SignatureError::Algorithm),
    }
}

/// The prefix list of an exclusive canonicalisation; another one is refused.
fn exclusive(method: Element<'_, '_>) -> Result<String, SignatureError> {
    const EC: Space = Space {
        prefix: "ec",
        uri: EXC_C14N,
    };
    if method.attribute("Algorithm") != Some(EXC_C14N) {
        return Err(SignatureError::Algorithm);
    }
    let mut inside = method.elements();
    let list = match (inside.next(), inside.next()) {
        (None, _) => "",
        (Some(one), None) if one.is(&EC, "InclusiveNamespaces") => one.needs("PrefixList")?,
        _ => return Err(SignatureError::Algorithm),
    };
    if list.split_ascii_whitespace().count() > PREFIXES_MAX {
        return Err(XmlError::TooMuch.into());
    }
    Ok(list.to_owned())
}

fn split(list: &str) -> Vec<&str> {
    list.split_ascii_whitespace()
        .map(|prefix| if prefix == "#default" { "" } else { prefix })
        .collect()
}

fn digest_of(uri: &str) -> Option<&'static Algorithm> {
    match uri {
        "http://www.w3.org/2001/04/xmlenc#sha256" => Some(&SHA256),
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => Some(&SHA384),
        "http://www.w3.org/2001/04/xmlenc#sha512" => Some(&SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
