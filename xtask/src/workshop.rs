//! The checkout we stand in, and how programs are run in it.

use std::env;
use std::fmt;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// Why a command ended early: one sentence, with the cure where there is one.
#[derive(Debug)]
pub(crate) struct Trouble(String);

impl Trouble {
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The checkout.
pub(crate) struct Workshop {
    root: PathBuf,
}

/// What a program printed (both streams, in order) and how it ended.
pub(crate) struct Printed {
    pub(crate) text: String,
    pub(crate) status: ExitStatus,
}

impl Workshop {
    /// The checkout this program was built from.
    pub(crate) fn open() -> Result<Self, Trouble> {
        let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = here.as_deref().and_then(Path::parent).ok_or_else(|| {
            Trouble::new("run this as `cargo xtask …`, so that cargo says where the checkout is")
        })?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the checkout has this file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// Where cargo puts what it builds.
    pub(crate) fn built(&self) -> PathBuf {
        let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        self.root.join(target.unwrap_or_else(|| "target".into()))
    }

    /// Where cargo puts the release binary.
    pub(crate) fn release_binary(&self) -> PathBuf {
        self.built().join("release").join("furka")
    }

    /// A cargo of the same toolchain, ready to run in the checkout.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(arguments).current_dir(&self.root);
        // Set for us by the cargo that started us; a child building other packages must not see them.
        for (name, _) in env::vars().filter(|(name, _)| name.starts_with("CARGO_PKG_")) {
            command.env_remove(name);
        }
        command.env_remove("CARGO_MANIFEST_DIR");
        command
    }

    /// Runs a program whose output goes straight to the terminal.
    pub(crate) fn run(&self, mut command: Command) -> Result<(), Trouble> {
        let name = name_of(&command);
        let status = command
            .status()
            .map_err(|error| cannot_start(&name, &error))?;
        if status.success() {
            Ok(())
        } else {
            Err(Trouble::new(format!("`{name}`: {status}")))
        }
    }

    /// Runs a program, shows the lines that `shown` lets through, and keeps all of them.
    pub(crate) fn watch(
        &self,
        mut command: Command,
        shown: fn(&str) -> bool,
    ) -> Result<Printed, Trouble> {
        let name = name_of(&command);
        let (reader, writer) = io::pipe().map_err(|error| cannot_start(&name, &error))?;
        let both = writer
            .try_clone()
            .map_err(|error| cannot_start(&name, &error))?;
        command.stdout(writer).stderr(both);
        let mut child = command
            .spawn()
            .map_err(|error| cannot_start(&name, &error))?;
        // The command holds the writing ends; while it lives the pipe would never end.
        drop(command);
        let text = echo(reader, shown)
            .map_err(|error| Trouble::new(format!("reading what `{name}` printed: {error}")))?;
        let status = child.wait().map_err(|error| cannot_start(&name, &error))?;
        Ok(Printed { text, status })
    }
}

/// Copies the lines that `shown` lets through to our output, and returns all of them.
fn echo(reader: impl Read, shown: fn(&str) -> bool) -> io::Result<String> {
    let mut all = String::new();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        if shown(text.trim_end()) {
            io::stdout().write_all(text.as_bytes())?;
        }
        all.push_str(&text);
        line.clear();
    }
    Ok(all)
}

/// Whether somebody watches; logs stay short where nobody does.
pub(crate) fn somebody_watches() -> bool {
    io::stdout().is_terminal() && env::var_os("CI").is_none()
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(program)
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn cannot_start(name: &str, error: &io::Error) -> Trouble {
    Trouble::new(format!("`{name}` could not be run: {error}"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Workshop, echo};

    #[test]
    fn both_streams_are_kept_in_order_and_the_end_is_told() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; echo three; exit 3"]);
        let workshop = Workshop {
            root: std::path::PathBuf::new(),
        };
        let printed = workshop.watch(command, |_| false).unwrap();
        assert_eq!(printed.text, "one\ntwo\nthree\n");
        assert_eq!(printed.status.code(), Some(3));
    }

    #[test]
    fn what_is_not_shown_is_still_kept() {
        let text = echo("one\ntwo\nthree".as_bytes(), |_| false).unwrap();
        assert_eq!(text, "one\ntwo\nthree");
    }

    #[test]
    fn bytes_that_are_no_text_do_not_stop_a_log() {
        let text = echo(&b"a\xff\nb\n"[..], |_| false).unwrap();
        assert_eq!(text, "a\u{fffd}\nb\n");
    }
}
