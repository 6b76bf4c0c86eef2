//! An installation to be crashed: made once by the commands that an operator has, then copied.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::clock::Deadline;
use super::provider::{Machine, Provider};
use crate::Trouble;
use crate::canton::{APPLICATIONS, ZONES, applications, gateways, hash};
use crate::post::Post;

/// Who lives here, by what they are for: so many of each kind.
pub(super) const TOKENS: usize = 240;
pub(super) const TO_ACTIVATE: usize = 120;
pub(super) const TO_DISABLE: usize = 120;
pub(super) const TO_MISTYPE: usize = 200;

/// How long all mails may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The name of somebody: `t` have a token, `a` wait for their activation, `d` are to be switched off,
/// `w` type wrong passwords.
pub(super) fn name(kind: char, number: usize) -> String {
    format!("{kind}{number}")
}

fn mail(name: &str) -> String {
    format!("{name}@edu.example")
}

/// The seed of a token: those with an odd number show TOTP, the others HOTP.
pub(super) fn seed(number: usize) -> String {
    format!("token-{number:014}")
}

/// A folder with configuration, key and database, ready to be copied.
#[derive(Debug)]
pub(super) struct Template {
    /// Activation codes by user name.
    pub(super) codes: BTreeMap<String, String>,
    home: PathBuf,
}

impl Template {
    /// Makes it in a folder that exists.
    pub(super) fn make(machine: &Machine, place: &Path, post: &Post) -> Result<Self, Trouble> {
        let home = place.join("template");
        let furka = |arguments: &[&str]| {
            let mut command = machine.command(&home);
            command.args(arguments);
            run(command)
        };
        let mut init = Command::new(&machine.furka);
        init.arg("init").arg(&home);
        run(init)?;
        let write = |name: &str, text: String| {
            let path = home.join(name);
            fs::write(&path, text)
                .map(|()| path.to_string_lossy().into_owned())
                .map_err(|error| Trouble::from(format!("writing `{}`: {error}", path.display())))
        };
        write("resources/applications.toml", applications(&APPLICATIONS))?;
        write("resources/zones.toml", ZONES.to_owned())?;
        write("resources/gateways.toml", gateways(post))?;
        furka(&["apply", &home.join("resources").to_string_lossy(), "--yes"])?;
        furka(&["token", "import", &write("tokens.csv", tokens())?])?;
        let people = write("people.csv", people())?;
        furka(&["person", "import", &people, "--send-activation"])?;
        let codes = Self::receive(machine, &home, post)?;
        Ok(Self { codes, home })
    }

    /// The mails leave while the provider serves.
    fn receive(
        machine: &Machine,
        home: &Path,
        post: &Post,
    ) -> Result<BTreeMap<String, String>, Trouble> {
        let provider = Provider::start(machine, home, None)?;
        let deadline = Deadline::after(PATIENCE);
        while post.addresses() < TO_ACTIVATE {
            if deadline.is_over() {
                return Err(Trouble::from(format!(
                    "of {TO_ACTIVATE} activation mails {} arrived",
                    post.addresses()
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        provider.stop()?;
        let names = (0..TO_ACTIVATE).map(|number| name('a', number));
        let codes = names.filter_map(|name| {
            let code = post.activation_code(&mail(&name))?;
            Some((name, code))
        });
        let codes: BTreeMap<_, _> = codes.collect();
        match codes.len() {
            TO_ACTIVATE => Ok(codes),
            found => Err(Trouble::from(format!(
                "{found} of {TO_ACTIVATE} activation mails have a code that can be read"
            ))),
        }
    }

    /// A fresh copy in a folder that does not exist yet.
    pub(super) fn copy(&self, to: &Path) -> Result<(), Trouble> {
        let copy = || -> std::io::Result<()> {
            fs::create_dir(to)?;
            for entry in fs::read_dir(&self.home)? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name()))?;
                }
            }
            Ok(())
        };
        copy().map_err(|error| Trouble::from(format!("copying the installation: {error}")))
    }
}

/// Runs a command of the provider to its end.
pub(super) fn run(mut command: Command) -> Result<String, Trouble> {
    let output = command
        .output()
        .map_err(|error| Trouble::from(format!("running `furka`: {error}")))?;
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    match output.status.success() {
        true => Ok(out.into_owned()),
        false => {
            let arguments: Vec<_> = command
                .get_args()
                .map(|text| text.to_string_lossy())
                .collect();
            Err(Trouble::from(format!(
                "`furka {}` failed ({}): {out}{err}",
                arguments.join(" "),
                output.status
            )))
        }
    }
}

fn tokens() -> String {
    let mut text = String::from("serial,seed,type,digits,counter\n");
    for number in 0..TOKENS {
        let seed: String = seed(number)
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let (kind, counter) = if number % 2 == 0 {
            ("hotp", "0")
        } else {
            ("totp", "")
        };
        text.push_str(&format!("{},{seed},{kind},6,{counter}\n", serial(number)));
    }
    text
}

fn serial(number: usize) -> usize {
    90_000_000 + number
}

fn people() -> String {
    let hash = hash();
    let mut text = String::from(
        "username,first_name,last_name,mail,role,language,method,token_serial,password_hash\n",
    );
    let mut add = |kind, number, rest: &str| {
        let name = name(kind, number);
        text.push_str(&format!(
            "{name},Anna,Rey,{},pupil,en,{rest}\n",
            mail(&name)
        ));
    };
    for number in 0..TOKENS {
        add('t', number, &format!("token,{},{hash}", serial(number)));
    }
    for number in 0..TO_ACTIVATE {
        add('a', number, ",,");
    }
    for number in 0..TO_DISABLE {
        add('d', number, &format!("app,,{hash}"));
    }
    for number in 0..TO_MISTYPE {
        add('w', number, &format!("app,,{hash}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::people;

    #[test]
    fn every_line_of_the_register_has_every_column() {
        let text = people();
        assert!(text.lines().all(|line| line.matches(',').count() == 8));
    }
}
