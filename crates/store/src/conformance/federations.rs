//! Promises about what federations last said of their members.

use super::world::{Cause, Kept, NOW, World, count};
use crate::FederationCopy;

fn copy(world: &World, at: i64, document: &[u8]) -> FederationCopy {
    FederationCopy {
        at: NOW.plus(at),
        document: document.to_vec(),
        id: format!("federation-{}", world.number()),
        source: world.hash(),
        until: NOW.plus(100),
    }
}

async fn found(world: &World, id: &str) -> Result<Option<FederationCopy>, Cause> {
    let all = world.other().federations().await?;
    Ok(all.into_iter().find(|one| one.id == id))
}

/// What a federation says is kept until it says something else, and everybody hears of that only.
pub(super) async fn what_a_federation_said_is_kept_until_it_says_more(world: &World) -> Kept {
    let store = world.store();
    let first = copy(world, 0, b"first");
    let generation = store.generation().await?;
    assert!(store.keep_federation(&first).await?);
    assert!(store.generation().await? > generation, "nobody hears of it");
    assert_eq!(found(world, &first.id).await?, Some(first.clone()));
    let same = FederationCopy {
        at: NOW.plus(60),
        ..first.clone()
    };
    assert!(!store.keep_federation(&same).await?);
    for next in [
        FederationCopy {
            until: NOW.plus(200),
            ..same.clone()
        },
        FederationCopy {
            document: b"second".to_vec(),
            ..same.clone()
        },
        FederationCopy {
            source: world.hash(),
            ..same
        },
    ] {
        assert!(store.keep_federation(&next).await?);
        assert_eq!(found(world, &first.id).await?, Some(next));
    }
    assert!(
        !store.keep_federation(&first).await?,
        "an earlier one is too late"
    );
    // A node whose clock was ahead holds nobody up until then.
    let ahead = FederationCopy {
        at: NOW.plus(86_400),
        document: b"ahead".to_vec(),
        ..first.clone()
    };
    assert!(store.keep_federation(&ahead).await?);
    let right = FederationCopy {
        document: b"right".to_vec(),
        ..first.clone()
    };
    assert!(store.keep_federation(&right).await?);
    assert_eq!(found(world, &first.id).await?, Some(right));
    Ok(())
}

/// Of many copies that nodes bring at once the one that was fetched last stays.
pub(super) async fn of_many_copies_at_once_the_last_one_fetched_stays(world: &World) -> Kept {
    let first = copy(world, 0, b"0");
    let outcomes = world
        .race(16, |store, number| {
            let at = i64::try_from(number).unwrap_or_default();
            let copy = FederationCopy {
                at: NOW.plus(at),
                document: number.to_string().into_bytes(),
                ..first.clone()
            };
            async move { store.keep_federation(&copy).await }
        })
        .await?;
    assert!(count(&outcomes, &true) >= 1);
    let kept = found(world, &first.id).await?;
    assert_eq!(kept.map(|copy| copy.document), Some(b"15".to_vec()));
    Ok(())
}
