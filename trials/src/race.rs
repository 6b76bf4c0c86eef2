//! Everything that may be used once is used on several nodes at the same moment: one of them must say
//! yes, the others no.

mod things;

use std::{sync::Arc, time::Duration};

use cluster::{Installation, Nodes, Postgres};
use driver::{Application, Site};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};

use crate::{
    Engine, Trouble, Wanted,
    canton::{Canton, PARTS, PORTAL, RENEWING, STRICT},
    evidence,
    post::Post,
};
use things::{THINGS, Thing};

/// How many are on their way at once: the same thing three times.
const RACERS: usize = 3;
/// Rounds under way at the same time, so that the nodes are busy with others, too.
const AT_ONCE: usize = 16;
/// Where everything happens.
#[derive(Debug)]
struct Arena {
    canton: Canton,
    post: Post,
    /// Each node for each application: portal, strict, the one that renews.
    sites: Vec<[Arc<Site>; 3]>,
}

impl Arena {
    /// Where the runner of a lane goes to enter the portal.
    fn portal(&self, lane: usize) -> &Arc<Site> {
        let [portal, ..] = self.site(lane);
        portal
    }

    /// Where the runner of a lane goes to enter what asks for two factors.
    fn strict(&self, lane: usize) -> &Arc<Site> {
        let [_, strict, _] = self.site(lane);
        strict
    }

    /// Where the runner of a lane goes to renew.
    fn renewing(&self, lane: usize) -> &Arc<Site> {
        let [.., renewing] = self.site(lane);
        renewing
    }

    #[expect(clippy::indexing_slicing, reason = "there is at least one node")]
    fn site(&self, lane: usize) -> &[Arc<Site>; 3] {
        &self.sites[lane % self.sites.len()]
    }
}

/// What came of the rounds of one thing.
#[derive(Debug, Default)]
struct Tally {
    /// Rounds with exactly one winner, as it must be.
    one: usize,
    none: usize,
    several: usize,
    /// Rounds in which an answer was neither yes nor no; the first few of them.
    unclear: Vec<String>,
    unclear_count: usize,
    took: Duration,
}

impl Tally {
    fn count(&mut self, round: Result<[bool; RACERS], Trouble>) {
        match round {
            Ok(won) => match won.iter().filter(|won| **won).count() {
                0 => self.none += 1,
                1 => self.one += 1,
                _ => self.several += 1,
            },
            Err(trouble) => {
                self.unclear_count += 1;
                if self.unclear.len() < 5 {
                    self.unclear.push(trouble.to_string());
                }
            }
        }
    }

    fn holds(&self) -> bool {
        self.none + self.several + self.unclear_count == 0 && self.one > 0
    }

    fn evidence(&self, thing: Thing) -> Value {
        json!({
            "no_winner": self.none,
            "one_winner": self.one,
            "seconds": self.took.as_secs_f64().round(),
            "several_winners": self.several,
            "thing": thing.name(),
            "unclear": self.unclear_count,
            "unclear_examples": self.unclear,
        })
    }
}

/// Races everything; whether it held.
pub(crate) async fn race(wanted: &Wanted) -> Result<bool, Trouble> {
    let post = Post::open().await?;
    let canton = Canton {
        each: wanted.rounds.max(1),
        parts: &PARTS,
        seed: wanted.seed,
    };
    let database = match wanted.engine {
        Engine::Postgres => Some(Postgres::start()?),
        Engine::Sqlite => None,
    };
    let url = database.as_ref().map(Postgres::database).transpose()?;
    let installation = Installation::make(&wanted.furka, url.as_deref())?;
    canton.moves_in(&installation, &post)?;
    let nodes = Nodes::start(installation, if url.is_some() { RACERS } else { 1 })?;
    canton.sends_codes(&nodes, &post).await?;
    let arena = Arc::new(Arena {
        canton,
        post,
        sites: sites(&nodes)?,
    });
    let mut found = Vec::new();
    let mut holds = true;
    for thing in THINGS {
        let tally = rounds(&arena, thing, wanted.rounds).await;
        let (
            name,
            Tally {
                one, none, several, ..
            },
        ) = (thing.name(), &tally);
        let unclear = tally.unclear_count;
        println!(
            "{name:<20} {one:>6} rounds with one winner, {none} with none, {several} with several, \
             {unclear} unclear"
        );
        for example in &tally.unclear {
            println!("  {example}");
        }
        holds &= tally.holds();
        found.push(tally.evidence(thing));
    }
    let (count, engine) = (nodes.running().len(), wanted.engine);
    if !holds {
        for node in nodes.running() {
            eprintln!("{}", nodes.log_of(node));
        }
    }
    println!(
        "race: {} rounds of {} things over {count} nodes on {engine:?}: {}; {}",
        wanted.rounds,
        THINGS.len(),
        if holds {
            "one winner each"
        } else {
            "DOUBLE OR NOTHING"
        },
        evidence::setting(wanted.seed)
    );
    let found = json!({ "engine": format!("{engine:?}"), "nodes": count, "things": found });
    let command = format!("cargo xtask race --rounds {}", wanted.rounds);
    evidence::keep(&wanted.json, (&command, wanted.seed), holds, found)?;
    Ok(holds)
}

/// Each running node, for each application.
fn sites(nodes: &Nodes) -> Result<Vec<[Arc<Site>; 3]>, Trouble> {
    let mut sites = Vec::new();
    for node in nodes.running() {
        let address = nodes.address_of(node).ok_or("a node without an address")?;
        let site = |application: Application| {
            Arc::new(Site {
                address,
                application,
                origin: nodes.url(),
            })
        };
        sites.push([site(PORTAL), site(STRICT), site(RENEWING)]);
    }
    match sites.is_empty() {
        true => Err("no node runs".into()),
        false => Ok(sites),
    }
}

/// So many rounds of one thing, a few at a time.
async fn rounds(arena: &Arc<Arena>, thing: Thing, rounds: usize) -> Tally {
    let began = Instant::now();
    let bar = ProgressBar::new(rounds.try_into().unwrap_or(u64::MAX));
    let style = ProgressStyle::with_template("{msg:<20} {bar:40} {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(thing.name());
    let mut tally = Tally::default();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut under_way = JoinSet::new();
    for number in 0..rounds {
        let (arena, places) = (Arc::clone(arena), Arc::clone(&places));
        under_way.spawn(async move {
            let _place = places.acquire_owned().await;
            thing.round(&arena, number).await
        });
    }
    while let Some(round) = under_way.join_next().await {
        tally.count(round.unwrap_or_else(|error| Err(error.into())));
        bar.inc(1);
    }
    bar.finish_and_clear();
    tally.took = began.elapsed();
    tally
}
