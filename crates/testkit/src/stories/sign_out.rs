//! Chapter 10: signing out.

use super::{STRONG, is_in, knocks, signs_in};
use crate::{Application, Browser, Person, Place, Role, Town, Words};

/// [S05] Out of the portal means out of the identity provider, and the next application asks anew.
pub fn from_the_portal_everything_is_left(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_signed_in(town, browser, w, &chloe);
    let stolen = browser.cookies();

    browser.clicks(w.sign_out);
    browser.lands_at(&format!("{}/", town.origins().ent));
    browser.sees(w.signed_out);
    browser.is_pictured("signed-out");
    browser.is_signed_in_nowhere(&town.origins());
    knocks(town, browser, w, Application::Ism);
    browser.sees(w.sign_in_title);

    // What was copied before is worth nothing after.
    let mut thief = town.browser(Place::Home);
    thief.takes(&stolen);
    thief.is_signed_in_nowhere(&town.origins());
}

/// [S06] Everybody sees where they are signed in, and leaves everywhere at once.
pub fn from_the_account_all_browsers_are_left(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut at_work = town.browser(Place::Home);
    is_signed_in(town, &mut *at_work, w, &chloe);
    town.passes(60);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_signed_in(town, browser, w, &chloe);

    browser.opens(&format!("{}/account", town.origins().provider));
    browser.sees(w.account_title);
    browser.is_pictured("account");
    browser.clicks(w.sign_out_everywhere);

    let account = format!("{}/account", town.origins().provider);
    for browser in [&mut *at_work, browser] {
        browser.opens(&account);
        browser.does_not_see(w.sign_out_everywhere);
        browser.opens(&format!("{}/login", town.origins().ism));
        browser.sees(w.sign_in_title);
    }
}

/// [C15] Out of the identity provider means out of the applications, which hear it from the provider and
/// not from the browser; whoever uses another browser stays.
pub fn from_the_account_the_applications_are_left_by_themselves(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut elsewhere = town.browser(Place::Home);
    is_signed_in(town, &mut *elsewhere, w, &chloe);
    town.passes(60);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    is_signed_in(town, browser, w, &chloe);
    let origins = town.origins();
    browser.opens(&format!("{}/login", origins.ism));
    is_in(town, browser, w, Application::Ism, STRONG);

    browser.opens(&format!("{}/account", origins.provider));
    browser.clicks(w.sign_out);
    for application in [Application::Ism, Application::Ent] {
        let mut may_wait = true;
        while browser.whoami(&origins, application).is_some() {
            assert!(may_wait, "{application:?} did not hear of it");
            may_wait = town.waits();
        }
    }
    browser.is_signed_in_nowhere(&origins);
    let still = elsewhere.whoami(&origins, Application::Ent);
    assert!(still.is_some(), "another session ended with this one");
}

fn is_signed_in(town: &mut dyn Town, browser: &mut dyn Browser, w: &Words, person: &Person) {
    signs_in(town, browser, w, person);
    browser.types(w.app_code, &town.shown_by_app(person));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);
}
