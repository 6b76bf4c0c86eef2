//! What somebody proves with is taken back or changed, and all that they have begun ends with it.
//!
//! The person's row is held first: whoever signs them in at this moment is done before, and ends, or comes
//! after, and is of an era that is over.

use journey::{Method, PersonId, Phone, Timestamp};

use super::{
    Cause, Verdict, lanes,
    link::{Link, Tx},
    outbox, people, recovery, refresh,
    rows::Columns,
    sessions, tokens,
};
use crate::{
    Begun, By, EndSessions, Message, NewSession, PasswordChange, Rebinding, Reset,
    forms::{self, NOTICE_S, Posting, Unreadable, variant, word},
    key,
    seal::Keys,
};

/// Method and number of somebody before.
struct Before {
    method: Method,
    phone: Option<Phone>,
}

/// Takes back what the desk names. Of these writes all happen, or none.
pub(super) async fn reset(
    tx: &Tx,
    keys: &Keys,
    reset: &Reset,
    by: &By,
) -> Result<Option<Begun>, Cause> {
    let person = reset.person;
    let Some(before) = before(tx, person).await? else {
        return Ok(None);
    };
    let by = &By {
        person: Some(person),
        ..by.clone()
    };
    people::next_era(tx, person).await?;
    let begun = begun(tx, person, by.at).await?;
    people::end_everything(tx, keys, person, (None, by.at)).await?;
    people::forget_devices(tx, person).await?;
    if let Some(factor) = &reset.factor {
        unbind(tx, person, factor, before.method).await?;
        recovery::make_void(tx, person).await?;
    }
    tx.tell(&forms::reset_happened(reset, Some(before.method)), by, None);
    if let Some(activation) = &reset.password {
        let sql = "update person set password = null where id = $1";
        tx.execute(sql, &[&person.0.as_slice()]).await?;
        people::issue_activation(tx, keys, activation, by).await?;
    }
    tell(tx, keys, reset, (before.phone, by.at)).await?;
    Ok(Some(begun))
}

/// Who was activated, as they are now and stay.
async fn before(tx: &Tx, person: PersonId) -> Result<Option<Before>, Cause> {
    let found = tx
        .row(
            "select method, phone from person
             where id = $1 and disabled = 0 and method is not null
                 and exists (select 1 from password_past where password_past.person = $1)
             for no key update of person",
            &[&person.0.as_slice()],
        )
        .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let mut columns = Columns::of(&row);
    let method: &str = columns.next()?;
    let phone: Option<String> = columns.next()?;
    Ok(Some(Before {
        method: variant(method)?,
        phone: phone.map(Phone::try_from).transpose()?,
    }))
}

pub(super) async fn begun(link: &Link, person: PersonId, now: Timestamp) -> Result<Begun, Cause> {
    let row = link
        .row(
            "select
                 (select count(*) from journey where person = $1 and until > $2),
                 (select count(*) from refresh where person = $1 and until > $2),
                 (select count(*) from journey
                  where person = $1 and resume is not null and resume_used = 0
                      and resume_until > $2),
                 (select count(*) from session where person = $1
                      and epoch = (select number from meta where name = 'epoch'))",
            &[&person.0.as_slice(), &now.0],
        )
        .await?
        .ok_or(Unreadable("count"))?;
    let mut columns = Columns::of(&row);
    Ok(Begun {
        journeys: columns.next_count()?,
        refresh_tokens: columns.next_count()?,
        resume_links: columns.next_count()?,
        sessions: columns.next_count()?,
    })
}

/// App and number are bound no more. A token goes back into stock, unless it is what they prove with from
/// now on and was not before.
async fn unbind(
    tx: &Tx,
    person: PersonId,
    factor: &Rebinding,
    before: Method,
) -> Result<(), Cause> {
    tx.execute(
        "update person set method = $1, phone_confirmed = 0,
             phone = case when $1::text is null then null else coalesce($2, phone) end,
             phone_from = case when $1::text is null then null
                 when $2::text is null then phone_from else 'desk' end
         where id = $3",
        &[
            &factor.method.as_ref().map(word).transpose()?,
            &factor.phone.as_ref().map(Phone::as_str),
            &person.0.as_slice(),
        ],
    )
    .await?;
    let sql = "delete from otp where person = $1 and carrier = 'app'";
    tx.execute(sql, &[&person.0.as_slice()]).await?;
    if before == Method::Token || factor.method != Some(Method::Token) {
        tokens::release(tx, person, "").await?;
    }
    Ok(())
}

