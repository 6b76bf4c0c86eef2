//! Access tokens: sealed tickets that only we can read, or JWTs for interfaces that want to read them by
//! themselves. See `docs/decisions/0012-access-tokens-are-opaque.md`.

use data_encoding::BASE64URL_NOPAD;
use store::{Account, seal::Purpose};
use wire::{
    certificate::Chain,
    oauth::{
        access_token::{AccessToken, Wanted},
        client::{AccessTokenForm, Client},
        client_credentials,
        confirmation::Confirmation,
        dpop::Request,
        scope::Scope,
        token::{CLOCKS_APART_S_MAX, Fault, Posted},
    },
    oidc::{
        Issuer,
        userinfo::{self, Teller, Told},
    },
};

use super::{
    code_of,
    dpop::{self, Unproven},
    profile, session_of,
    token::Asking,
};
use crate::{app::App, catalogue::Catalogue, failure::Failure, ticket, world::Draw};

/// How long an access token is good for, in seconds.
pub(super) const ACCESS_S: u32 = AccessToken::LIFETIME_S as u32;
/// The domain of sealed access tokens.
const KIND: &str = "access token";

impl Asking<'_> {
    /// What the access token is wanted for.
    pub(super) fn wanted(&self, posted: &Posted) -> Result<Wanted, Fault> {
        Ok(Wanted {
            resources: client_credentials::resources(posted, self.client)?,
            id: BASE64URL_NOPAD.encode(&self.app.world.id()),
            bound: self.bound.clone(),
            now: self.app.world.now().0,
        })
    }

    /// The token as this application gets it.
    pub(super) fn write(&self, token: &AccessToken) -> Result<String, Failure> {
        match self.client.access_token {
            AccessTokenForm::Opaque => Ok(seal(self.app, token)),
            AccessTokenForm::Jwt => {
                let signed = token.sign(&self.catalogue.ring, self.client.access_token_alg);
                let signed = signed.map_err(|error| Failure::Sign(Box::new(error)))?;
                signed.ok_or(Failure::Impossible(
                    "no signing key for the access tokens of an application",
                ))
            }
        }
    }
}

fn seal(app: &App, token: &AccessToken) -> String {
    ticket::seal(&app.keys, Purpose::AccessToken, KIND, token)
}

/// An access token of ours in either form, whose time is neither over nor further off than one lives.
pub(super) fn open(app: &App, catalogue: &Catalogue, text: &str) -> Option<AccessToken> {
    let now = app.world.now().0;
    let token = match text.contains('.') {
        true => AccessToken::read(text, &catalogue.ring, &app.issuer, now).ok()?,
        false => ticket::open(&app.keys, Purpose::AccessToken, KIND, text)?,
    };
    let latest = now.saturating_add(AccessToken::LIFETIME_S + CLOCKS_APART_S_MAX);
    (now < token.exp && token.exp <= latest).then_some(token)
}

/// What a token hangs on, if all of it is still there.
pub(super) enum Owner {
    /// No person: the application itself.
    Application,
    /// Somebody who is not switched off.
    Person(Box<Account>),
}

/// Whose a token is; none if anything that it hangs on is over.
pub(super) async fn owner(
    app: &App,
    catalogue: &Catalogue,
    token: &AccessToken,
) -> Result<Option<Owner>, Failure> {
    if catalogue.application(&token.client_id).is_none() {
        return Ok(None);
    }
    let Some(sid) = &token.sid else {
        return Ok(Some(Owner::Application));
    };
    let (Some(code), Some(session)) = (token.code().and_then(code_of), session_of(sid)) else {
        return Ok(None);
    };
    let account = app.store.redeemed(&code, &session).await?;
    let account = account.filter(|account| !account.person.disabled);
    Ok(account.map(Box::new).map(Owner::Person))
}

/// A request to `/userinfo`.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The header `Authorization`.
    pub(crate) authorization: Option<&'a str>,
    /// The certificate of which the connection has proven the key.
    pub(crate) certificate: Option<&'a Chain>,
    /// `GET` or `POST`.
    pub(crate) method: &'a str,
    /// The header `DPoP`.
    pub(crate) proof: Option<&'a str>,
}

