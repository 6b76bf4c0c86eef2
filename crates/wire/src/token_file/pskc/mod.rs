//! Portable Symmetric Key Container [RFC 6030]: plain, or encrypted with a key or a password.
//!
//! Deliberately absent: document types and entities, signatures, asymmetric encryption, AES key wrap.

mod cipher;

use std::str::FromStr;

use data_encoding::BASE64;
use roxmltree::{Document, Node, ParsingOptions};
use zeroize::Zeroizing;

use super::{Algorithm, FILE_BYTES_MAX, Kind, Place, Reason, TokenFile, TokenSeed};
use crate::Secret;
use crate::saml::{Bounds, XmlError, within};
use cipher::Lock;

/// What opens the file. It comes to the school by another way than the file.
pub enum Unlock {
    /// Nothing: the seeds are in clear.
    Nothing,
    /// A pre-shared key: 16 or 32 bytes [RFC 6030 §6.1].
    Key(Secret),
    /// A password [RFC 6030 §6.2].
    Password(Secret),
}

/// A file that cannot be read at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PskcError {
    /// Larger than [`FILE_BYTES_MAX`].
    #[error("reading a PSKC file: it is larger than 8 MiB; split it")]
    TooLarge,
    /// Not well-formed XML, with a document type, or with too many elements.
    #[error("reading a PSKC file: it is not XML, or has a document type, which is not allowed")]
    NotXml,
    /// Elements inside elements more than 32 times, more than 64 attributes in one, or more elements or
    /// namespaces than twenty thousand tokens need.
    #[error(
        "reading a PSKC file: it has too many or too deeply nested elements, or too many attributes"
    )]
    TooMuch,
    /// Not a `KeyContainer` of version 1.
    #[error("reading a PSKC file: it is not a KeyContainer of version 1.0")]
    NotAContainer,
    /// There is no key package in it.
    #[error("reading a PSKC file: there is no key package in it")]
    Empty,
    /// The file says how to derive its key in a way we do not support or would take too long.
    #[error(
        "reading a PSKC file: its password derivation must be PBKDF2 with at most 2000000 rounds"
    )]
    Derivation,
    /// The MAC method is not HMAC.
    #[error(
        "reading a PSKC file: its MAC method must be HMAC with SHA-1, SHA-256, SHA-384 or SHA-512"
    )]
    MacMethod,
    /// The key has not the length that the algorithm needs, or does not fit the file.
    #[error("reading a PSKC file: the key or password does not fit this file")]
    WrongKey,
}

/// Reads a file.
///
/// # Errors
/// [`PskcError`] for the file as a whole; packages are refused one by one.
pub fn read(file: &[u8], unlock: &Unlock) -> Result<TokenFile, PskcError> {
    if file.len() > FILE_BYTES_MAX {
        return Err(PskcError::TooLarge);
    }
    let text = std::str::from_utf8(file).map_err(|_| PskcError::NotXml)?;
    // Programs on Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    gate(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: NODES_MAX,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|_| PskcError::NotXml)?;
    let container = document.root_element();
    let version = container.attribute("Version").unwrap_or("1.0");
    if !container.has_tag_name((PSKC, "KeyContainer")) || version != "1.0" {
        return Err(PskcError::NotAContainer);
    }
    let lock = Lock::read(container, unlock)?;
    let packages = container
        .children()
        .filter(|node| node.has_tag_name((PSKC, "KeyPackage")));
    let found: Vec<_> = packages
        .enumerate()
        .map(|(number, package)| {
            (
                Place::Package(number.saturating_add(1)),
                seed(package, lock.as_ref()),
            )
        })
        .collect();
    if found.is_empty() {
        Err(PskcError::Empty)
    } else {
        Ok(TokenFile::collect(found))
    }
}

/// Refuses what would cost the parser more than its length, before it parses.
fn gate(text: &str) -> Result<(), PskcError> {
    let declared = text
        .strip_prefix("<?xml")
        .and_then(|text| text.split_once("?>"));
    let content = declared.map_or(text, |(_, content)| content);
    within(content, &BOUNDS).map_err(|error| match error {
        XmlError::TooMuch => PskcError::TooMuch,
        _ => PskcError::NotXml,
    })
}

