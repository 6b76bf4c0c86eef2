//! What must never be written down: in the database, in the audit, in metrics.

use testkit::memory::Canton;
use testkit::{App, Attempt, Language, Place, Role, Town, Words};

use crate::application::{asks, at, at_school, enters, sends};

/// [O07] [O09] [P02] After a whole story neither the database nor the metrics hold a password, a
/// code, a key, a session or a cookie.
#[test]
fn the_database_holds_no_secret_in_clear() {
    let mut canton = Canton::new(Language::French);
    let w = Words::of(Language::French);
    let town: &mut dyn Town = &mut canton;
    let bastien = town.somebody(Role::App);
    let mut browser = town.browser(Place::Home);
    browser.opens(&asks(&[]));
    browser.types(w.username, &bastien.username);
    browser.types(w.password, &bastien.password);
    browser.clicks(w.connexion);
    let sms = town.sms_code(&bastien);
    browser.types(w.sms_code, &sms);
    browser.clicks(w.soumettre);
    let key = browser.key_to_type().unwrap();
    let app = App { key: key.clone() };
    let code = town.app_code(&app);
    browser.types(w.app_code, &code);
    browser.clicks(w.soumettre);

    let mut secrets: Vec<(String, Vec<u8>)> = vec![
        ("the password".into(), bastien.password.clone().into_bytes()),
        ("the SMS code".into(), sms.into_bytes()),
        ("the app's key".into(), key.clone().into_bytes()),
        (
            "the app's seed".into(),
            data_encoding::BASE32_NOPAD.decode(key.as_bytes()).unwrap(),
        ),
        ("the app's code".into(), code.into_bytes()),
    ];
    for (name, value) in browser.cookies() {
        if name.contains("furka") {
            let raw = data_encoding::BASE64URL_NOPAD
                .decode(value.as_bytes())
                .unwrap_or_default();
            secrets.push((format!("the raw cookie {name}"), raw));
            secrets.push((format!("the cookie {name}"), value.into_bytes()));
        }
    }
    let database = canton.database();
    let origin = canton.origins().provider;
    let metrics = canton
        .calls_management(Attempt::get(&format!("{origin}/metrics")))
        .body;
    for (what, secret) in secrets.iter().filter(|(_, secret)| secret.len() >= 6) {
        let written = database
            .windows(secret.len())
            .any(|window| window == secret.as_slice());
        assert!(!written, "the database holds {what}");
        let told = metrics
            .as_bytes()
            .windows(secret.len())
            .any(|window| window == secret.as_slice());
        assert!(!told, "the metrics tell {what}");
    }
}

/// [P01] What somebody types does not forge an entry, and the chain of entries holds.
#[test]
fn the_audit_cannot_be_forged_by_typing() {
    let mut canton = Canton::new(Language::French);
    let (mut person, mut browser) = at_school(&mut canton);
    for name in [
        "anna\r\nroten",
        "\u{1b}[2Janna",
        "{\"what\":\"signed-in\"}",
        "a\u{202e}b",
    ] {
        person.username = name.into();
        let answer = enters(&mut *browser, &asks(&[]), &person);
        assert!(!answer.signs_somebody_in());
    }
    let entries = canton.audit();
    assert!(entries.len() >= 4);
    for entry in &entries {
        assert!(!format!("{entry:?}").contains("[2J"), "{entry:?}");
        assert!(!entry.happened.contains(char::is_control), "{entry:?}");
    }
}

/// [L03] The page with the key is kept by nobody, and there is no address from which to fetch it.
#[test]
fn the_key_stands_on_one_page_of_one_browser() {
    let mut canton = Canton::new(Language::French);
    let w = Words::of(Language::French);
    let town: &mut dyn Town = &mut canton;
    let bastien = town.somebody(Role::App);
    let mut browser = town.browser(Place::Home);
    browser.opens(&asks(&[]));
    browser.types(w.username, &bastien.username);
    browser.types(w.password, &bastien.password);
    browser.clicks(w.connexion);
    browser.types(w.sms_code, &town.sms_code(&bastien));
    browser.clicks(w.soumettre);
    let (key, page) = (browser.key_to_type().unwrap(), browser.url());

    let own = browser.sends(Attempt::get(&page));
    assert_eq!(own.header("cache-control"), Some("no-store"));
    assert!(own.body.contains(&key));
    let elsewhere = sends(&mut canton, Attempt::get(&page));
    assert_eq!(elsewhere.status, 403);
    assert!(!elsewhere.body.contains(&key));
    for path in ["/qr", "/login/qr", "/static/qr.svg", "/static/qr.png"] {
        let answer = sends(&mut canton, Attempt::get(&at(path)));
        assert!(
            matches!(answer.status, 404 | 410),
            "{path}: {}",
            answer.status
        );
    }
    // A form of another site does not confirm it.
    let code = (&mut canton as &mut dyn Town).app_code(&App { key });
    let attempt = Attempt::post(&page, &[("code", &code)]).header("origin", "https://evil.example");
    let answer = browser.sends(attempt);
    assert_eq!(answer.status, 403);
    assert!(!(&mut canton as &mut dyn Town).again(&bastien).enrolled);
}
