//! Sign-in, as people go through it and as doors must open: every answer is held against what was shown.

use super::browser::{Tab, Whose, asks, between, code_in, get, post, redeems, session_in};
use super::ledger::{Broken, Grant, Kept, OneTime, Proven, Session};
use super::otp;
use super::people::{Means, Standing};
use super::play::{Play, Task};
use crate::{Answer, Language, Words, plain};

/// Within so many seconds a code for an application is surely looked at.
const CODE_LIVES_S: i64 = 40;

/// What came before an answer.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub(super) browser: usize,
    /// The session with which it was asked.
    pub(super) carried: Option<usize>,
    /// See `Somebody::epoch`, when it began.
    pub(super) epoch: u32,
    /// What was shown; none if it proves nothing.
    pub(super) proven: Option<Proven>,
    /// What uses itself up if it lets somebody in.
    pub(super) shown: Option<OneTime>,
    /// Whether two factors were asked for.
    pub(super) strong: bool,
}

/// What a page of a journey asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// The code of an app or a token.
    Code,
    /// The first code of an app with this key.
    Enrolment(Vec<u8>),
    /// Nothing here: this link goes on elsewhere.
    Elsewhere(String),
    /// Nothing any more.
    Nothing,
    /// The code by SMS.
    Sms,
}

impl Play {
    /// What comes before an answer in a tab, and proves nothing yet.
    pub(super) fn came(&self, browser: usize, (epoch, strong): (u32, bool)) -> Came {
        Came {
            browser,
            carried: self.browsers[browser].session,
            epoch,
            proven: None,
            shown: None,
            strong,
        }
    }

    /// Whether a browser's person is in after all of it: page, password, code, tokens for the portal.
    pub(super) fn comes_in(&mut self, browser: usize, strong: bool) -> Kept<bool> {
        let person = self.browsers[browser].owner;
        let before = self.told(person);
        let granted = self.ledger.grants.len();
        self.begins_a_journey(browser, strong, 1)?;
        for _ in 0..3 {
            if self.told(person) > before || self.ledger.grants.len() > granted {
                break;
            }
            self.answers(browser, 1)?;
        }
        if self.ledger.grants.len() > granted {
            self.redeems(self.ledger.grants.len() - 1, 1)?;
        }
        Ok(self.told(person) > before)
    }

    /// How many sign-ins a person was told of.
    pub(super) fn told(&self, person: usize) -> u64 {
        self.ledger.signed_in.get(&person).map_or(0, |told| told.0)
    }

    /// Goes to the portal, types the password if it is asked for; `times` at once.
    pub(super) fn begins_a_journey(&mut self, browser: usize, strong: bool, times: usize) -> Kept {
        let person = self.browsers[browser].owner;
        let (epoch, name) = (self.people[person].epoch, self.people[person].name.clone());
        let Some(page) = self.asks(browser, asks(strong))? else {
            return Ok(());
        };
        let mut came = self.came(browser, (epoch, strong));
        if page.status == 303 {
            return self.lands(&came, Some(page));
        }
        let Some(ticket) = between(&page.body, "name=\"ticket\" value=\"", "\"") else {
            return Ok(());
        };
        let passwords = &self.people[person].passwords;
        let password = passwords[self.draws(passwords.len())].clone();
        let fields = match page.body.contains("name=\"password\"") {
            true => {
                came.proven = Some(Proven::Password);
                vec![
                    ("ticket", ticket),
                    ("username", &*name),
                    ("password", &*password),
                ]
            }
            false => vec![("ticket", ticket), ("action", "continue")],
        };
        let form = post("/login", &fields);
        let answers = self.all_ask(vec![(Some(browser), form); times])?;
        for answer in answers {
            self.lands(&came, answer)?;
        }
        Ok(())
    }

    /// Holds the answer to a step against what was shown.
    pub(super) fn lands(&mut self, came: &Came, answer: Option<Answer>) -> Kept {
        let whose = self.browsers[came.browser].whose;
        let person = self.browsers[came.browser].owner;
        let Some(answer) = answer.filter(|answer| answer.status < 500) else {
            self.ledger.may_have_begun(person);
            self.tells(person, &format!("{}: no answer to a step", whose.name()));
            return Ok(());
        };
        let way = answer
            .location()
            .trim_start_matches("http://localhost:8401");
        let way = way.split(['/', '?']).nth(1).unwrap_or_default();
        let sentence = format!(
            "{}: a step is answered {} {way}",
            whose.name(),
            answer.status
        );
        self.tells(person, &sentence);
        if let Some(cookie) = session_in(&answer) {
            self.is_let_in(came, cookie)?;
        }
        if let Some(code) = code_in(&answer) {
            self.is_granted(came, code)?;
        }
        if answer.location().starts_with("/login/") {
            let tab = Tab {
                epoch: came.epoch,
                path: answer.location().to_owned(),
                strong: came.strong,
            };
            self.browsers[came.browser].opens(tab);
        }
        Ok(())
    }

