//! SAML messages that wait: written once, taken out by one statement.

use journey::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Cause, rows::prepare};
use crate::WaitingMessage;

pub(super) fn leave(conn: &Connection, message: &WaitingMessage) -> Result<(), Cause> {
    prepare(
        conn,
        "insert into artifact (key, epoch, sealed, until)
         select $1, number, $2, $3 from meta where name = 'epoch'",
    )?
    .execute(params![message.key, message.sealed, message.until.0])?;
    Ok(())
}

pub(super) fn fetch(
    conn: &Connection,
    key: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Cause> {
    let found = prepare(
        conn,
        "delete from artifact
         where key = $1 and until > $2
             and epoch = (select number from meta where name = 'epoch')
         returning sealed",
    )?
    .query_row(params![key, now.0], |row| row.get(0))
    .optional()?;
    Ok(found)
}
