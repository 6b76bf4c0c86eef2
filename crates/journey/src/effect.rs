//! All that a step may ask for. The store commits the effects with the new state, together or not
//! at all; messages leave through the outbox.

use serde::{Deserialize, Serialize};

use crate::{
    factor::{otp::Otp, recovery::SavedCode, sms::SmsCode},
    happened::Happened,
    moment::Timestamp,
    person::{ActivationId, FactorId, Method, PersonId},
    phone::Phone,
    proof::Proof,
    secret::Secret,
    zone::Place,
};

/// An imperative to the store.
#[derive(Clone, Debug)]
pub enum Effect {
    /// The identity is activated: password, number and method are set, the code is spent. If the
    /// code was spent before, nothing of the step happens.
    Activate(Box<Activate>),
    /// An entry in the audit.
    Audit(Happened),
    /// A hardware token becomes the person's, with the counter that proved it.
    AssignToken {
        /// The counter to spend with it.
        counter: u64,
        /// The drift to remember.
        drift: i64,
        /// The person.
        person: PersonId,
        /// The serial number.
        serial: String,
    },
    /// An app is bound, with its first counter spent.
    EnrolApp {
        /// What is bound.
        otp: Box<Otp>,
        /// To whom.
        person: PersonId,
        /// Where.
        place: Place,
    },
    /// The number is confirmed.
    EnrolSms {
        /// Whose.
        person: PersonId,
        /// Where.
        place: Place,
    },
    /// A notice to the person.
    Notify {
        /// Which.
        notice: Notice,
        /// To whom.
        person: PersonId,
    },
    /// The try that was spent for this password is given back. Asked for by whoever spent it.
    RefundPassword {
        /// The known device whose own budget it came from.
        device: Option<[u8; 32]>,
        /// Whose.
        person: PersonId,
    },
    /// The try that was spent for this answer is given back.
    RefundTry {
        /// The known device whose own budget it came from.
        device: Option<[u8; 32]>,
        /// Whose.
        person: PersonId,
    },
    /// The device on which somebody was let in is known from here on. Asked for by whoever knows it.
    RememberDevice {
        /// SHA-256 of its cookie, or what stands for it with two factors.
        device: [u8; 32],
        /// Whose.
        person: PersonId,
    },
    /// A new app takes the place of what somebody has lost, with its first counter spent. It is their
    /// method from here on; all that they had begun before ends.
    ReplaceWithApp {
        /// What is bound.
        otp: Box<Otp>,
        /// To whom.
        person: PersonId,
        /// Where.
        place: Place,
        /// The key of the session in which it was asked for: if that is over, nothing of the step happens.
        session: Option<[u8; 32]>,
    },
    /// The code goes to the number. Spends the budgets of the number, the person and the house; if
    /// one is used up, nothing of the step happens.
    SendSmsCode {
        /// The code.
        code: SmsCode,
        /// For whom.
        person: PersonId,
        /// The number bound to them, never a typed one.
        to: Phone,
    },
    /// The one gate: a session for this proof.
    SignIn {
        /// Whose.
        person: PersonId,
        /// Where.
        place: Place,
        /// Of what.
        proof: Proof,
    },
    /// A counter is used once: if it or a later one was used before, nothing of the step happens.
    SpendCounter {
        /// The counter or time step.
        counter: u64,
        /// The drift to remember.
        drift: i64,
        /// Of which factor.
        factor: FactorId,
    },
    /// A recovery code is used once: if it was used before or its set is void, nothing of the step
    /// happens.
    SpendRecoveryCode {
        /// Which.
        code: SavedCode,
        /// Whose.
        person: PersonId,
    },
}

/// See [`Effect::Activate`].
#[derive(Clone, Debug)]
pub struct Activate {
    /// The code that is spent.
    pub activation: ActivationId,
    /// The method they chose and the number they gave; none if what they chose before stays.
    pub chosen: Option<(Method, Option<Phone>)>,
    /// The hash of the password.
    pub password: Secret,
    /// Whose identity.
    pub person: PersonId,
}

/// What a person is told afterwards, on all other channels [NIST SP 800-63B-4 §4.6].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "notice")]
pub enum Notice {
    /// Their identity was activated.
    Activated {
        /// When.
        at: Timestamp,
    },
    /// The same right code came twice.
    CodeUsedTwice {
        /// When.
        at: Timestamp,
    },
    /// A factor was bound.
    FactorBound {
        /// When.
        at: Timestamp,
        /// Which.
        method: Method,
    },
    /// What was bound was taken back at the desk: it is bound anew.
    FactorReset {
        /// When.
        at: Timestamp,
    },
    /// Another telephone number takes the place of theirs.
    NumberReplaced {
        /// When.
        at: Timestamp,
        /// The new one, masked.
        masked: String,
    },
    /// The password is another one.
    PasswordChanged {
        /// When.
        at: Timestamp,
    },
    /// The password was right and the second factor failed until the end.
    SecondFactorFailed {
        /// When.
        at: Timestamp,
    },
    /// New recovery codes were made.
    RecoveryCodesMade {
        /// When.
        at: Timestamp,
    },
    /// A recovery code was used.
    RecoveryCodeUsed {
        /// When.
        at: Timestamp,
        /// How many are left.
        left: u8,
    },
}
