//! Journeys: a sealed state, moved by whoever read it last.

use journey::{JourneyId, PersonId, Timestamp, effect::Effect};
use tokio_postgres::Row;

use super::{
    Cause, Verdict, effects,
    link::{Link, Tx},
    rows::Columns,
};
use crate::{
    By, Committed, Journey, TakeOver,
    forms::{self, Inside, Unreadable},
    seal::Keys,
};

/// A step to be written. It is sealed once, however often it is tried.
pub(super) struct Step<'a> {
    pub(super) by: By,
    pub(super) effects: &'a [Effect],
    pub(super) journey: &'a Journey,
    pub(super) keys: &'a Keys,
    pub(super) person: Option<PersonId>,
    /// The version that this step makes.
    pub(super) makes: u32,
    /// The state, unless the journey is over with its first step.
    sealed: Option<Vec<u8>>,
}

impl<'a> Step<'a> {
    /// The step that begins a journey.
    pub(super) fn first(
        keys: &'a Keys,
        journey: &'a Journey,
        effects: &'a [Effect],
        by: &By,
    ) -> Result<Self, Cause> {
        let sealed = journey
            .goes_on()
            .then(|| forms::seal_journey(keys, journey));
        Ok(Self {
            sealed: sealed.transpose()?,
            ..Self::of(keys, journey, effects, by)
        })
    }

    /// A step of a journey that is there already.
    pub(super) fn next(
        keys: &'a Keys,
        journey: &'a Journey,
        effects: &'a [Effect],
        by: &By,
    ) -> Result<Self, Cause> {
        Ok(Self {
            makes: journey.version.saturating_add(1),
            sealed: Some(forms::seal_journey(keys, journey)?),
            ..Self::of(keys, journey, effects, by)
        })
    }

    fn of(keys: &'a Keys, journey: &'a Journey, effects: &'a [Effect], by: &By) -> Self {
        let person = forms::traveller(&journey.state);
        Self {
            by: By {
                person: by.person.or(person),
                ..by.clone()
            },
            effects,
            journey,
            keys,
            makes: journey.version,
            person,
            sealed: None,
        }
    }

    pub(super) async fn open(&self, tx: &Tx) -> Result<Verdict<Committed>, Cause> {
        let Some(sealed) = &self.sealed else {
            return self.finish(tx, 1).await;
        };
        // The person's row is held: whoever resets them at this moment waits, and then sees the journey that
        // is to end; or was first, and there is none.
        let opened = tx
            .execute(
                "with proven as (
                     select 1 from person where person.id = $3 and person.era = $8 for share)
                 insert into journey (id, browser, epoch, person, sealed, support, until, version)
                 select $1::bytea, $2::bytea, number, $3::bytea, $4::bytea, $5::text, $6::bigint,
                     $7::bigint
                 from meta
                 where name = 'epoch' and ($8::bigint is null or exists (select 1 from proven))
                 on conflict do nothing",
                &[
                    &self.journey.id.0.as_slice(),
                    &self.journey.browser.as_slice(),
                    &self.person.as_ref().map(|id| id.0.as_slice()),
                    sealed,
                    &self.journey.support,
                    &self.journey.until.0,
                    &i64::from(self.journey.version),
                    &forms::era(&self.journey.state).map(i64::from),
                ],
            )
            .await?;
        self.finish(tx, opened).await
    }

    pub(super) async fn commit(&self, tx: &Tx) -> Result<Verdict<Committed>, Cause> {
        // The person's row before the journey's: whoever ends what somebody has begun holds the person, and
        // waits for their journeys. Two that did it the other way round would wait for each other.
        let held = self
            .person
            .filter(|_| self.effects.iter().any(is_of_person));
        let moved = tx
            .execute(
                "with held as (select 1 from person where person.id = $7 for no key update)
                 update journey
                 set person = coalesce($1, person), sealed = $2, support = $3, until = $4,
                     version = version + 1
                 where id = $5 and version = $6
                     and epoch = (select number from meta where name = 'epoch')
                     and ($7::bytea is null or exists (select 1 from held))",
                &[
                    &self.person.as_ref().map(|id| id.0.as_slice()),
                    &self.sealed,
                    &self.journey.support,
                    &self.journey.until.0,
                    &self.journey.id.0.as_slice(),
                    &i64::from(self.journey.version),
                    &held.as_ref().map(|id| id.0.as_slice()),
                ],
            )
            .await?;
        self.finish(tx, moved).await
    }

    async fn finish(&self, tx: &Tx, written: u64) -> Result<Verdict<Committed>, Cause> {
        if written == 0 {
            return Ok(Verdict::Undo(Committed::Overtaken));
        }
        Ok(match effects::apply(tx, self).await? {
            Ok(session) => Verdict::Keep(Committed::Yes(session)),
            Err(refused) => Verdict::Undo(refused),
        })
    }
}

