//! What a failure means: somebody was faster, the connection is gone, or something else.

use std::{error::Error, io};

use tokio_postgres::error::SqlState;

use super::Cause;

/// What to do about a failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trouble {
    /// The engine took the transaction back because of another one: the same thing may well work now.
    Conflict,
    /// The connection is of no use any more; another one may be.
    Lost,
    /// It would fail again.
    Other,
}

/// The server did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("the database did not answer within {0} seconds")]
pub(super) struct Silent(pub(super) u64);

/// Every connection is in use.
#[derive(Debug, thiserror::Error)]
#[error(
    "all {connections} connections to the database were in use for {seconds} seconds; if it stays, raise `pool_size` in the address of the database"
)]
pub(super) struct Busy {
    pub(super) connections: usize,
    pub(super) seconds: u64,
}

/// Nobody knows whether the transaction was committed.
#[derive(Debug, thiserror::Error)]
#[error("the connection ended while the database was committing; whether it did is unknown")]
pub(super) struct Unknown(#[source] pub(super) Cause);

/// A statement of this transaction failed, and with it the transaction.
#[derive(Debug, thiserror::Error)]
#[error("a statement of the transaction failed")]
pub(super) struct Spoilt;

impl Trouble {
    pub(super) fn of(cause: &Cause) -> Self {
        if cause.is::<Silent>() {
            return Self::Lost;
        }
        match cause.downcast_ref::<tokio_postgres::Error>() {
            Some(error) => Self::of_engine(error),
            None => Self::Other,
        }
    }

    fn of_engine(error: &tokio_postgres::Error) -> Self {
        if let Some(code) = error.code() {
            return Self::of_code(code);
        }
        let broken = error
            .source()
            .is_some_and(|source| source.is::<io::Error>());
        match error.is_closed() || broken {
            true => Self::Lost,
            false => Self::Other,
        }
    }

    fn of_code(code: &SqlState) -> Self {
        const CONFLICTS: [SqlState; 3] = [
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::T_R_DEADLOCK_DETECTED,
            // Two made the same thing at the same moment; the second one sees it now.
            SqlState::UNIQUE_VIOLATION,
        ];
        const LOSSES: [SqlState; 6] = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::CRASH_SHUTDOWN,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            // The leader is no longer one.
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::TOO_MANY_CONNECTIONS,
        ];
        if CONFLICTS.contains(code) {
            Self::Conflict
        } else if LOSSES.contains(code) || code.code().starts_with("08") {
            Self::Lost
        } else {
            Self::Other
        }
    }
}
