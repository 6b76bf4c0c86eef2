//! Chapter 7: a session leaves the building.

use super::{PASSWORD, STRONG, answers_sms, is_in, signs_in};
use crate::{Application, Place, Role, Town, Words};

/// [S04] A session is worth what was proven for it, wherever it goes: at home the password of this
/// morning at school is not enough any more, and only the code is asked for.
pub fn a_session_made_at_school_is_stepped_up_at_home(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    signs_in(town, browser, w, &anna);
    is_in(town, browser, w, Application::Ent, PASSWORD);

    browser.goes_to(Place::Home);
    town.passes(1800);
    browser.opens(&format!("{}/login", town.origins().ent));
    browser.sees(w.step_up_title);
    assert_eq!(
        town.sms(&anna),
        Vec::<String>::new(),
        "opening an address sends nothing"
    );
    browser.clicks(w.next);
    answers_sms(town, browser, w, &anna);

    is_in(town, browser, w, Application::Ent, STRONG);
}

/// Two factors are two factors everywhere.
pub fn a_strong_session_may_leave_the_building(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::Home);
    let browser = &mut *browser;
    signs_in(town, browser, w, &chloe);
    browser.types(w.app_code, &town.shown_by_app(&chloe));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ent, STRONG);

    browser.goes_to(Place::School);
    browser.opens(&format!("{}/login", town.origins().ism));
    is_in(town, browser, w, Application::Ism, STRONG);
    browser.goes_to(Place::Home);
    browser.opens(&format!("{}/login", town.origins().ent));
    is_in(town, browser, w, Application::Ent, STRONG);
}
