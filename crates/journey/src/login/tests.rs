//! Every state × every event on one page, and the promises that hold in all of them.

mod new_app;

use std::fmt::Write as _;

use expect_test::expect_file;

use super::*;
use crate::{
    factor::otp::{Algorithm, Carrier, OtpKind},
    language::Language,
    person::{FactorId, Role},
    phone::Phone,
    secret::Secret,
    zone::Inside,
};

mod recovery;

use recovery::RIGHT;

const NOW: Moment = Moment {
    at: Timestamp(1_800_000_000),
    dice: [42; 32],
};

fn school() -> Place {
    Place::Inside(Inside {
        refuses_enrolment: true,
        waives_second_factor: true,
        zone: "school".into(),
    })
}

fn otp(carrier: Carrier) -> Otp {
    Otp {
        algorithm: Algorithm::Sha1,
        carrier,
        digits: 6,
        drift: 0,
        id: FactorId([9; 16]),
        kind: OtpKind::Totp { period_s: 30 },
        last_counter: None,
        secret: Secret::new(vec![7; 20]),
    }
}

fn anna(method: Option<Method>, enrolled: bool) -> Person {
    Person {
        app: (enrolled && method == Some(Method::App)).then(|| otp(Carrier::App)),
        disabled: false,
        first_name: "Anna".into(),
        id: PersonId([1; 16]),
        language: Language::Fr,
        last_name: "Rey".into(),
        mail: "anna.rey@example.org".into(),
        method,
        phone: (method != Some(Method::Token) && method.is_some())
            .then(|| Phone::parse("0791234567").unwrap()),
        phone_confirmed: enrolled,
        role: Role::Teacher,
        school: None,
        token: (enrolled && method == Some(Method::Token)).then(|| otp(Carrier::Token)),
        token_serial: None,
        username: "anna.rey".into(),
    }
}

struct World {
    person: Person,
    place: Place,
    policy: Policy,
    sms_allowed: bool,
}

impl World {
    fn new(method: Option<Method>, enrolled: bool, place: Place) -> Self {
        Self {
            person: anna(method, enrolled),
            place,
            policy: Policy::valais(),
            sms_allowed: true,
        }
    }

    fn view(&self) -> View<'_> {
        View {
            known_device: None,
            person: Some(&self.person),
            place: &self.place,
            policy: &self.policy,
            sms_allowed: self.sms_allowed,
        }
    }

    fn step(&self, state: Login, event: Event) -> Step {
        step(state, event, &self.view(), &NOW)
    }

    /// The state after a right password.
    fn after_password(&self, demand: Assurance) -> Login {
        self.step(Login::begin(demand, &self.place, NOW.at), password_right())
            .0
    }
}

fn password_right() -> Event {
    Event::PasswordRight(PasswordProof::assertion(NOW.at))
}

fn code(state: &Login, person: &Person) -> Typed {
    let step = NOW.at.0.cast_unsigned() / 30;
    let digits = match state {
        Login::AwaitSmsCode(state) => {
            String::from_utf8(state.code.digits().expose().to_vec()).unwrap()
        }
        Login::AwaitAppEnrolment(state) => state.pending.code_at(step),
        _ => person
            .app
            .as_ref()
            .or(person.token.as_ref())
            .map_or("000000".into(), |otp| otp.code_at(step)),
    };
    Typed::parse(&digits).unwrap()
}

