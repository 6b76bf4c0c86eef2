//! Backups, restores and copies with real processes: beside a server, on a full disk, killed.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    installation::{Installation, text},
    serving::Serving,
    terminal::furka,
};

const ZONES: &str = r#"
[[zone]]
id = "here"
kind = "school"
name = { fr = "Ici", de = "Hier", en = "Here" }
networks = ["127.0.0.0/24"]
no_ipv6 = true
owner = "tests"
review_by = "2099-08-01"
second_factor = "not-asked"
enrolment = "refused"
"#;
pub(crate) const APPLICATIONS: &str = r#"
[[application]]
id = "portal"
name = { fr = "Portail", de = "Portal", en = "Portal" }
kind = "confidential"
redirect_uris = ["https://portal.example/callback"]
auth = "post"
secret_sha256 = "331ab04caa328927f706627b812f4139f9ec42a6d61f17e468a70c41a48d8f67"
scopes = ["openid"]
minimum = "password"
trusted = true
"#;
/// Anna came with the hash of her password, `Correct-Horse-7`.
const PEOPLE: &str = "\
username;first_name;last_name;mail;role;method;phone;password_hash
anna;Anna;Rey;anna@edu.example;teacher;sms;079 123 45 67;{SSHA}SihpeFmKOuOBoeMySj9UKVQOx8pzYWx0c2FsdA==
";
/// What the portal proves itself with; its digest stands in [`APPLICATIONS`].
const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// The pair of [RFC 7636, Appendix B].
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const AUTHORIZE: &str = "/authorize?response_type=code&client_id=portal&scope=openid&state=s\
    &nonce=a-nonce-of-tests&redirect_uri=https%3A%2F%2Fportal.example%2Fcallback\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

/// An installation with a school, a portal and a teacher.
fn school() -> Installation {
    let here = Installation::new();
    furnish(&here);
    here
}

/// Gives an installation a school, a portal and a teacher.
pub(crate) fn furnish(here: &Installation) {
    here.write("resources/zones.toml", ZONES);
    here.write("resources/applications.toml", APPLICATIONS);
    here.says(&["apply", "resources", "--yes"]);
    here.write("people.csv", PEOPLE);
    here.says(&["person", "import", "people.csv"]);
}

/// One request; its answer, head and body.
pub(crate) fn sends(serving: &Serving, request: &str, cookies: &str, form: Option<&str>) -> String {
    sends_to(&serving.listen, request, cookies, form)
}

/// The same, to an address.
pub(crate) fn sends_to(listen: &str, request: &str, cookies: &str, form: Option<&str>) -> String {
    let mut socket = TcpStream::connect(listen).unwrap();
    let patience = Some(Duration::from_secs(30));
    socket.set_read_timeout(patience).unwrap();
    let method = if form.is_some() { "POST" } else { "GET" };
    let body = form.unwrap_or_default();
    write!(
        socket,
        "{method} {request} HTTP/1.1\r\nHost: localhost:8400\r\nConnection: close\r\n\
         Origin: http://localhost:8400\r\nCookie: {cookies}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

pub(crate) fn between<'a>(text: &'a str, before: &str, behind: &str) -> &'a str {
    let (_, rest) = text
        .split_once(before)
        .unwrap_or_else(|| panic!("no `{before}` in {text}"));
    rest.split(behind).next().unwrap()
}

pub(crate) fn cookie(answer: &str, name: &str) -> String {
    format!(
        "{name}={}",
        between(answer, &format!("set-cookie: {name}="), ";")
    )
}

/// Anna signs in at school; her session's cookie, and the code for the portal.
pub(crate) fn signs_in(serving: &Serving) -> (String, String) {
    let page = sends(serving, AUTHORIZE, "", None);
    let ticket = between(&page, "name=\"ticket\" value=\"", "\"");
    let form = format!("ticket={ticket}&username=anna&password=Correct-Horse-7");
    let browser = cookie(&page, "furka-browser");
    let answer = sends(serving, "/login", &browser, Some(&form));
    let code = between(&answer, "callback?code=", "&");
    (cookie(&answer, "furka-session"), code.to_owned())
}

