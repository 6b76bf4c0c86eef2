//! `furka store`: moving to another engine.

mod bar;
mod refusal;

use std::sync::Arc;

use clap::{Args, Subcommand};
use store::image;

pub(crate) use self::{bar::Bar, refusal::cure};
use crate::{
    config::{Config, Database},
    failure::{Exit, Failure, Outcome},
    key_file, print,
};

/// What can be done with databases as a whole.
#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// Copies everything from one database into another, empty one.
    Copy(Copy),
}

/// What `furka store copy` is told.
#[derive(Args)]
#[command(after_help = "\
Stop every `furka serve` on the old database first: it is read twice, and must be the same. People
stay signed in, and what was spent stays spent. If it breaks off, run it again; nothing serves from a
database that is half copied. Both databases belong to the key file that the configuration names.

  furka store copy --from sqlite:/etc/furka/furka.sqlite --to postgres://furka@db.example.ch/furka

Then write the new address into the configuration, and start.")]
pub(crate) struct Copy {
    /// The database that is in use.
    #[arg(long, value_name = "DATABASE")]
    from: String,
    /// The new one; there is nothing in it.
    #[arg(long, value_name = "DATABASE")]
    to: String,
}

impl StoreCommand {
    pub(crate) async fn run(self, config: &Config) -> Outcome {
        match self {
            Self::Copy(copy) => copy.run(config).await,
        }
    }
}

impl Copy {
    async fn run(self, config: &Config) -> Outcome {
        let keys = Arc::new(key_file::read(&config.key_file)?);
        let (old, new) = (address("--from", &self.from)?, address("--to", &self.to)?);
        let from = existing(&old)?.whole(keys.clone())?;
        let to = new.whole(keys)?;
        let bar = Bar::default();
        let sums = image::copy(&*from, &*to, &|progress| bar.show(progress)).await?;
        bar.end();
        let mut table = print::Table::new(["table", "rows", "sha256"]);
        for sum in &sums {
            let start = sum.sha256.get(..16).unwrap_or_default();
            table.row([sum.table.clone(), sum.rows.to_string(), format!("{start}…")]);
        }
        print::line(table);
        print::line(format_args!(
            "\n{new} holds all of it, read back and compared; name it as `database` in the \
             configuration, and start"
        ));
        Ok(Exit::Done)
    }
}

/// The database at an address, which is not repeated if it is wrong: it may hold a password.
fn address(option: &str, text: &str) -> Result<Database, Failure> {
    let wrong = |why| Failure::new(format!("`{option}` cannot be used: {why}"));
    text.parse::<Database>().map_err(wrong)
}

/// Refuses a file that is not there: nothing can be read from it.
pub(crate) fn existing(database: &Database) -> Result<&Database, Failure> {
    match database {
        Database::Sqlite(path) if !path.exists() => Err(Failure::new(format!(
            "there is no database at `{}`",
            path.display()
        ))
        .cure("correct the path; `furka init DIR` makes a new installation")),
        _ => Ok(database),
    }
}
