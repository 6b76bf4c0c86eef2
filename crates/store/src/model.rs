//! The nouns of the store's methods.

use journey::{
    ActivationId, JourneyId, Language, Method, Notice, Otp, Person, PersonId, Phone, Proof, Role,
    Secret, Timestamp, activation, factor::recovery::CODES, login::Login, zone::Place,
};
use serde::{Deserialize, Serialize};

/// Who does it, from where, and under which support code the desk finds it: goes into each audit
/// entry of the call.
#[derive(Clone, Debug)]
pub struct By {
    /// The client's address, as decided from socket and proxies; none for commands.
    pub address: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The person it is about, if one is known.
    pub person: Option<PersonId>,
    /// Where from.
    pub place: Place,
    /// The support code shown on the page.
    pub support: String,
    /// `journey`, `command person import`, `job outbox` …
    pub through: String,
}

impl By {
    /// The same, about this person if none is named.
    #[must_use]
    pub fn about(&self, person: PersonId) -> Self {
        Self {
            person: self.person.or(Some(person)),
            ..self.clone()
        }
    }
}

/// A person of the register, checked by the caller.
#[derive(Clone, Debug)]
pub struct NewPerson {
    /// Further names that lead to them, such as the former ISM name.
    pub aliases: Vec<String>,
    /// As in the register.
    pub first_name: String,
    /// Drawn by the caller; used if they are new.
    pub id: PersonId,
    /// The language they are written to.
    pub language: Language,
    /// As in the register.
    pub last_name: String,
    /// Where their activation message goes.
    pub mail: String,
    /// Given for people who bring theirs: migrated token holders.
    pub method: Option<Method>,
    /// A hash that came with them.
    pub password: Option<Secret>,
    /// A number that came with them, confirmed by the register.
    pub phone: Option<Phone>,
    /// What they are.
    pub role: Role,
    /// Their school.
    pub school: Option<String>,
    /// The serial number of the token they hold; it must be imported and free.
    pub token_serial: Option<String>,
    /// The name they sign in with.
    pub username: String,
}

/// A person and what belongs to their account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Names that lead to them, folded.
    pub aliases: Vec<String>,
    /// How often what they can prove was taken back: a proof of another era opens nothing.
    pub era: u32,
    /// The hash of their password; none before activation, and none once it was reset.
    pub password: Option<Secret>,
    /// The person.
    pub person: Person,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Imported {
    /// New people.
    pub created: u32,
    /// People whose data changed.
    pub updated: u32,
    /// People who were there, just so.
    pub unchanged: u32,
}

/// Why an entry cannot be taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Conflict {
    /// A name or alias leads to somebody else.
    #[error("the name `{0}` leads to another person already")]
    NameTaken(String),
    /// Nothing that could be typed as a name.
    #[error("`{0}` is no name that somebody could sign in with")]
    NoName(String),
    /// The token is unknown.
    #[error("no token with serial number `{0}` is known; import the token file first")]
    NoSuchToken(String),
    /// The token is somebody's, or known with another seed.
    #[error("the token `{0}` is assigned to somebody, or known with another seed")]
    TokenTaken(String),
    /// Twice in one file.
    #[error("`{0}` occurs twice in this import")]
    Twice(String),
}

/// Which people.
#[derive(Clone, Debug)]
pub enum Cohort {
    /// Everybody.
    All,
    /// Those without a password.
    NotActivated,
    /// Those of a school.
    School(String),
}

/// See [`Store::issue_activation`](crate::Store::issue_activation).
#[derive(Clone, Debug)]
pub struct NewActivation {
    /// Drawn by the caller.
    pub id: ActivationId,
    /// HMAC of person and code under a key that is not in the database.
    pub mac: [u8; 32],
    /// The message; none if a letter is printed.
    pub message: Option<Message>,
    /// Whose.
    pub person: PersonId,
    /// Until when the code is valid.
    pub until: Timestamp,
}

