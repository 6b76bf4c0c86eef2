//! C: tokens that are bound to a key of the application.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use store::ResourceKind;
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Place, Role, Town};
use wire::jose::{SigningAlg, SigningKey};

use super::registered::{asks_as, registers};
use super::{between, canton, posts, somebody};
use crate::application::{REDIRECT, VERIFIER, at, claims, enters, parameter, sends};
use crate::registered::changes;

/// An application in the browser, with its key and what it was told last.
struct Spa {
    key: SigningKey,
    nonce: Option<String>,
    proofs: u32,
}

impl Spa {
    fn new() -> Self {
        Self {
            key: SigningKey::generate(SigningAlg::Es256).unwrap(),
            nonce: None,
            proofs: 0,
        }
    }

    /// A proof for this moment.
    fn proof(&mut self, canton: &mut Canton, (method, path): (&str, &str), more: Value) -> String {
        self.proofs += 1;
        let town: &mut dyn Town = canton;
        let mut says = json!({
            "jti": format!("proof-{}", self.proofs), "htm": method, "htu": at(path), "iat": town.now(),
        });
        if let Some(nonce) = &self.nonce {
            says["nonce"] = nonce.as_str().into();
        }
        for (name, value) in more.as_object().unwrap() {
            says[name] = value.clone();
        }
        self.key.sign_with_key("dpop+jwt", &says).unwrap()
    }

    /// Sends it with a proof, and again with the value that it is told.
    fn sends(&mut self, canton: &mut Canton, fields: &[(&str, &str)]) -> Answer {
        let mut ask = || {
            let proof = self.proof(canton, ("POST", "/token"), json!({}));
            let attempt = Attempt::post(&at("/token"), fields).header("dpop", &proof);
            let answer = sends(canton, attempt);
            self.nonce = answer.header("dpop-nonce").map(str::to_owned);
            answer
        };
        let answer = ask();
        match error(&answer).as_str() {
            "use_dpop_nonce" => ask(),
            _ => answer,
        }
    }

    fn userinfo(&mut self, canton: &mut Canton, token: &str, scheme: &str) -> Answer {
        let hash = BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref());
        let proof = self.proof(canton, ("GET", "/userinfo"), json!({ "ath": hash }));
        let attempt = Attempt::get(&at("/userinfo"))
            .header("authorization", &format!("{scheme} {token}"))
            .header("dpop", &proof);
        sends(canton, attempt)
    }
}

fn error(answer: &Answer) -> String {
    let said: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    said["error"].as_str().unwrap_or_default().to_owned()
}

fn town() -> Canton {
    let mut canton = canton();
    let spa = json!({
        "id": "spa", "kind": "public", "auth": "none", "secret_sha256": null, "dpop_bound": true,
        "grants": ["authorization_code", "refresh_token"],
    });
    registers(&mut canton, &[spa]);
    canton
}

/// What redeems a fresh code.
fn code(canton: &mut Canton) -> String {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &asks_as("spa", &[]), &anna);
    if let Some(code) = parameter(answer.location(), "code") {
        return code;
    }
    let page = browser.sends(Attempt::get(&asks_as("spa", &[])));
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let click = [("action", "continue"), ("ticket", ticket.as_str())];
    parameter(posts(&mut *browser, "/login", &click).location(), "code").unwrap()
}

fn redeems(code: &str) -> [(&str, &str); 5] {
    [
        ("client_id", "spa"),
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ]
}

fn refreshes(token: &str) -> [(&str, &str); 3] {
    [
        ("client_id", "spa"),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ]
}

/// [C14] [RFC 9449 §7.2] "a protected resource MUST reject a DPoP-bound access token received as a bearer token"
/// [RFC 9449 §4.3] "If the server provided a nonce value to the client, the nonce claim matches the server-provided nonce value."
#[test]
fn bound_tokens_are_worth_nothing_without_their_key() {
    let mut canton = town();
    let (mut spa, mut thief) = (Spa::new(), Spa::new());
    let code = code(&mut canton);
    let bare = sends(&mut canton, Attempt::post(&at("/token"), &redeems(&code)));
    assert_eq!(error(&bare), "invalid_dpop_proof");
    let answer = spa.sends(&mut canton, &redeems(&code));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let access = tokens["access_token"].as_str().unwrap();
    let refresh = tokens["refresh_token"].as_str().unwrap();

    let told = spa.userinfo(&mut canton, access, "DPoP");
    assert_eq!(told.status, 200, "{:?}", told.header("www-authenticate"));
    assert_eq!(
        told.json()["sub"],
        claims(tokens["id_token"].as_str().unwrap())["sub"]
    );
    assert_eq!(spa.userinfo(&mut canton, access, "Bearer").status, 401);
    let bearer =
        Attempt::get(&at("/userinfo")).header("authorization", &format!("Bearer {access}"));
    assert_eq!(sends(&mut canton, bearer).status, 401);
    thief.nonce.clone_from(&spa.nonce);
    assert_eq!(thief.userinfo(&mut canton, access, "DPoP").status, 401);

    assert_eq!(
        error(&thief.sends(&mut canton, &refreshes(refresh))),
        "invalid_grant"
    );
    let bare = Attempt::post(&at("/token"), &refreshes(refresh));
    assert_eq!(error(&sends(&mut canton, bare)), "invalid_dpop_proof");
    // None of that used it up.
    assert_eq!(spa.sends(&mut canton, &refreshes(refresh)).status, 200);
}

