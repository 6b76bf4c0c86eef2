//! Taking in a register: everybody or nobody, while others sign in.
//!
//! All of it is compared first, by readers, for whom nobody waits. Whoever is new is then written in
//! slices, between which others write, beyond a mark: there nobody sees them. One short transaction at
//! the end writes what changes for those who are known, tells the audit and takes the mark away, so that
//! all of it happens at that moment. Whoever an import that was killed left beyond its mark is swept out
//! by the next import, or by upkeep.
//!
//! `rowid` numbers people in the order in which they came. Nobody but an import makes any, and one import
//! runs at a time, so everybody beyond the mark belongs to it; and nobody but the sweep removes any, from
//! the end, so the numbers have no gaps and no `VACUUM` moves them.

#[cfg(unix)]
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::{
    collections::HashSet,
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use journey::{Happened, NameKey, PersonId, Phone, Secret};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Cause, Sqlite, people,
    rows::{prepare, word},
    schema::{self, Durability},
    tokens, trail,
    writer::Verdict,
};
use crate::{
    By, Conflict, ImportError, Imported, NewPerson, Result, StoreError,
    forms::{names_of, twice},
    seal::Keys,
};

const DOING: &str = "importing people";
/// So many people are written together: some milliseconds, for which everybody else waits.
const SLICE: usize = 600;
/// So many names are, which takes as long.
const SLICE_OF_NAMES: usize = 2000;
/// So long the file is everybody else's between two slices.
const PAUSE: Duration = Duration::from_millis(2);
/// So many people are compared before other work gets its turn.
const COMPARED: usize = 500;
/// Pages kept while many people come, in KiB.
const CACHE_KIB: i64 = 64 << 10;

type Conflicts = Vec<(usize, Conflict)>;

/// The right to import: at most one holds it on a database, and it ends with the process at the latest.
struct Turn(#[expect(dead_code, reason = "holds the lock until it is dropped")] File);

impl Turn {
    /// An empty file beside the database, of the same owner: whoever imports as root must not shut out who
    /// serves.
    fn file(database: &Path) -> std::io::Result<File> {
        let mut path = database.as_os_str().to_owned();
        path.push("-import");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let of = std::fs::metadata(database)?;
        #[cfg(unix)]
        options.mode(of.mode() & 0o666);
        let file = options.open(PathBuf::from(path))?;
        #[cfg(unix)]
        if file.metadata()?.uid() != of.uid() {
            fchown(&file, Some(of.uid()), Some(of.gid()))?;
        }
        Ok(file)
    }

    /// Waits until nobody else imports.
    async fn wait(database: &Path) -> Result<Self, Cause> {
        let file = Self::file(database)?;
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await?;
        Ok(Self(locked?))
    }

    /// None if somebody imports.
    fn now(database: &Path) -> Result<Option<Self>, Cause> {
        let file = Self::file(database)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(cause)) => Err(cause.into()),
        }
    }
}

/// Takes in all people or none.
pub(super) async fn import(
    store: &Sqlite,
    people: &[NewPerson],
    by: &By,
) -> Result<Imported, ImportError> {
    let _turn = Turn::wait(store.readers.path()).await.map_err(failed)?;
    sweep(store).await?;
    let compared = compare(store, people).await?;
    if !compared.conflicts.is_empty() {
        return Err(ImportError::Conflicts(compared.conflicts));
    }
    let in_slices = compared.new.len() > SLICE;
    if in_slices {
        let arrived = arrive(store, people, &compared.new).await;
        let usual =
            |conn: &Connection| keep_pages(conn, schema::WRITER_CACHE_KIB).map(Verdict::Keep);
        store.writer.run_ahead(DOING, usual).await?;
        arrived?;
    }
    let last = last(people, &compared, in_slices);
    let (keys, by, known) = (store.keys.clone(), by.clone(), compared.counts());
    let work = move |conn: &Connection| finish(conn, &last, known, (&keys, &by));
    let imported = store.writer.run(DOING, work).await?;
    if imported.is_err() && in_slices {
        sweep(store).await?;
    }
    imported.map_err(ImportError::Conflicts)
}

fn failed(source: Cause) -> StoreError {
    StoreError {
        doing: DOING,
        source,
    }
}

