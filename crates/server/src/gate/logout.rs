//! What applications are told when a session ends, without a browser between: Back-Channel Logout.

use journey::PersonId;
use peers::News;
use store::{Participant, StoreError};
use wire::{
    oauth::client::Client,
    oidc::logout_token::{Ended, LogoutToken},
};

use super::{saml, service_ticket, sid};
use crate::{app::App, world::Draw};

/// Why an application is not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untold {
    /// It is told in the browser that signs out, and nowhere else.
    #[error("the application hears it in the browser")]
    InTheBrowser,
    /// It was taken out, switched off, or wants no news any more.
    #[error("the application has no address for it any more")]
    NoAddress,
    /// There is no key for its algorithm.
    #[error("the news could not be signed")]
    Sign(#[from] wire::oidc::id_token::IdTokenError),
}

/// An application reaches a session. If it wants to hear of the end, that is remembered before it gets
/// anything.
// [Back-Channel Logout §2.3] "need to keep track of the set of logged-in RPs"
pub(super) async fn takes_part(
    app: &App,
    client: &Client,
    session: [u8; 32],
) -> Result<(), StoreError> {
    // [Front-Channel Logout §3] "OPs supporting HTTP-based logout need to keep track of the set of logged-in RPs"
    if client.backchannel_logout_uri.is_none() && client.frontchannel_logout_uri.is_none() {
        return Ok(());
    }
    let participant = Participant {
        application: client.id.clone(),
        session,
    };
    // A session that is over gives nothing either: the code that led here is refused.
    let _lives = app.store.participate(&participant, app.world.now()).await?;
    Ok(())
}

/// What an application is told of the end of a person's session, and where.
pub(crate) fn news(app: &App, participant: &Participant, person: PersonId) -> Result<News, Untold> {
    if service_ticket::takes_part(&participant.application) {
        return service_ticket::news(app, &participant.application).ok_or(Untold::NoAddress);
    }
    if saml::is_participant(&participant.application) {
        return saml::news(app, participant, person).ok_or(Untold::NoAddress);
    }
    let catalogue = app.catalogue.load();
    let client = catalogue.application(&participant.application);
    let client = client.ok_or(Untold::NoAddress)?;
    if client.backchannel_logout_uri.is_none() && client.frontchannel_logout_uri.is_some() {
        return Err(Untold::InTheBrowser);
    }
    let to = client.backchannel_logout_uri.clone();
    let ended = Ended {
        client_id: &client.id,
        sid: &sid(&participant.session),
        subject: &client.known_as(&person.to_string()),
    };
    let now = app.world.now().0;
    let token = LogoutToken::new(&app.issuer, ended, now, app.world.id());
    Ok(News {
        to: to.ok_or(Untold::NoAddress)?,
        form: token.form(&catalogue.ring, client.id_token_alg)?,
    })
}
