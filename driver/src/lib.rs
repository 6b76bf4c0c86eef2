//! People in numbers, for what measures and tries the provider over the network: browsers without a
//! screen that sign in, and the application behind them that redeems their codes.
//!
//! Deliberately absent: everything a page looks like. Stories with words and pictures are `e2e/`.

mod browser;
mod http;
pub mod otp;

pub use browser::{Application, Asked, Browser, Entered, Site, signed_by, ticket_in};
pub use http::{Answer, Connection, Trouble};
