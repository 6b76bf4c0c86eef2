//! How a play ends: nothing fails any more, and then everybody who does everything right must get in, and
//! all that was told must be written down.

use std::collections::BTreeSet;

use store::audit::{Checked, Entry};

use super::browser::{Browser, Whose, get, post};
use super::ledger::{Broken, Kept, Proven};
use super::people::{Means, Standing};
use super::play::{Play, Task};
use super::sign_in::Came;
use crate::memory::must;

/// How long somebody waits before they try again, in seconds: for the next code; for budgets of passwords,
/// of messages to a number and to a person; for the budget of codes, which gives one try back in 14 h 24 min.
const WAITS_S: [i64; 8] = [0, 90, 900, 3700, 4400, 4400, 51_900, 51_900];
/// Messages to a number within an hour: five at once and five more that time forgets; one for the clocks.
const MESSAGES_AN_HOUR: usize = 5 + 3600 / 720 + 1;

impl Play {
    /// Nothing fails any more: does everybody get in, and is everything written?
    pub(super) fn ends(&mut self) -> Kept {
        self.ground.fate.ends();
        for node in &mut self.nodes {
            self.runtime.block_on(node.starts(&self.ground));
        }
        // Claims on messages have expired by then.
        self.passes(120);
        self.deliver()?;
        for person in 0..self.people.len() {
            self.gets_in(person)?;
        }
        self.is_in_order()
    }

    /// What holds at any time: messages, and the audit with all that was told.
    pub(super) fn is_in_order(&mut self) -> Kept {
        let known: BTreeSet<&str> = self.people.iter().map(|one| one.phone.as_str()).collect();
        let post = &self.ground.post;
        let strange = post
            .sent_too_often()
            .or_else(|| post.flooded(3600, MESSAGES_AN_HOUR))
            .or_else(|| post.strangers(&known));
        if let Some(strange) = strange {
            return Err(Broken(strange));
        }
        let entries = self.audit()?;
        let ids: Vec<String> = self.people.iter().map(|one| one.id.to_string()).collect();
        self.ledger.is_written(&ids, &entries)
    }

    /// The whole audit; its chain must hold.
    fn audit(&self) -> Kept<Vec<Entry>> {
        let store = &self.ground.store;
        let strands = must(
            "list the strands",
            self.runtime.block_on(store.audit_strands()),
        );
        let mut all = Vec::new();
        for strand in strands {
            let entries = self.runtime.block_on(store.audit_from(strand, 1, u32::MAX));
            let entries = must("read the audit", entries);
            if let Err(error) = Checked::of(strand).go_on(&entries) {
                return Err(Broken(format!("the audit does not hold: {error}")));
            }
            all.extend(entries);
        }
        Ok(all)
    }

    /// Somebody does everything right until they are in.
    fn gets_in(&mut self, person: usize) -> Kept {
        if self.people[person].standing != Standing::On {
            let tasks = vec![Task::Switch(person, false)];
            self.does(tasks)?;
            self.is_told(person, (false, true));
        }
        for (round, wait) in WAITS_S.into_iter().enumerate() {
            self.passes(wait);
            // A computer that nobody has used: the narrowest budgets.
            let whose = if round % 2 == 0 {
                Whose::Home
            } else {
                Whose::Phone
            };
            let browser = self.browser_of(person, whose);
            let session = self.browsers[browser].session;
            self.browsers[browser] = Browser {
                session,
                ..Browser::new(person, whose)
            };
            if !self.people[person].activated {
                self.is_sent_a_code(person);
                self.activates(person, false)?;
            }
            self.tells(person, "does everything right");
            // After an activation without an answer: one password after the other.
            let passwords = self.people[person].passwords.clone();
            for password in passwords.iter().rev() {
                self.people[person].passwords = vec![password.clone()];
                if self.comes_in(browser, true)? || self.brings_it_into_step(browser)? {
                    return Ok(());
                }
            }
            self.people[person].passwords = passwords;
        }
        let name = &self.people[person].name;
        let last = self.tale.last(person).join("\n  ");
        Err(Broken(format!(
            "{name} does everything right and does not get in\n  {last}"
        )))
    }

    /// A button that was pressed too often for one code needs two in a row.
    fn brings_it_into_step(&mut self, browser: usize) -> Kept<bool> {
        let person = self.browsers[browser].owner;
        let tab = self.browsers[browser].tabs.last().cloned();
        let Some(tab) = tab.filter(|_| self.people[person].means == Means::Hotp) else {
            return Ok(false);
        };
        let (Some((first, _)), Some((second, shown))) = (self.shows(person), self.shows(person))
        else {
            return Ok(false);
        };
        let before = self.told(person);
        self.asks(browser, get(&tab.path))?;
        let fields = [
            ("action", "resync"),
            ("code", &*first),
            ("next_code", &*second),
        ];
        let came = Came {
            proven: Some(Proven::TwoFactors),
            shown: Some(shown),
            ..self.came(browser, (tab.epoch, tab.strong))
        };
        let answer = self.asks(browser, post(&tab.path, &fields))?;
        self.lands(&came, answer)?;
        Ok(self.told(person) > before)
    }
}
