//! `furka demo`: the release binary in a folder of its own, with a clock that a story moves.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use reqwest::blocking::Client;
use reqwest::header::{HeaderName, HeaderValue};
use tempfile::TempDir;
use testkit::{Answer, App, Attempt, Browser, Inbox, Language, Lost, Origins, Person, Place, Town};

use crate::chromium::Chromium;
use crate::process::{self, Program};
use crate::webdriver::{Driver, client};

/// A wait, and how many of them are patience enough for a message.
const WAIT: Duration = Duration::from_millis(50);
const WAITS_MAX: u32 = 300;
/// How many requests go out at the same time, at most.
const AT_ONCE: usize = 32;

/// A canton in the real binary. Everything ends with the value.
pub struct Furka {
    ahead_s: i64,
    driver: Rc<Driver>,
    folder: TempDir,
    inbox: Inbox,
    language: Language,
    port: u16,
    waits: u32,
    _program: Program,
}

impl Furka {
    /// Starts the binary that `FURKA_BIN` names, and waits until it says that it is ready.
    ///
    /// # Panics
    /// When it is not there or does not start.
    #[must_use]
    pub fn start(language: Language) -> Self {
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("no folder for a town: {error}"),
        };
        let port = four_free_ports();
        let clock = folder.path().join("clock");
        sets(&clock, 0);
        let mut command = binary(&clock);
        command
            .arg("demo")
            .args(["--port", &port.to_string(), "--dir"])
            .arg(folder.path().join("furka"));
        let program = Program::start(command);
        program.says(|line| line.starts_with("ready "));
        Self {
            ahead_s: 0,
            driver: Rc::new(Driver::start()),
            folder,
            inbox: Inbox::default(),
            language,
            port,
            waits: 0,
            _program: program,
        }
    }
}

impl Town for Furka {
    fn browser(&mut self, place: Place) -> Box<dyn Browser> {
        let session = self
            .driver
            .session(self.language.code(), self.language.accepted());
        Box::new(Chromium::new(session, self.language, place))
    }

    fn sends(&mut self, attempts: Vec<Attempt>) -> Vec<Answer> {
        let share = attempts.len().div_ceil(AT_ONCE).max(1);
        thread::scope(|scope| {
            let workers: Vec<_> = attempts
                .chunks(share)
                .map(|some| scope.spawn(|| some.iter().cloned().map(exchange).collect::<Vec<_>>()))
                .collect();
            let answers = workers.into_iter().map(|worker| match worker.join() {
                Ok(answers) => answers,
                Err(_) => panic!("a request was not answered"),
            });
            answers.flatten().collect()
        })
    }

    fn passes(&mut self, seconds: i64) {
        self.ahead_s = self.ahead_s.saturating_add(seconds);
        sets(&self.folder.path().join("clock"), self.ahead_s);
    }

    fn now(&mut self) -> i64 {
        #[expect(
            clippy::disallowed_methods,
            reason = "the town's clock is the machine's, moved"
        )]
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(now.as_secs())
            .unwrap_or_default()
            .saturating_add(self.ahead_s)
    }

    fn origins(&self) -> Origins {
        Origins::on_localhost(self.port)
    }

    fn totp(&mut self, app: &App, at: i64) -> String {
        process::output(
            "oathtool",
            &["--totp", "--base32", "--now", &format!("@{at}"), &app.key],
        )
    }

    fn desk(&mut self, person: &Person, lost: Lost) {
        let what = match lost {
            Lost::Password => "--password",
            Lost::Phone => "--factor",
        };
        let mut furka = binary(&self.folder.path().join("clock"));
        furka
            .arg("--config")
            .arg(self.folder.path().join("furka/furka.toml"))
            .args(["person", "reset", &person.username, what, "--yes"])
            .args(["--reason", "came to the desk"]);
        match furka.output() {
            Ok(done) if done.status.success() => {}
            done => panic!("the desk could not reset {}: {done:?}", person.username),
        }
    }

    fn inbox(&mut self) -> &mut Inbox {
        self.waits = 0;
        &mut self.inbox
    }

    fn waits(&mut self) -> bool {
        self.waits += 1;
        if self.waits > WAITS_MAX {
            self.waits = 0;
            return false;
        }
        thread::sleep(WAIT);
        true
    }
}

/// The binary that `FURKA_BIN` names, by the town's clock.
fn binary(clock: &Path) -> Command {
    let Some(binary) = std::env::var_os("FURKA_BIN") else {
        panic!("FURKA_BIN is not set: the stories are told of a binary, see `e2e/README.md`");
    };
    let mut command = Command::new(binary);
    command
        .env("LD_PRELOAD", libfaketime())
        .env("FAKETIME_TIMESTAMP_FILE", clock)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("FAKETIME_NO_CACHE", "1");
    command
}

/// Sends one request as it is and reads the answer to its end.
pub(crate) fn exchange(attempt: Attempt) -> Answer {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let method = attempt.method.parse().unwrap_or(reqwest::Method::GET);
    let mut request = CLIENT
        .get_or_init(client)
        .request(method, &attempt.url)
        .body(attempt.body);
    for (name, value) in &attempt.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) else {
            panic!("a header that cannot be sent: {:?}", attempt.headers);
        };
        request = request.header(name, value);
    }
    let response = match request.send() {
        Ok(response) => response,
        Err(error) => panic!("{} was not answered: {error}", attempt.url),
    };
    let headers = response.headers().iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });
    let (status, headers) = (response.status().as_u16(), headers.collect());
    Answer {
        status,
        headers,
        body: response.text().unwrap_or_default(),
    }
}

/// Debian's library that stands between a program and the clock.
fn libfaketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib")
        .into_iter()
        .flatten()
        .flatten();
    let mut files = folders.map(|entry| entry.path().join("faketime/libfaketime.so.1"));
    match files.find(|file| file.exists()) {
        Some(file) => file,
        None => panic!("libfaketime is not installed: `apt-get install faketime`"),
    }
}

/// Writes how far the town's clock is ahead, so that it is never read half written.
fn sets(clock: &Path, ahead_s: i64) {
    let new = clock.with_extension("new");
    let written =
        std::fs::write(&new, format!("{ahead_s:+}\n")).and_then(|()| std::fs::rename(&new, clock));
    if let Err(error) = written {
        panic!("the town's clock cannot be set: {error}");
    }
}

/// The first of four ports in a row where nobody listens, below those that the system gives to
/// outgoing connections. Towns side by side begin to look at different ones.
fn four_free_ports() -> u16 {
    const FIRST: u32 = 20_000;
    const TOWNS: u32 = 2500;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..TOWNS {
        let town = std::process::id().wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % TOWNS;
        let port = u16::try_from(FIRST + 4 * town).unwrap_or_default();
        let free = (port..port + 4).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
        if free.count() == 4 {
            return port;
        }
    }
    panic!("no four free ports in a row");
}
