//! `/token`: every way to authenticate, every way to redeem somebody else's code.

use super::*;
use crate::jose::{JwkSet, SigningAlg, SigningKey};
use crate::oauth::client::{Auth, Client};
use crate::oauth::scope::Scope;
use crate::testing::{ENT_SECRET, NOW, Odd, ent, issuer, native};
use data_encoding::BASE64;
use serde_json::{Value, json};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn body(more: &[(&str, &str)]) -> String {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", "sealed"),
        ("redirect_uri", "https://edu.example/callback"),
        ("code_verifier", VERIFIER),
    ];
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(
        pairs
            .iter()
            .filter(|(name, _)| more.iter().all(|(n, _)| n != name)),
    );
    form.extend_pairs(more).finish()
}

fn read(authorization: Option<&str>, body: &str) -> Result<TokenRequest, Fault> {
    TokenRequest::parse(&Incoming {
        content_type: Some("application/x-www-form-urlencoded; charset=UTF-8"),
        authorization,
        body: body.as_bytes(),
        certificate: None,
    })
}

fn header(id: &str, secret: &str) -> String {
    format!(
        "Basic {}",
        BASE64.encode(format!("{id}:{secret}").as_bytes())
    )
}

fn by_basic(secret: &str) -> Result<TokenRequest, Fault> {
    read(Some(&header("ent", secret)), &body(&[]))
}

pub(super) fn enters(
    request: Result<TokenRequest, Fault>,
    client: &Client,
) -> Result<Authenticated, Fault> {
    authenticate(&request?.posted, Some(client), &issuer(), NOW)
}

/// What a code is redeemed with.
fn redeem(
    who: &Authenticated,
    request: &TokenRequest,
    grant: &Grant,
    now: i64,
) -> Result<(), Fault> {
    match &request.asked {
        Asked::Code(request) => super::redeem(who, request, grant, now),
        _ => panic!("no code"),
    }
}

fn grant() -> Grant {
    Grant {
        id: "g1".to_owned(),
        client_id: "ent".to_owned(),
        redirect_uri: "https://edu.example/callback".to_owned(),
        code_challenge: CHALLENGE.to_owned(),
        nonce: None,
        scope: Scope::understood("openid"),
        subject: "anna".to_owned(),
        pseudonym: None,
        claims: crate::oidc::claims::Named::default(),
        key: None,
        sid: None,
        auth_time: NOW - 5,
        acr: "https://refeds.org/profile/sfa".to_owned(),
        amr: vec!["pwd".to_owned()],
        expires_at: NOW + 60,
    }
}

pub(super) fn fault<T>(result: Result<T, Fault>) -> Option<Fault> {
    result.err()
}

/// [RFC 6749 §2.3.1] "The authorization server MUST support the HTTP Basic authentication scheme for authenticating clients that were issued a client password."
#[test]
fn an_application_enters_with_its_secret_in_the_header() {
    assert_eq!(
        enters(by_basic(ENT_SECRET), &ent()).unwrap().client_id(),
        "ent"
    );
    let with_id = read(
        Some(&header("ent", ENT_SECRET)),
        &body(&[("client_id", "ent")]),
    );
    assert!(enters(with_id, &ent()).unwrap().spend().is_none());
    let lower = header("ent", ENT_SECRET).replace("Basic", "basic");
    assert!(enters(read(Some(&lower), &body(&[])), &ent()).is_ok());
}

/// [RFC 6749 §2.3.1] "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B, and the encoded value is used as the username; the client password is encoded using the same algorithm and used as the password."
#[test]
fn name_and_secret_in_the_header_are_form_decoded() {
    let odd_secret = "a+b:c%20é-0123456789012345678901234567890123";
    let secret_sha256 = Some(crate::oauth::client::secret_digest(odd_secret.as_bytes()));
    let client = Client {
        secret_sha256,
        ..ent()
    };
    let encoded: String = form_urlencoded::byte_serialize(odd_secret.as_bytes()).collect();
    assert!(enters(by_basic(&encoded), &client).is_ok());
    assert_eq!(
        fault(enters(by_basic(odd_secret), &client)),
        Some(Fault::ClientNotItself)
    );
}

