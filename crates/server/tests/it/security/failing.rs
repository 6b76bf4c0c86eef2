//! A store that says no when a test wants it to.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use journey::{
    Happened, JourneyId, NameKey, PersonId, Secret, Timestamp,
    effect::Effect,
    limit::{Lane, Rule, Wait},
};
use store::{
    Account, ActivationRecord, AnyStore, AskedDevice, AssignToken, Begun, By, Cohort, Committed,
    Consent, Counts, DatabaseServer, DeviceAnswer, DevicePoll, EndSessions, FederationCopy,
    ImportError, Imported, Invitation, Journey, KeyRecord, LaneKey, MessageId, MessageState,
    NewActivation, NewDevice, NewInvitation, NewPerson, NewRecoverySet, NewRegistration,
    NewSession, NewToken, Node, NodeSeen, OneTime, Outcome, Outgoing, Participant, PasswordChange,
    RecoverySet, Redeemed, Redemption, Registration, RegistrationChange, Renewal, Renewed, Reset,
    Resource, ResourceKind, Result, Revocation, SessionRecord, Store, StoreError, TakeOver,
    TokenRecord, WaitingMessage,
    audit::Entry,
    reseal::{Reliance, RowKey, Sealed, Stretch},
};

/// What the store's failure says; no page may repeat it.
pub(super) const CAUSE: &str = "the disk is on fire";

/// Which calls fail.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fails {
    /// This one, counted from 1.
    At(u32),
    /// This one and all that follow.
    From(u32),
    /// Those of this method.
    Method(&'static str),
    Never,
}

/// Somebody who signs out everywhere at the moment of a call.
#[derive(Clone, Debug)]
pub(super) struct Leaves {
    /// Right before the next call of this method.
    pub(super) before: &'static str,
    pub(super) who: PersonId,
    pub(super) by: By,
}

/// The switch of a [`Failing`] store.
#[derive(Debug)]
pub(super) struct Switch {
    calls: AtomicU32,
    failed: AtomicU32,
    fails: Mutex<Fails>,
    leaves: Mutex<Option<Leaves>>,
}

impl Default for Switch {
    fn default() -> Self {
        Self {
            calls: AtomicU32::new(0),
            failed: AtomicU32::new(0),
            fails: Mutex::new(Fails::Never),
            leaves: Mutex::new(None),
        }
    }
}

impl Switch {
    /// From now on these calls fail.
    pub(super) fn set(&self, fails: Fails) {
        self.calls.store(0, Ordering::SeqCst);
        self.failed.store(0, Ordering::SeqCst);
        *self.fails.lock().unwrap() = fails;
    }

    /// Somebody will leave, once.
    pub(super) fn leave(&self, leaves: Leaves) {
        *self.leaves.lock().unwrap() = Some(leaves);
    }

    /// Whether they still are to leave.
    pub(super) fn is_to_leave(&self) -> bool {
        self.leaves.lock().unwrap().is_some()
    }

    fn leaving(&self, method: &str) -> Option<Leaves> {
        let mut leaves = self.leaves.lock().unwrap();
        leaves.take_if(|leaves| leaves.before == method)
    }

    /// How many calls failed since.
    pub(super) fn failed(&self) -> u32 {
        self.failed.load(Ordering::SeqCst)
    }

    fn asks(&self, method: &str) -> Result<()> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = match *self.fails.lock().unwrap() {
            Fails::At(at) => call == at,
            Fails::From(from) => call >= from,
            Fails::Method(name) => name == method,
            Fails::Never => false,
        };
        if fails {
            self.failed.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError {
                doing: "asking the store",
                source: CAUSE.into(),
            });
        }
        Ok(())
    }
}

/// The store, and the switch before it.
pub(super) struct Failing {
    pub(super) store: AnyStore,
    pub(super) switch: Arc<Switch>,
}

macro_rules! passes_on {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for Failing {
            $(async fn $name(&self, $($arg: $kind),*) -> $out {
                self.switch.asks(stringify!($name))?;
                if let Some(Leaves { who, by, .. }) = self.switch.leaving(stringify!($name)) {
                    self.store.end_sessions(&EndSessions::All(who), &by).await.unwrap();
                }
                self.store.$name($($arg),*).await
            })*
        }
    };
}

