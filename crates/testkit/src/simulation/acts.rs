//! What people do, and what they try.

use std::collections::BTreeSet;

use store::{Message, NewActivation};

use super::browser::{SESSION, Whose, asks, between, code_in, get, post};
use super::fate::Machine;
use super::ledger::{Broken, Kept, OneTime, Proven};
use super::nodes::Ground;
use super::otp;
use super::people::{self, Standing};
use super::play::{Done, Play, Task};
use super::sign_in::{Asked, Came, asked};
use crate::{Language, Words};

/// Within so many seconds a journey is over for sure, however far clocks are off.
const JOURNEY_S: i64 = 1000;

/// How often each thing is done, and what it is.
type Act = (usize, fn(&mut Play, usize) -> Kept);

/// Everything that is done.
const ACTS: [Act; 16] = [
    (12, signs_in),
    (8, begins),
    (8, answers),
    (6, returns),
    (4, uses_two_tabs),
    (3, goes_back),
    (3, signs_out),
    (2, mistypes_a_code),
    (4, replays_a_code),
    (3, replays_a_grant),
    (4, comes_with_what_has_ended),
    (2, steals),
    (1, guesses),
    (1, is_switched),
    (5, activates),
    (5, goes_elsewhere),
];

impl Play {
    /// Somebody does something; then time goes on.
    pub(super) fn acts(&mut self) -> Kept<()> {
        let person = self.draws(self.people.len());
        let sum: usize = ACTS.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.draws(sum);
        for (weight, act) in ACTS {
            if drawn < weight {
                return act(self, person).map_err(|broken| self.about(person, broken));
            }
            drawn -= weight;
        }
        Ok(())
    }

    fn about(&self, person: usize, Broken(what): Broken) -> Broken {
        let name = &self.people[person].name;
        let last = self.tale.last(person).join("\n  ");
        Broken(format!("{what}\n{name}, before it:\n  {last}"))
    }

    /// The world between two acts.
    pub(super) fn goes_on(&mut self) -> Kept {
        self.passes(self.ground.fate.throws(|dice| dice.seconds(1, 11)));
        self.ground.fate.turns();
        if self.happens(500) {
            self.deliver()?;
        }
        if self.happens(15) {
            let wire = self.ground.wire(0);
            let now = journey::Timestamp(self.now());
            // Whether it could is no matter: the next node does it.
            drop(self.runtime.block_on(wire.tidy(now)));
        }
        if self.happens(40)
            && let Some(person) = self
                .people
                .iter()
                .position(|one| one.standing != Standing::On)
        {
            is_switched(self, person)?;
        }
        for node in 0..self.nodes.len() {
            if self.nodes[node].life().is_none() && self.happens(500) {
                let starting = self.nodes[node].starts(&self.ground);
                self.runtime.block_on(starting);
            }
        }
        Ok(())
    }
}

fn signs_in(play: &mut Play, person: usize) -> Kept {
    let browser = play.own_browser(person);
    let strong = play.happens(400);
    play.tells(
        person,
        &format!("{}: signs in", play.browsers[browser].whose.name()),
    );
    play.comes_in(browser, strong).map(|_| ())
}

/// The form may be sent twice: somebody clicks twice.
fn begins(play: &mut Play, person: usize) -> Kept {
    let (browser, strong, times) = (
        play.own_browser(person),
        play.happens(500),
        play.draws(2) + 1,
    );
    play.tells(person, &format!("begins a sign-in, {times} times at once"));
    play.begins_a_journey(browser, strong, times)
}

fn answers(play: &mut Play, person: usize) -> Kept {
    let (browser, times) = (play.own_browser(person), play.draws(3) + 1);
    play.tells(person, &format!("types a code, {times} times at once"));
    play.answers(browser, times)
}

/// Comes back with a session; the portal redeems the code, perhaps twice at once.
fn returns(play: &mut Play, person: usize) -> Kept {
    let (browser, strong) = (play.own_browser(person), play.happens(300));
    let before = play.ledger.grants.len();
    play.tells(person, "comes back to the portal");
    play.begins_a_journey(browser, strong, 1)?;
    if play.ledger.grants.len() > before {
        let times = play.draws(3) + 1;
        play.redeems(play.ledger.grants.len() - 1, times)?;
    }
    Ok(())
}

