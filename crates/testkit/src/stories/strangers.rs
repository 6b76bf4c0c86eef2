//! Chapter 9: what strangers try.

use super::trouble::{answers, wrong};
use super::{STRONG, answers_sms, enters, is_in, knocks, signs_in};
use crate::{Application, Attempt, Place, Role, Town, Words};

/// [L02] A stolen password of somebody who never signed in from outside never becomes an
/// authenticator: the code goes to the number of the activation.
pub fn a_stolen_password_outside_sets_nothing_up(town: &mut dyn Town, w: &Words) {
    let bastien = town.somebody(Role::App);
    let mut thief = town.browser(Place::Home);
    let thief = &mut *thief;
    signs_in(town, thief, w, &bastien);
    let code = town.sms_code(&bastien);
    for _ in 0..5 {
        thief.sees(w.sms_title);
        answers(thief, w.sms_code, w, &wrong(&code));
    }
    thief.sees(w.too_many_tries);
    thief.does_not_see("otpauth");
    thief.is_signed_in_nowhere(&town.origins());
    assert!(!town.again(&bastien).enrolled);
    let mail = town.next_mail(&bastien);
    assert!(!mail.contains(&code), "{mail}");
}

/// [A03] Between password and code nothing opens: no account, no application, no enrolment.
pub fn half_a_sign_in_carries_no_authority(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut thief = town.browser(Place::Home);
    let thief = &mut *thief;
    signs_in(town, thief, w, &chloe);
    thief.sees(w.app_code_title);
    thief.is_signed_in_nowhere(&town.origins());

    let provider = town.origins().provider;
    for path in ["/account", "/userinfo", "/login", "/activate"] {
        let answer = thief.sends(Attempt::get(&format!("{provider}{path}")));
        assert!(!answer.signs_somebody_in(), "{path}");
        assert!(!answer.body.contains(&chloe.name), "{path}");
    }
    knocks(town, thief, w, Application::Ism);
    thief.sees(w.sign_in_title);
}

/// [A02] A journey's address is worth nothing in another browser.
pub fn a_journey_belongs_to_one_browser(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    browser.sees(w.sms_title);
    let code = town.sms_code(&anna);
    let (action, _) = browser.form();

    let mut other = town.browser(Place::Home);
    let other = &mut *other;
    other.opens(&browser.url());
    other.sees(w.other_browser);
    let provider = town.origins().provider;
    let attempt = Attempt::post(&action, &[("code", &code)]).from_page_of(&provider);
    let answer = other.sends(attempt);
    assert!(!answer.signs_somebody_in(), "{answer:?}");
    other.is_signed_in_nowhere(&town.origins());

    answers(browser, w.sms_code, w, &code);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// [A02] Two people, one computer: who finishes is in, as themselves.
pub fn another_person_at_the_same_computer_signs_in_as_themselves(town: &mut dyn Town, w: &Words) {
    let (anna, chloe) = (town.somebody(Role::Sms), town.somebody(Role::EnrolledApp));
    let mut browser = town.browser(Place::Home);
    let mut tab = browser.opens_tab();
    signs_in(town, &mut *browser, w, &anna);
    browser.sees(w.sms_title);
    let code = town.sms_code(&anna);
    browser.sees(w.not_me);

    signs_in(town, &mut *tab, w, &chloe);
    // Anna's code does not open Chloé's journey.
    answers(&mut *tab, w.app_code, w, &code);
    tab.sees(w.code_wrong);
    answers(&mut *tab, w.app_code, w, &town.shown_by_app(&chloe));
    let claims = is_in(town, &mut *tab, w, Application::Ent, STRONG);
    tab.sees(chloe.first_name());
    tab.does_not_see(anna.first_name());

    answers(&mut *browser, w.sms_code, w, &code);
    let now = is_in(town, &mut *browser, w, Application::Ent, STRONG);
    browser.sees(anna.first_name());
    assert_ne!(claims["sub"], now["sub"]);
}

/// [N01] [N08] Headers that name an address change nothing: what asks for a code still does.
pub fn a_forwarded_address_moves_nobody_inside(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    knocks(town, browser, w, Application::Ent);
    let (action, mut fields) = browser.form();
    for (name, value) in &mut fields {
        match name.as_str() {
            "username" => value.clone_from(&anna.username),
            "password" => value.clone_from(&anna.password),
            _ => {}
        }
    }
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let provider = town.origins().provider;
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.20"),
        ("x-forwarded-for", "192.0.2.20, 198.51.100.20"),
        ("forwarded", "for=192.0.2.20"),
        ("x-real-ip", "192.0.2.20"),
        ("x_forwarded_for", "192.0.2.20"),
        ("connection", "x-forwarded-for"),
    ] {
        let attempt = Attempt::post(&action, &fields)
            .from_page_of(&provider)
            .header(name, value);
        let answer = browser.sends(attempt);
        assert_eq!(answer.status, 303, "{name}: {value}");
        assert!(!answer.signs_somebody_in(), "{name}: {value}");
        browser.is_signed_in_nowhere(&town.origins());
    }
}

