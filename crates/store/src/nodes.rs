//! The nodes that serve one database, and the servers on which that database is.

use std::fmt;

use data_encoding::HEXLOWER;
use journey::Timestamp;

use crate::seal::{Keys, sha256};

/// A node that was not seen for so long is gone, in seconds.
pub const GONE_AFTER_S: i64 = 30;
/// Characters of a hash that are kept: enough to tell configurations apart, too few to find out a secret.
const SHOWN: usize = 12;

/// What a node tells about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// Where it listens.
    pub address: String,
    /// What it must agree on with the others.
    pub configuration: Agreed,
    /// Drawn at its start: a node that is started again is another one.
    pub id: [u8; 16],
    /// What people call it. Of two with one name, the earlier one has ended.
    pub name: String,
    /// When it started, by its own clock.
    pub since: Timestamp,
    /// What it does.
    pub state: NodeState,
    /// The version of its program.
    pub version: String,
}

/// What a node does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NodeState {
    /// It keeps out of the way, because its configuration is not that of the eldest.
    Disagrees,
    /// It answers what it has begun, and takes nothing new.
    Leaves,
    /// It serves.
    Serves,
}

/// A node as the database knows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeSeen {
    /// The last migration that its program knows.
    pub migration: String,
    /// What it told.
    pub node: Node,
    /// When it told that.
    pub seen: Timestamp,
}

/// What nodes must agree on: values that are the same on all of them, of each the beginning of a hash, and
/// sealing keys, of which each node must hold the one with which another seals.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agreed {
    /// The names of the sealing keys that open what they sealed; the first one seals.
    keys: Vec<String>,
    /// `name=hash name=hash`
    values: String,
}

/// The option that names the sealing keys, which stands in the database before their names.
const KEYS: &str = "key_file";

impl Agreed {
    /// Hashes what must be the same. No name of a value holds a space or `=`.
    pub fn of<'a>(keys: &Keys, values: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let one = |(name, value): (&str, &str)| format!("{name}={}", beginning(value));
        Self {
            keys: (keys.openers().iter().map(|name| HEXLOWER.encode(name))).collect(),
            values: values.into_iter().map(one).collect::<Vec<_>>().join(" "),
        }
    }

    /// As the database keeps it.
    pub(crate) fn parse(text: &str) -> Self {
        let keys = text.split(' ').find_map(keys_of);
        let others = text.split(' ').filter(|word| keys_of(word).is_none());
        Self {
            keys: keys
                .unwrap_or_default()
                .split(',')
                .map(str::to_owned)
                .collect(),
            values: others.collect::<Vec<_>>().join(" "),
        }
    }

    /// As the database keeps it.
    pub(crate) fn to_text(&self) -> String {
        format!("{KEYS}={} {}", self.keys.join(","), self.values)
    }

    /// A name for the key with which this node seals, that tells nothing of it.
    #[must_use]
    pub fn sealing_key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    /// The names of the options in which two nodes do not agree.
    #[must_use]
    pub fn differs_in<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let only = |one: &'a Self, other: &'a Self| {
            let words = one.values.split(' ').filter(|word| !word.is_empty());
            words.filter(|word| other.values.split(' ').all(|theirs| theirs != *word))
        };
        let names = only(self, other).chain(only(other, self));
        let names = names.filter_map(|word| word.split('=').next());
        let holds = |one: &Self, key: &str| one.keys.iter().any(|held| held == key);
        let opens = holds(self, other.sealing_key()) && holds(other, self.sealing_key());
        let mut names: Vec<_> = names.chain((!opens).then_some(KEYS)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn keys_of(word: &str) -> Option<&str> {
    word.strip_prefix(KEYS)?.strip_prefix('=')
}

/// One hash over what must be the same, for people to compare.
impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&beginning(&self.values))
    }
}

fn beginning(value: &str) -> String {
    let mut hash = HEXLOWER.encode(&sha256(value.as_bytes()));
    hash.truncate(SHOWN);
    hash
}

impl NodeState {
    const ALL: [Self; 3] = [Self::Disagrees, Self::Leaves, Self::Serves];

    /// As it stands in the database, and in what programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disagrees => "disagrees",
            Self::Leaves => "leaves",
            Self::Serves => "serves",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl NodeSeen {
    /// Whether it was seen lately. What a clock far ahead wrote would never be long ago, and counts for nothing.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.seen.plus(GONE_AFTER_S) > now && self.seen < now.plus(2 * GONE_AFTER_S)
    }
}

/// The node whose configuration counts: of those that are alive and do not leave, the one that came first.
/// `nodes` are in the order in which they came.
#[must_use]
pub fn eldest(nodes: &[NodeSeen], now: Timestamp) -> Option<&NodeSeen> {
    let mut nodes = nodes.iter();
    nodes.find(|one| one.is_alive(now) && one.node.state != NodeState::Leaves)
}

/// A server of the database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DatabaseServer {
    /// `HOST:PORT`, as the address of the database has it.
    pub name: String,
    /// What it is.
    pub role: DatabaseRole,
}