/// An activation as remembered.
#[derive(Clone, Debug)]
pub struct ActivationRecord {
    /// Its id.
    pub id: ActivationId,
    /// See [`NewActivation::mac`].
    pub mac: [u8; 32],
    /// Until when.
    pub until: Timestamp,
    /// When it was spent.
    pub used_at: Option<Timestamp>,
}

/// What a desk takes back from somebody; see [`Store::reset`](crate::Store::reset).
#[derive(Clone, Debug)]
pub struct Reset {
    /// What is bound goes, and this is bound anew.
    pub factor: Option<Rebinding>,
    /// Drawn by the caller: the messages that tell them are known by it.
    pub id: [u8; 16],
    /// The password goes, and this leads to another one.
    pub password: Option<NewActivation>,
    /// Whose.
    pub person: PersonId,
    /// Why, in the desk's words; kept in the audit.
    pub reason: String,
    /// The system user who does it.
    pub user: String,
}

/// What takes the place of what was bound.
#[derive(Clone, Debug)]
pub struct Rebinding {
    /// Their method from now on. None, with a password that is reset as well: they choose a method and give
    /// a number again when they set the password.
    pub method: Option<Method>,
    /// The number that takes the place of theirs; none if it stays.
    pub phone: Option<Phone>,
}

/// What somebody has begun and not ended: what ends with a reset.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Begun {
    /// Sign-ins and activations under way, with the codes that were sent for them.
    pub journeys: u32,
    /// Families of refresh tokens.
    pub refresh_tokens: u32,
    /// Links to go on elsewhere that were not used.
    pub resume_links: u32,
    /// Sessions.
    pub sessions: u32,
}

/// Somebody's own new password; see [`Store::change_password`](crate::Store::change_password).
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// The names under which the device at hand stays known; all others are forgotten.
    pub devices: Vec<[u8; 32]>,
    /// Drawn by the caller: the message that tells them is known by it.
    pub id: [u8; 16],
    /// The hash of the new password.
    pub password: Secret,
    /// Whose.
    pub person: PersonId,
    /// Where.
    pub place: Place,
    /// Of the session that takes the place of the one at hand; its password is of the era after that in
    /// which the change was begun.
    pub proof: Proof,
    /// The session at hand: it must live.
    pub session: [u8; 32],
}

/// A journey of either kind, as remembered. Bound to one browser.
#[derive(Clone, Debug)]
pub struct Journey {
    /// SHA-256 of the browser's cookie.
    pub browser: [u8; 32],
    /// Its id.
    pub id: JourneyId,
    /// What the person came for: the kept authorization request and where to go afterwards, in a
    /// form that only the caller understands. Sealed with the state.
    pub purpose: String,
    /// The state.
    pub state: JourneyState,
    /// A word or ten for the desk, shown on the page.
    pub support: String,
    /// Until when it is kept.
    pub until: Timestamp,
    /// Counts the steps.
    pub version: u32,
}

impl Journey {
    /// Whether anything is left to do or to show after this step. One that signed somebody in at its
    /// first is not kept.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !matches!(self.state, JourneyState::Login(Login::SignedIn(_)))
    }
}

/// The state of a journey. Sealed on disk: only the store makes one from bytes.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JourneyState {
    /// An activation.
    Activation(activation::Activation),
    /// A sign-in.
    Login(Login),
}

/// What became of a commit.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum Committed {
    /// An app is bound to the person already: nothing was written.
    AlreadyEnrolled,
    /// Somebody used this counter, or a later one, or this recovery code before: nothing was written.
    CounterSpent,
    /// Another request moved this journey first, or what the step relied on is gone (the person was
    /// switched off, the number is another): nothing was written. Read again.
    Overtaken,
    /// The activation was spent before: nothing was written.
    ActivationSpent,
    /// The session in which the step was asked for is over: nothing was written.
    SessionOver,
    /// A message budget is used up: nothing was written.
    SmsBudgetSpent,
    /// The token is somebody's already: nothing was written.
    TokenTaken,
    /// Written, durably. With the session's secret id if the effects signed somebody in.
    Yes(Option<NewSession>),
}

