//! Programs that end with the value that holds them, with everything they started.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// A program in a process group of its own.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    name: String,
}

/// How long a program may take to say what it is waited for: a machine may be busy.
const START_MAX: Duration = Duration::from_secs(60);

impl Program {
    /// Starts it; what it prints is read line by line. It ends with the test, too, if that is killed.
    pub(crate) fn start(program: Command) -> Self {
        let name = program.get_program().to_string_lossy().into_owned();
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM"])
            .arg(program.get_program())
            .args(program.get_args());
        command.envs(
            program
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("`{name}` cannot be started: {error}"),
        };
        let (say, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            // Read to the end, so that the program never waits for a reader.
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _nobody_listens = say.send(line);
                }
            });
        }
        Self { child, lines, name }
    }

    /// The first line that fits; the program is dead or silent otherwise.
    pub(crate) fn says(&self, fits: impl Fn(&str) -> bool) -> String {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(START_MAX) {
                Ok(line) if fits(&line) => return line,
                Ok(line) => heard.push(line),
                Err(why) => panic!(
                    "`{}` did not start ({why}):\n{}",
                    self.name,
                    heard.join("\n")
                ),
            }
        }
    }
}

impl Drop for Program {
    /// Ends the group: exactly what was started here.
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        for signal in ["-TERM", "-KILL"] {
            let _gone = Command::new("kill")
                .args([signal, "--", &group])
                .stderr(Stdio::null())
                .status();
            for _ in 0..100 {
                if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// What a program prints that runs to its end.
pub(crate) fn output(program: &str, arguments: &[&str]) -> String {
    let output = match Command::new(program).args(arguments).output() {
        Ok(output) => output,
        Err(error) => panic!("`{program}` cannot be started: {error}"),
    };
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() {
        panic!(
            "`{program} {}`: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    printed
}