    /// A session was given: was it earned?
    fn is_let_in(&mut self, came: &Came, cookie: String) -> Kept {
        let browser = &self.browsers[came.browser];
        let (person, inside) = (browser.owner, browser.whose.is_inside());
        let somebody = &self.people[person];
        if somebody.standing == Standing::Off {
            return Err(Broken("somebody who is switched off was let in".to_owned()));
        }
        if somebody.epoch != came.epoch {
            return Err(Broken(
                "a journey from before its person was switched off let them in".to_owned(),
            ));
        }
        let Some(proven) = came.proven else {
            return Err(Broken("what proves nothing let somebody in".to_owned()));
        };
        if proven == Proven::Password && (came.strong || !inside) {
            return Err(Broken(
                "a password alone let somebody in where two factors are asked for".to_owned(),
            ));
        }
        if let Some(shown) = came.shown.clone() {
            self.ledger.accepts(shown)?;
        }
        if let Some(old) = came.carried {
            self.ledger.sessions[old].ended = true;
        }
        let session = Session {
            cookie,
            ended: false,
            person,
            proven,
        };
        self.browsers[came.browser].session = Some(self.ledger.begins(session));
        Ok(())
    }

    /// A code for the portal was given: does it stand for a session that is enough?
    fn is_granted(&mut self, came: &Came, code: String) -> Kept {
        let browser = &self.browsers[came.browser];
        let Some(number) = browser.session else {
            return Err(Broken("a code was given without a session".to_owned()));
        };
        let session = &self.ledger.sessions[number];
        if session.ended {
            return Err(Broken(
                "a session that had ended was given a code".to_owned(),
            ));
        }
        if session.proven == Proven::Password && (came.strong || !browser.whose.is_inside()) {
            return Err(Broken(
                "a session of a password was given a code where two factors are asked for"
                    .to_owned(),
            ));
        }
        self.ledger.grants.push(Grant {
            access: None,
            at: self.now(),
            code,
            open: false,
            redeemed: 0,
            session: number,
            void: false,
        });
        Ok(())
    }

