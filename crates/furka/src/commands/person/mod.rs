//! `furka person`: who is known, and how they come in.

mod columns;
mod import;
mod people_file;
mod progress;
mod show;
mod text;

use clap::Subcommand;

pub(crate) use self::progress::Progress;
use crate::{failure::Outcome, installation::Installation};

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
        }
    }
}
