//! What browsers and applications call: the request becomes a call of the runner, the state becomes a
//! page. No business facts are decided here.

mod account;
mod activation;
mod around;
mod back;
mod cas;
mod consent;
mod device;
mod ending;
mod errand;
mod form;
mod frames;
mod gate;
mod login;
pub(crate) mod management;
mod oidc;
mod recovery;
mod registration;
mod reply;
pub(crate) mod routes;
mod saml;
mod saml_artifact;
mod saml_logout;
mod scripts;
mod show;
mod visit;
pub(crate) mod waiting;
mod watch;
