//! The targets. Each reads an input, holds the parser to its promises, and says whether it was accepted.

mod authorize;
mod cas;
mod dpop;
mod forwarded;
mod jose;
mod jwe;
mod otp;
mod proxy;
mod proxy_header;
mod pskc;
mod redirect;
mod saml;
mod saml_logout;
mod saml_metadata;
mod saml_request;
mod saml_response;
mod token;
mod token_csv;
mod token_seeds;

/// A parser, and what it is fed with.
#[derive(Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// How long inputs become, in bytes: somewhat more than the parser's own bound where that is small.
    pub bytes_max: usize,
    /// The file in `fuzz/dictionaries/` with the words of its language, without the ending.
    pub dictionary: &'static str,
    /// Good inputs, from which others are made.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Reads an input; whether the parser took it. Panics when it breaks a promise.
    pub accepts: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: &[Target] = &[
    authorize::TARGET,
    redirect::TARGET,
    token::TARGET,
    jose::TARGET,
    jwe::TARGET,
    dpop::TARGET,
    saml_request::TARGET,
    saml_response::TARGET,
    saml_logout::TARGET,
    saml_metadata::TARGET,
    cas::TARGET,
    forwarded::TARGET,
    proxy::TARGET,
    proxy_header::TARGET,
    pskc::TARGET,
    token_csv::TARGET,
    otp::TARGET,
];

/// The target of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// The first byte of an input, by which a target chooses what to do with the rest.
fn choice(input: &[u8]) -> Option<(u8, &[u8])> {
    input.split_first().map(|(first, rest)| (*first, rest))
}

/// A seed: what to do, and with what.
fn seed(choice: u8, rest: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = vec![choice];
    bytes.extend_from_slice(rest.as_ref());
    bytes
}
