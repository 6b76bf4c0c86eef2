//! Promises about hardware tokens.

use journey::{Method, Secret, effect::Effect};

use super::world::{Cause, Kept, World, count};
use crate::{AssignToken, Committed, Conflict, ImportError, NewToken, TokenRecord};

async fn imported(world: &World) -> Result<NewToken, Cause> {
    let token = world.token();
    let import = world.import_tokens(std::slice::from_ref(&token));
    assert_eq!(import.await?, 1);
    Ok(token)
}

async fn record(world: &World, serial: &str) -> Result<TokenRecord, Cause> {
    let record = world.store().token(serial).await?;
    record.ok_or_else(|| "the token is gone".into())
}

pub(super) async fn tokens_come_in_all_or_none(world: &World) -> Kept {
    let known = imported(world).await?;
    let mut forged = known.clone();
    forged.otp.secret = Secret::new(vec![9; 20]);
    let (fresh, twice) = (world.token(), world.token());
    let import = [fresh.clone(), forged, twice.clone(), twice.clone()];
    let conflicts = match world.import_tokens(&import).await {
        Err(ImportError::Conflicts(conflicts)) => conflicts,
        other => return Err(format!("no conflict: {other:?}").into()),
    };
    let expected = [
        (1, Conflict::TokenTaken(known.serial.clone())),
        (3, Conflict::Twice(twice.serial.clone())),
    ];
    assert_eq!(conflicts, expected);
    for serial in [&fresh.serial, &twice.serial] {
        assert!(world.store().token(serial).await?.is_none());
    }
    let record = record(world, &known.serial).await?;
    assert!(record.otp.secret.matches(known.otp.secret.expose()));
    assert_eq!(
        (record.assigned_to, record.otp.kind),
        (None, known.otp.kind)
    );
    Ok(())
}

/// [O05] A file that is imported again brings no counter back.
pub(super) async fn a_second_import_resets_no_counter(world: &World) -> Kept {
    let token = imported(world).await?;
    assert!(
        world
            .store()
            .resync_token(&token.serial, 50, 2, &world.by())
            .await?
    );
    let again = world.import_tokens(std::slice::from_ref(&token));
    assert_eq!(again.await?, 0);
    let record = record(world, &token.serial).await?;
    assert_eq!((record.otp.last_counter, record.otp.drift), (Some(50), 2));
    Ok(())
}

pub(super) async fn of_many_people_one_gets_a_token(world: &World) -> Kept {
    let token = imported(world).await?;
    let mut people = vec![];
    for _ in 0..8 {
        people.push(world.person(Method::Token).await?);
    }
    let outcomes = world
        .race(people.len(), |store, number| {
            let (person, by) = (people.get(number).copied(), world.by());
            let serial = token.serial.clone();
            async move {
                let Some(person) = person else {
                    return Ok(false);
                };
                let counter = Some((7, 0));
                let assign = AssignToken {
                    counter,
                    person,
                    serial,
                };
                store.assign_token(&assign, &by).await
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &true), 1);
    let holder = record(world, &token.serial).await?.assigned_to;
    let winner = people.iter().zip(outcomes).find(|(_, won)| *won);
    assert_eq!(holder, winner.map(|(person, _)| *person));
    let holder = world.account(holder.ok_or("nobody has it")?).await?.person;
    assert_eq!(holder.token.and_then(|otp| otp.last_counter), Some(7));
    assert_eq!(holder.token_serial, Some(token.serial));
    Ok(())
}

pub(super) async fn a_token_that_is_somebody_s_activates_nobody_else(world: &World) -> Kept {
    let token = imported(world).await?;
    let owner = world.newcomer().await?;
    let assign = AssignToken {
        counter: Some((10, 0)),
        person: owner,
        serial: token.serial.clone(),
    };
    assert!(world.store().assign_token(&assign, &world.by()).await?);
    assert!(
        !world.store().assign_token(&assign, &world.by()).await?,
        "the counter is spent"
    );

    let other = world.newcomer().await?;
    for (person, serial, expected) in [
        (other, token.serial.as_str(), Committed::TokenTaken),
        (other, "NOSUCH", Committed::TokenTaken),
        (owner, token.serial.as_str(), Committed::CounterSpent),
    ] {
        let activate = world.activate(person, Method::Token).await?;
        let journey = world.activating(&activate);
        let take = Effect::AssignToken {
            counter: 10,
            drift: 0,
            person,
            serial: serial.into(),
        };
        let effects = [Effect::Activate(Box::new(activate)), take];
        let committed = world.open(&journey, &effects).await?;
        assert_eq!(committed, expected);
    }
    assert!(world.account(other).await?.password.is_none());
    assert_eq!(record(world, &token.serial).await?.assigned_to, Some(owner));
    Ok(())
}

/// [O05] A counter strictly rises, in a resynchronisation too.
pub(super) async fn a_token_s_counter_moves_forward_only(world: &World) -> Kept {
    let token = imported(world).await?;
    let by = world.by();
    let resync = async |counter| {
        world
            .store()
            .resync_token(&token.serial, counter, 0, &by)
            .await
    };
    assert!(resync(20).await?);
    assert!(!resync(20).await?);
    assert!(!resync(5).await?);
    assert!(resync(21).await?);
    assert!(!world.store().resync_token("NOSUCH", 1, 0, &by).await?);
    assert_eq!(world.store().audit_by_support(&by.support).await?.len(), 2);
    Ok(())
}