/// They are told by mail, and at the number whose place another one has taken.
async fn tell(
    tx: &Tx,
    keys: &Keys,
    reset: &Reset,
    (former, now): (Option<Phone>, Timestamp),
) -> Result<(), Cause> {
    let given = reset
        .factor
        .as_ref()
        .and_then(|factor| factor.phone.as_ref());
    let former = former.filter(|former| given.is_some_and(|given| given != former));
    let notices = forms::reset_notices(reset, now).into_iter();
    let messages = notices
        .map(Message::Notice)
        .chain(former.map(|to| Message::NumberReplaced { to }));
    for (number, message) in messages.enumerate() {
        post(tx, keys, (&reset.id, number), (reset.person, &message, now)).await?;
    }
    Ok(())
}

async fn post(
    tx: &Tx,
    keys: &Keys,
    (id, number): (&[u8; 16], usize),
    (person, message, now): (PersonId, &Message, Timestamp),
) -> Result<(), Cause> {
    let posting = Posting {
        journey: None,
        message,
        now,
        person,
        reference: forms::change_message(id, number),
        until: now.plus(NOTICE_S),
    };
    outbox::post(tx, keys, &posting).await
}

/// Somebody's own new password, and the session that takes the place of the one at hand.
pub(super) async fn change_password(
    tx: &Tx,
    keys: &Keys,
    change: &PasswordChange,
    by: &By,
) -> Result<Verdict<Option<NewSession>>, Cause> {
    if !set_password(tx, change).await? {
        return Ok(Verdict::Undo(None));
    }
    let person = change.person;
    let proven = (&change.place, &change.proof);
    let Some(session) = sessions::begin(tx, person, proven, by.at).await? else {
        return Ok(Verdict::Undo(None));
    };
    people::remember_password(tx, person, &change.password).await?;
    let by = &by.about(person);
    let key = key::of_secret(session.id.expose());
    end_all_but(tx, keys, (person, &change.session), (&key, by)).await?;
    people::forget_devices(tx, person).await?;
    for device in &change.devices {
        lanes::remember_device(tx, person, device, by.at).await?;
    }
    tx.tell(&journey::Happened::PasswordChanged, by, None);
    let notice = Message::Notice(journey::Notice::PasswordChanged { at: by.at });
    post(tx, keys, (&change.id, 0), (person, &notice, by.at)).await?;
    Ok(Verdict::Keep(Some(session)))
}

/// Whether the era is the one in which the change began, and the session at hand lives.
async fn set_password(tx: &Tx, change: &PasswordChange) -> Result<bool, Cause> {
    let person = change.person.0.as_slice();
    let era = i64::from(change.proof.password().era());
    let set = tx
        .execute(
            "update person set password = $1, era = era + 1
             where id = $2 and disabled = 0 and password is not null and era + 1 = $3",
            &[&change.password.expose(), &person, &era],
        )
        .await?;
    if set == 0 {
        return Ok(false);
    }
    let held = tx
        .row(
            "select 1 from session where key = $1 and person = $2
                 and epoch = (select number from meta where name = 'epoch')
             for update",
            &[&change.session.as_slice(), &person],
        )
        .await?;
    Ok(held.is_some())
}

/// One session goes on as another; every other one ends, with all refresh tokens and journeys.
async fn end_all_but(
    tx: &Tx,
    keys: &Keys,
    (person, old): (PersonId, &[u8; 32]),
    (new, by): (&[u8; 32], &By),
) -> Result<(), Cause> {
    let sql = "delete from journey where person = $1";
    tx.execute(sql, &[&person.0.as_slice()]).await?;
    refresh::end_of_person(tx, person, None).await?;
    sessions::end(tx, keys, &EndSessions::Replaced(*old, *new), by).await?;
    sessions::end(tx, keys, &EndSessions::Others(person, *new), by).await?;
    Ok(())
}
