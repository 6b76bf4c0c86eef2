//! People in numbers: a closed loop of so many at once, and an open loop of so many a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use driver::{Browser, Entered, Site};
use server::{RealWorld, World};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    Trouble,
    canton::{Canton, PASSWORD, SCHOOL},
    process::{Cpu, Process, Provider, Written, everybodys_cpu, own_cpu},
};

/// How long people look at a page that does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long somebody waits who was told to come back, where the next is to follow at once.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(100);

/// Who comes next: everybody in turn, so that nobody's budget is touched twice in a short time.
#[derive(Clone)]
pub(crate) struct Turn {
    names: Arc<[String]>,
    next: Arc<AtomicUsize>,
}

impl Turn {
    /// All who can sign in.
    pub(crate) fn of(canton: &Canton) -> Self {
        Self {
            names: Arc::clone(&canton.names),
            next: Arc::default(),
        }
    }

    pub(crate) fn next(&self) -> String {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let name = self.names.get(next % self.names.len().max(1));
        name.cloned().unwrap_or_default()
    }
}

/// What people do again and again.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// A new browser signs in with a password, up to the token.
    SignIn,
    /// A browser with a session opens one application after the other.
    ComesAgain,
    /// The same, and the application redeems the code, at the next node if there are several.
    ComesAgainAndRedeems,
    /// A new browser opens the sign-in page.
    OpensPage,
}

/// A window of a closed loop.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Closed {
    pub(crate) cpu: Cpu,
    /// CPU time of the driver.
    pub(crate) driver: Duration,
    pub(crate) flows: u64,
    /// CPU time of neither provider nor database nor driver: whatever else ran on the machine.
    pub(crate) others: Duration,
    /// CPU time of the database, where that is a server.
    pub(crate) server: Duration,
    pub(crate) took: Duration,
    pub(crate) written: Written,
}

impl Closed {
    pub(crate) fn add(&mut self, other: Self) {
        self.cpu.add(other.cpu);
        self.driver += other.driver;
        self.flows += other.flows;
        self.others += other.others;
        self.server += other.server;
        self.took += other.took;
        self.written.add(other.written);
    }

    pub(crate) fn per_second(self) -> f64 {
        crate::ratio(self.flows, self.took)
    }

    /// Core-seconds that others and the driver left to the provider.
    pub(crate) fn left(self, cores: usize) -> f64 {
        left(self.took, cores, self.others + self.driver + self.server)
    }

    /// Cores that others used meanwhile.
    pub(crate) fn noise(self) -> f64 {
        self.others.as_secs_f64() / self.took.as_secs_f64()
    }
}

/// Core-seconds of a machine that somebody else did not use.
fn left(took: Duration, cores: usize, used: Duration) -> f64 {
    let cores = crate::as_float(u64::try_from(cores).unwrap_or(u64::MAX));
    took.as_secs_f64() * cores - used.as_secs_f64()
}

/// So many people at once for so long; each begins anew as soon as they are done.
pub(crate) async fn closed(
    provider: &Provider,
    turn: &Turn,
    what: (Act, usize),
    window: Duration,
) -> Result<Closed, Trouble> {
    closed_on(&[provider], turn, what, window).await
}

/// The same, with people on each of several nodes of one database.
pub(crate) async fn closed_on(
    nodes: &[&Provider],
    turn: &Turn,
    (act, people): (Act, usize),
    window: Duration,
) -> Result<Closed, Trouble> {
    let mut ready = Vec::new();
    let sites = nodes.iter().map(|node| &node.site).cycle();
    for (site, next) in sites.clone().zip(sites.skip(1)).take(people) {
        let mut one = Somebody {
            application: Browser::new(next, SCHOOL),
            browser: Browser::new(site, SCHOOL),
            name: turn.next(),
        };
        if matches!(act, Act::ComesAgain | Act::ComesAgainAndRedeems) {
            certainly(one.browser.sign_in(&one.name, PASSWORD).await?)?;
        }
        ready.push(one);
    }
    let under_way = UnderWay::default();
    let mut all = JoinSet::new();
    for one in ready {
        all.spawn(again_and_again(one, turn.clone(), act, under_way.clone()));
    }
    let processes: Vec<_> = nodes.iter().map(|node| node.process()).collect();
    // They share it.
    let servers_cpu = || (nodes.first()).map_or(Ok(Duration::ZERO), |node| node.servers_cpu());
    let measured = under_way.measured(&processes, servers_cpu, window).await?;
    while let Some(ended) = all.join_next().await {
        ended??;
    }
    Ok(measured)
}

