//! People sign in while nodes and the leader of the databases are killed: nothing that was acknowledged
//! may be lost, and nothing may work twice.

mod kills;
mod ledger;

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use cluster::{Cluster, Installation, Nodes};
use driver::{Browser, Site};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use tokio::{sync::watch, task::spawn_blocking, time::Instant};

use crate::{
    Trouble, Wanted,
    canton::{Canton, PORTAL, Part, SCHOOL},
    crowd::{Crowd, lost},
    evidence,
    people::{Met, take},
    post::Post,
};
use kills::{Kills, Victim};
use ledger::{Ledger, gaps, longest_gap};

/// How many nodes there are.
const NODES: usize = 3;
/// How many people there are; each comes several times.
const PEOPLE: usize = 500;
/// How long a node may take to leave.
const LEAVING_MAX: Duration = Duration::from_secs(10);
/// Codes redeemed so shortly before a leader was killed are tried again after it.
const REPLAYED: Duration = Duration::from_secs(5);

/// What was found.
struct Found {
    kills: Vec<(Duration, Victim)>,
    /// How often a node ended by itself.
    ended: usize,
    /// The longest time that a node took to leave.
    leaving: Duration,
    ledger: Ledger,
    lasting: Duration,
    /// Acknowledged rows that are not there.
    lost_rows: usize,
    /// Sessions that are not there.
    lost_sessions: usize,
    /// What the nodes printed last.
    logs: Vec<String>,
    met: Arc<Met>,
    /// Sessions that were asked.
    sessions: usize,
    /// Codes tried a second time, and how many of them worked.
    replayed: (usize, usize),
    per_second: f64,
}

/// Tries it; whether it held.
pub(crate) async fn failover(wanted: &Wanted) -> Result<bool, Trouble> {
    eprintln!("three databases, three nodes …");
    let post = Post::open().await?;
    let cluster = spawn_blocking(Cluster::start).await??;
    let (url, ledger_url) = (cluster.database()?, cluster.database()?);
    Ledger::open(&ledger_url)?;
    let installation = Installation::make(&wanted.furka, Some(&url))?;
    let canton = Canton {
        each: PEOPLE,
        parts: &[Part::Pupil],
        seed: wanted.seed,
    };
    canton.moves_in(&installation, &post)?;
    let nodes = Nodes::start(installation, NODES)?;
    let site = Arc::new(Site {
        address: nodes.address(),
        application: PORTAL,
        origin: nodes.url(),
    });
    let crowd = Crowd::gather(&site, PEOPLE).await?;
    let kills = Kills::new(cluster, nodes, wanted.seed);
    let found = breaks(wanted, kills, (site, crowd), ledger_url).await?;
    let holds = found.holds();
    if !holds {
        eprintln!("{}", found.logs.join("\n"));
    }
    println!("{}; {}", found.sentence(), evidence::setting(wanted.seed));
    let (lasting, every) = (wanted.lasting.as_secs(), wanted.every.as_secs());
    let command = format!("cargo xtask failover --seconds {lasting} --every {every}");
    evidence::keep(
        &wanted.json,
        (&command, wanted.seed),
        holds,
        found.evidence(),
    )?;
    Ok(holds)
}

