//! What only this engine can show, on real servers.

mod opening;
mod order;
mod tls;
mod wire;

use std::collections::HashSet;

use cluster::Postgres as Server;
use journey::{Language, Place, Role};
use tokio::task::JoinSet;

use self::wire::Wire;
use super::*;
use crate::conformance;

const NOW: Timestamp = Timestamp(1_900_000_000);

fn keys() -> Arc<Keys> {
    Arc::new(Keys::from_master(&[7; 32]))
}

fn by(support: &str) -> By {
    By {
        address: None,
        at: NOW,
        person: None,
        place: Place::Public,
        support: support.into(),
        through: "test".into(),
    }
}

fn person(number: u32) -> NewPerson {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
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
}

async fn open(url: &str) -> Result<Postgres> {
    Postgres::open(&Address::parse(url).unwrap(), keys()).await
}

/// A database of a test's own, its name, and a node on it.
async fn fresh() -> (Postgres, String, String) {
    let url = Server::shared().database().unwrap();
    let name = url.rsplit('/').next().unwrap().to_owned();
    (open(&url).await.unwrap(), url, name)
}

/// A statement of the superuser, past the contract.
fn sql(database: &str, statement: &str) -> String {
    Server::shared().sql(database, statement).unwrap()
}

/// All sentences of a failure.
fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

async fn consume(store: &Postgres, key: &str) -> Result<bool> {
    let until = NOW.plus(60);
    store
        .consume(OneTime::ClientAssertion, key.as_bytes(), until)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_engine_keeps_every_promise_on_a_real_postgresql() {
    let url = Server::shared().database().unwrap();
    conformance::check(|keys| {
        let opened = tokio::runtime::Handle::current();
        let address = Address::parse(&url).unwrap();
        let opened =
            tokio::task::block_in_place(|| opened.block_on(Postgres::open(&address, keys)));
        Arc::new(opened.unwrap())
    })
    .await;
}

/// [P03] Whatever was acknowledged before the server was killed is there afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_acknowledged_survives_the_kill_of_the_server() {
    let mut server = Server::start().unwrap();
    let url = server.database().unwrap();
    for round in 0..2 {
        let store = Arc::new(open(&url).await.unwrap());
        let (acknowledge, mut acknowledged) = tokio::sync::mpsc::unbounded_channel();
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let (store, acknowledge) = (store.clone(), acknowledge.clone());
            writers.spawn(async move {
                for number in 0_u32.. {
                    let key = format!("{round}-{writer}-{number}");
                    match consume(&store, &key).await {
                        Ok(first) => assert!(first, "{key}"),
                        Err(_) => return,
                    }
                    acknowledge.send(key).unwrap();
                }
            });
        }
        drop(acknowledge);
        let mut keys = vec![];
        while keys.len() < 200 {
            keys.push(acknowledged.recv().await.unwrap());
        }
        server.kill().unwrap();
        writers.join_all().await;
        while let Some(key) = acknowledged.recv().await {
            keys.push(key);
        }
        server.start_again().unwrap();
        // The same node goes on as soon as there is a server.
        for key in keys {
            assert!(!consume(&store, &key).await.unwrap(), "{key} is lost");
        }
    }
}

/// [P04] Connections that end at any moment cost an unknown commit at worst, and use nothing up twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_end_in_the_middle_do_nothing_twice() {
    let (store, _, name) = fresh().await;
    let store = Arc::new(store);
    let mut racers = JoinSet::new();
    for number in 0..400 {
        let store = store.clone();
        let key = format!("thing {}", number / 2);
        racers.spawn(async move { (key.clone(), consume(&store, &key).await) });
    }
    let end_all = "select pg_terminate_backend(pid) from pg_stat_activity where datname = ";
    let mut winners = HashSet::new();
    let mut rounds = 0;
    while let Some(ended) = racers.join_next().await {
        rounds += 1;
        if rounds % 50 == 1 {
            sql("postgres", &format!("{end_all}'{name}'"));
        }
        match ended.unwrap() {
            (key, Ok(true)) => assert!(winners.insert(key.clone()), "{key} worked twice"),
            (_, Ok(false)) => {}
            (_, Err(error)) => assert!(chain(&error).starts_with("using a one-time thing up: ")),
        }
    }
    // Idle connections that ended meanwhile are replaced without anybody's noticing.
    sql("postgres", &format!("{end_all}'{name}'"));
    assert!(consume(&store, "afterwards").await.unwrap());
    assert_eq!(store.counts(NOW).await.unwrap().people, 0);
}

