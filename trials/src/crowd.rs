//! People who arrive one after the other, half as many a second as the machine can let in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use driver::{Browser, Site};
use tokio::{
    task::JoinSet,
    time::{Instant, interval, sleep},
};

use crate::{Trouble, canton::Part, people::Met};

/// How long it is looked how much the machine can do, and by how many at once.
const PROBE: (Duration, usize) = (Duration::from_secs(3), 12);

/// Who arrives where, and how fast.
#[derive(Clone, Debug)]
pub(crate) struct Crowd {
    pub(crate) per_second: f64,
    site: Arc<Site>,
    turn: Turn,
}

/// Who comes next: everybody in turn.
#[derive(Clone, Debug)]
struct Turn {
    next: Arc<AtomicUsize>,
    people: usize,
}

impl Turn {
    fn next(&self) -> String {
        Part::Pupil.name(self.next.fetch_add(1, Relaxed) % self.people.max(1))
    }
}

impl Crowd {
    /// Looks how many of so many people can sign in within a second while nothing breaks.
    pub(crate) async fn gather(site: &Arc<Site>, people: usize) -> Result<Self, Trouble> {
        let turn = Turn {
            next: Arc::default(),
            people,
        };
        let per_second = capacity(site, &turn).await? / 2.0;
        eprintln!("{per_second:.1} sign-ins a second are half of what this machine can do");
        Ok(Self {
            per_second,
            site: Arc::clone(site),
            turn,
        })
    }

    /// Lets them arrive until it is over, and all are in.
    pub(crate) async fn arrives(
        self,
        met: Arc<Met>,
        is_over: impl Fn() -> bool + Send,
    ) -> Result<(), Trouble> {
        let mut every = interval(Duration::from_secs_f64(1.0 / self.per_second.max(0.1)));
        let mut people = JoinSet::new();
        while !is_over() {
            every.tick().await;
            let (met, site, who) = (Arc::clone(&met), Arc::clone(&self.site), self.turn.next());
            people.spawn(async move { met.sign_in(&site, &who).await });
        }
        while let Some(ended) = people.join_next().await {
            ended?;
        }
        Ok(())
    }
}

async fn capacity(site: &Arc<Site>, turn: &Turn) -> Result<f64, Trouble> {
    let (lasting, at_once) = PROBE;
    let began = Instant::now();
    let done = Arc::new(AtomicU64::new(0));
    let mut people = JoinSet::new();
    for _ in 0..at_once {
        let (site, turn, done) = (Arc::clone(site), turn.clone(), Arc::clone(&done));
        people.spawn(async move {
            let met = Met::since(began);
            while began.elapsed() < lasting {
                met.sign_in(&site, &turn.next()).await;
                done.fetch_add(1, Relaxed);
            }
        });
    }
    while let Some(ended) = people.join_next().await {
        ended?;
    }
    let done = u32::try_from(done.load(Relaxed))?;
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

/// Since when those were in who have to sign in again.
pub(crate) async fn lost(inside: Vec<(Duration, Browser)>) -> Vec<Duration> {
    let mut lost = Vec::new();
    for (since, mut browser) in inside {
        let again = browser.sign_in_again().await;
        if again.is_err() {
            // Everything is well by now; once more, as for any request.
            sleep(Duration::from_millis(100)).await;
            if browser.sign_in_again().await.is_err() {
                lost.push(since);
            }
        }
    }
    lost
}