fn seed(package: Node<'_, '_>, lock: Option<&Lock>) -> Result<TokenSeed, Reason> {
    let device = child(package, "DeviceInfo").ok_or(Reason::Serial)?;
    let key = child(package, "Key").ok_or(Reason::Seed)?;
    let data = child(key, "Data").ok_or(Reason::Seed)?;
    let parameters = child(key, "AlgorithmParameters").ok_or(Reason::Digits)?;
    let kind = match key
        .attribute("Algorithm")
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "urn:ietf:params:xml:ns:keyprov:pskc:totp" | "totp" => {
            let period_s = number(data, "TimeInterval").map_err(|()| Reason::Period)?;
            Kind::Totp {
                period_s: period_s.unwrap_or(30),
            }
        }
        "urn:ietf:params:xml:ns:keyprov:pskc:hotp" | "hotp" => {
            let counter = number(data, "Counter").map_err(|()| Reason::Counter)?;
            Kind::Hotp {
                counter: counter.unwrap_or(0),
            }
        }
        _ => return Err(Reason::Type),
    };
    let suite = child(parameters, "Suite")
        .map(text)
        .filter(|suite| !suite.is_empty());
    Ok(TokenSeed {
        serial: child(device, "SerialNo")
            .map(text)
            .ok_or(Reason::Serial)?
            .to_owned(),
        vendor: child(device, "Manufacturer").map(|node| text(node).to_owned()),
        model: child(device, "Model").map(|node| text(node).to_owned()),
        kind,
        algorithm: suite.map_or(Ok(Algorithm::Sha1), Algorithm::read)?,
        digits: digits(parameters)?,
        secret: secret(child(data, "Secret").ok_or(Reason::Seed)?, lock)?,
    })
}

fn digits(parameters: Node<'_, '_>) -> Result<u8, Reason> {
    let format = child(parameters, "ResponseFormat").ok_or(Reason::Digits)?;
    if format.attribute("Encoding") != Some("DECIMAL") {
        return Err(Reason::Digits);
    }
    // [RFC 6030 §4.3.4] "This attribute defines the length of the response generated by the device and MUST be included."
    let length = format.attribute("Length").ok_or(Reason::Digits)?;
    length.parse().map_err(|_| Reason::Digits)
}

fn secret(node: Node<'_, '_>, lock: Option<&Lock>) -> Result<Secret, Reason> {
    if let Some(plain) = child(node, "PlainValue") {
        return base64(plain).map(Secret::new).ok_or(Reason::Seed);
    }
    let encrypted = child(node, "EncryptedValue").ok_or(Reason::Seed)?;
    let mac = child(node, "ValueMAC").and_then(base64);
    lock.ok_or(Reason::Locked)?.open(encrypted, mac.as_deref())
}

/// The plain number in a child of `Data`, if it is there.
fn number<N: FromStr>(data: Node<'_, '_>, name: &str) -> Result<Option<N>, ()> {
    let Some(node) = child(data, name) else {
        return Ok(None);
    };
    let plain = child(node, "PlainValue").ok_or(())?;
    text(plain).parse().map(Some).map_err(|_| ())
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children()
        .find(|child| child.has_tag_name((PSKC, name)))
}

fn text<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default().trim()
}

/// base64 as it stands in XML: with white space anywhere.
fn base64(node: Node<'_, '_>) -> Option<Vec<u8>> {
    let plain: Zeroizing<String> = Zeroizing::new(
        text(node)
            .chars()
            .filter(|c| !c.is_ascii_whitespace())
            .collect(),
    );
    BASE64
        .decode(plain.as_bytes())
        .ok()
        .filter(|bytes| !bytes.is_empty())
}

const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
const NODES_MAX: u32 = 2_000_000;
const BOUNDS: Bounds = Bounds {
    bytes_max: FILE_BYTES_MAX,
    elements_max: 1_000_000,
    depth_max: 32,
    attributes_max: 64,
    namespaces_max: 4000,
};

#[cfg(test)]
mod tests;
