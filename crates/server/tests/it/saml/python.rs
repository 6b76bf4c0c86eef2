//! pysaml2, another service provider that nobody here wrote: it asks for whatever a test wants.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::memory::Canton;
use testkit::{Browser, Town};

use super::process::cure;
use super::shibboleth::{Shibboleth, follows, own_key};
use super::{canton, chloe, field, is_inside, onward, our_metadata, registered, signs_in};
use crate::application::at;

/// A pysaml2 that answers questions.
struct Python {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Python {
    /// Starts it with our metadata and registers it with its own.
    fn start(canton: &mut Canton, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        own_key(folder.path());
        std::fs::write(folder.path().join("provider.xml"), our_metadata(canton)).unwrap();
        let mut child = Command::new("/usr/bin/python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/saml/sp.py"))
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut python = Self {
            child,
            questions,
            answers,
            _folder: folder,
        };
        let metadata = python.asks(json!({"do": "metadata"}));
        registered(canton, "python", metadata["xml"].as_str().unwrap(), more);
        python
    }

    fn asks(&mut self, question: Value) -> Value {
        writeln!(self.questions, "{question}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "pysaml2 is gone: {}", cure());
        serde_json::from_str(&answer).unwrap()
    }

    /// The address of a request with these wishes.
    fn requests(&mut self, mut wishes: Value) -> String {
        wishes["do"] = json!("request");
        self.asks(wishes)["url"].as_str().unwrap().to_owned()
    }

    /// What it gets for a question of its own that is carried to our provider, and what it reads there.
    fn fetches(&mut self, browser: &mut dyn Browser, mut wishes: Value) -> (String, Value) {
        wishes["do"] = json!("resolve");
        let asked = self.asks(wishes);
        assert_eq!(asked["to"], json!(at("/saml/artifact")), "{asked}");
        let answer = browser.sends(testkit::Attempt {
            method: "POST".into(),
            url: at("/saml/artifact"),
            headers: vec![("content-type".into(), "text/xml".into())],
            body: asked["envelope"].as_str().unwrap().to_owned(),
        });
        assert_eq!(answer.status, 200, "{answer:?}");
        let read = self.asks(json!({"envelope": answer.body}));
        (answer.body, read)
    }

    /// What it reads from the page that our provider shows.
    fn reads(&mut self, browser: &mut dyn Browser) -> Value {
        let (_, fields) = onward(browser);
        let message = field(&fields, "SAMLResponse");
        self.asks(json!({"do": "response", "message": message}))
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

const MORE: &str = "attributes = [\"display_name\", \"mail\"]\nname_id = \"transient\"\n";
const MFA: &str = "https://refeds.org/profile/mfa";

/// [X07] [X08] pysaml2 believes what it reads: names in UTF-8, the answered request, the class.
#[test]
fn pysaml2_reads_who_signed_in() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    let browser = &mut *browser;
    let request = python.requests(json!({}));
    signs_in(browser, &request, &person);
    let read = python.reads(browser);
    assert_eq!(
        read["attributes"]["displayName"],
        json!(["Chlo\u{e9} Zufferey"]),
        "{read}"
    );
    assert_eq!(
        read["attributes"]["mail"].as_array().unwrap().len(),
        1,
        "{read}"
    );
    assert_eq!(
        read["class"],
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    );
    assert!(
        read["name_id"].as_str().unwrap().contains("transient"),
        "{read}"
    );
    // The same person again, at once and by another name: as the application asks for it.
    let format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    let persistent = json!({"format": format});
    let mut name = || {
        browser.opens(&python.requests(persistent.clone()));
        python.reads(browser)["name_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = name();
    assert!(first.contains("persistent"), "{first}");
    assert_eq!(first, name());
}

/// pysaml2 fetches what an artifact stands for, once, by a question that it signed; whoever did not sign or
/// comes again gets an answer without a message.
#[test]
fn pysaml2_fetches_an_answer_by_its_artifact() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    let browser = &mut *browser;
    let request = python.requests(json!({"artifact": true}));
    let answer = crate::application::enters(browser, &request, &person);
    let answer = browser.sends(testkit::Attempt::get(&at(answer.location())));
    assert_eq!(answer.status, 303, "{answer:?}");
    let there = url::Url::parse(answer.location()).unwrap();
    let said: std::collections::BTreeMap<_, _> = there.query_pairs().into_owned().collect();
    assert!(
        answer
            .location()
            .starts_with("http://localhost:9/pysaml2/art?")
    );
    assert_eq!(said["RelayState"], "there");
    let artifact = &said["SAMLart"];

    let (empty, _) = python.fetches(browser, json!({"artifact": artifact, "sign": false}));
    assert!(
        empty.contains("ArtifactResponse") && !empty.contains("Assertion"),
        "{empty}"
    );
    let (whole, read) = python.fetches(browser, json!({"artifact": artifact}));
    assert!(whole.contains("Assertion"), "{whole}");
    assert_eq!(
        read["attributes"]["displayName"],
        json!(["Chlo\u{e9} Zufferey"]),
        "{read}"
    );
    let (empty, _) = python.fetches(browser, json!({"artifact": artifact}));
    assert!(
        empty.contains("ArtifactResponse") && !empty.contains("Assertion"),
        "{empty}"
    );
}

/// [A02] What is asked for is answered as it was proven, or with the status of the standard.
/// [Core §3.4.1] "the identity provider and the user agent itself MUST NOT visibly take control of the user interface from the requester and interact with the presenter in a noticeable fashion."
#[test]
fn pysaml2_is_told_what_was_not_reached() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    let browser = &mut *browser;
    let mut told = |browser: &mut dyn Browser, wishes: Value| {
        browser.opens(&python.requests(wishes));
        python.reads(browser)
    };
    let passive = told(browser, json!({"passive": true}));
    assert!(
        passive["error"].as_str().unwrap().contains("NoPassive"),
        "{passive}"
    );
    let unknown = told(browser, json!({"classes": ["urn:example:nobody"]}));
    assert!(
        unknown["error"]
            .as_str()
            .unwrap()
            .contains("NoAuthnContext"),
        "{unknown}"
    );
    let format = "urn:oasis:names:tc:SAML:2.0:nameid-format:kerberos";
    let named = told(browser, json!({"format": format}));
    assert!(
        named["error"]
            .as_str()
            .unwrap()
            .contains("InvalidNameIDPolicy"),
        "{named}"
    );

    signs_in(browser, &python.requests(json!({})), &person);
    let before = python.reads(browser)["instant"]
        .as_str()
        .unwrap()
        .to_owned();
    let passive = python.requests(json!({"passive": true}));
    browser.opens(&passive);
    assert!(python.reads(browser)["name_id"].is_string());
    let strong = json!({"passive": true, "classes": [MFA]});
    browser.opens(&python.requests(strong));
    let read = python.reads(browser);
    assert!(
        read["error"].as_str().unwrap().contains("NoPassive"),
        "{read}"
    );

    // Forced, the password is typed again, whatever the session is.
    canton.toy().passes(2);
    let forced = python.requests(json!({"force": true}));
    signs_in(browser, &forced, &person);
    let after = python.reads(browser)["instant"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(before < after, "{before} {after}");
}

/// [X07] A message is used once, on whatever way it comes back.
#[test]
fn a_request_is_used_once() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    let browser = &mut *browser;
    let request = python.requests(json!({}));
    let answer = browser.sends(testkit::Attempt::get(&request));
    assert_eq!(answer.status, 303, "{answer:?}");
    let again = browser.sends(testkit::Attempt::get(&request));
    signs_in(browser, &at(answer.location()), &person);
    assert!(python.reads(browser)["name_id"].is_string());
    for used in [&answer, &again] {
        let answer = browser.sends(testkit::Attempt::get(&at(used.location())));
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    // Changed by one letter, it is nobody's.
    let other = python
        .requests(json!({}))
        .replace("RelayState=there", "RelayState=elsewhere");
    assert_eq!(browser.sends(testkit::Attempt::get(&other)).status, 400);
}

/// Two applications, one sign-out: what is left open is named, and is closed by a click.
#[test]
fn a_sign_out_reaches_the_other_application() {
    let mut canton = canton();
    let mut shibboleth = Shibboleth::start(&mut canton, "");
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    let browser = &mut *browser;
    signs_in(browser, &python.requests(json!({})), &person);
    python.reads(browser);
    let asked = shibboleth.asks(&canton, "/protected/");
    browser.opens(&asked.location);
    assert_eq!(shibboleth.lets_in(&canton, browser).status, 200);

    let out = shibboleth.asks(&canton, "/Shibboleth.sso/Logout");
    browser.opens(&out.location);
    assert!(!is_inside(browser));
    browser.sees("python \u{2013} pas encore d\u{e9}connect\u{e9}");
    let asked = follows(browser, &at("/saml/leave/python"));
    // It was asked; as long as nothing comes back, the page says so.
    browser.opens(&at("/saml/leave"));
    browser.sees("aucune r\u{e9}ponse re\u{e7}ue");
    let answer = python.asks(json!({"do": "logout", "url": asked}));
    assert_eq!(answer["gone"], true, "{answer}");
    let back = follows(browser, answer["url"].as_str().unwrap());
    assert!(
        back.starts_with("http://localhost") && back.contains("SAMLResponse="),
        "{back}"
    );
    let said = shibboleth.asks(&canton, &back);
    assert!(!said.body.contains("Partial"), "{}", said.body);
    assert!(shibboleth.is_closed(&canton));
}

/// Whoever signs out here sees what is still open elsewhere.
#[test]
fn a_sign_out_here_names_what_is_still_open() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    signs_in(&mut *browser, &python.requests(json!({})), &person);
    python.reads(&mut *browser);
    browser.opens(&at("/account"));
    browser.clicks("Se d\u{e9}connecter");
    browser.sees("python \u{2013} pas encore d\u{e9}connect\u{e9}");
    assert!(!is_inside(&mut *browser));
    let asked = follows(&mut *browser, &at("/saml/leave/python"));
    let answer = python.asks(json!({"do": "logout", "url": asked}));
    browser.opens(answer["url"].as_str().unwrap());
    browser.sees("python \u{2013} d\u{e9}connect\u{e9}");
}

/// [X11] What an application said is worth something for the moment a browser takes to bring it on.
#[test]
fn a_logout_that_lay_about_ends_nothing() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    signs_in(&mut *browser, &python.requests(json!({})), &person);
    python.reads(&mut *browser);
    let out = python.asks(json!({"do": "sign out"}));
    let said = browser.sends(testkit::Attempt::get(out["url"].as_str().unwrap()));
    assert!(said.location().starts_with("/saml/logout"), "{said:?}");
    canton.toy().passes(61);
    let late = browser.sends(testkit::Attempt::get(&at(said.location())));
    assert_eq!(late.status, 410);
    assert!(is_inside(&mut *browser));
}

/// What is open elsewhere is not passed over in silence when nobody is signed in here any more.
#[test]
fn an_application_is_told_that_others_are_still_open() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    registered(
        &canton,
        "app",
        &super::refused::metadata(),
        "unsolicited = true\n",
    );
    let (person, mut browser) = chloe(&mut canton);
    let browser = &mut *browser;
    signs_in(browser, &python.requests(json!({})), &person);
    python.reads(browser);
    browser.opens(&at("/saml/start/app"));
    browser.opens(&at("/account"));
    browser.clicks("Se d\u{e9}connecter");
    let out = python.asks(json!({"do": "sign out"}));
    let answer = follows(browser, out["url"].as_str().unwrap());
    let (_, query) = answer.split_once('?').unwrap();
    let said = wire::saml::Received::redirect(query.as_bytes()).unwrap();
    assert!(format!("{said:?}").contains("status:PartialLogout"));
}

/// [X11] A logout for another session ends nothing.
#[test]
fn a_logout_for_another_session_ends_nothing() {
    let mut canton = canton();
    let mut python = Python::start(&mut canton, MORE);
    let (person, mut browser) = chloe(&mut canton);
    signs_in(&mut *browser, &python.requests(json!({})), &person);
    python.reads(&mut *browser);
    let other: &mut dyn Town = &mut canton;
    let anna = other.somebody(testkit::Role::Sms);
    let mut elsewhere = other.browser(testkit::Place::School);
    signs_in(&mut *elsewhere, &python.requests(json!({})), &anna);
    // What pysaml2 asks for Chlo\u{e9} is brought by Anna's browser.
    let out = python.asks(json!({"do": "sign out"}));
    let answer = follows(&mut *elsewhere, out["url"].as_str().unwrap());
    assert!(answer.contains("SAMLResponse="));
    assert!(is_inside(&mut *elsewhere) && is_inside(&mut *browser));
}
