//! C12: what applications of others are told, and who said that they may be.

use serde_json::{Value, json};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Place, Role, Town};

use super::openid::error;
use super::registered::{SECRET, asks_as, registers};
use super::{between, canton, gets, posts, somebody};
use crate::application::{REDIRECT, VERIFIER, at, enters, parameter, sends};

/// An application of others.
fn choir() -> Value {
    json!({
        "id": "choir",
        "name": { "fr": "Chœur", "de": "Chor", "en": "Choir" },
        "trusted": false,
        "grants": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile", "email"],
    })
}

/// Somebody who signs in for an application, up to the question; its ticket.
fn is_asked(browser: &mut dyn Browser, request: &str) -> (String, Answer) {
    let answer = browser.sends(Attempt::get(request));
    asked_at(browser, answer.location())
}

fn asked_at(browser: &mut dyn Browser, way: &str) -> (String, Answer) {
    let path = way.strip_prefix(&at("")).unwrap_or(way);
    assert!(path.starts_with("/consent?"), "{way}");
    let page = gets(browser, path);
    assert_eq!(page.status, 200, "{}", page.body);
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    (ticket, page)
}

fn says(browser: &mut dyn Browser, action: &str, ticket: &str) -> Answer {
    posts(
        browser,
        "/consent",
        &[("action", action), ("ticket", ticket)],
    )
}

fn token(canton: &mut Canton, grant: &[(&str, &str)]) -> Answer {
    let mut form = vec![("client_id", "choir"), ("client_secret", SECRET)];
    form.extend(grant);
    sends(canton, Attempt::post(&at("/token"), &form))
}

fn redeems(canton: &mut Canton, code: &str) -> Answer {
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    token(canton, &grant)
}

/// [C12] Behind the password, too, somebody is asked in words first; a no is told, a yes is remembered
/// for what was shown and for nothing more.
#[test]
fn an_application_of_others_is_told_what_somebody_agreed_to() {
    let mut canton = canton();
    registers(&mut canton, &[choir()]);
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let browser = &mut *browser;
    let answer = enters(browser, &asks_as("choir", &[]), &anna);
    let (ticket, page) = asked_at(browser, answer.location());
    assert!(page.body.contains("Chœur"), "{}", page.body);
    assert!(!page.body.contains("adresse e-mail"), "{}", page.body);

    let refused = says(browser, "deny", &ticket);
    assert_eq!(error(&refused).as_deref(), Some("access_denied"));
    assert_eq!(parameter(refused.location(), "code"), None);
    let (ticket, _) = is_asked(browser, &asks_as("choir", &[]));
    let granted = says(browser, "allow", &ticket);
    let code = parameter(granted.location(), "code").unwrap();
    assert_eq!(redeems(&mut canton, &code).status, 200);

    // From here on in silence, but for this only.
    let silent = [("prompt", Some("none"))];
    let again = browser.sends(Attempt::get(&asks_as("choir", &silent)));
    assert!(parameter(again.location(), "code").is_some(), "{again:?}");
    let more = [("scope", Some("openid email"))];
    let (ticket, page) = is_asked(browser, &asks_as("choir", &more));
    assert!(page.body.contains("adresse e-mail"), "{}", page.body);
    let silent_more = [("scope", Some("openid email")), ("prompt", Some("none"))];
    let none = browser.sends(Attempt::get(&asks_as("choir", &silent_more)));
    assert_eq!(error(&none).as_deref(), Some("consent_required"));
    assert!(parameter(says(browser, "allow", &ticket).location(), "code").is_some());
    let all = browser.sends(Attempt::get(&asks_as("choir", &silent_more)));
    assert!(parameter(all.location(), "code").is_some(), "{all:?}");
    // An application may want to have it said again.
    let (_, page) = is_asked(browser, &asks_as("choir", &[("prompt", Some("consent"))]));
    // Somebody else who sits down there is asked as well.
    assert!(page.body.contains("prompt=login+consent"), "{}", page.body);
}

/// [C12] What is taken back on the account page is asked anew, and renews nothing.
#[test]
fn a_consent_is_taken_back_on_the_account_page() {
    let mut canton = canton();
    registers(&mut canton, &[choir()]);
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let browser = &mut *browser;
    let answer = enters(browser, &asks_as("choir", &[]), &anna);
    let (ticket, _) = asked_at(browser, answer.location());
    let granted = says(browser, "allow", &ticket);
    let code = parameter(granted.location(), "code").unwrap();
    let tokens = redeems(&mut canton, &code).json();
    let renews = |token: &Value| {
        let token = token["refresh_token"].as_str().unwrap().to_owned();
        move |canton: &mut Canton| {
            let grant = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
            self::token(canton, &grant)
        }
    };
    let renewed = renews(&tokens)(&mut canton);
    assert_eq!(renewed.status, 200, "{}", renewed.body);

    let account = gets(browser, "/account").body;
    assert!(account.contains("Chœur"), "{account}");
    let taken = [("action", "take-back"), ("application", "choir")];
    assert_eq!(posts(browser, "/account", &taken).status, 303);
    assert!(!gets(browser, "/account").body.contains("take-back"));
    let refused = renews(&renewed.json())(&mut canton);
    assert_eq!(refused.json()["error"], "invalid_grant");
    let none = [("prompt", Some("none"))];
    let none = browser.sends(Attempt::get(&asks_as("choir", &none)));
    assert_eq!(error(&none).as_deref(), Some("consent_required"));
    is_asked(browser, &asks_as("choir", &[]));
}

/// [C12] An application that cannot prove what it is is never told in silence, whatever was said before.
#[test]
fn nobody_agrees_in_silence_to_an_application_without_a_secret() {
    let mut canton = canton();
    let public = json!({
        "id": "public", "kind": "public", "auth": "none", "secret_sha256": null, "trusted": false,
    });
    registers(&mut canton, &[public]);
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let browser = &mut *browser;
    let answer = enters(browser, &asks_as("public", &[]), &anna);
    let (ticket, _) = asked_at(browser, answer.location());
    assert!(parameter(says(browser, "allow", &ticket).location(), "code").is_some());
    is_asked(browser, &asks_as("public", &[]));
    let none = [("prompt", Some("none"))];
    let none = browser.sends(Attempt::get(&asks_as("public", &none)));
    assert_eq!(error(&none).as_deref(), Some("consent_required"));
}

/// [C12] The question belongs to one session and ten minutes: no other browser answers it, and nobody
/// can be made to answer another one's.
#[test]
fn a_question_is_answered_by_whoever_was_asked() {
    let mut canton = canton();
    registers(&mut canton, &[choir()]);
    let (anna, bastien) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::App),
    );
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &asks_as("choir", &[]), &anna);
    let (ticket, _) = asked_at(&mut *browser, answer.location());
    let mut other = canton.browser(Place::School);
    assert_eq!(says(&mut *other, "allow", &ticket).status, 410);
    enters(&mut *other, &asks_as("ent", &[]), &bastien);
    assert_eq!(says(&mut *other, "allow", &ticket).status, 410);
    assert_eq!(says(&mut *browser, "allow", "made up").status, 410);
    assert_eq!(says(&mut *browser, "perhaps", &ticket).status, 400);
    let evil = [("action", "allow"), ("ticket", ticket.as_str())];
    let evil = Attempt::post(&at("/consent"), &evil).header("origin", "https://evil.example");
    assert_eq!(browser.sends(evil).status, 403);
    canton.passes(600);
    assert_eq!(says(&mut *browser, "allow", &ticket).status, 410);
}
