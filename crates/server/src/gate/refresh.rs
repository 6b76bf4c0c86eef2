//! Refresh tokens: sealed tickets in families, of which one number is due. See
//! `docs/decisions/0024-refresh-tokens-rotate.md`.

use journey::{Assurance, Happened, Person, PersonId, Timestamp};
use store::{NewFamily, Renewal, Renewed, seal::Purpose};
use wire::{
    oauth::{
        access_token::AccessToken,
        client::{Auth, GrantName},
        refresh::{Refresh, RefreshRequest},
        scope::{Scope, ScopeName},
        token::{Answer, Fault, Grant, Posted, TokenAnswer},
    },
    oidc::{ACR_MFA, id_token::IdToken},
};

use super::{
    access::ACCESS_S, code_of, consented, minimum, profile, session_of, stopped::Stopped,
    token::Asking,
};
use crate::{app::App, failure::Failure, ticket};

/// The domain of sealed refresh tokens.
const KIND: &str = "refresh token";
/// How long a family may be renewed that hangs on a session, in seconds: longer than any session lives.
const FAMILY_S: i64 = 86_400;
/// How long a family may be renewed that outlives its session, in seconds: thirty days.
const OFFLINE_S: i64 = 30 * 86_400;

/// The first refresh token that a code gives; none if the application is not registered for it.
pub(super) fn first(asking: &Asking<'_>, grant: &Grant) -> Option<Refresh> {
    if !asking.client.may(GrantName::RefreshToken) {
        return None;
    }
    let lives = match grant.scope.has(ScopeName::OfflineAccess) {
        true => OFFLINE_S,
        false => FAMILY_S,
    };
    // An application that authenticates is bound by that; it may change its key, and its certificate.
    let bound = match asking.client.auth {
        Auth::None => asking.bound.clone(),
        _ => None,
    };
    Refresh::first(grant, bound, asking.app.world.now().plus(lives).0)
}

/// The family that begins with a first refresh token.
pub(super) fn family(first: &Refresh) -> NewFamily {
    NewFamily {
        offline: first.is_offline(),
        until: Timestamp(first.expires_at),
    }
}

pub(super) fn seal(app: &App, refresh: &Refresh) -> String {
    ticket::seal(&app.keys, Purpose::RefreshToken, KIND, refresh)
}

/// A refresh token of ours, whatever became of it.
pub(super) fn open(app: &App, token: &str) -> Option<Refresh> {
    ticket::open(&app.keys, Purpose::RefreshToken, KIND, token)
}

/// A refresh token is used up, and gives its successor beside fresh tokens.
pub(super) async fn renew(
    asking: &Asking<'_>,
    posted: &Posted,
    request: &RefreshRequest,
) -> Result<Answer, Stopped> {
    let (app, now) = (asking.app, asking.app.world.now());
    let refresh = open(app, &request.token).ok_or(Fault::RefreshNotGood)?;
    let scope = refresh.renew(&asking.who, (request, asking.bound.as_ref()), now.0)?;
    // What was given before the application had to show a key would be bound to whoever comes first.
    let unbound = refresh.key.is_none() && refresh.certificate.is_none();
    if asking.client.auth == Auth::None && asking.client.must_bind() && unbound {
        return Err(Fault::RefreshNotGood.into());
    }
    // What the application may no longer ask for, what was granted does not give either. One that knows
    // people by other names by now starts anew.
    let granted: Scope = (refresh.scope.iter())
        .chain(refresh.claims.scope().iter())
        .collect();
    let knows = asking.client.pseudonym(&refresh.subject) == refresh.pseudonym;
    if !asking.client.scope().includes(&granted) || !knows {
        return Err(Fault::RefreshNotGood.into());
    }
    let wanted = asking.wanted(posted)?;
    let person = owner(asking, &refresh).await?;
    // What was taken back on the account page gives nothing more.
    let told: Scope = (scope.iter())
        .chain(refresh.claims(&scope).scope().iter())
        .collect();
    if !consented(app, asking.client, (person.id, &told)).await? {
        return Err(Fault::RefreshNotGood.into());
    }
    use_up(asking, &refresh, &person).await?;
    let token = AccessToken::of_refresh(&refresh, &scope, wanted, &app.issuer);
    let access_token = asking.write(&token)?;
    let about = (&profile(&person), &app.issuer);
    let id_token = IdToken::for_refresh(&refresh, &scope, about, now.0);
    let id_token = asking.sign(&id_token.with_access_token(&access_token))?;
    app.metrics.tokens.inc();
    let next = match asking.client.rotates() {
        true => seal(app, &refresh.successor()),
        false => request.token.clone(),
    };
    Ok(TokenAnswer::new(access_token, ACCESS_S, scope.to_string())
        .with_kind(token.kind())
        .with_id_token(id_token)
        .with_refresh_token(Some(next))
        .answer())
}

/// Moves the family on. Where tokens are bound to a key and do not rotate, it stays where it is, and the
/// token must be the one that is due.
async fn use_up(asking: &Asking<'_>, refresh: &Refresh, person: &Person) -> Result<(), Stopped> {
    let app = asking.app;
    let Some(family) = code_of(&refresh.family) else {
        return Err(Failure::Impossible("a sealed refresh token without a family").into());
    };
    let by = asking.by(Some(person.id), "token");
    let application = refresh.client_id.clone();
    if !asking.client.rotates() {
        let due = app.store.refresh_due(&family, app.world.now()).await?;
        if due != Some(refresh.number) {
            return Err(Fault::RefreshNotGood.into());
        }
        let again = false;
        let renewed = Happened::TokenRenewed { application, again };
        app.store.audit(&renewed, &by).await?;
        return Ok(());
    }
    let renewal = Renewal {
        application,
        family,
        number: refresh.number,
    };
    match app.store.renew(&renewal, &by).await? {
        Renewed::Yes => Ok(()),
        Renewed::Reused | Renewed::Over => Err(Fault::RefreshNotGood.into()),
    }
}

/// The person, if they are still who they were: not switched off, in a session that lives by the
/// policy's limits unless the family outlives it, with as much proven as the application demands by now.
async fn owner(asking: &Asking<'_>, refresh: &Refresh) -> Result<Person, Stopped> {
    let app = asking.app;
    let id = refresh.subject.parse().ok();
    let id: PersonId = id.ok_or(Fault::RefreshNotGood)?;
    let (person, reached) = match refresh.is_offline() {
        true => {
            let account = app
                .store
                .person(id)
                .await?
                .filter(|account| !account.person.disabled);
            let person = account.ok_or(Fault::RefreshNotGood)?.person;
            (person, at_least(&refresh.acr))
        }
        false => {
            let key = session_of(&refresh.sid).ok_or(Fault::RefreshNotGood)?;
            let session = app.session_unused(id, &key).await?;
            let (session, person) = session.ok_or(Fault::RefreshNotGood)?;
            (person, session.proof.assurance())
        }
    };
    match reached >= minimum(asking.client) {
        true => Ok(person),
        false => Err(Fault::RefreshNotGood.into()),
    }
}

/// What was proven at least, as far as an `acr` of ours tells.
fn at_least(acr: &str) -> Assurance {
    match acr {
        ACR_MFA => Assurance::Strong,
        _ => Assurance::Password,
    }
}
