//! The bare writer: a row every few milliseconds through the same HAProxy as the nodes, with PostgreSQL's
//! own client. What it cannot write, nobody could.

use std::{collections::BTreeSet, process::Stdio, time::Duration};

use cluster::Cluster;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
    sync::watch,
    time::{Instant, sleep, timeout},
};

use crate::Trouble;

/// Between two rows.
const PAUSE: Duration = Duration::from_millis(20);
/// Between two tries to connect.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a row may take before another connection is tried.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rows that were acknowledged, and when, since the trial began.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) rows: Vec<(u64, Duration)>,
}

impl Ledger {
    /// Makes the table; one database of the cluster.
    pub(super) fn open(url: &str) -> Result<(), Trouble> {
        let made = std::process::Command::new("psql")
            .args(["-X", "-q", "-d", url, "-c"])
            .arg("create table ledger (id bigint primary key)")
            .stdin(Stdio::null())
            .status()?;
        match made.success() {
            true => Ok(()),
            false => Err("the ledger could not be made".into()),
        }
    }

    /// Writes until told to stop.
    pub(super) async fn write(url: String, began: Instant, stop: watch::Receiver<bool>) -> Self {
        let mut ledger = Self::default();
        let mut next = 0;
        while !*stop.borrow() {
            // A row whose answer did not come may be there or not: its number is not used again.
            if let Ok(child) = connect(&url) {
                ledger.write_on(child, &mut next, (began, &stop)).await;
            }
            next += 1;
            sleep(AGAIN).await;
        }
        ledger
    }

    /// Writes on one connection until it breaks.
    async fn write_on(
        &mut self,
        mut child: Child,
        next: &mut u64,
        (began, stop): (Instant, &watch::Receiver<bool>),
    ) -> Option<()> {
        let mut to = child.stdin.take()?;
        let mut from = BufReader::new(child.stdout.take()?).lines();
        while !*stop.borrow() {
            let row = format!("insert into ledger values ({next}) returning id;\n");
            to.write_all(row.as_bytes()).await.ok()?;
            let line = timeout(PATIENCE, from.next_line()).await.ok()?.ok()??;
            // The client shows a row when its commit is acknowledged.
            if line.parse() == Ok(*next) {
                self.rows.push((*next, began.elapsed()));
            }
            *next += 1;
            sleep(PAUSE).await;
        }
        Some(())
    }

    /// How many acknowledged rows are not there.
    pub(super) fn lost(&self, cluster: &Cluster, database: &str) -> Result<usize, Trouble> {
        let text = cluster.sql(database, "select id from ledger")?;
        let there: BTreeSet<u64> = text.lines().filter_map(|line| line.parse().ok()).collect();
        let lost = self.rows.iter().filter(|(id, _)| !there.contains(id));
        Ok(lost.count())
    }
}

fn connect(url: &str) -> std::io::Result<Child> {
    Command::new("psql")
        .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url])
        .env("PGCONNECT_TIMEOUT", "2")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
}

/// The longest time without one of these moments, from a second before `at` until `until`.
pub(super) fn longest_gap(
    moments: impl Iterator<Item = Duration>,
    (at, until): (Duration, Duration),
) -> Duration {
    let from = at.saturating_sub(Duration::from_secs(1));
    let (mut last, mut longest) = (from, Duration::ZERO);
    let within = moments.filter(|moment| (from..until).contains(moment));
    for moment in within.chain([until]) {
        longest = longest.max(moment.saturating_sub(last));
        last = moment;
    }
    longest
}

/// The times without one of these moments that are longer than usual.
pub(super) fn gaps(moments: impl Iterator<Item = Duration>) -> Vec<(Duration, Duration)> {
    let mut last = Duration::ZERO;
    let mut gaps = Vec::new();
    for moment in moments {
        if moment.saturating_sub(last) > Duration::from_secs(1) {
            gaps.push((last, moment));
        }
        last = moment;
    }
    gaps
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{gaps, longest_gap};

    fn seconds(list: &[u64]) -> impl Iterator<Item = Duration> {
        list.iter().copied().map(Duration::from_secs)
    }

    #[test]
    fn the_longest_gap_is_one_after_the_kill() {
        let moments = || seconds(&[1, 9, 10, 11, 14, 15, 30]);
        let [ten, twenty] = [10, 20].map(Duration::from_secs);
        assert_eq!(
            longest_gap(moments(), (ten, twenty)),
            Duration::from_secs(5)
        );
    }

    #[test]
    fn gaps_are_the_times_without_anything() {
        let [five, nine] = [5, 9].map(Duration::from_secs);
        assert_eq!(gaps(seconds(&[1, 2, 3, 4, 5, 9, 10])), [(five, nine)]);
    }
}
