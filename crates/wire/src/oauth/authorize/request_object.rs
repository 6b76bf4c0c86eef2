//! Step: where the parameters are. An application that has registered keys may sign them into a request
//! object, by value; then nothing that stands beside it counts [RFC 9101].

use zeroize::Zeroizing;

use super::client::Known;
use super::redirect_uri::Reachable;
use super::{Door, Fault, OBJECT_BYTES_MAX, Received};
use crate::form::{Bounds, Fields};
use crate::jose::{DecryptingKeys, VerifyingKeys, is_encrypted};
use crate::json::Json;
use crate::oauth::client::Client;
use crate::oauth::token::SpendOnce;

/// The parameters that an application signed.
pub(super) struct Signed {
    pub(super) fields: Fields,
    /// Its `jti`, if it has one.
    pub(super) spend: Option<SpendOnce>,
}

/// The parameters of a signed request; none if they are in the request itself.
pub(super) fn opened(
    known: &Known<'_>,
    received: &Received<'_>,
    bounds: Bounds,
) -> Result<Option<Signed>, Fault> {
    let Known { fields, client } = known;
    let object = fields.one("request").map_err(|_| Fault::AddressRepeated)?;
    // Without keys it is not supported for this application: the next steps say so.
    let registered = client.jwks.as_ref();
    let registered = registered.filter(|set| set.for_signatures().next().is_some());
    let (Some(object), Some(registered)) = (object, registered) else {
        return Ok(None);
    };
    // What counts for nothing may not contradict what counts, either.
    fields.each_once().map_err(|_| Fault::AddressRepeated)?;
    // [RFC 9101 §5] "The client MAY send the parameters included in the Request Object duplicated in the query parameters as well for backward compatibility, etc. However, the authorization server supporting this specification MUST only use the parameters included in the Request Object."
    if fields.one("request_uri") != Ok(None) {
        return Err(Fault::RequestObjectWrong);
    }
    let decrypted = decrypted(object, received)?;
    let object = decrypted.as_deref().map_or(object, String::as_str);
    let keys =
        VerifyingKeys::of(registered.for_signatures()).map_err(|_| Fault::RequestObjectWrong)?;
    // [RFC 9101 §6.2] "If the key is not associated with the client or if signature validation fails, the authorization server MUST return an invalid_request_object error to the client in response to the authorization request."
    let claims: Json = keys
        .verify_within(
            OBJECT_BYTES_MAX,
            object,
            &["", "JWT", "oauth-authz-req+jwt"],
        )
        .map_err(|_| Fault::RequestObjectWrong)?;
    let right =
        is_from(&claims, client) && is_for(&claims, received) && is_timely(&claims, received.now);
    if !right {
        return Err(Fault::RequestObjectWrong);
    }
    // [RFC 9101 §6.3] "The authorization server MUST only use the parameters in the Request Object, even if the same parameter is provided in the query parameter."
    let fields = parameters(&claims, bounds).ok_or(Fault::RequestObjectWrong)?;
    let spend = spend(&claims, client)?;
    Ok(Some(Signed { fields, spend }))
}

/// The signed request in an encrypted one; none if it is not encrypted. Whoever encrypted it proves nothing by that.
fn decrypted(object: &str, received: &Received<'_>) -> Result<Option<Zeroizing<String>>, Fault> {
    if !is_encrypted(object) {
        return Ok(None);
    }
    // [RFC 9101 §6.1] "If the Request Object is encrypted, the authorization server MUST decrypt the JWT in accordance with the [RFC7516] specification."
    let opened = DecryptingKeys::of(received.numbers).open(object);
    // [RFC 9101 §6.1] "If decryption fails, the authorization server MUST return an invalid_request_object error to the client in response to the authorization request."
    let text = opened
        .ok()
        .and_then(|plain| String::from_utf8(plain.to_vec()).ok());
    text.map(|text| Some(Zeroizing::new(text)))
        .ok_or(Fault::RequestObjectWrong)
}

/// Whether this application's requests may come this way, signed or not.
pub(super) fn way(
    request: &Reachable<'_>,
    received: &Received<'_>,
    is_signed: bool,
) -> Result<(), Fault> {
    // [RFC 9101 §10.5] "When the value of it as client metadata is true, then the server MUST reject the authorization request from the client that does not conform to this specification."
    if request.client.require_signed_request_object && !is_signed {
        return Err(Fault::RequestObjectNeeded);
    }
    // [RFC 9126 §6] "Boolean parameter indicating whether the only means of initiating an authorization request the client is allowed to use is PAR."
    if request.client.must_push() && received.by == Door::Browser {
        return Err(Fault::NotPushed);
    }
    // [OIDC Core §6.1] "the OP MUST return the "request_not_supported" error."
    // [OIDC Core §6.2] "the OP MUST return the "request_uri_not_supported" error."
    for (name, fault) in [
        ("request", Fault::RequestObject),
        ("request_uri", Fault::RequestUri),
        ("registration", Fault::Registration),
    ] {
        if request.value(name).is_some() {
            return Err(fault);
        }
    }
    Ok(())
}

