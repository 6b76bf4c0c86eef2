//! `/token`: an application that is itself brings something, and gets tokens for it.

use journey::{Person, PersonId, Place, Timestamp};
use store::{By, OneTime, Redeemed, Redemption, StoreError, seal::Purpose};
use wire::{
    jose::Content,
    oauth::{
        access_token::{AccessToken, Wanted},
        client::{Client, Encrypted},
        client_credentials::ApplicationRequest,
        confirmation::Confirmation,
        dpop::Request,
        token::{
            self, Answer, Asked, Authenticated, CodeRequest, Fault, Grant, Incoming, Posted,
            TokenAnswer, TokenRequest,
        },
    },
    oidc::id_token::IdToken,
};

use super::{
    CODE,
    access::ACCESS_S,
    code_of, device,
    dpop::{self, Unproven},
    logout, profile, refresh, session_of,
    stopped::{Stopped, told},
};
use crate::{
    app::{App, Caller},
    catalogue::Catalogue,
    failure::Failure,
    ticket,
    world::Draw,
};

/// An application that is itself, and asks for something.
pub(super) struct Asking<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    pub(super) catalogue: &'a Catalogue,
    pub(super) client: &'a Client,
    /// To what its tokens are bound: a key that it shows, or its certificate.
    pub(super) bound: Option<Confirmation>,
    pub(super) who: Authenticated,
}

/// A request to the token endpoint.
pub(crate) async fn token(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
    proof: Option<&str>,
) -> Result<Answer, Failure> {
    let catalogue = app.catalogue.load_full();
    let outcome = async {
        let request = TokenRequest::parse(incoming)?;
        let asking = asking(app, caller, &catalogue, &request.posted).await?;
        request.is_allowed(asking.client)?;
        let bound = bound(&asking, &request.posted, proof).await?;
        answer(&Asking { bound, ..asking }, &request).await
    };
    told(app, outcome.await)
}

/// To what its tokens will be bound: its certificate if it is so registered, or the key that it shows, which it
/// must if it is registered for that.
async fn bound(
    asking: &Asking<'_>,
    posted: &Posted,
    proof: Option<&str>,
) -> Result<Option<Confirmation>, Stopped> {
    if asking.client.tls_client_certificate_bound_access_tokens {
        let shown = posted.certificate().ok_or(Fault::CertificateMissing)?;
        return Ok(Some(Confirmation::Certificate(shown.thumbprint())));
    }
    let Some(proof) = proof else {
        return match asking.client.must_bind() {
            true => Err(Fault::KeyNotProven.into()),
            false => Ok(None),
        };
    };
    shown(asking, proof, &asking.app.issuer.token_endpoint())
        .await
        .map(|key| Some(Confirmation::Key(key)))
}

/// The key of which an application brings a proof to one of our addresses.
pub(super) async fn shown(asking: &Asking<'_>, proof: &str, url: &str) -> Result<String, Stopped> {
    let request = Request {
        method: "POST",
        url,
        access_token: None,
        without_rs256: asking.client.is_fapi(),
    };
    match dpop::shown(asking.app, proof, &request).await? {
        Ok(key) => Ok(key),
        Err(Unproven::NonceMissing) => Err(Fault::NonceMissing.into()),
        Err(Unproven::NotGood) => Err(Fault::KeyNotProven.into()),
    }
}

async fn answer(asking: &Asking<'_>, request: &TokenRequest) -> Result<Answer, Stopped> {
    match &request.asked {
        Asked::Code(code) => redeem(asking, &request.posted, code).await,
        Asked::Refresh(token) => refresh::renew(asking, &request.posted, token).await,
        Asked::Application(wanted) => of_application(asking, &request.posted, wanted),
        Asked::Device(code) => device::redeem(asking, &request.posted, code).await,
    }
}

/// Authenticates whoever posted this.
pub(super) async fn asking<'a>(
    app: &'a App,
    caller: &'a Caller,
    catalogue: &'a Catalogue,
    posted: &Posted,
) -> Result<Asking<'a>, Stopped> {
    let client = catalogue.application(&posted.client_id);
    let who = token::authenticate(posted, client, &app.issuer, app.world.now().0)?;
    let client = client.ok_or(Fault::ClientNotItself)?;
    spend_assertion(app, &who).await?;
    Ok(Asking {
        app,
        caller,
        catalogue,
        client,
        bound: None,
        who,
    })
}

/// A client assertion is used once.
async fn spend_assertion(app: &App, who: &Authenticated) -> Result<(), Stopped> {
    let Some(spend) = who.spend() else {
        return Ok(());
    };
    let key = format!("{} {}", who.client_id(), spend.id);
    match spent(app, &key, spend.until).await? {
        true => Ok(()),
        false => Err(Fault::ClientNotItself.into()),
    }
}

/// Whether nobody has used this id of a statement that an application signs, until it ends.
pub(super) async fn spent(app: &App, key: &str, until: i64) -> Result<bool, StoreError> {
    let until = Timestamp(until);
    app.store
        .consume(OneTime::ClientAssertion, key.as_bytes(), until)
        .await
}

