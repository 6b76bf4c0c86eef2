//! What the provider has acknowledged, and whether it keeps to that after a crash.
//!
//! Something is noted only once its answer was read to the end. What was under way when the power went
//! is in no list: it may have happened or not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use driver::{Asked, Site};

use super::browser::{Broken, Browser};
use super::clock::Deadline;
use super::dice::Dice;
use super::visit;
use crate::canton::{HOME, PASSWORD, SCHOOL};

/// The provider's session cookie, over plain HTTP.
pub(super) const SESSION: &str = "furka-session";
/// So many old promises of a kind are looked at again after each crash.
const OLD: usize = 8;
/// A journey is closed after five wrong codes; it is left one before.
const TRIES_OF_A_PROBE: u32 = 4;

/// A promise that was not kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Breach {
    /// Something acknowledged is gone.
    Lost(String),
    /// Something used up, or ended, works again.
    Resurrected(String),
}

/// Something that works once, and did.
#[derive(Clone, Debug)]
pub(super) enum Used {
    Activation {
        code: String,
        username: String,
    },
    /// An authorization code, and the session that it is of.
    Code {
        asked: Asked,
        code: String,
        session: String,
    },
    /// The counter of a token: its number, and the code.
    Counter {
        code: String,
        token: usize,
        username: String,
    },
    Resume {
        path: String,
    },
}

/// Everything that one visitor was promised.
#[derive(Debug, Default)]
pub(super) struct Promises {
    /// Sessions that ended: signed out, replaced, or of people who were switched off.
    pub(super) ended: Vec<String>,
    /// So many new ones of each kind.
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// So many new ones of all visitors together.
    acknowledged: Arc<AtomicU64>,
    /// Sessions, and the access tokens that came from them.
    pub(super) live: BTreeMap<String, Vec<String>>,
    /// So many of each kind were looked at after a crash.
    pub(super) looked_at: BTreeMap<&'static str, u64>,
    /// Somebody whose password was mistyped as often as is free, and until when they have to wait.
    pub(super) spent_budgets: Vec<(String, Deadline)>,
    pub(super) used: Vec<Used>,
    /// Journeys of a token's owner that wait for a code, by token.
    probes: BTreeMap<usize, Probe>,
}

#[derive(Debug)]
struct Probe {
    browser: Browser,
    path: String,
    tries: u32,
}

impl Promises {
    /// None yet.
    pub(super) fn new(acknowledged: &Arc<AtomicU64>) -> Self {
        Self {
            acknowledged: Arc::clone(acknowledged),
            ..Self::default()
        }
    }

    /// Notes one more of a kind.
    pub(super) fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
    }

    /// Looks at all of them, and forgets most of those that were kept.
    pub(super) fn check(
        &mut self,
        site: &Arc<Site>,
        dice: &mut Dice,
    ) -> Result<Vec<Breach>, Broken> {
        let mut breaches = Vec::new();
        let mut look = |kind: &'static str, kept: bool, breach: fn(String) -> Breach| {
            *self.looked_at.entry(kind).or_default() += 1;
            if !kept {
                breaches.push(breach(kind.to_owned()));
            }
        };
        let mut browser = Browser::new(site, SCHOOL)?;
        for (session, tokens) in &self.live {
            look("a session", lives(&mut browser, session)?, Breach::Lost);
            for token in tokens {
                let answer = browser.userinfo(token)?;
                look("an access token", answer.status == 200, Breach::Lost);
            }
        }
        for session in &self.ended {
            let ended = !lives(&mut browser, session)?;
            look("a session that had ended", ended, Breach::Resurrected);
        }
        for (username, waits) in std::mem::take(&mut self.spent_budgets) {
            let answer = visit::mistype(&mut Browser::new(site, HOME)?, &username)?;
            if !waits.is_over() {
                let waits = answer.status == 429;
                look("a budget for passwords", waits, Breach::Resurrected);
            }
        }
        for used in std::mem::take(&mut self.used) {
            if let Some(refused) = used.is_refused(site, (&self.live, &mut self.probes))? {
                look(used.kind(), refused, Breach::Resurrected);
            }
        }
        self.forget(dice);
        Ok(breaches)
    }

    /// Keeps some old promises, so that they are looked at after later crashes, too.
    fn forget(&mut self, dice: &mut Dice) {
        while self.live.len() > OLD {
            let number = usize::try_from(dice.below(self.live.len() as u64)).unwrap_or_default();
            let key = self.live.keys().nth(number).cloned();
            self.live.remove(&key.unwrap_or_default());
        }
        // [RFC 6749 §4.1.2] A code that comes again ends the tokens that it gave: each was tried again.
        self.live.values_mut().for_each(Vec::clear);
        while self.ended.len() > OLD {
            let number = usize::try_from(dice.below(self.ended.len() as u64)).unwrap_or_default();
            self.ended.swap_remove(number);
        }
    }
}

