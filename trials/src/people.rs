//! People who sign in while things break, as patient as people and their browsers are.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use driver::{Answer, Asked, Browser, Site, ticket_in};
use tokio::time::{Instant, sleep, timeout};

use crate::{
    Trouble,
    canton::{PASSWORD, SCHOOL},
};

/// Until somebody tries again whose request failed, or who was asked to wait a moment.
const AGAIN: Duration = Duration::from_secs(1);
/// How long somebody looks at a page that does not come.
const ANSWER_MAX: Duration = Duration::from_secs(15);
/// How long somebody goes on trying.
const PATIENCE: Duration = Duration::from_secs(90);

/// What they met.
#[derive(Debug)]
pub(crate) struct Met {
    began: Instant,
    /// People who came to an end that was none, and began anew, once.
    pub(crate) began_anew: AtomicU64,
    /// Requests that were answered.
    pub(crate) answered: AtomicU64,
    /// Answers that came too late to be heard, of a request that had been done.
    pub(crate) done_unheard: AtomicU64,
    /// Requests that failed, and did not when they were sent once more.
    pub(crate) failed_once: AtomicU64,
    /// When requests failed also when they were sent once more, and how.
    pub(crate) failed_twice: Mutex<Vec<(Duration, String)>>,
    /// People who gave up.
    pub(crate) gave_up: AtomicU64,
    /// Pages that said "one moment".
    pub(crate) moments: AtomicU64,
    /// When people came to an end that was none, and what they saw.
    pub(crate) stopped: Mutex<Vec<(Duration, String)>>,
    /// Answers that somebody tried too often: a try whose answer was lost is spent.
    pub(crate) throttled: AtomicU64,
    /// When people were signed in: a write was acknowledged.
    pub(crate) signed_in: Mutex<Vec<Duration>>,
    /// Who is in since when, to be asked again at the end.
    pub(crate) inside: Mutex<Vec<(Duration, Browser)>>,
    /// Codes that were redeemed, and when.
    pub(crate) redeemed: Mutex<Vec<(Duration, Asked, String)>>,
}

/// What one request of somebody's is.
enum Request<'a> {
    Get(&'a str),
    Post(&'a str, &'a [(&'a str, &'a str)]),
    Redeem(&'a Asked, &'a str),
}

impl Met {
    pub(crate) fn since(began: Instant) -> Self {
        Self {
            began,
            began_anew: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            done_unheard: AtomicU64::new(0),
            failed_once: AtomicU64::new(0),
            failed_twice: Mutex::default(),
            gave_up: AtomicU64::new(0),
            moments: AtomicU64::new(0),
            stopped: Mutex::default(),
            throttled: AtomicU64::new(0),
            signed_in: Mutex::default(),
            inside: Mutex::default(),
            redeemed: Mutex::default(),
        }
    }

    /// The requests that failed also when they were sent once more: when, and how.
    pub(crate) fn failed_again(&self) -> Vec<String> {
        sentences(&self.failed_twice)
    }

    /// The ends that were none: when, and what was seen.
    pub(crate) fn stops(&self) -> Vec<String> {
        sentences(&self.stopped)
    }

    /// The longest time without a sign-in, of so long.
    pub(crate) fn longest_without(&self, lasted: Duration) -> Duration {
        let signed_in = self.signed_in.lock();
        let mut times = signed_in.unwrap_or_else(PoisonError::into_inner).clone();
        times.extend([Duration::ZERO, lasted]);
        times.sort();
        let both = times.iter().zip(times.iter().skip(1));
        let gaps = both.map(|(from, to)| to.saturating_sub(*from));
        gaps.max().unwrap_or_default()
    }

    /// Somebody signs in with a new browser, up to the token.
    pub(crate) async fn sign_in(&self, site: &Arc<Site>, who: &str) {
        for is_last in [false, true] {
            let mut browser = Browser::new(site, SCHOOL);
            let since = self.began.elapsed();
            match self.way_in(&mut browser, site, who).await {
                Ok(()) => {
                    // Whoever is in looks at the application: a proxy has a limit of connections.
                    browser.hangs_up();
                    return push(&self.inside, (since, browser));
                }
                Err(why) => {
                    push(&self.stopped, (self.began.elapsed(), why.to_string()));
                    let count = if is_last {
                        &self.gave_up
                    } else {
                        &self.began_anew
                    };
                    count.fetch_add(1, Relaxed);
                    sleep(AGAIN).await;
                }
            }
        }
    }

