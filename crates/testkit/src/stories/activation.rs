//! Chapter 1: from the activation message to an identity, the guide's *previous step*.

use super::{STRONG, activation_in, answers_sms, enters, is_in, knocks, signs_in};
use crate::stage::IN_THE_DRAWER;
use crate::stories::app::scanned;
use crate::stories::trouble::wrong;
use crate::{Application, Browser, Person, Place, Role, Town, Words};

/// A password of the cantonal rules.
const PASSWORD: &str = "Marmotte-2026-Furka";
/// A number of somebody's.
const PHONE: &str = "079 555 12 34";

/// The message leads to the page, the page to the portal, and the portal's first sign-in to a code on
/// the number that was given.
pub fn somebody_activates_from_the_mail_and_signs_in_with_sms(town: &mut dyn Town, w: &Words) {
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    let (mut elodie, ..) = opens_message(town, browser, w);
    browser.sees(w.data_title);
    browser.sees(&elodie.mail);
    browser.clicks(w.data_submit);
    browser.sees(w.rule_length);
    browser.sees(w.rule_classes);
    browser.is_pictured("activation-password");
    chooses_password(browser, w, PASSWORD, PASSWORD);
    browser.sees(w.method_title);
    for method in [w.method_app, w.method_sms, w.method_token] {
        browser.sees(method);
    }
    browser.is_pictured("activation-method");
    browser.chooses(w.method_sms);
    browser.types(w.phone, PHONE);
    browser.clicks(w.next);
    browser.sees(w.done_title);
    browser.is_signed_in_nowhere(&town.origins());

    elodie.password = PASSWORD.into();
    elodie.phone = "+41795551234".into();
    signs_in(town, browser, w, &elodie);
    answers_sms(town, browser, w, &elodie);
    is_in(town, browser, w, Application::Ent, STRONG);
    let now = town.again(&elodie);
    assert!(now.activated && now.enrolled);
}

/// The same with the app, at school: the identity is made there, the app is set up at home.
pub fn somebody_activates_and_sets_the_app_up(town: &mut dyn Town, w: &Words) {
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    let (mut elodie, ..) = opens_message(town, browser, w);
    browser.clicks(w.data_submit);
    chooses_password(browser, w, PASSWORD, PASSWORD);
    browser.chooses(w.method_app);
    browser.types(w.phone, PHONE);
    browser.clicks(w.next);
    browser.sees(w.done_title);

    browser.goes_to(Place::Home);
    elodie.password = PASSWORD.into();
    elodie.phone = "+41795551234".into();
    knocks(town, browser, w, Application::Ism);
    enters(browser, w, &elodie);
    answers_sms(town, browser, w, &elodie);
    let app = scanned(&browser.scans());
    browser.types(w.app_code, &town.app_code(&app));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ism, STRONG);
}

/// [Guide 1.1] Who holds a token shows it once, by its number and one code; there is nothing to set up
/// afterwards, and a wrong code or number binds nothing.
pub fn somebody_shows_the_token_they_hold(town: &mut dyn Town, w: &Words) {
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    let (mut elodie, ..) = opens_message(town, browser, w);
    browser.clicks(w.data_submit);
    chooses_password(browser, w, PASSWORD, PASSWORD);
    browser.chooses(w.method_token);
    browser.types(w.phone, PHONE);
    browser.clicks(w.next);
    elodie.serial = IN_THE_DRAWER.into();
    let of_somebody_else = town.somebody(Role::Token).serial;
    let code = town.shown_by_token(&elodie);
    for (serial, code) in [
        (IN_THE_DRAWER, wrong(&code)),
        (of_somebody_else.as_str(), code.clone()),
        ("VS-9999999", code.clone()),
    ] {
        shows_token(browser, w, serial, &code);
        browser.sees(w.token_not_together);
    }
    browser.is_pictured("activation-token");
    shows_token(browser, w, IN_THE_DRAWER, &code);
    browser.sees(w.done_title);

    elodie.password = PASSWORD.into();
    signs_in(town, browser, w, &elodie);
    browser.sees(w.token_title);
    browser.types(w.token_code, &code);
    browser.clicks(w.soumettre);
    browser.sees(w.code_replayed);
    town.passes(60);
    browser.types(w.token_code, &town.shown_by_token(&elodie));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
    elodie.phone = "+41795551234".into();
    assert_eq!(town.sms(&elodie).len(), 0, "a token needs no SMS");
}

fn shows_token(browser: &mut dyn Browser, w: &Words, serial: &str, code: &str) {
    browser.types(w.serial, serial);
    browser.types(w.token_code, code);
    browser.clicks(w.soumettre);
}

