//! What is ours when it goes wrong: a log line with the whole chain, and one plain page.

use std::error::Error;

use store::StoreError;
use thiserror::Error;

/// A failure of ours. Never the person's doing, never the application's.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The database.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// More people moved one journey at once than anybody has browsers.
    #[error("a journey was moved by others eight times in a row")]
    TooBusy,
    /// A step was made while somebody else ended its journey.
    #[error("a journey ended between two reads")]
    Gone,
    /// The same activation was finished elsewhere, at the same moment.
    #[error("an activation was finished elsewhere between two reads")]
    ActivationUsed,
    /// A page could not be made.
    #[error("a page could not be rendered")]
    Page(#[from] askama::Error),
    /// A token could not be signed.
    #[error("a token could not be signed")]
    Sign(#[source] Box<dyn Error + Send + Sync>),
    /// Something that cannot be.
    #[error("{0}")]
    Impossible(&'static str),
}

impl Failure {
    /// The sentence and all its causes, on one line.
    #[must_use]
    pub(crate) fn chain(&self) -> String {
        chain(self)
    }
}

/// An error's sentence and all its causes, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
