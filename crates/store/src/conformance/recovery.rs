//! Promises about recovery codes.

use journey::{Happened, Method, Notice, PersonId, Place, SavedCode, effect::Effect};

use super::world::{Cause, Kept, NOW, World, count, sign_in};
use crate::{
    AssignToken, Committed, EndSessions, Message, NewRecoverySet, NewSession, RecoverySet, key,
};

fn new_set(world: &World, person: PersonId, instead_of: Option<[u8; 16]>) -> NewRecoverySet {
    NewRecoverySet {
        era: 0,
        id: world.id(),
        instead_of,
        macs: std::array::from_fn(|_| world.hash()),
        person,
    }
}

/// Somebody with recovery codes.
async fn keeper(world: &World) -> Result<(PersonId, NewRecoverySet), Cause> {
    let person = world.person(Method::Sms).await?;
    let new = new_set(world, person, None);
    assert!(world.store().make_recovery_set(&new, &world.by()).await?);
    Ok((person, new))
}

async fn set_of(world: &World, person: PersonId) -> Result<RecoverySet, Cause> {
    let set = world.store().recovery_set(person).await?;
    set.ok_or_else(|| "there are no codes".into())
}

fn spend(person: PersonId, of: &NewRecoverySet, place: u8) -> Effect {
    let code = SavedCode { place, set: of.id };
    Effect::SpendRecoveryCode { code, person }
}

/// A sign-in of its own that uses a code up.
async fn uses(
    world: &World,
    person: PersonId,
    (of, place): (&NewRecoverySet, u8),
) -> Result<Committed, Cause> {
    let journey = world.signing_in(person)?;
    Ok(world.open(&journey, &[spend(person, of, place)]).await?)
}

/// [O15] [L04] A set is read back as it was made, each of its codes is used up alone and once, and the
/// person is told that there is one.
pub(super) async fn each_recovery_code_is_used_once(world: &World) -> Kept {
    let (person, new) = keeper(world).await?;
    let set = set_of(world, person).await?;
    assert_eq!((set.id, set.made, set.left()), (new.id, NOW, 8));
    assert_eq!(set.macs, new.macs);
    for place in [7, 0, 3] {
        let first = uses(world, person, (&new, place)).await?;
        assert_eq!(first, Committed::Yes(None));
        let again = uses(world, person, (&new, place)).await?;
        assert_eq!(again, Committed::CounterSpent);
    }
    let set = set_of(world, person).await?;
    let used: Vec<_> = (0..8_u8).map(|place| [7, 0, 3].contains(&place)).collect();
    assert_eq!((set.left(), set.used), (5, used));
    let messages = world.store().claim_messages(NOW, 1000).await?;
    let told = messages.iter().any(|message| {
        message.person.id == person
            && matches!(
                message.message,
                Message::Notice(Notice::RecoveryCodesMade { .. })
            )
    });
    assert!(told);
    Ok(())
}

