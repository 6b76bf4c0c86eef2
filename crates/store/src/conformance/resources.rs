//! Promises about documents and signing keys.

use journey::Secret;

use super::world::{Cause, Kept, NOW, World, count};
use crate::{KeyRecord, Resource, ResourceKind};

async fn current(world: &World, kind: ResourceKind) -> Result<Resource, Cause> {
    let found = world.store().resource(kind).await?;
    Ok(found.unwrap_or(Resource {
        kind,
        text: String::new(),
        version: 0,
    }))
}

fn edited(document: &Resource, text: &str) -> Resource {
    Resource {
        text: text.into(),
        ..document.clone()
    }
}

/// [P04] Two people who edit the same version do not overwrite each other.
pub(super) async fn of_many_edits_of_one_version_one_is_applied(world: &World) -> Kept {
    for round in 0..2 {
        let document = current(world, ResourceKind::Zones).await?;
        assert_eq!(document.version, round);
        let outcomes = world
            .race(8, |store, number| {
                let (edited, by) = (edited(&document, &number.to_string()), world.by());
                async move { store.apply(&[edited], &by).await }
            })
            .await?;
        assert_eq!(count(&outcomes, &true), 1);
        let now = current(world, ResourceKind::Zones).await?;
        let winner = outcomes.iter().position(|won| *won);
        assert_eq!(
            (now.version, Some(now.text)),
            (round + 1, winner.map(|at| at.to_string()))
        );
    }
    Ok(())
}

pub(super) async fn documents_change_together_or_not_at_all(world: &World) -> Kept {
    let policy = current(world, ResourceKind::Policy).await?;
    let mut stale = current(world, ResourceKind::Gateways).await?;
    stale.version += 1;
    let generation = world.store().generation().await?;
    let by = world.by();
    let both = [edited(&policy, "new"), edited(&stale, "new")];
    assert!(!world.store().apply(&both, &by).await?);
    assert_eq!(current(world, ResourceKind::Policy).await?, policy);
    assert_eq!(world.store().generation().await?, generation);
    assert!(
        world
            .store()
            .audit_by_support(&by.support)
            .await?
            .is_empty()
    );
    stale.version -= 1;
    let both = [edited(&policy, "new"), edited(&stale, "new")];
    assert!(world.store().apply(&both, &by).await?);
    assert_eq!(world.store().audit_by_support(&by.support).await?.len(), 2);
    Ok(())
}

fn new_key(world: &World, algorithm: &str) -> KeyRecord {
    KeyRecord {
        algorithm: algorithm.into(),
        kid: format!("key-{}", world.number()),
        pkcs8: Secret::new(world.hash().to_vec()),
        until: None,
    }
}

pub(super) async fn a_retired_key_is_published_until_its_end(world: &World) -> Kept {
    let (old, new, other) = (
        new_key(world, "ES256"),
        new_key(world, "ES256"),
        new_key(world, "RS256"),
    );
    let store = world.store();
    store.rotate_key(&old, NOW, &world.by()).await?;
    store.rotate_key(&other, NOW, &world.by()).await?;
    store.rotate_key(&new, NOW.plus(100), &world.by()).await?;
    let keys = store.signing_keys(NOW.plus(99)).await?;
    let of = |kid: &str| keys.iter().find(|key| key.kid == kid);
    let retired = of(&old.kid).ok_or("the old key is gone")?;
    assert_eq!(retired.until, Some(NOW.plus(100)));
    assert!(retired.pkcs8.matches(old.pkcs8.expose()));
    assert_eq!(of(&new.kid).map(|key| key.until), Some(None));
    assert_eq!(of(&other.kid).map(|key| key.until), Some(None));
    let later = store.signing_keys(NOW.plus(100)).await?;
    assert!(later.iter().all(|key| key.kid != old.kid));
    // Whoever may know the keys of before may know those that are retired already.
    let newest = new_key(world, "ES256");
    store.rotate_key(&newest, NOW, &world.by()).await?;
    let believed = store.signing_keys(NOW).await?;
    let former = [&old.kid, &new.kid];
    assert!(believed.iter().all(|key| !former.contains(&&key.kid)));
    assert!(believed.iter().any(|key| key.kid == newest.kid));
    assert!(believed.iter().any(|key| key.kid == other.kid));
    Ok(())
}

pub(super) async fn whatever_changes_moves_the_generation(world: &World) -> Kept {
    let before = world.store().generation().await?;
    world
        .store()
        .rotate_key(&new_key(world, "ES256"), NOW, &world.by())
        .await?;
    let between = world.store().generation().await?;
    let document = current(world, ResourceKind::Applications).await?;
    assert!(world.store().apply(&[document], &world.by()).await?);
    let after = world.store().generation().await?;
    assert!(before < between && between < after);
    Ok(())
}
