//! Request objects, right and wrong in every way we know.

use super::*;
use crate::Secret;
use crate::jose::{Content, ContentEncryption, JwkSet, KeyManagement, SigningAlg, SigningKey};
use crate::oauth::authorize::{Authorize, Refused, parse};
use crate::oauth::client::Auth;
use crate::testing::{NOW, ent, issuer};
use serde_json::{Value, json};

fn key() -> SigningKey {
    SigningKey::generate(SigningAlg::Es256).unwrap()
}

/// The ENT, with this key.
fn signing(key: &SigningKey) -> Client {
    Client {
        auth: Auth::PrivateKeyJwt,
        secret_sha256: None,
        jwks: Some(JwkSet {
            keys: vec![key.public().clone()],
        }),
        ..ent()
    }
}

fn good() -> Value {
    json!({
        "iss": "ent", "aud": "https://id.example", "exp": NOW + 60, "nbf": NOW, "jti": "j",
        "client_id": "ent", "response_type": "code", "scope": "openid email",
        "redirect_uri": "https://edu.example/callback", "state": "s", "max_age": 300,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256", "unknown": ["x"], "login_hint": null,
        "claims": { "userinfo": { "name": null } },
    })
}

fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

fn asks(client: &Client, by: Door, query: &str) -> Result<Authorize, Refused> {
    let issuer = issuer();
    let received = Received {
        issuer: &issuer,
        now: NOW,
        by,
        numbers: &[Secret::new(vec![3; 32])],
    };
    parse(query.as_bytes(), &received, |id| {
        (id == client.id).then_some(client)
    })
}

fn sent(key: &SigningKey, typ: &str, claims: &Value) -> Result<Authorize, Refused> {
    let object = key.sign(typ, claims).unwrap();
    let query = format!("client_id=ent&request={object}&scope=phone&state=outside");
    asks(&signing(key), Door::Browser, &query)
}

/// [C14] [RFC 9101 §6.3] "The authorization server MUST only use the parameters in the Request Object, even if the same parameter is provided in the query parameter."
/// [RFC 9101 §5] "The client MAY send the parameters included in the Request Object duplicated in the query parameters as well for backward compatibility, etc. However, the authorization server supporting this specification MUST only use the parameters included in the Request Object."
/// [RFC 9101 §4] "The value of aud should be the value of the authorization server (AS) issuer, as defined in RFC 8414 [RFC8414]."
#[test]
fn what_is_signed_counts_and_nothing_beside_it() {
    let key = key();
    for typ in ["JWT", "oauth-authz-req+jwt"] {
        let request = sent(&key, typ, &good()).unwrap();
        assert_eq!(request.state.as_deref(), Some("s"));
        assert_eq!(request.scope.to_string(), "openid email");
        assert_eq!(request.max_age, Some(300));
        assert_eq!(request.claims.named.scope().to_string(), "profile");
    }
    let bare = sent(&key, "JWT", &without("state")).unwrap();
    assert_eq!(bare.state, None, "nothing is taken from beside the object");
    let told = sent(&key, "JWT", &with("code_challenge_method", json!("plain")));
    let fault = told.map(drop).unwrap_err();
    assert_eq!(fault.fault(), Fault::ChallengeMethod);
    assert!(fault.reply(&issuer()).is_some(), "the application is told");
}

