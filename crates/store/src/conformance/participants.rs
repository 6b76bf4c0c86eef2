//! Promises about the applications that take part in sessions.

use journey::{Method, PersonId};

use super::world::{Cause, Kept, NOW, World};
use crate::{EndSessions, Message, Participant, key};

/// A session in which these applications take part.
async fn session(
    world: &World,
    person: PersonId,
    applications: &[&str],
) -> Result<[u8; 32], Cause> {
    let session = key::of_secret(world.session(person).await?.id.expose());
    for application in applications {
        assert!(takes_part(world, application, session).await?);
    }
    Ok(session)
}

async fn takes_part(
    world: &World,
    application: &str,
    session: [u8; 32],
) -> Result<bool, crate::StoreError> {
    let participant = Participant {
        application: application.to_owned(),
        session,
    };
    world.store().participate(&participant, NOW).await
}

/// What is due of a person's news, sorted.
async fn told(world: &World, person: PersonId) -> Result<Vec<(String, [u8; 32])>, Cause> {
    let due = world.store().claim_messages(NOW, 1000).await?;
    let ours = due.into_iter().filter(|one| one.person.id == person);
    let news = ours.filter_map(|one| match one.message {
        Message::SignedOut {
            application,
            session,
        } => Some((application, session)),
        _ => None,
    });
    let mut news: Vec<_> = news.collect();
    news.sort();
    Ok(news)
}

/// [C15] [Back-Channel Logout §2.3] "need to keep track of the set of logged-in RPs"
/// Each application hears of its own sessions, once, however often somebody signed in to it.
pub(super) async fn who_took_part_hears_once_that_the_session_ended(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let one = session(world, person, &["ent", "ism", "ent"]).await?;
    let (two, kept) = (
        session(world, person, &["ent"]).await?,
        session(world, person, &["ism"]).await?,
    );
    let silent = session(world, person, &[]).await?;
    let end = async |which| world.store().end_sessions(&which, &world.by()).await;

    assert_eq!(end(EndSessions::One(one)).await?, 1);
    assert_eq!(
        told(world, person).await?,
        [("ent".to_owned(), one), ("ism".to_owned(), one)]
    );
    assert_eq!(end(EndSessions::One(one)).await?, 0);
    // Its limits end what is ours; people at work go on.
    assert_eq!(end(EndSessions::Over(silent)).await?, 1);
    assert_eq!(told(world, person).await?, []);
    assert_eq!(end(EndSessions::Others(person, kept)).await?, 1);
    assert_eq!(told(world, person).await?, [("ent".to_owned(), two)]);
    assert_eq!(end(EndSessions::Over(kept)).await?, 1);
    assert_eq!(told(world, person).await?, []);
    // Leaving everywhere reaches that, too.
    assert_eq!(end(EndSessions::All(person)).await?, 0);
    assert_eq!(told(world, person).await?, [("ism".to_owned(), kept)]);
    Ok(())
}

/// [C15] Whoever proves once more stays in the applications, and leaves them all later; somebody else who
/// signs in does not take them over.
pub(super) async fn who_took_part_hears_when_what_took_its_place_ends(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let first = session(world, person, &["ent"]).await?;
    let second = session(world, person, &["ent", "ism"]).await?;
    let third = session(world, person, &[]).await?;
    let end = async |which| world.store().end_sessions(&which, &world.by()).await;
    assert_eq!(end(EndSessions::Replaced(first, second)).await?, 1);
    assert_eq!(end(EndSessions::Replaced(second, third)).await?, 1);
    assert_eq!(told(world, person).await?, []);
    let another = world.person(Method::Sms).await?;
    let theirs = session(world, another, &[]).await?;
    assert_eq!(end(EndSessions::Replaced(theirs, third)).await?, 1);
    assert_eq!(end(EndSessions::One(third)).await?, 1);
    let mut all = [
        ("ent".to_owned(), first),
        ("ent".to_owned(), second),
        ("ism".to_owned(), second),
    ];
    all.sort();
    assert_eq!(told(world, person).await?, all);

    let left = session(world, person, &["ent"]).await?;
    let theirs = session(world, another, &[]).await?;
    assert_eq!(end(EndSessions::Replaced(left, theirs)).await?, 1);
    assert_eq!(world.store().participants(&theirs).await?, []);
    assert_eq!(told(world, person).await?, [("ent".to_owned(), left)]);
    assert_eq!(end(EndSessions::One(theirs)).await?, 1);
    assert_eq!(told(world, person).await?, []);
    assert_eq!(told(world, another).await?, []);
    // Limits were faster, and then somebody else came; or what took its place is over by now, too.
    let over = session(world, person, &["ent"]).await?;
    assert_eq!(end(EndSessions::Over(over)).await?, 1);
    let theirs = session(world, another, &[]).await?;
    assert_eq!(end(EndSessions::Replaced(over, theirs)).await?, 0);
    assert_eq!(told(world, person).await?, [("ent".to_owned(), over)]);
    let late = session(world, person, &["ent"]).await?;
    assert_eq!(end(EndSessions::Replaced(late, over)).await?, 1);
    assert_eq!(told(world, person).await?, [("ent".to_owned(), late)]);
    Ok(())
}

