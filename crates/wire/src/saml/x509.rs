//! X.509 as far as SAML metadata uses it: an envelope around a public key.
//!
//! A reader of six fields and a writer of one certificate; no chain, name or date is ever checked,
//! because metadata is trusted as it is stored.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;

use crate::jose::SigningKey;

/// What a public key is good for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// RSA.
    Rsa,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0c;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const SHA256_WITH_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const PRIME256V1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const SECP384R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const SECP521R1: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// The `SubjectPublicKeyInfo` of a certificate in DER, and what kind of key is in it.
pub(crate) fn public_key(certificate: &[u8]) -> Option<(Kind, &[u8])> {
    let (outer, _, _) = element(certificate, SEQUENCE)?;
    let (mut fields, _, _) = element(outer, SEQUENCE)?;
    if let Some((_, _, rest)) = element(fields, VERSION) {
        fields = rest;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        let (_, _, rest) = element(fields, tag)?;
        fields = rest;
    }
    let (inside, whole, _) = element(fields, SEQUENCE)?;
    let (algorithm, _, _) = element(inside, SEQUENCE)?;
    let (name, _, parameters) = element(algorithm, OBJECT)?;
    let kind = if name == RSA_ENCRYPTION {
        Kind::Rsa
    } else if name == EC_PUBLIC_KEY {
        match element(parameters, OBJECT)?.0 {
            PRIME256V1 => Kind::P256,
            SECP384R1 => Kind::P384,
            SECP521R1 => Kind::P521,
            _ => return None,
        }
    } else {
        return None;
    };
    Some((kind, whole))
}

/// A DER element: what is in it, all of it, and what comes after it.
pub(crate) fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8], &[u8])> {
    let (&found, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.is_empty() || digits.len() > 3 {
            return None;
        }
        let length = digits
            .iter()
            .fold(0, |sum, &digit| sum << 8 | usize::from(digit));
        (length, rest)
    };
    let (inside, after) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - after.len())?;
    Some((inside, whole, after))
}

/// A self-signed certificate of an RSA key: the same bytes every time.
///
/// Its name and number are the key's thumbprint. Its dates say nothing; metadata says how long a
/// key counts.
pub(crate) fn self_signed(key: &SigningKey) -> Option<Vec<u8>> {
    let jwk = serde_json::to_value(key.public()).ok()?;
    let number = |member: &str| {
        BASE64URL_NOPAD
            .decode(jwk.get(member)?.as_str()?.as_bytes())
            .ok()
    };
    let null: &[u8] = &[0x05, 0x00];
    let rsa = write(
        SEQUENCE,
        &[&integer(&number("n")?), &integer(&number("e")?)],
    );
    let spki = write(
        SEQUENCE,
        &[
            &write(SEQUENCE, &[&write(OBJECT, &[RSA_ENCRYPTION]), null]),
            &write(BIT_STRING, &[&[0], &rsa]),
        ],
    );
    let algorithm = write(SEQUENCE, &[&write(OBJECT, &[SHA256_WITH_RSA]), null]);
    let common_name = [
        write(OBJECT, &[COMMON_NAME]),
        write(UTF8, &[key.kid().as_bytes()]),
    ]
    .concat();
    let name = write(
        SEQUENCE,
        &[&write(SET, &[&write(SEQUENCE, &[&common_name])])],
    );
    let dates = [
        write(GENERALIZED_TIME, &[b"20200101000000Z"]),
        write(GENERALIZED_TIME, &[b"99991231235959Z"]),
    ]
    .concat();
    let serial = digest(&SHA256, key.kid().as_bytes());
    let serial = serial.as_ref().get(..16)?;
    let body = write(
        SEQUENCE,
        &[
            &write(VERSION, &[&integer(&[2])]),
            &integer(serial),
            &algorithm,
            &name,
            &write(SEQUENCE, &[&dates]),
            &name,
            &spki,
        ],
    );
    let signature = key.signature(&body).ok()?;
    Some(write(
        SEQUENCE,
        &[&body, &algorithm, &write(BIT_STRING, &[&[0], &signature])],
    ))
}

/// A positive number.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let significant = bytes
        .iter()
        .position(|byte| *byte != 0)
        .and_then(|at| bytes.get(at..))
        .unwrap_or(&[0]);
    let sign: &[u8] = match significant.first() {
        Some(first) if *first >= 0x80 => &[0],
        _ => &[],
    };
    write(INTEGER, &[sign, significant])
}

fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let inside = parts.concat();
    let length = inside.len().to_be_bytes();
    let digits = length
        .iter()
        .position(|byte| *byte != 0)
        .and_then(|at| length.get(at..))
        .unwrap_or(&[0]);
    let mut out = vec![tag];
    if inside.len() >= 0x80 {
        // At most eight digits.
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
    }
    out.extend(digits);
    out.extend(inside);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::SigningAlg;

    #[test]
    fn a_certificate_is_a_function_of_its_key_and_holds_it() {
        let key = SigningKey::generate(SigningAlg::Rs256).unwrap();
        let certificate = self_signed(&key).unwrap();
        assert_eq!(self_signed(&key).unwrap(), certificate);
        let (kind, spki) = public_key(&certificate).unwrap();
        assert_eq!(kind, Kind::Rsa);
        assert!(spki.windows(256).any(|window| {
            BASE64URL_NOPAD.encode(window)
                == serde_json::to_value(key.public()).unwrap()["n"]
                    .as_str()
                    .unwrap()
        }));
    }

    /// [P07] Whatever stands where a certificate should, nothing worse than a refusal comes of it.
    #[test]
    fn no_bytes_make_the_reader_fall() {
        let key = SigningKey::generate(SigningAlg::Rs256).unwrap();
        let certificate = self_signed(&key).unwrap();
        let mut odd = crate::testing::Odd(7);
        for _ in 0..20_000 {
            let mut bytes = certificate.clone();
            for _ in 0..=odd.below(4) {
                let at = odd.below(bytes.len().min(120));
                bytes[at] = odd.next() as u8;
            }
            bytes.truncate(odd.below(bytes.len() + 1));
            let _ = public_key(&bytes);
        }
        assert_eq!(public_key(&[]), None);
        assert_eq!(public_key(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
