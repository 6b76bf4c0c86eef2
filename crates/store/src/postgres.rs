//! The engine of many nodes: a PostgreSQL that all of them write to.
//!
//! Each method of [`Store`] is one transaction of a function in a sibling file, with the same name and the
//! same meaning as in the other engine. Whoever acts on what stands in a row checks and acts in one
//! statement, or holds the row. The statements keep to what PostgreSQL's distributed relatives also take.
//! Deliberately absent: what steps mean; who may do what. One thing: the list of the trait's methods, each a
//! line or two.

mod address;
mod artifacts;
mod attempts;
mod consents;
mod devices;
mod effects;
mod federations;
mod image;
mod import;
mod journeys;
mod lanes;
mod link;
mod nodes;
mod opening;
mod outbox;
mod participants;
mod people;
mod pool;
mod recovery;
mod refresh;
mod registrations;
mod reseal;
mod resets;
mod resources;
mod restored;
mod rows;
mod schema;
mod sessions;
mod tokens;
mod trail;
mod trouble;
mod unverified;
mod upkeep;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use deadpool_postgres::Pool;
use journey::{
    Happened, JourneyId, NameKey, PersonId, Secret, Timestamp,
    effect::Effect,
    limit::{Lane, Rule, Wait},
};

pub use self::{
    address::{Address, AddressError},
    image::Whole,
};
use self::{
    attempts::{Attempts, read, transact, write},
    journeys::Step,
    link::Synced,
    trouble::{Busy, Trouble, Unknown},
};
use crate::{
    audit, forms,
    model::*,
    reseal::{Reliance, RowKey, Sealed, Stretch, again},
    seal::Keys,
    *,
};

/// What went wrong, before anybody said what was being done.
type Cause = forms::Cause;

/// Whether a failure means that the database does not answer at this moment.
pub(crate) fn is_out_of_reach(cause: &Cause) -> bool {
    let cause = opening::explained(cause);
    let is_lost = || Trouble::of(cause) == Trouble::Lost && !opening::is_a_stranger(cause);
    cause.is::<Busy>() || cause.is::<Unknown>() || is_lost()
}

/// What becomes of a transaction.
#[must_use]
enum Verdict<T> {
    /// It is committed.
    Keep(T),
    /// None of it happened.
    Undo(T),
}

/// A store in a PostgreSQL database, which other nodes share. Clones are not needed: share it in an
/// [`Arc`].
pub struct Postgres {
    address: Address,
    keys: Arc<Keys>,
    pool: Pool,
}

impl Postgres {
    /// Opens the database, and brings its schema up to date. Every commit is on as many disks as the
    /// server was told, before anybody hears of it; less than its own is not accepted.
    ///
    /// # Errors
    /// If the server cannot be reached or written, or is too old; if the database was sealed with other
    /// keys, was made by a newer version or by something else, or is not this user's.
    pub async fn open(address: &Address, keys: Arc<Keys>) -> Result<Self> {
        let store = Self::connect(address, keys)?;
        store.prepare().await.map_err(|failed| StoreError {
            source: opening::explain(address, failed.source),
            ..failed
        })?;
        Ok(store)
    }

    /// Whether nothing is in the database yet; changes nothing.
    ///
    /// # Errors
    /// As for [`Postgres::open`], and if something else is in it.
    pub async fn is_empty(address: &Address) -> Result<bool> {
        Ok(Self::migrate_plan(address).await?.len() == schema::ALL_MIGRATIONS)
    }

