//! What federations last said of their members: the noun of the store's methods.
//!
//! What it means is read by the server only.

use journey::Timestamp;

/// The part of a federation's metadata that was verified and chosen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FederationCopy {
    /// When it was fetched.
    pub at: Timestamp,
    /// The chosen part, at most 16 MiB.
    pub document: Vec<u8>,
    /// The federation's id in the registration.
    pub id: String,
    /// SHA-256 of where it came from and whose signature was believed.
    pub source: [u8; 32],
    /// From when on it counts no more.
    pub until: Timestamp,
}
