//! What is counted, for those who run this.

use std::sync::Arc;

use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::Registry,
};
use store::DatabaseServer;

use crate::{nodes::Look, password::Counters};

/// All counters. They never name a person, an address or a secret.
pub(crate) struct Metrics {
    pub(crate) codes: Counter,
    pub(crate) devices_allowed: Counter,
    pub(crate) devices_asked: Counter,
    pub(crate) devices_refused: Counter,
    pub(crate) failures: Counter,
    pub(crate) forwarded_by_strangers: Counter,
    pub(crate) messages_failed: Counter,
    pub(crate) messages_sent: Counter,
    pub(crate) passwords_wrong: Counter,
    pub(crate) sessions: Counter,
    pub(crate) throttled: Counter,
    pub(crate) token_faults: Counter,
    pub(crate) tokens: Counter,
    registry: Registry,
    cluster: Cluster,
    pool: Pool,
    outbox: Gauge,
}

/// What is looked up when somebody asks.
pub(crate) struct Seen {
    /// Whether this node keeps apart from the others.
    pub(crate) apart: bool,
    pub(crate) nodes: Look,
    pub(crate) outbox: u64,
    pub(crate) pool: Counters,
    pub(crate) servers: Arc<Vec<DatabaseServer>>,
}

/// A gauge for every server of the database and what it is.
type Servers = Family<[(&'static str, String); 2], Gauge>;

/// The nodes and the servers of the database.
#[derive(Default)]
struct Cluster {
    agrees: Gauge,
    apart: Gauge,
    nodes: Gauge,
    servers: Servers,
}

impl Cluster {
    fn registered_in(registry: &mut Registry) -> Self {
        let cluster = Self::default();
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        for (name, help, gauge) in [
            (
                "configuration_agrees",
                "Whether this node's configuration is that of the eldest",
                &cluster.agrees,
            ),
            ("nodes", "Nodes that were seen lately", &cluster.nodes),
            (
                "nodes_apart",
                "Nodes whose configuration is not that of the eldest",
                &cluster.apart,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        let help = "The servers of the database, by what they are";
        registry.register("database_servers", help, cluster.servers.clone());
        cluster
    }

    fn set(&self, seen: &Seen) {
        set(&self.agrees, u64::from(!seen.apart));
        set(&self.apart, seen.nodes.apart);
        set(&self.nodes, seen.nodes.alive);
        self.servers.clear();
        for server in seen.servers.iter() {
            let labels = [
                ("server", server.name.clone()),
                ("role", server.role.name().to_owned()),
            ];
            self.servers.get_or_create(&labels).set(1);
        }
    }
}

fn set(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}

/// What the hash pool counts by itself.
#[derive(Default)]
struct Pool {
    abandoned: Gauge,
    expired: Gauge,
    hashes: Gauge,
    queued: Gauge,
    shed: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("furka");
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let codes = counter("authorization_codes", "Authorization codes issued");
        let devices_allowed = counter("devices_allowed", "Devices that somebody let in");
        let devices_asked = counter("devices_asked", "Devices that asked to be let in");
        let devices_refused = counter("devices_refused", "Devices that somebody did not let in");
        let failures = counter("failures", "Requests that failed through our own fault");
        let forwarded_by_strangers = counter(
            "forwarded_by_strangers",
            "Requests with forwarding headers from a peer that is no listed proxy",
        );
        let messages_failed = counter("messages_failed", "Attempts to send a message that failed");
        let messages_sent = counter("messages_sent", "Messages handed to a gateway");
        let passwords_wrong = counter("passwords_wrong", "Wrong names or passwords");
        let sessions = counter("sessions", "Sessions made");
        let throttled = counter("throttled", "Tries that had to wait");
        let token_faults = counter("token_faults", "Token requests refused");
        let tokens = counter("id_tokens", "ID tokens issued");
        let pool = Pool::default();
        let outbox = Gauge::default();
        for (name, help, gauge) in [
            ("passwords_hashed", "Password hashes begun", &pool.hashes),
            (
                "password_work_abandoned",
                "Password work dropped because the person had left",
                &pool.abandoned,
            ),
            (
                "password_work_expired",
                "Password work dropped because it had waited too long",
                &pool.expired,
            ),
            (
                "password_work_shed",
                "Password work refused because the queue was full",
                &pool.shed,
            ),
            (
                "password_work_queued",
                "Password work waiting now",
                &pool.queued,
            ),
            ("outbox_depth", "Messages that wait to be sent", &outbox),
        ] {
            registry.register(name, help, gauge.clone());
        }
        Self {
            codes,
            devices_allowed,
            devices_asked,
            devices_refused,
            failures,
            forwarded_by_strangers,
            messages_failed,
            messages_sent,
            passwords_wrong,
            sessions,
            throttled,
            token_faults,
            tokens,
            cluster: Cluster::registered_in(&mut registry),
            registry,
            pool,
            outbox,
        }
    }
}

impl Metrics {
    /// All of them in the OpenMetrics text format.
    pub(crate) fn render(&self, seen: &Seen) -> String {
        let pool = &seen.pool;
        set(&self.pool.abandoned, pool.abandoned);
        set(&self.pool.expired, pool.expired);
        set(&self.pool.hashes, pool.hashes);
        set(&self.pool.queued, pool.queued as u64);
        set(&self.pool.shed, pool.shed);
        set(&self.outbox, seen.outbox);
        self.cluster.set(seen);
        let mut out = String::new();
        // Writing into a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
