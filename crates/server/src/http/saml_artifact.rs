//! SAML responses that go by artifact: they wait here, and `/saml/artifact` hands each out once, to its
//! application alone.

use axum::{
    Extension,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use journey::Happened;
use store::{WaitingMessage, seal::Purpose};
use wire::saml::{
    Artifact, ArtifactResolve, Fault, Idp, Outgoing,
    artifact::Unresolved,
    logout::Making,
    request::Expected,
    soap::{self, Blame},
};

use super::visit::Visit;
use crate::{app::App, failure::Failure, world::Draw};

/// How long a message waits to be fetched, in seconds: as long as a slow application may need.
const WAITS_S: i64 = 120;

/// Leaves a message for an application.
pub(super) async fn leave(
    app: &App,
    application: &str,
    message: &Outgoing,
) -> Result<Artifact, Failure> {
    let artifact = Artifact::new(&Idp::of(&app.issuer).entity_id, app.world.bytes());
    let key = artifact.key(application);
    let waiting = WaitingMessage {
        key,
        sealed: (app.keys).seal(Purpose::WaitingMessage, &key, message.xml.as_bytes()),
        until: app.world.now().plus(WAITS_S),
    };
    app.store.leave_message(&waiting).await?;
    Ok(artifact)
}

/// `POST /saml/artifact`: an application fetches a message.
pub(crate) async fn resolve(
    State(app): State<App>,
    Extension(visit): Extension<Visit>,
    body: Bytes,
) -> Result<Response, Failure> {
    let catalogue = app.catalogue.load_full();
    let idp = Idp::of(&app.issuer);
    let expected = Expected {
        here: &idp.artifacts,
        now: app.world.now().0,
    };
    let find = |id: &str| Some(catalogue.saml.entity(id)?.provider.party());
    let (question, message) = match ArtifactResolve::read(&body, expected, find) {
        Err(Unresolved::NoQuestion(blame)) => return Ok(no_question(blame)),
        Err(Unresolved::NotBelieved { id, issuer, fault }) => {
            refused(&app, &visit, &issuer, fault).await?;
            (id, None)
        }
        Ok(asked) => {
            let message = fetch(&app, &asked).await?;
            if message.is_none() {
                refused(&app, &visit, &asked.issuer, Fault::Replayed).await?;
            }
            (asked.id, message)
        }
    };
    let credentials = catalogue.saml.credentials(&catalogue.ring, app.world.now());
    let making = Making {
        speaker: &idp.entity_id,
        credential: credentials.first().ok_or(Failure::Impossible(
            "a SAML message without an RSA key to sign it",
        ))?,
        now: app.world.now().0,
        chance: &app.world.bytes(),
    };
    let text = making.resolved(&question, message.as_deref());
    let text = text.ok_or(Failure::Impossible("a SAML message could not be signed"))?;
    Ok(envelope(StatusCode::OK, text))
}

/// The message that waits for whoever asks, which nobody gets any more after this.
async fn fetch(app: &App, asked: &ArtifactResolve) -> Result<Option<String>, Failure> {
    let key = asked.artifact.key(&asked.issuer);
    let sealed = app.store.fetch_message(&key, app.world.now()).await?;
    let plain = sealed.map(|sealed| app.keys.open(Purpose::WaitingMessage, &key, &sealed));
    // What was sealed with a key that is gone by now is gone, too.
    let plain = plain.and_then(Result::ok);
    Ok(plain.and_then(|plain| String::from_utf8(plain.expose().to_vec()).ok()))
}

/// Who gets no message: in the audit, if they name an application that is registered.
async fn refused(app: &App, visit: &Visit, issuer: &str, fault: Fault) -> Result<(), Failure> {
    tracing::info!(?fault, "a SAML message was not handed out");
    let catalogue = app.catalogue.load_full();
    if let Some(known) = catalogue.saml.entity(issuer) {
        let application = known.application.id.clone();
        let refused = Happened::ArtifactRefused { application };
        app.store
            .audit(&refused, &app.by(&visit.caller, "", "saml"))
            .await?;
    }
    Ok(())
}

/// Nobody can be answered. With whoever sends no question at all nothing is exchanged, and a header that must be
/// understood and is not is a fault of SOAP: each has its status in Bindings 3.2.3.3.
fn no_question(blame: Blame) -> Response {
    let (status, text) = match blame {
        Blame::Client => (
            StatusCode::FORBIDDEN,
            "the body is not an envelope of SOAP 1.1 with one ArtifactResolve in it",
        ),
        Blame::MustUnderstand => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "no header is understood here",
        ),
    };
    envelope(status, soap::fault(blame, text))
}

/// Nobody in between keeps what is fetched (Bindings 3.2.3.2).
fn envelope(status: StatusCode, text: String) -> Response {
    let headers = [
        (CONTENT_TYPE, soap::MEDIA_TYPE),
        (CACHE_CONTROL, "no-cache, no-store"),
    ];
    (status, headers, text).into_response()
}
