//! The rows of `docs/security-rows.md`, from outside: one file a family. What is told by a story or
//! kept by a test beside the code is not told again here.

mod answers;
mod back_channel;
mod codes;
mod consent;
mod device;
mod dpop;
mod factors;
mod fail_closed;
mod failing;
mod fapi;
mod grants;
mod mtls;
mod openid;
mod over;
mod platform;
mod pushed;
mod recovery;
mod references;
mod registered;
mod registration;
mod resets;
mod secret_jwt;
mod sessions;
mod sign_in;
mod subjects;

use journey::{NameKey, Place, Timestamp};
use store::{Account, By, audit::Entry};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Language, Person, Role, Town};

use crate::application::{asks, at, enters};

/// A public address that is nobody's proxy.
const STRANGER: [u8; 4] = [203, 0, 113, 66];
/// An address of a school.
const SCHOOL: [u8; 4] = [192, 0, 2, 20];

fn canton() -> Canton {
    Canton::new(Language::French)
}

fn somebody(canton: &mut Canton, role: Role) -> Person {
    (canton as &mut dyn Town).somebody(role)
}

/// Who does it, in the audit.
fn by(canton: &mut Canton) -> By {
    By {
        address: None,
        at: Timestamp(canton.now()),
        person: None,
        place: Place::Public,
        support: String::new(),
        through: "a test".into(),
    }
}

/// What the provider remembers of somebody.
fn account(canton: &Canton, person: &Person) -> Account {
    let name = NameKey::of(&person.username).unwrap();
    canton
        .waits_for(canton.store().person_by_name(&name))
        .unwrap()
        .unwrap()
}

fn switch_off(canton: &mut Canton, person: &Person) {
    let (id, by) = (account(canton, person).person.id, by(canton));
    canton
        .waits_for(canton.store().disable(id, true, &by))
        .unwrap();
}

fn audit(canton: &Canton) -> Vec<Entry> {
    canton.audit()
}

/// One number of the metrics.
fn metric(canton: &Canton, name: &str) -> u64 {
    let answer = canton.calls_management(Attempt::get(&at("/metrics")));
    let line = answer
        .body
        .lines()
        .find(|line| line.starts_with(&format!("{name} ")));
    line.and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .unwrap()
}

/// Types a password on the page of a fresh request; the address of the journey.
fn begins(browser: &mut dyn Browser, person: &Person) -> String {
    let answer = enters(browser, &asks(&[("prompt", Some("login"))]), person);
    assert!(answer.location().starts_with("/login/"), "{answer:?}");
    answer.location().to_owned()
}

/// Sends a form of our own pages.
fn posts(browser: &mut dyn Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    browser.sends(Attempt::post(&at(path), fields).from_page_of(&at("")))
}

fn gets(browser: &mut dyn Browser, path: &str) -> Answer {
    browser.sends(Attempt::get(&at(path)))
}

/// Signs in with password and app.
fn signs_in_strongly(canton: &mut Canton, browser: &mut dyn Browser, chloe: &Person) -> Answer {
    let journey = begins(browser, chloe);
    let code = (canton as &mut dyn Town).shown_by_app(chloe);
    let answer = posts(browser, &journey, &[("code", &code)]);
    assert!(answer.signs_somebody_in(), "{answer:?}");
    answer
}

fn is_signed_in(browser: &mut dyn Browser) -> bool {
    gets(browser, "/account").status == 200
}

/// Six other digits.
fn wrong(code: &str) -> String {
    code.chars()
        .map(|c| if c == '9' { '0' } else { '9' })
        .collect()
}

/// The cookie of a session, if a browser has one.
fn session(browser: &mut dyn Browser) -> Option<String> {
    let cookies = browser.cookies();
    cookies
        .into_iter()
        .find(|(name, _)| name == "furka-session")
        .map(|(_, value)| value)
}

/// An answer without what is drawn anew each time, and without what was typed.
fn alike(answer: &Answer, typed: &str) -> (u16, Vec<(String, String)>, String) {
    let drawn = [
        ("name=\"ticket\" value=\"", "\""),
        ("nonce=\"", "\""),
        ("class=\"code\">", "<"),
    ];
    let drawn = drawn.map(|(before, after)| between(&answer.body, before, after));
    let clean = |text: &str| {
        let drawn = drawn.iter().map(String::as_str).chain([typed]);
        drawn
            .filter(|text| !text.is_empty())
            .fold(text.to_owned(), |text, one| text.replace(one, "…"))
    };
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| name != "content-length");
    let headers = headers.map(|(name, value)| {
        let value = if name == "set-cookie" {
            between(value, "", "=")
        } else {
            clean(value)
        };
        (name.clone(), value)
    });
    (answer.status, headers.collect(), clean(&answer.body))
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = if before.is_empty() {
        text
    } else {
        text.split(before).nth(1).unwrap_or_default()
    };
    rest.split(after).next().unwrap_or_default().to_owned()
}
