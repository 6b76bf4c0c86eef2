//! `furka app`: the applications, whatever language they speak.

mod add;
mod check;
mod explain;
mod invite;
mod list;
mod walk;

use std::path::Path;

use clap::Subcommand;
use wire::{
    cas, gate,
    oauth::client::{Applications, Assurance, Client, Name},
    saml,
};

use crate::{
    failure::{Failure, Outcome},
    installation::{Installation, config_path},
};

/// What can be done with applications.
#[derive(Subcommand)]
pub(crate) enum AppCommand {
    /// Registers an application, and prints what configures its side.
    #[command(subcommand)]
    Add(add::Add),
    /// Says what is wrong with a sign-in request of an application, by the standards.
    Check(check::Check),
    /// Lists the applications.
    List,
    /// Makes a token with which applications register themselves, within bounds, and prints it once.
    Invite(invite::Invite),
    /// Lists the invitations.
    Invitations,
    /// Ends an invitation: nobody registers with it any more. What came with it stays.
    Uninvite {
        /// Its name, as `furka app invitations` shows it.
        invitation: String,
    },
    /// Removes an application that registered itself, and all that it was given.
    Remove {
        /// Its id, as `furka app list` shows it.
        id: String,
    },
    /// Says exactly what an application would be told of somebody, and why the rest is missing.
    Explain(explain::Explain),
    /// Walks somebody's sign-in in a rehearsal: every message, where each part of it comes from, and what is
    /// wrong by the standards.
    Test(walk::Test),
}

impl AppCommand {
    pub(crate) async fn run(self, config: Option<&Path>) -> Outcome {
        let here = Installation::open(config).await?;
        match self {
            Self::Add(add) => add.run(&here, &config_path(config)).await,
            Self::Check(check) => check.run(&here).await,
            Self::List => list::run(&here).await,
            Self::Invite(invite) => invite.run(&here).await,
            Self::Invitations => invite::list(&here).await,
            Self::Uninvite { invitation } => invite::end(&here, &invitation).await,
            Self::Remove { id } => invite::remove(&here, &id).await,
            Self::Explain(explain) => explain.run(&here).await,
            Self::Test(test) => test.run(&here).await,
        }
    }
}

/// A registered application, by the language that it speaks.
#[derive(Clone, Copy)]
enum Application<'a> {
    Cas(&'a cas::Service),
    Gate(&'a gate::Site),
    Oidc(&'a Client),
    Saml(&'a saml::Application),
}

impl<'a> Application<'a> {
    /// All that are registered, by id.
    fn all(file: &'a Applications) -> Vec<Self> {
        let mut all: Vec<Self> = file.application.iter().map(Self::Oidc).collect();
        all.extend(file.saml.iter().map(Self::Saml));
        all.extend(file.cas.iter().map(Self::Cas));
        all.extend(file.gate.iter().map(Self::Gate));
        all.sort_by_key(|application| application.id());
        all
    }

    fn find(file: &'a Applications, id: &str) -> Result<Self, Failure> {
        let found = Self::all(file).into_iter().find(|one| one.id() == id);
        found.ok_or_else(|| {
            Failure::new(format!("there is no application `{id}`"))
                .cure("`furka app list` names them")
        })
    }

    fn id(self) -> &'a str {
        match self {
            Self::Cas(service) => &service.id,
            Self::Gate(site) => &site.id,
            Self::Oidc(client) => &client.id,
            Self::Saml(application) => &application.id,
        }
    }

    fn name(self) -> &'a Name {
        match self {
            Self::Cas(service) => &service.name,
            Self::Gate(site) => &site.name,
            Self::Oidc(client) => &client.name,
            Self::Saml(application) => &application.name,
        }
    }

    fn enabled(self) -> bool {
        match self {
            Self::Cas(service) => service.enabled,
            Self::Gate(site) => site.enabled,
            Self::Oidc(client) => client.enabled,
            Self::Saml(application) => application.enabled,
        }
    }

    /// The least that must be proven: for the whole application, or for one of its paths.
    fn minimum(self, path: &str) -> Assurance {
        match self {
            Self::Cas(service) => service.minimum,
            Self::Gate(site) => site
                .rule(path)
                .map_or_else(Assurance::default, |rule| rule.minimum),
            Self::Oidc(client) => client.minimum,
            Self::Saml(application) => application.minimum,
        }
    }

    fn speaks(self) -> &'static str {
        match self {
            Self::Cas(_) => "CAS",
            Self::Gate(_) => "gate",
            Self::Oidc(_) => "OpenID Connect",
            Self::Saml(_) => "SAML",
        }
    }
}

/// A value as it stands in `applications.toml`.
fn word(value: impl serde::Serialize) -> String {
    let value = toml::Value::try_from(value).ok();
    value
        .and_then(|value| Some(value.as_str()?.to_owned()))
        .unwrap_or_default()
}
