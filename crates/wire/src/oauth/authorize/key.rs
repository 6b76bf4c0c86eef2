//! Step: the key to which the code is to be bound.

use super::Fault;
use super::redirect_uri::Reachable;

/// [RFC 9449 §10] The thumbprint of a key, of which the token request then needs a proof.
pub(super) fn bound_to(request: &Reachable<'_>) -> Result<Option<String>, Fault> {
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match request.value("dpop_jkt") {
        Some(key) if key.len() != 43 || !key.bytes().all(base64url) => Err(Fault::KeyMalformed),
        key => Ok(key.map(str::to_owned)),
    }
}
