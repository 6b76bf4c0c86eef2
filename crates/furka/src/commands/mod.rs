//! One file a command.

pub(crate) mod activation;
pub(crate) mod app;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod cluster;
pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod export;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod person;
pub(crate) mod policy;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod token;
pub(crate) mod zone;