/// How an import stands to what is known.
#[derive(Default)]
struct Compared {
    /// Who is known, and differs.
    changed: Vec<(usize, PersonId)>,
    conflicts: Conflicts,
    /// Aliases that nobody keeps.
    freed: HashSet<String>,
    /// Who is new.
    new: Vec<(PersonId, usize)>,
    unchanged: u32,
    /// Names that are somebody else's, with the key, and the entry that wants them.
    wanted: Vec<(NameKey, usize, String)>,
}

/// Compares without holding anybody up.
async fn compare(store: &Sqlite, people: &[NewPerson]) -> Result<Compared> {
    let mut compared = Compared {
        conflicts: twice(people),
        ..Compared::default()
    };
    let seen_before: HashSet<usize> = compared.conflicts.iter().map(|(at, _)| *at).collect();
    let entries: Vec<usize> = (0..people.len())
        .filter(|at| !seen_before.contains(at))
        .collect();
    for entries in entries.chunks(COMPARED) {
        store.read(DOING, |conn| {
            let mut entries = entries
                .iter()
                .filter_map(|at| Some((*at, people.get(*at)?)));
            entries.try_for_each(|(at, new)| compared.entry(conn, at, new))
        })?;
        tokio::task::yield_now().await;
    }
    compared.settle_names();
    // Neighbours in this list are neighbours on the disk, so that a slice writes few pages.
    compared.new.sort();
    compared.conflicts.sort_by_key(|(at, _)| *at);
    Ok(compared)
}

impl Compared {
    /// Whose names are free, for the entries that come with them or later.
    fn settle_names(&mut self) {
        let freed = &self.freed;
        let taken = |(key, at, name): &(NameKey, usize, String)| {
            let conflict = (*at, Conflict::NameTaken(name.clone()));
            (!freed.contains(key.as_str())).then_some(conflict)
        };
        self.conflicts.extend(self.wanted.iter().filter_map(taken));
    }

    fn counts(&self) -> Imported {
        Imported {
            created: u32::try_from(self.new.len()).unwrap_or(u32::MAX),
            updated: 0,
            unchanged: self.unchanged,
        }
    }

    fn entry(&mut self, conn: &Connection, at: usize, new: &NewPerson) -> Result<(), Cause> {
        let refuse = |all: &mut Self, conflict| all.conflicts.push((at, conflict));
        let Some(key) = NameKey::of(&new.username) else {
            refuse(self, Conflict::NoName(new.username.clone()));
            return Ok(());
        };
        let known = match holder(conn, &key)? {
            Some((_, true)) => {
                refuse(self, Conflict::NameTaken(new.username.clone()));
                return Ok(());
            }
            Some((person, false)) => Some(person),
            None => None,
        };
        let mut changed = self.aliases(conn, (at, new), known)?;
        if let Some(serial) = &new.token_serial {
            match token(conn, serial, known)? {
                Ok(brought) => changed |= brought,
                Err(conflict) => refuse(self, conflict),
            }
        }
        match known {
            None => self.new.push((new.id, at)),
            Some(person) if changed || differs(conn, person, new)? => {
                self.changed.push((at, person));
            }
            Some(_) => self.unchanged = self.unchanged.saturating_add(1),
        }
        Ok(())
    }

    /// The aliases of an entry. Whether they are others than before.
    fn aliases(
        &mut self,
        conn: &Connection,
        (at, new): (usize, &NewPerson),
        known: Option<PersonId>,
    ) -> Result<bool, Cause> {
        let mut changed = false;
        let mut keep = HashSet::new();
        for alias in &new.aliases {
            let Some(key) = NameKey::of(alias) else {
                self.conflicts.push((at, Conflict::NoName(alias.clone())));
                continue;
            };
            match holder(conn, &key)? {
                Some((person, _)) if Some(person) == known => {}
                Some(_) => self.wanted.push((key.clone(), at, alias.clone())),
                None => changed = true,
            }
            keep.insert(key);
        }
        for before in known.map_or_else(|| Ok(vec![]), |person| people::aliases(conn, person))? {
            if !keep.iter().any(|key| key.as_str() == before) {
                changed = true;
                self.freed.insert(before);
            }
        }
        changed |= self.wanted.last().is_some_and(|(_, by, _)| *by == at);
        Ok(changed)
    }
}

