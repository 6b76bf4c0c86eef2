//! Promises about journeys and what their steps ask for.

use journey::{Happened, JourneyId, Method, Notice, Place, Timestamp, effect::Effect};

use super::world::{Kept, NOW, World, count, sign_in, spend};
use crate::{Committed, JourneyState, TakeOver};

pub(super) async fn what_was_opened_is_read_back(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let mut journey = world.signing_in(person)?;
    let opened = world.open(&journey, &[]).await?;
    assert_eq!(opened, Committed::Yes(None));
    let read = world
        .store()
        .journey(journey.id)
        .await?
        .ok_or("it is gone")?;
    assert_eq!(read.purpose, journey.purpose);
    assert_eq!(
        (read.browser, read.support),
        (journey.browser, journey.support.clone())
    );
    assert_eq!((read.until, read.version), (journey.until, 0));
    let JourneyState::Login(state) = read.state else {
        return Err("another kind of journey".into());
    };
    assert_eq!(
        (state.name(), state.person()),
        ("AwaitAppCode", Some(person))
    );

    let again = world.open(&journey, &[]).await?;
    assert_eq!(again, Committed::Overtaken);
    journey.purpose = "elsewhere".into();
    journey.until = Timestamp(5);
    let moved = world.commit(&journey, &[]).await?;
    assert_eq!(moved, Committed::Yes(None));
    let read = world
        .store()
        .journey(journey.id)
        .await?
        .ok_or("it is gone")?;
    assert_eq!(
        (read.purpose.as_str(), read.until, read.version),
        ("elsewhere", Timestamp(5), 1)
    );
    Ok(())
}

/// Most sign-ins at school are over with the password: they leave a session and the audit.
pub(super) async fn a_journey_that_is_over_with_its_first_step_is_not_kept(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let mut journey = world.signed_in(person)?;
    let effects = [sign_in(person)?, Effect::Audit(Happened::PasswordRight)];
    let by = world.by();
    let opened = world.store().open_journey(&journey, &effects, &by).await?;
    assert!(matches!(opened, Committed::Yes(Some(_))));
    assert!(world.store().journey(journey.id).await?.is_none());
    assert_eq!(world.store().sessions(person, NOW).await?.len(), 1);
    let entries = world.store().audit_by_support(&by.support).await?;
    let found: Vec<_> = entries.iter().map(|entry| entry.journey).collect();
    assert_eq!(found, [Some(journey.id)]);

    // One that comes to its end later is.
    let ended = std::mem::replace(&mut journey, world.signing_in(person)?);
    let _ = world.open(&journey, &[]).await?;
    journey.state = ended.state;
    let _ = world.commit(&journey, &[sign_in(person)?]).await?;
    let kept = world.store().journey(journey.id).await?;
    assert!(kept.is_some_and(|kept| !kept.goes_on()));
    Ok(())
}

pub(super) async fn a_journey_nobody_opened_is_none(world: &World) -> Kept {
    let id = JourneyId(world.id());
    assert!(world.store().journey(id).await?.is_none());
    assert!(world.store().messages_of(id).await?.is_empty());
    assert!(
        world
            .store()
            .offer_resume(id, &world.hash(), NOW)
            .await
            .is_err()
    );
    let nobody = world.newcomer().await?;
    let never = world.signing_in(nobody)?;
    let moved = world.commit(&never, &[]).await?;
    assert_eq!(moved, Committed::Overtaken);
    Ok(())
}

/// [P04] Of many requests that read the same state, one moves it.
pub(super) async fn of_many_steps_at_once_one_moves_the_journey(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let journey = world.signing_in(person)?;
    let _ = world.open(&journey, &[]).await?;
    let effect = sign_in(person)?;
    let outcomes = world
        .race(32, |store, _| {
            let (journey, effects, by) = (journey.clone(), [effect.clone()], world.by());
            async move { store.commit_journey(&journey, &effects, &by).await }
        })
        .await?;
    assert_eq!(count(&outcomes, &Committed::Overtaken), 31);
    assert_eq!(world.store().sessions(person, NOW).await?.len(), 1);
    let read = world.store().journey(journey.id).await?;
    assert_eq!(read.map(|read| read.version), Some(1));
    Ok(())
}

