//! What is remembered: whole business facts, not rows.
//!
//! The contract of every engine, in prose:
//! - A method is one transaction. It is durable when it returns `Ok` (a power cut loses nothing), but
//!   for [`Store::spend_try`] and [`Store::refund_try`]: those count for everybody at once and are durable
//!   with the next one that is, whoever asked for it. A verdict is told after such a one only.
//! - Whatever may be used once is used up by one conditional statement: of many racing calls exactly
//!   one wins. There is no read-then-write.
//! - Secrets arrive sealed or are sealed here ([`seal::Keys`]) before they touch the disk: seeds,
//!   journey states, messages in the outbox, signing keys.
//! - Time comes in as an argument.
//!
//! [`conformance`] says all this again, as tests that every engine passes. Deliberately absent: SQL
//! outside the engines' files, policy, HTTP, texts for people.

mod artifacts;
pub mod audit;
pub mod conformance;
mod devices;
mod federations;
mod forms;
pub mod image;
pub mod key;
mod migration;
mod model;
mod nodes;
pub mod postgres;
mod registrations;
pub mod reseal;
pub mod seal;
pub mod sqlite;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use journey::{
    ActivationId, Happened, JourneyId, NameKey, PersonId, Secret, Timestamp,
    effect::Effect,
    limit::{Lane, Rule, Wait},
};

pub use crate::{artifacts::*, devices::*, federations::*, model::*, nodes::*, registrations::*};

/// A failure of ours: what was being done, and the cause.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub struct StoreError {
    /// What was being done.
    pub doing: &'static str,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl StoreError {
    /// Whether the database is out of reach for a moment, as when its leader changes: the same may work
    /// within seconds. What was asked for may have happened or not.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        postgres::is_out_of_reach(&self.source)
    }
}

/// Short for what every method returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What an identity provider remembers.
#[async_trait]
pub trait Store: Send + Sync {
    // --- People -----------------------------------------------------------------------------

    /// Takes in people from a register: all of them, or none. A person is recognised by `username`;
    /// who is there already is updated (names, mail, role, school, language, aliases), never their
    /// password, number, method or factors, unless they are not activated yet.
    async fn import_people(&self, people: &[NewPerson], by: &By) -> Result<Imported, ImportError>;

    /// The person with this name or alias, and what their password is checked against.
    async fn person_by_name(&self, name: &NameKey) -> Result<Option<Account>>;

    /// The person with this id.
    async fn person(&self, id: PersonId) -> Result<Option<Account>>;

    /// The password's hash is replaced by one of the same password with better parameters, if it is
    /// still this one.
    async fn upgrade_password(&self, person: PersonId, from: &Secret, to: &Secret) -> Result<()>;

    /// The hashes of the last passwords, newest first, the current one included.
    async fn password_history(&self, person: PersonId, limit: u8) -> Result<Vec<Secret>>;

    /// Switches a person off or on. Off ends all sessions and journeys at once.
    async fn disable(&self, person: PersonId, disabled: bool, by: &By) -> Result<()>;

    /// Takes back what somebody who was activated can prove with, and ends at once all that they have begun:
    /// sessions, refresh tokens, journeys with their codes and links, known devices. Whatever they proved
    /// before opens nothing afterwards, on no node. They are told by messages. What ended; none if they are
    /// not there, are switched off, or were never activated, and then nothing was written.
    async fn reset(&self, reset: &Reset, by: &By) -> Result<Option<Begun>>;

    /// What of somebody a reset would end.
    async fn begun(&self, person: PersonId, now: Timestamp) -> Result<Begun>;

    /// Somebody's own new password. Their other sessions, all refresh tokens, journeys and other known devices
    /// end at once; a new session takes the place of the one at hand. They are told by a message. None if that
    /// session is over, or what they can prove was changed meanwhile, and then nothing was written.
    async fn change_password(&self, change: &PasswordChange, by: &By)
    -> Result<Option<NewSession>>;

    /// All people matching a cohort, for commands that walk through them; ordered by user name.
    async fn people(&self, which: Cohort, after: Option<&str>, limit: u32) -> Result<Vec<Account>>;

    // --- Activation -------------------------------------------------------------------------

    /// A new activation for a person: voids their open ones, remembers the MAC of the code, and
    /// hands the message to the outbox, together.
    async fn issue_activation(&self, new: &NewActivation, by: &By) -> Result<()>;

    /// The activations of a person that are not void, newest first: to compare MACs, to say
    /// *expired* or *used*.
    async fn activations(&self, person: PersonId) -> Result<Vec<ActivationRecord>>;

    // --- Journeys ---------------------------------------------------------------------------

