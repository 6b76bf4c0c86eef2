//! What a restore makes void: a backup does not know what was spent after it.

use journey::Happened;

use super::{Cause, link::Tx, rows::Columns, upkeep};
use crate::{
    forms::Bound,
    image::{Restoring, Void, factor::Factor},
    seal::Keys,
};

/// So many apps and tokens are moved together.
const AT_ONCE: i64 = 10_000;

/// Begins a new epoch; voids what may have been used up; tells the audit that this happened.
pub(super) async fn make_void(tx: &Tx, keys: &Keys, restoring: &Restoring) -> Result<Void, Cause> {
    upkeep::begin_epoch(tx).await?;
    let open = "delete from activation where used_at is null";
    let activations = tx.execute(open, &[]).await?;
    let recovery_sets = tx.execute("delete from recovery_set", &[]).await?;
    // They may have been spent since.
    tx.execute("update invitation set spent = uses", &[])
        .await?;
    // What waited was most likely sent since, and speaks of codes that are void.
    let waiting =
        "update outbox set state = 'failed', note = 'a backup was restored', sealed = null
         where sealed is not null";
    let messages = tx.execute(waiting, &[]).await?;
    let buttons = spend_counters(tx, keys, restoring).await?;
    let happened = Happened::Restored {
        backup_of: restoring.backup_of.0,
        user: restoring.user.clone(),
    };
    tx.tell(&happened, &restoring.by, None);
    Ok(Void {
        activations,
        buttons,
        messages,
        recovery_sets,
    })
}

/// Moves every app and token past what it may have shown since the backup; how many have a button.
async fn spend_counters(tx: &Tx, keys: &Keys, restoring: &Restoring) -> Result<u64, Cause> {
    let mut buttons = 0_u64;
    let mut after = vec![];
    loop {
        let rows = tx
            .rows(
                "select id, person, serial, sealed, drift, last_counter from otp
                 where id > $1 order by id limit $2",
                &[&after, &AT_ONCE],
            )
            .await?;
        let Some(last) = rows.last() else {
            return Ok(buttons);
        };
        after = Columns::of(last).next::<Vec<u8>>()?;
        let (mut ids, mut counters) = (vec![], vec![]);
        for row in &rows {
            let mut columns = Columns::of(row);
            let factor = Factor {
                id: columns.next_bytes()?,
                person: columns.next_bytes_if_any()?,
                serial: columns.next()?,
                bound: Bound {
                    sealed: columns.next()?,
                    drift: columns.next()?,
                    last_counter: columns.next()?,
                },
            };
            if let Some(moved) = factor.after_restore(keys, restoring.by.at)? {
                buttons = buttons.saturating_add(u64::from(moved.has_button));
                ids.push(moved.id.to_vec());
                counters.push(moved.last_counter);
            }
        }
        tx.execute(
            "update otp set last_counter = moved.counter
             from unnest($1::bytea[], $2::bigint[]) as moved (id, counter)
             where otp.id = moved.id",
            &[&ids, &counters],
        )
        .await?;
    }
}
