//! Files in which vendors deliver the seeds of hardware tokens: CSV and PSKC [RFC 6030].
//!
//! A bad line or package never hides the good ones: all are reported, with their place in the file.

pub mod oath_csv;
pub mod pskc;

use std::collections::BTreeSet;

use crate::Secret;

/// The seed of one hardware token.
#[derive(Clone, Debug)]
pub struct TokenSeed {
    /// What is printed on its back: 1 to 64 of letters, digits, `-`, `_`, `.`.
    pub serial: String,
    /// Who made it.
    pub vendor: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// By time or by event.
    pub kind: Kind,
    /// The HMAC.
    pub algorithm: Algorithm,
    /// How many digits it shows: 6 or 8.
    pub digits: u8,
    /// At least 128 bit.
    pub secret: Secret,
}

/// What makes a token show another code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Time [RFC 6238].
    Totp {
        /// Seconds a code lasts: 30 or 60.
        period_s: u32,
    },
    /// The press of its button [RFC 4226].
    Hotp {
        /// The next counter it will use.
        counter: u64,
    },
}

/// The HMAC of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Algorithm {
    /// HMAC-SHA-1
    Sha1,
    /// HMAC-SHA-256
    Sha256,
    /// HMAC-SHA-512
    Sha512,
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct TokenFile {
    /// The tokens that can be imported.
    pub seeds: Vec<TokenSeed>,
    /// The lines or packages that cannot.
    pub refused: Vec<RefusedSeed>,
}

/// A line or package that cannot be imported.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct RefusedSeed {
    /// Where it stands.
    pub place: Place,
    /// Why, with a cure.
    pub reason: Reason,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Place {
    /// A line of a CSV file, counted from 1.
    #[error("line {0}")]
    Line(u64),
    /// A key package of a PSKC file, counted from 1.
    #[error("key package {0}")]
    Package(usize),
}

/// Why a seed cannot be imported.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Reason {
    /// Not text, or too few columns.
    #[error("the line is not `serial, seed, …`")]
    Columns,
    /// No serial number, or odd characters in it.
    #[error("the serial number must be 1 to 64 letters, digits, `-`, `_` or `.`")]
    Serial,
    /// The serial number was there before.
    #[error("this serial number is in the file twice; remove one")]
    SerialTwice,
    /// No seed, or neither hexadecimal nor base32.
    #[error("the seed is missing or neither hexadecimal nor base32")]
    Seed,
    /// Below 128 bit [RFC 4226 §4 R6].
    #[error(
        "the seed is shorter than 128 bit and could be guessed; ask the vendor for other tokens"
    )]
    SeedShort,
    /// Beyond 64 bytes.
    #[error("the seed is longer than 64 bytes")]
    SeedLong,
    /// Neither TOTP nor HOTP.
    #[error("the type must be TOTP or HOTP")]
    Type,
    /// Not SHA-1, SHA-256 or SHA-512.
    #[error("the algorithm must be SHA1, SHA256 or SHA512")]
    Algorithm,
    /// Not 6 or 8, or not decimal.
    #[error("codes must have 6 or 8 decimal digits, and the file must say which")]
    Digits,
    /// Not 30 or 60.
    #[error("the time step must be 30 or 60 seconds")]
    Period,
    /// Not a number.
    #[error("the counter must be a whole number")]
    Counter,
    /// The value is encrypted in a way we do not support.
    #[error(
        "the value is encrypted in another way than AES-128-CBC or AES-256-CBC; ask the vendor for one of these"
    )]
    Encryption,
    /// The value is encrypted and no key was given.
    #[error("the seed is encrypted; give the key or the password that came with the file")]
    Locked,
    /// There is no MAC beside a value that needs one.
    #[error(
        "the encrypted seed has no MAC, so nobody can tell whether it was altered; ask the vendor for a complete file"
    )]
    MacMissing,
    /// The MAC is not right, or decryption fails.
    #[error("the seed was altered, or the key or password is wrong")]
    MacWrong,
}

impl TokenSeed {
    /// Checks the rules that hold for every file.
    fn check(self) -> Result<Self, Reason> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !(1..=64).contains(&self.serial.len()) || !self.serial.chars().all(plain) {
            return Err(Reason::Serial);
        }
        match self.secret.len() {
            0 => return Err(Reason::Seed),
            1..16 => return Err(Reason::SeedShort),
            16..=64 => {}
            _ => return Err(Reason::SeedLong),
        }
        if !matches!(self.digits, 6 | 8) {
            return Err(Reason::Digits);
        }
        match self.kind {
            Kind::Totp { period_s: 30 | 60 } | Kind::Hotp { .. } => Ok(self),
            Kind::Totp { .. } => Err(Reason::Period),
        }
    }
}

impl TokenFile {
    /// Takes what was read at each place; a serial number counts once.
    fn collect(found: impl IntoIterator<Item = (Place, Result<TokenSeed, Reason>)>) -> Self {
        let mut file = Self::default();
        let mut serials = BTreeSet::new();
        for (place, seed) in found {
            match seed.and_then(TokenSeed::check) {
                Ok(seed) if serials.insert(seed.serial.clone()) => file.seeds.push(seed),
                Ok(_) => file.refused.push(RefusedSeed {
                    place,
                    reason: Reason::SerialTwice,
                }),
                Err(reason) => file.refused.push(RefusedSeed { place, reason }),
            }
        }
        file
    }
}

impl Algorithm {
    /// Reads `SHA1`, `sha-256`, `HMAC-SHA512` and the like.
    fn read(text: &str) -> Result<Self, Reason> {
        let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
        match letters.to_ascii_lowercase().trim_start_matches("hmac") {
            "sha1" => Ok(Self::Sha1),
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(Reason::Algorithm),
        }
    }
}

/// The largest file that is read: 8 MiB, some twenty thousand tokens.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
