//! Nodes lose the network to their database, and their clocks jump, while people sign in: nobody may get in
//! who should not, nothing may be lost, and people are told to wait a moment.

mod clock;
mod wire;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use cluster::{Installation, Nodes, Postgres};
use driver::{Asked, Browser, Site};
use serde_json::{Value, json};
use tokio::{
    task::block_in_place,
    time::{Instant, sleep},
};

use crate::{
    Trouble, Wanted,
    canton::{Canton, PORTAL, Part, SCHOOL},
    crowd::{Crowd, lost},
    evidence,
    people::{Met, take},
    post::Post,
    walk::enters,
};
use clock::Clock;
use wire::{Wire, behind};

/// How many nodes there are.
const NODES: usize = 3;
/// How many people there are; each comes several times.
const PEOPLE: usize = 200;
/// How far clocks jump, in seconds: nothing that is spent lives that long.
const JUMP_S: i64 = 3600;
/// How many codes are spent on one node and tried on another.
const CODES: usize = 20;
/// How long all may take until it is well again.
const RECOVERY_MAX: Duration = Duration::from_secs(30);
/// How long a sign-in takes at most, before it is over.
const SIGN_IN: Duration = Duration::from_secs(1);
/// How long a health check may take to take a node out.
const NOTICED: Duration = Duration::from_secs(3);

/// What was found beside what people met.
#[derive(Debug)]
struct Found {
    began: Instant,
    /// Codes that were spent, tried again when a clock had jumped, and worked.
    codes_twice: usize,
    /// When a clock jumped.
    jumps: Vec<Duration>,
    /// Sessions that are not there, and how many were asked.
    lost_sessions: (usize, usize),
    /// Sessions that are not there because a node began them whose clock had just jumped.
    misdated: usize,
    /// From the return of the network until all nodes were ready.
    recovery: Duration,
    /// What does not hold, in sentences.
    wrong: Vec<String>,
}

/// Where all happens.
struct Place {
    clocks: Vec<Clock>,
    _database: Postgres,
    found: Found,
    nodes: Nodes,
    wires: Vec<Wire>,
}

/// Tries it; whether it held.
pub(crate) async fn outage(wanted: &Wanted) -> Result<bool, Trouble> {
    let mut place = Place::furnish(wanted).await?;
    let crowd = Crowd::gather(&place.site(None)?, PEOPLE).await?;
    let per_second = crowd.per_second;
    place.found.began = Instant::now();
    let met = Arc::new(Met::since(place.found.began));
    let is_over = Arc::new(AtomicBool::new(false));
    let arriving = {
        let is_over = Arc::clone(&is_over);
        tokio::spawn(crowd.arrives(Arc::clone(&met), move || is_over.load(Relaxed)))
    };
    let broken = place.breaks(wanted.lasting).await;
    is_over.store(true, Relaxed);
    arriving.await??;
    if let Err(trouble) = broken {
        place.say_what_nodes_say();
        return Err(trouble);
    }
    let inside = take(&met.inside);
    place.found.lost_sessions.1 = inside.len();
    place.found.count_lost(lost(inside).await);
    place.nodes.installation().furka(&["audit", "verify"])?;
    let holds = place.found.holds(&met);
    if !holds {
        place.say_what_nodes_say();
    }
    println!(
        "{}; {}",
        place.found.sentence(&met, per_second),
        evidence::setting(wanted.seed)
    );
    let command = format!("cargo xtask outage --seconds {}", wanted.lasting.as_secs());
    let found = place.found.evidence(&met, per_second);
    evidence::keep(&wanted.json, (&command, wanted.seed), holds, found)?;
    Ok(holds)
}

