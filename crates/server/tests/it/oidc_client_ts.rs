//! OpenID Connect with an application in the browser that nobody here wrote: npm's `oidc-client-ts`, in
//! Chromium. It has no secret, and reads every answer as a script of another site.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Role, Town};
use tokio::runtime::Runtime;

use crate::{
    application::claims,
    cas_client::canton_of_today,
    openid_client::packages,
    programs::{Program, Serving, free_port},
    registered::registers,
};

const PAGE: &str = include_str!("../npm/oidc_client_ts.html");
/// What people read: its block is what runs here.
const DOCUMENT: &str = include_str!("../../../../docs/applications/single-page.md");
/// Longest wait for the browser to come to a page, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(30);
const PULSE: Duration = Duration::from_millis(50);

/// A browser with a profile of its own, told what to do by `chromedriver`.
struct Chromium {
    client: Client,
    runtime: Runtime,
    session: String,
    _driver: Program,
    folder: TempDir,
}

impl Chromium {
    fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let mut driver = Command::new("/usr/bin/chromedriver");
        driver.arg(format!("--port={port}"));
        let driver = Program::start(&mut driver, folder.path(), port);
        let mut browser = Self {
            client: Client::builder().no_proxy().build().unwrap(),
            runtime: Runtime::new().unwrap(),
            session: format!("http://127.0.0.1:{port}/session"),
            _driver: driver,
            folder,
        };
        let profile = browser.folder.path().join("profile");
        let profile = format!("--user-data-dir={}", profile.display());
        // Spoken to through a pipe, it ends with its driver, however that ends.
        let arguments = [
            &profile,
            "--headless=new",
            "--no-sandbox",
            "--remote-debugging-pipe",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
        ];
        let options = json!({ "binary": "/usr/bin/chromium", "args": arguments });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let made = browser.asks(Method::POST, "", &wanted);
        let id = made["sessionId"].as_str().unwrap();
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    /// One command [W3C WebDriver §6], and its answer.
    fn asks(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self
            .client
            .request(method, format!("{}{path}", self.session));
        let text = self.runtime.block_on(async {
            let answer = request.body(body.to_string()).send().await.unwrap();
            answer.text().await.unwrap()
        });
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer["value"]["error"].is_null(), "{path} {body}: {text}");
        answer["value"].take()
    }

    fn opens(&self, url: &str) {
        self.asks(Method::POST, "/url", &json!({ "url": url }));
    }

    /// What an expression is on the page that is open, or what it was rejected with.
    fn evaluates(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; (async () => {expression})().then(done, (error) => done(`${{error}}`));"
        );
        let body = json!({ "script": script, "args": [] });
        self.asks(Method::POST, "/execute/async", &body)
    }

    /// Begins what leads to another page, and waits for one whose address begins so.
    fn leaves_for(&self, beginning: &str, expression: &str) {
        let script = format!("setTimeout(() => {expression})");
        self.asks(
            Method::POST,
            "/execute/sync",
            &json!({ "script": script, "args": [] }),
        );
        let mut left = PATIENCE;
        loop {
            let state = json!({ "script": "return [location.href, document.readyState, document.body?.innerText]", "args": [] });
            let page = self.asks(Method::POST, "/execute/sync", &state);
            if page[0].as_str().unwrap().starts_with(beginning) && page[1] == "complete" {
                return;
            }
            assert!(!left.is_zero(), "not {beginning}: {page}");
            thread::sleep(PULSE);
            left = left.saturating_sub(PULSE);
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let delete = self.client.delete(&self.session).send();
        let _gone = self.runtime.block_on(delete);
    }
}

/// The application: its page at every address, and the library as npm brought it. Its origin.
fn serves_the_application(port: u16, provider: &str) -> String {
    let library = packages().join("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js");
    let library = fs::read_to_string(library).unwrap();
    let origin = format!("http://127.0.0.1:{port}");
    let (_, block) = DOCUMENT.split_once("```js\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let block = block
        .replace("https://id.example.ch", provider)
        .replace("https://planner.example.ch", &origin);
    let files = Arc::new((PAGE.replace("MANAGER", &block), library));
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let files = Arc::clone(&files);
            // A browser also opens connections on which it asks for nothing yet.
            thread::spawn(move || answers(stream, &files));
        }
    });
    origin
}

