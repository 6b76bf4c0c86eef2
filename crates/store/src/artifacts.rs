//! SAML messages that wait until their application fetches them: the noun of the store's methods.

use journey::Timestamp;

/// A message that waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WaitingMessage {
    /// SHA-256 of the artifact that stands for it, and of the application that may fetch it.
    pub key: [u8; 32],
    /// The message, sealed by who leaves it.
    pub sealed: Vec<u8>,
    /// From when on it is not handed out any more.
    pub until: Timestamp,
}
