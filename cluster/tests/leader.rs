//! Three databases lose a follower, then their leader.

use std::time::Duration;

use cluster::{Cluster, SERVERS};

/// Far longer than it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn what_was_committed_is_there_after_a_follower_and_the_leader_were_killed() {
    let mut cluster = Cluster::start().unwrap();
    let url = cluster.database().unwrap();
    let database = url.rsplit('/').next().unwrap();
    cluster
        .sql(database, "create table thing (id bigint)")
        .unwrap();
    let leader = cluster.leader().unwrap();
    let follower = (leader + 1) % SERVERS;

    cluster.kill(follower).unwrap();
    assert_eq!(cluster.leads_within(PATIENCE).unwrap(), leader);
    cluster
        .sql(database, "insert into thing values (7)")
        .unwrap();
    cluster.start_again(follower).unwrap();
    cluster.is_healthy_within(PATIENCE).unwrap();

    cluster.kill_server(leader).unwrap();
    cluster.is_healthy_within(PATIENCE).unwrap();
    let rows = cluster.sql(database, "select id from thing");
    assert_eq!(rows.unwrap(), "7");
}