/// [C14] [RFC 9101 §6.2] "If the key is not associated with the client or if signature validation fails, the authorization server MUST return an invalid_request_object error to the client in response to the authorization request."
/// [RFC 9101 §6.3] "The client ID values in the client_id request parameter and in the Request Object client_id claim MUST be identical."
/// [RFC 9101 §4] "request and request_uri parameters MUST NOT be included in Request Objects."
#[test]
fn an_object_that_is_not_right_leads_nowhere() {
    let key = key();
    for wrong in [
        without("iss"),
        without("aud"),
        without("exp"),
        without("client_id"),
        with("iss", json!("ism")),
        with("client_id", json!("ism")),
        with("sub", json!("ent")),
        with("aud", json!("https://other.example")),
        with(
            "aud",
            json!(["https://id.example", "https://other.example"]),
        ),
        with("aud", json!([])),
        with("exp", json!(NOW - 11)),
        with("exp", json!(NOW + 3_611)),
        with("exp", json!("soon")),
        with("nbf", json!(NOW + 11)),
        with("nbf", json!(NOW - 3_700)),
        with("iat", json!(NOW + 11)),
        with("jti", json!("")),
        with("jti", json!(7)),
        with("request", json!("x")),
        with("request_uri", json!("urn:x")),
        with("claims", json!("{}")),
        with("state", json!("a\u{0}b")),
        with("prompt", json!(["login"])),
        with(
            "acr_values",
            json!({ "value": "https://refeds.org/profile/mfa" }),
        ),
        with("dpop_jkt", json!(true)),
        json!([]),
    ] {
        let refused = sent(&key, "JWT", &wrong).map(drop).unwrap_err();
        assert_eq!(refused, Refused::Page(Fault::RequestObjectWrong), "{wrong}");
    }
    assert_eq!(
        Fault::RequestObjectWrong.row().code,
        "invalid_request_object"
    );
    for typ in ["at+jwt", "dpop+jwt", "client-authentication+jwt"] {
        assert!(sent(&key, typ, &good()).is_err(), "{typ}");
    }
}

/// [C14] [C17] An object may be long by what nobody here reads. What counts in it, and what stands beside it, may
/// not, and without one nothing may.
#[test]
fn an_object_may_be_long_and_what_it_asks_for_may_not() {
    let key = key();
    let long = sent(
        &key,
        "JWT",
        &with("certificates", json!("x".repeat(15_000))),
    )
    .unwrap();
    assert!(long.by_reference && long.state.as_deref() == Some("s"));
    for (wrong, fault) in [
        (
            with("certificates", json!("x".repeat(30_000))),
            Fault::TooLong,
        ),
        (
            with("id_token_hint", json!("x".repeat(5_000))),
            Fault::RequestObjectWrong,
        ),
    ] {
        let refused = sent(&key, "JWT", &wrong).map(drop).unwrap_err();
        assert_eq!(refused, Refused::Page(fault));
    }
    let plain = format!("client_id=ent&state={}", "x".repeat(9_000));
    let object = key.sign("JWT", &good()).unwrap();
    for (client, query) in [
        (signing(&key), plain.clone()),
        (ent(), format!("{plain}&request={object}")),
        (
            signing(&key),
            format!("{plain}&padding={}&request={object}", "x".repeat(31_000)),
        ),
    ] {
        let refused = asks(&client, Door::Browser, &query).map(drop).unwrap_err();
        assert_eq!(refused, Refused::Page(Fault::TooLong));
    }
}

/// [C10] [C13] [C17] Unsigned, by another's key, damaged, twice, or somewhere else.
#[test]
fn nobody_else_signs_for_an_application() {
    let (key, stranger) = (key(), key());
    let client = signing(&key);
    let object = key.sign("JWT", &good()).unwrap();
    let (head, rest) = object.split_once('.').unwrap();
    let unsigned = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
    let payload = rest.split('.').next().unwrap();
    let twice = br#"{"iss":"ent","iss":"ent"}"#;
    let twice = data_encoding::BASE64URL_NOPAD.encode(twice);
    for object in [
        stranger.sign("JWT", &good()).unwrap(),
        format!("{unsigned}.{payload}."),
        format!("{unsigned}.{payload}.AAAA"),
        format!("{head}.{twice}.{}", rest.split('.').nth(1).unwrap()),
        format!("{head}.{payload}"),
        "x".to_owned(),
    ] {
        let query = format!("client_id=ent&request={object}");
        let refused = asks(&client, Door::Browser, &query).unwrap_err();
        assert_eq!(
            refused,
            Refused::Page(Fault::RequestObjectWrong),
            "{object}"
        );
    }
    for beside in [
        "request=x",
        "request_uri=https://evil.example/x",
        "scope=a&scope=b",
    ] {
        let query = format!("client_id=ent&request={object}&{beside}");
        let refused = asks(&client, Door::Browser, &query).unwrap_err();
        assert!(matches!(refused, Refused::Page(_)), "{beside}");
    }
    // Without registered keys it is not supported, as before.
    let query = format!("client_id=ent&redirect_uri=https://edu.example/callback&request={object}");
    let refused = asks(&ent(), Door::Browser, &query).unwrap_err();
    assert_eq!(refused.fault(), Fault::RequestObject);
}

