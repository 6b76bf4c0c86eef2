//! What is true of every seed that comes out of a token file, whatever kind of file it was.

use std::collections::BTreeSet;

use wire::token_file::{Algorithm, Kind, TokenFile, TokenSeed};

/// Holds what was read to what is promised.
pub(super) fn hold(file: &TokenFile) {
    let mut serials = BTreeSet::new();
    for seed in &file.seeds {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        assert!((1..=64).contains(&seed.serial.len()) && seed.serial.chars().all(plain));
        assert!(serials.insert(&seed.serial), "{} twice", seed.serial);
        assert!((16..=64).contains(&seed.secret.len()));
        assert!(matches!(seed.digits, 6 | 8));
        assert!(matches!(
            seed.kind,
            Kind::Hotp { .. } | Kind::Totp { period_s: 30 | 60 }
        ));
    }
}

/// Whether two seeds make the same codes under the same number.
pub(super) fn are_same(one: &TokenSeed, other: &TokenSeed) -> bool {
    one.serial == other.serial
        && one.kind == other.kind
        && one.algorithm == other.algorithm
        && one.digits == other.digits
        && one.secret.matches(other.secret.expose())
}

/// The name of a hash, as token files write it.
pub(super) const fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha1 => "HMAC-SHA1",
        Algorithm::Sha256 => "HMAC-SHA256",
        Algorithm::Sha512 => "HMAC-SHA512",
    }
}

/// Whether what was written again is what was read.
pub(super) fn are_all_same(read: &[TokenSeed], again: &[TokenSeed]) -> bool {
    let mut pairs = read.iter().zip(again);
    read.len() == again.len() && pairs.all(|(one, other)| are_same(one, other))
}
