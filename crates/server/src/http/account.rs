//! The provider's own pages: front page, one's own account, style and script.

use axum::{
    Extension,
    body::Bytes,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use journey::{Assurance, Language, Method, Person, Place};
use store::{Consent, EndSessions, SessionRecord};
use wire::oauth::scope::Scope;

use super::{consent::released, ending, form::Form, frames, login, recovery, show, visit::Visit};
use crate::{
    app::App,
    catalogue::Catalogue,
    failure::Failure,
    page::{Account, ConsentRow, Home, Link, NotFound, Reason, SessionRow},
};

pub(super) mod app;
pub(super) mod password;

/// `GET /`
pub(crate) async fn home(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load();
    let page = Home {
        applications: applications(&catalogue, visit.language),
        activation_url: "/activate".to_owned(),
        account_url: "/account".to_owned(),
    };
    show::page(&app, &visit, StatusCode::OK, &page)
}

/// `GET /account`
pub(crate) async fn show(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    match login::own_session(&app, &visit).await? {
        Some((session, person)) => account_page(&app, &visit, &session, &person).await,
        None => show::see_other(&visit, "/login"),
    }
}

/// `POST /account`
pub(crate) async fn act(
    State(app): State<App>,
    Extension(mut visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let form = Form::read(&body);
    let action = form.as_ref().map(|form| form.text("action"));
    let Some((session, person)) = login::own_session(&app, &visit).await? else {
        if action != Some("sign-out") || visit.session.is_none() {
            return show::see_other(&visit, "/login");
        }
        let hearers = ending::end_late(&app, &mut visit).await?;
        return frames::signed_out(&app, &visit, &hearers);
    };
    let which = match action {
        Some("sign-out") => EndSessions::One(session.key),
        Some("sign-out-everywhere") => EndSessions::All(person.id),
        Some("take-back") => {
            let application = form.as_ref().map_or("", |form| form.text("application"));
            let by = app.by(&visit.caller, "", "account");
            app.store.take_back(person.id, application, &by).await?;
            return show::see_other(&visit, "/account");
        }
        _ => {
            let detail = "unknown action".to_owned();
            let reason = Reason::BadRequest { detail };
            return show::refused(&app, &visit, StatusCode::BAD_REQUEST, reason);
        }
    };
    let hearers = ending::end(&app, &mut visit, (&which, &person)).await?;
    frames::signed_out(&app, &visit, &hearers)
}

async fn account_page(
    app: &App,
    visit: &Visit,
    session: &SessionRecord,
    person: &Person,
) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let mut sessions = app.store.sessions(person.id, app.world.now()).await?;
    sessions.sort_by_key(|other| other.key != session.key);
    let row = |other: &SessionRecord| SessionRow {
        place: zone_name(&catalogue, &other.place, visit.language),
        since: other.created,
        strong: other.proof.assurance() >= Assurance::Strong,
        current: other.key == session.key,
    };
    let consents = app.store.consents(person.id).await?;
    let consent = |consent: Consent| ConsentRow {
        name: catalogue
            .applications
            .get(&consent.application)
            .map_or_else(
                || consent.application.clone(),
                |client| name_of(client, visit.language),
            ),
        released: released(&Scope::understood(&consent.scope)),
        application: consent.application,
        at: consent.at,
    };
    let page = Account {
        consents: consents.into_iter().map(consent).collect(),
        name: format!("{} {}", person.first_name, person.last_name),
        username: person.username.clone(),
        method: person.method.filter(|_| person.enrolled()),
        phone: person.phone.as_ref().map(journey::Phone::masked),
        recovery: recovery::standing(app, person).await?,
        app_url: (person.enrolled() && person.method != Some(Method::Token))
            .then(|| "/account/app".to_owned()),
        password_url: "/account/password".to_owned(),
        sessions: sessions.iter().map(row).collect(),
        action: "/account".to_owned(),
        applications: applications(&catalogue, visit.language),
    };
    show::page(app, visit, StatusCode::OK, &page)
}

/// What a zone is called; none for public.
pub(super) fn zone_name(
    catalogue: &Catalogue,
    place: &Place,
    language: Language,
) -> Option<String> {
    match place {
        Place::Public => None,
        Place::Inside(inside) => {
            let zone = catalogue.zones.get(&inside.zone);
            Some(zone.map_or_else(
                || inside.zone.clone(),
                |zone| zone.name.say(language).to_owned(),
            ))
        }
    }
}

/// What an application is called.
pub(super) fn name_of(client: &wire::oauth::client::Client, language: Language) -> String {
    match language {
        Language::De => client.name.de.clone(),
        Language::En => client.name.en.clone(),
        Language::Fr => client.name.fr.clone(),
    }
}

/// Those that somebody here chose: what a stranger registered stands on no page of ours but that of the consent.
fn applications(catalogue: &Catalogue, language: Language) -> Vec<Link> {
    let enabled = catalogue
        .applications
        .values()
        .filter(|client| client.enabled && !catalogue.guests.contains(&client.id));
    let homes = enabled.filter_map(|client| {
        Some(Link {
            name: name_of(client, language),
            url: client.home.clone()?,
        })
    });
    let begun_here = catalogue.saml.beginnings().map(|application| Link {
        name: super::saml::name_in(&application.name, language),
        url: format!("/saml/start/{}", application.id),
    });
    let services = catalogue.services.iter().filter(|service| service.enabled);
    let services = services.filter_map(|service| {
        Some(Link {
            name: super::saml::name_in(&service.name, language),
            url: service.home.clone()?,
        })
    });
    let sites = catalogue.sites.iter().filter(|site| site.enabled);
    let sites = sites.filter_map(|site| {
        Some(Link {
            name: super::saml::name_in(&site.name, language),
            url: format!("{}/", site.origins.first()?),
        })
    });
    let begun_here = begun_here.chain(services).chain(sites);
    homes.chain(begun_here).collect()
}

/// `GET /static/{name}`
pub(crate) async fn statics(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let (kind, content) = match name.as_str() {
        "mark.svg" => ("image/svg+xml", include_str!("../../static/mark.svg")),
        "onward.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../../static/onward.js"),
        ),
        "password.js" => (
            "text/javascript; charset=utf-8",
            include_str!("../../static/password.js"),
        ),
        _ => return show::page(&app, &visit, StatusCode::NOT_FOUND, &missing()),
    };
    Ok((
        [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "public, max-age=86400"),
        ],
        content,
    )
        .into_response())
}

/// No page of ours.
pub(super) fn missing() -> NotFound {
    NotFound {
        home_url: "/".to_owned(),
    }
}

/// Everything else.
pub(crate) async fn not_found(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
) -> Result<Response, Failure> {
    show::page(&app, &visit, StatusCode::NOT_FOUND, &missing())
}
