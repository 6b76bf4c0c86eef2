//! Promises about families of refresh tokens.

use journey::{Method, PersonId, Timestamp};

use super::world::{Cause, Kept, NOW, World, count};
use crate::{By, EndSessions, NewFamily, Redeemed, Redemption, Renewal, Renewed, Revocation, key};

/// A family that has just begun.
struct Family {
    code: [u8; 16],
    person: PersonId,
    session: [u8; 32],
}

async fn family(world: &World, person: PersonId, offline: bool) -> Result<Family, Cause> {
    let session = key::of_secret(world.session(person).await?.id.expose());
    let redemption = Redemption {
        application: "portal".into(),
        code: world.id(),
        refresh: Some(NewFamily {
            offline,
            until: NOW.plus(86_400),
        }),
        session,
        until: NOW.plus(300),
    };
    let redeemed = world.store().redeem_code(&redemption, &world.by()).await?;
    assert!(matches!(redeemed, Redeemed::Yes));
    Ok(Family {
        code: redemption.code,
        person,
        session,
    })
}

fn renewal(family: &Family, number: u32) -> Renewal {
    Renewal {
        application: "portal".into(),
        family: family.code,
        number,
    }
}

async fn renew(
    world: &World,
    family: &Family,
    number: u32,
    at: Timestamp,
) -> Result<Renewed, Cause> {
    let by = By { at, ..world.by() };
    Ok(world.store().renew(&renewal(family, number), &by).await?)
}

/// Whose an access token of the family is.
async fn opens(world: &World, family: &Family) -> Result<Option<PersonId>, Cause> {
    world.redeemed(&family.code, &family.session).await
}

/// [C06] Each refresh token is good for one successor; one that is older than the last ends the family
/// and what it gave.
pub(super) async fn a_refresh_token_that_comes_again_ends_its_family(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let family = family(world, person, false).await?;
    for number in 0..3 {
        let at = NOW.plus(i64::from(number) * 300);
        assert_eq!(renew(world, &family, number, at).await?, Renewed::Yes);
        assert_eq!(opens(world, &family).await?, Some(person));
        let due = world.store().refresh_due(&family.code, at).await?;
        assert_eq!(due, Some(number + 1));
    }
    let at = NOW.plus(700);
    assert_eq!(renew(world, &family, 0, at).await?, Renewed::Reused);
    assert_eq!(opens(world, &family).await?, None);
    let due = world.store().refresh_due(&family.code, at).await?;
    assert_eq!(due, None);
    for number in 0..5 {
        assert_eq!(renew(world, &family, number, at).await?, Renewed::Over);
    }
    Ok(())
}

/// [C06] An answer that was lost may be asked for once more, for half a minute; the family is no further
/// for it, and a third time is a theft.
pub(super) async fn a_lost_answer_may_be_asked_for_once_more(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let family_of = async || family(world, person, false).await;
    let lost = family_of().await?;
    assert_eq!(renew(world, &lost, 0, NOW).await?, Renewed::Yes);
    assert_eq!(renew(world, &lost, 0, NOW.plus(29)).await?, Renewed::Yes);
    assert_eq!(renew(world, &lost, 1, NOW.plus(29)).await?, Renewed::Yes);
    // What was asked for twice is no lost answer once its successor was used.
    assert_eq!(renew(world, &lost, 0, NOW.plus(29)).await?, Renewed::Reused);

    let third = family_of().await?;
    assert_eq!(renew(world, &third, 0, NOW).await?, Renewed::Yes);
    assert_eq!(renew(world, &third, 0, NOW).await?, Renewed::Yes);
    assert_eq!(renew(world, &third, 0, NOW).await?, Renewed::Reused);

    let late = family_of().await?;
    assert_eq!(renew(world, &late, 0, NOW).await?, Renewed::Yes);
    assert_eq!(renew(world, &late, 0, NOW.plus(30)).await?, Renewed::Reused);
    Ok(())
}

