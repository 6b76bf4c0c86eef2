//! People: reading them, switching them off, activating them. How they come in is in `import`.

use journey::{
    ActivationId, Happened, JourneyId, Language, NameKey, Person, PersonId, Phone, Secret,
    Timestamp, effect::Activate,
};
use tokio_postgres::Row;

use super::{
    Cause,
    link::{Link, Tx},
    outbox,
    outbox::People,
    participants, recovery,
    rows::Columns,
    sessions,
};
use crate::{
    Account, ActivationRecord, By, Cohort, EndSessions, NewActivation,
    forms::{self, Bound, PASSWORDS_KEPT, Posting, Unreadable, variant, word},
    seal::Keys,
};

/// Selects people with their app, token and other names: `$which` says whom.
macro_rules! select_person {
    ($which:literal) => {
        concat!(
            "select person.id, disabled, first_name, language, last_name, mail, method, password,
                 phone, phone_confirmed, role, school, username, era,
                 app.id, app.sealed, app.drift, app.last_counter,
                 token.serial, token.sealed, token.drift, token.last_counter,
                 array(select name.name from name
                       where name.person = person.id and alias = 1 order by name.name)
             from person
             left join otp app on app.person = person.id and app.carrier = 'app'
             left join otp token on token.person = person.id and token.carrier = 'token' ",
            $which
        )
    };
}

pub(super) async fn by_name(
    link: &Link,
    keys: &Keys,
    name: &NameKey,
) -> Result<Option<Account>, Cause> {
    let found = link
        .row(
            select_person!("where person.id = (select person from name where name = $1)"),
            &[&name.as_str()],
        )
        .await?;
    found.map(|row| read(keys, &row)).transpose()
}

pub(super) async fn by_id(
    link: &Link,
    keys: &Keys,
    id: PersonId,
) -> Result<Option<Account>, Cause> {
    let found = link
        .row(select_person!("where person.id = $1"), &[&id.0.as_slice()])
        .await?;
    found.map(|row| read(keys, &row)).transpose()
}

/// Several people at once; one who cannot be read is told apart from the others.
pub(super) async fn by_ids(
    link: &Link,
    keys: &Keys,
    ids: impl Iterator<Item = PersonId>,
) -> Result<People, Cause> {
    let ids: Vec<_> = ids.map(|id| id.0.to_vec()).collect();
    if ids.is_empty() {
        return Ok(People::new());
    }
    let rows = link
        .rows(select_person!("where person.id = any($1)"), &[&ids])
        .await?;
    let mut people = People::with_capacity(rows.len());
    for row in &rows {
        let id = PersonId(Columns::of(row).next_bytes()?);
        people.insert(id, read(keys, row));
    }
    Ok(people)
}

pub(super) async fn list(
    link: &Link,
    keys: &Keys,
    which: &Cohort,
    (after, limit): (Option<&str>, u32),
) -> Result<Vec<Account>, Cause> {
    let (after, limit) = (after.unwrap_or_default(), i64::from(limit));
    let key = NameKey::of(after);
    let key = key.as_ref().map_or("", NameKey::as_str);
    let rows = match which {
        Cohort::All => {
            let sql = select_person!(
                "join name as own on own.person = person.id
                 where own.alias = 0 and own.name > $1 order by own.name limit $2"
            );
            link.rows(sql, &[&key, &limit]).await?
        }
        Cohort::NotActivated => {
            let sql = select_person!(
                "join name as own on own.person = person.id
                 where own.alias = 0 and own.name > $1 and password is null
                 order by own.name limit $2"
            );
            link.rows(sql, &[&key, &limit]).await?
        }
        Cohort::School(school) => {
            let sql =
                select_person!("where school = $3 and username > $1 order by username limit $2");
            link.rows(sql, &[&after, &limit, school]).await?
        }
    };
    rows.iter().map(|row| read(keys, row)).collect()
}

fn bound(columns: &mut Columns<'_>) -> Result<Bound, Cause> {
    Ok(Bound {
        sealed: columns.next()?,
        drift: columns.next()?,
        last_counter: columns.next()?,
    })
}

