//! What a copy promises.

use super::*;
use crate::OneTime;

/// What is spent stays spent, who is signed in stays so, and the audit goes on.
#[tokio::test]
async fn a_copy_is_the_same_database() {
    let here = Here::new();
    let (store, session) = filled(&here).await;
    let used = |store: Sqlite| async move {
        let used = store.consume(OneTime::ClientAssertion, b"jti", LATER.plus(60));
        let used = used.await.unwrap();
        (store, used)
    };
    let (store, first) = used(store).await;
    assert!(first);
    drop(store);
    let sums = here.copy().await.unwrap();
    assert!(
        sums.iter()
            .any(|sum| sum.table == "session" && sum.rows == 1)
    );
    let mut both = [here.whole("old.db"), here.whole("new.db")].into_iter();
    let mut read = async || {
        let mut rows = both.next().unwrap().snapshot().await.unwrap();
        sums_of(&mut *rows, ("test", &nobody)).await.unwrap()
    };
    assert_eq!(read().await, read().await);
    let (new, again) = used(here.open("new.db")).await;
    assert!(!again, "it was used before the copy");
    assert!(new.session(&session, NOW).await.unwrap().is_some());
    let replay = done(&new, 40, &spend(APP, 100), by()).await;
    assert_eq!(replay, Committed::CounterSpent);
    new.audit(&Happened::PasswordRight, &by()).await.unwrap();
    audit::verify(&audit_of(&new).await).unwrap();
}

/// An engine that fails when half of its rows are read.
pub(super) struct Breaking(pub(super) Whole);

struct BreakingRows {
    left: u64,
    rows: Box<dyn Rows>,
}

#[async_trait]
impl Engine for Breaking {
    async fn snapshot(&self) -> Result<Box<dyn Rows>> {
        let rows = self.0.snapshot().await?;
        let all: u64 = rows.description().tables.iter().map(|one| one.rows).sum();
        let left = all / 2;
        Ok(Box::new(BreakingRows { left, rows }))
    }

    async fn receive(&self, description: &Description) -> Result<Box<dyn Receiver>> {
        self.0.receive(description).await
    }
}

#[async_trait]
impl Rows for BreakingRows {
    fn description(&self) -> &Description {
        self.rows.description()
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        let batch = self.rows.next().await?;
        let some = batch.as_ref().map_or(0, |batch| batch.rows.len() as u64);
        self.left = match self.left.checked_sub(some) {
            Some(left) => left,
            None => return Err(Refused::CutOff.when("reading")),
        };
        Ok(batch)
    }
}

#[tokio::test]
async fn a_copy_that_broke_off_serves_nobody_and_the_next_one_works() {
    let here = Here::new();
    let store = here.open("old.db");
    store.import_people(&people(3000), &by()).await.unwrap();
    drop(store);
    let breaking = Breaking(here.whole("old.db"));
    let broken = copy(&breaking, &here.whole("new.db"), &nobody).await;
    assert_eq!(refused(broken), Refused::CutOff);
    let left = fs::metadata(here.path("new.db")).unwrap().len();
    assert!(left > 100_000, "something was written: {left}");
    let served = Sqlite::open(here.path("new.db"), keys()).map(drop);
    assert_eq!(refused(served), Refused::HalfCopied);
    let checked = Sqlite::migrate_plan(here.path("new.db"));
    assert_eq!(refused(checked), Refused::HalfCopied);
    let copied_on = copy(&here.whole("new.db"), &here.whole("third.db"), &nobody).await;
    assert_eq!(refused(copied_on), Refused::HalfCopied);

    let sums = here.copy().await.unwrap();
    assert!(
        sums.iter()
            .any(|sum| sum.table == "person" && sum.rows == 3000)
    );
    let counts = here.open("new.db").counts(NOW).await.unwrap();
    assert_eq!(counts.people, 3000);
}

#[tokio::test]
async fn nobody_opens_a_database_that_is_just_being_filled() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    let path = here.path("new.db");
    let refusals = Mutex::new(vec![]);
    let open = |_: Progress| {
        if path.exists() {
            let conn = Connection::open(&path).unwrap();
            conn.busy_timeout(std::time::Duration::ZERO).unwrap();
            let seen = conn.query_row("select count(*) from person", [], |_| Ok(()));
            refusals.lock().unwrap().push(seen.unwrap_err().to_string());
        }
    };
    copy(&here.whole("old.db"), &here.whole("new.db"), &open)
        .await
        .unwrap();
    let refusals = refusals.into_inner().unwrap();
    assert!(refusals.len() > 3, "{refusals:?}");
    assert!(
        refusals.iter().all(|one| one.contains("locked")),
        "{refusals:?}"
    );
}

#[tokio::test]
async fn a_database_that_is_written_to_while_it_is_copied_is_not_left_behind_in_silence() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    let path = here.path("old.db");
    let serving = Mutex::new(Connection::open(path).unwrap());
    let write = |progress: Progress| {
        if progress.doing == "checking the copy" {
            let ready = "update meta set number = number + 1 where name = 'ready'";
            serving.lock().unwrap().execute_batch(ready).unwrap();
        }
    };
    let copied = copy(&here.whole("old.db"), &here.whole("new.db"), &write).await;
    assert_eq!(refused(copied), Refused::Moved("meta".into()));
    let served = Sqlite::open(here.path("new.db"), keys()).map(drop);
    assert_eq!(refused(served), Refused::HalfCopied);
    here.copy().await.unwrap();
}

/// An engine that loses a row on the way.
struct Losing(Whole);

struct LosingReceiver(Box<dyn Receiver>);

#[async_trait]
impl Engine for Losing {
    async fn snapshot(&self) -> Result<Box<dyn Rows>> {
        self.0.snapshot().await
    }

    async fn receive(&self, description: &Description) -> Result<Box<dyn Receiver>> {
        let receiver = self.0.receive(description).await?;
        Ok(Box::new(LosingReceiver(receiver)))
    }
}

#[async_trait]
impl Receiver for LosingReceiver {
    async fn insert(&mut self, batch: &Batch) -> Result<()> {
        let mut rows = batch.rows.clone();
        rows.truncate(999);
        let table = batch.table;
        self.0.insert(&Batch { rows, table }).await
    }

    fn read_back(&mut self) -> Box<dyn Rows + '_> {
        self.0.read_back()
    }

    async fn finish(&mut self, restoring: Option<&Restoring>) -> Result<Void> {
        self.0.finish(restoring).await
    }
}

#[tokio::test]
async fn a_row_that_is_lost_on_the_way_is_noticed() {
    let here = Here::new();
    let store = here.open("old.db");
    let tokens = (0..1000_u16).map(|number| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        NewToken {
            otp: Otp {
                id: FactorId(id),
                ..otp(0, Carrier::Token, TOTP, 7)
            },
            serial: format!("FT{number}"),
        }
    });
    let tokens: Vec<_> = tokens.collect();
    store.import_tokens(&tokens, &by()).await.unwrap();
    drop(store);
    let losing = Losing(here.whole("new.db"));
    let copied = copy(&here.whole("old.db"), &losing, &nobody).await;
    assert_eq!(refused(copied), Refused::Differs("otp".into()));
}

#[tokio::test]
async fn a_database_of_another_key_is_not_read() {
    let here = Here::new();
    let (_store, _) = filled(&here).await;
    let others = Arc::new(Keys::from_master(&[8; 32]));
    let whole = Whole::at(&here.path("old.db"), others);
    let error = whole.snapshot().await.map(drop).unwrap_err();
    assert!(chain(&error).contains("sealed with other keys"));
}
