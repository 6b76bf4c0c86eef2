//! Promises about devices that ask to be let in.

use journey::{Happened, Method, PersonId, Timestamp};

use super::world::{Cause, Kept, NOW, World, count};
use crate::{
    AllowedDevice, AskedDevice, By, Consent, DeviceAnswer, DevicePoll, EndSessions, NewDevice,
    Redeemed, Redemption, key,
};

/// A device that asks, as its application would have it.
fn device(world: &World) -> NewDevice {
    NewDevice {
        application: "screen".into(),
        code: world.id(),
        key: world.hash(),
        scope: "openid profile".into(),
        until: NOW.plus(600),
        user_code: format!("CODE{}", world.number()),
    }
}

async fn asks(world: &World) -> Result<NewDevice, Cause> {
    let new = device(world);
    assert!(world.store().ask_device(&new, &world.by()).await?);
    Ok(new)
}

async fn session(world: &World, person: PersonId) -> Result<[u8; 32], Cause> {
    Ok(key::of_secret(world.session(person).await?.id.expose()))
}

fn answer(of: &NewDevice, (person, session): (PersonId, [u8; 32]), allowed: bool) -> DeviceAnswer {
    DeviceAnswer {
        agreed: allowed.then(|| Consent {
            application: of.application.clone(),
            at: NOW,
            person,
            scope: of.scope.clone(),
        }),
        allowed,
        application: of.application.clone(),
        person,
        session,
        user_code: of.user_code.clone(),
    }
}

async fn poll(world: &World, of: &NewDevice, at: Timestamp) -> Result<DevicePoll, Cause> {
    Ok(world
        .store()
        .poll_device(&of.key, &of.application, at)
        .await?)
}

fn redemption(allowed: &AllowedDevice) -> Redemption {
    Redemption {
        application: "screen".into(),
        code: allowed.code,
        refresh: None,
        session: allowed.session,
        until: NOW.plus(900),
    }
}

/// What the audit says under one support code.
async fn told(world: &World, by: &By) -> Result<Vec<Happened>, Cause> {
    let entries = world.store().audit_by_support(&by.support).await?;
    let happened = entries.iter().map(|entry| &entry.happened);
    Ok(happened
        .map(|json| serde_json::from_str(json))
        .collect::<Result<_, _>>()?)
}

/// [C16] A device waits until somebody says yes, is found by what it shows until then, and is redeemed by
/// the application that asked, once; all of it is in the audit.
pub(super) async fn a_device_is_let_in_once_by_its_own_application(world: &World) -> Kept {
    let (store, by, new) = (world.store(), world.by(), device(world));
    assert!(store.ask_device(&new, &by).await?);
    let found = store.asked_device(&new.user_code, NOW).await?;
    let expected = AskedDevice {
        address: by.address.clone(),
        allowed: None,
        application: new.application.clone(),
        asked: NOW,
        scope: new.scope.clone(),
        until: new.until,
        user_code: new.user_code.clone(),
    };
    assert_eq!(found, Some(expected.clone()));
    assert_eq!(poll(world, &new, NOW).await?, DevicePoll::Waiting);
    let other = store.poll_device(&new.key, "another", NOW).await?;
    assert_eq!(other, DevicePoll::Unknown);

    let person = world.person(Method::Sms).await?;
    let who = (person, session(world, person).await?);
    assert!(store.answer_device(&answer(&new, who, true), &by).await?);
    let found = store.asked_device(&new.user_code, NOW).await?;
    let answered = AskedDevice {
        allowed: Some(true),
        ..expected
    };
    assert_eq!(found, Some(answered));
    let late = NOW.plus(5);
    let other = store.poll_device(&new.key, "another", late).await?;
    assert_eq!(other, DevicePoll::Unknown);
    let polled = poll(world, &new, late).await?;
    let allowed = AllowedDevice {
        code: new.code,
        person,
        scope: new.scope.clone(),
        session: who.1,
        until: new.until,
    };
    assert_eq!(polled, DevicePoll::Allowed(allowed.clone()));
    let redeemed = store.redeem_code(&redemption(&allowed), &by).await?;
    assert!(matches!(redeemed, Redeemed::Yes));
    let again = store.redeem_code(&redemption(&allowed), &by).await?;
    assert!(matches!(again, Redeemed::Reused));
    let application = new.application.clone();
    let (asked, allowed) = (
        Happened::DeviceAsked {
            application: application.clone(),
        },
        Happened::DeviceAllowed { application },
    );
    let told = told(world, &by).await?;
    assert_eq!(count(&told, &asked), 1);
    assert_eq!(count(&told, &allowed), 1);
    Ok(())
}

