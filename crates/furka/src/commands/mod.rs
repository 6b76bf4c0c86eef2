//! One file a command.

pub(crate) mod activation;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod person;
pub(crate) mod policy;
pub(crate) mod serve;
pub(crate) mod token;
pub(crate) mod zone;