/// [C08] Wrong, empty, missing and misplaced secrets fail alike.
#[test]
fn every_wrong_secret_fails() {
    for wrong in ["", "wrong", &ENT_SECRET[1..], &format!("{ENT_SECRET}x")] {
        assert_eq!(
            fault(enters(by_basic(wrong), &ent())),
            Some(Fault::ClientNotItself),
            "{wrong}"
        );
    }
    let no_secret = read(None, &body(&[("client_id", "ent")]));
    assert_eq!(
        fault(enters(no_secret, &ent())),
        Some(Fault::ClientNotItself)
    );
    let empty = read(None, &body(&[("client_id", "ent"), ("client_secret", "")]));
    assert_eq!(fault(enters(empty, &ent())), Some(Fault::ClientNotItself));
    let post = read(
        None,
        &body(&[("client_id", "ent"), ("client_secret", ENT_SECRET)]),
    );
    assert_eq!(fault(enters(post, &ent())), Some(Fault::ClientNotItself));
    let disabled = Client {
        enabled: false,
        ..ent()
    };
    assert_eq!(
        fault(enters(by_basic(ENT_SECRET), &disabled)),
        Some(Fault::ClientNotItself)
    );
    let unknown = authenticate(&by_basic(ENT_SECRET).unwrap().posted, None, &issuer(), NOW);
    assert_eq!(fault(unknown), Some(Fault::ClientNotItself));
    let other = Client {
        id: "ism".to_owned(),
        ..ent()
    };
    assert_eq!(
        fault(enters(by_basic(ENT_SECRET), &other)),
        Some(Fault::ClientNotItself)
    );
}

/// [RFC 6749 §2.3.1] "The authorization server MUST support the HTTP Basic authentication scheme for authenticating clients that were issued a client password."
#[test]
fn who_has_a_secret_may_always_send_it_in_the_header_and_who_has_none_an_empty_one() {
    let post = Client {
        auth: Auth::Post,
        ..ent()
    };
    assert!(enters(by_basic(ENT_SECRET), &post).is_ok());
    assert_eq!(
        fault(enters(by_basic("wrong"), &post)),
        Some(Fault::ClientNotItself)
    );
    let as_native = |secret: &str| read(Some(&header("native", secret)), &body(&[]));
    assert!(enters(as_native(""), &native()).is_ok());
    assert_eq!(
        fault(enters(as_native("x"), &native())),
        Some(Fault::ClientNotItself)
    );
}

#[test]
fn an_application_enters_with_its_secret_in_the_form_if_so_registered() {
    let client = Client {
        auth: Auth::Post,
        ..ent()
    };
    let good = read(
        None,
        &body(&[("client_id", "ent"), ("client_secret", ENT_SECRET)]),
    );
    assert!(enters(good, &client).is_ok());
}

#[test]
fn a_public_application_enters_without_secret_and_only_so() {
    let named = || read(None, &body(&[("client_id", "native")]));
    assert!(enters(named(), &native()).is_ok());
    let with_secret = read(
        None,
        &body(&[("client_id", "native"), ("client_secret", "x")]),
    );
    assert_eq!(
        fault(enters(with_secret, &native())),
        Some(Fault::ClientNotItself)
    );
    assert_eq!(fault(read(None, &body(&[]))), Some(Fault::ClientMissing));
}

/// [RFC 6749 §2.3] "The client MUST NOT use more than one authentication method in each request."
#[test]
fn two_ways_of_authenticating_are_refused() {
    let basic = header("ent", ENT_SECRET);
    for more in [
        &[("client_secret", ENT_SECRET), ("client_id", "ent")][..],
        &[
            ("client_assertion", "a.b.c"),
            ("client_assertion_type", JWT_BEARER),
        ],
        &[("client_id", "ism")],
        &[("client_assertion_type", JWT_BEARER)],
    ] {
        assert_eq!(
            fault(read(Some(&basic), &body(more))),
            Some(Fault::TwoMechanisms),
            "{more:?}"
        );
    }
    let both = [
        ("client_id", "ent"),
        ("client_secret", "x"),
        ("client_assertion", "a.b.c"),
    ];
    assert_eq!(fault(read(None, &body(&both))), Some(Fault::TwoMechanisms));
    for bad in [
        "",
        "Basic",
        "Bearer abc",
        "Basic ???",
        "Basic ZW50",
        "Basic OiU=",
    ] {
        assert!(
            matches!(
                fault(read(Some(bad), &body(&[]))),
                Some(Fault::HeaderMalformed)
            ),
            "{bad}"
        );
    }
}