/// [C16] Of two devices that would show the same code the second is refused.
pub(super) async fn a_code_that_a_device_shows_is_shown_by_no_other(world: &World) -> Kept {
    let one = asks(world).await?;
    let other = NewDevice {
        user_code: one.user_code.clone(),
        ..device(world)
    };
    assert!(!world.store().ask_device(&other, &world.by()).await?);
    assert_eq!(poll(world, &other, NOW).await?, DevicePoll::Unknown);
    assert_eq!(poll(world, &one, NOW).await?, DevicePoll::Waiting);
    Ok(())
}

/// [C16] [RFC 8628 §3.5] "the interval MUST be increased by 5 seconds for this and all subsequent requests."
/// On every node, and never to more than a minute.
pub(super) async fn a_device_that_asks_too_early_waits_longer(world: &World) -> Kept {
    let new = asks(world).await?;
    let expects = async |seconds: i64, wanted: DevicePoll| -> Kept {
        assert_eq!(poll(world, &new, NOW.plus(seconds)).await?, wanted);
        Ok(())
    };
    expects(0, DevicePoll::Waiting).await?;
    expects(5, DevicePoll::Waiting).await?;
    expects(8, DevicePoll::Early).await?;
    // Ten seconds from here on; a second is forgiven, because clocks tell whole ones.
    expects(13, DevicePoll::Early).await?;
    expects(18, DevicePoll::Early).await?;
    expects(24, DevicePoll::Waiting).await?;
    for _ in 0..30 {
        expects(25, DevicePoll::Early).await?;
    }
    expects(24 + 58, DevicePoll::Early).await?;
    expects(24 + 59, DevicePoll::Waiting).await?;
    Ok(())
}

/// [C16] Of many that ask at once with one code, on two nodes, one is in time.
pub(super) async fn of_many_that_ask_at_once_one_is_in_time(world: &World) -> Kept {
    let new = asks(world).await?;
    let outcomes = world
        .race(16, |store, _| {
            let new = new.clone();
            async move { store.poll_device(&new.key, &new.application, NOW).await }
        })
        .await?;
    assert_eq!(count(&outcomes, &DevicePoll::Waiting), 1);
    assert_eq!(count(&outcomes, &DevicePoll::Early), 15);
    Ok(())
}

/// [C16] Of many answers at once one counts, and none after it.
pub(super) async fn of_many_answers_to_a_device_one_counts(world: &World) -> Kept {
    let new = asks(world).await?;
    let person = world.person(Method::Sms).await?;
    let who = (person, session(world, person).await?);
    let outcomes = world
        .race(16, |store, number| {
            let (by, answer) = (world.by(), answer(&new, who, number % 2 == 0));
            async move { Ok((store.answer_device(&answer, &by).await?, answer.allowed)) }
        })
        .await?;
    let counted: Vec<bool> = (outcomes.iter())
        .filter_map(|(counts, allowed)| counts.then_some(*allowed))
        .collect();
    let polled = poll(world, &new, NOW).await?;
    let allowed = matches!(polled, DevicePoll::Allowed(_));
    assert!(allowed || polled == DevicePoll::Refused, "{polled:?}");
    assert_eq!(counted, [allowed]);
    Ok(())
}

