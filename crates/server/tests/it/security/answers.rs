//! C07: answers to authorization requests that are signed for the application that asked.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};
use wire::jose::{JwkSet, VerifyingKeys};

use super::openid::error;
use super::registered::{asks_as, registers};
use super::{between, canton, gets, posts, somebody};
use crate::application::{REDIRECT, asks, at, enters, parameter, redeems, sends};

/// Through the page of ours that signs.
fn goes_on(browser: &mut dyn Browser, answer: &Answer) -> Answer {
    let way = answer.location();
    let way = way.strip_prefix(&at("")).unwrap_or(way).to_owned();
    assert!(way.starts_with("/answer?ticket="), "{answer:?}");
    gets(browser, &way)
}

/// What a JWT says, if a key of the provider signed it; and with which algorithm.
fn verified(canton: &mut Canton, jwt: &str) -> (Value, String) {
    let keys = sends(canton, Attempt::get(&at("/jwks"))).json();
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let keys = VerifyingKeys::of(&keys.keys).unwrap();
    let header = BASE64URL_NOPAD.decode(jwt.split('.').next().unwrap().as_bytes());
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    let alg = header["alg"].as_str().unwrap().to_owned();
    (keys.verify(jwt, &["JWT"]).unwrap(), alg)
}

/// What comes in the address: one parameter, and nothing beside it.
fn in_the_address(canton: &mut Canton, answer: &Answer) -> (Value, String) {
    let way = answer.location();
    assert!(way.starts_with(&format!("{REDIRECT}?response=")), "{way}");
    assert_eq!(url::Url::parse(way).unwrap().query_pairs().count(), 1);
    verified(canton, &parameter(way, "response").unwrap())
}

fn anna(canton: &mut Canton) -> (Person, Box<dyn Browser>) {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    (anna, browser)
}

/// [C07] [JARM §2.1] "The JWT always contains the following data utilized to secure the transmission"
/// [JARM §2.1] "The JWT MUST furthermore contain the authorization endpoint response parameters as defined for the particular response types, even in case of an error response."
/// [JARM §2.3.4] "The response mode "jwt" is a shortcut and indicates the default redirect encoding (query, fragment) for the requested response type."
#[test]
fn an_answer_is_signed_where_an_application_wants_it() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    for mode in ["jwt", "query.jwt"] {
        let wants = |prompt| asks(&[("response_mode", Some(mode)), ("prompt", prompt)]);
        let answer = enters(&mut *browser, &wants(Some("login")), &anna);
        let answer = goes_on(&mut *browser, &answer);
        let (says, alg) = in_the_address(&mut canton, &answer);
        let code = says["code"].as_str().unwrap().to_owned();
        let expected = json!({ "iss": at(""), "aud": "ent", "exp": canton.now() + 300, "code": code,
            "state": "a-state" });
        assert_eq!((says, alg.as_str()), (expected, "ES256"));
        let tokens = sends(&mut canton, redeems(&code)).json();
        assert!(tokens["id_token"].is_string(), "{tokens}");
        // Whoever is known needs no page.
        let silent = browser.sends(Attempt::get(&wants(Some("none"))));
        let silent = goes_on(&mut *browser, &silent);
        assert!(in_the_address(&mut canton, &silent).0["code"].is_string());
    }
}

