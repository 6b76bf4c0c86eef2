//! Promises about applications that register themselves, and the invitations that let them.

use journey::{Method, PersonId};

use super::world::{Cause, Kept, NOW, World, count};
use crate::{
    Consent, Invitation, NewFamily, NewInvitation, NewRegistration, Redeemed, Redemption,
    Registration, RegistrationChange, Renewal, Renewed, key,
};

const BOUNDS: &str = r#"{"minimum":"strong"}"#;

/// An invitation for so many.
async fn invited(world: &World, uses: u32) -> Result<NewInvitation, Cause> {
    let new = NewInvitation {
        bounds: BOUNDS.to_owned(),
        id: format!("i-{}", world.number()),
        token: world.hash(),
        until: NOW.plus(100),
        uses,
    };
    assert!(world.store().invite(&new, &world.by()).await?);
    Ok(new)
}

fn guest(world: &World, invited_by: [u8; 32]) -> NewRegistration {
    NewRegistration {
        application: format!("guest-{}", world.number()),
        document: "{}".to_owned(),
        invited_by,
        token: world.hash(),
    }
}

/// An application that has registered itself.
async fn registered(world: &World) -> Result<NewRegistration, Cause> {
    let new = guest(world, invited(world, 1).await?.token);
    assert!(world.store().register(&new, &world.by()).await?);
    Ok(new)
}

async fn found(world: &World, application: &str) -> Result<Option<Registration>, Cause> {
    let all = world.other().registrations().await?;
    let mut of_it = all.into_iter().filter(|one| one.application == application);
    Ok(of_it.next())
}

async fn spent(world: &World, id: &str) -> Result<u32, Cause> {
    let all = world.store().invitations().await?;
    let invitation = all.iter().find(|invitation| invitation.id == id);
    Ok(invitation.ok_or("the invitation is gone")?.spent)
}

/// An invitation is known by its token, and what came with it by its own.
pub(super) async fn who_was_invited_registers_and_is_known(world: &World) -> Kept {
    let (store, by) = (world.store(), world.by());
    let invitation = invited(world, 2).await?;
    assert!(!store.invite(&invitation, &by).await?, "its id is taken");
    let same_token = NewInvitation {
        id: "another".to_owned(),
        ..invitation.clone()
    };
    assert!(!store.invite(&same_token, &by).await?);
    let open = store.invitation(&invitation.token, NOW).await?;
    let expected = Invitation {
        at: NOW,
        bounds: BOUNDS.to_owned(),
        id: invitation.id.clone(),
        spent: 0,
        until: invitation.until,
        uses: 2,
    };
    assert!(expected.is_open(NOW) && !expected.is_open(invitation.until));
    assert_eq!(open, Some(expected));
    let new = guest(world, invitation.token);
    let generation = store.generation().await?;
    assert!(store.register(&new, &by).await?);
    assert!(store.generation().await? > generation, "nobody hears of it");
    let expected = Registration {
        application: new.application.clone(),
        at: NOW,
        bounds: BOUNDS.to_owned(),
        changed: NOW,
        document: "{}".to_owned(),
        invitation: invitation.id.clone(),
    };
    assert_eq!(
        found(world, &new.application).await?,
        Some(expected.clone())
    );
    let by_token = world.other().registration(&new.application, &new.token);
    assert_eq!(by_token.await?, Some(expected));
    let by_another = store.registration(&new.application, &world.hash()).await?;
    assert_eq!(by_another, None);
    assert_eq!(spent(world, &invitation.id).await?, 1);
    assert_eq!(store.audit_by_support(&by.support).await?.len(), 1);
    Ok(())
}

