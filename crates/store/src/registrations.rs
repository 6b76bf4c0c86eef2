//! Applications that register themselves, and the invitations that let them: the nouns of the store's methods.
//!
//! What an invitation allows and what an application registered are documents that only the server reads.

use journey::Timestamp;

/// See [`Store::invite`](crate::Store::invite).
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// What an application may get, as JSON.
    pub bounds: String,
    /// By which technicians name it. Never used again.
    pub id: String,
    /// SHA-256 of the token that is handed on.
    pub token: [u8; 32],
    /// From when on it lets nobody in.
    pub until: Timestamp,
    /// How many applications it lets in, at least 1.
    pub uses: u32,
}

/// An invitation as remembered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invitation {
    /// When it was made.
    pub at: Timestamp,
    /// What an application may get, as JSON.
    pub bounds: String,
    /// By which technicians name it.
    pub id: String,
    /// How many applications came with it, whether they are still there or not.
    pub spent: u32,
    /// From when on it lets nobody in.
    pub until: Timestamp,
    /// How many it lets in.
    pub uses: u32,
}

impl Invitation {
    /// Whether one more application may come with it.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.until && self.spent < self.uses
    }
}

/// See [`Store::register`](crate::Store::register).
#[derive(Clone, Debug)]
pub struct NewRegistration {
    /// The client id, drawn by the caller.
    pub application: String,
    /// What is registered, as JSON.
    pub document: String,
    /// SHA-256 of the invitation's token.
    pub invited_by: [u8; 32],
    /// SHA-256 of the token with which the application changes this.
    pub token: [u8; 32],
}

/// An application that registered itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registration {
    /// The client id.
    pub application: String,
    /// When it came.
    pub at: Timestamp,
    /// What its invitation allows, as JSON.
    pub bounds: String,
    /// When it last changed what is registered.
    pub changed: Timestamp,
    /// What is registered, as JSON.
    pub document: String,
    /// The invitation with which it came.
    pub invitation: String,
}

/// See [`Store::change_registration`](crate::Store::change_registration).
#[derive(Clone, Debug)]
pub struct RegistrationChange {
    /// The client id.
    pub application: String,
    /// What is registered from now on, as JSON.
    pub document: String,
    /// SHA-256 of the token that the application shows.
    pub from: [u8; 32],
    /// SHA-256 of the one that takes its place.
    pub to: [u8; 32],
}
