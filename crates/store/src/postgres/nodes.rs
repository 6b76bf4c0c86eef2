//! The nodes that share this database, and the servers on which it is.

use std::time::Duration;

use journey::Timestamp;
use tokio::{task::JoinSet, time::timeout};
use tokio_postgres::{Client, NoTls, Row};

use super::{
    Address, Cause,
    link::{Link, Tx},
    opening,
    rows::Columns,
    schema,
    trouble::Silent,
};
use crate::{
    Agreed, DatabaseRole, DatabaseServer, Follower, Node, NodeSeen, NodeState, forms::Unreadable,
};

/// How long one server may take to say what it is, in seconds.
const ASKED_S: u64 = 3;

/// Writes down what a node tells. One that was not known comes last, and replaces whoever had its name.
pub(super) async fn tell(tx: &Tx, node: &Node, now: Timestamp) -> Result<(), Cause> {
    let (configuration, state) = (node.configuration.to_text(), node.state.name());
    let sql = "update node set configuration = $1, seen = $2, state = $3 where id = $4";
    let told = tx
        .execute(sql, &[&configuration, &now.0, &state, &node.id.as_slice()])
        .await?;
    if told == 1 {
        return Ok(());
    }
    let sql = "delete from node where name = $1";
    tx.execute(sql, &[&node.name]).await?;
    tx.execute(
        "insert into node (id, address, configuration, migration, name, number, seen, since, state, version)
         values ($1, $2, $3, $4, $5, (select coalesce(max(number), 0) + 1 from node), $6, $7, $8, $9)",
        &[
            &node.id.as_slice(),
            &node.address,
            &configuration,
            &schema::names().last().unwrap_or_default(),
            &node.name,
            &now.0,
            &node.since.0,
            &state,
            &node.version,
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn forget(tx: &Tx, id: &[u8; 16]) -> Result<(), Cause> {
    let sql = "delete from node where id = $1";
    tx.execute(sql, &[&id.as_slice()]).await?;
    Ok(())
}

pub(super) async fn all(link: &Link) -> Result<Vec<NodeSeen>, Cause> {
    let sql = "select id, address, configuration, migration, name, seen, since, state, version
         from node order by number";
    link.rows(sql, &[]).await?.iter().map(read_row).collect()
}

/// The last one that was run.
pub(super) async fn migration(link: &Link) -> Result<String, Cause> {
    let found = link.row("select max(name) from migration", &[]).await?;
    Columns::of(&found.ok_or(Unreadable("a migration"))?).next()
}

fn read_row(row: &Row) -> Result<NodeSeen, Cause> {
    let mut columns = Columns::of(row);
    let (id, address) = (columns.next_bytes()?, columns.next()?);
    let configuration = Agreed::parse(columns.next()?);
    let (migration, name) = (columns.next()?, columns.next()?);
    let (seen, since) = (Timestamp(columns.next()?), Timestamp(columns.next()?));
    let state = NodeState::parse(columns.next()?).ok_or(Unreadable("the state of a node"))?;
    let version = columns.next()?;
    Ok(NodeSeen {
        migration,
        node: Node {
            address,
            configuration,
            id,
            name,
            since,
            state,
            version,
        },
        seen,
    })
}

/// Asks every server of an address what it is, all at once, each over a connection of its own.
pub(super) async fn servers(address: &Address) -> Vec<DatabaseServer> {
    let mut asked = JoinSet::new();
    for (at, alone) in address.each().into_iter().enumerate() {
        asked.spawn(async move {
            let name = alone.hosts();
            let role = timeout(Duration::from_secs(ASKED_S), role(&alone)).await;
            let role = role.unwrap_or_else(|_| Err(Silent(ASKED_S).into()));
            let role = role.unwrap_or_else(|cause| {
                DatabaseRole::Unreachable(opening::explain(&alone, cause).to_string())
            });
            (at, DatabaseServer { name, role })
        });
    }
    let mut servers = asked.join_all().await;
    servers.sort_by_key(|(at, _)| *at);
    servers.into_iter().map(|(_, server)| server).collect()
}

async fn role(address: &Address) -> Result<DatabaseRole, Cause> {
    let config = address.config()?;
    match address.tls()? {
        None => {
            let (client, connection) = config.connect(NoTls).await?;
            said_over(connection, role_of(&client)).await
        }
        Some(tls) => {
            let (client, connection) = config.connect(tls).await?;
            said_over(connection, role_of(&client)).await
        }
    }
}

/// What is said while the connection is looked after. Both end here.
async fn said_over<T>(
    connection: impl Future<Output = Result<(), tokio_postgres::Error>>,
    said: impl Future<Output = Result<T, Cause>>,
) -> Result<T, Cause> {
    tokio::select! {
        biased;
        said = said => said,
        ended = connection => match ended {
            Err(error) => Err(error.into()),
            Ok(()) => Err(Unreadable("a server that hung up").into()),
        },
    }
}

async fn role_of(client: &Client) -> Result<DatabaseRole, Cause> {
    let follows = client.query_one("select pg_is_in_recovery()", &[]).await?;
    if follows.try_get(0)? {
        return Ok(DatabaseRole::Replica);
    }
    let sql = "select application_name, sync_state from pg_stat_replication order by 1, pid";
    let follower = |row: &Row| {
        Ok(Follower {
            name: row.try_get(0)?,
            sync: row.try_get(1)?,
        })
    };
    let followers = client.query(sql, &[]).await?;
    let followers: Result<_, Cause> = followers.iter().map(follower).collect();
    Ok(DatabaseRole::Leader {
        followers: followers?,
    })
}
