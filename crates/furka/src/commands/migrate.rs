//! `furka migrate`: the database comes to this version's schema.

use std::sync::Arc;

use clap::Args;

use crate::{
    config::Config,
    failure::{Exit, Outcome},
    key_file, print,
};

/// What `furka migrate` is told.
#[derive(Args)]
pub(crate) struct Migrate {
    /// Only says what would be done.
    #[arg(long)]
    plan: bool,
}

impl Migrate {
    pub(crate) async fn run(self, config: &Config) -> Outcome {
        let pending = config.database.migrate_plan().await?;
        if pending.is_empty() {
            print::line("the database has this version's schema already");
            return Ok(Exit::Done);
        }
        for name in &pending {
            print::line(format_args!("+ {name}"));
        }
        if self.plan {
            return Ok(Exit::PlanWaits);
        }
        let keys = Arc::new(key_file::read(&config.key_file)?);
        drop(config.database.open(keys).await?);
        print::line(format_args!(
            "{} done",
            print::count(pending.len() as u64, "step", "steps")
        ));
        Ok(Exit::Done)
    }
}
