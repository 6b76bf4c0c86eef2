//! The ENT against a provider that can lie: whatever does not hold leads to no session.

mod ended;
mod school;

use std::sync::{LazyLock, Mutex};

use async_trait::async_trait;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::toys::{Browser, Clockwork, Seen, settings};

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "http://localhost:8400";

/// A provider that signs what a test tells it to.
struct StandIn {
    lies: Lies,
    nonce: Mutex<String>,
    challenge: Mutex<String>,
}

/// A change of the claims before they are signed.
type Twist = fn(&mut Value);

/// Where this provider departs from the truth.
struct Lies {
    claims: Twist,
    token: fn(String) -> String,
    userinfo: Value,
    signed_by: &'static LazyLock<EncodingKey>,
    kid: &'static str,
    algorithm: Algorithm,
}

impl Default for Lies {
    fn default() -> Self {
        Self {
            claims: |_| (),
            token: |token| token,
            userinfo: json!({ "sub": "7c1", "given_name": "Anna" }),
            signed_by: &ISSUER_KEY,
            kid: "issuer-1",
            algorithm: Algorithm::ES256,
        }
    }
}

/// The provider's key, and a stranger's.
static ISSUER_KEY: LazyLock<EncodingKey> = LazyLock::new(es256);
static STRANGERS_KEY: LazyLock<EncodingKey> = LazyLock::new(es256);

fn es256() -> EncodingKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
}

/// One RSA key for all tests: making one takes a while.
static RSA_KEY: LazyLock<EncodingKey> = LazyLock::new(|| {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let document: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
    // The PKCS#8 frame around a 2048-bit RSAPrivateKey is 26 bytes long [RFC 5958 §2].
    EncodingKey::from_rsa_der(&document.as_ref()[26..])
});

impl StandIn {
    fn jwks(&self) -> Value {
        let mut es = Jwk::from_encoding_key(&ISSUER_KEY, Algorithm::ES256).unwrap();
        es.common.key_id = Some("issuer-1".to_owned());
        let mut keys = vec![serde_json::to_value(es).unwrap(), json!({ "kty": "??" })];
        if self.lies.algorithm == Algorithm::RS256 {
            let mut rs = Jwk::from_encoding_key(&RSA_KEY, Algorithm::RS256).unwrap();
            rs.common.key_id = Some("issuer-rsa".to_owned());
            keys.push(serde_json::to_value(rs).unwrap());
        }
        json!({ "keys": keys })
    }

    fn id_token(&self, client: &str) -> String {
        let hash = digest_half("at-1");
        let mut claims = json!({
            "iss": ISSUER, "sub": "7c1", "aud": client, "exp": NOW + 300, "iat": NOW,
            "auth_time": NOW - 120, "nonce": *self.nonce.lock().unwrap(), "at_hash": hash,
            "acr": ACR_STRONG, "amr": ["pwd", "sms", "mfa"],
        });
        (self.lies.claims)(&mut claims);
        let mut header = Header::new(self.lies.algorithm);
        header.kid = Some(self.lies.kid.to_owned());
        let key = match self.lies.algorithm {
            Algorithm::RS256 => RSA_KEY.clone(),
            Algorithm::HS256 => EncodingKey::from_secret(b"guessed"),
            _ => EncodingKey::clone(self.lies.signed_by),
        };
        (self.lies.token)(jsonwebtoken::encode(&header, &claims, &key).unwrap())
    }

