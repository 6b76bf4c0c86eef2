//! OpenID Connect with an application in the browser that nobody here wrote: npm's `oidc-client-ts`, in
//! Chromium. It has no secret, and reads every answer as a script of another site.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    thread,
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use store::ResourceKind;
use tempfile::TempDir;
use testkit::{Person, Role, Town};
use tokio::runtime::Runtime;

use crate::{
    cas_client::canton_of_today,
    openid_client::packages,
    programs::{Program, Serving, free_port},
    registered::{changes, registers},
};

const PAGE: &str = include_str!("../npm/oidc_client_ts.html");
/// Longest wait for the browser to come to a page, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(30);
const PULSE: Duration = Duration::from_millis(50);

/// A browser with a profile of its own, told what to do by `chromedriver`.
struct Chromium {
    client: Client,
    runtime: Runtime,
    session: String,
    _driver: Program,
    _folder: TempDir,
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
            _folder: folder,
        };
        let profile = browser._folder.path().join("profile");
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
            let state = json!({ "script": "return [location.href, document.readyState, document.body.innerText]", "args": [] });
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
    let page = PAGE.replace("PROVIDER", provider);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) > 0 {
                head.push(byte[0]);
            }
            let (kind, body) = match head.starts_with(b"GET /oidc-client-ts.js ") {
                true => ("text/javascript", &library),
                false => ("text/html", &page),
            };
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            // Who went away needs no answer.
            let _sent = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// Types name and password on the provider's page and sends it; back at the application then.
fn signs_in(browser: &Chromium, person: &Person, callback: &str) {
    let (name, password) = (json!(person.username), json!(person.password));
    browser.leaves_for(
        callback,
        &format!(
            "{{ document.querySelector('[name=username]').value = {name}; \
             const field = document.querySelector('[name=password]'); \
             field.value = {password}; field.form.requestSubmit(); }}"
        ),
    );
}

/// [C06] [C08] Signs in, reads who it is, renews, gives its token back and signs out, all from a script of
/// another site; and whoever comes next is asked for the password.
#[test]
fn oidc_client_ts_signs_in_renews_and_signs_out_in_chromium() {
    let mut canton = canton_of_today();
    // Chromium is in the school, and calls from where the other tests have their proxy.
    changes(&canton, ResourceKind::Zones, |text| {
        text.replace("127.0.0.2/32", "127.0.0.1/32")
    });
    let person = {
        let town: &mut dyn Town = &mut canton;
        town.somebody(Role::EnrolledApp)
    };
    let (port, own) = (free_port(), free_port());
    let application = serves_the_application(own, &format!("http://localhost:{port}"));
    registers(
        &canton,
        &format!(
            r#"
            [[application]]
            id = "trial"
            name = {{ fr = "Essai", de = "Probe", en = "Trial" }}
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
    signs_in(&browser, &person, &format!("{application}/callback?"));
    let user = browser.evaluates("manager.signinRedirectCallback()");
    assert_eq!(user["profile"]["name"], "Chloé Zufferey", "{user}");
    assert_eq!(user["profile"]["acr"], "https://refeds.org/profile/sfa");

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

    browser.leaves_for(&format!("{application}/bye?"), "manager.signoutRedirect()");
    let out = browser.evaluates("manager.signoutRedirectCallback()");
    assert!(out["error"].is_null() && out.is_object(), "{out}");
    browser.leaves_for(&provider.origin, "manager.signinRedirect()");
    signs_in(&browser, &person, &format!("{application}/callback?"));
}
