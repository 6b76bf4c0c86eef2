//! Another sealing key comes into use on two nodes, each with a key file of its own, while people sign in.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use cluster::Postgres;

use crate::{
    backups::{APPLICATIONS, AUTHORIZE, between, cookie, is_signed_in, redeems_at, sends_to},
    installation::{Installation, text},
    serving::Serving,
    terminal::furka,
};

/// All have the password `Correct-Horse-7`, and a token each.
const WHO: [&str; 3] = ["anna", "ben", "carla"];
const SEED: &[u8] = b"12345678901234567890";

/// [RFC 4226 §5.3]
fn code(counter: u64) -> String {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, SEED);
    let tag = sign(&key, &counter.to_be_bytes());
    let offset = usize::from(tag.as_ref().last().unwrap() & 0x0f);
    let four = tag.as_ref().iter().skip(offset).take(4);
    let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

fn furnish(here: &Installation) {
    here.write("resources/applications.toml", APPLICATIONS);
    here.says(&["apply", "resources", "--yes"]);
    let mut people = "username;first_name;last_name;mail;role;method;password_hash\n".to_owned();
    let mut tokens = "serial,seed,type,digits,counter\n".to_owned();
    let seed = data_encoding::HEXLOWER.encode(SEED);
    for who in WHO {
        people.push_str(&format!(
            "{who};{who};Rey;{who}@edu.example;teacher;token;{{SSHA}}SihpeFmKOuOBoeMySj9UKVQOx8pzYWx0c2FsdA==\n"
        ));
        tokens.push_str(&format!("H-{who},{seed},HOTP,6,0\n"));
    }
    here.write("people.csv", people);
    here.write("tokens.csv", tokens);
    here.says(&["person", "import", "people.csv"]);
    here.says(&["token", "import", "tokens.csv"]);
    for who in WHO {
        here.says(&["token", "assign", &format!("H-{who}"), who]);
    }
}

/// The whole way, each step on the other node: page, password, code of the token, code of the portal. The
/// session.
fn signs_in([one, other]: [&str; 2], who: &str, counter: u64) -> String {
    let page = sends_to(one, AUTHORIZE, "", None);
    let ticket = between(&page, "name=\"ticket\" value=\"", "\"");
    let browser = cookie(&page, "furka-browser");
    let form = format!("ticket={ticket}&username={who}&password=Correct-Horse-7");
    let answer = sends_to(other, "/login", &browser, Some(&form));
    let journey = between(&answer, "location: /login/", "\r\n");
    let form = format!("code={}", code(counter));
    let answer = sends_to(one, &format!("/login/{journey}"), &browser, Some(&form));
    let given = between(&answer, "callback?code=", "&");
    let redeemed = redeems_at(other, given);
    assert!(redeemed.starts_with("HTTP/1.1 200"), "{redeemed}");
    cookie(&answer, "furka-session")
}

/// One who signs in again and again until the keys are changed; how often.
fn goes_on(nodes: [&str; 2], counters: &AtomicU64, over: &AtomicBool) -> u64 {
    let mut times = 0;
    while !over.load(Ordering::SeqCst) {
        let [one, other] = nodes;
        let counter = counters.fetch_add(1, Ordering::SeqCst);
        signs_in([one, other], "anna", counter);
        times += 1;
        signs_in(
            [other, one],
            "anna",
            counters.fetch_add(1, Ordering::SeqCst),
        );
        times += 1;
    }
    times
}

/// Another node gets the key file, as with `scp`, and both take it up.
fn hands_on(here: &Installation, nodes: [&mut Serving; 2]) {
    fs::copy(here.path("furka.key"), here.path("other.key")).unwrap();
    for node in nodes {
        node.until("a newer key file is in use");
    }
}

/// Retires a key as soon as every node has told that it seals with another one.
fn retires(here: &Installation, key: &str) {
    for _ in 0..300 {
        let done = here.run(&["keys", "seal", "retire", key, "--yes"]);
        if done.status.success() {
            return;
        }
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(said.contains("seals with another key"), "{said}");
        thread::sleep(Duration::from_millis(100));
    }
    panic!("a node seals with key {key} for half a minute");
}

/// Says that it is over, however that comes: else whoever goes on until then would be waited for in vain.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// How much is sealed with a key, and how many passwords are checked with it.
fn relies(here: &Installation, key: &str) -> (u64, u64) {
    let said = here.says(&["keys", "seal", "status"]);
    let lines = said
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut counts = lines.filter_map(|words| match words.as_slice() {
        [number, _, _, sealed, passwords, ..] if *number == key => {
            Some((sealed.parse().unwrap(), passwords.parse().unwrap()))
        }
        _ => None,
    });
    counts.next().unwrap()
}

/// An hour is over since the key sealed last.
fn an_hour_later(here: &Installation, key: &str) {
    let file = fs::read_to_string(here.path("furka.key")).unwrap();
    let since = between(&file, &format!("\n{key} former "), " ").to_owned();
    here.write("furka.key", file.replace(&since, "2026-01-01T00:00:00Z"));
}

fn fails(here: &Installation, arguments: &[&str], sentence: &str) {
    let done = here.run(arguments);
    let said = text(&done.stdout) + &text(&done.stderr);
    assert!(!done.status.success() && said.contains(sentence), "{said}");
}