/// Lets people in, kills, and looks what is left.
async fn breaks(
    wanted: &Wanted,
    kills: Kills,
    (site, crowd): (Arc<Site>, Crowd),
    ledger_url: String,
) -> Result<Found, Trouble> {
    let began = Instant::now();
    let met = Arc::new(Met::since(began));
    let (stop, stopped) = watch::channel(false);
    let writing = tokio::spawn(Ledger::write(ledger_url.clone(), began, stopped));
    let per_second = crowd.per_second;
    let (bar, lasting) = (bar(wanted.lasting), wanted.lasting);
    let is_over = move || {
        bar.set_position(began.elapsed().as_secs());
        began.elapsed() >= lasting
    };
    let arriving = tokio::spawn(crowd.arrives(Arc::clone(&met), is_over));
    let plan = wanted.clone();
    let kills = spawn_blocking(move || kills.go_on(began, &plan)).await??;
    // Whoever came shall get in.
    arriving.await??;
    stop.send_replace(true);
    let ledger = writing.await?;
    let database = ledger_url.rsplit('/').next().unwrap_or_default();
    let lost_rows = ledger.lost(&kills.cluster, database)?;
    let logs = kills.nodes.running().into_iter();
    let logs = logs.map(|node| kills.nodes.log_of(node)).collect();
    let replayed = replays(&met, &site, &kills.done).await;
    let inside = take(&met.inside);
    let sessions = inside.len();
    let lost_sessions = lost(inside).await.len();
    Ok(Found {
        ended: kills.ended,
        leaving: kills.leaving.iter().copied().max().unwrap_or_default(),
        kills: kills.done,
        ledger,
        lasting: wanted.lasting,
        lost_rows,
        lost_sessions,
        logs,
        met,
        sessions,
        replayed,
        per_second,
    })
}

fn bar(lasting: Duration) -> ProgressBar {
    let bar = ProgressBar::new(lasting.as_secs());
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} s");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Tries codes again that were redeemed just before a leader died; how many, and how many worked.
async fn replays(met: &Met, site: &Arc<Site>, kills: &[(Duration, Victim)]) -> (usize, usize) {
    let mut server = Browser::new(site, SCHOOL);
    let (mut tried, mut worked) = (0, 0);
    for (at, asked, code) in take(&met.redeemed) {
        let just_before = kills.iter().any(|(killed, victim)| {
            matches!(victim, Victim::Leader(_)) && (at..at + REPLAYED).contains(killed)
        });
        if just_before {
            tried += 1;
            let answer = server.redeem(&asked, &code).await;
            worked += usize::from(answer.is_ok_and(|answer| answer.status == 200));
        }
    }
    (tried, worked)
}

impl Found {
    /// Requests that failed twice while somebody led the databases, and, by what they were answered, those
    /// while nobody did.
    fn failed_twice(&self) -> (Vec<String>, BTreeMap<String, usize>) {
        let gaps = gaps(self.ledger.rows.iter().map(|(_, at)| *at));
        // Until a node has noticed, a request may wait for a leader that is gone.
        let late = Duration::from_secs(3);
        let (mut with, mut without) = (Vec::new(), BTreeMap::new());
        let failures = self.met.failed_twice.lock();
        let failures = failures.unwrap_or_else(std::sync::PoisonError::into_inner);
        for (at, why) in failures.iter() {
            match gaps
                .iter()
                .any(|(from, to)| (*from..*to + late).contains(at))
            {
                true => *without.entry(why.clone()).or_default() += 1,
                false => with.push(format!("after {:.1} s: {why}", at.as_secs_f64())),
            }
        }
        (with, without)
    }

    fn holds(&self) -> bool {
        let (failed, _) = self.failed_twice();
        let lost = self.lost_rows + self.lost_sessions + self.replayed.1;
        let leaves = self.leaving <= LEAVING_MAX;
        let stopped = [&self.met.gave_up, &self.met.began_anew, &self.met.throttled]
            .map(|count| count.load(Relaxed))
            .iter()
            .sum::<u64>();
        leaves && failed.is_empty() && lost == 0 && stopped == 0
    }

    /// The longest times without writes after a leader was killed: of the engine alone, and of sign-ins.
    fn longest(&self) -> (Duration, Duration) {
        let signed_in = self.met.signed_in.lock();
        let mut signed_in = signed_in
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        signed_in.sort();
        let mut longest = (Duration::ZERO, Duration::ZERO);
        let leaders = self
            .kills
            .iter()
            .filter(|(_, victim)| matches!(victim, Victim::Leader(_)));
        for (at, _) in leaders {
            let window = (*at, self.lasting.max(*at));
            let rows = self.ledger.rows.iter().map(|(_, at)| *at);
            longest.0 = longest.0.max(longest_gap(rows, window));
            longest.1 = longest
                .1
                .max(longest_gap(signed_in.iter().copied(), window));
        }
        longest
    }