/// [A02] Steps are not skipped, not mixed and not repeated.
pub fn steps_can_neither_be_skipped_nor_repeated(town: &mut dyn Town, w: &Words) {
    let bastien = town.somebody(Role::App);
    let provider = town.origins().provider;
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &bastien);
    browser.sees(w.sms_title);
    let (action, _) = browser.form();
    // Nothing but the code goes on from here, whatever the form says.
    for fields in [
        [("action", "continue")],
        [("action", "enrol")],
        [("method", "sms")],
        [("code", "")],
        [("next_code", "123456")],
    ] {
        let answer = browser.sends(Attempt::post(&action, &fields).from_page_of(&provider));
        assert!(!answer.signs_somebody_in(), "{fields:?}: {answer:?}");
    }
    let code = town.sms_code(&bastien);
    browser.reloads();
    answers(browser, w.sms_code, w, &code);
    browser.sees(w.app_title);
    // The SMS code is spent: it does not confirm the app.
    answers(browser, w.app_code, w, &code);
    browser.sees(w.code_wrong);
    assert!(!town.again(&bastien).enrolled);
    browser.is_signed_in_nowhere(&town.origins());
}

/// [C02] The code that brings somebody to the portal works once, and in the browser that began.
pub fn a_code_for_an_application_works_once_and_in_its_browser(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let provider = town.origins().provider;
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    knocks(town, browser, w, Application::Ent);
    let (action, _) = browser.form();
    browser.types(w.username, &anna.username);
    browser.types(w.password, &anna.password);
    let (_, fields) = browser.form();
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = browser.sends(Attempt::post(&action, &fields).from_page_of(&provider));
    let callback = answer.location().to_owned();
    assert!(
        callback.starts_with(&format!("{}/callback?code=", town.origins().ent)),
        "{callback}"
    );

    let mut thief = town.browser(Place::School);
    thief.opens(&callback);
    thief.is_signed_in_nowhere(&town.origins());

    // Once tried elsewhere it is spent; who began asks again, and their session answers.
    browser.opens(&callback);
    assert!(browser.whoami(&town.origins(), Application::Ent).is_none());
    browser.clicks(w.sign_in_again);
    is_in(town, browser, w, Application::Ent, super::PASSWORD);
}

/// [A16] [O10] [O11] Of a thousand wrong codes at once five are tried; after them the right one is no
/// better than a wrong one.
pub fn a_thousand_wrong_codes_at_once_are_five_tries(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let provider = town.origins().provider;
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    browser.sees(w.sms_title);
    let (action, _) = browser.form();
    let right = town.sms_code(&anna);
    let guesses: Vec<Attempt> = (0..1000_u32)
        .map(|guess| format!("{guess:06}"))
        .filter(|guess| *guess != right)
        .map(|guess| {
            let attempt = Attempt::post(&action, &[("code", &guess)]).from_page_of(&provider);
            attempt.from(Place::Home).with_cookies_of(browser)
        })
        .collect();

    for answer in town.sends(guesses) {
        assert!(!answer.signs_somebody_in(), "{answer:?}");
        assert_ne!(answer.status, 500, "{answer:?}");
    }

    let late = Attempt::post(&action, &[("code", &right)]).from_page_of(&provider);
    let answer = browser.sends(late);
    assert!(!answer.signs_somebody_in(), "{answer:?}");
    browser.reloads();
    browser.sees(w.too_many_tries);
    browser.is_signed_in_nowhere(&town.origins());

    // [O12] The owner gets in again, if not at once: a day gives some tries back, not all of them.
    town.passes(86_400);
    let mut owner = town.browser(Place::Home);
    knocks(town, &mut *owner, w, Application::Ent);
    enters(&mut *owner, w, &anna);
    answers_sms(town, &mut *owner, w, &anna);
    is_in(town, &mut *owner, w, Application::Ent, STRONG);
}