/// One request, answered with the page or the library.
fn answers(mut stream: TcpStream, (page, library): &(String, String)) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
        head.push(byte[0]);
    }
    let (kind, body) = match head.starts_with(b"GET /oidc-client-ts.js ") {
        true => ("text/javascript", library),
        false => ("text/html", page),
    };
    let length = body.len();
    let front = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    // Who went away needs no answer.
    let _sent = stream.write_all(&[front.as_bytes(), body.as_bytes()].concat());
}

/// Fills in the form of the provider's page that is open and sends it; on a page that begins so then.
fn fills(browser: &Chromium, typed: &[(&str, &str)], then: &str) {
    let (fields, values): (Vec<_>, Vec<_>) = typed.iter().copied().unzip();
    let (fields, values) = (json!(fields), json!(values));
    browser.leaves_for(
        then,
        &format!(
            "{fields}.map((name, at) => Object.assign(\
               document.querySelector(`[name=${{name}}]`), {{ value: {values}[at] }}))[0].form.requestSubmit()"
        ),
    );
}

/// Renews with the refresh token, and gives that back: it is worth nothing then.
fn renews(browser: &Chromium, user: &Value) {
    let renewed = browser.evaluates("manager.signinSilent()");
    assert_eq!(
        renewed["profile"]["sub"], user["profile"]["sub"],
        "{renewed}"
    );
    for token in ["access_token", "refresh_token"] {
        assert!(renewed[token].is_string(), "{renewed}");
        assert_ne!(renewed[token], user[token], "{token}");
    }
    let given_back = browser.evaluates("manager.revokeTokens(['refresh_token'])");
    assert_eq!(given_back, Value::Null);
    let refused = format!(
        "manager.getUser().then((user) => {{ user.refresh_token = {}; return manager.storeUser(user); }})\
         .then(() => manager.signinSilent())",
        renewed["refresh_token"]
    );
    let refused = browser.evaluates(&refused);
    assert!(
        refused
            .as_str()
            .unwrap_or_default()
            .starts_with("ErrorResponse: "),
        "{refused}"
    );
}

/// [C06] [C08] Signs in, reads who it is, renews, gives its token back and signs out, all from a script of
/// another site; and whoever comes next is asked for the password.
#[test]
fn oidc_client_ts_signs_in_renews_and_signs_out_in_chromium() {
    let mut canton = canton_of_today();
    let person = {
        let town: &mut dyn Town = &mut canton;
        town.somebody(Role::EnrolledApp)
    };
    let code = {
        let town: &mut dyn Town = &mut canton;
        town.shown_by_app(&person)
    };
    let (port, own) = (free_port(), free_port());
    let application = serves_the_application(own, &format!("http://localhost:{port}"));
    registers(
        &canton,
        &format!(
            r#"
            [[application]]
            id = "planner"
            name = {{ fr = "Agenda", de = "Agenda", en = "Planner" }}
            kind = "public"
            auth = "none"
            trusted = true
            redirect_uris = ["{application}/callback"]
            post_logout_redirect_uris = ["{application}/bye"]
            grants = ["authorization_code", "refresh_token"]
            scopes = ["openid", "profile", "offline_access"]
            "#
        ),
    );
    let provider = Serving::start(&canton, port);
    let browser = Chromium::start();

    browser.opens(&application);
    browser.leaves_for(&provider.origin, "manager.signinRedirect()");
    let password = [
        ("username", person.username.as_str()),
        ("password", &person.password),
    ];
    fills(&browser, &password, &format!("{}/login/", provider.origin));
    fills(
        &browser,
        &[("code", &code)],
        &format!("{application}/callback?"),
    );
    let user = browser.evaluates("manager.signinRedirectCallback()");
    assert_eq!(user["profile"]["name"], "Chloé Zufferey", "{user}");
    let acr = &claims(user["id_token"].as_str().unwrap())["acr"];
    assert_eq!(acr, "https://refeds.org/profile/mfa");
    renews(&browser, &user);

    browser.leaves_for(
        &format!("{application}/bye?"),
        "manager.signoutRedirect({ state: 'over' })",
    );
    let out = browser.evaluates("manager.signoutRedirectCallback()");
    assert_eq!(out["userState"], "over", "{out}");
    browser.leaves_for(&provider.origin, "manager.signinRedirect()");
    let asked = browser.evaluates("document.querySelector('[name=password]').value");
    assert_eq!(asked, "", "somebody is asked for the password again");
}
