//! `/token`: nobody is authenticated without the proof registered for them, and no code or refresh token
//! gives more than it says.

use data_encoding::BASE64;
use serde_json::json;
use wire::oauth::client::Auth;
use wire::oauth::refresh::Refresh;
use wire::oauth::scope::Scope;
use wire::oauth::token::{
    Asked, Authenticated, Grant, Incoming, TokenRequest, authenticate, redeem,
};

use super::{Target, authorize::query, choice, seed};
use crate::sample::{self, CHALLENGE, ISSUER, NOW, VERIFIER};

pub(super) const TARGET: Target = Target {
    name: "token",
    bytes_max: 20 * 1024,
    dictionary: "oauth",
    seeds,
    accepts,
};

const FORM: &str = "application/x-www-form-urlencoded";
/// The id of the only assertion that is signed before a target starts.
const SEED_JTI: &str = "the-seed";

/// Choices: the rest is a body; a header, a line end, and a body; the claims of an assertion.
fn accepts(input: &[u8]) -> bool {
    let Some((chosen, rest)) = choice(input) else {
        return false;
    };
    let assertion = match chosen % 3 {
        2 => sample::signed_token(br#"{"alg":"EdDSA"}"#, rest),
        _ => None,
    };
    let (authorization, body) = match (chosen % 3, &assertion) {
        (0, _) => (None, rest.to_vec()),
        (_, Some(assertion)) => (None, asserting(assertion)),
        _ => {
            let line = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len());
            let (header, body) = rest.split_at_checked(line).unwrap_or((rest, &[]));
            let Ok(header) = std::str::from_utf8(header) else {
                return false;
            };
            (
                Some(header),
                body.strip_prefix(b"\n").unwrap_or(body).to_vec(),
            )
        }
    };
    let incoming = Incoming {
        content_type: Some(FORM),
        authorization,
        body: &body,
        certificate: None,
    };
    let Ok(request) = TokenRequest::parse(&incoming) else {
        return false;
    };
    let client = sample::client(&request.posted.client_id);
    let Some((issuer, client)) = ISSUER.as_ref().zip(client) else {
        return false;
    };
    let Ok(who) = authenticate(&request.posted, Some(client), issuer, NOW) else {
        return false;
    };
    assert_eq!(who.client_id(), client.id);
    match (client.auth, who.spend()) {
        (Auth::None, None) => {}
        (Auth::PrivateKeyJwt, Some(spend)) => {
            assert!(spend.until > NOW && spend.until < NOW + 3700);
            let (id, jti) = spend.id.split_once(' ').unwrap_or_default();
            assert!(id == client.id && !jti.is_empty());
            assert!(assertion.is_some() || jti == SEED_JTI, "forged: {jti}");
        }
        (auth, _) => assert_eq!(auth, Auth::None, "nobody knows the secret of {}", client.id),
    }
    brings(&request, &who, &body);
    true
}

fn asserting(assertion: &str) -> Vec<u8> {
    query(&[
        ("grant_type", "client_credentials"),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("client_assertion", assertion),
    ])
}

/// A code opens with its verifier, its application and its address; a refresh token only shrinks.
fn brings(request: &TokenRequest, who: &Authenticated, body: &[u8]) {
    let field = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(body);
        let found = pairs.find(|(name, value)| name == wanted && !value.is_empty());
        found.map(|(_, value)| value.into_owned())
    };
    match &request.asked {
        Asked::Code(code) => {
            let grant = grant();
            if grant.is_some_and(|grant| redeem(who, code, &grant, NOW).is_ok()) {
                assert_eq!(field("code_verifier").as_deref(), Some(VERIFIER));
                assert_eq!(
                    field("redirect_uri").as_deref(),
                    Some("http://127.0.0.1/cb")
                );
                assert_eq!(who.client_id(), "native");
            }
            assert_eq!(field("code").as_deref(), Some(code.code.as_str()));
        }
        Asked::Refresh(asked) => {
            assert_eq!(
                field("refresh_token").as_deref(),
                Some(asked.token.as_str())
            );
            let renewed = refresh().and_then(|refresh| {
                let scope = refresh.renew(who, (asked, None), NOW).ok()?;
                Some((refresh, scope))
            });
            if let Some((refresh, scope)) = renewed {
                assert!(refresh.scope.includes(&scope));
                assert_eq!(who.client_id(), refresh.client_id);
                assert_ne!(scope, Scope::default());
            }
        }
        Asked::Application(_) | Asked::Device(_) => {}
    }
}

/// What a code of the application on the device says.
fn grant() -> Option<Grant> {
    let grant = json!({
        "id": "g", "client_id": "native", "redirect_uri": "http://127.0.0.1/cb",
        "code_challenge": CHALLENGE, "scope": ["openid", "profile"], "subject": "anna", "sid": "s",
        "auth_time": NOW, "acr": "a", "amr": [], "expires_at": NOW + 60,
    });
    serde_json::from_value(grant).ok()
}

fn refresh() -> Option<Refresh> {
    Refresh::first(&grant()?, None, NOW + 60)
}

fn seeds() -> Vec<Vec<u8>> {
    let code = query(&[
        ("grant_type", "authorization_code"),
        ("client_id", "native"),
        ("code", "sealed"),
        ("redirect_uri", "http://127.0.0.1/cb"),
        ("code_verifier", VERIFIER),
    ]);
    let refresh = query(&[
        ("grant_type", "refresh_token"),
        ("client_id", "native"),
        ("refresh_token", "sealed"),
        ("scope", "openid"),
        ("resource", "https://api.example/"),
    ]);
    let basic = format!(
        "Basic {}\ngrant_type=client_credentials",
        BASE64.encode(b"ent:secret")
    );
    let claims = json!({
        "iss": "signer", "sub": "signer", "aud": "https://id.example", "jti": SEED_JTI,
        "exp": NOW + 60, "iat": NOW,
    })
    .to_string();
    let signed = sample::signed_token(br#"{"alg":"EdDSA"}"#, claims.as_bytes());
    vec![
        seed(0, code),
        seed(0, refresh),
        seed(0, asserting(&signed.unwrap_or_default())),
        seed(1, basic),
        seed(2, claims),
    ]
}
