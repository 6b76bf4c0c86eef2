//! `furka restore FILE`: a backup becomes a database, and what was pending is void.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use store::image::{self, Void};

use super::{backup::said_of, store::Bar};
use crate::{
    config::Config,
    failure::{Exit, Outcome},
    installation::by,
    key_file, print,
};

/// What `furka restore` is told.
#[derive(Args)]
#[command(after_help = "\
Only an empty database is filled: the one that the configuration names must not be there, or hold
nothing. The whole backup is checked before anything is written. What may have been spent after the
backup was made is void afterwards: sessions, codes, links, open activations, messages that wait.

  mkdir /etc/furka/broken && mv /etc/furka/furka.sqlite* /etc/furka/broken/
  furka restore /var/backups/furka/2027-08-16.backup
  furka check && systemctl start furka")]
pub(crate) struct Restore {
    /// A file that `furka backup` made.
    file: PathBuf,
}

impl Restore {
    pub(crate) async fn run(self, config: &Config) -> Outcome {
        let keys = Arc::new(key_file::read(&config.key_file)?);
        let database = config.database.whole(keys.clone())?;
        let by = by(&server::RealWorld, "restore");
        let bar = Bar::default();
        let told = |progress| bar.show(progress);
        let (contents, void) =
            image::restore(&self.file, &keys, &*database, (&by, &user()), &told).await?;
        bar.end();
        print::line(format_args!("restored {}", said_of(&contents)));
        say(&void);
        Ok(Exit::Done)
    }
}

/// What is void, and what there is to do about it.
fn say(void: &Void) {
    print::line(
        "void: all sessions, links and codes; everybody signs in again, with the next code",
    );
    if void.activations > 0 {
        print::line(format_args!(
            "void: {}; send new ones with `furka activation send --all-not-activated`",
            print::count(
                void.activations,
                "open activation code",
                "open activation codes"
            ),
        ));
    }
    if void.messages > 0 {
        let messages = print::count(void.messages, "message that waited", "messages that waited");
        print::line(format_args!("void: {messages}"));
    }
    if void.recovery_sets > 0 {
        print::line(format_args!(
            "void: the recovery codes of {}; who still has phone or token makes new ones",
            print::count(void.recovery_sets, "person", "people"),
        ));
    }
    if void.buttons > 0 {
        print::line(format_args!(
            "moved: {}; who holds one presses it ten times before the next sign-in",
            print::count(void.buttons, "token with a button", "tokens with a button"),
        ));
    }
}

/// Who sits at the terminal, as far as the system says.
pub(crate) fn user() -> String {
    let names = ["SUDO_USER", "LOGNAME", "USER"].into_iter();
    let mut names = names.filter_map(|name| std::env::var(name).ok());
    names
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
