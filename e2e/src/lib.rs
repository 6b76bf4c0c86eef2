//! The stage of ring 4: real Chromium against the real binary, through no door but its sockets.
//!
//! | room | what |
//! |---|---|
//! | `town` | `furka demo` in a folder of its own, and its clock |
//! | `chromium` | one tab of a browser, as stories see it |
//! | `webdriver` | the protocol to Debian's `chromedriver` |
//! | `page.js` | how texts, labels and buttons are found on a page: the same rules as in memory |
//! | `process` | programs that end with the value that holds them |
//!
//! Deliberately absent: the rooms of the product (see `Cargo.toml`), and stories.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "all of it is test: a story's verdict is a panic"
)]

mod chromium;
mod process;
mod town;
mod webdriver;

pub use town::Furka;
