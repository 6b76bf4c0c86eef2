//! The runner: requests become events, events move journeys, the store commits. The only caller of
//! the journeys' `step`.

mod activation;
mod password;
mod recovery;
mod session;

use std::{io, net::IpAddr, sync::Arc};

use arc_swap::ArcSwap;
use journey::{
    Assurance, Happened, NameKey, PasswordProof, Person, PersonId, Place, Refusal, Typed,
    effect::Effect,
    limit,
    login::{self, Login},
};
use store::{
    Account, AnyStore, By, Committed, Journey, JourneyState, LaneKey, NewSession, SessionRecord,
    StoreError, seal::Keys,
};
use thiserror::Error;
use wire::oidc::{Issuer, IssuerError};

pub(crate) use self::{
    activation::ActivationInput,
    password::{Changed, TypedChange},
};
use crate::{
    catalogue::{Catalogue, CatalogueError, Connect},
    cookie::{Jar, sha256},
    failure::Failure,
    metrics::Metrics,
    nodes::{NodeName, Nodes},
    password::{Busy, Clock, Costs, Password, Pepper, Pool, PoolLimits, Stake, Stored, Verdict},
    settings::Settings,
    sources::Sources,
    ticket::Purposed,
    world::{Draw, World},
};

/// What a provider is made of.
pub struct Parts {
    /// Monotonic time, for waiting.
    pub clock: Clock,
    /// Makes senders from the text of `gateways.toml`.
    pub connect: Connect,
    /// What a password hash costs.
    pub costs: Costs,
    /// The keys that are not in the database.
    pub keys: Arc<Keys>,
    /// How many hash at once, and who waits.
    pub limits: PoolLimits,
    /// What this node is called; without it, others are not looked for.
    pub node: Option<NodeName>,
    /// The boot configuration.
    pub settings: Settings,
    /// What is remembered.
    pub store: AnyStore,
    /// Time and chance.
    pub world: Arc<dyn World>,
}

/// Why a provider does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration in the store.
    #[error("the configuration cannot be used; `furka check` says more")]
    Catalogue(#[from] CatalogueError),
    /// The public URL.
    #[error("the public URL cannot be used")]
    PublicUrl(#[from] IssuerError),
    /// No threads.
    #[error("the workers that hash passwords cannot be started")]
    Threads(#[source] io::Error),
}

impl StartError {
    /// Whether the database is out of reach for a moment: the next start may work.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Catalogue(CatalogueError::Store(error)) if error.is_passing())
    }
}

/// The provider, shared by all requests.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) catalogue: ArcSwap<Catalogue>,
    connect: Connect,
    pub(crate) issuer: Issuer,
    pub(crate) jar: Jar,
    pub(crate) keys: Arc<Keys>,
    pub(crate) metrics: Metrics,
    pub(crate) nodes: Nodes,
    pub(crate) pool: Pool,
    reading: tokio::sync::Mutex<()>,
    pub(crate) settings: Settings,
    sources: Sources,
    pub(crate) store: AnyStore,
    pub(crate) world: Arc<dyn World>,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Who calls, as far as journeys care.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) address: Option<IpAddr>,
    pub(crate) browser: Option<[u8; 32]>,
    pub(crate) device: Option<[u8; 32]>,
    pub(crate) place: Place,
}

/// What a sign-in with name and password came to.
pub(crate) enum Entered {
    /// Too many people at this moment: nothing was looked at.
    Busy(Busy),
    /// The name and the password do not belong together, as far as anybody is told.
    No,
    /// Too many tries: nothing was looked at.
    Wait(i64),
    /// The password was right: the journey goes on, or is over.
    Yes(Box<Moved>),
}

/// A journey after a step.
pub(crate) struct Moved {
    pub(crate) journey: Journey,
    /// Set if this step signed somebody in.
    pub(crate) session: Option<NewSession>,
}

