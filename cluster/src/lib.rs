//! Real databases for tests, on loopback and free ports: each ends with the value that holds it, and
//! with the test process, however that ends.

mod account;
mod folder;
mod haproxy;
mod nodes;
mod patience;
mod patroni;
mod port;
mod postgres;
mod program;

pub use nodes::{Installation, NODES_MAX, Nodes};
pub use patroni::{Cluster, LEADER_TTL_S, SERVERS};
pub use postgres::{Durability, Postgres};

/// Why something could not be started or asked: one sentence, with the end of its log where there is one.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Trouble(String);

impl Trouble {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// Says what was being done when the system refused.
    fn of(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |error| Self(format!("{doing}: {error}"))
    }
}
