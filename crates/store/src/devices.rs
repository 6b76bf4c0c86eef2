//! Devices that ask to be let in by somebody who is elsewhere: the nouns of the store's methods.

use journey::{Happened, PersonId, Timestamp};

use crate::Consent;

/// After so many seconds a device may ask again how it stands, until it asks too early.
pub const PACE_S: i64 = 5;
/// So many seconds longer a device waits from then on that asked too early.
// [RFC 8628 §3.5] "the interval MUST be increased by 5 seconds for this and all subsequent requests."
pub const SLOWER_S: i64 = 5;
/// Longer than this many seconds no device has to wait.
pub const PACE_S_MAX: i64 = 60;
/// So much too early still counts as in time, in seconds: clocks here tell whole seconds.
pub(crate) const IN_TIME_S: i64 = 1;

/// See [`Store::ask_device`](crate::Store::ask_device).
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// The client id.
    pub application: String,
    /// The id under which it will be redeemed, made by [`crate::key::stamped`].
    pub code: [u8; 16],
    /// [`crate::key::of_secret`] of the code that only the device knows.
    pub key: [u8; 32],
    /// What the application may learn, as it is written.
    pub scope: String,
    /// When it is too late to answer and to redeem.
    pub until: Timestamp,
    /// What the device shows, without signs in between. No secret: it names a device, and whoever knows it
    /// can let that device in as themselves only.
    pub user_code: String,
}

/// A device that asked, and whose time is not over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AskedDevice {
    /// From where it asked.
    pub address: Option<String>,
    /// Whether it was let in; none if nobody has answered yet.
    pub allowed: Option<bool>,
    /// The client id.
    pub application: String,
    /// When it asked.
    pub asked: Timestamp,
    /// What the application may learn, as it is written.
    pub scope: String,
    /// Until when it can be answered.
    pub until: Timestamp,
    /// What the device shows.
    pub user_code: String,
}

/// See [`Store::answer_device`](crate::Store::answer_device).
#[derive(Clone, Debug)]
pub struct DeviceAnswer {
    /// Whether it is let in.
    pub allowed: bool,
    /// What they let the application know with it; written if the answer counts.
    pub agreed: Option<Consent>,
    /// The client id.
    pub application: String,
    /// Who answers.
    pub person: PersonId,
    /// The session in which they do: it must live.
    pub session: [u8; 32],
    /// What the device shows.
    pub user_code: String,
}

impl AskedDevice {
    /// What a column says of the answer.
    pub(crate) fn answered(answer: i64) -> Option<bool> {
        match answer {
            0 => None,
            answer => Some(answer == 1),
        }
    }
}

impl DeviceAnswer {
    /// What the audit says of it.
    pub(crate) fn happened(&self) -> Happened {
        let application = self.application.clone();
        match self.allowed {
            true => Happened::DeviceAllowed { application },
            false => Happened::DeviceRefused { application },
        }
    }
}

/// How it stands with a device that asks.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use]
pub enum DevicePoll {
    /// It may be redeemed.
    Allowed(AllowedDevice),
    /// It asks too early, and has to wait longer from now on.
    Early,
    /// Nobody answered in time, or it was not redeemed in time.
    Over,
    /// Somebody said no.
    Refused,
    /// No device of this application has this code.
    Unknown,
    /// Nobody has answered yet.
    Waiting,
}

/// A device that somebody let in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AllowedDevice {
    /// See [`NewDevice::code`].
    pub code: [u8; 16],
    /// Who.
    pub person: PersonId,
    /// What the application may learn, as it is written.
    pub scope: String,
    /// In which session; it may be over by now.
    pub session: [u8; 32],
    /// Until when it may be redeemed.
    pub until: Timestamp,
}