/// The states of the matrix, each reached by walking there.
fn states() -> Vec<(&'static str, World, Login)> {
    let home = |method, enrolled| World::new(Some(method), enrolled, Place::Public);
    let mut all = Vec::new();
    let mut add = |name, world: World, state: Login| all.push((name, world, state));
    let begin = |world: &World| Login::begin(Assurance::Password, &world.place, NOW.at);
    for (name, world) in [
        ("AwaitPassword (app, at home)", home(Method::App, true)),
        (
            "AwaitPassword (app, new, at home)",
            home(Method::App, false),
        ),
        (
            "AwaitPassword (sms, new, at school)",
            World::new(Some(Method::Sms), false, school()),
        ),
        (
            "AwaitPassword (not activated)",
            World::new(None, false, Place::Public),
        ),
    ] {
        let state = begin(&world);
        add(name, world, state);
    }
    for (name, world) in [
        ("AwaitSmsCode (sms)", home(Method::Sms, true)),
        ("AwaitSmsCode (sms, new)", home(Method::Sms, false)),
        ("AwaitSmsCode (app, new)", home(Method::App, false)),
        ("AwaitAppCode", home(Method::App, true)),
        ("AwaitTokenCode", home(Method::Token, true)),
    ] {
        let state = world.after_password(Assurance::Password);
        add(name, world, state);
    }
    let world = home(Method::App, false);
    let sms = world.after_password(Assurance::Password);
    let typed = code(&sms, &world.person);
    let state = world.step(sms, Event::CodeTyped(typed)).0;
    add("AwaitAppEnrolment", world, state);
    let world = World::new(Some(Method::App), false, school());
    let state = world.after_password(Assurance::Strong);
    add("EnrolElsewhere (still at school)", world, state.clone());
    add(
        "EnrolElsewhere (now at home)",
        home(Method::App, false),
        state,
    );
    recovery::states().for_each(|(name, world, state)| add(name, world, state));
    let world = World::new(Some(Method::Sms), true, school());
    let state = world.after_password(Assurance::Password);
    add("SignedIn", world, state);
    add(
        "Refused",
        home(Method::Sms, true),
        Login::Refused(Refusal::TooLate),
    );
    all
}

fn events(state: &Login, person: &Person) -> Vec<(&'static str, Event)> {
    let right = code(state, person);
    let wrong = Typed::parse("999999").unwrap();
    let session = Proof::password_only(PasswordProof::assertion(NOW.at));
    vec![
        ("password right", password_right()),
        ("password wrong", Event::PasswordWrong),
        ("session shown", Event::SessionShown(session)),
        ("code right", Event::CodeTyped(right.clone())),
        ("code wrong", Event::CodeTyped(wrong.clone())),
        (
            "two codes wrong",
            Event::TwoCodesTyped(wrong.clone(), wrong),
        ),
        ("counter spent", Event::CounterSpent),
        ("budget spent", Event::BudgetSpent),
        ("resend asked", Event::ResendAsked),
        ("resumed", Event::Resumed),
        ("factor lost", Event::FactorLost),
        ("factor kept", Event::FactorKept),
        ("recovery right", Event::RecoveryCodeRight(RIGHT)),
        (
            "recovery wrong",
            Event::RecoveryCodeRefused { used_before: false },
        ),
        ("replacement", Event::ReplacementAsked),
        ("new app asked", asks_for_new_app(fresh())),
    ]
}

/// Asked in a session of this proof.
fn asks_for_new_app(proof: Proof) -> Event {
    let session = [9; 32];
    Event::NewAppAsked { proof, session }
}

/// Two factors, both of just now.
fn fresh() -> Proof {
    Proof::two_factors(
        PasswordProof::assertion(NOW.at),
        FactorProof::new(Method::Sms, NOW.at),
    )
}

fn effect_word(effect: &Effect) -> String {
    match effect {
        Effect::Activate(_) => "Activate".into(),
        Effect::AssignToken { .. } => "AssignToken".into(),
        Effect::Audit(Happened::Decided { .. }) => "Audit(Decided)".into(),
        Effect::Audit(happened) => {
            let text = format!("{happened:?}");
            format!("Audit({})", text.split([' ', '{']).next().unwrap())
        }
        Effect::EnrolApp { .. } => "EnrolApp".into(),
        Effect::EnrolSms { .. } => "EnrolSms".into(),
        Effect::Notify { notice, .. } => {
            let text = format!("{notice:?}");
            format!("Notify({})", text.split([' ', '{']).next().unwrap())
        }
        Effect::RefundPassword { .. } => "RefundPassword".into(),
        Effect::RefundTry { .. } => "RefundTry".into(),
        Effect::RememberDevice { .. } => "RememberDevice".into(),
        Effect::ReplaceWithApp { .. } => "ReplaceWithApp".into(),
        Effect::SendSmsCode { .. } => "SendSmsCode".into(),
        Effect::SignIn { .. } => "SignIn".into(),
        Effect::SpendCounter { .. } => "SpendCounter".into(),
        Effect::SpendRecoveryCode { .. } => "SpendRecoveryCode".into(),
    }
}

