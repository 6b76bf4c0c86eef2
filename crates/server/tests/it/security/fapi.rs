//! C14: applications whose requests only they can make, and that are held to FAPI 2.0.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};
use wire::jose::{SigningAlg, SigningKey};

use super::openid::error;
use super::registered::{asks_as, registers};
use super::{canton, gets, somebody};
use crate::application::{REDIRECT, VERIFIER, asks, at, claims, enters, parameter, sends};

const BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const HTTPS: &str = "https://bank.example.ch/callback";

/// An application with keys: one to sign with, one to bind its tokens to.
pub(super) struct App {
    id: &'static str,
    key: SigningKey,
    bound: SigningKey,
    redirect: &'static str,
    nonce: Option<String>,
    statements: u32,
}

impl App {
    pub(super) fn registered(canton: &mut Canton, id: &'static str, more: Value) -> Self {
        let key = SigningKey::generate(SigningAlg::Es256).unwrap();
        let public = serde_json::to_value(key.public()).unwrap();
        let mut client = json!({
            "id": id, "auth": "private_key_jwt", "secret_sha256": null, "jwks": { "keys": [public] },
            "grants": ["authorization_code", "refresh_token"],
        });
        for (name, value) in more.as_object().unwrap() {
            client[name] = value.clone();
        }
        let fapi = client["profile"] == "fapi2";
        if fapi {
            client["redirect_uris"] = json!([HTTPS]);
        }
        registers(canton, &[client]);
        Self {
            id,
            key,
            bound: SigningKey::generate(SigningAlg::Es256).unwrap(),
            redirect: if fapi { HTTPS } else { REDIRECT },
            nonce: None,
            statements: 0,
        }
    }

    fn jti(&mut self) -> String {
        self.statements += 1;
        format!("{}-{}", self.id, self.statements)
    }

    /// What proves that it is itself.
    fn assertion(&mut self, canton: &mut Canton, changes: &Value) -> String {
        let now = canton.now();
        let mut says = json!({ "iss": self.id, "sub": self.id, "aud": at(""), "jti": self.jti(),
            "exp": now + 60, "iat": now });
        for (name, value) in changes.as_object().unwrap() {
            says[name] = value.clone();
        }
        self.key.sign("JWT", &says).unwrap()
    }

    /// A request object.
    pub(super) fn object(&mut self, canton: &mut Canton, changes: &Value) -> String {
        let now = canton.now();
        let asked = url::Url::parse(&asks_as(self.id, &[])).unwrap();
        let mut says = json!({ "iss": self.id, "aud": at(""), "exp": now + 60, "nbf": now });
        for (name, value) in asked.query_pairs() {
            says[&*name] = value.into_owned().into();
        }
        says["redirect_uri"] = self.redirect.into();
        for (name, value) in changes.as_object().unwrap() {
            says[name] = value.clone();
        }
        self.key.sign("oauth-authz-req+jwt", &says).unwrap()
    }

    fn proof(&mut self, canton: &mut Canton, path: &str) -> String {
        let mut says =
            json!({ "jti": self.jti(), "htm": "POST", "htu": at(path), "iat": canton.now() });
        if let Some(nonce) = &self.nonce {
            says["nonce"] = nonce.as_str().into();
        }
        self.bound.sign_with_key("dpop+jwt", &says).unwrap()
    }

    /// Posts as itself, with a proof of its key if wanted; and again with the value that it is told.
    pub(super) fn posts(
        &mut self,
        canton: &mut Canton,
        path: &str,
        fields: &[(&str, &str)],
        bound: bool,
    ) -> Answer {
        let mut ask = || {
            let assertion = self.assertion(canton, &json!({}));
            let mut all = vec![
                ("client_assertion_type", BEARER_ASSERTION),
                ("client_assertion", assertion.as_str()),
            ];
            all.extend(fields);
            let mut attempt = Attempt::post(&at(path), &all);
            if bound {
                attempt = attempt.header("dpop", &self.proof(canton, path));
            }
            let answer = sends(canton, attempt);
            self.nonce = answer.header("dpop-nonce").map(str::to_owned);
            answer
        };
        let answer = ask();
        match told(&answer).as_str() {
            "use_dpop_nonce" => ask(),
            _ => answer,
        }
    }

