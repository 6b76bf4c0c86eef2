//! Another app, while the old one is at hand.

use super::*;

/// [L01] [Guide 1.2] Another app is bound by its first right code only, by whoever has just proven what they
/// have, and only outside; with it what was proven before is over.
#[test]
fn a_new_app_takes_the_place_of_the_old_one_by_its_first_code() {
    let world = World::new(Some(Method::App), true, Place::Public);
    let begin = || Login::begin(Assurance::Password, &world.place, NOW.at);
    let (shown, effects) = world.step(begin(), Event::NewAppAsked(fresh()));
    assert!(effects.is_empty(), "{effects:?}");
    let typed = code(&shown, &world.person);
    let (next, effects) = world.step(shown, Event::CodeTyped(typed));
    assert!(matches!(
        effects.first(),
        Some(Effect::ReplaceWithApp { .. })
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
        let (next, effects) = world.step(begin(), Event::NewAppAsked(proof));
        assert!(matches!(next, Login::Refused(Refusal::NoBinding)));
        assert_eq!(effects.len(), 1);
    }
}