/// What a step looks at, read a moment ago.
#[derive(Default)]
struct Seen {
    known_device: Option<[u8; 32]>,
    person: Option<Person>,
    sms_allowed: bool,
}

/// A journey that this browser may look at.
pub(crate) enum Found {
    /// There is none, or its time is over.
    Gone,
    /// It belongs to another browser.
    OtherBrowser,
    /// Here it is.
    Yours(Box<Journey>),
}

/// What was typed or clicked on a page of a sign-in.
pub(crate) enum Input {
    /// A code of some kind.
    Code(Code),
    /// What was lost is at hand after all, or will be.
    Kept,
    /// "I no longer have my phone."
    Lost,
    /// "A new app takes the place of what is lost."
    Replace,
    /// "Send it again."
    Resend,
}

/// A code that was typed.
pub(crate) enum Code {
    /// Of SMS, app or token.
    One(Typed),
    /// A recovery code, in its one form.
    Recovery(String),
    /// Two of a token in a row.
    Two(Typed, Typed),
}

impl App {
    pub(crate) async fn start(parts: Parts) -> Result<Self, StartError> {
        let origin = parts.settings.origin();
        let issuer = match parts.settings.mtls_origin() {
            None => Issuer::parse(&origin)?,
            Some(mtls) => Issuer::parse(&origin)?.with_mtls(&mtls)?,
        };
        let now = parts.world.now();
        let catalogue = Catalogue::read(&parts.store, &parts.connect, &issuer, now, None).await?;
        let pepper = Pepper::of(parts.keys.clone());
        let pool = Pool::new(parts.limits, parts.costs, pepper, parts.clock);
        // Whoever has no name draws nothing.
        let id = match &parts.node {
            None => [0; 16],
            Some(_) => parts.world.id(),
        };
        Ok(Self(Arc::new(Inner {
            catalogue: ArcSwap::from_pointee(catalogue),
            connect: parts.connect,
            issuer,
            jar: Jar {
                secure: parts.settings.is_https(),
            },
            keys: parts.keys,
            metrics: Metrics::default(),
            nodes: Nodes::new(parts.node, id, now),
            pool: pool.map_err(StartError::Threads)?,
            reading: tokio::sync::Mutex::default(),
            settings: parts.settings,
            sources: Sources::default(),
            store: parts.store,
            world: parts.world,
        })))
    }

    pub(crate) async fn reload(&self) -> Result<bool, CatalogueError> {
        if self.is_up_to_date().await? {
            return Ok(false);
        }
        let app = self.clone();
        // To its end: those who give up waiting must not leave as many readings behind.
        let read = tokio::spawn(async move { app.read_again().await });
        read.await.unwrap_or(Ok(false))
    }

    async fn is_up_to_date(&self) -> Result<bool, StoreError> {
        Ok(self.store.generation().await? == self.catalogue.load().generation)
    }

    /// One reads at a time, and what somebody else has read meanwhile is not read again.
    async fn read_again(&self) -> Result<bool, CatalogueError> {
        let _one = self.reading.lock().await;
        if self.is_up_to_date().await? {
            return Ok(false);
        }
        let now = self.world.now();
        let before = self.catalogue.load_full();
        let (store, connect) = (&self.store, &self.connect);
        let new = Catalogue::read(store, connect, &self.issuer, now, Some(&before)).await?;
        self.catalogue.store(Arc::new(new));
        Ok(true)
    }

    /// Who is named in the audit entries of a call.
    pub(crate) fn by(&self, caller: &Caller, support: &str, through: &str) -> By {
        By {
            address: caller.address.map(|address| address.to_string()),
            at: self.world.now(),
            person: None,
            place: caller.place.clone(),
            support: support.to_owned(),
            through: through.to_owned(),
        }
    }

    // --- The password -------------------------------------------------------------------------

