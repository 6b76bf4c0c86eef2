//! The start page on port N: what to try, and as whom.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::get;

use crate::chrome::{self, Chrome, Room};
use crate::people::{Introduced, Method, People, Person, introduce};
use crate::settings::{Origins, Settings};

/// What the start page tells.
#[derive(Clone)]
pub(crate) struct Start {
    origins: Arc<Origins>,
    given: Arc<[Person]>,
    live: Arc<dyn People>,
}

impl Start {
    pub(crate) fn new(settings: &Settings, live: Arc<dyn People>) -> Self {
        Self {
            origins: Arc::new(settings.origins.clone()),
            given: settings.people.clone().into(),
            live,
        }
    }
}

pub(crate) fn router(start: Start) -> Router {
    Router::new()
        .route("/demo", get(show))
        .with_state(start)
        .merge(chrome::routes())
}

async fn show(State(start): State<Start>, parts: Parts) -> Response {
    let chrome = Chrome::of(Room::Start, &start.origins, &parts);
    let people = introduce(&start.given, &*start.live).await;
    let page = StartPage::new(&chrome, &start.origins, people);
    chrome.show(StatusCode::OK, &page)
}

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage<'a> {
    chrome: &'a Chrome,
    origins: &'a Origins,
    steps: Vec<Step>,
    people: Vec<Introduced>,
}

/// One of the five lines of what to try.
struct Step {
    text: String,
    person: Option<Person>,
    href: String,
    link: String,
}

impl<'a> StartPage<'a> {
    fn new(chrome: &'a Chrome, origins: &'a Origins, people: Vec<Introduced>) -> Self {
        let first = |wanted: &dyn Fn(&Introduced) -> bool| {
            people
                .iter()
                .find(|one| wanted(one))
                .map(|one| one.person.clone())
        };
        let by =
            |method: Method| first(&|one| one.standing.activated && one.person.method == method);
        let sms = by(Method::Sms);
        let new = first(&|one| !one.standing.activated);
        let steps = [
            ("try-sms", sms.clone(), &origins.ent, "room-ent"),
            ("try-school", sms, &origins.ent, "room-ent"),
            ("try-app", by(Method::App), &origins.ent, "room-ent"),
            ("try-token", by(Method::Token), &origins.ism, "room-ism"),
            ("try-activate", new, &origins.phone, "room-phone"),
        ];
        let steps = steps.map(|(key, person, origin, room)| Step {
            text: chrome.words.say(key),
            person,
            href: format!("{origin}/"),
            link: chrome.words.say(room),
        });
        Self {
            chrome,
            origins,
            steps: steps.into(),
            people,
        }
    }
}
