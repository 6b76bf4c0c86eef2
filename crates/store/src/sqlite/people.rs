//! People: reading them, importing them, switching them off, activating them.

use std::collections::{HashMap, HashSet};

use journey::{
    ActivationId, Happened, JourneyId, Language, NameKey, Person, PersonId, Phone, Secret,
    Timestamp, effect::Activate,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Cause, outbox,
    outbox::Posting,
    rows::{Columns, Unreadable, prepare, variant, word},
    sessions, tokens,
    tokens::Bound,
    trail,
    writer::Verdict,
};
use crate::{
    Account, ActivationRecord, By, Cohort, Conflict, Imported, NewActivation, NewPerson, seal::Keys,
};

/// So many hashes of former passwords are kept.
const PASSWORDS_KEPT: u32 = 24;

/// Selects people with their app and token: `$which` says whom.
macro_rules! select_person {
    ($which:literal) => {
        concat!(
            "select person.id, disabled, first_name, language, last_name, mail, method, password,
                 phone, phone_confirmed, role, school, username,
                 app.id, app.sealed, app.drift, app.last_counter,
                 token.serial, token.sealed, token.drift, token.last_counter
             from person
             left join otp app on app.person = person.id and app.carrier = 'app'
             left join otp token on token.person = person.id and token.carrier = 'token' ",
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
    let mut find = prepare(conn, select_person!("where person.id = $1"))?;
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
    let (sql, school) = match which {
        Cohort::All => (
            select_person!("where $1 = '' and username > $2 order by username limit $3"),
            "",
        ),
        Cohort::NotActivated => (
            select_person!(
                "where $1 = '' and username > $2 and password is null order by username limit $3"
            ),
            "",
        ),
        Cohort::School(school) => (
            select_person!("where school = $1 and username > $2 order by username limit $3"),
            school.as_str(),
        ),
    };
    let mut find = prepare(conn, sql)?;
    let rows = find.query_and_then(params![school, after, limit], |row| read(conn, keys, row))?;
    rows.collect()
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
    let app: Option<[u8; 16]> = columns.next()?;
    let app = Bound::read(&mut columns)?.open(keys, app.map(|app| tokens::app_aad(app, id)))?;
    let token_serial: Option<String> = columns.next()?;
    let token_aad = token_serial.as_deref().map(tokens::token_aad);
    let token = Bound::read(&mut columns)?.open(keys, token_aad)?;
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
        password: password.map(Secret::new),
        person,
    })
}

