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
pub(super) struct Met {
    began: Instant,
    /// Requests that were answered.
    pub(super) answered: AtomicU64,
    /// Answers that came too late to be heard, of a request that had been done.
    pub(super) done_unheard: AtomicU64,
    /// Requests that failed, and did not when they were sent once more.
    pub(super) failed_once: AtomicU64,
    /// When requests failed also when they were sent once more, and how.
    pub(super) failed_twice: Mutex<Vec<(Duration, String)>>,
    /// People who gave up.
    pub(super) gave_up: AtomicU64,
    /// Pages that said "one moment".
    pub(super) moments: AtomicU64,
    /// When people were signed in: a write was acknowledged.
    pub(super) signed_in: Mutex<Vec<Duration>>,
    /// Who is in, to be asked again at the end.
    pub(super) inside: Mutex<Vec<Browser>>,
    /// Codes that were redeemed, and when.
    pub(super) redeemed: Mutex<Vec<(Duration, Asked, String)>>,
}

/// What one request of somebody's is.
enum Request<'a> {
    Get(&'a str),
    Post(&'a str, &'a [(&'a str, &'a str)]),
    Redeem(&'a Asked, &'a str),
}

impl Met {
    pub(super) fn since(began: Instant) -> Self {
        Self {
            began,
            answered: AtomicU64::new(0),
            done_unheard: AtomicU64::new(0),
            failed_once: AtomicU64::new(0),
            failed_twice: Mutex::default(),
            gave_up: AtomicU64::new(0),
            moments: AtomicU64::new(0),
            signed_in: Mutex::default(),
            inside: Mutex::default(),
            redeemed: Mutex::default(),
        }
    }

    /// Somebody signs in with a new browser, up to the token.
    pub(super) async fn sign_in(&self, site: &Arc<Site>, who: &str) {
        let mut browser = Browser::new(site, SCHOOL);
        match self.way_in(&mut browser, site, who).await {
            Ok(()) => push(&self.inside, browser),
            Err(_) => {
                self.gave_up.fetch_add(1, Relaxed);
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
                Ok(answer) if answer.status < 500 => {
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

/// Adds to a list that several hold.
fn push<T>(list: &Mutex<Vec<T>>, one: T) {
    list.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(one);
}

/// Takes all that is in a list.
pub(super) fn take<T>(list: &Mutex<Vec<T>>) -> Vec<T> {
    std::mem::take(&mut list.lock().unwrap_or_else(PoisonError::into_inner))
}
