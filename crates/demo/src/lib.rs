//! A canton on localhost: the world around the identity provider, speaking public protocols only.
//!
//! | port | room | file |
//! |---|---|---|
//! | N | the provider behind a front proxy, and the start page `/demo` | `proxy`, `start` |
//! | N+1 | the portal ENT, an OpenID Connect client with `client_secret_basic` | `portal` |
//! | N+2 | the school administration ISM, a SAML 2.0 application, strong only | `portal` |
//! | N+3 | phones, authenticator app, hardware tokens, mailbox, SMS gateway | `phone` |
//! | any | a mail server that keeps everything | `smtp_sink` |
//!
//! Deliberately absent: the provider itself (reached through [`Reach`]), any knowledge of its
//! store or journeys, time and chance (given as [`World`]). Of our rooms it sees `wire`, and of that what
//! reads and signs SAML: `docs/decisions/0026-the-demos-saml-application.md`.

mod canton;
mod chrome;
mod messages;
mod mime;
mod otp;
mod people;
mod phone;
mod place;
mod portal;
mod proxy;
mod reach;
mod secret;
mod settings;
mod shelf;
pub mod smtp_sink;
mod start;
#[cfg(test)]
mod toys;
mod web;
mod words;
mod world;

pub use canton::Canton;
pub use messages::{Channel, Message, Messages};
pub use otp::{Digits, Generator, Hash};
pub use people::{Method, People, Person, Standing};
pub use phone::authenticator::ScanError;
pub use phone::token::{HardwareToken, Moving};
pub use place::{PLACE_HEADER, Place, Places};
pub use reach::{OverSocket, Reach};
pub use secret::Secret;
pub use settings::{Origins, SamlKey, Settings, SettingsError};
pub use world::World;