#[test]
fn every_state_answers_every_event_as_on_this_page() {
    let mut page = String::new();
    for (name, world, state) in states() {
        for (event_name, event) in events(&state, &world.person) {
            let (next, effects) = world.step(state.clone(), event);
            let effects = effects
                .iter()
                .map(effect_word)
                .collect::<Vec<_>>()
                .join(" ");
            let _ = writeln!(
                page,
                "{name:<36} {event_name:<16} → {:<18} {effects}",
                next.name()
            );
        }
        page.push('\n');
    }
    expect_file!["../../snapshots/login_transitions.txt"].assert_eq(&page);
}

/// The events that bring a right password with them.
const PASSWORDS: [&str; 3] = ["password right", "session shown", "new app asked"];

/// [A02] No order of events signs in but the ones that prove: password, then the person's own code.
/// [A03] A state before the second factor signs nobody in by itself.
#[test]
fn no_sequence_of_events_signs_in_without_the_proofs() {
    for (_, world, _) in states() {
        let start = Login::begin(Assurance::Strong, &world.place, NOW.at);
        let mut frontier = vec![(start, Vec::<&str>::new())];
        for _ in 0..5 {
            let mut next_frontier = Vec::new();
            for (state, path) in frontier {
                for (name, event) in events(&state, &world.person) {
                    let (next, effects) = world.step(state.clone(), event);
                    let mut path = path.clone();
                    path.push(name);
                    let signs_in = effects.iter().any(|e| matches!(e, Effect::SignIn { .. }));
                    if signs_in {
                        let passwords = path.iter().filter(|e| PASSWORDS.contains(e)).count();
                        let codes = path
                            .iter()
                            .filter(|e| ["code right", "recovery right"].contains(e))
                            .count();
                        let needed = if path_enrols_app(&world.person) { 2 } else { 1 };
                        assert!(passwords >= 1 && codes >= needed, "{path:?}");
                        let Login::SignedIn(signed) = &next else {
                            panic!("{path:?}")
                        };
                        assert_eq!(signed.proof.assurance(), Assurance::Strong);
                    } else if !matches!(next, Login::SignedIn(_)) && next_frontier.len() < 600 {
                        next_frontier.push((next, path));
                    }
                }
            }
            frontier = next_frontier;
        }
    }
}

fn path_enrols_app(person: &Person) -> bool {
    person.method == Some(Method::App) && person.app.is_none()
}

/// [O03] [O11] Who guesses does not learn that a code will be right in some minutes; who types two of
/// them in a row has a phone whose clock is fast, and is told so. The desk sees both.
#[test]
fn a_code_of_a_later_minute_is_told_apart_only_when_another_one_follows() {
    let world = World::new(Some(Method::App), true, Place::Public);
    let app = otp(Carrier::App);
    let answer = |state: &Login, ahead: u64| {
        let digits = app.code_at(NOW.at.0.cast_unsigned() / 30 + ahead);
        let typed = Typed::parse(&digits).unwrap();
        let (next, effects) = world.step(state.clone(), Event::CodeTyped(typed));
        let desk = effects.iter().any(|effect| {
            matches!(
                effect,
                Effect::Audit(Happened::CodeWrong {
                    clock_ahead_s: Some(_),
                    ..
                })
            )
        });
        assert!(desk, "{effects:?}");
        let Login::AwaitAppCode(code) = &next else {
            panic!("{next:?}")
        };
        (code.last, next)
    };
    let (told, state) = answer(&world.after_password(Assurance::Password), 8);
    assert_eq!(told, Some(WrongCode::Wrong));
    let (told, state) = answer(&state, 8);
    assert_eq!(told, Some(WrongCode::Wrong), "the same guess again");
    let (told, _) = answer(&state, 9);
    assert_eq!(told, Some(WrongCode::ClockAhead(270)));
}

