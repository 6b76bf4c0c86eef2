//! Metadata: what an application says about itself, and what a provider says about itself.

mod identity_provider;
mod own;
mod party;
mod provider;

pub use identity_provider::IdentityProvider;
pub use own::{Described, Names, describe};
pub use party::Party;
pub(crate) use party::Side;
pub use provider::{Consumer, MetadataError, ServiceProvider, SingleLogout};
pub(super) use provider::{address, earlier, until};

#[cfg(test)]
mod tests;
