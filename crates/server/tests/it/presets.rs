//! The preset `recommended`: where it differs from the guide, and that it does.

use testkit::memory::Canton;
use testkit::{Language, Person, Place, Role, Town, Words};

use crate::application::{asks, enters, parameter};

fn somebody(canton: &mut Canton, role: Role) -> Person {
    let town: &mut dyn Town = canton;
    town.somebody(role)
}

/// [A08] No composition and no upper bound that a sentence would reach; [A11] but no common password,
/// and no word of the house.
#[test]
fn a_recommended_password_is_long_and_not_common() {
    let mut canton = Canton::under("recommended", Language::French);
    let w = Words::of(Language::French);
    let elodie = somebody(&mut canton, Role::New);
    let mail = (&mut canton as &mut dyn Town).next_mail(&elodie);
    let code = mail
        .split_whitespace()
        .find(|word| word.len() == 11 && word.contains('-'))
        .unwrap();
    let mut browser = canton.browser(Place::Home);
    browser.opens(&crate::application::at("/activate"));
    browser.types(w.username, &elodie.username);
    browser.types(w.activation_code, code);
    browser.clicks(w.next);
    browser.clicks(w.data_submit);
    let refused = [
        "Marmotte-2026",
        "abcabcabcabcabcabc",
        "mon canton du Valais",
    ];
    for password in refused
        .map(str::to_owned)
        .into_iter()
        .chain(["x".repeat(257)])
    {
        browser.types(w.password_new, &password);
        browser.types(w.password_again, &password);
        browser.clicks(w.next);
        assert!(
            browser.text().contains(w.password_title),
            "`{password:.60}` was taken"
        );
    }
    let sentence = "quatre marmottes dorment sous la neige ❄ sans réveil";
    browser.types(w.password_new, sentence);
    browser.types(w.password_again, sentence);
    browser.clicks(w.next);
    browser.sees(w.method_title);
}

/// At school a pupil's password is enough, a teacher's is not: a colleague may have seen it typed.
#[test]
fn a_teachers_password_is_never_enough() {
    let w = Words::of(Language::French);
    for place in [Place::School, Place::State, Place::Home] {
        let mut canton = Canton::under("recommended", Language::French);
        let chloe = somebody(&mut canton, Role::EnrolledApp);
        let mut browser = canton.browser(place);
        let answer = enters(&mut *browser, &asks(&[]), &chloe);
        assert_eq!(parameter(answer.location(), "code"), None, "{place:?}");
        browser.opens(&crate::application::at(answer.location()));
        browser.sees(w.app_code_title);
    }
}
