//! The version after this one: a copy of the sources with a migration more and a higher number.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::workshop::{Trouble, Workshop, somebody_watches};

/// Folders that hold no source.
const SKIPPED: [&str; 3] = [".git", "node_modules", "target"];

/// What the later version's migration makes, for each engine.
const MAKES: [(&str, &str); 2] = [
    (
        "postgres",
        "alter table person add column later text collate \"C\";\n\
         create index later_of_person on person (later) where later is not null;\n\
         create table later (id bytea not null primary key, at bigint not null default 0);\n",
    ),
    (
        "sqlite",
        "alter table person add column later text;\n\
         create index later_of_person on person (later) where later is not null;\n\
         create table later (id blob not null primary key, at integer not null default 0) strict;\n",
    ),
];

/// Copies the sources, makes them a later version, and builds it; the binary.
///
/// Debug, because nothing is measured; crates that are not ours lie where the tests of this version have
/// them built, ours have a path of their own and displace nothing.
pub(crate) fn build(workshop: &Workshop) -> Result<PathBuf, Trouble> {
    let place = workshop.built().join("trials").join("next");
    let source = place.join("source");
    copy(workshop, &source)?;
    let mut command = workshop.cargo(&["build", "--package", "furka", "--offline"]);
    if !somebody_watches() {
        command.arg("--quiet");
    }
    command
        .current_dir(&source)
        .env("CARGO_BUILD_BUILD_DIR", workshop.built())
        .env("CARGO_TARGET_DIR", &place);
    workshop.run(command)?;
    Ok(place.join("debug").join("furka"))
}

/// Makes the copy. What did not change since the last one keeps its time, so that it is not built again.
fn copy(workshop: &Workshop, to: &Path) -> Result<(), Trouble> {
    let doing = |error| Trouble::new(format!("copying the sources to {}: {error}", to.display()));
    fs::create_dir_all(to).map_err(doing)?;
    let ours = files(workshop.root()).map_err(doing)?;
    let changes = changes(workshop, last_migration(&ours)?)?;
    for path in files(to).map_err(doing)? {
        if !ours.contains(&path) && !changes.contains_key(&path) {
            fs::remove_file(to.join(path)).map_err(doing)?;
        }
    }
    for path in ours.iter().filter(|path| !changes.contains_key(*path)) {
        let bytes = fs::read(workshop.root().join(path)).map_err(doing)?;
        put(&to.join(path), &bytes).map_err(doing)?;
    }
    for (path, text) in changes {
        put(&to.join(path), text.as_bytes()).map_err(doing)?;
    }
    Ok(())
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

/// What is other in the later version.
fn changes(workshop: &Workshop, last: u32) -> Result<BTreeMap<PathBuf, String>, Trouble> {
    let manifest = higher(&read(workshop, "Cargo.toml")?)?;
    let mut changes = BTreeMap::from([("Cargo.toml".into(), manifest)]);
    let name = format!("{:04}-later", last + 1);
    for (engine, makes) in MAKES {
        let schema = format!("crates/store/src/{engine}/schema.rs");
        let text = with_migration(&read(workshop, &schema)?, engine, &name)?;
        changes.insert(schema.into(), text);
        let sql = format!("-- Programs since migration {last:04} go on.\n{makes}");
        changes.insert(format!("migrations/{engine}/{name}.sql").into(), sql);
    }
    Ok(changes)
}

/// The files below a folder, seen from it.
fn files(root: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if SKIPPED.iter().any(|skipped| entry.file_name() == *skipped) {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if let Ok(path) = path.strip_prefix(root) {
                files.insert(path.to_owned());
            }
        }
    }
    Ok(files)
}

fn read(workshop: &Workshop, path: &str) -> Result<String, Trouble> {
    fs::read_to_string(workshop.root().join(path))
        .map_err(|error| Trouble::new(format!("reading `{path}`: {error}")))
}

/// The highest number of a migration.
fn last_migration(files: &BTreeSet<PathBuf>) -> Result<u32, Trouble> {
    let numbers = files.iter().filter_map(|path| {
        let name = path
            .strip_prefix("migrations")
            .ok()?
            .file_name()?
            .to_str()?;
        name.split('-').next()?.parse().ok()
    });
    let last = numbers.max();
    last.ok_or_else(|| Trouble::new("there is no migration in `migrations/`"))
}

/// The manifest of the workspace with the next version.
fn higher(manifest: &str) -> Result<String, Trouble> {
    let next = |line: &str| {
        let (before, last) = line.strip_suffix('"')?.rsplit_once('.')?;
        let last: u32 = last.parse().ok()?;
        Some(format!("{before}.{}\"", last + 1))
    };
    let line = manifest.lines().find(|line| line.starts_with("version = "));
    match line.and_then(|line| Some((line, next(line)?))) {
        Some((line, next)) => Ok(manifest.replacen(line, &next, 1)),
        None => Err(Trouble::new("`Cargo.toml` has no version of three numbers")),
    }
}

/// A list of migrations with one more at its end.
fn with_migration(schema: &str, engine: &str, name: &str) -> Result<String, Trouble> {
    let found = schema.find("const MIGRATIONS").and_then(|start| {
        let (_, list) = schema.split_at_checked(start)?;
        schema.split_at_checked(start + list.find("];")?)
    });
    let (list, rest) =
        found.ok_or_else(|| Trouble::new(format!("{engine} has no list of migrations")))?;
    let list = list.trim_end().trim_end_matches(',');
    Ok(format!(
        "{list}, Migration {{ name: \"{name}\", \
         sql: include_str!(\"../../../../migrations/{engine}/{name}.sql\") }}{rest}"
    ))
}

#[cfg(test)]
mod tests {
    use super::{higher, with_migration};

    #[test]
    fn the_next_version_has_the_next_number() {
        let manifest = "[workspace.package]\nversion = \"0.1.9\"\n[x]\nversion = \"2\"\n";
        let expected = "[workspace.package]\nversion = \"0.1.10\"\n[x]\nversion = \"2\"\n";
        assert_eq!(higher(manifest).unwrap(), expected);
        assert!(higher("[package]\nname = \"x\"\n").is_err());
    }

    #[test]
    fn a_migration_comes_after_the_others() {
        for list in ["&[Migration { one }]", "&[\n  Migration { one },\n]"] {
            let schema = format!("const MIGRATIONS: &[Migration] = {list};\nrest [];\n");
            let text = with_migration(&schema, "sqlite", "0002-later").unwrap();
            let (before, after) = text
                .split_once("Migration { one }, Migration { name")
                .unwrap();
            assert!(before.ends_with('[') || before.ends_with("[\n  "));
            assert!(
                after.ends_with("0002-later.sql\") }];\nrest [];\n"),
                "{after}"
            );
        }
        assert!(with_migration("", "sqlite", "0002-later").is_err());
    }
}