    /// The names of the migrations that [`Postgres::open`] would run on this database; changes nothing.
    ///
    /// # Errors
    /// As for [`Postgres::open`].
    pub async fn migrate_plan(address: &Address) -> Result<Vec<&'static str>> {
        let doing = "comparing the schema of the database with this version's";
        let nobody = Arc::new(Keys::from_master(&[0; 32]));
        let store = Self::connect(address, nobody)?;
        let plan = store.plan(doing).await;
        plan.map_err(|failed| StoreError {
            source: opening::explain(address, failed.source),
            ..failed
        })
    }

    /// Begins a new epoch, after a backup was restored: journeys, sessions and access tokens of the
    /// one before are void, because what was spent since the backup is forgotten.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn begin_epoch(&self) -> Result<()> {
        write!(self, "beginning a new epoch", |tx| upkeep::begin_epoch(&tx))
    }

    fn connect(address: &Address, keys: Arc<Keys>) -> Result<Self> {
        let pool = pool::pool(address).map_err(|source| StoreError {
            doing: "opening the database",
            source,
        })?;
        Ok(Self {
            address: address.clone(),
            keys,
            pool,
        })
    }

    async fn plan(&self, doing: &'static str) -> Result<Vec<&'static str>> {
        read!(self, doing, |link| async {
            schema::refuse_old_server(&link).await?;
            schema::pending(&link, &self.address).await
        })
    }

    async fn prepare(&self) -> Result<()> {
        let doing = "opening the database";
        if !self.plan(doing).await?.is_empty() {
            self.migrate(doing).await?;
        }
        let complete: Result<()> = read!(self, doing, |link| schema::refuse_incomplete(&link));
        complete?;
        let ours: Result<()> = write!(self, doing, |tx| schema::belongs_to(&tx, &self.keys));
        ours?;
        transact!(self, doing, Synced::Now, |tx| schema::refuse_read_only(&tx))
    }

    async fn migrate(&self, doing: &'static str) -> Result<()> {
        let mut attempts = Attempts::at(self, doing);
        loop {
            let tx = attempts.begin_long().await?;
            let outcome = schema::migrate(&tx, &self.address).await;
            match outcome {
                Err(cause) if schema::lost_the_race(&cause) => {
                    drop(tx);
                    attempts.after_conflict(cause).await?;
                }
                outcome => {
                    if attempts.end(tx, outcome).await?.is_some() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Postgres")
    }
}

#[async_trait]
impl Store for Postgres {
    async fn import_people(&self, people: &[NewPerson], by: &By) -> Result<Imported, ImportError> {
        let imported: Result<_> =
            transact!(self, "importing people", Synced::Now, |tx| import::import(
                &tx,
                people,
                (&self.keys, by)
            ));
        imported?.map_err(ImportError::Conflicts)
    }

    async fn person_by_name(&self, name: &NameKey) -> Result<Option<Account>> {
        read!(self, "looking for a person by name", |link| {
            people::by_name(&link, &self.keys, name)
        })
    }

    async fn person(&self, id: PersonId) -> Result<Option<Account>> {
        read!(self, "looking for a person", |link| people::by_id(
            &link, &self.keys, id
        ))
    }

    async fn upgrade_password(&self, person: PersonId, from: &Secret, to: &Secret) -> Result<()> {
        write!(self, "replacing a password's hash", |tx| {
            people::upgrade_password(&tx, person, from, to)
        })
    }

    async fn password_history(&self, person: PersonId, limit: u8) -> Result<Vec<Secret>> {
        read!(self, "reading a person's last passwords", |link| {
            people::password_history(&link, person, limit)
        })
    }

    async fn disable(&self, person: PersonId, disabled: bool, by: &By) -> Result<()> {
        write!(self, "switching a person off or on", |tx| {
            people::disable(&tx, &self.keys, person, disabled, by)
        })
    }

    async fn reset(&self, reset: &Reset, by: &By) -> Result<Option<Begun>> {
        write!(self, "resetting what a person proves with", |tx| {
            resets::reset(&tx, &self.keys, reset, by)
        })
    }

    async fn begun(&self, person: PersonId, now: Timestamp) -> Result<Begun> {
        read!(self, "counting what a person has begun", |link| {
            resets::begun(&link, person, now)
        })
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        by: &By,
    ) -> Result<Option<NewSession>> {
        transact!(self, "changing a password", Synced::Now, |tx| {
            resets::change_password(&tx, &self.keys, change, by)
        })
    }

    async fn people(&self, which: Cohort, after: Option<&str>, limit: u32) -> Result<Vec<Account>> {
        read!(self, "listing people", |link| people::list(
            &link,
            &self.keys,
            &which,
            (after, limit)
        ))
    }

    async fn issue_activation(&self, new: &NewActivation, by: &By) -> Result<()> {
        write!(self, "issuing an activation", |tx| {
            people::issue_activation(&tx, &self.keys, new, by)
        })
    }

    async fn activations(&self, person: PersonId) -> Result<Vec<ActivationRecord>> {
        read!(self, "reading a person's activations", |link| {
            people::activations(&link, person)
        })
    }

    async fn open_journey(
        &self,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Committed> {
        let doing = "opening a journey";
        let step = Step::first(&self.keys, journey, effects, by);
        let step = step.map_err(|source| StoreError { doing, source })?;
        transact!(self, doing, Synced::Now, |tx| step.open(&tx))
    }

    async fn journey(&self, id: JourneyId) -> Result<Option<Journey>> {
        read!(self, "reading a journey", |link| journeys::by_id(
            &link, &self.keys, id
        ))
    }

    async fn commit_journey(
        &self,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Committed> {
        let doing = "committing a step";
        let step = Step::next(&self.keys, journey, effects, by);
        let step = step.map_err(|source| StoreError { doing, source })?;
        transact!(self, doing, Synced::Now, |tx| step.commit(&tx))
    }

    async fn take_over_journey(
        &self,
        resume: &[u8; 32],
        browser: &[u8; 32],
        now: Timestamp,
    ) -> Result<TakeOver> {
        write!(self, "taking a journey over", |tx| {
            journeys::take_over(&tx, &self.keys, (resume, browser), now)
        })
    }

    async fn offer_resume(
        &self,
        journey: JourneyId,
        resume: &[u8; 32],
        until: Timestamp,
    ) -> Result<()> {
        write!(self, "offering a link to go on elsewhere", |tx| {
            journeys::offer_resume(&tx, journey, resume, until)
        })
    }

    async fn session(&self, key: &[u8; 32], now: Timestamp) -> Result<Option<SessionRecord>> {
        read!(self, "reading a session", |link| sessions::used(
            &link, key, now
        ))
    }

    async fn sessions(&self, person: PersonId, now: Timestamp) -> Result<Vec<SessionRecord>> {
        read!(self, "reading a person's sessions", |link| {
            sessions::of_person(&link, person, now)
        })
    }

    async fn end_sessions(&self, which: &EndSessions, by: &By) -> Result<u32> {
        write!(self, "ending sessions", |tx| {
            sessions::end(&tx, &self.keys, which, by)
        })
    }

    async fn participate(&self, participant: &Participant, now: Timestamp) -> Result<bool> {
        write!(self, "remembering an application of a session", |tx| {
            participants::begin(&tx, participant, now)
        })
    }

    async fn participants(&self, session: &[u8; 32]) -> Result<Vec<Participant>> {
        read!(self, "listing the applications of a session", |link| {
            participants::of_session(&link, session)
        })
    }

    async fn consume(&self, kind: OneTime, key: &[u8], until: Timestamp) -> Result<bool> {
        let hash = forms::one_time(kind, key);
        write!(self, "using a one-time thing up", |tx| {
            sessions::consume(&tx, &hash, until)
        })
    }

    async fn redeem_code(&self, redemption: &Redemption, by: &By) -> Result<Redeemed> {
        write!(self, "redeeming an authorization code", |tx| {
            sessions::redeem(&tx, redemption, by)
        })
    }

    async fn redeemed(&self, code: &[u8; 16], session: &[u8; 32]) -> Result<Option<Account>> {
        read!(self, "looking for a code that was redeemed", |link| {
            sessions::redeemed(&link, &self.keys, (code, session))
        })
    }

    async fn renew(&self, renewal: &Renewal, by: &By) -> Result<Renewed> {
        write!(self, "renewing a refresh token", |tx| {
            refresh::renew(&tx, renewal, by)
        })
    }

    async fn refresh_due(&self, family: &[u8; 16], now: Timestamp) -> Result<Option<u32>> {
        read!(self, "looking for a family of refresh tokens", |link| {
            refresh::due(&link, family, now)
        })
    }

    async fn revoke(&self, revocation: &Revocation, by: &By) -> Result<bool> {
        write!(self, "taking back what a code gave", |tx| {
            refresh::revoke(&tx, revocation, by)
        })
    }

    async fn ask_device(&self, new: &NewDevice, by: &By) -> Result<bool> {
        write!(self, "remembering a device that asks", |tx| devices::ask(
            &tx, new, by
        ))
    }

    async fn asked_device(&self, user_code: &str, now: Timestamp) -> Result<Option<AskedDevice>> {
        read!(self, "looking for a device that asks", |link| {
            devices::asked(&link, user_code, now)
        })
    }

    async fn answer_device(&self, answer: &DeviceAnswer, by: &By) -> Result<bool> {
        write!(self, "answering a device", |tx| devices::answer(
            &tx, answer, by
        ))
    }

    async fn poll_device(
        &self,
        key: &[u8; 32],
        application: &str,
        now: Timestamp,
    ) -> Result<DevicePoll> {
        write!(self, "telling a device how it stands", |tx| {
            devices::poll(&tx, (key, application), now)
        })
    }

    async fn consents(&self, person: PersonId) -> Result<Vec<Consent>> {
        read!(self, "reading what a person consented to", |link| {
            consents::of_person(&link, person)
        })
    }

    async fn consent(&self, consent: &Consent, by: &By) -> Result<()> {
        write!(self, "remembering a consent", |tx| consents::give(
            &tx, consent, by
        ))
    }

    async fn take_back(&self, person: PersonId, application: &str, by: &By) -> Result<bool> {
        write!(self, "taking a consent back", |tx| {
            consents::take_back(&tx, (person, application), by)
        })
    }

    async fn invite(&self, new: &NewInvitation, by: &By) -> Result<bool> {
        write!(self, "inviting applications", |tx| {
            registrations::invite(&tx, new, by)
        })
    }

    async fn invitations(&self) -> Result<Vec<Invitation>> {
        read!(self, "reading the invitations", |link| {
            registrations::invitations(&link)
        })
    }

    async fn invitation(&self, token: &[u8; 32], now: Timestamp) -> Result<Option<Invitation>> {
        read!(self, "looking for an invitation", |link| {
            registrations::invitation(&link, token, now)
        })
    }

    async fn uninvite(&self, id: &str, by: &By) -> Result<bool> {
        write!(self, "ending an invitation", |tx| {
            registrations::uninvite(&tx, id, by)
        })
    }

    async fn register(&self, new: &NewRegistration, by: &By) -> Result<bool> {
        transact!(self, "registering an application", Synced::Now, |tx| {
            registrations::register(&tx, new, by)
        })
    }

    async fn registrations(&self) -> Result<Vec<Registration>> {
        read!(
            self,
            "reading the registrations",
            |link| registrations::all(&link)
        )
    }

    async fn registration(
        &self,
        application: &str,
        token: &[u8; 32],
    ) -> Result<Option<Registration>> {
        read!(self, "reading a registration", |link| {
            registrations::one(&link, (application, token))
        })
    }

    async fn change_registration(&self, change: &RegistrationChange, by: &By) -> Result<bool> {
        write!(self, "changing a registration", |tx| {
            registrations::change(&tx, change, by)
        })
    }

    async fn remove_registration(
        &self,
        application: &str,
        token: Option<&[u8; 32]>,
        by: &By,
    ) -> Result<bool> {
        write!(self, "removing a registered application", |tx| {
            registrations::remove(&tx, (application, token), by)
        })
    }

    async fn keep_federation(&self, copy: &FederationCopy) -> Result<bool> {
        write!(self, "keeping what a federation says", |tx| {
            federations::keep(&tx, copy)
        })
    }

    async fn leave_message(&self, message: &WaitingMessage) -> Result<()> {
        write!(self, "leaving a SAML message", |tx| artifacts::leave(
            &tx, message
        ))
    }

    async fn fetch_message(&self, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>> {
        write!(self, "fetching a SAML message", |tx| artifacts::fetch(
            &tx, key, now
        ))
    }

    async fn federations(&self) -> Result<Vec<FederationCopy>> {
        read!(self, "reading what federations say", |link| {
            federations::all(&link)
        })
    }

    async fn recovery_set(&self, person: PersonId) -> Result<Option<RecoverySet>> {
        read!(self, "reading a person's recovery codes", |link| {
            recovery::of_person(&link, person)
        })
    }

    async fn make_recovery_set(&self, new: &NewRecoverySet, by: &By) -> Result<bool> {
        write!(self, "making recovery codes", |tx| {
            recovery::make(&tx, &self.keys, new, by)
        })
    }

    async fn spend_try(
        &self,
        lane: &LaneKey,
        rule: &Rule,
        now: Timestamp,
    ) -> Result<Result<Lane, Wait>> {
        let lane = forms::lane(lane);
        transact!(self, "spending a try", Synced::Later, |tx| async {
            lanes::spend(&tx, &lane, rule, now).await.map(Verdict::Keep)
        })
    }

    async fn refund_try(&self, lane: &LaneKey) -> Result<()> {
        let lane = forms::lane(lane);
        transact!(self, "giving a try back", Synced::Later, |tx| async {
            lanes::refund(&tx, &lane).await.map(Verdict::Keep)
        })
    }

    async fn lane(&self, lane: &LaneKey) -> Result<Lane> {
        let lane = forms::lane(lane);
        read!(self, "reading a budget", |link| lanes::read(&link, &lane))
    }

    async fn knows_device(&self, person: PersonId, device: &[u8; 32]) -> Result<bool> {
        read!(self, "looking for a known device", |link| {
            lanes::knows_device(&link, person, device)
        })
    }

    async fn import_tokens(&self, tokens: &[NewToken], by: &By) -> Result<u32, ImportError> {
        let imported: Result<_> =
            transact!(self, "importing tokens", Synced::Now, |tx| tokens::import(
                &tx, &self.keys, tokens, by
            ));
        imported?.map_err(ImportError::Conflicts)
    }

    async fn token(&self, serial: &str) -> Result<Option<TokenRecord>> {
        read!(self, "reading a token", |link| tokens::by_serial(
            &link, &self.keys, serial
        ))
    }

    async fn assign_token(&self, assign: &AssignToken, by: &By) -> Result<bool> {
        transact!(self, "assigning a token", Synced::Now, |tx| {
            tokens::assign_by_desk(&tx, &self.keys, assign, by)
        })
    }

    async fn resync_token(&self, serial: &str, counter: u64, drift: i64, by: &By) -> Result<bool> {
        write!(self, "moving a token's counter", |tx| {
            tokens::resync(&tx, serial, (counter, drift), by)
        })
    }

    async fn claim_messages(&self, now: Timestamp, limit: u16) -> Result<Vec<Outgoing>> {
        let doing = "claiming messages";
        // An outbox in which nothing is due costs no write.
        let due: Result<bool> = read!(self, doing, |link| outbox::anything_due(&link, now));
        if !due? {
            return Ok(vec![]);
        }
        write!(self, doing, |tx| outbox::claim(&tx, &self.keys, now, limit))
    }

    async fn settle_message(&self, id: MessageId, outcome: &Outcome, now: Timestamp) -> Result<()> {
        write!(self, "writing down what became of a message", |tx| {
            outbox::settle(&tx, id, outcome, now)
        })
    }

    async fn messages_of(&self, journey: JourneyId) -> Result<Vec<MessageState>> {
        read!(self, "reading a journey's messages", |link| {
            outbox::of_journey(&link, journey)
        })
    }

    async fn outbox_depth(&self) -> Result<u64> {
        read!(self, "counting messages", |link| outbox::depth(&link))
    }

    async fn outbox_next_due(&self) -> Result<Option<Timestamp>> {
        read!(self, "looking for the next message", |link| {
            outbox::next_due(&link)
        })
    }

    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<KeyRecord>> {
        read!(self, "reading the signing keys", |link| {
            resources::signing_keys(&link, &self.keys, now)
        })
    }

    async fn rotate_key(&self, new: &KeyRecord, retire_until: Timestamp, by: &By) -> Result<()> {
        write!(self, "rotating a signing key", |tx| {
            resources::rotate_key(&tx, &self.keys, (new, retire_until), by)
        })
    }

    async fn reliance(&self, now: Timestamp) -> Result<Vec<Reliance>> {
        let mut attempts = Attempts::at(self, "counting what relies on the keys");
        loop {
            let tx = attempts.begin_long().await?;
            let counted = reseal::reliance(&tx, &self.keys, now).await;
            if let Some(reliance) = attempts.end(tx, counted.map(Verdict::Undo)).await? {
                return Ok(reliance);
            }
        }
    }

    async fn renewed_before(&self, at: Timestamp, now: Timestamp) -> Result<u64> {
        let mut attempts = Attempts::at(self, "counting refresh tokens");
        loop {
            let tx = attempts.begin_long().await?;
            let counted = reseal::renewed_before(&tx, at, now).await;
            if let Some(count) = attempts.end(tx, counted.map(Verdict::Undo)).await? {
                return Ok(count);
            }
        }
    }

    async fn reseal(&self, table: Sealed, after: &RowKey) -> Result<Stretch> {
        let doing = "sealing again";
        let current = self.keys.current();
        let found: Result<_> = read!(self, doing, |link| {
            reseal::find(&link, table, after, current)
        });
        let (rows, stretch) = again(&self.keys, table, found?);
        let resealed: Result<u64> = write!(self, doing, |tx| reseal::replace(&tx, table, &rows));
        Ok(Stretch {
            resealed: resealed?,
            ..stretch
        })
    }

    async fn resource(&self, kind: ResourceKind) -> Result<Option<Resource>> {
        read!(self, "reading a resource", |link| resources::by_kind(
            &link, kind
        ))
    }

    async fn apply(&self, documents: &[Resource], by: &By) -> Result<bool> {
        transact!(self, "applying resources", Synced::Now, |tx| {
            resources::apply(&tx, documents, by)
        })
    }

    async fn generation(&self) -> Result<u64> {
        read!(self, "reading the generation", |link| {
            resources::generation(&link)
        })
    }

    async fn node_seen(&self, node: &Node, now: Timestamp) -> Result<()> {
        transact!(self, "telling of this node", Synced::Later, |tx| async {
            nodes::tell(&tx, node, now).await.map(Verdict::Keep)
        })
    }

    async fn node_left(&self, id: &[u8; 16]) -> Result<()> {
        transact!(self, "forgetting a node", Synced::Later, |tx| async {
            nodes::forget(&tx, id).await.map(Verdict::Keep)
        })
    }

    async fn nodes(&self) -> Result<Vec<NodeSeen>> {
        read!(self, "reading the nodes", |link| nodes::all(&link))
    }

    async fn migration(&self) -> Result<String> {
        read!(self, "reading the schema's version", |link| {
            nodes::migration(&link)
        })
    }

    async fn database_servers(&self) -> Result<Vec<DatabaseServer>> {
        Ok(nodes::servers(&self.address).await)
    }

    async fn audit(&self, happened: &Happened, by: &By) -> Result<()> {
        write!(self, "writing the audit", |tx| async {
            tx.tell(happened, by, None);
            Ok(())
        })
    }

    async fn audit_strands(&self) -> Result<Vec<u16>> {
        read!(self, "looking for the strands of the audit", |link| {
            trail::strands(&link)
        })
    }

    async fn audit_from(
        &self,
        strand: u16,
        sequence: u64,
        limit: u32,
    ) -> Result<Vec<audit::Entry>> {
        read!(self, "reading the audit", |link| trail::from(
            &link,
            (strand, sequence),
            limit
        ))
    }

    async fn audit_by_support(&self, support: &str) -> Result<Vec<audit::Entry>> {
        read!(self, "looking for a support code in the audit", |link| {
            trail::by_support(&link, support)
        })
    }

    async fn tidy(&self, now: Timestamp) -> Result<u64> {
        let mut deleted = 0_u64;
        for over in &upkeep::OVER {
            loop {
                let some: Result<u64> = write!(self, "deleting what is over", |tx| {
                    upkeep::delete(&tx, over, now)
                });
                let some = some?;
                deleted = deleted.saturating_add(some);
                if some < upkeep::AT_ONCE {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        let mut attempts = Attempts::at(self, "counting");
        loop {
            let tx = attempts.begin_long().await?;
            let counted = upkeep::counts(&tx, now).await;
            if let Some(counts) = attempts.end(tx, counted.map(Verdict::Undo)).await? {
                return Ok(counts);
            }
        }
    }

    async fn clock(&self) -> Result<Option<Timestamp>> {
        let doing = "asking the database what time it is";
        read!(self, doing, |link| upkeep::clock(&link)).map(Some)
    }

    async fn ready(&self, patience: Duration) -> Result<()> {
        let doing = "checking that the database can be written";
        let written = async { write!(self, doing, |tx| upkeep::prove_writable(&tx)) };
        match tokio::time::timeout(patience, written).await {
            Ok(written) => written,
            Err(late) => Err(StoreError {
                doing,
                source: late.into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
