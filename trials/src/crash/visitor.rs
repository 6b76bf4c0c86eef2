//! Somebody who uses the provider all day: signs in, opens applications, types codes, signs out. What the
//! provider acknowledges is noted; what happens next is decided by dice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use driver::{Asked, otp};

use super::browser::{Answer, Broken, Browser};
use super::canton;
use super::clock::{Deadline, unix_s};
use super::dice::Dice;
use super::disk::Disk;
use super::promises::{Breach, Promises, SESSION, Used};
use super::provider::Machine;
use super::visit;
use crate::canton::{HOME, PASSWORD, PORTAL, SCHOOL, STRICT};

/// Wrong passwords that are free; the next one waits for half a minute.
const FREE_TRIES: u32 = 5;
/// How long after the last of them a check is still sure to find the wait.
const SURE: Duration = Duration::from_secs(25);
/// Wrong codes that a token's owner may have had: the budget is fifty.
const CODES_OF_A_TOKEN: u32 = 40;
/// How often a command is asked whether it has ended.
const PAUSE: Duration = Duration::from_micros(500);

/// What all visitors of an installation share.
#[derive(Debug)]
pub(super) struct Place {
    /// So many promises in this cycle.
    pub(super) acknowledged: Arc<AtomicU64>,
    pub(super) codes: BTreeMap<String, String>,
    pub(super) disk: Option<Disk>,
    pub(super) home: PathBuf,
    pub(super) machine: Machine,
    /// Set before the provider is killed.
    pub(super) over: AtomicBool,
}

/// Of each kind of people, the ones with the numbers `first`, `first + step`, …
#[derive(Debug)]
struct Turn {
    end: usize,
    kind: char,
    next: usize,
    step: usize,
}

impl Turn {
    /// The next name; none if all had their turn.
    fn name(&mut self) -> Option<(usize, String)> {
        let number = (self.next < self.end).then_some(self.next)?;
        self.next += self.step;
        Some((number, canton::name(self.kind, number)))
    }
}

/// Who is signed in.
#[derive(Debug)]
struct Signed {
    session: String,
    strong: bool,
    token: usize,
}

/// A token in somebody's hand.
#[derive(Debug, Default)]
struct Token {
    /// The next counter, or the last step.
    counter: u64,
    /// Codes that were typed again since.
    typed: u32,
}

/// Somebody whose password is mistyped.
#[derive(Debug)]
struct Mistyped {
    /// So many wrong ones are known to be counted.
    tries: u32,
    username: String,
    /// How long the wait after the last try lasts for sure, once there is one.
    waits: Deadline,
}

/// One of those who use an installation at the same time.
#[derive(Debug)]
pub(super) struct Visitor {
    /// People who have activated themselves and have nothing bound yet.
    activated: Vec<String>,
    browser: Browser,
    dice: Dice,
    mistyped: Option<Mistyped>,
    pub(super) promises: Promises,
    place: Arc<Place>,
    signed: Option<Signed>,
    to_activate: Turn,
    to_disable: Turn,
    to_mistype: Turn,
    /// By number; one's own.
    tokens: Vec<(usize, Token)>,
}

impl Visitor {
    /// One of `all` who share the people of an installation.
    pub(super) fn new(
        place: &Arc<Place>,
        (number, all): (usize, usize),
        dice: &Dice,
    ) -> Result<Self, Broken> {
        let turn = |kind, end| Turn {
            end,
            kind,
            next: number,
            step: all,
        };
        let tokens = (0..canton::TOKENS).filter(|token| token / 2 % all == number);
        Ok(Self {
            activated: Vec::new(),
            browser: Browser::new(&place.machine.site, SCHOOL)?,
            dice: dice.apart(number as u64),
            mistyped: None,
            promises: Promises::new(&place.acknowledged),
            place: Arc::clone(place),
            signed: None,
            to_activate: turn('a', canton::TO_ACTIVATE),
            to_disable: turn('d', canton::TO_DISABLE),
            to_mistype: turn('w', canton::TO_MISTYPE),
            tokens: tokens.map(|token| (token, Token::default())).collect(),
        })
    }

