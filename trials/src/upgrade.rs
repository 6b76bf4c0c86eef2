//! Three nodes are changed for three of a later version, whose schema is a migration further, while people
//! sign in: nobody may notice.

mod held;

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use cluster::{Installation, Nodes, Postgres};
use driver::{Browser, Site, otp};
use serde_json::{Value, json};
use tokio::{
    task::block_in_place,
    time::{Instant, sleep},
};

use crate::{
    Trouble, Wanted,
    canton::{Canton, HOME, PASSWORD, PORTAL, Part, SCHOOL, STRICT},
    crowd::{Crowd, lost},
    evidence,
    people::{Met, take},
    post::Post,
    walk::{enters, journey_in},
};
use held::{Half, Tables};

/// How many nodes there are of either version.
const NODES: usize = 3;
/// How many people of each part there are; pupils come several times.
const PEOPLE: usize = 200;
/// How many are in the middle of a sign-in while everything is changed.
const UNDER_WAY: usize = 8;
/// How long a node may take to leave.
const LEAVING_MAX: Duration = Duration::from_secs(10);
/// How long a node may take to start.
const START_MAX: Duration = Duration::from_secs(60);

/// What was found beside what people met.
#[derive(Debug, Default)]
struct Found {
    /// Requests that nodes had begun to read when they were asked to leave, and that were not answered.
    cut_off: usize,
    /// How long nodes took to leave.
    leaving: Vec<Duration>,
    /// Journeys begun with the old version that did not end with the new one.
    lost_journeys: usize,
    /// Sessions that are not there, and how many were asked.
    lost_sessions: (usize, usize),
    /// The migration, and how long it took.
    migration: (String, Duration),
    /// What does not hold, in sentences.
    wrong: Vec<String>,
}

/// Where all happens.
struct Place {
    canton: Canton,
    database: Postgres,
    found: Found,
    nodes: Nodes,
    url: String,
}

/// Tries it; whether it held.
pub(crate) async fn upgrade(wanted: &Wanted) -> Result<bool, Trouble> {
    let versions = [version(&wanted.furka)?, version(&wanted.next)?];
    let mut place = Place::furnish(wanted).await?;
    let crowd = Crowd::gather(&place.site(None)?, PEOPLE).await?;
    let (per_second, began) = (crowd.per_second, Instant::now());
    let met = Arc::new(Met::since(began));
    let is_over = Arc::new(AtomicBool::new(false));
    let arriving = {
        let is_over = Arc::clone(&is_over);
        tokio::spawn(crowd.arrives(Arc::clone(&met), move || is_over.load(Relaxed)))
    };
    let changed = place.change(wanted).await;
    is_over.store(true, Relaxed);
    arriving.await??;
    changed?;
    let inside = take(&met.inside);
    place.found.lost_sessions.1 = inside.len();
    place.found.lost_sessions.0 = lost(inside).await.len();
    place.nodes.installation().furka(&["audit", "verify"])?;
    let holds = place.found.holds(&met);
    if !holds {
        for node in place.nodes.running() {
            eprintln!("{}", place.nodes.log_of(node));
        }
    }
    let pace = Pace {
        per_second,
        lasted: began.elapsed(),
    };
    println!(
        "{}; {}",
        place.found.sentence(&versions, &met, &pace),
        evidence::setting(wanted.seed)
    );
    let seconds = wanted.lasting.as_secs();
    let command = format!("cargo xtask upgrade --seconds {seconds}");
    let found = place.found.evidence(&versions, &met, &pace);
    evidence::keep(&wanted.json, (&command, wanted.seed), holds, found)?;
    Ok(holds)
}

/// How fast people came, and for how long.
struct Pace {
    lasted: Duration,
    per_second: f64,
}

