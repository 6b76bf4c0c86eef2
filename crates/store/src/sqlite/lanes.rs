//! Budgets, and the devices that have their own.
//!
//! A budget is read and written in one transaction of the one writer, so that of many tries at once
//! each sees what the others spent. Engines with several writers lock the row.

use journey::{
    PersonId, Timestamp,
    limit::{Lane, Rule, Wait},
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Cause, rows::prepare};
use crate::{LaneKey, seal::sha256};

/// How exact the day is on which a device was last seen, in seconds: a day.
const SEEN_WITHIN_S: i64 = 86_400;

/// The key of a budget: people's numbers and names are not spelt out.
pub(super) fn hash(lane: &LaneKey) -> [u8; 32] {
    let (kind, owner): (&[u8], Vec<u8>) = match lane {
        LaneKey::Activation(name) => (b"activation", name.to_vec()),
        LaneKey::Name(name) => (b"name", name.to_vec()),
        LaneKey::Password(person) => (b"password", person.0.to_vec()),
        LaneKey::PasswordFrom(person, device) => {
            (b"password-from", [person.0.as_slice(), device].concat())
        }
        LaneKey::SecondFactor(person) => (b"second-factor", person.0.to_vec()),
        LaneKey::SecondFactorFrom(person, device) => (
            b"second-factor-from",
            [person.0.as_slice(), device].concat(),
        ),
        LaneKey::SmsAll => (b"sms-all", vec![]),
        LaneKey::SmsNumber(phone) => (b"sms-number", phone.as_str().as_bytes().to_vec()),
        LaneKey::SmsPerson(person) => (b"sms-person", person.0.to_vec()),
    };
    sha256(&[kind, b"\0", &owner].concat())
}

pub(super) fn read(conn: &Connection, lane: &[u8; 32]) -> Result<Lane, Cause> {
    let found = prepare(conn, "select at, tries from lane where hash = $1")?
        .query_row([lane], |row| {
            Ok(Lane {
                at: Timestamp(row.get(0)?),
                tries: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

pub(super) fn spend(
    conn: &Connection,
    lane: &[u8; 32],
    rule: &Rule,
    now: Timestamp,
) -> Result<Result<Lane, Wait>, Cause> {
    let spent = match read(conn, lane)?.spend(rule, now) {
        Ok(spent) => spent,
        Err(wait) => return Ok(Err(wait)),
    };
    let rests_at = spent
        .at
        .plus(i64::from(spent.tries).saturating_mul(rule.forget_s));
    prepare(
        conn,
        "insert into lane (hash, at, rests_at, tries) values ($1, $2, $3, $4)
         on conflict (hash) do update
         set at = excluded.at, rests_at = excluded.rests_at, tries = excluded.tries",
    )?
    .execute(params![lane, spent.at.0, rests_at.0, spent.tries])?;
    Ok(Ok(spent))
}

/// A budget of which nothing is spent any more is not kept: so the table stays as small as there are
/// people who are just trying.
pub(super) fn refund(conn: &Connection, lane: &[u8; 32]) -> Result<(), Cause> {
    let gone = prepare(conn, "delete from lane where hash = $1 and tries <= 1")?.execute([lane])?;
    if gone == 0 {
        prepare(conn, "update lane set tries = tries - 1 where hash = $1")?.execute([lane])?;
    }
    Ok(())
}

pub(super) fn knows_device(
    conn: &Connection,
    person: PersonId,
    device: &[u8; 32],
) -> Result<bool, Cause> {
    let found = prepare(
        conn,
        "select 1 from device where person = $1 and device = $2",
    )?
    .exists(params![person.0, device])?;
    Ok(found)
}

/// Remembers a device, unless it came within the day.
pub(super) fn remember_device(
    conn: &Connection,
    person: PersonId,
    device: &[u8; 32],
    now: Timestamp,
) -> Result<(), Cause> {
    prepare(
        conn,
        "insert into device (person, device, seen) values ($1, $2, $3)
         on conflict (person, device) do update set seen = excluded.seen where seen <= $4",
    )?
    .execute(params![person.0, device, now.0, now.plus(-SEEN_WITHIN_S).0])?;
    Ok(())
}