/// [P03] [P04] A commit that nobody answered is not reported as done and not done again.
#[tokio::test]
async fn a_commit_without_an_answer_is_neither_reported_nor_repeated() {
    let (store, url, name) = fresh().await;
    let (wire, url) = Wire::before(&url).await;
    let far = open(&url).await.unwrap();
    store.import_people(&[person(1)], &by("")).await.unwrap();
    let entries = || sql(&name, "select count(*) from audit");
    let before = entries();

    wire.break_at_commit();
    let unknown = consume(&far, "thing").await.unwrap_err();
    assert!(
        chain(&unknown).contains("is unknown"),
        "{}",
        chain(&unknown)
    );
    assert!(!consume(&store, "thing").await.unwrap(), "it was committed");

    wire.break_at_commit();
    let off = far.disable(person(1).id, true, &by("S1")).await;
    assert!(chain(&off.unwrap_err()).contains("is unknown"));
    assert_eq!(
        entries().parse::<u32>().unwrap(),
        before.parse::<u32>().unwrap() + 1
    );
    assert!(consume(&far, "next").await.unwrap(), "the node goes on");
}

/// A server that says nothing, on a connection that stands, is given up after some seconds.
#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let (_, url, _) = fresh().await;
    let (wire, url) = Wire::before(&url).await;
    let far = open(&format!("{url}?pool_size=1")).await.unwrap();
    wire.fall_silent();
    let began = tokio::time::Instant::now();
    let silent = chain(&far.generation().await.unwrap_err());
    assert!(silent.contains("did not answer within"), "{silent}");
    assert!(began.elapsed() < Duration::from_secs(20));
}

/// [P03] A commit that waits for a replica which does not answer is not reported as done, however long it
/// takes: a wait that the server itself gave up would be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_without_its_replica_is_not_reported() {
    let server = Server::start().unwrap();
    let url = server.database().unwrap();
    let store = open(&url).await.unwrap();
    let name = url.rsplit('/').next().unwrap();
    let replica = "alter system set synchronous_standby_names = 'away'";
    server.sql(name, replica).unwrap();
    server.sql(name, "select pg_reload_conf()").unwrap();
    let waits = "select 1 where current_setting('synchronous_standby_names') = 'away'";
    while server.sql(name, waits).unwrap().is_empty() {}
    let failed = consume(&store, "key").await.unwrap_err();
    assert!(failed.is_passing(), "{}", chain(&failed));
}

/// [P03] What the role says of `synchronous_commit` does not make commits less durable, and may make
/// them more so.
#[tokio::test]
async fn commits_are_durable_whatever_the_role_says() {
    let (_, url, name) = fresh().await;
    for (said, is) in [
        ("off", "on"),
        ("local", "on"),
        ("on", "on"),
        ("remote_apply", "remote_apply"),
    ] {
        sql(
            &name,
            &format!("alter database {name} set synchronous_commit = {said}"),
        );
        let store = open(&url).await.unwrap();
        let conn = store.pool.get().await.unwrap();
        let row = conn
            .query_one("show synchronous_commit", &[])
            .await
            .unwrap();
        assert_eq!(row.get::<_, &str>(0), is, "{said}");
    }
}

/// Tries are counted without waiting for the disk, and by nobody's connection for longer than that.
#[tokio::test]
async fn only_a_try_waits_for_no_disk() {
    let (_, url, _) = fresh().await;
    let store = open(&format!("{url}?pool_size=1")).await.unwrap();
    let lane = LaneKey::SmsAll;
    let rule = journey::limit::SMS_ALL;
    let _ = store.spend_try(&lane, &rule, NOW).await.unwrap();
    let conn = store.pool.get().await.unwrap();
    let row = conn
        .query_one("show synchronous_commit", &[])
        .await
        .unwrap();
    assert_eq!(row.get::<_, &str>(0), "on");
}

