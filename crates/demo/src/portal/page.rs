//! What a portal shows: its door, its desk, and why nobody came in.

use askama::Template;
use axum::http::StatusCode;
use serde_json::Value;

use crate::chrome::{Chrome, Room};
use crate::portal::Session;
use crate::portal::id_token::{Claims, text};
use crate::portal::relying_party::{ACR_STRONG, SignInError};
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
    icon: &'static str,
    label: String,
    /// Where the tile leads; the others only furnish the room.
    href: Option<String>,
}

impl<'a> HomePage<'a> {
    pub(super) fn new(
        chrome: &'a Chrome,
        origins: &Origins,
        session: Option<&Session>,
        now: i64,
    ) -> Self {
        Self {
            chrome,
            visitor: session.map(|session| Visitor::of(session, chrome.words, now)),
            tiles: tiles(chrome, origins),
        }
    }

    fn text(&self, key: &str) -> String {
        self.chrome.words.say(&format!("{}-{key}", self.chrome.room.name()))
    }
}

fn tiles(chrome: &Chrome, origins: &Origins) -> Vec<Tile> {
    let other = match chrome.room {
        Room::Ism => ("\u{1f3eb}", "tile-ent", Some(format!("{}/login", origins.ent))),
        _ => ("\u{1f5c2}\u{fe0f}", "tile-ism", Some(format!("{}/login", origins.ism))),
    };
    let account = ("\u{1f511}", "tile-account", Some(format!("{}/account", origins.provider)));
    let furniture: &[(&str, &str)] = match chrome.room {
        Room::Ism => &[
            ("\u{1f465}", "tile-pupils"),
            ("\u{1f4dd}", "tile-marks"),
            ("\u{1f4c5}", "tile-absences"),
            ("\u{1f4c4}", "tile-reports"),
        ],
        _ => &[
            ("\u{2709}\u{fe0f}", "tile-mail"),
            ("\u{1f4c1}", "tile-files"),
            ("\u{1f4da}", "tile-classes"),
            ("\u{1f5d3}\u{fe0f}", "tile-calendar"),
        ],
    };
    let furniture = furniture.iter().map(|(icon, key)| (*icon, *key, None));
    [other, account]
        .into_iter()
        .chain(furniture)
        .map(|(icon, key, href)| Tile { icon, label: chrome.words.say(key), href })
        .collect()
}

impl Visitor {
    fn of(session: &Session, words: Words, now: i64) -> Self {
        let claims = &session.claims;
        let acr = text(claims, "acr").unwrap_or_default();
        let signed_in = claims.get("auth_time").and_then(Value::as_i64);
        let level = match acr {
            ACR_STRONG => words.say("level-strong"),
            ACR_PASSWORD => words.say("level-password"),
            "" => words.say("level-unsaid"),
            other => words.tell("level-other", other),
        };
        Self {
            greeting: words.tell("greeting", first_name(session)),
            strong: acr == ACR_STRONG,
            level,
            how: methods(claims, words),
            when: signed_in.map_or_else(String::new, |then| words.ago(then, now)),
            claims: claims.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
        }
    }
}

const ACR_PASSWORD: &str = "https://refeds.org/profile/sfa";

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn first_name(session: &Session) -> String {
    let said = ["given_name", "name", "preferred_username"]
        .iter()
        .find_map(|name| text(&session.profile, name).or_else(|| text(&session.claims, name)));
    said.or_else(|| text(&session.claims, "sub")).unwrap_or_default().to_owned()
}

/// [RFC 8176 §2] the methods in words; `mfa` only says that there were several.
fn methods(claims: &Claims, words: Words) -> String {
    let amr = claims.get("amr").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
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

#[derive(Template)]
#[template(path = "failed.html")]
pub(super) struct FailedPage<'a> {
    chrome: &'a Chrome,
    error: &'a SignInError,
    sentence: String,
}

impl<'a> FailedPage<'a> {
    pub(super) fn new(chrome: &'a Chrome, error: &'a SignInError) -> Self {
        let words = chrome.words;
        let sentence = match error {
            SignInError::Refused { error, .. } => match words.knows(&format!("refused-{error}")) {
                true => words.say(&format!("refused-{error}")),
                false => words.say("refused-other"),
            },
            SignInError::NotBegunHere => words.say("failed-not-begun-here"),
            SignInError::TooWeak(_) => words.say("failed-too-weak"),
            SignInError::BackChannel(_) | SignInError::Metadata(_) => words.say("failed-provider"),
            _ => words.say("failed-not-believed"),
        };
        Self { chrome, error, sentence }
    }

    /// The provider's own error code, for those who test.
    fn code(&self) -> &str {
        match self.error {
            SignInError::Refused { error, .. } => error,
            _ => "",
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        match self.error {
            SignInError::Refused { .. } | SignInError::TooWeak(_) => StatusCode::FORBIDDEN,
            SignInError::BackChannel(_) | SignInError::Metadata(_) | SignInError::NoToken { .. } => {
                StatusCode::BAD_GATEWAY
            }
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

#[derive(Template)]
#[template(path = "signed_out.html")]
pub(super) struct SignedOutPage<'a> {
    pub(super) chrome: &'a Chrome,
}
