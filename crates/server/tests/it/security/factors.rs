//! L: how factors come, change and go.

use journey::{Happened, Method};
use testkit::{App, Attempt, Browser, Person, Place, Role, Town};

use super::codes::{PASSWORD, chooses_password, issues, opens};
use super::{
    account, audit, begins, canton, gets, is_signed_in, posts, signs_in_strongly, somebody,
    switch_off,
};
use crate::application::{asks, at, parameter, redeems, sends};
use testkit::memory::Canton;

/// [L01] A session, stolen or left behind, changes no factor, number or password: no route takes one.
#[test]
fn a_session_alone_changes_no_factor() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    signs_in_strongly(&mut canton, &mut *browser, &chloe);
    let known = |canton: &Canton| {
        let account = account(canton, &chloe);
        let app = account
            .person
            .app
            .as_ref()
            .map(|app| app.secret.expose().to_vec());
        let password = account.password.map(|hash| hash.expose().to_vec());
        (
            app,
            password,
            account.person.method,
            account.person.phone.map(|phone| phone.as_str().to_owned()),
        )
    };
    let before = known(&canton);
    for route in server::ROUTES
        .iter()
        .filter(|route| route.methods.contains(&"POST"))
    {
        for action in [
            "enrol", "remove", "change", "reset", "method", "phone", "password", "continue", "",
        ] {
            let fields = [
                ("action", action),
                ("method", "sms"),
                ("phone", "+41791112233"),
                ("new_password", PASSWORD),
                ("new_password_again", PASSWORD),
                ("username", &chloe.username),
                ("serial", "VS-1000417"),
                ("role", "admin"),
                ("phone_confirmed", "1"),
            ];
            posts(&mut *browser, &route.path.replace(['{', '}'], ""), &fields);
        }
    }
    assert_eq!(known(&canton), before);
}

/// Goes as far as the page with the key.
fn sees_the_key(canton: &mut Canton, browser: &mut dyn Browser, bastien: &Person) -> (String, App) {
    let journey = begins(browser, bastien);
    let code = (canton as &mut dyn Town).sms_code(bastien);
    posts(browser, &journey, &[("code", &code)]);
    browser.opens(&at(&journey));
    (
        journey,
        App {
            key: browser.key_to_type().unwrap(),
        },
    )
}

/// [L03] The key that is shown belongs to one journey of one browser: its code confirms no other
/// journey, and once one is bound the others are worth nothing.
#[test]
fn a_key_confirms_its_own_journey_only() {
    let mut canton = canton();
    let bastien = somebody(&mut canton, Role::App);
    let (mut one, mut two) = (canton.browser(Place::Home), canton.browser(Place::Home));
    let (first, key) = sees_the_key(&mut canton, &mut *one, &bastien);
    let (second, other) = sees_the_key(&mut canton, &mut *two, &bastien);
    assert_ne!(key, other);
    let code = (&mut canton as &mut dyn Town).app_code(&key);
    assert!(!posts(&mut *two, &second, &[("code", &code)]).signs_somebody_in());
    assert!(!posts(&mut *two, &first, &[("code", &code)]).signs_somebody_in());
    assert!(posts(&mut *one, &first, &[("code", &code)]).signs_somebody_in());
    let code = (&mut canton as &mut dyn Town).app_code(&other);
    assert!(!posts(&mut *two, &second, &[("code", &code)]).signs_somebody_in());
    assert!(!is_signed_in(&mut *two));
    let bound = account(&canton, &bastien).person.app.unwrap();
    assert_eq!(
        data_encoding::BASE32_NOPAD.encode(bound.secret.expose()),
        key.key
    );
}

/// [O07] [L03] Once it is bound no page shows the key again, to nobody.
#[test]
fn a_key_is_never_shown_again() {
    let mut canton = canton();
    let bastien = somebody(&mut canton, Role::App);
    let mut browser = canton.browser(Place::Home);
    let (journey, app) = sees_the_key(&mut canton, &mut *browser, &bastien);
    let code = (&mut canton as &mut dyn Town).app_code(&app);
    posts(&mut *browser, &journey, &[("code", &code)]);
    let id = journey.rsplit('/').next().unwrap();
    for route in server::ROUTES
        .iter()
        .filter(|route| route.methods.contains(&"GET"))
    {
        let path = route
            .path
            .replace("{id}", id)
            .replace("{token}", id)
            .replace("{name}", id);
        let answer = gets(&mut *browser, &path);
        assert!(!answer.body.contains(&app.key), "{path}");
        assert!(!answer.body.contains("otpauth"), "{path}");
    }
}

/// [L06] A second activation of somebody who has a password resets nothing: neither password nor app
/// nor sessions. The way back after a loss is another, and must ask for more than a mailbox.
#[test]
fn an_activation_anew_resets_nothing() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    signs_in_strongly(&mut canton, &mut *browser, &chloe);

    let code = issues(&mut canton, &chloe);
    let mut new = canton.browser(Place::Home);
    let opened = opens(&mut *new, &chloe.username, &code);
    let activation = opened.location().to_owned();
    chooses_password(&mut *new, &activation, PASSWORD);
    let method = [("method", "app"), ("phone", "0791112233")];
    let answer = posts(&mut *new, &activation, &method);
    assert!(!answer.signs_somebody_in());

    assert!(is_signed_in(&mut *browser));
    let now = account(&canton, &chloe).person;
    assert!(now.app.is_some() && now.enrolled());
    assert_ne!(
        now.phone.map(|phone| phone.as_str().to_owned()).as_deref(),
        Some("+41791112233")
    );
    let old = super::sign_in::tries(&mut *canton.browser(Place::Home), &chloe);
    assert_eq!(old.status, 303, "the password of before still counts");
}

