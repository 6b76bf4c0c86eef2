//! A: names, passwords, and the steps of a sign-in.

use std::sync::Arc;

use journey::{Happened, PersonId};
use store::NewPerson;
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Person, Place, Role, Town};

use super::{
    SCHOOL, STRANGER, account, alike, audit, begins, between, by, canton, gets, is_signed_in,
    metric, posts, session, signs_in_strongly, somebody, switch_off,
};
use crate::application::{asks, at, enters, parameter};

/// [A02] Steps that are out of turn, at journeys that are over, of others, or of another kind, change
/// nothing in any order of two; the one right step still leads in.
#[test]
fn no_order_of_wrong_steps_leads_in() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let mut other = canton.browser(Place::Home);
    let foreign = begins(&mut *other, &anna);
    let mut browser = canton.browser(Place::Home);
    let over = begins(&mut *browser, &chloe);
    for _ in 0..5 {
        posts(&mut *browser, &over, &[("code", "000000")]);
    }
    let own = begins(&mut *browser, &chloe);
    let steps: Vec<Attempt> = [
        own.as_str(),
        &over,
        &foreign,
        &own.replace("login", "activate"),
        "/login/x",
    ]
    .into_iter()
    .flat_map(|path| {
        let fields: [&[(&str, &str)]; 8] = [
            &[],
            &[("action", "continue")],
            &[("action", "resend")],
            &[("action", "resync")],
            &[("code", "")],
            &[("next_code", "123456")],
            &[("method", "sms"), ("phone", "+41791112233")],
            &[
                ("username", "chloe.zufferey"),
                ("password", "Raclette-sans-4-chandelles"),
            ],
        ];
        fields.map(|fields| Attempt::post(&at(path), fields).from_page_of(&at("")))
    })
    .collect();
    for (first, second) in steps
        .iter()
        .flat_map(|one| steps.iter().map(move |two| (one, two)))
    {
        for step in [first, second] {
            let answer = browser.sends(step.clone());
            assert!(
                !answer.signs_somebody_in() && answer.status < 500,
                "{step:?}: {answer:?}"
            );
        }
    }
    assert!(!is_signed_in(&mut *browser));
    let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    assert!(posts(&mut *browser, &own, &[("code", &code)]).signs_somebody_in());
    // What led in once leads in no more.
    assert!(!posts(&mut *browser, &own, &[("code", &code)]).signs_somebody_in());
    assert!(!posts(&mut *other, &own, &[("code", &code)]).signs_somebody_in());
}

/// [A01] [A03] Between password and code no route gives anything, whatever is shown as whatever: the
/// cookies as session, the journey or its browser as bearer.
#[test]
fn half_a_sign_in_opens_no_route() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &chloe);
    let id = journey.rsplit('/').next().unwrap().to_owned();
    let cookies = browser.cookies();
    let values: Vec<String> = cookies
        .iter()
        .map(|(_, value)| value.clone())
        .chain([id.clone()])
        .collect();
    for value in &values {
        browser.takes(&[("furka-session".into(), value.clone())]);
        for route in server::ROUTES {
            let path = route
                .path
                .replace("{id}", &id)
                .replace("{token}", value)
                .replace("{name}", value);
            for method in route.methods {
                let mut attempt =
                    Attempt::get(&at(&path)).header("authorization", &format!("Bearer {value}"));
                attempt.method = (*method).to_owned();
                let answer = browser.sends(attempt);
                let what = format!("{method} {path}: {answer:?}");
                assert!(!answer.signs_somebody_in() && answer.status < 500, "{what}");
                assert!(!answer.body.contains("sign-out-everywhere"), "{what}");
                assert!(
                    !answer.body.contains(&chloe.name) && !answer.body.contains(&chloe.mail),
                    "{what}"
                );
            }
        }
    }
    let silent = browser.sends(Attempt::get(&asks(&[("prompt", Some("none"))])));
    assert_eq!(
        parameter(silent.location(), "error").as_deref(),
        Some("login_required")
    );
}

/// The sign-in page filled and sent, whatever comes.
pub(super) fn tries(browser: &mut dyn Browser, person: &Person) -> Answer {
    let page = browser.sends(Attempt::get(&asks(&[("prompt", Some("login"))])));
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let fields = [
        ("username", person.username.as_str()),
        ("password", &person.password),
        ("ticket", &ticket),
    ];
    posts(browser, "/login", &fields)
}

