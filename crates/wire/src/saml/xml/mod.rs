//! XML as far as SAML needs it: one gate, one parser, one tree, one canonical form, one writer.
//!
//! | file | what |
//! |---|---|
//! | `gate.rs` | bounds, and refusal of document types, before anything parses |
//! | `tree.rs` | the only tree; elements with strict accessors |
//! | `c14n.rs` | exclusive canonicalisation of a subtree of that tree |
//! | `signed.rs` | signature verification; the only maker of [`Signed`] |
//! | `writer.rs` | text that is canonical as written |
//! | `sign.rs` | enveloped signatures on what the writer wrote |
//! | `encrypt.rs` | encrypted elements |
//!
//! See `docs/decisions/0023-our-own-xml-signatures.md`.

mod c14n;
mod encrypt;
mod gate;
mod sign;
mod signed;
mod tree;
mod writer;

pub(crate) use c14n::canonical;
pub(crate) use encrypt::encrypted;
pub(crate) use gate::{Bounds, within};
pub(crate) use sign::{Halves, sign};
pub(crate) use signed::Signed;
pub(crate) use tree::{Element, Tree};
pub(crate) use writer::Writer;

pub use encrypt::DataCipher;

#[cfg(test)]
pub(crate) use signed::SignatureError;

/// A namespace and the prefix that the writer uses for it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Space {
    /// The prefix that the writer uses. A reader must not care.
    pub(crate) prefix: &'static str,
    /// The name.
    pub(crate) uri: &'static str,
}

/// SAML 2.0 assertions.
pub(crate) const SAML: Space = Space {
    prefix: "saml",
    uri: "urn:oasis:names:tc:SAML:2.0:assertion",
};
/// SAML 2.0 protocol messages.
pub(crate) const SAMLP: Space = Space {
    prefix: "samlp",
    uri: "urn:oasis:names:tc:SAML:2.0:protocol",
};
/// SAML 2.0 metadata.
pub(crate) const MD: Space = Space {
    prefix: "md",
    uri: "urn:oasis:names:tc:SAML:2.0:metadata",
};
/// Names and logos in metadata.
pub(crate) const MDUI: Space = Space {
    prefix: "mdui",
    uri: "urn:oasis:names:tc:SAML:metadata:ui",
};
/// Shibboleth's extension: the scopes an identity provider may speak for.
pub(crate) const SHIBMD: Space = Space {
    prefix: "shibmd",
    uri: "urn:mace:shibboleth:metadata:1.0",
};
/// Attributes of entities in metadata.
pub(crate) const MDATTR: Space = Space {
    prefix: "mdattr",
    uri: "urn:oasis:names:tc:SAML:metadata:attribute",
};
/// Who registered an entity, in metadata.
pub(crate) const MDRPI: Space = Space {
    prefix: "mdrpi",
    uri: "urn:oasis:names:tc:SAML:metadata:rpi",
};
/// SAML 2.0 Asynchronous Single Logout Extension: who asks waits for no answer.
pub(crate) const ASLO: Space = Space {
    prefix: "aslo",
    uri: "urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo",
};
/// XML signatures.
pub(crate) const DS: Space = Space {
    prefix: "ds",
    uri: "http://www.w3.org/2000/09/xmldsig#",
};
/// XML encryption.
pub(crate) const XENC: Space = Space {
    prefix: "xenc",
    uri: "http://www.w3.org/2001/04/xmlenc#",
};

/// The name of exclusive canonicalisation without comments: the only one here.
pub(crate) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// The name of the transform that leaves a signature out of what it signs.
pub(crate) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// Why XML is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum XmlError {
    /// More bytes, elements, attributes, namespaces or levels than anybody needs.
    #[error("reading XML: it is too large or too deeply nested")]
    TooMuch,
    /// A document type: it could define entities.
    #[error("reading XML: it has a document type, which is not allowed")]
    DocumentType,
    /// A processing instruction, or a declaration of another encoding than UTF-8.
    #[error("reading XML: it has a processing instruction or is not in UTF-8")]
    Instruction,
    /// Not well-formed, or a prefix without namespace.
    #[error("reading XML: it is not well-formed")]
    Malformed,
    /// Two elements have the same identifier.
    #[error("reading XML: an identifier is used twice")]
    IdTwice,
    /// An element or attribute that must be there, once, is not.
    #[error("reading XML: `{0}` is missing, or there too often, or not what it must be")]
    Wrong(&'static str),
}
