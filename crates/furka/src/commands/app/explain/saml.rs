//! What a SAML application is told: the name in the assertion, and its attributes.

use wire::saml::{Application, NameIdFormat, Whom, application::Released};

use super::{Answer, Case, Message, word};

/// Stands for the key of a session: names that hang on it are not shown.
const SESSION: [u8; 32] = [0; 32];
/// All that could be released.
const ALL: [Released; 14] = [
    Released::Uid,
    Released::DisplayName,
    Released::GivenName,
    Released::Sn,
    Released::Mail,
    Released::PrincipalName,
    Released::Affiliation,
    Released::ScopedAffiliation,
    Released::Groups,
    Released::Language,
    Released::Telephone,
    Released::Methods,
    Released::PairwiseId,
    Released::SubjectId,
];

pub(super) fn answer(application: &Application, case: &Case<'_>) -> Answer {
    let id = case.person.id.to_string();
    let whom = Whom {
        person: &id,
        session: &SESSION,
        methods: &["\u{2026}"],
        profile: &case.profile,
        scope: case.host,
    };
    let mut obstacles = Vec::new();
    if !application.lets_in(&case.profile.groups) {
        let groups = application.groups.join(", ");
        obstacles.push(format!("its `groups` let in {groups} only"));
    }
    let mut missing = Vec::new();
    let mut parts = Vec::new();
    match application.known(None, whom) {
        None => obstacles.push("they have no such name as its `name_id` says".to_owned()),
        Some(known) => parts.extend(names(known.name_id.format, known.name_id.value)),
    }
    for which in ALL {
        let registered = application.attributes.contains(&which);
        // One by one, so that each can be traced to its line in the registration.
        let alone = Application {
            attributes: vec![which],
            ..application.clone()
        };
        match alone.released(whom).pop() {
            Some(sent) if registered => {
                let name = format!("{} ({})", sent.friendly, sent.name);
                parts.push([name, sent.values.join(", "), source(which).to_owned()]);
            }
            Some(_) => missing.push([word(which), "its `attributes` do not list it".to_owned()]),
            None if registered => missing.push([word(which), "nothing is known".to_owned()]),
            None => missing.push([
                word(which),
                "its `attributes` do not list it, and nothing is known".to_owned(),
            ]),
        }
    }
    Answer {
        missing,
        messages: vec![Message {
            title: "assertion",
            parts,
        }],
        notes: Vec::new(),
        obstacles,
    }
}

fn names(format: NameIdFormat, value: String) -> [[String; 3]; 3] {
    let new = "\u{2026}".to_owned();
    let (value, from) = match format {
        NameIdFormat::Persistent => (value, "their id and the application's `salt`"),
        NameIdFormat::Transient => (new.clone(), "the session and the application's `salt`"),
        NameIdFormat::Email => (value, "the register: mail"),
        NameIdFormat::Unspecified => (value, "the register: user name"),
    };
    [
        ["NameID".to_owned(), value, from.to_owned()],
        [
            "NameID Format".to_owned(),
            format.uri().to_owned(),
            "`name_id`, if the request asks for no other".to_owned(),
        ],
        [
            "SessionIndex".to_owned(),
            new,
            "the session and the application's `salt`".to_owned(),
        ],
    ]
}

const fn source(which: Released) -> &'static str {
    match which {
        Released::Uid => "the register: user name",
        Released::DisplayName => "the register: first and last name",
        Released::GivenName => "the register: first name",
        Released::Sn => "the register: last name",
        Released::Mail => "the register: mail; nobody has proven that they read it",
        Released::PrincipalName => "the register: user name, at the host of `public_url`",
        Released::Affiliation | Released::Groups => "the register: role",
        Released::ScopedAffiliation => "the register: role, at the host of `public_url`",
        Released::Language => "the register: language",
        Released::Telephone => "the number fixed at activation",
        Released::Methods => "what was proven: see above",
        Released::PairwiseId => "their id and the application's `salt`",
        Released::SubjectId => "their id, the same for all applications",
    }
}
