//! Promises about what is taken back at the desk, and what people change themselves.

use journey::{
    ActivationId, Happened, Method, Notice, PersonId, Phone, Place, Secret,
    effect::Activate,
    effect::Effect,
    login::{Login, SignedIn},
};

use super::world::{Cause, Kept, NOW, World, count, proof_of, sign_in, spend};
use crate::{
    Begun, Committed, Journey, JourneyState, Message, NewActivation, NewFamily, NewPerson,
    NewRecoverySet, PasswordChange, Rebinding, Redeemed, Redemption, Reset, TakeOver, key,
};

/// A reset that takes nothing back but what is begun.
fn reset(world: &World, person: PersonId) -> Reset {
    Reset {
        factor: None,
        id: world.id(),
        password: None,
        person,
        reason: "lost phone; came to the desk".into(),
        user: "desk".into(),
    }
}

/// One that unbinds what the person proves with, and keeps their method.
fn of_factor(world: &World, person: PersonId, method: Method) -> Reset {
    Reset {
        factor: Some(Rebinding {
            method: Some(method),
            phone: None,
        }),
        ..reset(world, person)
    }
}

fn code(world: &World, person: PersonId) -> NewActivation {
    NewActivation {
        id: ActivationId(world.id()),
        mac: world.hash(),
        message: Some(Message::NewPassword {
            code: Secret::new(b"ABCD-EFGH".to_vec()),
            until: NOW.plus(3600),
        }),
        person,
        until: NOW.plus(3600),
    }
}

/// One whose password leads to another one by this code.
fn of_password(world: &World, person: PersonId) -> Reset {
    Reset {
        password: Some(code(world, person)),
        ..reset(world, person)
    }
}

/// What somebody sets by the code of a reset.
fn again(reset: &Reset, chosen: Option<(Method, Option<Phone>)>) -> Result<Activate, Cause> {
    let code = reset.password.as_ref().ok_or("no password was reset")?;
    Ok(Activate {
        activation: code.id,
        chosen,
        password: Secret::new(b"$argon2id$anew".to_vec()),
        person: reset.person,
    })
}

/// A family of refresh tokens that outlives its session's limits.
async fn family(world: &World, person: PersonId) -> Result<[u8; 16], Cause> {
    let session = world.session(person).await?;
    let redemption = Redemption {
        application: "portal".into(),
        code: world.id(),
        refresh: Some(NewFamily {
            offline: true,
            until: NOW.plus(9_000),
        }),
        session: key::of_secret(session.id.expose()),
        until: NOW.plus(60),
    };
    let redeemed = world.store().redeem_code(&redemption, &world.by()).await?;
    assert!(matches!(redeemed, Redeemed::Yes));
    Ok(redemption.code)
}

/// What somebody is told, by what waits in the outbox.
async fn told(world: &World, person: PersonId) -> Result<Vec<Message>, Cause> {
    let due = world.store().claim_messages(NOW, 1000).await?;
    let theirs = due.into_iter().filter(|one| one.person.id == person);
    Ok(theirs.map(|one| one.message).collect())
}

/// [L05] [L09] Sessions, refresh tokens, journeys, links, devices and what was bound are gone with the reset's
/// answer, on the other node as well.
pub(super) async fn a_reset_ends_all_that_was_begun(world: &World) -> Kept {
    let (person, app) = world.holder_of_app().await?;
    let (family, device, link) = (family(world, person).await?, world.hash(), world.hash());
    world.session(person).await?;
    world.lets_in_on(person, device).await?;
    let journey = world.signing_in(person)?;
    let _ = world.open(&journey, &[]).await?;
    let store = world.store();
    store.offer_resume(journey.id, &link, NOW.plus(100)).await?;
    let waits = store.begun(person, NOW).await?;
    assert_eq!(
        (waits.sessions, waits.refresh_tokens, waits.resume_links),
        (2, 1, 1)
    );

    let by = world.by();
    let ended = store
        .reset(&of_factor(world, person, Method::App), &by)
        .await?;
    assert_eq!(ended, Some(waits));
    let elsewhere = world.other();
    assert_eq!(elsewhere.begun(person, NOW).await?, Begun::default());
    assert!(elsewhere.sessions(person, NOW).await?.is_empty());
    assert!(elsewhere.refresh_due(&family, NOW).await?.is_none());
    assert!(elsewhere.journey(journey.id).await?.is_none());
    assert!(!elsewhere.knows_device(person, &device).await?);
    let taken = elsewhere
        .take_over_journey(&link, &world.hash(), NOW)
        .await?;
    assert!(matches!(taken, TakeOver::Unknown));
    let late = world.signing_in(person)?;
    let spent = world.open(&late, &[spend(app, 101)]).await?;
    assert_eq!(spent, Committed::Overtaken);
    let codes = NewRecoverySet {
        era: 0,
        id: world.id(),
        instead_of: None,
        macs: std::array::from_fn(|_| world.hash()),
        person,
    };
    assert!(!elsewhere.make_recovery_set(&codes, &world.by()).await?);

    let account = world.account(person).await?;
    assert_eq!(account.person.method, Some(Method::App));
    assert!(account.person.app.is_none() && !account.person.enrolled());
    assert!(account.person.phone.is_some() && account.password.is_some());
    let entries = store.audit_by_support(&by.support).await?;
    let reasons = entries
        .iter()
        .filter_map(|entry| match serde_json::from_str(&entry.happened) {
            Ok(Happened::PersonReset { reason, .. }) => Some(reason),
            _ => None,
        });
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        ["lost phone; came to the desk"]
    );
    let told = told(world, person).await?;
    assert!(
        told.iter()
            .any(|one| matches!(one, Message::Notice(Notice::FactorReset { .. })))
    );
    Ok(())
}