    /// Name and password. Everything a stranger can learn is the same for every name: what is
    /// counted, what is computed, what is answered.
    pub(crate) async fn enter(
        &self,
        caller: &Caller,
        ticket: crate::ticket::SignIn,
        name: &str,
        password: Password,
    ) -> Result<Entered, Failure> {
        // In a rush most are turned away: that must not cost what the others need.
        if let Err(busy) = self.pool.room() {
            return Ok(Entered::Busy(busy));
        }
        let by = self.by(caller, &ticket.support, "sign-in");
        let key = NameKey::of(name);
        let account = match &key {
            Some(key) => self.store.person_by_name(key).await?,
            None => None,
        };
        let (lane, rule) = self
            .password_lane(caller, key.as_ref(), account.as_ref())
            .await?;
        let stranger = !matches!(lane, LaneKey::PasswordFrom(..));
        if stranger && let Some(seconds) = self.sources.must_wait(caller, by.at) {
            self.audit_throttled(&by, account.as_ref(), "source", seconds)
                .await?;
            return Ok(Entered::Wait(seconds));
        }
        if let Err(wait) = self.store.spend_try(&lane, &rule, by.at).await? {
            self.audit_throttled(&by, account.as_ref(), "password", wait.seconds)
                .await?;
            return Ok(Entered::Wait(wait.seconds));
        }
        let stake = self.stake(lane.clone());
        let right = match self.check(account.as_ref(), password, stake).await {
            Err(busy) => return Ok(Entered::Busy(busy)),
            Ok(right) => right,
        };
        self.sources.tried(
            caller,
            key.as_ref().map_or("", NameKey::as_str),
            right,
            by.at,
        );
        let by = By {
            person: account.as_ref().map(|account| account.person.id),
            ..by
        };
        let Some(account) = account.filter(|_| right) else {
            self.metrics.passwords_wrong.inc();
            self.store.audit(&Happened::PasswordWrong, &by).await?;
            return Ok(Entered::No);
        };
        let proof = PasswordProof::assertion(by.at).in_era(account.era);
        let event = login::Event::PasswordRight(proof);
        let refund = Effect::RefundPassword {
            device: match lane {
                LaneKey::PasswordFrom(_, device) => Some(device),
                _ => None,
            },
            person: account.person.id,
        };
        let moved = self
            .open(caller, ticket, (&account.person, event), Some(refund))
            .await?;
        Ok(Entered::Yes(Box::new(moved)))
    }

    /// The budget that a try spends: the person's, over all their names; their own wider one on a
    /// device they have used before; for a name nobody has, that name's.
    async fn password_lane(
        &self,
        caller: &Caller,
        key: Option<&NameKey>,
        account: Option<&Account>,
    ) -> Result<(LaneKey, limit::Rule), Failure> {
        let Some(account) = account else {
            let name = key.map(NameKey::as_str).unwrap_or_default();
            return Ok((LaneKey::Name(sha256(name.as_bytes())), limit::PASSWORD));
        };
        let person = account.person.id;
        let device = self.known_device(caller, person).await?;
        let rule = match device {
            Some(_) => limit::PASSWORD_KNOWN_DEVICE,
            None => limit::PASSWORD,
        };
        Ok((LaneKey::of_password(person, device), rule))
    }

    /// Whether it is their password. A name nobody has costs the same, and so does one that is
    /// switched off: its password is not looked at.
    async fn check(
        &self,
        account: Option<&Account>,
        password: Password,
        stake: Stake,
    ) -> Result<bool, Busy> {
        let account = account.filter(|account| !account.person.disabled);
        let stored = account.and_then(|account| account.password.as_ref());
        let text = stored.and_then(|stored| std::str::from_utf8(stored.expose()).ok());
        let Some((account, stored)) = account.zip(text.and_then(|text| Stored::parse(text).ok()))
        else {
            self.pool.verify_dummy(password, stake).await?;
            return Ok(false);
        };
        match self.pool.verify(password.clone(), stored, stake).await? {
            Verdict::Right { upgrade: true } => {
                self.upgrade(account, password).await;
                Ok(true)
            }
            Verdict::Right { upgrade: false } => Ok(true),
            Verdict::Wrong => Ok(false),
        }
    }

