//! Step: values that are only passed on or help the person, each with its bound.

use super::Fault;
use super::redirect_uri::Reachable;

/// [RFC 6749 §4.1.2] "The exact value received from the client."
pub(super) fn state(request: &Reachable<'_>) -> Result<Option<String>, Fault> {
    bounded(request, "state", 2048)
}

pub(super) fn nonce(request: &Reachable<'_>) -> Result<Option<String>, Fault> {
    bounded(request, "nonce", 512)
}

pub(super) fn login_hint(request: &Reachable<'_>) -> Result<Option<String>, Fault> {
    bounded(request, "login_hint", 256)
}

/// Its own bound is that of every value: an ID token fits.
pub(super) fn id_token_hint(request: &Reachable<'_>) -> Result<Option<String>, Fault> {
    bounded(request, "id_token_hint", 4 * 1024)
}

pub(super) fn acr_values(request: &Reachable<'_>) -> Result<Vec<String>, Fault> {
    words(request, "acr_values", 512)
}

pub(super) fn ui_locales(request: &Reachable<'_>) -> Result<Vec<String>, Fault> {
    words(request, "ui_locales", 128)
}

fn bounded(request: &Reachable<'_>, name: &str, bytes_max: usize) -> Result<Option<String>, Fault> {
    match request.value(name) {
        Some(value) if value.len() > bytes_max => Err(Fault::ValueTooLong),
        value => Ok(value.map(str::to_owned)),
    }
}

fn words(request: &Reachable<'_>, name: &str, bytes_max: usize) -> Result<Vec<String>, Fault> {
    let text = bounded(request, name, bytes_max)?.unwrap_or_default();
    Ok(text
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect())
}
