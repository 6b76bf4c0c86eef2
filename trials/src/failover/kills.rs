//! Who is killed when, and when they are started again.

use std::{thread, time::Duration};

use cluster::{Cluster, LEADER_TTL_S, Nodes};
use tokio::time::Instant;

use crate::{Trouble, Wanted};

/// How long a killed process stays dead; a leader, until its lease has run out and another leads.
const DEAD: Duration = Duration::from_secs(4);
const LEADER_DEAD: Duration = Duration::from_secs(LEADER_TTL_S + 4);
/// How long everything may take until it is well again.
const RECOVERY_MAX: Duration = Duration::from_secs(90);
/// How long a service manager waits until it starts again what ended by itself.
const SERVICE_RESTART: Duration = Duration::from_secs(1);
/// Between two looks at the clock.
const PAUSE: Duration = Duration::from_millis(50);

/// Who can be killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Victim {
    /// The database server that leads, 0 to 2, with its Patroni or without.
    Leader(usize),
    /// A node.
    Node(usize),
    /// A node that is asked to leave, and is not killed.
    Leaver(usize),
}

/// What breaks, and what was broken.
#[derive(Debug)]
pub(super) struct Kills {
    pub(super) cluster: Cluster,
    /// Who is dead, and until when.
    dead: Vec<(Instant, Victim)>,
    /// What was killed, and when, since the trial began.
    pub(super) done: Vec<(Duration, Victim)>,
    /// How often a node ended by itself, because it started while no database led.
    pub(super) ended: usize,
    /// How long nodes took that were asked to leave.
    pub(super) leaving: Vec<Duration>,
    pub(super) nodes: Nodes,
    seed: u64,
}

impl Kills {
    pub(super) const fn new(cluster: Cluster, nodes: Nodes, seed: u64) -> Self {
        Self {
            cluster,
            dead: Vec::new(),
            done: Vec::new(),
            ended: 0,
            leaving: Vec::new(),
            nodes,
            seed,
        }
    }

    /// From time to time a node is killed, then a leader, then a node is asked to leave; at the end all
    /// are started again. Blocks.
    pub(super) fn go_on(mut self, began: Instant, wanted: &Wanted) -> Result<Self, Trouble> {
        let mut next = began + wanted.every;
        let mut look = began;
        // Nobody is killed at the end: who is dead then would not be missed.
        let last = began + wanted.lasting.saturating_sub(DEAD);
        while Instant::now() < began + wanted.lasting {
            let now = Instant::now();
            if now >= look {
                look += SERVICE_RESTART;
                self.ended += self.nodes.start_ended()?;
            }
            self.raise(|until| now >= until)?;
            if now >= next && now < last {
                next += wanted.every;
                self.kill(began, wanted.whole)?;
            }
            thread::sleep(PAUSE);
        }
        self.raise(|_| true)?;
        self.recover()?;
        Ok(self)
    }

    /// Waits until everything is well.
    fn recover(&mut self) -> Result<(), Trouble> {
        self.cluster.is_healthy_within(RECOVERY_MAX)?;
        self.ended += self.nodes.start_ended()?;
        for node in self.nodes.running() {
            self.nodes.is_ready_within(node, RECOVERY_MAX)?;
        }
        Ok(())
    }

    fn kill(&mut self, began: Instant, whole: bool) -> Result<(), Trouble> {
        // Another leader only when the last failover is over: two of three hold what is committed.
        let leader = || match self.cluster.is_healthy() {
            true => self.cluster.leader(),
            false => None,
        };
        let victim = match (self.done.len() % 3, leader()) {
            (1, Some(leader)) => Victim::Leader(leader),
            (2, _) => Victim::Leaver(self.some_node()?),
            _ => Victim::Node(self.some_node()?),
        };
        let now = Instant::now();
        self.done.push((began.elapsed(), victim));
        match victim {
            Victim::Leader(server) if whole => {
                self.dead.push((now + LEADER_DEAD, victim));
                self.cluster.kill(server)?;
            }
            // Its Patroni lives, and starts it again or lets another lead.
            Victim::Leader(server) => self.cluster.kill_server(server)?,
            Victim::Node(node) => {
                self.dead.push((now + DEAD, victim));
                self.nodes.kill(node)?;
            }
            Victim::Leaver(node) => {
                self.dead.push((now + DEAD, victim));
                self.leaving.push(self.nodes.drain(node)?);
            }
        }
        Ok(())
    }

    fn some_node(&mut self) -> Result<usize, Trouble> {
        let running = self.nodes.running();
        // [Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014]
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let count = u64::try_from(running.len())?.max(1);
        let chosen = usize::try_from((mixed >> 32) % count)?;
        running
            .get(chosen)
            .copied()
            .ok_or_else(|| "no node runs".into())
    }

    fn raise(&mut self, is_due: impl Fn(Instant) -> bool) -> Result<(), Trouble> {
        let (due, dead) = self.dead.drain(..).partition(|(until, _)| is_due(*until));
        self.dead = dead;
        let due: Vec<(Instant, Victim)> = due;
        for (_, victim) in due {
            match victim {
                Victim::Leader(server) => self.cluster.start_again(server)?,
                Victim::Node(node) | Victim::Leaver(node) => self.nodes.start_again(node)?,
            }
        }
        Ok(())
    }
}
