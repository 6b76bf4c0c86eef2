//! How messages travel: HTTP Redirect with a detached signature, HTTP POST, and responses also as an artifact.

use data_encoding::BASE64;
use miniz_oxide::{deflate::compress_to_vec, inflate::decompress_to_vec_with_limit};
use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::key::{Credential, Method, RSA_SHA256, VerifyingKey};
use super::xml::{Bounds, Element, Signed, Tree};
use crate::form::{percent, with_query};

/// A binding that messages come in by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Binding {
    /// In the query of a GET.
    Redirect,
    /// In the form of a POST.
    Post,
}

impl Binding {
    /// Its name.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Redirect => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
            Self::Post => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
        }
    }

    /// The binding of a name.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        [Self::Redirect, Self::Post]
            .into_iter()
            .find(|binding| binding.uri() == uri)
    }
}

/// How a response reaches an application.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// In a form that the browser posts.
    #[default]
    Post,
    /// The browser brings an artifact, and the application fetches the response itself.
    Artifact,
}

impl Delivery {
    /// The name of the binding.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Post => Binding::Post.uri(),
            Self::Artifact => "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact",
        }
    }

    /// The delivery by the binding of a name.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        [Self::Post, Self::Artifact]
            .into_iter()
            .find(|delivery| delivery.uri() == uri)
    }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `SAMLRequest`
    Request,
    /// `SAMLResponse`
    Response,
}

impl Kind {
    /// The name of the parameter.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// A message as it came: unpacked, with what was signed beside it. Nothing of it is believed yet.
#[derive(Debug)]
pub struct Received {
    /// Whether it is a request or an answer.
    pub kind: Kind,
    /// How it came.
    pub binding: Binding,
    /// What the sender wants back untouched.
    pub relay_state: Option<String>,
    xml: String,
    detached: Option<Detached>,
}

/// The signature in a query.
#[derive(Debug)]
struct Detached {
    /// None when the algorithm is not believed.
    method: Option<Method>,
    /// The part of the query that was signed, as it came.
    message: String,
    value: Vec<u8>,
}

/// The query or form as received, in bytes.
const RAW_BYTES_MAX: usize = 128 * 1024;
/// More parameters than this are no binding.
const FIELDS_MAX: usize = 16;
/// [Bindings §3.4.3] gives senders 80 bytes; many send addresses.
const RELAY_STATE_BYTES_MAX: usize = 1024;
/// A message of ordinary text shrinks to a fifth; a bomb to a thousandth.
const RATIO_MAX: usize = 64;

impl Received {
    /// Reads the query of a GET.
    ///
    /// # Errors
    /// [`Fault::TooLong`] or [`Fault::Encoding`].
    pub fn redirect(query: &[u8]) -> Result<Self, Fault> {
        let raw = Raw::read(query)?;
        let (kind, packed) = raw.message()?;
        // [Bindings §3.4.4] "If the parameter is not present, the value is assumed to be urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE."
        if let Some(encoding) = raw.one("SAMLEncoding")?
            && percent::decoded(encoding.as_bytes()).ok().as_deref() != Some(DEFLATE)
        {
            return Err(Fault::Encoding);
        }
        let packed = base64(packed)?;
        let limit = Bounds::MESSAGE
            .bytes_max
            .min(packed.len().saturating_mul(RATIO_MAX));
        let xml = decompress_to_vec_with_limit(&packed, limit).map_err(|_| Fault::TooLong)?;
        Ok(Self {
            kind,
            binding: Binding::Redirect,
            relay_state: raw.relay_state()?,
            xml: String::from_utf8(xml).map_err(|_| Fault::NotXml)?,
            detached: raw.detached(kind)?,
        })
    }

    /// Reads the form of a POST.
    ///
    /// # Errors
    /// [`Fault::TooLong`] or [`Fault::Encoding`].
    pub fn post(body: &[u8]) -> Result<Self, Fault> {
        let raw = Raw::read(body)?;
        let (kind, message) = raw.message()?;
        Ok(Self {
            kind,
            binding: Binding::Post,
            relay_state: raw.relay_state()?,
            xml: String::from_utf8(base64(message)?).map_err(|_| Fault::NotXml)?,
            detached: None,
        })
    }

    /// The message as a tree.
    pub(crate) fn tree(&self) -> Result<Tree<'_>, Fault> {
        Tree::read(&self.xml, &Bounds::MESSAGE).map_err(|_| Fault::NotXml)
    }

    /// Whether there is a signature, good or bad.
    pub(crate) fn is_signed(&self, root: Element<'_, '_>) -> bool {
        self.detached.is_some() || root.all(&super::xml::DS, "Signature").next().is_some()
    }

    /// The proof that one of the keys signed the message. `root` is the root of [`Self::tree`].
    pub(crate) fn signed<'a, 'i>(
        &self,
        root: Element<'a, 'i>,
        keys: &[VerifyingKey],
    ) -> Result<Signed<'a, 'i>, Fault> {
        let proof = match (&self.detached, self.binding) {
            (Some(one), Binding::Redirect) => {
                let method = one.method.ok_or(Fault::SignatureNotGood)?;
                Signed::detached(root, (method, one.message.as_bytes(), &one.value), keys)
            }
            // [Bindings §3.4.4.1] "Any signature on the SAML protocol message, including the <ds:Signature> XML element itself, MUST be removed."
            (None, Binding::Redirect) => return Err(Fault::Unsigned),
            (_, Binding::Post) => Signed::enveloped(root, keys),
        };
        proof.map_err(|_| Fault::SignatureNotGood)
    }
}

