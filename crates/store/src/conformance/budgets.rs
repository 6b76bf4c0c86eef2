//! Promises about budgets.

use journey::{
    Method, Phone, SmsCode, Timestamp,
    effect::Effect,
    limit::{PASSWORD, SECOND_FACTOR, SMS_NUMBER},
};

use super::world::{Cause, Kept, NOW, World, count, spend};
use crate::{Committed, LaneKey};

/// [A16] A thousand tries at once, over two nodes: as many are let through as the budget has.
pub(super) async fn a_thousand_tries_at_once_stay_within_the_budget(world: &World) -> Kept {
    let person = world.person(Method::App).await?;
    let outcomes = world
        .race(1000, |store, _| async move {
            let lane = LaneKey::SecondFactor(person);
            Ok(store.spend_try(&lane, &SECOND_FACTOR, NOW).await?.is_ok())
        })
        .await?;
    assert_eq!(count(&outcomes, &true), SECOND_FACTOR.free as usize);
    Ok(())
}

/// [A15] The try is written before the verdict and apart from the step: a step that fails or never
/// comes takes nothing back.
pub(super) async fn a_try_counts_whatever_becomes_of_the_step(world: &World) -> Kept {
    let (person, app) = world.holder_of_app().await?;
    let lane = LaneKey::SecondFactor(person);
    for tries in 1..=3 {
        let spent = world.store().spend_try(&lane, &SECOND_FACTOR, NOW).await?;
        assert_eq!(spent.map(|lane| lane.tries), Ok(tries));
        let journey = world.signing_in(person)?;
        let device = None;
        let effects = [Effect::RefundTry { device, person }, spend(app, 1)];
        let refused = world.open(&journey, &effects).await?;
        assert_eq!(refused, Committed::CounterSpent);
    }
    assert_eq!(world.store().lane(&lane).await?.tries, 3);
    Ok(())
}

pub(super) async fn a_try_that_was_right_comes_back_with_the_step(world: &World) -> Kept {
    let (person, app) = world.holder_of_app().await?;
    let known = world.hash();
    let (lane, other) = (
        LaneKey::SecondFactor(person),
        LaneKey::SecondFactorFrom(person, known),
    );
    for (counter, device, spent, untouched) in [
        (101, None, &lane, &other),
        (102, Some(known), &other, &lane),
    ] {
        let before = world.store().lane(untouched).await?;
        let _ = world.store().spend_try(spent, &SECOND_FACTOR, NOW).await?;
        let journey = world.signing_in(person)?;
        let effects = [spend(app, counter), Effect::RefundTry { device, person }];
        let committed = world.open(&journey, &effects).await?;
        assert_eq!(committed, Committed::Yes(None));
        assert_eq!(world.store().lane(spent).await?.tries, 0);
        assert_eq!(world.store().lane(untouched).await?, before);
    }
    world.store().refund_try(&lane).await?;
    assert_eq!(world.store().lane(&lane).await?.tries, 0);
    Ok(())
}

pub(super) async fn budgets_of_different_owners_are_apart(world: &World) -> Kept {
    let (one, other) = (world.newcomer().await?, world.newcomer().await?);
    let (name, device) = (world.hash(), world.hash());
    let lanes = [
        LaneKey::Activation(name),
        LaneKey::Name(name),
        LaneKey::Password(one),
        LaneKey::Password(other),
        LaneKey::PasswordFrom(one, device),
        LaneKey::PasswordFrom(one, world.hash()),
        LaneKey::SecondFactor(one),
        LaneKey::SecondFactorFrom(one, device),
        LaneKey::SmsPerson(one),
        LaneKey::SmsNumber(world.phone()?),
    ];
    for (tries, lane) in (1..).zip(&lanes) {
        for _ in 0..tries.min(5) {
            let spent = world.store().spend_try(lane, &PASSWORD, NOW).await?;
            assert!(spent.is_ok(), "{lane:?}");
        }
    }
    for (tries, lane) in (1_u32..).zip(&lanes) {
        assert_eq!(
            world.store().lane(lane).await?.tries,
            tries.min(5),
            "{lane:?}"
        );
    }
    let waits = world
        .store()
        .spend_try(&LaneKey::SecondFactor(one), &PASSWORD, NOW)
        .await?;
    assert_eq!(waits.map_err(|wait| wait.seconds), Err(30));
    Ok(())
}