    /// The parameters of its request.
    fn asks(&self, changes: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
        let mut all = vec![("redirect_uri", Some(self.redirect))];
        all.extend(changes);
        let url = url::Url::parse(&asks_as(self.id, &all)).unwrap();
        url.query_pairs().into_owned().collect()
    }

    /// Hands a request over; the address to which it sends the browser.
    fn hands_over(&mut self, canton: &mut Canton, bound: bool) -> String {
        let request = self.asks(&[]);
        let request: Vec<_> = request
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let answer = self.posts(canton, "/par", &request, bound);
        assert_eq!(answer.status, 201, "{}", answer.body);
        self.reference(&answer)
    }

    fn reference(&self, answer: &Answer) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", self.id)
            .append_pair(
                "request_uri",
                answer.json()["request_uri"].as_str().unwrap(),
            )
            .finish();
        format!("/authorize?{query}")
    }

    fn redeems<'a>(&self, code: &'a str) -> [(&'static str, &'a str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect),
            ("code_verifier", VERIFIER),
        ]
    }
}

pub(super) fn told(answer: &Answer) -> String {
    let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    said["error"].as_str().unwrap_or_default().to_owned()
}

/// Follows a reference into the browser of somebody who is signed in there; the code.
fn code(browser: &mut dyn Browser, reference: &str) -> Option<String> {
    let first = gets(browser, reference);
    let path = first.location().strip_prefix(&at(""));
    let path = path.unwrap_or(first.location()).to_owned();
    parameter(gets(browser, &path).location(), "code")
}

pub(super) fn anna(canton: &mut Canton) -> (Person, Box<dyn Browser>) {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    (anna, browser)
}

/// [C14] [RFC 9126 §6] "Boolean parameter indicating whether the only means of initiating an authorization request the client is allowed to use is PAR."
/// What our own pages lead to goes on to work: they make a reference where others may not name parameters.
#[test]
fn an_application_that_must_hand_over_is_refused_otherwise() {
    let mut canton = canton();
    let more = json!({ "require_par": true, "trusted": false });
    let mut app = App::registered(&mut canton, "pushing", more);
    let (anna, mut browser) = anna(&mut canton);
    let plain = browser.sends(Attempt::get(&asks_as("pushing", &[])));
    assert_eq!(error(&plain).as_deref(), Some("invalid_request"));
    assert!(parameter(plain.location(), "code").is_none());

    let reference = app.hands_over(&mut canton, false);
    let opened = gets(&mut *browser, &reference).location().to_owned();
    let path = |way: &str| way.strip_prefix(&at("")).unwrap_or(way).to_owned();
    let asked = gets(&mut *browser, &path(&opened)).location().to_owned();
    let page = gets(&mut *browser, &path(&asked));
    assert_eq!(page.status, 200, "{}", page.body);
    let not_me = page
        .body
        .split('"')
        .find(|text| text.starts_with("/authorize?"))
        .unwrap()
        .replace("&#38;", "&");
    assert!(not_me.contains("request_uri="), "{not_me}");
    assert!(!not_me.contains("redirect_uri="), "{not_me}");
    let sign_in = gets(&mut *browser, &not_me);
    assert_eq!(sign_in.status, 200, "{}", sign_in.body);
    assert!(sign_in.body.contains("name=\"password\""));
    let mut other = canton.browser(Place::School);
    assert_eq!(
        gets(&mut *other, &not_me).status,
        410,
        "for this browser only"
    );
    let answer = enters(&mut *browser, &at(&not_me), &anna);
    assert!(answer.location().contains("/consent"), "{answer:?}");
}

