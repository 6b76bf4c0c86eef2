//! `furka init DIR`: everything a new installation needs, and nothing that is there is touched.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::{Args, ValueEnum};
use journey::Policy;
use server::{RealWorld, World};
use store::{Resource, ResourceKind};

use crate::{
    commands::keys::{self, ALGORITHMS},
    config::{Database, sample},
    failure::{Doing, Exit, Failure, Outcome},
    installation::by,
    key_file, print,
};

const APPLICATIONS: &str = include_str!("init/applications.toml");
const ZONES: &str = include_str!("init/zones.toml");

/// What `furka init` is told.
#[derive(Args)]
#[command(after_help = "\
Examples:
  furka init /etc/furka --preset valais
  furka init /etc/furka --database postgres://furka@db.example.ch/furka?password_file=/etc/furka/db")]
pub(crate) struct Init {
    /// The folder; it is made if it is not there.
    dir: PathBuf,
    /// An empty database elsewhere; a file in the folder if none is given.
    #[arg(long, value_name = "ADDRESS")]
    database: Option<String>,
    /// Which rules to start from.
    #[arg(long, value_enum, default_value_t = Preset::Valais)]
    preset: Preset,
}

/// A policy to start from.
#[derive(Clone, Copy, ValueEnum)]
enum Preset {
    /// The canton's guide, to the letter.
    Valais,
    /// Current practice where the guide is weaker.
    Recommended,
}

impl Preset {
    fn text(self) -> &'static str {
        let name = match self {
            Self::Recommended => "recommended",
            Self::Valais => "valais",
        };
        Policy::preset_text(name).unwrap_or_default()
    }
}

impl Init {
    pub(crate) async fn run(self) -> Outcome {
        let dir = &self.dir;
        let mut made = Made::default();
        self.refuse_to_overwrite()?;
        let database = self.database().await?;
        made.folder(dir)?;
        made.folder(&dir.join("resources"))?;
        let documents = self.documents();
        for document in &documents {
            let path = file_of(dir, document.kind);
            made.file(&path, &document.text, 0o640)?;
        }
        let world = RealWorld;
        let keys = key_file::draw(&dir.join("furka.key"), &world)?;
        made.take(dir.join("furka.key"));
        if let Database::Sqlite(path) = &database {
            // The engine makes its other files with the mode of this one.
            made.file(path, "", 0o600)?;
            for ending in ["-wal", "-shm"] {
                made.take(format!("{}{ending}", path.display()).into());
            }
        }
        let store = database.open(Arc::new(keys)).await?;
        let by = by(&world, "init");
        if !store.apply(&documents, &by).await? {
            return Err(Failure::new("the new database has documents already"));
        }
        for algorithm in ALGORITHMS {
            keys::rotate(&*store, algorithm, world.now(), &by).await?;
        }
        // Last: whoever finds a configuration finds an installation.
        made.file(
            &dir.join("furka.toml"),
            &self.configuration(),
            self.mode(&database),
        )?;
        made.keep();
        say_what_is_next(dir, &database);
        Ok(Exit::Done)
    }

    fn refuse_to_overwrite(&self) -> Result<(), Failure> {
        let names = ["furka.toml", "furka.key", "furka.sqlite"].map(|name| self.dir.join(name));
        let resources = ResourceKind::ALL.map(|kind| file_of(&self.dir, kind));
        match names.iter().chain(&resources).find(|path| path.exists()) {
            None => Ok(()),
            Some(path) => Err(Failure::new(format!("`{}` exists already", path.display()))
                .cure("choose another folder; nothing that exists is overwritten")),
        }
    }

