//! What goes over the wire: bytes become typed requests or typed faults, typed answers become bytes.
//!
//! Pure: `now` (unix seconds) and everything that depends on chance come in as arguments; the only
//! function that draws chance by itself is [`jose::SigningKey::generate`] (and the signature nonce
//! of ECDSA inside aws-lc). Deliberately absent: persons, policy, storage, sockets, HTTP types,
//! implicit and password grants, dynamic registration.
//!
//! | room | in | out |
//! |---|---|---|
//! | [`oauth::authorize`] | the query or form of `/authorize` | [`oauth::authorize::Authorize`] |
//! | [`oauth::token`] | the POST to `/token` | [`oauth::token::TokenRequest`], an answer |
//! | [`oidc`] | what `/userinfo` and `/logout` are sent | claims, tokens, the discovery document |
//! | [`cas`] | what `/cas/login`, `/cas/serviceValidate` and their kin are sent | typed requests, answers in XML and JSON |
//! | [`gate`] | the headers by which a proxy asks about a request | what the browser asked for, the headers of an identity |
//! | [`certificate`] | what an application shows in a TLS handshake | the names in it, whether it may be believed |
//! | [`jose`] | compact JWS, keys | verified claims, signatures, the JWK set |
//! | [`otpauth`] | a fresh TOTP key | the URI inside the QR code |
//! | [`saml`] | SAML 2.0 messages and metadata | requests, signed responses |
//! | [`token_file`] | a vendor's CSV or PSKC file | seeds of hardware tokens |

pub mod cas;
pub mod certificate;
pub mod fault;
pub mod form;
pub mod gate;
pub mod jose;
mod json;
pub mod oauth;
pub mod oidc;
pub mod otpauth;
pub mod pseudonym;
pub mod saml;
pub mod secret;
pub mod token_file;

pub use secret::Secret;

#[cfg(test)]
mod testing;
