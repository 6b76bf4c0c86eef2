//! Promises about sessions and one-time things.

use journey::{Method, Timestamp};

use super::world::{Kept, NOW, World, count, sign_in};
use crate::{Committed, EndSessions, OneTime, Redeemed, Redemption, key};

fn redemption(world: &World, session: [u8; 32]) -> Redemption {
    Redemption {
        application: "portal".into(),
        code: world.id(),
        refresh: None,
        session,
        until: NOW.plus(300),
    }
}

/// [S01] A session's id has 224 random bits, is another one each time, and only its hash is remembered.
pub(super) async fn a_session_s_id_is_new_long_and_not_remembered(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let (one, other) = (world.session(person).await?, world.session(person).await?);
    assert_eq!(one.id.expose().len(), 32);
    assert!(!one.id.matches(other.id.expose()));
    let hash = key::of_secret(one.id.expose());
    let found = world
        .store()
        .session(&hash, NOW)
        .await?
        .ok_or("no session")?;
    assert_eq!(
        (found.person, found.created, found.seen),
        (person, NOW, NOW)
    );
    assert_eq!(found.key, hash);
    assert_eq!(found.proof.at(), NOW);
    let known = world.store().sessions(person, NOW).await?;
    assert_eq!(known.len(), 2);
    assert!(world.store().session(&world.hash(), NOW).await?.is_none());
    Ok(())
}

/// [S05] Who is switched off between two steps is not signed in by the second.
pub(super) async fn nobody_who_is_switched_off_is_signed_in(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let under_way = world.signing_in(person)?;
    let _ = world.open(&under_way, &[]).await?;
    world.store().disable(person, true, &world.by()).await?;
    let effects = [sign_in(person)?];
    let step = world.commit(&under_way, &effects).await?;
    let first_step = world.signing_in(person)?;
    let opened = world.open(&first_step, &effects).await?;
    assert_eq!((step, opened), (Committed::Overtaken, Committed::Overtaken));
    assert!(world.store().sessions(person, NOW).await?.is_empty());
    Ok(())
}

/// [S05] An ended session is gone in the same moment, and so is what an application got from it.
pub(super) async fn sessions_end_at_once_and_take_along_what_was_redeemed(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let mut sessions = vec![];
    for _ in 0..4 {
        let session = key::of_secret(world.session(person).await?.id.expose());
        let redemption = redemption(world, session);
        let _ = world.store().redeem_code(&redemption, &world.by()).await?;
        sessions.push((session, redemption.code));
    }
    let [one, kept, ..] = sessions.as_slice() else {
        return Err("no sessions".into());
    };
    let store = world.store();
    let end = async |which| store.end_sessions(&which, &world.by()).await;
    assert_eq!(end(EndSessions::One(one.0)).await?, 1);
    assert_eq!(end(EndSessions::One(one.0)).await?, 0);
    assert!(store.session(&one.0, NOW).await?.is_none());
    assert_eq!(world.redeemed(&one.1, &one.0).await?, None);
    assert_eq!(end(EndSessions::Others(person, kept.0)).await?, 2);
    assert!(store.session(&kept.0, NOW).await?.is_some());
    assert_eq!(world.redeemed(&kept.1, &kept.0).await?, Some(person));
    // Nobody redeemed this one.
    assert_eq!(world.redeemed(&world.id(), &kept.0).await?, None);
    assert_eq!(end(EndSessions::All(person)).await?, 1);
    assert_eq!(world.redeemed(&kept.1, &kept.0).await?, None);
    Ok(())
}

pub(super) async fn the_last_use_of_a_session_is_known_to_the_minute(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let hash = key::of_secret(world.session(person).await?.id.expose());
    let seen_after = async |at: Timestamp| {
        world.store().session(&hash, at).await?;
        // Whatever is written after it says that it is written too.
        world.store().refund_try(&crate::LaneKey::SmsAll).await?;
        let session = world.store().session(&hash, at).await?;
        Ok::<_, crate::StoreError>(session.map(|session| session.seen))
    };
    assert_eq!(seen_after(NOW.plus(59)).await?, Some(NOW));
    assert_eq!(seen_after(NOW.plus(60)).await?, Some(NOW.plus(60)));
    assert_eq!(seen_after(NOW.plus(61)).await?, Some(NOW.plus(60)));
    assert_eq!(seen_after(NOW).await?, Some(NOW.plus(60)));
    Ok(())
}

/// [P04] An assertion is used once.
pub(super) async fn of_many_uses_of_a_one_time_thing_one_succeeds(world: &World) -> Kept {
    let key = world.hash();
    let outcomes = world
        .race(32, |store, _| async move {
            let until = NOW.plus(60);
            store.consume(OneTime::ClientAssertion, &key, until).await
        })
        .await?;
    assert_eq!(count(&outcomes, &true), 1);
    Ok(())
}

/// [C02] An authorization code is redeemed once; whoever comes second takes back what the first one
/// got.
pub(super) async fn of_many_redemptions_of_a_code_one_succeeds_and_none_keeps_what_it_gave(
    world: &World,
) -> Kept {
    let person = world.person(Method::Sms).await?;
    let session = key::of_secret(world.session(person).await?.id.expose());
    let single = redemption(world, session);
    assert!(matches!(
        world.store().redeem_code(&single, &world.by()).await?,
        Redeemed::Yes
    ));
    let shared = redemption(world, session);
    let outcomes = world
        .race(16, |store, _| {
            let (by, shared) = (world.by(), shared.clone());
            async move {
                let redeemed = store.redeem_code(&shared, &by).await?;
                Ok(matches!(redeemed, Redeemed::Yes))
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &true), 1);
    let redeemed = async |code| world.redeemed(&code, &session).await;
    assert_eq!(redeemed(shared.code).await?, None);
    assert_eq!(redeemed(single.code).await?, Some(person));
    Ok(())
}

/// [S05] A code that waited while its session ended gives nothing.
pub(super) async fn a_code_of_a_session_that_is_over_gives_nothing(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let session = key::of_secret(world.session(person).await?.id.expose());
    world
        .store()
        .end_sessions(&EndSessions::All(person), &world.by())
        .await?;
    let redemption = redemption(world, session);
    let by = world.by();
    let redeemed = world.store().redeem_code(&redemption, &by).await?;
    assert!(matches!(redeemed, Redeemed::SessionOver));
    let later = world.redeemed(&redemption.code, &session).await?;
    assert_eq!(later, None);
    assert!(
        world
            .store()
            .audit_by_support(&by.support)
            .await?
            .is_empty()
    );
    Ok(())
}
