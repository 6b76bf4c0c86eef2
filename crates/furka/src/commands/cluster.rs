//! `furka cluster`: which nodes serve the database, and how the database is.

use clap::{Args, Subcommand};
use journey::Timestamp;
use serde_json::{Value, json};
use store::{DatabaseRole, DatabaseServer, Follower, NodeSeen, NodeState, eldest};

use crate::{
    failure::{Exit, Outcome},
    installation::Installation,
    print,
};

/// What can be asked about nodes.
#[derive(Subcommand)]
pub(crate) enum ClusterCommand {
    /// Shows every node with its version and whether it takes requests, the outbox, and the servers of the
    /// database.
    Status(Status),
}

/// What `furka cluster status` is told.
#[derive(Args)]
#[command(after_help = "\
Nodes tell every five seconds that they are there. One that was not seen for half a minute is gone, and
forgotten after a day. Of two that do not agree on the configuration, the one that came later takes no
requests: its `/health/ready` says 503.

Exit codes: 0 all nodes that are there agree; 1 one does not.")]
pub(crate) struct Status {
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

impl ClusterCommand {
    pub(crate) async fn run(self, here: &Installation) -> Outcome {
        match self {
            Self::Status(status) => status.run(here).await,
        }
    }
}

impl Status {
    async fn run(self, here: &Installation) -> Outcome {
        let seen = Seen {
            messages: here.store.outbox_depth().await?,
            migration: here.store.migration().await?,
            next_due: here.store.outbox_next_due().await?,
            nodes: here.store.nodes().await?,
            now: here.now(),
            servers: here.store.database_servers().await?,
        };
        match self.json {
            true => print::line(format_args!("{:#}", seen.json())),
            false => seen.print(),
        }
        let apart = |node: &NodeSeen| matches!(seen.standing(node), Standing::Apart { .. });
        Ok(match seen.nodes.iter().any(apart) {
            true => Exit::Problems,
            false => Exit::Done,
        })
    }
}

/// What was seen at one moment.
struct Seen {
    messages: u64,
    migration: String,
    next_due: Option<Timestamp>,
    nodes: Vec<NodeSeen>,
    now: Timestamp,
    servers: Vec<DatabaseServer>,
}

/// Whether a node takes requests.
enum Standing<'a> {
    /// Its configuration is not that of the eldest.
    Apart {
        differs_in: Vec<&'a str>,
        elder: &'a str,
    },
    Gone,
    Leaves,
    Ready,
}

impl Seen {
    fn standing<'a>(&'a self, node: &'a NodeSeen) -> Standing<'a> {
        if !node.is_alive(self.now) {
            return Standing::Gone;
        }
        if node.node.state == NodeState::Leaves {
            return Standing::Leaves;
        }
        let Some(elder) = eldest(&self.nodes, self.now) else {
            return Standing::Ready;
        };
        let differs_in = node
            .node
            .configuration
            .differs_in(&elder.node.configuration);
        let elder = elder.node.name.as_str();
        match differs_in.is_empty() {
            true => Standing::Ready,
            false => Standing::Apart { differs_in, elder },
        }
    }

    fn print(&self) {
        let mut table = print::Table::new([
            "node",
            "address",
            "version",
            "schema",
            "since",
            "seen",
            "configuration",
            "key",
            "ready",
        ]);
        for seen in &self.nodes {
            let node = &seen.node;
            table.row([
                node.name.clone(),
                node.address.clone(),
                node.version.clone(),
                number_of(&seen.migration).to_owned(),
                node.since.to_string(),
                ago(seen.seen, self.now),
                node.configuration.to_string(),
                node.configuration.sealing_key().to_owned(),
                self.standing(seen).to_string(),
            ]);
        }
        match self.nodes.is_empty() {
            true => print::line("no node serves this database"),
            false => print::line(table),
        }
        let mut below = print::Table::default();
        below.pair("outbox", self.outbox());
        below.pair("schema", &self.migration);
        for server in &self.servers {
            let of = format!("{} {}", server.name, role(&server.role));
            below.pair("database", of);
        }
        print::line(format_args!("\n{below}"));
    }

