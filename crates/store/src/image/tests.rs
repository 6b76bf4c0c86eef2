//! What a backup and a restore promise, on real files.

mod changed;
mod copies;
mod guests;
mod on_postgresql;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use journey::{
    ActivationId, Algorithm, Carrier, FactorId, Happened, JourneyId, Language, Method, NameKey,
    Otp, OtpKind, PersonId, Phone, Place, Role, Secret,
    activation::{Activation, Opened},
    effect::{Activate, Effect},
};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::{
    AssignToken, Committed, Journey, JourneyState, NewActivation, NewPerson, NewRecoverySet,
    NewToken, Redeemed, Redemption, Store,
    audit::{self, Entry},
    key,
    sqlite::{Sqlite, Whole},
};

const NOW: Timestamp = Timestamp(1_900_000_000);
/// When backups are restored.
const LATER: Timestamp = Timestamp(NOW.0 + 86_400);

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

fn by_later() -> By {
    By {
        at: LATER,
        through: "command restore".into(),
        ..by()
    }
}

fn nobody(_: Progress) {}

/// A folder with a database, a backup, and a place for another database.
struct Here {
    dir: TempDir,
}

impl Here {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn open(&self, name: &str) -> Sqlite {
        Sqlite::open(self.path(name), keys()).unwrap()
    }

    fn whole(&self, name: &str) -> Whole {
        Whole::at(&self.path(name), keys())
    }

    async fn backup(&self, name: &str) -> Result<Contents> {
        let to = self.path(name);
        backup(&self.whole("old.db"), &keys(), (&to, NOW), &nobody).await
    }

    async fn restore(&self, from: &str, to: &str) -> Result<(Contents, Void)> {
        let whole = self.whole(to);
        let from = self.path(from);
        restore(&from, &keys(), &whole, (&by_later(), "root"), &nobody).await
    }

    async fn copy(&self) -> Result<Vec<Sum>> {
        copy(&self.whole("old.db"), &self.whole("new.db"), &nobody).await
    }
}

/// Why it was refused, if it was.
fn refused<T: std::fmt::Debug>(outcome: Result<T>) -> Refused {
    let error = outcome.unwrap_err();
    Refused::of(&error)
        .cloned()
        .unwrap_or_else(|| panic!("{error}: {}", error.source))
}

fn chain(error: &StoreError) -> String {
    format!("{error}: {}", error.source)
}

fn people(number: u16) -> Vec<NewPerson> {
    (0..number).map(person).collect()
}

fn person(number: u16) -> NewPerson {
    let mut id = [1; 16];
    id[..2].copy_from_slice(&number.wrapping_mul(40_503).to_be_bytes());
    NewPerson {
        aliases: vec![format!("alias.{number}")],
        first_name: "Élodie".into(),
        id: PersonId(id),
        language: Language::Fr,
        last_name: "Rey".into(),
        mail: "elodie.rey@example.ch".into(),
        method: None,
        password: None,
        phone: None,
        role: Role::Pupil,
        school: None,
        token_serial: None,
        username: format!("elodie.rey.{number}"),
    }
}

fn journey(number: u8, person: PersonId) -> Journey {
    let state = Activation::CheckData(Opened {
        activation: ActivationId([number; 16]),
        code: Secret::new(b"ABCDE-FGHJK".to_vec()),
        person,
        until: NOW.plus(3600),
    });
    Journey {
        browser: [3; 32],
        id: JourneyId([number; 16]),
        purpose: "https://portal.example".into(),
        state: JourneyState::Activation(state),
        support: "K7QX-2M".into(),
        until: LATER.plus(3600),
        version: 0,
    }
}

fn otp(number: u8, carrier: Carrier, kind: OtpKind, last_counter: u64) -> Otp {
    Otp {
        algorithm: Algorithm::Sha1,
        carrier,
        digits: 6,
        drift: 0,
        id: FactorId([number; 16]),
        kind,
        last_counter: Some(last_counter),
        secret: Secret::new(b"seed-of-twenty-bytes".to_vec()),
    }
}

