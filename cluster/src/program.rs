//! A program that cannot outlive us: a shell stands between, and ends it when our end of a pipe closes.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use crate::{Trouble, folder::Folder, patience};

/// Starts the program, passes signals on by name, and ends it when there is nothing more to read.
/// A signal at the parent's death would come when the *thread* that started it ends: too early.
const SUPERVISOR: &str = r#"
folder=$1 log=$2 ending=$3 child=$4; shift 4
exec 9>"$folder/in-use"; flock --shared 9
"$@" </dev/null >>"$log" 2>&1 9>&- &
program=$!
echo "$program"
while read -r signal; do kill -s "$signal" "$program" 2>/dev/null; done
is_alive() { read -r _ _ state _ <"/proc/$1/stat" && [ "$state" != Z ]; } 2>/dev/null
waits_for() {
    for pause in .01 .02 .05 .1 .2 .5 1 2 5; do is_alive "$1" || return; sleep "$pause"; done
    kill -s KILL "$1"
}
kill -s "$ending" "$program" 2>/dev/null; waits_for "$program"; wait "$program"
child=$(sh -c "$end_child" child "$child" QUIT)
[ -z "$child" ] || waits_for "$child"
"#;

/// Sends a signal to the PostgreSQL server whose data is in a folder, and prints its number. Its file
/// may be that of a server long gone, whose number another process has now: only one that works in that
/// folder is meant.
const END_CHILD: &str = r#"
[ -n "$1" ] && read -r number <"$1/postmaster.pid" || exit 0
[ "$(readlink "/proc/$number/cwd")" = "$1" ] && kill -s "$2" "$number" && echo "$number"
"#;

/// How much of a log stands in an error.
const LOG_LINES: usize = 12;

/// What can be sent to a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Signal {
    /// End now, whatever is lost.
    Kill,
    /// PostgreSQL: end at once and recover at the next start.
    Quit,
    /// End in good order.
    Term,
}

impl Signal {
    const fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Quit => "QUIT",
            Self::Term => "TERM",
        }
    }
}

