//! What only this engine can show.

mod killed;

use std::sync::mpsc;

use data_encoding::{BASE32, BASE64URL_NOPAD, HEXLOWER};
use journey::{
    ActivationId, Algorithm, Carrier, FactorId, Language, Method, Notice, Otp, OtpKind, Phone,
    Place, Role, SmsCode,
    activation::{Activation, Opened},
    effect::Activate,
};

use super::*;
use crate::conformance;

const NOW: Timestamp = Timestamp(1_900_000_000);

fn keys() -> Arc<Keys> {
    Arc::new(Keys::from_master(&[7; 32]))
}

fn by() -> By {
    By {
        address: None,
        at: NOW,
        person: None,
        place: Place::Public,
        support: "K7QX".into(),
        through: "test".into(),
    }
}

fn people(number: u16) -> Vec<NewPerson> {
    let person = |number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        NewPerson {
            aliases: vec![format!("alias.{number}")],
            first_name: "Anna".into(),
            id: PersonId(id),
            language: Language::De,
            last_name: "Imboden".into(),
            mail: "anna.imboden@example.ch".into(),
            method: None,
            password: None,
            phone: None,
            role: Role::Pupil,
            school: None,
            token_serial: None,
            username: format!("anna.imboden.{number}"),
        }
    };
    (0..number).map(person).collect()
}

fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Runs a statement in the writer, past the contract.
async fn run(store: &Sqlite, sql: &'static str) {
    store
        .write("test", move |conn| Ok(conn.execute_batch(sql)?))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_engine_keeps_every_promise_on_a_real_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("furka.db");
    conformance::check(|keys| Arc::new(Sqlite::open(&path, keys).unwrap())).await;
}

/// Three jobs in one commit: one is kept, one refused, one panics.
#[tokio::test]
async fn a_job_takes_back_only_itself() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    let (start, wait) = mpsc::channel();
    let insert = |conn: &Connection, kind: &str| {
        let sql = "insert into resource (kind, contents, version) values ($1, '', 1)";
        conn.execute(sql, [kind]).unwrap();
    };
    let first = store.writer.run("first", move |conn| {
        wait.recv().unwrap();
        insert(conn, "policy");
        Ok(Verdict::Keep(1))
    });
    let second = store.writer.run("second", move |conn| {
        insert(conn, "zones");
        Ok(Verdict::Undo(2))
    });
    let third = store.writer.run::<i32, _>("third", move |conn| {
        insert(conn, "gateways");
        panic!("a mistake");
    });
    let fourth = store.writer.run("fourth", move |conn| {
        insert(conn, "applications");
        Ok(Verdict::Keep(4))
    });
    let open = async { start.send(()).unwrap() };
    let (first, second, third, fourth, ()) = tokio::join!(first, second, third, fourth, open);
    assert_eq!(
        (first.unwrap(), second.unwrap(), fourth.unwrap()),
        (1, 2, 4)
    );
    assert!(chain(&third.unwrap_err()).starts_with("third: the work panicked"));
    for kind in ResourceKind::ALL {
        let kept = matches!(kind, ResourceKind::Policy | ResourceKind::Applications);
        assert_eq!(
            store.resource(kind).await.unwrap().is_some(),
            kept,
            "{kind:?}"
        );
    }
}

