//! OAuth 2.0 as far as OpenID Connect's code flow needs it: applications, `/authorize`, `/token`.

pub mod authorize;
pub mod client;
pub mod scope;
pub mod token;