/// [C20] The sealing key is changed on two nodes while people sign in: nobody notices, and at the end the
/// former key opens nothing and is not needed.
#[test]
fn the_sealing_key_changes_while_people_sign_in() {
    let url = Postgres::shared().database().unwrap();
    let here = Installation::on(&url);
    furnish(&here);
    fs::copy(here.path("furka.key"), here.path("other.key")).unwrap();
    fs::copy(here.path("furka.key"), here.path("then.key")).unwrap();
    let mut one = Serving::start(&here);
    let mut other = Serving::start_with(&here, &[("FURKA_KEY_FILE", "other.key")]);
    let listens = [one.listen.clone(), other.listen.clone()];
    let nodes = [listens[0].as_str(), listens[1].as_str()];
    // Their passwords have hashes of our own from here on.
    let session = signs_in(nodes, "ben", 0);
    signs_in(nodes, "carla", 0);
    here.says(&["backup", "before.backup"]);

    let (counters, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let times = thread::scope(|scope| {
        let crowd = scope.spawn(|| goes_on(nodes, &counters, &over));
        let ends = Over(&over);
        let said = here.says(&["keys", "seal", "add"]);
        assert!(said.starts_with("key 2 is in furka.key"), "{said}");
        hands_on(&here, [&mut one, &mut other]);
        here.says(&["keys", "seal", "use", "2"]);
        hands_on(&here, [&mut one, &mut other]);
        assert!(relies(&here, "1").0 > 0);
        fails(
            &here,
            &["keys", "seal", "retire", "1", "--yes"],
            "sealed with key 1",
        );
        let said = here.says(&["keys", "seal", "reseal"]);
        assert!(said.contains("sealed again with key 2"), "{said}");
        assert_eq!(relies(&here, "1").0, 0);
        fails(
            &here,
            &["keys", "seal", "retire", "1", "--yes"],
            "may be sealed with key 1 until",
        );
        an_hour_later(&here, "1");
        retires(&here, "1");
        hands_on(&here, [&mut one, &mut other]);
        drop(ends);
        crowd.join().unwrap()
    });
    assert!(times >= 2, "{times}");

    let file = fs::read_to_string(here.path("furka.key")).unwrap();
    let first = fs::read_to_string(here.path("then.key")).unwrap();
    assert!(!file.contains(first.trim()));
    assert!(is_signed_in(&other, &session), "nobody was signed out");
    // Who did not sign in meanwhile: the former key's pepper still checks their passwords.
    assert_eq!(relies(&here, "1"), (0, 2));
    fails(
        &here,
        &["keys", "seal", "retire", "1", "--yes"],
        "2 passwords, 0 activation codes and 0 sets of recovery codes are checked",
    );
    signs_in(nodes, "ben", 1);
    signs_in(nodes, "carla", 1);
    assert_eq!(relies(&here, "1"), (0, 0));
    here.says(&["keys", "seal", "retire", "1", "--yes"]);
    hands_on(&here, [&mut one, &mut other]);
    signs_in(nodes, "ben", 2);
    one.stops();
    other.stops();

    a_backup_of_before_opens_with_the_key_of_then(&here);
}

/// [C20] A node that was forgotten seals with the former key: what it seals next would be lost.
#[test]
fn a_key_is_not_retired_while_a_node_seals_with_it() {
    let here = Installation::on(&Postgres::shared().database().unwrap());
    here.says(&["keys", "seal", "add"]);
    fs::copy(here.path("furka.key"), here.path("other.key")).unwrap();
    let forgotten = Serving::start_with(&here, &[("FURKA_KEY_FILE", "other.key")]);
    here.says(&["keys", "seal", "use", "2"]);
    here.says(&["keys", "seal", "reseal"]);
    an_hour_later(&here, "1");
    for yes in [&[][..], &["--yes"]] {
        let retire = [&["keys", "seal", "retire", "1"], yes].concat();
        fails(&here, &retire, "seals with another key");
    }
    assert!(
        fs::read_to_string(here.path("furka.key"))
            .unwrap()
            .contains("\n1 former ")
    );
    forgotten.stops();
}

/// [C20] Whichever node an application asks, it finds the key of a token that another one has signed; and
/// the key of the tokens of before.
#[test]
fn a_new_signing_key_is_published_by_every_node_at_once() {
    let here = Installation::on(&Postgres::shared().database().unwrap());
    let nodes = [Serving::start(&here), Serving::start(&here)];
    for _ in 0..5 {
        let before = here.says(&["keys", "list"]);
        here.says(&["keys", "rotate"]);
        let after = here.says(&["keys", "list"]);
        for node in &nodes {
            let published = sends_to(&node.listen, "/jwks", "", None);
            for line in before
                .lines()
                .chain(after.lines())
                .filter(|line| line.contains("S256"))
            {
                let kid = line.split_whitespace().nth(1).unwrap();
                assert!(published.contains(kid), "{kid}: {published}");
            }
        }
    }
    nodes.into_iter().for_each(Serving::stops);
}

fn a_backup_of_before_opens_with_the_key_of_then(here: &Installation) {
    let empty = Postgres::shared().database().unwrap();
    let run = |arguments: &[&str]| {
        let mut furka = furka(here.dir());
        furka.args(arguments).env("FURKA_DATABASE", &empty);
        let done = furka.output().unwrap();
        (
            done.status.success(),
            text(&done.stdout) + &text(&done.stderr),
        )
    };
    let (done, said) = run(&["restore", "before.backup"]);
    assert!(!done && said.contains("another key file"), "{said}");
    let (done, said) = run(&["keys", "seal", "add", "--from", "then.key"]);
    assert!(done && said.contains("key 1 is back"), "{said}");
    let (done, said) = run(&["restore", "before.backup"]);
    assert!(done, "{said}");
    let serving = Serving::start_with(here, &[("FURKA_DATABASE", &empty)]);
    // Whoever pressed the button since the backup is ten presses on.
    signs_in([&serving.listen, &serving.listen], "carla", 11);
    serving.stops();
    let (done, said) = run(&["keys", "seal", "reseal"]);
    assert!(done && said.contains("sealed again with key 2"), "{said}");
}