pub(crate) fn redeems(serving: &Serving, code: &str) -> String {
    redeems_at(&serving.listen, code)
}

/// The same, at an address.
pub(crate) fn redeems_at(listen: &str, code: &str) -> String {
    let form = format!(
        "grant_type=authorization_code&client_id=portal&client_secret={SECRET}&code={code}\
         &code_verifier={VERIFIER}&redirect_uri=https%3A%2F%2Fportal.example%2Fcallback"
    );
    sends_to(listen, "/token", "", Some(&form))
}

/// Whether the portal gets a code without a page.
pub(crate) fn is_signed_in(serving: &Serving, session: &str) -> bool {
    let silent = format!("{AUTHORIZE}&prompt=none");
    let answer = sends(serving, &silent, session, None);
    let to = between(
        &answer,
        "location: https://portal.example/callback?",
        "\r\n",
    );
    assert!(
        to.starts_with("code=") || to.starts_with("error=login_required"),
        "{to}"
    );
    to.starts_with("code=")
}

/// The database goes, and comes back from a backup.
fn restores(here: &Installation, backup: &str) -> String {
    for name in ["furka.sqlite", "furka.sqlite-wal", "furka.sqlite-shm"] {
        let path = here.path(name);
        if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }
    here.says(&["restore", backup])
}

/// [P15] Over HTTP: backup while serving, spend, restore, replay. The session, the code and the token of
/// before open nothing; signing in again does.
#[test]
fn after_a_restore_nothing_of_before_opens_anything() {
    let here = school();
    let serving = Serving::start(&here);
    let (session, code) = signs_in(&serving);
    assert!(is_signed_in(&serving, &session));
    let said = here.says(&["backup", "furka.backup"]);
    assert!(said.contains("1 person"), "{said}");
    assert!(
        is_signed_in(&serving, &session),
        "nobody waited for the backup"
    );
    let tokens = redeems(&serving, &code);
    let token = between(&tokens, "\"access_token\":\"", "\"").to_owned();
    let userinfo = |serving: &Serving| {
        let asks = format!("x=y\r\nAuthorization: Bearer {token}");
        sends(serving, "/userinfo", &asks, None)
    };
    assert!(userinfo(&serving).starts_with("HTTP/1.1 200"));
    serving.stops();

    let said = restores(&here, "furka.backup");
    assert!(
        said.contains("void: all sessions, links and codes"),
        "{said}"
    );
    let serving = Serving::start(&here);
    assert!(!is_signed_in(&serving, &session));
    let again = redeems(&serving, &code);
    assert!(again.starts_with("HTTP/1.1 400"), "{again}");
    assert!(again.contains("invalid_grant"), "{again}");
    assert!(userinfo(&serving).starts_with("HTTP/1.1 401"));
    let (session, code) = signs_in(&serving);
    assert!(is_signed_in(&serving, &session));
    assert!(redeems(&serving, &code).starts_with("HTTP/1.1 200"));
    serving.stops();
    let audit = here.says(&["audit", "verify"]);
    assert!(audit.starts_with("the audit holds"), "{audit}");
}

/// `ulimit` plays the disk that is full.
#[test]
fn a_backup_on_a_full_disk_leaves_nothing_behind() {
    let here = Installation::new();
    let mut csv = String::from("username;first_name;last_name;mail;role\n");
    for number in 0..2000 {
        csv.push_str(&format!(
            "p.{number};P;N{number};p{number}@edu.example;pupil\n"
        ));
    }
    here.write("people.csv", csv);
    here.says(&["person", "import", "people.csv"]);
    let small = format!(
        "trap '' XFSZ; ulimit -f 128; exec {} backup full.backup",
        env!("CARGO_BIN_EXE_furka")
    );
    let mut shell = Command::new("sh");
    shell.current_dir(here.dir()).args(["-c", &small]);
    let done = shell.output().unwrap();
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(
        said.contains("to do: free space, or name a file elsewhere"),
        "{said}"
    );
    assert_eq!(files(&here, "full"), Vec::<String>::new());
    here.says(&["backup", "full.backup"]);
    assert_eq!(files(&here, "full"), ["full.backup"]);
}

