//! Chapter 11: a phone that is lost, a password that is forgotten, and a new one.

use super::app::{scanned, sets_up};
use super::{PASSWORD, STRONG, activation_in, enters, is_in, signs_in};
use crate::{App, Application, Browser, Lost, Person, Place, Role, Town, Words};

/// Another password of the cantonal rules.
const NEW: &str = "Bartgeier-2027-Grimsel";
/// What the mails say, in the language of whom they are for, whatever the browser speaks.
const FACTOR_RESET: [&str; 2] = [
    "votre école a retiré votre authentification forte",
    "Ihre Schule hat Ihre starke Authentifizierung entfernt",
];
const NEW_PASSWORD: [&str; 2] = [
    "Votre école a annulé votre mot de passe",
    "Ihre Schule hat Ihr Passwort aufgehoben",
];
const PASSWORD_CHANGED: [&str; 2] = [
    "votre mot de passe a été remplacé",
    "Ihr Passwort wurde durch ein neues ersetzt",
];

/// [L05] [L09] The desk takes the phone back: whoever holds it is out at once, half a sign-in leads nowhere,
/// and its person sets the next one up as the first. [Guide 3.2] [Guide 4.1]
pub fn a_lost_phone_is_reset_at_the_desk_and_set_up_anew(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let origins = town.origins();
    let mut finder = town.browser(Place::Home);
    is_signed_in(town, &mut *finder, w, &chloe);
    town.passes(60);
    let mut half = town.browser(Place::Home);
    signs_in(town, &mut *half, w, &chloe);
    half.sees(w.app_code_title);

    town.desk(&chloe, Lost::Phone);

    half.types(w.app_code, &town.shown_by_app(&chloe));
    half.clicks(w.soumettre);
    half.sees(w.too_late);
    half.is_signed_in_nowhere(&origins);
    finder.opens(&format!("{}/account", origins.provider));
    finder.sees(w.sign_in_title);
    finder.opens(&format!("{}/login", origins.ism));
    finder.sees(w.sign_in_title);
    assert!(!town.again(&chloe).enrolled);
    let mail = told(town, &chloe);
    assert!(
        FACTOR_RESET.iter().any(|said| mail.contains(said)),
        "{mail}"
    );

    town.passes(60);
    let mut browser = town.browser(Place::Home);
    let app = sets_up(town, &mut *browser, w, &chloe);
    assert!(town.again(&chloe).enrolled);
    town.passes(3600);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &chloe);
    browser.types(w.app_code, &town.app_code(&app));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
}

/// [L06] The code of the mail leads to a password and to nothing else: the method is not asked for, and outside
/// the app is.
pub fn a_forgotten_password_is_reset_at_the_desk_and_the_app_stays(town: &mut dyn Town, w: &Words) {
    let mut chloe = town.somebody(Role::EnrolledApp);
    let mut before = town.browser(Place::Home);
    is_signed_in(town, &mut *before, w, &chloe);

    town.desk(&chloe, Lost::Password);

    before.opens(&format!("{}/account", town.origins().provider));
    before.sees(w.sign_in_title);
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    signs_in(town, browser, w, &chloe);
    browser.sees(w.sign_in_wrong);

    let mail = told(town, &chloe);
    assert!(
        NEW_PASSWORD.iter().any(|said| mail.contains(said)),
        "{mail}"
    );
    let (link, code) = activation_in(&mail, town);
    browser.opens(&link);
    browser.types(w.username, &chloe.username);
    browser.types(w.activation_code, &code);
    browser.clicks(w.next);
    browser.sees(w.data_title);
    browser.clicks(w.data_submit);
    for (password, sees) in [
        (chloe.password.as_str(), w.password_used_before),
        (NEW, w.done_title),
    ] {
        browser.types(w.password_new, password);
        browser.types(w.password_again, password);
        browser.clicks(w.next);
        browser.sees(sees);
        browser.does_not_see(w.method_title);
    }

    chloe.password = NEW.into();
    signs_in(town, browser, w, &chloe);
    is_in(town, browser, w, Application::Ent, PASSWORD);
    town.passes(60);
    let mut browser = town.browser(Place::Home);
    is_signed_in(town, &mut *browser, w, &chloe);
}

