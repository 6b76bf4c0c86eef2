//! SAML single sign-on: `/saml/metadata`, `/saml/sso`, and where a person goes on from there.
//!
//! A browser brings a message from another site, so its cookies do not count (and with a form it does
//! not even send them). The message is verified, and the person goes on with a fresh request. Nothing is
//! written for strangers: a request is used up when somebody who is signed in is answered.

use axum::{
    Extension,
    body::Bytes,
    extract::{FromRequest, Path, RawQuery, Request, State},
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, Method, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use journey::{Assurance, Language, Person, login::Enough};
use store::{OneTime, SessionRecord};
use wire::{
    oauth::client::Name as Names,
    saml::{
        AuthnRequest, Delivery, Fault, Idp, Outgoing, Received, Refused, artifact,
        metadata::{self, Described},
        request::{Expected, WINDOW_S},
    },
};

use super::{
    errand, form, login::own_session, oidc::bad_request, saml_artifact::leave,
    saml_logout::remembered, show, visit::Visit,
};
use crate::{
    app::App,
    errand::Errand,
    failure::Failure,
    gate::saml::{self, Verdict, WANTED_S, Wanted},
    page::{Onward, Reason},
    world::Draw,
};

/// How long our metadata counts, in seconds: applications read it much more often.
const METADATA_S: i64 = 7 * 86_400;

/// `GET /saml/metadata`
pub(crate) async fn metadata(State(app): State<App>) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let now = app.world.now();
    let keys = catalogue.saml.credentials(&catalogue.ring, now);
    let document = catalogue.saml.described(&keys, now, || {
        let say = |language| app.settings.institution.say(language).to_owned();
        let id = data_encoding::HEXLOWER.encode(&app.world.bytes::<20>());
        let described = Described {
            id: &format!("_{id}"),
            scopes: &[saml::scope(&app).to_owned()],
            names: &metadata::Names {
                fr: say(Language::Fr),
                de: say(Language::De),
            },
            valid_until: now.plus(METADATA_S).0,
        };
        metadata::describe(&Idp::of(&app.issuer), &described, &keys)
    });
    let Some(document) = document else {
        return Err(Failure::Impossible(
            "SAML metadata without an RSA key to sign it",
        ));
    };
    let headers = [
        (CONTENT_TYPE, "application/samlmetadata+xml"),
        (CACHE_CONTROL, "public, max-age=300"),
    ];
    Ok((headers, document.to_string()).into_response())
}

/// What came to one of the two doors for messages, by HTTP-Redirect or by HTTP-POST.
pub(crate) struct Message(pub(super) Result<Received, Fault>);

impl<S: Send + Sync> FromRequest<S> for Message {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        if request.method() == Method::POST {
            let body = Bytes::from_request(request, state).await;
            let body = body.map_err(IntoResponse::into_response)?;
            return Ok(Self(Received::post(&body)));
        }
        let query = request.uri().query().unwrap_or_default();
        Ok(Self(Received::redirect(query.as_bytes())))
    }
}

/// `GET /saml/sso`, `POST /saml/sso`: a request is verified; the person goes on without it.
pub(crate) async fn sso(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Message(received): Message,
) -> Result<Response, Failure> {
    let (app, visit) = (&app, &visit);
    let catalogue = app.catalogue.load_full();
    let here = Idp::of(&app.issuer).sso;
    let expected = Expected {
        here: &here,
        now: app.world.now().0,
    };
    let find = |id: &str| {
        let known = catalogue.saml.entity(id)?;
        Some(known.application.registered(&known.provider))
    };
    let read = received
        .map_err(Refused::Page)
        .and_then(|received| AuthnRequest::read(&received, expected, find));
    let (request, fault) = match read {
        Ok(request) => (request, None),
        Err(Refused::Page(fault)) => return page(app, visit, fault),
        Err(Refused::Answer { request, fault }) => (*request, Some(fault)),
    };
    let Some(registered) = catalogue.saml.entity(&request.issuer) else {
        return page(app, visit, Fault::IssuerUnknown);
    };
    let refused = request
        .name_id
        .is_some_and(|format| !registered.application.gives(format));
    let fault = fault.or(refused.then_some(Fault::NameIdPolicy));
    let wanted = Wanted::of(app, request, registered);
    match fault {
        None => show::see_other(visit, &wanted.again(app, false)),
        Some(fault) => onward(app, visit, &wanted, saml::refusal(app, &wanted, fault)?).await,
    }
}

/// Uses a message's identifier up; on all nodes, for as long as the message could be believed, and for
/// `open_s` seconds more.
pub(super) async fn spent(
    app: &App,
    (issuer, id): (&str, Option<&str>),
    open_s: i64,
) -> Result<bool, Failure> {
    let Some(id) = id else { return Ok(true) };
    let until = app.world.now().plus(2 * WINDOW_S + open_s + 1);
    let key = format!("{issuer} {id}");
    Ok(app
        .store
        .consume(OneTime::SamlMessage, key.as_bytes(), until)
        .await?)
}

/// A fault that only the person's page is told.
pub(super) fn page(app: &App, visit: &Visit, fault: Fault) -> Result<Response, Failure> {
    tracing::info!(?fault, "a SAML message was refused");
    match fault {
        Fault::IssuerUnknown => show::refused(
            app,
            visit,
            StatusCode::BAD_REQUEST,
            Reason::UnknownApplication,
        ),
        _ => bad_request(app, visit, fault.row().description),
    }
}

