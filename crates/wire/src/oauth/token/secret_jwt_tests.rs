//! `client_secret_jwt`: the same rules as for a key of one's own, and neither is ever taken for the other.

use serde_json::{Value, json};

use super::tests::{by_assertion, enters, fault, honest, signing_client};
use super::{Fault, SpendOnce};
use crate::jose::{base64url, coded};
use crate::oauth::client::{Auth, Client, Profile, SharedSecret};
use crate::testing::{ENT_SECRET, NOW, coding, ent};

fn by(alg: &str, claims: &Value, secret: &[u8]) -> String {
    coded(&json!({ "alg": alg, "typ": "JWT" }), claims, secret)
}

fn knowing(secret: &[u8]) -> Client {
    let mut kept = SharedSecret::in_file("/etc/furka/ent.secret");
    kept.learn(secret).unwrap();
    Client {
        secret: Some(kept),
        ..coding()
    }
}

fn refused(assertion: &str, client: &Client) -> bool {
    fault(enters(by_assertion(assertion), client)) == Some(Fault::ClientNotItself)
}

/// [C08] [OIDC Core §9] "Clients that have received a client_secret value from the Authorization Server create a JWT using an HMAC SHA algorithm, such as HMAC SHA-256."
#[test]
fn an_application_enters_with_a_code_that_its_secret_makes_and_the_id_is_then_spent() {
    let secret = [b'x'; 64];
    for alg in ["HS256", "HS384", "HS512"] {
        for audience in [
            json!("https://id.example/token"),
            json!("https://id.example"),
            json!(["https://id.example"]),
        ] {
            let mut claims = honest();
            claims["aud"] = audience;
            let who = enters(by_assertion(&by(alg, &claims, &secret)), &knowing(&secret)).unwrap();
            let once = SpendOnce {
                id: "ent j-1".to_owned(),
                until: NOW + 70,
            };
            assert_eq!(who.spend(), Some(&once), "{alg}");
        }
    }
    // 43 letters are enough for the shortest hash, and for no other.
    let short = ENT_SECRET.as_bytes();
    assert!(!refused(&by("HS256", &honest(), short), &coding()));
    for alg in ["HS384", "HS512"] {
        assert!(refused(&by(alg, &honest(), short), &coding()), "{alg}");
    }
}

/// [C08] [C10] [RFC 7523 §3] "The authorization server MUST reject any JWT that does not contain its own identity as the intended audience."
/// [RFC 7523 §3] "For client authentication, the subject MUST be the "client_id" of the OAuth client."
/// [RFC 7523 §3] "The authorization server MUST reject any JWT with an expiration time that has passed, subject to allowable clock skew between systems."
#[test]
fn a_statement_with_any_claim_missing_or_altered_is_refused() {
    let secret = ENT_SECRET.as_bytes();
    for (name, values) in [
        ("iss", vec![Value::Null, json!("other"), json!("")]),
        ("sub", vec![json!("other")]),
        (
            "aud",
            vec![
                Value::Null,
                json!([]),
                json!("https://id.example/userinfo"),
                json!(["https://id.example", "https://other.example"]),
            ],
        ),
        (
            "exp",
            vec![
                Value::Null,
                json!(NOW - 10),
                json!(NOW + 3611),
                json!("soon"),
            ],
        ),
        ("iat", vec![json!(NOW + 11)]),
        ("nbf", vec![json!(NOW + 11)]),
        (
            "jti",
            vec![Value::Null, json!(""), json!("j".repeat(257)), json!(7)],
        ),
    ] {
        for value in values {
            let mut claims = honest();
            claims[name] = value;
            assert!(
                refused(&by("HS256", &claims, secret), &coding()),
                "{claims}"
            );
        }
    }
}

/// [C09] [RFC 7523 §3] "The authorization server MUST reject JWTs with an invalid signature or MAC."
/// What is registered says what verifies, whatever the statement calls its algorithm.
#[test]
fn a_secret_and_a_key_of_ones_own_are_never_taken_for_each_other() {
    let (key, signing) = signing_client();
    let secret = ENT_SECRET.as_bytes();
    let signed = key.sign("JWT", &honest()).unwrap();
    assert!(refused(&signed, &coding()), "a key where a secret is due");
    // Even if the public key stands in the same registration, as it may for signed requests.
    let both = Client {
        jwks: signing.jwks.clone(),
        require_signed_request_object: true,
        ..coding()
    };
    assert_eq!(both.check(), []);
    assert!(refused(&signed, &both));
    assert!(!refused(&by("HS256", &honest(), secret), &both));
    assert!(refused(&by("HS256", &honest(), secret), &signing));
    // A public key is known to everybody: no secret of anybody's.
    let public = signing.jwks.as_ref().unwrap().keys[0].clone();
    let (x, y) = (public.x.clone().unwrap(), public.y.clone().unwrap());
    for guess in [
        serde_json::to_vec(&public).unwrap(),
        format!("{x}{y}").into_bytes(),
        x.into_bytes(),
        b"".to_vec(),
        signing.id.clone().into_bytes(),
    ] {
        for alg in ["HS256", "HS384", "HS512"] {
            let header = json!({ "alg": alg, "typ": "JWT", "kid": key.kid() });
            let forged = coded(&header, &honest(), &guess);
            assert!(refused(&forged, &signing), "{alg}");
            assert!(refused(&forged, &both) && refused(&forged, &coding()));
        }
    }
    let unsigned = format!(
        "{}.{}.",
        base64url(br#"{"alg":"none","typ":"JWT"}"#),
        base64url(honest().to_string().as_bytes())
    );
    assert!(refused(&unsigned, &coding()));
    assert!(
        refused(&by("HS256", &honest(), secret), &ent()),
        "of another method"
    );
}

/// [C08] A secret that nobody could read, or that is over, opens nothing; nor is it taken in another way.
#[test]
fn a_secret_that_is_not_known_or_over_lets_nobody_in() {
    let secret = ENT_SECRET.as_bytes();
    let good = by("HS256", &honest(), secret);
    assert!(!refused(&good, &coding()));
    let unread = Client {
        secret: Some(SharedSecret::in_file("/etc/furka/ent.secret")),
        ..coding()
    };
    assert!(refused(&good, &unread));
    assert!(refused(&by("HS256", &honest(), b""), &unread));
    let place = b"{file:/etc/furka/ent.secret}";
    assert!(refused(&by("HS256", &honest(), place), &unread));
    let over = |until| Client {
        secret_until: Some(until),
        ..coding()
    };
    assert!(refused(&good, &over(NOW)) && !refused(&good, &over(NOW + 1)));
    let off = Client {
        enabled: false,
        ..coding()
    };
    assert!(refused(&good, &off));
    assert!(refused(&by("HS256", &honest(), &[7; 64]), &coding()));
}

/// [FAPI 2.0 §5.3.2.1] a secret that two know proves nothing there.
#[test]
fn the_profile_for_what_is_worth_more_refuses_it() {
    let held = Client {
        profile: Some(Profile::Fapi2),
        ..coding()
    };
    let flaws: Vec<String> = held.check().iter().map(ToString::to_string).collect();
    assert_eq!(flaws.len(), 1, "{flaws:?}");
    assert!(flaws[0].contains("`auth` must be \"private_key_jwt\""));
    assert_eq!(coding().auth, Auth::SecretJwt);
}
