//! Several nodes on one PostgreSQL, as real processes.

use cluster::Postgres;

use crate::{
    backups::{furnish, is_signed_in, redeems, sends, signs_in},
    installation::{Installation, text},
    serving::Serving,
    terminal::furka,
};

#[test]
fn what_begins_on_one_node_goes_on_on_another() {
    let url = Postgres::shared().database().unwrap();
    let here = Installation::on(&url);
    furnish(&here);
    let [one, other] = [Serving::start(&here), Serving::start(&here)];
    let (session, code) = signs_in(&one);
    assert!(is_signed_in(&other, &session));
    assert!(redeems(&other, &code).starts_with("HTTP/1.1 200"));
    assert!(redeems(&one, &code).starts_with("HTTP/1.1 400"));

    one.stops();
    assert!(is_signed_in(&other, &session), "no node had it to itself");
    here.says(&["person", "disable", "anna"]);
    assert!(!is_signed_in(&other, &session));
    other.stops();
    let audit = here.says(&["audit", "verify"]);
    assert!(
        audit
            .lines()
            .all(|line| line.starts_with("the audit holds")),
        "{audit}"
    );
}

/// [P10] While the database is away nobody is let in and nobody is signed out: a page that was opened tries
/// again by itself, a form that was sent is not sent again but followed by its step, and afterwards all is as
/// before.
#[test]
fn without_its_database_a_node_asks_for_a_moment() {
    let mut server = Postgres::start().unwrap();
    let here = Installation::on(&server.database().unwrap());
    furnish(&here);
    let node = Serving::start(&here);
    let (session, _) = signs_in(&node);
    server.kill().unwrap();

    let opened = sends(&node, "/account", &session, None);
    assert!(opened.starts_with("HTTP/1.1 503"), "{opened}");
    assert!(opened.contains("\r\nrefresh: 3\r\n"), "{opened}");
    assert!(opened.contains("<h1>Un instant"), "{opened}");
    assert!(opened.contains("a besoin de quelques secondes"), "{opened}");
    let sent = sends(
        &node,
        "/account",
        &session,
        Some("action=sign-out-everywhere"),
    );
    assert!(sent.starts_with("HTTP/1.1 503"), "{sent}");
    assert!(sent.contains("\r\nretry-after: 3\r\n"), "{sent}");
    assert!(sent.contains("\r\nrefresh: 3; url=/account\r\n"), "{sent}");
    assert!(sent.contains("la page suivante montre"), "{sent}");

    server.start_again().unwrap();
    assert!(is_signed_in(&node, &session));
    node.stops();
}

/// [O09] No sentence shows the password of the database, and the file that holds it is its owner's.
#[test]
fn a_database_elsewhere_is_told_of_without_its_password() {
    let url = Postgres::shared().database().unwrap();
    let (_, password) = url.split('@').next().unwrap().rsplit_once(':').unwrap();
    let here = Installation::on(&url);
    let mode = std::fs::metadata(here.path("furka.toml"))
        .unwrap()
        .permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o077, 0);
    let checked = here.says(&["check"]);
    assert!(
        checked.contains("database postgres://furka@127.0.0.1:"),
        "{checked}"
    );

    let empty = Postgres::shared().database().unwrap();
    let missing = empty.replace("/test", "/none");
    for (database, arguments, code, sentence) in [
        (
            &url,
            vec!["init", "again", "--database", &url],
            1,
            "there is something in `postgres://",
        ),
        (
            &empty,
            vec!["person", "list"],
            1,
            "there is nothing in the database `postgres://",
        ),
        (
            &empty,
            vec!["migrate", "--plan"],
            2,
            "+ 0001-what-is-remembered",
        ),
        (
            &missing,
            vec!["person", "list"],
            1,
            "there is no database `none",
        ),
        (
            &url,
            vec!["migrate", "--plan"],
            0,
            "has this version's schema already",
        ),
    ] {
        let run = furka(here.dir())
            .args(&arguments)
            .env("FURKA_DATABASE", database)
            .output()
            .unwrap();
        let said = text(&run.stdout) + &text(&run.stderr);
        assert!(said.contains(sentence), "{arguments:?}: {said}");
        assert_eq!(run.status.code(), Some(code), "{said}");
        assert!(!said.contains(password), "{said}");
    }
}