/// A session was made; this is the only time its id is known.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// For the cookie: 224 random bits behind the time. [`crate::key::of_secret`] of it is stored.
    pub id: Secret,
}

impl PartialEq for NewSession {
    fn eq(&self, other: &Self) -> bool {
        self.id.matches(other.id.expose())
    }
}

impl Eq for NewSession {}

/// What became of a resume link.
#[derive(Clone, Debug)]
pub enum TakeOver {
    /// Its time is over.
    Expired,
    /// The journey is now this browser's.
    Taken(Box<Journey>),
    /// Nobody made this link.
    Unknown,
    /// It was used before.
    Used,
}

/// A session as remembered.
#[derive(Clone, Debug)]
pub struct SessionRecord {
    /// When it was made.
    pub created: Timestamp,
    /// [`crate::key::of_secret`] of its id; also its public handle, as hex, in `sid`.
    pub key: [u8; 32],
    /// Whose.
    pub person: PersonId,
    /// Where it was made.
    pub place: Place,
    /// Of what.
    pub proof: Proof,
    /// When it was last used (within a minute).
    pub seen: Timestamp,
}

/// Which sessions end.
#[derive(Clone, Debug)]
pub enum EndSessions {
    /// All of a person.
    All(PersonId),
    /// All of a person but this one.
    Others(PersonId, [u8; 32]),
    /// One.
    One([u8; 32]),
    /// One that is over by the policy's limits. What was given to outlive these goes on.
    Over([u8; 32]),
    /// One whose place another one takes: somebody has proven again in the same browser. If it was the same
    /// person, applications hear of the end of that one, and what was given to outlive the limits goes on with
    /// it; if not, it is as if the first had signed out.
    Replaced([u8; 32], [u8; 32]),
}

/// An application that somebody reached with a session, and that wants to hear when it ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Participant {
    /// Its id, among all applications of all languages; with it what else the caller must know to tell it.
    pub application: String,
    /// The key of the session.
    pub session: [u8; 32],
}

/// What somebody lets an application of others know about them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consent {
    /// The client id.
    pub application: String,
    /// When they last said yes.
    pub at: Timestamp,
    /// Who.
    pub person: PersonId,
    /// The scopes they have seen, as they are written.
    pub scope: String,
}

/// Kinds of one-time things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OneTime {
    /// `jti` of a client assertion, with the client id in the key.
    ClientAssertion,
    /// `jti` of a DPoP proof, with the key's thumbprint.
    DpopProof,
    /// An authorization request that an application handed over itself.
    PushedRequest,
    /// `ID` of a SAML message, with the entity ID of its issuer in the key.
    SamlMessage,
    /// A ticket in an address, of CAS or of the gate.
    Ticket,
}

/// Recovery codes of somebody, as remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecoverySet {
    /// Its id.
    pub id: [u8; 16],
    /// HMAC of person and code under a key that is not in the database, by place.
    pub macs: Vec<[u8; 32]>,
    /// When it was made.
    pub made: Timestamp,
    /// Whether each was used, by place.
    pub used: Vec<bool>,
}

impl RecoverySet {
    /// How many may still be used.
    #[must_use]
    pub fn left(&self) -> u8 {
        let left = self.used.iter().filter(|used| !**used).count();
        u8::try_from(left).unwrap_or(u8::MAX)
    }
}

/// See [`Store::make_recovery_set`](crate::Store::make_recovery_set).
#[derive(Clone, Debug)]
pub struct NewRecoverySet {
    /// Of the proof with which it was asked for: nothing is made once that is over.
    pub era: u32,
    /// Drawn by the caller, never twice.
    pub id: [u8; 16],
    /// The set whose place it takes; none if there was none.
    pub instead_of: Option<[u8; 16]>,
    /// See [`RecoverySet::macs`].
    pub macs: [[u8; 32]; CODES as usize],
    /// Whose.
    pub person: PersonId,
}