fn sign_in(person: PersonId) -> Effect {
    let proof = serde_json::json!({ "factor": null, "password": { "at": 0, "_checked": null } });
    Effect::SignIn {
        person,
        place: Place::Public,
        proof: serde_json::from_value(proof).unwrap(),
    }
}

fn spend(number: u8, counter: u64) -> Effect {
    Effect::SpendCounter {
        counter,
        drift: 0,
        factor: FactorId([number; 16]),
    }
}

fn activate(number: u8, person: PersonId) -> Effect {
    Effect::Activate(Box::new(Activate {
        activation: ActivationId([number; 16]),
        chosen: Some((Method::App, Some(Phone::parse("079 123 45 67").unwrap()))),
        password: Secret::new(b"$argon2id$".to_vec()),
        person,
    }))
}

fn activation(number: u8, person: PersonId) -> NewActivation {
    let until = LATER.plus(86_400);
    NewActivation {
        id: ActivationId([number; 16]),
        mac: [number; 32],
        message: Some(crate::Message::Activation {
            code: Secret::new(b"ABCDE-FGHJK".to_vec()),
            until,
        }),
        person,
        until,
    }
}

/// What becomes of one effect, in a journey of its own.
async fn done(store: &dyn Store, number: u8, effect: &Effect, by: By) -> Committed {
    let of = match effect {
        Effect::SpendCounter { factor, .. } if factor.0 != [CLOCKED; 16] => person(0).id,
        _ => person(1).id,
    };
    let effects = std::slice::from_ref(effect);
    let journey = journey(number, of);
    store.open_journey(&journey, effects, &by).await.unwrap()
}

/// The key of a session, from the step that made it.
async fn signed_in(store: &Sqlite, journey: &Journey, effects: &[Effect]) -> [u8; 32] {
    match store.open_journey(journey, effects, &by()).await.unwrap() {
        Committed::Yes(Some(session)) => key::of_secret(session.id.expose()),
        other => panic!("{other:?}"),
    }
}

async fn audit_of(store: &Sqlite) -> Vec<Entry> {
    let mut entries = vec![];
    loop {
        let next = entries.len() as u64 + 1;
        let page = store.audit_from(0, next, 500).await.unwrap();
        if page.is_empty() {
            return entries;
        }
        entries.extend(page);
    }
}

const TOTP: OtpKind = OtpKind::Totp { period_s: 30 };
const APP: u8 = 10;
const BUTTON: u8 = 11;
const CLOCKED: u8 = 12;
/// The recovery codes of who is signed in.
const CODES: [u8; 16] = [13; 16];

/// Uses one of these codes up.
fn spend_recovery() -> Effect {
    let code = journey::SavedCode {
        place: 2,
        set: CODES,
    };
    let person = person(0).id;
    Effect::SpendRecoveryCode { code, person }
}

