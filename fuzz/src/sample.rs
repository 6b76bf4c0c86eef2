//! Applications, keys and times that targets share.
//!
//! The keys are those printed in standards: everybody has them, an input that failed fails again, and
//! nothing here looks like a secret of somebody.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use wire::Secret;
use wire::jose::{KeyRing, SigningAlg, SigningKey, Standing};
use wire::oauth::client::Client;
use wire::oidc::Issuer;

/// The moment at which targets play (unix seconds): 2027-01-15T08:00:00Z.
pub(crate) const NOW: i64 = 1_800_000_000;

/// The verifier of [RFC 7636 appendix B].
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its challenge.
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The issuer.
pub(crate) static ISSUER: LazyLock<Option<Issuer>> =
    LazyLock::new(|| Issuer::parse("https://id.example").ok());

/// The seed of the key of [RFC 8037 appendix A.1].
const ED25519: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
/// Its public half.
pub(crate) const ED25519_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// The private half of the key of [RFC 7515 appendix A.3].
const P256: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
/// Its coordinates.
const P256_PUBLIC: [&str; 2] = [
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
];

/// What stands in PKCS#8 before the 32 bytes of an Ed25519 key.
const ED25519_PKCS8: &str = "302e020100300506032b657004220420";
/// What stands in `SubjectPublicKeyInfo` before the two coordinates of a P-256 key.
const P256_SPKI: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
/// A certificate as far as metadata readers look into it: number, algorithm, names and dates are there.
const CERTIFICATE: &str = "306830660201013000300030003000";

fn base64url(text: &str) -> Option<Vec<u8>> {
    BASE64URL_NOPAD.decode(text.as_bytes()).ok()
}

fn hex(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()
}

/// A key for tokens, as the product reads it.
pub(crate) fn signing_key() -> Option<SigningKey> {
    let der = [hex(ED25519_PKCS8)?, base64url(ED25519)?].concat();
    SigningKey::from_pkcs8(SigningAlg::EdDsa, &Secret::new(der)).ok()
}

/// The provider's keys.
pub(crate) static RING: LazyLock<Option<KeyRing>> =
    LazyLock::new(|| KeyRing::new(vec![(signing_key()?, Standing::Current)]).ok());

static ED25519_PAIR: LazyLock<Option<Ed25519KeyPair>> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&base64url(ED25519)?).ok());

/// The public half of the key that [`signed_token`] signs with.
pub(crate) fn public_key() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": ED25519_PUBLIC })
}

/// A compact token of this header and these claims, whatever they are, with a good signature.
pub(crate) fn signed_token(header: &[u8], claims: &[u8]) -> Option<String> {
    let message = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header),
        BASE64URL_NOPAD.encode(claims)
    );
    let signature = ED25519_PAIR.as_ref()?.sign(message.as_bytes());
    let signature = BASE64URL_NOPAD.encode(signature.as_ref());
    Some(format!("{message}.{signature}"))
}

static P256_PAIR: LazyLock<Option<EcdsaKeyPair>> = LazyLock::new(|| {
    let [x, y] = P256_PUBLIC;
    let point = [vec![4], base64url(x)?, base64url(y)?].concat();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &base64url(P256)?, &point).ok()
});

/// The number of a key on P-256 to which tokens are encrypted.
pub(crate) fn decrypting_number() -> Option<Secret> {
    base64url(P256).map(Secret::new)
}

/// An ECDSA-SHA256 signature with the key whose certificate is [`certificate`].
pub(crate) fn ecdsa(message: &[u8]) -> Option<Vec<u8>> {
    let pair = P256_PAIR.as_ref()?;
    let signature = pair.sign(&SystemRandom::new(), message).ok()?;
    Some(signature.as_ref().to_vec())
}

/// A certificate that carries that key, in DER.
pub(crate) fn certificate() -> Option<Vec<u8>> {
    let [x, y] = P256_PUBLIC;
    let key = [hex(P256_SPKI)?, base64url(x)?, base64url(y)?].concat();
    Some([hex(CERTIFICATE)?, key].concat())
}

/// A certificate around a key with which nothing here is signed.
pub(crate) fn strangers_certificate() -> Option<Vec<u8>> {
    let key = [hex(P256_SPKI)?, hex(P256_BASE)?].concat();
    Some([hex(CERTIFICATE)?, key].concat())
}

/// The base point of P-256 [FIPS 186-4 §D.1.2.3]: a point of the curve like any other.
const P256_BASE: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
    4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/// The registered applications: one whose secret nobody knows, one on the device, one with a key.
pub(crate) static CLIENTS: LazyLock<Vec<Client>> = LazyLock::new(|| {
    let name = json!({ "fr": "ENT", "de": "ENT", "en": "ENT" });
    let all = json!([
        {
            "id": "ent", "name": name, "kind": "confidential", "auth": "basic",
            "redirect_uris": ["https://edu.example/callback", "https://edu.example/callback?tenant=1"],
            "secret_sha256": "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
            "scopes": ["openid", "profile", "email"],
            "grants": ["authorization_code", "refresh_token", "client_credentials"],
        },
        {
            "id": "native", "name": name, "kind": "native", "auth": "none",
            "redirect_uris": ["http://127.0.0.1/cb", "http://[::1]:9/cb", "ch.example.app:/cb"],
            "grants": ["authorization_code", "refresh_token"],
        },
        {
            "id": "signer", "name": name, "kind": "confidential", "auth": "private_key_jwt",
            "redirect_uris": ["https://signer.example/"],
            "jwks": { "keys": [public_key()] },
            "grants": ["authorization_code", "refresh_token", "client_credentials"],
        },
    ]);
    serde_json::from_value(all).unwrap_or_default()
});

/// The registered application of this id.
pub(crate) fn client(id: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.id == id)
}
