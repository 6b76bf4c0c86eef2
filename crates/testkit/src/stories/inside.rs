//! Chapter 5: the network of the State or of a school.

use super::{PASSWORD, STRONG, enters, is_in, knocks, signs_in};
use crate::{Application, Place, Role, Town, Words};

/// [Guide 3.1] "Cette étape n'aura pas lieu si vous vous connectez depuis le réseau de l'État du Valais ou celui d'un établissement scolaire cantonal."
/// [N06] The session, the ID token and the portal say that it was a password only.
pub fn at_school_the_password_is_enough(town: &mut dyn Town, w: &Words) {
    the_password_is_enough(town, w, Place::School);
}

/// [Guide 3.1] "depuis le réseau de l'État du Valais"
pub fn in_the_states_network_the_password_is_enough(town: &mut dyn Town, w: &Words) {
    the_password_is_enough(town, w, Place::State);
}

fn the_password_is_enough(town: &mut dyn Town, w: &Words, place: Place) {
    for role in [Role::Sms, Role::EnrolledApp, Role::Token] {
        let person = town.somebody(role);
        let mut browser = town.browser(place);
        let browser = &mut *browser;
        knocks(town, browser, w, Application::Ent);
        browser.sees(w.on_network);
        enters(browser, w, &person);
        let claims = is_in(town, browser, w, Application::Ent, PASSWORD);
        assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
        browser.is_pictured("signed-in-at-school");
        assert_eq!(town.sms(&person), Vec::<String>::new());
        assert_eq!(town.again(&person).enrolled, person.enrolled);
    }
}

/// [N05] Each application may ask for more than the network gives: ISM always gets two factors.
pub fn the_school_administration_asks_for_a_code_even_at_school(town: &mut dyn Town, w: &Words) {
    let chloe = town.somebody(Role::EnrolledApp);
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    signs_in(town, browser, w, &chloe);
    is_in(town, browser, w, Application::Ent, PASSWORD);

    browser.opens(&format!("{}/", town.origins().ism));
    browser.clicks(w.se_connecter);
    browser.sees(w.step_up_title);
    browser.clicks(w.next);
    browser.sees(w.app_code_title);
    assert!(browser.whoami(&town.origins(), Application::Ism).is_none());
    browser.types(w.app_code, &town.shown_by_app(&chloe));
    browser.clicks(w.soumettre);
    is_in(town, browser, w, Application::Ism, STRONG);
}
