//! Somebody signs in where somebody else has forgotten to sign out: on a shared computer it happens every day.

use testkit::memory::Canton;
use testkit::{Answer, Application, Attempt, Browser, Person, Place, Role, Town, Words};

use crate::{
    application::{asks, at, enters, parameter},
    front_channel::{canton, frames, in_alpha, lets_in, request},
};

/// The request of an application for whoever signs in now.
fn anew(id: &str, port: u16) -> String {
    format!("{}&prompt=login", request(id, port))
}

fn somebody_else(canton: &mut Canton) -> Person {
    (canton as &mut dyn Town).somebody(Role::EnrolledApp)
}

/// What everybody types on the page of the provider.
pub(crate) fn types_a_password(browser: &mut dyn Browser, person: &Person) {
    let w = Words::of(testkit::Language::French);
    browser.types(w.username, &person.username);
    browser.types(w.password, &person.password);
    browser.clicks(w.connexion);
}

fn looks(browser: &mut dyn Browser, way: &str) -> Answer {
    browser.sends(Attempt::get(&at(way)))
}

fn is_at_the_ent(canton: &Canton, browser: &mut dyn Browser) -> bool {
    browser
        .whoami(&canton.origins(), Application::Ent)
        .is_some()
}

/// [C15] The browser tells what the person before was let into, on the way of whoever signs in now.
#[test]
fn whoever_signs_in_over_somebody_else_passes_by_the_frames() {
    let mut canton = canton();
    let (_, mut browser, _) = in_alpha(&mut canton);
    let chloe = somebody_else(&mut canton);
    let on = enters(&mut *browser, &anew("beta", 8406), &chloe);
    let way = on.location().to_owned();
    assert!(way.starts_with("/logout/applications?ticket="), "{on:?}");
    let page = looks(&mut *browser, &way);
    let all = frames(&page);
    assert_eq!(all.len(), 1, "{}", page.body);
    assert!(all[0].starts_with("http://localhost:8405/out?a=1"));
    assert!(page.body.contains("Vous êtes connecté"), "{}", page.body);
    let onward = page.header("refresh").unwrap();
    let onward = onward.split_once("url=").unwrap().1.to_owned();
    assert!(onward.starts_with("http://localhost:8406/callback?"));
    let code = parameter(&onward, "code").unwrap();
    let answer = Answer {
        headers: vec![("location".to_owned(), onward.clone())],
        ..page
    };
    lets_in(&mut canton, ("beta", 8406), &answer);
    assert!(!code.is_empty());

    // What the new session has entered by now, no frame may end.
    assert_eq!(frames(&looks(&mut *browser, &way)).len(), 1);
    let alpha = browser.sends(Attempt::get(&request("alpha", 8405)));
    lets_in(&mut canton, ("alpha", 8405), &alpha);
    assert_eq!(looks(&mut *browser, &way).location(), onward);
    let mut other = canton.browser(Place::School);
    assert!(frames(&looks(&mut *other, &way)).is_empty());
}

/// [C15] Limits had ended the session of the person before: their applications had not heard of it.
#[test]
fn whoever_signs_in_over_a_session_that_was_over_passes_by_the_frames_too() {
    let mut canton = canton();
    let (anna, mut browser, _) = in_alpha(&mut canton);
    canton.passes(2 * 3600);
    let chloe = somebody_else(&mut canton);
    let on = enters(&mut *browser, &request("beta", 8406), &chloe);
    assert_eq!(frames(&looks(&mut *browser, on.location())).len(), 1);
    // Twice is once.
    let again = enters(&mut *browser, &anew("beta", 8406), &anna);
    assert!(again.location().starts_with("http://localhost:8406/"));
}

/// Whoever proves once more stays in the applications, whether the session still lived or not.
#[test]
fn the_same_person_passes_by_no_frames_and_leaves_them_later() {
    for pause in [0, 2 * 3600] {
        let mut canton = canton();
        let (anna, mut browser, _) = in_alpha(&mut canton);
        canton.passes(pause);
        let on = enters(&mut *browser, &anew("beta", 8406), &anna);
        assert!(
            on.location().starts_with("http://localhost:8406/"),
            "{on:?}"
        );
        let out = Attempt::post(&at("/account"), &[("action", "sign-out")]).from_page_of(&at(""));
        let out = browser.sends(out);
        assert_eq!(frames(&looks(&mut *browser, out.location())).len(), 1);
    }
}

/// A third person is led to nothing that waits for the second.
#[test]
fn a_way_past_the_frames_is_for_the_session_that_it_was_made_for() {
    let mut canton = canton();
    let (anna, mut browser, _) = in_alpha(&mut canton);
    let chloe = somebody_else(&mut canton);
    let on = enters(&mut *browser, &anew("beta", 8406), &chloe);
    let way = on.location().to_owned();
    enters(&mut *browser, &anew("beta", 8406), &anna);
    assert_eq!(looks(&mut *browser, &way).location(), "/account");
}

/// An address that a proxy might refuse helps nobody: the sign-in goes before the frames.
#[test]
fn a_sign_in_does_not_fail_for_the_length_of_its_way() {
    let mut canton = canton();
    let (_, mut browser, _) = in_alpha(&mut canton);
    let chloe = somebody_else(&mut canton);
    let long =
        anew("beta", 8406).replace("state=a-state", &format!("state={}", "%22".repeat(2000)));
    let on = enters(&mut *browser, &long, &chloe);
    assert!(
        on.location().starts_with("http://localhost:8406/callback"),
        "{on:?}"
    );
}

/// [C15] Applications with an address for it hear from the provider itself, also when limits had been faster.
#[test]
fn whoever_signs_in_over_somebody_else_ends_what_they_had_open() {
    for pause in [0, 2 * 3600] {
        let mut canton = Canton::new(testkit::Language::French);
        let town: &mut dyn Town = &mut canton;
        let (anna, chloe) = (town.somebody(Role::Sms), town.somebody(Role::EnrolledApp));
        let mut browser = town.browser(Place::School);
        enters(&mut *browser, &asks(&[]), &anna);
        browser.opens(&format!("{}/login", canton.origins().ent));
        assert!(is_at_the_ent(&canton, &mut *browser));
        canton.passes(pause);
        let anew = asks(&[("prompt", Some("login"))]);
        enters(&mut *browser, &anew, &anna);
        canton.waits();
        assert!(is_at_the_ent(&canton, &mut *browser), "after {pause} s");
        enters(&mut *browser, &anew, &chloe);
        canton.waits();
        assert!(!is_at_the_ent(&canton, &mut *browser), "after {pause} s");
    }
}

/// A request may be seen by a node whose clock is ahead of the one that sees the password: whoever is asked to
/// prove anew proves once, as long as the clocks differ by no more than they may.
#[test]
fn whoever_must_prove_anew_is_asked_once_though_clocks_differ() {
    for (behind, once) in [(20, true), (59, true), (90, false)] {
        let mut canton = Canton::new(testkit::Language::French);
        let w = Words::of(testkit::Language::French);
        let chloe = somebody_else(&mut canton);
        let origins = canton.origins();
        let mut browser = canton.browser(Place::School);
        browser.opens(&format!("{}/login?prompt=login", origins.ism));
        canton.toy().passes(-behind);
        types_a_password(&mut *browser, &chloe);
        let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
        browser.types(w.app_code, &code);
        browser.clicks(w.soumettre);
        let is_in = browser.whoami(&origins, Application::Ism).is_some();
        assert_eq!(is_in, once, "{behind} s behind: {}", browser.url());
    }
}
