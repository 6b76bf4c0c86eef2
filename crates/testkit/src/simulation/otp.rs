//! The codes that apps and tokens show: [RFC 4226] HOTP and [RFC 6238] TOTP, SHA-1, six digits. Written
//! a second time on purpose: what is checked must not be what checks.

use aws_lc_rs::hmac;

/// [RFC 4226 §5.3] The code of a counter.
pub(super) fn code(seed: &[u8], counter: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = bytes.last().map_or(0, |last| usize::from(last & 0x0f));
    let four = bytes.iter().skip(offset).take(4);
    let number = four.fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    /// [RFC 4226 §Appendix D]
    #[test]
    fn the_counters_of_the_standard_show_its_codes() {
        let shown = [0, 1, 2].map(|counter| super::code(b"12345678901234567890", counter));
        assert_eq!(shown, ["755224", "287082", "359152"]);
    }
}
