//! Devices that somebody lets in elsewhere: their codes, what a person who types one came for, and their
//! tokens [RFC 8628].
//!
//! A device is let in with the session of whoever says yes, and hangs on it from then on like everything
//! that an authorization code gives. When it comes for its tokens, that person is looked at again.

use std::net::IpAddr;

use data_encoding::BASE64URL_NOPAD;
use journey::{Assurance, Happened, Place, Proof, Timestamp, limit};
use serde::{Deserialize, Serialize};
use store::{AllowedDevice, AskedDevice, By, DevicePoll, LaneKey, NewDevice, key, seal::Purpose};
use wire::{
    Secret,
    oauth::{
        client::{Client, GrantName, Kind},
        device::{self, Codes, DeviceRequest, LIFETIME_S, UserCode},
        scope::Scope,
        token::{Answer, CLOCKS_APART_S_MAX, Fault, Grant, Incoming, Posted},
    },
    oidc::claims::Named,
};

use super::{
    acr, consented, minimum, sid,
    stopped::{Stopped, told},
    token::{Asking, Earned, asking, give},
};
use crate::{
    app::{App, Caller},
    catalogue::Catalogue,
    cookie::sha256,
    errand::Arrival,
    failure::Failure,
    ticket,
    world::Draw,
};

/// The domain of the sealed question.
const KIND: &str = "device";
/// How long the question may lie open, in seconds: no longer than a code lives.
const ASKED_S: i64 = LIFETIME_S;
/// So many codes are drawn before it is no accident any more that other devices show them.
const DRAWS_MAX: usize = 8;

// --- The application asks for codes ----------------------------------------------------------------

/// A request for the codes of a device.
pub(crate) async fn ask(
    app: &App,
    caller: &Caller,
    incoming: &Incoming<'_>,
) -> Result<Answer, Failure> {
    let catalogue = app.catalogue.load_full();
    let outcome = async {
        let posted = Posted::read(incoming)?;
        // [RFC 8628 §3.1] "confidential clients (those that have established client credentials) authenticate in the same manner as when making requests to the token endpoint"
        let asking = asking(app, caller, &catalogue, &posted).await?;
        if !asking.client.may(GrantName::DeviceCode) {
            return Err(Fault::GrantNotAllowed.into());
        }
        let scope = device::scope(&posted, asking.client)?;
        let lane = lane(asking.client, caller.address);
        let (rule, now) = (&limit::DEVICE_ASKED, app.world.now());
        match app.store.spend_try(&lane, rule, now).await? {
            Ok(_) => remember(&asking, &scope).await,
            Err(_) => Err(Fault::DevicesTooMany.into()),
        }
    };
    told(app, outcome.await)
}

/// The budget that a request spends. Whoever has a public client's id may ask in its name, each from their own
/// network; an application with a secret may have one address for all its devices.
fn lane(client: &Client, address: Option<IpAddr>) -> LaneKey {
    let id = sha256(client.id.as_bytes());
    match client.kind {
        Kind::Confidential => LaneKey::DeviceAsked(id),
        Kind::Native | Kind::Public => {
            LaneKey::DeviceAskedFrom(sha256(&[id, network(address)].concat()))
        }
    }
}

/// Draws the codes, and remembers them.
async fn remember(asking: &Asking<'_>, scope: &Scope) -> Result<Answer, Stopped> {
    let (app, now) = (asking.app, asking.app.world.now());
    let device: [u8; 32] = key::stamped(now, app.world.bytes());
    let by = By {
        place: asking.caller.place.clone(),
        ..asking.by(None, "device authorization")
    };
    for _ in 0..DRAWS_MAX {
        let user = UserCode::draw(app.world.bytes());
        let new = NewDevice {
            application: asking.client.id.clone(),
            code: app.world.id(),
            key: key::of_secret(&device),
            scope: scope.to_string(),
            until: now.plus(LIFETIME_S),
            user_code: user.as_str().to_owned(),
        };
        if app.store.ask_device(&new, &by).await? {
            app.metrics.devices_asked.inc();
            let codes = Codes {
                device: &Secret::new(device.to_vec()),
                user: &user,
                interval_s: store::PACE_S,
            };
            return Ok(codes.answer(&app.issuer));
        }
    }
    Err(Failure::Impossible("other devices show every code that is drawn").into())
}

/// Where somebody calls from: an address, or the network of a household or a school.
pub(super) fn network(address: Option<IpAddr>) -> [u8; 32] {
    match address.map(|address| address.to_canonical()) {
        None => sha256(&[]),
        Some(IpAddr::V4(four)) => sha256(&four.octets()),
        // Whoever has one address of version 6 has all of the last eight bytes.
        Some(IpAddr::V6(six)) => sha256(six.octets().split_at(8).0),
    }
}

// --- The person types the short one ----------------------------------------------------------------

/// A person on the way to a device.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Wanted {
    /// The client id.
    pub(crate) application: String,
    /// How they came.
    pub(crate) arrival: Arrival,
    /// The password must be typed for this.
    pub(crate) renew: bool,
    /// The device asks from where a password is not enough.
    pub(crate) strong: bool,
    /// What the device shows, without signs in between.
    pub(crate) user_code: String,
}

/// Why a code leads nowhere.
pub(crate) enum NotFound {
    /// No device that waits shows it.
    Unknown,
    /// Too many such codes: nothing was looked at for so many seconds.
    Wait(u64),
}

/// The question whether a device is let in, while it is open.
#[derive(Deserialize, Serialize)]
pub(crate) struct Question {
    /// For which device.
    pub(crate) wanted: Wanted,
    /// Whom it is asked.
    pub(crate) session: [u8; 32],
    until: Timestamp,
}

