//! What a step asks for, written with the step: all of it, or nothing.

use journey::{
    Notice, Otp, PersonId, Phone, Place, SmsCode, Timestamp,
    effect::Effect,
    limit::{self, Rule},
};

use super::{
    Cause, journeys::Step, lanes, link::Tx, outbox, people, recovery, sessions, tokens,
    tokens::NotAssigned,
};
use crate::{
    AssignToken, Committed, LaneKey, Message, NewSession,
    forms::{self, NOTICE_S, Posting},
};

/// A session if somebody was signed in, or the reason why nothing of the step may stay.
type Applied = Result<Option<NewSession>, Committed>;

pub(super) async fn apply(tx: &Tx, step: &Step<'_>) -> Result<Applied, Cause> {
    let mut session = None;
    for (number, effect) in step.effects.iter().enumerate() {
        match apply_one(tx, step, (number, effect)).await? {
            Ok(made) => session = made.or(session),
            Err(refused) => return Ok(Err(refused)),
        }
    }
    Ok(Ok(session))
}

async fn apply_one(
    tx: &Tx,
    step: &Step<'_>,
    (number, effect): (usize, &Effect),
) -> Result<Applied, Cause> {
    let (by, now) = (&step.by, step.by.at);
    let done_if = |done: bool, refused| if done { Ok(None) } else { Err(refused) };
    match effect {
        Effect::Activate(activate) => {
            let done = people::activate(tx, step.keys, activate, (step.journey.id, now)).await?;
            Ok(done_if(done, Committed::ActivationSpent))
        }
        Effect::AssignToken {
            counter,
            drift,
            person,
            serial,
        } => assign(tx, step, (*person, serial), (*counter, *drift)).await,
        Effect::Audit(happened) => {
            tx.tell(happened, by, Some(step.journey.id));
            Ok(Ok(None))
        }
        Effect::EnrolApp { otp, person, place } => {
            let bound = tokens::enrol_app(tx, step.keys, (*person, otp), (place, now)).await?;
            Ok(done_if(bound, Committed::AlreadyEnrolled))
        }
        Effect::EnrolSms { person, place: _ } => {
            let confirmed = confirm_phone(tx, *person).await?;
            Ok(done_if(confirmed, Committed::Overtaken))
        }
        Effect::Notify { notice, person } => notify(tx, step, number, (*person, notice)).await,
        Effect::RefundPassword { device, person } => {
            refund(tx, &LaneKey::of_password(*person, *device)).await
        }
        Effect::RefundTry { device, person } => {
            refund(tx, &LaneKey::of_second_factor(*person, *device)).await
        }
        Effect::RememberDevice { device, person } => {
            lanes::remember_device(tx, *person, device, now).await?;
            Ok(Ok(None))
        }
        Effect::ReplaceWithApp {
            otp,
            person,
            place,
            session,
        } => replace(tx, step, (*person, otp, place), session.as_ref()).await,
        Effect::SendSmsCode { code, person, to } => {
            send_sms(tx, step, number, (*person, to, code)).await
        }
        Effect::SignIn {
            person,
            place,
            proof,
        } => {
            let session = sessions::begin(tx, *person, (place, proof), now).await?;
            Ok(session.map(Some).ok_or(Committed::Overtaken))
        }
        Effect::SpendCounter {
            counter,
            drift,
            factor,
        } => {
            let spent = (*counter, *drift);
            let spent = tokens::spend_counter(tx, *factor, step.person, spent).await?;
            Ok(done_if(spent, Committed::CounterSpent))
        }
        Effect::SpendRecoveryCode { code, person } => {
            let spent = recovery::spend(tx, *person, code).await?;
            Ok(done_if(spent, Committed::CounterSpent))
        }
    }
}