/// To whom a name leads, and whether as an alias.
fn holder(conn: &Connection, name: &NameKey) -> Result<Option<(PersonId, bool)>, Cause> {
    let found = prepare(conn, "select person, alias from name where name = $1")?
        .query_row([name.as_str()], |row| {
            Ok((PersonId(row.get(0)?), row.get(1)?))
        })
        .optional()?;
    Ok(found)
}

/// Whether a token is brought, or why it cannot be. Who is activated keeps what they have.
fn token(
    conn: &Connection,
    serial: &str,
    known: Option<PersonId>,
) -> Result<Result<bool, Conflict>, Cause> {
    if let Some(person) = known
        && activated(conn, person)?
    {
        return Ok(Ok(false));
    }
    let holder: Option<Option<[u8; 16]>> =
        prepare(conn, "select person from otp where serial = $1")?
            .query_row([serial], |row| row.get(0))
            .optional()?;
    Ok(match holder {
        None => Err(Conflict::NoSuchToken(serial.to_owned())),
        Some(None) => Ok(true),
        Some(holder) if holder.map(PersonId) == known => Ok(false),
        Some(_) => Err(Conflict::TokenTaken(serial.to_owned())),
    })
}

/// Whether the account is theirs already: it has a password, or had one before it was reset.
fn activated(conn: &Connection, person: PersonId) -> Result<bool, Cause> {
    let found = prepare(
        conn,
        "select 1 from person where id = $1 and (password is not null or era > 0)",
    )?
    .exists([person.0])?;
    Ok(found)
}

/// Whether [`update`] would change anything.
fn differs(conn: &Connection, person: PersonId, new: &NewPerson) -> Result<bool, Cause> {
    let found = prepare(
        conn,
        "select 1 from person
         where id = $1 and (first_name <> $2 or language <> $3 or last_name <> $4 or mail <> $5
             or role <> $6 or school is distinct from $7 or username <> $8
             or password is null and era = 0
                 and ($9 is not null and $9 is distinct from method
                     or $10 is not null and $10 is distinct from phone or $11 is not null))",
    )?
    .exists(params![
        person.0,
        new.first_name,
        new.language.code(),
        new.last_name,
        new.mail,
        word(&new.role)?,
        new.school,
        new.username,
        new.method.as_ref().map(word).transpose()?,
        new.phone.as_ref().map(Phone::as_str),
        new.password.as_ref().map(Secret::expose),
    ])?;
    Ok(found)
}

