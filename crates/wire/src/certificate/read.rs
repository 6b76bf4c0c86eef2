//! What stands in a certificate: subject, other names, dates and key.

use std::net::IpAddr;

use jiff::Timestamp;

use super::DistinguishedName;
use crate::saml::x509::element;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;
const ISSUER_ID: u8 = 0x81;
const SUBJECT_ID: u8 = 0x82;
const EXTENSIONS: u8 = 0xa3;
const EMAIL: u8 = 0x81;
const DNS: u8 = 0x82;
const URI: u8 = 0x86;
const IP: u8 = 0x87;

/// `subjectAltName` [RFC 5280 §4.2.1.6].
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// A name beside the subject, as a registration expects it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AltName<'a> {
    /// A host.
    Dns(&'a str),
    /// An address of mail.
    Email(&'a str),
    /// An address of the network.
    Ip(IpAddr),
    /// A URI.
    Uri(&'a str),
}

/// The parts of a certificate that somebody asks for. Its signature was not looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certificate<'a> {
    alt_names: Option<&'a [u8]>,
    dates: (&'a [u8], &'a [u8]),
    /// The whole `SubjectPublicKeyInfo`.
    pub(crate) public_key: &'a [u8],
    subject: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads DER; none if it is no certificate, or names its other names twice.
    pub(crate) fn read(der: &'a [u8]) -> Option<Self> {
        let (outer, _, after) = element(der, SEQUENCE)?;
        let (mut rest, _, _) = element(outer, SEQUENCE)?;
        if !after.is_empty() {
            return None;
        }
        if let Some((_, _, after)) = element(rest, VERSION) {
            rest = after;
        }
        // The serial number, the algorithm, the issuer.
        for tag in [INTEGER, SEQUENCE, SEQUENCE] {
            (_, _, rest) = element(rest, tag)?;
        }
        let (dates, _, rest) = element(rest, SEQUENCE)?;
        let (_, subject, rest) = element(rest, SEQUENCE)?;
        let (_, public_key, mut rest) = element(rest, SEQUENCE)?;
        for tag in [ISSUER_ID, SUBJECT_ID] {
            if let Some((_, _, after)) = element(rest, tag) {
                rest = after;
            }
        }
        let alt_names = match rest.is_empty() {
            true => None,
            false => alt_names(rest)?,
        };
        let (from, after) = time(dates)?;
        let (until, _) = time(after)?;
        Some(Self {
            alt_names,
            dates: (from, until),
            public_key,
            subject,
        })
    }

    /// Whether this moment (unix seconds) is between its dates.
    pub(crate) fn is_of(&self, now: i64) -> bool {
        let (from, until) = self.dates;
        let now = Timestamp::from_second(now)
            .map(|now| now.strftime("%Y%m%d%H%M%SZ").to_string())
            .unwrap_or_default();
        let between = |from: String, until: String| from <= now && now <= until;
        match (with_century(from), with_century(until)) {
            (Some(from), Some(until)) => between(from, until),
            _ => false,
        }
    }

    /// Whether this is its subject, each value character by character.
    pub(crate) fn is_named(&self, name: &DistinguishedName) -> bool {
        DistinguishedName::of_der(self.subject).is_some_and(|own| own == *name)
    }

    /// Whether this is one of its other names. A `*` stands for itself: it names no host.
    pub(crate) fn has(&self, name: AltName<'_>) -> bool {
        let mut rest = self.alt_names.unwrap_or_default();
        while let Some(&tag) = rest.first() {
            let Some((value, _, after)) = element(rest, tag) else {
                return false;
            };
            let same = match name {
                AltName::Dns(host) => tag == DNS && value.eq_ignore_ascii_case(host.as_bytes()),
                AltName::Email(mail) => tag == EMAIL && value == mail.as_bytes(),
                AltName::Uri(uri) => tag == URI && value == uri.as_bytes(),
                AltName::Ip(IpAddr::V4(ip)) => tag == IP && value == ip.octets(),
                AltName::Ip(IpAddr::V6(ip)) => tag == IP && value == ip.octets(),
            };
            if same {
                return true;
            }
            rest = after;
        }
        false
    }
}

/// The names in `subjectAltName`; none inside if there is no such extension.
#[expect(clippy::option_option, reason = "damaged is not the same as absent")]
fn alt_names(rest: &[u8]) -> Option<Option<&[u8]>> {
    let (outer, _, after) = element(rest, EXTENSIONS)?;
    let (mut extensions, _, behind) = element(outer, SEQUENCE)?;
    if !after.is_empty() || !behind.is_empty() {
        return None;
    }
    let mut found = None;
    while !extensions.is_empty() {
        let (extension, _, after) = element(extensions, SEQUENCE)?;
        extensions = after;
        let (kind, _, mut value) = element(extension, OBJECT)?;
        if let Some((_, _, after)) = element(value, BOOLEAN) {
            value = after;
        }
        let (value, _, _) = element(value, OCTET_STRING)?;
        if kind == SUBJECT_ALT_NAME {
            let (names, _, _) = element(value, SEQUENCE)?;
            if found.replace(names).is_some() {
                return None;
            }
        }
    }
    Some(found)
}

/// A date as it is written, and what comes after it.
fn time(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let tag = *bytes.first()?;
    let length = match tag {
        UTC_TIME => 13,
        GENERALIZED_TIME => 15,
        _ => return None,
    };
    let (text, _, after) = element(bytes, tag)?;
    let (digits, zulu) = text.split_at_checked(length - 1)?;
    let right = digits.iter().all(u8::is_ascii_digit) && zulu == b"Z";
    right.then_some((text, after))
}

/// A date with four digits of the year, so that the earlier one is the smaller text. Two digits from 50 on are
/// of the last century [RFC 5280 §4.1.2.5.1].
fn with_century(date: &[u8]) -> Option<String> {
    let date = std::str::from_utf8(date).ok()?;
    let century = match (date.len(), date.bytes().next()?) {
        (15, _) => "",
        (_, b'5'..) => "19",
        _ => "20",
    };
    Some(format!("{century}{date}"))
}
