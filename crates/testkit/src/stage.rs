//! What a story may use: a browser as a person sees it, and a town with its people and phones.
//!
//! A stage implements the two traits; what stories say beyond them ([`dyn Browser`](Browser),
//! [`dyn Town`](Town)) is written once, here.

mod attempt;
mod browser;
mod cast;
mod town;

pub use attempt::{Answer, Attempt};
pub use browser::{Browser, plain};
pub use cast::{
    App, Application, IN_THE_DRAWER, Language, Lost, Method, Origins, Person, Place, Role,
};
pub use town::{Inbox, Town};
