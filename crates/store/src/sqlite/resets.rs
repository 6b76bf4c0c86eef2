//! What somebody proves with is taken back or changed, and all that they have begun ends with it.

use journey::{Method, PersonId, Phone, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Cause, lanes, outbox, people, recovery, refresh,
    rows::{prepare, variant, word},
    sessions, tokens, trail,
    writer::Verdict,
};
use crate::{
    Begun, By, EndSessions, Message, NewSession, PasswordChange, Rebinding, Reset,
    forms::{self, NOTICE_S, Posting},
    key,
    seal::Keys,
};

/// Method and number of somebody before.
struct Before {
    method: Method,
    phone: Option<Phone>,
}

/// Takes back what the desk names. Of these writes all happen, or none.
pub(super) fn reset(
    conn: &Connection,
    keys: &Keys,
    reset: &Reset,
    by: &By,
) -> Result<Option<Begun>, Cause> {
    let person = reset.person;
    let Some(before) = before(conn, person)? else {
        return Ok(None);
    };
    let by = &By {
        person: Some(person),
        ..by.clone()
    };
    people::next_era(conn, person)?;
    let begun = begun(conn, person, by.at)?;
    people::end_everything(conn, keys, person, (None, by.at))?;
    people::forget_devices(conn, person)?;
    if let Some(factor) = &reset.factor {
        unbind(conn, person, factor, before.method)?;
        recovery::make_void(conn, person)?;
    }
    let happened = forms::reset_happened(reset, Some(before.method));
    trail::append(conn, &happened, by, None)?;
    if let Some(activation) = &reset.password {
        prepare(conn, "update person set password = null where id = $1")?.execute([person.0])?;
        people::issue_activation(conn, keys, activation, by)?;
    }
    tell(conn, keys, reset, (before.phone, by.at))?;
    Ok(Some(begun))
}

/// Who was activated, as they are now.
fn before(conn: &Connection, person: PersonId) -> Result<Option<Before>, Cause> {
    let found: Option<(String, Option<String>)> = prepare(
        conn,
        "select method, phone from person
         where id = $1 and disabled = 0 and method is not null
             and exists (select 1 from password_past where password_past.person = $1)",
    )?
    .query_row([person.0], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()?;
    let Some((method, phone)) = found else {
        return Ok(None);
    };
    Ok(Some(Before {
        method: variant(&method)?,
        phone: phone.map(Phone::try_from).transpose()?,
    }))
}

pub(super) fn begun(conn: &Connection, person: PersonId, now: Timestamp) -> Result<Begun, Cause> {
    let begun = prepare(
        conn,
        "select
             (select count(*) from journey where person = $1 and until > $2),
             (select count(*) from refresh where person = $1 and until > $2),
             (select count(*) from journey
              where person = $1 and resume is not null and resume_used = 0 and resume_until > $2),
             (select count(*) from session where person = $1
                  and epoch = (select number from meta where name = 'epoch'))",
    )?
    .query_row(params![person.0, now.0], |row| {
        Ok(Begun {
            journeys: row.get(0)?,
            refresh_tokens: row.get(1)?,
            resume_links: row.get(2)?,
            sessions: row.get(3)?,
        })
    })?;
    Ok(begun)
}

/// App and number are bound no more. A token goes back into stock, unless it is what they prove with from
/// now on and was not before.
fn unbind(
    conn: &Connection,
    person: PersonId,
    factor: &Rebinding,
    before: Method,
) -> Result<(), Cause> {
    prepare(
        conn,
        "update person set method = $1, phone_confirmed = 0,
             phone = case when $1 is null then null else coalesce($2, phone) end,
             phone_from = case when $1 is null then null when $2 is null then phone_from
                 else 'desk' end
         where id = $3",
    )?
    .execute(params![
        factor.method.as_ref().map(word).transpose()?,
        factor.phone.as_ref().map(Phone::as_str),
        person.0
    ])?;
    let sql = "delete from otp where person = $1 and carrier = 'app'";
    prepare(conn, sql)?.execute([person.0])?;
    if before == Method::Token || factor.method != Some(Method::Token) {
        tokens::release(conn, person, "")?;
    }
    Ok(())
}

/// They are told by mail, and at the number whose place another one has taken.
fn tell(
    conn: &Connection,
    keys: &Keys,
    reset: &Reset,
    (former, now): (Option<Phone>, Timestamp),
) -> Result<(), Cause> {
    let given = reset
        .factor
        .as_ref()
        .and_then(|factor| factor.phone.as_ref());
    let former = former.filter(|former| given.is_some_and(|given| given != former));
    let notices = forms::reset_notices(reset, now).into_iter();
    let messages = notices
        .map(Message::Notice)
        .chain(former.map(|to| Message::NumberReplaced { to }));
    for (number, message) in messages.enumerate() {
        post(
            conn,
            keys,
            (&reset.id, number),
            (reset.person, &message, now),
        )?;
    }
    Ok(())
}

fn post(
    conn: &Connection,
    keys: &Keys,
    (id, number): (&[u8; 16], usize),
    (person, message, now): (PersonId, &Message, Timestamp),
) -> Result<(), Cause> {
    let posting = Posting {
        journey: None,
        message,
        now,
        person,
        reference: forms::change_message(id, number),
        until: now.plus(NOTICE_S),
    };
    outbox::post(conn, keys, &posting)
}

/// Somebody's own new password, and the session that takes the place of the one at hand.
pub(super) fn change_password(
    conn: &Connection,
    keys: &Keys,
    change: &PasswordChange,
    by: &By,
) -> Result<Verdict<Option<NewSession>>, Cause> {
    let person = change.person;
    let changed = prepare(
        conn,
        "update person set password = $1, era = era + 1
         where id = $2 and disabled = 0 and password is not null and era + 1 = $3
             and exists (select 1 from session where key = $4 and session.person = $2
                 and epoch = (select number from meta where name = 'epoch'))",
    )?
    .execute(params![
        change.password.expose(),
        person.0,
        change.proof.password().era(),
        change.session
    ])?;
    let begun = match changed {
        0 => None,
        _ => sessions::begin(conn, person, (&change.place, &change.proof), by.at)?,
    };
    let Some(session) = begun else {
        return Ok(Verdict::Undo(None));
    };
    people::remember_password(conn, person, &change.password)?;
    let by = &by.about(person);
    let key = key::of_secret(session.id.expose());
    end_all_but(conn, keys, (person, &change.session), (&key, by))?;
    people::forget_devices(conn, person)?;
    for device in &change.devices {
        lanes::remember_device(conn, person, device, by.at)?;
    }
    trail::append(conn, &journey::Happened::PasswordChanged, by, None)?;
    let notice = Message::Notice(journey::Notice::PasswordChanged { at: by.at });
    post(conn, keys, (&change.id, 0), (person, &notice, by.at))?;
    Ok(Verdict::Keep(Some(session)))
}

/// One session goes on as another; every other one ends, with all refresh tokens and journeys.
fn end_all_but(
    conn: &Connection,
    keys: &Keys,
    (person, old): (PersonId, &[u8; 32]),
    (new, by): (&[u8; 32], &By),
) -> Result<(), Cause> {
    prepare(conn, "delete from journey where person = $1")?.execute([person.0])?;
    refresh::end_of_person(conn, person, None)?;
    sessions::end(conn, keys, &EndSessions::Replaced(*old, *new), by)?;
    sessions::end(conn, keys, &EndSessions::Others(person, *new), by)?;
    Ok(())
}
