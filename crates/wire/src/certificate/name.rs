//! Distinguished names: as a certificate has them in DER, and as people write them [RFC 4514].

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::saml::x509::element;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
const UTF8: u8 = 0x0c;
const PRINTABLE: u8 = 0x13;
const IA5: u8 = 0x16;

/// Longest name that is read, in bytes.
const BYTES_MAX: usize = 1024;

/// The words for kinds of values: those of [RFC 4514 §3], and those that are written for others all the same.
const KINDS: [(&str, &[u8]); 20] = [
    ("CN", &[0x55, 4, 3]),
    ("SN", &[0x55, 4, 4]),
    ("serialNumber", &[0x55, 4, 5]),
    ("C", &[0x55, 4, 6]),
    ("L", &[0x55, 4, 7]),
    ("ST", &[0x55, 4, 8]),
    ("STREET", &[0x55, 4, 9]),
    ("O", &[0x55, 4, 10]),
    ("OU", &[0x55, 4, 11]),
    ("title", &[0x55, 4, 12]),
    ("description", &[0x55, 4, 13]),
    ("businessCategory", &[0x55, 4, 15]),
    ("postalCode", &[0x55, 4, 17]),
    ("GN", &[0x55, 4, 42]),
    ("givenName", &[0x55, 4, 42]),
    ("dnQualifier", &[0x55, 4, 46]),
    ("organizationIdentifier", &[0x55, 4, 97]),
    (
        "UID",
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
    ),
    (
        "DC",
        &[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
    ),
    (
        "emailAddress",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
    ),
];

/// A name: its levels, the most general one first; of each level the values in a fixed order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct DistinguishedName(Vec<Vec<Part>>);

/// What kind of value, as DER has it, and the value.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Part {
    kind: Vec<u8>,
    value: Value,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Value {
    /// Text, in whichever of the usual ways it is written.
    Text(String),
    /// Anything else, as it is.
    Other(Vec<u8>),
}

impl DistinguishedName {
    /// Reads a certificate's subject, DER.
    pub(super) fn of_der(der: &[u8]) -> Option<Self> {
        let (mut levels, _, _) = element(der, SEQUENCE)?;
        let mut found = Vec::new();
        while !levels.is_empty() {
            let (mut level, _, after) = element(levels, SET)?;
            levels = after;
            let mut parts = Vec::new();
            while !level.is_empty() {
                let (part, _, after) = element(level, SEQUENCE)?;
                level = after;
                let (kind, _, value) = element(part, OBJECT)?;
                let (kind, value) = (kind.to_vec(), Value::of_der(value)?);
                parts.push(Part { kind, value });
            }
            parts.sort();
            found.push(parts);
        }
        Some(Self(found))
    }

    /// Reads what a person wrote: `CN=sync,O=Canton`, the most special level first. None if it is empty, too
    /// long, or not as [RFC 4514] wants it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() || text.len() > BYTES_MAX {
            return None;
        }
        let (mut levels, mut level, mut rest) = (Vec::new(), Vec::new(), text);
        loop {
            let (kind, after) = rest.split_once('=')?;
            let (value, after) = match after.strip_prefix('#') {
                Some(hex) => hexadecimal(hex)?,
                None => written(after)?,
            };
            let kind = kind_of(kind.trim_start_matches(' '))?;
            level.push(Part { kind, value });
            let end = after.chars().next();
            if end != Some('+') {
                level.sort();
                levels.push(std::mem::take(&mut level));
            }
            match end {
                None => break,
                Some(sign) => rest = after.strip_prefix(sign)?,
            }
        }
        levels.reverse();
        Some(Self(levels))
    }
}

impl Value {
    /// Exactly one value, DER.
    fn of_der(der: &[u8]) -> Option<Self> {
        let tag = *der.first()?;
        let (inside, whole, after) = element(der, tag)?;
        if !after.is_empty() {
            return None;
        }
        Some(match tag {
            UTF8 | PRINTABLE | IA5 => Self::Text(String::from_utf8(inside.to_vec()).ok()?),
            _ => Self::Other(whole.to_vec()),
        })
    }
}

/// The kind of a value, by its word or its number.
fn kind_of(word: &str) -> Option<Vec<u8>> {
    let mut known = KINDS.iter();
    match known.find(|(name, _)| name.eq_ignore_ascii_case(word)) {
        Some((_, kind)) => Some(kind.to_vec()),
        None => numbered(word),
    }
}

/// `2.5.4.3` as DER has it.
fn numbered(dotted: &str) -> Option<Vec<u8>> {
    let arcs: Vec<u32> = dotted
        .split('.')
        .map(|arc| arc.parse().ok())
        .collect::<Option<_>>()?;
    let [first @ 0..=2, second, rest @ ..] = arcs.as_slice() else {
        return None;
    };
    if *first < 2 && *second > 39 {
        return None;
    }
    let mut kind = Vec::new();
    for arc in [first * 40 + second.min(&1_000_000)].iter().chain(rest) {
        let digits = (0..5).rev().map(|at| (arc >> (7 * at)) & 0x7f);
        let mut digits = digits.skip_while(|digit| *digit == 0).peekable();
        if digits.peek().is_none() {
            kind.push(0);
        }
        while let Some(digit) = digits.next() {
            let more = digits.peek().map_or(0, |_| 0x80);
            kind.push(u8::try_from(digit | more).ok()?);
        }
    }
    Some(kind)
}

/// A value in hexadecimal digits of its DER, and what comes after it.
fn hexadecimal(text: &str) -> Option<(Value, &str)> {
    let end = text.find([',', '+']).unwrap_or(text.len());
    let (digits, after) = text.split_at_checked(end)?;
    let der = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
    Some((Value::of_der(&der)?, after))
}

/// A value in letters, and what comes after it.
fn written(text: &str) -> Option<(Value, &str)> {
    let mut value = Vec::new();
    let mut rest = text;
    let mut open_space = false;
    while let Some(sign) = rest.chars().next() {
        let after = rest.strip_prefix(sign)?;
        match sign {
            ',' | '+' => break,
            '"' | ';' | '<' | '>' | '\0' => return None,
            ' ' if value.is_empty() => return None,
            '\\' => {
                open_space = false;
                let (byte, behind) = escaped(after)?;
                value.push(byte);
                rest = behind;
                continue;
            }
            _ => {
                open_space = sign == ' ';
                value.extend(sign.encode_utf8(&mut [0; 4]).bytes());
            }
        }
        rest = after;
    }
    // A space at either end counts only with its `\`.
    let value = String::from_utf8(value).ok().filter(|_| !open_space)?;
    Some((Value::Text(value), rest))
}

/// What stands behind a `\`: one of the special signs, or two hexadecimal digits for a byte.
fn escaped(text: &str) -> Option<(u8, &str)> {
    let sign = text.bytes().next()?;
    if b" \"#+,;<=>\\".contains(&sign) {
        return Some((sign, text.get(1..)?));
    }
    let byte = HEXLOWER_PERMISSIVE.decode(text.get(..2)?.as_bytes()).ok()?;
    Some((*byte.first()?, text.get(2..)?))
}
