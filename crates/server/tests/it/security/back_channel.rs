//! C15: what applications hear from the provider itself when a session ends.

use testkit::memory::Canton;
use testkit::{Application, Browser, Person, Place, Role, Town};

use super::{account, by, canton, somebody};
use crate::application::{asks, enters};

/// Somebody who is signed in at the ENT of the demo.
fn at_the_ent(canton: &mut Canton) -> (Person, Box<dyn Browser>) {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    browser.opens(&format!("{}/login", canton.origins().ent));
    assert!(is_in(canton, &mut *browser));
    (anna, browser)
}

fn is_in(canton: &Canton, browser: &mut dyn Browser) -> bool {
    let origins = canton.origins();
    browser.whoami(&origins, Application::Ent).is_some()
}

/// [C15] Whoever is switched off is out of the applications as well.
#[test]
fn whoever_is_switched_off_is_out_of_the_applications() {
    let mut canton = canton();
    let (anna, mut browser) = at_the_ent(&mut canton);
    let person = account(&canton, &anna).person.id;
    let by = by(&mut canton);
    let off = canton.store().disable(person, true, &by);
    canton.waits_for(off).unwrap();
    assert!(is_in(&canton, &mut *browser));
    canton.waits();
    assert!(!is_in(&canton, &mut *browser));
}

/// [C15] An application that does not answer hears of it when it does, with a token of that moment.
#[test]
fn an_application_that_does_not_answer_hears_of_it_later() {
    let mut canton = canton();
    let (anna, mut browser) = at_the_ent(&mut canton);
    // The applications are out of this node's reach.
    let node = canton.node_at(&canton.origins().provider);
    let person = account(&canton, &anna).person.id;
    let all = store::EndSessions::All(person);
    let by = by(&mut canton);
    let ended = canton.store().end_sessions(&all, &by);
    canton.waits_for(ended).unwrap();
    for pause in [0, 2, 4, 8, 300, 300] {
        canton.passes(pause);
        assert_eq!(
            canton.waits_for(node.deliver_messages()),
            1,
            "after {pause} s"
        );
        canton.waits();
        assert!(is_in(&canton, &mut *browser));
    }
    canton.passes(300);
    canton.waits();
    assert!(!is_in(&canton, &mut *browser));
}

/// [C15] Whoever proves once more stays in the applications; leaving the new session leaves them, too.
#[test]
fn whoever_proves_once_more_stays_in_the_applications() {
    let mut canton = canton();
    let (anna, mut browser) = at_the_ent(&mut canton);
    let again = asks(&[("prompt", Some("login"))]);
    enters(&mut *browser, &again, &anna);
    canton.waits();
    assert!(is_in(&canton, &mut *browser));
    let person = account(&canton, &anna).person.id;
    let by = by(&mut canton);
    let sessions = canton.store().sessions(person, by.at);
    let sessions = canton.waits_for(sessions).unwrap();
    let [new] = sessions.as_slice() else {
        panic!("{} sessions", sessions.len())
    };
    let one = store::EndSessions::One(new.key);
    let ended = canton.store().end_sessions(&one, &by);
    canton.waits_for(ended).unwrap();
    canton.waits();
    assert!(!is_in(&canton, &mut *browser));
}
