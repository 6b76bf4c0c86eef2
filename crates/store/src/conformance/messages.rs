//! Promises about messages.

use journey::{JourneyId, Method, Notice, PersonId, SmsCode, Timestamp, effect::Effect};

use super::world::{Cause, Kept, NOW, World};
use crate::{Message, MessageState, Outcome, Outgoing};

/// Somebody to whom a code goes, the code, and the journey.
async fn posted(world: &World) -> Result<(PersonId, SmsCode, JourneyId), Cause> {
    let person = world.person(Method::Sms).await?;
    let to = world
        .account(person)
        .await?
        .person
        .phone
        .ok_or("no number")?;
    let code = SmsCode::draw(&world.hash(), NOW);
    let send = Effect::SendSmsCode {
        code: code.clone(),
        person,
        to,
    };
    let journey = world.signing_in(person)?;
    let _ = world.open(&journey, &[send]).await?;
    Ok((person, code, journey.id))
}

/// What is due of a journey's messages.
async fn due(world: &World, journey: JourneyId, at: Timestamp) -> Result<Vec<Outgoing>, Cause> {
    let mut due = world.store().claim_messages(at, 1000).await?;
    due.retain(|message| message.journey == Some(journey));
    Ok(due)
}

pub(super) async fn of_many_jobs_one_gets_a_message_and_has_it_for_a_minute(world: &World) -> Kept {
    let (person, code, journey) = posted(world).await?;
    let claims = world
        .race(8, |store, _| async move {
            store.claim_messages(NOW, 1000).await
        })
        .await?;
    let mut ours = claims.into_iter().flatten();
    let mut ours = ours
        .by_ref()
        .filter(|message| message.journey == Some(journey));
    let claimed = ours.next().ok_or("nobody got it")?;
    assert!(ours.next().is_none());
    assert_eq!((claimed.person.id, claimed.attempts), (person, 0));
    assert_eq!(claimed.until, code.until);
    let Message::SmsCode { digits, to } = claimed.message else {
        return Err("another message".into());
    };
    assert!(digits.matches(code.digits().expose()));
    assert_eq!(Some(to), claimed.person.phone);

    assert!(due(world, journey, NOW.plus(59)).await?.is_empty());
    let again = due(world, journey, NOW.plus(60)).await?;
    assert_eq!(again.len(), 1);
    assert!(
        again
            .iter()
            .all(|one| one.reference == claimed.reference && one.attempts == 1)
    );
    Ok(())
}

pub(super) async fn the_page_sees_what_became_of_a_message(world: &World) -> Kept {
    let (_, _, journey) = posted(world).await?;
    let store = world.store();
    assert_eq!(store.messages_of(journey).await?, [MessageState::Waiting]);
    let depth = store.outbox_depth().await?;
    let claimed = due(world, journey, NOW).await?;
    let id = claimed.first().ok_or("nothing is due")?.id;
    let retry = Outcome::Retry(NOW.plus(5), "the gateway is silent".into());
    store.settle_message(id, &retry, NOW).await?;
    assert_eq!(store.messages_of(journey).await?, [MessageState::Trouble]);
    assert_eq!(store.outbox_depth().await?, depth);
    assert!(due(world, journey, NOW.plus(4)).await?.is_empty());
    assert_eq!(due(world, journey, NOW.plus(5)).await?.len(), 1);
    store
        .settle_message(id, &Outcome::Sent, NOW.plus(5))
        .await?;
    assert_eq!(store.messages_of(journey).await?, [MessageState::Sent]);
    assert_eq!(store.outbox_depth().await?, depth.saturating_sub(1));

    let (_, _, other) = posted(world).await?;
    let claimed = due(world, other, NOW).await?;
    let id = claimed.first().ok_or("nothing is due")?.id;
    store
        .settle_message(id, &Outcome::Refused("no such number".into()), NOW)
        .await?;
    assert_eq!(store.messages_of(other).await?, [MessageState::Failed]);
    Ok(())
}

pub(super) async fn a_message_that_is_too_late_is_not_sent(world: &World) -> Kept {
    let (_, code, journey) = posted(world).await?;
    assert!(due(world, journey, code.until).await?.is_empty());
    assert_eq!(
        world.store().messages_of(journey).await?,
        [MessageState::Failed]
    );
    assert!(due(world, journey, NOW).await?.is_empty());
    Ok(())
}

pub(super) async fn what_was_settled_is_not_sent_again(world: &World) -> Kept {
    let person = world.person(Method::App).await?;
    let journey = world.signing_in(person)?;
    let notify = |at| Effect::Notify {
        notice: Notice::CodeUsedTwice { at },
        person,
    };
    let effects = [notify(NOW), notify(NOW.plus(1))];
    let _ = world.open(&journey, &effects).await?;
    let claimed = due(world, journey.id, NOW).await?;
    let [first, second] = claimed.as_slice() else {
        return Err("not two messages".into());
    };
    assert!(first.id.0 < second.id.0 && first.reference != second.reference);
    let expected = Notice::CodeUsedTwice { at: NOW };
    assert!(matches!(&first.message, Message::Notice(notice) if *notice == expected));
    let store = world.store();
    store.settle_message(first.id, &Outcome::Sent, NOW).await?;
    let late = Outcome::Retry(NOW, "a second node".into());
    store.settle_message(first.id, &late, NOW).await?;
    let again = due(world, journey.id, NOW.plus(120)).await?;
    assert_eq!(
        again.iter().map(|one| one.id).collect::<Vec<_>>(),
        [second.id]
    );
    Ok(())
}
