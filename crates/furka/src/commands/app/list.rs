//! `furka app list`: the applications in one table.

use wire::{oauth::registration::Registered, saml::Federation};

use super::{Application, word};
use crate::{
    failure::{Exit, Failure, Outcome},
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
    list_guests(here).await?;
    list_federations(here, &file.federation).await?;
    let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
    print::aside(print::count(count, "application", "applications"));
    Ok(Exit::Done)
}

/// Those that registered themselves: with whose invitation, and whom to ask.
async fn list_guests(here: &Installation) -> Result<(), Failure> {
    let guests = here.store.registrations().await?;
    if guests.is_empty() {
        return Ok(());
    }
    let mut table = Table::new([
        "registered itself",
        "invitation",
        "at",
        "changed",
        "contacts",
    ]);
    for guest in &guests {
        let contacts = match Registered::read(&guest.document) {
            Ok(registered) => registered.said.contacts.join(", "),
            Err(wrong) => format!("it cannot be used: {wrong}"),
        };
        table.row([
            guest.application.clone(),
            guest.invitation.clone(),
            guest.at.to_string(),
            guest.changed.to_string(),
            contacts,
        ]);
    }
    print::line(format_args!("\n{table}"));
    Ok(())
}

/// Federations, and how many of their members are known until when.
async fn list_federations(here: &Installation, trusted: &[Federation]) -> Result<(), Failure> {
    if trusted.is_empty() {
        return Ok(());
    }
    let copies = here.store.federations().await?;
    let mut table = Table::new(["federation", "members", "said at", "counts until", "state"]);
    for federation in trusted {
        let source = federation.source();
        let its = copies
            .iter()
            .find(|copy| copy.id == federation.id && copy.source == source);
        let [members, at, until] = match its {
            None => ["-", "never", "-"].map(str::to_owned),
            Some(copy) => {
                let members = federation.members(&copy.document);
                let members = members.map_or_else(|_| "?".to_owned(), |all| all.len().to_string());
                [members, copy.at.to_string(), copy.until.to_string()]
            }
        };
        let state = match its {
            _ if !federation.enabled => "off",
            None => "not fetched yet",
            Some(copy) if copy.until <= here.now() => "over",
            Some(_) => "enabled",
        };
        table.row([federation.id.clone(), members, at, until, state.to_owned()]);
    }
    print::line(format_args!("\n{table}"));
    Ok(())
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
