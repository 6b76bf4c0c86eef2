//! The same promises with the engine of many nodes, on a real server.

use super::{copies::Breaking, *};
use crate::postgres::{self, Postgres};

/// A new database on a real server, and the same as a whole.
fn on_postgresql() -> (String, postgres::Whole) {
    let url = cluster::Postgres::shared().database().unwrap();
    let address = postgres::Address::parse(&url).unwrap();
    let whole = postgres::Whole::at(&address, keys()).unwrap();
    (url, whole)
}

async fn open_at(url: &str) -> Result<Postgres> {
    let address = postgres::Address::parse(url).unwrap();
    Postgres::open(&address, keys()).await
}

async fn sums(engine: &dyn Engine) -> Vec<Sum> {
    let mut rows = engine.snapshot().await.unwrap();
    sums_of(&mut *rows, ("test", &nobody)).await.unwrap()
}

/// From the small engine to the large one and back: the same tables, the same rows, the same sums; what
/// is spent is spent, and who is signed in stays so.
#[tokio::test]
async fn a_database_moves_between_the_engines_and_back() {
    let here = Here::new();
    let (store, session) = filled(&here).await;
    store.import_people(&people(2500), &by()).await.unwrap();
    drop(store);
    let (url, large) = on_postgresql();
    let old = here.whole("old.db");
    copy(&old, &large, &nobody).await.unwrap();
    assert_eq!(sums(&old).await, sums(&large).await);

    let store = open_at(&url).await.unwrap();
    assert_eq!(store.counts(NOW).await.unwrap().people, 2500);
    assert!(store.session(&session, NOW).await.unwrap().is_some());
    let replay = done(&store, 40, &spend(APP, 100), by()).await;
    assert_eq!(replay, Committed::CounterSpent);
    // Numbers that the engine gives go on behind those that came.
    let code = activation(4, person(1).id);
    store.issue_activation(&code, &by()).await.unwrap();
    for strand in store.audit_strands().await.unwrap() {
        let entries = store.audit_from(strand, 1, 100).await.unwrap();
        audit::Checked::of(strand).go_on(&entries).unwrap();
    }
    drop(store);

    let again = refused(copy(&old, &large, &nobody).await);
    assert_eq!(again, Refused::NotEmpty);
    copy(&large, &here.whole("new.db"), &nobody).await.unwrap();
    assert_eq!(sums(&large).await, sums(&here.whole("new.db")).await);
    let back = here.open("new.db");
    assert!(back.session(&session, NOW).await.unwrap().is_some());
    let (_, other) = on_postgresql();
    copy(&large, &other, &nobody).await.unwrap();
    assert_eq!(sums(&large).await, sums(&other).await);
}

#[tokio::test]
async fn a_copy_to_postgresql_that_broke_off_serves_nobody_and_the_next_one_works() {
    let here = Here::new();
    let store = here.open("old.db");
    store.import_people(&people(3000), &by()).await.unwrap();
    drop(store);
    let (url, large) = on_postgresql();
    let breaking = Breaking(here.whole("old.db"));
    let broken = copy(&breaking, &large, &nobody).await;
    assert_eq!(refused(broken), Refused::CutOff);
    assert_eq!(refused(open_at(&url).await), Refused::HalfCopied);
    let address = postgres::Address::parse(&url).unwrap();
    let planned = Postgres::migrate_plan(&address).await;
    assert_eq!(refused(planned), Refused::HalfCopied);
    let on = copy(&large, &here.whole("third.db"), &nobody).await;
    assert_eq!(refused(on), Refused::HalfCopied);

    copy(&here.whole("old.db"), &large, &nobody).await.unwrap();
    let store = open_at(&url).await.unwrap();
    assert_eq!(store.counts(NOW).await.unwrap().people, 3000);
}