    /// The portal redeems a code, `times` at once.
    pub(super) fn redeems(&mut self, grant: usize, times: usize) -> Kept {
        let Grant {
            code, at, session, ..
        } = self.ledger.grants[grant].clone();
        let person = self.ledger.sessions[session].person;
        let answers = self.all_ask(vec![(None, redeems(&code)); times])?;
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            let tokens = answer.json();
            let acr = super::browser::acr_of(&tokens).unwrap_or_default();
            let access = tokens.get("access_token").and_then(|token| token.as_str());
            let access = access.unwrap_or_default().to_owned();
            self.ledger.redeems(grant, (&acr, access))?;
        }
        let refused = answers.iter().filter(|answer| answer.status == 400).count();
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        self.tells(person, &format!("the portal redeems a code: {statuses:?}"));
        let is_fresh = self.now() < at.saturating_add(CODE_LIVES_S);
        let lives =
            !self.ledger.sessions[session].ended && self.people[person].standing == Standing::On;
        let grant = &mut self.ledger.grants[grant];
        grant.open |= answers.len() < times || statuses.iter().any(|status| *status >= 500);
        if refused > 0 && grant.redeemed == 0 && is_fresh && lives && !grant.open {
            return Err(Broken("a fresh code was refused".to_owned()));
        }
        grant.void |= grant.redeemed > 0 && refused > 0 && is_fresh;
        Ok(())
    }

    // --- The second factor ----------------------------------------------------------------------

    /// Looks at the newest journey and does what it asks for; what is typed is sent `times` at once.
    pub(super) fn answers(&mut self, browser: usize, times: usize) -> Kept {
        let Some(tab) = self.browsers[browser].tabs.last().cloned() else {
            return Ok(());
        };
        let Some(page) = self.asks(browser, get(&tab.path))? else {
            return Ok(());
        };
        match asked(&page) {
            Asked::Sms => self.answers_sms(browser, &tab, times),
            Asked::Enrolment(key) => {
                let person = self.browsers[browser].owner;
                let seeds = &mut self.people[person].seeds;
                seeds.retain(|seed| *seed != key);
                seeds.push(key);
                self.answers_with_seed(browser, &tab, times)
            }
            Asked::Code => self.answers_with_seed(browser, &tab, times),
            Asked::Elsewhere(_) => Ok(()),
            Asked::Nothing => {
                self.browsers[browser]
                    .tabs
                    .retain(|open| open.path != tab.path);
                Ok(())
            }
        }
    }

    fn answers_sms(&mut self, browser: usize, tab: &Tab, times: usize) -> Kept {
        self.deliver()?;
        let person = self.browsers[browser].owner;
        let Some(text) = self.ground.post.last_code(&self.people[person].phone) else {
            return Ok(());
        };
        let shown = OneTime::Sms(tab.path.clone(), text.code.clone());
        self.types(browser, tab, (&text.code, Some(shown), times))
    }

    fn answers_with_seed(&mut self, browser: usize, tab: &Tab, times: usize) -> Kept {
        let person = self.browsers[browser].owner;
        let Some((code, shown)) = self.shows(person) else {
            return Ok(());
        };
        self.types(browser, tab, (&code, Some(shown), times))
    }

    /// A code that somebody's app or token shows for the first time.
    pub(super) fn shows(&mut self, person: usize) -> Option<(String, OneTime)> {
        let now = u64::try_from(self.now()).ok()?;
        let somebody = &mut self.people[person];
        let period_s = somebody.period_s();
        let counter = match period_s {
            None if somebody.means == Means::Sms => return None,
            None => {
                somebody.button += 1;
                somebody.button
            }
            Some(period_s) => (now / period_s).max(somebody.shown + 1),
        };
        if let Some(period_s) = period_s {
            somebody.shown = counter;
            let begins = counter.saturating_mul(period_s);
            let wait = i64::try_from(begins.saturating_sub(now)).ok()?;
            self.passes(wait);
        }
        let seeds = &self.people[person].seeds;
        let seed = seeds.get(self.draws(seeds.len()))?;
        Some((
            otp::code(seed, counter),
            OneTime::Counter(seed.clone(), counter),
        ))
    }

    /// Types a code, `times` at once; what it is good for, if anything.
    pub(super) fn types(
        &mut self,
        browser: usize,
        tab: &Tab,
        (code, shown, times): (&str, Option<OneTime>, usize),
    ) -> Kept {
        let form = post(&tab.path, &[("code", code)]);
        let came = Came {
            proven: shown.as_ref().map(|_| Proven::TwoFactors),
            shown,
            ..self.came(browser, (tab.epoch, tab.strong))
        };
        let answers = self.all_ask(vec![(Some(browser), form); times])?;
        let alone = answers.len() == 1 && answers.iter().flatten().all(|one| one.status == 303);
        for answer in answers {
            self.lands(&came, answer)?;
        }
        // As a browser does: the page behind the redirect says what was wrong.
        if alone
            && self.browsers[browser]
                .tabs
                .iter()
                .any(|open| open.path == tab.path)
        {
            let page = self.asks(browser, get(&tab.path))?;
            if page.is_some_and(|page| page.status == 422) {
                self.ledger.wrong_code(&tab.path)?;
            }
        }
        Ok(())
    }

    /// All nodes send what is due.
    pub(super) fn deliver(&mut self) -> Kept {
        self.does(vec![Task::Deliver, Task::Deliver])?;
        Ok(())
    }

    /// Whose browsers a person signs in with.
    pub(super) fn own_browser(&self, person: usize) -> usize {
        let whose = [Whose::Home, Whose::Home, Whose::School, Whose::Phone];
        self.browser_of(person, whose[self.draws(whose.len())])
    }
}

/// What a page asks for.
pub(super) fn asked(page: &Answer) -> Asked {
    let words = Words::of(Language::French);
    let text = plain(&page.body);
    let key = between(&page.body, "data-totp-secret=\"", "\"");
    let key = key.and_then(|key| data_encoding::BASE32_NOPAD.decode(key.as_bytes()).ok());
    let link = between(&page.body, "/resume/", "\"").map(|token| format!("/resume/{token}"));
    match (key, link) {
        (Some(key), _) => Asked::Enrolment(key),
        (None, Some(link)) => Asked::Elsewhere(link),
        _ if text.contains(words.sms_title) => Asked::Sms,
        _ if page.body.contains("name=\"code\"") => Asked::Code,
        _ => Asked::Nothing,
    }
}