/// [S04] A password session does not leave the building; a strong one may.
#[test]
fn what_a_session_is_worth_depends_on_where_it_is_shown() {
    let weak = Proof::password_only(PasswordProof::assertion(NOW.at));
    let strong = Proof::two_factors(
        PasswordProof::assertion(NOW.at),
        FactorProof::new(Method::Sms, NOW.at),
    );
    let (inside, outside) = (
        World::new(Some(Method::Sms), true, school()),
        World::new(Some(Method::Sms), true, Place::Public),
    );
    assert_eq!(
        enough(&weak, &school(), Assurance::Password, &inside.view()),
        Enough::Yes
    );
    assert_eq!(
        enough(&weak, &school(), Assurance::Password, &outside.view()),
        Enough::StepUp
    );
    assert_eq!(
        enough(&weak, &school(), Assurance::Strong, &inside.view()),
        Enough::StepUp
    );
    assert_eq!(
        enough(&weak, &Place::Public, Assurance::Password, &inside.view()),
        Enough::StepUp
    );
    assert_eq!(
        enough(&strong, &Place::Public, Assurance::Strong, &outside.view()),
        Enough::Yes
    );
    assert_eq!(
        enough(
            &strong,
            &Place::Public,
            Assurance::PhishingResistant,
            &outside.view()
        ),
        Enough::StepUp
    );
    let gone = World {
        person: Person {
            disabled: true,
            ..anna(Some(Method::Sms), true)
        },
        ..inside
    };
    assert_eq!(
        enough(&strong, &school(), Assurance::Password, &gone.view()),
        Enough::SignInAgain
    );
}

/// [C11] [N06] From inside, the proof says that it was only a password.
/// [Guide 3.1] "Cette étape n'aura pas lieu si vous vous connectez depuis le réseau de l'État du Valais ou celui d'un établissement scolaire cantonal."
#[test]
fn a_password_from_school_is_a_password() {
    let world = World::new(Some(Method::App), true, school());
    let Login::SignedIn(signed) = world.after_password(Assurance::Password) else {
        panic!()
    };
    assert_eq!(signed.proof.assurance(), Assurance::Password);
    assert_eq!(signed.proof.amr(), ["pwd"]);
}

/// Within one journey the weakest place counts: a page opened at home is not inside at school.
#[test]
fn the_weakest_place_of_a_journey_counts() {
    let world = World::new(Some(Method::Sms), true, school());
    let opened_at_home = Login::begin(Assurance::Password, &Place::Public, NOW.at);
    let (next, _) = world.step(opened_at_home, password_right());
    assert_eq!(next.name(), "AwaitSmsCode");
}

/// [O10] Five wrong codes end a journey, however they are mixed with resends.
/// [A19] The person is told that the password was right and the code was not.
#[test]
fn five_wrong_codes_end_the_journey_and_tell_the_person() {
    for method in [Method::Sms, Method::App, Method::Token] {
        let world = World::new(Some(method), true, Place::Public);
        let mut state = world.after_password(Assurance::Password);
        for n in 1..=5 {
            let (next, effects) =
                world.step(state, Event::CodeTyped(Typed::parse("999999").unwrap()));
            let told = effects.iter().any(|e| {
                matches!(
                    e,
                    Effect::Notify {
                        notice: Notice::SecondFactorFailed { .. },
                        ..
                    }
                )
            });
            assert_eq!(told, n == 5);
            state = world.step(next, Event::ResendAsked).0;
        }
        assert_eq!(state.name(), "Refused");
    }
}

