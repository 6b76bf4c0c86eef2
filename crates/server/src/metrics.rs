//! What is counted, for those who run this.

use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

use crate::password::Counters;

/// All counters. They never name a person, an address or a secret.
pub(crate) struct Metrics {
    pub(crate) codes: Counter,
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
    pool: Pool,
    outbox: Gauge,
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
            failures,
            forwarded_by_strangers,
            messages_failed,
            messages_sent,
            passwords_wrong,
            sessions,
            throttled,
            token_faults,
            tokens,
            registry,
            pool,
            outbox,
        }
    }
}

impl Metrics {
    /// All of them in the OpenMetrics text format.
    pub(crate) fn render(&self, pool: Counters, outbox: u64) -> String {
        let set = |gauge: &Gauge, value: u64| {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.pool.abandoned, pool.abandoned);
        set(&self.pool.expired, pool.expired);
        set(&self.pool.hashes, pool.hashes);
        set(&self.pool.queued, pool.queued as u64);
        set(&self.pool.shed, pool.shed);
        set(&self.outbox, outbox);
        let mut out = String::new();
        // Writing into a string cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
