//! Which nodes serve the same database, and whether this one's configuration is that of the eldest; see
//! `docs/decisions/0020-a-node-that-disagrees-steps-aside.md`.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use journey::Timestamp;
use store::{
    Agreed, DatabaseServer, GONE_AFTER_S, Node, NodeSeen, NodeState, StoreError, eldest, seal::Keys,
};
use tokio::time::timeout;

use crate::{app::App, clock, settings::Settings};

/// How often a node tells that it is there.
const EVERY: Duration = Duration::from_secs(5);
/// How often one looks that has something against it: it comes back as soon as it may.
const EVERY_WHILE_APART: Duration = Duration::from_secs(1);
/// How often the servers of the database are asked what they are.
const SERVERS_EVERY: Duration = Duration::from_secs(15);
/// For so long a node that has served puts up with a difference, in seconds: what changes while all run,
/// such as the sealing keys, does not reach all at once.
const PATIENCE_S: i64 = 15;
/// How long a last word may take.
const LAST_WORD: Duration = Duration::from_secs(1);

/// What a node calls itself.
#[derive(Clone, Debug)]
pub struct NodeName {
    /// Where it listens.
    pub address: String,
    /// A name that no other node has at the same time.
    pub name: String,
    /// The version of the program.
    pub version: String,
}

/// This node among the others.
pub(crate) struct Nodes {
    last: Mutex<Look>,
    own: Option<Own>,
    servers: ArcSwap<Vec<DatabaseServer>>,
}

/// What this node is.
struct Own {
    id: [u8; 16],
    name: NodeName,
    since: Timestamp,
}

/// What was seen when this node looked last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Look {
    /// How many nodes were alive.
    pub(crate) alive: u64,
    /// How many of them had another configuration than the eldest.
    pub(crate) apart: u64,
    at: Timestamp,
    difference: Option<Difference>,
    /// Whether this node has agreed with the eldest before.
    has_agreed: bool,
}

/// Another configuration than that of the eldest node.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Difference {
    /// The names of the options.
    differs_in: Vec<String>,
    elder: String,
    since: Timestamp,
}

impl Nodes {
    /// Before the first look. Without a name, no other node is looked for.
    pub(crate) fn new(name: Option<NodeName>, id: [u8; 16], since: Timestamp) -> Self {
        Self {
            last: Mutex::default(),
            own: name.map(|name| Own { id, name, since }),
            servers: ArcSwap::default(),
        }
    }

    /// Whether there may be others.
    pub(crate) const fn are_looked_for(&self) -> bool {
        self.own.is_some()
    }

    /// What was seen last.
    pub(crate) fn last(&self) -> Look {
        let last = self.last.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the servers of the database were when they were asked last.
    pub(crate) fn servers(&self) -> Arc<Vec<DatabaseServer>> {
        self.servers.load_full()
    }

    fn keep(&self, look: Look) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = look;
    }
}

impl Own {
    fn node(&self, configuration: Agreed, state: NodeState) -> Node {
        Node {
            address: self.name.address.clone(),
            configuration,
            id: self.id,
            name: self.name.name.clone(),
            since: self.since,
            state,
            version: self.name.version.clone(),
        }
    }
}

impl Look {
    /// The options in which this node differs from the eldest, if that keeps it from serving. What was
    /// seen long ago counts no more: the eldest of then may be gone.
    pub(crate) fn keeps_apart(&self, now: Timestamp) -> Option<&[String]> {
        let difference = self.difference.as_ref()?;
        let is_new = self.at.plus(GONE_AFTER_S) > now;
        let is_tolerated = self.has_agreed && difference.since.plus(PATIENCE_S) > now;
        (is_new && !is_tolerated).then_some(&difference.differs_in)
    }

    fn state(&self, now: Timestamp) -> NodeState {
        match self.keeps_apart(now) {
            None => NodeState::Serves,
            Some(_) => NodeState::Disagrees,
        }
    }