    async fn way_in(&self, browser: &mut Browser, site: &Site, who: &str) -> Result<(), Trouble> {
        let asked = Asked::draw(&site.application)?;
        let page = self.send(browser, &Request::Get(asked.path())).await?;
        let ticket = ticket_in(&page)?;
        let fields = [
            ("ticket", ticket.as_str()),
            ("username", who),
            ("password", PASSWORD),
        ];
        let answer = self
            .send(browser, &Request::Post("/login", &fields))
            .await?;
        let code = browser.code_in(&answer)?;
        push(&self.signed_in, self.began.elapsed());
        let answer = self.send(browser, &Request::Redeem(&asked, &code)).await?;
        if answer.status == 200 {
            asked.is_answered(&answer, who)?;
            push(&self.redeemed, (self.began.elapsed(), asked, code));
            return Ok(());
        }
        // The code was spent by a request whose answer was lost: the application asks anew.
        self.done_unheard.fetch_add(1, Relaxed);
        let asked = Asked::draw(&site.application)?;
        let answer = self.send(browser, &Request::Get(asked.path())).await?;
        let code = browser.code_in(&answer)?;
        let answer = self.send(browser, &Request::Redeem(&asked, &code)).await?;
        Ok(asked.is_answered(&answer, who)?)
    }

    /// Sends a request until it is answered: once more as a person would, then for as long as they are
    /// patient.
    async fn send(&self, browser: &mut Browser, request: &Request<'_>) -> Result<Answer, Trouble> {
        let until = Instant::now() + PATIENCE;
        let mut failures = 0;
        loop {
            let answer = timeout(ANSWER_MAX, async {
                match request {
                    Request::Get(path) => browser.get(path).await,
                    Request::Post(path, fields) => browser.post(path, fields).await,
                    Request::Redeem(asked, code) => browser.redeem(asked, code).await,
                }
            });
            let silent = Err(format!("no answer in {} s", ANSWER_MAX.as_secs())
                .as_str()
                .into());
            let failure = match answer.await.unwrap_or(silent) {
                Ok(answer) if answer.status < 500 && answer.status != 429 => {
                    self.answered.fetch_add(1, Relaxed);
                    if failures == 1 {
                        self.failed_once.fetch_add(1, Relaxed);
                    }
                    return Ok(answer);
                }
                Ok(answer)
                    if answer.status == 503 && answer.headers("retry-after").next().is_some() =>
                {
                    self.moments.fetch_add(1, Relaxed);
                    // It was answered, in words; what fails after it fails for the first time.
                    failures = 0;
                    None
                }
                Ok(answer) if answer.status == 429 => {
                    self.throttled.fetch_add(1, Relaxed);
                    failures = 0;
                    None
                }
                Ok(answer) => Some(answer.unexpected("an answer").to_string()),
                Err(trouble) => Some(trouble.to_string()),
            };
            if let Some(why) = failure {
                failures += 1;
                if failures == 2 {
                    push(&self.failed_twice, (self.began.elapsed(), why));
                }
            }
            if Instant::now() > until {
                return Err("gave up".into());
            }
            sleep(AGAIN).await;
        }
    }
}

fn sentences(of: &Mutex<Vec<(Duration, String)>>) -> Vec<String> {
    let list = of.lock().unwrap_or_else(PoisonError::into_inner);
    let sentence =
        |(at, why): &(Duration, String)| format!("after {:.1} s: {why}", at.as_secs_f64());
    list.iter().map(sentence).collect()
}

/// Adds to a list that several hold.
fn push<T>(list: &Mutex<Vec<T>>, one: T) {
    list.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(one);
}

/// Takes all that is in a list.
pub(crate) fn take<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut list.lock().unwrap_or_else(PoisonError::into_inner))
}
