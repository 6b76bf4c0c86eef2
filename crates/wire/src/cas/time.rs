//! Moments as XML and JSON write them.

use jiff::Timestamp;

/// `2026-11-22T18:19:38Z`; nothing for a moment that has no such form.
pub(super) fn utc(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map(|moment| moment.to_string())
        .unwrap_or_default()
}
