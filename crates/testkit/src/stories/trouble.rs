//! Chapter 8: things that go wrong, each with its cause and its cure.

use super::app::{scanned, sets_up};
use super::{STRONG, answers_sms, enters, is_in, knocks, signs_in};
use crate::{Application, Browser, Person, Place, Role, Town, Words};

/// [Guide 4.9] "(sans espace)", and with: [O02] what is compared is the number, however it is written.
pub fn a_code_is_taken_with_spaces_dashes_and_wide_digits(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    for write in [spaced, dashed, wide] {
        let mut browser = town.browser(Place::Home);
        let browser = &mut *browser;
        signs_in(town, browser, w, &anna);
        browser.sees(w.sms_title);
        browser.types(w.sms_code, &write(&town.sms_code(&anna)));
        browser.clicks(w.soumettre);
        is_in(town, browser, w, Application::Ent, STRONG);
        town.passes(3600);
    }
}

fn spaced(code: &str) -> String {
    format!(" {} {} ", &code[..3], &code[3..])
}

fn dashed(code: &str) -> String {
    format!("{}-{}", &code[..3], &code[3..])
}

fn wide(code: &str) -> String {
    let wide = |c: char| {
        c.to_digit(10)
            .and_then(|n| char::from_u32(0xff10 + n))
            .unwrap_or(c)
    };
    code.chars().map(wide).collect()
}

