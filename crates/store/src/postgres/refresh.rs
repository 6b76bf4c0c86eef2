//! Families of refresh tokens: one row each, moved on by one statement.

use journey::{Happened, PersonId, Timestamp};

use super::{
    Cause,
    link::{Link, Tx},
    rows::Columns,
};
use crate::{
    By, NewFamily, Redemption, Renewal, Renewed, Revocation,
    forms::{RENEWED_AGAIN_S, alive_family},
};

/// A family begins with a code, if its session lives. The session's row is held: whoever ends it at this
/// moment waits, and then sees the family that is to end; or was first, and there is none.
pub(super) async fn begin(
    tx: &Tx,
    redemption: &Redemption,
    family: &NewFamily,
    now: Timestamp,
) -> Result<bool, Cause> {
    let begun = tx
        .execute(
            "insert into refresh
                 (family, application, epoch, offline, person, renewed, session, until)
             select $1::bytea, $2::text, epoch, $3::bigint, person, $4::bigint, key, $5::bigint from session
             where key = $6 and epoch = (select number from meta where name = 'epoch')
             for share",
            &[
                &redemption.code.as_slice(),
                &redemption.application,
                &i64::from(family.offline),
                &now.0,
                &family.until.0,
                &redemption.session.as_slice(),
            ],
        )
        .await?;
    Ok(begun > 0)
}

/// Moves a family on. A number that was used up ends it.
pub(super) async fn renew(tx: &Tx, renewal: &Renewal, by: &By) -> Result<Renewed, Cause> {
    let moved = tx
        .row(
            concat!(
                "update refresh
                 set again = case when number = $1 then 0 else 1 end,
                     renewed = case when number = $1 then $2 else renewed end,
                     number = $1 + 1
                 where family = $3
                     and (number = $1 or number = $1 + 1 and again = 0 and renewed > $4) and ",
                alive_family!("$2"),
                " returning again, person"
            ),
            &[
                &i64::from(renewal.number),
                &by.at.0,
                &renewal.family.as_slice(),
                &by.at.plus(-RENEWED_AGAIN_S).0,
            ],
        )
        .await?;
    let application = renewal.application.clone();
    if let Some(row) = moved {
        let mut columns = Columns::of(&row);
        let again = columns.next::<i64>()? > 0;
        let person = PersonId(columns.next_bytes()?);
        let renewed = Happened::TokenRenewed { application, again };
        tx.tell(&renewed, &by.about(person), None);
        return Ok(Renewed::Yes);
    }
    let known = tx
        .row(
            concat!(
                "select person from refresh where family = $1 and ",
                alive_family!("$2")
            ),
            &[&renewal.family.as_slice(), &by.at.0],
        )
        .await?;
    let Some(row) = known else {
        return Ok(Renewed::Over);
    };
    let person = PersonId(Columns::of(&row).next_bytes()?);
    // Of many that come at once one ends it, and tells.
    if !end(tx, &renewal.family).await? {
        return Ok(Renewed::Over);
    }
    let reused = Happened::RefreshReused { application };
    tx.tell(&reused, &by.about(person), None);
    Ok(Renewed::Reused)
}

/// The number that is due, if the family may still be renewed.
pub(super) async fn due(
    link: &Link,
    family: &[u8; 16],
    now: Timestamp,
) -> Result<Option<u32>, Cause> {
    let sql = concat!(
        "select number from refresh where family = $1 and ",
        alive_family!("$2")
    );
    let found = link.row(sql, &[&family.as_slice(), &now.0]).await?;
    let number = found
        .map(|row| Columns::of(&row).next::<i64>())
        .transpose()?;
    Ok(number.map(u32::try_from).transpose()?)
}

/// Takes back all that a code gave, and what was renewed since; whether there was anything.
pub(super) async fn revoke(tx: &Tx, revocation: &Revocation, by: &By) -> Result<bool, Cause> {
    let ended = end(tx, &revocation.code).await?;
    if ended {
        let application = revocation.application.clone();
        tx.tell(&Happened::TokenRevoked { application }, by, None);
    }
    Ok(ended)
}

/// Ends a family, and what the code gave with which it began.
pub(super) async fn end(tx: &Tx, family: &[u8; 16]) -> Result<bool, Cause> {
    let ended = tx
        .execute(
            "delete from refresh where family = $1",
            &[&family.as_slice()],
        )
        .await?;
    let code = tx
        .execute(
            "update code set reused = 1 where id = $1 and reused = 0",
            &[&family.as_slice()],
        )
        .await?;
    Ok(ended > 0 || code > 0)
}

/// Ends the families of a session; those that outlive its limits only if it is more than these.
pub(super) async fn end_of_session(
    tx: &Tx,
    session: &[u8; 32],
    and_offline: bool,
) -> Result<(), Cause> {
    tx.execute(
        "delete from refresh where session = $1 and offline <= $2",
        &[&session.as_slice(), &i64::from(and_offline)],
    )
    .await?;
    Ok(())
}

/// Those that outlive a session's limits hang on the session that takes its place, if both are of the
/// same person. Its row is held, as in [`begin`].
pub(super) async fn follow(tx: &Tx, old: &[u8; 32], new: &[u8; 32]) -> Result<(), Cause> {
    let sql = "select person from session where key = $1 for share";
    let Some(row) = tx.row(sql, &[&new.as_slice()]).await? else {
        return Ok(());
    };
    let person: [u8; 16] = Columns::of(&row).next_bytes()?;
    tx.execute(
        "update refresh set session = $1 where session = $2 and offline = 1 and person = $3",
        &[&new.as_slice(), &old.as_slice(), &person.as_slice()],
    )
    .await?;
    Ok(())
}

/// Ends the families of a person at one application, and what their codes gave.
pub(super) async fn end_at(tx: &Tx, (person, application): (PersonId, &str)) -> Result<(), Cause> {
    let sql = "delete from refresh where person = $1 and application = $2 returning family";
    for row in tx.rows(sql, &[&person.0.as_slice(), &application]).await? {
        end(tx, &Columns::of(&row).next_bytes()?).await?;
    }
    Ok(())
}

/// Ends all families of an application, and what their codes gave.
pub(super) async fn end_of_application(tx: &Tx, application: &str) -> Result<(), Cause> {
    tx.execute(
        "with gone as (delete from refresh where application = $1 returning family)
         update code set reused = 1 where reused = 0 and id in (select family from gone)",
        &[&application],
    )
    .await?;
    Ok(())
}

/// Ends the families of a person, but those of one session if there is one.
pub(super) async fn end_of_person(
    tx: &Tx,
    person: PersonId,
    but: Option<&[u8; 32]>,
) -> Result<(), Cause> {
    tx.execute(
        "delete from refresh where person = $1 and session is distinct from $2",
        &[&person.0.as_slice(), &but.map(<[u8; 32]>::as_slice)],
    )
    .await?;
    Ok(())
}
