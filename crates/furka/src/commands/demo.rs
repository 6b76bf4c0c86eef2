//! `furka demo`: a whole canton on this machine.

use std::path::PathBuf;

use clap::Args;

use crate::failure::{Failure, Outcome};

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
        let place = dir.map_or("memory".to_owned(), |dir| dir.display().to_string());
        Err(Failure::new(format!("the demo on port {port} in {place} is not part of this build")))
    }
}
