//! Programs that a test starts and ends.

use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Longest wait for a program to be up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program in a process group of its own; ended with its children when dropped.
pub(super) struct Process {
    child: Child,
}

impl Process {
    pub(super) fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        assert!(
            Path::new(&program).exists(),
            "`{program}` is missing: {}",
            cure()
        );
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Waits until something is there; the program must not end before.
    pub(super) fn until(&mut self, mut is_there: impl FnMut() -> bool) {
        let mut tries = 0;
        while !is_there() {
            assert_eq!(self.child.try_wait().unwrap(), None, "it ended too early");
            tries += 1;
            assert!(tries < PATIENCE.as_millis() / 50, "it was not up in time");
            pause();
        }
    }
}

fn pause() {
    let (_never, waits) = std::sync::mpsc::channel::<()>();
    let _over = waits.recv_timeout(Duration::from_millis(50));
}

impl Drop for Process {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        let _ended = Command::new("/bin/kill")
            .args(["-TERM", "--", &group])
            .status();
        let _reaped = self.child.wait();
    }
}

/// What to install.
pub(super) fn cure() -> String {
    let lines = include_str!("../../packages.txt").lines();
    let names: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    format!(
        "apt-get install --no-install-recommends {}",
        names.join(" ")
    )
}

/// A port on which nothing listens.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Whether something listens there.
pub(super) fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}