    fn tokens(&self, authorization: &str, form: &Fields) -> (StatusCode, Value) {
        let verifier = form.one("code_verifier").unwrap_or_default();
        if sha256_base64url(verifier) != *self.challenge.lock().unwrap() {
            return (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" }));
        }
        let client = client_of_basic(authorization);
        let tokens = json!({
            "access_token": "at-1", "token_type": "Bearer", "id_token": self.id_token(&client),
        });
        (StatusCode::OK, tokens)
    }
}

/// [RFC 6749 §2.3.1] the secret with characters that only form encoding carries.
fn client_of_basic(authorization: &str) -> String {
    let pair = BASE64
        .decode(authorization.strip_prefix("Basic ").unwrap().as_bytes())
        .unwrap();
    let pair = String::from_utf8(pair).unwrap();
    assert_eq!(pair, "ent:s3cret%2Bwith%2Fcharacters+that+need%25encoding");
    "ent".to_owned()
}

fn sha256_base64url(text: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    BASE64URL_NOPAD.encode(hash.as_ref())
}

fn digest_half(text: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    BASE64URL_NOPAD.encode(&hash.as_ref()[..16])
}

#[async_trait]
impl Reach for StandIn {
    async fn call(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        assert_eq!(parts.headers["host"], "localhost:8400");
        assert_eq!(parts.headers["x-forwarded-for"], "198.51.100.20");
        let header = |name: &str| {
            parts
                .headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
                .to_owned()
        };
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let (status, answer) = match parts.uri.path() {
            "/.well-known/openid-configuration" => (StatusCode::OK, discovery()),
            "/jwks" => (StatusCode::OK, self.jwks()),
            "/token" => {
                let form = Fields::from_query(std::str::from_utf8(&body).ok());
                self.tokens(&header("authorization"), &form)
            }
            "/userinfo" => {
                assert_eq!(header("authorization"), "Bearer at-1");
                (StatusCode::OK, self.lies.userinfo.clone())
            }
            _ => (StatusCode::NOT_FOUND, Value::Null),
        };
        web::json(status, &answer)
    }
}

fn discovery() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/jwks"),
        "userinfo_endpoint": format!("{ISSUER}/userinfo"),
        "end_session_endpoint": format!("{ISSUER}/logout"),
        "authorization_response_iss_parameter_supported": true,
    })
}

/// A portal, its provider, and a browser in front of it.
struct Story {
    portal: Router,
    provider: Arc<StandIn>,
    browser: Browser,
}

impl Story {
    fn of(lies: Lies) -> Self {
        let provider = Arc::new(StandIn {
            lies,
            nonce: Mutex::default(),
            challenge: Mutex::default(),
        });
        let world: Arc<dyn World> = Arc::new(Clockwork::at(NOW));
        Self {
            portal: ent(&settings(), (provider.clone(), world)),
            provider,
            browser: Browser::default(),
        }
    }

    /// Clicks « Se connecter »; the parameters sent to the provider.
    async fn begins(&mut self, path: &str) -> Fields {
        let seen = self.browser.opens(&self.portal, path).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
        let url = Url::parse(&seen.location).unwrap();
        assert_eq!(url.path(), "/authorize");
        let fields = Fields::from_query(url.query());
        let kept = |name: &str| fields.one(name).unwrap().to_owned();
        *self.provider.nonce.lock().unwrap() = kept("nonce");
        *self.provider.challenge.lock().unwrap() = kept("code_challenge");
        fields
    }

    async fn comes_back(&mut self, query: &str) -> Seen {
        self.browser
            .opens(&self.portal, &format!("/callback?{query}"))
            .await
    }

    async fn signs_in(&mut self, path: &str) -> Seen {
        let fields = self.begins(path).await;
        let state = fields.one("state").unwrap();
        self.comes_back(&format!("code=c&state={state}&iss={ISSUER}"))
            .await
    }

    /// The provider posts a logout token; the portal's answer.
    async fn hears(&mut self, token: &str) -> StatusCode {
        let form = format!("logout_token={token}");
        let mut provider = Browser::default();
        let seen = provider.posts(&self.portal, "/session-over", &form).await;
        seen.status
    }

    async fn whoami(&mut self) -> (StatusCode, Value) {
        let seen = self.browser.opens(&self.portal, "/api/whoami").await;
        (
            seen.status,
            serde_json::from_str(&seen.body).unwrap_or(Value::Null),
        )
    }

