//! What the provider tells applications, and what it refuses them.

use testkit::memory::Canton;
use testkit::{Attempt, Language, Town};

use crate::application::{
    REDIRECT, VERIFIER, asks, at, at_school, basic, claims, code, enters, parameter, redeems,
    redeems_as, sends,
};

fn canton() -> Canton {
    Canton::new(Language::French)
}

/// [C11] [N06] The ID token says what was proven: at school a password.
#[test]
fn a_code_becomes_tokens_that_say_what_was_proven() {
    let mut canton = canton();
    let code = code(&mut canton);
    let answer = sends(&mut canton, redeems(&code));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.json();
    let claims = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["acr"], "https://refeds.org/profile/sfa");
    assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
    assert_eq!(
        (&claims["aud"], &claims["nonce"]),
        (&"ent".into(), &"a-nonce".into())
    );
    assert_eq!(claims["iss"], at("").as_str());

    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let ask = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    let answer = sends(&mut canton, ask);
    assert_eq!(answer.json()["sub"], claims["sub"]);
}

/// [C02] A code works once; the second use takes back what the first one gave.
#[test]
fn a_code_used_twice_is_worth_nothing() {
    let mut canton = canton();
    let code = code(&mut canton);
    let tokens = sends(&mut canton, redeems(&code)).json();
    let answer = sends(&mut canton, redeems(&code));
    assert_eq!(
        (answer.status, answer.json()["error"].as_str()),
        (400, Some("invalid_grant"))
    );
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let ask = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    assert_eq!(sends(&mut canton, ask).status, 401);
}

/// [C02] Of a hundred redemptions at once one gets tokens, and the others take them back.
#[test]
fn of_many_redemptions_at_once_one_wins() {
    let mut canton = canton();
    let code = code(&mut canton);
    let answers = canton.sends(vec![redeems(&code); 100]);
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 200).count(),
        1
    );
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status, 200 | 400))
    );
}

/// [C02] A code lives for a minute.
#[test]
fn an_old_code_is_refused() {
    let mut canton = canton();
    let code = code(&mut canton);
    canton.passes(61);
    assert_eq!(
        sends(&mut canton, redeems(&code)).json()["error"],
        "invalid_grant"
    );
}

/// [C02] A code is worth nothing to another application, at another address, or changed.
#[test]
fn a_code_belongs_to_its_application_and_address() {
    let mut canton = canton();
    let elsewhere = |code: &str| {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", "http://localhost:8401/other"),
            ("code_verifier", VERIFIER),
        ];
        let secret = basic("ent", testkit::memory::ENT_SECRET);
        Attempt::post(&at("/token"), &fields).header("authorization", &secret)
    };
    let code_1 = code(&mut canton);
    assert_eq!(
        sends(&mut canton, elsewhere(&code_1)).json()["error"],
        "invalid_grant"
    );
    let mut changed = code_1.clone();
    changed.replace_range(20..21, if &code_1[20..21] == "A" { "B" } else { "A" });
    assert_eq!(
        sends(&mut canton, redeems(&changed)).json()["error"],
        "invalid_grant"
    );
}

/// [C03] Without PKCE, or with `plain`, nobody is signed in; a verifier that does not fit gets nothing.
#[test]
fn pkce_cannot_be_left_out_or_weakened() {
    let mut canton = canton();
    for changes in [
        vec![("code_challenge", None), ("code_challenge_method", None)],
        vec![("code_challenge_method", Some("plain"))],
        vec![("code_challenge_method", None)],
        vec![("code_challenge", Some("short"))],
        vec![("code_challenge", Some(""))],
    ] {
        let answer = sends(&mut canton, Attempt::get(&asks(&changes)));
        assert_eq!(answer.status, 303, "{changes:?}");
        assert!(answer.location().starts_with(REDIRECT), "{changes:?}");
        let error = parameter(answer.location(), "error");
        assert_eq!(error.as_deref(), Some("invalid_request"), "{changes:?}");
    }
    let code = code(&mut canton);
    let other = "another-verifier-of-at-least-forty-three-chars";
    for verifier in [other, "", "short"] {
        let attempt = redeems_as(&code, "ent", testkit::memory::ENT_SECRET, verifier);
        let answer = sends(&mut canton, attempt);
        assert_eq!(answer.status, 400, "{verifier}: {}", answer.body);
    }
}

