//! The engine in the binary: one SQLite file, one thread that writes, readers that never wait.
//!
//! Each method of [`Store`] is one call of a function in a sibling file, in one transaction. The
//! statements keep to what PostgreSQL and its distributed relatives also take. Deliberately absent:
//! what steps mean; who may do what. One thing: the list of the trait's methods, each a line or two.

mod artifacts;
mod consents;
mod devices;
mod effects;
mod federations;
mod image;
mod import;
mod journeys;
mod lanes;
mod nodes;
mod outbox;
mod participants;
mod people;
mod readers;
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
mod upkeep;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use journey::{
    Happened, JourneyId, NameKey, PersonId, Secret, Timestamp,
    effect::Effect,
    limit::{Lane, Rule, Wait},
};
use rusqlite::{Connection, OpenFlags};

pub use self::image::Whole;
use self::{
    readers::Readers,
    schema::Durability,
    writer::{Verdict, Writer},
};
use crate::{
    audit,
    model::*,
    reseal::{Reliance, RowKey, Sealed, Stretch, again},
    seal::Keys,
    *,
};

/// What went wrong, before anybody said what was being done.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A store in one SQLite file. Clones are not needed: share it in an [`Arc`].
pub struct Sqlite {
    // The writer is dropped first: it finishes its queue while the file is still there.
    writer: Writer,
    readers: Readers,
    durability: Durability,
    keys: Arc<Keys>,
    _scratch: Option<Scratch>,
}

impl Sqlite {
    /// Opens the database, makes it if there is none, and brings its schema up to date. Every commit
    /// survives a power cut.
    ///
    /// # Errors
    /// If the file cannot be read and written, was sealed with other keys, or was made by a newer
    /// version.
    pub fn open(path: impl AsRef<Path>, keys: Arc<Keys>) -> Result<Self> {
        Self::start(path.as_ref(), keys, Durability::PowerCut, None)
    }

    /// A database of its own that ends with the value, for tests: the same engine on a file in
    /// memory, whose commits survive nothing.
    ///
    /// # Errors
    /// If there is no place for the file.
    pub fn open_in_memory(keys: Arc<Keys>) -> Result<Self> {
        let scratch = Scratch::make().map_err(|source| StoreError {
            doing: "making a database in memory",
            source: source.into(),
        })?;
        let path = scratch.0.join("furka.db");
        Self::start(&path, keys, Durability::Process, Some(scratch))
    }