/// [C06] What was given before an application had to show a key is not bound to whoever shows one first.
#[test]
fn a_refresh_token_from_before_keys_were_wanted_is_over() {
    let mut canton = town();
    let dpop_bound = |canton: &Canton, wanted: bool| {
        changes(canton, ResourceKind::Applications, |text| {
            let (now, then) = match wanted {
                true => ("id = \"spa\"\n", "id = \"spa\"\ndpop_bound = true\n"),
                false => ("dpop_bound = true\n", ""),
            };
            assert!(text.contains(now), "{text}");
            text.replacen(now, then, 1)
        });
    };
    dpop_bound(&canton, false);
    let code = code(&mut canton);
    let tokens = sends(&mut canton, Attempt::post(&at("/token"), &redeems(&code))).json();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    dpop_bound(&canton, true);
    let answer = Spa::new().sends(&mut canton, &refreshes(refresh));
    assert_eq!(error(&answer), "invalid_grant");
}

/// [RFC 9449 §4.3] "There is not more than one DPoP HTTP request header field."
/// [C14] A proof counts once, for its request, with a value of ours that is fresh; of many at once, on
/// whichever node, one counts.
#[test]
fn a_proof_counts_once_and_with_a_fresh_nonce() {
    let mut canton = town();
    let mut spa = Spa::new();
    let code = code(&mut canton);
    let tokens = spa.sends(&mut canton, &redeems(&code)).json();
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let send = |canton: &mut Canton, proof: &str| {
        let attempt = Attempt::post(&at("/token"), &refreshes(&refresh)).header("dpop", proof);
        sends(canton, attempt)
    };
    for (request, more) in [
        (("GET", "/token"), json!({})),
        (("POST", "/userinfo"), json!({})),
        (("POST", "/token"), json!({ "iat": 1 })),
    ] {
        let proof = spa.proof(&mut canton, request, more);
        assert_eq!(error(&send(&mut canton, &proof)), "invalid_dpop_proof");
    }
    for nonce in ["", "made-up", &refresh] {
        let proof = spa.proof(&mut canton, ("POST", "/token"), json!({ "nonce": nonce }));
        let answer = send(&mut canton, &proof);
        assert_eq!(error(&answer), "use_dpop_nonce");
        assert!(answer.header("dpop-nonce").is_some());
    }
    let two = spa.proof(&mut canton, ("POST", "/token"), json!({}));
    let three = spa.proof(&mut canton, ("POST", "/token"), json!({}));
    let both = Attempt::post(&at("/token"), &refreshes(&refresh))
        .header("dpop", &two)
        .header("dpop", &three);
    assert_eq!(error(&sends(&mut canton, both)), "invalid_dpop_proof");

    let proof = spa.proof(&mut canton, ("POST", "/token"), json!({}));
    let attempt = Attempt::post(&at("/token"), &refreshes(&refresh)).header("dpop", &proof);
    let answers = canton.sends(vec![attempt; 20]);
    let good: Vec<_> = answers.iter().filter(|one| one.status == 200).collect();
    assert_eq!(good.len(), 1);
    let due = good[0].json()["refresh_token"].as_str().unwrap().to_owned();
    canton.passes(301);
    let late = spa.proof(&mut canton, ("POST", "/token"), json!({}));
    let attempt = Attempt::post(&at("/token"), &refreshes(&due)).header("dpop", &late);
    assert_eq!(error(&sends(&mut canton, attempt)), "use_dpop_nonce");
    assert_eq!(spa.sends(&mut canton, &refreshes(&due)).status, 200);
}
