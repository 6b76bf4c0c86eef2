//! Whoever comes for an application that speaks another language than OpenID Connect: on with a session
//! that is enough, else to the pages of the sign-in.

use axum::response::Response;
use journey::login::Enough;

use super::{
    login::{Said, leave, own_session, proceed_page, sign_in_page},
    show,
    visit::Visit,
};
use crate::{app::App, errand::Errand, failure::Failure, page::ProceedWhy, ticket::Purposed};

/// Lets somebody go on their errand. `silent`: whoever has no session that is enough goes on without
/// anything, and is asked nothing.
pub(super) async fn go(
    app: &App,
    visit: &Visit,
    errand: Errand,
    silent: bool,
) -> Result<Response, Failure> {
    let session = own_session(app, visit).await?;
    let session = session.filter(|(session, _)| errand.counts(session));
    let demand = errand.demand(&app.catalogue.load());
    let enough = session.as_ref().map(|(session, person)| {
        let who = (&visit.caller, person);
        app.enough(&session.proof, &session.place, demand, who)
    });
    let entrance = errand.entrance();
    let purpose = Purposed {
        errand: Some(errand),
        ..Purposed::default()
    };
    match (session, enough) {
        (Some((session, person)), Some(Enough::Yes)) => {
            show::see_other(visit, &leave(app, &purpose, (&session, &person)))
        }
        _ if silent => show::see_other(visit, &entrance),
        // The next step may send a message: that takes a click.
        (Some((_, person)), Some(Enough::StepUp)) => {
            proceed_page(app, visit, purpose, (ProceedWhy::StepUp, &person))
        }
        _ => sign_in_page(app, visit, purpose, Said::default()),
    }
}
