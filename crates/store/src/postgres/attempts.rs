//! Trying again, where that can do no harm.
//!
//! - The engine took the transaction back because of another one: it did not happen, so it is tried again,
//!   a few times.
//! - The connection was lost before the commit was asked for: it did not happen, so it is tried again,
//!   once, on another connection.
//! - The connection was lost while the commit was asked for: nobody knows. It is not tried again and not
//!   reported as done; whoever asked hears of a failure. What was used up may then be used up for nothing,
//!   which is the harmless way round.

use std::time::Duration;

use deadpool_postgres::{Object, PoolError, TimeoutType};
use tokio::time::Instant;

use super::{
    Cause, Postgres, Verdict,
    link::{Link, Synced, Tx, Uncommitted},
    trouble::{Busy, Silent, Trouble},
};
use crate::{Result, StoreError};

/// So often a transaction may be taken back because of others.
const CONFLICTS_MAX: u32 = 10;
/// So often a connection may be lost.
const LOSSES_MAX: u32 = 1;

/// The attempts at one thing.
pub(super) struct Attempts<'a> {
    began: Instant,
    conflicts: u32,
    doing: &'static str,
    losses: u32,
    store: &'a Postgres,
}

impl<'a> Attempts<'a> {
    pub(super) fn at(store: &'a Postgres, doing: &'static str) -> Self {
        Self {
            began: Instant::now(),
            conflicts: 0,
            doing,
            losses: 0,
            store,
        }
    }

    /// A connection to read with.
    pub(super) async fn read(&mut self) -> Result<Link> {
        self.conn().await.map(Link::of)
    }

    /// A transaction.
    pub(super) async fn begin(&mut self, synced: Synced) -> Result<Tx> {
        let conn = self.conn().await?;
        Ok(Tx::on(conn, synced))
    }

    /// A transaction that may take long.
    pub(super) async fn begin_long(&mut self) -> Result<Tx> {
        self.conn().await.map(Tx::long)
    }

    /// Ends a transaction; none if it is to be tried again.
    pub(super) async fn end<T>(
        &mut self,
        tx: Tx,
        outcome: Result<Verdict<T>, Cause>,
    ) -> Result<Option<T>> {
        let value = match outcome {
            Ok(Verdict::Undo(value)) => return Ok(Some(value)),
            Ok(Verdict::Keep(value)) => value,
            Err(cause) => {
                drop(tx);
                return self.again(cause).await.map(|()| None);
            }
        };
        match tx.commit().await {
            Ok(()) => Ok(Some(value)),
            Err(Uncommitted::Surely(cause)) => {
                drop(tx);
                self.again(cause).await.map(|()| None)
            }
            Err(perhaps) => Err(self.failed(perhaps.into())),
        }
    }

    /// Whether to try again after something failed that surely did not happen.
    pub(super) async fn again(&mut self, cause: Cause) -> Result<()> {
        match Trouble::of(&cause) {
            Trouble::Conflict => self.after_conflict(cause).await,
            Trouble::Lost if self.losses < LOSSES_MAX => {
                self.losses = self.losses.saturating_add(1);
                tracing::debug!(doing = self.doing, error = %cause, "lost a connection");
                // Those that lie idle since before lead to the same server, which may be dead and
                // silent: each would take as long to be found out.
                let since = self.began.elapsed();
                drop(self.store.pool.retain(|_, conn| conn.age() < since));
                Ok(())
            }
            _ => Err(self.failed(cause)),
        }
    }

    /// Waits for a moment, for others to end.
    pub(super) async fn after_conflict(&mut self, cause: Cause) -> Result<()> {
        if self.conflicts >= CONFLICTS_MAX {
            return Err(self.failed(cause));
        }
        tracing::debug!(doing = self.doing, error = %cause, "somebody was faster");
        tokio::time::sleep(Duration::from_millis(1_u64 << self.conflicts.min(6))).await;
        self.conflicts = self.conflicts.saturating_add(1);
        Ok(())
    }

    async fn conn(&mut self) -> Result<Object> {
        loop {
            let cause = match self.store.pool.get().await {
                Ok(conn) => return Ok(conn),
                Err(PoolError::Backend(error)) => error.into(),
                Err(PoolError::Timeout(TimeoutType::Wait)) => Busy {
                    connections: self.store.pool.status().max_size,
                    seconds: super::pool::WAIT_S,
                }
                .into(),
                Err(PoolError::Timeout(_)) => Silent(super::pool::CREATE_S).into(),
                Err(other) => other.into(),
            };
            self.again(cause).await?;
        }
    }

    fn failed(&self, source: Cause) -> StoreError {
        StoreError {
            doing: self.doing,
            source,
        }
    }
}

/// Reads, once more if the connection is lost. A closure would do, if the future of an `async` closure
/// could be said to be `Send`.
macro_rules! read {
    ($store:expr, $doing:expr, |$link:ident| $work:expr) => {{
        let mut attempts = Attempts::at($store, $doing);
        loop {
            let $link = attempts.read().await?;
            match $work.await {
                Ok(value) => break Ok(value),
                Err(cause) => {
                    drop($link);
                    attempts.again(cause).await?;
                }
            }
        }
    }};
}

/// Runs a transaction until it is committed or refused; what it comes to is a [`Verdict`].
macro_rules! transact {
    ($store:expr, $doing:expr, $synced:expr, |$tx:ident| $work:expr) => {{
        let mut attempts = Attempts::at($store, $doing);
        loop {
            let $tx = attempts.begin($synced).await?;
            let outcome = $work.await;
            if let Some(done) = attempts.end($tx, outcome).await? {
                break Ok(done);
            }
        }
    }};
}

/// Runs a transaction that is kept if nothing fails.
macro_rules! write {
    ($store:expr, $doing:expr, |$tx:ident| $work:expr) => {
        transact!($store, $doing, Synced::Now, |$tx| async {
            $work.await.map(Verdict::Keep)
        })
    };
}

pub(super) use {read, transact, write};
