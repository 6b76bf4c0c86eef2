//! Taking in a register: everybody or nobody, in one transaction that others do not see until its end.
//!
//! What is asked and written is asked and written for many people at once, so that a hundred thousand of
//! them do not take as many ways to the server. Names are given in a second round, when those that change
//! hands are free.

use std::collections::{HashMap, HashSet};

use journey::{Happened, NameKey, PersonId, Phone, Secret};

use super::{Cause, Verdict, link::Tx, people, rows::Columns, tokens};
use crate::{
    By, Conflict, Imported, NewPerson,
    forms::{names_of, twice, word},
    seal::Keys,
};

/// So many people share a statement.
const AT_ONCE: usize = 2000;

type Import = Result<Imported, Vec<(usize, Conflict)>>;

/// Takes in all people or none.
pub(super) async fn import(
    tx: &Tx,
    people: &[NewPerson],
    (keys, by): (&Keys, &By),
) -> Result<Verdict<Import>, Cause> {
    let mut conflicts = twice(people);
    let seen_before: HashSet<usize> = conflicts.iter().map(|(at, _)| *at).collect();
    let entries = people.iter().enumerate();
    let entries: Vec<_> = entries
        .filter(|(at, _)| !seen_before.contains(at))
        .collect();
    let mut imported = Imported::default();
    let mut taken_in = Vec::with_capacity(entries.len());
    for entries in entries.chunks(AT_ONCE) {
        let known = known(tx, entries, &mut conflicts).await?;
        taken_in.extend(take_in(tx, known, (keys, by), &mut conflicts).await?);
    }
    for entries in taken_in.chunks(AT_ONCE) {
        let changed = give_names(tx, entries, &mut conflicts).await?;
        for entry in entries {
            let count = match (entry.created, entry.changed || changed.contains(&entry.at)) {
                (true, _) => &mut imported.created,
                (false, true) => &mut imported.updated,
                (false, false) => &mut imported.unchanged,
            };
            *count = count.saturating_add(1);
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
    tx.tell(&happened, by, None);
    Ok(Verdict::Keep(Ok(imported)))
}

/// Somebody of the import, and who that is.
struct Entry<'a> {
    at: usize,
    changed: bool,
    created: bool,
    new: &'a NewPerson,
    person: PersonId,
}

/// Who is known by their user name, and who is new.
async fn known<'a>(
    tx: &Tx,
    entries: &[(usize, &'a NewPerson)],
    conflicts: &mut Vec<(usize, Conflict)>,
) -> Result<Vec<Entry<'a>>, Cause> {
    let keys = entries.iter().map(|(_, new)| NameKey::of(&new.username));
    let keys: Vec<_> = keys.collect();
    let holders = holders(tx, keys.iter().flatten()).await?;
    let mut known = Vec::with_capacity(entries.len());
    for ((at, new), key) in entries.iter().zip(&keys) {
        let Some(key) = key else {
            conflicts.push((*at, Conflict::NoName(new.username.clone())));
            continue;
        };
        let holder = holders.get(key.as_str());
        if holder.is_some_and(|(_, alias)| *alias) {
            conflicts.push((*at, Conflict::NameTaken(new.username.clone())));
            continue;
        }
        known.push(Entry {
            at: *at,
            changed: false,
            created: holder.is_none(),
            new,
            person: holder.map_or(new.id, |(person, _)| *person),
        });
    }
    Ok(known)
}

/// To whom names lead, and whether as aliases.
async fn holders(
    tx: &Tx,
    names: impl Iterator<Item = &NameKey>,
) -> Result<HashMap<String, (PersonId, bool)>, Cause> {
    let names: Vec<_> = names.map(NameKey::as_str).collect();
    let sql = "select name, person, alias from name where name = any($1)";
    let rows = tx.rows(sql, &[&names]).await?;
    let holder = |row| {
        let mut columns = Columns::of(row);
        let name = columns.next()?;
        let person = PersonId(columns.next_bytes()?);
        Ok((name, (person, columns.next_flag()?)))
    };
    rows.iter().map(holder).collect()
}

/// The people's own rows, with the tokens they bring; and the names that are no longer theirs go. Those
/// without a conflict come back.
async fn take_in<'a>(
    tx: &Tx,
    mut entries: Vec<Entry<'a>>,
    with: (&Keys, &By),
    conflicts: &mut Vec<(usize, Conflict)>,
) -> Result<Vec<Entry<'a>>, Cause> {
    let (created, known): (Vec<&Entry<'_>>, Vec<_>) =
        entries.iter().partition(|entry| entry.created);
    let activated = activated(tx, &known).await?;
    insert(tx, &created).await?;
    let changed = update(tx, &known).await?;
    for entry in &mut entries {
        entry.changed = changed.contains(&entry.person);
    }
    let mut kept = Vec::with_capacity(entries.len());
    for mut entry in entries {
        let open = !activated.contains(&entry.person);
        if let Some(serial) = entry.new.token_serial.as_ref().filter(|_| open) {
            match tokens::bring(tx, entry.person, serial, with).await? {
                Ok(brought) => entry.changed |= brought,
                Err(conflict) => {
                    conflicts.push((entry.at, conflict));
                    continue;
                }
            }
        }
        kept.push(entry);
    }
    Ok(kept)
}

