//! What a transcript cannot say: many people, other users, bytes on the disk.

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
};

use crate::{
    installation::{Installation, text},
    terminal::furka,
};

/// Somebody who owns nothing here.
const NOBODY: u32 = 65534;

/// [A20] There is nothing in the program that two installations share: no account, no key.
#[test]
fn two_installations_share_no_key_and_have_no_accounts() {
    let [one, two] = [Installation::new(), Installation::new()];
    assert_ne!(
        fs::read(one.path("furka.key")).unwrap(),
        fs::read(two.path("furka.key")).unwrap()
    );
    let kids = |installation: &Installation| {
        let list = installation.says(&["keys", "list"]);
        let kids: Vec<_> = list
            .lines()
            .skip(1)
            .map(|line| line.split_whitespace().nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(kids.len(), 2);
        kids
    };
    let [of_one, of_two] = [&one, &two].map(kids);
    assert!(of_one.iter().all(|kid| !of_two.contains(kid)));
    assert!(one.says(&["check"]).contains("0 people"));
    let program = fs::read(env!("CARGO_BIN_EXE_furka")).unwrap();
    let key = fs::read(one.path("furka.key")).unwrap();
    let contains = |part: &[u8]| program.windows(part.len()).any(|window| window == part);
    assert!(!contains(key.trim_ascii()));
    assert!(
        !contains(b"-----BEGIN PRIVATE KEY-----"),
        "a key stands in the program"
    );
}

#[test]
fn ten_thousand_people_come_in_at_once() {
    let furka = Installation::new();
    let mut csv = String::from("username;first_name;last_name;mail;role;school\n");
    for number in 0..10_000 {
        let school = number % 700;
        csv.push_str(&format!(
            "pupil.{number};P{number};N{number};p{number}@edu.example;pupil;School {school}\n"
        ));
    }
    furka.write("people.csv", &csv);
    let said = furka.says(&["person", "import", "people.csv"]);
    assert!(
        said.contains("imported: 10000 new, 0 changed, 0 as before"),
        "{said}"
    );
    let again = furka.says(&["person", "import", "people.csv"]);
    assert!(
        again.contains("imported: 0 new, 0 changed, 10000 as before"),
        "{again}"
    );
    furka.write(
        "broken.csv",
        format!("{csv}pupil.x;;N;no-mail;pupil;School 1\n"),
    );
    let refused = furka.run(&["person", "import", "broken.csv"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused.stdout).contains("10002  first_name"),
        "{}",
        text(&refused.stdout)
    );
    assert!(
        furka.says(&["check"]).contains("10000 people"),
        "nothing is half-imported"
    );
}

/// [P02] [O07] Neither a code nor a seed nor a key stands in the open on the disk.
#[test]
fn no_secret_stands_in_the_open_on_the_disk() {
    let furka = Installation::new();
    furka.write(
        "people.csv",
        "username;first_name;last_name;mail;role\nanna;Anna;Rey;anna@edu.example;pupil\n",
    );
    furka.says(&["person", "import", "people.csv", "--send-activation"]);
    furka.write(
        "tokens.csv",
        "T-1,3132333435363738393031323334353637383930,HOTP,6,0\n",
    );
    furka.says(&["token", "import", "tokens.csv"]);
    let files = fs::read_dir(furka.dir())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let database: Vec<_> = files
        .filter(|path| path.to_str().unwrap().contains("furka.sqlite"))
        .collect();
    let bytes: Vec<u8> = database
        .iter()
        .flat_map(|path| fs::read(path).unwrap())
        .collect();
    let contains = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(contains(b"anna@edu.example"), "the right files are read");
    for secret in [
        "12345678901234567890",
        "3132333435363738393031323334353637383930",
        "GEZDGNBVGY3TQOJQ",
    ] {
        assert!(!contains(secret.as_bytes()), "{secret}");
    }
    for path in database {
        assert_eq!(
            fs::metadata(&path).unwrap().mode() & 0o077,
            0,
            "{}",
            path.display()
        );
    }
}

/// A read-only database is said, with what to do; nobody needs to be anybody special to try.
#[test]
fn a_database_that_cannot_be_written_says_what_to_do() {
    let here = Installation::new();
    let is_root = fs::metadata(here.dir()).unwrap().uid() == 0;
    fs::set_permissions(here.dir(), fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(here.path("furka.sqlite"), fs::Permissions::from_mode(0o444)).unwrap();
    let mut command = furka(here.dir());
    if is_root {
        chown(here.path("furka.key"), Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    let refused = command.args(["person", "list"]).output().unwrap();
    fs::set_permissions(here.dir(), fs::Permissions::from_mode(0o755)).unwrap();
    let said = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("to do: let the user that runs `furka` write to the database"),
        "{said}"
    );
}

/// A pipe that is closed early, as `head` does, is no failure.
#[test]
fn a_reader_that_leaves_is_no_failure() {
    let here = Installation::new();
    let mut child = furka(here.dir())
        .args(["policy", "explain"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
}