    async fn audit_throttled(
        &self,
        by: &By,
        account: Option<&Account>,
        budget: &str,
        seconds: i64,
    ) -> Result<(), Failure> {
        self.metrics.throttled.inc();
        let by = By {
            person: account.map(|account| account.person.id),
            ..by.clone()
        };
        let happened = Happened::Throttled {
            budget: budget.to_owned(),
            seconds,
        };
        Ok(self.store.audit(&happened, &by).await?)
    }

    // --- Sign-in ------------------------------------------------------------------------------

    /// There is a session, and it proves too little here: the journey starts behind the password.
    pub(crate) async fn step_up(
        &self,
        caller: &Caller,
        ticket: crate::ticket::SignIn,
        session: &SessionRecord,
    ) -> Result<Option<Moved>, Failure> {
        let Some(account) = self.store.person(session.person).await? else {
            return Ok(None);
        };
        let event = login::Event::SessionShown(session.proof.clone());
        self.open(caller, ticket, (&account.person, event), None)
            .await
            .map(Some)
    }

    async fn open(
        &self,
        caller: &Caller,
        ticket: crate::ticket::SignIn,
        (person, event): (&Person, login::Event),
        refund: Option<Effect>,
    ) -> Result<Moved, Failure> {
        let mut by = By {
            person: Some(person.id),
            ..self.by(caller, &ticket.support, "sign-in")
        };
        let catalogue = self.catalogue.load_full();
        let purpose = serde_json::to_string(&ticket.purpose).unwrap_or_default();
        let mut sms_allowed = self.sms_allowed(person).await?;
        for _ in 0..2 {
            let view = login::View {
                known_device: None,
                person: Some(person),
                place: &caller.place,
                policy: &catalogue.policy,
                sms_allowed,
            };
            let moment = self.world.moment();
            let (next, mut effects) =
                login::step(ticket.state.clone(), event.clone(), &view, &moment);
            effects.extend(refund.clone());
            effects.extend(devices(caller, &next));
            let journey = Journey {
                browser: ticket.browser,
                id: journey::JourneyId(self.world.id()),
                purpose: purpose.clone(),
                until: next.until().unwrap_or(moment.at.plus(login::JOURNEY_S)),
                state: JourneyState::Login(next),
                support: ticket.support.clone(),
                version: 0,
            };
            if !journey.goes_on() {
                // Nobody saw a page on which it stands.
                by.support.clear();
            }
            match self.store.open_journey(&journey, &effects, &by).await? {
                Committed::Yes(session) => return Ok(Moved { journey, session }),
                Committed::SmsBudgetSpent => sms_allowed = false,
                // What they proved was taken back while it was looked at.
                Committed::Overtaken => return Err(Failure::Gone),
                _ => return Err(Failure::TooBusy),
            }
        }
        Err(Failure::TooBusy)
    }

    /// The journey of this browser.
    pub(crate) async fn find(
        &self,
        caller: &Caller,
        id: journey::JourneyId,
    ) -> Result<Found, Failure> {
        let now = self.world.now();
        let Some(journey) = self
            .store
            .journey(id)
            .await?
            .filter(|j| now < j.until.plus(60))
        else {
            return Ok(Found::Gone);
        };
        match caller.browser {
            Some(browser) if browser == journey.browser => Ok(Found::Yours(Box::new(journey))),
            _ => Ok(Found::OtherBrowser),
        }
    }

    /// Moves a sign-in by what a person typed or clicked.
    pub(crate) async fn advance(
        &self,
        caller: &Caller,
        journey: Journey,
        input: Input,
    ) -> Result<Moved, Failure> {
        let event = match input {
            Input::Code(code) => self.try_code(caller, &journey, code).await?,
            Input::Kept => login::Event::FactorKept,
            Input::Lost => login::Event::FactorLost,
            Input::Replace => login::Event::ReplacementAsked,
            Input::Resend => login::Event::ResendAsked,
        };
        self.move_login(caller, journey, event).await
    }

