//! `furka app list`: the applications in one table.

use super::{Application, word};
use crate::{
    failure::{Exit, Outcome},
    installation::Installation,
    print::{self, Table},
};

pub(super) async fn run(here: &Installation) -> Outcome {
    let file = here.applications().await?;
    let all = Application::all(&file);
    let mut table = Table::new(["application", "name", "speaks", "minimum", "state", "gets"]);
    for one in &all {
        table.row([
            one.id().to_owned(),
            one.name().en.clone(),
            one.speaks().to_owned(),
            minimum(*one),
            if one.enabled() { "enabled" } else { "off" }.to_owned(),
            gets(*one),
        ]);
    }
    print::line(table);
    let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
    print::aside(print::count(count, "application", "applications"));
    Ok(Exit::Done)
}

/// The least that must be proven; at a gate, from the weakest to the strongest of its rules.
fn minimum(application: Application<'_>) -> String {
    let Application::Gate(site) = application else {
        return word(application.minimum("/"));
    };
    let rules = || site.rule.iter().map(|rule| rule.minimum);
    let least = rules().min().unwrap_or_default();
    match rules().max().unwrap_or_default() {
        most if most == least => word(least),
        most => format!("{} to {}", word(least), word(most)),
    }
}

/// What it may be told, in the words of its registration.
fn gets(application: Application<'_>) -> String {
    let words = match application {
        Application::Cas(service) => service.attributes.iter().map(word).collect(),
        Application::Gate(site) => site.headers.iter().map(word).collect(),
        Application::Oidc(client) => client.scopes.iter().map(word).collect(),
        Application::Saml(saml) => saml.attributes.iter().map(word).collect::<Vec<_>>(),
    };
    match words.is_empty() {
        true => "-".to_owned(),
        false => words.join(" "),
    }
}
