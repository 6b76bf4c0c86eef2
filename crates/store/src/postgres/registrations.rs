//! Applications that register themselves, and the invitations whose uses they spend.

use journey::{Happened, Timestamp};
use tokio_postgres::Row;

use super::{
    Cause, Verdict,
    link::{Link, Tx},
    refresh,
    resources::move_generation,
    rows::Columns,
};
use crate::{By, Invitation, NewInvitation, NewRegistration, Registration, RegistrationChange};

/// False if the name is taken.
pub(super) async fn invite(tx: &Tx, new: &NewInvitation, by: &By) -> Result<bool, Cause> {
    let made = tx
        .execute(
            "insert into invitation (id, at, bounds, token, until, uses)
             values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            &[
                &new.id,
                &by.at.0,
                &new.bounds,
                &new.token.as_slice(),
                &new.until.0,
                &i64::from(new.uses),
            ],
        )
        .await?;
    if made > 0 {
        let (invitation, uses) = (new.id.clone(), new.uses);
        tx.tell(
            &Happened::ApplicationsInvited { invitation, uses },
            by,
            None,
        );
    }
    Ok(made > 0)
}

const INVITATIONS: &str = "select at, bounds, id, spent, until, uses from invitation";

fn read_invitation(row: &Row) -> Result<Invitation, Cause> {
    let mut columns = Columns::of(row);
    Ok(Invitation {
        at: Timestamp(columns.next()?),
        bounds: columns.next()?,
        id: columns.next()?,
        spent: columns.next_count()?,
        until: Timestamp(columns.next()?),
        uses: columns.next_count()?,
    })
}

pub(super) async fn invitations(link: &Link) -> Result<Vec<Invitation>, Cause> {
    let sql = format!("{INVITATIONS} order by at, id");
    let rows = link.rows(&sql, &[]).await?;
    rows.iter().map(read_invitation).collect()
}

/// The invitation of this token, if it lets anybody in.
pub(super) async fn invitation(
    link: &Link,
    token: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invitation>, Cause> {
    let sql = format!("{INVITATIONS} where token = $1 and spent < uses and until > $2");
    let row = link.row(&sql, &[&token.as_slice(), &now.0]).await?;
    row.as_ref().map(read_invitation).transpose()
}

/// Lets nobody in any more; whether it did.
pub(super) async fn uninvite(tx: &Tx, id: &str, by: &By) -> Result<bool, Cause> {
    let sql = "update invitation set until = $1 where id = $2 and until > $1 and spent < uses";
    let ended = tx.execute(sql, &[&by.at.0, &id]).await?;
    if ended > 0 {
        let invitation = id.to_owned();
        tx.tell(&Happened::InvitationEnded { invitation }, by, None);
    }
    Ok(ended > 0)
}

/// One use is spent for one application, or nothing happens.
pub(super) async fn register(
    tx: &Tx,
    new: &NewRegistration,
    by: &By,
) -> Result<Verdict<bool>, Cause> {
    let spent = tx
        .row(
            "update invitation set spent = spent + 1
             where token = $1 and spent < uses and until > $2 returning id",
            &[&new.invited_by.as_slice(), &by.at.0],
        )
        .await?;
    let Some(row) = spent else {
        return Ok(Verdict::Undo(false));
    };
    let invitation: String = Columns::of(&row).next()?;
    tx.execute(
        "insert into registration (application, at, changed, document, invitation, token)
         values ($1, $2, $2, $3, $4, $5)",
        &[
            &new.application,
            &by.at.0,
            &new.document,
            &invitation,
            &new.token.as_slice(),
        ],
    )
    .await?;
    move_generation(tx).await?;
    let application = new.application.clone();
    let registered = Happened::ApplicationRegistered {
        application,
        invitation,
    };
    tx.tell(&registered, by, None);
    Ok(Verdict::Keep(true))
}

const ALL: &str = "select application, registration.at, bounds, changed, document, invitation
     from registration join invitation on invitation.id = invitation";

fn read_registration(row: &Row) -> Result<Registration, Cause> {
    let mut columns = Columns::of(row);
    Ok(Registration {
        application: columns.next()?,
        at: Timestamp(columns.next()?),
        bounds: columns.next()?,
        changed: Timestamp(columns.next()?),
        document: columns.next()?,
        invitation: columns.next()?,
    })
}

pub(super) async fn all(link: &Link) -> Result<Vec<Registration>, Cause> {
    let rows = link
        .rows(&format!("{ALL} order by application"), &[])
        .await?;
    rows.iter().map(read_registration).collect()
}

/// The application of this name, if this is its token.
pub(super) async fn one(
    link: &Link,
    (application, token): (&str, &[u8; 32]),
) -> Result<Option<Registration>, Cause> {
    let sql = format!("{ALL} where application = $1 and registration.token = $2");
    let row = link.row(&sql, &[&application, &token.as_slice()]).await?;
    row.as_ref().map(read_registration).transpose()
}

/// Another document and another token, if this is the token of now.
pub(super) async fn change(tx: &Tx, change: &RegistrationChange, by: &By) -> Result<bool, Cause> {
    let changed = tx
        .execute(
            "update registration set changed = $1, document = $2, token = $3
             where application = $4 and token = $5",
            &[
                &by.at.0,
                &change.document,
                &change.to.as_slice(),
                &change.application,
                &change.from.as_slice(),
            ],
        )
        .await?;
    if changed > 0 {
        move_generation(tx).await?;
        let application = change.application.clone();
        tx.tell(&Happened::RegistrationChanged { application }, by, None);
    }
    Ok(changed > 0)
}

/// The application goes, and all that it was given; `token` is its own, none if a technician removes it.
/// Thousands of people may have let it know about them: that takes longer than any other statement may.
pub(super) async fn remove(
    tx: &Tx,
    (application, token): (&str, Option<&[u8; 32]>),
    by: &By,
) -> Result<bool, Cause> {
    tx.batch("set local statement_timeout = '1min'").await?;
    let sql = "delete from registration
         where application = $1 and ($2::bytea is null or token = $2)";
    let token = token.map(<[u8; 32]>::as_slice);
    if tx.execute(sql, &[&application, &token]).await? == 0 {
        return Ok(false);
    }
    refresh::end_of_application(tx, application).await?;
    for sql in [
        "delete from consent where application = $1",
        "delete from participant where application = $1",
        "delete from device_code where application = $1",
    ] {
        tx.execute(sql, &[&application]).await?;
    }
    move_generation(tx).await?;
    let application = application.to_owned();
    tx.tell(&Happened::ApplicationRemoved { application }, by, None);
    Ok(true)
}
