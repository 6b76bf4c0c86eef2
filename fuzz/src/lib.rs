//! One fuzz target a parser: what strangers send is read, and the parser is held to what it promises.
//!
//! A target asserts more than that nothing panics: what was read and is written again reads the same; an
//! accepted address is one of those registered; what a signature covers is all that is believed. Inputs
//! are made by libFuzzer in `cargo xtask fuzz`; the tests beside this crate run the same targets on their
//! seeds and on what is near to them, so a promise cannot rot between two runs.
//!
//! | file | what |
//! |---|---|
//! | `targets/` | the targets, one file a parser |
//! | `sample.rs` | applications, keys and times that targets share |
//! | `program.rs` | what the program does beside fuzzing: choose a target, write the seeds |
//! | `main.rs` | the door for libFuzzer; not built without the feature `libfuzzer` |

// The tests are beside it; those of the module below are not to be looked for here.
#![cfg(not(test))]

pub mod program;
mod sample;
mod targets;
// These two are taken as they are: all of `server` would be a hundred times as much to build. They are formatted, and have
// their tests, where they are at home.
#[rustfmt::skip]
#[path = "../../crates/server/src/listen/proxy_header.rs"]
mod proxy_header;
#[rustfmt::skip]
#[path = "../../crates/server/src/visitor.rs"]
pub mod visitor;

pub use targets::{TARGETS, Target, named};
