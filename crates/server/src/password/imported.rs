//! Hashes other systems made, good until their person signs in once.

use std::{fmt, num::NonZeroU32};

use aws_lc_rs::{digest, pbkdf2};
use data_encoding::BASE64_NOPAD;
use sha_crypt::{PasswordVerifier, ShaCrypt};
use subtle::ConstantTimeEq;

use super::{
    Password, UnusableHash, check_size,
    verify::{Arena, Argon2Hash},
};

const PBKDF2_ITERATIONS_MAX: u32 = 2_000_000;
const PBKDF2_OUTPUT_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
const SALT_BYTES_MAX: usize = 128;
const BCRYPT_COST_MIN: u32 = 4;
const BCRYPT_COST_MAX: u32 = 14;
/// bcrypt looks at no more bytes than these.
const BCRYPT_PASSWORD_BYTES_MAX: usize = 72;
const SHA_CRYPT_ROUNDS_MIN: u32 = 1_000;
const SHA_CRYPT_ROUNDS_MAX: u32 = 1_000_000;

/// How an imported hash was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `$argon2i$…`, also after `{ARGON2}`.
    Argon2i,
    /// `$argon2id$…` without a secret key, also after `{ARGON2}`.
    Argon2id,
    /// `$2a$`, `$2b$` or `$2y$`, also after `{CRYPT}` or `{BCRYPT}`.
    Bcrypt,
    /// `$pbkdf2$`, `pbkdf2_sha1$`, `{PBKDF2}` or `{PBKDF2-SHA1}`.
    Pbkdf2Sha1,
    /// `$pbkdf2-sha256$`, `pbkdf2_sha256$` or `{PBKDF2-SHA256}`.
    Pbkdf2Sha256,
    /// `$pbkdf2-sha512$`, `pbkdf2_sha512$` or `{PBKDF2-SHA512}`.
    Pbkdf2Sha512,
    /// `{SHA}`: SHA-1 without salt.
    Sha,
    /// `$5$…`, also after `{CRYPT}`.
    Sha256Crypt,
    /// `$6$…`, also after `{CRYPT}`.
    Sha512Crypt,
    /// `{SSHA}`: SHA-1 with salt.
    Ssha,
    /// `{SSHA256}`.
    Ssha256,
    /// `{SSHA512}`.
    Ssha512,
}

impl Format {
    /// One round of a digest: it protects little, and is checked in microseconds.
    #[must_use]
    pub fn is_fast(self) -> bool {
        matches!(self, Self::Sha | Self::Ssha | Self::Ssha256 | Self::Ssha512)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argon2i => "Argon2i",
            Self::Argon2id => "Argon2id",
            Self::Bcrypt => "bcrypt",
            Self::Pbkdf2Sha1 => "PBKDF2-SHA1",
            Self::Pbkdf2Sha256 => "PBKDF2-SHA256",
            Self::Pbkdf2Sha512 => "PBKDF2-SHA512",
            Self::Sha => "{SHA}",
            Self::Sha256Crypt => "sha256-crypt",
            Self::Sha512Crypt => "sha512-crypt",
            Self::Ssha => "{SSHA}",
            Self::Ssha256 => "{SSHA256}",
            Self::Ssha512 => "{SSHA512}",
        })
    }
}

/// A hash made by another system, read and within bounds.
#[derive(Clone)]
pub struct Imported {
    format: Format,
    scheme: Scheme,
}

#[derive(Clone)]
enum Scheme {
    Argon2(Argon2Hash),
    Bcrypt(String),
    Digest {
        digest: Vec<u8>,
        salt: Vec<u8>,
    },
    Pbkdf2 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        output: Vec<u8>,
    },
    ShaCrypt(String),
}

impl Imported {
    /// Says which format a hash has and that it can be used: what an import checks in each row.
    ///
    /// # Errors
    /// When the format is unknown, or known and broken, or its parameters are out of bounds.
    pub fn recognise(text: &str) -> Result<Format, UnusableHash> {
        Self::parse(text).map(|imported| imported.format)
    }

