//! Promises about people.

use journey::{Language, Method, PersonId, Secret, effect::Effect};

use super::world::{Kept, NOW, World, key};
use crate::{Cohort, Committed, Conflict, ImportError, Imported, NewPerson, TakeOver};

pub(super) async fn a_person_is_found_under_every_spelling_of_every_name(world: &World) -> Kept {
    let mut new = world.stranger();
    new.aliases = vec![format!("ISM.Élodie.{}", world.number())];
    let by = world.by();
    let imported = world
        .store()
        .import_people(std::slice::from_ref(&new), &by)
        .await?;
    assert_eq!(imported.created, 1);
    for name in [new.username.to_uppercase(), new.aliases.concat()] {
        let found = world.store().person_by_name(&key(&name)?).await?;
        let found = found.ok_or("nobody has this name")?;
        assert_eq!(found.person.id, new.id);
        assert_eq!(found.person.last_name, new.last_name);
        assert_eq!(found.aliases, [key(&new.aliases.concat())?.as_str()]);
        assert!(found.password.is_none() && found.person.method.is_none());
    }
    let nobody = world.store().person_by_name(&key("nobody at all")?).await?;
    assert!(nobody.is_none());
    Ok(())
}

async fn conflicts(world: &World, people: &[NewPerson]) -> Result<Vec<(usize, Conflict)>, Broken> {
    let by = world.by();
    let conflicts = match world.store().import_people(people, &by).await {
        Err(ImportError::Conflicts(conflicts)) => conflicts,
        other => return Err(format!("no conflict: {other:?}").into()),
    };
    for new in people.iter().filter(|new| new.first_name == "New") {
        assert!(
            world.store().person(new.id).await?.is_none(),
            "{conflicts:?}"
        );
    }
    assert!(
        world
            .store()
            .audit_by_support(&by.support)
            .await?
            .is_empty()
    );
    Ok(conflicts)
}

type Broken = super::world::Cause;

pub(super) async fn an_import_with_one_contradiction_imports_nobody(world: &World) -> Kept {
    let known = world.account(world.newcomer().await?).await?.person;
    let fresh = || NewPerson {
        first_name: "New".into(),
        ..world.stranger()
    };
    let taken = NewPerson {
        aliases: vec![known.username.to_uppercase()],
        ..fresh()
    };
    let expected = Conflict::NameTaken(known.username.to_uppercase());
    assert_eq!(conflicts(world, &[fresh(), taken]).await?, [(1, expected)]);

    let first = fresh();
    let again = NewPerson {
        id: PersonId(world.id()),
        ..first.clone()
    };
    let expected = Conflict::Twice(first.username.clone());
    assert_eq!(conflicts(world, &[first, again]).await?, [(1, expected)]);

    let with_token = NewPerson {
        token_serial: Some("NOSUCH".into()),
        ..fresh()
    };
    let expected = Conflict::NoSuchToken("NOSUCH".into());
    assert_eq!(
        conflicts(world, &[fresh(), with_token]).await?,
        [(1, expected)]
    );

    let nameless = NewPerson {
        username: " \u{200b}".into(),
        ..fresh()
    };
    let expected = Conflict::NoName(" \u{200b}".into());
    assert_eq!(
        conflicts(world, &[nameless, fresh()]).await?,
        [(0, expected)]
    );
    Ok(())
}

pub(super) async fn a_name_may_change_hands_within_one_import(world: &World) -> Kept {
    let alias = format!("shared.{}", world.number());
    let (mut one, mut other) = (world.stranger(), world.stranger());
    one.aliases = vec![alias.clone()];
    let by = world.by();
    let import = |people: [NewPerson; 2]| {
        let by = by.clone();
        async move { world.store().import_people(&people, &by).await }
    };
    import([one.clone(), other.clone()]).await?;
    std::mem::swap(&mut one.aliases, &mut other.aliases);
    let imported = import([other.clone(), one]).await?;
    assert_eq!(imported.updated, 2);
    let found = world.store().person_by_name(&key(&alias)?).await?;
    assert_eq!(found.map(|found| found.person.id), Some(other.id));
    Ok(())
}

