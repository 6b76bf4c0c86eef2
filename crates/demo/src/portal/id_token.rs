//! The checks on an ID token, in the order of OpenID Connect Core §3.1.3.7.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};

/// The claims of a token that passed every check.
pub(crate) type Claims = Map<String, Value>;

/// How far two clocks may differ.
const LEEWAY_S: i64 = 60;

/// What one ID token must say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client: &'a str,
    pub(crate) algorithm: Algorithm,
    pub(crate) nonce: &'a str,
    pub(crate) access_token: &'a str,
    pub(crate) max_age_s: Option<i64>,
    pub(crate) now: i64,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum IdTokenFault {
    #[error("the ID token is not a signed JWT")]
    NotJwt,
    #[error("the ID token is not signed with the algorithm this client registered")]
    WrongAlgorithm,
    #[error("the ID token names no key of the issuer")]
    UnknownKey,
    #[error("the signature, issuer or audience of the ID token is wrong")]
    NotGenuine,
    #[error("the ID token has several audiences and was made for another of them")]
    WrongParty,
    #[error("the ID token has expired or comes from the future")]
    WrongTime,
    #[error("the nonce of the ID token is not the one sent")]
    WrongNonce,
    #[error("the ID token belongs to another access token")]
    WrongAccessToken,
    #[error("the token tells of no session that has ended")]
    NotLogout,
    #[error("the sign-in is older than was asked for")]
    TooOld,
}

/// Reads the header and demands the registered algorithm.
///
/// [OIDC Core §3.1.3.7] "The alg value SHOULD be the default of RS256 or the algorithm sent by the
/// Client in the id_token_signed_response_alg parameter during Registration."
pub(crate) fn header(token: &str, algorithm: Algorithm) -> Result<Header, IdTokenFault> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| IdTokenFault::NotJwt)?;
    if header.alg == algorithm {
        Ok(header)
    } else {
        Err(IdTokenFault::WrongAlgorithm)
    }
}

/// The claims, if everything holds.
pub(crate) fn verify(
    token: &str,
    key: &Jwk,
    expected: &Expected<'_>,
) -> Result<Claims, IdTokenFault> {
    let key = DecodingKey::from_jwk(key).map_err(|_| IdTokenFault::UnknownKey)?;
    let mut validation = Validation::new(expected.algorithm);
    validation.validate_exp = false;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client]);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
        .map_err(|_| IdTokenFault::NotGenuine)?
        .claims;
    check_party(&claims, expected.client)?;
    check_time(&claims, expected)?;
    if text(&claims, "nonce") != Some(expected.nonce) {
        return Err(IdTokenFault::WrongNonce);
    }
    check_access_token(&claims, expected.access_token)?;
    Ok(claims)
}

/// [OIDC Core §3.1.3.7] "If the ID Token contains multiple audiences, the Client SHOULD verify that
/// an azp Claim is present."
fn check_party(claims: &Claims, client: &str) -> Result<(), IdTokenFault> {
    let several = claims
        .get("aud")
        .and_then(Value::as_array)
        .is_some_and(|all| all.len() > 1);
    match text(claims, "azp") {
        Some(party) if party == client => Ok(()),
        None if !several => Ok(()),
        _ => Err(IdTokenFault::WrongParty),
    }
}

/// [OIDC Core §3.1.3.7] "The current time MUST be before the time represented by the exp Claim."
fn check_time(claims: &Claims, expected: &Expected<'_>) -> Result<(), IdTokenFault> {
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let (Some(expires), Some(issued)) = (number("exp"), number("iat")) else {
        return Err(IdTokenFault::WrongTime);
    };
    if expected.now >= expires.saturating_add(LEEWAY_S)
        || issued > expected.now.saturating_add(LEEWAY_S)
    {
        return Err(IdTokenFault::WrongTime);
    }
    let Some(max_age_s) = expected.max_age_s else {
        return Ok(());
    };
    // [OIDC Core §2] "When a max_age request is made … its inclusion is REQUIRED".
    let signed_in = number("auth_time").ok_or(IdTokenFault::TooOld)?;
    let limit = signed_in.saturating_add(max_age_s).saturating_add(LEEWAY_S);
    if expected.now > limit {
        Err(IdTokenFault::TooOld)
    } else {
        Ok(())
    }
}

/// [OIDC Core §3.1.3.6] "Its value is the base64url encoding of the left-most half of the hash of
/// the octets of the ASCII representation of the access_token value"; absent is allowed here.
fn check_access_token(claims: &Claims, access_token: &str) -> Result<(), IdTokenFault> {
    let Some(claimed) = text(claims, "at_hash") else {
        return Ok(());
    };
    let hash = digest(&SHA256, access_token.as_bytes());
    let half = hash.as_ref().get(..16).unwrap_or_default();
    if claimed == BASE64URL_NOPAD.encode(half) {
        Ok(())
    } else {
        Err(IdTokenFault::WrongAccessToken)
    }
}

/// The text of a claim.
pub(crate) fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}