/// [O01] One step of an app's clock signs in once, whatever comes at the same moment.
pub(super) async fn of_many_requests_at_once_one_spends_a_counter(world: &World) -> Kept {
    let (person, app) = world.holder_of_app().await?;
    let effects = [spend(app, 101), sign_in(person)?];
    let mut journeys = vec![];
    for _ in 0..16 {
        journeys.push(world.signing_in(person)?);
    }
    let outcomes = world
        .race(16, |store, number| {
            let (journey, effects, by) =
                (journeys.get(number).cloned(), effects.clone(), world.by());
            async move {
                match journey {
                    Some(journey) => store.open_journey(&journey, &effects, &by).await,
                    None => Ok(Committed::Overtaken),
                }
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &Committed::CounterSpent), 15);
    assert_eq!(world.store().sessions(person, NOW).await?.len(), 1);
    let app = world.account(person).await?.person.app.ok_or("no app")?;
    assert_eq!((app.last_counter, app.drift), (Some(101), 1));
    Ok(())
}

/// [P04] A step that is refused at its last effect has done nothing of the others.
pub(super) async fn a_refused_step_leaves_no_trace(world: &World) -> Kept {
    let (person, app) = world.holder_of_app().await?;
    let journey = world.signing_in(person)?;
    let _ = world.open(&journey, &[]).await?;
    let effects = [
        Effect::Audit(Happened::CodeRight {
            method: Method::App,
        }),
        Effect::Notify {
            notice: Notice::Activated { at: NOW },
            person,
        },
        sign_in(person)?,
        spend(app, 100),
    ];
    let by = world.by();
    let depth = world.store().outbox_depth().await?;
    let refused = world
        .store()
        .commit_journey(&journey, &effects, &by)
        .await?;
    assert_eq!(refused, Committed::CounterSpent);
    assert!(
        world
            .store()
            .audit_by_support(&by.support)
            .await?
            .is_empty()
    );
    assert!(world.store().messages_of(journey.id).await?.is_empty());
    assert_eq!(world.store().outbox_depth().await?, depth);
    assert!(world.store().sessions(person, NOW).await?.is_empty());
    let read = world.store().journey(journey.id).await?;
    assert_eq!(read.map(|read| read.version), Some(0));
    let allowed = world
        .store()
        .commit_journey(&journey, &[spend(app, 101)], &by)
        .await?;
    assert_eq!(allowed, Committed::Yes(None));
    Ok(())
}

/// [O01] Every step at or before the last accepted one is refused.
pub(super) async fn an_earlier_counter_is_spent_with_a_later_one(world: &World) -> Kept {
    let (person, app) = world.holder_of_app().await?;
    for (counter, expected) in [
        (0, Committed::CounterSpent),
        (99, Committed::CounterSpent),
        (100, Committed::CounterSpent),
        (105, Committed::Yes(None)),
        (104, Committed::CounterSpent),
        (106, Committed::Yes(None)),
    ] {
        let journey = world.signing_in(person)?;
        let spent = world.open(&journey, &[spend(app, counter)]).await?;
        assert_eq!(spent, expected, "{counter}");
    }
    Ok(())
}

pub(super) async fn a_factor_counts_for_its_owner_only(world: &World) -> Kept {
    let (_, app) = world.holder_of_app().await?;
    let (other, _) = world.holder_of_app().await?;
    let journey = world.signing_in(other)?;
    let spent = world.open(&journey, &[spend(app, 200)]).await?;
    assert_eq!(spent, Committed::CounterSpent);
    Ok(())
}

/// [L10] Two parallel enrolments bind one app, and the row knows where and when.
pub(super) async fn of_many_apps_at_once_one_is_bound(world: &World) -> Kept {
    let person = world.person(Method::App).await?;
    let mut journeys = vec![];
    for _ in 0..8 {
        journeys.push((world.signing_in(person)?, world.app()));
    }
    let outcomes = world
        .race(8, |store, number| {
            let (own, by) = (journeys.get(number).cloned(), world.by());
            async move {
                let Some((journey, otp)) = own else {
                    return Ok(Committed::Overtaken);
                };
                let otp = Box::new(otp);
                let place = Place::Public;
                let bind = Effect::EnrolApp { otp, person, place };
                store.open_journey(&journey, &[bind], &by).await
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &Committed::Yes(None)), 1);
    assert_eq!(count(&outcomes, &Committed::AlreadyEnrolled), 7);
    let bound = world.account(person).await?.person;
    assert!(bound.enrolled());
    let app = bound.app.ok_or("no app")?;
    let winner = journeys.iter().find(|(_, otp)| otp.id == app.id);
    assert!(winner.is_some_and(|(_, otp)| otp.secret.matches(app.secret.expose())));
    Ok(())
}

pub(super) async fn a_number_is_confirmed_if_there_is_one(world: &World) -> Kept {
    for (person, expected) in [
        (world.person(Method::Sms).await?, Committed::Yes(None)),
        (world.newcomer().await?, Committed::Overtaken),
    ] {
        let place = Place::Public;
        let confirm = Effect::EnrolSms { person, place };
        let journey = world.signing_in(person)?;
        let confirmed = world.open(&journey, &[confirm]).await?;
        let account = world.account(person).await?;
        assert_eq!(account.person.enrolled(), confirmed == Committed::Yes(None));
        assert_eq!(confirmed, expected);
    }
    Ok(())
}

pub(super) async fn a_link_moves_a_journey_once(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let journey = world.signing_in(person)?;
    let _ = world.open(&journey, &[]).await?;
    let link = world.hash();
    world
        .store()
        .offer_resume(journey.id, &link, NOW.plus(60))
        .await?;
    let outcomes = world
        .race(16, |store, _| {
            let browser = world.hash();
            async move {
                Ok((
                    browser,
                    store.take_over_journey(&link, &browser, NOW).await?,
                ))
            }
        })
        .await?;
    let taken: Vec<_> = outcomes
        .iter()
        .filter_map(|(browser, outcome)| match outcome {
            TakeOver::Taken(journey) => Some((browser, journey)),
            _ => None,
        })
        .collect();
    let used = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, TakeOver::Used));
    assert_eq!((taken.len(), used.count()), (1, 15));
    let now = world
        .store()
        .journey(journey.id)
        .await?
        .ok_or("it is gone")?;
    assert!(
        taken
            .iter()
            .all(|(browser, taken)| **browser == now.browser && taken.id == now.id)
    );
    let late = world.commit(&journey, &[]).await?;
    assert_eq!(late, Committed::Overtaken, "a step of the former browser");
    let moved = world.commit(&now, &[]).await?;
    assert_eq!(moved, Committed::Yes(None));
    Ok(())
}