pub(super) async fn a_second_import_updates_the_register_and_leaves_the_account(
    world: &World,
) -> Kept {
    let person = world.person(Method::App).await?;
    let before = world.account(person).await?;
    let again = NewPerson {
        first_name: "Eloise".into(),
        language: Language::De,
        method: Some(Method::Sms),
        password: Some(Secret::new(b"another".to_vec())),
        phone: Some(world.phone()?),
        school: None,
        username: before.person.username.to_uppercase(),
        ..world.stranger()
    };
    let imported = world.import_people(std::slice::from_ref(&again));
    assert_eq!(imported.await?.updated, 1);
    let after = world.account(person).await?;
    assert_eq!(after.person.first_name, "Eloise");
    assert_eq!(
        (after.person.language, after.person.school),
        (Language::De, None)
    );
    assert_eq!(after.person.method, Some(Method::App));
    assert_eq!(after.person.phone, before.person.phone);
    let (before, after) = (before.password, after.password);
    assert!(
        before
            .zip(after)
            .is_some_and(|(b, a)| b.matches(a.expose()))
    );

    let once_more = world.import_people(&[again]).await?;
    let expected = Imported {
        unchanged: 1,
        ..Imported::default()
    };
    assert_eq!(once_more, expected);
    Ok(())
}

/// Switched off by mistake and on again: nobody has made the account theirs yet.
pub(super) async fn what_happens_before_activation_takes_no_account_from_the_register(
    world: &World,
) -> Kept {
    let mut new = world.stranger();
    world.import_people(std::slice::from_ref(&new)).await?;
    for disabled in [true, false] {
        let by = world.by();
        world.store().disable(new.id, disabled, &by).await?;
    }
    new.method = Some(Method::Sms);
    new.password = Some(Secret::new(b"{SSHA}brought".to_vec()));
    new.phone = Some(world.phone()?);
    let imported = world.import_people(std::slice::from_ref(&new)).await?;
    assert_eq!(imported.updated, 1);
    let account = world.account(new.id).await?;
    assert_eq!(account.person.phone, new.phone);
    assert!(account.password.is_some());
    Ok(())
}

pub(super) async fn until_activation_the_register_decides_over_the_account(world: &World) -> Kept {
    let token = world.token();
    world.import_tokens(std::slice::from_ref(&token)).await?;
    let mut new = world.stranger();
    world.import_people(std::slice::from_ref(&new)).await?;
    new.method = Some(Method::Token);
    new.password = Some(Secret::new(b"{SSHA}brought".to_vec()));
    new.phone = Some(world.phone()?);
    new.token_serial = Some(token.serial.clone());
    let imported = world.import_people(std::slice::from_ref(&new)).await?;
    assert_eq!(imported.updated, 1);
    let account = world.account(new.id).await?;
    assert!(
        account
            .password
            .is_some_and(|password| password.matches(b"{SSHA}brought"))
    );
    assert_eq!(account.person.phone, new.phone);
    assert!(!account.person.phone_confirmed && account.person.enrolled());
    assert_eq!(account.person.token_serial, Some(token.serial.clone()));

    let thief = NewPerson {
        token_serial: Some(token.serial.clone()),
        ..world.stranger()
    };
    let expected = Conflict::TokenTaken(token.serial);
    assert_eq!(conflicts(world, &[thief]).await?, [(0, expected)]);
    Ok(())
}

pub(super) async fn a_better_hash_replaces_only_the_one_it_was_made_from(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    let old = world.account(person).await?.password.ok_or("no password")?;
    let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
    let store = world.store();
    store
        .upgrade_password(person, &secret("someone else's"), &secret("evil"))
        .await?;
    store
        .upgrade_password(person, &old, &secret("better"))
        .await?;
    store
        .upgrade_password(person, &old, &secret("late"))
        .await?;
    let now = world.account(person).await?.password.ok_or("no password")?;
    assert!(now.matches(b"better"));
    let history = store.password_history(person, 24).await?;
    assert!(history.len() == 1 && history.iter().all(|hash| hash.matches(b"better")));
    Ok(())
}

