//! The vocabulary of the audit: what happened, in words that stay stable.

use serde::{Deserialize, Serialize};

use crate::{
    factor::password::Complaint, login::Refusal, person::Method, policy::Verdict, proof::Assurance,
};

/// One entry. Holds no secret and no code; names of people are ids beside it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Happened {
    /// An identity was activated.
    Activated {
        /// The method they chose.
        method: Method,
    },
    /// An activation message was handed to the outbox.
    ActivationSent,
    /// A right activation code opened the journey.
    ActivationOpened,
    /// A wrong, expired or used activation code.
    ActivationRefused,
    /// The register's data was confirmed by the person.
    DataConfirmed,
    /// A code was used before.
    CodeReplayed {
        /// Of which method.
        method: Method,
    },
    /// A code was right.
    CodeRight {
        /// Of which method.
        method: Method,
    },
    /// A code was wrong.
    CodeWrong {
        /// How far the phone's clock is off, if that is the cause.
        clock_ahead_s: Option<i64>,
        /// Of which method.
        method: Method,
    },
    /// The policy decided.
    Decided {
        /// The sentence of the rule.
        rule: String,
        /// What follows.
        verdict: Verdict,
    },
    /// A factor was bound.
    Enrolled {
        /// Which.
        method: Method,
    },
    /// Data came in by import.
    Imported {
        /// New people.
        created: u32,
        /// Changed people.
        updated: u32,
    },
    /// A step came out of turn: a replay, a second tab, or somebody trying.
    OutOfTurn {
        /// What came.
        event: String,
        /// Where the journey stood.
        state: String,
    },
    /// A password was refused by the rules.
    PasswordRefused {
        /// The reasons.
        complaints: Vec<Complaint>,
    },
    /// A right password.
    PasswordRight,
    /// A password was set.
    PasswordSet,
    /// A wrong password, or an unknown name.
    PasswordWrong,
    /// The journey ended without a sign-in.
    Refused {
        /// Why.
        reason: Refusal,
    },
    /// A resource was changed: zones, policy, applications, gateways.
    ResourceApplied {
        /// Which.
        kind: String,
    },
    /// A link to go on elsewhere was made.
    ResumeOffered,
    /// A link to go on elsewhere was used.
    Resumed,
    /// A session was made.
    SignedIn {
        /// How sure we are.
        assurance: Assurance,
    },
    /// Sessions ended.
    SignedOut {
        /// How many.
        sessions: u32,
    },
    /// A backup was put into an empty database; what was pending is void.
    Restored {
        /// When the backup was made, in seconds since 1970.
        backup_of: i64,
        /// The system user who did it.
        user: String,
    },
    /// A code by SMS was handed to the outbox.
    SmsSent {
        /// How often this code was sent before.
        sends_before: u8,
    },
    /// A budget is used up for now.
    Throttled {
        /// Which.
        budget: String,
        /// For how long.
        seconds: i64,
    },
    /// A signing key was drawn or retired.
    KeysRotated,
    /// A hardware token was given to somebody.
    TokenAssigned {
        /// Its serial number.
        serial: String,
    },
    /// Hardware tokens came in by import.
    TokensImported {
        /// How many.
        count: u32,
    },
    /// Two codes brought a token back into step.
    TokenResynchronised {
        /// Its serial number.
        serial: String,
    },
    /// An ID token went to an application.
    TokenIssued {
        /// How sure we are.
        assurance: Assurance,
        /// The client id.
        application: String,
    },
    /// An application renewed its tokens.
    TokenRenewed {
        /// The client id.
        application: String,
        /// With a refresh token whose answer was lost the first time.
        again: bool,
    },
    /// A refresh token that was used up came again; its whole family ended.
    RefreshReused {
        /// The client id.
        application: String,
    },
    /// An application gave its tokens back.
    TokenRevoked {
        /// The client id.
        application: String,
    },
    /// Somebody let an application of others know about them.
    ConsentGiven {
        /// The client id.
        application: String,
    },
    /// Somebody took that back.
    ConsentTakenBack {
        /// The client id.
        application: String,
    },
    /// A technician let applications register themselves.
    ApplicationsInvited {
        /// The invitation's id.
        invitation: String,
        /// How many applications it lets in.
        uses: u32,
    },
    /// An invitation was ended before its time.
    InvitationEnded {
        /// The invitation's id.
        invitation: String,
    },
    /// An application registered itself.
    ApplicationRegistered {
        /// The client id.
        application: String,
        /// The invitation's id.
        invitation: String,
    },
    /// An application that registered itself changed what is registered.
    RegistrationChanged {
        /// The client id.
        application: String,
    },
    /// An application that had registered itself went, and all that it was given.
    ApplicationRemoved {
        /// The client id.
        application: String,
    },
    /// A device of an application asked to be let in.
    DeviceAsked {
        /// The client id.
        application: String,
    },
    /// Somebody let a device in.
    DeviceAllowed {
        /// The client id.
        application: String,
    },
    /// Somebody did not let a device in.
    DeviceRefused {
        /// The client id.
        application: String,
    },
    /// Somebody asked for a SAML message that does not wait for them, or did not prove who they are.
    ArtifactRefused {
        /// The application that they say they are: its id.
        application: String,
    },
    /// A code that no device shows was typed.
    DeviceUnknown,
    /// An authorization code came a second time; what it had given was taken back.
    CodeReused {
        /// The client id.
        application: String,
    },
    /// The desk took back what somebody could prove with; all that they had begun ended.
    PersonReset {
        /// What was bound.
        factor: bool,
        /// The method that is asked for from now on; none if they choose again.
        method: Option<Method>,
        /// Whether another telephone number takes the place of theirs.
        number: bool,
        /// The password.
        password: bool,
        /// Why, in the desk's words.
        reason: String,
        /// The system user who did it.
        user: String,
    },
    /// Somebody changed their own password; all that they had begun elsewhere ended.
    PasswordChanged,
    /// A new set of recovery codes was made; the one before is void.
    RecoveryCodesMade {
        /// How many codes it has.
        count: u8,
    },
    /// A recovery code was right, and is used up.
    RecoveryCodeUsed {
        /// How many are left.
        left: u8,
    },
    /// What was typed is no recovery code of theirs that may still be used.
    RecoveryCodeRefused {
        /// It was one, and had been used.
        used_before: bool,
    },
    /// Whoever has their factor at hand began to put another app in its place.
    NewAppBegun,
    /// A new app took the place of what somebody had lost; all that they had begun before ended.
    FactorReplaced {
        /// What they had.
        former: Method,
    },
}
