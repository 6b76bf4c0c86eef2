//! C19: applications that know people by names of their own, and what applications ask for by name.

use serde_json::{Value, json};
use store::ResourceKind;
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};

use super::openid::error;
use super::registered::{SECRET, asks_as, registers};
use super::{account, between, by, canton, gets, posts, signs_in_strongly, somebody};
use crate::application::{REDIRECT, VERIFIER, asks, at, claims, enters, parameter, sends};
use crate::registered::changes;

const MFA: &str = "https://refeds.org/profile/mfa";
const SFA: &str = "https://refeds.org/profile/sfa";

/// An application whose people have names of their own.
fn pairwise(id: &str, host: &str, salt: &str) -> Value {
    json!({
        "id": id, "subject": "pairwise", "sector": format!("https://{host}/"), "salt": salt.repeat(16),
        "grants": ["authorization_code", "refresh_token"], "scopes": ["openid", "email"],
        "post_logout_redirect_uris": ["http://localhost:8401/signed-out"],
    })
}

/// What is posted for an application with a secret.
fn form(canton: &mut Canton, path: &str, client: &str, fields: &[(&str, &str)]) -> Value {
    let mut all = vec![("client_id", client), ("client_secret", SECRET)];
    all.extend(fields);
    sends(canton, Attempt::post(&at(path), &all)).json()
}

fn redeems(canton: &mut Canton, client: &str, code: &str) -> Value {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    form(canton, "/token", client, &fields)
}

/// What an application gets in a browser in which somebody is signed in.
fn tokens(canton: &mut Canton, browser: &mut dyn Browser, client: &str) -> Value {
    let answer = browser.sends(Attempt::get(&asks_as(client, &[])));
    let code = parameter(answer.location(), "code").unwrap();
    redeems(canton, client, &code)
}

fn sub(tokens: &Value) -> String {
    let said = claims(tokens["id_token"].as_str().unwrap());
    said["sub"].as_str().unwrap().to_owned()
}

fn userinfo(canton: &mut Canton, tokens: &Value) -> Value {
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let attempt = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    sends(canton, attempt).json()
}

/// Anna, signed in at school.
fn anna(canton: &mut Canton) -> (Person, Box<dyn Browser>) {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    (anna, browser)
}

