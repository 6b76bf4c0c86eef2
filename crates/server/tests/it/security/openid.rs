//! C: what applications get, and from whom.

use journey::Timestamp;
use serde_json::{Value, json};
use store::KeyRecord;
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};
use wire::jose::{Jwk, SigningAlg, SigningKey};

use super::{
    STRANGER, account, begins, between, by, canton, gets, is_signed_in, posts, session,
    signs_in_strongly, somebody,
};
use crate::application::{REDIRECT, asks, at, claims, code, enters, parameter, redeems, sends};

const MFA: &str = "https://refeds.org/profile/mfa";
const SFA: &str = "https://refeds.org/profile/sfa";

/// The error that an application is told.
pub(super) fn error(answer: &Answer) -> Option<String> {
    parameter(answer.location(), "error")
}

/// One of each kind of sealed, signed and drawn thing, and the browser whose they are.
fn one_of_each(canton: &mut Canton) -> (Vec<(&'static str, String)>, Box<dyn Browser>) {
    let (anna, bastien) = (somebody(canton, Role::Sms), somebody(canton, Role::App));
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &asks(&[]), &anna);
    let spent = parameter(answer.location(), "code").unwrap();
    let tokens = sends(canton, redeems(&spent)).json();
    let strong = asks(&[("prompt", Some("login")), ("acr_values", Some(MFA))]);
    let elsewhere = enters(&mut *browser, &strong, &bastien)
        .location()
        .to_owned();
    let page = gets(&mut *browser, &elsewhere).body;
    let sign_in = gets(&mut *browser, "/login").body;
    let sign_out = gets(&mut *browser, "/logout").body;
    let ticket = |body: &str| between(body, "name=\"ticket\" value=\"", "\"");
    let things = vec![
        (
            "access token",
            tokens["access_token"].as_str().unwrap().to_owned(),
        ),
        ("id token", tokens["id_token"].as_str().unwrap().to_owned()),
        ("spent code", spent),
        ("sign-in ticket", ticket(&sign_in)),
        ("sign-out ticket", ticket(&sign_out)),
        ("resume link", between(&page, "/resume/", "\"")),
        ("session", session(&mut *browser).unwrap()),
        ("journey", elsewhere.rsplit('/').next().unwrap().to_owned()),
    ];
    (things, browser)
}

/// [C10] Every kind of sealed or signed thing at every place that takes one: only the right kind at
/// its own place does anything.
#[test]
fn nothing_is_taken_for_something_else() {
    let mut canton = canton();
    let (things, mut browser) = one_of_each(&mut canton);
    for (what, thing) in &things {
        assert!(thing.len() > 20, "{what}: {thing}");
        let bearer =
            Attempt::get(&at("/userinfo")).header("authorization", &format!("Bearer {thing}"));
        assert_eq!(
            sends(&mut canton, bearer).status == 200,
            *what == "access token",
            "{what}"
        );
        assert_eq!(
            sends(&mut canton, redeems(thing)).json()["error"],
            "invalid_grant",
            "{what}"
        );
        let mut other = canton.browser(Place::Home);
        other.takes(&[("furka-session".into(), thing.clone())]);
        assert_eq!(is_signed_in(&mut *other), *what == "session", "{what}");
        if *what != "journey" {
            assert_eq!(
                gets(&mut *browser, &format!("/login/{thing}")).status,
                410,
                "{what}"
            );
        }
        if *what != "resume link" {
            let answer = posts(&mut *other, &format!("/resume/{thing}"), &[]);
            assert_eq!(answer.status, 410, "{what}");
        }
        let fields = [("ticket", thing.as_str()), ("action", "continue")];
        let answer = posts(&mut *browser, "/login", &fields);
        assert_eq!(
            answer.signs_somebody_in() || answer.status < 400,
            *what == "sign-in ticket",
            "{what}"
        );
    }
    // An ID token is a hint, and nothing else is.
    for (what, thing) in things.iter().filter(|(what, _)| *what != "id token") {
        let url = format!("/logout?client_id=ent&id_token_hint={thing}");
        let asked = gets(&mut *browser, &url).body.contains("name=\"ticket\"");
        assert!(asked, "{what}: signed out without a question");
    }
    assert!(is_signed_in(&mut *browser));
}