impl Used {
    fn kind(&self) -> &'static str {
        match self {
            Self::Activation { .. } => "an activation code",
            Self::Code { .. } => "an authorization code",
            Self::Counter { token, .. } if token % 2 == 0 => "a HOTP counter",
            Self::Counter { .. } => "a TOTP step",
            Self::Resume { .. } => "a resume link",
        }
    }

    /// Whether it is refused when it is tried again; none if trying would prove nothing.
    fn is_refused(
        &self,
        site: &Arc<Site>,
        (live, probes): (&BTreeMap<String, Vec<String>>, &mut BTreeMap<usize, Probe>),
    ) -> Result<Option<bool>, Broken> {
        let mut browser = Browser::new(site, HOME)?;
        let works = match self {
            Self::Activation { code, username } => {
                visit::begin_activation(&mut browser, username, code)?.status == 303
            }
            // Without its session a code is refused anyway.
            Self::Code { session, .. } if !live.contains_key(session) => return Ok(None),
            Self::Code { asked, code, .. } => browser.redeem(asked, code)?.status == 200,
            Self::Counter {
                code,
                token,
                username,
            } => {
                let known = probes.remove(token);
                let probe =
                    known.map_or_else(|| Probe::open(site, username), |known| Ok(Some(known)));
                let Some(mut probe) = probe? else {
                    return Ok(None);
                };
                let works = probe.takes(code)?;
                if probe.tries < TRIES_OF_A_PROBE {
                    probes.insert(*token, probe);
                }
                works
            }
            Self::Resume { path } => browser.post(path, &[])?.status == 303,
        };
        Ok(Some(!works))
    }
}

impl Probe {
    /// Whether a code signs somebody in.
    fn takes(&mut self, code: &str) -> Result<bool, Broken> {
        self.browser.hangs_up();
        let answer = self.browser.post(&self.path, &[("code", code)])?;
        self.tries += 1;
        match self.browser.cookie(SESSION) {
            Some(_) => Ok(true),
            None if answer.location() == self.path => Ok(false),
            None => Err(answer.unexpected("a page that says that the code was used")),
        }
    }

    /// Signs in from home up to the question for the code; none if there are too many tries.
    fn open(site: &Arc<Site>, username: &str) -> Result<Option<Self>, Broken> {
        let mut browser = Browser::new(site, HOME)?;
        let answer = visit::enter(&mut browser, "/login", (username, PASSWORD))?;
        match answer.status {
            303 if answer.location().starts_with("/login/") => Ok(Some(Self {
                path: answer.location().to_owned(),
                browser,
                tries: 0,
            })),
            429 => Ok(None),
            _ => Err(answer.unexpected("the question for a token's code")),
        }
    }
}

/// Whether somebody is signed in with this session.
fn lives(browser: &mut Browser, session: &str) -> Result<bool, Broken> {
    browser.takes(SESSION, session);
    let answer = browser.get("/account")?;
    match answer.status {
        200 => Ok(true),
        303 => Ok(false),
        _ => Err(answer.unexpected("the account page, or a way to sign in")),
    }
}