#[test]
fn only_forms_of_a_bearable_size_are_read() {
    for other in [
        None,
        Some("application/json"),
        Some("multipart/form-data"),
        Some(""),
    ] {
        let text = body(&[("client_id", "native")]);
        let incoming = Incoming {
            content_type: other,
            authorization: None,
            body: text.as_bytes(),
            certificate: None,
        };
        assert_eq!(fault(TokenRequest::parse(&incoming)), Some(Fault::NotAForm));
    }
    assert_eq!(
        fault(read(None, &"a".repeat(16 * 1024 + 1))),
        Some(Fault::TooLong)
    );
    assert_eq!(fault(read(None, "client_id=%ff")), Some(Fault::Malformed));
}

/// [C04] [C13]
#[test]
fn other_grants_and_repeated_parameters_are_refused() {
    let grant_type = |kind| {
        read(
            None,
            &body(&[("client_id", "native"), ("grant_type", kind)]),
        )
    };
    for other in [
        "password",
        "client_credential",
        "implicit",
        "AUTHORIZATION_CODE",
    ] {
        assert_eq!(fault(grant_type(other)), Some(Fault::GrantTypeUnsupported));
    }
    assert_eq!(fault(grant_type("")), Some(Fault::GrantTypeMissing));
    assert_eq!(
        fault(read(None, &body(&[("client_id", "x"), ("code", "")]))),
        Some(Fault::CodeMissing)
    );
    for name in [
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "client_id",
        "unheard_of",
    ] {
        let twice = format!(
            "{}&client_id=native&{name}=1&{name}=1",
            body(&[("client_id", "native")])
        );
        assert_eq!(fault(read(None, &twice)), Some(Fault::Repeated), "{name}");
    }
}

/// [C02] [OIDC Core §3.1.3.2] "Ensure the Authorization Code was issued to the authenticated Client."
/// [RFC 6749 §4.1.2] "The authorization code is bound to the client identifier and redirection URI."
/// [RFC 7636 §4.6] "If the values are not equal, an error response indicating "invalid_grant" as described in Section 5.2 of [RFC6749] MUST be returned."
#[test]
fn a_code_of_another_application_address_or_verifier_is_refused() {
    let who = enters(by_basic(ENT_SECRET), &ent()).unwrap();
    let request = by_basic(ENT_SECRET).unwrap();
    assert_eq!(redeem(&who, &request, &grant(), NOW), Ok(()));
    let other_client = Grant {
        client_id: "ism".to_owned(),
        ..grant()
    };
    let other_place = Grant {
        redirect_uri: "https://edu.example/callback2".to_owned(),
        ..grant()
    };
    let other_challenge = Grant {
        code_challenge: CHALLENGE.to_lowercase(),
        ..grant()
    };
    let no_challenge = Grant {
        code_challenge: String::new(),
        ..grant()
    };
    for other in [other_client, other_place, other_challenge, no_challenge] {
        assert_eq!(redeem(&who, &request, &other, NOW), Err(Fault::CodeNotGood));
    }
    let no_place = read(
        Some(&header("ent", ENT_SECRET)),
        &body(&[("redirect_uri", "")]),
    )
    .unwrap();
    assert_eq!(
        redeem(&who, &no_place, &grant(), NOW),
        Err(Fault::CodeNotGood)
    );
    assert_eq!(Fault::CodeNotGood.row().code, "invalid_grant");
}

/// [FAPI 2.0 §5.3.2.1] "shall issue authorization codes with a maximum lifetime of 60 seconds"
/// [C02] [RFC 6749 §4.1.2] "The authorization code MUST expire shortly after it is issued to mitigate the risk of leaks."
#[test]
fn a_code_lives_one_minute_at_most() {
    let who = enters(by_basic(ENT_SECRET), &ent()).unwrap();
    let request = by_basic(ENT_SECRET).unwrap();
    let at = |expires_at, now| {
        redeem(
            &who,
            &request,
            &Grant {
                expires_at,
                ..grant()
            },
            now,
        )
    };
    assert_eq!(at(NOW + 1, NOW), Ok(()));
    assert_eq!(at(NOW, NOW), Err(Fault::CodeNotGood));
    assert_eq!(at(NOW + 60, NOW), Ok(()));
    // The clock of the node that made it is ahead of ours.
    assert_eq!(at(NOW + 120, NOW), Ok(()));
    assert_eq!(at(NOW + 121, NOW), Err(Fault::CodeNotGood));
    assert_eq!(at(i64::MAX, NOW), Err(Fault::CodeNotGood));
}

