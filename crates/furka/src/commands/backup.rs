//! `furka backup FILE`: everything in the database, as of one moment, in one encrypted file.

use std::{io, path::PathBuf, sync::Arc};

use clap::Args;
use server::{RealWorld, World};
use store::{StoreError, image};

use super::store::{Bar, existing};
use crate::{
    config::Config,
    failure::{Exit, Failure, Outcome},
    key_file, print,
};

/// What `furka backup` is told.
#[derive(Args)]
#[command(after_help = "\
The server may run meanwhile: nobody waits for a backup. The key file opens it; keep a copy of that
elsewhere, and of furka.toml. Each backup is checked like this:

  furka backup /var/backups/furka/$(date +%F).backup
  furka backup --check /var/backups/furka/2027-08-16.backup")]
pub(crate) struct Backup {
    /// The file; it must not be there yet.
    file: PathBuf,
    /// Makes none: reads the one that is there to its end, and says what it holds.
    #[arg(long)]
    check: bool,
}

impl Backup {
    pub(crate) async fn run(self, config: &Config) -> Outcome {
        let keys = Arc::new(key_file::read(&config.key_file)?);
        let bar = Bar::default();
        let told = |progress| bar.show(progress);
        let contents = match self.check {
            true => image::verify(&self.file, &keys, &told).await?,
            false => {
                let database = existing(&config.database)?.whole(keys.clone())?;
                let at = RealWorld.now();
                image::backup(&*database, &keys, (&self.file, at), &told)
                    .await
                    .map_err(without_space)?
            }
        };
        bar.end();
        print::line(format_args!(
            "{}: {}",
            self.file.display(),
            said_of(&contents)
        ));
        Ok(Exit::Done)
    }
}

/// What a backup holds, in a sentence.
pub(crate) fn said_of(contents: &image::Contents) -> String {
    let rows = |table: &str| {
        let sum = contents.sums.iter().find(|sum| sum.table == table);
        sum.map_or(0, |sum| sum.rows)
    };
    format!(
        "as of {}: {}, {} of the audit",
        contents.at,
        print::count(rows("person"), "person", "people"),
        print::count(rows("audit"), "entry", "entries"),
    )
}

fn without_space(error: StoreError) -> Failure {
    let kind = error.source.downcast_ref().map(io::Error::kind);
    let no_space = matches!(
        kind,
        Some(
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        )
    );
    match no_space {
        true => Failure::from(error).cure("free space, or name a file elsewhere; nothing was left"),
        false => error.into(),
    }
}
