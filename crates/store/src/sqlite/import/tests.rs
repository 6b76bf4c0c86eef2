//! What an import looks like from beside it, and what is left of one that was killed.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    sync::Arc,
};

use journey::{
    Algorithm, Carrier, FactorId, Language, Otp, OtpKind, PersonId, Place, Role, Secret, Timestamp,
};

use super::*;
use crate::{AssignToken, Cohort, NewToken, OneTime, Store, audit, seal::Keys};

const NOW: Timestamp = Timestamp(1_900_000_000);
/// Enough for several slices, and a last one that is not full.
const MANY: u32 = 3 * SLICE as u32 + 50;

fn keys() -> Arc<Keys> {
    Arc::new(Keys::from_master(&[7; 32]))
}

fn by() -> By {
    By {
        address: None,
        at: NOW,
        person: None,
        place: Place::Public,
        support: String::new(),
        through: "test".into(),
    }
}

fn person(number: u32) -> NewPerson {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
    NewPerson {
        aliases: vec![],
        first_name: "Anna".into(),
        id: PersonId(id),
        language: Language::De,
        last_name: "Imboden".into(),
        mail: "anna.imboden@example.ch".into(),
        method: None,
        password: Some(Secret::new(b"{SSHA}brought".to_vec())),
        phone: None,
        role: Role::Pupil,
        school: Some("OS Brig".into()),
        token_serial: None,
        username: format!("anna.imboden.{number}"),
    }
}

fn people(range: std::ops::Range<u32>) -> Vec<NewPerson> {
    range.map(person).collect()
}

async fn known(store: &Sqlite) -> u64 {
    store.counts(NOW).await.unwrap().people
}

async fn is_known(store: &Sqlite, name: &str) -> bool {
    let key = NameKey::of(name).unwrap();
    store.person_by_name(&key).await.unwrap().is_some()
}

/// An import as it stands before its last moment.
async fn half(store: &Sqlite, people: &[NewPerson]) -> Compared {
    let compared = compare(store, people).await.unwrap();
    arrive(store, people, &compared.new).await.unwrap();
    compared
}

#[tokio::test]
async fn nobody_sees_who_is_still_arriving() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    store.import_people(&people(0..5), &by()).await.unwrap();
    half(&store, &people(5..MANY)).await;
    assert_eq!(known(&store).await, 5);
    assert!(is_known(&store, "anna.imboden.4").await);
    assert!(!is_known(&store, "anna.imboden.5").await);
    assert!(store.person(person(5).id).await.unwrap().is_none());
    for cohort in [Cohort::All, Cohort::School("OS Brig".into())] {
        assert_eq!(store.people(cohort, None, 10_000).await.unwrap().len(), 5);
    }
    let entries = store.audit_from(0, 1, 99).await.unwrap();
    assert_eq!(entries.len(), 1, "nothing is told of who is not here");
}

#[tokio::test]
async fn who_was_left_half_way_is_swept_out_and_can_come_again() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    store.import_people(&people(0..5), &by()).await.unwrap();
    half(&store, &people(5..MANY)).await;
    let swept = sweep_if_alone(&store).await.unwrap();
    assert_eq!(swept, u64::from(MANY - 5));
    assert_eq!(sweep_if_alone(&store).await.unwrap(), 0);
    assert_eq!(known(&store).await, 5);
    let again = store.import_people(&people(0..MANY), &by()).await.unwrap();
    assert_eq!((again.created, again.unchanged), (MANY - 5, 5));
    assert!(is_known(&store, "anna.imboden.5").await);
}

#[tokio::test]
async fn an_import_begins_by_sweeping_out_the_one_before() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    half(&store, &people(0..MANY)).await;
    // The register was corrected meanwhile.
    let second = store.import_people(&people(7..20), &by()).await.unwrap();
    assert_eq!((second.created, known(&store).await), (13, 13));
    assert!(!is_known(&store, "anna.imboden.6").await);
}