    /// A code costs a try before it is looked at: of the person's budget, or of its own on a device on which
    /// they have proven two factors.
    async fn try_code(
        &self,
        caller: &Caller,
        journey: &Journey,
        code: Code,
    ) -> Result<login::Event, Failure> {
        let waits_for = match &journey.state {
            JourneyState::Login(login) => login.underway().map(|underway| underway.person),
            JourneyState::Activation(_) => None,
        };
        if let Some(person) = waits_for {
            let lane = LaneKey::of_second_factor(person, self.proven_device(caller, person).await?);
            let now = self.world.now();
            let spent = self.store.spend_try(&lane, &limit::SECOND_FACTOR, now);
            if spent.await?.is_err() {
                self.metrics.throttled.inc();
                return Ok(login::Event::BudgetSpent);
            }
        }
        Ok(match (code, waits_for) {
            (Code::One(typed), _) => login::Event::CodeTyped(typed),
            (Code::Two(first, second), _) => login::Event::TwoCodesTyped(first, second),
            (Code::Recovery(code), Some(person)) => self.recovery_event(person, &code).await?,
            (Code::Recovery(_), None) => login::Event::RecoveryCodeRefused { used_before: false },
        })
    }

    /// The caller's device, if this person has signed in on it before.
    async fn known_device(
        &self,
        caller: &Caller,
        person: PersonId,
    ) -> Result<Option<[u8; 32]>, StoreError> {
        let Some(device) = caller.device else {
            return Ok(None);
        };
        let known = self.store.knows_device(person, &device).await?;
        Ok(known.then_some(device))
    }

    /// The caller's device as the lanes of codes know it, if this person has proven two factors on it.
    /// After a password alone it has none: else whoever has that would draw one budget after another.
    async fn proven_device(
        &self,
        caller: &Caller,
        person: PersonId,
    ) -> Result<Option<[u8; 32]>, StoreError> {
        let Some(device) = caller.device.map(with_two_factors) else {
            return Ok(None);
        };
        let known = self.store.knows_device(person, &device).await?;
        Ok(known.then_some(device))
    }

    /// A link was opened in another browser.
    pub(crate) async fn resume(
        &self,
        caller: &Caller,
        mut journey: Journey,
    ) -> Result<Moved, Failure> {
        let mut purpose: Purposed = serde_json::from_str(&journey.purpose).unwrap_or_default();
        purpose.elsewhere = true;
        journey.purpose = serde_json::to_string(&purpose).unwrap_or_default();
        self.move_login(caller, journey, login::Event::Resumed)
            .await
    }

    async fn move_login(
        &self,
        caller: &Caller,
        mut journey: Journey,
        mut event: login::Event,
    ) -> Result<Moved, Failure> {
        let catalogue = self.catalogue.load_full();
        let mut sms_allowed = None;
        for _ in 0..8 {
            let JourneyState::Login(state) = journey.state else {
                return Err(Failure::Impossible(
                    "a sign-in's page was given an activation",
                ));
            };
            let id = state.person();
            let over = state.until().is_none();
            let seen = self.look(caller, id).await?;
            let view = login::View {
                known_device: seen.known_device,
                person: seen.person.as_ref(),
                place: &caller.place,
                policy: &catalogue.policy,
                sms_allowed: sms_allowed.unwrap_or(seen.sms_allowed),
            };
            let moment = self.world.moment();
            let (next, mut effects) = login::step(state, event.clone(), &view, &moment);
            effects.extend(devices(caller, &next));
            let until = next.until().unwrap_or(moment.at.plus(login::JOURNEY_S));
            let moved = Journey {
                state: JourneyState::Login(next),
                until,
                ..journey
            };
            let by = By {
                person: id,
                ..self.by(caller, &moved.support, "sign-in")
            };
            if over {
                // Nothing moves any more, so a thousand late answers do not fight for a turn.
                self.write_down(&effects, &by).await?;
                return Ok(Moved {
                    journey: moved,
                    session: None,
                });
            }
            match self.store.commit_journey(&moved, &effects, &by).await? {
                Committed::Yes(session) => {
                    return Ok(Moved {
                        journey: moved,
                        session,
                    });
                }
                Committed::AlreadyEnrolled | Committed::CounterSpent | Committed::SessionOver => {
                    event = login::Event::CounterSpent;
                }
                Committed::SmsBudgetSpent => sms_allowed = Some(false),
                Committed::Overtaken | Committed::ActivationSpent | Committed::TokenTaken => {}
            }
            journey = self.again(&moved).await?;
        }
        Err(Failure::TooBusy)
    }

