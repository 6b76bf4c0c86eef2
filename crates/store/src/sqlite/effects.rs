//! What a step asks for, written with the step: all of it, or nothing.

use journey::{
    Notice, Otp, PersonId, Phone, Place, SmsCode, Timestamp,
    effect::Effect,
    limit::{self, Rule},
};
use rusqlite::{Connection, params};

use super::{
    Cause, journeys::Step, lanes, outbox, people, recovery, rows::prepare, sessions, tokens,
    tokens::NotAssigned, trail,
};
use crate::{
    AssignToken, Committed, LaneKey, Message, NewSession,
    forms::{self, NOTICE_S, Posting},
};

/// A session if somebody was signed in, or the reason why nothing of the step may stay.
type Applied = Result<Option<NewSession>, Committed>;

pub(super) fn apply(conn: &Connection, step: &Step) -> Result<Applied, Cause> {
    let mut session = None;
    for (number, effect) in step.effects.iter().enumerate() {
        match apply_one(conn, step, (number, effect))? {
            Ok(made) => session = made.or(session),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(session))
}

fn apply_one(
    conn: &Connection,
    step: &Step,
    (number, effect): (usize, &Effect),
) -> Result<Applied, Cause> {
    let (by, now) = (&step.by, step.by.at);
    let done_if = |done: bool, refused| if done { Ok(None) } else { Err(refused) };
    match effect {
        Effect::Activate(activate) => {
            let done = people::activate(conn, &step.keys, activate, (step.id, now))?;
            Ok(done_if(done, Committed::ActivationSpent))
        }
        Effect::AssignToken {
            counter,
            drift,
            person,
            serial,
        } => assign(conn, step, (*person, serial), (*counter, *drift)),
        Effect::Audit(happened) => {
            trail::append(conn, happened, by, Some(step.id))?;
            Ok(Ok(None))
        }
        Effect::EnrolApp { otp, person, place } => {
            let bound = tokens::enrol_app(conn, &step.keys, (*person, otp), (place, now))?;
            Ok(done_if(bound, Committed::AlreadyEnrolled))
        }
        Effect::EnrolSms { person, place: _ } => {
            let confirmed = confirm_phone(conn, *person)?;
            Ok(done_if(confirmed, Committed::Overtaken))
        }
        Effect::Notify { notice, person } => notify(conn, step, number, (*person, notice)),
        Effect::RefundPassword { device, person } => {
            refund(conn, &LaneKey::of_password(*person, *device))
        }
        Effect::RememberDevice { device, person } => {
            lanes::remember_device(conn, *person, device, now)?;
            Ok(Ok(None))
        }
        Effect::RefundTry { device, person } => {
            refund(conn, &LaneKey::of_second_factor(*person, *device))
        }
        Effect::ReplaceWithApp {
            otp,
            person,
            place,
            session,
        } => replace(conn, step, (*person, otp, place), session.as_ref()),
        Effect::SendSmsCode { code, person, to } => {
            send_sms(conn, step, number, (*person, to, code))
        }
        Effect::SignIn {
            person,
            place,
            proof,
        } => {
            let session = sessions::begin(conn, *person, (place, proof), now)?;
            Ok(session.map(Some).ok_or(Committed::Overtaken))
        }
        Effect::SpendCounter {
            counter,
            drift,
            factor,
        } => {
            let spent = tokens::spend_counter(conn, *factor, step.person, (*counter, *drift))?;
            Ok(done_if(spent, Committed::CounterSpent))
        }
        Effect::SpendRecoveryCode { code, person } => {
            let spent = recovery::spend(conn, *person, code)?;
            Ok(done_if(spent, Committed::CounterSpent))
        }
    }
}

/// The token that was shown becomes the person's.
fn assign(
    conn: &Connection,
    step: &Step,
    (person, serial): (PersonId, &str),
    counter: (u64, i64),
) -> Result<Applied, Cause> {
    let token = AssignToken {
        counter: Some(counter),
        person,
        serial: serial.to_owned(),
    };
    let assigned = tokens::assign(conn, &step.keys, &token, &step.by, Some(step.id))?;
    Ok(match assigned {
        Ok(()) => Ok(None),
        Err(NotAssigned::CounterSpent) => Err(Committed::CounterSpent),
        Err(NotAssigned::Taken) => Err(Committed::TokenTaken),
    })
}

/// Another app, if the session that asked for it still lives.
fn replace(
    conn: &Connection,
    step: &Step,
    (person, otp, place): (PersonId, &Otp, &Place),
    session: Option<&[u8; 32]>,
) -> Result<Applied, Cause> {
    if let Some(key) = session {
        let session = sessions::by_key(conn, key)?;
        if session.is_none_or(|session| session.person != person) {
            return Ok(Err(Committed::SessionOver));
        }
    }
    let moment = (place, step.by.at, step.id);
    let bound = recovery::replace_with_app(conn, &step.keys, (person, otp), moment)?;
    Ok(match bound {
        true => Ok(None),
        false => Err(Committed::Overtaken),
    })
}

fn refund(conn: &Connection, lane: &LaneKey) -> Result<Applied, Cause> {
    lanes::refund(conn, &forms::lane(lane))?;
    Ok(Ok(None))
}

/// The number that is bound came back with a code.
fn confirm_phone(conn: &Connection, person: PersonId) -> Result<bool, Cause> {
    let confirmed = prepare(
        conn,
        "update person set phone_confirmed = 1
         where id = $1 and phone is not null and disabled = 0",
    )?
    .execute([person.0])?;
    Ok(confirmed > 0)
}

/// A code goes to the number that is bound at this moment, if the budgets of the number, the person
/// and the house allow it.
fn send_sms(
    conn: &Connection,
    step: &Step,
    number: usize,
    (person, to, code): (PersonId, &Phone, &SmsCode),
) -> Result<Applied, Cause> {
    let bound = prepare(
        conn,
        "select 1 from person where id = $1 and phone = $2 and disabled = 0",
    )?
    .exists(params![person.0, to.as_str()])?;
    if !bound {
        return Ok(Err(Committed::Overtaken));
    }
    let budgets: [(LaneKey, &Rule); 3] = [
        (LaneKey::SmsNumber(to.clone()), &limit::SMS_NUMBER),
        (LaneKey::SmsPerson(person), &limit::SMS_PERSON),
        (LaneKey::SmsAll, &limit::SMS_ALL),
    ];
    for (lane, rule) in budgets {
        if lanes::spend(conn, &forms::lane(&lane), rule, step.by.at)?.is_err() {
            return Ok(Err(Committed::SmsBudgetSpent));
        }
    }
    let message = Message::SmsCode {
        digits: code.digits().clone(),
        to: to.clone(),
    };
    post(conn, step, number, (person, &message, code.until))?;
    Ok(Ok(None))
}

/// A notice to the person.
fn notify(
    conn: &Connection,
    step: &Step,
    number: usize,
    (person, notice): (PersonId, &Notice),
) -> Result<Applied, Cause> {
    let message = Message::Notice(notice.clone());
    let until = step.by.at.plus(NOTICE_S);
    post(conn, step, number, (person, &message, until))?;
    Ok(Ok(None))
}

/// A message of a step. Its reference is the step's and the effect's own, for ever.
fn post(
    conn: &Connection,
    step: &Step,
    number: usize,
    (person, message, until): (PersonId, &Message, Timestamp),
) -> Result<(), Cause> {
    let posting = Posting {
        journey: Some(step.id),
        message,
        now: step.by.at,
        person,
        reference: format!("{}-{}-{number}", step.id, step.makes),
        until,
    };
    outbox::post(conn, &step.keys, &posting)
}
