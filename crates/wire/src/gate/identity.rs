//! The headers by which an application behind the gate knows a person.

use serde::{Deserialize, Serialize};

use crate::oidc::claims::Profile;

/// The names, in small letters. All of them are in every answer that lets somebody pass, empty where
/// nothing is said: so nothing that a client sent under these names is left.
pub const IDENTITY: [&str; 5] = [
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "remote-acr",
];

/// What an application may get.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The name they sign in with, in `Remote-User`.
    User,
    /// First and last name in UTF-8, in `Remote-Name`.
    Name,
    /// In `Remote-Email`. From the register: nobody has proven that they read it.
    Email,
    /// Separated by commas, in `Remote-Groups`.
    Groups,
    /// What was proven, by its URI, in `Remote-Acr`.
    Acr,
}

/// All headers for a person: those released with their value in UTF-8, the others empty.
#[must_use]
pub fn headers(
    profile: &Profile,
    acr: &'static str,
    released: &[Identity],
) -> [(&'static str, String); 5] {
    let text = |value: &Option<String>| {
        let value = value.as_deref().unwrap_or_default();
        value
            .chars()
            .filter(|c| !c.is_control())
            .collect::<String>()
    };
    // A comma would make two groups of one.
    let groups = profile.groups.iter().filter(|group| !group.contains(','));
    let groups: Vec<&str> = groups.map(String::as_str).collect();
    let all = [
        (Identity::User, text(&profile.preferred_username)),
        (Identity::Name, text(&profile.name)),
        (Identity::Email, text(&profile.email)),
        (Identity::Groups, text(&Some(groups.join(",")))),
        (Identity::Acr, acr.to_owned()),
    ];
    let mut names = IDENTITY.into_iter();
    all.map(|(identity, value)| {
        let value = if released.contains(&identity) {
            value
        } else {
            String::new()
        };
        (names.next().unwrap_or_default(), value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [N08] [P08] Every header is always said; none can end a line or make a group.
    #[test]
    fn every_header_is_said_and_none_is_two() {
        let profile = Profile {
            preferred_username: Some("chloe\r\nRemote-Acr: x".to_owned()),
            name: Some("Chloé Zufferey".to_owned()),
            email: Some("chloe@edu.example".to_owned()),
            groups: vec!["teacher".to_owned(), "a,admin".to_owned(), "7b".to_owned()],
            ..Profile::default()
        };
        let released = [Identity::User, Identity::Name, Identity::Groups];
        assert_eq!(
            headers(&profile, "urn:mfa", &released),
            [
                ("remote-user", "chloeRemote-Acr: x".to_owned()),
                ("remote-name", "Chloé Zufferey".to_owned()),
                ("remote-email", String::new()),
                ("remote-groups", "teacher,7b".to_owned()),
                ("remote-acr", String::new()),
            ]
        );
    }
}