/// Who came over with a password has still to choose a method, and with it a password of their own.
pub(super) async fn who_came_with_a_password_and_no_method_can_activate(world: &World) -> Kept {
    let new = NewPerson {
        password: Some(Secret::new(b"{SSHA}former".to_vec())),
        ..world.stranger()
    };
    world.import_people(std::slice::from_ref(&new)).await?;
    let activate = world.activate(new.id, Method::Sms).await?;
    let effects = [Effect::Activate(Box::new(activate.clone()))];
    let opened = world.open(&world.activating(&activate), &effects).await?;
    assert_eq!(opened, Committed::Yes(None));
    let account = world.account(new.id).await?;
    assert_eq!(account.person.method, Some(Method::Sms));
    Ok(())
}

/// [L06] A code that lay in a mailbox while its person got a password otherwise changes nothing.
pub(super) async fn an_activation_never_replaces_a_password(world: &World) -> Kept {
    let person = world.newcomer().await?;
    let first = world.activate(person, Method::Sms).await?;
    let effects = [Effect::Activate(Box::new(first.clone()))];
    let opened = world.open(&world.activating(&first), &effects).await?;
    assert_eq!(opened, Committed::Yes(None));
    let second = world.activate(person, Method::App).await?;
    let effects = [Effect::Activate(Box::new(second.clone()))];
    let opened = world.open(&world.activating(&second), &effects).await?;
    assert_eq!(opened, Committed::ActivationSpent);
    let account = world.account(person).await?;
    assert_eq!(account.person.method, Some(Method::Sms));
    let history = world.store().password_history(person, 10).await?;
    assert!(
        history.len() == 1
            && history
                .iter()
                .all(|hash| hash.matches(first.password.expose()))
    );
    Ok(())
}

pub(super) async fn a_walk_through_the_people_meets_everybody_once(world: &World) -> Kept {
    let school = format!("École {}", world.number());
    let people: Vec<NewPerson> = (0..7)
        .map(|_| NewPerson {
            school: Some(school.clone()),
            ..world.stranger()
        })
        .collect();
    world.import_people(&people).await?;
    let (mut met, mut after) = (vec![], None);
    loop {
        let cohort = Cohort::School(school.clone());
        let page = world.store().people(cohort, after.as_deref(), 3).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.person.username.clone());
        met.extend(page.into_iter().map(|account| account.person.username));
    }
    let mut expected: Vec<String> = people.into_iter().map(|new| new.username).collect();
    expected.sort();
    assert_eq!(met, expected);

    let everybody = world.store().people(Cohort::All, None, 10_000).await?;
    let waiting = world
        .store()
        .people(Cohort::NotActivated, None, 10_000)
        .await?;
    assert!(waiting.len() >= 7 && waiting.len() < everybody.len());
    assert!(waiting.iter().all(|account| account.password.is_none()));
    Ok(())
}

/// [S05] Switched off, a person has no session, no journey, no link and no message left, at once.
pub(super) async fn whoever_is_switched_off_is_out_everywhere(world: &World) -> Kept {
    let person = world.person(Method::Sms).await?;
    world.session(person).await?;
    let journey = world.signing_in(person)?;
    let notice = Effect::Notify {
        notice: journey::Notice::Activated { at: NOW },
        person,
    };
    let _ = world.open(&journey, &[notice]).await?;
    let link = world.hash();
    world
        .store()
        .offer_resume(journey.id, &link, NOW.plus(100))
        .await?;

    let by = world.by();
    world.store().disable(person, true, &by).await?;
    assert!(world.account(person).await?.person.disabled);
    assert!(world.store().sessions(person, NOW).await?.is_empty());
    assert!(world.store().journey(journey.id).await?.is_none());
    let taken = world
        .store()
        .take_over_journey(&link, &world.hash(), NOW)
        .await?;
    assert!(matches!(taken, TakeOver::Unknown));
    let due = world.store().claim_messages(NOW, 1000).await?;
    assert!(due.iter().all(|message| message.person.id != person));
    let entries = world.store().audit_by_support(&by.support).await?;
    assert!(entries.iter().all(|entry| entry.person == Some(person)) && entries.len() == 1);

    world.store().disable(person, false, &world.by()).await?;
    assert!(!world.account(person).await?.person.disabled);
    assert!(world.store().sessions(person, NOW).await?.is_empty());
    Ok(())
}