fn send(person: journey::PersonId, to: &Phone) -> Effect {
    Effect::SendSmsCode {
        code: SmsCode::draw(&[7; 32], NOW),
        person,
        to: to.clone(),
    }
}

async fn phone_of(world: &World, person: journey::PersonId) -> Result<Phone, Cause> {
    let phone = world.account(person).await?.person.phone;
    phone.ok_or_else(|| "no number".into())
}

/// [A16] Messages cost money: of many journeys at once as many send as the number's budget has.
pub(super) async fn messages_at_once_stay_within_the_budget(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let effect = send(person, &phone_of(world, person).await?);
    let mut journeys = vec![];
    for _ in 0..16 {
        journeys.push(world.signing_in(person)?);
    }
    let outcomes = world
        .race(journeys.len(), |store, number| {
            let (journey, effects, by) =
                (journeys.get(number).cloned(), [effect.clone()], world.by());
            async move {
                match journey {
                    Some(journey) => store.open_journey(&journey, &effects, &by).await,
                    None => Ok(Committed::Overtaken),
                }
            }
        })
        .await?;
    let budget = SMS_NUMBER.free as usize;
    assert_eq!(count(&outcomes, &Committed::Yes(None)), budget);
    assert_eq!(count(&outcomes, &Committed::SmsBudgetSpent), 16 - budget);
    let mut messages = 0;
    for journey in &journeys {
        messages += world.store().messages_of(journey.id).await?.len();
    }
    assert_eq!(messages, budget);
    Ok(())
}

pub(super) async fn a_code_goes_to_the_bound_number_only(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let other = world.person(Method::Sms).await?;
    for to in [world.phone()?, phone_of(world, other).await?] {
        let journey = world.signing_in(person)?;
        let sent = world.open(&journey, &[send(person, &to)]).await?;
        assert_eq!(sent, Committed::Overtaken);
        let lane = world.store().lane(&LaneKey::SmsNumber(to)).await?;
        assert_eq!((lane.tries, lane.at), (0, Timestamp(0)));
    }
    Ok(())
}

/// A right password takes back its own try and nobody else's.
pub(super) async fn a_right_password_takes_its_try_back(world: &World) -> Kept {
    let person = world.newcomer().await?;
    let device = world.hash();
    let lanes = [
        (None, LaneKey::Password(person)),
        (Some(device), LaneKey::PasswordFrom(person, device)),
    ];
    for (_, lane) in &lanes {
        for _ in 0..2 {
            let _ = world.store().spend_try(lane, &PASSWORD, NOW).await?;
        }
    }
    let tries = async |lane: &LaneKey| Ok::<_, Cause>(world.store().lane(lane).await?.tries);
    for (device, lane) in &lanes {
        let journey = world.signed_in(person)?;
        let refund = Effect::RefundPassword {
            device: *device,
            person,
        };
        assert_eq!(world.open(&journey, &[refund]).await?, Committed::Yes(None));
        assert_eq!(tries(lane).await?, 1);
        // The last one that is given back leaves nothing, and nothing is given back twice.
        for _ in 0..2 {
            world.store().refund_try(lane).await?;
            assert_eq!(tries(lane).await?, 0);
        }
    }
    Ok(())
}

pub(super) async fn a_device_is_known_for_the_person_who_used_it(world: &World) -> Kept {
    let (one, other) = (world.newcomer().await?, world.newcomer().await?);
    let device = world.hash();
    world.lets_in_on(one, device).await?;
    world.lets_in_on(one, device).await?;
    assert!(world.store().knows_device(one, &device).await?);
    assert!(!world.store().knows_device(other, &device).await?);
    assert!(!world.store().knows_device(one, &world.hash()).await?);
    Ok(())
}
