//! One tab of a real browser, as stories see it.
//!
//! On every page that it comes to, the tab looks for two faults that no story names: something
//! wider than a telephone of 320 pixels, and a violation of the content security policy.

use std::path::PathBuf;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use testkit::{Answer, Attempt, Browser, Language, Place};

use crate::process;
use crate::town::exchange;
use crate::webdriver::Session;

/// How the page is read.
const PAGE: &str = include_str!("page.js");
/// A wait, and how many of them in a row are patience enough.
const WAIT: Duration = Duration::from_millis(50);
const WAITS_MAX: u32 = 200;
/// The narrowest telephone, in CSS pixels [WCAG 2.2, 1.4.10].
const NARROW: u32 = 320;

/// One tab.
pub(crate) struct Chromium {
    language: Language,
    place: Place,
    session: Rc<Session>,
    tab: String,
    waits: u32,
}

impl Chromium {
    /// The first tab of a browser nobody used before.
    pub(crate) fn new(session: Session, language: Language, place: Place) -> Self {
        let tab = session
            .get("window")
            .as_str()
            .unwrap_or_default()
            .to_owned();
        Self::tab(Rc::new(session), tab, language, place)
    }

    fn tab(session: Rc<Session>, tab: String, language: Language, place: Place) -> Self {
        let mut tab = Self {
            language,
            place,
            session,
            tab,
            waits: 0,
        };
        tab.chromium("Network.enable", &json!({}));
        tab.goes_to(place);
        tab
    }

    /// A function of `page.js`, called with a text.
    fn page(&self, function: &str, argument: &str) -> Value {
        self.session.turns_to(&self.tab);
        let script = format!("{PAGE}\nreturn {function};");
        self.session.script(&script, &[json!(argument)])
    }

    fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.session.turns_to(&self.tab);
        self.session.chromium(command, parameters)
    }

    fn posts(&self, path: &str, body: &Value) {
        self.session.turns_to(&self.tab);
        self.session.post(path, body);
    }

    /// The path of a field or button, waited for.
    fn finds(&mut self, function: &str, said: &str) -> String {
        loop {
            if let Some(element) = Session::element(&self.page(function, said)) {
                return element;
            }
            if !self.waits() {
                panic!(
                    "no {function} says « {said} » on {}:\n{}",
                    self.url(),
                    self.text()
                );
            }
        }
    }

    /// A click that leads to another page is done when that page is there. The driver waits only for a
    /// page that is already asked for, and a browser asks a little after the click: what another
    /// browser does next would come first.
    fn leaves(&mut self) {
        while self.page("window.leaving === true", "") == Value::Bool(true) {
            if !self.waits() {
                panic!("a click on {} leads nowhere:\n{}", self.url(), self.text());
            }
        }
    }

    /// What every new page must bear.
    fn arrives(&mut self) {
        self.waits = 0;
        let size =
            json!({ "width": NARROW, "height": 640, "deviceScaleFactor": 1, "mobile": false });
        self.chromium("Emulation.setDeviceMetricsOverride", &size);
        let width = self.page("document.documentElement.scrollWidth", "");
        self.chromium("Emulation.clearDeviceMetricsOverride", &json!({}));
        let width = width.as_u64().unwrap_or_default();
        assert!(
            width <= u64::from(NARROW),
            "{} is {width} pixels wide at {NARROW}",
            self.url()
        );
        let log = self.session.post("se/log", &json!({ "type": "browser" }));
        for entry in log.as_array().into_iter().flatten() {
            let message = entry["message"].as_str().unwrap_or_default();
            assert!(
                !message.contains("Content Security Policy"),
                "{}: {message}",
                self.url()
            );
        }
    }

    /// The whole page as a picture. A page that was just a telephone's width is not painted at its own
    /// before the next frame.
    fn picture(&self) -> Vec<u8> {
        self.page("painted()", "");
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.chromium("Page.captureScreenshot", &whole);
        let data = shot["data"].as_str().unwrap_or_default();
        match BASE64.decode(data.as_bytes()) {
            Ok(png) => png,
            Err(error) => panic!("a screenshot that is none: {error}"),
        }
    }

    fn cookies_for(&self, parameters: &Value) -> Vec<(String, String)> {
        let command = match parameters.get("urls") {
            Some(_) => "Network.getCookies",
            None => "Network.getAllCookies",
        };
        let kept = self.chromium(command, parameters);
        let text =
            |cookie: &Value, name: &str| cookie[name].as_str().unwrap_or_default().to_owned();
        let cookies = kept["cookies"].as_array().into_iter().flatten();
        cookies
            .map(|cookie| (text(cookie, "name"), text(cookie, "value")))
            .collect()
    }

    fn keeps(&self, url: &str, name: &str, value: &str) {
        let cookie = json!({ "url": url, "name": name, "value": value, "path": "/" });
        self.chromium("Network.setCookie", &cookie);
    }
}