impl Wanted {
    /// The application, if it may still have devices.
    pub(crate) fn application<'a>(&self, catalogue: &'a Catalogue) -> Option<&'a Client> {
        let client = catalogue.application(&self.application)?;
        client.may(GrantName::DeviceCode).then_some(client)
    }

    /// The registered minimum; two factors for a device where a password is not enough.
    pub(crate) fn demand(&self, catalogue: &Catalogue) -> Assurance {
        let registered = self.application(catalogue).map(minimum);
        let here = match self.strong {
            true => Assurance::Strong,
            false => Assurance::Password,
        };
        here.max(registered.unwrap_or(Assurance::Password))
    }

    /// Where the code is typed again; `fresh` for somebody else, who signs in first.
    pub(crate) fn again(&self, fresh: bool) -> String {
        let renew = match fresh || self.renew {
            true => "&renew=true",
            false => "",
        };
        format!("/device?user_code={}{renew}", self.user_code)
    }

    /// Where somebody is asked in this session.
    pub(crate) fn way(&self, app: &App, session: &[u8; 32]) -> String {
        let question = Question {
            wanted: self.clone(),
            session: *session,
            until: app.world.now().plus(ASKED_S),
        };
        let sealed = ticket::seal(&app.keys, Purpose::Csrf, KIND, &question);
        format!("/device/confirm?ticket={sealed}")
    }
}

/// The question that was asked, if its time is not over.
pub(crate) fn question(app: &App, sealed: &str) -> Option<Question> {
    let question: Option<Question> = ticket::open(&app.keys, Purpose::Csrf, KIND, sealed);
    question.filter(|question| app.world.now() < question.until)
}

/// The device that shows this code and waits. `session`: of whoever types it, if they have signed in: then
/// their own tries count, else those of all of their network.
pub(crate) async fn find(
    app: &App,
    caller: &Caller,
    (code, person): (&UserCode, Option<journey::PersonId>),
) -> Result<Result<AskedDevice, NotFound>, Failure> {
    let (lane, rule) = match person {
        Some(person) => (LaneKey::DeviceCode(person), &limit::DEVICE_CODE),
        None => (
            LaneKey::DeviceCodeFrom(network(caller.address)),
            &limit::DEVICE_CODE_FROM,
        ),
    };
    let by = By {
        person,
        ..app.by(caller, "", "device")
    };
    if let Err(wait) = app.store.spend_try(&lane, rule, by.at).await? {
        app.metrics.throttled.inc();
        return Ok(Err(NotFound::Wait(wait.seconds.unsigned_abs())));
    }
    let found = app.store.asked_device(code.as_str(), by.at).await?;
    Ok(match found.filter(|found| found.allowed.is_none()) {
        Some(found) => {
            app.store.refund_try(&lane).await?;
            Ok(found)
        }
        None => {
            app.store.audit(&Happened::DeviceUnknown, &by).await?;
            Err(NotFound::Unknown)
        }
    })
}

/// From where a device asked, as far as that can be told.
pub(crate) fn place(catalogue: &Catalogue, asked: &AskedDevice) -> Place {
    let address = asked.address.as_deref();
    catalogue
        .zones
        .locate(address.and_then(|address| address.parse().ok()))
}

// --- The device comes for its tokens ---------------------------------------------------------------

/// A device code is used up, if somebody let the device in who still is who they were.
pub(super) async fn redeem(
    asking: &Asking<'_>,
    posted: &Posted,
    request: &DeviceRequest,
) -> Result<Answer, Stopped> {
    let (app, client) = (asking.app, asking.client);
    let wanted = asking.wanted(posted)?;
    let key = key::of_secret(request.device_code.expose());
    let polled = app.store.poll_device(&key, &client.id, app.world.now());
    let allowed = match polled.await? {
        DevicePoll::Allowed(allowed) => allowed,
        DevicePoll::Early => return Err(Fault::DeviceTooFast.into()),
        DevicePoll::Over => return Err(Fault::DeviceExpired.into()),
        DevicePoll::Refused => return Err(Fault::DeviceRefused.into()),
        DevicePoll::Unknown => return Err(Fault::CodeNotGood.into()),
        DevicePoll::Waiting => return Err(Fault::DevicePending.into()),
    };
    let found = app.session_unused(allowed.person, &allowed.session).await?;
    let (session, person) = found.ok_or(Fault::DeviceRefused)?;
    let grant = grant(client, &allowed, &session.proof);
    let strong_enough = session.proof.assurance() >= minimum(client);
    let registered = client.scope().includes(&grant.scope);
    let agreed = consented(app, client, (person.id, &grant.scope)).await?;
    if !strong_enough || !registered || !agreed {
        return Err(Fault::DeviceRefused.into());
    }
    let earned = Earned {
        code: allowed.code,
        grant: &grant,
        person: &person,
        session: allowed.session,
    };
    give(asking, &earned, wanted, "device").await
}

/// What a device that was let in stands for: the same as a code.
fn grant(client: &Client, allowed: &AllowedDevice, proof: &Proof) -> Grant {
    Grant {
        id: BASE64URL_NOPAD.encode(&allowed.code),
        client_id: client.id.clone(),
        redirect_uri: String::new(),
        code_challenge: String::new(),
        nonce: None,
        scope: Scope::understood(&allowed.scope),
        pseudonym: client.pseudonym(&allowed.person.to_string()),
        subject: allowed.person.to_string(),
        claims: Named::default(),
        key: None,
        sid: Some(sid(&allowed.session)),
        auth_time: proof.at().0,
        acr: acr(proof.assurance()).to_owned(),
        amr: proof.amr().into_iter().map(str::to_owned).collect(),
        // Another node may take it for alive for so long.
        expires_at: allowed.until.plus(CLOCKS_APART_S_MAX).0,
    }
}