/// [O15] Of many sign-ins at once with one code, on two nodes, one gets in.
pub(super) async fn of_many_sign_ins_at_once_one_uses_a_recovery_code(world: &World) -> Kept {
    let (person, new) = keeper(world).await?;
    let mut journeys = vec![];
    for _ in 0..32 {
        let journey = world.signing_in(person)?;
        assert_eq!(world.open(&journey, &[]).await?, Committed::Yes(None));
        journeys.push(journey);
    }
    let effects = [spend(person, &new, 5), sign_in(person)?];
    let outcomes = world
        .race(32, |store, number| {
            let (journey, effects) = (journeys.get(number).cloned(), effects.clone());
            let by = world.by();
            async move {
                match journey {
                    Some(journey) => store.commit_journey(&journey, &effects, &by).await,
                    None => Ok(Committed::Overtaken),
                }
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &Committed::CounterSpent), 31);
    let sessions = world.store().sessions(person, NOW).await?;
    assert_eq!(sessions.len(), 1);
    assert_eq!(set_of(world, person).await?.left(), 7);
    Ok(())
}

/// [O15] Of many codes at once within one sign-in, on two nodes, one is used up.
pub(super) async fn one_sign_in_uses_one_recovery_code(world: &World) -> Kept {
    let (person, new) = keeper(world).await?;
    let journey = world.signing_in(person)?;
    assert_eq!(world.open(&journey, &[]).await?, Committed::Yes(None));
    let outcomes = world
        .race(8, |store, number| {
            let (journey, by) = (journey.clone(), world.by());
            let place = u8::try_from(number).unwrap_or(u8::MAX);
            let effects = [spend(person, &new, place)];
            async move { store.commit_journey(&journey, &effects, &by).await }
        })
        .await?;
    assert_eq!(count(&outcomes, &Committed::Yes(None)), 1);
    assert_eq!(count(&outcomes, &Committed::Overtaken), 7);
    assert_eq!(set_of(world, person).await?.left(), 7);
    Ok(())
}

/// [O15] New codes void the old ones. Of many that are made at once, on two nodes, one set counts, and
/// nobody else is shown one.
pub(super) async fn of_many_recovery_sets_at_once_one_is_made(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let mut before = None;
    for _ in 0..2 {
        let sets: Vec<_> = (0..16)
            .map(|_| {
                new_set(
                    world,
                    person,
                    before.as_ref().map(|set: &RecoverySet| set.id),
                )
            })
            .collect();
        let outcomes = world
            .race(16, |store, number| {
                let (new, by) = (sets.get(number).cloned(), world.by());
                async move {
                    match new {
                        Some(new) => store.make_recovery_set(&new, &by).await,
                        None => Ok(false),
                    }
                }
            })
            .await?;
        assert_eq!(count(&outcomes, &true), 1);
        let won = sets.iter().zip(&outcomes).find(|(_, made)| **made);
        let (won, _) = won.ok_or("nobody won")?;
        let set = set_of(world, person).await?;
        assert_eq!((set.id, set.left()), (won.id, 8));
        assert_eq!(set.macs, won.macs);
        for lost in sets.iter().filter(|set| set.id != won.id) {
            let used = uses(world, person, (lost, 0)).await?;
            assert_eq!(used, Committed::CounterSpent);
        }
        if let Some(old) = before {
            let code = SavedCode {
                place: 1,
                set: old.id,
            };
            let effect = Effect::SpendRecoveryCode { code, person };
            let journey = world.signing_in(person)?;
            let used = world.open(&journey, &[effect]).await?;
            assert_eq!(used, Committed::CounterSpent);
        }
        before = Some(set);
    }
    Ok(())
}

/// [O15] A code is its owner's, and is worth nothing once they were switched off, for ever.
pub(super) async fn a_recovery_code_is_void_with_its_owner(world: &World) -> Kept {
    let (person, new) = keeper(world).await?;
    let another = world.person(Method::Sms).await?;
    let stolen = uses(world, another, (&new, 0)).await?;
    assert_eq!(stolen, Committed::CounterSpent);
    let beyond = uses(world, person, (&new, 8)).await;
    assert!(beyond.is_err(), "there is no ninth: {beyond:?}");
    world.store().disable(person, true, &world.by()).await?;
    let refused = new_set(world, person, None);
    assert!(
        !world
            .store()
            .make_recovery_set(&refused, &world.by())
            .await?
    );
    world.store().disable(person, false, &world.by()).await?;
    assert!(
        !world
            .store()
            .make_recovery_set(&refused, &world.by())
            .await?,
        "codes that were being made before"
    );
    assert_eq!(world.store().recovery_set(person).await?, None);
    // What was proven before is of an era that is over: the code is not even looked at.
    let late = uses(world, person, (&new, 0)).await?;
    assert_eq!(late, Committed::Overtaken);
    Ok(())
}

/// [L05] A new app takes the place of what is lost, at once: the former one proves nothing, and all that was
/// begun with it is over, but for the sign-in that asked.
pub(super) async fn what_is_lost_is_replaced_at_once(world: &World) -> Kept {
    let (person, lost) = world.holder_of_app().await?;
    world.session(person).await?;
    let other = world.signing_in(person)?;
    assert_eq!(world.open(&other, &[]).await?, Committed::Yes(None));
    let journey = world.signing_in(person)?;
    assert_eq!(world.open(&journey, &[]).await?, Committed::Yes(None));
    let app = world.app();
    let replace = Effect::ReplaceWithApp {
        otp: Box::new(app.clone()),
        person,
        place: Place::Public,
        session: None,
    };
    let replaced = world.commit(&journey, &[replace]).await?;
    assert_eq!(replaced, Committed::Yes(None));
    let now = world.account(person).await?.person;
    assert_eq!(now.method, Some(Method::App));
    assert_eq!(now.app.map(|bound| bound.id), Some(app.id));
    assert!(world.store().sessions(person, NOW).await?.is_empty());
    assert!(world.store().journey(other.id).await?.is_none());
    let signed_in = world.signed_in(person)?;
    let old = [super::world::spend(lost, 101), sign_in(person)?];
    let spent = world.open(&signed_in, &old).await?;
    assert!(
        matches!(spent, Committed::CounterSpent | Committed::Overtaken),
        "{spent:?}"
    );
    Ok(())
}

/// [L09] A new app that was asked for in a session is bound while that session lives, and not by a journey
/// that outlives it, nor with the session of somebody else.
pub(super) async fn a_new_app_ends_with_the_session_that_asked(world: &World) -> Kept {
    let (person, before) = world.holder_of_app().await?;
    let other = world.person(Method::Sms).await?;
    let key = |session: NewSession| key::of_secret(session.id.expose());
    let own = key(world.session(person).await?);
    let over = key(world.session(person).await?);
    let anothers = key(world.session(other).await?);
    let end = EndSessions::One(over);
    world.store().end_sessions(&end, &world.by()).await?;
    let journey = world.signing_in(person)?;
    assert_eq!(world.open(&journey, &[]).await?, Committed::Yes(None));
    let app = world.app();
    let replace = |session| Effect::ReplaceWithApp {
        otp: Box::new(app.clone()),
        person,
        place: Place::Public,
        session: Some(session),
    };
    for wrong in [over, anothers, world.hash()] {
        let refused = world.commit(&journey, &[replace(wrong)]).await?;
        assert_eq!(refused, Committed::SessionOver);
        let bound = world.account(person).await?.person.app;
        assert_eq!(bound.map(|app| app.id), Some(before));
    }
    let replaced = world.commit(&journey, &[replace(own)]).await?;
    assert_eq!(replaced, Committed::Yes(None));
    Ok(())
}

/// [L05] Whoever is given another token in place of theirs begins anew: neither the sheet of paper nor the
/// devices that went with it count any more.
pub(super) async fn another_token_voids_the_recovery_codes(world: &World) -> Kept {
    let person = world.person(Method::Token).await?;
    let tokens = [world.token(), world.token()];
    world.import_tokens(&tokens).await?;
    let assign = |serial: &str| AssignToken {
        counter: None,
        person,
        serial: serial.to_owned(),
    };
    let (by, store) = (world.by(), world.store());
    assert!(store.assign_token(&assign(&tokens[0].serial), &by).await?);
    let device = world.hash();
    world.lets_in_on(person, device).await?;
    let codes = new_set(world, person, None);
    assert!(store.make_recovery_set(&codes, &by).await?);
    assert!(store.assign_token(&assign(&tokens[0].serial), &by).await?);
    assert!(
        store.recovery_set(person).await?.is_some(),
        "it is the same"
    );
    assert!(store.assign_token(&assign(&tokens[1].serial), &by).await?);
    assert_eq!(store.recovery_set(person).await?, None);
    assert!(!store.knows_device(person, &device).await?);
    assert!(!store.make_recovery_set(&codes, &by).await?);
    Ok(())
}

/// [L10] Who made, used and failed to use codes is in the audit, and no code is.
pub(super) async fn the_audit_tells_of_recovery_codes(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let (new, by) = (new_set(world, person, None), world.by());
    assert!(world.store().make_recovery_set(&new, &by).await?);
    let entries = world.store().audit_by_support(&by.support).await?;
    let [entry] = entries.as_slice() else {
        return Err(format!("{entries:?}").into());
    };
    let happened: Happened = serde_json::from_str(&entry.happened)?;
    assert_eq!(happened, Happened::RecoveryCodesMade { count: 8 });
    assert_eq!(entry.person, Some(person));
    Ok(())
}
