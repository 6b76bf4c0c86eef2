//! Applications that register themselves with an invitation, and look after what is registered
//! [RFC 7591] [RFC 7592].
//!
//! Tokens are 256 bits of chance, and only their SHA-256 is kept. What an invitation allows is decision 30.

use std::time::Duration;

use data_encoding::HEXLOWER;
use journey::{Timestamp, limit};
use store::{By, LaneKey, NewRegistration, Registration, RegistrationChange, StoreError};
use wire::{
    Secret,
    jose::SigningAlg,
    oauth::{
        client::{Client, new_secret, secret_digest},
        registration::{Bounds, Own, Refused, Registered, Shown, Wish, bearer, gone},
        token::Answer,
    },
};

use crate::{
    app::{App, Caller},
    cookie::sha256,
    failure::Failure,
    world::Draw,
};

/// How long an application waits until this node knows what it changed.
const LOOK_MAX: Duration = Duration::from_secs(1);

/// A request as it came.
pub(crate) struct Incoming<'a> {
    /// The header of this name.
    pub(crate) authorization: Option<&'a str>,
    /// The body.
    pub(crate) body: &'a [u8],
    /// The header of this name.
    pub(crate) content_type: Option<&'a str>,
}

/// Not answered as asked.
enum Stopped {
    Failure(Failure),
    Refused(Refused),
}

impl From<Refused> for Stopped {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failure(error.into())
    }
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

fn told(outcome: Result<Answer, Stopped>) -> Result<Answer, Failure> {
    match outcome {
        Ok(answer) => Ok(answer),
        Err(Stopped::Failure(failure)) => Err(failure),
        Err(Stopped::Refused(refused)) => {
            tracing::info!(refused = ?refused, "an application was not registered, or not changed");
            Ok(refused.answer())
        }
    }
}

/// An application registers itself.
pub(crate) async fn register(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
) -> Result<Answer, Failure> {
    told(registered(app, caller, incoming).await)
}

async fn registered(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
) -> Result<Answer, Stopped> {
    let now = app.world.now();
    let token = bearer(incoming.authorization)?;
    let invited_by = sha256(token.as_bytes());
    let invitation = app.store.invitation(&invited_by, now).await?;
    let bounds = bounds(&invitation.ok_or(Refused::Token)?.bounds)?;
    charge(app, invited_by).await?;
    let wish = Wish::read(incoming.content_type, incoming.body)?;
    let id = format!("guest-{}", HEXLOWER.encode(&app.world.bytes::<10>()));
    let fresh = Fresh::draw(app);
    let registered = fresh.registered(app, (&wish, &bounds), (&id, None))?;
    let new = NewRegistration {
        application: id,
        document: registered.document(),
        invited_by,
        token: sha256(fresh.token.expose()),
    };
    // Others may have come with the same invitation meanwhile.
    let by = by(app, caller, "registration");
    if !app.store.register(&new, &by).await? {
        return Err(Refused::Token.into());
    }
    look_again(app).await;
    let shown = fresh.shown(app, &registered, now);
    Ok(shown.created())
}

/// An application looks at what is registered of it.
pub(crate) async fn show(app: &App, id: &str, incoming: &Incoming<'_>) -> Result<Answer, Failure> {
    told(seen(app, id, incoming).await)
}

async fn seen(app: &App, id: &str, incoming: &Incoming<'_>) -> Result<Answer, Stopped> {
    let (token, registration) = own(app, id, incoming).await?;
    let shown = Shown {
        at: registration.at.0,
        issuer: &app.issuer,
        registered: &read(&registration)?,
        secret: None,
        token: &token,
    };
    Ok(shown.answer())
}

/// An application changes what is registered of it, all at once. Its token is another one afterwards.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    (id, incoming): (&str, &Incoming<'_>),
) -> Result<Answer, Failure> {
    told(changed(app, caller, (id, incoming)).await)
}

