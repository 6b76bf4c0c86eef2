//! A connection that is lent, and the transaction on it.

use std::{
    ops::Deref,
    pin::pin,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Object};
use journey::{Happened, JourneyId};
use tokio_postgres::{Row, types::ToSql};

use super::{
    Cause, trail,
    trouble::{Silent, Spoilt, Trouble, Unknown},
};
use crate::By;

/// How long the server may be silent, in seconds: longer than it lets a statement run.
const SILENCE_S: u64 = 8;
/// The same for a migration, which may walk through everything.
const LONG_SILENCE_S: u64 = 3600;

/// What a statement is given.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// Which sync makes a transaction durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Synced {
    /// Its own.
    Now,
    /// Its own or that of any later one, on whichever connection: all write one log.
    Later,
}

impl Synced {
    fn begin(self) -> &'static str {
        match self {
            Self::Now => "begin isolation level read committed",
            Self::Later => {
                "begin isolation level read committed; set local synchronous_commit = off"
            }
        }
    }
}

/// A connection, given back when it is dropped: without a transaction, or not at all.
pub(super) struct Link {
    conn: Option<Object>,
    /// The transaction that begins with the next statement.
    begins: Mutex<Option<Synced>>,
    broken: AtomicBool,
    in_transaction: AtomicBool,
    silence_s: u64,
    spoilt: AtomicBool,
}

impl Link {
    /// A connection on which each statement is a transaction.
    pub(super) fn of(conn: Object) -> Self {
        Self::beginning(conn, None)
    }

    fn beginning(conn: Object, transaction: Option<Synced>) -> Self {
        Self {
            conn: Some(conn),
            begins: Mutex::new(transaction),
            broken: AtomicBool::new(false),
            in_transaction: AtomicBool::new(false),
            silence_s: SILENCE_S,
            spoilt: AtomicBool::new(false),
        }
    }

    /// Runs a statement; how many rows it wrote.
    pub(super) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, Cause> {
        let statement = self.timed(self.conn()?.prepare_cached(sql)).await?;
        self.ask(self.conn()?.execute(&statement, params)).await
    }

