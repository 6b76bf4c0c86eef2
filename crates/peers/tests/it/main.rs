//! Messages handed to real programs: Kannel with its simulated SMS centre, and an SMTP server.
//!
//! They need the Debian packages of `tests/packages.txt` and say so when one is missing.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of it is test"
)]

mod kannel;
mod mail;
mod process;
mod sms;
mod smtp;
