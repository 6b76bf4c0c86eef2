//! The canton as a story sees it: people, phones, tokens, a mailbox, and time that passes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Answer, App, Attempt, Browser, Lost, Origins, Person, Place, Role};

/// A canton on some stage. Everything that people hold in their hands is asked over the same HTTP
/// that the demo's phone page offers to scripts.
pub trait Town {
    /// Somebody's browser, never used before.
    fn browser(&mut self, place: Place) -> Box<dyn Browser>;
    /// Sends requests all at once; the answers in their order.
    fn sends(&mut self, attempts: Vec<Attempt>) -> Vec<Answer>;
    /// Time goes on, for everybody.
    fn passes(&mut self, seconds: i64);
    /// Seconds since 1970, by the town's clock.
    fn now(&mut self) -> i64;
    /// Where its rooms are.
    fn origins(&self) -> Origins;
    /// The six digits that an authenticator app shows for this key at a time: SHA-1, 30 seconds.
    fn totp(&mut self, app: &App, at: i64) -> String;
    /// Somebody comes to the school's desk, which resets what they lost.
    fn desk(&mut self, person: &Person, lost: Lost);
    /// How far its messages were read.
    fn inbox(&mut self) -> &mut Inbox;
    /// Lets things under way go on; false if waiting is of no more use.
    fn waits(&mut self) -> bool;
}

/// How many messages to each number and address a story has read.
#[derive(Debug, Default)]
pub struct Inbox(BTreeMap<String, usize>);

impl dyn Town + '_ {
    /// Somebody who plays this part.
    pub fn somebody(&mut self, role: Role) -> Person {
        let people = self.people();
        match people.into_iter().find(|person| role.fits(person)) {
            Some(person) => person,
            None => panic!("nobody in town plays {role:?}"),
        }
    }

    /// Somebody as they are listed now.
    pub fn again(&mut self, person: &Person) -> Person {
        let found = self
            .people()
            .into_iter()
            .find(|one| one.username == person.username);
        found.unwrap_or_else(|| panic!("{} left the town", person.username))
    }

    fn people(&mut self) -> Vec<Person> {
        let list = self.asks("/api/people");
        list.as_array()
            .into_iter()
            .flatten()
            .map(Person::read)
            .collect()
    }

    /// All text messages that somebody's phone received, oldest first.
    pub fn sms(&mut self, person: &Person) -> Vec<String> {
        self.messages("sms", &person.phone)
    }

    /// All mails that somebody received, oldest first.
    pub fn mails(&mut self, person: &Person) -> Vec<String> {
        self.messages("mail", &person.mail)
    }

    /// The next text message that this story has not read yet; waits for it.
    pub fn next_sms(&mut self, person: &Person) -> String {
        self.next("sms", &person.phone)
    }

    /// The next mail that this story has not read yet; waits for it.
    pub fn next_mail(&mut self, person: &Person) -> String {
        self.next("mail", &person.mail)
    }

    /// The code in the next text message.
    pub fn sms_code(&mut self, person: &Person) -> String {
        let text = self.next_sms(person);
        six_digits(&text).unwrap_or_else(|| panic!("no code of six digits in « {text} »"))
    }

    /// What somebody's authenticator, which scanned its key before the story, shows.
    pub fn shown_by_app(&mut self, person: &Person) -> String {
        self.code(&format!("/api/authenticator/{}", person.username))
    }

    /// What the display of somebody's hardware token shows.
    pub fn shown_by_token(&mut self, person: &Person) -> String {
        self.code(&format!("/api/token/{}", person.serial))
    }

    /// The display after its button was pressed.
    pub fn presses_token(&mut self, person: &Person) -> String {
        let answer = self.tells(&format!("/api/token/{}", person.serial), &[]);
        text(&answer, "code")
    }

    /// The app's code at this moment.
    pub fn app_code(&mut self, app: &App) -> String {
        let now = self.now();
        self.totp(app, now)
    }

    /// The code of an app whose phone is ahead (negative: slow) by so many seconds.
    pub fn app_code_of_clock(&mut self, app: &App, ahead_s: i64) -> String {
        let now = self.now();
        self.totp(app, now.saturating_add(ahead_s))
    }

    /// The operator's gateway goes down, or comes up again.
    pub fn gateway_is(&mut self, up: bool) {
        self.tells("/api/gateway", &[("up", if up { "true" } else { "false" })]);
    }

    /// What a script reads from the phone's page.
    fn asks(&mut self, path: &str) -> Value {
        let url = format!("{}{path}", self.origins().phone);
        self.scripted(Attempt::get(&url))
    }

    /// What a script tells the phone's page.
    fn tells(&mut self, path: &str, fields: &[(&str, &str)]) -> Value {
        let url = format!("{}{path}", self.origins().phone);
        self.scripted(Attempt::post(&url, fields))
    }

    fn scripted(&mut self, attempt: Attempt) -> Value {
        let url = attempt.url.clone();
        let answer = self.sends(vec![attempt]).pop();
        match answer {
            Some(answer) if answer.status < 300 => answer.json(),
            answer => panic!("{url} answered {answer:?}"),
        }
    }

    fn code(&mut self, path: &str) -> String {
        let answer = self.asks(path);
        text(&answer, "code")
    }

    fn messages(&mut self, channel: &str, to: &str) -> Vec<String> {
        let list = self.asks("/api/messages");
        let messages = list.as_array().into_iter().flatten();
        messages
            .filter(|one| text(one, "channel") == channel && text(one, "to") == to)
            .map(|one| text(one, "text"))
            .collect()
    }

    fn next(&mut self, channel: &str, to: &str) -> String {
        let read = self.inbox().0.get(to).copied().unwrap_or_default();
        loop {
            if let Some(message) = self.messages(channel, to).into_iter().nth(read) {
                self.inbox().0.insert(to.to_owned(), read.saturating_add(1));
                return message;
            }
            assert!(self.waits(), "no further {channel} came to {to}");
        }
    }
}

fn text(entry: &Value, name: &str) -> String {
    entry
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The first six digits that stand alone.
fn six_digits(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::six_digits;

    #[test]
    fn the_code_is_found_in_the_message() {
        let text = "Votre code est 012345.\n\n@localhost #012345";
        assert_eq!(six_digits(text).unwrap(), "012345");
        assert_eq!(six_digits("079 123 45 67, 2026"), None);
    }
}