/// [L06] Behind a reset password stands the same second factor: the code of a message sets a password and
/// nothing else, even if somebody asks for more with it.
pub(super) async fn a_password_that_was_reset_is_set_anew_and_nothing_else(world: &World) -> Kept {
    let (person, app) = world.holder_of_app().await?;
    let before = world.account(person).await?.person;
    let reset = of_password(world, person);
    let done = world.store().reset(&reset, &world.by()).await?;
    assert!(done.is_some());
    assert!(world.account(person).await?.password.is_none());

    let other = Some((Method::Sms, Some(world.phone()?)));
    for (chosen, expected) in [
        (other, Committed::ActivationSpent),
        (None, Committed::Yes(None)),
        (None, Committed::ActivationSpent),
    ] {
        let activate = again(&reset, chosen)?;
        let journey = world.activating(&activate);
        let set = world
            .open(&journey, &[Effect::Activate(Box::new(activate))])
            .await?;
        assert_eq!(set, expected);
    }
    let account = world.account(person).await?;
    assert!(
        account
            .password
            .is_some_and(|hash| hash.matches(b"$argon2id$anew"))
    );
    assert_eq!(account.person.phone, before.phone);
    assert_eq!(account.person.method, Some(Method::App));
    assert_eq!(account.person.app.map(|app| app.id), Some(app));
    assert_eq!(world.store().password_history(person, 10).await?.len(), 2);
    Ok(())
}

/// The desk may have somebody choose a method and give a number again, with the password.
pub(super) async fn whoever_is_to_choose_again_chooses_all(world: &World) -> Kept {
    let (person, _) = world.holder_of_app().await?;
    let reset = Reset {
        factor: Some(Rebinding {
            method: None,
            phone: None,
        }),
        ..of_password(world, person)
    };
    let done = world.store().reset(&reset, &world.by()).await?;
    assert!(done.is_some());
    let account = world.account(person).await?.person;
    assert!(account.method.is_none() && account.phone.is_none() && account.app.is_none());
    let phone = world.phone()?;
    for (chosen, expected) in [
        (None, Committed::ActivationSpent),
        (
            Some((Method::Sms, Some(phone.clone()))),
            Committed::Yes(None),
        ),
    ] {
        let activate = again(&reset, chosen)?;
        let journey = world.activating(&activate);
        let set = world
            .open(&journey, &[Effect::Activate(Box::new(activate))])
            .await?;
        assert_eq!(set, expected);
    }
    assert_eq!(world.account(person).await?.person.phone, Some(phone));
    Ok(())
}

/// [L06] The file of a former system is imported once more: its hash, number and method stay where they are.
pub(super) async fn a_register_brings_nothing_back_that_was_reset(world: &World) -> Kept {
    let new = NewPerson {
        method: Some(Method::Sms),
        password: Some(Secret::new(b"{SSHA}former".to_vec())),
        phone: Some(world.phone()?),
        ..world.stranger()
    };
    world.import_people(std::slice::from_ref(&new)).await?;
    let reset = of_password(world, new.id);
    let done = world.store().reset(&reset, &world.by()).await?;
    assert!(done.is_some());
    let register = NewPerson {
        phone: Some(world.phone()?),
        ..new.clone()
    };
    let imported = world.import_people(&[register]).await?;
    assert_eq!(imported.unchanged, 1);
    let account = world.account(new.id).await?;
    assert!(account.password.is_none());
    assert_eq!(account.person.phone, new.phone);
    Ok(())
}

