//! What a CAS application is told: the answer of `/cas/p3/serviceValidate`.

use journey::Assurance;
use serde_json::{Map, Value};
use server::release;
use wire::cas::{Attribute, Format, Service, Success, User};

use super::{Answer, Case, Message, word};

/// All that could be released.
const ALL: [Attribute; 7] = [
    Attribute::DisplayName,
    Attribute::GivenName,
    Attribute::Sn,
    Attribute::Mail,
    Attribute::Groups,
    Attribute::Language,
    Attribute::Telephone,
];

pub(super) fn answer(service: &Service, case: &Case<'_>) -> Answer {
    let success = Success {
        granting: None,
        proxies: Vec::new(),
        user: release::cas_user(service, case.person),
        authenticated_at: 0,
        is_from_new_login: true,
        authn_context: release::acr(Assurance::Strong),
        released: service.released(&case.profile),
    };
    let sources = ALL.map(|one| Some((alone(service, case, one)?, source(one))));
    let user = match service.user {
        User::Username => "the register: user name",
        User::Id => "their id, which never changes",
    };
    let mut parts = vec![["user".to_owned(), success.user.clone(), user.to_owned()]];
    for (name, value) in attributes(&success) {
        let known = sources.iter().flatten().find(|(own, _)| *own == name);
        let (value, source) = match known {
            Some((_, source)) => (shown(&value), *source),
            None => ("\u{2026}".to_owned(), source_of_every_answer(&name)),
        };
        parts.push([name, value, source.to_owned()]);
    }
    Answer {
        missing: missing(service, case),
        messages: vec![Message {
            title: "validation",
            parts,
        }],
        notes: Vec::new(),
        obstacles: Vec::new(),
    }
}

/// The attributes as the answer lists them.
fn attributes(success: &Success) -> Map<String, Value> {
    let answer = success.with_attributes(Format::Json);
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let attributes = answer.pointer("/serviceResponse/authenticationSuccess/attributes");
    attributes
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

fn shown(value: &Value) -> String {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        value => text(value),
    }
}

/// The name under which an attribute is sent; none if nothing is known.
fn alone(service: &Service, case: &Case<'_>, attribute: Attribute) -> Option<String> {
    let only = Service {
        attributes: vec![attribute],
        ..service.clone()
    };
    let released = only.released(&case.profile);
    released.first().map(|(name, _)| (*name).to_owned())
}

fn missing(service: &Service, case: &Case<'_>) -> Vec<[String; 2]> {
    let why = |attribute: Attribute| {
        let name = word(attribute);
        let registered = service.attributes.contains(&attribute);
        let known = alone(service, case, attribute).is_some();
        match (registered, known) {
            (true, true) => None,
            (true, false) => Some([name, "nothing is known".to_owned()]),
            (false, _) => Some([name, "its `attributes` do not list it".to_owned()]),
        }
    };
    ALL.into_iter().filter_map(why).collect()
}

const fn source(attribute: Attribute) -> &'static str {
    match attribute {
        Attribute::DisplayName => "the register: first and last name",
        Attribute::GivenName => "the register: first name",
        Attribute::Sn => "the register: last name",
        Attribute::Mail => "the register: mail; nobody has proven that they read it",
        Attribute::Groups => "the register: role",
        Attribute::Language => "the register: language",
        Attribute::Telephone => "the number fixed at activation",
    }
}

/// What the protocol says in every answer.
fn source_of_every_answer(name: &str) -> &'static str {
    match name {
        "authenticationDate" => "when they proved it",
        "authnContextClass" => "what was proven: see above",
        "isFromNewLogin" => "whether the password was typed for this sign-in",
        "longTermAuthenticationRequestTokenUsed" => "there is no such token: always `false`",
        _ => "",
    }
}