/// [C03] [RFC 7636 §4.1] "with a minimum length of 43 characters and a maximum length of 128 characters."
#[test]
fn a_verifier_has_43_to_128_unreserved_characters() {
    let who = enters(by_basic(ENT_SECRET), &ent()).unwrap();
    let redeemed = |verifier: &str| {
        let request = read(
            Some(&header("ent", ENT_SECRET)),
            &body(&[("code_verifier", verifier)]),
        )
        .unwrap();
        let code_challenge = crate::oauth::authorize::challenge_of(verifier);
        redeem(
            &who,
            &request,
            &Grant {
                code_challenge,
                ..grant()
            },
            NOW,
        )
    };
    assert_eq!(redeemed(&"a".repeat(43)), Ok(()));
    assert_eq!(redeemed(&"~".repeat(128)), Ok(()));
    for bad in [
        String::new(),
        "a".repeat(42),
        "a".repeat(129),
        format!("{}+", "a".repeat(43)),
        "é".repeat(30),
    ] {
        assert_eq!(redeemed(&bad), Err(Fault::VerifierMalformed), "{bad}");
    }
}

pub(super) fn signing_client() -> (SigningKey, Client) {
    let key = SigningKey::generate(SigningAlg::Es256).unwrap();
    let jwks = Some(JwkSet {
        keys: vec![key.public().clone()],
    });
    (
        key,
        Client {
            auth: Auth::PrivateKeyJwt,
            secret_sha256: None,
            jwks,
            ..ent()
        },
    )
}

pub(super) fn honest() -> Value {
    json!({"iss": "ent", "sub": "ent", "aud": "https://id.example/token", "exp": NOW + 60,
        "iat": NOW, "jti": "j-1"})
}

pub(super) fn by_assertion(assertion: &str) -> Result<TokenRequest, Fault> {
    read(
        None,
        &body(&[
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", assertion),
        ]),
    )
}

/// [C08] The assertion's id comes back, to be consumed once.
#[test]
fn an_application_enters_with_an_assertion_whose_id_is_then_spent() {
    let (key, client) = signing_client();
    for audience in [
        json!("https://id.example/token"),
        json!("https://id.example"),
        json!(["https://id.example/token", "https://id.example"]),
    ] {
        for typ in ["JWT", "client-authentication+jwt"] {
            let mut claims = honest();
            claims["aud"] = audience.clone();
            let who = enters(by_assertion(&key.sign(typ, &claims).unwrap()), &client).unwrap();
            let spend = who.spend().unwrap();
            assert_eq!(
                *spend,
                SpendOnce {
                    id: "ent j-1".to_owned(),
                    until: NOW + 70
                }
            );
        }
    }
}

/// [C08] [C10] Each claim removed or altered is refused.
///
/// [RFC 7523 §3] "The authorization server MUST reject any JWT that does not contain its own identity as the intended audience."
/// [RFC 7523 §3] "For client authentication, the subject MUST be the "client_id" of the OAuth client."
/// [RFC 7523 §3] "The authorization server MUST reject any JWT with an expiration time that has passed, subject to allowable clock skew between systems."
/// [RFC 7523 §3] "The JWT MAY contain an "nbf" (not before) claim that identifies the time before which the token MUST NOT be accepted for processing."
#[test]
fn an_assertion_with_any_claim_missing_or_altered_is_refused() {
    let (key, client) = signing_client();
    let refused = |claims: &Value| {
        let token = key.sign("JWT", claims).unwrap();
        enters(by_assertion(&token), &client).is_err()
    };
    assert!(!refused(&honest()));
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        let mut claims = honest();
        claims.as_object_mut().unwrap().remove(name);
        assert!(refused(&claims), "without {name}");
        for other in [
            json!(null),
            json!(""),
            json!("ism"),
            json!([]),
            json!(0),
            json!(true),
            json!({}),
        ] {
            // Any text is a unique id.
            if name == "jti" && other == json!("ism") {
                continue;
            }
            claims[name] = other;
            assert!(refused(&claims), "{claims}");
        }
    }
    for (name, value) in [
        ("exp", json!(NOW - 10)),
        ("exp", json!(NOW + 3611)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(1e300)),
        ("nbf", json!(NOW + 11)),
        ("iat", json!(NOW + 11)),
        ("aud", json!(["https://evil.example"])),
        ("aud", json!(["https://evil.example", "https://id.example"])),
        ("aud", json!([])),
        ("aud", json!("https://id.example/token/")),
        ("aud", json!("https://id.example/")),
        ("jti", json!("x".repeat(257))),
    ] {
        let mut claims = honest();
        claims[name] = value;
        assert!(refused(&claims), "{claims}");
    }
}

