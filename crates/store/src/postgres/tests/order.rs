//! In which order rows are held: always the person's first, so that no two wait for each other.

use journey::activation::{Activation, Opened};

use super::*;

const PERSON: u32 = 7;

fn activating(activation: ActivationId, number: u8) -> Journey {
    let opened = Opened {
        activation,
        code: Secret::new(b"ABCD-EFGH".to_vec()),
        person: person(PERSON).id,
        until: NOW.plus(3600),
    };
    Journey {
        browser: [number; 32],
        id: JourneyId([number; 16]),
        purpose: "portal".into(),
        state: JourneyState::Activation(Activation::CheckData(opened)),
        support: format!("S{number}"),
        until: NOW.plus(3600),
        version: 0,
    }
}

fn ends_with(activation: ActivationId) -> [Effect; 1] {
    let activate = journey::effect::Activate {
        activation,
        chosen: Some((journey::Method::Sms, None)),
        password: Secret::new(b"$argon2id$".to_vec()),
        person: person(PERSON).id,
    };
    [Effect::Activate(Box::new(activate))]
}

/// [O16] Somebody who ends two activations at once does not make the server look for a deadlock, which takes
/// a second: whoever comes second waits for the person before their journey is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_second_of_two_ends_waits_with_nothing_in_its_hands() {
    let (store, _, name) = fresh().await;
    let store = Arc::new(store);
    store
        .import_people(&[person(PERSON)], &by(""))
        .await
        .unwrap();
    let activation = ActivationId([1; 16]);
    let new = NewActivation {
        id: activation,
        mac: [2; 32],
        message: None,
        person: person(PERSON).id,
        until: NOW.plus(3600),
    };
    store.issue_activation(&new, &by("")).await.unwrap();
    for number in 1..=2 {
        let journey = activating(activation, number);
        let opened = store.open_journey(&journey, &[], &by("S")).await.unwrap();
        assert_eq!(opened, Committed::Yes(None));
    }

    let mut attempts = Attempts::at(&store, "test");
    let tx = attempts.begin(Synced::Now).await.unwrap();
    tx.rows("select 1 from activation for update", &[])
        .await
        .unwrap();
    let mut ends = JoinSet::new();
    for number in 1..=2 {
        let store = Arc::clone(&store);
        ends.spawn(async move {
            let journey = activating(activation, number);
            let effects = ends_with(activation);
            store.commit_journey(&journey, &effects, &by("S")).await
        });
    }
    let waiting = format!(
        "select count(*) from pg_stat_activity where datname = '{name}' and wait_event_type = 'Lock'"
    );
    let both_wait = async {
        while sql(&name, &waiting) != "2" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, both_wait).await.unwrap();
    let free = "select 1 from journey for update skip locked";
    assert_eq!(tx.rows(free, &[]).await.unwrap().len(), 1);
    drop(tx);

    let mut outcomes = Vec::new();
    while let Some(outcome) = ends.join_next().await {
        outcomes.push(outcome.unwrap().unwrap());
    }
    assert!(outcomes.contains(&Committed::Yes(None)), "{outcomes:?}");
    assert!(outcomes.contains(&Committed::Overtaken), "{outcomes:?}");
}
