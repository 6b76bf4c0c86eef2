//! A browser without a screen: cookies, redirects, forms, and the headers by which browsers say where
//! a request comes from.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use url::{Origin, Url, form_urlencoded};

use super::jar::Jar;
use super::net::Net;
use super::page::{Click, Page, Submission};
use super::world::Toy;
use crate::{Answer, Attempt, Browser, Language, Place};

/// Most redirects followed in a row, as in real browsers.
const REDIRECTS_MAX: usize = 20;

/// One tab. Its tabs share the jar.
pub(crate) struct MemoryBrowser {
    net: Net,
    toy: Arc<Toy>,
    jar: Rc<RefCell<Jar>>,
    language: Language,
    place: Place,
    page: Page,
    /// The pages before this one, as they were left.
    before: Vec<Seen>,
    seen: Seen,
}

/// A page of the history.
#[derive(Clone)]
struct Seen {
    url: Url,
    /// The page itself where it was the answer to a form: browsers do not send a form again on
    /// their own.
    posted: Option<String>,
}

/// A request of a page.
struct Step {
    url: Url,
    /// The form to post; none to fetch.
    body: Option<String>,
    /// The page that makes it; none for an address that was typed.
    from: Option<Origin>,
    no_referrer: bool,
}

impl MemoryBrowser {
    pub(crate) fn new(net: Net, toy: Arc<Toy>, language: Language, place: Place) -> Self {
        let url = nowhere();
        Self {
            net,
            toy,
            jar: Rc::default(),
            language,
            place,
            page: Page::new(url.clone(), "", false),
            before: Vec::new(),
            seen: Seen { url, posted: None },
        }
    }

    /// Goes there, follows redirects, and shows what comes.
    fn goes(&mut self, step: Step) {
        let was = self.seen.clone();
        self.fetches(step);
        if was.url != nowhere() {
            self.before.push(was);
        }
    }

    fn fetches(&mut self, mut step: Step) {
        // [Fetch Metadata §2.4] across redirects the worst relation of the chain is told.
        let mut same_origin = true;
        for _ in 0..REDIRECTS_MAX {
            same_origin &= step
                .from
                .as_ref()
                .is_none_or(|from| *from == step.url.origin());
            let answer = self.asks(&step, same_origin);
            if (300..400).contains(&answer.status) && !answer.location().is_empty() {
                let url = match step.url.join(answer.location()) {
                    Ok(url) => url,
                    Err(error) => panic!("a redirect to `{}`: {error}", answer.location()),
                };
                let keeps = matches!(answer.status, 307 | 308);
                step = Step {
                    url,
                    body: step.body.filter(|_| keeps),
                    ..step
                };
                continue;
            }
            let no_referrer = answer.header("referrer-policy") == Some("no-referrer");
            let posted = step.body.is_some().then(|| answer.body.clone());
            self.page = Page::new(step.url.clone(), &answer.body, no_referrer);
            // What leads to a room that is not here stays, for the test to look at.
            let onward = self.page.sent_by_itself();
            if let Some(form) = onward.filter(|form| self.net.reaches(&form.url)) {
                step = self.sending(form);
                same_origin = true;
                continue;
            }
            self.seen = Seen {
                url: step.url,
                posted,
            };
            return;
        }
        panic!("{} leads round and round", step.url);
    }

    fn asks(&mut self, step: &Step, same_origin: bool) -> Answer {
        let mut attempt = Attempt::get(step.url.as_str())
            .from(self.place)
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("accept-language", self.language.accepted())
            .header("user-agent", "Mozilla/5.0 (canton in memory)")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-mode", "navigate");
        let site = match &step.from {
            None => "none",
            Some(_) if same_origin => "same-origin",
            // All rooms are on `localhost`: ports make another origin, but the same site.
            Some(_) => "same-site",
        };
        attempt = attempt.header("sec-fetch-site", site);
        if let Some(body) = &step.body {
            // [Fetch, "append a request `Origin` header"] under `no-referrer` the origin is `null`.
            let origin = match &step.from {
                Some(origin) if !step.no_referrer => origin.ascii_serialization(),
                _ => "null".to_owned(),
            };
            let kind = "application/x-www-form-urlencoded";
            attempt = attempt
                .header("origin", &origin)
                .header("content-type", kind);
            attempt.method = "POST".into();
            attempt.body = body.clone();
        }
        self.exchanges(attempt, &step.url)
    }

    fn exchanges(&mut self, attempt: Attempt, url: &Url) -> Answer {
        let now = self.toy.now();
        let cookies = self.jar.borrow().for_path(url.path(), now);
        let pairs: Vec<String> = cookies
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let attempt = match pairs.is_empty() {
            true => attempt,
            false => attempt.header("cookie", &pairs.join("; ")),
        };
        let answer = self.net.send(attempt);
        for (_, line) in answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
        {
            self.jar.borrow_mut().keep(line, now);
        }
        answer
    }