/// A database with something in every table that a sign-in writes to: somebody with an app who is
/// signed in, somebody who is to activate, tokens, a key.
async fn filled(here: &Here) -> (Sqlite, [u8; 32]) {
    let store = here.open("old.db");
    store.import_people(&people(2), &by()).await.unwrap();
    let (anna, emil) = (person(0).id, person(1).id);
    for (number, of) in [(1, anna), (2, emil)] {
        let new = activation(number, of);
        store.issue_activation(&new, &by()).await.unwrap();
    }
    let app = otp(APP, Carrier::App, TOTP, 100);
    let effects = [
        activate(1, anna),
        Effect::EnrolApp {
            otp: Box::new(app),
            person: anna,
            place: Place::Public,
        },
        sign_in(anna),
    ];
    let session = signed_in(&store, &journey(1, anna), &effects).await;
    let tokens = [(BUTTON, OtpKind::Hotp), (CLOCKED, TOTP)].map(|(number, kind)| NewToken {
        otp: otp(number, Carrier::Token, kind, 7),
        serial: format!("FT{number}"),
    });
    store.import_tokens(&tokens, &by()).await.unwrap();
    for (number, person) in [(BUTTON, anna), (CLOCKED, emil)] {
        let assign = AssignToken {
            counter: None,
            person,
            serial: format!("FT{number}"),
        };
        assert!(store.assign_token(&assign, &by()).await.unwrap());
    }
    let key = crate::KeyRecord {
        algorithm: "ES256".into(),
        kid: "one".into(),
        pkcs8: Secret::new(b"pkcs8".to_vec()),
        until: None,
    };
    store.rotate_key(&key, NOW, &by()).await.unwrap();
    let codes = NewRecoverySet {
        era: 0,
        id: CODES,
        instead_of: None,
        macs: [[4; 32]; 8],
        person: anna,
    };
    assert!(store.make_recovery_set(&codes, &by()).await.unwrap());
    (store, session)
}

#[tokio::test]
async fn a_restored_backup_holds_everybody_and_says_who_restored_it() {
    let here = Here::new();
    let (store, _) = filled(&here).await;
    let made = here.backup("furka.backup").await.unwrap();
    let rows = |table: &str| {
        let mut sums = made.sums.iter();
        sums.find(|sum| sum.table == table).unwrap().rows
    };
    assert_eq!((rows("person"), rows("otp")), (2, 3));
    let (restored, _) = here.restore("furka.backup", "new.db").await.unwrap();
    assert_eq!((restored.at, &restored.sums), (NOW, &made.sums));

    let new = here.open("new.db");
    let name = NameKey::of("ALIAS.0").unwrap();
    let account = new.person_by_name(&name).await.unwrap().unwrap();
    assert_eq!(account.person.first_name, "Élodie");
    assert!(account.password.unwrap().matches(b"$argon2id$"));
    let app = account.person.app.unwrap();
    assert!(app.secret.matches(b"seed-of-twenty-bytes"));
    let keys = new.signing_keys(NOW).await.unwrap();
    assert!(keys[0].pkcs8.matches(b"pkcs8"));
    let (before, after) = (audit_of(&store).await, audit_of(&new).await);
    audit::verify(&after).unwrap();
    assert_eq!(after[..before.len()], before);
    let [entry] = &after[before.len()..] else {
        panic!("{after:?}")
    };
    assert_eq!(
        (entry.at, entry.through.as_str()),
        (LATER, "command restore")
    );
    let happened: Happened = serde_json::from_str(&entry.happened).unwrap();
    let user = "root".into();
    let backup_of = NOW.0;
    assert_eq!(happened, Happened::Restored { backup_of, user });
}