/// [C19] [OIDC Core §8.1] "The OpenID Provider MUST calculate a unique sub (subject) value for each Sector Identifier. The Subject Identifier value MUST NOT be reversible by any party other than the OpenID Provider."
/// One name everywhere, the same every time, and another one in another sector.
#[test]
fn a_sector_knows_people_by_names_of_its_own_wherever_it_asks() {
    let mut canton = canton();
    let mut signed = pairwise("signed", "a.example", "ab");
    signed["access_token"] = "jwt".into();
    let all = [
        pairwise("one", "a.example", "ab"),
        pairwise("other", "b.example", "cd"),
        signed,
    ];
    registers(&mut canton, &all);
    let (anna, mut browser) = anna(&mut canton);
    let id = account(&canton, &anna).person.id.to_string();
    let first = tokens(&mut canton, &mut *browser, "one");
    let name = sub(&first);
    assert!(name.len() == 32 && name != id, "{name}");
    assert_eq!(userinfo(&mut canton, &first)["sub"], *name);
    for token in ["access_token", "refresh_token"] {
        let token = [("token", first[token].as_str().unwrap())];
        let told = form(&mut canton, "/introspect", "one", &token);
        assert_eq!(
            (&told["active"], &told["sub"]),
            (&json!(true), &json!(name))
        );
    }
    canton.passes(100);
    let refresh = first["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let renewed = form(&mut canton, "/token", "one", &fields);
    assert_eq!(sub(&renewed), name);
    assert_eq!(userinfo(&mut canton, &renewed)["sub"], *name);

    let same = tokens(&mut canton, &mut *browser, "signed");
    assert_eq!(sub(&same), name, "one sector, one name");
    assert_eq!(claims(same["access_token"].as_str().unwrap())["sub"], *name);
    let other = tokens(&mut canton, &mut *browser, "other");
    assert!(![&name, &id].contains(&&sub(&other)));

    let mut later = canton.browser(Place::School);
    enters(&mut *later, &asks(&[]), &anna);
    assert_eq!(sub(&tokens(&mut canton, &mut *later, "one")), name);
}

/// [C11] [C15] A hint with such a name is as good as any: in silence, at a sign-out, and of nobody else.
#[test]
fn a_hint_names_people_as_the_application_knows_them() {
    let mut canton = canton();
    registers(&mut canton, &[pairwise("one", "a.example", "ab")]);
    let (_, mut browser) = anna(&mut canton);
    let hint = tokens(&mut canton, &mut *browser, "one")["id_token"].clone();
    let hint = hint.as_str().unwrap();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut hers = canton.browser(Place::School);
    enters(&mut *hers, &asks(&[]), &chloe);
    let other = tokens(&mut canton, &mut *hers, "one")["id_token"].clone();

    let silent = |hint| {
        asks_as(
            "one",
            &[("prompt", Some("none")), ("id_token_hint", Some(hint))],
        )
    };
    let answer = browser.sends(Attempt::get(&silent(hint)));
    assert!(parameter(answer.location(), "code").is_some(), "{answer:?}");
    let answer = browser.sends(Attempt::get(&silent(other.as_str().unwrap())));
    assert_eq!(error(&answer).as_deref(), Some("login_required"));

    let leave = |hint: &str| {
        let then = "post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8401%2Fsigned-out";
        format!("/logout?id_token_hint={hint}&{then}")
    };
    let asked = gets(&mut *browser, &leave(other.as_str().unwrap()));
    assert_eq!(
        asked.status, 200,
        "somebody else's hint: there is a question"
    );
    let left = gets(&mut *browser, &leave(hint));
    assert_eq!(left.location(), "http://localhost:8401/signed-out");
}

/// [C11] [OIDC Core §3.1.2.1] A hint of before an application was given names of its own names nobody any more: in
/// silence that is an answer, and otherwise somebody signs in once, and is told by the new name.
#[test]
fn a_hint_of_before_names_of_its_own_leads_to_one_sign_in() {
    let mut canton = canton();
    registers(&mut canton, &[json!({ "id": "one" })]);
    let (anna, mut browser) = anna(&mut canton);
    let before = tokens(&mut canton, &mut *browser, "one");
    let hint = before["id_token"].as_str().unwrap();
    changes(&canton, ResourceKind::Applications, |text| {
        let mut document: Value = toml::from_str(text).unwrap();
        let clients = document["application"].as_array_mut().unwrap();
        let one = clients
            .iter_mut()
            .find(|client| client["id"] == "one")
            .unwrap();
        one["subject"] = "pairwise".into();
        one["salt"] = "ab".repeat(16).into();
        toml::to_string(&document).unwrap()
    });
    let asks = |prompt| asks_as("one", &[("id_token_hint", Some(hint)), ("prompt", prompt)]);
    let silent = browser.sends(Attempt::get(&asks(Some("none"))));
    assert_eq!(error(&silent).as_deref(), Some("login_required"));
    let answer = enters(&mut *browser, &asks(None), &anna);
    let code = parameter(answer.location(), "code").expect("no second sign-in, and no refusal");
    let after = redeems(&mut canton, "one", &code);
    assert!(sub(&after) != sub(&before) && sub(&after).len() == 32);
}

/// [C15] An application hears of the end of a session under the name that it knows.
#[test]
fn the_news_of_an_end_names_people_as_the_application_knows_them() {
    let mut canton = canton();
    changes(&canton, ResourceKind::Applications, |text| {
        let mut document: Value = toml::from_str(text).unwrap();
        let clients = document["application"].as_array_mut().unwrap();
        let ent = clients.iter_mut().find(|one| one["id"] == "ent").unwrap();
        ent["subject"] = "pairwise".into();
        ent["salt"] = "ab".repeat(16).into();
        toml::to_string(&document).unwrap()
    });
    let (anna, mut browser) = anna(&mut canton);
    browser.opens(&format!("{}/login", canton.origins().ent));
    let origins = canton.origins();
    let is_in = |browser: &mut dyn Browser| {
        browser
            .whoami(&origins, testkit::Application::Ent)
            .is_some()
    };
    assert!(is_in(&mut *browser), "id token and userinfo agree");
    let (person, by) = (account(&canton, &anna).person.id, by(&mut canton));
    canton
        .waits_for(canton.store().disable(person, true, &by))
        .unwrap();
    canton.waits();
    assert!(!is_in(&mut *browser));
}

/// A refresh token of before does not survive that the application knows people by other names.
#[test]
fn who_is_known_by_another_name_signs_in_anew() {
    let mut canton = canton();
    registers(&mut canton, &[pairwise("one", "a.example", "ab")]);
    let (_, mut browser) = anna(&mut canton);
    let first = tokens(&mut canton, &mut *browser, "one");
    changes(&canton, ResourceKind::Applications, |text| {
        text.replace(&"ab".repeat(16), &"cd".repeat(16))
    });
    let refresh = first["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let refused = form(&mut canton, "/token", "one", &fields);
    assert_eq!(refused["error"], "invalid_grant");
    assert_ne!(sub(&tokens(&mut canton, &mut *browser, "one")), sub(&first));
}

/// An application that asks for claims by name.
fn curious(canton: &mut Canton) {
    let client = json!({ "id": "curious", "scopes": ["openid", "email"],
        "grants": ["authorization_code", "refresh_token"] });
    registers(canton, &[client]);
}

fn with_claims(client: &str, claims: &Value, more: &[(&str, Option<&str>)]) -> String {
    let claims = claims.to_string();
    let mut all = vec![("claims", Some(claims.as_str()))];
    all.extend(more);
    asks_as(client, &all)
}

/// [C12] [OIDC Core §5.5] An application gets the claims that it names, where it names them, and no other;
/// least of all one for which it is not registered.
#[test]
fn claims_come_where_they_are_named_and_no_others() {
    let mut canton = canton();
    curious(&mut canton);
    let (_, mut browser) = anna(&mut canton);
    let wanted = json!({
        "userinfo": { "email": { "essential": true }, "phone_number": { "essential": true }, "name": null },
        "id_token": { "email_verified": null, "groups": null },
    });
    let answer = browser.sends(Attempt::get(&with_claims("curious", &wanted, &[])));
    let code = parameter(answer.location(), "code").unwrap();
    let mut tokens = redeems(&mut canton, "curious", &code);
    for renewed in [false, true] {
        let told = userinfo(&mut canton, &tokens);
        let names: Vec<&String> = told.as_object().unwrap().keys().collect();
        assert_eq!(names, ["email", "sub"], "renewed: {renewed}");
        let said = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(said["email_verified"], false);
        for not in ["email", "groups", "name", "phone_number"] {
            assert!(said.get(not).is_none(), "{not}");
        }
        let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", &refresh)];
        tokens = form(&mut canton, "/token", "curious", &fields);
    }
    for bad in ["x", "[]", "{\"userinfo\":{\"email\":null,\"email\":null}}"] {
        let request = asks_as("curious", &[("claims", Some(bad))]);
        let answer = browser.sends(Attempt::get(&request));
        assert_eq!(error(&answer).as_deref(), Some("invalid_request"), "{bad}");
    }
}

/// [C12] Somebody is asked about what is named as about a scope that says it.
#[test]
fn somebody_agrees_to_what_is_named() {
    let mut canton = canton();
    let choir = json!({ "id": "choir", "trusted": false, "scopes": ["openid", "email"] });
    registers(&mut canton, &[choir]);
    let (_, mut browser) = anna(&mut canton);
    let browser = &mut *browser;
    let wanted = json!({ "userinfo": { "email": null } });
    let mut asked = |request: &str| -> Answer {
        let answer = browser.sends(Attempt::get(request));
        let way = answer.location().to_owned();
        let path = way.strip_prefix(&at("")).unwrap_or(&way);
        let page = gets(browser, path);
        let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
        if page.status == 200 {
            let fields = [("action", "allow"), ("ticket", ticket.as_str())];
            posts(browser, "/consent", &fields);
        }
        page
    };
    let plain = asks_as("choir", &[]);
    assert!(!asked(&plain).body.contains("adresse e-mail"));
    assert_eq!(asked(&plain).status, 303, "remembered");
    let named = with_claims("choir", &wanted, &[]);
    assert!(asked(&named).body.contains("adresse e-mail"), "asked again");
    assert_eq!(asked(&named).status, 303);
}

/// [C11] [OIDC Core §3.1.2.2] "The Authorization Server MUST NOT reply with an ID Token or Access Token for a different user, even if they have an active session with the Authorization Server."
#[test]
fn nobody_else_is_told_of_than_who_is_named() {
    let mut canton = canton();
    curious(&mut canton);
    let (anna, mut browser) = anna(&mut canton);
    let id = account(&canton, &anna).person.id.to_string();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let hers = account(&canton, &chloe).person.id.to_string();
    let named = |sub: &str| json!({ "id_token": { "sub": { "value": sub } } });
    let silent = [("prompt", Some("none"))];
    let mut asks_for = |sub: &str| {
        let request = with_claims("curious", &named(sub), &silent);
        browser.sends(Attempt::get(&request))
    };
    assert!(parameter(asks_for(&id).location(), "code").is_some());
    for other in [hers.as_str(), "nobody", &id[1..]] {
        assert_eq!(
            error(&asks_for(other)).as_deref(),
            Some("login_required"),
            "{other}"
        );
    }
    // Behind a sign-in of its own, too.
    let request = with_claims("curious", &named(&hers), &[]);
    let answer = enters(&mut *browser, &request, &anna);
    assert_eq!(error(&answer).as_deref(), Some("login_required"));
    let request = with_claims("curious", &named(&hers), &[("prompt", Some("login"))]);
    let answer = enters(&mut *browser, &request, &chloe);
    assert!(parameter(answer.location(), "code").is_some(), "{answer:?}");
}

/// [C11] [OIDC Core §5.5.1.1] "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that outcome as a failed authentication attempt."
/// [OIDC Core §5.5.1.1] "the Authorization Server MUST return an acr Claim Value that matches one of the requested values."
#[test]
fn an_assurance_that_is_insisted_on_is_met_or_there_is_no_code() {
    let mut canton = canton();
    curious(&mut canton);
    let strong = json!({ "id": "strong", "minimum": "strong" });
    registers(&mut canton, &[strong]);
    let insists =
        |values: &[&str]| json!({ "id_token": { "acr": { "essential": true, "values": values } } });
    let (_, mut browser) = anna(&mut canton);
    let mut told = |client: &str, claims: &Value| {
        let request = with_claims(client, claims, &[("prompt", Some("none"))]);
        let answer = browser.sends(Attempt::get(&request));
        error(&answer).unwrap_or_default()
    };
    let unmet = "unmet_authentication_requirements";
    assert_eq!(told("curious", &insists(&["urn:unknown"])), unmet);
    assert_eq!(told("strong", &insists(&[SFA])), unmet);
    assert_eq!(told("curious", &insists(&[MFA])), "interaction_required");
    assert_eq!(told("curious", &insists(&["urn:unknown", SFA])), "");
    let wishes = json!({ "id_token": { "acr": { "values": ["urn:unknown"] } } });
    assert_eq!(told("curious", &wishes), "", "a wish is no demand");

    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut hers = canton.browser(Place::Home);
    signs_in_strongly(&mut canton, &mut *hers, &chloe);
    for (values, acr) in [(&[MFA][..], MFA), (&[SFA], SFA), (&[SFA, MFA], MFA)] {
        let request = with_claims("curious", &insists(values), &[]);
        let answer = hers.sends(Attempt::get(&request));
        let code = parameter(answer.location(), "code").unwrap();
        let tokens = redeems(&mut canton, "curious", &code);
        let said = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!(said["acr"], acr, "{values:?}");
    }
}
