//! Something is taken back on one node or by a command, and the other nodes are asked until they know.

mod things;

use std::{sync::Arc, time::Duration};

use cluster::{Installation, Nodes, Postgres};
use driver::{Application, Site};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    Trouble, Wanted,
    canton::{Canton, Part},
    evidence,
    post::Post,
};
use things::{KINDS, Kind};

/// How many nodes there are; the first takes back.
const NODES: usize = 3;
/// When the others must know.
const KNOWN_MAX: Duration = Duration::from_secs(1);
/// How long somebody goes on asking.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two questions.
const AGAIN: Duration = Duration::from_millis(5);

/// Where all happens.
struct Arena {
    canton: Canton,
    nodes: Nodes,
}

impl Arena {
    /// One node, for those who want to enter an application.
    fn site(&self, node: usize, application: Application) -> Result<Arc<Site>, Trouble> {
        let address = self.nodes.address_of(node).ok_or("there is no such node")?;
        Ok(Arc::new(Site {
            address,
            application,
            origin: self.nodes.url(),
        }))
    }
}

/// When the answer to a change was there, and when each node knew of it.
struct Since {
    acknowledged: Instant,
    slowest: Duration,
}

impl Since {
    fn now() -> Self {
        Self {
            acknowledged: Instant::now(),
            slowest: Duration::ZERO,
        }
    }

    /// Asks until the answer is yes.
    async fn until(
        &mut self,
        mut is_known: impl AsyncFnMut() -> Result<bool, Trouble>,
    ) -> Result<(), Trouble> {
        while !is_known().await? {
            if self.acknowledged.elapsed() > PATIENCE {
                return Err("a node does not know of it after five seconds".into());
            }
            sleep(AGAIN).await;
        }
        self.slowest = self.slowest.max(self.acknowledged.elapsed());
        Ok(())
    }
}

/// What came of the rounds of one kind.
#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    slowest: Duration,
    wrong: Vec<String>,
}

/// Tries it; whether it held.
pub(crate) async fn revoke(wanted: &Wanted) -> Result<bool, Trouble> {
    let post = Post::open().await?;
    let canton = Canton {
        each: wanted.rounds.max(1) * KINDS.len(),
        parts: &[Part::Pupil, Part::Counter],
        seed: wanted.seed,
    };
    let database = Postgres::start()?;
    let installation = Installation::make(&wanted.furka, Some(&database.database()?))?;
    canton.moves_in(&installation, &post)?;
    let nodes = Nodes::start(installation, NODES)?;
    let arena = Arena { canton, nodes };
    let bar = ProgressBar::new(canton.each.try_into().unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{msg:<24} {bar:40} {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut found = Vec::new();
    let (mut holds, mut slowest) = (true, Duration::ZERO);
    for (place, kind) in KINDS.into_iter().enumerate() {
        bar.set_message(kind.name());
        let tally = rounds(&arena, kind, (place, wanted.rounds), &bar).await;
        println!(
            "{:<24} {:>4} rounds, known after {:>4} ms at most, {} unknown",
            kind.name(),
            tally.rounds,
            tally.slowest.as_millis(),
            tally.wrong.len()
        );
        for why in tally.wrong.iter().take(5) {
            println!("  {why}");
        }
        holds &= tally.wrong.is_empty() && tally.slowest <= KNOWN_MAX;
        slowest = slowest.max(tally.slowest);
        found.push(tally.evidence(kind));
    }
    bar.finish_and_clear();
    println!(
        "revoke: {} rounds of {} kinds on one of {NODES} nodes, {} everywhere after {} ms; {}",
        wanted.rounds,
        KINDS.len(),
        if holds { "known" } else { "NOT KNOWN" },
        slowest.as_millis(),
        evidence::setting(wanted.seed)
    );
    let command = format!("cargo xtask revoke --rounds {}", wanted.rounds);
    let found = json!({ "kinds": found, "nodes": NODES });
    evidence::keep(&wanted.json, (&command, wanted.seed), holds, found)?;
    Ok(holds)
}

async fn rounds(
    arena: &Arena,
    kind: Kind,
    (place, rounds): (usize, usize),
    bar: &ProgressBar,
) -> Tally {
    let mut tally = Tally::default();
    for round in 0..rounds {
        match kind.round(arena, place * rounds + round).await {
            Ok(slowest) => tally.slowest = tally.slowest.max(slowest),
            Err(why) => tally.wrong.push(why.to_string()),
        }
        tally.rounds += 1;
        bar.inc(1);
    }
    tally
}

impl Tally {
    fn evidence(&self, kind: Kind) -> Value {
        json!({
            "kind": kind.name(),
            "known_after_ms_at_most": u64::try_from(self.slowest.as_millis()).unwrap_or(u64::MAX),
            "rounds": self.rounds,
            "unknown": self.wrong,
        })
    }
}