/// [A05] [A06] A name that nobody has, one without a password, and one that is switched off cost the
/// same hash and get the same answer, to the byte, right password or not; and when there were too many
/// tries, the same wait.
#[test]
fn nobody_learns_who_exists() {
    let mut canton = canton();
    let (anna, new) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::New),
    );
    let off = somebody(&mut canton, Role::App);
    switch_off(&mut canton, &off);
    let named = |username: &str, password: &str| Person {
        username: username.into(),
        password: password.into(),
        ..anna.clone()
    };
    let people = [
        named("niemand", "Falsch-1234"),
        named(&anna.username, "Falsch-1234"),
        named(&new.username, "Falsch-1234"),
        named(&off.username, "Falsch-1234"),
        off.clone(),
        named("\u{200b}", "Falsch-1234"),
        named("", "Falsch-1234"),
    ];
    let mut seen = Vec::new();
    for person in &people {
        let mut browser = canton.browser(Place::Home);
        let before = metric(&canton, "furka_passwords_hashed");
        let answer = tries(&mut *browser, person);
        assert_eq!(
            metric(&canton, "furka_passwords_hashed") - before,
            1,
            "{}",
            person.username
        );
        seen.push(alike(&answer, &format!("\"{}\"", person.username)));
        canton.passes(3600);
    }
    let (empty, named_ones) = seen.split_last().unwrap();
    assert!(
        named_ones.iter().all(|answer| *answer == named_ones[0]),
        "{named_ones:#?}"
    );
    assert_eq!(empty.0, 422);

    let mut waits = Vec::new();
    for person in &people[..4] {
        let mut browser = canton.browser(Place::Home);
        let answers: Vec<Answer> = (0..6).map(|_| tries(&mut *browser, person)).collect();
        waits.push(alike(
            answers.last().unwrap(),
            &format!("\"{}\"", person.username),
        ));
        assert_eq!(waits[0].0, 429);
        canton.passes(7200);
    }
    assert!(waits.iter().all(|answer| *answer == waits[0]), "{waits:#?}");
}

/// [A07] The page of the activation code tells neither who exists, nor who has activated, nor who is
/// switched off.
#[test]
fn the_activation_tells_nobody_who_exists() {
    let mut canton = canton();
    let (anna, new) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::New),
    );
    let mail = (&mut canton as &mut dyn Town).next_mail(&new);
    let code = activation_code(&mail);
    let answers = |canton: &mut Canton, username: &str, code: &str| {
        let mut browser = canton.browser(Place::Home);
        let fields = [("username", username), ("activation_code", code)];
        alike(
            &posts(&mut *browser, "/activate", &fields),
            &format!("\"{username}\""),
        )
    };
    let unknown = answers(&mut canton, "niemand", "AAAAA-BBBBB");
    assert_eq!(unknown.0, 422);
    assert_eq!(answers(&mut canton, &anna.username, "AAAAA-BBBBB"), unknown);
    assert_eq!(answers(&mut canton, &new.username, "AAAAA-BBBBB"), unknown);
    let right = format!("\"{code}\"");
    let foreign = answers(&mut canton, &anna.username, &code);
    assert_eq!(foreign.2.replace(&right, "\"AAAAA-BBBBB\""), unknown.2);
    switch_off(&mut canton, &new);
    let off = answers(&mut canton, &new.username, &code);
    assert_eq!(off.2.replace(&right, "\"AAAAA-BBBBB\""), unknown.2);
    for username in ["niemand", &new.username] {
        let waits: Vec<_> = (0..6)
            .map(|_| answers(&mut canton, username, "AAAAA-BBBBB").0)
            .collect();
        assert_eq!(waits.last(), Some(&429), "{username}");
    }
}

/// The code in an activation message.
pub(super) fn activation_code(mail: &str) -> String {
    let like = |word: &&str| {
        word.len() == 11
            && word.chars().nth(5) == Some('-')
            && word
                .chars()
                .all(|c| c == '-' || c.is_ascii_uppercase() || c.is_ascii_digit())
    };
    mail.split_whitespace().find(like).unwrap().to_owned()
}

/// [A14] All names of a person and all their spellings spend one budget.
#[test]
fn other_names_are_no_other_budget() {
    let mut canton = canton();
    let luca = somebody(&mut canton, Role::Token);
    let spellings = [
        "zrl0417",
        "ZRL0417 ",
        "luca.zenruffinen",
        "Luca.Zenruffinen",
        "ｚｒｌ０４１７",
    ];
    let typed = |username: &str| Person {
        username: username.into(),
        password: "Falsch-1234".into(),
        ..luca.clone()
    };
    for username in spellings {
        let mut browser = canton.browser(Place::Home);
        assert_eq!(
            tries(&mut *browser, &typed(username)).status,
            422,
            "{username}"
        );
    }
    for username in spellings {
        let mut browser = canton.browser(Place::Home);
        assert_eq!(
            tries(&mut *browser, &typed(username)).status,
            429,
            "{username}"
        );
    }
}

