//! What an application behind the gate is told: the headers.

use journey::Assurance;
use server::release;
use wire::gate::{Identity, Site, headers};

use super::{Answer, Case, Message};

/// All headers, in their order.
const ALL: [Identity; 5] = [
    Identity::User,
    Identity::Name,
    Identity::Email,
    Identity::Groups,
    Identity::Acr,
];

pub(super) fn answer(site: &Site, case: &Case<'_>) -> Answer {
    let path = &case.asked.path;
    let obstacle = match site.rule(path) {
        None => Some(format!(
            "no rule stands for `{path}`: nobody may enter there"
        )),
        Some(rule) if !rule.admits(&case.profile.groups) => {
            let groups = rule.groups.join(", ");
            Some(format!(
                "the rule for `{}` lets in {groups} only",
                rule.path
            ))
        }
        Some(_) => None,
    };
    let said = headers(
        &case.profile,
        release::acr(Assurance::Strong),
        &site.headers,
    );
    let mut parts = Vec::new();
    let mut missing = Vec::new();
    for (identity, (name, value)) in ALL.into_iter().zip(said) {
        let listed = site.headers.contains(&identity);
        if value.is_empty() {
            let why = match listed {
                true => "nothing is known: sent empty",
                false => "its `headers` do not list it: sent empty",
            };
            missing.push([name.to_owned(), why.to_owned()]);
        } else if identity == Identity::Acr {
            let (new, from) = (
                "\u{2026}".to_owned(),
                "what was proven: see above".to_owned(),
            );
            parts.push([name.to_owned(), new, from]);
        } else {
            parts.push([name.to_owned(), value, source(identity).to_owned()]);
        }
    }
    Answer {
        missing,
        messages: vec![Message {
            title: "headers",
            parts,
        }],
        notes: Vec::new(),
        obstacles: obstacle.into_iter().collect(),
    }
}

const fn source(identity: Identity) -> &'static str {
    match identity {
        Identity::User => "the register: user name",
        Identity::Name => "the register: first and last name",
        Identity::Email => "the register: mail; nobody has proven that they read it",
        Identity::Groups => "the register: role",
        Identity::Acr => "what was proven",
    }
}
