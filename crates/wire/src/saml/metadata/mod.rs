//! Metadata: what an application says about itself, and what the provider says about itself.

mod own;
mod provider;

pub use own::{Described, Names, describe};
pub use provider::{Consumer, MetadataError, ServiceProvider, SingleLogout};

#[cfg(test)]
mod tests;