/// [C16] Of many that come at once with a code that was answered, on two nodes, one is given something, and
/// keeps it.
pub(super) async fn of_many_polls_of_a_device_that_was_let_in_one_is_redeemed(
    world: &World,
) -> Kept {
    let new = asks(world).await?;
    let person = world.person(Method::Sms).await?;
    let who = (person, session(world, person).await?);
    let yes = answer(&new, who, true);
    assert!(world.store().answer_device(&yes, &world.by()).await?);
    let outcomes = world
        .race(16, |store, _| {
            let (by, new) = (world.by(), new.clone());
            async move {
                match store.poll_device(&new.key, &new.application, NOW).await? {
                    DevicePoll::Allowed(allowed) => {
                        let redeemed = store.redeem_code(&redemption(&allowed), &by).await?;
                        Ok(matches!(redeemed, Redeemed::Yes))
                    }
                    _ => Ok(false),
                }
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &true), 1);
    let owner = world.redeemed(&new.code, &who.1).await?;
    assert_eq!(owner, Some(person));
    Ok(())
}

/// [C16] [L05] An answer needs a session that lives and is one's own; what was answered gives nothing once
/// that session is over.
pub(super) async fn nobody_answers_a_device_from_a_session_that_is_over(world: &World) -> Kept {
    let store = world.store();
    let (one, other) = (
        world.person(Method::Sms).await?,
        world.person(Method::Sms).await?,
    );
    let own = session(world, one).await?;
    let new = asks(world).await?;
    for wrong in [(other, own), (one, world.hash())] {
        let yes = answer(&new, wrong, true);
        assert!(!store.answer_device(&yes, &world.by()).await?);
    }
    let of_another = DeviceAnswer {
        application: "another".into(),
        ..answer(&new, (one, own), true)
    };
    assert!(!store.answer_device(&of_another, &world.by()).await?);
    assert_eq!(store.consents(one).await?, []);
    assert_eq!(store.consents(other).await?, []);
    let yes = answer(&new, (one, own), true);
    assert!(store.answer_device(&yes, &world.by()).await?);
    let agreed: Vec<_> = yes.agreed.into_iter().collect();
    assert_eq!(store.consents(one).await?, agreed);
    store.disable(one, true, &world.by()).await?;
    let DevicePoll::Allowed(allowed) = poll(world, &new, NOW).await? else {
        return Err("it was let in".into());
    };
    let redeemed = store
        .redeem_code(&redemption(&allowed), &world.by())
        .await?;
    assert!(matches!(redeemed, Redeemed::SessionOver));

    let ended = session(world, other).await?;
    let end = EndSessions::One(ended);
    store.end_sessions(&end, &world.by()).await?;
    let next = asks(world).await?;
    let yes = answer(&next, (other, ended), true);
    assert!(!store.answer_device(&yes, &world.by()).await?);
    Ok(())
}

/// [C16] After its time nobody answers a device and nobody redeems it; it hears so for a day.
pub(super) async fn a_device_is_forgotten_a_day_after_its_time(world: &World) -> Kept {
    let store = world.store();
    let person = world.person(Method::Sms).await?;
    let who = (person, session(world, person).await?);
    let (waiting, allowed) = (asks(world).await?, asks(world).await?);
    let yes = answer(&allowed, who, true);
    assert!(store.answer_device(&yes, &world.by()).await?);
    let end = waiting.until;
    assert_eq!(store.asked_device(&waiting.user_code, end).await?, None);
    let late = By {
        at: end,
        ..world.by()
    };
    let yes = DeviceAnswer {
        agreed: Some(Consent {
            application: "late".into(),
            at: end,
            person,
            scope: "openid".into(),
        }),
        ..answer(&waiting, who, true)
    };
    assert!(!store.answer_device(&yes, &late).await?);
    let told = store.consents(person).await?;
    assert!(told.iter().all(|one| one.application == "screen"));
    for device in [&waiting, &allowed] {
        assert_eq!(poll(world, device, end).await?, DevicePoll::Over);
    }
    store.tidy(end.plus(86_399)).await?;
    assert_eq!(poll(world, &waiting, end).await?, DevicePoll::Over);
    store.tidy(end.plus(86_400)).await?;
    assert_eq!(poll(world, &waiting, end).await?, DevicePoll::Unknown);
    Ok(())
}
