//! What a restore makes void: a backup does not know what was spent after it.

use journey::Happened;
use rusqlite::{Connection, params};

use super::{
    Cause,
    rows::{Columns, prepare},
    trail, upkeep,
};
use crate::{
    forms::Bound,
    image::{Restoring, Void, factor::Factor},
    seal::Keys,
};

/// Begins a new epoch; voids what may have been used up; writes into the audit that this happened.
pub(super) fn make_void(
    conn: &Connection,
    keys: &Keys,
    restoring: &Restoring,
) -> Result<Void, Cause> {
    upkeep::begin_epoch(conn)?;
    let activations = prepare(conn, "delete from activation where used_at is null")?.execute([])?;
    let recovery_sets = prepare(conn, "delete from recovery_set")?.execute([])?;
    // They may have been spent since.
    prepare(conn, "update invitation set spent = uses")?.execute([])?;
    // What waited was most likely sent since, and speaks of codes that are void.
    let messages = prepare(
        conn,
        "update outbox set state = 'failed', note = 'a backup was restored', sealed = null
         where sealed is not null",
    )?
    .execute([])?;
    let buttons = spend_counters(conn, keys, restoring)?;
    let happened = Happened::Restored {
        backup_of: restoring.backup_of.0,
        user: restoring.user.clone(),
    };
    trail::append(conn, &happened, &restoring.by, None)?;
    Ok(Void {
        activations: u64::try_from(activations)?,
        buttons,
        messages: u64::try_from(messages)?,
        recovery_sets: u64::try_from(recovery_sets)?,
    })
}

/// Moves every app and token past what it may have shown since the backup; how many have a button.
fn spend_counters(conn: &Connection, keys: &Keys, restoring: &Restoring) -> Result<u64, Cause> {
    let mut find = prepare(
        conn,
        "select id, person, serial, sealed, drift, last_counter from otp",
    )?;
    let mut rows = find.query([])?;
    let mut moved = vec![];
    while let Some(row) = rows.next()? {
        let mut columns = Columns::of(row);
        let factor = Factor {
            id: columns.next()?,
            person: columns.next()?,
            serial: columns.next()?,
            bound: Bound {
                sealed: columns.next()?,
                drift: columns.next()?,
                last_counter: columns.next()?,
            },
        };
        moved.extend(factor.after_restore(keys, restoring.by.at)?);
    }
    for one in &moved {
        prepare(conn, "update otp set last_counter = $1 where id = $2")?
            .execute(params![one.last_counter, one.id])?;
    }
    Ok(moved.iter().filter(|one| one.has_button).count() as u64)
}
