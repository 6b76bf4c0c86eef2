//! People: reading them, switching them off, activating them. How they come in is in `import`.

use journey::{
    ActivationId, Happened, JourneyId, Language, NameKey, Person, PersonId, Phone, Secret,
    Timestamp, effect::Activate,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Cause, outbox, participants, recovery,
    rows::{Columns, Unreadable, prepare, variant, word},
    sessions, tokens, trail,
};
use crate::{
    Account, ActivationRecord, By, Cohort, EndSessions, NewActivation,
    forms::{self, PASSWORDS_KEPT, Posting},
    seal::Keys,
};

/// Whoever is still arriving with an import is not here yet.
macro_rules! is_here {
    () => {
        "person.rowid <= coalesce(
             (select number from meta where name = 'arriving'), person.rowid)"
    };
}
pub(super) use is_here;

/// Selects people with their app and token: `$which` says whom.
macro_rules! select_person {
    ($which:literal) => {
        concat!(
            "select person.id, disabled, first_name, language, last_name, mail, method, password,
                 phone, phone_confirmed, role, school, username, era,
                 app.id, app.sealed, app.drift, app.last_counter,
                 token.serial, token.sealed, token.drift, token.last_counter
             from person
             left join otp app on app.person = person.id and app.carrier = 'app'
             left join otp token on token.person = person.id and token.carrier = 'token'
             where ",
            is_here!(),
            " and ",
            $which
        )
    };
}

/// Selects the ids of people.
macro_rules! select_id {
    ($which:literal) => {
        concat!("select id from person where ", is_here!(), " and ", $which)
    };
}

/// Selects the ids of people in the order of their names.
macro_rules! select_named {
    ($which:literal) => {
        concat!(
            "select person.id from name join person on person.id = name.person where ",
            is_here!(),
            " and ",
            $which
        )
    };
}

pub(super) fn by_name(
    conn: &Connection,
    keys: &Keys,
    name: &NameKey,
) -> Result<Option<Account>, Cause> {
    let found = prepare(conn, "select person from name where name = $1")?
        .query_row([name.as_str()], |row| row.get(0))
        .optional()?;
    match found {
        Some(id) => by_id(conn, keys, PersonId(id)),
        None => Ok(None),
    }
}

pub(super) fn by_id(
    conn: &Connection,
    keys: &Keys,
    id: PersonId,
) -> Result<Option<Account>, Cause> {
    let mut find = prepare(conn, select_person!("person.id = $1"))?;
    let mut rows = find.query([id.0])?;
    rows.next()?.map(|row| read(conn, keys, row)).transpose()
}

pub(super) fn list(
    conn: &Connection,
    keys: &Keys,
    which: &Cohort,
    (after, limit): (Option<&str>, u32),
) -> Result<Vec<Account>, Cause> {
    let after = after.unwrap_or_default();
    let key = NameKey::of(after);
    let key = key.as_ref().map_or("", NameKey::as_str);
    let found = match which {
        Cohort::All => ids(
            conn,
            select_named!("alias = 0 and name > $1 order by name limit $2"),
            params![key, limit],
        ),
        Cohort::NotActivated => ids(
            conn,
            select_named!("alias = 0 and name > $1 and password is null order by name limit $2"),
            params![key, limit],
        ),
        Cohort::School(school) => ids(
            conn,
            select_id!("school = $1 and username > $2 order by username limit $3"),
            params![school, after, limit],
        ),
    };
    let accounts = found?.into_iter().map(|id| by_id(conn, keys, id));
    accounts.filter_map(Result::transpose).collect()
}

