//! Read-only connections, lent to whoever reads: a point read takes microseconds, so it is done in
//! place, and the writer never stands in its way.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags};

use super::{Cause, schema};

/// So many connections are kept; more are opened for a moment if more threads read at once.
const KEPT: usize = 8;

pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    path: PathBuf,
}

impl Readers {
    pub(super) fn of(path: PathBuf) -> Self {
        Self {
            idle: Mutex::default(),
            path,
        }
    }

    /// Where the database is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads from the last committed state; all statements of `work` see the same one.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Cause>,
    ) -> Result<T, Cause> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let lent = idle().pop();
        let conn = match lent {
            Some(conn) => conn,
            None => self.open()?,
        };
        conn.prepare_cached("begin")?.execute([])?;
        let read = work(&conn);
        // A connection whose snapshot cannot be given back is not lent again.
        conn.prepare_cached("commit")?.execute([])?;
        let mut idle = idle();
        if idle.len() < KEPT {
            idle.push(conn);
        }
        read
    }

    fn open(&self) -> Result<Connection, Cause> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        schema::settle(&conn, schema::READER_CACHE_KIB)?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }
}