/// [O15] Of many applications at once, on two nodes, as many get in as an invitation has uses.
pub(super) async fn of_many_that_register_at_once_as_many_get_in_as_were_invited(
    world: &World,
) -> Kept {
    let invitation = invited(world, 3).await?;
    let guests: Vec<_> = (0..32).map(|_| guest(world, invitation.token)).collect();
    let outcomes = world
        .race(32, |store, number| {
            let (new, by) = (guests.get(number).cloned(), world.by());
            async move {
                match new {
                    Some(new) => store.register(&new, &by).await,
                    None => Ok(false),
                }
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &true), 3);
    assert_eq!(spent(world, &invitation.id).await?, 3);
    for (new, let_in) in guests.iter().zip(outcomes) {
        assert_eq!(found(world, &new.application).await?.is_some(), let_in);
    }
    let open = world.store().invitation(&invitation.token, NOW).await?;
    assert_eq!(open, None);
    Ok(())
}

/// Late, ended, or with a token of nobody: nothing is registered and nothing spent.
pub(super) async fn an_invitation_that_is_over_lets_nobody_in(world: &World) -> Kept {
    let store = world.store();
    let (late, ended) = (invited(world, 1).await?, invited(world, 1).await?);
    let mut by = world.by();
    assert!(store.uninvite(&ended.id, &by).await?);
    assert!(!store.uninvite(&ended.id, &by).await?, "it had ended");
    assert!(!store.uninvite("nobody", &by).await?);
    assert_eq!(store.audit_by_support(&by.support).await?.len(), 1);
    assert_eq!(store.invitation(&ended.token, NOW).await?, None);
    assert!(!store.register(&guest(world, ended.token), &by).await?);
    assert!(!store.register(&guest(world, world.hash()), &by).await?);
    by.at = late.until;
    assert_eq!(store.invitation(&late.token, by.at).await?, None);
    assert!(!store.register(&guest(world, late.token), &by).await?);
    assert_eq!(spent(world, &late.id).await?, 0);
    Ok(())
}

/// [O15] Of many changes at once with one token, on two nodes, one counts; the token is another one then.
pub(super) async fn of_many_changes_of_a_registration_one_counts(world: &World) -> Kept {
    let new = registered(world).await?;
    let tokens: Vec<_> = (0..16).map(|_| world.hash()).collect();
    let change = |number: usize| RegistrationChange {
        application: new.application.clone(),
        document: number.to_string(),
        from: new.token,
        to: tokens.get(number).copied().unwrap_or_default(),
    };
    let outcomes = world
        .race(16, |store, number| {
            let (change, by) = (change(number), world.by());
            async move { store.change_registration(&change, &by).await }
        })
        .await?;
    assert_eq!(count(&outcomes, &true), 1);
    let winner = outcomes.iter().position(|won| *won).unwrap_or_default();
    let now = found(world, &new.application).await?;
    assert_eq!(now.map(|now| now.document), Some(winner.to_string()));
    let store = world.store();
    let with = |token| store.registration(&new.application, token);
    assert_eq!(with(&new.token).await?, None);
    assert!(with(&change(winner).to).await?.is_some());
    let foreign = registered(world).await?;
    let mixed = RegistrationChange {
        from: foreign.token,
        ..change(0)
    };
    assert!(!store.change_registration(&mixed, &world.by()).await?);
    Ok(())
}

async fn lets_know(world: &World, person: PersonId, application: &str) -> Kept {
    let consent = Consent {
        application: application.to_owned(),
        at: NOW,
        person,
        scope: "openid".to_owned(),
    };
    Ok(world.store().consent(&consent, &world.by()).await?)
}

/// What was removed is gone with what people said to it, once, and nobody else's with it.
pub(super) async fn an_application_that_goes_takes_its_consents_along(world: &World) -> Kept {
    let (one, other) = (registered(world).await?, registered(world).await?);
    let person = world.person(Method::Sms).await?;
    for application in [&one.application, &other.application] {
        lets_know(world, person, application).await?;
    }
    let store = world.store();
    let wrong = Some(&other.token);
    let by = world.by();
    let removed = store.remove_registration(&one.application, wrong, &by);
    assert!(!removed.await?, "with the token of another");
    let outcomes = world
        .race(8, |store, _| {
            let (new, by) = (one.clone(), world.by());
            async move {
                let token = Some(&new.token);
                store
                    .remove_registration(&new.application, token, &by)
                    .await
            }
        })
        .await?;
    assert_eq!(count(&outcomes, &true), 1);
    assert_eq!(found(world, &one.application).await?, None);
    let consents = store.consents(person).await?;
    let left: Vec<_> = consents.iter().map(|one| &one.application).collect();
    assert_eq!(left, [&other.application]);
    let by = world.by();
    assert!(
        store
            .remove_registration(&other.application, None, &by)
            .await?
    );
    assert!(
        !store
            .remove_registration(&other.application, None, &by)
            .await?
    );
    assert_eq!(store.audit_by_support(&by.support).await?.len(), 1);
    assert_eq!(store.consents(person).await?, []);
    Ok(())
}

/// [C06] What was renewed before an application went renews nothing afterwards, and opens nothing.
pub(super) async fn what_an_application_renews_ends_when_it_goes(world: &World) -> Kept {
    let new = registered(world).await?;
    let person = world.person(Method::Sms).await?;
    let session = key::of_secret(world.session(person).await?.id.expose());
    let redemption = Redemption {
        application: new.application.clone(),
        code: world.id(),
        refresh: Some(NewFamily {
            offline: true,
            until: NOW.plus(86_400),
        }),
        session,
        until: NOW.plus(300),
    };
    let store = world.store();
    let redeemed = store.redeem_code(&redemption, &world.by()).await?;
    assert!(matches!(redeemed, Redeemed::Yes));
    assert_eq!(
        world.redeemed(&redemption.code, &session).await?,
        Some(person)
    );
    let (token, by) = (Some(&new.token), world.by());
    let removed = store.remove_registration(&new.application, token, &by);
    assert!(removed.await?);
    assert_eq!(store.refresh_due(&redemption.code, NOW).await?, None);
    assert_eq!(world.redeemed(&redemption.code, &session).await?, None);
    let renewal = Renewal {
        application: new.application,
        family: redemption.code,
        number: 0,
    };
    assert_eq!(store.renew(&renewal, &world.by()).await?, Renewed::Over);
    Ok(())
}
