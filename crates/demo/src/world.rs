//! Time and chance come into the demo through one door.

use data_encoding::BASE64URL_NOPAD;

/// What the demo cannot have of its own: the caller gives it, so that tests decide it.
pub trait World: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now_unix(&self) -> i64;

    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// A fresh 256-bit value as 43 base64url characters: session ids, `state`, `nonce`, PKCE verifiers.
pub(crate) fn draw(world: &dyn World) -> String {
    let mut bytes = [0; 32];
    world.fill(&mut bytes);
    BASE64URL_NOPAD.encode(&bytes)
}

/// Time as RFC 3339 in UTC, as the phone's API says it.
pub(crate) fn rfc3339(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}