    async fn is_nobody(&mut self) {
        assert_eq!(self.whoami().await.0, StatusCode::UNAUTHORIZED);
    }
}

/// [Guide 2.2] « Se connecter »; [Guide 3.6] they land in the ENT.
#[tokio::test]
async fn somebody_signs_in_at_the_ent_and_is_greeted() {
    let mut story = Story::of(Lies::default());
    let door = story.browser.opens(&story.portal, "/").await.body;
    assert!(door.contains("Se connecter") && door.contains("Environnement numérique de travail"));

    let seen = story.signs_in("/login?target=/%3Fwelcome").await;
    assert_eq!(
        (seen.status, seen.location.as_str()),
        (StatusCode::SEE_OTHER, "/?welcome")
    );
    let (status, claims) = story.whoami().await;
    assert_eq!(
        (status, claims["acr"].as_str()),
        (StatusCode::OK, Some(ACR_STRONG))
    );

    let desk = story.browser.opens(&story.portal, "/").await.body;
    for words in [
        "Bonjour Anna",
        "Authentification forte",
        "mot de passe et code par SMS",
        "il y a 2 min",
    ] {
        assert!(desk.contains(words), "{words} is missing in {desk}");
    }
    let german = story.browser.opens(&story.portal, "/?lang=de").await.body;
    assert!(german.contains("Guten Tag Anna") && german.contains("Digitale Arbeitsumgebung"));
}

#[tokio::test]
async fn a_password_session_is_called_what_it_is() {
    let lies = Lies {
        claims: |claims| {
            claims["acr"] = json!("https://refeds.org/profile/sfa");
            claims["amr"] = json!(["pwd"]);
        },
        ..Lies::default()
    };
    let mut story = Story::of(lies);
    story.signs_in("/login").await;
    let desk = story.browser.opens(&story.portal, "/").await.body;
    assert!(desk.contains("Authentification simple : mot de passe seulement"));
    assert!(!desk.contains("Authentification forte"));
}

#[tokio::test]
async fn claims_that_do_not_hold_lead_to_no_session() {
    let lies: [(&str, Twist); 11] = [
        ("wrong nonce", |claims| claims["nonce"] = json!("x")),
        ("no nonce", |claims| claims["nonce"] = Value::Null),
        ("wrong issuer", |claims| {
            claims["iss"] = json!("http://localhost:8400/")
        }),
        ("wrong audience", |claims| claims["aud"] = json!("ism")),
        ("no audience", |claims| claims["aud"] = json!([])),
        ("made for another party", |claims| {
            claims["azp"] = json!("ism")
        }),
        ("several audiences, no party", |claims| {
            claims["aud"] = json!(["ent", "ism"])
        }),
        ("expired", |claims| claims["exp"] = json!(NOW - 61)),
        ("from the future", |claims| claims["iat"] = json!(NOW + 61)),
        ("no expiry", |claims| claims["exp"] = Value::Null),
        ("another access token", |claims| {
            claims["at_hash"] = json!(digest_half("at-2"))
        }),
    ];
    for (lie, claims) in lies {
        let mut story = Story::of(Lies {
            claims,
            ..Lies::default()
        });
        let seen = story.signs_in("/login").await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{lie}");
        story.is_nobody().await;
    }
}

