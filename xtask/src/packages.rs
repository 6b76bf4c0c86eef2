//! The programs that tests need from outside, as Debian packages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::workshop::{Trouble, Workshop};

/// Installs what is listed and missing; says how many packages that were.
pub(crate) fn install(workshop: &Workshop) -> Result<String, Trouble> {
    install_all(workshop, &listed(workshop.root())?)
}

/// Installs what a list names and is missing: for a command that needs no more than that.
pub(crate) fn install_those_of(workshop: &Workshop, list: &str) -> Result<String, Trouble> {
    let text = fs::read_to_string(workshop.root().join(list))
        .map_err(|error| Trouble::new(format!("reading `{list}`: {error}")))?;
    install_all(workshop, &names(&text).into_iter().collect())
}

fn install_all(workshop: &Workshop, listed: &BTreeSet<String>) -> Result<String, Trouble> {
    let missing: Vec<&str> = listed
        .iter()
        .map(String::as_str)
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(format!("all {} packages are there", listed.len()));
    }
    println!("installing {}", missing.join(" "));
    workshop.run(apt_get(&["update", "-qq"], &missing)?)?;
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(&missing);
    workshop.run(apt_get(&arguments, &missing)?)?;
    match missing.iter().find(|package| !is_installed(package)) {
        Some(package) => Err(Trouble::new(format!(
            "`{package}` was not installed by apt-get"
        ))),
        None => Ok(format!("{} packages installed", missing.len())),
    }
}

/// Every package named in `packages.txt` of `xtask`, `bench`, `cluster` and `e2e`, and in `crates/*/tests/packages.txt`.
fn listed(root: &Path) -> Result<BTreeSet<String>, Trouble> {
    let mut lists = vec![
        root.join("xtask/packages.txt"),
        root.join("bench/packages.txt"),
        root.join("cluster/packages.txt"),
        root.join("e2e/packages.txt"),
    ];
    let crates = fs::read_dir(root.join("crates"))
        .map_err(|error| Trouble::new(format!("looking for lists of packages: {error}")))?;
    lists.extend(
        crates
            .flatten()
            .map(|entry| entry.path().join("tests/packages.txt")),
    );
    let texts = lists
        .iter()
        .filter_map(|list| fs::read_to_string(list).ok());
    Ok(texts.flat_map(|text| names(&text)).collect())
}

/// One name a line; `#` begins a comment.
fn names(list: &str) -> Vec<String> {
    let names = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim());
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether a package is there, or another one that says it stands for it: Node's own package brings `npm`.
fn is_installed(package: &str) -> bool {
    let asked = Command::new("dpkg-query")
        .args([
            "--show",
            "--showformat=${db:Status-Status} ${Package}, ${Provides}\n",
        ])
        .stderr(Stdio::null())
        .output();
    let Ok(output) = asked else { return false };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut installed = text
        .lines()
        .filter_map(|line| line.strip_prefix("installed "));
    installed.any(|names| provides(names, package))
}

/// Whether a list as dpkg writes it, `one, other (= 1.2)`, has a name.
fn provides(names: &str, package: &str) -> bool {
    let mut names = names
        .split(',')
        .filter_map(|name| name.split_whitespace().next());
    names.any(|name| name == package)
}

/// Whether everything is allowed to us.
pub(crate) fn are_we_root() -> bool {
    let number = Command::new("id").arg("-u").output();
    number.is_ok_and(|output| output.stdout == b"0\n")
}

fn apt_get(arguments: &[&str], missing: &[&str]) -> Result<Command, Trouble> {
    if !Path::new("/usr/bin/apt-get").exists() {
        let packages = missing.join(" ");
        let sentence = "this is no Debian: install the equivalents of these packages by hand";
        return Err(Trouble::new(format!("{sentence}: {packages}")));
    }
    let mut command = if are_we_root() {
        Command::new("env")
    } else {
        Command::new("sudo")
    };
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
        .args(arguments);
    command.stdin(Stdio::null());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::{is_installed, names, provides};

    #[test]
    fn a_list_has_one_name_a_line_and_comments() {
        assert_eq!(
            names("# the browser\nchromium\n\n oathtool  # codes\n"),
            ["chromium", "oathtool"]
        );
    }

    #[test]
    fn a_package_may_stand_for_another() {
        let node = "nodejs, nodejs-dev, npm (= 10.8)";
        assert!(provides(node, "npm") && provides(node, "nodejs"));
        assert!(!provides(node, "node") && !provides(node, ""));
        assert!(is_installed("dpkg") && !is_installed(""));
    }

    #[test]
    fn a_package_nobody_has_heard_of_is_not_installed() {
        assert!(!is_installed("no-such-package-anywhere"));
    }
}