/// What so many tasks do again and again until they are told to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay {
    done: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
}

impl UnderWay {
    /// One more is done.
    pub(crate) fn count(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether to stop.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// How many are done.
    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Lets all of it settle, looks at it for so long, and tells it to stop.
    pub(crate) async fn measured(
        &self,
        nodes: &[Process],
        servers_cpu: impl Fn() -> Result<Duration, Trouble>,
        window: Duration,
    ) -> Result<Closed, Trouble> {
        let read = || Reading::take(nodes, servers_cpu()?, self.done());
        // Neither the first rush nor the last stragglers belong to it.
        sleep(window / 5).await;
        let (began, before) = (Instant::now(), read()?);
        sleep(window).await;
        let (took, after) = (began.elapsed(), read()?);
        self.stop();
        Ok(after.since(before, took))
    }

    /// Tells everybody to stop.
    pub(crate) fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// What the counters show at one moment.
struct Reading {
    cpu: Cpu,
    driver: Duration,
    everybody: Duration,
    flows: u64,
    server: Duration,
    written: Written,
}

impl Reading {
    fn take(nodes: &[Process], server: Duration, flows: u64) -> Result<Self, Trouble> {
        let mut reading = Self {
            cpu: Cpu::default(),
            driver: own_cpu()?,
            everybody: everybodys_cpu()?,
            flows,
            server,
            written: Written::default(),
        };
        for node in nodes {
            reading.cpu.add(node.cpu()?);
            reading.written.add(node.written()?);
        }
        Ok(reading)
    }

    fn since(&self, before: Self, took: Duration) -> Closed {
        let cpu = self.cpu.since(before.cpu);
        let driver = self.driver.saturating_sub(before.driver);
        let everybody = self.everybody.saturating_sub(before.everybody);
        let server = self.server.saturating_sub(before.server);
        Closed {
            cpu,
            driver,
            flows: self.flows.saturating_sub(before.flows),
            others: everybody.saturating_sub(cpu.all() + driver + server),
            server,
            took,
            written: self.written.since(before.written),
        }
    }
}

/// Who comes again and again.
struct Somebody {
    /// The server of the application, which has no cookies.
    application: Browser,
    browser: Browser,
    /// Whose session the browser has, if it has one.
    name: String,
}

async fn again_and_again(
    mut one: Somebody,
    turn: Turn,
    act: Act,
    under_way: UnderWay,
) -> Result<(), Trouble> {
    let browser = &mut one.browser;
    while !under_way.is_over() {
        match act {
            Act::SignIn => {
                browser.forget();
                let entered = browser.sign_in(&turn.next(), PASSWORD).await?;
                if matches!(entered, Entered::Later(_)) {
                    // Others have slowed the machine down so much that this many are a rush.
                    sleep(A_MOMENT).await;
                    continue;
                }
                certainly(entered)?;
            }
            Act::ComesAgain => drop(browser.sign_in_again().await?),
            Act::ComesAgainAndRedeems => {
                let (asked, code) = browser.sign_in_again().await?;
                let answer = one.application.redeem(&asked, &code).await?;
                asked.is_answered(&answer, &one.name)?;
            }
            Act::OpensPage => {
                browser.forget();
                browser.sign_in_page().await?;
            }
        }
        under_way.count();
    }
    Ok(())
}

/// Where there is no overload, everybody gets in.
pub(crate) fn certainly(entered: Entered) -> Result<(), Trouble> {
    match entered {
        Entered::Yes => Ok(()),
        Entered::No => Err("a right password was refused".into()),
        Entered::Later(_) => Err("somebody was told to wait, without any overload".into()),
        Entered::Throttled => Err("somebody was throttled without one wrong password".into()),
    }
}

/// A window of an open loop.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// Arrivals in the window.
    pub(crate) arrived: usize,
    /// Sign-ins completed in the window, by people who were still there.
    pub(crate) done: usize,
    /// What went wrong otherwise.
    pub(crate) failed: Vec<String>,
    /// People who left before anything came.
    pub(crate) left: usize,
    /// How long people waited for the page that tells them to wait, sorted.
    pub(crate) told_in: Vec<Duration>,
    /// CPU time of others and of the driver in the window.
    used: Duration,
    pub(crate) window: Duration,
}

/// How one arrival ended, and when.
type Ended = (Instant, Option<Result<Entered, Trouble>>);

/// People arrive at random, so many a second, each with a browser of their own, and leave after
/// [`PATIENCE`]. What ends within `window` after `settling` counts.
pub(crate) async fn open(
    provider: &Provider,
    turn: &Turn,
    rate: f64,
    (settling, window): (Duration, Duration),
) -> Result<Open, Trouble> {
    let began = Instant::now();
    let (from, until) = (began + settling, began + settling + window);
    let mut next = began;
    let mut all = JoinSet::new();
    let mut open = Open {
        window,
        ..Open::default()
    };
    let mut at_first = None;
    while next < until {
        sleep_until(next).await;
        if next >= from {
            open.arrived += 1;
            if at_first.is_none() {
                at_first = Some(not_the_providers(provider)?);
            }
        }
        all.spawn(arrive(Arc::clone(&provider.site), turn.next()));
        next += pause(rate);
        while let Some(ended) = all.try_join_next() {
            open.count(ended?, from, until);
        }
    }
    open.used = not_the_providers(provider)?.saturating_sub(at_first.unwrap_or_default());
    while let Some(ended) = all.join_next().await {
        open.count(ended?, from, until);
    }
    open.told_in.sort();
    Ok(open)
}

/// CPU time of everybody but the provider.
fn not_the_providers(provider: &Provider) -> Result<Duration, Trouble> {
    Ok(everybodys_cpu()?.saturating_sub(provider.cpu()?.all()))
}

async fn arrive(site: Arc<Site>, who: String) -> Ended {
    let mut browser = Browser::new(&site, SCHOOL);
    let entered = timeout(PATIENCE, browser.sign_in(&who, PASSWORD)).await;
    (
        Instant::now(),
        entered.ok().map(|entered| entered.map_err(Trouble::from)),
    )
}

impl Open {
    fn count(&mut self, (at, ended): Ended, from: Instant, until: Instant) {
        if at < from || at >= until {
            return;
        }
        match ended {
            None => self.left += 1,
            Some(Ok(Entered::Yes)) => self.done += 1,
            Some(Ok(Entered::Later(told_in))) => self.told_in.push(told_in),
            Some(Ok(Entered::No)) => self.failed.push("a right password was refused".to_owned()),
            Some(Ok(Entered::Throttled)) => self.failed.push("somebody was throttled".to_owned()),
            Some(Err(trouble)) => self.failed.push(trouble.to_string()),
        }
    }