const PLAIN: &str = "client_id=ent&response_type=code&scope=openid\
    &redirect_uri=https://edu.example/callback&code_challenge_method=S256\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// [C14] [RFC 9101 §10.5] "When the value of it as client metadata is true, then the server MUST reject the authorization request from the client that does not conform to this specification."
/// [RFC 9126 §6] "Boolean parameter indicating whether the only means of initiating an authorization request the client is allowed to use is PAR."
#[test]
fn an_application_may_be_bound_to_sign_or_to_hand_over() {
    let key = key();
    let bound = Client {
        require_signed_request_object: true,
        ..signing(&key)
    };
    let pushing = Client {
        require_par: true,
        ..signing(&key)
    };
    let signed = format!(
        "client_id=ent&request={}",
        key.sign("JWT", &good()).unwrap()
    );
    for (client, by, query, fault) in [
        (
            &bound,
            Door::Browser,
            PLAIN,
            Some(Fault::RequestObjectNeeded),
        ),
        (
            &bound,
            Door::Application,
            PLAIN,
            Some(Fault::RequestObjectNeeded),
        ),
        (&bound, Door::Browser, &signed, None),
        (&pushing, Door::Browser, PLAIN, Some(Fault::NotPushed)),
        (&pushing, Door::Browser, &signed, Some(Fault::NotPushed)),
        (&pushing, Door::Application, PLAIN, None),
        (&pushing, Door::Application, &signed, None),
    ] {
        let refused = asks(client, by, query).err();
        assert_eq!(
            refused.map(|refused| refused.fault()),
            fault,
            "{by:?} {query}"
        );
    }
}

/// [C14] [RFC 9101 §6.1] "If the Request Object is encrypted, the authorization server MUST decrypt the JWT in accordance with the [RFC7516] specification."
/// [RFC 9101 §6.1] "If decryption fails, the authorization server MUST return an invalid_request_object error to the client in response to the authorization request."
#[test]
fn an_encrypted_request_counts_if_it_is_signed_inside() {
    let (key, ours) = (key(), crate::testing::hers());
    let sealed = |keys: &DecryptingKeys, content: Content<'_>| {
        let to = keys.published().unwrap();
        let to = to.encrypting(KeyManagement::EcdhEsA256Kw).unwrap();
        to.encrypt(content, ContentEncryption::A256Gcm, &[7; 112])
            .unwrap()
    };
    let asks = |object: &str| {
        let query = format!("client_id=ent&request={object}&scope=phone&state=outside");
        asks(&signing(&key), Door::Browser, &query)
    };
    let signed = key.sign("oauth-authz-req+jwt", &good()).unwrap();
    let hidden = sealed(&ours, Content::Jwt(&signed));
    assert_eq!(asks(&hidden).unwrap().state.as_deref(), Some("s"));
    let bare = good().to_string();
    let another = DecryptingKeys::of(&[Secret::new(vec![4; 32])]);
    let twice = sealed(&ours, Content::Jwt(&hidden));
    for wrong in [
        sealed(&ours, Content::Claims(bare.as_bytes())),
        sealed(&ours, Content::Claims(&[0xff, 0xfe])),
        sealed(&ours, Content::Jwt("")),
        sealed(&another, Content::Jwt(&signed)),
        twice,
        hidden[..hidden.len() - 4].to_owned(),
        "....".to_owned(),
    ] {
        let fault = asks(&wrong).unwrap_err().fault();
        assert_eq!(fault, Fault::RequestObjectWrong, "{wrong}");
    }
}
