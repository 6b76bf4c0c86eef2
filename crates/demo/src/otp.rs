//! One-time codes as a device computes them: RFC 4226 and RFC 6238, independent of the provider's code.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// The hash under the HMAC.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Hash {
    /// What every app and nearly every hardware token uses.
    #[default]
    Sha1,
    /// [RFC 6238 §1.2] HMAC-SHA-256.
    Sha256,
    /// [RFC 6238 §1.2] HMAC-SHA-512.
    Sha512,
}

/// How long a code is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Digits {
    /// Six digits.
    #[default]
    Six,
    /// Eight digits.
    Eight,
}

/// A seed and the way codes are made of it; prints nothing of the seed.
#[derive(Clone)]
pub struct Generator {
    seed: Zeroizing<Vec<u8>>,
    hash: Hash,
    digits: Digits,
}

impl Generator {
    /// A generator over raw seed bytes.
    pub fn new(seed: Vec<u8>, hash: Hash, digits: Digits) -> Self {
        Self {
            seed: Zeroizing::new(seed),
            hash,
            digits,
        }
    }

    /// The code for a moving factor.
    ///
    /// [RFC 4226 §5.3] "Step 1: Generate an HMAC-SHA-1 value … Step 2: Generate a 4-byte string
    /// (Dynamic Truncation) … Step 3: Compute an HOTP value".
    pub(crate) fn code(&self, counter: u64) -> String {
        let algorithm = match self.hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let tag = hmac::sign(
            &hmac::Key::new(algorithm, &self.seed),
            &counter.to_be_bytes(),
        );
        let offset = tag
            .as_ref()
            .last()
            .map_or(0, |last| usize::from(last & 0x0f));
        let truncated = tag
            .as_ref()
            .iter()
            .skip(offset)
            .take(4)
            .fold(0_u32, |number, byte| (number << 8) | u32::from(*byte))
            & 0x7fff_ffff;
        match self.digits {
            Digits::Six => format!("{:06}", truncated % 1_000_000),
            Digits::Eight => format!("{:08}", truncated % 100_000_000),
        }
    }

    /// The code shown at `unix` by a device whose steps last `period_s` seconds.
    ///
    /// [RFC 6238 §4.2] "T = (Current Unix time - T0) / X, where the default floor function is used
    /// in the computation."
    pub(crate) fn code_at(&self, unix: i64, period_s: u32) -> String {
        let step = unix.div_euclid(i64::from(period_s.max(1)));
        self.code(u64::try_from(step).unwrap_or(0))
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generator({:?}, {:?}, ..)", self.hash, self.digits)
    }
}

/// Seconds until the next step begins, 1 to `period_s`.
pub(crate) fn seconds_left(unix: i64, period_s: u32) -> i64 {
    let period = i64::from(period_s.max(1));
    period - unix.rem_euclid(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(length: usize) -> Vec<u8> {
        b"1234567890".iter().copied().cycle().take(length).collect()
    }

    /// [RFC 6238 Appendix B] all eighteen vectors.
    #[test]
    fn the_vectors_of_rfc_6238_come_out() {
        let table = [
            (59, "94287082", "46119246", "90693936"),
            (1111111109, "07081804", "68084774", "25091201"),
            (1111111111, "14050471", "67062674", "99943326"),
            (1234567890, "89005924", "91819424", "93441116"),
            (2000000000, "69279037", "90698825", "38618901"),
            (20000000000, "65353130", "77737706", "47863826"),
        ];
        for (unix, sha1, sha256, sha512) in table {
            for (hash, length, expected) in [
                (Hash::Sha1, 20, sha1),
                (Hash::Sha256, 32, sha256),
                (Hash::Sha512, 64, sha512),
            ] {
                let generator = Generator::new(seed(length), hash, Digits::Eight);
                assert_eq!(generator.code_at(unix, 30), expected, "{hash:?} at {unix}");
            }
        }
    }

    /// [RFC 4226 Appendix D] the ten HOTP values.
    #[test]
    fn the_vectors_of_rfc_4226_come_out() {
        let generator = Generator::new(seed(20), Hash::Sha1, Digits::Six);
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(generator.code(counter), code);
        }
    }

    #[test]
    fn the_last_second_of_a_step_is_one_second_before_the_next() {
        assert_eq!(seconds_left(59, 30), 1);
        assert_eq!(seconds_left(60, 30), 30);
    }

    #[test]
    fn a_seed_is_not_printed() {
        let generator = Generator::new(b"topsecret".to_vec(), Hash::Sha1, Digits::Six);
        assert!(!format!("{generator:?}").contains("topsecret"));
    }
}