    /// The names of the migrations that [`Sqlite::open`] would run on this database; changes nothing.
    ///
    /// # Errors
    /// If the file cannot be read, or was made by a newer version.
    pub fn migrate_plan(path: impl AsRef<Path>) -> Result<Vec<&'static str>> {
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            schema::pending(&Connection::open_with_flags(path.as_ref(), flags)?)
        };
        open().map_err(|source| StoreError {
            doing: "comparing the schema of the database with this version's",
            source,
        })
    }

    /// Copies the whole database into a new file, as of one moment, while it is in use. Reads all of
    /// it: call it where waiting is allowed.
    ///
    /// # Errors
    /// If the target exists or cannot be written.
    pub fn backup(&self, to: impl AsRef<Path>) -> Result<()> {
        let copy = |conn: &Connection| {
            let to = to.as_ref();
            schema::create_private(to)?;
            let mut target = Connection::open(to)?;
            let backup = rusqlite::backup::Backup::new(conn, &mut target)?;
            Ok(backup.run_to_completion(1024, Duration::ZERO, None)?)
        };
        self.read("copying the database", copy)
    }

    /// Begins a new epoch, after a backup was restored: journeys, sessions and access tokens of the
    /// one before are void, because what was spent since the backup is forgotten.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn begin_epoch(&self) -> Result<()> {
        self.write("beginning a new epoch", upkeep::begin_epoch)
            .await
    }

    fn start(
        path: &Path,
        keys: Arc<Keys>,
        durability: Durability,
        scratch: Option<Scratch>,
    ) -> Result<Self> {
        let open = || {
            let mut conn = schema::open_writer(path, durability)?;
            schema::migrate(&mut conn)?;
            schema::belongs_to(&conn, &keys)?;
            schema::refuse_read_only(&conn)?;
            Ok(Writer::start(conn, durability)?)
        };
        let writer = open().map_err(|source| StoreError {
            doing: "opening the database",
            source,
        })?;
        Ok(Self {
            writer,
            readers: Readers::of(path.to_owned()),
            durability,
            keys,
            _scratch: scratch,
        })
    }

    fn read<T>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Cause>,
    ) -> Result<T> {
        let read = self.readers.read(work);
        read.map_err(|source| StoreError { doing, source })
    }

    async fn write<T, W>(&self, doing: &'static str, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Connection) -> Result<T, Cause> + Send + 'static,
    {
        let work = |conn: &Connection| work(conn).map(Verdict::Keep);
        self.writer.run(doing, work).await
    }
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sqlite")
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn import_people(&self, people: &[NewPerson], by: &By) -> Result<Imported, ImportError> {
        import::import(self, people, by).await
    }

    async fn person_by_name(&self, name: &NameKey) -> Result<Option<Account>> {
        let find = |conn: &Connection| people::by_name(conn, &self.keys, name);
        self.read("looking for a person by name", find)
    }

    async fn person(&self, id: PersonId) -> Result<Option<Account>> {
        let find = |conn: &Connection| people::by_id(conn, &self.keys, id);
        self.read("looking for a person", find)
    }

    async fn upgrade_password(&self, person: PersonId, from: &Secret, to: &Secret) -> Result<()> {
        let (from, to) = (from.clone(), to.clone());
        self.write("replacing a password's hash", move |conn| {
            people::upgrade_password(conn, person, &from, &to)
        })
        .await
    }

    async fn password_history(&self, person: PersonId, limit: u8) -> Result<Vec<Secret>> {
        let find = |conn: &Connection| people::password_history(conn, person, limit);
        self.read("reading a person's last passwords", find)
    }

    async fn disable(&self, person: PersonId, disabled: bool, by: &By) -> Result<()> {
        let (keys, by) = (self.keys.clone(), by.clone());
        self.write("switching a person off or on", move |conn| {
            people::disable(conn, &keys, person, disabled, &by)
        })
        .await
    }

    async fn reset(&self, reset: &Reset, by: &By) -> Result<Option<Begun>> {
        let (keys, reset, by) = (self.keys.clone(), reset.clone(), by.clone());
        let work = move |conn: &Connection| resets::reset(conn, &keys, &reset, &by);
        self.write("resetting what a person proves with", work)
            .await
    }

    async fn begun(&self, person: PersonId, now: Timestamp) -> Result<Begun> {
        self.read("counting what a person has begun", |conn| {
            resets::begun(conn, person, now)
        })
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        by: &By,
    ) -> Result<Option<NewSession>> {
        let (keys, change, by) = (self.keys.clone(), change.clone(), by.clone());
        let work = move |conn: &Connection| resets::change_password(conn, &keys, &change, &by);
        self.writer.run("changing a password", work).await
    }

    async fn people(&self, which: Cohort, after: Option<&str>, limit: u32) -> Result<Vec<Account>> {
        let find = |conn: &Connection| people::list(conn, &self.keys, &which, (after, limit));
        self.read("listing people", find)
    }

    async fn issue_activation(&self, new: &NewActivation, by: &By) -> Result<()> {
        let (keys, new, by) = (self.keys.clone(), new.clone(), by.clone());
        self.write("issuing an activation", move |conn| {
            people::issue_activation(conn, &keys, &new, &by)
        })
        .await
    }

    async fn activations(&self, person: PersonId) -> Result<Vec<ActivationRecord>> {
        let find = |conn: &Connection| people::activations(conn, person);
        self.read("reading a person's activations", find)
    }

    async fn open_journey(
        &self,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Committed> {
        let step = journeys::Step::first(&self.keys, journey, effects, by);
        let work = move |conn: &Connection| step?.open(conn);
        self.writer.run("opening a journey", work).await
    }

    async fn journey(&self, id: JourneyId) -> Result<Option<Journey>> {
        let find = |conn: &Connection| journeys::by_id(conn, &self.keys, id);
        self.read("reading a journey", find)
    }

    async fn commit_journey(
        &self,
        journey: &Journey,
        effects: &[Effect],
        by: &By,
    ) -> Result<Committed> {
        let step = journeys::Step::next(&self.keys, journey, effects, by);
        let work = move |conn: &Connection| step?.commit(conn);
        self.writer.run("committing a step", work).await
    }

    async fn take_over_journey(
        &self,
        resume: &[u8; 32],
        browser: &[u8; 32],
        now: Timestamp,
    ) -> Result<TakeOver> {
        let (keys, resume, browser) = (self.keys.clone(), *resume, *browser);
        self.write("taking a journey over", move |conn| {
            journeys::take_over(conn, &keys, (&resume, &browser), now)
        })
        .await
    }

    async fn offer_resume(
        &self,
        journey: JourneyId,
        resume: &[u8; 32],
        until: Timestamp,
    ) -> Result<()> {
        let resume = *resume;
        self.write("offering a link to go on elsewhere", move |conn| {
            journeys::offer_resume(conn, journey, &resume, until)
        })
        .await
    }

    async fn session(&self, key: &[u8; 32], now: Timestamp) -> Result<Option<SessionRecord>> {
        let find = |conn: &Connection| sessions::by_key(conn, key);
        let session = self.read("reading a session", find)?;
        if session
            .as_ref()
            .is_some_and(|session| sessions::wants_touch(session, now))
        {
            let key = *key;
            self.writer
                .post(move |conn| sessions::touch(conn, &key, now).map(Verdict::Keep));
        }
        Ok(session)
    }

    async fn sessions(&self, person: PersonId, now: Timestamp) -> Result<Vec<SessionRecord>> {
        let find = |conn: &Connection| sessions::of_person(conn, person, now);
        self.read("reading a person's sessions", find)
    }

    async fn end_sessions(&self, which: &EndSessions, by: &By) -> Result<u32> {
        let (keys, which, by) = (self.keys.clone(), which.clone(), by.clone());
        self.write("ending sessions", move |conn| {
            sessions::end(conn, &keys, &which, &by)
        })
        .await
    }

    async fn participate(&self, participant: &Participant, now: Timestamp) -> Result<bool> {
        let participant = participant.clone();
        self.write("remembering an application of a session", move |conn| {
            participants::begin(conn, &participant, now)
        })
        .await
    }

    async fn participants(&self, session: &[u8; 32]) -> Result<Vec<Participant>> {
        let session = *session;
        let find = move |conn: &Connection| participants::of_session(conn, &session);
        self.read("listing the applications of a session", find)
    }

    async fn consume(&self, kind: OneTime, key: &[u8], until: Timestamp) -> Result<bool> {
        let hash = forms::one_time(kind, key);
        self.write("using a one-time thing up", move |conn| {
            sessions::consume(conn, &hash, until)
        })
        .await
    }

    async fn redeem_code(&self, redemption: &Redemption, by: &By) -> Result<Redeemed> {
        let (redemption, by) = (redemption.clone(), by.clone());
        self.write("redeeming an authorization code", move |conn| {
            sessions::redeem(conn, &redemption, &by)
        })
        .await
    }

    async fn redeemed(&self, code: &[u8; 16], session: &[u8; 32]) -> Result<Option<Account>> {
        let find = |conn: &Connection| sessions::redeemed(conn, &self.keys, (code, session));
        self.read("looking for a code that was redeemed", find)
    }

    async fn renew(&self, renewal: &Renewal, by: &By) -> Result<Renewed> {
        let (renewal, by) = (renewal.clone(), by.clone());
        self.write("renewing a refresh token", move |conn| {
            refresh::renew(conn, &renewal, &by)
        })
        .await
    }

    async fn refresh_due(&self, family: &[u8; 16], now: Timestamp) -> Result<Option<u32>> {
        let find = |conn: &Connection| refresh::due(conn, family, now);
        self.read("looking for a family of refresh tokens", find)
    }

    async fn revoke(&self, revocation: &Revocation, by: &By) -> Result<bool> {
        let (revocation, by) = (revocation.clone(), by.clone());
        self.write("taking back what a code gave", move |conn| {
            refresh::revoke(conn, &revocation, &by)
        })
        .await
    }

    async fn ask_device(&self, new: &NewDevice, by: &By) -> Result<bool> {
        let (new, by) = (new.clone(), by.clone());
        self.write("remembering a device that asks", move |conn| {
            devices::ask(conn, &new, &by)
        })
        .await
    }

    async fn asked_device(&self, user_code: &str, now: Timestamp) -> Result<Option<AskedDevice>> {
        let find = |conn: &Connection| devices::asked(conn, user_code, now);
        self.read("looking for a device that asks", find)
    }

    async fn answer_device(&self, answer: &DeviceAnswer, by: &By) -> Result<bool> {
        let (answer, by) = (answer.clone(), by.clone());
        self.write("answering a device", move |conn| {
            devices::answer(conn, &answer, &by)
        })
        .await
    }

    async fn poll_device(
        &self,
        key: &[u8; 32],
        application: &str,
        now: Timestamp,
    ) -> Result<DevicePoll> {
        let (key, application) = (*key, application.to_owned());
        self.write("telling a device how it stands", move |conn| {
            devices::poll(conn, (&key, &application), now)
        })
        .await
    }

    async fn consents(&self, person: PersonId) -> Result<Vec<Consent>> {
        let find = |conn: &Connection| consents::of_person(conn, person);
        self.read("reading what a person consented to", find)
    }

    async fn consent(&self, consent: &Consent, by: &By) -> Result<()> {
        let (consent, by) = (consent.clone(), by.clone());
        self.write("remembering a consent", move |conn| {
            consents::give(conn, &consent, &by)
        })
        .await
    }

    async fn take_back(&self, person: PersonId, application: &str, by: &By) -> Result<bool> {
        let (application, by) = (application.to_owned(), by.clone());
        self.write("taking a consent back", move |conn| {
            consents::take_back(conn, (person, &application), &by)
        })
        .await
    }

    async fn invite(&self, new: &NewInvitation, by: &By) -> Result<bool> {
        let (new, by) = (new.clone(), by.clone());
        self.write("inviting applications", move |conn| {
            registrations::invite(conn, &new, &by)
        })
        .await
    }

    async fn invitations(&self) -> Result<Vec<Invitation>> {
        self.read("reading the invitations", registrations::invitations)
    }

    async fn invitation(&self, token: &[u8; 32], now: Timestamp) -> Result<Option<Invitation>> {
        let find = |conn: &Connection| registrations::invitation(conn, token, now);
        self.read("looking for an invitation", find)
    }

    async fn uninvite(&self, id: &str, by: &By) -> Result<bool> {
        let (id, by) = (id.to_owned(), by.clone());
        self.write("ending an invitation", move |conn| {
            registrations::uninvite(conn, &id, &by)
        })
        .await
    }

    async fn register(&self, new: &NewRegistration, by: &By) -> Result<bool> {
        let (new, by) = (new.clone(), by.clone());
        let work = move |conn: &Connection| registrations::register(conn, &new, &by);
        self.writer.run("registering an application", work).await
    }

    async fn registrations(&self) -> Result<Vec<Registration>> {
        self.read("reading the registrations", registrations::all)
    }

    async fn registration(
        &self,
        application: &str,
        token: &[u8; 32],
    ) -> Result<Option<Registration>> {
        let find = |conn: &Connection| registrations::one(conn, (application, token));
        self.read("reading a registration", find)
    }

    async fn change_registration(&self, change: &RegistrationChange, by: &By) -> Result<bool> {
        let (change, by) = (change.clone(), by.clone());
        self.write("changing a registration", move |conn| {
            registrations::change(conn, &change, &by)
        })
        .await
    }

    async fn remove_registration(
        &self,
        application: &str,
        token: Option<&[u8; 32]>,
        by: &By,
    ) -> Result<bool> {
        let (application, token, by) = (application.to_owned(), token.copied(), by.clone());
        self.write("removing a registered application", move |conn| {
            registrations::remove(conn, (&application, token.as_ref()), &by)
        })
        .await
    }

    async fn keep_federation(&self, copy: &FederationCopy) -> Result<bool> {
        let copy = copy.clone();
        self.write("keeping what a federation says", move |conn| {
            federations::keep(conn, &copy)
        })
        .await
    }

    async fn leave_message(&self, message: &WaitingMessage) -> Result<()> {
        let message = message.clone();
        self.write("leaving a SAML message", move |conn| {
            artifacts::leave(conn, &message)
        })
        .await
    }

    async fn fetch_message(&self, key: &[u8; 32], now: Timestamp) -> Result<Option<Vec<u8>>> {
        let key = *key;
        self.write("fetching a SAML message", move |conn| {
            artifacts::fetch(conn, &key, now)
        })
        .await
    }

    async fn federations(&self) -> Result<Vec<FederationCopy>> {
        self.read("reading what federations say", federations::all)
    }

    async fn recovery_set(&self, person: PersonId) -> Result<Option<RecoverySet>> {
        let find = |conn: &Connection| recovery::of_person(conn, person);
        self.read("reading a person's recovery codes", find)
    }

    async fn make_recovery_set(&self, new: &NewRecoverySet, by: &By) -> Result<bool> {
        let (keys, new, by) = (self.keys.clone(), new.clone(), by.clone());
        self.write("making recovery codes", move |conn| {
            recovery::make(conn, &keys, &new, &by)
        })
        .await
    }

    async fn spend_try(
        &self,
        lane: &LaneKey,
        rule: &Rule,
        now: Timestamp,
    ) -> Result<Result<Lane, Wait>> {
        let (lane, rule) = (forms::lane(lane), *rule);
        let work = move |conn: &Connection| {
            let spent = lanes::spend(conn, &lane, &rule, now)?;
            Ok(Verdict::Keep(spent))
        };
        self.writer.run_ahead("spending a try", work).await
    }

    async fn refund_try(&self, lane: &LaneKey) -> Result<()> {
        let lane = forms::lane(lane);
        let work = move |conn: &Connection| Ok(Verdict::Keep(lanes::refund(conn, &lane)?));
        self.writer.run_ahead("giving a try back", work).await
    }

    async fn lane(&self, lane: &LaneKey) -> Result<Lane> {
        let lane = forms::lane(lane);
        self.read("reading a budget", |conn| lanes::read(conn, &lane))
    }

    async fn knows_device(&self, person: PersonId, device: &[u8; 32]) -> Result<bool> {
        let find = |conn: &Connection| lanes::knows_device(conn, person, device);
        self.read("looking for a known device", find)
    }

    async fn import_tokens(&self, tokens: &[NewToken], by: &By) -> Result<u32, ImportError> {
        let (keys, tokens, by) = (self.keys.clone(), tokens.to_vec(), by.clone());
        let work = move |conn: &Connection| tokens::import(conn, &keys, &tokens, &by);
        let imported = self.writer.run("importing tokens", work).await?;
        imported.map_err(ImportError::Conflicts)
    }

    async fn token(&self, serial: &str) -> Result<Option<TokenRecord>> {
        let find = |conn: &Connection| tokens::by_serial(conn, &self.keys, serial);
        self.read("reading a token", find)
    }

    async fn assign_token(&self, assign: &AssignToken, by: &By) -> Result<bool> {
        let (keys, assign, by) = (self.keys.clone(), assign.clone(), by.clone());
        let work = move |conn: &Connection| tokens::assign_by_desk(conn, &keys, &assign, &by);
        self.writer.run("assigning a token", work).await
    }

    async fn resync_token(&self, serial: &str, counter: u64, drift: i64, by: &By) -> Result<bool> {
        let (serial, by) = (serial.to_owned(), by.clone());
        self.write("moving a token's counter", move |conn| {
            tokens::resync(conn, &serial, (counter, drift), &by)
        })
        .await
    }

    async fn claim_messages(&self, now: Timestamp, limit: u16) -> Result<Vec<Outgoing>> {
        let doing = "claiming messages";
        // An outbox in which nothing is due costs no write.
        if !self.read(doing, |conn| outbox::anything_due(conn, now))? {
            return Ok(vec![]);
        }
        let keys = self.keys.clone();
        self.write(doing, move |conn| outbox::claim(conn, &keys, now, limit))
            .await
    }

    async fn settle_message(&self, id: MessageId, outcome: &Outcome, now: Timestamp) -> Result<()> {
        let outcome = outcome.clone();
        self.write("writing down what became of a message", move |conn| {
            outbox::settle(conn, id, &outcome, now)
        })
        .await
    }

    async fn messages_of(&self, journey: JourneyId) -> Result<Vec<MessageState>> {
        let find = |conn: &Connection| outbox::of_journey(conn, journey);
        self.read("reading a journey's messages", find)
    }

    async fn outbox_depth(&self) -> Result<u64> {
        self.read("counting messages", outbox::depth)
    }

    async fn outbox_next_due(&self) -> Result<Option<Timestamp>> {
        self.read("looking for the next message", outbox::next_due)
    }

    async fn signing_keys(&self, now: Timestamp) -> Result<Vec<KeyRecord>> {
        let find = |conn: &Connection| resources::signing_keys(conn, &self.keys, now);
        self.read("reading the signing keys", find)
    }

    async fn rotate_key(&self, new: &KeyRecord, retire_until: Timestamp, by: &By) -> Result<()> {
        let (keys, new, by) = (self.keys.clone(), new.clone(), by.clone());
        self.write("rotating a signing key", move |conn| {
            resources::rotate_key(conn, &keys, (&new, retire_until), &by)
        })
        .await
    }

    async fn reliance(&self, now: Timestamp) -> Result<Vec<Reliance>> {
        self.read("counting what relies on the keys", |conn| {
            reseal::reliance(conn, &self.keys, now)
        })
    }

    async fn renewed_before(&self, at: Timestamp, now: Timestamp) -> Result<u64> {
        self.read("counting refresh tokens", |conn| {
            reseal::renewed_before(conn, at, now)
        })
    }

    async fn reseal(&self, table: Sealed, after: &RowKey) -> Result<Stretch> {
        let doing = "sealing again";
        let current = self.keys.current();
        let found = self.read(doing, |conn| reseal::find(conn, table, after, current))?;
        let (rows, stretch) = again(&self.keys, table, found);
        let work = move |conn: &Connection| reseal::replace(conn, table, &rows);
        let resealed = self.write(doing, work).await?;
        Ok(Stretch {
            resealed,
            ..stretch
        })
    }

    async fn resource(&self, kind: ResourceKind) -> Result<Option<Resource>> {
        self.read("reading a resource", |conn| resources::by_kind(conn, kind))
    }

    async fn apply(&self, documents: &[Resource], by: &By) -> Result<bool> {
        let (documents, by) = (documents.to_vec(), by.clone());
        let work = move |conn: &Connection| resources::apply(conn, &documents, &by);
        self.writer.run("applying resources", work).await
    }

    async fn generation(&self) -> Result<u64> {
        self.read("reading the generation", resources::generation)
    }

    async fn node_seen(&self, node: &Node, now: Timestamp) -> Result<()> {
        let node = node.clone();
        let work = move |conn: &Connection| Ok(Verdict::Keep(nodes::tell(conn, &node, now)?));
        self.writer.run_ahead("telling of this node", work).await
    }

    async fn node_left(&self, id: &[u8; 16]) -> Result<()> {
        let id = *id;
        let work = move |conn: &Connection| Ok(Verdict::Keep(nodes::forget(conn, &id)?));
        self.writer.run_ahead("forgetting a node", work).await
    }

    async fn nodes(&self) -> Result<Vec<NodeSeen>> {
        self.read("reading the nodes", nodes::all)
    }

    async fn migration(&self) -> Result<String> {
        self.read("reading the schema's version", nodes::migration)
    }

    async fn database_servers(&self) -> Result<Vec<DatabaseServer>> {
        Ok(vec![])
    }

    async fn audit(&self, happened: &Happened, by: &By) -> Result<()> {
        let (happened, by) = (happened.clone(), by.clone());
        self.write("writing the audit", move |conn| {
            trail::append(conn, &happened, &by, None)
        })
        .await
    }

    async fn audit_strands(&self) -> Result<Vec<u16>> {
        self.read("looking for the strands of the audit", trail::strands)
    }

    async fn audit_from(
        &self,
        strand: u16,
        sequence: u64,
        limit: u32,
    ) -> Result<Vec<audit::Entry>> {
        let find = |conn: &Connection| trail::from(conn, (strand, sequence), limit);
        self.read("reading the audit", find)
    }

    async fn audit_by_support(&self, support: &str) -> Result<Vec<audit::Entry>> {
        let find = |conn: &Connection| trail::by_support(conn, support);
        self.read("looking for a support code in the audit", find)
    }

    async fn tidy(&self, now: Timestamp) -> Result<u64> {
        let mut deleted = 0_u64;
        for over in upkeep::OVER {
            loop {
                // Nobody waits for the look, and where nothing is over, nothing is written.
                let doing = "deleting what is over";
                let found = self.read(doing, |conn| upkeep::find(conn, &over, now))?;
                let enough = found.len() < upkeep::AT_ONCE;
                if !found.is_empty() {
                    let delete = move |conn: &Connection| upkeep::delete(conn, &over, &found, now);
                    deleted = deleted.saturating_add(self.write(doing, delete).await?);
                }
                if enough {
                    break;
                }
            }
        }
        Ok(deleted.saturating_add(import::sweep_if_alone(self).await?))
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        self.read("counting", |conn| upkeep::counts(conn, now))
    }

    async fn ready(&self, patience: Duration) -> Result<()> {
        let doing = "checking that the database can be written";
        let written = self.write(doing, upkeep::prove_writable);
        match tokio::time::timeout(patience, written).await {
            Ok(written) => written,
            Err(late) => Err(StoreError {
                doing,
                source: late.into(),
            }),
        }
    }
}

/// A folder that goes when its owner goes.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> std::io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let parent = match memory.is_dir() {
            true => memory.to_owned(),
            false => std::env::temp_dir(),
        };
        Self::sweep(&parent);
        let name = data_encoding::HEXLOWER.encode(seal::draw().expose());
        let path = parent.join(format!("furka-{}-{name}", std::process::id()));
        let mut folder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.create(&path)?;
        Ok(Self(path))
    }

    /// Removes the folders of processes that ended without doing so: memory is what they take.
    fn sweep(parent: &Path) {
        let processes = Path::new("/proc");
        if !processes.join("self").exists() {
            return;
        }
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let of_process = name
                .to_str()
                .and_then(|name| name.strip_prefix("furka-")?.split_once('-'))
                .and_then(|(process, _)| process.parse::<u32>().ok());
            if of_process.is_some_and(|process| !processes.join(process.to_string()).exists()) {
                // Another process may sweep at the same time.
                drop(std::fs::remove_dir_all(entry.path()));
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(cause) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(error = %cause, "removing a database in memory");
        }
    }
}

#[cfg(test)]
mod tests;
