//! SAML: responses are made here, from a session whose proof only the journeys can make.
//!
//! The authentication context class comes from the proof and from nothing else.

use journey::{Assurance, Happened, Person, PersonId, Place, Timestamp};
use peers::News;
use serde::{Deserialize, Serialize};
use store::{By, Participant, SessionRecord, seal::Purpose};
use wire::{
    oauth::client::Name,
    oidc::claims::Profile,
    saml::{
        AuthnRequest, Fault, Idp, NameIdFormat, Outgoing, Statement, Whom,
        application::Known,
        context, logout,
        response::{Encrypting, Making},
    },
};

use super::{assurance, level, profile};
use crate::{
    app::{App, Caller},
    catalogue::Catalogue,
    errand::Arrival,
    failure::Failure,
    saml::Registered,
    ticket,
    world::Draw,
};

/// The domain of wishes.
const KIND: &str = "saml wish";
/// How long a request may lie open, in seconds.
pub(crate) const WANTED_S: i64 = 3600;

/// A person on the way to a SAML application.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Wanted {
    /// What the application asked for, verified.
    pub(crate) request: AuthnRequest,
    /// Where the person begins a sign-in of their own.
    pub(crate) entrance: String,
    /// The password must be typed for this.
    #[serde(default)]
    pub(crate) renew: bool,
    /// How they came with cookies that count; none before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arrival: Option<Arrival>,
    pub(crate) until: Timestamp,
}

/// What becomes of somebody with a session that is enough.
pub(crate) enum Verdict {
    /// A message for the application.
    Answer(Outgoing, Option<Known>),
    /// They may not enter, which the application is told, too.
    NotForYou(Outgoing),
}

impl Wanted {
    /// What an application asked for, or a person who begins here.
    pub(crate) fn of(app: &App, request: AuthnRequest, registered: &Registered) -> Self {
        let now = app.world.now();
        let entrance = match registered.application.unsolicited {
            true => format!("/saml/start/{}", registered.application.id),
            false => "/account".to_owned(),
        };
        Self {
            request,
            entrance,
            renew: false,
            arrival: None,
            until: now.plus(WANTED_S),
        }
    }

    /// Reads what [`Wanted::again`] wrote, if its time is not over and neither is the application's metadata.
    pub(crate) fn read(app: &App, text: &str) -> Option<Self> {
        let wanted: Self = ticket::open(&app.keys, Purpose::SignInTicket, KIND, text)?;
        let catalogue = app.catalogue.load();
        let now = app.world.now();
        let known = wanted.registered(&catalogue);
        let known = known.is_some_and(|known| known.provider.is_valid(now.0));
        Some(wanted).filter(|wanted| known && now < wanted.until)
    }

    /// The application, if it is still registered with the address that the answer goes to.
    pub(crate) fn registered<'c>(&self, catalogue: &'c Catalogue) -> Option<&'c Registered> {
        let known = catalogue.saml.entity(&self.request.issuer)?;
        let mut consumers = known.provider.consumers.iter();
        let is_there = consumers.any(|one| {
            one.location == self.request.consumer && one.delivery == self.request.delivery
        });
        is_there.then_some(known)
    }

    /// What people call the application.
    pub(crate) fn name<'c>(&self, catalogue: &'c Catalogue) -> Option<&'c Name> {
        self.registered(catalogue)
            .map(|known| &known.application.name)
    }

    /// The registered minimum, or what is asked for if that is more.
    pub(crate) fn demand(&self, catalogue: &Catalogue) -> Assurance {
        let minimum = self
            .registered(catalogue)
            .map(|known| known.application.minimum);
        let asked = self
            .request
            .requested
            .as_ref()
            .and_then(context::Requested::demand);
        let level = minimum.unwrap_or_default().max(asked.unwrap_or_default());
        assurance(level)
    }

    /// Whether a session may speak for it: any at all, or one whose password was typed since they came.
    pub(crate) fn takes(&self, session: &SessionRecord) -> bool {
        let earlier = self.request.accepts_earlier_proof() && !self.renew;
        let since = |one: &Arrival| one.is_before(&session.proof, &session.key);
        earlier || self.arrival.as_ref().is_some_and(since)
    }

    /// The same, from the first moment at which the browser's cookies count. The session that is there by
    /// then was there before, however short the time.
    pub(crate) fn arrived(self, app: &App, session: Option<[u8; 32]>) -> Self {
        let arrival = self.arrival.unwrap_or_else(|| Arrival {
            at: app.world.now(),
            session,
        });
        Self {
            arrival: Some(arrival),
            ..self
        }
    }

    /// The address at which the same goes on; `fresh` for somebody else, who signs in first.
    pub(crate) fn again(&self, app: &App, fresh: bool) -> String {
        let mut wanted = self.clone();
        if fresh {
            (wanted.renew, wanted.arrival) = (true, None);
        }
        let sealed = ticket::seal(&app.keys, Purpose::SignInTicket, KIND, &wanted);
        format!("/saml/continue?want={sealed}")
    }
}