    /// Sign-ins for each core-second that others and the driver left to the provider.
    pub(crate) fn per_left(&self, cores: usize) -> f64 {
        let done = crate::as_float(u64::try_from(self.done).unwrap_or(u64::MAX));
        done / left(self.window, cores, self.used)
    }

    /// Cores that others and the driver used meanwhile.
    pub(crate) fn noise(&self) -> f64 {
        self.used.as_secs_f64() / self.window.as_secs_f64()
    }
}

/// A class behind one address: each types their password, some wrongly at first. How many were kept
/// out although it was right in the end.
pub(crate) async fn class(
    site: &Arc<Site>,
    turn: &Turn,
    (pupils, wrong_every): (usize, usize),
    rate: f64,
) -> Result<Class, Trouble> {
    let mut all = JoinSet::new();
    let mut next = Instant::now();
    for number in 0..pupils {
        sleep_until(next).await;
        all.spawn(one_of(
            Arc::clone(site),
            turn.next(),
            number % wrong_every == 0,
        ));
        next += pause(rate);
    }
    let mut class = Class::default();
    while let Some(ended) = all.join_next().await {
        let (mistakes, entered) = ended??;
        class.mistakes += mistakes;
        match entered {
            Entered::Yes => class.entered += 1,
            _ => class.refused += 1,
        }
    }
    Ok(class)
}

/// How a class came in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Class {
    pub(crate) entered: usize,
    pub(crate) mistakes: usize,
    pub(crate) refused: usize,
}

async fn one_of(site: Arc<Site>, who: String, errs: bool) -> Result<(usize, Entered), Trouble> {
    let mut browser = Browser::new(&site, SCHOOL);
    if errs {
        let mistyped = browser.sign_in(&who, "Simplon-1805-Galrie").await?;
        if !matches!(mistyped, Entered::No) {
            return Err("a wrong password was not simply refused".into());
        }
    }
    Ok((usize::from(errs), browser.sign_in(&who, PASSWORD).await?))
}

/// Time until the next arrival, if so many a second arrive independently of each other.
pub(crate) fn pause(rate: f64) -> Duration {
    let mut bytes = [0; 4];
    RealWorld.fill(&mut bytes);
    let chance = (f64::from(u32::from_be_bytes(bytes)) + 1.0) / (f64::from(u32::MAX) + 2.0);
    Duration::from_secs_f64(-chance.ln() / rate)
}
