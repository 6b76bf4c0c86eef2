//! A04, A15: what becomes of a sign-in when the store fails.

use std::sync::Arc;

use store::LaneKey;
use testkit::memory::Canton;
use testkit::{Answer, Language, Person, Place, Role, Town};

use super::failing::{CAUSE, Failing, Fails, Switch};
use super::sign_in::tries;
use super::{account, gets, metric, posts, somebody, switch_off, wrong};

/// What is tried, with all that was answered.
type Scene<'a> = Box<dyn FnMut(&mut Canton) -> Vec<Answer> + 'a>;

pub(super) fn failing() -> (Canton, Arc<Switch>) {
    let switch = Arc::new(Switch::default());
    let kept = Arc::clone(&switch);
    let through = |store| {
        Arc::new(Failing {
            store,
            switch: kept,
        }) as store::AnyStore
    };
    (
        Canton::remembering_by("valais", Language::French, through),
        switch,
    )
}

/// Tells a scenario once for every call of the store that may fail in it, until none does.
fn at_every_call(
    canton: &mut Canton,
    (switch, fails): (&Switch, fn(u32) -> Fails),
    scene: &mut dyn FnMut(&mut Canton) -> Vec<Answer>,
) -> Vec<(u32, Vec<Answer>)> {
    let mut told = Vec::new();
    for call in 1..200 {
        switch.set(fails(call));
        let answers = scene(canton);
        let failed = switch.failed();
        switch.set(Fails::Never);
        for answer in &answers {
            assert!(!answer.body.contains(CAUSE), "a page tells the cause");
        }
        told.push((failed, answers));
        if failed == 0 {
            return told;
        }
        canton.passes(7200);
    }
    panic!("a scene without end");
}

/// [A04] [P10] Whichever call of the store fails: a wrong password, an identity that is switched off,
/// a wrong code and a code used before lead nobody in.
#[test]
fn a_failing_store_lets_nobody_in() {
    let (mut canton, switch) = failing();
    let anna = somebody(&mut canton, Role::Sms);
    let bastien = somebody(&mut canton, Role::App);
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    switch_off(&mut canton, &bastien);
    let mistyped = Person {
        password: "Falsch-1234".into(),
        ..anna
    };
    let code_scene = |canton: &mut Canton, code: &dyn Fn(&str) -> String| {
        let mut browser = canton.browser(Place::Home);
        let first = tries(&mut *browser, &chloe);
        let shown = (canton as &mut dyn Town).shown_by_app(&chloe);
        let path = Some(first.location()).filter(|path| path.starts_with("/login/"));
        let second = posts(
            &mut *browser,
            path.unwrap_or("/login/x"),
            &[("code", &code(&shown))],
        );
        vec![first, second, gets(&mut *browser, "/account")]
    };
    let mut scenes: Vec<Scene<'_>> = vec![
        Box::new(|canton| vec![tries(&mut *canton.browser(Place::School), &mistyped)]),
        Box::new(|canton| vec![tries(&mut *canton.browser(Place::School), &bastien)]),
        Box::new(|canton| code_scene(canton, &wrong)),
    ];
    for scene in &mut scenes {
        for (failed, answers) in at_every_call(&mut canton, (&switch, Fails::At), scene) {
            for answer in answers {
                assert!(
                    !answer.signs_somebody_in(),
                    "after {failed} failures: {answer:?}"
                );
                assert!(!answer.body.contains("sign-out-everywhere"), "{answer:?}");
            }
        }
    }
}

/// [A04] When the store fails for good in the middle of a sign-in, all of it fails: no cookie of a
/// session, no code for an application.
#[test]
fn a_store_that_stays_away_ends_a_sign_in() {
    let (mut canton, switch) = failing();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut scene = |canton: &mut Canton| {
        let mut browser = canton.browser(Place::Home);
        let first = tries(&mut *browser, &chloe);
        let shown = (canton as &mut dyn Town).shown_by_app(&chloe);
        let path = Some(first.location()).filter(|path| path.starts_with("/login/"));
        let second = posts(
            &mut *browser,
            path.unwrap_or("/login/x"),
            &[("code", &shown)],
        );
        vec![first, second]
    };
    let told = at_every_call(&mut canton, (&switch, Fails::From), &mut scene);
    let (last, before) = told.split_last().unwrap();
    assert!(
        before.len() > 8,
        "a sign-in asks the store more often than that"
    );
    assert!(last.1.iter().any(Answer::signs_somebody_in));
    for (failed, answers) in before {
        assert!(
            !answers.iter().any(Answer::signs_somebody_in),
            "{failed}: {answers:?}"
        );
        assert!(
            answers.iter().any(|answer| answer.status == 500),
            "{answers:?}"
        );
    }
}

/// [A15] The try is counted even if the request fails before its verdict.
#[test]
fn a_try_is_counted_before_the_verdict() {
    let (mut canton, switch) = failing();
    let anna = somebody(&mut canton, Role::Sms);
    let lane = LaneKey::Password(account(&canton, &anna).person.id);
    let mistyped = Person {
        password: "Falsch-1234".into(),
        ..anna.clone()
    };
    let mut browser = canton.browser(Place::Home);
    for tried in 1..=3 {
        switch.set(Fails::Method("audit"));
        assert_eq!(tries(&mut *browser, &mistyped).status, 500);
        switch.set(Fails::Never);
        assert_eq!(
            canton.waits_for(canton.store().lane(&lane)).unwrap().tries,
            tried
        );
    }
    // And if it cannot be counted, nothing is looked at.
    let hashes = metric(&canton, "furka_passwords_hashed");
    switch.set(Fails::Method("spend_try"));
    assert_eq!(tries(&mut *browser, &anna).status, 500);
    assert_eq!(metric(&canton, "furka_passwords_hashed"), hashes);
}
