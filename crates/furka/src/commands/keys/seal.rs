//! `furka keys seal`: another sealing key comes into use while everybody works.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use data_encoding::HEXLOWER;
use journey::{Happened, Timestamp, login::PAGE_S};
use server::{RealWorld, World};
use store::{
    Agreed, NodeSeen,
    reseal::{Reliance, Relying, RowKey, Sealed, reseal},
};

use crate::{
    commands::store::Bar,
    failure::{Exit, Failure, Outcome},
    installation::{Installation, configuration},
    key_file::{Alone, Held, KeyFile, Line},
    print,
};

/// What can be done with sealing keys.
#[derive(Subcommand)]
#[command(after_help = "\
Seeds, messages, journeys and signing keys are sealed in the database, under a key of the key file. A new
key comes into use in this order; nobody is signed out, and no server is stopped. Servers take up a
changed key file within a second. Where there are several nodes, copy the file to each of them after
`add`, after `use` and after `retire`, and only then go on.

  furka keys seal add         every node knows the new key; it seals nothing yet
  furka keys seal use 2       the new key seals from now on
  furka keys seal reseal      what the former key sealed is sealed again
  furka keys seal status      nothing is sealed with the former key any more
  furka keys seal retire 1    an hour after `use`; the former key opens nothing any more

Backups made before open with the former key only: keep the key file of then as long as them.")]
pub(crate) enum SealCommand {
    /// Puts a new key into the key file, which opens and does not seal yet.
    Add(Add),
    /// From now on this key seals.
    Use {
        /// Its number, as in `furka keys seal status`.
        key: u8,
    },
    /// Seals everything again that other keys sealed, while the servers run.
    Reseal,
    /// Takes a key out of the key file, once nothing is sealed with it.
    Retire(Retire),
    /// Lists the keys, and how much relies on each.
    Status,
}

/// What `furka keys seal add` is told.
#[derive(Args)]
pub(crate) struct Add {
    /// Takes back the keys of an older key file instead, to restore a backup of then.
    #[arg(long, value_name = "KEY_FILE")]
    from: Option<PathBuf>,
}

/// What `furka keys seal retire` is told.
#[derive(Args)]
#[command(after_help = "\
What passwords, open activation codes and recovery codes are checked with stays in the file, and nothing
else: with it, nothing that was sealed can be opened. Passwords change over to the new key as people sign in. When no
password needs it any more, retire the key once more, and this goes as well.")]
pub(crate) struct Retire {
    /// Its number, as in `furka keys seal status`.
    key: u8,
    /// Although applications hold refresh tokens that it sealed: their people sign in there again.
    #[arg(long)]
    end_refresh_tokens: bool,
    /// Without asking.
    #[arg(long)]
    yes: bool,
}

impl SealCommand {
    pub(crate) async fn run(self, config: Option<&Path>) -> Outcome {
        match self {
            Self::Add(add) => add.run(&configuration(config)?.key_file),
            Self::Use { key } => use_key(&Installation::open(config).await?, key).await,
            Self::Reseal => seal_again(&Installation::open(config).await?).await,
            Self::Retire(retire) => retire.run(&Installation::open(config).await?).await,
            Self::Status => status(&Installation::open(config).await?).await,
        }
    }
}

impl Add {
    fn run(self, path: &Path) -> Outcome {
        let _alone = Alone::with(path)?;
        let mut file = KeyFile::read(path)?;
        let Some(from) = self.from else {
            let number = file.add(&RealWorld).ok_or_else(|| {
                Failure::new("there have been 255 keys, and more cannot be told apart").cure(
                    "make a new installation with `furka init`, and move there with `furka export` and imports",
                )
            })?;
            file.write(path)?;
            print::line(format_args!(
                "key {number} is in {}, and seals nothing yet\n\
                 Next: copy the file to all nodes, then `furka keys seal use {number}`; and keep a copy elsewhere",
                path.display()
            ));
            return Ok(Exit::Done);
        };
        let taken = file.take_back(KeyFile::read(&from)?, RealWorld.now());
        if taken.is_empty() {
            return Err(Failure::new(format!(
                "`{}` holds no key that is not in `{}`",
                from.display(),
                path.display()
            )));
        }
        file.write(path)?;
        for number in taken {
            print::line(format_args!(
                "key {number} is back, and opens what it sealed"
            ));
        }
        Ok(Exit::Done)
    }
}

async fn use_key(here: &Installation, number: u8) -> Outcome {
    let path = &here.config.key_file;
    let _alone = Alone::with(path)?;
    let mut file = KeyFile::read(path)?;
    let before = here.keys.current();
    if before == number {
        print::line(format_args!("key {number} seals already"));
        return Ok(Exit::Done);
    }
    if !file.use_key(number, here.now()) {
        return Err(unknown(number));
    }
    file.write(path)?;
    told(here, "keys seal use").await?;
    print::line(format_args!(
        "key {number} seals from now on, and key {before} opens what it sealed\n\
         Next: copy the file to all nodes, then `furka keys seal reseal`"
    ));
    Ok(Exit::Done)
}