    /// A journey begins: its state, and the effects of its first step. One that signs somebody in with
    /// its first step is over, and leaves nothing but these effects.
    async fn open_journey(
        &self,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Committed>;

    /// The journey, if it exists and its epoch is current.
    async fn journey(&self, id: JourneyId) -> Result<Option<Journey>>;

    /// The new state (with `version` one higher), all that it recorded, and all that it wants sent:
    /// together, or not at all. `journey.version` is the version that was read.
    async fn commit_journey(
        &self,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Committed>;

    /// The journey moves to another browser: its binding is replaced once, if the resume token's MAC
    /// is the one stored and was not used. Of many racing calls one wins.
    async fn take_over_journey(
        &self,
        resume: &[u8; 32],
        browser: &[u8; 32],
        now: Timestamp,
    ) -> Result<TakeOver>;

    /// Remembers the MAC of the resume token of a journey (the last one made counts). The same offer made
    /// again leaves a used token used; one with a later `until` is made anew.
    async fn offer_resume(
        &self,
        journey: JourneyId,
        resume: &[u8; 32],
        until: Timestamp,
    ) -> Result<()>;

    // --- Sessions and one-time things -------------------------------------------------------

    /// The session under this key ([`key::of_secret`] of its id), if it lives; `seen` is moved at most
    /// once a minute.
    async fn session(&self, key: &[u8; 32], now: Timestamp) -> Result<Option<SessionRecord>>;

    /// A person's living sessions, newest first.
    async fn sessions(&self, person: PersonId, now: Timestamp) -> Result<Vec<SessionRecord>>;

    /// Ends sessions, and with them whatever was redeemed and renewed under them; how many ended.
    async fn end_sessions(&self, which: &EndSessions, by: &By) -> Result<u32>;

    /// An application takes part in a session, if it lives: when that, or what takes its place, ends other
    /// than by its limits, a [`Message::SignedOut`] goes to the outbox, in the same moment.
    async fn participate(&self, participant: &Participant, now: Timestamp) -> Result<bool>;

    /// The applications that take part in the session under this key, each with the session as it knows it,
    /// also if its limits have ended it. Sorted.
    async fn participants(&self, session: &[u8; 32]) -> Result<Vec<Participant>>;

    /// Uses a one-time thing up: true for exactly one caller, ever, per kind and key. Remembered
    /// until `until`, after which the thing itself must be expired.
    async fn consume(&self, kind: OneTime, key: &[u8], until: Timestamp) -> Result<bool>;

    /// An authorization code is redeemed: of many calls one succeeds, ever. Its audit entry is written
    /// with it. A second redemption voids what the first one gave.
    async fn redeem_code(&self, redemption: &Redemption, by: &By) -> Result<Redeemed>;

    /// Whose what a code gave is: the person of the session, if that lives, and the code was redeemed
    /// once and not again, or what it gave was renewed and not taken back. A family that outlives its
    /// session needs none.
    async fn redeemed(&self, code: &[u8; 16], session: &[u8; 32]) -> Result<Option<Account>>;

    /// Moves a family of refresh tokens on to the next number, if this is the one that is due: of many
    /// calls one succeeds, ever. One more may within half a minute, because an answer can be lost; the
    /// family is no further then. Any other ends the family and all that it gave.
    async fn renew(&self, renewal: &Renewal, by: &By) -> Result<Renewed>;

    /// The number that is due of a family of refresh tokens, if it may still be renewed.
    async fn refresh_due(&self, family: &[u8; 16], now: Timestamp) -> Result<Option<u32>>;

    /// Takes back all that a code gave, and what was renewed since; whether there was anything.
    async fn revoke(&self, revocation: &Revocation, by: &By) -> Result<bool>;

    // --- Devices ----------------------------------------------------------------------------

    /// A device asks to be let in; false, and nothing is written, if another one shows its code.
    async fn ask_device(&self, new: &NewDevice, by: &By) -> Result<bool>;

    /// The device that shows this code, if its time is not over.
    async fn asked_device(&self, user_code: &str, now: Timestamp) -> Result<Option<AskedDevice>>;

    /// Somebody says whether a device is let in: of many answers one counts. False if somebody answered
    /// before, if it is too late, or if their session is over.
    async fn answer_device(&self, answer: &DeviceAnswer, by: &By) -> Result<bool>;

    /// A device of an application asks how it stands. Whoever asks before their pace is over is told so, and
    /// the pace is slower from then on, on every node; of many that ask at once one is in time.
    async fn poll_device(
        &self,
        key: &[u8; 32],
        application: &str,
        now: Timestamp,
    ) -> Result<DevicePoll>;

    // --- Consents ---------------------------------------------------------------------------

    /// What a person lets applications know, by application.
    async fn consents(&self, person: PersonId) -> Result<Vec<Consent>>;

    /// A person says yes; what they said yes to before is replaced.
    async fn consent(&self, consent: &Consent, by: &By) -> Result<()>;

    /// A person takes a yes back; whether there was one.
    async fn take_back(&self, person: PersonId, application: &str, by: &By) -> Result<bool>;

    // --- Applications that register themselves ----------------------------------------------

    /// A technician lets applications register themselves; false, and nothing is written, if the id or the
    /// token is taken.
    async fn invite(&self, new: &NewInvitation, by: &By) -> Result<bool>;

    /// All invitations that ever were, oldest first.
    async fn invitations(&self) -> Result<Vec<Invitation>>;

    /// The invitation of this token (its SHA-256), if it lets one more in.
    async fn invitation(&self, token: &[u8; 32], now: Timestamp) -> Result<Option<Invitation>>;

    /// An invitation lets nobody in any more; whether it still did. Who came with it stays.
    async fn uninvite(&self, id: &str, by: &By) -> Result<bool>;

    /// An application registers itself, and one use of its invitation is spent with that: of many that come
    /// at once as many get in as it has uses. False, and nothing is written, if it has none, or its time is
    /// over. Everybody hears of it as of a changed resource.
    async fn register(&self, new: &NewRegistration, by: &By) -> Result<bool>;

    /// All applications that registered themselves, by client id.
    async fn registrations(&self) -> Result<Vec<Registration>>;

    /// What is registered of this application, if this is the (SHA-256 of the) token of now.
    async fn registration(
        &self,
        application: &str,
        token: &[u8; 32],
    ) -> Result<Option<Registration>>;

    /// An application changes what is registered, and gets another token: of many changes with one token one
    /// counts. False, and nothing is written, if the token is not the one of now.
    async fn change_registration(&self, change: &RegistrationChange, by: &By) -> Result<bool>;

    /// An application that registered itself goes, and with it its refresh tokens, what people consented to,
    /// and its devices that wait. By itself with its token, or, without one, because a technician says so.
    /// Whether it was there, and the token was right.
    async fn remove_registration(
        &self,
        application: &str,
        token: Option<&[u8; 32]>,
        by: &By,
    ) -> Result<bool>;

    // --- Federations ------------------------------------------------------------------------

    /// What a federation says now takes the place of what was fetched before it. Everybody hears of it as of
    /// a changed resource. False, and nothing is written, if it says the same, or another one was fetched later.
    async fn keep_federation(&self, copy: &FederationCopy) -> Result<bool>;

    /// What federations last said, by id.
    async fn federations(&self) -> Result<Vec<FederationCopy>>;

    // --- SAML messages that wait ------------------------------------------------------------

    /// Leaves a message until its application fetches it.
    async fn leave_message(&self, message: &WaitingMessage) -> Result<()>;

    /// Hands a message out and forgets it: of many that ask at once one gets it.
    async fn fetch_message(&self, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>>;

    // --- Recovery codes ---------------------------------------------------------------------

    /// The recovery codes of a person, if they have any.
    async fn recovery_set(&self, person: PersonId) -> Result<Option<RecoverySet>>;

    /// New recovery codes take the place of those that were read, or of none, and the person is told. Of
    /// many racing calls one makes a set; the others hear no, and nobody is shown what is void.
    async fn make_recovery_set(&self, new: &NewRecoverySet, by: &By) -> Result<bool>;

    // --- Budgets ----------------------------------------------------------------------------

    /// Spends one try of a lane, or says how long to wait. Every other try sees it from here on; it is
    /// durable with the next durable write, and no verdict may be told before that.
    async fn spend_try(
        &self,
        lane: &LaneKey,
        rule: &Rule,
        now: Timestamp,
    ) -> Result<Result<Lane, Wait>>;

    /// Gives one try back: it was right, or nothing was looked at.
    async fn refund_try(&self, lane: &LaneKey) -> Result<()>;

    /// A lane as it is, for views and explanations.
    async fn lane(&self, lane: &LaneKey) -> Result<Lane>;

    /// Whether this device (its cookie's hash) has signed in as this person before; see
    /// [`Effect::RememberDevice`].
    async fn knows_device(&self, person: PersonId, device: &[u8; 32]) -> Result<bool>;

    // --- Hardware tokens --------------------------------------------------------------------

    /// Takes in hardware tokens: all of them, or none. A serial number that is known already with
    /// another seed is an error; with the same seed it is left as it is (its counter is never reset).
    async fn import_tokens(&self, tokens: &[NewToken], by: &By) -> Result<u32, ImportError>;

    /// A token by serial number, whoever has it.
    async fn token(&self, serial: &str) -> Result<Option<TokenRecord>>;

    /// Gives a token to a person and spends the counter that proved it (if one did), if nobody has it.
    async fn assign_token(&self, assign: &AssignToken, by: &By) -> Result<bool>;

    /// Moves a token's counter and drift forward after resynchronisation; false if it was used meanwhile.
    async fn resync_token(&self, serial: &str, counter: u64, drift: i64, by: &By) -> Result<bool>;

    // --- Messages ---------------------------------------------------------------------------

    /// Messages that are due: of many those that are too late soonest. Reading them claims them for a
    /// minute, so that no other node sends them meanwhile.
    async fn claim_messages(&self, now: Timestamp, limit: u16) -> Result<Vec<Outgoing>>;

    /// What became of a message that was claimed.
    async fn settle_message(&self, id: MessageId, outcome: &Outcome, now: Timestamp) -> Result<()>;

    /// What became of the messages of a journey, newest last, for the page.
    async fn messages_of(&self, journey: JourneyId) -> Result<Vec<MessageState>>;

    /// How many messages wait, for metrics.
    async fn outbox_depth(&self) -> Result<u64>;

    /// When the next message that waits is due, or was: long ago means that nobody takes it.
    async fn outbox_next_due(&self) -> Result<Option<Timestamp>>;

    // --- Keys and resources -----------------------------------------------------------------

    /// All signing keys that are not past `until`, sealed private halves opened.
    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<KeyRecord>>;

    /// Adds a key and retires the others of its algorithm: they stay published until `retire_until` at most.
    async fn rotate_key(&self, new: &KeyRecord, retire_until: Timestamp, by: &By) -> Result<()>;

    /// What relies on which of the sealing keys. All of it is counted.
    async fn reliance(&self, now: Timestamp) -> Result<Vec<reseal::Reliance>>;

    /// How many families of refresh tokens live whose token of now was given before a time: what sealed
    /// it is not written down.
    async fn renewed_before(&self, at: Timestamp, now: Timestamp) -> Result<u64>;

    /// Seals the next few rows behind this one again that another key sealed than that of now, unless
    /// somebody writes them meanwhile.
    async fn reseal(
        &self,
        table: reseal::Sealed,
        after: &reseal::RowKey,
    ) -> Result<reseal::Stretch>;

    /// A resource document (zones, policy, applications, gateways) and its version.
    async fn resource(&self, kind: ResourceKind) -> Result<Option<Resource>>;

    /// Replaces documents if each is still at the version that was read: all, or none.
    async fn apply(&self, documents: &[Resource], by: &By) -> Result<bool>;

    /// A number that changes whenever any resource or key changes: what caches compare.
    async fn generation(&self) -> Result<u64>;

    // --- Nodes ------------------------------------------------------------------------------

    /// A node tells that it is there, and how it is. Everybody sees it; it is durable with the next write
    /// that is.
    async fn node_seen(&self, node: &Node, now: Timestamp) -> Result<()>;

    /// A node has ended.
    async fn node_left(&self, id: &[u8; 16]) -> Result<()>;

    /// All nodes of the last day that have not said that they ended, in the order in which they came.
    async fn nodes(&self) -> Result<Vec<NodeSeen>>;

    /// The servers of the database, in the order in which its address names them, each asked now; none where
    /// the database is a file. Takes seconds if one does not answer.
    async fn database_servers(&self) -> Result<Vec<DatabaseServer>>;

    /// The last migration that the database has seen; it may be a later one than this program knows.
    async fn migration(&self) -> Result<String>;

    // --- Audit and upkeep -------------------------------------------------------------------

    /// One audit entry on its own.
    async fn audit(&self, happened: &Happened, by: &By) -> Result<()>;

    /// The strands of the audit that have entries. An engine with one writer has one.
    async fn audit_strands(&self) -> Result<Vec<u16>>;

    /// Entries of a strand in order, from a sequence number on.
    async fn audit_from(&self, strand: u16, sequence: u64, limit: u32)
    -> Result<Vec<audit::Entry>>;

    /// The entries that carry a support code, oldest first.
    async fn audit_by_support(&self, support: &str) -> Result<Vec<audit::Entry>>;

    /// Deletes what is over: journeys, consumed marks, lanes at rest, sent messages, sessions.
    async fn tidy(&self, now: Timestamp) -> Result<u64>;

    /// Counts for metrics and `person show`.
    async fn counts(&self, now: Timestamp) -> Result<Counts>;

    /// What time it is where the data lies; none where that is this machine's own clock.
    async fn clock(&self) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    /// Whether the engine can write: for readiness.
    async fn ready(&self, patience: Duration) -> Result<()>;
}

/// An activation's id is drawn by the caller, like every id.
pub type ActivationKey = ActivationId;

/// A store that may be shared.
pub type AnyStore = Arc<dyn Store>;

/// Why an import changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Entries that contradict each other or what is known: index into the list, and why.
    #[error("{} entries contradict each other or what is known; nothing was imported", .0.len())]
    Conflicts(Vec<(usize, Conflict)>),
    /// Ours.
    #[error(transparent)]
    Store(#[from] StoreError),
}
