//! The one gate: authorization codes, ID tokens and access tokens are issued here, from a session
//! whose proof only the journeys can make. Sessions are issued by the store, from the same proof.
//!
//! `acr` and `amr` come from the proof and from nothing else.

use bytes::Bytes;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use journey::{Assurance, Person, PersonId, Place, Proof, Role, Timestamp};
use serde::{Deserialize, Serialize};
use store::{By, OneTime, Redeemed, Redemption, seal::Purpose};
use wire::{
    oauth::{
        authorize::Authorize,
        scope::Scope,
        token::{self, Answer, Authenticated, Fault, Grant, Incoming, TokenAnswer, TokenRequest},
    },
    oidc::{ACR_MFA, ACR_SFA, Issuer, claims::Profile, discovery, id_token::IdToken, userinfo},
};

use crate::{
    app::{App, Caller},
    catalogue::Catalogue,
    failure::Failure,
    ticket,
    world::Draw,
};

/// How long a code lives, in seconds.
const CODE_S: i64 = Grant::LIFETIME_S_MAX;
/// How long an access token opens `/userinfo`, in seconds.
const ACCESS_S: u32 = 300;
/// The domain of sealed codes.
const KIND: &str = "code";
/// The domain of sealed access tokens.
const ACCESS: &str = "access token";

/// The discovery document, rendered.
pub(crate) fn discovery(issuer: &Issuer, catalogue: &Catalogue) -> Bytes {
    let locales = journey::Language::ALL.map(journey::Language::code);
    discovery::document(issuer, &catalogue.ring, &locales).into()
}

/// `acr`: REFEDS' multi-factor profile for two factors, its single-factor profile for less.
/// Wherever the password was typed, it stays a password.
fn acr(assurance: Assurance) -> &'static str {
    match assurance {
        Assurance::Password | Assurance::Vouched => ACR_SFA,
        Assurance::Strong | Assurance::PhishingResistant => ACR_MFA,
    }
}

/// What an application demands: its registered minimum, or what it asks for if that is more.
pub(crate) fn demand(catalogue: &Catalogue, authorize: Option<&Authorize>) -> Assurance {
    use wire::oauth::client::Assurance as Minimum;
    let Some(authorize) = authorize else {
        return Assurance::Password;
    };
    let application = catalogue.application(&authorize.client_id);
    let minimum = match application.map(|client| client.minimum) {
        Some(Minimum::Password) | None => Assurance::Password,
        Some(Minimum::Vouched) => Assurance::Vouched,
        Some(Minimum::Strong) => Assurance::Strong,
        Some(Minimum::PhishingResistant) => Assurance::PhishingResistant,
    };
    // Several values mean: any of these, the first preferred. What we cannot name is no demand.
    let known = authorize
        .acr_values
        .iter()
        .filter_map(|value| match value.as_str() {
            ACR_MFA => Some(Assurance::Strong),
            ACR_SFA => Some(Assurance::Password),
            _ => None,
        });
    known.min().unwrap_or(Assurance::Password).max(minimum)
}

/// A code for an application: a sealed ticket with everything that the token endpoint needs. See
/// `docs/decisions/0003-an-authorization-code-is-a-sealed-ticket.md`.
pub(crate) fn code(
    app: &App,
    authorize: &Authorize,
    person: PersonId,
    proof: &Proof,
    session: &[u8; 32],
) -> String {
    let grant = Grant {
        id: BASE64URL_NOPAD.encode(&app.world.id()),
        client_id: authorize.client_id.clone(),
        redirect_uri: authorize.redirect_uri.clone(),
        code_challenge: authorize.code_challenge.clone(),
        nonce: authorize.nonce.clone(),
        scope: authorize.scope.clone(),
        subject: person.to_string(),
        sid: Some(sid(session)),
        auth_time: proof.at().0,
        acr: acr(proof.assurance()).to_owned(),
        amr: proof.amr().into_iter().map(str::to_owned).collect(),
        expires_at: app.world.now().plus(CODE_S).0,
    };
    app.metrics.codes.inc();
    ticket::seal(&app.keys, Purpose::AuthorizationCode, KIND, &grant)
}

/// The public handle of a session, in `sid`.
pub(crate) fn sid(session: &[u8; 32]) -> String {
    HEXLOWER.encode(session)
}

/// An access token: a sealed ticket. See `docs/decisions/0012-access-tokens-are-opaque.md`.
#[derive(Deserialize, Serialize)]
struct Access {
    /// The client id.
    application: String,
    /// [`Grant::id`] of the code that gave it.
    code: String,
    scope: String,
    sid: String,
    until: Timestamp,
}

/// A request to the token endpoint.
pub(crate) async fn token(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
) -> Result<Answer, Failure> {
    let catalogue = app.catalogue.load_full();
    let now = app.world.now();
    let request = match TokenRequest::parse(incoming) {
        Ok(request) => request,
        Err(fault) => return Ok(refused(app, fault)),
    };
    let client = catalogue.application(&request.client_id);
    let who = match token::authenticate(&request, client, &app.issuer, now.0) {
        Ok(who) => who,
        Err(fault) => return Ok(refused(app, fault)),
    };
    if !spend_assertion(app, &who).await? {
        return Ok(refused(app, Fault::ClientNotItself));
    }
    let grant: Option<Grant> =
        ticket::open(&app.keys, Purpose::AuthorizationCode, KIND, &request.code);
    let Some(grant) = grant else {
        return Ok(refused(app, Fault::CodeNotGood));
    };
    if let Err(fault) = token::redeem(&who, &request, &grant, now.0) {
        return Ok(refused(app, fault));
    }
    issue(app, caller, &catalogue, &grant).await
}

