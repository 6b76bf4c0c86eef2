//! The one gate: authorization codes, ID tokens, access and refresh tokens are issued here and in the
//! folder beside it, from a session whose proof only the journeys can make. Sessions are issued by the store, from the same proof.
//!
//! `acr` and `amr` come from the proof and from nothing else.

mod access;
mod consent;
pub(crate) mod device;
mod dpop;
mod introspection;
pub(crate) mod logout;
pub(crate) mod pass;
pub(crate) mod proxy;
pub(crate) mod pushed;
mod refresh;
pub(crate) mod registration;
pub(crate) mod saml;
pub(crate) mod service_ticket;
mod stopped;
mod token;

use bytes::Bytes;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use journey::{Assurance, PersonId, Proof};
use store::seal::Purpose;
use wire::{
    jose::{DecryptingKeys, KeyRing},
    oauth::{authorize::Authorize, client::Client, token::Grant},
    oidc::{Issuer, discovery},
};

pub(crate) use self::{
    access::{Asked, userinfo},
    consent::consented,
    dpop::nonce,
    introspection::{introspect, revoke},
    token::token,
};
use crate::{
    app::App,
    catalogue::Catalogue,
    release::{self, acr, assurance, cas_user, level, profile},
    ticket,
    world::Draw,
};

/// How long a code lives, in seconds.
const CODE_S: i64 = Grant::LIFETIME_S_MAX;
/// The domain of sealed codes.
const CODE: &str = "code";

/// The discovery document, rendered.
pub(crate) fn discovery(
    issuer: &Issuer,
    ring: &KeyRing,
    applications: &[Client],
    registration: bool,
) -> Bytes {
    let locales = journey::Language::ALL.map(journey::Language::code);
    discovery::document(issuer, ring, &locales, applications, registration).into()
}

/// The secret numbers of the keys to which applications may encrypt their requests: derived from the keys that
/// seal, so that every node has them and they go with those.
pub(crate) fn request_numbers(app: &App) -> Vec<wire::Secret> {
    let numbers = app.keys.request_numbers().into_iter();
    numbers
        .map(|number| wire::Secret::new(number.expose().to_vec()))
        .collect()
}

/// Our public keys: those that verify what we sign, and one to which requests may be encrypted.
pub(crate) fn jwks(app: &App) -> Vec<u8> {
    let mut keys = app.catalogue.load().ring.published(app.world.now().0);
    let own = DecryptingKeys::of(&request_numbers(app));
    keys.keys.extend(own.published().cloned());
    serde_json::to_vec(&keys).unwrap_or_default()
}

/// What an application demands: its registered minimum, or what it asks for if that is more.
pub(crate) fn demand(catalogue: &Catalogue, authorize: Option<&Authorize>) -> Assurance {
    let Some(authorize) = authorize else {
        return Assurance::Password;
    };
    let application = catalogue.application(&authorize.client_id);
    let minimum = application.map_or(Assurance::Password, minimum);
    let asked = authorize.claims.acr.as_ref();
    release::demand(minimum, asked.unwrap_or(&authorize.acr_values))
}

/// Whether what the application insists on can be true of anybody whom its registration lets in.
// [OIDC Core §5.5.1.1] "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that outcome as a failed authentication attempt."
pub(crate) fn can_be_met(client: &Client, authorize: &Authorize) -> bool {
    let insisted = authorize.claims.acr.as_deref();
    release::acr_of(Assurance::PhishingResistant, minimum(client), insisted).is_some()
}

/// The registered minimum of an application.
fn minimum(client: &Client) -> Assurance {
    assurance(client.minimum)
}

/// A code for an application: a sealed ticket with everything that the token endpoint needs. See
/// `docs/decisions/0003-an-authorization-code-is-a-sealed-ticket.md`.
///
/// An application that vanished gets one that it cannot redeem.
pub(crate) fn code(
    app: &App,
    authorize: &Authorize,
    person: PersonId,
    proof: &Proof,
    session: &[u8; 32],
) -> String {
    let catalogue = app.catalogue.load();
    let client = catalogue.application(&authorize.client_id);
    let subject = person.to_string();
    let said = client
        .and_then(|client| {
            let insisted = authorize.claims.acr.as_deref();
            release::acr_of(proof.assurance(), minimum(client), insisted)
        })
        .unwrap_or_else(|| acr(proof.assurance()));
    let grant = Grant {
        id: BASE64URL_NOPAD.encode(&app.world.id()),
        client_id: authorize.client_id.clone(),
        redirect_uri: authorize.redirect_uri.clone(),
        code_challenge: authorize.code_challenge.clone(),
        nonce: authorize.nonce.clone(),
        scope: authorize.scope.clone(),
        pseudonym: client.and_then(|client| client.pseudonym(&subject)),
        subject,
        claims: authorize.claims.named.clone(),
        key: authorize.key.clone(),
        sid: Some(sid(session)),
        auth_time: proof.at().0,
        acr: said.to_owned(),
        amr: proof.amr().into_iter().map(str::to_owned).collect(),
        expires_at: app.world.now().plus(CODE_S).0,
    };
    app.metrics.codes.inc();
    ticket::seal(&app.keys, Purpose::AuthorizationCode, CODE, &grant)
}

/// The public handle of a session, in `sid`.
pub(crate) fn sid(session: &[u8; 32]) -> String {
    HEXLOWER.encode(session)
}

/// The key of a session, from its public handle.
fn session_of(sid: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(sid.as_bytes()).ok()?.try_into().ok()
}

/// The id of a code, from how it is written.
fn code_of(id: &str) -> Option<[u8; 16]> {
    BASE64URL_NOPAD.decode(id.as_bytes()).ok()?.try_into().ok()
}
