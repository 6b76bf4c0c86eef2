//! The one thread that writes: what waits is written together and made durable by one sync.
//!
//! Each job runs in a savepoint of its own inside the shared transaction, so that a refused job takes
//! only itself back. Nobody hears of an outcome before the transaction is committed; if the commit
//! fails, everybody in it hears that.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{Cause, schema};
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
    /// Starts the thread; with `grow_log`, that is its first work. Nobody who only reads waits for it.
    pub(super) fn start(conn: Connection, grow_log: bool) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                if grow_log && let Err(cause) = schema::grow_log(&conn) {
                    tracing::warn!(error = %cause, "growing the write-ahead log");
                }
                serve(&conn, queue);
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
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Asked {
            answer,
            outcome: None,
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

/// Something to write, and somebody who waits for it.
trait Job: Send {
    fn run(&mut self, conn: &Connection);
    fn answer(self: Box<Self>, committed: Result<(), Uncommitted>);
}

struct Asked<T, W> {
    answer: oneshot::Sender<Result<T, Cause>>,
    outcome: Option<Result<T, Cause>>,
    work: Option<W>,
}

impl<T, W> Job for Asked<T, W>
where
    T: Send,
    W: FnOnce(&Connection) -> Result<Verdict<T>, Cause> + Send,
{
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

fn serve(conn: &Connection, mut queue: mpsc::Receiver<Box<dyn Job>>) {
    while let Some(first) = queue.blocking_recv() {
        let mut batch = Vec::with_capacity(8);
        let committed = match begin(conn) {
            Ok(()) => run_all(conn, first, &mut queue, &mut batch).and_then(|()| commit(conn)),
            Err(failure) => {
                batch.push(first);
                Err(failure)
            }
        };
        for job in batch {
            job.answer(committed.clone());
        }
    }
}

/// Runs the first job and all that came meanwhile.
fn run_all(
    conn: &Connection,
    first: Box<dyn Job>,
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> Result<(), Uncommitted> {
    let mut next = Some(first);
    while let Some(mut job) = next {
        job.run(conn);
        batch.push(job);
        // A full disk may end the whole transaction from within.
        if conn.is_autocommit() {
            return Err(Uncommitted(Arc::new(RolledBack)));
        }
        next = (batch.len() < BATCH_MAX)
            .then(|| queue.try_recv().ok())
            .flatten();
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
