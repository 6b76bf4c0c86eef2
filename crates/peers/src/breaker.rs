//! A circuit breaker: a peer that keeps failing is left alone for a while.

use std::time::Duration;

/// Failures in a row after which a peer is left alone.
pub(crate) const FAILURES_MAX: u32 = 5;

/// How long it is left alone before one attempt may look whether it is back.
const PAUSE: Duration = Duration::from_secs(30);

/// What is known of one peer's health.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    closed_until: Option<Duration>,
}

impl Breaker {
    /// Whether the peer may be asked. After a pause one caller at a time is let through.
    pub(crate) fn lets_through(&mut self, now: Duration) -> bool {
        match self.closed_until {
            Some(until) if now < until => false,
            Some(_) => {
                self.closed_until = Some(now.saturating_add(PAUSE));
                true
            }
            None => true,
        }
    }

    /// The peer did what was asked, or refused it soundly.
    pub(crate) fn answered(&mut self) {
        *self = Self::default();
    }

    /// The peer failed.
    pub(crate) fn failed(&mut self, now: Duration) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            self.closed_until = Some(now.saturating_add(PAUSE));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [P10] A failing peer is left alone, then tried by one.
    #[test]
    fn a_failing_peer_is_left_alone_and_then_tried_once() {
        let mut breaker = Breaker::default();
        let at = Duration::from_secs;
        for _ in 0..FAILURES_MAX {
            assert!(breaker.lets_through(at(1)));
            breaker.failed(at(1));
        }
        assert!(!breaker.lets_through(at(30)));
        assert!(breaker.lets_through(at(31)), "one may look");
        assert!(
            !breaker.lets_through(at(31)),
            "the others wait for what it finds"
        );

        breaker.answered();
        assert!(breaker.lets_through(at(31)));
        breaker.failed(at(31));
        assert!(breaker.lets_through(at(31)), "the count began anew");
    }
}