/// The domain of scoped attributes.
pub(crate) fn scope(app: &App) -> &str {
    app.settings.host()
}

/// How an application knows a person in a session.
pub(crate) fn known(
    app: &App,
    registered: &Registered,
    format: Option<wire::saml::NameIdFormat>,
    (person, session): (&Person, &[u8; 32]),
) -> Option<Known> {
    let (id, profile) = (person.id.to_string(), profile(person));
    let whom = Whom {
        person: &id,
        session,
        methods: &[],
        profile: &profile,
        scope: scope(app),
    };
    registered.application.known(format, whom)
}

/// A response for an application, about the person of a session that is enough for its demand.
pub(crate) async fn respond(
    app: &App,
    caller: &Caller,
    wanted: &Wanted,
    (session, person): (&SessionRecord, &Person),
) -> Result<Verdict, Failure> {
    let catalogue = app.catalogue.load_full();
    let Some(registered) = wanted.registered(&catalogue) else {
        return Err(Failure::Impossible(
            "a SAML application vanished at its gate",
        ));
    };
    let profile = profile(person);
    if !registered.application.lets_in(&profile.groups) {
        // [Core §3.4.1.4] "if prevented from providing an assertion by policies in effect at the identity provider"
        return Ok(Verdict::NotForYou(refusal(app, wanted, Fault::Denied)?));
    }
    let assurance = session.proof.assurance();
    let reached = level(assurance);
    let class = match &wanted.request.requested {
        None => Some(context::earned(reached)),
        Some(requested) => requested.answer(reached),
    };
    let Some(class) = class else {
        return Ok(Verdict::Answer(refusal(app, wanted, Fault::Context)?, None));
    };
    let scene = (registered, session, person);
    let Some(statement) = statement(app, (&catalogue, wanted), scene, class) else {
        let message = refusal(app, wanted, Fault::NameIdPolicy)?;
        return Ok(Verdict::Answer(message, None));
    };
    let named = (session.key, statement.name_id.format);
    if !takes_part(app, registered, named).await? {
        return Ok(Verdict::Answer(
            refusal(app, wanted, Fault::AuthnFailed)?,
            None,
        ));
    }
    let encrypting = registered.application.encrypt.then(|| Encrypting {
        to: &registered.provider,
        cipher: (registered.application.cipher).unwrap_or(registered.provider.cipher),
    });
    let message = made(app, |making| {
        making.response(&wanted.request, &statement, encrypting)
    })?;
    let issued = Happened::TokenIssued {
        assurance,
        application: registered.application.id.clone(),
    };
    let by = By {
        person: Some(person.id),
        place: Place::clone(&caller.place),
        ..app.by(caller, "", "saml")
    };
    app.store.audit(&issued, &by).await?;
    app.metrics.tokens.inc();
    let known = Known {
        name_id: statement.name_id,
        session_index: statement.session_index,
    };
    Ok(Verdict::Answer(message, Some(known)))
}

