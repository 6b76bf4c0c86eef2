//! Promises about the sealing keys: another one comes into use, and nothing is lost.

use journey::{ActivationId, JourneyId, Method, Notice, Secret, effect::Effect};

use super::world::{Cause, Kept, NOW, World, count};
use crate::{
    Committed, Journey, KeyRecord, NewActivation, NewFamily, NewPerson, NewRecoverySet, Redeemed,
    Redemption, key,
    reseal::{Relying, Resealed, RowKey, Sealed, reseal},
    seal::{Checks, Keys, Purpose},
};

const FIRST: [u8; 32] = [7; 32];
const NEXT: [u8; 32] = [9; 32];
const LATER: [u8; 32] = [11; 32];

/// The keys of a node that was given the next one.
fn both() -> Keys {
    Keys::from_numbered(2, &NEXT).and_known(1, &FIRST)
}

async fn resealed(world: &World) -> Result<Resealed, Cause> {
    Ok(reseal(&**world.store(), world.keys(), NOW, &|_| {}).await?)
}

async fn relying(world: &World, what: Relying, key: u8) -> Result<u64, Cause> {
    let all = world.store().reliance(NOW).await?;
    let of = |one: &&crate::reseal::Reliance| one.what == what && one.key == key;
    Ok(all.iter().filter(of).map(|one| one.count).sum())
}

/// A journey behind the password, with a message that waits.
async fn under_way(world: &World) -> Result<Journey, Cause> {
    let person = world.person(Method::Sms).await?;
    let journey = world.signing_in(person)?;
    let notice = Effect::Notify {
        notice: Notice::Activated { at: NOW },
        person,
    };
    let _ = world.open(&journey, &[notice]).await?;
    Ok(journey)
}

pub(super) async fn what_a_former_key_sealed_is_sealed_again_and_opens(world: &World) -> Kept {
    let (holder, _) = world.holder_of_app().await?;
    let token = world.token();
    world.import_tokens(std::slice::from_ref(&token)).await?;
    let journey = under_way(world).await?;
    let signing = KeyRecord {
        algorithm: "ES256".into(),
        kid: format!("key-{}", world.number()),
        pkcs8: Secret::new(world.hash().to_vec()),
        until: None,
    };
    world.store().rotate_key(&signing, NOW, &world.by()).await?;

    world.take_keys(&both());
    let done = resealed(world).await?;
    assert!(done.rows >= 6, "{done:?}");
    assert!(done.left.is_empty() && done.unopened.is_empty(), "{done:?}");
    assert_eq!(
        resealed(world).await?,
        Resealed::default(),
        "once is enough"
    );
    for table in Sealed::ALL {
        assert_eq!(relying(world, table.what(), 1).await?, 0);
        assert!(relying(world, table.what(), 2).await? > 0, "{table:?}");
    }

    world.take_keys(&Keys::from_numbered(2, &NEXT).and_checks(1, &Checks::of(&FIRST)));
    let store = world.store();
    assert!(world.account(holder).await?.person.app.is_some());
    let found = store.token(&token.serial).await?.ok_or("no token")?;
    assert!(found.otp.secret.matches(token.otp.secret.expose()));
    let read = store.journey(journey.id).await?;
    assert_eq!(read.map(|read| read.purpose), Some(journey.purpose));
    let keys = store.signing_keys(NOW).await?;
    let found = keys.iter().find(|key| key.kid == signing.kid);
    assert!(found.is_some_and(|key| key.pkcs8.matches(signing.pkcs8.expose())));
    let messages = store.claim_messages(NOW, 1000).await?;
    assert!(
        messages
            .iter()
            .any(|message| message.journey == Some(journey.id))
    );
    Ok(())
}