    /// Does one thing after the other until the provider is killed.
    pub(super) fn visits(&mut self) -> Result<(), Broken> {
        self.browser.hangs_up();
        while !self.is_over() {
            match self.does_something() {
                Err(Broken::Connection(_)) if self.is_over() => {
                    // Whether it happened nobody knows.
                    self.signed = None;
                }
                result => result?,
            }
        }
        Ok(())
    }

    /// Whether the provider, started again, keeps to what it said.
    pub(super) fn checks(&mut self) -> Result<Vec<Breach>, Broken> {
        self.promises
            .check(&self.place.machine.site, &mut self.dice)
    }

    fn is_over(&self) -> bool {
        self.place.over.load(Ordering::SeqCst)
    }

    fn does_something(&mut self) -> Result<(), Broken> {
        match self.dice.below(48) {
            0..6 => return self.mistypes(),
            6..8 => return self.activates(),
            8..10 => return self.resumes(),
            10..12 => return self.is_switched_off(),
            _ => {}
        }
        let Some(strong) = self.signed.as_ref().map(|signed| signed.strong) else {
            return self.signs_in();
        };
        match self.dice.below(16) {
            0..2 => self.signs_out(),
            // Goes away without a word: the session stays.
            2 => {
                self.signed = None;
                Ok(())
            }
            3..8 if !strong => self.steps_up(),
            _ => self.comes_again(),
        }
    }

    // --- Sessions ---------------------------------------------------------------------------------

    /// In school a password is enough.
    fn signs_in(&mut self) -> Result<(), Broken> {
        let Some((token, username)) = self.chooses_a_token() else {
            return Err(Broken::Unexpected(
                "nobody is left who could sign in".to_owned(),
            ));
        };
        self.browser.forgets();
        let asked = Asked::draw(&PORTAL)?;
        let answer = visit::enter(&mut self.browser, asked.path(), (&username, PASSWORD))?;
        if answer.status == 429 {
            // Tries that were under way at a crash count, too.
            self.retires(token);
            return Ok(());
        }
        let session = self.has_a_session(&answer)?;
        self.signed = Some(Signed {
            session,
            strong: false,
            token,
        });
        self.redeems(asked, &answer)
    }

    /// The next application gets its code at once.
    fn comes_again(&mut self) -> Result<(), Broken> {
        let asked = Asked::draw(&PORTAL)?;
        let answer = self.browser.get(asked.path())?;
        self.redeems(asked, &answer)
    }

    /// At home the second factor is asked for, and a new session takes the place of the old one.
    fn steps_up(&mut self) -> Result<(), Broken> {
        let Some(signed) = self.signed.take() else {
            return Ok(());
        };
        let Some(code) = self.token_shows(signed.token) else {
            self.signed = Some(signed);
            return Ok(());
        };
        self.browser.goes_to(HOME);
        let asked = Asked::draw(&PORTAL)?;
        let stepped = self.types_a_code(&asked, &signed, &code);
        self.browser.goes_to(SCHOOL);
        let answer = stepped?;
        let session = self.has_a_session(&answer)?;
        self.promises.ended.push(signed.session);
        self.promises.count("sessions replaced");
        self.promises.used.push(Used::Counter {
            code,
            token: signed.token,
            username: canton::name('t', signed.token),
        });
        self.promises.count(match signed.token % 2 {
            0 => "HOTP counters used",
            _ => "TOTP steps used",
        });
        self.signed = Some(Signed {
            session,
            strong: true,
            token: signed.token,
        });
        self.redeems(asked, &answer)
    }