/// [C15] Forged, foreign and changed hints are no proof of who asks: there is a question.
#[test]
fn a_forged_hint_signs_nobody_out() {
    let mut canton = canton();
    crate::registered::registers_a_neighbour(&canton);
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let hint_of = |canton: &mut Canton, person: &Person| {
        let mut browser = canton.browser(Place::School);
        let answer = enters(&mut *browser, &asks(&[]), person);
        let tokens = sends(
            canton,
            redeems(&parameter(answer.location(), "code").unwrap()),
        )
        .json();
        (tokens["id_token"].as_str().unwrap().to_owned(), browser)
    };
    let (hers, _) = hint_of(&mut canton, &chloe);
    let (own, mut browser) = hint_of(&mut canton, &anna);
    let pieces: Vec<&str> = own.split('.').collect();
    let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
    let stranger = SigningKey::generate(SigningAlg::Es256).unwrap();
    let forged = [
        hers,
        format!("{none}.{}.", pieces[1]),
        format!("{}.{}.{}", pieces[0], pieces[1], "A".repeat(86)),
        format!("{}.{}.", pieces[0], pieces[1]),
        stranger.sign("JWT", &claims(&own)).unwrap(),
        "x".into(),
    ];
    let then = "post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8401%2Fsigned-out";
    for hint in forged {
        let answer = gets(
            &mut *browser,
            &format!("/logout?id_token_hint={hint}&{then}"),
        );
        assert_eq!((answer.status, answer.location()), (200, ""), "{hint}");
        assert!(is_signed_in(&mut *browser), "{hint}");
    }
    let answer = gets(
        &mut *browser,
        &format!("/logout?id_token_hint={own}&client_id=neighbour&{then}"),
    );
    assert_eq!(
        answer.location(),
        "",
        "the hint of one application in the name of another"
    );
    assert!(is_signed_in(&mut *browser));
    let answer = gets(
        &mut *browser,
        &format!("/logout?id_token_hint={own}&{then}"),
    );
    assert_eq!(answer.location(), "http://localhost:8401/signed-out");
    assert!(!is_signed_in(&mut *browser));
}

/// [C11] [OIDC Core §3.1.2.1] "otherwise, it SHOULD return an error, such as login_required."
/// An application that expects somebody is not told of another who signs in instead.
#[test]
fn who_signs_in_is_who_is_expected() {
    let mut canton = canton();
    let (anna, luca) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::Token),
    );
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &asks(&[]), &anna);
    let code = parameter(answer.location(), "code").unwrap();
    let tokens = sends(&mut canton, redeems(&code)).json();
    let hers = tokens["id_token"].as_str().unwrap();
    let request = asks(&[("id_token_hint", Some(hers)), ("prompt", Some("login"))]);
    let mut enters_as = |person| {
        let mut browser = canton.browser(Place::School);
        enters(&mut *browser, &request, person)
    };
    let other = enters_as(&luca);
    assert_eq!(error(&other).as_deref(), Some("login_required"));
    assert_eq!(parameter(other.location(), "code"), None);
    assert!(parameter(enters_as(&anna).location(), "code").is_some());
}

/// Signs in as far as it goes without a code; what the application got to know.
fn told(canton: &mut Canton, browser: &mut dyn Browser, request: &str) -> Option<Value> {
    let answer = browser.sends(Attempt::get(request));
    let code = parameter(answer.location(), "code")?;
    let tokens = sends(canton, redeems(&code)).json();
    Some(claims(tokens["id_token"].as_str()?))
}