    fn sentence(&self) -> String {
        let count = |of: fn(&Victim) -> bool| self.kills.iter().filter(|(_, one)| of(one)).count();
        let leaders = count(|victim| matches!(victim, Victim::Leader(_)));
        let leavers = count(|victim| matches!(victim, Victim::Leaver(_)));
        let nodes = count(|victim| matches!(victim, Victim::Node(_)));
        let (failed, without) = self.failed_twice();
        let without: usize = without.values().sum();
        let (engine, furka) = self.longest();
        for failure in failed.iter().step_by(failed.len() / 5 + 1) {
            println!("  {failure}");
        }
        let Met {
            answered,
            failed_once,
            gave_up,
            moments,
            ..
        } = &*self.met;
        let [answered, failed_once, gave_up, moments] =
            [answered, failed_once, gave_up, moments].map(|count| count.load(Relaxed));
        format!(
            "failover: {nodes} nodes and {leaders} leaders killed, {leavers} nodes asked to leave, in {} s at \
             {:.1} sign-ins a second\n\
             requests: {answered} answered, {failed_once} failed once, {} failed again while a database \
             led, {without} while none did; {moments} pages said one moment, {gave_up} people gave up\n\
             lost: {} of {} sessions, {} of {} acknowledged rows; {} of {} codes worked twice\n\
             longest without writes: {:.1} s the engine alone, {:.1} s the sign-ins; a node left within {:.1} s",
            self.lasting.as_secs(),
            self.per_second,
            failed.len(),
            self.lost_sessions,
            self.sessions,
            self.lost_rows,
            self.ledger.rows.len(),
            self.replayed.1,
            self.replayed.0,
            engine.as_secs_f64(),
            furka.as_secs_f64(),
            self.leaving.as_secs_f64(),
        )
    }

    fn evidence(&self) -> Value {
        let (failed, without) = self.failed_twice();
        let (engine, furka) = self.longest();
        let tenths = |time: Duration| (time.as_secs_f64() * 10.0).round() / 10.0;
        let gaps = gaps(self.ledger.rows.iter().map(|(_, at)| *at));
        let kills: Vec<_> = self
            .kills
            .iter()
            .map(|(at, victim)| json!({ "after_s": tenths(*at), "who": format!("{victim:?}") }))
            .collect();
        json!({
            "acknowledged_rows": self.ledger.rows.len(),
            "acknowledged_rows_lost": self.lost_rows,
            "answers_lost_of_requests_that_were_done": self.met.done_unheard.load(Relaxed),
            "codes_tried_again": self.replayed.0,
            "codes_that_worked_twice": self.replayed.1,
            "failed_after_one_retry_while_a_database_led": failed.len(),
            "failed_after_one_retry_while_a_database_led_examples": failed.iter().step_by(failed.len() / 20 + 1).collect::<Vec<_>>(),
            "times_without_writes_s": gaps.iter().map(|(from, to)| [tenths(*from), tenths(*to)]).collect::<Vec<_>>(),
            "failed_after_one_retry_while_none_led": without,
            "failed_once": self.met.failed_once.load(Relaxed),
            "kills": kills,
            "nodes_that_ended_by_themselves": self.ended,
            "longest_until_a_node_had_left_s": tenths(self.leaving),
            "longest_without_writes_s_of_the_engine": tenths(engine),
            "longest_without_writes_s_of_sign_ins": tenths(furka),
            "pages_that_said_one_moment": self.met.moments.load(Relaxed),
            "people_who_gave_up": self.met.gave_up.load(Relaxed),
            "requests_answered": self.met.answered.load(Relaxed),
            "sessions": self.sessions,
            "sessions_lost": self.lost_sessions,
            "sign_ins_a_second": tenths(Duration::from_secs_f64(self.per_second)),
        })
    }
}
