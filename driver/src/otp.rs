//! What a hardware token or an app shows: [RFC 4226] HOTP and [RFC 6238] TOTP, SHA-1 and six digits.

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};

/// Seconds of a step of TOTP.
pub const STEP_S: u64 = 30;

/// [RFC 4226 §5.3] The code of a counter; for TOTP, the counter is the number of the step.
#[must_use]
pub fn code(seed: &[u8], counter: u64) -> String {
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = sign(&key, &counter.to_be_bytes());
    let offset = usize::from(tag.as_ref().last().copied().unwrap_or_default() & 0x0f);
    let four = tag.as_ref().iter().skip(offset).take(4);
    let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::{STEP_S, code};

    /// [RFC 4226 §Appendix D]
    #[test]
    fn the_codes_of_the_standard_are_shown() {
        let seed = b"12345678901234567890";
        let shown: Vec<_> = (0..3).map(|counter| code(seed, counter)).collect();
        assert_eq!(shown, ["755224", "287082", "359152"]);
        assert_eq!(code(seed, 59 / STEP_S), "287082");
    }
}
