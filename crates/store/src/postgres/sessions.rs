//! Sessions, what hangs on them, and what is used once.

use journey::{Happened, PersonId, Place, Proof, Timestamp};
use tokio_postgres::Row;

use super::{
    Cause,
    link::{Link, Tx},
    participants, people, refresh,
    rows::Columns,
};
use crate::{
    Account, By, EndSessions, NewSession, Redeemed, Redemption, SessionRecord,
    forms::{CLOCKS_APART_S, USED_WITHIN_S},
    key,
    seal::Keys,
};

/// A session for somebody who is not switched off, of a proof that still counts. Its id exists from here on
/// and nowhere before.
///
/// The person's row is held: whoever switches them off or resets them at this moment waits, and then sees the
/// session that is to end; or was first, and there is none.
pub(super) async fn begin(
    tx: &Tx,
    person: PersonId,
    (place, proof): (&Place, &Proof),
    now: Timestamp,
) -> Result<Option<NewSession>, Cause> {
    let id = key::draw_secret(now);
    let begun = tx
        .execute(
            "insert into session (key, created, epoch, person, place, proof, seen)
             select $1::bytea, $2::bigint, number, person.id, $3::text, $4::text, $2::bigint
             from meta, person
             where meta.name = 'epoch' and person.id = $5 and person.disabled = 0
                 and person.era = $6
             for share of person",
            &[
                &key::of_secret(id.expose()).as_slice(),
                &now.0,
                &serde_json::to_string(place)?,
                &serde_json::to_string(proof)?,
                &person.0.as_slice(),
                &i64::from(proof.password().era()),
            ],
        )
        .await?;
    Ok((begun > 0).then_some(NewSession { id }))
}

macro_rules! select_session {
    ($which:literal) => {
        concat!(
            "select created, key, person, place, proof, seen from session
             where epoch = (select number from meta where name = 'epoch') and ",
            $which
        )
    };
}

pub(super) async fn by_key(link: &Link, key: &[u8; 32]) -> Result<Option<SessionRecord>, Cause> {
    let found = link
        .row(select_session!("key = $1"), &[&key.as_slice()])
        .await?;
    found.as_ref().map(read).transpose()
}

/// Whether a session of somebody lives, until this commit. Their row is held before, as everywhere.
pub(super) async fn is_held(tx: &Tx, person: PersonId, key: &[u8; 32]) -> Result<bool, Cause> {
    let (person, key) = (person.0.as_slice(), key.as_slice());
    let sql = "select 1 from person where id = $1 for no key update";
    tx.row(sql, &[&person]).await?;
    let sql = "select 1 from session where key = $1 and person = $2
             and epoch = (select number from meta where name = 'epoch') for update";
    Ok(tx.row(sql, &[&key, &person]).await?.is_some())
}

fn read(row: &Row) -> Result<SessionRecord, Cause> {
    let mut columns = Columns::of(row);
    Ok(SessionRecord {
        created: Timestamp(columns.next()?),
        key: columns.next_bytes()?,
        person: PersonId(columns.next_bytes()?),
        place: columns.next_json()?,
        proof: columns.next_json()?,
        seen: Timestamp(columns.next()?),
    })
}

/// The session; that it was used is written behind the reader's back, and may be lost.
pub(super) async fn used(
    link: &Link,
    key: &[u8; 32],
    now: Timestamp,
) -> Result<Option<SessionRecord>, Cause> {
    let session = by_key(link, key).await?;
    let wants_touch = |session: &SessionRecord| now.since(session.seen) >= USED_WITHIN_S;
    if session.as_ref().is_some_and(wants_touch) {
        link.post(
            "with later as materialized (select set_config('synchronous_commit', 'off', true))
             update session set seen = $1 from later where key = $2 and seen <= $3",
            &[&now.0, &key.as_slice(), &now.plus(-USED_WITHIN_S).0],
        )
        .await?;
    }
    Ok(session)
}

pub(super) async fn of_person(
    link: &Link,
    person: PersonId,
    now: Timestamp,
) -> Result<Vec<SessionRecord>, Cause> {
    let rows = link
        .rows(
            select_session!("person = $1 and created <= $2 order by created desc, key"),
            &[&person.0.as_slice(), &now.0],
        )
        .await?;
    rows.iter().map(read).collect()
}