/// The token that was shown becomes the person's.
async fn assign(
    tx: &Tx,
    step: &Step<'_>,
    (person, serial): (PersonId, &str),
    counter: (u64, i64),
) -> Result<Applied, Cause> {
    let token = AssignToken {
        counter: Some(counter),
        person,
        serial: serial.to_owned(),
    };
    let assigned = tokens::assign(tx, step.keys, &token, &step.by, Some(step.journey.id)).await?;
    Ok(match assigned {
        Ok(()) => Ok(None),
        Err(NotAssigned::CounterSpent) => Err(Committed::CounterSpent),
        Err(NotAssigned::Taken) => Err(Committed::TokenTaken),
    })
}

/// An app takes the place of what is lost.
/// Another app, if the session that asked for it still lives.
async fn replace(
    tx: &Tx,
    step: &Step<'_>,
    (person, otp, place): (PersonId, &Otp, &Place),
    session: Option<&[u8; 32]>,
) -> Result<Applied, Cause> {
    if let Some(key) = session
        && !sessions::is_held(tx, person, key).await?
    {
        return Ok(Err(Committed::SessionOver));
    }
    let moment = (place, step.by.at, step.journey.id);
    let bound = recovery::replace_with_app(tx, step.keys, (person, otp), moment).await?;
    Ok(match bound {
        true => Ok(None),
        false => Err(Committed::Overtaken),
    })
}

async fn refund(tx: &Tx, lane: &LaneKey) -> Result<Applied, Cause> {
    lanes::refund(tx, &forms::lane(lane)).await?;
    Ok(Ok(None))
}

/// The number that is bound came back with a code.
async fn confirm_phone(tx: &Tx, person: PersonId) -> Result<bool, Cause> {
    let confirmed = tx
        .execute(
            "update person set phone_confirmed = 1
             where id = $1 and phone is not null and disabled = 0",
            &[&person.0.as_slice()],
        )
        .await?;
    Ok(confirmed > 0)
}

/// A code goes to the number that is bound at this moment, if the budgets of the number, the person
/// and the house allow it. Whoever changes the number or switches the person off waits for the step, or
/// comes first.
async fn send_sms(
    tx: &Tx,
    step: &Step<'_>,
    number: usize,
    (person, to, code): (PersonId, &Phone, &SmsCode),
) -> Result<Applied, Cause> {
    let bound = tx
        .exists(
            "select 1 from person where id = $1 and phone = $2 and disabled = 0 for share",
            &[&person.0.as_slice(), &to.as_str()],
        )
        .await?;
    if !bound {
        return Ok(Err(Committed::Overtaken));
    }
    // The one that all share comes last: nobody holds it while waiting for another.
    let budgets: [(LaneKey, &Rule); 3] = [
        (LaneKey::SmsNumber(to.clone()), &limit::SMS_NUMBER),
        (LaneKey::SmsPerson(person), &limit::SMS_PERSON),
        (LaneKey::SmsAll, &limit::SMS_ALL),
    ];
    for (lane, rule) in budgets {
        let spent = lanes::spend(tx, &forms::lane(&lane), rule, step.by.at).await?;
        if spent.is_err() {
            return Ok(Err(Committed::SmsBudgetSpent));
        }
    }
    let message = Message::SmsCode {
        digits: code.digits().clone(),
        to: to.clone(),
    };
    post(tx, step, number, (person, &message, code.until)).await?;
    Ok(Ok(None))
}

/// A notice to the person.
async fn notify(
    tx: &Tx,
    step: &Step<'_>,
    number: usize,
    (person, notice): (PersonId, &Notice),
) -> Result<Applied, Cause> {
    let message = Message::Notice(notice.clone());
    let until = step.by.at.plus(NOTICE_S);
    post(tx, step, number, (person, &message, until)).await?;
    Ok(Ok(None))
}

/// A message of a step. Its reference is the step's and the effect's own, for ever.
async fn post(
    tx: &Tx,
    step: &Step<'_>,
    number: usize,
    (person, message, until): (PersonId, &Message, Timestamp),
) -> Result<(), Cause> {
    let posting = Posting {
        journey: Some(step.journey.id),
        message,
        now: step.by.at,
        person,
        reference: format!("{}-{}-{number}", step.journey.id, step.makes),
        until,
    };
    outbox::post(tx, step.keys, &posting).await
}