fn ids(conn: &Connection, sql: &str, of: &[&dyn rusqlite::ToSql]) -> Result<Vec<PersonId>, Cause> {
    let mut find = prepare(conn, sql)?;
    let found = find.query_map(of, |row| row.get(0).map(PersonId))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// An account, from the columns of `select_person`.
fn read(conn: &Connection, keys: &Keys, row: &Row<'_>) -> Result<Account, Cause> {
    let mut columns = Columns::of(row);
    let id = PersonId(columns.next()?);
    let disabled = columns.next()?;
    let first_name = columns.next()?;
    let language: String = columns.next()?;
    let last_name = columns.next()?;
    let mail = columns.next()?;
    let method: Option<String> = columns.next()?;
    let password: Option<Vec<u8>> = columns.next()?;
    let phone: Option<String> = columns.next()?;
    let phone_confirmed = columns.next()?;
    let role: String = columns.next()?;
    let school = columns.next()?;
    let username = columns.next()?;
    let era = columns.next()?;
    let app: Option<[u8; 16]> = columns.next()?;
    let app = tokens::bound(&mut columns)?.open(keys, app.map(|app| forms::app_aad(app, id)))?;
    let token_serial: Option<String> = columns.next()?;
    let token_aad = token_serial.as_deref().map(forms::token_aad);
    let token = tokens::bound(&mut columns)?.open(keys, token_aad)?;
    let person = Person {
        app,
        disabled,
        first_name,
        id,
        language: Language::parse(&language).ok_or(Unreadable("language"))?,
        last_name,
        mail,
        method: method.as_deref().map(variant).transpose()?,
        phone: phone.map(Phone::try_from).transpose()?,
        phone_confirmed,
        role: variant(&role)?,
        school,
        token,
        token_serial,
        username,
    };
    Ok(Account {
        aliases: aliases(conn, id)?,
        era,
        password: password.map(Secret::new),
        person,
    })
}

pub(super) fn aliases(conn: &Connection, person: PersonId) -> Result<Vec<String>, Cause> {
    let mut find = prepare(
        conn,
        "select name from name where person = $1 and alias = 1 order by name",
    )?;
    let names = find.query_map([person.0], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

pub(super) fn upgrade_password(
    conn: &Connection,
    person: PersonId,
    from: &Secret,
    to: &Secret,
) -> Result<(), Cause> {
    for sql in [
        "update person set password = $1 where id = $2 and password = $3",
        "update password_past set hash = $1 where person = $2 and hash = $3",
    ] {
        prepare(conn, sql)?.execute(params![to.expose(), person.0, from.expose()])?;
    }
    Ok(())
}

pub(super) fn password_history(
    conn: &Connection,
    person: PersonId,
    limit: u8,
) -> Result<Vec<Secret>, Cause> {
    let mut find = prepare(
        conn,
        "select hash from password_past where person = $1 order by number desc limit $2",
    )?;
    let hashes = find.query_map(params![person.0, limit], |row| Ok(Secret::new(row.get(0)?)))?;
    Ok(hashes.collect::<Result<_, _>>()?)
}

pub(super) fn remember_password(
    conn: &Connection,
    person: PersonId,
    hash: &Secret,
) -> Result<(), Cause> {
    let number: u32 = prepare(
        conn,
        "insert into password_past (person, number, hash)
         select $1, coalesce(max(number), 0) + 1, $2 from password_past where person = $1
         returning number",
    )?
    .query_row(params![person.0, hash.expose()], |row| row.get(0))?;
    prepare(
        conn,
        "delete from password_past where person = $1 and number <= $2",
    )?
    .execute(params![person.0, number.saturating_sub(PASSWORDS_KEPT)])?;
    Ok(())
}

/// Off: with their sessions, journeys and messages. Of these writes all happen, or none.
pub(super) fn disable(
    conn: &Connection,
    keys: &Keys,
    person: PersonId,
    disabled: bool,
    by: &By,
) -> Result<(), Cause> {
    let by = By {
        person: Some(person),
        ..by.clone()
    };
    let switched = prepare(
        conn,
        "update person set disabled = $1 where id = $2 and disabled <> $1",
    )?
    .execute(params![disabled, person.0])?;
    if switched == 0 || !disabled {
        return Ok(());
    }
    prepare(
        conn,
        "update outbox set state = 'failed', note = 'the person was switched off', sealed = null
         where person = $1 and sealed is not null and reference not like 'signed-out-%'",
    )?
    .execute([person.0])?;
    // Codes that were asked for before are not made afterwards, either.
    next_era(conn, person)?;
    recovery::make_void(conn, person)?;
    let sessions = end_everything(conn, keys, person, (None, by.at))?;
    trail::append(conn, &Happened::SignedOut { sessions }, &by, None)
}

/// Ends what a person has begun, but for the journey that asks for it: sessions with their access
/// tokens, journeys. The applications hear of it. How many sessions.
pub(super) fn end_everything(
    conn: &Connection,
    keys: &Keys,
    person: PersonId,
    (but, now): (Option<JourneyId>, Timestamp),
) -> Result<u32, Cause> {
    prepare(
        conn,
        "delete from journey where person = $1 and id is distinct from $2",
    )?
    .execute(params![person.0, but.map(|id| id.0)])?;
    let sessions = sessions::end_all(conn, person)?;
    participants::tell(conn, keys, &EndSessions::All(person), now)?;
    Ok(sessions)
}

pub(super) fn issue_activation(
    conn: &Connection,
    keys: &Keys,
    new: &NewActivation,
    by: &By,
) -> Result<(), Cause> {
    let by = By {
        person: Some(new.person),
        ..by.clone()
    };
    void_activations(conn, new.person)?;
    prepare(
        conn,
        "insert into activation (id, mac, made_at, person, until) values ($1, $2, $3, $4, $5)",
    )?
    .execute(params![
        new.id.0,
        new.mac,
        by.at.0,
        new.person.0,
        new.until.0
    ])?;
    if let Some(message) = &new.message {
        let posting = Posting {
            journey: None,
            message,
            now: by.at,
            person: new.person,
            reference: forms::activation_message(new.id),
            until: new.until,
        };
        outbox::post(conn, keys, &posting)?;
    }
    trail::append(conn, &Happened::ActivationSent, &by, None)
}

fn void_activations(conn: &Connection, person: PersonId) -> Result<(), Cause> {
    let mut void = prepare(
        conn,
        "delete from activation where person = $1 and used_at is null returning id",
    )?;
    let voided = void.query_map([person.0], |row| row.get(0).map(ActivationId))?;
    for activation in voided.collect::<Result<Vec<_>, _>>()? {
        // Its message, if it still waits, would bring a code that no longer works. Looked for by its
        // reference: to walk through the outbox would take hours for fifty thousand people.
        prepare(
            conn,
            "update outbox set state = 'failed', note = 'a newer code takes its place', sealed = null
             where reference = $1 and sealed is not null",
        )?
        .execute([forms::activation_message(activation)])?;
    }
    Ok(())
}

pub(super) fn activations(
    conn: &Connection,
    person: PersonId,
) -> Result<Vec<ActivationRecord>, Cause> {
    let mut find = prepare(
        conn,
        "select id, mac, until, used_at from activation where person = $1
         order by made_at desc, used_at is null desc, id",
    )?;
    let records = find.query_map([person.0], |row| {
        Ok(ActivationRecord {
            id: ActivationId(row.get(0)?),
            mac: row.get(1)?,
            until: Timestamp(row.get(2)?),
            used_at: row.get::<_, Option<_>>(3)?.map(Timestamp),
        })
    })?;
    Ok(records.collect::<Result<_, _>>()?)
}

/// Spends the activation and sets what was chosen; everything that was begun before ends. False if
/// the activation was spent, is over or void, or the person was switched off, has a password and a
/// method already, or has to choose what was not chosen, or the other way round.
pub(super) fn activate(
    conn: &Connection,
    keys: &Keys,
    activate: &Activate,
    (journey, now): (JourneyId, Timestamp),
) -> Result<bool, Cause> {
    let person = activate.person;
    let spent = prepare(
        conn,
        "update activation set used_at = $1
         where id = $2 and person = $3 and used_at is null and until > $1",
    )?
    .execute(params![now.0, activate.activation.0, person.0])?;
    if spent == 0 || !set_chosen(conn, activate)? {
        return Ok(false);
    }
    remember_password(conn, person, &activate.password)?;
    void_activations(conn, person)?;
    end_everything(conn, keys, person, (Some(journey), now))?;
    forget_devices(conn, person)?;
    Ok(true)
}

/// [L06] Whose password alone was reset keeps method and number. A password that is replaced takes what was
/// proven with it along.
fn set_chosen(conn: &Connection, activate: &Activate) -> Result<bool, Cause> {
    let (person, password) = (activate.person.0, activate.password.expose());
    let set = match &activate.chosen {
        Some((method, phone)) => prepare(
            conn,
            "update person set password = $1, method = $2, phone = $3, phone_confirmed = 0,
                 phone_from = case when $3 is null then null else 'email_activation' end,
                 era = era + (password is not null)
             where id = $4 and disabled = 0
                 and (method is null or password is null and not exists (
                     select 1 from password_past where password_past.person = person.id))",
        )?
        .execute(params![
            password,
            word(method)?,
            phone.as_ref().map(Phone::as_str),
            person
        ])?,
        None => prepare(
            conn,
            "update person set password = $1
             where id = $2 and disabled = 0 and password is null and method is not null",
        )?
        .execute(params![password, person])?,
    };
    Ok(set > 0)
}

/// What they have proven so far opens nothing any more. Who never had a password has proven nothing, and an import
/// tells by the era that an account is not the register's any more.
pub(super) fn next_era(conn: &Connection, person: PersonId) -> Result<(), Cause> {
    prepare(
        conn,
        "update person set era = era + 1 where id = $1 and (password is not null or era > 0)",
    )?
    .execute([person.0])?;
    Ok(())
}

/// No device of theirs is known any more.
pub(super) fn forget_devices(conn: &Connection, person: PersonId) -> Result<(), Cause> {
    prepare(conn, "delete from device where person = $1")?.execute([person.0])?;
    Ok(())
}