/// An account, from the columns of `select_person`.
fn read(keys: &Keys, row: &Row) -> Result<Account, Cause> {
    let mut columns = Columns::of(row);
    let id = PersonId(columns.next_bytes()?);
    let disabled = columns.next_flag()?;
    let first_name = columns.next()?;
    let language: &str = columns.next()?;
    let last_name = columns.next()?;
    let mail = columns.next()?;
    let method: Option<&str> = columns.next()?;
    let password: Option<Vec<u8>> = columns.next()?;
    let phone: Option<String> = columns.next()?;
    let phone_confirmed = columns.next_flag()?;
    let role: &str = columns.next()?;
    let school = columns.next()?;
    let username = columns.next()?;
    let era = columns.next_count()?;
    let app = columns
        .next_bytes_if_any()?
        .map(|app| forms::app_aad(app, id));
    let app = bound(&mut columns)?.open(keys, app)?;
    let token_serial: Option<String> = columns.next()?;
    let token_aad = token_serial.as_deref().map(forms::token_aad);
    let token = bound(&mut columns)?.open(keys, token_aad)?;
    let person = Person {
        app,
        disabled,
        first_name,
        id,
        language: Language::parse(language).ok_or(Unreadable("language"))?,
        last_name,
        mail,
        method: method.map(variant).transpose()?,
        phone: phone.map(Phone::try_from).transpose()?,
        phone_confirmed,
        role: variant(role)?,
        school,
        token,
        token_serial,
        username,
    };
    Ok(Account {
        aliases: columns.next()?,
        era,
        password: password.map(Secret::new),
        person,
    })
}

pub(super) async fn upgrade_password(
    tx: &Tx,
    person: PersonId,
    from: &Secret,
    to: &Secret,
) -> Result<(), Cause> {
    for sql in [
        "update person set password = $1 where id = $2 and password = $3",
        "update password_past set hash = $1 where person = $2 and hash = $3",
    ] {
        tx.execute(sql, &[&to.expose(), &person.0.as_slice(), &from.expose()])
            .await?;
    }
    Ok(())
}

pub(super) async fn password_history(
    link: &Link,
    person: PersonId,
    limit: u8,
) -> Result<Vec<Secret>, Cause> {
    let sql = "select hash from password_past where person = $1 order by number desc limit $2";
    let rows = link
        .rows(sql, &[&person.0.as_slice(), &i64::from(limit)])
        .await?;
    let hashes = rows.iter().map(|row| Columns::of(row).next());
    hashes.map(|hash| hash.map(Secret::new)).collect()
}

pub(super) async fn remember_password(
    tx: &Tx,
    person: PersonId,
    hash: &Secret,
) -> Result<(), Cause> {
    let number = tx
        .row(
            "insert into password_past (person, number, hash)
             select $1::bytea, coalesce(max(number), 0) + 1, $2::bytea
             from password_past where person = $1
             returning number",
            &[&person.0.as_slice(), &hash.expose()],
        )
        .await?
        .ok_or(Unreadable("password_past.number"))?;
    let number: i64 = Columns::of(&number).next()?;
    tx.execute(
        "delete from password_past where person = $1 and number <= $2",
        &[
            &person.0.as_slice(),
            &number.saturating_sub(i64::from(PASSWORDS_KEPT)),
        ],
    )
    .await?;
    Ok(())
}

/// Off: with their sessions, journeys and messages. Of these writes all happen, or none.
pub(super) async fn disable(
    tx: &Tx,
    keys: &Keys,
    person: PersonId,
    disabled: bool,
    by: &By,
) -> Result<(), Cause> {
    let by = By {
        person: Some(person),
        ..by.clone()
    };
    let switched = tx
        .execute(
            "update person set disabled = $1 where id = $2 and disabled <> $1",
            &[&i64::from(disabled), &person.0.as_slice()],
        )
        .await?;
    if switched == 0 || !disabled {
        return Ok(());
    }
    tx.execute(
        "update outbox set state = 'failed', note = 'the person was switched off', sealed = null
         where person = $1 and sealed is not null and reference not like 'signed-out-%'",
        &[&person.0.as_slice()],
    )
    .await?;
    // Codes that were asked for before are not made afterwards, either.
    next_era(tx, person).await?;
    recovery::make_void(tx, person).await?;
    let sessions = end_everything(tx, keys, person, (None, by.at)).await?;
    tx.tell(&Happened::SignedOut { sessions }, &by, None);
    Ok(())
}

/// Ends what a person has begun, but for the journey that asks for it: sessions with their access
/// tokens, journeys. The applications hear of it. How many sessions.
pub(super) async fn end_everything(
    tx: &Tx,
    keys: &Keys,
    person: PersonId,
    (but, now): (Option<JourneyId>, Timestamp),
) -> Result<u32, Cause> {
    tx.execute(
        "delete from journey where person = $1 and id is distinct from $2",
        &[
            &person.0.as_slice(),
            &but.as_ref().map(|id| id.0.as_slice()),
        ],
    )
    .await?;
    let sessions = sessions::end_all(tx, person).await?;
    participants::tell(tx, keys, &EndSessions::All(person), now).await?;
    Ok(sessions)
}