/// [C06] Of many uses of one refresh token at once, on two nodes, two get the one successor at most, and
/// the others end the family.
pub(super) async fn of_many_renewals_at_once_none_makes_a_second_line(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let family = family(world, person, false).await?;
    let outcomes = world
        .race(16, |store, _| {
            let (by, renewal) = (world.by(), renewal(&family, 0));
            async move { store.renew(&renewal, &by).await }
        })
        .await?;
    assert_eq!(count(&outcomes, &Renewed::Yes), 2);
    assert_eq!(count(&outcomes, &Renewed::Reused), 1);
    assert_eq!(renew(world, &family, 1, NOW).await?, Renewed::Over);
    assert_eq!(opens(world, &family).await?, None);
    Ok(())
}

/// [C06] However often it is renewed, a family ends when it was said to.
pub(super) async fn a_family_ends_when_it_was_said_to(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let family = family(world, person, true).await?;
    let end = NOW.plus(86_400);
    assert_eq!(renew(world, &family, 0, end.plus(-1)).await?, Renewed::Yes);
    assert_eq!(renew(world, &family, 1, end).await?, Renewed::Over);
    Ok(())
}

/// [L05] [S05] A family ends with its session, with all sessions of its person, and when that person is
/// switched off; switched on again, they sign in again.
pub(super) async fn a_family_ends_with_what_it_hangs_on(world: &World) -> Kept {
    let store = world.store();
    for offline in [false, true] {
        let person = world.person(Method::Sms).await?;
        let [one, other, third] = [
            family(world, person, offline).await?,
            family(world, person, offline).await?,
            family(world, person, offline).await?,
        ];
        let end = async |which| store.end_sessions(&which, &world.by()).await;
        end(EndSessions::One(one.session)).await?;
        assert_eq!(renew(world, &one, 0, NOW).await?, Renewed::Over);
        assert_eq!(renew(world, &other, 0, NOW).await?, Renewed::Yes);
        end(EndSessions::Others(person, third.session)).await?;
        assert_eq!(renew(world, &other, 1, NOW).await?, Renewed::Over);
        assert_eq!(opens(world, &other).await?, None);
        assert_eq!(renew(world, &third, 0, NOW).await?, Renewed::Yes);
        end(EndSessions::All(person)).await?;
        assert_eq!(renew(world, &third, 1, NOW).await?, Renewed::Over);

        let last = family(world, person, offline).await?;
        store.disable(last.person, true, &world.by()).await?;
        assert_eq!(renew(world, &last, 0, NOW).await?, Renewed::Over);
        store.disable(last.person, false, &world.by()).await?;
        assert_eq!(renew(world, &last, 0, NOW).await?, Renewed::Over);
        assert_eq!(opens(world, &last).await?, None);
    }
    Ok(())
}

/// [S05] What was given to outlive a session's limits does, and no other; and it, too, ends when
/// everything of the person is signed out.
pub(super) async fn an_offline_family_outlives_the_limits_of_its_session(world: &World) -> Kept {
    let store = world.store();
    let person = world.person(Method::Sms).await?;
    let plain = family(world, person, false).await?;
    let offline = family(world, person, true).await?;
    for one in [&plain, &offline] {
        let over = EndSessions::Over(one.session);
        assert_eq!(store.end_sessions(&over, &world.by()).await?, 1);
    }
    assert_eq!(renew(world, &plain, 0, NOW).await?, Renewed::Over);
    assert_eq!(opens(world, &plain).await?, None);
    assert_eq!(renew(world, &offline, 0, NOW).await?, Renewed::Yes);
    assert_eq!(opens(world, &offline).await?, Some(person));
    let all = EndSessions::All(person);
    store.end_sessions(&all, &world.by()).await?;
    assert_eq!(renew(world, &offline, 1, NOW).await?, Renewed::Over);
    Ok(())
}

