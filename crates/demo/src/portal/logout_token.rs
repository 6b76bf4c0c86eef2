//! The checks on a logout token, in the order of OpenID Connect Back-Channel Logout §2.6.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::Value;

use crate::portal::id_token::{Claims, IdTokenFault, text};

/// How far two clocks may differ.
const LEEWAY_S: i64 = 60;
/// What a logout token tells of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Whose token it must be, and when.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client: &'a str,
    pub(crate) algorithm: Algorithm,
    pub(crate) now: i64,
}

/// What has ended.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Ended {
    /// The token's own name: it counts once.
    pub(crate) jti: String,
    pub(crate) sid: Option<String>,
    pub(crate) sub: Option<String>,
}

impl Ended {
    /// Whether a session with these claims of its ID token is over.
    pub(crate) fn is_of(&self, claims: &Claims) -> bool {
        match (&self.sid, &self.sub) {
            (Some(sid), _) => text(claims, "sid") == Some(sid),
            (None, Some(sub)) => text(claims, "sub") == Some(sub),
            (None, None) => false,
        }
    }
}

/// The header, if the token is one of this kind, signed with the algorithm this client registered.
pub(crate) fn header(token: &str, algorithm: Algorithm) -> Result<Header, IdTokenFault> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| IdTokenFault::NotJwt)?;
    if header.typ.as_deref() != Some("logout+jwt") {
        return Err(IdTokenFault::NotLogout);
    }
    match header.alg == algorithm {
        true => Ok(header),
        false => Err(IdTokenFault::WrongAlgorithm),
    }
}

/// What has ended, if everything holds.
pub(crate) fn verify(
    token: &str,
    key: &Jwk,
    expected: &Expected<'_>,
) -> Result<Ended, IdTokenFault> {
    let key = DecodingKey::from_jwk(key).map_err(|_| IdTokenFault::UnknownKey)?;
    let mut validation = Validation::new(expected.algorithm);
    validation.validate_exp = false;
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client]);
    validation.set_required_spec_claims(&["iss", "aud", "exp"]);
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
        .map_err(|_| IdTokenFault::NotGenuine)?
        .claims;
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let (Some(expires), Some(issued)) = (number("exp"), number("iat")) else {
        return Err(IdTokenFault::WrongTime);
    };
    if expected.now >= expires.saturating_add(LEEWAY_S)
        || issued > expected.now.saturating_add(LEEWAY_S)
    {
        return Err(IdTokenFault::WrongTime);
    }
    let tells = claims.get("events").and_then(|events| events.get(EVENT));
    let jti = text(&claims, "jti").filter(|jti| !jti.is_empty());
    let named = |name: &str| text(&claims, name).map(str::to_owned);
    let (sid, sub) = (named("sid"), named("sub"));
    let names_somebody = sid.is_some() || sub.is_some();
    match jti {
        Some(jti)
            if tells.is_some_and(Value::is_object)
                && names_somebody
                && !claims.contains_key("nonce") =>
        {
            let jti = jti.to_owned();
            Ok(Ended { jti, sid, sub })
        }
        _ => Err(IdTokenFault::NotLogout),
    }
}
