//! Forms: who may send them, how large they may be, and what their answers give away.

use testkit::memory::Canton;
use testkit::{Answer, Attempt, Language, Place, Role, Town};

use crate::application::{asks, at, at_school, enters, sends};

/// The routes that take forms of people. `/logout` takes those of applications, too.
const FORMS: [&str; 6] = [
    "/login",
    "/login/aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "/activate",
    "/activate/aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "/resume/abc",
    "/account",
];

/// [S07] A form that another site sends is refused, whatever cookies come with it.
#[test]
fn a_form_of_another_site_is_refused() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    for path in FORMS {
        let lies = [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://localhost:8401"),
            ("origin", "http://localhost:84000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ];
        for (name, value) in lies {
            let fields = [("action", "sign-out-everywhere"), ("code", "123456")];
            let answer = browser.sends(Attempt::post(&at(path), &fields).header(name, value));
            assert_eq!(answer.status, 403, "{path} {name}: {value}");
            assert!(
                answer.cookies_set().all(|name| !name.contains("session")),
                "{path}"
            );
        }
    }
    let silent = browser.sends(Attempt::get(&asks(&[("prompt", Some("none"))])));
    assert!(silent.signs_somebody_in(), "the session lives");
}

/// [S07] Looking changes nothing: every page may be fetched any number of times.
#[test]
fn looking_changes_nothing() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    enters(&mut *browser, &asks(&[]), &person);
    let written = |canton: &Canton| canton.audit().len();
    let before = written(&canton);
    for route in server::ROUTES
        .iter()
        .filter(|route| route.methods.contains(&"GET"))
    {
        let path = route.path.replace("{id}", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
        let path = path.replace("{token}", "abc").replace("{name}", "mark.svg");
        for _ in 0..2 {
            browser.sends(Attempt::get(&at(&path)));
        }
    }
    assert_eq!(written(&canton), before);
    assert!(
        browser
            .sends(Attempt::get(&asks(&[("prompt", Some("none"))])))
            .signs_somebody_in()
    );
}

/// [A10] A password of a megabyte is refused before anybody looks at it.
#[test]
fn a_huge_form_is_refused_unread() {
    let mut canton = Canton::new(Language::French);
    let huge = "a".repeat(1024 * 1024);
    for path in FORMS.into_iter().chain(["/token", "/authorize"]) {
        let answer = sends(
            &mut canton,
            Attempt::post(&at(path), &[("password", &huge)]),
        );
        // Where the form has nothing to say, it is not even read.
        let unread = path.starts_with("/resume") && answer.status == 410;
        assert!(unread || answer.status == 413, "{path}: {}", answer.status);
    }
    // Within the limit of the form, but longer than any password.
    let (mut person, mut browser) = at_school(&mut canton);
    person.password = "a".repeat(5000);
    let answer = enters(&mut *browser, &asks(&[]), &person);
    assert_eq!(answer.status, 422);
    assert!(!answer.signs_somebody_in());
}

/// [A05] A name that nobody has, a wrong password, an identity without a password and one that is
/// switched off are answered alike, to the byte.
#[test]
fn answers_do_not_tell_who_exists() {
    let mut canton = Canton::new(Language::French);
    let town: &mut dyn Town = &mut canton;
    let (anna, new) = (town.somebody(Role::Sms), town.somebody(Role::New));
    let enrolled = town.somebody(Role::EnrolledApp);
    let mut answers = Vec::new();
    for username in ["niemand", &anna.username, &new.username, &enrolled.username] {
        let mut browser = canton.browser(Place::Home);
        let typed = testkit::Person {
            username: username.to_owned(),
            password: "Falsch-1234".into(),
            ..anna.clone()
        };
        let answer = enters(&mut *browser, &asks(&[]), &typed);
        answers.push((username.to_owned(), alike(&answer, username)));
    }
    for (username, answer) in &answers {
        assert_eq!(*answer, answers[0].1, "{username}");
    }
}

/// An answer without what is drawn anew each time.
fn alike(answer: &Answer, username: &str) -> (u16, Vec<(String, String)>, String) {
    let ticket = between(&answer.body, "name=\"ticket\" value=\"", "\"");
    let nonce = between(&answer.body, "nonce=\"", "\"");
    let clean = |text: &str| {
        let text = text.replace(&format!("\"{username}\""), "NAME");
        text.replace(&nonce, "NONCE").replace(&ticket, "TICKET")
    };
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| name != "content-length");
    let headers = headers
        .map(|(name, value)| (name.clone(), clean(value)))
        .collect();
    (answer.status, headers, clean(&answer.body))
}

fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split(before).nth(1).unwrap_or_default();
    rest.split(after).next().unwrap_or_default().to_owned()
}

/// Bytes that are no text, no form, or no number: a clear answer, never a failure.
#[test]
fn rubbish_is_answered_in_peace() {
    let mut canton = Canton::new(Language::French);
    let bodies = [
        "%",
        "=",
        "&&&",
        "code=%ff%fe",
        "a=b=c",
        "\u{0}",
        "username",
        "ticket=x&password=%00",
    ];
    for path in FORMS
        .into_iter()
        .chain(["/token", "/authorize", "/userinfo"])
    {
        for body in bodies {
            let mut attempt = Attempt::post(&at(path), &[]);
            attempt.body = body.to_owned();
            let answer = sends(&mut canton, attempt);
            assert!(answer.status < 500, "{path} {body:?}: {}", answer.status);
            assert!(!answer.signs_somebody_in(), "{path} {body:?}");
        }
    }
    for path in [
        "/login/%ff",
        "/login/..%2f",
        "/resume/%00",
        "/static/..%2f..%2fetc",
        "/activate/ö",
    ] {
        let answer = sends(&mut canton, Attempt::get(&at(path)));
        assert!(answer.status < 500, "{path}: {}", answer.status);
    }
}