/// [C14] [RFC 9101 §6.3] "The authorization server MUST only use the parameters in the Request Object, even if the same parameter is provided in the query parameter."
/// [RFC 9101 §6.2] "If the key is not associated with the client or if signature validation fails, the authorization server MUST return an invalid_request_object error to the client in response to the authorization request."
#[test]
fn a_signed_request_counts_and_any_other_leads_nowhere() {
    let mut canton = canton();
    let more = json!({ "require_signed_request_object": true });
    let mut app = App::registered(&mut canton, "signing", more);
    let (_, mut browser) = anna(&mut canton);
    let mut sent = |object: &str, more: &str| {
        let way = format!("/authorize?client_id=signing&request={object}{more}");
        let first = gets(&mut *browser, &way);
        match first.location().strip_prefix("/authorize?") {
            Some(_) => {
                let way = first.location().to_owned();
                gets(&mut *browser, &way)
            }
            None => first,
        }
    };
    let good = app.object(&mut canton, &json!({ "state": "inside" }));
    let answer = sent(&good, "&state=outside&scope=phone");
    assert!(parameter(answer.location(), "code").is_some(), "{answer:?}");
    assert_eq!(
        parameter(answer.location(), "state").as_deref(),
        Some("inside")
    );
    // Looked at again, it is the same.
    assert!(parameter(sent(&good, "").location(), "code").is_some());

    let now = canton.now();
    let mut stranger = App {
        key: SigningKey::generate(SigningAlg::Es256).unwrap(),
        bound: SigningKey::generate(SigningAlg::Es256).unwrap(),
        ..App::registered(&mut canton, "stranger", json!({}))
    };
    stranger.id = "signing";
    let assertion = app.assertion(&mut canton, &json!({}));
    for (wrong, more) in [
        (stranger.object(&mut canton, &json!({})), ""),
        (app.object(&mut canton, &json!({ "aud": at("/token") })), ""),
        (app.object(&mut canton, &json!({ "exp": now - 20 })), ""),
        (app.object(&mut canton, &json!({ "exp": now + 90_000 })), ""),
        (app.object(&mut canton, &json!({ "nbf": now + 60 })), ""),
        (app.object(&mut canton, &json!({ "client_id": "ent" })), ""),
        (app.object(&mut canton, &json!({ "iss": "ent" })), ""),
        (app.object(&mut canton, &json!({ "sub": "signing" })), ""),
        (
            app.object(&mut canton, &json!({ "request_uri": "urn:x" })),
            "",
        ),
        (
            app.object(
                &mut canton,
                &json!({ "redirect_uri": "https://evil.example/" }),
            ),
            "",
        ),
        (assertion, ""),
        (good.clone(), "&request=x"),
        (good.clone(), "&request_uri=https%3A%2F%2Fevil.example%2Fx"),
        ("x".to_owned(), ""),
    ] {
        let answer = sent(&wrong, more);
        assert_eq!(
            (answer.status, answer.location()),
            (400, ""),
            "{wrong}{more}"
        );
    }
    let plain = browser.sends(Attempt::get(&asks_as("signing", &[])));
    assert_eq!(error(&plain).as_deref(), Some("invalid_request"));
}

/// [C14] A signed request is over soon, and the sign-in takes longer: the page may be loaded again all the while,
/// and whoever comes back to the first address finds a way to the application.
#[test]
fn the_page_of_a_signed_request_outlives_the_request() {
    let mut canton = canton();
    let more = json!({ "home": "https://choir.example.ch/" });
    let mut app = App::registered(&mut canton, "signing", more);
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let object = app.object(&mut canton, &json!({}));
    let brought = format!("/authorize?client_id=signing&request={object}");
    let first = gets(&mut *browser, &brought);
    assert_eq!(first.status, 303, "{}", first.body);
    let mine = first.location().to_owned();
    assert!(!mine.contains("request="), "{mine}");
    canton.passes(300);
    let page = gets(&mut *browser, &mine);
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("name=\"password\""));
    let late = gets(&mut *browser, &brought);
    assert_eq!(late.status, 400);
    assert!(
        late.body.contains("href=\"https://choir.example.ch/\""),
        "{}",
        late.body
    );
    let answer = enters(&mut *browser, &at(&mine), &anna);
    assert!(parameter(answer.location(), "code").is_some(), "{answer:?}");
    canton.passes(3600);
    let over = gets(&mut *browser, &mine);
    assert_eq!(over.status, 410);
    assert!(
        over.body.contains("href=\"https://choir.example.ch/\""),
        "{}",
        over.body
    );
}

