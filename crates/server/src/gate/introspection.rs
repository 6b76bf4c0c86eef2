//! `/introspect` and `/revoke`: what a token is worth, and that it is worth nothing any more.

use store::Revocation;
use wire::oauth::{
    access_token::AccessToken,
    introspection::{self, Introspection},
    refresh::Refresh,
    token::{Answer, Fault, Incoming, NO_STORE, Posted},
};

use super::{
    access::{self, Owner},
    code_of, refresh,
    stopped::{Stopped, told},
    token::{Asking, asking},
};
use crate::{
    app::{App, Caller},
    catalogue::Catalogue,
    failure::Failure,
    world::Draw,
};

/// A token of ours, whatever became of it.
enum Token {
    Access(AccessToken),
    Refresh(Refresh),
}

fn read(app: &App, catalogue: &Catalogue, text: &str) -> Option<Token> {
    match access::open(app, catalogue, text) {
        Some(access) => Some(Token::Access(access)),
        None => refresh::open(app, text).map(Token::Refresh),
    }
}

/// A request to have a token explained.
pub(crate) async fn introspect(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
    accept: Option<&str>,
) -> Result<Answer, Failure> {
    let catalogue = app.catalogue.load_full();
    let outcome = async {
        let posted = Posted::read(incoming)?;
        let asking = asking(app, caller, &catalogue, &posted).await?;
        introspection::may_ask(asking.client)?;
        let found = explain(&asking, introspection::token(&posted)?).await?;
        if !introspection::wants_statement(asking.client, accept) {
            return Ok(found.answer());
        }
        let now = app.world.now().0;
        let (us, chance) = ((&app.issuer, &catalogue.ring), app.world.bytes());
        let signed = found.sign(asking.client, us, now, &chance);
        let signed = signed.map_err(|error| Failure::Sign(Box::new(error)))?;
        Ok(signed.ok_or(Failure::Impossible(
            "no signing key for what an application is told",
        ))?)
    };
    told(app, outcome.await)
}

async fn explain(asking: &Asking<'_>, text: &str) -> Result<Introspection, Stopped> {
    let (app, client) = (asking.app, asking.client);
    // [RFC 7662 §4] "If the token can expire, the authorization server MUST determine whether or not the token has expired."
    // [RFC 7662 §4] "If the token can be revoked after it was issued, the authorization server MUST determine whether or not such a revocation has taken place."
    Ok(match read(app, asking.catalogue, text) {
        Some(Token::Access(token)) if introspection::concerns(&token, client) => {
            match access::owner(app, asking.catalogue, &token).await? {
                Some(Owner::Application | Owner::Person(_)) => Introspection::of_access(token),
                None => Introspection::inactive(),
            }
        }
        Some(Token::Refresh(token)) if token.client_id == client.id => {
            let due = match code_of(&token.family) {
                Some(family) => app.store.refresh_due(&family, app.world.now()).await?,
                None => None,
            };
            match due == Some(token.number) {
                true => Introspection::of_refresh(token, &app.issuer),
                false => Introspection::inactive(),
            }
        }
        _ => Introspection::inactive(),
    })
}

/// A request to take a token back. With it goes all that the same code gave.
pub(crate) async fn revoke(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
) -> Result<Answer, Failure> {
    let catalogue = app.catalogue.load_full();
    let outcome = async {
        let posted = Posted::read(incoming)?;
        let asking = asking(app, caller, &catalogue, &posted).await?;
        take_back(&asking, introspection::token(&posted)?).await?;
        // [RFC 7009 §2.2] "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the client submitted an invalid token."
        Ok(Answer {
            status: 200,
            headers: NO_STORE.to_vec(),
            body: b"{}".to_vec(),
        })
    };
    told(app, outcome.await)
}

async fn take_back(asking: &Asking<'_>, text: &str) -> Result<(), Stopped> {
    let app = asking.app;
    let (owner, code) = match read(app, asking.catalogue, text) {
        None => return Ok(()),
        Some(Token::Access(token)) => {
            let code = token.code().map(str::to_owned);
            (token.client_id, code)
        }
        Some(Token::Refresh(token)) => (token.client_id, Some(token.family)),
    };
    // [RFC 7009 §2.1] "verifies whether the token was issued to the client making the revocation request."
    if owner != asking.client.id {
        return Err(Fault::TokenOfAnother.into());
    }
    // [RFC 7009 §2] "Implementations MUST support the revocation of refresh tokens and SHOULD support the revocation of access tokens"
    // [RFC 7009 §2.1] "If the particular token is a refresh token and the authorization server supports the revocation of access tokens, then the authorization server SHOULD also invalidate all access tokens based on the same authorization grant"
    let code = code.ok_or(Fault::TokenNotRevocable)?;
    if let Some(code) = code_of(&code) {
        let revocation = Revocation {
            application: owner,
            code,
        };
        let by = asking.by(None, "revoke");
        app.store.revoke(&revocation, &by).await?;
    }
    Ok(())
}