#[tokio::test]
async fn a_full_pool_waits_and_then_says_so() {
    let (_, url, _) = fresh().await;
    let store = Arc::new(open(&format!("{url}?pool_size=1")).await.unwrap());
    let lent = store.pool.get().await.unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.generation().await }
    });
    while store.pool.status().waiting == 0 {
        tokio::task::yield_now().await;
    }
    drop(lent);
    waiting.await.unwrap().unwrap();

    let _lent = store.pool.get().await.unwrap();
    let full = chain(&store.generation().await.unwrap_err());
    assert!(
        full.contains("all 1 connections") && full.contains("raise `pool_size`"),
        "{full}"
    );
}

/// Whoever gives up waiting leaves a connection that others can use, and nothing half done.
#[tokio::test]
async fn a_request_that_is_dropped_takes_its_transaction_back() {
    let (_, url, name) = fresh().await;
    let store = open(&format!("{url}?pool_size=1")).await.unwrap();
    {
        let mut attempts = Attempts::at(&store, "test");
        let tx = attempts.begin(Synced::Now).await.unwrap();
        assert!(
            sessions::consume(&tx, &[1; 32], NOW.plus(60))
                .await
                .unwrap()
        );
    }
    assert!(consume(&store, "another").await.unwrap());
    assert_eq!(sql(&name, "select count(*) from used"), "1");
}

/// Whoever holds the end of one strand holds up nobody who writes to another.
#[tokio::test]
async fn strands_of_the_audit_do_not_wait_for_each_other() {
    let (store, _, name) = fresh().await;
    let strand_of = async |support: &str| {
        let store = &store;
        store
            .audit(&Happened::KeysRotated, &by(support))
            .await
            .unwrap();
        let entries = store.audit_by_support(support).await.unwrap();
        entries[0].strand
    };
    let held = strand_of("S0").await;
    let mut other = None;
    for number in 1..100 {
        let support = format!("S{number}");
        if strand_of(&support).await != held {
            other = Some(support);
            break;
        }
    }
    let mut attempts = Attempts::at(&store, "test");
    let tx = attempts.begin(Synced::Now).await.unwrap();
    let hold = "select 1 from audit_strand where strand = $1 for update";
    tx.rows(hold, &[&i64::from(held)]).await.unwrap();
    let free = by(&other.unwrap());
    store.audit(&Happened::KeysRotated, &free).await.unwrap();
    let same = by("S0");
    let waits = store.audit(&Happened::KeysRotated, &same);
    let waits = tokio::time::timeout(Duration::from_millis(200), waits).await;
    assert!(waits.is_err(), "two ends of one chain");
    drop(tx);
    let (chains, entries) = (
        store.audit_strands().await.unwrap(),
        "select count(*) from audit",
    );
    assert!(chains.len() == 2 && chains.contains(&held));
    assert!(sql(&name, entries).parse::<usize>().unwrap() >= 3);
}

/// [P01] The audit cannot be changed by the user that writes it.
#[tokio::test]
async fn the_owner_of_the_audit_cannot_change_it() {
    let (store, _, _) = fresh().await;
    store
        .audit(&Happened::KeysRotated, &by("S1"))
        .await
        .unwrap();
    for forged in [
        "delete from audit",
        "update audit set place = 'school'",
        "truncate audit",
    ] {
        let mut attempts = Attempts::at(&store, "test");
        let link = attempts.read().await.unwrap();
        let refused = link.batch(forged).await.unwrap_err();
        let refused = refused.downcast::<tokio_postgres::Error>().unwrap();
        let why = refused.as_db_error().unwrap().message().to_owned();
        assert_eq!(why, "permission denied for table audit");
    }
}