impl Browser for Chromium {
    fn opens(&mut self, url: &str) {
        self.posts("url", &json!({ "url": url }));
        self.arrives();
    }

    fn reloads(&mut self) {
        self.posts("refresh", &json!({}));
        self.arrives();
    }

    fn goes_back(&mut self) {
        self.posts("back", &json!({}));
        self.arrives();
    }

    fn types(&mut self, label: &str, text: &str) {
        let field = self.finds("field(arguments[0])", label);
        self.posts(&format!("{field}/clear"), &json!({}));
        self.posts(&format!("{field}/value"), &json!({ "text": text }));
    }

    fn chooses(&mut self, label: &str) {
        let field = self.finds("field(arguments[0])", label);
        self.posts(&format!("{field}/click"), &json!({}));
    }

    fn clicks(&mut self, text: &str) {
        let button = self.finds("clickable(arguments[0])", text);
        self.page("watchLeaving()", "");
        self.posts(&format!("{button}/click"), &json!({}));
        self.leaves();
        self.arrives();
    }

    fn url(&mut self) -> String {
        self.session.turns_to(&self.tab);
        self.session
            .get("url")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    fn text(&mut self) -> String {
        let text = self.page("read(document.documentElement)", "");
        text.as_str().unwrap_or_default().to_owned()
    }

    fn value(&mut self, label: &str) -> String {
        let field = self.finds("field(arguments[0])", label);
        let value = self.session.get(&format!("{field}/property/value"));
        value.as_str().unwrap_or_default().to_owned()
    }

    fn link(&mut self, beginning: &str) -> Option<String> {
        self.page("link(arguments[0])", beginning)
            .as_str()
            .map(str::to_owned)
    }

    fn key_to_type(&mut self) -> Option<String> {
        let script = "document.querySelector('[data-totp-secret]')?.dataset.totpSecret";
        self.page(script, "").as_str().map(str::to_owned)
    }

    /// A phone before the screen: `zbarimg` reads the picture of the page.
    fn scans(&mut self) -> String {
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => panic!("no folder for a picture: {error}"),
        };
        let file = folder.path().join("screen.png");
        if let Err(error) = std::fs::write(&file, self.picture()) {
            panic!("a picture cannot be kept: {error}");
        }
        process::output("zbarimg", &["--raw", "--quiet", &file.to_string_lossy()])
    }

    fn form(&mut self) -> (String, Vec<(String, String)>) {
        let form = self.page("form()", "");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = form[1].as_array().into_iter().flatten();
        let fields = fields
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect();
        (text(&form[0]), fields)
    }

    fn goes_to(&mut self, place: Place) {
        self.place = place;
        let headers = json!({ "headers": { "X-Demo-Place": place.name() } });
        self.chromium("Network.setExtraHTTPHeaders", &headers);
    }

    fn opens_tab(&mut self) -> Box<dyn Browser> {
        let made = self.session.post("window/new", &json!({ "type": "tab" }));
        let tab = made["handle"].as_str().unwrap_or_default().to_owned();
        Box::new(Self::tab(
            Rc::clone(&self.session),
            tab,
            self.language,
            self.place,
        ))
    }

    fn cookies(&mut self) -> Vec<(String, String)> {
        self.cookies_for(&json!({}))
    }

    fn takes(&mut self, stolen: &[(String, String)]) {
        for (name, value) in stolen {
            self.keeps("http://localhost/", name, value);
        }
    }

    /// By hand, with the browser's cookies: no page of another origin could read the answer.
    fn sends(&mut self, attempt: Attempt) -> Answer {
        let cookies = self.cookies_for(&json!({ "urls": [attempt.url] }));
        let pairs: Vec<String> = cookies
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let url = attempt.url.clone();
        let mut attempt = attempt
            .from(self.place)
            .header("accept-language", self.language.accepted());
        if !pairs.is_empty() {
            attempt = attempt.header("cookie", &pairs.join("; "));
        }
        let answer = exchange(attempt);
        for (_, line) in answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            let pair = line.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.keeps(&url, name, value);
            }
        }
        answer
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

    /// With `E2E_IMAGES=1` the manual gets its pictures.
    fn is_pictured(&mut self, name: &str) {
        if std::env::var_os("E2E_IMAGES").is_none_or(|value| value != "1") {
            return;
        }
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/images");
        let file = folder.join(match self.language {
            Language::French => format!("{name}.png"),
            Language::German => format!("{name}-de.png"),
        });
        let kept =
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, self.picture()));
        if let Err(error) = kept {
            panic!("{} cannot be written: {error}", file.display());
        }
    }
}