/// [P03] A commit waits for the disk if anybody in it asked for that; a counted try alone does not, and
/// is in the same log before the verdict that does.
#[tokio::test]
async fn a_try_is_synced_with_what_follows_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path().join("furka.db"), keys()).unwrap();
    let synchronous = |conn: &Connection| {
        let level = conn.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0));
        Ok(Verdict::Keep(level?))
    };
    let (normal, full) = (1, 2);
    assert_eq!(store.writer.run("own", synchronous).await.unwrap(), full);
    let ahead = store.writer.run_ahead("ahead", synchronous);
    assert_eq!(ahead.await.unwrap(), normal);
    let (start, wait) = mpsc::channel();
    let own = store.writer.run("own", move |conn| {
        wait.recv()?;
        synchronous(conn)
    });
    let ahead = store.writer.run_ahead("ahead", synchronous);
    let open = async { start.send(()).unwrap() };
    let (own, ahead, ()) = tokio::join!(own, ahead, open);
    assert_eq!((own.unwrap(), ahead.unwrap()), (full, full));
    let lane = LaneKey::Password(PersonId([1; 16]));
    let spent = store.spend_try(&lane, &journey::limit::PASSWORD, NOW).await;
    assert_eq!(spent.unwrap().unwrap().tries, 1);
    assert_eq!(store.lane(&lane).await.unwrap().tries, 1);
    store.audit(&Happened::PasswordWrong, &by()).await.unwrap();
    assert_eq!(store.writer.run("own", synchronous).await.unwrap(), full);
}

/// [P03] If the commit fails, nobody in it is told that anything was written.
#[tokio::test]
async fn a_failed_commit_is_everybody_s_failure() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    let (start, wait) = mpsc::channel();
    let breaks = store.write("breaking", move |conn| {
        wait.recv()?;
        Ok(conn.execute_batch(
            "pragma defer_foreign_keys = on;
             insert into name (name, alias, person) values ('nobody', 0, zeroblob(16))",
        )?)
    });
    let key = [1; 32];
    let innocent = store.consume(OneTime::ClientAssertion, &key, NOW);
    let open = async { start.send(()).unwrap() };
    let (breaks, innocent, ()) = tokio::join!(breaks, innocent, open);
    for error in [breaks.unwrap_err(), innocent.unwrap_err()] {
        let text = chain(&error);
        assert!(
            text.contains("could not be committed: FOREIGN KEY"),
            "{text}"
        );
    }
    assert!(
        store
            .consume(OneTime::ClientAssertion, &key, NOW)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_full_disk_fails_with_a_sentence_and_leaves_nothing_half_done() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    // SQLite does not go below what there is.
    run(&store, "pragma max_page_count = 1").await;
    let failed = store.import_people(&people(2000), &by()).await.unwrap_err();
    let ImportError::Store(failed) = failed else {
        panic!("{failed:?}")
    };
    let text = chain(&failed);
    assert!(
        text.starts_with("importing people: database or disk is full"),
        "{text}"
    );
    assert_eq!(store.counts(NOW).await.unwrap().people, 0);
    assert!(store.audit_from(0, 1, 9).await.unwrap().is_empty());
    run(&store, "pragma max_page_count = 1000000").await;
    let imported = store.import_people(&people(2000), &by()).await.unwrap();
    assert_eq!(imported.created, 2000);
    let entries = store.audit_from(0, 1, 9).await.unwrap();
    assert_eq!(audit::verify(&entries).unwrap().sequence, 1);
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_read_and_not_ready() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    store.import_people(&people(1), &by()).await.unwrap();
    run(&store, "pragma query_only = on").await;
    let key = [1; 32];
    let failed = store.consume(OneTime::ClientAssertion, &key, NOW).await;
    let text = chain(&failed.unwrap_err());
    assert!(text.starts_with("using a one-time thing up: "), "{text}");
    assert!(
        text.contains("attempt to write a readonly database"),
        "{text}"
    );
    assert!(store.ready(Duration::from_secs(5)).await.is_err());
    assert_eq!(store.counts(NOW).await.unwrap().people, 1);
}

/// Fifty thousand activation messages on their way do not keep a code waiting that lives five minutes.
#[tokio::test]
async fn what_is_soon_too_late_leaves_first() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    store.import_people(&people(40), &by()).await.unwrap();
    for (at, person) in people(40).into_iter().enumerate() {
        let until = NOW.plus(if at == 39 { 300 } else { 86_400 });
        let message = Message::Activation {
            code: Secret::new(b"ABCDE-FGHJK".to_vec()),
            until,
        };
        let activation = NewActivation {
            id: ActivationId(person.id.0),
            mac: [1; 32],
            message: Some(message),
            person: person.id,
            until,
        };
        let by = By {
            at: NOW.plus(i64::from(at == 39)),
            ..by()
        };
        store.issue_activation(&activation, &by).await.unwrap();
    }
    let due = store.claim_messages(NOW.plus(1), 32).await.unwrap();
    assert_eq!(due.len(), 32);
    assert!(due.iter().any(|one| one.until == NOW.plus(300)));
}

