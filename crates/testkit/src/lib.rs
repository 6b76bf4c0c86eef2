//! A canton for tests: stories told in the guide's words, and the stages they are told on.
//!
//! | room | what |
//! |---|---|
//! | `stage` | what a story may use: [`Browser`], [`Town`], its people and their phones |
//! | `stories` | the stories, one file a chapter; they know no stage |
//! | `words` | what people read on buttons and labels, in French and German |
//! | `simulation` | hours of several nodes on a faulty store, driven by a seed |
//! | `memory` | the stage of ring 3: router and store are real, clock, dice and post are toys |
//!
//! The stage of ring 4, real Chromium against the real binary, is `e2e/`. A story that goes wrong
//! panics: that is its verdict. Deliberately absent: `.await` in stories (a person does one thing at
//! a time), ids and status codes in them, anything the product links.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "all of it is test: a story's verdict is a panic"
)]

#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "memory")]
pub mod simulation;
pub mod stage;
pub mod stories;
mod words;

pub use stage::{
    Answer, App, Application, Attempt, Browser, Inbox, Language, Lost, Method, Origins, Person,
    Place, Role, Town, plain,
};
pub use words::Words;
