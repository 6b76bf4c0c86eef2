//! Opening what was encrypted to us.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

use super::agreed::{Agreement, Own, Parties};
use super::{ContentEncryption, JweError, KeyManagement};
use crate::Secret;
use crate::jose::Jwk;

/// Our keys on P-256, to which applications encrypt; the first one is published.
pub struct DecryptingKeys(Vec<Own>);

/// All of a header that is looked at; `jku`, `x5u`, `p2c` and the like are not even read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    epk: Option<Jwk>,
    apu: Option<String>,
    apv: Option<String>,
    crit: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

/// Longest token, in bytes: that of a signed request.
const TOKEN_BYTES_MAX: usize = 32 * 1024;

/// Whether a text has the five parts of an encrypted token; a signed one has three.
pub(crate) fn is_encrypted(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 4
}

impl DecryptingKeys {
    /// The keys that secret numbers of 32 bytes stand for. One in four billion stands for none.
    #[must_use]
    pub fn of(numbers: &[Secret]) -> Self {
        let numbers = numbers.iter();
        Self(
            numbers
                .filter_map(|number| Own::of(number.expose()))
                .collect(),
        )
    }

    /// The public half of the first key, as it stands in our JWK set.
    #[must_use]
    pub fn published(&self) -> Option<&Jwk> {
        self.0.first().map(|own| &own.public)
    }

    /// The content of a token that was encrypted to one of these keys. It says nothing about who did it.
    ///
    /// # Errors
    /// [`JweError`].
    pub fn open(&self, token: &str) -> Result<Zeroizing<Vec<u8>>, JweError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(JweError::Malformed);
        }
        let parts: Vec<&str> = token.split('.').collect();
        let [said, wrapped, start, sealed, tag] = *parts.as_slice() else {
            return Err(JweError::Malformed);
        };
        let text = String::from_utf8(bytes(said)?).map_err(|_| JweError::Malformed)?;
        let header: Header = serde_json::from_str(&text).map_err(|_| JweError::Malformed)?;
        // [RFC 7516 §4.1.13] Nobody here understands any extension.
        if header.crit.is_some() {
            return Err(JweError::Critical);
        }
        if header.zip.is_some() {
            return Err(JweError::Compressed);
        }
        let enc = ContentEncryption::named(&header.enc).ok_or(JweError::WrongAlgorithm)?;
        let alg = KeyManagement::named(&header.alg).and_then(|alg| alg.agreement(enc));
        let agreement = alg.ok_or(JweError::WrongAlgorithm)?;
        let (wrapped, start) = (bytes(wrapped)?, bytes(start)?);
        let (sealed, tag) = (bytes(sealed)?, bytes(tag)?);
        // [RFC 7516 §4.1.6] Who names no key means one of them: it is the one that opens it.
        let meant = |own: &&Own| header.kid.is_none() || own.public.kid == header.kid;
        let mut outcome = Err(JweError::UnknownKey);
        for own in self.0.iter().filter(meant) {
            outcome = key(own, &header, agreement, &wrapped).and_then(|key| {
                let plain = enc.open(&key, &start, said.as_bytes(), (&sealed, &tag));
                plain.map(Zeroizing::new).ok_or(JweError::Unopened)
            });
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

/// The key of the content.
fn key(
    own: &Own,
    header: &Header,
    agreement: Agreement,
    wrapped: &[u8],
) -> Result<Zeroizing<Vec<u8>>, JweError> {
    let party = |said: &Option<String>| said.as_deref().map_or(Ok(Vec::new()), bytes);
    let parties = Parties {
        u: party(&header.apu)?,
        v: party(&header.apv)?,
    };
    let epk = header.epk.as_ref().ok_or(JweError::Malformed)?;
    let agreed = own
        .agreed(epk, agreement, &parties)
        .ok_or(JweError::Unopened)?;
    match agreement {
        // [RFC 7516 §5.2] "When Direct Key Agreement or Direct Encryption are employed, verify that the JWE Encrypted Key value is an empty octet sequence."
        Agreement::Direct(_) if wrapped.is_empty() => Ok(agreed),
        Agreement::Direct(_) => Err(JweError::Unopened),
        _ => agreement.unwrap(&agreed, wrapped).ok_or(JweError::Unopened),
    }
}

fn bytes(part: &str) -> Result<Vec<u8>, JweError> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes());
    bytes.map_err(|_| JweError::Malformed)
}