/// [P15] Backup, spend, restore, replay: whatever was used up after the backup is used up.
#[tokio::test]
async fn nothing_that_was_spent_after_the_backup_works_again() {
    let here = Here::new();
    let (store, session) = filled(&here).await;
    let (anna, emil) = (person(0).id, person(1).id);
    let waiting = journey(3, anna);
    let _ = store.open_journey(&waiting, &[], &by()).await.unwrap();
    store
        .offer_resume(waiting.id, &[5; 32], LATER.plus(60))
        .await
        .unwrap();
    let code = Redemption {
        application: "portal".into(),
        code: [9; 16],
        refresh: None,
        session,
        until: LATER.plus(300),
    };
    here.backup("furka.backup").await.unwrap();

    // A step of the app ten seconds before the restore, three presses of the button, the code, the
    // activation.
    let step = (LATER.0 - 10) as u64 / 30 + 1;
    let spends = [
        spend(APP, step),
        spend(BUTTON, 10),
        spend(CLOCKED, step),
        activate(2, emil),
        spend_recovery(),
        sign_in(emil),
    ];
    for (number, effect) in (20..).zip(&spends) {
        let spent = done(&store, number, effect, by()).await;
        assert!(matches!(spent, Committed::Yes(_)), "{number}");
    }
    let first = store.redeem_code(&code, &by()).await.unwrap();
    assert!(matches!(first, Redeemed::Yes), "{first:?}");

    let (_, void) = here.restore("furka.backup", "new.db").await.unwrap();
    let expected = Void {
        activations: 1,
        buttons: 1,
        messages: 3,
        recovery_sets: 1,
    };
    assert_eq!(void, expected);
    let new = here.open("new.db");
    for (number, effect) in (20..).zip(&spends[..5]) {
        let again = done(&new, number, effect, by_later()).await;
        assert!(
            matches!(again, Committed::CounterSpent | Committed::ActivationSpent),
            "{number}: {again:?}"
        );
    }
    let again = new.redeem_code(&code, &by_later()).await.unwrap();
    assert!(matches!(again, Redeemed::SessionOver), "{again:?}");
    assert!(new.session(&session, LATER).await.unwrap().is_none());
    assert!(new.sessions(anna, LATER).await.unwrap().is_empty());
    assert!(new.journey(waiting.id).await.unwrap().is_none());
    let resumed = new.take_over_journey(&[5; 32], &[6; 32], LATER);
    assert!(!matches!(resumed.await.unwrap(), crate::TakeOver::Taken(_)));
    assert!(new.activations(emil).await.unwrap().is_empty());
    assert!(new.claim_messages(LATER, 10).await.unwrap().is_empty());
}

/// [P15] After the restore people sign in as always: with a new session, and with the next codes.
#[tokio::test]
async fn what_is_new_after_the_restore_works() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    here.backup("furka.backup").await.unwrap();
    here.restore("furka.backup", "new.db").await.unwrap();
    let new = here.open("new.db");
    let anna = person(0).id;
    let next = spend(APP, LATER.0 as u64 / 30 + 4);
    let session = signed_in(&new, &journey(30, anna), &[next, sign_in(anna)]).await;
    assert!(new.session(&session, LATER).await.unwrap().is_some());
    let emil = person(1).id;
    let code = activation(4, emil);
    new.issue_activation(&code, &by_later()).await.unwrap();
    assert_eq!(new.claim_messages(LATER, 10).await.unwrap().len(), 1);
}

/// Whatever is being written, a backup is of one moment: each import is one person, one name, one
/// alias and one entry of the audit, or nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_made_while_writers_write_is_of_one_moment() {
    let here = Here::new();
    let store = Arc::new(here.open("old.db"));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4_u16)
        .map(|writer| {
            let (store, stop) = (store.clone(), stop.clone());
            tokio::spawn(async move {
                let mut number = writer;
                while !stop.load(Ordering::Relaxed) {
                    let new = [person(number)];
                    store.import_people(&new, &by()).await.unwrap();
                    number += 4;
                }
                number / 4
            })
        })
        .collect();
    let mut seen = vec![];
    for number in 0..5 {
        while store.counts(NOW).await.unwrap().people < 20 * (number + 1) {
            tokio::task::yield_now().await;
        }
        let (file, database) = (format!("{number}.backup"), format!("{number}.db"));
        here.backup(&file).await.unwrap();
        let (restored, _) = here.restore(&file, &database).await.unwrap();
        let rows = |table: &str| {
            let mut sums = restored.sums.iter();
            sums.find(|sum| sum.table == table).unwrap().rows
        };
        assert_eq!(rows("name"), 2 * rows("person"));
        assert_eq!(rows("audit"), rows("person"));
        let entries = audit_of(&here.open(&database)).await;
        assert_eq!(audit::verify(&entries).unwrap().sequence, rows("audit") + 1);
        seen.push(rows("person"));
    }
    stop.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += u64::from(writer.await.unwrap());
    }
    assert!(seen.is_sorted() && seen[0] < written, "{seen:?} {written}");
}

