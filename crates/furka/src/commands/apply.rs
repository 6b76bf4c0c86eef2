//! `furka apply DIR`: files become the resources, all of them or none, after a look at the plan.

use std::{
    fs,
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
};

use clap::Args;
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
        let mut changed = Vec::new();
        let mut texts = Vec::new();
        let mut found = false;
        for kind in ResourceKind::ALL {
            let stored = here.resource(kind).await?;
            let file = read(&self.dir, kind)?;
            found |= file.is_some();
            let text = file.unwrap_or_else(|| stored.text.clone());
            if text != stored.text {
                changed.push((
                    stored.text,
                    Resource {
                        kind,
                        text: text.clone(),
                        version: stored.version,
                    },
                ));
            }
            texts.push((kind, text));
        }
        if !found {
            return Err(Failure::new(format!(
                "`{}` has none of the four files",
                self.dir.display()
            ))
            .cure("`furka export DIR` writes them"));
        }
        let checked = match resources::check(&texts) {
            Ok(checked) => checked,
            Err(wrong) => {
                wrong
                    .iter()
                    .for_each(|sentence| eprintln!("error: {sentence}"));
                eprintln!("nothing was changed");
                return Ok(Exit::Problems);
            }
        };
        if changed.is_empty() {
            print::line("nothing to do: the files say what is in use");
            return Ok(Exit::Done);
        }
        show(&changed);
        let mut doubts = checked.doubts(today(here));
        let gateways = texts
            .iter()
            .find(|(kind, _)| *kind == ResourceKind::Gateways);
        if let Some(Err(error)) = gateways.map(|(_, text)| connect()(text)) {
            doubts.push(format!(
                "the gateways cannot be used on this machine: {}",
                resources::chain(&*error)
            ));
        }
        for doubt in doubts {
            print::line(format_args!("note: {doubt}"));
        }
        if !self.yes && !asked()? {
            print::line("nothing was changed; `--yes` applies it");
            return Ok(Exit::PlanWaits);
        }
        let documents: Vec<_> = changed.into_iter().map(|(_, document)| document).collect();
        if !here.store.apply(&documents, &here.by("apply")).await? {
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
fn read(dir: &Path, kind: ResourceKind) -> Result<Option<String>, Failure> {
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

fn asked() -> Result<bool, Failure> {
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
