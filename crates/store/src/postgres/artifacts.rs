//! SAML messages that wait: written once, taken out by one statement.

use journey::Timestamp;

use super::{Cause, link::Tx, rows::Columns};
use crate::WaitingMessage;

pub(super) async fn leave(tx: &Tx, message: &WaitingMessage) -> Result<(), Cause> {
    tx.execute(
        "insert into artifact (key, epoch, sealed, until)
         select $1::bytea, number, $2::bytea, $3::bigint from meta where name = 'epoch'",
        &[&message.key.as_slice(), &message.sealed, &message.until.0],
    )
    .await?;
    Ok(())
}

pub(super) async fn fetch(
    tx: &Tx,
    key: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Vec<u8>>, Cause> {
    let found = tx
        .row(
            "delete from artifact
             where key = $1 and until > $2
                 and epoch = (select number from meta where name = 'epoch')
             returning sealed",
            &[&key.as_slice(), &now.0],
        )
        .await?;
    found.map(|row| Columns::of(&row).next()).transpose()
}
