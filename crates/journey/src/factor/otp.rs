//! One-time passwords of apps and hardware tokens: HOTP [RFC 4226] and TOTP [RFC 6238].

mod restored;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq;

use super::typed::Typed;
use crate::{moment::Timestamp, person::FactorId, secret::Secret};

/// Steps accepted on either side of the expected one: the set has three members, always.
///
/// [RFC 6238 §5.2] "We RECOMMEND that at most one time step is allowed as the network delay."
/// [RFC 6238 §6] extends this to a clock that runs ahead.
const WINDOW: i64 = 1;
/// Steps searched on either side to *explain* a refusal: ten minutes at 30 s.
const DIAGNOSIS_S: i64 = 600;
/// Counters looked at beyond the last one of an HOTP token.
const LOOK_AHEAD: u64 = 10;
/// Counters searched when two consecutive codes resynchronise an HOTP token.
const RESYNC_COUNTERS: u64 = 100;
/// Steps searched on either side when two consecutive codes resynchronise a TOTP token.
const RESYNC_STEPS: i64 = 60;
/// How far the remembered drift of a phone may go, in steps.
const DRIFT_MAX_APP: i64 = 2;
/// How far the remembered drift of a hardware token may go, in steps.
const DRIFT_MAX_TOKEN: i64 = 60;

/// The hash of the HMAC.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// What every app understands.
    Sha1,
    /// Some hardware.
    Sha256,
    /// Some hardware.
    Sha512,
}

/// What moves the counter.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OtpKind {
    /// A button.
    Hotp,
    /// The clock, every so many seconds.
    Totp {
        /// 30 or 60.
        period_s: u32,
    },
}

/// Whether somebody's phone or a piece of hardware shows the code.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Carrier {
    /// An authenticator app.
    App,
    /// A hardware token.
    Token,
}

/// A bound generator of one-time passwords, as the store remembers it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Otp {
    /// The hash.
    pub algorithm: Algorithm,
    /// App or token.
    pub carrier: Carrier,
    /// How many digits a code has: 6 or 8.
    pub digits: u8,
    /// How many steps its clock is ahead of ours (negative: behind), as learnt.
    pub drift: i64,
    /// Which row the counter is spent on.
    pub id: FactorId,
    /// Clock or button.
    pub kind: OtpKind,
    /// The last counter or step that was accepted; the same and everything before are refused.
    pub last_counter: Option<u64>,
    /// The seed.
    pub secret: Secret,
}

/// What a typed code is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Checked {
    /// It belongs to a counter that was used before, or to an earlier one.
    Replayed,
    /// It belongs to this counter. Not yet spent: the store decides the race.
    Right {
        /// The counter or time step.
        counter: u64,
        /// The drift to remember.
        drift: i64,
    },
    /// It belongs to no counter that may be used now.
    Wrong {
        /// If it would have been right at another minute: how far the other clock is ahead of ours,
        /// in seconds (negative: slow).
        clock_ahead_s: Option<i64>,
    },
}

impl Otp {
    /// A new secret for somebody's app: what every authenticator app understands.
    ///
    /// 160 bits, as [RFC 4226 §4] R6 recommends: "The length of the shared secret MUST be at least
    /// 128 bits."
    #[must_use]
    pub fn draw_for_app(id: FactorId, dice: &[u8; 32]) -> Self {
        Self {
            algorithm: Algorithm::Sha1,
            carrier: Carrier::App,
            digits: 6,
            drift: 0,
            id,
            kind: OtpKind::Totp { period_s: 30 },
            last_counter: None,
            secret: Secret::new(dice.iter().take(20).copied().collect()),
        }
    }

    /// What a typed code is worth at this time. Pure: nothing is spent.
    pub fn check(&self, typed: &Typed, now: Timestamp) -> Checked {
        match self.kind {
            OtpKind::Hotp => self.check_hotp(typed),
            OtpKind::Totp { period_s } => self.check_totp(typed, now, period_s),
        }
    }

    /// The counter of a wrong code whose time is yet to come, by what [`Otp::check`] said of it.
    pub(crate) fn yet_to_come(&self, clock_ahead_s: i64, now: Timestamp) -> Option<u64> {
        let OtpKind::Totp { period_s } = self.kind else {
            return None;
        };
        let expected = step_of(now, period_s).saturating_add_signed(self.drift);
        let counter = step_of(now.plus(clock_ahead_s), period_s);
        (counter > expected).then_some(counter)
    }