impl Place {
    async fn furnish(wanted: &Wanted) -> Result<Self, Trouble> {
        let post = Post::open().await?;
        let canton = Canton {
            each: PEOPLE + 2 * CODES,
            parts: &[Part::Pupil],
            seed: wanted.seed,
        };
        let database = Postgres::start()?;
        let url = database.database()?;
        let installation = Installation::make(&wanted.furka, Some(&url))?;
        canton.moves_in(&installation, &post)?;
        let mut nodes = Nodes::start(installation, 0)?;
        let (mut wires, mut clocks) = (Vec::new(), Vec::new());
        for node in 0..NODES {
            let (server, _) = behind(&url, 0)?;
            let wire = Wire::to(server).await?;
            let (_, through) = behind(&url, wire.port)?;
            nodes.set(node, "FURKA_DATABASE", through)?;
            wires.push(wire);
            clocks.push(Clock::of(&mut nodes, node)?);
            block_in_place(|| nodes.add())?;
        }
        Ok(Self {
            clocks,
            _database: database,
            found: Found {
                began: Instant::now(),
                codes_twice: 0,
                jumps: Vec::new(),
                lost_sessions: (0, 0),
                misdated: 0,
                recovery: Duration::ZERO,
                wrong: Vec::new(),
            },
            nodes,
            wires,
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

    fn say_what_nodes_say(&self) {
        for node in self.nodes.running() {
            eprintln!("{}", self.nodes.log_of(node));
        }
    }

    async fn breaks(&mut self, lasting: Duration) -> Result<(), Trouble> {
        // One node is cut off: the others go on.
        for count in [1, NODES] {
            sleep(lasting).await;
            let visitor = self.enters().await?;
            self.wires.iter().take(count).for_each(Wire::cut);
            sleep(lasting).await;
            if count == NODES {
                self.asks_for_a_moment(visitor).await?;
            }
            self.wires.iter().for_each(Wire::mend);
            self.recovers()?;
        }
        for ahead_s in [JUMP_S, -JUMP_S] {
            sleep(lasting).await;
            self.clock_jumps(ahead_s, lasting).await?;
        }
        Ok(())
    }

    fn recovers(&mut self) -> Result<(), Trouble> {
        let began = Instant::now();
        block_in_place(|| {
            for node in 0..NODES {
                self.nodes.is_ready_within(node, RECOVERY_MAX)?;
            }
            Ok::<_, Trouble>(())
        })?;
        self.found.recovery = self.found.recovery.max(began.elapsed());
        Ok(())
    }

    /// Nobody reaches the database: pages say so and come back by themselves.
    async fn asks_for_a_moment(&mut self, mut visitor: Browser) -> Result<(), Trouble> {
        let opened = visitor.get("/account").await?;
        let sent = visitor.post("/account", &[("action", "sign-out-everywhere")]);
        for page in [opened, sent.await?] {
            if page.status != 503 || page.headers("refresh").next().is_none() {
                let why = page.unexpected("one moment, and a page that comes back by itself");
                self.found.wrong.push(why.to_string());
            }
        }
        Ok(())
    }

    /// Somebody who is in before it begins.
    async fn enters(&self) -> Result<Browser, Trouble> {
        let mut browser = Browser::new(&self.site(None)?, SCHOOL);
        let (_, answer) = enters(&mut browser, &Part::Pupil.name(0)).await?;
        browser.code_in(&answer)?;
        Ok(browser)
    }

    /// The clock of the first node jumps, while it runs and over a restart: it steps aside, deletes nothing
    /// that others need, and comes back.
    async fn clock_jumps(&mut self, ahead_s: i64, lasting: Duration) -> Result<(), Trouble> {
        let first = PEOPLE + if ahead_s > 0 { 0 } else { CODES };
        let spent = self.spend_codes(first).await?;
        if let Some(clock) = self.clocks.first() {
            clock.is_ahead(ahead_s)?;
            self.found.jumps.push(self.found.began.elapsed());
        }
        sleep(NOTICED).await;
        if block_in_place(|| self.nodes.is_ready_within(0, Duration::ZERO)).is_ok() {
            let wrong = format!("a node whose clock is ahead by {ahead_s} s says that it is ready");
            self.found.wrong.push(wrong);
        }
        block_in_place(|| {
            self.nodes.kill(0)?;
            self.nodes.start_again(0)
        })?;
        sleep(lasting).await;
        let mut server = Browser::new(&self.site(Some(1))?, SCHOOL);
        for (asked, code) in spent {
            let again = server.redeem(&asked, &code).await?;
            self.found.codes_twice += usize::from(again.status == 200);
        }
        if let Some(clock) = self.clocks.first() {
            clock.is_ahead(0)?;
        }
        self.recovers()
    }

    /// Codes that were just spent on another node, by people whom nobody else uses.
    async fn spend_codes(&self, first: usize) -> Result<Vec<(Asked, String)>, Trouble> {
        let site = self.site(Some(1))?;
        let mut spent = Vec::new();
        for number in first..first + CODES {
            let mut browser = Browser::new(&site, SCHOOL);
            let who = Part::Pupil.name(number);
            let (asked, answer) = enters(&mut browser, &who).await?;
            let code = browser.code_in(&answer)?;
            let answer = browser.redeem(&asked, &code).await?;
            asked.is_answered(&answer, &who)?;
            spent.push((asked, code));
        }
        Ok(spent)
    }
}

impl Found {
    /// Whoever began on a node whose clock had just jumped is in for longer or shorter.
    fn count_lost(&mut self, lost: Vec<Duration>) {
        let is_misdated = |since: &Duration| {
            let mut jumps = self.jumps.iter();
            jumps.any(|jump| (jump.saturating_sub(SIGN_IN)..*jump + NOTICED).contains(since))
        };
        self.misdated = lost.iter().filter(|since| is_misdated(since)).count();
        self.lost_sessions.0 = lost.len() - self.misdated;
    }

    fn holds(&self, met: &Met) -> bool {
        let wrong = self.wrong.len() + self.codes_twice + self.lost_sessions.0;
        wrong == 0 && met.gave_up.load(Relaxed) == 0
    }

    fn sentence(&self, met: &Met, per_second: f64) -> String {
        let (failed, stops) = (met.failed_again(), met.stops());
        let some = failed.iter().take(3).chain(stops.iter().take(20));
        for line in self.wrong.iter().chain(some) {
            println!("  {line}");
        }
        let [answered, once, gave_up, moments] =
            [&met.answered, &met.failed_once, &met.gave_up, &met.moments]
                .map(|count| count.load(Relaxed));
        let throttled = met.throttled.load(Relaxed);
        let anew = met.began_anew.load(Relaxed);
        let (lost, sessions) = self.lost_sessions;
        format!(
            "outage: one node and then all {NODES} lost the database, a clock jumped by an hour forth and \
             back, at {per_second:.1} sign-ins a second\n\
             requests: {answered} answered, {once} failed once, {} failed again, {moments} pages said one \
             moment, {throttled} that somebody tried too often, {anew} people began anew, {gave_up} gave up\n\
             lost: {lost} of {sessions} sessions, and {} that began with a wrong clock; {} of {} codes worked twice; all nodes were ready {:.1} s \
             after the network was back",
            failed.len(),
            self.misdated,
            self.codes_twice,
            CODES * 2,
            self.recovery.as_secs_f64(),
        )
    }

    fn evidence(&self, met: &Met, per_second: f64) -> Value {
        let tenths = |time: Duration| (time.as_secs_f64() * 10.0).round() / 10.0;
        let [answered, once, gave_up, moments] =
            [&met.answered, &met.failed_once, &met.gave_up, &met.moments]
                .map(|count| count.load(Relaxed));
        json!({
            "codes_that_worked_twice": self.codes_twice,
            "codes_tried_again": CODES * 2,
            "failed_after_one_retry": met.failed_again(),
            "failed_once": once,
            "jump_s": JUMP_S,
            "nodes": NODES,
            "pages_that_said_one_moment": moments,
            "people_were_stopped": met.stops(),
            "pages_that_said_too_often": met.throttled.load(Relaxed),
            "people_who_began_anew": met.began_anew.load(Relaxed),
            "people_who_gave_up": gave_up,
            "ready_after_the_network_was_back_s": tenths(self.recovery),
            "requests_answered": answered,
            "sessions": self.lost_sessions.1,
            "sessions_begun_with_a_wrong_clock_and_lost": self.misdated,
            "sessions_lost": self.lost_sessions.0,
            "sign_ins_a_second": tenths(Duration::from_secs_f64(per_second)),
            "wrong": self.wrong,
        })
    }
}