/// See [`Store::redeem_code`](crate::Store::redeem_code).
#[derive(Clone, Debug)]
pub struct Redemption {
    /// The client id.
    pub application: String,
    /// The id of the code, made by [`crate::key::stamped`].
    pub code: [u8; 16],
    /// A family of refresh tokens begins with it, under the code's id.
    pub refresh: Option<NewFamily>,
    /// The session it comes from: it must live.
    pub session: [u8; 32],
    /// Until when the code, and what it gives, must be expired.
    pub until: Timestamp,
}

/// A family of refresh tokens that is to begin.
#[derive(Clone, Copy, Debug)]
pub struct NewFamily {
    /// It outlives the limits of its session, but neither a sign-out nor a switch-off.
    pub offline: bool,
    /// Until when it may be renewed at all.
    pub until: Timestamp,
}

/// See [`Store::renew`](crate::Store::renew).
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The client id.
    pub application: String,
    /// The id of the code with which the family began.
    pub family: [u8; 16],
    /// The number of the token that was brought; the first is 0.
    pub number: u32,
}

/// What became of a renewal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Renewed {
    /// There is no such family, or none any more.
    Over,
    /// Its successor was in use already. The family has ended with this.
    Reused,
    /// The next number is due.
    Yes,
}

/// See [`Store::revoke`](crate::Store::revoke).
#[derive(Clone, Debug)]
pub struct Revocation {
    /// The client id.
    pub application: String,
    /// The id of the code that gave it all.
    pub code: [u8; 16],
}

/// What became of a redemption.
#[derive(Clone, Debug)]
#[must_use]
pub enum Redeemed {
    /// It was used before; what it gave is void now.
    Reused,
    /// The session is over.
    SessionOver,
    /// The first time.
    Yes,
}

/// One budget.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum LaneKey {
    /// Activation codes for a name: SHA-256 of the name's key, whether or not somebody has it.
    Activation([u8; 32]),
    /// Devices that ask to be let in by an application that proves what it is, wherever they are: SHA-256 of
    /// its client id.
    DeviceAsked([u8; 32]),
    /// The same of an application that anybody may name, from one network: SHA-256 of both.
    DeviceAskedFrom([u8; 32]),
    /// Codes that somebody signed in typed, and no device shows.
    DeviceCode(PersonId),
    /// The same of people who have not signed in, from one network: its SHA-256.
    DeviceCodeFrom([u8; 32]),
    /// Passwords for a name nobody has, as above.
    Name([u8; 32]),
    /// Passwords for a person, over all names.
    Password(PersonId),
    /// Passwords for a person from a device they have used before.
    PasswordFrom(PersonId, [u8; 32]),
    /// Applications that register themselves with one invitation, or one that looks after its registration: its SHA-256.
    Registration([u8; 32]),
    /// Second factors of a person, over all factors and journeys.
    SecondFactor(PersonId),
    /// Second factors of a person on a device they have used before.
    SecondFactorFrom(PersonId, [u8; 32]),
    /// All messages.
    SmsAll,
    /// Messages to a number.
    SmsNumber(Phone),
    /// Messages for a person.
    SmsPerson(PersonId),
}

impl LaneKey {
    /// The budget of passwords that a try comes from: the known device's own, if there is one.
    #[must_use]
    pub fn of_password(person: PersonId, known_device: Option<[u8; 32]>) -> Self {
        match known_device {
            Some(device) => Self::PasswordFrom(person, device),
            None => Self::Password(person),
        }
    }

    /// The same for second factors.
    #[must_use]
    pub fn of_second_factor(person: PersonId, known_device: Option<[u8; 32]>) -> Self {
        match known_device {
            Some(device) => Self::SecondFactorFrom(person, device),
            None => Self::SecondFactor(person),
        }
    }
}

