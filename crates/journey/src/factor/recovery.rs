//! Recovery codes: what somebody keeps on paper for the day on which phone or token is lost.
//!
//! [NIST SP 800-63B-4 §3.1.2] calls them look-up secrets: something one has. Drawing, showing and
//! recognising them is the server's; here is only which one it was.

/// How many codes a set has.
pub const CODES: u8 = 8;

/// One code of a set, by its place. The text is not in here: nothing but its MAC is remembered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SavedCode {
    /// Which of the set, from 0.
    pub place: u8,
    /// The set's id: a set that was replaced meanwhile is another one.
    pub set: [u8; 16],
}

/// A code that was right and unused a moment ago. It counts once the store has spent it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RightCode {
    /// Which.
    pub code: SavedCode,
    /// How many are left without it.
    pub left: u8,
}
