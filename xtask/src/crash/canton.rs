//! An installation to be crashed: made once by the commands that an operator has, then copied.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::clock::Deadline;
use super::post::Post;
use super::provider::{Machine, Provider};
use crate::workshop::Trouble;

/// The application that asks; its redirects lead nowhere.
pub(super) const PORTAL: &str = "portal";
/// An application that asks for two factors.
pub(super) const STRICT: &str = "strict";
pub(super) const REDIRECT: &str = "https://portal.example/callback";
/// The secret of both, known to everybody: the installation lives for one run.
pub(super) const SECRET: &str = "a-secret-that-protects-nothing-0123456789";
/// `printf %s SECRET | sha256sum`
const SECRET_SHA256: &str = "7bb68f78a50aa708e36b3bfa9cdefc2d66eab1d6cf5797296305e674629a5146";
/// The password of everybody who has one.
pub(super) const PASSWORD: &str = "Simplon-1805-Galerie";
/// Its `{SSHA}`, which costs nothing to check; the provider replaces it at the first sign-in.
const PASSWORD_HASH: &str = "{SSHA}b8bE+//q4FlULkvs3gaIhvWGrHMxMjM0NTY3OA==";
/// An address in the zone in which a password is enough.
pub(super) const SCHOOL: &str = "198.51.100.7";
/// An address in no zone.
pub(super) const HOME: &str = "203.0.113.9";

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
                .map_err(|error| Trouble::new(format!("writing `{}`: {error}", path.display())))
        };
        write("resources/applications.toml", applications())?;
        write("resources/zones.toml", ZONES.to_owned())?;
        write("resources/gateways.toml", gateways(post.port()))?;
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
        while post.received().len() < TO_ACTIVATE {
            if deadline.is_over() {
                return Err(Trouble::new(format!(
                    "of {TO_ACTIVATE} activation mails {} arrived",
                    post.received().len()
                )));
            }
            thread::sleep(Duration::from_millis(20));
        }
        provider.stop()?;
        let codes = post.received().into_iter().filter_map(|(address, mail)| {
            let name = address.split('@').next()?.to_owned();
            Some((name, activation_code(&mail)?))
        });
        let codes: BTreeMap<_, _> = codes.collect();
        match codes.len() {
            TO_ACTIVATE => Ok(codes),
            found => Err(Trouble::new(format!(
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
        copy().map_err(|error| Trouble::new(format!("copying the installation: {error}")))
    }
}

/// Runs a command of the provider to its end.
pub(super) fn run(mut command: Command) -> Result<String, Trouble> {
    let output = command
        .output()
        .map_err(|error| Trouble::new(format!("running `furka`: {error}")))?;
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    match output.status.success() {
        true => Ok(out.into_owned()),
        false => {
            let arguments: Vec<_> = command
                .get_args()
                .map(|text| text.to_string_lossy())
                .collect();
            Err(Trouble::new(format!(
                "`furka {}` failed ({}): {out}{err}",
                arguments.join(" "),
                output.status
            )))
        }
    }
}

const ZONES: &str = r#"
[[zone]]
id = "school"
kind = "school"
name = { fr = "École", de = "Schule", en = "School" }
networks = ["198.51.100.0/24", "2001:db8:1::/48"]
second_factor = "not-asked"
enrolment = "refused"
owner = "crash"
review_by = "2099-08-01"
"#;

fn applications() -> String {
    [(PORTAL, "password"), (STRICT, "strong")]
        .map(|(id, minimum)| {
            format!(
                "[[application]]\nid = \"{id}\"\n\
                 name = {{ fr = \"Portail\", de = \"Portal\", en = \"Portal\" }}\n\
                 kind = \"confidential\"\nredirect_uris = [\"{REDIRECT}\"]\nauth = \"post\"\n\
                 secret_sha256 = \"{SECRET_SHA256}\"\nscopes = [\"openid\", \"profile\"]\n\
                 minimum = \"{minimum}\"\ntrusted = true\n"
            )
        })
        .concat()
}

fn gateways(port: u16) -> String {
    format!(
        "[mail]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n\
         from = \"Furka <noreply@edu.example>\"\n"
    )
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
    let mut text = String::from(
        "username,first_name,last_name,mail,role,language,method,token_serial,password_hash\n",
    );
    let mut add = |kind, number, rest: &str| {
        let name = name(kind, number);
        text.push_str(&format!(
            "{name},Anna,Rey,{name}@edu.example,pupil,en,{rest}\n"
        ));
    };
    for number in 0..TOKENS {
        add(
            't',
            number,
            &format!("token,{},{PASSWORD_HASH}", serial(number)),
        );
    }
    for number in 0..TO_ACTIVATE {
        add('a', number, ",,");
    }
    for number in 0..TO_DISABLE {
        add('d', number, &format!("app,,{PASSWORD_HASH}"));
    }
    for number in 0..TO_MISTYPE {
        add('w', number, &format!("app,,{PASSWORD_HASH}"));
    }
    text
}

/// The code in an activation mail in English.
fn activation_code(mail: &str) -> Option<String> {
    let (_, rest) = mail.split_once("Activation code: ")?;
    rest.lines().next().map(|code| code.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{activation_code, people};

    #[test]
    fn the_code_is_read_from_a_mail() {
        let mail = "2. Enter:\n\n   User name: a0\n   Activation code: 3A66T-HD6S4\n\nThe code";
        assert_eq!(activation_code(mail).as_deref(), Some("3A66T-HD6S4"));
    }

    #[test]
    fn every_line_of_the_register_has_every_column() {
        let text = people();
        assert!(text.lines().all(|line| line.matches(',').count() == 8));
    }
}