/// [C14] [OIDC Core §3.1.2.1] A long request object comes in a form, from the application's own page; what is longer
/// than any, or long and not signed, is refused.
#[test]
fn a_long_signed_request_comes_in_a_form() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "signing", json!({}));
    let (_, mut browser) = anna(&mut canton);
    let long = json!({ "state": "inside", "certificates": "x".repeat(15_000) });
    let object = app.object(&mut canton, &long);
    assert!(object.len() > 20 * 1024);
    let mut sent = |fields: &[(&str, &str)], from: &str| {
        let form = Attempt::post(&at("/authorize"), fields).header("origin", from);
        browser.sends(form)
    };
    let request = [("client_id", "signing"), ("request", object.as_str())];
    let passed = sent(&request, "https://choir.example.ch");
    assert_eq!(passed.status, 303, "{}", passed.body);
    let own = sent(&request, &at(""));
    assert_eq!(own.status, 303, "{}", own.body);
    let endless = "x".repeat(50_000);
    let forged = object.clone() + "A";
    for (wrong, status) in [
        (
            [("client_id", "signing"), ("request", endless.as_str())],
            413,
        ),
        (
            [("client_id", "signing"), ("request", forged.as_str())],
            400,
        ),
        ([("client_id", "ent"), ("request", object.as_str())], 400),
        ([("client_id", "signing"), ("state", object.as_str())], 400),
    ] {
        for from in ["https://choir.example.ch", &at("")] {
            let answer = sent(&wrong, from);
            assert_eq!((answer.status, answer.location()), (status, ""), "{from}");
        }
    }
    for answer in [passed, own] {
        let mut way = answer.location().to_owned();
        while way.starts_with("/authorize?") {
            way = gets(&mut *browser, &way).location().to_owned();
        }
        assert!(parameter(&way, "code").is_some(), "{way}");
        assert_eq!(parameter(&way, "state").as_deref(), Some("inside"));
    }
}

/// [C07] [C14] What is handed over under a signature is answered under one.
#[test]
fn a_signed_request_that_was_handed_over_gets_a_signed_answer() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "signing", json!({}));
    let (_, mut browser) = anna(&mut canton);
    let object = app.object(&mut canton, &json!({ "response_mode": "jwt" }));
    let request = [("client_id", "signing"), ("request", object.as_str())];
    let pushed = app.posts(&mut canton, "/par", &request, false);
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let brought = format!("/authorize?client_id=signing&request={object}");
    for mut way in [app.reference(&pushed), brought] {
        while way.starts_with('/') {
            way = gets(&mut *browser, &way).location().to_owned();
        }
        let jwt = parameter(&way, "response").unwrap();
        assert!(claims(&jwt)["code"].is_string());
        assert_eq!(claims(&jwt)["aud"], "signing");
        assert!(parameter(&way, "code").is_none());
    }
}

/// [C14] What was signed or handed over, though it need not be, is not spelled out by our own pages: not for another
/// language, and not for somebody else.
#[test]
fn what_was_handed_over_stays_out_of_every_address() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "choir", json!({ "trusted": false }));
    let (_, mut browser) = anna(&mut canton);
    let object = app.object(&mut canton, &json!({}));
    let signed = format!("/authorize?client_id=choir&request={object}");
    for mut way in [app.hands_over(&mut canton, false), signed] {
        let mut page = gets(&mut *browser, &way);
        while page.status == 303 {
            way = page.location().replace(&at(""), "");
            page = gets(&mut *browser, &way);
        }
        assert!(way.starts_with("/consent?"), "{way}");
        let texts = page.body.split('"');
        let links: Vec<_> = texts
            .filter(|text| text.starts_with("/authorize?"))
            .collect();
        assert!(!links.is_empty(), "{}", page.body);
        for link in links {
            assert!(link.contains("request_uri="), "{link}");
            assert!(
                !link.contains("redirect_uri=") && !link.contains("state="),
                "{link}"
            );
        }
        assert!(!page.body.contains("a-state"));
    }
}

