//! Sessions: made anew each time, worth what was proven, dead when they end.

use testkit::memory::Canton;
use testkit::{Attempt, Browser, Language, Place, Role, Town, Words};

use crate::application::{asks, at, at_school, enters, parameter};

fn session(browser: &mut dyn Browser) -> Option<String> {
    let cookies = browser.cookies();
    cookies
        .into_iter()
        .find(|(name, _)| name.contains("furka-session"))
        .map(|(_, value)| value)
}

fn is_signed_in(browser: &mut dyn Browser) -> bool {
    let silent = browser.sends(Attempt::get(&asks(&[("prompt", Some("none"))])));
    parameter(silent.location(), "code").is_some()
}

/// [S01] A session that somebody planted is not used; every sign-in makes a new one, and the one
/// before is dead.
#[test]
fn a_session_is_new_at_every_sign_in() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    let planted = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE".to_owned();
    browser.takes(&[("furka-session".into(), planted.clone())]);
    enters(&mut *browser, &asks(&[]), &person);
    let first = session(&mut *browser).unwrap();
    assert_ne!(first, planted);

    enters(&mut *browser, &asks(&[("prompt", Some("login"))]), &person);
    let second = session(&mut *browser).unwrap();
    assert_ne!(first, second);
    let mut thief = canton.browser(Place::School);
    for (value, alive) in [(planted, false), (first, false), (second, true)] {
        thief.takes(&[("furka-session".into(), value)]);
        assert_eq!(is_signed_in(&mut *thief), alive);
    }
}

/// [S01] [S04] Stepping up makes a new session; the weaker one is dead.
#[test]
fn a_session_is_new_at_every_step_up() {
    let mut canton = Canton::new(Language::French);
    let w = Words::of(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    let weak = session(&mut *browser).unwrap();
    browser.goes_to(Place::Home);
    browser.opens(&asks(&[]));
    browser.clicks(w.next);
    let town: &mut dyn Town = &mut canton;
    browser.types(w.sms_code, &town.sms_code(&person));
    browser.clicks(w.soumettre);
    assert_ne!(session(&mut *browser).unwrap(), weak);
    let mut thief = town.browser(Place::School);
    thief.takes(&[("furka-session".into(), weak)]);
    assert!(!is_signed_in(&mut *thief));
}

/// [S03] Without a request a session ends after an hour, and what is over stays over.
#[test]
fn an_idle_session_ends_and_does_not_come_back() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    canton.passes(3500);
    assert!(is_signed_in(&mut *browser));
    canton.settles();
    canton.passes(3700);
    for _ in 0..3 {
        assert!(!is_signed_in(&mut *browser), "idle for more than an hour");
        canton.settles();
    }
}

/// [S03] However busy, a session ends after a working day.
#[test]
fn a_busy_session_ends_after_a_working_day() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    for _ in 0..15 {
        canton.passes(1800);
        assert!(is_signed_in(&mut *browser));
        canton.settles();
    }
    canton.passes(1900);
    assert!(!is_signed_in(&mut *browser), "older than eight hours");
}

/// [S05] An identity that is switched off is out at once, and says so to who knows the password.
#[test]
fn who_is_switched_off_is_out_at_once() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    let name = journey::NameKey::of(&person.username).unwrap();
    let store = canton.store().clone();
    let by = canton.by();
    canton.waits_for(async {
        let account = store.person_by_name(&name).await.unwrap().unwrap();
        store.disable(account.person.id, true, &by).await.unwrap();
    });
    assert!(!is_signed_in(&mut *browser));
    let answer = enters(&mut *browser, &asks(&[]), &person);
    assert!(!answer.signs_somebody_in());
}

/// [S12] Signing out clears what the browser keeps of us.
#[test]
fn signing_out_leaves_nothing_behind() {
    let mut canton = Canton::new(Language::French);
    let w = Words::of(Language::French);
    let chloe = (&mut canton as &mut dyn Town).somebody(Role::EnrolledApp);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &chloe);
    browser.opens(&at("/account"));
    browser.clicks(w.sign_out);
    assert_eq!(session(&mut *browser), None);
    assert!(!is_signed_in(&mut *browser));
}