    fn types_a_code(
        &mut self,
        asked: &Asked,
        signed: &Signed,
        code: &str,
    ) -> Result<Answer, Broken> {
        let page = self.browser.get(asked.path())?;
        let ticket = driver::ticket_in(&page)?;
        let go_on = [("ticket", ticket.as_str()), ("action", "continue")];
        let answer = self.browser.post("/login", &go_on)?;
        if !answer.location().starts_with("/login/") {
            return Err(answer.unexpected("the question for a code"));
        }
        // From here on the old session may be gone.
        self.promises.live.remove(&signed.session);
        let path = answer.location().to_owned();
        self.browser.post(&path, &[("code", code)])
    }

    fn signs_out(&mut self) -> Result<(), Broken> {
        let Some(signed) = self.signed.take() else {
            return Ok(());
        };
        self.promises.live.remove(&signed.session);
        let answer = self.browser.post("/account", &[("action", "sign-out")])?;
        if answer.status != 200 {
            return Err(answer.unexpected("that one is signed out"));
        }
        self.promises.ended.push(signed.session);
        self.promises.count("sessions signed out");
        Ok(())
    }

    /// The session that an answer began.
    fn has_a_session(&mut self, answer: &Answer) -> Result<String, Broken> {
        let session = self.browser.cookie(SESSION).map(str::to_owned);
        let session = session.filter(|_| answer.status == 303);
        let session = session.ok_or_else(|| answer.unexpected("to be signed in"))?;
        self.promises.live.insert(session.clone(), Vec::new());
        self.promises.count("sessions begun");
        Ok(session)
    }

    fn redeems(&mut self, asked: Asked, answer: &Answer) -> Result<(), Broken> {
        let code = self.browser.code_in(answer)?;
        let answer = self.browser.redeem(&asked, &code)?;
        let token = visit::token_in(&answer)?;
        let Some(session) = self.signed.as_ref().map(|signed| signed.session.clone()) else {
            return Ok(());
        };
        if let Some(tokens) = self.promises.live.get_mut(&session) {
            tokens.push(token);
        }
        self.promises.used.push(Used::Code {
            asked,
            code,
            session,
        });
        self.promises.count("authorization codes redeemed");
        Ok(())
    }

    // --- Tokens -----------------------------------------------------------------------------------

    /// Mostly the same one; once in four times one that shows TOTP and has not done so for a while.
    fn chooses_a_token(&mut self) -> Option<(usize, String)> {
        let step = unix_s() / otp::STEP_S;
        let by_time = self.dice.once_in(4);
        let rested = |(number, token): &&(usize, Token)| match number % 2 {
            0 => !by_time,
            _ => by_time && token.counter + 1 < step,
        };
        let found = self.tokens.iter().find(rested);
        let found = found.or_else(|| self.tokens.iter().find(|(number, _)| number % 2 == 0));
        found.map(|(number, _)| (*number, canton::name('t', *number)))
    }

    /// A code that was not shown before; none if there is none yet.
    fn token_shows(&mut self, number: usize) -> Option<String> {
        let step = unix_s() / otp::STEP_S;
        let mut tokens = self.tokens.iter_mut();
        let (_, token) = tokens.find(|(other, _)| *other == number)?;
        let (counter, next) = match number % 2 {
            0 => (token.counter, token.counter + 1),
            _ if token.counter < step => (step, step),
            _ => return None,
        };
        token.counter = next;
        token.typed += 1;
        let typed = token.typed;
        if typed > CODES_OF_A_TOKEN {
            self.retires(number);
        }
        Some(otp::code(canton::seed(number).as_bytes(), counter))
    }

    fn retires(&mut self, token: usize) {
        self.tokens.retain(|(number, _)| *number != token);
    }

    // --- What happens beside it -------------------------------------------------------------------

