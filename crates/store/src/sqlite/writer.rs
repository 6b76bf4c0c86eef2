//! The one thread that writes: what waits is written together and made durable by one sync.
//!
//! Each job runs in a savepoint of its own inside the shared transaction, so that a refused job takes
//! only itself back. Nobody hears of an outcome before the transaction is committed; if the commit
//! fails, everybody in it hears that.
//!
//! A job that runs ahead asks for no sync of its own: it is in the log before all that follows it, so
//! the next sync takes it along. A transaction of such jobs alone is not synced.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{Cause, schema, schema::Durability};
use crate::{Result, StoreError};

/// So many requests wait for the writer; the next ones wait for a place.
const QUEUE: usize = 1024;
/// So many jobs share a commit at most: a bound on what one failed commit takes with it.
const BATCH_MAX: usize = 512;

/// What becomes of a job's writes.
#[must_use]
pub(super) enum Verdict<T> {
    /// They are committed with the others.
    Keep(T),
    /// None of them happened.
    Undo(T),
}

/// The sending side; dropped, it ends the thread once all that waits is written.
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. Where commits survive a power cut, growing the log is its first work; nobody
    /// who only reads waits for it.
    pub(super) fn start(conn: Connection, durability: Durability) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                if durability == Durability::PowerCut
                    && let Err(cause) = schema::grow_log(&conn)
                {
                    tracing::warn!(error = %cause, "growing the write-ahead log");
                }
                serve(&conn, durability, queue);
            })?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Runs `work` in the next transaction; returns when that is durable.
    pub(super) async fn run<T, W>(&self, doing: &'static str, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<Verdict<T>, Cause> + Send + 'static,
    {
        self.ask(doing, Synced::Now, work).await
    }

    /// Runs `work` in the next transaction; returns when everybody sees it. It is durable with the next
    /// job that is.
    pub(super) async fn run_ahead<T, W>(&self, doing: &'static str, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<Verdict<T>, Cause> + Send + 'static,
    {
        self.ask(doing, Synced::Later, work).await
    }

    async fn ask<T, W>(&self, doing: &'static str, sync: Synced, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<Verdict<T>, Cause> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Asked {
            answer,
            outcome: None,
            sync,
            work: Some(work),
        });
        let failed = |source| StoreError { doing, source };
        let jobs = self.jobs.as_ref().ok_or_else(|| failed(Gone.into()))?;
        jobs.send(job).await.map_err(|_| failed(Gone.into()))?;
        answered
            .await
            .map_err(|_| failed(Gone.into()))?
            .map_err(failed)
    }

    /// Runs `work` sometime, unless too much waits: for what may be lost.
    pub(super) fn post<W>(&self, work: W)
    where
        W: FnOnce(&Connection) -> Result<Verdict<()>, Cause> + Send + 'static,
    {
        let (answer, _) = oneshot::channel();
        let job = Box::new(Asked {
            answer,
            outcome: None,
            sync: Synced::Later,
            work: Some(work),
        });
        if let Some(jobs) = &self.jobs {
            // A full queue means that there is more important work.
            drop(jobs.try_send(job));
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Which sync makes a job durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Synced {
    /// That of its own transaction.
    Now,
    /// That of this transaction or a later one.
    Later,
}

/// Something to write, and somebody who waits for it.
trait Job: Send {
    fn sync(&self) -> Synced;
    fn run(&mut self, conn: &Connection);
    fn answer(self: Box<Self>, committed: Result<(), Uncommitted>);
}

struct Asked<T, W> {
    answer: oneshot::Sender<Result<T, Cause>>,
    outcome: Option<Result<T, Cause>>,
    sync: Synced,
    work: Option<W>,
}

impl<T, W> Job for Asked<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<Verdict<T>, Cause> + Send,
{
    fn sync(&self) -> Synced {
        self.sync
    }

    fn run(&mut self, conn: &Connection) {
        if let Some(work) = self.work.take() {
            self.outcome = Some(in_savepoint(conn, work));
        }
    }

    fn answer(self: Box<Self>, committed: Result<(), Uncommitted>) {
        let outcome = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // Its own failure says more than that of the transaction which it may have caused.
            (Err(_), Some(Err(failure))) => Err(failure),
            (Err(failure), _) => Err(failure.into()),
            (Ok(()), None) => Err(Gone.into()),
        };
        // Nobody listens if the request was cancelled.
        drop(self.answer.send(outcome));
    }
}

fn serve(conn: &Connection, durability: Durability, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    let mut syncs = true;
    while let Some(first) = queue.blocking_recv() {
        let mut batch = Vec::with_capacity(8);
        batch.push(first);
        gather(&mut queue, &mut batch);
        let wanted = batch.iter().any(|job| job.sync() == Synced::Now);
        let committed = sync_if(conn, durability, (&mut syncs, wanted))
            .and_then(|()| begin(conn))
            .and_then(|()| run_all(conn, &mut batch, wanted.then_some(&mut queue)))
            .and_then(|()| commit(conn));
        for job in batch {
            job.answer(committed.clone());
        }
    }
}

/// Takes what waits, as much as one commit may take.
fn gather(queue: &mut mpsc::Receiver<Box<dyn Job>>, batch: &mut Vec<Box<dyn Job>>) {
    while batch.len() < BATCH_MAX {
        let Ok(job) = queue.try_recv() else { return };
        batch.push(job);
    }
}

/// Says whether the commits from here on wait for the disk.
fn sync_if(
    conn: &Connection,
    durability: Durability,
    (syncs, wanted): (&mut bool, bool),
) -> Result<(), Uncommitted> {
    if *syncs != wanted {
        schema::synchronise(conn, durability, wanted)
            .map_err(|cause| Uncommitted(Arc::new(cause)))?;
        *syncs = wanted;
    }
    Ok(())
}

/// Runs the batch, and what comes meanwhile if the transaction is synced anyway.
fn run_all(
    conn: &Connection,
    batch: &mut Vec<Box<dyn Job>>,
    mut queue: Option<&mut mpsc::Receiver<Box<dyn Job>>>,
) -> Result<(), Uncommitted> {
    let mut next = 0;
    while let Some(job) = batch.get_mut(next) {
        job.run(conn);
        next += 1;
        // A full disk may end the whole transaction from within.
        if conn.is_autocommit() {
            return Err(Uncommitted(Arc::new(RolledBack)));
        }
        if let Some(queue) = &mut queue
            && next == batch.len()
        {
            gather(queue, batch);
        }
    }
    Ok(())
}

fn begin(conn: &Connection) -> Result<(), Uncommitted> {
    conn.prepare_cached("begin immediate")
        .and_then(|mut begin| begin.execute([]))
        .map(drop)
        .map_err(|cause| Uncommitted(Arc::new(cause)))
}

fn commit(conn: &Connection) -> Result<(), Uncommitted> {
    let committed = conn
        .prepare_cached("commit")
        .and_then(|mut commit| commit.execute([]));
    committed.map(drop).map_err(|cause| {
        roll_back(conn);
        Uncommitted(Arc::new(cause))
    })
}

/// Takes the whole transaction back, if there is one.
fn roll_back(conn: &Connection) {
    if !conn.is_autocommit()
        && let Err(cause) = conn.execute_batch("rollback")
    {
        tracing::error!(error = %cause, "taking a transaction back");
    }
}

fn in_savepoint<T, W>(conn: &Connection, work: W) -> Result<T, Cause>
where
    W: FnOnce(&Connection) -> Result<Verdict<T>, Cause>,
{
    let savepoint = |sql| conn.prepare_cached(sql)?.execute([]);
    savepoint("savepoint job")?;
    let (outcome, keep) = match catch_unwind(AssertUnwindSafe(|| work(conn))) {
        Ok(Ok(Verdict::Keep(value))) => (Ok(value), true),
        Ok(Ok(Verdict::Undo(value))) => (Ok(value), false),
        Ok(Err(cause)) => (Err(cause), false),
        Err(_) => (Err(Panicked.into()), false),
    };
    if conn.is_autocommit() {
        return outcome;
    }
    let settled = match keep {
        true => savepoint("release job"),
        false => savepoint("rollback to job").and_then(|_| savepoint("release job")),
    };
    match settled {
        Ok(_) => outcome,
        Err(cause) => {
            roll_back(conn);
            Err(cause.into())
        }
    }
}

/// The transaction that a job was part of did not happen.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the transaction could not be committed")]
struct Uncommitted(#[source] Arc<dyn std::error::Error + Send + Sync>);

#[derive(Debug, thiserror::Error)]
#[error("the writer has ended")]
struct Gone;

#[derive(Debug, thiserror::Error)]
#[error("the work panicked; the log has the place")]
struct Panicked;

#[derive(Debug, thiserror::Error)]
#[error("the engine took the transaction back")]
struct RolledBack;