#[tokio::test]
async fn signatures_that_do_not_hold_lead_to_no_session() {
    fn unsigned(token: String) -> String {
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"none","kid":"issuer-1"}"#);
        format!("{header}.{}.", token.split('.').nth(1).unwrap())
    }
    fn cut(token: String) -> String {
        token.rsplit_once('.').unwrap().0.to_owned() + "."
    }
    let lies = [
        (
            "alg none",
            Lies {
                token: unsigned,
                ..Lies::default()
            },
        ),
        (
            "no signature",
            Lies {
                token: cut,
                ..Lies::default()
            },
        ),
        (
            "no token",
            Lies {
                token: |_| String::new(),
                ..Lies::default()
            },
        ),
        (
            "another key",
            Lies {
                signed_by: &STRANGERS_KEY,
                ..Lies::default()
            },
        ),
        (
            "an unknown key",
            Lies {
                kid: "issuer-2",
                ..Lies::default()
            },
        ),
        (
            "a guessed secret",
            Lies {
                algorithm: Algorithm::HS256,
                ..Lies::default()
            },
        ),
        (
            "an algorithm not registered",
            Lies {
                algorithm: Algorithm::RS256,
                kid: "issuer-rsa",
                ..Lies::default()
            },
        ),
    ];
    for (lie, lies) in lies {
        let mut story = Story::of(lies);
        let seen = story.signs_in("/login").await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{lie}");
        story.is_nobody().await;
    }
}

/// [RFC 9207 §2.4] the issuer in the answer is compared, and missed where it was promised.
#[tokio::test]
async fn an_answer_from_another_issuer_is_refused() {
    for iss in ["&iss=http://evil.example", "&iss=", ""] {
        let mut story = Story::of(Lies::default());
        let fields = story.begins("/login").await;
        let state = fields.one("state").unwrap();
        let seen = story
            .comes_back(&format!("code=c&state={state}{iss}"))
            .await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{iss}");
        story.is_nobody().await;
    }
}

#[tokio::test]
async fn an_answer_to_no_sign_in_of_this_browser_is_refused() {
    let mut story = Story::of(Lies::default());
    let fields = story.begins("/login").await;
    let state = fields.one("state").unwrap().to_owned();
    let answer = format!("code=c&state={state}&iss={ISSUER}");

    let seen = story
        .comes_back(&format!("code=c&state=other&iss={ISSUER}"))
        .await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    assert!(seen.body.contains("pas été commencée dans ce navigateur"));

    let mut other = Browser::default();
    let seen = other
        .opens(&story.portal, &format!("/callback?{answer}"))
        .await;
    assert_eq!(seen.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        other.opens(&story.portal, "/api/whoami").await.status,
        StatusCode::UNAUTHORIZED
    );
    story.is_nobody().await;
}

