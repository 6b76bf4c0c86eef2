//! What a portal shows: its door with « Se connecter » [Guide 2.2], its desk, and why nobody came in.

use askama::Template;
use axum::http::StatusCode;
use serde_json::Value;

use crate::chrome::{Chrome, Room};
use crate::portal::id_token::{Claims, text};
use crate::portal::{ACR_STRONG, Who};
use crate::settings::Origins;
use crate::words::Words;

#[derive(Template)]
#[template(path = "portal.html")]
pub(super) struct HomePage<'a> {
    chrome: &'a Chrome,
    visitor: Option<Visitor>,
    tiles: Vec<Tile>,
}

/// Who is there, and how they proved it.
struct Visitor {
    greeting: String,
    strong: bool,
    level: String,
    how: String,
    when: String,
    /// The claims as they came, for those who want to see them.
    claims: Vec<(String, String)>,
}

struct Tile {
    /// An SVG path on a field of 24 by 24.
    icon: &'static str,
    label: String,
    /// Where the tile leads; the others only furnish the room.
    href: Option<String>,
}

impl<'a> HomePage<'a> {
    pub(super) fn new(chrome: &'a Chrome, origins: &Origins, who: Option<&Who>, now: i64) -> Self {
        Self {
            chrome,
            visitor: who.map(|who| Visitor::of(who, chrome.words, now)),
            tiles: tiles(chrome, origins),
        }
    }

    fn text(&self, key: &str) -> String {
        self.chrome
            .words
            .say(&format!("{}-{key}", self.chrome.room.name()))
    }
}

fn tiles(chrome: &Chrome, origins: &Origins) -> Vec<Tile> {
    let other = match chrome.room {
        Room::Ism => (SCHOOL, "tile-ent", Some(format!("{}/login", origins.ent))),
        _ => (FOLDERS, "tile-ism", Some(format!("{}/login", origins.ism))),
    };
    let account = (
        KEY,
        "tile-account",
        Some(format!("{}/account", origins.provider)),
    );
    let furniture = match chrome.room {
        Room::Ism => [
            (PEOPLE, "tile-pupils"),
            (PENCIL, "tile-marks"),
            (CALENDAR, "tile-absences"),
            (SHEET, "tile-reports"),
        ],
        _ => [
            (ENVELOPE, "tile-mail"),
            (SHEET, "tile-files"),
            (PEOPLE, "tile-classes"),
            (CALENDAR, "tile-calendar"),
        ],
    };
    let furniture = furniture.into_iter().map(|(icon, key)| (icon, key, None));
    [other, account]
        .into_iter()
        .chain(furniture)
        .map(|(icon, key, href)| Tile {
            icon,
            label: chrome.words.say(key),
            href,
        })
        .collect()
}

const SCHOOL: &str = "M4 21V10l8-6 8 6v11zM9 21v-6h6v6M12 4V1h4v2h-4M8 11h.01M16 11h.01M12 10h.01";
const FOLDERS: &str = "M3 20V6h6l2 3h10v11zM3 12h18M6 3h6l2 3h7v3";
const KEY: &str = "M8 12a4 4 0 1 0 0 8 4 4 0 0 0 0-8M11 13 20 4M16 8l3 3M20 4l1 1";
const PEOPLE: &str = "M9 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6M3 20v-2a6 5 0 0 1 12 0v2M16 5a3 3 0 0 1 0 6M18 14a5 5 0 0 1 3 4v2";
const PENCIL: &str = "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3M12 21h8";
const CALENDAR: &str = "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4M8 14h2M14 14h2";
const SHEET: &str = "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6";
const ENVELOPE: &str = "M3 6h18v13H3zM3 7l9 7 9-7";

impl Visitor {
    fn of(who: &Who, words: Words, now: i64) -> Self {
        let claims = &who.claims;
        let acr = text(claims, "acr").unwrap_or_default();
        let signed_in = claims.get("auth_time").and_then(Value::as_i64);
        let level = match acr {
            ACR_STRONG => words.say("level-strong"),
            ACR_PASSWORD => words.say("level-password"),
            "" => words.say("level-unsaid"),
            other => words.tell("level-other", other),
        };
        Self {
            greeting: words.tell("greeting", first_name(who)),
            strong: acr == ACR_STRONG,
            level,
            how: methods(claims, words),
            when: signed_in.map_or_else(String::new, |then| words.ago(then, now)),
            claims: claims
                .iter()
                .map(|(name, value)| (name.clone(), shown(value)))
                .collect(),
        }
    }
}

const ACR_PASSWORD: &str = "https://refeds.org/profile/sfa";

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn first_name(who: &Who) -> String {
    let said = ["given_name", "name", "preferred_username"]
        .iter()
        .find_map(|name| text(&who.profile, name).or_else(|| text(&who.claims, name)));
    said.or_else(|| text(&who.claims, "sub"))
        .unwrap_or_default()
        .to_owned()
}

/// [RFC 8176 §2] the methods in words; `mfa` only says that there were several.
fn methods(claims: &Claims, words: Words) -> String {
    let amr = claims
        .get("amr")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let said: Vec<String> = amr
        .iter()
        .filter_map(Value::as_str)
        .filter(|method| *method != "mfa")
        .map(|method| match words.knows(&format!("amr-{method}")) {
            true => words.say(&format!("amr-{method}")),
            false => method.to_owned(),
        })
        .collect();
    said.join(&words.say("amr-and"))
}

/// Why nobody came in, in the words of a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Sentence<'a> {
    /// The provider does not answer as it should.
    Away,
    NotBegunHere,
    NotBelieved,
    /// The provider said no; the code is one of OAuth's.
    Refused(&'a str),
    TooWeak,
}

/// An error that a page can show.
pub(crate) trait Explained: std::error::Error {
    /// The provider's own error code, for those who test; empty where there is none.
    fn code(&self) -> &str;
    fn sentence(&self) -> Sentence<'_>;
    fn status(&self) -> StatusCode;
}

impl Sentence<'_> {
    fn say(self, words: Words) -> String {
        match self {
            Self::Away => words.say("failed-provider"),
            Self::NotBegunHere => words.say("failed-not-begun-here"),
            Self::NotBelieved => words.say("failed-not-believed"),
            Self::Refused(code) => match words.knows(&format!("refused-{code}")) {
                true => words.say(&format!("refused-{code}")),
                false => words.say("refused-other"),
            },
            Self::TooWeak => words.say("failed-too-weak"),
        }
    }
}

#[derive(Template)]
#[template(path = "failed.html")]
pub(super) struct FailedPage<'a> {
    chrome: &'a Chrome,
    code: &'a str,
    error: String,
    sentence: String,
}

impl<'a> FailedPage<'a> {
    pub(super) fn new(chrome: &'a Chrome, error: &'a impl Explained) -> Self {
        Self {
            chrome,
            code: error.code(),
            error: error.to_string(),
            sentence: error.sentence().say(chrome.words),
        }
    }
}

#[derive(Template)]
#[template(path = "signed_out.html")]
pub(super) struct SignedOutPage<'a> {
    pub(super) chrome: &'a Chrome,
    /// Somewhere it did not work.
    pub(super) partly: bool,
    /// The provider could not be asked.
    pub(super) here_only: bool,
}