/// What cannot be a code is said so before anything is counted.
pub fn a_code_of_letters_costs_no_try(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    for typed in ["abc", "12345", "123456789", "0x1234", "12 34 5", "six"] {
        browser.types(w.sms_code, typed);
        browser.clicks(w.soumettre);
        browser.sees(w.six_digits_please);
    }
    answers_sms(town, browser, w, &anna);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// A wrong code is told, and the right one still works; five wrong ones end it, and the person is
/// written to.
pub fn after_a_wrong_code_the_right_one_is_taken(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    let code = town.sms_code(&anna);
    answers(browser, w.sms_code, w, &wrong(&code));
    browser.sees(w.code_wrong);
    browser.is_pictured("wrong-code");
    answers(browser, w.sms_code, w, &code);
    is_in(town, browser, w, Application::Ent, STRONG);

    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    let letters = town.mails(&anna).len();
    signs_in(town, browser, w, &anna);
    let code = town.sms_code(&anna);
    for _ in 0..5 {
        answers(browser, w.sms_code, w, &wrong(&code));
    }
    browser.sees(w.too_many_tries);
    browser.sees(w.support_code);
    browser.is_pictured("too-many-tries");
    browser.is_signed_in_nowhere(&town.origins());
    while town.mails(&anna).len() <= letters {
        assert!(town.waits(), "nobody told {}", anna.username);
    }
}

/// [O01] The same code is not taken twice, not even in another browser, and [O19] the person hears of
/// it.
pub fn a_code_of_the_app_is_taken_once(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let code = town.shown_by_app(&chloe);
    let mut browser = town.browser(Place::Home);
    signs_in(town, &mut *browser, w, &chloe);
    answers(&mut *browser, w.app_code, w, &code);
    is_in(town, &mut *browser, w, Application::Ent, STRONG);

    let mut over_the_shoulder = town.browser(Place::Home);
    let browser = &mut *over_the_shoulder;
    signs_in(town, browser, w, &chloe);
    answers(browser, w.app_code, w, &code);
    browser.sees(w.code_replayed);
    browser.is_signed_in_nowhere(&town.origins());
    let mail = town.next_mail(&chloe);
    assert!(!mail.contains(&code), "{mail}");
    town.passes(30);
    answers(browser, w.app_code, w, &town.shown_by_app(&chloe));
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// [Guide 4.10] "La validité des codes étant limitée, l'heure du smartphone doit être correctement configurée (réglage automatique)."
/// [O03] A code of another minute is refused, whatever is said about it.
pub fn a_slow_phone_is_told_so_and_still_refused(town: &mut dyn Town, w: &Words) {
    a_wrong_clock_is_told(town, w, -225, w.clock_slow_4);
}

/// [Guide 4.10] "l'heure du smartphone doit être correctement configurée"
pub fn a_fast_phone_is_told_so_and_still_refused(town: &mut dyn Town, w: &Words) {
    a_wrong_clock_is_told(town, w, 225, w.clock_fast_4);
}

/// Seven or eight steps of thirty seconds, as the moment has it: about four minutes either way.
fn a_wrong_clock_is_told(town: &mut dyn Town, w: &Words, ahead_s: i64, told: &str) {
    let bastien = town.somebody(Role::App);
    let mut browser = town.browser(Place::Home);
    let app = sets_up(town, &mut *browser, w, &bastien);
    town.passes(3600);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &bastien);
    let of_its_clock = |town: &mut dyn Town, browser: &mut dyn Browser| {
        let code = town.app_code_of_clock(&app, ahead_s);
        answers(browser, w.app_code, w, &code);
    };
    of_its_clock(town, browser);
    if ahead_s > 0 {
        // Whoever guesses a code of a later minute must not be told; two in a row are no guess.
        browser.does_not_see(told);
        town.passes(30);
        of_its_clock(town, browser);
    }
    browser.sees(told);
    browser.sees(w.clock_cure);
    browser.is_pictured("wrong-clock");
    browser.is_signed_in_nowhere(&town.origins());
    answers(browser, w.app_code, w, &town.app_code(&app));
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// The page says that the operator does not take the message; it leaves by itself when it can.
pub fn a_dead_gateway_is_told_and_the_message_comes_later(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    town.gateway_is(false);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    browser.sees(w.sms_title);
    for _ in 0..60 {
        town.waits();
        browser.reloads();
        if browser.text().contains(w.sms_trouble) {
            break;
        }
    }
    browser.sees(w.sms_trouble);
    browser.is_pictured("gateway-down");
    assert_eq!(town.sms(&anna), Vec::<String>::new());

    town.gateway_is(true);
    town.passes(120);
    answers_sms(town, browser, w, &anna);
    is_in(town, browser, w, Application::Ent, STRONG);
    assert_eq!(town.sms(&anna).len(), 1, "the code came once");
}

/// [O08] Sent again is the same code, after a while, and what came first stays valid.
pub fn the_code_sent_again_is_the_same(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    browser.sees(w.resend_wait);
    browser.does_not_see(w.resend);
    let first = town.sms_code(&anna);
    town.passes(31);
    browser.reloads();
    browser.clicks(w.resend);
    browser.sees(w.sms_title);
    assert_eq!(town.sms_code(&anna), first);
    answers(browser, w.sms_code, w, &first);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// [O08] A code by SMS is old after five minutes; a new one can be had on the same page.
pub fn an_old_sms_code_is_expired(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    let old = town.sms_code(&anna);
    town.passes(301);
    answers(browser, w.sms_code, w, &old);
    browser.sees(w.sms_expired);
    browser.clicks(w.new_code);
    answers_sms(town, browser, w, &anna);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// [L02] What was shown and not confirmed is no factor: a day later the first sign-in begins again,
/// and the key is another one.
pub fn a_browser_closed_at_the_qr_code_leaves_no_factor(town: &mut dyn Town, w: &Words) {
    let bastien = town.somebody(Role::App);
    let mut closed = town.browser(Place::Home);
    signs_in(town, &mut *closed, w, &bastien);
    answers_sms(town, &mut *closed, w, &bastien);
    closed.sees(w.app_title);
    let left_behind = scanned(&closed.scans());
    assert!(!town.again(&bastien).enrolled);
    drop(closed);

    town.passes(86_400);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &bastien);
    answers_sms(town, browser, w, &bastien);
    browser.sees(w.app_title);
    let app = scanned(&browser.scans());
    assert_ne!(app, left_behind);
    answers(browser, w.app_code, w, &town.app_code(&left_behind));
    browser.sees(w.code_wrong);
    browser.reloads();
    assert_eq!(
        scanned(&browser.scans()),
        app,
        "reloading shows the same key"
    );
    answers(browser, w.app_code, w, &town.app_code(&app));
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// [O08] Two sign-ins of one person in two tabs: each waits for its own code.
pub fn two_tabs_do_not_disturb_each_other(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let mut tab = browser.opens_tab();
    signs_in(town, &mut *browser, w, &anna);
    let first = town.sms_code(&anna);
    knocks(town, &mut *tab, w, Application::Ism);
    enters(&mut *tab, w, &anna);
    let second = town.sms_code(&anna);
    answers(&mut *tab, w.sms_code, w, &first);
    tab.sees(w.code_wrong);

    answers(&mut *tab, w.sms_code, w, &second);
    is_in(town, &mut *tab, w, Application::Ism, STRONG);
    answers(&mut *browser, w.sms_code, w, &first);
    is_in(town, &mut *browser, w, Application::Ent, STRONG);
}

/// Back to the page of name and password, and forward again; back from the portal.
pub fn the_back_button_does_no_harm(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &chloe);
    browser.sees(w.app_code_title);
    browser.goes_back();
    browser.sees(w.sign_in_title);
    enters(browser, w, &chloe);
    browser.sees(w.app_code_title);
    answers(browser, w.app_code, w, &town.shown_by_app(&chloe));
    is_in(town, browser, w, Application::Ent, STRONG);

    browser.goes_back();
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// A sign-in left lying ends by itself, after a quarter of an hour.
pub fn a_sign_in_has_a_deadline(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &chloe);
    browser.sees(w.app_code_title);
    town.passes(901);
    answers(browser, w.app_code, w, &town.shown_by_app(&chloe));
    browser.sees(w.too_late);
    browser.is_signed_in_nowhere(&town.origins());

    // The page of name and password may lie open for longer, and what was typed is not lost.
    knocks(town, browser, w, Application::Ent);
    town.passes(3601);
    enters(browser, w, &chloe);
    browser.sees(w.sign_in_expired);
    assert_eq!(browser.value(w.username), chloe.username);
    browser.types(w.password, &chloe.password);
    browser.clicks(w.connexion);
    browser.sees(w.app_code_title);
}

/// [A05] Nobody learns from the page who exists.
pub fn a_wrong_name_and_a_wrong_password_look_the_same(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let new = town.somebody(Role::New);
    let mut pages = Vec::new();
    for username in [anna.username.as_str(), new.username.as_str(), "niemand"] {
        let mut browser = town.browser(Place::Home);
        let browser = &mut *browser;
        let typed = Person {
            username: username.into(),
            password: "Falsch-1234".into(),
            ..anna.clone()
        };
        signs_in(town, browser, w, &typed);
        browser.sees(w.sign_in_wrong);
        assert_eq!(browser.value(w.username), username);
        assert_eq!(browser.value(w.password), "");
        pages.push(browser.text());
        browser.is_signed_in_nowhere(&town.origins());
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:#?}");
    assert_eq!(town.sms(&anna), Vec::<String>::new());
}

/// [A17] Guessing is slowed down, the same for a name nobody has, and never for ever.
pub fn too_many_wrong_passwords_mean_waiting(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    for username in ["niemand", anna.username.as_str()] {
        let typed = Person {
            username: username.into(),
            password: "Falsch-1234".into(),
            ..anna.clone()
        };
        knocks(town, browser, w, Application::Ent);
        for _ in 0..5 {
            enters(browser, w, &typed);
            browser.sees(w.sign_in_wrong);
        }
        enters(browser, w, &typed);
        browser.sees(w.sign_in_wait);
    }
    // Even the right password is not looked at, and after the wait it works.
    enters(browser, w, &anna);
    browser.sees(w.sign_in_wait);
    town.passes(61);
    signs_in(town, browser, w, &anna);
    answers_sms(town, browser, w, &anna);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// Capitals and spaces around a name are how people type.
pub fn a_name_may_be_typed_in_any_case(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let typed = Person {
        username: format!(" {} ", anna.username.to_uppercase()),
        ..anna.clone()
    };
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    signs_in(town, browser, w, &typed);
    is_in(town, browser, w, Application::Ent, super::PASSWORD);
}

/// Types a code and clicks on « Soumettre ».
pub(super) fn answers(browser: &mut dyn Browser, label: &str, w: &Words, code: &str) {
    browser.types(label, code);
    browser.clicks(w.soumettre);
}

/// Six other digits.
pub(super) fn wrong(code: &str) -> String {
    let other = |c: char| if c == '9' { '0' } else { '9' };
    code.chars().map(other).collect()
}