    /// Reads a hash.
    ///
    /// # Errors
    /// As [`Imported::recognise`].
    pub fn parse(text: &str) -> Result<Self, UnusableHash> {
        check_size(text)?;
        if let Some((scheme, rest)) = ldap_scheme(text) {
            return match scheme.to_ascii_uppercase().as_str() {
                "SHA" => digest(Format::Sha, rest),
                "SSHA" => digest(Format::Ssha, rest),
                "SSHA256" => digest(Format::Ssha256, rest),
                "SSHA512" => digest(Format::Ssha512, rest),
                "PBKDF2" | "PBKDF2-SHA1" => pbkdf2(Format::Pbkdf2Sha1, rest, SaltIs::Base64),
                "PBKDF2-SHA256" => pbkdf2(Format::Pbkdf2Sha256, rest, SaltIs::Base64),
                "PBKDF2-SHA512" => pbkdf2(Format::Pbkdf2Sha512, rest, SaltIs::Base64),
                "ARGON2" | "BCRYPT" | "CRYPT" => Self::parse_modular(rest),
                _ => Err(UnusableHash::Unknown),
            };
        }
        Self::parse_modular(text)
    }

    /// Hashes that name themselves between dollar signs.
    fn parse_modular(text: &str) -> Result<Self, UnusableHash> {
        if text.starts_with("$argon2") {
            let hash = Argon2Hash::parse(text)?;
            if hash.is_peppered() {
                return Err(UnusableHash::ForeignKey);
            }
            return Ok(Self {
                format: hash.format(),
                scheme: Scheme::Argon2(hash),
            });
        }
        let named = text.strip_prefix('$').unwrap_or(text);
        let Some((name, rest)) = named.split_once('$') else {
            return Err(UnusableHash::Unknown);
        };
        match (name, text.starts_with('$')) {
            ("2a" | "2b" | "2y", true) => bcrypt(text),
            ("5", true) => sha_crypt(Format::Sha256Crypt, text),
            ("6", true) => sha_crypt(Format::Sha512Crypt, text),
            ("pbkdf2", true) => pbkdf2(Format::Pbkdf2Sha1, rest, SaltIs::Base64),
            ("pbkdf2-sha256", true) => pbkdf2(Format::Pbkdf2Sha256, rest, SaltIs::Base64),
            ("pbkdf2-sha512", true) => pbkdf2(Format::Pbkdf2Sha512, rest, SaltIs::Base64),
            ("pbkdf2_sha1", false) => pbkdf2(Format::Pbkdf2Sha1, rest, SaltIs::Text),
            ("pbkdf2_sha256", false) => pbkdf2(Format::Pbkdf2Sha256, rest, SaltIs::Text),
            ("pbkdf2_sha512", false) => pbkdf2(Format::Pbkdf2Sha512, rest, SaltIs::Text),
            _ => Err(UnusableHash::Unknown),
        }
    }

    /// How it was made.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether the password gives this hash.
    pub(super) fn matches(&self, password: &Password, arena: &mut Arena) -> bool {
        let typed = password.bytes();
        match &self.scheme {
            Scheme::Argon2(hash) => arena.matches(hash, password, None),
            Scheme::Bcrypt(hash) => {
                let right = bcrypt::verify(typed, hash).unwrap_or(false);
                // bcrypt ignores what follows its 72nd byte and repeats what ends in a NUL: such a
                // password would be right for many others as well.
                let whole = typed.len() <= BCRYPT_PASSWORD_BYTES_MAX && !typed.contains(&0);
                right && whole
            }
            Scheme::Digest { digest, salt } => {
                let mut context = digest::Context::new(digest_of(self.format));
                context.update(typed);
                context.update(salt);
                context.finish().as_ref().ct_eq(digest).into()
            }
            Scheme::Pbkdf2 {
                iterations,
                salt,
                output,
            } => pbkdf2::verify(prf_of(self.format), *iterations, salt, typed, output).is_ok(),
            Scheme::ShaCrypt(hash) => ShaCrypt::default()
                .verify_password(typed, hash.as_str())
                .is_ok(),
        }
    }
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imported({})", self.format)
    }
}

/// `{SCHEME}rest`, as in an LDAP `userPassword`.
fn ldap_scheme(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('{')?.split_once('}')
}

fn digest(format: Format, encoded: &str) -> Result<Imported, UnusableHash> {
    let malformed = UnusableHash::Malformed(format);
    let bytes = base64(encoded).ok_or(malformed.clone())?;
    let (digest, salt) = bytes
        .split_at_checked(digest_of(format).output_len())
        .ok_or(malformed.clone())?;
    if salt.is_empty() != (format == Format::Sha) || salt.len() > SALT_BYTES_MAX {
        return Err(malformed);
    }
    let scheme = Scheme::Digest {
        digest: digest.to_vec(),
        salt: salt.to_vec(),
    };
    Ok(Imported { format, scheme })
}