/// Ten to fifty characters, three of four kinds, no name, not the code, twice the same: every reason
/// in words, and nothing is lost.
pub fn a_password_is_judged_in_words(town: &mut dyn Town, w: &Words) {
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    let (elodie, _, code) = opens_message(town, browser, w);
    browser.clicks(w.data_submit);
    let named = format!("{}-2026-Furka", elodie.first_name());
    let long = "Aa1-".repeat(13);
    for (password, complaint) in [
        ("Kurz-1", w.password_short),
        (long.as_str(), w.password_long),
        ("nurkleinbuchstaben", w.password_classes),
        (named.as_str(), w.password_has_name),
        (code.as_str(), w.password_is_code),
    ] {
        chooses_password(browser, w, password, password);
        browser.sees(complaint);
        browser.sees(w.password_title);
    }
    chooses_password(browser, w, PASSWORD, "Murmeltier-2026-Furka");
    browser.sees(w.password_not_the_same);
    chooses_password(browser, w, PASSWORD, PASSWORD);
    browser.sees(w.method_title);
    assert!(!town.again(&elodie).activated);
}

/// [O13] Messages cost money: they go to Switzerland and its neighbours.
pub fn a_number_abroad_is_refused_in_words(town: &mut dyn Town, w: &Words) {
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    let (elodie, ..) = opens_message(town, browser, w);
    browser.clicks(w.data_submit);
    chooses_password(browser, w, PASSWORD, PASSWORD);
    browser.chooses(w.method_sms);
    browser.types(w.phone, "+1 900 123 4567");
    browser.clicks(w.next);
    browser.sees(w.phone_country);
    assert_eq!(browser.value(w.phone), "+1 900 123 4567");
    assert!(!town.again(&elodie).activated);
    browser.types(w.phone, PHONE);
    browser.clicks(w.next);
    browser.sees(w.done_title);
}

/// [O16] One code, one use: who comes later is told that it was used.
pub fn an_activation_code_works_once(town: &mut dyn Town, w: &Words) {
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    let (elodie, link, code) = opens_message(town, browser, w);
    browser.clicks(w.data_submit);
    chooses_password(browser, w, PASSWORD, PASSWORD);
    browser.chooses(w.method_sms);
    browser.types(w.phone, PHONE);
    browser.clicks(w.next);
    browser.sees(w.done_title);

    let mut later = town.browser(Place::Home);
    later.opens(&link);
    shows_code(&mut *later, w, &elodie.username, &code);
    later.sees(w.activation_used);
    later.does_not_see(w.data_title);
}

/// [O16] A code by mail works for a day, and says that its time is over.
pub fn an_activation_code_expires_and_says_so(town: &mut dyn Town, w: &Words) {
    let elodie = town.somebody(Role::New);
    let mail = town.next_mail(&elodie);
    let (link, code) = activation_in(&mail, town);
    town.passes(25 * 3600);
    let mut browser = town.browser(Place::Home);
    browser.opens(&link);
    shows_code(&mut *browser, w, &elodie.username, &code);
    browser.sees(w.activation_expired);
    browser.does_not_see(w.data_title);
    assert!(!town.again(&elodie).activated);
}

/// [A07] A wrong code, somebody else's name and a name that nobody has look the same.
pub fn a_wrong_activation_code_tells_nothing(town: &mut dyn Town, w: &Words) {
    let elodie = town.somebody(Role::New);
    let anna = town.somebody(Role::Sms);
    let mail = town.next_mail(&elodie);
    let (link, code) = activation_in(&mail, town);
    let mut pages = Vec::new();
    for (username, code) in [
        (elodie.username.as_str(), "AAAAA-AAAAA"),
        (anna.username.as_str(), code.as_str()),
        ("niemand", code.as_str()),
    ] {
        let mut browser = town.browser(Place::Home);
        browser.opens(&link);
        shows_code(&mut *browser, w, username, code);
        browser.sees(w.activation_wrong);
        pages.push(browser.text());
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:#?}");
    assert!(!town.again(&elodie).activated);
}

/// Opens the activation message and shows its code; who it is for, its link and its code.
fn opens_message(
    town: &mut dyn Town,
    browser: &mut dyn Browser,
    w: &Words,
) -> (Person, String, String) {
    let elodie = town.somebody(Role::New);
    let mail = town.next_mail(&elodie);
    assert!(mail.contains(&elodie.username), "{mail}");
    let (link, code) = activation_in(&mail, town);
    browser.opens(&link);
    browser.sees(w.activation_title);
    browser.is_pictured("activation");
    shows_code(browser, w, &elodie.username, &code);
    browser.sees(w.data_title);
    (elodie, link, code)
}

fn shows_code(browser: &mut dyn Browser, w: &Words, username: &str, code: &str) {
    browser.types(w.username, username);
    browser.types(w.activation_code, code);
    browser.clicks(w.next);
}

fn chooses_password(browser: &mut dyn Browser, w: &Words, password: &str, again: &str) {
    browser.types(w.password_new, password);
    browser.types(w.password_again, again);
    browser.clicks(w.next);
}