fn ids<'a>(entries: &'a [&Entry<'_>]) -> Vec<&'a [u8]> {
    let ids = entries.iter().map(|entry| entry.person.0.as_slice());
    ids.collect()
}

/// Whose account is theirs already: it has a password, or had one before it was reset.
async fn activated(tx: &Tx, known: &[&Entry<'_>]) -> Result<HashSet<PersonId>, Cause> {
    let sql = "select id from person where id = any($1) and (password is not null or era > 0)";
    people_of(tx.rows(sql, &[&ids(known)]).await?)
}

fn people_of(rows: Vec<tokio_postgres::Row>) -> Result<HashSet<PersonId>, Cause> {
    let ids = rows.iter().map(|row| Columns::of(row).next_bytes());
    ids.map(|id| id.map(PersonId)).collect()
}

/// What a register says of people, a column each.
struct Register<'a> {
    first_names: Vec<&'a str>,
    ids: Vec<&'a [u8]>,
    languages: Vec<&'a str>,
    last_names: Vec<&'a str>,
    mails: Vec<&'a str>,
    methods: Vec<Option<String>>,
    passwords: Vec<Option<&'a [u8]>>,
    phones: Vec<Option<&'a str>>,
    roles: Vec<String>,
    schools: Vec<Option<&'a str>>,
    usernames: Vec<&'a str>,
}

impl<'a> Register<'a> {
    fn of(entries: &'a [&Entry<'a>]) -> Result<Self, Cause> {
        let texts = |column: fn(&'a NewPerson) -> &'a str| {
            let texts = entries.iter().map(|entry| column(entry.new));
            texts.collect::<Vec<_>>()
        };
        let all = || entries.iter().map(|entry| entry.new);
        let methods = all().map(|new| new.method.as_ref().map(word).transpose());
        let passwords = all().map(|new| new.password.as_ref().map(Secret::expose));
        let phones = all().map(|new| new.phone.as_ref().map(Phone::as_str));
        let roles = all().map(|new| word(&new.role));
        Ok(Self {
            first_names: texts(|new| &new.first_name),
            ids: ids(entries),
            languages: texts(|new| new.language.code()),
            last_names: texts(|new| &new.last_name),
            mails: texts(|new| &new.mail),
            methods: methods.collect::<Result<_, _>>()?,
            passwords: passwords.collect(),
            phones: phones.collect(),
            roles: roles.collect::<Result<_, _>>()?,
            schools: all().map(|new| new.school.as_deref()).collect(),
            usernames: texts(|new| &new.username),
        })
    }
}

async fn insert(tx: &Tx, created: &[&Entry<'_>]) -> Result<(), Cause> {
    if created.is_empty() {
        return Ok(());
    }
    let register = Register::of(created)?;
    tx.execute(
        "insert into person (id, first_name, language, last_name, mail, method, password, phone,
             phone_from, role, school, username)
         select id, first_name, language, last_name, mail, method, password, phone,
             case when phone is null then null else 'register' end, role, school, username
         from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
             $7::bytea[], $8::text[], $9::text[], $10::text[], $11::text[])
             as new (id, first_name, language, last_name, mail, method, password, phone, role,
                 school, username)",
        &[
            &register.ids,
            &register.first_names,
            &register.languages,
            &register.last_names,
            &register.mails,
            &register.methods,
            &register.passwords,
            &register.phones,
            &register.roles,
            &register.schools,
            &register.usernames,
        ],
    )
    .await?;
    tx.execute(
        "insert into password_past (person, number, hash)
         select id, 1, password from unnest($1::bytea[], $2::bytea[]) as new (id, password)
         where password is not null",
        &[&register.ids, &register.passwords],
    )
    .await?;
    Ok(())
}