/// [C14] A request object with an id is handed over once, and what is wrong with one is told in words.
#[test]
fn a_signed_request_is_handed_over_once() {
    let mut canton = canton();
    let mut app = App::registered(&mut canton, "signing", json!({}));
    let object = app.object(&mut canton, &json!({ "jti": "r-1" }));
    let request = [("client_id", "signing"), ("request", object.as_str())];
    let first = app.posts(&mut canton, "/par", &request, false);
    assert_eq!(first.status, 201, "{}", first.body);
    let again = app.posts(&mut canton, "/par", &request, false);
    assert_eq!(
        (again.status, told(&again).as_str()),
        (400, "invalid_request_object")
    );
    let (_, mut browser) = anna(&mut canton);
    assert!(code(&mut *browser, &app.reference(&first)).is_some());
    let unsigned = object.rsplit_once('.').unwrap().0.to_owned() + ".AAAA";
    let request = [("client_id", "signing"), ("request", unsigned.as_str())];
    let refused = app.posts(&mut canton, "/par", &request, false);
    assert_eq!(told(&refused), "invalid_request_object");
}

fn bank(canton: &mut Canton) -> App {
    let more = json!({ "profile": "fapi2", "scopes": ["openid", "profile"] });
    App::registered(canton, "bank", more)
}

/// [C14] [FAPI 2.0 §5.3.2.1] "shall only issue sender-constrained access tokens"
/// [FAPI 2.0 §5.3.2.1] "shall not use refresh token rotation except in extraordinary circumstances"
/// [FAPI 2.0 §5.3.2.2] "shall reject authorization requests sent without [RFC9126]"
#[test]
fn an_application_that_is_held_to_fapi_signs_in_and_renews() {
    let mut canton = canton();
    let mut bank = bank(&mut canton);
    let (_, mut browser) = anna(&mut canton);
    let plain = asks_as("bank", &[("redirect_uri", Some(HTTPS))]);
    let plain = browser.sends(Attempt::get(&plain));
    assert_eq!(error(&plain).as_deref(), Some("invalid_request"));

    let reference = bank.hands_over(&mut canton, true);
    let code = code(&mut *browser, &reference).unwrap();
    let bare = bank.posts(&mut canton, "/token", &bank.redeems(&code), false);
    assert_eq!(told(&bare), "invalid_dpop_proof");
    let answer = bank.posts(&mut canton, "/token", &bank.redeems(&code), true);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let first = claims(tokens["id_token"].as_str().unwrap());
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let renews = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    for _ in 0..3 {
        canton.passes(100);
        let renewed = bank.posts(&mut canton, "/token", &renews, true);
        assert_eq!(renewed.status, 200, "{}", renewed.body);
        let renewed = renewed.json();
        assert_eq!(renewed["refresh_token"], refresh, "it does not rotate");
        assert_eq!(renewed["token_type"], "DPoP");
        assert_eq!(
            claims(renewed["id_token"].as_str().unwrap())["sub"],
            first["sub"]
        );
    }
    assert_eq!(
        told(&bank.posts(&mut canton, "/token", &renews, false)),
        "invalid_dpop_proof"
    );
    let back = [("token", refresh.as_str())];
    assert_eq!(bank.posts(&mut canton, "/revoke", &back, false).status, 200);
    let over = bank.posts(&mut canton, "/token", &renews, true);
    assert_eq!(told(&over), "invalid_grant");
}

