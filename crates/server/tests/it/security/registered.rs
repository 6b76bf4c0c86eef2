//! C: applications beside the ENT, each registered for something else.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use store::{Resource, ResourceKind};
use testkit::memory::Canton;
use testkit::{Attempt, Place, Role, Town};
use wire::jose::{SigningAlg, SigningKey};

use super::openid::error;
use super::{STRANGER, between, by, canton, posts, somebody};
use crate::application::{REDIRECT, VERIFIER, asks, at, enters, parameter, sends};

/// The secret of the applications that are registered here.
pub(super) const SECRET: &str = "bm90IHRoZSBzZWNyZXQgb2YgYW55IG90aGVyIG9uZQ";
/// [RFC 7523 §2.2] how an application says that it shows an assertion.
const BEARER_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Registers applications beside the ENT, each a change to one that is confidential and trusted.
pub(super) fn registers(canton: &mut Canton, changes: &[Value]) {
    let found = canton
        .waits_for(canton.store().resource(ResourceKind::Applications))
        .unwrap()
        .unwrap();
    let mut document: Value = toml::from_str(&found.text).unwrap();
    for change in changes {
        let mut client = json!({
            "name": { "fr": "Essai", "de": "Probe", "en": "Trial" },
            "kind": "confidential",
            "redirect_uris": [REDIRECT],
            "auth": "post",
            "secret_sha256": data_encoding::HEXLOWER.encode(digest(&SHA256, SECRET.as_bytes()).as_ref()),
            "scopes": ["openid"],
            "trusted": true,
        });
        for (name, value) in change.as_object().unwrap() {
            if value.is_null() {
                client.as_object_mut().unwrap().remove(name);
            } else {
                client[name] = value.clone();
            }
        }
        document["application"].as_array_mut().unwrap().push(client);
    }
    let new = Resource {
        text: toml::to_string(&document).unwrap(),
        ..found
    };
    let by = by(canton);
    assert!(canton.waits_for(canton.store().apply(&[new], &by)).unwrap());
    assert!(canton.waits_for(canton.provider().reload()).unwrap());
}

pub(super) fn asks_as(client: &str, changes: &[(&str, Option<&str>)]) -> String {
    let all: Vec<_> = [("client_id", Some(client)), ("scope", Some("openid"))]
        .into_iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name))
        .chain(changes.iter().copied())
        .collect();
    asks(&all)
}

/// [C12] Nobody consents by silence: an application of others gets nothing without a page, and a public
/// one only after a click.
#[test]
fn nobody_consents_by_silence() {
    let mut canton = canton();
    let public = json!({ "id": "public", "kind": "public", "auth": "none", "secret_sha256": null });
    registers(
        &mut canton,
        &[json!({ "id": "foreign", "trusted": false }), public],
    );
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    for prompt in [None, Some("login"), Some("consent")] {
        let answer = browser.sends(Attempt::get(&asks_as("foreign", &[("prompt", prompt)])));
        assert!(!answer.signs_somebody_in(), "{prompt:?}: {answer:?}");
    }
    let silent = asks_as("foreign", &[("prompt", Some("none"))]);
    let silent = browser.sends(Attempt::get(&silent));
    assert_eq!(error(&silent).as_deref(), Some("consent_required"));
    let silent = browser.sends(Attempt::get(&asks_as(
        "public",
        &[("prompt", Some("none"))],
    )));
    assert_eq!(error(&silent).as_deref(), Some("consent_required"));
    let page = browser.sends(Attempt::get(&asks_as("public", &[])));
    assert_eq!((page.status, page.location()), (200, ""));
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let click = [("action", "continue"), ("ticket", ticket.as_str())];
    assert!(posts(&mut *browser, "/login", &click).signs_somebody_in());
}

/// [C05] Types, modes, grants and scopes beyond what an application is registered for are refused;
/// one that is switched off does not exist.
#[test]
fn an_application_gets_what_it_is_registered_for() {
    let mut canton = canton();
    registers(
        &mut canton,
        &[
            json!({ "id": "off", "enabled": false }),
            json!({ "id": "narrow" }),
        ],
    );
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    let mut asked = |request: String| browser.sends(Attempt::get(&request));
    assert!(asked(asks_as("narrow", &[])).signs_somebody_in());
    for scope in [
        "openid phone",
        "openid email",
        "profile",
        "",
        "openid offline_access",
    ] {
        let answer = asked(asks_as("narrow", &[("scope", Some(scope))]));
        let got = parameter(answer.location(), "code");
        if let Some(code) = got {
            let fields = [
                ("grant_type", "authorization_code"),
                ("code", code.as_str()),
                ("redirect_uri", REDIRECT),
                ("code_verifier", VERIFIER),
                ("client_id", "narrow"),
                ("client_secret", SECRET),
            ];
            let answer = canton.calls(STRANGER, Attempt::post(&at("/token"), &fields));
            assert_eq!(answer.json()["scope"], "openid", "{scope}: {}", answer.body);
            assert!(answer.json()["refresh_token"].is_null());
        }
    }
    for mode in ["fragment", "form_post", "fragment.jwt"] {
        let answer = asked(asks_as("narrow", &[("response_mode", Some(mode))]));
        assert!(
            !answer.signs_somebody_in() && !answer.body.contains("code="),
            "{mode}"
        );
    }
    for request in ["request", "request_uri", "registration"] {
        let answer = asked(asks_as(
            "narrow",
            &[(request, Some("https://evil.example/x"))],
        ));
        assert!(!answer.signs_somebody_in(), "{request}");
    }
    let off = asked(asks_as("off", &[]));
    assert_eq!((off.status, off.location()), (400, ""));
}