/// The register's data of people known; what belongs to the account only while it is not activated; and
/// the aliases that are gone. Who changed.
async fn update(tx: &Tx, known: &[&Entry<'_>]) -> Result<HashSet<PersonId>, Cause> {
    if known.is_empty() {
        return Ok(HashSet::new());
    }
    let mut changed = update_register(tx, &Register::of(known)?).await?;
    let of_account = update_account(tx, &Register::of(known)?).await?;
    let with_password = known
        .iter()
        .filter(|entry| of_account.contains(&entry.person));
    for entry in with_password {
        if let Some(password) = &entry.new.password {
            people::remember_password(tx, entry.person, password).await?;
        }
    }
    changed.extend(of_account);
    changed.extend(take_aliases(tx, known).await?);
    Ok(changed)
}

async fn update_register(tx: &Tx, register: &Register<'_>) -> Result<HashSet<PersonId>, Cause> {
    let changed = tx
        .rows(
            "update person set first_name = new.first_name, language = new.language,
                 last_name = new.last_name, mail = new.mail, role = new.role, school = new.school,
                 username = new.username
             from unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                 $7::text[], $8::text[])
                 as new (id, first_name, language, last_name, mail, role, school, username)
             where person.id = new.id and (person.first_name <> new.first_name
                 or person.language <> new.language or person.last_name <> new.last_name
                 or person.mail <> new.mail or person.role <> new.role
                 or person.school is distinct from new.school or person.username <> new.username)
             returning person.id",
            &[
                &register.ids,
                &register.first_names,
                &register.languages,
                &register.last_names,
                &register.mails,
                &register.roles,
                &register.schools,
                &register.usernames,
            ],
        )
        .await?;
    people_of(changed)
}

async fn update_account(tx: &Tx, register: &Register<'_>) -> Result<HashSet<PersonId>, Cause> {
    let changed = tx
        .rows(
            "update person set method = coalesce(new.method, person.method),
                 phone = coalesce(new.phone, person.phone),
                 phone_from = case when new.phone is null then phone_from else 'register' end,
                 password = new.password
             from unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[])
                 as new (id, method, phone, password)
             where person.id = new.id and person.password is null and person.era = 0
                 and (new.method is distinct from person.method and new.method is not null
                     or new.phone is distinct from person.phone and new.phone is not null
                     or new.password is not null)
             returning person.id",
            &[
                &register.ids,
                &register.methods,
                &register.phones,
                &register.passwords,
            ],
        )
        .await?;
    people_of(changed)
}

/// Takes the aliases away that people no longer have. Who had one.
async fn take_aliases(tx: &Tx, known: &[&Entry<'_>]) -> Result<HashSet<PersonId>, Cause> {
    let keep = known.iter().map(|entry| {
        let keys = entry
            .new
            .aliases
            .iter()
            .filter_map(|name| NameKey::of(name));
        (entry.person, keys.collect::<Vec<_>>())
    });
    let keep: HashMap<_, _> = keep.collect();
    let sql = "select name, person from name where person = any($1) and alias = 1";
    let (mut gone, mut whose) = (vec![], HashSet::new());
    for row in tx.rows(sql, &[&ids(known)]).await? {
        let mut columns = Columns::of(&row);
        let name: String = columns.next()?;
        let person = PersonId(columns.next_bytes()?);
        let kept = keep
            .get(&person)
            .is_some_and(|keys| keys.iter().any(|key| key.as_str() == name));
        if !kept {
            gone.push(name);
            whose.insert(person);
        }
    }
    if !gone.is_empty() {
        let sql = "delete from name where name = any($1)";
        tx.execute(sql, &[&gone]).await?;
    }
    Ok(whose)
}

/// The names that lead to people. Which entries have new ones.
async fn give_names(
    tx: &Tx,
    entries: &[Entry<'_>],
    conflicts: &mut Vec<(usize, Conflict)>,
) -> Result<HashSet<usize>, Cause> {
    let mut wanted = vec![];
    for entry in entries {
        for (number, name) in names_of(entry.new).enumerate() {
            let Some(key) = NameKey::of(name) else {
                conflicts.push((entry.at, Conflict::NoName(name.to_owned())));
                break;
            };
            wanted.push((entry, name, key, i64::from(number > 0)));
        }
    }
    let keys: Vec<_> = wanted.iter().map(|(_, _, key, _)| key.as_str()).collect();
    let aliases: Vec<_> = wanted.iter().map(|(_, _, _, alias)| *alias).collect();
    let ids = wanted.iter().map(|(entry, ..)| entry.person.0.as_slice());
    let given = tx
        .rows(
            "insert into name (name, alias, person)
             select * from unnest($1::text[], $2::bigint[], $3::bytea[])
             on conflict (name) do nothing returning name",
            &[&keys, &aliases, &ids.collect::<Vec<_>>()],
        )
        .await?;
    let given = given.iter().map(|row| Columns::of(row).next());
    let given: HashSet<&str> = given.collect::<Result<_, _>>()?;
    let holders = holders(tx, wanted.iter().map(|(_, _, key, _)| key)).await?;
    let (mut changed, mut refused) = (HashSet::new(), HashSet::new());
    for (entry, name, key, _) in &wanted {
        let holder = holders.get(key.as_str()).map(|(person, _)| *person);
        if holder != Some(entry.person) {
            if refused.insert(entry.at) {
                conflicts.push((entry.at, Conflict::NameTaken((*name).to_owned())));
            }
        } else if given.contains(key.as_str()) {
            changed.insert(entry.at);
        }
    }
    Ok(changed)
}
