//! Certificates in an application's metadata: until when they say that they count, and how long their key
//! is. The provider goes by the key alone; other programs do not, and their technicians want to know.

use data_encoding::BASE64;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// Shortest modulus of RSA that signatures are verified with, in bits.
pub(super) const RSA_BITS_MIN: usize = 2048;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// What is read of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Certificate {
    /// The length of its RSA key; none for another kind.
    pub(super) rsa_bits: Option<usize>,
    pub(super) until: Timestamp,
}

/// All certificates of a document that `wire` has read.
pub(super) fn all(metadata: &str) -> Vec<Certificate> {
    let mut found = Vec::new();
    let mut parts = metadata.split("X509Certificate>");
    parts.next();
    // What stands behind each second one is outside.
    while let Some(text) = parts.next() {
        let text = text.split('<').next().unwrap_or_default();
        let plain: String = text.split_whitespace().collect();
        let der = BASE64.decode(plain.as_bytes()).unwrap_or_default();
        found.extend(Certificate::read(&der));
        parts.next();
    }
    found
}

impl Certificate {
    /// [RFC 5280 §4.1] the fields in their order.
    fn read(der: &[u8]) -> Option<Self> {
        let (outer, _) = element(der, SEQUENCE)?;
        let (mut fields, _) = element(outer, SEQUENCE)?;
        if let Some((_, rest)) = element(fields, VERSION) {
            fields = rest;
        }
        for tag in [INTEGER, SEQUENCE, SEQUENCE] {
            fields = element(fields, tag)?.1;
        }
        let (validity, rest) = element(fields, SEQUENCE)?;
        let (_, behind) = time(validity)?;
        let (until, _) = time(behind)?;
        let (_, rest) = element(rest, SEQUENCE)?;
        let (key, _) = element(rest, SEQUENCE)?;
        let (algorithm, key) = element(key, SEQUENCE)?;
        let is_rsa = element(algorithm, OBJECT)?.0 == RSA_ENCRYPTION;
        Some(Self {
            rsa_bits: is_rsa.then(|| rsa_bits(key)).flatten(),
            until,
        })
    }
}

fn rsa_bits(key: &[u8]) -> Option<usize> {
    let (bits, _) = element(key, BIT_STRING)?;
    let (numbers, _) = element(bits.get(1..)?, SEQUENCE)?;
    let (modulus, _) = element(numbers, INTEGER)?;
    let start = modulus.iter().position(|byte| *byte != 0)?;
    let significant = modulus.get(start..)?;
    let unused = significant.first()?.leading_zeros() as usize;
    Some(significant.len() * 8 - unused)
}

/// A moment, in one of the two ways that certificates write it, and what comes behind.
fn time(der: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest, century) = match element(der, UTC_TIME) {
        Some((text, rest)) => {
            let text = std::str::from_utf8(text).ok()?;
            // [RFC 5280 §4.1.2.5.1] "Where YY is greater than or equal to 50, the year SHALL be interpreted as 19YY".
            let old = text.get(..2)?.parse::<u8>().ok()? >= 50;
            (text, rest, if old { "19" } else { "20" })
        }
        None => {
            let (text, rest) = element(der, GENERALIZED_TIME)?;
            (std::str::from_utf8(text).ok()?, rest, "")
        }
    };
    let digits = format!("{century}{}", text.strip_suffix('Z')?);
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<i8>().ok();
    let moment = DateTime::new(
        digits.get(..4)?.parse().ok()?,
        number(4, 6)?,
        number(6, 8)?,
        number(8, 10)?,
        number(10, 12)?,
        number(12, 14)?,
        0,
    );
    let moment = moment.ok()?.to_zoned(TimeZone::UTC);
    // The end of the year 9999 means: never.
    let moment = moment.map_or(Timestamp::MAX, |moment| moment.timestamp());
    Some((moment, rest))
}

/// A DER element of this kind: what is in it, and what comes behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if digits.is_empty() || digits.len() > 3 {
        return None;
    }
    let length = digits
        .iter()
        .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use wire::{
        jose::{SigningAlg, SigningKey},
        saml::certificate,
    };

    use super::*;

    #[test]
    fn the_end_and_the_key_of_a_certificate_are_read() {
        let key = SigningKey::generate(SigningAlg::Rs256).unwrap();
        let own = certificate(&key).unwrap();
        let metadata = format!("<ds:X509Certificate>\n{own}\n</ds:X509Certificate><x/>");
        let twice = format!("{metadata}{metadata}");
        let found = all(&twice);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].rsa_bits, Some(2048));
        assert_eq!(found[0].until, Timestamp::MAX);
    }

    #[test]
    fn both_ways_of_writing_a_moment_are_read() {
        let utc = [&[UTC_TIME, 13][..], b"240131120000Z"].concat();
        assert_eq!(time(&utc).unwrap().0.to_string(), "2024-01-31T12:00:00Z");
        let old = [&[UTC_TIME, 13][..], b"500131120000Z"].concat();
        assert_eq!(time(&old).unwrap().0.to_string(), "1950-01-31T12:00:00Z");
        let full = [&[GENERALIZED_TIME, 15][..], b"20510131120000Z"].concat();
        assert_eq!(time(&full).unwrap().0.to_string(), "2051-01-31T12:00:00Z");
    }

    /// [P07] Whatever stands where a certificate should, nothing worse than nothing comes of it.
    #[test]
    fn what_is_no_certificate_is_left_out() {
        assert_eq!(all("<X509Certificate>AAAA</X509Certificate>"), []);
        assert_eq!(all("<X509Certificate>"), []);
        assert_eq!(
            Certificate::read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            None
        );
    }
}