    /// What comes after this look, of these nodes in the order in which they came.
    fn next(&self, own: (&[u8; 16], &Agreed), nodes: &[NodeSeen], now: Timestamp) -> Self {
        let (id, configuration) = own;
        let elder = eldest(nodes, now);
        let alive = || nodes.iter().filter(|one| one.is_alive(now));
        let is_apart = |one: &&NodeSeen| {
            elder.is_some_and(|elder| differ(&elder.node.configuration, &one.node.configuration))
        };
        let differs =
            |elder: &&NodeSeen| elder.node.id != *id && elder.node.configuration != *configuration;
        let difference = elder.filter(differs).map(|elder| {
            let names = configuration.differs_in(&elder.node.configuration);
            let before = self.difference.as_ref();
            Difference {
                differs_in: names.into_iter().map(str::to_owned).collect(),
                elder: elder.node.name.clone(),
                since: before.map_or(now, |before| before.since),
            }
        });
        Self {
            alive: alive().count() as u64,
            apart: alive().filter(is_apart).count() as u64,
            at: now,
            has_agreed: difference.is_none() || self.has_agreed && self.keeps_apart(now).is_none(),
            difference,
        }
    }
}

fn differ(one: &Agreed, other: &Agreed) -> bool {
    !one.differs_in(other).is_empty()
}

/// What all nodes must agree on. Where one listens, what stands before it and how much it logs are its own
/// business; zones, policy, applications and gateways come from the database.
fn agreed(settings: &Settings, keys: &Keys) -> Agreed {
    Agreed::of(keys, [("public_url", settings.origin().as_str())])
}

/// Tells that this node is there, looks who else is, and says in the log what has changed. Where that does
/// not work, all stays as it was: whether the database can be written is asked elsewhere.
pub(crate) async fn look(app: &App) {
    let Some(own) = &app.nodes.own else { return };
    // What it told would bear its own time, by which others judge whether it is there.
    if let Ok(Some(_)) = clock::is_apart(app).await {
        return;
    }
    let before = app.nodes.last();
    match tell_and_look(app, own, &before).await {
        Ok(look) => {
            say(&before, &look, app.world.now());
            app.nodes.keep(look);
        }
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(
                error,
                "this node could not tell the others that it is there"
            );
        }
    }
}

async fn tell_and_look(app: &App, own: &Own, before: &Look) -> Result<Look, StoreError> {
    let now = app.world.now();
    let configuration = agreed(&app.settings, &app.keys);
    let told = before.state(now);
    let node = own.node(configuration.clone(), told);
    app.store.node_seen(&node, now).await?;
    let nodes = app.store.nodes().await?;
    let look = before.next((&own.id, &configuration), &nodes, now);
    if look.state(now) != told {
        let node = own.node(configuration, look.state(now));
        app.store.node_seen(&node, now).await?;
    }
    Ok(look)
}

fn say(before: &Look, look: &Look, now: Timestamp) {
    let was = before.keeps_apart(now);
    match (&look.difference, look.keeps_apart(now)) {
        (Some(difference), Some(differs_in)) if was != Some(differs_in) => {
            let options = differs_in.join("`, `");
            tracing::error!(
                elder = difference.elder,
                "the configuration of this node differs in `{options}` from that of the eldest node, so it \
                 takes no requests: make it the same and start this node again; or, if this one is right, \
                 change the others and start them again"
            );
        }
        (_, None) if was.is_some() => {
            tracing::info!(
                "the configuration of this node is that of the eldest: it takes requests"
            );
        }
        _ => {}
    }
}

/// Looks for ever.
pub(crate) async fn run(app: &App) {
    if app.nodes.own.is_none() {
        return;
    }
    tokio::join!(look_on(app), ask_servers(app));
}

async fn look_on(app: &App) {
    loop {
        let every = match app.nodes.last().difference {
            None => EVERY,
            Some(_) => EVERY_WHILE_APART,
        };
        tokio::time::sleep(every).await;
        look(app).await;
    }
}

async fn ask_servers(app: &App) {
    let mut tick = tokio::time::interval(SERVERS_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Ok(servers) = app.store.database_servers().await {
            app.nodes.servers.store(Arc::new(servers));
        }
    }
}

/// Tells the others that this node takes nothing new, so that the next one is the eldest.
pub(crate) async fn leave(app: &App) {
    let Some(own) = &app.nodes.own else { return };
    let node = own.node(agreed(&app.settings, &app.keys), NodeState::Leaves);
    last_word(app.store.node_seen(&node, app.world.now())).await;
}

/// Tells the others that this node has ended.
pub(crate) async fn left(app: &App) {
    let Some(own) = &app.nodes.own else { return };
    last_word(app.store.node_left(&own.id)).await;
}

