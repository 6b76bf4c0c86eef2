//! Journeys: a sealed state, moved by whoever read it last.

use std::sync::Arc;

use journey::{JourneyId, PersonId, Timestamp, effect::Effect};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Cause, effects,
    rows::{Columns, Unreadable, prepare},
    writer::Verdict,
};
use crate::{
    By, Committed, Journey, TakeOver,
    forms::{self, Inside},
    seal::Keys,
};

/// A step to be written: the state is sealed before the writer's turn comes.
pub(super) struct Step {
    pub(super) by: By,
    pub(super) effects: Vec<Effect>,
    /// See [`forms::era`].
    era: Option<u32>,
    pub(super) id: JourneyId,
    pub(super) keys: Arc<Keys>,
    pub(super) person: Option<PersonId>,
    /// The version that this step makes; the one it starts from is `version`.
    pub(super) makes: u32,
    version: u32,
    browser: [u8; 32],
    /// The state, unless the journey is over with its first step.
    sealed: Option<Vec<u8>>,
    support: String,
    until: Timestamp,
}

impl Step {
    /// The step that begins a journey.
    pub(super) fn first(
        keys: &Arc<Keys>,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Self, Cause> {
        let sealed = journey
            .goes_on()
            .then(|| forms::seal_journey(keys, journey))
            .transpose()?;
        Ok(Self::of(keys, journey, effects, by, sealed))
    }

    /// A step of a journey that is there already.
    pub(super) fn next(
        keys: &Arc<Keys>,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Self, Cause> {
        let sealed = Some(forms::seal_journey(keys, journey)?);
        Ok(Self {
            makes: journey.version.saturating_add(1),
            ..Self::of(keys, journey, effects, by, sealed)
        })
    }

    fn of(
        keys: &Arc<Keys>,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
        sealed: Option<Vec<u8>>,
    ) -> Self {
        let person = forms::traveller(&journey.state);
        Self {
            browser: journey.browser,
            by: By {
                person: by.person.or(person),
                ..by.clone()
            },
            effects: effects.to_vec(),
            era: forms::era(&journey.state),
            id: journey.id,
            keys: keys.clone(),
            makes: journey.version,
            person,
            sealed,
            support: journey.support.clone(),
            until: journey.until,
            version: journey.version,
        }
    }

    pub(super) fn open(&self, conn: &Connection) -> Result<Verdict<Committed>, Cause> {
        let Some(sealed) = &self.sealed else {
            return self.finish(conn, 1);
        };
        let opened = prepare(
            conn,
            "insert into journey (id, browser, epoch, person, sealed, support, until, version)
             select $1, $2, number, $3, $4, $5, $6, $7 from meta
             where name = 'epoch' and ($8 is null or exists (
                 select 1 from person where person.id = $3 and person.era = $8))
             on conflict do nothing",
        )?
        .execute(params![
            self.id.0,
            self.browser,
            self.person.map(|id| id.0),
            sealed,
            self.support,
            self.until.0,
            self.version,
            self.era,
        ])?;
        self.finish(conn, opened)
    }

    pub(super) fn commit(&self, conn: &Connection) -> Result<Verdict<Committed>, Cause> {
        let moved = prepare(
            conn,
            "update journey
             set person = coalesce($1, person), sealed = $2, support = $3, until = $4,
                 version = version + 1
             where id = $5 and version = $6
                 and epoch = (select number from meta where name = 'epoch')",
        )?
        .execute(params![
            self.person.map(|id| id.0),
            self.sealed,
            self.support,
            self.until.0,
            self.id.0,
            self.version
        ])?;
        self.finish(conn, moved)
    }

    fn finish(&self, conn: &Connection, written: usize) -> Result<Verdict<Committed>, Cause> {
        if written == 0 {
            return Ok(Verdict::Undo(Committed::Overtaken));
        }
        Ok(match effects::apply(conn, self)? {
            Ok(session) => Verdict::Keep(Committed::Yes(session)),
            Err(refused) => Verdict::Undo(refused),
        })
    }
}

pub(super) fn by_id(
    conn: &Connection,
    keys: &Keys,
    id: JourneyId,
) -> Result<Option<Journey>, Cause> {
    let mut find = prepare(
        conn,
        "select id, sealed, browser, support, until, version from journey
         where id = $1 and epoch = (select number from meta where name = 'epoch')",
    )?;
    let mut rows = find.query([id.0])?;
    rows.next()?.map(|row| read(keys, row)).transpose()
}

fn read(keys: &Keys, row: &Row<'_>) -> Result<Journey, Cause> {
    let mut columns = Columns::of(row);
    let id = JourneyId(columns.next()?);
    let sealed: Vec<u8> = columns.next()?;
    let Inside { purpose, state } = forms::open_journey(keys, id, &sealed)?;
    Ok(Journey {
        browser: columns.next()?,
        id,
        purpose,
        state,
        support: columns.next()?,
        until: Timestamp(columns.next()?),
        version: columns.next()?,
    })
}

/// The same offer, made once more by a step that comes too late, leaves a used link used; one that is made
/// anew lasts longer.
pub(super) fn offer_resume(
    conn: &Connection,
    journey: JourneyId,
    resume: &[u8; 32],
    until: Timestamp,
) -> Result<(), Cause> {
    let offered = prepare(
        conn,
        "update journey
         set resume_used = case when resume = $1 and resume_until >= $2 then resume_used else 0 end,
             resume = $1, resume_until = $2
         where id = $3",
    )?
    .execute(params![resume, until.0, journey.0])?;
    match offered {
        0 => Err(Unreadable("journey").into()),
        _ => Ok(()),
    }
}

/// Moves a journey to another browser. Its version rises with that, so that a step of the former
/// browser that is under way comes too late.
pub(super) fn take_over(
    conn: &Connection,
    keys: &Keys,
    (resume, browser): (&[u8; 32], &[u8; 32]),
    now: Timestamp,
) -> Result<TakeOver, Cause> {
    let mut take = prepare(
        conn,
        "update journey set browser = $1, resume_used = 1, version = version + 1
         where resume = $2 and resume_used = 0 and resume_until > $3 and until > $3
             and epoch = (select number from meta where name = 'epoch')
         returning id, sealed, browser, support, until, version",
    )?;
    let mut taken = take.query_and_then(params![browser, resume, now.0], |row| read(keys, row))?;
    if let Some(journey) = taken.next() {
        return Ok(TakeOver::Taken(Box::new(journey?)));
    }
    let used: Option<bool> = prepare(conn, "select resume_used from journey where resume = $1")?
        .query_row([resume], |row| row.get(0))
        .optional()?;
    Ok(match used {
        None => TakeOver::Unknown,
        Some(true) => TakeOver::Used,
        Some(false) => TakeOver::Expired,
    })
}
