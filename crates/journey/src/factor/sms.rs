//! A code sent to the phone that was fixed at activation.

use serde::{Deserialize, Serialize};

use super::typed::Typed;
use crate::{moment::Timestamp, secret::Secret};

/// How long a code may be typed, in seconds: half of what NIST SP 800-63B-4 §3.1.3 allows.
pub const VALID_S: i64 = 300;
/// How long a person waits before the same code is sent again, in seconds.
pub const RESEND_AFTER_S: i64 = 30;
/// How often one code is sent.
pub const SENDS_MAX: u8 = 3;
/// How many wrong tries one code takes.
pub const TRIES_MAX: u8 = 5;

/// Six digits, drawn for one journey. Lives in the sealed state only.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SmsCode {
    digits: Secret,
    /// Until when it may be typed.
    pub until: Timestamp,
}

impl SmsCode {
    /// Draws a code: a fair number below a million.
    ///
    /// 64 random bits modulo a million prefer some codes by less than one part in 10¹³.
    #[must_use]
    pub fn draw(dice: &[u8; 32], now: Timestamp) -> Self {
        let number = dice
            .iter()
            .take(8)
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        let digits = format!("{:06}", number % 1_000_000);
        Self {
            digits: Secret::new(digits.into_bytes()),
            until: now.plus(VALID_S),
        }
    }

    /// Whether these are the digits, in constant time.
    #[must_use]
    pub fn matches(&self, typed: &Typed) -> bool {
        self.digits.matches(typed.digits().as_bytes())
    }

    /// The digits, for the message.
    #[must_use]
    pub fn digits(&self) -> &Secret {
        &self.digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [O08] Six digits, every one possible, valid for five minutes.
    #[test]
    fn codes_are_six_digits_and_spread() {
        let mut leading = [0_u32; 10];
        for n in 0..1000_u64 {
            let mut dice = [0_u8; 32];
            let mut mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            dice[..8].copy_from_slice(&(mixed ^ (mixed >> 31)).to_be_bytes());
            let code = SmsCode::draw(&dice, Timestamp(0));
            assert_eq!(code.digits.expose().len(), 6);
            leading[usize::from(code.digits.expose()[0] - b'0')] += 1;
            assert_eq!(code.until, Timestamp(300));
        }
        assert!(
            leading.iter().all(|count| (60..140).contains(count)),
            "{leading:?}"
        );
    }
}