/// [C04] Implicit and password grants do not exist, in deeds and in the metadata.
#[test]
fn only_the_authorization_code_exists() {
    let mut canton = canton();
    for response_type in ["token", "id_token", "code id_token", "none", ""] {
        let request = asks(&[("response_type", Some(response_type))]);
        let answer = sends(&mut canton, Attempt::get(&request));
        assert!(!answer.location().contains("code="), "{response_type}");
        assert!(
            answer.location().contains("error="),
            "{response_type}: {answer:?}"
        );
    }
    for grant in [
        "password",
        "client_credentials",
        "implicit",
        "refresh_token",
        "",
    ] {
        let fields = [
            ("grant_type", grant),
            ("username", "anna.roten"),
            ("password", "x"),
        ];
        let secret = basic("ent", testkit::memory::ENT_SECRET);
        let attempt = Attempt::post(&at("/token"), &fields).header("authorization", &secret);
        let answer = sends(&mut canton, attempt);
        assert_eq!(answer.status, 400, "{grant}");
        assert!(answer.json()["access_token"].is_null(), "{grant}");
    }
    let metadata = sends(
        &mut canton,
        Attempt::get(&at("/.well-known/openid-configuration")),
    )
    .json();
    assert_eq!(
        metadata["response_types_supported"],
        serde_json::json!(["code"])
    );
    assert_eq!(
        metadata["grant_types_supported"],
        serde_json::json!(["authorization_code", "refresh_token", "client_credentials"])
    );
    assert_eq!(
        metadata["code_challenge_methods_supported"],
        serde_json::json!(["S256"])
    );
}

/// [C08] An application without its secret, with another's, or with an empty one gets nothing, and
/// the code is not spent by it.
#[test]
fn an_application_must_be_itself() {
    let mut canton = canton();
    crate::registered::registers_a_neighbour(&canton);
    let code = code(&mut canton);
    for (client, secret) in [
        ("ent", ""),
        ("ent", "wrong"),
        ("neighbour", testkit::memory::ENT_SECRET),
        ("nobody", testkit::memory::ENT_SECRET),
        ("", ""),
    ] {
        let answer = sends(&mut canton, redeems_as(&code, client, secret, VERIFIER));
        assert_eq!(answer.status, 401, "{client}:{secret}: {}", answer.body);
        assert_eq!(
            answer.json()["error"],
            "invalid_client",
            "{client}:{secret}"
        );
    }
    let mut bare = redeems(&code);
    bare.headers.retain(|(name, _)| name != "authorization");
    assert_eq!(sends(&mut canton, bare).status, 401);
    assert_eq!(sends(&mut canton, redeems(&code)).status, 200);
}

/// [C13] A parameter that comes twice, or from two places, is refused.
#[test]
fn a_parameter_comes_once() {
    let mut canton = canton();
    for name in ["client_id", "redirect_uri"] {
        let url = format!("{}&{name}=ent", asks(&[]));
        let answer = sends(&mut canton, Attempt::get(&url));
        assert_eq!((answer.status, answer.location()), (400, ""), "{name}");
    }
    for name in [
        "response_type",
        "scope",
        "state",
        "nonce",
        "code_challenge",
        "prompt",
    ] {
        let url = format!("{}&prompt=login&{name}=x", asks(&[]));
        let answer = sends(&mut canton, Attempt::get(&url));
        let signs_in = answer.status == 200 && answer.body.contains("name=\"password\"");
        assert!(!signs_in, "{name} twice was taken");
    }
    let code = code(&mut canton);
    for name in ["grant_type", "code", "redirect_uri", "code_verifier"] {
        let mut attempt = redeems(&code);
        attempt.body.push_str(&format!("&{name}=x"));
        let answer = sends(&mut canton, attempt);
        assert_eq!(answer.status, 400, "{name}");
    }
    let mut both = redeems(&code);
    both.body.push_str("&client_id=ent&client_secret=x");
    assert!(matches!(sends(&mut canton, both).status, 400 | 401));
}

/// [C01] Codes go to registered addresses only, compared letter by letter; nothing is redirected
/// elsewhere, not even an error.
#[test]
fn a_code_goes_to_a_registered_address_only() {
    let mut canton = canton();
    for other in [
        "http://localhost:8401/callback/",
        "http://localhost:8401/callback?x=1",
        "http://localhost:8401/Callback",
        "http://localhost:8401/callback#x",
        "http://localhost:8401//callback",
        "http://localhost:8401/./callback",
        "http://localhost:8401/%63allback",
        "http://LOCALHOST:8401/callback",
        "http://localhost:8401@evil.example/callback",
        "https://localhost:8401/callback",
        "http://localhost:8402/callback",
        "http://localhost.:8401/callback",
        "http://127.0.0.1:8401/callback",
        "javascript:alert(1)",
        "",
    ] {
        let request = asks(&[("redirect_uri", Some(other))]);
        let answer = sends(&mut canton, Attempt::get(&request));
        assert_eq!((answer.status, answer.location()), (400, ""), "{other}");
    }
}