/// What a server of the database is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DatabaseRole {
    /// It takes what is written.
    Leader {
        /// Those that follow it.
        followers: Vec<Follower>,
    },
    /// It follows another one and can be read.
    Replica,
    /// Nobody gets through to it; why.
    Unreachable(String),
}

impl DatabaseRole {
    /// One word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Leader { .. } => "leader",
            Self::Replica => "replica",
            Self::Unreachable(_) => "unreachable",
        }
    }
}

/// A server that follows the leader.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Follower {
    /// What it calls itself; none if the user of the database may not know.
    pub name: Option<String>,
    /// `sync` and `quorum` are waited for, `async` and `potential` are not; none if the user of the database
    /// may not know.
    pub sync: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::Checks;

    fn seen(number: u8, state: NodeState, seen: i64) -> NodeSeen {
        NodeSeen {
            migration: String::new(),
            node: Node {
                address: String::new(),
                configuration: Agreed::parse(""),
                id: [number; 16],
                name: format!("n{number}"),
                since: Timestamp(0),
                state,
                version: String::new(),
            },
            seen: Timestamp(seen),
        }
    }

    #[test]
    fn the_eldest_is_the_first_that_is_alive_and_stays() {
        let nodes = [
            seen(1, NodeState::Serves, 69),
            seen(2, NodeState::Leaves, 100),
            seen(3, NodeState::Disagrees, 71),
            seen(4, NodeState::Serves, 100),
        ];
        let of = |now| eldest(&nodes, Timestamp(now)).map(|one| one.node.id[0]);
        assert_eq!(of(98), Some(1));
        assert_eq!(of(40), Some(1));
        assert_eq!(of(9), None, "all by a clock that is a minute ahead");
        assert_eq!(of(100), Some(3));
        assert_eq!(of(110), Some(4));
        assert_eq!(of(130), None);
    }

    #[test]
    fn what_differs_is_named_and_nothing_of_it_is_shown() {
        let keys = Keys::from_master(&[7; 32]);
        let of = |url, more| Agreed::of(&keys, [("public_url", url), ("more", more)]);
        let one = of("https://a.example", "m");
        assert!(one.differs_in(&one.clone()).is_empty());
        assert_eq!(Agreed::parse(&one.to_text()), one);
        let other = of("https://b.example", "m");
        assert_eq!(one.differs_in(&other), ["public_url"]);
        assert_eq!(one.differs_in(&of("", "")), ["more", "public_url"]);
        let less = Agreed::of(&keys, [("public_url", "https://a.example")]);
        assert_eq!(one.differs_in(&less), ["more"]);
        assert_ne!(one.to_string(), other.to_string());
        assert!(!one.to_text().contains("example"));
    }

    /// A key is known everywhere before anybody seals with it: on the way there, nodes differ and agree.
    #[test]
    fn nodes_agree_on_keys_if_each_opens_what_the_other_seals() {
        let of = |keys: &Keys| Agreed::of(keys, [("public_url", "https://a.example")]);
        let first = || Keys::from_master(&[7; 32]);
        let (old, new) = (of(&first()), of(&first().and_newer(&[8; 32])));
        let known = of(&first().and_known(2, &[8; 32]));
        assert_eq!(old.sealing_key(), known.sealing_key());
        assert_ne!(old.sealing_key(), new.sealing_key());
        assert!(old.differs_in(&known).is_empty() && known.differs_in(&new).is_empty());
        assert_eq!(old.differs_in(&new), ["key_file"]);
        assert_eq!(new.differs_in(&old), ["key_file"]);
        assert_eq!(
            old.differs_in(&of(&Keys::from_master(&[9; 32]))),
            ["key_file"]
        );
        assert_eq!(old.to_string(), new.to_string());
    }

    /// What is left of a retired key opens nothing: a node that seals with it is not understood.
    #[test]
    fn a_node_that_seals_with_a_retired_key_is_not_agreed_with() {
        let of = |keys: &Keys| Agreed::of(keys, [("public_url", "https://a.example")]);
        let stale = Keys::from_master(&[7; 32]).and_known(2, &[8; 32]);
        let retired = Keys::from_numbered(2, &[8; 32]).and_checks(1, &Checks::of(&[7; 32]));
        assert_eq!(of(&stale).differs_in(&of(&retired)), ["key_file"]);
        assert_eq!(of(&retired).differs_in(&of(&stale)), ["key_file"]);
        let former = Keys::from_numbered(2, &[8; 32]).and_known(1, &[7; 32]);
        assert!(of(&stale).differs_in(&of(&former)).is_empty());
        assert!(of(&former).differs_in(&of(&retired)).is_empty());
    }

    #[test]
    fn a_state_has_its_name() {
        for state in NodeState::ALL {
            assert_eq!(NodeState::parse(state.name()), Some(state));
        }
        assert_eq!(NodeState::parse("sleeps"), None);
    }
}
