//! Passwords: what is typed, what is stored, and the bounded pool that compares the two.
//!
//! Deliberately absent: rules for choosing a password (`journey`), counting failures (`journey`),
//! time and chance (the caller passes a [`Clock`] and a [`Salt`]).

mod imported;
mod pool;
mod verify;

use std::{fmt, sync::Arc};

use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, Zeroizing};

use self::verify::Argon2Hash;
pub use self::{
    imported::{Format, Imported},
    pool::{Busy, Clock, Counters, Pool, PoolLimits, Stake, monotonic},
    verify::{Costs, CostsRefused, Pepper},
};

/// Longest password taken, in bytes of UTF-8 as received.
pub const PASSWORD_BYTES_MAX: usize = 1024;

/// Longest stored hash read, in bytes.
const STORED_BYTES_MAX: usize = 512;

/// A password as somebody typed it, in Unicode normal form C; wiped when the last copy goes,
/// silent when printed.
///
/// [ASVS 6.2.8] "… verifies the user's password exactly as received from the user, without any
/// modifications such as truncation or case transformation": keyboards and browsers disagree on how to
/// write `é`, so both spellings become one here, once, for setting and for checking alike. Nothing
/// else is changed; spaces and case stay.
#[derive(Clone)]
pub struct Password(Arc<Zeroizing<String>>);

impl Password {
    /// Takes what was typed and wipes the original.
    ///
    /// # Errors
    /// When nothing was typed, or more than [`PASSWORD_BYTES_MAX`]; no other work is done then.
    pub fn parse(mut typed: String) -> Result<Self, PasswordRefused> {
        let refused = match typed.len() {
            0 => Some(PasswordRefused::Empty),
            bytes if bytes > PASSWORD_BYTES_MAX => Some(PasswordRefused::TooLong),
            _ => None,
        };
        if let Some(refused) = refused {
            typed.zeroize();
            return Err(refused);
        }
        // Composing never needs more than three bytes for one: the buffer is not left half copied by
        // growing.
        let mut normal = Zeroizing::new(String::with_capacity(typed.len().saturating_mul(3)));
        normal.extend(typed.nfc());
        typed.zeroize();
        Ok(Self(Arc::new(normal)))
    }

    /// The password itself: the caller now holds the secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// Why typed text cannot be a password of anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// Nothing was typed.
    #[error("the password is empty")]
    Empty,
    /// More than [`PASSWORD_BYTES_MAX`] bytes.
    #[error("the password is longer than {PASSWORD_BYTES_MAX} bytes")]
    TooLong,
}

/// Sixteen fresh random bytes for one new hash; drawn by the caller's `World`.
#[derive(Clone, Copy, Debug)]
pub struct Salt(pub [u8; 16]);

/// A hash ready to be stored: our own, in PHC string form. Silent when printed.
#[derive(Clone)]
pub struct PhcString(String);

impl PhcString {
    /// The text to store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhcString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhcString")
    }
}

/// A stored hash, read and found within bounds: checking a password against it cannot take more
/// memory or time than this house allows. Silent when printed.
#[derive(Clone)]
pub struct Stored(Kind);

#[derive(Clone)]
enum Kind {
    Own(Argon2Hash),
    Imported(Imported),
}

impl Stored {
    /// Reads what the database holds: a hash of our own or an imported one.
    ///
    /// # Errors
    /// When it is no known format or its parameters are out of bounds. Somebody who signs in must
    /// then still wait as long as for a wrong password, see [`Pool::verify_dummy`].
    pub fn parse(text: &str) -> Result<Self, UnusableHash> {
        check_size(text)?;
        if text.starts_with("$argon2") {
            let hash = Argon2Hash::parse(text)?;
            if hash.is_peppered() {
                return Ok(Self(Kind::Own(hash)));
            }
        }
        Imported::parse(text).map(|imported| Self(Kind::Imported(imported)))
    }
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stored")
    }
}

fn check_size(text: &str) -> Result<(), UnusableHash> {
    if text.len() > STORED_BYTES_MAX {
        return Err(UnusableHash::TooLong);
    }
    Ok(())
}

/// Why a stored or imported hash cannot be used. Never contains the hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// It was made with a secret key that is not ours.
    #[error(
        "the hash was made with a secret key (`keyid`) of another system; set a new password by \
         an activation code instead"
    )]
    ForeignKey,
    /// The name of the format is known, the rest cannot be read.
    #[error("the hash starts like {0} but the rest cannot be read")]
    Malformed(Format),
    /// Checking it would cost more than one sign-in may cost.
    #[error("the hash asks for {found} {what}; at most {max} are allowed")]
    TooCostly {
        /// The parameter, in plural.
        what: &'static str,
        /// Its value in the hash.
        found: u32,
        /// Its upper bound here.
        max: u32,
    },
    /// More than 512 bytes.
    #[error("the hash is longer than {STORED_BYTES_MAX} bytes")]
    TooLong,
    /// No known format.
    #[error(
        "the format of the hash is not known; known are {{SHA}}, {{SSHA}}, {{SSHA256}}, \
         {{SSHA512}}, {{PBKDF2…}}, {{CRYPT}}, bcrypt, PBKDF2 (passlib, Django), sha256-crypt, \
         sha512-crypt, Argon2i and Argon2id"
    )]
    Unknown,
}

/// Whether a password was right.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Right {
        /// The stored hash is imported or out of date: hash the password anew with [`Pool::hash`] and
        /// store that.
        upgrade: bool,
    },
    /// It was not, or it could not be checked.
    Wrong,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// [A09] A password is not truncated, folded or trimmed.
    #[test]
    fn a_password_stays_as_it_was_typed() {
        for typed in [
            " a B ",
            "ÀÉ",
            "ﬁn",
            "１２３",
            "a\u{0}b",
            &"x".repeat(PASSWORD_BYTES_MAX),
        ] {
            assert_eq!(Password::parse(typed.to_owned()).unwrap().expose(), typed);
        }
    }

    /// [A09] Two spellings of one letter are one password.
    #[test]
    fn both_spellings_of_an_accent_are_the_same_password() {
        let composed = Password::parse("\u{e9}t\u{e9}".to_owned()).unwrap();
        let decomposed = Password::parse("e\u{301}te\u{301}".to_owned()).unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
    }

    /// [A10] A password beyond the bound is refused before any work.
    #[test]
    fn a_password_of_more_than_a_kibibyte_is_refused() {
        let refused = Password::parse("x".repeat(PASSWORD_BYTES_MAX + 1)).unwrap_err();
        assert_eq!(refused, PasswordRefused::TooLong);
        assert_eq!(
            Password::parse(String::new()).unwrap_err(),
            PasswordRefused::Empty
        );
    }

    /// [P02] No secret is printed.
    #[test]
    fn passwords_and_hashes_print_nothing() {
        let password = Password::parse("geheim".to_owned()).unwrap();
        assert_eq!(format!("{password:?}"), "Password");
        let stored = Stored::parse("{SHA}ZN3uoDVVxUUtOQ/M0CpeqM1FnF8=").unwrap();
        assert_eq!(format!("{stored:?}"), "Stored");
    }

    /// [A12] A stored hash is bounded before it is read.
    #[test]
    fn an_endless_stored_hash_is_refused() {
        let text = format!("{{SSHA}}{}", "A".repeat(STORED_BYTES_MAX));
        assert_eq!(Stored::parse(&text).unwrap_err(), UnusableHash::TooLong);
    }
}