/// [C07] The answer says who gives it, and every failure too.
#[test]
fn an_answer_says_who_gives_it() {
    let mut canton = canton();
    let (person, mut browser) = at_school(&mut canton);
    let answer = enters(&mut *browser, &asks(&[]), &person);
    assert_eq!(
        parameter(answer.location(), "iss").as_deref(),
        Some(at("").as_str())
    );
    assert_eq!(
        parameter(answer.location(), "state").as_deref(),
        Some("a-state")
    );
    let answer = sends(
        &mut canton,
        Attempt::get(&asks(&[("prompt", Some("none"))])),
    );
    assert_eq!(
        parameter(answer.location(), "error").as_deref(),
        Some("login_required")
    );
    assert_eq!(
        parameter(answer.location(), "iss").as_deref(),
        Some(at("").as_str())
    );
}

/// [C11] `prompt=login` and `max_age` ask again, whatever session there is.
#[test]
fn an_application_may_ask_for_a_fresh_sign_in() {
    let mut canton = canton();
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    let silent = browser.sends(Attempt::get(&asks(&[("prompt", Some("none"))])));
    assert!(parameter(silent.location(), "code").is_some());

    canton.passes(120);
    for fresh in [
        ("prompt", Some("login")),
        ("max_age", Some("60")),
        ("max_age", Some("0")),
    ] {
        let answer = browser.sends(Attempt::get(&asks(&[fresh])));
        assert_eq!((answer.status, answer.location()), (200, ""), "{fresh:?}");
        assert!(answer.body.contains("name=\"password\""), "{fresh:?}");
    }
    let recent = browser.sends(Attempt::get(&asks(&[("max_age", Some("600"))])));
    assert!(parameter(recent.location(), "code").is_some());
}

/// [C10] An ID token, a code and a session cookie are no access tokens.
#[test]
fn tokens_of_one_kind_are_none_of_another() {
    let mut canton = canton();
    let code = code(&mut canton);
    let tokens = sends(&mut canton, redeems(&code)).json();
    let id_token = tokens["id_token"].as_str().unwrap();
    let access_token = tokens["access_token"].as_str().unwrap();
    for other in [id_token, &code, "", "x"] {
        let bearer = format!("Bearer {other}");
        let ask = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
        let answer = sends(&mut canton, ask);
        assert!(
            matches!(answer.status, 400 | 401),
            "{other}: {}",
            answer.status
        );
    }
    assert_eq!(sends(&mut canton, redeems(access_token)).status, 400);
    let hint = format!(
        "{}&id_token_hint={access_token}",
        at("/logout?client_id=ent")
    );
    assert!(
        !sends(&mut canton, Attempt::get(&hint))
            .location()
            .contains("8401")
    );
}

/// [C15] Nobody is signed out by a link: without proof of who asks there is a question.
#[test]
fn a_link_signs_nobody_out() {
    let mut canton = canton();
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    let answer = browser.sends(Attempt::get(&at("/logout")));
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("method=\"post\""));
    let still = browser.sends(Attempt::get(&asks(&[("prompt", Some("none"))])));
    assert!(parameter(still.location(), "code").is_some());
    // An address that nobody registered is never gone to.
    let evil = "/logout?client_id=ent&post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F";
    let answer = browser.sends(Attempt::get(&at(evil)));
    assert!(!answer.location().contains("evil"), "{answer:?}");
}

/// [P07] Whatever request is taken, the form of its sign-in page is taken, too.
#[test]
fn the_longest_request_of_an_application_can_be_answered() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    let state = "s".repeat(2048);
    let hint = "h".repeat(4096);
    let nonce = "n".repeat(512);
    let levels = "l".repeat(512);
    let request = asks(&[
        ("acr_values", Some(levels.as_str())),
        ("state", Some(state.as_str())),
        ("nonce", Some(nonce.as_str())),
        ("id_token_hint", Some(hint.as_str())),
    ]);
    let answer = enters(&mut *browser, &request, &person);
    assert_eq!(
        parameter(answer.location(), "state"),
        Some(state),
        "{answer:?}"
    );
}
