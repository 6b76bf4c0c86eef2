//! The nodes that serve this file: one `furka serve`, and what is left of those before it.

use journey::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{
    Cause,
    rows::{Unreadable, get, prepare},
    schema,
};
use crate::{Agreed, Node, NodeSeen, NodeState};

/// Writes down what a node tells. One that was not known comes last, and replaces whoever had its name.
pub(super) fn tell(conn: &Connection, node: &Node, now: Timestamp) -> Result<(), Cause> {
    let told = prepare(
        conn,
        "update node set configuration = $1, seen = $2, state = $3 where id = $4",
    )?
    .execute(params![
        node.configuration.to_text(),
        now.0,
        node.state.name(),
        node.id
    ])?;
    if told == 1 {
        return Ok(());
    }
    prepare(conn, "delete from node where name = $1")?.execute([&node.name])?;
    prepare(
        conn,
        "insert into node (id, address, configuration, migration, name, number, seen, since, state, version)
         values ($1, $2, $3, $4, $5, (select coalesce(max(number), 0) + 1 from node), $6, $7, $8, $9)",
    )?
    .execute(params![
        node.id,
        node.address,
        node.configuration.to_text(),
        schema::names().last().unwrap_or_default(),
        node.name,
        now.0,
        node.since.0,
        node.state.name(),
        node.version,
    ])?;
    Ok(())
}

pub(super) fn forget(conn: &Connection, id: &[u8; 16]) -> Result<(), Cause> {
    prepare(conn, "delete from node where id = $1")?.execute([id])?;
    Ok(())
}

pub(super) fn all(conn: &Connection) -> Result<Vec<NodeSeen>, Cause> {
    let mut find = prepare(conn, "select * from node order by number")?;
    let rows = find.query_and_then([], read_row)?;
    rows.collect()
}

/// The last one that was run.
pub(super) fn migration(conn: &Connection) -> Result<String, Cause> {
    let sql = "select max(name) from migration";
    Ok(prepare(conn, sql)?.query_row([], |row| row.get(0))?)
}

fn read_row(row: &Row<'_>) -> Result<NodeSeen, Cause> {
    let state: String = get(row, "state")?;
    Ok(NodeSeen {
        migration: get(row, "migration")?,
        node: Node {
            address: get(row, "address")?,
            configuration: Agreed::parse(&get::<String>(row, "configuration")?),
            id: get(row, "id")?,
            name: get(row, "name")?,
            since: Timestamp(get(row, "since")?),
            state: NodeState::parse(&state).ok_or(Unreadable("the state of a node"))?,
            version: get(row, "version")?,
        },
        seen: Timestamp(get(row, "seen")?),
    })
}