passes_on! {
    import_people(people: &[NewPerson], by: &By) -> Result<Imported, ImportError>;
    person_by_name(name: &NameKey) -> Result<Option<Account>>;
    person(id: PersonId) -> Result<Option<Account>>;
    upgrade_password(person: PersonId, from: &Secret, to: &Secret) -> Result<()>;
    password_history(person: PersonId, limit: u8) -> Result<Vec<Secret>>;
    disable(person: PersonId, disabled: bool, by: &By) -> Result<()>;
    reset(reset: &Reset, by: &By) -> Result<Option<Begun>>;
    begun(person: PersonId, now: Timestamp) -> Result<Begun>;
    change_password(change: &PasswordChange, by: &By) -> Result<Option<NewSession>>;
    people(which: Cohort, after: Option<&str>, limit: u32) -> Result<Vec<Account>>;
    issue_activation(new: &NewActivation, by: &By) -> Result<()>;
    activations(person: PersonId) -> Result<Vec<ActivationRecord>>;
    open_journey(journey: &Journey, effects: &[Effect], by: &By) -> Result<Committed>;
    journey(id: JourneyId) -> Result<Option<Journey>>;
    commit_journey(journey: &Journey, effects: &[Effect], by: &By) -> Result<Committed>;
    take_over_journey(resume: &[u8; 32], browser: &[u8; 32], now: Timestamp) -> Result<TakeOver>;
    offer_resume(journey: JourneyId, resume: &[u8; 32], until: Timestamp) -> Result<()>;
    session(hash: &[u8; 32], now: Timestamp) -> Result<Option<SessionRecord>>;
    sessions(person: PersonId, now: Timestamp) -> Result<Vec<SessionRecord>>;
    end_sessions(which: &EndSessions, by: &By) -> Result<u32>;
    participate(participant: &Participant, now: Timestamp) -> Result<bool>;
    participants(session: &[u8; 32]) -> Result<Vec<Participant>>;
    consume(kind: OneTime, key: &[u8], until: Timestamp) -> Result<bool>;
    redeem_code(redemption: &Redemption, by: &By) -> Result<Redeemed>;
    redeemed(code: &[u8; 16], session: &[u8; 32]) -> Result<Option<Account>>;
    renew(renewal: &Renewal, by: &By) -> Result<Renewed>;
    refresh_due(family: &[u8; 16], now: Timestamp) -> Result<Option<u32>>;
    revoke(revocation: &Revocation, by: &By) -> Result<bool>;
    spend_try(lane: &LaneKey, rule: &Rule, now: Timestamp) -> Result<Result<Lane, Wait>>;
    ask_device(new: &NewDevice, by: &By) -> Result<bool>;
    asked_device(user_code: &str, now: Timestamp) -> Result<Option<AskedDevice>>;
    answer_device(answer: &DeviceAnswer, by: &By) -> Result<bool>;
    poll_device(key: &[u8; 32], application: &str, now: Timestamp) -> Result<DevicePoll>;
    recovery_set(person: PersonId) -> Result<Option<RecoverySet>>;
    make_recovery_set(new: &NewRecoverySet, by: &By) -> Result<bool>;
    consents(person: PersonId) -> Result<Vec<Consent>>;
    consent(consent: &Consent, by: &By) -> Result<()>;
    take_back(person: PersonId, application: &str, by: &By) -> Result<bool>;
    invite(new: &NewInvitation, by: &By) -> Result<bool>;
    invitations() -> Result<Vec<Invitation>>;
    invitation(token: &[u8; 32], now: Timestamp) -> Result<Option<Invitation>>;
    uninvite(id: &str, by: &By) -> Result<bool>;
    register(new: &NewRegistration, by: &By) -> Result<bool>;
    registrations() -> Result<Vec<Registration>>;
    keep_federation(copy: &FederationCopy) -> Result<bool>;
    federations() -> Result<Vec<FederationCopy>>;
    leave_message(message: &WaitingMessage) -> Result<()>;
    fetch_message(key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>>;
    registration(application: &str, token: &[u8; 32]) -> Result<Option<Registration>>;
    change_registration(change: &RegistrationChange, by: &By) -> Result<bool>;
    remove_registration(application: &str, token: Option<&[u8; 32]>, by: &By) -> Result<bool>;
    refund_try(lane: &LaneKey) -> Result<()>;
    lane(lane: &LaneKey) -> Result<Lane>;
    knows_device(person: PersonId, device: &[u8; 32]) -> Result<bool>;
    import_tokens(tokens: &[NewToken], by: &By) -> Result<u32, ImportError>;
    token(serial: &str) -> Result<Option<TokenRecord>>;
    assign_token(assign: &AssignToken, by: &By) -> Result<bool>;
    resync_token(serial: &str, counter: u64, drift: i64, by: &By) -> Result<bool>;
    claim_messages(now: Timestamp, limit: u16) -> Result<Vec<Outgoing>>;
    settle_message(id: MessageId, outcome: &Outcome, now: Timestamp) -> Result<()>;
    messages_of(journey: JourneyId) -> Result<Vec<MessageState>>;
    outbox_depth() -> Result<u64>;
    outbox_next_due() -> Result<Option<Timestamp>>;
    signing_keys(now: Timestamp) -> Result<Vec<KeyRecord>>;
    rotate_key(new: &KeyRecord, retire_until: Timestamp, by: &By) -> Result<()>;
    reliance(now: Timestamp) -> Result<Vec<Reliance>>;
    renewed_before(at: Timestamp, now: Timestamp) -> Result<u64>;
    reseal(table: Sealed, after: &RowKey) -> Result<Stretch>;
    resource(kind: ResourceKind) -> Result<Option<Resource>>;
    apply(documents: &[Resource], by: &By) -> Result<bool>;
    generation() -> Result<u64>;
    node_seen(node: &Node, now: Timestamp) -> Result<()>;
    node_left(id: &[u8; 16]) -> Result<()>;
    nodes() -> Result<Vec<NodeSeen>>;
    migration() -> Result<String>;
    database_servers() -> Result<Vec<DatabaseServer>>;
    audit(happened: &Happened, by: &By) -> Result<()>;
    audit_strands() -> Result<Vec<u16>>;
    audit_from(strand: u16, sequence: u64, limit: u32) -> Result<Vec<Entry>>;
    audit_by_support(support: &str) -> Result<Vec<Entry>>;
    tidy(now: Timestamp) -> Result<u64>;
    counts(now: Timestamp) -> Result<Counts>;
    ready(patience: Duration) -> Result<()>;
}
