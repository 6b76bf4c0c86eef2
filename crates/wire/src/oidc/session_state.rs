//! Session Management 1.0: what an application's page compares to notice that the session has changed.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

use crate::oauth::client::{Client, web_origin};

/// The `session_state` for an application whose page is at the origin of a redirect address. `browser` is the
/// state of the browser, as its cookie has it; `salt` is drawn by chance.
// [Session Management §2] "It MUST NOT contain the space (" ") character."
#[must_use]
pub fn session_state(
    client: &Client,
    redirect_uri: &str,
    browser: &str,
    salt: [u8; 16],
) -> Option<String> {
    if !client.session_management {
        return None;
    }
    let origin = web_origin(redirect_uri)?;
    let salt = HEXLOWER.encode(&salt);
    let text = format!("{} {origin} {browser} {salt}", client.id);
    let hash = digest(&SHA256, text.as_bytes());
    Some(format!("{}.{salt}", HEXLOWER.encode(hash.as_ref())))
}

/// Where pages may be that ask whether the session has changed: the origins of the applications that are
/// registered for it and switched on.
#[must_use]
pub fn askers<'a>(clients: impl IntoIterator<Item = &'a Client>) -> BTreeSet<String> {
    let asking = clients
        .into_iter()
        .filter(|client| client.enabled && client.session_management);
    let addresses = asking.flat_map(|client| &client.redirect_uris);
    addresses.filter_map(|uri| web_origin(uri)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ent, native};

    fn watched() -> Client {
        Client {
            session_management: true,
            ..ent()
        }
    }

    /// [Session Management §2] "It MUST NOT contain the space (" ") character."
    /// The value is what the script of the frame computes: see `crates/server/static/check-session.js`.
    #[test]
    fn a_session_state_is_of_one_application_one_place_and_one_browser() {
        let at = "https://edu.example/callback";
        let state = session_state(&watched(), at, "b1", [7; 16]).unwrap();
        let salt = "07070707070707070707070707070707";
        let text = format!("ent https://edu.example b1 {salt}");
        let hash = HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref());
        assert_eq!(state, format!("{hash}.{salt}"));
        assert!(!state.contains(' '));
        let other = Client {
            id: "ism".to_owned(),
            ..watched()
        };
        for different in [
            session_state(&watched(), at, "b2", [7; 16]),
            session_state(&watched(), at, "b1", [8; 16]),
            session_state(&watched(), "https://edu.example:8443/cb", "b1", [7; 16]),
            session_state(&other, at, "b1", [7; 16]),
        ] {
            assert_ne!(different.unwrap(), state);
        }
        assert_eq!(session_state(&ent(), at, "b1", [7; 16]), None, "off");
    }

    /// [C01] Nobody frames the page who is not registered for it.
    #[test]
    fn only_applications_that_are_registered_for_it_may_ask() {
        let off = Client {
            enabled: false,
            redirect_uris: vec!["https://off.example/cb".to_owned()],
            ..watched()
        };
        let silent = Client {
            redirect_uris: vec!["https://silent.example/cb".to_owned()],
            ..ent()
        };
        let found = askers(&[watched(), off, silent]);
        assert_eq!(found, BTreeSet::from(["https://edu.example".to_owned()]));
        let on_a_device = Client {
            session_management: true,
            ..native()
        };
        assert_eq!(on_a_device.check().len(), 1, "it has no page in a browser");
    }
}
