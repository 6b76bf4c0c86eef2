//! `furka apply DIR`: files become the resources, all of them or none, after a look at the plan.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    mem::take,
    path::{Path, PathBuf},
};

use clap::Args;
use server::catalogue::UnknownSecret;
use store::{Resource, ResourceKind};

use crate::{
    failure::{Doing, Exit, Failure, Outcome},
    installation::{Installation, connect},
    print, resources,
};

/// What `furka apply` is told.
#[derive(Args)]
#[command(after_help = "\
Reads zones.toml, policy.toml, applications.toml and gateways.toml; a file that
is not there leaves its part as it is. Shows what comes (+), changes (~) and
goes (-), and asks. A server that runs takes the new state within a second.

Exit codes: 0 applied, or nothing to do; 1 something is wrong; 2 changes wait for a yes.

Example:
  furka apply /etc/furka/resources")]
pub(crate) struct Apply {
    /// The folder with the files.
    dir: PathBuf,
    /// Applies without asking.
    #[arg(long)]
    yes: bool,
}

impl Apply {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        let mut files = Vec::new();
        for kind in ResourceKind::ALL {
            files.extend(read(&self.dir, kind)?.map(|text| (kind, text)));
        }
        if files.is_empty() {
            return Err(Failure::new(format!(
                "`{}` has none of the four files",
                self.dir.display()
            ))
            .cure("`furka export DIR` writes them"));
        }
        let plan = Plan::of(here, files).await?;
        plan.settle(here, "apply", self.yes).await
    }
}

/// Documents that are to take the place of those in use.
pub(crate) struct Plan {
    /// The text in use, and what replaces it.
    changed: Vec<(String, Resource)>,
    /// All documents as they would be.
    texts: Vec<(ResourceKind, String)>,
}

impl Plan {
    /// What these texts would change; what none is given for stays.
    pub(crate) async fn of(
        here: &Installation,
        mut given: Vec<(ResourceKind, String)>,
    ) -> Result<Self, Failure> {
        let (mut changed, mut texts) = (Vec::new(), Vec::new());
        for kind in ResourceKind::ALL {
            let stored = here.resource(kind).await?;
            let text = given.iter_mut().find(|(other, _)| *other == kind);
            let text = text.map_or_else(|| stored.text.clone(), |(_, text)| take(text));
            if text != stored.text {
                let new = Resource {
                    kind,
                    text: text.clone(),
                    version: stored.version,
                };
                changed.push((stored.text, new));
            }
            texts.push((kind, text));
        }
        Ok(Self { changed, texts })
    }

    /// Whether anything about applications changes.
    fn registers(&self) -> bool {
        let mut changed = self.changed.iter();
        changed.any(|(_, new)| new.kind == ResourceKind::Applications)
    }

    /// Shows what would change, and does it if there is a yes and nothing is wrong.
    pub(crate) async fn settle(self, here: &Installation, command: &str, yes: bool) -> Outcome {
        let checked = match resources::check(&self.texts) {
            Ok(checked) => checked,
            Err(wrong) => {
                wrong
                    .iter()
                    .for_each(|sentence| eprintln!("error: {sentence}"));
                eprintln!("nothing was changed");
                return Ok(Exit::Problems);
            }
        };
        if self.changed.is_empty() {
            print::line("nothing to do: the files say what is in use");
            return Ok(Exit::Done);
        }
        show(&self.changed);
        let mut doubts = checked.doubts(today(here));
        let mut texts = self.texts.iter();
        let gateways = texts.find(|(kind, _)| *kind == ResourceKind::Gateways);
        if let Some(Err(error)) = gateways.map(|(_, text)| connect()(text)) {
            doubts.push(format!(
                "the gateways cannot be used on this machine: {}",
                resources::chain(&*error)
            ));
        }
        for (id, unknown) in checked.unknown_secrets() {
            let why = resources::chain(&unknown);
            if self.registers() && matches!(unknown, UnknownSecret::Unfit { .. }) {
                eprintln!("error: application `{id}`: {why}\nnothing was changed");
                return Ok(Exit::Problems);
            }
            doubts.push(format!(
                "application `{id}` cannot prove what it is with the secret on this machine: {why}"
            ));
        }
        for doubt in doubts {
            print::line(format_args!("note: {doubt}"));
        }
        if !yes && !asked()? {
            print::line("nothing was changed; `--yes` applies it");
            return Ok(Exit::PlanWaits);
        }
        let documents: Vec<_> = self
            .changed
            .into_iter()
            .map(|(_, document)| document)
            .collect();
        if !here.store.apply(&documents, &here.by(command)).await? {
            return Err(Failure::new(
                "somebody else changed the resources meanwhile; nothing was changed",
            )
            .cure("run it again and look at the new plan"));
        }
        print::line("applied");
        Ok(Exit::Done)
    }
}

fn show(changed: &[(String, Resource)]) {
    for (before, document) in changed {
        print::line(format_args!("{}.toml", document.kind.name()));
        for line in resources::plan(document.kind, before, &document.text) {
            print::line(format_args!("  {line}"));
        }
    }
}

/// The file of a kind, if there is one.
pub(crate) fn read(dir: &Path, kind: ResourceKind) -> Result<Option<String>, Failure> {
    let path = dir.join(format!("{}.toml", kind.name()));
    let doing = || format!("reading `{}`", path.display());
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).doing(doing),
        Ok(found) if found.len() > resources::BYTES_MAX as u64 => {
            return Err(Failure::new(format!(
                "`{}` is longer than 1 MiB",
                path.display()
            )));
        }
        Ok(_) => {}
    }
    fs::read_to_string(&path).doing(doing).map(Some)
}

/// Today in UTC: reviews are not a matter of hours.
pub(crate) fn today(here: &Installation) -> jiff::civil::Date {
    let now = jiff::Timestamp::from_second(here.now().0).unwrap_or_default();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Whether somebody at the terminal says yes; nobody is there in a script.
pub(crate) fn asked() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    eprint!("apply? [y/N] ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .doing(|| "reading the answer".to_owned())?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