pub(super) async fn issue_activation(
    tx: &Tx,
    keys: &Keys,
    new: &NewActivation,
    by: &By,
) -> Result<(), Cause> {
    let by = By {
        person: Some(new.person),
        ..by.clone()
    };
    void_activations(tx, new.person).await?;
    tx.execute(
        "insert into activation (id, mac, made_at, person, until) values ($1, $2, $3, $4, $5)",
        &[
            &new.id.0.as_slice(),
            &new.mac.as_slice(),
            &by.at.0,
            &new.person.0.as_slice(),
            &new.until.0,
        ],
    )
    .await?;
    if let Some(message) = &new.message {
        let posting = Posting {
            journey: None,
            message,
            now: by.at,
            person: new.person,
            reference: forms::activation_message(new.id),
            until: new.until,
        };
        outbox::post(tx, keys, &posting).await?;
    }
    tx.tell(&Happened::ActivationSent, &by, None);
    Ok(())
}

async fn void_activations(tx: &Tx, person: PersonId) -> Result<(), Cause> {
    let voided = tx
        .rows(
            "delete from activation where person = $1 and used_at is null returning id",
            &[&person.0.as_slice()],
        )
        .await?;
    for row in &voided {
        // Its message, if it still waits, would bring a code that no longer works.
        let activation = ActivationId(Columns::of(row).next_bytes()?);
        tx.execute(
            "update outbox set state = 'failed', note = 'a newer code takes its place', sealed = null
             where reference = $1 and sealed is not null",
            &[&forms::activation_message(activation)],
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn activations(
    link: &Link,
    person: PersonId,
) -> Result<Vec<ActivationRecord>, Cause> {
    let rows = link
        .rows(
            "select id, mac, until, used_at from activation where person = $1
             order by made_at desc, used_at is null desc, id",
            &[&person.0.as_slice()],
        )
        .await?;
    let record = |row: &Row| {
        let mut columns = Columns::of(row);
        Ok(ActivationRecord {
            id: ActivationId(columns.next_bytes()?),
            mac: columns.next_bytes()?,
            until: Timestamp(columns.next()?),
            used_at: columns.next::<Option<_>>()?.map(Timestamp),
        })
    };
    rows.iter().map(record).collect()
}

/// Spends the activation and sets what was chosen; everything that was begun before ends. False if
/// the activation was spent, is over or void, or the person was switched off, has a password and a
/// method already, or has to choose what was not chosen, or the other way round.
pub(super) async fn activate(
    tx: &Tx,
    keys: &Keys,
    activate: &Activate,
    (journey, now): (JourneyId, Timestamp),
) -> Result<bool, Cause> {
    let person = activate.person;
    let spent = tx
        .execute(
            "update activation set used_at = $1
             where id = $2 and person = $3 and used_at is null and until > $1",
            &[
                &now.0,
                &activate.activation.0.as_slice(),
                &person.0.as_slice(),
            ],
        )
        .await?;
    if spent == 0 || !set_chosen(tx, activate).await? {
        return Ok(false);
    }
    remember_password(tx, person, &activate.password).await?;
    void_activations(tx, person).await?;
    end_everything(tx, keys, person, (Some(journey), now)).await?;
    forget_devices(tx, person).await?;
    Ok(true)
}

/// [L06] Whose password alone was reset keeps method and number. A password that is replaced takes what was
/// proven with it along.
async fn set_chosen(tx: &Tx, activate: &Activate) -> Result<bool, Cause> {
    let (person, password) = (activate.person.0.as_slice(), activate.password.expose());
    let set = match &activate.chosen {
        Some((method, phone)) => {
            tx.execute(
                "update person set password = $1, method = $2, phone = $3, phone_confirmed = 0,
                     phone_from = case when $3::text is null then null else 'email_activation' end,
                     era = era + case when password is null then 0 else 1 end
                 where id = $4 and disabled = 0
                     and (method is null or password is null and not exists (
                         select 1 from password_past where password_past.person = person.id))",
                &[
                    &password,
                    &word(method)?,
                    &phone.as_ref().map(Phone::as_str),
                    &person,
                ],
            )
            .await?
        }
        None => {
            tx.execute(
                "update person set password = $1
                 where id = $2 and disabled = 0 and password is null and method is not null",
                &[&password, &person],
            )
            .await?
        }
    };
    Ok(set > 0)
}

/// What they have proven so far opens nothing any more. Who never had a password has proven nothing, and an import
/// tells by the era that an account is not the register's any more.
pub(super) async fn next_era(tx: &Tx, person: PersonId) -> Result<(), Cause> {
    let sql = "update person set era = era + 1 where id = $1 and (password is not null or era > 0)";
    tx.execute(sql, &[&person.0.as_slice()]).await?;
    Ok(())
}

/// No device of theirs is known any more.
pub(super) async fn forget_devices(tx: &Tx, person: PersonId) -> Result<(), Cause> {
    let sql = "delete from device where person = $1";
    tx.execute(sql, &[&person.0.as_slice()]).await?;
    Ok(())
}
