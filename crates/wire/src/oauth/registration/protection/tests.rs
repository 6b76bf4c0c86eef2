//! Strangers protect what is theirs as well as anybody.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::*;
use crate::certificate::testing::subject;
use crate::jose::SigningKey;
use crate::oauth::client::secret_digest;
use crate::oauth::registration::tests::{SECRET, bounds, own, registered, shown, wish, with};
use crate::oauth::registration::{Bundle, Registered};
use crate::testing::hers;

/// [C17] [RFC 7591 §3.2.1] "the authorization server MUST return all registered metadata about this client, including any fields provisioned by the authorization server itself."
/// How it is protected an application chooses as one does that a technician registers.
#[test]
fn answers_are_signed_and_encrypted_for_those_who_register_themselves_too() {
    let (own, hers) = (SigningKey::generate(SigningAlg::Es256).unwrap(), hers());
    let (signs, opens) = (own.public(), hers.published().unwrap());
    let asks = json!({
        "redirect_uris": ["https://choir.example/cb"],
        "id_token_encrypted_response_alg": "ECDH-ES",
        "userinfo_signed_response_alg": "ES256",
        "userinfo_encrypted_response_alg": "ECDH-ES+A256KW", "userinfo_encrypted_response_enc": "A256GCM",
        "introspection_signed_response_alg": "RS256",
        "introspection_encrypted_response_alg": "ECDH-ES",
        "authorization_signed_response_alg": "ES256",
        "authorization_encrypted_response_alg": "ECDH-ES", "authorization_encrypted_response_enc": "A128GCM",
        "request_object_encryption_alg": "ECDH-ES", "request_object_encryption_enc": "A256GCM",
        "dpop_bound_access_tokens": true, "require_pushed_authorization_requests": true,
        "jwks": { "keys": [signs, opens] },
    });
    let comes = registered(&asks).unwrap();
    let shown = shown(&comes);
    for (name, value) in asks.as_object().unwrap() {
        match name.as_str() {
            // What nothing is done with is not registered; the other key would verify nothing.
            "request_object_encryption_alg" | "request_object_encryption_enc" => {
                assert_eq!(shown[name], Value::Null, "{name}");
            }
            "jwks" => assert_eq!(shown[name], json!({ "keys": [opens] })),
            _ => assert_eq!(shown[name], *value, "{name}"),
        }
    }
    assert_eq!(shown["id_token_encrypted_response_enc"], "A128CBC-HS256");
    let client = &comes.client;
    assert!(client.dpop_bound && client.require_par && client.is_answered_by_jwt());
    assert_eq!(Registered::read(&comes.document()), Ok(comes));
    // Without a key nothing is encrypted, and nothing is told in the clear instead.
    for what in ["id_token", "userinfo", "introspection", "authorization"] {
        let setting = format!("{what}_encrypted_response_alg");
        let keyless = with(&setting, json!("ECDH-ES"));
        assert!(matches!(registered(&keyless), Err(Refused::Metadata(_))));
        let mut other_key = with(&setting, json!("ECDH-ES"));
        other_key["jwks"] = json!({ "keys": [signs] });
        assert!(matches!(registered(&other_key), Err(Refused::Metadata(_))));
    }
}

/// [C17] A certificate that is registered itself is taken where certificates are asked for; no authority is believed
/// because a stranger names it.
#[test]
fn a_certificate_is_registered_itself_or_not_at_all() {
    let own_key = SigningKey::generate(SigningAlg::Es256).unwrap();
    let pair = rcgen::KeyPair::try_from(own_key.to_pkcs8().unwrap().expose()).unwrap();
    let certificate = subject(&[]).self_signed(&pair).unwrap();
    let mut key = serde_json::to_value(own_key.public()).unwrap();
    key["x5c"] = json!([BASE64.encode(certificate.der())]);
    let mut asks = with(
        "token_endpoint_auth_method",
        json!("self_signed_tls_client_auth"),
    );
    asks["jwks"] = json!({ "keys": [key] });
    asks["tls_client_certificate_bound_access_tokens"] = json!(true);
    let digest = secret_digest(SECRET.as_bytes());
    let where_asked = |said: &Value| {
        let own = Own {
            mtls: true,
            ..own(&digest, None)
        };
        wish(said)?.registered(&bounds(Bundle::Profile), &own)
    };
    let comes = where_asked(&asks).unwrap();
    assert_eq!(comes.client.auth, Auth::SelfSignedTlsClientAuth);
    assert!(comes.client.tls_client_certificate_bound_access_tokens);
    assert_eq!(comes.client.secret_sha256, None);
    let shown = shown(&comes);
    for name in [
        "token_endpoint_auth_method",
        "tls_client_certificate_bound_access_tokens",
        "jwks",
    ] {
        assert_eq!(shown[name], asks[name], "{name}");
    }
    assert!(matches!(registered(&asks), Err(Refused::Metadata(_))));
    // Its tokens may be bound to a certificate, however it proves itself; not to two things.
    let mut bound = with("tls_client_certificate_bound_access_tokens", json!(true));
    assert!(where_asked(&bound).is_ok());
    bound["dpop_bound_access_tokens"] = json!(true);
    assert!(matches!(where_asked(&bound), Err(Refused::Metadata(_))));
    let mut native = asks.clone();
    native["application_type"] = json!("native");
    let mut without = asks.clone();
    without["jwks"] = Value::Null;
    let mut not_of_that_key = asks.clone();
    let other = SigningKey::generate(SigningAlg::Es256).unwrap();
    let mut key = serde_json::to_value(other.public()).unwrap();
    key["x5c"] = asks["jwks"]["keys"][0]["x5c"].clone();
    not_of_that_key["jwks"] = json!({ "keys": [key] });
    let mut vouched = asks.clone();
    vouched["token_endpoint_auth_method"] = json!("tls_client_auth");
    vouched["tls_client_auth_san_dns"] = json!("choir.example");
    for bad in [native, without, not_of_that_key, vouched] {
        assert!(
            matches!(where_asked(&bad), Err(Refused::Metadata(_))),
            "{bad}"
        );
    }
}

/// [C17] [C09] What cannot be done is refused and not left out.
#[test]
fn a_wish_that_is_not_granted_is_refused_by_its_name() {
    for (name, value) in [
        ("userinfo_signed_response_alg", json!("PS256")),
        ("introspection_signed_response_alg", json!("HS256")),
        ("authorization_signed_response_alg", json!("none")),
        ("authorization_encrypted_response_alg", json!("RSA1_5")),
        ("userinfo_encrypted_response_alg", json!("dir")),
        ("userinfo_encrypted_response_enc", json!("A128GCM")),
        ("introspection_encrypted_response_enc", json!(7)),
        ("request_object_encryption_alg", json!("RSA-OAEP")),
        ("request_object_encryption_enc", json!("A192GCM")),
        ("token_endpoint_auth_method", json!("tls_client_auth")),
        (
            "token_endpoint_auth_method",
            json!("self_signed_tls_client_auth"),
        ),
    ] {
        let refused = registered(&with(name, value.clone())).unwrap_err();
        let body: Value = serde_json::from_slice(&refused.answer().body).unwrap();
        assert_eq!(body["error"], "invalid_client_metadata", "{name} {value}");
        let sentence = body["error_description"].as_str().unwrap();
        assert!(sentence.is_ascii() && sentence.contains(name), "{sentence}");
    }
}
