//! `furka serve` beside other commands on the same database.

use std::{
    io::{self, BufRead, BufReader, Lines, Read, Write},
    net::TcpStream,
    process::{Child, ChildStderr, Command, Stdio},
    time::Duration,
};

use crate::{installation::Installation, terminal::furka};

pub(crate) struct Serving {
    child: Child,
    pub(crate) listen: String,
    log: Lines<BufReader<ChildStderr>>,
    pub(crate) management: String,
}

impl Serving {
    pub(crate) fn start(here: &Installation) -> Self {
        Self::start_with(here, &[])
    }

    /// One for which these variables of the environment say something else.
    pub(crate) fn start_with(here: &Installation, others: &[(&str, &str)]) -> Self {
        let mut child = furka(here.dir())
            .arg("serve")
            .env("FURKA_LISTEN", "127.0.0.1:0")
            .env("FURKA_MANAGEMENT_LISTEN", "[::1]:0")
            .envs(others.iter().copied())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut serving = Self {
            child,
            listen: String::new(),
            log,
            management: String::new(),
        };
        let line = serving.until("furka serves");
        let value = |name: &str| {
            let (_, rest) = line.split_once(name).unwrap();
            rest.split('"').nth(1).unwrap().to_owned()
        };
        serving.listen = value(" listen=");
        serving.management = value(" management=");
        serving
    }

    /// Reads the log up to a line with these words.
    pub(crate) fn until(&mut self, words: &str) -> String {
        let mut seen = Vec::new();
        for line in self.log.by_ref() {
            let line = line.unwrap();
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("the log ended without `{words}`:\n{}", seen.join("\n"))
    }

    /// Asks it to end and waits for it.
    pub(crate) fn stops(mut self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.until("furka has stopped");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Waited for: its places are free only then.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn get(address: &str, path: &str) -> String {
    try_get(address, path).unwrap()
}

/// The same where nobody may be there, or somebody is just leaving.
pub(crate) fn try_get(address: &str, path: &str) -> io::Result<String> {
    let mut socket = TcpStream::connect(address)?;
    socket.set_read_timeout(Some(Duration::from_secs(20)))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_running_server_takes_what_commands_change() {
    let here = Installation::new();
    let mut serving = Serving::start(&here);
    assert!(get(&serving.management, "/health/ready").starts_with("HTTP/1.1 200"));
    assert!(
        get(&serving.listen, "/metrics").starts_with("HTTP/1.1 404"),
        "metrics are not public"
    );

    let said = here.says(&["keys", "rotate", "--alg", "es256"]);
    let kid = said.split_whitespace().nth(1).unwrap();
    serving.until("a newer configuration is in use");
    assert!(
        get(&serving.listen, "/jwks").contains(kid),
        "the new key is published"
    );

    here.write(
        "people.csv",
        "username;first_name;last_name;mail;role\nanna;Anna;Rey;anna@edu.example;pupil\n",
    );
    here.says(&["person", "import", "people.csv", "--send-activation"]);
    serving.until("a message was not taken");
    serving.stops();
    assert!(
        here.says(&["audit", "verify"])
            .starts_with("the audit holds")
    );
}

#[test]
fn a_port_that_is_taken_says_which_option_to_change() {
    let here = Installation::new();
    let serving = Serving::start(&here);
    let second = furka(here.dir())
        .arg("serve")
        .env("FURKA_LISTEN", &serving.listen)
        .env("FURKA_MANAGEMENT_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(
        said.contains("change `listen` in the configuration"),
        "{said}"
    );
    serving.stops();
}
