//! Who has lost phone or token, and kept codes.

use super::*;

/// A recovery code that is right.
pub(super) const RIGHT: RightCode = RightCode {
    code: crate::factor::recovery::SavedCode {
        place: 3,
        set: [8; 16],
    },
    left: 7,
};

/// Somebody with a factor, where recovery codes are offered.
fn offering(method: Method) -> World {
    World {
        policy: Policy::recommended(),
        ..World::new(Some(method), true, Place::Public)
    }
}

/// The phone is lost.
fn lost(world: &World) -> Login {
    let asked = world.after_password(Assurance::Strong);
    world.step(asked, Event::FactorLost).0
}

/// And a code was right.
fn recovered(world: &World) -> Login {
    world.step(lost(world), Event::RecoveryCodeRight(RIGHT)).0
}

/// The states of this way, each reached by walking there.
pub(super) fn states() -> impl Iterator<Item = (&'static str, World, Login)> {
    let mut all = Vec::new();
    for (name, method) in [
        ("AwaitAppCode (codes offered)", Method::App),
        ("AwaitSmsCode (codes offered)", Method::Sms),
        ("AwaitTokenCode (codes offered)", Method::Token),
    ] {
        let world = offering(method);
        let state = world.after_password(Assurance::Password);
        all.push((name, world, state));
    }
    let world = offering(Method::App);
    let state = lost(&world);
    all.push(("AwaitRecoveryCode", world, state));
    let world = offering(Method::App);
    let state = recovered(&world);
    all.push(("OfferReplacement", world, state));
    let world = World {
        place: school(),
        ..offering(Method::App)
    };
    let state = recovered(&world);
    all.push(("OfferReplacement (at school)", world, state));
    let world = offering(Method::Token);
    let state = world.step(recovered(&world), Event::ReplacementAsked).0;
    all.push(("AwaitAppEnrolment (replaces)", world, state));
    all.into_iter()
}

/// [C11] A recovery code stands for the second factor, once: what is told is that there were two, and not
/// that there was a phone.
#[test]
fn a_recovery_code_stands_for_the_second_factor() {
    let world = offering(Method::App);
    let (next, effects) = world.step(lost(&world), Event::RecoveryCodeRight(RIGHT));
    let signs_in = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::SignIn { .. }));
    assert!(matches!(effects[0], Effect::SpendRecoveryCode { .. }));
    assert!(!signs_in(&effects), "first they are asked what is lost");
    let (next, effects) = world.step(next, Event::FactorKept);
    assert!(signs_in(&effects));
    let Login::SignedIn(signed) = next else {
        panic!("{next:?}")
    };
    assert_eq!(signed.proof.assurance(), Assurance::Strong);
    assert_eq!(signed.proof.amr(), ["pwd", "mfa"]);
}

/// [O15] One sign-in spends one recovery code at most, however many are sent.
#[test]
fn one_sign_in_spends_one_recovery_code() {
    let world = offering(Method::Sms);
    let mut state = lost(&world);
    let mut spent = 0;
    for _ in 0..5 {
        let (next, effects) = world.step(state, Event::RecoveryCodeRight(RIGHT));
        spent += effects
            .iter()
            .filter(|e| matches!(e, Effect::SpendRecoveryCode { .. }))
            .count();
        state = next;
    }
    assert_eq!(spent, 1);
}

/// [O15] [O10] Who goes to and fro between the codes has five tries all the same, and a used one counts.
#[test]
fn codes_of_both_kinds_have_five_tries_together() {
    let world = offering(Method::App);
    let mut state = world.after_password(Assurance::Password);
    for n in 0..5 {
        assert_eq!(state.name(), "AwaitAppCode", "after {n}");
        state = match n % 2 {
            0 => {
                let lost = world.step(state, Event::FactorLost).0;
                let used_before = n == 2;
                let refused = Event::RecoveryCodeRefused { used_before };
                let next = world.step(lost, refused).0;
                world.step(next, Event::FactorKept).0
            }
            _ => {
                let wrong = Typed::parse("999999").unwrap();
                world.step(state, Event::CodeTyped(wrong)).0
            }
        };
    }
    assert!(matches!(state, Login::Refused(Refusal::TooManyTries)));
}

/// [O15] Where the policy has none, none is asked for and none is taken, wherever a journey stands.
#[test]
fn without_the_policy_there_are_no_recovery_codes() {
    let mut world = offering(Method::App);
    let begun = lost(&world);
    world.policy = Policy::valais();
    let (next, effects) = world.step(begun, Event::RecoveryCodeRight(RIGHT));
    assert_eq!(next.name(), "AwaitRecoveryCode");
    assert_eq!(
        effects.iter().map(effect_word).collect::<Vec<_>>(),
        ["Audit(OutOfTurn)"]
    );
    let (next, _) = world.step(world.after_password(Assurance::Password), Event::FactorLost);
    assert_eq!(next.name(), "AwaitAppCode");
}

/// [L02] A new app takes the place of what is lost behind a recovery code only, and outside.
#[test]
fn what_is_lost_is_replaced_outside_only() {
    for method in [Method::App, Method::Sms, Method::Token] {
        let mut world = offering(method);
        let offered = recovered(&world);
        world.place = school();
        let (still, _) = world.step(offered.clone(), Event::ReplacementAsked);
        assert_eq!(still.name(), "OfferReplacement");
        world.place = Place::Public;
        let (enrolment, effects) = world.step(offered, Event::ReplacementAsked);
        assert!(effects.is_empty(), "nothing is taken away yet");
        let typed = code(&enrolment, &world.person);
        let (done, effects) = world.step(enrolment, Event::CodeTyped(typed));
        assert!(matches!(effects[0], Effect::ReplaceWithApp { .. }));
        let Login::SignedIn(signed) = done else {
            panic!("{done:?}")
        };
        assert_eq!(signed.proof.amr(), ["pwd", "otp", "mfa"]);
    }
}

/// [O15] Who changes networks while the key of a new app is shown has not used their code for nothing: they
/// are asked once more what is lost, and go on where something may be bound, or without.
#[test]
fn a_replacement_outlives_another_network() {
    let mut world = offering(Method::App);
    let (shown, _) = world.step(recovered(&world), Event::ReplacementAsked);
    let typed = code(&shown, &world.person);
    world.place = school();
    let (offered, effects) = world.step(shown, Event::CodeTyped(typed));
    assert!(effects.is_empty(), "{effects:?}");
    let Login::OfferReplacement(offer) = &offered else {
        panic!("{offered:?}")
    };
    assert_eq!(offer.left, RIGHT.left);
    let (kept, _) = world.step(offered.clone(), Event::FactorKept);
    assert_eq!(kept.name(), "SignedIn");
    world.place = Place::Public;
    let (shown, _) = world.step(offered, Event::ReplacementAsked);
    let typed = code(&shown, &world.person);
    let (done, effects) = world.step(shown, Event::CodeTyped(typed));
    assert!(matches!(effects[0], Effect::ReplaceWithApp { .. }));
    assert_eq!(done.name(), "SignedIn");
}