impl Asking<'_> {
    /// Who is named in the audit entries of this request.
    pub(super) fn by(&self, person: Option<PersonId>, through: &str) -> By {
        By {
            person,
            place: Place::Public,
            ..self.app.by(self.caller, "", through)
        }
    }

    /// Signs an ID token the way this application wants it, and encrypts it if it wants that.
    // [OIDC Core §2] "ID Tokens MUST be signed using JWS [JWS] and optionally both signed and then encrypted using JWS [JWS] and JWE [JWE] respectively, thereby providing authentication, integrity, non-repudiation, and optionally, confidentiality, per Section 16.14."
    pub(super) fn sign(&self, id_token: &IdToken) -> Result<String, Failure> {
        let signed = id_token
            .sign(&self.catalogue.ring, self.client.id_token_alg)
            .map_err(|error| Failure::Sign(Box::new(error)))?;
        let (what, chance) = (Encrypted::IdToken, self.app.world.bytes());
        let hidden = self.client.encrypted(what, Content::Jwt(&signed), &chance);
        let hidden = hidden.map_err(|error| Failure::Sign(Box::new(error)))?;
        Ok(hidden.unwrap_or(signed))
    }
}

/// A code is used up, and what it stands for is signed.
async fn redeem(
    asking: &Asking<'_>,
    posted: &Posted,
    request: &CodeRequest,
) -> Result<Answer, Stopped> {
    let (app, now) = (asking.app, asking.app.world.now());
    let grant: Option<Grant> =
        ticket::open(&app.keys, Purpose::AuthorizationCode, CODE, &request.code);
    let grant = grant.ok_or(Fault::CodeNotGood)?;
    token::redeem(&asking.who, request, &grant, now.0)?;
    // An application that knows people by other names by now starts anew.
    let knows = asking.client.pseudonym(&grant.subject) == grant.pseudonym;
    if !grant.is_open_to(asking.bound.as_ref().and_then(Confirmation::key)) || !knows {
        return Err(Fault::CodeNotGood.into());
    }
    let wanted = asking.wanted(posted)?;
    let sid = grant.sid.as_deref().unwrap_or_default();
    let (Ok(person), Some(session), Some(code)) =
        (grant.subject.parse(), session_of(sid), code_of(&grant.id))
    else {
        let what = "a sealed code without an id, a person or a session";
        return Err(Failure::Impossible(what).into());
    };
    let account = app.store.person(person).await?;
    let account = account.filter(|account| !account.person.disabled);
    let account = account.ok_or(Fault::CodeNotGood)?;
    let earned = Earned {
        code,
        grant: &grant,
        person: &account.person,
        session,
    };
    give(asking, &earned, wanted, "token").await
}

/// A grant that was looked at: all that is left is to redeem it.
pub(super) struct Earned<'a> {
    /// Its id, which is redeemed once.
    pub(super) code: [u8; 16],
    pub(super) grant: &'a Grant,
    /// For whom it was given.
    pub(super) person: &'a Person,
    /// The session from which it comes.
    pub(super) session: [u8; 32],
}

/// What a grant stands for, for whoever redeems it first. `through`: how it is named in the audit.
pub(super) async fn give(
    asking: &Asking<'_>,
    earned: &Earned<'_>,
    wanted: Wanted,
    through: &str,
) -> Result<Answer, Stopped> {
    let (app, now) = (asking.app, asking.app.world.now());
    let (grant, person, session) = (earned.grant, earned.person, earned.session);
    let until = now.plus(i64::from(ACCESS_S));
    let first = refresh::first(asking, grant);
    let redemption = Redemption {
        application: grant.client_id.clone(),
        code: earned.code,
        refresh: first.as_ref().map(refresh::family),
        session,
        until: until.max(Timestamp(grant.expires_at)),
    };
    logout::takes_part(app, asking.client, session).await?;
    let by = asking.by(Some(person.id), through);
    match app.store.redeem_code(&redemption, &by).await? {
        Redeemed::Yes => {}
        Redeemed::Reused | Redeemed::SessionOver => return Err(Fault::CodeNotGood.into()),
    }
    let token = AccessToken::of_grant(grant, wanted, &app.issuer);
    let access_token = asking.write(&token)?;
    let id_token = IdToken::for_grant(grant, &profile(person), &app.issuer, now.0);
    let id_token = asking.sign(&id_token.with_access_token(&access_token))?;
    app.metrics.tokens.inc();
    Ok(
        TokenAnswer::new(access_token, ACCESS_S, grant.scope.to_string())
            .with_kind(token.kind())
            .with_id_token(id_token)
            .with_refresh_token(first.map(|first| refresh::seal(app, &first)))
            .answer(),
    )
}

/// An application that asks in its own name: no person, no session, nothing to renew.
fn of_application(
    asking: &Asking<'_>,
    posted: &Posted,
    request: &ApplicationRequest,
) -> Result<Answer, Stopped> {
    let scope = request.scope(asking.client)?;
    let (wanted, issuer) = (asking.wanted(posted)?, &asking.app.issuer);
    let token = AccessToken::of_application(&asking.client.id, scope, wanted, issuer);
    asking.app.metrics.tokens.inc();
    let scope = token.scope.clone();
    // [RFC 6749 §4.4.3] "A refresh token SHOULD NOT be included."
    Ok(TokenAnswer::new(asking.write(&token)?, ACCESS_S, scope)
        .with_kind(token.kind())
        .answer())
}
