//! OpenID Connect: who the person is, told to applications.

pub mod claims;
pub mod claims_request;
pub mod discovery;
pub mod front_channel;
pub mod id_token;
mod issuer;
pub mod logout;
pub mod logout_token;
pub mod session_state;
pub mod userinfo;

pub use issuer::{Issuer, IssuerError};

/// One factor: a password. [REFEDS SFA]
pub const ACR_SFA: &str = "https://refeds.org/profile/sfa";
/// Two factors. [REFEDS MFA]
pub const ACR_MFA: &str = "https://refeds.org/profile/mfa";
