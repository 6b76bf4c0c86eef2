//! Messages handed to real programs: Kannel with its simulated SMS centre, an SMTP server, and one that is called back.
//!
//! They need the Debian packages of `tests/packages.txt` and say so when one is missing.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of it is test"
)]

mod callback;
mod kannel;
mod mail;
mod process;
mod sms;
mod smtp;
