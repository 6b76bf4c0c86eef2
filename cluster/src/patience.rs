//! Waiting for something outside to become true, with an end.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// The time of this machine's steady clock.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a real program takes is not the product's time"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Looks again and again until there is an answer; none if that takes longer than `at_most`.
pub(crate) fn until<T>(at_most: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let began = now();
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        if began.elapsed() > at_most {
            return None;
        }
        thread::sleep(PAUSE);
    }
}