/// Parameters as they came, not decoded: a signature is over these bytes.
struct Raw<'q>(Vec<(&'q str, &'q str)>);

impl<'q> Raw<'q> {
    fn read(bytes: &'q [u8]) -> Result<Self, Fault> {
        if bytes.len() > RAW_BYTES_MAX {
            return Err(Fault::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Fault::Encoding)?;
        let pairs: Vec<_> = text
            .split('&')
            .take(FIELDS_MAX + 1)
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect();
        if pairs.len() > FIELDS_MAX {
            return Err(Fault::TooLong);
        }
        Ok(Self(pairs))
    }

    fn one(&self, name: &str) -> Result<Option<&'q str>, Fault> {
        let mut found = self.0.iter().filter(|(known, _)| *known == name);
        match (found.next(), found.next()) {
            (first, None) => Ok(first.map(|(_, value)| *value)),
            (_, Some(_)) => Err(Fault::Encoding),
        }
    }

    fn message(&self) -> Result<(Kind, &'q str), Fault> {
        match (self.one("SAMLRequest")?, self.one("SAMLResponse")?) {
            (Some(request), None) => Ok((Kind::Request, request)),
            (None, Some(response)) => Ok((Kind::Response, response)),
            _ => Err(Fault::Encoding),
        }
    }

    fn relay_state(&self) -> Result<Option<String>, Fault> {
        let Some(raw) = self.one("RelayState")? else {
            return Ok(None);
        };
        let text = percent::decoded(raw.as_bytes()).map_err(|_| Fault::Encoding)?;
        if text.len() > RELAY_STATE_BYTES_MAX {
            return Err(Fault::TooLong);
        }
        Ok(Some(text))
    }

    fn detached(&self, kind: Kind) -> Result<Option<Detached>, Fault> {
        let (Some(algorithm), Some(value)) = (self.one("SigAlg")?, self.one("Signature")?) else {
            return Ok(None);
        };
        // [Bindings §3.4.4.1] "The relying party MUST therefore perform the verification step using the original URL-encoded values it received on the query string."
        let mut message = String::new();
        for name in [kind.parameter(), "RelayState", "SigAlg"] {
            if let Some(raw) = self.one(name)? {
                if !message.is_empty() {
                    message.push('&');
                }
                message.extend([name, "=", raw]);
            }
        }
        let uri = percent::decoded(algorithm.as_bytes()).map_err(|_| Fault::Encoding)?;
        Ok(Some(Detached {
            method: Method::of_uri(&uri),
            message,
            value: base64(value)?,
        }))
    }
}

/// base64 as it stands in a query or form: some senders break its lines.
fn base64(raw: &str) -> Result<Vec<u8>, Fault> {
    let mut plain = raw.to_owned();
    for line_break in ["%0D", "%0A", "%0d", "%0a"] {
        plain = plain.replace(line_break, "");
    }
    let plain = plain.trim_start_matches("%20").trim_end_matches("%20");
    let text = percent::decoded(plain.as_bytes()).map_err(|_| Fault::Encoding)?;
    // A browser writes `+` for a space, so a `+` that was not encoded arrives as one, at the end too.
    let text = text.replace(' ', "+");
    BASE64.decode(text.as_bytes()).map_err(|_| Fault::Encoding)
}

const DEFLATE: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";

/// A message on its way out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outgoing {
    /// Whether it is a request or an answer.
    pub kind: Kind,
    /// Where it goes: an address from metadata.
    pub to: String,
    /// The message. Signed inside, if it goes by POST.
    pub xml: String,
    /// What the other side wanted back.
    pub relay_state: Option<String>,
}

impl Outgoing {
    /// The value of the form field of [`Kind::parameter`].
    #[must_use]
    pub fn field(&self) -> String {
        // [Bindings §3.5.4] "A SAML protocol message is form-encoded by applying the base-64 encoding rules to the XML representation of the message"
        BASE64.encode(self.xml.as_bytes())
    }

    /// The form that carries the message by POST: `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair(self.kind.parameter(), &self.field());
        if let Some(relay_state) = &self.relay_state {
            form.append_pair("RelayState", relay_state);
        }
        form.finish()
    }

    /// The address with the message in its query, signed beside it.
    ///
    /// [Bindings §3.4.4.1] "The signature algorithm identifier MUST be included as an additional query string parameter, named SigAlg."
    ///
    /// None when the cryptographic library fails.
    #[must_use]
    pub fn location(&self, credential: &Credential<'_>) -> Option<String> {
        let packed = BASE64.encode(&compress_to_vec(self.xml.as_bytes(), 6));
        let mut parameters = vec![(self.kind.parameter(), Some(packed.as_str()))];
        if let Some(relay_state) = &self.relay_state {
            parameters.push(("RelayState", Some(relay_state)));
        }
        parameters.push(("SigAlg", Some(RSA_SHA256)));
        let signed = with_query("?", &parameters);
        let message = signed.strip_prefix('?').unwrap_or_default();
        let signature = BASE64.encode(&credential.sign(message.as_bytes())?);
        let separator = if self.to.contains('?') { '&' } else { '?' };
        let whole = format!("{}{separator}{message}", self.to);
        Some(with_query(&whole, &[("Signature", Some(&signature))]))
    }
}

#[cfg(test)]
mod tests;