/// A code that was replaced before its message left is not sent; nobody else's message goes with it.
#[tokio::test]
async fn a_newer_code_takes_the_place_of_the_one_that_waits() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    store.import_people(&people(2), &by()).await.unwrap();
    for (number, at) in [(1, 0), (2, 1), (3, 0)] {
        let activation = NewActivation {
            id: ActivationId([number; 16]),
            mac: [number; 32],
            message: Some(Message::Activation {
                code: Secret::new(vec![number; 10]),
                until: NOW.plus(600),
            }),
            person: people(2)[at].id,
            until: NOW.plus(600),
        };
        store.issue_activation(&activation, &by()).await.unwrap();
    }
    let due = store.claim_messages(NOW, 10).await.unwrap();
    let codes: Vec<_> = due
        .iter()
        .map(|one| match &one.message {
            Message::Activation { code, .. } => code.expose()[0],
            _ => 0,
        })
        .collect();
    assert_eq!(codes, [2, 3]);
}

/// A row that cannot be read holds up the messages of its own person and of nobody else.
#[tokio::test]
async fn a_person_who_cannot_be_read_holds_up_no_other_message() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    store.import_people(&people(2), &by()).await.unwrap();
    for person in people(2) {
        let activation = NewActivation {
            id: ActivationId(person.id.0),
            mac: [person.id.0[1]; 32],
            message: Some(Message::Activation {
                code: Secret::new(b"ABCDE-FGHJK".to_vec()),
                until: NOW.plus(600),
            }),
            person: person.id,
            until: NOW.plus(600),
        };
        store.issue_activation(&activation, &by()).await.unwrap();
    }
    run(
        &store,
        "update person set language = 'rm' where username = 'anna.imboden.0'",
    )
    .await;
    let due = store.claim_messages(NOW, 10).await.unwrap();
    let to: Vec<_> = due.iter().map(|one| one.person.username.as_str()).collect();
    assert_eq!(to, ["anna.imboden.1"]);
    assert_eq!(store.outbox_depth().await.unwrap(), 2);
}

#[tokio::test]
async fn a_writer_that_is_busy_is_not_ready_and_readers_do_not_wait() {
    let store = Arc::new(Sqlite::open_in_memory(keys()).unwrap());
    let (end, wait) = mpsc::channel::<()>();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let busy = store.clone();
    let work = move |_: &Connection| {
        begin.send(()).ok();
        Ok(wait.recv()?)
    };
    let busy = tokio::spawn(async move { busy.write("long work", work).await });
    begun.await.unwrap();
    let late = store.ready(Duration::from_millis(1)).await.unwrap_err();
    assert!(chain(&late).contains("deadline"), "{}", chain(&late));
    assert!(store.person(PersonId([0; 16])).await.unwrap().is_none());
    end.send(()).unwrap();
    busy.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_cannot_be_opened_is_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let missing = Sqlite::open(dir.path().join("no/furka.db"), keys()).unwrap_err();
    assert!(chain(&missing).starts_with("opening the database: "));
    let text = dir.path().join("text.db");
    std::fs::write(&text, "this is no database, it only says so ".repeat(100)).unwrap();
    let broken = chain(&Sqlite::open(&text, keys()).unwrap_err());
    assert!(broken.contains("not a database"), "{broken}");

    let path = dir.path().join("furka.db");
    drop(Sqlite::open(&path, keys()).unwrap());
    let others = Arc::new(Keys::from_master(&[8; 32]));
    let refused = chain(&Sqlite::open(&path, others).unwrap_err());
    assert!(refused.contains("sealed with other keys"), "{refused}");
    assert!(Sqlite::migrate_plan(&path).unwrap().is_empty());
    let empty = dir.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(
        Sqlite::migrate_plan(&empty).unwrap(),
        [
            "0001-what-is-remembered",
            "0002-nodes",
            "0004-refresh-tokens",
            "0005-participants",
            "0006-consents",
            "0007-device-codes",
            "0008-recovery-codes",
            "0009-eras",
            "0011-registrations",
            "0012-federations",
            "0013-artifacts"
        ]
    );
}

