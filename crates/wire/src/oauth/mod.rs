//! OAuth 2.0: applications, `/authorize`, `/token`, and what becomes of tokens later.

pub mod access_token;
pub mod authorize;
pub mod client;
pub mod client_credentials;
pub mod confirmation;
pub mod device;
pub mod dpop;
pub mod introspection;
pub mod par;
pub mod refresh;
pub mod registration;
pub mod scope;
pub mod token;
