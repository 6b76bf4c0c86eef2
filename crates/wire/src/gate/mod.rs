//! The gate: a proxy asks, for each request to an application that knows no protocol, whether it may
//! pass, and as whom.
//!
//! | file | in | out |
//! |---|---|---|
//! | `site` | the table `[[gate]]` of `applications.toml` | [`Site`], what is wrong with it, the [`Rule`] for a path |
//! | `forwarded` | the headers of a proxy's question | [`Forwarded`]: what the browser asked for |
//! | `identity` | what is known of a person | the headers by which the application knows them |
//!
//! Deliberately absent: whether the proxy may be believed, sessions, the policy.

mod forwarded;
mod identity;
mod site;

pub use forwarded::{Fault, Forwarded};
pub use identity::{IDENTITY, Identity, headers};
pub use site::{Rule, Site, SiteFlaw};