struct Signed {
    key: SigningKey,
}

impl Signed {
    fn assertion(&self, changes: Value, now: i64) -> String {
        let mut claims = json!({
            "iss": "signed", "sub": "signed", "aud": at(""), "jti": "once", "exp": now + 60, "iat": now,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.key.sign("JWT", &claims).unwrap()
    }

    fn redeems(code: &str, assertion: &str) -> Attempt {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("client_id", "signed"),
            ("client_assertion_type", BEARER_ASSERTION),
            ("client_assertion", assertion),
        ];
        Attempt::post(&at("/token"), &fields)
    }
}

/// [C08] [C10] An assertion proves an application once, for us, by its own key, for a minute or so.
#[test]
fn an_assertion_is_used_once() {
    let mut canton = canton();
    let signed = Signed {
        key: SigningKey::generate(SigningAlg::Es256).unwrap(),
    };
    let stranger = Signed {
        key: SigningKey::generate(SigningAlg::Es256).unwrap(),
    };
    let public = serde_json::to_value(signed.key.public()).unwrap();
    registers(
        &mut canton,
        &[
            json!({ "id": "signed", "auth": "private_key_jwt", "secret_sha256": null, "jwks": { "keys": [public] } }),
        ],
    );
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    let now = canton.now();
    let mut code = || {
        let answer = browser.sends(Attempt::get(&asks_as("signed", &[])));
        parameter(answer.location(), "code").unwrap()
    };
    let bad = [
        stranger.assertion(json!({}), now),
        signed.assertion(json!({ "aud": "https://other.example" }), now),
        signed.assertion(json!({ "exp": now - 600 }), now),
        signed.assertion(json!({ "exp": now + 86_400 }), now),
        signed.assertion(json!({ "iss": "ent", "sub": "ent" }), now),
        signed.assertion(json!({ "jti": null }), now),
        String::new(),
    ];
    for assertion in bad {
        let answer = sends(&mut canton, Signed::redeems(&code(), &assertion));
        assert!(
            matches!(answer.status, 400 | 401),
            "{assertion}: {}",
            answer.body
        );
        assert!(answer.json()["access_token"].is_null(), "{assertion}");
    }
    let good = signed.assertion(json!({}), now);
    let first = sends(&mut canton, Signed::redeems(&code(), &good));
    assert_eq!(first.status, 200, "{}", first.body);
    let again = sends(&mut canton, Signed::redeems(&code(), &good));
    assert_eq!(again.json()["error"], "invalid_client", "{}", again.body);
}

/// [C18] Scripts of an application in the browser read what applications are told, from the address where
/// it is registered and no other; what is public is read by all; `/authorize` and the pages by nobody, and
/// nothing with cookies.
#[test]
fn scripts_of_others_read_nothing_of_people() {
    let mut canton = canton();
    let public = json!({ "id": "public", "kind": "public", "auth": "none", "secret_sha256": null,
        "redirect_uris": ["https://spa.example.ch/callback"] });
    registers(&mut canton, &[public]);
    let paths = server::ROUTES.iter().map(|route| route.path);
    for path in paths.filter(|path| !path.contains('{')) {
        for (origin, method) in [
            ("https://spa.example.ch", "GET"),
            ("https://spa.example.ch", "OPTIONS"),
            ("https://spa.example.ch.evil.example", "OPTIONS"),
            ("https://evil.example", "OPTIONS"),
            ("null", "OPTIONS"),
            (REDIRECT.strip_suffix("/callback").unwrap(), "OPTIONS"),
        ] {
            let mut attempt = Attempt::get(&at(path)).header("origin", origin);
            attempt.method = method.into();
            let answer = sends(&mut canton, attempt);
            let readable = answer.header("access-control-allow-origin");
            let expected = match path {
                "/.well-known/oauth-authorization-server"
                | "/.well-known/openid-configuration"
                | "/jwks" => Some("*"),
                "/userinfo" if origin == "https://spa.example.ch" => Some(origin),
                "/token" | "/revoke"
                    if (origin, method) == ("https://spa.example.ch", "OPTIONS") =>
                {
                    Some(origin)
                }
                _ => None,
            };
            assert_eq!(readable, expected, "{method} {path} from {origin}");
            let cookies = answer.header("access-control-allow-credentials");
            assert_eq!(cookies, None, "{path}");
        }
    }
}
