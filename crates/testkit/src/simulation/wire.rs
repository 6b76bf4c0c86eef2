//! The store as a node sees it: the real engine behind a wire on which calls and answers get lost, and
//! behind an engine that lies, where a test wants to see that this is noticed.

use std::sync::Arc;
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

use super::fate::{Call, Fate};
use super::post::Post;
use super::turns::gate;

/// A lie of the engine, told to see that a simulation finds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lie {
    /// A code that was redeemed before is redeemed again.
    CodesWorkTwice,
    /// What a factor has shown is forgotten.
    CountersAreForgotten,
    /// Whoever is switched off stays on.
    DisabledStaysOn,
    /// A message that went out is said to be due.
    MessagesGoOutAgain,
    /// A sign-in leaves no entry in the audit.
    SignInsAreNotWritten,
    /// Sessions are said to have ended.
    SessionsStay,
    /// Tries are not counted.
    TriesAreFree,
}

/// The wire of one node.
pub(super) struct Wire {
    pub(super) fate: Arc<Fate>,
    pub(super) lie: Option<Lie>,
    pub(super) node: usize,
    pub(super) post: Arc<Post>,
    pub(super) store: AnyStore,
}

impl Wire {
    async fn passes<T, E: From<StoreError>>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        gate().await;
        let answer = match self.fate.calls_the_store(self.node) {
            Call::Arrives => call.await,
            Call::Late(seconds) => {
                self.fate.passes(seconds);
                call.await
            }
            Call::Lost => Err(lost().into()),
            Call::Unanswered => {
                call.await?;
                Err(lost().into())
            }
        };
        // Whoever dies here has written and tells nobody.
        gate().await;
        answer
    }

    fn lies(&self, lie: Lie) -> bool {
        self.lie == Some(lie)
    }

    /// The effects of a step as they reach the engine.
    fn truly(&self, effects: &[Effect]) -> Vec<Effect> {
        let kept = |effect: &&Effect| match effect {
            Effect::SpendCounter { .. } => !self.lies(Lie::CountersAreForgotten),
            Effect::Audit(Happened::SignedIn { .. }) => !self.lies(Lie::SignInsAreNotWritten),
            _ => true,
        };
        effects.iter().filter(kept).cloned().collect()
    }
}

fn lost() -> StoreError {
    StoreError {
        doing: "asking the store over a wire that was cut",
        source: "the connection was reset".into(),
    }
}

macro_rules! passes_on {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for Wire {
            $(async fn $name(&self, $($arg: $kind),*) -> $out {
                self.passes(self.store.$name($($arg),*)).await
            })*

            async fn disable(&self, person: PersonId, disabled: bool, by: &By) -> Result<()> {
                let disabled = disabled && !self.lies(Lie::DisabledStaysOn);
                self.passes(self.store.disable(person, disabled, by)).await
            }

            async fn open_journey(
                &self,
                journey: &Journey,
                effects: &[Effect],
                by: &By,
            ) -> Result<Committed> {
                let effects = self.truly(effects);
                self.passes(self.store.open_journey(journey, &effects, by)).await
            }

            async fn commit_journey(
                &self,
                journey: &Journey,
                effects: &[Effect],
                by: &By,
            ) -> Result<Committed> {
                let effects = self.truly(effects);
                self.passes(self.store.commit_journey(journey, &effects, by)).await
            }

            async fn end_sessions(&self, which: &EndSessions, by: &By) -> Result<u32> {
                if self.lies(Lie::SessionsStay) {
                    return Ok(1);
                }
                self.passes(self.store.end_sessions(which, by)).await
            }

            async fn redeem_code(&self, redemption: &Redemption, by: &By) -> Result<Redeemed> {
                let redeemed = self.passes(self.store.redeem_code(redemption, by)).await?;
                Ok(match redeemed {
                    Redeemed::Reused if self.lies(Lie::CodesWorkTwice) => Redeemed::Yes,
                    redeemed => redeemed,
                })
            }

            async fn spend_try(
                &self,
                lane: &LaneKey,
                rule: &Rule,
                now: Timestamp,
            ) -> Result<Result<Lane, Wait>> {
                if self.lies(Lie::TriesAreFree) {
                    return Ok(Ok(Lane::default()));
                }
                self.passes(self.store.spend_try(lane, rule, now)).await
            }

            async fn claim_messages(&self, now: Timestamp, limit: u16) -> Result<Vec<Outgoing>> {
                let claimed = self.passes(self.store.claim_messages(now, limit)).await?;
                self.post.are_claimed(&claimed);
                Ok(claimed)
            }

            async fn settle_message(
                &self,
                id: MessageId,
                outcome: &Outcome,
                now: Timestamp,
            ) -> Result<()> {
                let again = Outcome::Retry(now, "a lie".to_owned());
                let outcome = match outcome {
                    Outcome::Sent if self.lies(Lie::MessagesGoOutAgain) => &again,
                    outcome => outcome,
                };
                let settled = self.passes(self.store.settle_message(id, outcome, now)).await;
                if settled.is_err() {
                    self.post.may_go_out_again(id);
                }
                settled
            }
        }
    };
}

passes_on! {
    import_people(people: &[NewPerson], by: &By) -> Result<Imported, ImportError>;
    person_by_name(name: &NameKey) -> Result<Option<Account>>;
    person(id: PersonId) -> Result<Option<Account>>;
    upgrade_password(person: PersonId, from: &Secret, to: &Secret) -> Result<()>;
    password_history(person: PersonId, limit: u8) -> Result<Vec<Secret>>;
    reset(reset: &Reset, by: &By) -> Result<Option<Begun>>;
    begun(person: PersonId, now: Timestamp) -> Result<Begun>;
    change_password(change: &PasswordChange, by: &By) -> Result<Option<NewSession>>;
    people(which: Cohort, after: Option<&str>, limit: u32) -> Result<Vec<Account>>;
    issue_activation(new: &NewActivation, by: &By) -> Result<()>;
    activations(person: PersonId) -> Result<Vec<ActivationRecord>>;
    journey(id: JourneyId) -> Result<Option<Journey>>;
    take_over_journey(resume: &[u8; 32], browser: &[u8; 32], now: Timestamp) -> Result<TakeOver>;
    offer_resume(journey: JourneyId, resume: &[u8; 32], until: Timestamp) -> Result<()>;
    session(key: &[u8; 32], now: Timestamp) -> Result<Option<SessionRecord>>;
    sessions(person: PersonId, now: Timestamp) -> Result<Vec<SessionRecord>>;
    participate(participant: &Participant, now: Timestamp) -> Result<bool>;
    participants(session: &[u8; 32]) -> Result<Vec<Participant>>;
    consume(kind: OneTime, key: &[u8], until: Timestamp) -> Result<bool>;
    redeemed(code: &[u8; 16], session: &[u8; 32]) -> Result<Option<Account>>;
    renew(renewal: &Renewal, by: &By) -> Result<Renewed>;
    refresh_due(family: &[u8; 16], now: Timestamp) -> Result<Option<u32>>;
    revoke(revocation: &Revocation, by: &By) -> Result<bool>;
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
