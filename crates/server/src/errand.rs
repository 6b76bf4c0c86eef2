//! What a person came for in another language than OpenID Connect: what it demands, what it is called,
//! and where they go with a session. It travels sealed in the sign-in page and with the journey.

use journey::{Assurance, Language, Person, Proof, Timestamp, own};
use serde::{Deserialize, Serialize};
use store::SessionRecord;
use wire::oauth::token::CLOCKS_APART_S_MAX;

use crate::{
    app::App,
    catalogue::Catalogue,
    gate::{device, pass, saml, service_ticket},
    page::Link,
};

/// How somebody came, to tell a password that is typed from here on from one that was typed before.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Arrival {
    pub(crate) at: Timestamp,
    /// The session they came with.
    pub(crate) session: Option<[u8; 32]>,
}

impl Arrival {
    /// Whether the password behind a session was typed since then. Whoever came without a session has typed it
    /// since, as far as the clocks of two nodes agree: the one that saw them come need not be the one that saw them
    /// type. Who came with one may only have proven more since, with the password of before: that is told by time alone.
    pub(crate) fn is_before(&self, proof: &Proof, session: &[u8; 32]) -> bool {
        let typed = proof.password().at();
        match &self.session {
            None => typed >= self.at.plus(-CLOCKS_APART_S_MAX),
            Some(before) => before != session && typed >= self.at,
        }
    }
}

/// What a person came for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) enum Errand {
    /// A CAS application.
    Cas(service_ticket::Wanted),
    /// A device of an OAuth application, which waits elsewhere.
    Device(device::Wanted),
    /// An application behind the gate.
    Gate(pass::Wanted),
    /// A page of their own account.
    Own(Own),
    /// A SAML application.
    Saml(saml::Wanted),
}

/// A page of somebody's own account on which they change what they prove with.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Own {
    demand: Assurance,
    page: OwnPage,
    /// A second factor of before is no longer fresh.
    since: Timestamp,
}

/// Which.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OwnPage {
    /// Another app.
    App,
    /// The password.
    Password,
    /// The recovery codes.
    RecoveryCodes,
}

impl Own {
    /// Somebody comes for a page now.
    pub(crate) fn of(page: OwnPage, person: &Person, now: Timestamp) -> Self {
        Self {
            demand: own::demand(person),
            page,
            since: now.plus(-own::FRESH_S),
        }
    }

    /// Whether a session may lead there, perhaps with one step more. With a second factor that is not fresh
    /// they sign in anew.
    fn takes(&self, session: &SessionRecord) -> bool {
        let factor = session.proof.factor();
        factor.is_none_or(|factor| factor.at() > self.since)
    }

    fn path(&self) -> String {
        match self.page {
            OwnPage::App => "/account/app".to_owned(),
            OwnPage::Password => "/account/password".to_owned(),
            OwnPage::RecoveryCodes => "/account/recovery-codes".to_owned(),
        }
    }
}

impl Errand {
    /// What must be proven. An application that vanished demands nothing; nobody gets there either.
    pub(crate) fn demand(&self, catalogue: &Catalogue) -> Assurance {
        match self {
            Self::Cas(wanted) => wanted.demand(catalogue),
            Self::Device(wanted) => wanted.demand(catalogue),
            Self::Gate(wanted) => wanted.demand(catalogue),
            Self::Own(own) => own.demand,
            Self::Saml(wanted) => wanted.demand(catalogue),
        }
    }

    /// Whether a session may speak for it at all.
    pub(crate) fn counts(&self, session: &SessionRecord) -> bool {
        let is_new = |arrival: &Arrival| arrival.is_before(&session.proof, &session.key);
        match self {
            Self::Cas(wanted) => !wanted.renew || is_new(&wanted.arrival),
            Self::Device(wanted) => !wanted.renew || is_new(&wanted.arrival),
            Self::Gate(wanted) => !wanted.renew || is_new(&wanted.arrival),
            Self::Own(own) => own.takes(session),
            Self::Saml(wanted) => wanted.takes(session),
        }
    }

    /// The application in somebody's language, and where it begins.
    pub(crate) fn application(&self, catalogue: &Catalogue, language: Language) -> Option<Link> {
        let name = match self {
            Self::Cas(wanted) => &wanted.application(catalogue)?.name,
            Self::Device(wanted) => &wanted.application(catalogue)?.name,
            Self::Gate(wanted) => &catalogue.site(&wanted.origin)?.name,
            Self::Own(_) => return None,
            Self::Saml(wanted) => wanted.name(catalogue)?,
        };
        let name = match language {
            Language::De => &name.de,
            Language::En => &name.en,
            Language::Fr => &name.fr,
        };
        Some(Link {
            name: name.clone(),
            url: self.entrance(),
        })
    }

    /// Where the application begins a sign-in of its own; a device has none, so its code is typed again.
    pub(crate) fn entrance(&self) -> String {
        match self {
            Self::Cas(wanted) => wanted.service.clone(),
            Self::Device(wanted) => wanted.again(false),
            Self::Gate(wanted) => format!("{}{}", wanted.origin, wanted.uri),
            Self::Own(own) => own.path(),
            Self::Saml(wanted) => wanted.entrance.clone(),
        }
    }

    /// Where the same begins again here; `fresh` for somebody else, who signs in first.
    pub(crate) fn again(&self, app: &App, fresh: bool) -> String {
        match self {
            Self::Cas(wanted) => wanted.again(fresh),
            Self::Device(wanted) => wanted.again(fresh),
            Self::Gate(wanted) => wanted.again(app, fresh),
            Self::Own(_) if fresh => "/login".to_owned(),
            Self::Own(own) => own.path(),
            Self::Saml(wanted) => wanted.again(app, fresh),
        }
    }

    /// Where somebody goes with a session that is enough.
    pub(crate) fn way(&self, app: &App, proof: &Proof, session: &[u8; 32]) -> String {
        match self {
            Self::Cas(wanted) => wanted.way(app, proof, session),
            Self::Device(wanted) => wanted.way(app, session),
            Self::Gate(wanted) => wanted.way(app, session),
            Self::Own(own) => own.path(),
            Self::Saml(wanted) => wanted.again(app, false),
        }
    }
}