    /// The person of a journey as they are now, and what their budgets allow.
    async fn look(&self, caller: &Caller, id: Option<PersonId>) -> Result<Seen, Failure> {
        let Some(id) = id else {
            return Ok(Seen::default());
        };
        let Some(account) = self.store.person(id).await? else {
            return Ok(Seen::default());
        };
        Ok(Seen {
            known_device: self.proven_device(caller, id).await?,
            sms_allowed: self.sms_allowed(&account.person).await?,
            person: Some(account.person),
        })
    }

    /// The audit entries of a step that changed nothing.
    async fn write_down(&self, effects: &[Effect], by: &By) -> Result<(), Failure> {
        for effect in effects {
            if let Effect::Audit(happened) = effect {
                self.store.audit(happened, by).await?;
            }
        }
        Ok(())
    }

    /// The journey as it is now, after somebody else moved it. One that was taken over meanwhile is
    /// another browser's: what was typed here does not move it. An activation elsewhere ends it.
    async fn again(&self, journey: &Journey) -> Result<Journey, Failure> {
        let found = self.store.journey(journey.id).await?;
        let found = found.filter(|found| found.browser == journey.browser);
        let found = found.ok_or(Failure::Gone)?;
        Ok(Journey {
            purpose: journey.purpose.clone(),
            ..found
        })
    }

    async fn sms_allowed(&self, person: &Person) -> Result<bool, Failure> {
        let Some(phone) = person.phone.clone() else {
            return Ok(false);
        };
        let now = self.world.now();
        let lanes = [
            (LaneKey::SmsNumber(phone), limit::SMS_NUMBER),
            (LaneKey::SmsPerson(person.id), limit::SMS_PERSON),
            (LaneKey::SmsAll, limit::SMS_ALL),
        ];
        for (lane, rule) in lanes {
            if self.store.lane(&lane).await?.spend(&rule, now).is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whoever is let in is known on this device from here on, and with two factors as somebody who had both.
fn devices(caller: &Caller, next: &Login) -> impl Iterator<Item = Effect> {
    let signed = match next {
        Login::SignedIn(signed) => caller.device.map(|device| (device, signed)),
        _ => None,
    };
    let both = signed.filter(|(_, signed)| signed.proof.assurance() >= Assurance::Strong);
    let plain = signed.map(|(device, signed)| (device, signed.person));
    let both = both.map(|(device, signed)| (with_two_factors(device), signed.person));
    let known = plain.into_iter().chain(both);
    known.map(|(device, person)| Effect::RememberDevice { device, person })
}

/// The name of a device on which somebody has proven two factors.
fn with_two_factors(device: [u8; 32]) -> [u8; 32] {
    sha256(&[b"two factors ".as_slice(), &device].concat())
}

/// The reason of a final refusal, for the page.
pub(crate) fn refusal(login: &Login) -> Option<Refusal> {
    match login {
        Login::Refused(reason) => Some(*reason),
        _ => None,
    }
}
