//! What an application presents to prove that it is itself: exactly one of four things.

use data_encoding::BASE64;

use super::Fault;
use crate::Secret;
use crate::form::Fields;
use crate::form::percent::decoded;
use crate::jose::subject_before_verification;

/// Not yet believed.
pub(super) enum Presented {
    Basic(Secret),
    Post(Secret),
    Assertion(Secret),
    Nothing,
}

impl Presented {
    /// Also tells which application this is said to be.
    pub(super) fn read(
        authorization: Option<&str>,
        form: &Fields,
    ) -> Result<(String, Self), Fault> {
        let value = |name: &str| form.one(name).ok().flatten();
        let (id, secret, assertion) = (
            value("client_id"),
            value("client_secret"),
            value("client_assertion"),
        );
        let assertion_type = value("client_assertion_type");
        // [RFC 6749 §2.3] "The client MUST NOT use more than one authentication method in each request."
        let (name, presented) = match (authorization, secret, assertion) {
            (Some(header), None, None) => {
                let (name, secret) = basic(header)?;
                (Some(name), Self::Basic(secret))
            }
            (None, Some(secret), None) => {
                (None, Self::Post(Secret::new(secret.as_bytes().to_vec())))
            }
            (None, None, Some(assertion)) => {
                if assertion_type != Some(JWT_BEARER) {
                    return Err(Fault::ClientNotItself);
                }
                let name = subject_before_verification(assertion).ok_or(Fault::ClientNotItself)?;
                (
                    Some(name),
                    Self::Assertion(Secret::new(assertion.as_bytes().to_vec())),
                )
            }
            (None, None, None) => (None, Self::Nothing),
            _ => return Err(Fault::TwoMechanisms),
        };
        if assertion.is_none() && assertion_type.is_some() {
            return Err(Fault::TwoMechanisms);
        }
        match (name, id) {
            (Some(name), Some(id)) if name != id => Err(Fault::TwoMechanisms),
            (Some(name), _) => Ok((name, presented)),
            (None, Some(id)) => Ok((id.to_owned(), presented)),
            (None, None) => Err(Fault::ClientMissing),
        }
    }
}

/// [RFC 6749 §2.3.1] "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B, and the encoded value is used as the username; the client password is encoded using the same algorithm and used as the password."
fn basic(header: &str) -> Result<(String, Secret), Fault> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(Fault::HeaderMalformed);
    }
    let (scheme, token) = header.split_once(' ').ok_or(Fault::HeaderMalformed)?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return Err(Fault::HeaderMalformed);
    }
    let pair = BASE64
        .decode(token.trim().as_bytes())
        .map_err(|_| Fault::HeaderMalformed)?;
    let mut halves = pair.splitn(2, |byte| *byte == b':');
    let half = |bytes: Option<&[u8]>| {
        decoded(bytes.ok_or(Fault::HeaderMalformed)?).map_err(|_| Fault::HeaderMalformed)
    };
    let (name, secret) = (half(halves.next())?, half(halves.next())?);
    Ok((name, Secret::new(secret.into_bytes())))
}

const HEADER_BYTES_MAX: usize = 2048;
/// [RFC 7523 §2.2]
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