/// What marks a participant as a SAML application: no id of another one has a space in it.
const PARTICIPANT: &str = "saml ";

/// An application that hears of the end by itself takes part in the session, before it gets anything: false
/// if the session is over by now, so that it would never hear of its end.
async fn takes_part(
    app: &App,
    registered: &Registered,
    (session, format): ([u8; 32], NameIdFormat),
) -> Result<bool, Failure> {
    let application = &registered.application;
    if !application.hears(format) {
        return Ok(true);
    }
    let participant = Participant {
        application: format!("{PARTICIPANT}{} {}", application.id, format.uri()),
        session,
    };
    Ok(app.store.participate(&participant, app.world.now()).await?)
}

/// Whether a participant is a SAML application.
pub(super) fn is_participant(name: &str) -> bool {
    name.starts_with(PARTICIPANT)
}

/// What a SAML application is told of the end of a person's session; none if it is not registered, or not
/// for this, any more.
pub(super) fn news(app: &App, participant: &Participant, person: PersonId) -> Option<News> {
    let named = participant.application.strip_prefix(PARTICIPANT)?;
    let (id, format) = named.split_once(' ')?;
    let format = NameIdFormat::of_uri(format)?;
    let catalogue = app.catalogue.load();
    let registered = catalogue.saml.application(id)?;
    let now = app.world.now();
    let is_known = registered.provider.is_valid(now.0) && registered.application.hears(format);
    is_known.then_some(())?;
    let whom = Whom {
        person: &person.to_string(),
        session: &participant.session,
        methods: &[],
        profile: &Profile::default(),
        scope: scope(app),
    };
    let known = registered.application.known(Some(format), whom)?;
    let credentials = catalogue.saml.credentials(&catalogue.ring, now);
    let making = logout::Making {
        speaker: &Idp::of(&app.issuer).entity_id,
        credential: credentials.first()?,
        now: now.0,
        chance: &app.world.bytes(),
    };
    let to = registered.provider.party();
    let message = making.news(to, &known.name_id, &known.session_index)?;
    Some(News {
        form: message.form(),
        to: message.to,
    })
}

/// What is stated; none if the person has no name of the kind that is asked for.
fn statement(
    app: &App,
    (catalogue, wanted): (&Catalogue, &Wanted),
    (registered, session, person): (&Registered, &SessionRecord, &Person),
    class: &'static str,
) -> Option<Statement> {
    let (id, profile) = (person.id.to_string(), profile(person));
    let whom = Whom {
        person: &id,
        session: &session.key,
        methods: &session.proof.amr(),
        profile: &profile,
        scope: scope(app),
    };
    let known = registered.application.known(wanted.request.name_id, whom)?;
    let absolute = i64::from(catalogue.policy.session.absolute_s);
    Some(Statement {
        name_id: known.name_id,
        auth_instant: session.proof.at().0,
        session_index: known.session_index,
        session_until: session.created.plus(absolute).0,
        class,
        attributes: registered.application.released(whom),
    })
}

/// A response that says why there is no assertion.
pub(crate) fn refusal(app: &App, wanted: &Wanted, fault: Fault) -> Result<Outgoing, Failure> {
    tracing::info!(?fault, "a SAML request was not granted");
    made(app, |making| making.refusal(&wanted.request, fault))
}

fn made(
    app: &App,
    make: impl FnOnce(&Making<'_>) -> Option<Outgoing>,
) -> Result<Outgoing, Failure> {
    let catalogue = app.catalogue.load();
    let now = app.world.now();
    let credentials = catalogue.saml.credentials(&catalogue.ring, now);
    let credential = credentials.first().ok_or(Failure::Impossible(
        "a SAML message without an RSA key to sign it",
    ))?;
    let making = Making {
        idp: &Idp::of(&app.issuer),
        credential,
        now: now.0,
        chance: &app.world.bytes(),
    };
    make(&making).ok_or(Failure::Impossible(
        "a SAML message could not be signed or encrypted",
    ))
}