/// One code of an app or a token in two journeys at once.
fn uses_two_tabs(play: &mut Play, person: usize) -> Kept {
    let browsers = [Whose::Home, Whose::Phone].map(|whose| play.browser_of(person, whose));
    for browser in browsers {
        play.begins_a_journey(browser, true, 1)?;
    }
    let tabs = browsers.map(|browser| play.browsers[browser].tabs.last().cloned());
    let [Some(first), Some(second)] = tabs else {
        return Ok(());
    };
    let Some((code, shown)) = play.shows(person) else {
        return Ok(());
    };
    play.tells(person, "types one code in two browsers at once");
    let call = |browser: usize, path: &str| (Some(browser), post(path, &[("code", &code)]));
    let calls = vec![
        call(browsers[0], &first.path),
        call(browsers[1], &second.path),
    ];
    let answers = play.all_ask(calls)?;
    for ((browser, tab), answer) in browsers.into_iter().zip([first, second]).zip(answers) {
        let came = Came {
            proven: Some(Proven::TwoFactors),
            shown: Some(shown.clone()),
            ..play.came(browser, (tab.epoch, tab.strong))
        };
        play.lands(&came, answer)?;
    }
    Ok(())
}

/// Back to any page of before, and its form once more.
fn goes_back(play: &mut Play, person: usize) -> Kept {
    let browser = play.own_browser(person);
    let count = play.browsers[browser].tabs.len();
    let Some(tab) = play.browsers[browser].tabs.get(play.draws(count)).cloned() else {
        return Ok(());
    };
    play.tells(person, "goes back and reloads");
    play.asks(browser, get(&tab.path))?;
    play.browsers[browser].opens(tab.clone());
    let form = match play.happens(500) {
        true => post(&tab.path, &[("action", "resend")]),
        false => post(&tab.path, &[("code", "")]),
    };
    let came = play.came(browser, (tab.epoch, tab.strong));
    let answer = play.asks(browser, form)?;
    play.lands(&came, answer)
}

fn signs_out(play: &mut Play, person: usize) -> Kept {
    let browser = play.own_browser(person);
    let action = match play.happens(400) {
        true => "sign-out-everywhere",
        false => "sign-out",
    };
    let answer = play.asks(browser, post("/account", &[("action", action)]))?;
    let status = answer.map_or(0, |answer| answer.status);
    play.tells(person, &format!("{action}: {status}"));
    if status != 200 {
        return Ok(());
    }
    match play.browsers[browser].session.take() {
        _ if action == "sign-out-everywhere" => play.ledger.end_all(person),
        Some(session) => play.ledger.sessions[session].ended = true,
        None => {}
    }
    Ok(())
}

fn mistypes_a_code(play: &mut Play, person: usize) -> Kept {
    let browser = play.own_browser(person);
    let Some(tab) = play.browsers[browser].tabs.last().cloned() else {
        return Ok(());
    };
    let code = play.wrong_code(person);
    play.tells(person, "mistypes a code");
    play.types(browser, &tab, (&code, None, 1))
}

/// A code of before in the journey of now.
fn replays_a_code(play: &mut Play, person: usize) -> Kept {
    let browser = play.own_browser(person);
    play.begins_a_journey(browser, true, 1)?;
    let Some(tab) = play.browsers[browser].tabs.last().cloned() else {
        return Ok(());
    };
    let Some((code, shown)) = play.a_used_code(person) else {
        return Ok(());
    };
    play.tells(person, "types a code that was used");
    play.types(browser, &tab, (&code, shown, 1))
}

fn replays_a_grant(play: &mut Play, person: usize) -> Kept {
    let grants = play.ledger.grants.iter().enumerate();
    let own = grants.filter(|(_, grant)| play.ledger.sessions[grant.session].person == person);
    let own: Vec<usize> = own.map(|(number, _)| number).rev().take(3).collect();
    match own.get(play.draws(own.len())) {
        Some(grant) => play.redeems(*grant, 2),
        None => Ok(()),
    }
}

