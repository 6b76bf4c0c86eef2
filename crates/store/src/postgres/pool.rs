//! The connections of a node: as many as it may have, each made ready once.

use std::time::Duration;

use deadpool::managed::QueueMode;
use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;

use super::{Address, Cause};

/// How long somebody waits for a connection that another uses, in seconds.
pub(super) const WAIT_S: u64 = 5;
/// How long a new connection may take, over all hosts, in seconds.
pub(super) const CREATE_S: u64 = 5;

/// What holds for every connection. A commit is durable before it is acknowledged, here and on as many
/// replicas as the operator asked for; it may be more than `on`, not less. Nobody waits for long: not for
/// a lock, and not for somebody who has begun and stopped.
const SETTLE: &str = "
    select set_config('synchronous_commit', 'on', false)
    where current_setting('synchronous_commit') in ('off', 'local');
    set statement_timeout = '5s';
    set idle_in_transaction_session_timeout = '10s';
    set default_transaction_isolation = 'read committed'";

/// A pool that has connected to nothing yet. The connection that came back last leaves first.
pub(super) fn pool(address: &Address) -> Result<Pool, Cause> {
    let config = address.config()?;
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match address.tls()? {
        None => Manager::from_config(config, NoTls, recycling),
        Some(tls) => Manager::from_config(config, tls, recycling),
    };
    let settle = Hook::async_fn(|conn: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move {
            let settled = conn.batch_execute(SETTLE).await;
            settled.map_err(HookError::Backend)
        })
    });
    let pool = Pool::builder(manager)
        .max_size(address.pool_size())
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(Duration::from_secs(WAIT_S)))
        .create_timeout(Some(Duration::from_secs(CREATE_S)))
        .runtime(Runtime::Tokio1)
        .post_create(settle)
        .build()?;
    Ok(pool)
}
