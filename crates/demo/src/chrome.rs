//! What stands around every page of the demo: the banner with the place, the languages, the rooms.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::place::{self, Place};
use crate::settings::Origins;
use crate::web::{self, Fields};
use crate::words::{LANGUAGE_COOKIE, Words};

/// Which room of the demo a page belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Room {
    Start,
    Ent,
    Ism,
    Phone,
}

impl Room {
    pub(crate) const ALL: [Self; 4] = [Self::Start, Self::Ent, Self::Ism, Self::Phone];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Ent => "ent",
            Self::Ism => "ism",
            Self::Phone => "phone",
        }
    }
}

/// The frame of one page for one visitor.
pub(crate) struct Chrome {
    pub(crate) room: Room,
    pub(crate) words: Words,
    /// Where the banner's form and the languages lead back to.
    pub(crate) back: String,
    place: Place,
    languages_given: bool,
    origins: Arc<Origins>,
}

/// One link or button of the banner.
pub(crate) struct Choice {
    pub(crate) value: &'static str,
    pub(crate) label: String,
    pub(crate) href: String,
    pub(crate) chosen: bool,
}

impl Chrome {
    pub(crate) fn of(room: Room, origins: &Arc<Origins>, parts: &Parts) -> Self {
        let query = Fields::from_query(parts.uri.query());
        Self {
            room,
            words: Words::of(&parts.headers, &query),
            back: parts.uri.path().to_owned(),
            place: Place::of(&parts.headers),
            languages_given: query.one("lang").is_some(),
            origins: Arc::clone(origins),
        }
    }

    /// The same frame on a page that must not be asked for again, such as a failed answer.
    pub(crate) fn leading_home(mut self) -> Self {
        "/".clone_into(&mut self.back);
        self
    }

    pub(crate) fn places(&self) -> Vec<Choice> {
        let choice = |place: Place| Choice {
            value: place.name(),
            label: self.words.say(&format!("place-{}", place.name())),
            href: String::new(),
            chosen: place == self.place,
        };
        Place::ALL.into_iter().map(choice).collect()
    }

    pub(crate) fn rooms(&self) -> Vec<Choice> {
        let choice = |room: Room| Choice {
            value: room.name(),
            label: self.words.say(&format!("room-{}", room.name())),
            href: match room {
                Room::Start => format!("{}/demo", self.origins.provider),
                Room::Ent => format!("{}/", self.origins.ent),
                Room::Ism => format!("{}/", self.origins.ism),
                Room::Phone => format!("{}/", self.origins.phone),
            },
            chosen: room == self.room,
        };
        Room::ALL.into_iter().map(choice).collect()
    }

    pub(crate) fn languages(&self) -> Vec<Choice> {
        let choice = |words: Words| Choice {
            value: words.tag(),
            label: words.say("language-name"),
            href: format!("{}?lang={}", self.back, words.tag()),
            chosen: words == self.words,
        };
        Words::ALL.into_iter().map(choice).collect()
    }

    /// The page in this frame; a language given in the address is kept for the other rooms.
    pub(crate) fn show(&self, status: StatusCode, template: &impl Template) -> Response {
        let mut response = web::page(status, &self.origins.provider, template);
        if self.languages_given {
            let cookie = web::set_cookie(LANGUAGE_COOKIE, self.words.tag(), 30 * 24 * 3600);
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

/// What every room serves besides its own pages.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/demo/style.css", get(async || asset("text/css", STYLE)))
        .route(
            "/demo/live.js",
            get(async || asset("text/javascript", LIVE)),
        )
        .merge(place::routes())
}

const STYLE: &str = include_str!("../templates/style.css");
const LIVE: &str = include_str!("../templates/live.js");

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], text).into_response()
}
