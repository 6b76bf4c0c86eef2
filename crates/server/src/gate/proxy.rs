//! CAS: applications that act for a person at others. Off, unless both are registered for it.
//!
//! Nothing is written for it. A proxy-granting ticket is sealed and names the session; it is worth something
//! while that lives, and never longer than a school day. A look at a session from here is no use of it: an
//! application that comes by itself keeps nobody signed in.

use journey::{Person, PersonId};
use peers::Callback;
use store::{SessionRecord, seal::Purpose};
use wire::cas::{
    Fault, ProxyFault, ProxyRequest, Service,
    proxy::{Acting, Granting, Link, ProxyTicket, iou},
};

use super::assurance;
use crate::{app::App, catalogue::Catalogue, failure::Failure, world::Draw};

/// The domain of sealed proxy-granting tickets.
const GRANTING: &[u8] = b"cas proxy-granting ticket";
/// The domain of sealed proxy tickets.
const TICKET: &[u8] = b"cas proxy ticket";

/// A proxy-granting ticket is brought to an application at one of its registered addresses. What stands about
/// it in the answer.
// [CAS §2.5] "`/serviceValidate` MUST also generate and issue proxy-granting tickets when requested."
pub(super) async fn grant(
    app: &App,
    (link, callback): (Link, &str),
    acting: Acting,
) -> Result<String, Fault> {
    let acting = acting
        .through(link)
        .ok_or(Fault::UnauthorizedServiceProxy)?;
    let granting = Granting {
        id: app.world.id(),
        until: app.world.now().plus(Granting::LIFETIME_S).0,
        acting,
    };
    let sealed = app
        .keys
        .seal(Purpose::RefreshToken, GRANTING, &granting.to_bytes());
    let iou = iou(app.world.bytes());
    let address = Granting::callback(callback, &Granting::text(&sealed), &iou);
    let catalogue = app.catalogue.load_full();
    let (_, _, applications) = &catalogue.senders;
    // [CAS §2.5.4] "proxy authentication MUST fail and CAS MUST respond with the appropriate error code"
    match applications.call(&Callback(address)).await {
        Ok(_) => Ok(iou),
        Err(error) => {
            tracing::info!(%error, "a proxy-granting ticket was not taken");
            Err(Fault::InvalidProxyCallback)
        }
    }
}

/// A proxy ticket for a target, if the person still has the session and everybody may.
pub(crate) async fn proxy_ticket(
    app: &App,
    request: &ProxyRequest,
) -> Result<Result<String, ProxyFault>, Failure> {
    let now = app.world.now();
    let opened = Granting::sealed(&request.granting).and_then(|sealed| {
        let plain = app.keys.open(Purpose::RefreshToken, GRANTING, &sealed);
        Granting::from_bytes(plain.ok()?.expose())
    });
    let Some(granting) = opened.filter(|granting| now.0 < granting.until) else {
        return Ok(Err(ProxyFault::BadGranting));
    };
    // [CAS §3.3.1] "Proxy-granting tickets MUST expire when the client whose authentication is being proxied logs out of CAS."
    let Some((session, _)) = for_whom(app, &granting.acting).await? else {
        return Ok(Err(ProxyFault::BadGranting));
    };
    let catalogue = app.catalogue.load_full();
    let target = catalogue.service(&request.target);
    let may = target.is_some_and(|target| admits(&catalogue, target, &granting.acting, &session));
    if !may {
        return Ok(Err(ProxyFault::UnauthorizedService));
    }
    // [CAS §2.7.1] "the service identifier specified here MUST match the `service` parameter specified to `/proxyValidate` upon validation of the proxy ticket."
    let ticket = ProxyTicket {
        id: app.world.id(),
        service: request.target.hash(),
        until: now.plus(ProxyTicket::LIFETIME_S).0,
        acting: granting.acting,
    };
    let sealed = app
        .keys
        .seal(Purpose::AuthorizationCode, TICKET, &ticket.to_bytes());
    app.metrics.codes.inc();
    Ok(Ok(ProxyTicket::text(&sealed)))
}

/// A proxy ticket of ours, whatever became of it.
pub(super) fn opened(app: &App, text: &str) -> Option<ProxyTicket> {
    let sealed = ProxyTicket::sealed(text)?;
    let plain = app.keys.open(Purpose::AuthorizationCode, TICKET, &sealed);
    ProxyTicket::from_bytes(plain.ok()?.expose())
}

/// The person for whom somebody acts, while they have the session from which that comes.
pub(super) async fn for_whom(
    app: &App,
    acting: &Acting,
) -> Result<Option<(SessionRecord, Person)>, Failure> {
    let person = PersonId(acting.person);
    app.session_unused(person, &acting.session).await
}

/// Whether each of those that act may do so at an application, and enough was proven for it.
pub(super) fn admits(
    catalogue: &Catalogue,
    target: &Service,
    acting: &Acting,
    session: &SessionRecord,
) -> bool {
    let enough = session.proof.assurance() >= assurance(target.minimum);
    let proxies = acting.chain.iter().map(|link| proxy(catalogue, *link));
    let mut admitted = proxies.map(|proxy| proxy.is_some_and(|(id, _)| target.admits(id)));
    enough && admitted.all(|admitted| admitted)
}

/// The callback addresses of those that act, the most recent first; none if one may not any more.
pub(super) fn proxies(catalogue: &Catalogue, acting: &Acting) -> Option<Vec<String>> {
    let all = acting.chain.iter().map(|link| proxy(catalogue, *link));
    all.map(|proxy| proxy.map(|(_, callback)| callback.to_owned()))
        .collect()
}

/// The application that a link names, by its id and its callback address.
fn proxy(catalogue: &Catalogue, link: Link) -> Option<(&str, &str)> {
    let mut enabled = catalogue.services.iter().filter(|service| service.enabled);
    enabled.find_map(|service| Some((service.id.as_str(), service.callback_of(link)?)))
}
