//! Promises about the nodes that serve one database.

use journey::{ActivationId, Secret, Timestamp};

use super::world::{Kept, NOW, World, count};
use crate::{
    Agreed, By, GONE_AFTER_S, Message, NewActivation, Node, NodeSeen, NodeState, eldest, seal::Keys,
};

fn agreed(url: &str) -> Agreed {
    Agreed::of(&Keys::from_master(&[7; 32]), [("public_url", url)])
}

fn node(world: &World) -> Node {
    let number = world.number();
    Node {
        address: format!("192.0.2.7:{number}"),
        configuration: agreed("https://login.example.ch"),
        id: world.id(),
        name: format!("node{number}"),
        since: NOW,
        state: NodeState::Serves,
        version: "1.2.3".into(),
    }
}

/// The nodes of a promise, in the order in which the store lists them.
async fn known(world: &World, of: &[&Node]) -> Result<Vec<NodeSeen>, crate::StoreError> {
    let mut nodes = world.store().nodes().await?;
    nodes.retain(|seen| of.iter().any(|node| node.id == seen.node.id));
    Ok(nodes)
}

pub(super) async fn a_node_is_known_as_it_told_itself_last(world: &World) -> Kept {
    let (mut one, other) = (node(world), node(world));
    let store = world.store();
    store.node_seen(&one, NOW).await?;
    store.node_seen(&other, NOW).await?;
    one.state = NodeState::Leaves;
    one.configuration = agreed("https://other.example.ch");
    store.node_seen(&one, NOW.plus(7)).await?;
    let seen = known(world, &[&one, &other]).await?;
    let told: Vec<_> = seen.iter().map(|seen| (&seen.node, seen.seen)).collect();
    assert_eq!(told, [(&one, NOW.plus(7)), (&other, NOW)]);
    let migration = store.migration().await?;
    assert!(migration.starts_with("00") && migration.as_str() >= "0002");
    assert!(seen.iter().all(|seen| seen.migration == migration));
    store.node_left(&one.id).await?;
    store.node_left(&one.id).await?;
    assert_eq!(known(world, &[&one, &other]).await?.len(), 1);
    Ok(())
}

/// Clocks have no say in who came first.
pub(super) async fn nodes_that_come_at_once_have_one_order(world: &World) -> Kept {
    let nodes: Vec<_> = (0..20).map(|_| node(world)).collect();
    let listed = world
        .race(20, |store, number| {
            let node = nodes.get(number).cloned();
            async move {
                if let Some(node) = node {
                    let by_its_clock = NOW.plus(i64::from(node.id[0]));
                    store.node_seen(&node, by_its_clock).await?;
                }
                Ok(())
            }
        })
        .await?;
    assert_eq!(count(&listed, &()), 20);
    let all: Vec<_> = nodes.iter().collect();
    let ids = |seen: Vec<NodeSeen>| seen.iter().map(|seen| seen.node.id).collect::<Vec<_>>();
    let order = ids(known(world, &all).await?);
    assert_eq!(order.len(), 20);
    let again = all.first().ok_or("no nodes")?;
    world.store().node_seen(again, NOW.plus(60)).await?;
    assert_eq!(ids(known(world, &all).await?), order);
    Ok(())
}

/// A node that was killed and started again is at once the only one of its name, and comes last.
pub(super) async fn a_node_replaces_whoever_had_its_name(world: &World) -> Kept {
    let (before, between) = (node(world), node(world));
    let after = Node {
        id: world.id(),
        ..before.clone()
    };
    let store = world.store();
    for node in [&before, &between, &after] {
        store.node_seen(node, NOW).await?;
    }
    let seen = known(world, &[&before, &between, &after]).await?;
    let ids: Vec<_> = seen.iter().map(|seen| seen.node.id).collect();
    assert_eq!(ids, [between.id, after.id]);
    assert_eq!(
        eldest(&seen, NOW).map(|seen| seen.node.id),
        Some(between.id)
    );
    Ok(())
}

pub(super) async fn a_node_that_is_gone_is_forgotten_after_a_day(world: &World) -> Kept {
    const DAY_S: i64 = 86_400;
    let node = node(world);
    let store = world.store();
    store.node_seen(&node, NOW).await?;
    let seen = known(world, &[&node]).await?;
    let is_alive = |at: Timestamp| seen.iter().any(|seen| seen.is_alive(at));
    assert!(is_alive(NOW.plus(GONE_AFTER_S - 1)) && !is_alive(NOW.plus(GONE_AFTER_S)));
    store.tidy(NOW.plus(DAY_S - 1)).await?;
    assert_eq!(known(world, &[&node]).await?.len(), 1);
    store.tidy(NOW.plus(DAY_S)).await?;
    assert!(known(world, &[&node]).await?.is_empty());
    Ok(())
}

pub(super) async fn the_outbox_says_when_its_next_message_is_due(world: &World) -> Kept {
    let store = world.store();
    let before = store.outbox_next_due().await?;
    let soon = before.map_or(NOW, |before| before.plus(-1));
    let until = NOW.plus(3600);
    let code = Secret::new(b"ABCDE-FGHJK".to_vec());
    let new = NewActivation {
        id: ActivationId(world.id()),
        mac: world.hash(),
        message: Some(Message::Activation { code, until }),
        person: world.newcomer().await?,
        until,
    };
    let by = By {
        at: soon,
        ..world.by()
    };
    store.issue_activation(&new, &by).await?;
    assert_eq!(store.outbox_next_due().await?, Some(soon));
    Ok(())
}