    /// Runs a statement; its rows.
    pub(super) async fn rows(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Cause> {
        let statement = self.timed(self.conn()?.prepare_cached(sql)).await?;
        self.ask(self.conn()?.query(&statement, params)).await
    }

    /// Runs a statement; its row, if there is one.
    pub(super) async fn row(&self, sql: &str, params: Params<'_>) -> Result<Option<Row>, Cause> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Whether a statement finds anything.
    pub(super) async fn exists(&self, sql: &str, params: Params<'_>) -> Result<bool, Cause> {
        Ok(!self.rows(sql, params).await?.is_empty())
    }

    /// Runs two statements, the second right behind the first: one way to the server and back.
    pub(super) async fn execute_then_row(
        &self,
        (first, params): (&str, Params<'_>),
        (second, more): (&str, Params<'_>),
    ) -> Result<Option<Row>, Cause> {
        let conn = self.conn()?;
        let first = self.timed(conn.prepare_cached(first)).await?;
        let second = self.timed(conn.prepare_cached(second)).await?;
        let both = async {
            let (first, second) = (conn.execute(&first, params), conn.query(&second, more));
            tokio::try_join!(biased; first, second)
        };
        let (_, rows) = self.ask(both).await?;
        Ok(rows.into_iter().next())
    }

    /// Runs statements that return nothing.
    pub(super) async fn batch(&self, sql: &str) -> Result<(), Cause> {
        self.ask(self.conn()?.batch_execute(sql)).await
    }

    /// Sends a statement and does not wait for what becomes of it. Whoever has the connection next waits
    /// behind it.
    pub(super) async fn post(&self, sql: &str, params: Params<'_>) -> Result<(), Cause> {
        let statement = self.timed(self.conn()?.prepare_cached(sql)).await?;
        send(self.conn()?.execute(&statement, params));
        Ok(())
    }

    /// Waits for an answer; the first one of a transaction comes right behind its beginning.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Cause> {
        let begins = self
            .begins
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let answered = match begins {
            None => self.timed(answer).await,
            Some(synced) => {
                self.in_transaction.store(true, Ordering::Relaxed);
                let begin = self.conn()?.batch_execute(synced.begin());
                let both = async { tokio::try_join!(biased; begin, answer) };
                self.timed(both).await.map(|((), answer)| answer)
            }
        };
        answered.inspect_err(|_| self.spoilt.store(true, Ordering::Relaxed))
    }

    async fn timed<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Cause> {
        let answered = tokio::time::timeout(Duration::from_secs(self.silence_s), answer).await;
        let answered = match answered {
            Ok(answered) => answered.map_err(Cause::from),
            Err(_) => Err(Silent(self.silence_s).into()),
        };
        answered.inspect_err(|cause| {
            if Trouble::of(cause) == Trouble::Lost {
                self.broken.store(true, Ordering::Relaxed);
            }
        })
    }

    fn conn(&self) -> Result<&ClientWrapper, Cause> {
        self.conn.as_deref().ok_or_else(|| Spoilt.into())
    }
}

/// Sends what the library sends when its future is looked at for the first time, and takes no answer.
fn send(request: impl Future) {
    let mut context = Context::from_waker(Waker::noop());
    let _ = pin!(request).poll(&mut context).is_ready();
}

impl Drop for Link {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        if self.broken.load(Ordering::Relaxed) {
            drop(Object::take(conn));
        } else if self.in_transaction.load(Ordering::Relaxed) {
            // Sent now, done before whatever the next one asks for.
            send(conn.batch_execute("rollback"));
        }
    }
}

/// Why a transaction is not known to be committed.
pub(super) enum Uncommitted {
    /// Nobody knows.
    Perhaps(Cause),
    /// It did not happen.
    Surely(Cause),
}

impl From<Cause> for Uncommitted {
    fn from(cause: Cause) -> Self {
        Self::Surely(cause)
    }
}

impl From<Uncommitted> for Cause {
    fn from(uncommitted: Uncommitted) -> Self {
        match uncommitted {
            Uncommitted::Perhaps(cause) => Unknown(cause).into(),
            Uncommitted::Surely(cause) => cause,
        }
    }
}

/// What the audit will tell of a transaction.
pub(super) struct Told {
    pub(super) by: By,
    pub(super) happened: Happened,
    pub(super) journey: Option<JourneyId>,
}

/// A transaction: what is not committed did not happen.
pub(super) struct Tx {
    link: Link,
    told: Mutex<Vec<Told>>,
}

impl Tx {
    /// A transaction that begins with its first statement.
    pub(super) fn on(conn: Object, synced: Synced) -> Self {
        Self {
            link: Link::beginning(conn, Some(synced)),
            told: Mutex::default(),
        }
    }

    /// A transaction that may take long.
    pub(super) fn long(conn: Object) -> Self {
        let mut tx = Self::on(conn, Synced::Now);
        tx.link.silence_s = LONG_SILENCE_S;
        tx
    }

    /// Tells the audit. The entry is written last, so that the end of its chain is held for a moment only.
    pub(super) fn tell(&self, happened: &Happened, by: &By, journey: Option<JourneyId>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(Told {
            by: by.clone(),
            happened: happened.clone(),
            journey,
        });
    }

    /// Writes what the audit is told, and makes all of it durable. Chains are held last and one at a time,
    /// so nobody waits in a circle.
    pub(super) async fn commit(&self) -> Result<(), Uncommitted> {
        let told = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        if !told.is_empty() {
            return trail::append_and_commit(self, &told).await;
        }
        if !self.in_transaction.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.end(async { Ok(()) }).await
    }

    /// Runs the last statement, and commits right behind it: one way to the server and back.
    pub(super) async fn execute_and_commit(
        &self,
        sql: &str,
        params: Params<'_>,
    ) -> Result<(), Uncommitted> {
        let conn = self.conn()?;
        let statement = self.timed(conn.prepare_cached(sql)).await?;
        self.end(async { conn.execute(&statement, params).await.map(drop) })
            .await
    }

    /// A transaction whose last statement fails is taken back by its `commit`, which does not say so.
    async fn end(
        &self,
        last: impl Future<Output = Result<(), tokio_postgres::Error>>,
    ) -> Result<(), Uncommitted> {
        if self.spoilt.load(Ordering::Relaxed) {
            return Err(Uncommitted::Surely(Spoilt.into()));
        }
        let conn = self.conn()?;
        let both = async {
            let (last, commit) = tokio::join!(biased; last, conn.batch_execute("commit"));
            last.and(commit)
        };
        match self.ask(both).await {
            Ok(()) => {
                self.in_transaction.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(cause) if Trouble::of(&cause) == Trouble::Lost => Err(Uncommitted::Perhaps(cause)),
            Err(cause) => Err(Uncommitted::Surely(cause)),
        }
    }
}

impl Deref for Tx {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}