    /// Where it is to be; a database that is made by somebody else must be empty.
    async fn database(&self) -> Result<Database, Failure> {
        let text = self.database.as_deref().unwrap_or("sqlite:furka.sqlite");
        let database: Result<Database, String> = text.parse();
        let mut database =
            database.map_err(|why| Failure::new(format!("the address of `--database`: {why}")))?;
        database.seen_from(&self.dir);
        if !database.is_empty().await? {
            return Err(
                Failure::new(format!("there is something in `{database}` already"))
                    .cure("name an empty database; nothing that exists is overwritten"),
            );
        }
        Ok(database)
    }

    fn configuration(&self) -> String {
        let mut given = vec![("public_url", "\"http://localhost:8400\"".to_owned())];
        if let Some(text) = &self.database {
            given.push(("database", toml::Value::from(text.as_str()).to_string()));
        }
        let given: Vec<_> = given
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        sample(&given)
    }

    /// Nobody else reads a password.
    fn mode(&self, database: &Database) -> u32 {
        match database {
            Database::Postgres(address) if address.holds_password() => 0o600,
            _ => 0o644,
        }
    }

    fn documents(&self) -> [Resource; 4] {
        ResourceKind::ALL.map(|kind| {
            let text = match kind {
                ResourceKind::Applications => APPLICATIONS.to_owned(),
                ResourceKind::Gateways => commented(peers::Gateways::example()),
                ResourceKind::Policy => self.preset.text().to_owned(),
                ResourceKind::Zones => ZONES.to_owned(),
            };
            Resource {
                kind,
                text,
                version: 0,
            }
        })
    }
}

fn file_of(dir: &Path, kind: ResourceKind) -> PathBuf {
    dir.join("resources").join(format!("{}.toml", kind.name()))
}

/// An example nobody asked for must not send anything anywhere.
fn commented(example: &str) -> String {
    let lines = example.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line if line.starts_with('#') => format!("{line}\n"),
        line => format!("# {line}\n"),
    });
    lines.collect()
}

fn say_what_is_next(dir: &Path, database: &Database) {
    let dir = dir.display();
    let database = match database {
        Database::Sqlite(path) => path.file_name().unwrap_or_default().display().to_string(),
        Database::Postgres(address) => address.to_string(),
    };
    print::line(format_args!(
        "{dir} is ready: furka.toml, furka.key (keep a copy elsewhere), {database}, resources/\n\n\
         Next:\n  \
         $EDITOR {dir}/resources/zones.toml && furka --config {dir}/furka.toml apply {dir}/resources\n  \
         furka --config {dir}/furka.toml check\n  \
         furka --config {dir}/furka.toml serve"
    ));
}

/// What was made so far; it goes again unless it is kept, so that nothing is half prepared.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    fn folder(&mut self, path: &Path) -> Result<(), Failure> {
        if path.is_dir() {
            return Ok(());
        }
        let made = DirBuilder::new().mode(0o750).create(path);
        made.doing(|| format!("making the folder `{}`", path.display()))?;
        self.folders.push(path.to_owned());
        Ok(())
    }

    fn file(&mut self, path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
        let mut write = || {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
            self.files.push(path.to_owned());
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().doing(|| format!("writing `{}`", path.display()))
    }

    fn take(&mut self, path: PathBuf) {
        self.files.push(path);
    }

    fn keep(&mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_can_be_used() {
        for preset in [Preset::Valais, Preset::Recommended] {
            let documents = Init {
                database: None,
                dir: PathBuf::new(),
                preset,
            }
            .documents();
            let texts = documents.map(|document| (document.kind, document.text));
            crate::resources::check(&texts).unwrap();
        }
    }

    #[test]
    fn the_examples_are_right_once_they_are_no_comments() {
        let uncommented = |text: &str| -> String {
            let lines = text
                .lines()
                .map(|line| line.strip_prefix("# ").unwrap_or(line));
            let code = lines.filter(|line| line.starts_with('[') || line.contains(" = "));
            code.map(|line| format!("{line}\n")).collect()
        };
        journey::Zones::parse(&uncommented(ZONES)).unwrap();
        server::catalogue::applications(&uncommented(APPLICATIONS)).unwrap();
    }
}
