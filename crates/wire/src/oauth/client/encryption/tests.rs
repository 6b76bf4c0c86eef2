//! What may be registered, and what it then does.

use serde_json::json;

use super::*;
use crate::jose::{Jwk, JwkSet, SigningAlg, SigningKey};
use crate::oauth::client::Auth;
use crate::testing::{ent, hers};

fn key() -> Jwk {
    hers().published().unwrap().clone()
}

fn with(keys: Vec<Jwk>) -> Client {
    Client {
        id_token_encrypted_response_alg: Some(KeyManagement::EcdhEs),
        jwks: Some(JwkSet { keys }),
        ..ent()
    }
}

fn changed(name: &str, value: serde_json::Value) -> Jwk {
    let mut json = serde_json::to_value(key()).unwrap();
    json[name] = value;
    serde_json::from_value(json).unwrap()
}

fn flaws(client: &Client) -> Vec<String> {
    client.check().iter().map(ToString::to_string).collect()
}

/// [OIDC Registration §2] "If id_token_encrypted_response_alg is specified, the default id_token_encrypted_response_enc value is A128CBC-HS256."
#[test]
fn an_application_with_a_key_gets_it_encrypted_and_others_do_not() {
    let client = with(vec![key()]);
    assert_eq!(client.check(), []);
    let usual = (KeyManagement::EcdhEs, ContentEncryption::A128CbcHs256);
    assert_eq!(client.encryption(Encrypted::IdToken), Some(usual));
    let sent = client.encrypted(Encrypted::IdToken, Content::Jwt("a.b.c"), &[7; 112]);
    let opened = hers().open(&sent.unwrap().unwrap()).unwrap();
    assert_eq!(opened.as_slice(), b"a.b.c");
    for what in [Encrypted::Userinfo, Encrypted::Introspection] {
        let sent = client.encrypted(what, Content::Jwt("a.b.c"), &[7; 112]);
        assert_eq!(sent, Ok(None));
    }
    let text = toml::to_string(&client).unwrap();
    assert_eq!(toml::from_str::<Client>(&text).unwrap(), client);
    assert!(text.contains("id_token_encrypted_response_alg = \"ECDH-ES\""));
}

#[test]
fn its_keys_for_signatures_and_for_encryption_are_told_apart() {
    let own = SigningKey::generate(SigningAlg::Es256).unwrap();
    let both = Client {
        auth: Auth::PrivateKeyJwt,
        secret_sha256: None,
        ..with(vec![own.public().clone(), key()])
    };
    assert_eq!(both.check(), []);
    let sent = both.encrypted(Encrypted::IdToken, Content::Claims(b"{}"), &[7; 112]);
    assert!(hers().open(&sent.unwrap().unwrap()).is_ok());
    let only_encryption = Client {
        jwks: Some(JwkSet { keys: vec![key()] }),
        ..both
    };
    let said = flaws(&only_encryption);
    assert_eq!(said, ["`jwks` must list 1 to 10 public keys"]);
}

/// [OIDC Registration §2] "When id_token_encrypted_response_enc is included, id_token_encrypted_response_alg MUST also be provided."
#[test]
fn what_could_not_be_encrypted_is_refused_when_it_is_registered() {
    let without = Client {
        jwks: None,
        ..with(vec![])
    };
    let said = flaws(&without);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("`id_token_encrypted_response_alg` is \"ECDH-ES\"")
            && said[0].contains("P-256 or X25519")
    );
    assert_eq!(
        without.encrypted(Encrypted::IdToken, Content::Claims(b""), &[7; 112]),
        Err(JweError::NoKey)
    );
    let lone = Client {
        userinfo_encrypted_response_enc: Some(ContentEncryption::A256Gcm),
        ..ent()
    };
    assert!(flaws(&lone)[0].starts_with("`userinfo_encrypted_response_enc` is given without"));
    let rsa = Client {
        introspection_encrypted_response_alg: Some(KeyManagement::RsaOaep256),
        ..with(vec![key()])
    };
    assert!(flaws(&rsa)[0].contains("RSA with 2048 bit or more"));
    let unused = Client {
        id_token_encrypted_response_alg: None,
        ..with(vec![key()])
    };
    assert!(flaws(&unused)[0].contains("nothing is encrypted to this application"));
}

#[test]
fn a_key_of_the_wrong_use_kind_or_algorithm_is_no_key() {
    for (name, value) in [
        ("use", json!("sig")),
        ("use", serde_json::Value::Null),
        ("use", json!("ENC")),
        ("alg", json!("ES256")),
        ("alg", json!("RSA-OAEP")),
        ("alg", json!("ECDH-ES+A256KW")),
        ("crv", json!("P-521")),
        ("kty", json!("RSA")),
        ("y", json!("AA")),
        ("y", json!(key().x)),
        ("d", json!("AA")),
        ("k", json!("AA")),
    ] {
        let client = with(vec![changed(name, value.clone())]);
        assert!(!client.check().is_empty(), "{name} {value}");
        let sent = client.encrypted(Encrypted::IdToken, Content::Claims(b""), &[7; 112]);
        assert_eq!(sent, Err(JweError::NoKey), "{name} {value}");
    }
    let private = with(vec![changed("d", json!("AA"))]);
    assert!(private.check().contains(&ClientFlaw::Key(JwkFlaw::Private)));
    let many = with(
        (0..11)
            .map(|n| changed("kid", json!(format!("k{n}"))))
            .collect(),
    );
    assert!(many.check().contains(&ClientFlaw::KeysMissing));
    let nameless = with(vec![key(), changed("kid", serde_json::Value::Null)]);
    assert!(nameless.check().contains(&ClientFlaw::KeyNames));
    for unknown in ["RSA1_5", "dir", "none", "PBES2-HS256+A128KW"] {
        let text = toml::to_string(&with(vec![key()])).unwrap();
        let text = text.replace("\"ECDH-ES\"", &format!("{unknown:?}"));
        assert!(toml::from_str::<Client>(&text).is_err(), "{unknown}");
    }
}
