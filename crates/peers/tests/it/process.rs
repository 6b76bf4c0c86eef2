//! Programs a test starts, watches by what they say, and ends.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

/// Longest wait for a program to say something.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running program in a process group of its own; ended with all its children when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    name: String,
}

impl Process {
    /// Starts it. What it writes to either output can be waited for.
    pub(crate) fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        assert!(
            Path::new(&program).exists(),
            "`{program}` is missing: apt-get install --no-install-recommends {}",
            include_str!("../packages.txt")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        );
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn().unwrap();
        let (said, lines) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let said = said.clone();
            thread::spawn(move || {
                let lines = BufReader::new(output).split(b'\n').map_while(Result::ok);
                for line in lines {
                    // The test may have ended: nobody listens then.
                    let _gone = said.send(String::from_utf8_lossy(&line).into_owned());
                }
            });
        }
        Self {
            child,
            lines,
            name: program,
        }
    }

    /// Waits for a line that contains the text and returns it.
    pub(crate) fn says(&self, text: &str) -> String {
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => said.push(line),
                Err(_) => panic!(
                    "{} did not say `{text}` but:\n{}",
                    self.name,
                    said.join("\n")
                ),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The child leads its group: the group's id is its process id.
        let group = format!("-{}", self.child.id());
        let _killed = Command::new("/bin/kill")
            .args(["-KILL", "--", &group])
            .status();
        let _reaped = self.child.wait();
    }
}

/// A port of this machine that is free at the moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
