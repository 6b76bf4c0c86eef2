//! Promises about the audit and the upkeep.

use std::time::Duration;

use journey::{
    Happened, Method, Place, Timestamp,
    effect::Effect,
    limit::{PASSWORD, SECOND_FACTOR},
    zone::Inside,
};

use super::world::{Kept, NOW, World};
use crate::{
    By, LaneKey, OneTime,
    audit::{Checked, Entry},
    key,
};

/// [L10] [P01] Each entry says what happened to whom, when, from where and by which journey.
pub(super) async fn every_entry_says_who_when_and_from_where_and_is_found_by_its_code(
    world: &World,
) -> Kept {
    let person = world.person(Method::App).await?;
    let journey = world.signing_in(person)?;
    let place = Place::Inside(Inside {
        refuses_enrolment: false,
        waives_second_factor: true,
        zone: "creusets".into(),
    });
    let by = By {
        place: place.clone(),
        ..world.by()
    };
    let enrolled = Happened::Enrolled {
        method: Method::App,
    };
    let effects = [
        Effect::EnrolApp {
            otp: Box::new(world.app()),
            person,
            place,
        },
        Effect::Audit(enrolled.clone()),
    ];
    let _ = world.store().open_journey(&journey, &effects, &by).await?;
    let by_command = By {
        address: None,
        person: Some(person),
        through: "command person show".into(),
        ..by.clone()
    };
    world
        .store()
        .audit(&Happened::KeysRotated, &by_command)
        .await?;

    let entries = world.store().audit_by_support(&by.support).await?;
    let [bound, shown] = entries.as_slice() else {
        return Err("not two entries".into());
    };
    assert_eq!(serde_json::from_str::<Happened>(&bound.happened)?, enrolled);
    assert_eq!(
        (bound.person, bound.journey),
        (Some(person), Some(journey.id))
    );
    assert_eq!((bound.at, bound.place.as_str()), (NOW, "creusets"));
    assert_eq!(bound.address.as_deref(), Some("192.0.2.7"));
    assert_eq!((shown.address.as_ref(), shown.journey), (None, None));
    assert_eq!(shown.through, "command person show");
    assert!(world.store().audit_by_support("").await?.is_empty());
    Ok(())
}

/// [P01] Line ends, escape sequences and quotes in a field stay in that field.
pub(super) async fn no_text_breaks_out_of_an_entry(world: &World) -> Kept {
    let evil = "x\r\n1 2030 {\"what\":\"forged\"}\u{1b}[2J'); drop table audit; --\u{202e}";
    let by = By {
        address: Some(evil.into()),
        support: format!("{evil}{}", world.number()),
        through: evil.into(),
        ..world.by()
    };
    let happened = Happened::OutOfTurn {
        event: evil.into(),
        state: evil.into(),
    };
    world.store().audit(&happened, &by).await?;
    let entries = world.store().audit_by_support(&by.support).await?;
    let [entry] = entries.as_slice() else {
        return Err("not one entry".into());
    };
    assert_eq!(serde_json::from_str::<Happened>(&entry.happened)?, happened);
    assert_eq!(
        (entry.address.as_deref(), entry.through.as_str()),
        (Some(evil), evil)
    );
    let line = entry.to_string();
    assert!(
        line.chars().all(|c| !c.is_control() && c != '\u{202e}'),
        "{line:?}"
    );
    Ok(())
}

pub(super) async fn what_is_over_goes_and_the_rest_stays(world: &World) -> Kept {
    const YEAR_S: i64 = 366 * 86_400;
    let person = world.person(Method::Sms).await?;
    let session = key::of_secret(world.session(person).await?.id.expose());
    let journey = world.signing_in(person)?;
    let store = world.store();
    let _ = store.open_journey(&journey, &[], &world.by()).await?;
    let (short, long) = (world.hash(), world.hash());
    assert!(
        store
            .consume(OneTime::ClientAssertion, &short, NOW.plus(60))
            .await?
    );
    assert!(
        store
            .consume(OneTime::ClientAssertion, &long, NOW.plus(2 * YEAR_S))
            .await?
    );
    let lane = LaneKey::Name(world.hash());
    let _ = store.spend_try(&lane, &PASSWORD, NOW).await?;
    let kept = LaneKey::SecondFactor(person);
    let _ = store
        .spend_try(&kept, &SECOND_FACTOR, NOW.plus(YEAR_S))
        .await?;

    // A node whose clock is behind would take it for good a minute longer.
    store.tidy(NOW.plus(119)).await?;
    assert!(store.journey(journey.id).await?.is_some());
    assert!(store.session(&session, NOW).await?.is_some());
    assert!(
        !store
            .consume(OneTime::ClientAssertion, &short, NOW.plus(60))
            .await?
    );
    assert_eq!(store.lane(&lane).await?.tries, 1);

    assert!(store.tidy(NOW.plus(YEAR_S)).await? > 0);
    assert!(store.journey(journey.id).await?.is_none());
    assert!(store.session(&session, NOW).await?.is_none());
    assert_eq!(store.lane(&lane).await?.at, Timestamp(0));
    assert_eq!(store.lane(&kept).await?.tries, 1);
    assert!(!store.consume(OneTime::ClientAssertion, &long, NOW).await?);
    assert!(store.person(person).await?.is_some());
    assert_eq!(store.tidy(NOW.plus(YEAR_S)).await?, 0);
    Ok(())
}

pub(super) async fn the_store_counts_and_can_write(world: &World) -> Kept {
    world.store().ready(Duration::from_secs(10)).await?;
    let before = world.store().counts(NOW).await?;
    world.newcomer().await?;
    let (person, _) = world.holder_of_app().await?;
    world.session(person).await?;
    let after = world.store().counts(NOW).await?;
    assert_eq!(after.people, before.people + 2);
    assert_eq!(after.activated, before.activated + 1);
    assert_eq!(after.enrolled, before.enrolled + 1);
    assert_eq!(after.sessions, before.sessions + 1);
    assert_eq!(after.tokens, before.tokens);
    Ok(())
}

/// [P01] All that the other promises did, races over two nodes included, stands in chains without gaps.
pub(super) async fn the_chain_holds_over_all_that_happened(world: &World) -> Kept {
    let store = world.store();
    let mut entries = 0;
    for strand in store.audit_strands().await? {
        let mut checked = Checked::of(strand);
        loop {
            let next = checked.sequence + 1;
            let page: Vec<Entry> = store.audit_from(strand, next, 100).await?;
            if page.is_empty() {
                break;
            }
            checked = checked.go_on(&page)?;
        }
        assert!(checked.sequence > 0, "{checked:?}");
        entries += checked.sequence;
    }
    assert!(entries > 100, "{entries}");
    Ok(())
}