pub(super) async fn end(tx: &Tx, keys: &Keys, which: &EndSessions, by: &By) -> Result<u32, Cause> {
    let (ended, person) = match which {
        EndSessions::All(person) => (end_all(tx, *person).await?, Some(*person)),
        EndSessions::Others(person, but) => {
            let sql = "delete from session where person = $1 and key <> $2";
            let ended = tx
                .execute(sql, &[&person.0.as_slice(), &but.as_slice()])
                .await?;
            refresh::end_of_person(tx, *person, Some(but)).await?;
            (u32::try_from(ended)?, Some(*person))
        }
        EndSessions::One(key) => end_one(tx, key, true).await?,
        EndSessions::Over(key) => end_one(tx, key, false).await?,
        EndSessions::Replaced(old, new) => {
            refresh::follow(tx, old, new).await?;
            end_one(tx, old, true).await?
        }
    };
    participants::tell(tx, keys, which, by.at).await?;
    if ended > 0 {
        let by = By {
            person: by.person.or(person),
            ..by.clone()
        };
        tx.tell(&Happened::SignedOut { sessions: ended }, &by, None);
    }
    Ok(ended)
}

/// Ends all sessions of a person; how many.
pub(super) async fn end_all(tx: &Tx, person: PersonId) -> Result<u32, Cause> {
    let sql = "delete from session where person = $1";
    let ended = tx.execute(sql, &[&person.0.as_slice()]).await?;
    refresh::end_of_person(tx, person, None).await?;
    Ok(u32::try_from(ended)?)
}

/// Ends one session, and what hangs on it, even if the session itself is over already; whose it was.
async fn end_one(
    tx: &Tx,
    key: &[u8; 32],
    and_offline: bool,
) -> Result<(u32, Option<PersonId>), Cause> {
    let sql = "delete from session where key = $1 returning person";
    let ended = tx.row(sql, &[&key.as_slice()]).await?;
    refresh::end_of_session(tx, key, and_offline).await?;
    let Some(row) = ended else {
        return Ok((0, None));
    };
    let person = PersonId(Columns::of(&row).next_bytes()?);
    Ok((1, Some(person)))
}

pub(super) async fn consume(tx: &Tx, hash: &[u8; 32], until: Timestamp) -> Result<bool, Cause> {
    let consumed = tx
        .execute(
            "insert into used (hash, until) values ($1, $2) on conflict (hash) do nothing",
            &[&hash.as_slice(), &until.plus(CLOCKS_APART_S).0],
        )
        .await?;
    Ok(consumed > 0)
}

/// Redeems a code once. A second time voids what the first gave.
pub(super) async fn redeem(tx: &Tx, redemption: &Redemption, by: &By) -> Result<Redeemed, Cause> {
    let application = redemption.application.clone();
    let first = tx
        .execute(
            "insert into code (id, until) values ($1, $2) on conflict (id) do nothing",
            &[&redemption.code.as_slice(), &redemption.until.0],
        )
        .await?;
    if first == 0 {
        refresh::end(tx, &redemption.code).await?;
        tx.tell(&Happened::CodeReused { application }, by, None);
        return Ok(Redeemed::Reused);
    }
    let Some(session) = by_key(tx, &redemption.session).await? else {
        return Ok(Redeemed::SessionOver);
    };
    if let Some(family) = &redemption.refresh
        && !refresh::begin(tx, redemption, family, by.at).await?
    {
        return Ok(Redeemed::SessionOver);
    }
    let by = By {
        person: Some(session.person),
        ..by.clone()
    };
    let assurance = session.proof.assurance();
    let issued = Happened::TokenIssued {
        application,
        assurance,
    };
    tx.tell(&issued, &by, None);
    Ok(Redeemed::Yes)
}

pub(super) async fn redeemed(
    link: &Link,
    keys: &Keys,
    (code, session): (&[u8; 16], &[u8; 32]),
) -> Result<Option<Account>, Cause> {
    let found = link
        .row(
            "select person from session
             where key = $1 and epoch = (select number from meta where name = 'epoch')
                 and (exists (select 1 from code where id = $2 and reused = 0)
                     or exists (select 1 from refresh where family = $2))
             union all
             select person from refresh
             where family = $2 and offline = 1
                 and epoch = (select number from meta where name = 'epoch')
             limit 1",
            &[&session.as_slice(), &code.as_slice()],
        )
        .await?;
    let Some(row) = found else { return Ok(None) };
    let person = PersonId(Columns::of(&row).next_bytes()?);
    people::by_id(link, keys, person).await
}