#[tokio::test]
async fn upkeep_leaves_an_import_alone_that_runs() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    let turn = Turn::wait(store.readers.path()).await.unwrap();
    half(&store, &people(0..MANY)).await;
    assert_eq!(store.tidy(NOW).await.unwrap(), 0);
    drop(turn);
    assert_eq!(store.tidy(NOW).await.unwrap(), u64::from(MANY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_imports_wait_for_each_other_and_nobody_else_waits_for_either() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Arc::new(Sqlite::open(dir.path().join("furka.db"), keys()).unwrap());
    let imports = [0..MANY, MANY..2 * MANY].map(|range| {
        let store = open();
        tokio::spawn(async move { store.import_people(&people(range), &by()).await.unwrap() })
    });
    let store = open();
    let mut seen = vec![];
    while imports.iter().any(|import| !import.is_finished()) {
        let key = seen.len().to_be_bytes();
        let used = store
            .consume(OneTime::ClientAssertion, &key, NOW.plus(9))
            .await;
        assert!(used.unwrap());
        seen.push(known(&store).await);
    }
    for import in imports {
        assert_eq!(import.await.unwrap().created, MANY);
    }
    let many = u64::from(MANY);
    let whole = |seen: &u64| [0, many, 2 * many].contains(seen);
    assert!(seen.len() > 3 && seen.iter().all(whole), "{seen:?}");
    assert_eq!(known(&store).await, 2 * many);
}

fn token(serial: &str) -> NewToken {
    let otp = Otp {
        algorithm: Algorithm::Sha1,
        carrier: Carrier::Token,
        digits: 6,
        drift: 0,
        id: FactorId([9; 16]),
        kind: OtpKind::Hotp,
        last_counter: None,
        secret: Secret::new(vec![1; 20]),
    };
    NewToken {
        otp,
        serial: serial.into(),
    }
}

/// The desk gives the token to somebody else while its holder of the register is arriving.
#[tokio::test]
async fn what_turns_out_at_the_last_moment_takes_everybody_back() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    store.import_people(&people(0..1), &by()).await.unwrap();
    store.import_tokens(&[token("FT1")], &by()).await.unwrap();
    let mut arriving = people(1..MANY);
    arriving[9].token_serial = Some("FT1".into());
    let compared = half(&store, &arriving).await;
    let assign = AssignToken {
        counter: None,
        person: person(0).id,
        serial: "FT1".into(),
    };
    assert!(store.assign_token(&assign, &by()).await.unwrap());
    let last = last(&arriving, &compared, true);
    let work = move |conn: &Connection| finish(conn, &last, compared.counts(), (&keys(), &by()));
    let finished = store.writer.run(DOING, work).await.unwrap();
    assert_eq!(finished, Err(vec![(9, Conflict::TokenTaken("FT1".into()))]));
    assert_eq!(known(&store).await, 1);
}

#[tokio::test]
async fn a_name_changes_hands_to_one_of_many_who_are_new() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    let mut before = person(0);
    before.aliases = vec!["anni".into()];
    let before = [before];
    store.import_people(&before, &by()).await.unwrap();
    let mut all = people(0..MANY);
    all[5].aliases = vec!["anni".into(), "other".into()];
    let imported = store.import_people(&all, &by()).await.unwrap();
    assert_eq!((imported.created, imported.updated), (MANY - 1, 1));
    for name in ["anni", "other"] {
        let key = NameKey::of(name).unwrap();
        let holder = store.person_by_name(&key).await.unwrap();
        assert_eq!(holder.unwrap().person.id, person(5).id);
    }
    let again = store.import_people(&all, &by()).await.unwrap();
    assert_eq!((again.unchanged, again.updated), (MANY, 0));
}

/// [O07] Who imports as root leaves nothing that the server cannot open.
#[cfg(unix)]
#[tokio::test]
async fn the_lock_is_of_whom_the_database_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("furka.db");
    let store = Sqlite::open(&path, keys()).unwrap();
    // Only root can; to everybody else all files are their own.
    let _ = std::os::unix::fs::chown(&path, Some(4711), Some(4712));
    store.import_people(&people(0..1), &by()).await.unwrap();
    let of = |name: &str| {
        let of = std::fs::metadata(dir.path().join(name)).unwrap();
        (of.uid(), of.gid(), of.mode() & 0o777)
    };
    assert_eq!(of("furka.db-import"), of("furka.db"));
}

const CHILD: &str = "FURKA_STORE_TEST_IMPORT";

/// [P03] However late an import is killed, all of its people are there afterwards or none; and what
/// the audit tells is what is there.
///
/// The test runs itself as the process that is killed.
#[test]
fn an_import_that_is_killed_leaves_everybody_or_nobody() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(path) = std::env::var_os(CHILD) {
        runtime.block_on(import_and_say(Path::new(&path)));
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("furka.db");
    let mut before = 0;
    for slices in [1, 4, 9, u32::MAX] {
        kill_after(&path, slices);
        let store = Sqlite::open(&path, keys()).unwrap();
        let (now, entries) = runtime.block_on(async {
            let entries = store.audit_from(0, 1, 99).await.unwrap();
            (known(&store).await, entries)
        });
        audit::verify(&entries).unwrap();
        let told = entries.len() as u64;
        assert_eq!(now, told * u64::from(10 * MANY), "after {slices} slices");
        assert!(now >= before);
        before = now;
    }
    assert_eq!(before, u64::from(10 * MANY), "the last one was not killed");
}

async fn import_and_say(path: &Path) {
    let store = Arc::new(Sqlite::open(path, keys()).unwrap());
    let watched = store.clone();
    let watch = tokio::spawn(async move {
        let mut slices = 0;
        loop {
            let arrived = "select count(*) from person";
            let arrived = |conn: &Connection| Ok(conn.query_row(arrived, [], |row| row.get(0))?);
            let now: i64 = watched.read("watching", arrived).unwrap();
            let now = usize::try_from(now).unwrap();
            for _ in slices..now / SLICE {
                writeln!(std::io::stdout().lock(), "\nslice").unwrap();
            }
            slices = now / SLICE;
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    });
    let all = people(0..10 * MANY);
    store.import_people(&all, &by()).await.unwrap();
    watch.abort();
}

/// Lets the import go on for so many slices.
fn kill_after(path: &Path, slices: u32) {
    let test = "sqlite::import::tests::an_import_that_is_killed_leaves_everybody_or_nobody";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = said.map_while(Result::ok).filter(|line| line == "slice");
    let _ = lines.take(slices as usize).count();
    let _ = child.kill();
    child.wait().unwrap();
}