/// [C11] Place × proof × demand: what the tokens say is what was proven, an application never gets
/// less than it asks for, and `auth_time` is when the password was typed, not when the code was made.
#[test]
fn tokens_say_what_was_proven_wherever_and_whatever_is_asked() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let demands = [
        None,
        Some(SFA),
        Some(MFA),
        Some("urn:unknown"),
        Some("urn:unknown https://refeds.org/profile/mfa"),
    ];
    for (made_at, strong) in [
        (Place::School, false),
        (Place::State, false),
        (Place::Home, true),
        (Place::School, true),
    ] {
        let mut browser = canton.browser(made_at);
        let began = canton.now();
        if strong {
            let request = asks(&[("prompt", Some("login")), ("acr_values", Some(MFA))]);
            let journey = enters(&mut *browser, &request, &chloe)
                .location()
                .to_owned();
            let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
            assert!(posts(&mut *browser, &journey, &[("code", &code)]).signs_somebody_in());
        } else {
            assert!(enters(&mut *browser, &asks(&[]), &anna).signs_somebody_in());
        }
        canton.passes(90);
        for used_at in [Place::School, Place::State, Place::Home] {
            browser.goes_to(used_at);
            for demand in demands {
                let request = asks(&[("acr_values", demand), ("prompt", Some("none"))]);
                let claims = told(&mut canton, &mut *browser, &request);
                let asks_more = demand.is_some_and(|demand| demand.contains(MFA));
                let enough = strong || (used_at != Place::Home && !asks_more);
                let what = format!("{made_at:?} {strong} {used_at:?} {demand:?}");
                assert_eq!(claims.is_some(), enough, "{what}");
                let Some(claims) = claims else { continue };
                let amr = if strong {
                    json!(["pwd", "otp", "mfa"])
                } else {
                    json!(["pwd"])
                };
                assert_eq!(claims["acr"], if strong { MFA } else { SFA }, "{what}");
                assert_eq!(claims["amr"], amr, "{what}");
                assert_eq!(claims["auth_time"], began, "{what}");
            }
        }
        canton.passes(3600);
    }
}

/// [C11] `max_age` and `prompt` are obeyed, `login_hint` chooses nobody, and a hint at somebody else
/// gives nothing in the name of who is there.
#[test]
fn what_an_application_asks_is_obeyed_or_refused() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let hers = enters(&mut *canton.browser(Place::School), &asks(&[]), &chloe);
    let hers = sends(
        &mut canton,
        redeems(&parameter(hers.location(), "code").unwrap()),
    )
    .json();
    let hers = hers["id_token"].as_str().unwrap().to_owned();
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    let mut refused = |changes: &[(&str, Option<&str>)]| {
        let answer = browser.sends(Attempt::get(&asks(changes)));
        assert!(!answer.signs_somebody_in(), "{changes:?}");
        error(&answer)
    };
    let none = ("prompt", Some("none"));
    assert_eq!(
        refused(&[none, ("id_token_hint", Some(&hers))]).as_deref(),
        Some("login_required")
    );
    assert_eq!(refused(&[("id_token_hint", Some(&hers))]), None);
    assert_eq!(
        refused(&[none, ("id_token_hint", Some("forged"))]).as_deref(),
        Some("login_required")
    );
    assert_eq!(
        refused(&[none, ("max_age", Some("0"))]).as_deref(),
        Some("login_required")
    );
    assert_eq!(
        refused(&[("prompt", Some("none login"))]).as_deref(),
        Some("invalid_request")
    );
    assert_eq!(
        refused(&[("max_age", Some("-1"))]).as_deref(),
        Some("invalid_request")
    );
    assert_eq!(refused(&[("prompt", Some("select_account"))]), None);
    let hinted = asks(&[none, ("login_hint", Some(&chloe.username))]);
    let claims = told(&mut canton, &mut *browser, &hinted).unwrap();
    assert_eq!(claims["sub"], account(&canton, &anna).person.id.to_string());
    // Asked again, `auth_time` moves; a silent answer does not move it.
    canton.passes(600);
    let before = told(&mut canton, &mut *browser, &asks(&[none])).unwrap();
    let answer = enters(&mut *browser, &asks(&[("max_age", Some("60"))]), &anna);
    let tokens = sends(
        &mut canton,
        redeems(&parameter(answer.location(), "code").unwrap()),
    )
    .json();
    let after = self::claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(
        after["auth_time"].as_i64().unwrap(),
        before["auth_time"].as_i64().unwrap() + 600
    );
}