/// `GET /saml/start/{id}`: a person begins at the provider.
pub(crate) async fn start(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let known = catalogue.saml.application(&id).filter(|known| {
        known.application.unsolicited && known.provider.is_valid(app.world.now().0)
    });
    let consumer = known.and_then(|known| known.provider.default_consumer());
    let (Some(known), Some(consumer)) = (known, consumer) else {
        return show::refused(
            &app,
            &visit,
            StatusCode::NOT_FOUND,
            Reason::UnknownApplication,
        );
    };
    let request = AuthnRequest::unsolicited(&known.provider, consumer);
    let wanted = Wanted::of(&app, request, known);
    show::see_other(&visit, &wanted.again(&app, false))
}

/// `GET /saml/continue`: on with a session that is enough, else to the pages of the sign-in.
pub(crate) async fn go_on(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let query = query.unwrap_or_default();
    let Some(wanted) = Wanted::read(&app, form::own(&query, "want")) else {
        return show::refused(&app, &visit, StatusCode::GONE, Reason::TooLate);
    };
    let wanted = wanted.arrived(&app, visit.session);
    let demand = wanted.demand(&app.catalogue.load());
    let errand = Errand::Saml(wanted.clone());
    let session = own_session(&app, &visit).await?;
    let session = session.filter(|(session, _)| errand.counts(session));
    match enough(&app, &visit, session.as_ref(), demand) {
        Some(Enough::Yes) => match session {
            Some((session, person)) => {
                let asked = (&*wanted.request.issuer, wanted.request.id.as_deref());
                if !spent(&app, asked, WANTED_S).await? {
                    return page(&app, &visit, Fault::Replayed);
                }
                let who = (&session, &person);
                respond(&app, visit, &headers, &wanted, who).await
            }
            None => Err(Failure::Impossible("nobody is signed in well enough")),
        },
        // [Core §3.4.1] "the identity provider and the user agent itself MUST NOT visibly take control of the user interface from the requester and interact with the presenter in a noticeable fashion."
        _ if wanted.request.is_passive => {
            let message = saml::refusal(&app, &wanted, Fault::Passive)?;
            onward(&app, &visit, &wanted, message).await
        }
        _ => errand::go(&app, &visit, errand, false).await,
    }
}

fn enough(
    app: &App,
    visit: &Visit,
    session: Option<&(SessionRecord, Person)>,
    demand: Assurance,
) -> Option<Enough> {
    let (session, person) = session?;
    let who = (&visit.caller, person);
    Some(app.enough(&session.proof, &session.place, demand, who))
}

async fn respond(
    app: &App,
    mut visit: Visit,
    headers: &HeaderMap,
    wanted: &Wanted,
    who: (&SessionRecord, &Person),
) -> Result<Response, Failure> {
    match saml::respond(app, &visit.caller, wanted, who).await? {
        Verdict::NotForYou(message) => {
            let page = carrying(app, &visit, wanted, &message).await?;
            let page = Onward {
                // Whoever must not be asked anything is not asked to click either.
                denied: !wanted.request.is_passive,
                ..page
            };
            // Bindings 3.5.6 wants no error status towards a browser that carries messages.
            show::page(app, &visit, StatusCode::OK, &page)
        }
        Verdict::Answer(message, known) => {
            if let Some(known) = known {
                visit
                    .cookies
                    .extend(remembered(app, headers, wanted, (who, &known)));
            }
            onward(app, &visit, wanted, message).await
        }
    }
}

/// What carries a message to an application: a page, or the reference to it in an address.
async fn onward(
    app: &App,
    visit: &Visit,
    wanted: &Wanted,
    message: Outgoing,
) -> Result<Response, Failure> {
    if wanted.request.delivery == Delivery::Artifact {
        let artifact = leave(app, &wanted.request.issuer, &message).await?;
        let location = artifact.location(&message.to, message.relay_state.as_deref());
        return show::see_other(visit, &location);
    }
    let page = carrying(app, visit, wanted, &message).await?;
    show::page(app, visit, StatusCode::OK, &page)
}

async fn carrying(
    app: &App,
    visit: &Visit,
    wanted: &Wanted,
    message: &Outgoing,
) -> Result<Onward, Failure> {
    let catalogue = app.catalogue.load();
    let name = wanted
        .name(&catalogue)
        .map(|name| name_in(name, visit.language));
    let page = onward_page(message, name.unwrap_or_default());
    if wanted.request.delivery == Delivery::Post {
        return Ok(page);
    }
    let artifact = leave(app, &wanted.request.issuer, message).await?;
    Ok(Onward {
        parameter: artifact::PARAMETER,
        message: artifact.text(),
        ..page
    })
}

/// What an application is called.
pub(super) fn name_in(name: &Names, language: Language) -> String {
    match language {
        Language::De => name.de.clone(),
        Language::En => name.en.clone(),
        Language::Fr => name.fr.clone(),
    }
}

/// A page with a form that goes to an application: by itself, or with a click.
pub(super) fn posted(
    app: &App,
    visit: &Visit,
    message: &Outgoing,
    application: String,
) -> Result<Response, Failure> {
    show::page(
        app,
        visit,
        StatusCode::OK,
        &onward_page(message, application),
    )
}

fn onward_page(message: &Outgoing, application: String) -> Onward {
    Onward {
        to: message.to.clone(),
        parameter: message.kind.parameter(),
        message: message.field(),
        relay_state: message.relay_state.clone(),
        application,
        denied: false,
    }
}