/// [C15] The news leaves although all other messages to the person are void.
pub(super) async fn who_took_part_hears_of_a_person_who_is_switched_off(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let (one, other) = (
        session(world, person, &["ent"]).await?,
        session(world, person, &["ism"]).await?,
    );
    let which = EndSessions::One(one);
    world.store().end_sessions(&which, &world.by()).await?;
    world.store().disable(person, true, &world.by()).await?;
    let mut all = [("ent".to_owned(), one), ("ism".to_owned(), other)];
    all.sort();
    assert_eq!(told(world, person).await?, all);
    Ok(())
}

/// [C15] Who signs out asks first whom the browser is to tell: of this session, under the names by which the
/// applications know it, and also when its limits were faster.
pub(super) async fn who_takes_part_in_a_session_is_known_until_somebody_ends_it(
    world: &World,
) -> Kept {
    let person = world.person(Method::Sms).await?;
    let first = session(world, person, &["ism", "ent"]).await?;
    let second = session(world, person, &["ent"]).await?;
    let other = session(world, person, &["lms"]).await?;
    let end = async |which| world.store().end_sessions(&which, &world.by()).await;
    let part = |application: &str, session| Participant {
        application: application.to_owned(),
        session,
    };
    let found = world.store().participants(&first).await?;
    assert_eq!(found, [part("ent", first), part("ism", first)]);
    assert_eq!(end(EndSessions::Replaced(first, second)).await?, 1);
    assert_eq!(world.store().participants(&first).await?, []);
    let mut all = [part("ent", first), part("ent", second), part("ism", first)];
    all.sort_by(|a, b| (&a.application, a.session).cmp(&(&b.application, b.session)));
    assert_eq!(world.store().participants(&second).await?, all);
    assert_eq!(end(EndSessions::Over(second)).await?, 1);
    assert_eq!(world.store().participants(&second).await?, all);
    assert_eq!(end(EndSessions::One(second)).await?, 0);
    assert_eq!(world.store().participants(&second).await?, []);
    let still = world.store().participants(&other).await?;
    assert_eq!(still, [part("lms", other)]);
    assert_eq!(world.store().participants(&world.hash()).await?, []);
    Ok(())
}

/// [C15] Of an end and a sign-in at the same moment, either the application hears of it, or it never
/// took part.
pub(super) async fn nobody_takes_part_in_what_is_over(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let over = session(world, person, &[]).await?;
    let which = EndSessions::One(over);
    world.store().end_sessions(&which, &world.by()).await?;
    assert!(!takes_part(world, "ent", over).await?);
    assert!(!takes_part(world, "ent", world.hash()).await?);
    for _ in 0..8 {
        let session = session(world, person, &[]).await?;
        let took_part = world
            .race(8, |store, number| {
                let by = world.by();
                let participant = Participant {
                    application: format!("application-{number}"),
                    session,
                };
                async move {
                    if number == 3 {
                        let which = EndSessions::One(session);
                        return Ok(store.end_sessions(&which, &by).await? == 0);
                    }
                    store.participate(&participant, NOW).await
                }
            })
            .await?;
        let took_part = took_part.into_iter().filter(|yes| *yes).count();
        assert_eq!(told(world, person).await?.len(), took_part);
    }
    Ok(())
}