fn digest_of(format: Format) -> &'static digest::Algorithm {
    match format {
        Format::Ssha256 => &digest::SHA256,
        Format::Ssha512 => &digest::SHA512,
        _ => &digest::SHA1_FOR_LEGACY_USE_ONLY,
    }
}

/// How the salt is written: Django takes the text as it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SaltIs {
    Base64,
    Text,
}

/// `iterations$salt$output`.
fn pbkdf2(format: Format, rest: &str, salt_is: SaltIs) -> Result<Imported, UnusableHash> {
    let malformed = UnusableHash::Malformed(format);
    let fields: Vec<&str> = rest.splitn(4, '$').collect();
    let &[iterations, salt, output] = fields.as_slice() else {
        return Err(malformed);
    };
    let iterations: NonZeroU32 = iterations.parse().map_err(|_| malformed.clone())?;
    at_most("iterations", iterations.get(), PBKDF2_ITERATIONS_MAX)?;
    let salt = match salt_is {
        SaltIs::Base64 => base64(salt).ok_or(malformed.clone())?,
        SaltIs::Text => salt.as_bytes().to_vec(),
    };
    let output = base64(output).ok_or(malformed.clone())?;
    if salt.len() > SALT_BYTES_MAX || !PBKDF2_OUTPUT_BYTES.contains(&output.len()) {
        return Err(malformed);
    }
    Ok(Imported {
        format,
        scheme: Scheme::Pbkdf2 {
            iterations,
            salt,
            output,
        },
    })
}

fn prf_of(format: Format) -> pbkdf2::Algorithm {
    match format {
        Format::Pbkdf2Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Format::Pbkdf2Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => pbkdf2::PBKDF2_HMAC_SHA1,
    }
}

fn bcrypt(text: &str) -> Result<Imported, UnusableHash> {
    let format = Format::Bcrypt;
    let malformed = UnusableHash::Malformed(format);
    // Reads version, cost, salt and digest, all of fixed length.
    let parts: bcrypt::HashParts = text.parse().map_err(|_| malformed.clone())?;
    at_most("bcrypt cost steps", parts.get_cost(), BCRYPT_COST_MAX)?;
    if parts.get_cost() < BCRYPT_COST_MIN {
        return Err(malformed);
    }
    Ok(Imported {
        format,
        scheme: Scheme::Bcrypt(text.to_owned()),
    })
}

/// `$5$` or `$6$`, perhaps `rounds=N$`, salt of at most 16 characters, `$`, digest.
fn sha_crypt(format: Format, text: &str) -> Result<Imported, UnusableHash> {
    let malformed = UnusableHash::Malformed(format);
    let mut fields: Vec<&str> = text.split('$').skip(2).collect();
    if let Some(rounds) = fields
        .first()
        .and_then(|field| field.strip_prefix("rounds="))
    {
        let rounds: u32 = rounds.parse().map_err(|_| malformed.clone())?;
        at_most("rounds", rounds, SHA_CRYPT_ROUNDS_MAX)?;
        if rounds < SHA_CRYPT_ROUNDS_MIN {
            return Err(malformed);
        }
        fields.remove(0);
    }
    let digest_chars = if format == Format::Sha256Crypt {
        43
    } else {
        86
    };
    match fields.as_slice() {
        [salt, digest]
            if (1..=16).contains(&salt.len())
                && digest.len() == digest_chars
                && digest
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b)) =>
        {
            Ok(Imported {
                format,
                scheme: Scheme::ShaCrypt(text.to_owned()),
            })
        }
        _ => Err(malformed),
    }
}

fn at_most(what: &'static str, found: u32, max: u32) -> Result<(), UnusableHash> {
    if found > max {
        return Err(UnusableHash::TooCostly { what, found, max });
    }
    Ok(())
}

/// Base64 with or without padding, with `+` or with passlib's `.`.
fn base64(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=').replace('.', "+");
    BASE64_NOPAD.decode(plain.as_bytes()).ok()
}

#[cfg(test)]
mod tests;
