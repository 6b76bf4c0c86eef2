//! Everything encrypted, in both directions, with a client that nobody here wrote: npm's `openid-client`.

use std::{fs, path::Path, process::Command};

use aws_lc_rs::agreement::{PrivateKey, X25519};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use testkit::{Role, Town};
use wire::jose::{SigningAlg, SigningKey};

use crate::{
    cas_client::canton_of_today,
    openid_client::packages,
    programs::{Curl, Program, SCHOOL, Serving, free_port},
    registered::registers,
};

/// A private key as PKCS#8, and its public half for encryption.
fn pair(alg: &str) -> (Vec<u8>, Value) {
    let of = |signing| {
        let key = SigningKey::generate(signing).unwrap();
        let public = serde_json::to_value(key.public()).unwrap();
        (key.to_pkcs8().unwrap().expose().to_vec(), public)
    };
    let (private, mut public) = match alg {
        "ECDH-ES" => of(SigningAlg::Es256),
        "ECDH-ES+A256KW" => {
            let number = [5; 32];
            let key = PrivateKey::from_private_key(&X25519, &number).unwrap();
            let x = BASE64URL_NOPAD.encode(key.compute_public_key().unwrap().as_ref());
            let front = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x6e\x04\x22\x04\x20";
            let public = json!({ "kty": "OKP", "crv": "X25519", "x": x });
            ([front.as_slice(), &number].concat(), public)
        }
        _ => of(SigningAlg::Rs256),
    };
    public["use"] = json!("enc");
    public["alg"] = json!(alg);
    public["kid"] = json!("for encryption");
    (private, public)
}

/// [C14] ID tokens, what `/userinfo` says, what `/introspect` states and the answers to its requests are signed, then
/// encrypted, with each kind of key; and the request comes encrypted, to the key that is published for that.
/// [OIDC Core §2] "ID Tokens MUST be signed using JWS [JWS] and optionally both signed and then encrypted using JWS [JWS] and JWE [JWE] respectively, thereby providing authentication, integrity, non-repudiation, and optionally, confidentiality, per Section 16.14."
#[test]
fn openid_client_opens_all_that_is_encrypted_to_it_and_encrypts_its_request() {
    for (alg, enc) in [
        ("ECDH-ES", "A128CBC-HS256"),
        ("ECDH-ES+A256KW", "A256GCM"),
        ("RSA-OAEP", "A256GCM"),
        ("RSA-OAEP-256", "A128GCM"),
    ] {
        let said = walks(alg, enc);
        let hidden = |kind: &str| json!([alg, enc, "JWT", kind]);
        assert_eq!(
            said,
            json!({
                "name": "Chloé Zufferey", "renewed": true, "active": true,
                "seen": {
                    "answer": [alg, enc, "JWT"],
                    "/token": hidden("application/json"),
                    "/userinfo": hidden("application/jwt"),
                    "/introspect": hidden("application/token-introspection+jwt"),
                },
            })
        );
    }
}

fn walks(alg: &str, enc: &str) -> Value {
    let mut canton = canton_of_today();
    let key = SigningKey::generate(SigningAlg::Es256).unwrap();
    let (private, public) = pair(alg);
    let (port, own) = (free_port(), free_port());
    let application = format!("http://127.0.0.1:{own}");
    let client = json!({ "application": [{
        "id": "hidden",
        "name": { "fr": "Essai", "de": "Probe", "en": "Trial" },
        "kind": "confidential",
        "trusted": true,
        "auth": "private_key_jwt",
        "jwks": { "keys": [serde_json::to_value(key.public()).unwrap(), public] },
        "redirect_uris": [format!("{application}/callback")],
        "grants": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile"],
        "require_signed_request_object": true,
        "id_token_encrypted_response_alg": alg,
        "id_token_encrypted_response_enc": enc,
        "userinfo_signed_response_alg": "ES256",
        "userinfo_encrypted_response_alg": alg,
        "userinfo_encrypted_response_enc": enc,
        "introspection_encrypted_response_alg": alg,
        "introspection_encrypted_response_enc": enc,
        "authorization_encrypted_response_alg": alg,
        "authorization_encrypted_response_enc": enc,
    }] });
    registers(&canton, &toml::to_string(&client).unwrap());
    let provider = Serving::start(&canton, port);
    let script = packages().join("openid_client_encrypted.mjs");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    fs::copy(list.join("openid_client_encrypted.mjs"), &script).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let signs = BASE64.encode(key.to_pkcs8().unwrap().expose());
    let node = Program::start(
        Command::new("/usr/bin/node")
            .arg(script)
            .args([&provider.origin, "hidden", &own.to_string(), &signs])
            .args([&BASE64.encode(&private), alg, enc]),
        folder.path(),
        own,
    );
    let person = (&mut canton as &mut dyn Town).somebody(Role::EnrolledApp);
    let browser = Curl::new(SCHOOL);
    let sign_in = browser.opens(&format!("{application}/login"), &[]);
    let typed = [
        ("username", person.username.as_str()),
        ("password", &person.password),
    ];
    let page = browser.fills(&sign_in, &typed);
    assert_eq!(page.status, 200, "{alg}: {} {}", page.body, node.said());
    serde_json::from_str(&page.body).unwrap()
}