fn is_from(claims: &Json, client: &Client) -> bool {
    let says = |name: &str| claims.get(name).and_then(Json::text);
    // [RFC 9101 §6.3] "The client ID values in the client_id request parameter and in the Request Object client_id claim MUST be identical."
    let itself = says("iss") == Some(&client.id) && says("client_id") == Some(&client.id);
    // [RFC 9101 §10.8] What has the application as its subject is an assertion about it, not a request.
    itself && says("sub") != Some(&client.id)
}

fn is_for(claims: &Json, received: &Received<'_>) -> bool {
    // [RFC 9101 §4] "The value of aud should be the value of the authorization server (AS) issuer, as defined in RFC 8414 [RFC8414]."
    let ours = |audience: &Json| audience.text() == Some(received.issuer.as_str());
    match claims.get("aud") {
        // One that is meant for others, too, any of these could show here.
        Some(Json::List(audiences)) => !audiences.is_empty() && audiences.iter().all(ours),
        Some(audience) => ours(audience),
        None => false,
    }
}

fn is_timely(claims: &Json, now: i64) -> bool {
    let at = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(time) => time.integer().map(Some).ok_or(()),
    };
    let (Ok(Some(end)), Ok(start), Ok(made)) = (at("exp"), at("nbf"), at("iat")) else {
        return false;
    };
    let ends_soon =
        end > now.saturating_sub(SKEW_S) && end <= now.saturating_add(LIFETIME_S_MAX + SKEW_S);
    let begun = [start, made].into_iter().flatten().all(|begin| {
        begin <= now.saturating_add(SKEW_S) && begin >= now.saturating_sub(LIFETIME_S_MAX + SKEW_S)
    });
    ends_soon && begun
}

/// The claims as the parameters they stand for.
fn parameters(claims: &Json, bounds: Bounds) -> Option<Fields> {
    let Json::Object(members) = claims else {
        return None;
    };
    let mut pairs = Vec::new();
    for (name, value) in members {
        // [RFC 9101 §4] "request and request_uri parameters MUST NOT be included in Request Objects."
        if matches!(name.as_str(), "request" | "request_uri") {
            return None;
        }
        // What nobody here reads takes no place, however long it is.
        if !KNOWN.contains(&name.as_str()) {
            continue;
        }
        let value = match (name.as_str(), value) {
            ("claims" | "registration", Json::Object(_)) => serde_json::to_string(value).ok()?,
            ("claims", _) => return None,
            // [RFC 6749 §3.1] Without a value it is as if it were not there.
            (_, Json::Text(text)) if text.is_empty() => continue,
            (_, Json::Text(text)) => text.clone(),
            (_, Json::Number(number)) => number.to_string(),
            (_, Json::Null) => continue,
            // [RFC 9101 §4] What is known is a text or a number: what was signed is not passed over.
            _ => return None,
        };
        pairs.push((name.clone(), value));
    }
    Fields::of(pairs, bounds).ok()
}

fn spend(claims: &Json, client: &Client) -> Result<Option<SpendOnce>, Fault> {
    let Some(jti) = claims.get("jti") else {
        return Ok(None);
    };
    let named = jti
        .text()
        .filter(|jti| (1..=JTI_BYTES_MAX).contains(&jti.len()));
    let (Some(jti), Some(end)) = (named, claims.get("exp").and_then(Json::integer)) else {
        return Err(Fault::RequestObjectWrong);
    };
    // No id of an application begins like this: it is no assertion's.
    Ok(Some(SpendOnce {
        id: format!("request: {} {jti}", client.id),
        until: end.saturating_add(SKEW_S + 1),
    }))
}

/// The parameters that mean something here.
const KNOWN: [&str; 19] = [
    "acr_values",
    "claims",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "display",
    "dpop_jkt",
    "id_token_hint",
    "login_hint",
    "max_age",
    "nonce",
    "prompt",
    "redirect_uri",
    "registration",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "ui_locales",
];
/// An hour.
const LIFETIME_S_MAX: i64 = 3600;
const SKEW_S: i64 = 10;
const JTI_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests;