#[tokio::test]
async fn an_answer_counts_once() {
    let mut story = Story::of(Lies::default());
    let fields = story.begins("/login").await;
    let answer = format!("code=c&state={}&iss={ISSUER}", fields.one("state").unwrap());
    assert_eq!(
        story.comes_back(&answer).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        story.comes_back(&answer).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(story.whoami().await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_the_provider_refuses_is_told_in_words() {
    for (error, words) in [
        ("login_required", "pas encore connecté"),
        ("access_denied", "refusée ou interrompue"),
        ("something_new", "pas accepté la demande"),
    ] {
        let mut story = Story::of(Lies::default());
        let fields = story.begins("/login?prompt=none").await;
        assert_eq!(fields.one("prompt"), Some("none"));
        let state = fields.one("state").unwrap();
        let seen = story
            .comes_back(&format!("error={error}&state={state}&iss={ISSUER}"))
            .await;
        assert_eq!(seen.status, StatusCode::FORBIDDEN);
        assert!(
            seen.body.contains(words) && seen.body.contains(error),
            "{error}"
        );
        story.is_nobody().await;
    }
}

#[tokio::test]
async fn what_tests_ask_for_is_passed_on() {
    let mut story = Story::of(Lies::default());
    let fields = story
        .begins("/login?max_age=60&acr_values=a%20b&ui_locales=de&login_hint=x")
        .await;
    for (name, value) in [
        ("max_age", "60"),
        ("acr_values", "a b"),
        ("ui_locales", "de"),
        ("login_hint", "x"),
    ] {
        assert_eq!(fields.one(name), Some(value));
    }
    assert_eq!(fields.one("code_challenge_method"), Some("S256"));
    assert_eq!(
        fields.one("redirect_uri"),
        Some("http://localhost:8401/callback")
    );
}

/// [OIDC Core §3.1.2.1] `max_age`: a sign-in two minutes old is too old for one minute.
#[tokio::test]
async fn a_sign_in_older_than_asked_for_is_refused() {
    let lies = || Lies {
        claims: |claims| claims["auth_time"] = json!(NOW - 200),
        ..Lies::default()
    };
    let mut story = Story::of(lies());
    assert_eq!(
        story.signs_in("/login?max_age=60").await.status,
        StatusCode::BAD_REQUEST
    );
    story.is_nobody().await;
    let mut story = Story::of(lies());
    assert_eq!(
        story.signs_in("/login?max_age=600").await.status,
        StatusCode::SEE_OTHER
    );
}

/// [OIDC Core §5.3.2] userinfo about somebody else is not used.
#[tokio::test]
async fn userinfo_about_somebody_else_is_not_used() {
    let userinfo = json!({ "sub": "other", "given_name": "Mallory" });
    let mut story = Story::of(Lies {
        userinfo,
        ..Lies::default()
    });
    story.signs_in("/login").await;
    let desk = story.browser.opens(&story.portal, "/").await.body;
    assert!(desk.contains("Bonjour 7c1") && !desk.contains("Mallory"));
}

#[tokio::test]
async fn signing_out_ends_the_session_here_and_at_the_provider() {
    let mut story = Story::of(Lies::default());
    story.signs_in("/login").await;
    let seen = story.browser.posts(&story.portal, "/logout", "").await;
    let url = Url::parse(&seen.location).unwrap();
    assert_eq!(url.path(), "/logout");
    let fields = Fields::from_query(url.query());
    assert!(fields.one("id_token_hint").is_some());
    let back = fields.one("post_logout_redirect_uri");
    assert_eq!(back, Some("http://localhost:8401/signed-out"));
    story.is_nobody().await;
    let seen = story.browser.opens(&story.portal, "/signed-out").await;
    assert!(seen.body.contains("Vous êtes déconnecté"));
}

/// [OIDC Core §4] a third party may begin a sign-in, but only for our issuer and our own pages.
#[tokio::test]
async fn a_sign_in_begun_elsewhere_leads_to_this_portal_only() {
    let ours = "target_link_uri=http%3A%2F%2Flocalhost%3A8401%2Fapi%2Fwhoami";
    let mut story = Story::of(Lies::default());
    let seen = story
        .signs_in(&format!("/initiate?iss={ISSUER}&{ours}"))
        .await;
    assert_eq!(seen.location, "/api/whoami");
    let seen = story
        .browser
        .posts(&story.portal, "/initiate", &format!("iss={ISSUER}"))
        .await;
    assert_eq!(seen.status, StatusCode::SEE_OTHER);
    for bad in [
        "iss=http://evil.example".to_owned(),
        format!("iss={ISSUER}&target_link_uri=http%3A%2F%2Flocalhost%3A8400%2F"),
        format!("iss={ISSUER}&target_link_uri=http%3A%2F%2Flocalhost%3A8401%2F%2Fevil.example"),
        format!("iss={ISSUER}&target_link_uri=javascript%3Aalert(1)"),
    ] {
        let seen = story
            .browser
            .opens(&story.portal, &format!("/initiate?{bad}"))
            .await;
        assert_eq!(seen.status, StatusCode::BAD_REQUEST, "{bad}");
    }
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_in_words() {
    struct Away;
    #[async_trait]
    impl Reach for Away {
        async fn call(&self, _: Request<Body>) -> Response<Body> {
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
    let through = || -> Through { (Arc::new(Away), Arc::new(Clockwork::at(NOW))) };
    for portal in [ent(&settings(), through()), ism(&settings(), through())] {
        let seen = Browser::default().opens(&portal, "/login").await;
        assert_eq!(seen.status, StatusCode::BAD_GATEWAY);
        assert!(seen.body.contains("ne répond pas"));
    }
}