async fn seal_again(here: &Installation) -> Outcome {
    let bar = Bar::default();
    let told = |progress| bar.show(progress);
    let done = reseal(&*here.store, &here.keys, here.now(), &told).await?;
    bar.end();
    let (rows, current) = (done.rows, here.keys.current());
    print::line(format_args!("{rows} sealed again with key {current}"));
    for (table, row) in &done.unopened {
        print::line(format_args!(
            "PROBLEM  {} {} opens with none of the keys",
            noun(*table),
            named(row)
        ));
    }
    for one in &done.left {
        print::line(format_args!(
            "PROBLEM  {} sealed with key {}",
            of(one),
            one.key
        ));
    }
    match done.left.is_empty() {
        true => Ok(Exit::Done),
        false => {
            print::line(
                "to do: see that every node has this key file and run it again, or put back the keys that are missing",
            );
            Ok(Exit::Problems)
        }
    }
}

impl Retire {
    async fn run(self, here: &Installation) -> Outcome {
        let path = &here.config.key_file;
        let _alone = Alone::with(path)?;
        let mut file = KeyFile::read(path)?;
        let line = file.line(self.key).ok_or_else(|| unknown(self.key))?;
        let reliance = here.store.reliance(here.now()).await?;
        let relies = Relies::on(self.key, &reliance);
        self.refuse(line, &relies, here.now())?;
        self.refuse_renewable(line, here).await?;
        refuse_others(here).await?;
        let keeps = relies.is_checked() && line.held.state() != "checks";
        if !self.yes {
            self.plan(keeps, &relies);
            return Ok(Exit::PlanWaits);
        }
        file.retire(self.key, keeps, here.now());
        refuse_others(here).await?;
        file.write(path)?;
        told(here, "keys seal retire").await?;
        print::line(format_args!(
            "key {} is retired\nNext: copy the file to all nodes",
            self.key
        ));
        Ok(Exit::Done)
    }

    fn refuse(&self, line: &Line, relies: &Relies, now: Timestamp) -> Result<(), Failure> {
        let key = self.key;
        match line.held {
            Held::Current(_) => {
                return Err(Failure::new(format!("key {key} seals"))
                    .cure("let another one seal before, with `furka keys seal use`"));
            }
            Held::Retired => return Err(Failure::new(format!("key {key} is retired already"))),
            _ => {}
        }
        if relies.sealed > 0 {
            let many = print::count(relies.sealed, "thing is", "things are");
            return Err(Failure::new(format!("{many} sealed with key {key}")).cure(
                "furka keys seal reseal; if there are more of them again, a node has another key file",
            ));
        }
        match line.held {
            Held::Checks(_) if relies.is_checked() => Err(Failure::new(format!(
                "{}, {} and {} are checked with key {key}",
                print::count(relies.passwords, "password", "passwords"),
                print::count(relies.codes, "activation code", "activation codes"),
                print::count(relies.sets, "set of recovery codes", "sets of recovery codes"),
            ))
            .cure(
                "wait: a password changes over when its person signs in, recovery codes when they make new \
                 ones; or let them activate again",
            )),
            Held::Former(_) => {
                let until = line.since.map(|since| since.plus(PAGE_S));
                match until.filter(|until| *until > now) {
                    None => Ok(()),
                    Some(until) => Err(Failure::new(format!(
                        "pages that are open and tokens in use may be sealed with key {key} until {until}"
                    ))
                    .cure("run it again then")),
                }
            }
            _ => Ok(()),
        }
    }

    /// Applications keep refresh tokens for long, and each renewal gives one that the key of then sealed.
    async fn refuse_renewable(&self, line: &Line, here: &Installation) -> Result<(), Failure> {
        let Some(since) = line.since.filter(|_| matches!(line.held, Held::Former(_))) else {
            return Ok(());
        };
        let last = since.plus(PAGE_S);
        let tokens = here.store.renewed_before(last, here.now()).await?;
        if tokens == 0 || self.end_refresh_tokens {
            return Ok(());
        }
        let tokens = print::count(tokens, "refresh token was", "refresh tokens were");
        Err(Failure::new(format!(
            "{tokens} last renewed before {last}, and may be sealed with key {}",
            self.key
        ))
        .cure(
            "wait until applications have renewed them, or end them with `--end-refresh-tokens`: their people \
             sign in there again",
        ))
    }

    fn plan(&self, keeps: bool, relies: &Relies) {
        let key = self.key;
        print::line(format_args!("key {key} would open nothing any more"));
        print::line(format_args!(
            "backups made while it sealed open with a copy of this key file only"
        ));
        if keeps {
            print::line(format_args!(
                "kept of it: what checks {}, {} and {}",
                print::count(relies.passwords, "password", "passwords"),
                print::count(
                    relies.codes,
                    "open activation code",
                    "open activation codes"
                ),
                print::count(
                    relies.sets,
                    "set of recovery codes",
                    "sets of recovery codes"
                ),
            ));
        } else if relies.former > 0 {
            print::line(format_args!(
                "{} could be chosen again",
                print::count(relies.former, "former password", "former passwords")
            ));
        }
        print::line("nothing was changed; `--yes` retires it");
    }
}

