//! How phone, tokens and mailbox look.

use std::sync::atomic::Ordering;

use askama::Template;
use url::form_urlencoded::byte_serialize;

use crate::chrome::Chrome;
use crate::messages::{Channel, Message};
use crate::people::Introduced;
use crate::phone::Phone;
use crate::phone::authenticator::Shown;
use crate::phone::token::{Display, Moving};
use crate::web::Fields;
use crate::words::Words;

/// Most messages of one kind on the page.
const SHOWN_MAX: usize = 12;

#[derive(Template)]
#[template(path = "phone.html")]
pub(super) struct PhonePage<'a> {
    chrome: &'a Chrome,
    people: Vec<Introduced>,
    /// The user name whose things are shown; everybody's where empty.
    who: String,
    texts: Vec<Arrived>,
    mails: Vec<Arrived>,
    apps: Vec<Shown>,
    tokens: Vec<TokenShown>,
    scan_refused: bool,
    gateway_up: bool,
    clock_ahead_s: i64,
}

/// A message as it is shown.
struct Arrived {
    to: String,
    subject: String,
    ago: String,
    pieces: Vec<Piece>,
}

/// A piece of a message's text.
#[derive(Debug, Eq, PartialEq)]
enum Piece {
    Plain(String),
    /// Six digits or more in a row, easy to select.
    Code(String),
    Link(String),
}

struct TokenShown {
    serial: String,
    holder: String,
    display: Display,
    has_button: bool,
}

impl<'a> PhonePage<'a> {
    pub(super) fn new(
        chrome: &'a Chrome,
        phone: &Phone,
        people: Vec<Introduced>,
        query: &Fields,
    ) -> Self {
        let who = query.one("who");
        let one = people
            .iter()
            .find(|one| Some(one.person.username.as_str()) == who);
        let one = one.map(|one| one.person.clone());
        let now = phone.world.now_unix();
        let all = phone.messages.all();
        let of = |channel: Channel, address: Option<Option<&str>>| {
            all.iter()
                .rev()
                .filter(|message| message.channel == channel)
                .filter(|message| address.is_none_or(|one| one == Some(message.to.as_str())))
                .take(SHOWN_MAX)
                .map(|message| Arrived::of(message, &people, chrome.words, now))
                .collect()
        };
        let texts = of(Channel::Sms, one.as_ref().map(|one| one.phone.as_deref()));
        let mails = of(Channel::Mail, one.as_ref().map(|one| one.mail.as_deref()));
        let username = one.map(|one| one.username);
        let mut apps = phone.authenticator.screen(phone.phone_time());
        apps.retain(|app| {
            username
                .as_ref()
                .is_none_or(|username| *username == app.username)
        });
        let tokens = phone
            .tokens
            .iter()
            .filter(|held| username.is_none() || held.token().holder == username)
            .map(|held| TokenShown {
                serial: held.token().serial.clone(),
                holder: held.token().holder.clone().unwrap_or_default(),
                display: held.look(now),
                has_button: matches!(held.token().moving, Moving::Button { .. }),
            })
            .collect();
        Self {
            chrome,
            texts,
            mails,
            apps,
            tokens,
            who: username.unwrap_or_default(),
            people,
            scan_refused: query.one("scan") == Some("refused"),
            gateway_up: phone.gateway.is_up(),
            clock_ahead_s: phone.clock_ahead_s.load(Ordering::Relaxed),
        }
    }

    /// Where the page's forms lead back to: to the same person.
    fn back(&self) -> String {
        if self.who.is_empty() {
            return "/".to_owned();
        }
        let who: String = byte_serialize(self.who.as_bytes()).collect();
        format!("/?who={who}")
    }

    fn clock(&self) -> String {
        let words = self.chrome.words;
        match self.clock_ahead_s {
            0 => words.say("clock-right"),
            ahead @ 1.. => words.count("clock-fast", ahead / 60),
            behind => words.count("clock-slow", behind.saturating_neg() / 60),
        }
    }
}

impl Arrived {
    fn of(message: &Message, people: &[Introduced], words: Words, now: i64) -> Self {
        let to = Some(message.to.as_str());
        let name = people
            .iter()
            .find(|one| one.person.phone.as_deref() == to || one.person.mail.as_deref() == to)
            .map(|one| format!("{} \u{b7} {}", one.person.name, message.to));
        Self {
            to: name.unwrap_or_else(|| message.to.clone()),
            subject: message.subject.clone().unwrap_or_default(),
            ago: words.ago(message.at_unix, now),
            pieces: pieces(&message.text),
        }
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for run in text.split_inclusive(char::is_whitespace) {
        let word = run.trim_end();
        let (word, tail) = run.split_at(word.len());
        let link = word.starts_with("http://") || word.starts_with("https://");
        if link {
            pieces.push(Piece::Link(word.to_owned()));
            pieces.push(Piece::Plain(tail.to_owned()));
        } else {
            split_code(word, &mut pieces);
            pieces.push(Piece::Plain(tail.to_owned()));
        }
    }
    pieces
}

/// Six to eight digits in a word are its code: `123456.` or `#123456`.
fn split_code(word: &str, pieces: &mut Vec<Piece>) {
    let inner = word.trim_matches(|c: char| !c.is_ascii_digit());
    let is_code = (6..=8).contains(&inner.len()) && inner.bytes().all(|b| b.is_ascii_digit());
    match word.split_once(inner) {
        Some((before, after)) if is_code => {
            pieces.push(Piece::Plain(before.to_owned()));
            pieces.push(Piece::Code(inner.to_owned()));
            pieces.push(Piece::Plain(after.to_owned()));
        }
        _ => pieces.push(Piece::Plain(word.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_links_stand_out_of_a_text() {
        let found: Vec<Piece> =
            pieces("Code: 123456.\nhttp://localhost:8400/a?b=c ok +41791234567")
                .into_iter()
                .filter(|piece| !matches!(piece, Piece::Plain(_)))
                .collect();
        let link = "http://localhost:8400/a?b=c".to_owned();
        assert_eq!(found, [Piece::Code("123456".into()), Piece::Link(link)]);
    }
}