/// Sessions that have ended, and tokens that are void, at any node.
fn comes_with_what_has_ended(play: &mut Play, person: usize) -> Kept {
    let sessions = play.ledger.sessions.iter().rev();
    let over = sessions.filter(|session| session.person == person && session.ended);
    let cookies: Vec<String> = over.take(4).map(|session| session.cookie.clone()).collect();
    if let Some(cookie) = cookies.get(play.draws(cookies.len())) {
        play.tells(person, "somebody comes with a session that has ended");
        let cookie = format!("{SESSION}={cookie}");
        let calls =
            [get("/account"), asks(false)].map(|call| (None, call.header("cookie", &cookie)));
        for answer in play.all_ask(calls.into())?.into_iter().flatten() {
            if code_in(&answer).is_some() || answer.body.contains("sign-out-everywhere") {
                return Err(Broken(
                    "a session that has ended still opens doors".to_owned(),
                ));
            }
        }
    }
    let void = play.ledger.grants.iter().rev().filter(|grant| {
        let session = &play.ledger.sessions[grant.session];
        session.person == person && (grant.void || session.ended)
    });
    let tokens: Vec<String> = void
        .filter_map(|grant| grant.access.clone())
        .take(4)
        .collect();
    if let Some(token) = tokens.get(play.draws(tokens.len())) {
        play.tells(person, "somebody comes with an access token that is void");
        let bearer = format!("Bearer {token}");
        let call = get("/userinfo").header("authorization", &bearer);
        if play
            .all_ask(vec![(None, call)])?
            .iter()
            .flatten()
            .any(|answer| answer.status == 200)
        {
            return Err(Broken(
                "an access token that is void still works".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Somebody at home with the password, and nothing else but what the person used before.
fn steals(play: &mut Play, person: usize) -> Kept {
    let thief = play.browser_of(person, Whose::Thief);
    play.tells(person, "a thief types the password");
    play.begins_a_journey(thief, false, 1)?;
    let own = play.browsers[thief].tabs.last().cloned();
    let homes = &play.browsers[play.browser_of(person, Whose::Home)].tabs;
    let theirs = homes.last().cloned();
    let Some(tab) = (if play.happens(200) { theirs } else { own }) else {
        return Ok(());
    };
    let code = match play.a_used_code(person) {
        Some((code, _)) if play.happens(600) => code,
        _ => play.wrong_code(person),
    };
    play.tells(person, "the thief types a code");
    play.types(thief, &tab, (&code, None, 1))
}

/// A stranger tries passwords, many in a row.
fn guesses(play: &mut Play, person: usize) -> Kept {
    play.tells(person, "a stranger guesses passwords");
    let name = play.people[person].name.clone();
    for _ in 0..12 {
        // Each time in a browser that nobody has seen.
        let thief = play.browser_of(person, Whose::Thief);
        play.browsers[thief].jar = crate::memory::Jar::default();
        let Some(page) = play.asks(thief, asks(false))? else {
            continue;
        };
        let Some(ticket) = between(&page.body, "name=\"ticket\" value=\"", "\"") else {
            continue;
        };
        let fields = [
            ("ticket", ticket),
            ("username", &name),
            ("password", "Nicht-dieses-1"),
        ];
        let form = post("/login", &fields);
        for answer in play
            .all_ask(vec![(Some(thief), form); 2])?
            .into_iter()
            .flatten()
        {
            if answer.status == 422 {
                let now = play.now();
                play.ledger.wrong_password(person, now)?;
            }
        }
        play.passes(play.ground.fate.throws(|dice| dice.seconds(0, 4)));
    }
    Ok(())
}

/// The desk switches somebody off, while they are at it, or on again.
fn is_switched(play: &mut Play, person: usize) -> Kept {
    let off = play.people[person].standing == Standing::On;
    let browser = play.own_browser(person);
    let tasks = vec![
        Task::Switch(person, off),
        Task::Ask(Some(browser), asks(false)),
        Task::Ask(Some(browser), get("/account")),
    ];
    let epoch = play.people[person].epoch;
    let done = play.does(tasks)?;
    let mut done = done.into_iter();
    let switched = matches!(done.next(), Some(Some(Done::Switched(true))));
    play.tells(
        person,
        &format!(
            "the desk switches them {}: {switched}",
            if off { "off" } else { "on" }
        ),
    );
    if let Some(Some(Done::Answer(answer))) = done.next() {
        let came = play.came(browser, (epoch, false));
        play.lands(&came, Some(answer))?;
    }
    play.is_told(person, (off, switched));
    Ok(())
}

impl Play {
    /// What the desk was told after it switched somebody.
    pub(super) fn is_told(&mut self, person: usize, (off, told): (bool, bool)) {
        let somebody = &mut self.people[person];
        somebody.standing = match (off, told) {
            (_, false) => Standing::Unknown,
            (true, true) => Standing::Off,
            (false, true) => Standing::On,
        };
        if off && told {
            somebody.epoch += 1;
            self.ledger.end_all(person);
        }
    }

    /// Six digits that somebody's phone, app or token shows neither now nor soon.
    fn wrong_code(&self, person: usize) -> String {
        let somebody = &self.people[person];
        let texts = self.ground.post.codes(&somebody.phone);
        let now = u64::try_from(self.now()).unwrap_or_default();
        let near = now.checked_div(somebody.period_s().unwrap_or_default());
        let near = near.unwrap_or(somebody.button).saturating_sub(30);
        loop {
            let code = format!("{:06}", self.draws(1_000_000));
            let shown = |seed: &Vec<u8>| (near..near + 60).any(|at| otp::code(seed, at) == code);
            if texts.iter().all(|text| text.code != code) && !somebody.seeds.iter().any(shown) {
                return code;
            }
        }
    }

    /// A code that was used before, with what it stood for.
    fn a_used_code(&self, person: usize) -> Option<(String, Option<OneTime>)> {
        let used = self.ledger.used_codes(&self.people[person].seeds);
        let texts = self.ground.post.codes(&self.people[person].phone);
        if !used.is_empty() {
            let (code, thing) = used.get(self.draws(used.len()))?.clone();
            return Some((code, Some(thing)));
        }
        // Younger ones may have been sent again, in the journey of now.
        let since = self.now().saturating_sub(JOURNEY_S);
        let old: Vec<_> = texts.iter().filter(|text| text.at < since).collect();
        let text = old.get(self.draws(old.len()))?;
        Some((text.code.clone(), None))
    }
}

// --- Activation ---------------------------------------------------------------------------------

/// With a code of theirs, in one browser or in two that race for the end.
fn activates(play: &mut Play, person: usize) -> Kept {
    let both = play.happens(400);
    play.activates(person, both)
}

impl Play {
    /// The desk sends a code, unless somebody has a password; nobody knows whether it counts if the desk
    /// has no answer.
    pub(super) fn is_sent_a_code(&mut self, person: usize) {
        let wire = self.ground.wire(self.nodes.len());
        let account = self.runtime.block_on(wire.person(self.people[person].id));
        if !account.is_ok_and(|found| found.is_some_and(|account| account.password.is_none())) {
            return;
        }
        let (code, new) = activation(&self.ground, self.people[person].id);
        let by = people::by(&self.ground);
        let issued = self.runtime.block_on(wire.issue_activation(&new, &by));
        self.tells(
            person,
            &format!("the desk sends an activation code: {}", issued.is_ok()),
        );
        self.people[person].activations.push(code);
    }

    pub(super) fn activates(&mut self, person: usize, both: bool) -> Kept {
        if self.people[person].activated && !both {
            return self.replays_an_activation(person);
        }
        if self.people[person].activated {
            return Ok(());
        }
        if self.people[person].activations.is_empty() || self.happens(200) {
            self.is_sent_a_code(person);
        }
        let Some(code) = self.people[person].activations.last().cloned() else {
            return Ok(());
        };
        let whose = [Whose::Home, Whose::Phone];
        let mut ready = Vec::new();
        for whose in whose.into_iter().take(if both { 2 } else { 1 }) {
            let browser = self.browser_of(person, whose);
            let password = format!("Murmeltier-am-Simplon-{}", self.draws(1_000_000));
            if let Some(path) = self.prepares(browser, (&code, &password))? {
                ready.push((browser, path, password));
            }
        }
        self.finishes(person, &code, &ready)
    }

    /// From the code to the page that asks for number and method.
    fn prepares(&mut self, browser: usize, (code, password): (&str, &str)) -> Kept<Option<String>> {
        let name = self.people[self.browsers[browser].owner].name.clone();
        let fields = [("username", &*name), ("activation_code", code)];
        let opened = self.asks(browser, post("/activate", &fields))?;
        self.tells_of(browser, "types an activation code", opened.as_ref());
        let path = opened.map(|answer| answer.location().to_owned());
        let Some(path) = path.filter(|path| path.starts_with("/activate/")) else {
            return Ok(None);
        };
        let chosen = [("new_password", password), ("new_password_again", password)];
        for fields in [&[][..], &chosen[..]] {
            let moved = self.asks(browser, post(&path, fields))?;
            self.tells_of(browser, "takes a step of an activation", moved.as_ref());
            if moved.is_none_or(|answer| answer.status != 303) {
                return Ok(None);
            }
        }
        Ok(Some(path))
    }

    /// The last step of one or two journeys at once: one may tell that it is done.
    fn finishes(&mut self, person: usize, code: &str, ready: &[(usize, String, String)]) -> Kept {
        let method = match self.people[person].means {
            people::Means::App => "app",
            _ => "sms",
        };
        let phone = self.people[person].phone.clone();
        let fields = [("method", method), ("phone", &*phone)];
        let calls = ready
            .iter()
            .map(|(browser, path, _)| (Some(*browser), post(path, &fields)));
        let passwords = ready.iter().map(|(_, _, password)| password.clone());
        self.people[person].passwords.extend(passwords);
        let answers = self.all_ask(calls.collect())?;
        for ((browser, path, password), answer) in ready.iter().zip(answers) {
            self.tells_of(*browser, "ends an activation", answer.as_ref());
            let page = self.asks(*browser, get(path))?;
            let title = page
                .as_ref()
                .and_then(|page| between(&page.body, "<h1", "</h1>"));
            let title = title.unwrap_or_default().to_owned();
            self.tells_of(*browser, &format!("reads <h1{title}"), page.as_ref());
            let done = Words::of(Language::French).done_title;
            if page.is_some_and(|page| page.status == 200 && page.body.contains(done)) {
                self.tells(person, "is told that the identity is active");
                self.ledger.accepts(OneTime::Activation(code.to_owned()))?;
                let somebody = &mut self.people[person];
                somebody.activated = true;
                somebody.passwords = vec![password.clone()];
            }
        }
        Ok(())
    }

    /// A code that was told to be used must open nothing.
    fn replays_an_activation(&mut self, person: usize) -> Kept {
        let codes = self.people[person].activations.clone();
        let Some(code) = codes.get(self.draws(codes.len())) else {
            return Ok(());
        };
        if !self.ledger.was_accepted(&OneTime::Activation(code.clone())) {
            return Ok(());
        }
        let browser = self.browser_of(person, Whose::Thief);
        self.tells(person, "a thief types a used activation code");
        match self.prepares(browser, (code, "Ganz-ein-anderes-1"))? {
            Some(_) => Err(Broken("a used activation code opened a journey".to_owned())),
            None => Ok(()),
        }
    }
}

/// A code as the command sends it.
fn activation(ground: &Ground, person: journey::PersonId) -> (String, NewActivation) {
    let world = Machine {
        fate: std::sync::Arc::clone(&ground.fate),
        node: usize::MAX,
    };
    let code = server::activation_code::draw(&world);
    let canonical = server::activation_code::canonical(&code).unwrap_or_default();
    let until = journey::Timestamp(ground.fate.now()).plus(86_400);
    let message = Message::Activation {
        code: journey::Secret::new(code.clone().into_bytes()),
        until,
    };
    let new = NewActivation {
        id: journey::ActivationId(ground.fate.throws(|dice| dice.bytes())),
        mac: server::activation_code::mac(&ground.keys, person, &canonical),
        message: Some(message),
        person,
        until,
    };
    (code, new)
}

// --- Elsewhere ----------------------------------------------------------------------------------

/// At school, where nothing is bound: the link is opened at home, twice at once and again later, while the
/// browser at school still sends its form.
fn goes_elsewhere(play: &mut Play, person: usize) -> Kept {
    let school = play.browser_of(person, Whose::School);
    play.begins_a_journey(school, true, 1)?;
    let Some(tab) = play.browsers[school].tabs.last().cloned() else {
        return Ok(());
    };
    let Some(page) = play.asks(school, get(&tab.path))? else {
        return Ok(());
    };
    let Asked::Elsewhere(link) = asked(&page) else {
        return Ok(());
    };
    play.tells(person, "opens the link from school at home");
    let homes = [Whose::Home, Whose::Phone].map(|whose| play.browser_of(person, whose));
    let mut won = BTreeSet::new();
    for round in 0..2 {
        let mut calls = vec![
            (Some(homes[0]), post(&link, &[])),
            (Some(homes[1]), post(&link, &[])),
        ];
        if round == 0 && play.happens(700) {
            calls.push((Some(school), post(&tab.path, &[("code", "123456")])));
        }
        let answers = play.all_ask(calls)?;
        for (browser, answer) in homes.into_iter().zip(answers) {
            let Some(answer) = answer else { continue };
            if !answer.location().starts_with("/login/") {
                continue;
            }
            won.insert(browser);
            play.ledger.accepts(OneTime::Resume(link.clone()))?;
            let came = play.came(browser, (tab.epoch, tab.strong));
            play.lands(&came, Some(answer))?;
        }
    }
    for browser in won {
        play.answers(browser, 1)?;
        play.answers(browser, 1)?;
    }
    Ok(())
}
