//! What proves a person: one file a kind of proof, rules only; hashing passwords is the server's.

pub mod otp;
pub mod password;
pub mod recovery;
pub mod sms;
pub mod typed;