/// Whether an effect touches what a person has: its step holds their row.
const fn is_of_person(effect: &Effect) -> bool {
    match effect {
        Effect::Activate(_)
        | Effect::AssignToken { .. }
        | Effect::EnrolApp { .. }
        | Effect::EnrolSms { .. }
        | Effect::RememberDevice { .. }
        | Effect::ReplaceWithApp { .. }
        | Effect::SendSmsCode { .. }
        | Effect::SignIn { .. }
        | Effect::SpendCounter { .. }
        | Effect::SpendRecoveryCode { .. } => true,
        Effect::Audit(_)
        | Effect::Notify { .. }
        | Effect::RefundPassword { .. }
        | Effect::RefundTry { .. } => false,
    }
}

pub(super) async fn by_id(
    link: &Link,
    keys: &Keys,
    id: JourneyId,
) -> Result<Option<Journey>, Cause> {
    let found = link
        .row(
            "select id, sealed, browser, support, until, version from journey
             where id = $1 and epoch = (select number from meta where name = 'epoch')",
            &[&id.0.as_slice()],
        )
        .await?;
    found.map(|row| read(keys, &row)).transpose()
}

fn read(keys: &Keys, row: &Row) -> Result<Journey, Cause> {
    let mut columns = Columns::of(row);
    let id = JourneyId(columns.next_bytes()?);
    let Inside { purpose, state } = forms::open_journey(keys, id, columns.next()?)?;
    Ok(Journey {
        id,
        purpose,
        state,
        browser: columns.next_bytes()?,
        support: columns.next()?,
        until: Timestamp(columns.next()?),
        version: columns.next_count()?,
    })
}

/// The same offer, made once more by a step that comes too late, leaves a used link used; one that is made
/// anew lasts longer.
pub(super) async fn offer_resume(
    tx: &Tx,
    journey: JourneyId,
    resume: &[u8; 32],
    until: Timestamp,
) -> Result<(), Cause> {
    let offered = tx
        .execute(
            "update journey
             set resume_used = case when resume = $1 and resume_until >= $2 then resume_used else 0 end,
                 resume = $1, resume_until = $2
             where id = $3",
            &[&resume.as_slice(), &until.0, &journey.0.as_slice()],
        )
        .await?;
    match offered {
        0 => Err(Unreadable("journey").into()),
        _ => Ok(()),
    }
}

/// Moves a journey to another browser. Its version rises with that, so that a step of the former
/// browser that is under way comes too late.
pub(super) async fn take_over(
    tx: &Tx,
    keys: &Keys,
    (resume, browser): (&[u8; 32], &[u8; 32]),
    now: Timestamp,
) -> Result<TakeOver, Cause> {
    let taken = tx
        .row(
            "update journey set browser = $1, resume_used = 1, version = version + 1
             where resume = $2 and resume_used = 0 and resume_until > $3 and until > $3
                 and epoch = (select number from meta where name = 'epoch')
             returning id, sealed, browser, support, until, version",
            &[&browser.as_slice(), &resume.as_slice(), &now.0],
        )
        .await?;
    if let Some(row) = taken {
        return Ok(TakeOver::Taken(Box::new(read(keys, &row)?)));
    }
    let known = tx
        .row(
            "select resume_used from journey where resume = $1",
            &[&resume.as_slice()],
        )
        .await?;
    let Some(known) = known else {
        return Ok(TakeOver::Unknown);
    };
    Ok(match Columns::of(&known).next_flag()? {
        true => TakeOver::Used,
        false => TakeOver::Expired,
    })
}
