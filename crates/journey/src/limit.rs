//! How often is too often: a pure counter that delays and never locks for ever.
//!
//! Where addresses are shared by a whole school, budgets belong to accounts, to devices that an
//! account has used before, to numbers: never to an address alone.

use serde::{Deserialize, Serialize};

use crate::moment::Timestamp;

/// What a lane allows.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The longest delay, in seconds.
    pub delay_max_s: i64,
    /// The delay after the free tries, in seconds; it doubles with each further try.
    pub delay_s: i64,
    /// After so many seconds one try is forgotten.
    pub forget_s: i64,
    /// So many tries come without any delay.
    pub free: u32,
}

/// Passwords typed by strangers: five are free, then 30 s, doubling to an hour.
pub const PASSWORD: Rule = Rule {
    free: 5,
    delay_s: 30,
    delay_max_s: 3600,
    forget_s: 900,
};
/// Passwords typed on a device that this account has used before: its own, wider lane.
pub const PASSWORD_KNOWN_DEVICE: Rule = Rule {
    free: 10,
    delay_s: 30,
    delay_max_s: 600,
    forget_s: 300,
};
/// Second factors over all journeys and factors: at most a hundred failures in any thirty days, fifty
/// at once and one more every fourteen hours.
pub const SECOND_FACTOR: Rule = Rule {
    free: 50,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 51_840,
};
/// Activation codes.
pub const ACTIVATION: Rule = Rule {
    free: 5,
    delay_s: 30,
    delay_max_s: 3600,
    forget_s: 900,
};
/// Codes of devices that no device shows, typed by somebody who is signed in: ten are free, then one a
/// minute. Within the ten minutes that a code lives, that is twenty tries.
pub const DEVICE_CODE: Rule = Rule {
    free: 10,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 60,
};
/// The same from a network, by people who have not signed in: forty, then five a minute. A whole school may
/// share it, and whoever has to wait signs in first. Within ten minutes, that is ninety tries.
// [RFC 8628 §5.1] "It is therefore recommended that the server rate-limit user code attempts."
pub const DEVICE_CODE_FROM: Rule = Rule {
    free: 40,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 12,
};
/// Devices that ask from one network: all screens of a school at once, then one every two seconds.
pub const DEVICE_ASKED: Rule = Rule {
    free: 300,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 2,
};
/// What one invitation registers, and what one application does about its registration: all uses of the largest
/// invitation at once, then one every ten seconds.
pub const REGISTRATION: Rule = Rule {
    free: 100,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 10,
};
/// Messages to one number: five at once, then one every twelve minutes.
pub const SMS_NUMBER: Rule = Rule {
    free: 5,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 720,
};
/// Messages for one person, over all numbers: twenty a day.
pub const SMS_PERSON: Rule = Rule {
    free: 20,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 4320,
};
/// Messages of the whole installation: a burst for a first evening, then one a second.
pub const SMS_ALL: Rule = Rule {
    free: 20_000,
    delay_s: i64::MAX,
    delay_max_s: i64::MAX,
    forget_s: 1,
};

/// One budget, as the store remembers it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lane {
    /// When it last changed.
    pub at: Timestamp,
    /// Tries not yet forgotten.
    pub tries: u32,
}

/// Not now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Wait {
    /// Seconds until the next try counts.
    pub seconds: i64,
}

impl Lane {
    /// Spends one try, or says how long to wait. Called *before* the verdict is known.
    ///
    /// # Errors
    /// [`Wait`], and nothing is spent: waiting costs nothing.
    pub fn spend(self, rule: &Rule, now: Timestamp) -> Result<Self, Wait> {
        let lane = self.forget(rule, now);
        let over = lane.tries.saturating_sub(rule.free);
        if lane.tries >= rule.free {
            let delay = rule.delay_s.saturating_mul(2_i64.saturating_pow(over));
            let until_delay = self.at.plus(delay.clamp(0, rule.delay_max_s));
            let until_forgotten = lane.at.plus(rule.forget_s);
            let until = until_delay.min(until_forgotten);
            if now < until {
                return Err(Wait {
                    seconds: until.since(now),
                });
            }
        }
        // Delays count from the last try. Where there are none, healing goes on meanwhile.
        let heals_on = rule.delay_s == i64::MAX && lane.tries > 0;
        Ok(Self {
            at: if heals_on { lane.at } else { now.max(lane.at) },
            tries: lane.tries.saturating_add(1),
        })
    }

    /// Gives a try back: it was right.
    #[must_use]
    pub fn refund(self) -> Self {
        Self {
            tries: self.tries.saturating_sub(1),
            ..self
        }
    }