    fn outbox(&self) -> String {
        let Some(due) = self.next_due else {
            return "nothing waits".to_owned();
        };
        let (messages, verb) = match self.messages {
            1 => ("1 message".to_owned(), "waits"),
            number => (format!("{number} messages"), "wait"),
        };
        let due = match due > self.now {
            true => format!("the next in {}", lasts(self.now, due)),
            false => format!("due for {}", lasts(due, self.now)),
        };
        format!("{messages} {verb}, {due}")
    }

    fn json(&self) -> Value {
        let nodes: Vec<_> = self.nodes.iter().map(|seen| self.node_json(seen)).collect();
        let servers: Vec<_> = self.servers.iter().map(server_json).collect();
        json!({
            "at": self.now.to_string(),
            "nodes": nodes,
            "outbox": {
                "next_due": self.next_due.map(|due| due.to_string()),
                "waiting": self.messages,
            },
            "schema": self.migration,
            "servers": servers,
        })
    }

    fn node_json(&self, seen: &NodeSeen) -> Value {
        let node = &seen.node;
        let standing = self.standing(seen);
        let differs_in = match &standing {
            Standing::Apart { differs_in, .. } => differs_in.as_slice(),
            _ => &[],
        };
        json!({
            "address": node.address,
            "configuration": node.configuration.to_string(),
            "differs_in": differs_in,
            "id": data_encoding::HEXLOWER.encode(&node.id),
            "key": node.configuration.sealing_key(),
            "name": node.name,
            "ready": matches!(standing, Standing::Ready),
            "schema": seen.migration,
            "seen": seen.seen.to_string(),
            "since": node.since.to_string(),
            "standing": standing.name(),
            "version": node.version,
        })
    }
}

impl Standing<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Apart { .. } => "apart",
            Self::Gone => "gone",
            Self::Leaves => "leaves",
            Self::Ready => "ready",
        }
    }
}

impl std::fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Apart { differs_in, elder } => {
                write!(f, "no: `{}` is not as on {elder}", differs_in.join("`, `"))
            }
            Self::Gone => f.write_str("no: gone"),
            Self::Leaves => f.write_str("no: leaves"),
            Self::Ready => f.write_str("yes"),
        }
    }
}

/// The number that the name of a migration begins with.
fn number_of(migration: &str) -> &str {
    migration.split('-').next().unwrap_or_default()
}

fn role(role: &DatabaseRole) -> String {
    let followers = match role {
        DatabaseRole::Unreachable(why) => return format!("unreachable: {why}"),
        DatabaseRole::Leader { followers } if !followers.is_empty() => followers,
        DatabaseRole::Leader { .. } | DatabaseRole::Replica => return role.name().to_owned(),
    };
    let known = followers.iter().filter_map(follower);
    let known: Vec<_> = known.collect();
    match known.len() == followers.len() {
        true => format!("leader, followed by {}", known.join(", ")),
        false => format!(
            "leader, followed by {} servers; which ones it waits for, it tells a user with `grant \
             pg_read_all_stats`",
            followers.len()
        ),
    }
}

fn follower(follower: &Follower) -> Option<String> {
    let (name, sync) = (follower.name.as_ref()?, follower.sync.as_ref()?);
    Some(format!("{name} ({sync})"))
}

fn server_json(server: &DatabaseServer) -> Value {
    let followers = match &server.role {
        DatabaseRole::Leader { followers } => followers.as_slice(),
        DatabaseRole::Replica | DatabaseRole::Unreachable(_) => &[],
    };
    let follower = |one: &Follower| json!({ "name": one.name, "sync": one.sync });
    let why = match &server.role {
        DatabaseRole::Unreachable(why) => Some(why),
        DatabaseRole::Leader { .. } | DatabaseRole::Replica => None,
    };
    json!({
        "followers": followers.iter().map(follower).collect::<Vec<_>>(),
        "name": server.name,
        "role": server.role.name(),
        "why": why,
    })
}

/// `7 s ago`. Clocks of nodes differ a little.
fn ago(then: Timestamp, now: Timestamp) -> String {
    match then < now {
        true => format!("{} ago", lasts(then, now)),
        false => "now".to_owned(),
    }
}

/// The time between two moments, in the largest unit of which there is one.
fn lasts(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.0.saturating_sub(from.0);
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
