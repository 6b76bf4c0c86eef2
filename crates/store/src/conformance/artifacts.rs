//! Promises about SAML messages that wait until they are fetched.

use super::world::{Kept, NOW, World};
use crate::WaitingMessage;

fn message(world: &World) -> WaitingMessage {
    WaitingMessage {
        key: world.hash(),
        sealed: b"a message".to_vec(),
        until: NOW.plus(60),
    }
}

/// [X08] A message is handed out once, on whichever node it is asked for, and to nobody who has another key.
pub(super) async fn a_message_is_fetched_once_and_in_time(world: &World) -> Kept {
    let (store, other) = (world.store(), world.other());
    let message = message(world);
    store.leave_message(&message).await?;
    assert_eq!(other.fetch_message(&world.hash(), NOW).await?, None);
    let fetched = other.fetch_message(&message.key, NOW).await?;
    assert_eq!(fetched.as_deref(), Some(b"a message".as_slice()));
    assert_eq!(store.fetch_message(&message.key, NOW).await?, None);
    let late = WaitingMessage {
        key: world.hash(),
        ..message
    };
    store.leave_message(&late).await?;
    assert_eq!(store.fetch_message(&late.key, late.until).await?, None);
    Ok(())
}

/// [X08] Of many who fetch a message at once, one gets it.
pub(super) async fn of_many_who_fetch_a_message_at_once_one_gets_it(world: &World) -> Kept {
    let message = message(world);
    world.store().leave_message(&message).await?;
    let outcomes = world
        .race(16, |store, _| {
            let key = message.key;
            async move { store.fetch_message(&key, NOW).await }
        })
        .await?;
    assert_eq!(outcomes.iter().flatten().count(), 1);
    Ok(())
}