/// How many statements a sign-in is, `begin` and `commit` included.
#[tokio::test]
async fn a_sign_in_asks_the_server_a_few_times_only() {
    let (store, url, _) = fresh().await;
    store.import_people(&[person(1)], &by("")).await.unwrap();
    let (wire, url) = Wire::before(&url).await;
    let far = open(&format!("{url}?pool_size=1")).await.unwrap();
    let mut last = 0;
    // The first time, statements are prepared.
    for number in 0..2 {
        wire.questions();
        let name = NameKey::of("anna.imboden.1").unwrap();
        let account = far.person_by_name(&name).await.unwrap().unwrap();
        let person = account.person.id;
        let device = [number; 32];
        far.knows_device(person, &device).await.unwrap();
        let (lane, rule) = (LaneKey::Password(person), journey::limit::PASSWORD);
        far.spend_try(&lane, &rule, NOW).await.unwrap().unwrap();
        let effects = [
            Effect::RefundPassword {
                device: None,
                person,
            },
            Effect::RememberDevice { device, person },
            Effect::Audit(Happened::KeysRotated),
            sign_in(person),
        ];
        let journey = signed_in(person, number);
        let by = by("S1");
        let committed = far.open_journey(&journey, &effects, &by).await.unwrap();
        let Committed::Yes(Some(session)) = committed else {
            panic!("{committed:?}");
        };
        let key = key::of_secret(session.id.expose());
        far.session(&key, NOW).await.unwrap().unwrap();
        last = wire.questions();
    }
    assert!(last <= 15, "{last}");
}

fn proof() -> journey::Proof {
    let json = serde_json::json!({ "factor": null, "password": { "at": 0, "_checked": null } });
    serde_json::from_value(json).unwrap()
}

fn sign_in(person: PersonId) -> Effect {
    Effect::SignIn {
        person,
        place: Place::Public,
        proof: proof(),
    }
}

fn signed_in(person: PersonId, number: u8) -> Journey {
    use journey::login::{Login, SignedIn};
    let proof = proof();
    Journey {
        browser: [3; 32],
        id: JourneyId([number; 16]),
        purpose: "portal".into(),
        state: JourneyState::Login(Login::SignedIn(SignedIn { person, proof })),
        support: "S1".into(),
        until: NOW.plus(60),
        version: 0,
    }
}

/// [S05] Of a sign-in and a switching-off at the same moment, nothing is left that lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_outlives_being_switched_off_at_the_same_moment() {
    let (store, url, _) = fresh().await;
    let nodes = [Arc::new(store), Arc::new(open(&url).await.unwrap())];
    for round in 0..30 {
        let new = person(round);
        let id = new.id;
        nodes[0].import_people(&[new], &by("")).await.unwrap();
        let mut racers = JoinSet::new();
        for number in 0..8_u8 {
            let store = nodes[usize::from(number) % 2].clone();
            racers.spawn(async move {
                if number == 3 {
                    return store.disable(id, true, &by("S2")).await.unwrap();
                }
                let (journey, effects) = (signed_in(id, number), [sign_in(id)]);
                let _ = store
                    .open_journey(&journey, &effects, &by("S3"))
                    .await
                    .unwrap();
            });
        }
        racers.join_all().await;
        assert!(nodes[1].sessions(id, NOW).await.unwrap().is_empty());
    }
}

/// A register of many comes in whole, and everybody is found.
#[tokio::test]
async fn a_register_of_many_comes_in_and_changes() {
    let (store, _, _) = fresh().await;
    let mut people: Vec<_> = (0..5000).map(person).collect();
    let imported = store.import_people(&people, &by("")).await.unwrap();
    assert_eq!((imported.created, imported.unchanged), (5000, 0));
    people[4321].last_name = "Rey".into();
    people[17].aliases = vec!["another.name".into()];
    let imported = store.import_people(&people, &by("")).await.unwrap();
    assert_eq!((imported.updated, imported.unchanged), (2, 4998));
    people[1].aliases = vec!["anna.imboden.2".into()];
    people[3].aliases = vec!["anna.imboden.2".into()];
    let refused = store.import_people(&people, &by("")).await.unwrap_err();
    let ImportError::Conflicts(conflicts) = refused else {
        panic!("{refused:?}");
    };
    let at: Vec<_> = conflicts.iter().map(|(at, _)| *at).collect();
    assert_eq!(at, [1, 2, 3]);
}