/// What `/userinfo` says to whoever shows an access token.
pub(crate) async fn userinfo(
    app: &App,
    asked: Asked<'_>,
) -> Result<Result<userinfo::Answer, userinfo::Fault>, Failure> {
    let (text, with_key) = match userinfo::shown(asked.authorization) {
        Ok(shown) => shown,
        Err(fault) => return Ok(Err(fault)),
    };
    let catalogue = app.catalogue.load_full();
    let token = open(app, &catalogue, text).filter(|token| is_for_us(token, &app.issuer));
    let Some(token) = token else {
        return Ok(Err(userinfo::Fault::TokenNotGood));
    };
    let client = catalogue.application(&token.client_id);
    let strict = client.is_some_and(Client::is_fapi);
    if let Err(fault) = shows_its_key(app, (&token, strict), (text, with_key), asked).await? {
        return Ok(Err(fault));
    }
    let Some(Owner::Person(account)) = owner(app, &catalogue, &token).await? else {
        return Ok(Err(userinfo::Fault::TokenNotGood));
    };
    let Some(client) = catalogue.application(&token.client_id) else {
        return Ok(Err(userinfo::Fault::TokenNotGood));
    };
    let told = Told {
        subject: &token.sub,
        profile: &profile(&account.person),
        scope: &Scope::understood(&token.scope),
        named: &token.userinfo,
    };
    let teller = Teller {
        issuer: &app.issuer,
        ring: &catalogue.ring,
        chance: &app.world.bytes(),
    };
    let answer = userinfo::answer(&told, client, &teller);
    answer
        .map(Ok)
        .map_err(|error| Failure::Sign(Box::new(error)))
}

/// A token that is bound to a key counts with a proof of that key, one that is bound to a certificate on a
/// connection with that certificate, and any other without either.
async fn shows_its_key(
    app: &App,
    (token, strict): (&AccessToken, bool),
    (text, with_key): (&str, bool),
    asked: Asked<'_>,
) -> Result<Result<(), userinfo::Fault>, Failure> {
    let key = match (&token.cnf, with_key) {
        (Some(Confirmation::Key(key)), _) => key,
        (_, true) => return Ok(Err(userinfo::Fault::TokenNotGood)),
        (Some(Confirmation::Certificate(bound)), _) => return Ok(shows_it(asked, bound)),
        (None, false) => return Ok(Ok(())),
    };
    // [RFC 9449 §7.2] "a protected resource MUST reject a DPoP-bound access token received as a bearer token"
    let Some(proof) = asked.proof.filter(|_| with_key) else {
        return Ok(Err(userinfo::Fault::KeyNotProven));
    };
    let request = Request {
        method: asked.method,
        url: &app.issuer.userinfo_endpoint(),
        access_token: Some(text),
        without_rs256: strict,
    };
    Ok(match dpop::shown(app, proof, &request).await? {
        Ok(shown) if shown == *key => Ok(()),
        Err(Unproven::NonceMissing) => Err(userinfo::Fault::NonceMissing),
        Ok(_) | Err(Unproven::NotGood) => Err(userinfo::Fault::KeyNotProven),
    })
}

/// Whether the connection has shown this certificate.
// [RFC 8705 §3] "The protected resource MUST obtain, from its TLS implementation layer, the client certificate used for mutual TLS and MUST verify that the certificate matches the certificate associated with the access token. If they do not match, the resource access attempt MUST be rejected with an error, per [RFC6750], using an HTTP 401 status code and the "invalid_token" error code."
fn shows_it(asked: Asked<'_>, bound: &str) -> Result<(), userinfo::Fault> {
    let shown = asked.certificate.map(Chain::thumbprint);
    match shown.is_some_and(|shown| shown == bound) {
        true => Ok(()),
        false => Err(userinfo::Fault::CertificateNotShown),
    }
}

/// A token for another interface says nothing here.
fn is_for_us(token: &AccessToken, issuer: &Issuer) -> bool {
    token.opens(issuer.as_str(), token.iat)
}