/// [L05] A password that was right before, however late it comes; and what is proven since counts.
pub(super) async fn nothing_proven_before_a_reset_opens_anything_after_it(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let half = world.signing_in(person)?;
    let _ = world.open(&half, &[]).await?;
    let done = world
        .store()
        .reset(&of_factor(world, person, Method::Sms), &world.by())
        .await?;
    assert!(done.is_some());
    let late = world.commit(&half, &[sign_in(person)?]).await?;
    assert_eq!(late, Committed::Overtaken);
    let waits = world.open(&world.signing_in(person)?, &[]).await?;
    assert_eq!(waits, Committed::Overtaken);
    let over = world.signed_in(person)?;
    let over = world.open(&over, &[sign_in(person)?]).await?;
    assert_eq!(over, Committed::Overtaken);
    assert!(world.store().sessions(person, NOW).await?.is_empty());

    let era = world.account(person).await?.era;
    let (journey, effects) = in_era(world, person, era)?;
    let since = world.open(&journey, &effects).await?;
    assert!(matches!(since, Committed::Yes(Some(_))));
    Ok(())
}

/// A sign-in that is over with its first step, of this era.
fn in_era(world: &World, person: PersonId, era: u32) -> Result<(Journey, [Effect; 1]), Cause> {
    let proof = proof_of(era)?;
    let signed = SignedIn {
        person,
        proof: proof.clone(),
    };
    let effect = Effect::SignIn {
        person,
        place: Place::Public,
        proof,
    };
    let journey = world.journey(JourneyState::Login(Login::SignedIn(signed)));
    Ok((journey, [effect]))
}

/// [L05] [L09] Passwords and codes that are right at the very moment of a reset, on two nodes: when all have
/// their answers, nobody is in and nothing waits.
pub(super) async fn of_sign_ins_that_race_a_reset_none_is_left(world: &World) -> Kept {
    for _ in 0..6 {
        let person = world.person(Method::Sms).await?;
        let mut steps = vec![];
        for number in 0..12 {
            let step = match number % 3 {
                0 => (world.signed_in(person)?, true, vec![sign_in(person)?]),
                1 => (world.signing_in(person)?, true, vec![]),
                _ => {
                    let journey = world.signing_in(person)?;
                    let _ = world.open(&journey, &[]).await?;
                    (journey, false, vec![sign_in(person)?])
                }
            };
            steps.push(step);
        }
        let reset = of_factor(world, person, Method::Sms);
        world
            .race(13, |store, number| {
                let (step, reset) = (steps.get(number).cloned(), reset.clone());
                let by = world.by();
                async move {
                    match step {
                        None => store.reset(&reset, &by).await.map(drop),
                        Some((journey, true, effects)) => {
                            store.open_journey(&journey, &effects, &by).await.map(drop)
                        }
                        Some((journey, false, effects)) => store
                            .commit_journey(&journey, &effects, &by)
                            .await
                            .map(drop),
                    }
                }
            })
            .await?;
        assert_eq!(world.store().begun(person, NOW).await?, Begun::default());
        assert_eq!(world.account(person).await?.era, 1);
    }
    Ok(())
}

pub(super) async fn who_was_never_activated_or_is_switched_off_is_not_reset(world: &World) -> Kept {
    let newcomer = world.newcomer().await?;
    let off = world.person(Method::Sms).await?;
    world.store().disable(off, true, &world.by()).await?;
    for person in [newcomer, off, PersonId(world.id())] {
        let done = world
            .store()
            .reset(&of_password(world, person), &world.by())
            .await?;
        assert_eq!(done, None);
    }
    assert!(world.store().activations(newcomer).await?.is_empty());
    assert!(world.account(off).await?.password.is_some());
    Ok(())
}

