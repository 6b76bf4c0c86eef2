//! Hardware tokens: a seed in a plastic case with a display.

use std::sync::Mutex;

use serde::Serialize;

use crate::otp::{Generator, seconds_left};
use crate::shelf::lock;

/// What makes the codes of a token change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moving {
    /// Time: a step lasts `period_s` seconds (30 or 60), and the token's clock is `ahead_s` seconds
    /// ahead of the true time.
    Time {
        /// Seconds a code is shown.
        period_s: u32,
        /// How wrong the token's clock is; negative where it is slow.
        ahead_s: i64,
    },
    /// A button: each press shows the next code, the first one with the counter `next`.
    Button {
        /// The counter of the first code shown.
        next: u64,
    },
}

/// A token in somebody's pocket.
#[derive(Clone, Debug)]
pub struct HardwareToken {
    /// What is printed on its back.
    pub serial: String,
    /// The user name of who holds it.
    pub holder: Option<String>,
    /// Seed, hash and length of the codes.
    pub generator: Generator,
    /// Clock or button.
    pub moving: Moving,
}

/// A token and what its display shows.
pub(crate) struct Held {
    token: HardwareToken,
    counter: Mutex<u64>,
}

/// What somebody who looks at a token sees.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Display {
    pub(crate) code: String,
    /// Seconds until the code changes; absent where a button changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seconds_left: Option<i64>,
}

impl Held {
    pub(crate) fn new(token: HardwareToken) -> Self {
        let counter = match token.moving {
            Moving::Button { next } => next,
            Moving::Time { .. } => 0,
        };
        Self {
            token,
            counter: Mutex::new(counter),
        }
    }

    pub(crate) fn token(&self) -> &HardwareToken {
        &self.token
    }

    /// The code on the display at `now`; a button token shows its last one.
    pub(crate) fn look(&self, now: i64) -> Display {
        match self.token.moving {
            Moving::Time { period_s, ahead_s } => {
                let own = now.saturating_add(ahead_s);
                Display {
                    code: self.token.generator.code_at(own, period_s),
                    seconds_left: Some(seconds_left(own, period_s)),
                }
            }
            Moving::Button { .. } => Display {
                code: self.token.generator.code(*lock(&self.counter)),
                seconds_left: None,
            },
        }
    }

    /// Presses the button: the next code, or the same where time moves the token.
    pub(crate) fn press(&self, now: i64) -> Display {
        if let Moving::Button { .. } = self.token.moving {
            let mut counter = lock(&self.counter);
            *counter = counter.saturating_add(1);
        }
        self.look(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otp::{Digits, Hash};

    fn token(moving: Moving) -> Held {
        let generator = Generator::new(b"12345678901234567890".to_vec(), Hash::Sha1, Digits::Six);
        Held::new(HardwareToken {
            serial: "1".into(),
            holder: None,
            generator,
            moving,
        })
    }

    #[test]
    fn a_button_token_shows_a_new_code_for_each_press_only() {
        let token = token(Moving::Button { next: 0 });
        assert_eq!(token.look(0).code, "755224");
        assert_eq!(token.look(99).code, "755224");
        assert_eq!(token.press(99).code, "287082");
        assert_eq!(token.press(99).code, "359152");
    }

    #[test]
    fn a_token_with_a_fast_clock_is_ahead() {
        let right = token(Moving::Time {
            period_s: 60,
            ahead_s: 0,
        });
        let fast = token(Moving::Time {
            period_s: 60,
            ahead_s: 120,
        });
        assert_eq!(fast.look(0).code, right.look(120).code);
        assert_eq!(fast.press(0).code, fast.look(0).code);
        assert_eq!(right.look(59).seconds_left, Some(1));
    }
}