/// What a binary says it is.
fn version(binary: &Path) -> Result<String, Trouble> {
    let output = Command::new(binary).arg("--version").output();
    let output = output.map_err(|error| format!("starting `{}`: {error}", binary.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim().trim_start_matches("furka ").to_owned())
}

impl Place {
    async fn furnish(wanted: &Wanted) -> Result<Self, Trouble> {
        let post = Post::open().await?;
        let canton = Canton {
            each: PEOPLE,
            parts: &[Part::Pupil, Part::Counter],
            seed: wanted.seed,
        };
        let database = Postgres::start()?;
        let url = database.database()?;
        let installation = Installation::make(&wanted.furka, Some(&url))?;
        canton.moves_in(&installation, &post)?;
        Ok(Self {
            canton,
            database,
            found: Found::default(),
            nodes: Nodes::start(installation, NODES)?,
            url,
        })
    }

    /// Where one node is, or all behind their proxy.
    fn site(&self, node: Option<usize>) -> Result<Arc<Site>, Trouble> {
        let address = match node {
            Some(node) => self.nodes.address_of(node).ok_or("there is no such node")?,
            None => self.nodes.address(),
        };
        Ok(Arc::new(Site {
            address,
            application: PORTAL,
            origin: self.nodes.url(),
        }))
    }

    /// The whole upgrade, as `docs/operate/upgrade.md` tells it.
    async fn change(&mut self, wanted: &Wanted) -> Result<(), Trouble> {
        sleep(wanted.lasting).await;
        let under_way = self.begin_journeys().await?;
        self.migrate(wanted).await?;
        sleep(wanted.lasting).await;
        self.start_old_again(wanted)?;
        self.nodes.install(&wanted.next);
        for old in 0..NODES {
            let new = block_in_place(|| self.nodes.add())?;
            self.both_serve(old, new).await?;
            self.drain(old).await?;
            sleep(wanted.lasting).await;
        }
        self.end_journeys(under_way).await
    }

    /// People who stand before the code of their token.
    async fn begin_journeys(&self) -> Result<Vec<(Browser, String)>, Trouble> {
        let site = Site {
            application: STRICT,
            ..(*self.site(None)?).clone()
        };
        let site = Arc::new(site);
        let mut under_way = Vec::new();
        for number in 0..UNDER_WAY {
            let mut browser = Browser::new(&site, HOME);
            let (_, answer) = enters(&mut browser, &Part::Counter.name(number)).await?;
            under_way.push((browser, journey_in(&answer)?));
        }
        Ok(under_way)
    }

    /// They type it; by now every node is of the later version.
    async fn end_journeys(&mut self, under_way: Vec<(Browser, String)>) -> Result<(), Trouble> {
        for (number, (mut browser, path)) in under_way.into_iter().enumerate() {
            let code = otp::code(&self.canton.token(Part::Counter, number), 0);
            // The connection leads to a proxy that may have closed it long ago.
            let _page = browser.get(&path).await;
            let answer = browser.post(&path, &[("code", &code)]).await?;
            if let Err(why) = browser.code_in(&answer) {
                self.found.lost_journeys += 1;
                self.found.wrong.push(why.to_string());
            }
        }
        Ok(())
    }

    /// The later version's migration: planned, refused while a backup reads, and done.
    async fn migrate(&mut self, wanted: &Wanted) -> Result<(), Trouble> {
        self.nodes.install(&wanted.next);
        let here = self.nodes.installation();
        let plan = block_in_place(|| here.plan(&["migrate", "--plan"]))?;
        let reads = Tables::in_use(&self.url).await?;
        let refused = block_in_place(|| here.furka(&["migrate"]));
        drop(reads);
        let says = refused.unwrap_or_else(|trouble| trouble.to_string());
        if !says.contains("wait until it has ended") {
            let wrong = format!("while a backup reads, `furka migrate` says: {says}");
            self.found.wrong.push(wrong);
        }
        self.nobody_reads().await?;
        let here = self.nodes.installation();
        let began = Instant::now();
        block_in_place(|| here.furka(&["migrate"]))?;
        let name = plan.trim().trim_start_matches("+ ").to_owned();
        self.found.migration = (name, began.elapsed());
        let again = block_in_place(|| here.furka(&["migrate", "--plan"]))?;
        if !again.contains("already") {
            self.found
                .wrong
                .push(format!("after `furka migrate`: {again}"));
        }
        Ok(())
    }

    /// Waits until the server has noticed that the reader is gone.
    async fn nobody_reads(&self) -> Result<(), Trouble> {
        let asks = "select count(*) from pg_stat_activity where application_name = 'reader'";
        for _ in 0..100 {
            if block_in_place(|| self.database.sql("postgres", asks))?.trim() == "0" {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Err("the reader stays".into())
    }

    /// A node of the old version that starts when the schema is newer already.
    fn start_old_again(&mut self, wanted: &Wanted) -> Result<(), Trouble> {
        block_in_place(|| {
            self.nodes.install(&wanted.furka);
            self.found.leaving.push(self.nodes.drain(0)?);
            self.nodes.start_again(0)?;
            Ok(self.nodes.is_ready_within(0, START_MAX)?)
        })
    }

    /// Somebody who signed in with one version is in with the other, and their code is worth a token.
    async fn both_serve(&mut self, old: usize, new: usize) -> Result<(), Trouble> {
        let [old, new] = [self.site(Some(old))?, self.site(Some(new))?];
        for (number, (from, to)) in [(&old, &new), (&new, &old)].into_iter().enumerate() {
            let mut browser = Browser::new(from, SCHOOL);
            let who = Part::Pupil.name(number);
            let (asked, answer) = enters(&mut browser, &who).await?;
            let code = browser.code_in(&answer)?;
            browser.moves_to(to);
            let answer = browser.redeem(&asked, &code).await?;
            asked.is_answered(&answer, &who)?;
            browser.sign_in_again().await?;
        }
        Ok(())
    }

    /// Asks a node to leave that has read half of a request.
    async fn drain(&mut self, node: usize) -> Result<(), Trouble> {
        let site = self.site(Some(node))?;
        let fields = [
            ("ticket", "none"),
            ("username", "p0"),
            ("password", PASSWORD),
        ];
        let half = Half::send(&site, &fields).await?;
        let began = Instant::now();
        self.nodes.ask_to_leave(node)?;
        if let Err(why) = half.ends().await {
            self.found.cut_off += 1;
            self.found.wrong.push(format!("half a request: {why}"));
        }
        block_in_place(|| self.nodes.has_left(node))?;
        self.found.leaving.push(began.elapsed());
        Ok(())
    }
}

impl Found {
    fn longest(&self) -> Duration {
        self.leaving.iter().copied().max().unwrap_or_default()
    }

    fn holds(&self, met: &Met) -> bool {
        let failed = met.failed_again();
        let lost = self.lost_sessions.0 + self.lost_journeys + self.cut_off + self.wrong.len();
        let leaves = self.longest() <= LEAVING_MAX;
        let stopped = [&met.gave_up, &met.began_anew, &met.throttled]
            .map(|count| count.load(Relaxed))
            .iter()
            .sum::<u64>();
        leaves && lost == 0 && failed.is_empty() && stopped == 0
    }

    fn sentence(&self, [old, new]: &[String; 2], met: &Met, pace: &Pace) -> String {
        let failed = met.failed_again();
        for line in self.wrong.iter().chain(failed.iter().take(5)) {
            println!("  {line}");
        }
        let (name, took) = &self.migration;
        let [answered, once, gave_up, moments] =
            [&met.answered, &met.failed_once, &met.gave_up, &met.moments]
                .map(|count| count.load(Relaxed));
        let (lost, sessions) = self.lost_sessions;
        format!(
            "upgrade: {NODES} nodes of {old} became {NODES} of {new} (migration {name} in {} ms) in {:.0} s at \
             {:.1} sign-ins a second\n\
             requests: {answered} answered, {once} failed once, {} failed again, {moments} pages said one \
             moment, {gave_up} people gave up\n\
             lost: {lost} of {sessions} sessions, {} of {UNDER_WAY} journeys, {} of {NODES} requests half \
             read; a node left within {:.1} s, {:.1} s was the longest without a sign-in",
            took.as_millis(),
            pace.lasted.as_secs_f64(),
            pace.per_second,
            failed.len(),
            self.lost_journeys,
            self.cut_off,
            self.longest().as_secs_f64(),
            met.longest_without(pace.lasted).as_secs_f64(),
        )
    }

    fn evidence(&self, [old, new]: &[String; 2], met: &Met, pace: &Pace) -> Value {
        let tenths = |time: Duration| (time.as_secs_f64() * 10.0).round() / 10.0;
        let (migration, took) = &self.migration;
        let [answered, once, gave_up, moments] =
            [&met.answered, &met.failed_once, &met.gave_up, &met.moments]
                .map(|count| count.load(Relaxed));
        json!({
            "failed_after_one_retry": met.failed_again(),
            "failed_once": once,
            "from": old,
            "journeys": UNDER_WAY,
            "journeys_lost": self.lost_journeys,
            "longest_until_a_node_had_left_s": tenths(self.longest()),
            "longest_without_a_sign_in_s": tenths(met.longest_without(pace.lasted)),
            "migration": migration,
            "migration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "nodes": NODES,
            "pages_that_said_one_moment": moments,
            "people_who_gave_up": gave_up,
            "requests_answered": answered,
            "requests_half_read_and_not_answered": self.cut_off,
            "sessions": self.lost_sessions.1,
            "sessions_lost": self.lost_sessions.0,
            "sign_ins_a_second": tenths(Duration::from_secs_f64(pace.per_second)),
            "to": new,
            "wrong": self.wrong,
        })
    }
}