    /// Two consecutive codes find a counter that is further away than one code may.
    ///
    /// [RFC 4226 §7.4] asks for a sequence of HOTP values to synchronise; a bounded search keeps a
    /// guess of two codes hopeless.
    pub fn resynchronise(&self, first: &Typed, second: &Typed, now: Timestamp) -> Checked {
        let pair = |counter: u64| {
            let next = counter.saturating_add(1);
            self.shows(counter, first) & self.shows(next, second)
        };
        let found = match self.kind {
            OtpKind::Hotp => {
                let from = self.last_counter.map_or(0, |last| last.saturating_add(1));
                find_counter(from..from.saturating_add(RESYNC_COUNTERS), pair)
            }
            OtpKind::Totp { period_s } => {
                let step = step_of(now, period_s);
                let steps = around(step, RESYNC_STEPS);
                find_counter(steps, pair)
            }
        };
        match found {
            None => Checked::Wrong {
                clock_ahead_s: None,
            },
            // The second of the two is the one that is spent.
            Some(counter) if self.is_spent(counter) => Checked::Replayed,
            Some(counter) => {
                let counter = counter.saturating_add(1);
                Checked::Right {
                    counter,
                    drift: self.drift_at(counter, now),
                }
            }
        }
    }

    fn check_hotp(&self, typed: &Typed) -> Checked {
        let from = self.last_counter.map_or(0, |last| last.saturating_add(1));
        // [RFC 4226 §7.4] "the server can recalculate the next s HOTP-server values"
        if let Some(counter) = find_counter(from..from.saturating_add(LOOK_AHEAD), |n| {
            self.shows(n, typed)
        }) {
            return Checked::Right { counter, drift: 0 };
        }
        match find_counter(from.saturating_sub(LOOK_AHEAD)..from, |n| {
            self.shows(n, typed)
        }) {
            Some(_) => Checked::Replayed,
            None => Checked::Wrong {
                clock_ahead_s: None,
            },
        }
    }

    fn check_totp(&self, typed: &Typed, now: Timestamp, period_s: u32) -> Checked {
        let step = step_of(now, period_s);
        let expected = step.saturating_add_signed(self.drift);
        if let Some(counter) = find_counter(around(expected, WINDOW), |n| self.shows(n, typed)) {
            // [RFC 6238 §5.2] "The verifier MUST NOT accept the second attempt of the OTP after the
            // successful validation has been issued for the first OTP"
            if self.is_spent(counter) {
                return Checked::Replayed;
            }
            return Checked::Right {
                counter,
                drift: self.drift_at(counter, now),
            };
        }
        let far = DIAGNOSIS_S / i64::from(period_s.max(1));
        let elsewhere = find_counter(around(step, far), |n| self.shows(n, typed));
        let ahead = elsewhere.map(|n| n.cast_signed().saturating_sub(step.cast_signed()));
        Checked::Wrong {
            clock_ahead_s: ahead.map(|steps| steps * i64::from(period_s)),
        }
    }

    fn is_spent(&self, counter: u64) -> bool {
        self.last_counter.is_some_and(|last| counter <= last)
    }

    /// The drift that this counter shows, within what the carrier may have.
    fn drift_at(&self, counter: u64, now: Timestamp) -> i64 {
        let OtpKind::Totp { period_s } = self.kind else {
            return 0;
        };
        let max = match self.carrier {
            Carrier::App => DRIFT_MAX_APP,
            Carrier::Token => DRIFT_MAX_TOKEN,
        };
        let seen = counter
            .cast_signed()
            .saturating_sub(step_of(now, period_s).cast_signed());
        seen.clamp(-max, max)
    }

    fn shows(&self, counter: u64, typed: &Typed) -> bool {
        let code = self.code_at(counter);
        code.as_bytes().ct_eq(typed.digits().as_bytes()).into()
    }

    /// The code for a counter, as [RFC 4226 §5.3] computes it.
    #[must_use]
    pub fn code_at(&self, counter: u64) -> String {
        let key = self.secret.expose();
        let mac = match self.algorithm {
            Algorithm::Sha1 => mac::<Hmac<Sha1>>(key, counter),
            Algorithm::Sha256 => mac::<Hmac<Sha256>>(key, counter),
            Algorithm::Sha512 => mac::<Hmac<Sha512>>(key, counter),
        };
        let offset = usize::from(mac.last().copied().unwrap_or_default() & 0x0f);
        let four = mac.iter().skip(offset).take(4);
        let number = four.fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte)) & 0x7fff_ffff;
        let digits = usize::from(self.digits.clamp(6, 8));
        let modulus = 10_u32.saturating_pow(u32::from(self.digits.clamp(6, 8)));
        format!("{:0digits$}", number % modulus)
    }
}

fn mac<M: Mac + KeyInit>(key: &[u8], counter: u64) -> Vec<u8> {
    // HMAC takes keys of any length; a seed that it refused would match nothing.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(&counter.to_be_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn step_of(now: Timestamp, period_s: u32) -> u64 {
    now.0.max(0).cast_unsigned() / u64::from(period_s.max(1))
}

fn around(middle: u64, steps: i64) -> std::ops::Range<u64> {
    middle.saturating_add_signed(-steps)..middle.saturating_add_signed(steps).saturating_add(1)
}

/// The first counter that fits. Every one is computed, so that time tells nothing.
fn find_counter(range: std::ops::Range<u64>, fits: impl Fn(u64) -> bool) -> Option<u64> {
    range.fold(None, |found, counter| match (found, fits(counter)) {
        (None, true) => Some(counter),
        _ => found,
    })
}

#[cfg(test)]
mod tests;