/// [O08] A code's time is five minutes; a resend keeps the code and the tries, and has a cool-down.
#[test]
fn a_resend_keeps_the_code_and_the_count() {
    let world = World::new(Some(Method::Sms), true, Place::Public);
    let (state, _) = world.step(
        world.after_password(Assurance::Password),
        Event::CodeTyped(Typed::parse("999999").unwrap()),
    );
    let first = code(&state, &world.person);
    let at = |s: i64, n: u8| Moment {
        at: NOW.at.plus(s),
        dice: [n; 32],
    };
    let (same, effects) = step(state.clone(), Event::ResendAsked, &world.view(), &at(29, 1));
    assert!(effects.is_empty());
    let (sent, effects) = step(same, Event::ResendAsked, &world.view(), &at(30, 2));
    assert!(matches!(effects[0], Effect::SendSmsCode { .. }));
    assert_eq!(code(&sent, &world.person).digits(), first.digits());
    let Login::AwaitSmsCode(waiting) = &sent else {
        panic!()
    };
    assert_eq!((waiting.underway.tries_left, waiting.sends), (4, 2));
    let (late, _) = step(
        sent.clone(),
        Event::CodeTyped(first.clone()),
        &world.view(),
        &at(300, 3),
    );
    let Login::AwaitSmsCode(late) = late else {
        panic!()
    };
    assert_eq!(late.last, Some(WrongCode::Expired));
    let (redrawn, _) = step(
        Login::AwaitSmsCode(late),
        Event::ResendAsked,
        &world.view(),
        &at(301, 4),
    );
    assert_ne!(code(&redrawn, &world.person).digits(), first.digits());
    let (third, effects) = step(redrawn, Event::ResendAsked, &world.view(), &at(400, 5));
    assert!(
        effects.is_empty(),
        "three messages are all: {}",
        third.name()
    );
}

/// The deadline ends every state that waits, whatever comes.
#[test]
fn a_deadline_ends_every_state() {
    for (name, world, state) in states()
        .into_iter()
        .filter(|(.., state)| state.until().is_some())
    {
        let late = Moment {
            at: state.until().unwrap(),
            dice: [0; 32],
        };
        for (_, event) in events(&state, &world.person) {
            let (next, _) = step(state.clone(), event, &world.view(), &late);
            assert!(matches!(next, Login::Refused(Refusal::TooLate)), "{name}");
        }
    }
}

/// [S05] Somebody who is switched off in the middle does not get to the end.
#[test]
fn a_person_who_is_switched_off_ends_every_journey() {
    for (name, mut world, state) in states()
        .into_iter()
        .filter(|(.., state)| state.until().is_some())
    {
        world.person.disabled = true;
        for (event_name, event) in events(&state, &world.person) {
            let (next, effects) = world.step(state.clone(), event);
            assert!(
                !effects.iter().any(|e| matches!(e, Effect::SignIn { .. })),
                "{name} {event_name}"
            );
            assert!(
                matches!(next, Login::Refused(_) | Login::AwaitPassword(_)),
                "{name} {event_name}"
            );
        }
    }
}

/// [P02] No state and no event prints a secret.
#[test]
fn states_print_no_secret() {
    let mut printed = String::new();
    for (_, world, state) in states() {
        let _ = write!(printed, "{state:?} {:?}", world.person);
        for (_, event) in events(&state, &world.person) {
            let _ = write!(printed, "{event:?}");
            let (next, effects) = world.step(state.clone(), event);
            let _ = write!(printed, "{next:?} {effects:?}");
        }
        if matches!(state, Login::AwaitSmsCode(_)) {
            assert!(!printed.contains(code(&state, &world.person).digits()));
        }
    }
    assert!(
        !printed.contains("7, 7, 7") && !printed.contains("1234567"),
        "{printed}"
    );
}

/// [L02] Nobody enrols with a password alone: the first app is bound only after the SMS code, to the
/// number of the activation, and outside. [Guide 1.2]
#[test]
fn an_app_is_bound_only_behind_the_sms_and_outside() {
    let mut world = World::new(Some(Method::App), false, Place::Public);
    let sms = world.after_password(Assurance::Password);
    let typed = code(&sms, &world.person);
    let (enrolment, effects) = world.step(sms, Event::CodeTyped(typed));
    assert!(
        !effects
            .iter()
            .any(|e| matches!(e, Effect::EnrolApp { .. } | Effect::SignIn { .. }))
    );
    let typed = code(&enrolment, &world.person);
    world.place = school();
    let (moved, effects) = world.step(enrolment.clone(), Event::CodeTyped(typed.clone()));
    assert_eq!(moved.name(), "EnrolElsewhere");
    assert!(!effects.iter().any(|e| matches!(e, Effect::EnrolApp { .. })));
    world.place = Place::Public;
    let (done, effects) = world.step(enrolment, Event::CodeTyped(typed));
    assert!(matches!(effects[0], Effect::EnrolApp { .. }));
    assert_eq!(done.name(), "SignedIn");
}
