//! What is encrypted to us: nothing opens but what was sealed, whatever its header says.

use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use wire::jose::{Content, DecryptingKeys};
use wire::oauth::client::{Client, Encrypted};

use super::{Target, choice, seed};
use crate::sample::decrypting_number;

pub(super) const TARGET: Target = Target {
    name: "jwe",
    bytes_max: 4096,
    dictionary: "jose",
    seeds,
    accepts,
};

/// What was sealed.
const SEALED: &str = "a.signed.token";
/// One way for each that is offered.
const WAYS: [(&str, &str); 6] = [
    ("ECDH-ES", "A128GCM"),
    ("ECDH-ES", "A256GCM"),
    ("ECDH-ES", "A128CBC-HS256"),
    ("ECDH-ES+A128KW", "A128GCM"),
    ("ECDH-ES+A256KW", "A256GCM"),
    ("ECDH-ES+A256KW", "A128CBC-HS256"),
];

static KEYS: LazyLock<DecryptingKeys> = LazyLock::new(|| {
    let number = decrypting_number();
    DecryptingKeys::of(number.as_slice())
});

/// Tokens that open, a way each.
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let tokens = WAYS.into_iter().filter_map(|(alg, enc)| {
        let client = json!({
            "id": "reader", "name": { "fr": "R", "de": "R", "en": "R" }, "kind": "native", "auth": "none",
            "redirect_uris": ["http://127.0.0.1/cb"],
            "jwks": { "keys": [KEYS.published()?] },
            "id_token_encrypted_response_alg": alg,
            "id_token_encrypted_response_enc": enc,
        });
        let client: Client = serde_json::from_value(client).ok()?;
        let sealed = client.encrypted(Encrypted::IdToken, Content::Jwt(SEALED), &[7; 112]);
        sealed.ok().flatten()
    });
    tokens.collect()
});

/// Choices: a token; the header of one whose other parts are good, or were.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let good = TOKENS.get(usize::from(chosen / 2) % WAYS.len());
    let token = match (chosen % 2, good) {
        (1, Some(good)) => {
            let others = good.split_once('.').map_or("", |(_, others)| others);
            Some(format!("{}.{others}", BASE64URL_NOPAD.encode(rest)))
        }
        _ => std::str::from_utf8(rest).ok().map(str::to_owned),
    };
    let Some(plain) = token.and_then(|token| KEYS.open(&token).ok()) else {
        return false;
    };
    assert_eq!(plain.as_slice(), SEALED.as_bytes(), "something else opened");
    true
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (number, token) in (0..).zip(TOKENS.iter()) {
        seeds.push(seed(0, token));
        let header = token.split('.').next().unwrap_or_default();
        if let Ok(header) = BASE64URL_NOPAD.decode(header.as_bytes()) {
            seeds.push(seed(2 * number + 1, header));
        }
    }
    seeds
}