/// [C11] The click that lets an application in is no fresh sign-in: where one is asked for, or
/// somebody else is expected, the ticket of the sign-in page gives nothing for it.
#[test]
fn a_click_is_no_fresh_sign_in() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    for fresh in [
        ("prompt", "login"),
        ("prompt", "select_account"),
        ("max_age", "0"),
    ] {
        let page = browser.sends(Attempt::get(&asks(&[(fresh.0, Some(fresh.1))])));
        let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
        let click = [("action", "continue"), ("ticket", ticket.as_str())];
        let answer = posts(&mut *browser, "/login", &click);
        assert!(answer.location().is_empty(), "{fresh:?}");
        assert!(answer.body.contains("name=\"password\""), "{fresh:?}");
    }
}

/// [C19] A subject is drawn, stays with its person through every import, and is not brought back to
/// life by one.
#[test]
fn a_subject_belongs_to_one_person() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let subject = |canton: &mut Canton, person: &Person| {
        let answer = enters(&mut *canton.browser(Place::School), &asks(&[]), person);
        let code = parameter(answer.location(), "code")?;
        let tokens = sends(canton, redeems(&code)).json();
        Some(
            claims(tokens["id_token"].as_str()?)["sub"]
                .as_str()?
                .to_owned(),
        )
    };
    let first = subject(&mut canton, &anna).unwrap();
    assert_ne!(Some(&first), subject(&mut canton, &chloe).as_ref());
    assert!(!first.contains("anna") && first.len() >= 22, "{first}");
    let known = account(&canton, &anna).person;
    let again = store::NewPerson {
        aliases: vec![],
        first_name: "Anna Maria".into(),
        id: journey::PersonId([8; 16]),
        language: journey::Language::De,
        last_name: "Imboden".into(),
        mail: "anna.imboden@edu.example".into(),
        method: None,
        password: None,
        phone: None,
        role: journey::Role::Teacher,
        school: None,
        token_serial: None,
        username: known.username,
    };
    let by = by(&mut canton);
    canton
        .waits_for(
            canton
                .store()
                .import_people(std::slice::from_ref(&again), &by),
        )
        .unwrap();
    assert_eq!(subject(&mut canton, &anna), Some(first));
    super::switch_off(&mut canton, &anna);
    canton
        .waits_for(canton.store().import_people(&[again], &by))
        .unwrap();
    assert!(account(&canton, &anna).person.disabled);
    assert_eq!(subject(&mut canton, &anna), None);
}

/// [C20] A key with which another node may sign from this moment on is published here, before this node has reloaded.
#[test]
fn no_node_signs_with_what_another_does_not_publish() {
    let mut canton = canton();
    let key = SigningKey::generate(SigningAlg::Es256).unwrap();
    let record = KeyRecord {
        algorithm: "ES256".into(),
        kid: key.kid().to_owned(),
        pkcs8: journey::Secret::new(key.to_pkcs8().unwrap().expose().to_vec()),
        until: None,
    };
    let until = Timestamp(canton.now()).plus(3600);
    let by = by(&mut canton);
    let rotated = canton.store().rotate_key(&record, until, &by);
    canton.waits_for(rotated).unwrap();
    let published = sends(&mut canton, Attempt::get(&at("/jwks"))).json();
    let keys = published["keys"].as_array().unwrap();
    assert!(keys.iter().any(|one| one["kid"] == key.kid()), "{keys:?}");
}