/// A node with an older key file may seal with the very key that is retired.
async fn refuse_others(here: &Installation) -> Result<(), Failure> {
    let (ours, now) = (Agreed::of(&here.keys, []), here.now());
    let nodes = here.store.nodes().await?;
    let seals_otherwise = |seen: &&NodeSeen| {
        seen.is_alive(now) && seen.node.configuration.sealing_key() != ours.sealing_key()
    };
    match nodes.iter().find(seals_otherwise) {
        None => Ok(()),
        Some(other) => Err(Failure::new(format!(
            "node {} seals with another key",
            other.node.name
        ))
        .cure("copy the key file to it first, then furka keys seal reseal")),
    }
}

/// How much relies on a key.
#[derive(Default)]
pub(crate) struct Relies {
    pub(crate) codes: u64,
    pub(crate) former: u64,
    pub(crate) passwords: u64,
    pub(crate) sealed: u64,
    pub(crate) sets: u64,
}

impl Relies {
    pub(crate) fn on(key: u8, all: &[Reliance]) -> Self {
        let mut relies = Self::default();
        for one in all.iter().filter(|one| one.key == key) {
            let sum = match one.what {
                Relying::ActivationCode => &mut relies.codes,
                Relying::RecoveryCodes => &mut relies.sets,
                Relying::FormerPassword => &mut relies.former,
                Relying::Password => &mut relies.passwords,
                what if what.is_sealed() => &mut relies.sealed,
                _ => continue,
            };
            *sum = sum.saturating_add(one.count);
        }
        relies
    }

    const fn is_checked(&self) -> bool {
        self.passwords > 0 || self.codes > 0 || self.sets > 0
    }
}

async fn status(here: &Installation) -> Outcome {
    let file = KeyFile::read(&here.config.key_file)?;
    let reliance = here.store.reliance(here.now()).await?;
    let mut table = print::Table::new([
        "key",
        "state",
        "since",
        "sealed",
        "passwords",
        "former",
        "codes",
    ]);
    let mut row = |number: u8, state: &str, since: Option<Timestamp>| {
        let relies = Relies::on(number, &reliance);
        let since = since.map_or_else(|| "-".to_owned(), |since| since.to_string());
        let codes = relies.codes.saturating_add(relies.sets);
        let [sealed, passwords, former, codes] =
            [relies.sealed, relies.passwords, relies.former, codes].map(|count| count.to_string());
        table.row([
            number.to_string(),
            state.to_owned(),
            since,
            sealed,
            passwords,
            former,
            codes,
        ]);
    };
    for (number, line) in file.lines() {
        row(number, line.held.state(), line.since);
    }
    let missing = missing(&file, &reliance);
    for number in &missing {
        row(*number, "MISSING", None);
    }
    print::line(table);
    match missing.is_empty() {
        true => Ok(Exit::Done),
        false => Ok(Exit::Problems),
    }
}

/// The numbers of the keys that something relies on, and that the file does not hold.
pub(crate) fn missing(file: &KeyFile, reliance: &[Reliance]) -> Vec<u8> {
    let is_held = |one: &Reliance| match file.line(one.key).map(|line| &line.held) {
        None | Some(Held::Retired) => false,
        Some(Held::Checks(_)) => !one.what.is_sealed(),
        Some(Held::Current(_) | Held::Former(_) | Held::Next(_)) => true,
    };
    let mut missing: Vec<_> = reliance
        .iter()
        .filter(|one| !is_held(one))
        .map(|one| one.key)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// The audit knows when another key came into use, and when one went.
async fn told(here: &Installation, command: &str) -> Result<(), Failure> {
    let by = here.by(command);
    Ok(here.store.audit(&Happened::KeysRotated, &by).await?)
}

fn unknown(number: u8) -> Failure {
    Failure::new(format!("the key file holds no key {number}"))
        .cure("furka keys seal status; `furka keys seal add` makes a new one")
}

fn of(one: &Reliance) -> String {
    let (single, many) = match one.what {
        Relying::ActivationCode => ("activation code is", "activation codes are"),
        Relying::Factor => ("app or token is", "apps and tokens are"),
        Relying::FormerPassword => ("former password is", "former passwords are"),
        Relying::Journey => ("journey is", "journeys are"),
        Relying::Message => ("message is", "messages are"),
        Relying::Password => ("password is", "passwords are"),
        Relying::Probe => ("probe is", "probes are"),
        Relying::RecoveryCodes => ("set of recovery codes is", "sets of recovery codes are"),
        Relying::SigningKey => ("signing key is", "signing keys are"),
    };
    print::count(one.count, single, many)
}

fn noun(table: Sealed) -> &'static str {
    match table {
        Sealed::Factors => "app or token",
        Sealed::Journeys => "journey",
        Sealed::Messages => "message",
        Sealed::Probe => "probe",
        Sealed::SigningKeys => "signing key",
    }
}

fn named(row: &RowKey) -> String {
    match row {
        RowKey::Id(id) => HEXLOWER.encode(id),
        RowKey::Name(name) => name.clone(),
    }
}