pub(super) async fn a_token_that_is_reset_is_free(world: &World) -> Kept {
    let token = world.token();
    world.import_tokens(std::slice::from_ref(&token)).await?;
    let new = NewPerson {
        method: Some(Method::Token),
        password: Some(Secret::new(b"{SSHA}former".to_vec())),
        token_serial: Some(token.serial.clone()),
        ..world.stranger()
    };
    world.import_people(std::slice::from_ref(&new)).await?;
    let done = world
        .store()
        .reset(&of_factor(world, new.id, Method::Token), &world.by())
        .await?;
    assert!(done.is_some());
    assert!(world.account(new.id).await?.person.token.is_none());
    let free = world.store().token(&token.serial).await?;
    assert!(free.is_some_and(|token| token.assigned_to.is_none()));
    Ok(())
}

/// [L04] The desk gives another number: the former one hears of it, and the new one is confirmed anew.
pub(super) async fn a_former_number_is_told_of_the_new_one(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let former = world.account(person).await?.person.phone;
    let phone = world.phone()?;
    let reset = Reset {
        factor: Some(Rebinding {
            method: Some(Method::Sms),
            phone: Some(phone.clone()),
        }),
        ..reset(world, person)
    };
    let done = world.store().reset(&reset, &world.by()).await?;
    assert!(done.is_some());
    let account = world.account(person).await?.person;
    assert_eq!(account.phone, Some(phone.clone()));
    assert!(!account.phone_confirmed);
    let told = told(world, person).await?;
    assert!(
        told.iter().any(
            |one| matches!(one, Message::NumberReplaced { to } if Some(to) == former.as_ref())
        )
    );
    assert!(told.iter().any(|one| matches!(
        one,
        Message::Notice(Notice::NumberReplaced { masked, .. }) if *masked == phone.masked()
    )));
    Ok(())
}

/// A change of somebody's password in a session of theirs.
fn change(world: &World, person: PersonId, session: [u8; 32]) -> Result<PasswordChange, Cause> {
    Ok(PasswordChange {
        devices: vec![],
        id: world.id(),
        password: Secret::new(format!("$argon2id${}", world.number()).into_bytes()),
        person,
        place: Place::Public,
        proof: proof_of(1)?,
        session,
    })
}

/// [L05] The other sessions, all refresh tokens and journeys end; the session at hand goes on under another
/// name, and is the last that knows the device.
pub(super) async fn whoever_changes_their_password_stays_where_they_are(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let family = family(world, person).await?;
    let (known, other) = (world.hash(), world.hash());
    world.lets_in_on(person, known).await?;
    world.lets_in_on(person, other).await?;
    let here = world.session(person).await?;
    let here = key::of_secret(here.id.expose());
    let half = world.signing_in(person)?;
    let _ = world.open(&half, &[]).await?;
    let change = PasswordChange {
        devices: vec![known],
        ..change(world, person, here)?
    };
    let session = world.store().change_password(&change, &world.by()).await?;
    let session = session.ok_or("the password was not changed")?;
    let sessions = world.other().sessions(person, NOW).await?;
    let keys: Vec<_> = sessions.iter().map(|session| session.key).collect();
    assert_eq!(keys, [key::of_secret(session.id.expose())]);
    assert!(world.other().refresh_due(&family, NOW).await?.is_none());
    assert!(world.other().journey(half.id).await?.is_none());
    assert!(world.store().knows_device(person, &known).await?);
    assert!(!world.store().knows_device(person, &other).await?);
    let hash = world.account(person).await?.password.ok_or("no password")?;
    assert!(hash.matches(change.password.expose()));
    assert_eq!(world.store().password_history(person, 10).await?.len(), 2);
    let told = told(world, person).await?;
    assert!(
        told.iter()
            .any(|one| matches!(one, Message::Notice(Notice::PasswordChanged { .. })))
    );
    Ok(())
}

/// Two tabs, or somebody else with the same password: one change counts, and a session that is over none.
pub(super) async fn of_many_changes_of_a_password_one_counts(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let here = key::of_secret(world.session(person).await?.id.expose());
    let stranger = change(world, person, world.hash())?;
    let refused = world
        .store()
        .change_password(&stranger, &world.by())
        .await?;
    assert!(refused.is_none());
    let mut changes = vec![];
    for _ in 0..8 {
        changes.push(change(world, person, here)?);
    }
    let outcomes = world
        .race(8, |store, number| {
            let (change, by) = (changes.get(number).cloned(), world.by());
            async move {
                match change {
                    Some(change) => store.change_password(&change, &by).await,
                    None => Ok(None),
                }
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &None), 7);
    assert_eq!(world.store().sessions(person, NOW).await?.len(), 1);
    assert_eq!(world.account(person).await?.era, 1);
    Ok(())
}
