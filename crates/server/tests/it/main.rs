//! Ring 3: the stories in memory, and what strangers, scripts and other people's applications meet.
//!
//! Tests that keep a row of the security table name its id; see `docs/security-rows.md`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "all of it is test"
)]

mod addresses;
mod apache;
mod application;
mod applications;
mod cas;
mod cas_client;
mod cas_php;
mod cas_proxy;
mod devices;
mod forms;
mod front_channel;
mod gate;
mod headers;
mod mod_auth_openidc;
mod mutual_tls;
mod oidc_client_ts;
mod openid_client;
mod openid_client_encrypted;
mod openid_client_registers;
mod openid_client_signed;
mod presets;
mod programs;
mod proxies;
mod registered;
mod saml;
mod secrets;
mod security;
mod sessions;
mod signed_in_over;
mod stories;
mod strangers;
mod tokens;