/// A token of an import, checked by the caller.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its parameters and seed; `id` is drawn by the caller.
    pub otp: Otp,
    /// The number on its back.
    pub serial: String,
}

/// A token as remembered.
#[derive(Clone, Debug)]
pub struct TokenRecord {
    /// Whose, if anybody's.
    pub assigned_to: Option<PersonId>,
    /// With counter and drift.
    pub otp: Otp,
    /// The number on its back.
    pub serial: String,
}

/// See [`Store::assign_token`](crate::Store::assign_token).
#[derive(Clone, Debug)]
pub struct AssignToken {
    /// The counter and drift that proved it, if a code was shown.
    pub counter: Option<(u64, i64)>,
    /// To whom.
    pub person: PersonId,
    /// Which.
    pub serial: String,
}

/// A message's id: with it a gateway drops doubles.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct MessageId(pub i64);

/// What is to be said to somebody; the words are found when it is sent. Sealed in the outbox.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", tag = "message")]
pub enum Message {
    /// The code that activates an identity, by mail.
    Activation {
        /// The code.
        code: Secret,
        /// Until when.
        until: Timestamp,
    },
    /// The code that leads to another password after theirs was reset, by mail.
    NewPassword {
        /// The code.
        code: Secret,
        /// Until when.
        until: Timestamp,
    },
    /// A notice, by mail.
    Notice(Notice),
    /// [L04] To a number whose place another one has taken, by SMS.
    NumberReplaced {
        /// The former number.
        to: Phone,
    },
    /// A session has ended: for an application that took part in it.
    SignedOut {
        /// Its id.
        application: String,
        /// The key of the session.
        session: [u8; 32],
    },
    /// A code, by SMS.
    SmsCode {
        /// The digits.
        digits: Secret,
        /// The number.
        to: Phone,
    },
}

/// A message that is due, with the person to say it to.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// How often it was tried before.
    pub attempts: u32,
    /// Its id.
    pub id: MessageId,
    /// The journey whose page shows its fate.
    pub journey: Option<JourneyId>,
    /// What.
    pub message: Message,
    /// To whom.
    pub person: Person,
    /// A stable id over retries and nodes, for the gateway.
    pub reference: String,
    /// When it is too late to send it.
    pub until: Timestamp,
}

/// What became of an attempt.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The gateway refused it for good: why.
    Refused(String),
    /// It is tried again then.
    Retry(Timestamp, String),
    /// The gateway has it.
    Sent,
}

/// What a page may tell of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageState {
    /// The gateway refused it, or its time is over.
    Failed,
    /// The gateway has it.
    Sent,
    /// It was tried and failed; it is tried again.
    Trouble,
    /// It waits for its first attempt.
    Waiting,
}

/// A signing key.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// `ES256` or `RS256`.
    pub algorithm: String,
    /// Its id, as published.
    pub kid: String,
    /// PKCS#8 DER.
    pub pkcs8: Secret,
    /// Retired: published until then. None for the one that signs.
    pub until: Option<Timestamp>,
}

/// Kinds of documents that are edited in files or in the console.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// Applications.
    Applications,
    /// Gateways for SMS and mail.
    Gateways,
    /// The policy.
    Policy,
    /// Zones.
    Zones,
}

impl ResourceKind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Zones,
        Self::Policy,
        Self::Applications,
        Self::Gateways,
    ];

    /// The name of its file without `.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Gateways => "gateways",
            Self::Policy => "policy",
            Self::Zones => "zones",
        }
    }
}

/// A document.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resource {
    /// Which.
    pub kind: ResourceKind,
    /// The TOML.
    pub text: String,
    /// 0 before the first; in [`Store::apply`](crate::Store::apply) the version that was read.
    pub version: u32,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// People with a password.
    pub activated: u64,
    /// People whose method is bound.
    pub enrolled: u64,
    /// People.
    pub people: u64,
    /// Living sessions.
    pub sessions: u64,
    /// Hardware tokens.
    pub tokens: u64,
}
