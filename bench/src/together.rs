//! What is done together: sign-ins that share a commit, and nodes that share a database.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use journey::{NameKey, PersonId};
use serde_json::json;
use store::AnyStore;
use tokio::{
    sync::Mutex,
    task::{JoinSet, spawn_blocking},
    time::{Instant, sleep},
};

use crate::{
    Trouble,
    canton::{Canton, Engine},
    each_ms,
    growth::begin,
    load::{Act, Closed, Turn, closed_on},
    measure::{ROUNDS, ms, percentile},
    process::Provider,
    report::{Figure, Goal, rounded},
};

/// Who sign in at once.
const CLIENTS: usize = 64;
/// Different people whose sessions are begun in turn.
const PEOPLE: usize = 1024;
/// People with a session who open applications at once.
const AT_WORK: usize = 24;
/// What one small commit adds to a log, in bytes.
const PAGE: usize = 4096;

/// Sign-ins of a window, as the store commits them.
#[derive(Clone, Copy, Debug, Default)]
struct Committed {
    sign_ins: u64,
    took: Duration,
}

impl Committed {
    fn add(&mut self, other: Self) {
        self.sign_ins += other.sign_ins;
        self.took += other.took;
    }

    fn per_second(self) -> f64 {
        crate::ratio(self.sign_ins, self.took)
    }
}

/// Whether sign-ins that wait share a commit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Commits {
    /// Nobody asks before the one who asked has an answer: each has a commit, and a sync, of its own.
    OneEach,
    /// All ask when they like.
    Shared,
}

/// 12: the last step of a sign-in, session and audit, made durable for many at once and for one after
/// the other. The same method of the same store, on the disk of the checkout.
pub(crate) async fn commits(canton: &Canton, window: Duration) -> Result<Figure, Trouble> {
    eprintln!("sign-ins that share a commit …");
    let (store, _) = canton.store().await?;
    let mut people = Vec::new();
    for name in canton.names.iter().take(PEOPLE) {
        let key = NameKey::of(name).ok_or("somebody has no name")?;
        let person = store.person_by_name(&key).await?;
        people.push(person.ok_or("somebody is gone")?.person.id);
    }
    let people: Arc<[PersonId]> = people.into();
    let (mut shared, mut one_each) = (Committed::default(), Committed::default());
    let mut syncs = Vec::new();
    for _ in 0..ROUNDS {
        shared.add(sign_ins(&store, &people, Commits::Shared, window / 2).await?);
        one_each.add(sign_ins(&store, &people, Commits::OneEach, window / 2).await?);
        let file = canton.file("synced");
        syncs.extend(spawn_blocking(move || sync_again_and_again(&file, window / 5)).await??);
    }
    syncs.sort();
    Ok(Figure {
        name: "SQLite, 64 clients: durable sign-ins / with one sync each",
        value: shared.per_second() / one_each.per_second(),
        unit: "",
        goal: Goal::AtLeast(5.0),
        evidence: json!({
            "how": "64 callers of the method with which a sign-in ends; with one sync each they queue \
                    for a lock, so that a commit never has two",
            "ms_of_a_sign_in_with_a_sync_of_its_own": rounded(each_ms(one_each.took, one_each.sign_ins)),
            "ms_of_4_kib_and_fsync_p50": rounded(ms(percentile(&syncs, 50))),
            "ms_of_4_kib_and_fsync_p99": rounded(ms(percentile(&syncs, 99))),
            "per_second_shared": rounded(shared.per_second()),
            "per_second_with_one_sync_each": rounded(one_each.per_second()),
        }),
    })
}

/// What so many callers begin in a window.
async fn sign_ins(
    store: &AnyStore,
    people: &Arc<[PersonId]>,
    commits: Commits,
    window: Duration,
) -> Result<Committed, Trouble> {
    let (done, next) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
    let (queue, over) = (Arc::new(Mutex::new(())), Arc::new(AtomicBool::new(false)));
    let mut all = JoinSet::<Result<(), Trouble>>::new();
    for _ in 0..CLIENTS {
        let (store, people) = (Arc::clone(store), Arc::clone(people));
        let (done, next) = (Arc::clone(&done), Arc::clone(&next));
        let (queue, over) = (Arc::clone(&queue), Arc::clone(&over));
        all.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                let at = next.fetch_add(1, Ordering::Relaxed) % people.len().max(1);
                let person = people.get(at).ok_or("nobody lives there")?;
                let _my_turn = match commits {
                    Commits::OneEach => Some(queue.lock().await),
                    Commits::Shared => None,
                };
                begin(&*store, *person).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }
    sleep(window / 5).await;
    let (began, before) = (Instant::now(), done.load(Ordering::Relaxed));
    sleep(window).await;
    let (took, after) = (began.elapsed(), done.load(Ordering::Relaxed));
    over.store(true, Ordering::Relaxed);
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    Ok(Committed {
        sign_ins: after.saturating_sub(before),
        took,
    })
}

/// What the disk takes for the least that can be synced; blocks.
pub(crate) fn sync_again_and_again(
    file: &Path,
    window: Duration,
) -> Result<Vec<Duration>, Trouble> {
    let mut file = File::create(file)?;
    let clock = server::password::monotonic();
    let (began, mut took) = (clock(), Vec::new());
    while clock().saturating_sub(began) < window {
        let before = clock();
        file.write_all(&[7; PAGE])?;
        file.sync_all()?;
        took.push(clock().saturating_sub(before));
    }
    Ok(took)
}

/// 13: people with a session open applications on three nodes, and on one of them alone, in turns. Codes
/// are redeemed at the next node.
pub(crate) async fn nodes(furka: &Path, window: Duration) -> Result<Figure, Trouble> {
    eprintln!("three nodes on PostgreSQL and one …");
    let canton = Canton::for_one_run(furka, Engine::Postgres).await?;
    let first = Provider::start(furka, &canton).await?;
    let second = first.beside(furka, &canton).await?;
    let third = first.beside(furka, &canton).await?;
    let turn = Turn::of(&canton);
    let what = (Act::ComesAgainAndRedeems, AT_WORK);
    let (mut one, mut three) = (Closed::default(), Closed::default());
    for _ in 0..ROUNDS {
        one.add(closed_on(&[&first], &turn, what, window).await?);
        three.add(closed_on(&[&first, &second, &third], &turn, what, window).await?);
    }
    let spent = |all: &Closed| {
        let cores = |cpu: Duration| rounded(cpu.as_secs_f64() / all.took.as_secs_f64());
        let us = |cpu: Duration| rounded(each_ms(cpu, all.flows) * 1000.0);
        json!({
            "cores_used_by_nodes": cores(all.cpu.all()),
            "cores_used_by_others": cores(all.others),
            "cores_used_by_the_database": cores(all.server),
            "cores_used_by_the_driver": cores(all.driver),
            "per_second": rounded(all.per_second()),
            "us_of_nodes": us(all.cpu.all()),
            "us_of_the_database": us(all.server),
            "us_of_the_driver": us(all.driver),
        })
    };
    Ok(Figure {
        name: "PostgreSQL, 3 nodes / 1: codes issued and redeemed",
        value: three.per_second() / one.per_second(),
        unit: "",
        goal: Goal::None,
        evidence: json!({
            "at_once": AT_WORK,
            "how": "a browser with a session asks one node for a code, the application redeems it at the \
                    next; nodes, database and driver share the cores of this machine",
            "one": spent(&one),
            "three": spent(&three),
        }),
    })
}
