//! `furka dev`: what those need who try the provider out, and nobody who runs it.

pub(super) mod dice;
mod names;
mod populate;
mod somebody;

use clap::Subcommand;

use crate::{failure::Outcome, installation::Installation};

/// What can be done to try the provider out.
#[derive(Subcommand)]
pub(crate) enum DevCommand {
    /// Fills an empty database with people who do not exist.
    Populate(populate::Populate),
}

impl DevCommand {
    pub(crate) async fn run(
        self,
        open: impl AsyncFnOnce() -> Result<Installation, crate::failure::Failure>,
    ) -> Outcome {
        match self {
            Self::Populate(populate) => populate.run(open).await,
        }
    }
}