    fn mistypes(&mut self) -> Result<(), Broken> {
        let known = self.mistyped.take();
        let next = known.or_else(|| {
            let (_, username) = self.to_mistype.name()?;
            Some(Mistyped {
                tries: 0,
                username,
                waits: Deadline::after(SURE),
            })
        });
        let Some(mistyped) = next else {
            return Ok(());
        };
        let (username, waits) = (mistyped.username.clone(), mistyped.waits);
        let tries = mistyped.tries + 1;
        // One that is under way at a crash may count.
        let mistyped = self.mistyped.insert(Mistyped {
            waits: Deadline::after(SURE),
            ..mistyped
        });
        let answer = visit::mistype(
            &mut Browser::new(&self.place.machine.site, HOME)?,
            &username,
        )?;
        if answer.status == 422 {
            mistyped.tries = tries;
            self.promises.count("wrong passwords counted");
        }
        // Such a page promises that the others were counted; it counts nothing itself.
        let refused = (answer.status == 429).then_some(waits);
        let spent = (tries >= FREE_TRIES).then_some(mistyped.waits);
        if let Some(waits) = refused.or(spent) {
            self.promises.spent_budgets.push((username, waits));
            self.mistyped = None;
        }
        Ok(())
    }

    fn activates(&mut self) -> Result<(), Broken> {
        let Some((_, username)) = self.to_activate.name() else {
            return Ok(());
        };
        let code = self.place.codes.get(&username).cloned().unwrap_or_default();
        let mut browser = Browser::new(&self.place.machine.site, HOME)?;
        let answer = visit::begin_activation(&mut browser, &username, &code)?;
        if answer.status != 303 {
            return Err(answer.unexpected("the first page of an activation"));
        }
        let path = answer.location().to_owned();
        visit::finish_activation(&mut browser, &path)?;
        self.activated.push(username.clone());
        self.promises.used.push(Used::Activation { code, username });
        self.promises.count("activation codes used");
        Ok(())
    }

    /// In school, for an application that asks for more: the link for later is opened at home.
    fn resumes(&mut self) -> Result<(), Broken> {
        let Some(username) = self.activated.pop() else {
            return Ok(());
        };
        let asked = Asked::draw(&STRICT)?;
        let mut school = Browser::new(&self.place.machine.site, SCHOOL)?;
        let answer = visit::enter(&mut school, asked.path(), (&username, PASSWORD))?;
        let page = school.get(answer.location())?;
        let path = page
            .between("/resume/", "\"")
            .map(|token| format!("/resume/{token}"));
        let path = path.ok_or_else(|| page.unexpected("a link for later"))?;
        let mut home = Browser::new(&self.place.machine.site, HOME)?;
        let answer = home.post(&path, &[])?;
        if answer.status != 303 {
            return Err(answer.unexpected("the journey in another browser"));
        }
        self.promises.used.push(Used::Resume { path });
        self.promises.count("resume links used");
        Ok(())
    }

    /// Somebody is signed in and is switched off by a command.
    fn is_switched_off(&mut self) -> Result<(), Broken> {
        let Some((_, username)) = self.to_disable.name() else {
            return Ok(());
        };
        let mut browser = Browser::new(&self.place.machine.site, SCHOOL)?;
        let asked = Asked::draw(&PORTAL)?;
        let answer = visit::enter(&mut browser, asked.path(), (&username, PASSWORD))?;
        let session = browser.cookie(SESSION).map(str::to_owned);
        let session = session.ok_or_else(|| answer.unexpected("to be signed in"))?;
        let mut command = self.place.machine.command(&self.place.home);
        command.args(["person", "disable", &username]);
        if let Some(disk) = &self.place.disk {
            disk.under(&mut command);
        }
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if self.is_over() {
                // The power is gone for everybody.
                child.kill()?;
                break child.wait()?;
            }
            thread::sleep(PAUSE);
        };
        if status.success() {
            self.promises.ended.push(session);
            self.promises.count("people switched off");
        } else if !self.is_over() {
            return Err(Broken::Unexpected(format!(
                "`furka person disable`: {status}"
            )));
        }
        Ok(())
    }
}
