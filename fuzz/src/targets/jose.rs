//! Tokens and keys: what is believed was signed, under the algorithm of the key, and as it was sent.

use serde_json::{Value, json};
use wire::jose::{Jwk, JwkSet, VerifyingKeys};
use wire::oidc::id_token::Hint;

use super::{Target, choice, seed};
use crate::sample::{self, ISSUER, NOW, RING};

pub(super) const TARGET: Target = Target {
    name: "jose",
    bytes_max: 9 * 1024,
    dictionary: "jose",
    seeds,
    accepts,
};

const TYPS: [&str; 2] = ["", "JWT"];
const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT"}"#;

/// Choices: the rest is a token; a header, a line end, and claims, which are signed; a set of keys; the
/// claims of a hint.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    match chosen % 4 {
        0 => std::str::from_utf8(rest).is_ok_and(is_the_seed),
        1 => {
            let mut halves = rest.splitn(2, |byte| *byte == b'\n');
            let header = halves.next().unwrap_or_default();
            is_as_signed(header, halves.next().unwrap_or_default())
        }
        2 => are_keys(rest),
        _ => is_a_hint(rest),
    }
}

fn key() -> Option<Jwk> {
    serde_json::from_value(sample::public_key()).ok()
}

fn verified(token: &str) -> Option<Value> {
    let keys = VerifyingKeys::of([&key()?]).ok()?;
    keys.verify(token, &TYPS).ok()
}

/// Only one token is signed before the target starts; whatever else is believed would be forged.
fn is_the_seed(token: &str) -> bool {
    let claims = verified(token);
    assert!(claims.is_none() || claims == serde_json::from_str(&seed_claims()).ok());
    claims.is_some()
}

/// What is signed is believed as it stands, if its header is one that we take.
fn is_as_signed(header: &[u8], claims: &[u8]) -> bool {
    let token = sample::signed_token(header, claims);
    let Some(read) = token.as_deref().and_then(verified) else {
        return false;
    };
    assert_eq!(serde_json::from_slice::<Value>(claims).ok(), Some(read));
    let text = std::str::from_utf8(header);
    assert!(text.is_ok(), "a header that is no text");
    // In members that nobody reads there may be numbers and half letters that no value can hold.
    let Some(header) = text
        .ok()
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
    else {
        return true;
    };
    let said = |name: &str| header.get(name).cloned();
    assert_eq!(said("alg"), Some(json!("EdDSA")));
    // A member that is null is one that is not there.
    let absent = |name: &str| said(name).is_none_or(|value| value.is_null());
    assert!(absent("crit") && absent("b64"));
    let typ = said("typ").and_then(|typ| typ.as_str().map(str::to_owned));
    let typ = typ.unwrap_or_default();
    assert!(TYPS.iter().any(|known| known.eq_ignore_ascii_case(&typ)));
    true
}

/// A set that is taken is public, and is the same when it is written and read again.
fn are_keys(text: &[u8]) -> bool {
    let Ok(set) = serde_json::from_slice::<JwkSet>(text) else {
        return false;
    };
    if VerifyingKeys::of(&set.keys).is_err() {
        return false;
    }
    let Ok(written) = serde_json::to_value(&set) else {
        return false;
    };
    let keys = written.get("keys").and_then(Value::as_array);
    for key in keys.into_iter().flatten() {
        assert!(
            ["d", "k", "p", "q", "dp", "dq", "qi"]
                .iter()
                .all(|name| key.get(name).is_none())
        );
    }
    let again = serde_json::from_value::<JwkSet>(written);
    assert!(again.is_ok_and(|again| again == set));
    for key in &set.keys {
        assert_eq!(key.thumbprint().len(), 43);
    }
    !set.keys.is_empty()
}

/// A hint that we signed is believed only if it is an ID token of ours.
fn is_a_hint(claims: &[u8]) -> bool {
    let (Some(ring), Some(issuer)) = (RING.as_ref(), ISSUER.as_ref()) else {
        return false;
    };
    let token = sample::signed_token(HEADER.as_bytes(), claims);
    let hint = token.and_then(|token| Hint::read(&token, ring, issuer, NOW).ok());
    let claims: Option<Value> = serde_json::from_slice(claims).ok();
    let said = |name: &str| {
        claims
            .as_ref()
            .and_then(|claims| claims.get(name)?.as_str())
    };
    if let Some(hint) = hint.as_ref().filter(|_| claims.is_some()) {
        assert_eq!(said("iss"), Some(issuer.as_str()));
        assert_eq!(said("sub"), Some(hint.sub.as_str()));
        assert_eq!(said("aud"), Some(hint.aud.as_str()));
    }
    hint.is_some()
}

fn seed_claims() -> String {
    json!({ "iss": "signer", "sub": "signer", "aud": ["https://id.example"], "exp": NOW })
        .to_string()
}

fn seeds() -> Vec<Vec<u8>> {
    let claims = seed_claims();
    let token = sample::signed_token(HEADER.as_bytes(), claims.as_bytes()).unwrap_or_default();
    let hint = json!({
        "iss": "https://id.example", "sub": "anna", "aud": "ent", "sid": "s", "auth_time": NOW,
    });
    let set = json!({ "keys": [
        sample::public_key(),
        { "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "a",
          "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
          "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" },
    ] });
    vec![
        seed(0, token),
        seed(1, format!("{HEADER}\n{claims}")),
        seed(
            1,
            format!("{{\"alg\":\"EdDSA\",\"kid\":\"a\",\"crit\":[\"b64\"]}}\n{claims}"),
        ),
        seed(2, set.to_string()),
        seed(3, hint.to_string()),
    ]
}