/// [L09] An identity that is switched off is out of everything with the next request: sessions,
/// journeys, tokens, and no right code brings it back.
#[test]
fn who_is_switched_off_has_nothing_left() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let signed_in = signs_in_strongly(&mut canton, &mut *browser, &chloe);
    let redeemed = redeems(&parameter(signed_in.location(), "code").unwrap());
    let unused = browser.sends(Attempt::get(&asks(&[])));
    let unused = redeems(&parameter(unused.location(), "code").unwrap());
    let tokens = sends(&mut canton, redeemed).json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let mut elsewhere = canton.browser(Place::Home);
    let journey = begins(&mut *elsewhere, &chloe);
    switch_off(&mut canton, &chloe);
    let userinfo = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    assert_eq!(sends(&mut canton, userinfo).status, 401);
    assert_eq!(sends(&mut canton, unused).json()["error"], "invalid_grant");
    assert!(!is_signed_in(&mut *browser));
    canton.passes(30);
    let shown = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    assert!(!posts(&mut *elsewhere, &journey, &[("code", &shown)]).signs_somebody_in());
}

/// [L10] The audit says who bound what, when and from where, with the code that the page showed.
#[test]
fn the_audit_says_who_bound_what() {
    let mut canton = canton();
    let bastien = somebody(&mut canton, Role::App);
    let mut browser = canton.browser(Place::Home);
    let (journey, app) = sees_the_key(&mut canton, &mut *browser, &bastien);
    let code = (&mut canton as &mut dyn Town).app_code(&app);
    let now = canton.now();
    posts(&mut *browser, &journey, &[("code", &code)]);
    let entries = audit(&canton);
    let bound = entries
        .iter()
        .rfind(|entry| entry.happened.contains("enrolled"))
        .unwrap();
    let happened: Happened = serde_json::from_str(&bound.happened).unwrap();
    assert_eq!(
        happened,
        Happened::Enrolled {
            method: Method::App
        }
    );
    assert_eq!(bound.person, Some(account(&canton, &bastien).person.id));
    assert_eq!((bound.at.0, bound.place.as_str()), (now, "public"));
    assert_eq!(bound.address.as_deref(), Some("203.0.113.20"));
    assert!(!bound.support.is_empty() && bound.journey.is_some());
    assert!(!bound.happened.contains(&app.key));
}

/// Begins to put another app in the place of the one at hand: the journey, and what its page shows.
fn begins_new_app(canton: &mut Canton, browser: &mut dyn Browser, chloe: &Person) -> (String, App) {
    signs_in_strongly(canton, browser, chloe);
    let password = [("password", chloe.password.as_str())];
    let begun = posts(browser, "/account/app", &password);
    assert!(begun.location().starts_with("/login/"), "{begun:?}");
    let journey = begun.location().to_owned();
    browser.opens(&at(&journey));
    let key = browser.key_to_type().unwrap();
    (journey, App { key })
}

/// [L09] Who signs out, here or everywhere, leaves no page behind that binds another app: its right code binds
/// nothing and lets nobody in.
#[test]
fn a_new_app_that_was_begun_ends_with_the_sign_out() {
    for action in ["sign-out", "sign-out-everywhere"] {
        let mut canton = canton();
        let chloe = somebody(&mut canton, Role::EnrolledApp);
        let mut browser = canton.browser(Place::Home);
        let (journey, app) = begins_new_app(&mut canton, &mut *browser, &chloe);
        let before = account(&canton, &chloe).person.app.map(|app| app.id);
        posts(&mut *browser, "/account", &[("action", action)]);
        let code = (&mut canton as &mut dyn Town).app_code(&app);
        let answer = posts(&mut *browser, &journey, &[("code", &code)]);
        assert!(!answer.signs_somebody_in(), "{action}: {answer:?}");
        assert!(!is_signed_in(&mut *browser), "{action}");
        let now = account(&canton, &chloe);
        assert_eq!(now.person.app.map(|app| app.id), before, "{action}");
        assert_eq!(gets(&mut *browser, &journey).status, 403, "{action}");
    }
}

/// [L10] That another app was begun stands in the audit, whether or not it is ever bound.
#[test]
fn the_audit_says_who_began_a_new_app() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    begins_new_app(&mut canton, &mut *browser, &chloe);
    let entries = audit(&canton);
    let begun = entries.iter().rfind(|entry| {
        serde_json::from_str::<Happened>(&entry.happened).unwrap() == Happened::NewAppBegun
    });
    let begun = begun.unwrap();
    assert_eq!(begun.person, Some(account(&canton, &chloe).person.id));
    assert!(!begun.support.is_empty() && begun.journey.is_some());
}
