//! Whether somebody lets an application of others know about them.

use journey::PersonId;
use store::StoreError;
use wire::oauth::{client::Client, scope::Scope};

use crate::app::App;

/// Whether a person has agreed to all of this, and has not taken it back. Applications of the school
/// system need no consent.
pub(crate) async fn consented(
    app: &App,
    client: &Client,
    (person, scope): (PersonId, &Scope),
) -> Result<bool, StoreError> {
    if client.trusted {
        return Ok(true);
    }
    let consents = app.store.consents(person).await?;
    let given = consents.iter().any(|consent| {
        consent.application == client.id && Scope::understood(&consent.scope).includes(scope)
    });
    Ok(given)
}