/// [C14] [RFC 9449 §10] "If they do not match, it MUST reject the request."
/// [RFC 9449 §10.1] A code is bound to the key with which its request was handed over.
#[test]
fn a_code_is_worth_nothing_without_the_key_it_is_bound_to() {
    let mut canton = canton();
    let mut bank = bank(&mut canton);
    let (_, mut browser) = anna(&mut canton);
    let reference = bank.hands_over(&mut canton, true);
    let code = code(&mut *browser, &reference).unwrap();
    let its_own = std::mem::replace(
        &mut bank.bound,
        SigningKey::generate(SigningAlg::Es256).unwrap(),
    );
    let thief = bank.posts(&mut canton, "/token", &bank.redeems(&code), true);
    assert_eq!(told(&thief), "invalid_grant");
    bank.bound = its_own;
    let answer = bank.posts(&mut canton, "/token", &bank.redeems(&code), true);
    assert_eq!(answer.status, 200, "{}", answer.body);
    // The header and the parameter must speak of one key.
    let other = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let request = bank.asks(&[("dpop_jkt", Some(other))]);
    let request: Vec<_> = request
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let refused = bank.posts(&mut canton, "/par", &request, true);
    assert_eq!(
        (refused.status, told(&refused).as_str()),
        (400, "invalid_dpop_proof")
    );
}

/// [C08] [FAPI 2.0 §5.3.2.1] "shall only accept its issuer identifier value (as defined in [RFC8414]) as a string in the aud claim received in client authentication assertions"
/// [FAPI 2.0 §5.4.1] "shall use PS256, ES256, or EdDSA (using the Ed25519 variant) algorithms"
#[test]
fn under_fapi_an_assertion_is_for_the_issuer_and_rs256_counts_for_nothing() {
    let mut canton = canton();
    let mut bank = bank(&mut canton);
    let request = bank.asks(&[]);
    for aud in [
        json!(at("/token")),
        json!([at("")]),
        json!([]),
        json!(at("/par")),
    ] {
        let assertion = bank.assertion(&mut canton, &json!({ "aud": aud }));
        let mut all: Vec<_> = request
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        all.push(("client_assertion_type", BEARER_ASSERTION));
        all.push(("client_assertion", &assertion));
        let refused = sends(&mut canton, Attempt::post(&at("/par"), &all));
        assert_eq!(told(&refused), "invalid_client", "{aud}");
    }
    bank.bound = SigningKey::generate(SigningAlg::Rs256).unwrap();
    let request: Vec<_> = request
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let refused = bank.posts(&mut canton, "/par", &request, true);
    assert_eq!(told(&refused), "invalid_dpop_proof");
    bank.bound = SigningKey::generate(SigningAlg::Ps256).unwrap();
    assert_eq!(bank.posts(&mut canton, "/par", &request, true).status, 201);
}

/// [C14] [FAPI 2.0 §5.4.1] "shall use PS256, ES256, or EdDSA (using the Ed25519 variant) algorithms"
/// An RSA key signs both ways: where its tokens are shown, too, only one of these counts.
#[test]
fn under_fapi_a_proof_with_rs256_opens_nothing() {
    let mut canton = canton();
    let mut bank = bank(&mut canton);
    bank.bound = SigningKey::generate(SigningAlg::Ps256).unwrap();
    let (_, mut browser) = anna(&mut canton);
    let reference = bank.hands_over(&mut canton, true);
    let code = code(&mut *browser, &reference).unwrap();
    let tokens = bank
        .posts(&mut canton, "/token", &bank.redeems(&code), true)
        .json();
    let access = tokens["access_token"].as_str().unwrap();
    let same = bank.bound.to_pkcs8().unwrap();
    let rs256 = SigningKey::from_pkcs8(SigningAlg::Rs256, &same).unwrap();
    for (key, status) in [(&rs256, 401), (&bank.bound, 200)] {
        let hash = digest(&SHA256, access.as_bytes());
        let says = json!({ "jti": format!("u-{status}"), "htm": "GET", "htu": at("/userinfo"),
            "iat": canton.now(), "nonce": bank.nonce, "ath": BASE64URL_NOPAD.encode(hash.as_ref()) });
        let attempt = Attempt::get(&at("/userinfo"))
            .header("authorization", &format!("DPoP {access}"))
            .header("dpop", &key.sign_with_key("dpop+jwt", &says).unwrap());
        assert_eq!(sends(&mut canton, attempt).status, status);
    }
}