/// Whoever an import brings is not there before it ends, in no backup either.
#[tokio::test]
async fn a_backup_made_during_an_import_holds_nobody_of_it() {
    let here = Here::new();
    let (store, _) = filled(&here).await;
    let conn = Connection::open(here.path("old.db")).unwrap();
    conn.execute_batch(
        "insert into meta (name, number) select 'arriving', max(rowid) from person;
         insert into person (id, first_name, language, last_name, mail, role, username)
             values (zeroblob(16), 'A', 'de', 'B', 'c@example.ch', 'pupil', 'arriving');
         insert into name (name, alias, person) values ('arriving', 0, zeroblob(16));",
    )
    .unwrap();
    assert_eq!(store.counts(NOW).await.unwrap().people, 2);
    here.backup("furka.backup").await.unwrap();
    here.restore("furka.backup", "new.db").await.unwrap();
    let new = here.open("new.db");
    new.tidy(LATER).await.unwrap();
    assert_eq!(new.counts(NOW).await.unwrap().people, 2);
    let twin = NewPerson {
        username: "arriving".into(),
        aliases: vec![],
        ..person(9)
    };
    let imported = new.import_people(&[twin], &by()).await.unwrap();
    assert_eq!(imported.created, 1);
    assert_eq!(
        new.people(crate::Cohort::All, None, 9).await.unwrap().len(),
        3
    );
}

/// [O07] A backup holds nothing that can be read without the key file, and only its owner reads it.
#[tokio::test]
async fn a_backup_shows_nothing_to_whoever_has_no_key() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    here.backup("furka.backup").await.unwrap();
    let bytes = fs::read(here.path("furka.backup")).unwrap();
    for words in ["elodie", "Rey", "argon2", "person", "ES256", "FT11"] {
        let holds = bytes
            .windows(words.len())
            .any(|some| some == words.as_bytes());
        assert!(!holds, "{words}");
    }
    #[cfg(unix)]
    {
        let mode = fs::metadata(here.path("furka.backup"))
            .unwrap()
            .permissions();
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode);
        assert_eq!(mode & 0o077, 0);
    }
    here.backup("again.backup").await.unwrap();
    assert_ne!(fs::read(here.path("again.backup")).unwrap(), bytes);
}

#[tokio::test]
async fn a_database_with_something_in_it_is_never_overwritten() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    here.backup("furka.backup").await.unwrap();
    let other = here.open("new.db");
    other.import_people(&people(1), &by()).await.unwrap();
    for outcome in [
        refused(here.restore("furka.backup", "new.db").await),
        refused(here.copy().await),
    ] {
        assert_eq!(outcome, Refused::NotEmpty);
    }
    assert_eq!(other.counts(NOW).await.unwrap().people, 1);
    audit::verify(&audit_of(&other).await).unwrap();
    drop(other);
    here.open("new.db");
}

#[tokio::test]
async fn a_backup_is_complete_or_not_there_and_overwrites_nothing() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    fs::write(here.path("taken"), "mine").unwrap();
    let error = here.backup("taken").await.unwrap_err();
    assert!(chain(&error).contains("is not overwritten"));
    assert_eq!(fs::read(here.path("taken")).unwrap(), b"mine");
    assert!(here.backup("no/folder").await.is_err());
    // One that was killed left this; one that runs has it locked.
    fs::write(here.path("one.partial"), vec![0; 1 << 20]).unwrap();
    let running = fs::File::open(here.path("one.partial")).unwrap();
    running.lock().unwrap();
    let error = here.backup("one").await.unwrap_err();
    assert!(chain(&error).contains("another `furka backup`"));
    drop(running);
    here.backup("one").await.unwrap();
    let from = here.path("one");
    verify(&from, &keys(), &nobody).await.unwrap();
    let left = fs::read_dir(here.dir.path()).unwrap();
    let left = left.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_str().unwrap().ends_with(".partial")
    });
    assert_eq!(left.count(), 0);
}