/// [P15] The story of the other engine, told here: backup, spend, restore, replay.
#[tokio::test]
async fn nothing_that_was_spent_on_postgresql_after_the_backup_works_again() {
    let here = Here::new();
    let (store, session) = filled(&here).await;
    drop(store);
    let (url, large) = on_postgresql();
    copy(&here.whole("old.db"), &large, &nobody).await.unwrap();
    let file = here.path("large.backup");
    backup(&large, &keys(), (&file, NOW), &nobody)
        .await
        .unwrap();
    let step = (LATER.0 - 10) as u64 / 30 + 1;
    let emil = person(1).id;
    let spends = [
        spend(APP, step),
        spend(BUTTON, 10),
        spend(CLOCKED, step),
        activate(2, emil),
        spend_recovery(),
    ];
    let spend_all = async |url: &str| {
        let store = open_at(url).await.unwrap();
        let mut outcomes = vec![];
        for (number, effect) in (20..).zip(&spends) {
            outcomes.push(done(&store, number, effect, by()).await);
        }
        outcomes
    };
    let first = spend_all(&url).await;
    assert!(
        first.iter().all(|one| matches!(one, Committed::Yes(_))),
        "{first:?}"
    );

    let (new_url, new) = on_postgresql();
    let who = (&by_later(), "root");
    let (_, void) = restore(&file, &keys(), &new, who, &nobody).await.unwrap();
    assert_eq!((void.activations, void.buttons, void.messages), (1, 1, 3));
    assert_eq!(void.recovery_sets, 1);
    let again = spend_all(&new_url).await;
    assert!(
        again
            .iter()
            .all(|one| matches!(one, Committed::CounterSpent | Committed::ActivationSpent)),
        "{again:?}"
    );
    let store = open_at(&new_url).await.unwrap();
    assert!(store.session(&session, LATER).await.unwrap().is_none());
    let strands = store.audit_strands().await.unwrap();
    let mut entries = vec![];
    for strand in strands {
        let some = store.audit_from(strand, 1, 100).await.unwrap();
        audit::Checked::of(strand).go_on(&some).unwrap();
        entries.extend(some);
    }
    let restored = entries
        .iter()
        .filter(|one| one.happened.contains("restored"));
    assert_eq!(restored.count(), 1);
}

/// Writers write on; what is read is of one moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_of_postgresql_made_while_writers_write_is_of_one_moment() {
    let here = Here::new();
    let (url, large) = on_postgresql();
    let store = Arc::new(open_at(&url).await.unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, stop) = (store.clone(), stop.clone());
        tokio::spawn(async move {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                let new = [person(number)];
                store.import_people(&new, &by()).await.unwrap();
                number += 1;
            }
            number
        })
    };
    while store.counts(NOW).await.unwrap().people < 20 {
        tokio::task::yield_now().await;
    }
    let file = here.path("large.backup");
    let contents = backup(&large, &keys(), (&file, NOW), &nobody)
        .await
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() >= 20);
    let rows = |table: &str| {
        let mut sums = contents.sums.iter();
        sums.find(|sum| sum.table == table).unwrap().rows
    };
    assert_eq!(rows("name"), 2 * rows("person"));
    assert_eq!(rows("audit"), rows("person"));
    // A backup of one engine is one of the other, too.
    here.restore("large.backup", "new.db").await.unwrap();
    let restored = here.open("new.db").counts(NOW).await.unwrap();
    assert_eq!(restored.people, rows("person"));
}

/// The server is killed when half of the people are there.
#[tokio::test]
async fn a_server_that_dies_under_a_copy_leaves_nothing_to_serve_from() {
    let here = Here::new();
    let store = here.open("old.db");
    store.import_people(&people(4000), &by()).await.unwrap();
    drop(store);
    let server = Mutex::new(cluster::Postgres::start().unwrap());
    let url = server.lock().unwrap().database().unwrap();
    let address = postgres::Address::parse(&url).unwrap();
    let kill = |progress: Progress| {
        if progress.doing == "copying" && progress.done > progress.of / 2 {
            server.lock().unwrap().kill().unwrap();
        }
    };
    let old = here.whole("old.db");
    let dying = postgres::Whole::at(&address, keys()).unwrap();
    let error = copy(&old, &dying, &kill).await.unwrap_err();
    assert_eq!(error.doing, "writing the whole database", "{error:?}");

    server.lock().unwrap().start_again().unwrap();
    assert_eq!(refused(open_at(&url).await), Refused::HalfCopied);
    let large = postgres::Whole::at(&address, keys()).unwrap();
    copy(&old, &large, &nobody).await.unwrap();
    assert_eq!(sums(&old).await, sums(&large).await);
}

#[tokio::test]
async fn of_two_copies_into_one_database_at_once_one_is_refused() {
    let here = Here::new();
    let (store, _) = filled(&here).await;
    drop(store);
    let (_, large) = on_postgresql();
    let old = here.whole("old.db");
    let rows = old.snapshot().await.unwrap();
    let first = large.receive(rows.description()).await.unwrap();
    let error = copy(&old, &large, &nobody).await.unwrap_err();
    assert!(
        chain(&error).contains("another `furka restore`"),
        "{error:?}"
    );
    drop(first);
    // The server hears of a connection's end in its own time.
    let mut copied = copy(&old, &large, &nobody).await;
    for _ in 0..1000 {
        match &copied {
            Err(error) if chain(error).contains("another") => {}
            _ => break,
        }
        copied = copy(&old, &large, &nobody).await;
    }
    copied.unwrap();
}