/// [L05] Whoever changes their password stays here and is out everywhere else; the rules are those of the
/// activation, and the last passwords count.
pub fn somebody_changes_their_password_and_stays_where_they_are(town: &mut dyn Town, w: &Words) {
    let mut chloe = town.somebody(Role::EnrolledApp);
    let mut elsewhere = town.browser(Place::Home);
    is_signed_in(town, &mut *elsewhere, w, &chloe);
    town.passes(60);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_signed_in(town, browser, w, &chloe);
    let copied = browser.cookies();

    let account = format!("{}/account", town.origins().provider);
    browser.opens(&account);
    browser.clicks(w.change_password);
    browser.sees(w.password_current);
    browser.is_pictured("account-password");
    let old = chloe.password.clone();
    for (current, new, sees) in [
        (NEW, NEW, w.password_current_wrong),
        (old.as_str(), "Kurz-1", w.password_short),
        (old.as_str(), old.as_str(), w.password_used_before),
        (old.as_str(), NEW, w.password_changed),
    ] {
        changes(browser, w, current, new);
        browser.sees(sees);
    }
    browser.opens(&account);
    browser.sees(w.sign_out_everywhere);
    let mail = told(town, &chloe);
    assert!(
        PASSWORD_CHANGED.iter().any(|said| mail.contains(said)),
        "{mail}"
    );

    elsewhere.opens(&account);
    elsewhere.sees(w.sign_in_title);
    let mut thief = town.browser(Place::Home);
    thief.takes(&copied);
    thief.opens(&account);
    thief.sees(w.sign_in_title);
    enters(&mut *thief, w, &chloe);
    thief.sees(w.sign_in_wrong);

    chloe.password = NEW.into();
    town.passes(60);
    let mut browser = town.browser(Place::Home);
    is_signed_in(town, &mut *browser, w, &chloe);
}

/// [L01] A session of a password alone changes nothing of somebody who has a second factor: it is asked for
/// first, at school as well.
pub fn at_school_the_password_is_changed_with_a_code_only(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    signs_in(town, browser, w, &chloe);
    is_in(town, browser, w, Application::Ent, PASSWORD);
    browser.opens(&format!("{}/account/password", town.origins().provider));
    browser.does_not_see(w.password_current);
    browser.sees(w.step_up_title);
    browser.clicks(w.next);
    browser.types(w.app_code, &town.shown_by_app(&chloe));
    browser.clicks(w.soumettre);
    changes(browser, w, &chloe.password, NEW);
    browser.sees(w.password_changed);

    // Twenty minutes later the code no longer counts for this.
    town.passes(1300);
    browser.opens(&format!("{}/account/password", town.origins().provider));
    browser.does_not_see(w.password_current);
    browser.sees(w.sign_in_title);
}

/// [Guide 1.2] [Guide 4.7] [L01] A new phone, while the old one is at hand: not at school, with its code and the
/// password, and bound by its own first code. Until then the old one counts, and not after.
pub fn a_new_phone_takes_the_place_of_the_old_one(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let account = format!("{}/account", town.origins().provider);
    let mut elsewhere = town.browser(Place::Home);
    is_signed_in(town, &mut *elsewhere, w, &chloe);
    town.passes(60);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_signed_in(town, browser, w, &chloe);
    browser.goes_to(Place::School);
    browser.opens(&format!("{account}/app"));
    browser.sees(w.new_phone_outside);
    browser.does_not_see(w.password_current);

    browser.goes_to(Place::Home);
    browser.opens(&account);
    browser.clicks(w.new_phone);
    browser.types(w.password_current, NEW);
    browser.clicks(w.next);
    browser.sees(w.password_current_wrong);
    browser.types(w.password_current, &chloe.password);
    browser.clicks(w.next);
    browser.sees(w.app_title);
    let app = scanned(&browser.scans());
    elsewhere.opens(&account);
    elsewhere.sees(w.sign_out_everywhere);
    browser.types(w.app_code, &town.app_code(&app));
    browser.clicks(w.soumettre);
    browser.sees(w.account_title);

    elsewhere.opens(&account);
    elsewhere.sees(w.sign_in_title);
    town.passes(3600);
    only_the_new_app_counts(town, w, (&chloe, &app));
    assert_eq!(town.sms(&chloe), Vec::<String>::new());
}

/// The code of the app before is a wrong one, and that of the new app leads in.
pub(super) fn only_the_new_app_counts(
    town: &mut dyn Town,
    w: &Words,
    (person, app): (&Person, &App),
) {
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, person);
    browser.types(w.app_code, &town.shown_by_app(person));
    browser.clicks(w.soumettre);
    browser.sees(w.code_wrong);
    browser.types(w.app_code, &town.app_code(app));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
}

fn changes(browser: &mut dyn Browser, w: &Words, current: &str, new: &str) {
    browser.types(w.password_current, current);
    browser.types(w.password_new, new);
    browser.types(w.password_again, new);
    browser.clicks(w.change_password_submit);
}

/// The last mail that somebody received.
fn told(town: &mut dyn Town, person: &Person) -> String {
    let mut mails = Vec::new();
    while mails.is_empty() {
        let may_wait = town.waits();
        mails = town.mails(person);
        assert!(!mails.is_empty() || may_wait, "no mail came");
    }
    mails.pop().unwrap_or_default()
}

fn is_signed_in(town: &mut dyn Town, browser: &mut dyn Browser, w: &Words, person: &Person) {
    signs_in(town, browser, w, person);
    browser.types(w.app_code, &town.shown_by_app(person));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
}