/// A client assertion is used once.
async fn spend_assertion(app: &App, who: &Authenticated) -> Result<bool, Failure> {
    let Some(spend) = who.spend() else {
        return Ok(true);
    };
    let key = format!("{} {}", who.client_id(), spend.id);
    let until = Timestamp(spend.until);
    Ok(app
        .store
        .consume(OneTime::ClientAssertion, key.as_bytes(), until)
        .await?)
}

/// The code is good: it is used up, and what it stands for is signed.
async fn issue(
    app: &App,
    caller: &Caller,
    catalogue: &Catalogue,
    grant: &Grant,
) -> Result<Answer, Failure> {
    let now = app.world.now();
    let sid = grant.sid.as_deref().unwrap_or_default();
    let (Ok(person), Some(session), Some(code)) =
        (grant.subject.parse(), session_of(sid), code_of(&grant.id))
    else {
        return Err(Failure::Impossible(
            "a sealed code without an id, a person or a session",
        ));
    };
    let account = app
        .store
        .person(person)
        .await?
        .filter(|account| !account.person.disabled);
    let Some(account) = account else {
        return Ok(refused(app, Fault::CodeNotGood));
    };
    let until = now.plus(i64::from(ACCESS_S));
    let redemption = Redemption {
        application: grant.client_id.clone(),
        code,
        session,
        until: until.max(Timestamp(grant.expires_at)),
    };
    let by = By {
        person: Some(person),
        place: Place::Public,
        ..app.by(caller, "", "token")
    };
    match app.store.redeem_code(&redemption, &by).await? {
        Redeemed::Yes => {}
        Redeemed::Reused | Redeemed::SessionOver => return Ok(refused(app, Fault::CodeNotGood)),
    }
    let algorithm = catalogue
        .application(&grant.client_id)
        .map(|client| client.id_token_alg)
        .ok_or(Failure::Impossible(
            "an application vanished while its code was redeemed",
        ))?;
    let access = Access {
        application: grant.client_id.clone(),
        code: grant.id.clone(),
        scope: grant.scope.to_string(),
        sid: sid.to_owned(),
        until,
    };
    let access_token = ticket::seal(&app.keys, Purpose::AccessToken, ACCESS, &access);
    let id_token = IdToken::for_grant(grant, &profile(&account.person), &app.issuer, now.0)
        .with_access_token(&access_token)
        .sign(&catalogue.ring, algorithm)
        .map_err(|error| Failure::Sign(Box::new(error)))?;
    app.metrics.tokens.inc();
    Ok(TokenAnswer::new(access_token, id_token, ACCESS_S, &grant.scope).answer())
}

fn session_of(sid: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(sid.as_bytes()).ok()?.try_into().ok()
}

fn code_of(id: &str) -> Option<[u8; 16]> {
    BASE64URL_NOPAD.decode(id.as_bytes()).ok()?.try_into().ok()
}

fn refused(app: &App, fault: Fault) -> Answer {
    app.metrics.token_faults.inc();
    tracing::info!(fault = ?fault, "a token request was refused");
    fault.answer()
}

/// What `/userinfo` says to the bearer of an access token.
pub(crate) async fn userinfo(
    app: &App,
    authorization: Option<&str>,
) -> Result<Result<Vec<u8>, userinfo::Fault>, Failure> {
    let token = match userinfo::bearer(authorization) {
        Ok(token) => token,
        Err(fault) => return Ok(Err(fault)),
    };
    let Some(access) = access(app, token) else {
        return Ok(Err(userinfo::Fault::TokenNotGood));
    };
    let (Some(code), Some(session)) = (code_of(&access.code), session_of(&access.sid)) else {
        return Ok(Err(userinfo::Fault::TokenNotGood));
    };
    let Some(person) = app.store.redeemed(&code, &session).await? else {
        return Ok(Err(userinfo::Fault::TokenNotGood));
    };
    let account = app.store.person(person).await?;
    let still_there = app
        .catalogue
        .load()
        .application(&access.application)
        .is_some();
    let Some(account) = account.filter(|account| still_there && !account.person.disabled) else {
        return Ok(Err(userinfo::Fault::TokenNotGood));
    };
    let scope = Scope::understood(&access.scope);
    let subject = person.to_string();
    Ok(Ok(userinfo::answer(
        &subject,
        &profile(&account.person),
        &scope,
    )))
}

/// An access token of ours whose time is not over.
fn access(app: &App, token: &str) -> Option<Access> {
    let access: Access = ticket::open(&app.keys, Purpose::AccessToken, ACCESS, token)?;
    (app.world.now() < access.until).then_some(access)
}

/// What is known of a person, before the scope narrows it.
fn profile(person: &Person) -> Profile {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let role = match person.role {
        Role::Admin => "admin",
        Role::Pupil => "pupil",
        Role::Staff => "staff",
        Role::Teacher => "teacher",
    };
    Profile {
        name: text(&format!("{} {}", person.first_name, person.last_name)),
        given_name: text(&person.first_name),
        family_name: text(&person.last_name),
        preferred_username: text(&person.username),
        locale: Some(person.language.code().to_owned()),
        updated_at: None,
        email: text(&person.mail),
        // The address comes from the register; nobody has proven that they read it.
        email_verified: Some(false),
        phone_number: person.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        phone_number_verified: person.phone.as_ref().map(|_| person.phone_confirmed),
        groups: vec![role.to_owned()],
    }
}
