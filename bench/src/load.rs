//! People in numbers: a closed loop of so many at once, and an open loop of so many a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use server::{RealWorld, World};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    Trouble,
    browser::{Browser, Entered, Site},
    canton::{PASSWORD, SCHOOL, name},
    process::{Cpu, Provider, everybodys_cpu, own_cpu},
};

/// How long people look at a page that does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who comes next: everybody in turn, so that nobody's budget is touched twice in a short time.
#[derive(Clone, Default)]
pub(crate) struct Turn(Arc<AtomicUsize>);

impl Turn {
    pub(crate) fn next(&self) -> String {
        name(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// What people do again and again.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// A new browser signs in with a password, up to the token.
    SignIn,
    /// A browser with a session opens one application after the other.
    ComesAgain,
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
    /// CPU time of neither provider nor driver: whatever else ran on the machine.
    pub(crate) others: Duration,
    pub(crate) took: Duration,
    pub(crate) written: u64,
}

impl Closed {
    pub(crate) fn add(&mut self, other: Self) {
        self.cpu.hashing += other.cpu.hashing;
        self.cpu.rest += other.cpu.rest;
        self.driver += other.driver;
        self.flows += other.flows;
        self.others += other.others;
        self.took += other.took;
        self.written += other.written;
    }

    pub(crate) fn per_second(self) -> f64 {
        crate::ratio(self.flows, self.took)
    }

    /// Core-seconds that others and the driver left to the provider.
    pub(crate) fn left(self, cores: usize) -> f64 {
        left(self.took, cores, self.others + self.driver)
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
    (act, people): (Act, usize),
    window: Duration,
) -> Result<Closed, Trouble> {
    let mut ready = Vec::new();
    for _ in 0..people {
        let mut browser = Browser::new(&provider.site, SCHOOL);
        if matches!(act, Act::ComesAgain) {
            certainly(browser.sign_in(&turn.next(), PASSWORD).await?)?;
        }
        ready.push(browser);
    }
    let (cpu, driver, everybody) = (provider.cpu()?, own_cpu()?, everybodys_cpu()?);
    let (written, began) = (provider.written()?, Instant::now());
    let until = began + window;
    let mut all = JoinSet::new();
    for browser in ready {
        all.spawn(again_and_again(browser, turn.clone(), act, until));
    }
    let mut flows = 0_u64;
    while let Some(done) = all.join_next().await {
        flows += done??;
    }
    let cpu = provider.cpu()?.since(cpu);
    let driver = own_cpu()?.saturating_sub(driver);
    let everybody = everybodys_cpu()?.saturating_sub(everybody);
    Ok(Closed {
        cpu,
        driver,
        flows,
        others: everybody.saturating_sub(cpu.all()).saturating_sub(driver),
        took: began.elapsed(),
        written: provider.written()?.saturating_sub(written),
    })
}

async fn again_and_again(
    mut browser: Browser,
    turn: Turn,
    act: Act,
    until: Instant,
) -> Result<u64, Trouble> {
    let mut flows = 0;
    while Instant::now() < until {
        match act {
            Act::SignIn => {
                browser.forget();
                certainly(browser.sign_in(&turn.next(), PASSWORD).await?)?;
            }
            Act::ComesAgain => browser.sign_in_again().await?,
            Act::OpensPage => {
                browser.forget();
                browser.sign_in_page().await?;
            }
        }
        flows += 1;
    }
    Ok(flows)
}

/// Where there is no overload, everybody gets in.
fn certainly(entered: Entered) -> Result<(), Trouble> {
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
    (Instant::now(), entered.ok())
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
fn pause(rate: f64) -> Duration {
    let mut bytes = [0; 4];
    RealWorld.fill(&mut bytes);
    let chance = (f64::from(u32::from_be_bytes(bytes)) + 1.0) / (f64::from(u32::MAX) + 2.0);
    Duration::from_secs_f64(-chance.ln() / rate)
}