/// [A16] A hundred passwords at once are five tries.
#[test]
fn a_hundred_passwords_at_once_are_five_tries() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::Home);
    let page = gets(&mut *browser, "/login");
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let guesses: Vec<Attempt> = (0..100)
        .map(|guess| {
            let password = format!("Falsch-{guess}");
            let fields = [
                ("username", anna.username.as_str()),
                ("password", &password),
                ("ticket", &ticket),
            ];
            Attempt::post(&at("/login"), &fields)
                .from_page_of(&at(""))
                .with_cookies_of(&mut *browser)
        })
        .collect();
    let before = metric(&canton, "furka_passwords_hashed");
    let answers = canton.sends(guesses);
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 422).count(),
        5
    );
    assert_eq!(
        answers.iter().filter(|answer| answer.status == 429).count(),
        95
    );
    assert_eq!(metric(&canton, "furka_passwords_hashed") - before, 5);
}

/// [A17] A stranger who tries passwords makes strangers wait, not the owner at their own computer.
#[test]
fn a_stranger_does_not_lock_the_owner_out() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut own = canton.browser(Place::School);
    assert!(enters(&mut *own, &asks(&[]), &anna).signs_somebody_in());
    let mistyped = Person {
        password: "Falsch-1234".into(),
        ..anna.clone()
    };
    for _ in 0..20 {
        tries(&mut *canton.browser(Place::Home), &mistyped);
    }
    assert_eq!(tries(&mut *canton.browser(Place::Home), &anna).status, 429);
    assert!(tries(&mut *own, &anna).signs_somebody_in());
    // The device alone is no authority: it needs the password, and its own budget ends as well.
    for _ in 0..10 {
        assert_eq!(tries(&mut *own, &mistyped).status, 422);
    }
    assert_eq!(tries(&mut *own, &mistyped).status, 429);
    // A device that knows somebody else gives nothing on this one.
    let mut chloes = canton.browser(Place::School);
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    assert!(enters(&mut *chloes, &asks(&[]), &chloe).signs_somebody_in());
    assert_eq!(tries(&mut *chloes, &anna).status, 429);
}

/// [A20] An installation begins with nobody: no account, no key, no application to get in by.
#[test]
fn an_installation_begins_with_nobody() {
    let keys = Arc::new(store::seal::Keys::from_master(&[7; 32]));
    let store = store::sqlite::Sqlite::open_in_memory(keys).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        use store::Store as _;
        let now = journey::Timestamp(1_800_000_000);
        assert_eq!(store.counts(now).await.unwrap(), store::Counts::default());
        assert!(store.signing_keys(now).await.unwrap().is_empty());
        assert!(
            store
                .resource(store::ResourceKind::Applications)
                .await
                .unwrap()
                .is_none()
        );
    });
}

/// [A20] No private key lies in the repository.
#[test]
fn no_private_key_lies_in_the_repository() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let marks =
        ["RSA ", "EC ", "ENCRYPTED ", ""].map(|kind| format!("-----BEGIN {kind}PRIVATE KEY"));
    let mut folders = ["crates", "pages", "docs", "locales", "migrations"]
        .map(|name| root.join(name))
        .to_vec();
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Tests make keys, and say so.
                folders.extend((!path.ends_with("tests")).then_some(path));
                continue;
            }
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            files += 1;
            assert!(
                !marks.iter().any(|mark| text.contains(mark)),
                "{} holds a key",
                path.display()
            );
        }
    }
    assert!(files > 100, "only {files} files were looked at");
}

/// [N05] [A01] An administrator is asked for a second factor even where others are not.
#[test]
fn an_administrator_is_always_asked_for_more() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let hash = account(&canton, &anna).password.unwrap();
    let admin = NewPerson {
        aliases: vec![],
        first_name: "Ada".into(),
        id: PersonId([9; 16]),
        language: journey::Language::Fr,
        last_name: "Ministre".into(),
        mail: "ada@edu.example".into(),
        method: Some(journey::Method::Sms),
        password: Some(hash),
        phone: journey::Phone::parse("+41791000099").ok(),
        role: journey::Role::Admin,
        school: None,
        token_serial: None,
        username: "ada.ministre".into(),
    };
    let by = by(&mut canton);
    canton
        .waits_for(canton.store().import_people(&[admin], &by))
        .unwrap();
    let ada = Person {
        username: "ada.ministre".into(),
        ..anna.clone()
    };
    for place in [Place::School, Place::State, Place::Home] {
        let mut browser = canton.browser(place);
        let answer = tries(&mut *browser, &ada);
        assert!(
            answer.location().starts_with("/login/"),
            "{place:?}: {answer:?}"
        );
        assert!(!is_signed_in(&mut *browser), "{place:?}");
    }
    assert!(tries(&mut *canton.browser(Place::School), &anna).signs_somebody_in());
}

