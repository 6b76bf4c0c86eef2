//! Proofs of DPoP: made for this request, at this moment, by the key that they show.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use wire::jose::Jwk;
use wire::oauth::dpop::{Proof, Request};

use super::{Target, choice, seed};
use crate::sample::{self, NOW};

pub(super) const TARGET: Target = Target {
    name: "dpop",
    bytes_max: 9 * 1024,
    dictionary: "jose",
    seeds,
    accepts,
};

const REQUEST: Request<'_> = Request {
    method: "POST",
    url: "https://id.example/token",
    access_token: None,
    without_rs256: false,
};

/// Stands in a header where the public key goes.
const KEY: &str = "\"KEY\"";

/// Choices: the rest is a proof; a header, a line end, and claims, which are signed.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(rest) else {
        return false;
    };
    let signed = chosen % 2 == 1;
    let token = if signed {
        let (header, claims) = text.split_once('\n').unwrap_or((text, ""));
        let header = header.replace(KEY, &sample::public_key().to_string());
        sample::signed_token(header.as_bytes(), claims.as_bytes())
    } else {
        Some(text.to_owned())
    };
    let Some(token) = token else { return false };
    let Ok(proof) = Proof::read(&token, &REQUEST, NOW) else {
        return false;
    };
    holds(&proof, &token);
    true
}

fn holds(proof: &Proof, token: &str) {
    let part = |at: usize| -> Option<Value> {
        let part = token.split('.').nth(at)?;
        serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok()
    };
    // In members that nobody reads there may be numbers and half letters that no value can hold.
    let (Some(header), Some(claims)) = (part(0), part(1)) else {
        return;
    };
    let said = |name: &str| claims.get(name);
    let shown = header.get("jwk");
    // Nobody here has another key.
    assert_eq!(
        shown.and_then(|key| key.get("x")?.as_str()),
        Some(sample::ED25519_PUBLIC)
    );
    let key = shown.and_then(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    assert_eq!(
        key.map(|key| key.thumbprint()).as_deref(),
        Some(proof.key.as_str())
    );
    assert_eq!(said("htm").and_then(Value::as_str), Some(REQUEST.method));
    let age = said("iat")
        .and_then(Value::as_i64)
        .map(|issued| NOW - issued);
    assert!(age.is_some_and(|age| (-10..=60).contains(&age)));
    assert!(
        said("jti")
            .and_then(Value::as_str)
            .is_some_and(|id| (1..=256).contains(&id.len()))
    );
    assert_eq!(proof.spend.id.len(), 43);
    assert!(proof.spend.until > NOW);
}

fn seeds() -> Vec<Vec<u8>> {
    let header = |key: &str| format!(r#"{{"typ":"dpop+jwt","alg":"EdDSA","jwk":{key}}}"#);
    let claims = json!({
        "jti": "a", "htm": "POST", "htu": "https://id.example/token?x#y", "iat": NOW, "nonce": "n",
    })
    .to_string();
    let whole = header(&sample::public_key().to_string());
    let token = sample::signed_token(whole.as_bytes(), claims.as_bytes()).unwrap_or_default();
    vec![
        seed(0, token),
        seed(1, format!("{}\n{claims}", header(KEY))),
    ]
}