/// Writes those who are new beyond the mark, slice by slice: people in the order of their ids, then names
/// in that of the alphabet. Not synced: until the end, nothing of it counts.
async fn arrive(store: &Sqlite, people: &[NewPerson], new: &[(PersonId, usize)]) -> Result<()> {
    let mark = |conn: &Connection| {
        keep_pages(conn, CACHE_KIB)?;
        prepare(
            conn,
            "insert into meta (name, number)
             select 'arriving', coalesce(max(rowid), 0) from person",
        )?
        .execute([])?;
        Ok(Verdict::Keep(()))
    };
    store.writer.run_ahead(DOING, mark).await?;
    let new: Vec<&NewPerson> = new.iter().filter_map(|(_, at)| people.get(*at)).collect();
    for slice in new.chunks(SLICE) {
        let slice: Vec<NewPerson> = slice.iter().map(|new| (*new).clone()).collect();
        let work = move |conn: &Connection| {
            slice.iter().try_for_each(|new| insert(conn, new))?;
            Ok(Verdict::Keep(()))
        };
        store.writer.run_ahead(DOING, work).await?;
        tokio::time::sleep(PAUSE).await;
    }
    let names = new.iter().flat_map(|new| {
        let keys = names_of(new).map(NameKey::of).enumerate();
        keys.filter_map(|(number, key)| Some((key?, number > 0, new.id)))
    });
    let mut names: Vec<(NameKey, bool, PersonId)> = names.collect();
    names.sort();
    for slice in names.chunks(SLICE_OF_NAMES) {
        let slice = slice.to_vec();
        let work = move |conn: &Connection| {
            for (key, alias, person) in &slice {
                // One that changes hands is somebody else's until the end.
                let _ = give(conn, key, *alias, *person)?;
            }
            Ok(Verdict::Keep(()))
        };
        store.writer.run_ahead(DOING, work).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

fn keep_pages(conn: &Connection, kib: i64) -> Result<(), Cause> {
    Ok(conn.pragma_update(None, "cache_size", -kib)?)
}

/// What is left to do for somebody at the end.
struct Last {
    at: usize,
    new: NewPerson,
    person: PersonId,
    /// Whether they are not yet written, were known before, or have arrived.
    standing: Standing,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Standing {
    Absent,
    Arrived,
    Known,
}

fn last(people: &[NewPerson], compared: &Compared, in_slices: bool) -> Vec<Last> {
    let entry = |at: usize, person: Option<PersonId>, standing| {
        let new = people.get(at)?.clone();
        let person = person.unwrap_or(new.id);
        Some(Last {
            at,
            new,
            person,
            standing,
        })
    };
    let waiting: HashSet<usize> = compared.wanted.iter().map(|(_, at, _)| *at).collect();
    let is_unfinished = |at: usize| {
        let brings = people.get(at).is_some_and(|new| new.token_serial.is_some());
        brings || waiting.contains(&at)
    };
    let standing = match in_slices {
        true => Standing::Arrived,
        false => Standing::Absent,
    };
    let new = compared.new.iter().map(|(_, at)| *at);
    let new = new.filter(|at| !in_slices || is_unfinished(*at));
    let known = compared.changed.iter();
    let known = known.filter_map(|(at, person)| entry(*at, Some(*person), Standing::Known));
    known
        .chain(new.filter_map(|at| entry(at, None, standing)))
        .collect()
}

/// The moment at which all of it happens. Names are given in a second round, when those that change
/// hands are free.
fn finish(
    conn: &Connection,
    last: &[Last],
    mut imported: Imported,
    (keys, by): (&Keys, &By),
) -> Result<Verdict<Result<Imported, Conflicts>>, Cause> {
    let mut conflicts = vec![];
    let mut changed = HashSet::new();
    for entry in last {
        let (at, differs) = (entry.at, take_in(conn, entry, (keys, by))?);
        match differs {
            Ok(differs) => differs.then(|| changed.insert(at)),
            Err(conflict) => {
                conflicts.push((at, conflict));
                None
            }
        };
    }
    for entry in last {
        match give_names(conn, &entry.new, entry.person)? {
            Ok(true) => drop(changed.insert(entry.at)),
            Ok(false) => {}
            Err(conflict) => conflicts.push((entry.at, conflict)),
        }
    }
    if !conflicts.is_empty() {
        conflicts.sort_by_key(|(at, _)| *at);
        return Ok(Verdict::Undo(Err(conflicts)));
    }
    for entry in last.iter().filter(|one| one.standing == Standing::Known) {
        match changed.contains(&entry.at) {
            true => imported.updated = imported.updated.saturating_add(1),
            false => imported.unchanged = imported.unchanged.saturating_add(1),
        }
    }
    prepare(conn, "delete from meta where name = 'arriving'")?.execute([])?;
    let happened = Happened::Imported {
        created: imported.created,
        updated: imported.updated,
    };
    trail::append(conn, &happened, by, None)?;
    Ok(Verdict::Keep(Ok(imported)))
}

/// The person's own row, with the token they bring; and the names that are no longer theirs go. Whether
/// anything changed.
fn take_in(
    conn: &Connection,
    entry: &Last,
    with: (&Keys, &By),
) -> Result<Result<bool, Conflict>, Cause> {
    let (new, person) = (&entry.new, entry.person);
    let open = entry.standing != Standing::Known || !activated(conn, person)?;
    let changed = match entry.standing {
        Standing::Absent => insert(conn, new).map(|()| true)?,
        Standing::Arrived => true,
        Standing::Known => update(conn, person, new)?,
    };
    let token = match &new.token_serial {
        Some(serial) if open => tokens::bring(conn, person, serial, with)?,
        _ => Ok(false),
    };
    Ok(token.map(|token| changed || token))
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
        Some(password) => people::remember_password(conn, new.id, password),
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
         where id = $4 and password is null and era = 0
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
        people::remember_password(conn, person, password)?;
    }
    let keep = new.aliases.iter().filter_map(|name| NameKey::of(name));
    let keep: Vec<NameKey> = keep.collect();
    let mut gone = false;
    for alias in people::aliases(conn, person)? {
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
    for (number, name) in names_of(new).enumerate() {
        let Some(key) = NameKey::of(name) else {
            return Ok(Err(Conflict::NoName(name.to_owned())));
        };
        let given = give(conn, &key, number > 0, person)?;
        changed |= given;
        if !given && holder(conn, &key)?.is_none_or(|(holder, _)| holder != person) {
            return Ok(Err(Conflict::NameTaken(name.to_owned())));
        }
    }
    Ok(Ok(changed))
}

/// Gives a name that nobody has. Whether nobody had it.
fn give(conn: &Connection, name: &NameKey, alias: bool, person: PersonId) -> Result<bool, Cause> {
    let given = prepare(
        conn,
        "insert into name (name, alias, person) values ($1, $2, $3)
         on conflict (name) do nothing",
    )?
    .execute(params![name.as_str(), alias, person.0])?;
    Ok(given > 0)
}

/// Sweeps out whoever an import that was killed has left behind, unless one runs. How many.
pub(super) async fn sweep_if_alone(store: &Sqlite) -> Result<u64> {
    if store.read(DOING, mark)?.is_none() {
        return Ok(0);
    }
    match Turn::now(store.readers.path()).map_err(failed)? {
        Some(_turn) => sweep(store).await,
        None => Ok(0),
    }
}

async fn sweep(store: &Sqlite) -> Result<u64> {
    if store.read(DOING, mark)?.is_none() {
        return Ok(0);
    }
    let (path, durability) = (store.readers.path().to_owned(), store.durability);
    let swept = tokio::task::spawn_blocking(move || sweep_out(&path, durability)).await;
    match swept {
        Ok(swept) => swept.map_err(failed),
        Err(panicked) => Err(failed(panicked.into())),
    }
}

/// Beyond it people are arriving.
fn mark(conn: &Connection) -> Result<Option<i64>, Cause> {
    let mark = prepare(conn, "select number from meta where name = 'arriving'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(mark)
}

/// On a connection of its own that looks for no references: nothing but names and a password refers to
/// somebody nobody saw, and to prove it, all messages would be walked through for each of them.
fn sweep_out(path: &Path, durability: Durability) -> Result<u64, Cause> {
    let conn = schema::open_writer(path, durability)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    let mut swept = 0_u64;
    while let Some(mark) = mark(&conn)? {
        prepare(&conn, "begin immediate")?.execute([])?;
        let some = sweep_some(&conn, mark)?;
        prepare(&conn, "commit")?.execute([])?;
        swept = swept.saturating_add(u64::try_from(some)?);
        std::thread::sleep(PAUSE);
    }
    Ok(swept)
}

/// The last ones first, so that numbers stay without gaps; after the first one the mark goes.
fn sweep_some(conn: &Connection, mark: i64) -> Result<usize, Cause> {
    let mut find = prepare(
        conn,
        "select id, username from person where rowid > $1 order by rowid desc limit $2",
    )?;
    let found = find.query_map(params![mark, SLICE as i64], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let found: Vec<([u8; 16], String)> = found.collect::<Result<_, _>>()?;
    for (id, username) in &found {
        let key = NameKey::of(username);
        let key = key.as_ref().map(NameKey::as_str);
        prepare(conn, "delete from name where name = $1 and person = $2")?
            .execute(params![key, id])?;
        for sql in [
            "delete from name where person = $1 and alias = 1",
            "delete from password_past where person = $1",
            "delete from person where id = $1",
        ] {
            prepare(conn, sql)?.execute([id])?;
        }
    }
    if found.len() < SLICE {
        prepare(conn, "delete from meta where name = 'arriving'")?.execute([])?;
    }
    Ok(found.len())
}

#[cfg(test)]
mod tests;
