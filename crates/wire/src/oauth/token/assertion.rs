//! `private_key_jwt` and `client_secret_jwt`: an application makes a short-lived statement about itself, with a key that
//! it alone has, or with the secret that it shares with us [RFC 7523].

use serde::Deserialize;

use super::Fault;
use crate::jose::{JwsError, VerifyingKeys};
use crate::oauth::client::{Auth, Client, SharedSecret};
use crate::oidc::Issuer;

/// An assertion's id, to be consumed once and remembered until it expires by itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SpendOnce {
    /// Unique within the application: `client_id` and `jti`.
    pub id: String,
    /// When it may be forgotten (unix seconds).
    pub until: i64,
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Verifies an assertion of this application.
pub(super) fn verify(
    token: &[u8],
    client: &Client,
    issuer: &Issuer,
    now: i64,
) -> Result<SpendOnce, Fault> {
    let token = std::str::from_utf8(token).map_err(|_| Fault::ClientNotItself)?;
    // [RFC 7523 §3] "The authorization server MUST reject JWTs with an invalid signature or MAC."
    let claims = believed(token, client).map_err(|_| Fault::ClientNotItself)?;
    if is_about(&claims, client, issuer) && is_timely(&claims, now) {
        Ok(SpendOnce {
            id: format!("{} {}", client.id, claims.jti),
            until: claims.exp.saturating_add(SKEW_S),
        })
    } else {
        Err(Fault::ClientNotItself)
    }
}

/// What is registered says what verifies it: what the token calls its algorithm can only be wrong.
fn believed(token: &str, client: &Client) -> Result<Assertion, JwsError> {
    const TYPS: [&str; 3] = ["", "JWT", "client-authentication+jwt"];
    match client.auth {
        // [OIDC Core §9] "Clients that have received a client_secret value from the Authorization Server create a JWT using an HMAC SHA algorithm, such as HMAC SHA-256."
        Auth::SecretJwt => {
            let secret = client.secret.as_ref().and_then(SharedSecret::known);
            secret.ok_or(JwsError::UnknownKey)?.verify(token, &TYPS)
        }
        Auth::PrivateKeyJwt => {
            let keys = client.jwks.iter().flat_map(|set| set.for_signatures());
            let keys = VerifyingKeys::of(keys).map_err(|_| JwsError::UnknownKey)?;
            keys.verify(token, &TYPS)
        }
        _ => Err(JwsError::UnknownKey),
    }
}

fn is_about(claims: &Assertion, client: &Client, issuer: &Issuer) -> bool {
    let token_endpoint = issuer.token_endpoint();
    let ours = |audience: &String| {
        audience == issuer.as_str() || (!client.is_fapi() && *audience == token_endpoint)
    };
    // [RFC 7523 §3] "The authorization server MUST reject any JWT that does not contain its own identity as the intended audience."
    // One that is meant for others, too, any of these could show here.
    let for_us = match &claims.aud {
        Audience::One(audience) => ours(audience),
        // [FAPI 2.0 §5.3.2.1] "shall only accept its issuer identifier value (as defined in [RFC8414]) as a string in the aud claim received in client authentication assertions"
        Audience::Many(audiences) => {
            !client.is_fapi() && !audiences.is_empty() && audiences.iter().all(ours)
        }
    };
    // [RFC 7523 §3] "For client authentication, the subject MUST be the "client_id" of the OAuth client."
    let from_itself = claims.iss == client.id && claims.sub == client.id;
    for_us && from_itself && (1..=JTI_BYTES_MAX).contains(&claims.jti.len())
}

fn is_timely(claims: &Assertion, now: i64) -> bool {
    // [RFC 7523 §3] "The authorization server MUST reject any JWT with an expiration time that has passed, subject to allowable clock skew between systems."
    let expires_soon = claims.exp > now.saturating_sub(SKEW_S)
        && claims.exp <= now.saturating_add(LIFETIME_S_MAX + SKEW_S);
    // [RFC 7523 §3] "The JWT MAY contain an "nbf" (not before) claim that identifies the time before which the token MUST NOT be accepted for processing."
    let begun = [claims.nbf, claims.iat]
        .into_iter()
        .flatten()
        .all(|begin| begin <= now.saturating_add(SKEW_S));
    expires_soon && begun
}

/// As long as a signed request may live. Libraries take an hour; each assertion counts once anyway.
const LIFETIME_S_MAX: i64 = 3600;
const SKEW_S: i64 = 10;
const JTI_BYTES_MAX: usize = 256;
