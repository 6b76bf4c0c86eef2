//! The codes that a hardware token shows: [RFC 4226] HOTP and [RFC 6238] TOTP, with SHA-1 and six digits.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::workshop::Trouble;

/// Seconds of a step.
const STEP_S: u64 = 30;

/// [RFC 4226 §5.3] The code of a counter.
pub(super) fn code(seed: &[u8], counter: u64) -> Result<String, Trouble> {
    let mut mac = Hmac::<Sha1>::new_from_slice(seed)
        .map_err(|_| Trouble::new("a seed that is no key for HMAC"))?;
    mac.update(&counter.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let offset = usize::from(digest.last().copied().unwrap_or_default() & 0x0f);
    let four = digest.get(offset..offset + 4).unwrap_or_default();
    let number = four
        .iter()
        .fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    Ok(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

/// [RFC 6238 §4.2] The counter of a moment, in seconds since 1970.
pub(super) const fn step(unix_s: u64) -> u64 {
    unix_s / STEP_S
}

#[cfg(test)]
mod tests {
    use super::{code, step};

    const SEED: &[u8] = b"12345678901234567890";

    /// [RFC 4226 §Appendix D]
    #[test]
    fn the_counters_of_the_standard_show_its_codes() {
        let shown: Vec<_> = (0..3).map(|counter| code(SEED, counter).unwrap()).collect();
        assert_eq!(shown, ["755224", "287082", "359152"]);
    }

    /// [RFC 6238 §Appendix B], the last six of its eight digits.
    #[test]
    fn the_moments_of_the_standard_show_its_codes() {
        assert_eq!(code(SEED, step(59)).unwrap(), "287082");
        assert_eq!(code(SEED, step(1_111_111_109)).unwrap(), "081804");
    }
}