/// [C20] Keys rotate without a pause: from the next token on the new key signs, and what the old one
/// signed is good until its time, here and by the published set.
#[test]
fn keys_rotate_without_a_pause() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    let mut token = |canton: &mut Canton| {
        let answer = browser.sends(Attempt::get(&asks(&[("prompt", Some("none"))])));
        let tokens = sends(
            canton,
            redeems(&parameter(answer.location(), "code").unwrap()),
        )
        .json();
        tokens["id_token"].as_str().unwrap().to_owned()
    };
    let published = |canton: &Canton| {
        let set = canton.calls(STRANGER, Attempt::get(&at("/jwks"))).json();
        let keys: Vec<Jwk> = serde_json::from_value(set["keys"].clone()).unwrap();
        keys
    };
    let verifies = |keys: &[Jwk], token: &str| {
        wire::jose::VerifyingKeys::of(keys)
            .unwrap()
            .verify::<Value>(token, &["JWT"])
            .is_ok()
    };
    let old = token(&mut canton);
    let key = SigningKey::generate(SigningAlg::Es256).unwrap();
    let record = KeyRecord {
        algorithm: "ES256".into(),
        kid: key.kid().to_owned(),
        pkcs8: journey::Secret::new(key.to_pkcs8().unwrap().expose().to_vec()),
        until: None,
    };
    let until = Timestamp(canton.now()).plus(3600);
    let by = by(&mut canton);
    canton
        .waits_for(canton.store().rotate_key(&record, until, &by))
        .unwrap();
    assert!(canton.waits_for(canton.provider().reload()).unwrap());
    let new = token(&mut canton);
    let keys = published(&canton);
    assert!(verifies(&keys, &old) && verifies(&keys, &new));
    assert!(verifies(&[key.public().clone()], &new) && !verifies(&[key.public().clone()], &old));
    let silent = asks(&[("prompt", Some("none")), ("id_token_hint", Some(&old))]);
    assert!(
        canton
            .browser(Place::Home)
            .sends(Attempt::get(&silent))
            .location()
            .contains("login_required")
    );
    canton.passes(3700);
    let generation = canton.waits_for(canton.store().generation()).unwrap();
    assert!(generation > 0);
    let keys = published_anew(&canton);
    assert!(!verifies(&keys, &old) && verifies(&keys, &new));
}

/// The keys as a node that starts now publishes them.
fn published_anew(canton: &Canton) -> Vec<Jwk> {
    let origin = "https://identite.example";
    let set = canton
        .calls_at(origin, Attempt::get(&format!("{origin}/jwks")))
        .json();
    serde_json::from_value(set["keys"].clone()).unwrap()
}

/// [C02] A code dies with its session and is bound to whom it was made for: another person's
/// application, a step between, nothing helps.
#[test]
fn a_code_of_a_journey_under_way_does_not_exist() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &chloe);
    for path in [journey.as_str(), "/login", "/account"] {
        assert!(
            !gets(&mut *browser, path).location().contains("code="),
            "{path}"
        );
    }
    let answer = signs_in_strongly(&mut canton, &mut *browser, &chloe);
    assert!(answer.location().starts_with(REDIRECT));
    let other = code(&mut canton);
    assert_ne!(parameter(answer.location(), "code").unwrap(), other);
}

/// [C07] An application that wants its answer posted gets a form with the same in it, for a code and for a
/// refusal; the page is good for a minute.
#[test]
fn an_answer_is_posted_where_an_application_wants_it() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let wants = |prompt| asks(&[("response_mode", Some("form_post")), ("prompt", prompt)]);
    let path = |answer: &Answer| answer.location().strip_prefix(&at("")).map(str::to_owned);
    let path = |answer: &Answer| path(answer).unwrap_or_else(|| answer.location().to_owned());
    let field = |body: &str, name: &str| between(body, &format!("name=\"{name}\" value=\""), "\"");

    let nobody = browser.sends(Attempt::get(&wants(Some("none"))));
    let page = gets(&mut *browser, &path(&nobody));
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(field(&page.body, "error"), "login_required");
    let answer = enters(&mut *browser, &wants(None), &anna);
    let page = gets(&mut *browser, &path(&answer));
    assert!(page.body.contains(&format!("action=\"{REDIRECT}\"")));
    assert_eq!(field(&page.body, "state"), "a-state");
    let code = field(&page.body, "code");
    let tokens = sends(&mut canton, redeems(&code)).json();
    assert_eq!(
        claims(tokens["id_token"].as_str().unwrap())["nonce"],
        "a-nonce"
    );

    let silent = browser.sends(Attempt::get(&wants(Some("none"))));
    canton.passes(60);
    assert_eq!(gets(&mut *browser, &path(&silent)).status, 410);
    assert_eq!(gets(&mut *browser, "/answer?ticket=x").status, 410);
}
