//! The stage of ring 3: the real router, store and policy; a toy clock, dice, phone and mailbox.

mod browser;
mod canton;
mod cast;
mod desk;
mod engine;
mod jar;
mod net;
mod page;
mod post;
mod world;

pub use canton::{Canton, ENT_SECRET};
pub(crate) use canton::{configure_valais, keys, must};
pub(crate) use jar::Jar;
pub(crate) use net::answer;
pub use world::Toy;
