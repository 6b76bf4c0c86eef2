//! Promises about activation.

use journey::{ActivationId, Happened, Method, Notice, Secret, effect::Effect};

use super::world::{Kept, NOW, World, count};
use crate::{Committed, Message, NewActivation, OneTime};

pub(super) async fn an_activation_sets_what_was_chosen_and_says_so(world: &World) -> Kept {
    let person = world.newcomer().await?;
    let activate = world.activate(person, Method::App).await?;
    let journey = world.activating(&activate);
    let effects = [
        Effect::Activate(Box::new(activate.clone())),
        Effect::Audit(Happened::Activated {
            method: Method::App,
        }),
        Effect::Notify {
            notice: Notice::Activated { at: NOW },
            person,
        },
    ];
    let by = world.by();
    let committed = world.store().open_journey(&journey, &effects, &by).await?;
    assert_eq!(committed, Committed::Yes(None));
    let account = world.account(person).await?;
    assert_eq!(account.person.method, Some(Method::App));
    let chosen = activate.chosen.ok_or("nothing chosen")?;
    assert_eq!(account.person.phone, chosen.1);
    assert!(!account.person.phone_confirmed && !account.person.enrolled());
    let password = account.password.ok_or("no password")?;
    assert!(password.matches(activate.password.expose()));
    let used = world.store().activations(person).await?;
    assert_eq!(
        used.iter().map(|one| one.used_at).collect::<Vec<_>>(),
        [Some(NOW)]
    );
    assert_eq!(world.store().audit_by_support(&by.support).await?.len(), 1);
    assert_eq!(world.store().messages_of(journey.id).await?.len(), 1);
    Ok(())
}

/// [L05] A new password ends sessions, other journeys, open activations and known devices with it.
pub(super) async fn an_activation_ends_all_that_was_begun_before(world: &World) -> Kept {
    let person = world.newcomer().await?;
    let device = world.hash();
    world.session(person).await?;
    world.lets_in_on(person, device).await?;
    let other = world.signing_in(person)?;
    let _ = world.open(&other, &[]).await?;

    let activate = world.activate(person, Method::Sms).await?;
    let journey = world.activating(&activate);
    let effects = [Effect::Activate(Box::new(activate))];
    let committed = world.open(&journey, &effects).await?;
    assert_eq!(committed, Committed::Yes(None));
    assert!(world.store().sessions(person, NOW).await?.is_empty());
    assert!(world.store().journey(other.id).await?.is_none());
    assert!(world.store().journey(journey.id).await?.is_some());
    assert!(!world.store().knows_device(person, &device).await?);
    let late = world.commit(&other, &[]).await?;
    assert_eq!(late, Committed::Overtaken);
    Ok(())
}

/// [O16] Of many journeys that end with one code at the same moment, one activates.
pub(super) async fn of_many_activations_with_one_code_one_succeeds(world: &World) -> Kept {
    let person = world.newcomer().await?;
    let activate = world.activate(person, Method::Sms).await?;
    let outcomes = world
        .race(16, |store, number| {
            let journey = world.activating(&activate);
            let password = Secret::new(number.to_string().into_bytes());
            let activate = journey::effect::Activate {
                password,
                ..activate.clone()
            };
            let by = world.by();
            async move {
                let effects = [Effect::Activate(Box::new(activate))];
                store.open_journey(&journey, &effects, &by).await
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &Committed::Yes(None)), 1);
    assert_eq!(count(&outcomes, &Committed::ActivationSpent), 15);
    assert_eq!(world.store().password_history(person, 24).await?.len(), 1);
    Ok(())
}

/// [O16] A code is bound to its person and its time, and a newer one voids it.
pub(super) async fn a_code_that_is_late_void_or_another_s_activates_nobody(world: &World) -> Kept {
    let person = world.newcomer().await?;
    let void = world.activate(person, Method::Sms).await?;
    let other = world.activate(world.newcomer().await?, Method::Sms).await?;
    let message = Message::Activation {
        code: Secret::new(b"QWER-TZUI".to_vec()),
        until: NOW,
    };
    let late = NewActivation {
        id: ActivationId(world.id()),
        mac: world.hash(),
        message: Some(message),
        person,
        until: NOW,
    };
    world.store().issue_activation(&late, &world.by()).await?;
    let known = world.store().activations(person).await?;
    assert_eq!(
        known.iter().map(|one| one.id).collect::<Vec<_>>(),
        [late.id]
    );

    for id in [
        void.activation,
        late.id,
        other.activation,
        ActivationId(world.id()),
    ] {
        let mut activate = void.clone();
        activate.activation = id;
        let journey = world.activating(&activate);
        let effects = [Effect::Activate(Box::new(activate))];
        let committed = world.open(&journey, &effects).await?;
        assert_eq!(committed, Committed::ActivationSpent);
        assert!(world.store().journey(journey.id).await?.is_none());
    }
    assert!(world.account(person).await?.password.is_none());
    assert!(
        world
            .store()
            .consume(OneTime::ClientAssertion, &world.hash(), NOW)
            .await?
    );
    Ok(())
}
