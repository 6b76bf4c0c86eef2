//! Applications that register themselves, and the invitations whose uses they spend.

use journey::{Happened, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Cause, refresh,
    resources::move_generation,
    rows::{get, prepare},
    trail,
    writer::Verdict,
};
use crate::{By, Invitation, NewInvitation, NewRegistration, Registration, RegistrationChange};

/// False if the name is taken.
pub(super) fn invite(conn: &Connection, new: &NewInvitation, by: &By) -> Result<bool, Cause> {
    let made = prepare(
        conn,
        "insert into invitation (id, at, bounds, token, until, uses) values ($1, $2, $3, $4, $5, $6)
         on conflict do nothing",
    )?
    .execute(params![
        new.id,
        by.at.0,
        new.bounds,
        new.token,
        new.until.0,
        new.uses
    ])?;
    if made > 0 {
        let (invitation, uses) = (new.id.clone(), new.uses);
        let invited = Happened::ApplicationsInvited { invitation, uses };
        trail::append(conn, &invited, by, None)?;
    }
    Ok(made > 0)
}

fn read_invitation(row: &Row<'_>) -> Result<Invitation, Cause> {
    Ok(Invitation {
        at: Timestamp(get(row, "at")?),
        bounds: get(row, "bounds")?,
        id: get(row, "id")?,
        spent: get(row, "spent")?,
        until: Timestamp(get(row, "until")?),
        uses: get(row, "uses")?,
    })
}

pub(super) fn invitations(conn: &Connection) -> Result<Vec<Invitation>, Cause> {
    let mut find = prepare(conn, "select * from invitation order by at, id")?;
    let rows = find.query_and_then([], read_invitation)?;
    rows.collect()
}

/// The invitation of this token, if it lets anybody in.
pub(super) fn invitation(
    conn: &Connection,
    token: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Invitation>, Cause> {
    let sql = "select * from invitation where token = $1 and spent < uses and until > $2";
    let mut find = prepare(conn, sql)?;
    let mut rows = find.query_and_then(params![token, now.0], read_invitation)?;
    rows.next().transpose()
}

/// Lets nobody in any more; whether it did.
pub(super) fn uninvite(conn: &Connection, id: &str, by: &By) -> Result<bool, Cause> {
    let sql = "update invitation set until = $1 where id = $2 and until > $1 and spent < uses";
    let ended = prepare(conn, sql)?.execute(params![by.at.0, id])?;
    if ended > 0 {
        let invitation = id.to_owned();
        trail::append(conn, &Happened::InvitationEnded { invitation }, by, None)?;
    }
    Ok(ended > 0)
}

/// One use is spent for one application, or nothing happens.
pub(super) fn register(
    conn: &Connection,
    new: &NewRegistration,
    by: &By,
) -> Result<Verdict<bool>, Cause> {
    let invitation: Option<String> = prepare(
        conn,
        "update invitation set spent = spent + 1
         where token = $1 and spent < uses and until > $2 returning id",
    )?
    .query_row(params![new.invited_by, by.at.0], |row| row.get(0))
    .optional()?;
    let Some(invitation) = invitation else {
        return Ok(Verdict::Undo(false));
    };
    prepare(
        conn,
        "insert into registration (application, at, changed, document, invitation, token)
         values ($1, $2, $2, $3, $4, $5)",
    )?
    .execute(params![
        new.application,
        by.at.0,
        new.document,
        invitation,
        new.token
    ])?;
    move_generation(conn)?;
    let application = new.application.clone();
    let registered = Happened::ApplicationRegistered {
        application,
        invitation,
    };
    trail::append(conn, &registered, by, None)?;
    Ok(Verdict::Keep(true))
}

const ALL: &str = "select application, registration.at, bounds, changed, document, invitation
     from registration join invitation on invitation.id = invitation";

fn read_registration(row: &Row<'_>) -> Result<Registration, Cause> {
    Ok(Registration {
        application: row.get(0)?,
        at: Timestamp(row.get(1)?),
        bounds: row.get(2)?,
        changed: Timestamp(row.get(3)?),
        document: row.get(4)?,
        invitation: row.get(5)?,
    })
}

pub(super) fn all(conn: &Connection) -> Result<Vec<Registration>, Cause> {
    let mut find = prepare(conn, &format!("{ALL} order by application"))?;
    let rows = find.query_and_then([], read_registration)?;
    rows.collect()
}

/// The application of this name, if this is its token.
pub(super) fn one(
    conn: &Connection,
    (application, token): (&str, &[u8; 32]),
) -> Result<Option<Registration>, Cause> {
    let sql = format!("{ALL} where application = $1 and registration.token = $2");
    let mut find = prepare(conn, &sql)?;
    let mut rows = find.query_and_then(params![application, token], read_registration)?;
    rows.next().transpose()
}

/// Another document and another token, if this is the token of now.
pub(super) fn change(
    conn: &Connection,
    change: &RegistrationChange,
    by: &By,
) -> Result<bool, Cause> {
    let changed = prepare(
        conn,
        "update registration set changed = $1, document = $2, token = $3
         where application = $4 and token = $5",
    )?
    .execute(params![
        by.at.0,
        change.document,
        change.to,
        change.application,
        change.from
    ])?;
    if changed > 0 {
        move_generation(conn)?;
        let application = change.application.clone();
        let happened = Happened::RegistrationChanged { application };
        trail::append(conn, &happened, by, None)?;
    }
    Ok(changed > 0)
}

/// The application goes, and all that it was given; `token` is its own, none if a technician removes it.
pub(super) fn remove(
    conn: &Connection,
    (application, token): (&str, Option<&[u8; 32]>),
    by: &By,
) -> Result<bool, Cause> {
    let sql = "delete from registration where application = $1 and ($2 is null or token = $2)";
    let gone = prepare(conn, sql)?.execute(params![application, token])?;
    if gone == 0 {
        return Ok(false);
    }
    refresh::end_of_application(conn, application)?;
    for sql in [
        "delete from consent where application = $1",
        "delete from participant where application = $1",
        "delete from device_code where application = $1",
    ] {
        prepare(conn, sql)?.execute([application])?;
    }
    move_generation(conn)?;
    let application = application.to_owned();
    trail::append(
        conn,
        &Happened::ApplicationRemoved { application },
        by,
        None,
    )?;
    Ok(true)
}
