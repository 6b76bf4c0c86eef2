//! Step: PKCE with S256, for every application.

use aws_lc_rs::digest::{SHA256, digest};

use super::Fault;
use super::redirect_uri::Reachable;
use crate::jose::base64url;

pub(super) fn challenge(request: &Reachable<'_>) -> Result<String, Fault> {
    // [RFC 7636 §4.4.1] "the authorization endpoint MUST return the authorization error response with the "error" value set to "invalid_request"."
    let challenge = request
        .value("code_challenge")
        .ok_or(Fault::ChallengeMissing)?;
    // [RFC 7636 §4.2] ""S256" is Mandatory To Implement (MTI) on the server." No method would mean `plain`.
    if request.value("code_challenge_method") != Some("S256") {
        return Err(Fault::ChallengeMethod);
    }
    let base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if challenge.len() != 43 || !challenge.bytes().all(base64url) {
        return Err(Fault::ChallengeMalformed);
    }
    Ok(challenge.to_owned())
}

/// base64url(SHA-256(verifier)) [RFC 7636 §4.2].
pub(crate) fn challenge_of(verifier: &str) -> String {
    base64url(digest(&SHA256, verifier.as_bytes()).as_ref())
}
