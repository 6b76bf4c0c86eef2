//! Applications that registered themselves, and those that are still invited.

use super::*;
use crate::{NewInvitation, NewRegistration};

const INVITED: [u8; 32] = [8; 32];

fn guest(number: u8) -> NewRegistration {
    NewRegistration {
        application: format!("guest-{number}"),
        document: "{}".into(),
        invited_by: INVITED,
        token: [number; 32],
    }
}

/// [P15] [C17] Who registered before a backup is there after it; the invitation lets nobody in any more, because
/// nobody knows how many came with it since.
#[tokio::test]
async fn an_invitation_is_void_after_a_restore_and_who_came_with_it_is_there() {
    let here = Here::new();
    let (store, _) = filled(&here).await;
    let new = NewInvitation {
        bounds: "{}".into(),
        id: "spring".into(),
        token: INVITED,
        until: LATER.plus(1000),
        uses: 9,
    };
    assert!(store.invite(&new, &by()).await.unwrap());
    assert!(store.register(&guest(1), &by()).await.unwrap());
    here.backup("furka.backup").await.unwrap();
    here.restore("furka.backup", "new.db").await.unwrap();
    let new = here.open("new.db");
    let there = new.registration("guest-1", &[1; 32]).await.unwrap();
    assert_eq!(there.unwrap().invitation, "spring");
    assert_eq!(new.invitation(&INVITED, LATER).await.unwrap(), None);
    assert!(!new.register(&guest(2), &by()).await.unwrap());
    assert_eq!(new.registrations().await.unwrap().len(), 1);
}
