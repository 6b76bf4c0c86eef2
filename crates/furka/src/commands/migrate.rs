//! `furka migrate`: the database comes to this version's schema.

use std::sync::Arc;

use clap::Args;
use store::sqlite::Sqlite;

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
        let pending = Sqlite::migrate_plan(&config.database)?;
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
        drop(Sqlite::open(&config.database, keys)?);
        print::line(format_args!(
            "{} done",
            print::count(pending.len() as u64, "step", "steps")
        ));
        Ok(Exit::Done)
    }
}
