//! An enveloped signature on what the writer wrote: no canonicalisation is needed, it is canonical.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;

use super::{DS, ENVELOPED, EXC_C14N, Writer};
use crate::saml::key::{Credential, RSA_SHA256};

/// An element as written, cut where its signature belongs.
pub(crate) struct Halves {
    /// From the start tag to where the signature goes.
    before: String,
    /// From there to the end tag.
    after: String,
}

impl Halves {
    /// Cuts an element at a place that [`Writer::here`] named.
    pub(crate) fn new(text: &str, at: usize) -> Option<Self> {
        let (before, after) = text.split_at_checked(at)?;
        Some(Self {
            before: before.to_owned(),
            after: after.to_owned(),
        })
    }
}

/// The element with an RSA-SHA256 signature in its place. `id` is the element's `ID`.
///
/// [Core §5.4.1] "SAML assertions and protocols MUST use enveloped signatures when signing assertions and protocol messages."
///
/// None when the cryptographic library fails.
pub(crate) fn sign(halves: &Halves, id: &str, credential: &Credential<'_>) -> Option<String> {
    let whole = [halves.before.as_str(), halves.after.as_str()].concat();
    let digest = BASE64.encode(digest(&SHA256, whole.as_bytes()).as_ref());
    // Alone, SignedInfo declares its namespace; inside Signature it does not. Both are canonical.
    let mut alone = Writer::new();
    signed_info(&mut alone, id, &digest);
    let value = BASE64.encode(&credential.sign(alone.finish().as_bytes())?);
    let mut signature = Writer::new();
    signature.open(&DS, "Signature", &[]);
    signed_info(&mut signature, id, &digest);
    signature.leaf(&DS, "SignatureValue", &[], &value);
    signature
        .open(&DS, "KeyInfo", &[])
        .open(&DS, "X509Data", &[])
        .leaf(&DS, "X509Certificate", &[], credential.certificate());
    Some(
        [&halves.before, &signature.finish(), &halves.after]
            .map(String::as_str)
            .concat(),
    )
}

fn signed_info(writer: &mut Writer, id: &str, digest: &str) {
    let uri = format!("#{id}");
    writer
        .open(&DS, "SignedInfo", &[])
        .leaf(
            &DS,
            "CanonicalizationMethod",
            &[("Algorithm", EXC_C14N)],
            "",
        )
        .leaf(&DS, "SignatureMethod", &[("Algorithm", RSA_SHA256)], "")
        .open(&DS, "Reference", &[("URI", &uri)])
        .open(&DS, "Transforms", &[])
        .leaf(&DS, "Transform", &[("Algorithm", ENVELOPED)], "")
        .leaf(&DS, "Transform", &[("Algorithm", EXC_C14N)], "")
        .close()
        .leaf(
            &DS,
            "DigestMethod",
            &[("Algorithm", "http://www.w3.org/2001/04/xmlenc#sha256")],
            "",
        )
        .leaf(&DS, "DigestValue", &[], digest)
        .close()
        .close();
}