/// [C09] [RFC 7523 §3] "The authorization server MUST reject JWTs with an invalid signature or MAC."
#[test]
fn an_assertion_that_another_key_signed_or_of_another_type_is_refused() {
    let (key, client) = signing_client();
    let stranger = SigningKey::generate(SigningAlg::Es256).unwrap();
    let forged = stranger.sign("JWT", &honest()).unwrap();
    assert_eq!(
        fault(enters(by_assertion(&forged), &client)),
        Some(Fault::ClientNotItself)
    );
    let id_token = key.sign("at+jwt", &honest()).unwrap();
    assert_eq!(
        fault(enters(by_assertion(&id_token), &client)),
        Some(Fault::ClientNotItself)
    );
    let good = key.sign("JWT", &honest()).unwrap();
    let wrong_type = read(
        None,
        &body(&[("client_assertion_type", "x"), ("client_assertion", &good)]),
    );
    assert_eq!(fault(wrong_type), Some(Fault::ClientNotItself));
    let no_keys = Client {
        jwks: None,
        ..client.clone()
    };
    assert_eq!(
        fault(enters(by_assertion(&good), &no_keys)),
        Some(Fault::ClientNotItself)
    );
    assert_eq!(
        fault(enters(by_assertion(&good), &ent())),
        Some(Fault::ClientNotItself)
    );
}

/// [RFC 6749 §5.1] "The authorization server MUST include the HTTP "Cache-Control" response header field"
/// [OIDC Core §3.1.3.3] "The OAuth 2.0 "token_type" response parameter value MUST be "Bearer""
#[test]
fn tokens_are_answered_as_json_that_nobody_keeps() {
    let answer = TokenAnswer::new("at".to_owned(), 300, "openid email".to_owned())
        .with_id_token("it".to_owned())
        .answer();
    assert_eq!(answer.status, 200);
    assert!(answer.headers.contains(&("cache-control", "no-store")));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(
        body,
        json!({"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": "it",
            "scope": "openid email"})
    );
}

/// [RFC 6749 §5.2] "the authorization server MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field matching the authentication scheme used by the client."
#[test]
fn a_failed_authentication_is_401_and_every_fault_is_json() {
    for fault in Fault::ALL {
        let answer = fault.answer();
        let asks = answer
            .headers
            .iter()
            .any(|(name, _)| *name == "www-authenticate");
        assert_eq!(answer.status == 401, asks);
        assert_eq!(asks, fault.row().code == "invalid_client");
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["error"], fault.row().code);
        assert!(answer.headers.contains(&("cache-control", "no-store")));
    }
}

/// [P07] No bytes make the parser panic.
#[test]
fn odd_bytes_do_no_harm() {
    let good = body(&[("client_id", "native")]);
    let mut odd = Odd(11);
    for _ in 0..10_000 {
        let bytes = odd.bytes(120, b"grant_type=authorization_code&code=%41");
        let _ = TokenRequest::parse(&Incoming {
            content_type: Some("application/x-www-form-urlencoded"),
            authorization: Some(&odd.mutated("Basic ZW50OnNlY3JldA==")),
            body: &bytes,
            certificate: None,
        });
        if let Ok(request) = read(None, &odd.mutated(&good)) {
            assert!(!request.posted.client_id.is_empty());
        }
    }
}