/// [S05] Whoever proves once more keeps what was given to outlive the limits, and loses it when they sign
/// out of what took the place; somebody else who signs in gets nothing of it.
pub(super) async fn an_offline_family_follows_what_takes_its_session_s_place(
    world: &World,
) -> Kept {
    let store = world.store();
    let (person, another) = (
        world.person(Method::Sms).await?,
        world.person(Method::Sms).await?,
    );
    let new = key::of_secret(world.session(person).await?.id.expose());
    let theirs = key::of_secret(world.session(another).await?.id.expose());
    let [plain, offline, left] = [
        family(world, person, false).await?,
        family(world, person, true).await?,
        family(world, person, true).await?,
    ];
    let end = async |which| store.end_sessions(&which, &world.by()).await;
    for old in [plain.session, offline.session] {
        assert_eq!(end(EndSessions::Replaced(old, new)).await?, 1);
    }
    assert_eq!(end(EndSessions::Replaced(left.session, theirs)).await?, 1);
    assert_eq!(renew(world, &plain, 0, NOW).await?, Renewed::Over);
    assert_eq!(renew(world, &left, 0, NOW).await?, Renewed::Over);
    assert_eq!(renew(world, &offline, 0, NOW).await?, Renewed::Yes);
    assert_eq!(opens(world, &offline).await?, Some(person));
    assert_eq!(end(EndSessions::One(new)).await?, 1);
    assert_eq!(renew(world, &offline, 1, NOW).await?, Renewed::Over);
    Ok(())
}

/// [S05] Signing out ends what outlives the limits even if these have ended the session before.
pub(super) async fn an_offline_family_ends_by_a_sign_out_that_comes_late(world: &World) -> Kept {
    let store = world.store();
    let person = world.person(Method::Sms).await?;
    let late = family(world, person, true).await?;
    let end = async |which| store.end_sessions(&which, &world.by()).await;
    assert_eq!(end(EndSessions::Over(late.session)).await?, 1);
    assert_eq!(renew(world, &late, 0, NOW).await?, Renewed::Yes);
    assert_eq!(end(EndSessions::One(late.session)).await?, 0);
    assert_eq!(renew(world, &late, 1, NOW).await?, Renewed::Over);
    Ok(())
}

/// [C12] A consent that is taken back ends what its application got for this person, and nothing else.
pub(super) async fn a_family_ends_with_the_consent_that_is_taken_back(world: &World) -> Kept {
    let store = world.store();
    let (one, other) = (
        family(world, world.person(Method::Sms).await?, true).await?,
        family(world, world.person(Method::Sms).await?, true).await?,
    );
    store.take_back(one.person, "choir", &world.by()).await?;
    assert_eq!(opens(world, &one).await?, Some(one.person));
    store.take_back(one.person, "portal", &world.by()).await?;
    assert_eq!(opens(world, &one).await?, None);
    assert_eq!(renew(world, &one, 0, NOW).await?, Renewed::Over);
    assert_eq!(renew(world, &other, 0, NOW).await?, Renewed::Yes);
    Ok(())
}

/// [C02] A code that comes a second time ends the family that it began, and so does giving back what it
/// gave.
pub(super) async fn what_is_taken_back_renews_nothing(world: &World) -> Kept {
    let store = world.store();
    let person = world.person(Method::Sms).await?;
    let reused = family(world, person, false).await?;
    let again = Redemption {
        application: "portal".into(),
        code: reused.code,
        refresh: None,
        session: reused.session,
        until: NOW.plus(300),
    };
    let redeemed = store.redeem_code(&again, &world.by()).await?;
    assert!(matches!(redeemed, Redeemed::Reused));
    assert_eq!(renew(world, &reused, 0, NOW).await?, Renewed::Over);

    let given_back = family(world, person, false).await?;
    assert_eq!(renew(world, &given_back, 0, NOW).await?, Renewed::Yes);
    let revocation = Revocation {
        application: "portal".into(),
        code: given_back.code,
    };
    let by = world.by();
    assert!(store.revoke(&revocation, &by).await?);
    assert!(!store.revoke(&revocation, &by).await?);
    assert_eq!(renew(world, &given_back, 1, NOW).await?, Renewed::Over);
    assert_eq!(opens(world, &given_back).await?, None);
    assert_eq!(store.audit_by_support(&by.support).await?.len(), 1);
    Ok(())
}