/// [N06] A sign-in that was let in by its place says so in the audit: the rule, the place, and that
/// it was a password only.
#[test]
fn the_audit_says_who_was_let_in_by_place() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    enters(&mut *canton.browser(Place::School), &asks(&[]), &anna);
    let id = account(&canton, &anna).person.id;
    let entries = audit(&canton);
    let signed = entries
        .iter()
        .rfind(|entry| entry.happened.contains("signed-in"))
        .unwrap();
    assert_eq!(
        (signed.person, signed.place.as_str()),
        (Some(id), "school-brig")
    );
    let happened: Happened = serde_json::from_str(&signed.happened).unwrap();
    assert_eq!(
        happened,
        Happened::SignedIn {
            assurance: journey::Assurance::Password
        }
    );
    let decided = entries
        .iter()
        .rfind(|entry| entry.happened.contains("decided"))
        .unwrap();
    assert!(
        decided.happened.contains("the password is enough"),
        "{decided:?}"
    );
}

/// [N07] Headers that name an address are counted when no listed proxy sends them.
#[test]
fn strangers_who_claim_an_address_are_counted() {
    let canton = canton();
    let name = "furka_forwarded_by_strangers_total";
    let asks = |peer, header: &str| {
        let attempt = Attempt::get(&at("/login"));
        let attempt = if header.is_empty() {
            attempt
        } else {
            attempt.header(header, "192.0.2.20")
        };
        assert_eq!(canton.calls(peer, attempt).status, 200);
        metric(&canton, name)
    };
    assert_eq!(asks(STRANGER, ""), 0);
    assert_eq!(asks(STRANGER, "x-forwarded-for"), 1);
    assert_eq!(asks(SCHOOL, "forwarded"), 2);
    assert_eq!(asks(SCHOOL, "x-real-ip"), 3);
    assert_eq!(asks([127, 0, 0, 1], "x-forwarded-for"), 3);
}

/// [A03] A session of one person gives nothing at a journey of another in the same browser, and the
/// one who finishes is the one who is in.
#[test]
fn a_second_person_in_the_browser_is_a_second_sign_in() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let mut browser = canton.browser(Place::Home);
    signs_in_strongly(&mut canton, &mut *browser, &chloe);
    let before = session(&mut *browser);
    let journey = begins(&mut *browser, &anna);
    canton.passes(30);
    let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    assert!(!posts(&mut *browser, &journey, &[("code", &code)]).signs_somebody_in());
    assert_eq!(session(&mut *browser), before);
    assert!(gets(&mut *browser, "/account").body.contains(&chloe.name));
}

/// [A14] [A16] Other addresses are no other budget: neither those that a stranger claims, nor those
/// that a proxy reports.
#[test]
fn other_addresses_are_no_other_budget() {
    for peer in [STRANGER, [127, 0, 0, 1]] {
        let mut canton = canton();
        let anna = somebody(&mut canton, Role::Sms);
        let mut browser = canton.browser(Place::Home);
        let page = gets(&mut *browser, "/login");
        let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
        let fields = [
            ("username", anna.username.as_str()),
            ("password", "Falsch-1234"),
            ("ticket", &ticket),
        ];
        let statuses: Vec<u16> = (0..8)
            .map(|number| {
                let attempt = Attempt::post(&at("/login"), &fields)
                    .with_cookies_of(&mut *browser)
                    .header("x-forwarded-for", &format!("203.0.113.{number}"));
                canton.calls(peer, attempt).status
            })
            .collect();
        assert_eq!(statuses, [422, 422, 422, 422, 422, 429, 429, 429]);
    }
}

/// [A17] Guessing at one person, however often, disturbs nobody else.
#[test]
fn guessing_at_one_person_disturbs_no_other() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mistyped = Person {
        password: "Falsch-1234".into(),
        ..anna
    };
    for _ in 0..30 {
        tries(&mut *canton.browser(Place::Home), &mistyped);
    }
    let mut browser = canton.browser(Place::Home);
    signs_in_strongly(&mut canton, &mut *browser, &chloe);
}
