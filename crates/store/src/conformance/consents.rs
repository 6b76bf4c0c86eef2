//! Promises about what people let applications know.

use journey::Method;

use super::world::{Kept, NOW, World};
use crate::Consent;

/// [C12] A consent is somebody's own, for one application, the last one counts, and it can be taken back.
pub(super) async fn a_consent_is_remembered_until_it_is_taken_back(world: &World) -> Kept {
    let (one, other) = (
        world.person(Method::Sms).await?,
        world.person(Method::Sms).await?,
    );
    let consent = |application: &str, scope: &str| Consent {
        application: application.to_owned(),
        at: NOW,
        person: one,
        scope: scope.to_owned(),
    };
    let (store, by) = (world.store(), world.by());
    let (choir, library) = (
        consent("choir", "openid profile"),
        consent("library", "openid"),
    );
    for given in [&library, &consent("choir", "openid"), &choir] {
        store.consent(given, &by).await?;
    }
    assert_eq!(store.consents(one).await?, [choir, library.clone()]);
    assert_eq!(store.consents(other).await?, []);
    assert!(!store.take_back(other, "choir", &by).await?);
    assert!(store.take_back(one, "choir", &by).await?);
    assert!(!store.take_back(one, "choir", &by).await?);
    assert_eq!(store.consents(one).await?, [library]);
    let told = store.audit_by_support(&by.support).await?;
    assert_eq!(told.len(), 4);
    Ok(())
}
