//! The WebDriver protocol [W3C WebDriver], as much of it as a story needs, and Chromium's own
//! commands beneath it.

use std::cell::RefCell;
use std::process::Command;
use std::time::Duration;

use reqwest::blocking::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Program;

/// The key under which elements travel [W3C WebDriver §11].
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running `chromedriver`.
pub(crate) struct Driver {
    url: String,
    _program: Program,
}

impl Driver {
    pub(crate) fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--log-level=WARNING"]);
        let program = Program::start(command);
        let line = program.says(|line| line.contains("started successfully on port"));
        let port: String = line.chars().filter(char::is_ascii_digit).collect();
        Self {
            url: format!("http://127.0.0.1:{port}"),
            _program: program,
        }
    }

    /// A browser nobody used before.
    pub(crate) fn session(&self, language: &str, accepted: &str) -> Session {
        let profile = match tempfile::tempdir() {
            Ok(profile) => profile,
            Err(error) => panic!("no folder for a browser: {error}"),
        };
        let mut arguments = vec![
            format!("--user-data-dir={}", profile.path().display()),
            format!("--lang={language}"),
            format!("--accept-lang={accepted}"),
        ];
        arguments.extend(ARGUMENTS.map(str::to_owned));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": "/usr/bin/chromium", "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL" },
        }}});
        let client = client();
        let made = call(
            client.post(format!("{}/session", self.url)).json(&wanted),
            "a new browser",
        );
        let id = made["sessionId"].as_str().unwrap_or_default();
        let url = format!("{}/session/{id}", self.url);
        Session {
            client,
            current: RefCell::default(),
            url,
            _profile: profile,
        }
    }
}

/// Headless, without anything that calls home; spoken to through a pipe, so that the browser ends
/// with its driver however that ends.
const ARGUMENTS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--window-size=1280,960",
];

/// One browser: its tabs share it.
pub(crate) struct Session {
    client: Client,
    /// The handle of the tab that commands go to.
    current: RefCell<String>,
    url: String,
    _profile: TempDir,
}

impl Session {
    pub(crate) fn get(&self, path: &str) -> Value {
        call(self.client.get(format!("{}/{path}", self.url)), path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        call(
            self.client.post(format!("{}/{path}", self.url)).json(body),
            path,
        )
    }

    /// A command of Chromium's own protocol.
    pub(crate) fn chromium(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("goog/cdp/execute", &body)
    }

    /// Runs a script in the page; elements in its answer are given as [`Session::element`] takes them.
    pub(crate) fn script(&self, script: &str, arguments: &[Value]) -> Value {
        self.post(
            "execute/sync",
            &json!({ "script": script, "args": arguments }),
        )
    }

    /// The path of an element that a script returned.
    pub(crate) fn element(value: &Value) -> Option<String> {
        value
            .get(ELEMENT)
            .and_then(Value::as_str)
            .map(|id| format!("element/{id}"))
    }

    /// Turns to a tab.
    pub(crate) fn turns_to(&self, tab: &str) {
        if *self.current.borrow() != tab {
            self.post("window", &json!({ "handle": tab }));
            tab.clone_into(&mut self.current.borrow_mut());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _gone = self.client.delete(&self.url).send();
    }
}

/// Over loopback, without following anything.
pub(crate) fn client() -> Client {
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(120))
        .build();
    match client {
        Ok(client) => client,
        Err(error) => panic!("no HTTP client: {error}"),
    }
}

fn call(request: reqwest::blocking::RequestBuilder, what: &str) -> Value {
    let answer: Value = match request.send().and_then(reqwest::blocking::Response::json) {
        Ok(answer) => answer,
        Err(error) => panic!("chromedriver did not answer to {what}: {error}"),
    };
    let value = answer.get("value").cloned().unwrap_or_default();
    if let Some(error) = value.get("error").and_then(Value::as_str) {
        panic!("chromedriver refused {what}: {error}: {}", value["message"]);
    }
    value
}