/// [C07] A refusal says in the JWT what it would say outside, whether nobody is there, the request is wrong, or
/// somebody says no.
#[test]
fn a_refusal_is_signed_as_well() {
    let mut canton = canton();
    registers(&mut canton, &[json!({ "id": "choir", "trusted": false })]);
    let mut stranger = canton.browser(Place::School);
    let mode = ("response_mode", Some("jwt"));
    for (change, fault) in [
        (("prompt", Some("none")), "login_required"),
        (("code_challenge", None), "invalid_request"),
        (("scope", Some("email")), "invalid_scope"),
        (
            ("response_type", Some("token")),
            "unsupported_response_type",
        ),
    ] {
        let answer = stranger.sends(Attempt::get(&asks(&[mode, change])));
        assert_eq!(error(&answer), None, "nothing stands outside");
        let answer = goes_on(&mut *stranger, &answer);
        let (says, _) = in_the_address(&mut canton, &answer);
        assert_eq!(
            (&says["error"], &says["state"]),
            (&json!(fault), &json!("a-state"))
        );
        assert_eq!(
            (&says["iss"], &says["aud"]),
            (&json!(at("")), &json!("ent"))
        );
        assert!(says["error_description"].is_string() && says["code"].is_null());
    }
    let (_, mut browser) = anna(&mut canton);
    let silent = browser.sends(Attempt::get(&asks_as(
        "choir",
        &[mode, ("prompt", Some("none"))],
    )));
    let silent = goes_on(&mut *browser, &silent);
    let (says, _) = in_the_address(&mut canton, &silent);
    assert_eq!(
        (&says["error"], &says["aud"]),
        (&json!("consent_required"), &json!("choir"))
    );
    let way = browser.sends(Attempt::get(&asks_as("choir", &[mode])));
    let way = way
        .location()
        .strip_prefix(&at(""))
        .unwrap_or(way.location())
        .to_owned();
    let page = gets(&mut *browser, &way);
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let no = posts(
        &mut *browser,
        "/consent",
        &[("ticket", &ticket), ("action", "deny")],
    );
    let no = goes_on(&mut *browser, &no);
    assert_eq!(in_the_address(&mut canton, &no).0["error"], "access_denied");
}

/// [C07] [JARM §3] "If this is specified, the response will be signed using JWS and the configured algorithm."
/// In a form, too; the page that signs is good for a minute, and for nobody's ticket but ours.
#[test]
fn an_answer_is_signed_as_registered_and_posted_if_wanted() {
    let mut canton = canton();
    let rsa = |id: &str, name: &str| json!({ "id": id, name: "RS256" });
    let own = "authorization_signed_response_alg";
    registers(&mut canton, &[rsa("own", own), rsa("same", "id_token_alg")]);
    let (_, mut browser) = anna(&mut canton);
    for id in ["own", "same"] {
        let wants = asks_as(id, &[("response_mode", Some("form_post.jwt"))]);
        let answer = browser.sends(Attempt::get(&wants));
        let page = goes_on(&mut *browser, &answer);
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains(&format!("action=\"{REDIRECT}\"")));
        assert!(!page.body.contains("name=\"code\""));
        let jwt = between(&page.body, "name=\"response\" value=\"", "\"");
        let (says, alg) = verified(&mut canton, &jwt);
        assert_eq!((&says["aud"], alg.as_str()), (&json!(id), "RS256"));
    }
    // Whoever writes the link on the way cannot have it otherwise.
    let usual = browser.sends(Attempt::get(&asks_as("own", &[])));
    let usual = goes_on(&mut *browser, &usual);
    assert_eq!(in_the_address(&mut canton, &usual).1, "RS256");
    for plain in ["query", "form_post"] {
        let wants = asks_as("own", &[("response_mode", Some(plain))]);
        let answer = browser.sends(Attempt::get(&wants));
        assert_eq!((answer.status, answer.location()), (400, ""), "{plain}");
    }
    let late = browser.sends(Attempt::get(&asks(&[("response_mode", Some("jwt"))])));
    canton.passes(60);
    assert_eq!(goes_on(&mut *browser, &late).status, 410);
}

/// [C07] [JARM §2.3.2] A code that stays in the browser, beside the answer, is no use to who asked for it.
#[test]
fn no_answer_goes_into_a_fragment() {
    let mut canton = canton();
    let (_, mut browser) = anna(&mut canton);
    for mode in ["fragment.jwt", "jwt.query", "JWT", "form_post.jwt query"] {
        let answer = browser.sends(Attempt::get(&asks(&[("response_mode", Some(mode))])));
        assert_eq!((answer.status, answer.location()), (400, ""), "{mode}");
    }
    let twice = format!(
        "{}&response_mode=jwt",
        asks(&[("response_mode", Some("jwt"))])
    );
    let answer = browser.sends(Attempt::get(&twice));
    assert_eq!((answer.status, answer.location()), (400, ""));
}
