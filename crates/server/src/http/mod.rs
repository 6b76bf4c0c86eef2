//! What browsers and applications call: the request becomes a call of the runner, the state becomes a
//! page. No business facts are decided here.

mod account;
mod activation;
mod around;
mod form;
mod login;
pub(crate) mod management;
mod oidc;
pub(crate) mod routes;
mod show;
mod visit;