fn aliases(conn: &Connection, person: PersonId) -> Result<Vec<String>, Cause> {
    let mut find = prepare(
        conn,
        "select name from name where person = $1 and alias = 1 order by name",
    )?;
    let names = find.query_map([person.0], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

type Import = Result<Imported, Vec<(usize, Conflict)>>;

/// Takes in all people or none. Names are given in a second round, when those that change hands are
/// free.
pub(super) fn import(
    conn: &Connection,
    people: &[NewPerson],
    by: &By,
) -> Result<Verdict<Import>, Cause> {
    let mut conflicts = twice(people);
    let seen_before: HashSet<usize> = conflicts.iter().map(|(at, _)| *at).collect();
    let mut imported = Imported::default();
    let mut entries = Vec::with_capacity(people.len());
    for (at, new) in (people.iter().enumerate()).filter(|(at, _)| !seen_before.contains(at)) {
        match take_in(conn, new, by)? {
            Ok(entry) => entries.push((at, new, entry)),
            Err(conflict) => conflicts.push((at, conflict)),
        }
    }
    for (at, new, entry) in &entries {
        match give_names(conn, new, entry.person)? {
            Err(conflict) => conflicts.push((*at, conflict)),
            Ok(_) if entry.created => imported.created += 1,
            Ok(changed) if changed || entry.changed => imported.updated += 1,
            Ok(_) => imported.unchanged += 1,
        }
    }
    if !conflicts.is_empty() {
        conflicts.sort_by_key(|(at, _)| *at);
        return Ok(Verdict::Undo(Err(conflicts)));
    }
    let happened = Happened::Imported {
        created: imported.created,
        updated: imported.updated,
    };
    trail::append(conn, &happened, by, None)?;
    Ok(Verdict::Keep(Ok(imported)))
}

/// What stands twice in one import: a name, or a token's serial number.
fn twice(people: &[NewPerson]) -> Vec<(usize, Conflict)> {
    let mut names: HashMap<NameKey, usize> = HashMap::new();
    let mut serials: HashMap<&str, usize> = HashMap::new();
    let mut conflicts = vec![];
    for (at, new) in people.iter().enumerate() {
        for name in std::iter::once(&new.username).chain(&new.aliases) {
            let before = NameKey::of(name).and_then(|key| names.insert(key, at));
            if before.is_some_and(|before| before != at) {
                conflicts.push((at, Conflict::Twice(name.clone())));
            }
        }
        if let Some(serial) = &new.token_serial
            && serials.insert(serial, at).is_some()
        {
            conflicts.push((at, Conflict::Twice(serial.clone())));
        }
    }
    conflicts
}

struct Entry {
    changed: bool,
    created: bool,
    person: PersonId,
}

/// The person's own row, with the token they bring; and the names that are no longer theirs go.
fn take_in(conn: &Connection, new: &NewPerson, by: &By) -> Result<Result<Entry, Conflict>, Cause> {
    let Some(key) = NameKey::of(&new.username) else {
        return Ok(Err(Conflict::NoName(new.username.clone())));
    };
    let known = prepare(conn, "select person, alias from name where name = $1")?
        .query_row([key.as_str()], |row| {
            Ok((PersonId(row.get(0)?), row.get::<_, bool>(1)?))
        })
        .optional()?;
    let (person, created) = match known {
        Some((_, true)) => return Ok(Err(Conflict::NameTaken(new.username.clone()))),
        Some((person, false)) => (person, false),
        None => (new.id, true),
    };
    let open = created || !activated(conn, person)?;
    let changed = match created {
        true => insert(conn, new).map(|()| false)?,
        false => update(conn, person, new)?,
    };
    let token = match &new.token_serial {
        Some(serial) if open => tokens::bring(conn, person, serial, by)?,
        _ => Ok(false),
    };
    Ok(token.map(|token| Entry {
        changed: changed || token,
        created,
        person,
    }))
}

/// Whether the account is theirs already: it has a password.
fn activated(conn: &Connection, person: PersonId) -> Result<bool, Cause> {
    let found = prepare(
        conn,
        "select 1 from person where id = $1 and password is not null",
    )?
    .exists([person.0])?;
    Ok(found)
}

fn insert(conn: &Connection, new: &NewPerson) -> Result<(), Cause> {
    prepare(
        conn,
        "insert into person (id, first_name, language, last_name, mail, method, password, phone,
             phone_from, role, school, username)
         values ($1, $2, $3, $4, $5, $6, $7, $8,
             case when $8 is null then null else 'register' end, $9, $10, $11)",
    )?
    .execute(params![
        new.id.0,
        new.first_name,
        new.language.code(),
        new.last_name,
        new.mail,
        new.method.as_ref().map(word).transpose()?,
        new.password.as_ref().map(Secret::expose),
        new.phone.as_ref().map(Phone::as_str),
        word(&new.role)?,
        new.school,
        new.username,
    ])?;
    match &new.password {
        Some(password) => remember_password(conn, new.id, password),
        None => Ok(()),
    }
}

/// The register's data of somebody known; what belongs to the account only while it is not
/// activated. Whether anything changed.
fn update(conn: &Connection, person: PersonId, new: &NewPerson) -> Result<bool, Cause> {
    let of_register = prepare(
        conn,
        "update person set first_name = $1, language = $2, last_name = $3, mail = $4,
             role = $5, school = $6, username = $7
         where id = $8 and (first_name <> $1 or language <> $2 or last_name <> $3 or mail <> $4
             or role <> $5 or school is distinct from $6 or username <> $7)",
    )?
    .execute(params![
        new.first_name,
        new.language.code(),
        new.last_name,
        new.mail,
        word(&new.role)?,
        new.school,
        new.username,
        person.0
    ])?;
    let of_account = prepare(
        conn,
        "update person set method = coalesce($1, method), phone = coalesce($2, phone),
             phone_from = case when $2 is null then phone_from else 'register' end,
             password = $3
         where id = $4 and password is null
             and ($1 is distinct from method and $1 is not null
                 or $2 is distinct from phone and $2 is not null or $3 is not null)",
    )?
    .execute(params![
        new.method.as_ref().map(word).transpose()?,
        new.phone.as_ref().map(Phone::as_str),
        new.password.as_ref().map(Secret::expose),
        person.0
    ])?;
    if let Some(password) = new.password.as_ref().filter(|_| of_account > 0) {
        remember_password(conn, person, password)?;
    }
    let keep = new.aliases.iter().filter_map(|name| NameKey::of(name));
    let keep: Vec<NameKey> = keep.collect();
    let mut gone = false;
    for alias in aliases(conn, person)? {
        if !keep.iter().any(|key| key.as_str() == alias) {
            gone = true;
            prepare(conn, "delete from name where name = $1")?.execute([alias])?;
        }
    }
    Ok(of_register > 0 || of_account > 0 || gone)
}

/// The names that lead to a person. Whether any is new.
fn give_names(
    conn: &Connection,
    new: &NewPerson,
    person: PersonId,
) -> Result<Result<bool, Conflict>, Cause> {
    let mut changed = false;
    for (alias, name) in
        std::iter::once((false, &new.username)).chain(new.aliases.iter().map(|name| (true, name)))
    {
        let Some(key) = NameKey::of(name) else {
            return Ok(Err(Conflict::NoName(name.clone())));
        };
        let given = prepare(
            conn,
            "insert into name (name, alias, person) values ($1, $2, $3)
             on conflict (name) do nothing",
        )?
        .execute(params![key.as_str(), alias, person.0])?;
        let theirs = prepare(conn, "select 1 from name where name = $1 and person = $2")?
            .exists(params![key.as_str(), person.0])?;
        if !theirs {
            return Ok(Err(Conflict::NameTaken(name.clone())));
        }
        changed |= given > 0;
    }
    Ok(Ok(changed))
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

fn remember_password(conn: &Connection, person: PersonId, hash: &Secret) -> Result<(), Cause> {
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
         where person = $1 and sealed is not null",
    )?
    .execute([person.0])?;
    let sessions = end_everything(conn, person, None)?;
    trail::append(conn, &Happened::SignedOut { sessions }, &by, None)
}

/// Ends what a person has begun, but for the journey that asks for it: sessions with their access
/// tokens, journeys. How many sessions.
pub(super) fn end_everything(
    conn: &Connection,
    person: PersonId,
    but: Option<JourneyId>,
) -> Result<u32, Cause> {
    prepare(
        conn,
        "delete from journey where person = $1 and id is distinct from $2",
    )?
    .execute(params![person.0, but.map(|id| id.0)])?;
    sessions::end_all(conn, person)
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
            reference: activation_message(new.id),
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
        .execute([activation_message(activation)])?;
    }
    Ok(())
}

/// What the message of an activation is called.
fn activation_message(activation: ActivationId) -> String {
    format!("activation-{activation}")
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
/// the activation was spent, is over or void, or the person was switched off or has a password and a
/// method already.
pub(super) fn activate(
    conn: &Connection,
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
    let set = prepare(
        conn,
        "update person set password = $1, method = $2, phone = $3, phone_confirmed = 0,
             phone_from = case when $3 is null then null else 'email_activation' end
         where id = $4 and disabled = 0 and (password is null or method is null)",
    )?
    .execute(params![
        activate.password.expose(),
        word(&activate.method)?,
        activate.phone.as_ref().map(Phone::as_str),
        person.0
    ])?;
    if spent == 0 || set == 0 {
        return Ok(false);
    }
    remember_password(conn, person, &activate.password)?;
    void_activations(conn, person)?;
    end_everything(conn, person, Some(journey))?;
    prepare(conn, "delete from device where person = $1")?.execute([person.0])?;
    Ok(true)
}
