//! `furka person`: who is known, and how they come in.

mod columns;
mod import;
mod people_file;
mod progress;
mod reset;
mod show;
mod text;

use clap::Subcommand;

pub(crate) use self::progress::Progress;
use crate::{
    failure::{Exit, Outcome},
    installation::Installation,
    print,
};

/// What can be done with people.
#[derive(Subcommand)]
pub(crate) enum PersonCommand {
    /// Takes people in from a file: all of them, or nobody.
    Import(import::Import),
    /// Shows somebody: method, factors, sessions, activation. No secrets.
    #[command(after_help = "Example:\n  furka person show anna.rey")]
    Show {
        /// User name or alias.
        name: String,
    },
    /// Lists people.
    List {
        /// Only those of a school.
        #[arg(long)]
        school: Option<String>,
        /// Only those who are not activated.
        #[arg(long, conflicts_with = "school")]
        not_activated: bool,
    },
    /// Switches somebody off: sessions, codes and journeys end at once, and no sign-in begins.
    #[command(after_help = "Example:\n  furka person disable anna.rey")]
    Disable {
        /// User name or alias.
        name: String,
    },
    /// Takes back what somebody signs in with, because they lost or forgot it: all that they have begun ends,
    /// and they set it up anew.
    Reset(reset::Reset),
    /// Switches somebody on again. They sign in as before.
    Enable {
        /// User name or alias.
        name: String,
    },
}

impl PersonCommand {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        match self {
            Self::Import(import) => import.run(here).await,
            Self::Show { name } => show::one(here, &name).await,
            Self::List {
                school,
                not_activated,
            } => show::list(here, school, not_activated).await,
            Self::Reset(reset) => reset.run(here).await,
            Self::Disable { name } => switch(here, &name, true).await,
            Self::Enable { name } => switch(here, &name, false).await,
        }
    }
}

/// Effective at once on everything that runs with this database.
async fn switch(here: &Installation, name: &str, disabled: bool) -> Outcome {
    let account = here.account(name).await?;
    let (command, state) = match disabled {
        true => ("person disable", "switched off: every sign-in is refused"),
        false => ("person enable", "switched on"),
    };
    here.store
        .disable(account.person.id, disabled, &here.by(command))
        .await?;
    print::line(format_args!("{} is {state}", account.person.username));
    Ok(Exit::Done)
}