/// Sends a signal to the PostgreSQL server whose data is in this folder, if one runs.
pub(crate) fn end_process(data: &Path, signal: Signal) {
    let _nobody_there = Command::new("sh")
        .args(["-c", END_CHILD, "child"])
        .arg(data)
        .arg(signal.name())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Program {
    log: PathBuf,
    name: String,
    number: u32,
    signals: Option<ChildStdin>,
    supervisor: Child,
}

impl Program {
    /// Starts it; what it prints is kept in a log of this name in the folder, which it may use.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(
        name: &str,
        program: &Command,
        folder: &Folder,
        ending: Signal,
    ) -> Result<Self, Trouble> {
        Self::supervise(name, program, folder, (ending, Path::new("")))
    }

    /// Starts a program that will start a PostgreSQL server with this data, which outlives it: that is
    /// ended, too, when the program has ended.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub(crate) fn start_with_child(
        name: &str,
        program: &Command,
        folder: &Folder,
        data: &Path,
    ) -> Result<Self, Trouble> {
        Self::supervise(name, program, folder, (Signal::Kill, data))
    }

    fn supervise(
        name: &str,
        program: &Command,
        folder: &Folder,
        (ending, data): (Signal, &Path),
    ) -> Result<Self, Trouble> {
        let doing = || format!("starting `{name}`");
        let log = folder.path().join(format!("{name}.log"));
        let mut shell = Command::new("sh");
        shell.args(["-c", SUPERVISOR, name]);
        shell
            .arg(folder.path())
            .arg(&log)
            .arg(ending.name())
            .arg(data);
        shell.env("end_child", END_CHILD);
        shell.arg(program.get_program()).args(program.get_args());
        for (variable, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(variable, value),
                None => shell.env_remove(variable),
            };
        }
        // A group of its own: Ctrl-C is for us, and reaches it as the end of the pipe.
        shell.current_dir(folder.path()).process_group(0);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        // It says how its program ended; so does its program, in the log.
        shell.stderr(Stdio::null());
        let mut supervisor = shell.spawn().map_err(Trouble::of(doing()))?;
        let mut line = String::new();
        if let Some(stdout) = supervisor.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut line);
            read.map_err(Trouble::of(doing()))?;
        }
        let number = line.trim().parse();
        let number = number.map_err(|_| Trouble::new(format!("`{name}` has no process")))?;
        Ok(Self {
            log,
            name: name.to_owned(),
            number,
            signals: supervisor.stdin.take(),
            supervisor,
        })
    }

    /// Its process.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// Sends a signal, and does not wait for what it does.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if let Some(pipe) = &mut self.signals {
            // A supervisor that is gone has ended its program.
            let _gone = writeln!(pipe, "{}", signal.name());
        }
    }

    /// Ends it by a signal and waits until nothing is left of it, not even its number.
    ///
    /// # Errors
    /// If that takes longer.
    pub(crate) fn end(&mut self, by: Signal, at_most: Duration) -> Result<(), Trouble> {
        self.signal(by);
        self.leaves_within(at_most)
    }

    /// Waits until nothing is left of one that was told to end.
    ///
    /// # Errors
    /// If that takes longer.
    pub(crate) fn leaves_within(&mut self, at_most: Duration) -> Result<(), Trouble> {
        self.ends_within(at_most)?;
        drop(self.signals.take());
        let ended = self.supervisor.wait();
        ended.map_err(Trouble::of(format!("ending `{}`", self.name)))?;
        Ok(())
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&self) -> bool {
        // `number (name) state …`; the name may hold anything, brackets too.
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.number));
        let state = stat
            .ok()
            .and_then(|stat| Some(stat.rsplit_once(") ")?.1.to_owned()));
        state.is_some_and(|state| !state.starts_with(['Z', 'X']))
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// If that takes longer.
    fn ends_within(&self, at_most: Duration) -> Result<(), Trouble> {
        let ended = patience::until(at_most, || (!self.is_running()).then_some(()));
        ended.ok_or_else(|| self.trouble(&format!("still runs after {at_most:?}")))
    }

    /// Waits until it is ready, which `look` sees; gives up when it has ended.
    ///
    /// # Errors
    /// If it ends, or is not ready in time.
    pub(crate) fn is_ready_within<T>(
        &self,
        at_most: Duration,
        mut look: impl FnMut() -> Option<T>,
    ) -> Result<T, Trouble> {
        let mut alive = true;
        let found = patience::until(at_most, || {
            alive = self.is_running();
            match look() {
                Some(found) => Some(Some(found)),
                None if alive => None,
                None => Some(None),
            }
        });
        found.flatten().ok_or_else(|| match alive {
            true => self.trouble(&format!("is not ready after {at_most:?}")),
            false => self.trouble("ended before it was ready"),
        })
    }

    /// A sentence about it, with the end of what it printed.
    pub(crate) fn trouble(&self, what: &str) -> Trouble {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        let last = lines
            .get(lines.len().saturating_sub(LOG_LINES)..)
            .unwrap_or_default();
        Trouble::new(format!("`{}` {what}\n{}", self.name, last.join("\n")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.signals.take());
        let _ended = self.supervisor.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command, time::Duration};

    use super::{Program, Signal};
    use crate::{account::Account, folder::Folder, patience};

    fn sleeps() -> Command {
        let mut command = Command::new("sleep");
        command.arg("1000");
        command
    }

    #[test]
    fn a_program_ends_with_its_value_and_the_folder_after_it() {
        let folder = Folder::make(Account::Ours).unwrap();
        let program = Program::start("sleeper", &sleeps(), &folder, Signal::Term).unwrap();
        let process = format!("/proc/{}", program.number());
        assert!(program.is_running());
        drop(program);
        assert!(!fs::exists(process).unwrap());
    }

    #[test]
    fn a_signal_reaches_the_program_and_its_end_is_seen() {
        let folder = Folder::make(Account::Ours).unwrap();
        let mut program = Program::start("sleeper", &sleeps(), &folder, Signal::Term).unwrap();
        program.end(Signal::Kill, Duration::from_secs(5)).unwrap();
        assert!(!program.is_running());
    }

    #[test]
    fn a_program_that_ends_too_early_is_told_with_what_it_printed() {
        let folder = Folder::make(Account::Ours).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no such luck; exit 3"]);
        let program = Program::start("unlucky", &command, &folder, Signal::Term).unwrap();
        let trouble = program
            .is_ready_within(Duration::from_secs(5), || None::<()>)
            .unwrap_err();
        assert!(trouble.to_string().ends_with("no such luck"), "{trouble}");
    }

    #[test]
    fn a_program_ends_when_its_supervisor_loses_us() {
        let folder = Folder::make(Account::Ours).unwrap();
        let mut program = Program::start("sleeper", &sleeps(), &folder, Signal::Term).unwrap();
        // What the system does for a process that was killed: it closes its pipes.
        program.signals = None;
        program.ends_within(Duration::from_secs(5)).unwrap();
        let seen = patience::until(Duration::from_secs(5), || {
            program.supervisor.try_wait().ok().flatten()
        });
        assert!(seen.is_some());
    }
}