/// [P04] A step of the former browser that ends late offers its link again: used it stays.
pub(super) async fn a_used_link_stays_used_until_one_is_made_anew(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let journey = world.signing_in(person)?;
    let _ = world.open(&journey, &[]).await?;
    let link = world.hash();
    let offer = async |until| {
        world
            .store()
            .offer_resume(journey.id, &link, NOW.plus(until))
            .await
    };
    let take = async || {
        world
            .store()
            .take_over_journey(&link, &world.hash(), NOW)
            .await
    };
    offer(60).await?;
    offer(60).await?;
    assert!(matches!(take().await?, TakeOver::Taken(_)));
    offer(60).await?;
    assert!(matches!(take().await?, TakeOver::Used));
    offer(61).await?;
    assert!(matches!(take().await?, TakeOver::Taken(_)));
    Ok(())
}

pub(super) async fn a_link_that_is_late_replaced_or_made_up_moves_nothing(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let journey = world.signing_in(person)?;
    let _ = world.open(&journey, &[]).await?;
    let (first, second, browser) = (world.hash(), world.hash(), world.hash());
    let take =
        async |link: [u8; 32], at| world.store().take_over_journey(&link, &browser, at).await;
    world
        .store()
        .offer_resume(journey.id, &first, NOW.plus(60))
        .await?;
    world
        .store()
        .offer_resume(journey.id, &second, NOW.plus(60))
        .await?;
    assert!(matches!(take(first, NOW).await?, TakeOver::Unknown));
    assert!(matches!(take(world.hash(), NOW).await?, TakeOver::Unknown));
    assert!(matches!(
        take(second, NOW.plus(60)).await?,
        TakeOver::Expired
    ));
    assert!(matches!(
        take(second, NOW.plus(59)).await?,
        TakeOver::Taken(_)
    ));
    Ok(())
}
