//! `furka demo`: a whole canton on this machine.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Doing, Exit, Outcome};

/// What `furka demo` is told.
#[derive(Args)]
pub(crate) struct Demo {
    /// The first of four ports in a row: provider, portal, school administration, phones.
    #[arg(long, default_value_t = 8400)]
    port: u16,
    /// Where it keeps its database; a folder that goes away with it if none is given.
    #[arg(long)]
    dir: Option<PathBuf>,
}

impl Demo {
    pub(crate) async fn run(self) -> Outcome {
        let Self { port, dir } = self;
        crate::demo::run(port, dir)
            .await
            .doing(|| "running the demo".to_owned())?;
        Ok(Exit::Done)
    }
}
