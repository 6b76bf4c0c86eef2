//! Step: the application is known and enabled.

use super::Fault;
use crate::form::Fields;
use crate::oauth::client::Client;

/// A request of a registered, enabled application; nothing else is believed.
pub(super) struct Known<'a> {
    pub(super) fields: &'a Fields,
    pub(super) client: &'a Client,
}

pub(super) fn known<'a, 'c: 'a>(
    fields: &'a Fields,
    find: impl FnOnce(&str) -> Option<&'c Client>,
) -> Result<Known<'a>, Fault> {
    let id = fields
        .one("client_id")
        .map_err(|_| Fault::AddressRepeated)?;
    let id = id.ok_or(Fault::ClientMissing)?;
    let client = find(id).filter(|client| client.enabled && client.id == id);
    Ok(Known {
        fields,
        client: client.ok_or(Fault::ClientUnknown)?,
    })
}