async fn changed(
    app: &App,
    caller: &Caller,
    (id, incoming): (&str, &Incoming<'_>),
) -> Result<Answer, Stopped> {
    let (token, registration) = own(app, id, incoming).await?;
    let former = read(&registration)?;
    let bounds = bounds(&registration.bounds)?;
    let wish = Wish::read(incoming.content_type, incoming.body)?;
    wish.is_a_change_of(&former.client)?;
    let fresh = Fresh::draw(app);
    let registered = fresh.registered(app, (&wish, &bounds), (id, Some(&former.client)))?;
    let change = RegistrationChange {
        application: id.to_owned(),
        document: registered.document(),
        from: sha256(token.expose()),
        to: sha256(fresh.token.expose()),
    };
    let by = by(app, caller, "registration");
    if !app.store.change_registration(&change, &by).await? {
        return Err(Refused::Token.into());
    }
    look_again(app).await;
    let shown = fresh.shown(app, &registered, registration.at);
    Ok(shown.answer())
}

/// An application goes.
pub(crate) async fn remove(
    app: &App,
    caller: &Caller,
    (id, incoming): (&str, &Incoming<'_>),
) -> Result<Answer, Failure> {
    told(removed(app, caller, (id, incoming)).await)
}

async fn removed(
    app: &App,
    caller: &Caller,
    (id, incoming): (&str, &Incoming<'_>),
) -> Result<Answer, Stopped> {
    let (token, _) = own(app, id, incoming).await?;
    let token = sha256(token.expose());
    let by = by(app, caller, "registration");
    if !app.store.remove_registration(id, Some(&token), &by).await? {
        return Err(Refused::Token.into());
    }
    look_again(app).await;
    Ok(gone())
}

/// What nobody knew before: a token, and a secret that may be needed.
struct Fresh {
    secret: Secret,
    token: Secret,
}

impl Fresh {
    fn draw(app: &App) -> Self {
        Self {
            secret: new_secret(app.world.bytes()),
            token: new_secret(app.world.bytes()),
        }
    }

    fn registered(
        &self,
        app: &App,
        (wish, bounds): (&Wish, &Bounds),
        (id, former): (&str, Option<&Client>),
    ) -> Result<Registered, Refused> {
        let algs: Vec<SigningAlg> = app.catalogue.load().ring.algs().collect();
        let own = Own {
            algs: &algs,
            former,
            id,
            mtls: app.issuer.mtls().is_some(),
            now: app.world.now().0,
            secret_sha256: &secret_digest(self.secret.expose()),
        };
        wish.registered(bounds, &own)
    }

    fn shown<'a>(&'a self, app: &'a App, registered: &'a Registered, at: Timestamp) -> Shown<'a> {
        let digest = secret_digest(self.secret.expose());
        let is_new = registered.client.secret_sha256.as_ref() == Some(&digest);
        Shown {
            at: at.0,
            issuer: &app.issuer,
            registered,
            secret: is_new.then_some(&self.secret),
            token: &self.token,
        }
    }
}

/// What is registered of the application that shows its token.
async fn own(
    app: &App,
    id: &str,
    incoming: &Incoming<'_>,
) -> Result<(Secret, Registration), Stopped> {
    // Ours are of letters, digits and dashes; not every engine can be asked for every sign.
    if !id
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(Refused::Token.into());
    }
    let token = bearer(incoming.authorization)?;
    let digest = sha256(token.as_bytes());
    let found = app.store.registration(id, &digest).await?;
    let registration = found.ok_or(Refused::Token)?;
    charge(app, sha256(id.as_bytes())).await?;
    Ok((Secret::new(token.as_bytes().to_vec()), registration))
}

/// Each request of an invitation or an application counts. One without a right token does not: a stranger would
/// close the way for others behind the same address, and a token of 256 bits is not guessed.
async fn charge(app: &App, whose: [u8; 32]) -> Result<(), Stopped> {
    let lane = LaneKey::Registration(whose);
    let (rule, now) = (&limit::REGISTRATION, app.world.now());
    match app.store.spend_try(&lane, rule, now).await? {
        Ok(_) => Ok(()),
        Err(_) => Err(Refused::TooMany.into()),
    }
}

/// This node knows at once; the others hear of it as of any change.
async fn look_again(app: &App) {
    // What is committed is answered in time, however long others' parts of the configuration take.
    let Ok(read) = tokio::time::timeout(LOOK_MAX, app.reload()).await else {
        return;
    };
    if let Err(error) = read {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(error, "the registrations of this moment could not be read");
    }
}

fn by(app: &App, caller: &Caller, through: &str) -> By {
    app.by(caller, &app.world.support_code(), through)
}

fn bounds(document: &str) -> Result<Bounds, Failure> {
    Bounds::read(document).map_err(|wrong| unreadable(&wrong))
}

fn read(registration: &Registration) -> Result<Registered, Failure> {
    Registered::read(&registration.document).map_err(|wrong| unreadable(&wrong))
}

fn unreadable(wrong: &str) -> Failure {
    tracing::error!(wrong, "a registration cannot be read");
    Failure::Impossible("a registration that was written here cannot be read")
}