    /// Forgets what time has healed. A clock that jumps back heals nothing.
    fn forget(self, rule: &Rule, now: Timestamp) -> Self {
        let healed = now.since(self.at).max(0) / rule.forget_s.max(1);
        let healed = u32::try_from(healed).unwrap_or(u32::MAX);
        match healed {
            0 => self,
            _ if healed >= self.tries => Self { at: now, tries: 0 },
            _ => Self {
                at: self
                    .at
                    .plus(i64::from(healed).saturating_mul(rule.forget_s)),
                tries: self.tries - healed,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries as fast as the lane lets them through, for so many seconds.
    fn tries_in(rule: &Rule, seconds: i64) -> u32 {
        let (mut lane, mut now, mut tries) = (Lane::default(), Timestamp(1_000_000), 0);
        let end = now.plus(seconds);
        lane.at = now;
        while now < end {
            match lane.spend(rule, now) {
                Ok(next) => {
                    lane = next;
                    tries += 1;
                }
                Err(wait) => now = now.plus(wait.seconds),
            }
        }
        tries
    }

    #[test]
    fn five_typing_errors_are_free_and_the_sixth_waits_half_a_minute() {
        let mut lane = Lane::default();
        for _ in 0..5 {
            lane = lane.spend(&PASSWORD, Timestamp(1000)).unwrap();
        }
        assert_eq!(
            lane.spend(&PASSWORD, Timestamp(1000)),
            Err(Wait { seconds: 30 })
        );
        let lane = lane.spend(&PASSWORD, Timestamp(1030)).unwrap();
        assert_eq!(
            lane.spend(&PASSWORD, Timestamp(1030)),
            Err(Wait { seconds: 60 })
        );
    }

    /// [O12] The end of a delay does not hand out a fresh budget: a year of guessing stays small.
    #[test]
    fn a_year_of_guessing_stays_within_the_promise() {
        let year = 365 * 86_400;
        let second_factors = tries_in(&SECOND_FACTOR, year);
        assert!(second_factors <= 50 + 609, "{second_factors}");
        assert!(tries_in(&SECOND_FACTOR, 30 * 86_400) <= 100);
        let passwords = tries_in(&PASSWORD, year);
        assert!(passwords <= 4 * 24 * 365 + 10, "{passwords}");
    }

    /// [C16] [RFC 8628 §5.1] "It is therefore recommended that the server rate-limit user code attempts."
    /// 110 tries at 20⁹ codes succeed with less than 2⁻³².
    #[test]
    fn few_codes_of_devices_are_tried_while_one_lives() {
        assert!(tries_in(&DEVICE_CODE, 600) <= 20);
        assert!(tries_in(&DEVICE_CODE_FROM, 600) <= 90);
        assert!(tries_in(&DEVICE_ASKED, 600) <= 600);
    }

    /// Right codes do not stop the clock of the wrong ones: whoever signs in twice a day is forgiven as
    /// fast as anybody.
    #[test]
    fn using_a_budget_rightly_does_not_keep_it_from_healing() {
        let mut now = Timestamp(1_000_000);
        let mut lane = Lane { at: now, tries: 40 };
        for _ in 0..72 {
            now = now.plus(36_000);
            lane = lane.spend(&SECOND_FACTOR, now).unwrap().refund();
        }
        assert_eq!(lane.tries, 0);
    }

    #[test]
    fn the_wait_always_ends() {
        for rule in [
            PASSWORD,
            PASSWORD_KNOWN_DEVICE,
            SECOND_FACTOR,
            ACTIVATION,
            DEVICE_CODE,
            DEVICE_CODE_FROM,
            DEVICE_ASKED,
            SMS_NUMBER,
            SMS_PERSON,
            SMS_ALL,
        ] {
            let mut lane = Lane {
                at: Timestamp(0),
                tries: u32::MAX,
            };
            let wait = lane.spend(&rule, Timestamp(0)).unwrap_err();
            assert!(
                wait.seconds > 0 && wait.seconds <= rule.forget_s.max(rule.delay_max_s.min(86_400))
            );
            lane.tries = rule.free;
            let wait = lane.spend(&rule, Timestamp(0)).unwrap_err();
            assert!(lane.spend(&rule, Timestamp(wait.seconds)).is_ok());
        }
    }

    #[test]
    fn a_clock_that_jumps_back_gives_nothing() {
        let lane = Lane {
            at: Timestamp(1_000_000),
            tries: 100,
        };
        assert!(lane.spend(&SECOND_FACTOR, Timestamp(0)).is_err());
    }

    #[test]
    fn a_right_answer_costs_nothing() {
        let lane = Lane {
            at: Timestamp(5),
            tries: 3,
        };
        assert_eq!(lane.spend(&PASSWORD, Timestamp(5)).unwrap().refund(), lane);
    }
}