/// While one node seals again, others go on: what they write is what stays.
pub(super) async fn sealing_again_takes_nothing_back_that_is_written_meanwhile(
    world: &World,
) -> Kept {
    world.take_keys(&Keys::from_master(&FIRST).and_known(2, &NEXT));
    let mut journeys = vec![];
    for _ in 0..24 {
        journeys.push(under_way(world).await?);
    }
    world.take_keys(&both());
    let outcomes = world
        .race(32, |store, number| {
            let step = journeys.get(number).cloned().map(|mut journey| {
                journey.purpose = format!("moved {number}");
                (journey, world.by())
            });
            let keys = both();
            async move {
                match step {
                    Some((journey, by)) => store.commit_journey(&journey, &[], &by).await,
                    None => reseal(&*store, &keys, NOW, &|_| {})
                        .await
                        .map(|_| Committed::Yes(None)),
                }
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &Committed::Yes(None)), 32);
    for (number, journey) in journeys.iter().enumerate() {
        let read = world
            .store()
            .journey(journey.id)
            .await?
            .ok_or("it is gone")?;
        assert_eq!((read.version, read.purpose), (1, format!("moved {number}")));
    }
    assert!(resealed(world).await?.left.is_empty());
    Ok(())
}

/// A node that was given a later key than this one: what it sealed stays as it is, and is told.
pub(super) async fn what_none_of_the_keys_opens_is_told_and_stays(world: &World) -> Kept {
    let known = under_way(world).await?;
    world.take_keys(&Keys::from_numbered(3, &LATER).and_known(2, &NEXT));
    let unknown = under_way(world).await?;
    world.take_keys(&both());
    let done = resealed(world).await?;
    let row = |id: JourneyId| (Sealed::Journeys, RowKey::Id(id.0.to_vec()));
    assert!(done.unopened.contains(&row(unknown.id)), "{done:?}");
    assert!(!done.unopened.contains(&row(known.id)));
    assert!(done.left.iter().all(|one| one.key == 3), "{done:?}");
    assert!(!done.left.is_empty());

    world.take_keys(&both().and_known(3, &LATER));
    let done = resealed(world).await?;
    assert!(done.left.is_empty() && done.unopened.is_empty(), "{done:?}");
    assert!(world.store().journey(unknown.id).await?.is_some());
    world.take_keys(&both());
    Ok(())
}

pub(super) async fn what_is_checked_is_counted_by_its_key(world: &World) -> Kept {
    for (number, keys) in [(1, Keys::from_master(&FIRST)), (2, both())] {
        world.take_keys(&both());
        let before = (
            relying(world, Relying::Password, number).await?,
            relying(world, Relying::ActivationCode, number).await?,
            relying(world, Relying::RecoveryCodes, number).await?,
        );
        let (_, keyid) = (keys.keyids().into_iter())
            .find(|(of, _)| *of == number)
            .ok_or("no pepper")?;
        let keyid = String::from_utf8(keyid)?;
        let activated = NewPerson {
            password: Some(Secret::new(
                format!("$argon2id$v=19$m=8,t=1,p=1,{keyid}c2FsdA$aGFzaA").into_bytes(),
            )),
            ..world.stranger()
        };
        world.import_people(&[activated]).await?;
        let activation = NewActivation {
            id: ActivationId(world.id()),
            mac: keys.mac(Purpose::ActivationCode, b"ABCDE-FGHJK"),
            message: None,
            person: world.newcomer().await?,
            until: NOW.plus(60),
        };
        world
            .store()
            .issue_activation(&activation, &world.by())
            .await?;
        let codes = NewRecoverySet {
            era: 0,
            id: world.id(),
            instead_of: None,
            macs: [keys.mac(Purpose::ActivationCode, b"ABCDE-FGHJK-MNPQR"); 8],
            person: activation.person,
        };
        assert!(world.store().make_recovery_set(&codes, &world.by()).await?);
        let after = (
            relying(world, Relying::Password, number).await?,
            relying(world, Relying::ActivationCode, number).await?,
            relying(world, Relying::RecoveryCodes, number).await?,
        );
        let expected = (before.0 + 1, before.1 + 1, before.2 + 1);
        assert_eq!(after, expected, "of key {number}");
    }
    Ok(())
}

pub(super) async fn refresh_tokens_of_before_a_time_are_counted(world: &World) -> Kept {
    let (at, later) = (NOW.plus(1), NOW.plus(2));
    let store = world.store();
    let before = (
        store.renewed_before(NOW, NOW).await?,
        store.renewed_before(at, NOW).await?,
    );
    let person = world.person(Method::Sms).await?;
    let redemption = Redemption {
        application: "portal".into(),
        code: world.id(),
        refresh: Some(NewFamily {
            offline: false,
            until: later,
        }),
        session: key::of_secret(world.session(person).await?.id.expose()),
        until: NOW.plus(300),
    };
    let redeemed = store.redeem_code(&redemption, &world.by()).await?;
    assert!(matches!(redeemed, Redeemed::Yes));
    let after = (
        store.renewed_before(NOW, NOW).await?,
        store.renewed_before(at, NOW).await?,
    );
    assert_eq!(after, (before.0, before.1 + 1));
    assert!(
        store.renewed_before(at, later).await? < after.1,
        "it is over"
    );
    Ok(())
}
