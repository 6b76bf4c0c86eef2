//! CAS 3.0: `/cas/login`, `/cas/logout`, and the validations at the back door.

use axum::{
    Extension,
    body::Bytes,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use data_encoding::HEXLOWER;
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use wire::cas::{
    self, Fault, Format, Login, Logout, ProxyFault, ProxyRequest, Success, Validate, saml,
};

use super::{
    errand,
    login::own_session,
    oidc::{ask_to_sign_out, bad_request},
    saml::name_in,
    show,
    visit::Visit,
};
use crate::{
    app::App,
    errand::{Arrival, Errand},
    failure::Failure,
    gate::{
        proxy::proxy_ticket,
        service_ticket::{Asked, Wanted, explain},
    },
    page::{LoggedOut, Reason},
    world::Draw,
};

/// `GET /cas/login`
pub(crate) async fn login(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let request = match Login::parse(query.unwrap_or_default().as_bytes()) {
        Ok(request) => request,
        Err(fault) => return bad_request(&app, &visit, &fault.to_string()),
    };
    let Some(service) = request.service else {
        return show::see_other(&visit, "/account");
    };
    // [CAS §2.2.1] "the CAS Server MUST deny operation and print out a meaningful message if a non-authorized service URL is presented."
    if app.catalogue.load().service(&service).is_none() {
        tracing::info!("an address that belongs to no CAS application was refused");
        let reason = Reason::UnknownApplication;
        return show::refused(&app, &visit, StatusCode::BAD_REQUEST, reason);
    }
    let wanted = Wanted {
        service: service.as_str().to_owned(),
        renew: request.renew,
        arrival: Arrival {
            at: app.world.now(),
            session: visit.session,
        },
    };
    // [CAS §2.1.1] "CAS MUST redirect the client to the URL specified by the `service` parameter with no "ticket" parameter appended to the URL."
    errand::go(&app, &visit, Errand::Cas(wanted), request.gateway).await
}

/// `GET /cas/logout`: anybody may have made the link, so the person is asked first.
pub(crate) async fn logout(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let asked = Logout::parse(query.unwrap_or_default().as_bytes());
    // [CAS §2.3.2] "the CAS server MUST ensure that only registered [service] parameter Service URLs are accepted for redirection."
    let catalogue = app.catalogue.load_full();
    let known = asked.service.and_then(|named| {
        let service = catalogue.service(&named)?;
        Some((
            named.as_str().to_owned(),
            name_in(&service.name, visit.language),
        ))
    });
    let (then, name) = known.unzip();
    if own_session(&app, &visit).await?.is_some() {
        return ask_to_sign_out(&app, &visit, (None, name), then);
    }
    match then {
        Some(then) => show::see_other(&visit, &then),
        // [CAS §2.3.2] "`/logout` MUST display a page stating that the user has been logged out if no `service` parameter was provided."
        None => show::signed_out(&app, &visit, &LoggedOut { back: None }),
    }
}

/// `GET /cas/validate`: CAS 1.0.
pub(crate) async fn validate(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let (explained, _) = answered(&app, &visit, Validate::parse, query).await;
    let text = explained.map_or_else(|_| cas::no().to_owned(), |success| cas::yes(&success));
    document("text/plain; charset=utf-8", text)
}

/// `GET /cas/serviceValidate`: CAS 2.0, the name alone.
pub(crate) async fn service_validate(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let (explained, format) = answered(&app, &visit, Validate::parse, query).await;
    written(explained, format, Success::without_attributes)
}

/// `GET /cas/proxyValidate`: the same for proxy tickets as well.
pub(crate) async fn proxy_validate(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let (explained, format) = answered(&app, &visit, Validate::parse_proxied, query).await;
    written(explained, format, Success::without_attributes)
}

/// `GET /cas/p3/serviceValidate`: CAS 3.0, with attributes.
pub(crate) async fn service_validate_p3(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let (explained, format) = answered(&app, &visit, Validate::parse, query).await;
    // [CAS §2.8] "additionally return user attributes in the CAS response."
    written(explained, format, Success::with_attributes)
}

/// `GET /cas/p3/proxyValidate`: the same for proxy tickets as well.
pub(crate) async fn proxy_validate_p3(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let (explained, format) = answered(&app, &visit, Validate::parse_proxied, query).await;
    written(explained, format, Success::with_attributes)
}

/// `GET /cas/proxy`: a proxy ticket for an application that may act for a person.
pub(crate) async fn proxy(State(app): State<App>, RawQuery(query): RawQuery) -> Response {
    let given = match ProxyRequest::parse(query.unwrap_or_default().as_bytes()) {
        Err(fault) => Err(fault),
        Ok(request) => proxy_ticket(&app, &request)
            .await
            .unwrap_or_else(|failure| {
                app.metrics.failures.inc();
                tracing::error!(chain = failure.chain(), "a proxy ticket could not be made");
                Err(ProxyFault::InternalError)
            }),
    };
    let text = match given {
        Ok(ticket) => cas::proxied(&ticket),
        Err(fault) => {
            app.metrics.token_faults.inc();
            tracing::info!(fault = ?fault, "a proxy ticket was not given");
            cas::proxy_refused(fault)
        }
    };
    document(Format::Xml.media_type(), text)
}

/// `POST /cas/samlValidate`: the same in SAML 1.1.
pub(crate) async fn saml_validate(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let id = || format!("_{}", HEXLOWER.encode(&app.world.bytes::<16>()));
    let (response, assertion) = (id(), id());
    let around = saml::Around {
        issuer: app.issuer.as_str(),
        now: app.world.now().0,
        ids: [&response, &assertion],
    };
    let text = match saml::Asked::parse(query.unwrap_or_default().as_bytes(), &body) {
        Err(fault) => saml::refused(fault, &around),
        Ok(asked) => {
            let wanted = Asked {
                service: &asked.service,
                ticket: &asked.ticket,
                renew: false,
                callback: None,
            };
            match explained(&app, &visit, &wanted).await {
                Ok(success) => saml::answer(&asked, &success, &around),
                Err(fault) => saml::refused(fault, &around),
            }
        }
    };
    document("text/xml; charset=utf-8", text)
}

/// How the query of a validation is read.
type Reading = fn(&[u8]) -> Result<Validate, (Fault, Format)>;

async fn answered(
    app: &App,
    visit: &Visit,
    read: Reading,
    query: Option<String>,
) -> (Result<Success, Fault>, Format) {
    match read(query.unwrap_or_default().as_bytes()) {
        Err((fault, format)) => (Err(fault), format),
        Ok(asked) => {
            let wanted = Asked {
                service: &asked.service,
                ticket: &asked.ticket,
                renew: asked.renew,
                callback: asked.callback.as_deref(),
            };
            (explained(app, visit, &wanted).await, asked.format)
        }
    }
}

/// A failure of ours is a fault with a name in this protocol; the log has its causes.
async fn explained(app: &App, visit: &Visit, asked: &Asked<'_>) -> Result<Success, Fault> {
    let explained = explain(app, &visit.caller, asked).await;
    let explained = explained.unwrap_or_else(|failure| {
        app.metrics.failures.inc();
        tracing::error!(chain = failure.chain(), "a ticket could not be explained");
        Err(Fault::InternalError)
    });
    if let Err(fault) = &explained {
        app.metrics.token_faults.inc();
        tracing::info!(fault = ?fault, "a ticket was not explained");
    }
    explained
}

fn written(
    explained: Result<Success, Fault>,
    format: Format,
    write: fn(&Success, Format) -> String,
) -> Response {
    let text = match explained {
        Ok(success) => write(&success, format),
        Err(fault) => cas::refused(fault, format),
    };
    document(format.media_type(), text)
}

fn document(media_type: &'static str, text: String) -> Response {
    let headers = [(CONTENT_TYPE, media_type), (CACHE_CONTROL, "no-store")];
    (headers, text).into_response()
}