/// Whoever is not told sees it within half a minute.
async fn last_word(told: impl Future<Output = Result<(), StoreError>>) {
    if let Ok(Err(error)) = timeout(LAST_WORD, told).await {
        tracing::debug!(%error, "this node could not tell the others that it leaves");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_900_000_000);

    fn of(url: &str) -> Agreed {
        Agreed::of(&Keys::from_master(&[7; 32]), [("public_url", url)])
    }

    fn seen(number: u8, url: &str, state: NodeState) -> NodeSeen {
        NodeSeen {
            migration: String::new(),
            node: Node {
                address: String::new(),
                configuration: of(url),
                id: [number; 16],
                name: format!("node{number}"),
                since: NOW,
                state,
                version: String::new(),
            },
            seen: NOW,
        }
    }

    fn looks(before: &Look, number: u8, url: &str, nodes: &[NodeSeen], now: Timestamp) -> Look {
        before.next((&[number; 16], &of(url)), nodes, now)
    }

    #[test]
    fn of_two_that_disagree_the_one_that_came_later_steps_aside_at_once() {
        use NodeState::Serves;
        let nodes = [
            seen(1, "a", Serves),
            seen(2, "b", Serves),
            seen(3, "a", Serves),
        ];
        let first = Look::default();
        for (number, url, apart) in [(1, "a", false), (2, "b", true), (3, "a", false)] {
            let look = looks(&first, number, url, &nodes, NOW);
            assert_eq!(look.keeps_apart(NOW).is_some(), apart, "{number}");
            assert_eq!((look.alive, look.apart), (3, 1));
        }
        let look = looks(&first, 2, "b", &nodes, NOW);
        assert_eq!(look.keeps_apart(NOW).unwrap(), ["public_url"]);
        assert_eq!(look.state(NOW), NodeState::Disagrees);
    }

    #[test]
    fn when_the_elder_leaves_the_rest_are_right() {
        let mut nodes = [
            seen(1, "a", NodeState::Serves),
            seen(2, "b", NodeState::Disagrees),
        ];
        let apart = looks(&Look::default(), 2, "b", &nodes, NOW);
        nodes[0].node.state = NodeState::Leaves;
        let back = looks(&apart, 2, "b", &nodes, NOW.plus(1));
        assert_eq!(back.keeps_apart(NOW.plus(1)), None);
        // Killed, it is believed for half a minute longer.
        nodes[0].node.state = NodeState::Serves;
        nodes[1].seen = NOW.plus(30);
        let still = looks(&apart, 2, "b", &nodes, NOW.plus(29));
        assert!(still.keeps_apart(NOW.plus(29)).is_some());
        let back = looks(&still, 2, "b", &nodes, NOW.plus(30));
        assert_eq!(back.keeps_apart(NOW.plus(30)), None);
    }

    /// What all take over while they serve, they do not take over at one moment.
    #[test]
    fn a_node_that_has_served_puts_up_with_a_difference_for_a_while() {
        let (old, new) = ("a", "b");
        let nodes = |seen_at: Timestamp| {
            let mut nodes = [
                seen(1, old, NodeState::Serves),
                seen(2, new, NodeState::Serves),
            ];
            nodes.iter_mut().for_each(|one| one.seen = seen_at);
            nodes
        };
        let agreed = looks(&Look::default(), 2, old, &nodes(NOW), NOW);
        let mut look = agreed;
        for (after, apart) in [(5, false), (19, false), (20, true), (25, true)] {
            let now = NOW.plus(after);
            look = looks(&look, 2, new, &nodes(now), now);
            assert_eq!(look.keeps_apart(now).is_some(), apart, "{after}");
        }
    }

    /// A registry that cannot be read any more keeps nobody from serving.
    #[test]
    fn what_was_seen_long_ago_keeps_nobody_apart() {
        let nodes = [
            seen(1, "a", NodeState::Serves),
            seen(2, "b", NodeState::Serves),
        ];
        let look = looks(&Look::default(), 2, "b", &nodes, NOW);
        assert!(look.keeps_apart(NOW.plus(GONE_AFTER_S - 1)).is_some());
        assert!(look.keeps_apart(NOW.plus(GONE_AFTER_S)).is_none());
    }
}
