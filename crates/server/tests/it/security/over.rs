//! C15: a session that ends in the middle of an answer. Whoever would never hear of its end gets nothing of it.

use testkit::memory::Canton;
use testkit::{Application, Attempt, Person, Place, Role, Town, Words};

use super::fail_closed::failing;
use super::failing::{Leaves, Switch};
use super::{account, by, somebody};
use crate::application::{asks, at, enters, parameter, redeems, sends};
use crate::signed_in_over::types_a_password;

/// They sign out everywhere, right before the application is written down.
fn leaves_meanwhile(canton: &mut Canton, switch: &Switch, person: &Person) {
    let who = account(canton, person).person.id;
    let by = by(canton);
    let before = "participate";
    switch.leave(Leaves { before, who, by });
}

/// [C15] A SAML application is told that nobody is signed in.
#[test]
fn a_saml_application_gets_nothing_of_a_session_that_ends_meanwhile() {
    let (mut canton, switch) = failing();
    let w = Words::of(testkit::Language::French);
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::School);
    let origins = canton.origins();
    browser.opens(&format!("{}/login", origins.ism));
    types_a_password(&mut *browser, &chloe);
    leaves_meanwhile(&mut canton, &switch, &chloe);
    let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    browser.types(w.app_code, &code);
    browser.clicks(w.soumettre);
    assert!(!switch.is_to_leave(), "{}", browser.url());
    browser.lands_at(&format!("{}/saml/enter", origins.ism));
    browser.sees("refusée ou interrompue");
    assert!(browser.whoami(&origins, Application::Ism).is_none());
    // Nobody is told of an end of what never began.
    canton.waits();
    // Whoever comes again is let in.
    browser.opens(&format!("{}/login", origins.ism));
    types_a_password(&mut *browser, &chloe);
    canton.passes(60);
    let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    browser.types(w.app_code, &code);
    browser.clicks(w.soumettre);
    browser.lands_at(&format!("{}/", origins.ism));
    assert!(browser.whoami(&origins, Application::Ism).is_some());
}

/// [C15] The code of an application that wants to hear of the end gives nothing.
#[test]
fn a_code_gives_nothing_of_a_session_that_ends_meanwhile() {
    let (mut canton, switch) = failing();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &asks(&[]), &anna);
    let code = parameter(answer.location(), "code").unwrap();
    leaves_meanwhile(&mut canton, &switch, &anna);
    let refused = sends(&mut canton, redeems(&code));
    assert!(!switch.is_to_leave());
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(refused.json()["error"], "invalid_grant");
    let account = browser.sends(Attempt::get(&at("/account")));
    assert_eq!(account.location(), "/login");
}
