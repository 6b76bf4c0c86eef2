//! Chapter 6: enrolment from inside is refused, and goes on outside.

use super::{STRONG, answers_sms, enters, is_in, knocks};
use crate::{Application, Place, Role, Town, Words};

/// [Guide 1.2] "À noter : la configuration de l'authentification forte n'est possible qu'hors du réseau de l'État du Valais et des établissements cantonaux."
/// [Guide 1.3] "Vous devrez configurer votre authentification forte lors de votre première connexion sur un réseau public."
pub fn enrolment_at_school_is_refused_and_goes_on_at_home(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let link = is_refused_at_school(town, w);

    let mut phone = town.browser(Place::Home);
    let phone = &mut *phone;
    phone.opens(&link);
    phone.sees(w.resume_title);
    phone.is_pictured("resume");
    phone.clicks(w.next);
    answers_sms(town, phone, w, &anna);
    is_in(town, phone, w, Application::Ism, STRONG);
    assert!(town.again(&anna).enrolled);

    let mut third = town.browser(Place::Home);
    third.opens(&link);
    third.clicks(w.next);
    third.sees(w.resume_used);
    third.is_signed_in_nowhere(&town.origins());
}

/// The link is open for 48 hours; opened inside again it says so and is not used up.
pub fn the_way_home_is_open_for_two_days(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let link = is_refused_at_school(town, w);
    town.passes(47 * 3600);
    let mut browser = town.browser(Place::School);
    browser.opens(&link);
    browser.clicks(w.next);
    browser.sees(w.still_inside);

    town.passes(2 * 3600);
    browser.goes_to(Place::Home);
    browser.opens(&link);
    browser.clicks(w.next);
    browser.sees(w.resume_expired);
    browser.is_signed_in_nowhere(&town.origins());
    assert_eq!(town.sms(&anna), Vec::<String>::new());
}

/// Who picks up somebody else's link gets as far as the code, which goes to the owner's phone.
pub fn the_way_home_needs_the_phone_of_whom_it_is_for(town: &mut dyn Town, w: &Words) {
    let anna = town.somebody(Role::Sms);
    let link = is_refused_at_school(town, w);
    let mut finder = town.browser(Place::Home);
    let finder = &mut *finder;
    finder.opens(&link);
    assert_eq!(
        town.sms(&anna),
        Vec::<String>::new(),
        "looking sends nothing"
    );
    finder.clicks(w.next);
    finder.sees(w.sms_title);
    let code = town.sms_code(&anna);
    for _ in 0..5 {
        finder.types(
            w.sms_code,
            if code == "000000" { "111111" } else { "000000" },
        );
        finder.clicks(w.soumettre);
    }
    finder.sees(w.too_many_tries);
    finder.is_signed_in_nowhere(&town.origins());
    assert!(!town.again(&anna).enrolled);
}

/// Goes to ISM at school, is refused with the reason and the network's name; the link to go on.
fn is_refused_at_school(town: &mut dyn Town, w: &Words) -> String {
    let anna = town.somebody(Role::Sms);
    let mut browser = town.browser(Place::School);
    let browser = &mut *browser;
    knocks(town, browser, w, Application::Ism);
    enters(browser, w, &anna);
    browser.sees(w.elsewhere_title);
    browser.sees(w.elsewhere_why);
    browser.sees(w.on_network);
    browser.is_pictured("elsewhere");
    browser.is_signed_in_nowhere(&town.origins());
    assert_eq!(town.sms(&anna), Vec::<String>::new());
    let link = browser.scans();
    let beginning = format!("{}/resume/", town.origins().provider);
    assert!(link.starts_with(&beginning), "{link}");
    assert_eq!(browser.link(&beginning).as_deref(), Some(link.as_str()));
    link
}
