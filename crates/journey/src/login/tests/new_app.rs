//! Another app, while the old one is at hand.

use super::*;

/// [L01] [Guide 1.2] Another app is bound by its first right code only, by whoever has just proven what they
/// have, and only outside; with it what was proven before is over.
#[test]
fn a_new_app_takes_the_place_of_the_old_one_by_its_first_code() {
    let world = World::new(Some(Method::App), true, Place::Public);
    let begin = || Login::begin(Assurance::Password, &world.place, NOW.at);
    let (shown, effects) = world.step(begin(), asks_for_new_app(fresh()));
    assert!(
        matches!(effects[..], [Effect::Audit(Happened::NewAppBegun)]),
        "{effects:?}"
    );
    let typed = code(&shown, &world.person);
    let (next, effects) = world.step(shown, Event::CodeTyped(typed));
    assert!(matches!(
        effects.first(),
        Some(Effect::ReplaceWithApp {
            session: Some([9, ..]),
            ..
        })
    ));
    let Login::SignedIn(signed) = next else {
        panic!("{next:?}");
    };
    assert_eq!(signed.proof.password().era(), 1);

    let stale = Proof::two_factors(
        PasswordProof::assertion(NOW.at),
        FactorProof::new(Method::App, NOW.at.plus(-crate::own::FRESH_S)),
    );
    let weak = Proof::password_only(PasswordProof::assertion(NOW.at));
    let at_school = World::new(Some(Method::App), true, school());
    let with_token = World::new(Some(Method::Token), true, Place::Public);
    for (world, proof) in [
        (&world, stale),
        (&world, weak),
        (&at_school, fresh()),
        (&with_token, fresh()),
    ] {
        let (next, effects) = world.step(begin(), asks_for_new_app(proof));
        assert!(matches!(next, Login::Refused(Refusal::NoBinding)));
        assert_eq!(effects.len(), 1);
    }
}

/// [L09] Whoever carries the page with the key to a network where nothing is bound gets no link for two days
/// out of it, which would outlive the session that asked.
#[test]
fn a_new_app_is_not_taken_to_another_day() {
    let mut world = World::new(Some(Method::App), true, Place::Public);
    let begin = Login::begin(Assurance::Password, &world.place, NOW.at);
    let (shown, _) = world.step(begin, asks_for_new_app(fresh()));
    let typed = code(&shown, &world.person);
    world.place = school();
    let (next, _) = world.step(shown, Event::CodeTyped(typed));
    assert!(matches!(next, Login::Refused(Refusal::NoBinding)));
}

/// [L09] A journey that does not say in which session it was begun binds nothing.
#[test]
fn a_new_app_without_its_session_is_too_late() {
    let world = World::new(Some(Method::App), true, Place::Public);
    let begin = Login::begin(Assurance::Password, &world.place, NOW.at);
    let (mut shown, _) = world.step(begin, asks_for_new_app(fresh()));
    let typed = code(&shown, &world.person);
    if let Login::AwaitAppEnrolment(state) = &mut shown {
        state.session = None;
    }
    let (next, _) = world.step(shown, Event::CodeTyped(typed));
    assert!(matches!(next, Login::Refused(Refusal::TooLate)));
}
