//! `furka person import`: a register's file, whole or not at all.

use std::{fs, path::PathBuf};

use clap::Args;
use journey::{NameKey, PersonId};
use store::{Conflict, ImportError, NewPerson};

use super::{
    Progress,
    people_file::{self, FILE_BYTES_MAX, LineError, PeopleFile},
};
use crate::{
    commands::activation::{self, Sent},
    failure::{Doing, Exit, Failure, Outcome},
    installation::{Installation, draw},
    print::{self, Table},
};

/// How many wrong lines are shown.
const SHOWN_MAX: usize = 100;

/// What `furka person import` is told.
#[derive(Args)]
#[command(after_help = "\
The file is CSV, in UTF-8 or Windows-1252, separated by ; , or tab.
The first line names the columns, in English, French or German:
  username first_name last_name mail role     always
  language                                    fr, de or en; fr where it is empty
  school aliases                              aliases are separated by |
  phone method token_serial password_hash     for people who bring theirs
Other columns are not used. Whoever is known already is updated; who is not
in the file stays.

Examples:
  furka person import people.csv --dry-run
  furka person import people.csv --send-activation")]
pub(crate) struct Import {
    /// The register's file.
    file: PathBuf,
    /// Only says what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Sends an activation message to all in it who are not activated and have no code.
    #[arg(long, conflicts_with = "dry_run")]
    send_activation: bool,
}

impl Import {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        let file = self.read(here)?;
        print::line(format_args!(
            "{}: {}, separator {}, {}",
            self.file.display(),
            file.encoding,
            if file.separator == '\t' {
                "tab".to_owned()
            } else {
                format!("`{}`", file.separator)
            },
            print::count(file.people.len() as u64, "right line", "right lines"),
        ));
        file.notes
            .iter()
            .for_each(|note| print::line(format_args!("note: {note}")));
        if !file.wrong.is_empty() {
            report(&file.wrong);
            return Ok(Exit::Problems);
        }
        if self.dry_run {
            return foresee(here, &file.people).await;
        }
        let (lines, people): (Vec<u64>, Vec<NewPerson>) = file.people.into_iter().unzip();
        let by = here.by("person import");
        let import = here.store.import_people(&people, &by);
        match Progress::during("importing; nobody is in before everybody is", import).await {
            Ok(done) => print::line(format_args!(
                "imported: {} new, {} changed, {} as before",
                done.created, done.updated, done.unchanged
            )),
            Err(ImportError::Store(error)) => return Err(error.into()),
            Err(ImportError::Conflicts(conflicts)) => {
                let of = |(at, conflict): (usize, Conflict)| {
                    of_conflict(lines.get(at).copied().unwrap_or_default(), &conflict)
                };
                report(&conflicts.into_iter().map(of).collect::<Vec<_>>());
                return Ok(Exit::Problems);
            }
        }
        if self.send_activation {
            send(here, &people).await?;
        }
        Ok(Exit::Done)
    }

    fn read(&self, here: &Installation) -> Result<PeopleFile, Failure> {
        let name = self.file.display();
        let doing = || format!("reading `{name}`");
        if fs::metadata(&self.file).doing(doing)?.len() > FILE_BYTES_MAX {
            return Err(Failure::new(format!("`{name}` is longer than 64 MiB")).cure("split it"));
        }
        let bytes = fs::read(&self.file).doing(doing)?;
        let refused = |why: people_file::NoRegister| {
            Failure::new(format!("`{name}` cannot be imported: {}", why.sentence)).cure(why.cure)
        };
        people_file::read(&bytes, || PersonId(draw(&here.world))).map_err(refused)
    }
}

/// All wrong lines, up to a number that a person reads.
fn report(wrong: &[LineError]) {
    let mut table = Table::new(["line", "column", "what is wrong", "to do"]);
    for wrong in wrong.iter().take(SHOWN_MAX) {
        let LineError {
            column,
            cure,
            line,
            reason,
        } = wrong.clone();
        table.row([line.to_string(), column, reason, cure]);
    }
    print::line(table);
    let more = wrong.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        print::line(format_args!("and {more} more"));
    }
    let problems = print::count(wrong.len() as u64, "problem", "problems");
    print::line(format_args!("{problems}; nothing was imported"));
}

fn of_conflict(line: u64, conflict: &Conflict) -> LineError {
    let (column, cure) = match conflict {
        Conflict::NameTaken(_) => ("username", "give another name, or correct the alias"),
        Conflict::NoName(_) => ("username", "use letters and digits"),
        Conflict::NoSuchToken(_) => ("token_serial", "furka token import FILE"),
        Conflict::TokenTaken(_) => ("token_serial", "furka token list says whose it is"),
        Conflict::Twice(_) => ("username", "remove one of the two"),
    };
    LineError {
        column: column.to_owned(),
        cure: cure.to_owned(),
        line,
        reason: conflict.to_string(),
    }
}

/// What an import would do, as far as reading tells.
async fn foresee(here: &Installation, people: &[(u64, NewPerson)]) -> Outcome {
    let progress = Progress::new("people compared");
    let (mut new, mut known) = (0_u64, 0_u64);
    let mut wrong = Vec::new();
    for (line, person) in people {
        progress.one_more();
        let Some(key) = NameKey::of(&person.username) else {
            continue;
        };
        let found = here.store.person_by_name(&key).await?;
        let own = found.as_ref().map(|account| account.person.id);
        match own {
            Some(_) => known += 1,
            None => new += 1,
        }
        for alias in &person.aliases {
            let Some(key) = NameKey::of(alias) else {
                continue;
            };
            let other = here
                .store
                .person_by_name(&key)
                .await?
                .map(|account| account.person.id);
            if other.is_some() && other != own {
                wrong.push(of_conflict(*line, &Conflict::NameTaken(alias.clone())));
            }
        }
        if let Some(serial) = &person.token_serial {
            match here.store.token(serial).await? {
                None => wrong.push(of_conflict(*line, &Conflict::NoSuchToken(serial.clone()))),
                Some(token) if token.assigned_to.is_some() && token.assigned_to != own => {
                    wrong.push(of_conflict(*line, &Conflict::TokenTaken(serial.clone())));
                }
                Some(_) => {}
            }
        }
    }
    progress.end();
    if !wrong.is_empty() {
        report(&wrong);
        return Ok(Exit::Problems);
    }
    print::line(format_args!(
        "would import: {new} new, {known} known; nothing was imported"
    ));
    Ok(Exit::Done)
}

async fn send(here: &Installation, people: &[NewPerson]) -> Result<(), Failure> {
    let progress = Progress::new("activation messages");
    let mut all = Sent::default();
    for person in people {
        let account = here.account(&person.username).await?;
        activation::to_many(here, &[account], false, &progress, &mut all).await?;
    }
    progress.end();
    activation::say(&all);
    Ok(())
}