fn files(here: &Installation, beginning: &str) -> Vec<String> {
    let entries = fs::read_dir(here.dir()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(beginning)).collect()
}

const COPY: [&str; 6] = [
    "store",
    "copy",
    "--from",
    "sqlite:furka.sqlite",
    "--to",
    "sqlite:new.sqlite",
];

/// Everything arrives, and the configuration needs another address only.
#[test]
fn a_database_moves_and_everybody_is_there() {
    let here = school();
    let said = here.says(&COPY);
    let rows = |table: &str| {
        let line = said.lines().find(|line| line.starts_with(table)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(
        (rows("person "), rows("signing_key ")),
        ("1".into(), "2".into())
    );
    assert!(said.contains("new.sqlite holds all of it"), "{said}");
    for name in files(&here, "furka.sqlite") {
        fs::remove_file(here.path(&name)).unwrap();
    }
    let list = furka(here.dir())
        .args(["person", "list"])
        .env("FURKA_DATABASE", "sqlite:new.sqlite")
        .output()
        .unwrap();
    assert!(text(&list.stdout).contains("anna"), "{list:?}");
    let again = here.run(&COPY);
    let said = text(&again.stderr);
    assert!(
        said.contains("there is no database at `furka.sqlite`"),
        "{said}"
    );
}

/// A copy that is killed half-way: neither `serve` nor `check` takes what is there, and the next copy
/// works.
#[test]
fn a_copy_that_is_killed_serves_nobody_and_the_next_one_works() {
    let here = Installation::new();
    let mut csv = String::from("username;first_name;last_name;mail;role\n");
    for number in 0..20_000 {
        csv.push_str(&format!(
            "p.{number};P;N{number};p{number}@edu.example;pupil\n"
        ));
    }
    here.write("people.csv", csv);
    here.says(&["person", "import", "people.csv"]);
    let mut copying = furka(here.dir())
        .args(COPY)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let written = || {
        let names = ["new.sqlite", "new.sqlite-wal"];
        let lens = names.map(|name| fs::metadata(here.path(name)).map_or(0, |found| found.len()));
        lens.iter().sum::<u64>()
    };
    while written() < 1 << 20 {
        let ended = copying.try_wait().unwrap();
        assert!(ended.is_none(), "it was faster than the test");
        std::thread::yield_now();
    }
    copying.kill().unwrap();
    let killed = copying.wait().unwrap();
    assert_eq!(killed.signal(), Some(9), "it was faster than the test");

    for command in ["serve", "check"] {
        let refused = furka(here.dir())
            .arg(command)
            .env("FURKA_DATABASE", "sqlite:new.sqlite")
            .env("FURKA_LISTEN", "127.0.0.1:0")
            .env("FURKA_MANAGEMENT_LISTEN", "[::1]:0")
            .output()
            .unwrap();
        let said = text(&refused.stdout) + &text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("the database is half copied"), "{said}");
        assert!(said.contains("to do: run that command again"), "{said}");
    }
    let said = here.says(&COPY);
    assert!(said.contains("new.sqlite holds all of it"), "{said}");
    let check = furka(here.dir())
        .arg("check")
        .env("FURKA_DATABASE", "sqlite:new.sqlite")
        .output()
        .unwrap();
    assert!(text(&check.stdout).contains("20000 people"), "{check:?}");
}

/// Whoever still serves from the old database would spend what the new one does not know of.
#[test]
fn a_database_that_is_served_from_is_not_copied() {
    let here = school();
    let serving = Serving::start(&here);
    // Somebody signs in while it is read, sooner or later.
    let refused = (0..100).find_map(|_| {
        let copying = furka(here.dir())
            .args(COPY)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        signs_in(&serving);
        let done = copying.wait_with_output().unwrap();
        if !done.status.success() {
            return Some(text(&done.stderr));
        }
        for name in files(&here, "new.sqlite") {
            fs::remove_file(here.path(&name)).unwrap();
        }
        None
    });
    let said = refused.expect("every copy was believed");
    assert!(
        said.contains("was written to while it was copied"),
        "{said}"
    );
    assert!(said.contains("to do: stop whatever serves"), "{said}");
    serving.stops();
    here.says(&COPY);
}