    fn sending(&self, form: Submission) -> Step {
        let mut fields = form_urlencoded::Serializer::new(String::new());
        let fields = fields.extend_pairs(&form.fields).finish();
        if form.is_post {
            return self.step(form.url, Some(fields));
        }
        let mut url = form.url;
        url.set_query(Some(&fields));
        self.step(url, None)
    }

    fn step(&self, url: Url, body: Option<String>) -> Step {
        let from = Some(self.page.url.origin());
        Step {
            url,
            body,
            from,
            no_referrer: self.page.no_referrer,
        }
    }
}

impl Browser for MemoryBrowser {
    fn opens(&mut self, url: &str) {
        let Ok(url) = Url::parse(url) else {
            panic!("`{url}` is no address")
        };
        self.goes(Step {
            url,
            body: None,
            from: None,
            no_referrer: false,
        });
    }

    fn reloads(&mut self) {
        // A page that answered a form is shown again: the person says no to "send it again?".
        if self.seen.posted.is_none() {
            let from = Some(self.seen.url.origin());
            self.fetches(Step {
                url: self.seen.url.clone(),
                body: None,
                from,
                no_referrer: false,
            });
        }
    }

    fn goes_back(&mut self) {
        let Some(before) = self.before.pop() else {
            panic!("nothing was before this page")
        };
        match &before.posted {
            Some(html) => {
                self.page = Page::new(before.url.clone(), html, false);
                self.seen = before;
            }
            None => {
                let url = before.url;
                self.fetches(Step {
                    url,
                    body: None,
                    from: None,
                    no_referrer: false,
                });
            }
        }
    }

    fn types(&mut self, label: &str, text: &str) {
        self.page.types(label, text);
    }

    fn chooses(&mut self, label: &str) {
        self.page.chooses(label);
    }

    fn clicks(&mut self, text: &str) {
        match self.page.clicks(text) {
            Click::Opened => {}
            Click::Follow(url) => {
                let step = self.step(url, None);
                self.goes(step);
            }
            Click::Send(form) => {
                let step = self.sending(form);
                self.goes(step);
            }
        }
    }

    fn url(&mut self) -> String {
        self.page.url.to_string()
    }

    fn text(&mut self) -> String {
        self.page.text()
    }

    fn value(&mut self, label: &str) -> String {
        self.page.value(label)
    }

    fn link(&mut self, beginning: &str) -> Option<String> {
        self.page.link(beginning)
    }

    fn key_to_type(&mut self) -> Option<String> {
        self.page.attribute("data-totp-secret")
    }

    /// There is no camera in memory: the link that stands beside the picture is what it says. Ring 4
    /// reads the picture itself.
    fn scans(&mut self) -> String {
        assert!(
            self.page.has_qr(),
            "no QR code on {}:\n{}",
            self.page.url,
            self.page.text()
        );
        let links = ["otpauth://".to_owned(), format!("{}resume/", self.root())];
        match links.iter().find_map(|beginning| self.page.link(beginning)) {
            Some(link) => link,
            None => panic!("the QR code on {} has no link beside it", self.page.url),
        }
    }

    fn form(&mut self) -> (String, Vec<(String, String)>) {
        let form = self.page.form();
        (form.url.to_string(), form.fields)
    }

    fn goes_to(&mut self, place: Place) {
        self.place = place;
    }

    fn opens_tab(&mut self) -> Box<dyn Browser> {
        let mut tab = Self::new(
            self.net.clone(),
            Arc::clone(&self.toy),
            self.language,
            self.place,
        );
        tab.jar = Rc::clone(&self.jar);
        Box::new(tab)
    }

    fn cookies(&mut self) -> Vec<(String, String)> {
        self.jar.borrow().all()
    }

    fn takes(&mut self, stolen: &[(String, String)]) {
        for (name, value) in stolen {
            self.jar.borrow_mut().put(name, value);
        }
    }

    fn sends(&mut self, attempt: Attempt) -> Answer {
        let Ok(url) = Url::parse(&attempt.url) else {
            panic!("`{}` is no address", attempt.url)
        };
        let attempt = attempt
            .from(self.place)
            .header("accept-language", self.language.accepted());
        self.exchanges(attempt, &url)
    }

    fn waits(&mut self) -> bool {
        false
    }
}

impl MemoryBrowser {
    /// The front page of where the browser is.
    fn root(&self) -> String {
        format!("{}/", self.page.url.origin().ascii_serialization())
    }
}

/// Where a browser is before it was used.
fn nowhere() -> Url {
    match Url::parse("about:blank") {
        Ok(url) => url,
        Err(error) => panic!("about:blank: {error}"),
    }
}