#[tokio::test]
async fn a_database_in_memory_goes_with_its_store() {
    let store = Sqlite::open_in_memory(keys()).unwrap();
    let folder = store._scratch.as_ref().unwrap().0.clone();
    assert!(folder.join("furka.db").exists());
    drop(store);
    assert!(!folder.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn what_an_ended_process_left_in_memory_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    // No process has a number beyond 2²².
    let (left, ours) = (
        dir.path().join("furka-4194305-left"),
        dir.path()
            .join(format!("furka-{}-ours", std::process::id())),
    );
    let other = dir.path().join("something-4194305-else");
    for folder in [&left, &ours, &other] {
        std::fs::create_dir(folder).unwrap();
    }
    Scratch::sweep(dir.path());
    assert!(!left.exists() && ours.exists() && other.exists());
}

/// [P15] After a restore, what was open at the time of the backup is void.
#[tokio::test]
async fn a_restored_backup_holds_the_people_and_no_open_session() {
    let dir = tempfile::tempdir().unwrap();
    let (backup, person) = (dir.path().join("backup.db"), people(1).remove(0));
    let store = Sqlite::open_in_memory(keys()).unwrap();
    let (journey, session) = sign_in(&store, &person).await;
    store.backup(&backup).unwrap();
    assert!(
        store.backup(&backup).is_err(),
        "a backup is not overwritten"
    );
    schema::tests::assert_private(&backup);

    let restored = Sqlite::open(&backup, keys()).unwrap();
    assert!(restored.session(&session, NOW).await.unwrap().is_some());
    restored.begin_epoch().await.unwrap();
    assert!(restored.session(&session, NOW).await.unwrap().is_none());
    assert!(restored.journey(journey.id).await.unwrap().is_none());
    let late = restored.commit_journey(&journey, &[], &by()).await.unwrap();
    assert_eq!(late, Committed::Overtaken);
    assert!(restored.person(person.id).await.unwrap().is_some());
}

/// A session of somebody, its hash, and the journey that made it.
async fn sign_in(store: &Sqlite, person: &NewPerson) -> (Journey, [u8; 32]) {
    store
        .import_people(std::slice::from_ref(person), &by())
        .await
        .unwrap();
    let journey = journey(activation(person.id, "CODE"));
    let proof = serde_json::json!({ "factor": null, "password": { "at": 0, "_checked": null } });
    let effect = Effect::SignIn {
        person: person.id,
        place: Place::Public,
        proof: serde_json::from_value(proof).unwrap(),
    };
    match store
        .open_journey(&journey, &[effect], &by())
        .await
        .unwrap()
    {
        Committed::Yes(Some(session)) => (journey, key::of_secret(session.id.expose())),
        other => panic!("{other:?}"),
    }
}

fn activation(person: PersonId, code: &str) -> JourneyState {
    JourneyState::Activation(Activation::CheckData(Opened {
        activation: ActivationId([5; 16]),
        code: Secret::new(code.into()),
        person,
        until: NOW.plus(60),
    }))
}

fn journey(state: JourneyState) -> Journey {
    Journey {
        browser: [3; 32],
        id: JourneyId([4; 16]),
        purpose: "planted-purpose".into(),
        state,
        support: "K7QX".into(),
        until: NOW.plus(60),
        version: 0,
    }
}

fn otp(number: u8, carrier: Carrier, seed: &[u8]) -> Otp {
    Otp {
        algorithm: Algorithm::Sha1,
        carrier,
        digits: 6,
        drift: 0,
        id: FactorId([number; 16]),
        kind: OtpKind::Totp { period_s: 30 },
        last_counter: Some(1),
        secret: Secret::new(seed.to_vec()),
    }
}

const CODE: &str = "ACTIVATION-CODE-PLANTED";
const APP_SEED: &[u8] = b"app-seed-planted-000";
const TOKEN_SEED: &[u8] = b"token-seed-planted-0";
const PKCS8: &[u8] = b"pkcs8-planted-000000";

/// Puts one of every secret into a store; gives them back.
async fn plant(store: &Sqlite) -> Vec<Vec<u8>> {
    let phone = Phone::parse("079 123 45 67").unwrap();
    let person = NewPerson {
        phone: Some(phone.clone()),
        ..people(1).remove(0)
    };
    store
        .import_people(std::slice::from_ref(&person), &by())
        .await
        .unwrap();
    let activation_id = issue(store, person.id).await;
    let token = NewToken {
        otp: otp(8, Carrier::Token, TOKEN_SEED),
        serial: "FT0001".into(),
    };
    store.import_tokens(&[token], &by()).await.unwrap();
    let key = KeyRecord {
        algorithm: "ES256".into(),
        kid: "one".into(),
        pkcs8: Secret::new(PKCS8.to_vec()),
        until: None,
    };
    store.rotate_key(&key, NOW, &by()).await.unwrap();
    let sms = SmsCode::draw(&[9; 32], NOW);
    let person = person.id;
    let effects = [
        Effect::SendSmsCode {
            code: sms.clone(),
            person,
            to: phone.clone(),
        },
        Effect::EnrolApp {
            otp: Box::new(otp(9, Carrier::App, APP_SEED)),
            person,
            place: Place::Public,
        },
        Effect::Activate(Box::new(Activate {
            activation: activation_id,
            chosen: Some((Method::App, Some(phone))),
            password: Secret::new(b"$argon2id$hash".to_vec()),
            person,
        })),
        Effect::Notify {
            notice: Notice::CodeUsedTwice { at: NOW },
            person,
        },
    ];
    let journey = journey(activation(person, CODE));
    let committed = store.open_journey(&journey, &effects, &by()).await.unwrap();
    assert_eq!(committed, Committed::Yes(None));
    let digits = sms.digits().expose();
    let planted: [&[u8]; 7] = [
        CODE.as_bytes(),
        APP_SEED,
        TOKEN_SEED,
        PKCS8,
        digits,
        b"planted-purpose",
        b"code-used-twice",
    ];
    planted.map(<[u8]>::to_vec).into()
}

/// An activation with its message in the outbox.
async fn issue(store: &Sqlite, person: PersonId) -> ActivationId {
    let until = NOW.plus(60);
    let message = Message::Activation {
        code: Secret::new(CODE.into()),
        until,
    };
    let issued = NewActivation {
        id: ActivationId([5; 16]),
        mac: store
            .keys
            .mac(seal::Purpose::ActivationCode, CODE.as_bytes()),
        message: Some(message),
        person,
        until,
    };
    store.issue_activation(&issued, &by()).await.unwrap();
    issued.id
}

/// [O07] [O09] Seeds, codes, keys and messages are in no file of the database, in no spelling.
#[tokio::test]
async fn no_secret_is_readable_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path().join("furka.db"), keys()).unwrap();
    let secrets = plant(&store).await;
    let backup = dir.path().join("backup.db");
    store.backup(&backup).unwrap();
    let mut files = 0;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        // No secret holds a zero, and the log is mostly zeros yet.
        bytes.retain(|byte| *byte != 0);
        let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        files += usize::from(holds(b"anna.imboden.0"));
        for secret in &secrets {
            for spelling in [
                secret.clone(),
                BASE32.encode(secret).trim_end_matches('=').into(),
                BASE64URL_NOPAD.encode(secret).into(),
                HEXLOWER.encode(secret).into(),
            ] {
                let text = String::from_utf8_lossy(&spelling);
                assert!(!holds(&spelling), "{text} is in {}", path.display());
            }
        }
    }
    assert!(files >= 2, "the log and the backup hold what is no secret");
}
