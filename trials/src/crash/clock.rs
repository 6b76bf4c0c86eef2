//! The machine's own clock: how long a run takes is not the product's time.

use std::time::{Duration, Instant, SystemTime};

/// A moment after which nobody waits any longer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Self(now() + patience)
    }

    pub(super) fn is_over(self) -> bool {
        now() >= self.0
    }
}

/// Monotonic.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a run takes is not the product's time"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970, as the clock of a token and the provider's on the same machine say.
#[expect(
    clippy::disallowed_methods,
    reason = "a token's clock is the machine's"
)]
pub(crate) fn unix_s() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
